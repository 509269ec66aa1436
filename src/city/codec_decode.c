/*
 * Decoding walks the object once. The next field is guessed to be one of the next rows of the table, which is
 * true of every record our own encoder wrote; else the name is looked up, first as it is, then as somebody
 * may have meant it (device_id, Speed, longtitude). Each value is read by the type of its row
 * (codec_value.c). What is wrong with one value never costs more than that value; only text that is not JSON,
 * or a record without device or time, is rejected.
 */
#include "base/text.h"
#include "city/codec_value.h"
#include "city/record.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool reject(struct codec_report *report, const char *reason)
{
    text_sanitise(report->reason, sizeof report->reason, reason, strlen(reason));
    return false;
}

/* ---- names -------------------------------------------------------------------------------------------- */

/* What producers in the wild have written. Case and underscores are dealt with by same_name. */
static const struct {
    int kind; /* -1: any */
    const char *given, *meant;
} aliases[] = {
    {-1, "locatoin", "location"},
    {EVENT_VEHICLE, "mode", "model"},
    {EVENT_GPS, "vechicleType", "vehicleType"},
    {EVENT_VEHICLE, "vechicleType", "vehicleType"},
    {EVENT_WEATHER, "humidty", "humidity"},
};

/* Equal but for case and '_', '-'. */
static bool same_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a == '_' || *a == '-')
            a++;
        while (*b == '_' || *b == '-')
            b++;
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        char y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
        if (x != y)
            return false;
        if (!x)
            return true;
    }
}

static int find_meant(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->field_count; i++)
        if (same_name(schema->fields[i].name, name))
            return (int)i;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if ((aliases[i].kind < 0 || aliases[i].kind == (int)schema->kind) &&
            same_name(aliases[i].given, name))
            return schema_field_index(schema, aliases[i].meant);
    return -1;
}

/* A member whose name is not in the table. */
static void read_stranger(struct decoder *decoder, const struct scan_string *key)
{
    char name[32];
    bool cut;
    scan_string_copy(key, name, sizeof name, &cut);
    int field = cut ? -1 : find_meant(decoder->schema, name);
    if (field >= 0 && !(decoder->own >> field & 1)) {
        codec_note_coerced(decoder, field);
        codec_read_field(decoder, field);
        return;
    }
    int byte = scan_peek(&decoder->scan);
    int location = schema_field_index_n(decoder->schema, "location", 8);
    unsigned part = codec_is_one_of(name, codec_latitude_names)    ? 1
                    : codec_is_one_of(name, codec_longitude_names) ? 2
                                                                   : 0;
    if (part && location >= 0 && (byte == '-' || byte == '"' || isdigit(byte))) {
        double *out = part == 1 ? &decoder->loose.latitude : &decoder->loose.longitude;
        if (codec_read_double(decoder, location, out))
            decoder->loose_seen |= part;
        return;
    }
    struct codec_report *report = decoder->report;
    if (report->unknown++ == 0)
        memcpy(report->first_unknown, name, sizeof name);
    scan_skip(&decoder->scan);
}

/* memcmp of a length that the compiler does not know is a call; these are short and mostly equal. Length 4 at
 * least. */
static inline bool same_bytes(const char *a, const char *b, size_t length)
{
    uint64_t x, y;
    if (length < 8) {
        uint32_t v, w;
        memcpy(&v, a, 4), memcpy(&w, b, 4);
        x = v ^ w;
        memcpy(&v, a + length - 4, 4), memcpy(&w, b + length - 4, 4);
        return (x | (v ^ w)) == 0;
    }
    for (size_t at = 0; at + 8 < length; at += 8) {
        memcpy(&x, a + at, 8), memcpy(&y, b + at, 8);
        if (x != y)
            return false;
    }
    memcpy(&x, a + length - 8, 8), memcpy(&y, b + length - 8, 8);
    return x == y;
}

/* The row of the member at scan.at, whose key and colon are consumed; -1 for a stranger. */
static int read_key(struct decoder *decoder, int expected, struct scan_string *key)
{
    struct scan *scan = &decoder->scan;
    const struct schema *schema = decoder->schema;
    size_t left = (size_t)(scan->end - scan->at);
    for (int i = expected; i < (int)schema->field_count && i < expected + 3; i++) {
        const struct field *row = &schema->fields[i];
        if (row->prefix_length <= left && same_bytes(scan->at, row->prefix, row->prefix_length)) {
            scan->at += row->prefix_length;
            return i;
        }
    }
    if (!scan_key(scan, key))
        return -1;
    return key->plain ? schema_field_index_n(schema, key->text, key->length) : -1;
}

/* ---- records ------------------------------------------------------------------------------------------ */

static bool reject_text(const struct decoder *decoder)
{
    char reason[160];
    snprintf(reason, sizeof reason, "not JSON: byte %zu: %s", decoder->scan.problem_at,
             decoder->scan.problem);
    return reject(decoder->report, reason);
}

