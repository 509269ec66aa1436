/*
 * Which account, which region, which endpoint: from settings, the environment and the files of the AWS CLI,
 * in the order in which the SDKs look (botocore/configprovider.py, "Service-specific endpoints" of the SDK
 * reference guide). Pure but for reading the files; any thread.
 *
 * In local mode neither environment nor files are read: what the settings say is all there is.
 */
#ifndef SMARTCITY_AWS_CONFIG_H
#define SMARTCITY_AWS_CONFIG_H

#include "aws/profile.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AWS_TOKEN_SIZE 8192

/* What signs. Secret: never into a log, a view or an error text. */
struct aws_keys {
    char access_key[132], secret_key[132];
    char token[AWS_TOKEN_SIZE]; /* "" none */
    int64_t expires_us;         /* wall clock; 0: never */
};

struct aws_config_settings {
    bool local;           /* region, endpoint and keys as given; nothing else is read; no proxy */
    const char *region;   /* NULL or "": found */
    const char *profile;  /* the same; naming one makes keys of the environment count for nothing */
    const char *endpoint; /* of every service; NULL or "": found */
    const char *access_key, *secret_key, *token; /* NULL or "": the chain of credentials.h */
    /* For tests: NULL is getenv(). */
    const char *(*environment)(void *context, const char *name);
    void *environment_context;
};

enum aws_service_id { AWS_S3, AWS_GLUE, AWS_ATHENA, AWS_REDSHIFT_DATA, AWS_STS, AWS_SERVICES };

struct aws_endpoint {
    char url[256];   /* "https://glue.eu-west-2.amazonaws.com", no slash at the end; path kept when given */
    char origin[96]; /* where it comes from: "AWS_ENDPOINT_URL_GLUE", "profile dev", "AWS" */
    bool custom;     /* not AWS's own: S3 then puts the bucket into the path */
    bool tls;
};

struct aws_config {
    bool local;
    char profile[128];
    bool profile_named; /* by the settings, not by AWS_PROFILE or default */
    char region[64], region_origin[96];
    struct aws_endpoint endpoints[AWS_SERVICES];
    char ca_bundle[512];           /* AWS_CA_BUNDLE, or the profile's ca_bundle; "" the system's */
    int max_attempts;              /* 0: not said */
    struct aws_keys keys;          /* explicit ones; access_key "" none */
    struct aws_profiles *profiles; /* both files; NULL in local mode */
    char config_file[512], credentials_file[512];
    /* As in the settings, for what is read later. */
    const char *(*environment)(void *context, const char *name);
    void *environment_context;
};

/* ERR_CONFIG: a named profile that does not exist, a file that cannot be read, no region, a malformed
 * endpoint. */
int aws_config_read(struct aws_config *config, const struct aws_config_settings *settings, struct err *err);
void aws_config_free(struct aws_config *config);
/* NULL: unset or empty, and always in local mode. */
const char *aws_config_environment(const struct aws_config *config, const char *name);
/* "real AWS" is any endpoint of AWS's own: what costs money. */
bool aws_config_is_aws(const struct aws_config *config);

#endif
