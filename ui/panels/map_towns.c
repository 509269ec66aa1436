/* Which towns are named first: large ones, three times as readily when the route passes near, and suburbs of
 * larger neighbours seldom. Worked out once for a map. */
#include "ui/panels/map.h"

#include <math.h>
#include <stdlib.h>

static double segment_distance(double px, double py, struct geo_vertex a, struct geo_vertex b)
{
    double dx = (double)b.x - a.x, dy = (double)b.y - a.y, square = dx * dx + dy * dy;
    double t = square > 0 ? ((px - a.x) * dx + (py - a.y) * dy) / square : 0;
    t = fmin(fmax(t, 0), 1);
    return hypot(px - a.x - t * dx, py - a.y - t * dy);
}

static double route_distance(struct geo_vertex at)
{
    double least = HUGE_VAL;
    for (int route = 0; route < GEO_ROUTES; route += 2) {
        const struct geo_vertex *vertices;
        const float *chainages;
        size_t count = geo_route_line((enum geo_route)route, GEO_DETAILS - 1, &vertices, &chainages);
        for (size_t i = 1; i < count; i++)
            least = fmin(least, segment_distance(at.x, at.y, vertices[i - 1], vertices[i]));
    }
    return least;
}

struct scored {
    const struct geo_place *place;
    double score;
};

static int by_score(const void *a, const void *b)
{
    double one = ((const struct scored *)a)->score, other = ((const struct scored *)b)->score;
    return (one < other) - (one > other);
}

struct map_towns map_towns_create(void)
{
    /* World units a kilometre at 52 degrees north: near enough to rank by. */
    const double km = 43500;
    const struct geo_place *places;
    size_t count = geo_towns(&places);
    struct scored *scored = mem_zero(count + 1, sizeof *scored);
    for (size_t i = 0; i < count; i++) {
        double score = places[i].population;
        if (route_distance(places[i].at) < 14 * km)
            score *= 3;
        for (size_t j = 0; j < count; j++) {
            double apart =
                hypot((double)places[i].at.x - places[j].at.x, (double)places[i].at.y - places[j].at.y);
            if (j != i && places[j].population > 3 * places[i].population && apart < 24 * km)
                score = fmin(score, places[i].population * 0.15);
        }
        scored[i] = (struct scored){&places[i], places[i].rank == 0 ? 1e9 + score : score};
    }
    qsort(scored, count, sizeof *scored, by_score);
    struct map_towns towns = {count, mem_zero(count + 1, sizeof *towns.places)};
    for (size_t i = 0; i < count; i++)
        towns.places[i] = scored[i].place;
    free(scored);
    return towns;
}

void map_towns_destroy(struct map_towns *towns)
{
    free(towns->places);
    *towns = (struct map_towns){0};
}
