/*
 * How much traffic the real roads carry: one-way flow of light and heavy vehicles on each link of a route at
 * each hour of the day. Annual average daily flows (DfT road traffic counts, 2024 unless marked) at counted
 * places are interpolated along the route; an hourly profile of a weekday spreads them over the day. Pure;
 * built once, read only.
 */
#ifndef SMARTCITY_SIM_DEMAND_H
#define SMARTCITY_SIM_DEMAND_H

#include "city/geo.h"

/* Between two places where traffic joins or leaves. Chainage in metres. */
struct demand_link {
    double from, to;
    float light, heavy; /* vehicles a day, this direction */
    float limit;        /* vehicles/h our geometry can carry without standing still for good */
    bool town;          /* the flatter profile of town traffic */
};

#define DEMAND_LINKS 96
struct demand {
    size_t count;
    struct demand_link links[DEMAND_LINKS];
};

void demand_build(struct demand *demand, enum geo_route route);

struct demand_flow {
    float light, heavy; /* vehicles/h */
};
/* `hour` is local time in [0, 24). */
struct demand_flow demand_flow_at(const struct demand_link *link, double hour);
/* The link at a chainage (clamped). */
const struct demand_link *demand_link_at(const struct demand *demand, double chainage);

/* Local hour in Great Britain of a UTC time in ms; summer time by the rule in force since 1996 (last Sundays
 * of March and October at 01:00 UTC). */
double demand_local_hour(int64_t milliseconds);

#endif
