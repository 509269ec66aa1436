#include "lake/batch.h"

#include "base/err.h"
#include "base/text.h"
#include "lake/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA_PIECE (256u << 10)
#define DAY_MS      INT64_C(86400000)

struct lake_arena {
    struct lake_arena *next;
    size_t used, size;
    char bytes[];
};

/* ---- memory ----------------------------------------------------------------------------------------- */

/* Pages that are never written cost nothing, and all of them go back at once: batches are large, made by one
 * thread and freed by another, which a heap takes badly. */
static void *pages_take(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return mem_alloc(SIZE_MAX); /* says so and ends */
    return pages;
}

static char *arena_take(struct lake_batch *batch, size_t length)
{
    struct lake_arena *arena = batch->arena;
    if (!arena || arena->size - arena->used < length) {
        size_t size = length > ARENA_PIECE ? length : ARENA_PIECE;
        arena = pages_take(sizeof *arena + size);
        *arena = (struct lake_arena){.next = batch->arena, .size = size};
        batch->arena = arena;
    }
    char *bytes = arena->bytes + arena->used;
    arena->used += length;
    batch->bytes += length;
    return bytes;
}

/* One piece of memory: pointers, counts of nulls, then columns and their bits. */
static struct lake_block *block_create(const struct lake_schema *schema)
{
    const size_t columns = schema->column_count, bits = LAKE_BLOCK_ROWS / 8;
    size_t size = sizeof(struct lake_block) + columns * (2 * sizeof(void *) + 8);
    const size_t head = size;
    for (size_t i = 0; i < columns; i++)
        size += (lake_type_width(schema->columns[i].type) * LAKE_BLOCK_ROWS + 7) / 8 * 8 + bits;
    struct lake_block *block = pages_take(size);
    block->size = size;
    uint8_t *at = (uint8_t *)(block + 1);
    block->values = (uint8_t **)(void *)at;
    at += columns * sizeof *block->values;
    block->valid = (uint64_t **)(void *)at;
    at += columns * sizeof *block->valid;
    block->nulls = (uint32_t *)(void *)at;
    at = (uint8_t *)block + head;
    for (size_t i = 0; i < columns; i++) {
        block->valid[i] = (uint64_t *)(void *)at;
        memset(at, 0xff, bits);
        at += bits;
        block->values[i] = at;
        at += (lake_type_width(schema->columns[i].type) * LAKE_BLOCK_ROWS + 7) / 8 * 8;
    }
    return block;
}

static struct lake_block *open_block(struct lake_batch *batch)
{
    if (batch->block_count > 0 && batch->blocks[batch->block_count - 1]->rows < LAKE_BLOCK_ROWS)
        return batch->blocks[batch->block_count - 1];
    if (batch->block_count == batch->block_capacity) {
        batch->block_capacity = batch->block_capacity ? batch->block_capacity * 2 : 8;
        batch->blocks = mem_resize(batch->blocks, batch->block_capacity, sizeof *batch->blocks);
    }
    return batch->blocks[batch->block_count++] = block_create(batch->schema);
}

struct lake_batch *lake_batch_create(const struct lake_schema *schema, const char *cluster, int32_t partition,
                                     int64_t start, int64_t opened_us)
{
    struct lake_batch *batch = mem_zero(1, sizeof *batch);
    batch->schema = schema;
    batch->key.kind = schema->kind;
    batch->key.partition = partition;
    batch->key.start = batch->key.end = start;
    batch->opened_us = opened_us;
    batch->sorted = true;
    text_copy(batch->key.cluster, sizeof batch->key.cluster, cluster);
    duck_string_set(&batch->cluster, batch->key.cluster, (uint32_t)strlen(batch->key.cluster));
    buf_init(&batch->quarantine, LAKE_QUARANTINE_BYTES);
    return batch;
}

void lake_batch_destroy(struct lake_batch *batch)
{
    if (!batch)
        return;
    for (size_t i = 0; i < batch->block_count; i++)
        munmap(batch->blocks[i], batch->blocks[i]->size);
    free(batch->blocks);
    while (batch->arena) {
        struct lake_arena *next = batch->arena->next;
        munmap(batch->arena, sizeof *batch->arena + batch->arena->size);
        batch->arena = next;
    }
    for (size_t i = 0; i < batch->frame_count; i++) {
        free(batch->frames[i].key);
        free(batch->frames[i].bytes);
    }
    free(batch->frames);
    buf_free(&batch->quarantine);
    free(batch);
}

/* ---- values ----------------------------------------------------------------------------------------- */

static void put_text(struct lake_batch *batch, union duck_string *cell, const char *text, size_t length)
{
    if (length > DUCK_STRING_INSIDE) {
        char *kept = arena_take(batch, length);
        memcpy(kept, text, length);
        text = kept;
    }
    duck_string_set(cell, text, (uint32_t)length);
}

