#include "localcloud/glue_schema.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- trees of types --------------------------------------------------------------------------------- */

void hive_type_free(struct hive_type *type)
{
    for (size_t i = 0; i < type->count; i++)
        hive_type_free(&type->children[i]);
    free(type->children);
    free(type->name);
    *type = (struct hive_type){0};
}

struct hive_type *hive_type_field(const struct hive_type *type, const char *name)
{
    for (size_t i = 0; i < type->count; i++)
        if (type->children[i].name && text_equal_fold(type->children[i].name, name))
            return &type->children[i];
    return NULL;
}

struct hive_type *hive_type_add(struct hive_type *type, const char *name)
{
    if (type->count >= HIVE_FIELDS_MAX)
        return NULL;
    if ((type->count & (type->count - 1)) == 0)
        type->children =
            mem_resize(type->children, type->count ? 2 * type->count : 1, sizeof *type->children);
    struct hive_type *field = &type->children[type->count++];
    *field = (struct hive_type){.name = name ? mem_text(name) : NULL};
    return field;
}

/* All but the name. */
static void copy(struct hive_type *into, const struct hive_type *from)
{
    into->kind = from->kind;
    into->precision = from->precision;
    into->scale = from->scale;
    for (size_t i = 0; i < from->count; i++)
        copy(hive_type_add(into, from->children[i].name), &from->children[i]);
}

static void become_string(struct hive_type *type)
{
    char *name = type->name;
    type->name = NULL;
    hive_type_free(type);
    *type = (struct hive_type){.kind = HIVE_STRING, .name = name};
}

/* ---- texts ------------------------------------------------------------------------------------------ */

void hive_type_write(const struct hive_type *type, struct buf *out)
{
    static const char *const names[] = {
        [HIVE_NULL] = "string",         [HIVE_BOOLEAN] = "boolean", [HIVE_TINYINT] = "tinyint",
        [HIVE_SMALLINT] = "smallint",   [HIVE_INT] = "int",         [HIVE_BIGINT] = "bigint",
        [HIVE_FLOAT] = "float",         [HIVE_DOUBLE] = "double",   [HIVE_DECIMAL] = "decimal",
        [HIVE_STRING] = "string",       [HIVE_BINARY] = "binary",   [HIVE_DATE] = "date",
        [HIVE_TIMESTAMP] = "timestamp", [HIVE_ARRAY] = "array",     [HIVE_MAP] = "map",
        [HIVE_STRUCT] = "struct",
    };
    buf_text(out, names[type->kind]);
    if (type->kind == HIVE_DECIMAL)
        buf_printf(out, "(%d,%d)", type->precision, type->scale);
    if (type->kind < HIVE_ARRAY)
        return;
    buf_char(out, '<');
    for (size_t i = 0; i < type->count; i++) {
        if (i > 0)
            buf_char(out, ',');
        if (type->kind == HIVE_STRUCT)
            buf_printf(out, "%s:", type->children[i].name);
        hive_type_write(&type->children[i], out);
    }
    buf_char(out, '>');
}

json_t *hive_type_columns(const struct hive_type *type)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < type->count; i++) {
        struct buf text, name;
        buf_init(&text, 131072); /* the longest type Glue takes */
        buf_init(&name, HIVE_NAME_MAX + 1);
        hive_type_write(&type->children[i], &text);
        for (const char *at = type->children[i].name; *at; at++)
            buf_char(&name, *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at);
        json_array_append_new(columns, json_pack("{s:s, s:s}", "Name", name.data ? name.data : "", "Type",
                                                 text.overflow ? "string" : text.data));
        buf_free(&text);
        buf_free(&name);
    }
    return columns;
}

/* ---- two become one --------------------------------------------------------------------------------- */

static bool is_whole(enum hive_kind kind)
{
    return kind >= HIVE_TINYINT && kind <= HIVE_BIGINT;
}

static bool is_binary_number(enum hive_kind kind)
{
    return kind >= HIVE_TINYINT && kind <= HIVE_DOUBLE;
}

bool hive_type_compatible(const struct hive_type *a, const struct hive_type *b)
{
    if (a->kind == HIVE_NULL || b->kind == HIVE_NULL ||
        (is_binary_number(a->kind) && is_binary_number(b->kind)))
        return true;
    if (a->kind != b->kind)
        return false;
    if (a->kind == HIVE_STRUCT) {
        for (size_t i = 0; i < a->count; i++) {
            const struct hive_type *other = hive_type_field(b, a->children[i].name);
            if (other && !hive_type_compatible(&a->children[i], other))
                return false;
        }
        return true;
    }
    for (size_t i = 0; i < a->count && i < b->count; i++)
        if (!hive_type_compatible(&a->children[i], &b->children[i]))
            return false;
    return true;
}

