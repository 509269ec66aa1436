/* UTF-8, harmless text and comparison. Figures, times and Base64 are in the text_*.c files beside this one.
 */
#include "base/text.h"

#include <string.h>

#define REPLACEMENT 0xFFFDu

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Bytes of the well-formed code point at `at`, 0 when malformed (Unicode 15, table 3-7). */
static size_t rune_length(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (left < length)
        return 0;
    unsigned char low = 0x80, high = 0xBF; /* bounds of the second byte */
    if (lead == 0xE0)
        low = 0xA0; /* overlong */
    else if (lead == 0xED)
        high = 0x9F; /* surrogates */
    else if (lead == 0xF0)
        low = 0x90; /* overlong */
    else if (lead == 0xF4)
        high = 0x8F; /* above U+10FFFF */
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (!is_continuation(at[i]))
            return 0;
    return length;
}

uint32_t text_next_rune(const char **text, const char *end)
{
    const unsigned char *at = (const unsigned char *)*text;
    if (at[0] < 0x80) {
        ++*text;
        return at[0];
    }
    size_t length = rune_length(at, (size_t)(end - *text));
    if (length == 0) {
        ++*text;
        return REPLACEMENT;
    }
    *text += length;
    uint32_t rune = at[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++)
        rune = rune << 6 | (at[i] & 0x3Fu);
    return rune;
}

size_t text_put_rune(char out[5], uint32_t rune)
{
    size_t length;
    if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF))
        rune = REPLACEMENT;
    if (rune < 0x80) {
        out[0] = (char)rune;
        length = 1;
    } else if (rune < 0x800) {
        out[0] = (char)(0xC0 | rune >> 6);
        out[1] = (char)(0x80 | (rune & 0x3F));
        length = 2;
    } else if (rune < 0x10000) {
        out[0] = (char)(0xE0 | rune >> 12);
        out[1] = (char)(0x80 | (rune >> 6 & 0x3F));
        out[2] = (char)(0x80 | (rune & 0x3F));
        length = 3;
    } else {
        out[0] = (char)(0xF0 | rune >> 18);
        out[1] = (char)(0x80 | (rune >> 12 & 0x3F));
        out[2] = (char)(0x80 | (rune >> 6 & 0x3F));
        out[3] = (char)(0x80 | (rune & 0x3F));
        length = 4;
    }
    out[length] = '\0';
    return length;
}

bool text_is_utf8(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + length;
    while (at < end) {
        /* Nearly everything is ASCII: eight bytes at a time. */
        uint64_t word;
        if (end - at >= 8) {
            memcpy(&word, at, 8);
            if ((word & 0x8080808080808080u) == 0) {
                at += 8;
                continue;
            }
        }
        size_t bytes = rune_length(at, (size_t)(end - at));
        if (bytes == 0)
            return false;
        at += bytes;
    }
    return true;
}

int text_width(const char *text)
{
    int cells = 0;
    for (const char *end = text + strlen(text); text < end;)
        cells += text_rune_width(text_next_rune(&text, end));
    return cells;
}

bool text_is_control(uint32_t rune)
{
    if (rune < 0x20 || (rune >= 0x7F && rune <= 0x9F))
        return true;
    if (rune < 0x61C)
        return false;
    return rune == 0x61C ||                      /* Arabic letter mark */
           (rune >= 0x200E && rune <= 0x200F) || /* left-to-right and right-to-left mark */
           (rune >= 0x2028 && rune <= 0x202E) || /* separators, embeddings and overrides */
           (rune >= 0x2066 && rune <= 0x206F) || /* isolates, deprecated format characters */
           (rune >= 0xFFF9 && rune <= 0xFFFB) || /* interlinear annotation */
           (rune >= 0xFDD0 && rune <= 0xFDEF) || (rune & 0xFFFE) == 0xFFFE ||             /* noncharacters */
           (rune >= 0xE0000 && rune <= 0xE0FFF && !(rune >= 0xE0100 && rune <= 0xE01EF)); /* tags */
}

size_t text_sanitise(char *out, size_t size, const char *text, size_t length)
{
    if (size == 0)
        return 0;
    size_t written = 0;
    for (const char *end = text + length; text < end;) {
        uint32_t rune = text_next_rune(&text, end);
        if (rune < 0x20)
            rune += 0x2400;
        else if (rune == 0x7F)
            rune = 0x2421;
        else if (text_is_control(rune))
            rune = REPLACEMENT;
        char bytes[5];
        size_t count = text_put_rune(bytes, rune);
        if (written + count >= size)
            break;
        memcpy(out + written, bytes, count);
        written += count;
    }
    out[written] = '\0';
    return written;
}

void text_copy(char *out, size_t size, const char *text)
{
    if (size == 0)
        return;
    size_t length = strnlen(text, size);
    if (length == size) {
        length = size - 1;
        while (length > 0 && is_continuation((unsigned char)text[length]))
            length--;
    }
    memmove(out, text, length);
    out[length] = '\0';
}

static char fold(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : byte;
}

bool text_equal_fold(const char *a, const char *b)
{
    while (*a && fold(*a) == fold(*b))
        a++, b++;
    return fold(*a) == fold(*b);
}

bool text_prefix_fold(const char *text, const char *prefix)
{
    while (*prefix && fold(*text) == fold(*prefix))
        text++, prefix++;
    return *prefix == '\0';
}

const char *text_find_fold(const char *text, const char *part)
{
    for (;; text++) {
        if (text_prefix_fold(text, part))
            return text;
        if (*text == '\0')
            return NULL;
    }
}

#define DISTANCE_MAX 64

int text_distance(const char *a, const char *b, int limit)
{
    size_t rows = strnlen(a, DISTANCE_MAX + 1), columns = strnlen(b, DISTANCE_MAX + 1);
    if (rows > DISTANCE_MAX || columns > DISTANCE_MAX)
        return limit + 1;
    /* Optimal string alignment: Levenshtein's three operations and the swap of two neighbours. */
    int table[3][DISTANCE_MAX + 1];
    for (size_t j = 0; j <= columns; j++)
        table[0][j] = (int)j;
    for (size_t i = 1; i <= rows; i++) {
        int *row = table[i % 3], *above = table[(i + 2) % 3], *above2 = table[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= columns; j++) {
            char ca = fold(a[i - 1]), cb = fold(b[j - 1]);
            int best = above[j - 1] + (ca != cb);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && ca == fold(b[j - 2]) && cb == fold(a[i - 2]) && above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    int distance = table[rows % 3][columns];
    return distance <= limit ? distance : limit + 1;
}
