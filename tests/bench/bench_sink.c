/*
 * Kafka to Parquet in S3: what lies in a broker is consumed, decoded, written as Parquet and put into the
 * local cloud's S3 through the AWS client, with intents and commits, as `sink` does it; broker and cloud are
 * in this process and count. Beside it a bare loop that consumes the same records and looks at none of them.
 * Then how long a flush of 100,000 rows takes. The broker is a mock cluster with many partitions, since each
 * keeps 5 MiB.
 *
 * SMARTCITY_ROUNDS: how often all of it is read, default 3. Without DuckDB nothing.
 */
#include "app/sink.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "sim/world.h"
#include "stream/producer.h"
#include "tests/support/aws_rig.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS     900000u
#define PARTITIONS 32 /* of vehicle_data and of gps_data: room for more than that, by 17,000 a partition */
#define FLUSHED    100000u

struct bench {
    struct kafka_settings kafka;
    struct producer *producer;
    struct aws_rig rig;
    uint64_t count, limit;
};

static struct lake_figures figures;

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void send_event(void *context, const struct event *event)
{
    struct bench *bench = context;
    struct err err = ERR_INIT;
    if (bench->count >= bench->limit)
        return;
    if (producer_send(bench->producer, event, 10000000, &err) != 0)
        stop("producer", err.text);
    bench->count++;
}

static int partitions_of(int kind)
{
    return kind == EVENT_VEHICLE || kind == EVENT_GPS ? PARTITIONS : 1;
}

static void produce(struct bench *bench)
{
    struct world_settings settings;
    struct err err = ERR_INIT;
    world_settings_init(&settings);
    settings.vehicles = 10000;
    settings.demand = 0;
    settings.camera_frames = false;
    struct world *world = world_create(&settings, &err);
    bench->producer = producer_create(&bench->kafka, &err);
    if (!world || !bench->producer)
        stop("producer", err.text);
    while (bench->count < bench->limit)
        world_step(world, send_event, bench);
    if (producer_flush(bench->producer, 30000000, &err) != 0)
        stop("producer", err.text);
    world_destroy(world);
    producer_destroy(bench->producer, 0);
}

static int64_t resident_bytes(void)
{
    char line[128];
    int64_t kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kilobytes = strtoll(line + 8, NULL, 10);
    if (file)
        fclose(file);
    return kilobytes * 1024;
}

static double run_bare(const struct bench *bench)
{
    struct err err = ERR_INIT;
    const struct consumer_settings settings = {.kafka = bench->kafka, .from = CONSUMER_FROM_START};
    struct consumer *consumer = consumer_create(&settings, &err);
    static struct record records[CONSUMER_BATCH];
    if (!consumer)
        stop("consumer", err.text);
    uint64_t count = 0;
    int64_t start = clock_mono_us();
    while (count < EVENTS) {
        int got = consumer_poll(consumer, records, CONSUMER_BATCH, 100000, &err);
        if (got < 0)
            stop("consumer", err.text);
        count += (uint64_t)got;
    }
    double rate = EVENTS / ((double)(clock_mono_us() - start) / 1e6);
    consumer_destroy(consumer);
    return rate;
}

static uint64_t landed(void)
{
    uint64_t rows = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        rows += figures.kinds[kind].rows + figures.kinds[kind].quarantined;
    return rows;
}

static uint64_t taken(void)
{
    uint64_t rows = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        rows += figures.kinds[kind].taken;
    return rows;
}

/* Rows a second; the most that is resident meanwhile, beyond what was before. */
static double run_sink(struct bench *bench, int round, int64_t *resident, double *cores)
{
    struct err err = ERR_INIT;
    char cluster[24], spool[96];
    snprintf(cluster, sizeof cluster, "bench-%d", round);
    snprintf(spool, sizeof spool, "%.60s/spool", bench->rig.folder);
    const struct sink_settings settings = {
        .kafka = bench->kafka,
        .lake = {.client = bench->rig.client,
                 .bucket = "lake",
                 .cluster = cluster,
                 .spool_folder = spool,
                 .memory_bytes = 96u << 20, /* 67 partitions are open at once */
                 .log = bench->rig.log},
        .log = bench->rig.log};
    int64_t before = resident_bytes(), start = clock_mono_us(), cpu = clock_process_cpu_us();
    struct sink *sink = sink_start(&settings, &err);
    if (!sink)
        stop("sink", err.text);
    bool made;
    if (lake_prepare(sink_lake(sink), &made, &err) != 0)
        stop("lake", err.text);
    uint64_t ticket = 0;
    do {
        clock_sleep_until(clock_mono_us() + 2000);
        lake_figures(sink_lake(sink), &figures);
        if (!ticket && taken() >= EVENTS)
            ticket = lake_flush(sink_lake(sink), -1);
        int64_t now = resident_bytes() - before;
        *resident = now > *resident ? now : *resident;
    } while (landed() < EVENTS);
    double elapsed = (double)(clock_mono_us() - start) / 1e6;
    *cores = (double)(clock_process_cpu_us() - cpu) / 1e6 / elapsed;
    sink_stop(sink);
    return EVENTS / elapsed;
}

