/*
 * What stands or happens beside the traffic: incidents with their life, weather stations, cameras and their
 * last pictures. All three are bounded tables; one that is full gives up its stalest entry and counts it.
 */
#include "base/err.h"
#include "base/text.h"
#include "city/model_private.h"

#include <stdlib.h>
#include <string.h>

#define RESOLVED_MS     (10 * MINUTE_MS)
#define RESOLVED_US     (5 * SECOND_US) /* however fast time goes, the operator sees that it ended */
#define OPEN_MS         (12 * HOUR_MS)  /* an incident whose end was lost */
#define STATION_REACH_M 40000

/* ---- tables ------------------------------------------------------------------------------------------- */

void model_table_init(struct model_table *table, size_t limit, size_t entry_size)
{
    *table = (struct model_table){.map = map_create(), .limit = limit, .entry_size = entry_size};
}

void model_table_free(struct model_table *table)
{
    map_destroy(table->map);
    free(table->entries);
    *table = (struct model_table){0};
}

void *model_table_at(const struct model_table *table, size_t index)
{
    return table->entries + index * table->entry_size;
}

void *model_table_find(const struct model_table *table, const char *key)
{
    int32_t index = map_get(table->map, key, strlen(key));
    return index >= 0 ? model_table_at(table, (size_t)index) : NULL;
}

void *model_table_add(struct model_table *table, const char *key)
{
    if (table->count == table->capacity) {
        table->capacity = table->capacity ? table->capacity * 2 : 16;
        table->entries = mem_resize(table->entries, table->capacity, table->entry_size);
    }
    map_set(table->map, key, strlen(key), (int32_t)table->count);
    void *entry = model_table_at(table, table->count++);
    memset(entry, 0, table->entry_size);
    text_copy(entry, EVENT_DEVICE_SIZE, key);
    return entry;
}

void model_table_remove(struct model_table *table, size_t index)
{
    char *entry = model_table_at(table, index);
    map_remove(table->map, entry, strlen(entry));
    const char *last = model_table_at(table, --table->count);
    if (last != entry) {
        memcpy(entry, last, table->entry_size);
        map_set(table->map, entry, strlen(entry), (int32_t)index);
    }
}

static struct geo_vertex project(const struct event_location *location)
{
    return geo_project(model_clamp(location->latitude, -85, 85), model_clamp(location->longitude, -180, 180));
}

/* ---- incidents ---------------------------------------------------------------------------------------- */

/* What the new record does not say stays as it was: an outside `{"incidentId":…,"status":"Resolved"}` is
 * enough. */
static void merge(struct event *event, const struct event *old)
{
    const struct schema *schema = schema_get(event->kind);
    for (uint64_t left = old->present & ~event->present; left; left &= left - 1) {
        int i = __builtin_ctzll(left);
        const struct field *field = &schema->fields[i];
        memcpy(event_field(event, field), event_field_const(old, field), field->size);
        event_set(event, i);
    }
}

static struct geo_vertex place_incident(const struct event *event)
{
    const struct event_emergency *said = &event->emergency;
    int route = event_has(event, EMERGENCY_ROUTE_ID) ? geo_route_from_id(said->route_id) : -1;
    if (event_has(event, EMERGENCY_LOCATION))
        return project(&said->location);
    if (route < 0 || !event_has(event, EMERGENCY_CHAINAGE))
        return (struct geo_vertex){0, 0};
    double length = geo_route_length((enum geo_route)route);
    struct geo_position at =
        geo_route_position((enum geo_route)route, model_clamp(said->chainage * 1000, 0, length));
    return geo_project(at.latitude, at.longitude);
}

/* The resolved one heard of longest ago, else the open one. */
static void evict_incident(struct model *model)
{
    size_t stalest = 0;
    for (size_t i = 1; i < model->incidents.count; i++) {
        const struct model_incident *a = model_table_at(&model->incidents, i);
        const struct model_incident *b = model_table_at(&model->incidents, stalest);
        if (a->shown.open != b->shown.open ? !a->shown.open : a->heard_ms < b->heard_ms)
            stalest = i;
    }
    model_table_remove(&model->incidents, stalest);
    model->evicted_others++;
}

