/*
 * The camera nearest to the followed vehicle, or the one that was chosen: its picture as cells, made when the
 * picture or the size changes and kept until then, and below it always in words what it shows.
 */
#include "ui/panel.h"
#include "ui/panels/drive.h"

#include "ui/image.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct camera_state {
    /* What the cells were made of. */
    uint64_t generation;
    int width, height;
    enum image_look look;
    enum glyphs glyphs;
    bool made;
    struct cell *cells; /* NULL when there is no picture to show */
    char problem[120];  /* why not */
    bool damaged;
};

static void destroy(void *state)
{
    struct camera_state *camera = state;
    free(camera->cells);
}

static uint64_t generation(const void *state, const struct view *view)
{
    const struct city_image *image = &view->city->image;
    char age[TEXT_FIGURE_SIZE];
    uint64_t hash = drive_mix(image->generation, image->known);
    hash = drive_mix(hash, (uint64_t)image->event.timestamp);
    hash = drive_mix_text(hash, image->event.traffic.camera_id);
    return drive_mix_text(hash, drive_age(view, image->known ? image->arrived_us : 0, age));
}

/* ---- words ------------------------------------------------------------------------------------------- */

/* "M40 J8–J8A NB": from the position, on the carriageway it watches. */
static bool place_text(const struct event *event, char out[DRIVE_TEXT])
{
    const struct event_traffic *traffic = &event->traffic;
    text_copy(out, DRIVE_TEXT, traffic->road);
    if (!event_has(event, TRAFFIC_LOCATION))
        return out[0] != '\0';
    bool down = event_has(event, TRAFFIC_CARRIAGEWAY) && traffic->carriageway[0] == 'B';
    double least = 1000, at = 0;
    int nearest = -1;
    for (int route = down ? GEO_M40_SOUTH : GEO_M40_NORTH; route < GEO_ROUTES; route += 2) {
        double distance, chainage = geo_route_nearest((enum geo_route)route, traffic->location.latitude,
                                                      traffic->location.longitude, &distance);
        if (distance < least) {
            least = distance;
            at = chainage;
            nearest = route;
        }
    }
    if (nearest >= 0)
        drive_place(geo_route_id((enum geo_route)nearest), traffic->road, at / 1000, true, out);
    return out[0] != '\0';
}

static void append(char *text, size_t size, const char *separator, const char *more)
{
    size_t used = strlen(text);
    if (more[0] != '\0' && used < size)
        snprintf(text + used, size - used, "%s%s", used > 0 ? separator : "", more);
}

static const char *traffic_word(const struct event *event)
{
    const struct event_traffic *traffic = &event->traffic;
    if (event_has(event, TRAFFIC_CONGESTED) && traffic->congested)
        return "queue";
    if (event_has(event, TRAFFIC_AVERAGE_VEHICLE_SPEED) && traffic->average_vehicle_speed < 60)
        return "slow";
    return event_has(event, TRAFFIC_CONGESTED) ? "free" : "";
}

static void counts_text(const struct event *event, char *text, size_t size, bool classes)
{
    static const char *const words[EVENT_COUNT_CLASSES][2] = {
        {"car", "cars"}, {"van", "vans"}, {"lorry", "lorries"}, {"bus", "buses"}};
    text[0] = '\0';
    if (!event_has(event, TRAFFIC_VEHICLE_COUNTS)) {
        text_copy(text, size, "vehicles unknown");
        return;
    }
    int64_t total = 0;
    char part[64];
    for (int i = 0; i < EVENT_COUNT_CLASSES; i++) {
        int32_t count = event->traffic.vehicle_counts.by_class[i];
        total += count > 0 ? count : 0;
    }
    snprintf(text, size, "%lld vehicle%s", (long long)total, total == 1 ? "" : "s");
    for (int i = 0, shown = 0; i < EVENT_COUNT_CLASSES && classes; i++) {
        int32_t count = event->traffic.vehicle_counts.by_class[i];
        if (count <= 0)
            continue;
        snprintf(part, sizeof part, "%d %s", count, words[i][count == 1 ? 0 : 1]);
        append(text, size, shown++ == 0 ? ": " : ", ", part);
    }
}

