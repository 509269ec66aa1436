#include "localcloud/parquet_groups.h"

#include "base/buf.h"
#include "localcloud/thrift.h"

#include <stdlib.h>
#include <string.h>

#define LEAVES_MAX 10000
#define CHUNKS_MAX 4000000 /* of all row groups */
#define DEPTH_MAX  32
#define NAME_LIMIT 4096

enum physical { P_BOOLEAN, P_INT32, P_INT64, P_INT96, P_FLOAT, P_DOUBLE, P_BYTE_ARRAY, P_FIXED };

size_t parquet_footer_length(const unsigned char tail[PARQUET_TAIL], int64_t size)
{
    uint32_t length =
        (uint32_t)tail[0] | (uint32_t)tail[1] << 8 | (uint32_t)tail[2] << 16 | (uint32_t)tail[3] << 24;
    return memcmp(tail + 4, "PAR1", 4) == 0 && (int64_t)length <= size - 12 ? length : 0;
}

/* ---- the schema ------------------------------------------------------------------------------------- */

struct element {
    int physical, converted, logical; /* -1 none */
    int unit;                         /* of a timestamp: 1 ms, 2 µs, 3 ns */
    bool is_unsigned;
    int64_t children;
    const char *name;
    size_t length;
};

/* A struct whose only use is which of its fields is there: the id of the last. */
static int read_union(struct thrift_reader *reader)
{
    enum thrift_type type;
    int id = 0;
    while ((type = thrift_field(reader, &id)) != THRIFT_STOP && !reader->failed)
        thrift_skip(reader, type);
    return id;
}

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
        while ((inner = thrift_field(reader, &member)) != THRIFT_STOP && !reader->failed) {
            if (id == 8 && member == 2 && inner == THRIFT_STRUCT)
                element->unit = read_union(reader);
            else if (id == 10 && member == 2)
                element->is_unsigned = inner == THRIFT_FALSE;
            else
                thrift_skip(reader, inner);
        }
    }
}

static void read_element(struct thrift_reader *reader, struct element *element)
{
    enum thrift_type type;
    int id = 0;
    *element = (struct element){.physical = -1, .converted = -1, .logical = -1};
    while ((type = thrift_field(reader, &id)) != THRIFT_STOP && !reader->failed) {
        const unsigned char *bytes = NULL;
        if (id == 4 && type == THRIFT_BINARY) {
            element->length = thrift_binary(reader, &bytes);
            element->name = (const char *)bytes;
        } else if (id == 10 && type == THRIFT_STRUCT) {
            read_logical(reader, element);
        } else if (type == THRIFT_I32 && (id == 1 || id == 5 || id == 6)) {
            int64_t value = thrift_int(reader);
            if (id == 1)
                element->physical = (int)value;
            else if (id == 5)
                element->children = value;
            else
                element->converted = (int)value;
        } else {
            thrift_skip(reader, type);
        }
    }
}

static enum parquet_order order_of(const struct element *element)
{
    int converted = element->converted, logical = element->logical;
    if (element->is_unsigned || (converted >= 11 && converted <= 14) || logical == 5 || converted == 5)
        return PARQUET_UNORDERED;
    if (logical == 8)
        return element->unit == 1 ? PARQUET_MILLIS : element->unit == 2 ? PARQUET_MICROS : PARQUET_UNORDERED;
    if (converted == 9 || converted == 10)
        return converted == 9 ? PARQUET_MILLIS : PARQUET_MICROS;
    if (logical == 6 || converted == 6)
        return PARQUET_DATE;
    switch (element->physical) {
    case P_INT32:
    case P_INT64:
        return logical == 7 || converted == 7 || converted == 8 ? PARQUET_UNORDERED : PARQUET_INT;
    case P_FLOAT:
    case P_DOUBLE:
        return PARQUET_DOUBLE;
    case P_BYTE_ARRAY:
        return logical == 1 || converted == 0 ? PARQUET_TEXT : PARQUET_UNORDERED;
    default:
        return PARQUET_UNORDERED;
    }
}

