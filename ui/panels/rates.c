/*
 * Events and bytes a second, one band a topic, each with a scale of its own: a topic that sends once a minute
 * is seen as well as one that sends thousands. Both figures side by side where there is room, else one at a
 * time. A topic that is opened has the whole panel.
 */
#include "ui/panels/stream.h"
#include "ui/plot.h"

#include <stdio.h>
#include <string.h>

#define RATES_ROWS    128
#define RATES_SECONDS 3 /* over which "now" is averaged */

struct rates {
    int selected;
    bool alone, bytes;
    int window; /* index into windows[] */
    uint64_t changes;
    int8_t kind_at[RATES_ROWS]; /* topic + 1 by row, at the last draw */
};

/* The first grows with what is known. */
#define WINDOWS 4
static const size_t windows[WINDOWS] = {0, 240, 120, 60};

static size_t window_of(const struct rates *rates, const struct view *view)
{
    size_t known = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (view->city->topics[kind].events_series.filled > known)
            known = view->city->topics[kind].events_series.filled;
    return rates->window > 0 ? windows[rates->window] : stream_window(known);
}

/* A round number on an axis, where the place is dear: "5k", "200", "0.5". */
static char *write_axis(char out[PLOT_LABEL_SIZE], double value)
{
    static const char units[] = "kMGTP";
    int unit = -1;
    while (value >= 1000 && unit + 2 < (int)sizeof units) {
        value /= 1000;
        unit++;
    }
    snprintf(out, PLOT_LABEL_SIZE, "%.3g%.1s", value, unit >= 0 ? units + unit : "");
    return out;
}

static char *write_rate(char out[PLOT_LABEL_SIZE], double value)
{
    char figure[TEXT_FIGURE_SIZE];
    if (value < 10)
        snprintf(out, PLOT_LABEL_SIZE, "%.2g", value);
    else
        snprintf(out, PLOT_LABEL_SIZE, "%s", text_count(figure, (int64_t)(value + 0.5)));
    return out;
}

static char *write_bytes(char out[PLOT_LABEL_SIZE], double value)
{
    return text_bytes(out, value);
}

struct band {
    float values[SERIES_BUCKETS];
    size_t count;
    bool seldom; /* less than one event a second */
    char *(*write)(char out[PLOT_LABEL_SIZE], double value);
};

static double sum_of_minute(const float *values, size_t count)
{
    return stream_rate(values, count, 60) * (double)(count < 60 ? count : 60);
}

static struct band band_read(const struct view *view, int kind, bool bytes)
{
    const struct city_topic *topic = &view->city->topics[kind];
    struct band band = {.write = bytes ? write_bytes : write_rate};
    band.count = stream_series(&topic->events_series, band.values);
    double minute = sum_of_minute(band.values, band.count);
    band.seldom = minute > 0 && band.count >= 10 && stream_rate(band.values, band.count, 60) < 1;
    if (bytes)
        band.count = stream_series(&topic->bytes_series, band.values);
    return band;
}

#define NAME_WIDTH  11
#define VALUE_WIDTH 10
#define AXIS_WIDTH  6
#define BESIDE                                                                                               \
    (NAME_WIDTH + VALUE_WIDTH + AXIS_WIDTH + 32) /* cells of a block that may stand beside another */

/* Now; for what comes seldom, what the last minute brought. */
static void write_now(char *out, size_t size, const struct band *band)
{
    char text[PLOT_LABEL_SIZE];
    if (band->count == 0)
        snprintf(out, size, "–");
    else if (band->seldom)
        snprintf(out, size, "%s/min", band->write(text, sum_of_minute(band->values, band->count)));
    else
        snprintf(out, size, "%s/s", band->write(text, stream_rate(band->values, band->count, RATES_SECONDS)));
}

