#include "base/text.h"
#include "city/codec.h"
#include "city/scan.h"
#include "store/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Printable ASCII throughout, which is what nearly every record is: eight bytes at a time. */
static bool is_printable_ascii(const char *text, size_t length)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, text + i, 8);
        uint64_t odd = (word - ones * 0x20) | ((word ^ ones * 0x7f) - ones) | word;
        if (odd & high)
            return false;
    }
    for (; i < length; i++)
        if (text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

static bool has_control(const char *text, size_t length)
{
    for (const char *at = text, *end = text + length; at < end;)
        if (text_is_control(text_next_rune(&at, end)))
            return true;
    return false;
}

/* May the value stand in a line as it is? Then whoever reads it back gets the same bytes, and a terminal that
 * shows the line comes to no harm. */
static bool is_one_line_json(const char *value, size_t length)
{
    if (!is_printable_ascii(value, length) && (!text_is_utf8(value, length) || has_control(value, length)))
        return false;
    /* Spaces around it would not be kept, and a bare null would read as "no value". */
    if (length == 0 || value[0] == ' ' || value[length - 1] == ' ' || value[0] == 'n')
        return false;
    struct scan scan;
    scan_open(&scan, value, length, CODEC_MAX_DEPTH);
    return scan_skip(&scan) && scan_close(&scan);
}

static bool put_base64(struct buf *out, const char *bytes, size_t length)
{
    size_t size = text_base64_size(length);
    if (!buf_reserve(out, size))
        return false;
    text_base64_encode(out->data + out->length, bytes, length);
    out->length += size;
    out->data[out->length] = '\0';
    return true;
}

/* A JSON string with its quotes. `text` is UTF-8; everything a terminal might obey is escaped. */
static void put_string(struct buf *out, const char *text, size_t length)
{
    buf_char(out, '"');
    const char *at = text, *end = text + length, *plain = text;
    while (at < end) {
        const char *rune_at = at;
        unsigned char byte = (unsigned char)*at;
        uint32_t rune = byte < 0x80 ? (at++, byte) : text_next_rune(&at, end);
        if (rune != '"' && rune != '\\' && !text_is_control(rune))
            continue;
        buf_append(out, plain, (size_t)(rune_at - plain));
        plain = at;
        if (rune == '"' || rune == '\\') {
            buf_char(out, '\\');
            buf_char(out, (char)rune);
        } else if (rune >= 0x10000) {
            buf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((rune - 0x10000) >> 10),
                       0xdc00 + ((rune - 0x10000) & 0x3ff));
        } else {
            buf_printf(out, "\\u%04x", rune);
        }
    }
    buf_append(out, plain, (size_t)(end - plain));
    buf_char(out, '"');
}

static void put_plain_string(struct buf *out, const char *text, size_t length)
{
    if (is_printable_ascii(text, length) && !memchr(text, '"', length) && !memchr(text, '\\', length)) {
        buf_char(out, '"');
        buf_append(out, text, length);
        buf_char(out, '"');
    } else {
        put_string(out, text, length);
    }
}

static void put_key(struct buf *out, const struct record *record)
{
    if (!record->key) {
        buf_text(out, ",\"key\":null");
    } else if (text_is_utf8(record->key, record->key_length)) {
        buf_text(out, ",\"key\":");
        put_plain_string(out, record->key, record->key_length);
    } else {
        buf_text(out, ",\"key\":\"");
        put_base64(out, record->key, record->key_length);
        buf_text(out, "\",\"keyEncoding\":\"base64\"");
    }
}

static bool headers_repeat(const struct record *record)
{
    struct record_header a, b;
    for (size_t i = 0; record_headers_next(record, &i, &a);)
        for (size_t j = i; record_headers_next(record, &j, &b);)
            if (a.name_length == b.name_length && memcmp(a.name, b.name, a.name_length) == 0)
                return true;
    return false;
}

