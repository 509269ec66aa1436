/* Traffic: acceptance figures at small scale. */
#include "sim/demand.h"
#include "sim/traffic.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MPH     0.44704
#define ONLY(r) (1U << (r))
#define SEEN    6000
#define SERIALS 0x40000000u

static const struct traffic_vehicle *seen[SEEN];

static size_t look(const struct traffic *traffic, enum geo_route route, int lane, double from, double to)
{
    return traffic_look(traffic, route, lane, from, to, seen, SEEN);
}

static void drivers_wish_what_was_measured(void **state)
{
    struct traffic *traffic = traffic_create(3, 0);
    int over70 = 0, over80 = 0, fast_lorries = 0;
    enum { DRIVERS = 20000 };
    for (uint32_t i = 0; i < DRIVERS; i++) {
        float wish = traffic_draw_driver(traffic, EVENT_COUNT_CAR, i).wish;
        over70 += wish > 70 * MPH;
        over80 += wish > 80 * MPH;
        fast_lorries += traffic_draw_driver(traffic, EVENT_COUNT_HGV, i).wish > 60 * MPH;
    }
    assert_in_range(over70, DRIVERS * 42 / 100, DRIVERS * 48 / 100);
    assert_in_range(over80, DRIVERS * 6 / 100, DRIVERS * 10 / 100);
    assert_int_equal(fast_lorries, 0);
    traffic_destroy(traffic);
}

/* Cars alone on the motorway drive as fast as they wish: 45 % over 70 mph, 8 % over 80. */
static void free_cars_reach_their_speed(void **state)
{
    int cars = 0, over70 = 0, over80 = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct traffic *traffic = traffic_create(seed, 15);
        /* Sparse, so that being free does not select the slow. */
        for (uint32_t i = 0; i < 560; i++) {
            enum geo_route route = (enum geo_route)(i % GEO_ROUTES);
            struct traffic_driver driver = traffic_draw_driver(traffic, EVENT_COUNT_CAR, i);
            driver.device = (int32_t)i;
            traffic_place(traffic, route, 5000 + (i / GEO_ROUTES) * 1300.0, 0, &driver);
        }
        for (uint64_t tick = 1; tick <= 120; tick++)
            traffic_step(traffic, tick, 12);
        for (int route = 0; route < GEO_ROUTES; route++)
            for (int lane = 0; lane < TRAFFIC_LANES; lane++) {
                size_t count = look(traffic, (enum geo_route)route, lane, 45000, 165000);
                for (size_t i = 1; i < count; i++) {
                    const struct geo_section *section =
                        geo_route_section_at((enum geo_route)route, seen[i]->x);
                    if (section->kind != GEO_SECTION_MOTORWAY || seen[i - 1]->x - seen[i]->x < 350 ||
                        seen[i]->must)
                        continue;
                    cars++;
                    over70 += seen[i]->v > 70 * MPH;
                    over80 += seen[i]->v > 80 * MPH;
                }
            }
        traffic_destroy(traffic);
    }
    assert_true(cars > 1200);
    assert_in_range(over70 * 1000 / cars, 420, 480);
    assert_in_range(over80 * 1000 / cars, 60, 100);
}

/* A peak hour with lanes shut: nobody touches anybody, nobody does what brakes cannot. */
static void nobody_collides(void **state)
{
    enum { TRACKED = 40000 };
    float *before = calloc(TRACKED, sizeof *before);
    uint64_t *when = calloc(TRACKED, sizeof *when);
    struct traffic *traffic = traffic_create(7, ONLY(GEO_M40_NORTH));
    struct traffic_closure closures[2] = {{GEO_M40_NORTH, 60000, 60100, 3},
                                          {GEO_M40_NORTH, 110000, 110100, 4}};
    traffic_fill(traffic, 1, 8);
    double worst = 0, closest = INFINITY;
    int wrong_lane = 0;
    for (uint64_t tick = 1; tick <= 480; tick++) {
        if (tick == 60)
            traffic_set_closures(traffic, closures, 2);
        traffic_step(traffic, tick, 8);
        if (tick % 2)
            continue;
        for (int lane = 0; lane < TRAFFIC_LANES; lane++) {
            size_t count = look(traffic, GEO_M40_NORTH, lane, 0, 1e6);
            for (size_t i = 0; i < count; i++) {
                const struct traffic_vehicle *vehicle = seen[i];
                uint32_t serial = vehicle->serial - SERIALS;
                if (serial < TRACKED) {
                    if (tick > 2 && when[serial] == tick - 2)
                        worst = fmax(worst, fabs((double)(vehicle->v - before[serial])));
                    before[serial] = vehicle->v;
                    when[serial] = tick;
                }
                if (i > 0)
                    closest = fmin(closest, seen[i - 1]->x - vehicle->x -
                                                (double)traffic_class_length(seen[i - 1]->class));
                wrong_lane += lane >= geo_route_section_at(GEO_M40_NORTH, vehicle->x)->lanes;
            }
        }
    }
    struct traffic_figures figures;
    traffic_figures(traffic, &figures);
    assert_int_equal(figures.overlaps, 0);
    assert_true(closest > 0);
    assert_true(worst < 8);
    assert_int_equal(wrong_lane, 0);
    assert_int_equal(figures.turned_away, 0);
    traffic_destroy(traffic);
    free(before);
    free(when);
}

