#include "localcloud/athena_prelude.h"

#include "base/buf.h"
#include "base/text.h"
#include "localcloud/athena_value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TEXT_LIMIT (32u << 20)

static void give(struct duck_return *out, struct buf *text)
{
    if (text->overflow)
        duck_return_error(out, "EXCEEDED_MEMORY_LIMIT: a value is too long");
    else
        duck_return_text(out, text->data ? text->data : "", text->length);
    buf_free(text);
}

static void varchar(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct buf text;
    buf_init(&text, TEXT_LIMIT);
    athena_value_write(&text, arguments[0]);
    give(out, &text);
}

static void type_of(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct buf text;
    buf_init(&text, TEXT_LIMIT);
    athena_type_write(&text, arguments[0].type);
    give(out, &text);
}

static bool inexact(const struct duck_type *type)
{
    return type->kind == DUCK_DOUBLE || type->kind == DUCK_FLOAT;
}

/* Asked only where the divisor is 0: may one divide by it? */
static void divisor(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    if (inexact(arguments[0].type) || inexact(arguments[1].type))
        duck_return_int(out, 1);
    else
        duck_return_error(out, "DIVISION_BY_ZERO: Division by zero");
}

static bool equal(struct duck_value a, struct duck_value b)
{
    if (duck_is_null(a) || duck_is_null(b))
        return false;
    if (a.type->kind == DUCK_VARCHAR && b.type->kind == DUCK_VARCHAR) {
        size_t left, right;
        const char *x = duck_text(a, &left), *y = duck_text(b, &right);
        return left == right && memcmp(x, y, left) == 0;
    }
    if (inexact(a.type) || inexact(b.type))
        return duck_double(a) == duck_double(b);
    return duck_huge(a) == duck_huge(b);
}

/* a[i]: raises what Trino raises. */
static void subscript(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct duck_value container = arguments[0], key = arguments[1];
    size_t length = duck_length(container);
    if (container.type->kind == DUCK_MAP) {
        for (size_t i = 0; i < length; i++)
            if (equal(duck_map_key(container, i), key)) {
                duck_return_int(out, 1);
                return;
            }
        struct buf text;
        buf_init(&text, 200);
        athena_value_write(&text, key);
        duck_return_error(out, "INVALID_FUNCTION_ARGUMENT: Key not present in map: %s",
                          text.data ? text.data : "");
        buf_free(&text);
        return;
    }
    if (container.type->kind == DUCK_STRUCT)
        length = container.type->count;
    else if (container.type->kind != DUCK_LIST && container.type->kind != DUCK_ARRAY) {
        duck_return_error(out, "TYPE_MISMATCH: a subscript needs an array, a map or a row");
        return;
    }
    int64_t index = duck_int(key);
    if (index == 0)
        duck_return_error(out, "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1");
    else if (index < 0)
        duck_return_error(out, "INVALID_FUNCTION_ARGUMENT: Array subscript is negative: %lld",
                          (long long)index);
    else if ((uint64_t)index > length)
        duck_return_error(
            out,
            "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: "
            "%lld > %zu",
            (long long)index, length);
    else
        duck_return_int(out, 1);
}

static void cardinality(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    enum duck_kind kind = arguments[0].type->kind;
    if (kind == DUCK_LIST || kind == DUCK_ARRAY || kind == DUCK_MAP)
        duck_return_int(out, (int64_t)duck_length(arguments[0]));
    else
        duck_return_error(out, "TYPE_MISMATCH: cardinality needs an array or a map");
}

