/*
 * Vehicles live in slots of an array that grows up to the limit; a map finds the slot by device. Each slot
 * stands in two chains of indexes: the order first seen, which Tab follows on the screen, and, for driving
 * and for arrived vehicles, the order last heard, whose first is the next to expire or to be evicted. So
 * every step costs the same with ten vehicles and with fifty thousand.
 */
#include "base/err.h"
#include "base/text.h"
#include "city/model_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STALE_MS       (10 * MINUTE_MS)
#define ARRIVED_MS     MINUTE_MS
#define STALE_WALL_US  (5 * SECOND_US) /* at 3600 times real time, ten minutes are a blink */
#define GPS_TAKES_OVER (1 * MINUTE_MS) /* without vehicle_data for so long, gps_data moves the dot */
#define JUMP_UNITS     220000 /* 5 km: no vehicle drives that between two events; its track begins anew */
#define SAMPLE_MS      SECOND_MS

/* ---- chains ------------------------------------------------------------------------------------------- */

static void list_add(struct model *model, struct model_vehicle *vehicle, enum model_list list)
{
    struct model_ends *ends = &model->lists[list];
    int32_t index = (int32_t)(vehicle - model->vehicles);
    vehicle->list = (uint8_t)list;
    vehicle->older = ends->last;
    vehicle->newer = -1;
    if (ends->last >= 0)
        model->vehicles[ends->last].newer = index;
    else
        ends->first = index;
    ends->last = index;
}

static void list_remove(struct model *model, struct model_vehicle *vehicle)
{
    struct model_ends *ends = &model->lists[vehicle->list];
    if (vehicle->older >= 0)
        model->vehicles[vehicle->older].newer = vehicle->newer;
    else
        ends->first = vehicle->newer;
    if (vehicle->newer >= 0)
        model->vehicles[vehicle->newer].older = vehicle->older;
    else
        ends->last = vehicle->older;
}

static void order_add(struct model *model, struct model_vehicle *vehicle)
{
    int32_t index = (int32_t)(vehicle - model->vehicles);
    vehicle->before = model->order.last;
    vehicle->after = -1;
    if (model->order.last >= 0)
        model->vehicles[model->order.last].after = index;
    else
        model->order.first = index;
    model->order.last = index;
}

static void order_remove(struct model *model, struct model_vehicle *vehicle)
{
    if (vehicle->before >= 0)
        model->vehicles[vehicle->before].after = vehicle->after;
    else
        model->order.first = vehicle->after;
    if (vehicle->after >= 0)
        model->vehicles[vehicle->after].before = vehicle->before;
    else
        model->order.last = vehicle->before;
}

/* ---- slots -------------------------------------------------------------------------------------------- */

void model_vehicle_remove(struct model *model, int32_t index)
{
    struct model_vehicle *vehicle = &model->vehicles[index];
    model_road_leave(model, vehicle);
    map_remove(model->vehicle_map, vehicle->dot.device_id, strlen(vehicle->dot.device_id));
    list_remove(model, vehicle);
    order_remove(model, vehicle);
    free(vehicle->track);
    vehicle->track = NULL;
    vehicle->used = false;
    vehicle->after = model->free_vehicle;
    model->free_vehicle = index;
    model->vehicle_count--;
    model->generation++;
}

static bool is_focus(const struct model *model, int32_t index)
{
    return strcmp(model->vehicles[index].dot.device_id, model->focus.device_id) == 0;
}

/* Room for one more: arrived vehicles go first, then the one heard least recently, never the one in focus. */
static void evict(struct model *model)
{
    int32_t index = model->lists[MODEL_ARRIVED].first;
    if (index < 0)
        index = model->lists[MODEL_DRIVING].first;
    if (is_focus(model, index) && model->vehicles[index].newer >= 0)
        index = model->vehicles[index].newer;
    model_vehicle_remove(model, index);
    model->evicted_vehicles++;
}

static int32_t take_slot(struct model *model)
{
    if (model->vehicle_count >= model->max_vehicles)
        evict(model);
    if (model->free_vehicle < 0) {
        size_t slots = model->vehicle_slots ? model->vehicle_slots * 2 : 64;
        if (slots > model->max_vehicles)
            slots = model->max_vehicles;
        model->vehicles = mem_resize(model->vehicles, slots, sizeof *model->vehicles);
        for (size_t i = slots; i-- > model->vehicle_slots;) {
            model->vehicles[i].used = false;
            model->vehicles[i].after = model->free_vehicle;
            model->free_vehicle = (int32_t)i;
        }
        model->vehicle_slots = slots;
    }
    int32_t index = model->free_vehicle;
    model->free_vehicle = model->vehicles[index].after;
    return index;
}

