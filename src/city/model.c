/*
 * The whole: counts every record, hands events to vehicles, roads and scene, and keeps what could not be
 * read. Where the parts are described: model_clock.c (whose time it is), model_vehicle.c, model_road.c,
 * model_scene.c; the picture for the screen is taken in snapshot.c.
 */
#include "city/model.h"
#include "base/err.h"
#include "base/text.h"
#include "city/model_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LAG_SMOOTHING_US (1.0 * SECOND_US)
#define QUIET_US         (3 * SECOND_US) /* with nothing arriving for so long, the plots stand still */

struct model *model_create(size_t max_vehicles)
{
    struct model *model = mem_zero(1, sizeof *model);
    model->max_vehicles = max_vehicles ? max_vehicles : 1;
    model->clock.now = MODEL_NO_TIME;
    model->vehicle_map = map_create();
    model->free_vehicle = -1;
    model->order = (struct model_ends){-1, -1};
    for (int i = 0; i < MODEL_LISTS; i++)
        model->lists[i] = (struct model_ends){-1, -1};
    model_table_init(&model->incidents, MODEL_MAX_INCIDENTS, sizeof(struct model_incident));
    model_table_init(&model->stations, MODEL_MAX_STATIONS, sizeof(struct model_station));
    model_table_init(&model->cameras, MODEL_MAX_CAMERAS, sizeof(struct model_camera));
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        series_init(&model->topics[kind].events_series, SECOND_US);
        series_init(&model->topics[kind].bytes_series, SECOND_US);
    }
    series_init(&model->latency_series, SECOND_US);
    return model;
}

void model_destroy(struct model *model)
{
    if (!model)
        return;
    model_forget(model, 0);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        free(model->next_offsets[kind]);
    map_destroy(model->vehicle_map);
    model_table_free(&model->incidents);
    model_table_free(&model->stations);
    model_table_free(&model->cameras);
    free(model->vehicles);
    free(model);
}

void model_forget(struct model *model, uint32_t keep)
{
    for (int32_t index = model->order.first, next; index >= 0; index = next) {
        struct model_vehicle *vehicle = &model->vehicles[index];
        next = vehicle->after;
        if (!keep || vehicle->epoch != keep) {
            model_vehicle_remove(model, index);
            continue;
        }
        vehicle->heard_ms = model->clock.now;
        if (vehicle->vehicle_heard_ms != MODEL_NO_TIME)
            vehicle->vehicle_heard_ms = model->clock.now;
    }
    /* What was seen of the traffic is of the old world; who drives where is known from the vehicles. */
    for (int route = 0; route < GEO_ROUTES; route++)
        for (int i = 0; i < CITY_BINS; i++)
            model->bins[route][i] = (struct model_bin){.vehicles = model->bins[route][i].vehicles};
    model_scene_forget(model, keep);
    model->generation++;
}

void model_reset(struct model *model)
{
    model_forget(model, 0);
    model->clock.now = MODEL_NO_TIME;
    model->clock.pending = 0;
    model->clock.agreeing = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        model->kind_generation[kind]++;
}

void model_set_focus(struct model *model, const struct model_focus *focus)
{
    if (memcmp(&model->focus, focus, sizeof *focus) == 0)
        return;
    model->focus = *focus;
    model->focus.device_id[sizeof focus->device_id - 1] = '\0';
    model->focus.camera_id[sizeof focus->camera_id - 1] = '\0';
    model->generation++;
}

uint64_t model_generation(const struct model *model)
{
    return model->generation;
}

/* ---- counting ----------------------------------------------------------------------------------------- */

/* A jump forward is a gap; a step back is a topic that was rewound or made anew. (A compacted topic and the
 * markers of transactions leave gaps too; ours has neither.) */
static void note_offset(struct model *model, const struct record *record)
{
    if (record->offset < 0 || record->partition < 0 || record->partition >= MODEL_PARTITIONS)
        return;
    int64_t **next = &model->next_offsets[record->kind];
    int32_t *count = &model->partitions[record->kind];
    if (record->partition >= *count) {
        int32_t wanted = record->partition + 1;
        *next = mem_resize(*next, (size_t)wanted, sizeof **next);
        while (*count < wanted)
            (*next)[(*count)++] = -1;
    }
    int64_t *expected = &(*next)[record->partition];
    if (*expected >= 0 && record->offset > *expected)
        model->topics[record->kind].gaps += (uint64_t)(record->offset - *expected);
    *expected = record->offset + 1;
}

