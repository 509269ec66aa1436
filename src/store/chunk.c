/*
 * Columnar inside: the small figures of all records, then all keys, all headers, all values, each column
 * together, because like beside like compresses better (trace ids are noise that should not break up the
 * JSON). Figures are variable-length integers, mostly differences to the record before, so a record costs
 * about ten bytes of them. One zstd frame with its own checksum holds it all: damage is found before a byte
 * is believed.
 */
#include "store/chunk.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { COLUMN_FIGURES, COLUMN_KEYS, COLUMN_HEADERS, COLUMN_VALUES, COLUMNS };

/* First byte of a record's figures. */
enum {
    FLAG_TOPIC = 0x0f,
    FLAG_NO_KEY = 0x10,
    FLAG_NO_VALUE = 0x20,
    FLAG_ARRIVED =
        0x40, /* arrival is not origin + position (the wall clock was set back, or none is known) */
    FLAG_UNUSED = 0x80
};

#define VARINT_MAX   10
#define FIGURES_MAX  (1 + 8 * VARINT_MAX)
#define PREAMBLE_MAX (3 * VARINT_MAX + COLUMNS * VARINT_MAX)
#define OFFSET_SLOTS 64
/* Measured by bench_record: higher levels gain little. In a hurry a file becomes 1.7 times as large, in six
 * tenths of the time. */
enum { LEVEL_USUAL = 1, LEVEL_HURRIED = -5 };

/* What the next record's figures are differences to; writer and reader keep it alike. */
struct chunk_state {
    uint64_t position, event_ms, timestamp;
    uint64_t next_offset[16]
                        [OFFSET_SLOTS]; /* by topic and partition; a collision costs bytes, nothing else */
};

struct chunk_writer {
    struct buf columns[COLUMNS];
    struct buf raw;
    struct chunk_state state;
    int64_t origin_us;
    struct chunk_summary summary;
    ZSTD_CCtx *zstd;
};

struct chunk_reader {
    struct buf raw;
    const uint8_t *at[COLUMNS], *end[COLUMNS];
    struct chunk_state state;
    int64_t origin_us;
    uint32_t left;
    ZSTD_DCtx *zstd;
};

static size_t put_varint(uint8_t *out, uint64_t value)
{
    size_t length = 0;
    for (; value >= 0x80; value >>= 7)
        out[length++] = (uint8_t)(value | 0x80);
    out[length++] = (uint8_t)value;
    return length;
}

static uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);
}

static uint64_t unzigzag(uint64_t value)
{
    return value >> 1 ^ (value & 1 ? UINT64_MAX : 0);
}

static size_t put_signed(uint8_t *out, uint64_t difference)
{
    return put_varint(out, zigzag(difference));
}

static bool get_varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (*at == end)
            return false;
        uint8_t byte = *(*at)++;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *value = result;
            return shift < 63 || byte <= 1;
        }
    }
    return false;
}

static bool get_signed(const uint8_t **at, const uint8_t *end, uint64_t *difference)
{
    uint64_t value;
    if (!get_varint(at, end, &value))
        return false;
    *difference = unzigzag(value);
    return true;
}

static uint64_t *offset_slot(struct chunk_state *state, int topic, int32_t partition)
{
    return &state->next_offset[topic & FLAG_TOPIC][(uint32_t)partition % OFFSET_SLOTS];
}

/* ---- writing ---- */

struct chunk_writer *chunk_writer_create(void)
{
    struct chunk_writer *writer = mem_zero(1, sizeof *writer);
    for (int i = 0; i < COLUMNS; i++)
        buf_init(&writer->columns[i], CHUNK_RAW_LIMIT);
    buf_init(&writer->raw, (size_t)CHUNK_RAW_LIMIT + PREAMBLE_MAX);
    writer->zstd = ZSTD_createCCtx();
    if (!writer->zstd)
        abort(); /* only for want of memory, as mem_alloc */
    chunk_hurry(writer, false);
    ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1);
    return writer;
}

void chunk_hurry(struct chunk_writer *writer, bool on)
{
    ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, on ? LEVEL_HURRIED : LEVEL_USUAL);
}

