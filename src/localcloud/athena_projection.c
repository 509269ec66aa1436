#include "localcloud/athena_projection.h"

#include "base/text.h"
#include "localcloud/athena_task.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTITIONS_MAX 1000000 /* that one query may look at */

struct projection {
    const json_t *table, *keys, *parameters;
    const struct athena_prune *prune;
    int64_t now_ms;
    struct athena_failure *failure;
};

bool athena_projection_is(const json_t *table)
{
    return text_equal_fold(athena_member(json_object_get(table, "Parameters"), "projection.enabled"),
                           "true") &&
           json_array_size(json_object_get(table, "PartitionKeys")) > 0;
}

static const char *key_name(const struct projection *p, size_t key)
{
    return athena_member(json_array_get(p->keys, key), "Name");
}

/* projection.KEY.NAME; "" when it is not there. */
static const char *property(const struct projection *p, size_t key, const char *name)
{
    char whole[400];
    snprintf(whole, sizeof whole, "projection.%.255s.%s", key_name(p, key), name);
    return athena_member(p->parameters, whole);
}

static int wrong(const struct projection *p, size_t key, const char *name)
{
    return athena_fail(p->failure, "INVALID_TABLE_PROPERTY",
                       "Table %.100s is configured for partition projection, but column %.100s has no valid "
                       "projection.%.100s.%s",
                       athena_member(p->table, "Name"), key_name(p, key), key_name(p, key), name);
}

/* ---- values of one key ------------------------------------------------------------------------------ */

static int add_value(const struct projection *p, size_t key, const char *value, json_t *values)
{
    if (json_array_size(values) >= PARTITIONS_MAX)
        return athena_fail(p->failure, "NOT_SUPPORTED",
                           "Partition projection of column %.100s gives more than %d values",
                           key_name(p, key), PARTITIONS_MAX);
    if (athena_prune_wants_value(p->prune, key, value))
        json_array_append_new(values, json_string(value));
    return 0;
}

/* The next part of a list with commas, trimmed. False at the end. */
static bool next_part(const char **at, char *part, size_t size)
{
    while (**at == ' ' || **at == ',')
        ++*at;
    if (!**at)
        return false;
    size_t length = strcspn(*at, ",");
    const char *begin = *at;
    *at += length;
    while (length > 0 && begin[length - 1] == ' ')
        length--;
    snprintf(part, size, "%.*s", (int)length, begin);
    return true;
}

static int enum_values(const struct projection *p, size_t key, json_t *values)
{
    const char *at = property(p, key, "values");
    char part[1024];
    int result = *at ? 0 : wrong(p, key, "values");
    while (result == 0 && next_part(&at, part, sizeof part))
        result = add_value(p, key, part, values);
    return result;
}

static int integer_values(const struct projection *p, size_t key, json_t *values)
{
    const char *at = property(p, key, "range");
    char low_text[64], high_text[64], value[64];
    int64_t low, high, step = 1, digits = 0;
    if (!next_part(&at, low_text, sizeof low_text) || !next_part(&at, high_text, sizeof high_text) ||
        !text_parse_int(low_text, INT64_MIN / 2, INT64_MAX / 2, &low) ||
        !text_parse_int(high_text, low, INT64_MAX / 2, &high))
        return wrong(p, key, "range");
    if (*property(p, key, "interval") &&
        !text_parse_int(property(p, key, "interval"), 1, INT64_MAX / 4, &step))
        return wrong(p, key, "interval");
    if (*property(p, key, "digits") && !text_parse_int(property(p, key, "digits"), 1, 18, &digits))
        return wrong(p, key, "digits");
    if ((high - low) / step >= 100LL * PARTITIONS_MAX)
        return wrong(p, key, "range");
    int result = 0;
    for (int64_t number = low; number <= high && result == 0; number += step) {
        snprintf(value, sizeof value, "%0*lld", (int)digits, (long long)number);
        result = add_value(p, key, value, values);
    }
    return result;
}

/* ---- dates ------------------------------------------------------------------------------------------ */

