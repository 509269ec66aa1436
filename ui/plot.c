#include "ui/plot.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>

double plot_top(double max)
{
    if (!(max > 0) || !isfinite(max))
        return 1;
    double power = pow(10, floor(log10(max)));
    static const double steps[] = {1, 2, 5, 10};
    for (size_t i = 0; i < 4; i++)
        if (max <= steps[i] * power * 1.0001)
            return steps[i] * power;
    return 10 * power;
}

double plot_max(const float *values, size_t count, size_t window)
{
    double max = 0;
    for (size_t i = count > window ? count - window : 0; i < count; i++)
        if ((double)values[i] > max)
            max = (double)values[i];
    return max;
}

/* The largest value of the buckets under column `column` of `columns`; negative: nothing is known there. */
static double value_at(const struct plot *plot, int column, int columns)
{
    int64_t window = (int64_t)plot->window, missing = window - (int64_t)plot->count;
    int64_t from = (int64_t)column * window / columns, to = (int64_t)(column + 1) * window / columns;
    double value = -1;
    if (to <= from)
        to = from + 1;
    for (int64_t i = from; i < to && i < window; i++)
        if (i >= missing && (double)plot->values[i - missing] > value)
            value = (double)plot->values[i - missing];
    return value;
}

/* An area is solid: columns of eight steps to a cell look better than dots, and ASCII has no dots worth the
 * name. */
static void draw_area(const struct plot *plot, struct canvas *canvas)
{
    for (int x = 0; x < canvas->width; x++) {
        float value = (float)value_at(plot, x, canvas->width);
        if (value > 0)
            canvas_spark(canvas, x, 0, 1, canvas->height, &value, 1, (float)plot->top, plot->style);
        else if (value >= 0)
            canvas_put(canvas, x, canvas->height - 1, canvas->glyphs == GLYPHS_BRAILLE ? 0x2581 : '_',
                       STYLE(ROLE_FRAME));
    }
}

void plot_draw(const struct plot *plot, struct canvas *canvas)
{
    if (canvas->width <= 0 || canvas->height <= 0 || plot->window == 0 || !(plot->top > 0))
        return;
    if (!plot->line || canvas->glyphs == GLYPHS_ASCII) {
        draw_area(plot, canvas);
        return;
    }
    struct dots dots = dots_create(canvas->width, canvas->height, canvas->glyphs);
    int before = -1;
    for (int x = 0; x < dots.width; x++) {
        double value = value_at(plot, x, dots.width);
        if (value < 0) {
            before = -1;
            continue;
        }
        double part = value / plot->top;
        int height = (int)lround((part < 1 ? part : 1) * dots.height);
        if (height == 0 && value > 0)
            height = 1;
        if (height == 0) { /* the ground line: known, and nothing */
            dots_set(&dots, x, dots.height - 1, 1, COLOUR_ROLE(ROLE_FRAME));
            before = dots.height - 1;
            continue;
        }
        int y = dots.height - height;
        int end = before < 0 ? y : before > y ? before - 1 : before < y ? before + 1 : y;
        for (int at = y < end ? y : end; at <= (y < end ? end : y); at++)
            dots_set(&dots, x, at, 2, plot->style.fg);
        before = y;
    }
    dots_draw(&dots, canvas, 0, 0);
    dots_destroy(&dots);
}

void plot_axis(struct canvas *canvas, int x, int y, int height, double top,
               char *(*write)(char out[PLOT_LABEL_SIZE], double value))
{
    char label[PLOT_LABEL_SIZE];
    if (height <= 0)
        return;
    /* Evenly, and not on every row. */
    int steps = height >= 8 && height % 4 == 0 ? 4 : height >= 4 ? 2 : 1;
    for (int row = 0; row < height; row++)
        canvas_put(canvas, x, y + row, 0x2502, STYLE(ROLE_FRAME));
    for (int step = 0; step <= steps; step++) {
        int row = height * step / steps;
        if (row == height)
            row--;
        if (height == 1 && step > 0)
            break;
        canvas_text_right(canvas, x, y + row, STYLE(ROLE_DIM), write(label, top * (steps - step) / steps));
        canvas_put(canvas, x, y + row, 0x2524, STYLE(ROLE_FRAME));
    }
}

void plot_time_axis(struct canvas *canvas, int x, int y, int width, int64_t seconds)
{
    static const int64_t steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600};
    char label[PLOT_LABEL_SIZE];
    if (width < 8 || seconds <= 0)
        return;
    int64_t step = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && step == 0; i++)
        if (steps[i] * width / seconds >= 12 || steps[i] >= seconds)
            step = steps[i];
    if (step == 0)
        step = seconds;
    canvas_fill(canvas, x, y, width, 1, 0x2500, STYLE(ROLE_FRAME));
    canvas_put(canvas, x - 1, y, 0x2514, STYLE(ROLE_FRAME));
    canvas_text_right(canvas, x + width, y, STYLE(ROLE_DIM), " now");
    for (int64_t age = step; age <= seconds; age += step) {
        if (age % 60 == 0)
            snprintf(label, sizeof label, " −%lld m ", (long long)(age / 60));
        else
            snprintf(label, sizeof label, " −%lld s ", (long long)age);
        int at = x + width - 1 - (int)(age * width / seconds), taken = text_width(label);
        if (at < x)
            at = x;
        if (at + taken + 5 < x + width)
            canvas_text(canvas, at, y, STYLE(ROLE_DIM), label);
    }
}
