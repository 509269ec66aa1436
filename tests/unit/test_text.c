#include "base/text.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void test_next_rune(void **state)
{
    static const struct {
        const char *bytes;
        uint32_t rune;
        size_t used;
    } cases[] = {
        {"a", 'a', 1},
        {"\xC3\xA9", 0xE9, 2},
        {"\xE2\x96\xB6", 0x25B6, 3},
        {"\xF0\x9F\x9A\x97", 0x1F697, 4},
        {"\xF4\x8F\xBF\xBF", 0x10FFFF, 4},
        {"\xC0\xAF", 0xFFFD, 1},         /* overlong */
        {"\xE0\x80\xAF", 0xFFFD, 1},     /* overlong */
        {"\xF0\x80\x80\xAF", 0xFFFD, 1}, /* overlong */
        {"\xED\xA0\x80", 0xFFFD, 1},     /* surrogate */
        {"\xF4\x90\x80\x80", 0xFFFD, 1}, /* above U+10FFFF */
        {"\xF8\x88\x80\x80\x80", 0xFFFD, 1},
        {"\xE2\x96", 0xFFFD, 1}, /* cut short */
        {"\xE2\x41\x41", 0xFFFD, 1},
        {"\x80", 0xFFFD, 1},
        {"\xFF", 0xFFFD, 1},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const char *text = cases[i].bytes;
        assert_int_equal(text_next_rune(&text, text + strlen(text)), cases[i].rune);
        assert_int_equal(text - cases[i].bytes, cases[i].used);
        bool good = cases[i].rune != 0xFFFD;
        assert_int_equal(text_is_utf8(cases[i].bytes, strlen(cases[i].bytes)), good);
    }
}

static void test_rune_round_trip(void **state)
{
    for (uint32_t rune = 0; rune <= 0x10FFFF; rune++) {
        if (rune >= 0xD800 && rune <= 0xDFFF)
            continue;
        char bytes[5];
        size_t length = text_put_rune(bytes, rune);
        const char *text = bytes;
        if (text_next_rune(&text, bytes + length) != rune || text != bytes + length)
            fail_msg("U+%04X", rune);
    }
    char bytes[5];
    text_put_rune(bytes, 0xD800);
    assert_string_equal(bytes, "\xEF\xBF\xBD");
    text_put_rune(bytes, 0x110000);
    assert_string_equal(bytes, "\xEF\xBF\xBD");
}

static void test_is_utf8_finds_a_bad_byte_anywhere(void **state)
{
    char text[40];
    memset(text, 'x', sizeof text);
    assert_true(text_is_utf8(text, sizeof text));
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)0xC3;
        assert_false(text_is_utf8(text, sizeof text));
        text[i] = 'x';
    }
    assert_true(text_is_utf8("", 0));
}

static void test_width(void **state)
{
    assert_int_equal(text_rune_width('a'), 1);
    assert_int_equal(text_rune_width(0x301), 0);   /* combining acute */
    assert_int_equal(text_rune_width(0x200D), 0);  /* joiner */
    assert_int_equal(text_rune_width(0xFE0F), 0);  /* variation selector */
    assert_int_equal(text_rune_width(0x4E2D), 2);  /* han */
    assert_int_equal(text_rune_width(0xAC00), 2);  /* hangul */
    assert_int_equal(text_rune_width(0xFF21), 2);  /* full width A */
    assert_int_equal(text_rune_width(0x1F697), 2); /* car */
    assert_int_equal(text_rune_width(0x2800), 1);  /* braille */
    assert_int_equal(text_rune_width(0x25B6), 1);
    assert_int_equal(text_rune_width(0x1B), 1);
    assert_int_equal(text_width("e\xCC\x81t\xC3\xA9 \xE4\xB8\xAD"), 6);
    assert_int_equal(text_width(""), 0);
}

static void test_sanitise(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"\x1B[31mred", "\xE2\x90\x9B[31mred"},
        {"a\nb\tc\x7F", "a\xE2\x90\x8A"
                        "b\xE2\x90\x89"
                        "c\xE2\x90\xA1"},
        {"\xC2\x9B"
         "31m",
         "\xEF\xBF\xBD"
         "31m"}, /* C1 CSI */
        {"\xE2\x80\xAE"
         "evil",
         "\xEF\xBF\xBD"
         "evil"},                             /* right-to-left override */
        {"\xE2\x80\xA8", "\xEF\xBF\xBD"},     /* line separator */
        {"\xF3\xA0\x81\x81", "\xEF\xBF\xBD"}, /* tag A */
        {"\xFF\xFE", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"caf\xC3\xA9", "caf\xC3\xA9"},
    };
    char out[64];
    for (size_t i = 0; i < LENGTH(cases); i++) {
        size_t written = text_sanitise(out, sizeof out, cases[i].in, strlen(cases[i].in));
        assert_string_equal(out, cases[i].out);
        assert_int_equal(written, strlen(cases[i].out));
    }
    assert_int_equal(text_sanitise(out, sizeof out, "a\0b", 3), 5);
    assert_string_equal(out, "a\xE2\x90\x80"
                             "b");
    /* a code point that does not fit is left out whole */
    assert_int_equal(text_sanitise(out, 4, "ab\xC3\xA9", 4), 2);
    assert_string_equal(out, "ab");
    assert_int_equal(text_sanitise(out, 1, "ab", 2), 0);
    assert_string_equal(out, "");
    assert_int_equal(text_sanitise(out, 0, "ab", 2), 0);
}

