/*
 * What the panels of the Drive screen share: words and figures for places, ages and severities, and the
 * number that tells whether a drawing would differ. Pure; formatting functions write into the caller's array
 * and return it.
 */
#ifndef SMARTCITY_UI_PANELS_DRIVE_H
#define SMARTCITY_UI_PANELS_DRIVE_H

#include "app/view.h"
#include "base/text.h"
#include "city/schema.h"
#include "ui/canvas.h"

#define DRIVE_TEXT 96

/* Mixes a value (or a text) into a panel's generation number. */
uint64_t drive_mix(uint64_t hash, uint64_t value);
uint64_t drive_mix_text(uint64_t hash, const char *text);

/* Nothing new is meant to arrive: simulation or replay stands. Ages stand still then, so that nothing is
 * drawn. */
bool drive_still(const struct view *view);
/* The wall clock that ages are counted from. */
int64_t drive_now(const struct view *view);
/* "0.2 s", or "–" when it never arrived (0). */
char *drive_age(const struct view *view, int64_t arrived_us, char out[TEXT_FIGURE_SIZE]);
/* Any record at all, of any topic. */
bool drive_has_events(const struct view *view);

/* "08:02" of a simulated time, UTC; "–" when 0. */
char *drive_clock(int64_t milliseconds, char out[TEXT_FIGURE_SIZE]);
/* "850 m", "1.6 km", "12 km". */
char *drive_distance(double metres, char out[TEXT_FIGURE_SIZE]);
/* "9 min", "1 h 12 min", "40 s". */
char *drive_minutes(double seconds, char out[TEXT_FIGURE_SIZE]);

/* "NB", "SB" or "" for what is on no route. */
const char *drive_bound(int route);
/* "M40 J9–J10 NB", "A40 Westway NB", or what of it is known; "place unknown" when nothing is. Chainage in km.
 */
char *drive_place(const char *route_id, const char *road, double chainage_km, bool with_bound,
                  char out[DRIVE_TEXT]);
/* "A 62/9": a marker post without its road. */
const char *drive_marker(const char *marker);

/* Lower-case words of a camelCase vocabulary: "brokenDown" is "broken down". */
char *drive_words(const char *word, char out[DRIVE_TEXT]);

/* 0 resolved, 1 open and unrated, 2 minor … 5 extreme. */
int drive_urgency(const struct city_incident *incident);
enum role drive_severity_role(const struct event *emergency);

/* Weather worth a mark: what falls or hides the road, in words with its figure ("rain 3.1 mm/h"); false when
 * dry and clear. *role and *weight (0 to 1, how heavy) may be NULL. */
bool drive_weather_words(const struct event *weather, char out[DRIVE_TEXT], enum role *role, double *weight);
/* "SW" for where the wind comes from. */
const char *drive_compass(double degrees);

/* The canvas without its outermost columns, for text that should not touch the frame. */
struct canvas drive_padded(const struct canvas *canvas);
/* Label at the left in dim, value after it. Returns the column after the value. */
int drive_fact(struct canvas *canvas, int y, int label_width, const char *label, struct style style,
               const char *value);

#endif
