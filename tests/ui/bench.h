/*
 * One panel alone on a canvas, framed as the screen frames it, with a host that keeps what was asked of it.
 * For the tests of panels; include once in a test program.
 */
#ifndef SMARTCITY_TESTS_UI_BENCH_H
#define SMARTCITY_TESTS_UI_BENCH_H

#include "base/err.h"
#include "base/text.h"
#include "tests/support/golden.h"
#include "ui/layout.h"
#include "ui/panel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    const struct panel_class *class;
    void *state;
    const struct view *view;
    struct canvas canvas;
    struct panel_context context;
    struct panel_host host;
    char sent[4][320]; /* the newest first */
    char toast[200], copied[4096];
    int sends;
};

static inline void bench_on_send(void *context, const char *line)
{
    struct bench *bench = context;
    memmove(bench->sent[1], bench->sent[0], sizeof bench->sent - sizeof bench->sent[0]);
    text_copy(bench->sent[0], sizeof bench->sent[0], line);
    bench->sends++;
}

static inline void bench_on_toast(void *context, enum log_level level, const char *text)
{
    text_copy(((struct bench *)context)->toast, sizeof((struct bench *)context)->toast, text);
}

static inline void bench_on_copy(void *context, const char *text)
{
    text_copy(((struct bench *)context)->copied, sizeof((struct bench *)context)->copied, text);
}

static inline void bench_open(struct bench *bench, const char *panel, const struct view *view, int width,
                              int height, enum glyphs glyphs)
{
    *bench = (struct bench){.class = panel_find(panel), .view = view};
    bench->state = mem_zero(1, bench->class->state_size + 1);
    if (bench->class->create != NULL)
        bench->class->create(bench->state);
    bench->canvas = canvas_create(width, height, glyphs);
    bench->context = (struct panel_context){.filter = "", .focused = true};
    bench->host = (struct panel_host){bench_on_send, bench_on_toast, bench_on_copy, bench};
}

static inline void bench_draw(struct bench *bench)
{
    char title[128], note[160] = "";
    struct canvas *canvas = &bench->canvas;
    canvas_clear(canvas, STYLE(ROLE_NONE));
    text_copy(title, sizeof title, bench->class->title);
    if (bench->class->heading != NULL)
        bench->class->heading(bench->state, bench->view, title, sizeof title);
    if (bench->class->note != NULL)
        bench->class->note(bench->state, bench->view, note, sizeof note);
    struct canvas inside = canvas_frame(canvas, title, note, bench->context.focused);
    bench->class->draw(bench->state, bench->view, &inside, &bench->context);
}

static inline bool bench_run(struct bench *bench, const char *name, const char *argument)
{
    return bench->class->command(bench->state, bench->view, name, argument, &bench->host);
}

static inline void bench_close(struct bench *bench)
{
    if (bench->class->destroy != NULL)
        bench->class->destroy(bench->state);
    free(bench->state);
    canvas_destroy(&bench->canvas);
}

static inline char *bench_text(struct bench *bench)
{
    bench_draw(bench);
    return canvas_dump(&bench->canvas);
}

static inline bool bench_shows(struct bench *bench, const char *text)
{
    char *dump = bench_text(bench);
    bool found = strstr(dump, text) != NULL;
    if (!found)
        fprintf(stderr, "no \"%s\" in\n%s", text, dump);
    free(dump);
    return found;
}

/* No control, no byte outside of UTF-8, and, in ASCII, nothing but printable ASCII. */
static inline bool bench_harmless(struct bench *bench)
{
    char *dump = bench_text(bench);
    bool harmless = text_is_utf8(dump, strlen(dump));
    for (const char *at = dump; *at != '\0' && harmless; at++)
        harmless = *at == '\n' || ((unsigned char)*at >= ' ' &&
                                   (bench->canvas.glyphs != GLYPHS_ASCII || (unsigned char)*at < 0x7F));
    if (!harmless)
        fprintf(stderr, "%s: not harmless\n", bench->class->name);
    free(dump);
    return harmless;
}

/* The sizes of golden screens: of the area between the bars. */
static const struct {
    const char *name;
    int width, height;
    enum glyphs glyphs;
} bench_sizes[] = {{"80x24", 80, 21, GLYPHS_BRAILLE},
                   {"132x43", 132, 39, GLYPHS_BRAILLE},
                   {"200x50", 200, 46, GLYPHS_BRAILLE},
                   {"ascii", 132, 39, GLYPHS_ASCII}};
#define BENCH_SIZES (sizeof bench_sizes / sizeof bench_sizes[0])

/* All panels of a screen where the layout puts them, the last one with the focus; free it. */
static inline char *bench_screen(const char *name, const struct view *view, int width, int height,
                                 enum glyphs glyphs, bool colours)
{
    const struct screen_row *rows;
    struct layout layout = {0};
    size_t count = layout_screens(&rows);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0 &&
            !layout_compute(&rows[i], (struct rect){0, 0, width, height}, NULL, &layout))
            abort();
    struct canvas canvas = canvas_create(width, height, glyphs);
    for (size_t i = 0; i < layout.count; i++) {
        struct bench bench;
        const struct rect *rect = &layout.slots[i].rect;
        bench_open(&bench, layout.slots[i].panel, view, 1, 1, glyphs);
        canvas_destroy(&bench.canvas);
        bench.canvas = canvas_sub(&canvas, rect->x, rect->y, rect->width, rect->height);
        bench.context.focused = i + 1 == layout.count;
        bench_draw(&bench);
        bench.canvas = canvas_create(1, 1, glyphs);
        bench_close(&bench);
    }
    char *text = colours ? canvas_dump_styles(&canvas) : canvas_dump(&canvas);
    canvas_destroy(&canvas);
    return text;
}

#endif
