/* What was asked before, newest first, and the saved queries: left and right choose between the two. */
#include "ui/panels/query.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

struct queries_state {
    bool history;
    struct list list;
    char filter[64];
    size_t count;
    uint16_t rows[512];
    uint64_t changes;
};

static void arrange(struct queries_state *state, const struct view_query *query)
{
    size_t all = state->history ? query->history_count : query->saved_count;
    state->count = 0;
    /* Saved ones of the engine in use stand first. */
    size_t passes = state->history ? 1 : 2;
    if (all == 0) {
        state->list.selected = 0;
        return;
    }
    for (size_t at = 0; at < all * passes && state->count < sizeof state->rows / sizeof *state->rows; at++) {
        size_t i = at % all;
        if (!state->history && (query->saved[i].engine == query->engine) != (at < all))
            continue;
        const char *texts[3] = {"", "", ""};
        if (state->history) {
            texts[0] = query->history[i].info.title;
            texts[1] = query->history[i].info.engine;
            texts[2] = result_state_name(query->history[i].info.state);
        } else {
            texts[0] = query->saved[i].name;
            texts[1] = query->saved[i].title;
            texts[2] = query_engine_name(query->saved[i].engine);
        }
        if (list_matches(state->filter, texts, 3))
            state->rows[state->count++] = (uint16_t)i;
    }
    if (state->list.selected >= state->count)
        state->list.selected = state->count > 0 ? state->count - 1 : 0;
}

static void draw_history(struct canvas *canvas, int y, const struct query_listing *listing)
{
    const struct result_info *info = &listing->info;
    char text[64], rows[TEXT_FIGURE_SIZE], clock[TEXT_FIGURE_SIZE];
    stream_clock(clock, info->at_ms * 1000);
    static const char *const marks[] = {"…", "✓", "✗", "–"};
    canvas_text(canvas, 0, y, STYLE_BOLD(query_result_role(info->state)), marks[info->state]);
    int x = canvas_printf(canvas, 2, y, STYLE(ROLE_DIM), "%.5s %.3s ", clock, info->engine);
    if (info->state == RESULT_DONE)
        snprintf(text, sizeof text, " %s", text_si(rows, (double)info->rows));
    else
        snprintf(text, sizeof text, " %s", result_state_name(info->state));
    int right = canvas->width - text_width(text);
    canvas_text_fit(canvas, x, y, right - x, STYLE(ROLE_TEXT), info->title);
    canvas_text(canvas, right, y,
                STYLE(info->state == RESULT_DONE ? ROLE_STRONG : query_result_role(info->state)), text);
}

static void draw_saved(struct canvas *canvas, int y, const struct query_saved *saved, bool current)
{
    char text[32];
    canvas_text(canvas, 0, y, STYLE_BOLD(ROLE_INFO), saved->own ? "★" : " ");
    snprintf(text, sizeof text, " %s", query_engine_name(saved->engine));
    int right = canvas->width - text_width(text);
    canvas_text_fit(canvas, 2, y, right - 2, STYLE(current ? ROLE_TEXT : ROLE_DIM), saved->title);
    canvas_text(canvas, right, y, STYLE(ROLE_DIM), text);
}

static void queries_draw(void *opaque, const struct view *view, struct canvas *canvas,
                         const struct panel_context *context)
{
    struct queries_state *state = opaque;
    const struct view_query *query = &view->query;
    text_copy(state->filter, sizeof state->filter, context->filter != NULL ? context->filter : "");
    arrange(state, query);
    if (state->count == 0) {
        stream_nothing(canvas, state->filter[0] != '\0' ? "nothing fits the filter" : "nothing was asked yet",
                       state->filter[0] != '\0' ? "Esc clears it" : "→ the saved queries");
        return;
    }
    list_fit(&state->list, state->count, canvas->height);
    struct canvas body = canvas_sub(canvas, 0, 0, canvas->width - 1, canvas->height);
    for (size_t row = 0; row < state->list.rows && state->list.top + row < state->count; row++) {
        size_t at = state->list.top + row;
        if (state->history)
            draw_history(&body, (int)row, &query->history[state->rows[at]]);
        else
            draw_saved(&body, (int)row, &query->saved[state->rows[at]],
                       query->saved[state->rows[at]].engine == query->engine);
        list_highlight(&body, 0, (int)row, body.width, state->filter);
        if (at == state->list.selected)
            list_mark(&body, (int)row, context->focused);
    }
    list_scroll_bar(&state->list, canvas, canvas->width - 1, 0, state->count);
}