/* A JSON array; words of a list are sanitised texts. */
static size_t list_text(char *out, size_t size, const struct event_list *list)
{
    size_t length = 0;
    out[length++] = '[';
    for (int32_t i = 0; i < list->count && i < EVENT_RESPONDERS; i++) {
        if (i > 0)
            out[length++] = ',';
        out[length++] = '"';
        for (const char *at = list->items[i]; *at && length + 5 < size; at++) {
            if (*at == '"' || *at == '\\')
                out[length++] = '\\';
            out[length++] = *at;
        }
        out[length++] = '"';
    }
    out[length++] = ']';
    return length;
}

/* The picture out of its Base64, and the key of the object it will be. NULL: it is none. */
static const char *take_frame(struct lake_batch *batch, const struct record *record,
                              const struct event *event, const struct event_blob *blob)
{
    size_t room = codec_blob_max(blob);
    if (batch->frame_count == batch->frame_capacity) {
        batch->frame_capacity = batch->frame_capacity ? batch->frame_capacity * 2 : 16;
        batch->frames = mem_resize(batch->frames, batch->frame_capacity, sizeof *batch->frames);
    }
    struct lake_frame *frame = &batch->frames[batch->frame_count];
    *frame = (struct lake_frame){.bytes = mem_alloc(room)};
    long length = codec_blob_bytes(blob, frame->bytes, room);
    if (length <= 0 || (size_t)length > LAKE_FRAME_BYTES) {
        free(frame->bytes);
        batch->unfit++;
        return NULL;
    }
    frame->length = (size_t)length;
    if (event->kind == EVENT_TRAFFIC && event_has(event, TRAFFIC_CONTENT_TYPE))
        text_copy(frame->content_type, sizeof frame->content_type, event->traffic.content_type);
    char key[LAKE_OBJECT_KEY_SIZE], dt[LAKE_DT_SIZE];
    lake_layout_frame(key, &batch->key, record->offset, lake_dt(dt, event->timestamp), frame->bytes,
                      frame->length);
    frame->key = mem_text(key);
    batch->bytes += frame->length + sizeof *frame + strlen(key);
    batch->frame_count++;
    return frame->key;
}

static void put_field(struct lake_batch *batch, const struct lake_column *column, void *values, uint32_t row,
                      const struct record *record, const struct event *event)
{
    const struct field *field = &schema_get(event->kind)->fields[column->from];
    const void *value = event_field_const(event, field);
    switch (field->type) {
    case FIELD_TEXT:
        put_text(batch, &((union duck_string *)values)[row], value, strlen(value));
        break;
    case FIELD_INT:
        ((int32_t *)values)[row] = *(const int32_t *)value;
        break;
    case FIELD_DOUBLE:
        ((double *)values)[row] = *(const double *)value;
        break;
    case FIELD_BOOL:
        ((bool *)values)[row] = *(const bool *)value;
        break;
    case FIELD_TIME:
        ((int64_t *)values)[row] = *(const int64_t *)value * 1000;
        break;
    case FIELD_LOCATION: {
        const struct event_location *location = value;
        ((double *)values)[row] = column->part == 0 ? location->latitude : location->longitude;
        break;
    }
    case FIELD_COUNTS:
        ((int32_t *)values)[row] = ((const struct event_counts *)value)->by_class[column->part];
        break;
    case FIELD_LIST: {
        char text[EVENT_RESPONDERS * 40 + 8];
        size_t length = list_text(text, sizeof text, value);
        put_text(batch, &((union duck_string *)values)[row], text, length);
        break;
    }
    case FIELD_BLOB:
    default:
        break;
    }
}

static void put_null(struct lake_block *block, size_t column, size_t width)
{
    memset(block->values[column] + block->rows * width, 0, width);
    block->valid[column][block->rows / 64] &= ~(UINT64_C(1) << block->rows % 64);
    block->nulls[column]++;
}

static void put_key(struct lake_batch *batch, union duck_string *cell, const struct record *record,
                    const struct event *event)
{
    /* Our own devices' keys are their names, which are harmless and at hand. */
    size_t known = strlen(event->device_id);
    if (known == record->key_length && memcmp(event->device_id, record->key, known) == 0) {
        put_text(batch, cell, event->device_id, known);
        return;
    }
    char text[LAKE_KEY_BYTES + 1];
    put_text(batch, cell, text, text_sanitise(text, sizeof text, record->key, record->key_length));
}