static void note_latency(struct model *model, const struct record *record)
{
    int64_t produced = record_produced_us(record);
    if (produced < 0)
        return;
    int64_t latency = record->arrived_us > produced ? record->arrived_us - produced : 0;
    int64_t bucket = record->arrived_us / SECOND_US;
    if (bucket != model->latency_bucket) {
        model->latency_bucket = bucket;
        model->latency_sum = 0;
        model->latency_count = 0;
    }
    model->latency_sum += (double)latency / 1000;
    model->latency_count++;
    series_set(&model->latency_series, record->arrived_us, model->latency_sum / model->latency_count);
    /* Smoothed over a second of arrivals, whatever their number. */
    double since = model->arrived_us ? (double)(record->arrived_us - model->arrived_us) : LAG_SMOOTHING_US;
    double weight = model_clamp(since / LAG_SMOOTHING_US, 0.002, 1);
    model->lag_seconds += ((double)latency / SECOND_US - model->lag_seconds) * weight;
}

static void count_arrival(struct model *model, const struct record *record)
{
    model->generation++;
    if ((unsigned)record->kind >= EVENT_KIND_COUNT)
        return;
    struct city_topic *topic = &model->topics[record->kind];
    model->kind_generation[record->kind]++;
    topic->bytes += record->value_length;
    topic->last_arrived_us = record->arrived_us;
    series_add(&topic->events_series, record->arrived_us, 1);
    series_add(&topic->bytes_series, record->arrived_us, (double)record->value_length);
    note_offset(model, record);
    note_latency(model, record);
    if (record->arrived_us > model->arrived_us)
        model->arrived_us = record->arrived_us;
}

static void count_report(struct city_topic *topic, const struct codec_report *report)
{
    topic->unknown_fields += report->unknown;
    topic->missing += report->missing;
    topic->coerced += report->coerced;
    topic->unfit += report->unfit;
    topic->foreign += report->foreign;
}

/* ---- events ------------------------------------------------------------------------------------------- */

void model_apply(struct model *model, const struct event *event, const struct record *record,
                 const struct codec_report *report)
{
    static void (*const apply[EVENT_KIND_COUNT])(struct model *, const struct event *,
                                                 const struct record *) = {
        [EVENT_VEHICLE] = model_vehicle_apply,    [EVENT_GPS] = model_vehicle_apply,
        [EVENT_TRAFFIC] = model_camera_apply,     [EVENT_WEATHER] = model_station_apply,
        [EVENT_EMERGENCY] = model_incident_apply,
    };
    struct record arrived = *record;
    arrived.kind = (int)event->kind;
    count_arrival(model, &arrived);
    model->topics[event->kind].events++;
    if (report)
        count_report(&model->topics[event->kind], report);
    apply[event->kind](model, event, &arrived);
}

void model_quarantine(struct model *model, const struct record *record, const char *reason)
{
    count_arrival(model, record);
    if ((unsigned)record->kind < EVENT_KIND_COUNT)
        model->topics[record->kind].quarantined++;
    struct city_quarantined *kept = &model->quarantine[model->quarantined++ % CITY_QUARANTINE];
    *kept = (struct city_quarantined){.arrived_us = record->arrived_us,
                                      .kind = record->kind,
                                      .partition = record->partition,
                                      .offset = record->offset,
                                      .length = record->value_length};
    text_sanitise(kept->reason, sizeof kept->reason, reason, strlen(reason));
    if (record->value) {
        /* More bytes than fit cannot be shown, and a record may have megabytes. */
        size_t length =
            record->value_length < sizeof kept->excerpt ? record->value_length : sizeof kept->excerpt;
        text_sanitise(kept->excerpt, sizeof kept->excerpt, record->value, length);
    }
}

void model_tick(struct model *model, int64_t now_us)
{
    if (model->clock.now != MODEL_NO_TIME) {
        model_vehicle_expire(model, now_us);
        model_scene_expire(model, now_us);
    }
    if (model->arrived_us == 0 || now_us - model->arrived_us > QUIET_US)
        return;
    int64_t newest = model->latency_series.newest;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct city_topic *topic = &model->topics[kind];
        int64_t before = topic->events_series.newest;
        series_advance(&topic->events_series, now_us);
        series_advance(&topic->bytes_series, now_us);
        model->generation += topic->events_series.newest != before;
    }
    series_advance(&model->latency_series, now_us);
    model->generation += model->latency_series.newest != newest;
}
