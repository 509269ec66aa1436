/*
 * The picture is painted from far to near: sky, land, road, what stands beside it, vehicles, then what is in
 * the air and on the lens. All colours pass through picture_lit(), which knows the light, the haze and the
 * snow, so that day, dusk, night, rain and fog need no scenes of their own. The coder is libjpeg-turbo,
 * baseline, 4:2:0.
 */
#include "sim/picture_parts.h"

#include "base/err.h"
#include "sim/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#define QUALITY 70

struct picture *picture_create(void)
{
    struct picture *picture = mem_zero(1, sizeof *picture);
    picture->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, PICTURE_WIDTH, PICTURE_HEIGHT);
    picture->cairo = cairo_create(picture->surface);
    cairo_set_antialias(picture->cairo, CAIRO_ANTIALIAS_FAST);
    cairo_set_tolerance(picture->cairo, 0.4);
    picture->coder = tjInitCompress();
    picture->size = tjBufSize(PICTURE_WIDTH, PICTURE_HEIGHT, TJSAMP_420);
    picture->bytes = mem_alloc(picture->size);
    return picture;
}

void picture_destroy(struct picture *picture)
{
    if (!picture)
        return;
    if (picture->coder)
        tjDestroy(picture->coder);
    cairo_destroy(picture->cairo);
    cairo_surface_destroy(picture->surface);
    free(picture->bytes);
    free(picture);
}

/* ---- light ------------------------------------------------------------------------------------------ */

static double ramp(double value, double from, double to)
{
    double part = fmin(1, fmax(0, (value - from) / (to - from)));
    return part * part * (3 - 2 * part);
}

static void set_light(struct picture *picture)
{
    const struct picture_scene *scene = picture->scene;
    double sun = (double)scene->sun, cloud = (double)scene->cloud;
    picture->day = ramp(sun, -10, 2); /* the camera opens its iris */
    picture->dusk = ramp(sun, -7, -1) * (1 - ramp(sun, 3, 11)) * (1 - 0.85 * cloud);
    picture->lamps = 1 - ramp(sun, -3, 12) * (1 - 0.35 * cloud) * (scene->visibility < 3000 ? 0.7 : 1);
    picture->wet = fmin(1, (double)scene->wetness * 2.5);
    picture->white = fmin(1, (double)scene->snow);
    struct colour bright = colour_mix((struct colour){.74, .80, .88}, (struct colour){.72, .74, .76}, cloud);
    struct colour dark = scene->town ? (struct colour){.13, .11, .10} : (struct colour){.045, .05, .075};
    picture->haze = colour_mix(dark, bright, picture->day * (1 - 0.12 * cloud));
    picture->haze = colour_mix(picture->haze, (struct colour){.95, .72, .55}, 0.45 * picture->dusk);
}

static void set_mast(struct picture *picture)
{
    const struct picture_scene *scene = picture->scene;
    double half = scene->lanes * 3.65 / 2;
    /* On a mast beside the hard shoulder, on a gantry over the lanes, or in the central reservation. */
    double where = picture_fixed(picture, 1);
    picture->height = 7.5 + 3 * picture_fixed(picture, 2);
    picture->side = where < 0.4    ? -half - 4.5
                    : where < 0.75 ? half * (picture_fixed(picture, 3) - 0.4)
                                   : half + 2;
    picture->centre = PICTURE_WIDTH * (where < 0.4 ? 0.36 : where < 0.75 ? 0.45 : 0.5);
    picture->centre -=
        0.35 * PICTURE_FOCUS * (double)scene->curvature * 160; /* the operator aims along the bend */
    picture->horizon =
        84 + 12 * picture_fixed(picture, 4) - fmin(14, fmax(-14, (double)scene->slope * PICTURE_FOCUS));
}

struct colour picture_lit(const struct picture *picture, struct colour colour, double distance)
{
    double cloud = (double)picture->scene->cloud;
    double grey = 0.3 * colour.red + 0.59 * colour.green + 0.11 * colour.blue;
    colour = colour_mix(colour, (struct colour){grey, grey, grey}, 0.30 * cloud + 0.35 * (1 - picture->day));
    double base = picture->scene->town ? 0.20 : 0.16;
    double light = base + (1 - base) * picture->day * (1 - 0.22 * cloud);
    struct colour tint = colour_mix((struct colour){.80, .88, 1.12}, (struct colour){1, 1, 1}, picture->day);
    if (picture->scene->town)
        tint = colour_mix((struct colour){1.15, .98, .80}, (struct colour){1, 1, 1}, picture->day);
    tint = colour_mix(tint, (struct colour){1.08, .98, .91}, picture->dusk);
    colour = (struct colour){colour.red * light * tint.red, colour.green * light * tint.green,
                             colour.blue * light * tint.blue};
    /* Extinction: 5 % of the contrast is left at the visibility (Koschmieder). */
    return colour_mix(colour, picture->haze,
                      1 - exp(-3 * distance / fmax(60, (double)picture->scene->visibility)));
}

void picture_paint(const struct picture *picture, struct colour colour, double distance)
{
    struct colour lit = picture_lit(picture, colour, distance);
    cairo_set_source_rgb(picture->cairo, lit.red, lit.green, lit.blue);
}

void picture_source(const struct picture *picture, struct colour colour, double alpha)
{
    cairo_set_source_rgba(picture->cairo, colour.red, colour.green, colour.blue, alpha);
}

