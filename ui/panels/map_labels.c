/*
 * Texts on the map. They are placed one after another, the most important first, each at the one of eight
 * places round its point that hides least of the route; a cell that holds a text is never used again, and
 * neither are its neighbours to the left and right. What finds no place is left out: the map is never
 * illegible, only less told.
 */
#include "ui/panels/map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct map_labels map_labels_create(const struct map_ground *ground, int width, int height)
{
    struct map_labels labels = {.width = width, .height = height};
    size_t count = (size_t)width * (size_t)height;
    labels.taken = mem_zero(count + 1, 1);
    for (size_t i = 0; i < count; i++)
        labels.taken[i] =
            ground->live.bits[i] != 0 && ground->live.priority[i] >= MAP_ROUTE ? MAP_ROUTE_CELL : MAP_OPEN;
    return labels;
}

void map_labels_destroy(struct map_labels *labels)
{
    free(labels->taken);
    *labels = (struct map_labels){0};
}

void map_labels_reserve(struct map_labels *labels, int x, int y, int width)
{
    for (int column = x; column < x + width; column++)
        if (column >= 0 && column < labels->width && y >= 0 && y < labels->height)
            labels->taken[(size_t)y * (size_t)labels->width + (size_t)column] = MAP_TAKEN;
}

/* How many route cells a text there would hide; -1: it may not stand there. */
static int hidden_by(const struct map_labels *labels, int x, int y, int width)
{
    if (y < 0 || y >= labels->height || x < 0 || x + width > labels->width)
        return -1;
    const uint8_t *row = labels->taken + (size_t)y * (size_t)labels->width;
    int hidden = 0;
    for (int column = x - 1; column <= x + width; column++) {
        if (column < 0 || column >= labels->width)
            continue;
        if (row[column] == MAP_TAKEN)
            return -1;
        hidden += row[column] == MAP_ROUTE_CELL && column >= x && column < x + width;
    }
    return hidden;
}

bool map_labels_put(struct map_labels *labels, struct canvas *canvas, int x, int y, uint32_t rune,
                    struct style mark, struct style style, const char *text, int cost)
{
    int width = text_width(text);
    bool inside = x >= 0 && y >= 0 && x < labels->width && y < labels->height;
    if (!inside)
        return false;
    uint8_t *own = &labels->taken[(size_t)y * (size_t)labels->width + (size_t)x];
    uint8_t before = *own;
    if (rune != 0 && before != MAP_TAKEN)
        *own = MAP_OPEN; /* its own text may stand right beside it */
    const struct {
        int x, y;
    } places[] = {
        {x + 2, y},         {x - 1 - width, y}, {x + 1, y - 1},         {x + 1, y + 1},
        {x - width, y - 1}, {x - width, y + 1}, {x - width / 2, y - 1}, {x - width / 2, y + 1},
    };
    int best = -1, best_hidden = cost + 1;
    for (int i = 0; i < (int)(sizeof places / sizeof places[0]) && width > 0; i++) {
        int hidden = hidden_by(labels, places[i].x, places[i].y, width);
        if (hidden >= 0 && hidden < best_hidden) {
            best = i;
            best_hidden = hidden;
        }
    }
    *own = before;
    if (rune != 0) {
        canvas_put(canvas, x, y, rune, mark);
        *own = MAP_TAKEN;
    }
    if (best < 0)
        return false;
    /* The cell between the mark and its text is blank, unless the route runs through it. */
    int gap = best == 0 ? x + 1 : best == 1 ? x - 1 : -1;
    if (gap >= 0 && labels->taken[(size_t)y * (size_t)labels->width + (size_t)gap] == MAP_OPEN)
        canvas_put(canvas, gap, y, ' ', STYLE(ROLE_NONE));
    canvas_text(canvas, places[best].x, places[best].y, style, text);
    map_labels_reserve(labels, places[best].x, places[best].y, width);
    return true;
}

/* A text with its middle at the point, or not at all. */
static bool put_centred(struct map_labels *labels, struct canvas *canvas, int x, int y, struct style style,
                        const char *text, int cost)
{
    int width = text_width(text), left = x - width / 2;
    int hidden = hidden_by(labels, left, y, width);
    if (hidden < 0 || hidden > cost)
        return false;
    canvas_text(canvas, left, y, style, text);
    map_labels_reserve(labels, left, y, width);
    return true;
}

