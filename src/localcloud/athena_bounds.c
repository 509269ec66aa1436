#include "localcloud/athena_bounds.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX 1024 /* a longer literal is not understood */
#define DAY_MS   86400000

enum comparison { EQUAL, UNEQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

/* A literal, in every form that it has. */
struct value {
    bool is_int, is_double, is_text, is_date, is_time;
    int64_t number; /* days of a date, microseconds of a time */
    double real;
    char text[TEXT_MAX];
    size_t length;
};

static bool parse_time(const char *text, size_t length, int64_t *micros)
{
    char whole[40];
    int64_t ms, fraction = 0;
    if (length < 19 || length > 26 || text[10] != ' ' || (length > 19 && text[19] != '.'))
        return false;
    snprintf(whole, sizeof whole, "%.10sT%.8sZ", text, text + 11);
    if (!text_parse_time(whole, 20, &ms))
        return false;
    for (size_t i = 20; i < 26; i++)
        fraction = fraction * 10 + (i < length && isdigit((unsigned char)text[i]) ? text[i] - '0' : 0);
    *micros = ms * 1000 + fraction;
    return true;
}

static const char *parse_quoted(const char *at, struct value *value)
{
    for (at++; *at && !(at[0] == '\'' && at[1] != '\''); at++) {
        if (value->length == TEXT_MAX - 1)
            return NULL;
        value->text[value->length++] = *at;
        at += *at == '\'';
    }
    if (*at != '\'')
        return NULL;
    value->text[value->length] = '\0';
    at++;
    if (strncmp(at, "::DATE", 6) == 0) {
        char whole[40];
        int64_t ms;
        snprintf(whole, sizeof whole, "%.10sT00:00:00Z", value->text);
        value->is_date = value->length == 10 && text_parse_time(whole, strlen(whole), &ms);
        value->number = value->is_date ? (ms - ((ms % DAY_MS) + DAY_MS) % DAY_MS) / DAY_MS : 0;
        return at + 6;
    }
    if (strncmp(at, "::TIMESTAMP", 11) == 0) {
        value->is_time = parse_time(value->text, value->length, &value->number);
        return at + 11;
    }
    value->is_text = true;
    return at;
}

/* Where it ends; NULL when it is not understood. */
static const char *parse_value(const char *at, struct value *value)
{
    memset(value, 0, offsetof(struct value, text));
    value->length = 0;
    if (*at == '\'')
        return parse_quoted(at, value);
    char *end, *end_of_int;
    value->real = strtod(at, &end);
    if (end == at || !strchr("-0123456789", *at))
        return NULL;
    value->is_double = true;
    value->number = strtoll(at, &end_of_int, 10);
    value->is_int = end_of_int == end && value->number != INT64_MAX && value->number != INT64_MIN;
    return end;
}

/* -1 below all, 0 among them, 1 above all: where the value lies; *only: nothing but it can be there. */
static bool place(const struct parquet_chunk *chunk, enum parquet_order order, const struct value *value,
                  int *low, int *high)
{
    int64_t scale = order == PARQUET_MILLIS ? 1000 : 1, number = value->number;
    switch (order) {
    case PARQUET_TEXT:
        if (!value->is_text)
            return false;
        for (int i = 0; i < 2; i++) {
            const char *bound = i ? chunk->high_text : chunk->low_text;
            size_t length = i ? chunk->high_length : chunk->low_length,
                   both = length < value->length ? length : value->length;
            int compared = memcmp(value->text, bound, both);
            *(i ? high : low) = compared ? compared : (value->length > length) - (value->length < length);
        }
        return true;
    case PARQUET_DOUBLE:
        if (!value->is_double)
            return false;
        *low = (value->real > chunk->low_double) - (value->real < chunk->low_double);
        *high = (value->real > chunk->high_double) - (value->real < chunk->high_double);
        return true;
    case PARQUET_INT:
    case PARQUET_DATE:
    case PARQUET_MILLIS:
    case PARQUET_MICROS:
        if (order == PARQUET_INT ? !value->is_int : order == PARQUET_DATE ? !value->is_date : !value->is_time)
            return false;
        if (chunk->low < INT64_MIN / scale || chunk->high > INT64_MAX / scale)
            return false;
        *low = (number > chunk->low * scale) - (number < chunk->low * scale);
        *high = (number > chunk->high * scale) - (number < chunk->high * scale);
        return true;
    case PARQUET_UNORDERED:
    default:
        return false;
    }
}

static bool can_hold(const struct parquet_chunk *chunk, enum parquet_order order, enum comparison comparison,
                     const struct value *value)
{
    int low, high;
    if (!chunk->bounded || !place(chunk, order, value, &low, &high))
        return true;
    switch (comparison) {
    case EQUAL:
        return low >= 0 && high <= 0;
    case UNEQUAL: /* bounds of texts may be shortened */
        return order == PARQUET_TEXT || low != 0 || high != 0;
    case LESS:
        return low > 0;
    case LESS_EQUAL:
        return low >= 0;
    case GREATER:
        return high < 0;
    case GREATER_EQUAL:
    default:
        return high <= 0;
    }
}

static const char *spaces(const char *at)
{
    while (*at == ' ')
        at++;
    return at;
}

/* column IN (a, b), behind the parenthesis. */
static bool in_list(const struct parquet_chunk *chunk, enum parquet_order order, const char *at)
{
    bool any = false;
    struct value value;
    for (;;) {
        at = parse_value(spaces(at), &value);
        if (!at)
            return true;
        any = any || can_hold(chunk, order, EQUAL, &value);
        at = spaces(at);
        if (*at != ',')
            return *at == ')' && !*spaces(at + 1) ? any : true;
        at++;
    }
}

static bool pass_one(const struct parquet_file *file, const struct parquet_group *group, const char *filter)
{
    static const struct {
        const char *text;
        enum comparison comparison;
    } comparisons[] = {{">=", GREATER_EQUAL}, {"<=", LESS_EQUAL}, {"!=", UNEQUAL},
                       {"=", EQUAL},          {"<", LESS},        {">", GREATER}};
    for (size_t i = 0; i < file->leaf_count; i++) {
        size_t length = strlen(file->leaves[i].name);
        if (strncasecmp(filter, file->leaves[i].name, length) != 0)
            continue;
        const char *at = spaces(filter + length);
        const struct parquet_chunk *chunk = &group->chunks[i];
        enum parquet_order order = file->leaves[i].order;
        if (strncmp(at, "IN (", 4) == 0)
            return !chunk->bounded || in_list(chunk, order, at + 4);
        for (size_t j = 0; j < sizeof comparisons / sizeof *comparisons; j++) {
            size_t size = strlen(comparisons[j].text);
            struct value value;
            if (strncmp(at, comparisons[j].text, size) != 0)
                continue;
            at = parse_value(spaces(at + size), &value);
            return !at || *spaces(at) || can_hold(chunk, order, comparisons[j].comparison, &value);
        }
    }
    return true;
}

/* The next `word` outside of quotes. */
static const char *find_word(const char *text, const char *word)
{
    bool quoted = false;
    for (; *text; text++) {
        quoted ^= *text == '\'';
        if (!quoted && strncmp(text, word, strlen(word)) == 0)
            return text;
    }
    return NULL;
}

bool athena_bounds_pass(const struct parquet_file *file, const struct parquet_group *group,
                        const char *filter)
{
    if (strncmp(filter, "optional: ", 10) == 0)
        filter += 10;
    size_t length = strlen(filter);
    if (find_word(filter, " OR "))
        return true;
    char *copy = mem_alloc(length + 1), *at = copy;
    memcpy(copy, filter, length + 1);
    if (length > 2 && copy[0] == '(' && copy[length - 1] == ')' && !strchr(copy + 1, '(')) {
        copy[length - 1] = '\0';
        at++;
    }
    bool pass = true;
    while (at && pass) {
        char *and = (char *)(uintptr_t)find_word(at, " AND ");
        if (and)
            *and = '\0';
        pass = pass_one(file, group, at);
        at = and? and+5 : NULL;
    }
    free(copy);
    return pass;
}

bool athena_bounds_mention(const char *text, const char *column, size_t length)
{
    for (const char *at = text; *at; at++) {
        bool begins = at == text || !(isalnum((unsigned char)at[-1]) || strchr("_$", at[-1]));
        if (begins && strncasecmp(at, column, length) == 0 &&
            !(isalnum((unsigned char)at[length]) || at[length] == '_' || at[length] == '$'))
            return true;
    }
    return false;
}
