/* What has landed, of this run and of those before, on its way to the warehouse: rows that have done each
 * step, by topic. */
#include "ui/panels/lake.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

enum column { TOPIC, LANDED, CATALOGUED, TRANSFORMED, LOADED, BEHIND, BATCHES, BYTES, LAST, COLUMNS };
static const struct table_column columns[COLUMNS] = {
    [TOPIC] = {"topic", 9, 0, false, 0},           [LANDED] = {"landed", 11, 1, true, 0},
    [CATALOGUED] = {"catalogued", 11, 1, true, 3}, [TRANSFORMED] = {"transformed", 11, 1, true, 2},
    [LOADED] = {"loaded", 11, 1, true, 0},         [BEHIND] = {"behind", 9, 0, true, 0},
    [BATCHES] = {"batches", 7, 0, true, 5},        [BYTES] = {"bytes", 8, 0, true, 4},
    [LAST] = {"last load", 9, 0, true, 6}};

static int64_t behind(const struct ledger_totals *totals)
{
    return stream_span(totals->rows[LEDGER_LOADED], totals->rows[LEDGER_LANDED]);
}

static void draw_row(const struct table *table, const struct view *view, struct canvas *canvas, int y,
                     const struct ledger_totals *totals)
{
    static const enum column of_step[LEDGER_STEP_COUNT] = {[LEDGER_LANDED] = LANDED,
                                                           [LEDGER_CATALOGUED] = CATALOGUED,
                                                           [LEDGER_TRANSFORMED] = TRANSFORMED,
                                                           [LEDGER_LOADED] = LOADED};
    char text[TEXT_FIGURE_SIZE];
    for (int step = LEDGER_LANDED; step < LEDGER_STEP_COUNT; step++) {
        bool level = totals->rows[step] == totals->rows[LEDGER_LANDED];
        table_put(table, canvas, y, (int)of_step[step],
                  STYLE(step == LEDGER_LANDED ? ROLE_STRONG
                        : level               ? ROLE_GOOD
                                              : ROLE_INFO),
                  text_count(text, totals->rows[step]));
    }
    table_put(table, canvas, y, BEHIND, STYLE(behind(totals) == 0 ? ROLE_DIM : ROLE_WARNING),
              text_count(text, behind(totals)));
    table_put(table, canvas, y, BATCHES, STYLE(ROLE_DIM), text_count(text, totals->batches[LEDGER_LANDED]));
    table_put(table, canvas, y, BYTES, STYLE(ROLE_DIM), text_bytes(text, (double)totals->bytes));
    table_put(table, canvas, y, LAST, STYLE(ROLE_DIM),
              lake_age(text, view, stream_us(totals->last_ms[LEDGER_LOADED])));
}

static struct ledger_totals sum(const struct pipeline_figures *pipeline)
{
    struct ledger_totals all = {0};
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct ledger_totals *one = &pipeline->totals[kind];
        for (int step = 0; step < LEDGER_STEP_COUNT; step++) {
            all.rows[step] += one->rows[step];
            all.batches[step] += one->batches[step];
            if (one->last_ms[step] > all.last_ms[step])
                all.last_ms[step] = one->last_ms[step];
        }
        all.bytes += one->bytes;
        all.quarantined += one->quarantined;
        all.missing += one->missing;
    }
    return all;
}

static void draw_foot(struct canvas *canvas, int y, const struct view *view, const struct ledger_totals *all)
{
    const struct pipeline_figures *pipeline = &view->pipeline.figures;
    char text[256], rows[TEXT_FIGURE_SIZE];
    if (pipeline->open_jobs + pipeline->failed_jobs > 0)
        snprintf(text, sizeof text, "%llu jobs under way, %llu failed",
                 (unsigned long long)pipeline->open_jobs, (unsigned long long)pipeline->failed_jobs);
    else if (behind(all) > 0)
        snprintf(text, sizeof text, "%s rows wait for x transform and w load", text_count(rows, behind(all)));
    else
        snprintf(text, sizeof text, "all that has landed is in the warehouse");
    if (y < canvas->height)
        canvas_text_fit(canvas, 0, y++, canvas->width,
                        STYLE(pipeline->failed_jobs > 0 ? ROLE_BAD
                              : behind(all) > 0         ? ROLE_INFO
                                                        : ROLE_GOOD),
                        text);
    if (y < canvas->height)
        stream_wrap(canvas, 0, y, canvas->width, canvas->height - y, STYLE(ROLE_BAD), pipeline->problem);
}

static void onwards_draw(void *opaque, const struct view *view, struct canvas *canvas,
                         const struct panel_context *context)
{
    const struct pipeline_figures *pipeline = &view->pipeline.figures;
    struct table table;
    if (!view->pipeline.present) {
        if (!lake_absent(canvas, view))
            stream_nothing(canvas, "the ledger of batches is being opened", "");
        return;
    }
    table_fit(&table, columns, COLUMNS, canvas->width < 140 ? canvas->width : 140);
    table_heading(&table, canvas, 0, -1, false);
    int y = 1;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++, y++) {
        table_put(&table, canvas, y, TOPIC, STYLE(stream_role(kind)), stream_word(kind));
        draw_row(&table, view, canvas, y, &pipeline->totals[kind]);
    }
    struct ledger_totals all = sum(pipeline);
    table_put(&table, canvas, y, TOPIC, STYLE_BOLD(ROLE_STRONG), "all");
    draw_row(&table, view, canvas, y++, &all);
    y += canvas->height - y > 2;
    draw_foot(canvas, y, view, &all);
}

static uint64_t onwards_generation(const void *opaque, const struct view *view)
{
    const struct pipeline_figures *pipeline = &view->pipeline.figures;
    uint64_t hash =
        stream_mix((uint64_t)view->pipeline.present << 1 | view->lake.present, (uint64_t)view->cloud.state);
    hash = stream_mix_bytes(hash, pipeline->totals, sizeof pipeline->totals);
    hash = stream_mix_bytes(hash, pipeline->problem, strlen(pipeline->problem));
    hash = stream_mix_bytes(hash, view->cloud.problem, strlen(view->cloud.problem));
    hash = stream_mix_bytes(hash, view->lake.problem, strlen(view->lake.problem));
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        char age[TEXT_FIGURE_SIZE];
        lake_age(age, view, stream_us(pipeline->totals[kind].last_ms[LEDGER_LOADED]));
        hash = stream_mix_bytes(hash, age, strlen(age));
    }
    return stream_mix(stream_mix(hash, pipeline->open_jobs), pipeline->failed_jobs);
}

static void onwards_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    if (!view->pipeline.present)
        text[0] = '\0';
    else
        snprintf(text, size, "all runs · %s", view->pipeline.figures.automatic ? "auto on" : "when told");
}

const struct panel_class onwards_panel = {.name = "onwards",
                                          .title = "From landed to loaded",
                                          .generation = onwards_generation,
                                          .draw = onwards_draw,
                                          .note = onwards_note};
