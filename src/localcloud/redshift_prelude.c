#include "localcloud/redshift_prelude.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US 86400000000ll

/* ---- functions -------------------------------------------------------------------------------------- */

static void divide_integers(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    int64_t a = duck_int(arguments[0]), b = duck_int(arguments[1]);
    if (b == 0)
        duck_return_error(out, "Divide by zero");
    else if (b == -1 && a == INT64_MIN)
        duck_return_error(out, "Integer value out of range");
    else
        duck_return_int(out, a / b);
}

static void divide_doubles(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    double b = duck_double(arguments[1]);
    if (b == 0)
        duck_return_error(out, "Divide by zero");
    else
        duck_return_double(out, duck_double(arguments[0]) / b);
}

static void average_integer(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    double mean = duck_double(arguments[0]);
    if (fabs(mean) < 9.2e18)
        duck_return_int(out, (int64_t)mean);
    else
        duck_return_error(out, "Integer value out of range");
}

static void average_double(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    duck_return_double(out, duck_double(arguments[0]));
}

/* The first n bytes, whole characters only. */
static void cut(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    size_t length;
    const char *text = duck_text(arguments[0], &length);
    int64_t most = duck_int(arguments[1]);
    if (most >= 0 && length > (uint64_t)most) {
        length = (size_t)most;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    duck_return_text(out, text, length);
}

static void initcap(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    size_t length;
    const char *text = duck_text(arguments[0], &length);
    struct buf made;
    buf_init(&made, length + 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i], before = i ? (unsigned char)text[i - 1] : ' ';
        bool inside = isalnum(before) || before >= 0x80;
        buf_char(&made, (char)(inside ? tolower(byte) : toupper(byte)));
    }
    duck_return_text(out, made.data ? made.data : "", made.length);
    buf_free(&made);
}

static void to_char_time(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    size_t length;
    const char *pattern = duck_text(arguments[1], &length);
    struct buf made;
    buf_init(&made, 65536);
    redshift_format_time(duck_int(arguments[0]), pattern, length, &made);
    duck_return_text(out, made.data ? made.data : "", made.length);
    buf_free(&made);
}

static void to_char_number(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    size_t length;
    const char *pattern = duck_text(arguments[1], &length);
    struct buf made;
    buf_init(&made, 65536);
    redshift_format_number(duck_double(arguments[0]), pattern, length, &made);
    duck_return_text(out, made.data ? made.data : "", made.length);
    buf_free(&made);
}

static void to_timestamp(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    size_t length, pattern_length;
    int64_t micros;
    const char *text = duck_text(arguments[0], &length), *pattern = duck_text(arguments[1], &pattern_length);
    if (redshift_parse_time(text, length, pattern, pattern_length, &micros))
        duck_return_int(out, micros);
    else
        duck_return_error(out, "invalid value \"%.*s\" for \"%.*s\"", (int)(length > 60 ? 60 : length), text,
                          (int)(pattern_length > 60 ? 60 : pattern_length), pattern);
}

