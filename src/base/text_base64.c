/* Base64, RFC 4648 section 4. Camera frames pass through here: three bytes a turn, tables, no branches
 * inside. */
#include "base/text.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define BAD 0x80
/* clang-format off */
static const unsigned char values[256] = {
#define BAD8 BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD
#define BAD64 BAD8, BAD8, BAD8, BAD8, BAD8, BAD8, BAD8, BAD8
    BAD8, BAD8, BAD8, BAD8, BAD8,
    BAD, BAD, BAD, 62, BAD, BAD, BAD, 63,
    52, 53, 54, 55, 56, 57, 58, 59,
    60, 61, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, 0, 1, 2, 3, 4, 5, 6,
    7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22,
    23, 24, 25, BAD, BAD, BAD, BAD, BAD,
    BAD, 26, 27, 28, 29, 30, 31, 32,
    33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, BAD, BAD, BAD, BAD, BAD,
    BAD64, BAD64,
};
/* clang-format on */

size_t text_base64_size(size_t bytes)
{
    return (bytes + 2) / 3 * 4;
}

size_t text_base64_max(size_t characters)
{
    return characters / 4 * 3 + 3;
}

void text_base64_encode(char *out, const void *bytes, size_t length)
{
    const unsigned char *in = bytes;
    for (; length >= 3; length -= 3, in += 3, out += 4) {
        uint32_t word = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        out[0] = alphabet[word >> 18];
        out[1] = alphabet[word >> 12 & 63];
        out[2] = alphabet[word >> 6 & 63];
        out[3] = alphabet[word & 63];
    }
    if (length == 0)
        return;
    uint32_t word = (uint32_t)in[0] << 16 | (length == 2 ? (uint32_t)in[1] << 8 : 0);
    out[0] = alphabet[word >> 18];
    out[1] = alphabet[word >> 12 & 63];
    out[2] = length == 2 ? alphabet[word >> 6 & 63] : '=';
    out[3] = '=';
}

long text_base64_decode(void *out, const char *text, size_t length)
{
    const unsigned char *in = (const unsigned char *)text;
    unsigned char *at = out;
    if (length % 4 == 0 && length > 0 && in[length - 1] == '=')
        length -= in[length - 2] == '=' ? 2 : 1;
    size_t whole = length / 4, rest = length % 4;
    uint32_t bad = 0;
    for (size_t i = 0; i < whole; i++, in += 4, at += 3) {
        uint32_t a = values[in[0]], b = values[in[1]], c = values[in[2]], d = values[in[3]];
        bad |= a | b | c | d;
        uint32_t word = a << 18 | b << 12 | c << 6 | d;
        at[0] = (unsigned char)(word >> 16);
        at[1] = (unsigned char)(word >> 8);
        at[2] = (unsigned char)word;
    }
    if (bad & BAD || rest == 1)
        return -1;
    if (rest > 0) {
        uint32_t a = values[in[0]], b = values[in[1]], c = rest == 3 ? values[in[2]] : 0;
        uint32_t word = a << 18 | b << 12 | c << 6;
        /* bits that no byte takes must be 0, or two texts would mean the same bytes */
        if ((a | b | c) & BAD || word & (rest == 3 ? 0xFFu : 0xFFFFu))
            return -1;
        *at++ = (unsigned char)(word >> 16);
        if (rest == 3)
            *at++ = (unsigned char)(word >> 8);
    }
    return (long)(at - (unsigned char *)out);
}
