/*
 * What the map draws in dots. Two layers: the ground (coast, roads), made once for a sight, and the live
 * layer (routes by congestion, traffic, track), made every frame. The live one is drawn over the ground and
 * takes whole cells, so a road that touches the route does not fray it.
 *
 * A route is several dots thick and each carriageway keeps to the left of its line, as it is driven: zoomed
 * out the two make one broad line whose worse colour wins, zoomed in they stand apart with a gap between
 * them. Traffic runs as single dots outside that line, where it cannot hide the congestion colour.
 */
#include "ui/panels/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct map_dot {
    double x, y;
};

static struct map_dot dot_at(const struct map_sight *sight, const struct dots *dots, struct geo_vertex at)
{
    struct map_cell cell = map_sight_cell(sight, at);
    return (struct map_dot){cell.x * dots->per_x, cell.y * dots->per_y};
}

static int64_t whole(double value)
{
    return (int64_t)floor(value);
}

/* ---- ground ------------------------------------------------------------------------------------------ */

static void ground_line(struct map_ground *ground, const struct geo_line *line, double dot)
{
    uint8_t priority = MAP_COAST;
    enum role role = ROLE_COAST;
    switch (line->kind) {
    case GEO_COAST:
        break;
    case GEO_BORDER:
        priority = MAP_BORDER;
        break;
    case GEO_TRUNK:
        if (dot > 4000)
            return;
        priority = MAP_TRUNK;
        role = ROLE_ROAD;
        break;
    case GEO_MOTORWAY:
        priority = MAP_MOTORWAY;
        role = ROLE_MOTORWAY;
        break;
    }
    struct map_dot last = {0, 0};
    for (size_t i = 0; i < line->vertex_count; i++) {
        struct map_dot next = dot_at(&ground->sight, &ground->dots, line->vertices[i]);
        /* A border is dotted: every third dot or so. */
        if (i > 0 && line->kind == GEO_BORDER) {
            double length = hypot(next.x - last.x, next.y - last.y);
            int points = length < 4000 ? (int)(length / 3) : 0;
            for (int point = 0; point <= points; point++) {
                double part = points > 0 ? (double)point / points : 0;
                dots_set(&ground->dots, (int)whole(last.x + (next.x - last.x) * part),
                         (int)whole(last.y + (next.y - last.y) * part), priority, COLOUR_ROLE(role));
            }
        } else if (i > 0) {
            dots_line(&ground->dots, whole(last.x), whole(last.y), whole(next.x), whole(next.y), priority,
                      COLOUR_ROLE(role));
        }
        last = next;
    }
}

static void ground_shield(struct map_ground *ground, const char *name, struct geo_vertex at, int apart)
{
    struct map_cell cell = map_sight_cell(&ground->sight, at);
    int x = (int)floor(cell.x), y = (int)floor(cell.y);
    if (ground->shield_count == MAP_SHIELDS || x < 3 || y < 1 || x >= ground->sight.width - 3 ||
        y >= ground->sight.height - 2)
        return;
    for (size_t i = 0; i < ground->shield_count; i++) {
        const struct map_shield *other = &ground->shields[i];
        if (strcmp(other->name, name) == 0 && abs(other->x - x) + 2 * abs(other->y - y) < apart)
            return;
    }
    ground->shields[ground->shield_count++] = (struct map_shield){name, x, y};
}

/* Shields stand at whole multiples of a power of two of world units along a line, so that they stay where
 * they are while one pans. */
static void line_shields(struct map_ground *ground, const char *name, const struct geo_vertex *vertices,
                         size_t count)
{
    const int apart = 36;
    double spacing = exp2(ceil(log2(apart * ground->sight.scale)));
    double travelled = 0, due = spacing / 2;
    for (size_t i = 1; i < count; i++) {
        double dx = (double)vertices[i].x - vertices[i - 1].x, dy = (double)vertices[i].y - vertices[i - 1].y;
        double length = hypot(dx, dy);
        while (length > 0 && due <= travelled + length) {
            double part = (due - travelled) / length;
            ground_shield(ground, name,
                          (struct geo_vertex){(int32_t)(vertices[i - 1].x + part * dx),
                                              (int32_t)(vertices[i - 1].y + part * dy)},
                          apart);
            due += spacing;
        }
        travelled += length;
    }
}

