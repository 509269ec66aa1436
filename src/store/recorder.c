/*
 * One thread pops batches and adds their records. After a failure it keeps the batch it was at, and the place
 * in it, and pops nothing more until a retry has succeeded, so what was taken is never lost, only what
 * recorder_put refuses.
 */
#include "store/recorder.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/worker.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HURRY_BATCHES (RECORDER_QUEUE / 4) /* so many waiting: compress faster, until none waits */
#define PUT_WAIT_US   100000               /* how soon a waiting put notices that the recording has failed */

/* What travels through the queue: a batch, a marker, or the wish that all before it be committed. */
struct item {
    enum { ITEM_BATCH, ITEM_MARK, ITEM_FLUSH } type;
    uint64_t flush;
    struct record_batch *batch;
    int64_t *event_ms; /* one a record; of a marker one */
    size_t next;       /* record to be added */
    char kind[16], text[120];
};

struct recorder {
    struct journey_settings settings; /* texts are ours */
    struct log *log;
    struct queue *queue;
    struct worker *worker;
    atomic_int state; /* enum recorder_state; written by the worker */
    atomic_uint_fast64_t missed;

    /* Of the worker alone. */
    struct journey_writer *writer;
    struct item *item; /* being added */
    int64_t commit_at; /* monotonic; 0: nothing to commit */
    uint64_t added;    /* records added and not committed */
    uint64_t missed_at_failure;
    bool told_too_large, told_squeezed;

    pthread_mutex_t mutex; /* the rest */
    pthread_cond_t changed;
    struct journey_info info;
    uint64_t recorded;
    int64_t committed_us;
    char problem[240];
    uint64_t flush_asked, flush_done, retry_asked, retry_done;
    bool stopping;
};

static void item_free(void *context)
{
    struct item *item = context;
    if (!item)
        return;
    record_batch_release(item->batch);
    free(item->event_ms);
    free(item);
}

static struct timespec at_time(int64_t mono_us)
{
    return (struct timespec){.tv_sec = mono_us / 1000000, .tv_nsec = mono_us % 1000000 * 1000};
}

static void set_state(struct recorder *recorder, enum recorder_state state, const char *problem)
{
    pthread_mutex_lock(&recorder->mutex);
    text_copy(recorder->problem, sizeof recorder->problem, problem);
    atomic_store(&recorder->state, (int)state);
    pthread_cond_broadcast(&recorder->changed);
    pthread_mutex_unlock(&recorder->mutex);
}

/* ---- the worker ---- */

static int make_folder_of(const char *path, struct err *err)
{
    char folder[FILE_PATH_SIZE];
    text_copy(folder, sizeof folder, path);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return 0;
    *slash = '\0';
    return file_make_dirs(folder, err);
}

static int open_writer(struct recorder *recorder, struct err *err)
{
    struct journey_settings settings = recorder->settings;
    char path[FILE_PATH_SIZE];
    if (settings.path) {
        if (make_folder_of(settings.path, err) < 0)
            return -1;
    } else {
        uint32_t deleted = 0;
        struct err ignored = ERR_INIT; /* a folder that is too full is no reason not to record */
        journeys_prune(settings.folder, settings.folder_limit_bytes, &deleted, &ignored);
        if (deleted > 0)
            log_write(recorder->log, LOG_INFO, "store",
                      "the oldest %u unnamed journeys were deleted to make room", deleted);
        if (journeys_new_path(settings.folder, settings.name, clock_wall_us(), path, err) < 0)
            return -1;
        settings.path = path;
    }
    recorder->writer = journey_create(&settings, err);
    if (!recorder->writer && settings.path == path && file_size(path) == 0)
        unlink(path); /* the claim */
    return recorder->writer ? 0 : -1;
}

static void fail(struct recorder *recorder, const struct err *err)
{
    /* The cure before the path, since a line may be cut; it is tried again every few seconds. */
    char text[sizeof recorder->problem];
    if (err->kind == ERR_FULL)
        snprintf(text, sizeof text, "no room left on the disk; free some and it goes on: %.150s", err->text);
    else if (!recorder->writer)
        snprintf(text, sizeof text, "--journeys FOLDER names another place: %.190s", err->text);
    else
        text_copy(text, sizeof text, err->text);
    /* Told before it shows: whoever sees the state finds the reason in the log. */
    if (atomic_load(&recorder->state) != RECORDER_FAILED) {
        recorder->missed_at_failure = atomic_load(&recorder->missed);
        log_write(recorder->log, LOG_ERROR, "store", "recording stopped: %s", text);
    }
    set_state(recorder, RECORDER_FAILED, text);
}

