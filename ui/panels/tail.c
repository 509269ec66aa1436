/*
 * The live tail, newest at the bottom. While the selection is at the bottom it follows; anywhere else the
 * list stands still and says how much came since. Enter opens the selected record as a tree, beside the list
 * where there is room.
 */
#include "ui/panels/record.h"
#include "ui/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BESIDE_WIDTH 118 /* from here on list and record stand side by side */

enum column { TIME, TOPIC, PLACE, KEY, SIZE, VALUE, COLUMNS };
static const struct table_column columns[COLUMNS] = {
    [TIME] = {"arrived", 12, 0, false, 2},     [TOPIC] = {"topic", 9, 0, false, 0},
    [PLACE] = {"part:offset", 11, 0, true, 3}, [KEY] = {"key", 10, 0, false, 1},
    [SIZE] = {"size", 7, 0, true, 4},          [VALUE] = {"value", 20, 1, false, 0}};

struct tail_panel {
    uint64_t selected; /* sequence; 0: the newest, whatever it is */
    struct list list;
    uint64_t opened; /* sequence asked for; 0: none */
    bool followed;   /* before it was opened */
    struct tree tree;
    uint64_t filled; /* sequence that the tree shows */
    bool filled_brief;
    int list_width; /* at the last draw; 0: hidden by the record */
    int first_y;
    char filter[96];
    uint64_t changes;
};

static void tail_panel_create(void *opaque)
{
    struct tail_panel *state = opaque;
    tree_init(&state->tree);
}

static void tail_panel_destroy(void *opaque)
{
    struct tail_panel *state = opaque;
    tree_free(&state->tree);
}

static size_t row_count(const struct view *view)
{
    return view->tail.count < VIEW_TAIL_ROWS ? view->tail.count : VIEW_TAIL_ROWS;
}

