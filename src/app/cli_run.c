/* run --headless, simulate and replay --to-kafka: the pipeline without a screen. */
#include "app/cli.h"

#include "app/control.h"
#include "app/playback.h"
#include "app/session.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "city/codec.h"
#include "store/transfer.h"
#include "stream/broker.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FINISH_US       15000000
#define CONNECT_US      10000000
#define FINISH_SLICE_US 300000

/* ---- run --headless --------------------------------------------------------------------------------- */

struct headless {
    struct session *session;
    struct narrator narrator;
    bool interrupted;
};

static void headless_on_signal(struct loop *loop, void *context)
{
    ((struct headless *)context)->interrupted = true;
    loop_stop(loop);
}

static void headless_on_end(struct loop *loop, void *context)
{
    loop_stop(loop);
}

static void headless_on_tick(struct loop *loop, void *context)
{
    struct headless *headless = context;
    cli_narrate(session_log(headless->session), &headless->narrator);
    if (session_wants_quit(headless->session) || session_ended(headless->session))
        loop_stop(loop);
}

static void report_print_table(const struct session_report *report)
{
    printf("%-16s %12s %12s %12s %12s %8s\n", "topic", "produced", "acknowledged", "consumed", "quarantined",
           "lag");
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        char lag[24];
        snprintf(lag, sizeof lag, "%lld", (long long)report->topics[kind].lag);
        printf("%-16s %12llu %12llu %12llu %12llu %8s\n", event_topic((enum event_kind)kind),
               (unsigned long long)report->topics[kind].produced,
               (unsigned long long)report->topics[kind].acknowledged,
               (unsigned long long)report->topics[kind].consumed,
               (unsigned long long)report->topics[kind].quarantined,
               report->topics[kind].lag < 0 ? "unknown" : lag);
    }
    printf("lost %llu\n", (unsigned long long)report->lost);
}

static void report_print_csv(const struct session_report *report)
{
    puts("topic,produced,acknowledged,consumed,quarantined,lag");
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        printf("%s,%llu,%llu,%llu,%llu,%lld\n", event_topic((enum event_kind)kind),
               (unsigned long long)report->topics[kind].produced,
               (unsigned long long)report->topics[kind].acknowledged,
               (unsigned long long)report->topics[kind].consumed,
               (unsigned long long)report->topics[kind].quarantined, (long long)report->topics[kind].lag);
}

static int headless_report(struct session *session, int output)
{
    struct session_report report;
    session_report(session, &report);
    if (output == OUTPUT_TABLE) {
        report_print_table(&report);
    } else if (output == OUTPUT_CSV) {
        report_print_csv(&report);
    } else {
        char *json = session_report_json(session);
        puts(json);
        free(json);
    }
    if (!session_was_connected(session)) {
        fprintf(stderr, "smartcity: %s was never reached\n", report.broker);
        return EXIT_CONNECTION;
    }
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (report.topics[kind].acknowledged < report.topics[kind].produced)
            return EXIT_CONNECTION; /* session_destroy says how many */
    return report.lost > 0 ? EXIT_FAILED : EXIT_OK;
}

/* What is under way has time to arrive; who asks again to end does not wait for it. The loop is over, so a
 * signal stays pending. */
static void headless_finish(struct headless *headless)
{
    int64_t until = clock_mono_us() + FINISH_US;
    sigset_t ends;
    bool told = false;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    while (!session_finish(headless->session, FINISH_SLICE_US) && clock_mono_us() < until) {
        cli_narrate(session_log(headless->session), &headless->narrator);
        if (!told)
            fprintf(stderr, "waiting at most %d s for what is under way; Ctrl-C ends at once\n",
                    FINISH_US / 1000000);
        told = true;
        if (sigtimedwait(&ends, NULL, &(struct timespec){0}) > 0) {
            headless->interrupted = true;
            break;
        }
    }
}

static int run_headless(struct options *options)
{
    struct err err = ERR_INIT;
    struct headless headless = {0};
    struct loop *loop = loop_create(&err);
    if (!loop)
        return cli_fail(&err);
    loop_add_signal(loop, SIGINT, headless_on_signal, &headless, NULL);
    loop_add_signal(loop, SIGTERM, headless_on_signal, &headless, NULL);
    struct session_settings settings = {.options = options};
    headless.session = session_create(&settings, &err);
    if (!headless.session) {
        loop_destroy(loop);
        return cli_fail(&err);
    }
    fprintf(stderr, "broker %s%s\n", session_broker(headless.session),
            options->bootstrap[0] ? "" : " (embedded)");
    struct control *control = control_create(loop, headless.session, &err);
    if (!control)
        fprintf(stderr, "no control socket: %s\n", err.text);
    if (options->duration > 0)
        loop_add_timer(loop, options->duration, 0, headless_on_end, NULL);
    loop_add_timer(loop, 200000, 200000, headless_on_tick, &headless);
    loop_run(loop);
    control_destroy(control);
    headless_finish(&headless);
    int exit_code = headless_report(headless.session, options->output);
    fflush(stdout);
    session_destroy(headless.session);
    loop_destroy(loop);
    return headless.interrupted ? EXIT_INTERRUPTED : exit_code;
}

