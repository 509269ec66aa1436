#include "localcloud/objects_private.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/*
 * Multipart uploads. Parts are blobs of their own. Completing copies them into one new blob (inside the
 * kernel, and without copying where the file system can share), outside of the lock, and then replaces upload
 * and object in one transaction; a kill before it leaves the upload as it was. An upload of one part takes
 * that part's blob as it is.
 */

void upload_info_free(struct upload_info *info)
{
    free(info->key);
    free(info->headers);
    free(info->tags);
    memset(info, 0, sizeof *info);
}

void objects_copy_upload(struct sql_statement *row, struct upload_info *info)
{
    *info = (struct upload_info){
        .key = mem_text(sql_column_text(row, 0)),
        .created_ms = sql_column_int(row, 2),
        .headers = mem_text(sql_column_text(row, 3)),
        .tags = mem_text(sql_column_text(row, 4)),
        .tag_count = (int)sql_column_int(row, 5),
        .checksum_kind = (enum checksum_kind)sql_column_int(row, 6),
        .checksum_composite = sql_column_int(row, 7) != 0,
    };
    if (info->checksum_kind < CHECKSUM_NONE || info->checksum_kind >= CHECKSUM_KINDS)
        info->checksum_kind = CHECKSUM_NONE;
    text_copy(info->id, sizeof info->id, sql_column_text(row, 1));
}

static enum objects_status no_upload(struct err *err)
{
    err_set(err, ERR_NOT_FOUND, "there is no such upload: it was completed or aborted, or never begun");
    return OBJECTS_NO_UPLOAD;
}

/* Lock held. info NULL: only whether it is there. */
static enum objects_status find_upload(struct objects *objects, int64_t bucket, const char *key,
                                       const char *id, struct upload_info *info, struct err *err)
{
    struct sql_statement *row = objects_prepare(objects, ST_UPLOAD, err);
    if (!row)
        return OBJECTS_FAILED;
    sql_bind_int(row, 1, bucket);
    sql_bind_text(row, 2, key, strlen(key));
    sql_bind_text(row, 3, id, strlen(id));
    int result = sql_step(row, err);
    if (result == 1 && info)
        objects_copy_upload(row, info);
    sql_reset(row);
    return result == 1 ? OBJECTS_OK : result == 0 ? no_upload(err) : OBJECTS_FAILED;
}

enum objects_status objects_upload_create(struct objects *objects, const char *bucket, const char *key,
                                          const struct objects_put *put, bool composite,
                                          char id[OBJECTS_UPLOAD_SIZE], struct err *err)
{
    unsigned char random[(OBJECTS_UPLOAD_SIZE - 1) / 2];
    int64_t number, now_ms = put->now_ms ? put->now_ms : clock_wall_us() / 1000;
    if (getrandom(random, sizeof random, 0) != sizeof random) {
        err_set_errno(err, ERR_IO, errno, "no random numbers");
        return OBJECTS_FAILED;
    }
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(id + 2 * i, 3, "%02x", random[i]);
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &number, err);
    struct sql_statement *add = status == OBJECTS_OK ? objects_prepare(objects, ST_UPLOAD_ADD, err) : NULL;
    if (add) {
        const char *headers = put->headers ? put->headers : "", *tags = put->tags ? put->tags : "";
        sql_bind_int(add, 1, number);
        sql_bind_text(add, 2, key, strlen(key));
        sql_bind_text(add, 3, id, strlen(id));
        sql_bind_int(add, 4, now_ms);
        sql_bind_text(add, 5, headers, strlen(headers));
        sql_bind_text(add, 6, tags, strlen(tags));
        sql_bind_int(add, 7, put->tag_count);
        sql_bind_int(add, 8, put->checksum_kind);
        sql_bind_int(add, 9, composite);
        status = sql_run(add, err) == 0 ? OBJECTS_OK : OBJECTS_FAILED;
    } else if (status == OBJECTS_OK) {
        status = OBJECTS_FAILED;
    }
    pthread_mutex_unlock(&objects->lock);
    return status;
}

