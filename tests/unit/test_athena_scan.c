/* Row groups of Parquet files, the engine's filters against their bounds, values for '?'. */
#include "base/buf.h"
#include "localcloud/athena_bounds.h"
#include "localcloud/athena_parameters.h"
#include "tests/unit/parquet_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char *footer(size_t *length)
{
    const unsigned char *tail = PARQUET_TYPES + sizeof PARQUET_TYPES - PARQUET_TAIL;
    *length = parquet_footer_length(tail, PARQUET_TYPES_SIZE);
    assert_true(*length > 0 && *length + PARQUET_TAIL <= sizeof PARQUET_TYPES);
    return tail - *length;
}

static void row_groups(void **state)
{
    struct parquet_file file;
    struct err err = ERR_INIT;
    size_t length;
    const unsigned char *bytes = footer(&length);
    assert_int_equal(parquet_file_read(&file, bytes, length, &err), 0);
    assert_int_equal(file.group_count, 1);
    assert_string_equal(file.leaves[0].name, "on");
    int64_t sum = 0;
    bool nested = false;
    for (size_t i = 0; i < file.leaf_count; i++) {
        sum += file.groups[0].chunks[i].bytes;
        nested |= strchr(file.leaves[i].name, '.') != NULL;
    }
    assert_true(sum > 0 && sum < PARQUET_TYPES_SIZE);
    assert_true(nested);
    parquet_file_free(&file);
    /* cut anywhere it is an error or less, never worse */
    for (size_t i = 0; i < length; i++) {
        unsigned char *copy = mem_alloc(length);
        memcpy(copy, bytes, length);
        if (parquet_file_read(&file, copy, i, NULL) == 0)
            parquet_file_free(&file);
        copy[i] ^= 0x55;
        if (parquet_file_read(&file, copy, length, NULL) == 0)
            parquet_file_free(&file);
        free(copy);
    }
    assert_int_equal(parquet_footer_length((const unsigned char *)"\xff\xff\xff\x7fPAR1", 1000), 0);
    assert_int_equal(parquet_footer_length((const unsigned char *)"\x01\0\0\0PAR2", 1000), 0);
}

