/*
 * One thread drives the jobs: submits them, polls them, writes down what became of them. What others ask for
 * (run this step, go on by yourself) is a few flags under a mutex.
 */
#include "base/clock.h"
#include "base/text.h"
#include "lake/pipeline_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_US      1000000
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000
#define FAILURES_MAX 3 /* then somebody has to look */

/* ---- tickets, with the mutex held ---------------------------------------------------------------------- */

static void end_waiting(struct pipeline *pipeline, enum ledger_step step, enum event_kind kind,
                        const char *failure)
{
    pipeline->wanted[step][kind] = false;
    for (int t = 0; t < PIPELINE_TICKETS; t++) {
        struct pipeline_ticket *ticket = &pipeline->asked[t];
        if (!ticket->number || ticket->step != step || !ticket->waiting[kind])
            continue;
        ticket->waiting[kind] = false;
        if (failure) {
            ticket->progress.failed = true;
            text_copy(ticket->progress.detail, sizeof ticket->progress.detail, failure);
        }
        bool done = true;
        for (int i = 0; i < EVENT_KIND_COUNT; i++)
            done = done && !ticket->waiting[i];
        if (done) {
            ticket->progress.done = true;
            ticket->progress.took_us = clock_mono_us() - ticket->began_us;
        }
    }
    pthread_cond_broadcast(&pipeline->changed);
}

static void tell_tickets(struct pipeline *pipeline, const struct ledger_job *job)
{
    for (int t = 0; t < PIPELINE_TICKETS; t++) {
        struct pipeline_ticket *ticket = &pipeline->asked[t];
        if (!ticket->number || ticket->step != job->step || !ticket->waiting[job->kind])
            continue;
        text_copy(ticket->progress.detail, sizeof ticket->progress.detail, job->detail);
        if (job->state != LEDGER_DONE)
            continue;
        ticket->progress.jobs++;
        ticket->progress.batches += (uint64_t)job->batches;
        ticket->progress.rows += (uint64_t)job->rows;
    }
}

/* ---- one job ------------------------------------------------------------------------------------------ */

static int64_t wall_ms(void)
{
    return clock_wall_us() / 1000;
}

static void save(struct pipeline *pipeline, struct ledger_job *job)
{
    struct err err = ERR_INIT;
    int result = ledger_save_job(pipeline->context.ledger, job, &err);
    pthread_mutex_lock(&pipeline->mutex);
    pipeline->dirty = true;
    tell_tickets(pipeline, job);
    text_copy(pipeline->figures.problem, sizeof pipeline->figures.problem, result != 0 ? err.text : "");
    pthread_mutex_unlock(&pipeline->mutex);
    if (result != 0)
        log_write(pipeline->context.log, LOG_ERROR, "pipeline", "the ledger cannot be written: %s", err.text);
}

static void finish(struct pipeline *pipeline, struct ledger_job *job)
{
    job->state = LEDGER_DONE;
    job->finished_ms = wall_ms();
    job->detail[0] = '\0';
    log_write(pipeline->context.log, LOG_INFO, "pipeline", "%s: %lld batches of %s, %lld rows",
              ledger_step_name(job->step), (long long)job->batches, event_topic(job->kind),
              (long long)job->rows);
    save(pipeline, job);
}

