/*
 * The catalogue: tables with what they hold, the columns of the selected one beside what the lake's schema
 * says of each, and its partitions. Enter goes from tables to columns to partitions, Esc back.
 */
#include "ui/panels/lake.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

enum table_column_id {
    DATABASE,
    NAME,
    FORMAT,
    COLUMNS_COUNT,
    PARTITIONS,
    SCHEMA,
    UPDATED,
    LOCATION,
    TABLE_COLUMNS_
};
static const struct table_column table_columns[TABLE_COLUMNS_] = {
    [DATABASE] = {"database", 17, 0, false, 0},    [NAME] = {"table", 14, 1, false, 0},
    [FORMAT] = {"format", 7, 0, false, 4},         [COLUMNS_COUNT] = {"columns", 7, 0, true, 2},
    [PARTITIONS] = {"partitions", 10, 0, true, 1}, [SCHEMA] = {"schema", 14, 0, false, 0},
    [UPDATED] = {"changed", 9, 0, true, 3},        [LOCATION] = {"location", 24, 2, false, 5}};

enum field_column_id { FIELD, TYPE, FIT, FIELD_COLUMNS };
static const struct table_column field_columns[FIELD_COLUMNS] = {[FIELD] = {"column", 18, 2, false, 0},
                                                                 [TYPE] = {"type", 9, 1, false, 0},
                                                                 [FIT] = {"lake's schema", 16, 2, false, 0}};

enum value_column_id { VALUES, MADE, PLACE, VALUE_COLUMNS };
static const struct table_column value_columns[VALUE_COLUMNS] = {[VALUES] = {"partition", 12, 1, false, 0},
                                                                 [MADE] = {"made", 9, 0, true, 1},
                                                                 [PLACE] = {"location", 20, 3, false, 2}};

enum part { PART_TABLES, PART_COLUMNS, PART_PARTITIONS, PARTS };
struct tables {
    enum part part;
    struct list lists[PARTS];
    char filter[64];
    uint64_t changes;
};

#define ROWS_MAX CATALOGUE_TABLES
static size_t arrange(const struct tables *state, const struct catalogue_snapshot *snapshot,
                      uint8_t rows[ROWS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; snapshot != NULL && i < snapshot->table_count && i < ROWS_MAX; i++) {
        const char *texts[] = {snapshot->tables[i].database, snapshot->tables[i].name,
                               snapshot->tables[i].differences > 0 ? "differs" : ""};
        if (list_matches(state->filter, texts, 3))
            rows[count++] = (uint8_t)i;
    }
    return count;
}

static const struct catalogue_table *selected(const struct tables *state, const struct view *view)
{
    uint8_t rows[ROWS_MAX];
    size_t count = arrange(state, view->catalogue.snapshot, rows), at = state->lists[PART_TABLES].selected;
    return count > 0 ? &view->catalogue.snapshot->tables[rows[at < count ? at : count - 1]] : NULL;
}

