/* Crawlers of Glue: what each looks at, whether it runs and for how long, what came of the last time. */
#include "ui/panels/lake.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

enum column { NAME, STATE, ELAPSED, LAST, BEGAN, MADE, CHANGED, TARGET, COLUMNS };
static const struct table_column columns[COLUMNS] = {
    [NAME] = {"crawler", 18, 1, false, 0},  [STATE] = {"state", 10, 0, false, 0},
    [ELAPSED] = {"for", 7, 0, true, 2},     [LAST] = {"last", 10, 1, false, 0},
    [BEGAN] = {"began", 8, 0, true, 3},     [MADE] = {"tables made", 11, 0, true, 4},
    [CHANGED] = {"changed", 7, 0, true, 5}, [TARGET] = {"looks at", 20, 2, false, 6}};

static void draw_row(const struct table *table, const struct view *view, struct canvas *canvas, int y,
                     const struct catalogue_crawler *crawler)
{
    char text[256];
    bool ready = strcmp(crawler->state, "READY") == 0, failed = strcmp(crawler->last, "FAILED") == 0;
    table_put(table, canvas, y, NAME, STYLE(ROLE_STRONG), crawler->name);
    table_put(table, canvas, y, STATE, STYLE(ready ? ROLE_TEXT : ROLE_INFO), crawler->state);
    if (!ready)
        table_put(table, canvas, y, ELAPSED, STYLE(ROLE_INFO), stream_ms(text, (double)crawler->elapsed_ms));
    snprintf(text, sizeof text, "%s%s%s", crawler->last[0] != '\0' ? crawler->last : "never",
             crawler->message[0] != '\0' ? ": " : "", crawler->message);
    table_put(table, canvas, y, LAST,
              failed                     ? STYLE_BOLD(ROLE_BAD)
              : crawler->last[0] != '\0' ? STYLE(ROLE_GOOD)
                                         : STYLE(ROLE_DIM),
              text);
    table_put(table, canvas, y, BEGAN, STYLE(ROLE_DIM), lake_age(text, view, stream_us(crawler->last_ms)));
    table_put(table, canvas, y, MADE, STYLE(ROLE_TEXT), text_count(text, crawler->created));
    table_put(table, canvas, y, CHANGED, STYLE(ROLE_TEXT), text_count(text, crawler->updated));
    table_put(table, canvas, y, TARGET, STYLE(ROLE_DIM), crawler->target);
}

/* The newest crawl of ours, as its job tells it. */
static const struct job_figures *newest(const struct view *view)
{
    for (size_t i = 0; i < view->job_count; i++)
        if (strcmp(view->jobs[i].kind, "crawl") == 0)
            return &view->jobs[i];
    return NULL;
}

static void crawlers_draw(void *opaque, const struct view *view, struct canvas *canvas,
                          const struct panel_context *context)
{
    const struct catalogue_snapshot *snapshot = view->catalogue.snapshot;
    const struct job_figures *job = newest(view);
    struct table table;
    int y = 0;
    if (snapshot == NULL)
        return;
    if (job != NULL) {
        enum role role = job->state == JOB_FAILED    ? ROLE_BAD
                         : job->state <= JOB_RUNNING ? ROLE_INFO
                         : job->state == JOB_DONE    ? ROLE_GOOD
                                                     : ROLE_WARNING;
        canvas_put(canvas, 0, y, lake_mark(role), STYLE(role));
        char text[sizeof job->title + sizeof job->text + 2];
        snprintf(text, sizeof text, "%s%s%s", job->title, job->text[0] != '\0' ? ": " : "", job->text);
        canvas_text_fit(canvas, 2, y++, canvas->width - 2, STYLE(role), text);
    }
    if (snapshot->crawler_count == 0) {
        canvas_text_fit(canvas, 0, y, canvas->width, STYLE(ROLE_DIM),
                        "no crawler yet: c makes smartcity_raw, and starts it");
        return;
    }
    table_fit(&table, columns, COLUMNS, canvas->width);
    table_heading(&table, canvas, y++, -1, false);
    for (size_t i = 0; i < snapshot->crawler_count && y < canvas->height; i++)
        draw_row(&table, view, canvas, y++, &snapshot->crawlers[i]);
}

static uint64_t crawlers_generation(const void *opaque, const struct view *view)
{
    const struct job_figures *job = newest(view);
    uint64_t hash = stream_mix(0, (uint64_t)(view->wall_us / 10000000)); /* ages */
    if (view->catalogue.snapshot != NULL)
        hash = stream_mix(hash, view->catalogue.snapshot->generation);
    if (job != NULL)
        hash = stream_mix(stream_mix_bytes(hash, job->text, strlen(job->text)), (uint64_t)job->state);
    return hash;
}

static void crawlers_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    snprintf(text, size, "c crawls");
}

const struct panel_class crawlers_panel = {.name = "crawlers",
                                           .title = "Crawlers",
                                           .generation = crawlers_generation,
                                           .draw = crawlers_draw,
                                           .note = crawlers_note};
