/*
 * Queries at work. Executions wait in one list in the order they came; each lane takes the first that waits,
 * runs it on a connection of its own and writes what became of it to the history before it leaves the list.
 * So an execution is found either in the list or in the history, and after a kill in the history.
 *
 * A cancelled one is interrupted again and again until it has ended: an interrupt that comes between two
 * statements of the engine is lost.
 */
#include "base/clock.h"
#include "base/worker.h"
#include "localcloud/athena_engine.h"
#include "localcloud/athena_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIM_US      500000
#define REALISTIC_US 700000

struct duck_connection *athena_work_connect(struct athena *athena, struct athena_failure *failure)
{
    struct err err = ERR_INIT;
    const char *folders[] = {athena->blobs};
    char spill[FILE_PATH_SIZE + 32];
    snprintf(spill, sizeof spill, "%s/athena/spill", athena->context->folder);
    pthread_mutex_lock(&athena->engine_lock);
    if (!athena->engine)
        athena->engine = athena_engine_open(folders, 1, spill, &err);
    struct duck_connection *connection = athena->engine ? athena_engine_connect(athena->engine, &err) : NULL;
    pthread_mutex_unlock(&athena->engine_lock);
    if (!connection)
        athena_fail(failure, "GENERIC_INTERNAL_ERROR", "%s", err.text);
    return connection;
}

static int prepared(void *service, const char *workgroup, const char *name, const char *text,
                    struct athena_failure *failure)
{
    return text ? athena_prepared_put(service, workgroup, name, text, failure)
                : athena_prepared_drop(service, workgroup, name, failure);
}

/* What became of it, to the history. */
static void keep(struct athena *athena, const struct athena_execution *execution, json_t *description)
{
    struct err err = ERR_INIT;
    json_t *details = athena_execution_details(execution);
    struct athena_entry entry = {.id = execution->id,
                                 .execution = description,
                                 .details = details,
                                 .completed_us = execution->completed_us,
                                 .succeeded = execution->state == EXECUTION_SUCCEEDED};
    if (athena_history_end(athena->history, &entry, &err) != 0)
        log_write(athena->context->log, LOG_WARNING, "athena", "the end of query %s is not kept: %s",
                  execution->id, err.text);
    json_decref(details);
}

static struct timespec at(int64_t mono_us)
{
    return (struct timespec){.tv_sec = mono_us / 1000000, .tv_nsec = mono_us % 1000000 * 1000};
}

/* As long as Athena takes for a small query before it does anything. */
static void dawdle(struct athena *athena, const struct athena_execution *execution)
{
    int64_t until = clock_mono_us() + REALISTIC_US;
    pthread_mutex_lock(&athena->lock);
    while (!execution->cancel && clock_mono_us() < until) {
        struct timespec soon = at(clock_mono_us() + 20000);
        pthread_cond_timedwait(&athena->ended, &athena->lock, &soon);
    }
    pthread_mutex_unlock(&athena->lock);
}

static void run_one(struct athena_lane *lane, struct athena_execution *execution)
{
    struct athena *athena = lane->athena;
    struct athena_failure failure = execution->failure;
    int result = -1;
    if (athena->context->realistic)
        dawdle(athena, execution);
    if (!execution->refused && !execution->cancel) {
        struct duck_connection *connection = athena_work_connect(athena, &failure);
        pthread_mutex_lock(&athena->lock);
        lane->connection = connection;
        bool go = connection && !execution->cancel;
        pthread_mutex_unlock(&athena->lock);
        if (go) {
            struct athena_run run = {.context = athena->context,
                                     .connection = connection,
                                     .cancel = &execution->cancel,
                                     .prepared = prepared,
                                     .service = athena};
            result = athena_execution_run(&run, execution, &failure);
        }
        pthread_mutex_lock(&athena->lock);
        lane->connection = NULL;
        pthread_mutex_unlock(&athena->lock);
        duck_disconnect(connection);
    }
    pthread_mutex_lock(&athena->lock);
    execution->completed_us = clock_wall_us();
    execution->failure = failure;
    /* Cancelled too late: it has its result. */
    execution->state = result == 0                           ? EXECUTION_SUCCEEDED
                       : execution->cancel || execution->cut ? EXECUTION_CANCELLED
                                                             : EXECUTION_FAILED;
    json_t *description = athena_execution_describe(execution);
    pthread_mutex_unlock(&athena->lock);
    keep(athena, execution, description);
    json_decref(description);
}

static void take_out(struct athena *athena, struct athena_execution *execution)
{
    struct athena_execution **at = &athena->first, *last = NULL;
    while (*at && *at != execution) {
        last = *at;
        at = &(*at)->next;
    }
    *at = execution->next;
    if (athena->last == execution)
        athena->last = last;
}

static struct athena_execution *next_waiting(struct athena *athena)
{
    struct athena_execution *execution = athena->first;
    while (execution && execution->state != EXECUTION_QUEUED)
        execution = execution->next;
    return execution;
}