/* One in the middle of each motorway of the routes first: those are what the map is about. */
static void route_shields(struct map_ground *ground)
{
    for (int route = GEO_M40_NORTH; route < GEO_ROUTES; route += 2) {
        const struct geo_section *sections;
        size_t count = geo_route_sections((enum geo_route)route, &sections);
        for (size_t i = 0; i < count;) {
            size_t end = i;
            while (end + 1 < count && strcmp(sections[end + 1].road, sections[i].road) == 0)
                end++;
            if (sections[i].kind == GEO_SECTION_MOTORWAY && sections[end].to - sections[i].from > 8000) {
                struct geo_position position =
                    geo_route_position((enum geo_route)route, (sections[i].from + sections[end].to) / 2);
                ground_shield(ground, sections[i].road, geo_project(position.latitude, position.longitude),
                              24);
            }
            i = end + 1;
        }
    }
}

static void release_dots(struct map_ground *ground)
{
    if (ground->sight.scale > 0) {
        dots_destroy(&ground->dots);
        dots_destroy(&ground->live);
    }
    ground->sight.scale = 0;
}

void map_ground_update(struct map_ground *ground, const struct map_sight *sight, enum glyphs glyphs)
{
    bool same_size = ground->sight.scale > 0 && ground->glyphs == glyphs &&
                     ground->sight.width == sight->width && ground->sight.height == sight->height;
    if (same_size && ground->sight.x == sight->x && ground->sight.y == sight->y &&
        ground->sight.scale == sight->scale)
        return;
    if (!same_size) {
        release_dots(ground);
        ground->dots = dots_create(sight->width, sight->height, glyphs);
        ground->live = dots_create(sight->width, sight->height, glyphs);
    }
    if (ground->towns.places == NULL)
        ground->towns = map_towns_create();
    ground->sight = *sight;
    ground->glyphs = glyphs;
    ground->builds++;
    ground->inset_made = false;
    dots_clear(&ground->dots);
    ground->shield_count = 0;
    double dot = map_sight_dot(sight, glyphs);
    const struct geo_line *lines;
    size_t count = geo_lines(geo_detail_for(dot), &lines);
    if (dot < 2500)
        route_shields(ground);
    for (size_t i = 0; i < count; i++) {
        if (!map_sight_has(sight, lines[i].min, lines[i].max))
            continue;
        ground_line(ground, &lines[i], dot);
        if (lines[i].kind == GEO_MOTORWAY && dot < 2500)
            line_shields(ground, lines[i].name, lines[i].vertices, lines[i].vertex_count);
    }
}

void map_ground_destroy(struct map_ground *ground)
{
    release_dots(ground);
    map_towns_destroy(&ground->towns);
    dots_destroy(&ground->inset);
}

/* ---- routes ------------------------------------------------------------------------------------------ */

struct paint {
    uint8_t priority;
    enum role role;
};

/* By the mean of what drives there, lorries too, which go at 0.8 of a motorway's limit on an empty road: so
 * that is still free, and a queue is where nobody goes at half of it. */
#define FREE_ABOVE  0.72
#define SLOW_ABOVE  0.55
#define QUEUE_ABOVE 0.35

static struct paint congestion_paint(const struct city_bin *bins, double chainage)
{
    int bin = (int)(chainage / CITY_BIN_M);
    double ratio = bins[bin < 0 ? 0 : bin >= CITY_BINS ? CITY_BINS - 1 : bin].ratio;
    if (!(ratio >= 0))
        return (struct paint){MAP_ROUTE, ROLE_ROUTE};
    if (ratio >= FREE_ABOVE)
        return (struct paint){MAP_FREE, ROLE_FREE};
    if (ratio >= SLOW_ABOVE)
        return (struct paint){MAP_SLOW, ROLE_SLOW};
    if (ratio >= QUEUE_ABOVE)
        return (struct paint){MAP_QUEUE, ROLE_QUEUE};
    return (struct paint){MAP_JAM, ROLE_JAM};
}

