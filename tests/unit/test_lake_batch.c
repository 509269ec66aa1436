/* Records become columns and Parquet, and nothing gets lost or disordered on the way. What writes files is
 * skipped without DuckDB (make duckdb). */
#include "base/err.h"
#include "base/text.h"
#include "lake/parquet.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MORNING INT64_C(1768205672000) /* 2026-01-12T08:14:32Z */
#define DAY     INT64_C(86400000)

static struct lake_schema schemas[EVENT_KIND_COUNT];
static struct event scratch;
static char folder[64];
static struct lake_engine *engine;
static struct lake_writer *writer;

static int set_up(void **state)
{
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        lake_schema_init(&schemas[kind], (enum event_kind)kind, LAKE_RAW);
    snprintf(folder, sizeof folder, "/tmp/smartcity-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    struct err err = ERR_INIT;
    engine = lake_engine_create(folder, 0, &err);
    if (!engine)
        return err.kind == ERR_NOT_FOUND ? 0 : -1;
    writer = lake_writer_create(engine, &err);
    return writer ? 0 : -1;
}

static int tear_down(void **state)
{
    lake_writer_destroy(writer);
    lake_engine_destroy(engine);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static enum lake_added add_text(struct lake_batch *batch, int64_t offset, const char *text)
{
    struct record record = {.kind = (int)batch->key.kind,
                            .partition = batch->key.partition,
                            .offset = offset,
                            .timestamp = MORNING + offset,
                            .key = "dev-1",
                            .key_length = 5,
                            .value = text,
                            .value_length = strlen(text)};
    return lake_batch_add(batch, &record, &scratch);
}

static enum lake_added add_weather(struct lake_batch *batch, int64_t offset, int64_t ms, double temperature)
{
    char text[300], time[TEXT_TIME_SIZE];
    snprintf(text, sizeof text,
             "{\"deviceId\":\"station-number-%" PRId64 "\",\"timestamp\":\"%s\",\"temperature\":%.1f,"
             "\"weatherCondition\":\"Rainy\"}",
             offset % 7, text_time(time, ms), temperature);
    return add_text(batch, offset, text);
}

static const void *cell(const struct lake_batch *batch, const char *name, uint32_t row, bool *null)
{
    int column = lake_schema_find(batch->schema, name);
    assert_true(column >= 0);
    const struct lake_block *block = batch->blocks[row / LAKE_BLOCK_ROWS];
    row %= LAKE_BLOCK_ROWS;
    *null = !(block->valid[column][row / 64] >> row % 64 & 1);
    return block->values[column] + row * lake_type_width(batch->schema->columns[column].type);
}

static void check_text(const struct lake_batch *batch, const char *name, uint32_t row, const char *expected)
{
    bool null;
    const union duck_string *string = cell(batch, name, row, &null);
    assert_int_equal(null, expected == NULL);
    if (!expected)
        return;
    const char *bytes = string->length <= DUCK_STRING_INSIDE ? string->inside.bytes : string->outside.bytes;
    assert_int_equal(string->length, strlen(expected));
    assert_memory_equal(bytes, expected, string->length);
}

static void test_values(void **state)
{
    struct lake_batch *batch = lake_batch_create(&schemas[EVENT_EMERGENCY], "local-1", 4, 10, 77);
    assert_int_equal(
        add_text(
            batch, 10,
            "{\"deviceId\":\"cam\",\"timestamp\":\"2026-01-12T08:14:32.000Z\",\"incidentId\":"
            "\"5f0c1b1e-8f1a-4d57-9c5b-0d8a7d1c2b3a\",\"location\":{\"latitude\":51.5,\"longitude\":-0.25},"
            "\"responders\":[\"police\",\"fire\"],\"lanesClosed\":2,\"reportedAt\":"
            "\"2026-01-12T08:10:00.000Z\",\"chainage\":12.5}"),
        LAKE_ADDED);
    assert_int_equal(batch->rows, 1);
    assert_int_equal(batch->key.end, 11);
    bool null;
    check_text(batch, "device_id", 0, "cam");
    check_text(batch, "incident_id", 0, "5f0c1b1e-8f1a-4d57-9c5b-0d8a7d1c2b3a");
    check_text(batch, "responders", 0, "[\"police\",\"fire\"]");
    check_text(batch, "description", 0, NULL);
    check_text(batch, "_kafka_cluster", 0, "local-1");
    check_text(batch, "_kafka_key", 0, "dev-1");
    assert_true(*(const double *)cell(batch, "latitude", 0, &null) == 51.5);
    assert_true(*(const double *)cell(batch, "longitude", 0, &null) == -0.25);
    assert_int_equal(*(const int32_t *)cell(batch, "lanes_closed", 0, &null), 2);
    assert_int_equal(*(const int32_t *)cell(batch, "_kafka_partition", 0, &null), 4);
    assert_int_equal(*(const int64_t *)cell(batch, "_kafka_offset", 0, &null), 10);
    assert_int_equal(*(const int64_t *)cell(batch, "event_ts", 0, &null), MORNING * 1000);
    assert_int_equal(*(const int64_t *)cell(batch, "reported_at", 0, &null), INT64_C(1768205400000000));
    assert_false(null);
    cell(batch, "resolved_at", 0, &null);
    assert_true(null);
    lake_batch_destroy(batch);
}

static void test_offsets_and_quarantine(void **state)
{
    struct lake_batch *batch = lake_batch_create(&schemas[EVENT_WEATHER], "", 0, 100, 0);
    assert_int_equal(add_weather(batch, 100, MORNING, 3), LAKE_ADDED);
    assert_int_equal(add_text(batch, 101, "{\"deviceId\": \"no \\\"time\\\"\"}"), LAKE_QUARANTINED);
    assert_int_equal(add_weather(batch, 105, MORNING, 4), LAKE_ADDED); /* Kafka skipped three */
    struct record tombstone = {.kind = EVENT_WEATHER, .offset = 106};
    assert_int_equal(lake_batch_add(batch, &tombstone, &scratch), LAKE_QUARANTINED);
    assert_int_equal(batch->key.start, 100);
    assert_int_equal(batch->key.end, 107);
    assert_int_equal(batch->rows, 2);
    assert_int_equal(batch->records, 4);
    assert_int_equal(batch->quarantined, 2);
    assert_int_equal(batch->missing, 3);
    assert_non_null(strstr(batch->quarantine.data, "\"offset\":101,"));
    assert_non_null(strstr(batch->quarantine.data, "\"offset\":106,"));
    lake_batch_destroy(batch);
}

static void test_quarantine_is_bounded(void **state)
{
    struct lake_batch *batch = lake_batch_create(&schemas[EVENT_GPS], "", 0, 0, 0);
    char *value = mem_alloc(2u << 20);
    memset(value, 'x', 2u << 20);
    struct record record = {.kind = EVENT_GPS, .value = value, .value_length = 2u << 20};
    enum lake_added added = LAKE_QUARANTINED;
    int count = 0;
    for (; added == LAKE_QUARANTINED && count < 100; count++) {
        record.offset = count;
        added = lake_batch_add(batch, &record, &scratch);
    }
    assert_int_equal(added, LAKE_NO_ROOM);
    assert_true(count > 2);
    assert_int_equal(batch->key.end, count - 1); /* the last was not taken */
    assert_non_null(strstr(batch->quarantine.data, "\"cut_from\":2097152}"));
    assert_true(batch->quarantine.length <= LAKE_QUARANTINE_BYTES);
    free(value);
    lake_batch_destroy(batch);
}

static void test_pictures(void **state)
{
    struct lake_batch *batch = lake_batch_create(&schemas[EVENT_TRAFFIC], "", 2, 5, 0);
    assert_int_equal(
        add_text(batch, 5,
                 "{\"deviceId\":\"cam-1\",\"timestamp\":\"2026-01-12T08:14:32Z\",\"contentType\":"
                 "\"image/jpeg\",\"vehicleCounts\":{\"car\":3,\"hgv\":1},\"snapshot\":\"/9j/4AAQ\"}"),
        LAKE_ADDED);
    assert_int_equal(add_text(batch, 6,
                              "{\"deviceId\":\"cam-1\",\"timestamp\":\"2026-01-12T08:14:33Z\","
                              "\"snapshot\":\"*** no base64 ***\"}"),
                     LAKE_ADDED);
    assert_int_equal(batch->frame_count, 1);
    assert_string_equal(batch->frames[0].key, "frames/traffic_data/dt=2026-01-12/2-00000000000000000005.jpg");
    assert_string_equal(batch->frames[0].content_type, "image/jpeg");
    assert_int_equal(batch->frames[0].length, 6);
    assert_memory_equal(batch->frames[0].bytes, "\xff\xd8\xff\xe0\x00\x10", 6);
    check_text(batch, "snapshot", 0, batch->frames[0].key);
    check_text(batch, "snapshot", 1, NULL);
    assert_true(batch->unfit > 0);
    bool null;
    assert_int_equal(*(const int32_t *)cell(batch, "vehicle_counts_car", 0, &null), 3);
    lake_batch_destroy(batch);
}

static void test_days_are_bounded(void **state)
{
    struct lake_batch *batch = lake_batch_create(&schemas[EVENT_WEATHER], "", 0, 0, 0);
    for (int i = 0; i < LAKE_DAYS_MAX; i++)
        assert_int_equal(add_weather(batch, i, MORNING + i * DAY, 1), LAKE_ADDED);
    assert_int_equal(add_weather(batch, LAKE_DAYS_MAX, MORNING + LAKE_DAYS_MAX * DAY, 1), LAKE_NO_ROOM);
    assert_int_equal(add_weather(batch, LAKE_DAYS_MAX, MORNING, 1), LAKE_ADDED);
    assert_int_equal(batch->key.end, LAKE_DAYS_MAX + 1);
    lake_batch_destroy(batch);
}

static void test_order_is_stable(void **state)
{
    enum { ROWS = 5000 };
    struct lake_batch *batch = lake_batch_create(&schemas[EVENT_WEATHER], "", 0, 0, 0);
    uint64_t random = 9;
    for (int i = 0; i < ROWS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        add_weather(batch, i, MORNING + (int64_t)(random >> 40) % 50 * (DAY / 20), i);
    }
    assert_false(batch->sorted);
    struct lake_order order;
    lake_order_init(&order, batch);
    bool null;
    int64_t before = INT64_MIN;
    uint32_t row_before = 0;
    size_t day = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        int64_t time = *(const int64_t *)cell(batch, "event_ts", order.rows[i], &null);
        assert_true(time >= before);
        if (time == before)
            assert_true(order.rows[i] > row_before);
        if (i == order.days[day].to)
            day++;
        char dt[LAKE_DT_SIZE];
        assert_string_equal(order.days[day].dt, lake_dt(dt, time / 1000));
        before = time;
        row_before = order.rows[i];
    }
    assert_int_equal(day + 1, order.day_count);
    assert_int_equal(order.days[day].to, ROWS);
    lake_order_free(&order);
    lake_batch_destroy(batch);
}

static void test_bytes_are_counted(void **state)
{
    struct lake_batch *batch = lake_batch_create(&schemas[EVENT_WEATHER], "", 0, 0, 0);
    assert_int_equal(batch->bytes, 0);
    add_weather(batch, 0, MORNING, 1);
    size_t one = batch->bytes;
    assert_true(one > 100 && one < 1000);
    for (int i = 1; i < 3000; i++)
        add_weather(batch, i, MORNING, 1);
    assert_int_equal(batch->bytes, one * 3000);
    assert_int_equal(batch->block_count, 2);
    lake_batch_destroy(batch);
}

/* ---- files ---- */

static int64_t ask_sql(const char *sql)
{
    struct err err = ERR_INIT;
    const char *folders[] = {folder};
    struct duck_settings settings = {.folders = folders, .folder_count = 1};
    struct duck_db *db = duck_open(&settings, &err);
    assert_non_null(db);
    struct duck_connection *connection = duck_connect(db, &err);
    struct duck_statement *statement = duck_prepare(connection, sql, &err);
    if (!statement || duck_step(statement, &err) != 1)
        fail_msg("%s", err.text);
    int64_t value = duck_int(duck_column(statement, 0));
    duck_finalize(statement);
    duck_disconnect(connection);
    duck_close(db);
    return value;
}

static int64_t ask(const char *select, const char *path)
{
    char sql[FILE_PATH_SIZE + 300];
    snprintf(sql, sizeof sql, "SELECT %.250s FROM read_parquet('%.500s')", select, path);
    return ask_sql(sql);
}

static void fill(struct lake_batch *batch, int rows)
{
    for (int i = 0; i < rows; i++) /* two days, out of order, every fifth without a temperature */
        if (i % 5 == 4)
            add_text(batch, batch->key.end,
                     "{\"deviceId\":\"somebody-else\",\"timestamp\":\"2026-01-12T23:59:59.999Z\"}");
        else
            add_weather(batch, batch->key.end, MORNING + (i * 7919 % rows) * (DAY / rows) + i % 3, i);
}

static void test_files_by_day(void **state)
{
    if (!writer)
        skip();
    struct err err = ERR_INIT;
    struct lake_batch *batch = lake_batch_create(&schemas[EVENT_WEATHER], "local-2", 1, 7, 0);
    fill(batch, 10000);
    struct lake_file files[LAKE_DAYS_MAX];
    size_t count;
    if (lake_parquet_write(writer, batch, files, &count, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(count, 2);
    assert_string_equal(files[0].dt, "2026-01-12");
    assert_string_equal(files[1].dt, "2026-01-13");
    assert_int_equal(files[0].rows + files[1].rows, 10000);
    int64_t offsets = 0;
    for (size_t i = 0; i < count; i++) {
        char sql[FILE_PATH_SIZE + 300];
        assert_int_equal(ask("count(*)", files[i].path), files[i].rows);
        assert_int_equal(lake_parquet_rows(writer, files[i].path, &err), files[i].rows);
        snprintf(sql, sizeof sql, "count(*) FILTER (strftime(event_ts, '%%Y-%%m-%%d') <> '%s')", files[i].dt);
        assert_int_equal(ask(sql, files[i].path), 0);
        /* In order of time, offsets rising where it is equal. */
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FILTER (p IS NOT NULL AND (e, o) < (p, q)) FROM (SELECT event_ts e, "
                 "_kafka_offset o, lag(e) "
                 "OVER w p, "
                 "lag(o) OVER w q FROM read_parquet('%.500s', file_row_number = true) WINDOW w AS (ORDER BY "
                 "file_row_number))",
                 files[i].path);
        assert_int_equal(ask_sql(sql), 0);
        offsets += ask("sum(_kafka_offset)::bigint", files[i].path);
        assert_int_equal(file_size(files[i].path), files[i].bytes);
        assert_int_equal(strlen(files[i].sha256), 64);
    }
    assert_int_equal(offsets, INT64_C(10000) * (7 + 10006) / 2);
    assert_int_equal(ask("count(*) FILTER (temperature IS NULL)", files[0].path), 2000);
    for (size_t i = 0; i < count; i++)
        unlink(files[i].path);
    lake_batch_destroy(batch);
}

static void test_same_batch_same_bytes(void **state)
{
    if (!writer)
        skip();
    struct err err = ERR_INIT;
    struct lake_file files[LAKE_DAYS_MAX], again[LAKE_DAYS_MAX];
    size_t count;
    for (int round = 0; round < 2; round++) {
        struct lake_batch *batch = lake_batch_create(&schemas[EVENT_WEATHER], "", 1, 0, round);
        fill(batch, 3000);
        assert_int_equal(lake_parquet_write(writer, batch, round ? again : files, &count, &err), 0);
        lake_batch_destroy(batch);
    }
    assert_int_equal(count, 2);
    assert_string_equal(files[0].sha256, again[0].sha256);
    assert_string_equal(files[1].sha256, again[1].sha256);
    assert_int_equal(lake_parquet_same(writer, files[0].path, again[0].path, &err), 1);
    assert_int_equal(lake_parquet_same(writer, files[0].path, files[1].path, &err), 0);

    const char *paths[] = {files[1].path, files[0].path};
    char merged[FILE_PATH_SIZE];
    snprintf(merged, sizeof merged, "%s/merged.parquet", folder);
    int64_t rows = 0;
    if (lake_parquet_merge(writer, &schemas[EVENT_WEATHER], paths, 2, merged, &rows, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(rows, 3000);
    assert_int_equal(ask("count(DISTINCT _kafka_offset)", merged), 3000);
    for (size_t i = 0; i < count; i++)
        unlink(files[i].path);
    unlink(merged);
}

static void test_a_failed_write_leaves_nothing(void **state)
{
    if (!writer)
        skip();
    struct err err = ERR_INIT;
    struct lake_file files[LAKE_DAYS_MAX];
    size_t count = 9;
    struct lake_batch *batch = lake_batch_create(&schemas[EVENT_WEATHER], "", 1, 0, 0);
    fill(batch, 100);
    char path[FILE_PATH_SIZE]; /* where the second file would be stands a folder */
    snprintf(path, sizeof path, "%s/weather_data-1-0-100-2026-01-13.parquet", folder);
    assert_int_equal(file_make_dirs(path, &err), 0);
    assert_int_equal(lake_parquet_write(writer, batch, files, &count, &err), -1);
    assert_int_equal(count, 0);
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof path, "%s/weather_data-1-0-100-2026-01-12.parquet", folder);
    assert_int_equal(file_size(path), -1);
    lake_batch_destroy(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_offsets_and_quarantine),
        cmocka_unit_test(test_quarantine_is_bounded),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_days_are_bounded),
        cmocka_unit_test(test_order_is_stable),
        cmocka_unit_test(test_bytes_are_counted),
        cmocka_unit_test(test_files_by_day),
        cmocka_unit_test(test_same_batch_same_bytes),
        cmocka_unit_test(test_a_failed_write_leaves_nothing),
    };
    return cmocka_run_group_tests_name("lake_batch", tests, set_up, tear_down);
}
