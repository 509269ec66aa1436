#include "ui/panels/query.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *const query_keywords[] = {
    "SELECT", "FROM",   "WHERE",     "GROUP",     "BY",       "ORDER",   "HAVING",  "LIMIT",    "OFFSET",
    "JOIN",   "LEFT",   "RIGHT",     "FULL",      "INNER",    "OUTER",   "CROSS",   "ON",       "USING",
    "AS",     "AND",    "OR",        "NOT",       "IN",       "IS",      "NULL",    "BETWEEN",  "LIKE",
    "EXISTS", "CASE",   "WHEN",      "THEN",      "ELSE",     "END",     "CAST",    "DISTINCT", "ALL",
    "UNION",  "EXCEPT", "INTERSECT", "WITH",      "OVER",     "DESC",    "ASC",     "NULLS",    "FIRST",
    "LAST",   "ROWS",   "RANGE",     "PARTITION", "INTERVAL", "TRUE",    "FALSE",   "CREATE",   "TABLE",
    "VIEW",   "INSERT", "INTO",      "VALUES",    "DROP",     "ALTER",   "DELETE",  "UPDATE",   "SET",
    "SHOW",   "TABLES", "DATABASES", "COLUMNS",   "DESCRIBE", "EXPLAIN", "ANALYZE", "UNLOAD",   "COPY",
    "UNNEST", "DATE",   "TIMESTAMP", "INTEGER",   "BIGINT",   "DOUBLE",  "VARCHAR", "BOOLEAN",  "PARTITIONS",
    NULL};
const char *const query_functions[] = {"abs(",
                                       "approx_distinct(",
                                       "approx_percentile(",
                                       "array_agg(",
                                       "avg(",
                                       "ceil(",
                                       "coalesce(",
                                       "concat(",
                                       "count(",
                                       "count(*)",
                                       "current_date",
                                       "date_add(",
                                       "date_diff(",
                                       "date_format(",
                                       "date_parse(",
                                       "date_trunc(",
                                       "extract(",
                                       "floor(",
                                       "from_unixtime(",
                                       "greatest(",
                                       "json_extract_scalar(",
                                       "lag(",
                                       "lead(",
                                       "least(",
                                       "length(",
                                       "lower(",
                                       "max(",
                                       "max_by(",
                                       "min(",
                                       "min_by(",
                                       "nullif(",
                                       "rank(",
                                       "regexp_like(",
                                       "replace(",
                                       "round(",
                                       "row_number()",
                                       "split_part(",
                                       "sqrt(",
                                       "stddev(",
                                       "substr(",
                                       "sum(",
                                       "to_unixtime(",
                                       "trim(",
                                       "try_cast(",
                                       "upper(",
                                       NULL};

bool query_is_keyword(const char *word, size_t length)
{
    for (size_t i = 0; query_keywords[i] != NULL; i++)
        if (strlen(query_keywords[i]) == length && strncasecmp(query_keywords[i], word, length) == 0)
            return true;
    return false;
}

enum role query_state_role(enum query_state state)
{
    static const enum role roles[QUERY_STATE_COUNT] = {
        [QUERY_IDLE] = ROLE_DIM,    [QUERY_ESTIMATING] = ROLE_INFO, [QUERY_ASKING] = ROLE_WARNING,
        [QUERY_QUEUED] = ROLE_INFO, [QUERY_RUNNING] = ROLE_INFO,    [QUERY_READING] = ROLE_INFO,
        [QUERY_DONE] = ROLE_GOOD,   [QUERY_FAILED] = ROLE_BAD,      [QUERY_CANCELLED] = ROLE_WARNING};
    return roles[state];
}

enum role query_result_role(enum result_state state)
{
    static const enum role roles[] = {[RESULT_RUNNING] = ROLE_INFO,
                                      [RESULT_DONE] = ROLE_GOOD,
                                      [RESULT_FAILED] = ROLE_BAD,
                                      [RESULT_CANCELLED] = ROLE_WARNING};
    return roles[state];
}

const char *query_cell_text(const struct result_cell *cell, char *text, size_t size)
{
    if (cell->text == NULL)
        return "null";
    text_sanitise(text, size, cell->text, cell->length);
    return text;
}

/* ---- the plot --------------------------------------------------------------------------------------- */

static bool is_time(const struct view_query *query)
{
    int x = query->plot->x;
    return x >= 0 && (size_t)x < query->column_count &&
           (query->columns[x].kind == RESULT_TIME || query->columns[x].kind == RESULT_DATE);
}

