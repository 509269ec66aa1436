/*
 * The vehicles as a table, over the map's place (`m`). The order is kept as indexes and made anew only when
 * the vehicles, the order or the filter changed; the selection is a device id, so it stays where it is while
 * rows move.
 */
#include "ui/panels/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct table_column columns[MAP_COLUMNS] = {
    [MAP_COLUMN_ID] = {"device", 11, 1, false, 0},     [MAP_COLUMN_TYPE] = {"type", 6, 0, false, 3},
    [MAP_COLUMN_ROAD] = {"road", 14, 3, false, 0},     [MAP_COLUMN_MARKER] = {"marker", 9, 0, false, 4},
    [MAP_COLUMN_SPEED] = {"speed", 8, 0, true, 0},     [MAP_COLUMN_LIMIT] = {"limit", 5, 0, true, 5},
    [MAP_COLUMN_STATUS] = {"status", 11, 0, false, 0},
};

static const char *const status_words[] = {"moving", "queueing", "stopped", "broken down"};
static const enum role status_roles[] = {ROLE_GOOD, ROLE_QUEUE, ROLE_WARNING, ROLE_BAD};
static const char *const type_words[] = {"car", "van", "lorry", "bus"};

static const char *status_word(const struct city_vehicle *vehicle)
{
    return vehicle->status < 4 ? status_words[vehicle->status] : "unknown";
}

static const char *type_word(const struct city_vehicle *vehicle)
{
    return vehicle->type < 4 ? type_words[vehicle->type] : "";
}

static char *road_text(const struct city_vehicle *vehicle, char out[DRIVE_TEXT])
{
    if (vehicle->route < 0 || vehicle->route >= GEO_ROUTES) {
        text_copy(out, DRIVE_TEXT, "off the known roads");
        return out;
    }
    return drive_place(geo_route_id((enum geo_route)vehicle->route), "", vehicle->chainage_km, true, out);
}

static int by_key(const struct city_vehicle *a, const struct city_vehicle *b, int column)
{
    switch (column) {
    case MAP_COLUMN_ID:
        return strcmp(a->device_id, b->device_id);
    case MAP_COLUMN_ROAD:
    case MAP_COLUMN_MARKER:
        if (a->route != b->route)
            return (uint8_t)a->route < (uint8_t)b->route ? -1 : 1;
        return (a->chainage_km > b->chainage_km) - (a->chainage_km < b->chainage_km);
    case MAP_COLUMN_TYPE:
        return (a->type > b->type) - (a->type < b->type);
    case MAP_COLUMN_SPEED:
        return (a->speed > b->speed) - (a->speed < b->speed);
    case MAP_COLUMN_LIMIT:
        return (a->limit > b->limit) - (a->limit < b->limit);
    case MAP_COLUMN_STATUS:
        return (a->status > b->status) - (a->status < b->status);
    default:
        return 0;
    }
}

struct sorting {
    const struct city_vehicle *vehicles;
    int column;
    bool falling;
};

static int compare(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int result = by_key(&sorting->vehicles[i], &sorting->vehicles[j], sorting->column);
    if (result == 0)
        result = (i > j) - (i < j);
    return sorting->falling ? -result : result;
}

static bool fits(const struct city_vehicle *vehicle, const char *filter)
{
    char road[DRIVE_TEXT];
    if (filter[0] == '\0')
        return true;
    const char *texts[] = {vehicle->device_id, type_word(vehicle), road_text(vehicle, road),
                           status_word(vehicle)};
    return list_matches(filter, texts, sizeof texts / sizeof texts[0]);
}

/* The chosen vehicle's row; the first one when it has gone or none was chosen. */
static size_t row_of_chosen(const struct map_list *list, const struct city_snapshot *city)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->indexes[i] < city->vehicle_count &&
            strcmp(city->vehicles[list->indexes[i]].device_id, list->chosen) == 0)
            return i;
    return 0;
}