static int month_length(int64_t year, int month)
{
    return (int)(redshift_days(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
                 redshift_days(year, month, 1));
}

/* The last day of a month stays the last day. */
static void add_months(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    int64_t micros = duck_int(arguments[0]), add = duck_int(arguments[1]), year;
    int64_t days = micros / DAY_US - (micros % DAY_US < 0);
    int month, day;
    redshift_civil(days, &year, &month, &day);
    if (add > 1200000 || add < -1200000) {
        duck_return_error(out, "timestamp out of range");
        return;
    }
    int64_t total = year * 12 + month - 1 + add;
    int64_t new_year = total / 12 - (total % 12 < 0);
    int new_month = (int)(total - new_year * 12) + 1, length = month_length(new_year, new_month);
    int new_day = day == month_length(year, month) || day > length ? length : day;
    duck_return_int(out, redshift_days(new_year, new_month, new_day) * DAY_US + micros - days * DAY_US);
}

static void months_between(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    int64_t year_a, year_b;
    int month_a, month_b, day_a, day_b;
    redshift_civil(duck_int(arguments[0]), &year_a, &month_a, &day_a);
    redshift_civil(duck_int(arguments[1]), &year_b, &month_b, &day_b);
    double whole = (double)((year_a - year_b) * 12 + month_a - month_b);
    bool last = day_a == month_length(year_a, month_a) && day_b == month_length(year_b, month_b);
    duck_return_double(out, day_a == day_b || last ? whole : whole + (day_a - day_b) / 31.0);
}

static void next_day(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    static const char *const names[] = {"su", "mo", "tu", "we", "th", "fr", "sa"};
    size_t length;
    const char *name = duck_text(arguments[1], &length);
    int64_t days = duck_int(arguments[0]);
    for (int i = 0; i < 7 && length >= 2; i++)
        if (tolower((unsigned char)name[0]) == names[i][0] &&
            tolower((unsigned char)name[1]) == names[i][1]) {
            int64_t weekday = ((days + 4) % 7 + 7) % 7;
            duck_return_int(out, days + ((i - weekday + 6) % 7 + 7) % 7 + 1);
            return;
        }
    duck_return_error(out, "invalid day of the week \"%.*s\"", (int)(length > 20 ? 20 : length), name);
}

static void truncate_time(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    int64_t micros = duck_int(arguments[0]);
    duck_return_int(out, micros / DAY_US - (micros % DAY_US < 0));
}

static void truncate_number(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    double scale = count > 1 ? pow(10, (double)duck_int(arguments[1])) : 1;
    duck_return_double(out, trunc(duck_double(arguments[0]) * scale) / scale);
}

static void truncate_integer(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    duck_return_int(out, duck_int(arguments[0]));
}

/* SHA-2 in hexadecimal digits; 0 bits are 256. */
static void digest(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    size_t length;
    const char *text = duck_text(arguments[0], &length);
    int64_t bits = duck_int(arguments[1]);
    const EVP_MD *kind = bits == 224                ? EVP_sha224()
                         : bits == 0 || bits == 256 ? EVP_sha256()
                         : bits == 384              ? EVP_sha384()
                         : bits == 512              ? EVP_sha512()
                                                    : NULL;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char digits[2 * EVP_MAX_MD_SIZE + 1];
    if (!kind || EVP_Digest(text, length, bytes, &size, kind, NULL) != 1) {
        duck_return_error(out, "SHA2 has 224, 256, 384 or 512 bits");
        return;
    }
    for (unsigned i = 0; i < size; i++)
        snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    duck_return_text(out, digits, 2 * (size_t)size);
}

static void cube_root(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    double x = duck_double(arguments[0]), root = cbrt(x), whole = nearbyint(root);
    duck_return_double(out, whole * whole * whole == x ? whole : root);
}

static void string_to_long(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    size_t length;
    const char *text = duck_text(arguments[0], &length);
    int64_t base = duck_int(arguments[1]);
    char copy[72], *end;
    errno = 0;
    snprintf(copy, sizeof copy, "%.*s", (int)(length < sizeof copy ? length : sizeof copy - 1), text);
    long long value = base >= 2 && base <= 36 ? strtoll(copy, &end, (int)base) : 0;
    if (base < 2 || base > 36 || length >= sizeof copy || *end || end == copy || errno)
        duck_return_error(out, "The input %s is not valid to be converted to base %d", copy, (int)base);
    else
        duck_return_int(out, value);
}

const struct duck_function redshift_c_functions[] = {
    {"rs_divide", DUCK_INTEGER, divide_integers, false, {DUCK_INTEGER, DUCK_INTEGER}},
    {"rs_divide", DUCK_BIGINT, divide_integers, false, {DUCK_BIGINT, DUCK_BIGINT}},
    {"rs_divide", DUCK_BIGINT, divide_integers, false, {DUCK_HUGEINT, DUCK_HUGEINT}},
    {"rs_divide", DUCK_DOUBLE, divide_doubles, false, {DUCK_DOUBLE, DUCK_DOUBLE}},
    {"rs_average", DUCK_BIGINT, average_integer, false, {DUCK_DOUBLE, DUCK_BIGINT}},
    {"rs_average", DUCK_DOUBLE, average_double, false, {DUCK_DOUBLE, DUCK_DOUBLE}},
    {"rs_cut", DUCK_VARCHAR, cut, false, {DUCK_VARCHAR, DUCK_BIGINT}},
    {"rs_trunc", DUCK_DATE, truncate_time, false, {DUCK_TIMESTAMP}},
    {"rs_trunc", DUCK_BIGINT, truncate_integer, false, {DUCK_BIGINT}},
    {"rs_trunc", DUCK_DOUBLE, truncate_number, false, {DUCK_DOUBLE}},
    {"rs_trunc", DUCK_DOUBLE, truncate_number, false, {DUCK_DOUBLE, DUCK_BIGINT}},
    {"rs_digest", DUCK_VARCHAR, digest, false, {DUCK_VARCHAR, DUCK_BIGINT}},
    {"rs_cbrt", DUCK_DOUBLE, cube_root, false, {DUCK_DOUBLE}},
    {"rs_strtol", DUCK_BIGINT, string_to_long, false, {DUCK_VARCHAR, DUCK_BIGINT}},
    {"rs_initcap", DUCK_VARCHAR, initcap, false, {DUCK_VARCHAR}},
    {"rs_to_char", DUCK_VARCHAR, to_char_time, false, {DUCK_TIMESTAMP, DUCK_VARCHAR}},
    {"rs_to_char", DUCK_VARCHAR, to_char_number, false, {DUCK_DOUBLE, DUCK_VARCHAR}},
    {"rs_to_timestamp", DUCK_TIMESTAMP, to_timestamp, false, {DUCK_VARCHAR, DUCK_VARCHAR}},
    {"rs_add_months", DUCK_TIMESTAMP, add_months, false, {DUCK_TIMESTAMP, DUCK_BIGINT}},
    {"rs_months_between", DUCK_DOUBLE, months_between, false, {DUCK_DATE, DUCK_DATE}},
    {"rs_next_day", DUCK_DATE, next_day, false, {DUCK_DATE, DUCK_VARCHAR}},
    {NULL, DUCK_INVALID, NULL, false, {DUCK_INVALID}},
};

/* ---- macros and views ------------------------------------------------------------------------------- */

const char *const redshift_prelude[] = {
    "CREATE SCHEMA IF NOT EXISTS public",
    "CREATE SCHEMA IF NOT EXISTS _redshift",
    "CREATE TABLE IF NOT EXISTS _redshift.loads (query_id BIGINT, table_name VARCHAR, data_source VARCHAR, "
    "status VARCHAR, start_time TIMESTAMP, end_time TIMESTAMP, loaded_rows BIGINT, loaded_bytes BIGINT, "
    "source_file_count BIGINT, error_count BIGINT, file_format VARCHAR, error_message VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _redshift.committed (id VARCHAR, document VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _redshift.load_errors (query_id BIGINT, start_time TIMESTAMP, table_id "
    "BIGINT, "
    "table_name VARCHAR, file_name VARCHAR, line_number BIGINT, column_name VARCHAR, column_type VARCHAR, "
    "column_length VARCHAR, position BIGINT, raw_line VARCHAR, raw_field_value VARCHAR, error_code INTEGER, "
    "error_message VARCHAR)",
    "CREATE OR REPLACE MACRO _redshift.\"/\"(a, b) AS rs_divide(a, b)",
    "CREATE OR REPLACE MACRO _redshift.\"%\"(a, b) AS CASE WHEN b = 0 THEN error('Divide by zero') ELSE "
    "mod(a, b) END",
    "CREATE OR REPLACE MACRO _redshift.rs_regexp_instr(x, p) AS CASE WHEN regexp_matches(x, p) THEN "
    "strpos(x, "
    "regexp_extract(x, p)) ELSE 0 END",
    /* enum redshift_kind of a column that no declaration tells of */
    "CREATE OR REPLACE MACRO _redshift.rs_kind(t) AS CASE WHEN t = 'SMALLINT' THEN 0 WHEN t = 'INTEGER' THEN "
    "1 "
    "WHEN t IN ('BIGINT', 'HUGEINT') THEN 2 WHEN starts_with(t, 'DECIMAL') THEN 3 WHEN t = 'FLOAT' THEN 4 "
    "WHEN "
    "t = 'DOUBLE' THEN 5 WHEN t = 'BOOLEAN' THEN 6 WHEN t = 'DATE' THEN 9 WHEN t = 'TIMESTAMP' THEN 10 WHEN "
    "t = "
    "'TIMESTAMP WITH TIME ZONE' THEN 11 WHEN t = 'TIME' THEN 12 WHEN t = 'JSON' THEN 15 WHEN t = 'BLOB' THEN "
    "16 "
    "ELSE 8 END",
    "CREATE OR REPLACE MACRO _redshift.rs_type(t) AS CASE WHEN starts_with(t, 'DECIMAL') THEN 'numeric' ELSE "
    "CASE t WHEN "
    "'HUGEINT' THEN 'bigint' WHEN 'VARCHAR' THEN 'character varying' WHEN 'DOUBLE' THEN 'double precision' "
    "WHEN 'FLOAT' "
    "THEN 'real' WHEN 'TIMESTAMP' THEN 'timestamp without time zone' WHEN 'TIME' THEN 'time without time "
    "zone' WHEN "
    "'JSON' THEN 'super' WHEN 'BLOB' THEN 'binary varying' ELSE lower(t) END END",
    /* As in PostgreSQL, a place before the first counts. */
    "CREATE OR REPLACE MACRO _redshift.rs_substring(x, s) AS substr(x, greatest(CAST(s AS BIGINT), 1)), (x, "
    "s, n) AS "
    "CASE WHEN s >= 1 THEN substr(x, s, n) ELSE substr(x, 1, greatest(s + n - 1, 0)) END",
    NULL,
};
