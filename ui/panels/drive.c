#include "ui/panels/drive.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

uint64_t drive_mix(uint64_t hash, uint64_t value)
{
    /* The finaliser of splitmix64: every bit of the value reaches every bit of the sum. */
    uint64_t z = hash + value + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t drive_mix_text(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = drive_mix(hash, (uint8_t)*text);
    return hash;
}

bool drive_still(const struct view *view)
{
    if (view->source == VIEW_REPLAY)
        return view->replay.paused || view->replay.ended;
    return view->source == VIEW_LIVE && view->sim.present && view->sim.paused;
}

int64_t drive_now(const struct view *view)
{
    return drive_still(view) ? view->city->taken_us : view->wall_us;
}

char *drive_age(const struct view *view, int64_t arrived_us, char out[TEXT_FIGURE_SIZE])
{
    if (arrived_us <= 0) {
        text_copy(out, TEXT_FIGURE_SIZE, "–");
        return out;
    }
    int64_t age = drive_now(view) - arrived_us;
    return text_age(out, age > 0 ? age : 0);
}

bool drive_has_events(const struct view *view)
{
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (view->city->topics[kind].events > 0)
            return true;
    return false;
}

char *drive_clock(int64_t milliseconds, char out[TEXT_FIGURE_SIZE])
{
    char time[TEXT_TIME_SIZE];
    if (milliseconds <= 0) {
        text_copy(out, TEXT_FIGURE_SIZE, "–");
    } else {
        text_time(time, milliseconds);
        snprintf(out, TEXT_FIGURE_SIZE, "%.5s", time + 11);
    }
    return out;
}

char *drive_distance(double metres, char out[TEXT_FIGURE_SIZE])
{
    if (!isfinite(metres))
        text_copy(out, TEXT_FIGURE_SIZE, "–");
    else if (fabs(metres) < 995)
        snprintf(out, TEXT_FIGURE_SIZE, "%.0f m", metres);
    else if (fabs(metres) < 9950)
        snprintf(out, TEXT_FIGURE_SIZE, "%.1f km", metres / 1000);
    else
        snprintf(out, TEXT_FIGURE_SIZE, "%.0f km", metres / 1000);
    return out;
}

char *drive_minutes(double seconds, char out[TEXT_FIGURE_SIZE])
{
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e7)
        text_copy(out, TEXT_FIGURE_SIZE, "–");
    else if (seconds < 90)
        snprintf(out, TEXT_FIGURE_SIZE, "%.0f s", seconds);
    else if (seconds < 5400)
        snprintf(out, TEXT_FIGURE_SIZE, "%.0f min", seconds / 60);
    else
        snprintf(out, TEXT_FIGURE_SIZE, "%d h %02d min", (int)(seconds / 3600), (int)(seconds / 60) % 60);
    return out;
}

const char *drive_bound(int route)
{
    switch (route) {
    case GEO_M40_NORTH:
    case GEO_M1_NORTH:
        return "NB";
    case GEO_M40_SOUTH:
    case GEO_M1_SOUTH:
        return "SB";
    default:
        return "";
    }
}

char *drive_place(const char *route_id, const char *road, double chainage_km, bool with_bound,
                  char out[DRIVE_TEXT])
{
    int route = geo_route_from_id(route_id);
    if (route < 0 || !isfinite(chainage_km)) {
        text_copy(out, DRIVE_TEXT, road[0] != '\0' ? road : "place unknown");
        return out;
    }
    double metres = chainage_km * 1000;
    const struct geo_section *section = geo_route_section_at((enum geo_route)route, metres);
    const char *known = road[0] != '\0' ? road : section->road;
    char between[GEO_BETWEEN_SIZE];
    geo_between((enum geo_route)route, metres, between);
    /* A street's own name may begin with its number: "A40 Westway" is not said twice. */
    bool repeats = text_prefix_fold(between, known);
    snprintf(out, DRIVE_TEXT, "%s%s%s%s%s", repeats ? "" : known, repeats ? "" : " ", between,
             with_bound ? " " : "", with_bound ? drive_bound(route) : "");
    return out;
}

const char *drive_marker(const char *marker)
{
    const char *space = strchr(marker, ' ');
    return space != NULL ? space + 1 : marker;
}

char *drive_words(const char *word, char out[DRIVE_TEXT])
{
    size_t used = 0;
    for (; *word != '\0' && used + 2 < DRIVE_TEXT; word++) {
        if (*word >= 'A' && *word <= 'Z') {
            if (used > 0 && out[used - 1] >= 'a' && out[used - 1] <= 'z')
                out[used++] = ' ';
            out[used++] = (char)(*word - 'A' + 'a');
        } else {
            out[used++] = *word;
        }
    }
    out[used] = '\0';
    return out;
}

int drive_urgency(const struct city_incident *incident)
{
    static const char *const words[] = {"Minor", "Moderate", "Severe", "Extreme"};
    for (int i = 0; incident->open && i < 4; i++)
        if (strcmp(incident->event.emergency.severity, words[i]) == 0)
            return 2 + i;
    return incident->open;
}

enum role drive_severity_role(const struct event *emergency)
{
    const char *severity = emergency->emergency.severity;
    return strcmp(severity, "Severe") == 0 || strcmp(severity, "Extreme") == 0 ? ROLE_BAD : ROLE_WARNING;
}

bool drive_weather_words(const struct event *event, char out[DRIVE_TEXT], enum role *role, double *weight)
{
    const struct event_weather *weather = &event->weather;
    const char *condition = weather->weather_condition;
    double rate = event_has(event, WEATHER_PRECIPITATION) ? weather->precipitation : 0;
    enum role found = ROLE_RAIN;
    double heavy = 0;
    if (rate >= 0.1) {
        const char *word = "rain";
        if (strcmp(condition, "Snowy") == 0 || strcmp(condition, "Sleet") == 0) {
            word = condition[1] == 'n' ? "snow" : "sleet";
            found = ROLE_SNOW;
        } else if (strcmp(condition, "Thunderstorm") == 0) {
            word = "thunder";
        } else if (strcmp(condition, "Drizzle") == 0) {
            word = "drizzle";
        }
        snprintf(out, DRIVE_TEXT, "%s %.1f mm/h", word, rate);
        heavy = rate / (rate + 4);
    } else if (event_has(event, WEATHER_VISIBILITY) && weather->visibility < 1000) {
        snprintf(out, DRIVE_TEXT, "fog %.0f m", weather->visibility < 0 ? 0 : weather->visibility);
        found = ROLE_FOG;
        heavy = 1 - weather->visibility / 1500;
    } else {
        return false;
    }
    if (role != NULL)
        *role = found;
    if (weight != NULL)
        *weight = heavy;
    return true;
}

const char *drive_compass(double degrees)
{
    static const char *const names[] = {"N", "NE", "E", "SE", "S", "SW", "W", "NW"};
    if (!isfinite(degrees))
        return "";
    double turned = fmod(degrees, 360);
    return names[(int)((turned < 0 ? turned + 360 : turned) / 45 + 0.5) & 7];
}

struct canvas drive_padded(const struct canvas *canvas)
{
    int pad = canvas->width >= 24;
    return canvas_sub(canvas, pad, 0, canvas->width - 2 * pad, canvas->height);
}

int drive_fact(struct canvas *canvas, int y, int label_width, const char *label, struct style style,
               const char *value)
{
    canvas_text_fit(canvas, 0, y, label_width - 1, STYLE(ROLE_DIM), label);
    return canvas_text_fit(canvas, label_width, y, canvas->width - label_width, style, value);
}
