/* Incidents: rates, the order and times of their lives, what they do to the road and what is said of them. */
#include "sim/incident.h"

#include "city/schema.h"
#include "sim/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MONDAY INT64_C(1768204800000) /* 2026-01-12 08:00 */
#define MINUTE 60000

struct scene {
    struct road *roads[GEO_ROUTES];
    struct weather_model *weather;
    struct incidents *incidents;
};

static void scene_open(struct scene *scene, uint64_t seed, double factor)
{
    for (int i = 0; i < GEO_ROUTES; i++)
        scene->roads[i] = road_create((enum geo_route)i);
    scene->weather = weather_create(seed, MONDAY);
    weather_override(scene->weather, "Sunny", NULL);
    scene->incidents = incidents_create(seed, scene->roads, scene->weather, factor);
}

static void scene_close(struct scene *scene)
{
    incidents_destroy(scene->incidents);
    weather_destroy(scene->weather);
    for (int i = 0; i < GEO_ROUTES; i++)
        road_destroy(scene->roads[i]);
}

/* Twelve hours of 20,000 vehicles at 50 mph: a million vehicle-miles an hour. */
static void as_many_begin_as_should(void **state)
{
    struct scene scene;
    scene_open(&scene, 5, 4);
    uint32_t begun = 0, breakdowns = 0, last = 0;
    for (uint64_t tick = 1; tick <= 12 * 7200; tick++) {
        int64_t now = MONDAY + (int64_t)tick * 500;
        weather_override(scene.weather, "Sunny", NULL);
        incidents_step(scene.incidents, tick, now, 1e6 * 1609.344 / 7200 / 2);
        const struct incident *list;
        size_t count = incidents_list(scene.incidents, &list);
        for (size_t i = 0; i < count; i++)
            if (list[i].number > last) {
                begun++;
                breakdowns += list[i].type == INCIDENT_BREAKDOWN;
                last = list[i].number;
            }
    }
    /* 24 million vehicle-miles by a factor of 4 and half the metres; about a quarter of the twelve hours is
     * dark. */
    double expected = 24e6 * 2.94e-6 * 1.08;
    assert_true(fabs(begun - expected) < 3.5 * sqrt(expected));
    assert_true(breakdowns * 100 > begun * 70);
    assert_int_equal(incidents_refused(scene.incidents), 0);
    scene_close(&scene);
}

static void lives_run_in_order(void **state)
{
    struct scene scene;
    double confirm = 0, mobilise = 0, travel = 0, clear = 0;
    int count = 0, within_hour = 0, unordered = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        scene_open(&scene, seed, 1);
        char id[40];
        for (int i = 0; i < 20; i++)
            assert_int_equal(incidents_inject(scene.incidents, GEO_M1_NORTH, 30000 + i * 4000, "Accident", 1,
                                              1, MONDAY, id, NULL),
                             0);
        const struct incident *list;
        size_t listed = incidents_list(scene.incidents, &list);
        for (size_t i = 0; i < listed; i++) {
            const int64_t *at = list[i].at;
            for (int status = 1; status < INCIDENT_STATUSES; status++)
                unordered += at[status] <= at[status - 1];
            confirm += (double)(at[INCIDENT_ACTIVE] - at[INCIDENT_REPORTED]);
            mobilise += (double)(at[INCIDENT_RESPONDING] - at[INCIDENT_ACTIVE]);
            travel += (double)(at[INCIDENT_ON_SCENE] - at[INCIDENT_RESPONDING]);
            clear += (double)(at[INCIDENT_RESOLVED] - at[INCIDENT_ON_SCENE]);
            within_hour += at[INCIDENT_RESOLVED] - at[INCIDENT_ON_SCENE] <= 60 * MINUTE;
            count++;
        }
        scene_close(&scene);
    }
    assert_int_equal(unordered, 0);
    assert_int_equal(count, 800);
    assert_true(fabs(confirm / count / MINUTE - 2) < 0.3);
    assert_true(fabs(mobilise / count / MINUTE - 1.5) < 0.25);
    assert_true(fabs(travel / count / MINUTE - 9.8) < 0.8);
    assert_true(clear / count / MINUTE > 35 && clear / count / MINUTE < 60);
    assert_in_range(within_hour * 100 / count, 65, 90);
}

struct told {
    int events, sequence, statuses, disordered, resolved;
    int last_status;
    char id[40], first_text[128], last_text[128];
    struct event last;
};

static void hear(void *context, const struct event *event)
{
    struct told *told = context;
    const struct event_emergency *data = &event->emergency;
    if (event->kind != EVENT_EMERGENCY || strcmp(data->incident_id, told->id) != 0)
        return;
    int status = 0;
    while (strcmp(incident_status_word((enum incident_status)status), data->status) != 0)
        status++;
    if (told->events == 0)
        memcpy(told->first_text, data->description, sizeof told->first_text);
    told->disordered += status < told->last_status || status > told->last_status + 1;
    told->disordered += data->sequence != told->sequence + 1;
    told->statuses |= 1 << status;
    told->resolved += status == INCIDENT_RESOLVED;
    told->last_status = status;
    told->sequence = data->sequence;
    told->events++;
    memcpy(told->last_text, data->description, sizeof told->last_text);
    told->last = *event;
}