/* definite: it was not, or not wholly, done, so the next try is another job over there. */
static void fail(struct pipeline *pipeline, struct ledger_job *job, bool definite, const char *why)
{
    int64_t wait = RETRY_MIN_MS;
    for (int i = 0; i < job->tries && wait < RETRY_MAX_MS; i++)
        wait *= 2;
    text_sanitise(job->detail, sizeof job->detail, why, strlen(why));
    job->failures += definite;
    job->next_ms = wall_ms() + (wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
    job->state = job->failures % FAILURES_MAX == 0 && definite ? LEDGER_FAILED : LEDGER_RETRY;
    if (job->state == LEDGER_FAILED)
        job->finished_ms = wall_ms();
    if (definite || job->tries <= 1)
        log_write(pipeline->context.log, job->state == LEDGER_FAILED ? LOG_ERROR : LOG_WARNING, "pipeline",
                  "%s of %s: %s", ledger_step_name(job->step), event_topic(job->kind), job->detail);
    save(pipeline, job);
}

static void submit(struct pipeline *pipeline, struct pipeline_open_job *open)
{
    struct ledger_job *job = &open->job;
    struct err err = ERR_INIT;
    const struct pipeline_step *step = NULL;
    for (int i = 0; i < PIPELINE_STEPS; i++)
        if (pipeline_steps[i].step == job->step)
            step = &pipeline_steps[i];
    job->tries++;
    if (!step || pipeline_token(&pipeline->context, job, job->token, &err) != 0) {
        fail(pipeline, job, false, step ? err.text : "a step that this version does not know");
        return;
    }
    /* Written down before it is sent: who finds it there sends the same again. */
    job->state = LEDGER_NEW;
    job->started_ms = wall_ms();
    snprintf(job->detail, sizeof job->detail, "being submitted");
    save(pipeline, job);
    bool nothing = false;
    job->remote_id[0] = '\0';
    if (step->submit(&pipeline->context, job, &nothing, &err) != 0) {
        bool definite = !err.retriable && err.kind != ERR_CONNECT && err.kind != ERR_CANCELLED;
        fail(pipeline, job, definite, err.text);
        return;
    }
    if (nothing) {
        finish(pipeline, job);
        return;
    }
    job->state = LEDGER_RUNNING;
    snprintf(job->detail, sizeof job->detail, "submitted as %.150s", job->remote_id);
    open->asked = 0;
    open->poll_at = clock_mono_us() + aws_work_poll_us(0);
    save(pipeline, job);
}

static void poll(struct pipeline *pipeline, struct pipeline_open_job *open)
{
    struct ledger_job *job = &open->job;
    struct aws_work work = {0};
    struct err err = ERR_INIT;
    open->poll_at = clock_mono_us() + aws_work_poll_us(++open->asked);
    if (pipeline_poll(&pipeline->context, job, &work, &err) != 0) {
        /* What is not known over there any more was perhaps done; doing it again is harmless. */
        if (err.kind == ERR_NOT_FOUND || err.kind == ERR_REMOTE || err.kind == ERR_CORRUPT)
            fail(pipeline, job, true, err.text);
        return;
    }
    if (work.state == AWS_WORK_DONE) {
        finish(pipeline, job);
    } else if (work.state == AWS_WORK_FAILED || work.state == AWS_WORK_CANCELLED) {
        fail(pipeline, job, true, work.reason[0] ? work.reason : work.word);
    } else if (strcmp(job->detail, work.word) != 0) {
        text_copy(job->detail, sizeof job->detail, work.word);
        pthread_mutex_lock(&pipeline->mutex);
        pipeline->dirty = true;
        tell_tickets(pipeline, job);
        pthread_mutex_unlock(&pipeline->mutex);
    }
}

static void advance(struct pipeline *pipeline, struct pipeline_open_job *open)
{
    switch (open->job.state) {
    case LEDGER_NEW:
        submit(pipeline, open);
        break;
    case LEDGER_RETRY:
        if (open->job.next_ms <= wall_ms())
            submit(pipeline, open);
        break;
    case LEDGER_RUNNING:
        if (open->poll_at <= clock_mono_us())
            poll(pipeline, open);
        break;
    default:
        break;
    }
}

/* ---- all jobs ----------------------------------------------------------------------------------------- */

static struct pipeline_open_job *find_open(struct pipeline *pipeline, enum ledger_step step,
                                           enum event_kind kind)
{
    for (size_t i = 0; i < pipeline->job_count; i++) {
        struct pipeline_open_job *open = &pipeline->jobs[i];
        if (open->job.step == step && open->job.kind == kind)
            return open;
    }
    return NULL;
}

static bool is_revival_asked(const struct pipeline *pipeline)
{
    bool asked = pipeline->retry;
    for (int i = 0; i < PIPELINE_STEPS; i++)
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
            asked |= pipeline->revive[pipeline_steps[i].step][kind];
    return asked;
}

/* Failed jobs of what is wanted, and all of them when somebody says so. */
static void revive(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->mutex);
    bool asked = is_revival_asked(pipeline);
    pthread_mutex_unlock(&pipeline->mutex);
    if (!asked)
        return;
    struct ledger_job *jobs = mem_zero(PIPELINE_OPEN_JOBS, sizeof *jobs);
    size_t count = ledger_open_jobs(pipeline->context.ledger, jobs, PIPELINE_OPEN_JOBS);
    pthread_mutex_lock(&pipeline->mutex);
    bool all = pipeline->retry, chosen[PIPELINE_OPEN_JOBS];
    pipeline->retry = false;
    for (size_t i = 0; i < count; i++)
        chosen[i] = (jobs[i].state == LEDGER_FAILED || jobs[i].state == LEDGER_RETRY) &&
                    (all || pipeline->revive[jobs[i].step][jobs[i].kind]);
    memset(pipeline->revive, 0, sizeof pipeline->revive);
    pthread_mutex_unlock(&pipeline->mutex);
    for (size_t i = 0; i < count; i++) {
        if (!chosen[i])
            continue;
        struct pipeline_open_job *open = NULL;
        for (size_t k = 0; k < pipeline->job_count; k++)
            if (pipeline->jobs[k].job.id == jobs[i].id)
                open = &pipeline->jobs[k];
        if (!open && pipeline->job_count < PIPELINE_OPEN_JOBS) {
            open = &pipeline->jobs[pipeline->job_count++];
            *open = (struct pipeline_open_job){.job = jobs[i]};
        }
        if (!open)
            continue;
        open->job.state = LEDGER_RETRY;
        open->job.next_ms = 0;
        save(pipeline, &open->job);
    }
    free(jobs);
}

