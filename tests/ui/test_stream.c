/* The panels of Stream, Journeys and Log: golden screens at three sizes and in ASCII, hostile records, keys.
 */
#include "tests/support/stream_view.h"
#include "tests/ui/bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *draw_screen(const char *name, const struct view *view, int width, int height, enum glyphs glyphs)
{
    return bench_screen(name, view, width, height, glyphs, false);
}

static const char *const screens[] = {"stream", "journeys", "log"};
static const char *const views[] = {"busy", "empty", "down", "hostile"};

static void test_golden_screens(void **state)
{
    bool same = true;
    for (size_t screen = 0; screen < 3; screen++)
        for (int kind = STREAM_VIEW_BUSY; kind <= STREAM_VIEW_HOSTILE; kind++)
            for (size_t size = 0; size < 4; size++) {
                char name[64];
                struct stream_view *fixture = stream_view_create((enum stream_view_kind)kind);
                snprintf(name, sizeof name, "%s-%s-%s", screens[screen], bench_sizes[size].name, views[kind]);
                same = golden_is(name, draw_screen(screens[screen], &fixture->view, bench_sizes[size].width,
                                                   bench_sizes[size].height, bench_sizes[size].glyphs)) &&
                       same;
                stream_view_destroy(fixture);
            }
    assert_true(same);
}

static void test_golden_colours(void **state)
{
    bool same = true;
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_DOWN);
    for (size_t screen = 0; screen < 3; screen++) {
        char name[64];
        snprintf(name, sizeof name, "%s-colours", screens[screen]);
        same =
            golden_is(name, bench_screen(screens[screen], &fixture->view, 132, 39, GLYPHS_BRAILLE, true)) &&
            same;
    }
    stream_view_destroy(fixture);
    assert_true(same);
}

static void test_golden_replay(void **state)
{
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
    stream_view_replay(fixture, false);
    bool same =
        golden_is("journeys-132x43-replay", draw_screen("journeys", &fixture->view, 132, 39, GLYPHS_BRAILLE));
    stream_view_replay(fixture, true);
    same =
        golden_is("journeys-80x24-paused", draw_screen("journeys", &fixture->view, 80, 21, GLYPHS_BRAILLE)) &&
        same;
    stream_view_destroy(fixture);
    assert_true(same);
}

/* ---- one record -------------------------------------------------------------------------------------- */

struct value {
    const char *name, *bytes;
    size_t length;
};

/* The tail with its newest record opened. */
static void open_record(struct bench *bench, struct stream_view *fixture, const struct value *value,
                        int width, int height)
{
    bench_open(bench, "tail", &fixture->view, width, height, GLYPHS_BRAILLE);
    fixture->view.tail.frozen = false;
    assert_true(bench_run(bench, "open", ""));
    assert_string_equal(bench->sent[0], "tail open 1204118");
    assert_string_equal(bench->sent[1], "tail freeze");
    fixture->view.tail.frozen = true;
    stream_view_open(fixture, fixture->view.tail.count - 1, value->bytes, value->length);
}

#define VALUE(name, text)                                                                                    \
    {                                                                                                        \
        name, text, sizeof text - 1                                                                          \
    }
static const char binary[] = "\x00\x01\x02\xff\xfe\x1b[2Jplain\x07 text \xe2\x80\xae over";

static void test_golden_records(void **state)
{
    const struct value values[] = {
        {"vehicle", stream_view_vehicle, strlen(stream_view_vehicle)},
        {"binary", binary, sizeof binary - 1},
        VALUE("escapes", "{\"speed\":87,\"\\u001b[31m\":\"\\u001b]0;x\\u0007\",\"\x1b[2J\":1}"),
        VALUE("broken", "{\"speed\":87.3,\"heading\":}"),
        VALUE("empty", "")};
    bool same = true;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        for (int wide = 0; wide < 2; wide++) {
            struct bench bench;
            char name[64];
            struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
            fixture->view.tail.rows[fixture->view.tail.count - 1].kind = EVENT_VEHICLE;
            open_record(&bench, fixture, &values[i], wide ? 132 : 80, wide ? 36 : 21);
            snprintf(name, sizeof name, "record-%s-%s", values[i].name, wide ? "132x36" : "80x21");
            same = golden_is(name, bench_text(&bench)) && bench_harmless(&bench) && same;
            bench_close(&bench);
            stream_view_destroy(fixture);
        }
    assert_true(same);
}

