#include "store/player.h"
#include "tests/support/journeys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECORDS 5000 /* 100 s at one each STORE_STEP_US */
#define START   1000000000LL

static char folder[64], path[128];
static struct player *player;
static int64_t now;

static void make_player(void)
{
    struct err err = ERR_INIT;
    struct journey_reader *reader = journey_open(path, &err);
    if (!reader)
        fail_msg("%s", err.text);
    player = player_create(reader);
    now = START;
}

static int set_up(void **state)
{
    store_enter(folder);
    snprintf(path, sizeof path, "%s/a.sqlite", folder);
    store_journey(path, RECORDS);
    make_player();
    return 0;
}

static int tear_down(void **state)
{
    player_destroy(player);
    store_leave(folder);
    return 0;
}

static int due(int64_t *number, int64_t *wait_us)
{
    struct record record;
    int64_t event_ms;
    struct err err = ERR_INIT;
    int got = player_due(player, now, &record, &event_ms, wait_us, &err);
    *number = got == 1 ? store_check(&record, event_ms) : -1;
    return got;
}

static void expect(int64_t wanted)
{
    int64_t number, wait_us;
    assert_int_equal(due(&number, &wait_us), 1);
    assert_int_equal(number, wanted);
}

static void expect_wait(int64_t wanted)
{
    int64_t number, wait_us;
    assert_int_equal(due(&number, &wait_us), 0);
    assert_int_equal(wait_us, wanted);
}

static struct player_figures figures(void)
{
    struct player_figures result;
    player_figures(player, now, &result);
    return result;
}

static void test_starts_paused(void **state)
{
    expect_wait(PLAYER_NEVER);
    assert_int_equal(figures().state, PLAYER_PAUSED);
    assert_int_equal(figures().length_us, (RECORDS - 1LL) * STORE_STEP_US);
    assert_int_equal(figures().total, RECORDS);
    now += 1000000;
    assert_int_equal(figures().position_us, 0);
}

static void test_pace(void **state)
{
    player_play(player, now);
    expect(0);
    expect_wait(STORE_STEP_US);
    now += STORE_STEP_US - 1;
    expect_wait(1);
    now += 1;
    expect(1);
    now += 10 * STORE_STEP_US + 5; /* late: all that is due comes, then the grid goes on as before */
    for (int i = 2; i <= 11; i++)
        expect(i);
    expect_wait(STORE_STEP_US - 5);
    assert_int_equal(figures().played, 12);
    assert_int_equal(figures().position_us, 11 * STORE_STEP_US + 5);
}

static void test_no_drift(void **state)
{
    /* Asked at odd moments for all of its 100 s, the last record comes within one of them of its due time; at
     * every speed, also after the speed was changed often. */
    static const double speeds[] = {0.1, 0.7, 1, 3, 10, 1000};
    for (size_t s = 0; s < sizeof speeds / sizeof *speeds; s++) {
        player_destroy(player);
        make_player();
        player_set_speed(player, speeds[s], now);
        player_play(player, now);
        int64_t number, wait_us, last = -1, last_now = now;
        uint64_t steps = 0;
        while (figures().state == PLAYER_PLAYING) {
            int got = due(&number, &wait_us);
            if (got == 1) {
                assert_int_equal(number, last + 1);
                last = number;
                last_now = now;
            } else if (figures().state == PLAYER_PLAYING) {
                assert_true(wait_us > 0 && wait_us < PLAYER_NEVER);
                now += wait_us + (int64_t)(steps % 3 == 0 ? 33 : 0);
            }
            if (++steps % 100 == 0)
                player_set_speed(player, speeds[s], now);
        }
        assert_int_equal(last, RECORDS - 1);
        double ideal = (RECORDS - 1.0) * STORE_STEP_US / speeds[s];
        assert_true(last_now - START >= (int64_t)ideal - 100);
        assert_true(last_now - START <= (int64_t)ideal + 200);
        assert_int_equal(figures().position_us, figures().length_us);
    }
}

