#include "app/feed.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>

#define FEED_TAIL_BYTES   (2u << 20)
#define FEED_INTERVAL_US  33000 /* 30 snapshots a second at most */
#define FEED_IDLE_US      1000000
#define FEED_IDLE_PUBLISH 3 /* snapshots after the last record, so that rates are seen to reach zero */

struct feed {
    struct model *model;
    struct tail *tail;
    void (*on_publish)(void *context);
    void *context;
    /* feeding thread's */
    uint64_t published_generation;
    int64_t published_us, cost_us;
    int idle_publishes;
    /* under the lock */
    pthread_mutex_t lock;
    struct city_snapshot *latest;
    struct model_focus focus;
    bool focus_changed, reset_wanted;
    int64_t reset_produced_us;
    struct feed_counts counts;
};

struct feed *feed_create(size_t max_vehicles, void (*on_publish)(void *context), void *context)
{
    struct feed *feed = mem_zero(1, sizeof *feed);
    pthread_mutex_init(&feed->lock, NULL);
    feed->model = model_create(max_vehicles);
    feed->tail = tail_create(FEED_TAIL_BYTES);
    feed->on_publish = on_publish;
    feed->context = context;
    feed->latest = model_snapshot(feed->model, clock_wall_us());
    return feed;
}

void feed_destroy(struct feed *feed)
{
    if (!feed)
        return;
    city_snapshot_release(feed->latest);
    model_destroy(feed->model);
    tail_destroy(feed->tail);
    pthread_mutex_destroy(&feed->lock);
    free(feed);
}

/* What the other threads asked for since the last batch. */
static void feed_obey(struct feed *feed, int64_t *reset_at)
{
    pthread_mutex_lock(&feed->lock);
    if (feed->focus_changed) {
        model_set_focus(feed->model, &feed->focus);
        feed->focus_changed = false;
    }
    *reset_at = -1;
    if (feed->reset_wanted)
        *reset_at = feed->reset_produced_us;
    pthread_mutex_unlock(&feed->lock);
    if (*reset_at == 0) {
        model_reset(feed->model);
        pthread_mutex_lock(&feed->lock);
        feed->reset_wanted = false;
        pthread_mutex_unlock(&feed->lock);
        *reset_at = -1;
    }
}

static void feed_reset_if_due(struct feed *feed, const struct record *record, int64_t *reset_at)
{
    if (*reset_at < 0 || record_produced_us(record) < *reset_at)
        return;
    model_reset(feed->model);
    *reset_at = -1;
    pthread_mutex_lock(&feed->lock);
    feed->reset_wanted = false;
    pthread_mutex_unlock(&feed->lock);
}

void feed_take(struct feed *feed, const struct record *records, size_t count, int64_t *event_ms)
{
    struct feed_counts counts = {0};
    int64_t reset_at;
    feed_obey(feed, &reset_at);
    tail_lock(feed->tail);
    for (size_t i = 0; i < count; i++) {
        const struct record *record = &records[i];
        struct codec_report report = {0};
        struct event event;
        const char *reason = NULL;
        feed_reset_if_due(feed, record, &reset_at);
        event_ms[i] = record->timestamp;
        if (record->kind < 0) {
            counts.foreign++;
            reason = "the topic is none of the five";
        } else {
            counts.taken[record->kind]++;
            if (!codec_decode_record(record, &event, &report))
                reason = report.reason;
        }
        tail_add_locked(feed->tail, record, reason != NULL);
        if (reason) {
            if (record->kind >= 0)
                counts.quarantined[record->kind]++;
            model_quarantine(feed->model, record, reason);
        } else {
            event_ms[i] = event.timestamp;
            model_apply(feed->model, &event, record, &report);
        }
    }
    tail_unlock(feed->tail);
    pthread_mutex_lock(&feed->lock);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        feed->counts.taken[kind] += counts.taken[kind];
        feed->counts.quarantined[kind] += counts.quarantined[kind];
    }
    feed->counts.foreign += counts.foreign;
    pthread_mutex_unlock(&feed->lock);
}

int64_t feed_publish(struct feed *feed, int64_t now_us, bool idle)
{
    int64_t reset_at;
    feed_obey(feed, &reset_at);
    bool changed = model_generation(feed->model) != feed->published_generation;
    /* A city of 50,000 costs more to picture: at most a tenth of the thread goes into it. */
    int64_t interval = feed->cost_us * 10 > FEED_INTERVAL_US ? feed->cost_us * 10 : FEED_INTERVAL_US;
    if (changed) {
        feed->idle_publishes = 0;
    } else if (idle && feed->idle_publishes < FEED_IDLE_PUBLISH) {
        interval = FEED_IDLE_US;
    } else {
        return -1;
    }
    int64_t due = feed->published_us + interval - now_us;
    if (due > 0 && due <= interval)
        return due;
    feed->idle_publishes += !changed;
    int64_t began = clock_mono_us();
    feed->published_generation = model_generation(feed->model);
    struct city_snapshot *snapshot = model_snapshot(feed->model, now_us), *old;
    pthread_mutex_lock(&feed->lock);
    old = feed->latest;
    feed->latest = snapshot;
    pthread_mutex_unlock(&feed->lock);
    city_snapshot_release(old);
    feed->published_us = now_us;
    feed->cost_us = (feed->cost_us * 3 + (clock_mono_us() - began)) / 4;
    if (feed->on_publish)
        feed->on_publish(feed->context);
    return changed ? interval : FEED_IDLE_US;
}

void feed_reset(struct feed *feed, int64_t produced_us)
{
    pthread_mutex_lock(&feed->lock);
    feed->reset_wanted = true;
    feed->reset_produced_us = produced_us;
    pthread_mutex_unlock(&feed->lock);
}

void feed_set_focus(struct feed *feed, const struct model_focus *focus)
{
    pthread_mutex_lock(&feed->lock);
    feed->focus = *focus;
    feed->focus_changed = true;
    pthread_mutex_unlock(&feed->lock);
}

void feed_focus(struct feed *feed, struct model_focus *focus)
{
    pthread_mutex_lock(&feed->lock);
    *focus = feed->focus;
    pthread_mutex_unlock(&feed->lock);
}

struct city_snapshot *feed_snapshot(struct feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    struct city_snapshot *snapshot = city_snapshot_retain(feed->latest);
    pthread_mutex_unlock(&feed->lock);
    return snapshot;
}

struct tail *feed_tail(struct feed *feed)
{
    return feed->tail;
}

void feed_counts(struct feed *feed, struct feed_counts *counts)
{
    pthread_mutex_lock(&feed->lock);
    *counts = feed->counts;
    pthread_mutex_unlock(&feed->lock);
}
