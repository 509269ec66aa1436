/* Answers of S3 and STS: a first byte chooses the reader, the rest is head and body. Nothing that is read may
 * pass the bounds of its struct, hold a NUL or, where it is for the screen, a control character. */
#include "aws/credentials_private.h"
#include "aws/json.h"
#include "aws/s3.h"
#include "aws/sts.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
    if (strnlen(text, size) == size)
        abort();
}

static void check_shown(const char *text, size_t size)
{
    check_text(text, size);
    for (const char *at = text, *end = text + strlen(text); at < end;)
        if (text_is_control(text_next_rune(&at, end)))
            abort();
}

static void check_page(struct aws_s3_page *page)
{
    for (size_t i = 0; i < page->object_count; i++) {
        check_text(page->objects[i].key, sizeof page->objects[i].key);
        check_text(page->objects[i].etag, sizeof page->objects[i].etag);
    }
    for (size_t i = 0; i < page->prefix_count; i++)
        check_text(page->prefixes[i], AWS_S3_KEY_SIZE);
    aws_s3_page_free(page);
}

static void read_json(const struct aws_answer *answer, struct err *err)
{
    static const struct {
        enum aws_service_id service;
        const char *operation;
    } rows[] = {{AWS_GLUE, "GetCrawler"},
                {AWS_GLUE, "GetJobRun"},
                {AWS_ATHENA, "GetQueryExecution"},
                {AWS_REDSHIFT_DATA, "DescribeStatement"}};
    json_t *json = json_loadb(answer->body.data, answer->body.length, 0, NULL);
    for (size_t i = 0; json && i < sizeof rows / sizeof *rows; i++) {
        struct aws_work work;
        if (aws_work_read(rows[i].service, rows[i].operation, json, &work, err) == 0) {
            check_shown(work.word, sizeof work.word);
            check_shown(work.reason, sizeof work.reason);
        }
    }
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aws_answer answer = {.status = 200};
    struct aws_s3_page page;
    struct aws_s3_object object;
    struct aws_identity identity;
    struct aws_keys keys;
    struct err err = ERR_INIT;
    char id[AWS_S3_UPLOAD_SIZE];
    if (size < 2)
        return 0;
    size_t head = data[1] * (size - 2) / 255;
    buf_init(&answer.head, 1 << 20);
    buf_init(&answer.body, 1 << 20);
    buf_append(&answer.head, data + 2, head);
    buf_append(&answer.body, data + 2 + head, size - 2 - head);
    switch (data[0] % 7) {
    case 0:
        aws_s3_page_read(&answer, &page, &err);
        check_page(&page);
        break;
    case 1:
        aws_s3_buckets_read(&answer, &page, &err);
        check_page(&page);
        break;
    case 2:
        aws_s3_delete_read(&answer, &err);
        break;
    case 3:
        if (aws_s3_upload_read(&answer, id, &err) == 0)
            check_text(id, sizeof id);
        break;
    case 4:
        aws_s3_object_read(&answer, &object);
        check_text(object.etag, sizeof object.etag);
        check_text(object.checksum, sizeof object.checksum);
        break;
    case 5:
        if (aws_identity_read(&answer, &identity, &err) == 0) {
            check_shown(identity.arn, sizeof identity.arn);
            check_shown(identity.name, sizeof identity.name);
        }
        keys_read_role(answer.body.data, answer.body.length, &keys, &err);
        keys_read_json(answer.body.data, answer.body.length, "Token", &keys, &err);
        break;
    default:
        read_json(&answer, &err);
    }
    check_text(err.text, sizeof err.text);
    buf_free(&answer.head);
    buf_free(&answer.body);
    return 0;
}