/* Rows come in the order of their sequence. */
static size_t row_of(const struct view *view, uint64_t sequence)
{
    size_t count = row_count(view);
    for (size_t i = count; i > 0 && sequence != 0; i--)
        if (view->tail.rows[i - 1].sequence <= sequence)
            return i - 1;
    return sequence != 0 || count == 0 ? 0 : count - 1;
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

static void draw_row(const struct table *table, struct canvas *canvas, int y, const struct view_tail_row *row)
{
    char text[TEXT_FIGURE_SIZE * 2];
    enum role role = row->quarantined ? ROLE_BAD : stream_role(row->kind);
    table_put(table, canvas, y, TIME, STYLE(ROLE_DIM), stream_clock(text, row->arrived_us));
    table_put(table, canvas, y, TOPIC, STYLE(role), stream_word(row->kind));
    snprintf(text, sizeof text, "%d:%lld", row->partition, (long long)row->offset);
    table_put(table, canvas, y, PLACE, STYLE(ROLE_DIM), text);
    table_put(table, canvas, y, KEY, STYLE(ROLE_TEXT), row->key);
    table_put(table, canvas, y, SIZE, STYLE(ROLE_DIM), text_bytes(text, (double)row->length));
    record_draw_excerpt(canvas, table->x[VALUE], y, table->width[VALUE], row);
}

static void draw_list(struct tail_panel *state, const struct view *view, struct canvas *canvas, bool focused)
{
    size_t count = row_count(view);
    struct table table;
    if (count == 0) {
        bool filtered = view->tail.filter[0] != '\0';
        stream_nothing(canvas, filtered ? "no record fits the filter" : "no record came yet",
                       filtered ? "Esc clears it" : "records are shown here as they arrive from Kafka");
        return;
    }
    table_fit(&table, columns, COLUMNS, canvas->width - 1);
    bool heading = canvas->height >= 6;
    state->first_y = heading;
    if (heading)
        table_heading(&table, canvas, 0, -1, false);
    struct canvas body = canvas_sub(canvas, 0, heading, canvas->width - 1, canvas->height - heading);
    state->list.selected = row_of(view, state->selected);
    list_fit(&state->list, count, body.height);
    for (size_t row = 0; row < state->list.rows && state->list.top + row < count; row++) {
        size_t at = state->list.top + row;
        draw_row(&table, &body, (int)row, &view->tail.rows[at]);
        list_highlight(&body, table.x[KEY], (int)row, body.width - table.x[KEY], view->tail.filter);
        if (at == state->list.selected && (focused || state->selected != 0 || state->opened != 0))
            list_mark(&body, (int)row, focused);
    }
    list_scroll_bar(&state->list, canvas, canvas->width - 1, heading, count);
}

static void draw_opened(struct tail_panel *state, const struct view *view, struct canvas *canvas,
                        const struct panel_context *context)
{
    const struct view_opened *opened = &view->tail.opened;
    if (!opened->known || opened->row.sequence != state->opened) {
        stream_nothing(canvas, "this record has left the tail",
                       "a recorded journey keeps every record; Esc goes back");
        return;
    }
    bool brief = canvas->height < 34;
    if (state->filled != state->opened || state->filled_brief != brief) {
        record_fill(&state->tree, view, opened, brief);
        state->filled = state->opened;
        state->filled_brief = brief;
    }
    tree_draw(&state->tree, canvas, context->focused, state->filter);
}

static void tail_panel_draw(void *opaque, const struct view *view, struct canvas *canvas,
                            const struct panel_context *context)
{
    struct tail_panel *state = opaque;
    text_copy(state->filter, sizeof state->filter,
              state->opened != 0 && context->filter != NULL ? context->filter : "");
    if (state->opened == 0) {
        state->list_width = canvas->width;
        draw_list(state, view, canvas, context->focused);
        return;
    }
    state->list_width = canvas->width >= BESIDE_WIDTH ? canvas->width * 2 / 5 : 0;
    if (state->list_width > 0) {
        struct canvas left = canvas_sub(canvas, 0, 0, state->list_width, canvas->height);
        draw_list(state, view, &left, false);
        canvas_fill(canvas, state->list_width, 0, 1, canvas->height, 0x2502, STYLE(ROLE_FRAME));
    }
    int x = state->list_width > 0 ? state->list_width + 2 : 0;
    struct canvas right = canvas_sub(canvas, x, 0, canvas->width - x, canvas->height);
    draw_opened(state, view, &right, context);
}

static uint64_t tail_panel_generation(const void *opaque, const struct view *view)
{
    const struct tail_panel *state = opaque;
    uint64_t hash = stream_mix(state->changes, view->tail.generation);
    hash = stream_mix(hash, view->tail.frozen ? view->tail.total : view->tail.skipped);
    return stream_mix(hash, view->tail.opened.known ? view->tail.opened.row.sequence : 0);
}

static void tail_panel_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct view_tail *tail = &view->tail;
    char count[TEXT_FIGURE_SIZE], skipped[TEXT_FIGURE_SIZE];
    size_t rows = row_count(view), used = 0;
    text[0] = '\0';
    if (((const struct tail_panel *)opaque)->opened != 0) {
        snprintf(text, size, "n next · N previous · y copies · Esc closes");
        return;
    }
    uint64_t bad = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        bad += view->city->topics[kind].quarantined;
    if (bad > 0)
        used = (size_t)snprintf(text, size, "%s quarantined · ", text_count(count, (int64_t)bad));
    if (used < size && tail->filter[0] != '\0')
        used += (size_t)snprintf(text + used, size - used, "filter: %.40s · ", tail->filter);
    if (used >= size)
        return;
    if (tail->frozen) {
        uint64_t last = rows > 0 ? tail->rows[rows - 1].sequence : tail->total;
        snprintf(text + used, size - used, "FROZEN · %s came since · G follows",
                 text_count(count, (int64_t)(tail->total > last ? tail->total - last : 0)));
    } else if (tail->skipped > 0) {
        snprintf(text + used, size - used, "following · %s seen · %s skipped",
                 text_count(count, (int64_t)tail->total), text_count(skipped, (int64_t)tail->skipped));
    } else {
        snprintf(text + used, size - used, "following · %s seen", text_count(count, (int64_t)tail->total));
    }
}

