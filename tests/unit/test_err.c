#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void test_set(void **state)
{
    struct err err = ERR_INIT;
    assert_int_equal(err_set(&err, ERR_USAGE, "no command '%s'", "fly"), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_string_equal(err.text, "no command 'fly'");
    assert_false(err.retriable);
    assert_false(err.fatal);
    assert_int_equal(err_set(NULL, ERR_USAGE, "nobody asks"), -1);
}

static void test_retriable_follows_from_kind(void **state)
{
    for (int kind = ERR_NONE; kind < ERR_KINDS; kind++) {
        struct err err = {.retriable = true, .fatal = true};
        err_set(&err, (enum err_kind)kind, "x");
        assert_int_equal(err.retriable, kind == ERR_CONNECT || kind == ERR_BUSY || kind == ERR_FULL);
        assert_false(err.fatal);
        assert_non_null(err_kind_name((enum err_kind)kind));
    }
    assert_string_equal(err_kind_name(ERR_KINDS), "unknown");
}

static void test_errno(void **state)
{
    struct err err = ERR_INIT;
    err_set_errno(&err, ERR_IO, EACCES, "cannot read %s", "/x");
    assert_int_equal(err.kind, ERR_IO);
    assert_string_equal(err.text, "cannot read /x: Permission denied");
    err_set_errno(&err, ERR_IO, ENOSPC, "cannot write /x");
    assert_int_equal(err.kind, ERR_FULL);
    assert_true(err.retriable);
}

/* However long the name, the reason stays. */
static void test_long_text(void **state)
{
    char name[600];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct err err = ERR_INIT;
    err_set_errno(&err, ERR_IO, EACCES, "%s", name);
    assert_non_null(strstr(err.text, ": Permission denied"));
    err_prefix(&err, "%s", name);
    assert_true(strlen(err.text) < sizeof err.text);

    for (size_t shift = 0; shift < 3; shift++) {
        char wide[700] = "";
        memset(wide, 'a', shift);
        for (size_t at = shift; at + 3 < sizeof wide; at += 3)
            memcpy(wide + at, "\xE2\x96\xB6", 4);
        err_set(&err, ERR_IO, "%s", wide);
        assert_true(text_is_utf8(err.text, strlen(err.text)));
        assert_true(strlen(err.text) > sizeof err.text - 5);
    }
}

static void test_nothing_commands_a_terminal(void **state)
{
    struct err err = ERR_INIT;
    err_set(&err, ERR_CONFIG, "no option '%s'", "\x1b]0;mine\x07\xff\xc2\x9b");
    assert_string_equal(err.text, "no option '\u241b]0;mine\u2407\ufffd\ufffd'");
    err_prefix(&err, "%s", "a\nb");
    assert_string_equal(err.text, "a b: no option '\u241b]0;mine\u2407\ufffd\ufffd'");
    err_set_errno(&err, ERR_IO, ENOENT, "%s", "\x1b[2J");
    assert_string_equal(err.text, "\u241b[2J: No such file or directory");
}

static void test_prefix(void **state)
{
    struct err err = ERR_INIT;
    err_set(&err, ERR_BUSY, "locked");
    assert_int_equal(err_prefix(&err, "journey %d", 7), -1);
    assert_string_equal(err.text, "journey 7: locked");
    assert_int_equal(err.kind, ERR_BUSY);
    err_set(&err, ERR_BUSY, "again: %s", err.text); /* its own text as an argument */
    assert_string_equal(err.text, "again: journey 7: locked");
}

static void test_exit_codes(void **state)
{
    static const int codes[ERR_KINDS] = {
        [ERR_NONE] = 0,   [ERR_USAGE] = 2,       [ERR_CONFIG] = 2,  [ERR_IO] = 1,
        [ERR_FULL] = 1,   [ERR_CONNECT] = 3,     [ERR_AUTH] = 1,    [ERR_CORRUPT] = 1,
        [ERR_LIMIT] = 1,  [ERR_NOT_FOUND] = 1,   [ERR_BUSY] = 1,    [ERR_CANCELLED] = 130,
        [ERR_REMOTE] = 1, [ERR_UNSUPPORTED] = 2, [ERR_INTERNAL] = 1};
    for (int kind = 0; kind < ERR_KINDS; kind++) {
        struct err err = {.kind = (enum err_kind)kind};
        assert_int_equal(err_exit_code(&err), codes[kind]);
    }
}

static void test_memory(void **state)
{
    char *text = mem_text("abc");
    assert_string_equal(text, "abc");
    text = mem_resize(text, 100, 1);
    assert_string_equal(text, "abc");
    free(text);
    int *zeros = mem_zero(8, sizeof *zeros);
    for (int i = 0; i < 8; i++)
        assert_int_equal(zeros[i], 0);
    free(zeros);
    void *nothing = mem_alloc(0);
    assert_non_null(nothing);
    free(nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_retriable_follows_from_kind),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_nothing_commands_a_terminal),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
