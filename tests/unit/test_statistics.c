/* librdkafka's report as figures, latency percentiles, and names. */
#include "base/err.h"
#include "stream/latency.h"
#include "stream/statistics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Shortened from a report of librdkafka 2.0.2. */
static const char report[] =
    "{\"name\":\"smartcity#consumer-2\",\"type\":\"consumer\",\"ts\":5016483227792,\"time\":1527060869,"
    "\"msg_cnt\":22,\"msg_size\":1100,\"msg_max\":100000,\"msg_size_max\":16777216,"
    "\"txmsgs\":7,\"txmsg_bytes\":70,\"rxmsgs\":4300,\"rxmsg_bytes\":430000,"
    "\"brokers\":{"
    "\"localhost:9093/3\":{\"name\":\"localhost:9093/3\",\"nodeid\":3,\"nodename\":\"localhost:9093\","
    "\"source\":\"learned\",\"state\":\"UP\",\"outbuf_cnt\":1,\"outbuf_msg_cnt\":2,\"waitresp_cnt\":0,"
    "\"txidle\":9000000,\"rxidle\":9000000,\"rtt\":{\"p50\":1580,\"p99\":3389}},"
    "\"localhost:9092/2\":{\"name\":\"localhost:9092/2\",\"nodeid\":2,\"nodename\":\"localhost:9092\","
    "\"source\":\"learned\",\"state\":\"DOWN\",\"outbuf_cnt\":0,\"outbuf_msg_cnt\":0,\"waitresp_cnt\":1,"
    "\"txidle\":9000000,\"rxidle\":9000000,\"rtt\":{\"p50\":0,\"p99\":0}},"
    "\"GroupCoordinator\":{\"name\":\"GroupCoordinator\",\"nodeid\":3,\"nodename\":\"localhost:9093\","
    "\"source\":\"logical\",\"state\":\"UP\",\"waitresp_cnt\":1,\"txidle\":2900000,\"rxidle\":2900000},"
    "\"boot\":{\"name\":\"boot\",\"nodeid\":-1,\"nodename\":\"\",\"source\":\"configured\",\"state\":"
    "\"INIT\"}},"
    "\"topics\":{"
    "\"x.gps_data\":{\"topic\":\"x.gps_data\",\"partitions\":{"
    "\"1\":{\"partition\":1,\"leader\":3,\"app_offset\":-1001,\"next_offset\":40,\"committed_offset\":-1001,"
    "\"lo_offset\":-1001,\"hi_offset\":-1001,\"consumer_lag\":-1},"
    "\"0\":{\"partition\":0,\"leader\":2,\"app_offset\":90,\"next_offset\":95,\"committed_offset\":80,"
    "\"lo_offset\":5,\"hi_offset\":100,\"consumer_lag\":10},"
    "\"-1\":{\"partition\":-1,\"leader\":-1}}},"
    "\"x.vehicle_data\":{\"topic\":\"x.vehicle_data\",\"partitions\":{"
    "\"0\":{\"partition\":0,\"leader\":3,\"app_offset\":1,\"committed_offset\":1,\"lo_offset\":0,\"hi_"
    "offset\":1,"
    "\"consumer_lag\":0}}},"
    "\"vehicle_data\":{\"topic\":\"vehicle_data\",\"partitions\":{\"0\":{\"partition\":0}}}},"
    "\"cgrp\":{\"state\":\"up\",\"join_state\":\"steady\",\"rebalance_cnt\":2}}";

static void test_report(void **state)
{
    (void)state;
    struct statistics *statistics = mem_alloc(sizeof *statistics);
    struct err err = ERR_INIT;
    assert_int_equal(statistics_parse(report, strlen(report), "x.", statistics, &err), 0);
    assert_int_equal(statistics->queue_messages, 22);
    assert_int_equal(statistics->queue_limit, 16777216);
    assert_int_equal(statistics->received_messages, 4300);
    assert_true(statistics->any_up);
    assert_string_equal(statistics->silent, ""); /* neither the broker that is down nor the coordinator */
    assert_int_equal(statistics->broker_count, 2);
    assert_int_equal(statistics->brokers[0].id, 2);
    assert_false(statistics->brokers[0].up);
    assert_string_equal(statistics->brokers[1].name, "localhost:9093");
    assert_true(statistics->brokers[1].up);
    assert_true(statistics->brokers[1].rtt_p50_ms > 1.57 && statistics->brokers[1].rtt_p50_ms < 1.59);
    assert_int_equal(statistics->brokers[1].out_queue, 3);
    assert_int_equal(statistics->partition_count, 3); /* with the prefix, by kind and number */
    const struct kafka_partition_figures *partitions = statistics->partitions;
    assert_int_equal(partitions[0].kind, EVENT_VEHICLE);
    assert_int_equal(partitions[1].kind, EVENT_GPS);
    assert_int_equal(partitions[1].partition, 0);
    assert_int_equal(partitions[1].position, 90);
    assert_int_equal(partitions[1].committed, 80);
    assert_int_equal(partitions[1].low, 5);
    assert_int_equal(partitions[1].high, 100);
    assert_int_equal(partitions[1].lag, 10);
    assert_int_equal(partitions[1].leader, 2);
    assert_int_equal(partitions[2].position, 40);
    assert_int_equal(partitions[2].committed, -1);
    assert_int_equal(partitions[2].high, -1);
    assert_string_equal(statistics->member_state, "steady");
    assert_int_equal(statistics->rebalances, 2);
    free(statistics);
}

