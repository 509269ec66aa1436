/* Where the sun stands. Pure; any thread. */
#ifndef SMARTCITY_SIM_SUN_H
#define SMARTCITY_SIM_SUN_H

#include <stdint.h>

/* Degrees above the horizon, to about 0.3 degrees (low-precision formulae of the Astronomical Almanac); UTC
 * ms. */
double sun_elevation(int64_t milliseconds, double latitude, double longitude);
/* Degrees clockwise from north. */
double sun_azimuth(int64_t milliseconds, double latitude, double longitude);

#endif