enum unit { SECONDS, MINUTES, HOURS, DAYS, WEEKS, MONTHS, YEARS, UNITS };
static const char *const unit_names[UNITS] = {"SECONDS", "MINUTES", "HOURS", "DAYS",
                                              "WEEKS",   "MONTHS",  "YEARS"};
static const int64_t unit_ms[UNITS] = {1000, 60000, 3600000, 86400000, 7 * 86400000LL, 0, 0};

static bool parse_unit(const char *text, enum unit *unit)
{
    for (int i = 0; i < UNITS; i++) {
        char singular[16];
        snprintf(singular, sizeof singular, "%.*s", (int)strlen(unit_names[i]) - 1, unit_names[i]);
        if (text_equal_fold(text, unit_names[i]) || text_equal_fold(text, singular)) {
            *unit = (enum unit)i;
            return true;
        }
    }
    return false;
}

/* "2026-01-12T08:14:32": year, month … second. */
static void split_time(int64_t ms, int64_t fields[6])
{
    static const struct {
        int at, length;
    } places[6] = {{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}};
    char text[TEXT_TIME_SIZE], part[8];
    text_time(text, ms);
    for (int i = 0; i < 6; i++) {
        snprintf(part, sizeof part, "%.*s", places[i].length, text + places[i].at);
        (void)text_parse_int(part, 0, 9999, &fields[i]);
    }
}

static bool join_time(const int64_t fields[6], int64_t *ms)
{
    char text[40];
    int length = snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)fields[0], (int)fields[1],
                          (int)fields[2], (int)fields[3], (int)fields[4], (int)fields[5]);
    return text_parse_time(text, (size_t)length, ms);
}

static bool add_units(int64_t *ms, enum unit unit, int64_t count)
{
    if (unit < MONTHS) {
        *ms += unit_ms[unit] * count;
        return true;
    }
    int64_t fields[6];
    split_time(*ms, fields);
    int64_t months = fields[0] * 12 + fields[1] - 1 + count * (unit == YEARS ? 12 : 1);
    fields[0] = months / 12;
    fields[1] = months % 12 + 1;
    for (int day = 0; day < 4; day++, fields[2]--) /* 31 January and a month: 28 February */
        if (months > 0 && fields[0] <= 9999 && join_time(fields, ms))
            return true;
    return false;
}

/* Letters of a pattern of Java's, and the field each stands for. */
static int field_of(char letter)
{
    static const char letters[] = "yMdHms";
    const char *at = letter ? strchr(letters, letter) : NULL;
    return letter == 'u' ? 0 : at ? (int)(at - letters) : -1;
}

/* Writes `fields` by the pattern, or, with `text`, reads them. False when it does not fit. */
static bool by_pattern(const char *pattern, int64_t fields[6], const char *text, struct buf *out)
{
    while (*pattern) {
        if (*pattern == '\'') {
            const char *end = strchr(pattern + 1, '\'');
            size_t length = end ? (size_t)(end - pattern - 1) : 0;
            if (!end || (text && strncmp(text, pattern + 1, length) != 0))
                return false;
            if (text)
                text += length;
            else
                buf_append(out, pattern + 1, length);
            pattern = end + 1;
            continue;
        }
        size_t length = 1;
        while (pattern[length] == *pattern)
            length++;
        int field = field_of(*pattern);
        if (field < 0 && isalpha((unsigned char)*pattern))
            return false;
        if (field < 0) {
            if (text && *text++ != *pattern)
                return false;
            if (!text)
                buf_char(out, *pattern);
            pattern++;
            continue;
        }
        if (!text) {
            buf_printf(out, "%0*lld", (int)length,
                       (long long)(field == 0 && length == 2 ? fields[0] % 100 : fields[field]));
        } else {
            char digits[8];
            size_t count = 0;
            while (count < (length == 1 ? 2 : length) && count < 7 && isdigit((unsigned char)text[count]))
                count++;
            snprintf(digits, sizeof digits, "%.*s", (int)count, text);
            if (count == 0 || !text_parse_int(digits, 0, 9999, &fields[field]))
                return false;
            if (field == 0 && length == 2)
                fields[0] += 2000;
            text += count;
        }
        pattern += length;
    }
    return !text || !*text;
}

