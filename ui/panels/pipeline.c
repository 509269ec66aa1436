/*
 * The way of an event as a strip: every hop with its state as a mark, a word and a figure, and the key that
 * acts on it. Three lines where there is room, one line otherwise; hops that are not connected yet are there,
 * dim, so that the whole way is always seen.
 */
#include "ui/panel.h"
#include "ui/panels/drive.h"

#include <stdio.h>
#include <string.h>

static enum role state_role(enum view_hop_state state)
{
    switch (state) {
    case HOP_GOOD:
        return ROLE_GOOD;
    case HOP_BUSY:
        return ROLE_INFO;
    case HOP_WARNING:
        return ROLE_WARNING;
    case HOP_BAD:
        return ROLE_BAD;
    case HOP_OFF:
        break;
    }
    return ROLE_DIM;
}

/* Full: well; half: at work or to be looked at; ring: off; cross: broken. */
static uint32_t state_mark(enum view_hop_state state)
{
    switch (state) {
    case HOP_GOOD:
        return 0x25CF;
    case HOP_BUSY:
    case HOP_WARNING:
        return 0x25D0;
    case HOP_BAD:
        return 0x2717;
    case HOP_OFF:
        break;
    }
    return 0x25CB;
}

static uint64_t generation(const void *state, const struct view *view)
{
    uint64_t hash = 0;
    for (int i = 0; i < VIEW_HOPS; i++) {
        hash = drive_mix(hash, (uint64_t)view->hops[i].state);
        hash = drive_mix_text(drive_mix_text(hash, view->hops[i].figure), view->hops[i].detail);
        if (view->hops[i].action != NULL)
            hash = drive_mix_text(hash, view->hops[i].action);
    }
    return hash;
}

static void draw_columns(const struct view *view, struct canvas *canvas)
{
    struct style arrow = STYLE(ROLE_FRAME);
    for (int i = 0; i < VIEW_HOPS; i++) {
        const struct view_hop *hop = &view->hops[i];
        if (hop->name == NULL)
            continue;
        int x = i * canvas->width / VIEW_HOPS, next = (i + 1) * canvas->width / VIEW_HOPS, width = next - x;
        bool off = hop->state == HOP_OFF;
        canvas_put(canvas, x, 0, state_mark(hop->state), STYLE(state_role(hop->state)));
        int after = canvas_text_fit(canvas, x + 2, 0, width - 3,
                                    off ? STYLE(ROLE_DIM) : STYLE_BOLD(ROLE_STRONG), hop->name);
        if (i + 1 < VIEW_HOPS)
            for (int column = after + 1; column < next - 1; column++)
                canvas_put(canvas, column, 0, column == next - 2 ? 0x25B6 : 0x2500, arrow);
        if (canvas->height < 2)
            continue;
        const char *first = hop->figure[0] != '\0' ? hop->figure : hop->detail;
        canvas_text_fit(canvas, x + 2, 1, width - 3, STYLE(off ? ROLE_DIM : state_role(hop->state)), first);
        /* The third line: the key that acts, or else the rest of what there is to say. */
        if (canvas->height < 3)
            continue;
        const char *detail = first == hop->detail ? "" : hop->detail;
        int y = 2;
        if (canvas->height > 3 && detail[0] != '\0')
            canvas_text_fit(canvas, x + 2, y++, width - 3, STYLE(ROLE_DIM), detail);
        else if (hop->key == NULL || hop->action == NULL)
            canvas_text_fit(canvas, x + 2, y, width - 3, STYLE(ROLE_DIM), detail);
        if (hop->key != NULL && hop->action != NULL) {
            char text[64];
            snprintf(text, sizeof text, "%s %s", hop->key, hop->action);
            canvas_text_fit(canvas, x + 2, y, width - 3, STYLE(ROLE_INFO), text);
        }
    }
}

/* What is left of a figure where there is little room: its number, or a tick for what is done. */
static const char *brief_figure(const struct view_hop *hop, char *out, size_t size)
{
    text_copy(out, size, hop->figure);
    if (strncmp(out, "all ", 4) == 0)
        text_copy(out, size, "✓");
    else if (strcmp(out, "idle") == 0)
        out[0] = '\0';
    else if (out[0] >= '0' && out[0] <= '9')
        out[strcspn(out, " ")] = '\0';
    return out;
}

static int line_width(const struct view *view, bool brief)
{
    int width = 1;
    char figure[sizeof view->hops[0].figure];
    for (int i = 0; i < VIEW_HOPS; i++) {
        const struct view_hop *hop = &view->hops[i];
        if (hop->name == NULL)
            continue;
        const char *text = brief ? brief_figure(hop, figure, sizeof figure) : hop->figure;
        width += text_width(hop->name) + (i > 0 ? 3 : 0);
        if (hop->state != HOP_OFF && text[0] != '\0')
            width += 1 + text_width(text);
    }
    return width;
}

/* "SIM 9.8k/s ▶ KAFKA lag 118 ▶ LAKE ▶ …": what is off has its name only, and one word for all of them at the
 * end when there is room. */
static void draw_line(const struct view *view, struct canvas *canvas)
{
    int x = 1;
    bool off = false, brief = line_width(view, false) > canvas->width;
    char figure[sizeof view->hops[0].figure];
    for (int i = 0; i < VIEW_HOPS; i++) {
        const struct view_hop *hop = &view->hops[i];
        if (hop->name == NULL)
            continue;
        if (x > 1)
            x = canvas_text(canvas, x, 0, STYLE(ROLE_FRAME), " ▶ ");
        bool bare = hop->state == HOP_OFF;
        off |= bare;
        x = canvas_text(canvas, x, 0, bare ? STYLE(ROLE_DIM) : STYLE_BOLD(ROLE_STRONG), hop->name);
        const char *text = brief ? brief_figure(hop, figure, sizeof figure) : hop->figure;
        if (!bare && text[0] != '\0')
            x = canvas_text(canvas, x + 1, 0, STYLE(state_role(hop->state)), text);
    }
    if (off && x + 2 + 13 <= canvas->width)
        canvas_text(canvas, x + 2, 0, STYLE(ROLE_DIM), "not connected");
}

static void draw(void *state, const struct view *view, struct canvas *whole,
                 const struct panel_context *context)
{
    struct canvas padded = whole->height > 1 ? drive_padded(whole) : *whole, *canvas = &padded;
    if (canvas->height >= 2 && canvas->width >= 84)
        draw_columns(view, canvas);
    else
        draw_line(view, canvas);
}

static void note(const void *state, const struct view *view, char *text, size_t size)
{
    uint64_t produced = 0, acknowledged = 0, consumed = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        produced += view->producer.topics[kind].produced;
        acknowledged += view->producer.topics[kind].acknowledged;
        consumed += view->consumer.topics[kind].consumed;
    }
    char sent[TEXT_FIGURE_SIZE], safe[TEXT_FIGURE_SIZE], read[TEXT_FIGURE_SIZE];
    if (view->sim.present)
        snprintf(text, size, "simulated %s · acknowledged %s · consumed %s",
                 text_count(sent, (int64_t)produced), text_count(safe, (int64_t)acknowledged),
                 text_count(read, (int64_t)consumed));
    else
        snprintf(text, size, "consumed %s", text_count(read, (int64_t)consumed));
}

const struct panel_class pipeline_panel = {
    .name = "pipeline",
    .title = "Pipeline",
    .generation = generation,
    .draw = draw,
    .note = note,
};
