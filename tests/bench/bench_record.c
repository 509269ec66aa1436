/*
 * Recording, playing back, seeking and transfer of simulated events with the headers the producer gives them
 * (no camera frames). Peers in the same run: the bare compression of the same bytes in the same portions, and
 * SQLite with a row an event, in transactions of a second, which is what a journey would be without chunks.
 *
 * SMARTCITY_EVENTS: events of the large journey that is sought in, default 2,000,000. It lies in $TMPDIR.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/rng.h"
#include "city/codec.h"
#include "sim/world.h"
#include "sql/sql.h"
#include "store/recorder.h"
#include "store/transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define POOL    60000
#define RATE    20000 /* events a second of journey time in the large journey */
#define PORTION (512u << 10)
#define SEEKS   300

struct bench {
    struct record_batch *pool;
    int64_t *event_ms;
    struct buf text, headers;
    uint64_t bytes;
    char folder[128];
};

static void check(int result, const struct err *err)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void take(void *context, const struct event *event)
{
    struct bench *bench = context;
    size_t i = bench->pool->count;
    if (i == POOL)
        return;
    buf_reset(&bench->text);
    buf_reset(&bench->headers);
    codec_encode(event, &bench->text);
    const struct rng_key key = {.seed = 1, .tick = i};
    uint32_t noise[4];
    char value[64];
    rng_block(&key, noise);
    record_headers_put(&bench->headers, RECORD_HEADER_PRODUCED, value,
                       (size_t)snprintf(value, sizeof value, "%" PRId64, 1768205672000000 + (int64_t)i * 50));
    record_headers_put(&bench->headers, RECORD_HEADER_TRACE, value,
                       (size_t)snprintf(value, sizeof value, "00-%08x%08x%08x%08x-%08x%08x-01", noise[0],
                                        noise[1], noise[2], noise[3], noise[0] ^ noise[1],
                                        noise[2] ^ noise[3]));
    record_headers_put(&bench->headers, RECORD_HEADER_SCHEMA, "1", 1);
    struct record record = {.kind = (int)event->kind,
                            .partition = (int32_t)(noise[0] % 4),
                            .offset = (int64_t)i / 4,
                            .timestamp = 1768205672000,
                            .key = event->device_id,
                            .key_length = strlen(event->device_id),
                            .value = bench->text.data,
                            .value_length = bench->text.length,
                            .headers = (const uint8_t *)bench->headers.data,
                            .headers_length = bench->headers.length};
    if (!record_batch_add(bench->pool, &record))
        return;
    bench->event_ms[i] = event->timestamp;
    bench->bytes += record.key_length + record.value_length + record.headers_length;
}

static void make_pool(struct bench *bench)
{
    struct err err = ERR_INIT;
    struct world_settings settings;
    world_settings_init(&settings);
    settings.vehicles = 2000;
    settings.camera_frames = false;
    struct world *world = world_create(&settings, &err);
    check(world ? 0 : -1, &err);
    bench->pool = record_batch_create(POOL, (size_t)POOL * 1500);
    bench->event_ms = mem_zero(POOL, sizeof *bench->event_ms);
    buf_init(&bench->text, CODEC_MAX_RECORD);
    buf_init(&bench->headers, 4096);
    while (bench->pool->count < POOL)
        world_step(world, take, bench);
    world_destroy(world);
}

/* Event number i of an endless stream: the pool over and over, times going on. */
static struct record nth(const struct bench *bench, uint64_t i, int64_t *event_ms)
{
    struct record record = bench->pool->records[i % POOL];
    record.arrived_us = 1768205672000000 + (int64_t)(i * 1000000 / RATE);
    *event_ms = bench->event_ms[i % POOL] + (int64_t)(i / POOL) * 30000;
    return record;
}

static void line(const char *what, double events_per_s, const char *peer, double peer_events_per_s)
{
    printf("%-34s %10.0f events/s", what, events_per_s);
    if (peer)
        printf("   %6.2f of %s", events_per_s / peer_events_per_s, peer);
    putchar('\n');
}

static double per_second(uint64_t events, int64_t started_us)
{
    return (double)events * 1e6 / (double)(clock_thread_cpu_us() - started_us);
}

/* ---- peers ---- */

