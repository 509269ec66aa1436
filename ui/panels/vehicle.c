/*
 * The followed vehicle: one fact a line, the ones an operator needs first when there are few lines. What was
 * not in the records is said to be unknown, never shown as 0.
 */
#include "ui/panel.h"
#include "ui/panels/drive.h"
#include "ui/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct vehicle_state {
    int width; /* as drawn last */
};

/* Plausible figures only: what is out of range is as good as unknown. */
static bool known(const struct event *event, int field, double value, double least, double most)
{
    return event_has(event, field) && value >= least && value <= most;
}

static uint64_t generation(const void *state, const struct view *view)
{
    const struct city_snapshot *city = view->city;
    char age[TEXT_FIGURE_SIZE];
    uint64_t hash = drive_mix(city->kind_generation[EVENT_VEHICLE], city->kind_generation[EVENT_GPS]);
    hash = drive_mix_text(hash,
                          drive_age(view, city->followed.known ? city->followed.vehicle_arrived_us : 0, age));
    hash = drive_mix_text(hash, city->followed.known ? city->followed.vehicle.device_id : "");
    return drive_mix(hash, drive_still(view));
}

struct line {
    struct canvas *canvas;
    const struct view *view;
    int y, label; /* where the value begins */
    int extra;    /* rows more than its own that the line may use */
};

static int fact(const struct line *line, const char *label, struct style style, const char *value)
{
    return drive_fact(line->canvas, line->y, line->label, label, style, value);
}

static void unknown(const struct line *line, const char *label)
{
    fact(line, label, STYLE(ROLE_DIM), "unknown");
}

static void line_speed(const struct line *line)
{
    const struct city_followed *followed = &line->view->city->followed;
    const struct event_vehicle *vehicle = &followed->vehicle.vehicle;
    struct canvas *canvas = line->canvas;
    if (!known(&followed->vehicle, VEHICLE_SPEED, vehicle->speed, 0, 500)) {
        unknown(line, "speed");
        return;
    }
    char text[DRIVE_TEXT];
    bool limited = known(&followed->vehicle, VEHICLE_SPEED_LIMIT, vehicle->speed_limit, 1, 500);
    double over = limited ? vehicle->speed - vehicle->speed_limit : 0;
    snprintf(text, sizeof text, "%3.0f km/h", vehicle->speed);
    int x = fact(line, "speed", over > 8 ? STYLE_BOLD(ROLE_WARNING) : STYLE_BOLD(ROLE_STRONG), text) + 2;
    int right = canvas->width;
    if (limited) {
        snprintf(text, sizeof text, canvas->width >= 40 ? "limit %d" : "of %d", vehicle->speed_limit);
        right = canvas_text_right(canvas, right, line->y, STYLE(ROLE_DIM), text) - 2;
    }
    size_t count = followed->track_count <= CITY_TRACK ? followed->track_count : 0;
    int width = right - x;
    if (width < 4 || count < 2)
        return;
    double top = limited ? vehicle->speed_limit * 1.15 : plot_top(plot_max(followed->speeds, count, count));
    if (line->extra > 0) {
        struct canvas area = canvas_sub(canvas, x, line->y, width, 1 + line->extra);
        struct plot plot = {.values = followed->speeds,
                            .count = count,
                            .window = CITY_TRACK,
                            .top = top,
                            .style = STYLE(ROLE_VEHICLE)};
        plot_draw(&plot, &area);
    } else {
        canvas_spark(canvas, x, line->y, width, 1, followed->speeds, count, (float)top, STYLE(ROLE_VEHICLE));
    }
}

static void line_road(const struct line *line)
{
    const struct event *event = &line->view->city->followed.vehicle;
    const struct event_vehicle *vehicle = &event->vehicle;
    char place[DRIVE_TEXT], text[256];
    bool on_route = known(event, VEHICLE_CHAINAGE, vehicle->chainage, 0, 1000);
    drive_place(vehicle->route_id, vehicle->road, on_route ? vehicle->chainage : NAN,
                line->canvas->width >= 40, place);
    int x = fact(line, "road", STYLE(ROLE_TEXT), place) + 2;
    text[0] = '\0';
    if (event_has(event, VEHICLE_MARKER) && line->canvas->width >= 36)
        snprintf(text, sizeof text, "%s  ", drive_marker(vehicle->marker));
    size_t used = strlen(text);
    if (known(event, VEHICLE_LANE, vehicle->lane, 1, 12)) {
        if (known(event, VEHICLE_LANES, vehicle->lanes, 1, 12) && line->canvas->width >= 40)
            snprintf(text + used, sizeof text - used, "lane %d of %d", vehicle->lane, vehicle->lanes);
        else
            snprintf(text + used, sizeof text - used, "lane %d", vehicle->lane);
    }
    if (x + text_width(text) > line->canvas->width) {
        /* The lane matters more than the marker post. */
        memmove(text, text + used, strlen(text + used) + 1);
    }
    if (x + text_width(text) <= line->canvas->width)
        canvas_text(line->canvas, x, line->y, STYLE(ROLE_TEXT), text);
}

