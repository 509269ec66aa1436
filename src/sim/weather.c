#include "sim/weather.h"

#include "base/text.h"
#include "sim/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct weather_station stations[WEATHER_STATIONS] = {
    {"wx-northolt", "Northolt", 51.5490, -0.4170},
    {"wx-high-wycombe", "High Wycombe", 51.6830, -0.8060},
    {"wx-benson", "Benson", 51.6200, -1.0990},
    {"wx-kidlington", "Oxford Kidlington", 51.8370, -1.3190},
    {"wx-banbury", "Banbury", 52.0630, -1.3390},
    {"wx-wellesbourne", "Wellesbourne", 52.2060, -1.6040},
    {"wx-birmingham", "Birmingham Airport", 52.4530, -1.7410},
    {"wx-luton", "Luton", 51.8740, -0.3680},
    {"wx-cranfield", "Cranfield", 52.0720, -0.6170},
    {"wx-northampton", "Northampton", 52.2370, -0.8970},
    {"wx-coventry", "Coventry", 52.3700, -1.4800},
};

/* Met Office averages 1991-2020 of Heathrow, Oxford and Sutton Bonington (Open Government Licence): daily
 * maximum and minimum, degrees C, and rain, mm, by month. */
struct climate {
    float maximum[12], minimum[12], rain[12];
};
static const struct climate climates[3] = {
    {{8.4F, 9.0F, 11.7F, 15.0F, 18.4F, 21.6F, 23.9F, 23.4F, 20.2F, 15.8F, 11.5F, 8.8F},
     {2.7F, 2.6F, 4.1F, 6.0F, 9.1F, 12.0F, 14.2F, 14.1F, 11.6F, 8.8F, 5.3F, 3.1F},
     {59, 45, 39, 42, 46, 47, 46, 54, 50, 65, 67, 57}},
    {{8.0F, 8.6F, 11.3F, 14.4F, 17.7F, 20.7F, 23.0F, 22.5F, 19.4F, 15.1F, 10.9F, 8.2F},
     {2.4F, 2.3F, 3.6F, 5.3F, 8.2F, 11.1F, 13.1F, 13.0F, 10.7F, 8.0F, 4.9F, 2.6F},
     {60, 47, 43, 49, 57, 50, 53, 62, 52, 73, 72, 66}},
    {{7.5F, 8.1F, 10.6F, 13.6F, 16.7F, 19.6F, 22.0F, 21.8F, 18.7F, 14.5F, 10.4F, 7.8F},
     {1.9F, 1.9F, 3.0F, 4.6F, 7.1F, 10.1F, 12.1F, 12.1F, 10.1F, 7.5F, 4.4F, 2.1F},
     {51, 41, 41, 44, 47, 64, 62, 55, 49, 62, 57, 58}},
};
/* Which of the three a station follows: its own, by latitude between them. */
static const float climate_latitude[3] = {51.48F, 51.76F, 52.83F};

#define BASE_RAIN   647.0F /* mm a year: chance * scale * Gamma(1 + 1 / shape) * hours */
#define RAIN_CHANCE 0.09F
#define RAIN_SCALE  0.78F /* mm/h */
#define RAIN_SHAPE  0.9F
#define RAIN_SLOW   240.0 /* minutes */
#define RAIN_FAST   45.0
#define ADVECTION   12.0 /* m/s from the south-west */
#define LAGS        24   /* steps of history: two hours */

enum field {
    FIELD_SLOW,
    FIELD_QUICK,
    FIELD_RAIN,
    FIELD_DEW,
    FIELD_WIND,
    FIELD_TURN,
    FIELD_AIR,
    FIELD_PRESSURE,
    FIELDS
};
struct field_kind {
    double minutes;    /* time constant */
    double kilometres; /* length of correlation */
};
static const struct field_kind kinds[FIELDS] = {
    [FIELD_SLOW] = {3 * 1440, 400}, [FIELD_QUICK] = {120, 40},          [FIELD_RAIN] = {RAIN_SLOW, 120},
    [FIELD_DEW] = {600, 150},       [FIELD_WIND] = {480, 250},          [FIELD_TURN] = {900, 400},
    [FIELD_AIR] = {720, 200},       [FIELD_PRESSURE] = {2 * 1440, 800},
};

