#include "base/file.h"
#include "sql/sql.h"
#include "store/chunk.h"
#include "store/journey.h"
#include "tests/support/journeys.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[128];
static struct err fine; /* of assert_fine */

static int set_up(void **state)
{
    store_disk_install();
    store_disk_full(false);
    store_enter(folder);
    snprintf(path, sizeof path, "%s/a.sqlite", folder);
    return 0;
}

static int tear_down(void **state)
{
    store_leave(folder);
    return 0;
}

#define assert_fine(call)                                                                                    \
    do {                                                                                                     \
        fine = ERR_INIT;                                                                                     \
        if ((call) < 0)                                                                                      \
            fail_msg("%s: %s", #call, fine.text);                                                            \
    } while (0)

static struct journey_writer *create(int64_t limit)
{
    struct err err = ERR_INIT;
    struct journey_settings settings = {.path = path,
                                        .name = "test",
                                        .seed = "7",
                                        .source = "LOCAL",
                                        .limit_bytes = limit,
                                        .keep_free_bytes = 1};
    struct journey_writer *writer = journey_create(&settings, &err);
    if (!writer)
        fail_msg("%s", err.text);
    return writer;
}

static struct journey_reader *open_journey(void)
{
    struct err err = ERR_INIT;
    struct journey_reader *reader = journey_open(path, &err);
    if (!reader)
        fail_msg("%s", err.text);
    return reader;
}

/* Reads to the end; every record must be the one that follows. Returns how many. */
static uint64_t read_all(struct journey_reader *reader, int64_t first)
{
    struct record record;
    int64_t event_ms, position_us, next = first, last_us = -1;
    uint64_t count = 0;
    struct err err = ERR_INIT;
    int got;
    while ((got = journey_next(reader, &record, &event_ms, &position_us, &err)) == 1) {
        int64_t number = store_check(&record, event_ms);
        if (next < 0)
            next = number;
        assert_int_equal(number, next++);
        assert_true(position_us >= last_us);
        last_us = position_us;
        count++;
    }
    assert_int_equal(got, 0);
    return count;
}

static void change(const char *sql)
{
    struct err err = ERR_INIT;
    struct sql_db *db = sql_open(path, 0, 1000, &err);
    if (!db || sql_exec(db, sql, &err) < 0)
        fail_msg("%s", err.text);
    sql_close(db);
}

static void expect_refused(enum err_kind kind, const char *word)
{
    struct err err = ERR_INIT;
    struct journey_reader *reader = journey_open(path, &err);
    assert_null(reader);
    assert_int_equal(err.kind, kind);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, word));
}

/* ---- chunks ---- */

