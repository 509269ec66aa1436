/*
 * A view for golden screens of Stream, Journeys and Log, made by hand: figures that a reader can check, a
 * lag, a quarantine, a tail, recordings in every state. Also views of nothing, of a broker that is away, and
 * of hostile records.
 */
#ifndef SMARTCITY_TESTS_STREAM_VIEW_H
#define SMARTCITY_TESTS_STREAM_VIEW_H

#include "app/view.h"

enum stream_view_kind {
    STREAM_VIEW_BUSY,
    STREAM_VIEW_EMPTY,  /* nothing came yet */
    STREAM_VIEW_DOWN,   /* the broker is away, recording failed */
    STREAM_VIEW_HOSTILE /* escape sequences, invalid UTF-8, ten megabytes, damaged journeys */
};

#define STREAM_VIEW_JOURNEYS 6
#define STREAM_VIEW_LOG      40

struct stream_view {
    struct view view;
    struct city_snapshot *city;
    struct journey_listing journeys[STREAM_VIEW_JOURNEYS];
    struct log_entry log[STREAM_VIEW_LOG];
};

struct stream_view *stream_view_create(enum stream_view_kind kind);
void stream_view_destroy(struct stream_view *fixture);
/* What the session does on `tail open N`, for a row that is in the tail; the value stays the caller's. */
void stream_view_open(struct stream_view *fixture, size_t row, const char *value, size_t length);
/* A journey plays. */
void stream_view_replay(struct stream_view *fixture, bool paused);

/* A whole vehicle_data value, and a traffic_data value with a picture. */
extern const char stream_view_vehicle[], stream_view_traffic[];

#endif
