/*
 * A line is walked once; its members may come in any order, so each is remembered as the text it is and
 * understood when all are known. What needs unescaping goes to `scratch`, as offsets until nothing can move
 * any more.
 */
#include "base/text.h"
#include "city/codec.h"
#include "city/scan.h"
#include "store/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A member's value as it stands in the line. */
struct member {
    bool present, is_null, is_string;
    struct scan_string string;
    const char *text;
    size_t length;
};

enum {
    M_TOPIC,
    M_KEY,
    M_KEY_ENCODING,
    M_TIMESTAMP,
    M_PARTITION,
    M_OFFSET,
    M_KAFKA_TIMESTAMP,
    M_ARRIVED,
    M_HEADERS,
    M_VALUE,
    M_ENCODING,
    M_KCAT_TS,
    M_KCAT_PAYLOAD,
    MEMBERS
};
static const char *const member_names[MEMBERS] = {
    "topic",     "key",     "keyEncoding", "timestamp", "partition", "offset", "kafkaTimestamp",
    "arrivedUs", "headers", "value",       "encoding",  "ts",        "payload"};

/* A stretch of `scratch` or of the line. */
struct span {
    bool null, in_scratch;
    const char *text; /* in the line */
    size_t offset;    /* in scratch */
    size_t length;
};

static bool is_word(const struct scan_string *string, const char *word)
{
    return string->plain && string->length == strlen(word) && memcmp(string->text, word, string->length) == 0;
}

static bool read_members(struct scan *scan, struct member members[MEMBERS])
{
    struct scan_string name;
    bool first = true;
    if (scan_peek(scan) != '{')
        return scan_fail(scan, scan->at, "not a JSON object");
    if (!scan_begin(scan, '{'))
        return false;
    while (scan_next_key(scan, &first, &name)) {
        struct member unknown, *member = &unknown;
        for (int i = 0; i < MEMBERS; i++)
            if (is_word(&name, member_names[i]))
                member = &members[i];
        int byte = scan_peek(scan);
        *member = (struct member){.present = true, .is_null = byte == 'n', .is_string = byte == '"'};
        member->text = scan->at;
        if (!(member->is_string ? scan_string(scan, &member->string) : scan_skip(scan)))
            return false;
        member->length = (size_t)(scan->at - member->text);
    }
    return scan_close(scan);
}

static bool decode_base64(const struct scan_string *string, struct buf *scratch)
{
    if (!string->plain || !buf_reserve(scratch, text_base64_max(string->length)))
        return false;
    long bytes = text_base64_decode(scratch->data + scratch->length, string->text, string->length);
    if (bytes < 0)
        return false;
    scratch->length += (size_t)bytes;
    return true;
}

/* The bytes a string stands for. */
static bool string_bytes(const struct scan_string *string, bool base64, struct buf *scratch,
                         struct span *span)
{
    if (!base64 && !string->escaped) {
        *span = (struct span){.text = string->text, .length = string->length};
        return true;
    }
    *span = (struct span){.in_scratch = true, .offset = scratch->length};
    if (!(base64 ? decode_base64(string, scratch) : scan_string_append(string, scratch)))
        return false;
    span->length = scratch->length - span->offset;
    return true;
}

static bool member_int(const struct member *member, int64_t min, int64_t max, int64_t *value)
{
    struct scan scan;
    struct scan_number number;
    scan_open(&scan, member->text, member->length, 0);
    if (member->is_string || member->is_null || !scan_number(&scan, &number) || !number.is_integer)
        return false;
    *value = number.integer;
    return number.integer >= min && number.integer <= max;
}

static bool fail(char reason[160], const char *text)
{
    text_copy(reason, 160, text);
    return false;
}

static bool read_kind(const struct member *member, int *kind, char reason[160])
{
    if (!member->present)
        return fail(reason, "it has no \"topic\"");
    *kind = -1;
    if (member->is_null)
        return true;
    if (!member->is_string)
        return fail(reason, "\"topic\" is not a string");
    char topic[64];
    bool cut;
    scan_string_copy(&member->string, topic, sizeof topic, &cut);
    *kind = cut ? -1 : event_kind_from_topic(topic);
    if (*kind >= 0)
        return true;
    snprintf(reason, 160, "topic \"%s\" is none of ours", topic);
    return false;
}

