/* One query as a job: estimate, budget and price first, then the engine, then the end of its result. */
#include "app/query_private.h"

#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *place_of(const struct query_run *run, char text[64])
{
    const struct options *options = run->queries->settings.options;
    if (run->engine == QUERY_CACHE)
        snprintf(text, 64, "this machine");
    else if (options->cloud == CLOUD_LOCAL)
        snprintf(text, 64, "LOCAL");
    else
        snprintf(text, 64, "%.60s", aws_client_config(run->client)->region);
    return text;
}

static bool is_billable(const struct query_run *run)
{
    return run->engine != QUERY_CACHE && run->client && aws_config_is_aws(aws_client_config(run->client));
}

/* ---- what the screen is told ---- */

static void tell(struct query_run *run, enum query_state state, const char *text)
{
    struct queries *queries = run->queries;
    pthread_mutex_lock(&queries->lock);
    struct view_query *now = &queries->now;
    if (now->job <= job_id(run->job)) {
        now->job = job_id(run->job);
        now->state = state;
        now->state_engine = run->engine;
        now->billable = is_billable(run);
        now->started_us = run->began_us;
        now->took_us = clock_mono_us() - run->began_us;
        now->estimate_bytes = run->estimate_bytes;
        now->scanned_bytes = run->scanned_bytes;
        now->cost_usd = is_billable(run) && run->engine == QUERY_ATHENA
                            ? query_price(run->scanned_bytes > 0 ? run->scanned_bytes : 0)
                            : 0;
        now->rows = run->writer ? result_writer_rows(run->writer) : 0;
        text_copy(now->text, sizeof now->text, text);
        queries->generation++;
    }
    pthread_mutex_unlock(&queries->lock);
    queries->settings.wake(queries->settings.context);
}

void query_run_say(struct query_run *run, enum query_state state, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    job_progress(run->job, -1, "%.200s", text);
    tell(run, state, text);
}

/* ---- for the engines ---- */

bool query_run_wants_more(struct query_run *run)
{
    return !job_cancelled(run->job);
}

json_t *query_run_ask(struct query_run *run, enum aws_service_id service, const char *operation,
                      json_t *input, bool action, char *code, struct err *err)
{
    struct json_options options = {.origin = action ? run->source : NULL};
    return aws_json_wait(run->client, service, operation, input, &options, clock_mono_us() + QUERY_REQUEST_US,
                         code, err);
}

int query_run_columns(struct query_run *run, const struct result_column *columns, size_t count,
                      struct err *err)
{
    if (result_writer_columns(run->writer, columns, count, err) < 0)
        return -1;
    /* The screen turns to the newest query's result as soon as it has columns. */
    struct queries *queries = run->queries;
    pthread_mutex_lock(&queries->lock);
    if (queries->now.job == job_id(run->job)) {
        queries->opened = result_writer_id(run->writer);
        queries->plot->present = false;
    }
    pthread_mutex_unlock(&queries->lock);
    return 0;
}

int query_run_take_columns(struct query_run *run, const json_t *list, const char *name, const char *type,
                           size_t *count, struct err *err)
{
    struct result_column *columns = mem_zero(RESULT_COLUMNS, sizeof *columns);
    const json_t *info;
    size_t i;
    *count = json_array_size(list);
    json_array_foreach(list, i, info)
    {
        if (i >= RESULT_COLUMNS)
            break;
        const char *own = aws_json_text(info, name), *word = aws_json_text(info, type);
        text_sanitise(columns[i].name, sizeof columns[i].name, own, strlen(own));
        text_sanitise(columns[i].type, sizeof columns[i].type, word, strlen(word));
        columns[i].kind = result_kind_of(columns[i].type);
    }
    int result = query_run_columns(run, columns, *count, err);
    free(columns);
    return result;
}

int query_run_over(const struct aws_work *work, struct err *err)
{
    if (work->state == AWS_WORK_DONE)
        return 0;
    if (work->state == AWS_WORK_CANCELLED)
        return err_set(err, ERR_CANCELLED, "%s",
                       work->reason[0] ? work->reason : "cancelled by someone else");
    return err_set(err, ERR_REMOTE, "%s",
                   work->reason[0] ? work->reason : "it failed, and no reason was given");
}

/* ---- before it runs ---- */

static char *asking_json(const struct query_run *run, const char *text, bool confirm)
{
    json_t *object =
        json_pack("{s:b,s:I,s:f,s:s}", "confirm", confirm, "bytes", (json_int_t)run->estimate_bytes,
                  "cost_usd", query_price(run->estimate_bytes), "text", text);
    char *json = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return json;
}

