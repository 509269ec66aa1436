/* Sky, land, road and what stands beside it. */
#include "sim/noise.h"
#include "sim/picture_parts.h"

#include <math.h>

#define FAR      1600.0 /* m */
#define LANE     3.65
#define SHOULDER 3.3
#define MEDIAN   5.0 /* between the carriageways */
#define PI       3.14159265358979323846

static double half_width(const struct picture *picture)
{
    return picture->scene->lanes * LANE / 2;
}

static double other_edge(const struct picture *picture)
{
    return half_width(picture) + MEDIAN + picture->scene->other_lanes * LANE;
}

/* ---- sky -------------------------------------------------------------------------------------------- */

static void gradient(const struct picture *picture, double top, double bottom, struct colour from,
                     struct colour to)
{
    cairo_pattern_t *pattern = cairo_pattern_create_linear(0, top, 0, bottom);
    cairo_pattern_add_color_stop_rgb(pattern, 0, from.red, from.green, from.blue);
    cairo_pattern_add_color_stop_rgb(pattern, 1, to.red, to.green, to.blue);
    cairo_set_source(picture->cairo, pattern);
    cairo_rectangle(picture->cairo, 0, top, PICTURE_WIDTH, bottom - top);
    cairo_fill(picture->cairo);
    cairo_pattern_destroy(pattern);
}

static void paint_clouds(const struct picture *picture)
{
    double cloud = (double)picture->scene->cloud;
    struct colour bright =
        colour_mix((struct colour){.10, .10, .12}, (struct colour){.96, .96, .97}, picture->day);
    bright = colour_mix(bright, (struct colour){.98, .62, .46}, 0.6 * picture->dusk);
    struct colour shade = colour_mix(bright, picture->haze, 0.7);
    int count = (int)(3 + 15 * cloud);
    for (int i = 0; i < count; i++) {
        uint32_t what = 100 + (uint32_t)i * 4;
        /* They drift: a picture's width in about eight minutes. */
        double drift = (double)(picture->scene->tick % 960000) / 960.0;
        double x =
            fmod(picture_fixed(picture, what) + drift * (0.6 + 0.8 * picture_fixed(picture, what + 3)), 1.4) *
                PICTURE_WIDTH -
            60;
        double y = picture->horizon * (0.1 + 0.75 * picture_fixed(picture, what + 1));
        double far = y / picture->horizon; /* lower ones are farther away */
        double width = (46 + 60 * picture_fixed(picture, what + 2)) * (1.3 - far),
               height = width * (0.24 - 0.1 * far);
        cairo_save(picture->cairo);
        cairo_translate(picture->cairo, x, y);
        cairo_scale(picture->cairo, width, height);
        cairo_pattern_t *pattern = cairo_pattern_create_radial(0, -0.2, 0.1, 0, 0, 1);
        double alpha = (0.35 + 0.4 * cloud) * (0.25 + 0.75 * picture->day);
        cairo_pattern_add_color_stop_rgba(pattern, 0, bright.red, bright.green, bright.blue, alpha);
        cairo_pattern_add_color_stop_rgba(pattern, .6, shade.red, shade.green, shade.blue, alpha * 0.6);
        cairo_pattern_add_color_stop_rgba(pattern, 1, shade.red, shade.green, shade.blue, 0);
        cairo_set_source(picture->cairo, pattern);
        cairo_rectangle(picture->cairo, -1, -1, 2, 2);
        cairo_fill(picture->cairo);
        cairo_pattern_destroy(pattern);
        cairo_restore(picture->cairo);
    }
}

static void paint_sun(const struct picture *picture)
{
    const struct picture_scene *scene = picture->scene;
    if (fabs((double)scene->sun_side) > 30 || scene->sun < -2 || scene->sun > 16 || scene->cloud > 0.8F)
        return;
    double x = picture->centre + PICTURE_FOCUS * tan((double)scene->sun_side * PI / 180);
    double y = picture->horizon - PICTURE_FOCUS * tan((double)scene->sun * PI / 180);
    double alpha = 0.9 * (1 - (double)scene->cloud);
    cairo_pattern_t *pattern = cairo_pattern_create_radial(x, y, 3, x, y, 95);
    cairo_pattern_add_color_stop_rgba(pattern, 0, 1, .96, .84, alpha);
    cairo_pattern_add_color_stop_rgba(pattern, .12, 1, .90, .70, alpha * .55);
    cairo_pattern_add_color_stop_rgba(pattern, 1, 1, .80, .55, 0);
    cairo_set_source(picture->cairo, pattern);
    cairo_rectangle(picture->cairo, 0, 0, PICTURE_WIDTH, picture->horizon + 4);
    cairo_fill(picture->cairo);
    cairo_pattern_destroy(pattern);
}

