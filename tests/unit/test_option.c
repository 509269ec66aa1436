#include "base/option.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct target {
    char name[16];
    int64_t count, wait, room, when;
    double speed;
    bool on;
    int colour;
    struct option_list properties;
};

#define AT(member) .offset = offsetof(struct target, member), .size = sizeof(((struct target *)0)->member)
static const struct option TABLE[] = {
    {"name", 'n', OPTION_TEXT, AT(name), .fallback = "anon", .argument = "TEXT"},
    {"count", 'c', OPTION_INT, AT(count), .fallback = "3", .min = 1, .max = 100, .argument = "N"},
    {"wait", 0, OPTION_DURATION, AT(wait), .fallback = "10s", .argument = "TIME"},
    {"room", 0, OPTION_BYTES, AT(room), .fallback = "64M", .argument = "SIZE"},
    {"when", 0, OPTION_TIME, AT(when), .fallback = "2026-01-12T08:00:00Z", .argument = "TIME"},
    {"speed", 0, OPTION_DOUBLE, AT(speed), .fallback = "1", .min = 0.1, .max = 3600, .argument = "X"},
    {"on", 'o', OPTION_BOOL, AT(on), .fallback = "off"},
    {"colour", 0, OPTION_WORD, AT(colour), .fallback = "auto", .words = "auto|always|never",
     .argument = "WHEN"},
    {"property", 'X', OPTION_LIST, AT(properties), .argument = "KEY=VALUE"},
    {"secret-flag", 0, OPTION_BOOL, AT(on), .commands = 2, .flag_only = true},
};

struct fixture {
    struct target target;
    struct option_set set;
    const char *words[4];
    size_t word_count;
    struct err err;
};

static int setup(void **state)
{
    struct fixture *fixture = mem_zero(1, sizeof *fixture);
    option_init(&fixture->set, TABLE, sizeof TABLE / sizeof *TABLE, &fixture->target);
    fixture->set.section = "kafka";
    fixture->set.section_offset = offsetof(struct target, properties);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    option_free(&fixture->set);
    free(fixture);
    return 0;
}

static int read_flags(struct fixture *fixture, int argc, char **argv)
{
    fixture->err = ERR_INIT;
    return option_read_arguments(&fixture->set, 1, argc, argv, fixture->words, 4, &fixture->word_count,
                                 &fixture->err);
}
#define FLAGS(...)                                                                                           \
    read_flags(fixture, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__})

static void test_defaults(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(fixture->target.name, "anon");
    assert_int_equal(fixture->target.count, 3);
    assert_int_equal(fixture->target.wait, 10000000);
    assert_int_equal(fixture->target.room, 64000000);
    assert_int_equal(fixture->target.when, INT64_C(1768204800000));
    assert_false(fixture->target.on);
}

static void test_flags(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(FLAGS("--name=bob", "-c", "7", "one", "--on", "-Xa=b", "--speed", "10x", "--", "--two"),
                     0);
    assert_string_equal(fixture->target.name, "bob");
    assert_int_equal(fixture->target.count, 7);
    assert_true(fixture->target.on);
    assert_true(fixture->target.speed == 10);
    assert_int_equal(fixture->word_count, 2);
    assert_string_equal(fixture->words[1], "--two");
    assert_string_equal(fixture->target.properties.items[0], "a=b");
    assert_int_equal(FLAGS("--no-on"), 0);
    assert_false(fixture->target.on);
}

static void expect_usage(struct fixture *fixture, int result, const char *part)
{
    assert_int_equal(result, -1);
    assert_int_equal(fixture->err.kind, ERR_USAGE);
    if (!strstr(fixture->err.text, part))
        fail_msg("'%s' does not say '%s'", fixture->err.text, part);
}

