#include "app/ingest.h"

#include "base/clock.h"
#include "base/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define POLL_RECORDS 1024
#define POLL_WAIT_US 100000
#define BATCH_BYTES  (1u << 20)

struct ingest {
    struct consumer_settings settings;
    struct feed *feed;
    struct producer *producer;
    struct log *log;
    struct worker *worker;
    struct consumer *consumer; /* set by the thread, then constant until it ends */
    atomic_bool stop, ready;
    atomic_llong slow_us;
    pthread_mutex_t recorder_lock; /* held while the recorder is used */
    struct recorder *recorder;
    struct record records[POLL_RECORDS];
    int64_t event_ms[POLL_RECORDS];
};

static void ingest_record(struct ingest *ingest, size_t count)
{
    pthread_mutex_lock(&ingest->recorder_lock);
    for (size_t done = 0; ingest->recorder && done < count;) {
        struct record_batch *batch = record_batch_create(count - done, BATCH_BYTES);
        size_t first = done;
        while (done < count && record_batch_add(batch, &ingest->records[done]))
            done++;
        recorder_put(ingest->recorder, batch, ingest->event_ms + first);
        record_batch_release(batch);
    }
    pthread_mutex_unlock(&ingest->recorder_lock);
}

static void ingest_run(void *context)
{
    struct ingest *ingest = context;
    struct err err = ERR_INIT;
    ingest->consumer = consumer_create(&ingest->settings, &err);
    if (!ingest->consumer) {
        log_write(ingest->log, LOG_ERROR, "kafka", "%s", err.text);
        return;
    }
    atomic_store(&ingest->ready, true);
    int64_t wait = POLL_WAIT_US;
    while (!atomic_load(&ingest->stop)) {
        int count = consumer_poll(ingest->consumer, ingest->records, POLL_RECORDS, wait, &err);
        if (count < 0) {
            log_write(ingest->log, LOG_ERROR, "kafka", "consumer stopped: %s", err.text);
            break;
        }
        if (count > 0) {
            feed_take(ingest->feed, ingest->records, (size_t)count, ingest->event_ms);
            ingest_record(ingest, (size_t)count);
            for (int i = 0; i < count; i++) {
                const struct record *record = &ingest->records[i];
                consumer_store(ingest->consumer, record);
                if (ingest->producer && record->kind >= 0)
                    producer_note_consumed(ingest->producer, PRODUCER_PANELS, (enum event_kind)record->kind,
                                           record->partition, record->offset + 1);
            }
        }
        int64_t due = feed_publish(ingest->feed, clock_wall_us(), count == 0);
        wait = due > 0 && due < POLL_WAIT_US ? due : POLL_WAIT_US;
        int64_t slow = atomic_load(&ingest->slow_us);
        if (slow > 0)
            clock_sleep_until(clock_mono_us() + slow);
    }
}

struct ingest *ingest_start(const struct consumer_settings *settings, struct feed *feed,
                            struct recorder *recorder, struct producer *producer, struct log *log,
                            struct err *err)
{
    struct ingest *ingest = mem_zero(1, sizeof *ingest);
    ingest->settings = *settings;
    ingest->feed = feed;
    ingest->recorder = recorder;
    ingest->producer = producer;
    ingest->log = log;
    pthread_mutex_init(&ingest->recorder_lock, NULL);
    ingest->worker = worker_start("ingest", ingest_run, ingest, err);
    if (!ingest->worker) {
        ingest_destroy(ingest);
        return NULL;
    }
    return ingest;
}

void ingest_destroy(struct ingest *ingest)
{
    if (!ingest)
        return;
    atomic_store(&ingest->stop, true);
    worker_join(ingest->worker);
    consumer_destroy(ingest->consumer);
    pthread_mutex_destroy(&ingest->recorder_lock);
    free(ingest);
}

void ingest_set_recorder(struct ingest *ingest, struct recorder *recorder)
{
    pthread_mutex_lock(&ingest->recorder_lock);
    ingest->recorder = recorder;
    pthread_mutex_unlock(&ingest->recorder_lock);
}

void ingest_figures(struct ingest *ingest, struct consumer_figures *figures)
{
    if (atomic_load(&ingest->ready))
        consumer_figures(ingest->consumer, figures);
    else
        memset(figures, 0, sizeof *figures);
}

void ingest_slow(struct ingest *ingest, int64_t wait_us)
{
    atomic_store(&ingest->slow_us, wait_us);
}
