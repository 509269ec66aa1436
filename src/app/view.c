/* session_view(): everything the screen may show, gathered on the main thread before a frame. */
#include "app/commands_session.h"
#include "app/session_private.h"

#include "base/clock.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIGURES_US       250000
#define JOURNEYS_SOON_US 1000000
#define JOURNEYS_US      10000000
#define THROUGHPUT_US    10000000
#define TOAST_US         5000000
#define TOAST_ERROR_US   9000000
#define LOG_SHOWN        1000

static uint64_t view_hash(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *byte = bytes; /* FNV-1a: change detection only */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ byte[i]) * UINT64_C(1099511628211);
    return hash;
}

static void view_process(struct session *session, int64_t mono_us)
{
    struct view *view = &session->view;
    FILE *file = fopen("/proc/self/statm", "re");
    char line[128] = "";
    int64_t pages = 0;
    if (file) {
        if (fgets(line, sizeof line, file)) { /* "size resident shared …" in pages */
            char *resident = line + strcspn(line, " ");
            resident += strspn(resident, " ");
            resident[strcspn(resident, " \n")] = 0;
            text_parse_int(resident, 0, INT64_MAX >> 20, &pages);
        }
        fclose(file);
    }
    view->memory_bytes = pages * sysconf(_SC_PAGESIZE) / 1000000 * 1000000; /* whole MB: no flicker */
    int64_t cpu = clock_process_cpu_us(), elapsed = mono_us - session->cpu_mono_us;
    if (elapsed >= 2000000) {
        if (session->cpu_mono_us)
            view->cpu_percent = round((double)(cpu - session->cpu_us) * 100 / (double)elapsed);
        session->cpu_us = cpu;
        session->cpu_mono_us = mono_us;
    }
}

static void view_cloud_label(struct view *view)
{
    static const char *const words[] = {"off", "starting", "", "not reached"};
    const struct view_cloud *cloud = &view->cloud;
    if (cloud->state == VIEW_CLOUD_READY && !cloud->local)
        snprintf(view->cloud_label, sizeof view->cloud_label, "%s%s %.30s", cloud->billable ? "AWS " : "",
                 cloud->account, cloud->region);
    else
        text_copy(view->cloud_label, sizeof view->cloud_label,
                  cloud->state == VIEW_CLOUD_READY ? "LOCAL" : words[cloud->state]);
}

static void view_label(struct view *view, struct session *session)
{
    text_copy(view->kafka_label, sizeof view->kafka_label,
              session->broker         ? "LOCAL"
              : session->bootstrap[0] ? session->bootstrap
                                      : "none");
    text_copy(view->kafka_address, sizeof view->kafka_address, session->bootstrap);
    text_copy(view->topic_prefix, sizeof view->topic_prefix,
              session->broker ? "" : session->options->topic_prefix);
    view_cloud_label(view);
    view->read_only = session->options->read_only;
    view->source = session->playback ? VIEW_REPLAY : session->simulator ? VIEW_LIVE : VIEW_WATCH;
}

static void view_figures(struct session *session)
{
    struct view *view = &session->view;
    memset(&view->sim, 0, sizeof view->sim);
    memset(&view->replay, 0, sizeof view->replay);
    memset(&view->producer, 0, sizeof view->producer);
    memset(&view->consumer, 0, sizeof view->consumer);
    memset(&view->recorder, 0, sizeof view->recorder);
    if (session->simulator)
        simulator_view(session->simulator, &view->sim);
    if (session->playback)
        playback_view(session->playback, &view->replay);
    if (session->producer)
        producer_figures(session->producer, &view->producer);
    if (session->ingest)
        ingest_figures(session->ingest, &view->consumer);
    if (session->recorder)
        recorder_figures(session->recorder, &view->recorder);
    memset(&view->cloud, 0, sizeof view->cloud);
    memset(&view->lake, 0, sizeof view->lake);
    memset(&view->pipeline, 0, sizeof view->pipeline);
    if (session->backend)
        backend_view(session->backend, &view->cloud, &view->lake, &view->pipeline);
    catalogue_release(view->catalogue.snapshot);
    view->catalogue.snapshot = catalogue_snapshot(session->catalogue);
    view->catalogue.reading = catalogue_reading(session->catalogue);
    if (session->settings.screen && !session->catalogue_asked && view->lake.present &&
        view->cloud.state == VIEW_CLOUD_READY) { /* once by itself; then when its screen is shown */
        struct command_call call = {.source = "console"};
        struct command_reply reply = {0};
        session->catalogue_asked = true;
        commands_catalogue(session, &call, &reply);
        free(reply.json);
    }
    if (session->queries)
        queries_view(session->queries, &view->query);
    view->job_count = jobs_list(session->jobs, view->jobs, VIEW_JOBS);
}

