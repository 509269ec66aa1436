/*
 * Text: UTF-8, making hostile text harmless, and the few ways in which the product writes figures.
 * Pure; any thread. Formatting functions write into the caller's array and return it.
 */
#ifndef SMARTCITY_BASE_TEXT_H
#define SMARTCITY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes one code point; advances *text; U+FFFD and one byte for anything malformed (overlong, surrogate,
 * above U+10FFFF). *text < end. */
uint32_t text_next_rune(const char **text, const char *end);
size_t text_put_rune(char out[5], uint32_t rune); /* bytes written, NUL-terminated */
bool text_is_utf8(const char *text, size_t length);
/* Cells a code point takes: 0 combining, 1, or 2 wide; control characters 1 (they are replaced before
 * drawing). */
int text_rune_width(uint32_t rune);
int text_width(const char *text); /* cells */

/* True for what must not reach a terminal: C0, C1, DEL, bidi overrides and isolates, line and paragraph
 * separators, unassigned tag characters. */
bool text_is_control(uint32_t rune);

/* Copies at most `size`-1 bytes of hostile text, whole code points only; controls become their picture
 * (U+2400 + c, or U+FFFD), malformed bytes U+FFFD. Returns bytes written. */
size_t text_sanitise(char *out, size_t size, const char *text, size_t length);

/* strlcpy with whole code points. */
void text_copy(char *out, size_t size, const char *text);

/* Case-insensitive ASCII. */
bool text_equal_fold(const char *a, const char *b);
bool text_prefix_fold(const char *text, const char *prefix);
const char *text_find_fold(const char *text, const char *part); /* NULL when absent */
/* Edit distance for "did you mean"; at most `limit`+1. */
int text_distance(const char *a, const char *b, int limit);

#define TEXT_FIGURE_SIZE 24
char *text_count(char out[TEXT_FIGURE_SIZE], int64_t value);      /* "1,204,118" */
char *text_si(char out[TEXT_FIGURE_SIZE], double value);          /* "118", "4.1k", "98.2M" */
char *text_bytes(char out[TEXT_FIGURE_SIZE], double bytes);       /* "812 B", "3.1 MB" (powers of 1000) */
char *text_age(char out[TEXT_FIGURE_SIZE], int64_t microseconds); /* "0.2 s", "14 s", "2 m", "3 h 10 m" */
char *text_duration(char out[TEXT_FIGURE_SIZE], int64_t microseconds); /* "00:14:30" */

/* "10s", "500ms", "10m", "2h", "1d", "00:14:30", plain seconds "90": microseconds; false when it is none. */
bool text_parse_duration(const char *text, int64_t *microseconds);
bool text_parse_int(const char *text, int64_t min, int64_t max, int64_t *value);
bool text_parse_double(const char *text, double min, double max, double *value);
/* "64M", "1G", "500k", "1000": bytes (powers of 1000; KiB MiB GiB are powers of 1024). */
bool text_parse_bytes(const char *text, int64_t *bytes);

/* RFC 3339 in UTC with milliseconds: "2026-01-12T08:14:32.000Z" (24 characters). Parsing takes any offset,
 * 0 to 9 fraction digits and 'T', 't' or ' '; false when it is none or out of range (years 1 to 9999). */
#define TEXT_TIME_SIZE 25
char *text_time(char out[TEXT_TIME_SIZE], int64_t milliseconds);
bool text_parse_time(const char *text, size_t length, int64_t *milliseconds);

/* Base64 (RFC 4648, padded). Encoding writes 4*ceil(n/3) characters, no NUL. Decoding is strict but for
 * missing padding; returns bytes or -1. `out` may hold text_base64_max(length) bytes. */
size_t text_base64_size(size_t bytes);
size_t text_base64_max(size_t characters);
void text_base64_encode(char *out, const void *bytes, size_t length);
long text_base64_decode(void *out, const char *text, size_t length);

#endif