/* 1: go on; 0: it was only to be told, or asks first; -1: refused. */
static int look_before(struct query_run *run, struct err *err)
{
    char names[200] = "", bytes[TEXT_FIGURE_SIZE], budget[TEXT_FIGURE_SIZE], text[400];
    int64_t limit = run->queries->settings.options->scan_budget;
    bool billable = is_billable(run);
    struct err local = ERR_INIT;
    if (run->engine == QUERY_CACHE || (run->engine == QUERY_REDSHIFT && !billable)) {
        if (!run->estimate_only)
            return 1;
        query_run_say(run, QUERY_DONE, "%s bills nothing here", query_engine_title(run->engine));
        return 0;
    }
    if (run->engine == QUERY_ATHENA) {
        query_run_say(run, QUERY_ESTIMATING, "looking at what it would scan");
        if (query_estimate(run, &run->estimate_bytes, names, sizeof names, &local) < 0)
            run->estimate_bytes = -1;
        if (!query_run_wants_more(run))
            return err_set(err, ERR_CANCELLED, "cancelled");
        if (limit > 0 && run->estimate_bytes > limit)
            return err_set(
                err, ERR_LIMIT,
                "refused: it may scan %s (%s), over the budget of %s; name days (dt) or tables, or "
                "raise --scan-budget",
                text_bytes(bytes, (double)run->estimate_bytes), names, text_bytes(budget, (double)limit));
        if (run->estimate_bytes >= 0)
            snprintf(text, sizeof text, "scans at most %s (%s), USD %.4f",
                     text_bytes(bytes, (double)run->estimate_bytes), names,
                     billable ? query_price(run->estimate_bytes) : 0);
        else
            snprintf(text, sizeof text, "how much it scans cannot be told%s%.120s", local.text[0] ? ": " : "",
                     local.text);
    } else {
        snprintf(text, sizeof text, "Redshift bills the seconds that its work group or cluster runs");
    }
    if (run->estimate_only) {
        query_run_say(run, QUERY_DONE, "%s", text);
        char *json = asking_json(run, text, false);
        if (json)
            job_leave(run->job, json);
        return 0;
    }
    if (!billable || run->confirmed)
        return 1;
    char place[64];
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "; %s of %s: run it again to agree",
             query_engine_title(run->engine), place_of(run, place));
    pthread_mutex_lock(&run->queries->lock);
    free(run->queries->asked_sql);
    run->queries->asked_sql = mem_text(run->sql);
    run->queries->asked_engine = run->engine;
    pthread_mutex_unlock(&run->queries->lock);
    query_run_say(run, QUERY_ASKING, "%s", text);
    char *json = asking_json(run, text, true);
    if (json)
        job_leave(run->job, json);
    return 0;
}

/* ---- the job ---- */

static int run_engine(struct query_run *run, struct err *err)
{
    static int (*const engines[])(struct query_run *, struct err *) = {
        [QUERY_ATHENA] = query_athena, [QUERY_REDSHIFT] = query_redshift, [QUERY_CACHE] = query_local};
    return engines[run->engine](run, err);
}

static void leave(struct query_run *run, int64_t id, int64_t rows, double cost)
{
    struct result_info info = {0};
    results_info(run->queries->results, id, &info);
    json_t *object =
        json_pack("{s:I,s:I,s:I,s:I,s:f,s:b,s:s,s:s,s:s}", "result", (json_int_t)id, "rows", (json_int_t)rows,
                  "columns", (json_int_t)info.columns, "scanned_bytes", (json_int_t)run->scanned_bytes,
                  "cost_usd", cost, "truncated", run->truncated, "engine", query_engine_name(run->engine),
                  "id", run->remote_id, "store", results_path(run->queries->results));
    char *json = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (json)
        job_leave(run->job, json);
}

static int carry_out(struct query_run *run, struct err *err)
{
    char place[64];
    run->writer = results_begin(run->queries->results, query_engine_name(run->engine), place_of(run, place),
                                run->sql, clock_wall_us() / 1000, err);
    if (!run->writer)
        return -1;
    int64_t id = result_writer_id(run->writer);
    int result = run_engine(run, err);
    int64_t rows = result_writer_rows(run->writer);
    bool cancelled = result < 0 && (job_cancelled(run->job) || err->kind == ERR_CANCELLED);
    double cost = is_billable(run) && run->engine == QUERY_ATHENA && run->scanned_bytes > 0
                      ? query_price(run->scanned_bytes)
                      : 0;
    struct result_info info = {.state = result == 0 ? RESULT_DONE
                                        : cancelled ? RESULT_CANCELLED
                                                    : RESULT_FAILED,
                               .truncated = run->truncated,
                               .scanned_bytes = run->scanned_bytes,
                               .took_us = clock_mono_us() - run->began_us,
                               .cost_usd = cost};
    text_copy(info.remote_id, sizeof info.remote_id, run->remote_id);
    if (result < 0)
        text_copy(info.problem, sizeof info.problem, err->text);
    struct err local = ERR_INIT;
    struct result_writer *writer = run->writer;
    pthread_mutex_lock(&run->queries->lock);
    run->writer = NULL;
    pthread_mutex_unlock(&run->queries->lock);
    if (result_writer_end(writer, &info, result < 0 ? &local : err) < 0)
        result = -1;
    if (result < 0)
        return -1;
    char count[TEXT_FIGURE_SIZE], bytes[TEXT_FIGURE_SIZE];
    leave(run, id, rows, cost);
    query_run_say(run, QUERY_DONE, "%s row%s%s%s%s%s", text_count(count, rows), rows == 1 ? "" : "s",
                  run->truncated ? " (cut: the result is larger than what is kept)" : "",
                  run->scanned_bytes >= 0 ? ", " : "",
                  run->scanned_bytes >= 0 ? text_bytes(bytes, (double)run->scanned_bytes) : "",
                  run->scanned_bytes >= 0 ? " scanned" : "");
    pthread_mutex_lock(&run->queries->lock);
    if (run->queries->now.job == job_id(run->job))
        run->queries->now.rows = rows;
    pthread_mutex_unlock(&run->queries->lock);
    return 0;
}

