/*
 * The live model of the city: fed only by decoded events, owned by the ingest thread. Pure: time comes in as
 * arguments.
 *
 * Bounded: at most `max_vehicles` devices are tracked (the one heard least recently is evicted and counted),
 * 512 incidents, 256 stations, 1024 cameras and 8 MB of their pictures. Vehicles not heard of for ten
 * simulated minutes are forgotten, arrived ones after one; resolved incidents after ten.
 *
 * The world's clock is the newest event time. A few records that are hours off (a foreign producer) are shown
 * but do not move it; when all that arrives is off, the simulation was reset, or a journey is played again:
 * the clock follows, and when it goes back, what belonged to the old world is forgotten.
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

/* An event that arrived, with what the codec said of it (NULL: nothing). `record` gives offset, length,
 * times; both are copied as needed. Detects offset gaps per partition. */
void model_apply(struct model *model, const struct event *event, const struct record *record,
                 const struct codec_report *report);
/* A record that could not be read (kind -1 is counted under no topic). */
void model_quarantine(struct model *model, const struct record *record, const char *reason);
/* Time passes though nothing arrives: ages series, forgets what is stale. About once a second; model_snapshot
 * does it too. Nothing changes any more when nothing has arrived for a few seconds. */
void model_tick(struct model *model, int64_t now_us);
uint64_t model_generation(const struct model *model);

/* A new picture with one reference. */
struct city_snapshot *model_snapshot(struct model *model, int64_t now_us);

#endif