static void test_flags_refused(void **state)
{
    struct fixture *fixture = *state;
    expect_usage(fixture, FLAGS("--cuont", "3"), "did you mean --count");
    expect_usage(fixture, FLAGS("--count", "101"), "from 1 to 100");
    expect_usage(fixture, FLAGS("--count"), "needs N");
    expect_usage(fixture, FLAGS("--colour", "purple"), "auto|always|never");
    expect_usage(fixture, FLAGS("--no-count"), "not an option");
    expect_usage(fixture, FLAGS("--secret-flag"), "does not go with this command");
    expect_usage(fixture, FLAGS("a", "b", "c", "d", "e"), "too many");
    expect_usage(fixture, FLAGS("--name", "longer than fifteen bytes"), "at most 15");
    expect_usage(fixture, FLAGS("--name", "\x1b[31m\xff"), "at most");
    assert_null(strchr(fixture->err.text, 0x1b));
}

static void test_precedence(void **state)
{
    struct fixture *fixture = *state;
    setenv("TEST_COUNT", "20", 1);
    assert_int_equal(FLAGS("--name", "flag"), 0);
    assert_int_equal(option_read_environment(&fixture->set, "TEST_", &fixture->err), 0);
    assert_int_equal(option_read_text(&fixture->set, "count = 30\nname = file\nspeed = 5\n", "p.conf",
                                      ORIGIN_PROJECT_FILE, &fixture->err),
                     0);
    assert_int_equal(
        option_read_text(&fixture->set, "speed = 6\nroom = 1k\n", "u.conf", ORIGIN_USER_FILE, &fixture->err),
        0);
    unsetenv("TEST_COUNT");
    assert_string_equal(fixture->target.name, "flag");
    assert_int_equal(fixture->target.count, 20);
    assert_true(fixture->target.speed == 5);
    assert_int_equal(fixture->target.room, 1000);
    assert_int_equal(fixture->set.origins[1], ORIGIN_ENVIRONMENT);
    assert_string_equal(fixture->set.places[1], "TEST_COUNT");
    assert_string_equal(fixture->set.places[5], "p.conf");
}

static void test_file_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"count = 3\ncuont = 4\n", "f.conf:2: 'cuont' is not a setting; did you mean 'count'?"},
        {"count = many\n", "f.conf:1: count: 'many' is not a whole number"},
        {"[aws]\nkey = 1\n", "f.conf:2: [aws] is not a section"},
        {"count\n", "f.conf:1"},
        {"secret-flag = on\n", "'secret-flag' is not a setting"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture->err = ERR_INIT;
        assert_int_equal(
            option_read_text(&fixture->set, cases[i].text, "f.conf", ORIGIN_USER_FILE, &fixture->err), -1);
        assert_int_equal(fixture->err.kind, ERR_CONFIG);
        if (!strstr(fixture->err.text, cases[i].part))
            fail_msg("'%s' does not say '%s'", fixture->err.text, cases[i].part);
    }
}

static void test_section_and_long_line(void **state)
{
    struct fixture *fixture = *state;
    char text[400] = "[kafka]\nsecurity.protocol = SSL\n# ";
    assert_int_equal(option_read_text(&fixture->set, text, "f", ORIGIN_USER_FILE, &fixture->err), 0);
    assert_string_equal(fixture->target.properties.items[0], "security.protocol=SSL");
    memset(text + strlen(text), 'x', 300);
    assert_int_equal(option_read_text(&fixture->set, text, "f", ORIGIN_USER_FILE, &fixture->err), -1);
    assert_non_null(strstr(fixture->err.text, "f:3"));
}

static void test_format_round_trip(void **state)
{
    struct fixture *fixture = *state;
    char value[64];
    for (size_t i = 0; i + 2 < sizeof TABLE / sizeof *TABLE; i++) {
        option_format(&fixture->set, i, value, sizeof value);
        assert_int_equal(option_set_text(&fixture->set, i, value, ORIGIN_FLAG, "again", &fixture->err), 0);
    }
    assert_int_equal(fixture->target.wait, 10000000);
    assert_int_equal(fixture->target.when, INT64_C(1768204800000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flags, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flags_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_precedence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_section_and_long_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_format_round_trip, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
