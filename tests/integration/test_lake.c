/*
 * From records to the warehouse on the local cloud, through the AWS client: landed once under faults, seen by
 * Athena at once, transformed by a Glue job and by an Athena statement, loaded into Redshift, each as often
 * as one likes. Skipped without DuckDB (make duckdb).
 */
#include "base/clock.h"
#include "base/text.h"
#include "lake/lake.h"
#include "lake/pipeline.h"
#include "tests/support/aws_rig.h"

#include "aws/json.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MORNING  INT64_C(1768205672000) /* 2026-01-12T08:14:32Z */
#define PATIENCE 60000000

struct world {
    struct aws_rig rig;
    char spool[96], ledger[96];
    struct lake *lake;
    struct pipeline *pipeline;
    struct pipeline_settings pipeline_settings;
    int64_t committed;
};

static bool have_engine;

static void on_landed(void *context, const struct lake_intent *intent, bool recovered)
{
    struct world *world = context;
    if (world->pipeline)
        pipeline_note(world->pipeline, intent, true);
}

static void on_commit(void *context, enum event_kind kind, int32_t partition, int64_t end)
{
    struct world *world = context;
    if (kind == EVENT_WEATHER && partition == 0)
        __atomic_store_n(&world->committed, end, __ATOMIC_SEQ_CST);
}

static void start_lake(struct world *world)
{
    struct err err = ERR_INIT;
    const struct lake_settings settings = {.client = world->rig.client,
                                           .bucket = "lake",
                                           .cluster = "test-1",
                                           .spool_folder = world->spool,
                                           .log = world->rig.log,
                                           .on_landed = on_landed,
                                           .on_commit = on_commit,
                                           .context = world};
    world->lake = lake_create(&settings, &err);
    bool made;
    if (!world->lake || lake_prepare(world->lake, &made, &err) != 0)
        fail_msg("%s", err.text);
}

static void start_pipeline(struct world *world)
{
    struct err err = ERR_INIT;
    world->pipeline_settings.remote = lake_remote(world->lake);
    world->pipeline_settings.ledger = world->ledger;
    world->pipeline_settings.log = world->rig.log;
    world->pipeline_settings.redshift_workgroup = "smartcity";
    world->pipeline_settings.redshift_role = "arn:aws:iam::000000000000:role/load";
    world->pipeline = pipeline_create(&world->pipeline_settings, &err);
    if (!world->pipeline)
        fail_msg("%s", err.text);
}

static struct world *open_world(void)
{
    struct world *world = mem_zero(1, sizeof *world);
    if (!aws_rig_open(&world->rig, NULL))
        fail_msg("no local cloud");
    snprintf(world->spool, sizeof world->spool, "%s/spool", world->rig.folder);
    snprintf(world->ledger, sizeof world->ledger, "%s/ledger.sqlite", world->rig.folder);
    world->pipeline_settings.transform = PIPELINE_GLUE;
    start_lake(world);
    start_pipeline(world);
    return world;
}

static void stop_world(struct world *world)
{
    struct pipeline *pipeline = world->pipeline;
    world->pipeline = NULL;
    pipeline_destroy(pipeline);
    lake_destroy(world->lake);
}

static void close_world(struct world *world)
{
    stop_world(world);
    aws_rig_close(&world->rig);
    free(world);
}

static void offer(struct world *world, enum event_kind kind, int64_t from, int64_t to)
{
    struct record_batch *batch = record_batch_create((size_t)(to - from), (size_t)(to - from) * 400 + 1);
    for (int64_t offset = from; offset < to; offset++) {
        char text[400], time[TEXT_TIME_SIZE];
        int length = snprintf(
            text, sizeof text,
            "{\"id\":\"%08d-0000-4000-8000-00000000000%d\",\"deviceId\":\"d%d\",\"timestamp\":\"%s\"",
            (int)offset, (int)kind, (int)(offset % 5), text_time(time, MORNING + offset * 20000));
        if (kind == EVENT_WEATHER)
            length += snprintf(text + length, sizeof text - (size_t)length, ",\"temperature\":%d.5}",
                               (int)(offset % 30));
        else
            length += snprintf(
                text + length, sizeof text - (size_t)length,
                ",\"contentType\":\"image/jpeg\",\"vehicleCounts\":{\"car\":2},\"snapshot\":\"/9j/4AAQ\"}");
        struct record record = {.kind = (int)kind,
                                .offset = offset,
                                .timestamp = MORNING,
                                .key = "d",
                                .key_length = 1,
                                .value = text,
                                .value_length = (size_t)length};
        assert_true(record_batch_add(batch, &record));
    }
    assert_true(lake_offer(world->lake, batch, PATIENCE));
    record_batch_release(batch);
}

