/* The AWS client against the local cloud: every operation, and what happens when answers fail, are cut, late
 * or lost.
 */
#include "aws/json.h"
#include "aws/s3.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "tests/support/aws_rig.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct aws_rig rig;
static struct err err;

static int64_t soon(void)
{
    return clock_mono_us() + 30000000;
}

static int set_up(void **state)
{
    bool made = false;
    if (!aws_rig_open(&rig, NULL))
        return -1;
    if (aws_s3_bucket_wait(rig.client, "lake", NULL, soon(), &made, &err) != 0 || !made) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    return 0;
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

static struct aws_s3_put text_put(const char *key, const char *text)
{
    return (struct aws_s3_put){.bucket = "lake", .key = key, .body = {.bytes = text, .size = strlen(text)}};
}

static void put(const char *key, const char *text)
{
    struct aws_s3_put request = text_put(key, text);
    assert_ok(aws_s3_put_wait(rig.client, &request, NULL, NULL, NULL, NULL, &err));
}

static void expect(const char *key, const char *text)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_ok(aws_s3_get_wait(rig.client, "lake", key, NULL, soon(), &out, NULL, &err));
    assert_int_equal(out.length, strlen(text));
    assert_memory_equal(out.data, text, out.length);
    buf_free(&out);
}

/* ---- objects ---------------------------------------------------------------------------------------- */

