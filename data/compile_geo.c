/*
 * Compiles the tables of data/geo/ into C: `compile_geo data/geo > geo_tables.c` (shapes in
 * city/geo_tables.h).
 * The form of the tables is in geo_reader.h; anything not understood ends the build with the file and line.
 *
 * Lines and carriageways are thinned to GEO_DETAILS levels by Douglas and Peucker's method (Canadian
 * Cartographer 10, 1973): every level splits at the same farthest vertex, so a coarser level's vertices are
 * always among the finer one's. Carriageways are measured along their finest level, and everything with a
 * chainage (sections, marker posts, junctions) refers to that measure.
 */
#include "city/geo_tables.h"
#include "geo_reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SECTIONS      64
#define MAX_POSTS         128
#define MAX_JUNCTIONS     64
#define MAX_GAP           50.0   /* metres between one section's end and the next one's start */
#define MAX_STEP          5000.0 /* metres between neighbouring vertices of a carriageway */
#define MAX_FROM_JUNCTION 700.0  /* metres: the middle of an interchange stands off the carriageway */

/* ---- thinning --------------------------------------------------------------------------------------- */

struct path {
    double (*points)[2];
    struct geo_vertex *vertices;
    size_t count;
    bool *keep;
};

static void path_set(struct path *path, double (*points)[2], size_t count)
{
    path->points = points;
    path->count = count;
    path->vertices = array_grow(NULL, count, sizeof *path->vertices);
    path->keep = array_grow(NULL, count, sizeof *path->keep);
    for (size_t i = 0; i < count; i++)
        path->vertices[i] = geo_project(points[i][0], points[i][1]);
}

/* Squared distance from p to the segment a-b; *along is how far its foot lies, 0 at a to 1 at b. */
static double segment_distance(struct geo_vertex p, struct geo_vertex a, struct geo_vertex b, double *along)
{
    double dx = b.x - a.x, dy = b.y - a.y, px = p.x - a.x, py = p.y - a.y, square = dx * dx + dy * dy;
    double t = square > 0 ? fmin(1, fmax(0, (px * dx + py * dy) / square)) : 0;
    *along = t;
    return (px - t * dx) * (px - t * dx) + (py - t * dy) * (py - t * dy);
}

static void thin_between(struct path *path, size_t first, size_t last, double tolerance)
{
    double farthest = -1, along;
    size_t at = first;
    for (size_t i = first + 1; i < last; i++) {
        double d = segment_distance(path->vertices[i], path->vertices[first], path->vertices[last], &along);
        if (d > farthest) {
            farthest = d;
            at = i;
        }
    }
    if (at == first || sqrt(farthest) * geo_unit_metres(path->points[at][0]) <= tolerance)
        return;
    path->keep[at] = true;
    thin_between(path, first, at, tolerance);
    thin_between(path, at, last, tolerance);
}

/* Marks in path->keep the vertices of a level of detail; returns how many. */
static size_t path_thin(struct path *path, int detail)
{
    for (size_t i = 0; i < path->count; i++)
        path->keep[i] = detail == 0 || i == 0 || i + 1 == path->count;
    if (detail > 0)
        thin_between(path, 0, path->count - 1, geo_detail_tolerance(detail));
    size_t kept = 0;
    for (size_t i = 0; i < path->count; i++)
        kept += path->keep[i];
    return kept;
}

/* ---- coast, borders and roads ----------------------------------------------------------------------- */

struct line {
    const char *kind;
    char *name;
    struct path path;
    struct geo_vertex min, max;
};

static void line_add(struct line **lines, size_t *count, const char *kind, struct table *table)
{
    *lines = array_grow(*lines, *count + 1, sizeof **lines);
    struct line *line = &(*lines)[(*count)++];
    double(*points)[2] = array_grow(NULL, table->point_count, sizeof *points);
    memcpy(points, table->points, table->point_count * sizeof *points);
    *line = (struct line){.kind = kind, .name = table_name(table, table->columns[1])};
    path_set(&line->path, points, table->point_count);
    line->min = line->max = line->path.vertices[0];
    for (size_t i = 1; i < line->path.count; i++) {
        struct geo_vertex v = line->path.vertices[i];
        line->min.x = v.x < line->min.x ? v.x : line->min.x;
        line->min.y = v.y < line->min.y ? v.y : line->min.y;
        line->max.x = v.x > line->max.x ? v.x : line->max.x;
        line->max.y = v.y > line->max.y ? v.y : line->max.y;
    }
}

