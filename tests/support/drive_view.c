#include "tests/support/drive_view.h"

#include "base/err.h"
#include "base/text.h"
#include "city/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#define WALL_US INT64_C(1768205672000000) /* 2026-01-12T08:14:32Z */
#define SIM_MS  INT64_C(1768205672000)

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Congestion that a reader of the golden screens can check: M40 north queues before the incident at J9, both
 * roads are slow at London, the Birmingham end of the M1 route was not seen. */
static float ratio_at(int route, double km)
{
    if (route == GEO_M40_NORTH && km > 68 && km < 82)
        return km > 75 ? 0.25f : 0.55f;
    if (route == GEO_M40_NORTH && km < 9)
        return 0.75f;
    if (route == GEO_M1_SOUTH && km > 170)
        return 0.5f;
    if (route == GEO_M1_NORTH && km > 160)
        return -1;
    return 0.95f;
}

static void fill_bins(struct city_snapshot *city)
{
    for (int route = 0; route < GEO_ROUTES; route++)
        for (int bin = 0; bin < CITY_BINS; bin++) {
            float ratio = ratio_at(route, bin);
            city->bins[route][bin] = (struct city_bin){.ratio = ratio, .speed = ratio > 0 ? ratio * 113 : 0};
        }
}

static void place_vehicle(struct city_vehicle *vehicle)
{
    enum geo_route route = (enum geo_route)vehicle->route;
    struct geo_position at = geo_route_position(route, vehicle->chainage_km * 1000.0);
    float ratio = ratio_at(route, vehicle->chainage_km);
    vehicle->at = geo_project(at.latitude, at.longitude);
    vehicle->heading = (float)at.heading;
    vehicle->limit = 113;
    vehicle->speed = (ratio > 0 ? ratio : 0.9f) * (vehicle->type == EVENT_COUNT_HGV ? 90 : 108);
    vehicle->status = ratio > 0 && ratio < 0.4f ? 1 : 0;
}

static void fill_vehicles(struct city_snapshot *city)
{
    uint32_t random = 7;
    city->vehicle_count = 250;
    city->vehicles = mem_zero(city->vehicle_count, sizeof *city->vehicles);
    for (size_t i = 0; i < city->vehicle_count; i++) {
        struct city_vehicle *vehicle = &city->vehicles[i];
        snprintf(vehicle->device_id, sizeof vehicle->device_id, "veh-%04zu", i + 1);
        vehicle->route = (int8_t)(next_random(&random) % GEO_ROUTES);
        double length = geo_route_length((enum geo_route)vehicle->route) / 1000;
        vehicle->chainage_km = (float)(next_random(&random) % 10000 / 10000.0 * length);
        vehicle->type = (uint8_t)(next_random(&random) % 8 == 0 ? EVENT_COUNT_HGV : EVENT_COUNT_CAR);
        vehicle->timestamp = SIM_MS;
        if (i == 6) {
            vehicle->route = GEO_M40_NORTH;
            vehicle->chainage_km = 66.4f;
        }
        place_vehicle(vehicle);
    }
    city->vehicles[11].status = 3;
    city->vehicles[11].speed = 0;
}

