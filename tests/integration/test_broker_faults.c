/* What happens when the broker does not: absent, refusing, hanging up, away and back, slow. */
#include "base/clock.h"
#include "base/err.h"
#include "tests/support/stream_rig.h"

#include <librdkafka/rdkafka.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND   1000000
#define PATIENCE (20 * SECOND)
/* An operator is told within two seconds; the tests allow a loaded machine a little more. */
#define TOLD (3 * SECOND)

struct tally {
    unsigned count, sent;
    unsigned char *seen; /* by sequence */
    unsigned distinct, repeated;
};

static void tally_open(struct tally *tally, unsigned count)
{
    *tally = (struct tally){.count = count, .seen = mem_zero(count, 1)};
}

/* At most once each; a full queue is fine, the event goes the next time. */
static void tally_send(struct tally *tally, struct rig *rig, unsigned upto)
{
    struct event event;
    while (tally->sent < upto && tally->sent < tally->count) {
        rig_event(&event, tally->sent % 2 ? EVENT_GPS : EVENT_VEHICLE, tally->sent % 31, tally->sent);
        if (producer_send(rig->producer, &event, 0, NULL) != 0)
            return;
        tally->sent++;
    }
}

static void tally_read(struct tally *tally, struct rig *rig, int64_t timeout_us)
{
    int count = rig_poll(rig, CONSUMER_BATCH, timeout_us);
    for (int i = 0; i < count; i++) {
        long sequence = rig_sequence(&rig->records[i]);
        assert_in_range(sequence, 0, tally->count - 1);
        if (tally->seen[sequence]++)
            tally->repeated++;
        else
            tally->distinct++;
    }
}

/* Sends and reads until all was read; then looks at the books. The mock does not remove what a producer sends
 * again after a lost answer, so a record may come twice; none may be missing. */
static void tally_close(struct tally *tally, struct rig *rig)
{
    for (int64_t end = clock_mono_us() + PATIENCE; tally->distinct < tally->count && clock_mono_us() < end;) {
        tally_send(tally, rig, tally->count);
        tally_read(tally, rig, 20000);
    }
    assert_int_equal(producer_flush(rig->producer, PATIENCE, NULL), 0);
    struct producer_figures produced;
    struct consumer_figures *consumed = mem_alloc(sizeof *consumed);
    producer_figures(rig->producer, &produced);
    consumer_figures(rig->consumer, consumed);
    if (tally->distinct != tally->count)
        rig_print_log(rig);
    assert_int_equal(tally->sent, tally->count);
    assert_int_equal(tally->distinct, tally->count);
    assert_int_equal(produced.topics[EVENT_VEHICLE].acknowledged + produced.topics[EVENT_GPS].acknowledged,
                     tally->count);
    assert_int_equal(produced.topics[EVENT_VEHICLE].failed + produced.topics[EVENT_GPS].failed, 0);
    assert_int_equal(consumed->topics[EVENT_VEHICLE].gaps + consumed->topics[EVENT_GPS].gaps, 0);
    free(consumed);
    free(tally->seen);
}

