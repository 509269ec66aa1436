/*
 * Events and bytes a second, one band a topic, each with a scale of its own: a topic that sends once a minute
 * is seen as well as one that sends thousands. Both figures side by side where there is room, else one at a
 * time. A topic that is opened has the whole panel.
 */
#include "ui/panels/stream.h"
#include "ui/plot.h"

#include <stdio.h>
#include <string.h>

#define RATES_SECONDS 3 /* over which "now" is averaged */

struct rates {
    int selected;
    bool alone, bytes;
    int window; /* index into windows[] */
    uint64_t changes;
    int first_y, band_height; /* at the last draw, for the mouse */
};

static const size_t windows[] = {240, 120, 60};

static char *write_count(char out[PLOT_LABEL_SIZE], double value)
{
    if (value > 0 && value < 1)
        snprintf(out, PLOT_LABEL_SIZE, "%.1g", value);
    else if (value < 1000)
        snprintf(out, PLOT_LABEL_SIZE, "%.3g", value);
    else
        text_si(out, value);
    return out;
}

static char *write_rate(char out[PLOT_LABEL_SIZE], double value)
{
    char figure[TEXT_FIGURE_SIZE];
    if (value > 0 && value < 10)
        snprintf(out, PLOT_LABEL_SIZE, "%.1f", value);
    else
        snprintf(out, PLOT_LABEL_SIZE, "%s", text_count(figure, (int64_t)(value + 0.5)));
    return out;
}

static char *write_bytes(char out[PLOT_LABEL_SIZE], double value)
{
    return text_bytes(out, value);
}

/* "5 MB" on an axis, where the place is dear. */
static char *write_bytes_short(char out[PLOT_LABEL_SIZE], double value)
{
    return text_si(out, value);
}

struct band {
    const char *unit;
    float values[SERIES_BUCKETS];
    size_t count;
    char *(*write)(char out[PLOT_LABEL_SIZE], double value);
    char *(*write_axis)(char out[PLOT_LABEL_SIZE], double value);
};

static struct band band_read(const struct view *view, int kind, bool bytes)
{
    const struct city_topic *topic = &view->city->topics[kind];
    struct band band = {.unit = bytes ? "/s" : "/s",
                        .write = bytes ? write_bytes : write_rate,
                        .write_axis = bytes ? write_bytes_short : write_count};
    band.count = stream_series(bytes ? &topic->bytes_series : &topic->events_series, band.values);
    return band;
}

#define AXIS_WIDTH  6
#define VALUE_WIDTH 10

/* Figure, axis and area; the figure in the first row, the peak below it when there is a second one. */
static void draw_band(struct canvas *canvas, const struct band *band, size_t window, enum role role)
{
    char text[PLOT_LABEL_SIZE], figure[PLOT_LABEL_SIZE + 8];
    if (canvas->width < VALUE_WIDTH || canvas->height <= 0)
        return;
    double now = stream_rate(band->values, band->count, RATES_SECONDS);
    double max = plot_max(band->values, band->count, window);
    if (band->count == 0)
        snprintf(figure, sizeof figure, "–");
    else
        snprintf(figure, sizeof figure, "%s%s", band->write(text, now), band->unit);
    canvas_text_right(canvas, VALUE_WIDTH, 0, now > 0 ? STYLE(ROLE_STRONG) : STYLE(ROLE_DIM), figure);
    if (canvas->height >= 2 && max > 0) {
        snprintf(figure, sizeof figure, "↑ %s", band->write(text, max));
        canvas_text_right(canvas, VALUE_WIDTH, 1, STYLE(ROLE_DIM), figure);
    }
    if (canvas->width < VALUE_WIDTH + AXIS_WIDTH + 8)
        return;
    struct plot plot = {.values = band->values,
                        .count = band->count,
                        .window = window,
                        .top = plot_top(max),
                        .style = STYLE(role)};
    int x = VALUE_WIDTH + AXIS_WIDTH;
    struct canvas area = canvas_sub(canvas, x + 1, 0, canvas->width - x - 1, canvas->height);
    plot_axis(canvas, x, 0, canvas->height, plot.top, band->write_axis);
    plot_draw(&plot, &area);
}