static void fill_followed(struct city_snapshot *city)
{
    struct city_followed *followed = &city->followed;
    const struct city_vehicle *dot = &city->vehicles[6];
    double latitude, longitude;
    geo_unproject(dot->at, &latitude, &longitude);
    followed->known = true;
    followed->index = 6;
    followed->vehicle_arrived_us = WALL_US - 200000;
    followed->gps_arrived_us = WALL_US - 400000;

    struct event *event = &followed->vehicle;
    event->kind = EVENT_VEHICLE;
    event->present = (UINT64_C(1) << VEHICLE_FIELDS) - 1;
    event->present &= ~(UINT64_C(1) << VEHICLE_BATTERY_LEVEL);
    text_copy(event->device_id, sizeof event->device_id, dot->device_id);
    event->timestamp = SIM_MS;
    event->vehicle = (struct event_vehicle){.location = {latitude, longitude},
                                            .speed = 87.4,
                                            .direction = "North-West",
                                            .make = "BMW",
                                            .model = "M3",
                                            .year = 2021,
                                            .fuel_type = "Petrol",
                                            .vehicle_type = "car",
                                            .category = "private",
                                            .heading = dot->heading,
                                            .odometer = 48213.4,
                                            .fuel_level = 41.2,
                                            .fuel_rate = 6.9,
                                            .route_id = "m40-nb",
                                            .road = "M40",
                                            .carriageway = "A",
                                            .chainage = dot->chainage_km,
                                            .lane = 2,
                                            .lanes = 3,
                                            .speed_limit = 113,
                                            .status = "moving"};
    geo_marker(GEO_M40_NORTH, dot->chainage_km * 1000.0, event->vehicle.marker);

    followed->gps = (struct event){.kind = EVENT_GPS, .present = (UINT64_C(1) << GPS_FIELDS) - 1};
    followed->gps.gps = (struct event_gps){.speed = 87.1,
                                           .location = {latitude, longitude},
                                           .altitude = 91.5,
                                           .heading = dot->heading,
                                           .fix = "3d",
                                           .satellites = 11,
                                           .hdop = 0.94,
                                           .accuracy = 3.2};
    followed->gps_at = followed->gps.gps.location;
    followed->track_count = CITY_TRACK;
    for (int i = 0; i < CITY_TRACK; i++) {
        double km = dot->chainage_km - (CITY_TRACK - 1 - i) * 0.03;
        struct geo_position at = geo_route_position(GEO_M40_NORTH, km * 1000);
        followed->track[i] = geo_project(at.latitude, at.longitude);
        followed->speeds[i] = (float)(95 + 12 * sin(i / 9.0));
    }
    followed->queue_ahead_km = 1.6;
    followed->queue_length_km = 14;
    followed->trip_km = 201.2;
    followed->trip_done_km = 66.4;
    followed->arrives_at = SIM_MS + 87 * 60000;
}

static void add_incident(struct city_snapshot *city, enum geo_route route, double km, const char *type,
                         const char *severity, const char *status, int lanes, bool open)
{
    struct city_incident *incident = &city->incidents[city->incident_count++];
    struct geo_position at = geo_route_position(route, km * 1000);
    const struct geo_section *section = geo_route_section_at(route, km * 1000);
    incident->open = open;
    incident->at = geo_project(at.latitude, at.longitude);
    incident->first_seen_us = WALL_US - 70000000;
    incident->updated_us = WALL_US - 4000000;
    incident->event = (struct event){.kind = EVENT_EMERGENCY,
                                     .present = (UINT64_C(1) << EMERGENCY_FIELDS) - 1,
                                     .timestamp = SIM_MS - 9000};
    struct event_emergency *emergency = &incident->event.emergency;
    *emergency = (struct event_emergency){.location = {at.latitude, at.longitude},
                                          .lanes_closed = lanes,
                                          .lanes_total = section->lanes,
                                          .chainage = km,
                                          .responders = {2, {"police", "trafficOfficer"}},
                                          .reported_at = SIM_MS - 720000,
                                          .active_at = SIM_MS - 600000,
                                          .expected_clear_at = SIM_MS + 38 * 60000,
                                          .sequence = 3};
    snprintf(emergency->incident_id, sizeof emergency->incident_id, "inc-%zu", city->incident_count);
    text_copy(emergency->type, sizeof emergency->type, type);
    text_copy(emergency->severity, sizeof emergency->severity, severity);
    text_copy(emergency->status, sizeof emergency->status, status);
    text_copy(emergency->description, sizeof emergency->description,
              "two cars in collision, debris in lane 2");
    text_copy(emergency->route_id, sizeof emergency->route_id, geo_route_id(route));
    text_copy(emergency->road, sizeof emergency->road, section->road);
    geo_marker(route, km * 1000, emergency->marker);
    if (!open)
        emergency->resolved_at = SIM_MS - 300000;
    city->incidents_open += open;
}

