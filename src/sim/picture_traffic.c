/* Vehicles, incidents, and what is in the air. */
#include "sim/picture_parts.h"

#include "city/event.h"

#include <math.h>

#define LANE 3.65
#define PI   3.14159265358979323846

struct body {
    double width, height, length;
    double roof;  /* share of the width the roof has */
    double waist; /* share of the height below the windows */
};
static const struct body bodies[EVENT_COUNT_CLASSES] = {
    [EVENT_COUNT_CAR] = {1.82, 1.50, 4.5, .74, .58},
    [EVENT_COUNT_VAN] = {2.00, 2.35, 5.5, .90, .62},
    [EVENT_COUNT_HGV] = {2.55, 4.00, 14, 1.0, 1.0},
    [EVENT_COUNT_BUS] = {2.55, 3.45, 12, .97, .45},
};

/* White, black, grey and blue are what the British buy. */
static const struct colour car_paints[] = {{.88, .88, .87}, {.13, .13, .14}, {.44, .45, .47}, {.62, .63, .65},
                                           {.16, .24, .44}, {.55, .11, .10}, {.30, .32, .34}, {.10, .11, .16},
                                           {.80, .81, .82}, {.20, .34, .25}, {.70, .36, .12}};
static const struct colour van_paints[] = {
    {.90, .90, .89}, {.90, .90, .89}, {.66, .67, .69}, {.24, .25, .28}, {.85, .70, .10}};
static const struct colour lorry_paints[] = {{.86, .86, .84}, {.55, .57, .60}, {.16, .28, .50},
                                             {.58, .14, .12}, {.15, .35, .22}, {.80, .62, .12}};
static const struct colour bus_paints[] = {{.86, .87, .88}, {.55, .10, .12}, {.15, .20, .45}};

static struct colour paint_of(const struct picture_vehicle *vehicle)
{
    uint32_t pick = vehicle->look >> 8;
    switch (vehicle->class) {
    case EVENT_COUNT_VAN:
        return van_paints[pick % (sizeof van_paints / sizeof *van_paints)];
    case EVENT_COUNT_HGV:
        return lorry_paints[pick % (sizeof lorry_paints / sizeof *lorry_paints)];
    case EVENT_COUNT_BUS:
        return bus_paints[pick % (sizeof bus_paints / sizeof *bus_paints)];
    default:
        return car_paints[pick % (sizeof car_paints / sizeof *car_paints)];
    }
}

static void point(const struct picture *picture, double distance, double side, double above)
{
    cairo_line_to(picture->cairo, picture_x(picture, distance, side), picture_y(picture, distance, above));
}

/* A quadrilateral standing across the road. */
static void panel(const struct picture *picture, double distance, double left, double right, double low,
                  double high, double narrower, struct colour colour)
{
    point(picture, distance, left, low);
    point(picture, distance, right, low);
    point(picture, distance, right - narrower, high);
    point(picture, distance, left + narrower, high);
    cairo_close_path(picture->cairo);
    picture_paint(picture, colour, distance);
    cairo_fill(picture->cairo);
}

/* The side of a body that the camera sees, and its top. */
static void flank(const struct picture *picture, double near, double far, double left, double right,
                  double low, double high, struct colour colour)
{
    double x = picture->side;
    if (left > x || right < x) {
        double side = left > x ? left : right;
        point(picture, near, side, low);
        point(picture, near, side, high);
        point(picture, far, side, high);
        point(picture, far, side, low);
        cairo_close_path(picture->cairo);
        picture_paint(picture, colour_mix(colour, (struct colour){0, 0, 0}, 0.30), near);
        cairo_fill(picture->cairo);
    }
    if (high < picture->height) {
        point(picture, near, left, high);
        point(picture, near, right, high);
        point(picture, far, right, high);
        point(picture, far, left, high);
        cairo_close_path(picture->cairo);
        picture_paint(picture, colour_mix(colour, (struct colour){1, 1, 1}, 0.22), near);
        cairo_fill(picture->cairo);
    }
}

