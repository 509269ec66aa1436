/*
 * The world joins the models and orders their output. A tick: controls that were set since the last one,
 * weather, incidents, the conditions both make along the roads, traffic, then the events in the order of
 * EVENT_KINDS by entity. Every random draw is keyed by seed, entity and tick, so nothing depends on who
 * listens.
 */
#include "sim/world.h"

#include "base/text.h"
#include "city/schema.h"
#include "sim/camera.h"
#include "sim/connected.h"
#include "sim/demand.h"
#include "sim/incident.h"
#include "sim/noise.h"
#include "sim/weather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TYPICAL_MPH      55.0
#define CONDITIONS_EVERY 120 /* ticks: the weather along the roads is looked at each minute */

struct world {
    struct world_settings settings;
    uint64_t ticks;
    int64_t time;
    struct traffic *traffic;
    struct road *roads[GEO_ROUTES];
    struct connected *connected;
    struct weather_model *weather;
    struct incidents *incidents;
    struct cameras *cameras;
    bool conditions_stale;
    /* controls waiting for the next tick */
    bool vehicles_wanted, demand_wanted;
    uint32_t wanted_vehicles;
    double wanted_demand;
    float gps_factor;
    uint64_t events;
    world_emit_fn *emit; /* during a step */
    void *emit_context;
    struct event event;
};

void world_settings_init(struct world_settings *settings)
{
    *settings = (struct world_settings){
        .seed = 7,
        .start = INT64_C(1781506800000), /* 2026-06-15T07:00:00Z, eight by the clock */
        .vehicles = 250,
        .routes = WORLD_ROUTES_BOTH,
        .demand = 1,
        .incident_factor = 1,
        .camera_frames = true,
        .camera_interval = 30,
        .weather_interval = 60,
    };
}

static unsigned route_mask(enum world_routes routes)
{
    unsigned m40 = 1U << GEO_M40_NORTH | 1U << GEO_M40_SOUTH, m1 = 1U << GEO_M1_NORTH | 1U << GEO_M1_SOUTH;
    return routes == WORLD_ROUTES_M40 ? m40 : routes == WORLD_ROUTES_M1 ? m1 : m40 | m1;
}

struct world *world_create(const struct world_settings *settings, struct err *err)
{
    if (settings->vehicles > WORLD_MAX_VEHICLES) {
        err_set(err, ERR_USAGE, "%u vehicles are more than the %d the roads are made for", settings->vehicles,
                WORLD_MAX_VEHICLES);
        return NULL;
    }
    if (!(settings->demand >= 0 && settings->demand <= 1)) {
        err_set(err, ERR_USAGE, "demand is a share of the real flow, from 0 to 1");
        return NULL;
    }
    if (!(settings->incident_factor >= 0 && settings->incident_factor <= 1000)) {
        err_set(err, ERR_USAGE, "the incident factor goes from 0 to 1000");
        return NULL;
    }
    if (settings->camera_interval == 0 || settings->weather_interval == 0 ||
        settings->camera_interval > 86400 || settings->weather_interval > 86400) {
        err_set(err, ERR_USAGE, "camera and weather intervals go from 1 s to a day");
        return NULL;
    }
    struct world *world = mem_zero(1, sizeof *world);
    unsigned mask = route_mask(settings->routes);
    double hour = demand_local_hour(settings->start);
    world->settings = *settings;
    world->time = settings->start;
    world->gps_factor = 1;
    world->weather = weather_create(settings->seed, settings->start);
    world->traffic = traffic_create(settings->seed, mask);
    for (int i = 0; i < GEO_ROUTES; i++)
        if (mask >> i & 1)
            world->roads[i] = road_create((enum geo_route)i);
    traffic_fill(world->traffic, settings->demand, hour);
    world->connected = connected_create(settings->seed, world->traffic, world->roads);
    connected_set_breakdowns(world->connected, settings->incident_factor);
    connected_set_count(world->connected, settings->vehicles, 0);
    world->incidents =
        incidents_create(settings->seed, world->roads, world->weather, settings->incident_factor);
    struct traffic_figures figures;
    traffic_figures(world->traffic, &figures);
    incidents_begin(world->incidents, settings->start,
                    (figures.connected + figures.background) * TYPICAL_MPH);
    world->cameras = cameras_create(settings->seed, world->roads, world->traffic, settings->camera_interval);
    world->conditions_stale = true;
    return world;
}

