#include "city/codec_value.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

static inline bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

static void count_bit(uint32_t *count, uint64_t *set, int field)
{
    uint64_t bit = UINT64_C(1) << field;
    *count += (*set & bit) == 0;
    *set |= bit;
}

void codec_note_coerced(struct decoder *decoder, int field)
{
    count_bit(&decoder->report->coerced, &decoder->report->coerced_fields, field);
}

static bool note_unfit(struct decoder *decoder, int field)
{
    count_bit(&decoder->report->unfit, &decoder->report->unfit_fields, field);
    return false;
}

static void note_foreign(struct decoder *decoder, int field)
{
    count_bit(&decoder->report->foreign, &decoder->report->foreign_fields, field);
}

/* ---- values by type; each returns whether *out was set; on a problem of the text scan.problem is set
 * -------- */

/* Over a value of no use here. */
static bool skip_unfit(struct decoder *decoder, int field)
{
    scan_skip(&decoder->scan);
    return note_unfit(decoder, field);
}

/* Words that producers in the wild use for one of a vocabulary's. */
static const struct {
    const char *given, *meant;
} word_aliases[] = {
    {"Actice", "Active"}, {"Rain", "Rainy"}, {"Snow", "Snowy"}, {"hgv", "lorry"}, {"truck", "lorry"},
};

/* The word in the vocabulary's spelling, where it is certain; else it stays and is counted. `meant` fits: it
 * is in the vocabulary, whose words fit the field. */
static void fit_word(struct decoder *decoder, int field, char *text, size_t length)
{
    const struct field *row = &decoder->schema->fields[field];
    const char *word = schema_find_word(row, text, &length);
    for (size_t i = 0; !word && i < sizeof word_aliases / sizeof *word_aliases; i++) {
        if (!text_equal_fold(text, word_aliases[i].given))
            continue;
        length = strlen(word_aliases[i].meant);
        word = schema_find_word(row, word_aliases[i].meant, &length);
    }
    if (!word) {
        note_foreign(decoder, field);
    } else if (memcmp(word, text, length) != 0) {
        memcpy(text, word, length);
        text[length] = '\0';
        codec_note_coerced(decoder, field);
    }
}

static bool read_text(struct decoder *decoder, int field, char *out, size_t size)
{
    struct scan *scan = &decoder->scan;
    const struct field *row = &decoder->schema->fields[field];
    int byte = scan_peek(scan);
    size_t length;
    if (byte == '-' || is_digit(byte)) { /* 42 for a name */
        struct scan_number number;
        if (!scan_number(scan, &number))
            return false;
        if (number.length >= size)
            return note_unfit(decoder, field);
        codec_note_coerced(decoder, field);
        length = number.length;
        memcpy(out, number.text, length);
        out[length] = '\0';
    } else if (byte == '"') {
        struct scan_string string;
        bool cut;
        if (!scan_string(scan, &string))
            return false;
        length = scan_string_copy(&string, out, size, &cut);
        if (cut)
            codec_note_coerced(decoder, field);
    } else {
        return skip_unfit(decoder, field);
    }
    if (row->words)
        fit_word(decoder, field, out, length);
    return true;
}

/* A number, or a string that holds one. */
static bool read_number(struct decoder *decoder, int field, struct scan_number *number)
{
    struct scan *scan = &decoder->scan;
    int byte = scan_peek(scan);
    if (byte == '-' || is_digit(byte)) {
        if (!scan_number(scan, number))
            return false;
    } else if (byte == '"') {
        struct scan_string string;
        if (!scan_string(scan, &string))
            return false;
        if (!scan_string_number(&string, number))
            return note_unfit(decoder, field);
        codec_note_coerced(decoder, field);
    } else {
        return skip_unfit(decoder, field);
    }
    return isfinite(number->value) || note_unfit(decoder, field);
}

