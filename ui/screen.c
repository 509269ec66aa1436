/*
 * Frames. Panels draw on `base`, each in its own place and only when what it depends on differs from its last
 * drawing; base is copied to `frame`, bars and dialogs are drawn over it, and the terminal sends what differs
 * from what it shows. So an unchanged picture costs a few comparisons and not one byte. A frame is drawn at
 * most thirty times a second, and while nothing changes the screen asks to be called ever more seldom, down
 * to four times a second.
 */
#include "ui/screen_private.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- panes and layout -------------------------------------------------------------------------------- */

static bool is_built(const char *panel)
{
    return panel_find(panel) != NULL;
}

bool screen_row_built(const struct screen_row *row)
{
    struct layout layout;
    return layout_compute(row, (struct rect){0, 0, 200, 60}, is_built, &layout) && layout.count > 0;
}

struct pane *screen_pane(struct screen *screen, const char *name, size_t *index)
{
    for (size_t i = 0; i < screen->pane_count; i++)
        if (strcmp(screen->panes[i].class->name, name) == 0) {
            if (index != NULL)
                *index = i;
            return &screen->panes[i];
        }
    return NULL;
}

const struct layout_slot *screen_slot(const struct screen *screen, const struct pane *pane)
{
    for (size_t i = 0; i < screen->layout.count; i++)
        if (strcmp(screen->layout.slots[i].panel, pane->class->name) == 0)
            return &screen->layout.slots[i];
    return NULL;
}

struct pane *screen_focused(struct screen *screen)
{
    size_t index = screen->row_count > 0 ? screen->focus[screen->row] : SCREEN_PANES;
    return index < screen->pane_count ? &screen->panes[index] : NULL;
}

bool screen_too_small(const struct screen *screen)
{
    return screen->width < LAYOUT_MIN_WIDTH || screen->height < LAYOUT_MIN_HEIGHT;
}

struct rect screen_inside(const struct layout_slot *slot)
{
    struct rect rect = slot->rect;
    if (!slot->bare) {
        rect.x++;
        rect.y++;
        rect.width -= 2;
        rect.height -= 2;
    }
    return rect;
}

void screen_arrange(struct screen *screen)
{
    if (screen->arranged || screen->row_count == 0 || screen_too_small(screen))
        return;
    const struct screen_row *row = &screen->rows[screen->row];
    int top = bars_top(screen);
    screen->area = (struct rect){0, top, screen->width, screen->height - top - bars_bottom(screen)};
    struct pane *focused = screen_focused(screen);
    layout_compute(row, screen->area, is_built, &screen->layout);
    if (focused == NULL && screen->layout.count > 0)
        focused = screen_pane(screen, screen->layout.slots[0].panel, &screen->focus[screen->row]);
    /* Where the layout has no place for it, the focused panel fills the screen. */
    if (focused != NULL && (screen->full || screen_slot(screen, focused) == NULL)) {
        screen->full = true;
        screen->layout = (struct layout){.count = 1};
        screen->layout.slots[0].rect = screen->area;
        text_copy(screen->layout.slots[0].panel, LAYOUT_NAME, focused->class->name);
    }
    for (size_t i = 0; i < screen->pane_count; i++)
        screen->panes[i].drawn = 0;
    canvas_clear(&screen->base, STYLE(ROLE_NONE));
    screen->arranged = true;
    screen->changed = true;
}

bool screen_typing(struct screen *screen)
{
    const struct pane *focused = screen_focused(screen);
    return focused != NULL && focused->class->typing != NULL && focused->class->typing(focused->state);
}

unsigned screen_scopes(struct screen *screen)
{
    unsigned scopes = SCOPE_GLOBAL;
    const struct pane *focused = screen_focused(screen);
    if (focused != NULL && screen_typing(screen))
        return focused->class->scopes_now(focused->state);
    if (screen->row_count > 0)
        scopes |= screen->rows[screen->row].scope;
    if (focused != NULL && focused->class->scopes_now != NULL)
        scopes |= focused->class->scopes_now(focused->state);
    else if (focused != NULL)
        scopes |= focused->class->scopes;
    if (screen->view != NULL && screen->view->source == VIEW_REPLAY)
        scopes |= SCOPE_REPLAY;
    else if (screen->view != NULL && screen->view->sim.present)
        scopes |= SCOPE_LIVE;
    return scopes;
}