/* CAST(x AS BIGINT), half away from zero. */
static void whole(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct duck_value value = arguments[0];
    if (inexact(value.type)) {
        double number = round(duck_double(value));
        if (isnan(number) || number >= 9223372036854775808.0 || number < -9223372036854775808.0)
            duck_return_error(out, "INVALID_CAST_ARGUMENT: Cannot cast %s to bigint",
                              isnan(number) ? "NaN" : "a double out of range");
        else
            duck_return_int(out, (int64_t)number);
        return;
    }
    if (value.type->kind == DUCK_DECIMAL) {
        __int128 wide = duck_huge(value), unit = 1;
        for (int i = 0; i < value.type->scale; i++)
            unit *= 10;
        __int128 half = unit / 2;
        duck_return_int(out, (int64_t)((wide + (wide < 0 ? -half : half)) / unit));
        return;
    }
    if (value.type->kind != DUCK_VARCHAR) {
        __int128 wide = duck_huge(value);
        if (wide > INT64_MAX || wide < INT64_MIN)
            duck_return_error(out, "NUMERIC_VALUE_OUT_OF_RANGE: bigint overflow");
        else
            duck_return_int(out, (int64_t)wide);
        return;
    }
    size_t length;
    const char *text = duck_text(value, &length);
    char digits[32];
    int64_t number;
    size_t sign = length > 0 && text[0] == '+';
    if (length - sign < sizeof digits && length > sign) {
        memcpy(digits, text + sign, length - sign);
        digits[length - sign] = '\0';
        if ((isdigit((unsigned char)digits[0]) || (digits[0] == '-' && !sign)) &&
            text_parse_int(digits, INT64_MIN, INT64_MAX, &number)) {
            duck_return_int(out, number);
            return;
        }
    }
    char shown[120];
    text_sanitise(shown, sizeof shown, text, length);
    duck_return_error(out, "INVALID_CAST_ARGUMENT: Cannot cast '%s' to BIGINT", shown);
}

/* concat() is for text; a number must be cast by whoever wants it. */
static void textual(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    enum duck_kind kind = arguments[0].type->kind;
    if (kind == DUCK_VARCHAR || kind == DUCK_SQLNULL) {
        if (duck_is_null(arguments[0]))
            return;
        size_t length;
        const char *text = duck_text(arguments[0], &length);
        duck_return_text(out, text, length);
        return;
    }
    struct buf type;
    buf_init(&type, 200);
    athena_type_write(&type, arguments[0].type);
    duck_return_error(
        out, "TYPE_MISMATCH: Unexpected parameters (%s) for function concat. Expected: concat(varchar)",
        type.data ? type.data : "");
    buf_free(&type);
}

/* Great-circle distance in kilometres on Trino's sphere of 6371.01 km, by the arctangent form (Vincenty). */
static void great_circle(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    const double radian = 3.14159265358979323846 / 180;
    double lat1 = duck_double(arguments[0]) * radian, lon1 = duck_double(arguments[1]) * radian;
    double lat2 = duck_double(arguments[2]) * radian, lon2 = duck_double(arguments[3]) * radian;
    double delta = lon1 - lon2;
    double a = cos(lat2) * sin(delta);
    double b = cos(lat1) * sin(lat2) - sin(lat1) * cos(lat2) * cos(delta);
    double c = sin(lat1) * sin(lat2) + cos(lat1) * cos(lat2) * cos(delta);
    duck_return_double(out, atan2(sqrt(a * a + b * b), c) * 6371.01);
}

static const struct duck_function functions[] = {
    {"athena_varchar", DUCK_VARCHAR, varchar, false, {DUCK_ANY}},
    {"athena_typeof", DUCK_VARCHAR, type_of, true, {DUCK_ANY}},
    {"athena_divisor", DUCK_BOOLEAN, divisor, false, {DUCK_ANY, DUCK_ANY}},
    {"athena_check", DUCK_BOOLEAN, subscript, false, {DUCK_ANY, DUCK_ANY}},
    {"athena_cardinality", DUCK_BIGINT, cardinality, false, {DUCK_ANY}},
    {"athena_whole", DUCK_BIGINT, whole, false, {DUCK_ANY}},
    {"athena_textual", DUCK_VARCHAR, textual, true, {DUCK_ANY}},
    {"athena_great_circle",
     DUCK_DOUBLE,
     great_circle,
     false,
     {DUCK_DOUBLE, DUCK_DOUBLE, DUCK_DOUBLE, DUCK_DOUBLE}},
    {0}};

#define COMPARE(name, sign)                                                                                  \
    "athena_" name "(a, b, place) AS CASE WHEN athena_comparable(typeof(a), typeof(b), place, '" sign        \
    "') THEN a " sign " b END"