static void test_silent_broker(void **state)
{
    (void)state;
    struct statistics *statistics = mem_alloc(sizeof *statistics);
    char text[sizeof report];
    memcpy(text, report, sizeof report);
    memcpy(strstr(text, "\"waitresp_cnt\":0"), "\"waitresp_cnt\":4", 16);
    assert_int_equal(statistics_parse(text, strlen(text), "x.", statistics, NULL), 0);
    assert_string_equal(statistics->silent, "localhost:9093");
    assert_int_equal(statistics->silent_us, 9000000);
    free(statistics);
}

static void test_damaged_reports(void **state)
{
    (void)state;
    struct statistics *statistics = mem_alloc(sizeof *statistics);
    struct err err = ERR_INIT;
    for (size_t length = 0; length < strlen(report); length += 13) {
        assert_int_equal(statistics_parse(report, length, "", statistics, &err), -1);
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
    static const char *const odd[] = {
        "{}", "{\"brokers\":[],\"topics\":7,\"cgrp\":null}",
        "{\"brokers\":{\"a\":3,\"b\":{\"state\":1}},\"topics\":{\"gps_data\":[]}}",
        "{\"topics\":{\"gps_data\":{\"partitions\":{\"0\":0,\"1\":{\"partition\":\"1\"}}}}}"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_int_equal(statistics_parse(odd[i], strlen(odd[i]), NULL, statistics, &err), 0);
        assert_int_equal(statistics->partition_count, 0);
        assert_false(statistics->any_up);
    }
    free(statistics);
}

static void test_more_than_fits(void **state)
{
    (void)state;
    size_t size = 200000, at = 0;
    char *text = mem_alloc(size);
    at += (size_t)snprintf(text + at, size - at, "{\"brokers\":{");
    for (int i = 0; i < 40; i++)
        at += (size_t)snprintf(text + at, size - at, "%s\"b%d\":{\"nodeid\":%d,\"state\":\"UP\"}",
                               i ? "," : "", i, i);
    at += (size_t)snprintf(text + at, size - at, "},\"topics\":{\"gps_data\":{\"partitions\":{");
    for (int i = 0; i < 300; i++)
        at += (size_t)snprintf(text + at, size - at, "%s\"%d\":{\"partition\":%d}", i ? "," : "", i, i);
    at += (size_t)snprintf(text + at, size - at, "}}}}");
    struct statistics *statistics = mem_alloc(sizeof *statistics);
    assert_int_equal(statistics_parse(text, at, "", statistics, NULL), 0);
    assert_int_equal(statistics->broker_count, KAFKA_BROKERS);
    assert_int_equal(statistics->broker_extra, 40 - KAFKA_BROKERS);
    assert_int_equal(statistics->partition_count, KAFKA_PARTITIONS);
    assert_int_equal(statistics->partition_extra, 300 - KAFKA_PARTITIONS);
    free(statistics);
    free(text);
}

static void test_latency(void **state)
{
    (void)state;
    struct latency latency = {0};
    assert_true(latency_ms(&latency, 0.5) == 0);
    for (int i = 1; i <= 1000; i++)
        latency_add(&latency, i * 100); /* 0.1 to 100 ms */
    static const struct {
        double share, ms;
    } expected[] = {{0.5, 50}, {0.95, 95}, {0.99, 99}, {1.0, 100}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        double ms = latency_ms(&latency, expected[i].share);
        assert_true(ms > expected[i].ms * 0.87 && ms < expected[i].ms * 1.13);
    }
    struct latency extremes = {0};
    latency_add(&extremes, -5);
    latency_add(&extremes, 0);
    latency_add(&extremes, INT64_MAX);
    assert_int_equal(extremes.total, 3);
    assert_true(latency_ms(&extremes, 0.1) < 0.002);
    assert_true(latency_ms(&extremes, 1.0) > 1e6);
}

static void test_names(void **state)
{
    (void)state;
    char topic[KAFKA_TOPIC_SIZE];
    struct kafka_settings settings = {.topic_prefix = "north."};
    assert_string_equal(kafka_topic(&settings, EVENT_GPS, topic), "north.gps_data");
    settings.embedded = true;
    assert_string_equal(kafka_topic(&settings, EVENT_GPS, topic), "gps_data");
    assert_int_equal(kafka_kind("north.", "north.weather_data"), EVENT_WEATHER);
    assert_int_equal(kafka_kind("north.", "weather_data"), -1);
    assert_int_equal(kafka_kind("north.", "north"), -1);
    assert_int_equal(kafka_kind("", "weather_data"), EVENT_WEATHER);
    assert_int_equal(kafka_kind(NULL, "vehicle_datas"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report),          cmocka_unit_test(test_silent_broker),
        cmocka_unit_test(test_damaged_reports), cmocka_unit_test(test_more_than_fits),
        cmocka_unit_test(test_latency),         cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
