#include "city/schema.h"

#include <string.h>
#include <strings.h>

#define MEMBER(member) (((struct event *)0)->member)

#define FIELD_TYPE_OF(member)                                                                                \
    _Generic(MEMBER(member),                                                                                 \
        char *: FIELD_TEXT,                                                                                  \
        int32_t: FIELD_INT,                                                                                  \
        double: FIELD_DOUBLE,                                                                                \
        bool: FIELD_BOOL,                                                                                    \
        int64_t: FIELD_TIME,                                                                                 \
        struct event_location: FIELD_LOCATION,                                                               \
        struct event_blob: FIELD_BLOB,                                                                       \
        struct event_counts: FIELD_COUNTS,                                                                   \
        struct event_list: FIELD_LIST)

#define FIELD_ROW(index, text, member, is_required, places, its_unit, its_words, its_meaning)                \
    [index] = {.name = text,                                                                                 \
               .type = FIELD_TYPE_OF(member),                                                                \
               .offset = offsetof(struct event, member),                                                     \
               .size = sizeof MEMBER(member),                                                                \
               .decimals = places,                                                                           \
               .required = is_required,                                                                      \
               .unit = its_unit,                                                                             \
               .meaning = its_meaning,                                                                       \
               .words = its_words,                                                                           \
               .name_length = sizeof(text) - 1,                                                              \
               .prefix_length = sizeof(text) + 2,                                                            \
               .prefix = "\"" text "\":"},

static const struct field vehicle_fields[] = {FIELDS_VEHICLE(FIELD_ROW)};
static const struct field gps_fields[] = {FIELDS_GPS(FIELD_ROW)};
static const struct field traffic_fields[] = {FIELDS_TRAFFIC(FIELD_ROW)};
static const struct field weather_fields[] = {FIELDS_WEATHER(FIELD_ROW)};
static const struct field emergency_fields[] = {FIELDS_EMERGENCY(FIELD_ROW)};

_Static_assert(VEHICLE_FIELDS < 64 && GPS_FIELDS < 64 && TRAFFIC_FIELDS < 64 && WEATHER_FIELDS < 64 &&
                   EMERGENCY_FIELDS < 64,
               "event.present has 64 bits, and sets of them are masks");
_Static_assert((int)VEHICLE_TIMESTAMP == (int)FIELD_TIMESTAMP, "the common rows come first");
_Static_assert(sizeof(struct event) < UINT16_MAX, "offsets are 16 bits");

static const struct schema schemas[EVENT_KIND_COUNT] = {
    [EVENT_VEHICLE] = {EVENT_VEHICLE, vehicle_fields, VEHICLE_FIELDS},
    [EVENT_GPS] = {EVENT_GPS, gps_fields, GPS_FIELDS},
    [EVENT_TRAFFIC] = {EVENT_TRAFFIC, traffic_fields, TRAFFIC_FIELDS},
    [EVENT_WEATHER] = {EVENT_WEATHER, weather_fields, WEATHER_FIELDS},
    [EVENT_EMERGENCY] = {EVENT_EMERGENCY, emergency_fields, EMERGENCY_FIELDS},
};

const struct schema *schema_get(enum event_kind kind)
{
    return &schemas[kind];
}

int schema_field_index_n(const struct schema *schema, const char *name, size_t length)
{
    for (size_t i = 0; i < schema->field_count; i++)
        if (schema->fields[i].name_length == length && memcmp(schema->fields[i].name, name, length) == 0)
            return (int)i;
    return -1;
}

int schema_field_index(const struct schema *schema, const char *name)
{
    return schema_field_index_n(schema, name, strlen(name));
}

const char *schema_type_name(enum field_type type)
{
    static const char *const names[] = {"text",     "int",  "double", "bool", "time",
                                        "location", "blob", "counts", "list"};
    return (size_t)type < sizeof names / sizeof *names ? names[type] : "?";
}

const char *schema_find_word(const struct field *field, const char *word, size_t *length)
{
    if (!field->words || *length == 0)
        return NULL;
    for (const char *at = field->words; *at; at++) { /* words are short: no call is worth its cost */
        const char *start = at;
        size_t same = 0;
        while (same < *length && *at == word[same] && *at != '|')
            at++, same++;
        if (same == *length && (*at == '|' || !*at))
            return start;
        while (*at && *at != '|')
            at++;
        if (!*at)
            break;
    }
    for (const char *at = field->words;;) {
        const char *end = strchrnul(at, '|');
        if ((size_t)(end - at) == *length && strncasecmp(at, word, *length) == 0)
            return at;
        if (!*end)
            return NULL;
        at = end + 1;
    }
}