struct station_state {
    float rain_z[LAGS]; /* newest at [step % LAGS] */
    float filtered;     /* second filter of the rain */
    float wetness, snow;
    float traffic; /* vehicles/h */
    int lag;       /* steps after the south-westernmost station */
    float maximum[12], minimum[12], rain_factor[12];
};

struct weather_model {
    uint64_t seed;
    int64_t step; /* of WEATHER_STEP_MS since 1970 */
    int64_t now;
    float root[FIELDS][WEATHER_STATIONS][WEATHER_STATIONS]; /* Cholesky factors */
    float z[FIELDS][WEATHER_STATIONS];
    struct station_state stations[WEATHER_STATIONS];
    struct weather before[WEATHER_STATIONS], after[WEATHER_STATIONS]; /* at step and step + 1 */
    double chainage[GEO_ROUTES][WEATHER_STATIONS];                    /* of those near the route, in order */
    uint8_t along[GEO_ROUTES][WEATHER_STATIONS];
    size_t along_count[GEO_ROUTES];
    char override[16];
    struct weather overriding;
};

const struct weather_station *weather_station(size_t index)
{
    return &stations[index];
}

/* Month, 0 to 11, and hour of a UTC time; civil calendar after H. Hinnant. */
static int month_of(int64_t milliseconds, double *hour)
{
    int64_t days = milliseconds / 86400000;
    if (hour)
        *hour = (double)(milliseconds - days * 86400000) / 3600000;
    int64_t shifted = days + 719468, era = shifted / 146097, of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int month = (int)((5 * of_year + 2) / 153);
    return month < 10 ? month + 2 : month - 10;
}

int weather_month(int64_t milliseconds)
{
    return month_of(milliseconds, NULL);
}

/* ---- fields ----------------------------------------------------------------------------------------- */

static void cholesky(float root[WEATHER_STATIONS][WEATHER_STATIONS], double kilometres)
{
    for (int i = 0; i < WEATHER_STATIONS; i++)
        for (int j = 0; j <= i; j++) {
            double distance = geo_distance(stations[i].latitude, stations[i].longitude, stations[j].latitude,
                                           stations[j].longitude);
            double sum = exp(-distance / 1000 / kilometres);
            for (int k = 0; k < j; k++)
                sum -= (double)root[i][k] * (double)root[j][k];
            root[i][j] = (float)(i == j ? sqrt(fmax(sum, 1e-9)) : sum / (double)root[j][j]);
        }
}

/* Correlated N(0, 1) for one field and step. */
static void draw(const struct weather_model *model, enum field field, int64_t step, uint32_t purpose,
                 float out[WEATHER_STATIONS])
{
    double white[WEATHER_STATIONS + 1];
    for (uint32_t pair = 0; pair * 2 < WEATHER_STATIONS; pair++) {
        struct rng_key key = {model->seed, (uint32_t)field * 16 + pair, (uint64_t)step, purpose};
        rng_normal_pair(&key, &white[pair * 2], &white[pair * 2 + 1]);
    }
    for (int i = 0; i < WEATHER_STATIONS; i++) {
        float sum = 0;
        for (int j = 0; j <= i; j++)
            sum += model->root[field][i][j] * (float)white[j];
        out[i] = sum;
    }
}

