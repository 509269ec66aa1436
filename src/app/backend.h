/*
 * Everything past Kafka that the session holds: the local cloud inside this process (or the account that the
 * operator named), the AWS client, who we are there, and the lake writer with its own reader of Kafka.
 *
 *     backend_start ─▶ thread "cloud": local cloud ─▶ client ─▶ identity ─▶ sink (app/sink.h) ─▶ pipeline
 *
 * Nothing of it keeps the console waiting: what fails is told, tried again, and shown. The local cloud gets
 * keys of its own and reads nobody's AWS files; an account is asked only when `--cloud aws` named it.
 *
 * Threads: start, stop from the main thread; the rest from any.
 */
#ifndef SMARTCITY_APP_BACKEND_H
#define SMARTCITY_APP_BACKEND_H

#include "app/options.h"
#include "app/view_cloud.h"
#include "lake/pipeline.h"
#include "stream/producer.h"

struct backend;

struct backend_settings {
    const struct options *options; /* outlives it, as all here */
    struct kafka_settings kafka;   /* for the lake's reader; texts outlive the backend */
    struct producer *producer;     /* held back for the lake when embedded; NULL */
    bool lake;                     /* run the lake writer */
    struct log *log;
    void (*wake)(void *context); /* there is something new to look at; any thread */
    void *context;
};

/* NULL with err only when `--cloud off` (ERR_UNSUPPORTED) or for want of threads. */
struct backend *backend_start(const struct backend_settings *settings, struct err *err);
/* Flushes before when flush_us > 0, and waits so long for it. NULL allowed. */
void backend_stop(struct backend *backend, int64_t flush_us);

/* The client, once there is one; NULL before. As long as the backend. */
struct aws_client *backend_client(struct backend *backend);
/* The lake, held until given back; NULL when there is none now. */
struct lake *backend_lake(struct backend *backend);
void backend_lake_release(struct backend *backend);
/* The same of the pipeline, which goes on from what has landed. */
struct pipeline *backend_pipeline(struct backend *backend);
void backend_pipeline_release(struct backend *backend);
const char *backend_bucket(const struct backend *backend);
/* Addresses and keys of the local cloud, for the run directory and `smartcity status`; NULL when there is
 * none. */
const struct cloud_address *backend_local(struct backend *backend);

/* Everything that Kafka holds was handed to the lake. May ask the broker for up to two seconds. */
bool backend_at_end(struct backend *backend);
void backend_view(struct backend *backend, struct view_cloud *cloud, struct view_lake *lake,
                  struct view_pipeline *pipeline);

#endif
