/*
 * Amazon S3. Submits return a call (client.h); readers turn an answer into values. For AWS the bucket stands
 * in the host name (but for names with a dot, which no certificate covers), for any other endpoint in the
 * path.
 *
 * Sources: the API reference of S3; conditional writes: its user guide, "Conditional requests".
 */
#ifndef SMARTCITY_AWS_S3_H
#define SMARTCITY_AWS_S3_H

#include "aws/client.h"
#include "base/checksum.h"

#define AWS_S3_KEY_SIZE    1025
#define AWS_S3_ETAG_SIZE   80
#define AWS_S3_UPLOAD_SIZE 256 /* of an upload's id */
#define AWS_S3_PARTS_MAX   10000
#define AWS_S3_PART_MIN    (5 << 20)
#define AWS_S3_DELETE_MAX  1000

/* What goes with every request on a bucket. */
struct aws_s3_options {
    const char *owner;          /* x-amz-expected-bucket-owner: twelve digits; NULL not checked */
    const char *encryption;     /* "AES256", "aws:kms", "aws:kms:dsse"; NULL the bucket's own */
    const char *encryption_key; /* of KMS; NULL AWS's */
    struct aws_group *group;
    const char *origin; /* of aws_request */
    int64_t timeout_us;
};

/* ---- objects ---------------------------------------------------------------------------------------- */

struct aws_s3_put {
    const char *bucket, *key;
    struct aws_body body;
    const char *content_type;    /* NULL: application/octet-stream */
    bool if_absent;              /* If-None-Match: *; the answer is 412 when it is there, 409 when two race */
    const char *if_match;        /* an ETag; NULL none */
    enum checksum_kind checksum; /* CHECKSUM_NONE: CRC32. SHA256 costs nothing more */
    const struct aws_header *metadata; /* names without x-amz-meta- */
    size_t metadata_count;
};

struct aws_call *aws_s3_put(struct aws_client *client, const struct aws_s3_put *put,
                            const struct aws_s3_options *options, aws_done_fn *done, void *context,
                            struct err *err);

struct aws_s3_get {
    const char *bucket, *key;
    int64_t from, length; /* a range; length 0: all of it; from < 0: the last -from bytes */
    const char *if_match; /* NULL none */
    struct aws_sink sink;
};

struct aws_call *aws_s3_get(struct aws_client *client, const struct aws_s3_get *get,
                            const struct aws_s3_options *options, aws_done_fn *done, void *context,
                            struct err *err);
struct aws_call *aws_s3_head(struct aws_client *client, const char *bucket, const char *key,
                             const struct aws_s3_options *options, aws_done_fn *done, void *context,
                             struct err *err);

/* Of the answer to a put, get, head, copy or complete. */
struct aws_s3_object {
    char key[AWS_S3_KEY_SIZE];
    char etag[AWS_S3_ETAG_SIZE]; /* with its quotation marks */
    int64_t size;                /* -1 unknown; of the whole object, also for a range */
    int64_t modified_ms;         /* 0 unknown */
    enum checksum_kind checksum_kind;
    char checksum[CHECKSUM_TEXT_SIZE];
    char storage_class[32];
};
void aws_s3_object_read(const struct aws_answer *answer, struct aws_s3_object *object);

struct aws_call *aws_s3_delete(struct aws_client *client, const char *bucket, const char *key,
                               const struct aws_s3_options *options, aws_done_fn *done, void *context,
                               struct err *err);
/* At most AWS_S3_DELETE_MAX keys. A success may hold failures of single keys: aws_s3_delete_read(). */
struct aws_call *aws_s3_delete_many(struct aws_client *client, const char *bucket, const char *const *keys,
                                    size_t count, const struct aws_s3_options *options, aws_done_fn *done,
                                    void *context, struct err *err);
/* How many of them failed; the first failure in err. */
size_t aws_s3_delete_read(const struct aws_answer *answer, struct err *err);
/* Within the service, up to 5 GB. if_absent as for a put. */
struct aws_call *aws_s3_copy(struct aws_client *client, const char *from_bucket, const char *from_key,
                             const char *to_bucket, const char *to_key, bool if_absent,
                             const struct aws_s3_options *options, aws_done_fn *done, void *context,
                             struct err *err);

/* ---- lists and buckets ------------------------------------------------------------------------------ */

struct aws_s3_list {
    const char *bucket;
    const char *prefix, *delimiter, *start_after; /* NULL none */
    const char *continuation;                     /* of the page before; NULL the first */
    int max;                                      /* keys a page, 1 to 1000; 0: 1000 */
};
struct aws_call *aws_s3_list(struct aws_client *client, const struct aws_s3_list *list,
                             const struct aws_s3_options *options, aws_done_fn *done, void *context,
                             struct err *err);

struct aws_s3_page {
    struct aws_s3_object *objects; /* key, etag, size, modified, storage class */
    size_t object_count;
    char (*prefixes)[AWS_S3_KEY_SIZE];
    size_t prefix_count;
    bool truncated;
    char continuation[1100];
};
/* 0, or -1 and ERR_CORRUPT. Free it either way. */
int aws_s3_page_read(const struct aws_answer *answer, struct aws_s3_page *page, struct err *err);
void aws_s3_page_free(struct aws_s3_page *page);

