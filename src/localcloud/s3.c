#include "localcloud/s3.h"

#include "base/text.h"
#include "base/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct operation OPERATIONS[] = {
    {"ListBuckets", s3_list_buckets, "GET", ON_SERVICE, .note = "paging, prefix"},

    {"GetBucketLocation", s3_bucket_location, "GET", ON_BUCKET, .query = "location"},
    {"GetBucketVersioning", s3_bucket_versioning, "GET", ON_BUCKET, "versioning", .note = "never enabled"},
    {"ListMultipartUploads", s3_list_uploads, "GET", ON_BUCKET, .query = "uploads"},
    {"ListObjectVersions", s3_list_versions, "GET", ON_BUCKET, .query = "versions",
     .note = "one version each, null"},
    {"ListObjectsV2", s3_list_objects_v2, "GET", ON_BUCKET, .query = "list-type=2"},
    {"ListObjects", s3_list_objects, "GET", .level = ON_BUCKET},
    {"HeadBucket", s3_head_bucket, "HEAD", .level = ON_BUCKET},
    {"CreateBucket", s3_create_bucket, "PUT", ON_BUCKET, .body = BODY_MEMORY, .mutates = true},
    {"DeleteBucket", s3_delete_bucket, "DELETE", ON_BUCKET, .mutates = true},
    {"DeleteObjects", s3_delete_objects, "POST", ON_BUCKET, "delete", .body = BODY_MEMORY, .mutates = true},

    {"ListParts", s3_list_parts, "GET", ON_OBJECT, .query = "uploadId"},
    {"GetObjectTagging", s3_get_tags, "GET", ON_OBJECT, .query = "tagging"},
    {"GetObjectAttributes", s3_object_attributes, "GET", ON_OBJECT, .query = "attributes"},
    {"GetObject", s3_get_object, "GET", ON_OBJECT, .note = "ranges, partNumber, conditions, response-*"},
    {"HeadObject", s3_head_object, "HEAD", .level = ON_OBJECT},
    {"UploadPartCopy", s3_upload_part_copy, "PUT", ON_OBJECT, "partNumber&uploadId", "x-amz-copy-source",
     .mutates = true},
    {"UploadPart", s3_upload_part, "PUT", ON_OBJECT, "partNumber&uploadId", .body = BODY_OBJECT,
     .mutates = true},
    {"PutObjectTagging", s3_put_tags, "PUT", ON_OBJECT, "tagging", .body = BODY_MEMORY, .mutates = true},
    {"CopyObject", s3_copy_object, "PUT", ON_OBJECT, NULL, "x-amz-copy-source", .mutates = true},
    {"PutObject", s3_put_object, "PUT", ON_OBJECT, .body = BODY_OBJECT, .mutates = true,
     .note = "If-Match, If-None-Match: *; ACLs and server-side encryption are taken and do nothing"},
    {"CreateMultipartUpload", s3_create_upload, "POST", ON_OBJECT, "uploads", .mutates = true},
    {"CompleteMultipartUpload", s3_complete_upload, "POST", ON_OBJECT, "uploadId", .body = BODY_MEMORY,
     .checksum_of_object = true, .mutates = true},
    {"AbortMultipartUpload", s3_abort_upload, "DELETE", ON_OBJECT, "uploadId", .mutates = true},
    {"DeleteObjectTagging", s3_delete_tags, "DELETE", ON_OBJECT, "tagging", .mutates = true},
    {"DeleteObject", s3_delete_object, "DELETE", ON_OBJECT, .mutates = true},
    {.name = NULL},
};

static void *create(const struct service_context *context, struct err *err)
{
    struct service_context *state = mem_alloc(sizeof *state);
    *state = *context;
    return state;
}

static void destroy(void *state)
{
    free(state);
}

const struct service service_s3 = {
    .name = "s3",
    .title = "Amazon S3",
    .protocol = PROTOCOL_REST_XML,
    .xmlns = "http://s3.amazonaws.com/doc/2006-03-01/",
    .operations = OPERATIONS,
    .create = create,
    .destroy = destroy,
};

struct objects *s3_objects(const struct request *request)
{
    const struct service_context *state = request->state;
    return state->objects;
}