void picture_sky(const struct picture *picture)
{
    double cloud = (double)picture->scene->cloud;
    struct colour clear =
        colour_mix((struct colour){.012, .016, .05}, (struct colour){.30, .50, .80}, picture->day);
    struct colour dull =
        colour_mix((struct colour){.035, .035, .045}, (struct colour){.62, .65, .69}, picture->day);
    if (picture->scene->town)
        dull = colour_mix(dull, (struct colour){.16, .12, .09}, 0.6 * (1 - picture->day));
    double hidden = fmin(1, cloud * 1.05);
    struct colour top = colour_mix(clear, dull, hidden);
    top = colour_mix(top, (struct colour){.34, .30, .46}, 0.5 * picture->dusk);
    double fog = exp(-(double)picture->scene->visibility / 1800);
    gradient(picture, 0, picture->horizon + 2, colour_mix(top, picture->haze, fog), picture->haze);
    if (fog < 0.6) {
        paint_sun(picture);
        paint_clouds(picture);
    }
}

/* ---- land ------------------------------------------------------------------------------------------- */

static void paint_hills(const struct picture *picture)
{
    for (int layer = 0; layer < 2; layer++) {
        double distance = layer == 0 ? 5200 : 1900;
        double high = (layer == 0 ? 15 : 8) * (0.4 + picture_fixed(picture, 20 + (uint32_t)layer));
        double phase = 6.3 * picture_fixed(picture, 24 + (uint32_t)layer);
        cairo_move_to(picture->cairo, 0, picture->horizon + 3);
        for (int x = 0; x <= PICTURE_WIDTH; x += 8) {
            double wave = sin(x * 0.013 + phase) + 0.5 * sin(x * 0.031 + phase * 2.3) +
                          0.25 * sin(x * 0.071 + phase * 4.1);
            cairo_line_to(picture->cairo, x, picture->horizon - high * (0.55 + 0.36 * wave));
        }
        cairo_line_to(picture->cairo, PICTURE_WIDTH, picture->horizon + 3);
        struct colour green = layer == 0 ? (struct colour){.28, .36, .34} : (struct colour){.25, .33, .22};
        picture_paint(picture, colour_mix(green, (struct colour){.9, .92, .95}, 0.75 * picture->white),
                      distance);
        cairo_fill(picture->cairo);
    }
}

static void paint_houses(const struct picture *picture)
{
    for (int i = 0; i < 17; i++) {
        uint32_t what = 300 + (uint32_t)i * 5;
        double distance = 420 - i * 22;
        double side = (i % 2 ? 1 : -1) * (24 + 14 * picture_fixed(picture, what) + half_width(picture));
        if (side > 0)
            side += MEDIAN + picture->scene->other_lanes * LANE;
        double width = 12 + 12 * picture_fixed(picture, what + 1),
               tall = 8 + 22 * picture_fixed(picture, what + 2);
        double left = picture_x(picture, distance, side - width / 2),
               right = picture_x(picture, distance, side + width / 2);
        double top = picture_y(picture, distance, tall), bottom = picture_y(picture, distance, 0);
        double tone = picture_fixed(picture, what + 3);
        picture_paint(picture,
                      colour_mix((struct colour){.42, .30, .25}, (struct colour){.55, .54, .52}, tone),
                      distance);
        cairo_rectangle(picture->cairo, left, top, right - left, bottom - top);
        cairo_fill(picture->cairo);
        /* Windows: lit ones at night. */
        double dot = PICTURE_FOCUS * 1.1 / distance;
        for (int w = 0; w < 18 && dot > 0.8; w++) {
            int row = w / 6;
            double wx = left + (right - left) * (0.1 + 0.16 * (w % 6)),
                   wy = top + (bottom - top) * (0.10 + 0.24 * row);
            bool lit = picture->lamps > 0.5 && picture_fixed(picture, what + 900 + (uint32_t)w) < 0.4;
            if (lit)
                picture_source(picture, (struct colour){.98, .80, .45}, 0.85);
            else
                picture_paint(picture, (struct colour){.16, .18, .22}, distance);
            cairo_rectangle(picture->cairo, wx, wy, dot, dot * 1.4);
            cairo_fill(picture->cairo);
        }
    }
}

