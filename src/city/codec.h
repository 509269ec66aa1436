/*
 * JSON codec, driven by the field tables. Encoding writes one compact object in table order, absent fields
 * left out. Decoding is liberal: unknown fields are counted (their bytes stay in the record), a missing one
 * is null, a wrong type is coerced where it is certain ("2023" for a year, [lat, lon] for a location, 1/0 and
 * "true" for a bool, epoch ms or s for a time) and counted. What cannot be read is rejected with a reason for
 * the quarantine. No allocation; any thread.
 */
#ifndef SMARTCITY_CITY_CODEC_H
#define SMARTCITY_CITY_CODEC_H

#include "base/buf.h"
#include "city/schema.h"

#define CODEC_MAX_RECORD (4u << 20) /* bytes; a larger one is quarantined */
#define CODEC_MAX_DEPTH  32

/* False only when the buffer is full. */
bool codec_encode(const struct event *event, struct buf *out);

struct codec_report {
    uint32_t unknown;                      /* fields the table does not have */
    uint32_t missing;                      /* nullable fields absent or null */
    uint32_t coerced;                      /* values of another type, understood */
    uint32_t unfit;                        /* values of another type or out of range, taken as null */
    uint64_t coerced_fields, unfit_fields; /* bit sets by field index */
    char first_unknown[32];                /* sanitised */
    char reason[160];                      /* why it was rejected; sanitised, one line */
};

/* True and *event filled, or false and report->reason. Blobs point into `text`. */
bool codec_decode(enum event_kind kind, const char *text, size_t length, struct event *event,
                  struct codec_report *report);

#endif