/* Left of the heading, in dots that are `right` columns' halves wide; dots may be higher than wide. */
static struct map_dot aside(const struct dots *dots, double dx, double dy, double halves)
{
    double cx = dx / dots->per_x, cy = dy / dots->per_y * 2; /* in columns */
    double length = hypot(cx, cy);
    if (length == 0)
        return (struct map_dot){0, 0};
    double nx = cy / length, ny = -cx / length;
    return (struct map_dot){nx * halves / 2 * dots->per_x, ny * halves / 4 * dots->per_y};
}

static void route_strand(struct dots *dots, const struct map_sight *sight, const struct city_bin *bins,
                         const struct geo_vertex *vertices, const float *chainages, size_t count,
                         double halves)
{
    bool joined = false;
    int64_t join_x = 0, join_y = 0;
    for (size_t i = 1; i < count; i++) {
        struct geo_vertex a = vertices[i - 1], b = vertices[i];
        struct geo_vertex min = {a.x < b.x ? a.x : b.x, a.y < b.y ? a.y : b.y};
        struct geo_vertex max = {a.x > b.x ? a.x : b.x, a.y > b.y ? a.y : b.y};
        if (!map_sight_has(sight, min, max)) {
            joined = false;
            continue;
        }
        struct map_dot from = dot_at(sight, dots, a), to = dot_at(sight, dots, b);
        struct map_dot side = aside(dots, to.x - from.x, to.y - from.y, halves);
        double start = chainages[i - 1], length = chainages[i] - start;
        double at = start;
        do {
            /* Up to the end of this bin or of the segment. */
            double next = (floor(at / CITY_BIN_M) + 1) * CITY_BIN_M;
            if (next > start + length || length <= 0)
                next = start + length;
            double p = length > 0 ? (at - start) / length : 0, q = length > 0 ? (next - start) / length : 1;
            struct paint paint = congestion_paint(bins, (at + next) / 2);
            int64_t x0 = whole(from.x + (to.x - from.x) * p + side.x),
                    y0 = whole(from.y + (to.y - from.y) * p + side.y);
            int64_t x1 = whole(from.x + (to.x - from.x) * q + side.x),
                    y1 = whole(from.y + (to.y - from.y) * q + side.y);
            /* Where the line bends, the sideways ends are joined. */
            if (joined && p == 0)
                dots_line(dots, join_x, join_y, x0, y0, paint.priority, COLOUR_ROLE(paint.role));
            dots_line(dots, x0, y0, x1, y1, paint.priority, COLOUR_ROLE(paint.role));
            join_x = x1, join_y = y1, joined = true;
            at = next;
        } while (at < start + length);
    }
}

/* How far left of its line a carriageway is drawn, in half columns: first and last strand. */
static void strand_range(double dot, double *first, double *last)
{
    if (dot > 2200) {
        *first = *last = 0.5;
    } else if (dot > 700) {
        *first = 0, *last = 1;
    } else if (dot > 120) {
        *first = 1, *last = 2;
    } else {
        *first = 2, *last = 3;
    }
}

static void draw_track(struct dots *dots, const struct map_sight *sight, const struct city_followed *followed,
                       double halves)
{
    for (size_t i = 1; i < followed->track_count && i < CITY_TRACK; i++) {
        struct map_dot from = dot_at(sight, dots, followed->track[i - 1]);
        struct map_dot to = dot_at(sight, dots, followed->track[i]);
        if (hypot(to.x - from.x, to.y - from.y) > 400) /* a leap is not a drive: another trip began */
            continue;
        struct map_dot side = aside(dots, to.x - from.x, to.y - from.y, halves);
        dots_line(dots, whole(from.x + side.x), whole(from.y + side.y), whole(to.x + side.x),
                  whole(to.y + side.y), MAP_TRACK, COLOUR_ROLE(ROLE_TRACK));
    }
}