/* One half: the bands of events or bytes below each other, with heading and time axis. */
static void draw_half(const struct rates *rates, const struct view *view, struct canvas *canvas, bool bytes,
                      const int *heights, int from, int to)
{
    size_t window = windows[rates->window];
    double total = 0;
    int y = 1;
    for (int kind = from; kind <= to; kind++) {
        struct band band = band_read(view, kind, bytes);
        struct canvas row = canvas_sub(canvas, 0, y, canvas->width, heights[kind]);
        draw_band(&row, &band, window, stream_role(kind));
        y += heights[kind];
    }
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct band band = band_read(view, kind, bytes);
        total += stream_rate(band.values, band.count, RATES_SECONDS);
    }
    char text[PLOT_LABEL_SIZE];
    int x = canvas_text(canvas, 0, 0, STYLE(ROLE_DIM), bytes ? "bytes/s" : "events/s");
    if (from != to)
        canvas_printf(canvas, x + 2, 0, STYLE(ROLE_DIM), "all %s/s",
                      bytes ? text_bytes(text, total) : write_rate(text, total));
    int axis = VALUE_WIDTH + AXIS_WIDTH + 1;
    if (canvas->width >= axis + 8 && y < canvas->height)
        plot_time_axis(canvas, axis, y, canvas->width - axis, (int64_t)window);
}

static void rates_draw(void *state, const struct view *view, struct canvas *canvas,
                       const struct panel_context *context)
{
    struct rates *rates = state;
    int from = rates->alone ? rates->selected : 0, to = rates->alone ? rates->selected : EVENT_KIND_COUNT - 1;
    int heights[EVENT_KIND_COUNT] = {0}, count = to - from + 1;
    bool axis = canvas->height >= count + 2;
    int room = canvas->height - 1 - axis, name = 11;
    for (int i = 0; i < count; i++) {
        heights[from + i] = room / count + (i < room % count);
        if (room < count)
            heights[from + i] = i < room;
    }
    /* A row left over looks better as air below than as one taller band among small ones. */
    if (room / count >= 3)
        for (int i = 0; i < count; i++)
            heights[from + i] = room / count;
    rates->first_y = 1;
    rates->band_height = heights[from];
    int y = 1;
    for (int kind = from; kind <= to; kind++) {
        if (heights[kind] <= 0)
            continue;
        bool marked = context->focused && kind == rates->selected && !rates->alone;
        canvas_put(canvas, 0, y, marked ? 0x25B8 : ' ', STYLE_BOLD(ROLE_FOCUS));
        canvas_text_fit(canvas, 1, y, name - 2,
                        marked ? STYLE_BOLD(stream_role(kind)) : STYLE(stream_role(kind)), stream_word(kind));
        y += heights[kind];
    }
    struct canvas rest = canvas_sub(canvas, name, 0, canvas->width - name, canvas->height);
    int half = (rest.width - 2) / 2;
    if (half >= VALUE_WIDTH + AXIS_WIDTH + 12) {
        struct canvas left = canvas_sub(&rest, 0, 0, half, rest.height);
        struct canvas right = canvas_sub(&rest, rest.width - half, 0, half, rest.height);
        draw_half(rates, view, &left, false, heights, from, to);
        draw_half(rates, view, &right, true, heights, from, to);
    } else {
        draw_half(rates, view, &rest, rates->bytes, heights, from, to);
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
             text_bytes(volume, (double)bytes), windows[rates->window] / 60);
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
            rates->window += rates->window < 2;
        else
            return false;
    } else if (strcmp(name, "sort") == 0) {
        rates->bytes = !rates->bytes;
    } else if (strcmp(name, "open") == 0) {
        rates->alone = !rates->alone;
    } else if (strcmp(name, "back") == 0 && rates->alone) {
        rates->alone = false;
    } else if (strcmp(name, "copy") == 0) {
        char command[STREAM_TEXT];
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
    if ((what != MOUSE_CLICK && what != MOUSE_DOUBLE) || y < rates->first_y || rates->band_height <= 0)
        return false;
    int kind = (y - rates->first_y) / rates->band_height;
    if (!rates->alone && kind < EVENT_KIND_COUNT)
        rates->selected = kind;
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
