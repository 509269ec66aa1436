/*
 * An incident is drawn whole when it begins: type, place, lanes, and the times of all six statuses. Then it
 * only runs through them. Times are sums of: confirmation exponential (2 min), mobilisation exponential (1.5
 * min), travel and clearance log-normal. Mean travel in minutes: traffic officer 9.8 (National Highways),
 * fire 9.2 (primary fires, 2022/23), ambulance 7 where life is in danger (category 1 standard) else 18,
 * police 15; coefficient of variation 0.5. Clearance: median 25 min and 86 % within an hour give sigma 0.81,
 * mean 35 min.
 */
#include "sim/incident_state.h"

#include "base/text.h"
#include "sim/demand.h"
#include "sim/noise.h"
#include "sim/sun.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METRES_PER_MILE 1609.344
#define MINUTE          60000.0
#define STEP_MS         500             /* of the world */
#define HISTORY_MS      (8 * 3600000.0) /* how far back an incident open now may have begun */
#define RUBBERNECK      0.85F           /* of the capacity left beside it, */
#define OPPOSITE        0.95F           /* and on the other carriageway */

const struct incident_kind incident_kinds[INCIDENT_TYPES] = {
    [INCIDENT_ACCIDENT] = {"Accident", 4.8e-8 * 7, 34}, [INCIDENT_FIRE] = {"Fire", 5.0e-8, 45},
    [INCIDENT_MEDICAL] = {"Medical", 5.0e-8, 22},       [INCIDENT_POLICE] = {"Police", 5.0e-8, 16},
    [INCIDENT_BREAKDOWN] = {"Breakdown", 2.4e-6, 24},   [INCIDENT_DEBRIS] = {"Debris", 5.0e-8, 9},
};

const char *incident_type_word(enum incident_type type)
{
    return incident_kinds[type].word;
}

const char *incident_status_word(enum incident_status status)
{
    static const char *const words[INCIDENT_STATUSES] = {"Reported", "Active",   "Responding",
                                                         "OnScene",  "Clearing", "Resolved"};
    return words[status];
}

struct incidents *incidents_create(uint64_t seed, struct road *const roads[GEO_ROUTES],
                                   const struct weather_model *weather, double factor)
{
    struct incidents *incidents = mem_zero(1, sizeof *incidents);
    incidents->seed = seed;
    incidents->weather = weather;
    incidents->factor = factor;
    for (int i = 0; i < GEO_ROUTES; i++)
        incidents->roads[i] = roads[i];
    for (int i = 0; i < INCIDENT_TYPES; i++)
        incidents->rate += incident_kinds[i].rate;
    return incidents;
}

void incidents_destroy(struct incidents *incidents)
{
    free(incidents);
}

/* ---- how one comes to be ---------------------------------------------------------------------------- */

static double uniform(uint32_t bits)
{
    return (bits + 0.5) * 0x1p-32;
}

static enum incident_type pick_type(const struct incidents *incidents, double u)
{
    double at = u * incidents->rate;
    for (int i = 0; i + 1 < INCIDENT_TYPES; i++) {
        if (at < incident_kinds[i].rate)
            return (enum incident_type)i;
        at -= incident_kinds[i].rate;
    }
    return INCIDENT_DEBRIS;
}

/* Lanes: most breakdowns reach the hard shoulder, collisions rarely do. */
static int pick_lanes(enum incident_type type, int lanes, double u, bool shoulder)
{
    int closed = 0;
    switch (type) {
    case INCIDENT_BREAKDOWN:
        closed = u < 0.8 && shoulder ? 0 : 1;
        break;
    case INCIDENT_ACCIDENT:
        closed = u < 0.25 && shoulder ? 0 : u < 0.75 ? 1 : u < 0.96 ? 2 : 3;
        break;
    case INCIDENT_FIRE:
        closed = u < 0.2 && shoulder ? 0 : u < 0.7 ? 1 : 2;
        break;
    case INCIDENT_MEDICAL:
        closed = u < 0.7 && shoulder ? 0 : 1;
        break;
    case INCIDENT_POLICE:
        closed = u < 0.6 && shoulder ? 0 : 1;
        break;
    default:
        closed = 1;
        break;
    }
    return closed < lanes ? closed : lanes > 1 ? lanes - 1 : 0;
}

