/* The consumer over the embedded broker, in its three ways of coming by partitions. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/worker.h"
#include "city/codec.h"
#include "tests/support/stream_rig.h"

#include <librdkafka/rdkafka.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND   1000000
#define PATIENCE (20 * SECOND)

static int all_partitions(void)
{
    int sum = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        sum += broker_partitions(kind);
    return sum;
}

static void send_many(struct rig *rig, enum event_kind kind, unsigned first, unsigned count)
{
    struct event event;
    struct err err = ERR_INIT;
    for (unsigned i = first; i < first + count; i++) {
        rig_event(&event, kind, i % 13, i);
        assert_int_equal(producer_send(rig->producer, &event, PATIENCE, &err), 0);
    }
    assert_int_equal(producer_flush(rig->producer, PATIENCE, &err), 0);
}

static struct consumer *open_consumer(const struct rig *rig, struct consumer_settings settings)
{
    struct err err = ERR_INIT;
    const struct kafka_settings given = settings.kafka;
    settings.kafka = rig_settings(rig);
    settings.kafka.embedded = given.embedded;
    settings.kafka.properties = given.properties;
    settings.kafka.property_count = given.property_count;
    struct consumer *consumer = consumer_create(&settings, &err);
    if (!consumer)
        fail_msg("%s", err.text);
    return consumer;
}

/* Reads until `wanted` records came or `limit_us` passed without one; stores them all. */
static unsigned read_some(struct consumer *consumer, unsigned wanted, int64_t limit_us, long *first)
{
    struct record *records = mem_zero(CONSUMER_BATCH, sizeof *records);
    struct err err = ERR_INIT;
    unsigned seen = 0;
    for (int64_t end = clock_mono_us() + limit_us; seen < wanted && clock_mono_us() < end;) {
        int count = consumer_poll(consumer, records, CONSUMER_BATCH, 100000, &err);
        assert_true(count >= 0);
        for (int i = 0; i < count; i++, seen++) {
            if (seen == 0 && first)
                *first = rig_sequence(&records[i]);
            consumer_store(consumer, &records[i]);
        }
    }
    free(records);
    return seen;
}

static void test_first_record_comes_soon(void **state)
{
    (void)state;
    struct rig rig;
    int64_t start = clock_mono_us();
    rig_open(&rig, NULL);
    send_many(&rig, EVENT_VEHICLE, 0, 1);
    int count = 0;
    while (count == 0 && clock_mono_us() - start < PATIENCE)
        count = rig_poll(&rig, 10, SECOND);
    int64_t took = clock_mono_us() - start;
    print_message("# broker, producer, consumer and first record: %lld ms\n", (long long)took / 1000);
    assert_int_equal(count, 1);
    assert_true(took <
                5 * SECOND); /* a group's first join alone would take three; generous for a slow machine */
    rig_close(&rig);
}

static void test_lag_pause_and_end(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    struct consumer_figures *figures = mem_alloc(sizeof *figures);
    send_many(&rig, EVENT_GPS, 0, 1);
    assert_int_equal(read_some(rig.consumer, 1, PATIENCE, NULL), 1);
    send_many(&rig, EVENT_GPS, 1, 400);
    /* One record is taken of what is there: the rest is lag, as soon as a fetch has told the high watermark.
     */
    int64_t end = clock_mono_us() + PATIENCE;
    int taken = 0;
    do {
        taken += rig_poll(&rig, 1, 100000);
        consumer_figures(rig.consumer, figures);
    } while (figures->topics[EVENT_GPS].lag <= 0 && clock_mono_us() < end);
    assert_int_equal(taken, 1);
    assert_in_range(figures->topics[EVENT_GPS].lag, 1, 399);
    assert_true(figures->topics[EVENT_GPS].lag_seconds > 0);
    assert_false(consumer_at_end(rig.consumer));

    consumer_pause(rig.consumer, true);
    assert_int_equal(rig_poll(&rig, 10, 300000), 0); /* what was fetched ahead is given back too */
    consumer_figures(rig.consumer, figures);
    assert_true(figures->paused);
    consumer_pause(rig.consumer, false);
    assert_int_equal(read_some(rig.consumer, 399, PATIENCE, NULL), 399);
    for (end = clock_mono_us() + PATIENCE; !consumer_at_end(rig.consumer) && clock_mono_us() < end;)
        rig_poll(&rig, 10, 50000);
    consumer_figures(rig.consumer, figures);
    assert_int_equal(figures->topics[EVENT_GPS].lag, 0);
    assert_true(figures->topics[EVENT_GPS].lag_seconds == 0);
    assert_int_equal(figures->topics[EVENT_GPS].gaps, 0);
    assert_int_equal(figures->topics[EVENT_GPS].consumed, 401);
    assert_false(figures->paused);
    assert_int_equal(figures->kafka.partition_count, all_partitions());
    free(figures);
    rig_close(&rig);
}