int cli_run(struct options *options, const char *const *words, size_t count)
{
    return options->headless ? run_headless(options) : CLI_CONSOLE;
}

/* Waits for the first connection: a wrong address is an answer within seconds, not a queue that fills. */
static int await_broker(struct producer *producer, const char *bootstrap, struct log *log, struct err *err)
{
    int64_t until = clock_mono_us() + CONNECT_US;
    struct narrator narrator = {0};
    struct producer_figures figures;
    do {
        producer_figures(producer, &figures);
        if (figures.kafka.state == KAFKA_UP)
            return 0;
        cli_narrate(log, &narrator);
        clock_sleep_until(clock_mono_us() + 20000);
    } while (clock_mono_us() < until && !interrupt_caught());
    /* The detail begins with the address. */
    return err_set(err, ERR_CONNECT, figures.kafka.detail[0] ? "%s" : "%s was not reached",
                   figures.kafka.detail[0] ? figures.kafka.detail : bootstrap);
}

/* ---- simulate --------------------------------------------------------------------------------------- */

struct simulate {
    struct buf value, line;
    struct producer *producer;
    uint64_t events;
    struct err err;
    bool failed;
};

static void simulate_to_stdout(void *context, const struct event *event)
{
    struct simulate *simulate = context;
    if (simulate->failed)
        return;
    buf_reset(&simulate->value);
    buf_reset(&simulate->line);
    if (!codec_encode(event, &simulate->value)) {
        simulate->failed = true;
        err_set(&simulate->err, ERR_LIMIT, "an event of %s does not fit into a record", event->device_id);
        return;
    }
    struct record record = {.kind = (int)event->kind,
                            .partition = -1,
                            .offset = -1,
                            .key = event->device_id,
                            .key_length = strlen(event->device_id),
                            .value = simulate->value.data,
                            .value_length = simulate->value.length};
    transfer_write_own_line(&record, event->timestamp, &simulate->line);
    buf_char(&simulate->line, '\n');
    if (fwrite(simulate->line.data, 1, simulate->line.length, stdout) != simulate->line.length) {
        simulate->failed = true;
        err_set_errno(&simulate->err, ERR_IO, errno, "standard output");
    }
    simulate->events++;
}

static void simulate_to_kafka(void *context, const struct event *event)
{
    struct simulate *simulate = context;
    while (!simulate->failed && !interrupt_caught()) {
        struct err err = ERR_INIT;
        if (producer_send(simulate->producer, event, 200000, &err) == 0) {
            simulate->events++;
            return;
        }
        if (err.kind != ERR_FULL) {
            simulate->failed = true;
            simulate->err = err;
        }
    }
}

/* Steps the world for the time asked, at the speed asked; stdout is as fast as it is read. */
static void simulate_run(struct simulate *simulate, const struct options *options, struct world *world,
                         world_emit_fn *emit)
{
    int64_t first = world_time(world), began = clock_mono_us();
    int64_t end = options->duration > 0 ? first + options->duration / 1000 : INT64_MAX;
    bool paced = !options->to_stdout && !options->max_speed;
    while (world_time(world) < end && !simulate->failed && !interrupt_caught()) {
        world_step(world, emit, simulate);
        if (paced)
            clock_sleep_until(began + (int64_t)((double)(world_time(world) - first) * 1000 / options->speed));
    }
}

int cli_simulate(struct options *options, const char *const *words, size_t count)
{
    struct simulate simulate = {0};
    struct world_settings settings;
    struct broker *broker = NULL;
    struct log *log = log_create(100);
    char bootstrap[512];
    interrupt_catch();
    buf_init(&simulate.value, CODEC_MAX_RECORD);
    buf_init(&simulate.line, 2 * CODEC_MAX_RECORD);
    options_world(options, &settings);
    struct world *world = world_create(&settings, &simulate.err);
    if (world && options->to_stdout) {
        static char buffer[1 << 16];
        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
        simulate_run(&simulate, options, world, simulate_to_stdout);
        if (!simulate.failed && fflush(stdout) != 0) {
            simulate.failed = true;
            err_set_errno(&simulate.err, ERR_IO, errno, "standard output");
        }
    } else if (world) {
        text_copy(bootstrap, sizeof bootstrap, options->bootstrap);
        if (!bootstrap[0] && (broker = broker_create(&simulate.err)))
            text_copy(bootstrap, sizeof bootstrap, broker_bootstrap(broker));
        struct kafka_settings kafka = {.bootstrap = bootstrap,
                                       .properties = (const char *const *)options->properties.items,
                                       .property_count = options->properties.count,
                                       .topic_prefix = options->topic_prefix,
                                       .embedded = broker != NULL,
                                       .log = log};
        simulate.producer = bootstrap[0] ? producer_create(&kafka, &simulate.err) : NULL;
        simulate.failed = !simulate.producer;
        if (simulate.producer && await_broker(simulate.producer, bootstrap, log, &simulate.err) < 0) {
            simulate.failed = true;
            producer_destroy(simulate.producer, 0);
        } else if (simulate.producer) {
            fprintf(stderr, "simulating into %s%s; Ctrl-C ends\n", bootstrap, broker ? " (embedded)" : "");
            simulate_run(&simulate, options, world, simulate_to_kafka);
            uint64_t left = producer_destroy(simulate.producer, FINISH_US);
            if (left > 0 && !simulate.failed) {
                simulate.failed = true;
                err_set(&simulate.err, ERR_CONNECT, "%llu of %llu events were not acknowledged by %s",
                        (unsigned long long)left, (unsigned long long)simulate.events, bootstrap);
            }
        }
    }
    fprintf(stderr, "%llu events\n", (unsigned long long)simulate.events);
    world_destroy(world);
    broker_destroy(broker);
    buf_free(&simulate.value);
    buf_free(&simulate.line);
    log_destroy(log);
    if (!world || simulate.failed)
        return cli_fail(&simulate.err);
    return interrupt_caught() ? EXIT_INTERRUPTED : EXIT_OK;
}

