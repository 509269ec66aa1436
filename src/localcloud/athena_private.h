/* What the files of the Athena service share. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_PRIVATE_H
#define SMARTCITY_LOCALCLOUD_ATHENA_PRIVATE_H

#include "base/file.h"
#include "localcloud/athena.h"
#include "localcloud/athena_execution.h"
#include "localcloud/athena_history.h"
#include "localcloud/documents.h"

#include <pthread.h>

#define ATHENA_LANES     4   /* queries that run at a time; they share two threads of the engine */
#define ATHENA_QUEUE_MAX 100 /* that wait; one more is TooManyRequestsException */
#define ATHENA_QUERY_MAX 262144

/* Kinds of documents in athena.sqlite. */
#define ATHENA_WORKGROUP "workgroup"
#define ATHENA_NAMED     "named"     /* name: its id */
#define ATHENA_PREPARED  "statement" /* name: the work group; second: the statement's */
#define ATHENA_TAGS      "tags"      /* name: an ARN */
#define ATHENA_TOKEN     "token"     /* of CreateNamedQuery */

#define ATHENA_ENGINE_VERSION "Athena engine version 3"

struct athena_lane {
    struct athena *athena;
    struct worker *worker;
    struct athena_execution *running; /* what follows is under athena->lock */
    struct duck_connection *connection;
};

struct athena {
    const struct service_context *context;
    char blobs[FILE_PATH_SIZE];
    struct athena_history *history;
    struct documents *documents;
    pthread_mutex_t engine_lock;           /* of making it */
    struct athena_engine *engine;          /* made by the first query */
    pthread_mutex_t lock;                  /* of what follows, and of read-change-write of a document */
    pthread_cond_t wake;                   /* one more waits, or stop */
    pthread_cond_t ended;                  /* one has ended */
    struct athena_execution *first, *last; /* waiting or running, in the order they came */
    size_t waiting;
    bool stopping;
    bool untrimmed; /* something has run since memory was given back */
    struct athena_lane lanes[ATHENA_LANES];
};

/* ---- answering (athena.c) --------------------------------------------------------------------------- */

/* InvalidRequestException with AthenaErrorCode. */
void athena_invalid(struct request *request, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A required text of [least, most] bytes; NULL after the answer was made. */
const char *athena_text(struct request *request, const char *name, size_t least, size_t most);
/* WorkGroup of a request, "primary" when it names none; NULL after the answer was made: not of its form. */
const char *athena_workgroup_name(struct request *request);

/* A page of what is listed in order: items up to the limit, and the place of the last. */
struct athena_page {
    json_t *items;
    size_t limit;
    int64_t at, from; /* items seen; the first of this page */
    bool more;
};
/* False after the answer was made. */
bool athena_page_begin(struct request *request, struct athena_page *page, int64_t fallback, int64_t most);
/* Takes the reference. False when nothing more is needed. */
bool athena_page_add(struct athena_page *page, json_t *item);
void athena_page_reply(struct request *request, struct athena_page *page, const char *member);

/* ---- work (athena_work.c) --------------------------------------------------------------------------- */

int athena_work_start(struct athena *athena, struct err *err);
void athena_work_stop(struct athena *athena);    /* returns at once */
void athena_work_destroy(struct athena *athena); /* joins */
/* Puts it at the end of the queue and takes it over; the lock is held. */
void athena_work_add(struct athena *athena, struct athena_execution *execution);
/* Among those that wait or run; the lock is held. */
struct athena_execution *athena_work_find(struct athena *athena, const char *id);
/* Cancels it, wherever it is; the lock is held, and given up meanwhile. Returns when it has ended, or after
 * two seconds. The execution may be gone afterwards. */
void athena_work_cancel(struct athena *athena, struct athena_execution *execution);
/* A connection to the engine, which is made when it is not there. NULL with failure. */
struct duck_connection *athena_work_connect(struct athena *athena, struct athena_failure *failure);

/* ---- executions (athena_query.c) -------------------------------------------------------------------- */

void athena_execution_free(struct athena_execution *execution); /* NULL allowed */
/* QueryExecution of GetQueryExecution; the lock is held. */
json_t *athena_execution_describe(const struct athena_execution *execution);
/* What is kept besides: columns, counts, times. */
json_t *athena_execution_details(const struct athena_execution *execution);

/* By the QueryExecutionId of a request, running or ended; false after the answer was made. The caller frees.
 */
bool athena_query_look_up(struct request *request, json_t **description, json_t **details);

/* ---- work groups (athena_workgroup.c) --------------------------------------------------------------- */

/* The document, or NULL after the answer was made. */
json_t *athena_workgroup_get(struct request *request, const char *name);
int athena_workgroup_init(struct athena *athena, struct err *err); /* primary */

/* ---- prepared statements (athena_saved.c) ------------------------------------------------------------ */

/* PREPARE and DEALLOCATE. 0 or -1 with failure. */
int athena_prepared_put(struct athena *athena, const char *workgroup, const char *name, const char *text,
                        struct athena_failure *failure);
int athena_prepared_drop(struct athena *athena, const char *workgroup, const char *name,
                         struct athena_failure *failure);
/* Its text; caller frees. NULL: there is none. */
char *athena_prepared_text(struct athena *athena, const char *workgroup, const char *name);

/* ---- operations ------------------------------------------------------------------------------------- */

operation_fn athena_start_query, athena_get_query, athena_batch_get_query, athena_list_queries,
    athena_stop_query, athena_get_runtime_statistics, athena_get_results;
operation_fn athena_create_workgroup, athena_get_workgroup, athena_list_workgroups, athena_update_workgroup,
    athena_delete_workgroup, athena_list_engine_versions;
operation_fn athena_create_named, athena_get_named, athena_batch_get_named, athena_list_named,
    athena_update_named, athena_delete_named;
operation_fn athena_create_prepared, athena_get_prepared, athena_batch_get_prepared, athena_list_prepared,
    athena_update_prepared, athena_delete_prepared;
operation_fn athena_list_catalogs, athena_get_catalog, athena_get_database, athena_list_databases,
    athena_get_table, athena_list_tables;
operation_fn athena_tag, athena_untag, athena_list_tags;

#endif
