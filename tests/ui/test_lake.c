/* The panels of everything past Kafka: golden screens at three sizes and in ASCII, hostile texts, keys. */
#include "tests/support/lake_view.h"
#include "tests/ui/bench.h"
#include "ui/panels/ledger.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const screens[] = {"lake", "catalogue", "warehouse", "ledger"};
#define SCREENS (sizeof screens / sizeof screens[0])

static void test_golden_screens(void **state)
{
    bool same = true;
    for (size_t screen = 0; screen < SCREENS; screen++)
        for (int kind = 0; kind < LAKE_VIEW_KINDS; kind++)
            for (size_t size = 0; size < BENCH_SIZES; size++) {
                char name[64];
                struct view *view = lake_view_create((enum lake_view_kind)kind);
                snprintf(name, sizeof name, "%s-%s-%s", screens[screen], bench_sizes[size].name,
                         lake_view_names[kind]);
                same = golden_is(name,
                                 bench_screen(screens[screen], view, bench_sizes[size].width,
                                              bench_sizes[size].height, bench_sizes[size].glyphs, false)) &&
                       same;
                lake_view_destroy(view);
            }
    assert_true(same);
}

static void test_golden_colours(void **state)
{
    bool same = true;
    struct view *view = lake_view_create(LAKE_VIEW_TROUBLE);
    for (size_t screen = 0; screen < SCREENS; screen++) {
        char name[64];
        snprintf(name, sizeof name, "%s-colours", screens[screen]);
        same = golden_is(name, bench_screen(screens[screen], view, 132, 39, GLYPHS_BRAILLE, true)) && same;
    }
    lake_view_destroy(view);
    assert_true(same);
}

/* ---- lake -------------------------------------------------------------------------------------------- */

static void test_batches_open_and_stay(void **state)
{
    struct bench bench;
    struct view *view = lake_view_create(LAKE_VIEW_TROUBLE);
    bench_open(&bench, "batches", view, 100, 11, GLYPHS_BRAILLE);
    bench_draw(&bench);
    for (int i = 0; i < 5; i++) /* past the five that are open */
        assert_true(bench_run(&bench, "select", "next"));
    assert_true(bench_run(&bench, "open", ""));
    assert_true(bench_shows(&bench, "vehicle_data: waiting"));
    assert_true(bench_shows(&bench, "7 tries failed"));
    assert_true(bench_shows(&bench, "503 SlowDown"));
    /* a new batch comes: the opened one stays */
    struct lake_figures *lake = &view->lake.figures;
    memmove(lake->recent + 1, lake->recent, lake->recent_count * sizeof *lake->recent);
    lake->recent_count++;
    lake->recent[0] = lake->recent[4];
    lake->recent[0].sequence = 999;
    assert_true(bench_shows(&bench, "7 tries failed"));
    assert_true(bench_run(&bench, "back", ""));
    assert_false(bench_run(&bench, "back", ""));
    assert_true(bench_run(&bench, "copy", ""));
    assert_string_equal(bench.copied, "aws s3 ls --recursive s3://smartcity-lake/raw/vehicle_data/");
    bench.context.filter = "fenced";
    assert_true(bench_shows(&bench, "another writer"));
    bench.context.filter = "no such";
    assert_true(bench_shows(&bench, "no batch fits the filter"));
    assert_false(bench_run(&bench, "open", ""));
    bench_close(&bench);
    lake_view_destroy(view);
}