/* ---- replay ----------------------------------------------------------------------------------------- */

static void replay_progress(const struct view_replay *replay, bool terminal, bool last)
{
    char position[TEXT_FIGURE_SIZE], length[TEXT_FIGURE_SIZE], played[TEXT_FIGURE_SIZE],
        total[TEXT_FIGURE_SIZE];
    if (!terminal && !last)
        return;
    fprintf(stderr, "%s%s of %s, %s of %s records%s", terminal ? "\r" : "",
            text_duration(position, replay->position_us), text_duration(length, replay->length_us),
            text_count(played, (int64_t)replay->played), text_count(total, (int64_t)replay->total),
            last ? "\n" : "");
}

static int replay_to_kafka(struct options *options, const char *path)
{
    struct err err = ERR_INIT;
    struct log *log = log_create(100);
    bool terminal = isatty(STDERR_FILENO);
    int exit_code = EXIT_OK;
    struct kafka_settings kafka = {.bootstrap = options->bootstrap,
                                   .properties = (const char *const *)options->properties.items,
                                   .property_count = options->properties.count,
                                   .topic_prefix = options->topic_prefix,
                                   .log = log};
    interrupt_catch();
    struct producer *producer = producer_create(&kafka, &err);
    struct playback_settings settings = {.path = path,
                                         .speed = options->max_speed ? 0 : options->speed,
                                         .seek_us = options->seek,
                                         .producer = producer,
                                         .log = log};
    bool reached = producer && await_broker(producer, options->bootstrap, log, &err) == 0;
    struct playback *playback = reached ? playback_start(&settings, &err) : NULL;
    if (playback) {
        struct view_replay view;
        while (!playback_ended(playback, &err) && !interrupt_caught()) {
            playback_view(playback, &view);
            replay_progress(&view, terminal, false);
            clock_sleep_until(clock_mono_us() + 200000);
        }
        playback_view(playback, &view);
        replay_progress(&view, terminal, true);
        playback_destroy(playback);
    }
    uint64_t left = producer ? producer_destroy(producer, FINISH_US) : 0;
    if (left > 0 && err.kind == ERR_NONE)
        err_set(&err, ERR_CONNECT, "%llu records were not acknowledged by %s", (unsigned long long)left,
                options->bootstrap);
    if (err.kind != ERR_NONE)
        exit_code = cli_fail(&err);
    log_destroy(log);
    return interrupt_caught() ? EXIT_INTERRUPTED : exit_code;
}

int cli_replay(struct options *options, const char *const *words, size_t count)
{
    struct err err = ERR_INIT;
    if (count != 1) {
        err_set(&err, ERR_USAGE, "replay needs one journey: a file, or a name of `smartcity journeys`");
        return cli_fail(&err);
    }
    if (cli_journey_path(options, words[0], options->replay_path, &err) < 0)
        return cli_fail(&err);
    if (!options->to_kafka)
        return CLI_CONSOLE;
    if (!options->bootstrap[0]) {
        char *reply = NULL; /* the running console's broker, when there is one */
        if (control_ask(0, "status", &reply, &err) == 0) {
            json_t *object = json_loads(reply, 0, NULL);
            const char *broker =
                json_string_value(json_object_get(json_object_get(object, "data"), "broker"));
            text_copy(options->bootstrap, sizeof options->bootstrap, broker ? broker : "");
            json_decref(object);
            free(reply);
        }
        if (!options->bootstrap[0]) {
            err_set(&err, ERR_USAGE,
                    "--to-kafka needs --bootstrap HOST:PORT, or a running console whose broker it can use");
            return cli_fail(&err);
        }
        fprintf(stderr, "into the running console's broker at %s\n", options->bootstrap);
    }
    return replay_to_kafka(options, options->replay_path);
}
