/*
 * Plots of time series: an area or a line over time with its axes. Values come oldest first, one a bucket,
 * the newest at the right edge. Where more than one bucket falls on a column of dots the largest is shown, so
 * that a short peak is never hidden. Pure.
 */
#ifndef SMARTCITY_UI_PLOT_H
#define SMARTCITY_UI_PLOT_H

#include "ui/canvas.h"

struct plot {
    const float *values;
    size_t count;  /* known values */
    size_t window; /* buckets that the whole width stands for */
    double top;    /* of the axis, above 0 */
    struct style style;
    bool line; /* without the area below it */
};
/* Over the whole canvas. */
void plot_draw(const struct plot *plot, struct canvas *canvas);

/* A round number (1, 2, 5 times a power of ten) that is not below `max`, for the top of an axis. */
double plot_top(double max);
/* The largest of the last `window` values. */
double plot_max(const float *values, size_t count, size_t window);

/* The vertical axis in one column of cells: labels end at x-1, the axis stands at x. `write` makes a label.
 */
#define PLOT_LABEL_SIZE 32
void plot_axis(struct canvas *canvas, int x, int y, int height, double top,
               char *(*write)(char out[PLOT_LABEL_SIZE], double value));
/* The time axis, one row: "-4 m … -2 m … now" over width cells that stand for `seconds`. */
void plot_time_axis(struct canvas *canvas, int x, int y, int width, int64_t seconds);

#endif