static void print_lines(const char *directory)
{
    static const char *const shores[] = {"coast", "border"}, *const roads[] = {"trunk", "motorway"};
    static const char *const shore_kinds[] = {"GEO_COAST", "GEO_BORDER"}, *const road_kinds[] = {
                                                                              "GEO_TRUNK", "GEO_MOTORWAY"};
    struct line *lines = NULL;
    size_t count = 0;
    struct table table;
    table_open(&table, directory, "outline.tsv", "kind name points");
    while (table_next(&table))
        line_add(&lines, &count, shore_kinds[table_word(&table, table.columns[0], shores, 2, "kind")],
                 &table);
    /* Trunk roads first: the map draws in this order, and the later line owns the cell. */
    for (int kind = 0; kind < 2; kind++) {
        table_open(&table, directory, "roads.tsv", "kind road points");
        while (table_next(&table))
            if (table_word(&table, table.columns[0], roads, 2, "kind") == kind)
                line_add(&lines, &count, road_kinds[kind], &table);
    }
    for (int detail = 0; detail < GEO_DETAILS; detail++) {
        size_t *starts = array_grow(NULL, count, sizeof *starts),
               *counts = array_grow(NULL, count, sizeof *counts), total = 0;
        printf("static const struct geo_vertex line_vertices_%d[] = {", detail);
        for (size_t i = 0; i < count; i++) {
            struct path *path = &lines[i].path;
            double size = hypot(lines[i].max.x - lines[i].min.x, lines[i].max.y - lines[i].min.y) *
                          geo_unit_metres(path->points[0][0]);
            starts[i] = total;
            counts[i] = 0;
            if (size < geo_detail_tolerance(detail)) /* less than a dot: not seen at this level */
                continue;
            total += counts[i] = path_thin(path, detail);
            for (size_t v = 0; v < path->count; v++)
                if (path->keep[v])
                    printf("{%d,%d},", path->vertices[v].x, path->vertices[v].y);
            putchar('\n');
        }
        printf("};\nstatic const struct geo_line lines_%d[] = {\n", detail);
        for (size_t i = 0; i < count; i++)
            if (counts[i])
                printf("{%s, \"%s\", {%d,%d}, {%d,%d}, line_vertices_%d + %zu, %zu},\n", lines[i].kind,
                       lines[i].name, lines[i].min.x, lines[i].min.y, lines[i].max.x, lines[i].max.y, detail,
                       starts[i], counts[i]);
        printf("};\n");
        free(starts);
        free(counts);
    }
    printf("const struct geo_line_table geo_line_tables[GEO_DETAILS] = {\n");
    for (int detail = 0; detail < GEO_DETAILS; detail++)
        printf("{lines_%d, sizeof lines_%d / sizeof lines_%d[0]},\n", detail, detail, detail);
    printf("};\n");
}

/* ---- towns and junctions ---------------------------------------------------------------------------- */

struct place {
    char *road, *shortname;
    struct geo_vertex at;
    double latitude, longitude;
};

static void print_towns(const char *directory)
{
    struct table table;
    double before = 1e9;
    table_open(&table, directory, "towns.tsv", "name latitude longitude population rank source");
    printf("const struct geo_place geo_town_table[] = {\n");
    while (table_next(&table)) {
        char *name = table_name(&table, table.columns[0]);
        struct geo_vertex at = geo_project(table_number(&table, table.columns[1], 49, 61, "latitude"),
                                           table_number(&table, table.columns[2], -9, 3, "longitude"));
        double people = table_number(&table, table.columns[3], 1, 1e8, "population");
        double rank = table_number(&table, table.columns[4], 0, 9, "rank");
        if (people > before)
            table_fail(&table, "towns are not in order of population");
        before = people;
        printf("{\"%s\", {%d,%d}, %.0f, %.0f},\n", name, at.x, at.y, people, rank);
        free(name);
    }
    printf("};\nconst size_t geo_town_count = sizeof geo_town_table / sizeof geo_town_table[0];\n");
}

static struct place *read_junctions(const char *directory, size_t *count)
{
    struct table table;
    struct place *places = NULL;
    *count = 0;
    table_open(&table, directory, "junctions.tsv", "road junction latitude longitude source");
    while (table_next(&table)) {
        places = array_grow(places, *count + 1, sizeof *places);
        struct place *place = &places[*count];
        place->road = table_name(&table, table.columns[0]);
        place->shortname = table_name(&table, table.columns[1]);
        place->latitude = table_number(&table, table.columns[2], 49, 61, "latitude");
        place->longitude = table_number(&table, table.columns[3], -9, 3, "longitude");
        place->at = geo_project(place->latitude, place->longitude);
        for (size_t i = 0; i < *count; i++)
            if (strcmp(places[i].road, place->road) == 0 &&
                strcmp(places[i].shortname, place->shortname) == 0)
                table_fail(&table, "%s %s is listed twice", place->road, place->shortname);
        ++*count;
    }
    return places;
}