static void test_objects(void **state)
{
    /* names that signing gets wrong most easily */
    static const char *const keys[] = {"a",
                                       "raw/vehicle_data/dt=2026-06-15/0-00000000000000000000-5.parquet",
                                       "a//b/../c/./d",
                                       "plus+space and%percent&amp;?query#hash",
                                       "unicode/Zürich/日本.txt",
                                       "quote'\"<>"};
    struct aws_s3_object object;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (rig.plain_s3 && strstr(keys[i], "//"))
            continue;
        put(keys[i], keys[i]);
        expect(keys[i], keys[i]);
        assert_ok(aws_s3_head_wait(rig.client, "lake", keys[i], NULL, soon(), &object, &err));
        assert_int_equal(object.size, strlen(keys[i]));
        assert_true(rig.foreign || object.checksum_kind == CHECKSUM_CRC32);
        assert_true(object.etag[0] == '"' && object.modified_ms > 0);
    }
    assert_int_equal(aws_s3_head_wait(rig.client, "lake", "absent", NULL, soon(), &object, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void test_ranges(void **state)
{
    struct aws_s3_object object;
    put("range", "0123456789");
    static const struct {
        int64_t from, length;
        const char *expected;
    } rows[] = {{2, 3, "234"}, {-4, 0, "6789"}, {8, 100, "89"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct aws_s3_get get = {
            .bucket = "lake", .key = "range", .from = rows[i].from, .length = rows[i].length};
        struct aws_call *call = aws_s3_get(rig.client, &get, NULL, NULL, NULL, &err);
        assert_ok(aws_wait_ok(call, soon(), &err));
        const struct aws_answer *answer = aws_call_answer(call);
        assert_int_equal(answer->status, 206);
        assert_string_equal(answer->body.data, rows[i].expected);
        aws_s3_object_read(answer, &object);
        assert_int_equal(object.size, 10);
        aws_call_release(call);
    }
}

static void test_conditions(void **state)
{
    char code[80];
    bool existed;
    struct aws_s3_object object;
    struct aws_s3_put once = text_put("once", "first"), other = text_put("once", "second");
    once.if_absent = other.if_absent = true;
    other.checksum = CHECKSUM_SHA256;
    assert_ok(aws_s3_put_wait(rig.client, &once, NULL, NULL, &object, code, &err));
    assert_true(object.etag[0] && object.checksum[0]);
    assert_int_equal(aws_s3_put_wait(rig.client, &once, NULL, NULL, &object, code, &err), -1);
    assert_string_equal(code, "PreconditionFailed");
    /* the same bytes again are a success, others are not */
    assert_ok(aws_s3_put_once_wait(rig.client, &once, NULL, NULL, &existed, NULL, &err));
    assert_true(existed);
    assert_int_equal(aws_s3_put_once_wait(rig.client, &other, NULL, NULL, &existed, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_BUSY);
    assert_false(err.retriable);
    expect("once", "first");
    /* stored with another checksum: the bytes are compared */
    struct aws_s3_put summed = text_put("summed", "first");
    summed.checksum = CHECKSUM_SHA256;
    assert_ok(aws_s3_put_wait(rig.client, &summed, NULL, NULL, NULL, NULL, &err));
    summed.checksum = CHECKSUM_CRC32;
    assert_ok(aws_s3_put_once_wait(rig.client, &summed, NULL, NULL, &existed, NULL, &err));
    assert_true(existed);
    summed.body.bytes = "worst";
    assert_int_equal(aws_s3_put_once_wait(rig.client, &summed, NULL, NULL, &existed, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_BUSY);
    other.if_absent = false;
    assert_ok(aws_s3_head_wait(rig.client, "lake", "once", NULL, soon(), &object, &err));
    other.if_match = object.etag;
    assert_ok(aws_s3_put_wait(rig.client, &other, NULL, NULL, NULL, code, &err));
    expect("once", "second");
}

static bool count_objects(void *context, const struct aws_s3_object *object)
{
    size_t *count = context;
    char key[64];
    snprintf(key, sizeof key, "list/%03zu +=", *count);
    assert_string_equal(object->key, key);
    return ++*count < 24;
}

static void test_lists(void **state)
{
    const char *keys[25];
    char texts[25][64];
    size_t count = 0;
    for (size_t i = 0; i < 25; i++) {
        snprintf(texts[i], sizeof texts[i], "list/%03zu +=", i);
        keys[i] = texts[i];
        put(texts[i], "x");
    }
    struct aws_s3_list list = {.bucket = "lake", .prefix = "list/", .max = 4};
    assert_ok(aws_s3_list_wait(rig.client, &list, NULL, soon(), count_objects, &count, &err));
    assert_int_equal(count, 24); /* told to end there */
    struct aws_s3_page page;
    list = (struct aws_s3_list){.bucket = "lake", .delimiter = "/"};
    struct aws_call *call = aws_s3_list(rig.client, &list, NULL, NULL, NULL, &err);
    assert_ok(aws_wait_ok(call, soon(), &err));
    assert_ok(aws_s3_page_read(aws_call_answer(call), &page, &err));
    assert_true(page.prefix_count > 0);
    aws_s3_page_free(&page);
    aws_call_release(call);

    call = aws_s3_delete_many(rig.client, "lake", keys, 25, NULL, NULL, NULL, &err);
    assert_ok(aws_wait_ok(call, soon(), &err));
    assert_int_equal(aws_s3_delete_read(aws_call_answer(call), &err), 0);
    aws_call_release(call);
    list = (struct aws_s3_list){.bucket = "lake", .prefix = "list/"};
    call = aws_s3_list(rig.client, &list, NULL, NULL, NULL, &err);
    assert_ok(aws_wait_ok(call, soon(), &err));
    assert_ok(aws_s3_page_read(aws_call_answer(call), &page, &err));
    assert_int_equal(page.object_count, 0);
    aws_s3_page_free(&page);
    aws_call_release(call);
}

static void test_buckets(void **state)
{
    struct aws_s3_page page;
    bool made;
    assert_ok(aws_s3_bucket_wait(rig.client, "lake", NULL, soon(), &made, &err));
    assert_false(made);
    struct aws_call *call = aws_s3_list_buckets(rig.client, NULL, NULL, NULL, &err);
    assert_ok(aws_wait_ok(call, soon(), &err));
    assert_ok(aws_s3_buckets_read(aws_call_answer(call), &page, &err));
    assert_int_equal(page.object_count, 1);
    assert_string_equal(page.objects[0].key, "lake");
    aws_s3_page_free(&page);
    aws_call_release(call);
    call = aws_s3_head_bucket(rig.client, "no-such-bucket", NULL, NULL, NULL, &err);
    assert_int_equal(aws_wait_ok(call, soon(), &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    aws_call_release(call);
    assert_null(aws_s3_head_bucket(rig.client, "../evil", NULL, NULL, NULL, &err));
    assert_int_equal(err.kind, ERR_USAGE);
}

static void test_copy_and_delete(void **state)
{
    struct aws_s3_object object;
    put("from here+=", "copied");
    struct aws_call *call =
        aws_s3_copy(rig.client, "lake", "from here+=", "lake", "to", true, NULL, NULL, NULL, &err);
    assert_ok(aws_wait_ok(call, soon(), &err));
    aws_s3_object_read(aws_call_answer(call), &object);
    assert_true(object.etag[0] == '"');
    aws_call_release(call);
    expect("to", "copied");
    call = aws_s3_copy(rig.client, "lake", "from here+=", "lake", "to", true, NULL, NULL, NULL, &err);
    if (aws_wait_ok(call, soon(), &err) != -1)
        assert_true(rig.foreign); /* some know no condition here */
    else
        assert_string_equal(aws_call_answer(call)->code, "PreconditionFailed");
    aws_call_release(call);
    call = aws_s3_delete(rig.client, "lake", "to", NULL, NULL, NULL, &err);
    assert_ok(aws_wait_ok(call, soon(), &err));
    aws_call_release(call);
    assert_int_equal(aws_s3_head_wait(rig.client, "lake", "to", NULL, soon(), &object, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
}

/* ---- files and parts -------------------------------------------------------------------------------- */

static void make_file(const char *path, size_t size)
{
    unsigned char *bytes = mem_alloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    assert_int_equal(file_write_atomic(path, bytes, size, 0600, NULL), 0);
    free(bytes);
}

static void assert_same_files(const char *a, const char *b)
{
    struct buf one, two;
    buf_init(&one, 64 << 20);
    buf_init(&two, 64 << 20);
    assert_int_equal(file_read(a, &one, NULL), 0);
    assert_int_equal(file_read(b, &two, NULL), 0);
    assert_int_equal(one.length, two.length);
    assert_memory_equal(one.data, two.data, one.length);
    buf_free(&one);
    buf_free(&two);
}

static void keep_last(void *context, int64_t sent, int64_t total)
{
    int64_t *last = context;
    assert_true(sent >= 0 && sent <= total);
    *last = sent;
}

static void test_files(void **state)
{
    char path[128], back[128];
    struct aws_s3_object object;
    bool existed;
    int64_t last = 0;
    snprintf(path, sizeof path, "%s/file", rig.folder);
    snprintf(back, sizeof back, "%s/back", rig.folder);
    make_file(path, 23 << 20);
    /* a piece of it in one request */
    struct aws_s3_put piece = {
        .bucket = "lake", .key = "piece", .body = {.path = path, .offset = 100, .length = 2 << 20}};
    assert_ok(aws_s3_put_wait(rig.client, &piece, NULL, NULL, &object, NULL, &err));
    assert_int_equal(object.size, 2 << 20);
    /* all of it in parts: 5 of 5 MiB, 3 at once */
    struct aws_s3_put whole = {
        .bucket = "lake", .key = "whole", .body = {.path = path, .length = -1}, .if_absent = true};
    struct aws_s3_send send = {.part_bytes = 5 << 20,
                               .parallel = 3,
                               .deadline_us = soon(),
                               .progress = keep_last,
                               .progress_context = &last};
    assert_ok(aws_s3_put_wait(rig.client, &whole, NULL, &send, &object, NULL, &err));
    assert_true(last > 0);
    assert_non_null(strstr(object.etag, "-5\""));
    assert_non_null(strstr(object.checksum, "-5"));
    assert_ok(aws_s3_get_file_wait(rig.client, "lake", "whole", back, NULL, soon(), &object, &err));
    assert_same_files(path, back);
    assert_int_equal(object.size, 23 << 20);
    /* once more: it is there, and the same */
    assert_ok(aws_s3_put_once_wait(rig.client, &whole, NULL, &send, &existed, NULL, &err));
    assert_true(existed);
    /* and by SHA-256 */
    whole.key = "sha";
    whole.checksum = CHECKSUM_SHA256;
    assert_ok(aws_s3_put_wait(rig.client, &whole, NULL, &send, &object, NULL, &err));
    assert_int_equal(object.checksum_kind, CHECKSUM_SHA256);
    unlink(path);
    unlink(back);
}

static void test_bad_files(void **state)
{
    char path[128];
    struct aws_s3_put absent = {
        .bucket = "lake", .key = "x", .body = {.path = "/nowhere/file", .length = -1}};
    assert_int_equal(aws_s3_put_wait(rig.client, &absent, NULL, NULL, NULL, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    snprintf(path, sizeof path, "%s/short", rig.folder);
    make_file(path, 10);
    struct aws_s3_put beyond = {
        .bucket = "lake", .key = "x", .body = {.path = path, .offset = 5, .length = 6}};
    assert_int_equal(aws_s3_put_wait(rig.client, &beyond, NULL, NULL, NULL, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    unlink(path);
    /* an answer that does not fit */
    put("long", "0123456789");
    struct buf out;
    buf_init(&out, 5);
    assert_int_equal(aws_s3_get_wait(rig.client, "lake", "long", NULL, soon(), &out, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_int_equal(out.length, 0);
    buf_free(&out);
}

/* ---- JSON services ---------------------------------------------------------------------------------- */

static void call_glue(const char *operation, json_t *input, const char *code)
{
    char found[80];
    json_t *answer = aws_json_wait(rig.client, AWS_GLUE, operation, input, NULL, soon(), found, &err);
    if (strcmp(found, code) != 0)
        fail_msg("%s: %s", operation, err.text);
    assert_int_equal(answer == NULL, *code != '\0');
    json_decref(answer);
}

static void test_glue(void **state)
{
    if (rig.plain_s3)
        skip();
    char code[80];
    call_glue("CreateDatabase", json_pack("{s:{s:s}}", "DatabaseInput", "Name", "raw"), "");
    call_glue("CreateDatabase", json_pack("{s:{s:s}}", "DatabaseInput", "Name", "raw"),
              "AlreadyExistsException");
    call_glue("CreateTable",
              json_pack("{s:s, s:{s:s, s:{s:s, s:[{s:s,s:s}]}, s:[{s:s,s:s}]}}", "DatabaseName", "raw",
                        "TableInput", "Name", "gps", "StorageDescriptor", "Location", "s3://lake/raw/gps/",
                        "Columns", "Name", "id", "Type", "string", "PartitionKeys", "Name", "dt", "Type",
                        "string"),
              "");
    call_glue("BatchCreatePartition",
              json_pack("{s:s, s:s, s:[{s:[s]}, {s:[s]}, {s:[s]}]}", "DatabaseName", "raw", "TableName",
                        "gps", "PartitionInputList", "Values", "2026-06-15", "Values", "2026-06-16", "Values",
                        "2026-06-17"),
              "");
    json_t *partitions = aws_json_pages_wait(
        rig.client, AWS_GLUE, "GetPartitions",
        json_pack("{s:s, s:s, s:i}", "DatabaseName", "raw", "TableName", "gps", "MaxResults", 1),
        "Partitions", 100, NULL, soon(), code, &err);
    assert_non_null(partitions);
    assert_int_equal(json_array_size(partitions), 3);
    json_decref(partitions);
    assert_null(aws_json_pages_wait(
        rig.client, AWS_GLUE, "GetPartitions",
        json_pack("{s:s, s:s, s:i}", "DatabaseName", "raw", "TableName", "gps", "MaxResults", 1),
        "Partitions", 2, NULL, soon(), code, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_null(aws_json_wait(rig.client, AWS_GLUE, "GetTable",
                              json_pack("{s:s, s:s}", "DatabaseName", "raw", "Name", "x"), NULL, soon(), code,
                              &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_string_equal(code, "EntityNotFoundException");
    assert_non_null(strstr(err.text, "Glue GetTable: EntityNotFoundException"));
    if (!rig.foreign)
        call_glue("NoSuchThing", NULL, "UnknownOperationException");
    assert_null(aws_json_call(rig.client, AWS_S3, "GetObject", NULL, NULL, NULL, NULL, &err));
    assert_int_equal(err.kind, ERR_USAGE);
}

static void test_identity(void **state)
{
    struct aws_identity identity;
    struct aws_finding findings[12];
    if (rig.plain_s3)
        skip();
    assert_ok(aws_identity_wait(rig.client, soon(), &identity, &err));
    assert_string_equal(identity.account, rig.foreign ? "123456789012" : CLOUD_ACCOUNT);
    size_t count = aws_doctor(rig.client, soon(), findings, 12);
    assert_int_equal(count, 3 + AWS_SERVICES);
    for (size_t i = 0; i < count; i++)
        assert_true(findings[i].good && findings[i].found[0]);
    assert_string_equal(findings[count - 1].what, "identity");
    assert_int_equal(aws_doctor(rig.client, soon(), findings, 2), 2);
}

/* What was done stands in the log, with the command that does the same, and no secret. */
static void test_log(void **state)
{
    struct log_entry entries[200];
    struct aws_s3_options options = {.origin = "operator"};
    struct aws_s3_put request = text_put("it's logged", "x");
    uint64_t before = log_last(rig.log);
    request.if_absent = true;
    assert_ok(aws_s3_put_wait(rig.client, &request, &options, NULL, NULL, NULL, &err));
    size_t count = log_read(rig.log, before, entries, 200);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        assert_null(strstr(entries[i].text, rig.address->secret_key));
        assert_null(strstr(entries[i].equivalent, rig.address->secret_key));
        if (entries[i].level != LOG_DONE)
            continue;
        found = true;
        assert_string_equal(entries[i].source, "operator");
        assert_non_null(strstr(entries[i].text, "S3 PutObject s3://lake/it's logged: done"));
        assert_non_null(
            strstr(entries[i].equivalent, "aws s3api put-object --bucket lake --key 'it'\\''s logged'"));
    }
    assert_true(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects),    cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_conditions), cmocka_unit_test(test_lists),
        cmocka_unit_test(test_buckets),    cmocka_unit_test(test_copy_and_delete),
        cmocka_unit_test(test_files),      cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_glue),       cmocka_unit_test(test_identity),
        cmocka_unit_test(test_log),
    };
    return cmocka_run_group_tests_name("aws", tests, set_up, tear_down);
}