static bool cell_of(const struct map_sight *sight, struct geo_vertex at, int *x, int *y)
{
    struct map_cell cell = map_sight_cell(sight, at);
    if (!(cell.x >= 0 && cell.y >= 0 && cell.x < sight->width && cell.y < sight->height))
        return false;
    *x = (int)cell.x;
    *y = (int)cell.y;
    return true;
}

/* ---- what is written --------------------------------------------------------------------------------- */

static void draw_followed(struct map_labels *labels, struct canvas *canvas, const struct map_sight *sight,
                          const struct city_snapshot *city, double dot)
{
    const struct city_followed *followed = &city->followed;
    if (!followed->known || followed->track_count == 0)
        return;
    const struct event *vehicle = &followed->vehicle;
    double heading = event_has(vehicle, VEHICLE_HEADING) ? vehicle->vehicle.heading : NAN;
    struct geo_vertex last =
        followed->track[followed->track_count <= CITY_TRACK ? followed->track_count - 1 : 0];
    struct map_cell cell = map_lane_cell(sight, canvas->glyphs, last, heading);
    if (!(cell.x >= 0 && cell.y >= 0 && cell.x < sight->width && cell.y < sight->height))
        return;
    int x = (int)cell.x, y = (int)cell.y;
    char text[DRIVE_TEXT];
    if (dot < 300 && event_has(vehicle, VEHICLE_SPEED))
        snprintf(text, sizeof text, "%s %.0f km/h", vehicle->device_id, vehicle->vehicle.speed);
    else
        text_copy(text, sizeof text, vehicle->device_id);
    struct style mark = {.fg = COLOUR_ROLE(ROLE_FOLLOWED), .attributes = ATTR_BOLD | ATTR_REVERSE};
    uint32_t rune = 0x25C9;
    if (dot < 100 && isfinite(heading))
        rune = map_arrow(heading, canvas->glyphs);
    map_labels_put(labels, canvas, x, y, rune, mark, STYLE_BOLD(ROLE_FOLLOWED), text, 4);
}

static void draw_incident(struct map_labels *labels, struct canvas *canvas,
                          const struct city_incident *incident, int x, int y, bool named)
{
    const struct event_emergency *emergency = &incident->event.emergency;
    char type[DRIVE_TEXT], text[DRIVE_TEXT] = "", between[GEO_BETWEEN_SIZE] = "";
    int route = geo_route_from_id(emergency->route_id);
    if (route >= 0 && event_has(&incident->event, EMERGENCY_CHAINAGE))
        geo_between((enum geo_route)route, emergency->chainage * 1000, between);
    if (named)
        snprintf(text, sizeof text, "%.20s %s", drive_words(emergency->type, type), between);
    struct style style = STYLE_BOLD(drive_severity_role(&incident->event));
    map_labels_put(labels, canvas, x, y, 0x25B2, style, style, text, 2);
}

/* The worst first. All have their mark; the minor ones their name only when there are few or one looks
 * closely, and no more names than leave the map a map. */
static void draw_incidents(struct map_labels *labels, struct canvas *canvas, const struct map_sight *sight,
                           const struct city_snapshot *city, double dot)
{
    int room = 2 + sight->width * sight->height / 400;
    for (int rank = 5; rank > 0; rank--)
        for (size_t i = 0; i < city->incident_count; i++) {
            const struct city_incident *incident = &city->incidents[i];
            int x, y;
            if (drive_urgency(incident) != rank || !cell_of(sight, incident->at, &x, &y))
                continue;
            bool named = room > 0 && (rank > 2 || dot < 600 || city->incidents_open <= 4);
            draw_incident(labels, canvas, incident, x, y, named);
            room -= named;
        }
}

static void draw_towns(struct map_labels *labels, struct canvas *canvas, const struct map_sight *sight,
                       const struct map_towns *towns, bool great)
{
    /* Few names that are read at a glance, not all that would fit. */
    int room = great ? 2 : 3 + sight->width * sight->height / 150;
    for (size_t i = 0; i < towns->count && room > 0; i++) {
        const struct geo_place *town = towns->places[i];
        int x, y;
        if ((town->rank == 0) != great || !cell_of(sight, town->at, &x, &y) || hidden_by(labels, x, y, 1) < 0)
            continue;
        struct style style = great ? STYLE_BOLD(ROLE_PLACE) : STYLE(ROLE_PLACE);
        /* The mark is drawn with its name or not at all. */
        if (map_labels_put(labels, canvas, x, y, 0, style, style, town->name, great ? 3 : 0)) {
            map_labels_reserve(labels, x, y, 1);
            canvas_put(canvas, x, y, 0x2022, style);
            room--;
        }
    }
}

