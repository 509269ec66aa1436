/* Answers of AWS as values: S3's XML, keys, identities, work; and the commands that do the same. */
#include "aws/credentials_private.h"
#include "aws/equivalent.h"
#include "aws/json.h"
#include "aws/s3.h"
#include "aws/sign.h"
#include "aws/sts.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct aws_answer answer_of(const char *head, const char *body)
{
    struct aws_answer answer = {.status = 200};
    buf_init(&answer.head, 65536);
    buf_init(&answer.body, 1 << 20);
    buf_text(&answer.head, head);
    buf_text(&answer.body, body);
    return answer;
}

static void free_answer(struct aws_answer *answer)
{
    buf_free(&answer->head);
    buf_free(&answer->body);
}

/* ---- S3 --------------------------------------------------------------------------------------------- */

static void test_page(void **state)
{
    struct err err = ERR_INIT;
    struct aws_s3_page page;
    struct aws_answer answer = answer_of(
        "", "<?xml version=\"1.0\"?><ListBucketResult "
            "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>lake</Name>"
            "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>1/+a=</"
            "NextContinuationToken>"
            "<Contents><Key>raw/dt%3D2026-06-15/a+b%2Bc.parquet</Key><LastModified>2026-06-15T07:00:01.500Z</"
            "LastModified>"
            "<ETag>&quot;abc&quot;</ETag><Size>1234</Size><StorageClass>STANDARD</StorageClass></Contents>"
            "<CommonPrefixes><Prefix>raw/x/</Prefix></CommonPrefixes></ListBucketResult>");
    assert_int_equal(aws_s3_page_read(&answer, &page, &err), 0);
    assert_int_equal(page.object_count, 1);
    assert_string_equal(page.objects[0].key, "raw/dt=2026-06-15/a b+c.parquet");
    assert_string_equal(page.objects[0].etag, "\"abc\"");
    assert_int_equal(page.objects[0].size, 1234);
    assert_int_equal(page.objects[0].modified_ms % 1000, 500);
    assert_int_equal(page.prefix_count, 1);
    assert_string_equal(page.prefixes[0], "raw/x/");
    assert_true(page.truncated);
    assert_string_equal(page.continuation, "1/+a=");
    aws_s3_page_free(&page);
    free_answer(&answer);
}

static void test_bad_pages(void **state)
{
    static const char *const bodies[] = {
        "",
        "<html>proxy</html>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%00b</Key><Size>1</Size></"
        "Contents></ListBucketResult>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><ListBucketResult/>"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct err err = ERR_INIT;
        struct aws_s3_page page;
        struct aws_answer answer = answer_of("", bodies[i]);
        if (aws_s3_page_read(&answer, &page, &err) != -1)
            fail_msg("%s", bodies[i]);
        assert_int_equal(err.kind, ERR_CORRUPT);
        aws_s3_page_free(&page);
        free_answer(&answer);
    }
}

static void test_object(void **state)
{
    struct aws_s3_object object;
    struct aws_answer answer =
        answer_of("HTTP/1.1 206 Partial Content\r\nETag: \"e\"\r\nContent-Length: 10\r\n"
                  "Content-Range: bytes 5-14/123456789012\r\n"
                  "Last-Modified: Mon, 15 Jun 2026 07:00:00 GMT\r\n"
                  "X-Amz-Checksum-Sha256: c2hh\r\n\r\n",
                  "");
    answer.status = 206;
    aws_s3_object_read(&answer, &object);
    assert_int_equal(object.size, 123456789012);
    assert_string_equal(object.etag, "\"e\"");
    assert_int_equal(object.checksum_kind, CHECKSUM_SHA256);
    assert_string_equal(object.checksum, "c2hh");
    assert_true(object.modified_ms > 0);
    free_answer(&answer);

    answer = answer_of("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
                       "<CopyObjectResult><ETag>&quot;f&quot;</ETag></CopyObjectResult>");
    aws_s3_object_read(&answer, &object);
    assert_string_equal(object.etag, "\"f\"");
    assert_int_equal(object.size, -1);
    free_answer(&answer);
}

static void test_deleted(void **state)
{
    struct err err = ERR_INIT;
    struct aws_answer answer =
        answer_of("", "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error>"
                      "<Error><Key>b</Key><Code>InternalError</Code></Error></DeleteResult>");
    assert_int_equal(aws_s3_delete_read(&answer, &err), 2);
    assert_non_null(strstr(err.text, "a: AccessDenied"));
    free_answer(&answer);
    answer = answer_of("", "<DeleteResult/>");
    assert_int_equal(aws_s3_delete_read(&answer, &err), 0);
    free_answer(&answer);
}

/* ---- keys and identity ------------------------------------------------------------------------------ */

