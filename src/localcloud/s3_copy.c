#include "localcloud/s3.h"

#include "aws/sigv4.h"
#include "base/text.h"
#include "base/xml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* CopyObject, and what UploadPartCopy shares with it. */

int s3_copy_source(struct request *request, const char **bucket, const char **key)
{
    const char *source = request_header(request, "x-amz-copy-source");
    size_t length = strcspn(source, "?");
    struct buf plain;
    buf_init(&plain, 8192);
    buf_text(&plain, "");
    sigv4_decode(&plain, source, length, true);
    const char *text = plain.data + (plain.data[0] == '/'), *slash = strchr(text, '/');
    bool good = !plain.overflow && slash && slash > text && slash[1] && strlen(plain.data) == plain.length &&
                text_is_utf8(plain.data, plain.length) && strlen(slash + 1) <= OBJECTS_KEY_MAX;
    if (good) {
        *bucket = request_keep(request, text, (size_t)(slash - text));
        *key = request_keep(request, slash + 1, strlen(slash + 1));
    }
    buf_free(&plain);
    if (good && source[length] && strcmp(source + length, "?versionId=null") != 0)
        return request_fail(request, 400, "InvalidArgument", "Invalid version id specified");
    return good ? 0
                : request_fail(request, 400, "InvalidArgument",
                               "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
}

int s3_copy_conditions(struct request *request, const struct object_info *info)
{
    const char *match = request_header(request, "x-amz-copy-source-if-match");
    const char *none = request_header(request, "x-amz-copy-source-if-none-match");
    const char *since = request_header(request, "x-amz-copy-source-if-modified-since");
    const char *unmodified = request_header(request, "x-amz-copy-source-if-unmodified-since");
    int64_t seconds = 0, modified = info->modified_ms / 1000;
    bool failed = match && strcmp(match, "*") != 0 && strcmp(s3_etag(request, match), info->etag) != 0;
    if (!match)
        failed = unmodified && sigv4_parse_time(unmodified, &seconds) && modified > seconds;
    if (none)
        failed = failed || strcmp(none, "*") == 0 || strcmp(s3_etag(request, none), info->etag) == 0;
    else
        failed = failed || (since && sigv4_parse_time(since, &seconds) && modified <= seconds);
    return failed ? s3_fail(request, OBJECTS_PRECONDITION, NULL) : 0;
}

int s3_copy_bytes(struct request *request, int fd, int64_t from, int64_t length,
                  struct objects_writer *writer)
{
    size_t room = 256 * 1024;
    char *piece = mem_alloc(room);
    struct err err = ERR_INIT;
    int result = 0;
    while (length > 0 && result == 0) {
        ssize_t count = pread(fd, piece, (size_t)(length < (int64_t)room ? length : (int64_t)room), from);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            result = err_set_errno(&err, ERR_IO, count < 0 ? errno : EIO, "an object cannot be read");
        else
            result = objects_writer_write(writer, piece, (size_t)count, &err);
        from += count;
        length -= count;
    }
    if (result == 0)
        result = objects_writer_close(writer, &err);
    free(piece);
    return result < 0 ? request_fail_internal(request, &err) : 0;
}

/* COPY or REPLACE; -1 when it is neither. */
static int directive(struct request *request, const char *name, bool *replace)
{
    const char *text = request_header(request, name);
    *replace = text && strcmp(text, "REPLACE") == 0;
    if (!text || *replace || strcmp(text, "COPY") == 0)
        return 0;
    return request_fail(request, 400, "InvalidArgument", "Unknown %s directive.", name);
}

struct copy {
    const char *bucket, *key;
    struct object_info info;
    int fd;
    bool replace_headers, replace_tags;
    struct objects_put put;
    struct buf headers;
};

static int prepare(struct request *request, struct copy *copy)
{
    const char *algorithm = request_header(request, "x-amz-checksum-algorithm");
    if (directive(request, "x-amz-metadata-directive", &copy->replace_headers) < 0 ||
        directive(request, "x-amz-tagging-directive", &copy->replace_tags) < 0 ||
        s3_write_condition(request, &copy->put.condition) < 0 || s3_copy_conditions(request, &copy->info) < 0)
        return -1;
    if (strcmp(copy->bucket, request->bucket) == 0 && strcmp(copy->key, request->key) == 0 &&
        !copy->replace_headers && !request_header(request, "x-amz-storage-class"))
        return request_fail(
            request, 400, "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the "
            "object's metadata, storage class, website redirect location or encryption attributes.");
    if (copy->info.size > OBJECTS_PUT_MAX)
        return request_fail(
            request, 400, "InvalidRequest",
            "The specified copy source is larger than the maximum allowable size for a copy source: %lld",
            (long long)OBJECTS_PUT_MAX);
    copy->put.headers = copy->info.headers;
    if (copy->replace_headers) {
        if (s3_keep_headers(request, &copy->headers) < 0)
            return -1;
        copy->put.headers = copy->headers.data;
    }
    copy->put.tags = copy->info.tags;
    copy->put.tag_count = copy->info.tag_count;
    if (copy->replace_tags) {
        const char *tags = request_header(request, "x-amz-tagging");
        copy->put.tags = tags ? tags : "";
        if (s3_check_tags(request, copy->put.tags, &copy->put.tag_count) < 0)
            return -1;
    }
    copy->put.checksum_kind = algorithm ? checksum_kind_of(algorithm) : copy->info.checksum_kind;
    if (algorithm && copy->put.checksum_kind == CHECKSUM_NONE)
        return request_fail(request, 400, "InvalidRequest", "Checksum algorithm provided is unsupported.");
    if (copy->put.checksum_kind == CHECKSUM_NONE)
        copy->put.checksum_kind = CHECKSUM_CRC64NVME;
    copy->put.now_ms = request->now_us / 1000;
    return 0;
}

static void perform(struct request *request, struct copy *copy)
{
    struct err err = ERR_INIT;
    char etag[OBJECTS_ETAG_SIZE];
    struct objects_writer *writer = objects_writer_create(s3_objects(request), &err);
    if (!writer) {
        request_fail_internal(request, &err);
        return;
    }
    objects_writer_want(writer, copy->put.checksum_kind);
    if (s3_copy_bytes(request, copy->fd, 0, copy->info.size, writer) == 0) {
        enum objects_status status =
            objects_writer_commit(writer, request->bucket, request->key, &copy->put, etag, &err);
        if (status != OBJECTS_OK) {
            s3_fail(request, status, &err);
        } else {
            struct buf *out = request_reply_xml(request);
            buf_printf(out, "<CopyObjectResult xmlns=\"%s\">", request->service->xmlns);
            s3_time_element(out, "LastModified", copy->put.now_ms);
            buf_printf(out, "<ETag>&quot;%s&quot;</ETag>", etag);
            s3_checksum_elements(out, copy->put.checksum_kind,
                                 objects_writer_checksum(writer, copy->put.checksum_kind), false);
            buf_text(out, "</CopyObjectResult>");
        }
    }
    objects_writer_destroy(writer);
}

void s3_copy_object(struct request *request)
{
    struct copy copy = {.fd = -1};
    struct err err = ERR_INIT;
    buf_init(&copy.headers, 16384);
    if (s3_copy_source(request, &copy.bucket, &copy.key) < 0)
        return;
    enum objects_status status =
        objects_get(s3_objects(request), copy.bucket, copy.key, &copy.info, &copy.fd, &err);
    if (status != OBJECTS_OK) {
        s3_fail(request, status, &err);
        return;
    }
    if (prepare(request, &copy) == 0)
        perform(request, &copy);
    close(copy.fd);
    object_info_free(&copy.info);
    buf_free(&copy.headers);
}
