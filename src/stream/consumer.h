/*
 * The consumer group member. One thread owns it and calls consumer_poll; figures, store, pause and wake from
 * any thread. It does not decode. Offsets are stored by consumer_store after the records are safe with their
 * readers, and committed in the background: at least once.
 *
 * On the embedded broker the partitions are assigned and offsets committed under the group's name without
 * joining it, since that broker lets a group start only after three seconds; nobody else shares the work
 * there anyway.
 */
#ifndef SMARTCITY_STREAM_CONSUMER_H
#define SMARTCITY_STREAM_CONSUMER_H

#include "city/record.h"
#include "stream/kafka.h"

struct consumer;

struct consumer_settings {
    struct kafka_settings kafka;
    const char *group; /* NULL: no group: every partition assigned directly, from `from` */
    /* STORED: where the group left off; when it never committed, the start if durable, else the end. */
    enum { CONSUMER_FROM_STORED, CONSUMER_FROM_START, CONSUMER_FROM_END, CONSUMER_FROM_TIME } from;
    int64_t from_time; /* ms */
    bool durable;      /* commit what was stored */
    bool patient;      /* a tenth of a second more or less does not matter: fewer wake-ups */
    int queue_kbytes; /* fetched ahead at most, payload; it takes twice as much memory. 0: 64 MiB, embedded 32
                       */
    /* For a reader that knows better than the group where it left off; NULL: none. On the thread that polls,
     * for each partition that comes to us, and goes. *offset: in what the group committed, -1 nothing; out
     * where to begin, -1 as `from` says. May block. False: it cannot be said now; the poll that asked fails
     * with ERR_BUSY, and the consumer is to be made anew. */
    bool (*place)(void *context, enum event_kind kind, int32_t partition, int64_t *offset);
    void (*revoked)(void *context, enum event_kind kind, int32_t partition);
    void *context;
};

struct consumer_topic_figures {
    uint64_t consumed, bytes;
    uint64_t gaps; /* offsets never delivered: dropped by retention before they were read, or, on a cluster
                    * with transactions or compaction, never meant to be */
    int64_t lag;   /* events; -1 unknown */
    double lag_seconds; /* wall now minus produce time of the newest consumed, while lag > 0 */
};
struct consumer_figures {
    struct consumer_topic_figures topics[EVENT_KIND_COUNT];
    uint64_t foreign; /* records of topics that are not ours */
    struct kafka_figures kafka;
    bool paused;
};

struct consumer *consumer_create(const struct consumer_settings *settings, struct err *err);
/* Commits what was stored when the broker can be reached, leaves the group. */
void consumer_destroy(struct consumer *consumer);

#define CONSUMER_BATCH 4096
/* Up to `max` records (at most CONSUMER_BATCH), waiting at most timeout_us for the first. The records live
 * until the next poll. Returns the count; 0 none in time; -1 with a fatal error only (an unreachable broker
 * is a state, not an error). Must be called even when paused or idle: it also serves the state and the
 * statistics. */
int consumer_poll(struct consumer *consumer, struct record *records, int max, int64_t timeout_us,
                  struct err *err);
/* Ends a poll that waits. */
void consumer_wake(struct consumer *consumer);
/* Everything up to and with this record of its partition is safe. */
void consumer_store(struct consumer *consumer, const struct record *record);
void consumer_pause(struct consumer *consumer, bool on);
void consumer_figures(struct consumer *consumer, struct consumer_figures *figures);
/* True when all partitions were read to what their leaders hold now. Asks them (up to two seconds) when it
 * looks so: for the end of a run, not for every frame. False while they cannot be reached. */
bool consumer_at_end(struct consumer *consumer);

#endif