static void line_ahead(const struct line *line)
{
    const struct city_followed *followed = &line->view->city->followed;
    const struct event_vehicle *vehicle = &followed->vehicle.vehicle;
    double ahead = followed->queue_ahead_km;
    char text[DRIVE_TEXT], distance[TEXT_FIGURE_SIZE], length[TEXT_FIGURE_SIZE], time[TEXT_FIGURE_SIZE];
    if (!(ahead >= 0)) {
        fact(line, "ahead", STYLE(ROLE_GOOD), isnan(ahead) ? "unknown" : "clear for 50 km");
        return;
    }
    drive_distance(followed->queue_length_km * 1000, length);
    if (ahead < 0.05) {
        snprintf(text, sizeof text, "in a queue, %s to go", length);
        fact(line, "ahead", STYLE_BOLD(ROLE_QUEUE), text);
        return;
    }
    drive_distance(ahead * 1000, distance);
    bool moving = known(&followed->vehicle, VEHICLE_SPEED, vehicle->speed, 5, 500);
    drive_minutes(moving ? ahead / vehicle->speed * 3600 : NAN, time);
    if (!moving)
        snprintf(text, sizeof text, "queue in %s", distance);
    else if (line->canvas->width >= 44)
        snprintf(text, sizeof text, "queue in %s, %s; %s long", distance, time, length);
    else
        snprintf(text, sizeof text, "queue %s, %s", distance, time);
    fact(line, "ahead", STYLE(ROLE_QUEUE), text);
}

static void line_fuel(const struct line *line)
{
    const struct event *event = &line->view->city->followed.vehicle;
    const struct event_vehicle *vehicle = &event->vehicle;
    bool battery = known(event, VEHICLE_BATTERY_LEVEL, vehicle->battery_level, 0, 100);
    const char *label = battery || strcmp(vehicle->fuel_type, "Electric") == 0 ? "battery" : "fuel";
    double level = battery ? vehicle->battery_level : vehicle->fuel_level;
    if (!battery && !known(event, VEHICLE_FUEL_LEVEL, vehicle->fuel_level, 0, 100)) {
        unknown(line, label);
        return;
    }
    char text[DRIVE_TEXT];
    snprintf(text, sizeof text, "%3.0f %%", level);
    enum role role = level < 10 ? ROLE_BAD : level < 20 ? ROLE_WARNING : ROLE_GOOD;
    int x = fact(line, label, level < 20 ? STYLE_BOLD(role) : STYLE(ROLE_TEXT), text) + 2;
    int right = line->canvas->width;
    if (known(event, VEHICLE_FUEL_RATE, vehicle->fuel_rate, 0, 999) && right >= 34) {
        snprintf(text, sizeof text, "%.1f %s/100 km", vehicle->fuel_rate, battery ? "kWh" : "L");
        right = canvas_text_right(line->canvas, right, line->y, STYLE(ROLE_DIM), text) - 2;
    }
    if (level < 20)
        x = canvas_text(line->canvas, x, line->y, STYLE_BOLD(role), "low") + 2;
    int width = right - x < 24 ? right - x : 24;
    if (width >= 4)
        canvas_bar(line->canvas, x, line->y, width, level / 100, STYLE(role));
}

