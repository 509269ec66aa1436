/*
 * The embedded broker: librdkafka's mock cluster, a real TCP listener on 127.0.0.1 that any Kafka client can use.
 * It keeps about 5 MB a partition and drops the oldest silently, so in the embedded default the producer is held
 * back by what the consumer has read (stream/producer.h).
 */
#ifndef SMARTCITY_STREAM_BROKER_H
#define SMARTCITY_STREAM_BROKER_H

#include "base/err.h"
#include "city/event.h"

struct broker;
/* Creates the five topics with the partition counts of broker_partitions(). */
struct broker *broker_create(struct err *err);
void broker_destroy(struct broker *broker);
const char *broker_bootstrap(const struct broker *broker); /* "127.0.0.1:40211" */
int broker_partitions(enum event_kind kind);
/* For tests and the demonstration of failure. */
void broker_set_up(struct broker *broker, bool up);
void broker_set_rtt(struct broker *broker, int milliseconds);
/* The next `count` produce requests answer `code` (rd_kafka_resp_err_t). */
void broker_fail_produce(struct broker *broker, int code, int count);

#endif
