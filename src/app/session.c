#include "app/session_private.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_ENTRIES  1000
#define FINISH_FLUSH 3000000 /* and so long for the lake, whose source ends with it */
#define FINISH_QUICK 1500000 /* a console that quits waits this long for what is under way */

static void session_wake(void *context)
{
    struct session *session = context;
    if (session->settings.wake)
        session->settings.wake(session->settings.context);
}

static void session_on_reset(void *context, int64_t produced_us)
{
    struct session *session = context;
    if (session->live)
        feed_reset(session->live, produced_us);
}

static size_t session_max_vehicles(void)
{
    return WORLD_MAX_VEHICLES + 1000;
}

static struct kafka_settings session_kafka(struct session *session)
{
    const struct options *options = session->options;
    return (struct kafka_settings){.bootstrap = session->bootstrap,
                                   .properties = (const char *const *)options->properties.items,
                                   .property_count = options->properties.count,
                                   .topic_prefix = options->topic_prefix,
                                   .embedded = session->broker != NULL,
                                   .log = session->log};
}

static int session_start_simulation(struct session *session, struct err *err)
{
    const struct options *options = session->options;
    struct kafka_settings kafka = session_kafka(session);
    struct simulator_settings settings = {.speed = options->max_speed ? 0 : options->speed,
                                          .log = session->log,
                                          .on_reset = session_on_reset,
                                          .context = session};
    session->producer = producer_create(&kafka, err);
    if (!session->producer)
        return -1;
    producer_expect_consumer(session->producer, session->broker != NULL);
    options_world(options, &settings.world);
    session->simulator = simulator_start(&settings, session->producer, err);
    return session->simulator ? 0 : -1;
}

static int session_start_ingest(struct session *session, struct err *err)
{
    const struct options *options = session->options;
    static const int from[] = {CONSUMER_FROM_STORED, CONSUMER_FROM_START, CONSUMER_FROM_END};
    struct consumer_settings settings = {
        .kafka = session_kafka(session), .group = options->group, .durable = true};
    settings.from = session->broker ? CONSUMER_FROM_START : from[options->from];
    /* Ours reads the embedded broker without joining; another console may join the group of the plain name.
     */
    snprintf(session->group, sizeof session->group, "%s%s", options->group, session->broker ? "-own" : "");
    settings.group = session->group[0] ? session->group : NULL;
    session->live = feed_create(session_max_vehicles(), session_wake, session);
    session->ingest =
        ingest_start(&settings, session->live, session->recorder, session->producer, session->log, err);
    return session->ingest ? 0 : -1;
}

static int session_start_live(struct session *session, struct err *err)
{
    const struct options *options = session->options;
    if (options->bootstrap[0]) {
        text_copy(session->bootstrap, sizeof session->bootstrap, options->bootstrap);
    } else {
        session->broker = broker_create(err);
        if (!session->broker)
            return -1;
        text_copy(session->bootstrap, sizeof session->bootstrap, broker_bootstrap(session->broker));
        log_write(session->log, LOG_INFO, "kafka", "embedded broker on %s; kcat -b %s -L lists its topics",
                  session->bootstrap, session->bootstrap);
    }
    if (!session->broker && !options->simulate && !session->settings.sink)
        log_write(session->log, LOG_INFO, "kafka", "watching %s; nothing is simulated here",
                  session->bootstrap);
    if (options->record && !session->settings.sink) {
        struct err local = ERR_INIT;
        if (session_record(session, true, options->name, &local) <
            0) /* a full disk must not keep the console shut */
            log_write(session->log, LOG_ERROR, "recorder", "not recording: %s", local.text);
    }
    if (session->settings.sink) {
        session->live = feed_create(1, NULL, NULL); /* nothing is shown, but there is something to look at */
        return 0;
    }
    if (options->simulate && session_start_simulation(session, err) < 0)
        return -1;
    return session_start_ingest(session, err);
}

/* Headless, only when it was asked for: a measuring run is not to be slowed by what nobody looks at. */
static bool session_wants_backend(const struct session *session)
{
    const struct options *options = session->options;
    return options->cloud != CLOUD_NONE &&
           (session->settings.screen || session->settings.sink || options_is_set(options, "cloud"));
}

