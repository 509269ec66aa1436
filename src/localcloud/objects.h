/*
 * The object store under the local cloud: buckets, objects, multipart uploads, tags.
 *
 * An object is a row in the index (SQLite) that names a blob: a file under FOLDER/blobs/ whose name is a
 * hash, never anything a client wrote. A blob is written whole before the row that names it is committed, and
 * never changed afterwards; so whoever reads sees the old object or the new one, and kill -9 at any moment
 * leaves one of them. Blobs that no row names (a kill between the two) are removed at the next open.
 *
 * Any thread may call anything here: one mutex guards the index, blobs are read and written outside of it.
 *
 * Engines that hand paths to DuckDB take a lease first. While it is held, no blob that was there when it
 * began is removed, whatever clients overwrite or delete:
 *
 *     struct objects_lease *lease = objects_lease(objects);
 *     objects_list(objects, "lake", &query, add_to_list, &files, &err);
 *     objects_path(objects, info->blob, path);      … read_parquet([path, …]) …
 *     objects_release(lease);
 */
#ifndef SMARTCITY_LOCALCLOUD_OBJECTS_H
#define SMARTCITY_LOCALCLOUD_OBJECTS_H

#include "base/buf.h"
#include "base/checksum.h"
#include "base/err.h"
#include "base/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct objects;

/* What the S3 API must tell apart; err is filled for every one but OBJECTS_OK. */
enum objects_status {
    OBJECTS_OK,
    OBJECTS_NO_BUCKET,
    OBJECTS_NO_KEY,
    OBJECTS_NO_UPLOAD,
    OBJECTS_BUCKET_EXISTS,
    OBJECTS_NOT_EMPTY,
    OBJECTS_PRECONDITION, /* If-Match, If-None-Match did not hold */
    OBJECTS_INVALID_PART,
    OBJECTS_PART_ORDER,
    OBJECTS_PART_TOO_SMALL,
    OBJECTS_TOO_LARGE,
    OBJECTS_BAD_DIGEST, /* not the checksum that was promised */
    OBJECTS_FAILED      /* the disk or the index */
};

#define OBJECTS_KEY_MAX    1024 /* bytes */
#define OBJECTS_BUCKET_MAX 63
#define OBJECTS_BLOB_SIZE  33          /* 32 hexadecimal digits */
#define OBJECTS_ETAG_SIZE  48          /* without quotes: 32 digits, "-10000" */
#define OBJECTS_OBJECT_MAX (5LL << 40) /* bytes; S3's limit of 5 TiB */
#define OBJECTS_PUT_MAX    (5LL << 30) /* one PUT or part */
#define OBJECTS_PART_MIN   (5LL << 20) /* every part but the last */
#define OBJECTS_PARTS_MAX  10000
#define OBJECTS_PATH_SIZE  (FILE_PATH_SIZE + 64)

/* FOLDER/index.sqlite and FOLDER/blobs/. The caller holds the owner lock of the folder. NULL on error. */
struct objects *objects_open(const char *folder, struct err *err);
void objects_close(struct objects *objects); /* NULL allowed; no lease and no writer may be left */

/* ---- buckets ---------------------------------------------------------------------------------------- */

struct bucket_info {
    char name[OBJECTS_BUCKET_MAX + 1];
    int64_t created_ms;
};

/* 3 to 63 of a-z 0-9 . -, as S3 wants them. */
bool objects_bucket_name_ok(const char *name);
enum objects_status objects_bucket_create(struct objects *objects, const char *bucket, int64_t now_ms,
                                          struct err *err);
enum objects_status objects_bucket_head(struct objects *objects, const char *bucket, struct bucket_info *info,
                                        struct err *err);
enum objects_status objects_bucket_delete(struct objects *objects, const char *bucket, struct err *err);
/* In the order of names, those after `after` ("" all). `each` returns false to stop. */
enum objects_status objects_bucket_list(struct objects *objects, const char *after,
                                        bool (*each)(void *context, const struct bucket_info *info),
                                        void *context, struct err *err);

/* ---- objects ---------------------------------------------------------------------------------------- */