#define ARROWS_BELOW 100.0 /* metres a dot */

static void draw_traffic(struct dots *dots, const struct map_sight *sight, const struct city_snapshot *city,
                         double outside)
{
    for (size_t i = 0; i < city->vehicle_count; i++) {
        const struct city_vehicle *vehicle = &city->vehicles[i];
        struct map_dot at = dot_at(sight, dots, vehicle->at);
        if (!(at.x > -8 && at.y > -8 && at.x < dots->width + 8 && at.y < dots->height + 8))
            continue;
        if (vehicle->route >= 0 && isfinite(vehicle->heading)) {
            double heading = vehicle->heading * M_PI / 180;
            struct map_dot side =
                aside(dots, sin(heading) * dots->per_x, -cos(heading) * dots->per_y / 2, outside);
            at.x += side.x;
            at.y += side.y;
        }
        dots_set(dots, (int)whole(at.x), (int)whole(at.y), MAP_VEHICLE, COLOUR_ROLE(ROLE_VEHICLE));
    }
}

void map_layers_traffic(struct map_ground *ground, const struct map_sight *sight,
                        const struct city_snapshot *city)
{
    struct dots *dots = &ground->live;
    dots_clear(dots);
    double dot = map_sight_dot(sight, ground->glyphs), first, last;
    strand_range(dot, &first, &last);
    if (dot >= ARROWS_BELOW && dots->per_x > 1)
        draw_traffic(dots, sight, city, last + 1.5);
    for (int route = 0; route < GEO_ROUTES; route++) {
        const struct geo_vertex *vertices;
        const float *chainages;
        size_t count = geo_route_line((enum geo_route)route, geo_detail_for(dot), &vertices, &chainages);
        int strands = dots->per_x > 1 && last > first ? 2 : 1;
        for (int strand = 0; strand < strands; strand++)
            route_strand(dots, sight, city->bins[route], vertices, chainages, count,
                         strand == 0 ? first : last);
    }
    if (city->followed.known)
        draw_track(dots, sight, &city->followed, (first + last) / 2);
}

/* ---- marks in cells ---------------------------------------------------------------------------------- */

uint32_t map_arrow(double heading, enum glyphs glyphs)
{
    static const uint32_t arrows[] = {0x2191, 0x2197, 0x2192, 0x2198, 0x2193, 0x2199, 0x2190, 0x2196};
    static const char plain[] = "^/>\\v/<\\";
    if (!isfinite(heading))
        heading = 0;
    double turned = fmod(heading, 360);
    int eighth = (int)((turned < 0 ? turned + 360 : turned) / 45 + 0.5) & 7;
    return glyphs == GLYPHS_ASCII ? (uint32_t)plain[eighth] : arrows[eighth];
}

struct map_cell map_lane_cell(const struct map_sight *sight, enum glyphs glyphs, struct geo_vertex at,
                              double heading)
{
    struct map_cell cell = map_sight_cell(sight, at);
    double first, last;
    strand_range(map_sight_dot(sight, glyphs), &first, &last);
    if (isfinite(heading)) {
        double halves = (first + last) / 2;
        cell.x += -cos(heading * M_PI / 180) * halves / 2;
        cell.y += -sin(heading * M_PI / 180) * halves / 4;
    }
    return cell;
}

void map_layers_arrows(struct canvas *canvas, const struct map_sight *sight, const struct city_snapshot *city)
{
    double dot = map_sight_dot(sight, canvas->glyphs);
    if (dot >= ARROWS_BELOW)
        return;
    for (size_t i = 0; i < city->vehicle_count; i++) {
        const struct city_vehicle *vehicle = &city->vehicles[i];
        struct map_cell near = map_sight_cell(sight, vehicle->at);
        if (!(near.x > -3 && near.y > -3 && near.x < canvas->width + 3 && near.y < canvas->height + 3))
            continue;
        double heading = vehicle->route >= 0 ? vehicle->heading : NAN;
        struct map_cell at = map_lane_cell(sight, canvas->glyphs, vehicle->at, heading);
        if (!(at.x >= 0 && at.y >= 0 && at.x < canvas->width && at.y < canvas->height))
            continue;
        enum role role = vehicle->status == 0 ? ROLE_VEHICLE : vehicle->status == 1 ? ROLE_QUEUE : ROLE_BAD;
        canvas_put(canvas, (int)at.x, (int)at.y, map_arrow(vehicle->heading, canvas->glyphs),
                   STYLE_BOLD(role));
    }
}

