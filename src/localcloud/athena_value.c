#include "localcloud/athena_value.h"

#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US 86400000000LL

/* Java's Double.toString: the shortest digits that read back, plain from 1e-3 to 1e7, else with E. */
void athena_double_write(struct buf *out, double value, bool single)
{
    if (isnan(value) || isinf(value)) {
        buf_text(out, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        return;
    }
    if (value == 0) {
        buf_text(out, signbit(value) ? "-0.0" : "0.0");
        return;
    }
    char digits[40];
    /* What has few digits shows them, and zeros behind, at any precision that the type always keeps; only
     * very small numbers keep fewer. */
    int least = fabs(value) < (single ? (double)FLT_MIN : DBL_MIN) ? 0 : single ? FLT_DIG - 1 : DBL_DIG - 1;
    for (int precision = least; precision < 17; precision++) {
        snprintf(digits, sizeof digits, "%.*e", precision, value);
        if (single ? strtof(digits, NULL) == (float)value : strtod(digits, NULL) == value)
            break;
    }
    char *e = strchr(digits, 'e');
    int64_t power = 0;
    (void)text_parse_int(e + 1 + (e[1] == '+'), -400, 400, &power);
    int exponent = (int)power;
    *e = '\0';
    char figures[24] = "0";
    size_t count = 0;
    for (const char *at = digits; *at; at++)
        if (*at >= '0' && *at <= '9')
            figures[count++] = *at;
    while (count > 1 && figures[count - 1] == '0')
        count--;
    if (value < 0)
        buf_char(out, '-');
    if (exponent >= 7 || exponent < -3) {
        buf_char(out, figures[0]);
        buf_char(out, '.');
        buf_append(out, count > 1 ? figures + 1 : "0", count > 1 ? count - 1 : 1);
        buf_printf(out, "E%d", exponent);
    } else if (exponent < 0) {
        buf_text(out, "0.");
        for (int i = -1; i > exponent; i--)
            buf_char(out, '0');
        buf_append(out, figures, count);
    } else {
        for (int i = 0; i <= exponent; i++)
            buf_char(out, (size_t)i < count ? figures[i] : '0');
        buf_char(out, '.');
        size_t whole = (size_t)exponent + 1;
        buf_append(out, count > whole ? figures + whole : "0", count > whole ? count - whole : 1);
    }
}

static void write_huge(struct buf *out, __int128 value, int scale)
{
    char text[48];
    size_t at = sizeof text;
    unsigned __int128 rest = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    int written = 0;
    do {
        text[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
        if (++written == scale)
            text[--at] = '.';
    } while (rest > 0 || written <= scale);
    if (value < 0)
        text[--at] = '-';
    buf_append(out, text + at, sizeof text - at);
}

/* Days since 1970 to a date of the proleptic Gregorian calendar (Howard Hinnant, chrono-compatible low-level
 * date algorithms). */
static void write_date(struct buf *out, int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    long long year = yoe + era * 400 + (month <= 2), day = doy - (153 * mp + 2) / 5 + 1;
    buf_printf(out, "%04lld-%02lld-%02lld", year, (long long)month, day);
}

static void write_time(struct buf *out, int64_t us)
{
    buf_printf(out, "%02lld:%02lld:%02lld.%03lld", (long long)(us / 3600000000),
               (long long)(us / 60000000 % 60), (long long)(us / 1000000 % 60),
               (long long)(us / 1000 % 1000));
}

static void write_timestamp(struct buf *out, int64_t us, const char *zone)
{
    int64_t days = us / DAY_US - (us % DAY_US < 0);
    write_date(out, days);
    buf_char(out, ' ');
    write_time(out, us - days * DAY_US);
    buf_text(out, zone);
}

static void write_interval(struct buf *out, struct duck_value value)
{
    int32_t months, days;
    int64_t micros;
    duck_interval(value, &months, &days, &micros);
    if (months != 0 && days == 0 && micros == 0) {
        buf_printf(out, "%s%d-%d", months < 0 ? "-" : "", abs(months) / 12, abs(months) % 12);
        return;
    }
    int64_t ms = (int64_t)days * 86400000 + micros / 1000;
    const char *sign = ms < 0 ? "-" : "";
    ms = ms < 0 ? -ms : ms;
    buf_printf(out, "%s%lld %02lld:%02lld:%02lld.%03lld", sign, (long long)(ms / 86400000),
               (long long)(ms / 3600000 % 24), (long long)(ms / 60000 % 60), (long long)(ms / 1000 % 60),
               (long long)(ms % 1000));
}

static void write_or_null(struct buf *out, struct duck_value value)
{
    if (duck_is_null(value))
        buf_text(out, "null");
    else
        athena_value_write(out, value);
}

static void write_nested(struct buf *out, struct duck_value value)
{
    bool list = value.type->kind == DUCK_LIST || value.type->kind == DUCK_ARRAY;
    bool map = value.type->kind == DUCK_MAP;
    size_t count = list || map ? duck_length(value) : value.type->count;
    buf_char(out, list ? '[' : '{');
    for (size_t i = 0; i < count && !out->overflow; i++) {
        if (i > 0)
            buf_text(out, ", ");
        if (list) {
            write_or_null(out, duck_element(value, i));
        } else if (map) {
            write_or_null(out, duck_map_key(value, i));
            buf_char(out, '=');
            write_or_null(out, duck_map_value(value, i));
        } else {
            if (*value.type->names[i])
                buf_printf(out, "%s=", value.type->names[i]);
            write_or_null(out, duck_field(value, i));
        }
    }
    buf_char(out, list ? ']' : '}');
}

void athena_value_write(struct buf *out, struct duck_value value)
{
    switch (value.type->kind) {
    case DUCK_BOOLEAN:
        buf_text(out, duck_int(value) ? "true" : "false");
        break;
    case DUCK_FLOAT:
    case DUCK_DOUBLE:
        athena_double_write(out, duck_double(value), value.type->kind == DUCK_FLOAT);
        break;
    case DUCK_DECIMAL:
        write_huge(out, duck_huge(value), value.type->scale);
        break;
    case DUCK_DATE:
        write_date(out, duck_int(value));
        break;
    case DUCK_TIME:
        write_time(out, duck_int(value));
        break;
    case DUCK_TIMESTAMP:
        write_timestamp(out, duck_int(value), "");
        break;
    case DUCK_TIMESTAMP_S:
        write_timestamp(out, duck_int(value) * 1000000, "");
        break;
    case DUCK_TIMESTAMP_MS:
        write_timestamp(out, duck_int(value) * 1000, "");
        break;
    case DUCK_TIMESTAMP_NS:
        write_timestamp(out, duck_int(value) / 1000, "");
        break;
    case DUCK_TIMESTAMP_TZ:
        write_timestamp(out, duck_int(value), " UTC");
        break;
    case DUCK_INTERVAL:
        write_interval(out, value);
        break;
    case DUCK_VARCHAR:
    case DUCK_ENUM: {
        size_t length;
        const char *text = duck_text(value, &length);
        buf_append(out, text, length);
        break;
    }
    case DUCK_BLOB: {
        size_t length;
        const char *bytes = duck_text(value, &length);
        for (size_t i = 0; i < length; i++)
            buf_printf(out, i ? " %02x" : "%02x", (unsigned char)bytes[i]);
        break;
    }
    case DUCK_UUID: {
        unsigned __int128 bits = (unsigned __int128)duck_huge(value) ^ (unsigned __int128)1 << 127;
        for (int i = 15; i >= 0; i--)
            buf_printf(out, i == 12 || i == 10 || i == 8 || i == 6 ? "%02x-" : "%02x",
                       (unsigned)(bits >> (8 * i)) & 255);
        break;
    }
    case DUCK_LIST:
    case DUCK_ARRAY:
    case DUCK_MAP:
    case DUCK_STRUCT:
        write_nested(out, value);
        break;
    default:
        write_huge(out, duck_huge(value), 0);
        break;
    }
}

const char *athena_type_name(const struct duck_type *type, int *precision, int *scale)
{
    *precision = *scale = 0;
    switch (type->kind) {
    case DUCK_BOOLEAN:
        return "boolean";
    case DUCK_TINYINT:
        *precision = 3;
        return "tinyint";
    case DUCK_SMALLINT:
    case DUCK_UTINYINT:
        *precision = 5;
        return "smallint";
    case DUCK_INTEGER:
    case DUCK_USMALLINT:
        *precision = 10;
        return "integer";
    case DUCK_BIGINT:
    case DUCK_UINTEGER:
    case DUCK_UBIGINT:
    case DUCK_HUGEINT: /* a sum of integers */
    case DUCK_UHUGEINT:
        *precision = 19;
        return "bigint";
    case DUCK_FLOAT:
        *precision = 17;
        return "float";
    case DUCK_DOUBLE:
        *precision = 17;
        return "double";
    case DUCK_DECIMAL:
        *precision = type->width;
        *scale = type->scale;
        return "decimal";
    case DUCK_DATE:
        return "date";
    case DUCK_TIME:
        *precision = 3;
        return "time";
    case DUCK_TIMESTAMP:
    case DUCK_TIMESTAMP_S:
    case DUCK_TIMESTAMP_MS:
    case DUCK_TIMESTAMP_NS:
        *precision = 3;
        return "timestamp";
    case DUCK_TIMESTAMP_TZ:
        *precision = 3;
        return "timestamp with time zone";
    case DUCK_INTERVAL:
        return "interval day to second";
    case DUCK_BLOB:
        *precision = 1073741824;
        return "varbinary";
    case DUCK_UUID:
        return "uuid";
    case DUCK_LIST:
    case DUCK_ARRAY:
        return "array";
    case DUCK_MAP:
        return "map";
    case DUCK_STRUCT:
        return "row";
    case DUCK_SQLNULL:
        return "unknown";
    default:
        *precision = INT32_MAX;
        return type->json ? "json" : "varchar";
    }
}

void athena_type_write(struct buf *out, const struct duck_type *type)
{
    int precision, scale;
    const char *name = athena_type_name(type, &precision, &scale);
    if (type->kind == DUCK_FLOAT) {
        buf_text(out, "real");
    } else if (type->kind == DUCK_DECIMAL) {
        buf_printf(out, "decimal(%d,%d)", precision, scale);
    } else if (type->kind == DUCK_TIMESTAMP_TZ) {
        buf_text(out, "timestamp(3) with time zone");
    } else if (strcmp(name, "timestamp") == 0) {
        buf_text(out, "timestamp(3)");
    } else {
        buf_text(out, name);
    }
    for (size_t i = 0; i < type->count; i++) {
        buf_text(out, i ? ", " : "(");
        if (type->names && *type->names[i])
            buf_printf(out, "%s ", type->names[i]);
        athena_type_write(out, &type->children[i]);
    }
    if (type->count > 0)
        buf_char(out, ')');
}
