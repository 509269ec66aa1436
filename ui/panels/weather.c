/*
 * Weather along the followed vehicle's route, from London at the left to Birmingham at the right whichever
 * way it drives: one strip a quantity, its colour from a ramp and its range in figures, interpolated between
 * the stations along the road. Where there is no room for strips, the weather where the vehicle is, in words.
 */
#include "ui/panel.h"
#include "ui/panels/drive.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct weather_state {
    bool compact; /* as drawn last */
};

static bool is_compact(const struct canvas *canvas)
{
    return canvas->width < 50 || canvas->height < 3;
}

static int followed_route(const struct view *view)
{
    const struct city_followed *followed = &view->city->followed;
    int route = followed->known ? geo_route_from_id(followed->vehicle.vehicle.route_id) : -1;
    return route >= 0 ? route : GEO_M40_NORTH;
}

static bool followed_chainage(const struct view *view, double *metres)
{
    const struct event *event = &view->city->followed.vehicle;
    if (!view->city->followed.known || !event_has(event, VEHICLE_CHAINAGE) ||
        geo_route_from_id(event->vehicle.route_id) < 0 || !(event->vehicle.chainage >= 0))
        return false;
    *metres = event->vehicle.chainage * 1000;
    return *metres < 1e6;
}

static uint64_t generation(const void *state, const struct view *view)
{
    double metres = 0;
    uint64_t hash = drive_mix(view->city->kind_generation[EVENT_WEATHER], (uint64_t)followed_route(view));
    /* The vehicle's mark moves by columns, of some kilometres each. */
    hash = drive_mix(hash, followed_chainage(view, &metres) ? (uint64_t)(metres / 500) : 1u << 20);
    return drive_mix(hash, drive_has_events(view));
}

/* ---- quantities -------------------------------------------------------------------------------------- */

struct stop {
    double value;
    uint8_t red, green, blue;
};

static double temperature_of(const struct event_weather *weather)
{
    return weather->temperature;
}
static double rain_of(const struct event_weather *weather)
{
    return weather->precipitation;
}
static double wind_of(const struct event_weather *weather)
{
    return weather->wind_speed;
}
static double air_of(const struct event_weather *weather)
{
    return weather->air_quality_index;
}
static double sight_of(const struct event_weather *weather)
{
    return weather->visibility / 1000;
}

/* Ramps end where operators' limits are: gritting at 1 degree, downpour, gale, unhealthy air, fog. */
static const struct quantity {
    const char *word;
    int field;
    double (*value)(const struct event_weather *weather);
    double least, most; /* beyond it a value is not believed */
    bool upper;         /* only the most is told: "≤ 3.1 mm/h" */
    const char *before, *unit;
    int decimals;
    struct stop stops[6];
} quantities[] = {
    {"temp",
     WEATHER_TEMPERATURE,
     temperature_of,
     -60,
     60,
     false,
     "",
     " °C",
     0,
     {{-8, 120, 80, 220},
      {0, 60, 130, 240},
      {5, 60, 190, 190},
      {12, 130, 200, 90},
      {22, 240, 200, 60},
      {34, 230, 70, 40}}},
    {"rain",
     WEATHER_PRECIPITATION,
     rain_of,
     0,
     300,
     true,
     "",
     " mm/h",
     1,
     {{0, 34, 38, 44},
      {0.2, 30, 62, 110},
      {1, 30, 96, 180},
      {3, 40, 130, 240},
      {8, 130, 90, 240},
      {20, 230, 70, 200}}},
    {"wind",
     WEATHER_WIND_SPEED,
     wind_of,
     0,
     300,
     false,
     "",
     " km/h",
     0,
     {{0, 44, 48, 52},
      {15, 84, 92, 96},
      {30, 136, 146, 150},
      {50, 200, 190, 120},
      {75, 240, 140, 40},
      {100, 230, 50, 50}}},
    {"air",
     WEATHER_AIR_QUALITY_INDEX,
     air_of,
     0,
     500,
     false,
     "AQI ",
     "",
     0,
     {{0, 0, 170, 90},
      {50, 110, 180, 30},
      {75, 200, 190, 20},
      {100, 240, 150, 20},
      {150, 230, 60, 40},
      {300, 140, 40, 120}}},
    {"sight",
     WEATHER_VISIBILITY,
     sight_of,
     0,
     200,
     false,
     "",
     " km",
     1,
     {{0, 230, 60, 60},
      {0.3, 230, 120, 50},
      {1, 200, 180, 90},
      {4, 130, 140, 130},
      {10, 80, 96, 100},
      {20, 48, 62, 70}}},
};
#define QUANTITIES ((int)(sizeof quantities / sizeof quantities[0]))
#define STOPS      6