/* Simulated time as text or milliseconds. */
static bool read_time(const struct member *member, int64_t *event_ms)
{
    if (member->is_string)
        return text_parse_time(member->string.text, member->string.length, event_ms);
    return member_int(member, INT64_MIN / 2000, INT64_MAX / 2000, event_ms);
}

/* The value's own "timestamp", for lines that give none (kcat's). */
static bool find_value_time(const char *value, size_t length, int64_t *event_ms)
{
    struct scan scan;
    struct scan_string name;
    bool first = true;
    scan_open(&scan, value, length, CODEC_MAX_DEPTH);
    if (scan_peek(&scan) != '{' || !scan_begin(&scan, '{'))
        return false;
    while (scan_next_key(&scan, &first, &name)) {
        struct scan_string text;
        if (!is_word(&name, "timestamp")) {
            if (!scan_skip(&scan))
                return false;
        } else {
            return scan_peek(&scan) == '"' && scan_string(&scan, &text) &&
                   text_parse_time(text.text, text.length, event_ms);
        }
    }
    return false;
}

/* ---- headers: {"name":value}, [["name",value],…] or kcat's ["name",value,…] ---- */

struct header_reader {
    struct scan scan;
    struct buf *scratch;
    struct buf bytes; /* encoded by record_headers_put */
};

static bool header_value(struct header_reader *reader, const struct scan_string *name)
{
    struct scan *scan = &reader->scan;
    struct scan_string string = {0}, member;
    struct span name_span, span = {.null = true};
    bool first = true;
    int byte = scan_peek(scan);
    if (byte == 'n') {
        if (!scan_literal(scan, "null"))
            return false;
    } else if (byte == '{') { /* {"base64":"…"} */
        if (!scan_begin(scan, '{') || !scan_next_key(scan, &first, &member) || !is_word(&member, "base64") ||
            !scan_string(scan, &string) || scan_next_key(scan, &first, &member) || scan->problem ||
            !string_bytes(&string, true, reader->scratch, &span))
            return false;
    } else if (!scan_string(scan, &string) || !string_bytes(&string, false, reader->scratch, &span)) {
        return false;
    }
    if (!string_bytes(name, false, reader->scratch, &name_span) || name_span.length > UINT16_MAX)
        return false;
    char name_text[256];
    const char *from = name_span.in_scratch ? reader->scratch->data + name_span.offset : name_span.text;
    if (name_span.length >= sizeof name_text || memchr(from, '\0', name_span.length))
        return false;
    memcpy(name_text, from, name_span.length);
    name_text[name_span.length] = '\0';
    const char *value = span.null ? NULL : span.in_scratch ? reader->scratch->data + span.offset : span.text;
    return record_headers_put(&reader->bytes, name_text, value, span.length);
}

static bool read_headers(struct header_reader *reader)
{
    struct scan *scan = &reader->scan;
    struct scan_string name;
    bool first = true, inner;
    switch (scan_peek(scan)) {
    case 'n':
        return true;
    case '{':
        if (!scan_begin(scan, '{'))
            return false;
        while (scan_next_key(scan, &first, &name))
            if (!header_value(reader, &name))
                return false;
        return !scan->problem;
    case '[':
        if (!scan_begin(scan, '['))
            return false;
        while (scan_next_element(scan, &first)) {
            if (scan_peek(scan) == '[') {
                inner = true;
                if (!scan_begin(scan, '[') || !scan_next_element(scan, &inner) || !scan_string(scan, &name) ||
                    !scan_next_element(scan, &inner) || !header_value(reader, &name) ||
                    scan_next_element(scan, &inner) || scan->problem)
                    return false;
            } else if (!scan_string(scan, &name) || !scan_next_element(scan, &first) ||
                       !header_value(reader, &name)) {
                return false;
            }
        }
        return !scan->problem;
    default:
        return false;
    }
}

/* Leaves the encoded headers in scratch. */
static bool member_headers(const struct member *member, struct buf *scratch, struct span *span)
{
    struct header_reader reader = {.scratch = scratch};
    scan_open(&reader.scan, member->text, member->length, 4);
    buf_init(&reader.bytes, TRANSFER_LINE_LIMIT);
    bool good = read_headers(&reader);
    *span = (struct span){.in_scratch = true, .offset = scratch->length, .length = reader.bytes.length};
    if (good && reader.bytes.length)
        good = buf_append(scratch, reader.bytes.data, reader.bytes.length);
    buf_free(&reader.bytes);
    return good;
}

