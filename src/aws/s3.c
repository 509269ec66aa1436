#include "aws/s3.h"

#include "aws/equivalent.h"
#include "aws/service.h"
#include "aws/sigv4.h"
#include "base/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERY_LIMIT      16384
#define DOCUMENT_LIMIT   (4u << 20)
#define EQUIVALENT_LIMIT 16384
#define HEADERS_MAX      32
#define COMPLETE_US      600000000ll /* S3 may take minutes to join an upload */

/* A request being put together. */
struct building {
    struct aws_client *client;
    struct aws_request request;
    struct aws_header headers[HEADERS_MAX];
    size_t count;
    struct buf query, document, equivalent;
    char *texts[8]; /* of headers, freed at the end */
    size_t text_count;
    bool overflow;
};

static void begin(struct building *building, struct aws_client *client, const char *operation,
                  const char *method, const char *bucket, const char *key,
                  const struct aws_s3_options *options)
{
    memset(building, 0, sizeof *building);
    building->client = client;
    buf_init(&building->query, QUERY_LIMIT);
    buf_init(&building->document, DOCUMENT_LIMIT);
    buf_init(&building->equivalent, EQUIVALENT_LIMIT);
    building->request = (struct aws_request){.service = "s3",
                                             .operation = operation,
                                             .method = method,
                                             .bucket = bucket,
                                             .key = key,
                                             .repeat = AWS_REPEAT_SAFE};
    if (options) {
        building->request.group = options->group;
        building->request.origin = options->origin;
        building->request.timeout_us = options->timeout_us;
    }
    if (building->request.origin) {
        aws_equivalent_begin(&building->equivalent, AWS_S3, operation);
        aws_equivalent_option(&building->equivalent, "bucket", bucket);
        aws_equivalent_option(&building->equivalent, "key", key);
    }
}

static void header(struct building *building, const char *name, const char *value)
{
    if (!value)
        return;
    if (building->count == HEADERS_MAX)
        building->overflow = true;
    else
        building->headers[building->count++] = (struct aws_header){name, value};
}

/* The same, and as an option of the aws command. */
static void said(struct building *building, const char *name, const char *option, const char *value)
{
    header(building, name, value);
    if (building->request.origin)
        aws_equivalent_option(&building->equivalent, option, value);
}

static void parameter(struct building *building, const char *name, const char *value)
{
    struct buf *query = &building->query;
    if (!value)
        return;
    buf_printf(query, "%s%s=", query->length ? "&" : "", name);
    sigv4_encode(query, value, strlen(value), false);
}

static const char *keep(struct building *building, char *text)
{
    building->texts[building->text_count++] = text;
    return text;
}

static struct aws_call *end(struct building *building, const struct aws_s3_options *options,
                            aws_done_fn *done, void *context, struct err *err)
{
    struct aws_call *call = NULL;
    if (options && building->request.bucket && strcmp(building->request.operation, "CreateBucket") != 0)
        said(building, "x-amz-expected-bucket-owner", "expected-bucket-owner", options->owner);
    building->request.headers = building->headers;
    building->request.header_count = building->count;
    building->request.query = building->query.data;
    if (building->document.length > 0) {
        building->request.body.bytes = building->document.data;
        building->request.body.size = building->document.length;
    }
    if (building->request.origin) {
        aws_equivalent_end(&building->equivalent, aws_client_config(building->client), AWS_S3);
        building->request.equivalent = building->equivalent.data;
    }
    if (building->overflow || building->query.overflow || building->document.overflow)
        err_set(err, ERR_LIMIT, "%s: too many headers, or too long a list", building->request.operation);
    else
        call = aws_submit(building->client, &building->request, done, context, err);
    for (size_t i = 0; i < building->text_count; i++)
        free(building->texts[i]);
    buf_free(&building->query);
    buf_free(&building->document);
    buf_free(&building->equivalent);
    return call;
}

