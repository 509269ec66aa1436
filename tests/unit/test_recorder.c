#include "base/clock.h"
#include "sql/sql.h"
#include "store/recorder.h"
#include "tests/support/journeys.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_US 20000000 /* a flush that takes this long has failed */

static char folder[64], path[128];
static struct log *event_log;

static int set_up(void **state)
{
    store_disk_install();
    store_disk_full(false);
    store_enter(folder);
    snprintf(path, sizeof path, "%s/journeys/a.sqlite", folder);
    event_log = log_create(64);
    return 0;
}

static int tear_down(void **state)
{
    log_destroy(event_log);
    store_leave(folder);
    return 0;
}

static struct recorder *create(void)
{
    struct err err = ERR_INIT;
    struct journey_settings settings = {.path = path, .seed = "7", .source = "LOCAL"};
    struct recorder *recorder = recorder_create(&settings, event_log, &err);
    if (!recorder)
        fail_msg("%s", err.text);
    return recorder;
}

/* Puts records first … first + count - 1 as one batch. */
static bool put(struct recorder *recorder, uint64_t first, size_t count)
{
    struct record_batch *batch = record_batch_create(count, count * 256);
    int64_t *event_ms = malloc(count * sizeof *event_ms);
    struct store_record made;
    for (size_t i = 0; i < count; i++) {
        store_make(&made, first + i);
        assert_true(record_batch_add(batch, &made.record));
        event_ms[i] = made.event_ms;
    }
    bool taken = recorder_put(recorder, batch, event_ms);
    record_batch_release(batch);
    memset(event_ms, 0, count * sizeof *event_ms); /* it was copied */
    free(event_ms);
    return taken;
}

static void flush(struct recorder *recorder)
{
    struct err err = ERR_INIT;
    if (recorder_flush(recorder, LONG_US, &err) < 0)
        fail_msg("%s", err.text);
}

static bool logged(const char *part)
{
    struct log_entry entries[64];
    size_t count = log_read(event_log, 0, entries, 64);
    for (size_t i = 0; i < count; i++)
        if (strstr(entries[i].text, part))
            return true;
    return false;
}

/* Offsets of the journey in order, which must be exactly those given. */
static void expect_journey(const char *file, const uint64_t *spans, size_t span_count)
{
    struct err err = ERR_INIT;
    struct journey_reader *reader = journey_open(file, &err);
    if (!reader)
        fail_msg("%s", err.text);
    struct record record;
    int64_t event_ms, position_us;
    for (size_t s = 0; s < span_count; s++)
        for (uint64_t i = spans[2 * s]; i < spans[2 * s + 1]; i++) {
            assert_int_equal(journey_next(reader, &record, &event_ms, &position_us, &err), 1);
            assert_int_equal(store_check(&record, event_ms), i);
        }
    assert_int_equal(journey_next(reader, &record, &event_ms, &position_us, &err), 0);
    journey_reader_close(reader);
}

static void test_records(void **state)
{
    struct recorder *recorder = create();
    struct recorder_figures figures;
    for (uint64_t i = 0; i < 2000; i += 20)
        assert_true(put(recorder, i, 20));
    flush(recorder);
    recorder_figures(recorder, &figures);
    assert_int_equal(figures.state, RECORDER_ON);
    assert_int_equal(figures.recorded, 2000);
    assert_int_equal(figures.missed, 0);
    assert_int_equal(figures.journey.total, 2000);
    assert_true(figures.journey.open);
    assert_string_equal(figures.journey.path, path);
    assert_int_equal(figures.queue.pushed, 101);
    assert_true(figures.committed_us > 0);
    assert_string_equal(figures.problem, "");
    assert_true(put(recorder, 2000, 7));
    assert_true(recorder_mark(recorder, 5, "operator", "here"));
    recorder_destroy(recorder); /* drains */
    expect_journey(path, (uint64_t[]){0, 2007}, 1);
    struct journey_reader *reader = journey_open(path, NULL);
    struct journey_marker marker;
    assert_int_equal(journey_markers(reader, &marker, 1, NULL), 1);
    assert_string_equal(marker.text, "here");
    journey_reader_close(reader);
}

