#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_append(void **state)
{
    struct buf buf;
    buf_init(&buf, 1000);
    assert_true(buf_text(&buf, "lag "));
    assert_true(buf_char(&buf, '='));
    assert_true(buf_append(&buf, "\0x", 2));
    assert_int_equal(buf.length, 7);
    assert_memory_equal(buf.data, "lag =\0x", 8);
    buf_reset(&buf);
    assert_int_equal(buf.length, 0);
    assert_string_equal(buf.data, "");
    buf_free(&buf);
    assert_null(buf.data);
    assert_true(buf_text(&buf, "usable again"));
    buf_free(&buf);
}

static void test_limit(void **state)
{
    struct buf buf;
    buf_init(&buf, 5);
    assert_true(buf_text(&buf, "12345"));
    assert_false(buf.overflow);
    assert_false(buf_char(&buf, '6'));
    assert_true(buf.overflow);
    assert_string_equal(buf.data, "12345");
    assert_true(buf_append(&buf, "", 0));
    assert_true(buf.overflow); /* sticky */
    assert_false(buf_append(&buf, "x", SIZE_MAX));
    buf_reset(&buf);
    assert_false(buf.overflow);
    assert_false(buf_printf(&buf, "%d", 123456));
    assert_int_equal(buf.length, 0);
    assert_string_equal(buf.data, "");
    buf_free(&buf);

    buf_init(&buf, SIZE_MAX);
    assert_true(buf_text(&buf, "no wrap"));
    buf_free(&buf);
}

/* Around every growth, the text must be whole and terminated. */
static void test_printf_at_every_length(void **state)
{
    struct buf buf;
    buf_init(&buf, 100000);
    size_t expected = 0;
    for (int i = 0; i < 300; i++) {
        assert_true(buf_printf(&buf, "%*d,", i % 97, i));
        size_t width = (size_t)(i % 97), digits = i < 10 ? 1 : i < 100 ? 2 : 3;
        expected += (width > digits ? width : digits) + 1;
        assert_int_equal(buf.length, expected);
        assert_int_equal(strlen(buf.data), expected);
        assert_int_equal(buf.data[buf.length - 1], ',');
    }
    buf_free(&buf);
}

static void test_consume(void **state)
{
    struct buf buf;
    buf_init(&buf, 100);
    buf_consume(&buf, 3); /* nothing there yet */
    buf_text(&buf, "abcdef");
    buf_consume(&buf, 2);
    assert_string_equal(buf.data, "cdef");
    buf_consume(&buf, 0);
    assert_string_equal(buf.data, "cdef");
    buf_consume(&buf, 9);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.length, 0);
    buf_free(&buf);
}

static void test_sql_text(void **state)
{
    struct buf buf;
    buf_init(&buf, 12);
    assert_true(buf_sql_text(&buf, "it's"));
    assert_string_equal(buf.data, "'it''s'");
    assert_false(buf_sql_text(&buf, "''"));
    assert_string_equal(buf.data, "'it''s'");
    assert_true(buf_sql_text(&buf, ""));
    assert_string_equal(buf.data, "'it''s'''");
    buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_printf_at_every_length),
        cmocka_unit_test(test_consume),
        cmocka_unit_test(test_sql_text),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