static colour ramp_colour(const struct quantity *quantity, double value)
{
    const struct stop *stops = quantity->stops;
    int i = 1;
    while (i < STOPS - 1 && value > stops[i].value)
        i++;
    double part = (value - stops[i - 1].value) / (stops[i].value - stops[i - 1].value);
    part = fmin(fmax(part, 0), 1);
    double red = stops[i - 1].red + part * (stops[i].red - stops[i - 1].red);
    double green = stops[i - 1].green + part * (stops[i].green - stops[i - 1].green);
    double blue = stops[i - 1].blue + part * (stops[i].blue - stops[i - 1].blue);
    return COLOUR_RGB((uint32_t)red, (uint32_t)green, (uint32_t)blue);
}

/* 0 to 1 along the ramp's stops, for shades where there are no colours. */
static double ramp_part(const struct quantity *quantity, double value)
{
    const struct stop *stops = quantity->stops;
    int i = 1;
    while (i < STOPS - 1 && value > stops[i].value)
        i++;
    double part = (value - stops[i - 1].value) / (stops[i].value - stops[i - 1].value);
    return (i - 1 + fmin(fmax(part, 0), 1)) / (STOPS - 1);
}

static bool believed(const struct quantity *quantity, const struct event *event, double *value)
{
    *value = quantity->value(&event->weather);
    return event_has(event, quantity->field) && *value >= quantity->least && *value <= quantity->most;
}

/* ---- strips ------------------------------------------------------------------------------------------ */

#define STATIONS_MAX 64
struct along {
    double km, value;
};

static int by_km(const void *a, const void *b)
{
    double one = ((const struct along *)a)->km, other = ((const struct along *)b)->km;
    return (one > other) - (one < other);
}

/* Kilometres from London, whichever way the route goes. */
static double from_london(int route, double km)
{
    bool north = route == GEO_M40_NORTH || route == GEO_M1_NORTH;
    return north ? km : geo_route_length((enum geo_route)route) / 1000 - km;
}

static size_t collect(const struct view *view, int route, const struct quantity *quantity,
                      struct along along[STATIONS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < view->city->station_count && count < STATIONS_MAX; i++) {
        const struct city_station *station = &view->city->stations[i];
        double km = station->chainage_km[route], value;
        if (!(km >= 0) || !believed(quantity, &station->event, &value))
            continue;
        along[count++] = (struct along){from_london(route, km), value};
    }
    qsort(along, count, sizeof *along, by_km);
    return count;
}

static double interpolate(const struct along *along, size_t count, double km)
{
    size_t i = 0;
    while (i < count && along[i].km < km)
        i++;
    if (i == 0)
        return along[0].value;
    if (i == count)
        return along[count - 1].value;
    double span = along[i].km - along[i - 1].km;
    double part = span > 0 ? (km - along[i - 1].km) / span : 0;
    /* Eased, so that a station's own value is seen for more than a column. */
    part = part * part * (3 - 2 * part);
    return along[i - 1].value + part * (along[i].value - along[i - 1].value);
}