static void paint_tree(const struct picture *picture, uint32_t what, double distance, double side)
{
    double tall = 5 + 7 * picture_fixed(picture, what), x = picture_x(picture, distance, side);
    double ground = picture_y(picture, distance, 0), scale = PICTURE_FOCUS / distance,
           width = tall * 0.42 * scale;
    if (x < -60 || x > PICTURE_WIDTH + 60)
        return;
    double tone = picture_fixed(picture, what + 1);
    struct colour leaf = colour_mix((struct colour){.20, .31, .13}, (struct colour){.31, .35, .18}, tone);
    leaf = colour_mix(leaf, (struct colour){.88, .90, .93}, 0.6 * picture->white);
    picture_paint(picture, (struct colour){.17, .14, .11}, distance);
    cairo_rectangle(picture->cairo, x - 0.07 * width, ground - tall * 0.5 * scale, fmax(0.8, 0.14 * width),
                    tall * 0.5 * scale);
    cairo_fill(picture->cairo);
    /* A crown of overlapping tufts: dark ones low and behind, light ones high. */
    uint32_t block[4];
    struct rng_key key = {picture->scene->seed, picture->scene->camera, what + 2, NOISE_SCENE};
    rng_block(&key, block);
    for (int i = 0; i < 14; i++) {
        uint32_t bits = block[i % 4] >> (i / 4 * 8);
        double across = ((bits & 15) - 7.5) / 7.5, up = 0.30 + 0.58 * i / 13.0;
        double room = sqrt(fmax(0.05, 1 - pow((up - 0.58) / 0.42, 2)));
        double radius = width * (0.26 + 0.16 * (bits >> 4 & 3) / 3.0);
        picture_paint(picture, colour_mix((struct colour){.09, .12, .07}, leaf, 0.35 + 0.65 * i / 13.0),
                      distance);
        cairo_arc(picture->cairo, x + across * room * width, ground - up * tall * scale, fmax(0.7, radius), 0,
                  2 * PI);
        cairo_fill(picture->cairo);
    }
}

void picture_land(const struct picture *picture)
{
    if (!picture->scene->town)
        paint_hills(picture);
    struct colour grass =
        picture->scene->town ? (struct colour){.36, .36, .35} : (struct colour){.36, .40, .24};
    grass = colour_mix(grass, (struct colour){.90, .92, .95}, picture->white);
    struct colour near = picture_lit(
        picture, colour_mix(grass, (struct colour){.26, .29, .14}, 0.4 * (1 - picture->white)), 15);
    gradient(picture, picture->horizon, PICTURE_HEIGHT, picture_lit(picture, grass, 900), near);
    if (picture->scene->town) {
        paint_houses(picture);
        return;
    }
    double density = 0.35 + 0.6 * picture_fixed(picture, 40);
    for (int i = 0; i < 46; i++) {
        uint32_t what = 1000 + (uint32_t)i * 24;
        if (picture_fixed(picture, what + 22) > density)
            continue;
        double distance = 60 + 600 * pow(0.93, i);
        double out = 9 + 16 * picture_fixed(picture, what + 23);
        double side = i % 2 ? other_edge(picture) + SHOULDER + out : -(half_width(picture) + SHOULDER + out);
        paint_tree(picture, what, distance, side);
    }
}

/* ---- road ------------------------------------------------------------------------------------------- */

