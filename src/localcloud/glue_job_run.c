#include "localcloud/glue_private.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/glue_script.h"
#include "localcloud/sql_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Runs of jobs: a script that ends in .sql is run statement by statement by the SQL engine, on the jobs'
 * worker. A run's document has the shape of Glue's JobRun, and members of our own that begin with '_'.
 * States: STARTING (waits), RUNNING, STOPPING, then STOPPED, SUCCEEDED, FAILED or TIMEOUT.
 */

#define RUNS_MAX     1000 /* kept of a job */
#define SCRIPT_LIMIT (4u << 20)

static const char *state_of(const json_t *run)
{
    const char *state = json_string_value(json_object_get(run, "JobRunState"));
    return state ? state : "";
}

static bool is_over(const json_t *run)
{
    const char *state = state_of(run);
    return strcmp(state, "STARTING") != 0 && strcmp(state, "RUNNING") != 0 && strcmp(state, "STOPPING") != 0;
}

/* Reads, changes by `state` and writes; the lock is held. */
static int set_state(struct glue *glue, const char *name, const char *id, const char *state,
                     const char *error)
{
    struct err err = ERR_INIT;
    json_t *run;
    int64_t now = clock_wall_us();
    if (documents_get(glue->store, GLUE_JOB_RUN, name, id, &run, &err) != 1)
        return -1; /* deleted with its job */
    json_object_set_new(run, "JobRunState", json_string(state));
    json_object_set_new(run, "LastModifiedOn", glue_time(now));
    if (is_over(run)) {
        int64_t started = json_integer_value(json_object_get(run, "_started"));
        json_object_set_new(run, "CompletedOn", glue_time(now));
        json_object_set_new(run, "ExecutionTime", json_integer((now - started) / 1000000));
        if (error)
            json_object_set_new(run, "ErrorMessage", json_string(error));
    }
    int result = documents_put(glue->store, GLUE_JOB_RUN, name, id, run, &err);
    if (result < 0)
        log_write(glue->context.log, LOG_ERROR, "glue", "the state of a job run cannot be kept: %s",
                  err.text);
    json_decref(run);
    return result;
}

/* ---- running ---------------------------------------------------------------------------------------- */

struct running {
    struct glue *glue;
    struct glue_task *task;
    int64_t deadline_us; /* Timeout */
    bool timed_out;
};

static bool cancelled(void *context)
{
    struct running *running = context;
    running->timed_out = running->timed_out || clock_wall_us() > running->deadline_us;
    return running->timed_out || glue_task_cancelled(running->glue, running->task);
}

static const char *argument(const json_t *arguments, const char *name)
{
    return json_string_value(json_object_get(arguments, name));
}

static int read_script(struct glue *glue, const char *location, const json_t *arguments, struct buf *script,
                       struct err *err)
{
    const char *rest = strncmp(location, "s3://", 5) == 0 ? location + 5 : "", *slash = strchr(rest, '/');
    char bucket[OBJECTS_BUCKET_MAX + 1];
    size_t length = slash ? (size_t)(slash - rest) : 0, end = strlen(location);
    struct buf bytes;
    if (length == 0 || length > OBJECTS_BUCKET_MAX)
        return err_set(err, ERR_USAGE, "The script location %.200s is no s3:// location", location);
    if (end < 4 || !text_equal_fold(location + end - 4, ".sql"))
        return err_set(err, ERR_UNSUPPORTED,
                       "Only scripts of SQL (.sql) run in the local cloud; %.200s is not emulated", location);
    memcpy(bucket, rest, length);
    bucket[length] = '\0';
    buf_init(&bytes, SCRIPT_LIMIT);
    enum objects_status status = objects_read(glue->objects, bucket, slash + 1, &bytes, err);
    int result = -1;
    if (status == OBJECTS_NO_BUCKET || status == OBJECTS_NO_KEY)
        err_set(err, ERR_NOT_FOUND, "The script %.200s does not exist", location);
    else if (status == OBJECTS_OK && (memchr(bytes.data ? bytes.data : "", '\0', bytes.length) ||
                                      !text_is_utf8(bytes.data ? bytes.data : "", bytes.length)))
        err_set(err, ERR_CORRUPT, "The script %.200s is no text", location);
    else if (status == OBJECTS_OK)
        result = glue_script_fill(bytes.data ? bytes.data : "", bytes.length, arguments, script, err);
    buf_free(&bytes);
    return result;
}

