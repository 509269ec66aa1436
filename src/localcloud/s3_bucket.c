#include "localcloud/s3.h"

#include "base/text.h"
#include "base/xml.h"

#include <stdlib.h>
#include <string.h>

/* Buckets. */

#define OWNER_ID "0000000000000000000000000000000000000000000000000000000000000000"

struct bucket_page {
    struct request *request;
    struct buf *out;
    const char *prefix;
    int64_t limit, given;
    char last[OBJECTS_BUCKET_MAX + 1];
    bool more;
};

static bool add_bucket(void *context, const struct bucket_info *info)
{
    struct bucket_page *page = context;
    if (strncmp(info->name, page->prefix, strlen(page->prefix)) != 0)
        return true;
    if (page->given == page->limit) {
        page->more = true;
        return false;
    }
    page->given++;
    text_copy(page->last, sizeof page->last, info->name);
    buf_text(page->out, "<Bucket>");
    xml_element(page->out, "Name", info->name);
    s3_time_element(page->out, "CreationDate", info->created_ms);
    xml_element(page->out, "BucketRegion", page->request->region);
    buf_text(page->out, "</Bucket>");
    return true;
}

void s3_list_buckets(struct request *request)
{
    const char *token = request_parameter(request, "continuation-token"),
               *limit = request_parameter(request, "max-buckets");
    const char *region = request_parameter(request, "bucket-region");
    struct bucket_page page = {
        .request = request, .prefix = request_parameter_text(request, "prefix"), .limit = 10000};
    struct err err = ERR_INIT;
    if (limit && !text_parse_int(limit, 1, 10000, &page.limit)) {
        request_fail(request, 400, "InvalidArgument", "max-buckets is a number from 1 to 10000");
        return;
    }
    page.out = request_reply_xml(request);
    buf_printf(page.out, "<ListAllMyBucketsResult xmlns=\"%s\"><Owner><ID>" OWNER_ID "</ID></Owner><Buckets>",
               request->service->xmlns);
    enum objects_status status = OBJECTS_OK;
    if (!region || strcmp(region, request->region) == 0)
        status = objects_bucket_list(s3_objects(request), token ? token : "", add_bucket, &page, &err);
    if (status != OBJECTS_OK) {
        s3_fail(request, status, &err);
        return;
    }
    buf_text(page.out, "</Buckets>");
    if (page.more)
        xml_element(page.out, "ContinuationToken", page.last);
    if (request_parameter(request, "prefix"))
        xml_element(page.out, "Prefix", page.prefix);
    buf_text(page.out, "</ListAllMyBucketsResult>");
}

/* The region asked for, "" for none; NULL when the XML is not that. */
static const char *wanted_region(struct request *request)
{
    if (request->body.length == 0)
        return "";
    struct xml *xml = xml_read(request->body.data, request->body.length);
    const char *region = NULL;
    if (xml && strcmp(xml_root(xml)->name, "CreateBucketConfiguration") == 0) {
        const char *text = xml_text(xml_root(xml), "LocationConstraint");
        region = request_keep(request, text ? text : "", text ? strlen(text) : 0);
    }
    xml_destroy(xml);
    return region;
}

void s3_create_bucket(struct request *request)
{
    struct err err = ERR_INIT;
    const char *region = wanted_region(request);
    bool first_region = strcmp(request->region, "us-east-1") == 0;
    if (!region) {
        request_fail(
            request, 400, "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema");
        return;
    }
    if (!objects_bucket_name_ok(request->bucket)) {
        request_fail(request, 400, "InvalidBucketName", "The specified bucket is not valid.");
        return;
    }
    if (first_region ? *region && strcmp(region, "us-east-1") != 0 : strcmp(region, request->region) != 0) {
        if (first_region)
            request_fail(request, 400, "InvalidLocationConstraint",
                         "The specified location-constraint is not valid");
        else
            request_fail(request, 400, "IllegalLocationConstraintException",
                         "The %s location constraint is incompatible for the region specific endpoint this "
                         "request was sent to.",
                         *region ? region : "unspecified");
        return;
    }
    enum objects_status status =
        objects_bucket_create(s3_objects(request), request->bucket, request->now_us / 1000, &err);
    if (status != OBJECTS_OK && !(status == OBJECTS_BUCKET_EXISTS && first_region)) {
        s3_fail(request, status, &err); /* us-east-1 says yes to the owner */
        return;
    }
    request_reply_header_printf(request, "Location", "/%s", request->bucket);
}

void s3_head_bucket(struct request *request)
{
    struct bucket_info info;
    struct err err = ERR_INIT;
    enum objects_status status = objects_bucket_head(s3_objects(request), request->bucket, &info, &err);
    if (status != OBJECTS_OK)
        s3_fail(request, status, &err);
    else
        request_reply_header(request, "x-amz-bucket-region", request->region);
}

void s3_delete_bucket(struct request *request)
{
    struct err err = ERR_INIT;
    enum objects_status status = objects_bucket_delete(s3_objects(request), request->bucket, &err);
    if (status != OBJECTS_OK)
        s3_fail(request, status, &err);
    else
        request->reply.status = 204;
}

static bool bucket_is_there(struct request *request)
{
    struct bucket_info info;
    struct err err = ERR_INIT;
    enum objects_status status = objects_bucket_head(s3_objects(request), request->bucket, &info, &err);
    if (status != OBJECTS_OK)
        s3_fail(request, status, &err);
    return status == OBJECTS_OK;
}

void s3_bucket_location(struct request *request)
{
    if (!bucket_is_there(request))
        return;
    struct buf *out = request_reply_xml(request);
    bool first_region = strcmp(request->region, "us-east-1") == 0;
    buf_printf(out, "<LocationConstraint xmlns=\"%s\">%s</LocationConstraint>", request->service->xmlns,
               first_region ? "" : request->region);
}

void s3_bucket_versioning(struct request *request)
{
    if (bucket_is_there(request))
        buf_printf(request_reply_xml(request), "<VersioningConfiguration xmlns=\"%s\"/>",
                   request->service->xmlns);
}
