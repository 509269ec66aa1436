#include "stream/topics.h"

#include <stdio.h>
#include <string.h>

static int wanted_partitions(const struct kafka_settings *settings, enum event_kind kind)
{
    return settings->partitions[kind] > 0 ? settings->partitions[kind] : kafka_default_partitions(kind);
}

/* What an operator with the rights would type for the first missing topic. */
static int refuse(const struct client *client, const struct kafka_settings *settings, enum event_kind kind,
                  int missing, enum err_kind error, const char *reason, struct err *err)
{
    char topic[KAFKA_TOPIC_SIZE], others[40] = "";
    kafka_topic(settings, kind, topic);
    if (missing > 1)
        snprintf(others, sizeof others, " and %d more", missing - 1);
    return err_set(
        err, error,
        "no topic %s%s%s%s: kafka-topics --bootstrap-server %s --create --topic %s --partitions %d", topic,
        others, *reason ? ", " : "", reason, client_address(client), topic,
        wanted_partitions(settings, kind));
}

static int create(struct client *client, const struct kafka_settings *settings,
                  const bool present[EVENT_KIND_COUNT], int missing, int timeout_ms, struct err *err)
{
    rd_kafka_t *rk = client_handle(client);
    rd_kafka_NewTopic_t *topics[EVENT_KIND_COUNT];
    enum event_kind kinds[EVENT_KIND_COUNT];
    size_t count = 0;
    char reason[200], name[KAFKA_TOPIC_SIZE];
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        if (present[kind])
            continue;
        topics[count] = rd_kafka_NewTopic_new(
            kafka_topic(settings, kind, name), wanted_partitions(settings, kind),
            settings->replication > 0 ? settings->replication : -1, reason, sizeof reason);
        if (!topics[count]) {
            rd_kafka_NewTopic_destroy_array(topics, count);
            return err_set(err, ERR_CONFIG, "topic %s cannot be made: %s", name, reason);
        }
        kinds[count++] = (enum event_kind)kind;
    }
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, NULL, 0);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, topics, count, options, queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy_array(topics, count);

    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + 500);
    int result = -1;
    if (!event)
        err_set(err, ERR_CONNECT, "%s has not answered the request for topics", client_address(client));
    else if (rd_kafka_event_error(event)) {
        result = refuse(client, settings, kinds[0], missing, ERR_NOT_FOUND,
                        rd_kafka_event_error_string(event), err);
    } else {
        const rd_kafka_CreateTopics_result_t *answer = rd_kafka_event_CreateTopics_result(event);
        size_t answers = 0;
        const rd_kafka_topic_result_t **each = rd_kafka_CreateTopics_result_topics(answer, &answers);
        result = 0;
        for (size_t i = 0; i < answers && i < count && result == 0; i++) {
            rd_kafka_resp_err_t code = rd_kafka_topic_result_error(each[i]);
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
                continue;
            bool forbidden = code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                             code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
            result = refuse(client, settings, kinds[i], missing, forbidden ? ERR_AUTH : ERR_NOT_FOUND,
                            rd_kafka_err2str(code), err);
        }
        if (result == 0) {
            if (client_log(client))
                log_write(client_log(client), LOG_INFO, "kafka", "made %zu topics on %s", count,
                          client_address(client));
            result = err_set(err, ERR_BUSY, "topics were made and are about to get their leaders");
        }
    }
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return result;
}

int topics_ensure(struct client *client, const struct kafka_settings *settings, int timeout_ms,
                  struct err *err)
{
    /* The list of all topics: asking for one by name would make the broker create it in its own way. */
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(client_handle(client), 1, NULL, &metadata, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, ERR_CONNECT, "%s: %s", client_address(client), rd_kafka_err2str(code));
    bool present[EVENT_KIND_COUNT] = {false}, leaders = true;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        int kind = kafka_kind(client_prefix(client), topic->topic);
        if (kind < 0 || topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            continue;
        present[kind] = true;
        for (int j = 0; j < topic->partition_cnt; j++)
            if (topic->partitions[j].leader < 0)
                leaders = false;
    }
    rd_kafka_metadata_destroy(metadata);
    int missing = 0, first = -1;
    for (int kind = EVENT_KIND_COUNT - 1; kind >= 0; kind--)
        if (!present[kind]) {
            missing++;
            first = kind;
        }
    if (missing && !settings->topics_as_they_are)
        return create(client, settings, present, missing, timeout_ms, err);
    if (missing)
        return refuse(client, settings, (enum event_kind)first, missing, ERR_NOT_FOUND, "", err);
    if (!leaders)
        return err_set(err, ERR_BUSY, "a partition has no leader at the moment");
    return 0;
}
