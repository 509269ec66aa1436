#include "app/playback.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MAILBOX      32
#define PUMP_RECORDS 512
#define SEND_WAIT_US 200000
#define IDLE_WAIT_US 100000

struct playback_request {
    enum playback_order order;
    double number;
};

struct playback {
    struct playback_settings settings;
    struct player *player;
    struct worker *worker;
    atomic_bool stop, ended;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct playback_request mailbox[MAILBOX];
    atomic_size_t waiting; /* written under the lock */
    struct view_replay view;
    struct err err;
};

static void playback_deliver(struct playback *playback, const struct record *record)
{
    int64_t event_ms;
    if (playback->settings.feed) {
        struct record arrived = *record;
        arrived.arrived_us = clock_wall_us();
        feed_take(playback->settings.feed, &arrived, 1, &event_ms);
        return;
    }
    while (!atomic_load(&playback->stop)) {
        struct err err = ERR_INIT;
        if (producer_send_record(playback->settings.producer, record, SEND_WAIT_US, &err) == 0)
            return;
        if (err.kind != ERR_FULL) {
            log_write(playback->settings.log, LOG_ERROR, "replay", "offset %lld was not sent: %s",
                      (long long)record->offset, err.text);
            return;
        }
    }
}

static bool playback_on_record(void *context, const struct record *record, int64_t event_ms)
{
    struct playback *playback = context;
    playback_deliver(playback, record);
    return !atomic_load(&playback->stop) && playback->waiting == 0;
}

static void playback_on_prime(void *context, const struct record *record, int64_t event_ms)
{
    playback_deliver(context, record);
}

static void playback_seek(struct playback *playback, int64_t position_us)
{
    struct err err = ERR_INIT;
    bool shown = playback->settings.feed != NULL;
    if (shown)
        feed_reset(playback->settings.feed, 0);
    if (player_seek(playback->player, position_us, clock_mono_us(), shown ? playback_on_prime : NULL,
                    playback, &err) < 0)
        log_write(playback->settings.log, LOG_ERROR, "replay", "seek: %s", err.text);
}

static void playback_obey(struct playback *playback, const struct playback_request *request)
{
    struct player_figures figures;
    int64_t now = clock_mono_us();
    player_figures(playback->player, now, &figures);
    switch (request->order) {
    case PLAYBACK_PAUSE:
        if (request->number > 0 || (request->number < 0 && figures.state == PLAYER_PLAYING)) {
            player_pause(playback->player, now);
        } else {
            if (figures.state == PLAYER_ENDED)
                playback_seek(playback, 0);
            player_play(playback->player, now);
        }
        break;
    case PLAYBACK_SPEED:
        player_set_speed(playback->player, request->number, now);
        break;
    case PLAYBACK_STEP:
        player_step(playback->player, (uint32_t)request->number, now);
        break;
    case PLAYBACK_SEEK:
        playback_seek(playback, (int64_t)request->number);
        break;
    case PLAYBACK_SKIP:
        playback_seek(playback, figures.position_us + (int64_t)request->number);
        break;
    }
}

static void playback_publish(struct playback *playback)
{
    struct player_figures figures;
    player_figures(playback->player, clock_mono_us(), &figures);
    pthread_mutex_lock(&playback->lock);
    struct view_replay *view = &playback->view;
    view->paused = figures.state == PLAYER_PAUSED;
    view->ended = figures.state == PLAYER_ENDED || figures.state == PLAYER_FAILED;
    view->speed = figures.speed;
    view->position_us = figures.position_us;
    view->length_us = figures.length_us;
    view->event_ms = figures.event_ms;
    view->played = figures.played;
    view->total = figures.total;
    pthread_mutex_unlock(&playback->lock);
}

static void playback_wait(struct playback *playback, int64_t wait_us)
{
    int64_t until = clock_mono_us() + wait_us;
    struct timespec at = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
    pthread_mutex_lock(&playback->lock);
    while (playback->waiting == 0 && !atomic_load(&playback->stop))
        if (pthread_cond_timedwait(&playback->changed, &playback->lock, &at) != 0)
            break;
    pthread_mutex_unlock(&playback->lock);
}