/* What an object is made with, in whichever way. */
static void properties(struct building *building, const struct aws_s3_put *put,
                       const struct aws_s3_options *options)
{
    header(building, "content-type", put->content_type ? put->content_type : "application/octet-stream");
    if (options) {
        said(building, "x-amz-server-side-encryption", "server-side-encryption", options->encryption);
        said(building, "x-amz-server-side-encryption-aws-kms-key-id", "ssekms-key-id",
             options->encryption_key);
    }
    for (size_t i = 0; i < put->metadata_count; i++) {
        char name[128];
        snprintf(name, sizeof name, "x-amz-meta-%s", put->metadata[i].name);
        if (building->text_count == sizeof building->texts / sizeof *building->texts)
            building->overflow = true;
        else
            header(building, keep(building, mem_text(name)), put->metadata[i].value);
    }
}

static void conditions(struct building *building, bool if_absent, const char *if_match)
{
    said(building, "if-none-match", "if-none-match", if_absent ? "*" : NULL);
    said(building, "if-match", "if-match", if_match);
}

static enum checksum_kind checksum_of_put(const struct aws_s3_put *put)
{
    return put->checksum == CHECKSUM_NONE ? CHECKSUM_CRC32 : put->checksum;
}

/* ---- objects ---------------------------------------------------------------------------------------- */

struct aws_call *aws_s3_put(struct aws_client *client, const struct aws_s3_put *put,
                            const struct aws_s3_options *options, aws_done_fn *done, void *context,
                            struct err *err)
{
    struct building building;
    begin(&building, client, "PutObject", "PUT", put->bucket, put->key, options);
    if (building.request.origin)
        aws_equivalent_option(&building.equivalent, "body", put->body.path ? put->body.path : "/dev/stdin");
    properties(&building, put, options);
    conditions(&building, put->if_absent, put->if_match);
    building.request.body = put->body;
    building.request.checksum = checksum_of_put(put);
    return end(&building, options, done, context, err);
}

struct aws_call *aws_s3_get(struct aws_client *client, const struct aws_s3_get *get,
                            const struct aws_s3_options *options, aws_done_fn *done, void *context,
                            struct err *err)
{
    struct building building;
    char range[64];
    begin(&building, client, "GetObject", "GET", get->bucket, get->key, options);
    if (get->from < 0)
        snprintf(range, sizeof range, "bytes=%lld", (long long)get->from);
    else
        snprintf(range, sizeof range, "bytes=%lld-%lld", (long long)get->from,
                 (long long)(get->from + get->length - 1));
    said(&building, "range", "range", get->from < 0 || get->length > 0 ? range : NULL);
    said(&building, "if-match", "if-match", get->if_match);
    header(&building, "x-amz-checksum-mode", get->from < 0 || get->length > 0 ? NULL : "ENABLED");
    if (building.request.origin)
        buf_text(&building.equivalent, " /dev/stdout");
    building.request.sink = get->sink;
    return end(&building, options, done, context, err);
}

struct aws_call *aws_s3_head(struct aws_client *client, const char *bucket, const char *key,
                             const struct aws_s3_options *options, aws_done_fn *done, void *context,
                             struct err *err)
{
    struct building building;
    begin(&building, client, "HeadObject", "HEAD", bucket, key, options);
    header(&building, "x-amz-checksum-mode", "ENABLED");
    return end(&building, options, done, context, err);
}

struct aws_call *aws_s3_delete(struct aws_client *client, const char *bucket, const char *key,
                               const struct aws_s3_options *options, aws_done_fn *done, void *context,
                               struct err *err)
{
    struct building building;
    begin(&building, client, "DeleteObject", "DELETE", bucket, key, options);
    return end(&building, options, done, context, err);
}