static void test_chunk_odd_records(void **state)
{
    /* Everything at its limits, absent or backwards. */
    struct record odd[] = {
        {.kind = -1,
         .partition = INT32_MAX,
         .offset = INT64_MAX,
         .timestamp = INT64_MIN,
         .arrived_us = INT64_MAX},
        {.kind = 0,
         .partition = INT32_MIN,
         .offset = -1,
         .timestamp = INT64_MAX,
         .arrived_us = INT64_MIN,
         .key = "",
         .value = ""},
        {.kind = 4,
         .partition = -1,
         .offset = 0,
         .key = "k\0k",
         .key_length = 3,
         .value = "\x1b[2J\xff",
         .value_length = 5,
         .headers = (const uint8_t *)"hh",
         .headers_length = 2},
    };
    const int64_t events[] = {INT64_MAX, INT64_MIN, 0}, positions[] = {0, INT64_MAX, 5};
    struct chunk_writer *writer = chunk_writer_create();
    struct chunk_reader *reader = chunk_reader_create();
    struct buf packed;
    struct chunk_summary summary;
    buf_init(&packed, 1 << 24);
    for (int i = 0; i < 3; i++)
        assert_fine(chunk_add(writer, &odd[i], events[i], positions[i], 99, &fine));
    assert_fine(chunk_seal(writer, &packed, &summary, &fine));
    assert_int_equal(summary.records, 3);
    assert_int_equal(summary.min_ms, INT64_MIN);
    assert_int_equal(summary.max_ms, INT64_MAX);
    assert_int_equal(summary.topic_records[0], 1);
    assert_int_equal(summary.topic_bytes[5], 8);
    assert_fine(chunk_load(reader, packed.data, packed.length, &fine));
    for (int i = 0; i < 3; i++) {
        struct record record;
        int64_t event_ms, position_us;
        assert_true(chunk_next(reader, &record, &event_ms, &position_us, NULL));
        assert_int_equal(record.kind, odd[i].kind);
        assert_int_equal(record.partition, odd[i].partition);
        assert_int_equal(record.offset, odd[i].offset);
        assert_int_equal(record.timestamp, odd[i].timestamp);
        assert_int_equal(record.arrived_us, odd[i].arrived_us);
        assert_int_equal(event_ms, events[i]);
        assert_int_equal(position_us, positions[i]);
        assert_int_equal(record.key == NULL, odd[i].key == NULL);
        assert_int_equal(record.value == NULL, odd[i].value == NULL);
        assert_int_equal(record.key_length, odd[i].key_length);
        assert_int_equal(record.value_length, odd[i].value_length);
        assert_int_equal(record.headers_length, odd[i].headers_length);
        if (i == 2)
            assert_memory_equal(record.value, odd[i].value, 5);
    }
    chunk_writer_destroy(writer);
    chunk_reader_destroy(reader);
    buf_free(&packed);
}

static void test_chunk_damage(void **state)
{
    struct chunk_writer *writer = chunk_writer_create();
    struct chunk_reader *reader = chunk_reader_create();
    struct buf packed;
    struct chunk_summary summary;
    buf_init(&packed, 1 << 24);
    struct store_record made;
    for (uint64_t i = 0; i < 40; i++) {
        store_make(&made, i);
        assert_fine(chunk_add(writer, &made.record, made.event_ms, (int64_t)i, 0, &fine));
    }
    assert_fine(chunk_seal(writer, &packed, &summary, &fine));
    /* Any flipped bit and any cut is found before a record is handed over. */
    for (size_t i = 0; i < packed.length; i++) {
        packed.data[i] ^= (char)(1 << i % 8);
        struct err err = ERR_INIT;
        struct record record;
        int64_t event_ms, position_us;
        int loaded = chunk_load(reader, packed.data, packed.length, &err);
        if (loaded == 0) /* a bit of the frame header that carries no meaning */
            for (uint64_t n = 0; chunk_next(reader, &record, &event_ms, &position_us, NULL); n++) {
                store_make(&made, n);
                assert_memory_equal(record.value, made.value, record.value_length);
            }
        else
            assert_int_equal(err.kind, ERR_CORRUPT);
        packed.data[i] ^= (char)(1 << i % 8);
    }
    for (size_t length = 0; length < packed.length; length += 7)
        assert_int_equal(chunk_load(reader, packed.data, length, NULL), -1);
    chunk_writer_destroy(writer);
    chunk_reader_destroy(reader);
    buf_free(&packed);
}

/* ---- the file ---- */

