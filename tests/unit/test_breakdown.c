/* Connected vehicles that break down: how often, what they send, what is reported of them, and that they come
 * back. */
#include "sim/breakdown.h"
#include "sim/world.h"

#include "city/schema.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void draws_follow_the_rate(void **state)
{
    const uint32_t trips = 20000;
    const double length = 160 * 1609.344, factor = 1000;
    uint32_t failed = 0, stalls = 0, towed = 0;
    for (uint32_t i = 0; i < trips; i++) {
        struct breakdown one = breakdown_draw(7, i % 500, i / 500, 1000, factor, i & 1);
        struct breakdown again = breakdown_draw(7, i % 500, i / 500, 1000, factor, i & 1);
        assert_memory_equal(&one, &again, sizeof one);
        assert_true(one.fails > 1000 && one.lamp <= one.fails && one.fails - one.lamp <= 3000);
        assert_true(one.code[0] == 'P' && strlen(one.code) == 5);
        failed += one.fails < 1000 + length;
        stalls += one.stalls;
        towed += one.towed;
    }
    double expected = trips * (1 - exp(-BREAKDOWNS_PER_MILE * factor * 160));
    assert_true(fabs(failed - expected) < 4 * sqrt(expected));
    assert_in_range(stalls, trips * 0.18, trips * 0.22);
    assert_in_range(towed, trips * 0.18, trips * 0.22);
    assert_true(isinf(breakdown_draw(7, 1, 1, 0, 0, false).fails));
}

#define VEHICLES 40

struct seen {
    bool lamp, stood, moved_again, off_lane, in_lane, reported, resolved;
    int silent; /* events missing since the last */
    int64_t last;
    double chainage, stood_at, reported_at;
    char incident[40], code[8], trip[40];
};
struct witness {
    struct seen vehicles[VEHICLES];
    uint64_t hash;
    size_t jumps;
};

static void on_vehicle(struct witness *witness, const struct event *event)
{
    const struct event_vehicle *data = &event->vehicle;
    struct seen *seen = &witness->vehicles[atoi(event->device_id + 4) - 1];
    bool broken = strcmp(data->status, "brokenDown") == 0;
    assert_int_equal(event_has(event, VEHICLE_FAULT_CODE), data->engine_warning);
    if (broken) {
        assert_true(data->engine_warning);
        assert_true(data->speed < 0.5);
        seen->stood = true;
        seen->stood_at = data->chainage;
        if (event_has(event, VEHICLE_LANE))
            seen->in_lane = true;
        else
            seen->off_lane = true;
    }
    if (data->engine_warning) {
        seen->lamp = true;
        memcpy(seen->code, data->fault_code, sizeof seen->code);
    }
    if (seen->resolved && data->speed > 50 && !data->engine_warning)
        seen->moved_again = true;
    /* On the road: nobody is moved by a hand, and nobody brakes like a wall. */
    if (seen->last && event->timestamp - seen->last == 1000 && strcmp(seen->trip, data->trip_id) == 0 &&
        fabs(data->chainage - seen->chainage) > 0.06)
        witness->jumps++;
    seen->last = event->timestamp;
    seen->chainage = data->chainage;
    memcpy(seen->trip, data->trip_id, sizeof seen->trip);
}

static void on_event(void *context, const struct event *event)
{
    struct witness *witness = context;
    if (event->kind == EVENT_VEHICLE)
        on_vehicle(witness, event);
    if (event->kind != EVENT_EMERGENCY)
        return;
    const char *named = strstr(event->emergency.description, "veh-");
    if (!named)
        return;
    struct seen *seen = &witness->vehicles[atoi(named + 4) - 1];
    assert_string_equal(event->emergency.type, "Breakdown");
    seen->reported = true;
    seen->reported_at = event->emergency.chainage;
    seen->resolved = seen->resolved || strcmp(event->emergency.status, "Resolved") == 0;
    memcpy(seen->incident, event->device_id, sizeof seen->incident);
    if (seen->off_lane)
        assert_int_equal(event->emergency.lanes_closed, 0);
    else if (seen->in_lane && !seen->resolved)
        assert_int_equal(event->emergency.lanes_closed, 1);
    for (const char *at = event->emergency.description; *at; at++)
        witness->hash = (witness->hash ^ (unsigned char)*at) * 1099511628211u;
}

