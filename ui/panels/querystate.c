/* One row: the engine, how far the newest query is, how long it takes, what it scanned and cost. */
#include "ui/panels/query.h"

#include <stdio.h>
#include <string.h>

static bool is_running(const struct view_query *query)
{
    return query->state == QUERY_ESTIMATING || query->state == QUERY_QUEUED ||
           query->state == QUERY_RUNNING || query->state == QUERY_READING;
}

static int64_t elapsed_us(const struct view *view)
{
    const struct view_query *query = &view->query;
    if (query->state == QUERY_IDLE)
        return 0;
    return is_running(query) ? stream_span(query->started_us, view->mono_us) : query->took_us;
}

static int put(struct canvas *canvas, int x, struct style style, const char *text)
{
    if (x + text_width(text) > canvas->width)
        return x;
    return canvas_text(canvas, x, 0, style, text);
}

static void querystate_draw(void *opaque, const struct view *view, struct canvas *canvas,
                            const struct panel_context *context)
{
    const struct view_query *query = &view->query;
    char text[96], figure[TEXT_FIGURE_SIZE];
    enum query_engine engine = query->state == QUERY_IDLE ? query->engine : query->state_engine;
    (void)opaque;
    (void)context;
    int x = put(canvas, 1, STYLE_BOLD(ROLE_TITLE), query_engine_title(engine)) + 2;
    if (is_running(query)) {
        static const char *const turns[] = {"◐", "◓", "◑", "◒"};
        x = put(canvas, x, STYLE_BOLD(ROLE_INFO),
                canvas->glyphs == GLYPHS_ASCII ? "*" : turns[view->mono_us / 250000 % 4]) +
            1;
    }
    x = put(canvas, x, STYLE_BOLD(query_state_role(query->state)), query_state_name(query->state)) + 2;
    if (query->state != QUERY_IDLE && query->state != QUERY_ASKING) {
        snprintf(text, sizeof text, "%.1f s", (double)elapsed_us(view) / 1e6);
        x = put(canvas, x, STYLE(ROLE_TEXT), text) + 2;
        snprintf(text, sizeof text, "%s row%s", text_count(figure, query->rows), query->rows == 1 ? "" : "s");
        x = put(canvas, x, STYLE(ROLE_STRONG), text) + 2;
    }
    if (query->scanned_bytes >= 0) {
        snprintf(text, sizeof text, "scanned %s", text_bytes(figure, (double)query->scanned_bytes));
        x = put(canvas, x, STYLE(ROLE_TEXT), text) + 2;
    }
    if (query->estimate_bytes >= 0) {
        snprintf(text, sizeof text, "of at most %s", text_bytes(figure, (double)query->estimate_bytes));
        x = put(canvas, x, STYLE(ROLE_DIM), text) + 2;
    }
    snprintf(text, sizeof text, "USD %.4f%s", query->cost_usd, query->billable ? "" : " (local)");
    x = put(canvas, x, STYLE(query->billable ? ROLE_WARNING : ROLE_DIM), text) + 2;
    snprintf(text, sizeof text, "budget %s ", text_bytes(figure, (double)query->budget_bytes));
    if (query->budget_bytes > 0 && x + text_width(text) <= canvas->width)
        canvas_text_right(canvas, canvas->width, 0, STYLE(ROLE_DIM), text);
}

static uint64_t querystate_generation(const void *opaque, const struct view *view)
{
    (void)opaque;
    uint64_t hash = view->query.generation;
    return is_running(&view->query) ? stream_mix(hash, (uint64_t)(view->mono_us / 100000)) : hash;
}

const struct panel_class querystate_panel = {
    .name = "querystate", .title = "Query", .generation = querystate_generation, .draw = querystate_draw};