static void shadow(const struct picture *picture, double near, double far, double left, double right)
{
    /* Sunlight throws it aside; under cloud it lies beneath. */
    double aside = picture->scene->cloud < 0.6F && picture->day > 0.4 ? 0.9 : 0.25;
    point(picture, near, left - 0.15, 0);
    point(picture, near, right + aside, 0);
    point(picture, far, right + aside, 0);
    point(picture, far, left - 0.15, 0);
    cairo_close_path(picture->cairo);
    picture_source(picture, (struct colour){.03, .03, .04},
                   (0.25 + 0.25 * picture->day) * (1 - 0.4 * picture->wet));
    cairo_fill(picture->cairo);
}

static void tail_lights(const struct picture *picture, const struct picture_vehicle *vehicle, double near,
                        double left, double right, double high)
{
    struct colour red = {1, .10, .06};
    double strength = fmax(picture->lamps * 0.85, vehicle->braking ? 1 : 0.0);
    double lamp = fmax(0.7, PICTURE_FOCUS * 0.16 / near);
    for (int i = 0; i < 2; i++) {
        double side = i ? right - 0.22 : left + 0.22;
        double x = picture_x(picture, near, side), y = picture_y(picture, near, high);
        struct colour glass =
            strength > 0.2 ? red : picture_lit(picture, (struct colour){.50, .07, .06}, near);
        picture_source(picture, glass, 1);
        cairo_rectangle(picture->cairo, x - lamp / 2, y - lamp / 2, lamp, lamp * 1.1);
        cairo_fill(picture->cairo);
        if (strength > 0.05)
            picture_glow(picture, near, side, high, (vehicle->braking ? 0.5 : 0.3) + 0.6 * (1 - picture->day),
                         red, 0.8 * strength);
    }
    if (vehicle->braking && vehicle->class == EVENT_COUNT_CAR)
        picture_glow(picture, near, (left + right) / 2, high + 0.55, 0.5, red, 0.7);
}

static void head_lights(const struct picture *picture, double near, double left, double right, double high)
{
    struct colour white = {1, .97, .88};
    double strength = fmax(0.25, picture->lamps);
    for (int i = 0; i < 2; i++) {
        double side = i ? right - 0.3 : left + 0.3;
        double x = picture_x(picture, near, side), y = picture_y(picture, near, high);
        double lamp = fmax(0.8, PICTURE_FOCUS * 0.20 / near);
        picture_source(picture, colour_mix((struct colour){.80, .82, .84}, white, strength), 1);
        cairo_rectangle(picture->cairo, x - lamp / 2, y - lamp / 2, lamp, lamp);
        cairo_fill(picture->cairo);
        picture_glow(picture, near, side, high, 0.5 + 1.2 * picture->lamps, white, strength);
    }
}

