#include "sim/noise.h"

#include <math.h>

double noise_quantile(double p)
{
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                               1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                               6.680131188771972e+01, -1.328068155288572e+01};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                               -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                               3.754408661907416e+00};
    const double low = 0.02425;
    if (p > low && p < 1 - low) {
        double q = p - 0.5, r = q * q;
        return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
               (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
    }
    double tail = p <= low ? p : 1 - p;
    double q = sqrt(-2 * log(tail > 1e-300 ? tail : 1e-300));
    double z = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
               ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
    return p <= low ? z : -z;
}

double noise_phi(double z)
{
    return 0.5 * erfc(-z * 0.70710678118654752440);
}

void noise_normals(const struct rng_key *key, float out[8])
{
    uint32_t block[4];
    rng_block(key, block);
    for (int i = 0; i < 8; i++) {
        uint32_t bits = block[i / 2] >> (i % 2 * 16) & 0xFFFF;
        out[i] = (float)noise_quantile((bits + 0.5) / 65536);
    }
}

uint32_t noise_poisson(const struct rng_key *key, double mean)
{
    double term = exp(-mean), sum = term, u = rng_uniform(key);
    uint32_t count = 0;
    while (u >= sum && count < 64) {
        count++;
        term *= mean / count;
        sum += term;
    }
    return count;
}
