/* A row as Hive's LazySimpleSerDe writes it: fields by the delimiter, elements by \002, keys of maps by \003,
 * one control character more for each level; null is \N. */
#include "localcloud/athena_prelude.h"

#include "base/text.h"
#include "localcloud/athena_value.h"

#include <string.h>

#define TEXT_LIMIT (32u << 20)
#define LEVELS     8

static void write_value(struct buf *out, struct duck_value value, int level)
{
    enum duck_kind kind = value.type->kind;
    bool list = kind == DUCK_LIST || kind == DUCK_ARRAY, map = kind == DUCK_MAP;
    if (duck_is_null(value)) {
        buf_text(out, "\\N");
    } else if (kind == DUCK_BLOB) {
        size_t length;
        const char *bytes = duck_text(value, &length);
        size_t at = out->length, size = text_base64_size(length);
        if (buf_reserve(out, size)) {
            text_base64_encode(out->data + at, bytes, length);
            out->length += size;
            out->data[out->length] = '\0';
        }
    } else if ((list || map || kind == DUCK_STRUCT) && level < LEVELS) {
        size_t count = list || map ? duck_length(value) : value.type->count;
        for (size_t i = 0; i < count && !out->overflow; i++) {
            if (i > 0)
                buf_char(out, (char)level);
            if (map) {
                write_value(out, duck_map_key(value, i), level + 2);
                buf_char(out, (char)(level + 1));
                write_value(out, duck_map_value(value, i), level + 2);
            } else {
                write_value(out, list ? duck_element(value, i) : duck_field(value, i), level + 1);
            }
        }
    } else {
        athena_value_write(out, value);
    }
}

static void row(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct buf text;
    size_t length;
    const char *delimiter = duck_text(arguments[1], &length);
    buf_init(&text, TEXT_LIMIT);
    for (size_t i = 0; i < arguments[0].type->count; i++) {
        if (i > 0)
            buf_append(&text, delimiter, length);
        write_value(&text, duck_field(arguments[0], i), 2);
    }
    if (text.overflow)
        duck_return_error(out, "EXCEEDED_MEMORY_LIMIT: a row is too long");
    else
        duck_return_text(out, text.data ? text.data : "", text.length);
    buf_free(&text);
}

/* A line with escapes: they are taken away, and \x1f\x1e stands between fields instead. */
static void unescape(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    size_t length, size, escape_size;
    const char *line = duck_text(arguments[0], &length), *delimiter = duck_text(arguments[1], &size),
               *escape = duck_text(arguments[2], &escape_size);
    struct buf text;
    buf_init(&text, TEXT_LIMIT);
    for (size_t i = 0; i < length; i++) {
        if (escape_size == 1 && line[i] == *escape && i + 1 < length) {
            buf_char(&text, line[++i]);
        } else if (size > 0 && length - i >= size && memcmp(line + i, delimiter, size) == 0) {
            buf_text(&text, "\x1f\x1e");
            i += size - 1;
        } else {
            buf_char(&text, line[i]);
        }
    }
    if (text.overflow)
        duck_return_error(out, "EXCEEDED_MEMORY_LIMIT: a line is too long");
    else
        duck_return_text(out, text.data ? text.data : "", text.length);
    buf_free(&text);
}

const struct duck_function athena_lazy_functions[] = {
    {"athena_lazy_unescape", DUCK_VARCHAR, unescape, false, {DUCK_VARCHAR, DUCK_VARCHAR, DUCK_VARCHAR}},
    {"athena_lazy_row", DUCK_VARCHAR, row, false, {DUCK_ANY, DUCK_VARCHAR}},
    {0}};
