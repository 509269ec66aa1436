/*
 * Batches of the lake: first what is open, a row for each partition that has something waiting, then those on
 * their way and those that have landed, newest first. The selected one is told in full below the list, or
 * instead of it when there is little room.
 */
#include "ui/panels/lake.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

enum column { STATE, TOPIC, PARTITION, START, END, ROWS, BYTES, FILES, TRIES, AGE, TOOK, PROBLEM, COLUMNS };
/* PROBLEM is there only when some row has one. */
static const struct table_column columns[COLUMNS] = {
    [STATE] = {"state", 9, 0, false, 0},   [TOPIC] = {"topic", 9, 0, false, 0},
    [PARTITION] = {"part", 4, 0, true, 8}, [START] = {"from", 9, 1, true, 6},
    [END] = {"to", 9, 1, true, 5},         [ROWS] = {"rows", 8, 0, true, 0},
    [BYTES] = {"bytes", 8, 0, true, 4},    [FILES] = {"files", 5, 0, true, 9},
    [TRIES] = {"retries", 7, 0, true, 10}, [AGE] = {"age", 8, 0, true, 0},
    [TOOK] = {"took", 7, 0, true, 7},      [PROBLEM] = {"problem", 20, 6, false, 3}};

#define ROWS_MAX (LAKE_SHOWN + LAKE_RECENT)
struct batches {
    uint64_t selected; /* identity, so that it stays where it is while rows come */
    bool chosen, opened;
    struct list list;
    int first_y;
    char filter[64];
    uint64_t changes;
};

/* Of both, what a row shows. */
struct row {
    const struct lake_partition_figures *open; /* one of these */
    const struct lake_batch_figures *batch;
};
struct rows {
    size_t count;
    struct row rows[ROWS_MAX];
};

static uint64_t identity(const struct row *row)
{
    if (row->open != NULL)
        return UINT64_C(1) << 63 | (uint64_t)row->open->kind << 32 | (uint32_t)row->open->partition;
    return row->batch->sequence;
}

static const char *state_word(const struct row *row)
{
    return row->open != NULL ? lake_partition_state_name(row->open->state)
                             : lake_batch_state_name(row->batch->state);
}

static enum role state_role(const struct row *row)
{
    return row->open != NULL ? lake_partition_role(row->open->state) : lake_batch_role(row->batch->state);
}

static int kind_of(const struct row *row)
{
    return (int)(row->open != NULL ? row->open->kind : row->batch->key.kind);
}

static const char *problem_of(const struct row *row)
{
    return row->open != NULL ? row->open->problem : row->batch->problem;
}

static void row_add(const struct batches *state, struct rows *rows, struct row row)
{
    const char *texts[] = {state_word(&row), stream_topic(kind_of(&row)), problem_of(&row)};
    if (rows->count < ROWS_MAX && list_matches(state->filter, texts, 3))
        rows->rows[rows->count++] = row;
}

static void arrange(const struct batches *state, const struct view *view, struct rows *rows)
{
    const struct lake_figures *lake = &view->lake.figures;
    rows->count = 0;
    for (size_t i = 0; i < lake->partition_count && i < LAKE_SHOWN; i++) {
        const struct lake_partition_figures *partition = &lake->partitions[i];
        if (partition->oldest_us > 0 || partition->state != LAKE_PARTITION_OPEN)
            row_add(state, rows, (struct row){.open = partition});
    }
    for (size_t i = 0; i < lake->recent_count && i < LAKE_RECENT; i++)
        row_add(state, rows, (struct row){.batch = &lake->recent[i]});
}

static void find_selected(struct batches *state, const struct rows *rows)
{
    for (size_t i = 0; i < rows->count && state->chosen; i++)
        if (identity(&rows->rows[i]) == state->selected)
            state->list.selected = i;
}

/* From when its age counts: what is open by its oldest record, what has landed by that moment. */
static int64_t age_from(const struct row *row)
{
    if (row->open != NULL)
        return row->open->oldest_us;
    return row->batch->landed_us > 0 ? row->batch->landed_us : row->batch->opened_us;
}

