/*
 * Where this is: England and Wales in a corner, with the routes and what is in sight as a box. Drawn only
 * when one has zoomed in so far that the coast is no help any more, and there is room; in the corner that
 * hides least.
 */
#include "ui/panels/map.h"

#include <math.h>

#define INSET_WIDTH  15
#define INSET_HEIGHT 9
#define INSET_BELOW  500.0 /* metres a dot */

static struct map_sight inset_sight(void)
{
    struct geo_vertex north_west = geo_project(55.9, -5.9), south_east = geo_project(49.9, 1.9);
    struct map_sight sight = {.width = INSET_WIDTH, .height = INSET_HEIGHT};
    sight.x = ((double)north_west.x + south_east.x) / 2;
    sight.y = ((double)north_west.y + south_east.y) / 2;
    sight.scale = fmax((south_east.x - north_west.x) / (double)INSET_WIDTH,
                       (south_east.y - north_west.y) / (2.0 * INSET_HEIGHT));
    return sight;
}

static void polyline(struct dots *dots, const struct map_sight *sight, const struct geo_vertex *vertices,
                     size_t count, uint8_t priority, enum role role)
{
    struct map_cell last = {0, 0};
    for (size_t i = 0; i < count; i++) {
        struct map_cell next = map_sight_cell(sight, vertices[i]);
        if (i > 0)
            dots_line(dots, (int64_t)floor(last.x * dots->per_x), (int64_t)floor(last.y * dots->per_y),
                      (int64_t)floor(next.x * dots->per_x), (int64_t)floor(next.y * dots->per_y), priority,
                      COLOUR_ROLE(role));
        last = next;
    }
}

static void build(struct dots *dots, const struct map_sight *sight)
{
    struct map_sight inset = inset_sight();
    const struct geo_line *lines;
    size_t count = geo_lines(GEO_DETAILS - 1, &lines);
    dots_clear(dots);
    for (size_t i = 0; i < count; i++)
        if (lines[i].kind == GEO_COAST)
            polyline(dots, &inset, lines[i].vertices, lines[i].vertex_count, 1, ROLE_COAST);
    for (int route = 0; route < GEO_ROUTES; route += 2) {
        const struct geo_vertex *vertices;
        const float *chainages;
        size_t vertex_count = geo_route_line((enum geo_route)route, GEO_DETAILS - 1, &vertices, &chainages);
        polyline(dots, &inset, vertices, vertex_count, 2, ROLE_ROUTE);
    }
    /* The box, at least two dots each way so that it is seen. */
    struct map_cell a = map_sight_cell(&inset, map_sight_vertex(sight, 0, 0));
    struct map_cell b = map_sight_cell(&inset, map_sight_vertex(sight, sight->width, sight->height));
    int x0 = (int)floor(a.x * dots->per_x), y0 = (int)floor(a.y * dots->per_y);
    int x1 = (int)fmax(x0 + 1, floor(b.x * dots->per_x)), y1 = (int)fmax(y0 + 1, floor(b.y * dots->per_y));
    colour paint = COLOUR_ROLE(ROLE_FOLLOWED);
    dots_line(dots, x0, y0, x1, y0, 9, paint);
    dots_line(dots, x1, y0, x1, y1, 9, paint);
    dots_line(dots, x1, y1, x0, y1, 9, paint);
    dots_line(dots, x0, y1, x0, y0, 9, paint);
}

/* Route cells that a corner would hide. */
static int hidden(const struct map_labels *labels, int left, int top)
{
    int cells = 0;
    for (int y = top; y < top + INSET_HEIGHT + 1; y++)
        for (int x = left; x < left + INSET_WIDTH + 1; x++)
            cells += labels->taken[(size_t)y * (size_t)labels->width + (size_t)x] != MAP_OPEN;
    return cells;
}

void map_inset_draw(struct map_ground *ground, struct map_labels *labels, struct canvas *canvas,
                    const struct map_sight *sight)
{
    if (canvas->width < 70 || canvas->height < 20 || map_sight_dot(sight, canvas->glyphs) > INSET_BELOW)
        return;
    if (!ground->inset_made) {
        dots_destroy(&ground->inset);
        ground->inset = dots_create(INSET_WIDTH, INSET_HEIGHT, canvas->glyphs);
        build(&ground->inset, sight);
        ground->inset_made = true;
    }
    int right = canvas->width - INSET_WIDTH - 2, bottom = canvas->height - INSET_HEIGHT - 3;
    const int corners[][2] = {{1, 0}, {right, 0}, {1, bottom}, {right, bottom}};
    int best = 0;
    for (int i = 1; i < 4; i++)
        if (hidden(labels, corners[i][0], corners[i][1]) < hidden(labels, corners[best][0], corners[best][1]))
            best = i;
    int left = corners[best][0], top = corners[best][1];
    canvas_fill(canvas, left, top, INSET_WIDTH + 1, INSET_HEIGHT + 1, ' ', STYLE(ROLE_NONE));
    dots_draw(&ground->inset, canvas, left, top);
    for (int y = top; y < top + INSET_HEIGHT + 1; y++)
        map_labels_reserve(labels, left, y, INSET_WIDTH + 1);
}