static void test_record_tree(void **state)
{
    struct bench bench;
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
    const struct value value = {"traffic", stream_view_traffic, strlen(stream_view_traffic)};
    fixture->view.tail.rows[fixture->view.tail.count - 1].kind = EVENT_TRAFFIC;
    open_record(&bench, fixture, &value, 100, 60);
    assert_true(bench_shows(&bench, "…  Base64 of "));
    assert_true(bench_shows(&bench, "▸ vehicleCounts   car 3, van 0, hgv 1, bus 0"));
    assert_true(bench_shows(&bench, "latency         8.4 ms produced to arrived"));
    assert_true(bench_run(&bench, "copy", ""));
    assert_string_equal(bench.copied, stream_view_traffic);
    assert_true(bench_run(&bench, "copy", "kcat"));
    assert_string_equal(bench.copied, "kcat -C -b 127.0.0.1:40211 -t traffic_data -p 3 -o 4770 -c 1 -e");
    /* vehicleCounts opens */
    bench.context.filter = "vehiclecounts";
    bench_draw(&bench);
    assert_true(bench_run(&bench, "match", "next"));
    assert_true(bench_run(&bench, "select", "right"));
    assert_true(bench_shows(&bench, "hgv"));
    bench.context.filter = "";
    bench_draw(&bench);
    assert_true(bench_run(&bench, "back", ""));
    assert_string_equal(bench.sent[1], "tail close");
    assert_string_equal(bench.sent[0], "tail follow"); /* as it was before */
    fixture->view.tail.opened.known = false;
    assert_true(bench_shows(&bench, "Tail"));
    bench_close(&bench);
    stream_view_destroy(fixture);
}

static void test_record_that_has_gone(void **state)
{
    struct bench bench;
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
    bench_open(&bench, "tail", &fixture->view, 80, 12, GLYPHS_BRAILLE);
    bench_run(&bench, "open", "");
    assert_true(bench_shows(&bench, "this record has left the tail"));
    bench_close(&bench);
    stream_view_destroy(fixture);
}

static void test_ten_megabytes(void **state)
{
    struct bench bench;
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
    size_t kept = 256 << 10;
    char *bytes = mem_alloc(kept + 1);
    memset(bytes, '[', kept); /* deeper than anything may nest */
    struct value value = {"deep", bytes, kept};
    open_record(&bench, fixture, &value, 132, 36);
    fixture->view.tail.opened.row.length = 10 << 20;
    fixture->view.tail.opened.truncated = true;
    assert_true(bench_shows(&bench, "the first 262 kB of 10.5 MB"));
    assert_true(bench_harmless(&bench));
    bench_close(&bench);
    /* wide, and cut in the middle of a text */
    memset(bytes, 'x', kept);
    memcpy(bytes, "{\"a\":1,\"b\":\"", 12);
    open_record(&bench, fixture, &value, 132, 36);
    fixture->view.tail.opened.truncated = true;
    assert_true(bench_harmless(&bench));
    bench_run(&bench, "copy", "");
    bench_close(&bench);
    /* as many members as fit */
    size_t used = 1;
    for (int i = 0; used + 24 < kept; i++)
        used += (size_t)snprintf(bytes + used, 24, "\"k%d\":[%d],", i, i);
    bytes[used - 1] = '}';
    value.length = used;
    open_record(&bench, fixture, &value, 132, 36);
    assert_true(bench_harmless(&bench));
    for (int i = 0; i < 200; i++) {
        bench_run(&bench, "select", "page-down");
        bench_run(&bench, "open", "");
    }
    bench_draw(&bench);
    bench_close(&bench);
    free(bytes);
    stream_view_destroy(fixture);
}