static void session_start_backend(struct session *session)
{
    struct err err = ERR_INIT;
    struct backend_settings settings = {.options = session->options,
                                        .producer = session->broker ? session->producer : NULL,
                                        .lake = session->bootstrap[0] != '\0',
                                        .log = session->log,
                                        .wake = session_wake,
                                        .context = session};
    if (settings.lake)
        settings.kafka = session_kafka(session);
    session->backend = backend_start(&settings, &err);
    if (!session->backend)
        log_write(session->log, LOG_ERROR, "cloud", "%s", err.text);
}

static void session_start_queries(struct session *session)
{
    struct err err = ERR_INIT;
    struct queries_settings settings = {.options = session->options,
                                        .backend = session->backend,
                                        .jobs = session->jobs,
                                        .log = session->log,
                                        .wake = session_wake,
                                        .context = session};
    session->queries = queries_create(&settings, &err);
    if (!session->queries)
        log_write(session->log, LOG_ERROR, "query", "%s", err.text);
}

struct session *session_create(const struct session_settings *settings, struct err *err)
{
    struct session *session = mem_zero(1, sizeof *session);
    char path[FILE_PATH_SIZE];
    struct err local = ERR_INIT;
    session->settings = *settings;
    session->options = settings->options;
    session->log = log_create(LOG_ENTRIES);
    log_set_least(session->log, session->options->verbose ? LOG_DEBUG : LOG_INFO);
    session->jobs = jobs_create(session->log, session_wake, session);
    session->catalogue = catalogue_create();
    session->log_entries = mem_zero(LOG_ENTRIES, sizeof *session->log_entries);
    if (settings->screen) {
        if (file_make_place(FILE_STATE, "smartcity.log", path, &local) < 0 ||
            log_open_file(session->log, path, &local) < 0)
            log_write(session->log, LOG_WARNING, "store", "no log file: %s", local.text);
        if (file_make_place(FILE_CACHE, "cache.sqlite", path, &local) == 0)
            session->cache = cache_open(path, session->log);
    }
    int result = settings->replay_path
                     ? session_replay(session, settings->replay_path,
                                      session->options->max_speed ? 0 : session->options->speed, err)
                     : session_start_live(session, err);
    if (result < 0) {
        session_destroy(session);
        return NULL;
    }
    if (session_wants_backend(session))
        session_start_backend(session);
    if (settings->screen || session->backend)
        session_start_queries(session);
    return session;
}

void session_destroy(struct session *session)
{
    if (!session)
        return;
    playback_destroy(session->playback);
    if (session->simulator)
        session_finish(session, FINISH_QUICK);
    jobs_destroy(session->jobs);
    catalogue_release(session->view.catalogue.snapshot);
    catalogue_destroy(session->catalogue);
    queries_destroy(session->queries);
    backend_stop(session->backend, session->broker && session->settings.screen &&
                                           session->view.lake.present && !session->view.lake.figures.paused
                                       ? FINISH_FLUSH
                                       : 0);
    ingest_destroy(session->ingest);
    recorder_destroy(session->recorder);
    if (session->producer) {
        uint64_t left = producer_destroy(session->producer, FINISH_QUICK);
        if (left > 0)
            fprintf(stderr, "smartcity: %llu events were not acknowledged by %s before the end\n",
                    (unsigned long long)left, session->bootstrap);
    }
    feed_destroy(session->live);
    feed_destroy(session->replayed);
    broker_destroy(session->broker);
    cache_close(session->cache);
    city_snapshot_release(session->shown);
    free(session->journeys);
    free(session->log_entries);
    log_destroy(session->log);
    free(session);
}

struct feed *session_feed(struct session *session)
{
    return session->replayed ? session->replayed : session->live;
}

