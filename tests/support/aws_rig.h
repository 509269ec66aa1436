/* A local cloud with faults, and a client to it, for tests of what speaks to AWS. */
#ifndef SMARTCITY_TESTS_AWS_RIG_H
#define SMARTCITY_TESTS_AWS_RIG_H

#include "aws/client.h"
#include "localcloud/cloud.h"

struct aws_rig {
    char folder[64];
    struct cloud *cloud;
    const struct cloud_address *address;
    bool foreign;  /* SMARTCITY_TEST_ENDPOINT names a server of others instead, which has no faults */
    bool plain_s3; /* SMARTCITY_TEST_PLAIN_S3: it is S3 alone, over files whose names are the keys */
    struct cloud_address other;
    struct log *log;
    struct aws_client *client;
};

/* settings NULL: the usual; its config is filled here. False: the reason is on stderr. */
bool aws_rig_open(struct aws_rig *rig, const struct aws_settings *settings);
/* Another client to the same cloud. */
struct aws_client *aws_rig_client(const struct aws_rig *rig, const struct aws_settings *settings);
void aws_rig_close(struct aws_rig *rig);
/* A fault rule; ends the test when it is refused. */
void aws_rig_fault(struct aws_rig *rig, const char *rule);

#endif
