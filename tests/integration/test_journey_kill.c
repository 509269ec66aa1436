/*
 * kill -9 while recording. A child records and reports each commit through a pipe; it is killed at a random
 * (seeded) moment; then the journey must open, hold every record that was reported, in order and unharmed,
 * and be one file again. SMARTCITY_SEED repeats a run, SMARTCITY_ROUNDS makes it longer.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/rng.h"
#include "store/journeys.h"
#include "store/recorder.h"
#include "tests/support/journeys.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[128];
static uint64_t seed = 7;
static int64_t limit; /* of the ring */

static int64_t environment_int(const char *name, int64_t otherwise)
{
    const char *value = getenv(name);
    return value ? strtoll(value, NULL, 10) : otherwise;
}

static int set_up(void **state)
{
    store_enter(folder);
    snprintf(path, sizeof path, "%s/a.sqlite", folder);
    return 0;
}

static int tear_down(void **state)
{
    store_leave(folder);
    return 0;
}

static void report(int out, uint64_t committed)
{
    if (write(out, &committed, sizeof committed) != sizeof committed)
        _exit(3);
}

/* Records and commits for ever; of a ring nothing is said before it is full. */
static void record_directly(int out)
{
    struct journey_info info;
    struct err err = ERR_INIT;
    struct journey_settings settings = {.path = path, .limit_bytes = limit};
    struct journey_writer *writer = journey_create(&settings, &err);
    if (!writer)
        _exit(2);
    for (uint64_t next = 0;;) {
        uint64_t count = 1 + next * 7919 % 3000;
        if (store_add(writer, next, count, 0, &err) < 0 || journey_commit(writer, &err) < 0)
            _exit(2);
        next += count;
        journey_writer_info(writer, &info);
        if (!limit || info.dropped_oldest > 0)
            report(out, next);
    }
}

/* The same through the recorder's thread, whose own commits are reported. */
static void record_by_thread(int out)
{
    struct err err = ERR_INIT;
    struct journey_settings settings = {.path = path};
    struct recorder *recorder = recorder_create(&settings, log_create(16), &err);
    if (!recorder)
        _exit(2);
    uint64_t reported = 0;
    for (uint64_t next = 0;; next += 100) {
        struct record_batch *batch = record_batch_create(100, 100 * 256);
        int64_t event_ms[100];
        for (uint64_t i = 0; i < 100; i++) {
            struct store_record made;
            store_make(&made, next + i);
            record_batch_add(batch, &made.record);
            event_ms[i] = made.event_ms;
        }
        if (!recorder_put(recorder, batch, event_ms))
            _exit(2);
        record_batch_release(batch);
        if (next % 5000 == 0 && recorder_flush(recorder, 10000000, &err) < 0)
            _exit(2);
        struct recorder_figures figures;
        recorder_figures(recorder, &figures);
        if (figures.recorded > reported)
            report(out, reported = figures.recorded);
    }
}

/* Starts the child, kills it at some moment after its first report; what it had reported last. */
static uint64_t run_and_kill(void (*run)(int out), int64_t delay_us)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        run(ends[1]);
    }
    close(ends[1]);
    /* Its word, not a guess, says that it is under way; the moment of the kill is the random part. */
    uint64_t committed = 0, word;
    assert_int_equal(read(ends[0], &word, sizeof word), sizeof word);
    int64_t until = clock_mono_us() + delay_us;
    for (;;) {
        int64_t left = until - clock_mono_us();
        struct pollfd poll_end = {.fd = ends[0], .events = POLLIN};
        struct timespec wait = {.tv_nsec = left > 0 ? left * 1000 : 0};
        if (left <= 0 || ppoll(&poll_end, 1, &wait, NULL) == 0)
            break;
        if (read(ends[0], &word, sizeof word) != sizeof word)
            break;
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    committed = word;
    while (read(ends[0], &word, sizeof word) == sizeof word)
        committed = word;
    close(ends[0]);
    return committed;
}

static void check_journey(uint64_t committed)
{
    struct err err = ERR_INIT;
    struct journey_listing *list;
    size_t count;
    assert_int_equal(journeys_list(folder, &list, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].problem, "");
    assert_false(list[0].info.open); /* its lock died with it */
    assert_false(list[0].info.clean);
    assert_true(list[0].info.total + list[0].info.dropped_oldest >= committed);
    free(list);

    struct journey_reader *reader = journey_open(path, &err);
    if (!reader)
        fail_msg("%s", err.text);
    struct journey_info info;
    journey_reader_info(reader, &info);
    struct record record;
    int64_t event_ms, position_us;
    uint64_t next = info.dropped_oldest;
    int got;
    while ((got = journey_next(reader, &record, &event_ms, &position_us, &err)) == 1)
        assert_int_equal(store_check(&record, event_ms), next++);
    assert_int_equal(got, 0);
    assert_true(next >= committed);
    assert_true(limit == 0 || info.dropped_oldest > 0);
    assert_int_equal(next, info.total + info.dropped_oldest);
    journey_reader_info(reader, &info);
    assert_int_equal(info.damaged_chunks, 0);
    journey_reader_close(reader);

    char beside[160];
    snprintf(beside, sizeof beside, "%s-wal", path);
    assert_int_equal(file_size(beside), -1);
    assert_int_equal(journeys_delete(path, &err), 0);
}

static void kill_often(void (*run)(int out), uint32_t purpose, int64_t rounds)
{
    rounds = environment_int("SMARTCITY_ROUNDS", rounds);
    for (int64_t round = 0; round < rounds; round++) {
        const struct rng_key key = {.seed = seed, .tick = (uint64_t)round, .purpose = purpose};
        check_journey(run_and_kill(run, rng_below(&key, 250000)));
    }
}

static void test_writer(void **state)
{
    limit = 0;
    kill_often(record_directly, 1, 12);
}

static void test_ring(void **state)
{
    limit = JOURNEY_LIMIT_MIN;
    kill_often(record_directly, 2, 4);
}

static void test_recorder(void **state)
{
    limit = 0;
    kill_often(record_by_thread, 3, 12);
}

int main(void)
{
    seed = (uint64_t)environment_int("SMARTCITY_SEED", 7);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ring, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_recorder, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
