#include "base/buf.h"
#include "city/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define T0     INT64_C(1768204800000) /* 2026-01-12T08:00:00Z */
#define W0     INT64_C(1790000000000000)
#define SECOND INT64_C(1000000)
#define HOUR   INT64_C(3600000)

/* A city under test: wall time goes with simulated time unless a test moves it. */
struct city {
    struct model *model;
    int64_t offset, wall_us;
    struct city_snapshot *snapshot;
};

static int setup(void **state)
{
    static struct city city;
    city = (struct city){.model = model_create(200), .wall_us = W0};
    *state = &city;
    return 0;
}

static int teardown(void **state)
{
    struct city *city = *state;
    city_snapshot_release(city->snapshot);
    model_destroy(city->model);
    return 0;
}

static const struct city_snapshot *look(struct city *city)
{
    city_snapshot_release(city->snapshot);
    city->snapshot = model_snapshot(city->model, city->wall_us);
    return city->snapshot;
}

static void apply_json(struct city *city, enum event_kind kind, const char *text)
{
    struct record record = {.kind = (int)kind,
                            .offset = -1,
                            .arrived_us = city->wall_us,
                            .value = text,
                            .value_length = strlen(text)};
    struct event event;
    struct codec_report report;
    if (!codec_decode_record(&record, &event, &report))
        fail_msg("%s", report.reason);
    model_apply(city->model, &event, &record, &report);
}

/* A car on the M40 northbound. */
static void drive(struct city *city, const char *device, int64_t time, double km, double speed,
                  const char *status)
{
    struct geo_position at = geo_route_position(GEO_M40_NORTH, km * 1000);
    char text[400];
    snprintf(
        text, sizeof text,
        "{\"deviceId\":\"%s\",\"timestamp\":%lld,\"location\":{\"latitude\":%.6f,\"longitude\":%.6f},"
        "\"speed\":%.1f,\"heading\":%.1f,\"vehicleType\":\"car\",\"routeId\":\"m40-nb\",\"chainage\":%.3f,"
        "\"speedLimit\":112,\"status\":\"%s\"}",
        device, (long long)time, at.latitude, at.longitude, speed, at.heading, km, status);
    apply_json(city, EVENT_VEHICLE, text);
}

static const struct city_vehicle *find(const struct city_snapshot *snapshot, const char *device)
{
    for (size_t i = 0; i < snapshot->vehicle_count; i++)
        if (strcmp(snapshot->vehicles[i].device_id, device) == 0)
            return &snapshot->vehicles[i];
    return NULL;
}

static void test_empty(void **state)
{
    struct city_snapshot *snapshot = city_snapshot_empty(W0);
    assert_int_equal(snapshot->vehicle_count, 0);
    assert_false(snapshot->followed.known);
    assert_true(snapshot->bins[0][0].ratio < 0);
    assert_int_equal(snapshot->references, 1);
    assert_ptr_equal(city_snapshot_retain(snapshot), snapshot);
    city_snapshot_release(snapshot);
    city_snapshot_release(snapshot);
    city_snapshot_release(NULL);
}

static void test_a_vehicle_appears_and_moves(void **state)
{
    struct city *city = *state;
    uint64_t generation = model_generation(city->model);
    drive(city, "car-1", T0, 60, 100, "moving");
    assert_true(model_generation(city->model) > generation);
    drive(city, "car-2", T0, 61, 0, "brokenDown");
    drive(city, "car-1", T0 + 1000, 60.028, 101, "queueing");
    const struct city_snapshot *snapshot = look(city);
    assert_int_equal(snapshot->vehicle_count, 2);
    assert_int_equal(snapshot->simulated_ms, T0 + 1000);
    assert_string_equal(snapshot->vehicles[0].device_id, "car-1"); /* in the order first seen */
    assert_int_equal(snapshot->vehicles[0].route, GEO_M40_NORTH);
    assert_float_equal(snapshot->vehicles[0].chainage_km, 60.028, 0.001);
    assert_float_equal(snapshot->vehicles[0].limit, 112, 0);
    assert_int_equal(snapshot->vehicles[0].status, 1);
    assert_int_equal(snapshot->vehicles[1].status, 3);
    struct geo_position at = geo_route_position(GEO_M40_NORTH, 60028);
    struct geo_vertex vertex = geo_project(at.latitude, at.longitude);
    assert_true(abs(snapshot->vehicles[0].at.x - vertex.x) < 10 &&
                abs(snapshot->vehicles[0].at.y - vertex.y) < 10);
    assert_int_equal(snapshot->topics[EVENT_VEHICLE].events, 3);
    assert_true(snapshot->topics[EVENT_VEHICLE].missing > 0);
    assert_int_equal(snapshot->kind_generation[EVENT_VEHICLE], 3);
    assert_int_equal(snapshot->kind_generation[EVENT_GPS], 0);
}

