/*
 * The vehicles as a table, over the map's place (`m`). The order is kept as indexes and made anew only when
 * the vehicles, the order or the filter changed; the selection is a device id, so it stays where it is while
 * rows move.
 */
#include "ui/panels/map.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const status_words[] = {"moving", "queueing", "stopped", "broken down"};
static const enum role status_roles[] = {ROLE_GOOD, ROLE_QUEUE, ROLE_WARNING, ROLE_BAD};
static const char *const type_words[] = {"car", "van", "lorry", "bus"};

static const char *status_word(const struct city_vehicle *vehicle)
{
    return vehicle->status < 4 ? status_words[vehicle->status] : "unknown";
}

static int by_key(const struct city_vehicle *a, const struct city_vehicle *b, enum map_column order)
{
    switch (order) {
    case MAP_COLUMN_ID:
        return strcmp(a->device_id, b->device_id);
    case MAP_COLUMN_ROAD:
        if (a->route != b->route)
            return (uint8_t)a->route < (uint8_t)b->route ? -1 : 1;
        return (a->chainage_km > b->chainage_km) - (a->chainage_km < b->chainage_km);
    case MAP_COLUMN_SPEED:
        return (a->speed > b->speed) - (a->speed < b->speed);
    case MAP_COLUMN_STATUS:
        return (a->status > b->status) - (a->status < b->status);
    case MAP_COLUMN_SEEN:
    case MAP_COLUMNS:
        break;
    }
    return 0;
}

struct sorting {
    const struct city_vehicle *vehicles;
    enum map_column order;
    bool reversed;
};

static int compare(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int result = by_key(&sorting->vehicles[i], &sorting->vehicles[j], sorting->order);
    if (result == 0)
        result = (i > j) - (i < j);
    return sorting->reversed ? -result : result;
}

static void arrange(struct map_list *list, const struct view *view, const char *filter)
{
    const struct city_snapshot *city = view->city;
    uint64_t key =
        drive_mix(city->kind_generation[EVENT_VEHICLE] + 1, (uint64_t)list->order * 2 + list->reversed);
    key = drive_mix_text(drive_mix(key, city->vehicle_count), filter);
    if (key == list->key)
        return;
    list->key = key;
    if (city->vehicle_count > list->capacity) {
        list->capacity = city->vehicle_count + 256;
        list->indexes = mem_resize(list->indexes, list->capacity, sizeof *list->indexes);
    }
    list->count = 0;
    for (size_t i = 0; i < city->vehicle_count; i++) {
        const struct city_vehicle *vehicle = &city->vehicles[i];
        if (filter[0] == '\0' || text_find_fold(vehicle->device_id, filter) != NULL ||
            text_find_fold(status_word(vehicle), filter) != NULL)
            list->indexes[list->count++] = (uint32_t)i;
    }
    if (list->order != MAP_COLUMN_SEEN || list->reversed) {
        struct sorting sorting = {city->vehicles, list->order, list->reversed};
        qsort_r(list->indexes, list->count, sizeof *list->indexes, compare, &sorting);
    }
}

/* Where the selected vehicle is in the list; the first one when it has gone or none was chosen. */
static size_t selected_row(const struct map_list *list, const struct city_snapshot *city)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->indexes[i] < city->vehicle_count &&
            strcmp(city->vehicles[list->indexes[i]].device_id, list->selected) == 0)
            return i;
    return 0;
}

static void select_row(struct map_list *list, const struct city_snapshot *city, size_t row)
{
    if (row < list->count && list->indexes[row] < city->vehicle_count)
        text_copy(list->selected, sizeof list->selected, city->vehicles[list->indexes[row]].device_id);
}

static void follow_selected(const struct map_list *list, const struct panel_host *host)
{
    if (list->selected[0] == '\0')
        return;
    char line[64];
    snprintf(line, sizeof line, "follow \"%s\"", list->selected);
    host->send(host->context, line);
}

