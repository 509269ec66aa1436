/*
 * What the panels of Lake, Catalogue, Warehouse and Ledger share: states as a mark and a colour, ages that
 * tick in whole seconds, facts with a gauge. Pure; formatting functions write into the caller's array and
 * return it.
 */
#ifndef SMARTCITY_UI_PANELS_LAKE_H
#define SMARTCITY_UI_PANELS_LAKE_H

#include "ui/panels/stream.h"

/* Filled: done or well; half: on its way; ring: open or off; cross: broken. */
uint32_t lake_mark(enum role role);
enum role lake_partition_role(enum lake_partition_state state);
enum role lake_batch_role(enum lake_batch_state state);

/* Whole seconds from `from_us` (wall clock, 0: never) until the view's now; -1 never. For generations, so
 * that an age that is shown is drawn once a second and no more. */
int64_t lake_seconds(const struct view *view, int64_t from_us);
/* "14 s", "2 m"; "–" never. */
char *lake_age(char out[TEXT_FIGURE_SIZE], const struct view *view, int64_t from_us);

/* A label in dim, a gauge of eight cells when there is room, and the text. `fraction` below 0: no gauge. */
void lake_fact(struct canvas *canvas, int y, int label_width, const char *label, double fraction,
               struct style style, const char *text);

/* Why there is nothing to show of the lake, drawn in the middle; false when there is. */
bool lake_absent(struct canvas *canvas, const struct view *view);
/* The same for what needs the cloud only. */
bool lake_no_cloud(struct canvas *canvas, const struct view *view);

#endif