static void paint_vehicle(const struct picture *picture, const struct picture_vehicle *vehicle)
{
    const struct body *body = &bodies[vehicle->class];
    struct colour colour = paint_of(vehicle);
    double near = fmax(9.5, (double)vehicle->distance), far = near + body->length;
    double left = (double)vehicle->side - body->width / 2, right = left + body->width;
    double clearance = 0.28, waist = clearance + (body->height - clearance) * body->waist;
    struct colour glass = {.13, .16, .19}, rubber = {.05, .05, .055};

    if (near < 190)
        shadow(picture, near, far, left, right);
    switch (vehicle->class) {
    case EVENT_COUNT_CAR:
    case EVENT_COUNT_VAN: {
        double taper = body->width * (1 - body->roof) / 2;
        flank(picture, near, far, left, right, clearance, waist, colour);
        double cabin_near = vehicle->class == EVENT_COUNT_CAR ? near + 0.7 : near + 0.1;
        double cabin_far = vehicle->class == EVENT_COUNT_CAR ? far - 1.4 : far - 1.2;
        flank(picture, cabin_near, cabin_far, left + taper, right - taper, waist, body->height,
              vehicle->class == EVENT_COUNT_CAR ? colour_mix(colour, glass, 0.5) : colour);
        panel(picture, cabin_near, left + 0.04, right - 0.04, waist, body->height, taper, colour);
        if (near < 150)
            panel(picture, cabin_near, left + 0.20, right - 0.20, waist + 0.05, body->height - 0.12,
                  taper * 0.9, glass);
        panel(picture, near, left, right, clearance, waist, 0,
              colour_mix(colour, (struct colour){0, 0, 0}, 0.08));
        if (near < 90 && !vehicle->towards) /* number plate: yellow behind */
            panel(picture, near, (left + right) / 2 - 0.26, (left + right) / 2 + 0.26, 0.62, 0.78, 0,
                  (struct colour){.88, .74, .20});
        break;
    }
    case EVENT_COUNT_HGV: {
        struct colour cab = colour_mix(colour, (struct colour){.25, .27, .32}, 0.35);
        double load = vehicle->towards ? near + 2.6 : near, end = vehicle->towards ? far : far - 3.2;
        flank(picture, load, end, left, right, 1.05, body->height, colour);
        if (vehicle->towards) {
            panel(picture, load, left, right, 1.0, body->height, 0, colour);
            flank(picture, near, near + 2.2, left + 0.03, right - 0.03, 0.45, 3.55, cab);
            panel(picture, near, left + 0.03, right - 0.03, 0.45, 3.55, 0.04, cab);
            panel(picture, near, left + 0.2, right - 0.2, 1.85, 2.95, 0.05, glass);
        } else {
            panel(picture, near, left, right, 1.0, body->height, 0, colour);
            struct colour seam = colour_mix(colour, (struct colour){0, 0, 0}, 0.25);
            panel(picture, near, (left + right) / 2 - 0.03, (left + right) / 2 + 0.03, 1.05,
                  body->height - 0.05, 0, seam);
            panel(picture, near, left, right, 0.75, 1.05, 0, (struct colour){.24, .24, .25});
            if (near < 110) { /* the chevrons of long vehicles */
                panel(picture, near, left + 0.1, left + 0.7, 0.80, 1.0, 0, (struct colour){.85, .70, .10});
                panel(picture, near, right - 0.7, right - 0.1, 0.80, 1.0, 0, (struct colour){.85, .70, .10});
            }
        }
        break;
    }
    default:
        flank(picture, near, far, left, right, 0.35, body->height, colour);
        panel(picture, near, left, right, 0.35, body->height, 0.04, colour);
        panel(picture, near, left + 0.15, right - 0.15, body->height * 0.45, body->height - 0.35, 0.04,
              glass);
        break;
    }
    if (near < 120) {
        panel(picture, near, left + 0.08, left + 0.34, 0, 0.45, 0, rubber);
        panel(picture, near, right - 0.34, right - 0.08, 0, 0.45, 0, rubber);
    }
    double lamps_at =
        vehicle->class == EVENT_COUNT_HGV || vehicle->class == EVENT_COUNT_BUS ? 0.95 : waist - 0.12;
    if (vehicle->towards)
        head_lights(picture, near, left, right, 0.72);
    else
        tail_lights(picture, vehicle, near, left, right, lamps_at);
}

/* ---- an incident ------------------------------------------------------------------------------------ */

