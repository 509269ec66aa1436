/* A bounded time series of equal buckets, for plots: add values at times, read the last n buckets. One owner.
 */
#ifndef SMARTCITY_CITY_SERIES_H
#define SMARTCITY_CITY_SERIES_H

#include <stddef.h>
#include <stdint.h>

#define SERIES_BUCKETS 240

/* A plain value; may be copied by assignment. */
struct series {
    int64_t bucket_us;
    int64_t newest;  /* index of the newest bucket: time / bucket_us */
    uint32_t filled; /* buckets since the first value, at most SERIES_BUCKETS */
    float values[SERIES_BUCKETS];
};

void series_init(struct series *series, int64_t bucket_us);
void series_add(struct series *series, int64_t now_us, double value); /* sums within a bucket */
void series_set(struct series *series, int64_t now_us, double value); /* last value of a bucket */
void series_advance(struct series *series, int64_t now_us);           /* opens empty buckets up to now */
/* Oldest first into out[0..count); buckets before the first value are 0. The newest, still filling bucket is
 * left out unless `open`. Returns how many are real. */
size_t series_read(const struct series *series, float *out, size_t count, int open);
double series_rate(const struct series *series, size_t buckets); /* mean per second over closed buckets */
float series_max(const struct series *series, size_t count);

#endif