int s3_fail(struct request *request, enum objects_status status, const struct err *err)
{
    static const struct {
        int status;
        const char *code, *message;
    } answers[] = {
        [OBJECTS_NO_BUCKET] = {404, "NoSuchBucket", "The specified bucket does not exist"},
        [OBJECTS_NO_KEY] = {404, "NoSuchKey", "The specified key does not exist."},
        [OBJECTS_NO_UPLOAD] =
            {404, "NoSuchUpload",
             "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
             "aborted or completed."},
        [OBJECTS_BUCKET_EXISTS] =
            {409, "BucketAlreadyOwnedByYou",
             "Your previous request to create the named bucket succeeded and you already own it."},
        [OBJECTS_NOT_EMPTY] = {409, "BucketNotEmpty", "The bucket you tried to delete is not empty"},
        [OBJECTS_PRECONDITION] = {412, "PreconditionFailed",
                                  "At least one of the pre-conditions you specified did not hold"},
        [OBJECTS_INVALID_PART] =
            {400, "InvalidPart",
             "One or more of the specified parts could not be found.  The part may not have been uploaded, "
             "or the specified entity tag may not match the part's entity tag."},
        [OBJECTS_PART_ORDER] =
            {400, "InvalidPartOrder",
             "The list of parts was not in ascending order. Parts must be ordered by part number."},
        [OBJECTS_PART_TOO_SMALL] = {400, "EntityTooSmall",
                                    "Your proposed upload is smaller than the minimum allowed size"},
        [OBJECTS_BAD_DIGEST] = {400, "BadDigest",
                                "The checksum you specified did not match the calculated checksum."},
        [OBJECTS_TOO_LARGE] = {400, "EntityTooLarge",
                               "Your proposed upload exceeds the maximum allowed size"},
    };
    if (status == OBJECTS_FAILED || status == OBJECTS_OK)
        return request_fail_internal(request, err);
    return request_fail(request, answers[status].status, answers[status].code, "%s", answers[status].message);
}

void s3_time_element(struct buf *out, const char *name, int64_t ms)
{
    char text[TEXT_TIME_SIZE];
    buf_printf(out, "<%s>%s</%s>", name, text_time(text, ms), name);
}

char *s3_http_date(char out[S3_HTTP_DATE_SIZE], int64_t ms)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[TEXT_TIME_SIZE];
    text_time(text, ms);
    int month = (text[5] - '0') * 10 + text[6] - '0';
    snprintf(out, S3_HTTP_DATE_SIZE, "%s, %.2s %s %.4s %.8s GMT", days[ms / 86400000 % 7], text + 8,
             months[(month + 11) % 12], text, text + 11);
    return out;
}

const char *s3_etag(struct request *request, const char *text)
{
    if (strncmp(text, "W/", 2) == 0)
        text += 2;
    size_t length = strlen(text);
    if (length >= 2 && text[0] == '"' && text[length - 1] == '"')
        return request_keep(request, text + 1, length - 2);
    return text;
}

int s3_write_condition(struct request *request, struct objects_condition *condition)
{
    const char *match = request_header(request, "if-match"), *none = request_header(request, "if-none-match");
    *condition = (struct objects_condition){0};
    if (none && strcmp(none, "*") != 0) {
        request_fail(request, 501, "NotImplemented",
                     "A header you provided implies functionality that is not implemented");
        request_fail_member(request, "Header", json_string("If-None-Match"));
        return -1;
    }
    condition->if_none_match = none;
    condition->if_match = match ? s3_etag(request, match) : NULL;
    return 0;
}

/* ---- headers kept with an object -------------------------------------------------------------------- */

static const char *const SYSTEM_HEADERS[] = {"cache-control", "content-disposition", "content-language",
                                             "expires", "x-amz-website-redirect-location"};

static void keep(struct buf *out, const char *name, const char *value)
{
    for (; *name; name++)
        buf_char(out, *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name);
    buf_printf(out, ": %s\n", value);
}

/* "aws-chunked" is how it came, not what it is. */
static void keep_encoding(struct buf *out, const char *value)
{
    char kept[256] = "";
    size_t used = 0;
    while (*value) {
        value += strspn(value, ", \t");
        size_t length = strcspn(value, ", \t");
        if (length > 0 && !(length == 11 && strncasecmp(value, "aws-chunked", 11) == 0) &&
            used + length + 2 < sizeof kept)
            used += (size_t)snprintf(kept + used, sizeof kept - used, "%s%.*s", used ? "," : "", (int)length,
                                     value);
        value += length;
    }
    if (used)
        keep(out, "content-encoding", kept);
}