static void flush(struct world *world)
{
    struct err err = ERR_INIT;
    struct lake_flushed flushed;
    if (lake_flush_wait(world->lake, lake_flush(world->lake, -1), PATIENCE, &flushed, &err) != 0)
        fail_msg("%s", err.text);
}

static json_t *call(struct world *world, enum aws_service_id service, const char *operation, json_t *input)
{
    const struct lake_remote *remote = lake_remote(world->lake);
    char code[LAKE_CODE_SIZE];
    struct err err = ERR_INIT;
    json_t *answer = remote->call(remote->context, service, operation, input, code, &err);
    if (!answer)
        fail_msg("%s", err.text);
    return answer;
}

static void wait_work(struct world *world, enum aws_service_id service, const char *operation,
                      const char *member, const char *id)
{
    struct aws_work work = {0};
    struct err err = ERR_INIT;
    for (int64_t until = clock_mono_us() + PATIENCE; clock_mono_us() < until;) {
        json_t *answer = call(world, service, operation, json_pack("{s:s}", member, id));
        assert_int_equal(aws_work_read(service, operation, answer, &work, &err), 0);
        json_decref(answer);
        if (work.state == AWS_WORK_DONE)
            return;
        if (work.state == AWS_WORK_FAILED)
            fail_msg("%s", work.reason);
    }
    fail_msg("%s takes for ever", operation);
}

/* The only number of a query's answer. */
static int64_t athena(struct world *world, const char *sql)
{
    char token[80];
    snprintf(token, sizeof token, "test-%032" PRId64, clock_mono_us());
    json_t *started = call(world, AWS_ATHENA, "StartQueryExecution",
                           json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "QueryString", sql, "ClientRequestToken",
                                     token, "QueryExecutionContext", "Database", "smartcity_raw",
                                     "ResultConfiguration", "OutputLocation", "s3://lake/athena/"));
    const char *id = aws_json_text(started, "QueryExecutionId");
    wait_work(world, AWS_ATHENA, "GetQueryExecution", "QueryExecutionId", id);
    json_t *answer = call(world, AWS_ATHENA, "GetQueryResults", json_pack("{s:s}", "QueryExecutionId", id));
    const json_t *row = json_array_get(aws_json_at(answer, "ResultSet.Rows"), 1);
    const char *text = aws_json_text(json_array_get(json_object_get(row, "Data"), 0), "VarCharValue");
    int64_t value = -1;
    text_parse_int(text, 0, INT64_MAX, &value);
    json_decref(answer);
    json_decref(started);
    return value;
}

static int64_t redshift(struct world *world, const char *sql)
{
    json_t *started =
        call(world, AWS_REDSHIFT_DATA, "ExecuteStatement",
             json_pack("{s:s, s:s, s:s}", "Sql", sql, "WorkgroupName", "smartcity", "Database", "dev"));
    const char *id = aws_json_text(started, "Id");
    wait_work(world, AWS_REDSHIFT_DATA, "DescribeStatement", "Id", id);
    json_t *answer = call(world, AWS_REDSHIFT_DATA, "GetStatementResult", json_pack("{s:s}", "Id", id));
    const json_t *row = json_array_get(json_object_get(answer, "Records"), 0);
    int64_t value = aws_json_int(json_array_get(row, 0), "longValue", -1);
    json_decref(answer);
    json_decref(started);
    return value;
}

static void run_step(struct world *world, enum ledger_step step)
{
    struct err err = ERR_INIT;
    struct pipeline_progress progress;
    if (pipeline_wait(world->pipeline, pipeline_run(world->pipeline, step, -1), PATIENCE, &progress, &err) !=
        0)
        fail_msg("%s: %s", ledger_step_name(step), err.text);
}

