#include "ui/panels/record.h"

#include "city/codec.h"
#include "city/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRING_SHOWN 200 /* bytes of a text in the tree */
#define BLOB_SHOWN   24
#define SUMMARY_SIZE 160
#define TEXT_COLUMNS 96 /* of a value that is not JSON */
#define TEXT_ROWS    200
#define HEX_COLUMNS  8
#define HEX_ROWS     128

struct filling {
    struct tree *tree;
    struct scan scan;
    const struct schema *schema; /* NULL: a topic that is not ours */
    struct codec_report report;
};

/* ---- JSON -------------------------------------------------------------------------------------------- */

/* A nested value in one line: its text without quotes and outer brackets. */
static void summarise(const char *text, size_t length, char out[SUMMARY_SIZE])
{
    char plain[SUMMARY_SIZE - 8];
    size_t used = 0;
    if (length >= 2) {
        text++;
        length -= 2;
    }
    for (size_t i = 0; i < length && used + 3 < sizeof plain; i++) {
        char byte = text[i];
        if (byte == '"' || byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t')
            continue;
        plain[used++] = byte == ':' ? ' ' : byte;
        if (byte == ',')
            plain[used++] = ' ';
    }
    size_t written = text_sanitise(out, SUMMARY_SIZE - 8, plain, used);
    if (used + 3 >= sizeof plain)
        memcpy(out + written, "…", sizeof "…");
}

static bool foreign_word(const struct field *field, const struct scan_string *string)
{
    char word[64];
    bool cut;
    if (field == NULL || field->words == NULL || string->length >= sizeof word)
        return false;
    size_t length = scan_string_copy(string, word, sizeof word, &cut);
    return schema_find_word(field, word, &length) == NULL;
}

static enum role add_string(const struct field *field, const struct scan_string *string, char *value,
                            size_t size)
{
    char count[TEXT_FIGURE_SIZE], volume[TEXT_FIGURE_SIZE];
    bool cut, blob = field != NULL && field->type == FIELD_BLOB;
    scan_string_copy(string, value, blob && string->length > 3 * BLOB_SHOWN ? BLOB_SHOWN : STRING_SHOWN,
                     &cut);
    if (cut || (blob && string->length > 3 * BLOB_SHOWN)) {
        size_t used = strlen(value);
        if (blob)
            snprintf(value + used, size - used, "…  Base64 of %s",
                     text_bytes(volume, (double)text_base64_max(string->length)));
        else
            snprintf(value + used, size - used, "…  %s characters",
                     text_count(count, (int64_t)string->length));
    }
    if (string->length == 0)
        snprintf(value, size, "\"\"");
    return foreign_word(field, string) ? ROLE_WARNING : ROLE_TEXT;
}

/* What is odd about a field, or its unit and meaning. */
static void describe(const struct filling *filling, int index, enum role role, char *out, size_t size)
{
    const struct field *field =
        filling->schema != NULL && index >= 0 ? &filling->schema->fields[index] : NULL;
    const char *odd = "";
    if (filling->schema == NULL)
        odd = "";
    else if (field == NULL)
        odd = "not in the field table";
    else if ((filling->report.unfit_fields >> index & 1) != 0)
        odd = "does not fit: taken as null. ";
    else if ((filling->report.coerced_fields >> index & 1) != 0)
        odd = "understood in another form. ";
    if (field == NULL)
        snprintf(out, size, "%s", odd);
    else if (role == ROLE_WARNING)
        snprintf(out, size, " not one of %s", field->words);
    else
        snprintf(out, size, "%s%s %s%s", field->unit, field->unit[0] != '\0' ? " " : "", odd, field->meaning);
}

static void add_value(struct filling *filling, int depth, const char *label, int index, bool member);

static void add_members(struct filling *filling, int depth, bool member)
{
    struct scan_string key;
    bool first = true, cut;
    char label[96];
    if (!scan_begin(&filling->scan, '{'))
        return;
    while (scan_next_key(&filling->scan, &first, &key)) {
        size_t used = scan_string_copy(&key, label, sizeof label - 4, &cut);
        if (cut)
            text_copy(label + used, sizeof label - used, "…");
        int index = member && filling->schema != NULL
                        ? schema_field_index_n(filling->schema, key.text, key.length)
                        : -1;
        add_value(filling, depth, label, index, member);
        if (filling->scan.problem != NULL)
            return;
    }
}

static void add_elements(struct filling *filling, int depth)
{
    bool first = true;
    if (!scan_begin(&filling->scan, '['))
        return;
    for (int i = 0; scan_next_element(&filling->scan, &first); i++) {
        char label[24];
        snprintf(label, sizeof label, "[%d]", i);
        add_value(filling, depth, label, -1, false);
        if (filling->scan.problem != NULL)
            return;
    }
}

static void add_nested(struct filling *filling, int depth, const char *label, int index, bool member,
                       bool object)
{
    char summary[SUMMARY_SIZE] = "", note[200] = "";
    struct scan ahead = filling->scan;
    const char *from = ahead.at;
    if (scan_skip(&ahead))
        summarise(from, (size_t)(ahead.at - from), summary);
    if (member)
        describe(filling, index, ROLE_TEXT, note, sizeof note);
    tree_add(filling->tree, depth, label, summary[0] ? summary : "empty", note, ROLE_TEXT);
    tree_branch(filling->tree, true);
    if (object)
        add_members(filling, depth + 1, false);
    else
        add_elements(filling, depth + 1);
}

/* The value at the scanner as a node; `member`: of the record itself, so that the field table speaks of it.
 */
static void add_value(struct filling *filling, int depth, const char *label, int index, bool member)
{
    const struct field *field = index >= 0 ? &filling->schema->fields[index] : NULL;
    char value[STRING_SHOWN + 64] = "", note[240] = "";
    enum role role = ROLE_TEXT;
    int next = scan_peek(&filling->scan);
    if (next == '{' || next == '[') {
        add_nested(filling, depth, label, index, member, next == '{');
        return;
    }
    if (next == '"') {
        struct scan_string string;
        if (!scan_string(&filling->scan, &string))
            return;
        role = add_string(field, &string, value, sizeof value);
    } else {
        const char *from = filling->scan.at;
        if (!scan_skip(&filling->scan))
            return;
        text_sanitise(value, 64, from, (size_t)(filling->scan.at - from));
        if (strcmp(value, "null") == 0)
            role = ROLE_DIM;
    }
    if (member)
        describe(filling, index, role, note, sizeof note);
    if (index >= 0 && (filling->report.unfit_fields >> index & 1) != 0)
        role = ROLE_BAD;
    tree_add(filling->tree, depth, label, value, note, role);
}

/* ---- what is not JSON -------------------------------------------------------------------------------- */

static void add_text(struct tree *tree, int depth, const char *bytes, size_t length)
{
    char line[TEXT_COLUMNS * 4 + 1], label[24];
    int rows = 0;
    tree_add(tree, depth, "as text", NULL, NULL, ROLE_TEXT);
    tree_branch(tree, false);
    for (size_t at = 0; at < length && rows < TEXT_ROWS; rows++) {
        size_t part = length - at < TEXT_COLUMNS ? length - at : TEXT_COLUMNS;
        const char *newline = memchr(bytes + at, '\n', part);
        if (newline != NULL)
            part = (size_t)(newline - (bytes + at)) + 1;
        /* Not through the middle of a character. */
        while (part > 1 && at + part < length && ((unsigned char)bytes[at + part] & 0xC0) == 0x80 &&
               part > TEXT_COLUMNS - 4)
            part--;
        text_sanitise(line, sizeof line, bytes + at, part);
        snprintf(label, sizeof label, "%zu", at);
        tree_add(tree, depth + 1, label, line, NULL, ROLE_TEXT);
        at += part;
    }
}

static void add_bytes(struct tree *tree, int depth, const char *bytes, size_t length)
{
    char count[TEXT_FIGURE_SIZE], all[TEXT_FIGURE_SIZE], note[64] = "";
    size_t shown = length < HEX_COLUMNS * HEX_ROWS ? length : HEX_COLUMNS * HEX_ROWS;
    if (shown < length)
        snprintf(note, sizeof note, "the first %s of %s", text_count(count, (int64_t)shown),
                 text_count(all, (int64_t)length));
    tree_add(tree, depth, "as bytes", note, NULL, ROLE_DIM);
    tree_branch(tree, false);
    for (size_t at = 0; at < shown; at += HEX_COLUMNS) {
        char label[16], hex[HEX_COLUMNS * 3 + 4], plain[HEX_COLUMNS + 1];
        size_t used = 0, i;
        for (i = 0; i < HEX_COLUMNS && at + i < shown; i++) {
            unsigned char byte = (unsigned char)bytes[at + i];
            used += (size_t)snprintf(hex + used, sizeof hex - used, " %02x", byte);
            plain[i] = byte >= ' ' && byte < 0x7F ? (char)byte : '.';
        }
        plain[i] = '\0';
        while (used < HEX_COLUMNS * 3)
            hex[used++] = ' ';
        hex[used] = '\0';
        snprintf(label, sizeof label, "%06zx", at);
        tree_add(tree, depth + 1, label, hex + 1, plain, ROLE_TEXT);
    }
}

/* ---- the record -------------------------------------------------------------------------------------- */

static void add_time(struct tree *tree, const char *label, int64_t microseconds, const char *note)
{
    char time[TEXT_TIME_SIZE];
    if (microseconds > 0)
        tree_add(tree, 1, label, text_time(time, microseconds / 1000), note, ROLE_TEXT);
}

/* The reason that the quarantine gives, or NULL when it has let go of it. */
static const char *quarantine_reason(const struct view *view, const struct view_tail_row *row)
{
    for (size_t i = 0; i < view->city->quarantine_count && i < CITY_QUARANTINE; i++) {
        const struct city_quarantined *entry = &view->city->quarantine[i];
        if (entry->kind == row->kind && entry->partition == row->partition && entry->offset == row->offset)
            return entry->reason;
    }
    return NULL;
}

static void add_place(struct tree *tree, const struct view *view, const struct view_opened *opened,
                      bool brief)
{
    const struct view_tail_row *row = &opened->row;
    char text[STREAM_COMMAND], figure[TEXT_FIGURE_SIZE], latency[TEXT_FIGURE_SIZE];
    double milliseconds =
        opened->produced_us > 0 ? (double)stream_span(opened->produced_us, row->arrived_us) / 1000 : -1;
    snprintf(text, sizeof text, "%s  partition %d  offset %s  key %s  %s", stream_topic(row->kind),
             row->partition, stream_offset(figure, row->offset), row->key[0] ? row->key : "none",
             stream_ms(latency, milliseconds));
    tree_add(tree, 0, "record", text, NULL, ROLE_TEXT);
    tree_branch(tree, brief);
    tree_add(tree, 1, "topic", stream_topic(row->kind), NULL, stream_role(row->kind));
    snprintf(text, sizeof text, "%d", row->partition);
    tree_add(tree, 1, "partition", text, NULL, ROLE_TEXT);
    tree_add(tree, 1, "offset", stream_offset(figure, row->offset), NULL, ROLE_TEXT);
    tree_add(tree, 1, "key", row->key[0] ? row->key : "none", NULL, ROLE_TEXT);
    tree_add(tree, 1, "size", text_bytes(figure, (double)row->length), NULL, ROLE_TEXT);
    add_time(tree, "produced", opened->produced_us, "by the header produced-at");
    add_time(tree, "broker time", stream_us(opened->timestamp_ms), "Kafka's timestamp of the record");
    add_time(tree, "arrived", row->arrived_us, "here");
    if (milliseconds >= 0)
        tree_add(tree, 1, "latency", stream_ms(latency, milliseconds > 0 ? milliseconds : 0.01),
                 "produced to arrived", ROLE_STRONG);
    stream_kcat(text, view, row->kind, row->partition, row->offset);
    if (row->kind >= 0)
        tree_add(tree, 1, "kcat", text, NULL, ROLE_DIM);
    if (opened->header_count == 0)
        return;
    snprintf(text, sizeof text, "%zu", opened->header_count);
    tree_add(tree, 0, "headers", text, NULL, ROLE_TEXT);
    tree_branch(tree, brief);
    for (size_t i = 0; i < opened->header_count; i++)
        tree_add(tree, 1, opened->headers[i].name, opened->headers[i].value, NULL, ROLE_TEXT);
}

void record_fill(struct tree *tree, const struct view *view, const struct view_opened *opened, bool brief)
{
    struct filling filling = {.tree = tree};
    char text[240], volume[TEXT_FIGURE_SIZE], kept[TEXT_FIGURE_SIZE];
    int kind = opened->row.kind;
    tree_clear(tree, false);
    if (opened->row.quarantined) {
        const char *reason = quarantine_reason(view, &opened->row);
        tree_add(tree, 0, "quarantined", reason != NULL ? reason : "the reason is no longer kept", NULL,
                 ROLE_BAD);
    }
    add_place(tree, view, opened, brief);
    text_bytes(volume, (double)opened->row.length);
    if (opened->value == NULL || opened->value_length == 0) {
        tree_add(tree, 0, "value", "none: a tombstone or an empty record", NULL, ROLE_WARNING);
        return;
    }
    if (kind >= 0 && kind < EVENT_KIND_COUNT) {
        struct event event;
        filling.schema = schema_get((enum event_kind)kind);
        codec_decode((enum event_kind)kind, opened->value, opened->value_length, &event, &filling.report);
    }
    scan_open(&filling.scan, opened->value, opened->value_length, CODEC_MAX_DEPTH);
    bool object = scan_peek(&filling.scan) == '{';
    if (opened->truncated)
        snprintf(text, sizeof text, "the first %s of %s; the rest was not kept for the screen",
                 text_bytes(kept, (double)opened->value_length), volume);
    else
        snprintf(text, sizeof text, "%s", object ? volume : "");
    tree_add(tree, 0, "value", text, NULL, opened->truncated ? ROLE_WARNING : ROLE_TEXT);
    tree_branch(tree, false);
    size_t place = tree->count - 1;
    if (object)
        add_members(&filling, 1, true);
    else
        scan_fail(&filling.scan, filling.scan.at, "no object begins here");
    if (filling.scan.problem == NULL && scan_close(&filling.scan))
        return;
    if (!opened->truncated) {
        snprintf(text, sizeof text, "%.100s, at byte %zu of %s",
                 filling.scan.problem ? filling.scan.problem : "more follows", filling.scan.problem_at,
                 volume);
        tree_add(tree, 1, "not JSON", text, NULL, ROLE_BAD);
    }
    if (tree->count > place + 8 && opened->truncated)
        return; /* what was read of it says enough */
    add_text(tree, 1, opened->value, opened->value_length);
    add_bytes(tree, 1, opened->value, opened->value_length);
}

/* ---- in one row -------------------------------------------------------------------------------------- */

/* To the end of the value at `at`: a comma or closing bracket of this level, or the end of the excerpt. */
static const char *value_end(const char *at)
{
    int depth = 0;
    for (bool quoted = false; *at != '\0'; at++) {
        if (quoted) {
            if (*at == '\\' && at[1] != '\0')
                at++;
            else if (*at == '"')
                quoted = false;
        } else if (*at == '"') {
            quoted = true;
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if ((*at == '}' || *at == ']') && depth-- == 0) {
            break;
        } else if (*at == ',' && depth == 0) {
            break;
        }
    }
    return at;
}

static bool every_record_has(const char *key, size_t length)
{
    static const char *const names[] = {"id", "deviceId", "timestamp"};
    for (size_t i = 0; i < 3; i++)
        if (strlen(names[i]) == length && memcmp(names[i], key, length) == 0)
            return true;
    return false;
}

/* Without quotes and brackets; a position as its two numbers. */
static void plain_value(const char *value, size_t length, char *out, size_t size)
{
    static const char *const axes[] = {"\"latitude\":", "\"longitude\":"};
    size_t used = 0;
    bool nested = length > 0 && (value[0] == '{' || value[0] == '[');
    for (size_t i = 0; i < length && used + 2 < size; i++) {
        for (size_t axis = 0; axis < 2 && nested; axis++)
            if (length - i > strlen(axes[axis]) && strncmp(value + i, axes[axis], strlen(axes[axis])) == 0)
                i += strlen(axes[axis]);
        if (value[i] == '"' || (nested && strchr("{}[]", value[i]) != NULL))
            continue;
        out[used++] = nested && value[i] == ':' ? ' ' : value[i];
        if (nested && value[i] == ',')
            out[used++] = ' ';
    }
    out[used] = '\0';
}

int record_draw_excerpt(struct canvas *canvas, int x, int y, int width, const struct view_tail_row *row)
{
    const char *at = row->excerpt;
    int end = x + width;
    char text[sizeof row->excerpt];
    if (row->quarantined)
        x = canvas_text_fit(canvas, x, y, width, STYLE(ROLE_BAD), "✗ quarantined") + 1;
    if (*at != '{' || row->quarantined)
        return x < end ? canvas_text_fit(canvas, x, y, end - x, STYLE(ROLE_TEXT), at) : x;
    for (at++; *at == '"' && x < end;) {
        const char *key = at + 1, *key_end = strchr(key, '"');
        if (key_end == NULL || key_end[1] != ':')
            break;
        const char *value = key_end + 2, *after = value_end(value);
        if (!every_record_has(key, (size_t)(key_end - key))) {
            snprintf(text, sizeof text, "%.*s", (int)(key_end - key), key);
            x = canvas_text_fit(canvas, x, y, end - x, STYLE(ROLE_DIM), text) + 1;
            plain_value(value, (size_t)(after - value), text, sizeof text);
            if (x < end)
                x = canvas_text_fit(canvas, x, y, end - x, STYLE(ROLE_TEXT), text) + 2;
        }
        if (*after != ',')
            break;
        at = after + 1;
    }
    return x;
}

void record_text(const struct view_opened *opened, struct buf *out)
{
    const char *bytes = opened->value != NULL ? opened->value : "";
    size_t length = opened->value != NULL ? opened->value_length : 0;
    bool harmless = text_is_utf8(bytes, length);
    for (size_t i = 0; harmless && i < length; i++)
        harmless = (unsigned char)bytes[i] >= ' ' || bytes[i] == '\n' || bytes[i] == '\t';
    if (harmless) {
        buf_append(out, bytes, length);
        return;
    }
    for (size_t at = 0; at < length;) { /* in pieces; a control's picture takes three bytes */
        char piece[1024];
        size_t part = length - at < sizeof piece / 4 ? length - at : sizeof piece / 4;
        for (size_t i = 0;
             i < 3 && part > 4 && at + part < length && ((unsigned char)bytes[at + part] & 0xC0) == 0x80; i++)
            part--;
        buf_append(out, piece, text_sanitise(piece, sizeof piece, bytes + at, part));
        at += part;
    }
}