static void test_wait_is_enough(void **state)
{
    /* One wait of the length that was said, and the record is due: no busy asking, at any speed. */
    static const double speeds[] = {0.1, 0.3, 1, 7.77, 123.4, 1000};
    for (size_t s = 0; s < sizeof speeds / sizeof *speeds; s++) {
        struct err err = ERR_INIT;
        assert_int_equal(player_seek(player, 0, now, NULL, NULL, &err), 0);
        player_set_speed(player, speeds[s], now);
        player_play(player, now);
        int64_t number, wait_us;
        for (int i = 0; i < 500; i++) {
            while (due(&number, &wait_us) == 1)
                ;
            now += wait_us;
            assert_int_equal(due(&number, &wait_us), 1);
        }
    }
}

static void test_pause(void **state)
{
    player_play(player, now);
    expect(0);
    now += STORE_STEP_US / 2;
    player_pause(player, now);
    now += 3600000000LL;
    expect_wait(PLAYER_NEVER);
    assert_int_equal(figures().position_us, STORE_STEP_US / 2);
    player_play(player, now);
    expect_wait(STORE_STEP_US / 2);
    /* A terminal that slept: pausing before it has caught up keeps what was not shown. */
    now += 100 * STORE_STEP_US;
    expect(1);
    expect(2);
    player_pause(player, now);
    player_play(player, now);
    expect(3);
}

static void test_speed_keeps_position(void **state)
{
    player_play(player, now);
    expect(0);
    now += STORE_STEP_US / 2;
    player_set_speed(player, 10, now);
    assert_int_equal(figures().position_us, STORE_STEP_US / 2);
    expect_wait(STORE_STEP_US / 20);
    player_set_speed(player, 0.1, now);
    expect_wait(STORE_STEP_US * 5);
    player_set_speed(player, 0.0001, now);
    assert_true(figures().speed == PLAYER_SPEED_MIN);
    player_set_speed(player, 1e9, now);
    assert_true(figures().speed == PLAYER_SPEED_MAX);
}

static void test_fastest(void **state)
{
    player_set_speed(player, PLAYER_FASTEST, now);
    player_play(player, now);
    for (int i = 0; i < 1000; i++)
        expect(i);
    assert_int_equal(figures().position_us, 999 * STORE_STEP_US);
    player_set_speed(player, 1, now); /* goes on from there */
    expect_wait(STORE_STEP_US);
    player_set_speed(player, PLAYER_FASTEST, now);
    for (int i = 1000; i < RECORDS; i++)
        expect(i);
    expect_wait(PLAYER_NEVER);
    assert_int_equal(figures().state, PLAYER_ENDED);
}

static void test_end_and_again(void **state)
{
    struct err err = ERR_INIT;
    player_play(player, now);
    assert_int_equal(player_seek(player, (RECORDS - 2LL) * STORE_STEP_US, now, NULL, NULL, &err), 0);
    expect(RECORDS - 2);
    now += STORE_STEP_US;
    expect(RECORDS - 1);
    expect_wait(PLAYER_NEVER);
    assert_int_equal(figures().state, PLAYER_ENDED);
    now += 1000000;
    assert_int_equal(figures().position_us, figures().length_us);
    player_pause(player, now);
    assert_int_equal(figures().state, PLAYER_ENDED);
    player_play(player, now);
    assert_int_equal(figures().state, PLAYER_PLAYING);
    expect(0);
}

static void test_step(void **state)
{
    player_step(player, 1, now);
    expect(0);
    expect_wait(PLAYER_NEVER);
    player_step(player, 3, now);
    for (int i = 1; i <= 3; i++)
        expect(i);
    expect_wait(PLAYER_NEVER);
    assert_int_equal(figures().position_us, 3 * STORE_STEP_US);
    player_play(player, now);
    expect_wait(STORE_STEP_US);
    player_step(player, 1, now); /* pauses */
    expect(4);
    expect_wait(PLAYER_NEVER);
    assert_int_equal(figures().state, PLAYER_PAUSED);
}

static void prime(void *context, const struct record *record, int64_t event_ms)
{
    assert_true(store_check(record, event_ms) >= 0);
    ++*(int *)context;
}

