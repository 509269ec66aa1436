/* Answers of S3 as values. What they hold is hostile: bounded, checked. */
#include "aws/s3.h"
#include "aws/sigv4.h"
#include "base/text.h"
#include "base/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* False when it does not fit: half a key is another key. */
static bool copy(char *out, size_t size, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    if (length >= size)
        return false;
    memcpy(out, text ? text : "", length);
    out[length] = '\0';
    return true;
}

/* With encoding-type=url; '+' is a blank there. */
static bool copy_decoded(char *out, size_t size, const char *text, bool encoded)
{
    if (!encoded)
        return copy(out, size, text);
    struct buf decoded;
    buf_init(&decoded, size - 1);
    buf_text(&decoded, "");
    sigv4_decode(&decoded, text, strlen(text), true);
    bool good =
        !decoded.overflow && !memchr(decoded.data, '\0', decoded.length) && copy(out, size, decoded.data);
    buf_free(&decoded);
    return good;
}

static int64_t size_of(const char *text)
{
    int64_t value;
    return text && text_parse_int(text, 0, INT64_MAX, &value) ? value : -1;
}

void aws_s3_object_read(const struct aws_answer *answer, struct aws_s3_object *object)
{
    char text[128], *slash;
    int64_t seconds;
    memset(object, 0, sizeof *object);
    object->size = -1;
    aws_answer_header(answer, "etag", object->etag, sizeof object->etag);
    if (aws_answer_header(answer, "content-range", text, sizeof text) && (slash = strrchr(text, '/')))
        object->size = size_of(slash + 1);
    else if (answer->status != 206 && aws_answer_header(answer, "content-length", text, sizeof text))
        object->size = size_of(text);
    if (aws_answer_header(answer, "last-modified", text, sizeof text) && sigv4_parse_time(text, &seconds))
        object->modified_ms = seconds * 1000;
    if (!aws_answer_header(answer, "x-amz-storage-class", object->storage_class,
                           sizeof object->storage_class))
        copy(object->storage_class, sizeof object->storage_class, "STANDARD");
    for (int kind = CHECKSUM_NONE + 1; kind < CHECKSUM_MD5 && !object->checksum[0]; kind++)
        if (aws_answer_header(answer, checksum_header((enum checksum_kind)kind), object->checksum,
                              sizeof object->checksum))
            object->checksum_kind = (enum checksum_kind)kind;
    if (object->etag[0])
        return;
    /* Copying and completing answer in XML. */
    struct xml *xml = answer->body.length > 0 ? xml_read(answer->body.data, answer->body.length) : NULL;
    const char *etag = xml ? xml_text(xml_root(xml), "ETag") : NULL;
    if (etag) {
        copy(object->etag, sizeof object->etag, etag);
        object->size = -1; /* the length was that of the XML */
    }
    xml_destroy(xml);
}

size_t aws_s3_delete_read(const struct aws_answer *answer, struct err *err)
{
    struct xml *xml = answer->body.data ? xml_read(answer->body.data, answer->body.length) : NULL;
    size_t failed = 0;
    if (!xml || strcmp(xml_root(xml)->name, "DeleteResult") != 0) {
        err_set(err, ERR_CORRUPT, "S3 DeleteObjects: the answer cannot be read");
        failed = 1;
    }
    for (const struct xml_node *node = xml ? xml_root(xml)->child : NULL; node; node = node->next) {
        if (strcmp(node->name, "Error") != 0)
            continue;
        const char *key = xml_text(node, "Key"), *code = xml_text(node, "Code");
        char harmless[200];
        if (failed++ > 0)
            continue;
        text_sanitise(harmless, sizeof harmless, key ? key : "", key ? strlen(key) : 0);
        err_set(err, ERR_REMOTE, "S3 DeleteObjects: %s: %.80s", harmless, code ? code : "");
    }
    xml_destroy(xml);
    return failed;
}

/* ---- lists ------------------------------------------------------------------------------------------ */

static size_t count_of(const struct xml_node *parent, const char *name)
{
    size_t count = 0;
    for (const struct xml_node *node = parent ? parent->child : NULL; node; node = node->next)
        count += strcmp(node->name, name) == 0;
    return count;
}

static int64_t time_of(const char *text)
{
    int64_t milliseconds;
    return text && text_parse_time(text, strlen(text), &milliseconds) ? milliseconds : 0;
}