static void test_the_followed_vehicle(void **state)
{
    struct city *city = *state;
    for (int i = 0; i < 200; i++) {
        drive(city, "car-1", T0 + i * 1000, 60 + i * 0.03, 100 + i % 7, "moving");
        drive(city, "car-2", T0 + i * 1000, 90 + i * 0.03, 90, "moving");
    }
    apply_json(city, EVENT_GPS,
               "{\"deviceId\":\"car-2\",\"timestamp\":1768205000000,\"location\":[51.9,-1.2],\"fix\":\"3d\","
               "\"hdop\":0.9}");
    const struct city_snapshot *snapshot = look(city);
    assert_true(snapshot->followed.known);
    assert_string_equal(snapshot->followed.vehicle.device_id, "car-1"); /* the first, when none was chosen */
    assert_int_equal(snapshot->followed.gps.present, 0);
    assert_int_equal(snapshot->followed.gps.kind, EVENT_GPS);
    assert_int_equal(snapshot->followed.track_count, CITY_TRACK);
    assert_float_equal(snapshot->followed.speeds[CITY_TRACK - 1], 100 + 199 % 7, 0.01);
    assert_float_equal(snapshot->followed.speeds[0], 100 + 80 % 7, 0.01);

    struct model_focus focus = {.device_id = "car-2"};
    uint64_t generation = model_generation(city->model);
    model_set_focus(city->model, &focus);
    assert_true(model_generation(city->model) > generation);
    snapshot = look(city); /* all at once, although nothing has arrived since */
    assert_string_equal(snapshot->followed.vehicle.device_id, "car-2");
    assert_int_equal(snapshot->followed.index, 1);
    assert_int_equal(snapshot->followed.track_count, CITY_TRACK);
    assert_float_equal(snapshot->followed.gps_at.latitude, 51.9, 1e-9);
    assert_float_equal(snapshot->followed.trip_km, geo_route_length(GEO_M40_NORTH) / 1000, 0.001);
    assert_float_equal(snapshot->followed.trip_done_km, 95.97, 0.01);
    focus = (struct model_focus){.device_id = "nobody"};
    model_set_focus(city->model, &focus);
    assert_false(look(city)->followed.known);
}

static void test_arrival_and_the_queue_ahead(void **state)
{
    struct city *city = *state;
    double length = geo_route_length(GEO_M40_NORTH) / 1000;
    /* The whole road at 100 km/h, but a queue at 20 from km 80 to 83. */
    for (int km = 60; km < (int)length + 1; km++) {
        char device[16];
        snprintf(device, sizeof device, "x%d", km);
        drive(city, device, T0, km + 0.5 < length ? km + 0.5 : length, km >= 80 && km < 83 ? 20 : 100,
              "moving");
    }
    drive(city, "me", T0, 70.25, 100, "moving");
    struct model_focus focus = {.device_id = "me"};
    model_set_focus(city->model, &focus);
    const struct city_followed *followed = &look(city)->followed;
    assert_float_equal(followed->queue_ahead_km, 9.75, 0.01);
    assert_float_equal(followed->queue_length_km, 3, 0.01);
    double hours = (length - 70.25 - 3) / 100 + 3.0 / 20;
    assert_true(fabs((double)(followed->arrives_at - T0) - hours * 3600000) < 60000);
    assert_float_equal(city->snapshot->bins[GEO_M40_NORTH][81].ratio, 20.0 / 112, 0.001);
    assert_int_equal(city->snapshot->bins[GEO_M40_NORTH][70].vehicles, 2);
    assert_true(city->snapshot->bins[GEO_M40_SOUTH][81].ratio < 0);

    drive(city, "me", T0 + 1000, 82.5, 20, "queueing"); /* in it */
    followed = &look(city)->followed;
    assert_float_equal(followed->queue_ahead_km, 0, 0.001);
    assert_float_equal(followed->queue_length_km, 0.5, 0.01);
    assert_int_equal(city->snapshot->bins[GEO_M40_NORTH][70].vehicles, 1);
    drive(city, "me", T0 + 2000, 84, 100, "moving");
    assert_true(look(city)->followed.queue_ahead_km < 0);
}

