/*
 * JSON codec, driven by the field tables. Encoding writes one compact object in table order, absent fields
 * left out. Decoding is liberal: unknown fields are counted (their bytes stay in the record), a missing one
 * is null, a wrong type is coerced where it is certain ("2023" for a year, [lat, lon] for a location, 1/0 and
 * "true" for a bool, epoch ms or s for a time, "device_id" or "longtitude" for the name that was meant) and
 * counted. What cannot be read is rejected with a reason for the quarantine. Texts come out harmless for a
 * terminal (text_sanitise); the record keeps the bytes as they were. No allocation; any thread.
 */
#ifndef SMARTCITY_CITY_CODEC_H
#define SMARTCITY_CITY_CODEC_H

#include "base/buf.h"
#include "city/schema.h"

#define CODEC_MAX_RECORD (4u << 20) /* bytes; a larger one is quarantined */
#define CODEC_MAX_DEPTH  32

/* Appends the event. False only when the buffer is full: then nothing was appended. A double that is not
 * finite is left out like an absent field. */
bool codec_encode(const struct event *event, struct buf *out);

struct codec_report {
    uint32_t unknown; /* fields the table does not have */
    uint32_t missing; /* nullable fields absent or null */
    uint32_t coerced; /* fields in another form, understood: type, misspelt name, text cut to fit */
    uint32_t unfit;   /* values of another type or out of range, taken as null */
    uint32_t foreign; /* words outside the closed vocabulary of their field, kept */
    uint64_t coerced_fields, unfit_fields, foreign_fields; /* bit sets by field index */
    char first_unknown[32];                                /* sanitised */
    char reason[160];                                      /* why it was rejected; sanitised, one line */
};

/* True and *event filled, or false and report->reason. Blobs point into `text`. A record must say who reports
 * (deviceId, else cameraId, stationId or incidentId) and when (timestamp). */
bool codec_decode(enum event_kind kind, const char *text, size_t length, struct event *event,
                  struct codec_report *report);

/* The same for a record of one of our topics (record->kind >= 0), whose Kafka key stands in for a missing
 * deviceId. */
struct record;
bool codec_decode_record(const struct record *record, struct event *event, struct codec_report *report);

/* A decoded blob's bytes; -1 when it is not Base64 or larger than `size`. */
long codec_blob_bytes(const struct event_blob *blob, void *out, size_t size);
size_t codec_blob_max(const struct event_blob *blob); /* enough for the bytes */

#endif
