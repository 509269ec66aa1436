/*
 * The picture for the screen: one block, laid out as the struct, then vehicles, incidents, stations, cameras
 * and the bytes of one image. Copied once, then immutable; freed with the last reference.
 */
#include "city/snapshot.h"
#include "base/err.h"
#include "city/model_private.h"

#include <stdlib.h>
#include <string.h>

struct city_snapshot *city_snapshot_retain(struct city_snapshot *snapshot)
{
    __atomic_add_fetch(&snapshot->references, 1, __ATOMIC_RELAXED);
    return snapshot;
}

void city_snapshot_release(struct city_snapshot *snapshot)
{
    if (snapshot && __atomic_sub_fetch(&snapshot->references, 1, __ATOMIC_ACQ_REL) == 0)
        free(snapshot);
}

struct city_snapshot *city_snapshot_empty(int64_t now_us)
{
    struct model *model = model_create(1);
    struct city_snapshot *snapshot = model_snapshot(model, now_us);
    model_destroy(model);
    return snapshot;
}

static size_t take(size_t *used, size_t count, size_t size)
{
    size_t at = *used;
    *used += (count * size + 15) / 16 * 16;
    return at;
}

static void copy_vehicles(const struct model *model, struct city_snapshot *snapshot, int32_t focus)
{
    for (int32_t index = model->order.first; index >= 0; index = model->vehicles[index].after) {
        const struct model_vehicle *vehicle = &model->vehicles[index];
        if (!vehicle->placed)
            continue;
        if (index == focus)
            snapshot->followed.index = snapshot->vehicle_count;
        snapshot->vehicles[snapshot->vehicle_count++] = vehicle->dot;
    }
}

static void copy_followed(const struct model_vehicle *vehicle, struct city_snapshot *snapshot)
{
    struct city_followed *followed = &snapshot->followed;
    followed->known = true;
    if (vehicle->vehicle_ms != MODEL_NO_TIME)
        memcpy(&followed->vehicle, vehicle->vehicle, MODEL_VEHICLE_BYTES);
    if (vehicle->gps_ms != MODEL_NO_TIME)
        memcpy(&followed->gps, vehicle->gps, MODEL_GPS_BYTES);
    followed->vehicle_arrived_us = vehicle->vehicle_arrived_us;
    followed->gps_arrived_us = vehicle->gps_arrived_us;
    if (event_has(&followed->gps, GPS_LOCATION))
        followed->gps_at = followed->gps.gps.location;
    const struct model_track *track = vehicle->track;
    if (track) {
        followed->track_count = track->count;
        for (uint32_t i = 0; i < track->count; i++) {
            uint32_t from = (track->next + CITY_TRACK - track->count + i) % CITY_TRACK;
            followed->track[i] = track->at[from];
            followed->speeds[i] = track->speeds[from];
        }
    }
    if (vehicle->dot.route >= 0)
        model_road_ahead(snapshot->bins[vehicle->dot.route], &vehicle->dot, followed);
}

static int compare_incidents(const void *left, const void *right)
{
    const struct city_incident *a = left, *b = right;
    if (a->open != b->open)
        return a->open ? -1 : 1;
    if (a->first_seen_us != b->first_seen_us)
        return a->first_seen_us > b->first_seen_us ? -1 : 1;
    int order = strcmp(a->event.emergency.incident_id, b->event.emergency.incident_id);
    return order ? order : strcmp(a->event.device_id, b->event.device_id);
}

static void copy_scene(const struct model *model, struct city_snapshot *snapshot)
{
    for (size_t i = 0; i < model->incidents.count; i++) {
        const struct model_incident *incident = model_table_at(&model->incidents, i);
        snapshot->incidents[i] = incident->shown;
        snapshot->incidents_open += incident->shown.open;
    }
    if (model->incidents.count)
        qsort(snapshot->incidents, model->incidents.count, sizeof *snapshot->incidents, compare_incidents);
    for (size_t i = 0; i < model->stations.count; i++)
        snapshot->stations[i] = ((const struct model_station *)model_table_at(&model->stations, i))->shown;
    for (size_t i = 0; i < model->cameras.count; i++)
        snapshot->cameras[i] = ((const struct model_camera *)model_table_at(&model->cameras, i))->shown;
    snapshot->incident_count = model->incidents.count;
    snapshot->station_count = model->stations.count;
    snapshot->camera_count = model->cameras.count;
}

static void copy_image(const struct model_camera *camera, struct city_image *image)
{
    image->known = true;
    image->event = camera->event;
    image->arrived_us = camera->arrived_us;
    image->generation = camera->image_generation;
    image->length = camera->image_length;
    if (camera->image_length)
        memcpy(image->bytes, camera->image, camera->image_length);
}

static void copy_quarantine(const struct model *model, struct city_snapshot *snapshot)
{
    snapshot->quarantine_count =
        model->quarantined < CITY_QUARANTINE ? (size_t)model->quarantined : CITY_QUARANTINE;
    for (size_t i = 0; i < snapshot->quarantine_count; i++)
        snapshot->quarantine[i] = model->quarantine[(model->quarantined - 1 - i) % CITY_QUARANTINE];
}

struct city_snapshot *model_snapshot(struct model *model, int64_t now_us)
{
    model_tick(model, now_us);
    int32_t focus = model_vehicle_focused(model);
    const struct model_camera *camera =
        model_camera_focused(model, focus >= 0 ? &model->vehicles[focus].dot.at : NULL);

    size_t used = 0;
    take(&used, 1, sizeof(struct city_snapshot));
    size_t vehicles = take(&used, model->vehicle_count, sizeof(struct city_vehicle));
    size_t incidents = take(&used, model->incidents.count, sizeof(struct city_incident));
    size_t stations = take(&used, model->stations.count, sizeof(struct city_station));
    size_t cameras = take(&used, model->cameras.count, sizeof(struct city_camera));
    size_t image = take(&used, camera ? camera->image_length : 0, 1);
    char *block = mem_alloc(used);
    struct city_snapshot *snapshot = (struct city_snapshot *)block;
    memset(snapshot, 0, sizeof *snapshot);

    snapshot->references = 1;
    snapshot->generation = model->generation;
    memcpy(snapshot->kind_generation, model->kind_generation, sizeof snapshot->kind_generation);
    snapshot->taken_us = now_us;
    snapshot->simulated_ms = model->clock.now == MODEL_NO_TIME ? 0 : model->clock.now;
    snapshot->vehicles = (struct city_vehicle *)(block + vehicles);
    snapshot->incidents = (struct city_incident *)(block + incidents);
    snapshot->stations = (struct city_station *)(block + stations);
    snapshot->cameras = (struct city_camera *)(block + cameras);
    snapshot->image.bytes = (uint8_t *)block + image;

    model_road_bins(model, snapshot->bins);
    copy_vehicles(model, snapshot, focus);
    snapshot->followed.vehicle.kind = EVENT_VEHICLE;
    snapshot->followed.gps.kind = EVENT_GPS;
    snapshot->followed.queue_ahead_km = -1;
    if (focus >= 0)
        copy_followed(&model->vehicles[focus], snapshot);
    copy_scene(model, snapshot);
    if (camera)
        copy_image(camera, &snapshot->image);
    memcpy(snapshot->topics, model->topics, sizeof snapshot->topics);
    snapshot->latency_series = model->latency_series;
    snapshot->lag_seconds = model->lag_seconds;
    snapshot->evicted_vehicles = model->evicted_vehicles;
    snapshot->evicted_others = model->evicted_others;
    snapshot->restarts = model->restarts;
    copy_quarantine(model, snapshot);
    return snapshot;
}
