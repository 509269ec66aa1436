#include "localcloud/objects_private.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Buckets of the object store. */

static bool looks_like_address(const char *name)
{
    int dots = 0;
    for (; *name; name++) {
        if (*name != '.' && (*name < '0' || *name > '9'))
            return false;
        dots += *name == '.';
    }
    return dots == 3;
}

bool objects_bucket_name_ok(const char *name)
{
    static const char *const refused[] = {"xn--", "sthree-", "amzn-s3-demo-"};
    size_t length = strlen(name);
    if (length < 3 || length > OBJECTS_BUCKET_MAX || looks_like_address(name) || strstr(name, "..") ||
        strstr(name, ".-") || strstr(name, "-."))
        return false;
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != length)
        return false;
    if (name[0] == '.' || name[0] == '-' || name[length - 1] == '.' || name[length - 1] == '-')
        return false;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strncmp(name, refused[i], strlen(refused[i])) == 0)
            return false;
    return length < 9 || strcmp(name + length - 8, "-s3alias") != 0;
}

enum objects_status objects_bucket_create(struct objects *objects, const char *bucket, int64_t now_ms,
                                          struct err *err)
{
    int64_t id;
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &id, err);
    if (status == OBJECTS_OK) {
        err_set(err, ERR_BUSY, "the bucket %.63s is there already", bucket);
        status = OBJECTS_BUCKET_EXISTS;
    } else if (status == OBJECTS_NO_BUCKET) {
        struct sql_statement *add = objects_prepare(objects, ST_BUCKET_ADD, err);
        status = OBJECTS_FAILED;
        if (add) {
            sql_bind_text(add, 1, bucket, strlen(bucket));
            sql_bind_int(add, 2, now_ms);
            status = sql_run(add, err) == 0 ? OBJECTS_OK : OBJECTS_FAILED;
        }
    }
    pthread_mutex_unlock(&objects->lock);
    return status;
}

enum objects_status objects_bucket_head(struct objects *objects, const char *bucket, struct bucket_info *info,
                                        struct err *err)
{
    pthread_mutex_lock(&objects->lock);
    int64_t id;
    enum objects_status status = objects_bucket_id(objects, bucket, &id, err);
    struct sql_statement *row = status == OBJECTS_OK ? objects_prepare(objects, ST_BUCKET, err) : NULL;
    if (row) {
        sql_bind_text(row, 1, bucket, strlen(bucket));
        status = sql_step(row, err) == 1 ? OBJECTS_OK : OBJECTS_FAILED;
        text_copy(info->name, sizeof info->name, bucket);
        info->created_ms = status == OBJECTS_OK ? sql_column_int(row, 1) : 0;
        sql_reset(row);
    }
    pthread_mutex_unlock(&objects->lock);
    return status;
}

/* The blobs of unfinished uploads, which go with the bucket. */
static int collect_parts(struct objects *objects, int64_t id, struct buf *blobs, struct err *err)
{
    struct sql_statement *parts = objects_prepare(objects, ST_BUCKET_PARTS, err);
    int result;
    if (!parts)
        return -1;
    sql_bind_int(parts, 1, id);
    while ((result = sql_step(parts, err)) == 1)
        buf_append(blobs, sql_column_text(parts, 0), OBJECTS_BLOB_SIZE);
    sql_reset(parts);
    return result;
}

static int run_on_bucket(struct objects *objects, enum objects_statement which, int64_t id, struct err *err)
{
    struct sql_statement *statement = objects_prepare(objects, which, err);
    if (!statement)
        return -1;
    sql_bind_int(statement, 1, id);
    return sql_run(statement, err);
}

enum objects_status objects_bucket_delete(struct objects *objects, const char *bucket, struct err *err)
{
    int64_t id, used = 1;
    struct buf blobs;
    buf_init(&blobs, (size_t)1 << 30);
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &id, err);
    struct sql_statement *row = status == OBJECTS_OK ? objects_prepare(objects, ST_BUCKET_USED, err) : NULL;
    if (row) {
        sql_bind_int(row, 1, id);
        used = sql_step(row, err) == 1 ? sql_column_int(row, 0) : 1;
        sql_reset(row);
        status = OBJECTS_FAILED;
        if (used) {
            err_set(err, ERR_BUSY, "the bucket %.63s is not empty", bucket);
            status = OBJECTS_NOT_EMPTY;
        } else if (collect_parts(objects, id, &blobs, err) == 0 && sql_begin(objects->db, err) == 0) {
            objects->last_bucket[0] = '\0';
            if (run_on_bucket(objects, ST_BUCKET_PARTS_REMOVE, id, err) == 0 &&
                run_on_bucket(objects, ST_BUCKET_UPLOADS_REMOVE, id, err) == 0 &&
                run_on_bucket(objects, ST_BUCKET_REMOVE, id, err) == 0 && sql_commit(objects->db, err) == 0)
                status = OBJECTS_OK;
            else
                sql_rollback(objects->db);
        }
    }
    pthread_mutex_unlock(&objects->lock);
    for (size_t at = 0; status == OBJECTS_OK && at < blobs.length; at += OBJECTS_BLOB_SIZE)
        objects_drop(objects, blobs.data + at);
    buf_free(&blobs);
    return status;
}

enum objects_status objects_bucket_list(struct objects *objects, const char *after,
                                        bool (*each)(void *context, const struct bucket_info *info),
                                        void *context, struct err *err)
{
    pthread_mutex_lock(&objects->lock);
    struct sql_statement *row = objects_prepare(objects, ST_BUCKET_LIST, err);
    int result = -1;
    if (row) {
        sql_bind_text(row, 1, after, strlen(after));
        while ((result = sql_step(row, err)) == 1) {
            struct bucket_info info = {.created_ms = sql_column_int(row, 1)};
            text_copy(info.name, sizeof info.name, sql_column_text(row, 0));
            if (!each(context, &info))
                break;
        }
        sql_reset(row);
    }
    pthread_mutex_unlock(&objects->lock);
    return result < 0 ? OBJECTS_FAILED : OBJECTS_OK;
}