static void test_copy(void **state)
{
    char out[8];
    text_copy(out, sizeof out, "short");
    assert_string_equal(out, "short");
    text_copy(out, sizeof out, "1234567");
    assert_string_equal(out, "1234567");
    text_copy(out, sizeof out, "12345678");
    assert_string_equal(out, "1234567");
    text_copy(out, sizeof out, "12345\xE2\x96\xB6");
    assert_string_equal(out, "12345");
    text_copy(out, sizeof out, "1234\xE2\x96\xB6");
    assert_string_equal(out, "1234\xE2\x96\xB6");
    text_copy(out, 1, "x");
    assert_string_equal(out, "");
}

static void test_fold(void **state)
{
    assert_true(text_equal_fold("Flush", "fLUSH"));
    assert_false(text_equal_fold("flush", "flus"));
    assert_false(text_equal_fold("[", "{"));
    assert_true(text_prefix_fold("Journeys", "jour"));
    assert_true(text_prefix_fold("x", ""));
    assert_false(text_prefix_fold("jo", "jour"));
    const char *text = "Warwick services";
    assert_ptr_equal(text_find_fold(text, "SERV"), text + 8);
    assert_ptr_equal(text_find_fold(text, ""), text);
    assert_null(text_find_fold(text, "services!"));
}