static void test_seek(void **state)
{
    struct err err = ERR_INIT;
    player_play(player, now);
    expect(0);
    int primed = 0;
    assert_int_equal(player_seek(player, 3000LL * STORE_STEP_US, now, prime, &primed, &err), 0);
    assert_true(primed >= 500);
    assert_int_equal(figures().state, PLAYER_PLAYING);
    expect(3000);
    expect_wait(STORE_STEP_US);
    player_pause(player, now);
    assert_int_equal(player_seek(player, 10LL * STORE_STEP_US + 1, now, NULL, NULL, &err), 0);
    assert_int_equal(figures().state, PLAYER_PAUSED);
    assert_int_equal(figures().position_us, 10 * STORE_STEP_US + 1);
    player_play(player, now);
    expect_wait(STORE_STEP_US - 1);
    assert_int_equal(player_seek(player, INT64_MAX, now, NULL, NULL, &err), 0);
    expect(RECORDS - 1); /* the end is where the last record is */
    assert_int_equal(player_seek(player, -7, now, NULL, NULL, &err), 0);
    expect(0);
}

static void test_gap(void **state)
{
    /* Two records, a night apart. */
    char gap_path[160];
    snprintf(gap_path, sizeof gap_path, "%s/gap.sqlite", folder);
    struct journey_settings settings = {.path = gap_path};
    struct journey_writer *writer = journey_create(&settings, NULL);
    struct store_record made;
    const int64_t night = 57771000000LL;
    for (uint64_t i = 0; i < 2; i++) {
        store_make(&made, i);
        made.record.arrived_us = STORE_START_US + (int64_t)i * night;
        assert_int_equal(journey_add(writer, &made.record, made.event_ms, NULL), 0);
    }
    assert_int_equal(journey_close(writer, NULL), 0);
    for (int limited = 0; limited < 2; limited++) {
        struct player *gap = player_create(journey_open(gap_path, NULL));
        struct record record;
        struct player_figures got;
        int64_t event_ms, wait_us;
        player_set_gap_limit(gap, limited ? 2000000 : 0);
        player_set_speed(gap, 2, now);
        player_play(gap, now);
        assert_int_equal(player_due(gap, now, &record, &event_ms, &wait_us, NULL), 1);
        assert_int_equal(player_due(gap, now, &record, &event_ms, &wait_us, NULL), 0);
        assert_int_equal(wait_us, limited ? 1000000 : night / 2);
        player_figures(gap, now, &got);
        assert_int_equal(got.gaps, limited);
        assert_int_equal(got.position_us, limited ? night - 2000000 : 0);
        assert_int_equal(player_due(gap, now + wait_us, &record, &event_ms, &wait_us, NULL), 1);
        player_destroy(gap);
    }
}

static bool stop_at_100(void *context, const struct record *record, int64_t event_ms)
{
    return ++*(int *)context != 100;
}

static void test_pump(void **state)
{
    int delivered = 0;
    int64_t wait_us;
    struct err err = ERR_INIT;
    player_play(player, now);
    now += 149 * STORE_STEP_US;
    assert_int_equal(player_pump(player, now, 60, stop_at_100, &delivered, &wait_us, &err), 1);
    assert_int_equal(delivered, 60);
    assert_true(figures().behind_us > 80 * STORE_STEP_US);
    assert_int_equal(player_pump(player, now, 60, stop_at_100, &delivered, &wait_us, &err), 1);
    assert_int_equal(delivered, 100);
    assert_int_equal(player_pump(player, now, 60, stop_at_100, &delivered, &wait_us, &err), 0);
    assert_int_equal(delivered, 150);
    assert_int_equal(wait_us, STORE_STEP_US);
    assert_int_equal(figures().behind_us, 0);
}

int main(void)
{
#define with_journey(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        with_journey(test_starts_paused), with_journey(test_pace),
        with_journey(test_no_drift),      with_journey(test_wait_is_enough),
        with_journey(test_pause),         with_journey(test_speed_keeps_position),
        with_journey(test_fastest),       with_journey(test_end_and_again),
        with_journey(test_step),          with_journey(test_seek),
        with_journey(test_gap),           with_journey(test_pump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
