/*
 * The weather: eleven stations along both roads, fed by latent Gaussian fields that are correlated in space
 * (by distance) and time (Ornstein-Uhlenbeck), advanced every five simulated minutes. What a station reports
 * is derived from the fields, so that it cannot contradict itself: humidity from temperature and dew point,
 * the condition from rain, wet-bulb temperature, visibility and cloud. One thread; deterministic, and
 * independent of when it is asked.
 */
#ifndef SMARTCITY_SIM_WEATHER_H
#define SMARTCITY_SIM_WEATHER_H

#include "base/err.h"
#include "city/event.h"
#include "city/geo.h"

#define WEATHER_STATIONS 11
#define WEATHER_STEP_MS  300000

/* One place at one time. */
struct weather {
    float temperature, dew_point; /* degrees C */
    float rain;                   /* mm/h, melted */
    float cloud;                  /* 0 to 1 */
    float wind, gust, wind_from;  /* m/s, m/s, degrees */
    float pressure;               /* hPa */
    float visibility;             /* m */
    float pm25;                   /* ug/m3 */
    float wetness, snow;          /* mm of water and of snow (melted) on the road */
};

/* Condition words are those of the schema. */
enum weather_condition {
    WEATHER_SUNNY,
    WEATHER_CLOUDY,
    WEATHER_RAINY,
    WEATHER_SNOWY,
    WEATHER_FOG,
    WEATHER_DRIZZLE,
    WEATHER_SLEET,
    WEATHER_THUNDERSTORM,
    WEATHER_CONDITIONS
};
const char *weather_condition_word(enum weather_condition condition);

struct weather_report {
    struct weather at;
    enum weather_condition condition;
    int wmo_code;
    float humidity; /* percent */
    float aqi;
    int daqi;
    const char *surface; /* dry, wet, flooded, icy, snow */
};
struct weather_report weather_derive(const struct weather *weather, int month);

/* Degrees C, near freezing. */
float weather_wet_bulb(const struct weather *weather);

struct weather_model;
/* In a stationary state at `now`. */
struct weather_model *weather_create(uint64_t seed, int64_t now);
void weather_destroy(struct weather_model *model);
/* Up to `now`, which never goes back. True when the fields changed. */
bool weather_advance(struct weather_model *model, int64_t now);

struct weather_station {
    const char *id, *name;
    double latitude, longitude;
};
const struct weather_station *weather_station(size_t index);
struct weather weather_at_station(const struct weather_model *model, size_t index);
/* Between the two stations that are neighbours along the route. */
struct weather weather_at(const struct weather_model *model, enum geo_route route, double x);
/* Nearest along the route. */
size_t weather_nearest_station(const struct weather_model *model, enum geo_route route, double x);

/* "" ends it; ERR_USAGE names the words. */
int weather_override(struct weather_model *model, const char *condition, struct err *err);
const char *weather_overridden(const struct weather_model *model); /* "" when not */
/* Vehicles an hour near the station (roadside particles), both directions. */
void weather_set_traffic(struct weather_model *model, size_t station, float vehicles_per_hour);

/* Month of a UTC time, 0 January. */
int weather_month(int64_t milliseconds);

/* What rain does to traffic: capacity (HCM 2010, exhibit 10-15) and speed. */
void weather_effect(const struct weather *weather, float *capacity, float *speed);
/* Times the rate of incidents: wet 1.5, snow 3. */
float weather_risk(const struct weather *weather);

#endif