void map_list_destroy(struct map_list *list)
{
    free(list->indexes);
    *list = (struct map_list){0};
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

struct columns {
    int id, type, road, marker, limit, status;
    int speed; /* right edge */
};

static struct columns columns_for(int width)
{
    struct columns columns = {.id = 2, .type = -1, .road = 13, .marker = -1, .limit = -1};
    if (width >= 76) {
        columns.type = 15;
        columns.road = 22;
        columns.marker = 42;
        columns.speed = 64;
        columns.limit = width >= 90 ? 74 : -1;
        columns.status = width >= 90 ? 77 : 67;
    } else {
        columns.speed = width >= 46 ? 36 : 30;
        columns.status = columns.speed + 2;
    }
    return columns;
}

static void draw_row(struct canvas *canvas, int y, const struct columns *at,
                     const struct city_vehicle *vehicle, bool followed)
{
    char between[GEO_BETWEEN_SIZE] = "off the known roads", road[DRIVE_TEXT], marker[GEO_MARKER_SIZE] = "";
    if (vehicle->route >= 0 && vehicle->route < GEO_ROUTES) {
        enum geo_route route = (enum geo_route)vehicle->route;
        double metres = vehicle->chainage_km * 1000.0;
        geo_between(route, metres, between);
        snprintf(road, sizeof road, "%s %s %s", geo_route_section_at(route, metres)->road, between,
                 drive_bound(route));
        geo_marker(route, metres, marker);
    } else {
        text_copy(road, sizeof road, between);
    }
    canvas_put(canvas, 0, y, followed ? 0x25C9 : ' ', STYLE_BOLD(ROLE_FOLLOWED));
    int next = at->type >= 0 ? at->type : at->road;
    canvas_text_fit(canvas, at->id, y, next - at->id - 1, STYLE(ROLE_TEXT), vehicle->device_id);
    if (at->type >= 0)
        canvas_text(canvas, at->type, y, STYLE(ROLE_DIM), vehicle->type < 4 ? type_words[vehicle->type] : "");
    int end = at->marker >= 0 ? at->marker : at->speed - 9;
    canvas_text_fit(canvas, at->road, y, end - at->road - 1, STYLE(ROLE_TEXT), road);
    if (at->marker >= 0)
        canvas_text_fit(canvas, at->marker, y, 13, STYLE(ROLE_DIM), drive_marker(marker));
    char text[32];
    snprintf(text, sizeof text, "%.0f km/h", (double)vehicle->speed);
    canvas_text_right(canvas, at->speed, y, STYLE_BOLD(ROLE_TEXT), text);
    if (at->limit >= 0 && vehicle->limit > 0) {
        snprintf(text, sizeof text, "of %.0f", (double)vehicle->limit);
        canvas_text_right(canvas, at->limit, y, STYLE(ROLE_DIM), text);
    }
    enum role role = vehicle->status < 4 ? status_roles[vehicle->status] : ROLE_DIM;
    canvas_text_fit(canvas, at->status, y, canvas->width - at->status, STYLE(role), status_word(vehicle));
}

void map_list_draw(struct map_list *list, const struct view *view, struct canvas *canvas,
                   const struct panel_context *context)
{
    const struct city_snapshot *city = view->city;
    arrange(list, view, context->filter != NULL ? context->filter : "");
    struct columns at = columns_for(canvas->width);
    struct {
        int x;
        enum map_column column;
        const char *word;
    } heads[] = {{at.id, MAP_COLUMN_ID, "device"},
                 {at.road, MAP_COLUMN_ROAD, "road"},
                 {at.speed - 5, MAP_COLUMN_SPEED, "speed"},
                 {at.status, MAP_COLUMN_STATUS, "status"}};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        bool chosen = heads[i].column == list->order;
        int x = canvas_text(canvas, heads[i].x, 0, chosen ? STYLE_BOLD(ROLE_TITLE) : STYLE(ROLE_DIM),
                            heads[i].word);
        if (chosen)
            canvas_put(canvas, x, 0, list->reversed ? 0x25BC : 0x25B4, STYLE(ROLE_TITLE));
    }
    if (at.marker >= 0)
        canvas_text(canvas, at.marker, 0, STYLE(ROLE_DIM), "marker");
    list->rows = canvas->height - 1;
    if (list->count == 0) {
        canvas_text_fit(canvas, 2, 2, canvas->width - 2, STYLE(ROLE_DIM),
                        city->vehicle_count == 0 ? "no vehicle seen yet" : "no vehicle fits the filter");
        return;
    }
    size_t selected = selected_row(list, city);
    size_t rows = list->rows > 0 ? (size_t)list->rows : 0;
    if (selected < list->top)
        list->top = selected;
    else if (rows > 0 && selected >= list->top + rows)
        list->top = selected - rows + 1;
    if (list->top + rows > list->count)
        list->top = list->count > rows ? list->count - rows : 0;
    for (size_t row = 0; row < rows && list->top + row < list->count; row++) {
        uint32_t index = list->indexes[list->top + row];
        if (index >= city->vehicle_count)
            continue;
        int y = (int)row + 1;
        bool followed = city->followed.known && city->followed.index == index;
        draw_row(canvas, y, &at, &city->vehicles[index], followed);
        if (list->top + row == selected)
            for (int x = 0; x < canvas->width; x++) {
                struct style style = canvas_at(canvas, x, y)->style;
                style.attributes |= ATTR_REVERSE;
                canvas_restyle(canvas, x, y, 1, style);
            }
    }
}

