/*
 * Reading what lies in a broker: consume, decode, apply to the model, keep the tail, publish pictures and
 * record, as the console's ingest thread does it; beside a bare loop that consumes the same records with the
 * same settings and looks at none of them. The broker is a mock cluster with many partitions, since each
 * keeps 5 MiB.
 *
 * Then everything at once on the console's own broker for some seconds: simulate, produce, consume, show,
 * record, as fast as it goes with nothing lost.
 *
 * SMARTCITY_SECONDS: of the second part, default 8.
 */
#include "app/ingest.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "base/worker.h"
#include "sim/world.h"
#include "stream/broker.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS     900000u
#define PARTITIONS 32 /* of vehicle_data and of gps_data: room for more than that, by 17,000 a partition */
#define ROUNDS     3

struct bench {
    const char *bootstrap;
    bool embedded;
    struct producer *producer;
    struct log *log;
    uint64_t count, limit;
    atomic_bool stop;
    char folder[64];
};

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static struct kafka_settings kafka(const struct bench *bench)
{
    return (struct kafka_settings){
        .bootstrap = bench->bootstrap, .embedded = bench->embedded, .log = bench->log};
}

static void send_event(void *context, const struct event *event)
{
    struct bench *bench = context;
    struct err err = ERR_INIT;
    if (bench->count >= bench->limit || atomic_load(&bench->stop))
        return;
    if (producer_send(bench->producer, event, 10000000, &err) != 0)
        stop("producer", err.text);
    bench->count++;
}

static struct world *open_world(void)
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
    return world;
}

static int partitions_of(int kind)
{
    return kind == EVENT_VEHICLE || kind == EVENT_GPS ? PARTITIONS : 1;
}

/* ---- the bare loop ---- */