static struct model_vehicle *add(struct model *model, const struct event *event)
{
    int32_t index = take_slot(model);
    struct model_vehicle *vehicle = &model->vehicles[index];
    memset(vehicle, 0, sizeof *vehicle);
    vehicle->used = true;
    vehicle->bin = -1;
    vehicle->dot.route = -1;
    vehicle->vehicle_ms = vehicle->gps_ms = vehicle->vehicle_heard_ms = MODEL_NO_TIME;
    memcpy(vehicle->dot.device_id, event->device_id, sizeof vehicle->dot.device_id);
    map_set(model->vehicle_map, event->device_id, strlen(event->device_id), index);
    list_add(model, vehicle, MODEL_DRIVING);
    order_add(model, vehicle);
    model->vehicle_count++;
    return vehicle;
}

void model_vehicle_expire(struct model *model, int64_t wall_us)
{
    int32_t index;
    while ((index = model->lists[MODEL_DRIVING].first) >= 0) {
        const struct model_vehicle *vehicle = &model->vehicles[index];
        if (model->clock.now - vehicle->heard_ms <= STALE_MS || wall_us - vehicle->heard_us <= STALE_WALL_US)
            break;
        model_vehicle_remove(model, index);
    }
    while ((index = model->lists[MODEL_ARRIVED].first) >= 0) {
        if (model->clock.now - model->vehicles[index].heard_ms <= ARRIVED_MS)
            break;
        model_vehicle_remove(model, index);
    }
}

/* Heard of now: to the end of its list. */
static void hear(struct model *model, struct model_vehicle *vehicle, const struct record *record,
                 enum model_list list)
{
    vehicle->heard_us = record->arrived_us;
    vehicle->heard_ms = model->clock.now;
    list_remove(model, vehicle);
    list_add(model, vehicle, list);
}

/* ---- what events say ---------------------------------------------------------------------------------- */

