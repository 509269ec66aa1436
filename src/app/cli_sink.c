/* sink: Kafka to the lake without a screen. It answers on the control socket as a console does, so `status`,
 * `flush` and `compact` work on it. */
#include "app/cli.h"

#include "app/backend.h"
#include "app/control.h"
#include "app/session.h"
#include "base/clock.h"
#include "base/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOK_US  200000
#define FLUSH_US 60000000

struct running {
    struct session *session;
    bool drain;
    struct narrator narrator;
};

static void on_end(struct loop *loop, void *context)
{
    loop_stop(loop);
}

static void on_tick(struct loop *loop, void *context)
{
    struct running *running = context;
    cli_narrate(session_log(running->session), &running->narrator);
    session_view(running->session, clock_mono_us());
    if (session_wants_quit(running->session) || (running->drain && session_backend(running->session) &&
                                                 backend_at_end(session_backend(running->session))))
        loop_stop(loop);
}

static void print_report(const struct lake_figures *lake, struct session *session, int output)
{
    if (output == OUTPUT_JSON || output == OUTPUT_NDJSON) {
        char *json = session_status_json(session);
        puts(json);
        free(json);
        return;
    }
    bool csv = output == OUTPUT_CSV;
    puts(csv ? "topic,taken,landed,quarantined,objects"
             : "topic                   taken       landed  quarantined      objects");
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct lake_kind_figures *figures = &lake->kinds[kind];
        const uint64_t columns[] = {figures->taken, figures->rows, figures->quarantined, figures->objects};
        printf(csv ? "%s" : "%-16s", event_topic((enum event_kind)kind));
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            printf(csv ? ",%llu" : " %12llu", (unsigned long long)columns[i]);
        puts("");
    }
}

/* Lands what is held, tells how it went. */
static int finish(struct running *running, int output)
{
    struct backend *backend = session_backend(running->session);
    struct lake *lake = backend ? backend_lake(backend) : NULL;
    struct err err = ERR_INIT;
    struct lake_flushed flushed;
    if (!lake) {
        fprintf(stderr, "smartcity: nothing was written: %s\n",
                session_view(running->session, clock_mono_us())->lake.problem);
        return EXIT_CONNECTION;
    }
    int result = lake_flush_wait(lake, lake_flush(lake, -1), FLUSH_US, &flushed, &err);
    struct lake_figures *figures = mem_alloc(sizeof *figures);
    lake_figures(lake, figures);
    backend_lake_release(backend);
    session_view(running->session, clock_mono_us());
    print_report(figures, running->session, output);
    free(figures);
    if (result == 0)
        return EXIT_OK;
    fprintf(stderr, "smartcity: not all has landed: %s; the next run goes on there\n", err.text);
    return EXIT_FAILED;
}

int cli_sink(struct options *options, const char *const *words, size_t count)
{
    struct err err = ERR_INIT;
    struct running running = {.drain = options->drain};
    if (!options->bootstrap[0]) {
        err_set(&err, ERR_USAGE,
                "sink: --bootstrap HOST:PORT says where to read from; an embedded broker would be empty");
        return cli_fail(&err);
    }
    if (options->cloud == CLOUD_NONE) {
        err_set(&err, ERR_USAGE, "sink: --cloud off leaves nowhere to write to");
        return cli_fail(&err);
    }
    struct loop *loop = loop_create(&err);
    if (!loop)
        return cli_fail(&err);
    loop_add_signal(loop, SIGINT, on_end, NULL, NULL);
    loop_add_signal(loop, SIGTERM, on_end, NULL, NULL);
    struct session_settings settings = {.options = options, .sink = true};
    running.session = session_create(&settings, &err);
    if (!running.session) {
        loop_destroy(loop);
        return cli_fail(&err);
    }
    struct control *control = control_create(loop, running.session, &err);
    if (!control)
        fprintf(stderr, "no control socket: %s\n", err.text);
    if (options->duration > 0)
        loop_add_timer(loop, options->duration, 0, on_end, NULL);
    loop_add_timer(loop, LOOK_US, LOOK_US, on_tick, &running);
    loop_run(loop);
    control_destroy(control);
    int exit_code = finish(&running, options->output);
    cli_narrate(session_log(running.session), &running.narrator);
    fflush(stdout);
    session_destroy(running.session);
    loop_destroy(loop);
    return exit_code;
}