/* Of what is wanted and has no job under way: the next one, or the end of wanting. */
static void make_jobs(struct pipeline *pipeline)
{
    for (int i = 0; i < PIPELINE_STEPS; i++)
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            const struct pipeline_step *step = &pipeline_steps[i];
            pthread_mutex_lock(&pipeline->mutex);
            bool wanted = pipeline->wanted[step->step][kind];
            pthread_mutex_unlock(&pipeline->mutex);
            if (!wanted || find_open(pipeline, step->step, (enum event_kind)kind) ||
                pipeline->job_count == PIPELINE_OPEN_JOBS)
                continue;
            struct pipeline_open_job *open = &pipeline->jobs[pipeline->job_count];
            struct err err = ERR_INIT;
            *open = (struct pipeline_open_job){0};
            int made = ledger_make_job(pipeline->context.ledger, step->step, step->after,
                                       (enum event_kind)kind, step->limit, wall_ms(), &open->job, &err);
            pipeline->job_count += made > 0;
            if (made > 0)
                continue;
            pthread_mutex_lock(&pipeline->mutex);
            end_waiting(pipeline, step->step, (enum event_kind)kind, made < 0 ? err.text : NULL);
            pthread_mutex_unlock(&pipeline->mutex);
        }
}

/* Those that ended leave; of those that failed the tickets learn. */
static void sweep(struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->job_count;) {
        const struct ledger_job *job = &pipeline->jobs[i].job;
        if (job->state != LEDGER_DONE && job->state != LEDGER_FAILED) {
            i++;
            continue;
        }
        if (job->state == LEDGER_FAILED) {
            pthread_mutex_lock(&pipeline->mutex);
            end_waiting(pipeline, job->step, job->kind, job->detail);
            pthread_mutex_unlock(&pipeline->mutex);
        }
        pipeline->jobs[i] = pipeline->jobs[--pipeline->job_count];
    }
}