void model_incident_apply(struct model *model, const struct event *event, const struct record *record)
{
    const char *key = event_has(event, EMERGENCY_INCIDENT_ID) && event->emergency.incident_id[0]
                          ? event->emergency.incident_id
                          : event->device_id;
    const struct model_incident *known = model_table_find(&model->incidents, key);
    int64_t previous = known ? known->shown.event.timestamp : MODEL_NO_TIME;
    uint32_t epoch = model_clock_note(model, event->timestamp, previous, record->arrived_us);
    /* Some producers send "no incident" as an incident of type None. */
    if (event_has(event, EMERGENCY_TYPE) && text_equal_fold(event->emergency.type, "None"))
        return;

    struct model_incident *incident = model_table_find(&model->incidents, key);
    if (!incident) {
        if (model->incidents.count == model->incidents.limit)
            evict_incident(model);
        incident = model_table_add(&model->incidents, key);
        incident->shown.event = *event;
        incident->shown.first_seen_us = record->arrived_us;
    } else {
        const struct event *old = &incident->shown.event;
        bool older = epoch == incident->epoch && event_has(event, EMERGENCY_SEQUENCE) &&
                     event_has(old, EMERGENCY_SEQUENCE) &&
                     event->emergency.sequence < old->emergency.sequence;
        if (older) /* redelivered */
            return;
        struct event merged = *event;
        if (epoch == incident->epoch)
            merge(&merged, old);
        incident->shown.event = merged;
    }
    incident->epoch = epoch;
    incident->heard_ms = model->clock.now;
    incident->shown.updated_us = record->arrived_us;
    incident->shown.open = !text_equal_fold(incident->shown.event.emergency.status, "Resolved");
    incident->shown.at = place_incident(&incident->shown.event);
}

/* ---- stations ----------------------------------------------------------------------------------------- */

void model_station_apply(struct model *model, const struct event *event, const struct record *record)
{
    const char *key = event_has(event, WEATHER_STATION_ID) && event->weather.station_id[0]
                          ? event->weather.station_id
                          : event->device_id;
    const struct model_station *known = model_table_find(&model->stations, key);
    int64_t previous = known ? known->shown.event.timestamp : MODEL_NO_TIME;
    uint32_t epoch = model_clock_note(model, event->timestamp, previous, record->arrived_us);
    struct model_station *station = model_table_find(&model->stations, key);
    bool moved = !station;
    if (!station) {
        if (model->stations.count == model->stations.limit) { /* the one heard of longest ago */
            size_t stalest = 0;
            for (size_t i = 1; i < model->stations.count; i++)
                if (((struct model_station *)model_table_at(&model->stations, i))->shown.arrived_us <
                    ((struct model_station *)model_table_at(&model->stations, stalest))->shown.arrived_us)
                    stalest = i;
            model_table_remove(&model->stations, stalest);
            model->evicted_others++;
        }
        station = model_table_add(&model->stations, key);
    } else if (event_has(event, WEATHER_LOCATION)) {
        const struct event_location *before = &station->shown.event.weather.location;
        moved = before->latitude != event->weather.location.latitude ||
                before->longitude != event->weather.location.longitude;
    }
    struct event_location at =
        event_has(event, WEATHER_LOCATION) ? event->weather.location : station->shown.event.weather.location;
    bool placed = event_has(event, WEATHER_LOCATION) || event_has(&station->shown.event, WEATHER_LOCATION);
    station->shown.event = *event;
    if (placed) { /* a station stays where it was when a report does not say */
        station->shown.event.weather.location = at;
        event_set(&station->shown.event, WEATHER_LOCATION);
    }
    station->epoch = epoch;
    station->shown.arrived_us = record->arrived_us;
    if (!moved)
        return;
    station->shown.at = placed ? project(&at) : (struct geo_vertex){0, 0};
    for (int route = 0; route < GEO_ROUTES; route++) {
        double distance = 2 * STATION_REACH_M;
        double chainage =
            placed ? geo_route_nearest((enum geo_route)route, at.latitude, at.longitude, &distance) : 0;
        station->shown.chainage_km[route] = distance <= STATION_REACH_M ? chainage / 1000 : -1;
    }
}

/* ---- cameras ------------------------------------------------------------------------------------------ */

static void drop_image(struct model *model, struct model_camera *camera)
{
    model->image_bytes -= camera->image_length;
    free(camera->image);
    camera->image = NULL;
    camera->image_length = 0;
    camera->shown.has_image = false;
}

static void remove_camera(struct model *model, size_t index)
{
    drop_image(model, model_table_at(&model->cameras, index));
    model_table_remove(&model->cameras, index);
}

/* Keeps the picture; older ones of other cameras make room. False when it cannot be read. */
static bool keep_image(struct model *model, struct model_camera *camera, const struct event_blob *blob)
{
    size_t room = codec_blob_max(blob);
    if (room == 0 || room > MODEL_MAX_IMAGE / 3 * 4)
        return false;
    uint8_t *image = mem_alloc(room);
    long length = codec_blob_bytes(blob, image, room);
    if (length <= 0) {
        free(image);
        return false;
    }
    drop_image(model, camera);
    camera->image = mem_resize(image, (size_t)length, 1);
    camera->image_length = (size_t)length;
    camera->image_generation = ++model->image_generation;
    camera->shown.has_image = true;
    model->image_bytes += camera->image_length;
    while (model->image_bytes > MODEL_MAX_IMAGES) {
        struct model_camera *oldest = NULL;
        for (size_t i = 0; i < model->cameras.count; i++) {
            struct model_camera *other = model_table_at(&model->cameras, i);
            if (other != camera && other->image && strcmp(other->key, model->focus.camera_id) != 0 &&
                (!oldest || other->image_generation < oldest->image_generation))
                oldest = other;
        }
        if (!oldest)
            break;
        drop_image(model, oldest);
    }
    return true;
}

