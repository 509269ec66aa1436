/*
 * One field table per event kind: the only place where the columns of a topic are written. It drives the JSON codec,
 * SQLite columns and, later, Parquet, Glue, Athena and Redshift. Adding a field is one row (and one struct member).
 */
#ifndef SMARTCITY_CITY_SCHEMA_H
#define SMARTCITY_CITY_SCHEMA_H

#include "city/event.h"

#define SCHEMA_VERSION 1

enum field_type {
    FIELD_TEXT,     /* char[size] */
    FIELD_INT,      /* int32_t */
    FIELD_DOUBLE,   /* double, `decimals` places in JSON */
    FIELD_BOOL,     /* bool */
    FIELD_TIME,     /* int64_t ms; RFC 3339 in JSON */
    FIELD_LOCATION, /* struct event_location; {"latitude","longitude"} in JSON */
    FIELD_BLOB,     /* struct event_blob; Base64 in JSON */
    FIELD_COUNTS,   /* struct event_counts; {"car":3,…} in JSON */
    FIELD_LIST      /* struct event_list; ["police",…] in JSON */
};

struct field {
    const char *name; /* in JSON and as column, as "airQualityIndex" */
    enum field_type type;
    uint16_t offset;  /* in struct event */
    uint16_t size;    /* of a text */
    uint8_t decimals;
    bool required;    /* a record without it goes to quarantine */
    const char *unit; /* "km/h" or "" */
    const char *meaning;
    const char *words; /* closed vocabulary, "|"-separated, or NULL; another word is kept and counted */
};

struct schema {
    enum event_kind kind;
    const struct field *fields;
    size_t field_count; /* at most 64 */
};

const struct schema *schema_get(enum event_kind kind);
/* Index in the table or -1. */
int schema_field_index(const struct schema *schema, const char *name);
int schema_field_index_n(const struct schema *schema, const char *name, size_t length);

static inline bool event_has(const struct event *event, int field)
{
    return field >= 0 && (event->present >> field & 1) != 0;
}
static inline void *event_field(struct event *event, const struct field *field)
{
    return (char *)event + field->offset;
}

#endif
