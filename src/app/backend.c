#include "app/backend.h"

#include "app/sink.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "base/worker.h"
#include "localcloud/cloud.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDENTITY_US 10000000
#define AGAIN_US    3000000

struct backend {
    struct backend_settings settings;
    char cluster[LAKE_CLUSTER_SIZE], group[160];
    struct worker *worker;
    pthread_mutex_t lock;   /* of what follows; never held while something blocks */
    pthread_cond_t changed; /* stopping, or a lake was given back */
    bool stopping;
    struct cloud *cloud;
    struct aws_client *client;
    struct sink *sink;
    struct pipeline *pipeline;
    int lake_users; /* of lake and pipeline */
    enum view_cloud_state state;
    struct aws_identity identity;
    char problem[240], lake_problem[240];
};

static void say(struct backend *backend, char *where, const char *text)
{
    pthread_mutex_lock(&backend->lock);
    bool news = *text && strcmp(where, text) != 0;
    text_copy(where, sizeof backend->problem, text);
    pthread_mutex_unlock(&backend->lock);
    if (news)
        log_write(backend->settings.log, LOG_WARNING, "cloud", "%s", text);
    backend->settings.wake(backend->settings.context);
}

/* False: the end. */
static bool pause_before_retry(struct backend *backend)
{
    int64_t until_us = clock_mono_us() + AGAIN_US;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};
    pthread_mutex_lock(&backend->lock);
    while (!backend->stopping && pthread_cond_timedwait(&backend->changed, &backend->lock, &until) == 0)
        ;
    bool go_on = !backend->stopping;
    pthread_mutex_unlock(&backend->lock);
    return go_on;
}

/* ---- steps of the start ---- */

static int start_cloud(struct backend *backend, struct err *err)
{
    const struct options *options = backend->settings.options;
    char folder[FILE_PATH_SIZE];
    if (options->cloud != CLOUD_LOCAL)
        return 0;
    if (options->cloud_data[0])
        text_copy(folder, sizeof folder, options->cloud_data);
    else if (file_make_place(FILE_DATA, "cloud", folder, err) < 0)
        return -1;
    struct cloud_settings settings = {.folder = folder,
                                      .region = options->region[0] ? options->region : NULL,
                                      .realistic = options->realistic,
                                      .log = backend->settings.log};
    struct cloud *cloud = cloud_start(&settings, err);
    pthread_mutex_lock(&backend->lock);
    backend->cloud = cloud;
    pthread_mutex_unlock(&backend->lock);
    if (!cloud)
        return -1;
    log_write(backend->settings.log, LOG_INFO, "cloud",
              "local cloud on %s; `smartcity status --output json` has its keys",
              cloud_address(cloud)->endpoint);
    return 0;
}

static int start_client(struct backend *backend, struct err *err)
{
    const struct options *options = backend->settings.options;
    struct aws_settings settings = {.log = backend->settings.log};
    const struct cloud_address *local = backend->cloud ? cloud_address(backend->cloud) : NULL;
    if (local)
        settings.config = (struct aws_config_settings){.local = true,
                                                       .region = local->region,
                                                       .endpoint = local->endpoint,
                                                       .access_key = local->access_key,
                                                       .secret_key = local->secret_key};
    else
        settings.config = (struct aws_config_settings){
            .region = options->region, .profile = options->profile, .endpoint = options->endpoint};
    struct aws_client *client = aws_client_create(&settings, err);
    pthread_mutex_lock(&backend->lock);
    backend->client = client;
    pthread_mutex_unlock(&backend->lock);
    return client ? 0 : -1;
}

static int find_identity(struct backend *backend, struct err *err)
{
    struct aws_identity identity;
    if (aws_identity_wait(backend->client, clock_mono_us() + IDENTITY_US, &identity, err) < 0)
        return -1;
    pthread_mutex_lock(&backend->lock);
    backend->identity = identity;
    backend->state = VIEW_CLOUD_READY;
    pthread_mutex_unlock(&backend->lock);
    if (backend->settings.options->cloud == CLOUD_AWS)
        log_write(backend->settings.log, LOG_INFO, "cloud", "account %s, as %s", identity.account,
                  identity.name);
    return 0;
}

/* On the lake's threads. */
static void on_landed(void *context, const struct lake_intent *intent, bool recovered)
{
    struct backend *backend = context;
    struct pipeline *pipeline = backend_pipeline(backend);
    if (!pipeline)
        return;
    pipeline_note(pipeline, intent, true);
    backend_pipeline_release(backend);
    backend->settings.wake(backend->settings.context);
}

