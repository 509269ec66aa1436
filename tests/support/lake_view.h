/*
 * A view for golden screens of everything past Kafka, made by hand: batches in every state, objects, jobs.
 * Also views of a cloud that starts, of one where everything goes wrong, and of hostile texts.
 */
#ifndef SMARTCITY_TESTS_LAKE_VIEW_H
#define SMARTCITY_TESTS_LAKE_VIEW_H

#include "app/view.h"

enum lake_view_kind {
    LAKE_VIEW_BUSY,
    LAKE_VIEW_EMPTY,   /* the cloud is still starting */
    LAKE_VIEW_TROUBLE, /* S3 away, spool full, fenced, other bytes, small files, paused */
    LAKE_VIEW_HOSTILE, /* escape sequences and figures beyond reason */
    LAKE_VIEW_KINDS
};
extern const char *const lake_view_names[LAKE_VIEW_KINDS]; /* "busy", … */

/* Free with lake_view_destroy. */
struct view *lake_view_create(enum lake_view_kind kind);
void lake_view_destroy(struct view *view);

#endif
