/*
 * What was done, by whom, and the outside command that does the same. Newest at the bottom and followed
 * there; elsewhere the selection stays with its line while others come.
 */
#include "ui/panels/stream.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

#define DETAIL_ROWS 4 /* below the list: the selected line in full, and what can be copied */

enum column { TIME, LEVEL, SOURCE, TEXT, EQUIVALENT, COLUMNS };
static const struct table_column columns[COLUMNS] = {
    [TIME] = {"time", 12, 0, false, 0},
    [LEVEL] = {"level", 7, 0, false, 0},
    [SOURCE] = {"source", 9, 0, false, 1},
    [TEXT] = {"what", 34, 4, false, 0},
    [EQUIVALENT] = {"the same from outside", 30, 1, false, 2}};

struct log_panel {
    uint64_t selected; /* sequence; 0: the newest */
    struct list list;
    uint64_t filtered_to; /* last sequence when `rows` was made */
    char filter[96];
    bool arranged, equivalents; /* some line has one */
    size_t count;
    uint16_t rows[2048]; /* indexes of the entries that fit the filter */
    uint64_t changes;
};

static enum role level_role(enum log_level level)
{
    switch (level) {
    case LOG_ERROR:
        return ROLE_BAD;
    case LOG_WARNING:
        return ROLE_WARNING;
    case LOG_DONE:
        return ROLE_GOOD;
    case LOG_INFO:
        return ROLE_TEXT;
    case LOG_DEBUG:
        break;
    }
    return ROLE_DIM;
}

static void arrange(struct log_panel *state, const struct view *view, const char *filter)
{
    if (state->arranged && state->filtered_to == view->log_last && strcmp(state->filter, filter) == 0)
        return;
    state->arranged = true;
    state->filtered_to = view->log_last;
    text_copy(state->filter, sizeof state->filter, filter);
    state->count = 0;
    state->equivalents = false;
    size_t capacity = sizeof state->rows / sizeof state->rows[0];
    for (size_t i = view->log_count > capacity ? view->log_count - capacity : 0; i < view->log_count; i++) {
        const struct log_entry *entry = &view->log[i];
        const char *texts[] = {log_level_name(entry->level), entry->source, entry->text, entry->equivalent};
        if (!list_matches(state->filter, texts, 4))
            continue;
        state->rows[state->count++] = (uint16_t)i;
        state->equivalents = state->equivalents || entry->equivalent[0] != '\0';
    }
}

static size_t row_of(const struct log_panel *state, const struct view *view)
{
    for (size_t i = state->count; i > 0 && state->selected != 0; i--)
        if (view->log[state->rows[i - 1]].sequence <= state->selected)
            return i - 1;
    return state->selected != 0 || state->count == 0 ? 0 : state->count - 1;
}

static const struct log_entry *selected_entry(const struct log_panel *state, const struct view *view)
{
    return state->count > 0 ? &view->log[state->rows[row_of(state, view)]] : NULL;
}

static void draw_row(const struct table *table, struct canvas *canvas, int y, const struct log_entry *entry)
{
    char text[TEXT_FIGURE_SIZE];
    enum role role = level_role(entry->level);
    table_put(table, canvas, y, TIME, STYLE(ROLE_DIM), stream_clock(text, entry->wall_us));
    table_put(table, canvas, y, LEVEL, STYLE(role), log_level_name(entry->level));
    table_put(table, canvas, y, SOURCE, STYLE(ROLE_DIM), entry->source);
    struct style style = STYLE(role == ROLE_GOOD ? ROLE_TEXT : role);
    if (entry->equivalent[0] != '\0' && table->count > EQUIVALENT && table->width[EQUIVALENT] > 0) {
        table_put(table, canvas, y, TEXT, style, entry->text);
        table_put(table, canvas, y, EQUIVALENT, STYLE(ROLE_DIM), entry->equivalent);
    } else { /* the line may have that column too */
        canvas_text_fit(canvas, table->x[TEXT], y, canvas->width - table->x[TEXT], style, entry->text);
    }
}

/* The selected line without cuts. */
static void draw_detail(struct canvas *canvas, const struct log_entry *entry)
{
    char date[TEXT_FIGURE_SIZE];
    canvas_fill(canvas, 0, 0, canvas->width, 1, 0x2500, STYLE(ROLE_FRAME));
    canvas_printf(canvas, 1, 0, STYLE(ROLE_DIM), " %s UTC  %s ", stream_date(date, entry->wall_us),
                  entry->source);
    bool equivalent = entry->equivalent[0] != '\0';
    int used = stream_wrap(canvas, 0, 1, canvas->width, canvas->height - 1 - equivalent,
                           STYLE(level_role(entry->level)), entry->text);
    if (!equivalent)
        return;
    int x = canvas_text(canvas, 0, 1 + used, STYLE(ROLE_INFO), "$ ");
    stream_wrap(canvas, x, 1 + used, canvas->width - x, canvas->height - 1 - used, STYLE(ROLE_STRONG),
                entry->equivalent);
}

