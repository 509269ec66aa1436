/* A histogram of microseconds, four buckets an octave: percentiles within an eighth of their value. One
 * thread. */
#ifndef SMARTCITY_STREAM_LATENCY_H
#define SMARTCITY_STREAM_LATENCY_H

#include <stdint.h>

#define LATENCY_BUCKETS 128

struct latency {
    uint64_t total;
    uint32_t buckets[LATENCY_BUCKETS];
};

void latency_add(struct latency *latency, int64_t us);
/* The value below which `share` (0 to 1) of all lie, in milliseconds; 0 when there are none. */
double latency_ms(const struct latency *latency, double share);

#endif