static int query_job(struct job *job, void *context, struct err *err)
{
    struct query_run *run = context;
    run->job = job;
    run->began_us = clock_mono_us();
    run->estimate_bytes = run->scanned_bytes = -1;
    run->client = run->queries->settings.backend ? backend_client(run->queries->settings.backend) : NULL;
    int result = 0;
    if (run->engine != QUERY_CACHE && !run->client)
        result =
            err_set(err, ERR_CONNECT, "the cloud is not there (yet): `engine cache` asks what is kept here");
    if (result == 0)
        result = look_before(run, err);
    if (result == 1)
        result = carry_out(run, err);
    if (result < 0)
        tell(run, job_cancelled(job) || err->kind == ERR_CANCELLED ? QUERY_CANCELLED : QUERY_FAILED,
             job_cancelled(job) ? "cancelled" : err->text);
    return result;
}

static void release(void *context)
{
    struct query_run *run = context;
    free(run->sql);
    free(run);
}

/* One line of it, without the comment at its head. */
static void title_of(const struct query_run *run, char *title, size_t size)
{
    char line[200];
    size_t used = 0;
    const char *at = run->sql + strspn(run->sql, " \t\r\n");
    while (strncmp(at, "--", 2) == 0) {
        at += strcspn(at, "\n");
        at += strspn(at, " \t\r\n");
    }
    for (; *at && used + 1 < sizeof line; at++) {
        bool blank = strchr(" \t\r\n", *at) != NULL;
        if (!blank || (used > 0 && line[used - 1] != ' '))
            line[used++] = blank ? ' ' : *at;
    }
    int head = snprintf(title, size, "%s: ", query_engine_name(run->engine));
    text_sanitise(title + head, size - (size_t)head, line, used);
}

int queries_start(struct queries *queries, const struct query_start *start, uint64_t *job, struct err *err)
{
    size_t length = strlen(start->sql);
    while (length > 0 && strchr(" \t\r\n;", start->sql[length - 1]))
        length--;
    if (length == 0)
        return err_set(err, ERR_USAGE, "no SQL to run");
    if (length >= RESULT_SQL)
        return err_set(err, ERR_LIMIT, "the statement is longer than %d bytes", RESULT_SQL);
    if (!text_is_utf8(start->sql, length))
        return err_set(err, ERR_USAGE, "the statement is not UTF-8");
    struct query_run *run = mem_zero(1, sizeof *run);
    run->queries = queries;
    run->engine = start->engine;
    run->sql = mem_alloc(length + 1);
    memcpy(run->sql, start->sql, length);
    run->sql[length] = '\0';
    run->confirmed = start->confirmed;
    run->estimate_only = start->estimate_only;
    text_copy(run->source, sizeof run->source, start->source);
    char title[96];
    title_of(run, title, sizeof title);
    struct job_start wish = {.kind = start->estimate_only ? "estimate" : "query",
                             .title = title,
                             .source = start->source,
                             .fn = query_job,
                             .context = run,
                             .release = release};
    if (jobs_start(queries->settings.jobs, &wish, job, err) < 0)
        return -1;
    pthread_mutex_lock(&queries->lock);
    if (!start->estimate_only) {
        free(queries->asked_sql);
        queries->asked_sql = NULL;
    }
    if (queries->now.job < *job) {
        queries->now.job = *job;
        queries->now.state = QUERY_QUEUED;
        queries->now.state_engine = start->engine;
        queries->now.started_us = clock_mono_us();
        queries->now.text[0] = '\0';
        queries->now.estimate_bytes = queries->now.scanned_bytes = -1;
        queries->now.rows = 0;
    }
    queries->generation++;
    pthread_mutex_unlock(&queries->lock);
    return 0;
}

int queries_confirm(struct queries *queries, const char *source, uint64_t *job, struct err *err)
{
    pthread_mutex_lock(&queries->lock);
    char *sql = queries->asked_sql;
    enum query_engine engine = queries->asked_engine;
    queries->asked_sql = NULL;
    pthread_mutex_unlock(&queries->lock);
    if (!sql)
        return err_set(err, ERR_NOT_FOUND, "no query waits for your word");
    struct query_start start = {.engine = engine, .sql = sql, .source = source, .confirmed = true};
    int result = queries_start(queries, &start, job, err);
    free(sql);
    return result;
}
