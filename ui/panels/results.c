/*
 * The open result: a table of which the session holds a window of rows around those in sight (`result rows N`
 * moves it), one row as a list of its fields, or the plot of a column. Above it, why the last query failed or
 * what it asks.
 */
#include "ui/panels/query.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

#define CELL_MAX 44 /* cells of a column that is not the last */
#define SAMPLED  128
#define MARGIN   64 /* rows that the window begins above what is in sight */

enum mode { MODE_TABLE, MODE_RECORD, MODE_PLOT };
struct results_state {
    int64_t id; /* of the result that the rest is about */
    struct list list;
    size_t left; /* first column shown */
    size_t shown_columns;
    enum mode mode;
    size_t field; /* first field of a record shown */
    uint64_t changes;
};

static void follow(struct results_state *state, const struct view_query *query)
{
    if (state->id == query->result.id)
        return;
    state->id = query->result.id;
    state->list.selected = state->list.top = 0;
    state->left = state->field = 0;
    if (state->mode == MODE_RECORD)
        state->mode = MODE_TABLE;
}

/* The cells of a row, or NULL when it is not in the window. */
static const struct result_cell *row_cells(const struct view_query *query, size_t row)
{
    int64_t at = (int64_t)row - query->first;
    return at >= 0 && (size_t)at < query->row_count ? query->cells + (size_t)at * query->column_count : NULL;
}

