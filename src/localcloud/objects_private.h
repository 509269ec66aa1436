/* Shared by objects*.c alone. */
#ifndef SMARTCITY_LOCALCLOUD_OBJECTS_PRIVATE_H
#define SMARTCITY_LOCALCLOUD_OBJECTS_PRIVATE_H

#include "localcloud/objects.h"
#include "sql/sql.h"

#include <pthread.h>

enum objects_statement {
    ST_BUCKET,
    ST_BUCKET_ADD,
    ST_BUCKET_REMOVE,
    ST_BUCKET_LIST,
    ST_BUCKET_USED,
    ST_OBJECT,
    ST_OBJECT_PUT,
    ST_OBJECT_REMOVE,
    ST_OBJECT_TAGS,
    ST_LIST_BEHIND,
    ST_LIST_FROM,
    ST_UPLOAD_ADD,
    ST_UPLOAD,
    ST_UPLOAD_REMOVE,
    ST_UPLOAD_LIST,
    ST_UPLOAD_PARTS_REMOVE,
    ST_PART_PUT,
    ST_PARTS,
    ST_PART,
    ST_BUCKET_PARTS,
    ST_BUCKET_UPLOADS_REMOVE,
    ST_BUCKET_PARTS_REMOVE,
    STATEMENTS
};

struct objects_dropped {
    char blob[OBJECTS_BLOB_SIZE];
    uint64_t when;
};

struct objects {
    char folder[FILE_PATH_SIZE];
    pthread_mutex_t lock; /* of all below */
    struct sql_db *db;
    struct sql_statement *statements[STATEMENTS];
    unsigned char seed[32]; /* of blob names; with the counter */
    uint64_t blob_count;
    /* The bucket looked up last: nearly every request is to the same one. "" none. */
    char last_bucket[OBJECTS_BUCKET_MAX + 1];
    int64_t last_bucket_id;
    uint64_t clock; /* counts drops and leases */
    struct objects_lease *leases;
    struct objects_dropped *dropped; /* blobs to be removed when the leases have ended */
    size_t dropped_count, dropped_capacity;
};

struct objects_lease {
    struct objects *objects;
    uint64_t since;
    struct objects_lease *next;
};

struct objects_writer {
    struct objects *objects;
    char blob[OBJECTS_BLOB_SIZE];
    char path[OBJECTS_PATH_SIZE];
    int fd;
    bool closed, used;
    int64_t size;
    struct checksum *md5;
    struct checksum *wanted[CHECKSUM_KINDS];
    unsigned char md5_value[16];
    char texts[CHECKSUM_KINDS][CHECKSUM_TEXT_SIZE];
};

/* Prepared when first used. NULL with err. Lock held; sql_reset() it after use. */
struct sql_statement *objects_prepare(struct objects *objects, enum objects_statement which, struct err *err);
/* Runs one that returns no rows. */
int objects_run(struct objects *objects, enum objects_statement which, struct err *err);
/* The bucket's number; OBJECTS_NO_BUCKET. Lock held. */
enum objects_status objects_bucket_id(struct objects *objects, const char *bucket, int64_t *id,
                                      struct err *err);
/* The row under a key; strings are copied. Lock held. */
enum objects_status objects_row(struct objects *objects, int64_t bucket, const char *key,
                                struct object_info *info, char upload[OBJECTS_UPLOAD_SIZE], struct err *err);
/* Points into the statement: nothing is owned. */
void objects_borrow_row(struct sql_statement *row, struct object_info *info);
/* A row of the uploads; strings are copied. */
void objects_copy_upload(struct sql_statement *row, struct upload_info *info);
/* Writes the row. Lock held. */
int objects_row_put(struct objects *objects, int64_t bucket, const struct object_info *info,
                    const char *upload, struct err *err);
enum objects_status objects_check(const struct objects_condition *condition, const struct object_info *info,
                                  struct err *err);
/* A blob that no row names any more: removed now, or when the leases have ended. Lock not held. */
void objects_drop(struct objects *objects, const char *blob);
void objects_blob_name(struct objects *objects, char blob[OBJECTS_BLOB_SIZE]);
/* FOLDER/blobs/ab, made when absent. */
int objects_blob_folder(struct objects *objects, const char *blob, struct err *err);

#endif
