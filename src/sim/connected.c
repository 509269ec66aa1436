#include "sim/connected.h"

#include "base/err.h"
#include "base/text.h"
#include "city/schema.h"
#include "sim/breakdown.h"
#include "sim/fleet.h"
#include "sim/gps.h"
#include "sim/noise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLUSTER_SIZE   14u    /* the first vehicles travel together, */
#define CLUSTER_LENGTH 2600.0 /* within this many metres */
#define PLACE_TRIES    24
#define START_AT       12.0 /* m from the start of the road */

#define STOPS         16     /* breakdowns a step; further ones are a step later */
#define OFF_ROAD      2.0F   /* m/s at which one rolls onto the hard shoulder */
#define SHOULDER_PACE 0.7F   /* m/s2 along the hard shoulder, before joining */
#define JOIN_FROM     12.0F  /* m/s at which one looks for a gap, */
#define JOIN_MOST     22.0F  /* and the most one drives there */
#define NOBODY_COMES  86400u /* ticks: half a day */

/* Beside the road: standing broken down, or gathering speed again. Towed ones send nothing. */
enum device_state {
    DEVICE_DRIVING,
    DEVICE_PARKED,
    DEVICE_WAITING,
    DEVICE_BESIDE,
    DEVICE_REJOINING,
    DEVICE_TOWED
};
enum device_health { HEALTH_WELL, HEALTH_LAMP, HEALTH_FAILING, HEALTH_STANDING };

struct device {
    uint32_t vehicle; /* pool index while driving */
    uint8_t state;
    uint8_t route;
    uint16_t section; /* of the last look, for parked ones */
    uint32_t trip;
    uint8_t health;
    uint64_t until; /* tick at which a parked or towed one sets off, or a broken one is mended by itself */
    double x;       /* where it is while it is not in the traffic */
    float v;        /* the same; only while it rejoins */
    struct breakdown breakdown;
    double odometer; /* km at x = 0 of this trip */
    float level;     /* L or kWh */
    struct fleet_vehicle fleet;
    struct traffic_driver driver;
    struct road_cursor cursor;
    struct gps_state gps;
    char id[16];
    char trip_id[40];
};

struct connected {
    uint64_t seed;
    struct traffic *traffic;
    struct road *roads[GEO_ROUTES];
    struct device *devices;
    size_t count, capacity;
    uint64_t trips_finished;
    double breakdown_factor;
    struct connected_stop stops[STOPS];
    size_t stop_count;
    char directions[8][12];
    struct event vehicle_event, gps_event;
};

struct connected *connected_create(uint64_t seed, struct traffic *traffic,
                                   struct road *const roads[GEO_ROUTES])
{
    struct connected *connected = mem_zero(1, sizeof *connected);
    connected->seed = seed;
    connected->traffic = traffic;
    for (int i = 0; i < GEO_ROUTES; i++)
        connected->roads[i] = roads[i];
    for (int i = 0; i < 8; i++)
        text_copy(connected->directions[i], sizeof connected->directions[i], geo_direction_name(i * 45));
    connected->vehicle_event.kind = EVENT_VEHICLE;
    connected->gps_event.kind = EVENT_GPS;
    return connected;
}

void connected_destroy(struct connected *connected)
{
    if (!connected)
        return;
    free(connected->devices);
    free(connected);
}

double connected_cluster(enum geo_route route)
{
    switch (route) {
    case GEO_M40_NORTH:
        return 68000; /* below the Chilterns, between J6 and J7 */
    case GEO_M40_SOUTH:
        return 133000;
    case GEO_M1_NORTH:
        return 68000;
    default:
        return 121000;
    }
}

/* ---- trips ------------------------------------------------------------------------------------------ */

static bool is_electric(const struct device *device)
{
    return device->fleet.model->energy == FLEET_ELECTRIC;
}