struct schema {
    struct parquet_file *file;
    struct thrift_reader *reader;
    int *physical; /* of each leaf */
    uint64_t left; /* elements not read yet */
    struct buf path;
};

/* One element and all below it; they come in the order of a walk. */
static bool read_tree(struct schema *schema, int depth)
{
    struct element element;
    if (depth > DEPTH_MAX || schema->left == 0)
        return false;
    schema->left--;
    read_element(schema->reader, &element);
    if (schema->reader->failed || !element.name || element.children < 0)
        return false;
    size_t before = schema->path.length;
    if (depth > 0) {
        buf_text(&schema->path, before ? "." : "");
        buf_append(&schema->path, element.name, element.length);
    }
    bool good = !schema->path.overflow;
    for (int64_t i = 0; i < element.children && good; i++)
        good = read_tree(schema, depth + 1);
    struct parquet_file *file = schema->file;
    if (good && depth > 0 && element.children == 0) {
        good = file->leaf_count < LEAVES_MAX;
        if (good) {
            schema->physical[file->leaf_count] = element.physical;
            file->leaves[file->leaf_count++] =
                (struct parquet_leaf){.name = mem_text(schema->path.data), .order = order_of(&element)};
        }
    }
    if (schema->path.data) {
        schema->path.length = before;
        schema->path.data[before] = '\0';
    }
    return good;
}

static bool read_schema(struct schema *schema)
{
    enum thrift_type type;
    schema->left = thrift_list(schema->reader, &type);
    if (schema->file->leaves || type != THRIFT_STRUCT || schema->left == 0 || schema->left > 2 * LEAVES_MAX)
        return false;
    schema->file->leaves = mem_zero(schema->left, sizeof *schema->file->leaves);
    schema->physical = mem_zero(schema->left, sizeof *schema->physical);
    return read_tree(schema, 0) && schema->left == 0 && schema->file->leaf_count > 0;
}

/* ---- row groups ------------------------------------------------------------------------------------- */

struct bound {
    const unsigned char *bytes;
    size_t length;
};