static void strip(const struct picture *picture, double left, double right, double from, double to,
                  double above)
{
    /* Steps grow with distance: the bend is smooth where it is seen. */
    double distances[40];
    int count = 0;
    for (double d = from; count < 39 && d < to; d *= 1.22)
        distances[count++] = d;
    distances[count++] = to;
    cairo_new_sub_path(picture->cairo);
    for (int i = 0; i < count; i++)
        cairo_line_to(picture->cairo, picture_x(picture, distances[i], left),
                      picture_y(picture, distances[i], above));
    for (int i = count - 1; i >= 0; i--)
        cairo_line_to(picture->cairo, picture_x(picture, distances[i], right),
                      picture_y(picture, distances[i], above));
    cairo_close_path(picture->cairo);
}

static void paint_tarmac(const struct picture *picture, double left, double right)
{
    struct colour dry = {.37, .37, .385}, dark = {.13, .135, .15};
    struct colour tarmac = colour_mix(dry, dark, 0.8 * picture->wet);
    tarmac = colour_mix(tarmac, (struct colour){.80, .82, .85}, 0.55 * picture->white);
    struct colour far = picture_lit(picture, tarmac, 500), near = picture_lit(picture, tarmac, 18);
    /* Wet tarmac mirrors the sky the more the flatter one looks. */
    far = colour_mix(far, picture->haze, 0.55 * picture->wet);
    near = colour_mix(near, picture->haze, 0.08 * picture->wet);
    cairo_pattern_t *pattern = cairo_pattern_create_linear(0, picture->horizon, 0, PICTURE_HEIGHT);
    cairo_pattern_add_color_stop_rgb(pattern, 0, far.red, far.green, far.blue);
    cairo_pattern_add_color_stop_rgb(pattern, 1, near.red, near.green, near.blue);
    strip(picture, left, right, 9, FAR, 0);
    cairo_set_source(picture->cairo, pattern);
    cairo_fill(picture->cairo);
    cairo_pattern_destroy(pattern);
}

/* Wheels keep two tracks of each lane darker when dry, and clear of snow. */
static void paint_tracks(const struct picture *picture, double left, int lanes)
{
    if (picture->day < 0.2 && picture->white < 0.2)
        return;
    for (int lane = 0; lane < lanes; lane++)
        for (int wheel = -1; wheel <= 1; wheel += 2) {
            double middle = left + (lane + 0.5) * LANE + wheel * 0.8;
            struct colour track = picture_lit(picture, (struct colour){.20, .20, .22}, 40);
            picture_source(picture, track, 0.14 + 0.22 * picture->white);
            strip(picture, middle - 0.28, middle + 0.28, 9, 260, 0);
            cairo_fill(picture->cairo);
        }
}

static void paint_beam(const struct picture *picture, double left, double right)
{
    cairo_pattern_t *pattern = cairo_pattern_create_linear(0, picture->horizon, 0, PICTURE_HEIGHT);
    double alpha = 0.10 * (1 - picture->day);
    cairo_pattern_add_color_stop_rgba(pattern, 0, 1, .95, .85, 0);
    cairo_pattern_add_color_stop_rgba(pattern, .25, 1, .95, .85, alpha);
    cairo_pattern_add_color_stop_rgba(pattern, 1, 1, .95, .85, alpha * .3);
    strip(picture, left, right, 9, 400, 0);
    cairo_set_source(picture->cairo, pattern);
    cairo_fill(picture->cairo);
    cairo_pattern_destroy(pattern);
}

static void paint_markings(const struct picture *picture, double left, int lanes, bool shoulder)
{
    struct colour white = {.86, .87, .86};
    double fade = 1 - 0.75 * picture->white;
    struct colour lit = picture_lit(picture, white, 60);
    /* Glass beads throw the headlights back. */
    lit = colour_mix(lit, white, 0.25 * picture->lamps);
    picture_source(picture, lit, 0.9 * fade);
    for (int line = 1; line < lanes; line++)
        for (int d = 9; d < 230; d += 9) /* 2 m of line, 7 m of gap */
            strip(picture, left + line * LANE - 0.09, left + line * LANE + 0.09, d, d + 2.4, 0);
    strip(picture, left - 0.12, left + 0.12, 9, 700, 0);
    strip(picture, left + lanes * LANE - 0.12, left + lanes * LANE + 0.12, 9, 700, 0);
    if (shoulder)
        strip(picture, left - 0.2, left - 0.0, 9, 420, 0);
    cairo_fill(picture->cairo);
}

