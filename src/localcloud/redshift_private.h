/* Between the files of the Redshift Data service. */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_PRIVATE_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_PRIVATE_H

#include "base/worker.h"
#include "localcloud/redshift_history.h"
#include "localcloud/redshift_run.h"
#include "localcloud/service.h"

#include <pthread.h>

#define REDSHIFT_WORKERS      4
#define REDSHIFT_ACTIVE_MAX   500 /* statements submitted and not ended; the Data API's quota */
#define REDSHIFT_SESSIONS_MAX 500
#define REDSHIFT_ID_SIZE      37

struct redshift_session {
    char id[REDSHIFT_ID_SIZE];
    struct redshift_runner runner; /* its connection is made by the first statement */
    bool busy, closed;
    char statement[REDSHIFT_ID_SIZE]; /* the last one that ran */
    size_t pending;                   /* statements that wait or run */
    int64_t keep_us, expires_us;      /* monotonic */
    int64_t created_us, updated_us;   /* wall */
    char database[128], cluster[128], workgroup[256], user[128];
    struct redshift_session *next;
};

/* A statement or a batch, from its submission to its end. */
struct redshift_job {
    char id[REDSHIFT_ID_SIZE];
    int64_t number;
    json_t *document, *parameters;
    char **sqls;
    size_t count;
    bool batch, auto_commit, csv;
    bool reads;                         /* nothing but queries */
    bool controls;                      /* BEGIN, COMMIT or ROLLBACK is among them */
    struct redshift_session *session;   /* NULL: a connection of its own */
    struct duck_connection *connection; /* while it runs */
    bool running, cancelled;
    struct redshift_job *next;
};

struct redshift {
    struct service_context context;
    struct redshift_history *history;
    struct redshift_warehouse *warehouse;
    pthread_mutex_t submitting; /* taken before `lock` */
    pthread_mutex_t lock;       /* of all below */
    pthread_cond_t work;        /* there may be something to pick */
    pthread_cond_t ended;       /* a statement has ended */
    struct redshift_job *jobs, **last;
    size_t job_count;
    bool writing, stopping;
    struct redshift_session *sessions;
    size_t session_count; /* that are not closed */
    struct worker *workers[REDSHIFT_WORKERS];
};

void redshift_make_id(char id[REDSHIFT_ID_SIZE]);
json_t *redshift_seconds(int64_t wall_us); /* a time of the API: seconds, to the millisecond */

/* ---- redshift_queue.c ------------------------------------------------------------------------------- */

int redshift_queue_start(struct redshift *redshift, struct err *err);
void redshift_queue_stop(struct redshift *redshift);    /* cancels; returns at once */
void redshift_queue_destroy(struct redshift *redshift); /* joins */
/* The job becomes the queue's. -1: ERR_FULL, the job is still the caller's. */
int redshift_queue_add(struct redshift *redshift, struct redshift_job *job, struct err *err);
void redshift_job_destroy(struct redshift_job *job);
/* 1: it will end soon or has ended so; 0: there is no such statement in hand. */
int redshift_queue_cancel(struct redshift *redshift, const char *id);
/* Waits until the statement has ended or the time is over. */
void redshift_queue_wait(struct redshift *redshift, const char *id, int64_t seconds);

/* ---- redshift_session.c ----------------------------------------------------------------------------- */

/* Takes or makes the session that the request names, for the job; the answer is made when -1. */
int redshift_session_take(struct request *request, struct redshift_job *job);
void redshift_session_leave(struct redshift *redshift, struct redshift_job *job);
/* Those whose time is over; all: every one, and forgets them. Under the lock. */
void redshift_sessions_end(struct redshift *redshift, bool all);

/* ---- handlers --------------------------------------------------------------------------------------- */

operation_fn redshift_execute_statement, redshift_batch_execute_statement, redshift_describe_statement,
    redshift_get_statement_result, redshift_get_statement_result_v2, redshift_list_statements,
    redshift_cancel_statement, redshift_list_sessions;
operation_fn redshift_list_databases, redshift_list_schemas, redshift_list_tables, redshift_describe_table;
/* WorkgroupName or ClusterIdentifier, and Database where it is needed; -1 when the answer is made. */
int redshift_check_target(struct request *request, bool database);

#endif