static void lorries_keep_out_of_the_right_hand_lane(void **state)
{
    struct traffic *traffic = traffic_create(5, ONLY(GEO_M40_NORTH));
    traffic_fill(traffic, 0.6, 12);
    for (uint64_t tick = 1; tick <= 120; tick++)
        traffic_step(traffic, tick, 12);
    size_t lorries = 0, right = 0;
    for (int lane = 0; lane < TRAFFIC_LANES; lane++) {
        size_t count = look(traffic, GEO_M40_NORTH, lane, 0, 1e6);
        for (size_t i = 0; i < count; i++) {
            int lanes = geo_route_section_at(GEO_M40_NORTH, seen[i]->x)->lanes;
            if (seen[i]->class != EVENT_COUNT_HGV || lanes < 3)
                continue;
            lorries++;
            right += lane == lanes - 1;
        }
    }
    assert_true(lorries > 150);
    assert_true(right * 50 < lorries); /* those that just came to where the fourth lane ends */
    traffic_destroy(traffic);
}

/* The flow at ten counted places follows the table, and so does the share of goods vehicles. */
static void flows_follow_the_table(void **state)
{
    static const double places[10] = {46000,  55500,  82000,  88000,  113000,
                                      116500, 129500, 133500, 155500, 160500};
    struct traffic *traffic = traffic_create(11, ONLY(GEO_M40_NORTH));
    struct demand demand;
    int32_t detectors[10];
    double wanted = 0, wanted_heavy = 0, counted = 0, heavy = 0, share = 0.35, minutes = 15;
    demand_build(&demand, GEO_M40_NORTH);
    for (int i = 0; i < 10; i++) {
        detectors[i] = traffic_add_detector(traffic, GEO_M40_NORTH, places[i]);
        struct demand_flow flow = demand_flow_at(demand_link_at(&demand, places[i]), 11);
        wanted += (double)(flow.light + flow.heavy) * share * minutes / 60;
        wanted_heavy += (double)flow.heavy * share * minutes / 60;
    }
    traffic_fill(traffic, share, 11);
    for (uint64_t tick = 1; tick <= (uint64_t)(minutes * 120); tick++)
        traffic_step(traffic, tick, 11);
    for (int i = 0; i < 10; i++) {
        const struct traffic_detector *at = traffic_detector(traffic, detectors[i]);
        for (int class = 0; class < EVENT_COUNT_CLASSES; class ++)
            counted += at->count[class];
        heavy += at->count[EVENT_COUNT_HGV];
    }
    assert_true(fabs(counted / wanted - 1) < 0.05);
    assert_true(fabs(heavy / counted - wanted_heavy / wanted) < 0.015);
    traffic_destroy(traffic);
}

static double mean_speed(const struct traffic *traffic, enum geo_route route, double from, double to,
                         size_t *vehicles)
{
    double sum = 0;
    *vehicles = 0;
    for (int lane = 0; lane < TRAFFIC_LANES; lane++) {
        size_t count = look(traffic, route, lane, from, to);
        for (size_t i = 0; i < count; i++)
            sum += (double)seen[i]->v;
        *vehicles += count;
    }
    return *vehicles ? sum / (double)*vehicles : 0;
}

