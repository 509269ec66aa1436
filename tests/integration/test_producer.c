/* The producer over the embedded broker: what arrives, and that nothing is lost at full speed. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/worker.h"
#include "city/codec.h"
#include "tests/support/stream_rig.h"

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

static void send(struct rig *rig, enum event_kind kind, unsigned device, unsigned sequence)
{
    struct event event;
    struct err err = ERR_INIT;
    rig_event(&event, kind, device, sequence);
    if (producer_send(rig->producer, &event, PATIENCE, &err) != 0) {
        rig_print_log(rig);
        fail_msg("%s", err.text);
    }
}

static void assert_header(const struct record *record, const char *name, const char *value)
{
    struct record_header header;
    assert_true(record_header_find(record, name, &header));
    assert_int_equal(header.value_length, strlen(value));
    assert_memory_equal(header.value, value, header.value_length);
}

static void test_every_kind_arrives(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    int64_t before = clock_wall_us();
    for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
        send(&rig, kind, 7, 100 + kind);
    int seen[EVENT_KIND_COUNT] = {0}, all = 0;
    char traces[EVENT_KIND_COUNT][56] = {""};
    for (int64_t end = clock_mono_us() + PATIENCE; all < EVENT_KIND_COUNT && clock_mono_us() < end;) {
        int count = rig_poll(&rig, 100, SECOND);
        for (int i = 0; i < count; i++) {
            const struct record *record = &rig.records[i];
            struct event event, sent;
            struct codec_report report;
            assert_in_range(record->kind, 0, EVENT_KIND_COUNT - 1);
            seen[record->kind]++;
            all++;
            assert_true(codec_decode_record(record, &event, &report));
            rig_event(&sent, record->kind, 7, 100 + (unsigned)record->kind);
            assert_string_equal(event.id, sent.id);
            assert_int_equal(record->key_length, strlen(sent.device_id));
            assert_memory_equal(record->key, sent.device_id, record->key_length);
            int64_t produced = record_produced_us(record);
            assert_true(produced >= before && produced <= clock_wall_us());
            assert_true(record->arrived_us >= produced);
            assert_true(record->timestamp >= before / 1000 && record->timestamp <= clock_wall_us() / 1000);
            assert_header(record, RECORD_HEADER_SCHEMA, "1");
            struct record_header trace;
            assert_true(record_header_find(record, RECORD_HEADER_TRACE, &trace));
            assert_int_equal(trace.value_length, 55);
            memcpy(traces[record->kind], trace.value, 55);
            assert_memory_equal(trace.value, "00-", 3);
            assert_memory_equal(trace.value + 52, "-01", 3);
            assert_int_equal(strspn(traces[record->kind], "0123456789abcdef-"), 55);
        }
    }
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        assert_int_equal(seen[kind], 1);
        for (int other = 0; other < kind; other++)
            assert_string_not_equal(traces[kind], traces[other]);
    }
    struct producer_figures figures;
    assert_int_equal(producer_flush(rig.producer, PATIENCE, NULL), 0);
    producer_figures(rig.producer, &figures);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        assert_int_equal(figures.topics[kind].produced, 1);
        assert_int_equal(figures.topics[kind].acknowledged, 1);
        assert_int_equal(figures.topics[kind].failed, 0);
    }
    assert_int_equal(figures.kafka.state, KAFKA_UP);
    rig_close(&rig);
}

/* ---- at full speed into a slow reader -------------------------------------------------------------------
 */

#ifdef __SANITIZE_ADDRESS__
#define FLOOD 300000u
#else
#define FLOOD 600000u
#endif
#define FLOOD_DEVICES 97u

struct flood {
    struct rig *rig;
    atomic_bool stop;
    uint64_t consumed, disordered;
    unsigned long next[FLOOD_DEVICES]; /* sequence expected of a device */
    uint64_t digest;
};

