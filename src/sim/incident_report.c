/* What is said of an incident: the words for operators and the events. */
#include "sim/incident_state.h"

#include "base/text.h"
#include "city/schema.h"
#include "sim/noise.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MINUTE       60000.0
#define REPORT_EVERY 120 /* ticks */

static void describe(const struct incident *incident, char *out, size_t size)
{
    static const char *const what[INCIDENT_TYPES][4] = {
        [INCIDENT_ACCIDENT] = {"Collision", "Collision involving a lorry", "Two vehicle collision",
                               "Several vehicle collision"},
        [INCIDENT_FIRE] = {"Vehicle fire", "Car on fire", "Lorry fire", "Vehicle fire"},
        [INCIDENT_MEDICAL] = {"Driver taken ill", "Medical emergency", "Passenger taken ill",
                              "Medical emergency"},
        [INCIDENT_POLICE] = {"Police incident", "Police stop", "Pedestrian reported", "Police incident"},
        [INCIDENT_BREAKDOWN] = {"Broken down car", "Broken down van", "Broken down lorry", "Broken down car"},
        [INCIDENT_DEBRIS] = {"Debris in the road", "Lost load", "Tyre debris", "Animal on the road"},
    };
    char place[GEO_BETWEEN_SIZE], where[56], lanes[24];
    geo_between(incident->route, incident->x, place);
    const char *dash = strstr(place, "–");
    if (dash)
        snprintf(where, sizeof where, "between %.*s and %.20s", (int)(dash - place < 20 ? dash - place : 20),
                 place, dash + strlen("–"));
    else
        snprintf(where, sizeof where, "at %.48s", place);

    int closed = __builtin_popcount(incident->closed);
    if (closed == 0)
        snprintf(lanes, sizeof lanes, "%s",
                 geo_route_section_at(incident->route, incident->x)->kind == GEO_SECTION_MOTORWAY
                     ? "on the hard shoulder"
                     : "off the carriageway");
    else if (closed == incident->lanes)
        snprintf(lanes, sizeof lanes, "all %d lanes closed", incident->lanes);
    else if (closed == 1)
        snprintf(lanes, sizeof lanes, "lane %d of %d closed", __builtin_ctz(incident->closed) + 1,
                 incident->lanes);
    else
        snprintf(lanes, sizeof lanes, "%d of %d lanes closed", closed, incident->lanes);

    char vehicle[28];
    const char *text = what[incident->type][incident->variant % 4];
    if (incident->device >= 0) {
        snprintf(vehicle, sizeof vehicle, "Broken down %s veh-%04d", traffic_class_word(incident->class),
                 incident->device + 1);
        text = vehicle;
    }
    if (incident->status == INCIDENT_RESOLVED)
        snprintf(out, size, "%s %s: cleared, all lanes open", text, where);
    else if (incident->status == INCIDENT_CLEARING)
        snprintf(out, size, "%s %s: being cleared, %s", text, where, lanes);
    else
        snprintf(out, size, "%s, %s %s", text, lanes, where);
}

static int64_t expected_clear(const struct incident *incident)
{
    /* An estimate as a control room gives it: by type until somebody is there, in quarters of an hour. */
    double quarter = 15 * MINUTE;
    int64_t guess = incident->status < INCIDENT_ON_SCENE
                        ? incident->at[INCIDENT_REPORTED] +
                              (int64_t)((20 + incident_kinds[incident->type].clear_median * 1.4) * MINUTE)
                        : incident->at[INCIDENT_RESOLVED];
    return incident->status == INCIDENT_RESOLVED ? incident->at[INCIDENT_RESOLVED]
                                                 : (int64_t)(ceil((double)guess / quarter) * quarter);
}

static void fill(struct incidents *incidents, struct incident *incident, uint64_t tick, int64_t now)
{
    static const char *const severities[] = {"Minor", "Moderate", "Severe", "Extreme"};
    static const char *const responders[RESPONDERS] = {"police", "fire", "ambulance", "trafficOfficer",
                                                       "recovery"};
    static const int time_fields[INCIDENT_STATUSES] = {EMERGENCY_REPORTED_AT,   EMERGENCY_ACTIVE_AT,
                                                       EMERGENCY_RESPONDING_AT, EMERGENCY_ON_SCENE_AT,
                                                       EMERGENCY_CLEARING_AT,   EMERGENCY_RESOLVED_AT};
    struct event *event = &incidents->event;
    struct event_emergency *data = &event->emergency;
    const struct geo_section *section = geo_route_section_at(incident->route, incident->x);
    struct geo_position position = geo_route_position(incident->route, incident->x);
    struct rng_key key = {incidents->seed, incident->number, tick, NOISE_EMERGENCY_ID};
    memset(event, 0, sizeof *event);
    event->kind = EVENT_EMERGENCY;
    event->present = (UINT64_C(1) << EMERGENCY_FIELDS) - 1;
    event->timestamp = now;
    rng_uuid(&key, event->id);
    text_copy(event->device_id, sizeof event->device_id, incident->id);
    text_copy(data->incident_id, sizeof data->incident_id, incident->id);
    text_copy(data->type, sizeof data->type, incident_kinds[incident->type].word);
    data->location = (struct event_location){position.latitude, position.longitude};
    text_copy(data->status, sizeof data->status, incident_status_word(incident->status));
    describe(incident, data->description, sizeof data->description);
    text_copy(data->severity, sizeof data->severity, severities[incident->severity]);
    text_copy(data->urgency, sizeof data->urgency,
              incident->status == INCIDENT_RESOLVED ? "Past"
              : incident->closed                    ? "Immediate"
                                                    : "Expected");
    text_copy(data->certainty, sizeof data->certainty,
              incident->status == INCIDENT_REPORTED ? "Likely" : "Observed");
    data->lanes_closed = incident->status == INCIDENT_RESOLVED ? 0 : __builtin_popcount(incident->closed);
    data->lanes_total = incident->lanes;
    text_copy(data->route_id, sizeof data->route_id, geo_route_id(incident->route));
    text_copy(data->road, sizeof data->road, section->road);
    data->carriageway[0] = section->carriageway;
    data->chainage = incident->x / 1000;
    geo_marker(incident->route, incident->x, data->marker);
    if (incident->status >= INCIDENT_RESPONDING)
        for (int i = 0; i < RESPONDERS && data->responders.count < EVENT_RESPONDERS; i++)
            if (incident->responders >> i & 1)
                text_copy(data->responders.items[data->responders.count++], sizeof data->responders.items[0],
                          responders[i]);
    int64_t *times[INCIDENT_STATUSES] = {&data->reported_at, &data->active_at,   &data->responding_at,
                                         &data->on_scene_at, &data->clearing_at, &data->resolved_at};
    for (int i = 0; i < INCIDENT_STATUSES; i++) {
        *times[i] = incident->at[i];
        if (i > (int)incident->status)
            event->present &= ~(UINT64_C(1) << time_fields[i]);
    }
    data->expected_clear_at = expected_clear(incident);
    data->sequence = ++incident->sequence;
}

void incidents_emit(struct incidents *incidents, uint64_t tick, int64_t now, incident_emit_fn *emit,
                    void *context)
{
    for (size_t i = 0; i < incidents->count; i++) {
        struct incident *incident = &incidents->list[i];
        if (tick < incident->next_report)
            continue;
        incident->next_report = tick + REPORT_EVERY;
        fill(incidents, incident, tick, now);
        emit(context, &incidents->event);
    }
}
