/* Handlers of the commands that act on what lies past Kafka. Main thread: each starts a job (app/jobs.h) and
 * answers with its number. */
#include "app/commands_session.h"

#include "app/session_private.h"
#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(const struct command_call *call, struct command_reply *reply)
{
    return err_set(&reply->err, ERR_USAGE, "usage: %s %s", call->command->name, call->command->arguments);
}

static const char *argument(const struct command_call *call, size_t index)
{
    return index < call->argument_count ? call->arguments[index] : "";
}

static char *dump(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

/* Starts it and answers {"job":N}, by which `--wait` finds it again. */
static int start_job(struct session *session, const struct job_start *start, struct command_reply *reply)
{
    uint64_t id;
    if (jobs_start(session->jobs, start, &id, &reply->err) < 0)
        return -1;
    snprintf(reply->text, sizeof reply->text, "%s", start->title);
    reply->json = dump(json_pack("{s:I}", "job", (json_int_t)id));
    return 0;
}

static int need_lake(struct session *session, struct command_reply *reply)
{
    const struct view_lake *lake = &session->view.lake;
    if (lake->present)
        return 0;
    return err_set(&reply->err, lake->problem[0] ? ERR_CONNECT : ERR_BUSY, "no lake writer: %s",
                   lake->problem[0]                              ? lake->problem
                   : session->view.cloud.problem[0]              ? session->view.cloud.problem
                   : session->view.cloud.state == VIEW_CLOUD_OFF ? "the cloud is off (--cloud off)"
                                                                 : "the cloud is still starting");
}

static bool kind_of(const char *word, int *kind)
{
    for (int i = 0; i < EVENT_KIND_COUNT; i++)
        if (text_equal_fold(word, event_topic((enum event_kind)i)) ||
            text_prefix_fold(event_topic((enum event_kind)i), word)) {
            *kind = i;
            return *word != '\0';
        }
    return false;
}

/* ---- flush ------------------------------------------------------------------------------------------ */

struct flush {
    struct backend *backend;
    int kind; /* -1: all */
};

static int flush_run(struct job *job, void *context, struct err *err)
{
    const struct flush *flush = context;
    struct lake *lake = backend_lake(flush->backend);
    if (!lake)
        return err_set(err, ERR_BUSY, "the lake writer has ended");
    uint64_t ticket = lake_flush(lake, flush->kind);
    struct lake_flushed flushed = {0};
    char bytes[TEXT_FIGURE_SIZE];
    int result;
    while ((result = lake_flush_wait(lake, ticket, 200000, &flushed, err)) < 0 && err->kind == ERR_BUSY &&
           !job_cancelled(job)) {
        job_progress(job, -1, "%" PRIu64 " rows in %" PRIu64 " objects so far%s%s", flushed.rows,
                     flushed.objects, flushed.problem[0] ? ": " : "", flushed.problem);
        *err = (struct err)ERR_INIT;
    }
    backend_lake_release(flush->backend);
    if (result < 0)
        return -1;
    job_progress(job, 1, "%" PRIu64 " rows in %" PRIu64 " objects, %s", flushed.rows, flushed.objects,
                 text_bytes(bytes, (double)flushed.bytes));
    job_leave(job, dump(json_pack("{s:I,s:I,s:I,s:I}", "batches", (json_int_t)flushed.batches, "rows",
                                  (json_int_t)flushed.rows, "objects", (json_int_t)flushed.objects, "bytes",
                                  (json_int_t)flushed.bytes)));
    return 0;
}

int commands_flush(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const char *word = argument(call, 0);
    bool on = text_equal_fold(word, "on"), off = text_equal_fold(word, "off");
    int kind = -1;
    if (need_lake(session, reply) < 0)
        return -1;
    if (text_equal_fold(word, "toggle")) {
        on = session->view.lake.figures.paused;
        off = !on;
    }
    if (on || off) {
        struct lake *lake = backend_lake(session->backend);
        if (lake) {
            lake_pause(lake, off);
            backend_lake_release(session->backend);
        }
        snprintf(reply->text, sizeof reply->text,
                 on ? "flushing by age and size" : "flushing only when told");
        return 0;
    }
    if (*word && !text_equal_fold(word, "now") && !kind_of(word, &kind))
        return usage(call, reply);
    struct flush *flush = mem_alloc(sizeof *flush);
    *flush = (struct flush){.backend = session->backend, .kind = kind};
    char title[64];
    snprintf(title, sizeof title, "flush %s", kind < 0 ? "all topics" : event_topic((enum event_kind)kind));
    struct job_start start = {.kind = "flush",
                              .title = title,
                              .source = call->source,
                              .fn = flush_run,
                              .context = flush,
                              .release = free};
    return start_job(session, &start, reply);
}

/* ---- compact ---------------------------------------------------------------------------------------- */

struct compact {
    struct backend *backend;
    enum event_kind kind;
    char dt[16];
    bool look;
};

static int compact_run(struct job *job, void *context, struct err *err)
{
    const struct compact *compact = context;
    struct lake *lake = backend_lake(compact->backend);
    if (!lake)
        return err_set(err, ERR_BUSY, "the lake writer has ended");
    struct lake_compacted done = {0};
    int result = lake_compact(lake, compact->kind, compact->dt, compact->look, &done, err);
    backend_lake_release(compact->backend);
    if (result < 0)
        return -1;
    char before[TEXT_FIGURE_SIZE], after[TEXT_FIGURE_SIZE];
    if (!done.done && !compact->look)
        job_progress(job, 1, "nothing to gain: %zu files", done.files);
    else if (compact->look)
        job_progress(job, 1, "%zu files, %" PRId64 " rows, %s would become one", done.files, done.rows,
                     text_bytes(before, (double)done.bytes_before));
    else
        job_progress(job, 1, "%zu files of %s became one of %s", done.files,
                     text_bytes(before, (double)done.bytes_before),
                     text_bytes(after, (double)done.bytes_after));
    job_leave(job, dump(json_pack("{s:I,s:I,s:b}", "files", (json_int_t)done.files, "rows",
                                  (json_int_t)done.rows, "done", done.done)));
    return 0;
}

int commands_compact(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    int kind = -1;
    if (call->argument_count < 2 || !kind_of(argument(call, 0), &kind))
        return usage(call, reply);
    if (need_lake(session, reply) < 0)
        return -1;
    struct compact *compact = mem_alloc(sizeof *compact);
    *compact = (struct compact){.backend = session->backend,
                                .kind = (enum event_kind)kind,
                                .look = text_equal_fold(argument(call, 2), "look")};
    text_copy(compact->dt, sizeof compact->dt, argument(call, 1));
    char title[96];
    snprintf(title, sizeof title, "compact %s dt=%s", event_topic(compact->kind), compact->dt);
    struct job_start start = {.kind = "compact",
                              .title = title,
                              .source = call->source,
                              .fn = compact_run,
                              .context = compact,
                              .release = free};
    return start_job(session, &start, reply);
}

/* ---- onwards ---------------------------------------------------------------------------------------- */

struct onwards {
    struct backend *backend;
    enum ledger_step step;
    int kind; /* -1: all */
};

static int onwards_run(struct job *job, void *context, struct err *err)
{
    const struct onwards *onwards = context;
    struct pipeline *pipeline = backend_pipeline(onwards->backend);
    if (!pipeline)
        return err_set(err, ERR_BUSY, "the pipeline is not there yet");
    uint64_t ticket = pipeline_run(pipeline, onwards->step, onwards->kind);
    struct pipeline_progress progress = {0};
    int result;
    while ((result = pipeline_wait(pipeline, ticket, 200000, &progress, err)) < 0 && err->kind == ERR_BUSY &&
           !job_cancelled(job)) {
        job_progress(job, -1, "%s", progress.detail);
        *err = (struct err)ERR_INIT;
    }
    backend_pipeline_release(onwards->backend);
    if (result < 0)
        return -1;
    if (progress.batches == 0)
        job_progress(job, 1, "nothing to do: all that has landed is %s", ledger_step_name(onwards->step));
    else
        job_progress(job, 1, "%" PRIu64 " rows of %" PRIu64 " batches are %s", progress.rows,
                     progress.batches, ledger_step_name(onwards->step));
    job_leave(job, dump(json_pack("{s:I,s:I,s:I}", "batches", (json_int_t)progress.batches, "rows",
                                  (json_int_t)progress.rows, "jobs", (json_int_t)progress.jobs)));
    return 0;
}

static int start_onwards(struct session *session, const struct command_call *call,
                         struct command_reply *reply, enum ledger_step step)
{
    const char *word = argument(call, 0);
    int kind = -1;
    if (*word && !text_equal_fold(word, "all") && !kind_of(word, &kind))
        return usage(call, reply);
    if (need_lake(session, reply) < 0)
        return -1;
    struct onwards *onwards = mem_alloc(sizeof *onwards);
    *onwards = (struct onwards){.backend = session->backend, .step = step, .kind = kind};
    char title[96];
    snprintf(title, sizeof title, "%s %s", call->command->name,
             kind < 0 ? "all topics" : event_topic((enum event_kind)kind));
    struct job_start start = {.kind = call->command->name,
                              .title = title,
                              .source = call->source,
                              .fn = onwards_run,
                              .context = onwards,
                              .release = free};
    return start_job(session, &start, reply);
}

int commands_transform(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    return start_onwards(session, call, reply, LEDGER_TRANSFORMED);
}

int commands_load(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    return start_onwards(session, call, reply, LEDGER_LOADED);
}

int commands_auto(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const char *word = argument(call, 0);
    bool on = text_equal_fold(word, "on");
    if (!on && !text_equal_fold(word, "off"))
        return usage(call, reply);
    struct pipeline *pipeline = session->backend ? backend_pipeline(session->backend) : NULL;
    if (!pipeline)
        return need_lake(session, reply) < 0
                   ? -1
                   : err_set(&reply->err, ERR_BUSY, "the pipeline is not there yet");
    pipeline_set_automatic(pipeline, on);
    backend_pipeline_release(session->backend);
    snprintf(reply->text, sizeof reply->text,
             on ? "what lands goes on to the warehouse by itself"
                : "what lands stays until it is told to go on");
    return 0;
}

/* ---- jobs ------------------------------------------------------------------------------------------- */

int commands_stop(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const char *word = argument(call, 0);
    int64_t id = 0;
    bool number = *word && text_parse_int(word, 1, INT64_MAX, &id);
    if (!jobs_cancel(session->jobs, (uint64_t)id, *word && !number ? word : NULL))
        return err_set(&reply->err, ERR_NOT_FOUND, "nothing to cancel: no such job runs");
    snprintf(reply->text, sizeof reply->text, "cancelling");
    return 0;
}

/* For `--wait`: how it stands with a job, as JSON. */
int commands_job(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    int64_t id;
    struct job_figures job;
    if (call->argument_count != 1 || !text_parse_int(argument(call, 0), 1, INT64_MAX, &id))
        return usage(call, reply);
    if (!jobs_look(session->jobs, (uint64_t)id, &job))
        return err_set(&reply->err, ERR_NOT_FOUND, "no job %" PRId64, id);
    char *data = jobs_data(session->jobs, (uint64_t)id);
    json_t *value = data ? json_loads(data, JSON_DECODE_ANY, NULL) : NULL;
    json_t *object =
        json_pack("{s:I,s:s,s:s,s:s,s:s,s:f,s:f,s:o?}", "job", (json_int_t)job.id, "kind", job.kind, "title",
                  job.title, "state", job_state_name(job.state), "text", job.text, "fraction", job.fraction,
                  "seconds", (double)job.took_us / 1e6, "data", value);
    reply->json = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    free(data);
    snprintf(reply->text, sizeof reply->text, "%s: %s", job_state_name(job.state), job.text);
    return 0;
}
