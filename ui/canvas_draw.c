/* Frames, bars, sparklines and dumps, made of canvas cells. */
#include "ui/canvas.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "ui/glyphs.h"

#include <math.h>
#include <string.h>

struct canvas canvas_frame(struct canvas *canvas, const char *title, const char *note, bool focused)
{
    int right = canvas->width - 1, bottom = canvas->height - 1;
    if (right < 1 || bottom < 1)
        return canvas_sub(canvas, 0, 0, 0, 0);
    const struct glyphs_frame *frame = glyphs_frame(canvas->glyphs, focused);
    struct style line = STYLE(focused ? ROLE_FOCUS : ROLE_FRAME);
    canvas_fill(canvas, 1, 0, right - 1, 1, frame->horizontal, line);
    canvas_fill(canvas, 1, bottom, right - 1, 1, frame->horizontal, line);
    canvas_fill(canvas, 0, 1, 1, bottom - 1, frame->vertical, line);
    canvas_fill(canvas, right, 1, 1, bottom - 1, frame->vertical, line);
    canvas_put(canvas, 0, 0, frame->top_left, line);
    canvas_put(canvas, right, 0, frame->top_right, line);
    canvas_put(canvas, 0, bottom, frame->bottom_left, line);
    canvas_put(canvas, right, bottom, frame->bottom_right, line);

    /* "╭─ Title ───── note ─╮": the note gives way to the title. */
    int after = 2;
    if (title[0] != '\0' && right > 5) {
        canvas_put(canvas, 2, 0, ' ', line);
        struct style style = focused ? STYLE_BOLD(ROLE_FOCUS) : STYLE(ROLE_TITLE);
        after = canvas_text_fit(canvas, 3, 0, right - 5, style, title);
        canvas_put(canvas, after++, 0, ' ', line);
    }
    int room = right - 3 - after - 1;
    if (note[0] != '\0' && room >= 4) {
        int width = text_width(note);
        if (width > room)
            width = room;
        int x = right - 2 - width;
        canvas_put(canvas, x - 1, 0, ' ', line);
        canvas_text_fit(canvas, x, 0, width, STYLE(ROLE_DIM), note);
        canvas_put(canvas, right - 2, 0, ' ', line);
    }
    return canvas_sub(canvas, 1, 1, right - 1, bottom - 1);
}

void canvas_bar(struct canvas *canvas, int x, int y, int width, double fraction, struct style style)
{
    if (!(fraction > 0))
        fraction = 0;
    if (fraction > 1)
        fraction = 1;
    int eighths = (int)lround(fraction * width * 8);
    if (eighths == 0 && fraction > 0)
        eighths = 1;
    uint32_t rest = canvas->glyphs == GLYPHS_ASCII ? '.' : 0x2591;
    for (int column = 0; column < width; column++, eighths -= 8) {
        /* A cell begun keeps a blank rest: the shade behind a part of a cell cannot be drawn. */
        if (eighths > 0 && glyphs_bar(canvas->glyphs, eighths) != ' ')
            canvas_put(canvas, x + column, y, glyphs_bar(canvas->glyphs, eighths), style);
        else
            canvas_put(canvas, x + column, y, rest, STYLE(ROLE_FRAME));
    }
}

void canvas_spark(struct canvas *canvas, int x, int y, int width, int height, const float *values,
                  size_t count, float max, struct style style)
{
    if (width <= 0 || height <= 0)
        return;
    size_t shown = count < (size_t)width ? count : (size_t)width;
    values += count - shown;
    if (!(max > 0))
        for (size_t i = 0; i < shown; i++)
            if (values[i] > max)
                max = values[i];
    for (size_t i = 0; i < shown; i++) {
        if (!(values[i] > 0) || !(max > 0))
            continue;
        double part = values[i] < max ? (double)values[i] / (double)max : 1.0;
        int eighths = (int)lround(part * height * 8);
        if (eighths == 0)
            eighths = 1;
        int column = x + width - (int)shown + (int)i;
        for (int row = height - 1; row >= 0 && eighths > 0; row--, eighths -= 8)
            canvas_put(canvas, column, y + row, glyphs_column(canvas->glyphs, eighths), style);
    }
}

static char *finish(struct buf *text)
{
    char *copy = mem_text(text->data != NULL ? text->data : "");
    buf_free(text);
    return copy;
}

static void cut_blanks(struct buf *text, size_t line)
{
    while (text->length > line && text->data[text->length - 1] == ' ')
        text->data[--text->length] = '\0';
    buf_char(text, '\n');
}

char *canvas_dump(const struct canvas *canvas)
{
    struct buf text;
    buf_init(&text, (size_t)16 << 20);
    for (int y = 0; y < canvas->height; y++) {
        size_t line = text.length;
        for (int x = 0; x < canvas->width; x++) {
            const struct cell *cell = canvas_at(canvas, x, y);
            char bytes[5];
            if (cell->rune == 0)
                continue;
            buf_append(&text, bytes, text_put_rune(bytes, cell->rune));
            if (cell->mark != 0)
                buf_append(&text, bytes, text_put_rune(bytes, cell->mark));
        }
        cut_blanks(&text, line);
    }
    return finish(&text);
}

static char style_letter(const struct cell *cell)
{
    static const char letters[] = {
#define X(name, word, letter) letter,
        ROLES(X)
#undef X
    };
    struct style style = cell->style;
    if ((style.attributes & ATTR_REVERSE) != 0)
        return '#';
    if (COLOUR_IS_RGB(style.bg))
        return '*';
    if (style.bg != ROLE_NONE && style.bg < ROLE_COUNT)
        return letters[style.bg];
    if (cell->rune == ' ')
        return ' ';
    if (COLOUR_IS_RGB(style.fg))
        return '*';
    return style.fg < ROLE_COUNT ? letters[style.fg] : '?';
}

char *canvas_dump_styles(const struct canvas *canvas)
{
    struct buf text;
    buf_init(&text, (size_t)16 << 20);
    for (int y = 0; y < canvas->height; y++) {
        size_t line = text.length;
        for (int x = 0; x < canvas->width; x++)
            buf_char(&text, style_letter(canvas_at(canvas, x, y)));
        cut_blanks(&text, line);
    }
    return finish(&text);
}
