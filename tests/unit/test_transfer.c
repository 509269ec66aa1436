#include "base/file.h"
#include "city/scan.h"
#include "store/transfer.h"
#include "tests/support/journeys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[128];
static struct buf line, scratch;

static int set_up(void **state)
{
    store_enter(folder);
    snprintf(path, sizeof path, "%s/a.sqlite", folder);
    buf_init(&line, 1 << 20);
    buf_init(&scratch, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    store_leave(folder);
    buf_free(&line);
    buf_free(&scratch);
    return 0;
}

static struct record plain_record(const char *value, size_t length)
{
    return (struct record){.kind = EVENT_VEHICLE,
                           .partition = 2,
                           .offset = 77,
                           .timestamp = 1767225600123,
                           .arrived_us = 1767225600124567,
                           .key = "v-1",
                           .key_length = 3,
                           .value = value,
                           .value_length = length};
}

static const char *write_line(const struct record *record)
{
    buf_reset(&line);
    assert_true(transfer_write_line(record, 1768205672000, &line));
    assert_null(strchr(line.data, '\n'));
    for (size_t i = 0; i < line.length; i++)
        assert_true((unsigned char)line.data[i] >= 0x20 && line.data[i] != 0x7f);
    return line.data;
}

static void assert_same(const struct record *a, const struct record *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->partition, b->partition);
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->timestamp, b->timestamp);
    assert_int_equal(a->arrived_us, b->arrived_us);
    assert_int_equal(a->key == NULL, b->key == NULL);
    assert_int_equal(a->value == NULL, b->value == NULL);
    assert_int_equal(a->key_length, b->key_length);
    assert_int_equal(a->value_length, b->value_length);
    assert_int_equal(a->headers_length, b->headers_length);
    assert_memory_equal(a->key ? a->key : "", b->key ? b->key : "", a->key_length);
    assert_memory_equal(a->value ? a->value : "", b->value ? b->value : "", a->value_length);
    if (a->headers_length)
        assert_memory_equal(a->headers, b->headers, a->headers_length);
}

/* Written and read back it is the very same; the whole line is JSON that any reader takes. */
static const char *round_trip(const struct record *record)
{
    struct record back;
    int64_t event_ms;
    char reason[160];
    struct scan scan;
    write_line(record);
    scan_open(&scan, line.data, line.length, 40);
    assert_true(scan_skip(&scan) && scan_close(&scan));
    if (!transfer_read_line(line.data, line.length, &back, &event_ms, &scratch, reason))
        fail_msg("%s in %s", reason, line.data);
    assert_int_equal(event_ms, 1768205672000);
    assert_same(record, &back);
    return line.data;
}

static void test_plain(void **state)
{
    struct record record = plain_record("{\"speed\":101.5}", 15);
    assert_string_equal(
        round_trip(&record),
        "{\"topic\":\"vehicle_data\",\"key\":\"v-1\",\"timestamp\":\"2026-01-12T08:14:32.000Z\","
        "\"partition\":2,\"offset\":77,\"kafkaTimestamp\":1767225600123,"
        "\"arrivedUs\":1767225600124567,\"value\":{\"speed\":101.5}}");
    /* What `simulate --stdout` prints: nothing that is not known. */
    record = (struct record){
        .kind = EVENT_GPS, .offset = -1, .key = "v-1", .key_length = 3, .value = "{}", .value_length = 2};
    buf_reset(&line);
    assert_true(transfer_write_own_line(&record, 1768205672000, &line));
    assert_string_equal(
        line.data,
        "{\"topic\":\"gps_data\",\"key\":\"v-1\",\"timestamp\":\"2026-01-12T08:14:32.000Z\",\"value\":{}}");
}