static void test_all_the_way(void **state)
{
    if (!have_engine)
        skip();
    struct world *world = open_world();
    offer(world, EVENT_WEATHER, 0, 3000); /* over midnight */
    offer(world, EVENT_TRAFFIC, 0, 40);
    flush(world);
    assert_int_equal(athena(world, "SELECT count(*) FROM weather_data"), 3000);
    assert_int_equal(athena(world,
                            "SELECT count(DISTINCT \"_kafka_offset\") FROM weather_data WHERE temperature "
                            "IS NOT NULL AND \"_kafka_cluster\" = 'test-1'"),
                     3000);
    assert_int_equal(athena(world, "SELECT count(DISTINCT dt) FROM weather_data"), 2);
    assert_int_equal(athena(world, "SELECT count(*) FROM traffic_data WHERE snapshot LIKE "
                                   "'frames/traffic_data/dt=2026-01-12/%.jpg' AND vehicle_counts_car = 2"),
                     40);

    run_step(world, LEDGER_TRANSFORMED);
    assert_int_equal(athena(world, "SELECT count(*) FROM smartcity_curated.weather_data"), 3000);
    assert_int_equal(athena(world, "SELECT count(DISTINCT event_hour) FROM smartcity_curated.weather_data"),
                     17);
    run_step(world, LEDGER_LOADED);
    assert_int_equal(redshift(world, "SELECT count(*) FROM smartcity.weather_data"), 3000);
    assert_int_equal(redshift(world, "SELECT sum(row_count) FROM smartcity.lake_ledger"), 3040);

    /* More comes: only that is taken on. */
    offer(world, EVENT_WEATHER, 3000, 3500);
    flush(world);
    run_step(world, LEDGER_TRANSFORMED);
    run_step(world, LEDGER_LOADED);
    assert_int_equal(athena(world, "SELECT count(*) FROM smartcity_curated.weather_data"), 3500);
    assert_int_equal(redshift(world, "SELECT count(*) FROM smartcity.weather_data"), 3500);
    struct ledger_totals totals;
    assert_int_equal(ledger_totals(pipeline_ledger(world->pipeline), EVENT_WEATHER, &totals, NULL), 0);
    for (int step = 0; step < LEDGER_STEP_COUNT; step++)
        assert_int_equal(totals.rows[step], 3500);

    /* The ledger is lost: made again out of S3, everything is taken through once more, and nothing is there
     * twice. This time Athena transforms. */
    stop_world(world);
    assert_int_equal(remove(world->ledger), 0);
    world->pipeline_settings.transform = PIPELINE_ATHENA;
    start_lake(world);
    start_pipeline(world);
    uint64_t found = 0;
    struct err err = ERR_INIT;
    assert_int_equal(pipeline_reconcile(world->pipeline, &found, &err), 0);
    assert_int_equal(found, 3);
    run_step(world, LEDGER_TRANSFORMED);
    run_step(world, LEDGER_LOADED);
    assert_int_equal(athena(world, "SELECT count(*) FROM smartcity_curated.weather_data"), 3500);
    assert_int_equal(redshift(world, "SELECT count(*) FROM smartcity.weather_data"), 3500);
    assert_int_equal(redshift(world, "SELECT sum(row_count) FROM smartcity.lake_ledger"), 3540);
    close_world(world);
}

