#include "app/feed.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int published;

static void on_publish(void *context)
{
    published++;
}

static int setup(void **state)
{
    published = 0;
    *state = feed_create(100, on_publish, NULL);
    return 0;
}

static int teardown(void **state)
{
    feed_destroy(*state);
    return 0;
}

static void take(struct feed *feed, int kind, int64_t offset, const char *key, const char *value,
                 int64_t produced_us)
{
    struct buf headers;
    char number[24];
    int64_t event_ms;
    buf_init(&headers, 256);
    snprintf(number, sizeof number, "%lld", (long long)produced_us);
    record_headers_put(&headers, RECORD_HEADER_PRODUCED, number, strlen(number));
    struct record record = {.kind = kind,
                            .offset = offset,
                            .key = key,
                            .key_length = key ? strlen(key) : 0,
                            .value = value,
                            .value_length = value ? strlen(value) : 0,
                            .arrived_us = produced_us + 1000,
                            .headers = (const uint8_t *)headers.data,
                            .headers_length = headers.length};
    feed_take(feed, &record, 1, &event_ms);
    buf_free(&headers);
}

#define CAR(name, seconds)                                                                                   \
    "{\"deviceId\":\"" name "\",\"timestamp\":\"2026-01-12T08:00:" seconds                                   \
    "Z\",\"location\":{\"latitude\":51.75,\"longitude\":-1.25},\"speed\":80}"

static void test_events_reach_the_snapshot(void **state)
{
    struct feed *feed = *state;
    take(feed, EVENT_VEHICLE, 0, "a", CAR("a", "00"), 1000000);
    take(feed, EVENT_VEHICLE, 1, "b", CAR("b", "01"), 1000000);
    assert_true(feed_publish(feed, 2000000, false) > 0);
    assert_int_equal(published, 1);
    struct city_snapshot *city = feed_snapshot(feed);
    assert_int_equal(city->vehicle_count, 2);
    assert_string_equal(city->vehicles[0].device_id, "a");
    city_snapshot_release(city);
}

static void test_at_most_thirty_a_second(void **state)
{
    struct feed *feed = *state;
    for (int i = 0; i < 1000; i++) {
        take(feed, EVENT_VEHICLE, i, "a", CAR("a", "00"), 1000000);
        feed_publish(feed, 2000000 + i * 1000, false);
    }
    assert_in_range(published, 20, 31);
}

static void test_idle_publishes_end(void **state)
{
    struct feed *feed = *state;
    take(feed, EVENT_VEHICLE, 0, "a", CAR("a", "00"), 1000000);
    int64_t now = 2000000;
    for (int i = 0; i < 20; i++, now += 1100000)
        feed_publish(feed, now, true);
    assert_in_range(published, 2, 8); /* the event, and a few more in which the rates fall to zero */
    assert_int_equal(feed_publish(feed, now, true), -1);
}

static void test_what_cannot_be_read_is_counted(void **state)
{
    struct feed *feed = *state;
    struct feed_counts counts;
    take(feed, EVENT_GPS, 0, "k", "not json", 1);
    take(feed, EVENT_GPS, 1, "k", NULL, 1);
    take(feed, EVENT_GPS, 2, NULL, "{\"timestamp\":\"2026-01-12T08:00:00Z\"}", 1);
    take(feed, -1, 3, "k", "{}", 1);
    take(feed, EVENT_GPS, 3, "k", "{\"timestamp\":\"2026-01-12T08:00:00Z\"}", 1); /* known by its key */
    feed_counts(feed, &counts);
    assert_int_equal(counts.taken[EVENT_GPS], 4);
    assert_int_equal(counts.quarantined[EVENT_GPS], 3);
    assert_int_equal(counts.foreign, 1);
    feed_publish(feed, 2000000, false);
    struct city_snapshot *city = feed_snapshot(feed);
    assert_int_equal(city->quarantine_count, 4);
    assert_true(city->quarantine[3].reason[0] != 0);
    city_snapshot_release(city);
}

/* An external broker may be allowed records of any size: 10 MB that begin well and never end, and 10 MB that
 * are well formed but for their size. */
static void test_ten_megabytes(void **state)
{
    struct feed *feed = *state;
    struct feed_counts counts;
    size_t size = 10 << 20;
    char *value = mem_alloc(size + 1);
    memset(value, 'x', size);
    value[size] = '\0';
    memcpy(value, "{\"deviceId\":\"", 13);
    take(feed, EVENT_GPS, 7, "k", value, 1);
    memcpy(value + size - 2, "\"}", 2);
    take(feed, EVENT_GPS, 8, "k", value, 1);
    memset(value, '[', size);
    take(feed, EVENT_GPS, 9, "k", value, 1);
    free(value);
    feed_counts(feed, &counts);
    assert_int_equal(counts.taken[EVENT_GPS], 3);
    assert_int_equal(counts.quarantined[EVENT_GPS], 3);
    feed_publish(feed, 2000000, false);
    struct city_snapshot *city = feed_snapshot(feed);
    assert_int_equal(city->quarantine_count, 3);
    for (int i = 0; i < 3; i++)
        printf("# offset %d: %s\n", (int)city->quarantine[i].offset, city->quarantine[i].reason);
    assert_int_equal(city->quarantine[0].offset + city->quarantine[1].offset + city->quarantine[2].offset,
                     7 + 8 + 9);
    city_snapshot_release(city);
}

static void test_reset_by_produce_time(void **state)
{
    struct feed *feed = *state;
    take(feed, EVENT_VEHICLE, 0, "old", CAR("old", "30"), 1000000);
    feed_reset(feed, 5000000);
    take(feed, EVENT_VEHICLE, 1, "late", CAR("late", "31"), 4000000); /* still of the old world */
    take(feed, EVENT_VEHICLE, 2, "new", CAR("new", "00"), 5000001);
    feed_publish(feed, 9000000, false);
    struct city_snapshot *city = feed_snapshot(feed);
    assert_int_equal(city->vehicle_count, 1);
    assert_string_equal(city->vehicles[0].device_id, "new");
    city_snapshot_release(city);
}

static void test_focus(void **state)
{
    struct feed *feed = *state;
    struct model_focus focus = {.device_id = "b"};
    take(feed, EVENT_VEHICLE, 0, "a", CAR("a", "00"), 1000000);
    take(feed, EVENT_VEHICLE, 1, "b", CAR("b", "01"), 1000000);
    feed_publish(feed, 2000000, false);
    feed_set_focus(feed, &focus);
    feed_publish(feed, 3000000, true); /* paused: nothing arrives, and still the choice is shown */
    struct city_snapshot *city = feed_snapshot(feed);
    assert_true(city->followed.known);
    assert_string_equal(city->followed.vehicle.device_id, "b");
    city_snapshot_release(city);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_events_reach_the_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(test_at_most_thirty_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(test_idle_publishes_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_read_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ten_megabytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset_by_produce_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_focus, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