static bool read_int(struct decoder *decoder, int field, int32_t *out)
{
    struct scan_number number;
    double value;
    bool whole;
    struct scan before = decoder->scan;
    if (scan_plain_number(&decoder->scan, &value, &whole)) {
        if (whole && value >= INT32_MIN && value <= INT32_MAX) {
            *out = (int32_t)value;
            return true;
        }
        decoder->scan = before;
    }
    if (!read_number(decoder, field, &number))
        return false;
    if (number.value < INT32_MIN || number.value > INT32_MAX || number.value != floor(number.value))
        return note_unfit(decoder, field);
    if (!number.is_integer) /* 2023.0 */
        codec_note_coerced(decoder, field);
    *out = (int32_t)number.value;
    return true;
}

bool codec_read_double(struct decoder *decoder, int field, double *out)
{
    struct scan_number number;
    double value;
    bool whole;
    if (scan_plain_number(&decoder->scan, &value, &whole)) {
        *out = value + 0.0;
        return true;
    }
    if (!read_number(decoder, field, &number))
        return false;
    *out = number.value + 0.0; /* no -0 */
    return true;
}

static bool read_bool(struct decoder *decoder, int field, bool *out)
{
    struct scan *scan = &decoder->scan;
    struct scan_string string;
    struct scan_number number;
    switch (scan_peek(scan)) {
    case 't':
        *out = true;
        return scan_literal(scan, "true");
    case 'f':
        *out = false;
        return scan_literal(scan, "false");
    case '0':
    case '1':
        if (!scan_number(scan, &number))
            return false;
        if (number.length != 1)
            return note_unfit(decoder, field);
        *out = number.integer == 1;
        break;
    case '"': {
        char word[8];
        bool cut;
        if (!scan_string(scan, &string))
            return false;
        scan_string_copy(&string, word, sizeof word, &cut);
        *out = text_equal_fold(word, "true") || strcmp(word, "1") == 0;
        if (cut || !(*out || text_equal_fold(word, "false") || strcmp(word, "0") == 0))
            return note_unfit(decoder, field);
        break;
    }
    default:
        return skip_unfit(decoder, field);
    }
    codec_note_coerced(decoder, field);
    return true;
}

/* Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size: as seconds 1e11
 * would be the year 5138, as milliseconds it is 1973. */
static bool time_from_epoch(double value, int64_t *out)
{
    double ms = fabs(value) < 1e11   ? value * 1e3
                : fabs(value) < 1e14 ? value
                : fabs(value) < 1e17 ? value / 1e3
                                     : value / 1e6;
    if (!(ms > -62135596800000.0 && ms < 253402300800000.0)) /* years 1 to 9999 */
        return false;
    *out = (int64_t)floor(ms);
    return true;
}

static bool read_time(struct decoder *decoder, int field, int64_t *out)
{
    struct scan *scan = &decoder->scan;
    struct scan_number number;
    int byte = scan_peek(scan);
    const char *start = scan->at;
    if (byte == '"') {
        struct scan_string string;
        char local[40];
        if (!scan_string(scan, &string))
            return false;
        if (string.plain && text_parse_time(string.text, string.length, out))
            return true;
        bool cut;
        size_t length = scan_string_copy(&string, local, sizeof local - 1, &cut);
        local[length] = 'Z'; /* Python's isoformat() names no zone; our times are UTC */
        if (!cut && text_parse_time(local, length + 1, out)) {
            codec_note_coerced(decoder, field);
            return true;
        }
        if (scan_string_number(&string, &number) && time_from_epoch(number.value, out)) {
            codec_note_coerced(decoder, field);
            return true;
        }
        note_unfit(decoder, field);
    } else if (read_number(decoder, field, &number)) {
        if (time_from_epoch(number.value, out)) {
            codec_note_coerced(decoder, field);
            return true;
        }
        note_unfit(decoder, field);
    }
    if (field == FIELD_TIMESTAMP)
        text_sanitise(decoder->time_text, sizeof decoder->time_text, start, (size_t)(scan->at - start));
    return false;
}

bool codec_is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (text_equal_fold(name, *names))
            return true;
    return false;
}

const char *const codec_latitude_names[] = {"latitude", "lat", NULL};
const char *const codec_longitude_names[] = {"longitude", "lon", "lng", "long", "longtitude", NULL};