static void test_values(void **state)
{
    static const struct {
        const char *value;
        size_t length;
        bool raw; /* stands in the line as it is */
    } cases[] = {
        {"{\"a\":[1,2,{\"b\":null}]}", 22, true},
        {"{\"kept\" : 1.50}", 15, true}, /* byte for byte */
        {" {}", 3, false},               /* a reader would not keep the space */
        {"{} ", 3, false},
        {"\"text\"", 6, true},
        {"12", 2, true},
        {"null", 4, false}, /* would read as a tombstone */
        {"", 0, false},
        {"{\"a\":1}\n", 8, false},
        {"{\"a\":1}{", 8, false},
        {"not json", 8, false},
        {"\x1b[2J\x07", 5, false},
        {"{\"a\":\"\xc2\x9b\"}", 10, false},     /* C1 control, valid JSON */
        {"{\"a\":\"\xe2\x80\xae\"}", 11, false}, /* right-to-left override */
        {"{\"a\":\"\xc3\xa9\"}", 10, true},
        {"{\"a\":\"\xff\"}", 9, false},
        {"\0\1\2\xfe\xff", 5, false},
        {"quote \" and \\ and \xf0\x9f\x9a\x97 and \xf3\xa0\x80\xa1", 31,
         false}, /* a tag character, escaped by a pair */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record record = plain_record(cases[i].value, cases[i].length);
        round_trip(&record);
        bool raw = strstr(line.data, "\"encoding\"") == NULL;
        assert_int_equal(raw, cases[i].raw);
    }
    struct record tombstone = plain_record(NULL, 0);
    assert_non_null(strstr(round_trip(&tombstone), "\"value\":null"));
}

static void test_keys(void **state)
{
    static const struct {
        const char *key;
        size_t length;
    } keys[] = {{"", 0}, {"a\"b\\c\x1b", 6}, {"\xff\xfe", 2}, {"M\xc3\xbcnchen", 8}, {"nul\0inside", 10}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct record record = plain_record("{}", 2);
        record.key = keys[i].key;
        record.key_length = keys[i].length;
        round_trip(&record);
    }
    struct record none = plain_record("{}", 2);
    none.key = NULL;
    none.key_length = 0;
    round_trip(&none);
}

static void test_headers(void **state)
{
    struct buf headers;
    buf_init(&headers, 1 << 16);
    struct record record = plain_record("{}", 2);
    record_headers_put(&headers, "traceparent", "00-ab-cd-01", 11);
    record_headers_put(&headers, "empty", "", 0);
    record_headers_put(&headers, "null", NULL, 0);
    record_headers_put(&headers, "binary", "\xff\0\1", 3);
    record_headers_put(&headers, "esc\x1b\"", "\x1b[0m\"", 5);
    record.headers = (const uint8_t *)headers.data;
    record.headers_length = headers.length;
    assert_non_null(strstr(round_trip(&record),
                           "\"headers\":{\"traceparent\":\"00-ab-cd-01\",\"empty\":\"\",\"null\":null,"
                           "\"binary\":{\"base64\":\"/wAB\"}"));
    record_headers_put(&headers, "empty", "again", 5); /* a repeated name makes it an array */
    record.headers = (const uint8_t *)headers.data;
    record.headers_length = headers.length;
    assert_non_null(strstr(round_trip(&record), "\"headers\":[[\"traceparent\","));
    buf_free(&headers);
}

static void test_not_ours(void **state)
{
    struct record record = plain_record("{}", 2);
    record.kind = -1;
    assert_non_null(strstr(round_trip(&record), "\"topic\":null"));
}

static void test_full_buffer(void **state)
{
    struct record record = plain_record("{\"speed\":101.5}", 15);
    struct buf small;
    buf_init(&small, 230);
    assert_true(transfer_write_line(&record, 0, &small));
    size_t length = small.length;
    assert_false(transfer_write_line(&record, 0, &small));
    assert_int_equal(small.length, length);
    assert_int_equal(strlen(small.data), length);
    buf_free(&small);
}

static void read_text(const char *text, struct record *record, int64_t *event_ms)
{
    char reason[160];
    if (!transfer_read_line(text, strlen(text), record, event_ms, &scratch, reason))
        fail_msg("%s in %s", reason, text);
}

