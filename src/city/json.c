/*
 * Strings and numbers are nearly all of the bytes, so they decide the speed. Strings are tested eight bytes
 * at a time for what needs care (quote, backslash, control, DEL, not ASCII). Numbers are gathered into a 64
 * bit mantissa and a power of ten; up to 2^53 and 10^22 one multiplication or division is correctly rounded
 * (Clinger, "How to read floating point numbers accurately", 1990). The rest goes to strtod as digits and
 * exponent, without a decimal point, so the locale cannot matter.
 */
#include "city/json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT(byte) (UINT64_C(0x0101010101010101) * (byte))

void json_open(struct json *json, const char *text, size_t length, int max_depth)
{
    *json = (struct json){.start = text, .at = text, .end = text + length, .max_depth = max_depth};
}

bool json_fail(struct json *json, const char *at, const char *problem)
{
    if (!json->problem) {
        json->problem = problem;
        json->problem_at = (size_t)(at - json->start);
    }
    return false;
}

static inline bool is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

int json_peek(struct json *json)
{
    while (json->at < json->end && is_space(*json->at))
        json->at++;
    return json->at < json->end ? (unsigned char)*json->at : 0;
}

bool json_begin(struct json *json, char bracket)
{
    if (json->depth >= json->max_depth)
        return json_fail(json, json->at, "nested too deep");
    if (json_peek(json) != bracket)
        return json_fail(json, json->at, "an opening bracket should stand here");
    json->depth++;
    json->at++;
    return true;
}

/* To the next item of an object or array; false at the end. */
static bool next_item(struct json *json, bool *first, char closing)
{
    if (json->problem)
        return false;
    int byte = json_peek(json);
    if (byte == closing) {
        json->at++;
        json->depth--;
        return false;
    }
    if (!*first) {
        if (byte != ',')
            return json_fail(json, json->at,
                             byte ? "a comma or the closing bracket should stand here"
                                  : "the text ends too early");
        json->at++;
        json_peek(json);
    }
    *first = false;
    return true;
}

bool json_next_element(struct json *json, bool *first)
{
    return next_item(json, first, ']');
}

bool json_next_member(struct json *json, bool *first)
{
    if (!next_item(json, first, '}'))
        return false;
    if (json->at == json->end)
        return json_fail(json, json->at, "the text ends too early");
    return *json->at == '"' || json_fail(json, json->at, "a field name in quotes should stand here");
}

bool json_key(struct json *json, struct json_string *key)
{
    if (!json_string(json, key))
        return false;
    if (json_peek(json) != ':')
        return json_fail(json, json->at, "a colon should follow the field name");
    json->at++;
    return true;
}

