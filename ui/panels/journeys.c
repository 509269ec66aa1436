/*
 * The recorded journeys, and all about the selected one beside or below the list. The selection is a path, so
 * it stays where it is when another recording begins.
 */
#include "ui/panels/journeys.h"
#include "ui/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BESIDE_WIDTH 112 /* from here on the facts stand beside the list */
#define FACTS_WIDTH  52
#define FACTS_ROWS   13 /* below the list, when the panel is high enough */
#define MOST         4096

enum column { MARK, NAME, WHEN, LENGTH, EVENTS, SIZE, SEED, SOURCE, STATE, COLUMNS };
static const struct table_column columns[COLUMNS] = {
    [MARK] = {"", 1, 0, false, 0},          [NAME] = {"name", 23, 2, false, 0},
    [WHEN] = {"recorded", 19, 0, false, 4}, [LENGTH] = {"length", 8, 0, true, 0},
    [EVENTS] = {"records", 9, 0, true, 0},  [SIZE] = {"size", 8, 0, true, 2},
    [SEED] = {"seed", 5, 0, true, 6},       [SOURCE] = {"source", 8, 1, false, 7},
    [STATE] = {"state", 10, 0, false, 1}};

struct journeys {
    char selected[512]; /* path; "": the first */
    struct list list;
    struct table table;
    int order; /* column + 1; 0: newest first, as they come */
    bool falling;
    char filter[64];
    size_t count;
    uint16_t rows[MOST];
    uint64_t changes;
};

static int compare(const void *a, const void *b, void *context)
{
    const struct view *view = ((void **)context)[0];
    const struct journeys *state = ((void **)context)[1];
    uint16_t i = *(const uint16_t *)a, j = *(const uint16_t *)b;
    const struct journey_listing *x = &view->journeys[i], *y = &view->journeys[j];
    const struct journey_info *own = journey_current(view, x), *other = journey_current(view, y);
    char title[STREAM_TEXT], other_title[STREAM_TEXT];
    enum role role;
    int64_t left = 0, right = 0;
    int words = 0;
    switch (state->order - 1) {
    case NAME:
        words = strcmp(journey_title(own, title), journey_title(other, other_title));
        break;
    case STATE:
        words = strcmp(journey_state(view, x, &role), journey_state(view, y, &role));
        break;
    case SOURCE:
        words = strcmp(own->source, other->source);
        break;
    case SEED:
        words = strcmp(own->seed, other->seed);
        break;
    case LENGTH:
        left = own->length_us;
        right = other->length_us;
        break;
    case EVENTS:
        left = (int64_t)own->total;
        right = (int64_t)other->total;
        break;
    case SIZE:
        left = own->file_bytes;
        right = other->file_bytes;
        break;
    case WHEN:
        left = own->started_us;
        right = other->started_us;
        break;
    default:
        break;
    }
    int result = words != 0 ? words : (left > right) - (left < right);
    if (state->falling)
        result = -result;
    return result != 0 ? result : (i > j) - (i < j);
}

static void arrange(struct journeys *state, const struct view *view)
{
    state->count = 0;
    for (size_t i = 0; i < view->journey_count && state->count < MOST; i++) {
        const struct journey_listing *listing = &view->journeys[i];
        char title[STREAM_TEXT];
        enum role role;
        const char *texts[] = {journey_title(&listing->info, title), journey_file(&listing->info),
                               listing->info.source, journey_state(view, listing, &role)};
        if (list_matches(state->filter, texts, 4))
            state->rows[state->count++] = (uint16_t)i;
    }
    const void *context[] = {view, state};
    if (state->order > 0)
        qsort_r(state->rows, state->count, sizeof state->rows[0], compare, (void *)context);
    for (size_t i = 0; i < state->count && state->selected[0] != '\0'; i++)
        if (strcmp(view->journeys[state->rows[i]].info.path, state->selected) == 0)
            state->list.selected = i;
    if (state->list.selected >= state->count)
        state->list.selected = state->count > 0 ? state->count - 1 : 0;
}

