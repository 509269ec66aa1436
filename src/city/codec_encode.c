/*
 * Encoding reserves the largest size an event can take once and then writes with a bare pointer. Doubles are
 * scaled to integers; the rounding is exact (see put_double), so the text is what printf("%.*f") would give
 * in the C locale, except that nothing is ever written as -0.
 */
#include "base/text.h"
#include "city/codec.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Every byte of a text can become six (\u001b); names, numbers and punctuation take less than the rest. */
#define BOUND (6 * sizeof(struct event) + 64 * 64)

static const char digit_pairs[201] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

static char *put_u64(char *at, uint64_t value)
{
    char digits[20];
    char *first = digits + sizeof digits;
    while (value >= 100) {
        first -= 2;
        memcpy(first, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        first -= 2;
        memcpy(first, digit_pairs + value * 2, 2);
    } else {
        *--first = (char)('0' + value);
    }
    size_t length = (size_t)(digits + sizeof digits - first);
    memcpy(at, first, length);
    return at + length;
}

static char *put_int(char *at, int32_t value)
{
    if (value < 0)
        *at++ = '-';
    return put_u64(at, (uint64_t)(value < 0 ? -(int64_t)value : value));
}

/* Beyond the integers a double holds exactly: as printf has it, with a point in every locale. */
static char *put_large(char *at, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.17g", value);
    const char *point = localeconv()->decimal_point;
    char *found = strcmp(point, ".") == 0 ? NULL : strstr(text, point);
    if (found) {
        *found = '.';
        memmove(found + 1, found + strlen(point), strlen(found + strlen(point)) + 1);
    }
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

/* value is finite. With p the double nearest to the true product t = value * 10^decimals, p differs from t by
 * less than would carry it across a half, unless p is the half itself: then the sign of t - p, which fma
 * gives exactly, decides, and a true tie goes to even. */
static char *put_double(char *at, double value, unsigned decimals)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    static const uint64_t whole_powers[] = {1,      10,      100,      1000,      10000,
                                            100000, 1000000, 10000000, 100000000, 1000000000};
    double size = fabs(value), scaled = size * powers[decimals];
    if (scaled >= 0x1p52)
        return put_large(at, value);
    uint64_t units = (uint64_t)scaled;
    double rest = scaled - (double)units;
    if (rest > 0.5) {
        units++;
    } else if (rest == 0.5) {
        double error = fma(size, powers[decimals], -scaled);
        units += error > 0 || (error == 0 && (units & 1));
    }
    if (value < 0 && units > 0)
        *at++ = '-';
    if (decimals == 0)
        return put_u64(at, units);
    at = put_u64(at, units / whole_powers[decimals]);
    uint64_t fraction = units % whole_powers[decimals];
    *at++ = '.';
    char *end = at + decimals;
    for (char *place = end; place > at; fraction /= 10)
        *--place = (char)('0' + fraction % 10);
    return end;
}

/* Without need of care in a JSON string. */
static inline bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

/* What could act on a terminal is escaped, so a record stays harmless when another tool prints it. */
static char *put_careful(char *at, const char *text, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    for (const char *end = text + length; text < end;) {
        uint32_t rune = text_next_rune(&text, end);
        if (rune == '"' || rune == '\\') {
            *at++ = '\\';
            *at++ = (char)rune;
        } else if (text_is_control(rune) && rune <= 0xFFFF) {
            *at++ = '\\';
            *at++ = 'u';
            for (int shift = 12; shift >= 0; shift -= 4)
                *at++ = hex[rune >> shift & 15];
        } else {
            char bytes[5];
            size_t count = text_put_rune(bytes, rune);
            memcpy(at, bytes, count);
            at += count;
        }
    }
    return at;
}

static char *put_text(char *at, const char *text, size_t size)
{
    size_t plain = 0;
    *at++ = '"';
    while (plain < size && is_plain((unsigned char)text[plain])) {
        at[plain] = text[plain];
        plain++;
    }
    at += plain;
    if (plain < size && text[plain] != '\0')
        at = put_careful(at, text + plain, strnlen(text + plain, size - plain));
    *at++ = '"';
    return at;
}

static char *put_location(char *at, const struct event_location *location, unsigned decimals)
{
    static const char latitude[] = "{\"latitude\":", longitude[] = ",\"longitude\":";
    memcpy(at, latitude, sizeof latitude - 1);
    at = put_double(at + sizeof latitude - 1, location->latitude, decimals);
    memcpy(at, longitude, sizeof longitude - 1);
    at = put_double(at + sizeof longitude - 1, location->longitude, decimals);
    *at++ = '}';
    return at;
}

static char *put_counts(char *at, const struct event_counts *counts)
{
    for (int i = 0; i < EVENT_COUNT_CLASSES; i++) {
        const char *name = event_count_name((enum event_count_class)i);
        size_t length = strlen(name);
        *at++ = i ? ',' : '{';
        *at++ = '"';
        memcpy(at, name, length);
        at += length;
        *at++ = '"';
        *at++ = ':';
        at = put_int(at, counts->by_class[i]);
    }
    *at++ = '}';
    return at;
}

static char *put_list(char *at, const struct event_list *list)
{
    *at++ = '[';
    for (int i = 0; i < list->count && i < EVENT_RESPONDERS; i++) {
        if (i)
            *at++ = ',';
        at = put_text(at, list->items[i], sizeof list->items[i]);
    }
    *at++ = ']';
    return at;
}

static bool is_writable(const struct field *field, const void *value)
{
    if (field->type == FIELD_DOUBLE)
        return isfinite(*(const double *)value);
    if (field->type == FIELD_LOCATION) {
        const struct event_location *location = value;
        return isfinite(location->latitude) && isfinite(location->longitude);
    }
    return true;
}

/* All but blobs, which the caller writes: their size is not bounded by the struct. */
static char *put_value(char *at, const struct field *field, const void *value)
{
    char time[TEXT_TIME_SIZE];
    switch (field->type) {
    case FIELD_TEXT:
        return put_text(at, value, field->size);
    case FIELD_INT:
        return put_int(at, *(const int32_t *)value);
    case FIELD_DOUBLE:
        return put_double(at, *(const double *)value, field->decimals);
    case FIELD_BOOL:
        memcpy(at, *(const bool *)value ? "true" : "false", 5);
        return at + (*(const bool *)value ? 4 : 5);
    case FIELD_TIME:
        *at++ = '"';
        memcpy(at, text_time(time, *(const int64_t *)value), TEXT_TIME_SIZE - 1);
        at += TEXT_TIME_SIZE - 1;
        *at++ = '"';
        return at;
    case FIELD_LOCATION:
        return put_location(at, value, field->decimals);
    case FIELD_COUNTS:
        return put_counts(at, value);
    case FIELD_LIST:
        return put_list(at, value);
    case FIELD_BLOB:
        break;
    }
    return at;
}

/* The object into `at`; a blob's Base64 takes its place at *blob_at only when there is room for it (`whole`).
 */
static char *put_event(char *at, const struct event *event, bool whole, char **blob_at)
{
    const struct schema *schema = schema_get(event->kind);
    char opening = '{';
    uint64_t left = event->present;
    if (schema->field_count < 64)
        left &= (UINT64_C(1) << schema->field_count) - 1;
    for (; left; left &= left - 1) {
        const struct field *field = &schema->fields[__builtin_ctzll(left)];
        const void *value = event_field_const(event, field);
        if (!is_writable(field, value))
            continue;
        *at++ = opening;
        opening = ',';
        memcpy(at, field->prefix, field->prefix_length);
        at += field->prefix_length;
        if (field->type != FIELD_BLOB) {
            at = put_value(at, field, value);
            continue;
        }
        const struct event_blob *blob = value;
        *at++ = '"';
        *blob_at = at;
        if (whole) {
            text_base64_encode(at, blob->data, blob->length);
            at += text_base64_size(blob->length);
        }
        *at++ = '"';
    }
    if (opening == '{')
        *at++ = '{';
    *at++ = '}';
    return at;
}

bool codec_encode(const struct event *event, struct buf *out)
{
    size_t blob = event->kind == EVENT_TRAFFIC && event_has(event, TRAFFIC_SNAPSHOT)
                      ? text_base64_size(event->traffic.snapshot.length)
                      : 0;
    char *blob_at = NULL;
    if (out->limit - out->length >= BOUND + blob && buf_reserve(out, BOUND + blob)) {
        char *end = put_event(out->data + out->length, event, true, &blob_at);
        out->length = (size_t)(end - out->data);
        *end = '\0';
        return true;
    }
    /* Near the limit: measure what it really takes. */
    char text[BOUND];
    size_t length = (size_t)(put_event(text, event, false, &blob_at) - text);
    if (!buf_reserve(out, length + blob))
        return false;
    char *at = out->data + out->length;
    size_t before = blob_at ? (size_t)(blob_at - text) : length;
    memcpy(at, text, before);
    if (blob_at)
        text_base64_encode(at + before, event->traffic.snapshot.data, event->traffic.snapshot.length);
    memcpy(at + before + blob, text + before, length - before);
    out->length += length + blob;
    out->data[out->length] = '\0';
    return true;
}