static uint64_t queries_generation(const void *opaque, const struct view *view)
{
    const struct queries_state *state = opaque;
    uint64_t hash = stream_mix(state->changes * 2 + state->history, view->query.generation);
    return stream_mix(hash, view->query.saved_count * 1000 + view->query.history_count);
}

static void queries_heading(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct queries_state *state = opaque;
    (void)view;
    snprintf(text, size, state->history ? "saved ‹ History" : "Saved › history");
}

static void queries_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct queries_state *state = opaque;
    snprintf(text, size, "%zu", state->history ? view->query.history_count : view->query.saved_count);
}

static void open_selected(const struct queries_state *state, const struct view_query *query,
                          const struct panel_host *host)
{
    char line[160];
    size_t at = state->rows[state->list.selected];
    if (state->history) {
        long long id = (long long)query->history[at].info.id;
        snprintf(line, sizeof line, "result %lld", id);
        host->send(host->context, line);
        snprintf(line, sizeof line, "edit result %lld", id);
    } else {
        snprintf(line, sizeof line, "edit saved %s %s", query->saved[at].name,
                 query_engine_name(query->saved[at].engine));
    }
    host->send(host->context, line);
}

static bool queries_command(void *opaque, const struct view *view, const char *name, const char *argument,
                            const struct panel_host *host)
{
    struct queries_state *state = opaque;
    const struct view_query *query = &view->query;
    argument = argument != NULL ? argument : "";
    arrange(state, query);
    state->changes++;
    if (strcmp(name, "select") == 0 && (strcmp(argument, "left") == 0 || strcmp(argument, "right") == 0)) {
        state->history = argument[0] == 'r';
        state->list = (struct list){0};
        return true;
    }
    if (strcmp(name, "select") == 0)
        return list_move(&state->list, state->count, argument);
    if (state->count == 0)
        return false;
    size_t at = state->rows[state->list.selected];
    if (strcmp(name, "open") == 0) {
        open_selected(state, query, host);
        return true;
    }
    if (strcmp(name, "copy") == 0 && argument[0] == '\0') {
        stream_copy(host, state->history ? query->history[at].sql : query->saved[at].sql, "the SQL");
        return true;
    }
    return false;
}

static bool queries_mouse(void *opaque, const struct view *view, enum panel_mouse what, int x, int y,
                          const struct panel_host *host)
{
    struct queries_state *state = opaque;
    (void)x;
    arrange(state, &view->query);
    state->changes++;
    if (what == MOUSE_WHEEL_UP || what == MOUSE_WHEEL_DOWN) {
        for (int i = 0; i < 3; i++)
            list_move(&state->list, state->count, what == MOUSE_WHEEL_UP ? "previous" : "next");
        return true;
    }
    if ((what != MOUSE_CLICK && what != MOUSE_DOUBLE) || !list_click(&state->list, state->count, y))
        return false;
    if (what == MOUSE_DOUBLE)
        open_selected(state, &view->query, host);
    return true;
}

const struct panel_class queries_panel = {.name = "queries",
                                          .title = "Queries",
                                          .scopes = SCOPE_LIST,
                                          .state_size = sizeof(struct queries_state),
                                          .generation = queries_generation,
                                          .draw = queries_draw,
                                          .note = queries_note,
                                          .heading = queries_heading,
                                          .command = queries_command,
                                          .mouse = queries_mouse};