static void test_nothing_recorded(void **state)
{
    recorder_destroy(create());
    struct journey_listing *list;
    size_t count;
    char journeys[96];
    snprintf(journeys, sizeof journeys, "%s/journeys", folder);
    assert_int_equal(journeys_list(journeys, &list, &count, NULL), 0);
    assert_int_equal(count, 0);
}

static void test_full_disk(void **state)
{
    struct recorder *recorder = create();
    struct recorder_figures figures;
    struct err err = ERR_INIT;
    assert_true(put(recorder, 0, 100));
    flush(recorder);
    store_disk_full(true);
    assert_true(put(recorder, 100, 50)); /* taken: must not be lost */
    assert_int_equal(recorder_flush(recorder, LONG_US, &err), -1);
    assert_non_null(strstr(err.text, "disk"));
    recorder_figures(recorder, &figures);
    assert_int_equal(figures.state, RECORDER_FAILED);
    assert_int_equal(figures.recorded, 100);
    assert_non_null(strstr(figures.problem, "disk"));
    assert_true(logged("recording stopped"));

    assert_false(put(recorder, 150, 30)); /* refused at once, and counted */
    assert_false(recorder_retry(recorder));
    recorder_figures(recorder, &figures);
    assert_int_equal(figures.missed, 30);

    store_disk_full(false);
    assert_true(recorder_retry(recorder));
    assert_true(logged("recording goes on"));
    assert_true(put(recorder, 180, 20));
    flush(recorder);
    recorder_figures(recorder, &figures);
    assert_int_equal(figures.state, RECORDER_ON);
    assert_int_equal(figures.recorded, 170);
    assert_int_equal(figures.missed, 30);
    assert_string_equal(figures.problem, "");
    recorder_destroy(recorder);
    expect_journey(path, (uint64_t[]){0, 150, 180, 200}, 2);
    struct journey_reader *reader = journey_open(path, NULL);
    struct journey_marker marker;
    assert_int_equal(journey_markers(reader, &marker, 1, NULL), 1);
    assert_string_equal(marker.kind, "gap");
    assert_non_null(strstr(marker.text, "30 events"));
    journey_reader_close(reader);
}

static void test_full_at_the_end(void **state)
{
    struct recorder *recorder = create();
    assert_true(put(recorder, 0, 100));
    flush(recorder);
    store_disk_full(true);
    assert_true(put(recorder, 100, 50));
    recorder_destroy(recorder); /* ends, and says what is missing */
    assert_true(logged("the end of the recording is missing"));
    store_disk_full(false);
    expect_journey(path, (uint64_t[]){0, 100}, 1);
}

static void test_folder_that_cannot_be_written(void **state)
{
    /* Not by permissions, which do not hold for root: a file stands where the folder should be. */
    char place[96];
    snprintf(place, sizeof place, "%s/journeys", folder);
    close(open(place, O_CREAT | O_WRONLY, 0600));
    struct recorder *recorder = create();
    struct recorder_figures figures;
    recorder_figures(recorder, &figures);
    assert_int_equal(figures.state, RECORDER_FAILED);
    assert_non_null(strstr(figures.problem, place));
    assert_false(put(recorder, 0, 10));
    recorder_figures(recorder, &figures);
    assert_int_equal(figures.missed, 10);
    unlink(place);
    assert_true(recorder_retry(recorder));
    assert_true(put(recorder, 10, 10));
    recorder_destroy(recorder);
    expect_journey(path, (uint64_t[]){10, 20}, 1);
}

static void test_chooses_path(void **state)
{
    /* As a console does: a name of its own, and the folder kept within its limit. */
    struct err err = ERR_INIT;
    struct journey_settings settings = {.path = path};
    recorder_destroy(recorder_create(&settings, event_log, &err)); /* makes the folder */
    struct journey_writer *writer = journey_create(&settings, &err);
    assert_int_equal(store_add(writer, 0, 1000, 0, &err), 0);
    assert_int_equal(journey_close(writer, &err), 0);
    char place[96];
    snprintf(place, sizeof place, "%s/journeys", folder);
    settings = (struct journey_settings){.folder = place, .folder_limit_bytes = 1000};
    struct recorder *a = recorder_create(&settings, event_log, &err),
                    *b = recorder_create(&settings, event_log, &err);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(file_size(path), -1); /* pruned; the one being recorded was not */
    assert_true(logged("deleted to make room"));
    struct recorder_figures of_a, of_b;
    recorder_figures(a, &of_a);
    recorder_figures(b, &of_b);
    assert_int_equal(of_a.state, RECORDER_ON);
    assert_int_equal(of_b.state, RECORDER_ON);
    assert_string_not_equal(of_a.journey.path, of_b.journey.path);
    assert_non_null(strstr(of_a.journey.path, "/journeys/journey-2"));
    assert_true(put(b, 0, 10));
    recorder_destroy(a);
    recorder_destroy(b);
    expect_journey(of_b.journey.path, (uint64_t[]){0, 10}, 1);
    assert_int_equal(file_size(of_a.journey.path), -1);
}

