/* Tables, lists, filters, trees and plots. */
#include "ui/plot.h"
#include "ui/table.h"
#include "ui/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_drawn(struct canvas *canvas, const char *expected)
{
    char *text = canvas_dump(canvas);
    assert_string_equal(text, expected);
    free(text);
    canvas_destroy(canvas);
}

static const struct table_column columns[] = {
    {"topic", 7, 0, false, 0}, {"text", 6, 1, false, 2}, {"lag", 5, 0, true, 0}, {"age", 4, 0, true, 1}};

static void test_columns_share_the_width(void **state)
{
    struct table table;
    struct canvas canvas = canvas_create(40, 2, GLYPHS_BRAILLE);
    table_fit(&table, columns, 4, 40);
    table_heading(&table, &canvas, 0, 2, true);
    table_put(&table, &canvas, 1, 0, STYLE(ROLE_TEXT), "gps");
    table_put(&table, &canvas, 1, 1, STYLE(ROLE_TEXT), "eighteen cells and more");
    table_put(&table, &canvas, 1, 2, STYLE(ROLE_TEXT), "12");
    table_put(&table, &canvas, 1, 3, STYLE(ROLE_TEXT), "3 s");
    assert_drawn(&canvas, "topic    text                 ▼lag   age\n"
                          "gps      eighteen cells an…     12   3 s\n");
}

static void test_columns_give_way(void **state)
{
    struct table table;
    table_fit(&table, columns, 4, 22);
    assert_int_equal(table.width[1], 0); /* rank 2 goes first */
    assert_int_equal(table.width[3], 4);
    assert_int_equal(table.x[2], 9);
    table_fit(&table, columns, 4, 15);
    assert_int_equal(table.width[3], 0);
    assert_int_equal(table_column_beside(&table, 0, 1), 2);
    assert_int_equal(table_column_beside(&table, 0, -1), 2);
    assert_int_equal(table_column_at(&table, 10), 2);
    assert_int_equal(table_column_at(&table, 40), -1);
    assert_int_equal(table_column_named(columns, 4, "LAG"), 2);
    assert_int_equal(table_column_named(columns, 4, "nothing"), -1);
    table_fit(&table, columns, 4, 0); /* does not loop, draws nothing outside */
}

static void test_selection_stays_in_sight(void **state)
{
    struct list list = {0};
    list_fit(&list, 100, 10);
    assert_true(list_move(&list, 100, "last"));
    list_fit(&list, 100, 10);
    assert_int_equal(list.top, 90);
    assert_true(list_move(&list, 100, "page-up"));
    assert_int_equal(list.selected, 90);
    assert_true(list_move(&list, 100, "previous"));
    list_fit(&list, 100, 10);
    assert_int_equal(list.top, 89);
    list_fit(&list, 3, 10); /* the list shrank */
    assert_int_equal(list.selected, 2);
    assert_int_equal(list.top, 0);
    assert_true(list_move(&list, 0, "next"));
    assert_int_equal(list.selected, 0);
    assert_false(list_move(&list, 3, "sideways"));
    assert_false(list_click(&list, 3, 3));
    assert_true(list_click(&list, 3, 1));
    assert_int_equal(list.selected, 1);
}

static void test_scroll_bar(void **state)
{
    struct canvas canvas = canvas_create(1, 4, GLYPHS_ASCII);
    struct list list = {.selected = 19};
    list_fit(&list, 20, 4);
    list_scroll_bar(&list, &canvas, 0, 0, 20);
    char *text = canvas_dump_styles(&canvas);
    assert_string_equal(text, "\n\n\nd\n");
    free(text);
    canvas_destroy(&canvas);
}

static void test_filter(void **state)
{
    const char *texts[] = {"vehicle_data", "veh-0007 speed 87"};
    assert_true(list_matches("", texts, 2));
    assert_true(list_matches("  SPEED vehicle ", texts, 2));
    assert_false(list_matches("speed gps", texts, 2));
    assert_true(list_matches("!gps", texts, 2));
    assert_false(list_matches("speed !veh-", texts, 2));
    assert_false(list_matches("!", texts, 2)); /* a mark alone is a text */
    struct canvas canvas = canvas_create(12, 1, GLYPHS_ASCII);
    canvas_text(&canvas, 0, 0, STYLE(ROLE_TEXT), "Speed speed");
    list_highlight(&canvas, 0, 0, 12, "eeD !s");
    for (int x = 0; x < 11; x++)
        assert_int_equal((canvas_at(&canvas, x, 0)->style.attributes & ATTR_UNDERLINE) != 0,
                         x % 6 >= 2 && x != 5);
    canvas_destroy(&canvas);
}

static void fill(struct tree *tree)
{
    tree_clear(tree, false);
    tree_add(tree, 0, "record", NULL, NULL, ROLE_TEXT);
    tree_branch(tree, false);
    tree_add(tree, 1, "speed", "87.3", "km/h", ROLE_TEXT);
    tree_add(tree, 1, "location", "51.8, -1.1", NULL, ROLE_TEXT);
    tree_branch(tree, true);
    tree_add(tree, 2, "latitude", "51.8", "deg", ROLE_TEXT);
    tree_add(tree, 1, "\033[31mred", "x", NULL, ROLE_TEXT);
}