/* ---- the whole line ---- */

static bool member_value(const struct member members[MEMBERS], struct buf *scratch, struct span *span,
                         char reason[160])
{
    const struct member *value = &members[M_VALUE], *encoding = &members[M_ENCODING];
    bool kcat = !value->present;
    if (kcat)
        value = &members[M_KCAT_PAYLOAD];
    if (!value->present)
        return fail(reason, "it has no \"value\"");
    if (value->is_null) {
        *span = (struct span){.null = true};
        return true;
    }
    if (!kcat && !encoding->present) {
        *span = (struct span){.text = value->text, .length = value->length};
        return true;
    }
    if (!value->is_string)
        return fail(reason, "an encoded \"value\" is not a string");
    bool base64 = !kcat && encoding->is_string && is_word(&encoding->string, "base64");
    if (!kcat && !base64 && !(encoding->is_string && is_word(&encoding->string, "text")))
        return fail(reason, "\"encoding\" is neither \"text\" nor \"base64\"");
    return string_bytes(&value->string, base64, scratch, span) ||
           fail(reason, "\"value\" is not Base64, or too long");
}

static const char *span_text(const struct span *span, const struct buf *scratch)
{
    if (span->null)
        return NULL;
    if (!span->in_scratch)
        return span->text;
    return scratch->data ? scratch->data + span->offset : ""; /* nothing but empty spans */
}

static bool read_figures(const struct member members[MEMBERS], struct record *record, char reason[160])
{
    int64_t partition;
    record->partition = 0;
    record->offset = -1;
    if (members[M_PARTITION].present) {
        if (!member_int(&members[M_PARTITION], INT32_MIN, INT32_MAX, &partition))
            return fail(reason, "\"partition\" is not a number of a partition");
        record->partition = (int32_t)partition;
    }
    if (members[M_OFFSET].present && !member_int(&members[M_OFFSET], -1, INT64_MAX, &record->offset))
        return fail(reason, "\"offset\" is not an offset");
    const struct member *stamp = &members[members[M_KAFKA_TIMESTAMP].present ? M_KAFKA_TIMESTAMP : M_KCAT_TS];
    if (stamp->present && !member_int(stamp, -1, INT64_MAX / 2000, &record->timestamp))
        return fail(reason, "the record's timestamp is not milliseconds");
    if (record->timestamp < 0) /* kcat's word for none */
        record->timestamp = 0;
    if (members[M_ARRIVED].present &&
        !member_int(&members[M_ARRIVED], INT64_MIN / 2, INT64_MAX / 2, &record->arrived_us))
        return fail(reason, "\"arrivedUs\" is not microseconds");
    return true;
}

bool transfer_read_line(const char *line, size_t length, struct record *record, int64_t *event_ms,
                        struct buf *scratch, char reason[160])
{
    struct member members[MEMBERS] = {0};
    struct scan scan;
    buf_reset(scratch);
    *record = (struct record){0};
    scan_open(&scan, line, length, CODEC_MAX_DEPTH + 2);
    if (!read_members(&scan, members)) {
        snprintf(reason, 160, "%s, at byte %zu", scan.problem, scan.problem_at + 1);
        return false;
    }
    struct span key = {.null = true}, headers = {.null = true}, value;
    if (!read_kind(&members[M_TOPIC], &record->kind, reason) || !read_figures(members, record, reason) ||
        !member_value(members, scratch, &value, reason))
        return false;
    const struct member *key_member = &members[M_KEY];
    if (key_member->present && !key_member->is_null) {
        bool base64 = members[M_KEY_ENCODING].is_string && is_word(&members[M_KEY_ENCODING].string, "base64");
        if (!key_member->is_string || !string_bytes(&key_member->string, base64, scratch, &key))
            return fail(reason, "\"key\" is not a string, or not Base64");
    }
    if (members[M_HEADERS].present && !member_headers(&members[M_HEADERS], scratch, &headers))
        return fail(reason, "\"headers\" are neither an object nor names and values");