/* Once for each time that it begins. */
static void tell_squeezed(struct recorder *recorder, const struct journey_info *info)
{
    char held[TEXT_FIGURE_SIZE], limit[TEXT_FIGURE_SIZE];
    if (info->squeezed && !recorder->told_squeezed)
        log_write(recorder->log, LOG_WARNING, "store",
                  "the disk is nearly full: the recording stays at %s of its %s, the oldest events go; free "
                  "some space",
                  text_bytes(held, (double)info->file_bytes), text_bytes(limit, (double)info->limit_bytes));
    recorder->told_squeezed = info->squeezed;
}

static void note_commit(struct recorder *recorder)
{
    struct journey_info info;
    journey_writer_info(recorder->writer, &info);
    tell_squeezed(recorder, &info);
    pthread_mutex_lock(&recorder->mutex);
    recorder->recorded += recorder->added;
    recorder->committed_us = clock_wall_us();
    recorder->info = info;
    pthread_mutex_unlock(&recorder->mutex);
    recorder->added = 0;
    recorder->commit_at = 0;
}

static int commit(struct recorder *recorder, struct err *err)
{
    if (journey_commit(recorder->writer, err) < 0)
        return -1;
    note_commit(recorder);
    return 0;
}

static void want_commit(struct recorder *recorder)
{
    if (recorder->commit_at == 0)
        recorder->commit_at = clock_mono_us() + RECORDER_COMMIT_US;
}

static int add_batch(struct recorder *recorder, struct item *item, struct err *err)
{
    struct queue_figures waiting;
    queue_figures(recorder->queue, &waiting);
    if (waiting.depth >= HURRY_BATCHES || waiting.depth == 0)
        journey_hurry(recorder->writer, waiting.depth > 0);
    for (; item->next < item->batch->count; item->next++) {
        struct err own = ERR_INIT;
        if (journey_add(recorder->writer, &item->batch->records[item->next], item->event_ms[item->next],
                        &own) == 0) {
            recorder->added++;
        } else if (own.kind == ERR_LIMIT) {
            atomic_fetch_add(&recorder->missed, 1);
            if (!recorder->told_too_large)
                log_write(recorder->log, LOG_WARNING, "store",
                          "not recorded: %s; others like it are only counted", own.text);
            recorder->told_too_large = true;
        } else {
            *err = own;
            return -1;
        }
    }
    want_commit(recorder);
    return 0;
}

static int handle(struct recorder *recorder, struct item *item, struct err *err)
{
    switch (item->type) {
    case ITEM_BATCH:
        return add_batch(recorder, item, err);
    case ITEM_MARK:
        want_commit(recorder);
        return journey_mark(recorder->writer, item->event_ms[0], item->kind, item->text, err);
    case ITEM_FLUSH:
        if (commit(recorder, err) < 0)
            return -1;
        pthread_mutex_lock(&recorder->mutex);
        if (item->flush > recorder->flush_done)
            recorder->flush_done = item->flush;
        pthread_cond_broadcast(&recorder->changed);
        pthread_mutex_unlock(&recorder->mutex);
        return 0;
    }
    return 0;
}

/* Adds what is at hand or next; commits when it is time. False: nothing is left and the queue is closed. */
static bool record_some(struct recorder *recorder)
{
    struct err err = ERR_INIT;
    if (!recorder->item) {
        int64_t wait = -1;
        if (recorder->commit_at) {
            wait = recorder->commit_at - clock_mono_us();
            wait = wait < 0 ? 0 : wait;
        }
        recorder->item = queue_pop(recorder->queue, wait);
        if (!recorder->item && queue_is_closed(recorder->queue))
            return false;
    }
    if (recorder->item) {
        if (handle(recorder, recorder->item, &err) < 0) {
            fail(recorder, &err);
            return true;
        }
        item_free(recorder->item);
        recorder->item = NULL;
    }
    if (recorder->commit_at && clock_mono_us() >= recorder->commit_at && commit(recorder, &err) < 0)
        fail(recorder, &err);
    return true;
}

