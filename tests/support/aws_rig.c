#include "tests/support/aws_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct aws_client *aws_rig_client(const struct aws_rig *rig, const struct aws_settings *settings)
{
    struct err err = ERR_INIT;
    struct aws_settings own = settings ? *settings : (struct aws_settings){.transfers = 0};
    own.config = (struct aws_config_settings){.local = true,
                                              .region = rig->address->region,
                                              .endpoint = rig->address->endpoint,
                                              .access_key = rig->address->access_key,
                                              .secret_key = rig->address->secret_key};
    own.log = rig->log;
    struct aws_client *client = aws_client_create(&own, &err);
    if (!client)
        fprintf(stderr, "%s\n", err.text);
    return client;
}

bool aws_rig_open(struct aws_rig *rig, const struct aws_settings *settings)
{
    struct err err = ERR_INIT;
    const char *endpoint = getenv("SMARTCITY_TEST_ENDPOINT");
    *rig = (struct aws_rig){.folder = "/tmp/smartcity-aws-XXXXXX", .foreign = endpoint != NULL};
    if (!mkdtemp(rig->folder))
        return false;
    if (rig->foreign) {
        rig->plain_s3 = getenv("SMARTCITY_TEST_PLAIN_S3") != NULL;
        rig->other = (struct cloud_address){
            .region = "us-east-1", .access_key = "testing-key", .secret_key = "testing-secret"};
        snprintf(rig->other.endpoint, sizeof rig->other.endpoint, "%s", endpoint);
        rig->address = &rig->other;
        rig->log = log_create(1000);
        rig->client = aws_rig_client(rig, settings);
        return rig->client != NULL;
    }
    struct cloud_settings cloud = {.folder = rig->folder, .faults = true};
    rig->log = log_create(1000);
    rig->cloud = cloud_start(&cloud, &err);
    if (!rig->cloud) {
        fprintf(stderr, "%s\n", err.text);
        return false;
    }
    rig->address = cloud_address(rig->cloud);
    rig->client = aws_rig_client(rig, settings);
    return rig->client != NULL;
}

void aws_rig_close(struct aws_rig *rig)
{
    char command[128];
    aws_client_destroy(rig->client);
    if (rig->cloud)
        cloud_stop(rig->cloud);
    log_destroy(rig->log);
    snprintf(command, sizeof command, "rm -rf '%s'", rig->folder);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", rig->folder);
}

void aws_rig_fault(struct aws_rig *rig, const char *rule)
{
    struct err err = ERR_INIT;
    if (cloud_fault(rig->cloud, rule, &err) != 0) {
        fprintf(stderr, "%s: %s\n", rule, err.text);
        abort();
    }
}