static void paint_cones(const struct picture *picture, double from, double to, double side_from,
                        double side_to)
{
    for (int i = 0; to - 7 * i >= from; i++) {
        double d = to - 7 * i, part = (d - from) / fmax(1, to - from),
               side = side_from + (side_to - side_from) * part;
        if (d < 11)
            continue;
        double x = picture_x(picture, d, side), wide = fmax(1, PICTURE_FOCUS * 0.24 / d);
        double foot = picture_y(picture, d, 0), tip = picture_y(picture, d, 0.9);
        cairo_move_to(picture->cairo, x - wide, foot);
        cairo_line_to(picture->cairo, x + wide, foot);
        cairo_line_to(picture->cairo, x, tip);
        cairo_close_path(picture->cairo);
        picture_paint(picture, (struct colour){.95, .38, .08}, d);
        cairo_fill(picture->cairo);
    }
}

static void paint_smoke(const struct picture *picture, double distance, double side)
{
    double scale = PICTURE_FOCUS / distance;
    for (int i = 0; i < 12; i++) {
        double up = 1.5 + 2.2 * i + picture_chance(picture, 700 + (uint32_t)i), drift = 0.35 * i * i * 0.3;
        double x = picture_x(picture, distance, side) +
                   (drift + 2 * picture_chance(picture, 720 + (uint32_t)i)) * scale;
        double y = picture_y(picture, distance, up), radius = (1.4 + 0.55 * i) * scale;
        picture_source(picture,
                       colour_mix((struct colour){.08, .07, .07}, (struct colour){.45, .44, .43}, i / 14.0),
                       0.5 - 0.03 * i);
        cairo_arc(picture->cairo, x, y, fmin(radius, 60), 0, 2 * PI);
        cairo_fill(picture->cairo);
    }
    picture_glow(picture, distance, side, 1.3, 4.5, (struct colour){1, .55, .12}, 0.95);
    picture_glow(picture, distance, side, 1.0, 1.8, (struct colour){1, .85, .45}, 1);
}

static void paint_incident(const struct picture *picture)
{
    const struct picture_incident *incident = &picture->scene->incident;
    double half = picture->scene->lanes * LANE / 2, distance = (double)incident->distance;
    int first = 0, closed = __builtin_popcount(incident->closed);
    while (closed > 0 && !(incident->closed >> first & 1))
        first++;
    double side = closed > 0 ? -half + (first + 0.5) * LANE : -half - 1.9;

    struct picture_vehicle wreck = {.distance = (float)distance,
                                    .side = (float)side,
                                    .class = EVENT_COUNT_CAR,
                                    .braking = true,
                                    .look = picture->scene->camera * 977U};
    paint_vehicle(picture, &wreck);
    if (closed > 1) {
        wreck.side += (float)LANE * 0.8F;
        wreck.distance -= 7;
        wreck.class = EVENT_COUNT_VAN;
        paint_vehicle(picture, &wreck);
    }
    if (incident->fire)
        paint_smoke(picture, distance + 2, side);
    /* Hazard lights: on in every other second. */
    if (picture->scene->tick / 2 % 2 == 0)
        picture_glow(picture, distance, side, 0.9, 1.2, (struct colour){1, .65, .10}, 0.9);
    if (incident->attended) {
        double behind = fmax(14, distance - 16);
        struct picture_vehicle officer = {
            .distance = (float)behind, .side = (float)side, .class = EVENT_COUNT_VAN, .look = 4U << 8};
        paint_vehicle(picture, &officer);
        struct colour blue = {.20, .40, 1};
        bool left = picture->scene->tick % 2 == 0;
        picture_glow(picture, behind, side - 0.6, 2.6, left ? 4 : 2, blue, left ? 1 : 0.5);
        picture_glow(picture, behind, side + 0.6, 2.6, left ? 2 : 4, blue, left ? 0.5 : 1);
        if (closed > 0) {
            bool offside = first > 0;
            double from = fmax(14, behind - 60), edge = offside ? half : -half;
            double inner = offside ? -half + first * LANE : -half + (first + closed) * LANE;
            paint_cones(picture, from, behind, edge, inner);
        }
    }
}