static uint8_t lane_bits(int closed, int lanes, bool offside)
{
    unsigned bits = (1U << closed) - 1;
    return (uint8_t)(offside && lanes > closed ? bits << (lanes - closed) : bits);
}

static uint8_t responders_for(enum incident_type type, int closed, int severity)
{
    unsigned bits = 0;
    switch (type) {
    case INCIDENT_ACCIDENT:
        bits = 1U << RESPONDER_POLICE | 1U << RESPONDER_TRAFFIC_OFFICER | 1U << RESPONDER_RECOVERY;
        if (severity >= 2)
            bits |= 1U << RESPONDER_AMBULANCE;
        if (severity >= 3)
            bits = (bits | 1U << RESPONDER_FIRE) & ~(1U << RESPONDER_RECOVERY);
        break;
    case INCIDENT_FIRE:
        bits = 1U << RESPONDER_FIRE | 1U << RESPONDER_POLICE | 1U << RESPONDER_TRAFFIC_OFFICER |
               1U << RESPONDER_RECOVERY;
        break;
    case INCIDENT_MEDICAL:
        bits = 1U << RESPONDER_AMBULANCE | (closed ? 1U << RESPONDER_TRAFFIC_OFFICER : 0);
        break;
    case INCIDENT_POLICE:
        bits = 1U << RESPONDER_POLICE;
        break;
    case INCIDENT_BREAKDOWN:
        bits = 1U << RESPONDER_RECOVERY | (closed ? 1U << RESPONDER_TRAFFIC_OFFICER : 0);
        break;
    default:
        bits = 1U << RESPONDER_TRAFFIC_OFFICER;
        break;
    }
    return (uint8_t)bits;
}

static double travel_mean(enum incident_type type, uint8_t responders, int severity)
{
    if (type == INCIDENT_FIRE)
        return 9.2;
    if (responders >> RESPONDER_AMBULANCE & 1)
        return severity >= 3 ? 7 : type == INCIDENT_MEDICAL ? 18 : 12;
    if (responders >> RESPONDER_TRAFFIC_OFFICER & 1)
        return 9.8;
    return type == INCIDENT_BREAKDOWN ? 30 : 15; /* recovery to a hard shoulder takes its time */
}

static void draw_times(const struct incidents *incidents, struct incident *incident, int64_t reported)
{
    struct rng_key key = {incidents->seed, incident->number, 0, NOISE_INCIDENT_TIMES};
    double minutes[INCIDENT_STATUSES] = {0};
    minutes[INCIDENT_ACTIVE] = rng_exponential(&key, 2);
    key.tick++;
    minutes[INCIDENT_RESPONDING] = rng_exponential(&key, 1.5);
    key.tick++;
    minutes[INCIDENT_ON_SCENE] =
        rng_lognormal(&key, travel_mean(incident->type, incident->responders, incident->severity), 0.5);
    key.tick++;
    /* Two thirds of the time on the scene before clearing up begins. */
    double clearance = incident_kinds[incident->type].clear_median * exp(0.81 * rng_normal(&key)) *
                       (1 + 0.25 * (incident->severity - 1));
    minutes[INCIDENT_CLEARING] = clearance * 0.65;
    minutes[INCIDENT_RESOLVED] = clearance * 0.35;
    int64_t at = reported;
    for (int i = 0; i < INCIDENT_STATUSES; i++) {
        at += (int64_t)(fmin(minutes[i], 600) * MINUTE);
        at += i > 0 ? STEP_MS - at % STEP_MS : 0; /* whole steps, one at least */
        incident->at[i] = at;
    }
}

