#include "localcloud/s3.h"

#include "aws/sigv4.h"
#include "base/text.h"
#include "base/xml.h"

#include <stdlib.h>
#include <string.h>

/* ListObjects and ListObjectsV2. */

#define OWNER "<Owner><ID>0000000000000000000000000000000000000000000000000000000000000000</ID></Owner>"

struct page {
    struct request *request;
    struct buf entries, prefixes;
    bool owner;
    bool versions; /* elements of ListObjectVersions */
    size_t given;
    char *last; /* key or common prefix */
};

void s3_key_element(struct request *request, struct buf *out, const char *name, const char *key)
{
    if (strcmp(request_parameter_text(request, "encoding-type"), "url") != 0) {
        xml_element(out, name, key);
        return;
    }
    buf_printf(out, "<%s>", name);
    sigv4_encode(out, key, strlen(key), true);
    buf_printf(out, "</%s>", name);
}

static bool add_entry(void *context, const struct object_info *info, const char *common_prefix)
{
    struct page *page = context;
    char storage[40];
    page->given++;
    free(page->last);
    page->last = mem_text(info ? info->key : common_prefix);
    if (!info) {
        buf_text(&page->prefixes, "<CommonPrefixes>");
        s3_key_element(page->request, &page->prefixes, "Prefix", common_prefix);
        buf_text(&page->prefixes, "</CommonPrefixes>");
        return true;
    }
    struct buf *out = &page->entries;
    buf_text(out, page->versions ? "<Version>" : "<Contents>");
    s3_key_element(page->request, out, "Key", info->key);
    s3_time_element(out, "LastModified", info->modified_ms);
    buf_printf(out, "<ETag>&quot;%s&quot;</ETag>", info->etag);
    if (info->checksum_kind != CHECKSUM_NONE)
        buf_printf(out, "<ChecksumAlgorithm>%s</ChecksumAlgorithm><ChecksumType>%s</ChecksumType>",
                   checksum_name(info->checksum_kind),
                   info->checksum_composite ? "COMPOSITE" : "FULL_OBJECT");
    buf_printf(out, "<Size>%lld</Size>", (long long)info->size);
    if (page->owner)
        buf_text(out, OWNER);
    xml_element(out, "StorageClass",
                object_info_header(info, "x-amz-storage-class", storage, sizeof storage) ? storage
                                                                                         : "STANDARD");
    if (page->versions)
        buf_text(out, "<VersionId>null</VersionId><IsLatest>true</IsLatest>");
    buf_text(out, page->versions ? "</Version>" : "</Contents>");
    return true;
}

static int read_limit(struct request *request, int64_t *limit)
{
    const char *text = request_parameter(request, "max-keys");
    const char *encoding = request_parameter(request, "encoding-type");
    *limit = 1000;
    if (text && !text_parse_int(text, 0, INT32_MAX, limit)) {
        request_fail(request, 400, "InvalidArgument",
                     "Provided max-keys not an integer or within integer range");
        request_fail_member(request, "ArgumentName", json_string("max-keys"));
        request_fail_member(request, "ArgumentValue", json_string(text));
        return -1;
    }
    if (encoding && strcmp(encoding, "url") != 0)
        return request_fail(request, 400, "InvalidArgument", "Invalid Encoding Method specified in Request");
    if (*limit > 1000)
        *limit = 1000;
    return 0;
}

static int fill(struct request *request, struct page *page, const char *after, int64_t limit, bool *truncated)
{
    struct err err = ERR_INIT;
    struct objects_query query = {.prefix = request_parameter_text(request, "prefix"),
                                  .delimiter = request_parameter_text(request, "delimiter"),
                                  .after = after,
                                  .limit = (size_t)(limit ? limit : 1)};
    page->request = request;
    buf_init(&page->entries, REQUEST_XML_LIMIT);
    buf_init(&page->prefixes, REQUEST_XML_LIMIT);
    enum objects_status status =
        objects_list(s3_objects(request), request->bucket, &query, add_entry, page, truncated, &err);
    if (status != OBJECTS_OK)
        return s3_fail(request, status, &err);
    if (limit == 0) { /* S3 then says that there is nothing */
        page->given = 0;
        *truncated = false;
        buf_reset(&page->entries);
        buf_reset(&page->prefixes);
    }
    return 0;
}

static void finish(struct page *page, struct buf *out)
{
    if (page->entries.data)
        buf_append(out, page->entries.data, page->entries.length);
    if (page->prefixes.data)
        buf_append(out, page->prefixes.data, page->prefixes.length);
    buf_text(out, page->versions ? "</ListVersionsResult>" : "</ListBucketResult>");
}

static void free_page(struct page *page)
{
    buf_free(&page->entries);
    buf_free(&page->prefixes);
    free(page->last);
}

