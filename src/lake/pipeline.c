#include "lake/pipeline.h"

#include "base/clock.h"
#include "base/text.h"
#include "lake/pipeline_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERY_US 30000000

/* ---- what comes in ------------------------------------------------------------------------------------ */

void pipeline_note(struct pipeline *pipeline, const struct lake_intent *intent, bool catalogued)
{
    struct ledger_batch batch = {.kind = intent->key.kind,
                                 .partition = intent->key.partition,
                                 .start = intent->key.start,
                                 .end = intent->key.end,
                                 .rows = intent->rows,
                                 .quarantined = intent->quarantined,
                                 .missing = intent->missing,
                                 .files = (int32_t)intent->file_count};
    struct err err = ERR_INIT;
    char name[LAKE_OBJECT_KEY_SIZE];
    int64_t now = clock_wall_us() / 1000;
    text_copy(batch.name, sizeof batch.name, lake_layout_batch_name(name, &intent->key));
    text_copy(batch.cluster, sizeof batch.cluster, intent->key.cluster);
    for (size_t i = 0, used = 0; i < intent->file_count && used + LAKE_DT_SIZE < sizeof batch.days; i++) {
        batch.bytes += intent->files[i].bytes;
        used += (size_t)snprintf(batch.days + used, sizeof batch.days - used, "%s%s", i > 0 ? "," : "",
                                 intent->files[i].dt);
    }
    batch.step_ms[LEDGER_CLOSED] = intent->created_ms;
    batch.step_ms[LEDGER_LANDED] = now;
    batch.step_ms[LEDGER_CATALOGUED] = catalogued ? now : 0;
    char *data = pipeline_files_text(intent);
    int result = ledger_put(pipeline->context.ledger, &batch, data, &err);
    free(data);
    pthread_mutex_lock(&pipeline->mutex);
    pipeline->dirty = true;
    if (result != 0)
        text_copy(pipeline->figures.problem, sizeof pipeline->figures.problem, err.text);
    pthread_cond_broadcast(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->mutex);
    if (result != 0)
        log_write(pipeline->context.log, LOG_ERROR, "pipeline", "a batch is not in the ledger: %s", err.text);
}

static struct pipeline_ticket *make_ticket(struct pipeline *pipeline, enum ledger_step step)
{
    uint64_t number = ++pipeline->tickets;
    struct pipeline_ticket *ticket = &pipeline->asked[number % PIPELINE_TICKETS];
    *ticket = (struct pipeline_ticket){.number = number, .step = step, .began_us = clock_mono_us()};
    return ticket;
}

uint64_t pipeline_run(struct pipeline *pipeline, enum ledger_step step, int kind)
{
    pthread_mutex_lock(&pipeline->mutex);
    struct pipeline_ticket *ticket = make_ticket(pipeline, step);
    for (int i = 0; i < EVENT_KIND_COUNT; i++)
        if (kind < 0 || kind == i)
            ticket->waiting[i] = pipeline->wanted[step][i] = pipeline->revive[step][i] = true;
    uint64_t number = ticket->number;
    pthread_cond_broadcast(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->mutex);
    return number;
}

static bool look(const struct pipeline *pipeline, uint64_t number, struct pipeline_progress *progress)
{
    const struct pipeline_ticket *ticket = &pipeline->asked[number % PIPELINE_TICKETS];
    if (number == 0 || ticket->number != number)
        return false;
    *progress = ticket->progress;
    if (!progress->done)
        progress->took_us = clock_mono_us() - ticket->began_us;
    return true;
}

bool pipeline_look(struct pipeline *pipeline, uint64_t ticket, struct pipeline_progress *progress)
{
    pthread_mutex_lock(&pipeline->mutex);
    bool known = look(pipeline, ticket, progress);
    pthread_mutex_unlock(&pipeline->mutex);
    return known;
}

void pipeline_wait_until(struct pipeline *pipeline, int64_t mono_us)
{
    const struct timespec until = {.tv_sec = mono_us / 1000000, .tv_nsec = mono_us % 1000000 * 1000};
    pthread_cond_timedwait(&pipeline->changed, &pipeline->mutex, &until);
}

int pipeline_wait(struct pipeline *pipeline, uint64_t ticket, int64_t timeout_us,
                  struct pipeline_progress *progress, struct err *err)
{
    const int64_t until = clock_mono_us() + timeout_us;
    pthread_mutex_lock(&pipeline->mutex);
    bool known = look(pipeline, ticket, progress);
    while (known && !progress->done && clock_mono_us() < until) {
        pipeline_wait_until(pipeline, until);
        known = look(pipeline, ticket, progress);
    }
    pthread_mutex_unlock(&pipeline->mutex);
    if (!known)
        return err_set(err, ERR_USAGE, "there is no such run any more");
    if (progress->failed)
        return err_set(err, ERR_REMOTE, "%s", progress->detail);
    if (progress->done)
        return 0;
    return err_set(err, ERR_BUSY, "not done yet%s%s", progress->detail[0] ? ": " : "", progress->detail);
}

