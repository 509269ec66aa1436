/* The hold-back's bookkeeping, without a broker. */
#include "base/clock.h"
#include "base/err.h"
#include "base/worker.h"
#include "stream/holdback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define WINDOW 1000000u
#define RECORD 10000u

static struct holdback_lane *make_lane(void)
{
    struct holdback_lane *lane = mem_alloc(sizeof *lane);
    holdback_init(lane);
    return lane;
}

static void test_window(void **state)
{
    (void)state;
    struct holdback_lane *lane = make_lane();
    uint64_t totals[100];
    for (int i = 0; i < 100; i++) {
        assert_true(holdback_room(lane, RECORD, WINDOW));
        totals[i] = holdback_sent(lane, RECORD);
    }
    assert_false(holdback_room(lane, RECORD, WINDOW));
    assert_int_equal(holdback_outstanding(lane), WINDOW);
    /* Acknowledged is not consumed. */
    for (int i = 0; i < 100; i++)
        holdback_acked(lane, totals[i], i);
    assert_false(holdback_room(lane, RECORD, WINDOW));
    /* Half is read; the books may lag behind by a sample, never run ahead. */
    holdback_consumed(lane, 0, 50);
    assert_in_range(holdback_outstanding(lane), WINDOW / 2, WINDOW / 2 + 2 * RECORD);
    assert_true(holdback_room(lane, RECORD, WINDOW));
    holdback_consumed(lane, 0, 100);
    assert_int_equal(holdback_outstanding(lane), 0);
    free(lane);
}

/* The consumer may be told of a record before its sender is. */
static void test_consumed_before_acknowledged(void **state)
{
    (void)state;
    struct holdback_lane *lane = make_lane();
    uint64_t first = holdback_sent(lane, RECORD), second = holdback_sent(lane, RECORD);
    holdback_consumed(lane, 0, 2);
    assert_int_equal(holdback_outstanding(lane), 2 * RECORD);
    holdback_acked(lane, first, 0);
    assert_int_equal(holdback_outstanding(lane), 2 * RECORD);
    holdback_acked(lane, second, 1);
    assert_int_equal(holdback_outstanding(lane), 0);
    free(lane);
}

static void test_failed_records_free_their_room(void **state)
{
    (void)state;
    struct holdback_lane *lane = make_lane();
    for (int i = 0; i < 100; i++)
        holdback_acked(lane, holdback_sent(lane, RECORD), -1);
    assert_true(holdback_room(lane, RECORD, WINDOW));
    /* One that got through, last: what failed before it is not counted any more once it is read. */
    for (int i = 0; i < 99; i++)
        holdback_acked(lane, holdback_sent(lane, RECORD), -1);
    holdback_acked(lane, holdback_sent(lane, RECORD), 0);
    assert_int_equal(holdback_outstanding(lane), WINDOW);
    holdback_consumed(lane, 0, 1);
    assert_int_equal(holdback_outstanding(lane), 0);
    free(lane);
}

static void test_one_larger_than_the_window(void **state)
{
    (void)state;
    struct holdback_lane *lane = make_lane();
    assert_true(holdback_room(lane, 5 * WINDOW, WINDOW)); /* alone, it may go */
    uint64_t total = holdback_sent(lane, 5 * WINDOW);
    assert_false(holdback_room(lane, 1, WINDOW));
    holdback_acked(lane, total, 0);
    holdback_consumed(lane, 0, 1);
    assert_true(holdback_room(lane, 1, WINDOW));
    free(lane);
}

static void test_not_taken(void **state)
{
    (void)state;
    struct holdback_lane *lane = make_lane();
    holdback_sent(lane, RECORD);
    holdback_unsent(lane, RECORD);
    assert_int_equal(holdback_outstanding(lane), 0);
    free(lane);
}

/* Without a consumer nothing settles the samples: the ring must neither overflow nor, once a consumer comes,
 * let more through than the window. */
static void test_a_consumer_comes_late(void **state)
{
    (void)state;
    struct holdback_lane *lane = make_lane();
    int64_t offset = 0;
    for (; offset < 10 * HOLDBACK_SAMPLES; offset++)
        holdback_acked(lane, holdback_sent(lane, 20000), offset);
    holdback_release(lane);
    assert_int_equal(holdback_outstanding(lane), 0);
    int64_t base = offset;
    while (holdback_room(lane, 20000, WINDOW)) {
        holdback_acked(lane, holdback_sent(lane, 20000), offset++);
        assert_true(offset - base <= 50);
    }
    assert_int_equal(offset - base, 50);
    holdback_consumed(lane, 0, offset);
    assert_int_equal(holdback_outstanding(lane), 0);
    free(lane);
}

struct ping {
    struct holdback_gate gate;
    _Atomic uint32_t value;
};

static void count_up(void *context)
{
    struct ping *ping = context;
    for (int i = 0; i < 20000; i++) {
        atomic_fetch_add(&ping->value, 1);
        holdback_gate_notify(&ping->gate);
    }
}

/* Whoever waits for a value sees it, however the two threads meet; a lost wake would last for the whole
 * minute. */
static void test_gate_loses_no_wake(void **state)
{
    (void)state;
    struct ping ping = {0};
    int64_t start = clock_mono_us();
    struct worker *worker = worker_start("counter", count_up, &ping, NULL);
    for (uint32_t wanted = 1; wanted <= 20000; wanted++)
        while (atomic_load(&ping.value) < wanted) {
            uint32_t turn = holdback_gate_enter(&ping.gate);
            if (atomic_load(&ping.value) < wanted)
                holdback_gate_wait(&ping.gate, turn, clock_mono_us() + 60000000);
            holdback_gate_leave(&ping.gate);
        }
    worker_join(worker);
    assert_true(clock_mono_us() - start < 50000000);
    /* And a deadline in the past does not wait. */
    holdback_gate_wait(&ping.gate, holdback_gate_enter(&ping.gate), clock_mono_us() - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_consumed_before_acknowledged),
        cmocka_unit_test(test_failed_records_free_their_room),
        cmocka_unit_test(test_one_larger_than_the_window),
        cmocka_unit_test(test_not_taken),
        cmocka_unit_test(test_a_consumer_comes_late),
        cmocka_unit_test(test_gate_loses_no_wake),
    };
    return cmocka_run_group_tests_name("holdback", tests, NULL, NULL);
}
