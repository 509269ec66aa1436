#include "base/rng.h"

#include <math.h>
#include <stdio.h>

/* Multipliers and Weyl increments of Philox4x32, Salmon et al. 2011, table 2. */
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

static const double two_pi = 6.283185307179586476925;

void rng_block(const struct rng_key *key, uint32_t out[4])
{
    uint32_t c0 = key->entity, c1 = (uint32_t)key->tick, c2 = (uint32_t)(key->tick >> 32), c3 = key->purpose;
    uint32_t k0 = (uint32_t)key->seed, k1 = (uint32_t)(key->seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)PHILOX_M0 * c0;
        uint64_t p1 = (uint64_t)PHILOX_M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint64_t rng_u64(const struct rng_key *key)
{
    uint32_t block[4];
    rng_block(key, block);
    return (uint64_t)block[0] << 32 | block[1];
}

static double unit(uint32_t high, uint32_t low)
{
    return (double)(((uint64_t)high << 32 | low) >> 11) * 0x1p-53;
}

double rng_uniform(const struct rng_key *key)
{
    uint32_t block[4];
    rng_block(key, block);
    return unit(block[0], block[1]);
}

uint32_t rng_below(const struct rng_key *key, uint32_t limit)
{
    /* 64 random bits scaled to 32: the bias is below 2^-32. */
    return (uint32_t)((unsigned __int128)rng_u64(key) * limit >> 64);
}

void rng_normal_pair(const struct rng_key *key, double *a, double *b)
{
    uint32_t block[4];
    rng_block(key, block);
    double radius = sqrt(-2.0 * log(1.0 - unit(block[0], block[1])));
    double angle = two_pi * unit(block[2], block[3]);
    *a = radius * cos(angle);
    *b = radius * sin(angle);
}

double rng_normal(const struct rng_key *key)
{
    double a, b;
    rng_normal_pair(key, &a, &b);
    return a;
}

double rng_exponential(const struct rng_key *key, double mean)
{
    return -mean * log(1.0 - rng_uniform(key));
}

double rng_lognormal(const struct rng_key *key, double mean, double cv)
{
    double variance = log(1.0 + cv * cv);
    return exp(log(mean) - variance / 2.0 + sqrt(variance) * rng_normal(key));
}

void rng_uuid(const struct rng_key *key, char out[37])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t block[4];
    rng_block(key, block);
    block[1] = (block[1] & 0xFFFF0FFFu) | 0x00008000u; /* version 8 */
    block[2] = (block[2] & 0x3FFFFFFFu) | 0x80000000u; /* variant 10 */
    char *at = out;
    for (int nibble = 0; nibble < 32; nibble++) {
        if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20)
            *at++ = '-';
        *at++ = digits[block[nibble / 8] >> (28 - nibble % 8 * 4) & 15];
    }
    *at = '\0';
}