/* The road's state as the nearest station told it. */
static const char *surface_word(const struct view *view)
{
    const struct event *event = &view->city->image.event;
    const struct city_station *nearest = NULL;
    double least = 30000;
    if (!event_has(event, TRAFFIC_LOCATION))
        return "";
    for (size_t i = 0; i < view->city->station_count; i++) {
        const struct event *weather = &view->city->stations[i].event;
        if (!event_has(weather, WEATHER_LOCATION) || !event_has(weather, WEATHER_ROAD_SURFACE))
            continue;
        double distance =
            geo_distance(event->traffic.location.latitude, event->traffic.location.longitude,
                         weather->weather.location.latitude, weather->weather.location.longitude);
        if (distance < least) {
            least = distance;
            nearest = &view->city->stations[i];
        }
    }
    return nearest != NULL ? nearest->event.weather.road_surface : "";
}

/* Captions from the one that must be there to those that may. Returns how many of at most three were filled.
 */
static int captions(const struct view *view, const struct camera_state *camera, int width, char out[3][256])
{
    const struct event *event = &view->city->image.event;
    const struct event_traffic *traffic = &event->traffic;
    char text[128], time[TEXT_TIME_SIZE];
    /* With the classes of vehicles when all of it fits. */
    for (int classes = 1; classes >= 0; classes--) {
        counts_text(event, out[0], sizeof out[0], classes == 1);
        append(out[0], sizeof out[0], ", ", traffic_word(event));
        append(out[0], sizeof out[0], ", ", surface_word(view));
        if (event->timestamp > 0) {
            snprintf(text, sizeof text, "%.8sZ", text_time(time, event->timestamp) + 11);
            append(out[0], sizeof out[0], " · ", text);
        }
        if (text_width(out[0]) <= width)
            break;
    }
    text_copy(out[1], sizeof out[1], "");
    if (event_has(event, TRAFFIC_AVERAGE_VEHICLE_SPEED) && traffic->average_vehicle_speed >= 0 &&
        traffic->average_vehicle_speed < 500) {
        snprintf(text, sizeof text, "mean %.0f km/h", traffic->average_vehicle_speed);
        append(out[1], sizeof out[1], " · ", text);
    }
    if (event_has(event, TRAFFIC_INTENSITY) && traffic->intensity >= 0 && traffic->intensity < 1e6) {
        char count[TEXT_FIGURE_SIZE];
        snprintf(text, sizeof text, "%s veh/h", text_count(count, (int64_t)traffic->intensity));
        append(out[1], sizeof out[1], " · ", text);
    }
    if (event_has(event, TRAFFIC_OCCUPANCY) && traffic->occupancy >= 0 && traffic->occupancy <= 1) {
        snprintf(text, sizeof text, "%.0f %% occupied", traffic->occupancy * 100);
        append(out[1], sizeof out[1], " · ", text);
    }
    text_copy(out[2], sizeof out[2], traffic->camera_id);
    append(out[2], sizeof out[2], " · ", drive_marker(traffic->marker));
    if (camera->damaged)
        append(out[2], sizeof out[2], " · ", "picture damaged");
    return 3;
}

/* ---- picture ----------------------------------------------------------------------------------------- */