static int column_width(const struct view_query *query, size_t column)
{
    char text[4 * CELL_MAX + 1];
    int width = text_width(query->columns[column].name);
    for (size_t i = 0; i < query->row_count && i < SAMPLED; i++) {
        int cells =
            text_width(query_cell_text(&query->cells[i * query->column_count + column], text, sizeof text));
        width = cells > width ? cells : width;
    }
    return width < CELL_MAX ? width : CELL_MAX;
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

static void put_cell(struct canvas *canvas, int x, int y, int width, const struct result_column *column,
                     const struct result_cell *cell)
{
    char text[4 * CELL_MAX + 1];
    const char *shown = query_cell_text(cell, text, sizeof text);
    bool right = result_kind_is_number(column->kind);
    struct style style = STYLE(cell->text == NULL                                           ? ROLE_DIM
                               : right                                                      ? ROLE_STRONG
                               : column->kind == RESULT_TIME || column->kind == RESULT_DATE ? ROLE_INFO
                                                                                            : ROLE_TEXT);
    int cells = text_width(shown);
    canvas_text_fit(canvas, right && cells < width ? x + width - cells : x, y, width, style, shown);
}

static void draw_table(struct results_state *state, const struct view_query *query, struct canvas *canvas,
                       bool focused)
{
    char text[32];
    bool types = canvas->height >= 9;
    int head = types ? 2 : 1, gutter = snprintf(text, sizeof text, "%lld", (long long)query->result.rows) + 1;
    size_t rows = (size_t)query->result.rows;
    list_fit(&state->list, rows, canvas->height - head);
    struct canvas body = canvas_sub(canvas, 0, 0, canvas->width - 1, canvas->height);
    if (state->left >= query->column_count)
        state->left = query->column_count - 1;
    for (size_t row = 0; row < state->list.rows && state->list.top + row < rows; row++) {
        size_t at = state->list.top + row;
        snprintf(text, sizeof text, "%zu", at + 1);
        canvas_text_right(&body, gutter - 1, head + (int)row, STYLE(ROLE_DIM), text);
        if (row_cells(query, at) == NULL)
            canvas_text(&body, gutter + 1, head + (int)row, STYLE(ROLE_DIM), "…");
    }
    int x = gutter + 1;
    state->shown_columns = 0;
    for (size_t column = state->left; column < query->column_count && x < body.width; column++) {
        const struct result_column *info = &query->columns[column];
        bool last = column + 1 == query->column_count;
        int width = column_width(query, column);
        if (types && text_width(info->type) > width && text_width(info->type) <= 14)
            width = text_width(info->type);
        int room = body.width - x;
        bool cut = width > room;
        if (cut && x > gutter + 1 && room < 6)
            break;
        width = cut ? room : last && width == CELL_MAX && room > width ? room : width;
        state->shown_columns += !cut;
        bool right = result_kind_is_number(info->kind);
        int cells = text_width(info->name);
        canvas_text_fit(&body, right && cells < width ? x + width - cells : x, 0, width,
                        STYLE_BOLD(ROLE_TITLE), info->name);
        cells = text_width(info->type);
        if (types)
            canvas_text_fit(&body, right && cells < width ? x + width - cells : x, 1, width, STYLE(ROLE_DIM),
                            info->type);
        for (size_t row = 0; row < state->list.rows && state->list.top + row < rows; row++) {
            const struct result_cell *found = row_cells(query, state->list.top + row);
            if (found != NULL)
                put_cell(&body, x, head + (int)row, width, info, &found[column]);
        }
        x += width + TABLE_GAP;
    }
    if (state->left > 0)
        canvas_put(&body, gutter, 0, 0x2039, STYLE_BOLD(ROLE_FOCUS));
    if (state->left + state->shown_columns < query->column_count)
        canvas_put(canvas, canvas->width - 1, 0, 0x203A, STYLE_BOLD(ROLE_FOCUS));
    if (rows > 0)
        list_mark(&body, head + (int)(state->list.selected - state->list.top), focused);
    list_scroll_bar(&state->list, canvas, canvas->width - 1, head, rows);
}

static void draw_record(struct results_state *state, const struct view_query *query, struct canvas *canvas)
{
    const struct result_cell *cells = row_cells(query, state->list.selected);
    int names = 0;
    if (cells == NULL)
        return;
    for (size_t i = 0; i < query->column_count; i++) {
        int width = text_width(query->columns[i].name);
        names = width > names ? width : names;
    }
    names = names < canvas->width / 3 ? names : canvas->width / 3;
    if (state->field >= query->column_count)
        state->field = query->column_count - 1;
    int y = 0;
    for (size_t i = state->field; i < query->column_count && y < canvas->height; i++) {
        char text[1024];
        const char *shown = query_cell_text(&cells[i], text, sizeof text);
        canvas_text_fit(canvas, 0, y, names, STYLE(ROLE_DIM), query->columns[i].name);
        int used = stream_wrap(canvas, names + 2, y, canvas->width - names - 2, canvas->height - y,
                               STYLE(cells[i].text == NULL ? ROLE_DIM : ROLE_STRONG), shown);
        y += used > 0 ? used : 1;
    }
}

/* What the last query has to say that is not in the table; rows used. */
static int draw_message(const struct view_query *query, struct canvas *canvas)
{
    bool tells =
        query->state == QUERY_FAILED || query->state == QUERY_ASKING || query->state == QUERY_CANCELLED;
    if (!tells || query->text[0] == '\0')
        return 0;
    int most = query->result.id != 0 ? canvas->height / 3 : canvas->height;
    most = most < 1 ? 1 : most;
    const char *mark = query->state == QUERY_ASKING ? "?" : "✗";
    canvas_text(canvas, 0, 0, STYLE_BOLD(query_state_role(query->state)), mark);
    return stream_wrap(canvas, 2, 0, canvas->width - 3, most, STYLE(query_state_role(query->state)),
                       query->text) +
           (canvas->height > 8);
}

static void results_draw(void *opaque, const struct view *view, struct canvas *whole,
                         const struct panel_context *context)
{
    struct results_state *state = opaque;
    const struct view_query *query = &view->query;
    follow(state, query);
    int used = draw_message(query, whole);
    struct canvas rest = canvas_sub(whole, 0, used, whole->width, whole->height - used), *canvas = &rest;
    if (query->result.id == 0) {
        if (used == 0)
            stream_nothing(canvas, "no result yet", "^R runs the SQL of the editor");
    } else if (query->column_count == 0) {
        if (query->result.state == RESULT_DONE)
            stream_nothing(canvas, "done; it returns no rows", query->result.title);
        else if (query->result.problem[0] != '\0' && used == 0)
            stream_wrap(canvas, 0, 0, canvas->width - 1, canvas->height, STYLE(ROLE_BAD),
                        query->result.problem);
        else if (used == 0)
            stream_nothing(canvas, "waiting for rows", "^C cancels the query");
    } else if (state->mode == MODE_PLOT) {
        if (query->plot->present)
            query_plot_draw(canvas, query);
        else
            stream_nothing(canvas, "nothing to plot yet", "p: back to the table; :plot COLUMN over COLUMN");
    } else if (state->mode == MODE_RECORD) {
        draw_record(state, query, canvas);
    } else {
        draw_table(state, query, canvas, context->focused);
    }
}

static uint64_t results_panel_generation(const void *opaque, const struct view *view)
{
    const struct results_state *state = opaque;
    return stream_mix(stream_mix(state->changes, view->query.generation), (uint64_t)view->query.result.rows);
}

static void results_heading(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct results_state *state = opaque;
    const struct view_query *query = &view->query;
    char at[TEXT_FIGURE_SIZE];
    if (query->result.id == 0)
        snprintf(text, size, "Result");
    else
        snprintf(text, size, "Result %lld · %s · %s%s", (long long)query->result.id, query->result.engine,
                 stream_clock(at, query->result.at_ms * 1000),
                 state->mode == MODE_RECORD ? " · one row"
                 : state->mode == MODE_PLOT ? " · plot"
                                            : "");
}

static void results_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct results_state *state = opaque;
    const struct result_info *info = &view->query.result;
    char rows[TEXT_FIGURE_SIZE], row[TEXT_FIGURE_SIZE];
    if (info->id != 0 && view->query.column_count > 0)
        snprintf(text, size, "row %s of %s%s",
                 text_count(row, info->rows > 0 ? (int64_t)state->list.selected + 1 : 0),
                 text_count(rows, info->rows),
                 info->truncated                 ? " · cut"
                 : info->state == RESULT_RUNNING ? " so far"
                                                 : "");
}