static void test_away_and_back(void **state)
{
    (void)state;
    struct rig rig;
    struct tally tally;
    rig_open(&rig, NULL);
    tally_open(&tally, 60000);
    assert_true(rig_await_consumer(&rig, KAFKA_UP, PATIENCE) >= 0);
    while (tally.distinct < 10000) {
        tally_send(&tally, &rig, tally.sent + 1000);
        tally_read(&tally, &rig, 10000);
    }
    for (int round = 0; round < 2; round++) {
        unsigned before = tally.distinct;
        tally_send(&tally, &rig, tally.sent + 3000); /* some of them on their way */
        broker_set_up(rig.broker, false);
        struct producer_figures produced;
        struct consumer_figures *consumed = mem_alloc(sizeof *consumed);
        int64_t start = clock_mono_us(), producer_us = -1, consumer_us = -1;
        while ((producer_us < 0 || consumer_us < 0) && clock_mono_us() - start < PATIENCE) {
            tally_read(&tally, &rig, 10000);
            producer_figures(rig.producer, &produced);
            consumer_figures(rig.consumer, consumed);
            if (producer_us < 0 && produced.kafka.state == KAFKA_DOWN)
                producer_us = clock_mono_us() - start;
            if (consumer_us < 0 && consumed->kafka.state == KAFKA_DOWN)
                consumer_us = clock_mono_us() - start;
        }
        print_message("# down is told after %lld ms (producer), %lld ms (consumer)\n",
                      (long long)producer_us / 1000, (long long)consumer_us / 1000);
        assert_in_range(producer_us, 0, TOLD);
        assert_in_range(consumer_us, 0, TOLD);
        assert_non_null(strstr(produced.kafka.detail, broker_bootstrap(rig.broker)));
        assert_non_null(strstr(consumed->kafka.detail, broker_bootstrap(rig.broker)));
        tally_send(&tally, &rig, tally.sent + 5000); /* kept until it is back */

        broker_set_up(rig.broker, true);
        start = clock_mono_us(), producer_us = -1, consumer_us = -1;
        int64_t flowing_us = -1;
        while ((producer_us < 0 || consumer_us < 0 || flowing_us < 0) && clock_mono_us() - start < PATIENCE) {
            tally_read(&tally, &rig, 10000);
            if (flowing_us < 0 && tally.distinct > before + 3000)
                flowing_us = clock_mono_us() - start;
            producer_figures(rig.producer, &produced);
            consumer_figures(rig.consumer, consumed);
            if (producer_us < 0 && produced.kafka.state == KAFKA_UP)
                producer_us = clock_mono_us() - start;
            if (consumer_us < 0 && consumed->kafka.state == KAFKA_UP)
                consumer_us = clock_mono_us() - start;
        }
        print_message("# back is told after %lld ms (producer), %lld ms (consumer), records after %lld ms\n",
                      (long long)producer_us / 1000, (long long)consumer_us / 1000,
                      (long long)flowing_us / 1000);
        assert_in_range(producer_us, 0, TOLD);
        assert_in_range(consumer_us, 0, TOLD);
        assert_in_range(flowing_us, 0, TOLD);
        assert_string_equal(produced.kafka.detail, "");
        free(consumed);
    }
    tally_close(&tally, &rig);
    rig_close(&rig);
}

static void test_idle_outage_is_told(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    assert_true(rig_await_producer(&rig, KAFKA_UP, PATIENCE) >= 0);
    assert_true(rig_await_consumer(&rig, KAFKA_UP, PATIENCE) >= 0);
    broker_set_up(rig.broker, false);
    assert_in_range(rig_await_producer(&rig, KAFKA_DOWN, PATIENCE), 0, TOLD);
    assert_in_range(rig_await_consumer(&rig, KAFKA_DOWN, PATIENCE), 0, TOLD);
    broker_set_up(rig.broker, true);
    assert_in_range(rig_await_consumer(&rig, KAFKA_UP, PATIENCE), 0, TOLD);
    assert_in_range(rig_await_producer(&rig, KAFKA_UP, PATIENCE), 0, TOLD);
    rig_close(&rig);
}

static void test_refused_requests(void **state)
{
    (void)state;
    static const int codes[] = {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                RD_KAFKA_RESP_ERR__TRANSPORT};
    struct rig rig;
    struct tally tally;
    rig_open(&rig, NULL);
    unsigned step = 4000, rounds = sizeof codes / sizeof codes[0];
    tally_open(&tally, step * (rounds + 1));
    for (unsigned round = 0; round < rounds; round++) {
        broker_fail_produce(rig.broker, codes[round], 3);
        int64_t end = clock_mono_us() + PATIENCE;
        while (tally.distinct < step * (round + 1) && clock_mono_us() < end) {
            tally_send(&tally, &rig, step * (round + 1));
            tally_read(&tally, &rig, 10000);
        }
        assert_int_equal(tally.distinct, step * (round + 1));
    }
    tally_close(&tally, &rig);
    rig_close(&rig);
}

