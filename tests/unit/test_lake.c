/*
 * The lake writer against S3 in memory: each record lands once, whatever fails at whichever call, wherever
 * the program is killed, and whoever else writes. Skipped without DuckDB (make duckdb).
 */
#include "base/clock.h"
#include "base/text.h"
#include "lake/lake.h"
#include "tests/support/fake_remote.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define MORNING  INT64_C(1768205672000) /* 2026-01-12T08:14:32Z */
#define PATIENCE 20000000

struct rig {
    char folder[64], spool[80], out[80];
    struct fake_remote *fake;
    struct lake *lake;
    pthread_mutex_t mutex;
    int64_t committed[4]; /* weather_data, a partition; -1 none */
    uint64_t landed;
    struct lake_settings settings;
};

static struct lake_figures figures;
static bool have_engine;

static void on_commit(void *context, enum event_kind kind, int32_t partition, int64_t end)
{
    struct rig *rig = context;
    pthread_mutex_lock(&rig->mutex);
    if (kind == EVENT_WEATHER && end > rig->committed[partition])
        rig->committed[partition] = end;
    pthread_mutex_unlock(&rig->mutex);
}

static void on_landed(void *context, const struct lake_intent *intent, bool recovered)
{
    struct rig *rig = context;
    pthread_mutex_lock(&rig->mutex);
    rig->landed++;
    pthread_mutex_unlock(&rig->mutex);
}

static int64_t committed(struct rig *rig, int partition)
{
    pthread_mutex_lock(&rig->mutex);
    int64_t end = rig->committed[partition];
    pthread_mutex_unlock(&rig->mutex);
    return end;
}

static void start(struct rig *rig)
{
    struct err err = ERR_INIT;
    rig->settings.remote = &rig->fake->remote;
    rig->settings.spool_folder = rig->spool;
    rig->settings.on_commit = on_commit;
    rig->settings.on_landed = on_landed;
    rig->settings.context = rig;
    rig->lake = lake_create(&rig->settings, &err);
    if (!rig->lake)
        fail_msg("%s", err.text);
}

static void stop(struct rig *rig)
{
    lake_destroy(rig->lake);
    rig->lake = NULL;
}

static struct rig *open_rig(void)
{
    struct rig *rig = mem_zero(1, sizeof *rig);
    snprintf(rig->folder, sizeof rig->folder, "/tmp/smartcity-test-XXXXXX");
    if (!mkdtemp(rig->folder))
        fail_msg("no folder");
    snprintf(rig->spool, sizeof rig->spool, "%s/spool", rig->folder);
    snprintf(rig->out, sizeof rig->out, "%s/out", rig->folder);
    struct err err = ERR_INIT;
    assert_int_equal(file_make_dirs(rig->out, &err), 0);
    pthread_mutex_init(&rig->mutex, NULL);
    for (int i = 0; i < 4; i++)
        rig->committed[i] = -1;
    rig->fake = fake_remote_create();
    rig->settings = (struct lake_settings){.batch_age_us = INT64_C(3600000000)};
    return rig;
}

static void close_rig(struct rig *rig)
{
    stop(rig);
    fake_remote_destroy(rig->fake);
    pthread_mutex_destroy(&rig->mutex);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", rig->folder);
    assert_int_equal(system(command), 0);
    free(rig);
}

/* Weather of offsets [from, to) of a partition; every 10th cannot be read. */
static struct record_batch *weather(int partition, int64_t from, int64_t to)
{
    struct record_batch *batch = record_batch_create((size_t)(to - from), (size_t)(to - from) * 200 + 1);
    for (int64_t offset = from; offset < to; offset++) {
        char text[160], time[TEXT_TIME_SIZE];
        if (offset % 10 == 9)
            snprintf(text, sizeof text, "no JSON");
        else
            snprintf(text, sizeof text, "{\"deviceId\":\"ws-%d\",\"timestamp\":\"%s\",\"temperature\":%d}",
                     (int)(offset % 5), text_time(time, MORNING + offset * 1000), (int)(offset % 30));
        struct record record = {.kind = EVENT_WEATHER,
                                .partition = partition,
                                .offset = offset,
                                .timestamp = MORNING,
                                .value = text,
                                .value_length = strlen(text)};
        assert_true(record_batch_add(batch, &record));
    }
    return batch;
}