/* ---- carriageways ----------------------------------------------------------------------------------- */

struct section {
    char *road, *name;
    int kind, lanes, limit, run;
    size_t first; /* its first vertex */
};

/* Consecutive sections of one road: what a series of marker posts runs along. */
struct run {
    const char *road;
    double from, to;
    char carriageway;
    size_t post, post_count;
};

struct route {
    double (*points)[2];
    double *chainages;
    size_t count, room;
    struct section sections[MAX_SECTIONS];
    size_t section_count;
    struct run runs[MAX_SECTIONS];
    size_t run_count;
    struct geo_post posts[MAX_POSTS];
    size_t post_count;
    struct path path;
};

static const char *const route_ids[GEO_ROUTES] = {"m40-nb", "m40-sb", "m1-nb", "m1-sb"};
static const char *const route_names[GEO_ROUTES] = {"M40 northbound", "M40 southbound", "M1 northbound",
                                                    "M1 southbound"};

static void route_add_point(struct route *route, const struct table *table, const double *point, double most)
{
    double step = 0;
    if (route->count) {
        const double *before = route->points[route->count - 1];
        step = geo_distance(before[0], before[1], point[0], point[1]);
        if (step == 0)
            return;
        if (step > most)
            table_fail(table, "a step of %.0f m to %.5f,%.5f", step, point[0], point[1]);
    }
    if (route->count == route->room) {
        route->room = route->room * 2 + 256;
        route->points = array_grow(route->points, route->room, sizeof *route->points);
        route->chainages = array_grow(route->chainages, route->room, sizeof *route->chainages);
    }
    memcpy(route->points[route->count], point, sizeof *route->points);
    route->chainages[route->count] = route->count ? route->chainages[route->count - 1] + step : 0;
    route->count++;
}

static void read_routes(const char *directory, struct route *routes)
{
    static const char *const kinds[] = {"urban", "trunk", "motorway", "slip"};
    struct table table;
    table_open(&table, directory, "routes.tsv", "route road name kind lanes limit_mph source points");
    while (table_next(&table)) {
        struct route *route = &routes[table_word(&table, table.columns[0], route_ids, GEO_ROUTES, "route")];
        if (route->section_count == MAX_SECTIONS)
            table_fail(&table, "more than %d sections", MAX_SECTIONS);
        struct section *section = &route->sections[route->section_count++];
        section->road = table_name(&table, table.columns[1]);
        section->name = table_name(&table, table.columns[2]);
        section->kind = table_word(&table, table.columns[3], kinds, 4, "kind");
        section->lanes = (int)table_number(&table, table.columns[4], 1, 6, "lanes");
        section->limit = (int)table_number(&table, table.columns[5], 20, 70, "limit_mph");
        route_add_point(route, &table, table.points[0], MAX_GAP);
        section->first = route->count - 1;
        for (size_t i = 1; i < table.point_count; i++)
            route_add_point(route, &table, table.points[i], MAX_STEP);
        if (section->first == route->count - 1)
            table_fail(&table, "a section of no length");

        if (!route->run_count || strcmp(route->runs[route->run_count - 1].road, section->road) != 0)
            route->runs[route->run_count++] =
                (struct run){.road = section->road, .from = route->chainages[section->first]};
        section->run = (int)route->run_count - 1;
        route->runs[section->run].to = route->chainages[route->count - 1];
    }
    for (int r = 0; r < GEO_ROUTES; r++) {
        if (!routes[r].section_count)
            table_fail(&table, "route %s is missing", route_ids[r]);
        path_set(&routes[r].path, routes[r].points, routes[r].count);
    }
}

/* Posts of one run, in its order; between two of them the count is straight, beyond them it is by the metre.
 */