static int start_sink(struct backend *backend, struct err *err)
{
    const struct options *options = backend->settings.options;
    char spool[FILE_PATH_SIZE];
    if (file_make_place(FILE_CACHE, "spool", spool, err) < 0)
        return -1;
    struct sink_settings settings = {
        .kafka = backend->settings.kafka,
        .group = backend->group[0] ? backend->group : NULL,
        .producer = backend->settings.producer,
        .log = backend->settings.log,
        .on_landed = on_landed,
        .context = backend,
        .lake = {.client = backend->client,
                 .bucket = options->bucket,
                 .owner = options->bucket_owner[0] ? options->bucket_owner : NULL,
                 .encryption = options->encryption[0] ? options->encryption : NULL,
                 .encryption_key = options->encryption_key[0] ? options->encryption_key : NULL,
                 .cluster = backend->cluster,
                 .spool_folder = spool,
                 .spool_bytes = options->spool_limit,
                 .batch_rows = (uint32_t)options->flush_rows,
                 .batch_bytes = (size_t)options->flush_bytes,
                 .batch_age_us = options->flush_age,
                 .paused = !options->flush,
                 .log = backend->settings.log}};
    struct sink *sink = sink_start(&settings, err);
    if (!sink)
        return -1;
    bool made = false;
    if (lake_prepare(sink_lake(sink), &made, err) < 0) {
        sink_stop(sink);
        return -1;
    }
    if (made)
        log_write(backend->settings.log, LOG_DONE, "lake",
                  "bucket %s and the tables of the raw zone were made", options->bucket);
    pthread_mutex_lock(&backend->lock);
    backend->sink = sink;
    pthread_mutex_unlock(&backend->lock);
    return 0;
}

static int start_pipeline(struct backend *backend, struct err *err)
{
    const struct options *options = backend->settings.options;
    char name[160], ledger[FILE_PATH_SIZE];
    bool local = options->cloud == CLOUD_LOCAL;
    snprintf(name, sizeof name, "ledger-%.16s-%.64s.sqlite", local ? "local" : backend->identity.account,
             options->bucket);
    if (file_make_place(FILE_DATA, name, ledger, err) < 0)
        return -1;
    struct pipeline_settings settings = {
        .remote = lake_remote(sink_lake(backend->sink)),
        .ledger = ledger,
        .log = backend->settings.log,
        .automatic = options->automatic,
        .transform = local ? PIPELINE_GLUE : PIPELINE_ATHENA,
        .workgroup = options->workgroup,
        .redshift_workgroup = options->redshift_cluster[0] ? NULL : options->redshift_workgroup,
        .redshift_cluster = options->redshift_cluster[0] ? options->redshift_cluster : NULL,
        .redshift_user = options->redshift_user[0] ? options->redshift_user : NULL,
        .database = options->redshift_database,
        .redshift_role = options->redshift_role};
    struct pipeline *pipeline = pipeline_create(&settings, err);
    if (!pipeline)
        return -1;
    pthread_mutex_lock(&backend->lock);
    backend->pipeline = pipeline;
    pthread_mutex_unlock(&backend->lock);
    uint64_t found = 0;
    struct err late = ERR_INIT; /* what this finds, it finds the next time too */
    if (pipeline_reconcile(pipeline, &found, &late) < 0)
        log_write(backend->settings.log, LOG_WARNING, "lake", "what landed before is not known yet: %s",
                  late.text);
    return 0;
}

/* Each until it succeeds; a configuration that cannot work is told once and left. */
static void run(void *context)
{
    struct backend *backend = context;
    int (*const steps[])(struct backend *, struct err *) = {start_cloud, start_client, find_identity,
                                                            start_sink, start_pipeline};
    size_t count = sizeof steps / sizeof *steps - (backend->settings.lake ? 0 : 2);
    for (size_t i = 0; i < count;) {
        struct err err = ERR_INIT;
        char *where = i >= 3 ? backend->lake_problem : backend->problem;
        if (steps[i](backend, &err) == 0) {
            say(backend, where, "");
            i++;
            continue;
        }
        pthread_mutex_lock(&backend->lock);
        if (where == backend->problem)
            backend->state = VIEW_CLOUD_BAD;
        pthread_mutex_unlock(&backend->lock);
        say(backend, where, err.text);
        if (err.kind == ERR_CONFIG || !pause_before_retry(backend))
            return;
    }
}

/* ---- outside ---- */

struct backend *backend_start(const struct backend_settings *settings, struct err *err)
{
    if (settings->options->cloud == CLOUD_NONE) {
        err_set(err, ERR_UNSUPPORTED, "off, by --cloud off");
        return NULL;
    }
    struct backend *backend = mem_zero(1, sizeof *backend);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&backend->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&backend->lock, NULL);
    backend->settings = *settings;
    backend->state = VIEW_CLOUD_STARTING;
    /* The embedded broker counts from 0 each time: its batches need a name of their own. */
    if (settings->kafka.embedded)
        snprintf(backend->cluster, sizeof backend->cluster, "run-%lld-%d",
                 (long long)(clock_wall_us() / 1000), (int)getpid());
    if (settings->options->group[0])
        snprintf(backend->group, sizeof backend->group, "%s-lake", settings->options->group);
    backend->worker = worker_start("cloud", run, backend, err);
    if (!backend->worker) {
        backend_stop(backend, 0);
        return NULL;
    }
    return backend;
}