char *screen_filter(struct screen *screen)
{
    struct pane *focused = screen_focused(screen);
    if (screen->dialog.kind == DIALOG_HELP)
        return screen->dialog.filter;
    return focused != NULL ? focused->filter : NULL;
}

void screen_filter_changed(struct screen *screen)
{
    struct pane *focused = screen_focused(screen);
    if (screen->dialog.kind == DIALOG_HELP || focused == NULL || focused->class->command == NULL ||
        screen->view == NULL)
        return;
    struct panel_host host = screen_panel_host(screen);
    if (focused->class->command(focused->state, screen->view, "filter", focused->filter, &host))
        focused->drawn = 0;
}

/* ---- life -------------------------------------------------------------------------------------------- */

struct screen *screen_create(const struct screen_settings *settings)
{
    struct screen *screen = mem_zero(1, sizeof *screen);
    screen->settings = *settings;
    screen->commands = settings->commands;
    screen->term = settings->term;
    screen->glyphs = settings->term != NULL ? term_glyphs(settings->term) : settings->glyphs;
    screen->depth = settings->term != NULL ? term_depth(settings->term) : settings->depth;
    screen->cursor_x = -1;
    const struct panel_class *const *classes;
    size_t count = panel_classes(&classes);
    for (size_t i = 0; i < count && i < SCREEN_PANES; i++) {
        struct pane *pane = &screen->panes[screen->pane_count++];
        pane->class = classes[i];
        pane->state = mem_zero(1, classes[i]->state_size + 1);
        if (pane->class->create != NULL)
            pane->class->create(pane->state);
    }
    screen->row_count = layout_screens(&screen->rows);
    if (screen->row_count > SCREEN_ROWS)
        screen->row_count = SCREEN_ROWS;
    size_t first = screen->row_count;
    for (size_t i = 0; i < screen->row_count; i++) {
        screen->focus[i] = SCREEN_PANES;
        bool asked = settings->first != NULL && strcmp(settings->first, screen->rows[i].name) == 0;
        if (screen_row_built(&screen->rows[i]) && (first == screen->row_count || asked))
            first = i;
    }
    if (first == screen->row_count)
        screen->row_count = 0; /* no panel is built at all */
    else
        screen->row = first;
    if (settings->term != NULL)
        screen_resize(screen);
    else
        screen_set_size(screen, settings->width, settings->height);
    return screen;
}

void screen_destroy(struct screen *screen)
{
    if (screen == NULL)
        return;
    for (size_t i = 0; i < screen->pane_count; i++) {
        if (screen->panes[i].class->destroy != NULL)
            screen->panes[i].class->destroy(screen->panes[i].state);
        free(screen->panes[i].state);
    }
    canvas_destroy(&screen->base);
    canvas_destroy(&screen->frame);
    free(screen);
}

void screen_set_size(struct screen *screen, int width, int height)
{
    if (width == screen->width && height == screen->height && screen->base.owner)
        return;
    canvas_destroy(&screen->base);
    canvas_destroy(&screen->frame);
    screen->width = width;
    screen->height = height;
    screen->base = canvas_create(width, height, screen->glyphs);
    screen->frame = canvas_create(width, height, screen->glyphs);
    screen->arranged = false;
    screen->changed = true;
    screen->dragged = 0;
}

void screen_resize(struct screen *screen)
{
    int width, height;
    term_resize(screen->term);
    term_size(screen->term, &width, &height);
    screen_set_size(screen, width, height);
}

void screen_resume(struct screen *screen)
{
    term_resume(screen->term);
    screen_resize(screen);
    screen->changed = true;
}

const struct canvas *screen_frame(const struct screen *screen)
{
    return &screen->frame;
}

void screen_figures(const struct screen *screen, struct screen_figures *figures)
{
    *figures = screen->figures;
}

/* ---- what panels may ask ----------------------------------------------------------------------------- */

static void host_send(void *context, const char *line)
{
    screen_run(context, line);
}

static void host_toast(void *context, enum log_level level, const char *text)
{
    screen_toast(context, level, text);
}

