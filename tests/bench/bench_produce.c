/*
 * Simulating, encoding and sending at full speed into an embedded broker, until all is acknowledged; beside a
 * bare librdkafka loop that sends pre-built messages of the same sizes with the same settings and as many
 * headers. Camera frames are off in both. Nobody reads in either: the broker lets go of the oldest, nothing
 * is held back.
 *
 * The cars are many (10,000 that report, no others), so that a tick is mostly events; with the 250 of the
 * default world and 25,000 others around them a tick is mostly traffic, which is shown in a line of its own.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "city/codec.h"
#include "sim/world.h"
#include "stream/broker.h"
#include "stream/producer.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS 1000000u
#define BUILT  40000u
#define ROUNDS 3

struct built {
    enum event_kind kind;
    char key[32];
    char *value;
    size_t length;
};

struct bench {
    struct producer *producer;
    uint64_t count, bytes;
    struct built *built;
    size_t built_count;
    struct buf text;
};

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static struct world *open_world(uint32_t vehicles, double demand)
{
    struct world_settings settings;
    struct err err = ERR_INIT;
    world_settings_init(&settings);
    settings.vehicles = vehicles;
    settings.demand = demand;
    settings.camera_frames = false;
    struct world *world = world_create(&settings, &err);
    if (!world)
        stop("world", err.text);
    return world;
}

/* ---- ours ---- */

static void send_event(void *context, const struct event *event)
{
    struct bench *bench = context;
    struct err err = ERR_INIT;
    if (bench->count >= EVENTS)
        return;
    if (producer_send(bench->producer, event, 10000000, &err) != 0)
        stop("producer", err.text);
    bench->count++;
}

static double run_ours(uint32_t vehicles, double demand, uint64_t *waits)
{
    struct err err = ERR_INIT;
    struct broker *broker = broker_create(&err);
    if (!broker)
        stop("broker", err.text);
    const struct kafka_settings settings = {.bootstrap = broker_bootstrap(broker), .embedded = true};
    struct bench bench = {.producer = producer_create(&settings, &err)};
    if (!bench.producer)
        stop("producer", err.text);
    struct world *world = open_world(vehicles, demand);
    int64_t start = clock_mono_us();
    while (bench.count < EVENTS && clock_mono_us() - start < 5000000)
        world_step(world, send_event, &bench);
    if (producer_flush(bench.producer, 30000000, &err) != 0)
        stop("producer", err.text);
    double seconds = (double)(clock_mono_us() - start) / 1e6;
    struct producer_figures figures;
    producer_figures(bench.producer, &figures);
    *waits = figures.waits;
    world_destroy(world);
    producer_destroy(bench.producer, 0);
    broker_destroy(broker);
    return (double)bench.count / seconds;
}

/* ---- the bare loop ---- */

static void build(void *context, const struct event *event)
{
    struct bench *bench = context;
    if (bench->built_count == BUILT)
        return;
    buf_reset(&bench->text);
    codec_encode(event, &bench->text);
    struct built *built = &bench->built[bench->built_count++];
    built->kind = event->kind;
    text_copy(built->key, sizeof built->key, event->device_id);
    built->length = bench->text.length;
    built->value = mem_alloc(built->length);
    memcpy(built->value, bench->text.data, built->length);
    bench->bytes += built->length;
}

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    if (message->err)
        stop("peer", rd_kafka_err2str(message->err));
    ++*(uint64_t *)opaque;
}

static double run_bare(const struct bench *bench)
{
    static const char *const properties[][2] = {{"enable.idempotence", "true"},
                                                {"compression.codec", "lz4"},
                                                {"partitioner", "murmur2_random"},
                                                {"linger.ms", "5"},
                                                {"batch.size", "524288"},
                                                {"batch.num.messages", "10000"},
                                                {"message.timeout.ms", "0"},
                                                {"queue.buffering.max.messages", "100000"},
                                                {"queue.buffering.max.kbytes", "16384"},
                                                {"socket.nagle.disable", "true"}};
    struct err err = ERR_INIT;
    struct broker *broker = broker_create(&err);
    if (!broker)
        stop("broker", err.text);
    char reason[200];
    uint64_t delivered = 0;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", broker_bootstrap(broker), NULL, 0);
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
        if (rd_kafka_conf_set(conf, properties[i][0], properties[i][1], reason, sizeof reason))
            stop("peer", reason);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    rd_kafka_conf_set_opaque(conf, &delivered);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!rk)
        stop("peer", reason);
    rd_kafka_topic_t *topics[EVENT_KIND_COUNT];
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        topics[kind] = rd_kafka_topic_new(rk, event_topic(kind), NULL);

    int64_t start = clock_mono_us();
    for (uint64_t i = 0; i < EVENTS; i++) {
        const struct built *built = &bench->built[i % bench->built_count];
        for (;;) {
            rd_kafka_headers_t *headers = rd_kafka_headers_new(3);
            rd_kafka_header_add(headers, RECORD_HEADER_PRODUCED, -1, "1768205672000000", 16);
            rd_kafka_header_add(headers, RECORD_HEADER_TRACE, -1,
                                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 55);
            rd_kafka_header_add(headers, RECORD_HEADER_SCHEMA, -1, "1", 1);
            rd_kafka_resp_err_t code = rd_kafka_producev(
                rk, RD_KAFKA_V_RKT(topics[built->kind]), RD_KAFKA_V_VALUE(built->value, built->length),
                RD_KAFKA_V_KEY((void *)(uintptr_t)built->key, strlen(built->key)),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
            if (!code)
                break;
            rd_kafka_headers_destroy(headers);
            if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                stop("peer", rd_kafka_err2str(code));
            rd_kafka_poll(rk, 10);
        }
        if (i % 1000 == 0)
            rd_kafka_poll(rk, 0);
    }
    while (delivered < EVENTS)
        rd_kafka_poll(rk, 100);
    double seconds = (double)(clock_mono_us() - start) / 1e6;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        rd_kafka_topic_destroy(topics[kind]);
    rd_kafka_destroy(rk);
    broker_destroy(broker);
    return EVENTS / seconds;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(void)
{
    struct bench bench = {.built = mem_alloc(BUILT * sizeof *bench.built)};
    buf_init(&bench.text, CODEC_MAX_RECORD);
    struct world *world = open_world(10000, 0);
    while (bench.built_count < BUILT)
        world_step(world, build, &bench);
    world_destroy(world);

    double ours[ROUNDS], bare[ROUNDS];
    uint64_t waits;
    for (int round = 0; round < ROUNDS; round++) {
        bare[round] = run_bare(&bench);
        ours[round] = run_ours(10000, 0, &waits);
    }
    qsort(ours, ROUNDS, sizeof *ours, by_value);
    qsort(bare, ROUNDS, sizeof *bare, by_value);
    double middle = ours[ROUNDS / 2], peer = bare[ROUNDS / 2];
    double traffic = run_ours(250, 1, &waits);
    printf("# %u events of %.0f bytes and three headers; middle of %d runs each, in turn\n", EVENTS,
           (double)bench.bytes / BUILT, ROUNDS);
    printf("%-40s %10.0f events/s  %10.0f bare  ratio %.2f  (target 0.80)\n", "simulate, encode and send",
           middle, peer, middle / peer);
    printf("%-40s %10.0f events/s  %10.0f bare  ratio %.2f\n", "the same, 250 cars in full traffic", traffic,
           peer, traffic / peer);
    for (size_t i = 0; i < bench.built_count; i++)
        free(bench.built[i].value);
    free(bench.built);
    buf_free(&bench.text);
    return 0;
}
