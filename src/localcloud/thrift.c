#include "localcloud/thrift.h"

#define SKIP_DEPTH 32

int thrift_byte(struct thrift_reader *reader)
{
    if (reader->at == reader->end) {
        reader->failed = true;
        return 0;
    }
    return *reader->at++;
}

static uint64_t varint(struct thrift_reader *reader)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        int byte = thrift_byte(reader);
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return value;
    }
    reader->failed = true;
    return 0;
}

int64_t thrift_int(struct thrift_reader *reader)
{
    uint64_t value = varint(reader);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

size_t thrift_binary(struct thrift_reader *reader, const unsigned char **bytes)
{
    uint64_t length = varint(reader);
    if (reader->failed || length > (uint64_t)(reader->end - reader->at)) {
        reader->failed = true;
        return 0;
    }
    *bytes = reader->at;
    reader->at += length;
    return (size_t)length;
}

/* The next field: its type, or THRIFT_STOP. */
enum thrift_type thrift_field(struct thrift_reader *reader, int *id)
{
    int head = thrift_byte(reader), delta = head >> 4;
    enum thrift_type type = (enum thrift_type)(head & 0x0F);
    if (reader->failed || type == THRIFT_STOP)
        return THRIFT_STOP;
    *id = delta ? *id + delta : (int)thrift_int(reader);
    return type;
}

uint64_t thrift_list(struct thrift_reader *reader, enum thrift_type *type)
{
    int head = thrift_byte(reader);
    *type = (enum thrift_type)(head & 0x0F);
    uint64_t count = (head >> 4) == 15 ? varint(reader) : (uint64_t)(head >> 4);
    if (count > (uint64_t)(reader->end - reader->at)) /* a value is a byte at least */
        reader->failed = true;
    return reader->failed ? 0 : count;
}

static void skip(struct thrift_reader *reader, enum thrift_type type, bool in_list, int depth);

static void skip_struct(struct thrift_reader *reader, int depth)
{
    enum thrift_type type;
    int id = 0;
    while (!reader->failed && (type = thrift_field(reader, &id)) != THRIFT_STOP)
        skip(reader, type, false, depth + 1);
}

static void skip(struct thrift_reader *reader, enum thrift_type type, bool in_list, int depth)
{
    const unsigned char *bytes;
    enum thrift_type inner, key;
    uint64_t count;
    if (depth > SKIP_DEPTH)
        reader->failed = true;
    if (reader->failed)
        return;
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        if (in_list)
            thrift_byte(reader);
        break;
    case THRIFT_BYTE:
        thrift_byte(reader);
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        varint(reader);
        break;
    case THRIFT_DOUBLE:
        if (reader->end - reader->at < 8)
            reader->failed = true;
        else
            reader->at += 8;
        break;
    case THRIFT_BINARY:
        thrift_binary(reader, &bytes);
        break;
    case THRIFT_LIST:
    case THRIFT_SET:
        for (count = thrift_list(reader, &inner); count > 0 && !reader->failed; count--)
            skip(reader, inner, true, depth + 1);
        break;
    case THRIFT_MAP:
        count = varint(reader);
        if (count == 0)
            break;
        inner = (enum thrift_type)thrift_byte(reader);
        key = (enum thrift_type)((unsigned)inner >> 4);
        inner = (enum thrift_type)((unsigned)inner & 0x0F);
        for (; count > 0 && !reader->failed; count--) {
            skip(reader, key, true, depth + 1);
            skip(reader, inner, true, depth + 1);
        }
        break;
    case THRIFT_STRUCT:
        skip_struct(reader, depth);
        break;
    case THRIFT_STOP:
    default:
        reader->failed = true;
    }
}

void thrift_skip(struct thrift_reader *reader, enum thrift_type type)
{
    skip(reader, type, false, 0);
}
