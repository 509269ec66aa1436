/*
 * A batch keeps its records and their bytes in two blocks. Records point into the arena, which therefore
 * never moves once it holds something; a record larger than an empty arena replaces it before anything points
 * there.
 */
#include "city/record.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

#define NULL_VALUE UINT32_MAX

bool record_headers_put(struct buf *headers, const char *name, const void *value, size_t length)
{
    size_t name_length = strlen(name);
    if (name_length > UINT16_MAX || length >= NULL_VALUE)
        return false;
    if (!value)
        length = 0;
    uint32_t marked = value ? (uint32_t)length : NULL_VALUE;
    uint8_t sizes[6] = {(uint8_t)name_length,   (uint8_t)(name_length >> 8), (uint8_t)marked,
                        (uint8_t)(marked >> 8), (uint8_t)(marked >> 16),     (uint8_t)(marked >> 24)};
    if (!buf_reserve(headers, sizeof sizes + name_length + length))
        return false;
    char *at = headers->data + headers->length;
    memcpy(at, sizes, 2);
    memcpy(at + 2, name, name_length);
    memcpy(at + 2 + name_length, sizes + 2, 4);
    if (length)
        memcpy(at + 6 + name_length, value, length);
    headers->length += sizeof sizes + name_length + length;
    headers->data[headers->length] = '\0';
    return true;
}

bool record_headers_next(const struct record *record, size_t *position, struct record_header *header)
{
    if (!record->headers || *position > record->headers_length)
        return false;
    const uint8_t *at = record->headers + *position;
    size_t left = record->headers_length - *position;
    if (left < 6)
        return false;
    size_t name_length = (size_t)at[0] | (size_t)at[1] << 8;
    if (left - 6 < name_length)
        return false;
    const uint8_t *size = at + 2 + name_length;
    uint32_t length =
        (uint32_t)size[0] | (uint32_t)size[1] << 8 | (uint32_t)size[2] << 16 | (uint32_t)size[3] << 24;
    bool null = length == NULL_VALUE;
    if (null)
        length = 0;
    if (left - 6 - name_length < length)
        return false;
    *header = (struct record_header){.name = (const char *)at + 2,
                                     .name_length = name_length,
                                     .value = null ? NULL : (const char *)size + 4,
                                     .value_length = length};
    *position += 6 + name_length + length;
    return true;
}

bool record_header_find(const struct record *record, const char *name, struct record_header *header)
{
    size_t length = strlen(name), position = 0;
    while (record_headers_next(record, &position, header))
        if (header->name_length == length && memcmp(header->name, name, length) == 0)
            return true;
    return false;
}

int64_t record_produced_us(const struct record *record)
{
    struct record_header header;
    if (!record_header_find(record, RECORD_HEADER_PRODUCED, &header) || !header.value ||
        header.value_length == 0 || header.value_length > 18)
        return -1;
    int64_t value = 0;
    for (size_t i = 0; i < header.value_length; i++) {
        unsigned digit = (unsigned)header.value[i] - '0';
        if (digit > 9)
            return -1;
        value = value * 10 + digit;
    }
    return value;
}

struct record_batch *record_batch_create(size_t records, size_t bytes)
{
    struct record_batch *batch = mem_zero(1, sizeof *batch);
    batch->capacity = records;
    batch->arena_size = bytes;
    batch->records = mem_alloc(records * sizeof *batch->records);
    batch->arena = mem_alloc(bytes);
    batch->references = 1;
    return batch;
}

/* NULL stays NULL: a tombstone is not an empty value. */
static const void *keep(struct record_batch *batch, const void *bytes, size_t length)
{
    if (!bytes)
        return NULL;
    char *copy = batch->arena + batch->bytes;
    memcpy(copy, bytes, length);
    batch->bytes += length;
    return copy;
}

bool record_batch_add(struct record_batch *batch, const struct record *record)
{
    size_t key = record->key ? record->key_length : 0, value = record->value ? record->value_length : 0;
    size_t headers = record->headers ? record->headers_length : 0;
    size_t needed = key + value + headers;
    if (batch->count == batch->capacity)
        return false;
    if (needed > batch->arena_size - batch->bytes) {
        if (batch->count > 0)
            return false;
        free(batch->arena);
        batch->arena = mem_alloc(needed);
        batch->arena_size = needed;
    }
    struct record *copy = &batch->records[batch->count++];
    *copy = *record;
    copy->key_length = key;
    copy->value_length = value;
    copy->headers_length = headers;
    copy->key = keep(batch, record->key, key);
    copy->value = keep(batch, record->value, value);
    copy->headers = keep(batch, record->headers, headers);
    return true;
}

struct record_batch *record_batch_retain(struct record_batch *batch)
{
    __atomic_add_fetch(&batch->references, 1, __ATOMIC_RELAXED);
    return batch;
}

void record_batch_release(struct record_batch *batch)
{
    if (!batch || __atomic_sub_fetch(&batch->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    free(batch->records);
    free(batch->arena);
    free(batch);
}
