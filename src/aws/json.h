/*
 * The JSON services (Glue, Athena, Redshift Data): one call for all their operations. What is particular to
 * an operation (does it read, has it a token, is repeating it harmless) is a row of aws/service.c.
 */
#ifndef SMARTCITY_AWS_JSON_H
#define SMARTCITY_AWS_JSON_H

#include "aws/client.h"

struct json_options {
    struct aws_group *group;
    const char *origin; /* of aws_request */
    int64_t timeout_us;
};

/* input: taken, also on error; NULL: {}. A token that the operation has and input lacks is made, so that a
 * repeat is harmless. answer->json is the answer. options NULL: none. */
struct aws_call *aws_json_call(struct aws_client *client, enum aws_service_id service, const char *operation,
                               json_t *input, const struct json_options *options, aws_done_fn *done,
                               void *context, struct err *err);
/* Takes the object out of a call that is done and succeeded: the caller's from then on, who has the handle;
 * NULL otherwise. Rather than json_incref(): the call may be freed on another thread. */
json_t *aws_json_take(struct aws_call *call);
/* A call that is waited for, on worker threads: the answer's object, a new reference, or NULL. code (80
 * bytes; NULL allowed) receives the error's: "EntityNotFoundException". */
json_t *aws_json_wait(struct aws_client *client, enum aws_service_id service, const char *operation,
                      json_t *input, const struct json_options *options, int64_t deadline_us, char *code,
                      struct err *err);
/* All pages: the items of the array `member` of each, by NextToken, at most `max` of them (more: ERR_LIMIT).
 * A new array, or NULL. */
json_t *aws_json_pages_wait(struct aws_client *client, enum aws_service_id service, const char *operation,
                            json_t *input, const char *member, size_t max, const struct json_options *options,
                            int64_t deadline_us, char *code, struct err *err);

/* ---- values of answers ------------------------------------------------------------------------------ */

/* By a path of members, "QueryExecution.Status.State". Text: "" when absent or of another type. */
const char *aws_json_text(const json_t *json, const char *path);
int64_t aws_json_int(const json_t *json, const char *path, int64_t fallback);
double aws_json_real(const json_t *json, const char *path, double fallback);
const json_t *aws_json_at(const json_t *json, const char *path); /* borrowed; NULL */
/* Epoch seconds, as these services write times, in milliseconds; 0 when absent. */
int64_t aws_json_time_ms(const json_t *json, const char *path);

/* ---- work that takes its time ----------------------------------------------------------------------- */

/* One view of what runs over there: a crawl, a job run, a query, a statement. */
enum aws_work_state {
    AWS_WORK_WAITING,
    AWS_WORK_RUNNING,
    AWS_WORK_STOPPING,
    AWS_WORK_DONE,
    AWS_WORK_FAILED,
    AWS_WORK_CANCELLED
};
struct aws_work {
    enum aws_work_state state;
    char word[32];         /* as the service says it: "SUBMITTED" */
    char reason[400];      /* of a failure; made harmless */
    int64_t duration_us;   /* as the service counts; -1 unknown */
    int64_t scanned_bytes; /* Athena; -1 */
    int64_t rows;          /* Redshift Data; -1 */
};
/* From the answer of GetCrawler, GetJobRun, GetQueryExecution or DescribeStatement. ERR_UNSUPPORTED for
 * others. */
int aws_work_read(enum aws_service_id service, const char *operation, const json_t *answer,
                  struct aws_work *work, struct err *err);
/* How long to wait before asking for the nth time (from 0): 0.2 s at first, 2 s at most. */
int64_t aws_work_poll_us(int asked);

#endif