/* NOW, NOW-3YEARS, or a date by the pattern. */
static bool parse_bound(const struct projection *p, const char *text, const char *pattern, int64_t *ms)
{
    if (text_prefix_fold(text, "NOW")) {
        const char *at = text + 3;
        char digits[24];
        int64_t count;
        enum unit unit;
        *ms = p->now_ms;
        while (*at == ' ')
            at++;
        if (!*at)
            return true;
        size_t length = 1 + strspn(at + 1, " 0123456789"), written = 0;
        for (size_t i = 1; i < length && written < 20; i++)
            if (at[i] != ' ')
                digits[written++] = at[i];
        digits[written] = '\0';
        return (*at == '-' || *at == '+') && text_parse_int(digits, 0, 1000000, &count) &&
               parse_unit(at + length, &unit) && add_units(ms, unit, *at == '-' ? -count : count);
    }
    int64_t fields[6] = {1970, 1, 1, 0, 0, 0};
    return by_pattern(pattern, fields, text, NULL) && join_time(fields, ms);
}

static int date_values(const struct projection *p, size_t key, json_t *values)
{
    const char *pattern = property(p, key, "format"), *at = property(p, key, "range");
    char low_text[128], high_text[128];
    int64_t low, high, step = 1, fields[6];
    if (!*pattern)
        return wrong(p, key, "format");
    if (!next_part(&at, low_text, sizeof low_text) || !next_part(&at, high_text, sizeof high_text) ||
        !parse_bound(p, low_text, pattern, &low) || !parse_bound(p, high_text, pattern, &high))
        return wrong(p, key, "range");
    /* The smallest part of the pattern is the unit when none is given; below days one must be. */
    enum unit unit = strchr(pattern, 'd') ? DAYS : strchr(pattern, 'M') ? MONTHS : YEARS;
    bool fine = strpbrk(pattern, "Hms") != NULL;
    const char *given = property(p, key, "interval.unit");
    if ((*given && !parse_unit(given, &unit)) || (fine && !*given))
        return wrong(p, key, "interval.unit");
    if (*property(p, key, "interval") && !text_parse_int(property(p, key, "interval"), 1, 100000, &step))
        return wrong(p, key, "interval");
    /* From the beginning of the smallest part: NOW is in the middle of a day. */
    split_time(low, fields);
    for (int i = 5; i > 0 && !strchr(pattern, "yMdHms"[i]); i--)
        fields[i] = i <= 2 ? 1 : 0;
    (void)join_time(fields, &low);
    int result = 0;
    struct buf value;
    buf_init(&value, 512);
    for (size_t count = 0; low <= high && result == 0; count++) {
        if (count >= 10 * (size_t)PARTITIONS_MAX) {
            result = wrong(p, key, "range");
            break;
        }
        split_time(low, fields);
        buf_reset(&value);
        if (!by_pattern(pattern, fields, NULL, &value))
            result = wrong(p, key, "format");
        else
            result = add_value(p, key, value.data ? value.data : "", values);
        if (!add_units(&low, unit, step))
            break;
    }
    buf_free(&value);
    return result;
}

static int injected_values(const struct projection *p, size_t key, json_t *values)
{
    json_t *equal = athena_prune_equals(p->prune, key);
    if (!equal)
        return athena_fail(
            p->failure, "CONSTRAINT_VIOLATION",
            "For the injected projected partition column %.100s, the WHERE clause must contain "
            "only static equality conditions, and at least one such condition must be present.",
            key_name(p, key));
    json_array_extend(values, equal);
    json_decref(equal);
    return 0;
}