static void test_distance(void **state)
{
    assert_int_equal(text_distance("flush", "flush", 3), 0);
    assert_int_equal(text_distance("flush", "FLUSH", 3), 0);
    assert_int_equal(text_distance("flsuh", "flush", 3), 1);
    assert_int_equal(text_distance("flus", "flush", 3), 1);
    assert_int_equal(text_distance("kitten", "sitting", 3), 3);
    assert_int_equal(text_distance("kitten", "sitting", 2), 3);
    assert_int_equal(text_distance("", "abc", 5), 3);
    char many[200];
    memset(many, 'a', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    assert_int_equal(text_distance(many, "a", 2), 3);
}

static void test_figures(void **state)
{
    char out[TEXT_FIGURE_SIZE];
    assert_string_equal(text_count(out, 0), "0");
    assert_string_equal(text_count(out, 999), "999");
    assert_string_equal(text_count(out, 1204118), "1,204,118");
    assert_string_equal(text_count(out, -1000), "-1,000");
    assert_string_equal(text_count(out, INT64_MIN), "-9223372036854775808");
    assert_string_equal(text_count(out, 99999999999999999), "99,999,999,999,999,999");

    assert_string_equal(text_si(out, 0), "0");
    assert_string_equal(text_si(out, 0.42), "0.4");
    assert_string_equal(text_si(out, 7), "7");
    assert_string_equal(text_si(out, 118), "118");
    assert_string_equal(text_si(out, 118.4), "118");
    assert_string_equal(text_si(out, 999.4), "999");
    assert_string_equal(text_si(out, 999.6), "1.0k");
    assert_string_equal(text_si(out, 4100), "4.1k");
    assert_string_equal(text_si(out, 99960), "100k");
    assert_string_equal(text_si(out, 98.2e6), "98.2M");
    assert_string_equal(text_si(out, -4100), "-4.1k");
    assert_string_equal(text_si(out, 1e300 * 1e300), "inf");
    assert_true(strlen(text_si(out, 1e308)) < TEXT_FIGURE_SIZE);

    assert_string_equal(text_bytes(out, 812), "812 B");
    assert_string_equal(text_bytes(out, 3.1e6), "3.1 MB");
    assert_string_equal(text_bytes(out, 999999), "1.0 MB");
    assert_string_equal(text_bytes(out, 64e9), "64.0 GB");

    assert_string_equal(text_age(out, 0), "0 s");
    assert_string_equal(text_age(out, 45000), "45 ms");
    assert_string_equal(text_age(out, 200000), "0.2 s");
    assert_string_equal(text_age(out, 9960000), "10 s");
    assert_string_equal(text_age(out, 14000000), "14 s");
    assert_string_equal(text_age(out, 59999999), "59 s");
    assert_string_equal(text_age(out, 150000000), "2 m");
    assert_string_equal(text_age(out, INT64_C(11400000000)), "3 h 10 m");
    assert_string_equal(text_age(out, INT64_C(98 * 3600) * 1000000), "4 d 2 h");
    assert_string_equal(text_age(out, -14000000), "-14 s");
    text_age(out, INT64_MIN);

    assert_string_equal(text_duration(out, 870000000), "00:14:30");
    assert_string_equal(text_duration(out, INT64_C(360000) * 1000000), "100:00:00");
    assert_string_equal(text_duration(out, -1000000), "-00:00:01");
    text_duration(out, INT64_MIN);
}

static void test_parse_duration(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {
        {"10s", 10000000},
        {"500ms", 500000},
        {"10m", 600000000},
        {"2h", INT64_C(7200000000)},
        {"1d", INT64_C(86400000000)},
        {"00:14:30", 870000000},
        {"14:30", 870000000},
        {"90", 90000000},
        {"0.5s", 500000},
        {"1.5", 1500000},
        {"1h30m", INT64_C(5400000000)},
        {"250us", 250},
        {"5min", 300000000},
        {"0", 0},
        {"00:00:01.25", 1250000},
        {"10S", 10000000},
    };
    static const char *const bad[] = {"",      "s",       "-1s", "1x",   "1h30",  "10 s",
                                      "1:60",  "1:2:3:4", ":",   "1:",   "1.",    "inf",
                                      "nan",   "1e3s",    "1s ", "1..2", "1.2.3", "999999999999999999d",
                                      "1.5:00"};
    int64_t us;
    for (size_t i = 0; i < LENGTH(good); i++) {
        if (!text_parse_duration(good[i].text, &us) || us != good[i].us)
            fail_msg("%s", good[i].text);
    }
    for (size_t i = 0; i < LENGTH(bad); i++) {
        if (text_parse_duration(bad[i], &us))
            fail_msg("taken: '%s'", bad[i]);
    }
}

static void test_parse_numbers(void **state)
{
    int64_t value;
    assert_true(text_parse_int("-42", -100, 100, &value));
    assert_int_equal(value, -42);
    assert_true(text_parse_int("9223372036854775807", 0, INT64_MAX, &value));
    assert_false(text_parse_int("9223372036854775808", INT64_MIN, INT64_MAX, &value));
    assert_false(text_parse_int("101", -100, 100, &value));
    assert_false(text_parse_int("", -100, 100, &value));
    assert_false(text_parse_int(" 1", -100, 100, &value));
    assert_false(text_parse_int("1 ", -100, 100, &value));
    assert_false(text_parse_int("0x10", -100, 100, &value));
    assert_false(text_parse_int("-", -100, 100, &value));
    assert_false(text_parse_int("+-1", -100, 100, &value));

    double number;
    assert_true(text_parse_double("-1.5e2", -1000, 1000, &number));
    assert_true(number == -150);
    assert_true(text_parse_double(".5", 0, 1, &number));
    static const char *const bad[] = {"",   "nan", "inf", "0x1p3", "1,5", " 1",
                                      "1 ", "e",   "--1", "1e999", "2001"};
    for (size_t i = 0; i < LENGTH(bad); i++)
        assert_false(text_parse_double(bad[i], -2000, 2000, &number));

    static const struct {
        const char *text;
        int64_t bytes;
    } sizes[] = {{"1000", 1000},     {"500k", 500000}, {"64M", 64000000}, {"64 MB", 64000000},
                 {"1G", 1000000000}, {"4KiB", 4096},   {"1MiB", 1048576}, {"1.5k", 1500},
                 {"0", 0},           {"7B", 7}};
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        if (!text_parse_bytes(sizes[i].text, &value) || value != sizes[i].bytes)
            fail_msg("%s", sizes[i].text);
    }
    assert_false(text_parse_bytes("", &value));
    assert_false(text_parse_bytes("-1", &value));
    assert_false(text_parse_bytes("1X", &value));
    assert_false(text_parse_bytes("1MBB", &value));
    assert_false(text_parse_bytes("999999999999P", &value));
}

/* Against the C library's calendar, over the whole range. */
static void test_time_agrees_with_libc(void **state)
{
    char out[TEXT_TIME_SIZE];
    for (int64_t seconds = INT64_C(-62135596800); seconds <= INT64_C(253402300799);
         seconds += 86400 * 13 + 3607) {
        struct tm tm;
        char expected[64];
        time_t time = (time_t)seconds;
        gmtime_r(&time, &tm);
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.789Z", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        text_time(out, seconds * 1000 + 789);
        if (strcmp(out, expected) != 0)
            fail_msg("%s, not %s", out, expected);
        int64_t back;
        if (!text_parse_time(out, strlen(out), &back) || back != seconds * 1000 + 789)
            fail_msg("%s is not read back", out);
    }
    assert_string_equal(text_time(out, INT64_MIN), "0001-01-01T00:00:00.000Z");
    assert_string_equal(text_time(out, INT64_MAX), "9999-12-31T23:59:59.999Z");
    assert_string_equal(text_time(out, -1), "1969-12-31T23:59:59.999Z");
}

