/*
 * Strings and numbers are nearly all of the bytes, so they decide the speed. Strings are tested eight bytes
 * at a time for what needs care (quote, backslash, control, DEL, not ASCII). Numbers are gathered into a 64
 * bit mantissa and a power of ten; up to 2^53 and 10^22 one multiplication or division is correctly rounded
 * (Clinger, "How to read floating point numbers accurately", 1990). The rest goes to strtod as digits and
 * exponent, without a decimal point, so the locale cannot matter.
 */
#include "city/scan.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT(byte) (UINT64_C(0x0101010101010101) * (byte))

void scan_open(struct scan *scan, const char *text, size_t length, int max_depth)
{
    *scan = (struct scan){.start = text, .at = text, .end = text + length, .max_depth = max_depth};
}

bool scan_fail(struct scan *scan, const char *at, const char *problem)
{
    if (!scan->problem) {
        scan->problem = problem;
        scan->problem_at = (size_t)(at - scan->start);
    }
    return false;
}

bool scan_begin(struct scan *scan, char bracket)
{
    if (scan->depth >= scan->max_depth)
        return scan_fail(scan, scan->at, "nested too deep");
    if (scan_peek(scan) != bracket)
        return scan_fail(scan, scan->at, "an opening bracket should stand here");
    scan->depth++;
    scan->at++;
    return true;
}

/* To the next item of an object or array; false at the end. */
static bool next_item(struct scan *scan, bool *first, char closing)
{
    if (scan->problem)
        return false;
    int byte = scan_peek(scan);
    if (byte == closing) {
        scan->at++;
        scan->depth--;
        return false;
    }
    if (!*first) {
        if (byte != ',')
            return scan_fail(scan, scan->at,
                             byte ? "a comma or the closing bracket should stand here"
                                  : "the text ends too early");
        scan->at++;
        scan_peek(scan);
    }
    *first = false;
    return true;
}

bool scan_next_element(struct scan *scan, bool *first)
{
    return next_item(scan, first, ']');
}

bool scan_next_member(struct scan *scan, bool *first)
{
    if (!next_item(scan, first, '}'))
        return false;
    if (scan->at == scan->end)
        return scan_fail(scan, scan->at, "the text ends too early");
    return *scan->at == '"' || scan_fail(scan, scan->at, "a field name in quotes should stand here");
}

bool scan_key(struct scan *scan, struct scan_string *key)
{
    if (!scan_string(scan, key))
        return false;
    if (scan_peek(scan) != ':')
        return scan_fail(scan, scan->at, "a colon should follow the field name");
    scan->at++;
    return true;
}

bool scan_next_key(struct scan *scan, bool *first, struct scan_string *key)
{
    return scan_next_member(scan, first) && scan_key(scan, key);
}

/* ---- strings ------------------------------------------------------------------------------------------ */

/* High bit set in each byte that needs care; exact up to the lowest such byte. */
static inline uint64_t special_bytes(uint64_t word)
{
    uint64_t quote = word ^ REPEAT('"'), backslash = word ^ REPEAT('\\'), delete = word ^ REPEAT(0x7F);
    uint64_t found =
        (word - REPEAT(0x20)) | (quote - REPEAT(1)) | (backslash - REPEAT(1)) | (delete - REPEAT(1));
    return (found | word) & REPEAT(0x80);
}

static int hex_value(const char *text)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char byte = (unsigned char)text[i];
        int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                    : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                    : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                                 : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Over the escape at *at. */
static bool pass_escape(struct scan *scan)
{
    const char *escape = scan->at++;
    if (scan->at == scan->end)
        return scan_fail(scan, escape, "the text ends inside a string");
    char byte = *scan->at++;
    if (byte == 'u') {
        if (scan->end - scan->at < 4 || hex_value(scan->at) < 0)
            return scan_fail(scan, escape, "\\u without four hexadecimal digits");
        scan->at += 4;
        return true;
    }
    return (byte != '\0' && strchr("\"\\/bfnrt", byte)) ||
           scan_fail(scan, escape, "unknown escape in a string");
}