static void offer(struct rig *rig, int partition, int64_t from, int64_t to)
{
    if (from >= to)
        return;
    struct record_batch *batch = weather(partition, from, to);
    assert_true(lake_offer(rig->lake, batch, PATIENCE));
    record_batch_release(batch);
}

static void flush(struct rig *rig)
{
    struct err err = ERR_INIT;
    struct lake_flushed flushed;
    uint64_t ticket = lake_flush(rig->lake, -1);
    int64_t until = clock_mono_us() + PATIENCE;
    while (lake_flush_wait(rig->lake, ticket, 5000, &flushed, &err) != 0) {
        if (err.kind != ERR_BUSY || clock_mono_us() > until)
            fail_msg("%s", err.text);
        lake_retry(rig->lake);
    }
    assert_true(flushed.done);
}

static int64_t ask(struct rig *rig, const char *select)
{
    struct err err = ERR_INIT;
    const char *folders[] = {rig->out};
    struct duck_settings settings = {.folders = folders, .folder_count = 1};
    struct duck_db *db = duck_open(&settings, &err);
    struct duck_connection *connection = duck_connect(db, &err);
    char sql[400];
    snprintf(sql, sizeof sql, "SELECT %s FROM read_parquet('%s/*.parquet')", select, rig->out);
    struct duck_statement *statement = duck_prepare(connection, sql, &err);
    if (!statement || duck_step(statement, &err) != 1)
        fail_msg("%s", err.text);
    int64_t value = duck_int(duck_column(statement, 0));
    duck_finalize(statement);
    duck_disconnect(connection);
    duck_close(db);
    return value;
}

static size_t export(struct rig *rig, const char *prefix)
{
    char command[160];
    snprintf(command, sizeof command, "rm -f '%s'/*.parquet", rig->out);
    assert_int_equal(system(command), 0);
    return fake_remote_export(rig->fake, prefix, ".parquet", rig->out);
}

/* Offsets [0, count) of partition 0 are there, each once: as a row, or in the quarantine. */
static void check_once(struct rig *rig, int64_t count)
{
    assert_true(export(rig, "raw/weather_data/") > 0);
    int64_t bad = count / 10;
    assert_int_equal(ask(rig, "count(*)"), count - bad);
    assert_int_equal(ask(rig, "count(DISTINCT _kafka_offset)"), count - bad);
    assert_int_equal(ask(rig, "max(_kafka_offset)") < count, 1);
    int64_t lines = 0;
    for (size_t i = 0; i < rig->fake->count; i++)
        if (strncmp(rig->fake->objects[i].key, "quarantine/", 11) == 0)
            for (const char *at = rig->fake->objects[i].bytes; *at; at++)
                lines += *at == '\n';
    assert_int_equal(lines, bad);
    for (size_t i = 0; i < rig->fake->count; i++)
        assert_int_equal(rig->fake->objects[i].writes, 1); /* nothing was ever overwritten */
    assert_int_equal(committed(rig, 0), count);
}