static const struct journey_listing *selected_journey(const struct journeys *state, const struct view *view)
{
    return state->count > 0 ? &view->journeys[state->rows[state->list.selected]] : NULL;
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

static void draw_row(const struct table *table, struct canvas *canvas, int y, const struct view *view,
                     const struct journey_listing *listing)
{
    const struct journey_info *info = journey_current(view, listing);
    char text[STREAM_TEXT], figure[TEXT_FIGURE_SIZE];
    enum role role;
    const char *state = journey_state(view, listing, &role);
    bool recording = journey_recording(view, listing), playing = journey_playing(view, listing);
    table_put(table, canvas, y, MARK, STYLE_BOLD(recording ? ROLE_BAD : ROLE_INFO),
              recording ? "●"
              : playing ? "▶"
                        : " ");
    table_put(table, canvas, y, NAME, recording ? STYLE(ROLE_STRONG) : STYLE(ROLE_TEXT),
              journey_title(info, text));
    table_put(table, canvas, y, WHEN, STYLE(ROLE_DIM), stream_date(figure, info->started_us));
    table_put(table, canvas, y, LENGTH, STYLE(ROLE_TEXT), journey_length(info, figure));
    bool unreadable = listing->problem[0] != '\0' && info->total == 0;
    table_put(table, canvas, y, EVENTS, STYLE(ROLE_TEXT),
              unreadable ? "–" : text_count(figure, (int64_t)info->total));
    table_put(table, canvas, y, SIZE, STYLE(ROLE_TEXT), text_bytes(figure, (double)info->file_bytes));
    text_sanitise(text, sizeof text, info->seed, strlen(info->seed));
    table_put(table, canvas, y, SEED, STYLE(ROLE_DIM), text);
    text_sanitise(text, sizeof text, info->source, strlen(info->source));
    table_put(table, canvas, y, SOURCE, STYLE(ROLE_DIM), text);
    table_put(table, canvas, y, STATE, STYLE(role), playing ? "playing" : state);
}

static void draw_list(struct journeys *state, const struct view *view, struct canvas *canvas, bool focused)
{
    table_fit(&state->table, columns, COLUMNS, canvas->width - 1);
    table_heading(&state->table, canvas, 0, state->order - 1, state->falling);
    list_fit(&state->list, state->count, canvas->height - 1);
    struct canvas body = canvas_sub(canvas, 0, 1, canvas->width - 1, canvas->height - 1);
    for (size_t row = 0; row < state->list.rows && state->list.top + row < state->count; row++) {
        size_t at = state->list.top + row;
        draw_row(&state->table, &body, (int)row, view, &view->journeys[state->rows[at]]);
        list_highlight(&body, 0, (int)row, body.width, state->filter);
        if (at == state->list.selected)
            list_mark(&body, (int)row, focused);
    }
    list_scroll_bar(&state->list, canvas, canvas->width - 1, 1, state->count);
}

static void journeys_draw(void *opaque, const struct view *view, struct canvas *canvas,
                          const struct panel_context *context)
{
    struct journeys *state = opaque;
    text_copy(state->filter, sizeof state->filter, context->filter != NULL ? context->filter : "");
    arrange(state, view);
    const struct journey_listing *listing = selected_journey(state, view);
    if (listing == NULL) {
        stream_nothing(
            canvas, view->journey_count > 0 ? "no journey fits the filter" : "no journey was recorded yet",
            view->journey_count > 0 ? "Esc clears it"
                                    : "r begins a recording; `smartcity journeys import` brings one in");
        return;
    }
    int list_width = canvas->width, list_rows = canvas->height;
    if (canvas->width >= BESIDE_WIDTH) {
        list_width = canvas->width - FACTS_WIDTH - 3;
        struct canvas facts = canvas_sub(canvas, list_width + 3, 0, FACTS_WIDTH, canvas->height);
        canvas_fill(canvas, list_width + 1, 0, 1, canvas->height, 0x2502, STYLE(ROLE_FRAME));
        journey_detail_draw(&facts, view, listing);
    } else if (canvas->height >= 14) {
        int rows = canvas->height >= FACTS_ROWS + 8 ? FACTS_ROWS : canvas->height - 8;
        list_rows = canvas->height - rows - 1;
        canvas_fill(canvas, 0, list_rows, canvas->width, 1, 0x2500, STYLE(ROLE_FRAME));
        struct canvas facts = canvas_sub(canvas, 0, list_rows + 1, canvas->width, rows);
        journey_detail_draw(&facts, view, listing);
    }
    struct canvas list = canvas_sub(canvas, 0, 0, list_width, list_rows);
    draw_list(state, view, &list, context->focused);
}

static uint64_t journeys_generation(const void *opaque, const struct view *view)
{
    const struct journeys *state = opaque;
    uint64_t hash = stream_mix(state->changes, view->journeys_generation);
    hash = stream_mix(hash, view->journey_count);
    hash = stream_mix(hash, view->recorder.journey.total * 4 + (uint64_t)view->recorder.state);
    hash = stream_mix(hash, (uint64_t)view->recorder.journey.file_bytes);
    hash = stream_mix(hash, view->recorder.missed * 128 + view->recorder.queue.depth);
    return stream_mix_bytes(hash, view->replay.name, view->replay.active ? strlen(view->replay.name) : 0);
}

static void journeys_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    char bytes[TEXT_FIGURE_SIZE], limit[TEXT_FIGURE_SIZE];
    size_t used = (size_t)snprintf(text, size, "%zu · %s", view->journey_count,
                                   text_bytes(bytes, (double)view->journeys_bytes));
    if (used < size && view->journeys_limit > 0)
        snprintf(text + used, size - used, " · ring of %s each",
                 text_bytes(limit, (double)view->journeys_limit));
}