static void draw_junctions(struct map_labels *labels, struct canvas *canvas, const struct map_sight *sight,
                           double dot)
{
    if (dot > 260)
        return;
    for (int route = 0; route < GEO_ROUTES; route += 2) {
        const struct geo_junction *junctions;
        size_t count = geo_route_junctions((enum geo_route)route, &junctions);
        for (size_t i = 0; i < count; i++) {
            struct geo_position position = geo_route_position((enum geo_route)route, junctions[i].chainage);
            int x, y;
            if (!cell_of(sight, geo_project(position.latitude, position.longitude), &x, &y))
                continue;
            struct style style = STYLE(ROLE_TEXT);
            map_labels_put(labels, canvas, x, y, 0, style, style, junctions[i].shortname, 0);
        }
    }
}

static void draw_cameras(struct map_labels *labels, struct canvas *canvas, const struct map_sight *sight,
                         const struct city_snapshot *city, double dot)
{
    if (dot > 900)
        return;
    for (size_t i = 0; i < city->camera_count; i++) {
        const struct city_camera *camera = &city->cameras[i];
        int x, y;
        if (!cell_of(sight, camera->at, &x, &y) ||
            labels->taken[(size_t)y * (size_t)labels->width + (size_t)x] == MAP_TAKEN)
            continue;
        bool shown = city->image.known && strcmp(city->image.event.traffic.camera_id, camera->camera_id) == 0;
        struct style style = shown ? STYLE_BOLD(ROLE_CAMERA) : STYLE(ROLE_CAMERA);
        map_labels_put(labels, canvas, x, y, shown ? 0x25CF : 0x25E6, style, style,
                       dot < 120 ? camera->camera_id : "", 0);
    }
}

/* The worst first, at most one to every 300 cells of map. */
static void draw_weather(struct map_labels *labels, struct canvas *canvas, const struct map_sight *sight,
                         const struct city_snapshot *city)
{
    int room = 1 + sight->width * sight->height / 700;
    double above = 2;
    while (room-- > 0) {
        const struct city_station *worst = NULL;
        double worst_weight = -1;
        for (size_t i = 0; i < city->station_count; i++) {
            char words[DRIVE_TEXT];
            double weight;
            int x, y;
            if (drive_weather_words(&city->stations[i].event, words, NULL, &weight) && weight < above &&
                weight > worst_weight && cell_of(sight, city->stations[i].at, &x, &y)) {
                worst = &city->stations[i];
                worst_weight = weight;
            }
        }
        if (worst == NULL)
            return;
        above = worst_weight;
        char words[DRIVE_TEXT];
        enum role role;
        int x, y;
        if (drive_weather_words(&worst->event, words, &role, NULL) && cell_of(sight, worst->at, &x, &y)) {
            struct style style = STYLE(role);
            map_labels_put(labels, canvas, x, y, 0, style, style, words, 0);
        }
    }
}

static void draw_shields(struct map_labels *labels, struct canvas *canvas, const struct map_ground *ground)
{
    struct style style = {.fg = COLOUR_ROLE(ROLE_STRONG), .bg = COLOUR_ROLE(ROLE_MOTORWAY)};
    for (size_t i = 0; i < ground->shield_count; i++) {
        const struct map_shield *shield = &ground->shields[i];
        /* On its line, but beside the route: there the colour matters more. */
        if (!put_centred(labels, canvas, shield->x, shield->y, style, shield->name, 0))
            map_labels_put(labels, canvas, shield->x, shield->y, 0, style, style, shield->name, 0);
    }
}

void map_labels_draw(struct map_labels *labels, struct canvas *canvas, const struct map_sight *sight,
                     const struct map_ground *ground, const struct view *view)
{
    double dot = map_sight_dot(sight, canvas->glyphs);
    const struct city_snapshot *city = view->city;
    draw_followed(labels, canvas, sight, city, dot);
    draw_incidents(labels, canvas, sight, city, dot);
    draw_towns(labels, canvas, sight, &ground->towns, true);
    draw_weather(labels, canvas, sight, city);
    draw_shields(labels, canvas, ground);
    draw_junctions(labels, canvas, sight, dot);
    draw_towns(labels, canvas, sight, &ground->towns, false);
    draw_cameras(labels, canvas, sight, city, dot);
}

