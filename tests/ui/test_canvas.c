#include "ui/canvas.h"
#include "ui/glyphs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void assert_drawn(struct canvas *canvas, const char *expected)
{
    char *text = canvas_dump(canvas);
    assert_string_equal(text, expected);
    free(text);
    canvas_destroy(canvas);
}

static void test_text_is_clipped(void **state)
{
    struct canvas canvas = canvas_create(5, 2, GLYPHS_BRAILLE);
    canvas_text(&canvas, -2, 0, STYLE(ROLE_TEXT), "abcdefghij");
    canvas_text(&canvas, 0, 2, STYLE(ROLE_TEXT), "below");
    canvas_text(&canvas, 3, 1, STYLE(ROLE_TEXT), "xyz");
    assert_drawn(&canvas, "cdefg\n   xy\n");
}

static void test_wide_runes(void **state)
{
    struct canvas canvas = canvas_create(6, 3, GLYPHS_BRAILLE);
    assert_int_equal(canvas_text(&canvas, 0, 0, STYLE(ROLE_TEXT), "路線x"), 5);
    assert_int_equal(canvas_at(&canvas, 1, 0)->rune, 0);
    canvas_text(&canvas, 5, 1, STYLE(ROLE_TEXT), "路");
    canvas_text(&canvas, 0, 2, STYLE(ROLE_TEXT), "路線");
    canvas_put(&canvas, 1, 2, 'a', STYLE(ROLE_TEXT)); /* breaks the first */
    canvas_put(&canvas, 2, 2, 'b', STYLE(ROLE_TEXT)); /* and the second */
    assert_drawn(&canvas, "路線x\n\n ab\n");
}

static void test_wide_rune_at_the_edge_of_a_sub_canvas(void **state)
{
    struct canvas canvas = canvas_create(6, 1, GLYPHS_BRAILLE);
    canvas_text(&canvas, 0, 0, STYLE(ROLE_TEXT), "a路線b");
    struct canvas sub = canvas_sub(&canvas, 2, 0, 2, 1); /* right half of one, left half of the next */
    canvas_text(&sub, 0, 0, STYLE(ROLE_TEXT), "12");
    assert_drawn(&canvas, "a 12 b\n");
}

static void test_combining_marks_join(void **state)
{
    struct canvas canvas = canvas_create(6, 2, GLYPHS_BRAILLE);
    assert_int_equal(canvas_text(&canvas, 0, 0, STYLE(ROLE_TEXT), "e\xCC\x81z"), 2);
    canvas_text(&canvas, 0, 1, STYLE(ROLE_TEXT), "\xCC\x81\xE2\x80\x8Dq\xEF\xB8\x8F");
    assert_drawn(&canvas, "e\xCC\x81z\nq\n");
}

static void test_controls_never_reach_a_cell(void **state)
{
    static const char *const hostile[] = {"\x1b[2J\x1b]52;c;eA==\x07",
                                          "\xC2\x9B"
                                          "31m",
                                          "a\rb\nc\td\x7f",
                                          "\xE2\x80\xAE"
                                          "evil",
                                          "\xFF\xFE\xC0\x9B",
                                          "\xF3\xA0\x80\x81tag"};
    for (enum glyphs glyphs = GLYPHS_BRAILLE; glyphs <= GLYPHS_ASCII; glyphs++) {
        struct canvas canvas = canvas_create(40, (int)LENGTH(hostile), glyphs);
        for (size_t i = 0; i < LENGTH(hostile); i++)
            canvas_text(&canvas, 0, (int)i, STYLE(ROLE_TEXT), hostile[i]);
        for (int y = 0; y < canvas.height; y++)
            for (int x = 0; x < canvas.width; x++) {
                uint32_t rune = canvas_at(&canvas, x, y)->rune;
                assert_true(rune >= 0x20 && !(rune >= 0x7F && rune < 0xA0) && rune != 0x202E &&
                            rune < 0xE0000);
                if (glyphs == GLYPHS_ASCII)
                    assert_true(rune < 0x7F);
            }
        canvas_destroy(&canvas);
    }
}

static void test_fit_cuts_with_an_ellipsis(void **state)
{
    struct canvas canvas = canvas_create(12, 4, GLYPHS_BRAILLE);
    assert_int_equal(canvas_text_fit(&canvas, 0, 0, 5, STYLE(ROLE_TEXT), "exact"), 5);
    assert_int_equal(canvas_text_fit(&canvas, 0, 1, 5, STYLE(ROLE_TEXT), "longer"), 5);
    assert_int_equal(canvas_text_fit(&canvas, 0, 2, 4, STYLE(ROLE_TEXT), "a路線b"), 4);
    assert_int_equal(canvas_text_fit(&canvas, 0, 3, 0, STYLE(ROLE_TEXT), "x"), 0);
    assert_drawn(&canvas, "exact\nlong…\na路…\n\n");
}

