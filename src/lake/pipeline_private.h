/* Between pipeline.c (outside), pipeline_drive.c, which drives jobs, and pipeline_steps.c, which knows what
 * they are. */
#ifndef SMARTCITY_LAKE_PIPELINE_PRIVATE_H
#define SMARTCITY_LAKE_PIPELINE_PRIVATE_H

#include "aws/json.h"
#include "base/worker.h"
#include "lake/landing.h"
#include "lake/pipeline.h"

#include <pthread.h>

struct pipeline_names { /* settings, with what is meant when nothing is said */
    enum pipeline_engine transform;
    char *workgroup, *output, *job, *crawler, *glue_role;
    char *redshift_workgroup, *redshift_cluster, *redshift_user, *redshift_secret, *database, *redshift_role;
};

#define PIPELINE_TICKETS   32
#define PIPELINE_OPEN_JOBS 64

struct pipeline_context {
    const struct lake_remote *remote;
    const struct pipeline_names *names;
    struct ledger *ledger;
    struct log *log;
};

struct pipeline_step {
    enum ledger_step step, after;
    int limit; /* batches of a job */
    /* Begins it, or finds it begun: job->token names it. *nothing: there is nothing to do. remote_id is set:
     * "athena:…", "glue:…", "redshift:…", "crawl:…". 0 or -1. */
    int (*submit)(const struct pipeline_context *context, struct ledger_job *job, bool *nothing,
                  struct err *err);
};
#define PIPELINE_STEPS 3
extern const struct pipeline_step pipeline_steps[PIPELINE_STEPS];

/* How what remote_id names is doing. */
int pipeline_poll(const struct pipeline_context *context, const struct ledger_job *job, struct aws_work *work,
                  struct err *err);
/* Of the job's step, batches and failures, hexadecimal. */
int pipeline_token(const struct pipeline_context *context, const struct ledger_job *job, char token[65],
                   struct err *err);

/* The right to submit `input`, a StartQueryExecution of job's token: 0 it is ours, -1: not yet
 * (err->retriable) or never (pipeline_turn.c). */
int pipeline_turn_take(const struct pipeline_context *context, const struct ledger_job *job,
                       const json_t *input, struct err *err);
/* The query of job's token is over. */
void pipeline_turn_end(const struct pipeline_context *context, const struct ledger_job *job);

struct pipeline_ticket {
    uint64_t number;
    enum ledger_step step;
    bool waiting[EVENT_KIND_COUNT];
    int64_t began_us;
    struct pipeline_progress progress;
};

struct pipeline_open_job {
    struct ledger_job job;
    int64_t poll_at; /* monotonic */
    int asked;
};

struct pipeline {
    struct pipeline_context context;
    struct pipeline_names names;
    bool no_step[LEDGER_STEP_COUNT];
    int64_t every_us;
    struct worker *worker;
    /* the worker's own */
    struct pipeline_open_job jobs[PIPELINE_OPEN_JOBS];
    size_t job_count;
    struct pipeline_figures *next;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* shared */
    bool stopping, automatic, retry, dirty;
    bool wanted[LEDGER_STEP_COUNT][EVENT_KIND_COUNT]; /* until there is nothing left to do */
    bool revive[LEDGER_STEP_COUNT][EVENT_KIND_COUNT]; /* failed ones too */
    int64_t automatic_at;
    uint64_t tickets;
    struct pipeline_ticket asked[PIPELINE_TICKETS];
    struct pipeline_figures figures;
};

void pipeline_drive(void *pipeline);                                  /* the thread */
void pipeline_wait_until(struct pipeline *pipeline, int64_t mono_us); /* or until something changes; locked */
int pipeline_reconcile_with(struct pipeline *pipeline, const struct lake_remote *remote, uint64_t *found,
                            struct err *err);
/* The files of an intent, as the ledger keeps them: [{"key","dt","rows","bytes"}]. The caller frees. */
char *pipeline_files_text(const struct lake_intent *intent);

#endif