static void tail_panel_heading(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct tail_panel *state = opaque;
    const struct view_opened *opened = &view->tail.opened;
    char offset[TEXT_FIGURE_SIZE];
    if (state->opened != 0 && opened->known && opened->row.sequence == state->opened)
        snprintf(text, size, "Record %s %d @ %s", stream_topic(opened->row.kind), opened->row.partition,
                 stream_offset(offset, opened->row.offset));
    else
        snprintf(text, size, "Tail");
}

/* ---- acting ------------------------------------------------------------------------------------------ */

static void send(const struct panel_host *host, const char *line)
{
    host->send(host->context, line);
}

/* Selects a row; the last one follows, any other holds the list still. */
static void choose(struct tail_panel *state, const struct view *view, size_t row,
                   const struct panel_host *host)
{
    size_t count = row_count(view);
    bool last = count == 0 || row + 1 >= count;
    bool was_last = state->selected == 0;
    state->selected = last ? 0 : view->tail.rows[row].sequence;
    if (last && (!was_last || view->tail.frozen) && state->opened == 0)
        send(host, "tail follow");
    else if (!last && !view->tail.frozen)
        send(host, "tail freeze");
}

static void open_row(struct tail_panel *state, const struct view *view, size_t row,
                     const struct panel_host *host)
{
    char line[48];
    if (row >= row_count(view))
        return;
    if (state->opened == 0)
        state->followed = state->selected == 0 && !view->tail.frozen;
    if (!view->tail.frozen)
        send(host, "tail freeze");
    state->opened = state->selected = view->tail.rows[row].sequence;
    tree_clear(&state->tree, false);
    state->tree.list = (struct list){0};
    state->filled = 0;
    snprintf(line, sizeof line, "tail open %llu", (unsigned long long)state->opened);
    send(host, line);
}

static bool filter(struct tail_panel *state, const char *text, const struct panel_host *host)
{
    char line[sizeof((struct view_tail *)0)->filter + 16];
    snprintf(line, sizeof line, "tail filter %s", text);
    send(host, line);
    state->selected = 0;
    send(host, "tail follow");
    return true;
}

static void close_record(struct tail_panel *state, const struct view *view, const struct panel_host *host)
{
    state->opened = state->filled = 0;
    send(host, "tail close");
    if (strcmp(state->filter, view->tail.filter) != 0) {
        filter(state, state->filter, host); /* what was looked for in the record */
    } else if (state->followed) {
        state->selected = 0;
        send(host, "tail follow");
    }
}

static void copy(const struct tail_panel *state, const struct view *view, const char *what,
                 const struct panel_host *host)
{
    const struct view_opened *opened = &view->tail.opened;
    size_t count = row_count(view);
    char text[STREAM_COMMAND], figure[TEXT_FIGURE_SIZE];
    bool open = state->opened != 0 && opened->known;
    if (count == 0 && !open)
        return;
    const struct view_tail_row *row = open ? &opened->row : &view->tail.rows[row_of(view, state->selected)];
    if (open && strcmp(what, "kcat") != 0) {
        struct buf value;
        buf_init(&value, 1u << 20);
        record_text(opened, &value);
        snprintf(text, sizeof text, "the value, %s", text_bytes(figure, (double)value.length));
        stream_copy(host, value.length > 0 ? value.data : "", text);
        buf_free(&value);
        return;
    }
    stream_kcat(text, view, row->kind, row->partition, row->offset);
    stream_copy(host, text, "the kcat command that prints this record");
}

