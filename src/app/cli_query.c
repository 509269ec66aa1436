/*
 * query: SQL from a shell. On the running console it is that console's query, in its history and on its
 * screen; with none running, or with --cloud aws said here, this process opens the cloud itself. The rows go
 * to standard output, everything else to standard error.
 */
#include "app/cli.h"

#include "app/control.h"
#include "app/query.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_US   50000
#define OPENED_US 60000000 /* the local cloud is there in a second, an account in some */

/* Where the query runs: in the console, or here. */
struct place {
    const struct options *options;
    struct log *log; /* NULL: the console's */
    struct jobs *jobs;
    struct backend *backend;
    struct queries *queries;
};

/* How it stands with the job. */
struct standing {
    bool over, done;
    char text[400];
    char *data; /* malloc, or NULL */
};

/* ---- the text ---- */

static char *read_sql(const char *const *words, size_t count, struct err *err)
{
    struct buf text;
    buf_init(&text, RESULT_SQL);
    if (count == 1 && strcmp(words[0], "-") == 0) {
        char piece[4096];
        size_t got;
        while ((got = fread(piece, 1, sizeof piece, stdin)) > 0)
            buf_append(&text, piece, got);
    }
    for (size_t i = 0; i < count && !(count == 1 && strcmp(words[0], "-") == 0); i++) {
        buf_text(&text, i > 0 ? " " : "");
        buf_text(&text, words[i]);
    }
    if (text.overflow || !text.data || text.data[strspn(text.data, " \t\r\n;")] == '\0') {
        err_set(err, ERR_USAGE,
                text.overflow ? "the statement is longer than %d bytes"
                              : "which SQL? smartcity query \"SELECT …\", or - for standard input",
                RESULT_SQL);
        buf_free(&text);
        return NULL;
    }
    return text.data;
}

/* ---- here ---- */

static void nobody(void *context)
{
    (void)context;
}

static int open_here(struct place *place, struct err *err)
{
    const struct options *options = place->options;
    place->log = log_create(100);
    log_set_least(place->log, LOG_INFO);
    place->jobs = jobs_create(place->log, nobody, NULL);
    struct backend_settings backend = {.options = options, .log = place->log, .wake = nobody};
    if (options->on != QUERY_CACHE && !(place->backend = backend_start(&backend, err)))
        return -1;
    struct queries_settings settings = {.options = options,
                                        .backend = place->backend,
                                        .jobs = place->jobs,
                                        .log = place->log,
                                        .wake = nobody};
    place->queries = queries_create(&settings, err);
    if (!place->queries)
        return -1;
    int64_t until_us = clock_mono_us() + OPENED_US;
    while (place->backend && !backend_client(place->backend)) {
        struct view_cloud cloud = {0};
        struct view_lake lake = {0};
        struct view_pipeline pipeline = {0};
        backend_view(place->backend, &cloud, &lake, &pipeline);
        if (cloud.problem[0])
            return err_set(err, ERR_CONNECT, "%s", cloud.problem);
        if (interrupt_caught())
            return err_set(err, ERR_CANCELLED, "interrupted");
        if (clock_mono_us() > until_us)
            return err_set(err, ERR_CONNECT, "the cloud did not answer");
        clock_sleep_until(clock_mono_us() + LOOK_US / 5);
    }
    return 0;
}

static void close_here(struct place *place)
{
    jobs_destroy(place->jobs);
    queries_destroy(place->queries);
    backend_stop(place->backend, 0);
    log_destroy(place->log);
}

/* ---- either ---- */

static int ask_console(const struct place *place, const char *line, json_t **data, struct err *err)
{
    char *reply;
    if (control_ask(place->options->console, line, &reply, err) < 0)
        return -1;
    json_t *object = json_loads(reply, 0, NULL);
    free(reply);
    int result = 0;
    if (!json_is_true(json_object_get(object, "ok"))) {
        const char *text = json_string_value(json_object_get(object, "error"));
        char shown[380];
        text = text ? text : "the console's answer is not understood";
        text_sanitise(shown, sizeof shown, text, strlen(text));
        result = err_set(
            err, json_integer_value(json_object_get(object, "exit")) == EXIT_USAGE ? ERR_USAGE : ERR_REMOTE,
            "%s", shown);
    }
    *data = json_incref(json_object_get(object, "data"));
    json_decref(object);
    return result;
}

/* sql NULL: what was asked about is agreed to. */
static int start(const struct place *place, const char *sql, uint64_t *job, struct err *err)
{
    const struct options *options = place->options;
    enum query_engine engine = (enum query_engine)options->on;
    if (place->queries) {
        struct query_start wish = {
            .engine = engine, .sql = sql, .source = "operator", .confirmed = options->yes};
        return sql ? queries_start(place->queries, &wish, job, err)
                   : queries_confirm(place->queries, "operator", job, err);
    }
    struct buf line;
    json_t *data = NULL;
    buf_init(&line, COMMAND_LINE);
    buf_printf(&line, sql ? "query %s: " : "query yes", query_engine_name(engine));
    buf_text(&line, sql ? sql : "");
    int result = line.overflow ? err_set(err, ERR_USAGE, "the statement is too long for the console's socket")
                               : ask_console(place, line.data, &data, err);
    buf_free(&line);
    *job = (uint64_t)json_integer_value(json_object_get(data, "job"));
    json_decref(data);
    return result;
}