void world_destroy(struct world *world)
{
    if (!world)
        return;
    cameras_destroy(world->cameras);
    incidents_destroy(world->incidents);
    connected_destroy(world->connected);
    traffic_destroy(world->traffic);
    weather_destroy(world->weather);
    for (int i = 0; i < GEO_ROUTES; i++)
        road_destroy(world->roads[i]);
    free(world);
}

static void pass_on(void *context, const struct event *event)
{
    struct world *world = context;
    world->events++;
    if (world->emit)
        world->emit(world->emit_context, event);
}

/* ---- a tick ----------------------------------------------------------------------------------------- */

static void apply_controls(struct world *world, double hour)
{
    if (world->vehicles_wanted) {
        world->settings.vehicles = world->wanted_vehicles;
        connected_set_count(world->connected, world->wanted_vehicles, world->ticks);
        world->vehicles_wanted = false;
    }
    if (world->demand_wanted) {
        world->settings.demand = world->wanted_demand;
        traffic_set_demand(world->traffic, world->wanted_demand, hour);
        world->demand_wanted = false;
    }
}

/* Weather and incidents as factors along the roads. */
static void set_conditions(struct world *world)
{
    for (int i = 0; i < GEO_ROUTES; i++) {
        if (!world->roads[i])
            continue;
        size_t count;
        struct traffic_cell *cells = traffic_cells(world->traffic, (enum geo_route)i, &count);
        struct weather weather = {0};
        for (size_t c = 0; c < count; c++) {
            if (c % 8 == 0) /* 4 km: the weather does not change in less */
                weather = weather_at(world->weather, (enum geo_route)i, ((double)c + 4) * TRAFFIC_CELL);
            float capacity, speed;
            weather_effect(&weather, &capacity, &speed);
            cells[c].speed = speed;
            cells[c].headway = 1 / capacity;
            cells[c].advisory = 1000;
        }
    }
    incidents_apply(world->incidents, world->traffic);
    world->conditions_stale = false;
}

static void emit_weather(struct world *world)
{
    uint64_t interval = (uint64_t)world->settings.weather_interval * 2;
    for (size_t i = 0; i < WEATHER_STATIONS; i++) {
        /* All once at the start, then each in its turn. */
        bool first = world->ticks == 1 + i % 2;
        uint64_t turn = 3 + i * interval / WEATHER_STATIONS;
        if (!first &&
            (world->ticks < turn || world->ticks <= interval / 2 || (world->ticks - turn) % interval != 0))
            continue;
        const struct weather_station *station = weather_station(i);
        struct weather at = weather_at_station(world->weather, i);
        struct weather_report report = weather_derive(&at, weather_month(world->time));
        struct event *event = &world->event;
        struct event_weather *data = &event->weather;
        struct rng_key key = {world->settings.seed, (uint32_t)i, world->ticks, NOISE_WEATHER_ID};
        memset(event, 0, sizeof *event);
        event->kind = EVENT_WEATHER;
        event->present = (UINT64_C(1) << WEATHER_FIELDS) - 1;
        event->timestamp = world->time;
        rng_uuid(&key, event->id);
        text_copy(event->device_id, sizeof event->device_id, station->id);
        text_copy(data->station_id, sizeof data->station_id, station->id);
        text_copy(data->station_name, sizeof data->station_name, station->name);
        data->location = (struct event_location){station->latitude, station->longitude};
        data->temperature = (double)at.temperature;
        text_copy(data->weather_condition, sizeof data->weather_condition,
                  weather_condition_word(report.condition));
        data->precipitation = (double)at.rain;
        data->wind_speed = (double)(at.wind * 3.6F);
        data->humidity = (double)report.humidity;
        data->air_quality_index = (double)report.aqi;
        data->wmo_code = report.wmo_code;
        data->dew_point = (double)at.dew_point;
        data->pressure = (double)at.pressure;
        data->wind_direction = (double)at.wind_from;
        data->wind_gust = (double)(at.gust * 3.6F);
        data->visibility = (double)at.visibility;
        data->cloud_cover = (double)(at.cloud * 100);
        data->pm25 = (double)at.pm25;
        data->daqi = report.daqi;
        text_copy(data->road_surface, sizeof data->road_surface, report.surface);
        pass_on(world, event);
    }
}

