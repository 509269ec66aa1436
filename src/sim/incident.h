/*
 * Incidents: what breaks down, collides, burns or is taken ill on the road, how the services come, and what
 * that does to the traffic. An inhomogeneous Poisson process in vehicle-miles, weather and darkness; each
 * incident lives through reported, active, responding, on scene, clearing and resolved. One thread;
 * deterministic.
 *
 * Rates per vehicle-mile: breakdowns 2.4e-6 (Highways England 2018/19), injury collisions 4.8e-8 (from 76
 * casualties per bn, 2023), damage-only six times that; fires, medical and police calls half a day each on
 * such a road, debris the same. Times: see incident.c.
 */
#ifndef SMARTCITY_SIM_INCIDENT_H
#define SMARTCITY_SIM_INCIDENT_H

#include "sim/road.h"
#include "sim/traffic.h"
#include "sim/weather.h"

#define INCIDENTS_OPEN 64 /* more at once are not begun, and counted */

enum incident_type {
    INCIDENT_ACCIDENT,
    INCIDENT_FIRE,
    INCIDENT_MEDICAL,
    INCIDENT_POLICE,
    INCIDENT_BREAKDOWN,
    INCIDENT_DEBRIS,
    INCIDENT_TYPES
};

enum incident_status {
    INCIDENT_REPORTED,
    INCIDENT_ACTIVE,
    INCIDENT_RESPONDING,
    INCIDENT_ON_SCENE,
    INCIDENT_CLEARING,
    INCIDENT_RESOLVED,
    INCIDENT_STATUSES
};

enum incident_responder {
    RESPONDER_POLICE,
    RESPONDER_FIRE,
    RESPONDER_AMBULANCE,
    RESPONDER_TRAFFIC_OFFICER,
    RESPONDER_RECOVERY,
    RESPONDERS
};

struct incident {
    char id[40]; /* "inc-20260112-0007" */
    uint32_t number;
    enum incident_type type;
    enum incident_status status;
    enum geo_route route;
    double x;       /* m */
    uint8_t closed; /* bit i: lane i (0 nearest the verge) */
    uint8_t lanes;
    uint8_t responders;            /* bits of enum incident_responder */
    uint8_t variant;               /* of the wording */
    int severity;                  /* 0 Minor to 3 Extreme */
    int64_t at[INCIDENT_STATUSES]; /* when each status begins, ms */
    uint64_t next_report;          /* tick */
    int32_t sequence;
    int32_t device; /* the connected vehicle that broke down, counted from 0; -1 */
    uint8_t class;  /* its enum event_count_class */
};

typedef void incident_emit_fn(void *context, const struct event *event);

struct incidents;
/* Roads and weather are borrowed. */
struct incidents *incidents_create(uint64_t seed, struct road *const roads[GEO_ROUTES],
                                   const struct weather_model *weather, double factor);
void incidents_destroy(struct incidents *incidents);
/* The incidents that are open at `now`, had the process run all along at that traffic. */
void incidents_begin(struct incidents *incidents, int64_t now, double vehicle_miles_per_hour);

/* A step; `metres` were driven by all vehicles in it. True when lanes or slow zones changed. */
bool incidents_step(struct incidents *incidents, uint64_t tick, int64_t now, double metres);
/* Closures and conditions of all open incidents. */
void incidents_apply(const struct incidents *incidents, struct traffic *traffic);
/* Each change of status, and each open incident again every minute. */
void incidents_emit(struct incidents *incidents, uint64_t tick, int64_t now, incident_emit_fn *emit,
                    void *context);

/* As world_inject_incident and world_clear_incident. */
int incidents_inject(struct incidents *incidents, enum geo_route route, double x, const char *type,
                     int lanes_closed, uint64_t tick, int64_t now, char id[40], struct err *err);
/* A connected vehicle stands at x, in `lane` or, -1, beside the road; reported with this tick. False: too
 * many incidents are open. */
bool incidents_break_down(struct incidents *incidents, enum geo_route route, double x, int lane, int class,
                          int32_t device, uint64_t tick, int64_t now);
int incidents_clear(struct incidents *incidents, const char *id, int64_t now, struct err *err);

uint32_t incidents_open(const struct incidents *incidents);
/* The open incidents, in no order; *list is valid until the next step. */
size_t incidents_list(const struct incidents *incidents, const struct incident **list);
uint64_t incidents_refused(const struct incidents *incidents);

const char *incident_type_word(enum incident_type type);
const char *incident_status_word(enum incident_status status);

#endif
