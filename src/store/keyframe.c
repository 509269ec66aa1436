/*
 * Devices live in a dense array, found by a map from (kind, key). A small record is kept as a copy, in memory
 * that is used again for the device's next one; a camera frame would double the file, so only its place is
 * kept.
 */
#include "store/keyframe.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#define KEY_MAX             64
#define MOVING_SILENCE_US   120000000LL            /* a vehicle silent for so long has left */
#define STANDING_SILENCE_US (3 * 3600 * 1000000LL) /* stations, cameras, incidents */
#define USUAL_RATIO         4                      /* of compression, at least */
#define OVERHEAD_DIVISOR    10                     /* keyframes cost at most a tenth of what they index */

struct device {
    char id[KEY_MAX];
    size_t id_length;
    struct record record; /* its pointers lead into `bytes` */
    char *bytes;
    size_t capacity;
    int64_t event_ms, position_us;
    bool referred; /* record is empty: it lies at `reference` */
    struct keyframe_reference reference;
};

struct keyframe {
    struct map *map;
    struct device *devices;
    size_t count, capacity;
    size_t held_bytes; /* of the copies */
    size_t limit_bytes;
    uint64_t since_records, since_bytes;
    int64_t last_us; /* position of the last keyframe */
    bool started;
    struct chunk_writer *chunk;
};

struct keyframe *keyframe_create(size_t limit_bytes)
{
    struct keyframe *keyframe = mem_zero(1, sizeof *keyframe);
    keyframe->limit_bytes = limit_bytes;
    keyframe->map = map_create();
    keyframe->chunk = chunk_writer_create();
    return keyframe;
}

void keyframe_destroy(struct keyframe *keyframe)
{
    if (!keyframe)
        return;
    for (size_t i = 0; i < keyframe->count; i++)
        free(keyframe->devices[i].bytes);
    free(keyframe->devices);
    map_destroy(keyframe->map);
    chunk_writer_destroy(keyframe->chunk);
    free(keyframe);
}

static struct device *find_device(struct keyframe *keyframe, const struct record *record)
{
    char id[KEY_MAX];
    if (!record->key || record->key_length + 1 > sizeof id)
        return NULL;
    id[0] = (char)('0' + record->kind);
    memcpy(id + 1, record->key, record->key_length);
    size_t length = record->key_length + 1;
    int32_t at = map_get(keyframe->map, id, length);
    if (at >= 0)
        return &keyframe->devices[at];
    if (keyframe->count == KEYFRAME_DEVICES)
        return NULL;
    if (keyframe->count == keyframe->capacity) {
        keyframe->capacity = keyframe->capacity ? keyframe->capacity * 2 : 256;
        keyframe->devices = mem_resize(keyframe->devices, keyframe->capacity, sizeof *keyframe->devices);
    }
    struct device *device = &keyframe->devices[keyframe->count];
    *device = (struct device){.id_length = length};
    memcpy(device->id, id, length);
    map_set(keyframe->map, id, length, (int32_t)keyframe->count++);
    return device;
}

static size_t record_bytes(const struct record *record)
{
    return record->key_length + record->headers_length + record->value_length;
}

static void keep_copy(struct device *device, const struct record *record)
{
    size_t bytes = record_bytes(record);
    if (bytes > device->capacity) {
        device->capacity = bytes + bytes / 8;
        device->bytes = mem_resize(device->bytes, device->capacity, 1);
    }
    char *at = device->bytes;
    device->record = *record;
    memcpy(at, record->key, record->key_length);
    device->record.key = at;
    at += record->key_length;
    if (record->headers_length)
        memcpy(at, record->headers, record->headers_length);
    device->record.headers = (const uint8_t *)at;
    at += record->headers_length;
    if (record->value) {
        memcpy(at, record->value, record->value_length);
        device->record.value = at;
    }
}

