/*
 * What Trino refuses and the engine would cast in silence: '1' = 1, coalesce(1, 'a'), 'a' || 1. The rewriter
 * puts a call of these round the operators, with typeof() of the operands, which the engine knows when it
 * binds; so the call is a constant, it is gone before the query is planned, and filters reach the files as if
 * it had not been there. Where the types do not go together it stays, and fails with the first row.
 */
#include "localcloud/athena_prelude.h"

#include "base/buf.h"

#include <ctype.h>
#include <string.h>

#define SEQUENCE_MAX 10000 /* entries, as in Trino */

struct text {
    const char *at;
    size_t length;
};

static struct text text_of(struct duck_value value)
{
    struct text text;
    text.at = duck_text(value, &text.length);
    return text;
}

static bool begins(struct text text, const char *with)
{
    size_t length = strlen(with);
    return text.length >= length && memcmp(text.at, with, length) == 0;
}

/* Types of one family compare with each other. */
enum family {
    UNTYPED,
    NUMBER,
    TEXT,
    BOOLEAN,
    DATE,
    TIME,
    BINARY,
    JSON,
    INTERVAL,
    UUID,
    LIST,
    MAP,
    ROW,
    OTHER
};

static enum family family_of(struct text type)
{
    static const struct {
        const char *name;
        enum family family;
    } names[] = {{"\"NULL\"", UNTYPED}, {"TINYINT", NUMBER}, {"SMALLINT", NUMBER},   {"INTEGER", NUMBER},
                 {"BIGINT", NUMBER},    {"HUGEINT", NUMBER}, {"UTINYINT", NUMBER},   {"USMALLINT", NUMBER},
                 {"UINTEGER", NUMBER},  {"UBIGINT", NUMBER}, {"UHUGEINT", NUMBER},   {"FLOAT", NUMBER},
                 {"DOUBLE", NUMBER},    {"DECIMAL", NUMBER}, {"VARCHAR", TEXT},      {"ENUM", TEXT},
                 {"BOOLEAN", BOOLEAN},  {"DATE", DATE},      {"TIMESTAMP", DATE},    {"TIME", TIME},
                 {"BLOB", BINARY},      {"JSON", JSON},      {"INTERVAL", INTERVAL}, {"UUID", UUID},
                 {"MAP(", MAP},         {"STRUCT(", ROW}};
    if (type.length > 0 && type.at[type.length - 1] == ']')
        return LIST;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (begins(type, names[i].name))
            return names[i].family;
    return OTHER;
}