struct aws_call *aws_s3_delete_many(struct aws_client *client, const char *bucket, const char *const *keys,
                                    size_t count, const struct aws_s3_options *options, aws_done_fn *done,
                                    void *context, struct err *err)
{
    struct building building;
    if (count == 0 || count > AWS_S3_DELETE_MAX) {
        err_set(err, ERR_USAGE, "1 to %d keys are deleted at once", AWS_S3_DELETE_MAX);
        return NULL;
    }
    begin(&building, client, "DeleteObjects", "POST", bucket, NULL, options);
    buf_text(&building.query, "delete=");
    buf_text(&building.document,
             "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
    for (size_t i = 0; i < count; i++) {
        buf_text(&building.document, "<Object>");
        xml_element(&building.document, "Key", keys[i]);
        buf_text(&building.document, "</Object>");
    }
    buf_text(&building.document, "</Delete>");
    header(&building, "content-type", "application/xml");
    building.request.checksum = CHECKSUM_CRC32;
    if (building.request.origin)
        buf_printf(&building.equivalent, " --delete file://%zu-keys.json", count);
    return end(&building, options, done, context, err);
}

struct aws_call *aws_s3_copy(struct aws_client *client, const char *from_bucket, const char *from_key,
                             const char *to_bucket, const char *to_key, bool if_absent,
                             const struct aws_s3_options *options, aws_done_fn *done, void *context,
                             struct err *err)
{
    struct building building;
    struct buf source;
    struct aws_s3_put put = {.bucket = to_bucket};
    begin(&building, client, "CopyObject", "PUT", to_bucket, to_key, options);
    buf_init(&source, 8192);
    sigv4_encode(&source, from_bucket, strlen(from_bucket), false);
    buf_char(&source, '/');
    sigv4_encode(&source, from_key, strlen(from_key), true);
    said(&building, "x-amz-copy-source", "copy-source", source.data);
    properties(&building, &put, options);
    conditions(&building, if_absent, NULL);
    building.request.stall_us = COMPLETE_US;
    if (!building.request.timeout_us)
        building.request.timeout_us = COMPLETE_US;
    struct aws_call *call = end(&building, options, done, context, err);
    buf_free(&source);
    return call;
}

/* ---- lists and buckets ------------------------------------------------------------------------------ */

struct aws_call *aws_s3_list(struct aws_client *client, const struct aws_s3_list *list,
                             const struct aws_s3_options *options, aws_done_fn *done, void *context,
                             struct err *err)
{
    struct building building;
    char max[16];
    begin(&building, client, "ListObjectsV2", "GET", list->bucket, NULL, options);
    snprintf(max, sizeof max, "%d", list->max > 0 && list->max < 1000 ? list->max : 1000);
    parameter(&building, "list-type", "2");
    parameter(&building, "encoding-type", "url");
    parameter(&building, "max-keys", max);
    parameter(&building, "prefix", list->prefix);
    parameter(&building, "delimiter", list->delimiter);
    parameter(&building, "start-after", list->start_after);
    parameter(&building, "continuation-token", list->continuation);
    if (building.request.origin) {
        aws_equivalent_option(&building.equivalent, "prefix", list->prefix);
        aws_equivalent_option(&building.equivalent, "delimiter", list->delimiter);
    }
    return end(&building, options, done, context, err);
}

struct aws_call *aws_s3_list_buckets(struct aws_client *client, const struct aws_s3_options *options,
                                     aws_done_fn *done, void *context, struct err *err)
{
    struct building building;
    begin(&building, client, "ListBuckets", "GET", NULL, NULL, options);
    return end(&building, options, done, context, err);
}

struct aws_call *aws_s3_head_bucket(struct aws_client *client, const char *bucket,
                                    const struct aws_s3_options *options, aws_done_fn *done, void *context,
                                    struct err *err)
{
    struct building building;
    begin(&building, client, "HeadBucket", "HEAD", bucket, NULL, options);
    return end(&building, options, done, context, err);
}

struct aws_call *aws_s3_create_bucket(struct aws_client *client, const char *bucket,
                                      const struct aws_s3_options *options, aws_done_fn *done, void *context,
                                      struct err *err)
{
    struct building building;
    const char *region = aws_client_config(client)->region;
    begin(&building, client, "CreateBucket", "PUT", bucket, NULL, options);
    /* us-east-1 is the one region that must not be said. */
    if (strcmp(region, "us-east-1") != 0) {
        buf_text(&building.document,
                 "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        xml_element(&building.document, "LocationConstraint", region);
        buf_text(&building.document, "</CreateBucketConfiguration>");
        header(&building, "content-type", "application/xml");
        if (building.request.origin)
            buf_printf(&building.equivalent, " --create-bucket-configuration LocationConstraint=%s", region);
    }
    return end(&building, options, done, context, err);
}

/* ---- uploads in parts ------------------------------------------------------------------------------- */

struct aws_call *aws_s3_upload_create(struct aws_client *client, const struct aws_s3_put *put,
                                      const struct aws_s3_options *options, aws_done_fn *done, void *context,
                                      struct err *err)
{
    struct building building;
    begin(&building, client, "CreateMultipartUpload", "POST", put->bucket, put->key, options);
    buf_text(&building.query, "uploads=");
    properties(&building, put, options);
    said(&building, "x-amz-checksum-algorithm", "checksum-algorithm", checksum_name(checksum_of_put(put)));
    return end(&building, options, done, context, err);
}

struct aws_call *aws_s3_upload_part(struct aws_client *client, const struct aws_s3_put *put, const char *id,
                                    int number, const struct aws_s3_options *options, aws_done_fn *done,
                                    void *context, struct err *err)
{
    struct building building;
    char text[16];
    begin(&building, client, "UploadPart", "PUT", put->bucket, put->key, options);
    snprintf(text, sizeof text, "%d", number);
    parameter(&building, "partNumber", text);
    parameter(&building, "uploadId", id);
    building.request.body = put->body;
    building.request.checksum = checksum_of_put(put);
    building.request.origin = NULL; /* a detail of the upload */
    return end(&building, options, done, context, err);
}

struct aws_call *aws_s3_upload_complete(struct aws_client *client, const struct aws_s3_put *put,
                                        const char *id, const struct aws_s3_part *parts, size_t count,
                                        const struct aws_s3_options *options, aws_done_fn *done,
                                        void *context, struct err *err)
{
    struct building building;
    const char *element = checksum_element(checksum_of_put(put));
    begin(&building, client, "CompleteMultipartUpload", "POST", put->bucket, put->key, options);
    parameter(&building, "uploadId", id);
    conditions(&building, put->if_absent, put->if_match);
    header(&building, "content-type", "application/xml");
    buf_text(&building.document,
             "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < count; i++) {
        buf_printf(&building.document, "<Part><PartNumber>%d</PartNumber>", parts[i].number);
        xml_element(&building.document, "ETag", parts[i].etag);
        if (parts[i].checksum[0])
            xml_element(&building.document, element, parts[i].checksum);
        buf_text(&building.document, "</Part>");
    }
    buf_text(&building.document, "</CompleteMultipartUpload>");
    if (building.request.origin)
        aws_equivalent_option(&building.equivalent, "upload-id", id);
    building.request.stall_us = COMPLETE_US;
    if (!building.request.timeout_us)
        building.request.timeout_us = COMPLETE_US;
    return end(&building, options, done, context, err);
}

struct aws_call *aws_s3_upload_abort(struct aws_client *client, const char *bucket, const char *key,
                                     const char *id, const struct aws_s3_options *options, aws_done_fn *done,
                                     void *context, struct err *err)
{
    struct building building;
    begin(&building, client, "AbortMultipartUpload", "DELETE", bucket, key, options);
    parameter(&building, "uploadId", id);
    building.request.origin = NULL;
    return end(&building, options, done, context, err);
}