static void test_congestion_is_smoothed_and_forgotten(void **state)
{
    struct city *city = *state;
    drive(city, "a", T0, 100.5, 112, "moving");
    drive(city, "b", T0, 100.6, 56, "moving");
    assert_float_equal(look(city)->bins[GEO_M40_NORTH][100].ratio, 0.75, 0.001);
    drive(city, "b", T0 + 600000, 100.6, 28, "moving"); /* what was ten minutes ago weighs nothing */
    assert_float_equal(look(city)->bins[GEO_M40_NORTH][100].ratio, 0.25, 0.001);
    drive(city, "b", T0 + 600000, 150, 28, "moving");
    drive(city, "b", T0 + 1500000, 160, 28, "moving");
    assert_true(look(city)->bins[GEO_M40_NORTH][100].ratio < 0);
    assert_int_equal(look(city)->bins[GEO_M40_NORTH][100].age_s, 900);
    drive(city, "c", T0 + 1500000, 160.5, 0, "brokenDown"); /* on the shoulder: no congestion */
    assert_float_equal(look(city)->bins[GEO_M40_NORTH][160].ratio, 0.25, 0.001);
}

static void test_an_outside_record_is_enough(void **state)
{
    struct city *city = *state;
    drive(city, "car-1", T0, 60, 100, "moving");
    /* Years away from the simulated clock, on the M40, no chainage. */
    struct geo_position at = geo_route_position(GEO_M40_SOUTH, 90000);
    char text[300];
    for (int i = 0; i < 50; i++) {
        snprintf(
            text, sizeof text,
            "{\"deviceId\":\"me\",\"timestamp\":\"2031-05-05T10:00:%02dZ\",\"location\":{\"latitude\":%.6f,"
            "\"longitude\":%.6f},\"speed\":80,\"heading\":%.0f}",
            i, at.latitude, at.longitude, at.heading);
        apply_json(city, EVENT_VEHICLE, text);
        city->wall_us += SECOND;
        drive(city, "car-1", T0 + 1000 + i * 1000, 60 + i * 0.03, 100, "moving");
    }
    const struct city_snapshot *snapshot = look(city);
    const struct city_vehicle *me = find(snapshot, "me");
    assert_non_null(me);
    assert_int_equal(me->route, GEO_M40_SOUTH);
    assert_float_equal(me->chainage_km, 90, 0.1);
    assert_float_equal(me->speed, 80, 0);
    assert_true(me->limit > 0);
    assert_int_equal(snapshot->simulated_ms, T0 + 50000); /* the clock does not follow one stranger */
    assert_int_equal(snapshot->vehicle_count, 2);
    assert_int_equal(snapshot->restarts, 0);
    apply_json(city, EVENT_VEHICLE,
               "{\"deviceId\":\"far\",\"timestamp\":1768204850,\"location\":[48.8,2.3]}");
    assert_int_equal(find(look(city), "far")->route, -1);
    apply_json(city, EVENT_VEHICLE, "{\"deviceId\":\"nowhere\",\"timestamp\":1768204850,\"speed\":1}");
    assert_null(find(look(city), "nowhere"));
    apply_json(city, EVENT_VEHICLE,
               "{\"deviceId\":\"by-road\",\"timestamp\":1768204850,\"routeId\":\"m1-sb\",\"chainage\":12.5}");
    assert_int_equal(find(look(city), "by-road")->route, GEO_M1_SOUTH);
}

static void test_gps_alone_moves_a_dot(void **state)
{
    struct city *city = *state;
    apply_json(city, EVENT_GPS,
               "{\"deviceId\":\"g\",\"timestamp\":1768204800,\"speed\":50,\"location\":[51.6,-0.6]}");
    assert_float_equal(find(look(city), "g")->speed, 50, 0);
    drive(city, "g", T0 + 1000, 60, 100, "moving");
    apply_json(city, EVENT_GPS,
               "{\"deviceId\":\"g\",\"timestamp\":1768204802,\"speed\":51,\"location\":[51.6,-0.6]}");
    assert_float_equal(find(look(city), "g")->speed, 100, 0); /* the vehicle's own word goes first */
    assert_float_equal(look(city)->followed.gps.gps.speed, 51, 0);
}

