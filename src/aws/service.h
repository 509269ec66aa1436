/*
 * The services and what is particular to their operations, as tables. Pure.
 */
#ifndef SMARTCITY_AWS_SERVICE_H
#define SMARTCITY_AWS_SERVICE_H

#include "aws/config.h"

#include <stdbool.h>
#include <stddef.h>

struct aws_service {
    const char *name;        /* in host names, signatures and of the aws command: "redshift-data" */
    const char *environment; /* behind AWS_ENDPOINT_URL_: "REDSHIFT_DATA" */
    const char *section;     /* in a `[services]` section: "redshift_data" */
    const char *target; /* before the operation in X-Amz-Target: "RedshiftData."; NULL: no JSON service */
};
extern const struct aws_service aws_services[AWS_SERVICES];

/* A row of those operations that the rule below does not cover. */
struct aws_operation {
    enum aws_service_id service;
    const char *name;
    const char *token; /* the member that makes a repeat harmless; NULL none */
    bool harmless;     /* to repeat, without one */
};
/* NULL when there is no row. */
const struct aws_operation *aws_operation_find(enum aws_service_id service, const char *name);
/* May it be sent again without knowing whether it was carried out? Get*, List*, Describe*, BatchGet*, Head*,
 * Search* and what the table says. with_token: the input carries the operation's token. */
bool aws_operation_repeats(enum aws_service_id service, const char *name, bool with_token);
/* Does it change nothing? By its name. */
bool aws_operation_reads(const char *name);
/* AWS_SERVICES when there is none. */
enum aws_service_id aws_service_find(const char *name);

#endif
