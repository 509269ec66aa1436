/*
 * The producer: events in, acknowledged records out. Idempotent, keyed by device, compressed (lz4), with
 * headers for produce time, W3C traceparent and schema version. It never drops: producer_send waits (up to a
 * limit) when the queue is full, which slows the simulation, and in the embedded default also while the
 * consumer is more than PRODUCER_WINDOW_BYTES behind on a partition.
 *
 * One thread sends and flushes (sim or replay); delivery reports are handled on a thread of its own; figures
 * from any thread. Kafka's timestamp is the wall clock at sending, so that retention and lag mean what they
 * say; simulated time is in the record.
 */
#ifndef SMARTCITY_STREAM_PRODUCER_H
#define SMARTCITY_STREAM_PRODUCER_H

#include "city/record.h"
#include "city/schema.h"
#include "stream/kafka.h"

/* Of the 5 MiB that the embedded broker keeps a partition (stream/broker.h), counted before compression; the
 * rest is for a batch in the making and for what outside producers add. */
#define PRODUCER_WINDOW_BYTES (4 * 1024 * 1024)

struct producer;

struct producer_topic_figures {
    uint64_t produced; /* handed to librdkafka */
    uint64_t acknowledged;
    uint64_t failed; /* given up by librdkafka; also logged with the reason */
    uint64_t bytes;  /* payload acknowledged */
};
struct producer_figures {
    struct producer_topic_figures topics[EVENT_KIND_COUNT];
    struct kafka_figures kafka;
    uint64_t waits; /* times the source was held back */
    int64_t waited_us;
    bool held; /* being held back now */
};

/* Does not wait for the broker. Strings of the settings are copied but for those of `properties`. */
struct producer *producer_create(const struct kafka_settings *settings, struct err *err);
/* Waits for outstanding deliveries up to flush_us, then frees. Returns what was left unacknowledged. */
uint64_t producer_destroy(struct producer *producer, int64_t flush_us);

/* Encodes and sends one event. 0, or -1: ERR_FULL (still no room after timeout_us; the event was not sent,
 * send it again), ERR_LIMIT (larger than message.max.bytes), ERR_CONNECT with `fatal` for what cannot be
 * mended. */
int producer_send(struct producer *producer, const struct event *event, int64_t timeout_us, struct err *err);
/* A record as it is (replay): key, value and foreign headers are kept, produce time, trace and schema version
 * are made anew. partition -1, or one the topic does not have: by key. ERR_UNSUPPORTED for a topic that is
 * not ours. */
int producer_send_record(struct producer *producer, const struct record *record, int64_t timeout_us,
                         struct err *err);

/* Waits until all that was sent is acknowledged or given up. ERR_FULL when it is not in time. */
int producer_flush(struct producer *producer, int64_t timeout_us, struct err *err);
void producer_figures(struct producer *producer, struct producer_figures *figures);

/* Who reads the embedded broker: the slowest holds the producer back. */
enum producer_reader { PRODUCER_PANELS, PRODUCER_LAKE };
/* A reader's word on how far it has read; only used when embedded. INT64_MAX: it reads no more. Any thread,
 * wait-free. */
void producer_note_consumed(struct producer *producer, enum producer_reader reader, enum event_kind kind,
                            int32_t partition, int64_t next_offset);
/* Only when a consumer is there does the embedded producer hold back for it. Any thread. */
void producer_expect_consumer(struct producer *producer, bool on);

#endif