static void test_vehicles_expire(void **state)
{
    struct city *city = *state;
    drive(city, "gone", T0, 60, 100, "moving");
    drive(city, "home", T0, 200, 0, "arrived");
    drive(city, "here", T0, 61, 100, "moving");
    city->wall_us += 60 * SECOND;
    drive(city, "here", T0 + 59000, 62, 100, "moving");
    assert_int_equal(look(city)->vehicle_count, 3);
    drive(city, "here", T0 + 61000, 62, 100, "moving");
    assert_null(find(look(city), "home"));
    drive(city, "here", T0 + 601000, 75, 100, "moving");
    assert_int_equal(look(city)->vehicle_count, 1);
    assert_non_null(find(city->snapshot, "here"));
    /* At 3600 times real time, ten minutes pass in a sixth of a second: not yet. */
    drive(city, "late", T0 + 601000, 75, 100, "moving");
    drive(city, "here", T0 + 1300000, 76, 100, "moving");
    assert_non_null(find(look(city), "late"));
    city->wall_us += 6 * SECOND;
    assert_null(find(look(city), "late"));
    assert_int_equal(city->snapshot->bins[GEO_M40_NORTH][75].vehicles, 0);
    drive(city, "late", T0 + 1300000, 75, 100, "moving"); /* and back, last in the order */
    assert_string_equal(look(city)->vehicles[city->snapshot->vehicle_count - 1].device_id, "late");
}

static void test_the_number_of_vehicles_is_bounded(void **state)
{
    struct city *city = *state;
    struct model_focus focus = {.device_id = "v0"};
    model_set_focus(city->model, &focus);
    for (int i = 0; i < 1000; i++) {
        char device[16];
        snprintf(device, sizeof device, "v%d", i);
        drive(city, device, T0 + i, 60 + i * 0.1, 100, "moving");
        if (i == 500)
            drive(city, "v450", T0 + i, 60, 100, "moving");
    }
    const struct city_snapshot *snapshot = look(city);
    assert_int_equal(snapshot->vehicle_count, 200);
    assert_int_equal(snapshot->evicted_vehicles, 800);
    assert_non_null(find(snapshot, "v0")); /* never the one in focus */
    assert_non_null(find(snapshot, "v999"));
    assert_null(find(snapshot, "v450"));
    int in_bins = 0;
    for (int i = 0; i < CITY_BINS; i++)
        in_bins += snapshot->bins[GEO_M40_NORTH][i].vehicles;
    assert_int_equal(in_bins, 200);
}

static void test_reset_of_the_simulation(void **state)
{
    struct city *city = *state;
    char device[16];
    for (int second = 0; second < 1200; second += 10)
        for (int i = 0; i < 30; i++) {
            snprintf(device, sizeof device, "v%d", i);
            drive(city, device, T0 + second * 1000, 60 + i + second * 0.03, 100, "moving");
        }
    apply_json(
        city, EVENT_EMERGENCY,
        "{\"incidentId\":\"old\",\"timestamp\":1768205900,\"status\":\"Active\",\"location\":[51.8,-1.2]}");
    drive(city, "only-before", T0 + 1190000, 70, 50, "moving");
    assert_int_equal(look(city)->vehicle_count, 31);
    assert_int_equal(city->snapshot->simulated_ms, T0 + 1190000);
    /* Twenty minutes back: less than an hour, but every device goes back. */
    apply_json(
        city, EVENT_EMERGENCY,
        "{\"incidentId\":\"new\",\"timestamp\":1768204800,\"status\":\"Active\",\"location\":[51.8,-1.2]}");
    for (int i = 0; i < 30; i++) {
        snprintf(device, sizeof device, "v%d", i);
        drive(city, device, T0, 60 + i, 100, "moving");
    }
    const struct city_snapshot *snapshot = look(city);
    assert_int_equal(snapshot->simulated_ms, T0);
    assert_int_equal(snapshot->restarts, 1);
    assert_int_equal(snapshot->vehicle_count, 30); /* those of the new world, from its first event on */
    assert_null(find(snapshot, "only-before"));
    for (int i = 0; i < 3; i++) {
        drive(city, "v1", T0 + 1000 * i, 61, 100, "moving");
        assert_int_equal(look(city)->vehicle_count, 30);
    }
    assert_true(city->snapshot->topics[EVENT_VEHICLE].events > 3600); /* counters stay */
    struct model_focus focus = {.device_id = "v3"};
    model_set_focus(city->model, &focus);
    assert_int_equal(look(city)->followed.track_count, 1); /* no line across the country */
}