static void arrange(struct map_list *list, const struct view *view, const char *filter)
{
    const struct city_snapshot *city = view->city;
    uint64_t key =
        drive_mix(city->kind_generation[EVENT_VEHICLE] + 1, (uint64_t)list->order * 2 + list->falling);
    key = drive_mix_text(drive_mix(key, city->vehicle_count), filter);
    if (key == list->key)
        return;
    list->key = key;
    if (city->vehicle_count > list->capacity) {
        list->capacity = city->vehicle_count + 256;
        list->indexes = mem_resize(list->indexes, list->capacity, sizeof *list->indexes);
    }
    list->count = 0;
    for (size_t i = 0; i < city->vehicle_count; i++)
        if (fits(&city->vehicles[i], filter))
            list->indexes[list->count++] = (uint32_t)i;
    if (list->order != 0 || list->falling) {
        struct sorting sorting = {city->vehicles, list->order - 1, list->falling};
        qsort_r(list->indexes, list->count, sizeof *list->indexes, compare, &sorting);
    }
    list->list.selected = row_of_chosen(list, city);
}

static const struct city_vehicle *chosen_vehicle(const struct map_list *list,
                                                 const struct city_snapshot *city)
{
    if (list->list.selected >= list->count || list->indexes[list->list.selected] >= city->vehicle_count)
        return NULL;
    return &city->vehicles[list->indexes[list->list.selected]];
}

static void keep_chosen(struct map_list *list, const struct city_snapshot *city)
{
    const struct city_vehicle *vehicle = chosen_vehicle(list, city);
    if (vehicle != NULL)
        text_copy(list->chosen, sizeof list->chosen, vehicle->device_id);
}

static void follow_chosen(const struct map_list *list, const struct city_snapshot *city,
                          const struct panel_host *host)
{
    const struct city_vehicle *vehicle = chosen_vehicle(list, city);
    char line[64];
    if (vehicle == NULL)
        return;
    snprintf(line, sizeof line, "follow \"%s\"", vehicle->device_id);
    host->send(host->context, line);
}

void map_list_destroy(struct map_list *list)
{
    free(list->indexes);
    *list = (struct map_list){0};
}

static void draw_row(const struct table *table, struct canvas *canvas, int y,
                     const struct city_vehicle *vehicle)
{
    char road[DRIVE_TEXT], marker[GEO_MARKER_SIZE] = "", text[32];
    if (vehicle->route >= 0 && vehicle->route < GEO_ROUTES)
        geo_marker((enum geo_route)vehicle->route, vehicle->chainage_km * 1000.0, marker);
    table_put(table, canvas, y, MAP_COLUMN_ID, STYLE(ROLE_TEXT), vehicle->device_id);
    table_put(table, canvas, y, MAP_COLUMN_TYPE, STYLE(ROLE_DIM), type_word(vehicle));
    table_put(table, canvas, y, MAP_COLUMN_ROAD, STYLE(ROLE_TEXT), road_text(vehicle, road));
    table_put(table, canvas, y, MAP_COLUMN_MARKER, STYLE(ROLE_DIM), drive_marker(marker));
    snprintf(text, sizeof text, "%.0f km/h", (double)vehicle->speed);
    table_put(table, canvas, y, MAP_COLUMN_SPEED, STYLE_BOLD(ROLE_TEXT), text);
    if (vehicle->limit > 0) {
        snprintf(text, sizeof text, "%.0f", (double)vehicle->limit);
        table_put(table, canvas, y, MAP_COLUMN_LIMIT, STYLE(ROLE_DIM), text);
    }
    enum role role = vehicle->status < 4 ? status_roles[vehicle->status] : ROLE_DIM;
    table_put(table, canvas, y, MAP_COLUMN_STATUS, STYLE(role), status_word(vehicle));
}