static void begin_trip(struct connected *connected, struct device *device, uint32_t number)
{
    struct rng_key key = {connected->seed, number, device->trip, NOISE_TRIP_ID};
    rng_uuid(&key, device->trip_id);
    device->state = DEVICE_DRIVING;
    device->cursor.known = 0;
    device->health = HEALTH_WELL;
    device->breakdown = breakdown_draw(connected->seed, number, device->trip,
                                       traffic_get(connected->traffic, device->vehicle)->x,
                                       connected->breakdown_factor, is_electric(device));
}

static enum geo_route pick_route(const struct connected *connected, uint32_t draw)
{
    enum geo_route active[GEO_ROUTES] = {GEO_M40_NORTH};
    uint32_t count = 0;
    for (int i = 0; i < GEO_ROUTES; i++)
        if (connected->roads[i])
            active[count++] = (enum geo_route)i;
    return active[(uint64_t)draw * count >> 32];
}

/* Somewhere along the roads, in the middle of a trip. */
static bool place_under_way(struct connected *connected, uint32_t number)
{
    struct device *device = &connected->devices[number];
    enum geo_route first = pick_route(connected, 0);
    for (uint32_t try = 0; try < PLACE_TRIES; try++) {
        struct rng_key key = {connected->seed, number, try, NOISE_PLACE};
        uint32_t block[4];
        rng_block(&key, block);
        enum geo_route route = pick_route(connected, block[0]);
        double u = block[1] * 0x1p-32, x = 200 + u * (connected->roads[route]->length - 400);
        if (number < CLUSTER_SIZE) {
            route = first;
            /* The first drives near the middle, so that it has neighbours on both sides. */
            x = connected_cluster(route) + (number == 0 ? 0.5 : u) * CLUSTER_LENGTH - CLUSTER_LENGTH / 2;
        }
        device->vehicle = traffic_place(connected->traffic, route, x, 150, &device->driver);
        if (device->vehicle == TRAFFIC_NONE)
            continue;
        device->route = (uint8_t)route;
        device->odometer = (double)device->fleet.odometer;
        begin_trip(connected, device, number);
        return true;
    }
    return false;
}

/* The far end of the road is where the next trip starts; usually the same way back. */
static enum geo_route next_route(const struct connected *connected, enum geo_route route, uint32_t draw)
{
    static const enum geo_route back[GEO_ROUTES] = {GEO_M40_SOUTH, GEO_M40_NORTH, GEO_M1_SOUTH, GEO_M1_NORTH};
    static const enum geo_route other[GEO_ROUTES] = {GEO_M1_SOUTH, GEO_M1_NORTH, GEO_M40_SOUTH,
                                                     GEO_M40_NORTH};
    return draw < UINT32_MAX / 4 && connected->roads[other[route]] ? other[route] : back[route];
}

static void park(struct connected *connected, struct device *device, uint32_t number, uint64_t tick)
{
    uint32_t block[4];
    struct rng_key key = {connected->seed, number, device->trip, NOISE_PARKING};
    rng_block(&key, block);
    device->state = DEVICE_PARKED;
    device->health = HEALTH_WELL;
    device->vehicle = TRAFFIC_NONE;
    device->until = tick + (60000 + (uint64_t)block[0] % 120000) / 500;
    device->x = connected->roads[device->route]->length;
    device->section = (uint16_t)(connected->roads[device->route]->section_count - 1);
    /* Whoever comes in low fills up before setting off again. */
    float full = device->fleet.model->tank;
    if (device->level < 0.6F * full)
        device->level = full * (0.9F + 0.1F * (float)(block[1] >> 8) * 0x1p-24F);
    connected->trips_finished++;
}

static void set_off(struct connected *connected, struct device *device, uint32_t number, uint64_t tick)
{
    uint32_t block[4];
    struct rng_key key = {connected->seed, number, device->trip, NOISE_TRIP};
    rng_block(&key, block);
    enum geo_route route = next_route(connected, (enum geo_route)device->route, block[0]);
    uint32_t vehicle = traffic_place(connected->traffic, route, START_AT, 0, &device->driver);
    if (vehicle == TRAFFIC_NONE) {
        device->until = tick + 2 + block[1] % 4; /* no gap: look again in a second or two */
        return;
    }
    device->odometer += device->x / 1000;
    device->trip++;
    device->route = (uint8_t)route;
    device->vehicle = vehicle;
    begin_trip(connected, device, number);
}

