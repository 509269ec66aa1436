/*
 * The connected vehicles: who they are, their trips, their receivers, and the two events each sends every
 * second. One thread. Identity outlasts a trip: a vehicle that has arrived parks for one to three minutes and
 * sets off again.
 */
#ifndef SMARTCITY_SIM_CONNECTED_H
#define SMARTCITY_SIM_CONNECTED_H

#include "base/err.h"
#include "sim/road.h"
#include "sim/traffic.h"

typedef void connected_emit_fn(void *context, const struct event *event);

struct connected;
/* Roads and traffic are borrowed; roads[] holds NULL for a route that is not driven. */
struct connected *connected_create(uint64_t seed, struct traffic *traffic,
                                   struct road *const roads[GEO_ROUTES]);
void connected_destroy(struct connected *connected);

/* Brings their number to `count`: new ones appear under way, the highest numbers vanish. Some may have to
 * wait for a gap. */
void connected_set_count(struct connected *connected, uint32_t count, uint64_t tick);

/* Breakdowns at `factor` times the real rate, for trips that begin from now on; 0 at first. */
void connected_set_breakdowns(struct connected *connected, double factor);
/* Breaks one down now; ERR_NOT_FOUND when it is not driving. */
int connected_break_down(struct connected *connected, const char *device_id, struct err *err);

/* Those that came to a stand in the last step. */
struct connected_stop {
    uint32_t number;
    enum geo_route route;
    double x;
    int lane; /* -1: beside the road */
    int class;
};
size_t connected_stopped(const struct connected *connected, const struct connected_stop **stops);
/* It is mended where it stands and drives on, or is towed away; nothing when it does not stand. */
void connected_recover(struct connected *connected, uint32_t number, uint64_t tick);

/* After traffic_step: arrivals park, parked ones set off. */
void connected_step(struct connected *connected, uint64_t tick);

/* What is due at this tick: each vehicle once in two ticks, by the parity of its number, the first at odd
 * ticks; vehicle_data, then gps_data. */
void connected_emit(struct connected *connected, uint64_t tick, int64_t now, float degrade,
                    connected_emit_fn *emit, void *context);

uint64_t connected_trips_finished(const struct connected *connected);
uint32_t connected_count(const struct connected *connected);
/* Place of "veh-0001"; false when there is none. */
bool connected_find(const struct connected *connected, const char *device_id, enum geo_route *route,
                    double *x);

/* The cluster around the first vehicle stands here, on the first route that is driven; metres. */
double connected_cluster(enum geo_route route);

#endif
