/* lake/remote.h by the AWS client. */
#ifndef SMARTCITY_LAKE_REMOTE_AWS_H
#define SMARTCITY_LAKE_REMOTE_AWS_H

#include "aws/client.h"
#include "lake/remote.h"

struct lake_remote_settings {
    const char *bucket;
    const char *owner;          /* expected account of the bucket; NULL not checked */
    const char *encryption;     /* as aws_s3_options; NULL the bucket's own */
    const char *encryption_key; /* NULL AWS's */
};

struct lake_remote_aws;
/* The client outlives it; texts are copied. Never NULL. */
struct lake_remote_aws *lake_remote_aws_create(struct aws_client *client,
                                               const struct lake_remote_settings *settings);
/* Calls under way end with ERR_CANCELLED, and so does every later one. Any thread. */
void lake_remote_aws_cancel(struct lake_remote_aws *remote);
void lake_remote_aws_destroy(struct lake_remote_aws *remote); /* no call is under way; NULL allowed */
const struct lake_remote *lake_remote_aws_remote(const struct lake_remote_aws *remote);
/* Makes the bucket when it is missing; *made (NULL allowed). Blocks. */
int lake_remote_aws_bucket(struct lake_remote_aws *remote, bool *made, struct err *err);

#endif
