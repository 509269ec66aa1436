#include "app/query_private.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAVED_US 5000000 /* how often the user's folder is looked at */

const char *query_engine_name(enum query_engine engine)
{
    static const char *const names[] = {
#define X(name, word, title) word,
        QUERY_ENGINES(X)
#undef X
    };
    return names[engine];
}

const char *query_engine_title(enum query_engine engine)
{
    static const char *const titles[] = {
#define X(name, word, title) title,
        QUERY_ENGINES(X)
#undef X
    };
    return titles[engine];
}

const char *query_state_name(enum query_state state)
{
    static const char *const names[] = {
#define X(name, word) word,
        QUERY_STATES(X)
#undef X
    };
    return names[state];
}

bool query_engine_find(const char *word, enum query_engine *engine)
{
    for (int i = 0; *word && i < QUERY_ENGINE_COUNT; i++)
        if (text_prefix_fold(query_engine_name((enum query_engine)i), word)) {
            *engine = (enum query_engine)i;
            return true;
        }
    return false;
}

double query_price(int64_t bytes)
{
    if (bytes <= 0)
        return 0;
    return (double)(bytes < 10000000 ? 10000000 : bytes) * 5e-12;
}

/* ---- life ---- */

static struct results *open_results(const struct queries_settings *settings, struct err *err)
{
    char path[FILE_PATH_SIZE];
    struct err local = ERR_INIT;
    bool anew = false;
    if (settings->memory)
        return results_open(NULL, NULL, err);
    struct results *results = NULL;
    if (file_make_place(FILE_CACHE, "results.sqlite", path, &local) == 0)
        results = results_open(path, &anew, &local);
    if (anew)
        log_write(settings->log, LOG_WARNING, "store",
                  "the kept results were damaged; they are put aside and made anew");
    if (results)
        return results;
    log_write(settings->log, LOG_WARNING, "store", "results are not kept after this run: %s", local.text);
    return results_open(NULL, NULL, err);
}

struct queries *queries_create(const struct queries_settings *settings, struct err *err)
{
    struct results *results = open_results(settings, err);
    if (!results)
        return NULL;
    struct queries *queries = mem_zero(1, sizeof *queries);
    queries->settings = *settings;
    queries->results = results;
    pthread_mutex_init(&queries->lock, NULL);
    queries->engine = settings->backend ? QUERY_ATHENA : QUERY_CACHE;
    queries->now.estimate_bytes = queries->now.scanned_bytes = -1;
    queries->plot = mem_zero(1, sizeof *queries->plot);
    queries->words = query_words_known(&queries->word_count);
    queries->words_generation = 1;
    struct result_info newest;
    if (results_info(results, 0, &newest))
        queries->opened = newest.id;
    return queries;
}

void queries_destroy(struct queries *queries)
{
    if (!queries)
        return;
    results_close(queries->results);
    for (size_t i = 0; i < queries->history_count; i++)
        free((char *)queries->history[i].sql);
    query_saved_free(queries->saved, queries->saved_count);
    free(queries->asked_sql);
    free(queries->plot);
    free(queries->words);
    free(queries->shown_words);
    free(queries->cells);
    free(queries->cell_text);
    pthread_mutex_destroy(&queries->lock);
    free(queries);
}

struct results *queries_results(struct queries *queries)
{
    return queries->results;
}

void queries_set_engine(struct queries *queries, enum query_engine engine)
{
    pthread_mutex_lock(&queries->lock);
    queries->engine = engine;
    queries->generation++;
    pthread_mutex_unlock(&queries->lock);
}

enum query_engine queries_engine(struct queries *queries)
{
    pthread_mutex_lock(&queries->lock);
    enum query_engine engine = queries->engine;
    pthread_mutex_unlock(&queries->lock);
    return engine;
}

/* ---- what is open ---- */

int queries_open(struct queries *queries, int64_t id, struct err *err)
{
    struct result_info info;
    if (!results_info(queries->results, id, &info))
        return id ? err_set(err, ERR_NOT_FOUND, "result %lld is not kept any more", (long long)id)
                  : err_set(err, ERR_NOT_FOUND, "no result is kept yet");
    pthread_mutex_lock(&queries->lock);
    queries->opened = info.id;
    queries->plot->present = false;
    queries->generation++;
    pthread_mutex_unlock(&queries->lock);
    return 0;
}