/* ---- acting ------------------------------------------------------------------------------------------ */

/* The window follows what will be in sight. */
static void want_rows(const struct results_state *state, const struct view_query *query,
                      const struct panel_host *host)
{
    struct list list = state->list;
    list_fit(&list, (size_t)query->result.rows, (int)list.rows);
    int64_t top = (int64_t)list.top, bottom = top + (int64_t)list.rows;
    if (bottom > query->result.rows)
        bottom = query->result.rows;
    if (query->result.rows == 0 ||
        (top >= query->first && bottom <= query->first + (int64_t)query->row_count))
        return;
    char line[48];
    snprintf(line, sizeof line, "result rows %lld", (long long)(top > MARGIN ? top - MARGIN : 0));
    host->send(host->context, line);
}

static bool select_in(struct results_state *state, const struct view_query *query, const char *argument,
                      const struct panel_host *host)
{
    bool left = strcmp(argument, "left") == 0;
    if (left || strcmp(argument, "right") == 0) {
        if (left && state->left > 0)
            state->left--;
        else if (!left && state->left + 1 < query->column_count)
            state->left++;
        return true;
    }
    if (state->mode == MODE_RECORD && strcmp(argument, "page-down") == 0) {
        state->field += state->field + 5 < query->column_count ? 5 : 0;
        return true;
    }
    if (state->mode == MODE_RECORD && strcmp(argument, "page-up") == 0) {
        state->field -= state->field < 5 ? state->field : 5;
        return true;
    }
    if (!list_move(&state->list, (size_t)query->result.rows, argument))
        return false;
    want_rows(state, query, host);
    return true;
}

static void copy_row(const struct results_state *state, const struct view_query *query,
                     const struct panel_host *host)
{
    const struct result_cell *cells = row_cells(query, state->list.selected);
    char text[8192] = "", cell[1024];
    size_t used = 0;
    if (cells == NULL)
        return;
    for (size_t i = 0; i < query->column_count && used + 2 < sizeof text; i++) {
        text_sanitise(cell, sizeof cell, cells[i].text != NULL ? cells[i].text : "", cells[i].length);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? "\t" : "", cell);
    }
    stream_copy(host, text, "the row, columns by tabs");
}

static bool results_command(void *opaque, const struct view *view, const char *name, const char *argument,
                            const struct panel_host *host)
{
    struct results_state *state = opaque;
    const struct view_query *query = &view->query;
    argument = argument != NULL ? argument : "";
    follow(state, query);
    state->changes++;
    if (strcmp(name, "chart") == 0) {
        bool on = strcmp(argument, "on") == 0 || (strcmp(argument, "off") != 0 && state->mode != MODE_PLOT);
        state->mode = on ? MODE_PLOT : MODE_TABLE;
        if (on && !query->plot->present)
            host->send(host->context, "plot");
        return true;
    }
    if (query->column_count == 0)
        return false;
    if (strcmp(name, "select") == 0)
        return select_in(state, query, argument, host);
    if (strcmp(name, "open") == 0) {
        state->mode = state->mode == MODE_TABLE ? MODE_RECORD : MODE_TABLE;
        state->field = 0;
        return true;
    }
    if (strcmp(name, "back") == 0 && state->mode != MODE_TABLE) {
        state->mode = MODE_TABLE;
        return true;
    }
    if (strcmp(name, "copy") == 0 && argument[0] == '\0') {
        copy_row(state, query, host);
        return true;
    }
    return false;
}

static bool results_mouse(void *opaque, const struct view *view, enum panel_mouse what, int x, int y,
                          const struct panel_host *host)
{
    struct results_state *state = opaque;
    (void)x;
    state->changes++;
    if (what == MOUSE_WHEEL_UP || what == MOUSE_WHEEL_DOWN) {
        for (int i = 0; i < 3; i++)
            list_move(&state->list, (size_t)view->query.result.rows,
                      what == MOUSE_WHEEL_UP ? "previous" : "next");
        want_rows(state, &view->query, host);
        return true;
    }
    if (what != MOUSE_CLICK && what != MOUSE_DOUBLE)
        return false;
    if (state->mode != MODE_TABLE || !list_click(&state->list, (size_t)view->query.result.rows, y - 2))
        return what == MOUSE_DOUBLE && results_command(opaque, view, "open", "", host);
    return what != MOUSE_DOUBLE || results_command(opaque, view, "open", "", host);
}

const struct panel_class results_panel = {.name = "results",
                                          .title = "Result",
                                          .scopes = SCOPE_LIST,
                                          .state_size = sizeof(struct results_state),
                                          .generation = results_panel_generation,
                                          .draw = results_draw,
                                          .note = results_note,
                                          .heading = results_heading,
                                          .command = results_command,
                                          .mouse = results_mouse};
