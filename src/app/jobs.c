#include "app/jobs.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/worker.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct jobs *jobs;
    struct job_start start; /* texts are in figures */
    struct job_figures figures;
    int64_t began_us; /* monotonic */
    char *data;
    struct worker *worker; /* to be joined when it is over and before its place is used again */
    bool cancel;
};

/* One ring of JOBS_KEPT: a place is free when its job is over. */
struct jobs {
    struct log *log;
    void (*wake)(void *context);
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *ring[JOBS_KEPT];
    uint64_t next; /* id; place is id % JOBS_KEPT */
    size_t running, waiting;
    bool stopping;
};

static const char *const STATES[] = {"waiting", "running", "done", "failed", "cancelled"};

const char *job_state_name(enum job_state state)
{
    return STATES[state];
}

static void job_free(struct job *job)
{
    if (!job)
        return;
    worker_join(job->worker);
    free(job->data);
    free(job);
}

static bool is_over(const struct job *job)
{
    return job->figures.state >= JOB_DONE;
}

static void finish(struct job *job, int result, const struct err *err)
{
    struct jobs *jobs = job->jobs;
    if (job->start.release)
        job->start.release(job->start.context);
    pthread_mutex_lock(&jobs->lock);
    job->figures.took_us = clock_mono_us() - job->began_us;
    job->figures.state = result == 0 ? JOB_DONE : job->cancel ? JOB_CANCELLED : JOB_FAILED;
    job->figures.fraction = result == 0 ? 1 : job->figures.fraction;
    if (result != 0)
        text_copy(job->figures.text, sizeof job->figures.text, job->cancel ? "cancelled" : err->text);
    struct job_figures figures = job->figures;
    pthread_mutex_unlock(&jobs->lock);
    if (result != 0 || !job->start.quiet)
        log_write(jobs->log,
                  figures.state == JOB_DONE        ? LOG_DONE
                  : figures.state == JOB_CANCELLED ? LOG_WARNING
                                                   : LOG_ERROR,
                  figures.kind, "%s: %s (%.1f s)", figures.title, figures.text,
                  (double)figures.took_us / 1e6);
}

static void run(void *context)
{
    struct job *job = context;
    struct jobs *jobs = job->jobs;
    struct err err = ERR_INIT;
    pthread_mutex_lock(&jobs->lock);
    while (jobs->running >= JOBS_RUNNING && !job->cancel)
        pthread_cond_wait(&jobs->changed, &jobs->lock);
    jobs->waiting--;
    jobs->running++;
    bool cancelled = job->cancel;
    if (!cancelled)
        job->figures.state = JOB_RUNNING;
    pthread_mutex_unlock(&jobs->lock);
    jobs->wake(jobs->context);
    int result = cancelled ? -1 : job->start.fn(job, job->start.context, &err);
    finish(job, result, &err);
    pthread_mutex_lock(&jobs->lock);
    jobs->running--;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    jobs->wake(jobs->context);
}

struct jobs *jobs_create(struct log *log, void (*wake)(void *context), void *context)
{
    struct jobs *jobs = mem_zero(1, sizeof *jobs);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&jobs->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&jobs->lock, NULL);
    jobs->log = log;
    jobs->wake = wake;
    jobs->context = context;
    jobs->next = 1;
    return jobs;
}

void jobs_destroy(struct jobs *jobs)
{
    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->lock);
    jobs->stopping = true;
    for (size_t i = 0; i < JOBS_KEPT; i++)
        if (jobs->ring[i])
            jobs->ring[i]->cancel = true;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    for (size_t i = 0; i < JOBS_KEPT; i++)
        job_free(jobs->ring[i]);
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}