static void test_flush_tells_what_comes(void **state)
{
    struct bench bench;
    struct view *view = lake_view_create(LAKE_VIEW_BUSY);
    bench_open(&bench, "flush", view, 60, 14, GLYPHS_BRAILLE);
    assert_true(bench_shows(&bench, "AUTOMATIC"));
    assert_true(bench_shows(&bench, "76,365 rows, 5 files, 98 pictures"));
    assert_true(bench_shows(&bench, "9 s, closes in 6 s"));
    uint64_t before = bench.class->generation(bench.state, view);
    view->mono_us += 100000; /* within the same second nothing is drawn again */
    view->wall_us += 100000;
    assert_int_equal(bench.class->generation(bench.state, view), before);
    view->wall_us += 1000000;
    view->mono_us += 1000000;
    assert_int_not_equal(bench.class->generation(bench.state, view), before);
    view->lake.figures.paused = true;
    view->lake.figures.next_close_us = 0;
    assert_true(bench_shows(&bench, "only when told"));
    assert_true(bench_shows(&bench, "automatic again"));
    bench_close(&bench);
    lake_view_destroy(view);
}

static void test_objects_name_what_went_wrong(void **state)
{
    struct bench bench;
    struct view *view = lake_view_create(LAKE_VIEW_TROUBLE);
    bench_open(&bench, "objects", view, 100, 24, GLYPHS_BRAILLE);
    assert_true(bench_shows(&bench, "partitions that somebody else writes"));
    assert_true(bench_shows(&bench, "14 small files"));
    assert_true(bench_run(&bench, "copy", ""));
    assert_non_null(strstr(bench.copied, "s3://smartcity-lake/raw/"));
    bench_close(&bench);
    lake_view_destroy(view);
}

/* ---- catalogue --------------------------------------------------------------------------------------- */

static void test_tables_compare_and_open(void **state)
{
    struct bench bench;
    struct view *view = lake_view_create(LAKE_VIEW_TROUBLE);
    const struct catalogue_table *tables = view->catalogue.snapshot->tables;
    assert_int_equal(tables[0].differences, 3);
    assert_int_equal(tables[1].differences, 0);
    assert_int_equal(tables[6].kind, -1);
    bench_open(&bench, "tables", view, 130, 40, GLYPHS_BRAILLE);
    assert_true(bench_shows(&bench, "3 differ"));
    assert_true(bench_shows(&bench, "other type: "));
    assert_true(bench_shows(&bench, "additional"));
    assert_true(bench_run(&bench, "copy", ""));
    assert_string_equal(bench.copied,
                        "aws glue get-table --database-name 'smartcity_raw' --name 'vehicle_data'");
    assert_true(bench_run(&bench, "open", ""));
    assert_true(bench_run(&bench, "select", "last"));
    assert_true(bench_shows(&bench, "missing: "));
    assert_true(bench_run(&bench, "back", ""));
    assert_false(bench_run(&bench, "back", ""));
    bench.context.filter = "orders";
    assert_true(bench_shows(&bench, "not ours"));
    bench_close(&bench);
    lake_view_destroy(view);
}

/* ---- ledger ------------------------------------------------------------------------------------------ */

static void test_ledger_comes_out_even(void **state)
{
    struct bench bench;
    struct view *view = lake_view_create(LAKE_VIEW_BUSY);
    struct account all;
    ledger_account(view, EVENT_KIND_COUNT, &all);
    assert_int_equal(all.residual, 0);
    assert_int_equal(all.simulated, all.failed + all.landed + all.in_flight + all.quarantined);
    bench_open(&bench, "ledger", view, 130, 24, GLYPHS_BRAILLE);
    assert_true(bench_shows(&bench, "residual 0"));
    /* one row that is nowhere */
    view->lake.figures.kinds[EVENT_GPS].rows--;
    ledger_account(view, EVENT_GPS, &all);
    assert_int_equal(all.residual, 1);
    assert_true(bench_shows(&bench, "unexplained"));
    /* could not be read, and is in the open batch: on its way */
    ((struct city_snapshot *)(uintptr_t)view->city)->topics[EVENT_GPS].quarantined = 1;
    ledger_account(view, EVENT_GPS, &all);
    assert_int_equal(all.residual, 0);
    /* fenced: what was refused is told, and is not unexplained; what was given back is read again */
    view->lake.figures.kinds[EVENT_WEATHER].refused = 30;
    view->lake.figures.kinds[EVENT_WEATHER].rows -= 40;
    view->lake.figures.kinds[EVENT_WEATHER].returned = 55;
    ledger_account(view, EVENT_WEATHER, &all);
    assert_int_equal(all.residual, 0);
    assert_int_equal(all.simulated, all.landed + all.in_flight + all.quarantined + all.refused);
    /* nothing simulated here: what is read is the whole */
    view->sim.present = false;
    ledger_account(view, EVENT_GPS, &all);
    assert_int_equal(all.simulated, all.consumed);
    bench_close(&bench);
    lake_view_destroy(view);
}