int64_t queries_opened(struct queries *queries)
{
    pthread_mutex_lock(&queries->lock);
    int64_t opened = queries->opened;
    pthread_mutex_unlock(&queries->lock);
    return opened;
}

/* Copies rows [first, first + QUERY_ROWS) out of their chunks. */
static int load_window(struct queries *queries, int64_t id, int64_t first, struct err *err)
{
    struct result_page page = {0};
    struct buf text;
    size_t columns = queries->column_count, rows = 0;
    free(queries->cells);
    free(queries->cell_text);
    queries->cells = mem_zero(QUERY_ROWS * (columns > 0 ? columns : 1), sizeof *queries->cells);
    queries->cell_text = NULL;
    buf_init(&text, SIZE_MAX / 2);
    int more = 1;
    while (rows < QUERY_ROWS &&
           (more = results_read(queries->results, id, first + (int64_t)rows, &page, err)) == 1 &&
           page.columns == columns) {
        for (size_t i = (size_t)(first + (int64_t)rows - page.first); i < page.rows && rows < QUERY_ROWS;
             i++, rows++)
            for (size_t column = 0; column < columns; column++) {
                const struct result_cell *from = &page.cells[i * columns + column];
                struct result_cell *to = &queries->cells[rows * columns + column];
                *to = (struct result_cell){.length = from->length};
                /* Offsets for now: the buffer still moves. */
                if (from->text) {
                    to->text = (const char *)(text.length + 1);
                    buf_append(&text, from->text, from->length < 4096 ? from->length : 4096);
                    to->length = from->length < 4096 ? from->length : 4096;
                }
            }
    }
    result_page_free(&page);
    if (!text.data)
        buf_char(&text, ' ');
    for (size_t i = 0; i < rows * columns; i++)
        if (queries->cells[i].text)
            queries->cells[i].text = text.data + ((size_t)queries->cells[i].text - 1);
    queries->cell_text = text.data;
    queries->first = first;
    queries->row_count = rows;
    return more < 0 ? -1 : 0;
}

int queries_window(struct queries *queries, int64_t first, struct err *err)
{
    int64_t id = queries_opened(queries);
    if (id == 0)
        return err_set(err, ERR_NOT_FOUND, "no result is open");
    int result = load_window(queries, id, first < 0 ? 0 : first, err);
    pthread_mutex_lock(&queries->lock);
    queries->generation++;
    pthread_mutex_unlock(&queries->lock);
    return result;
}

/* ---- plots ---- */

struct plot_job {
    struct queries *queries;
    int64_t id;
    int x, y;
};

/* The first time column, else the first number, over which the first other number is drawn. */
static bool choose_columns(const struct result_column *columns, size_t count, int *x, int *y)
{
    for (size_t i = 0; *x < 0 && i < count; i++)
        if ((columns[i].kind == RESULT_TIME || columns[i].kind == RESULT_DATE) && (int)i != *y)
            *x = (int)i;
    size_t numbers = 0;
    for (size_t i = 0; i < count; i++)
        numbers += result_kind_is_number(columns[i].kind);
    for (size_t i = 0; *x < 0 && numbers > 1 && i < count; i++)
        if (result_kind_is_number(columns[i].kind) && (int)i != *y)
            *x = (int)i;
    for (size_t i = 0; *y < 0 && i < count; i++) /* a measure rather than a count */
        if (columns[i].kind == RESULT_REAL && (int)i != *x)
            *y = (int)i;
    for (size_t i = 0; *y < 0 && i < count; i++)
        if (result_kind_is_number(columns[i].kind) && (int)i != *x)
            *y = (int)i;
    return *y >= 0 && *y < (int)count && *x < (int)count && result_kind_is_number(columns[*y].kind);
}

struct point {
    double x, y;
};

static int compare_points(const void *a, const void *b)
{
    const struct point *left = a, *right = b;
    return (left->x > right->x) - (left->x < right->x);
}

#define PLOT_ROWS 2000000 /* looked at */