void map_list_draw(struct map_list *list, const struct view *view, struct canvas *canvas,
                   const struct panel_context *context)
{
    const struct city_snapshot *city = view->city;
    const char *filter = context->filter != NULL ? context->filter : "";
    arrange(list, view, filter);
    /* A column for the mark of the followed one at the left, one for the scroll bar at the right. */
    struct canvas inner = canvas_sub(canvas, 2, 0, canvas->width - 4, canvas->height);
    table_fit(&list->table, columns, MAP_COLUMNS, inner.width);
    table_heading(&list->table, &inner, 0, list->order - 1, list->falling);
    if (list->count == 0) {
        canvas_text_fit(&inner, 0, 2, inner.width, STYLE(ROLE_DIM),
                        city->vehicle_count == 0 ? "no vehicle seen yet" : "no vehicle fits the filter");
        return;
    }
    int rows = canvas->height - 1;
    list_fit(&list->list, list->count, rows);
    for (int row = 0; row < rows && list->list.top + (size_t)row < list->count; row++) {
        uint32_t index = list->indexes[list->list.top + (size_t)row];
        if (index >= city->vehicle_count)
            continue;
        draw_row(&list->table, &inner, row + 1, &city->vehicles[index]);
        list_highlight(&inner, 0, row + 1, inner.width, filter);
        if (city->followed.known && city->followed.index == index)
            canvas_put(canvas, 0, row + 1, 0x25C9, STYLE_BOLD(ROLE_FOLLOWED));
        if (list->list.top + (size_t)row == list->list.selected)
            list_mark(&inner, row + 1, context->focused);
    }
    list_scroll_bar(&list->list, canvas, canvas->width - 1, 1, list->count);
}

/* Column 0 is the order in which vehicles were first seen, the others those of the table. */
static void order_by(struct map_list *list, int order)
{
    if (order == list->order)
        list->falling = !list->falling;
    else
        list->falling = false;
    list->order = order;
}

static bool sort_command(struct map_list *list, const char *argument, const struct panel_host *host)
{
    int column = argument[0] != '\0' ? table_column_named(columns, MAP_COLUMNS, argument) : -1;
    if (argument[0] == '\0')
        list->falling = !list->falling;
    else if (column >= 0 || text_equal_fold(argument, "seen"))
        order_by(list, column + 1);
    else
        host->toast(host->context, LOG_WARNING,
                    "sort by device, type, road, marker, speed, limit, status or seen");
    return true;
}

bool map_list_command(struct map_list *list, const struct view *view, const char *name, const char *argument,
                      const struct panel_host *host)
{
    if (strcmp(name, "pan") == 0 || strcmp(name, "select") == 0) {
        /* The map's keys are the list's while it is one; left and right choose what orders. */
        const char *how = strcmp(argument, "up") == 0     ? "previous"
                          : strcmp(argument, "down") == 0 ? "next"
                                                          : argument;
        bool right = strcmp(how, "right") == 0;
        if (right || strcmp(how, "left") == 0) {
            int beside = table_column_beside(&list->table, list->order - 1, right ? 1 : -1);
            if (beside != list->order - 1)
                order_by(list, beside + 1);
            return true;
        }
        if (!list_move(&list->list, list->count, how))
            return false;
        keep_chosen(list, view->city);
        return true;
    }
    if (strcmp(name, "sort") == 0)
        return sort_command(list, argument, host);
    if (strcmp(name, "open") == 0) {
        follow_chosen(list, view->city, host);
        return true;
    }
    const struct city_vehicle *vehicle = chosen_vehicle(list, view->city);
    if (strcmp(name, "copy") == 0 && argument[0] == '\0' && vehicle != NULL) {
        host->copy(host->context, vehicle->device_id);
        return true;
    }
    return false;
}

bool map_list_mouse(struct map_list *list, const struct view *view, enum panel_mouse what, int x, int y,
                    const struct panel_host *host)
{
    switch (what) {
    case MOUSE_WHEEL_UP:
    case MOUSE_WHEEL_DOWN:
        for (int i = 0; i < 3; i++)
            list_move(&list->list, list->count, what == MOUSE_WHEEL_UP ? "previous" : "next");
        break;
    case MOUSE_CLICK:
        if (y == 0) {
            int column = table_column_at(&list->table, x - 2);
            if (column >= 0)
                order_by(list, column + 1);
            return column >= 0;
        }
        if (!list_click(&list->list, list->count, y - 1))
            return false;
        break;
    case MOUSE_DOUBLE:
        if (y == 0 || !list_click(&list->list, list->count, y - 1))
            return false;
        follow_chosen(list, view->city, host);
        break;
    case MOUSE_DRAG:
        return false;
    }
    keep_chosen(list, view->city);
    return true;
}