/* ---- breakdowns ------------------------------------------------------------------------------------- */

static void stand(struct connected *connected, struct device *device, uint32_t number, double x, int lane,
                  uint64_t tick)
{
    device->health = HEALTH_STANDING;
    device->until = tick + NOBODY_COMES;
    connected->stops[connected->stop_count++] =
        (struct connected_stop){number, (enum geo_route)device->route, x, lane, device->fleet.model->class};
}

/* A driving one: the lamp, the loss of power, and where it comes to a stand. */
static void watch(struct connected *connected, struct device *device, uint32_t number, uint64_t tick)
{
    const struct traffic_vehicle *vehicle = traffic_get(connected->traffic, device->vehicle);
    if (vehicle->x < device->breakdown.lamp || device->health == HEALTH_STANDING)
        return;
    if (device->health == HEALTH_WELL)
        device->health = HEALTH_LAMP;
    if (device->health == HEALTH_LAMP && vehicle->x >= device->breakdown.fails) {
        device->health = HEALTH_FAILING;
        traffic_set_health(connected->traffic, device->vehicle,
                           device->breakdown.stalls ? TRAFFIC_STALL : TRAFFIC_LIMP);
    }
    if (device->health != HEALTH_FAILING || vehicle->v > OFF_ROAD || connected->stop_count == STOPS)
        return;
    const struct geo_section *section = geo_route_section_at((enum geo_route)device->route, vehicle->x);
    double x = vehicle->x;
    /* Motorways have a hard shoulder; a road of one lane would be closed, so there it is pushed aside. */
    if (section->lanes == 1 ||
        (section->kind == GEO_SECTION_MOTORWAY && vehicle->lane == 0 && !device->breakdown.stalls)) {
        device->section = vehicle->section;
        traffic_remove(connected->traffic, device->vehicle);
        device->vehicle = TRAFFIC_NONE;
        device->state = DEVICE_BESIDE;
        device->x = x;
        device->v = 0;
        stand(connected, device, number, x, -1, tick);
    } else if (vehicle->v < 0.1F) {
        traffic_set_health(connected->traffic, device->vehicle, TRAFFIC_STALL);
        stand(connected, device, number, x, vehicle->lane, tick);
    }
}

void connected_recover(struct connected *connected, uint32_t number, uint64_t tick)
{
    if (number >= connected->count || connected->devices[number].health != HEALTH_STANDING)
        return;
    struct device *device = &connected->devices[number];
    bool towed = device->breakdown.towed;
    uint32_t block[4];
    struct rng_key key = {connected->seed, number, tick, NOISE_BREAKDOWN};
    rng_block(&key, block);
    device->health = HEALTH_WELL;
    device->breakdown.lamp = device->breakdown.fails = INFINITY;
    if (device->state == DEVICE_DRIVING && !towed) {
        traffic_set_health(connected->traffic, device->vehicle, TRAFFIC_WELL);
    } else if (!towed) {
        device->state = DEVICE_REJOINING;
    } else {
        if (device->state == DEVICE_DRIVING) {
            device->x = traffic_get(connected->traffic, device->vehicle)->x;
            traffic_remove(connected->traffic, device->vehicle);
            device->vehicle = TRAFFIC_NONE;
        }
        device->state = DEVICE_TOWED;
        device->until = tick + 7200 + block[0] % 7200; /* one to two hours in a garage */
    }
}

/* Along the hard shoulder until there is a gap. */
static void rejoin(struct connected *connected, struct device *device, uint32_t number, uint64_t tick)
{
    const struct geo_section *sections;
    size_t count = geo_route_sections((enum geo_route)device->route, &sections);
    float v = fminf(device->v + SHOULDER_PACE * TRAFFIC_DT, JOIN_MOST);
    device->x += (double)((device->v + v) * 0.5F * TRAFFIC_DT);
    device->v = v;
    while (device->section + 1u < count && sections[device->section].to <= device->x)
        device->section++;
    if (device->x >= connected->roads[device->route]->length - 10) {
        park(connected, device, number, tick);
        return;
    }
    /* On a road without a shoulder it pulls out as soon as it can. */
    bool shoulder = sections[device->section].kind == GEO_SECTION_MOTORWAY;
    if (shoulder && v < JOIN_FROM)
        return;
    uint32_t vehicle =
        traffic_join(connected->traffic, (enum geo_route)device->route, device->x, v, &device->driver);
    if (vehicle == TRAFFIC_NONE)
        return;
    device->vehicle = vehicle;
    device->state = DEVICE_DRIVING;
}

