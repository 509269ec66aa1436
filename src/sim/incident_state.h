/* The inside of struct incidents, shared by incident.c (how they begin and end, what they do to the traffic)
 * and incident_report.c (what is said of them). Nobody else includes it. */
#ifndef SMARTCITY_SIM_INCIDENT_STATE_H
#define SMARTCITY_SIM_INCIDENT_STATE_H

#include "sim/incident.h"

struct incident_kind {
    const char *word;
    double rate;         /* per vehicle-mile */
    double clear_median; /* minutes on the scene */
};
extern const struct incident_kind incident_kinds[INCIDENT_TYPES];

struct incidents {
    uint64_t seed;
    struct road *roads[GEO_ROUTES];
    const struct weather_model *weather;
    double factor, rate; /* rate: of all types, per vehicle-mile */
    uint32_t number;     /* of the last one */
    size_t count;
    struct incident list[INCIDENTS_OPEN];
    uint64_t refused;
    struct event event;
    bool changed; /* by a control */
};

#endif