static bool try_again(struct recorder *recorder)
{
    struct err err = ERR_INIT;
    if ((recorder->writer ? commit(recorder, &err) : open_writer(recorder, &err)) < 0) {
        fail(recorder, &err);
        return false;
    }
    note_commit(recorder);
    uint64_t missed = atomic_load(&recorder->missed) - recorder->missed_at_failure;
    if (missed > 0) {
        char text[120];
        snprintf(text, sizeof text, "%" PRIu64 " events were not recorded: %.60s", missed, recorder->problem);
        struct journey_info info;
        journey_writer_info(recorder->writer, &info);
        if (journey_mark(recorder->writer, info.last_ms, "gap", text, NULL) == 0)
            want_commit(recorder);
    }
    log_write(recorder->log, LOG_WARNING, "store", "recording goes on; %" PRIu64 " events were missed",
              missed);
    set_state(recorder, RECORDER_ON, "");
    return true;
}

/* Waits for the time of a retry, or until somebody asks for one or for the end. False at the end. */
static bool wait_for_retry(struct recorder *recorder, uint64_t *asked)
{
    const struct timespec until = at_time(clock_mono_us() + RECORDER_RETRY_US);
    pthread_mutex_lock(&recorder->mutex);
    while (!recorder->stopping && recorder->retry_asked == recorder->retry_done)
        if (pthread_cond_timedwait(&recorder->changed, &recorder->mutex, &until) != 0)
            break;
    *asked = recorder->retry_asked;
    bool go_on = !recorder->stopping;
    pthread_mutex_unlock(&recorder->mutex);
    return go_on;
}

static void answer_retry(struct recorder *recorder, uint64_t asked)
{
    pthread_mutex_lock(&recorder->mutex);
    recorder->retry_done = asked;
    pthread_cond_broadcast(&recorder->changed);
    pthread_mutex_unlock(&recorder->mutex);
}

static void run(void *context)
{
    struct recorder *recorder = context;
    for (;;) {
        if (atomic_load(&recorder->state) == RECORDER_ON) {
            if (!record_some(recorder))
                return;
            continue;
        }
        uint64_t asked;
        bool go_on = wait_for_retry(recorder, &asked);
        bool mended = try_again(recorder); /* also at the end: once more, then it is given up */
        answer_retry(recorder, asked);
        if (!go_on && !mended)
            return;
    }
}

/* ---- outside ---- */

static char *copy_text(const char *text)
{
    return text ? mem_text(text) : NULL;
}

static void free_recorder(struct recorder *recorder)
{
    queue_destroy(recorder->queue);
    pthread_cond_destroy(&recorder->changed);
    pthread_mutex_destroy(&recorder->mutex);
    free((char *)recorder->settings.path);
    free((char *)recorder->settings.name);
    free((char *)recorder->settings.seed);
    free((char *)recorder->settings.source);
    free((char *)recorder->settings.folder);
    free(recorder);
}