/* ---- the pipeline strip ----------------------------------------------------------------------------- */

static void view_hop_sim(const struct view *view, struct view_hop *hop)
{
    char figure[TEXT_FIGURE_SIZE];
    hop->name = "SIM";
    hop->key = "space";
    hop->action = view->sim.paused ? "go on" : "pause";
    if (!view->sim.present) {
        hop->state = HOP_OFF;
        hop->key = hop->action = NULL;
        snprintf(hop->detail, sizeof hop->detail, view->replay.active ? "replay" : "none here");
        return;
    }
    hop->state = view->sim.paused ? HOP_BUSY : view->sim.held ? HOP_WARNING : HOP_GOOD;
    snprintf(hop->figure, sizeof hop->figure, "%s/s", text_si(figure, view->sim.events_per_s));
    if (view->sim.paused)
        snprintf(hop->detail, sizeof hop->detail, "paused");
    else if (view->sim.held)
        snprintf(hop->detail, sizeof hop->detail, "held back");
    else
        snprintf(hop->detail, sizeof hop->detail, "×%.3g", view->sim.reached);
}

const struct kafka_figures *view_kafka(const struct view *view)
{
    return view->producer.kafka.state == KAFKA_DOWN ? &view->producer.kafka : &view->consumer.kafka;
}

static void view_hop_kafka(const struct view *view, struct view_hop *hop)
{
    char figure[TEXT_FIGURE_SIZE];
    int64_t lag = 0;
    double seconds = 0;
    hop->name = "KAFKA";
    if (view->source == VIEW_REPLAY && !view->consumer.kafka.statistics_count) {
        snprintf(hop->detail, sizeof hop->detail, "not used");
        return;
    }
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        if (view->consumer.topics[kind].lag > 0)
            lag += view->consumer.topics[kind].lag;
        if (view->consumer.topics[kind].lag_seconds > seconds)
            seconds = view->consumer.topics[kind].lag_seconds;
    }
    enum kafka_state state = view_kafka(view)->state;
    hop->state = state == KAFKA_UP     ? seconds > 5 ? HOP_WARNING : HOP_GOOD
                 : state == KAFKA_DOWN ? HOP_BAD
                                       : HOP_BUSY;
    if (state == KAFKA_UP) {
        snprintf(hop->figure, sizeof hop->figure, "lag %s", text_si(figure, (double)lag));
        snprintf(hop->detail, sizeof hop->detail, "%.1f s", seconds);
    } else {
        snprintf(hop->figure, sizeof hop->figure, "%s", state == KAFKA_DOWN ? "DOWN" : "connecting");
        snprintf(hop->detail, sizeof hop->detail, "%.27s", view->kafka_label);
    }
}

static const char *view_cloud_word(const struct view *view)
{
    static const char *const words[] = {"off", "starting", "", "not reached"};
    return words[view->cloud.state];
}

static void view_hop_lake(const struct view *view, struct view_hop *hop)
{
    const struct lake_figures *lake = &view->lake.figures;
    char figure[TEXT_FIGURE_SIZE];
    hop->name = "LAKE";
    if (!view->lake.present) {
        hop->state = view->lake.problem[0] ? HOP_BAD : HOP_OFF;
        snprintf(hop->detail, sizeof hop->detail, "%s",
                 view->lake.problem[0] ? "see the log" : view_cloud_word(view));
        return;
    }
    uint64_t waiting = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        waiting += lake->kinds[kind].waiting;
    hop->state = lake->problem[0] || view->lake.problem[0] ? HOP_BAD
                 : lake->blocked                           ? HOP_WARNING
                 : lake->paused                            ? HOP_BUSY
                                                           : HOP_GOOD;
    hop->key = "f";
    hop->action = "flush";
    snprintf(hop->figure, sizeof hop->figure, "%s rows", text_si(figure, (double)waiting));
    if (lake->closed + lake->spooled + lake->landing > 0)
        snprintf(hop->detail, sizeof hop->detail, "landing");
    else if (lake->paused)
        snprintf(hop->detail, sizeof hop->detail, "paused");
    else if (lake->oldest_us)
        snprintf(hop->detail, sizeof hop->detail, "waiting %.0f s",
                 (double)(view->wall_us - lake->oldest_us) / 1e6);
    else
        snprintf(hop->detail, sizeof hop->detail, "waiting");
}