static void host_copy(void *context, const char *text)
{
    struct screen *screen = context;
    struct err err = ERR_INIT;
    char said[160], clean[64];
    if (screen->term != NULL && term_copy(screen->term, text, &err) != 0) {
        screen_toast(screen, LOG_WARNING, err.text);
        return;
    }
    size_t length = strcspn(text, "\n");
    text_sanitise(clean, sizeof clean, text, length);
    snprintf(said, sizeof said, "copied %s%s", clean,
             text[length] != '\0' || length >= sizeof clean ? "…" : "");
    screen_toast(screen, LOG_INFO, said);
}

struct panel_host screen_panel_host(struct screen *screen)
{
    return (struct panel_host){.send = host_send, .toast = host_toast, .copy = host_copy, .context = screen};
}

void screen_toast(struct screen *screen, enum log_level level, const char *text)
{
    text_sanitise(screen->toast, sizeof screen->toast, text, strlen(text));
    screen->toast_level = level;
    screen->toast_until_us = screen->now_us + (level >= LOG_WARNING ? 10 : 6) * INT64_C(1000000);
    screen->changed = true;
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

/* FNV-1a; only equality counts. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
    return mix(hash, text, strlen(text) + 1);
}

struct pane_texts {
    char heading[160], note[160];
};

static void read_texts(const struct screen *screen, const struct pane *pane, struct pane_texts *texts)
{
    const struct panel_class *class = pane->class;
    texts->note[0] = '\0';
    text_copy(texts->heading, sizeof texts->heading, class->title);
    if (class->heading != NULL)
        class->heading(pane->state, screen->view, texts->heading, sizeof texts->heading);
    if (class->note != NULL)
        class->note(pane->state, screen->view, texts->note, sizeof texts->note);
}

/* Everything that a panel's drawing depends on; never 0. */
static uint64_t pane_hash(const struct screen *screen, const struct pane *pane,
                          const struct layout_slot *slot, const struct panel_context *context,
                          const struct pane_texts *texts)
{
    const struct panel_class *class = pane->class;
    uint64_t generation =
        class->generation != NULL ? class->generation(pane->state, screen->view) : screen->view->generation;
    uint64_t hash = mix(UINT64_C(14695981039346656037), &generation, sizeof generation);
    hash = mix_text(mix_text(mix_text(hash, texts->heading), texts->note), pane->filter);
    hash = mix(hash, &slot->rect, sizeof slot->rect);
    const bool flags[] = {context->focused, context->full_screen, context->images_rgb};
    return mix(hash, flags, sizeof flags) | 1;
}

static void draw_pane(struct screen *screen, const struct layout_slot *slot)
{
    struct pane *pane = screen_pane(screen, slot->panel, NULL);
    if (pane == NULL)
        return;
    enum theme theme = screen->term != NULL ? term_theme(screen->term) : screen->settings.theme;
    struct panel_context context = {.focused = pane == screen_focused(screen),
                                    .full_screen = screen->full,
                                    .now_us = screen->now_us,
                                    .images_rgb = screen->depth >= DEPTH_256 && theme != THEME_MONO,
                                    .filter = pane->filter};
    struct pane_texts texts;
    read_texts(screen, pane, &texts);
    if (pane_hash(screen, pane, slot, &context, &texts) == pane->drawn)
        return;
    struct rect inside = screen_inside(slot);
    struct canvas place =
        canvas_sub(&screen->base, slot->rect.x, slot->rect.y, slot->rect.width, slot->rect.height);
    struct canvas content = canvas_sub(&screen->base, inside.x, inside.y, inside.width, inside.height);
    canvas_clear(&place, STYLE(ROLE_NONE));
    pane->class->draw(pane->state, screen->view, &content, &context);
    /* Drawing may choose what the frame tells, such as a scale. */
    read_texts(screen, pane, &texts);
    if (!slot->bare)
        canvas_frame(&place, texts.heading, texts.note, context.focused);
    pane->drawn = pane_hash(screen, pane, slot, &context, &texts);
}

static void draw_too_small(struct screen *screen)
{
    char text[80];
    struct canvas *frame = &screen->frame;
    canvas_clear(frame, STYLE(ROLE_NONE));
    int y = frame->height > 3 ? frame->height / 2 - 1 : 0;
    snprintf(text, sizeof text, "%d x %d is too small", frame->width, frame->height);
    int x = (frame->width - text_width(text)) / 2;
    canvas_text(frame, x > 0 ? x : 0, y, STYLE_BOLD(ROLE_WARNING), text);
    snprintf(text, sizeof text, "%d x %d is needed", LAYOUT_MIN_WIDTH, LAYOUT_MIN_HEIGHT);
    x = (frame->width - text_width(text)) / 2;
    canvas_text(frame, x > 0 ? x : 0, y + 1, STYLE(ROLE_TEXT), text);
    canvas_text(frame, x > 0 ? x : 0, y + 2, STYLE(ROLE_DIM), "q quits");
}

static void compose(struct screen *screen)
{
    memcpy(screen->frame.cells, screen->base.cells,
           (size_t)screen->width * (size_t)screen->height * sizeof *screen->frame.cells);
    bars_draw(screen, &screen->frame);
    screen->cursor_x = -1;
    const struct pane *focused = screen_focused(screen);
    const struct layout_slot *slot = focused != NULL ? screen_slot(screen, focused) : NULL;
    int x, y;
    if (slot != NULL && focused->class->cursor != NULL && focused->class->cursor(focused->state, &x, &y)) {
        struct rect inside = screen_inside(slot);
        screen->cursor_x = inside.x + x;
        screen->cursor_y = inside.y + y;
    }
    if (screen->dialog.kind != DIALOG_NONE) {
        struct canvas over = canvas_sub(&screen->frame, 0, bars_top(screen), screen->width,
                                        screen->height - bars_top(screen) - bars_bottom(screen));
        dialog_draw(&screen->dialog, &over, &screen->cursor_x, &screen->cursor_y);
        screen->cursor_y += bars_top(screen);
    }
    if (screen->prompt.open) {
        screen->cursor_y = screen->height - 2;
        screen->cursor_x = prompt_draw(&screen->prompt, &screen->frame, screen->cursor_y);
    }
}

static void show_title(struct screen *screen)
{
    char title[sizeof screen->title];
    const struct view *view = screen->view;
    snprintf(title, sizeof title, "smartcity – %s – %s", view->source == VIEW_REPLAY ? "replay" : "live",
             view->source == VIEW_REPLAY ? view->replay.name : view->kafka_label);
    if (strcmp(title, screen->title) == 0)
        return;
    memcpy(screen->title, title, sizeof title);
    if (screen->term != NULL)
        term_set_title(screen->term, title);
}

int64_t screen_draw(struct screen *screen, int64_t now_us)
{
    screen->now_us = now_us;
    int64_t due = screen->drawn_us + SCREEN_FRAME_US - now_us;
    if (due > 0 && screen->drawn_us != 0)
        return due;
    if (screen->term != NULL && term_busy(screen->term)) {
        screen->figures.skipped++;
        return SCREEN_FRAME_US;
    }
    if (screen->view == NULL || !screen->frozen)
        screen->view = screen->settings.host.view(screen->settings.host.context, now_us);
    screen_arrange(screen);
    int64_t begun = clock_mono_us();
    if (screen_too_small(screen)) {
        draw_too_small(screen);
        screen->cursor_x = -1;
    } else {
        for (size_t i = 0; i < screen->layout.count; i++)
            draw_pane(screen, &screen->layout.slots[i]);
        compose(screen);
    }
    show_title(screen);
    size_t cells = 0;
    if (screen->term != NULL)
        cells = term_show(screen->term, &screen->frame, screen->cursor_x, screen->cursor_y);
    screen->drawn_us = now_us;
    if (cells > 0) {
        screen->figures.frames++;
        screen->figures.cells += cells;
        screen->figures.frame_us = clock_mono_us() - begun;
    }
    /* While nothing moves, look ever more seldom. */
    if (cells > 0 || screen->changed)
        screen->idle_us = SCREEN_FRAME_US;
    else
        screen->idle_us = screen->idle_us * 2 < SCREEN_IDLE_US ? screen->idle_us * 2 : SCREEN_IDLE_US;
    screen->changed = false;
    return screen->idle_us;
}
