#include "app/tail.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct view_tail *view;

static void add(struct tail *tail, int kind, int64_t offset, const char *key, const char *value, bool bad)
{
    struct record record = {.kind = kind,
                            .partition = 1,
                            .offset = offset,
                            .key = key,
                            .key_length = strlen(key),
                            .value = value,
                            .value_length = strlen(value),
                            .arrived_us = offset * 10};
    tail_lock(tail);
    tail_add_locked(tail, &record, bad);
    tail_unlock(tail);
}

static int setup(void **state)
{
    view = calloc(1, sizeof *view);
    *state = tail_create(64 << 10);
    return view ? 0 : -1;
}

static int teardown(void **state)
{
    tail_destroy(*state);
    free(view);
    return 0;
}

static void test_newest_last(void **state)
{
    struct tail *tail = *state;
    assert_false(tail_refresh(tail, view));
    for (int i = 0; i < 10; i++)
        add(tail, EVENT_GPS, i, "veh-0001", "{\"speed\":1}", false);
    assert_true(tail_refresh(tail, view));
    assert_int_equal(view->count, 10);
    assert_int_equal(view->rows[9].offset, 9);
    assert_int_equal(view->total, 10);
    assert_string_equal(view->rows[0].key, "veh-0001");
    uint64_t generation = view->generation;
    assert_false(tail_refresh(tail, view));
    assert_int_equal(view->generation, generation);
}

static void test_filter(void **state)
{
    struct tail *tail = *state;
    add(tail, EVENT_GPS, 1, "veh-0001", "{\"speed\":1}", false);
    add(tail, EVENT_VEHICLE, 2, "veh-0002", "{\"make\":\"Ford\"}", false);
    add(tail, EVENT_VEHICLE, 3, "veh-0003", "not json", true);
    static const struct {
        const char *filter;
        int64_t first;
        size_t count;
    } cases[] = {{"topic:vehicle", 2, 2},
                 {"key:0001", 1, 1},
                 {"ford", 2, 1},
                 {"!topic:vehicle", 1, 1},
                 {"bad:yes", 3, 1},
                 {"bad:no", 1, 2},
                 {"offset:3", 3, 1},
                 {"partition:1", 1, 3},
                 {"partition:2", 0, 0},
                 {"topic:vehicle !ford", 3, 1},
                 {"", 1, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tail_set_filter(tail, cases[i].filter);
        tail_refresh(tail, view);
        if (view->count != cases[i].count)
            fail_msg("'%s': %zu rows", cases[i].filter, view->count);
        if (cases[i].count)
            assert_int_equal(view->rows[0].offset, cases[i].first);
    }
}

static void test_hostile_text_is_harmless(void **state)
{
    struct tail *tail = *state;
    add(tail, EVENT_GPS, 1, "\x1b]0;owned\x07", "\x1b[2J\xff\xfe{", true);
    tail_refresh(tail, view);
    for (const char *c = view->rows[0].key; *c; c++)
        assert_true((unsigned char)*c >= 32 && *c != 127);
    for (const char *c = view->rows[0].excerpt; *c; c++)
        assert_true((unsigned char)*c >= 32 && *c != 127);
}

static void test_ring_lets_go_and_counts(void **state)
{
    struct tail *tail = *state;
    char value[1001];
    memset(value, 'x', 1000);
    value[1000] = 0;
    for (int i = 0; i < 500; i++)
        add(tail, EVENT_GPS, i, "k", value, false);
    tail_refresh(tail, view);
    assert_int_equal(view->total, 500);
    assert_in_range(view->count, 60, 65); /* 64 KB of 1,001 bytes each */
    assert_int_equal(view->skipped, 500 - view->count);
    assert_int_equal(view->rows[view->count - 1].offset, 499);
}

static void test_frozen_keeps_rows(void **state)
{
    struct tail *tail = *state;
    add(tail, EVENT_GPS, 1, "a", "{}", false);
    tail_refresh(tail, view);
    tail_freeze(tail, true);
    add(tail, EVENT_GPS, 2, "a", "{}", false);
    tail_refresh(tail, view);
    assert_int_equal(view->count, 1);
    assert_true(view->frozen);
    tail_freeze(tail, false);
    tail_refresh(tail, view);
    assert_int_equal(view->count, 2);
}

static void test_opened(void **state)
{
    struct tail *tail = *state;
    struct buf headers;
    buf_init(&headers, 256);
    record_headers_put(&headers, RECORD_HEADER_PRODUCED, "123456", 6);
    struct record record = {.kind = EVENT_GPS,
                            .offset = 5,
                            .key = "k",
                            .key_length = 1,
                            .value = "{\"a\":1}",
                            .value_length = 7,
                            .headers = (const uint8_t *)headers.data,
                            .headers_length = headers.length};
    tail_lock(tail);
    tail_add_locked(tail, &record, false);
    tail_unlock(tail);
    buf_free(&headers);
    tail_refresh(tail, view);
    tail_open(tail, view->rows[0].sequence);
    assert_true(tail_refresh(tail, view));
    assert_true(view->opened.known);
    assert_string_equal(view->opened.value, "{\"a\":1}");
    assert_int_equal(view->opened.produced_us, 123456);
    assert_string_equal(view->opened.headers[0].name, RECORD_HEADER_PRODUCED);
    for (int i = 0; i < 20000; i++) /* the ring passes over it; what was opened stays */
        add(tail, EVENT_GPS, i, "k", "{}", false);
    tail_refresh(tail, view);
    assert_string_equal(view->opened.value, "{\"a\":1}");
    tail_open(tail, 0);
    tail_refresh(tail, view);
    assert_false(view->opened.known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_newest_last, setup, teardown),
        cmocka_unit_test_setup_teardown(test_filter, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_text_is_harmless, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ring_lets_go_and_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_frozen_keeps_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_opened, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
