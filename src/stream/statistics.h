/*
 * librdkafka's statistics report (STATISTICS.md of librdkafka) as figures. Pure; any thread. The report comes
 * from our own library but holds names from outside, so it is read as carefully as anything else.
 */
#ifndef SMARTCITY_STREAM_STATISTICS_H
#define SMARTCITY_STREAM_STATISTICS_H

#include "stream/kafka.h"

struct statistics {
    int64_t time_us; /* monotonic, librdkafka's */
    int64_t queue_messages, queue_bytes, queue_limit;
    int64_t sent_messages, sent_bytes, received_messages, received_bytes; /* totals */
    bool any_up;
    char silent[64];   /* a broker that is connected but has left a request unanswered; "" */
    int64_t silent_us; /* for how long */
    char member_state[24];
    uint64_t rebalances;
    size_t broker_count, broker_extra; /* extra: did not fit */
    struct kafka_broker_figures brokers[KAFKA_BROKERS];
    size_t partition_count, partition_extra;
    struct kafka_partition_figures partitions[KAFKA_PARTITIONS]; /* by kind, then partition */
};

/* Topics without `prefix` or not ours are left out. ERR_CORRUPT when it is not a report. */
int statistics_parse(const char *json, size_t length, const char *prefix, struct statistics *statistics,
                     struct err *err);

#endif