/* Figure, axis and area; the figure in the first row, the peak below it when there is a second one. */
static void draw_band(struct canvas *canvas, const struct band *band, size_t window, enum role role)
{
    char text[PLOT_LABEL_SIZE], figure[PLOT_LABEL_SIZE + 8];
    double max = plot_max(band->values, band->count, window);
    write_now(figure, sizeof figure, band);
    canvas_text_right(canvas, VALUE_WIDTH, 0, max > 0 ? STYLE(ROLE_STRONG) : STYLE(ROLE_DIM), figure);
    if (canvas->height >= 2 && max > 0) {
        snprintf(figure, sizeof figure, "↑ %s", band->write(text, max));
        canvas_text_right(canvas, VALUE_WIDTH, 1, STYLE(ROLE_DIM), figure);
    }
    int x = VALUE_WIDTH + AXIS_WIDTH;
    if (canvas->width < x + 8)
        return;
    struct plot plot = {.values = band->values,
                        .count = band->count,
                        .window = window,
                        .top = plot_top(max),
                        .style = STYLE(role)};
    struct canvas area = canvas_sub(canvas, x + 1, 0, canvas->width - x - 1, canvas->height);
    plot_axis(canvas, x, 0, canvas->height, plot.top, write_axis);
    plot_draw(&plot, &area);
}

/* Events or bytes: a heading, a band for each topic (or for the one that is alone), the time axis. */
static void draw_block(struct rates *rates, const struct view *view, struct canvas *canvas, int top,
                       bool bytes, bool focused)
{
    int from = rates->alone ? rates->selected : 0, to = rates->alone ? rates->selected : EVENT_KIND_COUNT - 1;
    int count = to - from + 1, y = 1;
    bool axis = canvas->height >= count + 2;
    int room = canvas->height - 1 - axis, spare = room >= 3 * count ? 0 : room % count;
    double total = 0;
    size_t window = window_of(rates, view);
    char text[PLOT_LABEL_SIZE];
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct band band = band_read(view, kind, bytes);
        int height = room / count + (kind - from < spare);
        total += stream_rate(band.values, band.count, RATES_SECONDS);
        if (kind < from || kind > to || height <= 0 || y + height > canvas->height)
            continue;
        bool marked = focused && kind == rates->selected && !rates->alone;
        canvas_put(canvas, 0, y, marked ? 0x25B8 : ' ', STYLE_BOLD(ROLE_FOCUS));
        canvas_text_fit(canvas, 1, y, NAME_WIDTH - 2,
                        marked ? STYLE_BOLD(stream_role(kind)) : STYLE(stream_role(kind)), stream_word(kind));
        struct canvas row = canvas_sub(canvas, NAME_WIDTH, y, canvas->width - NAME_WIDTH, height);
        draw_band(&row, &band, window, stream_role(kind));
        for (int i = 0; i < height && top + y + i < RATES_ROWS; i++)
            rates->kind_at[top + y + i] = (int8_t)(kind + 1);
        y += height;
    }
    canvas_text(canvas, 1, 0, STYLE(ROLE_TITLE), bytes ? "bytes" : "events");
    if (!rates->alone)
        canvas_printf(canvas, NAME_WIDTH, 0, STYLE(ROLE_DIM), "%10s/s in all",
                      bytes ? text_bytes(text, total) : write_rate(text, total));
    int x = NAME_WIDTH + VALUE_WIDTH + AXIS_WIDTH + 1;
    if (axis && canvas->width >= x + 8 && y < canvas->height)
        plot_time_axis(canvas, x, y, canvas->width - x, (int64_t)window);
}