    record->key = span_text(&key, scratch);
    record->key_length = key.length;
    record->value = span_text(&value, scratch);
    record->value_length = value.length;
    record->headers = headers.length ? (const uint8_t *)span_text(&headers, scratch) : NULL;
    record->headers_length = headers.length;
    if (key.null)
        record->key_length = 0;
    if (value.null)
        record->value_length = 0;

    if (members[M_TIMESTAMP].present) {
        if (!read_time(&members[M_TIMESTAMP], event_ms))
            return fail(reason, "\"timestamp\" is neither RFC 3339 nor milliseconds");
    } else if (!record->value || !find_value_time(record->value, record->value_length, event_ms)) {
        *event_ms = record->timestamp;
    }
    /* So that it plays back at the pace at which it happened. */
    if (!members[M_ARRIVED].present)
        record->arrived_us = (record->timestamp ? record->timestamp : *event_ms) * 1000;
    return true;
}

/* ---- a whole file ---- */

static void note_bad(struct transfer_figures *figures, uint64_t line_number, const char *reason)
{
    if (figures->bad++ == 0) {
        char text[200];
        snprintf(text, sizeof text, "line %llu: %s", (unsigned long long)line_number, reason);
        text_sanitise(figures->first_bad, sizeof figures->first_bad, text, strlen(text));
    }
}

struct importer {
    struct journey_writer *writer;
    struct transfer_figures *figures;
    struct buf line, scratch;
    uint64_t line_number;
    bool too_long; /* the current line is being skipped */
};

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

/* The line is complete. -1 only when the journey cannot be written. */
static int import_line(struct importer *importer, struct err *err)
{
    struct buf *line = &importer->line;
    const char *text = line->data ? line->data : "";
    size_t length = line->length;
    char reason[160];
    importer->line_number++;
    importer->figures->bytes += length + 1;
    if (importer->line_number == 1 && length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3, length -= 3;
    struct record record;
    int64_t event_ms;
    if (importer->too_long) {
        snprintf(reason, sizeof reason, "longer than %u MiB", TRANSFER_LINE_LIMIT >> 20);
        note_bad(importer->figures, importer->line_number, reason);
    } else if (is_blank(text, length)) {
        /* tolerated */
    } else if (!transfer_read_line(text, length, &record, &event_ms, &importer->scratch, reason)) {
        note_bad(importer->figures, importer->line_number, reason);
    } else {
        struct err own = ERR_INIT;
        if (journey_add(importer->writer, &record, event_ms, &own) == 0) {
            importer->figures->records++;
        } else if (own.kind == ERR_LIMIT) {
            note_bad(importer->figures, importer->line_number, own.text);
        } else {
            if (err)
                *err = own;
            return -1;
        }
    }
    buf_reset(line);
    importer->too_long = false;
    return 0;
}

static int import_bytes(struct importer *importer, const char *bytes, size_t length, struct err *err)
{
    for (const char *at = bytes, *end = bytes + length; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        if (!importer->too_long && !buf_append(&importer->line, at, (size_t)(stop - at))) {
            importer->too_long = true;
            buf_reset(&importer->line);
        }
        if (newline && import_line(importer, err) < 0)
            return -1;
        at = newline ? newline + 1 : end;
    }
    return 0;
}

int transfer_import(FILE *in, struct journey_writer *writer, struct transfer_figures *figures,
                    struct err *err)
{
    *figures = (struct transfer_figures){0};
    struct importer importer = {.writer = writer, .figures = figures};
    buf_init(&importer.line, TRANSFER_LINE_LIMIT);
    buf_init(&importer.scratch, 2 * (size_t)TRANSFER_LINE_LIMIT);
    size_t size = 256 << 10, got;
    char *block = mem_alloc(size);
    int result = 0;
    while (result == 0 && (got = fread(block, 1, size, in)) > 0)
        result = import_bytes(&importer, block, got, err);
    if (result == 0 && ferror(in))
        result = err_set_errno(err, ERR_IO, errno, "cannot read the import");
    if (result == 0 && (importer.line.length > 0 || importer.too_long)) /* a last line without newline */
        result = import_line(&importer, err);
    free(block);
    buf_free(&importer.line);
    buf_free(&importer.scratch);
    return result;
}