int session_replay(struct session *session, const char *path, double speed, struct err *err)
{
    struct feed *feed = NULL;
    struct playback *playback = NULL;
    if (path) {
        feed = feed_create(session_max_vehicles(), session_wake, session);
        struct playback_settings settings = {.path = path,
                                             .speed = speed,
                                             .feed = feed,
                                             .log = session->log,
                                             .seek_us = session->playback ? 0 : session->options->seek};
        playback = playback_start(&settings, err);
        if (!playback) {
            feed_destroy(feed);
            return -1;
        }
    }
    playback_destroy(session->playback);
    feed_destroy(session->replayed);
    session->playback = playback;
    session->replayed = feed;
    session->view.tail = (struct view_tail){.generation = session->view.tail.generation + 1};
    session->figures_read_us = 0;
    if (session_feed(session)) /* who looks at the view before the next frame must not find what is gone */
        session_view(session, clock_mono_us());
    return 0;
}

int session_record(struct session *session, bool on, const char *name, struct err *err)
{
    struct recorder *old = session->recorder, *new = NULL;
    if (on) {
        char seed[24];
        snprintf(seed, sizeof seed, "%lld",
                 session->options->simulate ? (long long)session->options->seed : -1LL);
        struct journey_settings settings = {.folder = session->options->journeys,
                                            .name = name && *name ? name : "",
                                            .seed = session->options->simulate ? seed : "",
                                            .source = session->broker ? "LOCAL" : session->bootstrap,
                                            .limit_bytes = session->options->record_limit,
                                            .folder_limit_bytes = session->options->journeys_limit};
        new = recorder_create(&settings, session->log, err);
        if (!new)
            return -1;
        /* A name of its own, which no other console can have; the folder while it cannot be written. */
        struct recorder_figures figures;
        recorder_figures(new, &figures);
        text_copy(session->journey_path, sizeof session->journey_path, figures.journey.path);
        if (figures.state == RECORDER_ON)
            log_write(session->log, LOG_INFO, "store", "recording to %s", session->journey_path);
    }
    session->recorder = new;
    if (session->ingest)
        ingest_set_recorder(session->ingest, new);
    recorder_destroy(old);
    session_journeys_changed(session);
    return 0;
}

static bool session_behind(struct session *session)
{
    struct session_report report;
    session_report(session, &report);
    bool behind = false;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        behind = behind || report.topics[kind].consumed < report.topics[kind].acknowledged;
    return behind;
}

bool session_finish(struct session *session, int64_t wait_us)
{
    int64_t until = clock_mono_us() + wait_us;
    struct err err = ERR_INIT;
    simulator_destroy(session->simulator);
    session->simulator = NULL;
    if (!session->producer)
        return true;
    bool done = producer_flush(session->producer, wait_us, &err) == 0, behind = false;
    while (session->live && (behind = session_behind(session)) && clock_mono_us() < until)
        clock_sleep_until(clock_mono_us() + 2000);
    session->finished = true;
    return done && !behind;
}

bool session_ended(struct session *session)
{
    struct err err;
    return (session->simulator && simulator_ended(session->simulator)) ||
           (session->playback && playback_ended(session->playback, &err));
}

struct backend *session_backend(struct session *session)
{
    return session->backend;
}

bool session_was_connected(struct session *session)
{
    struct producer_figures producer = {0};
    struct consumer_figures consumer = {0};
    if (session->producer)
        producer_figures(session->producer, &producer);
    if (session->ingest)
        ingest_figures(session->ingest, &consumer);
    return session->playback || producer.kafka.was_up || consumer.kafka.was_up;
}

struct log *session_log(struct session *session)
{
    return session->log;
}

bool session_wants_quit(const struct session *session)
{
    return session->quit;
}

const char *session_broker(const struct session *session)
{
    return session->bootstrap;
}

size_t session_history(struct session *session, char (*lines)[256], size_t count)
{
    return session->cache ? cache_history(session->cache, lines, count) : 0;
}

void session_history_add(struct session *session, const char *line)
{
    struct err err = ERR_INIT;
    if (session->cache && cache_history_add(session->cache, line, &err) < 0)
        log_write(session->log, LOG_WARNING, "store", "history not kept: %s", err.text);
}

bool session_remember(struct session *session, const char *name, char *value, size_t size)
{
    return session->cache && cache_get(session->cache, name, value, size);
}

void session_note(struct session *session, const char *name, const char *value)
{
    struct err err = ERR_INIT;
    if (session->cache && cache_set(session->cache, name, value, &err) < 0)
        log_write(session->log, LOG_WARNING, "store", "%s not remembered: %s", name, err.text);
}