void picture_road(const struct picture *picture)
{
    const struct picture_scene *scene = picture->scene;
    double half = half_width(picture), shoulder = scene->town ? 0.6 : SHOULDER;
    paint_tarmac(picture, -half - shoulder, half + 0.7);
    paint_tracks(picture, -half, scene->lanes);
    if (picture->day < 0.6) /* what the headlights of the own carriageway light up */
        paint_beam(picture, -half, half);
    paint_markings(picture, -half, scene->lanes, !scene->town);
    if (scene->other_lanes > 0) {
        double from = half + MEDIAN, to = from + scene->other_lanes * LANE;
        paint_tarmac(picture, from - 0.7, to + shoulder);
        paint_tracks(picture, from, scene->other_lanes);
        paint_markings(picture, from, scene->other_lanes, !scene->town);
    }
}

/* ---- what stands beside it -------------------------------------------------------------------------- */

static void paint_barrier(const struct picture *picture)
{
    double middle = half_width(picture) + MEDIAN / 2;
    bool concrete = picture_fixed(picture, 60) < 0.5;
    struct colour grey = concrete ? (struct colour){.62, .61, .58} : (struct colour){.55, .57, .60};
    for (int i = 0; i < 29; i++) { /* from 320 m to 9.5 m */
        double d = 320 * pow(1.13, -i), next = d / 1.13;
        double x0 = picture_x(picture, d, middle), x1 = picture_x(picture, next, middle);
        double low = concrete ? 0 : 0.45, high = concrete ? 0.95 : 0.8;
        cairo_move_to(picture->cairo, x0, picture_y(picture, d, low));
        cairo_line_to(picture->cairo, x0, picture_y(picture, d, high));
        cairo_line_to(picture->cairo, x1 + 0.5, picture_y(picture, next, high));
        cairo_line_to(picture->cairo, x1 + 0.5, picture_y(picture, next, low));
        cairo_close_path(picture->cairo);
        picture_paint(picture, grey, d);
        cairo_fill(picture->cairo);
    }
    if (concrete)
        return;
    for (int i = 0; i < 35; i++) {
        double d = 120 - 3.2 * i;
        double x = picture_x(picture, d, middle), wide = fmax(0.5, PICTURE_FOCUS * 0.12 / d);
        picture_paint(picture, (struct colour){.42, .43, .45}, d);
        cairo_rectangle(picture->cairo, x, picture_y(picture, d, 0.45), wide,
                        picture_y(picture, d, 0) - picture_y(picture, d, 0.45));
        cairo_fill(picture->cairo);
    }
}

static void box(const struct picture *picture, double distance, double left, double right, double low,
                double high, struct colour colour)
{
    double x = picture_x(picture, distance, left), top = picture_y(picture, distance, high);
    picture_paint(picture, colour, distance);
    cairo_rectangle(picture->cairo, x, top, fmax(0.7, picture_x(picture, distance, right) - x),
                    fmax(0.7, picture_y(picture, distance, low) - top));
    cairo_fill(picture->cairo);
}

static void paint_bridge(const struct picture *picture)
{
    double distance = 190 + 160 * picture_fixed(picture, 70);
    double left = -half_width(picture) - SHOULDER - 30, right = other_edge(picture) + SHOULDER + 30;
    struct colour stone = colour_mix((struct colour){.50, .47, .43}, (struct colour){.40, .41, .43},
                                     picture_fixed(picture, 71));
    box(picture, distance, left, right, 5.6, 7.0, stone);
    box(picture, distance, left, right, 7.0, 8.1, colour_mix(stone, (struct colour){.72, .72, .70}, 0.35));
    box(picture, distance, left, left + 22, 0, 5.7, colour_mix(stone, (struct colour){.20, .24, .15}, 0.55));
    box(picture, distance, right - 22, right, 0, 5.7,
        colour_mix(stone, (struct colour){.20, .24, .15}, 0.55));
    double pier = half_width(picture) + MEDIAN / 2;
    if (picture->scene->other_lanes > 0)
        box(picture, distance, pier - 0.6, pier + 0.6, 0, 5.6, stone);
}