static void rates_draw(void *state, const struct view *view, struct canvas *canvas,
                       const struct panel_context *context)
{
    struct rates *rates = state;
    int half = (canvas->width - 3) / 2, upper = (canvas->height - 1) / 2;
    memset(rates->kind_at, 0, sizeof rates->kind_at);
    if (half >= BESIDE) {
        struct canvas left = canvas_sub(canvas, 0, 0, half, canvas->height);
        struct canvas right = canvas_sub(canvas, canvas->width - half, 0, half, canvas->height);
        draw_block(rates, view, &left, 0, false, context->focused);
        draw_block(rates, view, &right, 0, true, context->focused);
    } else if (upper >= (rates->alone ? 5 : EVENT_KIND_COUNT + 2)) {
        struct canvas top = canvas_sub(canvas, 0, 0, canvas->width, upper);
        struct canvas bottom = canvas_sub(canvas, 0, canvas->height - upper, canvas->width, upper);
        draw_block(rates, view, &top, 0, false, context->focused);
        draw_block(rates, view, &bottom, canvas->height - upper, true, context->focused);
    } else {
        draw_block(rates, view, canvas, 0, rates->bytes, context->focused);
    }
}

static uint64_t rates_generation(const void *state, const struct view *view)
{
    const struct rates *rates = state;
    return stream_mix(rates->changes, view->city->generation);
}

static void rates_note(const void *state, const struct view *view, char *text, size_t size)
{
    const struct rates *rates = state;
    uint64_t events = 0, bytes = 0;
    char count[TEXT_FIGURE_SIZE], volume[TEXT_FIGURE_SIZE];
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        events += view->city->topics[kind].events;
        bytes += view->city->topics[kind].bytes;
    }
    snprintf(text, size, "%s events · %s · last %zu m", text_count(count, (int64_t)events),
             text_bytes(volume, (double)bytes), window_of(rates, view) / 60);
}

static void rates_heading(const void *state, const struct view *view, char *text, size_t size)
{
    const struct rates *rates = state;
    if (rates->alone)
        snprintf(text, size, "Rates of %s", stream_topic(rates->selected));
    else
        snprintf(text, size, "Rates");
}

static bool rates_command(void *state, const struct view *view, const char *name, const char *argument,
                          const struct panel_host *host)
{
    struct rates *rates = state;
    int last = EVENT_KIND_COUNT - 1;
    if (strcmp(name, "select") == 0 && argument != NULL) {
        if (strcmp(argument, "next") == 0)
            rates->selected += rates->selected < last;
        else if (strcmp(argument, "previous") == 0)
            rates->selected -= rates->selected > 0;
        else if (strcmp(argument, "first") == 0 || strcmp(argument, "page-up") == 0)
            rates->selected = 0;
        else if (strcmp(argument, "last") == 0 || strcmp(argument, "page-down") == 0)
            rates->selected = last;
        else if (strcmp(argument, "left") == 0)
            rates->window -= rates->window > 0;
        else if (strcmp(argument, "right") == 0)
            rates->window += rates->window < WINDOWS - 1;
        else
            return false;
    } else if (strcmp(name, "sort") == 0) {
        rates->bytes = !rates->bytes;
    } else if (strcmp(name, "open") == 0) {
        rates->alone = !rates->alone;
    } else if (strcmp(name, "back") == 0 && rates->alone) {
        rates->alone = false;
    } else if (strcmp(name, "copy") == 0) {
        char command[STREAM_COMMAND];
        stream_copy(host, stream_kcat(command, view, rates->selected, -1, -1),
                    "the kcat command that follows this topic");
    } else {
        return false;
    }
    rates->changes++;
    return true;
}

static bool rates_mouse(void *state, const struct view *view, enum panel_mouse what, int x, int y,
                        const struct panel_host *host)
{
    struct rates *rates = state;
    if ((what != MOUSE_CLICK && what != MOUSE_DOUBLE) || y < 0 || y >= RATES_ROWS || rates->kind_at[y] == 0)
        return false;
    rates->selected = rates->kind_at[y] - 1;
    if (what == MOUSE_DOUBLE)
        rates->alone = !rates->alone;
    rates->changes++;
    return true;
}

const struct panel_class rates_panel = {.name = "rates",
                                        .title = "Rates",
                                        .scopes = SCOPE_LIST,
                                        .state_size = sizeof(struct rates),
                                        .generation = rates_generation,
                                        .draw = rates_draw,
                                        .note = rates_note,
                                        .heading = rates_heading,
                                        .command = rates_command,
                                        .mouse = rates_mouse};
