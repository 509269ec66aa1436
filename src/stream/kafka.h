/*
 * What producer and consumer share: how a client is configured, and what is known of the connection.
 *
 * Any librdkafka property passes through: `properties` are "key=value" in the order of precedence (later
 * wins), from the configuration file and from -X. They win over ours. Secrets among them are never logged.
 */
#ifndef SMARTCITY_STREAM_KAFKA_H
#define SMARTCITY_STREAM_KAFKA_H

#include "base/err.h"
#include "base/log.h"
#include "city/event.h"

struct kafka_settings {
    const char *bootstrap;         /* host:port[,host:port…] */
    const char *const *properties; /* "key=value" */
    size_t property_count;
    const char *topic_prefix;         /* NULL, "" or put before each topic name; not used when embedded */
    bool embedded;                    /* the broker is ours: small fetches, no auto-create surprises */
    bool topics_as_they_are;          /* external: the producer must not make those that are missing */
    int partitions[EVENT_KIND_COUNT]; /* of topics that are made; 0: kafka_default_partitions() */
    int replication;                  /* of topics that are made; 0: the cluster's default */
    struct log *log;                  /* NULL: nothing is logged, and nothing goes to stderr either */
};

enum kafka_state { KAFKA_CONNECTING, KAFKA_UP, KAFKA_DOWN };

/* The figures of one client, from librdkafka's statistics (once a second) and its error callbacks. Wall µs.
 */
#define KAFKA_BROKERS    16
#define KAFKA_PARTITIONS 128
struct kafka_broker_figures {
    char name[64]; /* host:port */
    int32_t id;
    bool up;
    double rtt_p50_ms, rtt_p99_ms;
    int64_t out_queue;
};
struct kafka_partition_figures {
    int8_t kind; /* enum event_kind */
    int32_t partition;
    int64_t low, high; /* watermarks; -1 unknown */
    int64_t position;  /* next offset the consumer reads; -1 */
    int64_t committed; /* -1 */
    int64_t lag;       /* high - position; -1 unknown */
    int32_t leader;
};
struct kafka_figures {
    enum kafka_state state;
    int64_t state_since_us;
    bool was_up;      /* at some time since it was created */
    char detail[200]; /* why it is down, with the cure; "" */
    char group[64], member_state[24];
    uint64_t rebalances;
    int64_t queue_messages, queue_bytes, queue_limit; /* producer: waiting for acknowledgement */
    double messages_per_s, bytes_per_s;
    double latency_p50_ms, latency_p95_ms, latency_p99_ms; /* producer: internal queue + round trip */
    size_t broker_count;
    struct kafka_broker_figures brokers[KAFKA_BROKERS];
    size_t partition_count;
    struct kafka_partition_figures partitions[KAFKA_PARTITIONS];
    uint64_t statistics_count;
};

/* 6 for vehicle_data and gps_data, 3 for the others. */
int kafka_default_partitions(enum event_kind kind);

#define KAFKA_TOPIC_SIZE 250 /* Kafka allows 249 characters */
/* The topic of a kind with the settings' prefix. */
char *kafka_topic(const struct kafka_settings *settings, enum event_kind kind, char out[KAFKA_TOPIC_SIZE]);
/* enum event_kind of a topic that carries `prefix` (NULL: none), or -1. */
int kafka_kind(const char *prefix, const char *topic);

/* True for properties whose value must never be shown: passwords, secrets, keys and their configuration
 * strings. */
bool kafka_property_is_secret(const char *name);
/* Checks "key=value" against librdkafka without a connection, for the command line and the configuration
 * file. ERR_CONFIG with librdkafka's reason and, for an unknown name, the nearest one. */
int kafka_property_check(const char *property, struct err *err);

#endif
