/* Themes: readable on black, apart for colour-blind eyes, never invisible on any depth; nothing but
 * attributes without colours. */
#include "ui/pairs.h"
#include "ui/term_probe.h"
#include "ui/theme.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static double linear(uint32_t rgb, int shift)
{
    double value = (rgb >> shift & 255) / 255.0;
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

/* WCAG 2.2: relative luminance and contrast ratio. */
static double luminance(uint32_t rgb)
{
    return 0.2126 * linear(rgb, 16) + 0.7152 * linear(rgb, 8) + 0.0722 * linear(rgb, 0);
}

static double contrast(uint32_t a, uint32_t b)
{
    double high = fmax(luminance(a), luminance(b)), low = fmin(luminance(a), luminance(b));
    return (high + 0.05) / (low + 0.05);
}

static void test_contrast(void **state)
{
    static const enum role read[] = {ROLE_DIM,       ROLE_FOCUS,   ROLE_GOOD,    ROLE_WARNING, ROLE_BAD,
                                     ROLE_INFO,      ROLE_VEHICLE, ROLE_GPS,     ROLE_TRAFFIC, ROLE_WEATHER,
                                     ROLE_EMERGENCY, ROLE_PLACE,   ROLE_FOLLOWED};
    static const double least[] = {[THEME_DEFAULT] = 4.5, [THEME_CONTRAST] = 7, [THEME_COLOURBLIND] = 4.5};
    for (enum theme theme = THEME_DEFAULT; theme < THEME_MONO; theme++) {
        for (size_t i = 0; i < LENGTH(read); i++) {
            int32_t rgb = theme_colour(theme, read[i], false);
            if (contrast((uint32_t)rgb, 0) < least[theme])
                fail_msg("%s %s: %.1f", theme_name(theme), role_name(read[i]), contrast((uint32_t)rgb, 0));
        }
        for (enum role role = ROLE_NONE; role < ROLE_COUNT; role++) {
            int32_t fg = theme_colour(theme, role, false), bg = theme_colour(theme, role, true);
            if (bg >= 0 && contrast((uint32_t)fg, (uint32_t)bg) < least[theme])
                fail_msg("%s %s on its ground: %.1f", theme_name(theme), role_name(role),
                         contrast((uint32_t)fg, (uint32_t)bg));
        }
    }
}

static void test_light_backgrounds(void **state)
{
    static const enum role read[] = {ROLE_DIM,  ROLE_FOCUS,   ROLE_GOOD,  ROLE_WARNING, ROLE_BAD,
                                     ROLE_INFO, ROLE_VEHICLE, ROLE_GPS,   ROLE_TRAFFIC, ROLE_WEATHER,
                                     ROLE_SLOW, ROLE_PLACE,   ROLE_ROUTE, ROLE_FOLLOWED};
    static const enum role quiet[] = {ROLE_FRAME, ROLE_ROAD, ROLE_COAST};
    for (enum theme theme = THEME_DEFAULT; theme < THEME_MONO; theme++) {
        for (size_t i = 0; i < LENGTH(read); i++) {
            struct paint paint = theme_resolve(theme, DEPTH_RGB, true, STYLE(read[i]));
            if (contrast((uint32_t)paint.fg, 0xffffff) < (theme == THEME_CONTRAST ? 7 : 4.5))
                fail_msg("%s %s on white: %.1f", theme_name(theme), role_name(read[i]),
                         contrast((uint32_t)paint.fg, 0xffffff));
        }
        for (size_t i = 0; i < LENGTH(quiet) && theme != THEME_CONTRAST; i++) {
            double stands_out =
                contrast((uint32_t)theme_resolve(theme, DEPTH_RGB, true, STYLE(quiet[i])).fg, 0xffffff);
            if (stands_out < 1.3 || stands_out > 4.5)
                fail_msg("%s %s on white: %.1f", theme_name(theme), role_name(quiet[i]), stands_out);
        }
    }
    assert_true(term_probe_light("0;15"));
    assert_true(term_probe_light("0;default;7"));
    assert_false(term_probe_light("15;0"));
    assert_false(term_probe_light(NULL));
}

/* Viénot, Brettel and Mollon 1999: what deuteranopes and protanopes see, in linear light. */
static void seen(uint32_t rgb, bool protan, double out[3])
{
    double r = linear(rgb, 16), g = linear(rgb, 8), b = linear(rgb, 0);
    double l = 17.8824 * r + 43.5161 * g + 4.11935 * b, m = 3.45565 * r + 27.1554 * g + 3.86714 * b,
           s = 0.0299566 * r + 0.184309 * g + 1.46709 * b;
    if (protan)
        l = 2.02344 * m - 2.52581 * s;
    else
        m = 0.494207 * l + 1.24827 * s;
    out[0] = 0.0809444479 * l - 0.130504409 * m + 0.116721066 * s;
    out[1] = -0.0102485335 * l + 0.0540193266 * m - 0.113614708 * s;
    out[2] = -0.000365296938 * l - 0.00412161469 * m + 0.693511405 * s;
    for (int i = 0; i < 3; i++)
        out[i] = cbrt(fmax(out[i], 0)); /* roughly even steps for the eye */
}

static void test_colour_blind_pairs(void **state)
{
    static const enum role pairs[][2] = {
        {ROLE_GOOD, ROLE_BAD},     {ROLE_GOOD, ROLE_WARNING}, {ROLE_WARNING, ROLE_BAD},
        {ROLE_FREE, ROLE_SLOW},    {ROLE_SLOW, ROLE_QUEUE},   {ROLE_QUEUE, ROLE_JAM},
        {ROLE_FREE, ROLE_QUEUE},   {ROLE_FREE, ROLE_JAM},     {ROLE_SLOW, ROLE_JAM},
        {ROLE_VEHICLE, ROLE_GPS},  {ROLE_GPS, ROLE_TRAFFIC},  {ROLE_TRAFFIC, ROLE_EMERGENCY},
        {ROLE_GPS, ROLE_EMERGENCY}};
    for (size_t i = 0; i < LENGTH(pairs); i++)
        for (int protan = 0; protan <= 1; protan++) {
            double a[3], b[3];
            seen((uint32_t)theme_colour(THEME_COLOURBLIND, pairs[i][0], false), protan, a);
            seen((uint32_t)theme_colour(THEME_COLOURBLIND, pairs[i][1], false), protan, b);
            double apart = sqrt(pow(a[0] - b[0], 2) + pow(a[1] - b[1], 2) + pow(a[2] - b[2], 2));
            if (apart < 0.12)
                fail_msg("%s and %s look alike (%.2f) to a %s", role_name(pairs[i][0]),
                         role_name(pairs[i][1]), apart, protan ? "protanope" : "deuteranope");
        }
}

static void test_never_invisible(void **state)
{
    for (enum theme theme = THEME_DEFAULT; theme < THEME_COUNT; theme++)
        for (enum depth depth = DEPTH_MONO; depth <= DEPTH_RGB; depth++)
            for (enum role fg = ROLE_NONE; fg < ROLE_COUNT; fg++)
                for (int bar = 0, light = 0; light <= 1; bar = !bar, light += !bar) {
                    struct style style = {.fg = COLOUR_ROLE(fg),
                                          .bg = COLOUR_ROLE(bar ? ROLE_BAR : ROLE_NONE)};
                    struct paint paint = theme_resolve(theme, depth, light, style);
                    if (paint.fg >= 0 && paint.fg == paint.bg)
                        fail_msg("%s on %s: %s", role_name(fg), bar ? "bar" : "none", theme_name(theme));
                    if (paint.bg < 0 && depth == DEPTH_16 && !light)
                        assert_int_not_equal(paint.fg, 0); /* black on what is likely black */
                    if (depth == DEPTH_MONO || theme == THEME_MONO) {
                        assert_int_equal(paint.fg, -1);
                        assert_int_equal(paint.bg, -1);
                    }
                    int limit = depth == DEPTH_8     ? 8
                                : depth == DEPTH_16  ? 16
                                : depth == DEPTH_256 ? 256
                                                     : 1 << 24;
                    assert_true(paint.fg < limit && paint.bg < limit);
                }
}

static void test_mono_tells_states_by_attributes(void **state)
{
    static const enum role loud[] = {ROLE_STRONG, ROLE_FOCUS, ROLE_SELECTED, ROLE_WARNING,
                                     ROLE_BAD,    ROLE_BAR,   ROLE_LIVE,     ROLE_PAUSED};
    for (size_t i = 0; i < LENGTH(loud); i++)
        assert_true(theme_resolve(THEME_DEFAULT, DEPTH_MONO, false, STYLE(loud[i])).attributes != 0);
}

static void test_nearest(void **state)
{
    for (int number = 16; number < 256; number++) {
        uint32_t rgb = theme_rgb_of_256(number);
        assert_int_equal(theme_rgb_of_256(theme_nearest_256(rgb)), rgb);
    }
    assert_int_equal(theme_nearest_256(0x5fd7ff), 81);
    assert_int_equal(theme_nearest_256(0x262626), 235);
    /* A picture's solid cell stays solid. */
    struct paint paint =
        theme_resolve(THEME_DEFAULT, DEPTH_256, true,
                      (struct style){.fg = COLOUR_RGB(10, 200, 30), .bg = COLOUR_RGB(10, 200, 30)});
    assert_int_equal(paint.fg, paint.bg);
    assert_true(paint.fg >= 16);
}

static void test_names(void **state)
{
    for (enum theme theme = THEME_DEFAULT; theme < THEME_COUNT; theme++)
        assert_int_equal(theme_from_name(theme_name(theme)), theme);
    assert_int_equal(theme_from_name("colorblind"), THEME_COLOURBLIND);
    assert_int_equal(theme_from_name("pink"), -1);
}

static void test_probe(void **state)
{
    const char *why;
    assert_int_equal(term_probe_glyphs("UTF-8", "xterm-256color", -1, &why), GLYPHS_BRAILLE);
    assert_int_equal(term_probe_glyphs("ANSI_X3.4-1968", "xterm", -1, &why), GLYPHS_ASCII);
    assert_int_equal(term_probe_glyphs("UTF-8", "linux", -1, &why), GLYPHS_ASCII);
    assert_int_equal(term_probe_glyphs("UTF-8", "vt220", -1, NULL), GLYPHS_ASCII);
    assert_int_equal(term_probe_depth(256, false, "1", &why), DEPTH_MONO);
    assert_int_equal(term_probe_depth(256, false, "", &why),
                     DEPTH_256); /* an empty NO_COLOR does not count */
    assert_int_equal(term_probe_depth(1 << 24, true, NULL, &why), DEPTH_RGB);
    assert_int_equal(term_probe_depth(16, false, NULL, &why), DEPTH_16);
    assert_int_equal(term_probe_depth(-1, false, NULL, &why), DEPTH_MONO);
    assert_string_equal(term_probe_direct("xterm-256color", "truecolor"), "xterm-direct");
    assert_null(term_probe_direct("xterm-256color", NULL));
    assert_null(term_probe_direct("linux", "truecolor"));
}

static struct pairs pairs;

static void test_pairs(void **state)
{
    bool fresh;
    pairs_init(&pairs, 3);
    pairs_begin(&pairs);
    assert_int_equal(pairs_find(&pairs, -1, -1, &fresh), 0);
    int kept = pairs_find(&pairs, 1, -1, &fresh), old = pairs_find(&pairs, 2, -1, &fresh);
    assert_true(fresh);
    assert_int_equal(pairs_find(&pairs, 1, -1, &fresh), kept);
    assert_false(fresh);
    int third = pairs_find(&pairs, 3, 4, &fresh);
    pairs_begin(&pairs);
    pairs_keep(&pairs, kept);
    pairs_keep(&pairs, third);
    assert_int_equal(pairs_find(&pairs, 9, 9, &fresh), old); /* the one that no cell shows any more */
    assert_true(fresh);
    assert_int_equal(pairs_find(&pairs, 3, 4, &fresh), third);
    pairs_begin(&pairs);
    assert_int_not_equal(pairs_find(&pairs, 2, -1, &fresh), 0);
    assert_true(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contrast),
        cmocka_unit_test(test_light_backgrounds),
        cmocka_unit_test(test_colour_blind_pairs),
        cmocka_unit_test(test_never_invisible),
        cmocka_unit_test(test_mono_tells_states_by_attributes),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