static void test_frame(void **state)
{
    struct canvas canvas = canvas_create(24, 3, GLYPHS_BRAILLE);
    struct canvas inside = canvas_frame(&canvas, "Map", "2 s ago", true);
    assert_int_equal(inside.width, 22);
    assert_int_equal(inside.height, 1);
    canvas_text(&inside, 0, 0, STYLE(ROLE_TEXT), "in");
    assert_drawn(&canvas, "╭─ Map ────── 2 s ago ─╮\n│in                    │\n╰──────────────────────╯\n");
    canvas = canvas_create(12, 3, GLYPHS_ASCII);
    canvas_frame(&canvas, "Très long title", "note", false);
    assert_drawn(&canvas, "+- Tres ~ -+\n|          |\n+----------+\n");
    canvas = canvas_create(1, 3, GLYPHS_BLOCK);
    inside = canvas_frame(&canvas, "t", "", false);
    assert_int_equal(inside.width, 0);
    assert_drawn(&canvas, "\n\n\n");
}

static void test_bar_and_spark(void **state)
{
    struct canvas canvas = canvas_create(8, 5, GLYPHS_BRAILLE);
    canvas_bar(&canvas, 0, 0, 8, 0.5, STYLE(ROLE_GOOD));
    canvas_bar(&canvas, 0, 1, 4, 0.78125, STYLE(ROLE_GOOD));
    canvas_bar(&canvas, 0, 2, 4, 1e9, STYLE(ROLE_GOOD));
    const float values[] = {9, 0, 1, 2, 4, 8};
    canvas_spark(&canvas, 0, 3, 5, 2, values, LENGTH(values), 0, STYLE(ROLE_GOOD));
    assert_drawn(&canvas, "████░░░░\n███▏\n████\n    █\n ▂▄██\n");
    canvas = canvas_create(6, 1, GLYPHS_ASCII);
    canvas_bar(&canvas, 0, 0, 6, 0.5, STYLE(ROLE_GOOD));
    assert_drawn(&canvas, "###...\n");
}

static void test_dots(void **state)
{
    struct canvas canvas = canvas_create(4, 1, GLYPHS_BRAILLE);
    struct dots dots = dots_create(4, 1, GLYPHS_BRAILLE);
    dots_line(&dots, -100, 0, 100, 0, 1, COLOUR_ROLE(ROLE_ROAD));
    dots_set(&dots, 2, 3, 5, COLOUR_ROLE(ROLE_BAD));
    dots_set(&dots, 3, 3, 2, COLOUR_ROLE(ROLE_GOOD)); /* less important: keeps the colour */
    dots_draw(&dots, &canvas, 0, 0);
    dots_destroy(&dots);
    char *styles = canvas_dump_styles(&canvas);
    assert_string_equal(styles, "rxrr\n");
    free(styles);
    assert_drawn(&canvas, "⠉⣉⠉⠉\n");
}

static void test_dots_far_outside(void **state)
{
    struct dots dots = dots_create(3, 3, GLYPHS_BLOCK);
    dots_line(&dots, -(INT64_C(1) << 40), -(INT64_C(1) << 40), INT64_C(1) << 40, INT64_C(1) << 40, 1, 1);
    struct canvas canvas = canvas_create(3, 3, GLYPHS_BLOCK);
    dots_draw(&dots, &canvas, 0, 0);
    dots_clear(&dots);
    dots_line(&dots, 10, -5, 10, 50, 1, 1);
    dots_line(&dots, -5, -1, 50, -1, 1, 1);
    for (int i = 0; i < 9; i++)
        assert_int_equal(dots.bits[i], 0);
    dots_destroy(&dots);
    assert_drawn(&canvas, "▚\n ▚\n  ▚\n");
}

static void test_stand_ins_keep_their_width(void **state)
{
    static const struct {
        uint32_t rune, block, ascii;
    } cases[] = {{0x256D, 0x250C, '+'}, {0x25CF, 0x2022, '*'}, {0xE9, 0xE9, 'e'},  {0x2026, '~', '~'},
                 {0x28FF, ':', ':'},    {'x', 'x', 'x'},       {0x160, 0x160, 'S'}};
    for (size_t i = 0; i < LENGTH(cases); i++) {
        assert_int_equal(glyphs_fit(GLYPHS_BRAILLE, cases[i].rune), cases[i].rune);
        assert_int_equal(glyphs_fit(GLYPHS_BLOCK, cases[i].rune), cases[i].block);
        assert_int_equal(glyphs_fit(GLYPHS_ASCII, cases[i].rune), cases[i].ascii);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_clipped),
        cmocka_unit_test(test_wide_runes),
        cmocka_unit_test(test_wide_rune_at_the_edge_of_a_sub_canvas),
        cmocka_unit_test(test_combining_marks_join),
        cmocka_unit_test(test_controls_never_reach_a_cell),
        cmocka_unit_test(test_fit_cuts_with_an_ellipsis),
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_bar_and_spark),
        cmocka_unit_test(test_dots),
        cmocka_unit_test(test_dots_far_outside),
        cmocka_unit_test(test_stand_ins_keep_their_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