/* How far a station speaks for the weather round it. */
#define WEATHER_REACH    26000.0 /* metres */
#define WEATHER_STATIONS 64

/* Strokes in slanted rows with gaps, flakes far apart, mist in short lines; the heavier, the closer. The
 * pattern belongs to the ground, so that it does not crawl when one pans. */
static uint32_t weather_rune(enum role role, double weight, int apart, int64_t gx, int64_t gy, bool plain)
{
    int close = (weight > 0.3 ? 1 : weight > 0.1 ? 2 : 3) * apart;
    if (role == ROLE_SNOW)
        return drive_mix(drive_mix(0, (uint64_t)gx), (uint64_t)gy) % (uint64_t)(8 * close) == 0 ? '*' : 0;
    if (role == ROLE_FOG)
        return gy % (2 * apart) == 0 && (gx + 3 * (gy & 2) + (1 << 20)) % (6 * apart) < 4 - close / apart
                   ? (plain ? '~' : 0x2261)
                   : 0;
    if ((gx + gy) % (2 * close) != 0 || (gx - gy + (1 << 20)) / 2 % 3 == 0)
        return 0;
    return plain ? '/' : 0x2571;
}

void map_layers_weather(struct canvas *canvas, const struct map_sight *sight,
                        const struct city_snapshot *city, const struct map_ground *ground)
{
    struct {
        double x, y, weight; /* columns */
        enum role role;
    } wet[WEATHER_STATIONS];
    size_t count = 0;
    for (size_t i = 0; i < city->station_count && count < WEATHER_STATIONS; i++) {
        char words[DRIVE_TEXT];
        if (!drive_weather_words(&city->stations[i].event, words, &wet[count].role, &wet[count].weight))
            continue;
        struct map_cell cell = map_sight_cell(sight, city->stations[i].at);
        wet[count].x = cell.x;
        wet[count++].y = cell.y * 2;
    }
    if (count == 0)
        return;
    double reach = WEATHER_REACH / map_sight_metres(sight);
    int64_t origin_x = (int64_t)llround(sight->x / sight->scale) - canvas->width / 2;
    int64_t origin_y = (int64_t)llround(sight->y / (2 * sight->scale)) - canvas->height / 2;
    bool plain = canvas->glyphs == GLYPHS_ASCII;
    /* What fills the whole panel is drawn thinner. */
    int apart = reach > canvas->height * 2.5 ? 3 : reach > canvas->height * 1.2 ? 2 : 1;
    for (int y = 0; y < canvas->height; y++) {
        for (int x = 0; x < canvas->width; x++) {
            size_t cell = (size_t)y * (size_t)canvas->width + (size_t)x;
            if (ground->dots.bits[cell] != 0 || ground->live.bits[cell] != 0)
                continue;
            double heaviest = 0.015;
            enum role role = ROLE_NONE;
            for (size_t i = 0; i < count; i++) {
                double dx = (x + 0.5 - wet[i].x) / reach, dy = (2 * y + 1 - wet[i].y) / reach;
                double square = dx * dx + dy * dy;
                if (square < 1 && wet[i].weight * (1 - square) > heaviest) {
                    heaviest = wet[i].weight * (1 - square);
                    role = wet[i].role;
                }
            }
            uint32_t rune = role != ROLE_NONE
                                ? weather_rune(role, heaviest, apart, origin_x + x, origin_y + y, plain)
                                : 0;
            if (rune != 0)
                canvas_put(canvas, x, y, rune,
                           (struct style){.fg = COLOUR_ROLE(role), .attributes = ATTR_DIM});
        }
    }
}
