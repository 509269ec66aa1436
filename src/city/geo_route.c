/*
 * Places along the four carriageways. A chainage is found by its bucket (every GEO_BUCKET metres the table
 * names the vertex before it) and a few steps from there. The nearest chainage to a point is found in one
 * pass that leaps: from a vertex d away, the road cannot come nearer than `best` before it has run on for d -
 * best. The tenths in that leap cover the difference in scale between the map and the ground along a route.
 */
#include "city/geo.h"

#include "city/geo_tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TURN        30.0 /* metres before and after a vertex over which a vehicle turns into the new heading */
#define AT_JUNCTION 350.0 /* metres within which a place is "at" a junction rather than between two */
#define NORTH_END   53.0  /* degrees, north of every route: where a world unit is shortest on the ground */

static double clamp_chainage(const struct geo_route_table *table, double chainage)
{
    return chainage > 0 ? (chainage < table->length ? chainage : table->length) : 0; /* a NaN becomes 0 */
}

const char *geo_route_name(enum geo_route route)
{
    return geo_route_tables[route].name;
}

const char *geo_route_id(enum geo_route route)
{
    return geo_route_tables[route].id;
}

int geo_route_from_id(const char *id)
{
    for (int i = 0; i < GEO_ROUTES; i++)
        if (strcmp(id, geo_route_tables[i].id) == 0)
            return i;
    return -1;
}

double geo_route_length(enum geo_route route)
{
    return geo_route_tables[route].length;
}

size_t geo_route_sections(enum geo_route route, const struct geo_section **sections)
{
    *sections = geo_route_tables[route].sections;
    return geo_route_tables[route].section_count;
}

const struct geo_section *geo_route_section_at(enum geo_route route, double chainage)
{
    const struct geo_route_table *table = &geo_route_tables[route];
    size_t low = 0, high = table->section_count - 1;
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (table->sections[middle].from <= chainage)
            low = middle;
        else
            high = middle - 1;
    }
    return &table->sections[low];
}

size_t geo_route_line(enum geo_route route, int detail, const struct geo_vertex **vertices,
                      const float **chainages)
{
    const struct geo_level *level = &geo_route_tables[route].levels[detail < 0             ? 0
                                                                    : detail < GEO_DETAILS ? detail
                                                                                           : GEO_DETAILS - 1];
    *vertices = level->vertices;
    *chainages = level->chainages;
    return level->count;
}

size_t geo_route_junctions(enum geo_route route, const struct geo_junction **junctions)
{
    *junctions = geo_route_tables[route].junctions;
    return geo_route_tables[route].junction_count;
}

/* The vertex at or before a chainage that lies on the route; never the last one. */
static const struct geo_node *node_at(const struct geo_route_table *table, double chainage)
{
    size_t bucket = (size_t)(chainage / GEO_BUCKET);
    const struct geo_node *node = table->nodes + table->buckets[bucket < table->bucket_count ? bucket : 0];
    const struct geo_node *last = table->nodes + table->node_count - 2;
    while (node < last && node[1].chainage <= chainage)
        node++;
    return node < last ? node : last;
}

static double wrap(double heading)
{
    return heading < 0 ? heading + 360 : heading < 360 ? heading : heading - 360;
}

/*
 * A vehicle does not turn on the spot: its heading goes over from one segment's to the next one's within TURN
 * metres either side of their vertex, half way at the vertex itself.
 */
static double heading_at(const struct geo_route_table *table, const struct geo_node *node, double chainage)
{
    double heading = (double)node->heading, length = node[1].chainage - node->chainage;
    double reach = fmin(TURN, length / 2), before = chainage - node->chainage, after = length - before;
    const struct geo_node *other = NULL;
    double near = fmin(before, after);
    if (near >= reach)
        return heading;
    if (before < after)
        other = node > table->nodes ? node - 1 : NULL;
    else
        other = node + 2 < table->nodes + table->node_count ? node + 1 : NULL;
    if (!other)
        return heading;
    double turn = remainder((double)other->heading - heading, 360);
    return wrap(heading + turn * (0.5 - 0.5 * near / reach));
}

struct geo_position geo_route_position(enum geo_route route, double chainage)
{
    const struct geo_route_table *table = &geo_route_tables[route];
    double at = clamp_chainage(table, chainage);
    const struct geo_node *node = node_at(table, at);
    double part = (at - node->chainage) / (node[1].chainage - node->chainage);
    part = part < 1 ? part : 1;
    return (struct geo_position){.latitude = node->latitude + part * (node[1].latitude - node->latitude),
                                 .longitude = node->longitude + part * (node[1].longitude - node->longitude),
                                 .heading = heading_at(table, node, at)};
}

static double square_between(struct geo_vertex a, struct geo_vertex b)
{
    double dx = a.x - b.x, dy = a.y - b.y;
    return dx * dx + dy * dy;
}

