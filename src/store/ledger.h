/*
 * The ledger: each batch of the lake and how far it has come, and the jobs that move batches on. A SQLite
 * file that survives kill -9. What S3 holds is the truth; a lost ledger is made again from there.
 *
 * Any thread: a mutex inside, no call takes long. Errors as sql/sql.h has them.
 */
#ifndef SMARTCITY_STORE_LEDGER_H
#define SMARTCITY_STORE_LEDGER_H

#include "base/err.h"
#include "city/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(ENUM, word): what may have happened to a batch, in the order of the pipeline */
#define LEDGER_STEPS(X)                                                                                      \
    X(LEDGER_CLOSED, "closed")                                                                               \
    X(LEDGER_LANDED, "landed")                                                                               \
    X(LEDGER_CATALOGUED, "catalogued")                                                                       \
    X(LEDGER_TRANSFORMED, "transformed")                                                                     \
    X(LEDGER_LOADED, "loaded")
enum ledger_step {
#define X(name, word) name,
    LEDGER_STEPS(X)
#undef X
        LEDGER_STEP_COUNT
};
const char *ledger_step_name(enum ledger_step step);

#define LEDGER_NAME_SIZE 256
#define LEDGER_DAYS_SIZE 800 /* 64 days, "2026-01-12,2026-01-13" */

struct ledger_batch {
    char name[LEDGER_NAME_SIZE]; /* unique */
    char cluster[64];
    enum event_kind kind;
    int32_t partition;
    int64_t start, end;
    int64_t rows, quarantined, missing, bytes;
    int32_t files;
    char days[LEDGER_DAYS_SIZE];
    int64_t step_ms[LEDGER_STEP_COUNT]; /* wall clock; 0 not yet */
};

enum ledger_state {
    LEDGER_NEW,     /* about to be submitted; token says whether it was */
    LEDGER_RUNNING, /* remote_id is known */
    LEDGER_RETRY,   /* again at next_ms */
    LEDGER_DONE,
    LEDGER_FAILED /* until somebody says again */
};
const char *ledger_state_name(enum ledger_state state); /* "new", "running", … */

struct ledger_job {
    int64_t id;
    enum ledger_step step; /* that it does */
    enum event_kind kind;
    enum ledger_state state;
    int32_t failures; /* definite ones: each makes another token */
    int32_t tries;    /* in all */
    char token[65];
    char remote_id[160]; /* of the query, run or statement */
    int64_t made_ms, started_ms, finished_ms, next_ms;
    int64_t batches, rows;
    char days[LEDGER_DAYS_SIZE];
    char detail[200]; /* what it is doing, or why it failed; harmless */
};

struct ledger;
/* path NULL: in memory. Damaged files are put aside and made anew; *anew then is true (also for a new file).
 */
struct ledger *ledger_open(const char *path, bool *anew, struct err *err);
void ledger_close(struct ledger *ledger); /* NULL allowed */

/* Adds it, or adds what is known of its steps. `data`: the files, as the pipeline wants them again. */
int ledger_put(struct ledger *ledger, const struct ledger_batch *batch, const char *data, struct err *err);
/* 1 there, 0 not, -1. data (free it; NULL allowed). */
int ledger_get(struct ledger *ledger, const char *name, struct ledger_batch *batch, char **data,
               struct err *err);
/* Newest first; kind -1: of all. Returns how many. */
size_t ledger_recent(struct ledger *ledger, int kind, struct ledger_batch *batches, size_t count);

/* A job of up to `limit` batches, oldest first, that have done `after`, not yet `step`, and are in no job of
 * that step that is not done. 1 made, 0 nothing to do, -1. */
int ledger_make_job(struct ledger *ledger, enum ledger_step step, enum ledger_step after,
                    enum event_kind kind, int limit, int64_t now_ms, struct ledger_job *job, struct err *err);
/* State, token, remote id, tries, times, detail. DONE also moves its batches on, in the same transaction. */
int ledger_save_job(struct ledger *ledger, const struct ledger_job *job, struct err *err);
/* Those that are not done (failed ones too), oldest first. */
size_t ledger_open_jobs(struct ledger *ledger, struct ledger_job *jobs, size_t count);
/* Newest first, of any state. */
size_t ledger_recent_jobs(struct ledger *ledger, struct ledger_job *jobs, size_t count);
/* The batches of a job, oldest first; `each` may not call the ledger. */
int ledger_job_batches(struct ledger *ledger, int64_t job,
                       void (*each)(void *context, const struct ledger_batch *batch, const char *data),
                       void *context, struct err *err);

struct ledger_totals {
    int64_t batches[LEDGER_STEP_COUNT], rows[LEDGER_STEP_COUNT]; /* that have done the step */
    int64_t quarantined, missing, bytes, files;
    int64_t last_ms[LEDGER_STEP_COUNT];
};
int ledger_totals(struct ledger *ledger, enum event_kind kind, struct ledger_totals *totals, struct err *err);

#endif