void picture_traffic(const struct picture *picture)
{
    struct picture_scene *scene = picture->scene;
    /* Far ones first; insertion sort of a list that is nearly in order. */
    for (size_t i = 1; i < scene->vehicle_count; i++) {
        struct picture_vehicle vehicle = scene->vehicles[i];
        size_t at = i;
        for (; at > 0 && scene->vehicles[at - 1].distance < vehicle.distance; at--)
            scene->vehicles[at] = scene->vehicles[at - 1];
        scene->vehicles[at] = vehicle;
    }
    bool incident = scene->incident.shown;
    double seen = fmin((double)PICTURE_REACH, 1.6 * (double)scene->visibility);
    for (size_t i = 0; i < scene->vehicle_count; i++) {
        const struct picture_vehicle *vehicle = &scene->vehicles[i];
        if (incident && vehicle->distance < scene->incident.distance) {
            paint_incident(picture);
            incident = false;
        }
        if ((double)vehicle->distance < seen && vehicle->distance > 6)
            paint_vehicle(picture, vehicle);
    }
    if (incident)
        paint_incident(picture);
}

/* ---- in the air and on the lens --------------------------------------------------------------------- */

static void paint_rain(const struct picture *picture)
{
    double rain = fmin(1, (double)picture->scene->rain / 6);
    int count = (int)(20 + 130 * rain);
    struct colour streak = colour_mix(picture->haze, (struct colour){1, 1, 1}, 0.35);
    cairo_set_line_width(picture->cairo, 0.7);
    picture_source(picture, streak, 0.20 + 0.16 * rain);
    for (int i = 0; i < count; i++) {
        double x = picture_chance(picture, 4000 + (uint32_t)i * 2) * (PICTURE_WIDTH + 40) - 20;
        double y = picture_chance(picture, 4001 + (uint32_t)i * 2) * PICTURE_HEIGHT;
        double length = 6 + 12 * rain + 6 * (i % 3);
        cairo_move_to(picture->cairo, x, y);
        cairo_line_to(picture->cairo, x - length * 0.16, y + length);
    }
    cairo_stroke(picture->cairo);
    /* Drops that stay on the glass for a while. */
    for (int i = 0; i < (int)(4 + 9 * rain); i++) {
        double x = picture_fixed(picture, 5000 + (uint32_t)i * 3) * PICTURE_WIDTH;
        double y = picture_fixed(picture, 5001 + (uint32_t)i * 3) * PICTURE_HEIGHT;
        double radius = 2 + 4 * picture_fixed(picture, 5002 + (uint32_t)i * 3);
        picture_source(picture, picture->haze, 0.30);
        cairo_arc(picture->cairo, x, y, radius, 0, 2 * PI);
        cairo_fill(picture->cairo);
        picture_source(picture, (struct colour){1, 1, 1}, 0.35);
        cairo_arc(picture->cairo, x - radius * 0.3, y - radius * 0.35, radius * 0.25, 0, 2 * PI);
        cairo_fill(picture->cairo);
    }
}

static void paint_snow(const struct picture *picture)
{
    int count = (int)(60 + 90 * fmin(1, (double)picture->scene->rain / 2));
    picture_source(picture, colour_mix(picture->haze, (struct colour){1, 1, 1}, 0.8), 0.75);
    for (int i = 0; i < count; i++) {
        double x = picture_chance(picture, 6000 + (uint32_t)i * 2) * PICTURE_WIDTH;
        double y = picture_chance(picture, 6001 + (uint32_t)i * 2) * PICTURE_HEIGHT;
        cairo_new_sub_path(picture->cairo);
        cairo_arc(picture->cairo, x, y, 0.6 + 1.5 * (i % 5) / 4.0, 0, 2 * PI);
    }
    cairo_fill(picture->cairo);
}

void picture_weather(const struct picture *picture)
{
    const struct picture_scene *scene = picture->scene;
    if (scene->rain < 0.05F)
        return;
    if (scene->snowing)
        paint_snow(picture);
    else
        paint_rain(picture);
}