/* ---- the tail ---------------------------------------------------------------------------------------- */

static void test_tail_freezes_and_follows(void **state)
{
    struct bench bench;
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
    bench_open(&bench, "tail", &fixture->view, 100, 14, GLYPHS_BRAILLE);
    assert_true(bench_shows(&bench, "following · 1,204,118 seen"));
    assert_true(bench_run(&bench, "select", "next")); /* at the bottom already */
    assert_int_equal(bench.sends, 0);
    assert_true(bench_run(&bench, "select", "previous"));
    assert_string_equal(bench.sent[0], "tail freeze");
    fixture->view.tail.frozen = true;
    fixture->view.tail.total += 40;
    assert_true(bench_shows(&bench, "FROZEN · 40 came since"));
    assert_true(bench_run(&bench, "select", "page-up"));
    assert_int_equal(bench.sends, 1);
    assert_true(bench_run(&bench, "copy", ""));
    assert_non_null(strstr(bench.copied, "-o 4759 -c 1"));
    assert_true(bench_run(&bench, "select", "last"));
    assert_string_equal(bench.sent[0], "tail follow");
    fixture->view.tail.frozen = false;
    assert_true(bench_run(&bench, "filter", "topic:gps !veh"));
    assert_string_equal(bench.sent[1], "tail filter topic:gps !veh");
    assert_string_equal(bench.sent[0], "tail follow");
    assert_false(bench_run(&bench, "back", "")); /* the screen clears the filter */
    bench_close(&bench);
    stream_view_destroy(fixture);
}

static void test_tail_mouse(void **state)
{
    struct bench bench;
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
    bench_open(&bench, "tail", &fixture->view, 100, 14, GLYPHS_BRAILLE);
    bench_draw(&bench);
    assert_true(bench.class->mouse(bench.state, bench.view, MOUSE_CLICK, 5, 3, &bench.host));
    assert_string_equal(bench.sent[0], "tail freeze");
    assert_true(bench.class->mouse(bench.state, bench.view, MOUSE_DOUBLE, 5, 3, &bench.host));
    assert_string_equal(bench.sent[0], "tail open 1204110");
    assert_false(bench.class->mouse(bench.state, bench.view, MOUSE_CLICK, 5, 400, &bench.host));
    bench_close(&bench);
    stream_view_destroy(fixture);
}

/* ---- the others -------------------------------------------------------------------------------------- */

static void test_partitions_order_and_open(void **state)
{
    struct bench bench;
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
    bench_open(&bench, "partitions", &fixture->view, 100, 10, GLYPHS_BRAILLE);
    assert_true(bench_run(&bench, "sort", "lag"));
    assert_true(bench_shows(&bench, "▼lag"));
    bench_run(&bench, "select", "first");
    assert_true(bench_run(&bench, "open", ""));
    assert_string_equal(bench.sent[0], "tail filter topic:vehicle_data partition:2");
    assert_true(bench_run(&bench, "copy", ""));
    assert_string_equal(bench.copied, "kcat -C -b 127.0.0.1:40211 -t vehicle_data -p 2");
    /* the selection stays with its partition when the order turns */
    assert_true(bench_run(&bench, "sort", ""));
    bench_run(&bench, "open", "");
    assert_string_equal(bench.sent[0], "tail filter topic:vehicle_data partition:2");
    assert_false(bench_run(&bench, "sort", "nothing"));
    bench.context.filter = "weather p1";
    assert_true(bench_shows(&bench, "weather"));
    bench.context.filter = "none such";
    assert_true(bench_shows(&bench, "no partition fits the filter"));
    assert_false(bench_run(&bench, "open", ""));
    bench_close(&bench);
    stream_view_destroy(fixture);
}

