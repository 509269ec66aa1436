#include "ui/theme.h"

#include "base/text.h"

#include <string.h>

#define OWN (-1)

struct look {
    int32_t fg;  /* 0xRRGGBB or OWN */
    int8_t fg16; /* of the sixteen, or OWN */
    int32_t bg;
    int8_t bg16;
    uint8_t attributes;
};

/* clang-format off */
#define B ATTR_BOLD
#define R ATTR_REVERSE
#define U ATTR_UNDERLINE
/* fg; fg with attributes; fg on bg with attributes; the terminal's own with attributes. */
#define F(rgb, ansi)                    {rgb, ansi, OWN, OWN, 0}
#define A(rgb, ansi, with)              {rgb, ansi, OWN, OWN, with}
#define P(rgb, ansi, back, ansib, with) {rgb, ansi, back, ansib, with}
#define OWNS(with)                      {OWN, OWN, OWN, OWN, with}
/* clang-format on */

/* The colour-blind columns use the palette of Okabe and Ito (jfly.uni-koeln.de/color): orange E69F00, sky
 * blue 56B4E9, bluish green 009E73, yellow F0E442, blue 0072B2, vermillion D55E00, reddish purple CC79A7.
 * Good is a blue, bad is vermillion, and brightness differs along every scale, so that they stay apart for
 * every kind of eye. */