static void common_elements(struct request *request, struct buf *out, int64_t limit, bool truncated)
{
    xml_element(out, "Name", request->bucket);
    s3_key_element(request, out, "Prefix", request_parameter_text(request, "prefix"));
    if (request_parameter_text(request, "delimiter")[0])
        s3_key_element(request, out, "Delimiter", request_parameter(request, "delimiter"));
    if (request_parameter(request, "encoding-type"))
        buf_text(out, "<EncodingType>url</EncodingType>");
    buf_printf(out, "<MaxKeys>%lld</MaxKeys><IsTruncated>%s</IsTruncated>", (long long)limit,
               truncated ? "true" : "false");
}

void s3_list_objects(struct request *request)
{
    struct page page = {.owner = true};
    int64_t limit;
    bool truncated;
    if (read_limit(request, &limit) == 0 &&
        fill(request, &page, request_parameter_text(request, "marker"), limit, &truncated) == 0) {
        struct buf *out = request_reply_xml(request);
        buf_printf(out, "<ListBucketResult xmlns=\"%s\">", request->service->xmlns);
        common_elements(request, out, limit, truncated);
        s3_key_element(request, out, "Marker", request_parameter_text(request, "marker"));
        if (truncated && request_parameter_text(request, "delimiter")[0])
            s3_key_element(request, out, "NextMarker", page.last);
        finish(&page, out);
    }
    free_page(&page);
}

/* A token is the last key or prefix of the page before, "1" in front, in base64. NULL: it is none of ours. */
static const char *read_token(struct request *request, const char *token)
{
    size_t length = strlen(token);
    char *text = mem_alloc(text_base64_max(length) + 1);
    long count = length < 8 * OBJECTS_KEY_MAX ? text_base64_decode(text, token, length) : -1;
    const char *after = NULL;
    if (count > 1 && text[0] == '1' && !memchr(text, '\0', (size_t)count) &&
        text_is_utf8(text, (size_t)count))
        after = request_keep(request, text + 1, (size_t)count - 1);
    free(text);
    return after;
}

static void write_token(struct buf *out, const char *last)
{
    size_t length = strlen(last) + 1, size = text_base64_size(length);
    char *plain = mem_alloc(length + 1), *text = mem_alloc(size + 1);
    plain[0] = '1';
    memcpy(plain + 1, last, length);
    text_base64_encode(text, plain, length);
    text[size] = '\0';
    xml_element(out, "NextContinuationToken", text);
    free(plain);
    free(text);
}

void s3_list_objects_v2(struct request *request)
{
    const char *token = request_parameter(request, "continuation-token"),
               *after = request_parameter(request, "start-after");
    struct page page = {.owner = strcmp(request_parameter_text(request, "fetch-owner"), "true") == 0};
    int64_t limit;
    bool truncated;
    const char *from = token && *token ? read_token(request, token) : after ? after : "";
    if (!from) {
        request_fail(request, 400, "InvalidArgument", "The continuation token provided is incorrect");
        request_fail_member(request, "ArgumentName", json_string("continuation-token"));
        return;
    }
    if (read_limit(request, &limit) == 0 && fill(request, &page, from, limit, &truncated) == 0) {
        struct buf *out = request_reply_xml(request);
        buf_printf(out, "<ListBucketResult xmlns=\"%s\">", request->service->xmlns);
        common_elements(request, out, limit, truncated);
        buf_printf(out, "<KeyCount>%zu</KeyCount>", page.given);
        if (token)
            xml_element(out, "ContinuationToken", token);
        if (after)
            s3_key_element(request, out, "StartAfter", after);
        if (truncated)
            write_token(out, page.last);
        finish(&page, out);
    }
    free_page(&page);
}

/* Buckets here are never versioned: what S3 shows then is one version of each object, named "null". */
void s3_list_versions(struct request *request)
{
    struct page page = {.owner = true, .versions = true};
    int64_t limit;
    bool truncated;
    if (read_limit(request, &limit) == 0 &&
        fill(request, &page, request_parameter_text(request, "key-marker"), limit, &truncated) == 0) {
        struct buf *out = request_reply_xml(request);
        buf_printf(out, "<ListVersionsResult xmlns=\"%s\">", request->service->xmlns);
        common_elements(request, out, limit, truncated);
        s3_key_element(request, out, "KeyMarker", request_parameter_text(request, "key-marker"));
        xml_element(out, "VersionIdMarker", request_parameter_text(request, "version-id-marker"));
        if (truncated) {
            s3_key_element(request, out, "NextKeyMarker", page.last);
            buf_text(out, "<NextVersionIdMarker>null</NextVersionIdMarker>");
        }
        finish(&page, out);
    }
    free_page(&page);
}
