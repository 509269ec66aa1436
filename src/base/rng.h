/*
 * Counter-based random numbers: a draw is a pure function of (seed, entity, tick, purpose), so results do not
 * depend on the order of calls, on threads or on which topics are on. Philox4x32-10 (Salmon et al., "Parallel
 * random numbers: as easy as 1, 2, 3", SC11): key = seed, counter = (entity, tick lo, tick hi, purpose).
 */
#ifndef SMARTCITY_BASE_RNG_H
#define SMARTCITY_BASE_RNG_H

#include <stdint.h>

struct rng_key {
    uint64_t seed;
    uint32_t entity;
    uint64_t tick;
    uint32_t purpose;
};

void rng_block(const struct rng_key *key, uint32_t out[4]);
uint64_t rng_u64(const struct rng_key *key);
double rng_uniform(const struct rng_key *key);                 /* [0, 1) */
uint32_t rng_below(const struct rng_key *key, uint32_t limit); /* [0, limit) */
double rng_normal(const struct rng_key *key);                  /* N(0, 1), Box-Muller */
void rng_normal_pair(const struct rng_key *key, double *a, double *b);
double rng_exponential(const struct rng_key *key, double mean);
double rng_lognormal(const struct rng_key *key, double mean,
                     double cv);                        /* by mean and coefficient of variation */
void rng_uuid(const struct rng_key *key, char out[37]); /* RFC 9562 version 8, lower case */

#endif