static int run_script(struct running *running, const char *script, const json_t *arguments, struct err *err)
{
    struct glue *glue = running->glue;
    const struct sql_engine *engine = glue->context.sql_engine;
    const char *database = argument(arguments, "--database"), *statement;
    struct sql_engine_call call = {
        .database = database ? database : "default",
        .output = argument(arguments, "--TempDir"),
        .cancelled = cancelled,
        .context = running,
    };
    size_t length, number = 0;
    if (!engine || !engine->run)
        return err_set(err, ERR_UNSUPPORTED,
                       "There is no SQL engine in this local cloud to run the script with");
    while ((statement = glue_script_next(&script, &length))) {
        if (cancelled(running))
            return err_set(err, ERR_CANCELLED, "cancelled");
        char *text = mem_alloc(length + 1);
        memcpy(text, statement, length);
        text[length] = '\0';
        call.text = text;
        number++;
        int result = engine->run(engine->engine, &call, err);
        free(text);
        if (result < 0)
            return err->kind == ERR_CANCELLED ? -1 : err_prefix(err, "statement %zu", number);
    }
    return number > 0 ? 0 : err_set(err, ERR_USAGE, "The script holds no statement");
}

void glue_job_run(struct glue *glue, struct glue_task *task)
{
    struct err err = ERR_INIT;
    json_t *run = NULL;
    struct running running = {.glue = glue, .task = task};
    glue_task_dawdle(glue, task, 20); /* AWS starts machines first */
    pthread_mutex_lock(&glue->lock);
    bool go = !task->cancelled && !glue->stopping &&
              set_state(glue, task->name, task->id, "RUNNING", NULL) == 0 &&
              documents_get(glue->store, GLUE_JOB_RUN, task->name, task->id, &run, &err) == 1;
    pthread_mutex_unlock(&glue->lock);
    int result = -1;
    if (go) {
        struct buf script;
        const char *location = argument(run, "_script");
        const json_t *arguments = json_object_get(run, "_arguments");
        running.deadline_us =
            clock_wall_us() + json_integer_value(json_object_get(run, "Timeout")) * 60 * 1000000;
        buf_init(&script, SCRIPT_LIMIT);
        buf_text(&script, "");
        result = read_script(glue, location ? location : "", arguments, &script, &err);
        if (result == 0)
            result = run_script(&running, script.data, arguments, &err);
        buf_free(&script);
    }
    bool stopped = !go || (result < 0 && err.kind == ERR_CANCELLED);
    const char *state = result == 0         ? "SUCCEEDED"
                        : running.timed_out ? "TIMEOUT"
                        : stopped           ? "STOPPED"
                                            : "FAILED";
    log_write(glue->context.log, result == 0 ? LOG_INFO : LOG_WARNING, "glue", "job %s %s%s%s", task->name,
              state, stopped || result == 0 ? "" : ": ", stopped || result == 0 ? "" : err.text);
    pthread_mutex_lock(&glue->lock);
    set_state(glue, task->name, task->id, state,
              running.timed_out        ? "Job run timed out"
              : stopped || result == 0 ? NULL
                                       : err.text);
    pthread_mutex_unlock(&glue->lock);
    json_decref(run);
}

static bool collect_unfinished(void *context, const char *name, const char *second, json_t *run)
{
    if (!is_over(run))
        json_array_append_new(context, json_pack("[s,s]", name, second));
    return true;
}

int glue_jobs_recover(struct glue *glue, struct err *err)
{
    json_t *unfinished = json_array(), *each;
    size_t index;
    int result = documents_list(glue->store, GLUE_JOB_RUN, NULL, collect_unfinished, unfinished, err);
    json_array_foreach(unfinished, index, each) set_state(
        glue, json_string_value(json_array_get(each, 0)), json_string_value(json_array_get(each, 1)),
        "FAILED", "Internal service error: the service was stopped during the run");
    json_decref(unfinished);
    return result;
}

/* ---- operations ------------------------------------------------------------------------------------- */

static bool collect_run(void *context, const char *name, const char *second, json_t *run)
{
    json_array_append(context, run);
    return true;
}

static int64_t started_of(const json_t *run)
{
    return json_integer_value(json_object_get(run, "_started"));
}

static int newest_first(const void *a, const void *b)
{
    int64_t left = started_of(*(json_t *const *)a), right = started_of(*(json_t *const *)b);
    return (left < right) - (left > right);
}

