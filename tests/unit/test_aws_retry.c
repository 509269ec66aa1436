/* When a call is made again. */
#include "aws/retry.h"
#include "aws/service.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_classes(void **state)
{
    static const struct {
        int status;
        const char *code;
        enum retry_class class;
    } rows[] = {{0, "", RETRY_TRANSIENT},
                {200, "", RETRY_NO},
                {404, "NoSuchKey", RETRY_NO},
                {412, "PreconditionFailed", RETRY_NO},
                {503, "SlowDown", RETRY_THROTTLED},
                {400, "ThrottlingException", RETRY_THROTTLED},
                {400, "TooManyRequestsException", RETRY_THROTTLED},
                {429, "", RETRY_THROTTLED},
                {500, "InternalError", RETRY_TRANSIENT},
                {502, "", RETRY_TRANSIENT},
                {501, "NotImplemented", RETRY_NO},
                {400, "RequestTimeout", RETRY_TRANSIENT},
                {409, "ConditionalRequestConflict", RETRY_TRANSIENT},
                {403, "RequestTimeTooSkewed", RETRY_SKEW},
                {400, "InvalidSignatureException", RETRY_SKEW},
                {400, "ExpiredToken", RETRY_EXPIRED},
                {400, "CrawlerRunningException", RETRY_NO},
                {403, "AccessDenied", RETRY_NO}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (retry_class_of(rows[i].status, rows[i].code) != rows[i].class)
            fail_msg("%d %s", rows[i].status, rows[i].code);
}

static void test_delays(void **state)
{
    assert_int_equal(retry_delay_us(RETRY_TRANSIENT, 1, -1, 0.0), 0);
    assert_int_equal(retry_delay_us(RETRY_TRANSIENT, 1, -1, 0.5), 25000);
    assert_int_equal(retry_delay_us(RETRY_UNSENT, 2, -1, 0.5), 50000);
    assert_int_equal(retry_delay_us(RETRY_THROTTLED, 1, -1, 0.5), 500000);
    assert_int_equal(retry_delay_us(RETRY_THROTTLED, 3, -1, 0.5), 2000000);
    assert_int_equal(retry_delay_us(RETRY_THROTTLED, 60, -1, 1.0), 20000000);
    /* the server's wish: between our own delay and five seconds more */
    assert_int_equal(retry_delay_us(RETRY_THROTTLED, 1, 1500, 0.5), 1500000);
    assert_int_equal(retry_delay_us(RETRY_THROTTLED, 1, 100, 0.5), 500000);
    assert_int_equal(retry_delay_us(RETRY_THROTTLED, 1, 60000, 0.5), 5500000);
    assert_int_equal(retry_delay_us(RETRY_THROTTLED, 1, INT64_MAX, 0.5), 5500000);
}

static void test_quota(void **state)
{
    struct retry_quota quota;
    retry_quota_init(&quota);
    int taken = 0;
    while (retry_quota_take(&quota, RETRY_TRANSIENT) == 14)
        taken++;
    assert_int_equal(taken, 500 / 14);
    assert_int_equal(retry_quota_take(&quota, RETRY_THROTTLED), 5);
    assert_int_equal(retry_quota_take(&quota, RETRY_THROTTLED), 5);
    assert_int_equal(retry_quota_take(&quota, RETRY_THROTTLED), 0);
    for (int i = 0; i < 5; i++)
        retry_quota_give(&quota, 0);
    assert_int_equal(retry_quota_take(&quota, RETRY_THROTTLED), 5);
    for (int i = 0; i < 100; i++)
        retry_quota_give(&quota, 14);
    assert_int_equal(quota.left, RETRY_QUOTA);
}

static void test_operations(void **state)
{
    assert_true(aws_operation_repeats(AWS_GLUE, "GetTable", false));
    assert_true(aws_operation_repeats(AWS_GLUE, "BatchGetPartition", false));
    assert_false(aws_operation_repeats(AWS_GLUE, "StartCrawler", true));
    assert_false(aws_operation_repeats(AWS_GLUE, "StartJobRun", true));
    assert_false(aws_operation_repeats(AWS_GLUE, "CreateTable", true));
    assert_true(aws_operation_repeats(AWS_GLUE, "BatchCreatePartition", false));
    assert_true(aws_operation_repeats(AWS_ATHENA, "StartQueryExecution", true));
    assert_false(aws_operation_repeats(AWS_ATHENA, "StartQueryExecution", false));
    assert_true(aws_operation_repeats(AWS_REDSHIFT_DATA, "BatchExecuteStatement", true));
    assert_string_equal(aws_operation_find(AWS_ATHENA, "StartQueryExecution")->token, "ClientRequestToken");
    assert_int_equal(aws_service_find("redshift-data"), AWS_REDSHIFT_DATA);
    assert_int_equal(aws_service_find("ec2"), AWS_SERVICES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_delays),
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_operations),
    };
    return cmocka_run_group_tests_name("aws_retry", tests, NULL, NULL);
}
