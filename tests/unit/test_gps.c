/* The receiver's errors against what is measured of real ones. */
#include "sim/gps.h"
#include "sim/noise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define RECEIVERS 60
#define SECONDS   900

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Runs RECEIVERS for SECONDS; radius at 95 % and the correlation of errors a second apart. */
static void measure(const struct gps_place *place, double *radius, double *correlation, double *lost,
                    double *hdop)
{
    float *radii = malloc(sizeof *radii * RECEIVERS * SECONDS);
    size_t count = 0, without = 0;
    double product = 0, square = 0, dilution = 0;
    for (uint32_t receiver = 0; receiver < RECEIVERS; receiver++) {
        struct gps_state gps;
        struct rng_key key = {9, receiver, 0, NOISE_GPS_START};
        gps_start(&gps, &key);
        float before = 0;
        bool known = false;
        key.purpose = NOISE_GPS;
        for (key.tick = 1; key.tick <= SECONDS; key.tick++) {
            struct gps_reading reading = gps_step(&gps, &key, place, 30, 320);
            if (!reading.fix) {
                without++;
                known = false;
                continue;
            }
            radii[count++] = hypotf(reading.east, reading.north);
            dilution += (double)reading.hdop;
            if (known) {
                product += (double)(reading.east * before);
                square += (double)(before * before + reading.east * reading.east) / 2;
            }
            before = reading.east;
            known = true;
        }
    }
    qsort(radii, count, sizeof *radii, by_value);
    *radius = (double)radii[count * 95 / 100];
    *correlation = product / square;
    *lost = (double)without / (RECEIVERS * SECONDS);
    *hdop = dilution / (double)count;
    free(radii);
}

static void errors_under_an_open_sky(void **state)
{
    struct gps_place place = {.degrade = 1};
    double radius, correlation, lost, hdop;
    measure(&place, &radius, &correlation, &lost, &hdop);
    assert_true(radius > 4 && radius < 6);
    assert_true(correlation > 0.95);
    assert_true(hdop > 0.8 && hdop < 1.1);
    assert_true(lost < 0.01); /* 4 s in half an hour */
}

static void errors_in_town_are_larger(void **state)
{
    struct gps_place place = {.town = true, .degrade = 1};
    double radius, correlation, lost, hdop;
    measure(&place, &radius, &correlation, &lost, &hdop);
    assert_true(radius > 9 && radius < 16);
    assert_true(hdop > 1.5 && hdop < 4);
    assert_true(lost > 0.02 && lost < 0.07); /* 8 s in 3 min */
}

static void degrading_scales(void **state)
{
    struct gps_place place = {.degrade = 3};
    double radius, correlation, lost, hdop;
    measure(&place, &radius, &correlation, &lost, &hdop);
    assert_true(radius > 12 && radius < 18);
    assert_true(hdop > 2.4);
}

static void the_reported_accuracy_holds_95_percent(void **state)
{
    struct gps_place place = {.degrade = 1};
    struct gps_state gps;
    int within = 0, count = 0;
    for (uint32_t receiver = 0; receiver < 300; receiver++) {
        struct rng_key key = {4, receiver, 0, NOISE_GPS_START};
        gps_start(&gps, &key);
        key.purpose = NOISE_GPS;
        for (key.tick = 1; key.tick <= 100; key.tick++) {
            struct gps_reading reading = gps_step(&gps, &key, &place, 30, 0);
            if (!reading.fix)
                continue;
            count++;
            within += hypotf(reading.east, reading.north) <= reading.accuracy;
        }
    }
    assert_in_range(within * 1000 / count, 925, 975);
}

static void no_fix_under_a_roof_and_a_worse_one_after(void **state)
{
    struct gps_place roof = {.town = true, .covered = true, .degrade = 1},
                     street = {.town = true, .degrade = 1};
    double first = 0;
    for (uint32_t receiver = 0; receiver < 400; receiver++) {
        struct gps_state gps;
        struct rng_key key = {5, receiver, 0, NOISE_GPS_START};
        gps_start(&gps, &key);
        key.purpose = NOISE_GPS;
        for (key.tick = 1; key.tick <= 20; key.tick++) {
            struct gps_reading reading = gps_step(&gps, &key, &roof, 12, 270);
            assert_false(reading.fix);
            assert_int_equal(reading.satellites, 0);
        }
        for (; key.tick <= 400; key.tick++) {
            struct gps_reading reading = gps_step(&gps, &key, &street, 12, 270);
            if (!reading.fix)
                continue;
            first += (double)(reading.east * reading.east) / (double)(reading.hdop * reading.hdop);
            break;
        }
        assert_true(key.tick < 400);
    }
    /* Twice the bias of 1.9 m, and the white noise. */
    double sigma = sqrt(first / 400);
    assert_true(sigma > 3.4 && sigma < 4.2);
}

static void heading_is_frozen_at_a_standstill(void **state)
{
    struct gps_place place = {.degrade = 1};
    struct gps_state gps;
    struct rng_key key = {6, 1, 0, NOISE_GPS_START};
    gps_start(&gps, &key);
    key.purpose = NOISE_GPS;
    key.tick = 1;
    float moving = gps_step(&gps, &key, &place, 20, 359.9F).heading;
    assert_true(moving >= 0 && moving < 360);
    for (key.tick = 2; key.tick < 40; key.tick++) {
        struct gps_reading reading = gps_step(&gps, &key, &place, 0, 359.9F);
        if (!reading.fix)
            continue;
        assert_true(reading.heading == moving); /* exactly: nothing was computed */
        assert_true(reading.speed >= 0 && reading.speed < 1);
    }
}

static void normal_draws_are_normal(void **state)
{
    double sum = 0, square = 0, fourth = 0;
    int count = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        float z[8];
        struct rng_key key = {1, i, 0, NOISE_GPS};
        noise_normals(&key, z);
        for (int j = 0; j < 8; j++, count++) {
            sum += (double)z[j];
            square += (double)(z[j] * z[j]);
            fourth += (double)(z[j] * z[j] * z[j] * z[j]);
        }
    }
    assert_true(fabs(sum / count) < 0.01);
    assert_true(fabs(square / count - 1) < 0.02);
    assert_true(fabs(fourth / count - 3) < 0.1);
    for (double p = 0.001; p < 1; p += 0.037)
        assert_true(fabs(noise_phi(noise_quantile(p)) - p) < 1e-8);
    double mean = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        struct rng_key key = {1, i, 1, NOISE_GPS};
        mean += noise_poisson(&key, 1.7);
    }
    assert_true(fabs(mean / 20000 - 1.7) < 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_under_an_open_sky),
        cmocka_unit_test(errors_in_town_are_larger),
        cmocka_unit_test(degrading_scales),
        cmocka_unit_test(the_reported_accuracy_holds_95_percent),
        cmocka_unit_test(no_fix_under_a_roof_and_a_worse_one_after),
        cmocka_unit_test(heading_is_frozen_at_a_standstill),
        cmocka_unit_test(normal_draws_are_normal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