/* Incidents and the connected vehicles they are about. */
static void recover_vehicles(struct world *world)
{
    const struct incident *list;
    size_t count = incidents_list(world->incidents, &list);
    for (size_t i = 0; i < count; i++)
        if (list[i].device >= 0 && list[i].status == INCIDENT_RESOLVED) /* for one tick */
            connected_recover(world->connected, (uint32_t)list[i].device, world->ticks);
}

static void report_vehicles(struct world *world)
{
    const struct connected_stop *stops;
    size_t count = connected_stopped(world->connected, &stops);
    for (size_t i = 0; i < count; i++)
        incidents_break_down(world->incidents, stops[i].route, stops[i].x, stops[i].lane, stops[i].class,
                             (int32_t)stops[i].number, world->ticks, world->time);
}

void world_step(struct world *world, world_emit_fn *emit, void *context)
{
    world->ticks++;
    world->time = world->settings.start + (int64_t)world->ticks * WORLD_TICK_MS;
    double hour = demand_local_hour(world->time);
    world->emit = emit;
    world->emit_context = context;

    apply_controls(world, hour);
    if (weather_advance(world->weather, world->time) || world->ticks % CONDITIONS_EVERY == 0)
        world->conditions_stale = true;
    struct traffic_figures figures;
    traffic_figures(world->traffic, &figures);
    if (incidents_step(world->incidents, world->ticks, world->time, figures.metres))
        world->conditions_stale = true;
    if (world->conditions_stale)
        set_conditions(world);
    recover_vehicles(world);

    traffic_step(world->traffic, world->ticks, hour);
    connected_step(world->connected, world->ticks);
    report_vehicles(world);

    connected_emit(world->connected, world->ticks, world->time, world->gps_factor, pass_on, world);
    cameras_emit(world->cameras, world->ticks, world->time, world->settings.camera_frames, world->weather,
                 world->incidents, pass_on, world);
    emit_weather(world);
    incidents_emit(world->incidents, world->ticks, world->time, pass_on, world);
    world->emit = NULL;
}

int64_t world_time(const struct world *world)
{
    return world->time;
}

uint64_t world_ticks(const struct world *world)
{
    return world->ticks;
}

/* ---- controls --------------------------------------------------------------------------------------- */

void world_set_vehicles(struct world *world, uint32_t vehicles)
{
    world->wanted_vehicles = vehicles < WORLD_MAX_VEHICLES ? vehicles : WORLD_MAX_VEHICLES;
    world->vehicles_wanted = true;
}

void world_set_demand(struct world *world, double demand)
{
    world->wanted_demand = demand >= 0 ? fmin(demand, 1) : 0;
    world->demand_wanted = true;
}

void world_set_camera_frames(struct world *world, bool on)
{
    world->settings.camera_frames = on;
}

int world_inject_incident(struct world *world, enum geo_route route, double chainage, const char *type,
                          int lanes_closed, char id[40], struct err *err)
{
    return incidents_inject(world->incidents, route, chainage, type, lanes_closed, world->ticks, world->time,
                            id, err);
}

int world_clear_incident(struct world *world, const char *id, struct err *err)
{
    return incidents_clear(world->incidents, id, world->time, err);
}

int world_break_down(struct world *world, const char *device_id, struct err *err)
{
    return connected_break_down(world->connected, device_id, err);
}

int world_override_weather(struct world *world, const char *condition, struct err *err)
{
    world->conditions_stale = true;
    return weather_override(world->weather, condition, err);
}

void world_degrade_gps(struct world *world, double factor)
{
    world->gps_factor = (float)fmin(50, fmax(0.1, factor));
}

void world_figures(const struct world *world, struct world_figures *figures)
{
    struct traffic_figures traffic;
    traffic_figures(world->traffic, &traffic);
    *figures = (struct world_figures){
        .time = world->time,
        .connected = connected_count(world->connected),
        .background = traffic.background,
        .capacity = traffic.capacity,
        .incidents_open = incidents_open(world->incidents),
        .mean_speed = traffic.mean_speed * 3.6,
        .trips_finished = connected_trips_finished(world->connected),
        .events = world->events,
        .incident_factor = world->settings.incident_factor,
        .demand = world->settings.demand,
    };
    text_copy(figures->weather_override, sizeof figures->weather_override,
              weather_overridden(world->weather));
}

bool world_find_vehicle(const struct world *world, const char *device_id, enum geo_route *route,
                        double *chainage)
{
    return connected_find(world->connected, device_id, route, chainage);
}