int s3_keep_headers(struct request *request, struct buf *out)
{
    const char *type = request_header(request, "content-type"),
               *encoding = request_header(request, "content-encoding");
    const char *storage = request_header(request, "x-amz-storage-class");
    size_t metadata = 0;
    keep(out, "content-type", type && *type ? type : "binary/octet-stream");
    if (encoding)
        keep_encoding(out, encoding);
    for (size_t i = 0; i < sizeof SYSTEM_HEADERS / sizeof *SYSTEM_HEADERS; i++) {
        const char *value = request_header(request, SYSTEM_HEADERS[i]);
        if (value)
            keep(out, SYSTEM_HEADERS[i], value);
    }
    if (storage && strcmp(storage, "STANDARD") != 0) {
        if (!*storage || strspn(storage, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(storage) ||
            strlen(storage) > 32)
            return request_fail(request, 400, "InvalidStorageClass",
                                "The storage class you specified is not valid");
        keep(out, "x-amz-storage-class", storage);
    }
    for (size_t i = 0; i < request->header_count; i++) {
        const struct request_pair *header = &request->headers[i];
        if (strncasecmp(header->name, "x-amz-meta-", 11) != 0)
            continue;
        metadata += strlen(header->name) - 11 + strlen(header->value);
        keep(out, header->name, header->value);
    }
    if (request_header(request, "x-amz-server-side-encryption-customer-algorithm"))
        return request_fail(request, 501, "NotImplemented",
                            "A header you provided implies functionality that is not implemented");
    if (metadata > S3_METADATA_MAX) {
        request_fail(request, 400, "MetadataTooLarge",
                     "Your metadata headers exceed the maximum allowed metadata size");
        request_fail_member(request, "Size", json_integer((json_int_t)metadata));
        request_fail_member(request, "MaxSizeAllowed", json_integer(S3_METADATA_MAX));
        return -1;
    }
    if (out->overflow)
        return request_fail(request, 400, "RequestHeaderSectionTooLarge",
                            "Your request header section exceeds the maximum size allowed");
    return 0;
}

void s3_give_headers(struct request *request, const struct object_info *info)
{
    static const struct {
        const char *parameter, *header;
    } overrides[] = {{"response-content-type", "content-type"},
                     {"response-content-language", "content-language"},
                     {"response-expires", "expires"},
                     {"response-cache-control", "cache-control"},
                     {"response-content-disposition", "content-disposition"},
                     {"response-content-encoding", "content-encoding"}};
    for (const char *at = info->headers; at && *at;) {
        size_t length = strcspn(at, "\n"), name = strcspn(at, ":");
        char header[128];
        bool overridden = false;
        if (name + 2 <= length && name < sizeof header) {
            memcpy(header, at, name);
            header[name] = '\0';
            for (size_t i = 0; i < sizeof overrides / sizeof *overrides; i++)
                overridden |= strcmp(header, overrides[i].header) == 0 &&
                              request_parameter(request, overrides[i].parameter);
            if (!overridden) {
                const char *value = request_keep(request, at + name + 2, length - name - 2);
                request_reply_header(request, header, value);
            }
        }
        at += length + (at[length] == '\n');
    }
    for (size_t i = 0; i < sizeof overrides / sizeof *overrides; i++) {
        const char *value = request_parameter(request, overrides[i].parameter);
        if (value)
            request_reply_header(request, overrides[i].header, value);
    }
}

/* ---- checksums -------------------------------------------------------------------------------------- */

void s3_give_checksum(struct request *request, enum checksum_kind kind, const char *checksum, bool composite)
{
    if (kind == CHECKSUM_NONE || !checksum[0])
        return;
    request_reply_header(request, checksum_header(kind), checksum);
    request_reply_header(request, "x-amz-checksum-type", composite ? "COMPOSITE" : "FULL_OBJECT");
}

void s3_checksum_elements(struct buf *out, enum checksum_kind kind, const char *checksum, bool composite)
{
    if (kind == CHECKSUM_NONE || !checksum[0])
        return;
    xml_element(out, checksum_element(kind), checksum);
    xml_element(out, "ChecksumType", composite ? "COMPOSITE" : "FULL_OBJECT");
}

/* ---- ranges ----------------------------------------------------------------------------------------- */

static bool range_number(const char **at, int64_t *value)
{
    const char *digits = *at;
    *value = 0;
    while (**at >= '0' && **at <= '9') {
        if (*value > (INT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (*(*at)++ - '0');
    }
    return *at > digits;
}

bool s3_range(const char *text, int64_t size, int64_t *from, int64_t *length, bool *bad)
{
    int64_t first = 0, last = size - 1;
    *bad = false;
    if (strncmp(text, "bytes=", 6) != 0)
        return false;
    const char *at = text + 6;
    bool has_first = range_number(&at, &first);
    if (*at++ != '-')
        return false;
    bool has_last = range_number(&at, &last);
    if (*at || (!has_first && !has_last) || (has_first && has_last && last < first))
        return false; /* several ranges, or none: all of it, as S3 does */
    if (!has_last)
        last = size - 1;
    if (!has_first) {
        *bad = last == 0 || size == 0;
        first = last < size ? size - last : 0;
        last = size - 1;
    }
    *bad = *bad || first >= size;
    if (last >= size)
        last = size - 1;
    *from = first;
    *length = last - first + 1;
    return true;
}