/* clang-format off */
static const struct look looks[ROLE_COUNT][THEME_COUNT] = {
    /*                    default                             contrast                            colour-blind                        mono */
    [ROLE_NONE]        = {OWNS(0),                            OWNS(0),                            OWNS(0),                            OWNS(0)},
    [ROLE_TEXT]        = {OWNS(0),                            OWNS(0),                            OWNS(0),                            OWNS(0)},
    [ROLE_STRONG]      = {OWNS(B),                            OWNS(B),                            OWNS(B),                            OWNS(B)},
    [ROLE_DIM]         = {F(0x8a8a8a, 8),                     F(0xc6c6c6, 7),                     F(0x949494, 8),                     OWNS(0)},
    [ROLE_FRAME]       = {F(0x4e4e4e, 8),                     F(0x9e9e9e, 7),                     F(0x4e4e4e, 8),                     OWNS(0)},
    [ROLE_FOCUS]       = {F(0x5fd7ff, 14),                    A(0xffff00, 11, B),                 F(0x56b4e9, 14),                    OWNS(B)},
    [ROLE_TITLE]       = {OWNS(B),                            OWNS(B),                            OWNS(B),                            OWNS(B)},
    [ROLE_BAR]         = {P(0xd0d0d0, 7, 0x262626, 0, 0),     P(0xffffff, 15, 0x000087, 4, 0),    P(0xd0d0d0, 7, 0x262626, 0, 0),     OWNS(R)},
    [ROLE_BAR_KEY]     = {P(0x5fd7ff, 14, 0x262626, 0, B),    P(0xffff00, 11, 0x000087, 4, B),    P(0x56b4e9, 14, 0x262626, 0, B),    OWNS(R | B)},
    [ROLE_SELECTED]    = {P(0xffffff, 15, 0x005f87, 6, B),    P(0x000000, 0, 0xffff00, 11, B),    P(0xffffff, 15, 0x0072b2, 4, B),    OWNS(R)},
    [ROLE_GOOD]        = {F(0x5fd787, 10),                    F(0x5fff5f, 10),                    F(0x56b4e9, 14),                    OWNS(0)},
    [ROLE_WARNING]     = {F(0xffd75f, 11),                    F(0xffff00, 11),                    F(0xf0e442, 11),                    OWNS(B)},
    [ROLE_BAD]         = {A(0xff5f5f, 9, B),                  A(0xff8787, 9, B),                  A(0xf07427, 9, B),                  OWNS(B | U)},
    [ROLE_INFO]        = {F(0x5fafff, 12),                    F(0x87d7ff, 14),                    F(0x56b4e9, 14),                    OWNS(0)},
    [ROLE_VEHICLE]     = {F(0x5fd7ff, 14),                    F(0x87ffff, 14),                    F(0x56b4e9, 14),                    OWNS(0)},
    [ROLE_GPS]         = {F(0x5fd787, 10),                    F(0x87ff87, 10),                    F(0x00b384, 10),                    OWNS(0)},
    [ROLE_TRAFFIC]     = {F(0xffd75f, 11),                    F(0xffff87, 11),                    F(0xf0e442, 11),                    OWNS(0)},
    [ROLE_WEATHER]     = {F(0x7f9ff5, 12),                    F(0xafd7ff, 12),                    F(0xcc79a7, 13),                    OWNS(0)},
    [ROLE_EMERGENCY]   = {F(0xff5f5f, 9),                     F(0xff8787, 9),                     F(0xf07427, 9),                     OWNS(B)},
    [ROLE_FREE]        = {F(0x5fd787, 10),                    F(0x5fff5f, 10),                    F(0x56b4e9, 14),                    OWNS(0)},
    [ROLE_SLOW]        = {F(0xffd75f, 11),                    F(0xffff00, 11),                    F(0xf0e442, 11),                    OWNS(B)},
    [ROLE_QUEUE]       = {F(0xff8700, 3),                     F(0xffaf00, 3),                     F(0xe69f00, 3),                     OWNS(B)},
    [ROLE_JAM]         = {F(0xff3f3f, 9),                     F(0xff5f5f, 9),                     F(0xe05a00, 9),                     OWNS(R)},
    [ROLE_COAST]       = {F(0x005f87, 4),                     F(0x5f87ff, 12),                    F(0x0072b2, 4),                     OWNS(0)},
    [ROLE_ROAD]        = {F(0x444444, 8),                     F(0x767676, 8),                     F(0x444444, 8),                     OWNS(0)},
    [ROLE_MOTORWAY]    = {F(0x5f6f87, 8),                     F(0xafafaf, 7),                     F(0x6c6c6c, 8),                     OWNS(0)},
    [ROLE_ROUTE]       = {F(0xeeeeee, 15),                    F(0xffffff, 15),                    F(0xeeeeee, 15),                    OWNS(B)},
    [ROLE_PLACE]       = {F(0xb2b2b2, 7),                     F(0xffffff, 15),                    F(0xb2b2b2, 7),                     OWNS(0)},
    [ROLE_FOLLOWED]    = {A(0x5fffff, 14, B),                 A(0x00ffff, 14, B),                 A(0xffffff, 15, B),                 OWNS(B | R)},
    [ROLE_TRACK]       = {F(0x00afd7, 6),                     F(0x5fd7ff, 14),                    F(0x9fd4f2, 6),                     OWNS(0)},
    [ROLE_CAMERA]      = {F(0x9e9e9e, 7),                     F(0xdadada, 7),                     F(0x9e9e9e, 7),                     OWNS(0)},
    [ROLE_RAIN]        = {F(0x5f87d7, 12),                    F(0x87afff, 12),                    F(0x3f95d0, 12),                    OWNS(0)},
    [ROLE_SNOW]        = {F(0xd7d7ff, 15),                    F(0xffffff, 15),                    F(0xe4e4e4, 15),                    OWNS(0)},
    [ROLE_FOG]         = {F(0x949494, 7),                     F(0xd0d0d0, 7),                     F(0xcc79a7, 13),                    OWNS(0)},
    [ROLE_LIVE]        = {P(0x000000, 0, 0x5fd787, 2, B),     P(0x000000, 0, 0x5fff5f, 10, B),    P(0x000000, 0, 0x56b4e9, 6, B),     OWNS(R | B)},
    [ROLE_REPLAY]      = {P(0x000000, 0, 0xaf87ff, 5, B),     P(0x000000, 0, 0x87ffff, 14, B),    P(0x000000, 0, 0xcc79a7, 5, B),     OWNS(R | B)},
    [ROLE_PAUSED]      = {P(0x000000, 0, 0xffd75f, 3, B),     P(0x000000, 0, 0xffff00, 11, B),    P(0x000000, 0, 0xf0e442, 3, B),     OWNS(R | B)},
};
/* clang-format on */

static const char *const theme_names[THEME_COUNT] = {"default", "contrast", "colourblind", "mono"};

const char *theme_name(enum theme theme)
{
    return theme_names[theme];
}

int theme_from_name(const char *name)
{
    for (int i = 0; i < THEME_COUNT; i++)
        if (text_equal_fold(name, theme_names[i]))
            return i;
    return text_equal_fold(name, "colorblind") ? THEME_COLOURBLIND : -1;
}

