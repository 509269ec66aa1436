/*
 * Where one is: LIVE, REPLAY or PAUSED as a word; the position out of how much, the speed, and a bar. When
 * live: what is being recorded, and how full its ring is.
 */
#include "ui/panels/stream.h"

#include <stdio.h>
#include <string.h>

static int draw_word(struct canvas *canvas, int y, const char *word, enum role role)
{
    return canvas_printf(canvas, 0, y, STYLE(role), " %s ", word) + 2;
}

static char *write_speed(char out[TEXT_FIGURE_SIZE], double speed)
{
    if (speed <= 0)
        snprintf(out, TEXT_FIGURE_SIZE, "as fast as possible");
    else
        snprintf(out, TEXT_FIGURE_SIZE, "×%.4g", speed);
    return out;
}

static int put(struct canvas *canvas, int x, int y, struct style style, const char *text)
{
    return x < canvas->width ? canvas_text_fit(canvas, x, y, canvas->width - x, style, text) + 2 : x;
}

static void draw_replay(struct canvas *canvas, const struct view *view)
{
    const struct view_replay *replay = &view->replay;
    char text[STREAM_TEXT], position[TEXT_FIGURE_SIZE], length[TEXT_FIGURE_SIZE], speed[TEXT_FIGURE_SIZE],
        count[TEXT_FIGURE_SIZE], total[TEXT_FIGURE_SIZE];
    int x = draw_word(canvas, 0, replay->paused ? "PAUSED" : "REPLAY",
                      replay->paused ? ROLE_PAUSED : ROLE_REPLAY);
    snprintf(text, sizeof text, "%s of %s", text_duration(position, replay->position_us),
             text_duration(length, replay->length_us));
    x = put(canvas, x, 0, STYLE(ROLE_STRONG), text);
    x = put(canvas, x, 0, STYLE(ROLE_TEXT), write_speed(speed, replay->speed));
    if (replay->ended)
        x = put(canvas, x, 0, STYLE(ROLE_WARNING), "at the end");
    if (replay->to_kafka)
        x = put(canvas, x, 0, STYLE(ROLE_INFO), "into Kafka");
    put(canvas, x, 0, STYLE(ROLE_TEXT), replay->name);
    double part = replay->length_us > 0 ? (double)replay->position_us / (double)replay->length_us : 0;
    if (canvas->height < 2)
        return;
    canvas_bar(canvas, 0, 1, canvas->width - 6, part, STYLE(ROLE_INFO));
    snprintf(text, sizeof text, "%.0f %%", (part < 1 ? part : 1) * 100);
    canvas_text_right(canvas, canvas->width, 1, STYLE(ROLE_DIM), text);
    snprintf(text, sizeof text, "%s of %s records", text_count(count, (int64_t)replay->played),
             text_count(total, (int64_t)replay->total));
    x = put(canvas, 0, 2, STYLE(ROLE_DIM), text);
    snprintf(text, sizeof text, "simulated %s", stream_date(position, stream_us(replay->event_ms)));
    put(canvas, x, 2, STYLE(ROLE_DIM), text);
}

static void draw_recording(struct canvas *canvas, const struct view *view)
{
    const struct recorder_figures *recorder = &view->recorder;
    const struct journey_info *info = &recorder->journey;
    char text[STREAM_TEXT], size[TEXT_FIGURE_SIZE], limit[TEXT_FIGURE_SIZE], length[TEXT_FIGURE_SIZE];
    if (recorder->state == RECORDER_OFF) {
        put(canvas, 0, 1, STYLE(ROLE_DIM), "○ nothing is recorded; r begins a recording");
        return;
    }
    if (recorder->state == RECORDER_FAILED) {
        int x = put(canvas, 0, 1, STYLE(ROLE_BAD), "✗ RECORDING FAILED");
        stream_wrap(canvas, x, 1, canvas->width - x, canvas->height - 1, STYLE(ROLE_WARNING),
                    recorder->problem);
        return;
    }
    int x = put(canvas, 0, 1, STYLE(ROLE_BAD), "●") - 1;
    snprintf(text, sizeof text, "recording %s  %s records  %s", text_duration(length, info->length_us),
             text_count(size, (int64_t)recorder->recorded), text_bytes(limit, (double)info->file_bytes));
    x = put(canvas, x, 1, STYLE(ROLE_TEXT), text);
    if (recorder->missed > 0) {
        snprintf(text, sizeof text, "%s missed", text_count(size, (int64_t)recorder->missed));
        put(canvas, x, 1, STYLE(ROLE_BAD), text);
    }
    if (info->limit_bytes <= 0 || canvas->height < 3)
        return;
    snprintf(text, sizeof text, info->dropped_oldest > 0 ? "ring of %s, full: the oldest go" : "ring of %s",
             text_bytes(limit, (double)info->limit_bytes));
    int width = text_width(text);
    canvas_bar(canvas, 0, 2, canvas->width - width - 2, (double)info->file_bytes / (double)info->limit_bytes,
               STYLE(ROLE_GOOD));
    canvas_text_right(canvas, canvas->width, 2, STYLE(ROLE_DIM), text);
}