/* The same bytes through zstd alone, level 1, in portions like chunks. Sets the speeds of both directions. */
static size_t bare_zstd(const struct bench *bench, double *pack, double *unpack)
{
    char *in = mem_alloc(bench->bytes), *out = mem_alloc(ZSTD_compressBound(PORTION));
    size_t length = 0, portions = 0, packed = 0, *sizes = mem_zero(bench->bytes / PORTION + 1, sizeof *sizes);
    for (size_t i = 0; i < POOL; i++) {
        const struct record *record = &bench->pool->records[i];
        memcpy(in + length, record->key, record->key_length);
        length += record->key_length;
        memcpy(in + length, record->headers, record->headers_length);
        length += record->headers_length;
        memcpy(in + length, record->value, record->value_length);
        length += record->value_length;
    }
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    char *all = mem_alloc(ZSTD_compressBound(bench->bytes) + length / PORTION * 1024);
    int64_t started = clock_thread_cpu_us();
    for (size_t at = 0; at < length; at += PORTION) {
        size_t portion = length - at < PORTION ? length - at : PORTION;
        sizes[portions] =
            ZSTD_compressCCtx(zstd, all + packed, ZSTD_compressBound(PORTION), in + at, portion, 1);
        packed += sizes[portions++];
    }
    *pack = per_second(POOL, started);
    char *back = mem_alloc(PORTION);
    size_t at = 0;
    started = clock_thread_cpu_us();
    for (size_t i = 0; i < portions; at += sizes[i++])
        ZSTD_decompress(back, PORTION, all + at, sizes[i]);
    *unpack = per_second(POOL, started);
    ZSTD_freeCCtx(zstd);
    free(in);
    free(out);
    free(all);
    free(back);
    free(sizes);
    return packed;
}