enum objects_status objects_upload_head(struct objects *objects, const char *bucket, const char *key,
                                        const char *id, struct upload_info *info, struct err *err)
{
    int64_t number;
    memset(info, 0, sizeof *info);
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &number, err);
    if (status == OBJECTS_OK)
        status = find_upload(objects, number, key, id, info, err);
    pthread_mutex_unlock(&objects->lock);
    return status;
}

/* ---- parts ------------------------------------------------------------------------------------------ */

static int put_part(struct objects *objects, const char *id, const struct part_info *part, const char *blob,
                    char before[OBJECTS_BLOB_SIZE], struct err *err)
{
    struct sql_statement *old = objects_prepare(objects, ST_PART, err),
                         *put = objects_prepare(objects, ST_PART_PUT, err);
    if (!old || !put)
        return -1;
    sql_bind_text(old, 1, id, strlen(id));
    sql_bind_int(old, 2, part->number);
    int result = sql_step(old, err);
    if (result == 1)
        text_copy(before, OBJECTS_BLOB_SIZE, sql_column_text(old, 0));
    sql_reset(old);
    if (result < 0)
        return -1;
    sql_bind_text(put, 1, id, strlen(id));
    sql_bind_int(put, 2, part->number);
    sql_bind_text(put, 3, blob, strlen(blob));
    sql_bind_int(put, 4, part->size);
    sql_bind_text(put, 5, part->etag, strlen(part->etag));
    sql_bind_text(put, 6, part->checksum, strlen(part->checksum));
    sql_bind_int(put, 7, part->modified_ms);
    return sql_run(put, err);
}

enum objects_status objects_upload_part(struct objects_writer *writer, const char *bucket, const char *key,
                                        const char *id, int number, const char *checksum, int64_t now_ms,
                                        struct part_info *part, struct err *err)
{
    struct objects *objects = writer->objects;
    char before[OBJECTS_BLOB_SIZE] = "";
    int64_t bucket_id;
    if (objects_writer_close(writer, err) < 0)
        return OBJECTS_FAILED;
    *part = (struct part_info){.number = number, .size = writer->size, .modified_ms = now_ms};
    for (size_t i = 0; i < 16; i++)
        snprintf(part->etag + 2 * i, 3, "%02x", writer->md5_value[i]);
    text_copy(part->checksum, sizeof part->checksum, checksum);
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &bucket_id, err);
    if (status == OBJECTS_OK)
        status = find_upload(objects, bucket_id, key, id, NULL, err);
    if (status == OBJECTS_OK && put_part(objects, id, part, writer->blob, before, err) < 0)
        status = OBJECTS_FAILED;
    pthread_mutex_unlock(&objects->lock);
    if (status == OBJECTS_OK) {
        writer->used = true;
        if (before[0])
            objects_drop(objects, before);
    }
    return status;
}

static void read_part(struct sql_statement *row, struct part_info *part, char blob[OBJECTS_BLOB_SIZE])
{
    *part = (struct part_info){.number = (int)sql_column_int(row, 0),
                               .size = sql_column_int(row, 2),
                               .modified_ms = sql_column_int(row, 3)};
    text_copy(part->etag, sizeof part->etag, sql_column_text(row, 1));
    text_copy(part->checksum, sizeof part->checksum, sql_column_text(row, 4));
    if (blob)
        text_copy(blob, OBJECTS_BLOB_SIZE, sql_column_text(row, 5));
}

