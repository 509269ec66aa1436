#include "localcloud/glue_schema.h"

#include "base/text.h"
#include "localcloud/thrift.h"

#include <stdlib.h>
#include <string.h>

/* The footer of a Parquet file, as far as a crawler needs it: schema and row count. */

#define ELEMENTS_MAX 65536

/* ---- schema elements -------------------------------------------------------------------------------- */

enum physical { P_BOOLEAN, P_INT32, P_INT64, P_INT96, P_FLOAT, P_DOUBLE, P_BYTE_ARRAY, P_FIXED };
enum converted {
    C_UTF8,
    C_MAP,
    C_MAP_KEY_VALUE,
    C_LIST,
    C_ENUM,
    C_DECIMAL,
    C_DATE,
    C_TIME_MILLIS,
    C_TIME_MICROS,
    C_TIMESTAMP_MILLIS,
    C_TIMESTAMP_MICROS,
    C_UINT_8,
    C_UINT_16,
    C_UINT_32,
    C_UINT_64,
    C_INT_8,
    C_INT_16,
    C_INT_32,
    C_INT_64,
    C_JSON
};
/* Ids of the LogicalType union. */
enum logical {
    L_STRING = 1,
    L_MAP,
    L_LIST,
    L_ENUM,
    L_DECIMAL,
    L_DATE,
    L_TIME,
    L_TIMESTAMP,
    L_INTEGER = 10,
    L_JSON = 12,
    L_UUID = 14
};

struct element {
    int physical, converted, logical, repetition; /* -1 none */
    int bits;                                     /* L_INTEGER */
    int64_t children;
    int precision, scale;
    char name[HIVE_NAME_MAX + 1];
};

static void read_logical(struct thrift_reader *reader, struct element *element)
{
    enum thrift_type type, inner;
    int id = 0;
    while ((type = thrift_field(reader, &id)) != THRIFT_STOP && !reader->failed) {
        element->logical = id;
        if (type != THRIFT_STRUCT) {
            thrift_skip(reader, type);
            continue;
        }
        int member = 0;
        while (!reader->failed && (inner = thrift_field(reader, &member)) != THRIFT_STOP) {
            if (id == L_DECIMAL && inner == THRIFT_I32) {
                int value = (int)thrift_int(reader);
                *(member == 1 ? &element->scale : &element->precision) = value;
            } else if (id == L_INTEGER && member == 1 && inner == THRIFT_BYTE) {
                element->bits = thrift_byte(reader);
            } else {
                thrift_skip(reader, inner);
            }
        }
    }
}

static void read_element(struct thrift_reader *reader, struct element *element)
{
    enum thrift_type type;
    int id = 0;
    *element = (struct element){.physical = -1, .converted = -1, .logical = -1, .repetition = -1};
    while (!reader->failed && (type = thrift_field(reader, &id)) != THRIFT_STOP) {
        const unsigned char *bytes = NULL;
        if (id == 4 && type == THRIFT_BINARY) {
            size_t length = thrift_binary(reader, &bytes);
            if (length == 0 || length > HIVE_NAME_MAX || memchr(bytes, '\0', length) ||
                !text_is_utf8((const char *)bytes, length))
                reader->failed = true;
            else
                memcpy(element->name, bytes, length);
        } else if (id == 10 && type == THRIFT_STRUCT) {
            read_logical(reader, element);
        } else if (type == THRIFT_I32) {
            int64_t value = thrift_int(reader);
            if (value < INT32_MIN || value > INT32_MAX)
                reader->failed = true;
            else if (id == 1)
                element->physical = (int)value;
            else if (id == 3)
                element->repetition = (int)value;
            else if (id == 5)
                element->children = value;
            else if (id == 6)
                element->converted = (int)value;
            else if (id == 7)
                element->scale = (int)value;
            else if (id == 8)
                element->precision = (int)value;
        } else {
            thrift_skip(reader, type);
        }
    }
}

static enum hive_kind kind_of(const struct element *element)
{
    int logical = element->logical, converted = element->converted;
    if ((logical == L_DECIMAL || converted == C_DECIMAL) && element->precision >= 1 &&
        element->precision <= 38 && element->scale >= 0 && element->scale <= element->precision)
        return HIVE_DECIMAL;
    if (logical == L_DATE || converted == C_DATE)
        return HIVE_DATE;
    if (logical == L_TIMESTAMP || converted == C_TIMESTAMP_MILLIS || converted == C_TIMESTAMP_MICROS)
        return HIVE_TIMESTAMP;
    if ((logical == L_INTEGER && element->bits == 8) || converted == C_INT_8 || converted == C_UINT_8)
        return HIVE_TINYINT;
    if ((logical == L_INTEGER && element->bits == 16) || converted == C_INT_16 || converted == C_UINT_16)
        return HIVE_SMALLINT;
    switch (element->physical) {
    case P_BOOLEAN:
        return HIVE_BOOLEAN;
    case P_INT32:
        return HIVE_INT;
    case P_INT64:
        return HIVE_BIGINT;
    case P_INT96:
        return HIVE_TIMESTAMP;
    case P_FLOAT:
        return HIVE_FLOAT;
    case P_DOUBLE:
        return HIVE_DOUBLE;
    default:
        break;
    }
    bool text = logical == L_STRING || logical == L_ENUM || logical == L_JSON || logical == L_UUID ||
                converted == C_UTF8 || converted == C_ENUM || converted == C_JSON;
    return text ? HIVE_STRING : HIVE_BINARY;
}

struct elements {
    struct element *all;
    size_t count, next;
};

static bool build(struct elements *elements, struct hive_type *type, int depth);