void pipeline_set_automatic(struct pipeline *pipeline, bool automatic)
{
    pthread_mutex_lock(&pipeline->mutex);
    pipeline->automatic = automatic;
    pipeline->automatic_at = 0;
    pthread_cond_broadcast(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->mutex);
}

void pipeline_retry(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->mutex);
    pipeline->retry = true;
    pthread_cond_broadcast(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->mutex);
}

/* ---- create, destroy ------------------------------------------------------------------------------------
 */

static char *named(const char *text, const char *otherwise)
{
    if (text && *text)
        return mem_text(text);
    return otherwise ? mem_text(otherwise) : NULL;
}

static void name_all(struct pipeline_names *names, const struct pipeline_settings *settings)
{
    char output[120];
    snprintf(output, sizeof output, "s3://%.63s/athena/", settings->remote->bucket);
    names->transform = settings->transform;
    names->workgroup = named(settings->workgroup, "primary");
    names->output = named(settings->output, output);
    names->job = named(settings->job, "smartcity_raw_to_curated");
    names->crawler = named(settings->crawler, "smartcity_raw");
    names->glue_role = named(settings->glue_role, "smartcity");
    names->redshift_workgroup = named(settings->redshift_workgroup, NULL);
    names->redshift_cluster = named(settings->redshift_cluster, NULL);
    names->redshift_user = named(settings->redshift_user, NULL);
    names->redshift_secret = named(settings->redshift_secret, NULL);
    names->database = named(settings->database, "dev");
    names->redshift_role = named(settings->redshift_role, "default");
}

static void free_names(struct pipeline_names *names)
{
    char *const all[] = {names->workgroup,        names->output,        names->job,
                         names->crawler,          names->glue_role,     names->redshift_workgroup,
                         names->redshift_cluster, names->redshift_user, names->redshift_secret,
                         names->database,         names->redshift_role};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void free_pipeline(struct pipeline *pipeline)
{
    ledger_close(pipeline->context.ledger);
    free_names(&pipeline->names);
    pthread_cond_destroy(&pipeline->changed);
    pthread_mutex_destroy(&pipeline->mutex);
    free(pipeline->next);
    free(pipeline);
}

struct pipeline *pipeline_create(const struct pipeline_settings *settings, struct err *err)
{
    struct pipeline *pipeline = mem_zero(1, sizeof *pipeline);
    bool anew = false;
    pthread_mutex_init(&pipeline->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pipeline->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    name_all(&pipeline->names, settings);
    pipeline->automatic = settings->automatic;
    pipeline->every_us = settings->every_us > 0 ? settings->every_us : EVERY_US;
    pipeline->no_step[LEDGER_TRANSFORMED] = settings->no_transform;
    pipeline->no_step[LEDGER_LOADED] = settings->no_load;
    pipeline->next = mem_zero(1, sizeof *pipeline->next);
    pipeline->dirty = true;
    pipeline->context.remote = settings->remote;
    pipeline->context.names = &pipeline->names;
    pipeline->context.log = settings->log;
    pipeline->context.ledger = ledger_open(settings->ledger, &anew, err);
    if (pipeline->context.ledger) {
        struct ledger_job open[PIPELINE_OPEN_JOBS];
        size_t count = ledger_open_jobs(pipeline->context.ledger, open, PIPELINE_OPEN_JOBS);
        for (size_t i = 0; i < count; i++)
            if (open[i].state != LEDGER_FAILED)
                pipeline->jobs[pipeline->job_count++].job = open[i];
        pipeline->worker = worker_start("pipeline", pipeline_drive, pipeline, err);
    }
    if (pipeline->worker)
        return pipeline;
    free_pipeline(pipeline);
    return NULL;
}

void pipeline_destroy(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    pthread_mutex_lock(&pipeline->mutex);
    pipeline->stopping = true;
    pthread_cond_broadcast(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->mutex);
    worker_join(pipeline->worker);
    free_pipeline(pipeline);
}

int pipeline_reconcile(struct pipeline *pipeline, uint64_t *found, struct err *err)
{
    return pipeline_reconcile_with(pipeline, pipeline->context.remote, found, err);
}

struct ledger *pipeline_ledger(struct pipeline *pipeline)
{
    return pipeline->context.ledger;
}

void pipeline_figures(struct pipeline *pipeline, struct pipeline_figures *figures)
{
    pthread_mutex_lock(&pipeline->mutex);
    *figures = pipeline->figures;
    figures->automatic = pipeline->automatic;
    figures->next_us = pipeline->automatic ? pipeline->automatic_at : 0;
    pthread_mutex_unlock(&pipeline->mutex);
}