#define BETWEEN                                                                                              \
    "(x, a, b, place) AS CASE WHEN athena_comparable(typeof(x), typeof(a), place, 'BETWEEN') AND "           \
    "athena_comparable(typeof(x), typeof(b), place, 'BETWEEN') THEN x "

/* The operators are macros of the same name: DuckDB's binder looks in the schema main before the system's. In
 * their bodies stand the engine's own names for them (divide, mod, add, subtract). */
static const char *const macros[] = {
    COMPARE("eq", "="),
    COMPARE("ne", "<>"),
    COMPARE("lt", "<"),
    COMPARE("le", "<="),
    COMPARE("gt", ">"),
    COMPARE("ge", ">="),
    "athena_between" BETWEEN "BETWEEN a AND b END",
    "athena_not_between" BETWEEN "NOT BETWEEN a AND b END",
    "\"||\"(a, b) AS CASE WHEN athena_joins(typeof(a), typeof(b)) THEN system.main.\"||\"(a, b) END",
    /* Of one form only, whatever the types: the engine cannot choose between several when an aggregate stands
     * in them. The type of a division by zero is that of the function of the nearest overload. */
    "\"/\"(a, b) AS CASE WHEN NOT athena_divides(typeof(a), typeof(b), '/') THEN NULL WHEN b <> 0 THEN "
    "divide(a, "
    "b) "
    "ELSE athena_by_zero(a, b) END",
    "\"%\"(a, b) AS CASE WHEN NOT athena_divides(typeof(a), typeof(b), '%') THEN NULL WHEN b <> 0 THEN "
    "mod(a, b) WHEN athena_divisor(a, b) THEN mod(a, b) END",
    "\"+\"(a, b) AS system.main.\"+\"(a, b), (a) AS a",
    "\"-\"(a, b) AS CASE WHEN athena_subtracts(typeof(b)) THEN system.main.\"-\"(a, b) END, (a) AS "
    "system.main.\"-\"(a)",
    "athena_plus(a, b) AS athena_as_before(a, system.main.\"+\"(a, b))",
    "athena_minus(a, b) AS athena_as_before(a, system.main.\"-\"(a, b))",
    "athena_subscript(a, i) AS CASE WHEN athena_check(a, i) THEN (a)[i] END",
    "athena_element_at(a, i) AS (a)[i]",
    "athena_of_all(is_null, value) AS CASE WHEN is_null THEN NULL ELSE value END",
    "athena_substr(s, i) AS CASE WHEN i = 0 OR i < -length(s) THEN '' ELSE substr(s, i) END, "
    "(s, i, n) AS CASE WHEN i = 0 OR i < -length(s) OR n <= 0 THEN '' ELSE substr(s, i, n) END",
    "athena_split_part(s, d, n) AS CASE WHEN n <= len(string_split(s, d)) THEN split_part(s, d, n) END",
    "athena_regexp_extract(s, p, g) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END",
    "athena_json_scalar(j, p) AS CASE WHEN TRY(json_type(j, p)) NOT IN ('ARRAY', 'OBJECT', 'NULL') THEN "
    "json_extract_string(j, p) END",
    "athena_percentile(x, p) AS quantile_disc(x, p)",
    "athena_width_bucket(x, low, high, n) AS CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1 ELSE "
    "CAST(floor(divide(CAST(n AS DOUBLE) * (x - low), CAST(high AS DOUBLE) - low)) AS BIGINT) + 1 END",
    "athena_current_timestamp() AS date_trunc('millisecond', now())",
    "athena_localtimestamp() AS CAST(date_trunc('millisecond', now()) AS TIMESTAMP)",
    "athena_current_date() AS CAST(now() AS DATE)",
    "athena_unit(u) AS lower(u)",
};

int athena_prelude(struct duck_connection *connection, struct err *err)
{
    if (duck_register(connection, functions, err) != 0 ||
        duck_register(connection, athena_time_functions, err) != 0 ||
        duck_register(connection, athena_check_functions, err) != 0 ||
        duck_register(connection, athena_lazy_functions, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++) {
        char sql[1200];
        snprintf(sql, sizeof sql, "CREATE MACRO %s", macros[i]);
        if (duck_exec(connection, sql, err) != 0)
            return err_prefix(err, "macro %.30s", macros[i]);
    }
    return 0;
}
