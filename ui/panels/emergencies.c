/*
 * Emergencies: the open ones first, each as many lines as there is room for; the resolved ones after them,
 * dim. One is selected; Enter brings it to the middle of the map. The selection is an incident's id, so that
 * it stays where it is while others come and go.
 */
#include "ui/panel.h"
#include "ui/panels/drive.h"
#include "ui/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct emergencies_state {
    char selected[40];
    bool chosen; /* the operator moved: before that nothing is marked */
    size_t top;
    int lines;       /* of one incident, as drawn last */
    char filter[96]; /* likewise */
    uint64_t changes;
};

static uint64_t generation(const void *state, const struct view *view)
{
    const struct emergencies_state *emergencies = state;
    uint64_t hash = drive_mix(emergencies->changes, view->city->kind_generation[EVENT_EMERGENCY]);
    /* "clears in" counts by minutes of simulated time. */
    return drive_mix(drive_mix(hash, (uint64_t)(view->city->simulated_ms / 60000)), drive_has_events(view));
}

#define SHOWN 128
/* What is shown, in order: open ones by severity, then as the snapshot has them, newest first. */
struct order {
    size_t count;
    const struct city_incident *incidents[SHOWN];
};

static bool fits(const struct city_incident *incident, const char *filter)
{
    const struct event_emergency *emergency = &incident->event.emergency;
    char place[DRIVE_TEXT];
    if (filter[0] == '\0')
        return true;
    double chainage = event_has(&incident->event, EMERGENCY_CHAINAGE) ? emergency->chainage : NAN;
    drive_place(emergency->route_id, emergency->road, chainage, true, place);
    const char *texts[] = {emergency->type, emergency->severity,    emergency->status,
                           place,           emergency->description, emergency->incident_id};
    return list_matches(filter, texts, sizeof texts / sizeof texts[0]);
}

static void arrange(struct order *order, const struct city_snapshot *city, const char *filter)
{
    order->count = 0;
    for (int rank = 5; rank >= 0; rank--)
        for (size_t i = 0; i < city->incident_count && order->count < SHOWN; i++)
            if (drive_urgency(&city->incidents[i]) == rank && fits(&city->incidents[i], filter))
                order->incidents[order->count++] = &city->incidents[i];
}

static size_t selected_index(const struct emergencies_state *emergencies, const struct order *order)
{
    for (size_t i = 0; i < order->count; i++)
        if (strcmp(order->incidents[i]->event.emergency.incident_id, emergencies->selected) == 0)
            return i;
    return 0;
}