/* Slow by honest work: small batches, every byte looked at more than once. */
static void flood_read(void *context)
{
    struct flood *flood = context;
    while (!atomic_load(&flood->stop) || !consumer_at_end(flood->rig->consumer)) {
        int count = rig_poll(flood->rig, 200, 10000);
        for (int i = 0; i < count; i++) {
            const struct record *record = &flood->rig->records[i];
            for (int pass = 0; pass < 4; pass++)
                for (size_t j = 0; j < record->value_length; j++)
                    flood->digest = flood->digest * 31 + (unsigned char)record->value[j];
            long sequence = rig_sequence(record);
            unsigned device = (unsigned)sequence % FLOOD_DEVICES;
            if (sequence < 0 || (unsigned long)sequence != flood->next[device])
                flood->disordered++;
            flood->next[device] = (unsigned long)sequence + FLOOD_DEVICES;
            flood->consumed++;
        }
    }
}

static void run_flood(struct flood *flood, struct rig *rig)
{
    /* Uncompressed, so that the broker's limit is as near as it can be. */
    rig_open(rig, (const char *const[]){"compression.codec=none", NULL});
    *flood = (struct flood){.rig = rig};
    for (unsigned i = 0; i < FLOOD_DEVICES; i++)
        flood->next[i] = i;
    struct worker *reader = worker_start("reader", flood_read, flood, NULL);
    assert_non_null(reader);
    struct event event;
    struct err err = ERR_INIT;
    for (unsigned i = 0; i < FLOOD; i++) {
        rig_event(&event, i % FLOOD_DEVICES % 2 ? EVENT_GPS : EVENT_VEHICLE, i % FLOOD_DEVICES, i);
        assert_int_equal(producer_send(rig->producer, &event, PATIENCE, &err), 0);
    }
    assert_int_equal(producer_flush(rig->producer, PATIENCE, &err), 0);
    atomic_store(&flood->stop, true);
    worker_join(reader);
}

static void test_nothing_is_lost_at_full_speed(void **state)
{
    (void)state;
    struct rig rig;
    struct flood flood;
    run_flood(&flood, &rig);
    struct producer_figures produced;
    struct consumer_figures *consumed = mem_alloc(sizeof *consumed);
    producer_figures(rig.producer, &produced);
    consumer_figures(rig.consumer, consumed);
    assert_int_equal(produced.topics[EVENT_VEHICLE].acknowledged + produced.topics[EVENT_GPS].acknowledged,
                     FLOOD);
    assert_int_equal(consumed->topics[EVENT_VEHICLE].gaps + consumed->topics[EVENT_GPS].gaps, 0);
    assert_int_equal(consumed->topics[EVENT_VEHICLE].consumed + consumed->topics[EVENT_GPS].consumed, FLOOD);
    assert_int_equal(flood.consumed, FLOOD);
    assert_int_equal(flood.disordered, 0);
    assert_true(produced.waits > 0); /* else the reader was not slow, and nothing was proved */
    assert_false(produced.held);
    free(consumed);
    rig_close(&rig);
}

/* The same without the hold-back loses records: the test above can fail. And what is lost is counted to the
 * last. */
static void test_losses_are_counted(void **state)
{
    (void)state;
    struct rig rig;
    /* The reader's own queue is short, so that it does not fetch ahead of what the broker lets go. */
    rig_open(&rig, (const char *const[]){"compression.codec=none", "queued.min.messages=1000",
                                         "queued.max.messages.kbytes=64", NULL});
    producer_expect_consumer(rig.producer, false);
    const unsigned count = 40000;
    for (unsigned i = 0; i < count; i++)
        send(&rig, EVENT_WEATHER, i % 9, i); /* one partition */
    assert_int_equal(producer_flush(rig.producer, PATIENCE, NULL), 0);
    uint64_t read = 0;
    for (int64_t end = clock_mono_us() + PATIENCE; clock_mono_us() < end && !consumer_at_end(rig.consumer);)
        read += (uint64_t)rig_poll(&rig, CONSUMER_BATCH, 50000);
    struct consumer_figures *figures = mem_alloc(sizeof *figures);
    consumer_figures(rig.consumer, figures);
    assert_true(figures->topics[EVENT_WEATHER].gaps > 0);
    assert_int_equal(figures->topics[EVENT_WEATHER].gaps + read, count);
    assert_int_equal(figures->topics[EVENT_WEATHER].consumed, read);
    assert_int_equal(figures->topics[EVENT_WEATHER].lag, 0);
    free(figures);
    rig_close(&rig);
}

/* ---- limits ---------------------------------------------------------------------------------------------
 */