static void read_markers(const char *directory, struct route *routes)
{
    static const char *const letters[] = {"A", "B"};
    struct table table;
    table_open(&table, directory, "markers.tsv", "route road carriageway km marker_km source");
    while (table_next(&table)) {
        struct route *route = &routes[table_word(&table, table.columns[0], route_ids, GEO_ROUTES, "route")];
        char letter = letters[table_word(&table, table.columns[2], letters, 2, "carriageway")][0];
        double length = route->chainages[route->count - 1];
        double at = table_number(&table, table.columns[3], 0, length / 1000, "km") * 1000;
        double km = table_number(&table, table.columns[4], 0, 999, "marker_km");
        double way = letter == 'A' ? 1 : -1;
        struct run *run = route->runs;
        while (run < route->runs + route->run_count &&
               (strcmp(run->road, table.columns[1]) || at > run->to + 50))
            run++;
        if (run == route->runs + route->run_count || at < run->from - 50)
            table_fail(&table, "%s does not run on %s at km %s", route_ids[route - routes], table.columns[1],
                       table.columns[3]);
        if (route->post_count + 2 > MAX_POSTS)
            table_fail(&table, "more than %d posts", MAX_POSTS);
        if (!run->post_count) {
            if (run != route->runs && !run[-1].post_count)
                table_fail(&table, "no post on %s, or posts out of order", run[-1].road);
            run->carriageway = letter;
            run->post = route->post_count;
            route->posts[route->post_count++] =
                (struct geo_post){run->from, km + way * (run->from - at) / 1000, way};
            run->post_count = 1;
        }
        struct geo_post *before = &route->posts[route->post_count - 1];
        if (letter != run->carriageway)
            table_fail(&table, "%s has both carriageways", run->road);
        if (at <= before->chainage + 1) /* the post stands where the run begins */
            continue;
        double slope = (km - before->km) * 1000 / (at - before->chainage);
        if (slope * way < 0.7 || slope * way > 1.4)
            table_fail(&table, "post %s is %.2f times as far from the one before as the road",
                       table.columns[4], slope * way);
        before->slope = slope;
        route->posts[route->post_count++] = (struct geo_post){at, km, way};
        run->post_count++;
    }
    for (int r = 0; r < GEO_ROUTES; r++)
        if (!routes[r].runs[routes[r].run_count - 1].post_count)
            table_fail(&table, "no post on the last road of %s", route_ids[r]);
}

static double marker_at(const struct route *route, double chainage)
{
    const struct geo_post *post = route->posts + route->post_count - 1;
    while (post > route->posts && post->chainage > chainage)
        post--;
    return post->km + post->slope * (chainage - post->chainage) / 1000;
}

struct on_route {
    double chainage;
    const struct place *place;
};

static int by_chainage(const void *a, const void *b)
{
    double left = ((const struct on_route *)a)->chainage, right = ((const struct on_route *)b)->chainage;
    return (left > right) - (left < right);
}

/* The junctions of the roads a route runs on, each at its nearest point of that road. */
static size_t route_junctions(const struct route *route, const struct place *places, size_t place_count,
                              struct on_route found[MAX_JUNCTIONS])
{
    size_t count = 0;
    for (size_t p = 0; p < place_count; p++) {
        double best = MAX_FROM_JUNCTION / geo_unit_metres(places[p].latitude), chainage = -1;
        best *= best;
        for (size_t s = 0; s < route->section_count; s++) {
            if (strcmp(route->sections[s].road, places[p].road) != 0)
                continue;
            size_t last = s + 1 < route->section_count ? route->sections[s + 1].first : route->count - 1;
            for (size_t i = route->sections[s].first; i < last; i++) {
                double along, d = segment_distance(places[p].at, route->path.vertices[i],
                                                   route->path.vertices[i + 1], &along);
                if (d < best) {
                    best = d;
                    chainage = route->chainages[i] + along * (route->chainages[i + 1] - route->chainages[i]);
                }
            }
        }
        if (chainage >= 0 && count < MAX_JUNCTIONS)
            found[count++] = (struct on_route){chainage, &places[p]};
    }
    qsort(found, count, sizeof *found, by_chainage);
    return count;
}