void connected_set_breakdowns(struct connected *connected, double factor)
{
    connected->breakdown_factor = factor;
}

size_t connected_stopped(const struct connected *connected, const struct connected_stop **stops)
{
    *stops = connected->stops;
    return connected->stop_count;
}

/* ---- a step ----------------------------------------------------------------------------------------- */

static void step_device(struct connected *connected, uint32_t number, uint64_t tick)
{
    struct device *device = &connected->devices[number];
    if (device->state == DEVICE_DRIVING)
        watch(connected, device, number, tick);
    else if (device->state == DEVICE_REJOINING)
        rejoin(connected, device, number, tick);
    else if (tick < device->until)
        return;
    else if (device->state == DEVICE_BESIDE)
        connected_recover(connected, number, tick);
    else if (device->state != DEVICE_WAITING)
        set_off(connected, device, number, tick);
    else if (!place_under_way(connected, number))
        device->until = tick + 20;
}

void connected_step(struct connected *connected, uint64_t tick)
{
    const int32_t *arrived;
    size_t count = traffic_arrived(connected->traffic, &arrived);
    for (size_t i = 0; i < count; i++)
        if ((size_t)arrived[i] < connected->count)
            park(connected, &connected->devices[arrived[i]], (uint32_t)arrived[i], tick);
    connected->stop_count = 0;
    for (size_t i = 0; i < connected->count; i++)
        step_device(connected, (uint32_t)i, tick);
}

void connected_set_count(struct connected *connected, uint32_t count, uint64_t tick)
{
    while (connected->count > count) {
        struct device *device = &connected->devices[--connected->count];
        if (device->state == DEVICE_DRIVING)
            traffic_remove(connected->traffic, device->vehicle);
    }
    if (count > connected->capacity) {
        connected->capacity = count;
        connected->devices = mem_resize(connected->devices, count, sizeof *connected->devices);
    }
    while (connected->count < count) {
        uint32_t number = (uint32_t)connected->count++;
        struct device *device = &connected->devices[number];
        struct rng_key key = {connected->seed, number, 0, NOISE_GPS_START};
        memset(device, 0, sizeof *device);
        device->vehicle = TRAFFIC_NONE;
        device->fleet = fleet_draw(connected->seed, number);
        device->driver = traffic_draw_driver(connected->traffic, device->fleet.model->class, number);
        device->driver.device = (int32_t)number;
        device->level = device->fleet.level * device->fleet.model->tank;
        gps_start(&device->gps, &key);
        snprintf(device->id, sizeof device->id, "veh-%04u", number + 1);
        if (!place_under_way(connected, number)) {
            device->state = DEVICE_WAITING;
            device->until = tick + 20;
        }
    }
}

/* ---- events ----------------------------------------------------------------------------------------- */

#define BIT(field)  (UINT64_C(1) << (field))
#define ALL(fields) ((UINT64_C(1) << (fields)) - 1)

static void copy_padded(char *to, size_t to_size, const char *from, size_t from_size)
{
    size_t size = to_size < from_size ? to_size : from_size;
    memcpy(to, from, size);
    to[to_size - 1] = '\0';
}

static const char *status_word(float v, float limit, bool arrived)
{
    return arrived                             ? "arrived"
           : v < 0.5F                          ? "stopped"
           : v < 11 && v * 3.6F < 0.4F * limit ? "queueing"
                                               : "moving";
}