static size_t read_points(struct job *job, struct queries *queries, const struct result_column *columns,
                          const struct query_plot *plot, int64_t id, struct point **points, int64_t *rows,
                          struct err *err)
{
    struct result_page page = {0};
    size_t count = 0, capacity = 0;
    *rows = 0;
    while (*rows < PLOT_ROWS && !job_cancelled(job) &&
           results_read(queries->results, id, *rows, &page, err) == 1) {
        for (size_t i = 0; i < page.rows; i++) {
            const struct result_cell *cells = page.cells + i * page.columns;
            struct point point = {.x = (double)(*rows + (int64_t)i)};
            if (!cells[plot->y].text ||
                !result_number(columns[plot->y].kind, cells[plot->y].text, cells[plot->y].length, &point.y) ||
                (plot->x >= 0 &&
                 (!cells[plot->x].text || !result_number(columns[plot->x].kind, cells[plot->x].text,
                                                         cells[plot->x].length, &point.x))))
                continue;
            if (count == capacity) {
                capacity = capacity ? capacity * 2 : 4096;
                *points = mem_resize(*points, capacity, sizeof **points);
            }
            (*points)[count++] = point;
        }
        *rows += (int64_t)page.rows;
    }
    result_page_free(&page);
    return count;
}

/* Thinned so that neither the highest nor the lowest of a stretch is lost. */
static void thin(const struct point *points, size_t count, struct query_plot *plot)
{
    size_t stretches = QUERY_PLOT_POINTS / 2;
    plot->low_x = plot->high_x = points[0].x;
    plot->low_y = plot->high_y = points[0].y;
    for (size_t i = 0; i < count; i++) {
        plot->high_x = points[i].x;
        plot->low_y = points[i].y < plot->low_y ? points[i].y : plot->low_y;
        plot->high_y = points[i].y > plot->high_y ? points[i].y : plot->high_y;
    }
    for (size_t i = 0; i < (count <= QUERY_PLOT_POINTS ? count : stretches); i++) {
        size_t low = i, high = i;
        if (count > QUERY_PLOT_POINTS) {
            size_t from = count * i / stretches, to = count * (i + 1) / stretches;
            low = high = from;
            for (size_t at = from; at < to; at++) {
                low = points[at].y < points[low].y ? at : low;
                high = points[at].y > points[high].y ? at : high;
            }
        }
        size_t first = low < high ? low : high, second = low < high ? high : low;
        plot->at[plot->count] = points[first].x;
        plot->value[plot->count++] = points[first].y;
        if (second != first) {
            plot->at[plot->count] = points[second].x;
            plot->value[plot->count++] = points[second].y;
        }
    }
}

static int plot_run(struct job *job, void *context, struct err *err)
{
    struct plot_job *wish = context;
    struct queries *queries = wish->queries;
    struct result_column *columns = mem_zero(RESULT_COLUMNS, sizeof *columns);
    size_t column_count = results_columns(queries->results, wish->id, columns, RESULT_COLUMNS);
    struct query_plot *plot = mem_zero(1, sizeof *plot);
    struct point *points = NULL;
    plot->x = wish->x;
    plot->y = wish->y;
    int result = 0;
    if (!choose_columns(columns, column_count, &plot->x, &plot->y)) {
        result = err_set(err, ERR_USAGE, "nothing to plot: the result has no column of numbers");
    } else {
        size_t count = read_points(job, queries, columns, plot, wish->id, &points, &plot->rows, err);
        if (count < 2) {
            result = err_set(err, ERR_USAGE, "nothing to plot: fewer than two numbers");
        } else {
            bool same = true;
            for (size_t i = 1; same && i < count; i++)
                same = points[i].x == points[0].x;
            for (size_t i = 0; same && i < count; i++)
                points[i].x = (double)i;
            if (same) /* at one moment: side by side */
                plot->x = -1;
            qsort(points, count, sizeof *points, compare_points);
            thin(points, count, plot);
            plot->present = true;
        }
    }
    if (result == 0) {
        job_progress(job, 1, "%s over %s", columns[plot->y].name,
                     plot->x >= 0 ? columns[plot->x].name : "the rows");
        pthread_mutex_lock(&queries->lock);
        if (queries->opened == wish->id)
            *queries->plot = *plot;
        queries->generation++;
        pthread_mutex_unlock(&queries->lock);
    }
    free(points);
    free(plot);
    free(columns);
    return result;
}