static void test_round_trip(void **state)
{
    store_journey(path, 20000);
    struct journey_reader *reader = open_journey();
    struct journey_info info;
    journey_reader_info(reader, &info);
    assert_string_equal(info.name, "test");
    assert_string_equal(info.seed, "7");
    assert_string_equal(info.source, "LOCAL");
    assert_int_equal(info.total, 20000);
    for (int i = 0; i < EVENT_KIND_COUNT; i++)
        assert_int_equal(info.events[i], 4000);
    assert_int_equal(info.started_us, STORE_START_US);
    assert_int_equal(info.length_us, 19999LL * STORE_STEP_US);
    assert_int_equal(info.ended_us, STORE_START_US + 19999LL * STORE_STEP_US);
    assert_int_equal(info.first_ms, STORE_START_US / 1000);
    assert_int_equal(info.last_ms, STORE_START_US / 1000 + 19999 * 100);
    assert_true(info.clean);
    assert_false(info.open);
    assert_true(info.keyframes >= 3);
    assert_int_equal(info.dropped_oldest, 0);
    assert_int_equal(info.file_bytes, file_size(path));
    assert_int_equal(read_all(reader, 0), 20000);
    journey_reader_close(reader);

    /* One file and nothing beside it. */
    char beside[160];
    static const char *const suffixes[] = {"-wal", "-shm", "-journal", ".lock"};
    for (int i = 0; i < 4; i++) {
        snprintf(beside, sizeof beside, "%s%s", path, suffixes[i]);
        assert_int_equal(file_size(beside), -1);
    }
    /* Compact: these records are 110 bytes of key, value and header each. */
    assert_true(info.file_bytes < 20000 * 40);
}

static void test_seek(void **state)
{
    store_journey(path, 10000);
    struct journey_reader *reader = open_journey();
    static const int64_t at[] = {0, 1, 777, 5000, 9999, 4321, 3};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        assert_fine(journey_seek(reader, at[i] * STORE_STEP_US, &fine));
        assert_int_equal(read_all(reader, at[i]), 10000 - at[i]);
        assert_fine(journey_seek(reader, at[i] * STORE_STEP_US - 1, &fine)); /* between two: the one behind */
        assert_int_equal(read_all(reader, at[i]), 10000 - at[i]);
    }
    assert_fine(journey_seek(reader, -5, &fine));
    assert_int_equal(read_all(reader, 0), 10000);
    assert_fine(journey_seek(reader, INT64_MAX, &fine));
    assert_int_equal(read_all(reader, -1), 0);

    int64_t position;
    assert_fine(journey_seek_event(reader, STORE_START_US / 1000 + 5000 * 100 - 50, &position, &fine));
    assert_int_equal(position, 5000LL * STORE_STEP_US);
    assert_int_equal(read_all(reader, 5000), 5000);
    assert_fine(journey_seek_event(reader, INT64_MAX, &position, &fine));
    assert_int_equal(position, 9999LL * STORE_STEP_US);
    assert_int_equal(read_all(reader, -1), 0);
    assert_fine(journey_seek_event(reader, INT64_MIN, &position, &fine));
    assert_int_equal(read_all(reader, 0), 10000);
    journey_reader_close(reader);
}

struct primed {
    int64_t last[EVENT_KIND_COUNT][STORE_DEVICES];
    uint64_t count;
};

static void prime(void *context, const struct record *record, int64_t event_ms)
{
    struct primed *primed = context;
    int64_t number = store_check(record, event_ms);
    assert_true(number >= 0);
    int64_t *last = &primed->last[record->kind][number / EVENT_KIND_COUNT % STORE_DEVICES];
    if (number > *last)
        *last = number;
    primed->count++;
}

static void test_keyframes(void **state)
{
    /* 400 s; all devices speak every 10 s, so any keyframe and what follows must give each one's last word.
     */
    store_journey(path, 20000);
    struct journey_reader *reader = open_journey();
    static const int64_t at[] = {600, 4000, 12345, 19999};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        struct primed primed;
        memset(&primed, 0xff, sizeof primed);
        primed.count = 0;
        assert_fine(journey_seek_keyframe(reader, at[i] * STORE_STEP_US, prime, &primed, &fine));
        for (int64_t n = at[i] - STORE_DEVICES * EVENT_KIND_COUNT; n < at[i]; n++)
            assert_int_equal(primed.last[n % EVENT_KIND_COUNT][n / EVENT_KIND_COUNT % STORE_DEVICES], n);
        assert_true(primed.count <= 500 + 120 * 50); /* not from the start */
        assert_int_equal(read_all(reader, at[i]), 20000 - at[i]);
    }
    journey_reader_close(reader);
}