static void fill_weather(struct city_snapshot *city)
{
    static const struct {
        const char *name;
        double latitude, longitude, temperature, rain, wind, air, visibility;
        const char *condition, *surface;
    } stations[] = {
        {"London", 51.515, -0.13, 7.1, 0, 9, 61, 12000, "Cloudy", "dry"},
        {"Heathrow", 51.48, -0.45, 6.4, 0, 12, 52, 14000, "Cloudy", "dry"},
        {"Stokenchurch", 51.66, -0.90, 4.0, 0, 19, 30, 240, "Fog", "wet"},
        {"Oxford", 51.76, -1.22, 5.2, 3.1, 24, 42, 6000, "Rainy", "wet"},
        {"Banbury", 52.06, -1.34, 4.1, 0.4, 27, 25, 9000, "Drizzle", "wet"},
        {"Warwick", 52.28, -1.58, 3.0, 0, 31, 22, 15000, "Cloudy", "dry"},
        {"Birmingham", 52.48, -1.90, 2.2, 0, 22, 34, 15000, "Sunny", "dry"},
        {"Luton", 51.88, -0.42, 5.0, 0, 18, 40, 15000, "Cloudy", "dry"},
        {"Milton Keynes", 52.04, -0.76, 4.4, 0, 21, 33, 15000, "Cloudy", "dry"},
        {"Northampton", 52.24, -0.90, 3.1, 0.8, 25, 26, 8000, "Snowy", "snow"},
        {"Rugby", 52.37, -1.26, 2.6, 0, 26, 24, 15000, "Cloudy", "dry"},
        {"Coventry", 52.41, -1.51, 2.4, 0, 23, 30, 15000, "Sunny", "dry"},
    };
    city->station_count = sizeof stations / sizeof stations[0];
    city->stations = mem_zero(city->station_count, sizeof *city->stations);
    for (size_t i = 0; i < city->station_count; i++) {
        struct city_station *station = &city->stations[i];
        station->at = geo_project(stations[i].latitude, stations[i].longitude);
        station->arrived_us = WALL_US - 14000000;
        station->event =
            (struct event){.kind = EVENT_WEATHER, .present = (UINT64_C(1) << WEATHER_FIELDS) - 1};
        struct event_weather *weather = &station->event.weather;
        *weather = (struct event_weather){.location = {stations[i].latitude, stations[i].longitude},
                                          .temperature = stations[i].temperature,
                                          .precipitation = stations[i].rain,
                                          .wind_speed = stations[i].wind,
                                          .humidity = 88,
                                          .air_quality_index = stations[i].air,
                                          .dew_point = 2,
                                          .pressure = 1008.4,
                                          .wind_direction = 225,
                                          .wind_gust = stations[i].wind * 1.5,
                                          .visibility = stations[i].visibility,
                                          .cloud_cover = 90};
        snprintf(weather->station_id, sizeof weather->station_id, "wx-%02zu", i);
        text_copy(weather->station_name, sizeof weather->station_name, stations[i].name);
        text_copy(weather->weather_condition, sizeof weather->weather_condition, stations[i].condition);
        text_copy(weather->road_surface, sizeof weather->road_surface, stations[i].surface);
        for (int route = 0; route < GEO_ROUTES; route++) {
            double distance;
            double at = geo_route_nearest((enum geo_route)route, stations[i].latitude, stations[i].longitude,
                                          &distance);
            station->chainage_km[route] = distance < 40000 ? at / 1000 : -1;
        }
    }
}