struct waker {
    struct consumer *consumer;
    atomic_bool polling;
};

static void wake(void *context)
{
    struct waker *waker = context;
    while (!atomic_load(&waker->polling))
        ;
    consumer_wake(waker->consumer);
}

static void test_wake_ends_a_poll(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    struct waker waker = {.consumer = rig.consumer};
    struct worker *worker = worker_start("waker", wake, &waker, NULL);
    int64_t start = clock_mono_us();
    atomic_store(&waker.polling, true);
    assert_int_equal(rig_poll(&rig, 10, 60 * (int64_t)SECOND), 0);
    assert_true(clock_mono_us() - start < 30 * (int64_t)SECOND);
    worker_join(worker);
    rig_close(&rig);
}

/* ---- hostile and foreign ---- */

static void send_as_stranger(rd_kafka_t *rk, enum event_kind kind, const char *value, size_t length)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(event_topic(kind)), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, length), RD_KAFKA_V_HEADER("produced-at", "soon", 4),
        RD_KAFKA_V_HEADER("\x1b]", "\0\xff", 2), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    assert_int_equal(code, 0);
    assert_int_equal(rd_kafka_flush(rk, 20000), 0);
}

static void test_strangers_records(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", broker_bootstrap(rig.broker), NULL, 0);
    rd_kafka_conf_set(conf, "message.max.bytes", "20000000", NULL, 0);
    rd_kafka_t *stranger = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    assert_non_null(stranger);
    size_t large = 10u << 20;
    char *value = mem_alloc(large);
    memset(value, '[', large);
    static const char odd[] = "\x1b[2Jnot json\xff";
    send_as_stranger(stranger, EVENT_VEHICLE, odd, sizeof odd - 1);
    send_as_stranger(stranger, EVENT_GPS, value, large);
    unsigned seen = 0;
    for (int64_t end = clock_mono_us() + PATIENCE; seen < 2 && clock_mono_us() < end;) {
        int count = rig_poll(&rig, 10, SECOND);
        for (int i = 0; i < count; i++, seen++) {
            const struct record *record = &rig.records[i];
            const char *sent = record->kind == EVENT_GPS ? value : odd;
            assert_int_equal(record->value_length, record->kind == EVENT_GPS ? large : sizeof odd - 1);
            assert_memory_equal(record->value, sent, record->value_length);
            assert_int_equal(record_produced_us(record), -1);
            struct record_header header;
            assert_true(record_header_find(record, "\x1b]", &header));
            assert_int_equal(header.value_length, 2);
            assert_memory_equal(header.value, "\0\xff", 2);
        }
    }
    assert_int_equal(seen, 2);
    struct consumer_figures *figures = mem_alloc(sizeof *figures);
    consumer_figures(rig.consumer, figures);
    assert_int_equal(figures->topics[EVENT_VEHICLE].consumed, 1);
    assert_int_equal(figures->topics[EVENT_GPS].consumed, 1);
    assert_int_equal(figures->topics[EVENT_GPS].bytes, large);

    /* Where something is already, a record larger than the broker's log pushes itself out. It is missed and
     * counted, and what comes after it is read. */
    send_as_stranger(stranger, EVENT_GPS, value, large);
    for (int i = 0; i < 3; i++)
        send_as_stranger(stranger, EVENT_GPS, odd, sizeof odd - 1);
    int64_t last = 0;
    for (int64_t end = clock_mono_us() + PATIENCE; last < 4 && clock_mono_us() < end;) {
        int count = rig_poll(&rig, 10, SECOND);
        for (int i = 0; i < count; i++)
            last = rig.records[i].offset;
    }
    assert_int_equal(last, 4);
    consumer_figures(rig.consumer, figures);
    assert_true(figures->topics[EVENT_GPS].gaps > 0);
    assert_int_equal(figures->topics[EVENT_GPS].gaps + figures->topics[EVENT_GPS].consumed, 5);
    free(figures);
    free(value);
    rd_kafka_destroy(stranger);
    rig_close(&rig);
}

/* ---- offsets ---- */