static void test_kcat(void **state)
{
    struct record record;
    int64_t event_ms;
    struct record_header header;
    read_text(
        "{\"topic\":\"gps_data\",\"partition\":1,\"offset\":42,\"tstype\":\"create\",\"ts\":1767225600123,"
        "\"broker\":0,\"headers\":[\"a\",\"1\",\"b\",null],\"key\":\"v-1\","
        "\"payload\":\"{\\\"id\\\":\\\"x\\\\u00e9\\\",\\\"timestamp\\\":\\\"2026-01-12T08:14:32.000Z\\\"}\"}",
        &record, &event_ms);
    assert_int_equal(record.kind, EVENT_GPS);
    assert_int_equal(record.partition, 1);
    assert_int_equal(record.offset, 42);
    assert_int_equal(record.timestamp, 1767225600123);
    assert_int_equal(record.arrived_us, 1767225600123000);
    assert_int_equal(event_ms, 1768205672000); /* the event's own time */
    static const char value[] = "{\"id\":\"x\\u00e9\",\"timestamp\":\"2026-01-12T08:14:32.000Z\"}";
    assert_int_equal(record.value_length, sizeof value - 1);
    assert_memory_equal(record.value, value, sizeof value - 1);
    assert_true(record_header_find(&record, "a", &header));
    assert_int_equal(header.value_length, 1);
    assert_true(record_header_find(&record, "b", &header));
    assert_null(header.value);
    read_text("{\"topic\":\"gps_data\",\"ts\":1767225600123,\"key\":null,\"payload\":null}", &record,
              &event_ms);
    assert_null(record.key);
    assert_null(record.value);
    assert_int_equal(event_ms, 1767225600123);
    read_text("{\"topic\":\"gps_data\",\"tstype\":\"unknown\",\"ts\":-1,\"payload\":\"x\"}", &record,
              &event_ms);
    assert_int_equal(record.timestamp, 0);
}

static void test_liberal(void **state)
{
    struct record record;
    int64_t event_ms;
    read_text("{\"value\":{},\"unknown\":{\"deep\":[1]},\"timestamp\":\"2026-01-12 "
              "09:14:32+01:00\",\"topic\":\"gps_data\"}",
              &record, &event_ms);
    assert_int_equal(event_ms, 1768205672000);
    assert_int_equal(record.arrived_us, 1768205672000000);
    assert_int_equal(record.offset, -1);
    read_text("{\"topic\":\"gps_data\",\"timestamp\":5,\"value\":1}", &record, &event_ms);
    assert_int_equal(event_ms, 5);
}

