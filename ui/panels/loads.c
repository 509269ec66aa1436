/* What takes batches on from where they landed: the pipeline's jobs, newest first, each with what it does,
 * how far it is and, when it failed, why. The selected one is told in full below. */
#include "ui/panels/lake.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

enum column { STATE, STEP, TOPIC, BATCHES, ROWS, BEGAN, TOOK, TRIES, DETAIL, COLUMNS };
static const struct table_column columns[COLUMNS] = {
    [STATE] = {"state", 9, 0, false, 0},   [STEP] = {"makes them", 11, 0, false, 0},
    [TOPIC] = {"topic", 9, 0, false, 0},   [BATCHES] = {"batches", 7, 0, true, 3},
    [ROWS] = {"rows", 10, 0, true, 0},     [BEGAN] = {"began", 8, 0, true, 2},
    [TOOK] = {"took", 7, 0, true, 4},      [TRIES] = {"tries", 5, 0, true, 5},
    [DETAIL] = {"detail", 16, 4, false, 1}};

struct loads {
    int64_t selected; /* the job's id */
    bool chosen;
    struct list list;
    char filter[64];
    uint64_t changes;
};

static enum role state_role(enum ledger_state state)
{
    switch (state) {
    case LEDGER_DONE:
        return ROLE_GOOD;
    case LEDGER_RETRY:
        return ROLE_WARNING;
    case LEDGER_FAILED:
        return ROLE_BAD;
    default:
        return ROLE_INFO;
    }
}

static size_t arrange(struct loads *state, const struct view *view, uint8_t rows[PIPELINE_JOBS])
{
    const struct pipeline_figures *pipeline = &view->pipeline.figures;
    size_t count = 0;
    for (size_t i = 0; i < pipeline->job_count && i < PIPELINE_JOBS; i++) {
        const struct ledger_job *job = &pipeline->jobs[i];
        const char *texts[] = {ledger_state_name(job->state), ledger_step_name(job->step),
                               stream_topic((int)job->kind), job->detail};
        if (!list_matches(state->filter, texts, 4))
            continue;
        if (state->chosen && job->id == state->selected)
            state->list.selected = count;
        rows[count++] = (uint8_t)i;
    }
    return count;
}

static void draw_row(const struct table *table, const struct view *view, struct canvas *canvas, int y,
                     const struct ledger_job *job)
{
    char text[TEXT_FIGURE_SIZE];
    enum role role = state_role(job->state);
    canvas_put(canvas, table->x[STATE], y, lake_mark(role), STYLE(role));
    struct canvas words = canvas_sub(canvas, table->x[STATE] + 2, y, table->width[STATE] - 2, 1);
    canvas_text(&words, 0, 0, role == ROLE_BAD ? STYLE_BOLD(role) : STYLE(role),
                ledger_state_name(job->state));
    table_put(table, canvas, y, STEP, STYLE(ROLE_TEXT), ledger_step_name(job->step));
    table_put(table, canvas, y, TOPIC, STYLE(stream_role((int)job->kind)), stream_word((int)job->kind));
    table_put(table, canvas, y, BATCHES, STYLE(ROLE_DIM), text_count(text, job->batches));
    table_put(table, canvas, y, ROWS, STYLE(ROLE_STRONG), text_count(text, job->rows));
    table_put(table, canvas, y, BEGAN, STYLE(ROLE_DIM), lake_age(text, view, stream_us(job->made_ms)));
    if (job->finished_ms > 0)
        table_put(table, canvas, y, TOOK, STYLE(ROLE_DIM),
                  stream_ms(text, (double)stream_span(job->made_ms, job->finished_ms)));
    snprintf(text, sizeof text, "%d", job->tries);
    table_put(table, canvas, y, TRIES, STYLE(job->failures > 0 ? ROLE_WARNING : ROLE_DIM), text);
    table_put(table, canvas, y, DETAIL, STYLE(role == ROLE_GOOD ? ROLE_DIM : role), job->detail);
}

#define DETAIL_ROWS 5

static void draw_detail(struct canvas *canvas, const struct ledger_job *job)
{
    char text[96];
    canvas_fill(canvas, 0, 0, canvas->width, 1, 0x2500, STYLE(ROLE_FRAME));
    snprintf(text, sizeof text, " job %lld ", (long long)job->id);
    canvas_text(canvas, 1, 0, STYLE_BOLD(ROLE_STRONG), text);
    lake_fact(canvas, 1, 9, "days", -1, STYLE(ROLE_TEXT), job->days);
    lake_fact(canvas, 2, 9, "runs as", -1, STYLE(ROLE_TEXT), job->remote_id);
    canvas_text(canvas, 0, 3, STYLE(ROLE_DIM), "detail");
    stream_wrap(canvas, 9, 3, canvas->width - 9, canvas->height - 3, STYLE(state_role(job->state)),
                job->detail);
}

