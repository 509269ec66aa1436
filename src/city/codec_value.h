/* Inside of the decoder: values by the type of their row. Used by codec_decode.c alone. */
#ifndef SMARTCITY_CITY_CODEC_VALUE_H
#define SMARTCITY_CITY_CODEC_VALUE_H

#include "city/codec.h"
#include "city/scan.h"

struct decoder {
    struct scan scan;
    const struct schema *schema;
    struct event *event;
    struct codec_report *report;
    uint64_t own; /* fields that came under their own name: an alias does not replace them */
    struct event_location loose;
    unsigned loose_seen; /* 1 latitude, 2 longitude: given beside, not inside, a location */
    bool saw_time;
    char time_text[40];
};

void codec_note_coerced(struct decoder *decoder, int field);

/* Reads the value at scan.at into the event's field, sets or clears its bit and counts. On a fault of the
 * text scan.problem is set. */
void codec_read_field(struct decoder *decoder, int field);
/* The same into *out, counted under `field`; true when it was set. */
bool codec_read_double(struct decoder *decoder, int field, double *out);

extern const char *const codec_latitude_names[], *const codec_longitude_names[];
bool codec_is_one_of(const char *name, const char *const *names);
bool codec_in_range(const struct event_location *location);

#endif