static void show(struct buf *out, struct text type)
{
    static const char *const words[][2] = {{"\"NULL\"", "unknown"},
                                           {"FLOAT", "real"},
                                           {"HUGEINT", "bigint"},
                                           {"BLOB", "varbinary"},
                                           {"TIMESTAMP WITH TIME ZONE", "timestamp(3) with time zone"},
                                           {"TIMESTAMP", "timestamp(3)"},
                                           {"INTERVAL", "interval day to second"}};
    if (type.length > 2 && memcmp(type.at + type.length - 2, "[]", 2) == 0) {
        buf_text(out, "array(");
        show(out, (struct text){type.at, type.length - 2});
        buf_char(out, ')');
        return;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (begins(type, words[i][0]) && strlen(words[i][0]) == type.length) {
            buf_text(out, words[i][1]);
            return;
        }
    bool row = begins(type, "STRUCT(");
    buf_text(out, row ? "row" : "");
    for (size_t i = row ? 6 : 0; i < type.length; i++)
        buf_char(out, (char)tolower((unsigned char)type.at[i]));
}

static bool together(enum family a, enum family b)
{
    return a == b || a == UNTYPED || b == UNTYPED || a == OTHER || b == OTHER;
}

static void refuse(struct duck_return *out, struct text left, struct text right, struct text place,
                   struct text sign)
{
    struct buf shown;
    buf_init(&shown, 600);
    show(&shown, left);
    buf_char(&shown, ' ');
    buf_append(&shown, sign.at, sign.length);
    buf_char(&shown, ' ');
    show(&shown, right);
    duck_return_error(out, "TYPE_MISMATCH: %.*sCannot apply operator: %s", (int)place.length, place.at,
                      shown.data ? shown.data : "");
    buf_free(&shown);
}

/* (type, type, place, operator) */
static void comparable(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct text left = text_of(arguments[0]), right = text_of(arguments[1]), place = text_of(arguments[2]),
                sign = text_of(arguments[3]);
    if (together(family_of(left), family_of(right)))
        duck_return_int(out, 1);
    else
        refuse(out, left, right, place, sign);
}

/* ([type, …], what) */
static void alike(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct text what = text_of(arguments[1]), first = {0};
    for (size_t i = 0; i < duck_length(arguments[0]); i++) {
        struct text type = text_of(duck_element(arguments[0], i));
        if (family_of(type) == UNTYPED)
            continue;
        if (!first.at)
            first = type;
        if (together(family_of(first), family_of(type)))
            continue;
        struct buf a, b;
        buf_init(&a, 300);
        buf_init(&b, 300);
        show(&a, first);
        show(&b, type);
        duck_return_error(
            out,
            "TYPE_MISMATCH: All %.*s must be the same type or coercible to a common type. Cannot "
            "find common type between %s and %s",
            (int)what.length, what.at, a.data ? a.data : "", b.data ? b.data : "");
        buf_free(&a);
        buf_free(&b);
        return;
    }
    duck_return_int(out, 1);
}

/* (type, "line 1:8: WHERE") */
static void logical(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct text type = text_of(arguments[0]), what = text_of(arguments[1]);
    enum family family = family_of(type);
    if (family == BOOLEAN || family == UNTYPED) {
        duck_return_int(out, 1);
        return;
    }
    struct buf shown;
    buf_init(&shown, 300);
    show(&shown, type);
    duck_return_error(out, "TYPE_MISMATCH: %.*s clause must evaluate to a boolean: actual type %s",
                      (int)what.length, what.at, shown.data ? shown.data : "");
    buf_free(&shown);
}

/* (type, type) of || */
static void joins(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct text left = text_of(arguments[0]), right = text_of(arguments[1]);
    enum family a = family_of(left), b = family_of(right);
    bool fine = together(a, b) && (a == TEXT || a == LIST || a == BINARY || a == UNTYPED) &&
                (b == TEXT || b == LIST || b == BINARY || b == UNTYPED);
    if (fine) {
        duck_return_int(out, 1);
        return;
    }
    struct buf x, y;
    buf_init(&x, 300);
    buf_init(&y, 300);
    show(&x, left);
    show(&y, right);
    duck_return_error(out, "TYPE_MISMATCH: Unexpected parameters (%s, %s) for function concat",
                      x.data ? x.data : "", y.data ? y.data : "");
    buf_free(&x);
    buf_free(&y);
}

/* (type, type, sign) of / and %: what decimals give in Trino depends on their digits, and is not done here.
 */
static void divides(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct text left = text_of(arguments[0]), right = text_of(arguments[1]);
    bool inexact =
        begins(left, "DOUBLE") || begins(left, "FLOAT") || begins(right, "DOUBLE") || begins(right, "FLOAT");
    enum family a = family_of(left), b = family_of(right);
    struct text sign = text_of(arguments[2]);
    if (a == TEXT || b == TEXT || a == DATE || b == DATE || a == BOOLEAN || b == BOOLEAN)
        refuse(out, left, right, (struct text){"", 0}, sign);
    else if (*sign.at == '/' && !inexact && (begins(left, "DECIMAL") || begins(right, "DECIMAL")))
        duck_return_error(out, "NOT_SUPPORTED: division of decimals is not emulated locally: cast to double");
    else
        duck_return_int(out, 1);
}

/* (type) of what is subtracted. */
static void subtracts(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct text type = text_of(arguments[0]);
    if (type.length == 4 && begins(type, "DATE"))
        duck_return_error(out, "NOT_SUPPORTED: a date less a date is not emulated locally: use date_diff");
    else
        duck_return_int(out, 1);
}

/* a / 0, called only then: by its overloads it has the type that divide() has. */
static void by_zero(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    enum duck_kind kind = arguments[0].type->kind;
    if (kind == DUCK_DOUBLE || kind == DUCK_FLOAT)
        duck_return_double(out, duck_double(arguments[0]) / duck_double(arguments[1]));
    else
        duck_return_error(out, "DIVISION_BY_ZERO: Division by zero");
}

/* (a, a with an interval added): a date stays a date. */
static void as_before(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    int64_t us = duck_int(arguments[1]), day = 86400000000LL;
    if (arguments[0].type->kind == DUCK_DATE)
        duck_return_int(out, us / day - (us % day < 0));
    else
        duck_return_int(out, us);
}

/* (start, stop, step) of sequence(): in time, about. */
static void entries(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    double span = duck_double(arguments[1]) - duck_double(arguments[0]), step = duck_double(arguments[2]);
    if (arguments[2].type->kind == DUCK_INTERVAL) {
        int32_t months, days;
        int64_t us;
        duck_interval(arguments[2], &months, &days, &us);
        step = ((double)months * 30 + days) * 86400e6 + (double)us;
        span = (double)duck_int(arguments[1]) - (double)duck_int(arguments[0]);
        span *= arguments[0].type->kind == DUCK_DATE ? 86400e6 : 1;
    }
    if (step == 0)
        duck_return_error(out, "INVALID_FUNCTION_ARGUMENT: step must not be zero");
    else if (span / step >= SEQUENCE_MAX)
        duck_return_error(out,
                          "INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than %d "
                          "entries",
                          SEQUENCE_MAX);
    else if (span / step < 0)
        duck_return_error(out,
                          "INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal "
                          "to start value if step is greater than zero otherwise stop should be less than "
                          "or equal to start");
    else
        duck_return_int(out, 1);
}

#define BY_ZERO(kind)                                                                                        \
    {                                                                                                        \
        "athena_by_zero", kind, by_zero, false,                                                              \
        {                                                                                                    \
            kind, kind                                                                                       \
        }                                                                                                    \
    }

const struct duck_function athena_check_functions[] = {
    {"athena_as_before", DUCK_DATE, as_before, false, {DUCK_DATE, DUCK_TIMESTAMP}},
    {"athena_as_before", DUCK_TIMESTAMP, as_before, false, {DUCK_TIMESTAMP, DUCK_TIMESTAMP}},
    {"athena_as_before", DUCK_TIMESTAMP_TZ, as_before, false, {DUCK_TIMESTAMP_TZ, DUCK_TIMESTAMP_TZ}},
    {"athena_as_before", DUCK_TIME, as_before, false, {DUCK_TIME, DUCK_TIME}},
    BY_ZERO(DUCK_TINYINT),
    BY_ZERO(DUCK_SMALLINT),
    BY_ZERO(DUCK_INTEGER),
    BY_ZERO(DUCK_BIGINT),
    BY_ZERO(DUCK_HUGEINT),
    BY_ZERO(DUCK_FLOAT),
    BY_ZERO(DUCK_DOUBLE),
    {"athena_entries", DUCK_BOOLEAN, entries, false, {DUCK_ANY, DUCK_ANY, DUCK_ANY}},
    {"athena_divides", DUCK_BOOLEAN, divides, false, {DUCK_VARCHAR, DUCK_VARCHAR, DUCK_VARCHAR}},
    {"athena_subtracts", DUCK_BOOLEAN, subtracts, false, {DUCK_VARCHAR}},
    {"athena_alike", DUCK_BOOLEAN, alike, false, {DUCK_ANY, DUCK_VARCHAR}},
    {"athena_comparable",
     DUCK_BOOLEAN,
     comparable,
     false,
     {DUCK_VARCHAR, DUCK_VARCHAR, DUCK_VARCHAR, DUCK_VARCHAR}},
    {"athena_logical", DUCK_BOOLEAN, logical, false, {DUCK_VARCHAR, DUCK_VARCHAR}},
    {"athena_joins", DUCK_BOOLEAN, joins, false, {DUCK_VARCHAR, DUCK_VARCHAR}},
    {0}};
