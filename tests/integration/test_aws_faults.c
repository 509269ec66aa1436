/* The AWS client when things go wrong: throttling, 5xx, cut, slow and lost answers, a clock that is wrong,
 * keys that expire, a server that says nonsense or nothing, queues that are full, and being told to stop. */
#include "aws/json.h"
#include "aws/s3.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "tests/support/aws_rig.h"
#include "tests/support/http_script.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct aws_rig rig;
static struct err err;
/* Waits between attempts that no test has to feel. */
static const struct aws_settings quick = {.retry_wait_us = 1000};

static int64_t soon(void)
{
    return clock_mono_us() + 30000000;
}

static int set_up(void **state)
{
    return aws_rig_open(&rig, &quick) && aws_s3_bucket_wait(rig.client, "lake", NULL, soon(), NULL, &err) == 0
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    aws_rig_close(&rig);
    return 0;
}

#define assert_ok(expression)                                                                                \
    do {                                                                                                     \
        if ((expression) != 0)                                                                               \
            fail_msg("%s: %s", #expression, err.text);                                                       \
    } while (0)

static struct aws_call *submit_put(struct aws_client *client, const char *key, const char *text,
                                   bool if_absent)
{
    struct aws_s3_put put = {
        .bucket = "lake", .key = key, .body = {.bytes = text, .size = strlen(text)}, .if_absent = if_absent};
    struct aws_call *call = aws_s3_put(client, &put, NULL, NULL, NULL, &err);
    if (!call)
        fail_msg("%s", err.text);
    return call;
}

/* Ends the call; how many attempts it took. */
static int attempts_of(struct aws_call *call, enum err_kind kind)
{
    const struct aws_answer *answer = aws_wait(call, soon());
    if (!answer || answer->err.kind != kind)
        fail_msg("%s: %s", answer ? err_kind_name(answer->err.kind) : "no end",
                 answer ? answer->err.text : "");
    err = answer->err;
    int attempts = answer->attempts;
    aws_call_release(call);
    return attempts;
}

/* ---- what is tried again, and what is not ----------------------------------------------------------- */

static void test_throttled(void **state)
{
    struct aws_figures before, after;
    aws_client_figures(rig.client, &before);
    aws_rig_fault(&rig, "s3 PutObject throttle count=2");
    assert_int_equal(attempts_of(submit_put(rig.client, "a", "1", false), ERR_NONE), 3);
    aws_rig_fault(&rig, "s3 PutObject throttle count=3");
    assert_int_equal(attempts_of(submit_put(rig.client, "a", "1", false), ERR_BUSY), 3);
    assert_true(err.retriable);
    assert_non_null(strstr(err.text, "SlowDown"));
    aws_client_figures(rig.client, &after);
    assert_int_equal(after.retries - before.retries, 4);
    assert_int_equal(after.throttled - before.throttled, 4);
    assert_string_equal(after.last_error, err.text);
}

static void test_server_errors(void **state)
{
    aws_rig_fault(&rig, "s3 PutObject error=500 count=1");
    assert_int_equal(attempts_of(submit_put(rig.client, "a", "1", false), ERR_NONE), 2);
    aws_rig_fault(&rig, "s3 PutObject error=500 count=3");
    assert_int_equal(attempts_of(submit_put(rig.client, "a", "1", false), ERR_REMOTE), 3);
    assert_true(err.retriable && !err.fatal);
    aws_rig_fault(&rig, "s3 PutObject error=403 count=1");
    assert_int_equal(attempts_of(submit_put(rig.client, "a", "1", false), ERR_AUTH), 1);
    assert_true(err.fatal && !err.retriable);
}

static void test_cut(void **state)
{
    struct buf out;
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    attempts_of(submit_put(rig.client, "cut", text, false), ERR_NONE);
    aws_rig_fault(&rig, "s3 GetObject cut=1000 count=1");
    buf_init(&out, 10000);
    assert_ok(aws_s3_get_wait(rig.client, "lake", "cut", NULL, soon(), &out, NULL, &err));
    assert_string_equal(out.data, text);
    aws_rig_fault(&rig, "s3 GetObject cut=1000 count=3");
    assert_int_equal(aws_s3_get_wait(rig.client, "lake", "cut", NULL, soon(), &out, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_CONNECT);
    assert_int_equal(out.length, 4999);
    buf_free(&out);
}

/* Done, but the answer is lost: what carries a condition is repeated, and its 412 is recognised as our own.
 */
static void test_lost_put(void **state)
{
    struct aws_s3_put put = {.bucket = "lake", .key = "lost", .body = {.bytes = "once", .size = 4}};
    bool existed;
    aws_rig_fault(&rig, "s3 PutObject lost count=1");
    assert_ok(aws_s3_put_once_wait(rig.client, &put, NULL, NULL, &existed, NULL, &err));
    assert_true(existed);
    put.key = "lost parts";
    size_t size = 11 << 20;
    char *bytes = mem_zero(size, 1);
    put.body = (struct aws_body){.bytes = bytes, .size = size};
    put.if_absent = true;
    struct aws_s3_send send = {.part_bytes = 5 << 20, .deadline_us = soon()};
    struct aws_s3_object object;
    aws_rig_fault(&rig, "s3 CreateMultipartUpload lost count=1");
    aws_rig_fault(&rig, "s3 UploadPart lost count=2");
    aws_rig_fault(&rig, "s3 CompleteMultipartUpload lost count=1");
    assert_ok(aws_s3_put_wait(rig.client, &put, NULL, &send, &object, NULL, &err));
    assert_non_null(strstr(object.etag, "-3\""));
    free(bytes);
}

/* What would start a second crawl is not repeated by itself, not even by curl on a kept connection. */
static size_t crawls(void)
{
    json_t *answer = aws_json_wait(rig.client, AWS_GLUE, "ListCrawls", json_pack("{s:s}", "CrawlerName", "c"),
                                   NULL, soon(), NULL, &err);
    assert_non_null(answer);
    size_t count = json_array_size(json_object_get(answer, "Crawls"));
    json_decref(answer);
    return count;
}

static void test_lost_start(void **state)
{
    json_t *made =
        aws_json_wait(rig.client, AWS_GLUE, "CreateDatabase",
                      json_pack("{s:{s:s}}", "DatabaseInput", "Name", "d"), NULL, soon(), NULL, &err);
    json_decref(made);
    made = aws_json_wait(rig.client, AWS_GLUE, "CreateCrawler",
                         json_pack("{s:s, s:s, s:s, s:{s:[{s:s}]}}", "Name", "c", "Role", "r", "DatabaseName",
                                   "d", "Targets", "S3Targets", "Path", "s3://lake/raw/"),
                         NULL, soon(), NULL, &err);
    if (!made)
        fail_msg("%s", err.text);
    json_decref(made);
    aws_rig_fault(&rig, "glue StartCrawler lost count=1");
    assert_null(aws_json_wait(rig.client, AWS_GLUE, "StartCrawler", json_pack("{s:s}", "Name", "c"), NULL,
                              soon(), NULL, &err));
    assert_int_equal(err.kind, ERR_CONNECT);
    assert_int_equal(crawls(), 1);
    /* but throttled it was not started, and may be */
    struct aws_work work = {.state = AWS_WORK_RUNNING};
    while (work.state == AWS_WORK_RUNNING || work.state == AWS_WORK_STOPPING) {
        json_t *crawler = aws_json_wait(rig.client, AWS_GLUE, "GetCrawler", json_pack("{s:s}", "Name", "c"),
                                        NULL, soon(), NULL, &err);
        assert_ok(aws_work_read(AWS_GLUE, "GetCrawler", crawler, &work, &err));
        json_decref(crawler);
    }
    aws_rig_fault(&rig, "glue StartCrawler throttle count=1");
    json_t *started = aws_json_wait(rig.client, AWS_GLUE, "StartCrawler", json_pack("{s:s}", "Name", "c"),
                                    NULL, soon(), NULL, &err);
    assert_non_null(started);
    json_decref(started);
    assert_int_equal(crawls(), 2);
}

/* A token makes repeating harmless: the lost query and the lost statement run once. */
static void expect_once(enum aws_service_id service, const char *start, json_t *input, const char *id,
                        const char *list, const char *member)
{
    char rule[80], got[64];
    snprintf(rule, sizeof rule, "%s %s lost count=1", service == AWS_ATHENA ? "athena" : "redshift-data",
             start);
    aws_rig_fault(&rig, rule);
    json_t *answer = aws_json_wait(rig.client, service, start, input, NULL, soon(), NULL, &err);
    if (!answer)
        fail_msg("%s", err.text);
    snprintf(got, sizeof got, "%s", aws_json_text(answer, id));
    json_decref(answer);
    json_t *all = service == AWS_ATHENA ? NULL : json_pack("{s:s}", "Status", "ALL");
    answer = aws_json_wait(rig.client, service, list, all, NULL, soon(), NULL, &err);
    if (!answer)
        fail_msg("%s", err.text);
    const json_t *found = json_object_get(answer, member);
    assert_int_equal(json_array_size(found), 1);
    const json_t *first = json_array_get(found, 0);
    assert_string_equal(json_is_string(first) ? json_string_value(first) : aws_json_text(first, id), got);
    json_decref(answer);
}

static void test_lost_with_token(void **state)
{
    expect_once(AWS_ATHENA, "StartQueryExecution",
                json_pack("{s:s, s:{s:s}}", "QueryString", "SHOW DATABASES", "ResultConfiguration",
                          "OutputLocation", "s3://lake/results/"),
                "QueryExecutionId", "ListQueryExecutions", "QueryExecutionIds");
    expect_once(
        AWS_REDSHIFT_DATA, "ExecuteStatement",
        json_pack("{s:s, s:s, s:s}", "Sql", "SELECT 1", "Database", "dev", "WorkgroupName", "default"), "Id",
        "ListStatements", "Statements");
}

/* ---- scripted servers ------------------------------------------------------------------------------- */

static struct aws_client *client_of(struct http_script *script, const struct aws_settings *settings)
{
    struct aws_settings own = *settings;
    own.config = (struct aws_config_settings){.local = true,
                                              .region = "us-east-1",
                                              .endpoint = http_script_url(script),
                                              .access_key = "A",
                                              .secret_key = "S"};
    own.log = rig.log;
    struct aws_client *client = aws_client_create(&own, &err);
    assert_non_null(client);
    return client;
}

static void test_skew(void **state)
{
    static const struct http_scripted answers[] = {
        {.status = 403,
         .headers = "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
         .body = "<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>"},
        {.status = 200, .holds = "x-amz-date: 20260101T0000"}};
    struct http_script *script = http_script_create(answers, 2);
    struct aws_client *client = client_of(script, &quick);
    struct aws_figures figures;
    assert_int_equal(attempts_of(submit_put(client, "a", "1", false), ERR_NONE), 2);
    assert_int_equal(attempts_of(submit_put(client, "a", "1", false), ERR_NONE), 1); /* remembered */
    aws_client_figures(client, &figures);
    assert_true(figures.skew_us < -1000000);
    aws_client_destroy(client);
    http_script_destroy(script);
}

static void test_retry_after(void **state)
{
    /* 0 ms: as soon as our own wait is over; and an error in a 200 is an error */
    static const struct http_scripted answers[] = {
        {.status = 503,
         .headers = "x-amz-retry-after: 0\r\n",
         .body = "<Error><Code>SlowDown</Code></Error>"},
        {.status = 200, .body = "<Error><Code>InternalError</Code><Message>late</Message></Error>"},
        {.status = 200, .body = "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>"}};
    struct http_script *script = http_script_create(answers, 3);
    struct aws_client *client = client_of(script, &quick);
    struct aws_call *call = aws_s3_copy(client, "lake", "a", "lake", "b", false, NULL, NULL, NULL, &err);
    assert_int_equal(attempts_of(call, ERR_NONE), 3);
    aws_client_destroy(client);
    http_script_destroy(script);
}

static void test_nonsense(void **state)
{
    static const struct http_scripted answers[] = {
        {.status = 200, .body = "<html>Welcome to the hotel's network</html>"},
        {.status = 502, .body = "\x1b[31mgateway"},
        {.status = 502},
        {.status = 502},
        {.status = 400,
         .body = "{\"__type\":\"com.amazonaws#Evil\\u001b[2J:http://x\",\"Message\":\"a\\u202eb\"}"},
        {.status = 404, .headers = "x-amzn-ErrorType: EntityNotFoundException:http://x\r\n", .body = "{}"}};
    struct http_script *script = http_script_create(answers, 6);
    struct aws_client *client = client_of(script, &quick);
    char code[80];
    assert_null(aws_json_wait(client, AWS_GLUE, "GetTables", NULL, NULL, soon(), code, &err));
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_null(aws_json_wait(client, AWS_GLUE, "GetTables", NULL, NULL, soon(), code, &err));
    assert_string_equal(code, "BadGateway");
    assert_null(aws_json_wait(client, AWS_GLUE, "GetTables", NULL, NULL, soon(), code, &err));
    assert_null(strchr(err.text, 0x1B));
    assert_null(strstr(err.text, "\xE2\x80\xAE"));
    assert_null(aws_json_wait(client, AWS_GLUE, "GetTables", NULL, NULL, soon(), code, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_string_equal(code, "EntityNotFoundException");
    aws_client_destroy(client);
    http_script_destroy(script);
}

static void test_redirect(void **state)
{
    static const struct http_scripted answers[] = {
        {.status = 301, .headers = "x-amz-bucket-region: ap-south-1\r\nLocation: http://127.0.0.1:1/\r\n"}};
    struct http_script *script = http_script_create(answers, 1);
    struct aws_client *client = client_of(script, &quick);
    struct aws_s3_object object;
    assert_int_equal(aws_s3_head_wait(client, "lake", "a", NULL, soon(), &object, &err), -1);
    assert_non_null(strstr(err.text, "the bucket is in ap-south-1"));
    assert_int_equal(http_script_requests(script), 1); /* not followed */
    aws_client_destroy(client);
    http_script_destroy(script);
}

/* What the environment says of proxies holds, but not in local mode. */
static const char *look_up(void *context, const char *name)
{
    return NULL;
}

static void test_proxy(void **state)
{
    static const struct http_scripted answers[] = {{.status = 404}};
    struct http_script *script = http_script_create(answers, 1);
    struct aws_settings settings = quick;
    struct aws_s3_object object;
    setenv("http_proxy", http_script_url(script), 1);
    settings.config = (struct aws_config_settings){.region = "us-east-1",
                                                   .endpoint = "http://s3.invalid",
                                                   .access_key = "A",
                                                   .secret_key = "S",
                                                   .environment = look_up};
    struct aws_client *client = aws_client_create(&settings, &err);
    assert_non_null(client);
    assert_int_equal(aws_s3_head_wait(client, "lake", "a", NULL, soon(), &object, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    char *request = http_script_request(script, 0);
    assert_int_equal(strncmp(request, "HEAD http://s3.invalid/lake/a HTTP/1.1", 38), 0);
    free(request);
    aws_client_destroy(client);
    settings.config.local = true;
    client = aws_client_create(&settings, &err);
    assert_int_equal(aws_s3_head_wait(client, "lake", "a", NULL, soon(), &object, &err), -1);
    assert_int_equal(err.kind, ERR_CONNECT);
    assert_int_equal(http_script_requests(script), 1);
    unsetenv("http_proxy");
    aws_client_destroy(client);
    http_script_destroy(script);
}

static void test_unreachable(void **state)
{
    static const struct http_scripted closes[] = {{.status = 0}};
    struct http_script *script = http_script_create(closes, 1);
    struct aws_client *client = client_of(script, &quick);
    assert_int_equal(attempts_of(submit_put(client, "a", "1", false), ERR_CONNECT), 3);
    http_script_destroy(script);
    assert_int_equal(attempts_of(submit_put(client, "a", "1", false), ERR_CONNECT), 3);
    assert_true(err.retriable);
    assert_non_null(strstr(err.text, "cannot reach http://127.0.0.1:"));
    aws_client_destroy(client);
}

/* ---- time, cancelling, limits ----------------------------------------------------------------------- */

static const struct http_scripted silent[] = {{.status = -1}};

static void test_deadline(void **state)
{
    struct http_script *script = http_script_create(silent, 1);
    struct aws_settings settings = quick;
    settings.timeout_us = 50000;
    struct aws_client *client = client_of(script, &settings);
    assert_int_equal(attempts_of(submit_put(client, "a", "1", false), ERR_CONNECT), 1);
    assert_non_null(strstr(err.text, "in time"));
    /* a waiter with less patience than the call */
    settings.timeout_us = 0;
    struct aws_client *patient = client_of(script, &settings);
    struct aws_call *call = submit_put(patient, "a", "1", false);
    assert_null(aws_wait(call, clock_mono_us() + 10000));
    assert_int_equal(aws_wait_ok(call, clock_mono_us() + 10000, &err), -1);
    assert_int_equal(err.kind, ERR_CONNECT);
    assert_true(aws_call_done(call));
    aws_call_release(call);
    aws_client_destroy(client);
    aws_client_destroy(patient);
    http_script_destroy(script);
}

static void test_cancel(void **state)
{
    struct http_script *script = http_script_create(silent, 1);
    struct aws_client *client = client_of(script, &quick);
    struct aws_call *one = submit_put(client, "a", "1", false);
    aws_call_cancel(one);
    attempts_of(one, ERR_CANCELLED);
    /* a group ends all of its own and takes no more */
    struct aws_group *group = aws_group_create(client);
    struct aws_s3_options options = {.group = group};
    struct aws_call *grouped = aws_s3_head(client, "lake", "a", &options, NULL, NULL, &err);
    struct aws_call *other = aws_s3_head(client, "lake", "a", NULL, NULL, NULL, &err);
    aws_group_cancel(group);
    attempts_of(grouped, ERR_CANCELLED);
    assert_false(aws_call_done(other));
    assert_null(aws_s3_head(client, "lake", "a", &options, NULL, NULL, &err));
    assert_int_equal(err.kind, ERR_CANCELLED);
    aws_group_destroy(group);
    /* the client's end ends the rest; its handle stays good */
    aws_client_destroy(client);
    assert_true(aws_call_done(other));
    attempts_of(other, ERR_CANCELLED);
    http_script_destroy(script);
}

static void test_full(void **state)
{
    struct http_script *script = http_script_create(silent, 1);
    struct aws_settings settings = quick;
    struct aws_figures figures;
    settings.transfers = 2;
    settings.queue = 3;
    struct aws_client *client = client_of(script, &settings);
    struct aws_call *calls[5];
    for (int i = 0; i < 5; i++)
        calls[i] = submit_put(client, "a", "1", false);
    struct aws_s3_put put = {.bucket = "lake", .key = "a", .body = {.bytes = "1", .size = 1}};
    assert_null(aws_s3_put(client, &put, NULL, NULL, NULL, &err));
    assert_int_equal(err.kind, ERR_FULL);
    assert_true(err.retriable);
    aws_client_figures(client, &figures);
    assert_int_equal(figures.refused, 1);
    assert_int_equal(figures.waiting + figures.active, 5);
    aws_client_destroy(client);
    for (int i = 0; i < 5; i++)
        attempts_of(calls[i], ERR_CANCELLED);
    http_script_destroy(script);
}

struct chain {
    atomic_int left, failed;
};

/* A callback that submits the next one and gives its own handle away. */
static void on_done(void *context, struct aws_call *call, const struct aws_answer *answer)
{
    struct chain *chain = context;
    if (answer->err.kind != ERR_NONE)
        atomic_fetch_add(&chain->failed, 1);
    if (atomic_fetch_sub(&chain->left, 1) > 1)
        aws_call_release(aws_s3_head(rig.client, "lake", "a", NULL, on_done, chain, NULL));
}

static void test_callbacks(void **state)
{
    struct chain chain = {.left = 20};
    attempts_of(submit_put(rig.client, "a", "1", false), ERR_NONE);
    aws_call_release(aws_s3_head(rig.client, "lake", "a", NULL, on_done, &chain, NULL));
    int64_t until = soon();
    while (atomic_load(&chain.left) > 0 && clock_mono_us() < until)
        attempts_of(submit_put(rig.client, "b", "1", false), ERR_NONE); /* others are not disturbed */
    assert_int_equal(atomic_load(&chain.left), 0);
    assert_int_equal(atomic_load(&chain.failed), 0);
}

/* Many at once through few transfers. */
static void test_many(void **state)
{
    enum { COUNT = 200 };
    struct aws_call *calls[COUNT];
    char key[32];
    for (int i = 0; i < COUNT; i++) {
        snprintf(key, sizeof key, "many/%03d", i);
        calls[i] = submit_put(rig.client, key, key, false);
    }
    for (int i = 0; i < COUNT; i++)
        attempts_of(calls[i], ERR_NONE);
    struct aws_figures figures;
    aws_client_figures(rig.client, &figures);
    assert_int_equal(figures.waiting + figures.active, 0);
    assert_true(figures.high_water > 16);
}

/* ---- every call in turn ----------------------------------------------------------------------------- */

static bool count_keys(void *context, const struct aws_s3_object *object)
{
    ++*(size_t *)context;
    return true;
}

/* Buckets, puts, parts, lists, gets and deletes; what an operator's flush does. 0, or the line that failed.
 */
static int scenario(struct aws_client *client, const char *bytes, size_t size)
{
    struct aws_s3_put small = {.bucket = "every", .key = "intent", .body = {.bytes = "plan", .size = 4}};
    struct aws_s3_put large = {.bucket = "every", .key = "data", .body = {.bytes = bytes, .size = size}};
    struct aws_s3_send send = {.part_bytes = 5 << 20};
    struct aws_s3_list list = {.bucket = "every", .max = 1};
    const char *keys[] = {"intent", "data"};
    struct buf out;
    bool existed;
    size_t count = 0;
    if (aws_s3_bucket_wait(client, "every", NULL, soon(), NULL, &err) != 0)
        return __LINE__;
    if (aws_s3_put_once_wait(client, &small, NULL, NULL, &existed, NULL, &err) != 0)
        return __LINE__;
    if (aws_s3_put_once_wait(client, &large, NULL, &send, &existed, NULL, &err) != 0)
        return __LINE__;
    if (aws_s3_list_wait(client, &list, NULL, soon(), count_keys, &count, &err) != 0 || count != 2)
        return __LINE__;
    buf_init(&out, size);
    int result = aws_s3_get_wait(client, "every", "data", NULL, soon(), &out, NULL, &err);
    bool same = result == 0 && out.length == size && memcmp(out.data, bytes, size) == 0;
    buf_free(&out);
    if (!same)
        return __LINE__;
    struct aws_call *call = aws_s3_delete_many(client, "every", keys, 2, NULL, NULL, NULL, &err);
    result = aws_wait_ok(call, soon(), &err);
    aws_call_release(call);
    return result == 0 ? 0 : __LINE__;
}

/* Each single request of it fails once, in each way: the result is always the same. */
static void test_every_call(void **state)
{
    static const char *const kinds[] = {"lost", "throttle", "error=500", "cut=0"};
    size_t size = (5 << 20) + 1000;
    char *bytes = mem_alloc(size);
    struct aws_rig own;
    assert_true(aws_rig_open(&own, &quick));
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 2654435761u >> 11);
    assert_int_equal(scenario(own.client, bytes, size), 0);
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        struct aws_figures before, after;
        for (int nth = 0; nth < 11; nth++) { /* it makes 11 requests, and more when one fails */
            char rule[80];
            snprintf(rule, sizeof rule, "s3 * %s after=%d count=1", kinds[kind], nth);
            aws_client_figures(own.client, &before);
            aws_rig_fault(&own, rule);
            int line = scenario(own.client, bytes, size);
            if (line != 0)
                fail_msg("%s: line %d: %s", rule, line, err.text);
        }
        aws_client_figures(own.client, &after);
        assert_true(after.succeeded > before.succeeded);
    }
    aws_rig_close(&own);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_throttled),  cmocka_unit_test(test_server_errors),
        cmocka_unit_test(test_cut),        cmocka_unit_test(test_lost_put),
        cmocka_unit_test(test_lost_start), cmocka_unit_test(test_lost_with_token),
        cmocka_unit_test(test_skew),       cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_nonsense),   cmocka_unit_test(test_redirect),
        cmocka_unit_test(test_proxy),      cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_deadline),   cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_full),       cmocka_unit_test(test_callbacks),
        cmocka_unit_test(test_many),       cmocka_unit_test(test_every_call),
    };
    return cmocka_run_group_tests_name("aws_faults", tests, set_up, tear_down);
}
