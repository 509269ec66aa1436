/*
 * The queue of statements and the workers that run them. A worker picks the oldest job that may run: its
 * session is free, and either it only reads or nobody writes (so that writers follow each other, as table
 * locks make them in Redshift, instead of failing on conflicts). The states go SUBMITTED, PICKED, STARTED and
 * then FINISHED, FAILED or ABORTED; each is written to the history before the next step.
 */
#include "localcloud/redshift_private.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void redshift_make_id(char id[REDSHIFT_ID_SIZE])
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) < 0)
        memset(bytes, 0, sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    size_t length = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        length += (size_t)snprintf(id + length, REDSHIFT_ID_SIZE - length, "%s%02x",
                                   i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
}

json_t *redshift_seconds(int64_t wall_us)
{
    int64_t ms = wall_us / 1000;
    return json_real((double)ms / 1000);
}

void redshift_job_destroy(struct redshift_job *job)
{
    if (!job)
        return;
    for (size_t i = 0; i < job->count; i++)
        free(job->sqls[i]);
    free(job->sqls);
    json_decref(job->document);
    json_decref(job->parameters);
    free(job);
}

static json_t *sub(const struct redshift_job *job, size_t index)
{
    return job->batch ? json_array_get(json_object_get(job->document, "SubStatements"), index)
                      : job->document;
}

static void touch(json_t *document, const char *status)
{
    json_object_set_new(document, "Status", json_string(status));
    json_object_set_new(document, "UpdatedAt", redshift_seconds(clock_wall_us()));
}

static void save(struct redshift *redshift, const struct redshift_job *job)
{
    struct err err = ERR_INIT;
    if (redshift_history_update(redshift->history, job->document, &err) != 0)
        log_write(redshift->context.log, LOG_ERROR, "redshift", "%s", err.text);
}

static void set_status(struct redshift *redshift, struct redshift_job *job, const char *status)
{
    touch(job->document, status);
    save(redshift, job);
}

/* ---- running ---------------------------------------------------------------------------------------- */

struct page_target {
    struct redshift_history *history;
    char id[REDSHIFT_ID_SIZE + 24];
};

static int keep_page(void *context, int64_t number, const char *body, struct err *err)
{
    struct page_target *target = context;
    return redshift_history_page(target->history, target->id, number, body, err);
}

static bool is_cancelled(struct redshift *redshift, const struct redshift_job *job)
{
    pthread_mutex_lock(&redshift->lock);
    bool cancelled = job->cancelled;
    pthread_mutex_unlock(&redshift->lock);
    return cancelled;
}

static struct redshift_parameter *read_parameters(const json_t *list, size_t *count)
{
    *count = json_array_size(list);
    struct redshift_parameter *parameters = mem_zero(*count + 1, sizeof *parameters);
    for (size_t i = 0; i < *count; i++) {
        const json_t *item = json_array_get(list, i);
        parameters[i].name = json_string_value(json_object_get(item, "name"));
        parameters[i].value = json_string_value(json_object_get(item, "value"));
    }
    return parameters;
}

/* One statement of the job. */
static int run_one(struct redshift *redshift, struct redshift_job *job, struct redshift_runner *runner,
                   size_t index)
{
    struct redshift_outcome outcome = {0};
    struct page_target target = {.history = redshift->history};
    json_t *document = sub(job, index);
    size_t parameter_count;
    struct redshift_parameter *parameters = read_parameters(job->parameters, &parameter_count);
    if (job->batch)
        snprintf(target.id, sizeof target.id, "%s:%zu", job->id, index + 1);
    else
        text_copy(target.id, sizeof target.id, job->id);
    runner->query_id = job->number * 100 + (int64_t)index;
    runner->csv = job->csv;
    runner->page = keep_page;
    /* cppcheck-suppress autoVariables ; cleared below */
    runner->page_context = &target;
    if (job->batch) {
        touch(document, "STARTED");
        save(redshift, job);
    }
    int64_t begun = clock_mono_us();
    int result = redshift_run(runner, job->sqls[index], parameters, parameter_count, &outcome);
    json_object_set_new(document, "Duration", json_integer((clock_mono_us() - begun) * 1000));
    json_object_set_new(document, "RedshiftQueryId", json_integer(runner->query_id));
    bool cancelled = result != 0 && is_cancelled(redshift, job);
    if (result == 0) {
        json_object_set_new(document, "HasResultSet", json_boolean(outcome.has_result));
        json_object_set_new(document, "ResultRows", json_integer(outcome.rows));
        json_object_set_new(document, "ResultSize", json_integer(outcome.bytes));
        json_object_set_new(document, "_pages", json_integer(outcome.pages));
        if (outcome.has_result)
            json_object_set(document, "_columns", outcome.columns);
    } else if (!cancelled) {
        json_object_set_new(document, "Error", json_string(outcome.error));
    }
    if (job->batch)
        touch(document, result == 0 ? "FINISHED" : cancelled ? "ABORTED" : "FAILED");
    if (result != 0 && job->batch && !cancelled) {
        json_object_set_new(job->document, "Error", json_string(outcome.error));
    }
    runner->page_context = NULL;
    redshift_outcome_free(&outcome);
    free(parameters);
    return result;
}

static int transaction(struct redshift_runner *runner, struct redshift_job *job, const char *sql)
{
    struct redshift_outcome outcome = {0};
    int result = redshift_engine(runner, sql, &outcome);
    if (result != 0 && strcmp(sql, "ROLLBACK") != 0)
        json_object_set_new(job->document, "Error", json_string(outcome.error));
    return result;
}

/* What tells, after a kill, whether the transaction was committed: the document as it will be then, written
 * by the transaction itself. Writers follow each other, and the one before has its outcome in the history:
 * one row is enough. */
static int mark_committed(struct redshift_runner *runner, struct redshift_job *job)
{
    json_t *document = json_copy(job->document);
    touch(document, "FINISHED");
    char *text = json_dumps(document, JSON_COMPACT);
    struct buf sql;
    buf_init(&sql, 64u << 20);
    buf_text(&sql, "DELETE FROM _redshift.committed; INSERT INTO _redshift.committed VALUES (");
    redshift_put_string(&sql, job->id);
    buf_text(&sql, ", ");
    redshift_put_string(&sql, text ? text : "{}");
    buf_char(&sql, ')');
    int result = transaction(runner, job, sql.data);
    buf_free(&sql);
    free(text);
    json_decref(document);
    return result;
}

/* From here to the end of the transaction nobody interrupts: a COMMIT that was interrupted may still have
 * happened. False: somebody has cancelled before. */
static bool shield(struct redshift *redshift, struct redshift_job *job)
{
    pthread_mutex_lock(&redshift->lock);
    job->connection = NULL;
    bool cancelled = job->cancelled;
    pthread_mutex_unlock(&redshift->lock);
    return !cancelled;
}

static void expose(struct redshift *redshift, struct redshift_job *job, struct redshift_runner *runner)
{
    pthread_mutex_lock(&redshift->lock);
    job->connection = runner->connection;
    pthread_mutex_unlock(&redshift->lock);
}

static int begin(struct redshift_runner *runner, struct redshift_job *job)
{
    int result = transaction(runner, job, "BEGIN");
    runner->in_transaction = runner->whole = result == 0;
    return result;
}

/* COMMIT, or ROLLBACK when the result is bad. */
static int end(struct redshift *redshift, struct redshift_runner *runner, struct redshift_job *job,
               int result)
{
    runner->in_transaction = runner->whole = false;
    if (!shield(redshift, job))
        result = -1;
    if (result == 0)
        result = transaction(runner, job, "COMMIT");
    if (result != 0)
        transaction(runner, job, "ROLLBACK");
    return result;
}

/* One statement of a batch in AUTO_COMMIT. */
static int run_alone(struct redshift *redshift, struct redshift_job *job, struct redshift_runner *runner,
                     size_t index)
{
    if (runner->in_transaction || job->controls)
        return run_one(redshift, job, runner, index);
    expose(redshift, job, runner);
    int result = begin(runner, job);
    if (result == 0)
        result = end(redshift, runner, job, run_one(redshift, job, runner, index));
    if (result != 0 && !json_object_get(sub(job, index), "Error"))
        touch(sub(job, index), "FAILED");
    return result;
}

static int run_all(struct redshift *redshift, struct redshift_job *job, struct redshift_runner *runner)
{
    bool marked = !job->reads && !job->controls;
    bool whole = !job->auto_commit && !runner->in_transaction && (job->batch || marked);
    int result = 0;
    int64_t rows = 0, size = 0;
    bool any = false;
    if (whole && begin(runner, job) != 0)
        return -1;
    for (size_t i = 0; i < job->count; i++) {
        if (result != 0 && !job->auto_commit) {
            touch(sub(job, i), "ABORTED");
            continue;
        }
        if (is_cancelled(redshift, job) || (job->auto_commit ? run_alone(redshift, job, runner, i)
                                                             : run_one(redshift, job, runner, i)) != 0) {
            if (job->batch && !json_object_get(sub(job, i), "Error"))
                touch(sub(job, i), "ABORTED");
            result = -1;
        }
        any |= json_is_true(json_object_get(sub(job, i), "HasResultSet"));
        rows = json_integer_value(json_object_get(sub(job, i), "ResultRows"));
        size += json_integer_value(json_object_get(sub(job, i), "ResultSize"));
    }
    if (job->batch && result == 0) {
        json_object_set_new(job->document, "HasResultSet", json_boolean(any));
        json_object_set_new(job->document, "ResultRows", json_integer(rows));
        json_object_set_new(job->document, "ResultSize", json_integer(size));
    }
    if (whole) {
        if (result == 0 && marked)
            result = mark_committed(runner, job);
        result = end(redshift, runner, job, result);
    }
    redshift_run_after(runner);
    return result;
}

static void run_job(struct redshift *redshift, struct redshift_job *job)
{
    struct redshift_runner own;
    struct err err = ERR_INIT;
    redshift_runner_init(&own);
    struct redshift_runner *runner = job->session ? &job->session->runner : &own;
    own.scope.database = json_string_value(json_object_get(job->document, "Database"));
    own.scope.user = json_string_value(json_object_get(job->document, "DbUser"));
    set_status(redshift, job, "PICKED");
    if (!runner->connection)
        runner->connection = redshift_warehouse_connect(redshift->warehouse, &err);
    runner->warehouse = redshift->warehouse;
    runner->objects = redshift->context.objects;
    runner->region = redshift->context.region;
    int64_t begun = clock_mono_us();
    int result = -1;
    if (!runner->connection) {
        char text[460];
        snprintf(text, sizeof text, "ERROR: %s", err.text);
        json_object_set_new(job->document, "Error", json_string(text));
    } else {
        if (!job->controls)
            expose(redshift, job, runner);
        set_status(redshift, job, "STARTED");
        result = run_all(redshift, job, runner);
        shield(redshift, job);
    }
    if (!job->session) {
        duck_disconnect(own.connection);
        own.connection = NULL;
    }
    redshift_runner_free(&own);
    json_object_set_new(job->document, "Duration", json_integer((clock_mono_us() - begun) * 1000));
    if (result != 0 && is_cancelled(redshift, job))
        json_object_del(job->document, "Error");
    bool error = json_object_get(job->document, "Error") != NULL;
    touch(job->document, result == 0 ? "FINISHED" : error ? "FAILED" : "ABORTED");
    save(redshift, job);
}

/* ---- the queue -------------------------------------------------------------------------------------- */

static bool may_run(const struct redshift *redshift, const struct redshift_job *job)
{
    return !job->running && !(job->session && job->session->busy) && (job->reads || !redshift->writing);
}

static void unlink_job(struct redshift *redshift, struct redshift_job *job)
{
    struct redshift_job **place = &redshift->jobs;
    while (*place != job)
        place = &(*place)->next;
    *place = job->next;
    if (redshift->last == &job->next)
        redshift->last = place;
    redshift->job_count--;
}

static void finish(struct redshift *redshift, struct redshift_job *job)
{
    if (!job->reads)
        redshift->writing = false;
    if (job->session) {
        job->session->busy = false;
        job->session->pending--;
        job->session->expires_us = clock_mono_us() + job->session->keep_us;
        job->session->updated_us = clock_wall_us();
    }
    unlink_job(redshift, job);
    redshift_job_destroy(job);
    pthread_cond_broadcast(&redshift->work);
    pthread_cond_broadcast(&redshift->ended);
}

static struct timespec in_seconds(int64_t seconds)
{
    int64_t until = clock_mono_us() + seconds * 1000000;
    return (struct timespec){.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
}

static void work(void *context)
{
    struct redshift *redshift = context;
    pthread_mutex_lock(&redshift->lock);
    while (!redshift->stopping) {
        struct redshift_job *job = redshift->jobs;
        while (job && !may_run(redshift, job))
            job = job->next;
        if (!job) {
            struct timespec until = in_seconds(5);
            redshift_sessions_end(redshift, false);
            if (redshift->session_count > 0)
                pthread_cond_timedwait(&redshift->work, &redshift->lock, &until);
            else
                pthread_cond_wait(&redshift->work, &redshift->lock);
            continue;
        }
        job->running = true;
        redshift->writing |= !job->reads;
        if (job->session) {
            job->session->busy = true;
            job->session->updated_us = clock_wall_us();
            text_copy(job->session->statement, sizeof job->session->statement, job->id);
        }
        bool cancelled = job->cancelled;
        pthread_mutex_unlock(&redshift->lock);
        if (cancelled)
            set_status(redshift, job, "ABORTED");
        else
            run_job(redshift, job);
        pthread_mutex_lock(&redshift->lock);
        finish(redshift, job);
    }
    pthread_mutex_unlock(&redshift->lock);
}

int redshift_queue_start(struct redshift *redshift, struct err *err)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&redshift->submitting, NULL);
    pthread_mutex_init(&redshift->lock, NULL);
    pthread_cond_init(&redshift->work, &attributes);
    pthread_cond_init(&redshift->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    redshift->last = &redshift->jobs;
    for (size_t i = 0; i < REDSHIFT_WORKERS; i++)
        if (!(redshift->workers[i] = worker_start("redshift", work, redshift, err)))
            return -1;
    return 0;
}

void redshift_queue_stop(struct redshift *redshift)
{
    pthread_mutex_lock(&redshift->lock);
    redshift->stopping = true;
    for (struct redshift_job *job = redshift->jobs; job; job = job->next) {
        job->cancelled = true;
        if (job->connection)
            duck_interrupt(job->connection);
    }
    pthread_cond_broadcast(&redshift->work);
    pthread_cond_broadcast(&redshift->ended);
    pthread_mutex_unlock(&redshift->lock);
}

void redshift_queue_destroy(struct redshift *redshift)
{
    for (size_t i = 0; i < REDSHIFT_WORKERS; i++)
        worker_join(redshift->workers[i]);
    while (redshift->jobs) {
        struct redshift_job *job = redshift->jobs;
        set_status(redshift, job, "ABORTED");
        redshift->jobs = job->next;
        redshift_job_destroy(job);
    }
    redshift_sessions_end(redshift, true);
    pthread_cond_destroy(&redshift->work);
    pthread_cond_destroy(&redshift->ended);
    pthread_mutex_destroy(&redshift->lock);
    pthread_mutex_destroy(&redshift->submitting);
}

int redshift_queue_add(struct redshift *redshift, struct redshift_job *job, struct err *err)
{
    pthread_mutex_lock(&redshift->lock);
    bool full = redshift->job_count >= REDSHIFT_ACTIVE_MAX || redshift->stopping;
    if (!full) {
        *redshift->last = job;
        redshift->last = &job->next;
        redshift->job_count++;
        pthread_cond_signal(&redshift->work);
    }
    pthread_mutex_unlock(&redshift->lock);
    return full ? err_set(err, ERR_FULL, "Active statements exceeded the allowed quota (%d).",
                          REDSHIFT_ACTIVE_MAX)
                : 0;
}

static struct redshift_job *find(struct redshift *redshift, const char *id)
{
    struct redshift_job *job = redshift->jobs;
    while (job && strcmp(job->id, id) != 0)
        job = job->next;
    return job;
}

int redshift_queue_cancel(struct redshift *redshift, const char *id)
{
    pthread_mutex_lock(&redshift->lock);
    struct redshift_job *job = find(redshift, id);
    if (job) {
        job->cancelled = true;
        if (job->connection)
            duck_interrupt(job->connection);
    }
    pthread_mutex_unlock(&redshift->lock);
    return job != NULL;
}

void redshift_queue_wait(struct redshift *redshift, const char *id, int64_t seconds)
{
    struct timespec until = in_seconds(seconds);
    pthread_mutex_lock(&redshift->lock);
    while (find(redshift, id) && !redshift->stopping)
        if (pthread_cond_timedwait(&redshift->ended, &redshift->lock, &until) != 0)
            break;
    pthread_mutex_unlock(&redshift->lock);
}