static void log_draw(void *opaque, const struct view *view, struct canvas *canvas,
                     const struct panel_context *context)
{
    struct log_panel *state = opaque;
    struct table table;
    arrange(state, view, context->filter != NULL ? context->filter : "");
    if (state->count == 0) {
        bool filtered = state->filter[0] != '\0';
        stream_nothing(canvas, filtered ? "no line fits the filter" : "nothing was done yet",
                       filtered ? "Esc clears it" : "");
        return;
    }
    int detail = canvas->height >= 12 ? DETAIL_ROWS : 0;
    table_fit(&table, columns, state->equivalents ? COLUMNS : EQUIVALENT, canvas->width - 1);
    table_heading(&table, canvas, 0, -1, false);
    state->list.selected = row_of(state, view);
    struct canvas body = canvas_sub(canvas, 0, 1, canvas->width - 1, canvas->height - 1 - detail);
    list_fit(&state->list, state->count, body.height);
    for (size_t row = 0; row < state->list.rows && state->list.top + row < state->count; row++) {
        draw_row(&table, &body, (int)row, &view->log[state->rows[state->list.top + row]]);
        list_highlight(&body, 0, (int)row, body.width, state->filter);
        if (state->list.top + row == state->list.selected)
            list_mark(&body, (int)row, context->focused);
    }
    list_scroll_bar(&state->list, canvas, canvas->width - 1, 1, state->count);
    if (detail > 0) {
        struct canvas below = canvas_sub(canvas, 0, canvas->height - detail, canvas->width, detail);
        draw_detail(&below, &view->log[state->rows[state->list.selected]]);
    }
}

static uint64_t log_generation(const void *opaque, const struct view *view)
{
    const struct log_panel *state = opaque;
    return stream_mix(state->changes, view->log_last);
}

static void log_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct log_panel *state = opaque;
    size_t errors = 0, warnings = 0;
    for (size_t i = 0; i < view->log_count; i++) {
        errors += view->log[i].level == LOG_ERROR;
        warnings += view->log[i].level == LOG_WARNING;
    }
    size_t used = (size_t)snprintf(text, size, "%zu error%s · %zu warning%s", errors, errors == 1 ? "" : "s",
                                   warnings, warnings == 1 ? "" : "s");
    if (used < size)
        snprintf(text + used, size - used,
                 state->selected != 0 ? " · held, G follows · UTC" : " · following · UTC");
}

static void choose(struct log_panel *state, const struct view *view)
{
    size_t row = state->list.selected;
    state->selected = row + 1 < state->count ? view->log[state->rows[row]].sequence : 0;
    state->changes++;
}

static bool log_command(void *opaque, const struct view *view, const char *name, const char *argument,
                        const struct panel_host *host)
{
    struct log_panel *state = opaque;
    if (argument == NULL)
        argument = "";
    arrange(state, view, state->filter);
    state->list.selected = row_of(state, view);
    if (strcmp(name, "match") == 0) /* the filter left only what matches */
        argument = strcmp(argument, "previous") == 0 ? "previous" : "next";
    if ((strcmp(name, "select") == 0 || strcmp(name, "match") == 0) &&
        list_move(&state->list, state->count, argument)) {
        choose(state, view);
        return true;
    }
    const struct log_entry *entry = selected_entry(state, view);
    if (strcmp(name, "copy") == 0 && argument[0] == '\0' && entry != NULL) {
        if (entry->equivalent[0] != '\0')
            stream_copy(host, entry->equivalent, "the equivalent command");
        else
            stream_copy(host, entry->text, "the line; it has no equivalent command");
        return true;
    }
    return false;
}

static bool log_mouse(void *opaque, const struct view *view, enum panel_mouse what, int x, int y,
                      const struct panel_host *host)
{
    struct log_panel *state = opaque;
    arrange(state, view, state->filter);
    state->list.selected = row_of(state, view);
    if (what == MOUSE_WHEEL_UP || what == MOUSE_WHEEL_DOWN) {
        for (int i = 0; i < 3; i++)
            list_move(&state->list, state->count, what == MOUSE_WHEEL_UP ? "previous" : "next");
    } else if (what != MOUSE_CLICK || !list_click(&state->list, state->count, y - 1)) {
        return false;
    }
    choose(state, view);
    return true;
}

const struct panel_class log_panel = {.name = "log",
                                      .title = "Log",
                                      .scopes = SCOPE_LIST,
                                      .state_size = sizeof(struct log_panel),
                                      .generation = log_generation,
                                      .draw = log_draw,
                                      .note = log_note,
                                      .command = log_command,
                                      .mouse = log_mouse};