static void a_queue_forms_behind_closed_lanes_and_goes(void **state)
{
    struct traffic *traffic = traffic_create(7, ONLY(GEO_M40_NORTH));
    struct traffic_closure closure = {GEO_M40_NORTH, 84000, 84100, 3};
    size_t vehicles, queued, behind;
    traffic_fill(traffic, 0.9, 8);
    double before = mean_speed(traffic, GEO_M40_NORTH, 83000, 84000, &vehicles);
    traffic_set_closures(traffic, &closure, 1);
    for (uint64_t tick = 1; tick <= 960; tick++)
        traffic_step(traffic, tick, 8);
    double during = mean_speed(traffic, GEO_M40_NORTH, 82800, 83950, &queued);
    double after = mean_speed(traffic, GEO_M40_NORTH, 84600, 86000, &behind);
    assert_true(before > 50 * MPH);
    assert_true(during < 20 * MPH);
    assert_true(queued > 3 * vehicles);
    assert_true(after > 45 * MPH); /* some get through, and drive on freely */
    assert_true(behind >= 6);
    for (int lane = 0; lane < 2; lane++)
        assert_int_equal(look(traffic, GEO_M40_NORTH, lane, 84005, 84095), 0);

    traffic_set_closures(traffic, NULL, 0);
    for (uint64_t tick = 961; tick <= 1200; tick++)
        traffic_step(traffic, tick, 8);
    assert_true(mean_speed(traffic, GEO_M40_NORTH, 83300, 84300, &queued) > during + 15 * MPH);
    traffic_destroy(traffic);
}

static void a_device_keeps_its_place_and_arrives(void **state)
{
    struct traffic *traffic = traffic_create(7, ONLY(GEO_M1_SOUTH));
    struct traffic_driver driver = traffic_draw_driver(traffic, EVENT_COUNT_CAR, 0);
    driver.device = 42;
    double length = geo_route_length(GEO_M1_SOUTH);
    uint32_t index = traffic_place(traffic, GEO_M1_SOUTH, length - 400, 0, &driver);
    assert_int_not_equal(index, TRAFFIC_NONE);
    double x = traffic_get(traffic, index)->x;
    const int32_t *devices = NULL;
    size_t arrived = 0;
    for (uint64_t tick = 1; tick <= 1200 && arrived == 0; tick++) {
        traffic_step(traffic, tick, 8);
        arrived = traffic_arrived(traffic, &devices);
        if (arrived == 0) {
            assert_true(traffic_get(traffic, index)->x >= x);
            x = traffic_get(traffic, index)->x;
        }
    }
    assert_int_equal(arrived, 1);
    assert_int_equal(devices[0], 42);
    struct traffic_figures figures;
    traffic_figures(traffic, &figures);
    assert_int_equal(figures.connected, 0);
    traffic_destroy(traffic);
}

static void red_signals_hold_the_traffic(void **state)
{
    struct traffic *traffic = traffic_create(7, ONLY(GEO_M40_NORTH));
    traffic_fill(traffic, 1, 8);
    size_t stopped = 0;
    for (uint64_t tick = 1; tick <= 200; tick++) {
        traffic_step(traffic, tick, 8);
        for (int lane = 0; lane < 2; lane++) {
            size_t count = look(traffic, GEO_M40_NORTH, lane, 0, 2800);
            for (size_t i = 0; i < count; i++)
                stopped += seen[i]->v < 0.1F;
        }
    }
    assert_true(stopped > 200);
    traffic_destroy(traffic);
}

static void local_time_is_british(void **state)
{
    assert_float_equal((float)demand_local_hour(INT64_C(1768204800000)), 8, 1e-3); /* 2026-01-12 08:00 */
    assert_float_equal((float)demand_local_hour(INT64_C(1783843200000)), 9, 1e-3); /* 2026-07-12 08:00 */
    assert_float_equal((float)demand_local_hour(INT64_C(1774745999000)), 0.9997F,
                       1e-3); /* a second before the change */
    assert_float_equal((float)demand_local_hour(INT64_C(1774746000000)), 2, 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drivers_wish_what_was_measured),
        cmocka_unit_test(free_cars_reach_their_speed),
        cmocka_unit_test(nobody_collides),
        cmocka_unit_test(lorries_keep_out_of_the_right_hand_lane),
        cmocka_unit_test(flows_follow_the_table),
        cmocka_unit_test(a_queue_forms_behind_closed_lanes_and_goes),
        cmocka_unit_test(a_device_keeps_its_place_and_arrives),
        cmocka_unit_test(red_signals_hold_the_traffic),
        cmocka_unit_test(local_time_is_british),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