static void draw_row(const struct table *table, const struct view *view, struct canvas *canvas, int y,
                     const struct row *row)
{
    char text[64];
    const struct lake_batch_figures *batch = row->batch;
    const struct lake_partition_figures *open = row->open;
    enum role role = state_role(row);
    canvas_put(canvas, table->x[STATE], y, lake_mark(role), STYLE(role));
    struct canvas words = canvas_sub(canvas, table->x[STATE] + 2, y, table->width[STATE] - 2, 1);
    canvas_text(&words, 0, 0, role == ROLE_BAD ? STYLE_BOLD(role) : STYLE(role), state_word(row));
    table_put(table, canvas, y, TOPIC, STYLE(stream_role(kind_of(row))), stream_word(kind_of(row)));
    snprintf(text, sizeof text, "%d", open != NULL ? open->partition : batch->key.partition);
    table_put(table, canvas, y, PARTITION, STYLE(ROLE_DIM), text);
    table_put(table, canvas, y, START, STYLE(ROLE_DIM),
              stream_offset(text, open != NULL ? open->start : batch->key.start));
    table_put(table, canvas, y, END, STYLE(ROLE_DIM),
              stream_offset(text, open != NULL ? open->end : batch->key.end));
    table_put(table, canvas, y, ROWS, STYLE(ROLE_STRONG),
              text_count(text, (int64_t)(open != NULL ? open->rows : batch->rows)));
    table_put(table, canvas, y, BYTES, STYLE(ROLE_TEXT),
              text_bytes(text, open != NULL ? (double)open->bytes : (double)batch->file_bytes));
    snprintf(text, sizeof text, "%u", open != NULL ? open->days : batch->files);
    table_put(table, canvas, y, FILES, STYLE(ROLE_DIM), text);
    table_put(table, canvas, y, AGE, STYLE(ROLE_TEXT), lake_age(text, view, age_from(row)));
    if (table->count > PROBLEM)
        table_put(table, canvas, y, PROBLEM, STYLE(role == ROLE_WARNING ? ROLE_WARNING : ROLE_BAD),
                  problem_of(row));
    if (open != NULL)
        return;
    snprintf(text, sizeof text, "%u", batch->tries);
    table_put(table, canvas, y, TRIES, STYLE(batch->tries > 0 ? ROLE_WARNING : ROLE_DIM), text);
    if (batch->landed_us > 0)
        table_put(table, canvas, y, TOOK, STYLE(ROLE_DIM),
                  stream_ms(text, (double)stream_span(batch->closed_us, batch->landed_us) / 1e3));
}

/* ---- one in full ------------------------------------------------------------------------------------- */

#define LABEL 10

static int detail_open(struct canvas *canvas, int y, const struct view *view,
                       const struct lake_partition_figures *open)
{
    char text[160], first[TEXT_FIGURE_SIZE], last[TEXT_FIGURE_SIZE], bytes[TEXT_FIGURE_SIZE];
    snprintf(text, sizeof text, "%s up to %s of partition %d; %s landed before",
             stream_offset(first, open->start), stream_offset(last, open->end), open->partition,
             stream_offset(bytes, open->landed_end));
    lake_fact(canvas, y++, LABEL, "offsets", -1, STYLE(ROLE_TEXT), text);
    snprintf(text, sizeof text, "%s rows, %s in memory; files: %u, pictures: %u",
             text_count(first, open->rows), text_bytes(bytes, (double)open->bytes), open->days, open->frames);
    lake_fact(canvas, y++, LABEL, "waiting", -1, STYLE(ROLE_TEXT), text);
    snprintf(text, sizeof text, "since %s, %s", stream_clock(first, open->oldest_us),
             lake_age(last, view, open->oldest_us));
    lake_fact(canvas, y++, LABEL, "open", -1, STYLE(ROLE_TEXT), text);
    return y;
}