/* ---- what holds for all ------------------------------------------------------------------------------ */

static const char *const panels[] = {"objects",  "flush", "batches", "tables",
                                     "crawlers", "loads", "ledger",  "onwards"};
#define PANELS (sizeof panels / sizeof panels[0])

static void test_any_size_any_key(void **state)
{
    static const char *const commands[][2] = {
        {"select", "next"},  {"select", "previous"}, {"select", "page-down"}, {"select", "first"},
        {"select", "right"}, {"open", ""},           {"select", "left"},      {"match", "next"},
        {"sort", ""},        {"copy", ""},           {"remove", ""},          {"back", ""},
        {"select", "last"},  {"unknown", "x"}};
    static const int all[][2] = {{3, 3}, {8, 3}, {20, 4}, {40, 7}, {60, 12}, {250, 70}};
    for (size_t p = 0; p < PANELS; p++)
        for (int kind = 0; kind < LAKE_VIEW_KINDS; kind++)
            for (size_t size = 0; size < 6; size++) {
                struct bench bench;
                struct view *view = lake_view_create((enum lake_view_kind)kind);
                bench_open(&bench, panels[p], view, all[size][0], all[size][1],
                           size % 2 ? GLYPHS_ASCII : GLYPHS_BLOCK);
                for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
                    assert_true(bench_harmless(&bench));
                    if (bench.class->command != NULL)
                        bench_run(&bench, commands[i][0], commands[i][1]);
                    bench.class->generation(bench.state, bench.view);
                }
                for (int what = MOUSE_CLICK; what <= MOUSE_DRAG && bench.class->mouse != NULL; what++)
                    for (int y = -1; y < all[size][1]; y++)
                        bench.class->mouse(bench.state, bench.view, (enum panel_mouse)what, y * 2, y,
                                           &bench.host);
                assert_true(bench_harmless(&bench));
                bench_close(&bench);
                lake_view_destroy(view);
            }
}

static void test_nothing_changes_while_nothing_does(void **state)
{
    for (size_t p = 0; p < PANELS; p++) {
        struct bench bench;
        struct view *view = lake_view_create(LAKE_VIEW_BUSY);
        bench_open(&bench, panels[p], view, 100, 20, GLYPHS_BRAILLE);
        char *before = bench_text(&bench);
        uint64_t generation = bench.class->generation(bench.state, bench.view);
        view->wall_us += 400000; /* ages are whole seconds */
        view->generation++;
        assert_int_equal(bench.class->generation(bench.state, bench.view), generation);
        char *after = bench_text(&bench);
        assert_string_equal(before, after);
        free(before);
        free(after);
        bench_close(&bench);
        lake_view_destroy(view);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden_screens),
                                       cmocka_unit_test(test_golden_colours),
                                       cmocka_unit_test(test_batches_open_and_stay),
                                       cmocka_unit_test(test_flush_tells_what_comes),
                                       cmocka_unit_test(test_objects_name_what_went_wrong),
                                       cmocka_unit_test(test_tables_compare_and_open),
                                       cmocka_unit_test(test_ledger_comes_out_even),
                                       cmocka_unit_test(test_any_size_any_key),
                                       cmocka_unit_test(test_nothing_changes_while_nothing_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
