/*
 * A satellite receiver's errors: per axis a first-order Gauss-Markov bias plus white noise, both scaled by
 * HDOP, which itself wanders (Ornstein-Uhlenbeck). Drop-outs are a two-state Markov chain; there is never a
 * fix under a roof. Called once a simulated second. Pure; a state belongs to its owner.
 *
 * b(t+dt) = b e^(-dt/tau) + sigma HDOP sqrt(1 - e^(-2dt/tau)) N(0,1); z = truth + b + 0.3 m HDOP N(0,1); tau
 * 60 s as in PX4's simulated receiver, sigma 1.9 m: a 95 % radius of 4.7 m under an open sky.
 */
#ifndef SMARTCITY_SIM_GPS_H
#define SMARTCITY_SIM_GPS_H

#include "base/rng.h"

#include <stdbool.h>

struct gps_state {
    float east, north, up; /* bias, m */
    float sky;             /* N(0, 1): how the satellites stand */
    float heading;         /* the last one measured */
    bool lost;
};

/* Where the receiver is. */
struct gps_place {
    bool town;     /* an urban canyon */
    bool covered;  /* no sky */
    float degrade; /* times HDOP and drop-outs; 1 is normal */
};

struct gps_reading {
    bool fix, flat;        /* flat: no height (2d) */
    float east, north, up; /* error, m */
    float speed;           /* m/s */
    float heading;         /* degrees */
    float hdop, accuracy;  /* accuracy: 95 % radius, m */
    int satellites;
};

/* Draws a receiver that has been running for long. */
void gps_start(struct gps_state *state, const struct rng_key *key);
/* One second on; speed and heading are the truth. `key` is this receiver's and this second's. */
struct gps_reading gps_step(struct gps_state *state, const struct rng_key *key, const struct gps_place *place,
                            float speed, float heading);

#endif
