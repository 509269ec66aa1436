#include "sim/sun.h"

#include <math.h>

#define DEGREE (3.14159265358979323846 / 180)

static void sun_angles(int64_t milliseconds, double latitude, double longitude, double *elevation,
                       double *azimuth)
{
    double days = (double)milliseconds / 86400000 - 10957.5; /* since J2000.0 */
    double anomaly = (357.528 + 0.9856003 * days) * DEGREE;
    double ecliptic = (280.460 + 0.9856474 * days + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly)) * DEGREE;
    double obliquity = (23.439 - 4e-7 * days) * DEGREE;
    double declination = asin(sin(obliquity) * sin(ecliptic));
    double ascension = atan2(cos(obliquity) * sin(ecliptic), cos(ecliptic));
    double sidereal = fmod(280.46062 + 360.98564737 * days + longitude, 360) * DEGREE;
    double hour = sidereal - ascension, phi = latitude * DEGREE;
    *elevation = asin(sin(phi) * sin(declination) + cos(phi) * cos(declination) * cos(hour)) / DEGREE;
    double angle = atan2(-sin(hour), tan(declination) * cos(phi) - sin(phi) * cos(hour)) / DEGREE;
    *azimuth = angle < 0 ? angle + 360 : angle;
}

double sun_elevation(int64_t milliseconds, double latitude, double longitude)
{
    double elevation, azimuth;
    sun_angles(milliseconds, latitude, longitude, &elevation, &azimuth);
    return elevation;
}

double sun_azimuth(int64_t milliseconds, double latitude, double longitude)
{
    double elevation, azimuth;
    sun_angles(milliseconds, latitude, longitude, &elevation, &azimuth);
    return azimuth;
}