static size_t part_count(const struct tables *state, const struct view *view, enum part part)
{
    uint8_t rows[ROWS_MAX];
    const struct catalogue_table *table = selected(state, view);
    if (part == PART_TABLES)
        return arrange(state, view->catalogue.snapshot, rows);
    return table == NULL ? 0 : part == PART_COLUMNS ? table->column_count : table->partition_count;
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

static void draw_table(const struct table *fit, const struct view *view, struct canvas *canvas, int y,
                       const struct catalogue_table *table)
{
    char text[64];
    bool ours = table->kind >= 0;
    table_put(fit, canvas, y, DATABASE, STYLE(ROLE_DIM), table->database);
    table_put(fit, canvas, y, NAME, STYLE(ours ? stream_role(table->kind) : ROLE_TEXT), table->name);
    table_put(fit, canvas, y, FORMAT, STYLE(ROLE_DIM), table->format);
    snprintf(text, sizeof text, "%zu", table->column_count);
    table_put(fit, canvas, y, COLUMNS_COUNT, STYLE(ROLE_TEXT), text);
    if (ours) {
        snprintf(text, sizeof text, table->more_partitions ? "over %zu" : "%zu",
                 table->more_partitions ? (size_t)CATALOGUE_PARTITIONS : table->partition_count);
        table_put(fit, canvas, y, PARTITIONS, STYLE(ROLE_STRONG), text);
        snprintf(text, sizeof text, table->differences > 0 ? "%zu differ" : "as the lake's",
                 table->differences);
        table_put(fit, canvas, y, SCHEMA,
                  table->differences > 0 ? STYLE_BOLD(ROLE_WARNING) : STYLE(ROLE_GOOD), text);
    } else {
        table_put(fit, canvas, y, SCHEMA, STYLE(ROLE_DIM), "not ours");
    }
    table_put(fit, canvas, y, UPDATED, STYLE(ROLE_DIM), lake_age(text, view, stream_us(table->updated_ms)));
    table_put(fit, canvas, y, LOCATION, STYLE(ROLE_DIM), table->location);
}

static enum role fit_role(enum catalogue_fit fit)
{
    switch (fit) {
    case CATALOGUE_SAME:
        return ROLE_GOOD;
    case CATALOGUE_MISSING:
    case CATALOGUE_TYPE:
        return ROLE_BAD;
    case CATALOGUE_ADDITIONAL:
        return ROLE_WARNING;
    case CATALOGUE_FOREIGN:
        break;
    }
    return ROLE_DIM;
}

static void draw_field(const struct table *fit, struct canvas *canvas, int y,
                       const struct catalogue_column *column)
{
    char text[96];
    enum role role = fit_role(column->fit);
    table_put(fit, canvas, y, FIELD, STYLE(column->key ? ROLE_INFO : ROLE_TEXT), column->name);
    table_put(fit, canvas, y, TYPE, STYLE(ROLE_DIM), column->type);
    if (column->fit == CATALOGUE_TYPE || column->fit == CATALOGUE_MISSING)
        snprintf(text, sizeof text, "%s: %s", catalogue_fit_name(column->fit), column->expected);
    else
        snprintf(text, sizeof text, "%s%s", catalogue_fit_name(column->fit),
                 column->key ? ", of partitions" : "");
    table_put(fit, canvas, y, FIT, role == ROLE_BAD ? STYLE_BOLD(role) : STYLE(role), text);
}

static void draw_partition(const struct table *fit, const struct view *view, struct canvas *canvas, int y,
                           const struct catalogue_partition *partition)
{
    char text[TEXT_FIGURE_SIZE];
    table_put(fit, canvas, y, VALUES, STYLE(ROLE_TEXT), partition->values);
    table_put(fit, canvas, y, MADE, STYLE(ROLE_DIM), lake_age(text, view, stream_us(partition->created_ms)));
    table_put(fit, canvas, y, PLACE, STYLE(ROLE_DIM), partition->location);
}

/* One of the three lists with its heading. */
static void draw_part(struct tables *state, const struct view *view, struct canvas *canvas, enum part part,
                      bool focused)
{
    static const struct table_column *const columns[PARTS] = {table_columns, field_columns, value_columns};
    static const size_t counts[PARTS] = {TABLE_COLUMNS_, FIELD_COLUMNS, VALUE_COLUMNS};
    struct table fit;
    uint8_t rows[ROWS_MAX];
    const struct catalogue_table *table = selected(state, view);
    struct list *list = &state->lists[part];
    size_t count = part_count(state, view, part);
    if (part == PART_TABLES)
        arrange(state, view->catalogue.snapshot, rows);
    table_fit(&fit, columns[part], counts[part], canvas->width - 1);
    table_heading(&fit, canvas, 0, -1, false);
    struct canvas body = canvas_sub(canvas, 0, 1, canvas->width - 1, canvas->height - 1);
    list_fit(list, count, body.height);
    for (size_t row = 0; row < list->rows && list->top + row < count; row++) {
        size_t at = list->top + row;
        if (part == PART_TABLES)
            draw_table(&fit, view, &body, (int)row, &view->catalogue.snapshot->tables[rows[at]]);
        else if (part == PART_COLUMNS)
            draw_field(&fit, &body, (int)row, &table->columns[at]);
        else
            draw_partition(&fit, view, &body, (int)row, &table->partitions[at]);
        if (at == list->selected && (part == PART_TABLES || part == state->part))
            list_mark(&body, (int)row, focused && part == state->part);
    }
    if (part == PART_PARTITIONS && count == 0 && body.height > 0 && table != NULL)
        canvas_text_fit(&body, 0, 0, body.width, STYLE(ROLE_DIM),
                        table->kind < 0          ? "partitions of other people's tables are not read"
                        : table->more_partitions ? "too many to list here"
                                                 : "none yet");
    list_scroll_bar(list, canvas, canvas->width - 1, 1, count);
}

static void tables_draw(void *opaque, const struct view *view, struct canvas *canvas,
                        const struct panel_context *context)
{
    struct tables *state = opaque;
    text_copy(state->filter, sizeof state->filter, context->filter != NULL ? context->filter : "");
    if (view->catalogue.snapshot == NULL) {
        if (!lake_no_cloud(canvas, view))
            stream_nothing(canvas, view->catalogue.reading ? "reading the catalogue" : "not read yet",
                           view->catalogue.reading ? "" : "u reads it");
        return;
    }
    size_t count = part_count(state, view, PART_TABLES);
    if (count == 0) {
        stream_nothing(canvas,
                       state->filter[0] != '\0' ? "no table fits the filter" : "there is no table yet",
                       state->filter[0] != '\0' ? "Esc clears it" : "f flushes, c crawls");
        return;
    }
    int top = (int)count + 1 < canvas->height / 2 ? (int)count + 1 : canvas->height / 2;
    if (canvas->height < 8) {
        draw_part(state, view, canvas, state->part, context->focused);
        return;
    }
    struct canvas upper = canvas_sub(canvas, 0, 0, canvas->width, top);
    draw_part(state, view, &upper, PART_TABLES, context->focused);
    canvas_fill(canvas, 0, top, canvas->width, 1, 0x2500, STYLE(ROLE_FRAME));
    const struct catalogue_table *table = selected(state, view);
    int x = canvas_text(canvas, 1, top, STYLE_BOLD(ROLE_STRONG), " ");
    x = canvas_text_fit(canvas, x, top, canvas->width - x - 1, STYLE_BOLD(ROLE_STRONG), table->name);
    canvas_text(canvas, x, top, STYLE(ROLE_STRONG), " ");
    int height = canvas->height - top - 1;
    if (canvas->width < 110) {
        struct canvas lower = canvas_sub(canvas, 0, top + 1, canvas->width, height);
        draw_part(state, view, &lower, state->part == PART_PARTITIONS ? PART_PARTITIONS : PART_COLUMNS,
                  context->focused);
        return;
    }
    int left = canvas->width / 2;
    struct canvas fields = canvas_sub(canvas, 0, top + 1, left - 1, height);
    struct canvas values = canvas_sub(canvas, left + 1, top + 1, canvas->width - left - 1, height);
    draw_part(state, view, &fields, PART_COLUMNS, context->focused);
    draw_part(state, view, &values, PART_PARTITIONS, context->focused);
}

static uint64_t tables_generation(const void *opaque, const struct view *view)
{
    const struct tables *state = opaque;
    uint64_t hash = stream_mix(state->changes, (uint64_t)view->cloud.state << 1 | view->catalogue.reading);
    hash = stream_mix_bytes(hash, view->cloud.problem, strlen(view->cloud.problem));
    if (view->catalogue.snapshot == NULL)
        return hash;
    return stream_mix(stream_mix(hash, view->catalogue.snapshot->generation),
                      (uint64_t)(view->wall_us / 10000000)); /* ages */
}

static void tables_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct catalogue_snapshot *snapshot = view->catalogue.snapshot;
    size_t differ = 0;
    text[0] = '\0';
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < snapshot->table_count; i++)
        differ += snapshot->tables[i].differences > 0;
    if (view->catalogue.reading)
        snprintf(text, size, "reading");
    else if (differ > 0)
        snprintf(text, size, "%zu databases · %zu%s tables · %zu differ", snapshot->database_count,
                 snapshot->table_count, snapshot->more_tables ? "+" : "", differ);
    else
        snprintf(text, size, "%zu databases · %zu%s tables", snapshot->database_count, snapshot->table_count,
                 snapshot->more_tables ? "+" : "");
}