static char *drawn(struct tree *tree)
{
    struct canvas canvas = canvas_create(32, 6, GLYPHS_ASCII);
    tree_draw(tree, &canvas, true, "");
    char *text = canvas_dump(&canvas);
    canvas_destroy(&canvas);
    return text;
}

static void test_tree_folds(void **state)
{
    struct tree tree;
    tree_init(&tree);
    fill(&tree);
    char *text = drawn(&tree);
    assert_string_equal(text,
                        "v record\n    speed     87.3 km/h\n  > location  51.8, -1.1\n    ?[31mred  x\n\n\n");
    free(text);
    assert_true(tree_command(&tree, "select", "next", ""));
    assert_true(tree_command(&tree, "select", "next", ""));
    assert_true(tree_command(&tree, "select", "right", ""));
    fill(&tree); /* new data, the same fold */
    text = drawn(&tree);
    assert_string_equal(text, "v record\n    speed      87.3 km/h\n  v location\n      latitude 51.8 deg\n"
                              "    ?[31mred   x\n\n");
    free(text);
    assert_true(tree_command(&tree, "select", "next", ""));
    assert_true(tree_command(&tree, "select", "left", "")); /* to the parent */
    assert_string_equal(tree_text(&tree, tree_selected(&tree)->label), "location");
    assert_true(tree_command(&tree, "select", "left", "")); /* and closes it */
    assert_true(tree_command(&tree, "match", "next", "spe"));
    assert_string_equal(tree_text(&tree, tree_selected(&tree)->label), "speed");
    tree_clear(&tree, true);
    assert_null(tree_selected(&tree));
    assert_false(tree_command(&tree, "open", "", ""));
    tree_free(&tree);
}

static void test_tree_is_bounded(void **state)
{
    struct tree tree;
    tree_init(&tree);
    for (int i = 0; i < TREE_NODES + 5; i++)
        tree_add(&tree, i, "deep", "value", NULL, ROLE_TEXT);
    assert_int_equal(tree.count, TREE_NODES);
    assert_int_equal(tree.left_out, 5);
    tree_free(&tree);
}

static void test_plot_tops(void **state)
{
    assert_float_equal(plot_top(0), 1, 0);
    assert_float_equal(plot_top(0.13), 0.2, 1e-9);
    assert_float_equal(plot_top(1), 1, 0);
    assert_float_equal(plot_top(4118), 5000, 0);
    assert_float_equal(plot_top(5001), 10000, 0);
}

static char *write_value(char out[PLOT_LABEL_SIZE], double value)
{
    snprintf(out, PLOT_LABEL_SIZE, "%g", value);
    return out;
}

static void test_plot(void **state)
{
    static const float values[] = {0, 1, 9, 2, 3, 4};
    struct plot plot = {.values = values, .count = 6, .window = 8, .top = 8, .style = STYLE(ROLE_GPS)};
    struct canvas canvas = canvas_create(20, 5, GLYPHS_ASCII);
    struct canvas inside = canvas_sub(&canvas, 3, 0, 8, 4);
    plot_draw(&plot, &inside);
    plot_axis(&canvas, 2, 0, 4, plot.top, write_value);
    plot_time_axis(&canvas, 3, 4, 17, 20);
    /* two buckets unknown, one of nothing; what is above the top is cut */
    assert_drawn(&canvas, " 8|    #\n  |    #\n 4|    # -#\n 0|  _-####\n  `---- -15 s -- now\n");
}

static void test_plot_keeps_peaks(void **state)
{
    float values[240] = {0};
    values[100] = 5;
    struct plot plot = {.values = values, .count = 240, .window = 240, .top = 5, .style = STYLE(ROLE_GPS)};
    for (int glyphs = GLYPHS_BRAILLE; glyphs <= GLYPHS_ASCII; glyphs++) {
        struct canvas canvas = canvas_create(10, 1, (enum glyphs)glyphs);
        plot_draw(&plot, &canvas);
        int seen = 0;
        for (int x = 0; x < 10; x++)
            seen += canvas_at(&canvas, x, 0)->style.fg == COLOUR_ROLE(ROLE_GPS);
        assert_int_equal(seen, 1);
        canvas_destroy(&canvas);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns_share_the_width),
                                       cmocka_unit_test(test_columns_give_way),
                                       cmocka_unit_test(test_selection_stays_in_sight),
                                       cmocka_unit_test(test_scroll_bar),
                                       cmocka_unit_test(test_filter),
                                       cmocka_unit_test(test_tree_folds),
                                       cmocka_unit_test(test_tree_is_bounded),
                                       cmocka_unit_test(test_plot_tops),
                                       cmocka_unit_test(test_plot),
                                       cmocka_unit_test(test_plot_keeps_peaks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
