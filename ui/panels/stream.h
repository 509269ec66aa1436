/*
 * What the panels of Stream, Journeys and Log share: words, figures and times as these screens write them,
 * and the outside command that does the same. Pure; formatting functions write into the caller's array and
 * return it.
 */
#ifndef SMARTCITY_UI_PANELS_STREAM_H
#define SMARTCITY_UI_PANELS_STREAM_H

#include "app/view.h"
#include "base/text.h"
#include "ui/panel.h"

#define STREAM_TEXT    128
#define STREAM_COMMAND 256

/* Mixes into a panel's generation. */
uint64_t stream_mix(uint64_t hash, uint64_t value);
uint64_t stream_mix_bytes(uint64_t hash, const void *bytes, size_t length);

/* "vehicle", or "other" for a topic that is not ours; its colour; its topic. */
const char *stream_word(int kind);
enum role stream_role(int kind);
const char *stream_topic(int kind);

/* The closed buckets, oldest first, into values[SERIES_BUCKETS]; returns how many are known. */
size_t stream_series(const struct series *series, float *values);
/* How many buckets a plot shows of so many known ones: one, two or four minutes. */
size_t stream_window(size_t known);
/* Mean a second of the last `seconds` buckets. */
double stream_rate(const float *values, size_t count, size_t seconds);

/* What comes from outside may be any number: to - from, and milliseconds as microseconds, held at the ends.
 */
int64_t stream_span(int64_t from, int64_t to);
int64_t stream_us(int64_t milliseconds);

/* "–": not known, or not there. */
char *stream_none(char out[TEXT_FIGURE_SIZE]);
/* "08:14:32.118" and "2026-01-12 08:14:32" of wall or simulated time, UTC; "–" for 0 and less. */
char *stream_clock(char out[TEXT_FIGURE_SIZE], int64_t microseconds);
char *stream_date(char out[TEXT_FIGURE_SIZE], int64_t microseconds);
/* "0.42 ms", "14 ms", "1.2 s"; "–" below 0 and for what was never measured (0). */
char *stream_ms(char out[TEXT_FIGURE_SIZE], double milliseconds);
/* "1,204,118", or "–" below 0. */
char *stream_offset(char out[TEXT_FIGURE_SIZE], int64_t offset);

/* The kcat command that prints one record, or (offset below 0) follows the topic. */
char *stream_kcat(char out[STREAM_COMMAND], const struct view *view, int kind, int32_t partition,
                  int64_t offset);
/* Copies and says so. */
void stream_copy(const struct panel_host *host, const char *text, const char *what);

/* Text over several rows, broken at blanks; returns the rows used. */
int stream_wrap(struct canvas *canvas, int x, int y, int width, int rows, struct style style,
                const char *text);
/* In the middle of what is empty: what is not there, and what to do about it. */
void stream_nothing(struct canvas *canvas, const char *what, const char *cure);

#endif