static void merge_number(struct hive_type *into, const struct hive_type *from)
{
    bool whole = is_whole(into->kind) != is_whole(from->kind);
    if (whole)
        into->kind = HIVE_DOUBLE; /* a float does not hold an int */
    else if (from->kind > into->kind)
        into->kind = from->kind;
}

static void merge_decimal(struct hive_type *into, const struct hive_type *from)
{
    int whole = into->precision - into->scale, other = from->precision - from->scale;
    int scale = into->scale > from->scale ? into->scale : from->scale;
    whole = whole > other ? whole : other;
    into->precision = whole + scale > 38 ? 38 : whole + scale;
    into->scale = scale;
}

void hive_type_merge(struct hive_type *into, const struct hive_type *from)
{
    if (from->kind == HIVE_NULL)
        return;
    if (into->kind == HIVE_NULL) {
        copy(into, from);
    } else if (is_binary_number(into->kind) && is_binary_number(from->kind)) {
        merge_number(into, from);
    } else if (into->kind != from->kind) {
        become_string(into);
    } else if (into->kind == HIVE_DECIMAL) {
        merge_decimal(into, from);
    } else if (into->kind == HIVE_STRUCT) {
        for (size_t i = 0; i < from->count; i++) {
            const struct hive_type *field = &from->children[i];
            struct hive_type *own = hive_type_field(into, field->name);
            if (!own)
                own = hive_type_add(into, field->name);
            if (own)
                hive_type_merge(own, field);
        }
    } else {
        for (size_t i = 0; i < into->count && i < from->count; i++)
            hive_type_merge(&into->children[i], &from->children[i]);
    }
}

double hive_type_similarity(const struct hive_type *a, const struct hive_type *b)
{
    size_t more = a->count > b->count ? a->count : b->count, common = 0;
    for (size_t i = 0; i < a->count; i++) {
        const struct hive_type *other = hive_type_field(b, a->children[i].name);
        common += other && hive_type_compatible(&a->children[i], other);
    }
    return more ? (double)common / (double)more : 1.0;
}

/* ---- JSON lines ------------------------------------------------------------------------------------- */

static void infer(const json_t *value, struct hive_type *type, int depth)
{
    const char *name;
    json_t *each;
    size_t index;
    if (json_is_null(value))
        return;
    if (depth >= HIVE_DEPTH_MAX) {
        become_string(type);
        return;
    }
    struct hive_type seen = {0};
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        seen.kind = HIVE_STRUCT;
        if (type->kind == HIVE_NULL)
            type->kind = HIVE_STRUCT;
        if (type->kind != HIVE_STRUCT)
            break;
        json_object_foreach((json_t *)value, name, each)
        {
            struct hive_type *field = hive_type_field(type, name);
            if (!field && *name && strlen(name) <= HIVE_NAME_MAX)
                field = hive_type_add(type, name);
            if (field)
                infer(each, field, depth + 1);
        }
        return;
    case JSON_ARRAY:
        seen.kind = HIVE_ARRAY;
        if (type->kind == HIVE_NULL) {
            type->kind = HIVE_ARRAY;
            hive_type_add(type, NULL);
        }
        if (type->kind != HIVE_ARRAY)
            break;
        json_array_foreach(value, index, each) infer(each, &type->children[0], depth + 1);
        return;
    case JSON_STRING:
        seen.kind = HIVE_STRING;
        break;
    case JSON_INTEGER:
        seen.kind = json_integer_value(value) >= INT32_MIN && json_integer_value(value) <= INT32_MAX
                        ? HIVE_INT
                        : HIVE_BIGINT;
        break;
    case JSON_REAL:
        seen.kind = HIVE_DOUBLE;
        break;
    default:
        seen.kind = HIVE_BOOLEAN;
    }
    if (type->kind != seen.kind)
        hive_type_merge(type, &seen);
}

/* Empty objects have no Hive type; Glue writes them, and ints of JSON, as these. */
static void settle(struct hive_type *type)
{
    for (size_t i = 0; i < type->count; i++) {
        settle(&type->children[i]);
        if (type->children[i].kind == HIVE_STRUCT && type->children[i].count == 0)
            become_string(&type->children[i]);
    }
}

int64_t glue_json_schema(const char *bytes, size_t length, bool last, struct hive_type *schema,
                         struct err *err)
{
    int64_t records = 0;
    schema->kind = HIVE_STRUCT;
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        if (!end && !last)
            break;
        size_t line = end ? (size_t)(end - bytes) : length, skip = end ? line + 1 : line, at = 0;
        while (at < line && (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\r'))
            at++;
        if (at < line) {
            json_t *record = json_loadb(bytes + at, line - at, JSON_ALLOW_NUL, NULL);
            if (!json_is_object(record)) {
                json_decref(record);
                return err_set(err, ERR_CORRUPT, "record %lld is no JSON object", (long long)records + 1);
            }
            infer(record, schema, 0);
            json_decref(record);
            records++;
        }
        bytes += skip;
        length -= skip;
    }
    settle(schema);
    return records;
}