static void print_route(int r, struct route *route, const struct place *places, size_t place_count)
{
    static const char *const kinds[] = {"GEO_SECTION_URBAN", "GEO_SECTION_TRUNK", "GEO_SECTION_MOTORWAY",
                                        "GEO_SECTION_SLIP"};
    double length = route->chainages[route->count - 1];

    printf("static const struct geo_section sections_%d[] = {\n", r);
    for (size_t s = 0; s < route->section_count; s++) {
        const struct section *section = &route->sections[s];
        double from = route->chainages[section->first];
        double to = s + 1 < route->section_count ? route->chainages[section[1].first] : length;
        printf("{%.3f, %.3f, \"%s\", \"%s\", '%c', %d, %d, %s, %.3f},\n", from, to, section->road,
               section->name, route->runs[section->run].carriageway, section->lanes, section->limit,
               kinds[section->kind], marker_at(route, from));
    }
    printf("};\nstatic const struct geo_node nodes_%d[] = {\n", r);
    double heading = 0;
    for (size_t i = 0; i < route->count; i++) {
        const double *point = route->points[i];
        if (i + 1 < route->count)
            heading = geo_bearing(point[0], point[1], route->points[i + 1][0], route->points[i + 1][1]);
        printf("{%.3f, %.5f, %.5f, %.3ff},\n", route->chainages[i], point[0], point[1], heading);
    }
    printf("};\nstatic const uint16_t buckets_%d[] = {", r);
    size_t node = 0;
    for (double at = 0; at <= length; at += GEO_BUCKET) {
        while (node + 1 < route->count && route->chainages[node + 1] <= at)
            node++;
        printf("%zu,", node);
    }
    printf("};\nstatic const struct geo_post posts_%d[] = {\n", r);
    for (size_t i = 0; i < route->post_count; i++)
        printf("{%.3f, %.4f, %.6f},\n", route->posts[i].chainage, route->posts[i].km, route->posts[i].slope);

    struct on_route found[MAX_JUNCTIONS];
    size_t junctions = route_junctions(route, places, place_count, found);
    printf("};\nstatic const struct geo_junction junctions_%d[] = {\n", r);
    for (size_t i = 0; i < junctions; i++)
        printf("{%.1f, \"%s %s\", \"%s\"},\n", found[i].chainage, found[i].place->road,
               found[i].place->shortname, found[i].place->shortname);
    printf("};\n");
    for (int detail = 0; detail < GEO_DETAILS; detail++) {
        path_thin(&route->path, detail);
        printf("static const struct geo_vertex route_vertices_%d_%d[] = {", r, detail);
        for (size_t i = 0; i < route->count; i++)
            if (route->path.keep[i])
                printf("{%d,%d},", route->path.vertices[i].x, route->path.vertices[i].y);
        printf("};\nstatic const float route_chainages_%d_%d[] = {", r, detail);
        for (size_t i = 0; i < route->count; i++)
            if (route->path.keep[i])
                printf("%.2ff,", route->chainages[i]);
        printf("};\n");
    }
}

static void print_routes(const char *directory)
{
    static struct route routes[GEO_ROUTES];
    size_t place_count;
    struct place *places = read_junctions(directory, &place_count);
    read_routes(directory, routes);
    read_markers(directory, routes);

    /* A junction of a road that a route takes is worth a label before the others. */
    printf("const struct geo_place geo_junction_table[] = {\n");
    for (size_t i = 0; i < place_count; i++) {
        bool taken = false;
        struct on_route found[MAX_JUNCTIONS];
        for (int r = 0; r < GEO_ROUTES; r++)
            taken |= route_junctions(&routes[r], &places[i], 1, found) > 0;
        printf("{\"%s %s\", {%d,%d}, 0, %d},\n", places[i].road, places[i].shortname, places[i].at.x,
               places[i].at.y, taken ? 3 : 6);
    }
    printf(
        "};\nconst size_t geo_junction_count = sizeof geo_junction_table / sizeof geo_junction_table[0];\n");

    for (int r = 0; r < GEO_ROUTES; r++)
        print_route(r, &routes[r], places, place_count);
    printf("#define COUNT(array) (sizeof(array) / sizeof(array)[0])\n"
           "const struct geo_route_table geo_route_tables[GEO_ROUTES] = {\n");
    for (int r = 0; r < GEO_ROUTES; r++) {
        printf(
            "{\"%s\", \"%s\", %.3f, sections_%d, COUNT(sections_%d), nodes_%d, COUNT(nodes_%d), buckets_%d, "
            "COUNT(buckets_%d), posts_%d, COUNT(posts_%d), junctions_%d, COUNT(junctions_%d), {\n",
            route_ids[r], route_names[r], routes[r].chainages[routes[r].count - 1], r, r, r, r, r, r, r, r, r,
            r);
        for (int d = 0; d < GEO_DETAILS; d++)
            printf("{route_vertices_%d_%d, route_chainages_%d_%d, COUNT(route_chainages_%d_%d)},\n", r, d, r,
                   d, r, d);
        printf("}},\n");
    }
    printf("};\n");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: compile_geo DIRECTORY > geo_tables.c\n", stderr);
        return 2;
    }
    printf("/* Made by data/compile_geo.c from data/geo; origins and licences are in data/SOURCES.md. */\n"
           "#include \"city/geo_tables.h\"\n");
    print_lines(argv[1]);
    print_towns(argv[1]);
    print_routes(argv[1]);
    return fflush(stdout) || ferror(stdout);
}
