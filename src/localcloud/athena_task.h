/*
 * Between the files that run Athena's statements: one statement and what it works with. A file runs a family
 * of statements by one function athena_*_run(), which returns 0, or -1 with task->failure filled.
 *
 * What a statement answers is either lines of text (task->lines, the .txt object) or a number of rows that
 * were written (task->execution->rows); rows of a SELECT are athena_execution.c's own.
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_TASK_H
#define SMARTCITY_LOCALCLOUD_ATHENA_TASK_H

#include "localcloud/athena_execution.h"
#include "localcloud/athena_rewrite.h"
#include "localcloud/catalogue.h"

struct athena_task {
    const struct athena_run *run;
    const struct athena_statement *statement;
    struct athena_execution *execution;
    struct athena_failure *failure;
    struct buf *lines;
};

struct catalogue *athena_task_catalogue(const struct athena_task *task);
struct objects *athena_task_objects(const struct athena_task *task);
/* What the statement names, or else the database of the execution. */
const char *athena_task_database(const struct athena_task *task);

/* What Hive says, behind "FAILED: ". Returns -1. */
int athena_task_refuse(struct athena_task *task, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "SemanticException [Error 10001]: Table not found city.t" and the like. Returns -1. */
int athena_task_missing(struct athena_task *task, enum catalogue_status status, const struct err *err);
/* The table of the statement, or NULL and failed. The caller owns it. */
json_t *athena_task_table(struct athena_task *task);
/* One more column of the answer. */
void athena_task_column(struct athena_task *task, const char *name, const char *type);

/* The query in tokens [from, to) rewritten, its tables there as views; the caller holds a lease and frees the
 * query. */
int athena_task_query(struct athena_task *task, size_t from, size_t to, struct athena_query *query);

/* The text of an object's member; "" when it is none. */
const char *athena_member(const json_t *object, const char *name);
/* "s3://bucket/key" of what stands in s3://, with one '/' between the parts. */
void athena_location_join(struct buf *out, const char *base, const char *part);
/* 'text' and "name", quotes doubled. */
void athena_quote(struct buf *out, const char *text, char quote);
/* dt=2026-01-12/hour=8, escaped as Hive escapes paths; values: array of texts in the order of the keys. */
void athena_partition_path(struct buf *out, const json_t *keys, const json_t *values);
/* Undoes the escapes. Caller frees. */
char *athena_partition_unescape(const char *text, size_t length);

int athena_ddl_run(struct athena_task *task);     /* athena_ddl.c: databases, tables, partitions */
int athena_repair_run(struct athena_task *task);  /* athena_repair.c: MSCK REPAIR TABLE */
int athena_show_run(struct athena_task *task);    /* athena_show.c: SHOW, DESCRIBE */
int athena_view_run(struct athena_task *task);    /* athena_view.c: CREATE VIEW, DROP VIEW */
int athena_explain_run(struct athena_task *task); /* athena_explain.c */
int athena_write_run(struct athena_task *task);   /* athena_write.c: CTAS, INSERT, UNLOAD */

#endif
