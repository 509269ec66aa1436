/* Between pipeline.c, which drives jobs, and pipeline_steps.c, which knows what they are. */
#ifndef SMARTCITY_LAKE_PIPELINE_PRIVATE_H
#define SMARTCITY_LAKE_PIPELINE_PRIVATE_H

#include "aws/json.h"
#include "lake/landing.h"
#include "lake/pipeline.h"

struct pipeline_names { /* settings, with what is meant when nothing is said */
    enum pipeline_engine transform;
    char *workgroup, *output, *job, *crawler, *glue_role;
    char *redshift_workgroup, *redshift_cluster, *redshift_user, *redshift_secret, *database, *redshift_role;
};

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

int pipeline_reconcile_with(struct pipeline *pipeline, const struct lake_remote *remote, uint64_t *found,
                            struct err *err);
/* The files of an intent, as the ledger keeps them: [{"key","dt","rows","bytes"}]. The caller frees. */
char *pipeline_files_text(const struct lake_intent *intent);

#endif
