/*
 * Dots finer than a cell. One byte of bits a cell: in braille the bits of U+2800 (ISO/TR 11548-1: dots 1 to 3
 * and 7 down the left, 4 to 6 and 8 down the right), in blocks one bit a quadrant, in ASCII one bit.
 */
#include "ui/canvas.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

struct dots dots_create(int cells_x, int cells_y, enum glyphs glyphs)
{
    struct dots dots = {.cells_x = cells_x > 0 ? cells_x : 0,
                        .cells_y = cells_y > 0 ? cells_y : 0,
                        .per_x = glyphs == GLYPHS_ASCII ? 1 : 2,
                        .per_y = glyphs == GLYPHS_BRAILLE ? 4
                                 : glyphs == GLYPHS_BLOCK ? 2
                                                          : 1,
                        .glyphs = glyphs};
    dots.width = dots.cells_x * dots.per_x;
    dots.height = dots.cells_y * dots.per_y;
    size_t count = (size_t)dots.cells_x * (size_t)dots.cells_y + 1;
    dots.bits = mem_zero(count, sizeof *dots.bits);
    dots.priority = mem_zero(count, sizeof *dots.priority);
    dots.colours = mem_zero(count, sizeof *dots.colours);
    return dots;
}

void dots_destroy(struct dots *dots)
{
    free(dots->bits);
    free(dots->priority);
    free(dots->colours);
    *dots = (struct dots){0};
}

void dots_clear(struct dots *dots)
{
    size_t count = (size_t)dots->cells_x * (size_t)dots->cells_y;
    memset(dots->bits, 0, count);
    memset(dots->priority, 0, count);
}

void dots_set(struct dots *dots, int x, int y, uint8_t priority, colour paint)
{
    static const uint8_t braille[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x < 0 || y < 0 || x >= dots->width || y >= dots->height)
        return;
    int column = x / dots->per_x, row = y / dots->per_y;
    size_t cell = (size_t)row * (size_t)dots->cells_x + (size_t)column;
    int dx = x % dots->per_x, dy = y % dots->per_y;
    uint8_t bit = braille[dy][dx];
    if (dots->glyphs != GLYPHS_BRAILLE)
        bit = (uint8_t)(1u << (dy * dots->per_x + dx));
    if (dots->bits[cell] == 0 || priority >= dots->priority[cell]) {
        dots->priority[cell] = priority;
        dots->colours[cell] = paint;
    }
    dots->bits[cell] |= bit;
}

/* Liang-Barsky: narrows [*from, *to] to where the line is on the inner side of one edge. */
static bool clip_edge(double step, double distance, double *from, double *to)
{
    if (step == 0)
        return distance >= 0;
    double at = distance / step;
    if (step < 0) {
        if (at > *from)
            *from = at;
    } else if (at < *to) {
        *to = at;
    }
    return *from <= *to;
}

void dots_line(struct dots *dots, int64_t x0, int64_t y0, int64_t x1, int64_t y1, uint8_t priority,
               colour paint)
{
    if (dots->width == 0 || dots->height == 0)
        return;
    double ax = (double)x0, ay = (double)y0, dx = (double)x1 - ax, dy = (double)y1 - ay;
    double from = 0, to = 1;
    if (!clip_edge(-dx, ax, &from, &to) || !clip_edge(dx, dots->width - 1 - ax, &from, &to) ||
        !clip_edge(-dy, ay, &from, &to) || !clip_edge(dy, dots->height - 1 - ay, &from, &to))
        return;
    int x = (int)(ax + from * dx + 0.5), y = (int)(ay + from * dy + 0.5);
    int end_x = (int)(ax + to * dx + 0.5), end_y = (int)(ay + to * dy + 0.5);
    /* Bresenham. */
    int width = end_x > x ? end_x - x : x - end_x, height = end_y > y ? y - end_y : end_y - y;
    int step_x = end_x > x ? 1 : -1, step_y = end_y > y ? 1 : -1;
    for (int error = width + height;;) {
        dots_set(dots, x, y, priority, paint);
        if (x == end_x && y == end_y)
            return;
        int twice = 2 * error;
        if (twice >= height) {
            error += height;
            x += step_x;
        }
        if (twice <= width) {
            error += width;
            y += step_y;
        }
    }
}

void dots_draw(const struct dots *dots, struct canvas *canvas, int x, int y)
{
    static const uint16_t quadrants[16] = {' ',    0x2598, 0x259D, 0x2580, 0x2596, 0x258C, 0x259E, 0x259B,
                                           0x2597, 0x259A, 0x2590, 0x259C, 0x2584, 0x2599, 0x259F, 0x2588};
    static const char plain[] = "..:-=+*#";
    for (int row = 0; row < dots->cells_y; row++)
        for (int column = 0; column < dots->cells_x; column++) {
            size_t cell = (size_t)row * (size_t)dots->cells_x + (size_t)column;
            uint8_t bits = dots->bits[cell];
            if (bits == 0)
                continue;
            uint32_t rune;
            if (dots->glyphs == GLYPHS_BRAILLE) {
                rune = 0x2800u + bits;
            } else if (dots->glyphs == GLYPHS_BLOCK) {
                rune = quadrants[bits & 15];
            } else {
                uint8_t rank = dots->priority[cell];
                rune = (uint32_t)plain[rank < sizeof plain - 1 ? rank : sizeof plain - 2];
            }
            canvas_put(canvas, x + column, y + row, rune, (struct style){.fg = dots->colours[cell]});
        }
}
