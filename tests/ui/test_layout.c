/* Layouts: every screen at every size covers its area with panels that neither overlap nor leave it. */
#include "ui/layout.h"
#include "ui/panel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const struct screen_row *row, int width, int height, bool (*has)(const char *panel))
{
    static unsigned char cells[90][260];
    struct layout layout;
    struct rect area = {0, 2, width, height};
    assert_true(layout_compute(row, area, has, &layout));
    assert_true(layout.count > 0);
    memset(cells, 0, sizeof cells);
    for (size_t i = 0; i < layout.count; i++) {
        const struct rect *rect = &layout.slots[i].rect;
        assert_true(rect->x >= 0 && rect->y >= 2 && rect->x + rect->width <= width &&
                    rect->y + rect->height <= height + 2);
        for (int y = rect->y; y < rect->y + rect->height; y++)
            for (int x = rect->x; x < rect->x + rect->width; x++)
                if (cells[y][x]++ != 0)
                    fail_msg("%s at %dx%d: %s overlaps", row->name, width, height, layout.slots[i].panel);
        if (has == NULL && rect->height < (layout.slots[i].bare ? 1 : 4))
            fail_msg("%s at %dx%d: %s has %d rows", row->name, width, height, layout.slots[i].panel,
                     rect->height);
        if (has == NULL && rect->width < 24)
            fail_msg("%s at %dx%d: %s has %d columns", row->name, width, height, layout.slots[i].panel,
                     rect->width);
    }
    for (int y = 2; y < height + 2; y++)
        for (int x = 0; x < width; x++)
            if (cells[y][x] == 0)
                fail_msg("%s at %dx%d: nothing at %d,%d", row->name, width, height, x, y);
}

static void test_all_sizes(void **state)
{
    const struct screen_row *rows;
    size_t count = layout_screens(&rows);
    for (size_t i = 0; i < count; i++)
        for (int width = LAYOUT_MIN_WIDTH; width <= 250; width += 3)
            for (int height = LAYOUT_MIN_HEIGHT - 3; height <= 80; height++)
                check(&rows[i], width, height, NULL);
}

static bool only_some(const char *panel)
{
    static const char *const some[] = {"map",   "throughput", "rates",  "batches",  "tables",
                                       "loads", "results",    "ledger", "journeys", "log"};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (strcmp(panel, some[i]) == 0)
            return true;
    return false;
}

static void test_what_is_not_built_leaves_its_place(void **state)
{
    const struct screen_row *rows;
    size_t count = layout_screens(&rows);
    for (size_t i = 0; i < count; i++) {
        check(&rows[i], 132, 39, only_some);
        check(&rows[i], 80, 21, only_some);
        check(&rows[i], 200, 46, only_some);
    }
}

static bool none(const char *panel)
{
    return false;
}

static void test_nothing_built(void **state)
{
    const struct screen_row *rows;
    struct layout layout;
    layout_screens(&rows);
    assert_true(layout_compute(&rows[0], (struct rect){0, 0, 80, 20}, none, &layout));
    assert_int_equal(layout.count, 0);
}

static void test_bad_specs_are_told(void **state)
{
    static const char *const bad[] = {"down(map", "down(map,)", "", "map)", "across()", "map:7 x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct screen_row row = {.layouts = {{0, 0, bad[i]}}};
        struct layout layout;
        assert_false(layout_compute(&row, (struct rect){0, 0, 80, 20}, NULL, &layout));
    }
}

static void test_screens(void **state)
{
    const struct screen_row *rows;
    size_t count = layout_screens(&rows);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].key[0] >= '1' && rows[i].key[0] <= '9');
        for (size_t j = i + 1; j < count; j++)
            assert_string_not_equal(rows[i].key, rows[j].key);
    }
    /* The sketch of 80x24. */
    struct layout layout;
    layout_compute(&rows[0], (struct rect){0, 1, 80, 21}, NULL, &layout);
    assert_string_equal(layout.slots[0].panel, "map");
    assert_int_equal(layout.slots[0].rect.width, 49);
    assert_int_equal(layout.slots[0].rect.height, 16);
    assert_true(layout.slots[layout.count - 1].bare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_sizes),     cmocka_unit_test(test_what_is_not_built_leaves_its_place),
        cmocka_unit_test(test_nothing_built), cmocka_unit_test(test_bad_specs_are_told),
        cmocka_unit_test(test_screens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