/* ---- furniture --------------------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten that is at most `metres`. */
static double round_length(double metres)
{
    double power = pow(10, floor(log10(metres)));
    double digit = metres / power;
    return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
}

static int scale_bar(struct canvas *canvas, const struct map_sight *sight, int right, int y, int room)
{
    double column = map_sight_metres(sight);
    double length = round_length(column * (room > 30 ? 16 : 10));
    int cells = (int)lround(length / column);
    char text[TEXT_FIGURE_SIZE];
    drive_distance(length, text);
    int width = cells + 2 + text_width(text);
    if (cells < 2 || width > room)
        return right;
    int x = right - width;
    struct style style = STYLE(ROLE_DIM);
    for (int i = 0; i < cells; i++)
        canvas_put(canvas, x + i, y, i == 0 ? 0x251C : i == cells - 1 ? 0x2524 : 0x2500, style);
    canvas_text(canvas, x + cells + 1, y, style, text);
    return x;
}

void map_labels_furniture(struct map_labels *labels, struct canvas *canvas, const struct map_sight *sight,
                          const struct view *view)
{
    static const struct {
        uint32_t mark;
        char ascii;
        enum role role;
        const char *word;
    } legend[] = {
        {0x2501, '=', ROLE_FREE, "free"},     {0x2501, '+', ROLE_SLOW, "slow"},
        {0x2501, '*', ROLE_QUEUE, "queue"},   {0x2501, '#', ROLE_JAM, "jam"},
        {0x25B2, '!', ROLE_BAD, "incident"},  {0x25C9, '@', ROLE_FOLLOWED, "followed"},
        {0x25E6, 'o', ROLE_CAMERA, "camera"}, {0x2191, '^', ROLE_VEHICLE, "vehicle"},
    };
    static const char *const credits[] = {
        "© Crown (OGL), OpenStreetMap, Natural Earth, GeoNames",
        "© OGL, OSM, Natural Earth, GeoNames",
        "© OGL, OSM",
    };
    if (canvas->height < 6)
        return;
    int y = canvas->height - 1, x = 1;
    canvas_fill(canvas, 0, y, canvas->width, 1, ' ', STYLE(ROLE_NONE));
    double dot = map_sight_dot(sight, canvas->glyphs);
    for (size_t i = 0; i < sizeof legend / sizeof legend[0]; i++) {
        int width = 2 + (int)strlen(legend[i].word);
        if ((i == 6 && dot > 900) || (i == 7 && dot >= 100) || x + width > canvas->width)
            continue;
        if (i >= 4 && x + width + 2 > canvas->width * 2 / 3)
            break;
        canvas_put(canvas, x, y, canvas->glyphs == GLYPHS_ASCII ? (uint32_t)legend[i].ascii : legend[i].mark,
                   STYLE_BOLD(legend[i].role));
        x = canvas_text(canvas, x + 2, y, STYLE(ROLE_DIM), legend[i].word) + 2;
    }
    int right = canvas->width - 1;
    for (size_t i = 0; i < sizeof credits / sizeof credits[0]; i++) {
        if (right - x >= text_width(credits[i]) + 2) {
            canvas_text_right(canvas, right, y, STYLE(ROLE_FRAME), credits[i]);
            break;
        }
    }
    map_labels_reserve(labels, 0, y, canvas->width);
    /* The scale above it, at the right, with where north is. */
    int left = scale_bar(canvas, sight, right, y - 1, canvas->width / 2);
    if (left < right) {
        canvas_text(canvas, left - 3, y - 1, STYLE(ROLE_DIM), canvas->glyphs == GLYPHS_ASCII ? "N^" : "N↑");
        map_labels_reserve(labels, left - 4, y - 1, right - left + 5);
    }
    if (!drive_has_events(view)) {
        const char *text = "waiting for Kafka";
        canvas_text(canvas, 1, 0, STYLE(ROLE_DIM), text);
        map_labels_reserve(labels, 0, 0, text_width(text) + 2);
    }
}