/* All runs of a job, newest first, as an array of borrowed pointers into *all; free() it. */
static json_t **runs_of(struct glue *glue, const char *name, json_t **all, size_t *count)
{
    *all = json_array();
    documents_list(glue->store, GLUE_JOB_RUN, name, collect_run, *all, NULL);
    *count = json_array_size(*all);
    json_t **sorted = mem_alloc((*count + 1) * sizeof(json_t *));
    for (size_t i = 0; i < *count; i++)
        sorted[i] = json_array_get(*all, i);
    qsort(sorted, *count, sizeof(json_t *), newest_first);
    return sorted;
}

/* How many are not over; those beyond what is kept go. The lock is held. */
static json_int_t tidy_runs(struct glue *glue, const char *name)
{
    json_t *all;
    size_t count;
    json_int_t active = 0;
    json_t **sorted = runs_of(glue, name, &all, &count);
    for (size_t i = 0; i < count; i++) {
        active += !is_over(sorted[i]);
        if (i + 1 >= RUNS_MAX && is_over(sorted[i]))
            documents_remove(glue->store, GLUE_JOB_RUN, name,
                             json_string_value(json_object_get(sorted[i], "Id")), NULL, NULL);
    }
    free(sorted);
    json_decref(all);
    return active;
}

static const struct shape START[] = {
    {"Arguments", SHAPE_TEXT_MAP},
    {"Timeout", SHAPE_INT},
    {"AllocatedCapacity", SHAPE_INT},
    {"MaxCapacity", SHAPE_NUMBER},
    {"WorkerType", SHAPE_TEXT},
    {"NumberOfWorkers", SHAPE_INT},
    {"ExecutionClass", SHAPE_TEXT},
    {"SecurityConfiguration", SHAPE_TEXT},
    {NULL},
};

/* The run's document: what was asked over what the job says. */
static json_t *make_run(const json_t *job, json_t *asked, const char *id, int64_t now_us)
{
    static const char *const inherited[] = {"Timeout",         "MaxCapacity",      "WorkerType",
                                            "NumberOfWorkers", "GlueVersion",      "ExecutionClass",
                                            "JobMode",         "AllocatedCapacity"};
    json_t *run = asked, *arguments = json_object();
    for (size_t i = 0; i < sizeof inherited / sizeof *inherited; i++)
        if (!json_object_get(run, inherited[i]) && json_object_get(job, inherited[i]))
            json_object_set(run, inherited[i], json_object_get(job, inherited[i]));
    json_object_update(arguments, json_object_get(job, "DefaultArguments"));
    json_object_update(arguments, json_object_get(run, "Arguments"));
    json_object_update(arguments, json_object_get(job, "NonOverridableArguments"));
    json_object_set_new(run, "_arguments", arguments);
    json_object_set(run, "_script", json_object_get(json_object_get(job, "Command"), "ScriptLocation"));
    json_object_set_new(run, "_started", json_integer(now_us));
    json_object_set_new(run, "Id", json_string(id));
    json_object_set_new(run, "Attempt", json_integer(0));
    json_object_set(run, "JobName", json_object_get(job, "Name"));
    json_object_set_new(run, "StartedOn", glue_time(now_us));
    json_object_set_new(run, "LastModifiedOn", glue_time(now_us));
    json_object_set_new(run, "JobRunState", json_string("STARTING"));
    json_object_set_new(run, "PredecessorRuns", json_array());
    json_object_set_new(run, "ExecutionTime", json_integer(0));
    json_object_set_new(run, "LogGroupName", json_string("/aws-glue/jobs"));
    return run;
}