static void test_keys(void **state)
{
    struct err err = ERR_INIT;
    struct aws_keys keys;
    const char *json =
        "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"SessionToken\":\"T\","
        "\"Expiration\":\"2026-06-15T07:00:00Z\"}";
    assert_int_equal(keys_read_json(json, strlen(json), "SessionToken", &keys, &err), 0);
    assert_string_equal(keys.access_key, "A");
    assert_string_equal(keys.token, "T");
    assert_int_equal(keys.expires_us, 1781506800ll * 1000000);
    static const char *const bad[] = {
        "", "[]", "{}", "{\"AccessKeyId\":\"A\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Expiration\":\"soon\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(keys_read_json(bad[i], strlen(bad[i]), "Token", &keys, &err), -1);
    const char *xml =
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"
        "<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey>"
        "<SessionToken>T</SessionToken><Expiration>2026-06-15T07:00:00Z</Expiration></Credentials>"
        "</AssumeRoleResult></AssumeRoleResponse>";
    assert_int_equal(keys_read_role(xml, strlen(xml), &keys, &err), 0);
    assert_string_equal(keys.secret_key, "S");
    assert_int_equal(keys_read_role("<x/>", 4, &keys, &err), -1);
}

static void test_identity(void **state)
{
    struct err err = ERR_INIT;
    struct aws_identity identity;
    struct aws_answer answer = answer_of(
        "", "<GetCallerIdentityResponse><GetCallerIdentityResult>"
            "<Arn>arn:aws:sts::123456789012:assumed-role/Operator/ann</Arn><UserId>X</UserId>"
            "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>");
    assert_int_equal(aws_identity_read(&answer, &identity, &err), 0);
    assert_string_equal(identity.account, "123456789012");
    assert_string_equal(identity.name, "Operator/ann");
    free_answer(&answer);
    answer = answer_of("", "<html/>");
    assert_int_equal(aws_identity_read(&answer, &identity, &err), -1);
    free_answer(&answer);
}

/* ---- work ------------------------------------------------------------------------------------------- */

static struct aws_work work_of(enum aws_service_id service, const char *operation, const char *text)
{
    struct err err = ERR_INIT;
    struct aws_work work;
    json_t *json = json_loads(text, 0, NULL);
    if (aws_work_read(service, operation, json, &work, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(json);
    return work;
}

static void test_work(void **state)
{
    struct aws_work work =
        work_of(AWS_ATHENA, "GetQueryExecution",
                "{\"QueryExecution\":{\"Status\":{\"State\":\"FAILED\",\"StateChangeReason\":"
                "\"TABLE_NOT_FOUND\\u001b[31m\"},\"Statistics\":{\"TotalExecutionTimeInMillis\":1500,"
                "\"DataScannedInBytes\":4096}}}");
    assert_int_equal(work.state, AWS_WORK_FAILED);
    assert_int_equal(work.duration_us, 1500000);
    assert_int_equal(work.scanned_bytes, 4096);
    assert_null(strchr(work.reason, 0x1B));
    work = work_of(AWS_REDSHIFT_DATA, "DescribeStatement",
                   "{\"Status\":\"FINISHED\",\"Duration\":2000000,\"ResultRows\":7}");
    assert_int_equal(work.state, AWS_WORK_DONE);
    assert_int_equal(work.duration_us, 2000);
    assert_int_equal(work.rows, 7);
    work = work_of(AWS_GLUE, "GetCrawler",
                   "{\"Crawler\":{\"State\":\"RUNNING\",\"LastCrawl\":{\"Status\":\"FAILED\"}}}");
    assert_int_equal(work.state, AWS_WORK_RUNNING);
    work = work_of(
        AWS_GLUE, "GetCrawler",
        "{\"Crawler\":{\"State\":\"READY\",\"LastCrawl\":{\"Status\":\"FAILED\",\"ErrorMessage\":\"no\"}}}");
    assert_int_equal(work.state, AWS_WORK_FAILED);
    assert_string_equal(work.reason, "no");
    work = work_of(AWS_GLUE, "GetJobRun", "{\"JobRun\":{\"JobRunState\":\"SOMETHING_NEW\"}}");
    assert_int_equal(work.state, AWS_WORK_RUNNING);
    struct err err = ERR_INIT;
    json_t *none = json_object();
    assert_int_equal(aws_work_read(AWS_GLUE, "GetJobRun", none, &work, &err), -1);
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_int_equal(aws_work_read(AWS_GLUE, "GetTable", none, &work, &err), -1);
    json_decref(none);
    assert_int_equal(aws_work_poll_us(0), 200000);
    assert_int_equal(aws_work_poll_us(1000), 2000000);
}

/* ---- the same by hand ------------------------------------------------------------------------------- */

static void test_equivalent(void **state)
{
    struct aws_config config = {.region = "eu-west-2", .profile = "dev", .profile_named = true};
    struct buf out;
    buf_init(&out, 65536);
    config.endpoints[AWS_ATHENA] = (struct aws_endpoint){.url = "http://127.0.0.1:4566", .custom = true};
    json_t *input = json_pack("{s:s, s:{s:s}, s:b, s:b, s:[s,s], s:i, s:s}", "QueryString", "SELECT 'it''s'",
                              "QueryExecutionContext", "Database", "raw", "Wait", 1, "WithTLS", 0, "Names",
                              "a", "b c", "MaxResults", 10, "Text", "aws_secret_access_key=abc");
    aws_equivalent_begin(&out, AWS_ATHENA, "StartQueryExecution");
    aws_equivalent_json(&out, input);
    aws_equivalent_end(&out, &config, AWS_ATHENA);
    assert_string_equal(out.data,
                        "aws athena start-query-execution --query-string 'SELECT '\\''it'\\'''\\''s'\\''' "
                        "--query-execution-context '{\"Database\":\"raw\"}' --wait --no-with-tls "
                        "--names a 'b c' --max-results 10 --text '***' --endpoint-url "
                        "http://127.0.0.1:4566 --region eu-west-2 --profile dev");
    json_decref(input);
    buf_reset(&out);
    aws_equivalent_begin(&out, AWS_S3, "ListObjectsV2");
    assert_string_equal(out.data, "aws s3api list-objects-v2");
    buf_free(&out);
}

/* ---- what goes out ---------------------------------------------------------------------------------- */

static void test_addresses(void **state)
{
    static const struct {
        bool custom;
        const char *endpoint, *bucket, *key, *query, *url;
    } rows[] = {
        {false, "https://s3.eu-west-2.amazonaws.com", "lake", "raw/dt=1/a b", NULL,
         "https://lake.s3.eu-west-2.amazonaws.com/raw/dt%3D1/a%20b"},
        {false, "https://s3.eu-west-2.amazonaws.com", "my.lake", "a", NULL,
         "https://s3.eu-west-2.amazonaws.com/my.lake/a"},
        {false, "https://s3.eu-west-2.amazonaws.com", "lake", NULL, "list-type=2",
         "https://lake.s3.eu-west-2.amazonaws.com/?list-type=2"},
        {false, "https://s3.eu-west-2.amazonaws.com", NULL, NULL, NULL,
         "https://s3.eu-west-2.amazonaws.com/"},
        {true, "http://127.0.0.1:9000", "lake", "../a//b", NULL, "http://127.0.0.1:9000/lake/../a//b"},
        {true, "http://127.0.0.1:9000", "lake", NULL, "uploads=", "http://127.0.0.1:9000/lake?uploads="},
        {true, "http://127.0.0.1:9000/x", NULL, NULL, NULL, "http://127.0.0.1:9000/x/"},
        {true, "http://127.0.0.1:9000/x", "lake", "k", NULL, "http://127.0.0.1:9000/x/lake/k"}};
    struct aws_keys keys = {.access_key = "A", .secret_key = "S"};
    struct buf url;
    buf_init(&url, 20000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_INIT;
        struct curl_slist *lines;
        struct aws_endpoint endpoint = {.custom = rows[i].custom, .tls = rows[i].endpoint[4] == 's'};
        snprintf(endpoint.url, sizeof endpoint.url, "%s", rows[i].endpoint);
        struct aws_signing signing = {.service = AWS_S3,
                                      .endpoint = &endpoint,
                                      .region = "eu-west-2",
                                      .method = "GET",
                                      .bucket = rows[i].bucket,
                                      .key = rows[i].key,
                                      .query = rows[i].query,
                                      .payload_hash = SIGV4_EMPTY_HASH,
                                      .keys = &keys,
                                      .wall_us = 1781506800000000};
        assert_int_equal(aws_sign(&signing, NULL, &url, &lines, &err), 0);
        assert_string_equal(url.data, rows[i].url);
        curl_slist_free_all(lines);
    }
    /* nothing slips a header in */
    struct err err = ERR_INIT;
    struct curl_slist *lines;
    struct aws_endpoint endpoint = {.url = "http://h", .custom = true};
    struct aws_header evil = {"x-amz-meta-a", "b\r\nx-amz-acl: public-read"};
    struct aws_signing signing = {.service = AWS_S3,
                                  .endpoint = &endpoint,
                                  .region = "r",
                                  .method = "PUT",
                                  .bucket = "b",
                                  .key = "k",
                                  .headers = &evil,
                                  .header_count = 1,
                                  .payload_hash = SIGV4_EMPTY_HASH,
                                  .keys = &keys};
    assert_int_equal(aws_sign(&signing, NULL, &url, &lines, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    buf_free(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),    cmocka_unit_test(test_bad_pages),  cmocka_unit_test(test_object),
        cmocka_unit_test(test_deleted), cmocka_unit_test(test_keys),       cmocka_unit_test(test_identity),
        cmocka_unit_test(test_work),    cmocka_unit_test(test_equivalent), cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests_name("aws_answers", tests, NULL, NULL);
}