void chunk_writer_destroy(struct chunk_writer *writer)
{
    if (!writer)
        return;
    for (int i = 0; i < COLUMNS; i++)
        buf_free(&writer->columns[i]);
    buf_free(&writer->raw);
    ZSTD_freeCCtx(writer->zstd);
    free(writer);
}

uint32_t chunk_records(const struct chunk_writer *writer)
{
    return writer->summary.records;
}

size_t chunk_raw_bytes(const struct chunk_writer *writer)
{
    size_t bytes = 0;
    for (int i = 0; i < COLUMNS; i++)
        bytes += writer->columns[i].length;
    return bytes;
}

static void count(struct chunk_summary *summary, const struct record *record, int topic, int64_t event_ms,
                  int64_t position_us)
{
    if (summary->records == 0) {
        summary->first_us = position_us;
        summary->min_ms = summary->max_ms = event_ms;
    }
    if (event_ms < summary->min_ms)
        summary->min_ms = event_ms;
    if (event_ms > summary->max_ms)
        summary->max_ms = event_ms;
    summary->last_us = position_us;
    summary->end_ms = event_ms;
    summary->records++;
    summary->topic_records[topic]++;
    summary->topic_bytes[topic] += record->key_length + record->value_length;
}

int chunk_add(struct chunk_writer *writer, const struct record *record, int64_t event_ms, int64_t position_us,
              int64_t origin_us, struct err *err)
{
    size_t key_length = record->key ? record->key_length : 0;
    size_t value_length = record->value ? record->value_length : 0;
    if (key_length > CHUNK_RECORD_LIMIT || value_length > CHUNK_RECORD_LIMIT ||
        record->headers_length > CHUNK_RECORD_LIMIT ||
        key_length + value_length + record->headers_length > CHUNK_RECORD_LIMIT)
        return err_set(err, ERR_LIMIT, "a record of %zu bytes is larger than a journey takes (%u MiB)",
                       key_length + value_length + record->headers_length, CHUNK_RECORD_LIMIT >> 20);
    size_t held = chunk_raw_bytes(writer);
    if (writer->summary.records > 0 &&
        held + key_length + value_length + record->headers_length + FIGURES_MAX > CHUNK_TARGET)
        return err_set(err, ERR_FULL, "the chunk is full");

    if (writer->summary.records == 0)
        writer->origin_us = origin_us;
    struct chunk_state *state = &writer->state;
    int topic = record->kind >= 0 && record->kind < EVENT_KIND_COUNT ? record->kind + 1 : 0;
    uint64_t arrived = (uint64_t)writer->origin_us + (uint64_t)position_us;
    bool odd_arrival = (uint64_t)record->arrived_us != arrived;
    uint64_t *next_offset = offset_slot(state, topic, record->partition);

    uint8_t figures[FIGURES_MAX];
    size_t n = 0;
    figures[n++] = (uint8_t)(topic | (record->key ? 0 : FLAG_NO_KEY) | (record->value ? 0 : FLAG_NO_VALUE) |
                             (odd_arrival ? FLAG_ARRIVED : 0));
    n += put_signed(figures + n, (uint64_t)position_us - state->position);
    n += put_signed(figures + n, (uint64_t)event_ms - state->event_ms);
    n += put_signed(figures + n, (uint64_t)(int64_t)record->partition);
    n += put_signed(figures + n, (uint64_t)record->offset - *next_offset);
    n += put_signed(figures + n, (uint64_t)record->timestamp - state->timestamp);
    if (odd_arrival)
        n += put_signed(figures + n, (uint64_t)record->arrived_us - arrived);
    if (record->key)
        n += put_varint(figures + n, key_length);
    n += put_varint(figures + n, record->headers_length);
    if (record->value)
        n += put_varint(figures + n, value_length);

    /* The limits above make sure that these fit. */
    buf_append(&writer->columns[COLUMN_FIGURES], figures, n);
    if (key_length)
        buf_append(&writer->columns[COLUMN_KEYS], record->key, key_length);
    if (record->headers_length)
        buf_append(&writer->columns[COLUMN_HEADERS], record->headers, record->headers_length);
    if (value_length)
        buf_append(&writer->columns[COLUMN_VALUES], record->value, value_length);
    state->position = (uint64_t)position_us;
    state->event_ms = (uint64_t)event_ms;
    state->timestamp = (uint64_t)record->timestamp;
    *next_offset = (uint64_t)record->offset + 1;
    count(&writer->summary, record, topic, event_ms, position_us);
    return 0;
}

