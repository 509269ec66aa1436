#include "localcloud/objects_private.h"

#include "base/clock.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDEX_VERSION 1

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS bucket (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_ms "
    "INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS object (bucket INTEGER NOT NULL, key TEXT NOT NULL, blob TEXT NOT NULL, size "
    "INTEGER NOT NULL,"
    " etag TEXT NOT NULL, modified_ms INTEGER NOT NULL, headers TEXT NOT NULL, tags TEXT NOT NULL, tag_count "
    "INTEGER NOT NULL,"
    " checksum_kind INTEGER NOT NULL, composite INTEGER NOT NULL, checksum TEXT NOT NULL, part_sizes TEXT "
    "NOT NULL,"
    " part_count INTEGER NOT NULL, upload TEXT NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS upload (bucket INTEGER NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, "
    "created_ms INTEGER NOT NULL,"
    " headers TEXT NOT NULL, tags TEXT NOT NULL, tag_count INTEGER NOT NULL, checksum_kind INTEGER NOT NULL,"
    " composite INTEGER NOT NULL, PRIMARY KEY (bucket, key, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS part (upload TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT NOT NULL, "
    "size INTEGER NOT NULL,"
    " etag TEXT NOT NULL, checksum TEXT NOT NULL, modified_ms INTEGER NOT NULL, PRIMARY KEY (upload, "
    "number)) WITHOUT ROWID;";

#define OBJECT_COLUMNS                                                                                       \
    "key, blob, size, etag, modified_ms, headers, tags, tag_count, checksum_kind, composite, checksum, "     \
    "part_sizes, "                                                                                           \
    "part_count, upload"

static const char *const TEXTS[STATEMENTS] = {
    [ST_BUCKET] = "SELECT id, created_ms FROM bucket WHERE name = ?",
    [ST_BUCKET_ADD] = "INSERT INTO bucket (name, created_ms) VALUES (?, ?)",
    [ST_BUCKET_REMOVE] = "DELETE FROM bucket WHERE id = ?",
    [ST_BUCKET_LIST] = "SELECT name, created_ms FROM bucket WHERE name > ? ORDER BY name",
    [ST_BUCKET_USED] = "SELECT EXISTS (SELECT 1 FROM object WHERE bucket = ?)",
    [ST_OBJECT] = "SELECT " OBJECT_COLUMNS " FROM object WHERE bucket = ? AND key = ?",
    [ST_OBJECT_PUT] = "INSERT OR REPLACE INTO object (bucket, " OBJECT_COLUMNS
                      ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [ST_OBJECT_REMOVE] = "DELETE FROM object WHERE bucket = ? AND key = ?",
    [ST_OBJECT_TAGS] = "UPDATE object SET tags = ?, tag_count = ? WHERE bucket = ? AND key = ?",
    [ST_LIST_BEHIND] = "SELECT " OBJECT_COLUMNS " FROM object WHERE bucket = ? AND key > ? ORDER BY key",
    [ST_LIST_FROM] = "SELECT " OBJECT_COLUMNS " FROM object WHERE bucket = ? AND key >= ? ORDER BY key",
    [ST_UPLOAD_ADD] = "INSERT INTO upload VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [ST_UPLOAD] =
        "SELECT key, id, created_ms, headers, tags, tag_count, checksum_kind, composite FROM upload "
        "WHERE bucket = ? AND key = ? AND id = ?",
    [ST_UPLOAD_REMOVE] = "DELETE FROM upload WHERE bucket = ? AND key = ? AND id = ?",
    [ST_UPLOAD_LIST] =
        "SELECT key, id, created_ms, headers, tags, tag_count, checksum_kind, composite FROM upload "
        "WHERE bucket = ? AND (key, id) > (?, ?) ORDER BY key, id",
    [ST_UPLOAD_PARTS_REMOVE] = "DELETE FROM part WHERE upload = ?",
    [ST_PART_PUT] = "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?)",
    [ST_PARTS] =
        "SELECT number, etag, size, modified_ms, checksum, blob FROM part WHERE upload = ? AND number > ? "
        "ORDER BY number",
    [ST_PART] = "SELECT blob FROM part WHERE upload = ? AND number = ?",
    [ST_BUCKET_PARTS] =
        "SELECT part.blob FROM upload JOIN part ON part.upload = upload.id WHERE upload.bucket = ?",
    [ST_BUCKET_UPLOADS_REMOVE] = "DELETE FROM upload WHERE bucket = ?",
    [ST_BUCKET_PARTS_REMOVE] = "DELETE FROM part WHERE upload IN (SELECT id FROM upload WHERE bucket = ?)",
};

struct sql_statement *objects_prepare(struct objects *objects, enum objects_statement which, struct err *err)
{
    if (!objects->statements[which])
        objects->statements[which] = sql_prepare(objects->db, TEXTS[which], err);
    return objects->statements[which];
}

int objects_run(struct objects *objects, enum objects_statement which, struct err *err)
{
    return sql_run(objects->statements[which], err);
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return memcmp(a, b, OBJECTS_BLOB_SIZE - 1);
}

/* The names of all blobs that a row names, sorted. */
static int read_known(struct objects *objects, struct buf *names, struct err *err)
{
    struct sql_statement *all =
        sql_prepare(objects->db, "SELECT blob FROM object UNION ALL SELECT blob FROM part", err);
    if (!all)
        return -1;
    int result;
    while ((result = sql_step(all, err)) == 1)
        if (sql_column_bytes(all, 0) == OBJECTS_BLOB_SIZE - 1)
            buf_append(names, sql_column_text(all, 0), OBJECTS_BLOB_SIZE - 1);
    sql_finalize(all);
    if (result == 0 && names->overflow)
        return err_set(err, ERR_LIMIT, "%s holds more objects than can be checked", objects->folder);
    if (names->length > 0)
        qsort(names->data, names->length / (OBJECTS_BLOB_SIZE - 1), OBJECTS_BLOB_SIZE - 1, compare_names);
    return result;
}

/* After a kill: removes blobs that no row names. */
static int sweep(struct objects *objects, struct err *err)
{
    struct buf known;
    char path[OBJECTS_PATH_SIZE];
    buf_init(&known, (size_t)1 << 33);
    buf_text(&known, "");
    if (read_known(objects, &known, err) < 0) {
        buf_free(&known);
        return -1;
    }
    for (int folder = 0; folder < 256; folder++) {
        snprintf(path, sizeof path, "%s/blobs/%02x", objects->folder, (unsigned)folder);
        DIR *directory = opendir(path);
        if (!directory)
            continue;
        const struct dirent *entry;
        while ((entry = readdir(directory)))
            if (strlen(entry->d_name) == OBJECTS_BLOB_SIZE - 1 &&
                (known.length == 0 ||
                 !bsearch(entry->d_name, known.data, known.length / (OBJECTS_BLOB_SIZE - 1),
                          OBJECTS_BLOB_SIZE - 1, compare_names)))
                unlinkat(dirfd(directory), entry->d_name, 0);
        closedir(directory);
    }
    buf_free(&known);
    return 0;
}

static int open_index(struct objects *objects, struct err *err)
{
    char path[OBJECTS_PATH_SIZE];
    int64_t version = 0, clean = 0;
    snprintf(path, sizeof path, "%s/index.sqlite", objects->folder);
    objects->db = sql_open(path, SQL_CREATE, 5000, err);
    if (!objects->db || sql_pragma(objects->db, "journal_mode", "WAL", err) < 0 ||
        sql_pragma(objects->db, "synchronous", "NORMAL", err) < 0 ||
        sql_pragma(objects->db, "cache_size", "-1000", err) < 0 || /* KiB */
        sql_pragma_int(objects->db, "user_version", &version, err) < 0)
        return -1;
    if (version > INDEX_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "%s was written by a newer version of smartcity", path);
    if (sql_exec(objects->db, SCHEMA, err) < 0 || sql_pragma(objects->db, "user_version", "1", err) < 0 ||
        sql_query_int(objects->db, "SELECT value FROM meta WHERE name = 'clean'", &clean, err) < 0)
        return -1;
    if (!clean && sweep(objects, err) < 0)
        return -1;
    return sql_exec(objects->db, "INSERT OR REPLACE INTO meta VALUES ('clean', 0)", err);
}

struct objects *objects_open(const char *folder, struct err *err)
{
    struct objects *objects = mem_zero(1, sizeof *objects);
    char path[OBJECTS_PATH_SIZE];
    pthread_mutex_init(&objects->lock, NULL);
    text_copy(objects->folder, sizeof objects->folder, folder);
    snprintf(path, sizeof path, "%s/blobs", objects->folder);
    if (getrandom(objects->seed, sizeof objects->seed, 0) != sizeof objects->seed)
        err_set_errno(err, ERR_IO, errno, "no random numbers");
    else if (file_make_dirs(path, err) == 0 && open_index(objects, err) == 0)
        return objects;
    objects_close(objects);
    return NULL;
}

void objects_close(struct objects *objects)
{
    if (!objects)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        sql_finalize(objects->statements[i]);
    if (objects->db)
        sql_exec(objects->db, "INSERT OR REPLACE INTO meta VALUES ('clean', 1)", NULL);
    sql_close(objects->db);
    pthread_mutex_destroy(&objects->lock);
    free(objects->dropped);
    free(objects);
}

/* ---- rows ------------------------------------------------------------------------------------------- */

static enum objects_status no_bucket(const char *bucket, struct err *err)
{
    err_set(err, ERR_NOT_FOUND, "there is no bucket %.63s", bucket);
    return OBJECTS_NO_BUCKET;
}

enum objects_status objects_bucket_id(struct objects *objects, const char *bucket, int64_t *id,
                                      struct err *err)
{
    if (bucket[0] && strcmp(bucket, objects->last_bucket) == 0) {
        *id = objects->last_bucket_id;
        return OBJECTS_OK;
    }
    struct sql_statement *statement = objects_prepare(objects, ST_BUCKET, err);
    if (!statement)
        return OBJECTS_FAILED;
    sql_bind_text(statement, 1, bucket, strlen(bucket));
    int result = sql_step(statement, err);
    if (result == 1) {
        *id = objects->last_bucket_id = sql_column_int(statement, 0);
        text_copy(objects->last_bucket, sizeof objects->last_bucket, bucket);
    }
    sql_reset(statement);
    return result == 1 ? OBJECTS_OK : result == 0 ? no_bucket(bucket, err) : OBJECTS_FAILED;
}

void objects_borrow_row(struct sql_statement *row, struct object_info *info)
{
    *info = (struct object_info){
        .key = (char *)sql_column_text(row, 0),
        .size = sql_column_int(row, 2),
        .modified_ms = sql_column_int(row, 4),
        .headers = (char *)sql_column_text(row, 5),
        .tags = (char *)sql_column_text(row, 6),
        .tag_count = (int)sql_column_int(row, 7),
        .checksum_kind = (enum checksum_kind)sql_column_int(row, 8),
        .checksum_composite = sql_column_int(row, 9) != 0,
        .parts = (char *)sql_column_text(row, 11),
        .part_count = (int)sql_column_int(row, 12),
    };
    text_copy(info->blob, sizeof info->blob, sql_column_text(row, 1));
    text_copy(info->etag, sizeof info->etag, sql_column_text(row, 3));
    text_copy(info->checksum, sizeof info->checksum, sql_column_text(row, 10));
    if (info->checksum_kind < CHECKSUM_NONE || info->checksum_kind >= CHECKSUM_KINDS)
        info->checksum_kind = CHECKSUM_NONE;
}

enum objects_status objects_row(struct objects *objects, int64_t bucket, const char *key,
                                struct object_info *info, char upload[OBJECTS_UPLOAD_SIZE], struct err *err)
{
    struct sql_statement *row = objects_prepare(objects, ST_OBJECT, err);
    if (!row)
        return OBJECTS_FAILED;
    sql_bind_int(row, 1, bucket);
    sql_bind_text(row, 2, key, strlen(key));
    int result = sql_step(row, err);
    memset(info, 0, sizeof *info);
    if (result == 1) {
        objects_borrow_row(row, info);
        info->key = mem_text(info->key);
        info->headers = mem_text(info->headers);
        info->tags = mem_text(info->tags);
        info->parts = mem_text(info->parts);
        if (upload)
            text_copy(upload, OBJECTS_UPLOAD_SIZE, sql_column_text(row, 13));
    }
    sql_reset(row);
    if (result == 0)
        err_set(err, ERR_NOT_FOUND, "there is no such object");
    return result == 1 ? OBJECTS_OK : result == 0 ? OBJECTS_NO_KEY : OBJECTS_FAILED;
}

int objects_row_put(struct objects *objects, int64_t bucket, const struct object_info *info,
                    const char *upload, struct err *err)
{
    struct sql_statement *put = objects_prepare(objects, ST_OBJECT_PUT, err);
    if (!put)
        return -1;
    sql_bind_int(put, 1, bucket);
    sql_bind_text(put, 2, info->key, strlen(info->key));
    sql_bind_text(put, 3, info->blob, strlen(info->blob));
    sql_bind_int(put, 4, info->size);
    sql_bind_text(put, 5, info->etag, strlen(info->etag));
    sql_bind_int(put, 6, info->modified_ms);
    sql_bind_text(put, 7, info->headers, strlen(info->headers));
    sql_bind_text(put, 8, info->tags, strlen(info->tags));
    sql_bind_int(put, 9, info->tag_count);
    sql_bind_int(put, 10, info->checksum_kind);
    sql_bind_int(put, 11, info->checksum_composite);
    sql_bind_text(put, 12, info->checksum, strlen(info->checksum));
    sql_bind_text(put, 13, info->parts, strlen(info->parts));
    sql_bind_int(put, 14, info->part_count);
    sql_bind_text(put, 15, upload, strlen(upload));
    return sql_run(put, err);
}

void object_info_free(struct object_info *info)
{
    free(info->key);
    free(info->headers);
    free(info->tags);
    free(info->parts);
    memset(info, 0, sizeof *info);
}

bool object_info_header(const struct object_info *info, const char *name, char *out, size_t size)
{
    size_t name_length = strlen(name);
    for (const char *at = info->headers; at && *at;) {
        size_t length = strcspn(at, "\n");
        if (length > name_length + 1 && strncmp(at, name, name_length) == 0 && at[name_length] == ':') {
            snprintf(out, size, "%.*s", (int)(length - name_length - 2), at + name_length + 2);
            return true;
        }
        at += length + (at[length] == '\n');
    }
    return false;
}

static bool etag_matches(const char *wanted, const char *etag)
{
    return strcmp(wanted, "*") == 0 || strcmp(wanted, etag) == 0;
}

/* info NULL: there is nothing under the key. */
enum objects_status objects_check(const struct objects_condition *condition, const struct object_info *info,
                                  struct err *err)
{
    if (condition->if_match && !info) {
        err_set(err, ERR_NOT_FOUND, "there is no such object");
        return OBJECTS_NO_KEY;
    }
    if ((condition->if_match && !etag_matches(condition->if_match, info->etag)) ||
        (condition->if_none_match && info && etag_matches(condition->if_none_match, info->etag))) {
        err_set(err, ERR_REMOTE, "the condition on the object does not hold");
        return OBJECTS_PRECONDITION;
    }
    return OBJECTS_OK;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

enum objects_status objects_head(struct objects *objects, const char *bucket, const char *key,
                                 struct object_info *info, struct err *err)
{
    int64_t id;
    memset(info, 0, sizeof *info);
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &id, err);
    if (status == OBJECTS_OK)
        status = objects_row(objects, id, key, info, NULL, err);
    pthread_mutex_unlock(&objects->lock);
    return status;
}

enum objects_status objects_get(struct objects *objects, const char *bucket, const char *key,
                                struct object_info *info, int *fd, struct err *err)
{
    /* Between the look-up and the open another thread may replace the object: then look again. */
    for (int attempt = 0; attempt < 100; attempt++) {
        char path[OBJECTS_PATH_SIZE];
        struct stat status;
        enum objects_status found = objects_head(objects, bucket, key, info, err);
        if (found != OBJECTS_OK)
            return found;
        *fd = open(objects_path(objects, info->blob, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (*fd >= 0 && fstat(*fd, &status) == 0 && status.st_size == info->size)
            return OBJECTS_OK;
        int code = errno;
        if (*fd >= 0) {
            close(*fd);
            err_set(err, ERR_CORRUPT,
                    "%s is not as long as the index says: restore it, or put the object again", path);
            object_info_free(info);
            return OBJECTS_FAILED;
        }
        object_info_free(info);
        err_set_errno(err, ERR_IO, code, "%s cannot be opened", path);
        if (code != ENOENT)
            return OBJECTS_FAILED;
    }
    return OBJECTS_FAILED;
}

enum objects_status objects_read(struct objects *objects, const char *bucket, const char *key,
                                 struct buf *bytes, struct err *err)
{
    struct object_info info;
    int fd;
    enum objects_status status = objects_get(objects, bucket, key, &info, &fd, err);
    if (status != OBJECTS_OK)
        return status;
    size_t size = (size_t)info.size;
    object_info_free(&info);
    if (!buf_reserve(bytes, size)) {
        err_set(err, ERR_LIMIT, "the object is larger than %zu bytes", bytes->limit);
        close(fd);
        return OBJECTS_TOO_LARGE;
    }
    for (size_t done = 0; done < size && status == OBJECTS_OK;) {
        ssize_t count = pread(fd, bytes->data + bytes->length, size - done, (off_t)done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            err_set_errno(err, ERR_IO, count < 0 ? errno : EIO, "an object cannot be read");
            status = OBJECTS_FAILED;
            break;
        }
        bytes->length += (size_t)count;
        done += (size_t)count;
    }
    bytes->data[bytes->length] = '\0';
    close(fd);
    return status;
}

enum objects_status objects_delete(struct objects *objects, const char *bucket, const char *key,
                                   struct err *err)
{
    int64_t id;
    struct object_info info = {0};
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &id, err);
    if (status == OBJECTS_OK)
        status = objects_row(objects, id, key, &info, NULL, err);
    if (status == OBJECTS_OK) {
        struct sql_statement *statement = objects_prepare(objects, ST_OBJECT_REMOVE, err);
        status = OBJECTS_FAILED;
        if (statement) {
            sql_bind_int(statement, 1, id);
            sql_bind_text(statement, 2, key, strlen(key));
            status = sql_run(statement, err) == 0 ? OBJECTS_OK : OBJECTS_FAILED;
        }
    }
    pthread_mutex_unlock(&objects->lock);
    if (status == OBJECTS_OK)
        objects_drop(objects, info.blob);
    object_info_free(&info);
    return status == OBJECTS_NO_KEY ? OBJECTS_OK : status;
}

enum objects_status objects_set_tags(struct objects *objects, const char *bucket, const char *key,
                                     const char *tags, int tag_count, struct err *err)
{
    int64_t id;
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &id, err);
    struct sql_statement *statement =
        status == OBJECTS_OK ? objects_prepare(objects, ST_OBJECT_TAGS, err) : NULL;
    if (statement) {
        sql_bind_text(statement, 1, tags, strlen(tags));
        sql_bind_int(statement, 2, tag_count);
        sql_bind_int(statement, 3, id);
        sql_bind_text(statement, 4, key, strlen(key));
        status = sql_run(statement, err) < 0     ? OBJECTS_FAILED
                 : sql_changes(objects->db) == 0 ? OBJECTS_NO_KEY
                                                 : OBJECTS_OK;
        if (status == OBJECTS_NO_KEY)
            err_set(err, ERR_NOT_FOUND, "there is no such object");
    } else if (status == OBJECTS_OK) {
        status = OBJECTS_FAILED;
    }
    pthread_mutex_unlock(&objects->lock);
    return status;
}
