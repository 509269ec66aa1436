/*
 * One statement, from its text to its outcome: read, sorted by kind, rewritten, run in the warehouse, its
 * rows written away page by page. A runner belongs to one thread at a time.
 */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_RUN_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_RUN_H

#include "localcloud/objects.h"
#include "localcloud/redshift_rewrite.h"
#include "localcloud/redshift_warehouse.h"

#include <jansson.h>

#define REDSHIFT_PAGE_ROWS    1000
#define REDSHIFT_PAGE_BYTES   (1u << 20)
#define REDSHIFT_RESULT_BYTES (500ll << 20) /* the Data API's limit of a result */
#define REDSHIFT_ROW_BYTES    65536         /* of a row */

/* Takes a page of a result: records as a JSON array, or CSV lines. 0 or -1. */
typedef int redshift_page_fn(void *context, int64_t number, const char *body, struct err *err);

struct redshift_runner {
    struct redshift_warehouse *warehouse;
    struct objects *objects;
    struct duck_connection *connection;
    const char *region;
    struct redshift_scope scope;
    char schema[128];    /* of the search path; scope.schema */
    bool in_transaction; /* BEGIN was said, or a job is one transaction */
    bool whole;          /* the latter */
    int64_t query_id;
    /* Written after the transaction, whatever became of it: what is told of loads that failed. */
    struct buf after;
    /* of this statement */
    bool csv;
    redshift_page_fn *page;
    void *page_context;
};

struct redshift_outcome {
    bool has_result;
    int64_t rows, bytes, pages;
    json_t *columns;  /* ColumnMetadata; owned */
    char error[2400]; /* "" none; "ERROR: …" */
};

void redshift_runner_init(struct redshift_runner *runner);
void redshift_runner_free(struct redshift_runner *runner); /* not its connection */
/* 0, or -1 with outcome->error. The outcome is the caller's to free. */
int redshift_run(struct redshift_runner *runner, const char *sql, struct redshift_parameter *parameters,
                 size_t parameter_count, struct redshift_outcome *outcome);
void redshift_outcome_free(struct redshift_outcome *outcome);
/* Executes what is in runner->after. */
void redshift_run_after(struct redshift_runner *runner);
/* Does it only read? Such statements run side by side; others one after the other. */
bool redshift_only_reads(const struct redshift_tokens *tokens);
/* Does it begin or end a transaction? */
bool redshift_controls(const struct redshift_tokens *tokens);

/* redshift_show.c: SHOW as the engine's query. */
int redshift_show(const struct redshift_tokens *tokens, const struct redshift_scope *scope, struct buf *out,
                  struct redshift_failure *failure);

/* ---- for the loads ---------------------------------------------------------------------------------- */

/* The engine's SQL; -1 with outcome->error in Redshift's words. */
int redshift_engine(struct redshift_runner *runner, const char *sql, struct redshift_outcome *outcome);
int redshift_outcome_fail(struct redshift_outcome *outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
