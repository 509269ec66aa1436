#include "ui/panels/journeys.h"

#include <stdio.h>
#include <string.h>

#define LABEL 11

const struct journey_info *journey_current(const struct view *view, const struct journey_listing *listing)
{
    return journey_recording(view, listing) && view->recorder.journey.total >= listing->info.total
               ? &view->recorder.journey
               : &listing->info;
}

bool journey_recording(const struct view *view, const struct journey_listing *listing)
{
    return view->recorder.state != RECORDER_OFF && view->recorder.journey.path[0] != '\0' &&
           strcmp(view->recorder.journey.path, listing->info.path) == 0;
}

/* A replay is known by its name alone: the journey's, or its file's. */
bool journey_playing(const struct view *view, const struct journey_listing *listing)
{
    char title[STREAM_TEXT];
    const char *file = journey_file(&listing->info), *name = view->replay.name;
    return view->replay.active && name[0] != '\0' &&
           (strcmp(name, journey_title(&listing->info, title)) == 0 || strcmp(name, file) == 0);
}

const char *journey_file(const struct journey_info *info)
{
    const char *slash = strrchr(info->path, '/');
    return slash != NULL ? slash + 1 : info->path;
}

char *journey_title(const struct journey_info *info, char out[STREAM_TEXT])
{
    if (info->name[0] != '\0') {
        text_sanitise(out, STREAM_TEXT, info->name, strlen(info->name));
        return out;
    }
    const char *file = journey_file(info);
    size_t length = strlen(file), suffix = sizeof JOURNEYS_SUFFIX - 1;
    if (length > suffix && strcmp(file + length - suffix, JOURNEYS_SUFFIX) == 0)
        length -= suffix;
    text_sanitise(out, STREAM_TEXT, file, length);
    return out;
}

const char *journey_state(const struct view *view, const struct journey_listing *listing, enum role *role)
{
    if (journey_recording(view, listing)) {
        *role = view->recorder.state == RECORDER_FAILED ? ROLE_BAD : ROLE_GOOD;
        return view->recorder.state == RECORDER_FAILED ? "FAILED" : "recording";
    }
    if (listing->problem[0] != '\0') {
        *role = ROLE_BAD;
        return "damaged";
    }
    if (listing->info.open) {
        *role = ROLE_INFO;
        return "recorded by another console";
    }
    *role = listing->info.clean ? ROLE_TEXT : ROLE_WARNING;
    return listing->info.clean ? "clean" : "not closed";
}

char *journey_length(const struct journey_info *info, char out[TEXT_FIGURE_SIZE])
{
    int64_t length = info->length_us > 0 ? info->length_us : stream_span(info->started_us, info->ended_us);
    if (info->total == 0 || length < 0)
        return stream_none(out);
    return text_duration(out, length);
}

/* ---- the facts --------------------------------------------------------------------------------------- */

struct facts {
    struct canvas *canvas;
    int y;
};

static void fact(struct facts *facts, const char *label, struct style style, const char *value)
{
    if (facts->y >= facts->canvas->height)
        return;
    canvas_text_fit(facts->canvas, 0, facts->y, LABEL - 1, STYLE(ROLE_DIM), label);
    canvas_text_fit(facts->canvas, LABEL, facts->y++, facts->canvas->width - LABEL, style, value);
}

static void long_fact(struct facts *facts, const char *label, struct style style, const char *value)
{
    int rows = facts->canvas->height - facts->y;
    if (rows <= 0)
        return;
    canvas_text_fit(facts->canvas, 0, facts->y, LABEL - 1, STYLE(ROLE_DIM), label);
    facts->y += stream_wrap(facts->canvas, LABEL, facts->y, facts->canvas->width - LABEL, rows < 4 ? rows : 4,
                            style, value);
}

static void draw_state(struct facts *facts, const struct view *view, const struct journey_listing *listing)
{
    enum role role;
    const char *state = journey_state(view, listing, &role);
    fact(facts, "state", STYLE_BOLD(role), state);
    if (listing->problem[0] != '\0')
        long_fact(facts, "", STYLE(ROLE_WARNING), listing->problem);
    else if (journey_recording(view, listing) && view->recorder.problem[0] != '\0')
        long_fact(facts, "", STYLE(ROLE_WARNING), view->recorder.problem);
    else if (role == ROLE_WARNING)
        long_fact(facts, "", STYLE(ROLE_DIM),
                  "its console ended without closing it; all that was committed is there and plays");
}

static void draw_times(struct facts *facts, const struct journey_info *info)
{
    char text[STREAM_TEXT], from[TEXT_FIGURE_SIZE], to[TEXT_FIGURE_SIZE], length[TEXT_FIGURE_SIZE];
    snprintf(text, sizeof text, "%s to %.8s UTC", stream_date(from, info->started_us),
             stream_clock(to, info->ended_us));
    fact(facts, "recorded", STYLE(ROLE_TEXT), info->total > 0 ? text : "nothing yet");
    fact(facts, "length", STYLE(ROLE_STRONG), journey_length(info, length));
    if (info->last_ms > 0) {
        snprintf(text, sizeof text, "%s to %.8s, %s", stream_date(from, stream_us(info->first_ms)),
                 stream_clock(to, stream_us(info->last_ms)),
                 text_duration(length, stream_us(stream_span(info->first_ms, info->last_ms))));
        fact(facts, "simulated", STYLE(ROLE_TEXT), text);
    }
}