static void test_replay_of_another_day(void **state)
{
    struct city *city = *state;
    for (int i = 0; i < 10; i++)
        drive(city, "a", T0 + i * 1000, 60, 100, "moving");
    /* One vehicle a second, a year earlier: the clock stands, so a few are enough. */
    for (int i = 0; i < 6; i++) {
        city->wall_us += SECOND;
        drive(city, "b", T0 - 8760 * HOUR + i * 1000, 60, 100, "moving");
    }
    assert_int_equal(look(city)->simulated_ms, T0 - 8760 * HOUR + 5000);
    assert_int_equal(city->snapshot->vehicle_count, 1);
    /* Forward again: an incident that is still open stays. */
    apply_json(city, EVENT_EMERGENCY,
               "{\"incidentId\":\"i\",\"timestamp\":\"2025-01-12T08:00:05Z\",\"status\":\"Active\","
               "\"location\":[51.8,-1.2]}");
    for (int i = 0; i < 20; i++)
        drive(city, "b", T0 - 8758 * HOUR + i, 60, 100, "moving");
    assert_int_equal(look(city)->simulated_ms, T0 - 8758 * HOUR + 19);
    assert_int_equal(city->snapshot->incidents_open, 1);
    assert_int_equal(city->snapshot->restarts, 2);
}

static void test_partitions_out_of_step_are_no_restart(void **state)
{
    struct city *city = *state;
    for (int i = 0; i < 100; i++) {
        char device[16];
        drive(city, "fast", T0 + HOUR / 2 + i * 1000, 60, 100, "moving");
        for (int j = 0; j < 40; j++) { /* another partition is half an hour behind */
            snprintf(device, sizeof device, "slow%d", j);
            drive(city, device, T0 + i * 1000, 60, 100, "moving");
        }
    }
    assert_int_equal(look(city)->restarts, 0);
    assert_int_equal(city->snapshot->vehicle_count, 41);
    assert_int_equal(city->snapshot->simulated_ms, T0 + HOUR / 2 + 99000);
}

static void test_reset_by_command(void **state)
{
    struct city *city = *state;
    drive(city, "a", T0, 60, 100, "moving");
    model_reset(city->model);
    const struct city_snapshot *snapshot = look(city);
    assert_int_equal(snapshot->vehicle_count, 0);
    assert_int_equal(snapshot->simulated_ms, 0);
    assert_int_equal(snapshot->topics[EVENT_VEHICLE].events, 1);
    drive(city, "a", T0 - 100 * HOUR, 60, 100, "moving");
    assert_int_equal(look(city)->vehicle_count, 1);
    assert_int_equal(city->snapshot->restarts, 0);
}