static void test_faults(void **state)
{
    if (!have_engine)
        skip();
    struct world *world = open_world();
    struct err err = ERR_INIT;
    aws_rig_fault(&world->rig, "s3 PutObject lost count=2");
    aws_rig_fault(&world->rig, "s3 PutObject error=409 count=1 after=2");
    aws_rig_fault(&world->rig, "s3 PutObject throttle count=8 after=3");
    aws_rig_fault(&world->rig, "glue BatchCreatePartition lost count=2");
    aws_rig_fault(&world->rig, "redshift-data BatchExecuteStatement lost count=1");
    aws_rig_fault(&world->rig, "athena StartQueryExecution lost count=1");
    world->pipeline_settings.transform = PIPELINE_ATHENA;
    for (int i = 0; i < 6; i++) {
        offer(world, EVENT_WEATHER, i * 100, i * 100 + 100);
        struct lake_flushed flushed;
        uint64_t ticket = lake_flush(world->lake, -1);
        int64_t until = clock_mono_us() + PATIENCE;
        while (lake_flush_wait(world->lake, ticket, 200000, &flushed, &err) != 0 && clock_mono_us() < until)
            lake_retry(world->lake);
    }
    assert_int_equal(__atomic_load_n(&world->committed, __ATOMIC_SEQ_CST), 600);
    assert_int_equal(athena(world, "SELECT count(*) FROM weather_data"), 600);
    assert_int_equal(athena(world, "SELECT count(DISTINCT \"_kafka_offset\") FROM weather_data"), 600);
    run_step(world, LEDGER_LOADED);
    assert_int_equal(redshift(world, "SELECT count(*) FROM smartcity.weather_data"), 600);

    struct lake_compacted compacted;
    if (lake_compact(world->lake, EVENT_WEATHER, "2026-01-12", false, &compacted, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(compacted.files, 6);
    assert_int_equal(athena(world, "SELECT count(*) FROM weather_data"), 600);
    offer(world, EVENT_WEATHER, 600, 610);
    flush(world);
    assert_int_equal(athena(world, "SELECT count(*) FROM weather_data"), 610);

    /* Another run goes on where this one was, whatever Kafka says. */
    stop_world(world);
    start_lake(world);
    start_pipeline(world);
    int64_t begin = 5;
    assert_int_equal(lake_assign(world->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    assert_int_equal(begin, 610);
    close_world(world);
}

/* Tables of before a field was added: they get the column, and what is loaded has it. */
static void test_older_tables(void **state)
{
    if (!have_engine)
        skip();
    struct world *world = open_world();
    struct err err = ERR_INIT;
    struct lake_schema older;
    lake_schema_init(&older, EVENT_WEATHER, LAKE_RAW);
    older.column_count--;
    struct buf text;
    buf_init(&text, 1 << 16);
    lake_schema_glue_table(&older, "s3://lake/raw/weather_data/", &text);
    json_decref(call(world, AWS_GLUE, "UpdateTable",
                     json_pack("{s:s, s:o}", "DatabaseName", "smartcity_raw", "TableInput",
                               json_loads(text.data, 0, NULL))));
    for (int i = 0; i < 3; i++) {
        buf_reset(&text);
        if (!lake_schema_redshift_setup(i, &text))
            lake_schema_redshift_ddl(&older, &text);
        json_t *started = call(
            world, AWS_REDSHIFT_DATA, "ExecuteStatement",
            json_pack("{s:s, s:s, s:s}", "Sql", text.data, "WorkgroupName", "smartcity", "Database", "dev"));
        wait_work(world, AWS_REDSHIFT_DATA, "DescribeStatement", "Id", aws_json_text(started, "Id"));
        json_decref(started);
    }
    buf_free(&text);
    bool made = false;
    assert_int_equal(lake_prepare(world->lake, &made, &err), 0);
    assert_true(made);
    assert_int_equal(lake_prepare(world->lake, &made, &err), 0);
    assert_false(made);
    offer(world, EVENT_WEATHER, 0, 50);
    flush(world);
    run_step(world, LEDGER_LOADED);
    assert_int_equal(athena(world, "SELECT count(*) FROM weather_data WHERE road_surface IS NULL"), 50);
    assert_int_equal(
        redshift(world, "SELECT count(*) FROM smartcity.weather_data WHERE road_surface IS NULL"), 50);
    close_world(world);
}

static int look_for_engine(void **state)
{
    struct err err = ERR_INIT;
    struct duck_settings settings = {0};
    struct duck_db *db = duck_open(&settings, &err);
    have_engine = db != NULL;
    duck_close(db);
    return have_engine || err.kind == ERR_NOT_FOUND ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_the_way), cmocka_unit_test(test_faults),
                                       cmocka_unit_test(test_older_tables)};
    return cmocka_run_group_tests_name("lake on the local cloud", tests, look_for_engine, NULL);
}