static void keep_camera(void *context, const struct record *record, int64_t event_ms)
{
    void **frame = context;
    if (*frame && record->key_length == 6 && record->value_length == 200000 &&
        memcmp(record->value, *frame, 200000) == 0)
        *frame = NULL;
}

static void test_keyframe_refers_to_large(void **state)
{
    /* One camera frame early on; it must still be there 200 s later, though the file holds it once. */
    struct journey_writer *writer = create(0);
    struct store_record made;
    char *frame = malloc(200000);
    for (size_t i = 0; i < 200000; i++)
        frame[i] = (char)("0123456789abcdef"[(i * 2654435761u >> 13) % 16]);
    for (uint64_t i = 0; i < 10000; i++) {
        store_make(&made, i);
        if (i == 37) {
            made.record.kind = EVENT_TRAFFIC;
            made.record.key = "camera";
            made.record.key_length = 6;
            made.record.value = frame;
            made.record.value_length = 200000;
        }
        assert_fine(journey_add(writer, &made.record, made.event_ms, &fine));
    }
    assert_fine(journey_close(writer, &fine));
    struct journey_reader *reader = open_journey();
    struct journey_info info;
    journey_reader_info(reader, &info);
    assert_true(info.keyframes >= 1);

    void *found = frame;
    assert_fine(journey_seek_keyframe(reader, 9000LL * STORE_STEP_US, keep_camera, &found, &fine));
    assert_null(found); /* keep_camera clears it when it has met the frame */
    assert_true(info.file_bytes < 2 * 200000 + 10000 * 40);
    journey_reader_close(reader);
    free(frame);
}

static void test_markers(void **state)
{
    struct journey_writer *writer = create(0);
    assert_fine(store_add(writer, 0, 100, 0, &fine));
    assert_fine(journey_mark(writer, 5, "incident", "M40 J9 \x1b[31mred", &fine));
    assert_fine(store_add(writer, 100, 100, 0, &fine));
    assert_fine(journey_mark(writer, 6, "operator", "here", &fine));
    assert_fine(journey_close(writer, &fine));
    struct journey_reader *reader = open_journey();
    struct journey_marker markers[4];
    struct err err = ERR_INIT;
    assert_int_equal(journey_markers(reader, markers, 4, &err), 2);
    assert_int_equal(markers[0].position_us, 99LL * STORE_STEP_US);
    assert_string_equal(markers[0].kind, "incident");
    assert_null(strchr(markers[0].text, 0x1b));
    assert_int_equal(markers[1].event_ms, 6);
    assert_int_equal(journey_markers(reader, markers, 1, &err), 1);
    journey_reader_close(reader);
}

static void test_histogram(void **state)
{
    store_journey(path, 10000);
    struct journey_reader *reader = open_journey();
    uint32_t slots[10][EVENT_KIND_COUNT];
    assert_fine(journey_histogram(reader, slots, 10, &fine));
    uint32_t total = 0;
    for (int i = 0; i < 10; i++)
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            assert_in_range(slots[i][kind], 180, 220);
            total += slots[i][kind];
        }
    assert_int_equal(total, 10000);
    journey_reader_close(reader);
}

static void test_clock_set_back(void **state)
{
    struct journey_writer *writer = create(0);
    struct store_record made;
    static const int64_t arrivals[] = {100, 200, -5000, 150, 300};
    for (uint64_t i = 0; i < 5; i++) {
        store_make(&made, i);
        made.record.arrived_us = STORE_START_US + arrivals[i];
        assert_fine(journey_add(writer, &made.record, made.event_ms, &fine));
    }
    assert_fine(journey_close(writer, &fine));
    struct journey_reader *reader = open_journey();
    static const int64_t expected[] = {0, 100, 100, 100, 200};
    for (int i = 0; i < 5; i++) {
        struct record record;
        int64_t event_ms, position_us;
        assert_int_equal(journey_next(reader, &record, &event_ms, &position_us, NULL), 1);
        assert_int_equal(position_us, expected[i]);
        assert_int_equal(record.arrived_us, STORE_START_US + arrivals[i]);
    }
    journey_reader_close(reader);
}

