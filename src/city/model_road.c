/*
 * Which road a vehicle is on, and how the traffic flows there. Each route is cut into bins; a bin keeps the
 * mean of speed and of speed over limit of what it has seen, where a sample loses weight with its age (time
 * constant one simulated minute). Vehicles report at equal times, so the mean is over space: slow vehicles
 * count as long as they stay, which is what a traveller will meet.
 */
#include "city/model_private.h"

#include <math.h>
#include <string.h>

#define WEIGHT_MS      (60.0 * 1000)
#define MEMORY_MS      (10 * MINUTE_MS)
#define CONGESTED      0.5 /* speed over limit */
#define NEAR_ROAD_M    100
#define LOOK_UP_M      30 /* a vehicle without chainage is looked up again when it has moved so far */
#define MPH            1.609344
#define SLOWEST_KMH    5.0
#define HGV_KMH        90.0
#define QUEUE_REACH_KM 50

static int bin_of(double chainage_m)
{
    int bin = (int)(chainage_m / CITY_BIN_M);
    return bin < 0 ? 0 : bin >= CITY_BINS ? CITY_BINS - 1 : bin;
}

static void set_bin(struct model *model, struct model_vehicle *vehicle, int route, int bin)
{
    if (vehicle->bin >= 0)
        model->bins[vehicle->dot.route][vehicle->bin].vehicles--;
    vehicle->dot.route = (int8_t)route;
    vehicle->bin = (int16_t)bin;
    if (bin >= 0)
        model->bins[route][bin].vehicles++;
}

void model_road_leave(struct model *model, struct model_vehicle *vehicle)
{
    set_bin(model, vehicle, -1, -1);
    vehicle->dot.chainage_km = 0;
    vehicle->matched = false;
}

static double turn_between(double a, double b)
{
    double turn = fmod(fabs(a - b), 360);
    return turn > 180 ? 360 - turn : turn;
}

/* The road under a position, of the two directions the one it is heading along; -1 when there is none. */
static int look_up(const struct event *event, double heading, double *chainage)
{
    const struct event_location *at = &event->vehicle.location;
    int found = -1;
    double best = INFINITY;
    for (int route = 0; route < GEO_ROUTES; route++) {
        double distance,
            there = geo_route_nearest((enum geo_route)route, at->latitude, at->longitude, &distance);
        if (!(distance <= NEAR_ROAD_M))
            continue;
        double along = geo_route_position((enum geo_route)route, there).heading;
        if (heading >= 0 && turn_between(along, heading) > 90)
            distance += NEAR_ROAD_M;
        if (distance < best) {
            best = distance;
            *chainage = there;
            found = route;
        }
    }
    return found;
}

/* World units are not metres; good enough for "has it moved" anywhere in England. */
static double moved_m(struct geo_vertex a, struct geo_vertex b)
{
    double dx = (double)a.x - b.x, dy = (double)a.y - b.y;
    return sqrt(dx * dx + dy * dy) * 0.023;
}

void model_road_place(struct model *model, struct model_vehicle *vehicle, const struct event *event)
{
    int route = event_has(event, VEHICLE_ROUTE_ID) && event_has(event, VEHICLE_CHAINAGE)
                    ? geo_route_from_id(event->vehicle.route_id)
                    : -1;
    double chainage = 0;
    if (route >= 0) {
        chainage = model_clamp(event->vehicle.chainage * 1000, 0, geo_route_length((enum geo_route)route));
        vehicle->matched = false;
    } else if (vehicle->placed) {
        if (vehicle->matched && moved_m(vehicle->matched_at, vehicle->dot.at) < LOOK_UP_M)
            return;
        double heading = event_has(event, VEHICLE_HEADING) ? event->vehicle.heading : -1;
        if (heading < 0 && vehicle->matched) {
            double from_latitude, from_longitude;
            geo_unproject(vehicle->matched_at, &from_latitude, &from_longitude);
            heading = geo_bearing(from_latitude, from_longitude, event->vehicle.location.latitude,
                                  event->vehicle.location.longitude);
            vehicle->dot.heading = (float)heading;
        }
        route = look_up(event, heading, &chainage);
        vehicle->matched = true;
        vehicle->matched_at = vehicle->dot.at;
    }
    if (route < 0) {
        set_bin(model, vehicle, -1, -1);
        vehicle->dot.chainage_km = 0;
        return;
    }
    set_bin(model, vehicle, route, bin_of(chainage));
    vehicle->dot.chainage_km = (float)(chainage / 1000);
    if (!event_has(event, VEHICLE_SPEED_LIMIT))
        vehicle->dot.limit = (float)(geo_route_section_at((enum geo_route)route, chainage)->limit_mph * MPH);
}

