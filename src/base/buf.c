#include "base/buf.h"
#include "base/err.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t limit)
{
    /* One byte is kept for the NUL, so a limit near SIZE_MAX must not wrap. */
    *buf = (struct buf){.limit = limit < SIZE_MAX / 2 ? limit : SIZE_MAX / 2};
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.limit = buf->limit};
}

void buf_reset(struct buf *buf)
{
    buf->length = 0;
    buf->overflow = false;
    if (buf->data)
        buf->data[0] = '\0';
}

bool buf_reserve(struct buf *buf, size_t extra)
{
    if (extra > buf->limit - buf->length) {
        buf->overflow = true;
        return false;
    }
    size_t needed = buf->length + extra + 1;
    if (needed <= buf->capacity)
        return true;
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity < needed)
        capacity += capacity / 2 + 32;
    if (capacity > buf->limit + 1)
        capacity = buf->limit + 1;
    bool first = !buf->data;
    buf->data = mem_resize(buf->data, capacity, 1);
    buf->capacity = capacity;
    if (first)
        buf->data[0] = '\0';
    return true;
}

bool buf_append(struct buf *buf, const void *bytes, size_t length)
{
    if (!buf_reserve(buf, length))
        return false;
    if (length)
        memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
    return true;
}

bool buf_text(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

bool buf_char(struct buf *buf, char byte)
{
    return buf_append(buf, &byte, 1);
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
    if (!buf_reserve(buf, 0))
        return false;
    va_list arguments;
    va_start(arguments, format);
    size_t room = buf->capacity - buf->length;
    int length = vsnprintf(buf->data + buf->length, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room) {
        buf->data[buf->length] = '\0';
        if (length < 0 || !buf_reserve(buf, (size_t)length))
            return false;
        va_start(arguments, format);
        vsnprintf(buf->data + buf->length, (size_t)length + 1, format, arguments);
        va_end(arguments);
    }
    buf->length += (size_t)length;
    return true;
}

bool buf_sql_text(struct buf *buf, const char *text)
{
    size_t size = 2;
    for (const char *at = text; *at; at++)
        size += *at == '\'' ? 2 : 1;
    if (!buf_reserve(buf, size))
        return false;
    buf_char(buf, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_char(buf, '\'');
        buf_char(buf, *text);
    }
    return buf_char(buf, '\'');
}

void buf_consume(struct buf *buf, size_t length)
{
    if (length >= buf->length) {
        buf->length = 0;
    } else {
        buf->length -= length;
        memmove(buf->data, buf->data + length, buf->length);
    }
    if (buf->data)
        buf->data[buf->length] = '\0';
}