static void test_read_while_written(void **state)
{
    struct journey_writer *writer = create(0);
    assert_fine(store_add(writer, 0, 500, 100, &fine));
    struct journey_reader *reader = open_journey();
    struct journey_info info;
    journey_reader_info(reader, &info);
    assert_true(info.open);
    assert_false(info.clean);
    assert_int_equal(read_all(reader, 0), 500);
    assert_fine(store_add(writer, 500, 300, 100, &fine));
    assert_int_equal(read_all(reader, 500), 300); /* the end was not the end */
    journey_reader_info(reader, &info);
    assert_int_equal(info.total, 800);
    assert_fine(journey_close(writer, &fine));
    journey_reader_close(reader);

    reader = open_journey(); /* what the reader kept from being tidied is tidied now */
    journey_reader_info(reader, &info);
    assert_true(info.clean);
    assert_false(info.open);
    assert_int_equal(read_all(reader, 0), 800);
    journey_reader_close(reader);
    char wal[160];
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(file_size(wal), -1);
}

/* Records 0 … count - 1 with values that do not compress below half, a commit each 50. */
static void add_noise(struct journey_writer *writer, uint64_t count, int64_t limit)
{
    struct store_record made;
    char value[4000], wal[160];
    snprintf(wal, sizeof wal, "%s-wal", path);
    uint64_t noise = 88172645463325252u;
    for (uint64_t i = 0; i < count; i++) {
        store_make(&made, i);
        for (size_t n = 0; n < sizeof value; n++) {
            noise ^= noise << 13, noise ^= noise >> 7, noise ^= noise << 17;
            value[n] = "0123456789abcdef"[noise % 16];
        }
        made.record.value = value;
        made.record.value_length = sizeof value;
        assert_fine(journey_add(writer, &made.record, made.event_ms, &fine));
        if (i % 50 == 49)
            assert_fine(journey_commit(writer, &fine));
        assert_true(file_size(path) + file_size(wal) <= limit);
    }
}

static void test_squeezed(void **state)
{
    /* On a disk that is nearly full a large ring stays small, and says so. */
    struct err err = ERR_INIT;
    struct journey_info info;
    struct journey_settings settings = {.path = path, .limit_bytes = 1 << 30, .keep_free_bytes = INT64_MAX};
    struct journey_writer *writer = journey_create(&settings, &err);
    assert_non_null(writer);
    add_noise(writer, 14000, 64 << 20);
    journey_writer_info(writer, &info);
    assert_true(info.squeezed);
    assert_true(info.dropped_oldest > 2000);
    assert_int_equal(info.dropped_oldest + info.total, 14000);
    assert_fine(journey_close(writer, &fine));
    assert_in_range(file_size(path), 8 << 20, (16 << 20) + 65536);
}

static void test_ring(void **state)
{
    const int64_t limit = 16 << 20;
    struct journey_writer *writer = create(limit);
    add_noise(writer, 10000, limit);
    struct journey_info info;
    journey_writer_info(writer, &info);
    assert_false(info.squeezed);
    assert_true(info.dropped_oldest > 2000);
    assert_int_equal(info.dropped_oldest + info.total, 10000);
    assert_int_equal(info.bytes / info.total, 4000 + 8); /* "device-N" or "device-NN" */
    assert_fine(journey_close(writer, &fine));
    assert_true(file_size(path) > limit / 2);

    struct journey_reader *reader = open_journey();
    journey_reader_info(reader, &info);
    assert_int_equal(info.started_us, STORE_START_US + (int64_t)info.dropped_oldest * STORE_STEP_US);
    struct record record;
    int64_t event_ms, position_us, count = 0;
    while (journey_next(reader, &record, &event_ms, &position_us, NULL) == 1) {
        assert_int_equal(record.offset, (int64_t)info.dropped_oldest + count);
        assert_int_equal(position_us, count * STORE_STEP_US); /* the axis begins at what is held */
        count++;
    }
    assert_int_equal(count, info.total);
    journey_reader_close(reader);
}

