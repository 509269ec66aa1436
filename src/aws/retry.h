/*
 * When to try again: pure arithmetic and tables. Numbers of the SDKs' 2026 retry behaviour (standard mode):
 * waits of rand(0,1) * min(base * 2^(retry-1), 20 s) with base 50 ms, 1 s when throttled; a quota of 500 that
 * retries take from (14, throttled 5) and successes give back to; x-amz-retry-after within 5 s above that.
 */
#ifndef SMARTCITY_AWS_RETRY_H
#define SMARTCITY_AWS_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_QUOTA 500

enum retry_class {
    RETRY_NO,        /* the answer will not change */
    RETRY_THROTTLED, /* not carried out: ask later */
    RETRY_TRANSIENT, /* 5xx, a broken connection: perhaps carried out */
    RETRY_UNSENT,    /* no connection was made: surely not carried out */
    RETRY_SKEW,      /* our clock is wrong */
    RETRY_EXPIRED    /* the keys are */
};

/* By HTTP status (0: none came) and error code. */
enum retry_class retry_class_of(int status, const char *code);

/* random: [0, 1). retry: 1 for the first one. after_ms: x-amz-retry-after, -1 none. Microseconds. */
int64_t retry_delay_us(enum retry_class class, int retry, int64_t after_ms, double random);

/* The quota, of a client. One thread. */
struct retry_quota {
    int left;
};
void retry_quota_init(struct retry_quota *quota);
/* The cost, to be given back when the retry succeeds; 0: none left. */
int retry_quota_take(struct retry_quota *quota, enum retry_class class);
/* After a success: what its last retry took, or 0 for one without retries (which gives back 1). */
void retry_quota_give(struct retry_quota *quota, int taken);

#endif
