/* The inside of a picture: projection, colours in the light and weather of the scene, and the parts in the
 * order in which they are painted. Only picture*.c include it. */
#ifndef SMARTCITY_SIM_PICTURE_PARTS_H
#define SMARTCITY_SIM_PICTURE_PARTS_H

#include "sim/picture.h"

#include <cairo.h>

struct colour {
    double red, green, blue;
};

struct picture {
    cairo_surface_t *surface;
    cairo_t *cairo;
    void *coder; /* tjhandle */
    unsigned char *bytes;
    unsigned long size;
    struct picture_scene *scene;
    /* the light */
    double day;         /* 0 night to 1 day */
    double dusk;        /* red sky near the horizon */
    double lamps;       /* how much lights show, 0 to 1 */
    double wet;         /* how much the road mirrors, 0 to 1 */
    double white;       /* snow on the ground, 0 to 1 */
    struct colour haze; /* what distance fades to */
    /* the mast */
    double height;  /* m */
    double side;    /* m right of the carriageway's centre */
    double centre;  /* x of the vanishing point, px */
    double horizon; /* y, px */
};

#define PICTURE_FOCUS 430.0 /* px */

/* Screen coordinates of a point `distance` ahead, `side` right of the carriageway's centre, `above` the road.
 */
static inline double picture_x(const struct picture *picture, double distance, double side)
{
    double bend = (double)picture->scene->curvature * distance * distance / 2;
    return picture->centre + PICTURE_FOCUS * (side - picture->side + bend) / distance;
}
static inline double picture_y(const struct picture *picture, double distance, double above)
{
    return picture->horizon + PICTURE_FOCUS * (picture->height - above) / distance;
}

static inline struct colour colour_mix(struct colour a, struct colour b, double part)
{
    return (struct colour){a.red + (b.red - a.red) * part, a.green + (b.green - a.green) * part,
                           a.blue + (b.blue - a.blue) * part};
}

/* A surface as it looks by this light at that distance. */
struct colour picture_lit(const struct picture *picture, struct colour colour, double distance);
void picture_paint(const struct picture *picture, struct colour colour, double distance);
void picture_source(const struct picture *picture, struct colour colour, double alpha);
/* A light and its halo; `strength` 0 to 1; on a wet road also its reflection, `above` m below. */
void picture_glow(const struct picture *picture, double distance, double side, double above, double metres,
                  struct colour colour, double strength);
/* Uniform in [0, 1), the same for the camera (scenery) or for this picture (weather). */
double picture_fixed(const struct picture *picture, uint32_t what);
double picture_chance(const struct picture *picture, uint32_t what);

void picture_sky(const struct picture *picture);
void picture_land(const struct picture *picture);
void picture_road(const struct picture *picture);
void picture_furniture(const struct picture *picture);
void picture_traffic(const struct picture *picture);
void picture_weather(const struct picture *picture);

/* ---- text ---- */
/* Characters of 5 by 7 dots, upper case; what it has not is a blank. `scale` px a dot. Returns the width in
 * px. */
int picture_text(unsigned char *pixels, int stride, int x, int y, int scale, const char *text,
                 unsigned char level);

#endif
