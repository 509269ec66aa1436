#include "lake/remote_aws.h"

#include "aws/json.h"
#include "aws/s3.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define CALL_US      INT64_C(60000000)
#define TRANSFER_US  INT64_C(120000000)
#define BYTES_A_US   0.03125 /* 32 kB/s: slower than that is away */
#define WINDOW       16      /* pictures at once */
#define PART_BYTES   (64 << 20)
#define SHA256_NAME  "sha256"
#define SHA256_FIELD "x-amz-meta-" SHA256_NAME

struct lake_remote_aws {
    struct lake_remote remote;
    struct aws_client *client;
    struct aws_group *group;
    char *bucket, *owner, *encryption, *encryption_key;
    struct aws_s3_options options;
};

static int64_t deadline(int64_t bytes)
{
    return clock_mono_us() + TRANSFER_US + (int64_t)((double)bytes / BYTES_A_US);
}

static struct aws_s3_put s3_put_of(const struct lake_remote_aws *remote, const struct lake_put *put,
                                   struct aws_header *metadata)
{
    *metadata = (struct aws_header){SHA256_NAME, put->sha256};
    return (struct aws_s3_put){.bucket = remote->bucket,
                               .key = put->key,
                               .body = {.bytes = put->path ? NULL : put->bytes,
                                        .size = put->path ? 0 : (size_t)put->length,
                                        .path = put->path,
                                        .offset = put->offset,
                                        .length = put->length},
                               .content_type =
                                   put->content_type && put->content_type[0] ? put->content_type : NULL,
                               .if_absent = true,
                               .metadata = put->sha256 ? metadata : NULL,
                               .metadata_count = put->sha256 ? 1 : 0};
}

static int do_put(void *context, const struct lake_put *put, enum lake_put_end *end, struct err *err)
{
    struct lake_remote_aws *remote = context;
    struct aws_header metadata;
    struct aws_s3_put what = s3_put_of(remote, put, &metadata);
    struct aws_s3_send send = {.part_bytes = PART_BYTES, .deadline_us = deadline(put->length)};
    char code[80] = "";
    *end = LAKE_PUT_DONE;
    if (aws_s3_put_wait(remote->client, &what, &remote->options, &send, NULL, code, err) == 0)
        return 0;
    if (strcmp(code, "PreconditionFailed") == 0)
        *end = LAKE_PUT_EXISTS;
    else if (strcmp(code, "ConditionalRequestConflict") == 0)
        *end = LAKE_PUT_CONFLICT;
    else
        return -1;
    return 0;
}

static int end_of_picture(struct aws_call *call, int64_t until, struct err *err)
{
    struct err own = ERR_INIT;
    if (aws_wait_ok(call, until, &own) == 0)
        return 0;
    const struct aws_answer *answer = aws_call_answer(call);
    /* Its name holds the offset of its record: what is there is the same. */
    if (answer && strcmp(answer->code, "PreconditionFailed") == 0)
        return 0;
    if (answer && strcmp(answer->code, "ConditionalRequestConflict") == 0)
        own.retriable = true;
    *err = own;
    return -1;
}

static int do_put_many(void *context, const struct lake_put *puts, size_t count, struct err *err)
{
    struct lake_remote_aws *remote = context;
    struct aws_call *window[WINDOW] = {NULL};
    int result = 0;
    for (size_t i = 0; i < count + WINDOW; i++) {
        struct aws_call **place = &window[i % WINDOW];
        if (*place && end_of_picture(*place, deadline(1 << 20), err) != 0)
            result = -1;
        aws_call_release(*place);
        *place = NULL;
        if (i >= count || result != 0)
            continue;
        struct aws_header metadata;
        struct aws_s3_put what = s3_put_of(remote, &puts[i], &metadata);
        *place = aws_s3_put(remote->client, &what, &remote->options, NULL, NULL, err);
        if (!*place)
            result = -1;
    }
    return result;
}

static int do_replace(void *context, const char *key, const void *bytes, size_t length,
                      const char *content_type, struct err *err)
{
    struct lake_remote_aws *remote = context;
    const struct aws_s3_put what = {.bucket = remote->bucket,
                                    .key = key,
                                    .body = {.bytes = bytes, .size = length},
                                    .content_type = content_type};
    struct aws_s3_send send = {.deadline_us = deadline((int64_t)length)};
    return aws_s3_put_wait(remote->client, &what, &remote->options, &send, NULL, NULL, err);
}

