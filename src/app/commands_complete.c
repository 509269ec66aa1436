/* What may stand at a place of a command line, for Tab in the prompt. */
#include "app/commands_session.h"

#include "app/session_private.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

const char *const commands_incident_types[COMMANDS_INCIDENT_TYPES] = {"Accident", "Breakdown", "Debris",
                                                                      "Fire",     "Medical",   "Police"};

static size_t offer(char *out, size_t size, size_t used, const char *prefix, const char *word)
{
    if (!text_prefix_fold(word, prefix) || used + strlen(word) + 2 > size)
        return used;
    return used + (size_t)snprintf(out + used, size - used, "%s\n", word);
}

static size_t offer_words(const char *const *words, size_t count, const char *prefix, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; i < count; i++)
        used = offer(out, size, used, prefix, words[i]);
    return used;
}

size_t complete_vehicle(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    static const char *const words[] = {"next", "previous"};
    const struct city_snapshot *city = session->view.city;
    size_t used = offer_words(words, 2, prefix, out, size);
    for (size_t i = 0; i < city->vehicle_count && i < 2000; i++)
        used = offer(out, size, used, prefix, city->vehicles[i].device_id);
    return used;
}

size_t complete_camera(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    static const char *const words[] = {"auto", "next", "previous"};
    const struct city_snapshot *city = session->view.city;
    size_t used = offer_words(words, 3, prefix, out, size);
    for (size_t i = 0; i < city->camera_count; i++)
        used = offer(out, size, used, prefix, city->cameras[i].camera_id);
    return used;
}

size_t complete_journey(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; i < session->journey_count; i++) {
        const char *slash = strrchr(session->journeys[i].info.path, '/');
        used = offer(out, size, used, prefix, slash ? slash + 1 : session->journeys[i].info.path);
    }
    return used;
}

size_t complete_incident(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    const struct geo_place *junctions;
    size_t used =
        index == 0 ? offer_words(commands_incident_types, COMMANDS_INCIDENT_TYPES, prefix, out, size) : 0;
    size_t count = index > 0 ? geo_junctions(&junctions) : 0;
    for (size_t i = 0; i < count; i++)
        used = offer(out, size, used, prefix, junctions[i].name);
    return used;
}

size_t complete_weather(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    static const char *const words[] = {"cloudy", "drizzle", "fog",   "off",
                                        "rainy",  "snowy",   "sunny", "thunderstorm"};
    return offer_words(words, sizeof words / sizeof *words, prefix, out, size);
}

size_t complete_on_off(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    static const char *const words[] = {"off", "on"};
    return offer_words(words, 2, prefix, out, size);
}

size_t complete_speed(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    static const char *const words[] = {"0.1", "0.5", "1",   "10",     "2",   "20",    "3600",
                                        "5",   "60",  "600", "faster", "max", "slower"};
    return offer_words(words, sizeof words / sizeof *words, prefix, out, size);
}

size_t complete_broker(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    static const char *const words[] = {"down", "rtt", "up"};
    return offer_words(words, 3, prefix, out, size);
}

size_t complete_flush(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    static const char *const words[] = {"emergency_data", "gps_data",     "now",          "off",         "on",
                                        "toggle",         "traffic_data", "vehicle_data", "weather_data"};
    return index == 0 ? offer_words(words, sizeof words / sizeof *words, prefix, out, size) : 0;
}

size_t complete_tail(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    static const char *const words[] = {"close", "filter", "follow", "freeze", "open"};
    return offer_words(words, sizeof words / sizeof *words, prefix, out, size);
}

size_t complete_crawl(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    static const char *const words[] = {"curated", "raw", "stop"};
    return offer_words(words, sizeof words / sizeof *words, prefix, out, size);
}
