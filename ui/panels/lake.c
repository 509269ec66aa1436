#include "ui/panels/lake.h"

#include <stdio.h>

uint32_t lake_mark(enum role role)
{
    switch (role) {
    case ROLE_GOOD:
        return 0x25CF;
    case ROLE_INFO:
    case ROLE_WARNING:
        return 0x25D0;
    case ROLE_BAD:
        return 0x2717;
    default:
        return 0x25CB;
    }
}

enum role lake_partition_role(enum lake_partition_state state)
{
    switch (state) {
    case LAKE_PARTITION_OPEN:
        return ROLE_TEXT;
    case LAKE_PARTITION_REDO:
        return ROLE_WARNING;
    default:
        return ROLE_BAD;
    }
}

enum role lake_batch_role(enum lake_batch_state state)
{
    switch (state) {
    case LAKE_BATCH_LANDED:
        return ROLE_GOOD;
    case LAKE_BATCH_CLOSED:
    case LAKE_BATCH_SPOOLED:
    case LAKE_BATCH_LANDING:
        return ROLE_INFO;
    case LAKE_BATCH_WAITING:
        return ROLE_WARNING;
    default:
        return ROLE_BAD;
    }
}

int64_t lake_seconds(const struct view *view, int64_t from_us)
{
    if (from_us <= 0)
        return -1;
    int64_t span = stream_span(from_us, view->wall_us) / 1000000;
    return span > 0 ? span : 0;
}

char *lake_age(char out[TEXT_FIGURE_SIZE], const struct view *view, int64_t from_us)
{
    int64_t seconds = lake_seconds(view, from_us);
    if (seconds < 0)
        return stream_none(out);
    if (seconds < 120)
        snprintf(out, TEXT_FIGURE_SIZE, "%lld s", (long long)seconds);
    else
        text_age(out, seconds < INT64_MAX / 1000000 ? seconds * 1000000 : INT64_MAX);
    return out;
}

#define GAUGE 8

void lake_fact(struct canvas *canvas, int y, int label_width, const char *label, double fraction,
               struct style style, const char *text)
{
    int x = label_width;
    canvas_text_fit(canvas, 0, y, label_width - 1, STYLE(ROLE_DIM), label);
    if (fraction >= 0 && canvas->width >= x + GAUGE + 1 + text_width(text)) {
        canvas_bar(canvas, x, y, GAUGE, fraction > 1 ? 1 : fraction,
                   fraction >= 0.8 ? STYLE(ROLE_WARNING) : STYLE(ROLE_INFO));
        x += GAUGE + 1;
    }
    canvas_text_fit(canvas, x, y, canvas->width - x, style, text);
}

bool lake_no_cloud(struct canvas *canvas, const struct view *view)
{
    switch (view->cloud.state) {
    case VIEW_CLOUD_READY:
        return false;
    case VIEW_CLOUD_OFF:
        stream_nothing(canvas, "the cloud is off", "start without --cloud off to have one");
        return true;
    case VIEW_CLOUD_STARTING:
        stream_nothing(canvas, view->cloud.local ? "the local cloud is starting" : "asking AWS who we are",
                       "");
        return true;
    case VIEW_CLOUD_BAD:
        break;
    }
    stream_nothing(canvas, "the cloud cannot be reached; tried again every few seconds", view->cloud.problem);
    return true;
}

bool lake_absent(struct canvas *canvas, const struct view *view)
{
    if (view->lake.present)
        return false;
    if (view->lake.problem[0] != '\0')
        stream_nothing(canvas, "the lake writer does not run", view->lake.problem);
    else if (!lake_no_cloud(canvas, view))
        stream_nothing(canvas, "the lake writer is starting", "");
    return true;
}