static void draw_live(struct canvas *canvas, const struct view *view)
{
    char text[STREAM_TEXT], speed[TEXT_FIGURE_SIZE];
    bool paused = view->sim.present && view->sim.paused;
    int x = draw_word(canvas, 0, paused ? "PAUSED" : "LIVE", paused ? ROLE_PAUSED : ROLE_LIVE);
    if (view->city->simulated_ms > 0) {
        snprintf(text, sizeof text, "%s UTC", stream_date(speed, stream_us(view->city->simulated_ms)));
        x = put(canvas, x, 0, STYLE(ROLE_STRONG), text);
    }
    if (view->sim.present)
        x = put(canvas, x, 0, STYLE(ROLE_TEXT), write_speed(speed, view->sim.speed));
    put(canvas, x, 0, STYLE(ROLE_DIM), view->kafka_label);
    if (canvas->height >= 2)
        draw_recording(canvas, view);
}

static void playback_draw(void *state, const struct view *view, struct canvas *canvas,
                          const struct panel_context *context)
{
    if (canvas->width <= 0 || canvas->height <= 0)
        return;
    if (view->replay.active)
        draw_replay(canvas, view);
    else
        draw_live(canvas, view);
}

static uint64_t playback_generation(const void *state, const struct view *view)
{
    const struct view_replay *replay = &view->replay;
    uint64_t hash = stream_mix(1, (uint64_t)(replay->position_us / 100000));
    hash =
        stream_mix(hash, replay->active * 8u + replay->paused * 4u + replay->ended * 2u + view->sim.paused);
    hash = stream_mix_bytes(hash, &replay->speed, sizeof replay->speed);
    hash = stream_mix_bytes(hash, &view->sim.speed, sizeof view->sim.speed);
    hash = stream_mix(hash, replay->played);
    hash = stream_mix(hash, (uint64_t)(view->city->simulated_ms / 1000));
    hash = stream_mix(hash, view->recorder.recorded * 4 + (uint64_t)view->recorder.state);
    return stream_mix(hash, (uint64_t)view->recorder.journey.file_bytes);
}

/* Where in the bar the mouse was: there it goes on. */
static bool playback_mouse(void *state, const struct view *view, enum panel_mouse what, int x, int y,
                           const struct panel_host *host)
{
    char line[64], time[TEXT_FIGURE_SIZE];
    if (!view->replay.active || view->replay.length_us <= 0 || y != 1 ||
        (what != MOUSE_CLICK && what != MOUSE_DRAG))
        return false;
    const int *width = state;
    if (*width <= 6 || x < 0 || x > *width - 6)
        return false;
    snprintf(line, sizeof line, "seek %s",
             text_duration(time, (int64_t)((double)view->replay.length_us * x / (*width - 6))));
    host->send(host->context, line);
    return true;
}

static void playback_draw_and_measure(void *state, const struct view *view, struct canvas *canvas,
                                      const struct panel_context *context)
{
    int *width = state;
    *width = canvas->width;
    playback_draw(state, view, canvas, context);
}

const struct panel_class playback_panel = {.name = "playback",
                                           .title = "Playback",
                                           .state_size = sizeof(int),
                                           .generation = playback_generation,
                                           .draw = playback_draw_and_measure,
                                           .mouse = playback_mouse};
