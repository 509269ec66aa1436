#include "aws/retry.h"

#include <stddef.h>
#include <string.h>

#define COST_TRANSIENT 14
#define COST_THROTTLED 5
#define CEILING_US     20000000
#define AFTER_ROOM_US  5000000

static bool is_among(const char *code, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(code, list[i]) == 0)
            return true;
    return false;
}
#define AMONG(code, list) is_among(code, list, sizeof(list) / sizeof *(list))

enum retry_class retry_class_of(int status, const char *code)
{
    static const char *const throttled[] = {"Throttling",
                                            "ThrottlingException",
                                            "ThrottledException",
                                            "RequestThrottledException",
                                            "TooManyRequestsException",
                                            "ProvisionedThroughputExceededException",
                                            "TransactionInProgressException",
                                            "RequestLimitExceeded",
                                            "BandwidthLimitExceeded",
                                            "LimitExceededException",
                                            "RequestThrottled",
                                            "SlowDown",
                                            "PriorRequestNotComplete",
                                            "EC2ThrottledException",
                                            "ServiceUnavailable"};
    static const char *const transient[] = {"RequestTimeout",
                                            "RequestTimeoutException",
                                            "InternalError",
                                            "InternalFailure",
                                            "InternalServerException",
                                            "InternalServiceException",
                                            "ConditionalRequestConflict"};
    static const char *const skewed[] = {"RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired",
                                         "InvalidSignatureException", "SignatureDoesNotMatch"};
    static const char *const expired[] = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"};
    if (status == 0)
        return RETRY_TRANSIENT;
    if (status < 400)
        return RETRY_NO;
    if (AMONG(code, throttled) || status == 429)
        return RETRY_THROTTLED;
    if (AMONG(code, skewed))
        return RETRY_SKEW;
    if (AMONG(code, expired))
        return RETRY_EXPIRED;
    if (AMONG(code, transient) || status == 500 || status == 502 || status == 503 || status == 504)
        return RETRY_TRANSIENT;
    return RETRY_NO;
}

int64_t retry_delay_us(enum retry_class class, int retry, int64_t after_ms, double random)
{
    int64_t ceiling = class == RETRY_THROTTLED ? 1000000 : 50000;
    for (int i = 1; i < retry && ceiling < CEILING_US; i++)
        ceiling *= 2;
    if (ceiling > CEILING_US)
        ceiling = CEILING_US;
    int64_t delay = (int64_t)(random * (double)ceiling);
    if (after_ms >= 0) {
        int64_t after = after_ms > 3600000 ? 3600000000 : after_ms * 1000;
        int64_t most = delay + AFTER_ROOM_US;
        delay = after < delay ? delay : after > most ? most : after;
    }
    return delay;
}

void retry_quota_init(struct retry_quota *quota)
{
    quota->left = RETRY_QUOTA;
}

int retry_quota_take(struct retry_quota *quota, enum retry_class class)
{
    int cost = class == RETRY_THROTTLED ? COST_THROTTLED : COST_TRANSIENT;
    if (quota->left < cost)
        return 0;
    quota->left -= cost;
    return cost;
}

void retry_quota_give(struct retry_quota *quota, int taken)
{
    quota->left += taken > 0 ? taken : 1;
    if (quota->left > RETRY_QUOTA)
        quota->left = RETRY_QUOTA;
}