static void test_mark_never_waits(void **state)
{
    struct recorder *recorder = create();
    store_disk_full(true);
    assert_true(put(recorder, 0, 10));
    assert_int_equal(recorder_flush(recorder, LONG_US, NULL), -1);
    assert_false(recorder_mark(recorder, 5, "operator", "here"));
    store_disk_full(false);
    recorder_destroy(recorder);
}

static void test_refusals(void **state)
{
    struct err err = ERR_INIT;
    recorder_destroy(create()); /* makes the folder */
    store_journey(path, 10);
    struct journey_settings settings = {.path = path};
    assert_null(recorder_create(&settings, event_log, &err));
    assert_int_equal(err.kind, ERR_USAGE);
}

static void *put_much(void *context)
{
    for (uint64_t i = 0; i < 20000; i += 50)
        if (!put(context, i, 50))
            return "refused";
    return NULL;
}

static void test_two_threads(void **state)
{
    /* Far more than the queue holds: the source must wait, and nothing be lost. */
    struct recorder *recorder = create();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, put_much, recorder), 0);
    struct recorder_figures figures;
    uint64_t last = 0;
    do {
        recorder_figures(recorder, &figures);
        assert_true(figures.recorded >= last);
        assert_true(figures.queue.depth <= RECORDER_QUEUE);
        last = figures.recorded;
        recorder_flush(recorder, LONG_US, NULL);
    } while (last < 20000);
    void *problem;
    pthread_join(thread, &problem);
    assert_null(problem);
    recorder_destroy(recorder);
    expect_journey(path, (uint64_t[]){0, 20000}, 1);
}

/* ---- the folder ---- */

static char *in_folder(char out[160], const char *name)
{
    snprintf(out, 160, "%s/%s", folder, name);
    return out;
}

