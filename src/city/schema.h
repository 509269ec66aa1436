/*
 * One field table per event kind: the only place where the columns of a topic are written. It drives the JSON
 * codec, SQLite columns and, later, Parquet, Glue, Athena and Redshift. Adding a field is one row in
 * city/fields.h (and one struct member).
 */
#ifndef SMARTCITY_CITY_SCHEMA_H
#define SMARTCITY_CITY_SCHEMA_H

#include "city/event.h"
#include "city/fields.h"

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

/* Indexes into the tables, and bits of event.present: VEHICLE_SPEED, GPS_FIX, … The first three are the same
 * in every kind. */
enum field_common { FIELD_ID, FIELD_DEVICE_ID, FIELD_TIMESTAMP };
#define SCHEMA_ENUM(name, ...) name,
enum field_vehicle { FIELDS_VEHICLE(SCHEMA_ENUM) VEHICLE_FIELDS };
enum field_gps { FIELDS_GPS(SCHEMA_ENUM) GPS_FIELDS };
enum field_traffic { FIELDS_TRAFFIC(SCHEMA_ENUM) TRAFFIC_FIELDS };
enum field_weather { FIELDS_WEATHER(SCHEMA_ENUM) WEATHER_FIELDS };
enum field_emergency { FIELDS_EMERGENCY(SCHEMA_ENUM) EMERGENCY_FIELDS };
#undef SCHEMA_ENUM

struct field {
    const char *name; /* in JSON and as column, as "airQualityIndex" */
    enum field_type type;
    uint16_t offset; /* in struct event */
    uint16_t size;   /* of the member; of a text including its NUL */
    uint8_t decimals;
    bool required;    /* a record without it goes to quarantine */
    const char *unit; /* "km/h" or "" */
    const char *meaning;
    const char *words; /* closed vocabulary, "|"-separated, or NULL; another word is kept and counted */
    uint8_t name_length;
    uint8_t prefix_length;
    const char *prefix; /* "\"speed\":", for the codec */
};

struct schema {
    enum event_kind kind;
    const struct field *fields;
    size_t field_count; /* at most 63 */
};

const struct schema *schema_get(enum event_kind kind);
/* Index in the table or -1. */
int schema_field_index(const struct schema *schema, const char *name);
int schema_field_index_n(const struct schema *schema, const char *name, size_t length);
/* "text", "int", "double", "bool", "time", "location", "blob", "counts", "list". */
const char *schema_type_name(enum field_type type);
/* The vocabulary's own spelling of `word`, by exact or else case-insensitive match; NULL when it is not
 * there. Not NUL-terminated: *length bytes. */
const char *schema_find_word(const struct field *field, const char *word, size_t *length);

static inline bool event_has(const struct event *event, int field)
{
    return field >= 0 && (event->present >> field & 1) != 0;
}
static inline void event_set(struct event *event, int field)
{
    event->present |= UINT64_C(1) << field;
}
static inline void *event_field(struct event *event, const struct field *field)
{
    return (char *)event + field->offset;
}
static inline const void *event_field_const(const struct event *event, const struct field *field)
{
    return (const char *)event + field->offset;
}

#endif
