/*
 * A JSON scanner for hostile text (RFC 8259): one pass, no tree, no allocation. The caller walks objects and
 * arrays with the functions below; the first thing wrong stops the walk and is kept with its byte position.
 * Strings are checked to be UTF-8, so what has been scanned is well formed. Pure; any thread.
 *
 *     struct scan scan;
 *     scan_open(&scan, text, length);
 *     for (bool first = scan_begin(&scan, '{'); scan_next_key(&scan, &first, &key);)
 *         …one value: scan_string, scan_number, scan_literal, scan_skip or a nested walk…
 *     if (scan.problem) …
 */
#ifndef SMARTCITY_CITY_SCAN_H
#define SMARTCITY_CITY_SCAN_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan {
    const char *start, *at, *end;
    const char *problem; /* NULL while all is well; else a fixed text */
    size_t problem_at;   /* byte position from 0 */
    int depth, max_depth;
};

/* The bytes between the quotes, as they stand. `plain`: printable ASCII without escapes, usable as it is. */
struct scan_string {
    const char *text;
    size_t length;
    bool plain, escaped;
};

struct scan_number {
    double value;    /* infinite when too large for a double */
    bool is_integer; /* written without fraction and exponent, and fits: `integer` holds it */
    int64_t integer;
    const char *text;
    size_t length;
};

void scan_open(struct scan *scan, const char *text, size_t length, int max_depth);
/* Always false, so that `return scan_fail(…)` reads well. The first problem is kept. */
bool scan_fail(struct scan *scan, const char *at, const char *problem);

/* Skips white space; the next byte, or 0 at the end. '{' '[' '"' 't' 'f' 'n' '-' or a digit begin a value. */
static inline int scan_peek(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
    return scan->at < scan->end ? (unsigned char)*scan->at : 0;
}
/* Consumes the opening bracket that scan_peek has shown; false (problem set) when nested too deep. */
bool scan_begin(struct scan *scan, char bracket);
/* To the next member or element; *first is true before the first. False after the closing bracket or on a
 * problem. */
bool scan_next_key(struct scan *scan, bool *first, struct scan_string *key);
bool scan_next_element(struct scan *scan, bool *first);
/* The halves of scan_next_key, for a caller that guesses keys: to the opening quote; the key and its colon.
 */
bool scan_next_member(struct scan *scan, bool *first);
bool scan_key(struct scan *scan, struct scan_string *key);

bool scan_string(struct scan *scan, struct scan_string *string);
bool scan_number(struct scan *scan, struct scan_number *number);
/* The value of a plain decimal as our own encoder writes it: at most 15 digits, no exponent, something behind
 * it. False, and nothing is consumed, for every other: ask scan_number. */
static inline bool scan_plain_number(struct scan *scan, double *value, bool *whole)
{
    static const double scales[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    const char *at = scan->at;
    if (scan->end - at < 20)
        return false;
    bool negative = *at == '-';
    at += negative;
    const char *first = at;
    uint64_t mantissa = 0;
    for (unsigned digit; (digit = (unsigned)*at - '0') < 10 && at - first < 10; at++)
        mantissa = mantissa * 10 + digit;
    ptrdiff_t digits = at - first;
    if (digits == 0 || (*first == '0' && digits > 1))
        return false;
    ptrdiff_t places = 0;
    if (*at == '.') {
        const char *point = ++at;
        for (unsigned digit; (digit = (unsigned)*at - '0') < 10 && at - point < 8; at++)
            mantissa = mantissa * 10 + digit;
        places = at - point;
        if (places == 0 || digits + places > 15)
            return false;
    }
    if ((unsigned)*at - '0' < 10 || *at == '.' || *at == 'e' || *at == 'E')
        return false;
    /* Both are exact in a double, so the quotient is correctly rounded. */
    double magnitude = (double)mantissa / scales[places];
    *value = negative ? -magnitude : magnitude;
    *whole = places == 0;
    scan->at = at;
    return true;
}
/* One of true, false, null. */
bool scan_literal(struct scan *scan, const char *word);
bool scan_skip(struct scan *scan); /* any value */
/* Only white space is left. */
bool scan_close(struct scan *scan);

/* Unescapes into out and makes it harmless (text_sanitise), whole code points only, NUL-terminated. Returns
 * bytes; *cut when it was longer. `size` at most 512. */
size_t scan_string_copy(const struct scan_string *string, char *out, size_t size, bool *cut);
/* Unescapes and appends the very bytes, controls and all: for what goes on to another machine, not to a
 * screen. A lone surrogate becomes U+FFFD. False when the buffer is full. */
bool scan_string_append(const struct scan_string *string, struct buf *out);
/* The number that a string holds, as "12.5"; false when it holds anything else. */
bool scan_string_number(const struct scan_string *string, struct scan_number *number);

#endif
