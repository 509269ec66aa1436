/*
 * Roadside cameras: where they stand, what passes them, and the traffic_data they send. One at each junction
 * and each two to three kilometres between, looking along one carriageway, alternately north and south. One
 * thread.
 */
#ifndef SMARTCITY_SIM_CAMERA_H
#define SMARTCITY_SIM_CAMERA_H

#include "sim/incident.h"

#define CAMERAS 150 /* at most, over all routes */

struct cameras;
typedef void camera_emit_fn(void *context, const struct event *event);

/* Roads and traffic are borrowed; detectors are put on the roads. `interval`: s between reports of one
 * camera. */
struct cameras *cameras_create(uint64_t seed, struct road *const roads[GEO_ROUTES], struct traffic *traffic,
                               uint32_t interval);
void cameras_destroy(struct cameras *cameras);

/* The reports due at this tick, with pictures when `frames`. Those nearest to the cluster of sim/connected.h
 * come first. The blob is valid during the call of emit. */
void cameras_emit(struct cameras *cameras, uint64_t tick, int64_t now, bool frames,
                  const struct weather_model *weather, const struct incidents *incidents,
                  camera_emit_fn *emit, void *context);

struct camera_site {
    char id[24];
    enum geo_route route;
    double x; /* m */
    double latitude, longitude;
};
size_t cameras_count(const struct cameras *cameras);
struct camera_site cameras_site(const struct cameras *cameras, size_t index);

#endif
