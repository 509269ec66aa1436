#include "base/buf.h"
#include "city/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_headers_round_trip(void **state)
{
    struct buf headers;
    buf_init(&headers, 1 << 20);
    assert_true(record_headers_put(&headers, "produced-at", "1768204800000001", 16));
    assert_true(record_headers_put(&headers, "null", NULL, 9));
    assert_true(record_headers_put(&headers, "", "", 0));
    struct record record = {.headers = (const uint8_t *)headers.data, .headers_length = headers.length};
    struct record_header header;
    size_t position = 0;
    assert_true(record_headers_next(&record, &position, &header));
    assert_memory_equal(header.name, "produced-at", 11);
    assert_int_equal(header.value_length, 16);
    assert_true(record_headers_next(&record, &position, &header));
    assert_null(header.value);
    assert_true(record_headers_next(&record, &position, &header));
    assert_int_equal(header.name_length, 0);
    assert_non_null(header.value);
    assert_int_equal(header.value_length, 0);
    assert_false(record_headers_next(&record, &position, &header));
    assert_int_equal(record_produced_us(&record), INT64_C(1768204800000001));
    assert_true(record_header_find(&record, "null", &header));
    assert_false(record_header_find(&record, "produced", &header));
    buf_free(&headers);
}

static void test_damaged_headers_end_the_walk(void **state)
{
    struct buf headers;
    buf_init(&headers, 1 << 20);
    record_headers_put(&headers, "traceparent", "00-abc", 6);
    struct record record = {.headers = (const uint8_t *)headers.data};
    struct record_header header;
    for (size_t length = 0; length < headers.length; length++) {
        size_t position = 0;
        record.headers_length = length;
        assert_false(record_headers_next(&record, &position, &header));
    }
    size_t position = 1000;
    record.headers_length = headers.length;
    assert_false(record_headers_next(&record, &position, &header));
    buf_free(&headers);
    buf_init(&headers, 20);
    assert_false(record_headers_put(&headers, "traceparent", "0123456789", 10));
    assert_int_equal(headers.length, 0); /* all or nothing */
    buf_free(&headers);
}

static void test_produced_time_is_checked(void **state)
{
    static const char *const bad[] = {"", "12x", "-1", "1234567890123456789"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf headers;
        buf_init(&headers, 1000);
        record_headers_put(&headers, RECORD_HEADER_PRODUCED, bad[i], strlen(bad[i]));
        struct record record = {.headers = (const uint8_t *)headers.data, .headers_length = headers.length};
        assert_int_equal(record_produced_us(&record), -1);
        buf_free(&headers);
    }
    struct record none = {0};
    assert_int_equal(record_produced_us(&none), -1);
}

static void test_batch_copies(void **state)
{
    char key[] = "car-1", value[] = "{}";
    struct record record = {.kind = EVENT_VEHICLE,
                            .partition = 3,
                            .offset = 42,
                            .key = key,
                            .key_length = 5,
                            .value = value,
                            .value_length = 2};
    struct record_batch *batch = record_batch_create(3, 16);
    assert_true(record_batch_add(batch, &record));
    key[0] = value[0] = 'X';
    record.value = NULL;
    record.key = NULL;
    assert_true(record_batch_add(batch, &record));
    record_batch_retain(batch);
    record_batch_release(batch);
    assert_int_equal(batch->count, 2);
    assert_int_equal(batch->bytes, 7);
    assert_memory_equal(batch->records[0].key, "car-1", 5);
    assert_memory_equal(batch->records[0].value, "{}", 2);
    assert_int_equal(batch->records[0].offset, 42);
    assert_null(batch->records[1].value); /* a tombstone stays one */
    assert_int_equal(batch->records[1].value_length, 0);
    record_batch_release(batch);
}

static void test_batch_is_bounded(void **state)
{
    char big[100];
    memset(big, 'b', sizeof big);
    struct record record = {.value = big, .value_length = 10};
    struct record_batch *batch = record_batch_create(2, 25);
    assert_true(record_batch_add(batch, &record));
    assert_true(record_batch_add(batch, &record));
    assert_false(record_batch_add(batch, &record)); /* count */
    record_batch_release(batch);
    batch = record_batch_create(9, 25);
    assert_true(record_batch_add(batch, &record));
    record.value_length = 16;
    assert_false(record_batch_add(batch, &record)); /* bytes */
    assert_int_equal(batch->count, 1);
    record_batch_release(batch);
    batch = record_batch_create(9, 25); /* larger than an empty batch */
    record.value_length = 100;
    assert_true(record_batch_add(batch, &record));
    assert_memory_equal(batch->records[0].value, big, 100);
    assert_false(record_batch_add(batch, &record));
    record_batch_release(batch);
    record_batch_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_round_trip),       cmocka_unit_test(test_damaged_headers_end_the_walk),
        cmocka_unit_test(test_produced_time_is_checked), cmocka_unit_test(test_batch_copies),
        cmocka_unit_test(test_batch_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