static void paint_gantry(const struct picture *picture)
{
    const struct picture_scene *scene = picture->scene;
    double distance = 85 + 60 * picture_fixed(picture, 75), half = half_width(picture);
    struct colour steel = {.46, .48, .50};
    box(picture, distance, -half - SHOULDER - 1.5, -half - SHOULDER - 1.0, 0, 7.2, steel);
    box(picture, distance, half + 1.4, half + 1.9, 0, 7.2, steel);
    box(picture, distance, -half - SHOULDER - 1.5, half + 1.9, 6.7, 7.3, steel);
    if (picture_fixed(picture, 76) < 0.5) {
        /* A blue direction sign with two lines of white. */
        box(picture, distance, -half * 0.75, half * 0.55, 5.6, 8.6, (struct colour){.05, .20, .55});
        for (int line = 0; line < 2; line++)
            box(picture, distance, -half * 0.62, half * (0.15 + 0.2 * line), 7.6 - 1.1 * line,
                8.0 - 1.1 * line, (struct colour){.92, .93, .95});
    }
    for (int lane = 0; lane < scene->lanes; lane++) {
        double middle = -half + (lane + 0.5) * LANE;
        box(picture, distance - 0.5, middle - 0.8, middle + 0.8, 5.3, 6.8, (struct colour){.06, .06, .07});
        if (!scene->incident.shown)
            continue;
        bool closed = scene->incident.closed >> lane & 1;
        picture_glow(picture, distance - 0.6, middle, 6.05, 1.0,
                     closed ? (struct colour){1, .12, .08} : (struct colour){1, .70, .20}, 0.95);
    }
}

static void paint_lamps(const struct picture *picture)
{
    double middle = half_width(picture) + MEDIAN / 2;
    for (int d = 300; d > 24; d -= 34) {
        box(picture, d, middle - 0.1, middle + 0.1, 0, 10.5, (struct colour){.40, .41, .42});
        for (int arm = -1; arm <= 1; arm += 2) {
            box(picture, d, middle + arm * 1.8 - 0.9, middle + arm * 1.8 + 0.9, 10.4, 10.6,
                (struct colour){.40, .41, .42});
            picture_glow(picture, d, middle + arm * 2.4, 10.3, 1.8, (struct colour){1, .88, .66},
                         0.95 * picture->lamps * (picture->day < 0.6));
        }
        if (picture->day < 0.5) { /* a pool of light on the road */
            double y = picture_y(picture, d, 0), x = picture_x(picture, d, 0);
            cairo_save(picture->cairo);
            cairo_translate(picture->cairo, x, y);
            cairo_scale(picture->cairo, PICTURE_FOCUS * 13 / d, PICTURE_FOCUS * picture->height * 0.16 / d);
            cairo_pattern_t *pattern = cairo_pattern_create_radial(0, 0, 0, 0, 0, 1);
            cairo_pattern_add_color_stop_rgba(pattern, 0, 1, .86, .62, 0.16 * picture->lamps);
            cairo_pattern_add_color_stop_rgba(pattern, 1, 1, .86, .62, 0);
            cairo_set_source(picture->cairo, pattern);
            cairo_rectangle(picture->cairo, -1, -1, 2, 2);
            cairo_fill(picture->cairo);
            cairo_pattern_destroy(pattern);
            cairo_restore(picture->cairo);
        }
    }
}

void picture_furniture(const struct picture *picture)
{
    double kind = picture_fixed(picture, 50);
    if (!picture->scene->town && kind < 0.45)
        paint_bridge(picture);
    if (picture->scene->other_lanes > 0)
        paint_barrier(picture);
    if (picture->scene->town || kind > 0.86)
        paint_lamps(picture);
    if (!picture->scene->town && (kind >= 0.45 || picture->scene->incident.shown))
        paint_gantry(picture);
    /* Marker posts on the verge, each 100 m, with a reflector. */
    double verge = -half_width(picture) - (picture->scene->town ? 1.2 : SHOULDER + 0.7);
    for (int d = 40; d < 260 && !picture->scene->town; d += 100) {
        box(picture, d, verge - 0.1, verge + 0.1, 0, 1.0, (struct colour){.90, .90, .88});
        picture_glow(picture, d, verge, 0.8, 0.25, (struct colour){1, .25, .2}, 0.5 * picture->lamps);
    }
}
