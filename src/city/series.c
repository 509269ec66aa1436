#include "city/series.h"

#include <string.h>

void series_init(struct series *series, int64_t bucket_us)
{
    *series = (struct series){.bucket_us = bucket_us > 0 ? bucket_us : 1};
}

static float *slot(struct series *series, int64_t bucket)
{
    return &series->values[(uint64_t)bucket % SERIES_BUCKETS];
}

static int64_t bucket_of(const struct series *series, int64_t now_us)
{
    return now_us > 0 ? now_us / series->bucket_us : 0;
}

void series_advance(struct series *series, int64_t now_us)
{
    int64_t bucket = bucket_of(series, now_us);
    /* Nothing yet, or a clock that was set back by more than the series holds: begin anew. */
    if (series->filled == 0 || series->newest - bucket >= SERIES_BUCKETS) {
        memset(series->values, 0, sizeof series->values);
        series->newest = bucket;
        series->filled = 1;
        return;
    }
    if (bucket - series->newest >= SERIES_BUCKETS) {
        memset(series->values, 0, sizeof series->values);
        series->newest = bucket;
        series->filled = SERIES_BUCKETS;
    }
    while (series->newest < bucket) {
        *slot(series, ++series->newest) = 0;
        if (series->filled < SERIES_BUCKETS)
            series->filled++;
    }
}

/* The bucket of a time, opened when it is new. A time shortly before the newest adds to a past bucket. */
static float *bucket_at(struct series *series, int64_t now_us)
{
    series_advance(series, now_us);
    int64_t bucket = bucket_of(series, now_us);
    if (series->newest - bucket >= (int64_t)series->filled)
        series->filled = (uint32_t)(series->newest - bucket) + 1;
    return slot(series, bucket);
}

void series_add(struct series *series, int64_t now_us, double value)
{
    *bucket_at(series, now_us) += (float)value;
}

void series_set(struct series *series, int64_t now_us, double value)
{
    *bucket_at(series, now_us) = (float)value;
}

size_t series_read(const struct series *series, float *out, size_t count, int open)
{
    size_t left_out = open ? 0 : 1;
    size_t have = series->filled > left_out ? series->filled - left_out : 0;
    size_t real = have < count ? have : count;
    for (size_t i = 0; i < count; i++) {
        size_t back = count - 1 - i; /* buckets before the last one read */
        int64_t bucket = series->newest - (int64_t)left_out - (int64_t)back;
        out[i] = back < real ? series->values[(uint64_t)bucket % SERIES_BUCKETS] : 0;
    }
    return real;
}

double series_rate(const struct series *series, size_t buckets)
{
    float values[SERIES_BUCKETS];
    size_t real = series_read(series, values, buckets < SERIES_BUCKETS ? buckets : SERIES_BUCKETS, 0);
    size_t asked = buckets < SERIES_BUCKETS ? buckets : SERIES_BUCKETS;
    double sum = 0;
    for (size_t i = asked - real; i < asked; i++)
        sum += (double)values[i];
    return real ? sum * 1e6 / ((double)real * (double)series->bucket_us) : 0;
}

float series_max(const struct series *series, size_t count)
{
    float values[SERIES_BUCKETS], max = 0;
    if (count > SERIES_BUCKETS)
        count = SERIES_BUCKETS;
    series_read(series, values, count, 1);
    for (size_t i = 0; i < count; i++)
        max = values[i] > max ? values[i] : max;
    return max;
}
