/*
 * A feed: where records become what the screen shows. It decodes, applies to a live model of its own, keeps
 * the tail, and publishes snapshots. One thread feeds (ingest, or replay); focus, snapshot and reset from
 * any.
 */
#ifndef SMARTCITY_APP_FEED_H
#define SMARTCITY_APP_FEED_H

#include "app/tail.h"
#include "city/model.h"

struct feed;

/* on_publish is called on the feeding thread after a new snapshot. */
struct feed *feed_create(size_t max_vehicles, void (*on_publish)(void *context), void *context);
void feed_destroy(struct feed *feed);

/* Takes records in order; event_ms[i] receives the simulated time of each (its Kafka time when it could not
 * be decoded). */
void feed_take(struct feed *feed, const struct record *records, size_t count, int64_t *event_ms);
/* Publishes when the model changed and the last snapshot is old enough; `idle` also lets rates fall to zero.
 * Returns microseconds until it wants to be called again, -1 when nothing is due. */
int64_t feed_publish(struct feed *feed, int64_t now_us, bool idle);
/* The city begins anew with the first record produced at or after `produced_us`; 0: at once. */
void feed_reset(struct feed *feed, int64_t produced_us);

void feed_set_focus(struct feed *feed, const struct model_focus *focus);
void feed_focus(struct feed *feed, struct model_focus *focus);
struct city_snapshot *feed_snapshot(struct feed *feed); /* one reference for the caller */
struct tail *feed_tail(struct feed *feed);

/* Per topic: taken and quarantined, exact, from any thread. */
struct feed_counts {
    uint64_t taken[EVENT_KIND_COUNT], quarantined[EVENT_KIND_COUNT];
    uint64_t foreign; /* records of no topic of ours */
};
void feed_counts(struct feed *feed, struct feed_counts *counts);

#endif