double geo_route_nearest(enum geo_route route, double latitude, double longitude, double *distance)
{
    const struct geo_route_table *table = &geo_route_tables[route];
    const struct geo_level *coarse = &table->levels[GEO_DETAILS - 1];
    const struct geo_vertex *vertices = table->levels[0].vertices;
    struct geo_vertex p = geo_project(latitude, longitude);
    double unit = geo_unit_metres(NORTH_END), best = INFINITY, chainage = 0;

    for (size_t i = 0; i < coarse->count; i++)
        best = fmin(best, square_between(p, coarse->vertices[i]));
    best = sqrt(best) + 1; /* so that the vertex itself is found again below */

    for (size_t i = 0; i + 1 < table->node_count;) {
        double dx = vertices[i + 1].x - vertices[i].x, dy = vertices[i + 1].y - vertices[i].y;
        double px = p.x - vertices[i].x, py = p.y - vertices[i].y, square = dx * dx + dy * dy;
        double t = square > 0 ? fmin(1, fmax(0, (px * dx + py * dy) / square)) : 0;
        double d = sqrt((px - t * dx) * (px - t * dx) + (py - t * dy) * (py - t * dy));
        if (d < best) {
            best = d;
            chainage =
                table->nodes[i].chainage + t * (table->nodes[i + 1].chainage - table->nodes[i].chainage);
        }
        double skip = (0.9 * sqrt(px * px + py * py) - 1.1 * best) * unit;
        double next = table->nodes[i].chainage + skip;
        if (next >= table->length)
            break;
        size_t to = skip > 0 ? (size_t)(node_at(table, next) - table->nodes) : 0;
        i = to > i ? to : i + 1;
    }
    if (distance) {
        struct geo_position foot = geo_route_position(route, chainage);
        *distance = geo_distance(latitude, longitude, foot.latitude, foot.longitude);
    }
    return chainage;
}

const char *geo_marker(enum geo_route route, double chainage, char text[GEO_MARKER_SIZE])
{
    const struct geo_route_table *table = &geo_route_tables[route];
    double at = clamp_chainage(table, chainage);
    const struct geo_section *section = geo_route_section_at(route, at);
    size_t low = 0, high = table->post_count - 1;
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (table->posts[middle].chainage <= at)
            low = middle;
        else
            high = middle - 1;
    }
    const struct geo_post *post = &table->posts[low];
    double km = post->km + post->slope * (at - post->chainage) / 1000;
    /* A post stands each 100 m; the place is named by the one last passed. */
    double tenths = section->carriageway == 'A' ? floor(km * 10 + 1e-6) : ceil(km * 10 - 1e-6);
    unsigned posts = (unsigned)fmin(fmax(tenths, 0), 9999);

    /* By hand: every event of every vehicle carries one, and snprintf takes five times as long. */
    char *end = text;
    for (const char *p = section->road; *p && end < text + 10; p++)
        *end++ = *p;
    *end++ = ' ';
    *end++ = section->carriageway;
    *end++ = ' ';
    if (posts >= 1000)
        *end++ = (char)('0' + posts / 1000);
    if (posts >= 100)
        *end++ = (char)('0' + posts / 100 % 10);
    *end++ = (char)('0' + posts / 10 % 10);
    *end++ = '/';
    *end++ = (char)('0' + posts % 10);
    *end = 0;
    return text;
}

static bool on_road(const struct geo_junction *junction, const char *road)
{
    size_t length = strlen(road);
    return strncmp(junction->name, road, length) == 0 && junction->name[length] == ' ';
}

/* "Park Lane" of "A4/A4202 Park Lane"; a name that is only a number stays. */
static const char *local_name(const char *name)
{
    const char *space = strchr(name, ' ');
    return space && name[1] >= '0' && name[1] <= '9' ? space + 1 : name;
}

const char *geo_between(enum geo_route route, double chainage, char text[GEO_BETWEEN_SIZE])
{
    const struct geo_route_table *table = &geo_route_tables[route];
    double at = clamp_chainage(table, chainage);
    const struct geo_section *section = geo_route_section_at(route, at), *first = section, *last = section;
    while (first > table->sections && strcmp(first[-1].road, section->road) == 0)
        first--;
    while (last + 1 < table->sections + table->section_count && strcmp(last[1].road, section->road) == 0)
        last++;

    const struct geo_junction *before = NULL, *after = NULL;
    for (size_t i = 0; i < table->junction_count; i++) {
        const struct geo_junction *junction = &table->junctions[i];
        if (!on_road(junction, section->road) || junction->chainage < first->from ||
            junction->chainage > last->to)
            continue;
        if (junction->chainage <= at)
            before = junction;
        else if (!after)
            after = junction;
    }
    double behind = before ? at - before->chainage : INFINITY,
           ahead = after ? after->chainage - at : INFINITY;
    const char *from = before ? before->shortname : first > table->sections ? first[-1].road : NULL;
    const char *to = after                                               ? after->shortname
                     : last + 1 < table->sections + table->section_count ? last[1].road
                                                                         : NULL;

    if (!before && !after)
        snprintf(text, GEO_BETWEEN_SIZE, "%s", local_name(section->name));
    else if (fmin(behind, ahead) <= AT_JUNCTION || !from || !to)
        snprintf(text, GEO_BETWEEN_SIZE, "%s",
                 before && (!after || behind <= ahead) ? before->shortname : after->shortname);
    else
        snprintf(text, GEO_BETWEEN_SIZE, "%s–%s", from, to);
    return text;
}