static void test_rates_alone(void **state)
{
    struct bench bench;
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
    bench_open(&bench, "rates", &fixture->view, 100, 20, GLYPHS_BRAILLE);
    bench_run(&bench, "select", "last");
    assert_true(bench_run(&bench, "open", ""));
    assert_true(bench_shows(&bench, "Rates of emergency_data"));
    assert_true(bench_run(&bench, "copy", ""));
    assert_string_equal(bench.copied, "kcat -C -b 127.0.0.1:40211 -t emergency_data");
    text_copy(fixture->view.topic_prefix, sizeof fixture->view.topic_prefix, "uk.");
    assert_true(bench_run(&bench, "copy", ""));
    assert_string_equal(bench.copied, "kcat -C -b 127.0.0.1:40211 -t uk.emergency_data");
    assert_true(bench_run(&bench, "back", ""));
    assert_false(bench_run(&bench, "back", ""));
    assert_true(bench_shows(&bench, "last 4 m")); /* by itself, as much as is known */
    for (int i = 0; i < 2; i++)
        assert_true(bench_run(&bench, "select", "right"));
    assert_true(bench_shows(&bench, "last 2 m"));
    bench_close(&bench);
    stream_view_destroy(fixture);
}

static void test_journeys_commands(void **state)
{
    struct bench bench;
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
    bench_open(&bench, "journeys", &fixture->view, 132, 30, GLYPHS_BRAILLE);
    bench_draw(&bench);
    bench_run(&bench, "select", "next");
    assert_true(bench_shows(&bench, "rush hour, two incidents"));
    assert_true(bench_run(&bench, "open", ""));
    assert_string_equal(bench.sent[0], "replay \"journey-20260111-081432.sqlite\"");
    assert_true(bench_run(&bench, "remove", ""));
    assert_string_equal(bench.sent[0], "delete \"journey-20260111-081432.sqlite\"");
    bench_run(&bench, "select", "last");
    assert_true(bench_run(&bench, "open", "")); /* damaged: says why */
    assert_int_equal(bench.sends, 2);
    assert_non_null(strstr(bench.toast, "old.sqlite is no journey"));
    bench_run(&bench, "sort", "size");
    bench_run(&bench, "select", "first");
    assert_true(bench_run(&bench, "copy", ""));
    assert_non_null(strstr(bench.copied, "smartcity replay '/home/op/"));
    bench.context.filter = "damaged";
    bench_draw(&bench);
    bench_run(&bench, "remove", "");
    assert_string_equal(bench.sent[0], "delete \"old.sqlite\"");
    bench_close(&bench);
    stream_view_destroy(fixture);
}

static void test_playback_seeks(void **state)
{
    struct bench bench;
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
    stream_view_replay(fixture, false);
    bench_open(&bench, "playback", &fixture->view, 108, 5, GLYPHS_BRAILLE);
    assert_true(bench_shows(&bench, "REPLAY"));
    assert_true(bench_shows(&bench, "00:05:25 of 00:13:47"));
    assert_true(bench.class->mouse(bench.state, bench.view, MOUSE_CLICK, 50, 1, &bench.host));
    assert_string_equal(bench.sent[0], "seek 00:06:53");
    bench_close(&bench);
    stream_view_destroy(fixture);
}

static void test_log_filter_and_copy(void **state)
{
    struct bench bench;
    struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
    bench_open(&bench, "log", &fixture->view, 132, 20, GLYPHS_BRAILLE);
    bench.context.filter = "error refused";
    assert_true(bench_shows(&bench, "Connection refused"));
    assert_true(bench_run(&bench, "copy", ""));
    assert_string_equal(bench.copied, "kcat -b 127.0.0.1:40211 -L");
    bench.context.filter = "nothing like it";
    assert_true(bench_shows(&bench, "no line fits the filter"));
    bench.context.filter = "";
    bench_draw(&bench);
    bench_run(&bench, "select", "first");
    assert_true(bench_shows(&bench, "held, G follows"));
    bench_close(&bench);
    stream_view_destroy(fixture);
}