static void test_parse_time(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"2026-01-12T08:14:32.000Z", INT64_C(1768205672000)},
        {"2026-01-12t08:14:32z", INT64_C(1768205672000)},
        {"2026-01-12 09:14:32.5+01:00", INT64_C(1768205672500)},
        {"2026-01-12T02:44:32.123456789-05:30", INT64_C(1768205672123)},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000)}, /* leap second */
        {"1970-01-01T00:00:00.999999999Z", 999},
    };
    static const char *const bad[] = {
        "",
        "2026-01-12",
        "2026-01-12T08:14:32",
        "2026-01-12T08:14:32.Z",
        "2026-01-12T08:14:32.1234567890Z",
        "2026-13-12T08:14:32Z",
        "2026-00-12T08:14:32Z",
        "2026-02-29T08:14:32Z",
        "2100-02-29T08:14:32Z",
        "2026-01-12T24:14:32Z",
        "2026-01-12T08:60:32Z",
        "2026-01-12T08:14:61Z",
        "0000-01-12T08:14:32Z",
        "2026-01-12T08:14:32+0100",
        "2026-01-12T08:14:32+24:00",
        "2026-01-12T08:14:32Zx",
        "2026-01-12x08:14:32Z",
        "2026/01/12T08:14:32Z",
        "+026-01-12T08:14:32Z",
        "0001-01-01T00:00:00+01:00",
    };
    int64_t ms;
    for (size_t i = 0; i < LENGTH(good); i++) {
        if (!text_parse_time(good[i].text, strlen(good[i].text), &ms) || ms != good[i].ms)
            fail_msg("%s", good[i].text);
    }
    for (size_t i = 0; i < LENGTH(bad); i++) {
        if (text_parse_time(bad[i], strlen(bad[i]), &ms))
            fail_msg("taken: '%s'", bad[i]);
    }
}

/* No byte behind `length` may be read: every prefix is parsed from a block of exactly its size. */
static void test_parse_time_stays_in_bounds(void **state)
{
    static const char text[] = "2026-01-12T02:44:32.123456789-05:30";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        char *exact = malloc(length ? length : 1);
        memcpy(exact, text, length);
        int64_t ms;
        assert_false(text_parse_time(exact, length, &ms));
        free(exact);
    }
}

static void test_base64(void **state)
{
    /* RFC 4648 section 10 */
    static const struct {
        const char *plain, *coded;
    } cases[] = {{"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"}};
    char out[64];
    for (size_t i = 0; i < LENGTH(cases); i++) {
        size_t plain = strlen(cases[i].plain), coded = strlen(cases[i].coded);
        assert_int_equal(text_base64_size(plain), coded);
        text_base64_encode(out, cases[i].plain, plain);
        assert_memory_equal(out, cases[i].coded, coded);
        assert_int_equal(text_base64_decode(out, cases[i].coded, coded), (long)plain);
        assert_memory_equal(out, cases[i].plain, plain);
        assert_true(text_base64_max(coded) >= plain);
    }
    assert_int_equal(text_base64_decode(out, "Zg", 2), 1);
    assert_int_equal(text_base64_decode(out, "Zm8", 3), 2);
    static const char *const bad[] = {
        "Z", "Zm9vY", "Zm9=", "Zh==", "Zm9", "Zg=", "====", "Zm 9", "Zm9v\n", "Zm-_", "Zg==Zg=="};
    for (size_t i = 0; i < LENGTH(bad); i++) {
        if (text_base64_decode(out, bad[i], strlen(bad[i])) != -1)
            fail_msg("taken: '%s'", bad[i]);
    }
}

static void test_base64_every_byte(void **state)
{
    unsigned char bytes[768], back[800];
    char coded[1100];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        text_base64_encode(coded, bytes, length);
        assert_int_equal(text_base64_decode(back, coded, text_base64_size(length)), (long)length);
        assert_memory_equal(back, bytes, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_rune),
        cmocka_unit_test(test_rune_round_trip),
        cmocka_unit_test(test_is_utf8_finds_a_bad_byte_anywhere),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_sanitise),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_parse_duration),
        cmocka_unit_test(test_parse_numbers),
        cmocka_unit_test(test_time_agrees_with_libc),
        cmocka_unit_test(test_parse_time),
        cmocka_unit_test(test_parse_time_stays_in_bounds),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_every_byte),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