/* ---- acting ------------------------------------------------------------------------------------------ */

static void choose(struct journeys *state, const struct view *view)
{
    const struct journey_listing *listing = selected_journey(state, view);
    if (listing != NULL)
        text_copy(state->selected, sizeof state->selected, listing->info.path);
    state->changes++;
}

static void order_by(struct journeys *state, int column)
{
    bool figures = column == LENGTH || column == EVENTS || column == SIZE || column == WHEN;
    state->falling = state->order == column + 1 ? !state->falling : figures;
    state->order = column + 1;
    state->changes++;
}

/* `command "FILE"`: the file's name, which the session finds in its folder. */
static void act(const struct panel_host *host, const char *command, const struct journey_listing *listing)
{
    char line[320];
    const char *file = journey_file(&listing->info);
    if (strchr(file, '"') != NULL || strlen(file) > 255) {
        host->toast(host->context, LOG_WARNING,
                    "this file's name cannot be given to a command; rename it first");
        return;
    }
    snprintf(line, sizeof line, "%s \"%s\"", command, file);
    host->send(host->context, line);
}

static bool journeys_command(void *opaque, const struct view *view, const char *name, const char *argument,
                             const struct panel_host *host)
{
    struct journeys *state = opaque;
    if (argument == NULL)
        argument = "";
    arrange(state, view);
    const struct journey_listing *listing = selected_journey(state, view);
    if (strcmp(name, "sort") == 0) {
        int column = argument[0] != '\0' ? table_column_named(columns, COLUMNS, argument) : state->order - 1;
        if (column < 0 && argument[0] != '\0')
            return false;
        order_by(state, column < 0 ? WHEN : column);
        return true;
    }
    if (strcmp(name, "select") == 0 && (strcmp(argument, "left") == 0 || strcmp(argument, "right") == 0)) {
        int column = table_column_beside(&state->table, state->order - 1, argument[0] == 'l' ? -1 : 1);
        order_by(state, column == MARK
                            ? table_column_beside(&state->table, column, argument[0] == 'l' ? -1 : 1)
                            : column);
        return true;
    }
    if (strcmp(name, "select") == 0 && list_move(&state->list, state->count, argument)) {
        choose(state, view);
        return true;
    }
    if (listing == NULL)
        return false;
    if (strcmp(name, "open") == 0) {
        if (listing->problem[0] != '\0')
            host->toast(host->context, LOG_WARNING, listing->problem);
        else
            act(host, "replay", listing);
        return true;
    }
    if (strcmp(name, "remove") == 0 && argument[0] == '\0') {
        act(host, "delete", listing);
        return true;
    }
    if (strcmp(name, "copy") == 0 && argument[0] == '\0') {
        char line[sizeof listing->info.path + 32];
        snprintf(line, sizeof line, "smartcity replay '%s'", listing->info.path);
        stream_copy(host, line, "the command that plays this journey");
        return true;
    }
    return false;
}

static bool journeys_mouse(void *opaque, const struct view *view, enum panel_mouse what, int x, int y,
                           const struct panel_host *host)
{
    struct journeys *state = opaque;
    arrange(state, view);
    if (what == MOUSE_WHEEL_UP || what == MOUSE_WHEEL_DOWN) {
        for (int i = 0; i < 3; i++)
            list_move(&state->list, state->count, what == MOUSE_WHEEL_UP ? "previous" : "next");
        choose(state, view);
        return true;
    }
    if (what == MOUSE_CLICK && y == 0) {
        int column = table_column_at(&state->table, x);
        if (column > MARK)
            order_by(state, column);
        return column > MARK;
    }
    if ((what != MOUSE_CLICK && what != MOUSE_DOUBLE) || !list_click(&state->list, state->count, y - 1))
        return false;
    choose(state, view);
    return what != MOUSE_DOUBLE || journeys_command(opaque, view, "open", "", host);
}

const struct panel_class journeys_panel = {.name = "journeys",
                                           .title = "Journeys",
                                           .scopes = SCOPE_LIST,
                                           .state_size = sizeof(struct journeys),
                                           .generation = journeys_generation,
                                           .draw = journeys_draw,
                                           .note = journeys_note,
                                           .command = journeys_command,
                                           .mouse = journeys_mouse};