static void test_bad_lines(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "not a JSON object"},
        {"[]", "not a JSON object"},
        {"{\"topic\":\"gps_data\"", "too early"},
        {"{\"topic\":\"gps_data\",\"value\":{}} x", "behind the end"},
        {"{\"value\":{}}", "no \"topic\""},
        {"{\"topic\":7,\"value\":{}}", "not a string"},
        {"{\"topic\":\"orders\",\"value\":{}}", "\"orders\" is none of ours"},
        {"{\"topic\":\"gps_data\"}", "no \"value\""},
        {"{\"topic\":\"gps_data\",\"value\":{},\"timestamp\":\"yesterday\"}", "RFC 3339"},
        {"{\"topic\":\"gps_data\",\"value\":{},\"timestamp\":1e400}", "RFC 3339"},
        {"{\"topic\":\"gps_data\",\"value\":{},\"partition\":99999999999}", "partition"},
        {"{\"topic\":\"gps_data\",\"value\":{},\"offset\":\"7\"}", "offset"},
        {"{\"topic\":\"gps_data\",\"value\":{},\"offset\":1.5}", "offset"},
        {"{\"topic\":\"gps_data\",\"value\":{},\"arrivedUs\":\"noon\"}", "arrivedUs"},
        {"{\"topic\":\"gps_data\",\"value\":{},\"kafkaTimestamp\":9223372036854775807}", "milliseconds"},
        {"{\"topic\":\"gps_data\",\"value\":{},\"encoding\":\"base64\"}", "not a string"},
        {"{\"topic\":\"gps_data\",\"value\":\"***\",\"encoding\":\"base64\"}", "Base64"},
        {"{\"topic\":\"gps_data\",\"value\":\"x\",\"encoding\":\"rot13\"}", "encoding"},
        {"{\"topic\":\"gps_data\",\"value\":{},\"key\":5}", "\"key\""},
        {"{\"topic\":\"gps_data\",\"value\":{},\"key\":\"*\",\"keyEncoding\":\"base64\"}", "\"key\""},
        {"{\"topic\":\"gps_data\",\"value\":{},\"headers\":\"x\"}", "headers"},
        {"{\"topic\":\"gps_data\",\"value\":{},\"headers\":[\"a\"]}", "headers"},
        {"{\"topic\":\"gps_data\",\"value\":{},\"headers\":{\"a\":1}}", "headers"},
        {"{\"topic\":\"gps_data\",\"value\":{},\"headers\":[[\"a\",\"b\",\"c\"]]}", "headers"},
        {"{\"topic\":\"\\u001b[2J\",\"value\":{}}", "none of ours"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record record;
        int64_t event_ms;
        char reason[160];
        assert_false(
            transfer_read_line(cases[i].text, strlen(cases[i].text), &record, &event_ms, &scratch, reason));
        if (!strstr(reason, cases[i].reason))
            fail_msg("%s: %s", cases[i].text, reason);
        assert_null(strchr(reason, 0x1b));
    }
    /* Nested far too deep. */
    char *deep = malloc(200000);
    memset(deep, '[', 200000);
    memcpy(deep, "{\"topic\":\"gps_data\",\"value\":", 28);
    struct record record;
    int64_t event_ms;
    char reason[160];
    assert_false(transfer_read_line(deep, 200000, &record, &event_ms, &scratch, reason));
    assert_non_null(strstr(reason, "deep"));
    free(deep);
}

/* ---- files ---- */

static struct journey_writer *new_writer(const char *name)
{
    struct err err = ERR_INIT;
    char file[160];
    snprintf(file, sizeof file, "%s/%s", folder, name);
    struct journey_settings settings = {.path = file, .name = "imported"};
    struct journey_writer *writer = journey_create(&settings, &err);
    if (!writer)
        fail_msg("%s", err.text);
    return writer;
}

static void test_file_round_trip(void **state)
{
    struct err err = ERR_INIT;
    struct transfer_figures figures;
    store_journey(path, 3000);
    struct journey_reader *reader = journey_open(path, &err);
    FILE *file = tmpfile();
    assert_int_equal(transfer_export(reader, file, &figures, &err), 0);
    assert_int_equal(figures.records, 3000);
    assert_int_equal(figures.bytes, ftell(file));
    journey_reader_close(reader);
    rewind(file);
    struct journey_writer *writer = new_writer("b.sqlite");
    assert_int_equal(transfer_import(file, writer, &figures, &err), 0);
    assert_int_equal(figures.records, 3000);
    assert_int_equal(figures.bad, 0);
    assert_int_equal(journey_close(writer, &err), 0);
    fclose(file);

    char other[160];
    snprintf(other, sizeof other, "%s/b.sqlite", folder);
    reader = journey_open(other, &err);
    struct record record;
    int64_t event_ms, position_us;
    for (int64_t i = 0; i < 3000; i++) {
        assert_int_equal(journey_next(reader, &record, &event_ms, &position_us, &err), 1);
        assert_int_equal(store_check(&record, event_ms), i);
    }
    assert_int_equal(journey_next(reader, &record, &event_ms, &position_us, &err), 0);
    journey_reader_close(reader);
}

static void import(const char *text, size_t length, struct transfer_figures *figures)
{
    struct err err = ERR_INIT;
    static int number;
    char name[32];
    snprintf(name, sizeof name, "import-%d.sqlite", ++number);
    FILE *file = fmemopen((void *)(uintptr_t)text, length, "r");
    struct journey_writer *writer = new_writer(name);
    assert_int_equal(transfer_import(file, writer, figures, &err), 0);
    fclose(file);
    assert_int_equal(journey_close(writer, &err), 0);
}