/* Waits for the next. When nothing has come for a while, what the last ones have left goes back. */
static void rest(struct athena *athena)
{
    struct timespec until = at(clock_mono_us() + TRIM_US);
    if (!athena->untrimmed || athena->first) {
        pthread_cond_wait(&athena->wake, &athena->lock);
    } else if (pthread_cond_timedwait(&athena->wake, &athena->lock, &until) == ETIMEDOUT &&
               athena->untrimmed && !athena->first) {
        athena->untrimmed = false;
        pthread_mutex_unlock(&athena->lock);
        pthread_mutex_lock(&athena->engine_lock);
        if (athena->engine)
            athena_engine_trim(athena->engine);
        pthread_mutex_unlock(&athena->engine_lock);
        pthread_mutex_lock(&athena->lock);
    }
}

static void work(void *context)
{
    struct athena_lane *lane = context;
    struct athena *athena = lane->athena;
    pthread_mutex_lock(&athena->lock);
    for (;;) {
        struct athena_execution *execution = next_waiting(athena);
        if (!execution && athena->stopping)
            break;
        if (!execution) {
            rest(athena);
            continue;
        }
        athena->waiting--;
        execution->state = EXECUTION_RUNNING;
        execution->started_us = clock_wall_us();
        lane->running = execution;
        pthread_mutex_unlock(&athena->lock);
        run_one(lane, execution);
        pthread_mutex_lock(&athena->lock);
        lane->running = NULL;
        athena->untrimmed = true;
        take_out(athena, execution);
        pthread_cond_broadcast(&athena->ended);
        athena_execution_free(execution);
    }
    pthread_mutex_unlock(&athena->lock);
}

struct athena_execution *athena_work_find(struct athena *athena, const char *id)
{
    struct athena_execution *execution = athena->first;
    while (execution && strcmp(execution->id, id) != 0)
        execution = execution->next;
    return execution;
}

void athena_work_add(struct athena *athena, struct athena_execution *execution)
{
    execution->next = NULL;
    if (athena->last)
        athena->last->next = execution;
    else
        athena->first = execution;
    athena->last = execution;
    athena->waiting++;
    pthread_cond_signal(&athena->wake);
}

/* With the lock held; returns when it has ended, or after a while. */
static void interrupt(struct athena *athena, const char *id, int64_t limit_us)
{
    for (int64_t until = clock_mono_us() + limit_us; clock_mono_us() < until;) {
        bool found = false;
        for (size_t i = 0; i < ATHENA_LANES; i++) {
            struct athena_lane *lane = &athena->lanes[i];
            if (!lane->running || (id && strcmp(lane->running->id, id) != 0))
                continue;
            found = true;
            lane->running->cancel = true;
            if (lane->connection)
                duck_interrupt(lane->connection);
        }
        if (!found)
            return;
        struct timespec soon = at(clock_mono_us() + 20000);
        pthread_cond_timedwait(&athena->ended, &athena->lock, &soon);
    }
}

void athena_work_cancel(struct athena *athena, struct athena_execution *execution)
{
    char id[37];
    memcpy(id, execution->id, sizeof id);
    execution->cancel = true;
    if (execution->state == EXECUTION_QUEUED) {
        execution->state = EXECUTION_CANCELLED;
        execution->completed_us = clock_wall_us();
        json_t *description = athena_execution_describe(execution);
        keep(athena, execution, description);
        json_decref(description);
        athena->waiting--;
        take_out(athena, execution);
        athena_execution_free(execution);
        return;
    }
    interrupt(athena, id, 2000000);
}

int athena_work_start(struct athena *athena, struct err *err)
{
    for (size_t i = 0; i < ATHENA_LANES; i++) {
        struct athena_lane *lane = &athena->lanes[i];
        lane->athena = athena;
        lane->worker = worker_start("athena", work, lane, err);
        if (!lane->worker)
            return -1;
    }
    return 0;
}

void athena_work_stop(struct athena *athena)
{
    pthread_mutex_lock(&athena->lock);
    athena->stopping = true;
    for (struct athena_execution *execution = athena->first; execution; execution = execution->next)
        execution->cancel = true;
    for (size_t i = 0; i < ATHENA_LANES; i++)
        if (athena->lanes[i].connection)
            duck_interrupt(athena->lanes[i].connection);
    pthread_cond_broadcast(&athena->wake);
    pthread_mutex_unlock(&athena->lock);
}

void athena_work_destroy(struct athena *athena)
{
    athena_work_stop(athena);
    pthread_mutex_lock(&athena->lock);
    interrupt(athena, NULL, 60000000);
    pthread_mutex_unlock(&athena->lock);
    for (size_t i = 0; i < ATHENA_LANES; i++)
        worker_join(athena->lanes[i].worker);
    athena_engine_close(athena->engine);
    while (athena->first) {
        struct athena_execution *execution = athena->first;
        athena->first = execution->next;
        athena_execution_free(execution);
    }
}
