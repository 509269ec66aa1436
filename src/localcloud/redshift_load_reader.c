/*
 * Delimited text and CSV, record by record, in constant memory: into a CSV that the engine reads without
 * thinking (every field quoted, null as nothing). What does not fit the table is told here with its line.
 */
#include "localcloud/redshift_load.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_LIMIT (4u << 20) /* Redshift's limit of a row */

struct source {
    struct rs_copy *copy;
    FILE *in, *out;
    size_t file;
    int64_t line;      /* where the record begins */
    int64_t lines;     /* read so far */
    struct buf raw;    /* the record as it stands */
    struct buf fields; /* decoded, each ended by NUL */
    size_t *starts;
    bool *quoted;
    size_t count, capacity;
    bool broken; /* a quote that does not end */
};

static void begin_field(struct source *s)
{
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 64;
        s->starts = mem_resize(s->starts, s->capacity, sizeof *s->starts);
        s->quoted = mem_resize(s->quoted, s->capacity, sizeof *s->quoted);
    }
    s->starts[s->count] = s->fields.length;
    s->quoted[s->count++] = false;
}

static int next_byte(struct source *s)
{
    int byte = getc_unlocked(s->in);
    if (byte == '\n')
        s->lines++;
    if (byte != EOF)
        buf_char(&s->raw, (char)byte);
    return byte;
}

/* Of text, a backslash takes the meaning from what follows, when ESCAPE is given. */
static bool read_record(struct source *s)
{
    const struct rs_options *o = &s->copy->options;
    bool csv = o->format == RS_FORMAT_CSV, quotes = csv || o->remove_quotes, inside = false, any = false;
    char quote = csv ? o->quote : '"';
    buf_reset(&s->raw);
    buf_reset(&s->fields);
    s->count = 0;
    s->broken = false;
    s->line = s->lines + 1;
    begin_field(s);
    for (;;) {
        int byte = next_byte(s);
        if (byte == EOF) {
            s->broken = inside;
            break;
        }
        any = true;
        if (inside) {
            if (byte != quote) {
                buf_char(&s->fields, (char)byte);
                continue;
            }
            int after = next_byte(s);
            if (csv && after == quote) {
                buf_char(&s->fields, quote);
                continue;
            }
            inside = false;
            byte = after;
            if (byte == EOF)
                break;
        }
        if (byte == '\n')
            break;
        if (byte == '\r' && csv) {
            int after = getc_unlocked(s->in);
            if (after != EOF)
                ungetc(after, s->in);
            if (after == '\n')
                continue;
        }
        if (byte == o->delimiter) {
            buf_char(&s->fields, '\0');
            begin_field(s);
        } else if (quotes && byte == quote && s->fields.length == s->starts[s->count - 1]) {
            inside = s->quoted[s->count - 1] = true;
        } else if (!csv && o->escape && byte == '\\') {
            int after = next_byte(s);
            if (after != EOF)
                buf_char(&s->fields, after == 'n' ? '\n' : (char)after);
        } else {
            buf_char(&s->fields, (char)byte);
        }
    }
    buf_char(&s->fields, '\0');
    while (s->raw.length > 0 &&
           (s->raw.data[s->raw.length - 1] == '\n' || s->raw.data[s->raw.length - 1] == '\r'))
        s->raw.data[--s->raw.length] = '\0';
    return any;
}

static void put_field(FILE *out, const char *text)
{
    putc_unlocked('"', out);
    for (; *text; text++) {
        if (*text == '"')
            putc_unlocked('"', out);
        putc_unlocked(*text, out);
    }
    putc_unlocked('"', out);
}

static void reject(struct source *s, int code, const char *reason)
{
    s->copy->rejected++;
    rs_load_error(s->copy, s->file, s->line, NULL, s->raw.data, "", code, reason);
}

