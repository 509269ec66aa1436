/*
 * The live model of the city: fed only by decoded events, owned by the ingest thread. Bounded: at most
 * `max_vehicles` devices are tracked (least recently heard evicted and counted). Pure: time comes in as
 * arguments.
 */
#ifndef SMARTCITY_CITY_MODEL_H
#define SMARTCITY_CITY_MODEL_H

#include "city/codec.h"
#include "city/record.h"
#include "city/snapshot.h"

struct model;

struct model *model_create(size_t max_vehicles);
void model_destroy(struct model *model);
void model_reset(
    struct model *model); /* forgets the city, keeps the counters: a replay starts, the world is reset */

/* What the operator looks at; empty text: the model chooses (the first vehicle; the camera nearest to it). */
struct model_focus {
    char device_id[EVENT_DEVICE_SIZE];
    char camera_id[24];
};
void model_set_focus(struct model *model, const struct model_focus *focus);

/* An event that arrived. `record` gives offset, length, times; both are copied as needed. Detects offset gaps
 * per partition. */
void model_apply(struct model *model, const struct event *event, const struct record *record,
                 const struct codec_report *report);
/* A record that could not be read (kind -1 is counted under no topic). */
void model_quarantine(struct model *model, const struct record *record, const char *reason);
uint64_t model_generation(const struct model *model);

/* A new picture with one reference. */
struct city_snapshot *model_snapshot(struct model *model, int64_t now_us);

#endif
