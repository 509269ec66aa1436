/* The command of the aws CLI that does the same, for the Log: it can be copied into a shell. Secrets are left
 * out. Pure. */
#ifndef SMARTCITY_AWS_EQUIVALENT_H
#define SMARTCITY_AWS_EQUIVALENT_H

#include "aws/config.h"
#include "base/buf.h"

#include <jansson.h>

/* "aws glue start-crawler"; options follow, then the end. S3 is s3api. */
void aws_equivalent_begin(struct buf *out, enum aws_service_id service, const char *operation);
/* " --NAME VALUE", quoted where it must be; value NULL: nothing is written. */
void aws_equivalent_option(struct buf *out, const char *name, const char *value);
/* An option for each member: QueryString becomes --query-string. */
void aws_equivalent_json(struct buf *out, const json_t *input);
/* Endpoint, region and profile, when they are not the usual ones. */
void aws_equivalent_end(struct buf *out, const struct aws_config *config, enum aws_service_id service);

#endif