static void write_x(const struct view_query *query, double value, double span, char text[TEXT_TIME_SIZE])
{
    if (!is_time(query)) {
        snprintf(text, TEXT_TIME_SIZE, "%.6g", value);
        return;
    }
    char time[TEXT_TIME_SIZE];
    text_time(time, (int64_t)(value * 1e3)); /* 2026-01-12T08:14:32.000Z */
    time[10] = ' ';
    if (span > 5 * 86400)
        snprintf(text, TEXT_TIME_SIZE, "%.10s", time);
    else if (span > 86400)
        snprintf(text, TEXT_TIME_SIZE, "%.11s", time + 5);
    else if (span > 600)
        snprintf(text, TEXT_TIME_SIZE, "%.5s", time + 11);
    else
        snprintf(text, TEXT_TIME_SIZE, "%.8s", time + 11);
}

/* A round step so that about `count` of them span it. */
static double round_step(double span, int count)
{
    double raw = span / (count > 0 ? count : 1);
    double power = raw > 0 ? pow(10, floor(log10(raw))) : 1;
    double unit = raw / power;
    return power * (unit <= 1 ? 1 : unit <= 2 ? 2 : unit <= 5 ? 5 : 10);
}

void query_plot_draw(struct canvas *canvas, const struct view_query *query)
{
    const struct query_plot *plot = query->plot;
    double low = plot->low_y, high = plot->high_y;
    if (low >= 0 && low < high / 3)
        low = 0;
    if (high - low < 1e-9 * (fabs(high) + 1)) {
        low -= 1;
        high += 1;
    }
    int rows = canvas->height - 2, lines = rows / 4 > 0 ? rows / 4 : 1;
    double step = round_step(high - low, lines);
    low = floor(low / step) * step;
    high = ceil(high / step) * step;
    char text[96];
    int label = 0;
    int ticks = (int)lround((high - low) / step) + 1;
    for (int tick = 0; tick < ticks; tick++) {
        double at = low + tick * step;
        snprintf(text, sizeof text, "%.6g", fabs(at) < step / 1e6 ? 0 : at);
        label = text_width(text) > label ? text_width(text) : label;
    }
    int left = label + 2, width = canvas->width - left - 1;
    if (width < 8 || rows < 2)
        return;
    const char *x_name =
        plot->x >= 0 && (size_t)plot->x < query->column_count ? query->columns[plot->x].name : "row";
    const char *y_name = (size_t)plot->y < query->column_count ? query->columns[plot->y].name : "";
    for (int tick = 0; tick < ticks; tick++) {
        double at = low + tick * step;
        int y = (int)lround((high - at) / (high - low) * (rows - 1));
        snprintf(text, sizeof text, "%.6g", fabs(at) < step / 1e6 ? 0 : at);
        canvas_text_right(canvas, left - 1, y, STYLE(ROLE_DIM), text);
        for (int x = 0; x < width; x += 2)
            canvas_put(canvas, left + x, y, 0xB7, STYLE(ROLE_FRAME));
    }
    canvas_fill(canvas, left - 1, 0, 1, rows, 0x2502, STYLE(ROLE_FRAME));
    struct dots dots = dots_create(width, rows, canvas->glyphs);
    double span = plot->high_x - plot->low_x;
    int64_t last_x = 0, last_y = 0;
    for (size_t i = 0; i < plot->count; i++) {
        int64_t x =
            span > 0 ? llround((plot->at[i] - plot->low_x) / span * (dots.width - 1)) : dots.width / 2;
        int64_t y = llround((high - plot->value[i]) / (high - low) * (dots.height - 1));
        if (i > 0)
            dots_line(&dots, last_x, last_y, x, y, 1, COLOUR_ROLE(ROLE_VEHICLE));
        dots_set(&dots, (int)x, (int)y, 1, COLOUR_ROLE(ROLE_VEHICLE));
        last_x = x;
        last_y = y;
    }
    dots_draw(&dots, canvas, left, 0);
    dots_destroy(&dots);
    char time[TEXT_TIME_SIZE];
    int marks = width / 16 > 1 ? width / 16 : 1, free_from = 0;
    canvas_fill(canvas, left - 1, rows, width + 1, 1, 0x2500, STYLE(ROLE_FRAME));
    canvas_put(canvas, left - 1, rows, 0x2514, STYLE(ROLE_FRAME));
    for (int i = 0; i <= marks; i++) {
        int x = left + (int)lround((double)i / marks * (width - 1));
        write_x(query, plot->low_x + span * i / marks, span, time);
        int cells = text_width(time), at = i == 0 ? x : i == marks ? x - cells + 1 : x - cells / 2;
        if (at < free_from)
            continue;
        canvas_put(canvas, x, rows, 0x2534, STYLE(ROLE_FRAME));
        canvas_text(canvas, at, rows + 1, STYLE(ROLE_DIM), time);
        free_from = at + cells + 2;
    }
    snprintf(text, sizeof text, " %.28s over %.28s ", y_name, x_name);
    canvas_text_right(canvas, canvas->width - 1, 0, STYLE_BOLD(ROLE_VEHICLE), text);
}
