/*
 * The map: what is in sight, which keys change it, and the order in which a frame is drawn. See map.h for its
 * parts.
 */
#include "ui/panels/map.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct map_state {
    struct map_sight sight;
    bool moved;      /* the operator chose the sight: it is not fitted any more */
    bool unfollowed; /* F: the sight does not go with the vehicle */
    uint64_t changes;
    int drag_x, drag_y, drag_at; /* the pointer at the last drag event; drag_at 0: none */
    enum glyphs glyphs;
    struct map_ground ground;
    struct map_list list;
};

static void destroy(void *state)
{
    struct map_state *map = state;
    map_ground_destroy(&map->ground);
    map_list_destroy(&map->list);
}

static uint64_t generation(const void *state, const struct view *view)
{
    const struct map_state *map = state;
    const struct city_snapshot *city = view->city;
    uint64_t hash = drive_mix(map->changes, city->kind_generation[EVENT_VEHICLE]);
    hash = drive_mix(hash, city->kind_generation[EVENT_EMERGENCY]);
    hash = drive_mix(hash, city->kind_generation[EVENT_WEATHER]);
    hash = drive_mix(hash, city->kind_generation[EVENT_TRAFFIC]);
    hash = drive_mix_text(hash, city->followed.known ? city->followed.vehicle.device_id : "");
    return drive_mix(hash, drive_has_events(view));
}

static bool followed_at(const struct view *view, struct geo_vertex *at)
{
    const struct city_followed *followed = &view->city->followed;
    if (!followed->known || followed->track_count == 0 || followed->track_count > CITY_TRACK)
        return false;
    *at = followed->track[followed->track_count - 1];
    return true;
}

/* Keeps the followed vehicle in the middle half. The sight moves seldom and far, not often and little: a
 * sight that stands costs nothing to draw. Ahead of the vehicle there is more to see than behind. */
static void keep_followed(struct map_state *map, const struct view *view)
{
    struct geo_vertex at;
    if (map->unfollowed || !map->moved || !followed_at(view, &at))
        return;
    struct map_cell cell = map_sight_cell(&map->sight, at);
    double width = map->sight.width, height = map->sight.height;
    if (cell.x >= width / 4 && cell.x <= width * 3 / 4 && cell.y >= height / 4 && cell.y <= height * 3 / 4)
        return;
    map_sight_centre(&map->sight, at);
    const struct event *vehicle = &view->city->followed.vehicle;
    if (event_has(vehicle, VEHICLE_HEADING) && isfinite(vehicle->vehicle.heading)) {
        double heading = vehicle->vehicle.heading * M_PI / 180;
        map_sight_move(&map->sight, round(sin(heading) * width * 0.2), round(-cos(heading) * height * 0.2));
    }
}

static void resize(struct map_state *map, int width, int height)
{
    bool first = map->sight.scale <= 0;
    if (!first && map->sight.width == width && map->sight.height == height)
        return;
    map->sight.width = width;
    map->sight.height = height;
    if (first || !map->moved)
        map_sight_fit(&map->sight);
}

static void draw(void *state, const struct view *view, struct canvas *canvas,
                 const struct panel_context *context)
{
    struct map_state *map = state;
    if (canvas->width < 2 || canvas->height < 2)
        return;
    map->glyphs = canvas->glyphs;
    resize(map, canvas->width, canvas->height);
    if (map->list.shown) {
        map_list_draw(&map->list, view, canvas, context);
        return;
    }
    keep_followed(map, view);
    map_ground_update(&map->ground, &map->sight, canvas->glyphs);
    map_layers_traffic(&map->ground, &map->sight, view->city);
    dots_draw(&map->ground.dots, canvas, 0, 0);
    dots_draw(&map->ground.live, canvas, 0, 0);
    map_layers_weather(canvas, &map->sight, view->city, &map->ground);
    map_layers_arrows(canvas, &map->sight, view->city);
    struct map_labels labels = map_labels_create(&map->ground, canvas->width, canvas->height);
    map_inset_draw(&map->ground, &labels, canvas, &map->sight);
    map_labels_furniture(&labels, canvas, &map->sight, view);
    map_labels_draw(&labels, canvas, &map->sight, &map->ground, view);
    map_labels_destroy(&labels);
}