/* Records at hand; seconds from the flush to the last object and partition. */
static double run_flush(struct bench *bench)
{
    struct err err = ERR_INIT;
    char spool[96];
    snprintf(spool, sizeof spool, "%.60s/spool", bench->rig.folder);
    const struct lake_settings settings = {.client = bench->rig.client,
                                           .bucket = "lake",
                                           .cluster = "flush",
                                           .spool_folder = spool,
                                           .memory_bytes = 96u << 20, /* 67 partitions are open at once */
                                           .batch_age_us = INT64_C(3600000000)};
    const struct consumer_settings reading = {.kafka = bench->kafka, .from = CONSUMER_FROM_START};
    struct lake *lake = lake_create(&settings, &err);
    struct consumer *consumer = consumer_create(&reading, &err);
    static struct record records[CONSUMER_BATCH];
    if (!lake || !consumer)
        stop("flush", err.text);
    uint64_t count = 0;
    while (count < FLUSHED) {
        int got = consumer_poll(consumer, records, CONSUMER_BATCH, 100000, &err);
        struct record_batch *batch = record_batch_create(CONSUMER_BATCH, 4 << 20);
        for (int i = 0; i < got; i++)
            record_batch_add(batch, &records[i]);
        lake_offer(lake, batch, -1);
        record_batch_release(batch);
        count += got > 0 ? (uint64_t)got : 0;
    }
    do
        lake_figures(lake, &figures);
    while (taken() < count);
    struct lake_flushed flushed;
    if (lake_flush_wait(lake, lake_flush(lake, -1), 60000000, &flushed, &err) != 0)
        stop("flush", err.text);
    printf("%-40s %10.2f s           %llu rows, %llu objects  (target 2)\n", "a flush, until Athena sees it",
           (double)flushed.took_us / 1e6, (unsigned long long)flushed.rows,
           (unsigned long long)flushed.objects);
    consumer_destroy(consumer);
    lake_destroy(lake);
    return (double)flushed.took_us / 1e6;
}

int main(void)
{
    struct err err = ERR_INIT;
    static struct bench bench = {.limit = EVENTS};
    const char *asked = getenv("SMARTCITY_ROUNDS");
    int64_t rounds = 3;
    if (asked && !text_parse_int(asked, 1, 1000, &rounds))
        stop("SMARTCITY_ROUNDS", "is no number");
    struct duck_settings engine = {0};
    struct duck_db *db = duck_open(&engine, &err);
    if (!db) {
        printf("# no Parquet: %s\n", err.text);
        return 0;
    }
    duck_close(db);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, 1);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        rd_kafka_mock_topic_create(cluster, event_topic(kind), partitions_of(kind), 1);
    if (!aws_rig_open(&bench.rig, NULL))
        stop("cloud", "does not start");
    bench.kafka =
        (struct kafka_settings){.bootstrap = rd_kafka_mock_cluster_bootstraps(cluster), .log = bench.rig.log};
    produce(&bench);

    printf("# %u events that lie in %d partitions\n", EVENTS, 2 * PARTITIONS + 3);
    double bare = run_bare(&bench);
    for (int round = 0; round < rounds; round++) {
        int64_t resident = 0;
        double cores = 0, rate = run_sink(&bench, round, &resident, &cores);
        char memory[TEXT_FIGURE_SIZE];
        printf(
            "%-40s %10.0f rows/s  %10.0f bare  ratio %.2f  on %.1f cores, %s more memory  (target 300000)\n",
            "Kafka to Parquet in S3", rate, bare, rate / bare, cores, text_bytes(memory, (double)resident));
    }
    run_flush(&bench);
    aws_rig_close(&bench.rig);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    return 0;
}