static bool is_null(const struct rs_copy *copy, const struct source *s, size_t i)
{
    const char *text = s->fields.data + s->starts[i];
    const char *null_as = copy->options.null_as ? copy->options.null_as : "\\N";
    return !s->quoted[i] && strcmp(text, null_as) == 0;
}

static void write_record(struct source *s)
{
    const struct rs_copy *copy = s->copy;
    const struct rs_options *o = &copy->options;
    if (s->fields.overflow || s->raw.overflow) {
        reject(s, 1204, "The record is larger than 4 MB");
        return;
    }
    if (s->broken) {
        reject(s, 1214, "Invalid quote formatting for CSV");
        return;
    }
    if (s->raw.data && memchr(s->raw.data, '\0', s->raw.length)) {
        reject(s, 1216, "Invalid null byte - field longer than 1 byte");
        return;
    }
    if (!text_is_utf8(s->raw.data ? s->raw.data : "", s->raw.length)) {
        reject(s, 1220, "String contains invalid or unsupported UTF8 codepoints");
        return;
    }
    /* A delimiter at the end of the line is no further column. */
    if (s->count == copy->column_count + 1 && o->format == RS_FORMAT_TEXT &&
        !s->fields.data[s->starts[s->count - 1]])
        s->count--;
    if (s->count < copy->column_count && !o->fill) {
        reject(s, 1214, "Delimiter not found");
        return;
    }
    if (s->count > copy->column_count) {
        reject(s, 1202, "Extra column(s) found");
        return;
    }
    fprintf(s->out, "\"%zu\",\"%" PRId64 "\"", s->file, s->line);
    for (size_t i = 0; i < copy->column_count; i++) {
        putc_unlocked(',', s->out);
        if (i < s->count && !is_null(copy, s, i))
            put_field(s->out, s->fields.data + s->starts[i]);
    }
    char shown[1025];
    text_copy(shown, sizeof shown, s->raw.data ? s->raw.data : "");
    putc_unlocked(',', s->out);
    put_field(s->out, shown);
    putc_unlocked('\n', s->out);
}

static bool read_file(struct source *s, const char *path)
{
    const struct rs_options *o = &s->copy->options;
    s->in = rs_open_text(path, o->compression);
    if (!s->in)
        return false;
    s->lines = 0;
    for (int64_t record = 0; read_record(s); record++) {
        if (record < o->ignore_header || (o->skip_blank && s->raw.length == 0))
            continue;
        write_record(s);
        if (s->copy->rejected > o->max_error)
            break;
    }
    bool good = !ferror(s->in);
    fclose(s->in);
    return good;
}

int rs_text_stage(struct rs_copy *copy, const char *path)
{
    struct source source = {.copy = copy};
    struct err err = ERR_INIT;
    source.out = fopen(path, "wxe");
    if (!source.out) {
        err_set_errno(&err, ERR_IO, errno, "%s", path);
        return redshift_outcome_fail(copy->outcome, "%s", err.text);
    }
    buf_init(&source.raw, RECORD_LIMIT);
    buf_init(&source.fields, RECORD_LIMIT);
    int result = 0;
    for (; source.file < copy->file_count && result == 0 && copy->rejected <= copy->options.max_error;
         source.file++) {
        const struct rs_file *file = &copy->files[source.file];
        char name[OBJECTS_PATH_SIZE], url[OBJECTS_KEY_MAX + OBJECTS_BUCKET_MAX + 10];
        snprintf(url, sizeof url, "s3://%s/%s", file->bucket, file->key);
        if (!read_file(&source, objects_path(copy->runner->objects, file->blob, name)))
            result = rs_detail_fail(copy, "The file cannot be read, or is not compressed as the options say",
                                    1233, url);
    }
    bool full = ferror(source.out);
    if ((fclose(source.out) != 0 || full) && result == 0)
        result = redshift_outcome_fail(copy->outcome, "Disk Full");
    buf_free(&source.raw);
    buf_free(&source.fields);
    free(source.starts);
    free(source.quoted);
    return result;
}