struct recorder *recorder_create(const struct journey_settings *settings, struct log *log, struct err *err)
{
    struct recorder *recorder = mem_zero(1, sizeof *recorder);
    recorder->settings = (struct journey_settings){.path = copy_text(settings->path),
                                                   .name = copy_text(settings->name),
                                                   .seed = copy_text(settings->seed),
                                                   .source = copy_text(settings->source),
                                                   .folder = copy_text(settings->folder),
                                                   .folder_limit_bytes = settings->folder_limit_bytes,
                                                   .limit_bytes = settings->limit_bytes,
                                                   .keep_free_bytes = settings->keep_free_bytes};
    recorder->log = log;
    recorder->queue = queue_create(RECORDER_QUEUE, item_free);
    pthread_mutex_init(&recorder->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&recorder->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    text_copy(recorder->info.path, sizeof recorder->info.path,
              settings->path ? settings->path : settings->folder);

    struct err own = ERR_INIT;
    if (open_writer(recorder, &own) == 0) {
        atomic_store(&recorder->state, RECORDER_ON);
        journey_writer_info(recorder->writer, &recorder->info);
    } else if (own.kind != ERR_USAGE) {
        fail(recorder, &own);
    }
    if (own.kind != ERR_USAGE)
        recorder->worker = worker_start("recorder", run, recorder, &own);
    if (recorder->worker)
        return recorder;
    journey_close(recorder->writer, NULL);
    free_recorder(recorder);
    if (err)
        *err = own;
    return NULL;
}

void recorder_destroy(struct recorder *recorder)
{
    if (!recorder)
        return;
    queue_close(recorder->queue);
    pthread_mutex_lock(&recorder->mutex);
    recorder->stopping = true;
    pthread_cond_broadcast(&recorder->changed);
    pthread_mutex_unlock(&recorder->mutex);
    worker_join(recorder->worker);
    struct err err = ERR_INIT;
    if (recorder->writer && journey_close(recorder->writer, &err) < 0)
        log_write(recorder->log, LOG_ERROR, "store", "the end of the recording is missing: %s", err.text);
    item_free(recorder->item);
    free_recorder(recorder);
}

/* Hands the item to the worker; waits while it records. False, and the item freed, when it does not. */
static bool hand_over(struct recorder *recorder, struct item *item)
{
    while (atomic_load(&recorder->state) == RECORDER_ON) {
        if (queue_push(recorder->queue, item, PUT_WAIT_US))
            return true;
        if (queue_is_closed(recorder->queue))
            break;
    }
    item_free(item);
    return false;
}

bool recorder_put(struct recorder *recorder, struct record_batch *batch, const int64_t *event_ms)
{
    if (batch->count == 0)
        return true;
    struct item *item = mem_zero(1, sizeof *item);
    item->type = ITEM_BATCH;
    item->batch = record_batch_retain(batch);
    item->event_ms = mem_alloc(batch->count * sizeof *event_ms);
    memcpy(item->event_ms, event_ms, batch->count * sizeof *event_ms);
    size_t count = batch->count;
    if (hand_over(recorder, item))
        return true;
    atomic_fetch_add(&recorder->missed, count);
    return false;
}

bool recorder_mark(struct recorder *recorder, int64_t event_ms, const char *kind, const char *text)
{
    struct item *item = mem_zero(1, sizeof *item);
    item->type = ITEM_MARK;
    item->event_ms = mem_alloc(sizeof *item->event_ms);
    *item->event_ms = event_ms;
    text_copy(item->kind, sizeof item->kind, kind);
    text_copy(item->text, sizeof item->text, text);
    if (atomic_load(&recorder->state) == RECORDER_ON && queue_push(recorder->queue, item, 0))
        return true;
    item_free(item);
    return false;
}

int recorder_flush(struct recorder *recorder, int64_t timeout_us, struct err *err)
{
    const struct timespec until = at_time(clock_mono_us() + timeout_us);

    struct item *item = mem_zero(1, sizeof *item);
    item->type = ITEM_FLUSH;
    pthread_mutex_lock(&recorder->mutex);
    uint64_t flush = item->flush = ++recorder->flush_asked;
    pthread_mutex_unlock(&recorder->mutex);
    hand_over(recorder, item);

    int result = 0;
    pthread_mutex_lock(&recorder->mutex);
    while (recorder->flush_done < flush && result == 0) {
        if (atomic_load(&recorder->state) != RECORDER_ON)
            result = err_set(err, ERR_IO, "not all is recorded: %s", recorder->problem);
        else if (pthread_cond_timedwait(&recorder->changed, &recorder->mutex, &until) != 0)
            result = err_set(err, ERR_BUSY, "the recorder is busy: not all is recorded yet");
    }
    pthread_mutex_unlock(&recorder->mutex);
    return result;
}

bool recorder_retry(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->mutex);
    if (atomic_load(&recorder->state) == RECORDER_FAILED) {
        uint64_t asked = ++recorder->retry_asked;
        pthread_cond_broadcast(&recorder->changed);
        while (recorder->retry_done < asked && !recorder->stopping)
            pthread_cond_wait(&recorder->changed, &recorder->mutex);
    }
    bool on = atomic_load(&recorder->state) == RECORDER_ON;
    pthread_mutex_unlock(&recorder->mutex);
    return on;
}

void recorder_figures(struct recorder *recorder, struct recorder_figures *figures)
{
    queue_figures(recorder->queue, &figures->queue);
    pthread_mutex_lock(&recorder->mutex);
    figures->state = (enum recorder_state)atomic_load(&recorder->state);
    figures->journey = recorder->info;
    figures->recorded = recorder->recorded;
    figures->missed = atomic_load(&recorder->missed);
    figures->committed_us = recorder->committed_us;
    text_copy(figures->problem, sizeof figures->problem, recorder->problem);
    pthread_mutex_unlock(&recorder->mutex);
}
