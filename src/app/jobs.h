/*
 * Jobs: what takes its time and waits for others (a flush, a crawl, a query, a load), each on a thread of its
 * own, so that commands answer at once. A job says how far it is, can be cancelled, and ends with a line for
 * the Log and, for who waits on the command line, data.
 *
 *     jobs_start(jobs, &start, &id, err)  ─▶ fn(job, context) on a thread: blocking calls, job_progress(),
 *                                            job_cancelled() ─▶ 0 or -1 ─▶ the Log, the view, `job ID`
 *
 * At most JOBS_RUNNING run, JOBS_WAITING wait for their turn, the last JOBS_KEPT are remembered. Any thread.
 */
#ifndef SMARTCITY_APP_JOBS_H
#define SMARTCITY_APP_JOBS_H

#include "base/err.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOBS_RUNNING 6
#define JOBS_WAITING 32
#define JOBS_KEPT    64

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED };
const char *job_state_name(enum job_state state); /* "waiting", … */

struct jobs;
struct job;

/* 0: done, the last job_progress() is its last word; -1: failed or cancelled. */
typedef int job_fn(struct job *job, void *context, struct err *err);

struct job_start {
    const char *kind;   /* "flush", "crawl", "query", "load": for the Log and for lists */
    const char *title;  /* "crawl smartcity_raw" */
    const char *source; /* who asked */
    job_fn *fn;
    void *context;
    void (*release)(void *context); /* called once, after fn or when it never ran; NULL */
    bool quiet;                     /* says nothing in the Log when it went well */
};

struct jobs *jobs_create(struct log *log, void (*wake)(void *context), void *context);
/* Cancels all and waits for their threads. */
void jobs_destroy(struct jobs *jobs); /* NULL allowed */
/* ERR_FULL: too many wait; context was released. */
int jobs_start(struct jobs *jobs, const struct job_start *start, uint64_t *id, struct err *err);
/* Asks it to end; false when it is not there or over. id 0: the newest that runs, of this kind (NULL: any).
 */
bool jobs_cancel(struct jobs *jobs, uint64_t id, const char *kind);

/* ---- looked at from outside ---- */

struct job_figures {
    uint64_t id;
    char kind[16], title[96], source[16];
    enum job_state state;
    double fraction;    /* 0 to 1; -1 unknown */
    char text[240];     /* how far, or what came of it */
    int64_t started_us; /* wall clock */
    int64_t took_us;    /* so far, or in all */
};
/* Newest first; returns how many. */
size_t jobs_list(struct jobs *jobs, struct job_figures *figures, size_t max);
bool jobs_look(struct jobs *jobs, uint64_t id, struct job_figures *figures);
/* Data that the job left behind (JSON), malloc'd; NULL none. */
char *jobs_data(struct jobs *jobs, uint64_t id);

/* ---- for the job itself, on its thread ---- */

uint64_t job_id(const struct job *job);
/* fraction 0 to 1, or -1. Replaces what was said before. */
void job_progress(struct job *job, double fraction, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool job_cancelled(const struct job *job);
/* Sleeps, but not longer than until it is cancelled: false then. */
bool job_sleep(struct job *job, int64_t time_us);
/* The data it leaves behind: malloc'd JSON, taken. */
void job_leave(struct job *job, char *json);

#endif