static void step_fields(struct weather_model *model)
{
    model->step++;
    for (int field = 0; field < FIELDS; field++) {
        float noise[WEATHER_STATIONS];
        double decay = exp(-5.0 / kinds[field].minutes);
        draw(model, (enum field)field, model->step, NOISE_WEATHER, noise);
        for (int i = 0; i < WEATHER_STATIONS; i++)
            model->z[field][i] =
                (float)(decay * (double)model->z[field][i] + sqrt(1 - decay * decay) * (double)noise[i]);
    }
    /* Variance of the second filter in steady state: slow / (slow + fast). */
    double gain = 1 - exp(-5.0 / RAIN_FAST), scale = sqrt((RAIN_SLOW + RAIN_FAST) / RAIN_SLOW);
    for (int i = 0; i < WEATHER_STATIONS; i++) {
        struct station_state *state = &model->stations[i];
        state->filtered += (float)(gain * (double)(model->z[FIELD_RAIN][i] - state->filtered));
        state->rain_z[model->step % LAGS] = (float)(scale * (double)state->filtered);
    }
}

/* ---- from fields to weather ------------------------------------------------------------------------- */

/* mm/h from the rank of z within the wet tail. */
static float rain_rate(float z, float factor)
{
    float chance = RAIN_CHANCE * sqrtf(factor), lambda = RAIN_SCALE * sqrtf(factor);
    double rank = (noise_phi((double)z) - (1 - (double)chance)) / (double)chance;
    if (rank <= 0)
        return 0;
    return lambda * (float)pow(-log(1 - fmin(rank, 0.999999)), 1 / (double)RAIN_SHAPE);
}

static struct weather make_weather(const struct weather_model *model, int station)
{
    const struct station_state *state = &model->stations[station];
    double hour;
    int month = month_of(model->step * WEATHER_STEP_MS, &hour);
    float z = state->rain_z[(model->step - state->lag) % LAGS];
    struct weather weather = {.rain = rain_rate(z, state->rain_factor[month])};

    weather.cloud = fminf(1, fmaxf(0, 0.62F + 0.33F * z + 0.12F * model->z[FIELD_QUICK][station]));
    if (weather.rain > 0)
        weather.cloud = fmaxf(weather.cloud, 0.9F);
    float mean = (state->maximum[month] + state->minimum[month]) / 2;
    float swing =
        (state->maximum[month] - state->minimum[month]) / 2 * 1.25F; /* clear and dull days average out */
    weather.temperature =
        mean + swing * (float)cos(2 * 3.14159265358979 * (hour - 15) / 24) * (1 - 0.6F * weather.cloud) +
        2.8F * model->z[FIELD_SLOW][station] + 0.4F * model->z[FIELD_QUICK][station];
    /* Depression: log-normal about 3 degrees, half a degree in rain, smaller in the small hours. */
    float depression = 2.6F * expf(0.55F * model->z[FIELD_DEW][station] - 0.25F * z) *
                       (1 - 0.35F * (float)cos(2 * 3.14159265358979 * (hour - 4) / 24));
    if (weather.rain > 0)
        depression = fminf(depression, 0.5F + 0.8F * expf(-2 * weather.rain));
    weather.dew_point = weather.temperature - fmaxf(depression, 0.05F);
    /* Weibull, k 2, mean 4.2 m/s: the rank of the field under sqrt(-ln(1 - u)). */
    double u = noise_phi((double)model->z[FIELD_WIND][station]);
    weather.wind = (float)(4.74 * sqrt(-log(1 - fmin(u, 0.999999))));
    weather.gust = weather.wind * (1.5F + 0.3F * (float)noise_phi((double)model->z[FIELD_QUICK][station]));
    weather.wind_from = fmodf(230 + 50 * model->z[FIELD_TURN][station] + 360, 360);
    float pressure = 1014 + 8.5F * model->z[FIELD_PRESSURE][station] - 3 * model->z[FIELD_RAIN][station];
    weather.pressure = fminf(1052, fmaxf(952, pressure)); /* near the records */
    if (depression < 0.5F && weather.wind < 2 && weather.rain <= 0)
        weather.visibility = 120 + 1600 * fmaxf(0, depression - 0.05F);
    else
        weather.visibility =
            (30000 - 12000 * weather.cloud) * fminf(1, 0.25F + depression / 3) / (1 + 1.3F * weather.rain);
    weather.pm25 = 8 * expf(0.588F * model->z[FIELD_AIR][station]) / sqrtf(fmaxf(weather.wind, 0.6F) / 4.2F) *
                       (weather.rain > 0 ? 0.7F : 1) +
                   state->traffic / 5000;
    weather.wetness = state->wetness;
    weather.snow = state->snow;
    return weather;
}

