/*
 * The simulated world: both routes, their traffic, GPS receivers, weather, incidents and cameras, advanced in
 * ticks of half a simulated second. Pure and deterministic: the same seed, settings and controls at the same
 * ticks give the same events byte for byte. One thread owns it; no clock, no files, no threads inside.
 *
 * Connected vehicles (`vehicles`) are a sample of the traffic and the only ones that send events; the rest of
 * the flow (`demand`, a share of the flow the road really carries at that hour) drives among them, is seen by
 * the cameras, and slows them.
 */
#ifndef SMARTCITY_SIM_WORLD_H
#define SMARTCITY_SIM_WORLD_H

#include "base/err.h"
#include "city/event.h"
#include "city/geo.h"

#define WORLD_TICK_MS      500
#define WORLD_MAX_VEHICLES 50000

enum world_routes { WORLD_ROUTES_BOTH, WORLD_ROUTES_M40, WORLD_ROUTES_M1 };

struct world_settings {
    uint64_t seed;
    int64_t start;     /* ms since 1970 UTC */
    uint32_t vehicles; /* connected vehicles */
    enum world_routes routes;
    double demand;             /* 0 to 1: share of the real flow that drives unconnected */
    double incident_factor;    /* times the real rate; 0 none; 1 keeps two to four open at full demand */
    bool camera_frames;        /* draw JPEG snapshots */
    uint32_t camera_interval;  /* seconds between frames of one camera */
    uint32_t weather_interval; /* seconds between reports of one station */
};

/* Defaults: seed 7, Monday 15 June 2026 07:00 UTC, 250 vehicles, both routes, all of the real traffic
 * (about 25,000 vehicles at that hour) and the real rate of incidents, pictures each 30 s, weather each 60 s.
 */
void world_settings_init(struct world_settings *settings);

typedef void world_emit_fn(void *context, const struct event *event);

struct world;
struct world *world_create(const struct world_settings *settings, struct err *err);
void world_destroy(struct world *world);

/* One tick: everything moves, and what is due is emitted in a fixed order. Blobs are valid during the call.
 */
void world_step(struct world *world, world_emit_fn *emit, void *context);

int64_t world_time(const struct world *world); /* ms */
uint64_t world_ticks(const struct world *world);

/* Controls; all take effect at the next tick. */
void world_set_vehicles(struct world *world, uint32_t vehicles);
void world_set_demand(struct world *world, double demand);
void world_set_camera_frames(struct world *world, bool on);

/* An incident on a route. type "" picks one by its rate; chainage in metres; lanes 0 picks. ERR_USAGE names
 * what does not exist. `id` receives the incident id. */
int world_inject_incident(struct world *world, enum geo_route route, double chainage, const char *type,
                          int lanes_closed, char id[40], struct err *err);
/* Moves an incident to Clearing at once; ERR_NOT_FOUND. */
int world_clear_incident(struct world *world, const char *id, struct err *err);
/* The power of a connected vehicle fails within 200 m; ERR_NOT_FOUND. */
int world_break_down(struct world *world, const char *device_id, struct err *err);
/* "" ends the override; else one of Sunny, Cloudy, Rainy, Snowy, Fog, Drizzle, Thunderstorm. */
int world_override_weather(struct world *world, const char *condition, struct err *err);
/* Multiplies HDOP and drop-outs everywhere; 1 is normal. */
void world_degrade_gps(struct world *world, double factor);

struct world_figures {
    int64_t time;
    uint32_t connected, background;
    uint32_t capacity; /* vehicles the chosen routes hold before jam density */
    uint32_t incidents_open;
    double mean_speed; /* km/h of all */
    uint64_t trips_finished, events;
    char weather_override[16];
    double incident_factor, demand;
};
void world_figures(const struct world *world, struct world_figures *figures);

/* Where a connected vehicle is, for "inject here": false when unknown. */
bool world_find_vehicle(const struct world *world, const char *device_id, enum geo_route *route,
                        double *chainage);

#endif