static int64_t little_endian(const unsigned char *bytes, size_t length)
{
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return length == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

static double real(const struct bound *bound)
{
    double value;
    float single;
    if (bound->length == 4) {
        memcpy(&single, bound->bytes, 4);
        return (double)single;
    }
    memcpy(&value, bound->bytes, 8);
    return value;
}

static void set_bounds(struct parquet_chunk *chunk, enum parquet_order order, int physical,
                       const struct bound *low, const struct bound *high)
{
    size_t width = physical == P_INT32 || physical == P_FLOAT ? 4 : 8;
    if (!low->bytes || !high->bytes || order == PARQUET_UNORDERED ||
        (order != PARQUET_TEXT && (low->length != width || high->length != width)))
        return;
    chunk->bounded = true;
    if (order == PARQUET_TEXT) {
        chunk->low_text = (const char *)low->bytes;
        chunk->high_text = (const char *)high->bytes;
        chunk->low_length = low->length;
        chunk->high_length = high->length;
    } else if (order == PARQUET_DOUBLE) {
        chunk->low_double = real(low);
        chunk->high_double = real(high);
        /* a NaN among them says nothing */
        chunk->bounded = chunk->low_double <= chunk->high_double;
    } else {
        chunk->low = little_endian(low->bytes, width);
        chunk->high = little_endian(high->bytes, width);
    }
}

/* The newer pair of bounds; the older one was never said how to compare for texts. */
static void read_statistics(struct thrift_reader *reader, enum parquet_order order, struct bound *low,
                            struct bound *high)
{
    enum thrift_type type;
    int id = 0;
    struct bound bounds[7] = {{0}};
    while ((type = thrift_field(reader, &id)) != THRIFT_STOP && !reader->failed) {
        if (type == THRIFT_BINARY && id >= 1 && id <= 6)
            bounds[id].length = thrift_binary(reader, &bounds[id].bytes);
        else
            thrift_skip(reader, type);
    }
    bool older = !bounds[5].bytes && !bounds[6].bytes && order != PARQUET_TEXT;
    *high = bounds[older ? 1 : 5];
    *low = bounds[older ? 2 : 6];
}

static void read_chunk(struct thrift_reader *reader, struct parquet_chunk *chunk, enum parquet_order order,
                       int physical)
{
    enum thrift_type type, inner;
    int id = 0;
    while ((type = thrift_field(reader, &id)) != THRIFT_STOP && !reader->failed) {
        if (id != 3 || type != THRIFT_STRUCT) {
            thrift_skip(reader, type);
            continue;
        }
        struct bound low = {0}, high = {0};
        int member = 0;
        while ((inner = thrift_field(reader, &member)) != THRIFT_STOP && !reader->failed) {
            if (member == 7 && inner == THRIFT_I64)
                chunk->bytes = thrift_int(reader);
            else if (member == 12 && inner == THRIFT_STRUCT)
                read_statistics(reader, order, &low, &high);
            else
                thrift_skip(reader, inner);
        }
        set_bounds(chunk, order, physical, &low, &high);
    }
    if (chunk->bytes < 0)
        reader->failed = true;
}

static bool read_group(struct schema *schema, struct parquet_group *group)
{
    struct thrift_reader *reader = schema->reader;
    const struct parquet_file *file = schema->file;
    enum thrift_type type, inner;
    int id = 0;
    while ((type = thrift_field(reader, &id)) != THRIFT_STOP && !reader->failed) {
        if (id == 1 && type == THRIFT_LIST && !group->chunks) {
            uint64_t count = thrift_list(reader, &inner);
            if (reader->failed || inner != THRIFT_STRUCT || count != file->leaf_count)
                return false;
            group->chunks = mem_zero(count, sizeof *group->chunks);
            for (size_t i = 0; i < count && !reader->failed; i++)
                read_chunk(reader, &group->chunks[i], file->leaves[i].order, schema->physical[i]);
        } else if (id == 3 && type == THRIFT_I64) {
            group->rows = thrift_int(reader);
        } else {
            thrift_skip(reader, type);
        }
    }
    return !reader->failed && group->chunks && group->rows >= 0;
}

static bool read_groups(struct schema *schema)
{
    struct parquet_file *file = schema->file;
    enum thrift_type type;
    uint64_t count = thrift_list(schema->reader, &type);
    if (schema->reader->failed || file->leaf_count == 0 || file->groups ||
        count * file->leaf_count > CHUNKS_MAX || (count > 0 && type != THRIFT_STRUCT))
        return false;
    file->groups = mem_zero(count + 1, sizeof *file->groups);
    while (file->group_count < count)
        if (!read_group(schema, &file->groups[file->group_count++]))
            return false;
    return true;
}

int parquet_file_read(struct parquet_file *file, const void *footer, size_t length, struct err *err)
{
    const unsigned char *bytes = footer;
    struct thrift_reader reader = {.at = bytes, .end = bytes + length};
    *file = (struct parquet_file){0};
    struct schema schema = {.file = file, .reader = &reader};
    buf_init(&schema.path, NAME_LIMIT);
    enum thrift_type type;
    int id = 0;
    bool good = true;
    while (good && (type = thrift_field(&reader, &id)) != THRIFT_STOP && !reader.failed) {
        if (id == 2 && type == THRIFT_LIST)
            good = read_schema(&schema);
        else if (id == 4 && type == THRIFT_LIST)
            good = read_groups(&schema);
        else
            thrift_skip(&reader, type);
    }
    good = good && !reader.failed && file->groups;
    buf_free(&schema.path);
    free(schema.physical);
    if (good)
        return 0;
    parquet_file_free(file);
    return err_set(err, ERR_CORRUPT, "a Parquet file whose row groups cannot be read");
}

void parquet_file_free(struct parquet_file *file)
{
    for (size_t i = 0; i < file->leaf_count; i++)
        free(file->leaves[i].name);
    for (size_t i = 0; file->groups && i < file->group_count; i++)
        free(file->groups[i].chunks);
    free(file->leaves);
    free(file->groups);
    *file = (struct parquet_file){0};
}
