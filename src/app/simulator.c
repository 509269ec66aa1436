#include "app/simulator.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAILBOX        64
#define SEND_WAIT_US   200000
#define RATE_WINDOW_US 1000000
#define DEBT_LIMIT_US  500000 /* behind by more than this: the pace begins anew instead of catching up */

struct simulator {
    struct simulator_settings settings;
    struct producer *producer;
    struct worker *worker;
    struct world *world; /* thread's own */
    atomic_bool stop, ended;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct simulator_request mailbox[MAILBOX];
    size_t waiting;
    struct view_sim view; /* under the lock */

    /* thread's own */
    bool paused;
    int64_t steps; /* ticks to do while paused */
    double speed;
    int64_t anchor_mono, anchor_ms;
    int64_t window_mono, window_ms;
    uint64_t window_events, events;
    bool failed;
};

/* ---- sending ---------------------------------------------------------------------------------------- */

static void simulator_emit(void *context, const struct event *event)
{
    struct simulator *simulator = context;
    bool held = false;
    while (!atomic_load(&simulator->stop) && !simulator->failed) {
        struct err err = ERR_INIT;
        if (producer_send(simulator->producer, event, SEND_WAIT_US, &err) == 0) {
            simulator->events++;
            break;
        }
        if (err.kind != ERR_FULL) {
            log_write(simulator->settings.log, LOG_ERROR, "sim", "%s of %s was not sent: %s",
                      event_word(event->kind), event->device_id, err.text);
            simulator->failed = err.fatal;
            return;
        }
        if (!held) {
            held = true;
            pthread_mutex_lock(&simulator->lock);
            simulator->view.held = true;
            pthread_mutex_unlock(&simulator->lock);
        }
    }
    if (held) {
        pthread_mutex_lock(&simulator->lock);
        simulator->view.held = false;
        pthread_mutex_unlock(&simulator->lock);
    }
}

/* ---- orders ----------------------------------------------------------------------------------------- */

static void simulator_pace_anew(struct simulator *simulator)
{
    simulator->anchor_mono = clock_mono_us();
    simulator->anchor_ms = world_time(simulator->world);
}

static void simulator_reset(struct simulator *simulator, const struct simulator_request *request)
{
    struct world_settings settings = simulator->settings.world;
    struct world_figures figures;
    struct err err = ERR_INIT;
    world_figures(simulator->world, &figures);
    settings.vehicles = figures.connected;
    if (request->number >= 0)
        settings.seed = (uint64_t)request->number;
    struct world *world = world_create(&settings, &err);
    if (!world) {
        log_write(simulator->settings.log, LOG_ERROR, request->source, "reset: %s", err.text);
        return;
    }
    world_destroy(simulator->world);
    simulator->world = world;
    simulator->settings.world = settings;
    if (simulator->settings.on_reset)
        simulator->settings.on_reset(simulator->settings.context, clock_wall_us());
    char time[TEXT_TIME_SIZE];
    log_action(simulator->settings.log, request->source, request->equivalent,
               "the world began anew: seed %llu at %s", (unsigned long long)settings.seed,
               text_time(time, settings.start));
}

static void simulator_incident(struct simulator *simulator, const struct simulator_request *request)
{
    enum geo_route route = (enum geo_route)request->route;
    double chainage = request->chainage;
    char id[40], between[GEO_BETWEEN_SIZE];
    struct err err = ERR_INIT;
    if (request->route < 0 && !world_find_vehicle(simulator->world, request->device_id, &route, &chainage)) {
        log_write(simulator->settings.log, LOG_ERROR, request->source,
                  "incident: %s is not on the road now; name a place",
                  request->device_id[0] ? request->device_id : "no vehicle");
        return;
    }
    if (request->route < 0)
        chainage += 1500; /* ahead of the vehicle, so that what follows is seen from it */
    if (world_inject_incident(simulator->world, route, chainage, request->text, (int)request->number, id,
                              &err) < 0) {
        log_write(simulator->settings.log, LOG_ERROR, request->source, "incident: %s", err.text);
        return;
    }
    log_action(simulator->settings.log, request->source, request->equivalent,
               "incident %s injected on the %s, %s", id, geo_route_name(route),
               geo_between(route, chainage, between));
}