static double row_an_event(const struct bench *bench, int64_t *bytes)
{
    struct err err = ERR_INIT;
    char path[160];
    snprintf(path, sizeof path, "%s/rows.sqlite", bench->folder);
    struct sql_db *db = sql_open(path, SQL_CREATE, 1000, &err);
    check(db ? 0 : -1, &err);
    check(sql_exec(db,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE event(id INTEGER "
                   "PRIMARY KEY,"
                   " topic, partition, off, timestamp, arrived, event_ms, key, headers, value);"
                   "CREATE INDEX event_arrived ON event(arrived)",
                   &err),
          &err);
    struct sql_statement *insert =
        sql_prepare(db, "INSERT INTO event VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &err);
    int64_t started = clock_thread_cpu_us();
    for (uint64_t i = 0; i < POOL; i++) {
        int64_t event_ms;
        struct record record = nth(bench, i, &event_ms);
        if (i % RATE == 0)
            check(sql_begin(db, &err), &err);
        sql_bind_int(insert, 1, record.kind);
        sql_bind_int(insert, 2, record.partition);
        sql_bind_int(insert, 3, record.offset);
        sql_bind_int(insert, 4, record.timestamp);
        sql_bind_int(insert, 5, record.arrived_us);
        sql_bind_int(insert, 6, event_ms);
        sql_bind_text(insert, 7, record.key, record.key_length);
        sql_bind_blob(insert, 8, record.headers, record.headers_length);
        sql_bind_text(insert, 9, record.value, record.value_length);
        check(sql_run(insert, &err), &err);
        if (i % RATE == RATE - 1 || i == POOL - 1)
            check(sql_commit(db, &err), &err);
    }
    double speed = per_second(POOL, started);
    sql_finalize(insert);
    sql_close(db);
    *bytes = file_size(path);
    remove(path);
    return speed;
}

/* ---- the journey ---- */

/* Writes `events` as the recorder does, with a commit a second of journey time. */
static double write_journey(const struct bench *bench, const char *path, uint64_t events)
{
    struct err err = ERR_INIT;
    struct journey_settings settings = {.path = path, .name = "bench"};
    struct journey_writer *writer = journey_create(&settings, &err);
    check(writer ? 0 : -1, &err);
    int64_t started = clock_thread_cpu_us();
    for (uint64_t i = 0; i < events; i++) {
        int64_t event_ms;
        struct record record = nth(bench, i, &event_ms);
        check(journey_add(writer, &record, event_ms, &err), &err);
        if (i % RATE == RATE - 1)
            check(journey_commit(writer, &err), &err);
    }
    check(journey_close(writer, &err), &err);
    return per_second(events, started);
}

static double read_journey(const char *path)
{
    struct err err = ERR_INIT;
    struct journey_reader *reader = journey_open(path, &err);
    check(reader ? 0 : -1, &err);
    struct record record;
    int64_t event_ms, position_us, started = clock_thread_cpu_us();
    uint64_t count = 0, guard = 0;
    for (; journey_next(reader, &record, &event_ms, &position_us, &err) == 1; count++)
        guard += (unsigned char)record.value[record.value_length / 2];
    double speed = per_second(count, started);
    if (guard == 1)
        puts("");
    journey_reader_close(reader);
    return speed;
}

/* Two threads, as in the console: how fast the source may go before it must wait. Of wall time. */
static double through_recorder(const struct bench *bench, uint64_t events)
{
    struct err err = ERR_INIT;
    char path[160];
    enum { BATCH = 500 };
    snprintf(path, sizeof path, "%s/recorder.sqlite", bench->folder);
    struct journey_settings settings = {.path = path};
    struct log *log = log_create(16);
    struct recorder *recorder = recorder_create(&settings, log, &err);
    check(recorder ? 0 : -1, &err);
    int64_t event_ms[BATCH], started = clock_mono_us();
    for (uint64_t i = 0; i < events; i += BATCH) {
        struct record_batch *batch = record_batch_create(BATCH, BATCH * 1500);
        for (uint64_t n = 0; n < BATCH; n++) {
            struct record record = nth(bench, i + n, &event_ms[n]);
            record_batch_add(batch, &record);
        }
        if (!recorder_put(recorder, batch, event_ms))
            exit(1);
        record_batch_release(batch);
    }
    check(recorder_flush(recorder, 60000000, &err), &err);
    double speed = (double)events * 1e6 / (double)(clock_mono_us() - started);
    recorder_destroy(recorder);
    log_destroy(log);
    remove(path);
    return speed;
}

/* ---- seeking ---- */

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void distribution(const char *what, int64_t *times, size_t count)
{
    qsort(times, count, sizeof *times, compare);
    printf("%-34s p50 %7.2f ms   p99 %7.2f ms   worst %7.2f ms\n", what, (double)times[count / 2] / 1e3,
           (double)times[count * 99 / 100] / 1e3, (double)times[count - 1] / 1e3);
}

static void count_primed(void *context, const struct record *record, int64_t event_ms)
{
    ++*(uint64_t *)context;
}

static void seek(const char *folder, const char *path)
{
    struct err err = ERR_INIT;
    int64_t times[SEEKS];
    struct journey_listing *list;
    size_t count;
    int64_t started = clock_mono_us();
    check(journeys_list(folder, &list, &count, &err), &err);
    printf("%-34s %10.2f ms\n", "list the folder", (double)(clock_mono_us() - started) / 1e3);
    free(list);
    started = clock_mono_us();
    struct journey_reader *reader = journey_open(path, &err);
    check(reader ? 0 : -1, &err);
    printf("%-34s %10.2f ms\n", "open", (double)(clock_mono_us() - started) / 1e3);
    struct journey_info info;
    journey_reader_info(reader, &info);
    for (int way = 0; way < 3; way++) {
        uint64_t primed = 0;
        for (uint32_t i = 0; i < SEEKS; i++) {
            const struct rng_key key = {.seed = 5, .tick = i};
            double at = rng_uniform(&key);
            int64_t position = (int64_t)(at * (double)info.length_us), event_ms, found;
            struct record record;
            started = clock_mono_us();
            if (way == 0)
                check(journey_seek(reader, position, &err), &err);
            else if (way == 1)
                check(journey_seek_event(
                          reader, info.first_ms + (int64_t)(at * (double)(info.last_ms - info.first_ms)),
                          &found, &err),
                      &err);
            else
                check(journey_seek_keyframe(reader, position, count_primed, &primed, &err), &err);
            check(journey_next(reader, &record, &event_ms, &found, &err), &err);
            times[i] = clock_mono_us() - started;
        }
        distribution(way == 0   ? "seek by position"
                     : way == 1 ? "seek by event time"
                                : "seek and prime a model",
                     times, SEEKS);
        if (way == 2)
            printf("%-34s %10" PRIu64 " records a seek, of %u keyframes\n", "", primed / SEEKS,
                   info.keyframes);
    }
    static uint32_t slots[200][EVENT_KIND_COUNT];
    started = clock_mono_us();
    check(journey_histogram(reader, slots, 200, &err), &err);
    printf("%-34s %10.2f ms\n", "histogram for a scrubber", (double)(clock_mono_us() - started) / 1e3);
    journey_reader_close(reader);
}

/* ---- NDJSON ---- */

static void transfer(const struct bench *bench)
{
    struct err err = ERR_INIT;
    struct buf lines, scratch;
    buf_init(&lines, 1 << 30);
    buf_init(&scratch, 1 << 24);
    double speeds[2];
    for (int own = 0; own < 2; own++) {
        buf_reset(&lines);
        int64_t started = clock_thread_cpu_us();
        for (size_t i = 0; i < POOL; i++) {
            if (own)
                transfer_write_own_line(&bench->pool->records[i], bench->event_ms[i], &lines);
            else
                transfer_write_line(&bench->pool->records[i], bench->event_ms[i], &lines);
            buf_char(&lines, '\n');
        }
        speeds[own] = per_second(POOL, started);
    }
    line("write a line of NDJSON", speeds[0], NULL, 0);
    line("  of our own codec", speeds[1], NULL, 0);
    char path[160];
    snprintf(path, sizeof path, "%s/import.sqlite", bench->folder);
    struct journey_settings settings = {.path = path};
    struct journey_writer *writer = journey_create(&settings, &err);
    check(writer ? 0 : -1, &err);
    FILE *in = fmemopen(lines.data, lines.length, "r");
    struct transfer_figures figures;
    int64_t started = clock_thread_cpu_us();
    check(transfer_import(in, writer, &figures, &err), &err);
    line("import", per_second(figures.records, started), NULL, 0);
    fclose(in);
    check(journey_close(writer, &err), &err);
    remove(path);
    buf_free(&lines);
    buf_free(&scratch);
}

int main(void)
{
    struct bench bench = {0};
    struct err err = ERR_INIT;
    const char *temporary = getenv("TMPDIR"), *wanted = getenv("SMARTCITY_EVENTS");
    uint64_t events = wanted ? strtoull(wanted, NULL, 10) : 2000000;
    snprintf(bench.folder, sizeof bench.folder, "%.90s/smartcity-bench-XXXXXX",
             temporary ? temporary : "/tmp");
    if (!mkdtemp(bench.folder)) {
        perror(bench.folder);
        return 1;
    }
    make_pool(&bench);
    printf("events of %" PRIu64 " bytes: key, headers and value\n", bench.bytes / POOL);

    char path[160];
    double pack, unpack, rows;
    int64_t row_bytes;
    size_t bare_bytes = bare_zstd(&bench, &pack, &unpack);
    rows = row_an_event(&bench, &row_bytes);
    snprintf(path, sizeof path, "%s/small.sqlite", bench.folder);
    double written = write_journey(&bench, path, POOL * 5);
    line("record, one core", written, "bare zstd -1", pack);
    line("", written, "a row an event", rows);
    printf("%-34s %10.0f events/s   of wall time, both threads\n", "  through the recorder",
           through_recorder(&bench, POOL * 5));
    line("play as fast as possible", read_journey(path), "bare zstd", unpack);
    int64_t bytes = file_size(path);
    printf("%-34s %10.1f bytes/event   %6.2f of bare zstd -1, %.2f of a row an event, %.2f of the payload\n",
           "size", (double)bytes / (POOL * 5), (double)bytes / 5 / (double)bare_bytes,
           (double)bytes / 5 / (double)row_bytes, (double)bytes / 5 / (double)bench.bytes);
    remove(path);
    transfer(&bench);

    snprintf(path, sizeof path, "%s/large.sqlite", bench.folder);
    write_journey(&bench, path, events);
    printf("a journey of %" PRIu64 " events, %.0f MB\n", events, (double)file_size(path) / 1e6);
    seek(bench.folder, path);
    check(journeys_delete(path, &err), &err);
    remove(bench.folder);
    record_batch_release(bench.pool);
    free(bench.event_ms);
    buf_free(&bench.text);
    buf_free(&bench.headers);
    return 0;
}