int queries_plot(struct queries *queries, int x, int y, struct err *err)
{
    int64_t id = queries_opened(queries);
    if (id == 0)
        return err_set(err, ERR_NOT_FOUND, "no result is open");
    struct plot_job *wish = mem_alloc(sizeof *wish);
    *wish = (struct plot_job){.queries = queries, .id = id, .x = x, .y = y};
    struct job_start start = {.kind = "plot",
                              .title = "plot",
                              .source = "operator",
                              .fn = plot_run,
                              .context = wish,
                              .release = free,
                              .quiet = true};
    uint64_t job;
    return jobs_start(queries->settings.jobs, &start, &job, err);
}

/* ---- exports ---- */

struct export_job {
    struct queries *queries;
    struct job *job;
    int64_t id, rows;
    enum results_format format;
    char path[FILE_PATH_SIZE];
};

static bool export_progress(void *context, int64_t rows)
{
    struct export_job *wish = context;
    job_progress(wish->job, wish->rows > 0 ? (double)rows / (double)wish->rows : -1, "%lld of %lld rows",
                 (long long)rows, (long long)wish->rows);
    return !job_cancelled(wish->job);
}

static int export_run(struct job *job, void *context, struct err *err)
{
    struct export_job *wish = context;
    char size[TEXT_FIGURE_SIZE];
    wish->job = job;
    int64_t rows = results_export(wish->queries->results, wish->id, wish->format, wish->path, export_progress,
                                  wish, err);
    if (rows < 0)
        return -1;
    job_progress(job, 1, "%lld rows in %.160s, %s", (long long)rows, wish->path,
                 text_bytes(size, (double)file_size(wish->path)));
    return 0;
}

int queries_export(struct queries *queries, int64_t id, const char *path, const char *source, uint64_t *job,
                   struct err *err)
{
    struct result_info info;
    enum results_format format;
    if (id == 0)
        id = queries_opened(queries);
    if (id == 0 || !results_info(queries->results, id, &info))
        return err_set(err, ERR_NOT_FOUND, "no result is open");
    if (!results_format_of(path, &format))
        return err_set(err, ERR_USAGE, "name a file that ends with .csv, .json, .ndjson, .parquet or .txt");
    if (file_size(path) >= 0)
        return err_set(err, ERR_BUSY, "%.200s is there already: name another", path);
    struct export_job *wish = mem_alloc(sizeof *wish);
    *wish = (struct export_job){.queries = queries, .id = id, .rows = info.rows, .format = format};
    text_copy(wish->path, sizeof wish->path, path);
    char title[96];
    snprintf(title, sizeof title, "export result %lld", (long long)id);
    struct job_start start = {.kind = "export",
                              .title = title,
                              .source = source,
                              .fn = export_run,
                              .context = wish,
                              .release = free};
    return jobs_start(queries->settings.jobs, &start, job, err);
}

/* ---- the catalogue's words ---- */

static int refresh_run(struct job *job, void *context, struct err *err)
{
    struct queries *queries = context;
    struct aws_client *client = queries->settings.backend ? backend_client(queries->settings.backend) : NULL;
    size_t count = 0;
    struct query_word *words = client ? query_words_ask(client, &count) : NULL;
    struct query_word *old = words;
    (void)job;
    (void)err;
    pthread_mutex_lock(&queries->lock);
    if (words) {
        old = queries->words;
        queries->words = words;
        queries->word_count = count;
        queries->words_generation++;
        queries->generation++;
    }
    queries->words_read = words != NULL;
    queries->refreshing = false;
    pthread_mutex_unlock(&queries->lock);
    free(old);
    return 0;
}

void queries_refresh(struct queries *queries)
{
    pthread_mutex_lock(&queries->lock);
    bool go = !queries->refreshing;
    queries->refreshing = true;
    pthread_mutex_unlock(&queries->lock);
    queries->saved_read_us = 0;
    struct job_start start = {.kind = "catalogue",
                              .title = "words of the catalogue",
                              .source = "console",
                              .fn = refresh_run,
                              .context = queries,
                              .quiet = true};
    uint64_t job;
    struct err err = ERR_INIT;
    if (go && jobs_start(queries->settings.jobs, &start, &job, &err) < 0) {
        pthread_mutex_lock(&queries->lock);
        queries->refreshing = false;
        pthread_mutex_unlock(&queries->lock);
    }
}

