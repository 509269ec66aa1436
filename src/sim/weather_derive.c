/* What follows from the weather at a place: the condition and its code, indexes of the air, the state of the
 * road, and what all that does to traffic. */
#include "sim/weather.h"

#include <math.h>

static float mix(float a, float b, float part)
{
    return a + (b - a) * part;
}

static double magnus(double temperature) /* hPa over water */
{
    return 6.112 * exp(17.62 * temperature / (243.12 + temperature));
}

float weather_wet_bulb(const struct weather *weather)
{
    return weather->temperature - 0.36F * (weather->temperature - weather->dew_point); /* near freezing */
}

const char *weather_condition_word(enum weather_condition condition)
{
    static const char *const words[WEATHER_CONDITIONS] = {"Sunny", "Cloudy",  "Rainy", "Snowy",
                                                          "Fog",   "Drizzle", "Sleet", "Thunderstorm"};
    return words[condition];
}

static float piecewise(float value, const float (*points)[2], size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (value <= points[i][0])
            return mix(points[i - 1][1], points[i][1],
                       (value - points[i - 1][0]) / (points[i][0] - points[i - 1][0]));
    return points[count - 1][1];
}

struct weather_report weather_derive(const struct weather *weather, int month)
{
    struct weather_report report = {.at = *weather};
    float rain = weather->rain, bulb = weather_wet_bulb(weather);
    bool wet = rain >= 0.05F;
    report.humidity =
        (float)fmin(100, 100 * magnus((double)weather->dew_point) / magnus((double)weather->temperature));

    if (wet && bulb < 0.5F) {
        report.condition = WEATHER_SNOWY;
        report.wmo_code = rain < 0.5F ? 71 : rain < 2 ? 73 : 75;
    } else if (wet && bulb < 1.5F) {
        report.condition = WEATHER_SLEET;
        report.wmo_code = rain < 1 ? 61 : 63;
    } else if (wet && rain > 8 && ((month >= 5 && month <= 7) || rain >= 14)) {
        report.condition = WEATHER_THUNDERSTORM;
        report.wmo_code = 95;
    } else if (wet && rain < 0.3F) {
        report.condition = WEATHER_DRIZZLE;
        report.wmo_code = rain < 0.12F ? 51 : 53;
    } else if (wet) {
        report.condition = WEATHER_RAINY;
        report.wmo_code = rain < 2 ? 61 : rain < 4 ? 63 : 65;
    } else if (weather->visibility < 1000) {
        report.condition = WEATHER_FOG;
        report.wmo_code = 45;
    } else {
        report.condition = weather->cloud < 0.5F ? WEATHER_SUNNY : WEATHER_CLOUDY;
        report.wmo_code = weather->cloud < 0.12F   ? 0
                          : weather->cloud < 0.5F  ? 1
                          : weather->cloud < 0.85F ? 2
                                                   : 3;
    }

    if (weather->snow > 0.3F)
        report.surface = "snow";
    else if (weather->temperature < 0 && weather->wetness > 0.03F)
        report.surface = "icy";
    else if (weather->wetness > 4)
        report.surface = "flooded";
    else
        report.surface = weather->wetness > 0.03F ? "wet" : "dry";

    /* US index from PM2.5 (breakpoints of May 2024); UK daily index by bands of a 24 h mean. */
    static const float aqi[][2] = {{0, 0},        {9, 50},       {35.4F, 100}, {55.4F, 150},
                                   {125.4F, 200}, {225.4F, 300}, {325.4F, 500}};
    static const float bands[9] = {11.5F, 23.5F, 35.5F, 41.5F, 47.5F, 53.5F, 58.5F, 64.5F, 70.5F};
    report.aqi = piecewise(weather->pm25, aqi, sizeof aqi / sizeof *aqi);
    report.daqi = 1;
    while (report.daqi < 10 && weather->pm25 >= bands[report.daqi - 1])
        report.daqi++;
    return report;
}

void weather_effect(const struct weather *weather, float *capacity, float *speed)
{
    float rain = weather->rain;
    if (rain >= 0.1F && weather_wet_bulb(weather) < 0.5F) {
        *capacity = rain < 0.5F ? 0.96F : rain < 2 ? 0.88F : 0.78F;
        *speed = 0.80F;
    } else {
        *capacity = rain < 0.1F ? 1 : rain <= 2.5F ? 0.98F : rain <= 6.4F ? 0.93F : 0.86F;
        *speed = rain < 0.1F ? 1 : rain <= 2.5F ? 0.96F : rain <= 6.4F ? 0.94F : 0.88F;
    }
    if (weather->visibility < 1000) /* nobody outdrives what can be seen for long */
        *speed = fminf(*speed, 0.62F + 0.3F * weather->visibility / 1000);
}

float weather_risk(const struct weather *weather)
{
    if (weather->snow > 0.3F || (weather->rain >= 0.1F && weather_wet_bulb(weather) < 0.5F))
        return 3;
    return weather->wetness > 0.03F || weather->rain >= 0.1F ? 1.5F : 1;
}