static void test_lands(void **state)
{
    if (!have_engine)
        skip();
    struct rig *rig = open_rig();
    struct err err = ERR_INIT;
    start(rig);
    int64_t begin = -1;
    assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    assert_int_equal(begin, -1);
    offer(rig, 0, 0, 60);
    offer(rig, 0, 60, 100);
    flush(rig);
    check_once(rig, 100);
    assert_string_equal(fake_remote_partition(rig->fake, "smartcity_raw.weather_data/2026-01-12"),
                        "s3://lake/raw/weather_data/dt=2026-01-12/");
    const struct fake_object *object =
        fake_remote_find(rig->fake, "_sink/weather_data/0/00000000000000000000.json");
    assert_non_null(object);
    struct lake_intent intent;
    assert_int_equal(lake_intent_read(&intent, object->key, object->bytes, (size_t)object->length, &err), 0);
    assert_int_equal(intent.key.end, 100);
    assert_int_equal(intent.rows, 90);
    assert_int_equal(intent.file_count, 1);
    lake_intent_free(&intent);

    lake_figures(rig->lake, &figures);
    assert_int_equal(figures.kinds[EVENT_WEATHER].taken, 100);
    assert_int_equal(figures.kinds[EVENT_WEATHER].rows, 90);
    assert_int_equal(figures.kinds[EVENT_WEATHER].quarantined, 10);
    assert_int_equal(figures.kinds[EVENT_WEATHER].waiting, 0);
    assert_int_equal(figures.memory_bytes, 0);
    assert_int_equal(figures.spool_bytes, 0);
    assert_int_equal(figures.recent_count, 1);
    assert_int_equal(figures.recent[0].state, LAKE_BATCH_LANDED);
    assert_int_equal(figures.partitions[0].landed_end, 100);

    /* What is offered twice is taken once; a gap belongs to the batch. */
    offer(rig, 0, 50, 120);
    offer(rig, 0, 130, 140);
    flush(rig);
    lake_figures(rig->lake, &figures);
    assert_int_equal(figures.kinds[EVENT_WEATHER].repeated, 50);
    assert_int_equal(figures.kinds[EVENT_WEATHER].missing, 10);
    assert_int_equal(committed(rig, 0), 140);
    stop(rig);

    start(rig);
    begin = -1;
    assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    assert_int_equal(begin, 140); /* S3 knows, though Kafka was told nothing */
    begin = 100;
    assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    assert_int_equal(begin, 140);
    close_rig(rig);
}

static void test_every_call_fails_once(void **state)
{
    if (!have_engine)
        skip();
    static const enum fake_fault faults[] = {FAKE_REFUSED, FAKE_LOST, FAKE_CONFLICT};
    for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
        bool reached = true;
        for (uint64_t at = 1; reached && at < 40; at++) {
            struct rig *rig = open_rig();
            struct err err = ERR_INIT;
            int64_t begin = -1;
            start(rig);
            assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
            fake_remote_fault(rig->fake, faults[f], at);
            offer(rig, 0, 0, 40);
            flush(rig);
            offer(rig, 0, 40, 70);
            flush(rig);
            reached = rig->fake->calls >= at;
            check_once(rig, 70);
            close_rig(rig);
        }
        assert_false(reached);
    }
}

/* From the call `at` on nothing is done: the program is dead. The next run begins as a consumer does. False:
 * all was done before. */
static bool kill_at(uint64_t at, int64_t before)
{
    struct rig *rig = open_rig();
    struct err err = ERR_INIT;
    int64_t begin = -1;
    start(rig);
    assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    offer(rig, 0, 0, before);
    if (before > 0)
        flush(rig);
    fake_remote_fault(rig->fake, FAKE_DEAD, at);
    offer(rig, 0, before, 70);
    lake_flush(rig->lake, -1);
    for (int64_t until = clock_mono_us() + PATIENCE; clock_mono_us() < until && committed(rig, 0) < 70;) {
        pthread_mutex_lock(&rig->fake->mutex);
        bool dead = rig->fake->calls >= at;
        pthread_mutex_unlock(&rig->fake->mutex);
        if (dead)
            break;
    }
    bool reached = committed(rig, 0) < 70;
    stop(rig);

    fake_remote_revive(rig->fake);
    start(rig);
    begin = committed(rig, 0);
    assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    assert_true(begin == (before > 0 ? before : -1) || begin == 0 || begin == 70);
    if (begin == 70) /* what the dead one had landed is to be seen, also when nothing comes any more */
        assert_string_equal(fake_remote_partition(rig->fake, "smartcity_raw.weather_data/2026-01-12"),
                            "s3://lake/raw/weather_data/dt=2026-01-12/");
    offer(rig, 0, begin < 0 ? 0 : begin,
          100); /* more has come meanwhile: the end of the redone batch is fixed */
    flush(rig);
    flush(rig);
    check_once(rig, 100);
    close_rig(rig);
    return reached;
}