static void disc(const struct picture *picture, double x, double y, double across, double down,
                 struct colour colour, double alpha)
{
    cairo_pattern_t *pattern = cairo_pattern_create_radial(0, 0, 0, 0, 0, 1);
    cairo_pattern_add_color_stop_rgba(pattern, 0, colour.red, colour.green, colour.blue, alpha);
    cairo_pattern_add_color_stop_rgba(pattern, .25, colour.red, colour.green, colour.blue, alpha * .45);
    cairo_pattern_add_color_stop_rgba(pattern, 1, colour.red, colour.green, colour.blue, 0);
    cairo_save(picture->cairo);
    cairo_translate(picture->cairo, x, y);
    cairo_scale(picture->cairo, across, down);
    cairo_set_source(picture->cairo, pattern);
    cairo_rectangle(picture->cairo, -1, -1, 2, 2);
    cairo_fill(picture->cairo);
    cairo_restore(picture->cairo);
    cairo_pattern_destroy(pattern);
}

void picture_glow(const struct picture *picture, double distance, double side, double above, double metres,
                  struct colour colour, double strength)
{
    double x = picture_x(picture, distance, side), y = picture_y(picture, distance, above);
    double reach = exp(-2.2 * distance / fmax(60, (double)picture->scene->visibility));
    double fog = picture->scene->visibility < 2500 ? 1.7 : 1;
    double radius = fmin(46, fmax(1.3, PICTURE_FOCUS * metres / distance)) * fog;
    strength *= reach;
    if (strength < 0.03 || x < -50 || x > PICTURE_WIDTH + 50 || y > PICTURE_HEIGHT + 50)
        return;
    disc(picture, x, y, radius, radius, colour, strength);
    if (picture->wet > 0.1 && above > 0.1) {
        double ground = picture_y(picture, distance, 0), mirrored = ground + (ground - y);
        disc(picture, x, mirrored + radius, radius * 0.6, radius * 3, colour, strength * 0.5 * picture->wet);
    }
}

double picture_fixed(const struct picture *picture, uint32_t what)
{
    struct rng_key key = {picture->scene->seed, picture->scene->camera, what, NOISE_SCENE};
    return rng_uniform(&key);
}

double picture_chance(const struct picture *picture, uint32_t what)
{
    struct rng_key key = {picture->scene->seed, picture->scene->camera,
                          picture->scene->tick << 16 | (what & 0xFFFF), NOISE_PICTURE};
    return rng_uniform(&key);
}

/* ---- lens ------------------------------------------------------------------------------------------- */

/* Sensor noise, more of it in the dark, and a little less light in the corners. */
static void add_grain(const struct picture *picture, unsigned char *pixels, int stride)
{
    struct rng_key key = {picture->scene->seed, picture->scene->camera, picture->scene->tick, NOISE_PICTURE};
    uint64_t state = rng_u64(&key) | 1;
    int amount = picture->day > 0.5 ? 4 : 8;
    for (int y = 0; y < PICTURE_HEIGHT; y++) {
        unsigned char *row = pixels + (size_t)y * (size_t)stride;
        int dy = (y - PICTURE_HEIGHT / 2) * 4 / 3;
        for (int x = 0; x < PICTURE_WIDTH; x++) {
            /* xorshift64 (Marsaglia 2003): seeded from the counter block, one step a pixel. */
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            int noise = (int)(state >> 40 & 0xFF) * amount / 256 - amount / 2;
            int dx = x - PICTURE_WIDTH / 2;
            int light = 256 - (dx * dx + dy * dy) / 700;
            for (int c = 0; c < 3; c++) {
                int value = row[x * 4 + c] * light / 256 + noise;
                row[x * 4 + c] = (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
        }
    }
}

static void add_captions(const struct picture *picture, unsigned char *pixels, int stride)
{
    const struct picture_scene *scene = picture->scene;
    for (int y = 0; y < PICTURE_HEIGHT; y++) {
        if (y >= 20 && y < PICTURE_HEIGHT - 13)
            continue;
        unsigned char *row = pixels + (size_t)y * (size_t)stride;
        for (int x = 0; x < PICTURE_WIDTH * 4; x++)
            row[x] = (unsigned char)(row[x] * 90 / 256);
    }
    picture_text(pixels, stride, 5, 3, 2, scene->caption[0], 245);
    picture_text(pixels, stride, 5, PICTURE_HEIGHT - 10, 1, scene->caption[1], 235);
    int width = (int)strlen(scene->caption[2]) * 6;
    picture_text(pixels, stride, PICTURE_WIDTH - 5 - width, PICTURE_HEIGHT - 10, 1, scene->caption[2], 235);
}

const unsigned char *picture_draw(struct picture *picture, struct picture_scene *scene, size_t *length)
{
    picture->scene = scene;
    set_light(picture);
    set_mast(picture);
    picture_sky(picture);
    picture_land(picture);
    picture_road(picture);
    picture_furniture(picture);
    picture_traffic(picture);
    picture_weather(picture);

    cairo_surface_flush(picture->surface);
    unsigned char *pixels = cairo_image_surface_get_data(picture->surface);
    int stride = cairo_image_surface_get_stride(picture->surface);
    add_grain(picture, pixels, stride);
    add_captions(picture, pixels, stride);
    unsigned long size = picture->size;
    int refused = tjCompress2(picture->coder, pixels, PICTURE_WIDTH, stride, PICTURE_HEIGHT, TJPF_BGRX,
                              &picture->bytes, &size, TJSAMP_420, QUALITY, TJFLAG_NOREALLOC);
    cairo_surface_mark_dirty(picture->surface);
    if (refused)
        return NULL;
    *length = size;
    return picture->bytes;
}