int jobs_start(struct jobs *jobs, const struct job_start *start, uint64_t *id, struct err *err)
{
    struct job *job = mem_zero(1, sizeof *job), *old = NULL;
    job->jobs = jobs;
    job->start = *start;
    job->began_us = clock_mono_us();
    job->figures.started_us = clock_wall_us();
    job->figures.fraction = -1;
    text_copy(job->figures.kind, sizeof job->figures.kind, start->kind);
    text_copy(job->figures.title, sizeof job->figures.title, start->title);
    text_copy(job->figures.source, sizeof job->figures.source, start->source ? start->source : "");
    int result = 0;
    pthread_mutex_lock(&jobs->lock);
    struct job **place = &jobs->ring[jobs->next % JOBS_KEPT];
    if (jobs->stopping || jobs->waiting >= JOBS_WAITING || (*place && !is_over(*place))) {
        result = err_set(err, ERR_FULL, "%s: too many jobs wait; `stop` ends one", start->kind);
    } else if (!(job->worker = worker_start("job", run, job, err))) { /* it waits for the lock */
        result = -1;
    } else {
        old = *place;
        *place = job;
        job->figures.id = jobs->next++;
        jobs->waiting++;
        if (id)
            *id = job->figures.id;
    }
    pthread_mutex_unlock(&jobs->lock);
    job_free(old);
    if (result < 0) {
        if (start->release)
            start->release(start->context);
        free(job);
    }
    return result;
}

bool jobs_cancel(struct jobs *jobs, uint64_t id, const char *kind)
{
    struct job *found = NULL;
    pthread_mutex_lock(&jobs->lock);
    for (size_t i = 0; i < JOBS_KEPT; i++) {
        struct job *job = jobs->ring[i];
        if (!job || is_over(job) || (id && job->figures.id != id) ||
            (kind && strcmp(job->figures.kind, kind) != 0))
            continue;
        if (!found || job->figures.id > found->figures.id)
            found = job;
    }
    if (found)
        found->cancel = true;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    return found != NULL;
}

/* ---- looked at ---- */

static void copy_figures(const struct job *job, struct job_figures *figures)
{
    *figures = job->figures;
    if (!is_over(job))
        figures->took_us = clock_mono_us() - job->began_us;
}

size_t jobs_list(struct jobs *jobs, struct job_figures *figures, size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&jobs->lock);
    for (uint64_t id = jobs->next; count < max && --id > 0 && jobs->next - id <= JOBS_KEPT;) {
        const struct job *job = jobs->ring[id % JOBS_KEPT];
        if (!job || job->figures.id != id)
            break;
        copy_figures(job, &figures[count++]);
    }
    pthread_mutex_unlock(&jobs->lock);
    return count;
}

static struct job *find(struct jobs *jobs, uint64_t id)
{
    struct job *job = jobs->ring[id % JOBS_KEPT];
    return job && job->figures.id == id ? job : NULL;
}

bool jobs_look(struct jobs *jobs, uint64_t id, struct job_figures *figures)
{
    pthread_mutex_lock(&jobs->lock);
    const struct job *job = find(jobs, id);
    if (job)
        copy_figures(job, figures);
    pthread_mutex_unlock(&jobs->lock);
    return job != NULL;
}

char *jobs_data(struct jobs *jobs, uint64_t id)
{
    pthread_mutex_lock(&jobs->lock);
    const struct job *job = find(jobs, id);
    char *data = job && job->data ? mem_text(job->data) : NULL;
    pthread_mutex_unlock(&jobs->lock);
    return data;
}

/* ---- the job itself ---- */

uint64_t job_id(const struct job *job)
{
    pthread_mutex_lock(&job->jobs->lock);
    uint64_t id = job->figures.id;
    pthread_mutex_unlock(&job->jobs->lock);
    return id;
}

void job_progress(struct job *job, double fraction, const char *format, ...)
{
    char text[sizeof job->figures.text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&job->jobs->lock);
    text_copy(job->figures.text, sizeof job->figures.text, text);
    job->figures.fraction = fraction;
    pthread_mutex_unlock(&job->jobs->lock);
    job->jobs->wake(job->jobs->context);
}

bool job_cancelled(const struct job *job)
{
    pthread_mutex_lock(&job->jobs->lock);
    bool cancel = job->cancel;
    pthread_mutex_unlock(&job->jobs->lock);
    return cancel;
}

bool job_sleep(struct job *job, int64_t time_us)
{
    int64_t until_us = clock_mono_us() + time_us;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};
    pthread_mutex_lock(&job->jobs->lock);
    while (!job->cancel && pthread_cond_timedwait(&job->jobs->changed, &job->jobs->lock, &until) == 0)
        ;
    bool go_on = !job->cancel;
    pthread_mutex_unlock(&job->jobs->lock);
    return go_on;
}

void job_leave(struct job *job, char *json)
{
    pthread_mutex_lock(&job->jobs->lock);
    char *old = job->data;
    job->data = json;
    pthread_mutex_unlock(&job->jobs->lock);
    free(old);
}