void keyframe_note(struct keyframe *keyframe, const struct record *record, int64_t event_ms,
                   int64_t position_us, int64_t chunk, uint32_t index)
{
    if (!keyframe->started) {
        keyframe->started = true;
        keyframe->last_us = position_us;
    }
    keyframe->since_records++;
    keyframe->since_bytes += record_bytes(record);
    if (record->kind < 0)
        return;
    struct device *device = find_device(keyframe, record);
    if (!device)
        return;
    keyframe->held_bytes -= device->referred ? 0 : record_bytes(&device->record);
    device->referred = record_bytes(record) > KEYFRAME_INLINE ||
                       keyframe->held_bytes + record_bytes(record) > KEYFRAME_BYTES;
    if (device->referred) {
        device->record = (struct record){.kind = record->kind};
        device->reference = (struct keyframe_reference){.chunk = chunk, .index = index};
    } else {
        keep_copy(device, record);
        keyframe->held_bytes += record_bytes(record);
    }
    device->event_ms = event_ms;
    device->position_us = position_us;
}

bool keyframe_due(const struct keyframe *keyframe, int64_t position_us)
{
    return (keyframe->since_records >= KEYFRAME_RECORDS ||
            (keyframe->since_records > 0 && position_us - keyframe->last_us >= KEYFRAME_INTERVAL_US)) &&
           keyframe->since_bytes / OVERHEAD_DIVISOR >= keyframe->held_bytes &&
           keyframe->held_bytes / USUAL_RATIO <= keyframe->limit_bytes;
}

static void forget(struct keyframe *keyframe, size_t at)
{
    struct device *device = &keyframe->devices[at], *last = &keyframe->devices[keyframe->count - 1];
    map_remove(keyframe->map, device->id, device->id_length);
    keyframe->held_bytes -= device->referred ? 0 : record_bytes(&device->record);
    free(device->bytes);
    device->bytes = NULL;
    if (device != last) {
        *device = *last;
        last->bytes = NULL;
        map_set(keyframe->map, device->id, device->id_length, (int32_t)at);
    }
    keyframe->count--;
}

static bool is_silent(const struct device *device, int64_t position_us)
{
    bool moving = device->record.kind == EVENT_VEHICLE || device->record.kind == EVENT_GPS;
    return position_us - device->position_us > (moving ? MOVING_SILENCE_US : STANDING_SILENCE_US);
}

static int add_device(struct keyframe *keyframe, const struct device *device, int64_t origin_us,
                      struct buf *out, struct err *err)
{
    struct err full = ERR_INIT;
    if (chunk_add(keyframe->chunk, &device->record, device->event_ms, device->position_us, origin_us,
                  &full) == 0)
        return 0;
    struct chunk_summary summary;
    if (chunk_seal(keyframe->chunk, out, &summary, err) < 0)
        return -1;
    return chunk_add(keyframe->chunk, &device->record, device->event_ms, device->position_us, origin_us, err);
}

int keyframe_build(struct keyframe *keyframe, int64_t position_us, int64_t origin_us, struct buf *out,
                   uint32_t *records, struct keyframe_reference *references, size_t *reference_count,
                   struct err *err)
{
    *records = 0;
    *reference_count = 0;
    keyframe->since_records = 0;
    keyframe->since_bytes = 0;
    keyframe->last_us = position_us;
    for (size_t i = 0; i < keyframe->count;) {
        const struct device *device = &keyframe->devices[i];
        if (is_silent(device, position_us)) {
            forget(keyframe, i);
            continue;
        }
        if (device->referred) {
            if (*reference_count < KEYFRAME_REFERENCES)
                references[(*reference_count)++] = device->reference;
        } else if (add_device(keyframe, device, origin_us, out, err) < 0) {
            return -1;
        } else {
            ++*records;
        }
        i++;
    }
    struct chunk_summary summary;
    if (chunk_records(keyframe->chunk) > 0 && chunk_seal(keyframe->chunk, out, &summary, err) < 0)
        return -1;
    if (out->length <= keyframe->limit_bytes)
        return 0;
    return err_set(err, ERR_LIMIT, "a keyframe of %zu bytes is too large for this journey", out->length);
}