static void simulator_obey(struct simulator *simulator, const struct simulator_request *request)
{
    struct log *log = simulator->settings.log;
    struct err err = ERR_INIT;
    char figure[TEXT_FIGURE_SIZE];
    switch (request->order) {
    case SIMULATOR_PAUSE:
        simulator->paused = request->number < 0 ? !simulator->paused : request->number > 0;
        simulator->steps = 0;
        simulator_pace_anew(simulator);
        log_action(log, request->source, request->equivalent,
                   simulator->paused ? "simulation paused" : "simulation goes on");
        break;
    case SIMULATOR_STEP:
        if (!simulator->paused)
            log_action(log, request->source, request->equivalent, "paused to step");
        simulator->paused = true;
        simulator->steps += (int64_t)(request->number * 1000 / WORLD_TICK_MS);
        break;
    case SIMULATOR_SPEED:
        simulator->speed = request->number;
        simulator_pace_anew(simulator);
        if (request->number > 0)
            log_action(log, request->source, request->equivalent, "speed ×%g", request->number);
        else
            log_action(log, request->source, request->equivalent, "speed: as fast as possible");
        break;
    case SIMULATOR_VEHICLES:
        world_set_vehicles(simulator->world, (uint32_t)request->number);
        log_action(log, request->source, request->equivalent, "%s vehicles",
                   text_count(figure, (int64_t)request->number));
        break;
    case SIMULATOR_DEMAND:
        world_set_demand(simulator->world, request->number);
        simulator->settings.world.demand = request->number;
        log_action(log, request->source, request->equivalent, "demand %.0f %% of the real flow",
                   request->number * 100);
        break;
    case SIMULATOR_FRAMES:
        world_set_camera_frames(simulator->world, request->number > 0);
        simulator->settings.world.camera_frames = request->number > 0;
        log_action(log, request->source, request->equivalent, "camera pictures %s",
                   request->number > 0 ? "on" : "off");
        break;
    case SIMULATOR_INCIDENT:
        simulator_incident(simulator, request);
        break;
    case SIMULATOR_BREAKDOWN:
        if (world_break_down(simulator->world, request->device_id, &err) < 0)
            log_write(log, LOG_ERROR, request->source, "breakdown: %s", err.text);
        else
            log_action(log, request->source, request->equivalent, "%s breaks down", request->device_id);
        break;
    case SIMULATOR_CLEAR:
        if (world_clear_incident(simulator->world, request->text, &err) < 0)
            log_write(log, LOG_ERROR, request->source, "clear: %s", err.text);
        else
            log_action(log, request->source, request->equivalent, "incident %s is being cleared",
                       request->text);
        break;
    case SIMULATOR_WEATHER:
        if (world_override_weather(simulator->world, request->text, &err) < 0)
            log_write(log, LOG_ERROR, request->source, "weather: %s", err.text);
        else
            log_action(log, request->source, request->equivalent,
                       request->text[0] ? "weather: %s everywhere" : "weather takes its own course%s",
                       request->text);
        break;
    case SIMULATOR_GPS:
        world_degrade_gps(simulator->world, request->number);
        log_action(log, request->source, request->equivalent, "GPS errors ×%g", request->number);
        break;
    case SIMULATOR_RESET:
        simulator_reset(simulator, request);
        simulator_pace_anew(simulator);
        simulator->window_ms = world_time(simulator->world);
        break;
    }
}

static void simulator_obey_all(struct simulator *simulator)
{
    struct simulator_request requests[MAILBOX];
    pthread_mutex_lock(&simulator->lock);
    size_t count = simulator->waiting;
    memcpy(requests, simulator->mailbox, count * sizeof *requests);
    simulator->waiting = 0;
    pthread_mutex_unlock(&simulator->lock);
    for (size_t i = 0; i < count; i++)
        simulator_obey(simulator, &requests[i]);
}

/* ---- the thread ------------------------------------------------------------------------------------- */

static void simulator_publish(struct simulator *simulator)
{
    struct world_figures figures;
    world_figures(simulator->world, &figures);
    int64_t now = clock_mono_us(), elapsed = now - simulator->window_mono;
    pthread_mutex_lock(&simulator->lock);
    struct view_sim *view = &simulator->view;
    view->present = true;
    view->paused = simulator->paused;
    view->speed = simulator->speed;
    view->world = figures;
    view->seed = simulator->settings.world.seed;
    if (elapsed >= RATE_WINDOW_US || simulator->paused) {
        view->reached =
            simulator->paused ? 0 : (double)(figures.time - simulator->window_ms) * 1000 / (double)elapsed;
        view->events_per_s = simulator->paused ? 0
                                               : (double)(simulator->events - simulator->window_events) *
                                                     1e6 / (double)elapsed;
        simulator->window_mono = now;
        simulator->window_ms = figures.time;
        simulator->window_events = simulator->events;
    }
    pthread_mutex_unlock(&simulator->lock);
}

