#include "localcloud/athena_companion.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define COLUMN_LIMIT 65536
#define UNKNOWN      3 /* whether there are nulls */

static void varint(struct buf *out, uint64_t value)
{
    for (; value > 127; value >>= 7)
        buf_char(out, (char)(value | 0x80));
    buf_char(out, (char)value);
}

static void put_text(struct buf *out, unsigned field, const char *text, size_t length)
{
    varint(out, field << 3 | 2);
    varint(out, length);
    buf_append(out, text, length);
}

/* Zero is not written. */
static void put_number(struct buf *out, unsigned field, json_int_t value)
{
    if (value <= 0)
        return;
    varint(out, field << 3);
    varint(out, (uint64_t)value);
}

void athena_companion_write(const char *id, int64_t now_us, const json_t *columns, struct buf *out)
{
    static const char *const texts[] = {"CatalogName", "SchemaName", "TableName", "Name", "Label", "Type"};
    char time[TEXT_TIME_SIZE], name[64];
    text_time(time, now_us / 1000); /* 2026-01-12T08:14:32.000Z: Trino's ids begin 20260112_081432 */
    snprintf(name, sizeof name, "%.4s%.2s%.2s_%.2s%.2s%.2s_00001_%.5s", time, time + 5, time + 8, time + 11,
             time + 14, time + 17, id);
    put_text(out, 1, name, strlen(name));
    const json_t *column;
    size_t index;
    json_array_foreach(columns, index, column)
    {
        struct buf one;
        buf_init(&one, COLUMN_LIMIT);
        for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
            const json_t *text = json_object_get(column, texts[i]);
            if (json_string_length(text) > 0)
                put_text(&one, i + 1, json_string_value(text), json_string_length(text));
        }
        put_number(&one, 7, json_integer_value(json_object_get(column, "Precision")));
        put_number(&one, 8, json_integer_value(json_object_get(column, "Scale")));
        put_number(&one, 9, UNKNOWN);
        put_number(&one, 10, json_is_true(json_object_get(column, "CaseSensitive")));
        put_text(out, 4, one.data, one.length);
        buf_free(&one);
    }
}
