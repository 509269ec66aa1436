/*
 * Cells. A wide rune takes two: its own and one with rune 0 to the right; whoever overwrites one half blanks
 * the other, so a cell with rune 0 always has its owner to the left, in the parent if not in this canvas.
 */
#include "ui/canvas.h"

#include "base/err.h"
#include "base/text.h"
#include "ui/glyphs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu

const char *role_name(enum role role)
{
    static const char *const names[] = {
#define X(name, word, letter) word,
        ROLES(X)
#undef X
    };
    return (unsigned)role < ROLE_COUNT ? names[role] : "?";
}

struct canvas canvas_create(int width, int height, enum glyphs glyphs)
{
    struct canvas canvas = {.width = width > 0 ? width : 0,
                            .height = height > 0 ? height : 0,
                            .glyphs = glyphs,
                            .stride = width > 0 ? width : 0,
                            .owner = true};
    size_t count = (size_t)canvas.width * (size_t)canvas.height;
    canvas.cells = mem_zero(count > 0 ? count : 1, sizeof *canvas.cells);
    for (size_t i = 0; i < count; i++)
        canvas.cells[i].rune = ' ';
    return canvas;
}

void canvas_destroy(struct canvas *canvas)
{
    if (canvas->owner)
        free(canvas->cells);
    *canvas = (struct canvas){0};
}

struct canvas canvas_sub(const struct canvas *canvas, int x, int y, int width, int height)
{
    int right = x + width < canvas->width ? x + width : canvas->width;
    int bottom = y + height < canvas->height ? y + height : canvas->height;
    struct canvas sub = {.glyphs = canvas->glyphs, .stride = canvas->stride, .cells = canvas->cells};
    x = x > 0 ? x : 0;
    y = y > 0 ? y : 0;
    if (right > x && bottom > y) {
        sub.width = right - x;
        sub.height = bottom - y;
        sub.cells = canvas->cells + (ptrdiff_t)y * canvas->stride + x;
    }
    return sub;
}

static struct cell *cell_at(const struct canvas *canvas, int x, int y)
{
    if (x < 0 || y < 0 || x >= canvas->width || y >= canvas->height)
        return NULL;
    return canvas->cells + (ptrdiff_t)y * canvas->stride + x;
}

const struct cell *canvas_at(const struct canvas *canvas, int x, int y)
{
    return cell_at(canvas, x, y);
}

static int rune_width(uint32_t rune)
{
    if (rune < 0x300 || (rune >= 0x2500 && rune < 0x25FD) || (rune >= 0x2800 && rune < 0x2900))
        return 1;
    return text_rune_width(rune);
}

static uint32_t harmless(uint32_t rune)
{
    if (rune < 0x20)
        return rune + 0x2400;
    if (rune == 0x7F)
        return 0x2421;
    return text_is_control(rune) ? REPLACEMENT : rune;
}

static void cell_set(struct cell *cell, uint32_t rune, struct style style)
{
    *cell = (struct cell){.rune = rune, .style = style};
}

/* Blanks the other half of a wide rune that is about to lose this one. */
static void break_wide(struct cell *cell)
{
    if (cell->rune == 0) {
        cell[-1].rune = ' ';
        cell[-1].mark = 0;
        cell->rune = ' ';
    } else if (rune_width(cell->rune) == 2) {
        cell[1].rune = ' ';
    }
}

/* A variation selector or joiner would make a terminal's width differ from ours. */
static bool is_format(uint32_t rune)
{
    return (rune >= 0x200B && rune <= 0x200D) || (rune >= 0x2060 && rune <= 0x2064) ||
           (rune >= 0xFE00 && rune <= 0xFE0F) || rune == 0xFEFF || (rune >= 0x1160 && rune <= 0x11FF) ||
           rune >= 0xE0000;
}

/* Returns the cells taken. */
static int put(struct canvas *canvas, int x, int y, uint32_t rune, struct style style)
{
    rune = harmless(rune);
    int width = rune_width(rune);
    if (width == 0) {
        struct cell *left = cell_at(canvas, x - 1, y);
        if (left != NULL && left->rune == 0 && x >= 2)
            left--;
        if (left != NULL && left->rune != 0 && canvas->glyphs == GLYPHS_BRAILLE && !is_format(rune))
            left->mark = rune;
        return 0;
    }
    uint32_t fit = glyphs_fit(canvas->glyphs, rune);
    struct cell *cell = cell_at(canvas, x, y);
    struct cell *right = width == 2 ? cell_at(canvas, x + 1, y) : NULL;
    if (cell != NULL)
        break_wide(cell);
    if (right != NULL)
        break_wide(right);
    if (width == 2 && (cell == NULL || right == NULL || fit != rune)) {
        /* Half of it is clipped, or the level cannot show it. */
        uint32_t half = fit != rune ? fit : ' ';
        if (cell != NULL)
            cell_set(cell, half, style);
        if (right != NULL)
            cell_set(right, half, style);
        return 2;
    }
    if (cell != NULL)
        cell_set(cell, fit, style);
    if (right != NULL)
        cell_set(right, 0, style);
    return width;
}

void canvas_put(struct canvas *canvas, int x, int y, uint32_t rune, struct style style)
{
    put(canvas, x, y, rune, style);
}

void canvas_clear(struct canvas *canvas, struct style style)
{
    canvas_fill(canvas, 0, 0, canvas->width, canvas->height, ' ', style);
}

void canvas_fill(struct canvas *canvas, int x, int y, int width, int height, uint32_t rune,
                 struct style style)
{
    int left = x > 0 ? x : 0, top = y > 0 ? y : 0;
    int right = x + width < canvas->width ? x + width : canvas->width;
    int bottom = y + height < canvas->height ? y + height : canvas->height;
    for (int row = top; row < bottom; row++)
        for (int column = left; column < right;) {
            int taken = put(canvas, column, row, rune, style);
            column += taken > 0 ? taken : 1;
        }
}

int canvas_text(struct canvas *canvas, int x, int y, struct style style, const char *text)
{
    const char *end = text + strlen(text);
    while (text < end)
        x += put(canvas, x, y, text_next_rune(&text, end), style);
    return x;
}

int canvas_printf(struct canvas *canvas, int x, int y, struct style style, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return canvas_text(canvas, x, y, style, text);
}

int canvas_text_fit(struct canvas *canvas, int x, int y, int width, struct style style, const char *text)
{
    if (width <= 0)
        return x;
    const char *end = text + strlen(text);
    int limit = x + width;
    while (text < end) {
        const char *after = text;
        uint32_t rune = text_next_rune(&after, end);
        int wide = rune_width(harmless(rune));
        /* The last cell is kept for the ellipsis unless the rest fits. */
        if (x + wide >= limit && wide > 0 && (x + wide > limit || text_width(after) > 0)) {
            put(canvas, x, y, 0x2026, style);
            return x + 1;
        }
        x += put(canvas, x, y, rune, style);
        text = after;
    }
    return x;
}

int canvas_text_right(struct canvas *canvas, int x, int y, struct style style, const char *text)
{
    int first = x - text_width(text);
    canvas_text(canvas, first, y, style, text);
    return first;
}

void canvas_restyle(struct canvas *canvas, int x, int y, int width, struct style style)
{
    for (int column = x; column < x + width; column++) {
        struct cell *cell = cell_at(canvas, column, y);
        if (cell != NULL)
            cell->style = style;
    }
}