static int key_values(const struct projection *p, size_t key, json_t *values)
{
    static const struct {
        const char *type;
        int (*values)(const struct projection *p, size_t key, json_t *values);
    } types[] = {{"enum", enum_values},
                 {"integer", integer_values},
                 {"date", date_values},
                 {"injected", injected_values}};
    const char *type = property(p, key, "type");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_equal_fold(type, types[i].type))
            return types[i].values(p, key, values);
    if (*type)
        return wrong(p, key, "type");
    return athena_fail(p->failure, "HIVE_METASTORE_ERROR",
                       "Table %.100s is configured for partition projection, but the following partition "
                       "columns are missing projection configuration: [%.100s]",
                       athena_member(p->table, "Name"), key_name(p, key));
}

/* ---- partitions ------------------------------------------------------------------------------------- */

/* ${KEY} in the template becomes the value; without a template as Hive names folders. */
static void put_location(const struct projection *p, const json_t *values, struct buf *out)
{
    const char *template = athena_member(p->parameters, "storage.location.template");
    if (!*template) {
        struct buf path;
        buf_init(&path, 8192);
        athena_partition_path(&path, p->keys, values);
        athena_location_join(out, athena_member(json_object_get(p->table, "StorageDescriptor"), "Location"),
                             path.data ? path.data : "");
        buf_free(&path);
        return;
    }
    while (*template) {
        const char *end = template[0] == '$' && template[1] == '{' ? strchr(template, '}') : NULL;
        bool known = false;
        for (size_t key = 0; end && key < json_array_size(p->keys) && !known; key++) {
            const char *name = key_name(p, key);
            known = strlen(name) == (size_t)(end - template - 2) &&
                    strncmp(name, template + 2, strlen(name)) == 0;
            if (known)
                buf_text(out, json_string_value(json_array_get(values, key)));
        }
        if (known)
            template = end + 1;
        else
            buf_char(out, *template ++);
    }
}

/* Every combination of the values of the keys from `key` on. */
static int combine(const struct projection *p, json_t *const *lists, size_t key, json_t *values, json_t *out)
{
    if (key == json_array_size(p->keys)) {
        if (!athena_prune_wants(p->prune, values))
            return 0;
        struct buf location;
        buf_init(&location, 8192);
        put_location(p, values, &location);
        json_array_append_new(out, json_pack("{s:o,s:s}", "Values", json_copy(values), "Location",
                                             location.data ? location.data : ""));
        buf_free(&location);
        return json_array_size(out) <= PARTITIONS_MAX
                   ? 0
                   : athena_fail(p->failure, "NOT_SUPPORTED",
                                 "Partition projection gives more than %d partitions", PARTITIONS_MAX);
    }
    int result = 0;
    for (size_t i = 0; i < json_array_size(lists[key]) && result == 0; i++) {
        json_array_append(values, json_array_get(lists[key], i));
        result = combine(p, lists, key + 1, values, out);
        json_array_remove(values, key);
    }
    return result;
}

json_t *athena_projection_list(const json_t *table, const struct athena_prune *prune, int64_t now_us,
                               struct athena_failure *failure)
{
    struct projection p = {.table = table,
                           .keys = json_object_get(table, "PartitionKeys"),
                           .parameters = json_object_get(table, "Parameters"),
                           .prune = prune,
                           .now_ms = now_us / 1000,
                           .failure = failure};
    size_t count = json_array_size(p.keys);
    json_t **lists = mem_zero(count + 1, sizeof *lists), *out = json_array(), *values = json_array();
    int result = 0;
    double combinations = 1;
    for (size_t key = 0; key < count && result == 0; key++) {
        lists[key] = json_array();
        result = key_values(&p, key, lists[key]);
        combinations *= (double)json_array_size(lists[key]);
    }
    if (result == 0 && combinations > 10.0 * PARTITIONS_MAX)
        result = athena_fail(failure, "NOT_SUPPORTED", "Partition projection gives more than %d partitions",
                             PARTITIONS_MAX);
    if (result == 0)
        result = combine(&p, lists, 0, values, out);
    for (size_t key = 0; key < count; key++)
        json_decref(lists[key]);
    free(lists);
    json_decref(values);
    if (result == 0)
        return out;
    json_decref(out);
    return NULL;
}