static void shape(const struct incidents *incidents, struct incident *incident, int forced_lanes,
                  int64_t reported)
{
    uint32_t block[4];
    struct rng_key key = {incidents->seed, incident->number, 0, NOISE_INCIDENT_SHAPE};
    rng_block(&key, block);
    const struct geo_section *section = geo_route_section_at(incident->route, incident->x);
    bool shoulder = section->kind == GEO_SECTION_MOTORWAY;
    incident->lanes = section->lanes;
    int closed = forced_lanes > 0 ? (forced_lanes < section->lanes ? forced_lanes : section->lanes)
                                  : pick_lanes(incident->type, section->lanes, uniform(block[0]), shoulder);
    if (incident->type != INCIDENT_BREAKDOWN && closed > 0 && uniform(block[1]) < 0.3)
        incident->closed = lane_bits(closed, section->lanes, true);
    else
        incident->closed = lane_bits(closed, section->lanes, false);
    incident->severity = closed == 0 ? 0 : closed >= section->lanes ? 3 : closed >= 2 ? 2 : 1;
    if (incident->type == INCIDENT_FIRE && incident->severity < 2)
        incident->severity = 2;
    incident->responders = responders_for(incident->type, closed, incident->severity);
    incident->variant = (uint8_t)(block[2] >> 24);

    char date[TEXT_TIME_SIZE];
    text_time(date, reported);
    snprintf(incident->id, sizeof incident->id, "inc-%.4s%.2s%.2s-%04u", date, date + 5, date + 8,
             incident->number % 1000000);
    draw_times(incidents, incident, reported);
}

static struct incident *add(struct incidents *incidents)
{
    if (incidents->count == INCIDENTS_OPEN) {
        incidents->refused++;
        return NULL;
    }
    struct incident *incident = &incidents->list[incidents->count++];
    memset(incident, 0, sizeof *incident);
    incident->number = ++incidents->number;
    incident->device = -1;
    return incident;
}

/* By the flow of a weekday at eight: incidents happen where the traffic is. */
static void place(const struct incidents *incidents, struct incident *incident, double u)
{
    double total = 0;
    for (int i = 0; i < GEO_ROUTES; i++)
        total += incidents->roads[i] ? incidents->roads[i]->length : 0;
    double at = u * total;
    for (int i = 0; i < GEO_ROUTES; i++) {
        if (!incidents->roads[i])
            continue;
        incident->route = (enum geo_route)i;
        incident->x = fmin(at, incidents->roads[i]->length);
        if (at < incidents->roads[i]->length)
            break;
        at -= incidents->roads[i]->length;
    }
    incident->x = fmin(fmax(incident->x, 400), incidents->roads[incident->route]->length - 400);
}

static double risk(const struct incidents *incidents, const struct incident *incident, int64_t now)
{
    struct weather weather = weather_at(incidents->weather, incident->route, incident->x);
    struct geo_position position = geo_route_position(incident->route, incident->x);
    bool night = sun_elevation(now, position.latitude, position.longitude) < -6;
    return (double)weather_risk(&weather) * (night ? 1.3 : 1);
}

#define RISK_MOST (3 * 1.3)

/* One candidate of the process at its highest rate; kept with the chance of the weather and light at its
 * place. */
static bool candidate(struct incidents *incidents, const struct rng_key *key, int64_t reported, int64_t now)
{
    uint32_t block[4];
    struct incident probe = {0};
    rng_block(key, block);
    probe.type = pick_type(incidents, uniform(block[0]));
    place(incidents, &probe, uniform(block[1]));
    if (uniform(block[2]) * RISK_MOST >= risk(incidents, &probe, now))
        return false;
    struct incident *incident = add(incidents);
    if (!incident)
        return false;
    incident->type = probe.type;
    incident->route = probe.route;
    incident->x = probe.x;
    shape(incidents, incident, 0, reported);
    return true;
}

void incidents_begin(struct incidents *incidents, int64_t now, double vehicle_miles_per_hour)
{
    double mean =
        incidents->rate * incidents->factor * vehicle_miles_per_hour * HISTORY_MS / 3600000 * RISK_MOST;
    double age = 0;
    for (uint64_t i = 0; mean > 0 && i < 4096; i++) {
        struct rng_key key = {incidents->seed, 0xFFFFFFFF, i, NOISE_INCIDENT};
        age += rng_exponential(&key, HISTORY_MS / mean);
        if (age >= HISTORY_MS)
            break;
        key.entity = 0xFFFFFFFE;
        int64_t reported = (now - (int64_t)age) / STEP_MS * STEP_MS;
        if (!candidate(incidents, &key, reported, now))
            continue;
        struct incident *incident = &incidents->list[incidents->count - 1];
        if (incident->at[INCIDENT_RESOLVED] <= now)
            incidents->count--;
        else
            while (incident->status < INCIDENT_RESOLVED && incident->at[incident->status + 1] <= now)
                incident->status++;
    }
    incidents->changed = true;
}

