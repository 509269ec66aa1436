#include "stream/latency.h"

void latency_add(struct latency *latency, int64_t us)
{
    uint64_t value = us < 1 ? 1 : (uint64_t)us;
    unsigned octave = 63u - (unsigned)__builtin_clzll(value);
    unsigned quarter = (unsigned)(octave >= 2 ? value >> (octave - 2) : value << (2 - octave)) & 3u;
    unsigned bucket = octave * 4 + quarter;
    latency->buckets[bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1]++;
    latency->total++;
}

double latency_ms(const struct latency *latency, double share)
{
    uint64_t wanted = (uint64_t)((double)latency->total * share), seen = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->buckets[i];
        if (seen > wanted || (seen == latency->total && seen > 0))
            return (double)(1ull << (i / 4)) * (1.0 + (i % 4 + 0.5) / 4.0) / 1000.0;
    }
    return 0;
}
