/*
 * Records to Parquet: decoding into columns, and DuckDB's file out of them; beside a bare COPY of DuckDB's of
 * the same rows from a table of its own. Then both at once, each on a thread of its own, as the lake does it.
 *
 * Prints lines `name  value unit  ratio-to-peer`. Without DuckDB only the first.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/queue.h"
#include "base/text.h"
#include "base/worker.h"
#include "lake/parquet.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define RECORDS 20000u /* different ones; a batch takes them several times */
#define BATCH   70000u /* rows: about as much as the lake holds of one partition */
#define BATCHES 36

struct bench {
    struct record_batch *records;
    struct buf text;
    struct lake_schema schema;
    struct event *event;
    struct queue *queue;
    struct lake_writer *writer;
    char folder[64];
};

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void take_event(void *context, const struct event *event)
{
    struct bench *bench = context;
    if (event->kind != EVENT_VEHICLE || bench->records->count == RECORDS)
        return;
    buf_reset(&bench->text);
    codec_encode(event, &bench->text);
    struct record record = {.kind = EVENT_VEHICLE,
                            .offset = (int64_t)bench->records->count,
                            .timestamp = event->timestamp,
                            .key = event->device_id,
                            .key_length = strlen(event->device_id),
                            .value = bench->text.data,
                            .value_length = bench->text.length};
    record_batch_add(bench->records, &record);
}

static void make_records(struct bench *bench)
{
    struct world_settings settings;
    struct err err = ERR_INIT;
    world_settings_init(&settings);
    settings.vehicles = 10000;
    settings.demand = 0;
    settings.camera_frames = false;
    struct world *world = world_create(&settings, &err);
    if (!world)
        stop("world", err.text);
    bench->records = record_batch_create(RECORDS, RECORDS * 900ul);
    buf_init(&bench->text, 1 << 16);
    while (bench->records->count < RECORDS)
        world_step(world, take_event, bench);
    world_destroy(world);
}

static struct lake_batch *decode(struct bench *bench)
{
    struct lake_batch *batch = lake_batch_create(&bench->schema, "", 0, 0, 0);
    for (uint32_t i = 0; i < BATCH; i++) {
        struct record record = bench->records->records[i % RECORDS];
        record.offset = i;
        if (lake_batch_add(batch, &record, bench->event) != LAKE_ADDED)
            stop("decode", "a record was not taken");
    }
    return batch;
}

static void write_batch(struct bench *bench, const struct lake_batch *batch)
{
    struct err err = ERR_INIT;
    struct lake_file files[LAKE_DAYS_MAX];
    size_t count;
    if (lake_parquet_write(bench->writer, batch, files, &count, &err) != 0)
        stop("Parquet", err.text);
    for (size_t i = 0; i < count; i++)
        unlink(files[i].path);
}

static void run_writer(void *context)
{
    struct bench *bench = context;
    struct lake_batch *batch;
    while ((batch = queue_pop(bench->queue, -1)) != NULL) {
        write_batch(bench, batch);
        lake_batch_destroy(batch);
    }
}

static double seconds(int64_t from_us)
{
    return (double)(clock_mono_us() - from_us) / 1e6;
}

/* Rows a second. */
static double run_both(struct bench *bench)
{
    struct err err = ERR_INIT;
    bench->queue = queue_create(1, NULL);
    struct worker *worker = worker_start("writer", run_writer, bench, &err);
    if (!worker)
        stop("thread", err.text);
    int64_t start = clock_mono_us();
    for (int i = 0; i < BATCHES; i++)
        queue_push(bench->queue, decode(bench), -1);
    queue_close(bench->queue);
    worker_join(worker);
    double rate = (double)BATCH * BATCHES / seconds(start);
    queue_destroy(bench->queue);
    return rate;
}

static double run_files(struct bench *bench, const struct lake_batch *batch)
{
    int64_t start = clock_mono_us();
    for (int i = 0; i < BATCHES; i++)
        write_batch(bench, batch);
    return (double)BATCH * BATCHES / seconds(start);
}