/* ---- commands ---------------------------------------------------------------------------------------- */

static bool move(struct map_list *list, const struct city_snapshot *city, long by)
{
    size_t row = selected_row(list, city);
    if (by < 0)
        row = (size_t)-by > row ? 0 : row - (size_t)-by;
    else
        row = list->count == 0 ? 0 : row + (size_t)by >= list->count ? list->count - 1 : row + (size_t)by;
    select_row(list, city, row);
    return true;
}

bool map_list_command(struct map_list *list, const struct view *view, const char *name, const char *argument,
                      const struct panel_host *host)
{
    long page = list->rows > 1 ? list->rows - 1 : 1;
    if (argument == NULL)
        argument = "";
    if (strcmp(name, "pan") == 0 || strcmp(name, "select") == 0) {
        if (strcmp(argument, "up") == 0 || strcmp(argument, "previous") == 0)
            return move(list, view->city, -1);
        if (strcmp(argument, "down") == 0 || strcmp(argument, "next") == 0)
            return move(list, view->city, 1);
        if (strcmp(argument, "page-up") == 0)
            return move(list, view->city, -page);
        if (strcmp(argument, "page-down") == 0)
            return move(list, view->city, page);
        if (strcmp(argument, "first") == 0)
            return move(list, view->city, -(long)list->count);
        if (strcmp(argument, "last") == 0)
            return move(list, view->city, (long)list->count);
        /* Left and right choose the column that orders. */
        int step = strcmp(argument, "left") == 0 ? MAP_COLUMNS - 1 : strcmp(argument, "right") == 0 ? 1 : 0;
        list->order = (enum map_column)(((int)list->order + step) % MAP_COLUMNS);
        return step != 0;
    }
    if (strcmp(name, "sort") == 0) {
        static const char *const words[MAP_COLUMNS] = {"seen", "device", "road", "speed", "status"};
        for (int i = 0; i < MAP_COLUMNS; i++)
            if (text_equal_fold(argument, words[i])) {
                list->reversed = (int)list->order == i && !list->reversed;
                list->order = (enum map_column)i;
                return true;
            }
        list->reversed = !list->reversed;
        return true;
    }
    if (strcmp(name, "open") == 0) {
        if (list->selected[0] == '\0')
            select_row(list, view->city, 0);
        follow_selected(list, host);
        return true;
    }
    if (strcmp(name, "copy") == 0 && list->selected[0] != '\0') {
        host->copy(host->context, list->selected);
        return true;
    }
    return false;
}

bool map_list_mouse(struct map_list *list, const struct view *view, enum panel_mouse what, int x, int y,
                    const struct panel_host *host)
{
    switch (what) {
    case MOUSE_WHEEL_UP:
        return move(list, view->city, -3);
    case MOUSE_WHEEL_DOWN:
        return move(list, view->city, 3);
    case MOUSE_CLICK:
    case MOUSE_DOUBLE:
        if (y < 1)
            return false;
        select_row(list, view->city, list->top + (size_t)y - 1);
        if (what == MOUSE_DOUBLE)
            follow_selected(list, host);
        return true;
    case MOUSE_DRAG:
        break;
    }
    return false;
}