static void every_status_is_told_once_and_each_minute(void **state)
{
    struct scene scene;
    scene_open(&scene, 3, 0);
    struct told told = {0};
    assert_int_equal(incidents_inject(scene.incidents, GEO_M40_NORTH, 99000, "accident", 2, 10, MONDAY + 5000,
                                      told.id, NULL),
                     0);
    const struct incident *list;
    incidents_list(scene.incidents, &list);
    double minutes = (double)(list[0].at[INCIDENT_RESOLVED] - list[0].at[INCIDENT_REPORTED]) / MINUTE;
    uint64_t tick = 11;
    for (; incidents_open(scene.incidents) > 0; tick++) {
        int64_t now = MONDAY + (int64_t)tick * 500;
        incidents_step(scene.incidents, tick, now, 0);
        incidents_emit(scene.incidents, tick, now, hear, &told);
        if (tick == 11)
            assert_string_equal(told.last.emergency.status, "Reported");
    }
    for (int i = 0; i < 5; i++, tick++) {
        incidents_step(scene.incidents, tick, MONDAY + (int64_t)tick * 500, 0);
        incidents_emit(scene.incidents, tick, MONDAY + (int64_t)tick * 500, hear, &told);
    }
    assert_int_equal(told.statuses, (1 << INCIDENT_STATUSES) - 1);
    assert_int_equal(told.disordered, 0);
    assert_int_equal(told.resolved, 1);
    assert_true(told.events >= minutes && told.events <= minutes + 8);
    assert_non_null(strstr(told.first_text, "2 of 3 lanes closed between J9 and J10"));
    assert_non_null(strstr(told.last_text, "cleared, all lanes open"));
    assert_int_equal(told.last.emergency.lanes_closed, 0);
    assert_true(event_has(&told.last, EMERGENCY_RESOLVED_AT));
    assert_true(told.last.emergency.responders.count >= 2);
    scene_close(&scene);
}

static void clearing_hurries(void **state)
{
    struct scene scene;
    scene_open(&scene, 3, 0);
    struct told told = {0};
    struct err err = ERR_INIT;
    assert_int_equal(
        incidents_inject(scene.incidents, GEO_M1_SOUTH, 60000, "fire", 1, 1, MONDAY, told.id, &err), 0);
    assert_int_equal(incidents_clear(scene.incidents, told.id, MONDAY, &err), 0);
    for (uint64_t tick = 1; tick <= 3; tick++) {
        incidents_step(scene.incidents, tick, MONDAY + (int64_t)tick * 500, 0);
        incidents_emit(scene.incidents, tick, MONDAY + (int64_t)tick * 500, hear, &told);
    }
    assert_string_equal(told.last.emergency.status, "Clearing");
    assert_int_equal(incidents_clear(scene.incidents, "inc-19990101-0001", MONDAY, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    scene_close(&scene);
}

static void the_number_is_bounded(void **state)
{
    struct scene scene;
    scene_open(&scene, 3, 0);
    struct err err = ERR_INIT;
    char id[40];
    for (int i = 0; i < INCIDENTS_OPEN; i++)
        assert_int_equal(
            incidents_inject(scene.incidents, GEO_M1_SOUTH, 60000 + i, "", 0, 1, MONDAY, id, &err), 0);
    assert_int_equal(incidents_inject(scene.incidents, GEO_M1_SOUTH, 60000, "", 0, 1, MONDAY, id, &err), -1);
    assert_int_equal(err.kind, ERR_FULL);
    assert_int_equal(incidents_refused(scene.incidents), 1);
    scene_close(&scene);
}

/* The process is stationary from the start: as many are open at once as later. */
static void some_are_open_at_the_start(void **state)
{
    uint32_t at_start = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct scene scene;
        scene_open(&scene, seed, 1);
        incidents_begin(scene.incidents, MONDAY, 1e6);
        at_start += incidents_open(scene.incidents);
        const struct incident *list;
        size_t count = incidents_list(scene.incidents, &list);
        for (size_t i = 0; i < count; i++) {
            assert_true(list[i].at[list[i].status] <= MONDAY);
            assert_true(list[i].at[list[i].status + 1] > MONDAY);
        }
        scene_close(&scene);
    }
    /* 2.94 an hour, each open for about an hour, at dawn. */
    assert_in_range(at_start, 60, 150);
}

static void ignore(void *context, const struct event *event)
{
}

/* In the whole world: a queue behind two closed lanes, seen by the connected vehicles' mean speed nearby. */
static void the_world_feels_it(void **state)
{
    struct world_settings settings;
    world_settings_init(&settings);
    settings.routes = WORLD_ROUTES_M40;
    settings.vehicles = 20;
    settings.demand = 0.8;
    settings.camera_frames = false;
    settings.incident_factor = 0;
    struct world_figures before, after;
    struct world *world = world_create(&settings, NULL);
    char id[40];
    for (int i = 0; i < 60; i++)
        world_step(world, ignore, NULL);
    world_figures(world, &before);
    for (double x = 60000; x < 150000; x += 12000)
        assert_int_equal(world_inject_incident(world, GEO_M40_NORTH, x, "Accident", 2, id, NULL), 0);
    for (int i = 0; i < 420; i++)
        world_step(world, ignore, NULL);
    world_figures(world, &after);
    assert_int_equal(before.incidents_open, 0);
    assert_int_equal(after.incidents_open, 8);
    assert_true(after.mean_speed < before.mean_speed - 4);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_begin_as_should),
        cmocka_unit_test(lives_run_in_order),
        cmocka_unit_test(every_status_is_told_once_and_each_minute),
        cmocka_unit_test(clearing_hurries),
        cmocka_unit_test(the_number_is_bounded),
        cmocka_unit_test(some_are_open_at_the_start),
        cmocka_unit_test(the_world_feels_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