const char *depth_name(enum depth depth)
{
    static const char *const names[] = {"no colours", "8 colours", "16 colours", "256 colours",
                                        "true colour"};
    return names[depth];
}

int32_t theme_colour(enum theme theme, enum role role, bool background)
{
    const struct look *look = &looks[role][theme];
    return background ? look->bg : look->fg;
}

uint32_t theme_rgb_of_256(int number)
{
    static const uint8_t cube[6] = {0, 95, 135, 175, 215, 255};
    if (number >= 232) {
        uint32_t grey = 8 + 10 * (uint32_t)(number - 232);
        return grey << 16 | grey << 8 | grey;
    }
    uint32_t index = number >= 16 ? (uint32_t)number - 16 : 0;
    return (uint32_t)cube[index / 36] << 16 | (uint32_t)cube[index / 6 % 6] << 8 | cube[index % 6];
}

/* Weights 2, 4, 3 for red, green and blue stand for the eye's. */
static int distance(uint32_t a, uint32_t b)
{
    int red = (int)(a >> 16 & 255) - (int)(b >> 16 & 255);
    int green = (int)(a >> 8 & 255) - (int)(b >> 8 & 255);
    int blue = (int)(a & 255) - (int)(b & 255);
    return 2 * red * red + 4 * green * green + 3 * blue * blue;
}

static uint32_t cube_step(uint32_t value)
{
    return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40;
}

int theme_nearest_256(uint32_t rgb)
{
    uint32_t red = rgb >> 16 & 255, green = rgb >> 8 & 255, blue = rgb & 255;
    int cube = 16 + (int)(36 * cube_step(red) + 6 * cube_step(green) + cube_step(blue));
    uint32_t mean = (2 * red + 4 * green + 3 * blue) / 9;
    int grey = 232 + (mean < 8 ? 0 : mean > 238 ? 23 : (int)(mean - 3) / 10);
    return distance(theme_rgb_of_256(grey), rgb) < distance(theme_rgb_of_256(cube), rgb) ? grey : cube;
}

/* Of the sixteen by hue and brightness, for pictures and ramps on poor terminals. */
static int nearest_16(uint32_t rgb)
{
    static const uint32_t palette[16] = {0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd,
                                         0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
                                         0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff};
    int best = 0;
    for (int i = 1; i < 16; i++)
        if (distance(palette[i], rgb) < distance(palette[best], rgb))
            best = i;
    return best;
}

/* ---- light backgrounds ------------------------------------------------------------------------------- */

/* WCAG's contrast with gamma taken as 2, which is near enough and cheap. */
static double brightness(int32_t rgb)
{
    double red = (rgb >> 16 & 255) / 255.0, green = (rgb >> 8 & 255) / 255.0, blue = (rgb & 255) / 255.0;
    return 0.2126 * red * red + 0.7152 * green * green + 0.0722 * blue * blue;
}

static int32_t blend(int32_t rgb, int32_t with, double part)
{
    int32_t mixed = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
        double a = rgb >> shift & 255, b = with >> shift & 255;
        mixed |= (int32_t)(a + (b - a) * part + 0.5) << shift;
    }
    return mixed;
}

/* Takes out the grey in a colour, the more the more colourful it is: what is darkened next keeps its hue also
 * among 256 colours. */
static int32_t saturate(int32_t rgb)
{
    int32_t red = rgb >> 16 & 255, green = rgb >> 8 & 255, blue = rgb & 255;
    int32_t most = red > green ? red : green, least = red < green ? red : green;
    most = blue > most ? blue : most;
    least = blue < least ? blue : least;
    if (most == 0)
        return rgb;
    int32_t grey = least * (most - least) / most;
    return (red - grey) << 16 | (green - grey) << 8 | (blue - grey);
}

/* The colour that stands out from white as much as this one does from black: read at ease what is to be read,
 * and furniture as quiet as it was. */
