/* The burnt-in text: a 5 by 7 dot font, so that a picture does not depend on what fonts a machine has. */
#include "sim/picture_parts.h"

/* Seven rows a character, from ' ' to 'Z'; bit 4 is the leftmost dot. */
static const unsigned char glyphs[59][7] = {
    [' ' - ' '] = {0},
    ['&' - ' '] = {12, 18, 20, 8, 21, 18, 13},
    ['\'' - ' '] = {4, 4, 8, 0, 0, 0, 0},
    ['(' - ' '] = {2, 4, 8, 8, 8, 4, 2},
    [')' - ' '] = {8, 4, 2, 2, 2, 4, 8},
    ['+' - ' '] = {0, 4, 4, 31, 4, 4, 0},
    [',' - ' '] = {0, 0, 0, 0, 12, 4, 8},
    ['-' - ' '] = {0, 0, 0, 31, 0, 0, 0},
    ['.' - ' '] = {0, 0, 0, 0, 0, 12, 12},
    ['/' - ' '] = {0, 1, 2, 4, 8, 16, 0},
    ['0' - ' '] = {14, 17, 19, 21, 25, 17, 14},
    ['1' - ' '] = {4, 12, 4, 4, 4, 4, 14},
    ['2' - ' '] = {14, 17, 1, 2, 4, 8, 31},
    ['3' - ' '] = {31, 2, 4, 2, 1, 17, 14},
    ['4' - ' '] = {2, 6, 10, 18, 31, 2, 2},
    ['5' - ' '] = {31, 16, 30, 1, 1, 17, 14},
    ['6' - ' '] = {6, 8, 16, 30, 17, 17, 14},
    ['7' - ' '] = {31, 1, 2, 4, 8, 8, 8},
    ['8' - ' '] = {14, 17, 17, 14, 17, 17, 14},
    ['9' - ' '] = {14, 17, 17, 15, 1, 2, 12},
    [':' - ' '] = {0, 12, 12, 0, 12, 12, 0},
    ['A' - ' '] = {14, 17, 17, 17, 31, 17, 17},
    ['B' - ' '] = {30, 17, 17, 30, 17, 17, 30},
    ['C' - ' '] = {14, 17, 16, 16, 16, 17, 14},
    ['D' - ' '] = {28, 18, 17, 17, 17, 18, 28},
    ['E' - ' '] = {31, 16, 16, 30, 16, 16, 31},
    ['F' - ' '] = {31, 16, 16, 30, 16, 16, 16},
    ['G' - ' '] = {14, 17, 16, 23, 17, 17, 15},
    ['H' - ' '] = {17, 17, 17, 31, 17, 17, 17},
    ['I' - ' '] = {14, 4, 4, 4, 4, 4, 14},
    ['J' - ' '] = {7, 2, 2, 2, 2, 18, 12},
    ['K' - ' '] = {17, 18, 20, 24, 20, 18, 17},
    ['L' - ' '] = {16, 16, 16, 16, 16, 16, 31},
    ['M' - ' '] = {17, 27, 21, 21, 17, 17, 17},
    ['N' - ' '] = {17, 17, 25, 21, 19, 17, 17},
    ['O' - ' '] = {14, 17, 17, 17, 17, 17, 14},
    ['P' - ' '] = {30, 17, 17, 30, 16, 16, 16},
    ['Q' - ' '] = {14, 17, 17, 17, 21, 18, 13},
    ['R' - ' '] = {30, 17, 17, 30, 20, 18, 17},
    ['S' - ' '] = {15, 16, 16, 14, 1, 1, 30},
    ['T' - ' '] = {31, 4, 4, 4, 4, 4, 4},
    ['U' - ' '] = {17, 17, 17, 17, 17, 17, 14},
    ['V' - ' '] = {17, 17, 17, 17, 17, 10, 4},
    ['W' - ' '] = {17, 17, 17, 21, 21, 27, 17},
    ['X' - ' '] = {17, 17, 10, 4, 10, 17, 17},
    ['Y' - ' '] = {17, 17, 10, 4, 4, 4, 4},
    ['Z' - ' '] = {31, 1, 2, 4, 8, 16, 31},
};

static void dot(unsigned char *pixels, int stride, int x, int y, int scale, unsigned char level)
{
    for (int row = y; row < y + scale; row++)
        for (int column = x; column < x + scale; column++)
            if (row >= 0 && row < PICTURE_HEIGHT && column >= 0 && column < PICTURE_WIDTH)
                for (int c = 0; c < 3; c++)
                    pixels[row * stride + column * 4 + c] = level;
}

int picture_text(unsigned char *pixels, int stride, int x, int y, int scale, const char *text,
                 unsigned char level)
{
    int start = x;
    for (; *text; text++, x += 6 * scale) {
        int code = (unsigned char)*text;
        if (code >= 'a' && code <= 'z')
            code -= 'a' - 'A';
        if (code < ' ' || code > 'Z')
            continue;
        for (int row = 0; row < 7; row++)
            for (int column = 0; column < 5; column++)
                if (glyphs[code - ' '][row] >> (4 - column) & 1)
                    dot(pixels, stride, x + column * scale, y + row * scale, scale, level);
    }
    return x - start;
}