static void test_refused_fetches(void **state)
{
    (void)state;
    struct rig rig;
    struct tally tally;
    rig_open(&rig, NULL);
    tally_open(&tally, 20000);
    tally_send(&tally, &rig, 5000);
    broker_fail_fetch(rig.broker, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 3);
    for (int64_t end = clock_mono_us() + PATIENCE; tally.distinct < 5000 && clock_mono_us() < end;)
        tally_read(&tally, &rig, 10000);
    tally_send(&tally, &rig, 10000);
    broker_fail_fetch(rig.broker, RD_KAFKA_RESP_ERR__TRANSPORT, 3);
    tally_close(&tally, &rig);
    rig_close(&rig);
}

static void test_refused_for_good(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    broker_fail_produce(rig.broker, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
    struct event event;
    rig_event(&event, EVENT_WEATHER, 1, 1);
    assert_int_equal(producer_send(rig.producer, &event, PATIENCE, NULL), 0);
    assert_int_equal(producer_flush(rig.producer, PATIENCE, NULL), 0);
    struct producer_figures figures;
    producer_figures(rig.producer, &figures);
    assert_int_equal(figures.topics[EVENT_WEATHER].produced, 1);
    assert_int_equal(figures.topics[EVENT_WEATHER].failed, 1);
    assert_int_equal(figures.topics[EVENT_WEATHER].acknowledged, 0);
    assert_int_equal(figures.kafka.state, KAFKA_DOWN);
    assert_non_null(strstr(figures.kafka.detail, "weather_data"));
    assert_non_null(strstr(figures.kafka.detail, "uthoriz"));
    assert_int_equal(producer_send(rig.producer, &event, PATIENCE, NULL), 0);
    assert_int_equal(producer_flush(rig.producer, PATIENCE, NULL), 0);
    producer_figures(rig.producer, &figures);
    assert_int_equal(figures.topics[EVENT_WEATHER].acknowledged, 1);
    assert_true(rig_await_producer(&rig, KAFKA_UP, PATIENCE) >= 0);
    rig_close(&rig);
}

static void test_slow_broker(void **state)
{
    (void)state;
    struct rig rig;
    struct tally tally;
    rig_open(&rig, NULL);
    broker_set_rtt(rig.broker, 150);
    tally_open(&tally, 20000);
    tally_close(&tally, &rig);
    rig_close(&rig);
}

/* ---- nobody there ---- */

static struct kafka_settings outside(const char *address, struct log *log)
{
    return (struct kafka_settings){.bootstrap = address, .log = log};
}

/* Until the producer says `part` in its detail; microseconds, or -1. */
static int64_t await_detail(struct producer *producer, const char *part, enum kafka_state state)
{
    struct producer_figures figures;
    int64_t start = clock_mono_us();
    while (clock_mono_us() - start < PATIENCE) {
        producer_figures(producer, &figures);
        if (figures.kafka.state == state && strstr(figures.kafka.detail, part))
            return clock_mono_us() - start;
        clock_sleep_until(clock_mono_us() + 5000);
    }
    print_message("# state %d, detail \"%s\"\n", figures.kafka.state, figures.kafka.detail);
    return -1;
}

/* A port that is ours, and on which nothing listens (yet). */
static int free_port(char address[40], int *fd)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof name;
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(*fd, (struct sockaddr *)&name, size) != 0 ||
        getsockname(*fd, (struct sockaddr *)&name, &size) != 0)
        return -1;
    snprintf(address, 40, "127.0.0.1:%d", ntohs(name.sin_port));
    return 0;
}