static uint8_t type_of(const char *word)
{
    static const char *const words[] = {[EVENT_COUNT_CAR] = "car",
                                        [EVENT_COUNT_VAN] = "van",
                                        [EVENT_COUNT_HGV] = "lorry",
                                        [EVENT_COUNT_BUS] = "bus"};
    for (uint8_t i = 0; i < EVENT_COUNT_CLASSES; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    return EVENT_COUNT_CAR;
}

static uint8_t status_of(const struct event *event, float speed)
{
    static const char *const words[] = {"moving", "queueing", "stopped", "brokenDown"};
    if (event_has(event, VEHICLE_STATUS))
        for (uint8_t i = 0; i < (uint8_t)(sizeof words / sizeof *words); i++)
            if (strcmp(event->vehicle.status, words[i]) == 0)
                return i;
    return speed < 1 ? 2 : 0;
}

static float heading_of(double degrees)
{
    double heading = fmod(model_clamp(degrees, -1e6, 1e6), 360);
    return (float)(heading < 0 ? heading + 360 : heading);
}

static void track_sample(struct model *model, struct model_vehicle *vehicle, int64_t time)
{
    struct model_track *track = vehicle->track;
    if (!track) {
        if (vehicle - model->vehicles >= MODEL_TRACKED &&
            !is_focus(model, (int32_t)(vehicle - model->vehicles)))
            return;
        track = vehicle->track = mem_zero(1, sizeof *track);
        track->last_ms = MODEL_NO_TIME;
    }
    if (track->count) {
        const struct geo_vertex *last = &track->at[(track->next + CITY_TRACK - 1) % CITY_TRACK];
        int64_t dx = (int64_t)vehicle->dot.at.x - last->x, dy = (int64_t)vehicle->dot.at.y - last->y;
        if (time < track->last_ms || llabs(dx) > JUMP_UNITS || llabs(dy) > JUMP_UNITS)
            track->count = 0;
        else if (time - track->last_ms < SAMPLE_MS)
            return;
    }
    track->last_ms = time;
    track->at[track->next] = vehicle->dot.at;
    track->speeds[track->next] = vehicle->dot.speed;
    track->next = (track->next + 1) % CITY_TRACK;
    if (track->count < CITY_TRACK)
        track->count++;
}

static void place(struct model_vehicle *vehicle, const struct event_location *location)
{
    vehicle->dot.at =
        geo_project(model_clamp(location->latitude, -85, 85), model_clamp(location->longitude, -180, 180));
    vehicle->placed = true;
}

static void apply_vehicle(struct model *model, struct model_vehicle *vehicle, const struct event *event,
                          const struct record *record)
{
    const struct event_vehicle *said = &event->vehicle;
    struct city_vehicle *dot = &vehicle->dot;
    memcpy(vehicle->vehicle, event, MODEL_VEHICLE_BYTES);
    vehicle->vehicle_ms = event->timestamp;
    vehicle->vehicle_heard_ms = model->clock.now;
    vehicle->vehicle_arrived_us = record->arrived_us;
    dot->timestamp = event->timestamp;
    if (event_has(event, VEHICLE_SPEED))
        dot->speed = (float)model_clamp(said->speed, 0, 2000);
    if (event_has(event, VEHICLE_HEADING))
        dot->heading = heading_of(said->heading);
    if (event_has(event, VEHICLE_SPEED_LIMIT))
        dot->limit = (float)said->speed_limit;
    if (event_has(event, VEHICLE_VEHICLE_TYPE))
        dot->type = type_of(said->vehicle_type);
    dot->status = status_of(event, dot->speed);
    if (event_has(event, VEHICLE_LOCATION)) {
        place(vehicle, &said->location);
        model_road_place(model, vehicle, event);
    } else if (event_has(event, VEHICLE_ROUTE_ID)) {
        model_road_place(model, vehicle, event);
        if (dot->route >= 0) {
            struct geo_position at =
                geo_route_position((enum geo_route)dot->route, (double)dot->chainage_km * 1000);
            place(vehicle, &(struct event_location){at.latitude, at.longitude});
        }
    }
    bool arrived = event_has(event, VEHICLE_STATUS) && strcmp(said->status, "arrived") == 0;
    if (arrived)
        model_road_leave(model, vehicle);
    else if (dot->status != 3 && event_has(event, VEHICLE_SPEED)) /* a breakdown stands beside the traffic */
        model_road_sample(model, vehicle);
    if (vehicle->placed)
        track_sample(model, vehicle, event->timestamp);
    hear(model, vehicle, record, arrived ? MODEL_ARRIVED : MODEL_DRIVING);
}

static void apply_gps(struct model *model, struct model_vehicle *vehicle, const struct event *event,
                      const struct record *record)
{
    const struct event_gps *said = &event->gps;
    memcpy(vehicle->gps, event, MODEL_GPS_BYTES);
    vehicle->gps_ms = event->timestamp;
    vehicle->gps_arrived_us = record->arrived_us;
    bool alone = vehicle->vehicle_heard_ms == MODEL_NO_TIME ||
                 model->clock.now - vehicle->vehicle_heard_ms > GPS_TAKES_OVER;
    if (!alone)
        return;
    vehicle->dot.timestamp = event->timestamp;
    if (event_has(event, GPS_SPEED))
        vehicle->dot.speed = (float)model_clamp(said->speed, 0, 2000);
    if (event_has(event, GPS_HEADING))
        vehicle->dot.heading = heading_of(said->heading);
    if (event_has(event, GPS_VEHICLE_TYPE))
        vehicle->dot.type = type_of(said->vehicle_type);
    vehicle->dot.status = vehicle->dot.speed < 1 ? 2 : 0;
    if (event_has(event, GPS_LOCATION))
        place(vehicle, &said->location);
    if (vehicle->placed)
        track_sample(model, vehicle, event->timestamp);
    hear(model, vehicle, record, MODEL_DRIVING);
}

void model_vehicle_apply(struct model *model, const struct event *event, const struct record *record)
{
    int32_t index = map_get(model->vehicle_map, event->device_id, strlen(event->device_id));
    int64_t previous = MODEL_NO_TIME;
    if (index >= 0)
        previous =
            event->kind == EVENT_GPS ? model->vehicles[index].gps_ms : model->vehicles[index].vehicle_ms;
    uint32_t epoch = model_clock_note(model, event->timestamp, previous, record->arrived_us);
    struct model_vehicle *vehicle =
        index >= 0 && model->vehicles[index].used ? &model->vehicles[index] : add(model, event);
    vehicle->epoch = epoch;
    if (event->kind == EVENT_GPS)
        apply_gps(model, vehicle, event, record);
    else
        apply_vehicle(model, vehicle, event, record);
    model_vehicle_expire(model, record->arrived_us);
}

int32_t model_vehicle_focused(struct model *model)
{
    int32_t index;
    if (model->focus.device_id[0]) {
        index = map_get(model->vehicle_map, model->focus.device_id, strlen(model->focus.device_id));
    } else { /* the first that is on the map */
        index = model->order.first;
        while (index >= 0 && !model->vehicles[index].placed)
            index = model->vehicles[index].after;
    }
    return index >= 0 && model->vehicles[index].placed ? index : -1;
}
