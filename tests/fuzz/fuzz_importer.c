/* The importer: whatever the bytes are, they are read or refused with a reason; and a record that was read
 * survives being written and read again, and being packed into a chunk. */
#include "base/text.h"
#include "store/chunk.h"
#include "store/transfer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_same(const struct record *a, const struct record *b)
{
    check(a->kind == b->kind && a->offset == b->offset && a->timestamp == b->timestamp);
    check((a->key == NULL) == (b->key == NULL) && (a->value == NULL) == (b->value == NULL));
    check(a->key_length == b->key_length && a->value_length == b->value_length);
    check(a->headers_length == b->headers_length);
    check(a->key_length == 0 || memcmp(a->key, b->key, a->key_length) == 0);
    check(a->value_length == 0 || memcmp(a->value, b->value, a->value_length) == 0);
    check(a->headers_length == 0 || memcmp(a->headers, b->headers, a->headers_length) == 0);
}

static void check_chunk(const struct record *record, int64_t event_ms)
{
    struct chunk_writer *writer = chunk_writer_create();
    struct chunk_reader *reader = chunk_reader_create();
    struct chunk_summary summary;
    struct record back;
    struct buf packed;
    struct err err = ERR_INIT;
    int64_t back_ms, position_us;
    buf_init(&packed, 1 << 26);
    check(chunk_add(writer, record, event_ms, 0, record->arrived_us, &err) == 0);
    check(chunk_seal(writer, &packed, &summary, &err) == 0);
    check(chunk_load(reader, packed.data, packed.length, &err) == 0);
    check(chunk_next(reader, &back, &back_ms, &position_us, &err) && back_ms == event_ms);
    check_same(record, &back);
    chunk_writer_destroy(writer);
    chunk_reader_destroy(reader);
    buf_free(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record record, back;
    struct buf scratch, second, line;
    int64_t event_ms, back_ms;
    char reason[160] = "";
    buf_init(&scratch, 1 << 24);
    buf_init(&second, 1 << 24);
    buf_init(&line, 1 << 26);
    if (transfer_read_line((const char *)data, size, &record, &event_ms, &scratch, reason)) {
        check_chunk(&record, event_ms);
        check(transfer_write_line(&record, event_ms, &line));
        check(!memchr(line.data, '\n', line.length) && text_is_utf8(line.data, line.length));
        /* Times outside of the calendar's years cannot be written as RFC 3339. */
        if (event_ms >= -62135596800000 && event_ms <= 253402300799999) {
            check(transfer_read_line(line.data, line.length, &back, &back_ms, &second, reason));
            check(back_ms == event_ms);
            check_same(&record, &back);
        }
    } else {
        check(reason[0] != '\0' && text_is_utf8(reason, strlen(reason)));
    }

    /* The same bytes as a chunk. */
    struct chunk_reader *reader = chunk_reader_create();
    struct err err = ERR_INIT;
    if (chunk_load(reader, data, size, &err) == 0)
        while (chunk_next(reader, &record, &event_ms, &back_ms, &err))
            ;
    chunk_reader_destroy(reader);
    buf_free(&scratch);
    buf_free(&second);
    buf_free(&line);
    return 0;
}