static struct world *make(double incidents, uint32_t vehicles)
{
    struct world_settings settings;
    struct err err = ERR_INIT;
    world_settings_init(&settings);
    settings.vehicles = vehicles;
    settings.demand = 0.05;
    settings.camera_frames = false;
    settings.incident_factor = incidents;
    struct world *world = world_create(&settings, &err);
    assert_non_null(world);
    return world;
}

static void run(struct world *world, int ticks, struct witness *witness)
{
    for (int i = 0; i < ticks; i++)
        world_step(world, on_event, witness);
}

/* All of them, so that both lanes and hard shoulder, mended and towed are among them. */
static void from_the_lamp_to_the_road_again(void **state)
{
    struct witness *witness = test_calloc(1, sizeof *witness);
    struct world *world = make(0, VEHICLES);
    struct err err = ERR_INIT;
    char id[16];
    run(world, 4, witness);
    for (int i = 0; i < VEHICLES; i++) {
        snprintf(id, sizeof id, "veh-%04d", i + 1);
        assert_int_equal(world_break_down(world, id, &err), 0);
    }
    assert_int_equal(world_break_down(world, "veh-9999", &err), -1);
    run(world, 600, witness);
    int stood = 0, in_lane = 0, off_lane = 0;
    for (int i = 0; i < VEHICLES; i++) {
        const struct seen *seen = &witness->vehicles[i];
        stood += seen->stood;
        in_lane += seen->stood && seen->in_lane;
        off_lane += seen->stood && seen->off_lane;
        if (!seen->stood)
            continue; /* it reached its destination first */
        assert_true(seen->lamp);
        assert_true(seen->code[0] == 'P');
        assert_true(seen->reported);
        assert_true(fabs(seen->reported_at - seen->stood_at) < 0.02);
        assert_int_equal(world_clear_incident(world, seen->incident, &err), 0);
    }
    printf("# %d of %d stood, %d in a lane, %d beside the road\n", stood, VEHICLES, in_lane, off_lane);
    assert_true(stood >= VEHICLES - 3);
    assert_true(in_lane >= 3 && off_lane >= 3);
    run(world, 4 * 3600, witness);
    int again = 0;
    for (int i = 0; i < VEHICLES; i++) {
        if (witness->vehicles[i].stood)
            assert_true(witness->vehicles[i].resolved);
        again += witness->vehicles[i].stood && witness->vehicles[i].moved_again;
    }
    printf("# %d of %d drove again within two hours\n", again, stood);
    assert_in_range(again, stood * 6 / 10, stood); /* the towed ones may take longer */
    assert_int_equal(witness->jumps, 0);
    struct world_figures figures;
    world_figures(world, &figures);
    assert_int_equal(figures.connected, VEHICLES);
    world_destroy(world);
    test_free(witness);
}

static void it_happens_by_itself(void **state)
{
    struct witness *first = test_calloc(2, sizeof *first), *second = first + 1;
    struct world *one = make(1000, VEHICLES), *two = make(1000, VEHICLES), *none = make(0, VEHICLES);
    run(one, 1200, first);
    run(two, 1200, second);
    assert_memory_equal(first, second, sizeof *first);
    assert_true(first->hash != 0);
    int stood = 0;
    for (int i = 0; i < VEHICLES; i++)
        stood += first->vehicles[i].stood;
    /* 40 vehicles, 10 minutes, at most 60 mph, a thousand times 2.4 in a million */
    printf("# %d broke down\n", stood);
    assert_in_range(stood, 1, 5);
    memset(second, 0, sizeof *second);
    run(none, 1200, second);
    for (int i = 0; i < VEHICLES; i++)
        assert_false(second->vehicles[i].lamp);
    world_destroy(one);
    world_destroy(two);
    world_destroy(none);
    test_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_follow_the_rate),
        cmocka_unit_test(from_the_lamp_to_the_road_again),
        cmocka_unit_test(it_happens_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