static int detail_batch(struct canvas *canvas, int y, const struct lake_batch_figures *batch)
{
    char text[200], first[TEXT_FIGURE_SIZE], last[TEXT_FIGURE_SIZE], third[TEXT_FIGURE_SIZE];
    uint64_t span = (uint64_t)batch->key.end - (uint64_t)batch->key.start,
             have = batch->rows + batch->quarantined;
    snprintf(text, sizeof text, "%s up to %s of partition %d", stream_offset(first, batch->key.start),
             stream_offset(last, batch->key.end), batch->key.partition);
    if (batch->key.end > batch->key.start && span > have && have >= batch->rows)
        snprintf(text + strlen(text), sizeof text - strlen(text), "; %s of them Kafka skipped",
                 text_count(third, (int64_t)(span - have)));
    lake_fact(canvas, y++, LABEL, "offsets", -1, STYLE(ROLE_TEXT), text);
    snprintf(text, sizeof text, "%s rows, quarantined: %s, files: %u of %s in all, pictures: %u",
             text_count(first, (int64_t)batch->rows), text_count(last, (int64_t)batch->quarantined),
             batch->files, text_bytes(third, (double)batch->file_bytes), batch->frames);
    lake_fact(canvas, y++, LABEL, "written", -1, STYLE(ROLE_TEXT), text);
    snprintf(text, sizeof text, "opened %s, closed %s, landed %s", stream_clock(first, batch->opened_us),
             stream_clock(last, batch->closed_us), stream_clock(third, batch->landed_us));
    lake_fact(canvas, y++, LABEL, "times", -1, STYLE(ROLE_TEXT), text);
    if (batch->tries > 0)
        snprintf(text, sizeof text, "%u %s failed", batch->tries, batch->tries == 1 ? "try" : "tries");
    else
        snprintf(text, sizeof text, "%s",
                 batch->redo                         ? "again what another run began to land"
                 : batch->state == LAKE_BATCH_LANDED ? "at the first try"
                                                     : "not tried yet");
    lake_fact(canvas, y++, LABEL, "landing", -1, STYLE(batch->tries > 0 ? ROLE_WARNING : ROLE_TEXT), text);
    return y;
}

#define DETAIL_ROWS 7

static void draw_detail(struct canvas *canvas, const struct view *view, const struct row *row)
{
    char title[96];
    enum role role = state_role(row);
    canvas_fill(canvas, 0, 0, canvas->width, 1, 0x2500, STYLE(ROLE_FRAME));
    snprintf(title, sizeof title, " %s: %s ", stream_topic(kind_of(row)), state_word(row));
    canvas_text(canvas, 1, 0, STYLE_BOLD(role == ROLE_TEXT ? ROLE_STRONG : role), title);
    int y = row->open != NULL ? detail_open(canvas, 1, view, row->open) : detail_batch(canvas, 1, row->batch);
    if (problem_of(row)[0] != '\0' && y < canvas->height) {
        canvas_text(canvas, 0, y, STYLE(ROLE_DIM), "problem");
        stream_wrap(canvas, LABEL, y, canvas->width - LABEL, canvas->height - y,
                    STYLE(role == ROLE_WARNING ? ROLE_WARNING : ROLE_BAD), problem_of(row));
    }
}

/* ---- the panel --------------------------------------------------------------------------------------- */

static void draw_list(struct batches *state, const struct view *view, struct canvas *canvas,
                      const struct rows *rows, bool focused)
{
    struct table table;
    bool problems = false;
    for (size_t i = 0; i < rows->count && !problems; i++)
        problems = problem_of(&rows->rows[i])[0] != '\0';
    table_fit(&table, columns, problems ? COLUMNS : PROBLEM, canvas->width - 1);
    table_heading(&table, canvas, 0, -1, false);
    struct canvas body = canvas_sub(canvas, 0, 1, canvas->width - 1, canvas->height - 1);
    list_fit(&state->list, rows->count, body.height);
    for (size_t row = 0; row < state->list.rows && state->list.top + row < rows->count; row++) {
        size_t at = state->list.top + row;
        draw_row(&table, view, &body, (int)row, &rows->rows[at]);
        list_highlight(&body, 0, (int)row, body.width, state->filter);
        if (focused && at == state->list.selected)
            list_mark(&body, (int)row, true);
    }
    list_scroll_bar(&state->list, canvas, canvas->width - 1, 1, rows->count);
}

static void batches_draw(void *opaque, const struct view *view, struct canvas *canvas,
                         const struct panel_context *context)
{
    struct batches *state = opaque;
    struct rows rows;
    text_copy(state->filter, sizeof state->filter, context->filter != NULL ? context->filter : "");
    if (lake_absent(canvas, view))
        return;
    arrange(state, view, &rows);
    find_selected(state, &rows);
    if (rows.count == 0) {
        stream_nothing(canvas, state->filter[0] != '\0' ? "no batch fits the filter" : "no batch yet",
                       state->filter[0] != '\0' ? "Esc clears it"
                                                : "records become one when Kafka delivers them");
        return;
    }
    if (state->list.selected >= rows.count)
        state->list.selected = rows.count - 1;
    const struct row *selected = &rows.rows[state->list.selected];
    bool beside = canvas->height >= DETAIL_ROWS + 6;
    if (state->opened && !beside) {
        draw_detail(canvas, view, selected);
        return;
    }
    int detail = beside ? DETAIL_ROWS : 0;
    struct canvas list = canvas_sub(canvas, 0, 0, canvas->width, canvas->height - detail);
    draw_list(state, view, &list, &rows, context->focused);
    if (detail > 0) {
        struct canvas below = canvas_sub(canvas, 0, canvas->height - detail, canvas->width, detail);
        draw_detail(&below, view, selected);
    }
}