static void test_nobody_there(void **state)
{
    (void)state;
    char address[40];
    int fd;
    assert_int_equal(free_port(address, &fd), 0);
    struct log *log = log_create(100);
    struct err err = ERR_INIT;
    struct kafka_settings settings = outside(address, log);
    struct producer *producer = producer_create(&settings, &err);
    assert_non_null(producer); /* a state, not an error */
    assert_in_range(await_detail(producer, "nothing listens there", KAFKA_DOWN), 0, TOLD);
    struct event event;
    rig_event(&event, EVENT_GPS, 1, 1);
    assert_int_equal(producer_send(producer, &event, 50000, &err), -1); /* topics unknown: nothing is taken */
    assert_int_equal(err.kind, ERR_FULL);

    struct consumer_settings reading = {.kafka = settings, .from = CONSUMER_FROM_START};
    struct consumer *consumer = consumer_create(&reading, &err);
    assert_non_null(consumer);
    struct record records[4];
    struct consumer_figures *figures = mem_alloc(sizeof *figures);
    int64_t start = clock_mono_us();
    do {
        assert_int_equal(consumer_poll(consumer, records, 4, 20000, &err), 0);
        consumer_figures(consumer, figures);
    } while (figures->kafka.state != KAFKA_DOWN && clock_mono_us() - start < PATIENCE);
    assert_in_range(clock_mono_us() - start, 0, TOLD);
    assert_non_null(strstr(figures->kafka.detail, "nothing listens there"));
    assert_false(consumer_at_end(consumer));

    /* Something listens now, but is no broker and never answers. */
    assert_int_equal(listen(fd, 16), 0);
    free(figures);
    start = clock_mono_us();
    consumer_destroy(consumer);
    assert_int_equal(producer_destroy(producer, 100000), 0);
    assert_true(clock_mono_us() - start < 5 * SECOND);

    producer = producer_create(&settings, &err);
    assert_in_range(await_detail(producer, "has not answered", KAFKA_CONNECTING), 0, TOLD);
    producer_destroy(producer, 0);
    close(fd);
    log_destroy(log);
}

static void test_no_such_name(void **state)
{
    (void)state;
    struct log *log = log_create(100);
    struct kafka_settings settings = outside("no-such-host.invalid:9092", log);
    struct producer *producer = producer_create(&settings, NULL);
    assert_in_range(await_detail(producer, "cannot be resolved", KAFKA_DOWN), 0, PATIENCE);
    producer_destroy(producer, 0);
    log_destroy(log);
}

/* Plain text spoken to a TLS client, and what is missing and may not be made (the mock cannot make topics).
 */
static void test_wrong_words(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    struct err err = ERR_INIT;
    const char *const tls[] = {"security.protocol=ssl"};
    struct kafka_settings settings = outside(broker_bootstrap(rig.broker), rig.log);
    settings.properties = tls;
    settings.property_count = 1;
    struct producer *producer = producer_create(&settings, &err);
    assert_non_null(producer);
    assert_in_range(await_detail(producer, "TLS", KAFKA_DOWN), 0, PATIENCE);
    producer_destroy(producer, 0);

    settings = outside(broker_bootstrap(rig.broker), rig.log);
    settings.topic_prefix = "north.";
    producer = producer_create(&settings, &err);
    assert_in_range(await_detail(producer, "no topic north.vehicle_data and 4 more", KAFKA_DOWN), 0,
                    PATIENCE);
    struct producer_figures figures;
    producer_figures(producer, &figures);
    assert_non_null(strstr(figures.kafka.detail, "kafka-topics --bootstrap-server 127.0.0.1:"));
    producer_destroy(producer, 0);

    /* The topics that are there serve an outside producer as they are. */
    settings.topic_prefix = "";
    producer = producer_create(&settings, &err);
    struct event event;
    rig_event(&event, EVENT_VEHICLE, 1, 1);
    assert_int_equal(producer_send(producer, &event, PATIENCE, &err), 0);
    assert_int_equal(producer_destroy(producer, PATIENCE), 0);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_away_and_back),    cmocka_unit_test(test_idle_outage_is_told),
        cmocka_unit_test(test_refused_requests), cmocka_unit_test(test_refused_fetches),
        cmocka_unit_test(test_refused_for_good), cmocka_unit_test(test_slow_broker),
        cmocka_unit_test(test_nobody_there),     cmocka_unit_test(test_no_such_name),
        cmocka_unit_test(test_wrong_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
