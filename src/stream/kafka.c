#include "stream/client.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int kafka_default_partitions(enum event_kind kind)
{
    return kind == EVENT_VEHICLE || kind == EVENT_GPS ? 6 : 3;
}

char *kafka_topic(const struct kafka_settings *settings, enum event_kind kind, char out[KAFKA_TOPIC_SIZE])
{
    const char *prefix = settings->topic_prefix && !settings->embedded ? settings->topic_prefix : "";
    snprintf(out, KAFKA_TOPIC_SIZE, "%s%s", prefix, event_topic(kind));
    return out;
}

int kafka_kind(const char *prefix, const char *topic)
{
    size_t length = prefix ? strlen(prefix) : 0;
    if (length && strncmp(topic, prefix, length) != 0)
        return -1;
    return event_kind_from_topic(topic + length);
}

bool kafka_property_is_secret(const char *name)
{
    static const char *const words[] = {"password",           "secret",    "key.pem", "certificate.pem",
                                        "oauthbearer.config", "sasl.jaas", "token"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (text_find_fold(name, words[i]))
            return true;
    return false;
}

/* The name in librdkafka's list that is nearest to what was written; "" when none is near. */
static void nearest_property(const char *name, char *out, size_t size)
{
    size_t count;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_conf_t *topic = rd_kafka_topic_conf_new();
    const char **names[2];
    size_t counts[2];
    names[0] = rd_kafka_conf_dump(conf, &count);
    counts[0] = count;
    names[1] = rd_kafka_topic_conf_dump(topic, &count);
    counts[1] = count;
    int best = 5;
    *out = '\0';
    for (int list = 0; list < 2; list++)
        for (size_t i = 0; i + 1 < counts[list]; i += 2) {
            int distance = text_distance(name, names[list][i], best);
            if (distance < best) {
                best = distance;
                snprintf(out, size, "%s", names[list][i]);
            }
        }
    rd_kafka_conf_dump_free(names[0], counts[0]);
    rd_kafka_conf_dump_free(names[1], counts[1]);
    rd_kafka_topic_conf_destroy(topic);
    rd_kafka_conf_destroy(conf);
}

int kafka_property_set(rd_kafka_conf_t *conf, const char *property, struct err *err)
{
    const char *equals = strchr(property, '=');
    size_t length = equals ? (size_t)(equals - property) : 0;
    char name[128];
    if (length == 0 || length >= sizeof name) {
        /* What stands before a missing "=" may be a value gone astray; it is not repeated. */
        return err_set(err, ERR_CONFIG, "a Kafka property is written KEY=VALUE, as socket.timeout.ms=10000");
    }
    memcpy(name, property, length);
    name[length] = '\0';
    char reason[300], shown[128];
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, equals + 1, reason, sizeof reason);
    if (result == RD_KAFKA_CONF_OK)
        return 0;
    text_sanitise(shown, sizeof shown, name, length);
    if (result == RD_KAFKA_CONF_UNKNOWN) {
        char near[128];
        nearest_property(name, near, sizeof near);
        return err_set(err, ERR_CONFIG, "no Kafka property is called \"%s\"%s%s%s", shown,
                       *near ? "; did you mean " : "", near, *near ? "?" : "");
    }
    if (kafka_property_is_secret(name))
        return err_set(err, ERR_CONFIG, "the value of %s is not accepted (it is not shown here)", shown);
    char clean[300];
    text_sanitise(clean, sizeof clean, reason, strlen(reason));
    return err_set(err, ERR_CONFIG, "%s: %s", shown, clean);
}

bool kafka_property_given(const struct kafka_settings *settings, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < settings->property_count; i++)
        if (!strncmp(settings->properties[i], name, length) && settings->properties[i][length] == '=')
            return true;
    return false;
}

int kafka_property_check(const char *property, struct err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int result = kafka_property_set(conf, property, err);
    rd_kafka_conf_destroy(conf);
    return result;
}