static uint64_t batches_generation(const void *opaque, const struct view *view)
{
    const struct batches *state = opaque;
    const struct lake_figures *lake = &view->lake.figures;
    struct rows rows;
    uint64_t hash =
        stream_mix(state->changes, (uint64_t)view->lake.present << 8 | (uint64_t)view->cloud.state);
    hash = stream_mix_bytes(hash, view->cloud.problem, strlen(view->cloud.problem));
    hash = stream_mix_bytes(hash, view->lake.problem, strlen(view->lake.problem));
    hash = stream_mix_bytes(hash, lake->partitions, lake->partition_count * sizeof *lake->partitions);
    hash = stream_mix_bytes(hash, lake->recent, lake->recent_count * sizeof *lake->recent);
    arrange(state, view, &rows);
    for (size_t i = 0; i < rows.count; i++) {
        int64_t seconds = lake_seconds(view, age_from(&rows.rows[i]));
        hash = stream_mix(hash, (uint64_t)(seconds < 120 ? seconds : seconds / 60));
    }
    return hash;
}

static void batches_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct lake_figures *lake = &view->lake.figures;
    uint64_t way = lake->closed + lake->spooled + lake->landing;
    char landed[TEXT_FIGURE_SIZE];
    if (!view->lake.present)
        text[0] = '\0';
    else
        snprintf(text, size, "%llu open · %llu on their way · %s landed",
                 (unsigned long long)lake->open_batches, (unsigned long long)way,
                 text_count(landed, (int64_t)lake->batches));
}

static void choose(struct batches *state, const struct rows *rows)
{
    state->chosen = state->list.selected < rows->count;
    if (state->chosen)
        state->selected = identity(&rows->rows[state->list.selected]);
    state->changes++;
}

static bool copy_row(const struct view *view, const struct row *row, const struct panel_host *host)
{
    char line[STREAM_COMMAND];
    if (!view->cloud.bucket[0])
        return false;
    snprintf(line, sizeof line, "aws s3 ls --recursive s3://%.63s/raw/%s/", view->cloud.bucket,
             stream_topic(kind_of(row)));
    stream_copy(host, line, "the aws command that lists this topic's objects");
    return true;
}

static bool batches_command(void *opaque, const struct view *view, const char *name, const char *argument,
                            const struct panel_host *host)
{
    struct batches *state = opaque;
    struct rows rows;
    arrange(state, view, &rows);
    find_selected(state, &rows);
    if (argument == NULL)
        argument = "";
    if (strcmp(name, "select") == 0 && list_move(&state->list, rows.count, argument)) {
        choose(state, &rows);
        return true;
    }
    if (strcmp(name, "back") == 0 && state->opened) {
        state->opened = false;
        state->changes++;
        return true;
    }
    if (rows.count == 0)
        return false;
    const struct row *row = &rows.rows[state->list.selected < rows.count ? state->list.selected : 0];
    if (strcmp(name, "open") == 0) {
        state->opened = !state->opened;
        choose(state, &rows);
        return true;
    }
    if (strcmp(name, "copy") == 0 && argument[0] == '\0')
        return copy_row(view, row, host);
    return false;
}

static bool batches_mouse(void *opaque, const struct view *view, enum panel_mouse what, int x, int y,
                          const struct panel_host *host)
{
    struct batches *state = opaque;
    struct rows rows;
    arrange(state, view, &rows);
    if (what == MOUSE_WHEEL_UP || what == MOUSE_WHEEL_DOWN) {
        for (int i = 0; i < 3; i++)
            list_move(&state->list, rows.count, what == MOUSE_WHEEL_UP ? "previous" : "next");
        choose(state, &rows);
        return true;
    }
    if ((what != MOUSE_CLICK && what != MOUSE_DOUBLE) || !list_click(&state->list, rows.count, y - 1))
        return false;
    choose(state, &rows);
    return what != MOUSE_DOUBLE || batches_command(opaque, view, "open", "", host);
}

const struct panel_class batches_panel = {.name = "batches",
                                          .title = "Batches",
                                          .scopes = SCOPE_LIST,
                                          .state_size = sizeof(struct batches),
                                          .generation = batches_generation,
                                          .draw = batches_draw,
                                          .note = batches_note,
                                          .command = batches_command,
                                          .mouse = batches_mouse};