static void range_text(const struct quantity *quantity, double least, double most, char *text, size_t size)
{
    int decimals = quantity->decimals;
    if (quantity->field == WEATHER_VISIBILITY && least >= 10)
        decimals = 0;
    /* Never "-0". */
    double unit = pow(10, -decimals);
    least = fabs(least) <= unit / 2 ? 0 : least;
    most = fabs(most) <= unit / 2 ? 0 : most;
    if (quantity->upper && most < 0.05)
        text_copy(text, size, "dry");
    else if (quantity->upper)
        snprintf(text, size, "≤ %.*f%s", decimals, most, quantity->unit);
    else if (lround(least * pow(10, decimals)) == lround(most * pow(10, decimals)))
        snprintf(text, size, "%s%.*f%s", quantity->before, decimals, most, quantity->unit);
    else
        snprintf(text, size, "%s%.*f – %.*f%s", quantity->before, decimals, least, decimals, most,
                 quantity->unit);
}

#define LABEL_WIDTH 6
#define RANGE_WIDTH 16

static void strip(const struct view *view, struct canvas *canvas, int y, int route,
                  const struct quantity *quantity, bool colours)
{
    static const uint32_t shades[] = {' ', 0x2591, 0x2592, 0x2593, 0x2588};
    static const char plain[] = " .:-=+*#";
    struct along along[STATIONS_MAX];
    size_t count = collect(view, route, quantity, along);
    int width = canvas->width - LABEL_WIDTH - RANGE_WIDTH;
    canvas_text(canvas, 0, y, STYLE(ROLE_DIM), quantity->word);
    if (count == 0) {
        canvas_text_fit(canvas, LABEL_WIDTH, y, width, STYLE(ROLE_DIM),
                        "no station on this road has told yet");
        return;
    }
    double length = geo_route_length((enum geo_route)route) / 1000, least = HUGE_VAL, most = -HUGE_VAL;
    for (int x = 0; x < width; x++) {
        double value = interpolate(along, count, (x + 0.5) / width * length);
        least = fmin(least, value);
        most = fmax(most, value);
        double part = ramp_part(quantity, value);
        if (colours)
            canvas_put(canvas, LABEL_WIDTH + x, y, ' ', (struct style){.bg = ramp_colour(quantity, value)});
        else if (canvas->glyphs == GLYPHS_ASCII)
            canvas_put(canvas, LABEL_WIDTH + x, y, (uint32_t)plain[(int)(part * 7 + 0.5)],
                       STYLE(ROLE_WEATHER));
        else
            canvas_put(canvas, LABEL_WIDTH + x, y, shades[(int)(part * 4 + 0.5)], STYLE(ROLE_WEATHER));
    }
    for (size_t i = 0; i < count; i++) {
        least = fmin(least, along[i].value);
        most = fmax(most, along[i].value);
    }
    char text[64];
    range_text(quantity, least, most, text, sizeof text);
    bool bad = (quantity->field == WEATHER_VISIBILITY && least < 1) || (quantity->upper && most >= 8) ||
               (quantity->field == WEATHER_TEMPERATURE && least <= 0) ||
               (quantity->field == WEATHER_AIR_QUALITY_INDEX && most > 100) ||
               (quantity->field == WEATHER_WIND_SPEED && most >= 60);
    canvas_text_fit(canvas, LABEL_WIDTH + width + 1, y, RANGE_WIDTH - 1,
                    STYLE(bad ? ROLE_WARNING : ROLE_TEXT), text);
}