/* Large camera frames and the odd huge record must not keep their memory for ever. */
static void trim(struct buf *buf)
{
    if (buf->capacity > 2 * (size_t)CHUNK_TARGET)
        buf_free(buf);
    else
        buf_reset(buf);
}

int chunk_seal(struct chunk_writer *writer, struct buf *out, struct chunk_summary *summary, struct err *err)
{
    uint8_t preamble[PREAMBLE_MAX];
    size_t n = put_varint(preamble, writer->summary.records);
    n += put_signed(preamble + n, (uint64_t)writer->origin_us);
    for (int i = 0; i < COLUMNS; i++)
        n += put_varint(preamble + n, writer->columns[i].length);
    buf_append(&writer->raw, preamble, n);
    for (int i = 0; i < COLUMNS; i++)
        buf_append(&writer->raw, writer->columns[i].data, writer->columns[i].length);

    writer->summary.raw_bytes = writer->raw.length;
    *summary = writer->summary;
    int result = 0;
    size_t bound = ZSTD_compressBound(writer->raw.length);
    if (!buf_reserve(out, bound)) {
        result = err_set(err, ERR_FULL, "no room for another chunk");
    } else {
        size_t length = ZSTD_compress2(writer->zstd, out->data + out->length, bound, writer->raw.data,
                                       writer->raw.length);
        if (ZSTD_isError(length)) {
            result = err_set(err, ERR_INTERNAL, "zstd: %s", ZSTD_getErrorName(length));
        } else {
            out->length += length;
            out->data[out->length] = '\0';
        }
    }
    if (result == 0) {
        for (int i = 0; i < COLUMNS; i++)
            trim(&writer->columns[i]);
        memset(&writer->state, 0, sizeof writer->state);
        memset(&writer->summary, 0, sizeof writer->summary);
    }
    trim(&writer->raw);
    return result;
}

/* ---- reading ---- */

struct chunk_reader *chunk_reader_create(void)
{
    struct chunk_reader *reader = mem_zero(1, sizeof *reader);
    buf_init(&reader->raw, CHUNK_RAW_LIMIT);
    reader->zstd = ZSTD_createDCtx();
    if (!reader->zstd)
        abort();
    return reader;
}

void chunk_reader_destroy(struct chunk_reader *reader)
{
    if (!reader)
        return;
    buf_free(&reader->raw);
    ZSTD_freeDCtx(reader->zstd);
    free(reader);
}

static int damaged(struct err *err, const char *what)
{
    return err_set(err, ERR_CORRUPT, "damaged chunk: %s", what);
}

static int unpack(struct chunk_reader *reader, const void *bytes, size_t length, struct err *err)
{
    trim(&reader->raw);
    unsigned long long size = ZSTD_getFrameContentSize(bytes, length);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
        return damaged(err, "not a zstd frame");
    if (size > CHUNK_RAW_LIMIT || !buf_reserve(&reader->raw, (size_t)size))
        return damaged(err, "it claims to be larger than any chunk");
    if (chunk_frame_length(bytes, length) != length)
        return damaged(err, "more or less than one zstd frame");
    size_t unpacked = ZSTD_decompressDCtx(reader->zstd, reader->raw.data, (size_t)size, bytes, length);
    if (ZSTD_isError(unpacked))
        return damaged(err, ZSTD_getErrorName(unpacked));
    if (unpacked != size)
        return damaged(err, "shorter than it claims");
    reader->raw.length = unpacked;
    return 0;
}

