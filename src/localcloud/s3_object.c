#include "localcloud/s3.h"

#include "aws/sigv4.h"
#include "base/text.h"
#include "base/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Objects: put, get, head, delete. */

void s3_put_object(struct request *request)
{
    struct objects_put put = {.now_ms = request->now_us / 1000};
    char etag[OBJECTS_ETAG_SIZE];
    struct err err = ERR_INIT;
    struct buf headers;
    buf_init(&headers, 16384);
    put.tags = request_header(request, "x-amz-tagging");
    put.checksum_kind =
        request->body_checksum_kind != CHECKSUM_NONE ? request->body_checksum_kind : CHECKSUM_CRC64NVME;
    if (s3_keep_headers(request, &headers) == 0 && s3_write_condition(request, &put.condition) == 0 &&
        (!put.tags || s3_check_tags(request, put.tags, &put.tag_count) == 0)) {
        put.headers = headers.data;
        enum objects_status status =
            objects_writer_commit(request->upload, request->bucket, request->key, &put, etag, &err);
        if (status != OBJECTS_OK) {
            s3_fail(request, status, &err);
        } else {
            request_reply_header_printf(request, "ETag", "\"%s\"", etag);
            s3_give_checksum(request, put.checksum_kind,
                             objects_writer_checksum(request->upload, put.checksum_kind), false);
        }
    }
    buf_free(&headers);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static bool any_etag(struct request *request, const char *list, const char *etag)
{
    while (*list) {
        list += strspn(list, ", \t");
        size_t length = strcspn(list, ",");
        const char *one = s3_etag(request, request_keep(request, list, length));
        if (strcmp(one, "*") == 0 || strcmp(one, etag) == 0)
            return true;
        list += length;
    }
    return false;
}

/* RFC 7232 section 6, as S3 applies it. 0 when it may go on; else answered. */
static int read_conditions(struct request *request, const struct object_info *info)
{
    const char *match = request_header(request, "if-match"), *none = request_header(request, "if-none-match");
    const char *since = request_header(request, "if-modified-since"),
               *unmodified = request_header(request, "if-unmodified-since");
    int64_t seconds = 0, modified = info->modified_ms / 1000;
    bool failed = match ? !any_etag(request, match, info->etag)
                        : unmodified && sigv4_parse_time(unmodified, &seconds) && modified > seconds;
    if (failed) {
        s3_fail(request, OBJECTS_PRECONDITION, NULL);
        request_fail_member(request, "Condition", json_string(match ? "If-Match" : "If-Unmodified-Since"));
        return -1;
    }
    bool same = none ? any_etag(request, none, info->etag)
                     : since && sigv4_parse_time(since, &seconds) && modified <= seconds;
    if (!same)
        return 0;
    request->reply.status = 304;
    request_reply_header_printf(request, "ETag", "\"%s\"", info->etag);
    char date[S3_HTTP_DATE_SIZE];
    request_reply_header(request, "Last-Modified", s3_http_date(date, info->modified_ms));
    return -1;
}

static bool wants_checksum(const struct request *request)
{
    const char *mode = request_header(request, "x-amz-checksum-mode");
    return mode && strcasecmp(mode, "ENABLED") == 0;
}

struct one_part {
    int64_t number, size;
    char checksum[CHECKSUM_TEXT_SIZE];
};

/* The next of info->parts; false at the end. */
static bool next_part(const char **at, struct one_part *part)
{
    char text[24 + 24 + CHECKSUM_TEXT_SIZE];
    size_t length = strcspn(*at, ",");
    if (length == 0 || length >= sizeof text)
        return false;
    memcpy(text, *at, length);
    text[length] = '\0';
    *at += length + ((*at)[length] == ',');
    char *size = strchr(text, ':'), *checksum = size ? strchr(size + 1, ':') : NULL;
    if (!checksum)
        return false;
    *size++ = *checksum++ = '\0';
    text_copy(part->checksum, sizeof part->checksum, checksum);
    return text_parse_int(text, 1, OBJECTS_PARTS_MAX, &part->number) &&
           text_parse_int(size, 0, INT64_MAX / 2, &part->size);
}

/* The bytes of part `number`, and its checksum; false when there is no such part. */
static bool part_range(const struct object_info *info, int64_t number, int64_t *from, struct one_part *part)
{
    const char *at = info->parts;
    *from = 0;
    *part = (struct one_part){.number = 1, .size = info->size};
    if (info->part_count == 0)
        return number == 1;
    while (next_part(&at, part)) {
        if (part->number == number)
            return true;
        *from += part->size;
    }
    return false;
}

/* What of the object is wanted; the status and Content-Range of it. 0, or -1 when answered. */
static int choose_bytes(struct request *request, const struct object_info *info, int64_t *from,
                        int64_t *length)
{
    const char *range = request_header(request, "range"), *part = request_parameter(request, "partNumber");
    int64_t number;
    bool bad = false, partial = false;
    *from = 0;
    *length = info->size;
    if (part) {
        if (range)
            return request_fail(request, 400, "InvalidRequest",
                                "Cannot specify both Range header and partNumber query parameter");
        if (!text_parse_int(part, 1, OBJECTS_PARTS_MAX, &number))
            return request_fail(request, 400, "InvalidArgument",
                                "Part number must be an integer between 1 and 10000, inclusive");
        struct one_part one;
        if (!part_range(info, number, from, &one))
            return request_fail(request, 416, "InvalidPartNumber",
                                "The requested partnumber is not satisfiable");
        *length = one.size;
        if (info->part_count > 0) {
            request_reply_header_printf(request, "x-amz-mp-parts-count", "%d", info->part_count);
            if (wants_checksum(request) && *length < info->size)
                s3_give_checksum(request, info->checksum_kind, one.checksum, info->checksum_composite);
        }
        partial = info->size > 0;
    } else if (range) {
        partial = s3_range(range, info->size, from, length, &bad);
    }
    if (bad) {
        request_fail(request, 416, "InvalidRange", "The requested range is not satisfiable");
        request_fail_member(request, "RangeRequested", json_string(range));
        request_fail_member(request, "ActualObjectSize", json_integer(info->size));
        request_reply_header_printf(request, "Content-Range", "bytes */%lld", (long long)info->size);
        return -1;
    }
    if (partial) {
        request->reply.status = 206;
        request_reply_header_printf(request, "Content-Range", "bytes %lld-%lld/%lld", (long long)*from,
                                    (long long)(*from + *length - 1), (long long)info->size);
    }
    return 0;
}

static void describe(struct request *request, const struct object_info *info, bool whole)
{
    char date[S3_HTTP_DATE_SIZE];
    request_reply_header_printf(request, "ETag", "\"%s\"", info->etag);
    request_reply_header(request, "Last-Modified", s3_http_date(date, info->modified_ms));
    request_reply_header(request, "Accept-Ranges", "bytes");
    s3_give_headers(request, info);
    if (info->tag_count > 0)
        request_reply_header_printf(request, "x-amz-tagging-count", "%d", info->tag_count);
    if (whole && wants_checksum(request))
        s3_give_checksum(request, info->checksum_kind, info->checksum, info->checksum_composite);
}

void s3_get_object(struct request *request)
{
    struct object_info info = {0};
    struct err err = ERR_INIT;
    int fd = -1;
    int64_t from, length;
    enum objects_status status =
        objects_get(s3_objects(request), request->bucket, request->key, &info, &fd, &err);
    if (status != OBJECTS_OK) {
        s3_fail(request, status, &err);
        return;
    }
    if (read_conditions(request, &info) == 0 && choose_bytes(request, &info, &from, &length) == 0) {
        describe(request, &info, length == info.size);
        request_reply_file(request, fd, from, length);
        fd = -1;
    }
    if (fd >= 0)
        close(fd);
    object_info_free(&info);
}

void s3_head_object(struct request *request)
{
    struct object_info info;
    struct err err = ERR_INIT;
    int64_t from, length;
    enum objects_status status =
        objects_head(s3_objects(request), request->bucket, request->key, &info, &err);
    if (status != OBJECTS_OK) {
        s3_fail(request, status, &err);
        return;
    }
    if (read_conditions(request, &info) == 0 && choose_bytes(request, &info, &from, &length) == 0) {
        describe(request, &info, length == info.size);
        request_reply_size(request, length);
    }
    object_info_free(&info);
}

static bool wants(const char *list, const char *name)
{
    for (const char *at = list; at && *at;) {
        at += strspn(at, ", \t");
        size_t length = strcspn(at, ", \t");
        if (length == strlen(name) && strncmp(at, name, length) == 0)
            return true;
        at += length;
    }
    return false;
}

static int64_t header_number(const struct request *request, const char *name, int64_t fallback)
{
    const char *text = request_header(request, name);
    int64_t value;
    return text && text_parse_int(text, 0, INT32_MAX, &value) ? value : fallback;
}

static void write_parts(const struct request *request, const struct object_info *info, struct buf *out)
{
    int64_t limit = header_number(request, "x-amz-max-parts", 1000);
    int64_t after = header_number(request, "x-amz-part-number-marker", 0), number = 0, given = 0,
            last = after;
    buf_printf(out,
               "<ObjectParts><PartsCount>%d</PartsCount><PartNumberMarker>%lld</"
               "PartNumberMarker><MaxParts>%lld</MaxParts>",
               info->part_count, (long long)after, (long long)limit);
    const char *at = info->parts;
    struct one_part part;
    while (next_part(&at, &part)) {
        number = part.number;
        if (number <= after || given == limit)
            continue;
        buf_printf(out, "<Part><PartNumber>%lld</PartNumber><Size>%lld</Size>", (long long)number,
                   (long long)part.size);
        if (part.checksum[0] && info->checksum_kind != CHECKSUM_NONE)
            xml_element(out, checksum_element(info->checksum_kind), part.checksum);
        buf_text(out, "</Part>");
        given++;
        last = number;
    }
    buf_printf(out,
               "<NextPartNumberMarker>%lld</NextPartNumberMarker><IsTruncated>%s</IsTruncated></ObjectParts>",
               (long long)last, last < number ? "true" : "false");
}

void s3_object_attributes(struct request *request)
{
    struct object_info info;
    struct err err = ERR_INIT;
    char date[S3_HTTP_DATE_SIZE], storage[40];
    const char *list = request_header(request, "x-amz-object-attributes");
    enum objects_status status =
        objects_head(s3_objects(request), request->bucket, request->key, &info, &err);
    if (status != OBJECTS_OK) {
        s3_fail(request, status, &err);
        return;
    }
    if (!list) {
        request_fail(request, 400, "InvalidArgument",
                     "The x-amz-object-attributes header specifying the attributes to be "
                     "retrieved is either missing or empty");
        object_info_free(&info);
        return;
    }
    request_reply_header(request, "Last-Modified", s3_http_date(date, info.modified_ms));
    struct buf *out = request_reply_xml(request);
    buf_printf(out, "<GetObjectAttributesResponse xmlns=\"%s\">", request->service->xmlns);
    if (wants(list, "ETag"))
        xml_element(out, "ETag", info.etag);
    if (wants(list, "Checksum") && info.checksum_kind != CHECKSUM_NONE) {
        buf_text(out, "<Checksum>");
        s3_checksum_elements(out, info.checksum_kind, info.checksum, info.checksum_composite);
        buf_text(out, "</Checksum>");
    }
    if (wants(list, "ObjectParts") && info.part_count > 0)
        write_parts(request, &info, out);
    if (wants(list, "StorageClass"))
        xml_element(out, "StorageClass",
                    object_info_header(&info, "x-amz-storage-class", storage, sizeof storage) ? storage
                                                                                              : "STANDARD");
    if (wants(list, "ObjectSize"))
        buf_printf(out, "<ObjectSize>%lld</ObjectSize>", (long long)info.size);
    buf_text(out, "</GetObjectAttributesResponse>");
    object_info_free(&info);
}

/* ---- deleting --------------------------------------------------------------------------------------- */

void s3_delete_object(struct request *request)
{
    struct err err = ERR_INIT;
    const char *match = request_header(request, "if-match");
    if (match) {
        struct object_info info;
        enum objects_status found =
            objects_head(s3_objects(request), request->bucket, request->key, &info, &err);
        bool holds = found == OBJECTS_OK && any_etag(request, match, info.etag);
        object_info_free(&info);
        if (!holds) {
            s3_fail(request, found == OBJECTS_OK ? OBJECTS_PRECONDITION : found, &err);
            return;
        }
    }
    enum objects_status status = objects_delete(s3_objects(request), request->bucket, request->key, &err);
    if (status != OBJECTS_OK)
        s3_fail(request, status, &err);
    else
        request->reply.status = 204;
}

static void delete_one(struct request *request, struct buf *out, const char *key, bool quiet)
{
    struct err err = ERR_INIT;
    enum objects_status status = strlen(key) > OBJECTS_KEY_MAX
                                     ? OBJECTS_TOO_LARGE
                                     : objects_delete(s3_objects(request), request->bucket, key, &err);
    if (status == OBJECTS_OK) {
        if (!quiet) {
            buf_text(out, "<Deleted>");
            xml_element(out, "Key", key);
            buf_text(out, "</Deleted>");
        }
        return;
    }
    buf_text(out, "<Error>");
    xml_element(out, "Key", key);
    xml_element(out, "Code", status == OBJECTS_TOO_LARGE ? "KeyTooLongError" : "InternalError");
    xml_element(out, "Message",
                status == OBJECTS_TOO_LARGE ? "Your key is too long"
                                            : "We encountered an internal error. Please try again.");
    buf_text(out, "</Error>");
}

void s3_delete_objects(struct request *request)
{
    struct bucket_info info;
    struct err err = ERR_INIT;
    enum objects_status status = objects_bucket_head(s3_objects(request), request->bucket, &info, &err);
    if (status != OBJECTS_OK) {
        s3_fail(request, status, &err);
        return;
    }
    if (!request_header(request, "content-md5") && request->body_checksum_kind == CHECKSUM_NONE) {
        request_fail(request, 400, "InvalidRequest",
                     "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
        return;
    }
    struct xml *xml = request->body.length ? xml_read(request->body.data, request->body.length) : NULL;
    const struct xml_node *root = xml ? xml_root(xml) : NULL;
    bool good = root && strcmp(root->name, "Delete") == 0;
    size_t count = 0;
    for (const struct xml_node *node = good ? root->child : NULL; node; node = node->next) {
        if (strcmp(node->name, "Object") != 0)
            continue;
        const char *key = xml_text(node, "Key");
        good = good && key && *key && ++count <= 1000;
    }
    if (!good || count == 0) {
        xml_destroy(xml);
        request_fail(
            request, 400, "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema");
        return;
    }
    const char *quiet = xml_text(root, "Quiet");
    struct buf *out = request_reply_xml(request);
    buf_printf(out, "<DeleteResult xmlns=\"%s\">", request->service->xmlns);
    for (const struct xml_node *node = root->child; node; node = node->next)
        if (strcmp(node->name, "Object") == 0)
            delete_one(request, out, xml_text(node, "Key"), quiet && strcmp(quiet, "true") == 0);
    buf_text(out, "</DeleteResult>");
    xml_destroy(xml);
}