static void view_hop_s3(const struct view *view, struct view_hop *hop)
{
    char figure[TEXT_FIGURE_SIZE];
    uint64_t objects = 0, bytes = 0;
    hop->name = "S3";
    if (view->cloud.state != VIEW_CLOUD_READY) {
        hop->state = view->cloud.state == VIEW_CLOUD_BAD ? HOP_BAD : HOP_OFF;
        snprintf(hop->detail, sizeof hop->detail, "%s", view_cloud_word(view));
        return;
    }
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        objects += view->lake.figures.kinds[kind].objects;
        bytes += view->lake.figures.kinds[kind].object_bytes;
    }
    hop->state = HOP_GOOD;
    snprintf(hop->figure, sizeof hop->figure, "%s objects", text_si(figure, (double)objects));
    snprintf(hop->detail, sizeof hop->detail, "%s", text_bytes(figure, (double)bytes));
}

/* What a service of the cloud did last, by its jobs. */
static void view_hop_jobs(const struct view *view, struct view_hop *hop, const char *name, const char *kind)
{
    hop->name = name;
    if (view->cloud.state != VIEW_CLOUD_READY) {
        hop->state = view->cloud.state == VIEW_CLOUD_BAD ? HOP_BAD : HOP_OFF;
        snprintf(hop->detail, sizeof hop->detail, "%s", view_cloud_word(view));
        return;
    }
    hop->state = HOP_GOOD;
    snprintf(hop->figure, sizeof hop->figure, "idle");
    for (size_t i = 0; i < view->job_count; i++) {
        const struct job_figures *job = &view->jobs[i];
        if (strcmp(job->kind, kind) != 0)
            continue;
        hop->state = job->state == JOB_FAILED ? HOP_BAD : job->state <= JOB_RUNNING ? HOP_BUSY : HOP_GOOD;
        snprintf(hop->figure, sizeof hop->figure, "%s %s", kind, job_state_name(job->state));
        snprintf(hop->detail, sizeof hop->detail, "%.1f s", (double)job->took_us / 1e6);
        break;
    }
}

/* How many rows of what has landed a step has not taken yet; -1 unknown. */
static int64_t view_behind(const struct view *view, enum ledger_step step)
{
    int64_t behind = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct ledger_totals *totals = &view->pipeline.figures.totals[kind];
        behind += totals->rows[LEDGER_LANDED] - totals->rows[step];
    }
    return view->pipeline.present ? behind : -1;
}

static void view_hop_behind(const struct view *view, struct view_hop *hop, enum ledger_step step,
                            const char *key, const char *action)
{
    char figure[TEXT_FIGURE_SIZE];
    int64_t behind = view_behind(view, step);
    if (behind < 0 || hop->state == HOP_OFF || hop->state == HOP_BAD)
        return;
    hop->key = key;
    hop->action = action;
    if (hop->state == HOP_BUSY) /* what it does now says more */
        return;
    if (behind == 0)
        snprintf(hop->figure, sizeof hop->figure, "all %s", ledger_step_name(step));
    else
        snprintf(hop->figure, sizeof hop->figure, "%s behind", text_si(figure, (double)behind));
}

static void view_hops(struct view *view)
{
    memset(view->hops, 0, sizeof view->hops);
    view_hop_sim(view, &view->hops[0]);
    view_hop_kafka(view, &view->hops[1]);
    view_hop_lake(view, &view->hops[2]);
    view_hop_s3(view, &view->hops[3]);
    view_hop_jobs(view, &view->hops[4], "GLUE", "transform");
    view_hop_behind(view, &view->hops[4], LEDGER_TRANSFORMED, "x", "transform");
    view_hop_jobs(view, &view->hops[5], "ATHENA", "query");
    view_hop_jobs(view, &view->hops[6], "REDSHIFT", "load");
    view_hop_behind(view, &view->hops[6], LEDGER_LOADED, "w", "load");
}

/* ---- log, toast, journeys, throughput --------------------------------------------------------------- */

static void view_log(struct session *session, int64_t mono_us)
{
    struct view *view = &session->view;
    uint64_t last = log_last(session->log);
    if (last != view->log_last) {
        uint64_t after = last > LOG_SHOWN ? last - LOG_SHOWN : 0;
        session->log_count = log_read(session->log, after, session->log_entries, LOG_SHOWN);
        view->log_last = last;
        view->log = session->log_entries;
        view->log_count = session->log_count;
        /* The worst of what is new, the newest of equals; a warning does not hide an error that is still
         * there. */
        const struct log_entry *worst = NULL;
        for (size_t i = session->log_count; i > 0; i--) {
            const struct log_entry *entry = &session->log_entries[i - 1];
            if (entry->sequence <= session->toasted)
                break;
            if (entry->level >= LOG_DONE && (!worst || entry->level > worst->level))
                worst = entry;
        }
        if (worst &&
            !(worst->level == LOG_WARNING && view->toast.level > LOG_WARNING && view->toast.text[0])) {
            view->toast.level = worst->level;
            view->toast.until_us = mono_us + (worst->level >= LOG_WARNING ? TOAST_ERROR_US : TOAST_US);
            text_copy(view->toast.text, sizeof view->toast.text, worst->text);
        }
        session->toasted = last;
    }
    if (view->toast.text[0] && mono_us >= view->toast.until_us)
        view->toast = (struct view_toast){0};
}

