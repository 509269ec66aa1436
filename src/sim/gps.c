#include "sim/gps.h"

#include "sim/noise.h"

#include <math.h>

#define SIGMA       1.9F      /* m at HDOP 1 */
#define WHITE       0.3F      /* m at HDOP 1 */
#define BIAS_DECAY  0.983471F /* e^(-1/60) */
#define BIAS_NOISE  0.181064F /* sqrt(1 - e^(-2/60)) */
#define SKY_DECAY   0.991701F /* e^(-1/120) */
#define SKY_NOISE   0.128565F /* sqrt(1 - e^(-2/120)) */
#define SPEED_NOISE 0.15F     /* m/s */
#define RADIUS_95   2.4477F   /* of a circular normal distribution with sigma 1 */
#define DEGREES     57.29578F

void gps_start(struct gps_state *state, const struct rng_key *key)
{
    float z[8];
    noise_normals(key, z);
    *state = (struct gps_state){
        .east = SIGMA * z[0], .north = SIGMA * z[1], .up = 1.6F * SIGMA * z[2], .sky = z[3]};
}

/* Open: 0.8 to 1.1; between houses 1.5 to 4. */
static float dilution(const struct gps_state *state, const struct gps_place *place)
{
    float hdop = place->town ? fminf(4, fmaxf(1.5F, 2.4F + 0.6F * state->sky))
                             : fminf(1.1F, fmaxf(0.8F, 0.95F + 0.07F * state->sky));
    return hdop * place->degrade;
}

static bool still_lost(struct gps_state *state, const struct gps_place *place, float u, float hdop,
                       const float z[8])
{
    if (place->covered) {
        state->lost = true;
        return true;
    }
    if (!state->lost) {
        /* 4 s in 30 min under an open sky, 8 s in 3 min in town. */
        state->lost = u < (place->town ? 1.0F / 180 : 1.0F / 1800) * place->degrade;
        return state->lost;
    }
    if (u >= (place->town ? 1.0F / 8 : 1.0F / 4) / fminf(place->degrade, 10))
        return true;
    state->lost = false;
    state->east = 2 * SIGMA * hdop * z[0];
    state->north = 2 * SIGMA * hdop * z[1];
    return false;
}

struct gps_reading gps_step(struct gps_state *state, const struct rng_key *key, const struct gps_place *place,
                            float speed, float heading)
{
    float z[8];
    noise_normals(key, z);
    state->sky = state->sky * SKY_DECAY + SKY_NOISE * z[7];
    float hdop = dilution(state, place);
    state->east = state->east * BIAS_DECAY + SIGMA * hdop * BIAS_NOISE * z[0];
    state->north = state->north * BIAS_DECAY + SIGMA * hdop * BIAS_NOISE * z[1];
    state->up = state->up * BIAS_DECAY + 1.6F * SIGMA * hdop * BIAS_NOISE * z[2];

    struct gps_reading reading = {.hdop = hdop};
    struct rng_key other = {key->seed, key->entity, key->tick, NOISE_GPS_LOSS};
    float u = (float)(rng_u64(&other) >> 40) * 0x1p-24F;
    if (still_lost(state, place, u, hdop, z)) {
        reading.satellites = place->covered ? 0 : (int)(u * 4);
        return reading;
    }
    reading.fix = true;
    reading.flat = hdop > 3.6F;
    reading.east = state->east + WHITE * hdop * z[3];
    reading.north = state->north + WHITE * hdop * z[4];
    reading.up = state->up;
    reading.speed = fmaxf(0, speed + SPEED_NOISE * z[5]);
    if (speed >= 0.5F) {
        float measured = heading + SPEED_NOISE / speed * DEGREES * z[6];
        state->heading = measured < 0 ? measured + 360 : measured >= 360 ? measured - 360 : measured;
    }
    reading.heading = state->heading;
    reading.accuracy = RADIUS_95 * hdop * 1.923538F; /* sqrt(sigma^2 + white^2) */
    int satellites = (int)(15.5F - 3.4F * (hdop - 0.9F) + 0.8F * z[7]);
    reading.satellites = reading.flat ? 3 : satellites < 4 ? 4 : satellites > 18 ? 18 : satellites;
    return reading;
}