static void line_trip(const struct line *line)
{
    const struct city_followed *followed = &line->view->city->followed;
    char text[DRIVE_TEXT], clock[TEXT_FIGURE_SIZE];
    bool whole = followed->trip_km > 0 && followed->trip_km < 10000 && followed->trip_done_km >= 0;
    bool wide = line->canvas->width >= 40;
    if (followed->arrives_at > 0 && followed->arrives_at < INT64_C(253402300800000))
        drive_clock(followed->arrives_at, clock);
    else
        text_copy(clock, sizeof clock, "?");
    if (!whole)
        text_copy(text, sizeof text, "unknown");
    else if (wide)
        snprintf(text, sizeof text, "%.1f of %.1f km  arrives %s", followed->trip_done_km, followed->trip_km,
                 clock);
    else
        snprintf(text, sizeof text, "%s %.0f of %.0f km", clock, followed->trip_done_km, followed->trip_km);
    fact(line, wide || !whole ? "trip" : "arrives", STYLE(whole ? ROLE_TEXT : ROLE_DIM), text);
}

static void line_make(const struct line *line)
{
    const struct event *event = &line->view->city->followed.vehicle;
    const struct event_vehicle *vehicle = &event->vehicle;
    char text[192], fuel[DRIVE_TEXT], year[16] = "", age[TEXT_FIGURE_SIZE], old[TEXT_FIGURE_SIZE + 8];
    if (known(event, VEHICLE_YEAR, vehicle->year, 1886, 2200))
        snprintf(year, sizeof year, " %d", vehicle->year);
    snprintf(text, sizeof text, "%s%s%s%s", vehicle->make, vehicle->make[0] && vehicle->model[0] ? " " : "",
             vehicle->model, year);
    drive_age(line->view, line->view->city->followed.vehicle_arrived_us, age);
    snprintf(old, sizeof old, "event %s", age);
    int room = line->canvas->width;
    if (room >= 40)
        room = canvas_text_right(line->canvas, room, line->y, STYLE(ROLE_DIM), old) - 1;
    const char *words[] = {drive_words(vehicle->fuel_type, fuel), vehicle->vehicle_type, vehicle->category};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i][0] != '\0' && text_width(text) + text_width(words[i]) + 3 <= room) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? " · " : "", words[i]);
        }
    canvas_text_fit(line->canvas, 0, line->y, room, STYLE(text[0] != '\0' ? ROLE_TEXT : ROLE_DIM),
                    text[0] != '\0' ? text : "make unknown");
}

static void line_gps(const struct line *line)
{
    const struct city_followed *followed = &line->view->city->followed;
    const struct event *event = &followed->gps;
    const struct event_gps *gps = &event->gps;
    char text[192];
    if (followed->gps_arrived_us == 0) {
        fact(line, "gps", STYLE(ROLE_DIM), "no report yet");
        return;
    }
    if (!event_has(event, GPS_LOCATION) || strcmp(gps->fix, "none") == 0) {
        fact(line, "gps", STYLE_BOLD(ROLE_WARNING), "no fix");
        return;
    }
    /* As much of it as fits, the accuracy before the rest. */
    char parts[3][48] = {"", "", ""};
    snprintf(text, sizeof text, "%.4f %.4f", gps->location.latitude, gps->location.longitude);
    if (known(event, GPS_ACCURACY, gps->accuracy, 0, 100000))
        snprintf(parts[0], sizeof parts[0], "  ±%.0f m", gps->accuracy);
    if (known(event, GPS_HDOP, gps->hdop, 0, 100))
        snprintf(parts[1], sizeof parts[1], "  HDOP %.1f", gps->hdop);
    if (known(event, GPS_SATELLITES, gps->satellites, 0, 100))
        snprintf(parts[2], sizeof parts[2], "  %d satellites", gps->satellites);
    for (int i = 0; i < 3; i++) {
        size_t used = strlen(text);
        if (line->label + text_width(text) + text_width(parts[i]) <= line->canvas->width)
            text_copy(text + used, sizeof text - used, parts[i]);
    }
    bool poor = known(event, GPS_ACCURACY, gps->accuracy, 15, 100000);
    fact(line, "gps", STYLE(poor ? ROLE_WARNING : ROLE_TEXT), text);
}