/* Sky, verge, a road that narrows to the horizon and a few boxes on it. */
static void fill_picture(struct city_snapshot *city)
{
    enum { WIDTH = 320, HEIGHT = 240 };
    uint8_t *pixels = mem_zero(WIDTH * HEIGHT, 3);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            uint8_t *pixel = pixels + (y * WIDTH + x) * 3;
            int depth = y - HEIGHT / 3, half = depth * 3 / 4 + 8;
            uint8_t sky[3] = {(uint8_t)(120 + y / 2), (uint8_t)(150 + y / 3), 205}, grass[3] = {72, 118, 70};
            uint8_t road[3] = {84, 84, 88}, line[3] = {230, 230, 230};
            const uint8_t *use = depth < 0 ? sky : abs(x - WIDTH / 2) < half ? road : grass;
            if (use == road && abs(abs(x - WIDTH / 2) * 3 - half) < 3 + depth / 40 && depth / 10 % 2 == 0)
                use = line;
            memcpy(pixel, use, 3);
        }
    static const int boxes[][5] = {{150, 100, 14, 10, 0xd02020},
                                   {176, 112, 18, 14, 0xe8e8e8},
                                   {112, 126, 26, 22, 0x3050c0},
                                   {182, 150, 40, 34, 0xc02828},
                                   {96, 176, 56, 46, 0xf0f0f0}};
    for (size_t i = 0; i < sizeof boxes / sizeof boxes[0]; i++)
        for (int y = boxes[i][1]; y < boxes[i][1] + boxes[i][3]; y++)
            for (int x = boxes[i][0]; x < boxes[i][0] + boxes[i][2]; x++)
                for (int c = 0; c < 3; c++)
                    pixels[(y * WIDTH + x) * 3 + c] = (uint8_t)(boxes[i][4] >> (16 - 8 * c));
    tjhandle coder = tjInitCompress();
    unsigned char *bytes = NULL;
    unsigned long length = 0;
    tjCompress2(coder, pixels, WIDTH, 0, HEIGHT, TJPF_RGB, &bytes, &length, TJSAMP_420, 80, 0);
    city->image.bytes = mem_alloc(length);
    memcpy(city->image.bytes, bytes, length);
    city->image.length = length;
    tjFree(bytes);
    tjDestroy(coder);
    free(pixels);
}

static void fill_cameras(struct city_snapshot *city)
{
    city->camera_count = 24;
    city->cameras = mem_zero(city->camera_count, sizeof *city->cameras);
    for (size_t i = 0; i < city->camera_count; i++) {
        enum geo_route route = i % 2 ? GEO_M1_NORTH : GEO_M40_NORTH;
        struct city_camera *camera = &city->cameras[i];
        double km = 20.0 + 14.0 * (double)(i / 2);
        struct geo_position at = geo_route_position(route, km * 1000);
        snprintf(camera->camera_id, sizeof camera->camera_id, "cam-%s-%03d", i % 2 ? "m1" : "m40", (int)km);
        camera->at = geo_project(at.latitude, at.longitude);
        camera->has_image = true;
        camera->timestamp = SIM_MS;
    }
    struct city_image *image = &city->image;
    image->known = true;
    image->generation = 1;
    image->arrived_us = WALL_US - 2000000;
    image->event = (struct event){
        .kind = EVENT_TRAFFIC, .present = (UINT64_C(1) << TRAFFIC_FIELDS) - 1, .timestamp = SIM_MS - 2000};
    struct event_traffic *traffic = &image->event.traffic;
    *traffic = (struct event_traffic){.content_type = "image/jpeg",
                                      .width = 320,
                                      .height = 240,
                                      .road = "M40",
                                      .carriageway = "A",
                                      .intensity = 3120,
                                      .average_vehicle_speed = 41.3,
                                      .occupancy = 0.31,
                                      .congested = true,
                                      .vehicle_counts = {{4, 1, 2, 0}}};
    text_copy(traffic->camera_id, sizeof traffic->camera_id, city->cameras[8].camera_id);
    struct geo_position at = geo_route_position(GEO_M40_NORTH, 76000);
    traffic->location = (struct event_location){at.latitude, at.longitude};
    geo_marker(GEO_M40_NORTH, 76000, traffic->marker);
    fill_picture(city);
}