static void emit_device(struct connected *connected, uint32_t number, uint64_t tick, int64_t now,
                        float degrade, connected_emit_fn *emit, void *context)
{
    struct device *device = &connected->devices[number];
    bool driving = device->state == DEVICE_DRIVING;
    const struct traffic_vehicle *vehicle = driving ? traffic_get(connected->traffic, device->vehicle) : NULL;
    const struct road *road = connected->roads[device->route];
    uint16_t section_index = driving ? vehicle->section : device->section;
    const struct road_section *section = &road->sections[section_index];
    const struct fleet_vehicle *fleet = &device->fleet;
    bool parked = device->state == DEVICE_PARKED, broken = device->health == HEALTH_STANDING;
    bool beside = device->state == DEVICE_BESIDE || device->state == DEVICE_REJOINING;
    double x = driving ? vehicle->x : device->x;
    float v = driving ? vehicle->v : beside ? device->v : 0, a = driving ? vehicle->a : 0;
    int lane = driving ? vehicle->lane : beside ? -1 : 0;
    int shown_lane = lane < section->lanes ? lane : section->lanes - 1;
    struct road_spot spot =
        road_locate(road, &device->cursor, x, road_lane_offset(shown_lane, section->lanes));
    const char *direction = connected->directions[(int)((spot.heading + 22.5) / 45) & 7];

    bool electric = is_electric(device);
    float burn = driving && !broken ? fleet_consumption(fleet->model, v, a) : 0;
    device->level = fminf(fleet->model->tank, fmaxf(fleet->model->tank * 0.02F, device->level - burn));
    float rate = v >= 1 ? fminf(99.9F, fmaxf(-99.9F, burn / v * 1e5F)) : 0;

    struct event *event = &connected->vehicle_event;
    struct event_vehicle *data = &event->vehicle;
    struct rng_key key = {connected->seed, number, tick, NOISE_VEHICLE_ID};
    rng_uuid(&key, event->id);
    copy_padded(event->device_id, sizeof event->device_id, device->id, sizeof device->id);
    event->timestamp = now;
    event->present = ALL(VEHICLE_FIELDS) & ~(electric ? BIT(VEHICLE_FUEL_LEVEL) : BIT(VEHICLE_BATTERY_LEVEL));
    if (device->health == HEALTH_WELL)
        event->present &= ~BIT(VEHICLE_FAULT_CODE);
    if (beside)
        event->present &= ~BIT(VEHICLE_LANE);
    if (v < 1)
        event->present &= ~BIT(VEHICLE_FUEL_RATE); /* per 100 km means nothing at a standstill */
    data->location = (struct event_location){spot.latitude, spot.longitude};
    data->speed = (double)(v * 3.6F);
    memcpy(data->direction, direction, sizeof data->direction);
    memcpy(data->make, fleet->model->make, sizeof data->make);
    memcpy(data->model, fleet->model->model, sizeof data->model);
    data->year = fleet->year;
    memcpy(data->fuel_type, fleet->fuel_type, sizeof data->fuel_type);
    memcpy(data->vehicle_type, fleet->vehicle_type, sizeof data->vehicle_type);
    memcpy(data->category, fleet->category, sizeof data->category);
    data->heading = spot.heading;
    data->acceleration = (double)a;
    data->odometer = device->odometer + x / 1000;
    data->fuel_level = data->battery_level = (double)(100 * device->level / fleet->model->tank);
    data->fuel_rate = (double)rate;
    memcpy(data->route_id, road->route_id, sizeof data->route_id);
    memcpy(data->road, section->road, sizeof data->road);
    memcpy(data->carriageway, section->carriageway, sizeof data->carriageway);
    data->chainage = x / 1000;
    geo_marker(road->id, x, data->marker);
    data->lane = shown_lane + 1;
    data->lanes = section->lanes;
    data->speed_limit = section->limit;
    memcpy(data->trip_id, device->trip_id, sizeof data->trip_id);
    text_copy(data->status, sizeof data->status,
              broken ? "brokenDown" : status_word(v, (float)section->limit, parked));
    data->engine_warning = device->health != HEALTH_WELL;
    memcpy(data->fault_code, device->breakdown.code, sizeof data->fault_code);
    emit(context, event);

    struct gps_place place = {.town = section->town,
                              .covered = x > road->underpass_from && x < road->underpass_to,
                              .degrade = degrade};
    key.purpose = NOISE_GPS;
    struct gps_reading reading = gps_step(&device->gps, &key, &place, v, (float)spot.heading);

    event = &connected->gps_event;
    struct event_gps *gps = &event->gps;
    key.purpose = NOISE_GPS_ID;
    rng_uuid(&key, event->id);
    copy_padded(event->device_id, sizeof event->device_id, device->id, sizeof device->id);
    event->timestamp = now;
    event->present = ALL(GPS_FIELDS);
    memcpy(gps->vehicle_type, fleet->vehicle_type, sizeof gps->vehicle_type);
    gps->satellites = reading.satellites;
    if (!reading.fix) {
        event->present &= ~(BIT(GPS_SPEED) | BIT(GPS_DIRECTION) | BIT(GPS_LOCATION) | BIT(GPS_ALTITUDE) |
                            BIT(GPS_HEADING) | BIT(GPS_HDOP) | BIT(GPS_ACCURACY));
        memcpy(gps->fix, "none", 5);
        emit(context, event);
        return;
    }
    memcpy(gps->fix, reading.flat ? "2d" : "3d", 3);
    if (reading.flat)
        event->present &= ~BIT(GPS_ALTITUDE);
    /* One degree of latitude is as many metres as one of longitude times the cosine. */
    gps->location.latitude = spot.latitude + (double)reading.north / 111195.0;
    gps->location.longitude = spot.longitude + (double)(reading.east * device->cursor.east);
    gps->altitude = (double)(road_altitude(road, x) + 1.5F + reading.up);
    gps->speed = (double)(reading.speed * 3.6F);
    gps->heading = (double)reading.heading;
    memcpy(gps->direction, connected->directions[(int)((reading.heading + 22.5F) / 45) & 7],
           sizeof gps->direction);
    gps->hdop = (double)reading.hdop;
    gps->accuracy = (double)reading.accuracy;
    emit(context, event);
}