int chunk_load(struct chunk_reader *reader, const void *bytes, size_t length, struct err *err)
{
    reader->left = 0;
    if (unpack(reader, bytes, length, err) < 0)
        return -1;
    const uint8_t *at = (const uint8_t *)reader->raw.data, *end = at + reader->raw.length;
    uint64_t records, origin, lengths[COLUMNS];
    if (!get_varint(&at, end, &records) || !get_signed(&at, end, &origin))
        return damaged(err, "no preamble");
    for (int i = 0; i < COLUMNS; i++)
        if (!get_varint(&at, end, &lengths[i]))
            return damaged(err, "no preamble");
    for (int i = 0; i < COLUMNS; i++) {
        if (lengths[i] > (uint64_t)(end - at))
            return damaged(err, "a column reaches past the end");
        reader->at[i] = at;
        at = reader->end[i] = at + lengths[i];
    }
    if (at != end)
        return damaged(err, "bytes behind the last column");
    if (records > lengths[COLUMN_FIGURES])
        return damaged(err, "more records than figures");
    reader->left = (uint32_t)records;
    reader->origin_us = (int64_t)origin;
    memset(&reader->state, 0, sizeof reader->state);
    return 0;
}

size_t chunk_frame_length(const void *bytes, size_t length)
{
    size_t frame = ZSTD_findFrameCompressedSize(bytes, length);
    return ZSTD_isError(frame) ? 0 : frame;
}

uint32_t chunk_left(const struct chunk_reader *reader)
{
    return reader->left;
}

/* The next `length` bytes of a column; NULL when it does not hold them. */
static const uint8_t *take(struct chunk_reader *reader, int column, uint64_t length)
{
    const uint8_t *bytes = reader->at[column];
    if (length > (uint64_t)(reader->end[column] - bytes))
        return NULL;
    reader->at[column] += length;
    return bytes;
}

static bool read_record(struct chunk_reader *reader, struct record *record, int64_t *event_ms,
                        int64_t *position_us)
{
    struct chunk_state *state = &reader->state;
    const uint8_t **at = &reader->at[COLUMN_FIGURES], *end = reader->end[COLUMN_FIGURES];
    if (*at == end)
        return false;
    uint8_t flags = *(*at)++;
    int topic = flags & FLAG_TOPIC;
    uint64_t position, event, partition, offset, timestamp, arrived = 0, lengths[3] = {0};
    if ((flags & FLAG_UNUSED) || !get_signed(at, end, &position) || !get_signed(at, end, &event) ||
        !get_signed(at, end, &partition) || !get_signed(at, end, &offset) ||
        !get_signed(at, end, &timestamp) || ((flags & FLAG_ARRIVED) && !get_signed(at, end, &arrived)) ||
        (!(flags & FLAG_NO_KEY) && !get_varint(at, end, &lengths[0])) || !get_varint(at, end, &lengths[1]) ||
        (!(flags & FLAG_NO_VALUE) && !get_varint(at, end, &lengths[2])))
        return false;
    const uint8_t *key = take(reader, COLUMN_KEYS, lengths[0]);
    const uint8_t *headers = take(reader, COLUMN_HEADERS, lengths[1]);
    const uint8_t *value = take(reader, COLUMN_VALUES, lengths[2]);
    if (!key || !headers || !value || (int64_t)partition < INT32_MIN || (int64_t)partition > INT32_MAX)
        return false;

    uint64_t *next_offset = offset_slot(state, topic, (int32_t)(int64_t)partition);
    state->position += position;
    state->event_ms += event;
    state->timestamp += timestamp;
    offset += *next_offset;
    *next_offset = offset + 1;
    *record = (struct record){
        .kind = topic - 1,
        .partition = (int32_t)(int64_t)partition,
        .offset = (int64_t)offset,
        .timestamp = (int64_t)state->timestamp,
        .arrived_us = (int64_t)((uint64_t)reader->origin_us + state->position + arrived),
        .key = flags & FLAG_NO_KEY ? NULL : (const char *)key,
        .key_length = (size_t)lengths[0],
        .value = flags & FLAG_NO_VALUE ? NULL : (const char *)value,
        .value_length = (size_t)lengths[2],
        .headers = lengths[1] ? headers : NULL,
        .headers_length = (size_t)lengths[1],
    };
    *event_ms = (int64_t)state->event_ms;
    *position_us = (int64_t)state->position;
    return true;
}

bool chunk_next(struct chunk_reader *reader, struct record *record, int64_t *event_ms, int64_t *position_us,
                struct err *err)
{
    if (reader->left == 0)
        return false;
    reader->left--;
    if (read_record(reader, record, event_ms, position_us))
        return true;
    reader->left = 0;
    damaged(err, "a record's figures do not fit its columns");
    return false;
}
