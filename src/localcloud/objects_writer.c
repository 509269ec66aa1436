#include "localcloud/objects_private.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* New blobs, and their commit under a key. */

static int open_blob(struct objects_writer *writer)
{
    return open(writer->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

struct objects_writer *objects_writer_create(struct objects *objects, struct err *err)
{
    struct objects_writer *writer = mem_zero(1, sizeof *writer);
    writer->objects = objects;
    objects_blob_name(objects, writer->blob);
    objects_path(objects, writer->blob, writer->path);
    writer->fd = open_blob(writer);
    if (writer->fd < 0 && errno == ENOENT && objects_blob_folder(objects, writer->blob, err) == 0)
        writer->fd = open_blob(writer);
    if (writer->fd < 0) {
        err_set_errno(err, ERR_IO, errno, "%s cannot be written", writer->path);
        free(writer);
        return NULL;
    }
    writer->md5 = checksum_create(CHECKSUM_MD5);
    return writer;
}

void objects_writer_want(struct objects_writer *writer, enum checksum_kind kind)
{
    if (!writer->wanted[kind])
        writer->wanted[kind] = checksum_create(kind);
}

static void add_checksums(struct objects_writer *writer, const void *bytes, size_t length)
{
    checksum_add(writer->md5, bytes, length);
    for (int kind = 0; kind < CHECKSUM_KINDS; kind++)
        if (writer->wanted[kind])
            checksum_add(writer->wanted[kind], bytes, length);
}

int objects_writer_write(struct objects_writer *writer, const void *bytes, size_t length, struct err *err)
{
    const char *at = bytes;
    add_checksums(writer, bytes, length);
    for (size_t left = length; left > 0;) {
        ssize_t count = write(writer->fd, at, left);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return err_set_errno(err, ERR_IO, errno, "an object cannot be written");
        at += count;
        left -= (size_t)count;
    }
    writer->size += (int64_t)length;
    return 0;
}

const char *objects_writer_path(const struct objects_writer *writer)
{
    return writer->path;
}

/* What an engine wrote into the file by itself. The path is opened anew, since the engine may have replaced
 * the file. */
static int read_back(struct objects_writer *writer, struct err *err)
{
    struct stat status;
    int fd = open(writer->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        int code = errno;
        if (fd >= 0)
            close(fd);
        return err_set_errno(err, ERR_IO, code, "what was written cannot be read back");
    }
    close(writer->fd);
    writer->fd = fd;
    size_t room = 256 * 1024;
    char *piece = mem_alloc(room);
    ssize_t count;
    while ((count = read(fd, piece, room)) > 0) {
        add_checksums(writer, piece, (size_t)count);
        writer->size += count;
    }
    int code = errno;
    free(piece);
    return count < 0 ? err_set_errno(err, ERR_IO, code, "what was written cannot be read back") : 0;
}

int objects_writer_close(struct objects_writer *writer, struct err *err)
{
    unsigned char value[CHECKSUM_BYTES];
    if (writer->closed)
        return 0;
    if (writer->size == 0 && read_back(writer, err) < 0)
        return -1;
    checksum_end(writer->md5, value);
    memcpy(writer->md5_value, value, sizeof writer->md5_value);
    for (int kind = 0; kind < CHECKSUM_KINDS; kind++) {
        if (writer->wanted[kind]) {
            size_t length = checksum_end(writer->wanted[kind], value);
            checksum_text(value, length, writer->texts[kind]);
        }
    }
    close(writer->fd);
    writer->fd = -1;
    writer->closed = true;
    return 0;
}

int64_t objects_writer_size(const struct objects_writer *writer)
{
    return writer->size;
}

void objects_writer_md5(const struct objects_writer *writer, unsigned char md5[16])
{
    memcpy(md5, writer->md5_value, 16);
}

const char *objects_writer_checksum(const struct objects_writer *writer, enum checksum_kind kind)
{
    return writer->texts[kind];
}

void objects_writer_destroy(struct objects_writer *writer)
{
    if (!writer)
        return;
    if (writer->fd >= 0)
        close(writer->fd);
    if (!writer->used)
        unlink(writer->path);
    checksum_destroy(writer->md5);
    for (int kind = 0; kind < CHECKSUM_KINDS; kind++)
        checksum_destroy(writer->wanted[kind]);
    free(writer);
}

static void hex_of(const unsigned char md5[16], char *out)
{
    for (size_t i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", md5[i]);
}

enum objects_status objects_writer_commit(struct objects_writer *writer, const char *bucket, const char *key,
                                          const struct objects_put *put, char etag[OBJECTS_ETAG_SIZE],
                                          struct err *err)
{
    static const struct objects_put plain = {0};
    struct objects *objects = writer->objects;
    struct object_info before = {0};
    int64_t id;
    put = put ? put : &plain;
    if (objects_writer_close(writer, err) < 0)
        return OBJECTS_FAILED;
    struct object_info info = {
        .key = (char *)key,
        .size = writer->size,
        .modified_ms = put->now_ms ? put->now_ms : clock_wall_us() / 1000,
        .headers = (char *)(put->headers ? put->headers : ""),
        .tags = (char *)(put->tags ? put->tags : ""),
        .tag_count = put->tag_count,
        .checksum_kind = put->checksum_kind,
        .parts = (char *)"",
    };
    memcpy(info.blob, writer->blob, sizeof info.blob);
    hex_of(writer->md5_value, info.etag);
    text_copy(info.checksum, sizeof info.checksum, writer->texts[put->checksum_kind]);
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &id, err), found = OBJECTS_NO_KEY;
    if (status == OBJECTS_OK)
        found = objects_row(objects, id, key, &before, NULL, err);
    if (found == OBJECTS_FAILED)
        status = OBJECTS_FAILED;
    if (status == OBJECTS_OK)
        status = objects_check(&put->condition, found == OBJECTS_OK ? &before : NULL, err);
    if (status == OBJECTS_OK && objects_row_put(objects, id, &info, "", err) < 0)
        status = OBJECTS_FAILED;
    pthread_mutex_unlock(&objects->lock);
    if (status == OBJECTS_OK) {
        writer->used = true;
        if (etag)
            memcpy(etag, info.etag, sizeof info.etag);
        if (found == OBJECTS_OK)
            objects_drop(objects, before.blob);
    }
    object_info_free(&before);
    return status;
}

enum objects_status objects_put(struct objects *objects, const char *bucket, const char *key,
                                const void *bytes, size_t length, const char *content_type, struct err *err)
{
    char headers[300];
    struct objects_put put = {.headers = headers};
    snprintf(headers, sizeof headers, "content-type: %s\n",
             content_type ? content_type : "binary/octet-stream");
    struct objects_writer *writer = objects_writer_create(objects, err);
    if (!writer)
        return OBJECTS_FAILED;
    enum objects_status status = objects_writer_write(writer, bytes, length, err) < 0
                                     ? OBJECTS_FAILED
                                     : objects_writer_commit(writer, bucket, key, &put, NULL, err);
    objects_writer_destroy(writer);
    return status;
}