static void fill_topics(struct drive_view *fixture)
{
    static const double rates[EVENT_KIND_COUNT] = {250, 250, 12, 4, 0.3};
    static const double sizes[EVENT_KIND_COUNT] = {620, 290, 11800, 540, 700};
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct city_topic *topic = &fixture->city->topics[kind];
        topic->events = (uint64_t)(rates[kind] * 900) + 1;
        topic->bytes = (uint64_t)((double)topic->events * sizes[kind]);
        topic->last_arrived_us = WALL_US - 100000;
        topic->events_series.bucket_us = topic->bytes_series.bucket_us = 1000000;
        topic->events_series.newest = topic->bytes_series.newest = WALL_US / 1000000;
        topic->events_series.filled = topic->bytes_series.filled = SERIES_BUCKETS;
        for (int i = 0; i < SERIES_BUCKETS; i++) {
            float value = (float)(rates[kind] * (1 + 0.2 * sin(i / 7.0 + kind)));
            topic->events_series.values[i] = value;
            topic->bytes_series.values[i] = value * (float)sizes[kind];
        }
        fixture->view.consumer.topics[kind].lag = 20 + kind;
        fixture->view.consumer.topics[kind].consumed = topic->events;
        fixture->view.producer.topics[kind].produced = topic->events + 40;
        fixture->view.producer.topics[kind].acknowledged = topic->events + 30;
    }
    fixture->city->topics[EVENT_GPS].quarantined = 3;
    fixture->city->lag_seconds = 0.2;
}

static void fill_hops(struct view *view)
{
    static const struct view_hop hops[VIEW_HOPS] = {
        {.name = "SIM",
         .state = HOP_GOOD,
         .figure = "516/s",
         .detail = "×10, 250 vehicles",
         .key = "space",
         .action = "pause"},
        {.name = "KAFKA", .state = HOP_GOOD, .figure = "lag 118", .detail = "0.2 s behind"},
        {.name = "LAKE", .state = HOP_OFF, .figure = "", .detail = "not connected"},
        {.name = "S3", .state = HOP_OFF, .figure = "", .detail = "not connected"},
        {.name = "GLUE", .state = HOP_OFF, .figure = "", .detail = "not connected"},
        {.name = "ATHENA", .state = HOP_OFF, .figure = "", .detail = "not connected"},
        {.name = "REDSHIFT", .state = HOP_OFF, .figure = "", .detail = "not connected"},
    };
    memcpy(view->hops, hops, sizeof hops);
}

#define BAD_TEXT "\x1b]0;owned\x07\x1b[31m\xff\xfe"

static void make_hostile(struct city_snapshot *city)
{
    struct event *vehicle = &city->followed.vehicle;
    text_copy(vehicle->device_id, sizeof vehicle->device_id, BAD_TEXT);
    text_copy(vehicle->vehicle.make, sizeof vehicle->vehicle.make, BAD_TEXT);
    text_copy(vehicle->vehicle.road, sizeof vehicle->vehicle.road, BAD_TEXT);
    text_copy(vehicle->vehicle.route_id, sizeof vehicle->vehicle.route_id, "nowhere");
    vehicle->vehicle.speed = NAN;
    vehicle->vehicle.heading = INFINITY;
    vehicle->vehicle.fuel_level = 1e300;
    city->followed.arrives_at = INT64_MAX;
    city->followed.trip_km = NAN;
    city->followed.queue_ahead_km = NAN;
    text_copy(city->vehicles[0].device_id, sizeof city->vehicles[0].device_id, BAD_TEXT);
    city->vehicles[0].route = -1;
    city->vehicles[1].chainage_km = 1e9f;
    city->vehicles[1].heading = NAN;
    city->vehicles[1].status = 200;
    city->vehicles[1].type = 200;
    for (size_t i = 0; i < city->incident_count; i++) {
        struct event *event = &city->incidents[i].event;
        text_copy(event->emergency.type, sizeof event->emergency.type, BAD_TEXT);
        text_copy(event->emergency.route_id, sizeof event->emergency.route_id, "x");
        event->emergency.lanes_closed = INT32_MIN;
        event->emergency.expected_clear_at = INT64_MIN;
        event->emergency.responders.count = 1000;
        event->present = i == 0 ? 0 : event->present;
    }
    for (size_t i = 0; i < city->station_count; i++) {
        city->stations[i].event.weather.precipitation = i % 2 ? NAN : 1e30;
        city->stations[i].event.weather.temperature = i % 3 ? -INFINITY : 1e9;
        text_copy(city->stations[i].event.weather.station_name, 24, BAD_TEXT);
    }
    for (size_t i = 0; i < city->image.length; i++)
        city->image.bytes[i] = (uint8_t)(city->image.bytes[i] ^ (i > 400 ? 0x5a : 0));
    text_copy(city->image.event.traffic.camera_id, 24, BAD_TEXT);
    city->image.generation++;
    for (int route = 0; route < GEO_ROUTES; route++)
        city->bins[route][3].ratio = NAN;
}