/* Who reports: its own name, or the name of the thing it reports of, or the record's key. */
static bool find_device(struct decoder *decoder, const char *key, size_t key_length)
{
    struct event *event = decoder->event;
    if (event_has(event, FIELD_DEVICE_ID) && event->device_id[0])
        return true;
    const char *name = "";
    if (event->kind == EVENT_TRAFFIC && event_has(event, TRAFFIC_CAMERA_ID))
        name = event->traffic.camera_id;
    else if (event->kind == EVENT_WEATHER && event_has(event, WEATHER_STATION_ID))
        name = event->weather.station_id;
    else if (event->kind == EVENT_EMERGENCY && event_has(event, EMERGENCY_INCIDENT_ID))
        name = event->emergency.incident_id;
    if (name[0])
        text_copy(event->device_id, sizeof event->device_id, name);
    else if (!key || text_sanitise(event->device_id, sizeof event->device_id, key, key_length) == 0)
        return false;
    event_set(event, FIELD_DEVICE_ID);
    codec_note_coerced(decoder, FIELD_DEVICE_ID);
    return true;
}

static bool check_required(struct decoder *decoder, const char *key, size_t key_length)
{
    struct codec_report *report = decoder->report;
    if (!event_has(decoder->event, FIELD_TIMESTAMP)) {
        if (!decoder->time_text[0])
            return reject(report,
                          "no \"timestamp\": give the time of the event, as 2026-01-12T08:14:32.000Z");
        char reason[160];
        snprintf(reason, sizeof reason,
                 "\"timestamp\" is %s, which is no time: write 2026-01-12T08:14:32.000Z", decoder->time_text);
        return reject(report, reason);
    }
    if (!find_device(decoder, key, key_length))
        return reject(report, "no \"deviceId\" and no key: nothing says which device this is");
    return true;
}

/* "latitude" and "longitude" beside the other fields. */
static void take_loose(struct decoder *decoder)
{
    int location = schema_field_index(decoder->schema, "location");
    if (event_has(decoder->event, location) || !codec_in_range(&decoder->loose))
        return;
    memcpy(event_field(decoder->event, &decoder->schema->fields[location]), &decoder->loose,
           sizeof decoder->loose);
    event_set(decoder->event, location);
    codec_note_coerced(decoder, location);
}

static bool decode(enum event_kind kind, const char *text, size_t length, const char *key, size_t key_length,
                   struct event *event, struct codec_report *report)
{
    struct decoder decoder = {.schema = schema_get(kind), .event = event, .report = report};
    memset(event, 0, sizeof *event);
    event->kind = kind;
    memset(report, 0, sizeof *report);
    if (!text)
        return reject(report, "a tombstone: no value");
    if (length > CODEC_MAX_RECORD) {
        char reason[96];
        snprintf(reason, sizeof reason, "too large: %zu bytes, the limit is %u", length, CODEC_MAX_RECORD);
        return reject(report, reason);
    }
    struct scan *scan = &decoder.scan;
    scan_open(scan, text, length, CODEC_MAX_DEPTH);
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        scan->at += 3; /* a byte order mark */
    int byte = scan_peek(scan);
    if (byte == 0 && scan->at == scan->end)
        return reject(report, "empty");
    if (byte != '{') {
        if (scan_skip(scan) && scan_close(scan))
            return reject(report, "JSON, but no object: a record is {\"deviceId\":…,\"timestamp\":…,…}");
        return reject_text(&decoder);
    }

    scan_begin(scan, '{');
    int expected = 0;
    for (bool first = true; scan_next_member(scan, &first);) {
        struct scan_string name;
        int field = read_key(&decoder, expected, &name);
        if (scan->problem)
            break;
        if (field >= 0) {
            decoder.own |= UINT64_C(1) << field;
            codec_read_field(&decoder, field);
            expected = field + 1;
        } else {
            read_stranger(&decoder, &name);
        }
    }
    if (!scan_close(scan))
        return reject_text(&decoder);

    if (decoder.loose_seen == 3)
        take_loose(&decoder);
    if (!check_required(&decoder, key, key_length))
        return false;
    uint64_t all = (UINT64_C(1) << decoder.schema->field_count) - 1;
    report->missing = (uint32_t)__builtin_popcountll(all & ~event->present & ~report->unfit_fields);
    return true;
}

bool codec_decode(enum event_kind kind, const char *text, size_t length, struct event *event,
                  struct codec_report *report)
{
    return decode(kind, text, length, NULL, 0, event, report);
}

bool codec_decode_record(const struct record *record, struct event *event, struct codec_report *report)
{
    return decode((enum event_kind)record->kind, record->value, record->value_length, record->key,
                  record->key_length, event, report);
}

/* ---- blobs -------------------------------------------------------------------------------------------- */

size_t codec_blob_max(const struct event_blob *blob)
{
    return blob->length;
}

long codec_blob_bytes(const struct event_blob *blob, void *out, size_t size)
{
    if (size < blob->length)
        return -1;
    if (!memchr(blob->data, '\\', blob->length))
        return text_base64_decode(out, blob->data, blob->length);
    /* Some encoders write \/ for the slash. Decoding in place is safe: it writes three bytes for four read.
     */
    char *text = out;
    size_t length = 0;
    for (size_t i = 0; i < blob->length; i++)
        if (blob->data[i] != '\\')
            text[length++] = blob->data[i];
    return text_base64_decode(out, text, length);
}