static void test_import_lines(void **state)
{
#define GOOD "{\"topic\":\"gps_data\",\"timestamp\":1,\"value\":{}}"
    struct transfer_figures figures;
    static const char text[] = "\xEF\xBB\xBF" GOOD "\r\n\n  \n" GOOD "\nrubbish \x1b[2J\n" GOOD "\n{}\n" GOOD;
    import(text, sizeof text - 1, &figures);
    assert_int_equal(figures.records, 4);
    assert_int_equal(figures.bad, 2);
    assert_non_null(strstr(figures.first_bad, "line 5: not a JSON object"));
    assert_null(strchr(figures.first_bad, 0x1b));
    assert_int_equal(figures.bytes,
                     sizeof text); /* the last line's newline is counted though it is not there */

    static const char nul[] = "\0\n" GOOD "\n";
    import(nul, sizeof nul - 1, &figures);
    assert_int_equal(figures.records, 1);
    assert_int_equal(figures.bad, 1);
}

static void test_import_long_line(void **state)
{
    struct transfer_figures figures;
    size_t length = TRANSFER_LINE_LIMIT + 100000;
    char *text = malloc(length + 200);
    memset(text, ' ', length);
    memcpy(text, "{", 1);
    size_t end = length;
    text[end++] = '\n';
    memcpy(text + end, GOOD "\n", sizeof GOOD);
    end += sizeof GOOD;
    import(text, end, &figures);
    assert_int_equal(figures.records, 1);
    assert_int_equal(figures.bad, 1);
    assert_string_equal(figures.first_bad, "line 1: longer than 8 MiB");
    free(text);
}

static void test_import_full_disk(void **state)
{
    store_disk_install();
    struct err err = ERR_INIT;
    struct transfer_figures figures;
    struct journey_writer *writer = new_writer("full.sqlite");
    store_disk_full(true);
    FILE *file = tmpfile();
    /* More than the writer keeps in memory. */
    char *value = malloc(400001);
    uint64_t noise = 1;
    for (int i = 0; i < 60; i++) {
        for (int n = 0; n < 400000; n++) {
            noise ^= noise << 13, noise ^= noise >> 7, noise ^= noise << 17;
            value[n] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[noise % 64];
        }
        value[400000] = '\0';
        fprintf(file, "{\"topic\":\"gps_data\",\"timestamp\":1,\"value\":\"%s\"}\n", value);
    }
    rewind(file);
    assert_int_equal(transfer_import(file, writer, &figures, &err), -1);
    assert_int_equal(err.kind, ERR_FULL);
    assert_true(figures.records > 10 && figures.records < 60);
    assert_int_equal(figures.bad, 0);
    store_disk_full(false);
    assert_int_equal(journey_close(writer, &err), 0);
    fclose(file);
    free(value);
}

static void test_export_refused(void **state)
{
    struct err err = ERR_INIT;
    struct transfer_figures figures;
    store_journey(path, 3000);
    struct journey_reader *reader = journey_open(path, &err);
    FILE *file = fopen("/dev/full", "w");
    assert_int_equal(transfer_export(reader, file, &figures, &err), -1);
    assert_int_equal(err.kind, ERR_FULL);
    fclose(file);
    journey_reader_close(reader);
}

int main(void)
{
#define with_folder(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        with_folder(test_plain),
        with_folder(test_values),
        with_folder(test_keys),
        with_folder(test_headers),
        with_folder(test_not_ours),
        with_folder(test_full_buffer),
        with_folder(test_kcat),
        with_folder(test_liberal),
        with_folder(test_bad_lines),
        with_folder(test_file_round_trip),
        with_folder(test_import_lines),
        with_folder(test_import_long_line),
        with_folder(test_import_full_disk),
        with_folder(test_export_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