void model_camera_apply(struct model *model, const struct event *event, const struct record *record)
{
    const struct event_traffic *said = &event->traffic;
    const char *key =
        event_has(event, TRAFFIC_CAMERA_ID) && said->camera_id[0] ? said->camera_id : event->device_id;
    const struct model_camera *known = model_table_find(&model->cameras, key);
    int64_t previous = known ? known->shown.timestamp : MODEL_NO_TIME;
    uint32_t epoch = model_clock_note(model, event->timestamp, previous, record->arrived_us);
    struct model_camera *camera = model_table_find(&model->cameras, key);
    if (!camera) {
        if (model->cameras.count == model->cameras.limit) {
            size_t stalest = 0;
            for (size_t i = 1; i < model->cameras.count; i++)
                if (((struct model_camera *)model_table_at(&model->cameras, i))->arrived_us <
                    ((struct model_camera *)model_table_at(&model->cameras, stalest))->arrived_us)
                    stalest = i;
            remove_camera(model, stalest);
            model->evicted_others++;
        }
        camera = model_table_add(&model->cameras, key);
        text_copy(camera->shown.camera_id, sizeof camera->shown.camera_id, key);
    }
    struct city_camera *shown = &camera->shown;
    camera->epoch = epoch;
    camera->arrived_us = record->arrived_us;
    camera->event = *event;
    camera->event.traffic.snapshot = (struct event_blob){NULL, 0};
    camera->event.present &= ~(UINT64_C(1) << TRAFFIC_SNAPSHOT);
    shown->timestamp = event->timestamp;
    if (event_has(event, TRAFFIC_LOCATION))
        shown->at = project(&said->location);
    memcpy(shown->road, said->road, sizeof shown->road);
    memcpy(shown->marker, said->marker, sizeof shown->marker);
    memcpy(shown->carriageway, said->carriageway, sizeof shown->carriageway);
    shown->intensity = (float)model_clamp(said->intensity, 0, 1e6);
    shown->speed = (float)model_clamp(said->average_vehicle_speed, 0, 2000);
    shown->occupancy = (float)model_clamp(said->occupancy, 0, 1);
    shown->congested = said->congested;
    if (event_has(event, TRAFFIC_SNAPSHOT) && !keep_image(model, camera, &said->snapshot))
        model->topics[EVENT_TRAFFIC].unfit++;
}

const struct model_camera *model_camera_focused(const struct model *model, const struct geo_vertex *at)
{
    if (model->focus.camera_id[0])
        return model_table_find(&model->cameras, model->focus.camera_id);
    const struct model_camera *best = NULL;
    double nearest = 0;
    for (size_t i = 0; i < model->cameras.count; i++) {
        const struct model_camera *camera = model_table_at(&model->cameras, i);
        double dx = at ? (double)camera->shown.at.x - at->x : 0,
               dy = at ? (double)camera->shown.at.y - at->y : 0;
        double distance = dx * dx + dy * dy;
        if (!best || (camera->shown.has_image && !best->shown.has_image) ||
            (camera->shown.has_image == best->shown.has_image && distance < nearest)) {
            best = camera;
            nearest = distance;
        }
    }
    return best;
}

/* ---- age ---------------------------------------------------------------------------------------------- */

void model_scene_expire(struct model *model, int64_t wall_us)
{
    for (size_t i = model->incidents.count; i-- > 0;) {
        const struct model_incident *incident = model_table_at(&model->incidents, i);
        int64_t age = model->clock.now - incident->heard_ms;
        bool over = incident->shown.open
                        ? age > OPEN_MS
                        : age > RESOLVED_MS && wall_us - incident->shown.updated_us > RESOLVED_US;
        if (over) {
            model_table_remove(&model->incidents, i);
            model->generation++;
        }
    }
}

void model_scene_forget(struct model *model, uint32_t keep)
{
    for (size_t i = model->incidents.count; i-- > 0;) {
        struct model_incident *incident = model_table_at(&model->incidents, i);
        if (keep && incident->epoch == keep)
            incident->heard_ms = model->clock.now;
        else
            model_table_remove(&model->incidents, i);
    }
    for (size_t i = model->stations.count; i-- > 0;)
        if (!keep || ((struct model_station *)model_table_at(&model->stations, i))->epoch != keep)
            model_table_remove(&model->stations, i);
    for (size_t i = model->cameras.count; i-- > 0;)
        if (!keep || ((struct model_camera *)model_table_at(&model->cameras, i))->epoch != keep)
            remove_camera(model, i);
}