static const char *severity_word(const struct event *event)
{
    static const char *const words[][2] = {
        {"Minor", "MINOR"}, {"Moderate", "MODERATE"}, {"Severe", "SEVERE"}, {"Extreme", "EXTREME"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(event->emergency.severity, words[i][0]) == 0)
            return words[i][1];
    return "UNRATED";
}

static void responders_text(const struct event *event, char *text, size_t size)
{
    const struct event_list *list = &event->emergency.responders;
    text[0] = '\0';
    if (!event_has(event, EMERGENCY_RESPONDERS))
        return;
    for (int i = 0; i < list->count && i < EVENT_RESPONDERS; i++) {
        char words[DRIVE_TEXT];
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", drive_words(list->items[i], words));
    }
}

static bool sane_time(int64_t milliseconds)
{
    return milliseconds > 0 && milliseconds < INT64_C(253402300800000);
}

static void line_what(const struct view *view, struct canvas *canvas, int y,
                      const struct city_incident *incident, bool brief)
{
    const struct event *event = &incident->event;
    const struct event_emergency *emergency = &event->emergency;
    struct style style = incident->open ? STYLE_BOLD(drive_severity_role(event)) : STYLE(ROLE_DIM);
    struct style plain = STYLE(incident->open ? ROLE_TEXT : ROLE_DIM);
    canvas_put(canvas, 0, y, incident->open ? 0x25B2 : 0x25B3, style);
    int x = canvas_text(canvas, 2, y, style, incident->open ? severity_word(event) : "resolved") + 1 + !brief;
    char type[DRIVE_TEXT], place[DRIVE_TEXT], when[TEXT_FIGURE_SIZE];
    drive_words(emergency->type, type);
    if (!brief)
        x = canvas_text_fit(canvas, x, y, 14, plain, type[0] != '\0' ? type : "incident") + 2;
    double chainage = event_has(event, EMERGENCY_CHAINAGE) ? emergency->chainage : NAN;
    drive_place(emergency->route_id, emergency->road, chainage, true, place);
    int end = canvas->width;
    if (!incident->open && sane_time(emergency->resolved_at))
        end = canvas_text_right(canvas, end, y, plain, drive_clock(emergency->resolved_at, when)) - 1;
    x = canvas_text_fit(canvas, x, y, end - x, plain, place) + 2;
    const char *marker = drive_marker(emergency->marker);
    if (incident->open && event_has(event, EMERGENCY_MARKER) && x + text_width(marker) <= end)
        canvas_text(canvas, x, y, STYLE(ROLE_DIM), marker);
}

static void lanes_text(const struct event *event, char *text, size_t size)
{
    const struct event_emergency *emergency = &event->emergency;
    int closed = emergency->lanes_closed, total = emergency->lanes_total;
    if (!event_has(event, EMERGENCY_LANES_CLOSED) || closed < 0 || closed > 12)
        text_copy(text, size, "lanes unknown");
    else if (closed == 0)
        text_copy(text, size, "all lanes open");
    else if (event_has(event, EMERGENCY_LANES_TOTAL) && total >= closed && total <= 12)
        snprintf(text, size, "%d of %d lanes closed", closed, total);
    else
        snprintf(text, size, "%d lane%s closed", closed, closed == 1 ? "" : "s");
}

static void clears_text(const struct view *view, const struct event *event, char *text, size_t size)
{
    int64_t at = event->emergency.expected_clear_at;
    char minutes[TEXT_FIGURE_SIZE];
    text_copy(text, size, "");
    if (!event_has(event, EMERGENCY_EXPECTED_CLEAR_AT) || !sane_time(at))
        return;
    double left = (double)(at - view->city->simulated_ms) / 1000;
    if (left <= 0)
        text_copy(text, size, "should be clear by now");
    else
        snprintf(text, size, "clears in about %s",
                 drive_minutes(left < 60 ? 60 : floor(left / 60) * 60, minutes));
}

static void line_state(const struct view *view, struct canvas *canvas, int y,
                       const struct city_incident *incident, bool brief)
{
    char lanes[DRIVE_TEXT], status[DRIVE_TEXT], responders[DRIVE_TEXT], text[400], left[DRIVE_TEXT];
    lanes_text(&incident->event, lanes, sizeof lanes);
    drive_words(incident->event.emergency.status, status);
    if (brief) {
        /* Lanes and minutes are what a small screen needs to say. */
        clears_text(view, &incident->event, left, sizeof left);
        const char *about = strstr(left, "about ");
        char *closed = strstr(lanes, " closed");
        if (closed != NULL)
            *closed = '\0';
        snprintf(text, sizeof text, "%s · %s", lanes, about != NULL ? about + strlen("about ") : status);
    } else {
        responders_text(&incident->event, responders, sizeof responders);
        snprintf(text, sizeof text, "%s · %s%s%s", lanes, status[0] != '\0' ? status : "status unknown",
                 responders[0] != '\0' ? " · " : "", responders);
    }
    canvas_text_fit(canvas, 2, y, canvas->width - 2, STYLE(ROLE_TEXT), text);
}

static void line_times(const struct view *view, struct canvas *canvas, int y,
                       const struct city_incident *incident, bool brief)
{
    const struct event_emergency *emergency = &incident->event.emergency;
    char clock[TEXT_FIGURE_SIZE], clears[DRIVE_TEXT], text[DRIVE_TEXT * 2];
    int64_t began = sane_time(emergency->reported_at) ? emergency->reported_at : incident->event.timestamp;
    clears_text(view, &incident->event, clears, sizeof clears);
    snprintf(text, sizeof text, "began %s%s%s", sane_time(began) ? drive_clock(began, clock) : "–",
             clears[0] != '\0' ? " · " : "", clears);
    canvas_text_fit(canvas, 2, y, canvas->width - 2, STYLE(ROLE_DIM), text);
}

static void line_words(const struct view *view, struct canvas *canvas, int y,
                       const struct city_incident *incident, bool brief)
{
    canvas_text_fit(canvas, 2, y, canvas->width - 2, STYLE(ROLE_DIM), incident->event.emergency.description);
}

static void (*const parts[])(const struct view *view, struct canvas *canvas, int y,
                             const struct city_incident *incident,
                             bool brief) = {line_what, line_state, line_times, line_words};
#define PARTS 4

static void draw(void *state, const struct view *view, struct canvas *whole,
                 const struct panel_context *context)
{
    struct canvas padded = drive_padded(whole), *canvas = &padded;
    struct emergencies_state *emergencies = state;
    const struct city_snapshot *city = view->city;
    if (city->incident_count == 0) {
        canvas_text_fit(canvas, 0, 0, canvas->width, STYLE(drive_has_events(view) ? ROLE_GOOD : ROLE_DIM),
                        drive_has_events(view) ? "none: the road is clear" : "waiting for Kafka");
        return;
    }
    /* As many lines each as let all open ones be seen, but one at least has two. */
    size_t open =
        city->incidents_open > 0 && city->incidents_open <= city->incident_count ? city->incidents_open : 1;
    int lines = canvas->height / (int)(open < 100 ? open : 100);
    lines = lines < 1 ? 1 : lines > PARTS ? PARTS : lines;
    if (lines == 1 && canvas->height >= 2 && canvas->height < 6)
        lines = 2;
    emergencies->lines = lines;
    text_copy(emergencies->filter, sizeof emergencies->filter,
              context->filter != NULL ? context->filter : "");
    struct order order;
    arrange(&order, city, emergencies->filter);
    bool brief = canvas->width < 36;
    if (order.count == 0) {
        canvas_text_fit(canvas, 0, 0, canvas->width, STYLE(ROLE_DIM), "no incident fits the filter");
        return;
    }
    size_t selected = selected_index(emergencies, &order);
    size_t rows = (size_t)(canvas->height / lines > 0 ? canvas->height / lines : 1);
    if (selected < emergencies->top)
        emergencies->top = selected;
    else if (selected >= emergencies->top + rows)
        emergencies->top = selected - rows + 1;
    if (emergencies->top >= order.count)
        emergencies->top = 0;
    int y = 0;
    for (size_t i = emergencies->top; i < order.count && y < canvas->height; i++) {
        const struct city_incident *incident = order.incidents[i];
        int used = incident->open ? lines : 1;
        for (int part = 0; part < used && y + part < canvas->height; part++)
            parts[part](view, canvas, y + part, incident, brief);
        if (i == selected && context->focused && emergencies->chosen)
            for (int x = 0; x < canvas->width; x++) {
                struct style style = canvas_at(canvas, x, y)->style;
                style.attributes |= ATTR_REVERSE;
                canvas_restyle(canvas, x, y, 1, style);
            }
        y += used;
    }
}

static void note(const void *state, const struct view *view, char *text, size_t size)
{
    text_copy(text, size, "");
    if (drive_has_events(view))
        snprintf(text, size, "%zu open", view->city->incidents_open);
}

static void choose(struct emergencies_state *emergencies, const struct city_incident *incident)
{
    text_copy(emergencies->selected, sizeof emergencies->selected, incident->event.emergency.incident_id);
    emergencies->chosen = true;
    emergencies->changes++;
}

static void go_there(const struct city_incident *incident, const struct panel_host *host)
{
    double latitude, longitude;
    char line[80];
    geo_unproject(incident->at, &latitude, &longitude);
    snprintf(line, sizeof line, "goto %.5f %.5f", latitude, longitude);
    host->send(host->context, line);
}

static bool command(void *state, const struct view *view, const char *name, const char *argument,
                    const struct panel_host *host)
{
    struct emergencies_state *emergencies = state;
    const struct city_snapshot *city = view->city;
    if (argument == NULL)
        argument = "";
    bool cycle = strcmp(name, "cycle") == 0 && strncmp(argument, "incident", 8) == 0;
    if ((!cycle && strcmp(name, "select") != 0 && strcmp(name, "open") != 0 && strcmp(name, "copy") != 0))
        return false;
    if (city->incident_count == 0) {
        if (cycle)
            host->toast(host->context, LOG_INFO, "no incident was reported");
        return cycle;
    }
    struct order order;
    arrange(&order, city, emergencies->filter);
    size_t at = selected_index(emergencies, &order), count = order.count;
    if (count == 0)
        return false;
    if (strcmp(name, "open") == 0) {
        choose(emergencies, order.incidents[at]);
        go_there(order.incidents[at], host);
        return true;
    }
    if (strcmp(name, "copy") == 0) {
        if (!emergencies->chosen || argument[0] != '\0')
            return false;
        host->copy(host->context, order.incidents[at]->event.emergency.incident_id);
        return true;
    }
    bool back = strstr(argument, "previous") != NULL || strcmp(argument, "page-up") == 0;
    if (cycle) {
        at = !emergencies->chosen ? 0 : back ? (at + count - 1) % count : (at + 1) % count;
        choose(emergencies, order.incidents[at]);
        go_there(order.incidents[at], host);
        return true;
    }
    if (strcmp(argument, "first") == 0)
        at = 0;
    else if (strcmp(argument, "last") == 0)
        at = count - 1;
    else if (back)
        at = !emergencies->chosen || at == 0 ? 0 : at - 1;
    else if (strcmp(argument, "next") == 0 || strcmp(argument, "page-down") == 0)
        at = !emergencies->chosen ? 0 : at + 1 < count ? at + 1 : count - 1;
    else
        return false;
    choose(emergencies, order.incidents[at]);
    return true;
}

static bool mouse(void *state, const struct view *view, enum panel_mouse what, int x, int y,
                  const struct panel_host *host)
{
    struct emergencies_state *emergencies = state;
    if (what == MOUSE_WHEEL_UP || what == MOUSE_WHEEL_DOWN)
        return command(state, view, "select", what == MOUSE_WHEEL_UP ? "previous" : "next", host);
    if (what != MOUSE_CLICK && what != MOUSE_DOUBLE)
        return false;
    int line = 0;
    struct order order;
    arrange(&order, view->city, emergencies->filter);
    for (size_t i = emergencies->top; i < order.count; i++) {
        line += order.incidents[i]->open ? emergencies->lines : 1;
        if (y < line) {
            choose(emergencies, order.incidents[i]);
            if (what == MOUSE_DOUBLE)
                go_there(order.incidents[i], host);
            return true;
        }
    }
    return false;
}

const struct panel_class emergencies_panel = {
    .name = "emergencies",
    .title = "Emergencies",
    .scopes = SCOPE_LIST,
    .state_size = sizeof(struct emergencies_state),
    .generation = generation,
    .draw = draw,
    .note = note,
    .command = command,
    .mouse = mouse,
};