/* The children of a group, as a struct. */
static bool build_struct(struct elements *elements, const struct element *group, struct hive_type *type,
                         int depth)
{
    type->kind = HIVE_STRUCT;
    for (int64_t i = 0; i < group->children; i++) {
        if (elements->next >= elements->count)
            return false;
        struct hive_type *field = hive_type_add(type, elements->all[elements->next].name);
        if (!field || !build(elements, field, depth + 1))
            return false;
    }
    return true;
}

/* Moves a type that has no name of its own to where `into` is, whose name stays. */
static void move(struct hive_type *into, struct hive_type *from)
{
    char *name = into->name;
    free(from->name);
    *into = *from;
    into->name = name;
    *from = (struct hive_type){0};
}

/* LIST and MAP are a group around a repeated group; the older two-level lists repeat the element itself. */
static bool build_nested(struct elements *elements, const struct element *group, struct hive_type *type,
                         bool map, int depth)
{
    struct hive_type inner = {0};
    if (group->children != 1 || elements->next >= elements->count)
        return build_struct(elements, group, type, depth);
    struct element repeated = elements->all[elements->next];
    if (!build(elements, &inner, depth + 1)) {
        hive_type_free(&inner);
        return false;
    }
    /* what build() made of a repeated element is an array of it */
    if (inner.kind != HIVE_ARRAY || inner.count != 1) {
        type->kind = HIVE_STRUCT;
        move(hive_type_add(type, repeated.name), &inner);
        return true;
    }
    struct hive_type *entry = &inner.children[0];
    type->kind = map ? HIVE_MAP : HIVE_ARRAY;
    if (map && entry->kind == HIVE_STRUCT && entry->count == 2) {
        move(hive_type_add(type, NULL), &entry->children[0]);
        move(hive_type_add(type, NULL), &entry->children[1]);
    } else {
        bool wrapper = entry->kind == HIVE_STRUCT && entry->count == 1 && strcmp(repeated.name, "array") != 0;
        type->kind = HIVE_ARRAY;
        move(hive_type_add(type, NULL), wrapper ? &entry->children[0] : entry);
    }
    hive_type_free(&inner);
    return true;
}

static bool build(struct elements *elements, struct hive_type *type, int depth)
{
    if (depth > HIVE_DEPTH_MAX || elements->next >= elements->count)
        return false;
    const struct element *element = &elements->all[elements->next++];
    struct hive_type *own = type;
    if (element->repetition == 2) { /* repeated: an array */
        type->kind = HIVE_ARRAY;
        own = hive_type_add(type, NULL);
    }
    if (element->children > 0) {
        bool list = element->logical == L_LIST || element->converted == C_LIST;
        bool map = element->logical == L_MAP || element->converted == C_MAP ||
                   (element->converted == C_MAP_KEY_VALUE && element->repetition != 2);
        return list || map ? build_nested(elements, element, own, map, depth)
                           : build_struct(elements, element, own, depth);
    }
    own->kind = kind_of(element);
    if (own->kind == HIVE_DECIMAL) {
        own->precision = element->precision;
        own->scale = element->scale;
    }
    return true;
}

/* ---- the footer ------------------------------------------------------------------------------------- */

static bool read_elements(struct thrift_reader *reader, struct elements *elements)
{
    enum thrift_type type;
    uint64_t count = thrift_list(reader, &type);
    if (reader->failed || elements->all || type != THRIFT_STRUCT || count == 0 || count > ELEMENTS_MAX)
        return false;
    elements->all = mem_zero(count, sizeof *elements->all);
    for (; elements->count < count && !reader->failed; elements->count++)
        read_element(reader, &elements->all[elements->count]);
    return !reader->failed;
}

static bool read_footer(struct thrift_reader *reader, struct elements *elements, int64_t *rows)
{
    enum thrift_type type;
    int id = 0;
    *rows = -1;
    while (!reader->failed && (type = thrift_field(reader, &id)) != THRIFT_STOP) {
        if (id == 2 && type == THRIFT_LIST) {
            if (!read_elements(reader, elements))
                return false;
        } else if (id == 3 && type == THRIFT_I64) {
            *rows = thrift_int(reader);
            break; /* row groups follow: not needed */
        } else {
            thrift_skip(reader, type);
        }
    }
    return !reader->failed && elements->count > 0 && *rows >= 0;
}

int glue_parquet_schema(const void *bytes, size_t length, int64_t size, struct hive_type *schema,
                        int64_t *rows, size_t *needed, struct err *err)
{
    const unsigned char *tail = bytes;
    if (length < 12 || memcmp(tail + length - 4, "PAR1", 4) != 0)
        return err_set(err, ERR_CORRUPT, "no Parquet file: it does not end with PAR1");
    uint32_t footer = (uint32_t)tail[length - 8] | (uint32_t)tail[length - 7] << 8 |
                      (uint32_t)tail[length - 6] << 16 | (uint32_t)tail[length - 5] << 24;
    if ((int64_t)footer > size - 12)
        return err_set(err, ERR_CORRUPT, "a Parquet file whose footer is longer than itself");
    *needed = (size_t)footer + 8;
    if (*needed > length)
        return err_set(err, ERR_LIMIT, "the footer takes %zu bytes", *needed);
    struct thrift_reader reader = {.at = tail + length - 8 - footer, .end = tail + length - 8};
    struct elements elements = {0};
    bool good = read_footer(&reader, &elements, rows);
    if (good) {
        elements.next = 1; /* behind the root */
        good = build_struct(&elements, &elements.all[0], schema, 0) && schema->count > 0;
    }
    free(elements.all);
    if (good)
        return 0;
    hive_type_free(schema);
    return err_set(err, ERR_CORRUPT, "a Parquet file whose footer cannot be read");
}