static void note(const void *state, const struct view *view, char *text, size_t size)
{
    const struct map_state *map = state;
    if (map->list.shown) {
        char count[TEXT_FIGURE_SIZE];
        snprintf(text, size, "%s vehicles · Enter follows",
                 text_count(count, (int64_t)view->city->vehicle_count));
        return;
    }
    if (map->sight.scale <= 0) {
        text_copy(text, size, "");
        return;
    }
    char dot[TEXT_FIGURE_SIZE];
    drive_distance(map_sight_dot(&map->sight, map->glyphs), dot);
    const char *device = view->city->followed.known ? view->city->followed.vehicle.device_id : "";
    const char *how = device[0] == '\0' ? "" : map->unfollowed ? " · free" : " · follow ";
    if (map->sight.width < 60)
        snprintf(text, size, "%s%s", device[0] == '\0' ? "1 dot = " : how + strlen(" · "),
                 device[0] == '\0' ? dot
                 : map->unfollowed ? ""
                                   : device);
    else
        snprintf(text, size, "M40 + M1 · 1 dot = %s%s%s", dot, how, map->unfollowed ? "" : device);
}

/* ---- commands ---------------------------------------------------------------------------------------- */

static void zoom(struct map_state *map, const struct view *view, double factor)
{
    struct map_cell about = {map->sight.width / 2.0, map->sight.height / 2.0};
    struct geo_vertex at;
    if (!map->unfollowed && followed_at(view, &at))
        about = map_sight_cell(&map->sight, at);
    map_sight_zoom(&map->sight, factor, about.x, about.y);
    map->moved = true;
}

/* "51.79 -1.13" or "51.79, -1.13", in and around Britain. */
static bool parse_position(const char *text, struct geo_vertex *at)
{
    char first[24];
    size_t length = strcspn(text, " ,");
    const char *second = text + length + strspn(text + length, " ,");
    double latitude, longitude;
    if (length >= sizeof first)
        return false;
    memcpy(first, text, length);
    first[length] = '\0';
    if (!text_parse_double(first, 48, 62, &latitude) || !text_parse_double(second, -12, 6, &longitude))
        return false;
    *at = geo_project(latitude, longitude);
    return true;
}

static bool go_to(struct map_state *map, const char *argument, const struct panel_host *host)
{
    const struct geo_place *place = geo_find_place(argument);
    struct geo_vertex at;
    if (place != NULL) {
        at = place->at;
    } else if (!parse_position(argument, &at)) {
        char text[160];
        snprintf(text, sizeof text,
                 "no place \"%.60s\": a town, a junction (M40 J9) or latitude and longitude", argument);
        host->toast(host->context, LOG_WARNING, text);
        return true;
    }
    if (map->sight.scale <= 0)
        return true;
    map->moved = true;
    map->unfollowed = true;
    map->list.shown = false;
    double dot = map_sight_dot(&map->sight, map->glyphs);
    if (dot > 200)
        map_sight_zoom(&map->sight, 200 / dot, 0, 0);
    map_sight_centre(&map->sight, at);
    return true;
}

static bool map_command(struct map_state *map, const struct view *view, const char *name,
                        const char *argument, const struct panel_host *host)
{
    if (strcmp(name, "zoom") == 0) {
        bool in = strcmp(argument, "in") == 0 || argument[0] == '+';
        if (map->sight.scale > 0)
            zoom(map, view, in ? M_SQRT1_2 : M_SQRT2);
        return true;
    }
    if (strcmp(name, "pan") == 0) {
        static const struct {
            const char *word;
            int x, y;
        } ways[] = {{"left", -1, 0}, {"right", 1, 0}, {"up", 0, -1}, {"down", 0, 1}};
        for (size_t i = 0; i < 4 && map->sight.scale > 0; i++)
            if (strcmp(argument, ways[i].word) == 0) {
                map_sight_move(&map->sight, ways[i].x * fmax(2, map->sight.width / 12.0),
                               ways[i].y * fmax(1, map->sight.height / 12.0));
                map->moved = true;
                map->unfollowed = true;
                return true;
            }
        return false;
    }
    if (strcmp(name, "fit") == 0) {
        map->moved = false;
        if (map->sight.scale > 0)
            map_sight_fit(&map->sight);
        return true;
    }
    if (strcmp(name, "centre") == 0) {
        map->unfollowed = strcmp(argument, "off") == 0  ? true
                          : strcmp(argument, "on") == 0 ? false
                                                        : !map->unfollowed;
        host->toast(host->context, LOG_INFO,
                    map->unfollowed ? "the map stays where it is" : "the map goes with the followed vehicle");
        return true;
    }
    return false;
}