void session_journeys_changed(struct session *session)
{
    session->journeys_read_us = 0;
}

/* A recording that began appears in the list within a second, not at the next look at the folder. */
static bool view_lists_recording(const struct view *view)
{
    const char *path = view->recorder.journey.path;
    for (size_t i = 0; i < view->journey_count; i++)
        if (strcmp(view->journeys[i].info.path, path) == 0)
            return true;
    return view->recorder.state == RECORDER_OFF || path[0] == '\0';
}

static void view_journeys(struct session *session, int64_t mono_us)
{
    struct view *view = &session->view;
    int64_t every_us = view_lists_recording(view) ? JOURNEYS_US : JOURNEYS_SOON_US;
    if (session->journeys_read_us && mono_us - session->journeys_read_us < every_us)
        return;
    struct journey_listing *list = NULL;
    size_t count = 0;
    struct err err = ERR_INIT;
    session->journeys_read_us = mono_us;
    text_copy(view->journeys_folder, sizeof view->journeys_folder, session->options->journeys);
    view->journeys_limit = session->options->record_limit;
    if (journeys_list(session->options->journeys, &list, &count, &err) < 0)
        return;
    uint64_t before = view_hash(0, session->journeys, session->journey_count * sizeof *session->journeys);
    uint64_t after = view_hash(0, list, count * sizeof *list);
    free(session->journeys);
    session->journeys = list;
    session->journey_count = count;
    view->journeys = list;
    view->journey_count = count;
    view->journeys_generation += before != after;
    view->journeys_bytes = 0;
    for (size_t i = 0; i < count; i++)
        view->journeys_bytes += list[i].info.file_bytes;
}

static void view_keep_throughput(struct session *session, int64_t mono_us)
{
    if (!session->cache || session->playback || mono_us - session->throughput_us < THROUGHPUT_US)
        return;
    session->throughput_us = mono_us;
    struct err err = ERR_INIT;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct city_topic *topic = &session->view.city->topics[kind];
        double events = series_rate(&topic->events_series, 10), bytes = series_rate(&topic->bytes_series, 10);
        if (events > 0 &&
            cache_throughput_add(session->cache, session->view.wall_us, kind, events, bytes, &err) < 0)
            break;
    }
}

const struct view *session_view(struct session *session, int64_t mono_us)
{
    struct view *view = &session->view;
    struct feed *feed = session_feed(session);
    struct city_snapshot *snapshot = feed_snapshot(feed);
    view->wall_us = clock_wall_us();
    view->mono_us = mono_us;
    bool new_city = snapshot != session->shown;
    city_snapshot_release(session->shown);
    session->shown = snapshot;
    view->city = snapshot;
    bool figures_due = new_city || mono_us - session->figures_read_us >= FIGURES_US;
    if (figures_due) {
        session->figures_read_us = mono_us;
        view_figures(session);
        view_label(view, session);
        view_hops(view);
        view_process(session, mono_us);
        view_keep_throughput(session, mono_us);
        if (session->settings.screen)
            view_journeys(session, mono_us);
    }
    view_log(session, mono_us);
    bool new_tail = tail_refresh(feed_tail(feed), &view->tail);
    uint64_t hash = view_hash(0, &view->sim, sizeof view->sim);
    hash = view_hash(hash, &view->replay, sizeof view->replay);
    hash = view_hash(hash, view->hops, sizeof view->hops);
    hash = view_hash(hash, &view->toast, sizeof view->toast);
    hash = view_hash(hash, &view->log_last, sizeof view->log_last);
    hash = view_hash(hash, &view->journeys_generation, sizeof view->journeys_generation);
    hash = view_hash(hash, &view->producer, sizeof view->producer);
    hash = view_hash(hash, &view->consumer, sizeof view->consumer);
    hash = view_hash(hash, &view->recorder, sizeof view->recorder);
    hash = view_hash(hash, &view->cloud, sizeof view->cloud);
    hash = view_hash(hash, &view->lake, sizeof view->lake);
    hash = view_hash(hash, &view->pipeline, sizeof view->pipeline);
    if (view->catalogue.snapshot)
        hash = view_hash(hash, &view->catalogue.snapshot->generation, sizeof(uint64_t));
    hash = view_hash(hash, &view->query.generation, sizeof view->query.generation);
    hash = view_hash(hash, view->jobs, view->job_count * sizeof *view->jobs);
    if (new_city || new_tail || hash != session->hash)
        view->generation++;
    session->hash = hash;
    return view;
}

const struct view *session_view_peek(const struct session *session)
{
    return &session->view;
}
