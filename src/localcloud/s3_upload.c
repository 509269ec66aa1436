#include "localcloud/s3.h"

#include "base/text.h"
#include "base/xml.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Multipart uploads. */

void s3_create_upload(struct request *request)
{
    struct objects_put put = {.now_ms = request->now_us / 1000, .checksum_kind = CHECKSUM_CRC64NVME};
    const char *algorithm = request_header(request, "x-amz-checksum-algorithm");
    const char *type = request_header(request, "x-amz-checksum-type");
    char id[OBJECTS_UPLOAD_SIZE];
    struct err err = ERR_INIT;
    struct buf headers;
    if (algorithm && (put.checksum_kind = checksum_kind_of(algorithm)) == CHECKSUM_NONE) {
        request_fail(request, 400, "InvalidRequest",
                     "Checksum algorithm provided is unsupported. Please try again with any of "
                     "the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
        return;
    }
    bool composite = type ? strcmp(type, "COMPOSITE") == 0 : put.checksum_kind != CHECKSUM_CRC64NVME;
    if ((type && !composite && strcmp(type, "FULL_OBJECT") != 0) ||
        (composite && put.checksum_kind == CHECKSUM_CRC64NVME) ||
        (!composite && !checksum_can_join(put.checksum_kind))) {
        request_fail(request, 400, "InvalidRequest",
                     "The %s checksum type cannot be used with the %s checksum algorithm.",
                     composite ? "COMPOSITE" : "FULL_OBJECT", checksum_name(put.checksum_kind));
        return;
    }
    buf_init(&headers, 16384);
    put.tags = request_header(request, "x-amz-tagging");
    if (s3_keep_headers(request, &headers) == 0 &&
        (!put.tags || s3_check_tags(request, put.tags, &put.tag_count) == 0)) {
        put.headers = headers.data;
        enum objects_status status = objects_upload_create(s3_objects(request), request->bucket, request->key,
                                                           &put, composite, id, &err);
        if (status != OBJECTS_OK) {
            s3_fail(request, status, &err);
        } else {
            struct buf *out = request_reply_xml(request);
            if (algorithm) {
                request_reply_header(request, "x-amz-checksum-algorithm", checksum_name(put.checksum_kind));
                request_reply_header(request, "x-amz-checksum-type", composite ? "COMPOSITE" : "FULL_OBJECT");
            }
            buf_printf(out, "<InitiateMultipartUploadResult xmlns=\"%s\">", request->service->xmlns);
            xml_element(out, "Bucket", request->bucket);
            xml_element(out, "Key", request->key);
            xml_element(out, "UploadId", id);
            buf_text(out, "</InitiateMultipartUploadResult>");
        }
    }
    buf_free(&headers);
}

static int part_number(struct request *request, int64_t *number)
{
    if (text_parse_int(request_parameter_text(request, "partNumber"), 1, OBJECTS_PARTS_MAX, number))
        return 0;
    request_fail(request, 400, "InvalidArgument",
                 "Part number must be an integer between 1 and 10000, inclusive");
    request_fail_member(request, "ArgumentName", json_string("partNumber"));
    return -1;
}

static int find_upload(struct request *request, struct upload_info *upload)
{
    struct err err = ERR_INIT;
    enum objects_status status =
        objects_upload_head(s3_objects(request), request->bucket, request->key,
                            request_parameter_text(request, "uploadId"), upload, &err);
    return status == OBJECTS_OK ? 0 : s3_fail(request, status, &err);
}

/* A checksum that the upload is not made for is verified and not kept. */
static int put_part(struct request *request, const struct upload_info *upload, struct objects_writer *writer,
                    int64_t number, struct part_info *part)
{
    struct err err = ERR_INIT;
    enum objects_status status = objects_upload_part(
        writer, request->bucket, request->key, upload->id, (int)number,
        objects_writer_checksum(writer, upload->checksum_kind), request->now_us / 1000, part, &err);
    return status == OBJECTS_OK ? 0 : s3_fail(request, status, &err);
}

void s3_upload_part(struct request *request)
{
    struct upload_info upload = {0};
    struct part_info part;
    int64_t number;
    if (part_number(request, &number) < 0 || find_upload(request, &upload) < 0)
        return;
    enum checksum_kind given = request->body_checksum_kind;
    bool explicit_kind = upload.checksum_kind != CHECKSUM_CRC64NVME;
    if (explicit_kind && given != CHECKSUM_NONE && given != upload.checksum_kind)
        request_fail(request, 400, "InvalidRequest",
                     "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
                     checksum_name(upload.checksum_kind), checksum_name(given));
    else if (explicit_kind && given == CHECKSUM_NONE && upload.checksum_composite &&
             upload.checksum_kind != CHECKSUM_NONE)
        request_fail(request, 400, "InvalidRequest",
                     "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum "
                     "Type: null",
                     checksum_name(upload.checksum_kind));
    else if (put_part(request, &upload, request->upload, number, &part) == 0) {
        request_reply_header_printf(request, "ETag", "\"%s\"", part.etag);
        if (given != CHECKSUM_NONE)
            request_reply_header(request, checksum_header(given), request->body_checksum);
        else if (part.checksum[0])
            request_reply_header(request, checksum_header(upload.checksum_kind), part.checksum);
    }
    upload_info_free(&upload);
}

static int copy_part(struct request *request, const struct upload_info *upload, int64_t number,
                     const char *bucket, const char *key)
{
    struct object_info info;
    struct part_info part = {0};
    struct err err = ERR_INIT;
    int fd;
    const char *range = request_header(request, "x-amz-copy-source-range");
    enum objects_status status = objects_get(s3_objects(request), bucket, key, &info, &fd, &err);
    if (status != OBJECTS_OK)
        return s3_fail(request, status, &err);
    int64_t from = 0, length = info.size;
    bool bad = false;
    int result = s3_copy_conditions(request, &info);
    if (result == 0 && range && (!s3_range(range, info.size, &from, &length, &bad) || bad))
        result = request_fail(request, 400, "InvalidArgument",
                              "The x-amz-copy-source-range value must be of the form bytes=first-last where "
                              "first and last are the "
                              "zero-based offsets of the first and last bytes to copy");
    if (result == 0 && length > OBJECTS_PUT_MAX)
        result = s3_fail(request, OBJECTS_TOO_LARGE, NULL);
    struct objects_writer *writer = result == 0 ? objects_writer_create(s3_objects(request), &err) : NULL;
    if (result == 0 && !writer)
        result = request_fail_internal(request, &err);
    if (writer) {
        if (upload->checksum_kind != CHECKSUM_NONE)
            objects_writer_want(writer, upload->checksum_kind);
        result = s3_copy_bytes(request, fd, from, length, writer);
        if (result == 0)
            result = put_part(request, upload, writer, number, &part);
        objects_writer_destroy(writer);
    }
    if (result == 0) {
        struct buf *out = request_reply_xml(request);
        buf_printf(out, "<CopyPartResult xmlns=\"%s\">", request->service->xmlns);
        s3_time_element(out, "LastModified", part.modified_ms);
        buf_printf(out, "<ETag>&quot;%s&quot;</ETag>", part.etag);
        if (part.checksum[0])
            xml_element(out, checksum_element(upload->checksum_kind), part.checksum);
        buf_text(out, "</CopyPartResult>");
    }
    close(fd);
    object_info_free(&info);
    return result;
}

void s3_upload_part_copy(struct request *request)
{
    struct upload_info upload = {0};
    const char *bucket, *key;
    int64_t number;
    if (part_number(request, &number) == 0 && s3_copy_source(request, &bucket, &key) == 0 &&
        find_upload(request, &upload) == 0)
        copy_part(request, &upload, number, bucket, key);
    upload_info_free(&upload);
}

/* ---- completing ------------------------------------------------------------------------------------- */

/* <CompleteMultipartUpload><Part><PartNumber/><ETag/><ChecksumCRC32/></Part>…; count 0: it is not that. A
 * checksum of another kind than the upload keeps was verified with its part and says nothing more. */
static struct part_info *read_parts(struct request *request, enum checksum_kind kept, size_t *count)
{
    struct xml *xml = request->body.length ? xml_read(request->body.data, request->body.length) : NULL;
    struct part_info *parts = mem_zero(OBJECTS_PARTS_MAX, sizeof *parts);
    bool good = xml && strcmp(xml_root(xml)->name, "CompleteMultipartUpload") == 0;
    *count = 0;
    for (const struct xml_node *node = good ? xml_root(xml)->child : NULL; node && good; node = node->next) {
        if (strcmp(node->name, "Part") != 0)
            continue;
        const char *number = xml_text(node, "PartNumber"), *etag = xml_text(node, "ETag");
        int64_t value;
        good = number && etag && *count < OBJECTS_PARTS_MAX &&
               text_parse_int(number, 1, OBJECTS_PARTS_MAX, &value);
        if (!good)
            break;
        struct part_info *part = &parts[(*count)++];
        part->number = (int)value;
        text_copy(part->etag, sizeof part->etag, s3_etag(request, etag));
        const char *checksum = kept != CHECKSUM_NONE ? xml_text(node, checksum_element(kept)) : NULL;
        if (checksum)
            text_copy(part->checksum, sizeof part->checksum, checksum);
    }
    xml_destroy(xml);
    if (!good)
        *count = 0;
    return parts;
}

/* What the client says the whole is, if it says. */
static int check_claims(struct request *request, const struct upload_info *upload)
{
    const char *type = request_header(request, "x-amz-checksum-type");
    if (type && upload->id[0] && strcmp(type, upload->checksum_composite ? "COMPOSITE" : "FULL_OBJECT") != 0)
        return request_fail(request, 400, "InvalidRequest",
                            "The upload was created using the %s checksum mode. The complete request must "
                            "use the same checksum mode.",
                            upload->checksum_composite ? "COMPOSITE" : "FULL_OBJECT");
    return 0;
}

void s3_complete_upload(struct request *request)
{
    struct objects_condition condition;
    struct upload_info upload = {0};
    struct object_info info = {0};
    struct err err = ERR_INIT;
    const char *id = request_parameter_text(request, "uploadId");
    if (s3_write_condition(request, &condition) < 0)
        return;
    enum objects_status status =
        objects_upload_head(s3_objects(request), request->bucket, request->key, id, &upload, &err);
    size_t count;
    struct part_info *parts = read_parts(request, upload.checksum_kind, &count);
    if (status != OBJECTS_OK && status != OBJECTS_NO_UPLOAD) {
        s3_fail(request, status, &err);
    } else if (count == 0) {
        request_fail(
            request, 400, "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema");
    } else if (check_claims(request, &upload) == 0) {
        if (upload.checksum_kind != CHECKSUM_NONE)
            condition.checksum = request_header(request, checksum_header(upload.checksum_kind));
        status = objects_upload_complete(s3_objects(request), request->bucket, request->key, id, parts, count,
                                         &condition, request->now_us / 1000, &info, &err);
        if (status != OBJECTS_OK) {
            s3_fail(request, status, &err);
        } else {
            struct buf *out = request_reply_xml(request);
            buf_printf(out, "<CompleteMultipartUploadResult xmlns=\"%s\"><Location>%s/%s/",
                       request->service->xmlns, request->base, request->bucket);
            xml_escape(out, request->key);
            buf_text(out, "</Location>");
            xml_element(out, "Bucket", request->bucket);
            xml_element(out, "Key", request->key);
            buf_printf(out, "<ETag>&quot;%s&quot;</ETag>", info.etag);
            s3_checksum_elements(out, info.checksum_kind, info.checksum, info.checksum_composite);
            buf_text(out, "</CompleteMultipartUploadResult>");
        }
    }
    object_info_free(&info);
    upload_info_free(&upload);
    free(parts);
}

void s3_abort_upload(struct request *request)
{
    struct err err = ERR_INIT;
    enum objects_status status = objects_upload_abort(s3_objects(request), request->bucket, request->key,
                                                      request_parameter_text(request, "uploadId"), &err);
    if (status != OBJECTS_OK)
        s3_fail(request, status, &err);
    else
        request->reply.status = 204;
}

/* ---- listing ---------------------------------------------------------------------------------------- */

struct part_page {
    struct buf parts;
    enum checksum_kind kind;
    int64_t limit, given;
    int last;
    bool more;
};

static bool add_part(void *context, const struct part_info *part)
{
    struct part_page *page = context;
    if (page->given == page->limit) {
        page->more = true;
        return false;
    }
    page->given++;
    page->last = part->number;
    buf_printf(&page->parts, "<Part><PartNumber>%d</PartNumber>", part->number);
    s3_time_element(&page->parts, "LastModified", part->modified_ms);
    buf_printf(&page->parts, "<ETag>&quot;%s&quot;</ETag><Size>%lld</Size>", part->etag,
               (long long)part->size);
    if (part->checksum[0] && page->kind != CHECKSUM_NONE)
        xml_element(&page->parts, checksum_element(page->kind), part->checksum);
    buf_text(&page->parts, "</Part>");
    return true;
}

static int page_limit(struct request *request, const char *name, int64_t *limit)
{
    const char *text = request_parameter(request, name);
    *limit = 1000;
    if (text && !text_parse_int(text, 0, INT32_MAX, limit))
        return request_fail(request, 400, "InvalidArgument",
                            "Provided %s not an integer or within integer range", name);
    *limit = *limit > 1000 ? 1000 : *limit;
    return 0;
}

#define OWNERS                                                                                               \
    "<Initiator><ID>0000000000000000000000000000000000000000000000000000000000000000</ID></Initiator>"       \
    "<Owner><ID>0000000000000000000000000000000000000000000000000000000000000000</ID></Owner>"

void s3_list_parts(struct request *request)
{
    struct upload_info upload = {0};
    struct part_page page = {0};
    struct err err = ERR_INIT;
    int64_t after = 0;
    const char *marker = request_parameter_text(request, "part-number-marker");
    if (page_limit(request, "max-parts", &page.limit) < 0 || find_upload(request, &upload) < 0)
        return;
    if (*marker && !text_parse_int(marker, 0, INT32_MAX, &after)) {
        upload_info_free(&upload);
        request_fail(request, 400, "InvalidArgument",
                     "Provided part-number-marker not an integer or within integer range");
        return;
    }
    page.kind = upload.checksum_kind;
    buf_init(&page.parts, REQUEST_XML_LIMIT);
    buf_text(&page.parts, "");
    enum objects_status status = objects_upload_parts(s3_objects(request), request->bucket, request->key,
                                                      upload.id, (int)after, add_part, &page, &err);
    if (status != OBJECTS_OK) {
        s3_fail(request, status, &err);
    } else {
        struct buf *out = request_reply_xml(request);
        buf_printf(out, "<ListPartsResult xmlns=\"%s\">", request->service->xmlns);
        xml_element(out, "Bucket", request->bucket);
        s3_key_element(request, out, "Key", request->key);
        xml_element(out, "UploadId", upload.id);
        buf_printf(out,
                   OWNERS "<StorageClass>STANDARD</StorageClass><PartNumberMarker>%lld</PartNumberMarker>",
                   (long long)after);
        if (page.more)
            buf_printf(out, "<NextPartNumberMarker>%d</NextPartNumberMarker>", page.last);
        buf_printf(out, "<MaxParts>%lld</MaxParts><IsTruncated>%s</IsTruncated>", (long long)page.limit,
                   page.more ? "true" : "false");
        if (upload.checksum_kind != CHECKSUM_NONE)
            buf_printf(out, "<ChecksumAlgorithm>%s</ChecksumAlgorithm><ChecksumType>%s</ChecksumType>",
                       checksum_name(upload.checksum_kind),
                       upload.checksum_composite ? "COMPOSITE" : "FULL_OBJECT");
        buf_append(out, page.parts.data, page.parts.length);
        buf_text(out, "</ListPartsResult>");
    }
    buf_free(&page.parts);
    upload_info_free(&upload);
}

struct upload_page {
    struct request *request;
    struct buf uploads, prefixes;
    const char *prefix, *delimiter, *key_marker;
    int64_t limit, given;
    char *last_key, *last_id, *last_prefix;
    bool more;
};

static void note_last(struct upload_page *page, const char *key, const char *id)
{
    free(page->last_key);
    free(page->last_id);
    page->last_key = mem_text(key);
    page->last_id = mem_text(id);
}

static bool add_upload(void *context, const struct upload_info *info)
{
    struct upload_page *page = context;
    const char *found = *page->delimiter ? strstr(info->key + strlen(page->prefix), page->delimiter) : NULL;
    char *common = NULL;
    bool given_before = false;
    if (found) {
        common = mem_text(info->key);
        common[(size_t)(found - info->key) + strlen(page->delimiter)] = '\0';
        given_before = (page->last_prefix && strcmp(page->last_prefix, common) == 0) ||
                       strcmp(common, page->key_marker) == 0;
    }
    if (!given_before && page->given == page->limit) {
        page->more = true;
        free(common);
        return false;
    }
    if (given_before) {
        free(common);
        return true;
    }
    page->given++;
    if (common) {
        buf_text(&page->prefixes, "<CommonPrefixes>");
        s3_key_element(page->request, &page->prefixes, "Prefix", common);
        buf_text(&page->prefixes, "</CommonPrefixes>");
        note_last(page, common, "");
        free(page->last_prefix);
        page->last_prefix = common;
        return true;
    }
    buf_text(&page->uploads, "<Upload>");
    s3_key_element(page->request, &page->uploads, "Key", info->key);
    xml_element(&page->uploads, "UploadId", info->id);
    buf_text(&page->uploads, OWNERS "<StorageClass>STANDARD</StorageClass>");
    s3_time_element(&page->uploads, "Initiated", info->created_ms);
    if (info->checksum_kind != CHECKSUM_NONE)
        buf_printf(&page->uploads, "<ChecksumAlgorithm>%s</ChecksumAlgorithm><ChecksumType>%s</ChecksumType>",
                   checksum_name(info->checksum_kind),
                   info->checksum_composite ? "COMPOSITE" : "FULL_OBJECT");
    buf_text(&page->uploads, "</Upload>");
    note_last(page, info->key, info->id);
    return true;
}

static void write_uploads(struct request *request, const struct upload_page *page, const char *id_marker)
{
    struct buf *out = request_reply_xml(request);
    buf_printf(out, "<ListMultipartUploadsResult xmlns=\"%s\">", request->service->xmlns);
    xml_element(out, "Bucket", request->bucket);
    s3_key_element(request, out, "KeyMarker", page->key_marker);
    xml_element(out, "UploadIdMarker", id_marker);
    if (page->more) {
        s3_key_element(request, out, "NextKeyMarker", page->last_key);
        xml_element(out, "NextUploadIdMarker", page->last_id);
    }
    s3_key_element(request, out, "Prefix", page->prefix);
    if (*page->delimiter)
        s3_key_element(request, out, "Delimiter", page->delimiter);
    if (request_parameter(request, "encoding-type"))
        buf_text(out, "<EncodingType>url</EncodingType>");
    buf_printf(out, "<MaxUploads>%lld</MaxUploads><IsTruncated>%s</IsTruncated>", (long long)page->limit,
               page->more ? "true" : "false");
    buf_append(out, page->uploads.data, page->uploads.length);
    buf_append(out, page->prefixes.data, page->prefixes.length);
    buf_text(out, "</ListMultipartUploadsResult>");
}

void s3_list_uploads(struct request *request)
{
    struct err err = ERR_INIT;
    struct upload_page page = {.request = request,
                               .prefix = request_parameter_text(request, "prefix"),
                               .delimiter = request_parameter_text(request, "delimiter"),
                               .key_marker = request_parameter_text(request, "key-marker")};
    const char *id_marker = page.key_marker[0] ? request_parameter_text(request, "upload-id-marker") : "";
    /* without an upload id all uploads of the marker's key are behind us: "g" comes after every id */
    const char *after_id = page.key_marker[0] && !*id_marker ? "g" : id_marker;
    if (page_limit(request, "max-uploads", &page.limit) < 0)
        return;
    buf_init(&page.uploads, REQUEST_XML_LIMIT);
    buf_init(&page.prefixes, REQUEST_XML_LIMIT);
    buf_text(&page.uploads, "");
    buf_text(&page.prefixes, "");
    enum objects_status status = objects_upload_list(s3_objects(request), request->bucket, page.prefix,
                                                     page.key_marker, after_id, add_upload, &page, &err);
    if (status != OBJECTS_OK)
        s3_fail(request, status, &err);
    else
        write_uploads(request, &page, id_marker);
    buf_free(&page.uploads);
    buf_free(&page.prefixes);
    free(page.last_key);
    free(page.last_id);
    free(page.last_prefix);
}