static void test_life_of_an_incident(void **state)
{
    struct city *city = *state;
    apply_json(city, EVENT_EMERGENCY,
               "{\"deviceId\":\"i1\",\"incidentId\":\"i1\",\"timestamp\":1768204800,\"type\":\"Accident\","
               "\"status\":\"Reported\","
               "\"routeId\":\"m40-nb\",\"chainage\":80,\"lanesClosed\":2,\"sequence\":1}");
    city->wall_us += SECOND;
    apply_json(city, EVENT_EMERGENCY,
               "{\"incidentId\":\"i2\",\"timestamp\":1768204801,\"type\":\"Fire\",\"status\":\"Active\","
               "\"location\":[51.8,-1.2]}");
    apply_json(city, EVENT_EMERGENCY,
               "{\"deviceId\":\"c\",\"timestamp\":1768204801,\"type\":\"None\",\"status\":\"Active\"}");
    const struct city_snapshot *snapshot = look(city);
    assert_int_equal(snapshot->incident_count, 2);
    assert_string_equal(snapshot->incidents[0].event.emergency.incident_id, "i2"); /* newest first */
    assert_true(snapshot->incidents[1].at.x != 0); /* placed by its chainage */
    apply_json(city, EVENT_EMERGENCY,
               "{\"incidentId\":\"i2\",\"timestamp\":1768204900,\"status\":\"Resolved\"}");
    apply_json(city, EVENT_EMERGENCY,
               "{\"incidentId\":\"i1\",\"timestamp\":1768204905,\"status\":\"Active\",\"sequence\":3}");
    apply_json(city, EVENT_EMERGENCY,
               "{\"incidentId\":\"i1\",\"timestamp\":1768204902,\"status\":\"Reported\",\"sequence\":2}");
    snapshot = look(city);
    assert_int_equal(snapshot->incidents_open, 1);
    assert_string_equal(snapshot->incidents[0].event.emergency.incident_id, "i1"); /* open ones first */
    assert_string_equal(snapshot->incidents[0].event.emergency.status,
                        "Active");                                            /* not the redelivered one */
    assert_int_equal(snapshot->incidents[0].event.emergency.lanes_closed, 2); /* said before, still so */
    assert_false(snapshot->incidents[1].open);
    assert_string_equal(snapshot->incidents[1].event.emergency.type, "Fire");
    city->wall_us += 10 * SECOND;
    drive(city, "car", T0 + 100000 + 599000, 60, 100, "moving");
    assert_int_equal(look(city)->incident_count, 2);
    drive(city, "car", T0 + 100000 + 601000, 60, 100, "moving");
    assert_int_equal(look(city)->incident_count, 1);
}

static void test_incidents_are_bounded(void **state)
{
    struct city *city = *state;
    for (int i = 0; i < 600; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"incidentId\":\"i%d\",\"timestamp\":%lld,\"status\":\"%s\",\"location\":[51.8,-1.2]}", i,
                 (long long)T0 + i, i < 50 ? "Resolved" : "Active");
        apply_json(city, EVENT_EMERGENCY, text);
    }
    const struct city_snapshot *snapshot = look(city);
    assert_int_equal(snapshot->incident_count, 512);
    assert_int_equal(snapshot->incidents_open, 512);
    assert_int_equal(snapshot->evicted_others, 88); /* resolved ones first */
}

static void test_stations(void **state)
{
    struct city *city = *state;
    apply_json(city, EVENT_WEATHER,
               "{\"deviceId\":\"st-ox\",\"stationId\":\"oxford\",\"timestamp\":1768204800,\"location\":[51."
               "83,-1.32],\"temperature\":4.5}");
    apply_json(city, EVENT_WEATHER,
               "{\"deviceId\":\"paris\",\"timestamp\":1768204800,\"location\":[48.8,2.3]}");
    apply_json(city, EVENT_WEATHER,
               "{\"stationId\":\"oxford\",\"timestamp\":1768205100,\"temperature\":4.7}");
    const struct city_snapshot *snapshot = look(city);
    assert_int_equal(snapshot->station_count, 2);
    assert_float_equal(snapshot->stations[0].event.weather.temperature, 4.7, 1e-9);
    assert_true(event_has(&snapshot->stations[0].event, WEATHER_LOCATION));
    assert_in_range(snapshot->stations[0].chainage_km[GEO_M40_NORTH], 70, 110);
    assert_true(snapshot->stations[1].chainage_km[GEO_M40_NORTH] < 0);
    assert_true(snapshot->stations[1].chainage_km[GEO_M1_SOUTH] < 0);
}

static void camera(struct city *city, const char *id, double km, int64_t time, const char *image)
{
    struct geo_position at = geo_route_position(GEO_M40_NORTH, km * 1000);
    char text[400];
    snprintf(text, sizeof text,
             "{\"deviceId\":\"%s\",\"cameraId\":\"%s\",\"timestamp\":%lld,\"location\":[%.6f,%.6f],"
             "\"intensity\":2400,"
             "\"averageVehicleSpeed\":98,\"occupancy\":0.2,\"congested\":false,\"road\":\"M40\"%s%s%s}",
             id, id, (long long)time, at.latitude, at.longitude, image ? ",\"snapshot\":\"" : "",
             image ? image : "", image ? "\"" : "");
    apply_json(city, EVENT_TRAFFIC, text);
}

