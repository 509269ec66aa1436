/*
 * The embedded broker: librdkafka's mock cluster, a real TCP listener on 127.0.0.1 that any Kafka client can
 * use. Each partition keeps the newest 5 MiB of batches as they were sent (compressed) and drops the oldest
 * silently, so in the embedded default the producer is held back by what the consumer has read
 * (stream/holdback.h).
 *
 * What it does not do: delete or create topics by request (an unknown topic comes into being with four
 * partitions), wake a waiting fetch when something arrives (so consumers of it ask often), remove the
 * duplicates of a producer that sends again after a lost answer, and let a group start in less than three
 * seconds (so ours assigns).
 */
#ifndef SMARTCITY_STREAM_BROKER_H
#define SMARTCITY_STREAM_BROKER_H

#include "base/err.h"
#include "city/event.h"

#define BROKER_KEEPS_BYTES (5 * 1024 * 1024) /* a partition; fixed in librdkafka 2.0 */
/* The largest record (and batch) that may be sent here: a batch that leaves no other beside it within the 5
 * MiB makes the mock believe that its log is empty, and can then not be read (rdkafka_mock.c,
 * rd_kafka_mock_msgset_destroy). */
#define BROKER_RECORD_BYTES 2500000
#define BROKER_RECORD_TEXT  "2500000"

struct broker;
/* Creates the five topics with the partition counts of broker_partitions(). */
struct broker *broker_create(struct err *err);
void broker_destroy(struct broker *broker);
const char *broker_bootstrap(const struct broker *broker); /* "127.0.0.1:40211" */
/* One each: a partition comes to hold 5 MiB of memory, and the whole console is to stay below 64 MB. */
int broker_partitions(enum event_kind kind);
/* For tests and the demonstration of failure. */
void broker_set_up(struct broker *broker, bool up);
void broker_set_rtt(struct broker *broker, int milliseconds);
/* The next `count` produce requests answer `code` (rd_kafka_resp_err_t; RD_KAFKA_RESP_ERR__TRANSPORT hangs
 * up). */
void broker_fail_produce(struct broker *broker, int code, int count);
/* The same for fetch requests. */
void broker_fail_fetch(struct broker *broker, int code, int count);

#endif
