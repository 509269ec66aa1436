/* What the stream tests and benchmarks share: made-up events, and an embedded broker with its two clients. */
#ifndef SMARTCITY_TESTS_STREAM_RIG_H
#define SMARTCITY_TESTS_STREAM_RIG_H

#include "base/log.h"
#include "stream/broker.h"
#include "stream/consumer.h"
#include "stream/producer.h"

/* A full event of `kind` from device `device`; `sequence` is in the last 12 digits of its id. */
void rig_event(struct event *event, enum event_kind kind, unsigned device, unsigned sequence);
/* The sequence of a record made by rig_event, read from its JSON; -1. */
long rig_sequence(const struct record *record);

struct rig {
    struct log *log;
    struct broker *broker;
    struct producer *producer;
    struct consumer *consumer;
    struct record *records; /* CONSUMER_BATCH */
};

/* `properties` (ended by NULL, or NULL) go to both clients. The consumer reads from the start, without group.
 */
void rig_open(struct rig *rig, const char *const *properties);
void rig_close(struct rig *rig);
struct kafka_settings rig_settings(const struct rig *rig);

/* Polls once and tells the producer. Count of records in rig->records. */
int rig_poll(struct rig *rig, int max, int64_t timeout_us);
/* Waits until the state is there; microseconds it took, or -1 after `limit_us`. The consumer is polled
 * meanwhile. */
int64_t rig_await_producer(struct rig *rig, enum kafka_state state, int64_t limit_us);
int64_t rig_await_consumer(struct rig *rig, enum kafka_state state, int64_t limit_us);
/* Prints the log to stderr, for a failing test. */
void rig_print_log(const struct rig *rig);

#endif
