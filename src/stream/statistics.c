#include "stream/statistics.h"

#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A request that the broker has not answered for this long means that it is stuck. Fetches are answered
 * within fetch.wait.max.ms (half a second), produce requests in milliseconds. */
#define SILENT_US 1500000

static int64_t integer(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? (int64_t)json_number_value(value) : otherwise;
}

static const char *string(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

static double window_ms(const json_t *object, const char *window, const char *percentile)
{
    return (double)integer(json_object_get(object, window), percentile, 0) / 1000.0;
}

static void read_broker(const char *key, const json_t *broker, struct statistics *statistics)
{
    /* "logical" is the group coordinator, a second connection to a broker that is listed already, and one
     * that may rightly wait long for an answer: a join lasts as long as the others take. */
    const char *source = string(broker, "source");
    if (!strcmp(source, "internal") || !strcmp(source, "logical"))
        return;
    bool up = !strcmp(string(broker, "state"), "UP");
    if (up)
        statistics->any_up = true;
    const char *name = string(broker, "nodename");
    if (!*name)
        name = key;
    int64_t waiting = integer(broker, "waitresp_cnt", 0), silent = integer(broker, "rxidle", -1);
    int64_t sent = integer(broker, "txidle", -1);
    if (up && waiting > 0 && sent >= SILENT_US && silent >= SILENT_US && silent > statistics->silent_us) {
        statistics->silent_us = silent;
        text_sanitise(statistics->silent, sizeof statistics->silent, name, strlen(name));
    }
    /* A bootstrap entry that has become a learned broker is listed once, under its id; one that never
     * connected is all there is to show. */
    int64_t id = integer(broker, "nodeid", -1);
    if (id < 0 && !strcmp(string(broker, "state"), "INIT"))
        return;
    if (statistics->broker_count == KAFKA_BROKERS) {
        statistics->broker_extra++;
        return;
    }
    struct kafka_broker_figures *figures = &statistics->brokers[statistics->broker_count++];
    text_sanitise(figures->name, sizeof figures->name, name, strlen(name));
    figures->id = (int32_t)id;
    figures->up = up;
    figures->rtt_p50_ms = window_ms(broker, "rtt", "p50");
    figures->rtt_p99_ms = window_ms(broker, "rtt", "p99");
    figures->out_queue = integer(broker, "outbuf_msg_cnt", 0) + integer(broker, "outbuf_cnt", 0);
}

static int by_kind_and_partition(const void *a, const void *b)
{
    const struct kafka_partition_figures *left = a, *right = b;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return (left->partition > right->partition) - (left->partition < right->partition);
}

static int by_id(const void *a, const void *b)
{
    const struct kafka_broker_figures *left = a, *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

static void read_topic(const char *name, const json_t *topic, const char *prefix,
                       struct statistics *statistics)
{
    int kind = kafka_kind(prefix, name);
    if (kind < 0)
        return;
    const char *key;
    json_t *partition;
    json_object_foreach(json_object_get(topic, "partitions"), key, partition)
    {
        int64_t number = integer(partition, "partition", -1);
        if (number < 0 || number > INT32_MAX)
            continue; /* -1: not yet assigned to a partition */
        if (statistics->partition_count == KAFKA_PARTITIONS) {
            statistics->partition_extra++;
            continue;
        }
        struct kafka_partition_figures *figures = &statistics->partitions[statistics->partition_count++];
        int64_t low = integer(partition, "lo_offset", -1), high = integer(partition, "hi_offset", -1);
        int64_t position = integer(partition, "app_offset", -1);
        if (position < 0) /* nothing delivered yet: where fetching stands */
            position = integer(partition, "next_offset", -1);
        int64_t committed = integer(partition, "committed_offset", -1);
        int64_t lag = integer(partition, "consumer_lag", -1);
        figures->kind = (int8_t)kind;
        figures->partition = (int32_t)number;
        figures->low = low < 0 ? -1 : low; /* librdkafka's -1001 is "unknown" */
        figures->high = high < 0 ? -1 : high;
        figures->position = position < 0 ? -1 : position;
        figures->committed = committed < 0 ? -1 : committed;
        figures->lag = lag < 0 ? -1 : lag;
        figures->leader = (int32_t)integer(partition, "leader", -1);
    }
}

int statistics_parse(const char *json, size_t length, const char *prefix, struct statistics *statistics,
                     struct err *err)
{
    memset(statistics, 0, sizeof *statistics);
    json_error_t problem;
    json_t *root = json_loadb(json, length, JSON_DISABLE_EOF_CHECK, &problem);
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(err, ERR_CORRUPT, "librdkafka's statistics cannot be read: %s", problem.text);
    }
    statistics->time_us = integer(root, "ts", 0);
    statistics->queue_messages = integer(root, "msg_cnt", 0);
    statistics->queue_bytes = integer(root, "msg_size", 0);
    statistics->queue_limit = integer(root, "msg_size_max", 0);
    statistics->sent_messages = integer(root, "txmsgs", 0);
    statistics->sent_bytes = integer(root, "txmsg_bytes", 0);
    statistics->received_messages = integer(root, "rxmsgs", 0);
    statistics->received_bytes = integer(root, "rxmsg_bytes", 0);

    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(root, "brokers"), key, value) read_broker(key, value, statistics);
    json_object_foreach(json_object_get(root, "topics"), key, value)
        read_topic(key, value, prefix, statistics);
    qsort(statistics->brokers, statistics->broker_count, sizeof *statistics->brokers, by_id);
    qsort(statistics->partitions, statistics->partition_count, sizeof *statistics->partitions,
          by_kind_and_partition);

    const json_t *group = json_object_get(root, "cgrp");
    const char *state = string(group, "join_state");
    text_sanitise(statistics->member_state, sizeof statistics->member_state, state, strlen(state));
    statistics->rebalances = (uint64_t)integer(group, "rebalance_cnt", 0);
    json_decref(root);
    return 0;
}