static void test_list(void **state)
{
    char a[160], b[160], other[160];
    store_journey(in_folder(a, "a.sqlite"), 100);
    struct journey_settings settings = {.path = in_folder(b, "b.sqlite")};
    struct journey_writer *writer = journey_create(&settings, NULL);
    assert_int_equal(store_add(writer, 1000, 50, 50, NULL), 0);
    struct err err = ERR_INIT;
    assert_int_equal(file_write_atomic(in_folder(other, "noise.sqlite"), "nothing of ours", 15, 0600, &err),
                     0);
    assert_int_equal(file_write_atomic(in_folder(other, "notes.txt"), "no", 2, 0600, &err), 0);
    assert_int_equal(file_write_atomic(in_folder(other, "claimed.sqlite"), "", 0, 0600, &err), 0);

    struct journey_listing *list;
    size_t count;
    assert_int_equal(journeys_list(folder, &list, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_string_equal(list[0].info.path, b); /* its records are younger */
    assert_int_equal(list[0].info.total, 50);
    assert_true(list[0].info.open);
    assert_string_equal(list[1].info.path, a);
    assert_int_equal(list[1].info.total, 100);
    assert_string_equal(list[1].info.name, "test");
    assert_false(list[1].info.open);
    assert_string_equal(list[1].problem, "");
    assert_non_null(strstr(list[2].problem, "not a database"));
    assert_int_equal(list[2].info.file_bytes, 15);
    free(list);

    assert_int_equal(journeys_delete(b, &err), -1);
    assert_int_equal(err.kind, ERR_BUSY);
    assert_non_null(strstr(err.text, "being recorded"));
    assert_int_equal(journeys_set_name(b, "mine", &err), -1);
    assert_int_equal(err.kind, ERR_BUSY);
    assert_int_equal(journey_close(writer, &err), 0);
    assert_int_equal(journeys_set_name(b, "mine", &err), 0);
    assert_int_equal(journeys_delete(a, &err), 0);
    assert_int_equal(journeys_delete(a, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_int_equal(journeys_delete(in_folder(other, "notes.txt"), &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_int_equal(journeys_delete(in_folder(other, "noise.sqlite"), &err), 0); /* damaged may go */
    assert_int_equal(journeys_list(folder, &list, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].info.name, "mine");
    free(list);
    assert_int_equal(journeys_list("/nowhere/at/all", &list, &count, &err), 0);
    assert_int_equal(count, 0);
}

static void test_stale_lock(void **state)
{
    /* The lock file of a killed writer means nothing. */
    char lock[160];
    store_journey(in_folder(lock, "a.sqlite"), 10);
    snprintf(lock, sizeof lock, "%s/a.sqlite.lock", folder);
    assert_int_equal(file_write_atomic(lock, "1\n", 2, 0600, NULL), 0);
    struct journey_listing *list;
    size_t count;
    assert_int_equal(journeys_list(folder, &list, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_false(list[0].info.open);
    assert_int_equal(journeys_delete(list[0].info.path, NULL), 0);
    free(list);
    assert_int_equal(file_size(lock), -1);
}

static void make_unnamed(const char *name, uint64_t first)
{
    char file[160];
    struct journey_settings settings = {.path = in_folder(file, name)};
    struct journey_writer *writer = journey_create(&settings, NULL);
    assert_non_null(writer);
    assert_int_equal(store_add(writer, first, 200, 0, NULL), 0);
    assert_int_equal(journey_close(writer, NULL), 0);
}

static void test_prune(void **state)
{
    char file[160];
    uint32_t deleted;
    make_unnamed("1.sqlite", 0);
    make_unnamed("2.sqlite", 1000);
    make_unnamed("3.sqlite", 2000);
    make_unnamed("4.sqlite", 3000);
    assert_int_equal(journeys_set_name(in_folder(file, "1.sqlite"), "keep me", NULL), 0);
    int64_t size = file_size(in_folder(file, "3.sqlite"));
    assert_int_equal(journeys_prune(folder, 0, &deleted, NULL), 0);
    assert_int_equal(deleted, 0);
    assert_int_equal(journeys_prune(folder, 3 * size + 100, &deleted, NULL), 0);
    assert_int_equal(deleted, 1);
    assert_int_equal(file_size(in_folder(file, "2.sqlite")), -1);
    assert_int_equal(journeys_prune(folder, 1, &deleted, NULL), 0);
    assert_int_equal(deleted, 2);
    assert_int_equal(file_size(in_folder(file, "1.sqlite")), size);
}

static void test_new_path(void **state)
{
    char place[160], a[FILE_PATH_SIZE], b[FILE_PATH_SIZE], expected[256];
    in_folder(place, "x/y");
    const int64_t at = 1768205672123456; /* 2026-01-12 08:14:32 */
    assert_int_equal(journeys_new_path(place, NULL, at, a, NULL), 0);
    assert_int_equal(journeys_new_path(place, NULL, at, b, NULL), 0);
    snprintf(expected, sizeof expected, "%s/journey-20260112-081432.sqlite", place);
    assert_string_equal(a, expected);
    snprintf(expected, sizeof expected, "%s/journey-20260112-081432-2.sqlite", place);
    assert_string_equal(b, expected);
    assert_int_equal(journeys_new_path(place, "../rush hour\x1b", at, b, NULL), 0);
    snprintf(expected, sizeof expected, "%s/-.-rush hour\xe2\x90\x9b.sqlite", place);
    assert_string_equal(b, expected);
    struct journey_settings settings = {.path = a};
    struct journey_writer *writer = journey_create(&settings, NULL); /* the claim is no obstacle */
    assert_non_null(writer);
    assert_int_equal(journey_close(writer, NULL), 0);
}

int main(void)
{
#define with_folder(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        with_folder(test_records),
        with_folder(test_nothing_recorded),
        with_folder(test_full_disk),
        with_folder(test_full_at_the_end),
        with_folder(test_folder_that_cannot_be_written),
        with_folder(test_refusals),
        with_folder(test_chooses_path),
        with_folder(test_mark_never_waits),
        with_folder(test_two_threads),
        with_folder(test_list),
        with_folder(test_stale_lock),
        with_folder(test_prune),
        with_folder(test_new_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
