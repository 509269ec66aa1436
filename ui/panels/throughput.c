/* What comes in from Kafka: a line a topic with its last seconds, events and bytes a second, and what is
 * wrong with it in words; three topics to a line where there is little room. */
#include "ui/panel.h"
#include "ui/panels/drive.h"

#include <stdio.h>
#include <string.h>

/* Seconds that a rate is the mean of. */
#define RATE_SECONDS 5

static const enum role topic_roles[EVENT_KIND_COUNT] = {ROLE_VEHICLE, ROLE_GPS, ROLE_TRAFFIC, ROLE_WEATHER,
                                                        ROLE_EMERGENCY};

static uint64_t generation(const void *state, const struct view *view)
{
    const struct city_snapshot *city = view->city;
    uint64_t hash = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct city_topic *topic = &city->topics[kind];
        hash = drive_mix(hash, (uint64_t)topic->events_series.newest);
        hash = drive_mix(hash, topic->quarantined * 65537 + topic->gaps);
        hash = drive_mix(hash, topic->events_series.filled > 0 ? 0 : topic->events);
    }
    return hash;
}

/* "516/s", "9,840/s", "0.3/s". */
static char *rate_text(double rate, char out[TEXT_FIGURE_SIZE])
{
    char figure[TEXT_FIGURE_SIZE];
    if (rate > 0 && rate < 9.95) {
        snprintf(out, TEXT_FIGURE_SIZE, "%.1f/s", rate);
        return out;
    }
    if (rate < 99999)
        text_count(figure, (int64_t)(rate + 0.5));
    else
        text_si(figure, rate);
    snprintf(out, TEXT_FIGURE_SIZE, "%.20s/s", figure);
    return out;
}

static char *bytes_text(double rate, char out[TEXT_FIGURE_SIZE])
{
    char figure[TEXT_FIGURE_SIZE];
    snprintf(out, TEXT_FIGURE_SIZE, "%.20s/s", text_bytes(figure, rate));
    return out;
}

/* "3 quarantined", "12 lost", or "3 bad, 12 lost" where it must be short; false when all is well. */
static bool trouble_text(uint64_t quarantined, uint64_t gaps, bool brief, char *text, size_t size)
{
    char count[TEXT_FIGURE_SIZE];
    text_copy(text, size, "");
    if (quarantined > 0)
        snprintf(text, size, "%s %s", text_si(count, (double)quarantined), brief ? "bad" : "quarantined");
    if (gaps > 0) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s lost", used > 0 ? ", " : "", text_si(count, (double)gaps));
    }
    return text[0] != '\0';
}

static void spark(struct canvas *canvas, int x, int y, int width, const struct series *series, enum role role)
{
    float values[SERIES_BUCKETS];
    size_t count = width < SERIES_BUCKETS ? (size_t)width : SERIES_BUCKETS;
    series_read(series, values, count, 0);
    /* From nothing, not from the least: a plot of a steady rate is a full one. */
    float max = 0;
    for (size_t i = 0; i < count; i++)
        max = values[i] > max ? values[i] : max;
    canvas_spark(canvas, x, y, width, 1, values, count, max * 1.15f, STYLE(role));
}

