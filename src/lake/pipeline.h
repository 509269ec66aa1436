/*
 * The pipeline: what happens to a batch after it has landed. Each step is a row of a table
 * (pipeline_steps.c): what it does, after what, how it is begun and how its end is learnt. A job takes some
 * batches of one topic through one step; job and batches are rows of the ledger, changed in one transaction,
 * so a run that was killed goes on where it was.
 *
 *     landed ─▶ catalogued ─▶ transformed       Glue or Athena: raw to curated
 *        └────▶ loaded                          Redshift, in one transaction
 *
 * Repeating is harmless: what is begun carries a token of its batches (the same submit again gives the same
 * job over there), the transformation leaves out what is there, the load replaces what is there.
 *
 * Threads: create and destroy from one; the rest from any. pipeline_note() writes to the disk, briefly.
 */
#ifndef SMARTCITY_LAKE_PIPELINE_H
#define SMARTCITY_LAKE_PIPELINE_H

#include "base/log.h"
#include "lake/intent.h"
#include "lake/remote.h"
#include "store/ledger.h"

struct pipeline;

enum pipeline_engine { PIPELINE_ATHENA, PIPELINE_GLUE };

struct pipeline_settings {
    const struct lake_remote *remote; /* outlives the pipeline */
    const char *ledger;               /* path; NULL: in memory */
    struct log *log;
    bool automatic;
    int64_t every_us;           /* when automatic; 0: 30 s */
    bool no_transform, no_load; /* steps that are not wanted, not even automatically */

    enum pipeline_engine transform; /* the local cloud runs the SQL as a Glue job; AWS's Glue runs no SQL */
    /* NULL: as said. Texts are copied. */
    const char *workgroup;          /* Athena's; "primary" */
    const char *output;             /* Athena's results; "s3://BUCKET/athena/" */
    const char *job, *crawler;      /* Glue's; "smartcity_raw_to_curated", "smartcity_raw" */
    const char *glue_role;          /* of both; "smartcity" */
    const char *redshift_workgroup; /* serverless; or: */
    const char *redshift_cluster, *redshift_user;
    const char *redshift_secret; /* ARN */
    const char *database;        /* "dev" */
    const char *redshift_role;   /* that COPY takes: ARN; "default" */
};

/* Opens the ledger; goes on with its open jobs. NULL: the ledger cannot be had. */
struct pipeline *pipeline_create(const struct pipeline_settings *settings, struct err *err);
void pipeline_destroy(struct pipeline *pipeline);          /* what runs over there goes on; NULL allowed */
struct ledger *pipeline_ledger(struct pipeline *pipeline); /* to read; as long as the pipeline */

/* A batch has landed (lake_settings.on_landed). catalogued: its partitions are registered. */
void pipeline_note(struct pipeline *pipeline, const struct lake_intent *intent, bool catalogued);
/* Reads all intents in S3 that the ledger lacks: after it was lost, or when another run wrote. Blocks for
 * long. *found: how many were new. */
int pipeline_reconcile(struct pipeline *pipeline, uint64_t *found, struct err *err);

/* Takes all that can do `step` (LEDGER_CATALOGUED: by a crawl, LEDGER_TRANSFORMED, LEDGER_LOADED) through it
 * now; failed jobs of it are tried again. kind -1: every topic. Returns a ticket. */
uint64_t pipeline_run(struct pipeline *pipeline, enum ledger_step step, int kind);
struct pipeline_progress {
    bool done, failed;
    uint64_t jobs, batches, rows; /* finished */
    int64_t took_us;
    char detail[200]; /* what it waits for, or why it failed */
};
bool pipeline_look(struct pipeline *pipeline, uint64_t ticket, struct pipeline_progress *progress);
/* 0; -1: ERR_BUSY not in time (it goes on), ERR_REMOTE failed. */
int pipeline_wait(struct pipeline *pipeline, uint64_t ticket, int64_t timeout_us,
                  struct pipeline_progress *progress, struct err *err);
void pipeline_set_automatic(struct pipeline *pipeline, bool automatic);
void pipeline_retry(struct pipeline *pipeline); /* failed jobs, and those that wait */

/* What the transformation of a topic's days would run, for showing and for a dry run. days: "2026-01-12,…" */
int pipeline_transform_sql(enum event_kind kind, const char *days, struct buf *out, struct err *err);

#define PIPELINE_JOBS    32
#define PIPELINE_BATCHES 48

struct pipeline_figures {
    bool automatic;
    struct ledger_totals totals[EVENT_KIND_COUNT];
    struct ledger_job jobs[PIPELINE_JOBS]; /* newest first */
    size_t job_count;
    struct ledger_batch batches[PIPELINE_BATCHES]; /* newest first */
    size_t batch_count;
    uint64_t open_jobs, failed_jobs;
    int64_t next_us;   /* monotonic: automatic; 0 none */
    char problem[200]; /* of the ledger or the last failure; "" */
};
/* As of the last change: copied, never from the disk. */
void pipeline_figures(struct pipeline *pipeline, struct pipeline_figures *figures);

#endif