static void test_killed_after_every_call(void **state)
{
    if (!have_engine)
        skip();
    for (int64_t before = 0; before <= 40; before += 40) {
        uint64_t at = 1;
        while (at < 40 && kill_at(at, before))
            at++;
        assert_true(at > 3 && at < 40);
    }
}

static void test_second_writer_is_fenced(void **state)
{
    if (!have_engine)
        skip();
    struct rig *rig = open_rig(), *other = open_rig();
    struct err err = ERR_INIT;
    struct fake_remote *spare = other->fake;
    other->fake = rig->fake;
    int64_t begin = -1;
    start(rig);
    start(other);
    assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    begin = -1;
    assert_int_equal(lake_assign(other->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    offer(rig, 0, 0, 40);
    offer(other, 0, 0, 50);
    flush(rig);
    struct lake_flushed flushed;
    assert_int_equal(lake_flush_wait(other->lake, lake_flush(other->lake, -1), PATIENCE, &flushed, &err), -1);
    assert_int_equal(err.kind, ERR_REMOTE);
    assert_true(flushed.failed);
    lake_figures(other->lake, &figures);
    assert_int_equal(figures.partitions[0].state, LAKE_PARTITION_FENCED);
    assert_int_equal(figures.fenced, 1);
    assert_int_equal(committed(other, 0), -1);
    offer(other, 0, 50, 60); /* goes nowhere, and is counted */
    lake_flush_wait(other->lake, lake_flush(other->lake, -1), PATIENCE, &flushed, &err);
    lake_figures(other->lake, &figures);
    assert_int_equal(figures.kinds[EVENT_WEATHER].refused, 10);

    /* Assigned anew it goes on behind the first, which is then fenced itself. */
    begin = -1;
    assert_int_equal(lake_assign(other->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    assert_int_equal(begin, 40);
    offer(other, 0, 40, 70);
    flush(other);
    offer(rig, 0, 40, 60);
    assert_int_equal(lake_flush_wait(rig->lake, lake_flush(rig->lake, -1), PATIENCE, &flushed, &err), -1);
    check_once(other, 70);
    stop(rig);
    stop(other);
    rig->fake = spare;
    close_rig(rig);
    close_rig(other);
}

static void test_paused_and_full(void **state)
{
    if (!have_engine)
        skip();
    struct rig *rig = open_rig();
    rig->settings.batch_rows = 100;
    rig->settings.paused = true;
    rig->settings.memory_bytes = 256 << 10;
    start(rig);
    int64_t next = 0;
    struct record_batch *batch;
    for (;;) { /* until the source would be paused */
        batch = weather(0, next, next + 100);
        bool taken = lake_offer(rig->lake, batch, 300000);
        record_batch_release(batch);
        if (!taken)
            break;
        next += 100;
        assert_true(next < 100000);
    }
    lake_figures(rig->lake, &figures);
    assert_true(figures.blocked);
    assert_int_equal(figures.batches, 0);
    assert_true(figures.memory_bytes <= (256 << 10));
    assert_true(figures.open_rows > 0);
    lake_pause(rig->lake, false);
    flush(rig);
    lake_figures(rig->lake, &figures);
    assert_true(figures.batches > 1);
    assert_false(figures.blocked);
    check_once(rig, next);
    close_rig(rig);
}

static void test_spool_when_s3_is_away(void **state)
{
    if (!have_engine)
        skip();
    struct rig *rig = open_rig();
    rig->settings.batch_rows = 200;
    rig->settings.memory_bytes = 512 << 10;
    rig->settings.spool_bytes = 64 << 10;
    start(rig);
    fake_remote_set_away(rig->fake, true);
    int64_t next = 0;
    for (;;) {
        struct record_batch *batch = weather(0, next, next + 100);
        bool taken = lake_offer(rig->lake, batch, 500000);
        record_batch_release(batch);
        if (!taken)
            break;
        next += 100;
        assert_true(next < 1000000);
    }
    lake_figures(rig->lake, &figures);
    assert_true(figures.blocked);
    assert_true(figures.spool_bytes >= (64 << 10));
    assert_true(figures.spool_bytes < (128 << 10));
    assert_true(figures.problem[0] != '\0');
    assert_int_equal(figures.batches, 0);
    fake_remote_set_away(rig->fake, false);
    flush(rig);
    check_once(rig, next);
    lake_figures(rig->lake, &figures);
    assert_string_equal(figures.problem, "");
    close_rig(rig);
}

static void test_foreign_content_is_not_overwritten(void **state)
{
    if (!have_engine)
        skip();
    struct rig *rig = open_rig();
    struct err err = ERR_INIT;
    start(rig);
    const char *key = "raw/weather_data/dt=2026-01-12/0-00000000000000000000-00000000000000000020.parquet";
    enum lake_put_end end;
    struct lake_put put = {.key = key, .bytes = "PAR1 not", .length = 8};
    assert_int_equal(rig->fake->remote.put(rig->fake, &put, &end, &err), 0);
    offer(rig, 0, 0, 20);
    struct lake_flushed flushed;
    uint64_t ticket = lake_flush(rig->lake, -1);
    for (int64_t until = clock_mono_us() + PATIENCE; clock_mono_us() < until;) {
        assert_int_equal(lake_flush_wait(rig->lake, ticket, 10000, &flushed, &err), -1);
        lake_figures(rig->lake, &figures);
        if (figures.faults > 0)
            break;
    }
    assert_int_equal(figures.faults, 1);
    assert_int_equal(figures.partitions[0].state, LAKE_PARTITION_FAULT);
    assert_int_equal(committed(rig, 0), -1);
    assert_memory_equal(fake_remote_find(rig->fake, key)->bytes, "PAR1 not", 8);
    close_rig(rig);
}

static void test_revoked_is_forgotten(void **state)
{
    if (!have_engine)
        skip();
    struct rig *rig = open_rig();
    struct err err = ERR_INIT;
    start(rig);
    int64_t begin = -1;
    assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    offer(rig, 0, 0, 20);
    lake_revoke(rig->lake, EVENT_WEATHER, 0);
    flush(rig);
    assert_int_equal(fake_remote_count(rig->fake, ""), 0);
    lake_figures(rig->lake, &figures);
    assert_int_equal(figures.kinds[EVENT_WEATHER].returned, 20);
    begin = -1;
    assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    offer(rig, 0, 0, 30);
    flush(rig);
    check_once(rig, 30);
    close_rig(rig);
}

static void test_closes_by_rows_and_age(void **state)
{
    if (!have_engine)
        skip();
    struct rig *rig = open_rig();
    struct err err = ERR_INIT;
    rig->settings.batch_rows = 90;
    start(rig);
    offer(rig, 0, 0, 250); /* two full ones and a rest, by rows that can be read */
    for (int64_t until = clock_mono_us() + PATIENCE; committed(rig, 0) < 199 && clock_mono_us() < until;)
        lake_figures(rig->lake, &figures);
    assert_true(committed(rig, 0) < 250);
    lake_set_limits(rig->lake, 0, 0, 1000);
    for (int64_t until = clock_mono_us() + PATIENCE; committed(rig, 0) < 250 && clock_mono_us() < until;)
        lake_figures(rig->lake, &figures);
    check_once(rig, 250);
    assert_int_equal(fake_remote_count(rig->fake, "_sink/"), 3);
    assert_int_equal(rig->landed, 3);

    struct lake_compacted compacted;
    assert_int_equal(lake_compact(rig->lake, EVENT_WEATHER, "2026-01-12", true, &compacted, &err), 0);
    assert_int_equal(compacted.files, 3);
    assert_false(compacted.done);
    if (lake_compact(rig->lake, EVENT_WEATHER, "2026-01-12", false, &compacted, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(compacted.done);
    assert_int_equal(compacted.rows, 225);
    assert_string_equal(fake_remote_partition(rig->fake, "smartcity_raw.weather_data/2026-01-12"),
                        compacted.location);
    assert_int_equal(export(rig, "compact/"), 1);
    assert_int_equal(ask(rig, "count(DISTINCT _kafka_offset)"), 225);

    /* What comes late is seen: the partition is where everything is. */
    offer(rig, 0, 250, 260);
    flush(rig);
    assert_string_equal(fake_remote_partition(rig->fake, "smartcity_raw.weather_data/2026-01-12"),
                        "s3://lake/raw/weather_data/dt=2026-01-12/");
    check_once(rig, 260);
    assert_int_equal(lake_compact(rig->lake, EVENT_WEATHER, "../../etc", false, &compacted, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    close_rig(rig);
}

/* An intent of a run that died, whose records Kafka does not hold any more: said, counted, and gone past. */
static void test_redo_of_what_is_gone(void **state)
{
    if (!have_engine)
        skip();
    struct rig *rig = open_rig();
    struct err err = ERR_INIT;
    start(rig);
    offer(rig, 0, 0, 40);
    flush(rig);
    fake_remote_fault(rig->fake, FAKE_DEAD, 2); /* behind the intent */
    offer(rig, 0, 40, 60);
    lake_flush(rig->lake, -1);
    assert_true(fake_remote_wait_calls(rig->fake, 2));
    stop(rig);
    fake_remote_revive(rig->fake);
    start(rig);
    int64_t begin = 40;
    assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    assert_int_equal(begin, 40);
    lake_figures(rig->lake, &figures);
    assert_int_equal(figures.partitions[0].state, LAKE_PARTITION_REDO);
    offer(rig, 0, 100, 120);
    flush(rig);
    lake_figures(rig->lake, &figures);
    assert_int_equal(figures.partitions[0].state, LAKE_PARTITION_OPEN);
    assert_int_equal(figures.kinds[EVENT_WEATHER].missing, 60); /* 20 begun, 40 never seen */
    assert_int_equal(committed(rig, 0), 120);
    assert_int_equal(export(rig, "raw/"), 2);
    assert_int_equal(ask(rig, "count(*)"), 36 + 18);

    /* Of another only the end is left: that much is landed, under the names of the intent. */
    fake_remote_fault(rig->fake, FAKE_DEAD, 2);
    offer(rig, 0, 120, 140);
    lake_flush(rig->lake, -1);
    assert_true(fake_remote_wait_calls(rig->fake, 2));
    stop(rig);
    fake_remote_revive(rig->fake);
    start(rig);
    begin = 120;
    assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    offer(rig, 0, 130, 150);
    flush(rig);
    assert_int_equal(committed(rig, 0), 150);
    assert_non_null(fake_remote_find(
        rig->fake, "raw/weather_data/dt=2026-01-12/0-00000000000000000120-00000000000000000140.parquet"));
    assert_int_equal(export(rig, "raw/"), 4);
    assert_int_equal(ask(rig, "count(*)"), 36 + 18 + 9 + 9);
    close_rig(rig);
}

static void test_nothing_can_be_read(void **state)
{
    if (!have_engine)
        skip();
    struct rig *rig = open_rig();
    struct err err = ERR_INIT;
    start(rig);
    struct record_batch *batch = record_batch_create(3, 100);
    for (int i = 0; i < 3; i++) {
        struct record record = {.kind = EVENT_WEATHER, .offset = i, .value = "no", .value_length = 2};
        record_batch_add(batch, &record);
    }
    assert_true(lake_offer(rig->lake, batch, PATIENCE));
    record_batch_release(batch);
    flush(rig);
    assert_int_equal(committed(rig, 0), 3);
    assert_int_equal(fake_remote_count(rig->fake, "raw/"), 0);
    assert_int_equal(fake_remote_count(rig->fake, "quarantine/weather_data/"), 1);
    stop(rig);
    start(rig);
    int64_t begin = -1;
    assert_int_equal(lake_assign(rig->lake, EVENT_WEATHER, 0, &begin, &err), 0);
    assert_int_equal(begin, 3);
    close_rig(rig);
}

/* No file can grow: as on a disk that is full. When there is room again everything lands. */
static void test_full_disk(void **state)
{
    if (!have_engine)
        skip();
    struct rig *rig = open_rig();
    start(rig);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 100;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    offer(rig, 0, 0, 100);
    uint64_t ticket = lake_flush(rig->lake, -1);
    bool said = false;
    for (int64_t until = clock_mono_us() + PATIENCE; !said && clock_mono_us() < until;) {
        lake_figures(rig->lake, &figures);
        said = figures.problem[0] != '\0';
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(said);
    assert_int_equal(committed(rig, 0), -1);
    struct lake_flushed flushed;
    struct err err = ERR_INIT;
    lake_retry(rig->lake);
    assert_int_equal(lake_flush_wait(rig->lake, ticket, PATIENCE, &flushed, &err), 0);
    check_once(rig, 100);
    close_rig(rig);
}

static void test_one_lake_a_spool(void **state)
{
    if (!have_engine)
        skip();
    struct rig *rig = open_rig();
    struct err err = ERR_INIT;
    start(rig);
    assert_null(lake_create(&rig->settings, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    rig->settings.cluster = "Not Good";
    assert_null(lake_create(&rig->settings, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    close_rig(rig);
}

static void test_hostile_intents(void **state)
{
    static const char *const texts[] = {"",
                                        "{}",
                                        "[]",
                                        "{\"version\":1}",
                                        "{\"version\":1,\"topic\":\"gps_data\",\"cluster\":\"\","
                                        "\"partition\":0,\"start\":5,\"end\":4,\"rows\":0,"
                                        "\"data\":[]}",
                                        "{\"version\":1,\"topic\":\"gps_data\",\"cluster\":\"\","
                                        "\"partition\":0,\"start\":0,\"end\":4,\"rows\":0,"
                                        "\"data\":[{\"key\":\"../x\",\"rows\":1,\"bytes\":1}]}",
                                        "{\"version\":1,\"topic\":\"gps_data\",\"cluster\":\"../"
                                        "\",\"partition\":0,\"start\":0,\"end\":4,\"rows\":0,"
                                        "\"data\":[]}",
                                        "{\"version\":1,\"topic\":\"gps_data\",\"cluster\":\"\","
                                        "\"partition\":1,\"start\":0,\"end\":4,\"rows\":0,"
                                        "\"data\":[]}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct lake_intent intent;
        struct err err = ERR_INIT;
        assert_int_equal(lake_intent_read(&intent, "_sink/gps_data/0/00000000000000000000.json", texts[i],
                                          strlen(texts[i]), &err),
                         -1);
        assert_int_equal(err.kind, ERR_CORRUPT);
        lake_intent_free(&intent);
    }
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lands),
        cmocka_unit_test(test_every_call_fails_once),
        cmocka_unit_test(test_killed_after_every_call),
        cmocka_unit_test(test_second_writer_is_fenced),
        cmocka_unit_test(test_paused_and_full),
        cmocka_unit_test(test_spool_when_s3_is_away),
        cmocka_unit_test(test_foreign_content_is_not_overwritten),
        cmocka_unit_test(test_revoked_is_forgotten),
        cmocka_unit_test(test_closes_by_rows_and_age),
        cmocka_unit_test(test_redo_of_what_is_gone),
        cmocka_unit_test(test_nothing_can_be_read),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_one_lake_a_spool),
        cmocka_unit_test(test_hostile_intents),
    };
    return cmocka_run_group_tests_name("lake", tests, look_for_engine, NULL);
}
