#include "sim/road.h"

#include "base/err.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

#define CHORD             50.0     /* m */
#define METRES_PER_DEGREE 111195.0 /* of latitude, on the sphere geo_distance uses */
#define DEGREE            (3.14159265358979323846 / 180)

struct height {
    float km, metres;
};

/* Heights read off public maps to about 10 m, along the northbound routes. */
static const struct height m40_heights[] = {
    {0, 15},    {4, 30},    {8, 10},    {13, 35},  {26, 40},     {31, 50},   {38, 95},
    {43, 105},  {48, 150},  {55, 190},  {61, 232}, {62.5F, 222}, {64, 135},  {65.5F, 105},
    {73, 75},   {77, 85},   {86, 65},   {95, 75},  {104, 110},   {112, 115}, {121, 105},
    {127, 125}, {132, 150}, {137, 95},  {146, 60}, {151, 65},    {158, 90},  {165, 130},
    {169, 150}, {176, 125}, {181, 100}, {190, 90}, {197, 100},   {201, 135}};
static const struct height m1_heights[] = {
    {0, 15},   {4, 40},   {8, 65},    {11, 55},   {14, 60},   {20, 100},  {23, 120},  {29, 90},
    {34, 110}, {39, 130}, {46, 140},  {50, 160},  {56, 125},  {64, 130},  {74, 80},   {82, 75},
    {95, 90},  {101, 85}, {111, 100}, {120, 140}, {128, 115}, {134, 130}, {145, 105}, {152, 85},
    {160, 95}, {170, 90}, {178, 90},  {185, 100}, {189, 135}};

static bool goes_south(enum geo_route route)
{
    return route == GEO_M40_SOUTH || route == GEO_M1_SOUTH;
}

struct road *road_create(enum geo_route route)
{
    struct road *road = mem_zero(1, sizeof *road);
    const struct geo_section *sections;
    road->id = route;
    text_copy(road->route_id, sizeof road->route_id, geo_route_id(route));
    road->length = geo_route_length(route);
    road->section_count = geo_route_sections(route, &sections);
    road->sections = mem_zero(road->section_count, sizeof *road->sections);
    for (size_t i = 0; i < road->section_count; i++) {
        text_copy(road->sections[i].road, sizeof road->sections[i].road, sections[i].road);
        road->sections[i].carriageway[0] = sections[i].carriageway;
        road->sections[i].lanes = sections[i].lanes;
        road->sections[i].limit = (int32_t)lround(sections[i].limit_mph * 1.609344);
        road->sections[i].town = sections[i].kind == GEO_SECTION_URBAN;
    }
    double distance, hanger_lane = geo_route_nearest(route, 51.5303, -0.2930, &distance);
    if (distance < 200) {
        road->underpass_from = hanger_lane - 130;
        road->underpass_to = hanger_lane + 130;
    }
    return road;
}

void road_destroy(struct road *road)
{
    if (!road)
        return;
    free(road->sections);
    free(road);
}

float road_altitude(const struct road *road, double x)
{
    bool m40 = road->id == GEO_M40_NORTH || road->id == GEO_M40_SOUTH;
    const struct height *heights = m40 ? m40_heights : m1_heights;
    size_t count = m40 ? sizeof m40_heights / sizeof *m40_heights : sizeof m1_heights / sizeof *m1_heights;
    float km = (float)((goes_south(road->id) ? road->length - x : x) / 1000);
    size_t low = 1, high = count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (heights[middle].km < km)
            low = middle + 1;
        else
            high = middle;
    }
    const struct height *a = &heights[low - 1], *b = &heights[low];
    float part = fminf(1, fmaxf(0, (km - a->km) / (b->km - a->km)));
    return a->metres + (b->metres - a->metres) * part;
}

static float turn(double from, double to)
{
    double difference = to - from;
    return (float)(difference > 180 ? difference - 360 : difference < -180 ? difference + 360 : difference);
}

static void cursor_set(const struct road *road, struct road_cursor *cursor, double x)
{
    double from = floor(x / CHORD) * CHORD;
    double length = fmin(CHORD, road->length - from);
    if (length < 1) {
        from = road->length - CHORD;
        length = CHORD;
    }
    struct geo_position a = geo_route_position(road->id, from),
                        b = geo_route_position(road->id, from + length);
    double east = 1 / (METRES_PER_DEGREE * cos(a.latitude * DEGREE));
    /* Right of the heading h: sin(h + 90) east, cos(h + 90) north. */
    double middle = (a.heading + turn(a.heading, b.heading) / 2.0) * DEGREE;
    *cursor = (struct road_cursor){
        .from = from,
        .latitude = a.latitude,
        .longitude = a.longitude,
        .latitude_step = (float)((b.latitude - a.latitude) / length),
        .longitude_step = (float)((b.longitude - a.longitude) / length),
        .heading = (float)a.heading,
        .heading_step = turn(a.heading, b.heading) / (float)length,
        .right_latitude = (float)(-sin(middle) / METRES_PER_DEGREE),
        .right_longitude = (float)(cos(middle) * east),
        .east = (float)east,
        .known = (uint8_t)(1 + road->id),
    };
}

struct road_spot road_locate(const struct road *road, struct road_cursor *cursor, double x, double right)
{
    double along = x - cursor->from;
    if (cursor->known != 1 + (int)road->id || along < 0 || along >= CHORD) {
        cursor_set(road, cursor, x);
        along = x - cursor->from;
    }
    double heading = (double)cursor->heading + along * (double)cursor->heading_step;
    return (struct road_spot){
        .latitude =
            cursor->latitude + along * (double)cursor->latitude_step + right * (double)cursor->right_latitude,
        .longitude = cursor->longitude + along * (double)cursor->longitude_step +
                     right * (double)cursor->right_longitude,
        .heading = heading < 0      ? heading + 360
                   : heading >= 360 ? heading - 360
                                    : heading,
    };
}