/* ---- life ------------------------------------------------------------------------------------------- */

bool incidents_step(struct incidents *incidents, uint64_t tick, int64_t now, double metres)
{
    bool changed = incidents->changed;
    incidents->changed = false;
    size_t kept = 0;
    for (size_t i = 0; i < incidents->count; i++) {
        struct incident *incident = &incidents->list[i];
        if (incident->status == INCIDENT_RESOLVED) {
            changed = true;
            continue; /* its last event went out with the tick before */
        }
        if (now >= incident->at[incident->status + 1]) {
            incident->status++;
            incident->next_report = tick;
            changed = true;
        }
        if (kept != i)
            incidents->list[kept] = *incident;
        kept++;
    }
    incidents->count = kept;

    double mean = incidents->rate * incidents->factor * metres / METRES_PER_MILE * RISK_MOST;
    struct rng_key key = {incidents->seed, 0, tick, NOISE_INCIDENT};
    uint32_t begun = mean > 0 ? noise_poisson(&key, mean) : 0;
    for (uint32_t i = 0; i < begun; i++) {
        key.entity = 1 + i;
        if (candidate(incidents, &key, now, now)) {
            incidents->list[incidents->count - 1].next_report = tick;
            changed = true;
        }
    }
    return changed;
}

static void slow_zone(struct traffic *traffic, enum geo_route route, double from, double to, float capacity,
                      float speed)
{
    size_t count;
    struct traffic_cell *cells = traffic_cells(traffic, route, &count);
    size_t first = (size_t)(fmax(from, 0) / TRAFFIC_CELL), last = (size_t)(fmax(to, 0) / TRAFFIC_CELL);
    for (size_t cell = first; cell <= last && cell < count; cell++) {
        cells[cell].headway /= capacity;
        cells[cell].speed *= speed;
    }
}

/* Signals over the motorway: 60, 50, 40 on the way to closed lanes, once the control room knows. */
static void set_signals(struct traffic *traffic, const struct incident *incident)
{
    static const float mph[3] = {40, 50, 60};
    size_t count;
    struct traffic_cell *cells = traffic_cells(traffic, incident->route, &count);
    for (int i = 0; i < 6; i++) {
        double x = incident->x - i * TRAFFIC_CELL;
        if (x < 0)
            break;
        struct traffic_cell *cell = &cells[(size_t)(x / TRAFFIC_CELL)];
        cell->advisory = fminf(cell->advisory, mph[i / 2] * 0.44704F);
    }
}

static const enum geo_route opposites[GEO_ROUTES] = {GEO_M40_SOUTH, GEO_M40_NORTH, GEO_M1_SOUTH,
                                                     GEO_M1_NORTH};

void incidents_apply(const struct incidents *incidents, struct traffic *traffic)
{
    struct traffic_closure closures[INCIDENTS_OPEN];
    size_t count = 0;
    for (size_t i = 0; i < incidents->count; i++) {
        const struct incident *incident = &incidents->list[i];
        if (incident->status == INCIDENT_RESOLVED)
            continue;
        /* People look at blue lights on the hard shoulder too. */
        bool lights = incident->status >= INCIDENT_ON_SCENE || incident->closed;
        if (!lights)
            continue;
        slow_zone(traffic, incident->route, incident->x - 300, incident->x + 300, RUBBERNECK,
                  incident->closed ? 0.7F : 0.92F);
        enum geo_route other = opposites[incident->route];
        if (incidents->roads[other]) {
            struct geo_position at = geo_route_position(incident->route, incident->x);
            double x = geo_route_nearest(other, at.latitude, at.longitude, NULL);
            slow_zone(traffic, other, x - 250, x + 250, OPPOSITE, 0.95F);
        }
        if (!incident->closed)
            continue;
        closures[count++] =
            (struct traffic_closure){incident->route, incident->x - 60, incident->x + 40, incident->closed};
        if (incident->status >= INCIDENT_ACTIVE &&
            geo_route_section_at(incident->route, incident->x)->kind == GEO_SECTION_MOTORWAY)
            set_signals(traffic, incident);
    }
    traffic_set_closures(traffic, closures, count);
}

/* ---- controls --------------------------------------------------------------------------------------- */