/* km/h a vehicle would drive on an empty road: a lorry at its limiter is no sign of a queue. */
static double model_free_speed(const struct city_vehicle *dot)
{
    double own = dot->type == EVENT_COUNT_HGV ? 88 : dot->type == EVENT_COUNT_BUS ? 100 : 113;
    return (double)dot->limit < own ? (double)dot->limit : own;
}

void model_road_sample(struct model *model, const struct model_vehicle *vehicle)
{
    const struct city_vehicle *dot = &vehicle->dot;
    if (vehicle->bin < 0 || !(dot->limit > 0))
        return;
    struct model_bin *bin = &model->bins[dot->route][vehicle->bin];
    int64_t now = model->clock.now;
    if (bin->mass > 0 && now > bin->last_ms)
        bin->mass *= exp(-(double)(now - bin->last_ms) / WEIGHT_MS);
    bin->last_ms = now;
    bin->mass += 1;
    bin->speed += ((double)dot->speed - bin->speed) / bin->mass;
    bin->ratio += (model_clamp((double)dot->speed / model_free_speed(dot), 0, 2) - bin->ratio) / bin->mass;
}

void model_road_bins(const struct model *model, struct city_bin bins[GEO_ROUTES][CITY_BINS])
{
    for (int route = 0; route < GEO_ROUTES; route++) {
        for (int i = 0; i < CITY_BINS; i++) {
            const struct model_bin *bin = &model->bins[route][i];
            int64_t age = bin->mass > 0 ? model->clock.now - bin->last_ms : INT64_MAX;
            bool fresh = age <= MEMORY_MS;
            bins[route][i] = (struct city_bin){
                .ratio = fresh ? (float)bin->ratio : -1,
                .speed = fresh ? (float)bin->speed : 0,
                .vehicles = (uint16_t)(bin->vehicles > UINT16_MAX ? UINT16_MAX : bin->vehicles),
                .age_s = (uint16_t)(age < 0                   ? 0
                                    : age / 1000 > UINT16_MAX ? UINT16_MAX
                                                              : age / 1000),
            };
        }
    }
}

static bool is_congested(const struct city_bin *bin)
{
    return bin->ratio >= 0 && (double)bin->ratio < CONGESTED;
}

void model_road_ahead(const struct city_bin bins[CITY_BINS], const struct city_vehicle *dot,
                      struct city_followed *followed)
{
    followed->queue_ahead_km = -1;
    if (dot->route < 0)
        return;
    double length = geo_route_length((enum geo_route)dot->route) / 1000, here = (double)dot->chainage_km;
    double bin_km = CITY_BIN_M / 1000.0, hours = 0;
    followed->trip_km = length;
    followed->trip_done_km = here;
    bool in_queue = false;
    for (int i = bin_of(here * 1000); i < CITY_BINS && i * bin_km < length; i++) {
        double from = fmax(i * bin_km, here), to = fmin((i + 1) * bin_km, length);
        if (is_congested(&bins[i])) {
            if (followed->queue_ahead_km < 0 && from - here <= QUEUE_REACH_KM) {
                followed->queue_ahead_km = from - here;
                in_queue = true;
            }
            if (in_queue)
                followed->queue_length_km = to - here - followed->queue_ahead_km;
        } else if (in_queue && bins[i].ratio >= 0) { /* a bin nobody has seen does not end it */
            in_queue = false;
        }
        double speed = (double)bins[i].speed;
        if (bins[i].ratio < 0)
            speed = geo_route_section_at((enum geo_route)dot->route, from * 1000)->limit_mph * MPH * 0.9;
        if (dot->type == EVENT_COUNT_HGV)
            speed = fmin(speed, HGV_KMH);
        hours += (to - from) / fmax(speed, SLOWEST_KMH);
    }
    followed->arrives_at = dot->timestamp + (int64_t)(hours * HOUR_MS);
}
