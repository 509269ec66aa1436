#include "aws/service.h"

#include <string.h>

const struct aws_service aws_services[AWS_SERVICES] = {
    [AWS_S3] = {"s3", "S3", "s3", NULL},
    [AWS_GLUE] = {"glue", "GLUE", "glue", "AWSGlue."},
    [AWS_ATHENA] = {"athena", "ATHENA", "athena", "AmazonAthena."},
    [AWS_REDSHIFT_DATA] = {"redshift-data", "REDSHIFT_DATA", "redshift_data", "RedshiftData."},
    [AWS_STS] = {"sts", "STS", "sts", NULL},
};

/* Creating and starting without a token is not here: the second time would start a second one, or fail with
 * an error that hides the success of the first. */
static const struct aws_operation operations[] = {
    {AWS_ATHENA, "StartQueryExecution", "ClientRequestToken", false},
    {AWS_ATHENA, "StopQueryExecution", NULL, true},
    {AWS_ATHENA, "CreateNamedQuery", "ClientRequestToken", false},
    {AWS_REDSHIFT_DATA, "ExecuteStatement", "ClientToken", false},
    {AWS_REDSHIFT_DATA, "BatchExecuteStatement", "ClientToken", false},
    {AWS_REDSHIFT_DATA, "CancelStatement", NULL, true},
    {AWS_GLUE, "BatchCreatePartition", NULL, true}, /* answers AlreadyExists for each, which says the same */
    {AWS_GLUE, "BatchUpdatePartition", NULL, true},
    {AWS_GLUE, "UpdatePartition", NULL, true},
    {AWS_GLUE, "UpdateCrawler", NULL, true},
    {AWS_GLUE, "UpdateJob", NULL, true},
    {AWS_GLUE, "StopCrawler", NULL, true},
    {AWS_GLUE, "BatchStopJobRun", NULL, true},
    {AWS_GLUE, "TagResource", NULL, true},
    {AWS_GLUE, "UntagResource", NULL, true},
    {AWS_STS, "AssumeRole", NULL, true}, /* gives keys; changes nothing */
    {AWS_STS, "AssumeRoleWithWebIdentity", NULL, true},
};

const struct aws_operation *aws_operation_find(enum aws_service_id service, const char *name)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (operations[i].service == service && strcmp(operations[i].name, name) == 0)
            return &operations[i];
    return NULL;
}

bool aws_operation_reads(const char *name)
{
    static const char *const verbs[] = {"Get", "List", "Describe", "BatchGet", "Head", "Search"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strncmp(name, verbs[i], strlen(verbs[i])) == 0)
            return true;
    return false;
}

bool aws_operation_repeats(enum aws_service_id service, const char *name, bool with_token)
{
    const struct aws_operation *row = aws_operation_find(service, name);
    return aws_operation_reads(name) || (row && (row->harmless || (row->token && with_token)));
}

enum aws_service_id aws_service_find(const char *name)
{
    for (int id = 0; id < AWS_SERVICES; id++)
        if (strcmp(aws_services[id].name, name) == 0)
            return (enum aws_service_id)id;
    return AWS_SERVICES;
}
