/*
 * A Kafka record as bytes: what was delivered, or is to be sent. Pointers are borrowed from the batch (or the
 * Kafka message) that holds it. Record batches carry copies between threads.
 */
#ifndef SMARTCITY_CITY_RECORD_H
#define SMARTCITY_CITY_RECORD_H

#include "city/event.h"

struct record {
    int kind; /* enum event_kind, or -1: a topic that is not ours */
    int32_t partition;
    int64_t offset;     /* -1 when not from Kafka */
    int64_t timestamp;  /* Kafka's record timestamp, ms; 0 when absent */
    int64_t arrived_us; /* wall clock at consumption */
    const char *key;    /* NULL: none */
    size_t key_length;
    const char *value; /* NULL: tombstone */
    size_t value_length;
    const uint8_t *headers; /* encoded by record_headers_put */
    size_t headers_length;
};

/* Headers as bytes: u16 name length, name, u32 value length (0xffffffff: null), value; little-endian. */
struct buf;
bool record_headers_put(struct buf *headers, const char *name, const void *value, size_t length);
struct record_header {
    const char *name;
    size_t name_length;
    const char *value; /* NULL: null */
    size_t value_length;
};
/* Walks from *position (start at 0); false at the end or at damage. */
bool record_headers_next(const struct record *record, size_t *position, struct record_header *header);
bool record_header_find(const struct record *record, const char *name, struct record_header *header);

/* Our own headers. */
#define RECORD_HEADER_PRODUCED "produced-at"             /* decimal wall microseconds */
#define RECORD_HEADER_TRACE    "traceparent"             /* W3C trace context */
#define RECORD_HEADER_SCHEMA   "schema-version"          /* decimal */
int64_t record_produced_us(const struct record *record); /* -1 when absent or unreadable */

/* A bounded arena of records that travels through queues by reference count. Filled by one thread, then
 * immutable. */
struct record_batch {
    size_t count;
    struct record *records;
    size_t bytes; /* payload held */
    /* private */
    size_t capacity, arena_size;
    char *arena;
    int references;
};
struct record_batch *record_batch_create(size_t records, size_t bytes);
/* Copies the record in; false when it does not fit (send the batch on, start a new one; a record that is
 * larger than an empty batch gets an arena of its own size). */
bool record_batch_add(struct record_batch *batch, const struct record *record);
struct record_batch *record_batch_retain(struct record_batch *batch);
void record_batch_release(struct record_batch *batch);

#endif