static int do_head(void *context, const char *key, struct lake_object *object, struct err *err)
{
    struct lake_remote_aws *remote = context;
    struct aws_call *call =
        aws_s3_head(remote->client, remote->bucket, key, &remote->options, NULL, NULL, err);
    int result = aws_wait_ok(call, clock_mono_us() + CALL_US, err);
    *object = (struct lake_object){.bytes = -1};
    if (result == 0) {
        struct aws_s3_object read;
        aws_s3_object_read(aws_call_answer(call), &read);
        object->bytes = read.size;
        aws_answer_header(aws_call_answer(call), SHA256_FIELD, object->sha256, sizeof object->sha256);
    } else if (call && aws_call_done(call) && aws_call_answer(call)->status == 404) {
        err_set(err, ERR_NOT_FOUND, "s3://%s/%.200s is not there", remote->bucket, key);
    }
    aws_call_release(call);
    return result;
}

static int do_get(void *context, const char *key, struct buf *out, struct err *err)
{
    struct lake_remote_aws *remote = context;
    struct aws_s3_object object;
    return aws_s3_get_wait(remote->client, remote->bucket, key, &remote->options, clock_mono_us() + CALL_US,
                           out, &object, err);
}

static int do_get_file(void *context, const char *key, const char *path, struct err *err)
{
    struct lake_remote_aws *remote = context;
    struct aws_s3_object object;
    return aws_s3_get_file_wait(remote->client, remote->bucket, key, path, &remote->options,
                                deadline((int64_t)1 << 30), &object, err);
}

struct listing {
    bool (*each)(void *context, const char *key, int64_t bytes);
    void *context;
};

static bool list_object(void *context, const struct aws_s3_object *object)
{
    const struct listing *listing = context;
    return listing->each(listing->context, object->key, object->size);
}

static int do_list(void *context, const char *prefix, const char *after,
                   bool (*each)(void *each_context, const char *key, int64_t bytes), void *each_context,
                   struct err *err)
{
    struct lake_remote_aws *remote = context;
    const struct aws_s3_list list = {.bucket = remote->bucket, .prefix = prefix, .start_after = after};
    struct listing listing = {each, each_context};
    return aws_s3_list_wait(remote->client, &list, &remote->options, clock_mono_us() + 10 * CALL_US,
                            list_object, &listing, err);
}

static json_t *do_call(void *context, enum aws_service_id service, const char *operation, json_t *input,
                       char code[LAKE_CODE_SIZE], struct err *err)
{
    struct lake_remote_aws *remote = context;
    const struct json_options options = {.group = remote->group};
    code[0] = '\0';
    return aws_json_wait(remote->client, service, operation, input, &options, clock_mono_us() + CALL_US, code,
                         err);
}

static char *copy_text(const char *text)
{
    return text && *text ? mem_text(text) : NULL;
}

struct lake_remote_aws *lake_remote_aws_create(struct aws_client *client,
                                               const struct lake_remote_settings *settings)
{
    struct lake_remote_aws *remote = mem_zero(1, sizeof *remote);
    remote->client = client;
    remote->group = aws_group_create(client);
    remote->bucket = mem_text(settings->bucket);
    remote->owner = copy_text(settings->owner);
    remote->encryption = copy_text(settings->encryption);
    remote->encryption_key = copy_text(settings->encryption_key);
    remote->options = (struct aws_s3_options){.owner = remote->owner,
                                              .encryption = remote->encryption,
                                              .encryption_key = remote->encryption_key,
                                              .group = remote->group};
    remote->remote = (struct lake_remote){.context = remote,
                                          .bucket = remote->bucket,
                                          .put = do_put,
                                          .put_many = do_put_many,
                                          .replace = do_replace,
                                          .head = do_head,
                                          .get = do_get,
                                          .get_file = do_get_file,
                                          .list = do_list,
                                          .call = do_call};
    return remote;
}

void lake_remote_aws_cancel(struct lake_remote_aws *remote)
{
    aws_group_cancel(remote->group);
}

void lake_remote_aws_destroy(struct lake_remote_aws *remote)
{
    if (!remote)
        return;
    aws_group_destroy(remote->group);
    free(remote->bucket);
    free(remote->owner);
    free(remote->encryption);
    free(remote->encryption_key);
    free(remote);
}

const struct lake_remote *lake_remote_aws_remote(const struct lake_remote_aws *remote)
{
    return &remote->remote;
}

int lake_remote_aws_bucket(struct lake_remote_aws *remote, bool *made, struct err *err)
{
    return aws_s3_bucket_wait(remote->client, remote->bucket, &remote->options, clock_mono_us() + CALL_US,
                              made, err);
}
