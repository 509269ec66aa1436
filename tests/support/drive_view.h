/*
 * A view for golden screens of Drive: a morning on both routes, made by hand and not by the simulation, so
 * that the screens test what panels draw of given facts and stay the same while models are deepened. Also
 * views of nothing and of hostile texts.
 */
#ifndef SMARTCITY_TESTS_DRIVE_VIEW_H
#define SMARTCITY_TESTS_DRIVE_VIEW_H

#include "app/view.h"

enum drive_view_kind {
    DRIVE_VIEW_MORNING, /* 250 vehicles, rain at Oxford, fog, two open incidents and a resolved one, a picture
                         */
    DRIVE_VIEW_EMPTY,   /* nothing came yet */
    DRIVE_VIEW_HOSTILE  /* events with hardly a field, and texts that hold escape sequences */
};

struct drive_view {
    struct view view;
    struct city_snapshot *city;
};

struct drive_view *drive_view_create(enum drive_view_kind kind);
void drive_view_destroy(struct drive_view *fixture);
/* Everything moves on by `seconds`, for tests of what a frame costs and of what following does. */
void drive_view_advance(struct drive_view *fixture, double seconds);

#endif