void glue_start_job_run(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    json_t *job = NULL;
    char id[80];
    const char *name = glue_text(request, "JobName");
    json_t *run = name ? shape_copy(START, request->json, "", &err) : NULL;
    if (!run) {
        if (name)
            glue_fail_input(request, &err);
        return;
    }
    glue_new_id(id, false);
    pthread_mutex_lock(&glue->lock);
    int found = documents_get(glue->store, GLUE_JOB, name, "", &job, &err);
    json_int_t limit =
        json_integer_value(json_object_get(json_object_get(job, "ExecutionProperty"), "MaxConcurrentRuns"));
    bool full = found == 1 && tidy_runs(glue, name) >= (limit > 0 ? limit : 1);
    if (found == 1 && !full) {
        make_run(job, run, id, request->now_us);
        if (documents_put(glue->store, GLUE_JOB_RUN, name, id, run, &err) < 0)
            found = -1;
        else
            glue_task_add(glue, LANE_JOBS, name, id);
    }
    pthread_mutex_unlock(&glue->lock);
    json_decref(job);
    json_decref(run);
    if (found < 0)
        request_fail_internal(request, &err);
    else if (found == 0)
        request_fail(request, 400, "EntityNotFoundException",
                     "Failed to start job run due to missing metadata");
    else if (full)
        request_fail(request, 400, "ConcurrentRunsExceededException", "Concurrent runs exceeded for %s",
                     name);
    else
        request_reply_json(request, json_pack("{s:s}", "JobRunId", id));
}

static json_t *shown(json_t *run, int64_t now_us)
{
    static const char *const own[] = {"_arguments", "_script", "_started"};
    if (strcmp(state_of(run), "RUNNING") == 0)
        json_object_set_new(run, "ExecutionTime", json_integer((now_us - started_of(run)) / 1000000));
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        json_object_del(run, own[i]);
    return run;
}

void glue_get_job_run(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    json_t *run;
    const char *name = glue_text(request, "JobName"), *id = name ? glue_text(request, "RunId") : NULL;
    if (!id)
        return;
    int found = documents_get(glue->store, GLUE_JOB_RUN, name, id, &run, &err);
    if (found == 1)
        request_reply_json(request, json_pack("{s:o}", "JobRun", shown(run, request->now_us)));
    else if (found == 0)
        request_fail(request, 400, "EntityNotFoundException", "Job run %.80s of %.255s not found.", id, name);
    else
        request_fail_internal(request, &err);
}

void glue_get_job_runs(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    struct glue_page page;
    json_t *all;
    size_t count;
    const char *name = glue_text(request, "JobName");
    if (!name)
        return;
    if (documents_get(glue->store, GLUE_JOB, name, "", NULL, &err) != 1) {
        request_fail(request, 400, "EntityNotFoundException", "Job %.255s not found.", name);
        return;
    }
    if (!glue_page_begin(request, &page, 200))
        return;
    json_t **sorted = runs_of(glue, name, &all, &count);
    bool behind = !page.after[0];
    for (size_t i = 0; i < count && !page.more; i++) {
        const char *id = json_string_value(json_object_get(sorted[i], "Id"));
        if (behind)
            glue_page_add(&page, shown(sorted[i], request->now_us));
        behind = behind || strcmp(id, page.after) == 0;
    }
    free(sorted);
    json_decref(all);
    const json_t *last = json_array_get(page.items, json_array_size(page.items) - 1);
    glue_page_reply(request, &page, "JobRuns", json_string_value(json_object_get(last, "Id")));
}

void glue_batch_stop_job_run(struct request *request)
{
    struct glue *glue = request->state;
    const char *name = glue_text(request, "JobName");
    const json_t *ids = name ? glue_array(request, "JobRunIds", 25) : NULL, *each;
    size_t index;
    if (!ids)
        return;
    json_t *good = json_array(), *bad = json_array(), *run;
    json_array_foreach(ids, index, each)
    {
        const char *id = json_string_value(each) ? json_string_value(each) : "", *code = NULL, *why = NULL;
        pthread_mutex_lock(&glue->lock);
        if (documents_get(glue->store, GLUE_JOB_RUN, name, id, &run, NULL) != 1) {
            run = NULL;
            code = "JobRunNotFoundException";
            why = "Job run not found";
        } else if (is_over(run)) {
            code = "InvalidInputException";
            why = "The job run is not in a state in which it can be stopped";
        } else {
            glue_task_cancel(glue, LANE_JOBS, name, id);
            set_state(glue, name, id, "STOPPING", NULL);
        }
        pthread_mutex_unlock(&glue->lock);
        json_decref(run);
        if (code)
            json_array_append_new(bad, json_pack("{s:s, s:s, s:{s:s, s:s}}", "JobName", name, "JobRunId", id,
                                                 "ErrorDetail", "ErrorCode", code, "ErrorMessage", why));
        else
            json_array_append_new(good, json_pack("{s:s, s:s}", "JobName", name, "JobRunId", id));
    }
    request_reply_json(request, json_pack("{s:o, s:o}", "SuccessfulSubmissions", good, "Errors", bad));
}
