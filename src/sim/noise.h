/*
 * Random draws of the simulation: the purposes that keep draws of one entity and tick apart, and a cheap
 * source of several normal values from one counter block. Pure; any thread.
 */
#ifndef SMARTCITY_SIM_NOISE_H
#define SMARTCITY_SIM_NOISE_H

#include "base/rng.h"

/* The last part of every rng key. A number is never reused; add at the end, or recorded seeds change meaning.
 */
enum noise_purpose {
    NOISE_FLEET = 1,
    NOISE_DRIVER,
    NOISE_PLACE,
    NOISE_TRIP,
    NOISE_TRIP_ID,
    NOISE_PARKING,
    NOISE_BUILD,
    NOISE_ARRIVAL,
    NOISE_ENTRANT,
    NOISE_EXIT,
    NOISE_THIN,
    NOISE_GPS,
    NOISE_GPS_START,
    NOISE_VEHICLE_ID,
    NOISE_GPS_ID,
    NOISE_WEATHER,
    NOISE_WEATHER_START,
    NOISE_WEATHER_ID,
    NOISE_INCIDENT,
    NOISE_INCIDENT_SHAPE,
    NOISE_INCIDENT_TIMES,
    NOISE_INCIDENT_ID,
    NOISE_EMERGENCY_ID,
    NOISE_CAMERA_ID,
    NOISE_SCENE,
    NOISE_PICTURE,
    NOISE_GPS_LOSS,
    NOISE_BREAKDOWN,
    NOISE_BREAKDOWN_SHAPE,
};

/* Quantile of the standard normal distribution, p in (0, 1); relative error below 1.2e-9 (P. J. Acklam, "An
 * algorithm for computing the inverse normal cumulative distribution function"). */
double noise_quantile(double p);
/* The standard normal distribution function. */
double noise_phi(double z);

/* Eight independent N(0, 1) from one counter block, 16 bits each (so |z| < 4.3): for noise, not for tails. */
void noise_normals(const struct rng_key *key, float out[8]);

/* A Poisson count for a small mean (< 20), by inversion of one uniform draw. */
uint32_t noise_poisson(const struct rng_key *key, double mean);

#endif