static double run_bare(const struct bench *bench)
{
    static const char *const properties[][2] = {{"group.id", "bare"},
                                                {"auto.offset.reset", "error"},
                                                {"enable.auto.commit", "false"},
                                                {"enable.auto.offset.store", "false"},
                                                {"fetch.wait.max.ms", "500"},
                                                {"fetch.message.max.bytes", "1048576"},
                                                {"fetch.max.bytes", "16777216"},
                                                {"queued.min.messages", "10000000"},
                                                {"queued.max.messages.kbytes", "65536"},
                                                {"socket.nagle.disable", "true"}};
    char reason[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", bench->bootstrap, NULL, 0);
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
        if (rd_kafka_conf_set(conf, properties[i][0], properties[i][1], reason, sizeof reason))
            stop("peer", reason);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (!rk)
        stop("peer", reason);
    rd_kafka_poll_set_consumer(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        for (int i = 0; i < partitions_of(kind); i++)
            rd_kafka_topic_partition_list_add(list, event_topic(kind), i)->offset = 0;
    int64_t start = clock_mono_us();
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    static rd_kafka_message_t *messages[CONSUMER_BATCH];
    uint64_t count = 0;
    while (count < EVENTS) {
        ssize_t taken = rd_kafka_consume_batch_queue(queue, 0, messages, CONSUMER_BATCH);
        if (taken == 0)
            taken = rd_kafka_consume_batch_queue(queue, 100, messages, 1);
        for (ssize_t i = 0; i < taken; i++) {
            if (messages[i]->err)
                stop("peer", rd_kafka_message_errstr(messages[i]));
            rd_kafka_message_destroy(messages[i]);
        }
        count += (uint64_t)taken;
    }
    double seconds = (double)(clock_mono_us() - start) / 1e6;
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return EVENTS / seconds;
}

/* ---- ours ---- */

static uint64_t taken(struct feed *feed)
{
    struct feed_counts counts;
    uint64_t sum = 0;
    feed_counts(feed, &counts);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        sum += counts.taken[kind];
    return sum;
}

static struct recorder *open_recorder(struct bench *bench)
{
    struct err err = ERR_INIT;
    const struct journey_settings settings = {
        .folder = bench->folder, .name = "", .seed = "7", .source = "LOCAL"};
    struct recorder *recorder = recorder_create(&settings, bench->log, &err);
    if (!recorder)
        stop("recorder", err.text);
    return recorder;
}

static void close_recorder(struct recorder *recorder)
{
    struct recorder_figures *figures = mem_alloc(sizeof *figures);
    recorder_figures(recorder, figures);
    recorder_destroy(recorder);
    unlink(figures->journey.path);
    free(figures);
}

static double run_ours(struct bench *bench, bool record)
{
    struct err err = ERR_INIT;
    struct recorder *recorder = record ? open_recorder(bench) : NULL;
    struct feed *feed = feed_create(20000, NULL, NULL);
    const struct consumer_settings settings = {
        .kafka = kafka(bench), .group = NULL, .from = CONSUMER_FROM_START};
    int64_t start = clock_mono_us();
    struct ingest *ingest = ingest_start(&settings, feed, recorder, NULL, bench->log, &err);
    if (!ingest)
        stop("ingest", err.text);
    while (taken(feed) < EVENTS)
        clock_sleep_until(clock_mono_us() + 300);
    if (recorder && recorder_flush(recorder, 30000000, &err) != 0)
        stop("recorder", err.text);
    double seconds = (double)(clock_mono_us() - start) / 1e6;
    ingest_destroy(ingest);
    feed_destroy(feed);
    if (recorder)
        close_recorder(recorder);
    return EVENTS / seconds;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double middle(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

static void bench_reading(struct bench *bench)
{
    struct err err = ERR_INIT;
    const struct kafka_settings settings = kafka(bench);
    bench->producer = producer_create(&settings, &err);
    if (!bench->producer)
        stop("producer", err.text);
    struct world *world = open_world();
    while (bench->count < bench->limit)
        world_step(world, send_event, bench);
    if (producer_flush(bench->producer, 30000000, &err) != 0)
        stop("producer", err.text);
    world_destroy(world);
    producer_destroy(bench->producer, 0);

    double bare[ROUNDS], shown[ROUNDS], recorded[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        bare[round] = run_bare(bench);
        shown[round] = run_ours(bench, false);
        recorded[round] = run_ours(bench, true);
    }
    double peer = middle(bare), show = middle(shown), all = middle(recorded);
    printf("# %u events that lie in the broker; middle of %d runs each, in turn\n", EVENTS, ROUNDS);
    printf("%-40s %10.0f events/s  %10.0f bare  ratio %.2f\n", "consume, decode, model", show, peer,
           show / peer);
    printf("%-40s %10.0f events/s  %10.0f bare  ratio %.2f  (target 0.40)\n",
           "consume, decode, model, record", all, peer, all / peer);
}

/* ---- end to end ---- */

static void simulate(void *context)
{
    struct bench *bench = context;
    struct world *world = open_world();
    while (!atomic_load(&bench->stop))
        world_step(world, send_event, bench);
    world_destroy(world);
}

static void bench_all(struct bench *bench, double seconds)
{
    struct err err = ERR_INIT;
    const struct kafka_settings settings = kafka(bench);
    bench->producer = producer_create(&settings, &err);
    if (!bench->producer)
        stop("producer", err.text);
    producer_expect_consumer(bench->producer, true);
    struct recorder *recorder = open_recorder(bench);
    struct feed *feed = feed_create(20000, NULL, NULL);
    const struct consumer_settings reading = {
        .kafka = settings, .group = "bench", .from = CONSUMER_FROM_START, .durable = true};
    struct ingest *ingest = ingest_start(&reading, feed, recorder, bench->producer, bench->log, &err);
    if (!ingest)
        stop("ingest", err.text);
    int64_t start = clock_mono_us(), cpu = clock_process_cpu_us();
    struct worker *simulator = worker_start("sim", simulate, bench, &err);
    clock_sleep_until(start + (int64_t)(seconds * 1e6));
    atomic_store(&bench->stop, true);
    worker_join(simulator);
    if (producer_flush(bench->producer, 30000000, &err) != 0)
        stop("producer", err.text);
    int64_t patience = clock_mono_us() + 15000000;
    while (taken(feed) < bench->count && clock_mono_us() < patience)
        clock_sleep_until(clock_mono_us() + 300);
    struct recorder_figures *recorded = mem_alloc(sizeof *recorded);
    do { /* what is shown may be on its way to the recorder still */
        if (recorder_flush(recorder, 30000000, &err) != 0)
            stop("recorder", err.text);
        recorder_figures(recorder, recorded);
    } while (recorded->recorded + recorded->missed < bench->count && clock_mono_us() < patience);
    double elapsed = (double)(clock_mono_us() - start) / 1e6;
    double cores = (double)(clock_process_cpu_us() - cpu) / 1e6 / elapsed;

    struct producer_figures produced;
    struct consumer_figures *consumed = mem_alloc(sizeof *consumed);
    producer_figures(bench->producer, &produced);
    ingest_figures(ingest, consumed);
    uint64_t acknowledged = 0, gaps = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        acknowledged += produced.topics[kind].acknowledged;
        gaps += consumed->topics[kind].gaps;
    }
    char figure[TEXT_FIGURE_SIZE];
    printf("# everything at once for %.1f s on %.1f cores: %s simulated\n", elapsed, cores,
           text_count(figure, (int64_t)bench->count));
    printf("%-40s %10.0f events/s  (target 100000)\n", "simulate, produce, consume, record",
           (double)bench->count / elapsed);
    printf("%-40s %10llu lost, %llu gaps, %llu not recorded; held back %llu times, %.1f s\n", "",
           (unsigned long long)(acknowledged - taken(feed)), (unsigned long long)gaps,
           (unsigned long long)(bench->count - recorded->recorded), (unsigned long long)produced.waits,
           (double)produced.waited_us / 1e6);
    ingest_destroy(ingest);
    close_recorder(recorder);
    feed_destroy(feed);
    producer_destroy(bench->producer, 0);
    free(consumed);
    free(recorded);
}

int main(void)
{
    struct err err = ERR_INIT;
    const char *seconds = getenv("SMARTCITY_SECONDS"), *temporary = getenv("TMPDIR");
    struct bench bench = {.limit = EVENTS, .log = log_create(200)};
    snprintf(bench.folder, sizeof bench.folder, "%.40s/bench-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(bench.folder))
        stop(bench.folder, "cannot be made");
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, 1);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        rd_kafka_mock_topic_create(cluster, event_topic(kind), partitions_of(kind), 1);
    bench.bootstrap = rd_kafka_mock_cluster_bootstraps(cluster);
    bench_reading(&bench);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);

    struct broker *broker = broker_create(&err);
    if (!broker)
        stop("broker", err.text);
    bench.bootstrap = broker_bootstrap(broker);
    bench.embedded = true;
    bench.count = 0;
    bench.limit = UINT64_MAX;
    bench_all(&bench, seconds ? atof(seconds) : 8);
    broker_destroy(broker);
    rmdir(bench.folder);
    log_destroy(bench.log);
    return 0;
}
