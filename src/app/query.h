/*
 * SQL on Athena, on Redshift or on what is kept on this machine: each query a job (app/jobs.h), its rows read
 * page by page into a kept result (store/results.h), from which the screen and exports read.
 *
 *     queries_start ─▶ estimate ─▶ (budget, price) ─▶ submit ─▶ poll ─▶ rows, page by page ─▶ kept result
 *
 * Nothing that costs money runs unconfirmed: on AWS's own endpoints a query ends at first with its estimate
 * and price, and runs when it is started again with `confirmed`. What would scan more than the budget is
 * refused; what does, cancelled.
 *
 * Main thread: create, destroy, view, rows. Any thread: the rest.
 */
#ifndef SMARTCITY_APP_QUERY_H
#define SMARTCITY_APP_QUERY_H

#include "app/backend.h"
#include "app/jobs.h"
#include "app/view_query.h"
#include "store/results_export.h"

struct queries;

struct queries_settings {
    const struct options *options; /* outlives it, as all here */
    struct backend *backend;       /* NULL: only what is kept here can be asked */
    struct jobs *jobs;             /* destroyed before this */
    struct log *log;
    bool memory; /* keeps results in memory: for tests */
    void (*wake)(void *context);
    void *context;
};
struct queries *queries_create(const struct queries_settings *settings, struct err *err);
void queries_destroy(struct queries *queries); /* NULL allowed */
struct results *queries_results(struct queries *queries);

bool query_engine_find(const char *word, enum query_engine *engine); /* name or unique beginning */
/* The engine of the editor, and of queries that name none. */
void queries_set_engine(struct queries *queries, enum query_engine engine);
enum query_engine queries_engine(struct queries *queries);

struct query_start {
    enum query_engine engine;
    const char *sql; /* copied */
    const char *source;
    bool confirmed;     /* the price is known and agreed to */
    bool estimate_only; /* says what it would scan and cost */
};
/* The job leaves
 * {"result":ID,"rows":N,"columns":N,"scanned_bytes":N,"cost_usd":X,"truncated":B,"store":PATH}, or
 * {"confirm":true,"bytes":N,"cost_usd":X,"text":"…"} when it asks first. */
int queries_start(struct queries *queries, const struct query_start *start, uint64_t *job, struct err *err);
/* Runs what was asked about last; ERR_NOT_FOUND when nothing was. */
int queries_confirm(struct queries *queries, const char *source, uint64_t *job, struct err *err);

/* Opens a kept result; id 0 the newest. */
int queries_open(struct queries *queries, int64_t id, struct err *err);
int64_t queries_opened(struct queries *queries); /* 0: none */
/* Puts the window's first row there. */
int queries_window(struct queries *queries, int64_t first, struct err *err);
/* Column y over column x of the open result, as a quiet job; x, y -1: the first that fit. */
int queries_plot(struct queries *queries, int x, int y, struct err *err);
/* As a job. id 0: the one that is open. */
int queries_export(struct queries *queries, int64_t id, const char *path, const char *source, uint64_t *job,
                   struct err *err);
/* Saves SQL under a name in the configuration folder. */
int queries_save(struct queries *queries, const char *name, enum query_engine engine, const char *sql,
                 struct err *err);
/* Looks at the catalogue and the saved queries again, as a quiet job. */
void queries_refresh(struct queries *queries);

/* Fills what the screen shows; pointers hold until the next call. */
void queries_view(struct queries *queries, struct view_query *view);

/* USD for bytes scanned by Athena: 5 a TB, 10 MB at least, nothing for nothing
 * (aws.amazon.com/athena/pricing).
 */
double query_price(int64_t bytes);

#endif