bool scan_string(struct scan *scan, struct scan_string *string)
{
    const char *quote = scan->at;
    if (scan->at == scan->end || *scan->at != '"')
        return scan_fail(scan, scan->at, "a string should stand here");
    scan->at++;
    string->text = scan->at;
    string->plain = true;
    string->escaped = false;
    for (;;) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        while (scan->end - scan->at >= 8) {
            uint64_t word;
            memcpy(&word, scan->at, 8);
            uint64_t found = special_bytes(word);
            if (found) {
                scan->at += __builtin_ctzll(found) >> 3;
                break;
            }
            scan->at += 8;
        }
#endif
        if (scan->at == scan->end)
            return scan_fail(scan, quote, "a string without its closing quote");
        unsigned char byte = (unsigned char)*scan->at;
        if (byte == '"') {
            string->length = (size_t)(scan->at - string->text);
            scan->at++;
            return true;
        }
        if (byte == '\\') {
            string->plain = false;
            string->escaped = true;
            if (!pass_escape(scan))
                return false;
        } else if (byte < 0x20) {
            return scan_fail(scan, scan->at, "a raw control character in a string");
        } else if (byte >= 0x80) {
            const char *rune = scan->at;
            string->plain = false;
            /* Only a malformed byte gives U+FFFD and advances by one. */
            if (text_next_rune(&scan->at, scan->end) == 0xFFFD && scan->at - rune == 1)
                return scan_fail(scan, rune, "invalid UTF-8");
        } else {
            string->plain = string->plain && byte != 0x7F;
            scan->at++;
        }
    }
}

/* The code point of the escape at text (scanned before, so well formed); advances. */
static uint32_t read_escape(const char **text, const char *end)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char byte = (*text)[1];
    if (byte != 'u') {
        const char *found = strchr(from, byte);
        *text += 2;
        return (unsigned char)(found ? to[found - from] : byte);
    }
    uint32_t rune = (uint32_t)hex_value(*text + 2);
    *text += 6;
    if (rune >= 0xD800 && rune < 0xDC00 && end - *text >= 6 && (*text)[0] == '\\' && (*text)[1] == 'u') {
        uint32_t low = (uint32_t)hex_value(*text + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            *text += 6;
            return 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return rune; /* a lone surrogate becomes U+FFFD when it is written */
}

size_t scan_string_copy(const struct scan_string *string, char *out, size_t size, bool *cut)
{
    *cut = false;
    if (string->plain && string->length < size) {
        memcpy(out, string->text, string->length);
        out[string->length] = '\0';
        return string->length;
    }
    char raw[1024], clean[3 * sizeof raw + 1];
    size_t used = 0;
    const char *at = string->text, *end = at + string->length;
    while (at < end && used + 4 < sizeof raw) {
        char rune[5];
        size_t bytes = text_put_rune(rune, *at == '\\' ? read_escape(&at, end) : text_next_rune(&at, end));
        memcpy(raw + used, rune, bytes);
        used += bytes;
    }
    size_t length = text_sanitise(clean, sizeof clean, raw, used);
    *cut = at < end || length >= size;
    text_copy(out, size, clean);
    return strlen(out);
}

bool scan_string_append(const struct scan_string *string, struct buf *out)
{
    const char *at = string->text, *end = at + string->length;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        if (!buf_append(out, at, (size_t)((escape ? escape : end) - at)))
            return false;
        if (!escape)
            break;
        char rune[5];
        at = escape;
        size_t bytes = text_put_rune(rune, read_escape(&at, end));
        if (!buf_append(out, rune, bytes))
            return false;
    }
    return true;
}

/* ---- numbers ------------------------------------------------------------------------------------------ */

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define POWERS ((int)(sizeof powers / sizeof *powers))

static inline bool is_digit(const char *at, const char *end)
{
    return at < end && (unsigned char)(*at - '0') < 10;
}

/* Any literal, correctly rounded: its digits without the point, then the exponent that puts it back. 768
 * digits decide every double; of those behind, it only matters whether one is not zero. Without sign. */
static double slow_number(const struct scan_number *number, int exponent)
{
    enum { ENOUGH = 770 };
    char digits[ENOUGH + 16];
    size_t used = 0;
    bool point = false;
    for (size_t i = 0; i < number->length; i++) {
        char byte = number->text[i];
        if (byte == 'e' || byte == 'E')
            break;
        if (byte == '-')
            continue;
        if (byte == '.') {
            point = true;
        } else if (used < ENOUGH) {
            if (used || byte != '0')
                digits[used++] = byte;
            exponent -= point;
        } else {
            exponent += !point;
            if (used == ENOUGH && byte != '0') {
                digits[used++] = '1';
                exponent--;
            }
        }
    }
    if (used == 0)
        return 0;
    snprintf(digits + used, sizeof digits - used, "e%d", exponent);
    return strtod(digits, NULL);
}