static void test_cameras_and_their_pictures(void **state)
{
    struct city *city = *state;
    drive(city, "car", T0, 81, 100, "moving");
    camera(city, "c60", 60, T0, "/9j/AAA=");
    camera(city, "c80", 80, T0, "/9j/AAAB");
    camera(city, "c82", 82, T0, NULL);
    const struct city_snapshot *snapshot = look(city);
    assert_int_equal(snapshot->camera_count, 3);
    assert_string_equal(snapshot->image.event.traffic.camera_id, "c80"); /* nearest of those with a picture */
    assert_int_equal(snapshot->image.length, 6);
    assert_memory_equal(snapshot->image.bytes, "\xFF\xD8\xFF\0\0\x01", 6);
    assert_int_equal(snapshot->image.event.traffic.snapshot.length, 0);
    assert_false(snapshot->cameras[2].has_image);
    assert_float_equal(snapshot->cameras[1].intensity, 2400, 0);
    uint64_t generation = snapshot->image.generation;

    struct model_focus focus = {.camera_id = "c60"};
    model_set_focus(city->model, &focus);
    snapshot = look(city); /* at once */
    assert_int_equal(snapshot->image.length, 5);
    assert_true(snapshot->image.generation != generation);
    generation = snapshot->image.generation;
    camera(city, "c60", 60, T0 + 1000, NULL);
    assert_int_equal(look(city)->image.generation, generation); /* no new picture */
    camera(city, "c60", 60, T0 + 2000, "not base64");
    assert_int_equal(look(city)->image.generation, generation);
    assert_int_equal(city->snapshot->topics[EVENT_TRAFFIC].unfit, 1);
    assert_int_equal(city->snapshot->image.length, 5);
}

static void test_pictures_are_bounded(void **state)
{
    struct city *city = *state;
    size_t length = 400 << 10;
    char *image = malloc(length + 1), *text = malloc(length + 300);
    memset(image, 'A', length);
    image[length] = '\0';
    struct model_focus focus = {.camera_id = "c0"};
    model_set_focus(city->model, &focus);
    for (int i = 0; i < 40; i++) {
        snprintf(text, length + 300, "{\"cameraId\":\"c%d\",\"timestamp\":1768204800,\"snapshot\":\"%s\"}", i,
                 image);
        apply_json(city, EVENT_TRAFFIC, text);
    }
    size_t with = 0;
    const struct city_snapshot *snapshot = look(city);
    for (size_t i = 0; i < snapshot->camera_count; i++)
        with += snapshot->cameras[i].has_image;
    assert_int_equal(with, (8u << 20) / (length / 4 * 3));
    assert_true(snapshot->cameras[0].has_image && snapshot->cameras[39].has_image);
    free(image);
    free(text);
    for (int i = 0; i < 1100; i++) {
        char id[16];
        snprintf(id, sizeof id, "d%d", i);
        city->wall_us++;
        camera(city, id, 100, T0, NULL);
    }
    assert_int_equal(look(city)->camera_count, 1024);
    assert_int_equal(city->snapshot->evicted_others, 116);
}

static void record_at(struct city *city, int32_t partition, int64_t offset)
{
    static const char text[] = "{\"deviceId\":\"d\",\"timestamp\":1768204800}";
    struct record record = {.kind = EVENT_GPS,
                            .partition = partition,
                            .offset = offset,
                            .arrived_us = city->wall_us,
                            .value = text,
                            .value_length = sizeof text - 1};
    struct event event;
    struct codec_report report;
    assert_true(codec_decode_record(&record, &event, &report));
    model_apply(city->model, &event, &record, &report);
}

static void test_offset_gaps(void **state)
{
    struct city *city = *state;
    record_at(city, 0, 100); /* where it begins is no gap */
    record_at(city, 0, 101);
    record_at(city, 3, 7);
    record_at(city, 0, 102);
    assert_int_equal(look(city)->topics[EVENT_GPS].gaps, 0);
    record_at(city, 0, 110);
    record_at(city, 3, 9);
    assert_int_equal(look(city)->topics[EVENT_GPS].gaps, 8);
    struct record bad = {.kind = EVENT_GPS, .partition = 0, .offset = 111, .arrived_us = city->wall_us};
    model_quarantine(city->model, &bad, "bad"); /* delivered all the same */
    record_at(city, 0, 112);
    record_at(city, 0, 0); /* made anew */
    record_at(city, 0, 1);
    record_at(city, 0, -1);
    record_at(city, 1 << 30, 5);
    assert_int_equal(look(city)->topics[EVENT_GPS].gaps, 8);
}