static int look(const struct place *place, uint64_t job, struct standing *standing, struct err *err)
{
    char line[40];
    json_t *data;
    *standing = (struct standing){0};
    if (place->queries) {
        struct job_figures figures;
        if (!jobs_look(place->jobs, job, &figures))
            return err_set(err, ERR_INTERNAL, "the query is not known any more");
        standing->over = figures.state >= JOB_DONE;
        standing->done = figures.state == JOB_DONE;
        text_copy(standing->text, sizeof standing->text, figures.text);
        standing->data = jobs_data(place->jobs, job);
        return 0;
    }
    snprintf(line, sizeof line, "job %" PRIu64, job);
    if (ask_console(place, line, &data, err) < 0)
        return -1;
    const char *state = json_string_value(json_object_get(data, "state"));
    const char *text = json_string_value(json_object_get(data, "text"));
    state = state ? state : "failed";
    standing->over = strcmp(state, "waiting") != 0 && strcmp(state, "running") != 0;
    standing->done = strcmp(state, "done") == 0;
    text_sanitise(standing->text, sizeof standing->text, text ? text : "", text ? strlen(text) : 0);
    standing->data = json_dumps(json_object_get(data, "data"), JSON_COMPACT);
    json_decref(data);
    return 0;
}

static void cancel(const struct place *place, uint64_t job)
{
    char line[40];
    json_t *data = NULL;
    struct err err = ERR_INIT;
    if (place->queries) {
        jobs_cancel(place->jobs, job, NULL);
    } else {
        snprintf(line, sizeof line, "stop %" PRIu64, job);
        ask_console(place, line, &data, &err);
        json_decref(data);
    }
}

/* Until it is over; the data it left, or NULL and err. */
static json_t *wait_for(const struct place *place, uint64_t job, char text[400], struct err *err)
{
    bool narrate = isatty(STDERR_FILENO), cancelled = false;
    struct standing standing;
    for (;;) {
        if (look(place, job, &standing, err) < 0)
            return NULL;
        if (standing.over)
            break;
        free(standing.data);
        if (narrate)
            fprintf(stderr, "\r\033[K%s", standing.text);
        if (interrupt_caught() && !cancelled) {
            cancelled = true;
            cancel(place, job);
        }
        clock_sleep_until(clock_mono_us() + (place->queries ? LOOK_US / 10 : LOOK_US));
    }
    if (narrate)
        fputs("\r\033[K", stderr);
    text_copy(text, 400, standing.text);
    json_t *data = standing.data ? json_loads(standing.data, JSON_DECODE_ANY, NULL) : NULL;
    free(standing.data);
    if (standing.done && json_is_object(data))
        return data;
    json_decref(data);
    err_set(err, cancelled ? ERR_CANCELLED : ERR_REMOTE, "%s", standing.text);
    return NULL;
}

static int print_rows(const struct place *place, const json_t *data, struct err *err)
{
    static const enum results_format formats[] = {[OUTPUT_TABLE] = RESULTS_TABLE,
                                                  [OUTPUT_JSON] = RESULTS_JSON,
                                                  [OUTPUT_CSV] = RESULTS_CSV,
                                                  [OUTPUT_NDJSON] = RESULTS_NDJSON};
    const char *path = json_string_value(json_object_get(data, "store"));
    struct results *own = NULL, *results = place->queries ? queries_results(place->queries) : NULL;
    if (!results && (!path || !*path))
        return err_set(err, ERR_IO, "the console keeps its results in memory; they cannot be read from here");
    if (!results && !(results = own = results_open(path, NULL, err)))
        return -1;
    int64_t rows = json_integer_value(json_object_get(data, "columns")) == 0
                       ? 0
                       : results_write(results, json_integer_value(json_object_get(data, "result")),
                                       formats[place->options->output], -1, stdout, NULL, NULL, err);
    results_close(own);
    return rows < 0 ? -1 : 0;
}

static bool agrees(const struct options *options, const char *text)
{
    char answer[16];
    if (options->yes)
        return true;
    if (options->no_input || !isatty(STDIN_FILENO))
        return false;
    fprintf(stderr, "%s\nrun it? [y/N] ", text);
    return fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y');
}

static int run(const struct place *place, const char *sql, struct err *err)
{
    char text[400];
    uint64_t job;
    if (start(place, sql, &job, err) < 0)
        return -1;
    json_t *data = wait_for(place, job, text, err);
    if (data && json_is_true(json_object_get(data, "confirm"))) {
        json_decref(data);
        data = NULL;
        if (!agrees(place->options, text))
            return err_set(err, ERR_USAGE, "%s; --yes agrees", text);
        if (start(place, NULL, &job, err) == 0)
            data = wait_for(place, job, text, err);
    }
    if (!data)
        return -1;
    int result = print_rows(place, data, err);
    json_decref(data);
    if (result == 0)
        fprintf(stderr, "%s\n", text);
    return result;
}

int cli_query(struct options *options, const char *const *words, size_t count)
{
    struct err err = ERR_INIT;
    struct place place = {.options = options};
    char *sql = read_sql(words, count, &err);
    if (!sql)
        return cli_fail(&err);
    interrupt_catch();
    interrupt_ignore_pipe();
    bool here = options_is_set(options, "cloud") || options_is_set(options, "data");
    int result = -1;
    if (!here)
        result = run(&place, sql, &err);
    if (here || (result < 0 && err.kind == ERR_NOT_FOUND && !options->console)) {
        err = (struct err)ERR_INIT;
        result = open_here(&place, &err);
        if (result == 0)
            result = run(&place, sql, &err);
        close_here(&place);
    }
    free(sql);
    return result < 0 ? cli_fail(&err) : EXIT_OK;
}