/* Waits until `until` (monotonic; -1: for ever), or for an order, or the end. */
static void simulator_wait(struct simulator *simulator, int64_t until)
{
    pthread_mutex_lock(&simulator->lock);
    while (simulator->waiting == 0 && !atomic_load(&simulator->stop)) {
        if (until < 0) {
            pthread_cond_wait(&simulator->changed, &simulator->lock);
        } else {
            struct timespec at = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
            if (pthread_cond_timedwait(&simulator->changed, &simulator->lock, &at) != 0)
                break;
        }
    }
    pthread_mutex_unlock(&simulator->lock);
}

static void simulator_run(void *context)
{
    struct simulator *simulator = context;
    struct err err = ERR_INIT;
    simulator->world = world_create(&simulator->settings.world, &err);
    if (!simulator->world) {
        log_write(simulator->settings.log, LOG_ERROR, "sim", "%s", err.text);
        atomic_store(&simulator->ended, true);
        return;
    }
    int64_t end = simulator->settings.duration_ms
                      ? world_time(simulator->world) + simulator->settings.duration_ms
                      : INT64_MAX;
    simulator->window_mono = clock_mono_us();
    simulator->window_ms = world_time(simulator->world);
    simulator_pace_anew(simulator);
    while (!atomic_load(&simulator->stop) && !simulator->failed) {
        simulator_obey_all(simulator);
        if (simulator->paused && simulator->steps == 0) {
            simulator_publish(simulator);
            simulator_wait(simulator, -1);
            continue;
        }
        if (world_time(simulator->world) >= end)
            break;
        world_step(simulator->world, simulator_emit, simulator);
        if (simulator->paused)
            simulator->steps--;
        simulator_publish(simulator);
        if (simulator->paused || simulator->speed <= 0)
            continue;
        int64_t due =
            simulator->anchor_mono + (int64_t)((double)(world_time(simulator->world) - simulator->anchor_ms) *
                                               1000 / simulator->speed);
        int64_t now = clock_mono_us();
        if (due > now)
            simulator_wait(simulator, due);
        else if (now - due > DEBT_LIMIT_US)
            simulator_pace_anew(simulator);
    }
    atomic_store(&simulator->ended, true);
    world_destroy(simulator->world);
    simulator->world = NULL;
}

struct simulator *simulator_start(const struct simulator_settings *settings, struct producer *producer,
                                  struct err *err)
{
    struct simulator *simulator = mem_zero(1, sizeof *simulator);
    pthread_condattr_t attributes;
    simulator->settings = *settings;
    simulator->producer = producer;
    simulator->speed = settings->speed;
    simulator->view =
        (struct view_sim){.present = true, .speed = settings->speed, .seed = settings->world.seed};
    simulator->view.world.connected = settings->world.vehicles;
    simulator->view.world.time = settings->world.start;
    pthread_mutex_init(&simulator->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&simulator->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    simulator->worker = worker_start("sim", simulator_run, simulator, err);
    if (!simulator->worker) {
        simulator_destroy(simulator);
        return NULL;
    }
    return simulator;
}

void simulator_destroy(struct simulator *simulator)
{
    if (!simulator)
        return;
    pthread_mutex_lock(&simulator->lock);
    atomic_store(&simulator->stop, true);
    pthread_cond_broadcast(&simulator->changed);
    pthread_mutex_unlock(&simulator->lock);
    worker_join(simulator->worker);
    pthread_cond_destroy(&simulator->changed);
    pthread_mutex_destroy(&simulator->lock);
    free(simulator);
}

bool simulator_ask(struct simulator *simulator, const struct simulator_request *request)
{
    pthread_mutex_lock(&simulator->lock);
    bool room = simulator->waiting < MAILBOX;
    if (room)
        simulator->mailbox[simulator->waiting++] = *request;
    pthread_cond_signal(&simulator->changed);
    pthread_mutex_unlock(&simulator->lock);
    return room;
}

void simulator_view(struct simulator *simulator, struct view_sim *view)
{
    pthread_mutex_lock(&simulator->lock);
    *view = simulator->view;
    pthread_mutex_unlock(&simulator->lock);
}

bool simulator_ended(struct simulator *simulator)
{
    return atomic_load(&simulator->ended);
}