static void put_row(struct lake_batch *batch, const struct record *record, const struct event *event)
{
    const struct lake_schema *schema = batch->schema;
    struct lake_block *block = open_block(batch);
    const uint32_t row = block->rows;
    const struct field *fields = schema_get(schema->kind)->fields;
    for (size_t i = 0; i < schema->column_count; i++) {
        const struct lake_column *column = &schema->columns[i];
        void *values = block->values[i];
        bool given = true;
        switch (column->from) {
        case LAKE_FROM_CLUSTER:
            given = batch->cluster.length > 0;
            ((union duck_string *)values)[row] = batch->cluster;
            break;
        case LAKE_FROM_PARTITION:
            ((int32_t *)values)[row] = record->partition;
            break;
        case LAKE_FROM_OFFSET:
            ((int64_t *)values)[row] = record->offset;
            break;
        case LAKE_FROM_TIME:
            given = record->timestamp > 0 && record->timestamp < INT64_MAX / 1000;
            ((int64_t *)values)[row] = given ? record->timestamp * 1000 : 0;
            break;
        case LAKE_FROM_KEY:
            given = record->key != NULL;
            if (given)
                put_key(batch, &((union duck_string *)values)[row], record, event);
            break;
        default:
            given = event_has(event, column->from);
            if (given && fields[column->from].type == FIELD_BLOB) {
                const char *key =
                    take_frame(batch, record, event, event_field_const(event, &fields[column->from]));
                given = key != NULL;
                if (given)
                    put_text(batch, &((union duck_string *)values)[row], key, strlen(key));
            } else if (given) {
                put_field(batch, column, values, row, record, event);
            }
        }
        if (!given)
            put_null(block, i, lake_type_width(column->type));
        batch->bytes += lake_type_width(column->type);
    }
    block->rows++;
    batch->rows++;
}

/* ---- records ---------------------------------------------------------------------------------------- */

static bool has_day(const struct lake_batch *batch, int32_t day)
{
    for (size_t i = batch->day_count; i-- > 0;)
        if (batch->days[i] == day)
            return true;
    return false;
}

static int32_t day_of(int64_t event_ms)
{
    int64_t day = event_ms / DAY_MS;
    return (int32_t)(event_ms % DAY_MS < 0 ? day - 1 : day);
}

static void put_base64(struct buf *out, const char *bytes, size_t length)
{
    if (buf_reserve(out, text_base64_size(length))) {
        text_base64_encode(out->data + out->length, bytes, length);
        out->length += text_base64_size(length);
        out->data[out->length] = '\0';
    }
}

/* Texts of a report are one line, but may hold quotation marks. */
static void put_json_text(struct buf *out, const char *text)
{
    buf_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_char(out, '\\');
        buf_char(out, *text);
    }
    buf_char(out, '"');
}

static enum lake_added quarantine(struct lake_batch *batch, const struct record *record, const char *reason)
{
    size_t value = record->value ? record->value_length : 0;
    bool cut = value > LAKE_QUARANTINE_VALUE;
    if (cut)
        value = LAKE_QUARANTINE_VALUE;
    size_t key = record->key ? record->key_length : 0;
    if (key > LAKE_KEY_BYTES)
        key = LAKE_KEY_BYTES;
    struct buf *out = &batch->quarantine;
    if (out->limit - out->length < text_base64_size(value) + text_base64_size(key) + 1024)
        return LAKE_NO_ROOM;
    size_t before = out->length;
    buf_printf(out, "{\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"timestamp\":%" PRId64 ",\"reason\":",
               record->partition, record->offset, record->timestamp);
    put_json_text(out, reason);
    if (record->key) {
        buf_text(out, ",\"key_base64\":\"");
        put_base64(out, record->key, key);
        buf_char(out, '"');
    }
    if (record->value) {
        buf_text(out, ",\"value_base64\":\"");
        put_base64(out, record->value, value);
        buf_char(out, '"');
    }
    if (cut)
        buf_printf(out, ",\"cut_from\":%zu", record->value_length);
    buf_text(out, "}\n");
    batch->bytes += out->length - before;
    batch->quarantined++;
    return LAKE_QUARANTINED;
}

static void take_offset(struct lake_batch *batch, const struct record *record)
{
    if (record->offset > batch->key.end)
        batch->missing += (uint64_t)(record->offset - batch->key.end);
    batch->key.end = record->offset + 1;
    batch->records++;
}

enum lake_added lake_batch_add(struct lake_batch *batch, const struct record *record, struct event *event)
{
    struct codec_report report;
    if (!codec_decode_record(record, event, &report)) {
        enum lake_added added = quarantine(batch, record, report.reason);
        if (added == LAKE_QUARANTINED)
            take_offset(batch, record);
        return added;
    }
    if (batch->rows >= LAKE_ROWS_MAX || batch->frame_count >= LAKE_FRAMES_MAX)
        return LAKE_NO_ROOM;
    int32_t day = day_of(event->timestamp);
    if (!has_day(batch, day)) {
        if (batch->day_count == LAKE_DAYS_MAX)
            return LAKE_NO_ROOM;
        batch->days[batch->day_count++] = day;
    }
    if (batch->rows == 0 || event->timestamp < batch->first_ms)
        batch->first_ms = event->timestamp;
    if (batch->rows > 0 && event->timestamp < batch->last_ms)
        batch->sorted = false;
    else
        batch->last_ms = event->timestamp;
    put_row(batch, record, event);
    take_offset(batch, record);
    batch->unknown += report.unknown;
    batch->unfit += report.unfit;
    return LAKE_ADDED;
}