bool codec_in_range(const struct event_location *location)
{
    return fabs(location->latitude) <= 90 && fabs(location->longitude) <= 180;
}

/* [a, b]; more elements (an altitude) are passed over. */
static bool read_pair(struct decoder *decoder, int field, double *a, double *b)
{
    struct scan *scan = &decoder->scan;
    double values[2];
    int count = 0;
    bool first = true, well = true;
    if (!scan_begin(scan, '['))
        return false;
    while (scan_next_element(scan, &first)) {
        if (count >= 2)
            scan_skip(scan);
        else
            well &= codec_read_double(decoder, field, &values[count]);
        count++;
    }
    if (scan->problem)
        return false;
    if (!well || count < 2)
        return note_unfit(decoder, field);
    *a = values[0];
    *b = values[1];
    return true;
}

static bool pass_text(struct scan *scan, const char *text, size_t length)
{
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, text, length) != 0)
        return false;
    scan->at += length;
    return true;
}

/* As our own encoder writes it; false, and nothing is consumed, for every other. */
static bool read_plain_location(struct scan *scan, struct event_location *out)
{
    static const char head[] = "{\"latitude\":", middle[] = ",\"longitude\":";
    const char *start = scan->at;
    bool whole;
    if (pass_text(scan, head, sizeof head - 1) && scan_plain_number(scan, &out->latitude, &whole) &&
        pass_text(scan, middle, sizeof middle - 1) && scan_plain_number(scan, &out->longitude, &whole) &&
        pass_text(scan, "}", 1))
        return true;
    scan->at = start;
    return false;
}

static bool read_location_object(struct decoder *decoder, int field, struct event_location *out)
{
    struct scan *scan = &decoder->scan;
    if (scan->depth < scan->max_depth && read_plain_location(scan, out))
        return true;
    struct scan_string key;
    unsigned seen = 0;
    if (!scan_begin(scan, '{'))
        return false;
    for (bool first = true; scan_next_key(scan, &first, &key);) {
        char name[16];
        bool cut;
        scan_string_copy(&key, name, sizeof name, &cut);
        if (codec_is_one_of(name, codec_latitude_names)) {
            seen |= codec_read_double(decoder, field, &out->latitude) ? 1 : 0;
            if (strcmp(name, codec_latitude_names[0]) != 0)
                codec_note_coerced(decoder, field);
        } else if (codec_is_one_of(name, codec_longitude_names)) {
            seen |= codec_read_double(decoder, field, &out->longitude) ? 2 : 0;
            if (strcmp(name, codec_longitude_names[0]) != 0)
                codec_note_coerced(decoder, field);
        } else if (strcmp(name, "coordinates") == 0 &&
                   scan_peek(scan) == '[') { /* GeoJSON: longitude first */
            seen |= read_pair(decoder, field, &out->longitude, &out->latitude) ? 3 : 0;
            codec_note_coerced(decoder, field);
        } else {
            scan_skip(scan);
        }
    }
    return !scan->problem && (seen == 3 || note_unfit(decoder, field));
}

static bool read_location(struct decoder *decoder, int field, struct event_location *out)
{
    struct scan *scan = &decoder->scan;
    struct scan_string string;
    switch (scan_peek(scan)) {
    case '{':
        if (!read_location_object(decoder, field, out))
            return false;
        break;
    case '[':
        if (!read_pair(decoder, field, &out->latitude, &out->longitude))
            return false;
        codec_note_coerced(decoder, field);
        break;
    case '"': { /* "51.5, -0.1" */
        if (!scan_string(scan, &string))
            return false;
        const char *comma = string.plain ? memchr(string.text, ',', string.length) : NULL;
        struct scan_string half = string;
        struct scan_number latitude, longitude;
        if (!comma)
            return note_unfit(decoder, field);
        half.length = (size_t)(comma - string.text);
        bool well = scan_string_number(&half, &latitude);
        half.text = comma + 1;
        half.length = string.length - half.length - 1;
        if (!well || !scan_string_number(&half, &longitude))
            return note_unfit(decoder, field);
        *out = (struct event_location){latitude.value, longitude.value};
        codec_note_coerced(decoder, field);
        break;
    }
    default:
        return skip_unfit(decoder, field);
    }
    return codec_in_range(out) || note_unfit(decoder, field);
}