struct aws_call *aws_s3_list_buckets(struct aws_client *client, const struct aws_s3_options *options,
                                     aws_done_fn *done, void *context, struct err *err);
/* Names and times; as objects, key is the name. Free with aws_s3_page_free(). */
int aws_s3_buckets_read(const struct aws_answer *answer, struct aws_s3_page *page, struct err *err);
struct aws_call *aws_s3_head_bucket(struct aws_client *client, const char *bucket,
                                    const struct aws_s3_options *options, aws_done_fn *done, void *context,
                                    struct err *err);
/* In the client's region. BucketAlreadyOwnedByYou is an error here; the caller decides. */
struct aws_call *aws_s3_create_bucket(struct aws_client *client, const char *bucket,
                                      const struct aws_s3_options *options, aws_done_fn *done, void *context,
                                      struct err *err);

/* ---- uploads in parts ------------------------------------------------------------------------------- */

struct aws_call *aws_s3_upload_create(struct aws_client *client, const struct aws_s3_put *put,
                                      const struct aws_s3_options *options, aws_done_fn *done, void *context,
                                      struct err *err);
int aws_s3_upload_read(const struct aws_answer *answer, char id[AWS_S3_UPLOAD_SIZE], struct err *err);

struct aws_s3_part {
    int number; /* 1 to AWS_S3_PARTS_MAX */
    char etag[AWS_S3_ETAG_SIZE];
    char checksum[CHECKSUM_TEXT_SIZE];
};
/* put->body is the part's. */
struct aws_call *aws_s3_upload_part(struct aws_client *client, const struct aws_s3_put *put, const char *id,
                                    int number, const struct aws_s3_options *options, aws_done_fn *done,
                                    void *context, struct err *err);
void aws_s3_part_read(const struct aws_answer *answer, int number, struct aws_s3_part *part);
/* put->if_absent and if_match apply here. S3 may answer 200 and then an error: the call fails with it. */
struct aws_call *aws_s3_upload_complete(struct aws_client *client, const struct aws_s3_put *put,
                                        const char *id, const struct aws_s3_part *parts, size_t count,
                                        const struct aws_s3_options *options, aws_done_fn *done,
                                        void *context, struct err *err);
struct aws_call *aws_s3_upload_abort(struct aws_client *client, const char *bucket, const char *key,
                                     const char *id, const struct aws_s3_options *options, aws_done_fn *done,
                                     void *context, struct err *err);

/* ---- for worker threads: they block ----------------------------------------------------------------- */

struct aws_s3_send {
    int64_t part_bytes;  /* 0: 16 MiB, more when the file has more than 10,000 of them */
    size_t parallel;     /* parts at once; 0: 4 */
    int64_t deadline_us; /* monotonic; 0 none */
    void (*progress)(void *context, int64_t sent, int64_t total); /* NULL none */
    void *progress_context;
};
/* Puts, in one request or, above one part, as an upload of parallel parts, which is aborted when it fails.
 * object (NULL allowed) receives size, ETag and checksum, size and checksum also when it failed: of what was
 * to be put. err with the code in *code (80 bytes; NULL allowed), so that 412 and 409 can be told from
 * others: "PreconditionFailed", "ConditionalRequestConflict". send NULL: as said. */
int aws_s3_put_wait(struct aws_client *client, const struct aws_s3_put *put,
                    const struct aws_s3_options *options, const struct aws_s3_send *send,
                    struct aws_s3_object *object, char *code, struct err *err);
/* Puts what must be there once: if_absent, and when it is there already with the same content (by checksum,
 * or by its bytes where the server keeps none), that is a success too (*existed). Another content is
 * ERR_BUSY, not retriable: somebody else wrote it. */
int aws_s3_put_once_wait(struct aws_client *client, const struct aws_s3_put *put,
                         const struct aws_s3_options *options, const struct aws_s3_send *send, bool *existed,
                         struct aws_s3_object *object, struct err *err);
/* The whole object into a buffer (its limit counts), or into a file: under a temporary name beside it, then
 * renamed.
 */
int aws_s3_get_wait(struct aws_client *client, const char *bucket, const char *key,
                    const struct aws_s3_options *options, int64_t deadline_us, struct buf *out,
                    struct aws_s3_object *object, struct err *err);
int aws_s3_get_file_wait(struct aws_client *client, const char *bucket, const char *key, const char *path,
                         const struct aws_s3_options *options, int64_t deadline_us,
                         struct aws_s3_object *object, struct err *err);
/* ERR_NOT_FOUND when it is not there. */
int aws_s3_head_wait(struct aws_client *client, const char *bucket, const char *key,
                     const struct aws_s3_options *options, int64_t deadline_us, struct aws_s3_object *object,
                     struct err *err);
/* Every object of a prefix, page by page, in order; `each` returns false to end. */
int aws_s3_list_wait(struct aws_client *client, const struct aws_s3_list *list,
                     const struct aws_s3_options *options, int64_t deadline_us,
                     bool (*each)(void *context, const struct aws_s3_object *object), void *context,
                     struct err *err);
/* Makes it when it is not there. *made (NULL allowed). */
int aws_s3_bucket_wait(struct aws_client *client, const char *bucket, const struct aws_s3_options *options,
                       int64_t deadline_us, bool *made, struct err *err);

#endif
