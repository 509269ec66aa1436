/* Who we are: account, role, region, endpoint; for the screen, before anything that costs, and for `doctor`.
 */
#ifndef SMARTCITY_AWS_STS_H
#define SMARTCITY_AWS_STS_H

#include "aws/client.h"

struct aws_identity {
    char account[16]; /* "123456789012" */
    char arn[256];    /* "arn:aws:sts::123456789012:assumed-role/Name/session" */
    char name[128];   /* the last part that says something: "Name/session", "root", "user/ann" */
};

/* GetCallerIdentity. */
struct aws_call *aws_identity(struct aws_client *client, struct aws_group *group, aws_done_fn *done,
                              void *context, struct err *err);
int aws_identity_read(const struct aws_answer *answer, struct aws_identity *identity, struct err *err);
int aws_identity_wait(struct aws_client *client, int64_t deadline_us, struct aws_identity *identity,
                      struct err *err);

/* A line for `smartcity doctor` and for the screen. */
struct aws_finding {
    bool good;
    char what[24]; /* "region", "endpoint s3", "credentials", "identity" */
    char found[320];
    char cure[320]; /* "" when good */
};
/* Asks STS; blocks until the deadline at most. Returns how many were written. */
size_t aws_doctor(struct aws_client *client, int64_t deadline_us, struct aws_finding *findings, size_t max);

#endif