/* London, a few junctions and Birmingham under the strips; never on each other. */
static void ticks(const struct view *view, struct canvas *canvas, int y, int route)
{
    int width = canvas->width - LABEL_WIDTH - RANGE_WIDTH, end = LABEL_WIDTH + width;
    double length = geo_route_length((enum geo_route)route) / 1000, metres;
    int taken = canvas_text(canvas, LABEL_WIDTH, y, STYLE(ROLE_DIM), "London");
    int last = canvas_text_right(canvas, end, y, STYLE(ROLE_DIM), "Birmingham");
    int vehicle = -10;
    if (followed_chainage(view, &metres)) {
        vehicle = LABEL_WIDTH + (int)(from_london(route, metres / 1000) / length * width);
        vehicle = vehicle < LABEL_WIDTH ? LABEL_WIDTH : vehicle >= end ? end - 1 : vehicle;
        canvas_put(canvas, vehicle, y, 0x25B2, STYLE_BOLD(ROLE_FOLLOWED));
        if (vehicle <= taken)
            taken = vehicle + 1 > taken ? vehicle + 1 : taken;
    }
    /* The way round does not matter to names, so the northbound twin gives them in order from London. */
    enum geo_route north = route == GEO_M1_SOUTH || route == GEO_M1_NORTH ? GEO_M1_NORTH : GEO_M40_NORTH;
    const struct geo_junction *junctions;
    size_t count = geo_route_junctions(north, &junctions);
    const char *road = "";
    for (size_t i = 0; i < count; i++) {
        char text[48];
        /* The road is said when it is another than the last one named. */
        size_t name = strcspn(junctions[i].name, " ");
        bool same = strncmp(road, junctions[i].name, name) == 0 && road[name] == ' ';
        snprintf(text, sizeof text, "%s", same ? junctions[i].shortname : junctions[i].name);
        int wide = text_width(text);
        int x = LABEL_WIDTH + (int)(junctions[i].chainage / 1000 / (geo_route_length(north) / 1000) * width);
        int left = x - wide / 2;
        if (left < taken + 3 || left + wide + 3 > last || (vehicle >= left - 1 && vehicle <= left + wide))
            continue;
        canvas_text(canvas, left, y, STYLE(ROLE_DIM), text);
        taken = left + wide;
        road = junctions[i].name;
    }
}

static void draw_strips(const struct view *view, struct canvas *canvas, const struct panel_context *context)
{
    int route = followed_route(view), rows = canvas->height - 1;
    if (rows > QUANTITIES)
        rows = QUANTITIES;
    /* Rows to spare make each strip higher, as long as all of them get it. */
    int each = (canvas->height - 1) / rows;
    each = each > 2 ? 2 : each;
    bool colours = context->images_rgb && canvas->glyphs != GLYPHS_ASCII;
    int y = 0;
    for (int i = 0; i < rows; i++)
        for (int row = 0; row < each; row++, y++) {
            strip(view, canvas, y, route, &quantities[i], colours);
            if (row > 0) {
                canvas_fill(canvas, 0, y, LABEL_WIDTH, 1, ' ', STYLE(ROLE_NONE));
                canvas_fill(canvas, canvas->width - RANGE_WIDTH, y, RANGE_WIDTH, 1, ' ', STYLE(ROLE_NONE));
            }
        }
    ticks(view, canvas, y, route);
}

/* ---- here -------------------------------------------------------------------------------------------- */

static const struct city_station *station_here(const struct view *view)
{
    const struct event *event = &view->city->followed.vehicle;
    const struct city_station *nearest = NULL;
    double least = HUGE_VAL;
    for (size_t i = 0; i < view->city->station_count; i++) {
        const struct event *weather = &view->city->stations[i].event;
        if (!event_has(weather, WEATHER_LOCATION))
            continue;
        double distance = 0;
        if (view->city->followed.known && event_has(event, VEHICLE_LOCATION))
            distance = geo_distance(event->vehicle.location.latitude, event->vehicle.location.longitude,
                                    weather->weather.location.latitude, weather->weather.location.longitude);
        if (distance < least) {
            least = distance;
            nearest = &view->city->stations[i];
        }
    }
    return nearest;
}