static void filters(void **state)
{
    struct parquet_leaf leaves[] = {
        {(char *)(uintptr_t) "id", PARQUET_INT},    {(char *)(uintptr_t) "speed", PARQUET_DOUBLE},
        {(char *)(uintptr_t) "name", PARQUET_TEXT}, {(char *)(uintptr_t) "day", PARQUET_DATE},
        {(char *)(uintptr_t) "at", PARQUET_MILLIS}, {(char *)(uintptr_t) "price", PARQUET_UNORDERED},
        {(char *)(uintptr_t) "none", PARQUET_INT}};
    struct parquet_chunk chunks[] = {
        {.bounded = true, .low = 10, .high = 20},
        {.bounded = true, .low_double = -1.5, .high_double = 2.5},
        {.bounded = true, .low_text = "b", .high_text = "dx", .low_length = 1, .high_length = 2},
        {.bounded = true, .low = 20454, .high = 20460},                 /* 2026-01-01 to 2026-01-07 */
        {.bounded = true, .low = 1767225600000, .high = 1767225600500}, /* 2026-01-01 00:00:00 */
        {.bounded = true, .low = 1, .high = 2},
        {.bounded = false}};
    struct parquet_file file = {.leaves = leaves, .leaf_count = 7};
    struct parquet_group group = {.rows = 1, .chunks = chunks};
    static const struct {
        const char *filter;
        bool pass;
    } cases[] = {{"id=10", true},
                 {"id=9", false},
                 {"id=21", false},
                 {"id!=15", true},
                 {"id<10", false},
                 {"id<=10", true},
                 {"id>20", false},
                 {"id>=20", true},
                 {"ID > 20", false},
                 {"id>=21 AND id<30", false},
                 {"(id>=21 AND id<30)", false},
                 {"id>=11 AND id<12", true},
                 {"id=9 OR id=10", true},
                 {"id=9 OR id=8", true}, /* not understood */
                 {"id IN (1, 2)", false},
                 {"id IN (1, 12)", true},
                 {"optional: id IN (1, 2)", false},
                 {"id IN (1, 'x')", true},
                 {"id=1.5", true}, /* no integer */
                 {"id=99999999999999999999", true},
                 {"id IS NOT NULL", true},
                 {"(id + 1) = 2", true},
                 {"identity=1", true},
                 {"speed>2.5", false},
                 {"speed<-1.5", false},
                 {"speed=0", true},
                 {"name='c'", true},
                 {"name='a'", false},
                 {"name='e'", false},
                 {"name='d'' OR'", true},
                 {"name='it''s' AND id=1", false},
                 {"name!='b'", true},
                 {"name=3", true},
                 {"day='2026-01-08'::DATE", false},
                 {"day='2026-01-07'::DATE", true},
                 {"day<'2026-01-01'::DATE", false},
                 {"day='2026'::DATE", true},
                 {"at='2026-01-01 00:00:00.25'::TIMESTAMP", true},
                 {"at>'2026-01-01 00:00:00.5'::TIMESTAMP", false},
                 {"at<'2026-01-01 00:00:00'::TIMESTAMP", false},
                 {"at>='2026-01-01 00:00:01'::TIMESTAMP AND at<'2026-01-02 00:00:00'::TIMESTAMP", false},
                 {"price=5", true},
                 {"none=5", true},
                 {"", true},
                 {"id=", true},
                 {"name='", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (athena_bounds_pass(&file, &group, cases[i].filter) != cases[i].pass)
            fail_msg("%s", cases[i].filter);
    assert_true(athena_bounds_mention("(a.id > 5)", "id", 2));
    assert_false(athena_bounds_mention("(a.idx > 5 AND _id = 1)", "id", 2));
}

static void parameters(void **state)
{
    static const struct {
        const char *text, *values, *want; /* want NULL: refused */
    } cases[] = {{"SELECT ?, '?' -- ?\n, ?", "[\"1\", \"'a'\"]", "SELECT 1, '?' -- ?\n, 'a'"},
                 {"SELECT ?", "[\"1 + 2\"]", "SELECT (1 + 2)"},
                 {"SELECT ?", "[\"-5\"]", "SELECT -5"},
                 {"SELECT ?", "[\"1 -- x\"]", "SELECT 1"},
                 {"SELECT ?", "[\"DATE '2026-01-01'\"]", "SELECT (DATE '2026-01-01')"},
                 {"SELECT 1", "[]", "SELECT 1"},
                 {"SELECT ?", "[\"f(1, 2)\"]", "SELECT (f ( 1 , 2 ))"},
                 {"SELECT ?", "[]", NULL},
                 {"SELECT 1", "[\"1\"]", NULL},
                 {"SELECT ?", "[\"1, 2\"]", NULL},
                 {"SELECT ?", "[\"1) UNION SELECT (2\"]", NULL},
                 {"SELECT ?", "[\"1; SELECT 2\"]", NULL},
                 {"SELECT ?", "[\"?\"]", NULL},
                 {"SELECT ?", "[\"'a\"]", NULL},
                 {"SELECT ?", "[\"-- nothing\"]", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct athena_failure failure = {0};
        json_t *values = json_loads(cases[i].values, 0, NULL);
        char *text = athena_parameters_apply(cases[i].text, values, &failure);
        if (!cases[i].want != !text || (text && strcmp(text, cases[i].want) != 0))
            fail_msg("%s with %s: %s", cases[i].text, cases[i].values, text ? text : failure.text);
        assert_true(text || *failure.kind);
        free(text);
        json_decref(values);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(row_groups), cmocka_unit_test(filters),
                                       cmocka_unit_test(parameters)};
    return cmocka_run_group_tests_name("athena scan", tests, NULL, NULL);
}