/* ---- acting ------------------------------------------------------------------------------------------ */

static void copy_table(const struct catalogue_table *table, const struct panel_host *host)
{
    char line[STREAM_COMMAND];
    snprintf(line, sizeof line, "aws glue get-table --database-name '%s' --name '%s'", table->database,
             table->name);
    stream_copy(host, line, "the aws command that shows this table");
}

static bool tables_command(void *opaque, const struct view *view, const char *name, const char *argument,
                           const struct panel_host *host)
{
    struct tables *state = opaque;
    const struct catalogue_table *table = selected(state, view);
    if (argument == NULL)
        argument = "";
    if (table == NULL)
        return false;
    state->changes++;
    if (strcmp(name, "select") == 0) {
        bool right = strcmp(argument, "right") == 0;
        if (right || strcmp(argument, "left") == 0)
            state->part = (enum part)(((int)state->part + (right ? 1 : PARTS - 1)) % PARTS);
        else if (!list_move(&state->lists[state->part], part_count(state, view, state->part), argument))
            return false;
        else if (state->part == PART_TABLES)
            state->lists[PART_COLUMNS] = state->lists[PART_PARTITIONS] = (struct list){0};
        return true;
    }
    if (strcmp(name, "open") == 0) {
        state->part = state->part == PART_PARTITIONS ? PART_TABLES : (enum part)(state->part + 1);
        return true;
    }
    if (strcmp(name, "back") == 0 && state->part != PART_TABLES) {
        state->part = (enum part)(state->part - 1);
        return true;
    }
    if (strcmp(name, "copy") == 0 && argument[0] == '\0') {
        copy_table(table, host);
        return true;
    }
    return false;
}

static bool tables_mouse(void *opaque, const struct view *view, enum panel_mouse what, int x, int y,
                         const struct panel_host *host)
{
    struct tables *state = opaque;
    if (what == MOUSE_WHEEL_UP || what == MOUSE_WHEEL_DOWN)
        return tables_command(opaque, view, "select", what == MOUSE_WHEEL_UP ? "previous" : "next", host);
    if (what != MOUSE_CLICK && what != MOUSE_DOUBLE)
        return false;
    if (!list_click(&state->lists[PART_TABLES], part_count(state, view, PART_TABLES), y - 1))
        return false;
    state->part = PART_TABLES;
    state->changes++;
    return what != MOUSE_DOUBLE || tables_command(opaque, view, "open", "", host);
}

const struct panel_class tables_panel = {.name = "tables",
                                         .title = "Tables",
                                         .scopes = SCOPE_LIST,
                                         .state_size = sizeof(struct tables),
                                         .generation = tables_generation,
                                         .draw = tables_draw,
                                         .note = tables_note,
                                         .command = tables_command,
                                         .mouse = tables_mouse};