static void draw_lines(const struct view *view, struct canvas *canvas)
{
    bool bytes = canvas->width >= 40;
    for (int kind = 0; kind < EVENT_KIND_COUNT && kind < canvas->height; kind++) {
        const struct city_topic *topic = &view->city->topics[kind];
        char rate[TEXT_FIGURE_SIZE], trouble[DRIVE_TEXT];
        canvas_text(canvas, 0, kind, STYLE(ROLE_DIM), event_word((enum event_kind)kind));
        /* What is wrong stands where the bytes would: it matters more. */
        int right = canvas->width;
        bool wrong =
            trouble_text(topic->quarantined, topic->gaps, canvas->width < 60, trouble, sizeof trouble);
        if (wrong && bytes)
            canvas_text_right(canvas, right, kind, STYLE_BOLD(ROLE_WARNING), trouble);
        else if (bytes)
            canvas_text_right(canvas, right, kind, STYLE(ROLE_DIM),
                              bytes_text(series_rate(&topic->bytes_series, RATE_SECONDS), rate));
        right -= !bytes ? 0 : canvas->width < 60 ? 10 : 16;
        if (wrong && !bytes)
            canvas_put(canvas, --right, kind, '!', STYLE_BOLD(ROLE_WARNING));
        canvas_text_right(canvas, right, kind, STYLE_BOLD(ROLE_STRONG),
                          rate_text(series_rate(&topic->events_series, RATE_SECONDS), rate));
        right -= 8;
        if (right > 14)
            spark(canvas, 10, kind, right - 11, &topic->events_series, topic_roles[kind]);
    }
    /* What is left says what was worst and how much there was. */
    if (canvas->height > EVENT_KIND_COUNT) {
        uint64_t events = 0, total = 0, quarantined = 0, gaps = 0;
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            const struct city_topic *topic = &view->city->topics[kind];
            events += topic->events;
            total += topic->bytes;
            quarantined += topic->quarantined;
            gaps += topic->gaps;
        }
        char count[TEXT_FIGURE_SIZE], size[TEXT_FIGURE_SIZE], bad[TEXT_FIGURE_SIZE], lost[TEXT_FIGURE_SIZE];
        int x = canvas_printf(canvas, 0, EVENT_KIND_COUNT, STYLE(ROLE_DIM), "%s events, %s in all",
                              text_count(count, (int64_t)events), text_bytes(size, (double)total));
        canvas_printf(canvas, x + 2, EVENT_KIND_COUNT,
                      STYLE(quarantined + gaps > 0 ? ROLE_WARNING : ROLE_DIM), "%s quarantined  %s lost",
                      text_count(bad, (int64_t)quarantined), text_count(lost, (int64_t)gaps));
    }
}

/* Three topics a line, and the lag where the sixth would be. */
static void draw_grid(const struct view *view, struct canvas *canvas)
{
    static const char *const words[EVENT_KIND_COUNT] = {"veh", "gps", "cam", "wx", "emg"};
    int width = canvas->width / 3;
    for (int i = 0; i < 6 && i / 3 < canvas->height; i++) {
        int x = i % 3 * width, y = i / 3, end = x + width - 2;
        char text[TEXT_FIGURE_SIZE], age[TEXT_FIGURE_SIZE];
        if (i == EVENT_KIND_COUNT) {
            int64_t lag = 0;
            for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
                if (view->consumer.topics[kind].lag > 0)
                    lag += view->consumer.topics[kind].lag;
            uint64_t quarantined = 0, gaps = 0;
            for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
                quarantined += view->city->topics[kind].quarantined;
                gaps += view->city->topics[kind].gaps;
            }
            char trouble[DRIVE_TEXT];
            if (trouble_text(quarantined, gaps, gaps > 0, trouble, sizeof trouble))
                canvas_text(canvas, x, y, STYLE_BOLD(ROLE_WARNING), trouble);
            else
                canvas_printf(canvas, x, y, STYLE(ROLE_DIM), "lag %s · %s", text_si(text, (double)lag),
                              text_age(age, (int64_t)(view->city->lag_seconds * 1e6)));
            continue;
        }
        const struct city_topic *topic = &view->city->topics[i];
        canvas_text(canvas, x, y, STYLE(ROLE_DIM), words[i]);
        canvas_text_right(canvas, end, y, STYLE_BOLD(ROLE_STRONG),
                          rate_text(series_rate(&topic->events_series, RATE_SECONDS), text));
        if (end - 9 - (x + 4) >= 4)
            spark(canvas, x + 4, y, end - 8 - (x + 4), &topic->events_series, topic_roles[i]);
    }
}

static void draw(void *state, const struct view *view, struct canvas *whole,
                 const struct panel_context *context)
{
    struct canvas padded = drive_padded(whole), *canvas = &padded;
    if (!drive_has_events(view)) {
        canvas_text_fit(canvas, 0, 0, canvas->width, STYLE(ROLE_DIM), "waiting for Kafka");
        return;
    }
    if (canvas->height < EVENT_KIND_COUNT && canvas->width >= 60)
        draw_grid(view, canvas);
    else
        draw_lines(view, canvas);
}

static void note(const void *state, const struct view *view, char *text, size_t size)
{
    double events = 0, bytes = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        events += series_rate(&view->city->topics[kind].events_series, RATE_SECONDS);
        bytes += series_rate(&view->city->topics[kind].bytes_series, RATE_SECONDS);
    }
    char count[TEXT_FIGURE_SIZE], rate[TEXT_FIGURE_SIZE];
    snprintf(text, size, "%s events/s · %s", text_count(count, (int64_t)(events + 0.5)),
             bytes_text(bytes, rate));
}

const struct panel_class throughput_panel = {
    .name = "throughput",
    .title = "Throughput",
    .generation = generation,
    .draw = draw,
    .note = note,
};