static void test_quarantine(void **state)
{
    struct city *city = *state;
    for (int i = 0; i < 40; i++) {
        char text[] = "{\"a\":\"\x1b[2J\xff\"}";
        struct record record = {.kind = i == 39 ? -1 : EVENT_WEATHER,
                                .partition = 1,
                                .offset = i,
                                .arrived_us = city->wall_us,
                                .value = text,
                                .value_length = sizeof text - 1};
        model_quarantine(city->model, &record, "not JSON: byte 6: \x1b");
    }
    const struct city_snapshot *snapshot = look(city);
    assert_int_equal(snapshot->quarantine_count, CITY_QUARANTINE);
    assert_int_equal(snapshot->quarantine[0].offset, 39); /* newest first */
    assert_int_equal(snapshot->quarantine[0].kind, -1);
    assert_int_equal(snapshot->quarantine[31].offset, 8);
    assert_string_equal(snapshot->quarantine[0].excerpt, "{\"a\":\"␛[2J\xEF\xBF\xBD\"}");
    assert_null(strchr(snapshot->quarantine[0].reason, '\x1b'));
    assert_int_equal(snapshot->topics[EVENT_WEATHER].quarantined, 39);
    assert_int_equal(snapshot->topics[EVENT_WEATHER].events, 0);
}

static void test_rates_and_latency(void **state)
{
    struct city *city = *state;
    static const char text[] = "{\"deviceId\":\"d\",\"timestamp\":1768204800}";
    struct event event;
    struct codec_report report;
    struct buf headers;
    for (int i = 0; i < 1000; i++) {
        char produced[24];
        city->wall_us = W0 + i * SECOND / 100;
        snprintf(produced, sizeof produced, "%lld", (long long)city->wall_us - 250000);
        buf_init(&headers, 1000);
        record_headers_put(&headers, RECORD_HEADER_PRODUCED, produced, strlen(produced));
        struct record record = {.kind = EVENT_GPS,
                                .offset = -1,
                                .arrived_us = city->wall_us,
                                .value = text,
                                .value_length = sizeof text - 1,
                                .headers = (const uint8_t *)headers.data,
                                .headers_length = headers.length};
        assert_true(codec_decode_record(&record, &event, &report));
        model_apply(city->model, &event, &record, &report);
        buf_free(&headers);
    }
    const struct city_snapshot *snapshot = look(city);
    assert_float_equal(series_rate(&snapshot->topics[EVENT_GPS].events_series, 5), 100, 0.001);
    assert_float_equal(series_rate(&snapshot->topics[EVENT_GPS].bytes_series, 5), 100 * (sizeof text - 1),
                       0.001);
    assert_float_equal(snapshot->lag_seconds, 0.25, 0.001);
    assert_float_equal(series_max(&snapshot->latency_series, 5), 250, 0.1);
    /* Silence: the plots go on for a moment, then everything stands still. */
    city->wall_us += 2 * SECOND;
    assert_true(look(city)->generation > 0);
    assert_float_equal(series_rate(&city->snapshot->topics[EVENT_GPS].events_series, 1), 0, 0);
    city->wall_us += 2 * SECOND;
    uint64_t generation = look(city)->generation;
    city->wall_us += 100 * SECOND;
    assert_int_equal(look(city)->generation, generation);
    assert_int_equal(model_generation(city->model), generation);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_a_vehicle_appears_and_moves),
        TEST(test_the_followed_vehicle),
        TEST(test_arrival_and_the_queue_ahead),
        TEST(test_congestion_is_smoothed_and_forgotten),
        TEST(test_an_outside_record_is_enough),
        TEST(test_gps_alone_moves_a_dot),
        TEST(test_vehicles_expire),
        TEST(test_the_number_of_vehicles_is_bounded),
        TEST(test_reset_of_the_simulation),
        TEST(test_replay_of_another_day),
        TEST(test_partitions_out_of_step_are_no_restart),
        TEST(test_reset_by_command),
        TEST(test_life_of_an_incident),
        TEST(test_incidents_are_bounded),
        TEST(test_stations),
        TEST(test_cameras_and_their_pictures),
        TEST(test_pictures_are_bounded),
        TEST(test_offset_gaps),
        TEST(test_quarantine),
        TEST(test_rates_and_latency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
