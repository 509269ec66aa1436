#include "app/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_table_is_sound(void **state)
{
    const struct command *table;
    size_t count = command_table(&table);
    assert_true(count > 30);
    for (size_t i = 0; i < count; i++) {
        if (!table[i].name || !table[i].summary || table[i].summary[strlen(table[i].summary) - 1] == '.')
            fail_msg("row %zu: %s", i, table[i].name ? table[i].name : "no name");
        if (!table[i].execute && !table[i].batch && !(table[i].flags & COMMAND_UI))
            fail_msg("%s does nothing", table[i].name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(table[i].name, table[k].name) == 0)
                fail_msg("%s stands twice", table[i].name);
    }
}

/* One key means one thing in one place: two rows may share a key only where their scopes do not meet. */
static void test_keys_do_not_collide(void **state)
{
    const struct command *table;
    size_t count = command_table(&table);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k <= i; k++)
            for (int a = 0; a < COMMAND_KEYS && table[i].keys[a].key; a++)
                for (int b = 0; b < COMMAND_KEYS && table[k].keys[b].key; b++) {
                    const struct command_key *one = &table[i].keys[a], *two = &table[k].keys[b];
                    if (one == two || strcmp(one->key, two->key) != 0)
                        continue;
                    if (one->scopes & two->scopes)
                        fail_msg("%s is %s and %s", one->key, table[i].name, table[k].name);
                }
}

static void test_find(void **state)
{
    assert_string_equal(command_find("speed")->name, "speed");
    assert_string_equal(command_find("exit")->name, "quit");
    assert_string_equal(command_find("PLAY")->name, "pause");
    assert_string_equal(command_find("vehi")->name, "vehicles");
    assert_null(command_find("re")); /* record, replay, reset, redraw */
    assert_null(command_find(""));
    assert_string_equal(command_suggest("sped"), "speed");
    assert_null(command_suggest("xyzzy"));
}

static void test_parse(void **state)
{
    struct command_call call;
    struct err err = ERR_INIT;
    char scratch[256], line[400];
    assert_int_equal(
        command_parse("  incident fire \"M40 J9\"  2 ", "operator", &call, scratch, sizeof scratch, &err), 0);
    assert_string_equal(call.command->name, "incident");
    assert_int_equal(call.argument_count, 3);
    assert_string_equal(call.arguments[1], "M40 J9");
    assert_string_equal(call.source, "operator");
    static const struct {
        const char *line, *part;
    } refused[] = {{"", "no command"},
                   {"   ", "no command"},
                   {"sped 3", "did you mean speed"},
                   {"mark \"open", "quote"},
                   {"mark 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "16 words"},
                   {"\x1b[31m", "no such command"}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        err = ERR_INIT;
        assert_int_equal(command_parse(refused[i].line, "x", &call, scratch, sizeof scratch, &err), -1);
        if (err.kind != ERR_USAGE || !strstr(err.text, refused[i].part) || strchr(err.text, 0x1b))
            fail_msg("'%s' gives '%s'", refused[i].line, err.text);
    }
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = 0;
    assert_int_equal(command_parse(line, "x", &call, scratch, sizeof scratch, &err), -1);
    assert_int_equal(command_parse("load gps_data --yes", "socket", &call, scratch, sizeof scratch, &err), 0);
    assert_true(call.yes);
    assert_int_equal(call.argument_count, 1);
    assert_int_equal(command_parse("load gps_data", "socket", &call, scratch, sizeof scratch, &err), 0);
    assert_false(call.yes);
    assert_non_null(call.command->price);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_sound),
        cmocka_unit_test(test_keys_do_not_collide),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