static void want_by_time(struct pipeline *pipeline)
{
    int64_t now = clock_mono_us();
    pthread_mutex_lock(&pipeline->mutex);
    if (pipeline->automatic && now >= pipeline->automatic_at) {
        pipeline->automatic_at = now + pipeline->every_us;
        for (int i = 0; i < PIPELINE_STEPS; i++)
            for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
                if (!pipeline->no_step[pipeline_steps[i].step])
                    pipeline->wanted[pipeline_steps[i].step][kind] = true;
    }
    pthread_mutex_unlock(&pipeline->mutex);
}

static void publish(struct pipeline *pipeline)
{
    struct pipeline_figures *next = pipeline->next;
    struct ledger *ledger = pipeline->context.ledger;
    struct ledger_job open[PIPELINE_OPEN_JOBS];
    pthread_mutex_lock(&pipeline->mutex);
    bool dirty = pipeline->dirty;
    pipeline->dirty = false;
    pthread_mutex_unlock(&pipeline->mutex);
    if (!dirty)
        return;
    memset(next, 0, sizeof *next);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        ledger_totals(ledger, (enum event_kind)kind, &next->totals[kind], NULL);
    next->job_count = ledger_recent_jobs(ledger, next->jobs, PIPELINE_JOBS);
    next->batch_count = ledger_recent(ledger, -1, next->batches, PIPELINE_BATCHES);
    size_t count = ledger_open_jobs(ledger, open, PIPELINE_OPEN_JOBS);
    for (size_t i = 0; i < count; i++) {
        if (open[i].state == LEDGER_FAILED)
            next->failed_jobs++;
        else
            next->open_jobs++;
    }
    for (size_t i = 0; i < next->job_count; i++) /* what they do right now is not written down */
        for (size_t k = 0; k < pipeline->job_count; k++)
            if (pipeline->jobs[k].job.id == next->jobs[i].id)
                next->jobs[i] = pipeline->jobs[k].job;
    pthread_mutex_lock(&pipeline->mutex);
    text_copy(next->problem, sizeof next->problem, pipeline->figures.problem);
    pipeline->figures = *next;
    pthread_mutex_unlock(&pipeline->mutex);
}

static int64_t next_look(const struct pipeline *pipeline)
{
    int64_t now = clock_mono_us(), next = now + LOOK_US;
    for (size_t i = 0; i < pipeline->job_count; i++) {
        const struct pipeline_open_job *open = &pipeline->jobs[i];
        int64_t at = open->job.state == LEDGER_RUNNING ? open->poll_at
                     : open->job.state == LEDGER_RETRY ? now + (open->job.next_ms - wall_ms()) * 1000
                                                       : now;
        if (at < next)
            next = at;
    }
    return next;
}

static bool is_stopping(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->mutex);
    bool stopping = pipeline->stopping;
    pthread_mutex_unlock(&pipeline->mutex);
    return stopping;
}

void pipeline_drive(void *context)
{
    struct pipeline *pipeline = context;
    for (;;) {
        want_by_time(pipeline);
        revive(pipeline);
        make_jobs(pipeline);
        for (size_t i = 0; i < pipeline->job_count && !is_stopping(pipeline); i++)
            advance(pipeline, &pipeline->jobs[i]);
        size_t before = pipeline->job_count;
        sweep(pipeline);
        publish(pipeline);
        int64_t until = before != pipeline->job_count ? 0 : next_look(pipeline);
        pthread_mutex_lock(&pipeline->mutex);
        bool asked = pipeline->dirty || is_revival_asked(pipeline);
        if (!pipeline->stopping && !asked && until > clock_mono_us())
            pipeline_wait_until(pipeline, until);
        bool stopping = pipeline->stopping;
        pthread_mutex_unlock(&pipeline->mutex);
        if (stopping)
            return;
    }
}