enum objects_status objects_upload_parts(struct objects *objects, const char *bucket, const char *key,
                                         const char *id, int after,
                                         bool (*each)(void *context, const struct part_info *part),
                                         void *context, struct err *err)
{
    int64_t bucket_id;
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &bucket_id, err);
    if (status == OBJECTS_OK)
        status = find_upload(objects, bucket_id, key, id, NULL, err);
    struct sql_statement *row = status == OBJECTS_OK ? objects_prepare(objects, ST_PARTS, err) : NULL;
    if (row) {
        int result;
        sql_bind_text(row, 1, id, strlen(id));
        sql_bind_int(row, 2, after);
        while ((result = sql_step(row, err)) == 1) {
            struct part_info part;
            read_part(row, &part, NULL);
            if (!each(context, &part))
                break;
        }
        sql_reset(row);
        status = result < 0 ? OBJECTS_FAILED : OBJECTS_OK;
    }
    pthread_mutex_unlock(&objects->lock);
    return status;
}

/* ---- completing ------------------------------------------------------------------------------------- */

struct stored_part {
    struct part_info info;
    char blob[OBJECTS_BLOB_SIZE];
};

struct stored_parts {
    struct stored_part *items;
    size_t count, capacity;
};

/* All parts that are there, in order. Lock held. */
static int load_parts(struct objects *objects, const char *id, struct stored_parts *parts, struct err *err)
{
    struct sql_statement *row = objects_prepare(objects, ST_PARTS, err);
    int result;
    if (!row)
        return -1;
    sql_bind_text(row, 1, id, strlen(id));
    sql_bind_int(row, 2, 0);
    while ((result = sql_step(row, err)) == 1) {
        if (parts->count == parts->capacity) {
            parts->capacity = parts->capacity ? parts->capacity * 2 : 32;
            parts->items = mem_resize(parts->items, parts->capacity, sizeof *parts->items);
        }
        struct stored_part *part = &parts->items[parts->count++];
        read_part(row, &part->info, part->blob);
    }
    sql_reset(row);
    return result;
}

static const struct stored_part *find_part(const struct stored_parts *parts, int number)
{
    for (size_t i = 0; i < parts->count; i++)
        if (parts->items[i].info.number == number)
            return &parts->items[i];
    return NULL;
}

/* What the client named against what is there; chosen receives the stored parts in the client's order. */
static enum objects_status choose_parts(const struct stored_parts *stored, const struct part_info *parts,
                                        size_t count, const struct stored_part **chosen, struct err *err)
{
    for (size_t i = 1; i < count; i++) {
        if (parts[i].number <= parts[i - 1].number) {
            err_set(err, ERR_REMOTE, "the parts are not in ascending order");
            return OBJECTS_PART_ORDER;
        }
    }
    for (size_t i = 0; i < count; i++) {
        chosen[i] = find_part(stored, parts[i].number);
        if (!chosen[i] || strcmp(chosen[i]->info.etag, parts[i].etag) != 0 ||
            (parts[i].checksum[0] && strcmp(chosen[i]->info.checksum, parts[i].checksum) != 0)) {
            err_set(err, ERR_REMOTE, "part %d is not there, or has another ETag or checksum",
                    parts[i].number);
            return OBJECTS_INVALID_PART;
        }
        if (i + 1 < count && chosen[i]->info.size < OBJECTS_PART_MIN) {
            err_set(err, ERR_REMOTE, "part %d is smaller than 5 MiB and not the last", parts[i].number);
            return OBJECTS_PART_TOO_SMALL;
        }
    }
    return OBJECTS_OK;
}

