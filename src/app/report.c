/* What a run did, as figures and as JSON: for `run --headless`, `status` and the control socket. */
#include "app/session_private.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/cloud.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

void session_report(struct session *session, struct session_report *report)
{
    struct producer_figures producer = {0};
    struct consumer_figures consumer = {0};
    struct feed_counts counts = {0};
    struct recorder_figures recorder = {0};
    *report = (struct session_report){0};
    if (session->producer)
        producer_figures(session->producer, &producer);
    if (session->ingest)
        ingest_figures(session->ingest, &consumer);
    if (session->live)
        feed_counts(session->live, &counts);
    if (session->recorder)
        recorder_figures(session->recorder, &recorder);
    uint64_t gaps = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        report->topics[kind].produced = producer.topics[kind].produced;
        report->topics[kind].acknowledged = producer.topics[kind].acknowledged;
        report->topics[kind].failed = producer.topics[kind].failed;
        report->topics[kind].consumed = counts.taken[kind];
        report->topics[kind].quarantined = counts.quarantined[kind];
        report->topics[kind].gaps = consumer.topics[kind].gaps;
        report->topics[kind].lag = consumer.topics[kind].lag;
        /* While it runs, what is not consumed yet is under way; after session_finish it did not come, unless
         * the broker that has it cannot be asked. */
        if (session->finished && consumer.kafka.state == KAFKA_UP &&
            producer.topics[kind].acknowledged > counts.taken[kind])
            report->lost += producer.topics[kind].acknowledged - counts.taken[kind];
        gaps += consumer.topics[kind].gaps;
    }
    if (gaps > report->lost)
        report->lost = gaps;
    report->recorded = recorder.recorded;
    report->missed = recorder.missed;
    text_copy(report->journey, sizeof report->journey, session->recorder ? session->journey_path : "");
    text_copy(report->broker, sizeof report->broker, session->bootstrap);
}

static json_t *report_topics(const struct session_report *report)
{
    json_t *topics = json_object();
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        json_object_set_new(
            topics, event_topic((enum event_kind)kind),
            json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "produced", (json_int_t)report->topics[kind].produced,
                      "acknowledged", (json_int_t)report->topics[kind].acknowledged, "failed",
                      (json_int_t)report->topics[kind].failed, "consumed",
                      (json_int_t)report->topics[kind].consumed, "quarantined",
                      (json_int_t)report->topics[kind].quarantined, "gaps",
                      (json_int_t)report->topics[kind].gaps, "lag", (json_int_t)report->topics[kind].lag));
    }
    return topics;
}

static json_t *report_object(struct session *session)
{
    struct session_report report;
    session_report(session, &report);
    json_t *object = json_object();
    json_object_set_new(object, "broker", json_string(report.broker));
    json_object_set_new(object, "embedded", json_boolean(session->broker != NULL));
    json_object_set_new(object, "topics", report_topics(&report));
    json_object_set_new(object, "lost", json_integer((json_int_t)report.lost));
    if (session->recorder)
        json_object_set_new(object, "journey",
                            json_pack("{s:s,s:I,s:I}", "path", report.journey, "recorded",
                                      (json_int_t)report.recorded, "missed", (json_int_t)report.missed));
    return object;
}

static char *report_dump(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(object);
    return text;
}

char *session_report_json(struct session *session)
{
    return report_dump(report_object(session));
}

/* The socket is the user's own, so the local cloud's keys may pass; those of an account never do. */
static json_t *report_cloud(struct session *session)
{
    static const char *const states[] = {"off", "starting", "ready", "not reached"};
    const struct view_cloud *cloud = &session->view.cloud;
    const struct cloud_address *local = backend_local(session->backend);
    json_t *object = json_pack("{s:s,s:b,s:s,s:s,s:s,s:s,s:s}", "state", states[cloud->state], "local",
                               cloud->local, "endpoint", local ? local->endpoint : cloud->endpoint, "region",
                               local ? local->region : cloud->region, "account", cloud->account, "bucket",
                               cloud->bucket, "problem", cloud->problem);
    if (local) {
        json_object_set_new(object, "access_key", json_string(local->access_key));
        json_object_set_new(object, "secret_key", json_string(local->secret_key));
    }
    return object;
}

static json_t *report_lake(const struct lake_figures *lake)
{
    json_t *topics = json_object();
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct lake_kind_figures *figures = &lake->kinds[kind];
        json_object_set_new(
            topics, event_topic((enum event_kind)kind),
            json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "taken", (json_int_t)figures->taken, "landed",
                      (json_int_t)figures->rows, "quarantined", (json_int_t)figures->quarantined, "waiting",
                      (json_int_t)figures->waiting, "missing", (json_int_t)figures->missing, "objects",
                      (json_int_t)figures->objects, "bytes", (json_int_t)figures->object_bytes));
    }
    return json_pack("{s:b,s:b,s:I,s:I,s:s,s:o}", "paused", lake->paused, "blocked", lake->blocked, "batches",
                     (json_int_t)lake->batches, "retries", (json_int_t)lake->retries, "problem",
                     lake->problem, "topics", topics);
}

char *session_status_json(struct session *session)
{
    const struct view *view = session_view(session, clock_mono_us());
    json_t *object = report_object(session);
    char time[TEXT_TIME_SIZE];
    static const char *const states[] = {"connecting", "up", "down"};
    json_object_set_new(object, "pid", json_integer(getpid()));
    json_object_set_new(object, "version", json_string(SMARTCITY_VERSION));
    json_object_set_new(object, "kafka", json_string(states[view->consumer.kafka.state]));
    json_object_set_new(object, "lag_seconds", json_real(view->city->lag_seconds));
    json_object_set_new(object, "simulated_time", json_string(text_time(time, view->city->simulated_ms)));
    json_object_set_new(object, "vehicles", json_integer((json_int_t)view->city->vehicle_count));
    json_object_set_new(object, "incidents_open", json_integer((json_int_t)view->city->incidents_open));
    json_object_set_new(object, "memory_bytes", json_integer((json_int_t)view->memory_bytes));
    if (view->sim.present)
        json_object_set_new(object, "simulation",
                            json_pack("{s:b,s:b,s:f,s:f,s:f,s:I,s:I}", "paused", view->sim.paused, "held",
                                      view->sim.held, "speed", view->sim.speed, "reached", view->sim.reached,
                                      "events_per_s", view->sim.events_per_s, "seed",
                                      (json_int_t)view->sim.seed, "vehicles",
                                      (json_int_t)view->sim.world.connected));
    if (session->backend)
        json_object_set_new(object, "cloud", report_cloud(session));
    if (view->lake.present)
        json_object_set_new(object, "lake", report_lake(&view->lake.figures));
    if (view->replay.active)
        json_object_set_new(object, "replay",
                            json_pack("{s:s,s:b,s:f,s:f,s:f}", "journey", view->replay.name, "paused",
                                      view->replay.paused, "speed", view->replay.speed, "position_s",
                                      (double)view->replay.position_us / 1e6, "length_s",
                                      (double)view->replay.length_us / 1e6));
    return report_dump(object);
}
