/* Kept results: what was written is read again, nulls and hostile bytes included; files of other kinds. */
#include "store/results_export.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int64_t write_rows(struct results *results, int rows)
{
    struct err err = ERR_INIT;
    const struct result_column columns[] = {{"n", "bigint", RESULT_INT}, {"t", "varchar", RESULT_TEXT}};
    struct result_writer *writer = results_begin(results, "athena", "LOCAL", "SELECT\n  1", 1000, &err);
    assert_non_null(writer);
    int64_t id = result_writer_id(writer);
    assert_int_equal(result_writer_columns(writer, columns, 2, &err), 0);
    for (int i = 0; i < rows; i++) {
        char text[16];
        int length = snprintf(text, sizeof text, "%d", i);
        struct result_cell cells[] = {{text, (size_t)length}, {i % 2 ? NULL : "a,\"b\"\n", i % 2 ? 0 : 6}};
        assert_int_equal(result_writer_row(writer, cells, &err), 1);
    }
    struct result_info info = {.state = RESULT_DONE, .scanned_bytes = 77};
    assert_int_equal(result_writer_end(writer, &info, &err), 0);
    return id;
}

static void test_rows_come_back(void **state)
{
    struct err err = ERR_INIT;
    struct results *results = results_open(NULL, NULL, &err);
    struct result_page page = {0};
    struct result_info info;
    assert_non_null(results);
    int64_t id = write_rows(results, 2000);
    assert_true(results_info(results, 0, &info));
    assert_int_equal(info.rows, 2000);
    assert_int_equal(info.scanned_bytes, 77);
    assert_string_equal(info.title, "SELECT 1");
    assert_int_equal(results_read(results, id, 1999, &page, &err), 1);
    const struct result_cell *cells = page.cells + (size_t)(1999 - page.first) * page.columns;
    assert_int_equal(cells[0].length, 4);
    assert_memory_equal(cells[0].text, "1999", 4);
    assert_null(cells[1].text);
    assert_int_equal(results_read(results, id, 2000, &page, &err), 0);
    assert_int_equal(results_forget(results, id, &err), 0);
    assert_false(results_info(results, id, &info));
    result_page_free(&page);
    results_close(results);
}

static void test_formats(void **state)
{
    static const char *const expected[] = {
        [RESULTS_CSV] = "n,t\n0,\"a,\"\"b\"\"\n\"\n1,\n",
        [RESULTS_JSON] = "[\n {\"n\":0,\"t\":\"a,\\\"b\\\"\\n\"},\n {\"n\":1,\"t\":null}\n]\n",
        [RESULTS_NDJSON] = "{\"n\":0,\"t\":\"a,\\\"b\\\"\\n\"}\n{\"n\":1,\"t\":null}\n"};
    struct err err = ERR_INIT;
    struct results *results = results_open(NULL, NULL, &err);
    int64_t id = write_rows(results, 2);
    for (int format = RESULTS_CSV; format <= RESULTS_NDJSON; format++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_int_equal(results_write(results, id, (enum results_format)format, -1, out, NULL, NULL, &err),
                         2);
        fclose(out);
        assert_string_equal(text, expected[format]);
        free(text);
    }
    results_close(results);
}

static void test_numbers(void **state)
{
    double value;
    assert_int_equal(result_kind_of("decimal(5,2)"), RESULT_REAL);
    assert_int_equal(result_kind_of("timestamp(3)"), RESULT_TIME);
    assert_int_equal(result_kind_of("interval"), RESULT_TEXT);
    assert_true(result_number(RESULT_TIME, "1970-01-02 00:00:01.500", 23, &value));
    assert_true(value == 86401.5);
    assert_true(result_number(RESULT_DATE, "1970-01-02", 10, &value));
    assert_true(value == 86400);
    assert_false(result_number(RESULT_REAL, "NaN", 3, &value));
    assert_false(result_number(RESULT_TEXT, "7", 1, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows_come_back), cmocka_unit_test(test_formats),
                                       cmocka_unit_test(test_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