/* ---- what holds for all ------------------------------------------------------------------------------ */

static const char *const panels[] = {"rates",      "partitions", "latency",  "tail",
                                     "quarantine", "journeys",   "playback", "log"};

static void test_any_size_any_key(void **state)
{
    static const char *const commands[][2] = {
        {"select", "next"},  {"select", "previous"}, {"select", "page-down"}, {"select", "first"},
        {"select", "right"}, {"open", ""},           {"select", "left"},      {"match", "next"},
        {"sort", ""},        {"copy", ""},           {"remove", ""},          {"back", ""},
        {"select", "last"},  {"unknown", "x"}};
    static const int all[][2] = {{3, 3}, {8, 3}, {20, 4}, {40, 7}, {60, 12}, {250, 70}};
    for (size_t p = 0; p < sizeof panels / sizeof panels[0]; p++)
        for (int kind = STREAM_VIEW_BUSY; kind <= STREAM_VIEW_HOSTILE; kind++)
            for (size_t size = 0; size < 6; size++) {
                struct bench bench;
                struct stream_view *fixture = stream_view_create((enum stream_view_kind)kind);
                bench_open(&bench, panels[p], &fixture->view, all[size][0], all[size][1],
                           size % 2 ? GLYPHS_ASCII : GLYPHS_BLOCK);
                for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
                    assert_true(bench_harmless(&bench));
                    if (bench.class->command != NULL)
                        bench_run(&bench, commands[i][0], commands[i][1]);
                }
                for (int what = MOUSE_CLICK; what <= MOUSE_DRAG && bench.class->mouse != NULL; what++)
                    for (int y = -1; y < all[size][1]; y++)
                        bench.class->mouse(bench.state, bench.view, (enum panel_mouse)what, y * 2, y,
                                           &bench.host);
                assert_true(bench_harmless(&bench));
                bench_close(&bench);
                stream_view_destroy(fixture);
            }
}

static void test_nothing_changes_while_nothing_does(void **state)
{
    for (size_t p = 0; p < sizeof panels / sizeof panels[0]; p++) {
        struct bench bench;
        struct stream_view *fixture = stream_view_create(STREAM_VIEW_BUSY);
        bench_open(&bench, panels[p], &fixture->view, 100, 20, GLYPHS_BRAILLE);
        char *before = bench_text(&bench);
        uint64_t generation = bench.class->generation(bench.state, bench.view);
        fixture->view.wall_us += 5000000; /* only the clock goes on */
        fixture->view.mono_us += 5000000;
        fixture->view.generation++;
        assert_int_equal(bench.class->generation(bench.state, bench.view), generation);
        char *after = bench_text(&bench);
        assert_string_equal(before, after);
        free(before);
        free(after);
        bench_close(&bench);
        stream_view_destroy(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_screens),   cmocka_unit_test(test_golden_colours),
        cmocka_unit_test(test_golden_replay),    cmocka_unit_test(test_golden_records),
        cmocka_unit_test(test_record_tree),      cmocka_unit_test(test_record_that_has_gone),
        cmocka_unit_test(test_ten_megabytes),    cmocka_unit_test(test_tail_freezes_and_follows),
        cmocka_unit_test(test_tail_mouse),       cmocka_unit_test(test_partitions_order_and_open),
        cmocka_unit_test(test_rates_alone),      cmocka_unit_test(test_journeys_commands),
        cmocka_unit_test(test_playback_seeks),   cmocka_unit_test(test_log_filter_and_copy),
        cmocka_unit_test(test_any_size_any_key), cmocka_unit_test(test_nothing_changes_while_nothing_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
