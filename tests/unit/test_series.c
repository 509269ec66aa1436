#include "city/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define NOON   (INT64_C(1768204800) * SECOND)

static void test_sums_within_a_bucket(void **state)
{
    struct series series;
    float values[4];
    series_init(&series, SECOND);
    assert_int_equal(series_read(&series, values, 4, 1), 0);
    series_add(&series, NOON, 1);
    series_add(&series, NOON + SECOND - 1, 2);
    series_add(&series, NOON + SECOND, 10);
    assert_int_equal(series_read(&series, values, 4, 1), 2);
    assert_float_equal(values[0], 0, 0);
    assert_float_equal(values[2], 3, 0);
    assert_float_equal(values[3], 10, 0);
    assert_int_equal(series_read(&series, values, 4, 0), 1);
    assert_float_equal(values[3], 3, 0);
    assert_float_equal(series_max(&series, 4), 10, 0);
}

static void test_empty_buckets_and_rate(void **state)
{
    struct series series;
    float values[5];
    series_init(&series, SECOND);
    series_add(&series, NOON, 8);
    series_advance(&series, NOON + 4 * SECOND);
    assert_int_equal(series_read(&series, values, 5, 0), 4);
    assert_float_equal(values[1], 8, 0);
    assert_float_equal(values[2], 0, 0);
    assert_float_equal(series_rate(&series, 4), 2, 1e-9);
    assert_float_equal(series_rate(&series, 100), 2, 1e-9); /* only real buckets count */
    series_init(&series, SECOND / 2);
    assert_float_equal(series_rate(&series, 4), 0, 0);
    series_add(&series, NOON, 3);
    series_advance(&series, NOON + SECOND / 2);
    assert_float_equal(series_rate(&series, 4), 6, 1e-9);
}

static void test_wraps_and_forgets(void **state)
{
    struct series series;
    float values[SERIES_BUCKETS];
    series_init(&series, SECOND);
    for (int i = 0; i < 3 * SERIES_BUCKETS; i++)
        series_set(&series, NOON + i * SECOND, i);
    assert_int_equal(series_read(&series, values, SERIES_BUCKETS, 1), SERIES_BUCKETS);
    assert_float_equal(values[0], 2 * SERIES_BUCKETS, 0);
    assert_float_equal(values[SERIES_BUCKETS - 1], 3 * SERIES_BUCKETS - 1, 0);
    series_advance(&series, NOON + 10000 * SECOND);
    assert_float_equal(series_max(&series, SERIES_BUCKETS), 0, 0);
    assert_int_equal(series_read(&series, values, SERIES_BUCKETS, 0), SERIES_BUCKETS - 1);
}

static void test_time_going_back(void **state)
{
    struct series series;
    float values[8];
    series_init(&series, SECOND);
    series_add(&series, NOON, 1);
    series_add(&series, NOON - 2 * SECOND, 5); /* a little: into the past */
    assert_int_equal(series_read(&series, values, 8, 1), 3);
    assert_float_equal(values[5], 5, 0);
    assert_float_equal(values[7], 1, 0);
    series_add(&series, NOON - 5000 * SECOND, 7); /* a lot: begins anew */
    assert_int_equal(series_read(&series, values, 8, 1), 1);
    assert_float_equal(values[7], 7, 0);
    series_add(&series, -5, 1);
    assert_float_equal(series_max(&series, 1), 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_within_a_bucket),
        cmocka_unit_test(test_empty_buckets_and_rate),
        cmocka_unit_test(test_wraps_and_forgets),
        cmocka_unit_test(test_time_going_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
