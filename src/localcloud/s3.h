/* Amazon S3: the table of operations, and what its files share. The semantics are those of the S3 API
 * reference; the store is objects.h. */
#ifndef SMARTCITY_LOCALCLOUD_S3_H
#define SMARTCITY_LOCALCLOUD_S3_H

#include "localcloud/objects.h"
#include "localcloud/request.h"
#include "localcloud/service.h"

extern const struct service service_s3;

#define S3_METADATA_MAX 2048 /* bytes of x-amz-meta-* names and values */
#define S3_TAGS_MAX     10

/* The handlers, by file. */
operation_fn s3_list_buckets, s3_create_bucket, s3_head_bucket, s3_delete_bucket, s3_bucket_location,
    s3_bucket_versioning;
operation_fn s3_list_objects, s3_list_objects_v2, s3_list_versions;
operation_fn s3_put_object, s3_get_object, s3_head_object, s3_delete_object, s3_delete_objects,
    s3_object_attributes;
operation_fn s3_copy_object;
operation_fn s3_get_tags, s3_put_tags, s3_delete_tags;
operation_fn s3_create_upload, s3_upload_part, s3_upload_part_copy, s3_complete_upload, s3_abort_upload,
    s3_list_parts, s3_list_uploads;

struct objects *s3_objects(const struct request *request);
/* The answer to a status that is not OBJECTS_OK. Returns -1. */
int s3_fail(struct request *request, enum objects_status status, const struct err *err);
/* "2026-01-12T08:14:32.000Z", as in S3's XML. */
void s3_time_element(struct buf *out, const char *name, int64_t ms);
/* "Mon, 12 Jan 2026 08:14:32 GMT" */
#define S3_HTTP_DATE_SIZE 30
char *s3_http_date(char out[S3_HTTP_DATE_SIZE], int64_t ms);
/* ETag without quotes and without "W/". */
const char *s3_etag(struct request *request, const char *text);
/* If-Match and If-None-Match of a write; -1 when the answer is made. */
int s3_write_condition(struct request *request, struct objects_condition *condition);

/* The headers to be kept with an object, from those of the request: content-type and its kin, x-amz-meta-*,
 * x-amz-storage-class. -1 when the answer is made. */
int s3_keep_headers(struct request *request, struct buf *out);
/* Gives them back. */
void s3_give_headers(struct request *request, const struct object_info *info);
/* Checks "a=1&b=2" of x-amz-tagging; *count tags. -1 when the answer is made. */
int s3_check_tags(struct request *request, const char *tags, int *count);
/* x-amz-checksum-… and x-amz-checksum-type. */
void s3_give_checksum(struct request *request, enum checksum_kind kind, const char *checksum, bool composite);
/* The same as elements. */
void s3_checksum_elements(struct buf *out, enum checksum_kind kind, const char *checksum, bool composite);

/* Range: bytes=…; false when it is to be ignored. *bad: it cannot be satisfied. */
bool s3_range(const char *text, int64_t size, int64_t *from, int64_t *length, bool *bad);
/* Puts key or prefix as an element, URL-encoded when encoding-type=url. */
void s3_key_element(struct request *request, struct buf *out, const char *name, const char *key);
/* "bucket/key" of x-amz-copy-source, decoded. -1 when the answer is made. */
int s3_copy_source(struct request *request, const char **bucket, const char **key);
/* x-amz-copy-source-if-*. -1 when the answer is made. */
int s3_copy_conditions(struct request *request, const struct object_info *info);
/* Copies from..from+length of fd into a writer. */
int s3_copy_bytes(struct request *request, int fd, int64_t from, int64_t length,
                  struct objects_writer *writer);

#endif