/* The exponent behind 'e', saturated where every number is 0 or infinite anyway. */
static bool pass_exponent(struct scan *scan, int *exponent)
{
    bool negative = false;
    scan->at++;
    if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
        negative = *scan->at++ == '-';
    if (!is_digit(scan->at, scan->end))
        return scan_fail(scan, scan->at, "a digit should follow in the exponent");
    for (; is_digit(scan->at, scan->end); scan->at++)
        if (*exponent < 100000000)
            *exponent = *exponent * 10 + (*scan->at - '0');
    if (negative)
        *exponent = -*exponent;
    return true;
}

bool scan_number(struct scan *scan, struct scan_number *number)
{
    const char *start = scan->at, *end = scan->end;
    bool negative = start < end && *start == '-';
    uint64_t mantissa = 0;
    int scale = 0, written = 0; /* powers of ten: of the mantissa; behind 'e' */
    bool exact = true, whole = true;
    scan->at += negative;
    if (!is_digit(scan->at, end))
        return scan_fail(scan, start, "a value should stand here");
    const char *first = scan->at;
    for (; is_digit(scan->at, end); scan->at++) {
        if (mantissa < UINT64_MAX / 10 - 1)
            mantissa = mantissa * 10 + (uint64_t)(*scan->at - '0');
        else
            exact = false;
    }
    if (*first == '0' && scan->at - first > 1)
        return scan_fail(scan, first, "a number with a leading zero");
    if (scan->at < end && *scan->at == '.') {
        whole = false;
        scan->at++;
        if (!is_digit(scan->at, end))
            return scan_fail(scan, scan->at, "a digit should follow the decimal point");
        for (; is_digit(scan->at, end); scan->at++) {
            if (mantissa < UINT64_MAX / 10 - 1) {
                mantissa = mantissa * 10 + (uint64_t)(*scan->at - '0');
                scale--;
            } else {
                exact = false;
            }
        }
    }
    if (scan->at < end && (*scan->at == 'e' || *scan->at == 'E')) {
        whole = false;
        if (!pass_exponent(scan, &written))
            return false;
    }
    number->text = start;
    number->length = (size_t)(scan->at - start);
    scale += written;
    if (exact && mantissa <= UINT64_C(1) << 53 && scale > -POWERS && scale < POWERS)
        number->value = scale < 0 ? (double)mantissa / powers[-scale] : (double)mantissa * powers[scale];
    else
        number->value = mantissa == 0 && exact ? 0 : slow_number(number, written);
    if (negative)
        number->value = -number->value;
    number->is_integer = whole && exact && mantissa <= INT64_MAX;
    number->integer = !number->is_integer ? 0 : negative ? -(int64_t)mantissa : (int64_t)mantissa;
    return true;
}

bool scan_string_number(const struct scan_string *string, struct scan_number *number)
{
    if (!string->plain)
        return false;
    struct scan scan;
    scan_open(&scan, string->text, string->length, 0);
    scan_peek(&scan);
    return scan_number(&scan, number) && scan_close(&scan);
}

/* ---- the rest ----------------------------------------------------------------------------------------- */

bool scan_literal(struct scan *scan, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0)
        return scan_fail(scan, scan->at, "a value should stand here");
    scan->at += length;
    return true;
}

bool scan_skip(struct scan *scan)
{
    struct scan_string string;
    struct scan_number number;
    bool first = true;
    switch (scan_peek(scan)) {
    case '{':
        if (scan_begin(scan, '{'))
            while (scan_next_key(scan, &first, &string) && scan_skip(scan))
                ;
        return !scan->problem;
    case '[':
        if (scan_begin(scan, '['))
            while (scan_next_element(scan, &first) && scan_skip(scan))
                ;
        return !scan->problem;
    case '"':
        return scan_string(scan, &string);
    case 't':
        return scan_literal(scan, "true");
    case 'f':
        return scan_literal(scan, "false");
    case 'n':
        return scan_literal(scan, "null");
    case 'N':
    case 'I':
        return scan_fail(scan, scan->at, "NaN and Infinity are no JSON values");
    case 0:
        if (scan->at == scan->end)
            return scan_fail(scan, scan->at, "the text ends too early");
        /* fall through */
    default:
        return scan_number(scan, &number);
    }
}

bool scan_close(struct scan *scan)
{
    if (scan->problem)
        return false;
    scan_peek(scan);
    return scan->at == scan->end || scan_fail(scan, scan->at, "something follows behind the end");
}