void connected_emit(struct connected *connected, uint64_t tick, int64_t now, float degrade,
                    connected_emit_fn *emit, void *context)
{
    for (size_t i = (tick + 1) & 1; i < connected->count; i += 2)
        if (connected->devices[i].state != DEVICE_WAITING && connected->devices[i].state != DEVICE_TOWED)
            emit_device(connected, (uint32_t)i, tick, now, degrade, emit, context);
}

uint64_t connected_trips_finished(const struct connected *connected)
{
    return connected->trips_finished;
}

uint32_t connected_count(const struct connected *connected)
{
    return (uint32_t)connected->count;
}

static struct device *find(const struct connected *connected, const char *device_id)
{
    int64_t number;
    if (strncmp(device_id, "veh-", 4) != 0 ||
        !text_parse_int(device_id + 4, 1, (int64_t)connected->count, &number))
        return NULL;
    struct device *device = &connected->devices[number - 1];
    return strcmp(device->id, device_id) == 0 ? device : NULL;
}

int connected_break_down(struct connected *connected, const char *device_id, struct err *err)
{
    struct device *device = find(connected, device_id);
    if (!device || device->state != DEVICE_DRIVING)
        return err_set(err, ERR_NOT_FOUND, "%.31s is not driving now", device_id);
    if (device->health > HEALTH_LAMP)
        return err_set(err, ERR_NOT_FOUND, "%s is broken down already", device_id);
    device->breakdown =
        breakdown_now(connected->seed, (uint32_t)(device - connected->devices), device->trip,
                      traffic_get(connected->traffic, device->vehicle)->x, is_electric(device));
    return 0;
}

bool connected_find(const struct connected *connected, const char *device_id, enum geo_route *route,
                    double *x)
{
    const struct device *device = find(connected, device_id);
    if (!device || device->state == DEVICE_WAITING || device->state == DEVICE_TOWED)
        return false;
    *route = (enum geo_route)device->route;
    *x = device->state == DEVICE_DRIVING ? traffic_get(connected->traffic, device->vehicle)->x : device->x;
    return true;
}