static void add(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    if (used > 0 && used + 3 < size) {
        memcpy(text + used, "  ", 3);
        used += 2;
    }
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

/* The worst that is told elsewhere on the road: fog, ice, a downpour. */
static bool worst_elsewhere(const struct view *view, const struct city_station *here, int width, char *text,
                            size_t size)
{
    const struct city_station *worst = NULL;
    double heaviest = 0;
    char words[DRIVE_TEXT], worst_words[DRIVE_TEXT] = "";
    for (size_t i = 0; i < view->city->station_count; i++) {
        double weight;
        const struct city_station *station = &view->city->stations[i];
        if (station != here && drive_weather_words(&station->event, words, NULL, &weight) &&
            weight > heaviest) {
            heaviest = weight;
            worst = station;
            text_copy(worst_words, sizeof worst_words, words);
        }
    }
    if (worst == NULL)
        return false;
    snprintf(text, size, "%s at %s", worst_words, worst->event.weather.station_name);
    if (text_width(text) > width)
        snprintf(text, size, "%s %s", worst->event.weather.station_name, worst_words);
    return true;
}

static void draw_here(const struct view *view, struct canvas *canvas)
{
    const struct city_station *station = station_here(view);
    if (station == NULL) {
        canvas_text_fit(canvas, 0, 0, canvas->width, STYLE(ROLE_DIM), "no station was heard yet");
        return;
    }
    const struct event *event = &station->event;
    const struct event_weather *weather = &event->weather;
    char text[256] = "", words[DRIVE_TEXT];
    double value;
    enum role role = ROLE_TEXT;
    if (believed(&quantities[0], event, &value))
        add(text, sizeof text, "%.0f °C", fabs(value) <= 0.5 ? 0 : value);
    if (drive_weather_words(event, words, &role, NULL))
        add(text, sizeof text, "%s", words);
    else if (weather->weather_condition[0] != '\0')
        add(text, sizeof text, "%s", drive_words(weather->weather_condition, words));
    if (event_has(event, WEATHER_ROAD_SURFACE))
        add(text, sizeof text, "%s", weather->road_surface);
    canvas_text_fit(canvas, 0, 0, canvas->width, STYLE(ROLE_TEXT), text);
    text[0] = '\0';
    if (believed(&quantities[2], event, &value))
        add(text, sizeof text, "wind %.0f km/h %s", value,
            event_has(event, WEATHER_WIND_DIRECTION) ? drive_compass(weather->wind_direction) : "");
    if (believed(&quantities[3], event, &value))
        add(text, sizeof text, "AQI %.0f", value);
    canvas_text_fit(canvas, 0, 1, canvas->width, STYLE(ROLE_TEXT), text);
    if (worst_elsewhere(view, station, canvas->width - 2, text, sizeof text)) {
        canvas_put(canvas, 0, 2, 0x25B2, STYLE_BOLD(ROLE_WARNING));
        canvas_text_fit(canvas, 2, 2, canvas->width - 2, STYLE(ROLE_WARNING), text);
    } else {
        canvas_text_fit(canvas, 0, 2, canvas->width, STYLE(ROLE_DIM), "dry and clear elsewhere");
    }
}

static void draw(void *state, const struct view *view, struct canvas *whole,
                 const struct panel_context *context)
{
    struct canvas padded = drive_padded(whole), *canvas = &padded;
    struct weather_state *weather = state;
    weather->compact = is_compact(canvas);
    if (view->city->station_count == 0)
        canvas_text_fit(canvas, 0, 0, canvas->width, STYLE(ROLE_DIM),
                        drive_has_events(view) ? "no station was heard yet" : "waiting for Kafka");
    else if (weather->compact)
        draw_here(view, canvas);
    else
        draw_strips(view, canvas, context);
}

static void heading(const void *state, const struct view *view, char *text, size_t size)
{
    const struct weather_state *weather = state;
    int route = followed_route(view);
    if (weather->compact)
        text_copy(text, size, "Weather");
    else
        snprintf(text, size, "Weather along %s",
                 route == GEO_M1_NORTH || route == GEO_M1_SOUTH ? "M1 and M6" : "M40");
}

static void note(const void *state, const struct view *view, char *text, size_t size)
{
    const struct weather_state *weather = state;
    const struct city_station *station = weather->compact ? station_here(view) : NULL;
    text_copy(text, size, "");
    if (station != NULL)
        text_copy(text, size, station->event.weather.station_name);
    else if (!weather->compact)
        snprintf(text, size, "London → Birmingham, %.0f km",
                 geo_route_length((enum geo_route)followed_route(view)) / 1000);
}

const struct panel_class weather_panel = {
    .name = "weather",
    .title = "Weather",
    .state_size = sizeof(struct weather_state),
    .generation = generation,
    .draw = draw,
    .heading = heading,
    .note = note,
};