static bool read_object(const struct xml_node *node, bool encoded, struct aws_s3_object *object)
{
    const char *key = xml_text(node, "Key"), *etag = xml_text(node, "ETag"),
               *kind = xml_text(node, "StorageClass");
    memset(object, 0, sizeof *object);
    object->size = size_of(xml_text(node, "Size"));
    object->modified_ms = time_of(xml_text(node, "LastModified"));
    return key && object->size >= 0 && copy_decoded(object->key, sizeof object->key, key, encoded) &&
           copy(object->etag, sizeof object->etag, etag) &&
           copy(object->storage_class, sizeof object->storage_class, kind);
}

static bool read_page(const struct xml_node *root, struct aws_s3_page *page)
{
    const char *encoding = xml_text(root, "EncodingType"), *truncated = xml_text(root, "IsTruncated");
    bool encoded = encoding && strcmp(encoding, "url") == 0;
    if (strcmp(root->name, "ListBucketResult") != 0)
        return false;
    page->objects = mem_zero(count_of(root, "Contents"), sizeof *page->objects);
    page->prefixes = mem_zero(count_of(root, "CommonPrefixes"), sizeof *page->prefixes);
    for (const struct xml_node *node = root->child; node; node = node->next) {
        if (strcmp(node->name, "Contents") == 0) {
            if (!read_object(node, encoded, &page->objects[page->object_count++]))
                return false;
        } else if (strcmp(node->name, "CommonPrefixes") == 0) {
            const char *prefix = xml_text(node, "Prefix");
            if (!prefix ||
                !copy_decoded(page->prefixes[page->prefix_count++], AWS_S3_KEY_SIZE, prefix, encoded))
                return false;
        }
    }
    page->truncated = truncated && strcmp(truncated, "true") == 0;
    return copy(page->continuation, sizeof page->continuation, xml_text(root, "NextContinuationToken")) &&
           (!page->truncated || page->continuation[0]);
}

static bool read_buckets(const struct xml_node *root, struct aws_s3_page *page)
{
    const struct xml_node *list = xml_child(root, "Buckets");
    if (strcmp(root->name, "ListAllMyBucketsResult") != 0)
        return false;
    page->objects = mem_zero(count_of(list, "Bucket"), sizeof *page->objects);
    for (const struct xml_node *node = list ? list->child : NULL; node; node = node->next) {
        if (strcmp(node->name, "Bucket") != 0)
            continue;
        struct aws_s3_object *bucket = &page->objects[page->object_count++];
        bucket->size = -1;
        bucket->modified_ms = time_of(xml_text(node, "CreationDate"));
        if (!copy(bucket->key, sizeof bucket->key, xml_text(node, "Name")) || !bucket->key[0])
            return false;
    }
    return true;
}

static int read_list(const struct aws_answer *answer,
                     bool (*read)(const struct xml_node *root, struct aws_s3_page *page),
                     struct aws_s3_page *page, struct err *err)
{
    memset(page, 0, sizeof *page);
    struct xml *xml = answer->body.data ? xml_read(answer->body.data, answer->body.length) : NULL;
    bool good = xml && read(xml_root(xml), page);
    xml_destroy(xml);
    return good ? 0 : err_set(err, ERR_CORRUPT, "S3: a list that cannot be read");
}

int aws_s3_page_read(const struct aws_answer *answer, struct aws_s3_page *page, struct err *err)
{
    return read_list(answer, read_page, page, err);
}

int aws_s3_buckets_read(const struct aws_answer *answer, struct aws_s3_page *page, struct err *err)
{
    return read_list(answer, read_buckets, page, err);
}

void aws_s3_page_free(struct aws_s3_page *page)
{
    free(page->objects);
    free(page->prefixes);
    memset(page, 0, sizeof *page);
}

/* ---- uploads ---------------------------------------------------------------------------------------- */

int aws_s3_upload_read(const struct aws_answer *answer, char id[AWS_S3_UPLOAD_SIZE], struct err *err)
{
    struct xml *xml = answer->body.data ? xml_read(answer->body.data, answer->body.length) : NULL;
    const char *text = xml ? xml_text(xml_root(xml), "UploadId") : NULL;
    bool good = text && *text && copy(id, AWS_S3_UPLOAD_SIZE, text);
    xml_destroy(xml);
    return good ? 0 : err_set(err, ERR_CORRUPT, "S3 CreateMultipartUpload: the answer has no upload id");
}

void aws_s3_part_read(const struct aws_answer *answer, int number, struct aws_s3_part *part)
{
    memset(part, 0, sizeof *part);
    part->number = number;
    aws_answer_header(answer, "etag", part->etag, sizeof part->etag);
    copy(part->checksum, sizeof part->checksum, answer->checksum);
}