/* The same rows in a table of DuckDB's, copied by one thread with its own settings. */
static double run_peer(struct bench *bench, const struct lake_batch *batch)
{
    struct err err = ERR_INIT;
    const char *folders[] = {bench->folder};
    struct duck_settings settings = {
        .folders = folders, .folder_count = 1, .threads = 1, .memory_bytes = 1ull << 30};
    struct duck_db *db = duck_open(&settings, &err);
    struct duck_connection *connection = db ? duck_connect(db, &err) : NULL;
    struct duck_source *source = connection ? duck_source_register(connection, "rows", &err) : NULL;
    if (!source)
        stop("peer", err.text);
    struct duck_source_column columns[LAKE_COLUMNS_MAX];
    for (size_t i = 0; i < bench->schema.column_count; i++)
        columns[i] = (struct duck_source_column){bench->schema.columns[i].name,
                                                 lake_type_duck(bench->schema.columns[i].type)};
    struct lake_order order;
    lake_order_init(&order, batch);
    struct lake_reader reader = {.batch = batch, .order = &order, .to = batch->rows};
    duck_source_set(source, columns, bench->schema.column_count, batch->rows, lake_reader_read, &reader);
    if (duck_exec(connection, "CREATE TABLE t AS SELECT * FROM rows()", &err) != 0)
        stop("peer", err.text);
    char path[100], sql[200];
    snprintf(path, sizeof path, "%s/peer.parquet", bench->folder);
    snprintf(sql, sizeof sql, "COPY t TO '%s' (FORMAT parquet, COMPRESSION zstd)", path);
    int64_t start = clock_mono_us();
    for (int i = 0; i < BATCHES; i++)
        if (duck_exec(connection, sql, &err) != 0)
            stop("peer", err.text);
    double rate = (double)BATCH * BATCHES / seconds(start);
    unlink(path);
    duck_disconnect(connection);
    duck_close(db);
    duck_source_destroy(source);
    lake_order_free(&order);
    return rate;
}

int main(void)
{
    static struct bench bench;
    struct err err = ERR_INIT;
    struct rusage usage;
    make_records(&bench);
    lake_schema_init(&bench.schema, EVENT_VEHICLE, LAKE_RAW);
    bench.event = mem_alloc(sizeof *bench.event);

    int64_t start = clock_thread_cpu_us();
    struct lake_batch *batch = decode(&bench);
    double decoding = BATCH / ((double)(clock_thread_cpu_us() - start) / 1e6);
    printf("# vehicle_data, %zu columns, %zu bytes a record, %zu a row in memory\n",
           bench.schema.column_count, bench.records->bytes / bench.records->count,
           batch->bytes / batch->rows);
    printf("decode into columns        %8.0f rows/s/core\n", decoding);

    snprintf(bench.folder, sizeof bench.folder, "/tmp/smartcity-bench-XXXXXX");
    if (!mkdtemp(bench.folder))
        stop("folder", "cannot be made");
    struct lake_engine *engine = lake_engine_create(bench.folder, 0, &err);
    if (!engine) {
        printf("# no Parquet: %s\n", err.text);
        rmdir(bench.folder);
        return 0;
    }
    bench.writer = lake_writer_create(engine, &err);
    if (!bench.writer)
        stop("writer", err.text);
    double both = run_both(&bench);
    double files = run_files(&bench, batch);
    getrusage(RUSAGE_SELF, &usage); /* before the peer needs some */
    double peer = run_peer(&bench, batch);
    printf("DuckDB's COPY of a table   %8.0f rows/s\n", peer);
    printf("columns to Parquet         %8.0f rows/s       %5.2f of DuckDB's COPY\n", files, files / peer);
    printf("decode beside Parquet      %8.0f rows/s       %5.2f of DuckDB's COPY\n", both, both / peer);
    printf("memory at most             %8.0f MB\n", (double)usage.ru_maxrss / 1024);

    lake_batch_destroy(batch);
    lake_writer_destroy(bench.writer);
    lake_engine_destroy(engine);
    record_batch_release(bench.records);
    buf_free(&bench.text);
    free(bench.event);
    rmdir(bench.folder);
    return 0;
}