static bool command(void *state, const struct view *view, const char *name, const char *argument,
                    const struct panel_host *host)
{
    struct map_state *map = state;
    if (argument == NULL)
        argument = "";
    bool consumed;
    if (!map->list.shown && strcmp(name, "select") == 0) {
        /* The list's keys move the map while it is a map. */
        name = "pan";
        argument = strcmp(argument, "next") == 0       ? "down"
                   : strcmp(argument, "previous") == 0 ? "up"
                                                       : argument;
    }
    if (strcmp(name, "list") == 0) {
        map->list.shown = !map->list.shown;
        consumed = true;
    } else if (strcmp(name, "goto") == 0) {
        consumed = go_to(map, argument, host);
    } else if (map->list.shown) {
        consumed = strcmp(name, "back") == 0;
        if (consumed)
            map->list.shown = false;
        else
            consumed = map_list_command(&map->list, view, name, argument, host);
    } else {
        consumed = map_command(map, view, name, argument, host);
    }
    map->changes += consumed;
    return consumed;
}

/* The vehicle or incident under the pointer, within a cell and a half. */
static bool pick(const struct map_state *map, const struct view *view, int x, int y,
                 const struct panel_host *host)
{
    const struct city_vehicle *nearest = NULL;
    double least = 1.5 * 1.5;
    for (size_t i = 0; i < view->city->vehicle_count; i++) {
        struct map_cell cell = map_sight_cell(&map->sight, view->city->vehicles[i].at);
        double dx = cell.x - x - 0.5, dy = 2 * (cell.y - y - 0.5), square = dx * dx + dy * dy;
        if (square < least) {
            least = square;
            nearest = &view->city->vehicles[i];
        }
    }
    if (nearest == NULL)
        return false;
    char line[64];
    snprintf(line, sizeof line, "follow \"%s\"", nearest->device_id);
    host->send(host->context, line);
    return true;
}

static bool mouse(void *state, const struct view *view, enum panel_mouse what, int x, int y,
                  const struct panel_host *host)
{
    struct map_state *map = state;
    if (map->list.shown) {
        map->changes++;
        return map_list_mouse(&map->list, view, what, x, y, host);
    }
    if (map->sight.scale <= 0)
        return false;
    switch (what) {
    case MOUSE_WHEEL_UP:
    case MOUSE_WHEEL_DOWN:
        map_sight_zoom(&map->sight, what == MOUSE_WHEEL_UP ? M_SQRT1_2 : M_SQRT2, x + 0.5, y + 0.5);
        map->moved = true;
        break;
    case MOUSE_CLICK:
        map->drag_x = x;
        map->drag_y = y;
        map->drag_at = 1;
        break;
    case MOUSE_DRAG:
        if (map->drag_at != 0 && (x != map->drag_x || y != map->drag_y)) {
            map_sight_move(&map->sight, map->drag_x - x, map->drag_y - y);
            map->moved = true;
            map->unfollowed = true;
        }
        map->drag_x = x;
        map->drag_y = y;
        map->drag_at = 1;
        break;
    case MOUSE_DOUBLE:
        return pick(map, view, x, y, host);
    }
    map->changes++;
    return true;
}

static unsigned scopes_now(const void *state)
{
    return ((const struct map_state *)state)->list.shown ? SCOPE_LIST : SCOPE_MAP;
}

const struct panel_class map_panel = {
    .name = "map",
    .title = "Map",
    .scopes = SCOPE_MAP | SCOPE_LIST,
    .scopes_now = scopes_now,
    .state_size = sizeof(struct map_state),
    .destroy = destroy,
    .generation = generation,
    .draw = draw,
    .note = note,
    .command = command,
    .mouse = mouse,
};
