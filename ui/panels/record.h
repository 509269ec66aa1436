/*
 * One record as a tree: where it stands in Kafka, its times and headers, and its value: JSON with the units
 * and the meaning of the field tables, anything else as text and bytes. The value is hostile; nothing of it
 * gets further than a cell of the canvas. Pure but for the tree it fills.
 */
#ifndef SMARTCITY_UI_PANELS_RECORD_H
#define SMARTCITY_UI_PANELS_RECORD_H

#include "ui/panels/stream.h"
#include "ui/tree.h"

/* `brief`: the part before the value is folded, because there is little room. */
void record_fill(struct tree *tree, const struct view *view, const struct view_opened *opened, bool brief);

/* The start of a record in one row: names dim, values plain, without what every record has (id, device,
 * time). Returns the column after it. */
int record_draw_excerpt(struct canvas *canvas, int x, int y, int width, const struct view_tail_row *row);

/* Appends the value as text that can be pasted: as it came when that is harmless, else made harmless. */
void record_text(const struct view_opened *opened, struct buf *out);

#endif
