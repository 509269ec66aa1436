/*
 * The simulation thread: owns the world, keeps its pace, sends what it emits. Controls go through a small
 * mailbox and take effect between ticks; what comes of them is written to the log. It slows down, and says
 * `held`, when the producer has no room.
 */
#ifndef SMARTCITY_APP_SIMULATOR_H
#define SMARTCITY_APP_SIMULATOR_H

#include "app/view.h"
#include "base/log.h"
#include "sim/world.h"
#include "stream/producer.h"

struct simulator;

#define SIMULATOR_SPEED_MIN 0.1
#define SIMULATOR_SPEED_MAX 3600.0

struct simulator_settings {
    struct world_settings world;
    double speed;        /* simulated seconds a second; 0: as fast as possible */
    int64_t duration_ms; /* simulated; 0: no end */
    struct log *log;
    /* The world begins anew: everything produced from this wall time on belongs to the new one. */
    void (*on_reset)(void *context, int64_t produced_us);
    void *context;
};

struct simulator *simulator_start(const struct simulator_settings *settings, struct producer *producer,
                                  struct err *err);
/* Stops at the next tick, waits for the thread, frees. */
void simulator_destroy(struct simulator *simulator);

enum simulator_order {
    SIMULATOR_PAUSE,     /* number 1 pauses, 0 resumes, -1 toggles */
    SIMULATOR_STEP,      /* number simulated seconds, while paused */
    SIMULATOR_SPEED,     /* number; 0 as fast as possible */
    SIMULATOR_VEHICLES,  /* number */
    SIMULATOR_DEMAND,    /* number */
    SIMULATOR_FRAMES,    /* number 0 or 1 */
    SIMULATOR_INCIDENT,  /* text: type or ""; place: device id, or route and chainage; number: lanes or 0 */
    SIMULATOR_BREAKDOWN, /* device_id */
    SIMULATOR_CLEAR,     /* text: incident id */
    SIMULATOR_WEATHER,   /* text: condition or "" */
    SIMULATOR_GPS,       /* number: factor */
    SIMULATOR_RESET      /* number: seed, or -1 for the same */
};

struct simulator_request {
    enum simulator_order order;
    double number;
    char text[48];
    char device_id[32];
    int route;       /* -1: by device_id */
    double chainage; /* m */
    char source[16];
    char equivalent[96]; /* the command line that asks the same, for the log */
};
/* False when the mailbox is full (64 requests wait). Any thread. */
bool simulator_ask(struct simulator *simulator, const struct simulator_request *request);

/* Fills present, paused, held, speed, reached, events_per_s, world, seed. Any thread. */
void simulator_view(struct simulator *simulator, struct view_sim *view);
bool simulator_ended(struct simulator *simulator); /* the duration is over, or a fatal error */

#endif
