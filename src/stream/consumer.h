/*
 * The consumer group member. One thread owns it and calls consumer_poll; figures from any thread. It does not decode.
 * Offsets are stored by consumer_store after the records are safe with their readers, and committed in the
 * background: at least once.
 */
#ifndef SMARTCITY_STREAM_CONSUMER_H
#define SMARTCITY_STREAM_CONSUMER_H

#include "city/record.h"
#include "stream/kafka.h"

struct consumer;

struct consumer_settings {
    struct kafka_settings kafka;
    const char *group;      /* NULL: no group: every partition assigned directly, from `from` */
    enum { CONSUMER_FROM_STORED, CONSUMER_FROM_START, CONSUMER_FROM_END, CONSUMER_FROM_TIME } from;
    int64_t from_time;      /* ms */
    bool durable;           /* commit what was stored */
};

struct consumer_topic_figures {
    uint64_t consumed, bytes, gaps /* offsets never delivered */;
    int64_t lag;            /* events; -1 unknown */
    double lag_seconds;     /* wall now minus produce time of the newest consumed, while lag > 0 */
};
struct consumer_figures {
    struct consumer_topic_figures topics[EVENT_KIND_COUNT];
    struct kafka_figures kafka;
    bool paused;
};

struct consumer *consumer_create(const struct consumer_settings *settings, struct err *err);
void consumer_destroy(struct consumer *consumer);

/* Up to `max` records, waiting at most timeout_us for the first. The records live until the next poll. Returns the
 * count; 0 none in time; -1 with a fatal error only (an unreachable broker is a state, not an error). */
int consumer_poll(struct consumer *consumer, struct record *records, int max, int64_t timeout_us, struct err *err);
void consumer_store(struct consumer *consumer, const struct record *record);
void consumer_pause(struct consumer *consumer, bool on);
void consumer_figures(struct consumer *consumer, struct consumer_figures *figures);
/* True when all partitions were read to the high watermark known now. */
bool consumer_at_end(struct consumer *consumer);

#endif