static void test_full_queue_refuses(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, (const char *const[]){"queue.buffering.max.messages=50", NULL});
    broker_set_up(rig.broker, false);
    assert_true(rig_await_producer(&rig, KAFKA_DOWN, 5 * SECOND) >= 0);
    struct event event;
    struct err err = ERR_INIT;
    unsigned taken = 0;
    for (; taken < 100; taken++) {
        rig_event(&event, EVENT_VEHICLE, taken, taken);
        if (producer_send(rig.producer, &event, 0, &err) != 0)
            break;
    }
    assert_int_equal(taken, 49);
    assert_int_equal(err.kind, ERR_FULL);
    assert_true(err.retriable);
    struct producer_figures figures;
    producer_figures(rig.producer, &figures);
    assert_int_equal(figures.topics[EVENT_VEHICLE].produced, 49);
    assert_int_equal(figures.waits, 1);
    broker_set_up(rig.broker, true);
    /* Room comes with the first acknowledgements: the very event that was refused goes now. */
    assert_int_equal(producer_send(rig.producer, &event, PATIENCE, &err), 0);
    assert_int_equal(producer_flush(rig.producer, PATIENCE, &err), 0);
    producer_figures(rig.producer, &figures);
    assert_int_equal(figures.topics[EVENT_VEHICLE].acknowledged, 50);
    assert_true(figures.waited_us > 0);
    rig_close(&rig);
}

static void test_what_is_left_is_told(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    broker_set_up(rig.broker, false);
    for (unsigned i = 0; i < 10; i++)
        send(&rig, EVENT_GPS, i, i);
    assert_int_equal(producer_destroy(rig.producer, 100000), 10);
    rig.producer = NULL;
    consumer_destroy(rig.consumer);
    rig.consumer = NULL;
    rig_close(&rig);
}

