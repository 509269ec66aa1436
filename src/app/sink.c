#include "app/sink.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_RECORDS    1024
#define POLL_WAIT_US    100000
#define OFFER_US        100000
#define BATCH_BYTES     (1u << 20)
#define AGAIN_US        1000000
#define SINK_PARTITIONS 16 /* of an embedded topic, at most */

struct sink {
    struct consumer_settings reading;
    struct lake *lake;
    struct producer *producer;
    void (*on_landed)(void *context, const struct lake_intent *intent, bool recovered);
    void *context;
    struct log *log;
    struct worker *worker;
    atomic_bool stop;
    pthread_mutex_t lock; /* of the rest, which others look at */
    struct consumer *consumer;
    char problem[240];
    struct record records[POLL_RECORDS]; /* the worker's */
};

static void tell(struct sink *sink, const char *problem)
{
    pthread_mutex_lock(&sink->lock);
    bool news = *problem && strcmp(sink->problem, problem) != 0;
    text_copy(sink->problem, sizeof sink->problem, problem);
    pthread_mutex_unlock(&sink->lock);
    if (news)
        log_write(sink->log, LOG_WARNING, "lake", "%s", problem);
}

/* ---- what the consumer asks; its thread is ours ---- */

static bool place(void *context, enum event_kind kind, int32_t partition, int64_t *offset)
{
    struct sink *sink = context;
    struct err err = ERR_INIT;
    if (atomic_load(&sink->stop))
        return false;
    if (lake_assign(sink->lake, kind, partition, offset, &err) == 0)
        return true;
    char text[240];
    snprintf(text, sizeof text, "%s [%d] waits: %.180s", event_topic(kind), partition, err.text);
    tell(sink, text);
    return false;
}

static void revoked(void *context, enum event_kind kind, int32_t partition)
{
    struct sink *sink = context;
    lake_revoke(sink->lake, kind, partition);
}

/* ---- what the lake says; its threads ---- */

static void on_landed(void *context, const struct lake_intent *intent, bool recovered)
{
    const struct sink *sink = context;
    if (sink->on_landed)
        sink->on_landed(sink->context, intent, recovered);
}

static void on_commit(void *context, enum event_kind kind, int32_t partition, int64_t end)
{
    struct sink *sink = context;
    const struct record last = {.kind = (int)kind, .partition = partition, .offset = end - 1};
    pthread_mutex_lock(&sink->lock);
    if (sink->consumer)
        consumer_store(sink->consumer, &last);
    pthread_mutex_unlock(&sink->lock);
}

/* ---- the worker ---- */

/* Waits for room in the lake: Kafka keeps what is not fetched meanwhile. False: the end. */
static bool hand_over(struct sink *sink, struct record_batch *batch)
{
    while (!atomic_load(&sink->stop))
        if (lake_offer(sink->lake, batch, OFFER_US))
            return true;
    return false;
}

static void hand_over_all(struct sink *sink, size_t count)
{
    for (size_t done = 0; done < count;) {
        struct record_batch *batch = record_batch_create(count - done, BATCH_BYTES);
        size_t first = done;
        while (done < count && record_batch_add(batch, &sink->records[done]))
            done++;
        bool taken = hand_over(sink, batch);
        record_batch_release(batch);
        if (!taken)
            return;
        for (size_t i = first; sink->producer && i < done; i++)
            if (sink->records[i].kind >= 0)
                producer_note_consumed(sink->producer, PRODUCER_LAKE, (enum event_kind)sink->records[i].kind,
                                       sink->records[i].partition, sink->records[i].offset + 1);
    }
}

static void set_consumer(struct sink *sink, struct consumer *consumer)
{
    pthread_mutex_lock(&sink->lock);
    struct consumer *old = sink->consumer;
    sink->consumer = NULL;
    pthread_mutex_unlock(&sink->lock);
    consumer_destroy(old); /* may revoke, which may commit: not under the lock */
    pthread_mutex_lock(&sink->lock);
    sink->consumer = consumer;
    pthread_mutex_unlock(&sink->lock);
}

static void run(void *context)
{
    struct sink *sink = context;
    while (!atomic_load(&sink->stop)) {
        struct err err = ERR_INIT;
        struct consumer *consumer = consumer_create(&sink->reading, &err);
        set_consumer(sink, consumer);
        while (consumer && !atomic_load(&sink->stop)) {
            int count = consumer_poll(consumer, sink->records, POLL_RECORDS, POLL_WAIT_US, &err);
            if (count < 0)
                break;
            if (count > 0) {
                tell(sink, "");
                hand_over_all(sink, (size_t)count);
            }
        }
        if (atomic_load(&sink->stop))
            break;
        if (err.kind != ERR_BUSY) /* else place() has told it */
            tell(sink, err.text);
        set_consumer(sink, NULL);
        clock_sleep_until(clock_mono_us() + AGAIN_US);
    }
    set_consumer(sink, NULL);
}

/* The slowest reader holds the producer back; who reads no more must not. */
static void hold_producer(struct sink *sink, int64_t offset)
{
    for (int kind = 0; sink->producer && kind < EVENT_KIND_COUNT; kind++)
        for (int32_t partition = 0; partition < SINK_PARTITIONS; partition++)
            producer_note_consumed(sink->producer, PRODUCER_LAKE, (enum event_kind)kind, partition, offset);
}

/* ---- outside ---- */

struct sink *sink_start(const struct sink_settings *settings, struct err *err)
{
    struct sink *sink = mem_zero(1, sizeof *sink);
    struct lake_settings lake = settings->lake;
    pthread_mutex_init(&sink->lock, NULL);
    sink->log = settings->log;
    sink->producer = settings->producer;
    sink->reading = (struct consumer_settings){
        .kafka = settings->kafka,
        .group = settings->group,
        .from = settings->kafka.embedded || !settings->group ? CONSUMER_FROM_START : CONSUMER_FROM_STORED,
        .durable = true,
        .patient = true,
        .queue_kbytes = 20480, /* what waits longer than that may as well wait in Kafka */
        .place = place,
        .revoked = revoked,
        .context = sink};
    sink->on_landed = settings->on_landed;
    sink->context = settings->context;
    lake.on_landed = on_landed;
    lake.on_commit = on_commit;
    lake.context = sink;
    sink->lake = lake_create(&lake, err);
    if (sink->lake) {
        hold_producer(sink, 0);
        sink->worker = worker_start("sink", run, sink, err);
    }
    if (!sink->worker) {
        sink_stop(sink);
        return NULL;
    }
    return sink;
}

void sink_stop(struct sink *sink)
{
    if (!sink)
        return;
    atomic_store(&sink->stop, true);
    worker_join(sink->worker);
    hold_producer(sink, INT64_MAX);
    lake_destroy(sink->lake);
    pthread_mutex_destroy(&sink->lock);
    free(sink);
}

struct lake *sink_lake(struct sink *sink)
{
    return sink->lake;
}

void sink_problem(struct sink *sink, char *out, size_t size)
{
    pthread_mutex_lock(&sink->lock);
    text_copy(out, size, sink->problem);
    pthread_mutex_unlock(&sink->lock);
}

void sink_figures(struct sink *sink, struct consumer_figures *figures)
{
    memset(figures, 0, sizeof *figures);
    pthread_mutex_lock(&sink->lock);
    if (sink->consumer)
        consumer_figures(sink->consumer, figures);
    pthread_mutex_unlock(&sink->lock);
}

bool sink_at_end(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    bool end = sink->consumer && consumer_at_end(sink->consumer);
    pthread_mutex_unlock(&sink->lock);
    return end;
}
