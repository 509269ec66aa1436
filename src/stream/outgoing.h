/*
 * One record on its way to librdkafka, with its headers: ours are produce time, W3C traceparent and schema
 * version. Internal to src/stream; the sender's thread.
 */
#ifndef SMARTCITY_STREAM_OUTGOING_H
#define SMARTCITY_STREAM_OUTGOING_H

#include "city/record.h"

#include <librdkafka/rdkafka.h>

struct outgoing {
    enum event_kind kind;
    int32_t partition; /* asked for; -1: by key */
    const void *key, *value;
    size_t key_length, value_length;
    rd_kafka_headers_t *headers; /* NULL until there are some; librdkafka's once it was handed over */
};

/* Keeps the record's headers but for ours, at most 64 of them. */
void outgoing_take_headers(struct outgoing *outgoing, const struct record *record);
/* When it was not handed over. */
void outgoing_drop_headers(struct outgoing *outgoing);

/* Where trace ids come from: need to be unlike each other on all machines, not secret. */
struct trace_source {
    uint64_t state[2];
};
void trace_source_init(struct trace_source *trace);
#define TRACE_LENGTH 55
/* "00-<trace id>-<parent id>-01" (W3C Trace Context level 1), no NUL. */
void trace_make(struct trace_source *trace, char out[TRACE_LENGTH]);

/* Copies key and value into librdkafka with our headers made anew. Nothing is taken when the answer is an
 * error: try again, or drop the headers. */
rd_kafka_resp_err_t outgoing_hand_over(struct outgoing *outgoing, rd_kafka_t *rk, rd_kafka_topic_t *topic,
                                       int32_t partition, void *opaque, struct trace_source *trace);

#endif
