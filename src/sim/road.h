/*
 * What the simulation keeps at hand about a carriageway: texts of its sections as events carry them, heights,
 * and a cursor that makes looking up a moving vehicle's position cheap. Read only once built; cursors belong
 * to their owner.
 */
#ifndef SMARTCITY_SIM_ROAD_H
#define SMARTCITY_SIM_ROAD_H

#include "city/event.h"
#include "city/geo.h"

struct road_section {
    char road[12];
    char carriageway[4];
    int32_t lanes;
    int32_t limit; /* km/h */
    bool town;     /* buildings hide the sky */
};

struct road {
    enum geo_route id;
    char route_id[12];
    double length; /* m */
    struct road_section *sections;
    size_t section_count;
    double underpass_from, underpass_to; /* no sky at all: Hanger Lane; empty when the route has none */
};

struct road *road_create(enum geo_route route);
void road_destroy(struct road *road);

/* Metres above mean sea level, from a coarse profile of our own. */
float road_altitude(const struct road *road, double x);

/* A chord of 50 m of the road, in degrees per metre. Zero-initialise. */
struct road_cursor {
    double from, latitude, longitude; /* chord starts at chainage `from` */
    float latitude_step, longitude_step;
    float heading, heading_step;
    float right_latitude, right_longitude; /* degrees for a metre to the right */
    float east;                            /* degrees of longitude a metre */
    uint8_t known;
};

struct road_spot {
    double latitude, longitude, heading;
};
/* Where x is, `right` metres to the right of the carriageway's centre line. */
struct road_spot road_locate(const struct road *road, struct road_cursor *cursor, double x, double right);

/* Offset of the middle of a lane (0 nearest the verge) from the centre line, metres to the right. */
static inline double road_lane_offset(int lane, int lanes)
{
    return (lane + 0.5 - lanes * 0.5) * 3.65;
}

#endif