static void playback_run(void *context)
{
    struct playback *playback = context;
    player_set_speed(playback->player, playback->settings.speed, clock_mono_us());
    if (playback->settings.seek_us > 0)
        playback_seek(playback, playback->settings.seek_us);
    player_play(playback->player, clock_mono_us());
    while (!atomic_load(&playback->stop)) {
        struct playback_request requests[MAILBOX];
        pthread_mutex_lock(&playback->lock);
        size_t count = playback->waiting;
        memcpy(requests, playback->mailbox, count * sizeof *requests);
        playback->waiting = 0;
        pthread_mutex_unlock(&playback->lock);
        for (size_t i = 0; i < count; i++)
            playback_obey(playback, &requests[i]);
        int64_t wait_us = 0;
        struct err err = ERR_INIT;
        int result = player_pump(playback->player, clock_mono_us(), PUMP_RECORDS, playback_on_record,
                                 playback, &wait_us, &err);
        playback_publish(playback);
        if (result < 0) {
            log_write(playback->settings.log, LOG_ERROR, "replay", "%s", err.text);
            pthread_mutex_lock(&playback->lock);
            playback->err = err;
            pthread_mutex_unlock(&playback->lock);
        }
        struct player_figures figures;
        player_figures(playback->player, clock_mono_us(), &figures);
        bool over = figures.state == PLAYER_ENDED || figures.state == PLAYER_FAILED;
        atomic_store(&playback->ended, over);
        if (playback->settings.feed) {
            int64_t due = feed_publish(playback->settings.feed, clock_wall_us(), result != 1);
            if (due > 0 && due < wait_us)
                wait_us = due;
        }
        if (result != 1)
            playback_wait(playback, wait_us < IDLE_WAIT_US ? wait_us : IDLE_WAIT_US);
    }
}

struct playback *playback_start(const struct playback_settings *settings, struct err *err)
{
    struct journey_reader *reader = journey_open(settings->path, err);
    if (!reader)
        return NULL;
    struct playback *playback = mem_zero(1, sizeof *playback);
    struct journey_info info;
    pthread_condattr_t attributes;
    playback->settings = *settings;
    playback->settings.path = NULL; /* the caller's, not needed any more */
    journey_reader_info(reader, &info);
    playback->view = (struct view_replay){.active = true,
                                          .to_kafka = settings->producer != NULL,
                                          .speed = settings->speed,
                                          .total = info.total};
    const char *slash = strrchr(settings->path, '/');
    const char *shown = info.name[0] ? info.name : slash ? slash + 1 : settings->path;
    text_sanitise(playback->view.name, sizeof playback->view.name, shown, strlen(shown));
    playback->player = player_create(reader);
    pthread_mutex_init(&playback->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&playback->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    playback->worker = worker_start("replay", playback_run, playback, err);
    if (!playback->worker) {
        playback_destroy(playback);
        return NULL;
    }
    return playback;
}

void playback_destroy(struct playback *playback)
{
    if (!playback)
        return;
    pthread_mutex_lock(&playback->lock);
    atomic_store(&playback->stop, true);
    pthread_cond_broadcast(&playback->changed);
    pthread_mutex_unlock(&playback->lock);
    worker_join(playback->worker);
    player_destroy(playback->player);
    pthread_cond_destroy(&playback->changed);
    pthread_mutex_destroy(&playback->lock);
    free(playback);
}

bool playback_ask(struct playback *playback, enum playback_order order, double number)
{
    pthread_mutex_lock(&playback->lock);
    bool room = playback->waiting < MAILBOX;
    if (room)
        playback->mailbox[playback->waiting++] = (struct playback_request){order, number};
    pthread_cond_signal(&playback->changed);
    pthread_mutex_unlock(&playback->lock);
    return room;
}

void playback_view(struct playback *playback, struct view_replay *view)
{
    pthread_mutex_lock(&playback->lock);
    *view = playback->view;
    pthread_mutex_unlock(&playback->lock);
}

bool playback_ended(struct playback *playback, struct err *err)
{
    pthread_mutex_lock(&playback->lock);
    *err = playback->err;
    pthread_mutex_unlock(&playback->lock);
    return atomic_load(&playback->ended);
}