/* Random bytes, which nothing compresses: each as large as may be, one after the other, all read. */
static void test_large_records(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    struct err err = ERR_INIT;
    size_t size = BROKER_RECORD_BYTES - 1000;
    uint32_t *value = mem_alloc(size + 4000);
    for (uint32_t i = 0, x = 1; i < size / 4 + 1000; i++)
        value[i] = x = x * 1664525u + 1013904223u;
    struct record record = {.kind = EVENT_TRAFFIC, .partition = -1, .value = (const char *)value};
    record.value_length = BROKER_RECORD_BYTES + 1;
    assert_int_equal(producer_send_record(rig.producer, &record, PATIENCE, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    record.value_length = size;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(producer_send_record(rig.producer, &record, PATIENCE, &err), 0);
        int count = 0;
        for (int64_t end = clock_mono_us() + PATIENCE; count == 0 && clock_mono_us() < end;)
            count = rig_poll(&rig, 10, SECOND);
        assert_int_equal(count, 1);
        assert_int_equal(rig.records[0].value_length, size);
        assert_memory_equal(rig.records[0].value, value, size);
    }
    free(value);
    rig_close(&rig);
}

static void test_records_are_replayed_as_they_were(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    struct err err = ERR_INIT;
    struct buf headers;
    buf_init(&headers, 4096);
    assert_true(record_headers_put(&headers, "ce_type", "uk.smartcity", 12));
    assert_true(record_headers_put(&headers, RECORD_HEADER_PRODUCED, "12", 2));
    assert_true(record_headers_put(&headers, "nothing", NULL, 0));
    static const char garbage[] = "\x1b]0;no\x07\xff{";
    struct record records[] = {
        {.kind = EVENT_GPS,
         .partition = 0,
         .key = "gps-1",
         .key_length = 5,
         .value = garbage,
         .value_length = sizeof garbage - 1,
         .headers = (const uint8_t *)headers.data,
         .headers_length = headers.length},
        {.kind = EVENT_WEATHER,
         .partition = 40,
         .key = NULL,
         .value = "{}",
         .value_length = 2}, /* no such partition */
        {.kind = EVENT_EMERGENCY,
         .partition = -1,
         .key = "i",
         .key_length = 1,
         .value = NULL}, /* tombstone */
    };
    for (int i = 0; i < 3; i++)
        assert_int_equal(producer_send_record(rig.producer, &records[i], PATIENCE, &err), 0);
    struct record foreign = {.kind = -1};
    assert_int_equal(producer_send_record(rig.producer, &foreign, PATIENCE, &err), -1);
    assert_int_equal(err.kind, ERR_UNSUPPORTED);
    int seen = 0;
    for (int64_t end = clock_mono_us() + PATIENCE; seen < 3 && clock_mono_us() < end;) {
        int count = rig_poll(&rig, 10, SECOND);
        for (int i = 0; i < count; i++, seen++) {
            const struct record *record = &rig.records[i];
            assert_true(record_produced_us(record) > 12);
            if (record->kind == EVENT_GPS) {
                assert_int_equal(record->partition, 0);
                assert_int_equal(record->value_length, sizeof garbage - 1);
                assert_memory_equal(record->value, garbage, sizeof garbage - 1);
                assert_header(record, "ce_type", "uk.smartcity");
                struct record_header header;
                assert_true(record_header_find(record, "nothing", &header));
                assert_null(header.value);
                int produced = 0;
                for (size_t position = 0; record_headers_next(record, &position, &header);)
                    produced += header.name_length == strlen(RECORD_HEADER_PRODUCED) &&
                                !memcmp(header.name, RECORD_HEADER_PRODUCED, header.name_length);
                assert_int_equal(produced, 1);
            } else if (record->kind == EVENT_WEATHER)
                assert_null(record->key);
            else
                assert_null(record->value);
        }
    }
    assert_int_equal(seen, 3);
    buf_free(&headers);
    rig_close(&rig);
}

/* ---- configuration --------------------------------------------------------------------------------------
 */

static void refuse(const char *property, const char *part, const char *never)
{
    struct err err = ERR_INIT;
    const char *properties[] = {"security.protocol=ssl", property};
    struct kafka_settings settings = {
        .bootstrap = "127.0.0.1:1", .properties = properties, .property_count = 2};
    assert_null(producer_create(&settings, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_non_null(strstr(err.text, part));
    if (never)
        assert_null(strstr(err.text, never));
    struct consumer_settings reading = {.kafka = settings, .group = "g"};
    assert_null(consumer_create(&reading, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
}

static void test_properties(void **state)
{
    (void)state;
    refuse("socket.timeot.ms=10", "socket.timeout.ms", NULL);
    refuse("socket.timeout.ms=ten", "socket.timeout.ms", NULL);
    refuse("=novalue", "KEY=VALUE", NULL);
    refuse("no-equals-sign-s3cret", "KEY=VALUE", "s3cret");
    refuse("ssl.key.pem=s3cret", "ssl.key.pem", "s3cret");
    refuse("ssl.keystore.location=/nowhere", "ssl.keystore.location", NULL);
    struct err err = ERR_INIT;
    assert_int_equal(kafka_property_check("sasl.password=anything", &err), 0);
    assert_int_equal(kafka_property_check("linger.ms=-4", &err), -1);
    struct kafka_settings none = {.bootstrap = NULL};
    assert_null(producer_create(&none, &err));
    assert_non_null(strstr(err.text, "--bootstrap"));
    assert_true(kafka_property_is_secret("ssl.key.password"));
    assert_true(kafka_property_is_secret("sasl.oauthbearer.client.secret"));
    assert_false(kafka_property_is_secret("client.id"));
}

/* The operator's word wins, also where librdkafka would refuse it together with our defaults. */
static void test_properties_win(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, (const char *const[]){"acks=1", "compression.codec=none", "message.max.bytes=2000", NULL});
    send(&rig, EVENT_VEHICLE, 1, 1);
    char value[3000];
    memset(value, 'y', sizeof value);
    struct record record = {.kind = EVENT_GPS, .partition = -1, .value = value, .value_length = sizeof value};
    struct err err = ERR_INIT;
    assert_int_equal(producer_send_record(rig.producer, &record, 0, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_int_equal(producer_flush(rig.producer, PATIENCE, &err), 0);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_arrives),
        cmocka_unit_test(test_nothing_is_lost_at_full_speed),
        cmocka_unit_test(test_losses_are_counted),
        cmocka_unit_test(test_full_queue_refuses),
        cmocka_unit_test(test_what_is_left_is_told),
        cmocka_unit_test(test_large_records),
        cmocka_unit_test(test_records_are_replayed_as_they_were),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_properties_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