int incidents_inject(struct incidents *incidents, enum geo_route route, double x, const char *type,
                     int lanes_closed, uint64_t tick, int64_t now, char id[40], struct err *err)
{
    if ((int)route < 0 || route >= GEO_ROUTES || !incidents->roads[route])
        return err_set(err, ERR_USAGE, "that route is not driven; choose one of the routes of this run");
    if (!(x >= 0 && x <= incidents->roads[route]->length))
        return err_set(err, ERR_USAGE, "%.1f km is not on %s, which is %.1f km long", x / 1000,
                       geo_route_name(route), incidents->roads[route]->length / 1000);
    int chosen = -1;
    for (int i = 0; i < INCIDENT_TYPES && *type; i++)
        if (text_equal_fold(incident_kinds[i].word, type))
            chosen = i;
    if (*type && chosen < 0)
        return err_set(err, ERR_USAGE,
                       "no incident '%.40s': Accident, Fire, Medical, Police, Breakdown or Debris", type);
    int lanes = geo_route_section_at(route, x)->lanes;
    if (lanes_closed < 0 || lanes_closed > lanes)
        return err_set(err, ERR_USAGE, "%s has %d lanes there, so 0 to %d can be closed",
                       geo_route_name(route), lanes, lanes);
    struct incident *incident = add(incidents);
    if (!incident)
        return err_set(err, ERR_FULL, "%d incidents are open, which is the limit; clear one first",
                       INCIDENTS_OPEN);
    struct rng_key key = {incidents->seed, incident->number, tick, NOISE_INCIDENT};
    incident->type = chosen >= 0 ? (enum incident_type)chosen : pick_type(incidents, rng_uniform(&key));
    incident->route = route;
    incident->x = fmin(fmax(x, 100), incidents->roads[route]->length - 60);
    /* Reported with the next tick, which is when it takes effect. */
    shape(incidents, incident, lanes_closed, now + STEP_MS);
    incident->next_report = tick + 1;
    incidents->changed = true;
    text_copy(id, 40, incident->id);
    return 0;
}

bool incidents_break_down(struct incidents *incidents, enum geo_route route, double x, int lane, int class,
                          int32_t device, uint64_t tick, int64_t now)
{
    struct incident *incident = add(incidents);
    if (!incident)
        return false;
    incident->type = INCIDENT_BREAKDOWN;
    incident->route = route;
    incident->x = fmin(fmax(x, 100), incidents->roads[route]->length - 60);
    incident->device = device;
    incident->class = (uint8_t) class;
    shape(incidents, incident, 0, now);
    /* Where it stands is no draw. */
    incident->closed = (uint8_t)(lane < 0 ? 0 : 1U << lane);
    incident->severity = lane < 0 ? 0 : incident->lanes > 1 ? 1 : 3;
    incident->responders = responders_for(INCIDENT_BREAKDOWN, lane >= 0, incident->severity);
    draw_times(incidents, incident, now);
    incident->next_report = tick;
    incidents->changed = true;
    return true;
}

int incidents_clear(struct incidents *incidents, const char *id, int64_t now, struct err *err)
{
    for (size_t i = 0; i < incidents->count; i++) {
        struct incident *incident = &incidents->list[i];
        if (strcmp(incident->id, id) != 0)
            continue;
        if (incident->status >= INCIDENT_CLEARING)
            return 0;
        /* What was still to come is now; clearing keeps the time it takes. */
        int64_t takes = incident->at[INCIDENT_RESOLVED] - incident->at[INCIDENT_CLEARING];
        for (int status = (int)incident->status + 1; status <= INCIDENT_CLEARING; status++)
            incident->at[status] = now + STEP_MS;
        incident->at[INCIDENT_RESOLVED] = now + STEP_MS + takes;
        incident->status = INCIDENT_CLEARING - 1;
        return 0;
    }
    return err_set(err, ERR_NOT_FOUND, "no open incident '%.39s'", id);
}

uint32_t incidents_open(const struct incidents *incidents)
{
    uint32_t open = 0;
    for (size_t i = 0; i < incidents->count; i++)
        open += incidents->list[i].status != INCIDENT_RESOLVED;
    return open;
}

size_t incidents_list(const struct incidents *incidents, const struct incident **list)
{
    *list = incidents->list;
    return incidents->count;
}

uint64_t incidents_refused(const struct incidents *incidents)
{
    return incidents->refused;
}