static int copy_blob(int to, const struct objects *objects, const struct stored_part *part, struct err *err)
{
    char path[OBJECTS_PATH_SIZE];
    int from = open(objects_path(objects, part->blob, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0)
        return err_set_errno(err, ERR_IO, errno, "a part cannot be read");
    bool by_hand = false;
    char *piece = NULL;
    int result = 0;
    for (int64_t left = part->info.size; left > 0 && result == 0;) {
        ssize_t count;
        if (!by_hand) {
            count = copy_file_range(from, NULL, to, NULL, (size_t)left, 0);
            if (count < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
                by_hand = true;
                piece = mem_alloc(1 << 20);
                continue;
            }
        } else {
            count = read(from, piece, 1 << 20);
            if (count > 0 && write(to, piece, (size_t)count) != count)
                count = -1;
        }
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            result = err_set_errno(err, ERR_IO, count < 0 ? errno : EIO, "the parts cannot be joined");
        left -= count;
    }
    free(piece);
    close(from);
    return result;
}

/* The new blob, named in info. */
static int join_blobs(struct objects *objects, const struct stored_part *const *chosen, size_t count,
                      struct object_info *info, struct err *err)
{
    char path[OBJECTS_PATH_SIZE];
    if (count == 1) {
        memcpy(info->blob, chosen[0]->blob, sizeof info->blob);
        return 0;
    }
    objects_blob_name(objects, info->blob);
    if (objects_blob_folder(objects, info->blob, err) < 0)
        return -1;
    int to = open(objects_path(objects, info->blob, path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
        result = 0;
    if (to < 0)
        return err_set_errno(err, ERR_IO, errno, "%s cannot be written", path);
    for (size_t i = 0; i < count && result == 0; i++)
        result = copy_blob(to, objects, chosen[i], err);
    close(to);
    if (result < 0)
        unlink(path);
    return result;
}

static int hex_pair(const char *text)
{
    static const char digits[] = "0123456789abcdef";
    const char *high = strchr(digits, text[0]), *low = strchr(digits, text[1]);
    return high && low ? (int)((high - digits) << 4 | (low - digits)) : 0;
}

/* ETag: the MD5 of the parts' MD5s, "-", their number. The checksum likewise, or joined when it is of the
 * whole. */
static void describe(const struct upload_info *upload, const struct stored_part *const *chosen, size_t count,
                     struct object_info *info, struct buf *sizes)
{
    struct checksum *md5 = checksum_create(CHECKSUM_MD5), *composite = checksum_create(upload->checksum_kind);
    unsigned char value[CHECKSUM_BYTES], of_part[64];
    uint64_t joined = 0;
    bool with_checksum = upload->checksum_kind != CHECKSUM_NONE;
    for (size_t i = 0; i < count; i++) {
        const struct part_info *part = &chosen[i]->info;
        for (size_t j = 0; j < 16; j++)
            value[j] = (unsigned char)hex_pair(part->etag + 2 * j);
        checksum_add(md5, value, 16);
        buf_printf(sizes, "%d:%lld:%s,", part->number, (long long)part->size, part->checksum);
        info->size += part->size;
        long length = strlen(part->checksum) < sizeof of_part
                          ? text_base64_decode(of_part, part->checksum, strlen(part->checksum))
                          : -1;
        with_checksum = with_checksum && length == (long)checksum_bytes(upload->checksum_kind);
        if (!with_checksum)
            continue;
        checksum_add(composite, of_part, (size_t)length);
        uint64_t crc = 0;
        for (long j = 0; j < length && j < 8; j++)
            crc = crc << 8 | of_part[j];
        joined = i == 0 ? crc
                 : checksum_can_join(upload->checksum_kind)
                     ? checksum_join(upload->checksum_kind, joined, crc, (uint64_t)part->size)
                     : 0;
    }
    checksum_end(md5, value);
    checksum_destroy(md5);
    for (size_t i = 0; i < 16; i++)
        snprintf(info->etag + 2 * i, 3, "%02x", value[i]);
    snprintf(info->etag + 32, sizeof info->etag - 32, "-%u", (unsigned)count);
    if (with_checksum) {
        size_t length = checksum_end(composite, value);
        if (!upload->checksum_composite)
            for (size_t i = 0; i < length; i++)
                value[i] = (unsigned char)(joined >> (8 * (length - 1 - i)));
        checksum_text(value, length, info->checksum);
        if (upload->checksum_composite) {
            size_t used = strlen(info->checksum);
            snprintf(info->checksum + used, sizeof info->checksum - used, "-%u", (unsigned)count);
        }
        info->checksum_kind = upload->checksum_kind;
        info->checksum_composite = upload->checksum_composite;
    }
    checksum_destroy(composite);
}

static int remove_upload(struct objects *objects, int64_t bucket, const char *key, const char *id,
                         struct err *err)
{
    struct sql_statement *upload = objects_prepare(objects, ST_UPLOAD_REMOVE, err),
                         *parts = objects_prepare(objects, ST_UPLOAD_PARTS_REMOVE, err);
    if (!upload || !parts)
        return -1;
    sql_bind_int(upload, 1, bucket);
    sql_bind_text(upload, 2, key, strlen(key));
    sql_bind_text(upload, 3, id, strlen(id));
    sql_bind_text(parts, 1, id, strlen(id));
    return sql_run(upload, err) < 0 || sql_run(parts, err) < 0 ? -1 : 0;
}

/* Is the only part, whose blob becomes the object's, still what it was? Lock held. */
static enum objects_status check_only_part(struct objects *objects, const char *id, int number,
                                           const struct object_info *info, struct err *err)
{
    struct sql_statement *row = objects_prepare(objects, ST_PART, err);
    if (!row)
        return OBJECTS_FAILED;
    sql_bind_text(row, 1, id, strlen(id));
    sql_bind_int(row, 2, number);
    int result = sql_step(row, err);
    bool same = result == 1 && strcmp(sql_column_text(row, 0), info->blob) == 0;
    sql_reset(row);
    if (result >= 0 && !same)
        err_set(err, ERR_REMOTE, "part %d was replaced meanwhile", number);
    return result < 0 ? OBJECTS_FAILED : same ? OBJECTS_OK : OBJECTS_INVALID_PART;
}

/* "sum" or "sum-3" against what we made of the parts. */
static bool keeps_promise(const char *promised, const char *checksum)
{
    size_t length = strlen(promised);
    return strncmp(promised, checksum, length) == 0 && (checksum[length] == '\0' || checksum[length] == '-');
}

/* In one transaction: the object in, the upload out. Lock held. */
static enum objects_status exchange(struct objects *objects, int64_t bucket, const char *id, int only_part,
                                    const struct object_info *info, const struct objects_condition *condition,
                                    struct object_info *before, struct err *err)
{
    enum objects_status status = find_upload(objects, bucket, info->key, id, NULL, err);
    if (status == OBJECTS_OK && info->part_count == 1)
        status = check_only_part(objects, id, only_part, info, err);
    if (status != OBJECTS_OK)
        return status;
    enum objects_status found = objects_row(objects, bucket, info->key, before, NULL, err);
    if (found == OBJECTS_FAILED)
        return found;
    status = objects_check(condition, found == OBJECTS_OK ? before : NULL, err);
    if (status != OBJECTS_OK)
        return status;
    if (condition->checksum && !keeps_promise(condition->checksum, info->checksum)) {
        err_set(err, ERR_REMOTE, "the object does not have the checksum that was promised");
        return OBJECTS_BAD_DIGEST;
    }
    if (sql_begin(objects->db, err) < 0)
        return OBJECTS_FAILED;
    if (objects_row_put(objects, bucket, info, id, err) == 0 &&
        remove_upload(objects, bucket, info->key, id, err) == 0 && sql_commit(objects->db, err) == 0)
        return OBJECTS_OK;
    sql_rollback(objects->db);
    return OBJECTS_FAILED;
}

/* The object under the key, when this upload made it. Lock held. */
static enum objects_status completed_before(struct objects *objects, int64_t bucket, const char *key,
                                            const char *id, struct object_info *info, struct err *err)
{
    char upload[OBJECTS_UPLOAD_SIZE];
    enum objects_status status = objects_row(objects, bucket, key, info, upload, err);
    if (status == OBJECTS_OK && strcmp(upload, id) == 0)
        return OBJECTS_OK;
    object_info_free(info);
    return status == OBJECTS_FAILED ? status : no_upload(err);
}

enum objects_status objects_upload_complete(struct objects *objects, const char *bucket, const char *key,
                                            const char *id, const struct part_info *parts, size_t count,
                                            const struct objects_condition *condition, int64_t now_ms,
                                            struct object_info *info, struct err *err)
{
    struct upload_info upload = {0};
    struct stored_parts stored = {0};
    struct object_info before = {0};
    int64_t bucket_id;
    memset(info, 0, sizeof *info);
    if (count == 0) {
        err_set(err, ERR_REMOTE, "no parts are named");
        return OBJECTS_INVALID_PART;
    }
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &bucket_id, err);
    if (status == OBJECTS_OK) {
        status = find_upload(objects, bucket_id, key, id, &upload, err);
        if (status == OBJECTS_NO_UPLOAD) {
            status = completed_before(objects, bucket_id, key, id, info, err);
            pthread_mutex_unlock(&objects->lock);
            return status;
        }
    }
    if (status == OBJECTS_OK && load_parts(objects, id, &stored, err) < 0)
        status = OBJECTS_FAILED;
    pthread_mutex_unlock(&objects->lock);

    /* The lease keeps the parts' blobs, should the upload be aborted meanwhile. */
    struct objects_lease *lease = objects_lease(objects);
    const struct stored_part **chosen = mem_zero(count + 1, sizeof *chosen);
    struct buf sizes;
    buf_init(&sizes, 1 << 20);
    buf_text(&sizes, "");
    if (status == OBJECTS_OK)
        status = choose_parts(&stored, parts, count, chosen, err);
    if (status == OBJECTS_OK && join_blobs(objects, chosen, count, info, err) < 0)
        status = OBJECTS_FAILED;
    if (status == OBJECTS_OK) {
        info->key = mem_text(key);
        info->modified_ms = now_ms;
        info->headers = mem_text(upload.headers);
        info->tags = mem_text(upload.tags);
        info->tag_count = upload.tag_count;
        info->part_count = (int)count;
        describe(&upload, chosen, count, info, &sizes);
        info->parts = mem_text(sizes.data);
        pthread_mutex_lock(&objects->lock);
        status = exchange(objects, bucket_id, id, parts[0].number, info, condition, &before, err);
        pthread_mutex_unlock(&objects->lock);
        if (status != OBJECTS_OK && count > 1)
            objects_drop(objects, info->blob);
        if (status == OBJECTS_NO_UPLOAD) { /* completed by another request while we copied? */
            object_info_free(info);
            pthread_mutex_lock(&objects->lock);
            status = completed_before(objects, bucket_id, key, id, info, err);
            pthread_mutex_unlock(&objects->lock);
        }
    }
    if (status == OBJECTS_OK) {
        for (size_t i = 0; i < stored.count; i++)
            if (strcmp(stored.items[i].blob, info->blob) != 0)
                objects_drop(objects, stored.items[i].blob);
        if (before.blob[0])
            objects_drop(objects, before.blob);
    } else {
        object_info_free(info);
    }
    objects_release(lease);
    object_info_free(&before);
    upload_info_free(&upload);
    buf_free(&sizes);
    free(chosen);
    free(stored.items);
    return status;
}

enum objects_status objects_upload_abort(struct objects *objects, const char *bucket, const char *key,
                                         const char *id, struct err *err)
{
    struct stored_parts stored = {0};
    int64_t bucket_id;
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &bucket_id, err);
    if (status == OBJECTS_OK)
        status = find_upload(objects, bucket_id, key, id, NULL, err);
    if (status == OBJECTS_OK &&
        (load_parts(objects, id, &stored, err) < 0 || sql_begin(objects->db, err) < 0))
        status = OBJECTS_FAILED;
    if (status == OBJECTS_OK &&
        (remove_upload(objects, bucket_id, key, id, err) < 0 || sql_commit(objects->db, err) < 0)) {
        sql_rollback(objects->db);
        status = OBJECTS_FAILED;
    }
    pthread_mutex_unlock(&objects->lock);
    for (size_t i = 0; status == OBJECTS_OK && i < stored.count; i++)
        objects_drop(objects, stored.items[i].blob);
    free(stored.items);
    return status;
}