bool json_next_key(struct json *json, bool *first, struct json_string *key)
{
    return json_next_member(json, first) && json_key(json, key);
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
static bool scan_escape(struct json *json)
{
    const char *escape = json->at++;
    if (json->at == json->end)
        return json_fail(json, escape, "the text ends inside a string");
    char byte = *json->at++;
    if (byte == 'u') {
        if (json->end - json->at < 4 || hex_value(json->at) < 0)
            return json_fail(json, escape, "\\u without four hexadecimal digits");
        json->at += 4;
        return true;
    }
    return (byte != '\0' && strchr("\"\\/bfnrt", byte)) ||
           json_fail(json, escape, "unknown escape in a string");
}

bool json_string(struct json *json, struct json_string *string)
{
    const char *quote = json->at;
    if (json->at == json->end || *json->at != '"')
        return json_fail(json, json->at, "a string should stand here");
    json->at++;
    string->text = json->at;
    string->plain = true;
    string->escaped = false;
    for (;;) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        while (json->end - json->at >= 8) {
            uint64_t word;
            memcpy(&word, json->at, 8);
            uint64_t found = special_bytes(word);
            if (found) {
                json->at += __builtin_ctzll(found) >> 3;
                break;
            }
            json->at += 8;
        }
#endif
        if (json->at == json->end)
            return json_fail(json, quote, "a string without its closing quote");
        unsigned char byte = (unsigned char)*json->at;
        if (byte == '"') {
            string->length = (size_t)(json->at - string->text);
            json->at++;
            return true;
        }
        if (byte == '\\') {
            string->plain = false;
            string->escaped = true;
            if (!scan_escape(json))
                return false;
        } else if (byte < 0x20) {
            return json_fail(json, json->at, "a raw control character in a string");
        } else if (byte >= 0x80) {
            const char *rune = json->at;
            string->plain = false;
            /* Only a malformed byte gives U+FFFD and advances by one. */
            if (text_next_rune(&json->at, json->end) == 0xFFFD && json->at - rune == 1)
                return json_fail(json, rune, "invalid UTF-8");
        } else {
            string->plain = string->plain && byte != 0x7F;
            json->at++;
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

size_t json_string_copy(const struct json_string *string, char *out, size_t size, bool *cut)
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
static double slow_number(const struct json_number *number, int exponent)
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
static bool scan_exponent(struct json *json, int *exponent)
{
    bool negative = false;
    json->at++;
    if (json->at < json->end && (*json->at == '+' || *json->at == '-'))
        negative = *json->at++ == '-';
    if (!is_digit(json->at, json->end))
        return json_fail(json, json->at, "a digit should follow in the exponent");
    for (; is_digit(json->at, json->end); json->at++)
        if (*exponent < 100000000)
            *exponent = *exponent * 10 + (*json->at - '0');
    if (negative)
        *exponent = -*exponent;
    return true;
}

bool json_number(struct json *json, struct json_number *number)
{
    const char *start = json->at, *end = json->end;
    bool negative = start < end && *start == '-';
    uint64_t mantissa = 0;
    int scale = 0, written = 0; /* powers of ten: of the mantissa; behind 'e' */
    bool exact = true, whole = true;
    json->at += negative;
    if (!is_digit(json->at, end))
        return json_fail(json, start, "a value should stand here");
    const char *first = json->at;
    for (; is_digit(json->at, end); json->at++) {
        if (mantissa < UINT64_MAX / 10 - 1)
            mantissa = mantissa * 10 + (uint64_t)(*json->at - '0');
        else
            exact = false;
    }
    if (*first == '0' && json->at - first > 1)
        return json_fail(json, first, "a number with a leading zero");
    if (json->at < end && *json->at == '.') {
        whole = false;
        json->at++;
        if (!is_digit(json->at, end))
            return json_fail(json, json->at, "a digit should follow the decimal point");
        for (; is_digit(json->at, end); json->at++) {
            if (mantissa < UINT64_MAX / 10 - 1) {
                mantissa = mantissa * 10 + (uint64_t)(*json->at - '0');
                scale--;
            } else {
                exact = false;
            }
        }
    }
    if (json->at < end && (*json->at == 'e' || *json->at == 'E')) {
        whole = false;
        if (!scan_exponent(json, &written))
            return false;
    }
    number->text = start;
    number->length = (size_t)(json->at - start);
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

bool json_string_number(const struct json_string *string, struct json_number *number)
{
    if (!string->plain)
        return false;
    struct json json;
    json_open(&json, string->text, string->length, 0);
    json_peek(&json);
    return json_number(&json, number) && json_close(&json);
}

/* ---- the rest ----------------------------------------------------------------------------------------- */

bool json_literal(struct json *json, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(json->end - json->at) < length || memcmp(json->at, word, length) != 0)
        return json_fail(json, json->at, "a value should stand here");
    json->at += length;
    return true;
}

bool json_skip(struct json *json)
{
    struct json_string string;
    struct json_number number;
    bool first = true;
    switch (json_peek(json)) {
    case '{':
        if (json_begin(json, '{'))
            while (json_next_key(json, &first, &string) && json_skip(json))
                ;
        return !json->problem;
    case '[':
        if (json_begin(json, '['))
            while (json_next_element(json, &first) && json_skip(json))
                ;
        return !json->problem;
    case '"':
        return json_string(json, &string);
    case 't':
        return json_literal(json, "true");
    case 'f':
        return json_literal(json, "false");
    case 'n':
        return json_literal(json, "null");
    case 'N':
    case 'I':
        return json_fail(json, json->at, "NaN and Infinity are no JSON values");
    case 0:
        if (json->at == json->end)
            return json_fail(json, json->at, "the text ends too early");
        /* fall through */
    default:
        return json_number(json, &number);
    }
}

bool json_close(struct json *json)
{
    if (json->problem)
        return false;
    json_peek(json);
    return json->at == json->end || json_fail(json, json->at, "something follows behind the end");
}