static void test_full_disk(void **state)
{
    struct journey_writer *writer = create(0);
    assert_fine(store_add(writer, 0, 500, 100, &fine));
    store_disk_full(true);
    assert_fine(store_add(writer, 500, 100, 0, &fine));
    struct err err = ERR_INIT;
    assert_int_equal(journey_commit(writer, &err), -1);
    assert_int_equal(err.kind, ERR_FULL);
    assert_true(err.retriable);
    assert_non_null(strstr(err.text, path));
    /* What was committed can be read, what was taken is kept. */
    struct journey_reader *reader = open_journey();
    assert_int_equal(read_all(reader, 0), 500);
    assert_fine(store_add(writer, 600, 10, 0, &fine));
    store_disk_full(false);
    assert_fine(journey_commit(writer, &fine));
    assert_int_equal(read_all(reader, 500), 110);
    journey_reader_close(reader);
    assert_fine(journey_close(writer, &fine));
}

static void test_full_disk_is_bounded(void **state)
{
    struct journey_writer *writer = create(0);
    store_disk_full(true);
    struct store_record made;
    char *value = malloc(100000);
    uint64_t noise = 1, taken = 0;
    struct err err = ERR_INIT;
    for (;; taken++) {
        store_make(&made, taken);
        for (size_t n = 0; n < 100000; n++) {
            noise ^= noise << 13, noise ^= noise >> 7, noise ^= noise << 17;
            value[n] = (char)noise;
        }
        made.record.value = value;
        made.record.value_length = 100000;
        if (journey_add(writer, &made.record, made.event_ms, &err) < 0)
            break;
        assert_true(taken < 1000);
    }
    assert_int_equal(err.kind, ERR_FULL);
    store_disk_full(false);
    assert_fine(journey_add(writer, &made.record, made.event_ms, &fine)); /* the refused one, again */
    assert_fine(journey_close(writer, &fine));
    struct journey_reader *reader = open_journey();
    struct journey_info info;
    journey_reader_info(reader, &info);
    assert_int_equal(info.total, taken + 1);
    struct record record;
    int64_t event_ms, position_us;
    for (uint64_t i = 0; i <= taken; i++) {
        assert_int_equal(journey_next(reader, &record, &event_ms, &position_us, NULL), 1);
        assert_int_equal(record.offset, (int64_t)i);
    }
    journey_reader_close(reader);
    free(value);
}