/* Water and snow on the road over five minutes. */
static void step_surface(struct station_state *state, const struct weather *weather)
{
    float fallen = weather->rain / 12;
    bool snowing = fallen > 0 && weather_wet_bulb(weather) < 0.5F;
    if (snowing)
        state->snow += fallen;
    else
        state->wetness = fminf(8, state->wetness + fallen);
    float dry =
        0.010F * (1 + weather->wind / 4) * fmaxf(0.15F, weather->temperature - weather->dew_point) / 3;
    state->wetness = fmaxf(0, state->wetness - dry - state->wetness * 0.12F); /* it also runs off */
    if (weather->temperature > 0.5F) {
        float melt = fminf(state->snow, 0.02F * weather->temperature + 0.2F * fallen);
        state->snow -= melt;
        state->wetness += melt;
    }
}

static void make_all(struct weather_model *model, struct weather out[WEATHER_STATIONS])
{
    for (int i = 0; i < WEATHER_STATIONS; i++) {
        out[i] = make_weather(model, i);
        step_surface(&model->stations[i], &out[i]);
    }
}

/* ---- the model -------------------------------------------------------------------------------------- */

static void set_climate(struct station_state *state, double latitude)
{
    int upper = latitude > (double)climate_latitude[1] ? 2 : 1;
    float part = ((float)latitude - climate_latitude[upper - 1]) /
                 (climate_latitude[upper] - climate_latitude[upper - 1]);
    part = fminf(1, fmaxf(0, part));
    static const float days[12] = {31, 28.25F, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const struct climate *a = &climates[upper - 1], *b = &climates[upper];
    for (int m = 0; m < 12; m++) {
        state->maximum[m] = a->maximum[m] * (1 - part) + b->maximum[m] * part;
        state->minimum[m] = a->minimum[m] * (1 - part) + b->minimum[m] * part;
        state->rain_factor[m] =
            (a->rain[m] * (1 - part) + b->rain[m] * part) / (BASE_RAIN * days[m] / 365.25F);
    }
}

static void find_neighbours(struct weather_model *model)
{
    for (int route = 0; route < GEO_ROUTES; route++) {
        size_t count = 0;
        for (uint8_t i = 0; i < WEATHER_STATIONS; i++) {
            double distance;
            double x = geo_route_nearest((enum geo_route)route, stations[i].latitude, stations[i].longitude,
                                         &distance);
            if (distance > 18000)
                continue;
            size_t at = count++;
            for (; at > 0 && model->chainage[route][at - 1] > x; at--) {
                model->chainage[route][at] = model->chainage[route][at - 1];
                model->along[route][at] = model->along[route][at - 1];
            }
            model->chainage[route][at] = x;
            model->along[route][at] = i;
        }
        model->along_count[route] = count;
    }
}

struct weather_model *weather_create(uint64_t seed, int64_t now)
{
    struct weather_model *model = mem_zero(1, sizeof *model);
    model->seed = seed;
    for (int field = 0; field < FIELDS; field++)
        cholesky(model->root[field], kinds[field].kilometres);

    double least = INFINITY, towards[WEATHER_STATIONS];
    for (int i = 0; i < WEATHER_STATIONS; i++) {
        /* Kilometres towards the north-east, where the weather goes. */
        double north = stations[i].latitude * 111.2,
               east = stations[i].longitude * 111.2 * cos(52 * 3.14159265 / 180);
        towards[i] = (north + east) * 0.70710678;
        least = fmin(least, towards[i]);
    }
    for (int i = 0; i < WEATHER_STATIONS; i++) {
        int lag = (int)lround((towards[i] - least) * 1000 / ADVECTION / (WEATHER_STEP_MS / 1000.0));
        model->stations[i].lag = lag < LAGS ? lag : LAGS - 1;
        set_climate(&model->stations[i], stations[i].latitude);
    }
    find_neighbours(model);

    /* Stationary at the start; then two hours and a half to fill the history and wet the roads. */
    model->step = now / WEATHER_STEP_MS - 30;
    for (int field = 0; field < FIELDS; field++)
        draw(model, (enum field)field, 0, NOISE_WEATHER_START, model->z[field]);
    double share = RAIN_SLOW / (RAIN_SLOW + RAIN_FAST);
    float noise[WEATHER_STATIONS];
    draw(model, FIELD_RAIN, 1, NOISE_WEATHER_START, noise);
    for (int i = 0; i < WEATHER_STATIONS; i++) {
        struct station_state *state = &model->stations[i];
        state->filtered =
            (float)(share * (double)model->z[FIELD_RAIN][i] + sqrt(share - share * share) * (double)noise[i]);
        for (int lag = 0; lag < LAGS; lag++)
            state->rain_z[lag] = (float)((double)state->filtered / sqrt(share));
    }
    for (int i = 0; i < 30; i++) {
        step_fields(model);
        memcpy(model->before, model->after, sizeof model->before);
        make_all(model, model->after);
    }
    model->now = now;
    weather_advance(model, now);
    return model;
}

void weather_destroy(struct weather_model *model)
{
    free(model);
}

bool weather_advance(struct weather_model *model, int64_t now)
{
    bool changed = false;
    model->now = now;
    while (now >= model->step * WEATHER_STEP_MS) {
        step_fields(model);
        memcpy(model->before, model->after, sizeof model->before);
        make_all(model, model->after);
        changed = true;
    }
    return changed;
}

void weather_set_traffic(struct weather_model *model, size_t station, float vehicles_per_hour)
{
    model->stations[station].traffic = vehicles_per_hour;
}

/* ---- asking ----------------------------------------------------------------------------------------- */

static float mix(float a, float b, float part)
{
    return a + (b - a) * part;
}

static struct weather blend(const struct weather *a, const struct weather *b, float part)
{
    float turn = remainderf(b->wind_from - a->wind_from, 360);
    return (struct weather){
        .temperature = mix(a->temperature, b->temperature, part),
        .dew_point = mix(a->dew_point, b->dew_point, part),
        .rain = mix(a->rain, b->rain, part),
        .cloud = mix(a->cloud, b->cloud, part),
        .wind = mix(a->wind, b->wind, part),
        .gust = mix(a->gust, b->gust, part),
        .wind_from = fmodf(a->wind_from + turn * part + 360, 360),
        .pressure = mix(a->pressure, b->pressure, part),
        .visibility = mix(a->visibility, b->visibility, part),
        .pm25 = mix(a->pm25, b->pm25, part),
        .wetness = mix(a->wetness, b->wetness, part),
        .snow = mix(a->snow, b->snow, part),
    };
}

/* An operator's weather keeps the pressure, the wind's direction and the particles of the day. */
static struct weather apply_override(const struct weather_model *model, struct weather weather)
{
    if (!model->override[0])
        return weather;
    const struct weather *wish = &model->overriding;
    float depression = wish->temperature - wish->dew_point; /* the table holds it as a difference */
    weather.temperature = wish->snow > 0 ? fminf(weather.temperature, -0.5F) : fmaxf(weather.temperature, 2);
    weather.dew_point = weather.temperature - depression;
    weather.rain = wish->rain;
    weather.cloud = wish->cloud;
    weather.visibility = wish->visibility;
    weather.wind = wish->wind;
    weather.gust = wish->gust;
    weather.wetness = wish->wetness;
    weather.snow = wish->snow;
    return weather;
}

struct weather weather_at_station(const struct weather_model *model, size_t index)
{
    float part = 1 - (float)(model->step * WEATHER_STEP_MS - model->now) / WEATHER_STEP_MS;
    return apply_override(model,
                          blend(&model->before[index], &model->after[index], fminf(1, fmaxf(0, part))));
}

static size_t neighbour_before(const struct weather_model *model, enum geo_route route, double x)
{
    size_t i = 0;
    while (i + 1 < model->along_count[route] && model->chainage[route][i + 1] <= x)
        i++;
    return i;
}

struct weather weather_at(const struct weather_model *model, enum geo_route route, double x)
{
    size_t i = neighbour_before(model, route, x);
    struct weather a = weather_at_station(model, model->along[route][i]);
    if (i + 1 >= model->along_count[route])
        return a;
    struct weather b = weather_at_station(model, model->along[route][i + 1]);
    double part =
        (x - model->chainage[route][i]) / fmax(1, model->chainage[route][i + 1] - model->chainage[route][i]);
    return blend(&a, &b, (float)fmin(1, fmax(0, part)));
}

size_t weather_nearest_station(const struct weather_model *model, enum geo_route route, double x)
{
    size_t i = neighbour_before(model, route, x);
    if (i + 1 < model->along_count[route] &&
        model->chainage[route][i + 1] - x < fabs(x - model->chainage[route][i]))
        i++;
    return model->along[route][i];
}

int weather_override(struct weather_model *model, const char *condition, struct err *err)
{
    /* dew_point is the depression below a temperature of 0; snow > 0 asks for frost. */
    static const struct {
        const char *word;
        struct weather weather;
    } wishes[] = {
        {"Sunny", {.dew_point = -6, .cloud = .08F, .visibility = 30000, .wind = 3, .gust = 4.8F}},
        {"Cloudy", {.dew_point = -4, .cloud = .92F, .visibility = 18000, .wind = 4, .gust = 6.4F}},
        {"Rainy",
         {.dew_point = -.6F,
          .rain = 3.5F,
          .cloud = 1,
          .visibility = 3500,
          .wind = 6,
          .gust = 10,
          .wetness = 1}},
        {"Snowy",
         {.dew_point = -.6F,
          .rain = 1.5F,
          .cloud = 1,
          .visibility = 900,
          .wind = 4,
          .gust = 7,
          .wetness = .3F,
          .snow = 3}},
        {"Fog",
         {.dew_point = -.1F, .cloud = 1, .visibility = 130, .wind = .8F, .gust = 1.3F, .wetness = .15F}},
        {"Drizzle",
         {.dew_point = -.8F,
          .rain = .2F,
          .cloud = 1,
          .visibility = 5000,
          .wind = 3,
          .gust = 5,
          .wetness = .3F}},
        {"Thunderstorm",
         {.dew_point = -.7F,
          .rain = 14,
          .cloud = 1,
          .visibility = 1200,
          .wind = 9,
          .gust = 19,
          .wetness = 5}},
    };
    if (!*condition) {
        model->override[0] = '\0';
        return 0;
    }
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        if (text_equal_fold(wishes[i].word, condition)) {
            text_copy(model->override, sizeof model->override, wishes[i].word);
            model->overriding = wishes[i].weather;
            return 0;
        }
    return err_set(err, ERR_USAGE,
                   "no weather '%.40s': Sunny, Cloudy, Rainy, Snowy, Fog, Drizzle or Thunderstorm",
                   condition);
}

const char *weather_overridden(const struct weather_model *model)
{
    return model->override;
}