static void test_stored_offsets_are_resumed(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    send_many(&rig, EVENT_WEATHER, 0, 300); /* one partition */
    const struct consumer_settings settings = {
        .kafka.embedded = true, .group = "keeper", .from = CONSUMER_FROM_STORED, .durable = true};
    struct consumer *consumer = open_consumer(&rig, settings);
    struct record *records = mem_zero(CONSUMER_BATCH, sizeof *records);
    struct err err = ERR_INIT;
    int seen = 0, count;
    for (int64_t end = clock_mono_us() + PATIENCE; seen < 300 && clock_mono_us() < end; seen += count) {
        count = consumer_poll(consumer, records, CONSUMER_BATCH, 100000, &err);
        assert_true(count >= 0);
        for (int i = 0; i < count; i++)
            if (seen + i < 120) /* the others are not safe yet */
                consumer_store(consumer, &records[i]);
    }
    assert_int_equal(seen, 300);
    consumer_destroy(consumer);

    long first = -1;
    consumer = open_consumer(&rig, settings);
    assert_int_equal(read_some(consumer, 180, PATIENCE, &first), 180);
    assert_int_equal(first, 120);
    consumer_destroy(consumer);

    /* Not durable: nothing is committed, whatever is stored. */
    const struct consumer_settings glance = {
        .kafka.embedded = true, .group = "glance", .from = CONSUMER_FROM_START};
    for (int round = 0; round < 2; round++) {
        consumer = open_consumer(&rig, glance);
        assert_int_equal(read_some(consumer, 300, PATIENCE, &first), 300);
        assert_int_equal(first, 0);
        consumer_destroy(consumer);
    }
    free(records);
    rig_close(&rig);
}

/* ---- as on a cluster that is not ours ---- */

static void test_every_partition_without_group(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    send_many(&rig, EVENT_VEHICLE, 0, 50);
    send_many(&rig, EVENT_EMERGENCY, 50, 50);
    const struct consumer_settings start = {.group = NULL, .from = CONSUMER_FROM_START};
    struct consumer *consumer = open_consumer(&rig, start);
    assert_int_equal(read_some(consumer, 100, PATIENCE, NULL), 100);
    struct consumer_figures *figures = mem_alloc(sizeof *figures);
    consumer_figures(consumer, figures);
    assert_int_equal(figures->kafka.partition_count, all_partitions());
    assert_string_equal(figures->kafka.group, "");
    assert_string_equal(figures->kafka.member_state, "assigned");
    free(figures);
    consumer_destroy(consumer);

    /* From the end: only what comes after the partitions were placed, which is when the lag is known. */
    const struct consumer_settings end = {.group = NULL, .from = CONSUMER_FROM_END};
    consumer = open_consumer(&rig, end);
    struct record *records = mem_zero(CONSUMER_BATCH, sizeof *records);
    struct err err = ERR_INIT;
    for (int64_t limit = clock_mono_us() + PATIENCE; !consumer_at_end(consumer) && clock_mono_us() < limit;)
        assert_int_equal(consumer_poll(consumer, records, 10, 50000, &err), 0);
    assert_true(consumer_at_end(consumer));
    send_many(&rig, EVENT_VEHICLE, 100, 20);
    long first = -1;
    assert_int_equal(read_some(consumer, 20, PATIENCE, &first), 20);
    assert_true(first >= 100);
    consumer_destroy(consumer);
    free(records);
    rig_close(&rig);
}

static void test_group_is_joined(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    send_many(&rig, EVENT_VEHICLE, 0, 60);
    /* The mock lets a group that was left alone wait for a session time-out before it takes a new member. */
    const char *const properties[] = {"session.timeout.ms=4500", "heartbeat.interval.ms=500"};
    const struct consumer_settings settings = {.kafka = {.properties = properties, .property_count = 2},
                                               .group = "crew",
                                               .from = CONSUMER_FROM_STORED,
                                               .durable = true};
    struct consumer *consumer = open_consumer(&rig, settings);
    assert_int_equal(read_some(consumer, 60, PATIENCE, NULL), 60);
    struct consumer_figures *figures = mem_alloc(sizeof *figures);
    int64_t limit = clock_mono_us() + PATIENCE;
    do { /* statistics tell the member's state once a second */
        assert_int_equal(read_some(consumer, 1, 100000, NULL), 0);
        consumer_figures(consumer, figures);
    } while (strcmp(figures->kafka.member_state, "steady") != 0 && clock_mono_us() < limit);
    assert_string_equal(figures->kafka.group, "crew");
    assert_string_equal(figures->kafka.member_state, "steady");
    assert_int_equal(figures->kafka.state, KAFKA_UP);
    assert_true(figures->kafka.rebalances > 0);
    assert_int_equal(figures->kafka.broker_count, 1);
    assert_true(figures->kafka.brokers[0].up);
    free(figures);
    consumer_destroy(consumer); /* commits and leaves */

    send_many(&rig, EVENT_VEHICLE, 60, 5);
    consumer = open_consumer(&rig, settings);
    long first = -1;
    assert_int_equal(read_some(consumer, 5, PATIENCE, &first), 5);
    assert_true(first >= 60);
    consumer_destroy(consumer);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_record_comes_soon),
        cmocka_unit_test(test_lag_pause_and_end),
        cmocka_unit_test(test_wake_ends_a_poll),
        cmocka_unit_test(test_strangers_records),
        cmocka_unit_test(test_stored_offsets_are_resumed),
        cmocka_unit_test(test_every_partition_without_group),
        cmocka_unit_test(test_group_is_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
