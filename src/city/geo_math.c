/*
 * The arithmetic of city/geo.h, apart from the tables, so that data/compile_geo.c projects with the same code
 * that the program reads positions back with.
 */
#include "city/geo.h"

#include <math.h>

#define EARTH_RADIUS 6371008.8          /* metres: the mean radius of GRS 80, (2a + b) / 3 */
#define MAX_LATITUDE 85.051128779806604 /* atan(sinh(pi)): the square's edge */
#define RADIANS      (M_PI / 180)

static double clamp(double value, double low, double high)
{
    return value > low ? (value < high ? value : high) : low; /* a NaN becomes `low` */
}

struct geo_vertex geo_project(double latitude, double longitude)
{
    double phi = clamp(latitude, -MAX_LATITUDE, MAX_LATITUDE) * RADIANS;
    double x = clamp(longitude, -180, 180) / 360 + 0.5;
    double y = 0.5 - asinh(tan(phi)) / (2 * M_PI);
    return (struct geo_vertex){(int32_t)lround(x * (double)GEO_WORLD_UNITS),
                               (int32_t)lround(y * (double)GEO_WORLD_UNITS)};
}

void geo_unproject(struct geo_vertex vertex, double *latitude, double *longitude)
{
    *longitude = (vertex.x / (double)GEO_WORLD_UNITS - 0.5) * 360;
    *latitude = atan(sinh((0.5 - vertex.y / (double)GEO_WORLD_UNITS) * 2 * M_PI)) / RADIANS;
}

double geo_unit_metres(double latitude)
{
    return 2 * M_PI * EARTH_RADIUS / (double)GEO_WORLD_UNITS * cos(latitude * RADIANS);
}

double geo_distance(double latitude1, double longitude1, double latitude2, double longitude2)
{
    double s = sin((latitude2 - latitude1) * RADIANS / 2), t = sin((longitude2 - longitude1) * RADIANS / 2);
    double h = s * s + cos(latitude1 * RADIANS) * cos(latitude2 * RADIANS) * t * t;
    return 2 * EARTH_RADIUS * asin(sqrt(clamp(h, 0, 1)));
}

double geo_bearing(double latitude1, double longitude1, double latitude2, double longitude2)
{
    double phi1 = latitude1 * RADIANS, phi2 = latitude2 * RADIANS,
           delta = (longitude2 - longitude1) * RADIANS;
    double heading =
        atan2(sin(delta) * cos(phi2), cos(phi1) * sin(phi2) - sin(phi1) * cos(phi2) * cos(delta)) / RADIANS;
    if (heading < 0)
        heading += 360;
    return heading < 360 ? heading : 0;
}

const char *geo_direction_name(double heading)
{
    static const char *const names[] = {"North", "North-East", "East", "South-East",
                                        "South", "South-West", "West", "North-West"};
    if (!isfinite(heading))
        return names[0];
    double turn = fmod(heading, 360);
    return names[(unsigned)((turn < 0 ? turn + 360 : turn) / 45 + 0.5) % 8];
}

struct geo_position geo_offset(struct geo_position position, double metres_right)
{
    double heading = position.heading * RADIANS, metre = 1 / (EARTH_RADIUS * RADIANS);
    position.latitude -= metres_right * sin(heading) * metre;
    position.longitude += metres_right * cos(heading) * metre / cos(position.latitude * RADIANS);
    return position;
}

static const double tolerances[GEO_DETAILS] = {0, 50, 200, 800, 2500};

double geo_detail_tolerance(int detail)
{
    return tolerances[detail < 0 ? 0 : detail < GEO_DETAILS ? detail : GEO_DETAILS - 1];
}

int geo_detail_for(double metres_per_dot)
{
    int detail = 0;
    while (detail + 1 < GEO_DETAILS && tolerances[detail + 1] <= metres_per_dot / 2)
        detail++;
    return detail;
}
