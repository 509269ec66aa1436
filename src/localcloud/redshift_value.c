#include "localcloud/redshift_value.h"

#include "base/text.h"
#include "localcloud/redshift_prelude.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US 86400000000ll

static void date(int64_t days, struct buf *out)
{
    int64_t year;
    int month, day;
    redshift_civil(days, &year, &month, &day);
    bool before = year <= 0;
    buf_printf(out, "%04" PRId64 "-%02d-%02d%s", before ? 1 - year : year, month, day, before ? " BC" : "");
}

static void time_of_day(int64_t micros, struct buf *out)
{
    buf_printf(out, "%02d:%02d:%02d", (int)(micros / 3600000000ll), (int)(micros / 60000000 % 60),
               (int)(micros / 1000000 % 60));
    int micro = (int)(micros % 1000000);
    if (micro == 0)
        return;
    char digits[8];
    snprintf(digits, sizeof digits, "%06d", micro);
    size_t length = 6;
    while (digits[length - 1] == '0')
        length--;
    buf_printf(out, ".%.*s", (int)length, digits);
}

static void timestamp(struct duck_value value, struct buf *out)
{
    int64_t micros = duck_int(value);
    if (value.type->kind == DUCK_TIMESTAMP_S)
        micros *= 1000000;
    else if (value.type->kind == DUCK_TIMESTAMP_MS)
        micros *= 1000;
    else if (value.type->kind == DUCK_TIMESTAMP_NS)
        micros /= 1000;
    int64_t days = micros / DAY_US - (micros % DAY_US < 0);
    date(days, out);
    buf_char(out, ' ');
    time_of_day(micros - days * DAY_US, out);
    if (value.type->kind == DUCK_TIMESTAMP_TZ)
        buf_text(out, "+00");
}

static void wide_integer(__int128 number, int scale, struct buf *out)
{
    char digits[48];
    int length = 0;
    bool negative = number < 0;
    unsigned __int128 rest = negative ? -(unsigned __int128)number : (unsigned __int128)number;
    while (rest > 0 || length <= scale) {
        digits[length++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    if (negative)
        buf_char(out, '-');
    for (int i = length; i-- > 0;) {
        buf_char(out, digits[i]);
        if (i == scale && scale > 0)
            buf_char(out, '.');
    }
}

/* The shortest text that is the same number again. */
static void real(double number, bool single, struct buf *out)
{
    char text[40];
    if (isnan(number) || isinf(number)) {
        buf_text(out, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        return;
    }
    for (int precision = single ? 6 : 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, number);
        double again = strtod(text, NULL);
        if (single ? (float)again == (float)number : again == number)
            break;
    }
    buf_text(out, text);
}

static void interval(struct duck_value value, struct buf *out)
{
    int32_t months, days;
    int64_t micros;
    duck_interval(value, &months, &days, &micros);
    buf_printf(out, "%d years %d mons %d days %d hours %d mins %d.%06d secs", months / 12, months % 12, days,
               (int)(micros / 3600000000ll), (int)(micros / 60000000 % 60), (int)(micros / 1000000 % 60),
               (int)(micros % 1000000));
}

void redshift_value_text(struct duck_value value, struct buf *out)
{
    size_t length;
    const char *text;
    switch (value.type->kind) {
    case DUCK_BOOLEAN:
        buf_text(out, duck_int(value) ? "true" : "false");
        break;
    case DUCK_FLOAT:
    case DUCK_DOUBLE:
        real(duck_double(value), value.type->kind == DUCK_FLOAT, out);
        break;
    case DUCK_DECIMAL:
        wide_integer(duck_huge(value), value.type->scale, out);
        break;
    case DUCK_DATE:
        date(duck_int(value), out);
        break;
    case DUCK_TIME:
        time_of_day(duck_int(value), out);
        break;
    case DUCK_TIME_TZ:
        time_of_day(duck_int(value), out);
        buf_text(out, "+00");
        break;
    case DUCK_TIMESTAMP:
    case DUCK_TIMESTAMP_S:
    case DUCK_TIMESTAMP_MS:
    case DUCK_TIMESTAMP_NS:
    case DUCK_TIMESTAMP_TZ:
        timestamp(value, out);
        break;
    case DUCK_INTERVAL:
        interval(value, out);
        break;
    case DUCK_VARCHAR:
    case DUCK_ENUM:
        text = duck_text(value, &length);
        buf_append(out, text, length);
        break;
    case DUCK_BLOB:
        text = duck_text(value, &length);
        for (size_t i = 0; i < length; i++)
            buf_printf(out, "%02x", (unsigned char)text[i]);
        break;
    case DUCK_LIST:
    case DUCK_STRUCT:
    case DUCK_MAP:
    case DUCK_ARRAY:
        buf_text(out, "?");
        break;
    default:
        wide_integer(duck_huge(value), 0, out);
        break;
    }
}

json_t *redshift_value_field(struct duck_value value, enum redshift_kind kind)
{
    if (duck_is_null(value))
        return json_pack("{s:b}", "isNull", 1);
    switch (kind) {
    case RS_BOOLEAN:
        return json_pack("{s:b}", "booleanValue", duck_int(value) != 0);
    case RS_SMALLINT:
    case RS_INTEGER:
    case RS_BIGINT:
        if (value.type->kind == DUCK_HUGEINT && duck_huge(value) != duck_int(value))
            break; /* a sum of BIGINT, which is NUMERIC there */
        return json_pack("{s:I}", "longValue", (json_int_t)duck_int(value));
    case RS_REAL:
    case RS_DOUBLE:
        if (isfinite(duck_double(value)))
            return json_pack("{s:f}", "doubleValue", duck_double(value));
        break;
    case RS_VARBYTE: {
        size_t length;
        const char *bytes = duck_text(value, &length);
        char *coded = mem_alloc(text_base64_size(length) + 1);
        text_base64_encode(coded, bytes, length);
        coded[text_base64_size(length)] = '\0';
        json_t *field = json_pack("{s:s}", "blobValue", coded);
        free(coded);
        return field;
    }
    default:
        break;
    }
    struct buf text;
    buf_init(&text, 64u << 20);
    redshift_value_text(value, &text);
    json_t *string = json_stringn(text.data ? text.data : "", text.length);
    buf_free(&text);
    return json_pack("{s:o}", "stringValue", string ? string : json_string(""));
}

void redshift_value_csv(struct duck_value value, struct buf *out)
{
    if (duck_is_null(value))
        return;
    struct buf text;
    buf_init(&text, 64u << 20);
    redshift_value_text(value, &text);
    const char *data = text.data ? text.data : "";
    bool quote = text.length == 0 || data[0] == ' ' || data[text.length - 1] == ' ';
    for (size_t i = 0; i < text.length && !quote; i++)
        quote = data[i] == ',' || data[i] == '"' || data[i] == '\n' || data[i] == '\r';
    if (quote)
        buf_char(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        if (data[i] == '"')
            buf_char(out, '"');
        buf_char(out, data[i]);
    }
    if (quote)
        buf_char(out, '"');
    buf_free(&text);
}