/* ---- the view ---- */

static void refresh_history(struct queries *queries)
{
    struct result_info *infos = mem_zero(QUERY_HISTORY, sizeof *infos);
    size_t count = results_list(queries->results, infos, QUERY_HISTORY);
    struct query_listing *fresh = mem_zero(QUERY_HISTORY, sizeof *fresh);
    for (size_t i = 0; i < count; i++) {
        fresh[i].info = infos[i];
        for (size_t j = 0; j < queries->history_count && !fresh[i].sql; j++)
            if (queries->history[j].info.id == infos[i].id) {
                fresh[i].sql = queries->history[j].sql;
                queries->history[j].sql = NULL;
            }
        if (!fresh[i].sql)
            fresh[i].sql = results_sql(queries->results, infos[i].id);
        if (!fresh[i].sql)
            fresh[i].sql = mem_text("");
    }
    for (size_t i = 0; i < queries->history_count; i++)
        free((char *)queries->history[i].sql);
    memcpy(queries->history, fresh, count * sizeof *fresh);
    queries->history_count = count;
    free(fresh);
    free(infos);
}

static void refresh_saved(struct queries *queries)
{
    int64_t now = clock_mono_us();
    if (queries->saved_read_us && now - queries->saved_read_us < SAVED_US)
        return;
    size_t count;
    struct query_saved *saved = query_saved_read(&count);
    query_saved_free(queries->saved, queries->saved_count);
    queries->saved = saved;
    queries->saved_count = count;
    queries->saved_read_us = now;
}

/* The window follows a result that still grows as long as it is not full. */
static void refresh_opened(struct queries *queries, int64_t opened, bool changed)
{
    struct err err = ERR_INIT;
    if (opened != queries->seen_opened) {
        queries->seen_opened = opened;
        queries->column_count = 0;
        queries->row_count = 0;
        queries->first = 0;
        changed = true;
    }
    if (!changed || opened == 0)
        return;
    if (queries->column_count == 0)
        queries->column_count = results_columns(queries->results, opened, queries->columns, RESULT_COLUMNS);
    if (queries->row_count < QUERY_ROWS && queries->column_count > 0)
        load_window(queries, opened, queries->first, &err);
}

void queries_view(struct queries *queries, struct view_query *view)
{
    uint64_t results = results_generation(queries->results);
    bool changed = results != queries->seen_results;
    queries->seen_results = results;
    refresh_saved(queries);
    if (changed)
        refresh_history(queries);
    pthread_mutex_lock(&queries->lock);
    *view = queries->now;
    view->engine = queries->engine;
    view->generation = queries->generation + results;
    int64_t opened = queries->opened;
    if (queries->words_generation != queries->seen_words) {
        free(queries->shown_words);
        queries->shown_words = mem_alloc((queries->word_count + 1) * sizeof *queries->shown_words);
        memcpy(queries->shown_words, queries->words, queries->word_count * sizeof *queries->words);
        queries->shown_word_count = queries->word_count;
        queries->seen_words = queries->words_generation;
    }
    if (queries->plot->present || queries->shown_plot.present)
        queries->shown_plot = *queries->plot;
    bool want_words = !queries->words_read && !queries->refreshing;
    pthread_mutex_unlock(&queries->lock);
    if (want_words && queries->settings.backend && backend_client(queries->settings.backend))
        queries_refresh(queries);
    refresh_opened(queries, opened, changed);
    view->present = true;
    view->budget_bytes = queries->settings.options->scan_budget;
    if (opened)
        results_info(queries->results, opened, &view->result);
    view->columns = queries->columns;
    view->column_count = queries->column_count;
    view->first = queries->first;
    view->row_count = queries->row_count;
    view->cells = queries->cells;
    view->plot = &queries->shown_plot;
    view->history = queries->history;
    view->history_count = queries->history_count;
    view->saved = queries->saved;
    view->saved_count = queries->saved_count;
    view->words = queries->shown_words;
    view->word_count = queries->shown_word_count;
}