struct drive_view *drive_view_create(enum drive_view_kind kind)
{
    struct drive_view *fixture = mem_zero(1, sizeof *fixture);
    struct city_snapshot *city = fixture->city = mem_zero(1, sizeof *fixture->city);
    struct view *view = &fixture->view;
    view->city = city;
    view->wall_us = city->taken_us = WALL_US;
    view->mono_us = 1000000;
    view->source = VIEW_LIVE;
    view->sim.present = true;
    text_copy(view->kafka_label, sizeof view->kafka_label, "LOCAL");
    text_copy(view->cloud_label, sizeof view->cloud_label, "not connected");
    fill_hops(view);
    for (int route = 0; route < GEO_ROUTES; route++)
        for (int bin = 0; bin < CITY_BINS; bin++)
            city->bins[route][bin].ratio = -1;
    if (kind == DRIVE_VIEW_EMPTY) {
        view->sim.speed = 1;
        return fixture;
    }
    city->generation = 1;
    city->simulated_ms = SIM_MS;
    view->sim.speed = 10;
    fill_bins(city);
    fill_vehicles(city);
    fill_followed(city);
    city->incidents = mem_zero(3, sizeof *city->incidents);
    add_incident(city, GEO_M40_NORTH, 82, "Accident", "Severe", "OnScene", 2, true);
    add_incident(city, GEO_M1_SOUTH, 92, "Breakdown", "Minor", "Responding", 1, true);
    add_incident(city, GEO_M1_NORTH, 40, "Debris", "Moderate", "Resolved", 1, false);
    fill_weather(city);
    fill_cameras(city);
    fill_topics(fixture);
    if (kind == DRIVE_VIEW_HOSTILE)
        make_hostile(city);
    return fixture;
}

void drive_view_destroy(struct drive_view *fixture)
{
    struct city_snapshot *city = fixture->city;
    free(city->vehicles);
    free(city->incidents);
    free(city->stations);
    free(city->cameras);
    free(city->image.bytes);
    free(city);
    free(fixture);
}

void drive_view_advance(struct drive_view *fixture, double seconds)
{
    struct city_snapshot *city = fixture->city;
    for (size_t i = 0; i < city->vehicle_count; i++) {
        struct city_vehicle *vehicle = &city->vehicles[i];
        if (vehicle->route < 0)
            continue;
        vehicle->chainage_km += (float)(vehicle->speed / 3600.0 * seconds);
        if (vehicle->chainage_km * 1000.0 > geo_route_length((enum geo_route)vehicle->route))
            vehicle->chainage_km = 0;
        place_vehicle(vehicle);
    }
    struct city_followed *followed = &city->followed;
    if (followed->known && city->vehicle_count > followed->index) {
        memmove(followed->track, followed->track + 1, (CITY_TRACK - 1) * sizeof followed->track[0]);
        followed->track[CITY_TRACK - 1] = city->vehicles[followed->index].at;
        followed->vehicle.vehicle.chainage = city->vehicles[followed->index].chainage_km;
        followed->vehicle.vehicle.heading = city->vehicles[followed->index].heading;
    }
    fixture->view.wall_us += (int64_t)(seconds * 1e6);
    city->taken_us = fixture->view.wall_us;
    city->simulated_ms += (int64_t)(seconds * 1e3);
    city->generation++;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        city->kind_generation[kind]++;
}