static bool opened_command(struct tail_panel *state, const struct view *view, const char *name,
                           const char *argument, const struct panel_host *host)
{
    if (strcmp(name, "back") == 0) {
        close_record(state, view, host);
        return true;
    }
    if (strcmp(name, "filter") == 0)
        return false; /* the screen keeps it; it marks names and values in the tree */
    if (tree_command(&state->tree, name, argument, state->filter))
        return true;
    if (strcmp(name, "match") != 0)
        return false;
    size_t row = row_of(view, state->opened);
    bool next = strcmp(argument, "previous") != 0;
    if ((next && row + 1 < row_count(view)) || (!next && row > 0))
        open_row(state, view, next ? row + 1 : row - 1, host);
    else
        host->toast(host->context, LOG_INFO,
                    next ? "this is the newest in the list" : "this is the oldest in the list");
    return true;
}

static bool list_command(struct tail_panel *state, const struct view *view, const char *name,
                         const char *argument, const struct panel_host *host)
{
    size_t count = row_count(view);
    state->list.selected = row_of(view, state->selected);
    if (strcmp(name, "filter") == 0)
        return filter(state, argument, host);
    if (strcmp(name, "match") == 0)
        argument = strcmp(argument, "previous") == 0 ? "previous" : "next";
    if ((strcmp(name, "select") == 0 || strcmp(name, "match") == 0) &&
        list_move(&state->list, count, argument)) {
        choose(state, view, state->list.selected, host);
        return true;
    }
    if (strcmp(name, "select") == 0 && strcmp(argument, "right") == 0)
        name = "open";
    if (strcmp(name, "open") == 0) {
        open_row(state, view, state->list.selected, host);
        return true;
    }
    if (strcmp(name, "back") == 0 && (state->selected != 0 || view->tail.frozen)) {
        state->selected = 0;
        send(host, "tail follow");
        return true;
    }
    return false;
}

static bool tail_panel_command(void *opaque, const struct view *view, const char *name, const char *argument,
                               const struct panel_host *host)
{
    struct tail_panel *state = opaque;
    if (argument == NULL)
        argument = "";
    state->changes++;
    if (strcmp(name, "copy") == 0 &&
        (argument[0] == '\0' || strcmp(argument, "kcat") == 0 || strcmp(argument, "json") == 0)) {
        copy(state, view, argument, host);
        return true;
    }
    return state->opened != 0 ? opened_command(state, view, name, argument, host)
                              : list_command(state, view, name, argument, host);
}

static bool tail_panel_mouse(void *opaque, const struct view *view, enum panel_mouse what, int x, int y,
                             const struct panel_host *host)
{
    struct tail_panel *state = opaque;
    state->changes++;
    bool on_list = x < state->list_width;
    if (what == MOUSE_WHEEL_UP || what == MOUSE_WHEEL_DOWN) {
        const char *how = what == MOUSE_WHEEL_UP ? "previous" : "next";
        for (int i = 0; i < 3; i++) {
            if (!on_list)
                tree_command(&state->tree, "select", how, "");
            else if (state->opened == 0)
                list_command(state, view, "select", how, host);
        }
        return true;
    }
    if (what != MOUSE_CLICK && what != MOUSE_DOUBLE)
        return false;
    if (!on_list)
        return tree_click(&state->tree, y, what == MOUSE_DOUBLE);
    if (!list_click(&state->list, row_count(view), y - state->first_y))
        return false;
    if (what == MOUSE_DOUBLE || state->opened != 0)
        open_row(state, view, state->list.selected, host);
    else
        choose(state, view, state->list.selected, host);
    return true;
}

const struct panel_class tail_panel = {.name = "tail",
                                       .title = "Tail",
                                       .scopes = SCOPE_LIST,
                                       .state_size = sizeof(struct tail_panel),
                                       .create = tail_panel_create,
                                       .destroy = tail_panel_destroy,
                                       .generation = tail_panel_generation,
                                       .draw = tail_panel_draw,
                                       .note = tail_panel_note,
                                       .heading = tail_panel_heading,
                                       .command = tail_panel_command,
                                       .mouse = tail_panel_mouse};