/* Strings are owned by the info: object_info_free(). */
struct object_info {
    char *key;
    char blob[OBJECTS_BLOB_SIZE];
    char etag[OBJECTS_ETAG_SIZE];
    int64_t size;
    int64_t modified_ms;
    char *headers; /* "content-type: x\nx-amz-meta-a: b\n": what is given back on GET; lower-case names */
    char *tags;    /* "a=1&b=2", URL-encoded; "" none */
    int tag_count;
    enum checksum_kind checksum_kind; /* CHECKSUM_NONE: none was given */
    bool checksum_composite;          /* of the parts' checksums */
    char checksum[CHECKSUM_TEXT_SIZE];
    char *parts;    /* "1:8388608:AAAAAA==,2:12:," of a multipart object: number, size, checksum; "" else */
    int part_count; /* 0: not from a multipart upload */
};
void object_info_free(struct object_info *info); /* zeroes it, so that it may be freed again */

/* The value of a header in info->headers, into out; false when absent. */
bool object_info_header(const struct object_info *info, const char *name, char *out, size_t size);

enum objects_status objects_head(struct objects *objects, const char *bucket, const char *key,
                                 struct object_info *info, struct err *err);
/* The same, and a file descriptor to read it by, which stays good whatever happens to the key. */
enum objects_status objects_get(struct objects *objects, const char *bucket, const char *key,
                                struct object_info *info, int *fd, struct err *err);
/* Appends the whole object to `bytes`; OBJECTS_TOO_LARGE when it does not fit the buffer's limit. */
enum objects_status objects_read(struct objects *objects, const char *bucket, const char *key,
                                 struct buf *bytes, struct err *err);
/* An absent key is OBJECTS_OK, as in S3. */
enum objects_status objects_delete(struct objects *objects, const char *bucket, const char *key,
                                   struct err *err);
enum objects_status objects_set_tags(struct objects *objects, const char *bucket, const char *key,
                                     const char *tags, int tag_count, struct err *err);

/* ---- listing ---------------------------------------------------------------------------------------- */

struct objects_query {
    const char *prefix;    /* "" all */
    const char *delimiter; /* "" none */
    const char *after;     /* keys and common prefixes strictly behind this one; "" from the start */
    size_t limit;          /* keys and common prefixes together; 0: no limit */
};

/* `info` is NULL for a common prefix. Only key, blob, etag, size, modified_ms, headers and checksum are set.
 * Return false to stop. The index is locked meanwhile: do not call back into objects. */
typedef bool objects_each_fn(void *context, const struct object_info *info, const char *common_prefix);

/* In the order of UTF-8 bytes. *truncated (NULL allowed): the limit was reached and there is more. */
enum objects_status objects_list(struct objects *objects, const char *bucket,
                                 const struct objects_query *query, objects_each_fn *each, void *context,
                                 bool *truncated, struct err *err);

/* ---- reading by path -------------------------------------------------------------------------------- */

struct objects_lease;
struct objects_lease *objects_lease(struct objects *objects);
void objects_release(struct objects_lease *lease); /* NULL allowed */
/* The file of a blob, for as long as a lease holds that began before the blob was listed. Read it only. */
char *objects_path(const struct objects *objects, const char *blob, char path[OBJECTS_PATH_SIZE]);

/* ---- writing ---------------------------------------------------------------------------------------- */

/*
 * A writer is one new blob. Write to it in pieces, or take its path and let an engine write the file
 * (objects_writer_path), then commit it under a key, or add it as a part; or destroy it, and nothing was
 * written. A writer belongs to one thread at a time.
 */
struct objects_writer;
struct objects_writer *objects_writer_create(struct objects *objects, struct err *err);
/* Of the checksums wanted besides MD5; call before the first write. */
void objects_writer_want(struct objects_writer *writer, enum checksum_kind kind);
int objects_writer_write(struct objects_writer *writer, const void *bytes, size_t length, struct err *err);
/* The file, for an engine that writes it by itself; objects_writer_close() then reads it for its checksums.
 */
