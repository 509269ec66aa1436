/* What the list of journeys and the facts about one share. Pure. */
#ifndef SMARTCITY_UI_PANELS_JOURNEYS_H
#define SMARTCITY_UI_PANELS_JOURNEYS_H

#include "ui/panels/stream.h"

/* The journey as it is known best: of the one that is being recorded now, the recorder's own figures. */
const struct journey_info *journey_current(const struct view *view, const struct journey_listing *listing);
bool journey_recording(const struct view *view, const struct journey_listing *listing);
bool journey_playing(const struct view *view, const struct journey_listing *listing);

/* "journey-20260112-081432.sqlite" */
const char *journey_file(const struct journey_info *info);
/* What it was named, or its file without suffix. */
char *journey_title(const struct journey_info *info, char out[STREAM_TEXT]);

/* "recording", "clean", "not closed" (whole as far as it was committed), "damaged". */
const char *journey_state(const struct view *view, const struct journey_listing *listing, enum role *role);
/* "00:14:30" between first and last record. */
char *journey_length(const struct journey_info *info, char out[TEXT_FIGURE_SIZE]);

/* Everything about one journey; rows are left out from below when the canvas is low. */
void journey_detail_draw(struct canvas *canvas, const struct view *view,
                         const struct journey_listing *listing);

#endif