/* What is not landed is read from Kafka again by the next run; of an embedded broker there is no next. */
static void flush(struct backend *backend, struct sink *sink, int64_t flush_us)
{
    struct err err = ERR_INIT;
    struct lake_flushed flushed;
    int result = lake_flush_wait(sink_lake(sink), lake_flush(sink_lake(sink), -1), flush_us, &flushed, &err);
    if (result < 0)
        log_write(backend->settings.log, LOG_WARNING, "lake", "not all landed before the end: %s", err.text);
}

bool backend_at_end(struct backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    struct sink *sink = backend->sink; /* lives until backend_stop, on this same thread */
    pthread_mutex_unlock(&backend->lock);
    return sink && sink_at_end(sink);
}

void backend_stop(struct backend *backend, int64_t flush_us)
{
    if (!backend)
        return;
    pthread_mutex_lock(&backend->lock);
    backend->stopping = true;
    pthread_cond_broadcast(&backend->changed);
    pthread_mutex_unlock(&backend->lock);
    worker_join(backend->worker);
    pthread_mutex_lock(&backend->lock);
    struct sink *sink = backend->sink;
    backend->sink = NULL;
    while (backend->lake_users > 0)
        pthread_cond_wait(&backend->changed, &backend->lock);
    pthread_mutex_unlock(&backend->lock);
    if (sink && flush_us > 0)
        flush(backend, sink, flush_us);
    pthread_mutex_lock(&backend->lock); /* what lands from here on, the next run finds in S3 */
    struct pipeline *pipeline = backend->pipeline;
    backend->pipeline = NULL;
    while (backend->lake_users > 0)
        pthread_cond_wait(&backend->changed, &backend->lock);
    pthread_mutex_unlock(&backend->lock);
    pipeline_destroy(pipeline);
    sink_stop(sink);
    aws_client_destroy(backend->client);
    cloud_stop(backend->cloud);
    pthread_cond_destroy(&backend->changed);
    pthread_mutex_destroy(&backend->lock);
    free(backend);
}

struct aws_client *backend_client(struct backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    struct aws_client *client = backend->state == VIEW_CLOUD_READY ? backend->client : NULL;
    pthread_mutex_unlock(&backend->lock);
    return client;
}

struct lake *backend_lake(struct backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    struct lake *lake = backend->sink ? sink_lake(backend->sink) : NULL;
    backend->lake_users += lake != NULL;
    pthread_mutex_unlock(&backend->lock);
    return lake;
}

void backend_lake_release(struct backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    backend->lake_users--;
    pthread_cond_broadcast(&backend->changed);
    pthread_mutex_unlock(&backend->lock);
}

struct pipeline *backend_pipeline(struct backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    struct pipeline *pipeline = backend->pipeline;
    backend->lake_users += pipeline != NULL;
    pthread_mutex_unlock(&backend->lock);
    return pipeline;
}

void backend_pipeline_release(struct backend *backend)
{
    backend_lake_release(backend);
}

const char *backend_bucket(const struct backend *backend)
{
    return backend->settings.options->bucket;
}

const struct cloud_address *backend_local(struct backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    const struct cloud_address *address = backend->cloud ? cloud_address(backend->cloud) : NULL;
    pthread_mutex_unlock(&backend->lock);
    return address;
}

void backend_view(struct backend *backend, struct view_cloud *cloud, struct view_lake *lake,
                  struct view_pipeline *pipeline)
{
    pthread_mutex_lock(&backend->lock);
    struct aws_client *client = backend->client;
    struct sink *sink = backend->sink; /* they live until backend_stop, on this same thread */
    struct pipeline *onwards = backend->pipeline;
    cloud->state = backend->state;
    cloud->local = backend->settings.options->cloud == CLOUD_LOCAL;
    text_copy(cloud->account, sizeof cloud->account, backend->identity.account);
    text_copy(cloud->identity, sizeof cloud->identity, backend->identity.name);
    text_copy(cloud->problem, sizeof cloud->problem, backend->problem);
    text_copy(lake->problem, sizeof lake->problem, backend->lake_problem);
    pthread_mutex_unlock(&backend->lock);
    text_copy(cloud->bucket, sizeof cloud->bucket, backend->settings.options->bucket);
    if (client) {
        const struct aws_config *config = aws_client_config(client);
        cloud->billable = aws_config_is_aws(config);
        text_copy(cloud->endpoint, sizeof cloud->endpoint, config->endpoints[AWS_S3].url);
        text_copy(cloud->region, sizeof cloud->region, config->region);
        aws_client_figures(client, &cloud->aws);
    }
    pipeline->present = onwards != NULL;
    if (onwards)
        pipeline_figures(onwards, &pipeline->figures);
    lake->present = sink != NULL;
    if (sink) {
        lake_figures(sink_lake(sink), &lake->figures);
        sink_problem(sink, lake->problem, sizeof lake->problem);
    }
}