const char *objects_writer_path(const struct objects_writer *writer);
/* No more bytes; size, MD5 and checksums are known afterwards. Idempotent. */
int objects_writer_close(struct objects_writer *writer, struct err *err);
int64_t objects_writer_size(const struct objects_writer *writer);
void objects_writer_md5(const struct objects_writer *writer, unsigned char md5[16]);
/* "" when it was not wanted. Valid after the close. */
const char *objects_writer_checksum(const struct objects_writer *writer, enum checksum_kind kind);
void objects_writer_destroy(struct objects_writer *writer); /* NULL allowed */

/* Conditions on what is under the key now. */
struct objects_condition {
    const char *if_match;      /* an ETag without quotes, "*", or NULL */
    const char *if_none_match; /* the same */
    const char *checksum; /* completing an upload: what the whole must have, "-3" left out or not; NULL any */
};

struct objects_put {
    const char *headers; /* as object_info.headers; NULL none */
    const char *tags;    /* NULL none */
    int tag_count;
    enum checksum_kind checksum_kind; /* kept and given back; CHECKSUM_NONE none */
    struct objects_condition condition;
    int64_t now_ms; /* modification time; 0: the wall clock */
};

/* Makes the blob the object under the key, in one step. The writer is used up (still destroy it) when
 * OBJECTS_OK. etag (NULL allowed) receives the ETag. */
enum objects_status objects_writer_commit(struct objects_writer *writer, const char *bucket, const char *key,
                                          const struct objects_put *put, char etag[OBJECTS_ETAG_SIZE],
                                          struct err *err);
/* Writer, write, commit in one call, for what fits in memory. content_type NULL: binary/octet-stream. */
enum objects_status objects_put(struct objects *objects, const char *bucket, const char *key,
                                const void *bytes, size_t length, const char *content_type, struct err *err);

/* ---- multipart uploads ------------------------------------------------------------------------------ */

#define OBJECTS_UPLOAD_SIZE 65 /* upload ids are 64 hexadecimal digits */

struct upload_info {
    char *key;
    char id[OBJECTS_UPLOAD_SIZE];
    int64_t created_ms;
    char *headers, *tags;
    int tag_count;
    enum checksum_kind checksum_kind;
    bool checksum_composite;
};
void upload_info_free(struct upload_info *info);

struct part_info {
    int number; /* 1 to OBJECTS_PARTS_MAX */
    char etag[OBJECTS_ETAG_SIZE];
    int64_t size, modified_ms;
    char checksum[CHECKSUM_TEXT_SIZE];
};

enum objects_status objects_upload_create(struct objects *objects, const char *bucket, const char *key,
                                          const struct objects_put *put, bool composite,
                                          char id[OBJECTS_UPLOAD_SIZE], struct err *err);
enum objects_status objects_upload_head(struct objects *objects, const char *bucket, const char *key,
                                        const char *id, struct upload_info *info, struct err *err);
/* The writer becomes part `number`, replacing an earlier one. `checksum` is kept ("" none). */
enum objects_status objects_upload_part(struct objects_writer *writer, const char *bucket, const char *key,
                                        const char *id, int number, const char *checksum, int64_t now_ms,
                                        struct part_info *part, struct err *err);
enum objects_status objects_upload_parts(struct objects *objects, const char *bucket, const char *key,
                                         const char *id, int after,
                                         bool (*each)(void *context, const struct part_info *part),
                                         void *context, struct err *err);
/* `parts` as the client named them: number, ETag, checksum ("" not given). Completing an upload a second time
 * with the same parts gives the object that is there. info describes the new object. */
enum objects_status objects_upload_complete(struct objects *objects, const char *bucket, const char *key,
                                            const char *id, const struct part_info *parts, size_t count,
                                            const struct objects_condition *condition, int64_t now_ms,
                                            struct object_info *info, struct err *err);
enum objects_status objects_upload_abort(struct objects *objects, const char *bucket, const char *key,
                                         const char *id, struct err *err);
/* In the order of key, then of time; those behind (after_key, after_id). */
enum objects_status objects_upload_list(struct objects *objects, const char *bucket, const char *prefix,
                                        const char *after_key, const char *after_id,
                                        bool (*each)(void *context, const struct upload_info *info),
                                        void *context, struct err *err);

#endif