static void draw_topics(struct facts *facts, const struct journey_info *info)
{
    uint64_t most = 1;
    char count[TEXT_FIGURE_SIZE];
    if (facts->canvas->height - facts->y < EVENT_KIND_COUNT)
        return;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (info->events[kind] > most)
            most = info->events[kind];
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++, facts->y++) {
        int right = LABEL + 11, bar = facts->canvas->width - right - 1;
        canvas_text(facts->canvas, 0, facts->y, STYLE(stream_role(kind)), stream_word(kind));
        canvas_text_right(facts->canvas, right, facts->y,
                          STYLE(info->events[kind] > 0 ? ROLE_TEXT : ROLE_DIM),
                          text_count(count, (int64_t)info->events[kind]));
        if (bar >= 8)
            canvas_bar(facts->canvas, right + 1, facts->y, bar < 24 ? bar : 24,
                       (double)info->events[kind] / (double)most, STYLE(stream_role(kind)));
    }
}

static void draw_size(struct facts *facts, const struct journey_info *info)
{
    char text[STREAM_TEXT], file[TEXT_FIGURE_SIZE], payload[TEXT_FIGURE_SIZE], limit[TEXT_FIGURE_SIZE];
    if (info->file_bytes > 0 && info->bytes > 0)
        snprintf(text, sizeof text, "%s holds %s of records, 1 to %.1f",
                 text_bytes(file, (double)info->file_bytes), text_bytes(payload, (double)info->bytes),
                 (double)info->bytes / (double)info->file_bytes);
    else
        snprintf(text, sizeof text, "%s", text_bytes(file, (double)info->file_bytes));
    fact(facts, "size", STYLE(ROLE_TEXT), text);
    if (info->limit_bytes <= 0) {
        fact(facts, "ring", STYLE(ROLE_DIM), "no limit");
        return;
    }
    double part = (double)info->file_bytes / (double)info->limit_bytes;
    if (info->dropped_oldest > 0)
        snprintf(text, sizeof text, "%s full; %s oldest records let go",
                 text_bytes(limit, (double)info->limit_bytes),
                 text_count(payload, (int64_t)info->dropped_oldest));
    else
        snprintf(text, sizeof text, "%.0f %% of %s used", part * 100,
                 text_bytes(limit, (double)info->limit_bytes));
    fact(facts, "ring", STYLE(info->dropped_oldest > 0 ? ROLE_WARNING : ROLE_TEXT), text);
}

void journey_detail_draw(struct canvas *canvas, const struct view *view,
                         const struct journey_listing *listing)
{
    const struct journey_info *info = journey_current(view, listing);
    struct facts facts = {.canvas = canvas};
    struct canvas left, right;
    char text[STREAM_TEXT], count[TEXT_FIGURE_SIZE];
    bool unreadable = listing->problem[0] != '\0' && info->total == 0;
    if (canvas->height <= 0 || canvas->width < LABEL + 8)
        return;
    /* Low but wide: the topics stand beside the rest. */
    bool beside = canvas->height <= 2 * EVENT_KIND_COUNT + 3 && canvas->width >= 76 && !unreadable;
    if (beside) {
        int width = canvas->width < 100 ? 24 : 46; /* with bars where there is room */
        left = canvas_sub(canvas, 0, 0, canvas->width - width - 2, canvas->height);
        right = canvas_sub(canvas, canvas->width - width, 0, width, canvas->height);
        struct facts topics = {.canvas = &right, .y = canvas->height > EVENT_KIND_COUNT};
        draw_topics(&topics, info);
        facts.canvas = &left;
    }
    canvas_text_fit(facts.canvas, 0, facts.y++, facts.canvas->width, STYLE(ROLE_STRONG),
                    journey_title(info, text));
    draw_state(&facts, view, listing);
    if (!unreadable) {
        draw_times(&facts, info);
        snprintf(text, sizeof text, "%s", text_count(count, (int64_t)info->total));
        fact(&facts, "records", STYLE(ROLE_STRONG), text);
        if (!beside)
            draw_topics(&facts, info);
    }
    draw_size(&facts, info);
    if (!unreadable) {
        snprintf(text, sizeof text, "%u", info->markers);
        fact(&facts, "markers", STYLE(ROLE_TEXT), text);
        if (info->damaged_chunks > 0) {
            snprintf(text, sizeof text, "%s records in damaged parts are passed over",
                     text_count(count, (int64_t)info->damaged_records));
            fact(&facts, "damage", STYLE(ROLE_BAD), text);
        }
        snprintf(text, sizeof text, "%s  seed %s", info->source[0] ? info->source : "unknown",
                 info->seed[0] ? info->seed : "none");
        fact(&facts, "source", STYLE(ROLE_TEXT), text);
    }
    if (journey_recording(view, listing)) {
        snprintf(text, sizeof text, "%s records missed", text_count(count, (int64_t)view->recorder.missed));
        if (view->recorder.missed > 0)
            fact(&facts, "", STYLE(ROLE_BAD), text);
        snprintf(text, sizeof text, "%zu of %zu batches", view->recorder.queue.depth,
                 view->recorder.queue.capacity);
        fact(&facts, "queue", STYLE(ROLE_DIM), text);
    }
    long_fact(&facts, "file", STYLE(ROLE_DIM), info->path);
}