static void put_headers(struct buf *out, const struct record *record)
{
    struct record_header header;
    size_t at = 0;
    bool pairs = headers_repeat(record);
    buf_text(out, pairs ? ",\"headers\":[" : ",\"headers\":{");
    for (bool first = true; record_headers_next(record, &at, &header); first = false) {
        if (!first)
            buf_char(out, ',');
        if (pairs)
            buf_char(out, '[');
        put_plain_string(out, header.name, header.name_length);
        buf_char(out, pairs ? ',' : ':');
        if (!header.value) {
            buf_text(out, "null");
        } else if (text_is_utf8(header.value, header.value_length)) {
            put_plain_string(out, header.value, header.value_length);
        } else {
            buf_text(out, "{\"base64\":\"");
            put_base64(out, header.value, header.value_length);
            buf_text(out, "\"}");
        }
        if (pairs)
            buf_char(out, ']');
    }
    buf_char(out, pairs ? ']' : '}');
}

static void put_value(struct buf *out, const struct record *record, bool own)
{
    if (!record->value) {
        buf_text(out, ",\"value\":null");
    } else if (own || is_one_line_json(record->value, record->value_length)) {
        buf_text(out, ",\"value\":");
        buf_append(out, record->value, record->value_length);
    } else if (text_is_utf8(record->value, record->value_length)) {
        buf_text(out, ",\"encoding\":\"text\",\"value\":");
        put_string(out, record->value, record->value_length);
    } else {
        buf_text(out, ",\"encoding\":\"base64\",\"value\":\"");
        put_base64(out, record->value, record->value_length);
        buf_char(out, '"');
    }
}

static bool write_line(const struct record *record, int64_t event_ms, struct buf *out, bool own)
{
    size_t start = out->length;
    bool overflow = out->overflow;
    out->overflow = false;
    char time[TEXT_TIME_SIZE];
    buf_text(out, "{\"topic\":");
    if (record->kind >= 0 && record->kind < EVENT_KIND_COUNT) {
        buf_char(out, '"');
        buf_text(out, event_topic((enum event_kind)record->kind));
        buf_char(out, '"');
    } else {
        buf_text(out, "null");
    }
    put_key(out, record);
    buf_text(out, ",\"timestamp\":\"");
    buf_text(out, text_time(time, event_ms));
    buf_char(out, '"');
    if (record->offset >= 0)
        buf_printf(out, ",\"partition\":%d,\"offset\":%lld", record->partition, (long long)record->offset);
    if (record->timestamp > 0)
        buf_printf(out, ",\"kafkaTimestamp\":%lld", (long long)record->timestamp);
    if (record->arrived_us != 0)
        buf_printf(out, ",\"arrivedUs\":%lld", (long long)record->arrived_us);
    if (record->headers_length)
        put_headers(out, record);
    put_value(out, record, own);
    buf_char(out, '}');
    if (!out->overflow) {
        out->overflow = overflow;
        return true;
    }
    out->length = start;
    if (out->data)
        out->data[start] = '\0';
    return false;
}

bool transfer_write_line(const struct record *record, int64_t event_ms, struct buf *out)
{
    return write_line(record, event_ms, out, false);
}

bool transfer_write_own_line(const struct record *record, int64_t event_ms, struct buf *out)
{
    return write_line(record, event_ms, out, true);
}

static int write_out(struct buf *lines, FILE *out, struct err *err)
{
    if (lines->length && fwrite(lines->data, 1, lines->length, out) != lines->length)
        return err_set_errno(err, ERR_IO, errno, "cannot write the export");
    buf_reset(lines);
    return 0;
}

int transfer_export(struct journey_reader *reader, FILE *out, struct transfer_figures *figures,
                    struct err *err)
{
    *figures = (struct transfer_figures){0};
    struct buf lines;
    buf_init(&lines, (size_t)256 << 20); /* a 16 MiB record of controls grows sixfold */
    struct record record;
    int64_t event_ms, position_us;
    int got;
    while ((got = journey_next(reader, &record, &event_ms, &position_us, err)) == 1) {
        size_t before = lines.length;
        if (!transfer_write_line(&record, event_ms, &lines) || !buf_char(&lines, '\n')) {
            got = err_set(err, ERR_LIMIT, "record %llu makes a line longer than any buffer",
                          (unsigned long long)figures->records + 1);
            break;
        }
        figures->records++;
        figures->bytes += lines.length - before;
        if (lines.length > 256 << 10 && (got = write_out(&lines, out, err)) < 0)
            break;
    }
    if (got == 0)
        got = write_out(&lines, out, err);
    if (got == 0 && fflush(out) != 0)
        got = err_set_errno(err, ERR_IO, errno, "cannot write the export");
    buf_free(&lines);
    return got;
}