static void make(struct camera_state *camera, const struct city_image *image, enum image_look look,
                 enum glyphs glyphs, int width, int height)
{
    if (camera->made && camera->generation == image->generation && camera->width == width &&
        camera->height == height && camera->look == look && camera->glyphs == glyphs)
        return;
    camera->made = true;
    camera->generation = image->generation;
    camera->width = width;
    camera->height = height;
    camera->look = look;
    camera->glyphs = glyphs;
    free(camera->cells);
    camera->cells = NULL;
    camera->damaged = false;
    camera->problem[0] = '\0';
    if (image->length == 0 || image->bytes == NULL) {
        text_copy(camera->problem, sizeof camera->problem,
                  event_has(&image->event, TRAFFIC_SNAPSHOT_REF) ? "the picture is kept elsewhere"
                                                                 : "no picture sent");
        return;
    }
    struct image picture;
    struct err err = ERR_INIT;
    if (image_decode(&picture, image->bytes, image->length, &err) != 0) {
        text_copy(camera->problem, sizeof camera->problem, err.text);
        return;
    }
    camera->damaged = picture.damaged;
    camera->cells = mem_zero((size_t)width * (size_t)height, sizeof *camera->cells);
    image_render(&picture, look, glyphs, width, height, camera->cells);
    image_destroy(&picture);
}

static void draw(void *state, const struct view *view, struct canvas *canvas,
                 const struct panel_context *context)
{
    struct camera_state *camera = state;
    const struct city_image *image = &view->city->image;
    if (!image->known) {
        canvas_text_fit(canvas, canvas->width >= 24, 0, canvas->width - 2, STYLE(ROLE_DIM),
                        drive_has_events(view) ? "no camera was heard yet" : "waiting for Kafka");
        return;
    }
    int rows = canvas->height >= 16 ? 3 : canvas->height >= 11 ? 2 : 1;
    int height = canvas->height - rows;
    enum image_look look =
        context->images_rgb && canvas->glyphs != GLYPHS_ASCII ? IMAGE_COLOURS : IMAGE_GREYS;
    if (height >= 3 && canvas->width >= 8) {
        make(camera, image, look, canvas->glyphs, canvas->width, height);
        if (camera->cells == NULL)
            canvas_text_fit(canvas, 1, height / 2, canvas->width - 2, STYLE(ROLE_DIM), camera->problem);
        for (int y = 0; y < height && camera->cells != NULL; y++)
            for (int x = 0; x < canvas->width; x++) {
                const struct cell *cell = &camera->cells[y * canvas->width + x];
                canvas_put(canvas, x, y, cell->rune, cell->style);
            }
    } else {
        height = 0;
        rows = canvas->height < 3 ? canvas->height : 3;
    }
    char lines[3][256];
    captions(view, camera, canvas->width - 2, lines);
    for (int i = 0; i < rows; i++)
        canvas_text_fit(canvas, canvas->width >= 24, height + i, canvas->width - 2 * (canvas->width >= 24),
                        STYLE(i == 0 ? ROLE_TEXT : ROLE_DIM), lines[i]);
}

static void heading(const void *state, const struct view *view, char *text, size_t size)
{
    char place[DRIVE_TEXT];
    if (view->city->image.known && place_text(&view->city->image.event, place))
        snprintf(text, size, "Camera %s", place);
    else
        text_copy(text, size, "Camera");
}

static void note(const void *state, const struct view *view, char *text, size_t size)
{
    char age[TEXT_FIGURE_SIZE];
    text_copy(text, size, "");
    if (view->city->image.known)
        snprintf(text, size, "%s ago", drive_age(view, view->city->image.arrived_us, age));
}

static bool command(void *state, const struct view *view, const char *name, const char *argument,
                    const struct panel_host *host)
{
    if (strcmp(name, "cycle") == 0 && argument != NULL && strncmp(argument, "camera", 6) == 0) {
        host->send(host->context, strstr(argument, "previous") != NULL ? "camera previous" : "camera next");
        return true;
    }
    if (strcmp(name, "copy") == 0 && view->city->image.known && (argument == NULL || argument[0] == '\0')) {
        host->copy(host->context, view->city->image.event.traffic.camera_id);
        return true;
    }
    return false;
}

const struct panel_class camera_panel = {
    .name = "camera",
    .title = "Camera",
    .state_size = sizeof(struct camera_state),
    .destroy = destroy,
    .generation = generation,
    .draw = draw,
    .heading = heading,
    .note = note,
    .command = command,
};