static void loads_draw(void *opaque, const struct view *view, struct canvas *canvas,
                       const struct panel_context *context)
{
    struct loads *state = opaque;
    uint8_t rows[PIPELINE_JOBS];
    struct table table;
    text_copy(state->filter, sizeof state->filter, context->filter != NULL ? context->filter : "");
    if (!view->pipeline.present) {
        if (!lake_absent(canvas, view))
            stream_nothing(canvas, "the ledger of batches is being opened", "");
        return;
    }
    size_t count = arrange(state, view, rows);
    if (count == 0) {
        stream_nothing(canvas, state->filter[0] != '\0' ? "no job fits the filter" : "nothing went on yet",
                       state->filter[0] != '\0' ? "Esc clears it"
                                                : "w loads what has landed, x transforms it");
        return;
    }
    int detail = canvas->height >= DETAIL_ROWS + 5 ? DETAIL_ROWS : 0;
    table_fit(&table, columns, COLUMNS, canvas->width - 1);
    table_heading(&table, canvas, 0, -1, false);
    struct canvas body = canvas_sub(canvas, 0, 1, canvas->width - 1, canvas->height - 1 - detail);
    list_fit(&state->list, count, body.height);
    for (size_t row = 0; row < state->list.rows && state->list.top + row < count; row++) {
        size_t at = state->list.top + row;
        draw_row(&table, view, &body, (int)row, &view->pipeline.figures.jobs[rows[at]]);
        if (context->focused && at == state->list.selected)
            list_mark(&body, (int)row, true);
    }
    list_scroll_bar(&state->list, canvas, canvas->width - 1, 1, count);
    if (detail > 0) {
        struct canvas below = canvas_sub(canvas, 0, canvas->height - detail, canvas->width, detail);
        draw_detail(&below, &view->pipeline.figures.jobs[rows[state->list.selected]]);
    }
}

static uint64_t loads_generation(const void *opaque, const struct view *view)
{
    const struct loads *state = opaque;
    const struct pipeline_figures *pipeline = &view->pipeline.figures;
    uint64_t hash = stream_mix(state->changes, (uint64_t)view->pipeline.present << 1 | view->lake.present);
    hash = stream_mix(hash, (uint64_t)view->cloud.state);
    hash = stream_mix(hash, (uint64_t)(view->wall_us / 10000000)); /* ages */
    return stream_mix_bytes(hash, pipeline->jobs, pipeline->job_count * sizeof *pipeline->jobs);
}

static void loads_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct pipeline_figures *pipeline = &view->pipeline.figures;
    if (!view->pipeline.present)
        text[0] = '\0';
    else
        snprintf(text, size, "%llu under way · %llu failed", (unsigned long long)pipeline->open_jobs,
                 (unsigned long long)pipeline->failed_jobs);
}

static bool loads_command(void *opaque, const struct view *view, const char *name, const char *argument,
                          const struct panel_host *host)
{
    struct loads *state = opaque;
    uint8_t rows[PIPELINE_JOBS];
    char line[STREAM_COMMAND];
    size_t count = arrange(state, view, rows);
    if (argument == NULL)
        argument = "";
    if (count == 0)
        return false;
    if (state->list.selected >= count)
        state->list.selected = count - 1;
    if (strcmp(name, "select") == 0 && list_move(&state->list, count, argument)) {
        state->chosen = true;
        state->selected = view->pipeline.figures.jobs[rows[state->list.selected]].id;
        state->changes++;
        return true;
    }
    const struct ledger_job *job = &view->pipeline.figures.jobs[rows[state->list.selected]];
    if (strcmp(name, "copy") != 0 || argument[0] != '\0' || job->step != LEDGER_LOADED ||
        job->remote_id[0] == '\0')
        return false;
    const char *colon = strchr(job->remote_id, ':'); /* "redshift:ID" */
    snprintf(line, sizeof line, "aws redshift-data describe-statement --id '%.120s'",
             colon != NULL ? colon + 1 : job->remote_id);
    stream_copy(host, line, "the aws command that shows this load");
    return true;
}

const struct panel_class loads_panel = {.name = "loads",
                                        .title = "Jobs to the warehouse",
                                        .scopes = SCOPE_LIST,
                                        .state_size = sizeof(struct loads),
                                        .generation = loads_generation,
                                        .draw = loads_draw,
                                        .note = loads_note,
                                        .command = loads_command};