static void line_status(const struct line *line)
{
    const struct event *event = &line->view->city->followed.vehicle;
    const struct event_vehicle *vehicle = &event->vehicle;
    char text[192], words[DRIVE_TEXT], way[DRIVE_TEXT];
    drive_words(vehicle->status, words);
    snprintf(text, sizeof text, "%s", words[0] != '\0' ? words : "unknown");
    size_t used = strlen(text);
    bool lamp = event_has(event, VEHICLE_ENGINE_WARNING) && vehicle->engine_warning;
    if (lamp)
        snprintf(text + used, sizeof text - used, ", engine warning %s",
                 event_has(event, VEHICLE_FAULT_CODE) ? vehicle->fault_code : "");
    else if (vehicle->direction[0] != '\0')
        snprintf(text + used, sizeof text - used, ", %s", drive_words(vehicle->direction, way));
    if (known(event, VEHICLE_ODOMETER, vehicle->odometer, 0, 1e7)) {
        char count[TEXT_FIGURE_SIZE], odometer[64];
        snprintf(odometer, sizeof odometer, "  odometer %s km",
                 text_count(count, (int64_t)vehicle->odometer));
        used = strlen(text);
        if (line->label + text_width(text) + text_width(odometer) <= line->canvas->width)
            text_copy(text + used, sizeof text - used, odometer);
    }
    bool ill = strcmp(vehicle->status, "brokenDown") == 0 || strcmp(vehicle->status, "stopped") == 0;
    fact(line, "status",
         ill    ? STYLE_BOLD(ROLE_BAD)
         : lamp ? STYLE_BOLD(ROLE_WARNING)
                : STYLE(ROLE_TEXT),
         text);
}

/* In the order of the screen; the lower the rank, the longer a line stays when rows are few. */
static const struct {
    void (*draw)(const struct line *line);
    int rank;
} lines[] = {
    {line_make, 5}, {line_speed, 0}, {line_road, 1}, {line_ahead, 2},
    {line_fuel, 3}, {line_trip, 4},  {line_gps, 6},  {line_status, 7},
};
#define LINES ((int)(sizeof lines / sizeof lines[0]))

static void draw(void *state, const struct view *view, struct canvas *whole,
                 const struct panel_context *context)
{
    struct canvas padded = drive_padded(whole), *canvas = &padded;
    ((struct vehicle_state *)state)->width = canvas->width;
    if (!view->city->followed.known) {
        canvas_text_fit(canvas, 0, 0, canvas->width, STYLE(ROLE_DIM),
                        drive_has_events(view) ? "no vehicle seen yet" : "waiting for Kafka");
        return;
    }
    struct line line = {.canvas = canvas, .view = view, .label = canvas->width >= 34 ? 9 : 8};
    /* Rows to spare make the speed's plot higher. */
    int spare = canvas->height - LINES;
    for (int i = 0; i < LINES; i++) {
        if (lines[i].rank >= canvas->height)
            continue;
        line.extra = 0;
        if (lines[i].draw == line_speed && spare > 0)
            line.extra = spare < 3 ? spare : 3;
        lines[i].draw(&line);
        line.y += 1 + line.extra;
    }
}

static void heading(const void *state, const struct view *view, char *text, size_t size)
{
    const struct vehicle_state *vehicle = state;
    if (view->city->followed.known)
        snprintf(text, size, "%s%s", vehicle->width >= 40 ? "Vehicle " : "",
                 view->city->followed.vehicle.device_id);
    else
        text_copy(text, size, "Vehicle");
}

static void note(const void *state, const struct view *view, char *text, size_t size)
{
    const struct city_snapshot *city = view->city;
    char at[TEXT_FIGURE_SIZE], of[TEXT_FIGURE_SIZE];
    text_copy(text, size, "");
    /* On a small panel the line that tells the age is not there. */
    if (city->followed.known && ((const struct vehicle_state *)state)->width < 40)
        snprintf(text, size, "%s ago", drive_age(view, city->followed.vehicle_arrived_us, at));
    else if (city->followed.known && city->followed.index < city->vehicle_count)
        snprintf(text, size, "%s of %s", text_count(at, (int64_t)city->followed.index + 1),
                 text_count(of, (int64_t)city->vehicle_count));
}

static bool command(void *state, const struct view *view, const char *name, const char *argument,
                    const struct panel_host *host)
{
    if (strcmp(name, "cycle") == 0 && argument != NULL && strncmp(argument, "vehicle", 7) == 0) {
        host->send(host->context, strstr(argument, "previous") != NULL ? "follow previous" : "follow next");
        return true;
    }
    if (strcmp(name, "copy") == 0 && view->city->followed.known &&
        (argument == NULL || argument[0] == '\0')) {
        host->copy(host->context, view->city->followed.vehicle.device_id);
        return true;
    }
    return false;
}

const struct panel_class vehicle_panel = {
    .name = "vehicle",
    .title = "Vehicle",
    .state_size = sizeof(struct vehicle_state),
    .generation = generation,
    .draw = draw,
    .heading = heading,
    .note = note,
    .command = command,
};
