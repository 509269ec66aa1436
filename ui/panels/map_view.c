#include "ui/panels/map.h"

#include <math.h>

/* A column of 4 m shows lanes' worth of arrows; a column of 16 km shows Great Britain in a small panel. */
#define MAP_METRES_MIN 4.0
#define MAP_METRES_MAX 16000.0

struct map_cell map_sight_cell(const struct map_sight *sight, struct geo_vertex at)
{
    return (struct map_cell){(at.x - sight->x) / sight->scale + sight->width / 2.0,
                             (at.y - sight->y) / (2 * sight->scale) + sight->height / 2.0};
}

struct geo_vertex map_sight_vertex(const struct map_sight *sight, double x, double y)
{
    double limit = (double)GEO_WORLD_UNITS - 1;
    double wx = sight->x + (x - sight->width / 2.0) * sight->scale;
    double wy = sight->y + (y - sight->height / 2.0) * 2 * sight->scale;
    return (struct geo_vertex){(int32_t)fmin(fmax(wx, 0), limit), (int32_t)fmin(fmax(wy, 0), limit)};
}

/* Metres a world unit covers at the height of the sight's middle: the equator's length by the cosine of
 * latitude. */
static double unit_metres(const struct map_sight *sight)
{
    double latitude, longitude;
    geo_unproject((struct geo_vertex){(int32_t)sight->x, (int32_t)sight->y}, &latitude, &longitude);
    return 40075016.686 / (double)GEO_WORLD_UNITS * cos(latitude * M_PI / 180);
}

double map_sight_metres(const struct map_sight *sight)
{
    return sight->scale * unit_metres(sight);
}

double map_sight_dot(const struct map_sight *sight, enum glyphs glyphs)
{
    return map_sight_metres(sight) / (glyphs == GLYPHS_ASCII ? 1 : 2);
}

static void snap(struct map_sight *sight)
{
    double limit = (double)GEO_WORLD_UNITS - 1;
    sight->x = fmin(fmax(round(sight->x / sight->scale) * sight->scale, 0), limit);
    sight->y = fmin(fmax(round(sight->y / (2 * sight->scale)) * 2 * sight->scale, 0), limit);
}

void map_sight_fit(struct map_sight *sight)
{
    struct geo_vertex min = {INT32_MAX, INT32_MAX}, max = {0, 0};
    for (int route = 0; route < GEO_ROUTES; route++) {
        const struct geo_vertex *vertices;
        const float *chainages;
        size_t count = geo_route_line((enum geo_route)route, GEO_DETAILS - 1, &vertices, &chainages);
        for (size_t i = 0; i < count; i++) {
            min.x = vertices[i].x < min.x ? vertices[i].x : min.x;
            min.y = vertices[i].y < min.y ? vertices[i].y : min.y;
            max.x = vertices[i].x > max.x ? vertices[i].x : max.x;
            max.y = vertices[i].y > max.y ? vertices[i].y : max.y;
        }
    }
    if (max.x <= min.x || max.y <= min.y)
        min = (struct geo_vertex){0, 0}, max = (struct geo_vertex){(int32_t)(GEO_WORLD_UNITS / 64), 1 << 20};
    /* A margin that leaves the towns at both ends their labels, and the last line to the legend. */
    double columns = fmax(sight->width * 0.80, 1), rows = fmax((sight->height - 2) * 0.80, 1);
    sight->scale = fmax((max.x - min.x) / columns, (max.y - min.y) / (2 * rows));
    sight->x = ((double)min.x + max.x) / 2;
    sight->y = ((double)min.y + max.y) / 2 + sight->scale;
    snap(sight);
}

void map_sight_zoom(struct map_sight *sight, double factor, double x, double y)
{
    double metres = unit_metres(sight);
    double scale = fmin(fmax(sight->scale * factor, MAP_METRES_MIN / metres), MAP_METRES_MAX / metres);
    double dx = x - sight->width / 2.0, dy = y - sight->height / 2.0;
    sight->x += dx * (sight->scale - scale);
    sight->y += 2 * dy * (sight->scale - scale);
    sight->scale = scale;
    snap(sight);
}

void map_sight_move(struct map_sight *sight, double columns, double rows)
{
    sight->x += columns * sight->scale;
    sight->y += rows * 2 * sight->scale;
    snap(sight);
}

void map_sight_centre(struct map_sight *sight, struct geo_vertex at)
{
    sight->x = at.x;
    sight->y = at.y;
    snap(sight);
}

bool map_sight_has(const struct map_sight *sight, struct geo_vertex min, struct geo_vertex max)
{
    double half_width = (sight->width / 2.0 + 2) * sight->scale,
           half_height = (sight->height + 4) * sight->scale;
    return max.x >= sight->x - half_width && min.x <= sight->x + half_width &&
           max.y >= sight->y - half_height && min.y <= sight->y + half_height;
}