static bool read_blob(struct decoder *decoder, int field, struct event_blob *out)
{
    struct scan_string string;
    if (scan_peek(&decoder->scan) != '"')
        return skip_unfit(decoder, field);
    if (!scan_string(&decoder->scan, &string))
        return false;
    *out = (struct event_blob){string.text, string.length};
    return true;
}

static bool read_counts(struct decoder *decoder, int field, struct event_counts *out)
{
    struct scan *scan = &decoder->scan;
    struct scan_string key;
    if (scan_peek(scan) != '{')
        return skip_unfit(decoder, field);
    if (!scan_begin(scan, '{'))
        return false;
    *out = (struct event_counts){{0}};
    for (bool first = true; scan_next_key(scan, &first, &key);) {
        char name[16];
        bool cut;
        int class = 0;
        int32_t value;
        scan_string_copy(&key, name, sizeof name, &cut);
        while (class < EVENT_COUNT_CLASSES &&
               strcmp(name, event_count_name((enum event_count_class) class)) != 0)
            class ++;
        if (class == EVENT_COUNT_CLASSES && (strcmp(name, "lorry") == 0 || strcmp(name, "truck") == 0)) {
            class = EVENT_COUNT_HGV;
            codec_note_coerced(decoder, field);
        }
        if (class == EVENT_COUNT_CLASSES) {
            decoder->report->unknown++;
            scan_skip(scan);
        } else if (read_int(decoder, field, &value)) {
            out->by_class[class] = value < 0 ? 0 : value;
            if (value < 0)
                note_unfit(decoder, field);
        }
    }
    return !scan->problem;
}

static bool read_list(struct decoder *decoder, int field, struct event_list *out)
{
    struct scan *scan = &decoder->scan;
    out->count = 0;
    int byte = scan_peek(scan);
    if (byte == '"') { /* one, not in a list */
        codec_note_coerced(decoder, field);
        out->count = read_text(decoder, field, out->items[0], sizeof out->items[0]);
        return !scan->problem && out->count == 1;
    }
    if (byte != '[')
        return skip_unfit(decoder, field);
    if (!scan_begin(scan, '['))
        return false;
    for (bool first = true; scan_next_element(scan, &first);) {
        if (out->count == EVENT_RESPONDERS) {
            codec_note_coerced(decoder, field); /* cut to fit */
            scan_skip(scan);
        } else if (read_text(decoder, field, out->items[out->count], sizeof out->items[0])) {
            out->count++;
        }
    }
    return !scan->problem;
}

void codec_read_field(struct decoder *decoder, int field)
{
    const struct field *row = &decoder->schema->fields[field];
    void *out = event_field(decoder->event, row);
    uint64_t bit = UINT64_C(1) << field;
    bool set = false;
    decoder->event->present &= ~bit; /* of duplicates, the last counts */
    if (scan_peek(&decoder->scan) == 'n') {
        scan_literal(&decoder->scan, "null");
        return;
    }
    switch (row->type) {
    case FIELD_TEXT:
        set = read_text(decoder, field, out, row->size);
        break;
    case FIELD_INT:
        set = read_int(decoder, field, out);
        break;
    case FIELD_DOUBLE:
        set = codec_read_double(decoder, field, out);
        break;
    case FIELD_BOOL:
        set = read_bool(decoder, field, out);
        break;
    case FIELD_TIME:
        set = read_time(decoder, field, out);
        break;
    case FIELD_LOCATION:
        set = read_location(decoder, field, out);
        break;
    case FIELD_BLOB:
        set = read_blob(decoder, field, out);
        break;
    case FIELD_COUNTS:
        set = read_counts(decoder, field, out);
        break;
    case FIELD_LIST:
        set = read_list(decoder, field, out);
        break;
    }
    if (set)
        decoder->event->present |= bit;
}
