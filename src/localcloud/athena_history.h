/*
 * The query executions of Athena, kept in FOLDER/athena_history.sqlite: one row each, written when it is
 * accepted and when it has ended. What a kill interrupted is told as failed at the next open. Any thread; one
 * mutex.
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_HISTORY_H
#define SMARTCITY_LOCALCLOUD_ATHENA_HISTORY_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define ATHENA_HISTORY_DAYS 45    /* as long as Athena keeps them */
#define ATHENA_HISTORY_MAX  50000 /* rows; the oldest go */

struct athena_history;

struct athena_history *athena_history_open(const char *folder, int64_t now_us, struct err *err);
void athena_history_close(struct athena_history *history); /* NULL allowed */

/* A row: `execution` is QueryExecution as it is answered, `details` what else is known. */
struct athena_entry {
    const char *id, *workgroup;
    const char *token, *request; /* ClientRequestToken and a hash of what came with it; NULL none */
    const char *reuse;           /* a hash of what a result may be used again for; NULL: it may not */
    const json_t *execution, *details;
    int64_t submitted_us, completed_us; /* completed_us 0: not ended */
    bool succeeded;
};
int athena_history_add(struct athena_history *history, const struct athena_entry *entry, struct err *err);
/* It has ended: execution, details, completed_us and succeeded are replaced. */
int athena_history_end(struct athena_history *history, const struct athena_entry *entry, struct err *err);

/* 1 found, 0 not, -1 error. Each of the results may be NULL; the caller frees. */
int athena_history_get(struct athena_history *history, const char *id, json_t **execution, json_t **details,
                       struct err *err);
/* By token: its id, and whether the request was the same. 1, 0, -1. */
int athena_history_token(struct athena_history *history, const char *token, const char *request, char id[37],
                         bool *same, struct err *err);
/* The newest success with this hash that ended at or after a time. 1, 0, -1. */
int athena_history_reuse(struct athena_history *history, const char *reuse, int64_t since_us,
                         json_t **execution, json_t **details, struct err *err);
/* Ids of a work group, newest first, those older than row `before` (INT64_MAX all); up to limit. *next is the
 * last one's row, or 0 when there are no more. */
int athena_history_list(struct athena_history *history, const char *workgroup, int64_t before, int64_t limit,
                        json_t *ids, int64_t *next, struct err *err);
/* Seconds since 1970 with milliseconds, as Athena writes times. */
json_t *athena_history_time(int64_t us);
/* Of a work group that is deleted. */
int athena_history_forget(struct athena_history *history, const char *workgroup, struct err *err);

#endif