static int32_t on_light(enum theme theme, int32_t rgb)
{
    double from_black = (brightness(rgb) + 0.05) / 0.05, least = theme == THEME_CONTRAST ? 8 : 5;
    double wanted = from_black < 4.8 ? from_black / 1.3 : from_black / 2 > least ? from_black / 2 : least;
    wanted = wanted < 1.7 ? 1.7 : wanted > 9 ? 9 : wanted;
    double low = 0, high = 1;
    rgb = wanted >= 4 ? saturate(rgb) : rgb;
    int32_t with = 1.05 / (brightness(rgb) + 0.05) < wanted ? 0x000000 : 0xffffff;
    for (int i = 0; i < 10; i++) {
        double middle = (low + high) / 2, reached = 1.05 / (brightness(blend(rgb, with, middle)) + 0.05);
        bool enough = with == 0 ? reached >= wanted : reached <= wanted;
        if (enough)
            high = middle;
        else
            low = middle;
    }
    return blend(rgb, with, high);
}

static int ansi_on_light(int ansi)
{
    return ansi == 15 ? OWN : ansi == 7 ? 8 : ansi == 8 ? 7 : ansi > 8 ? ansi - 8 : ansi;
}

static int32_t number(enum depth depth, int32_t rgb, int ansi)
{
    if (rgb == OWN)
        return OWN;
    switch (depth) {
    case DEPTH_RGB:
        /* Direct-colour descriptions take 0 to 7 for the palette's; a shade lighter is true colour. */
        return rgb < 8 && rgb > 0 ? 8 : rgb;
    case DEPTH_256:
        return theme_nearest_256((uint32_t)rgb);
    case DEPTH_16:
        return ansi;
    case DEPTH_8:
        /* Bright black would be black: such furniture takes the terminal's own colour. */
        return ansi == OWN || ansi == 8 ? OWN : ansi & 7;
    case DEPTH_MONO:
        break;
    }
    return OWN;
}

static int ansi_of(int32_t rgb)
{
    return rgb == OWN ? OWN : nearest_16((uint32_t)rgb);
}

struct paint theme_resolve(enum theme theme, enum depth depth, bool light, struct style style)
{
    if (depth == DEPTH_MONO)
        theme = THEME_MONO;
    struct look look = {OWN, OWN, OWN, OWN, 0};
    if (COLOUR_IS_RGB(style.fg)) {
        look.fg = (int32_t)(style.fg & 0xFFFFFF);
        look.fg16 = (int8_t)ansi_of(look.fg);
    } else if (style.fg < ROLE_COUNT) {
        look = looks[style.fg][theme];
    }
    if (COLOUR_IS_RGB(style.bg)) {
        look.bg = (int32_t)(style.bg & 0xFFFFFF);
        look.bg16 = (int8_t)ansi_of(look.bg);
    } else if (style.bg != ROLE_NONE && style.bg < ROLE_COUNT) {
        /* A role as background lends its own background, or its foreground when it has none. */
        const struct look *back = &looks[style.bg][theme];
        look.bg = back->bg != OWN ? back->bg : back->fg;
        look.bg16 = back->bg != OWN ? back->bg16 : back->fg16;
        look.attributes |= back->attributes & (ATTR_REVERSE | ATTR_BOLD);
    }
    if (look.fg == OWN && look.bg != OWN) {
        /* Writing on a ground of its own does not depend on the terminal's. */
        bool dark = brightness(look.bg) < 0.25;
        look.fg = dark ? 0xffffff : 0x000000;
        look.fg16 = dark ? 15 : 0;
    }
    if (light && look.bg == OWN && look.fg != OWN && !COLOUR_IS_RGB(style.fg)) {
        look.fg = on_light(theme, look.fg);
        look.fg16 = (int8_t)ansi_on_light(look.fg16);
    }
    struct paint paint = {.attributes = (uint8_t)(look.attributes | style.attributes)};
    if (theme == THEME_MONO) {
        /* A true-colour cell has only its shape left. */
        paint.fg = OWN;
        paint.bg = OWN;
        return paint;
    }
    paint.fg = number(depth, look.fg, look.fg16);
    paint.bg = number(depth, look.bg, look.bg16);
    if (depth == DEPTH_8 && look.fg16 > 8 && !light)
        paint.attributes |= ATTR_BOLD;
    /* Roles that fall together on a poor terminal stay readable; a picture's solid cell is meant. */
    if (paint.fg == paint.bg && look.fg != look.bg && !COLOUR_IS_RGB(style.fg)) {
        paint.fg = OWN;
        paint.bg = OWN;
        paint.attributes |= ATTR_REVERSE;
    }
    return paint;
}
