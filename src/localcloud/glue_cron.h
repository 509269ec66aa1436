/*
 * Schedules as AWS writes them: cron(minutes hours day-of-month month day-of-week year), UTC. Fields: * ?
 * lists, ranges, steps, names of months and days (1 or SUN is Sunday), L as the last day of the month, 3#2
 * the second Tuesday, 6L the last Friday. W (nearest weekday) is refused. One of the two day fields is '?'.
 * Pure. Source: "Cron expressions" of the AWS Glue developer guide.
 */
#ifndef SMARTCITY_LOCALCLOUD_GLUE_CRON_H
#define SMARTCITY_LOCALCLOUD_GLUE_CRON_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct glue_cron {
    uint64_t minutes;        /* bits 0 to 59 */
    uint32_t hours, days;    /* bits 0 to 23; 1 to 31 */
    uint32_t months;         /* 1 to 12 */
    uint32_t weekdays;       /* 1 to 7 */
    bool last_day;           /* L in day-of-month */
    bool by_weekday;         /* day-of-month is '?' */
    uint32_t nth[8];         /* of a weekday: bits 1 to 5, and bit 0 for the last; 0 none */
    unsigned char years[32]; /* bits from 1970 on, to 2199 */
};

int glue_cron_parse(const char *text, struct glue_cron *cron, struct err *err);
/* The minute that holds `seconds` since 1970. */
bool glue_cron_matches(const struct glue_cron *cron, int64_t seconds);
/* Whether a minute that begins in (from, to] matches; looks back a day at most. */
bool glue_cron_between(const struct glue_cron *cron, int64_t from, int64_t to);

#endif