static void test_too_large(void **state)
{
    struct journey_writer *writer = create(0);
    struct store_record made;
    store_make(&made, 0);
    made.record.value_length = (size_t)CHUNK_RECORD_LIMIT + 1; /* not read: refused by its length */
    struct err err = ERR_INIT;
    assert_int_equal(journey_add(writer, &made.record, 0, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    char *large = calloc(1, 10 << 20);
    made.record.value = large;
    made.record.value_length = 10 << 20;
    assert_fine(journey_add(writer, &made.record, 0, &fine));
    assert_fine(journey_close(writer, &fine));
    struct journey_reader *reader = open_journey();
    struct record record;
    int64_t event_ms, position_us;
    assert_int_equal(journey_next(reader, &record, &event_ms, &position_us, NULL), 1);
    assert_int_equal(record.value_length, 10 << 20);
    journey_reader_close(reader);
    free(large);
}

static void test_create_refusals(void **state)
{
    store_journey(path, 10);
    int64_t size = file_size(path);
    struct err err = ERR_INIT;
    struct journey_settings settings = {.path = path};
    assert_null(journey_create(&settings, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_int_equal(file_size(path), size);
    char other[160];
    snprintf(other, sizeof other, "%s/absent/b.sqlite", folder);
    settings.path = other;
    assert_null(journey_create(&settings, &err));
    assert_int_equal(err.kind, ERR_IO);
    snprintf(other, sizeof other, "%s/b.sqlite", folder);
    settings.limit_bytes = 4096;
    assert_null(journey_create(&settings, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    settings.limit_bytes = 0;
    store_disk_full(true);
    assert_null(journey_create(&settings, &err));
    store_disk_full(false);
    assert_int_equal(err.kind, ERR_FULL);
    assert_int_equal(file_size(other), -1); /* no half-made file */
    struct journey_writer *writer = journey_create(&settings, &err);
    assert_non_null(writer);
    assert_fine(journey_close(writer, &fine));
    assert_int_equal(file_size(other), -1); /* nothing recorded, nothing left */
}

static void test_two_writers(void **state)
{
    struct journey_writer *writer = create(0);
    assert_fine(store_add(writer, 0, 10, 1, &fine));
    struct err err = ERR_INIT;
    struct journey_settings settings = {.path = path};
    assert_null(journey_create(&settings, &err));
    assert_fine(journey_close(writer, &fine));
}

/* ---- hostile and damaged files ---- */

static void test_not_a_journey(void **state)
{
    expect_refused(ERR_NOT_FOUND, "no file");
    struct err err = ERR_INIT;
    char noise[5000];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 197 % 251);
    assert_fine(file_write_atomic(path, noise, sizeof noise, 0600, &fine));
    expect_refused(ERR_CORRUPT, "not a database");
    assert_fine(file_write_atomic(path, "", 0, 0600, &fine));
    expect_refused(ERR_CORRUPT, "no journey");
    unlink(path);
    struct sql_db *db = sql_open(path, SQL_CREATE, 1000, &err);
    assert_non_null(db);
    assert_fine(sql_exec(db, "CREATE TABLE chunk(id)", &fine));
    sql_close(db);
    expect_refused(ERR_CORRUPT, "no journey");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_refused(ERR_IO, "");
}

static void test_newer_version(void **state)
{
    store_journey(path, 10);
    change("PRAGMA user_version = 2");
    expect_refused(ERR_UNSUPPORTED, "newer smartcity");
}

static void test_hostile_schema(void **state)
{
    store_journey(path, 10);
    change("DROP TABLE marker; CREATE VIEW marker AS SELECT 1 AS position_us");
    expect_refused(ERR_CORRUPT, "tables of a journey");
    unlink(path);
    store_journey(path, 10);
    change("CREATE TRIGGER t AFTER UPDATE ON journey BEGIN DELETE FROM chunk; END");
    expect_refused(ERR_CORRUPT, "tables of a journey");
    unlink(path);
    store_journey(path, 10);
    change("DROP TABLE chunk_data");
    expect_refused(ERR_CORRUPT, "tables of a journey");
}

static void test_hostile_figures(void **state)
{
    store_journey(path, 200);
    change("UPDATE chunk SET first_us = -9223372036854775808, last_us = 9223372036854775807, records = -5;"
           "UPDATE journey SET origin_us = 9223372036854775807; UPDATE topic SET records = -1;"
           "UPDATE meta SET value = char(27) || '[2J' WHERE name = 'name'; UPDATE keyframe SET position_us = "
           "-1");
    struct journey_reader *reader = open_journey();
    struct journey_info info;
    journey_reader_info(reader, &info);
    assert_null(strchr(info.name, 0x1b));
    struct record record;
    int64_t event_ms, position_us;
    int count = 0;
    while (journey_next(reader, &record, &event_ms, &position_us, NULL) == 1 && count < 1000)
        count++;
    assert_int_equal(count, 200);
    assert_fine(journey_seek(reader, INT64_MAX, &fine));
    uint32_t slots[7][EVENT_KIND_COUNT];
    assert_fine(journey_histogram(reader, slots, 7, &fine));
    journey_reader_close(reader);
}

static void test_damaged_chunks(void **state)
{
    store_journey(path, 1000); /* 20 chunks of 50 */
    change("UPDATE chunk_data SET data = zeroblob(length(data)) WHERE id = 3;"
           "UPDATE chunk_data SET data = substr(data, 1, 40) WHERE id = 7;"
           "UPDATE chunk_data SET data = 'text' WHERE id = 8;"
           "DELETE FROM chunk_data WHERE id = 12;"
           "UPDATE chunk_data SET data = x'' WHERE id = 20");
    struct journey_reader *reader = open_journey();
    struct record record;
    int64_t event_ms, position_us, count = 0;
    while (journey_next(reader, &record, &event_ms, &position_us, NULL) == 1) {
        assert_true(store_check(&record, event_ms) >= 0);
        count++;
    }
    assert_int_equal(count, 750);
    struct journey_info info;
    journey_reader_info(reader, &info);
    assert_int_equal(info.damaged_chunks, 5);
    assert_int_equal(info.damaged_records, 250);
    assert_fine(journey_seek(reader, 120 * STORE_STEP_US, &fine)); /* into a damaged one: the next good one */
    assert_int_equal(journey_next(reader, &record, &event_ms, &position_us, NULL), 1);
    assert_int_equal(record.offset, 150);
    journey_reader_info(reader, &info);
    assert_int_equal(info.damaged_chunks, 5);
    journey_reader_close(reader);
}

static void test_damaged_pages(void **state)
{
    /* Bytes overwritten anywhere: never a crash, never a record that is not one of ours. */
    store_journey(path, 3000);
    int64_t size = file_size(path);
    char *whole = malloc((size_t)size);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, whole, (size_t)size, 0), size);
    uint64_t noise = 99;
    for (int round = 0; round < 60; round++) {
        assert_int_equal(pwrite(fd, whole, (size_t)size, 0), size);
        for (int hit = 0; hit < 8; hit++) {
            char bytes[16];
            noise = noise * 6364136223846793005u + 1442695040888963407u;
            memset(bytes, (int)(noise >> 56), sizeof bytes);
            int64_t at = (int64_t)((noise >> 16) % (uint64_t)(size - 16));
            assert_int_equal(pwrite(fd, bytes, sizeof bytes, at), 16);
        }
        struct err err = ERR_INIT;
        struct journey_reader *reader = journey_open(path, &err);
        if (!reader)
            continue;
        struct record record;
        int64_t event_ms, position_us;
        int got, count = 0;
        while ((got = journey_next(reader, &record, &event_ms, &position_us, &err)) == 1) {
            assert_int_equal(record.value[0], '{');
            assert_true(count++ <= 3000);
        }
        journey_seek(reader, position_us / 2, &err);
        journey_reader_close(reader);
    }
    close(fd);
    free(whole);
}

static void test_read_only_folder(void **state)
{
    store_journey(path, 100);
    chmod(path, 0400);
    chmod(folder, 0500);
    struct journey_reader *reader = open_journey();
    assert_int_equal(read_all(reader, 0), 100);
    journey_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunk_odd_records),
        cmocka_unit_test(test_chunk_damage),
#define with_folder(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        with_folder(test_round_trip),
        with_folder(test_seek),
        with_folder(test_keyframes),
        with_folder(test_keyframe_refers_to_large),
        with_folder(test_markers),
        with_folder(test_histogram),
        with_folder(test_clock_set_back),
        with_folder(test_read_while_written),
        with_folder(test_ring),
        with_folder(test_squeezed),
        with_folder(test_full_disk),
        with_folder(test_full_disk_is_bounded),
        with_folder(test_too_large),
        with_folder(test_create_refusals),
        with_folder(test_two_writers),
        with_folder(test_not_a_journey),
        with_folder(test_newer_version),
        with_folder(test_hostile_schema),
        with_folder(test_hostile_figures),
        with_folder(test_damaged_chunks),
        with_folder(test_damaged_pages),
        with_folder(test_read_only_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
