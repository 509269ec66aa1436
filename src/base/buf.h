/* A growable byte buffer that declares its maximum at birth. One owner, one thread. Always NUL-terminated. */
#ifndef SMARTCITY_BASE_BUF_H
#define SMARTCITY_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* never NULL after the first append */
    size_t length;
    size_t capacity;
    size_t limit;
    bool overflow; /* an append went past the limit and was refused; sticky until buf_reset */
};

void buf_init(struct buf *buf, size_t limit);
void buf_free(struct buf *buf);
void buf_reset(struct buf *buf); /* keeps the memory */

/* Room for `extra` more bytes (plus NUL); false and overflow set when past the limit. */
bool buf_reserve(struct buf *buf, size_t extra);
bool buf_append(struct buf *buf, const void *bytes, size_t length);
bool buf_text(struct buf *buf, const char *text);
bool buf_char(struct buf *buf, char byte);
bool buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As a literal of SQL: 'in quotes', those inside doubled. */
bool buf_sql_text(struct buf *buf, const char *text);
/* Drops the first `length` bytes. */
void buf_consume(struct buf *buf, size_t length);

#endif
