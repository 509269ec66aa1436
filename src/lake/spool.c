/* A closed batch as files in the spool folder. */
#include "base/clock.h"
#include "base/text.h"
#include "lake/landing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_all(int fd, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            at += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

static int open_spool_file(const char *folder, const struct lake_batch_key *key, const char *what,
                           char path[FILE_PATH_SIZE], struct err *err)
{
    snprintf(path, FILE_PATH_SIZE, "%.250s/%s-%s-%" PRId32 "-%" PRId64 "-%" PRId64 ".%s", folder,
             event_topic(key->kind), key->cluster, key->partition, key->start, key->end, what);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    return fd;
}

/* Nothing is synced: what is lost with the power is read from Kafka again. */
static int close_spool_file(int fd, const char *path, bool failed, struct err *err)
{
    int code = failed ? errno : 0;
    if (close(fd) != 0 && !code)
        code = errno;
    return code ? err_set_errno(err, ERR_IO, code, "cannot write %s", path) : 0;
}

static int spool_frames(struct lake_item *item, const struct lake_batch *batch, const char *folder,
                        struct err *err)
{
    if (batch->frame_count == 0)
        return 0;
    int fd = open_spool_file(folder, &batch->key, "frames", item->frames_path, err);
    if (fd < 0)
        return -1;
    item->frames = mem_zero(batch->frame_count, sizeof *item->frames);
    int64_t offset = 0;
    bool failed = false;
    for (size_t i = 0; i < batch->frame_count && !failed; i++) {
        const struct lake_frame *frame = &batch->frames[i];
        struct lake_spooled_frame *spooled = &item->frames[i];
        *spooled = (struct lake_spooled_frame){
            .key = mem_text(frame->key), .offset = offset, .length = (int64_t)frame->length};
        text_copy(spooled->content_type, sizeof spooled->content_type, frame->content_type);
        item->intent.frames = (int64_t)i + 1;
        failed = write_all(fd, frame->bytes, frame->length) != 0;
        offset += spooled->length;
    }
    item->spool_bytes += offset;
    return close_spool_file(fd, item->frames_path, failed, err);
}

static int spool_quarantine(struct lake_item *item, const struct lake_batch *batch, const char *folder,
                            struct err *err)
{
    if (batch->quarantined == 0)
        return 0;
    int fd = open_spool_file(folder, &batch->key, "ndjson", item->quarantine_path, err);
    if (fd < 0)
        return -1;
    lake_layout_quarantine(item->intent.quarantine, &batch->key);
    item->quarantine_bytes = (int64_t)batch->quarantine.length;
    item->spool_bytes += item->quarantine_bytes;
    bool failed = write_all(fd, batch->quarantine.data, batch->quarantine.length) != 0;
    return close_spool_file(fd, item->quarantine_path, failed, err);
}

struct lake_item *lake_spool(struct lake_writer *writer, const struct lake_batch *batch, const char *folder,
                             const char *writer_id, struct err *err)
{
    struct lake_item *item = mem_zero(1, sizeof *item);
    struct lake_intent *intent = &item->intent;
    intent->key = batch->key;
    intent->created_ms = clock_wall_us() / 1000;
    intent->rows = batch->rows;
    intent->quarantined = (int64_t)batch->quarantined;
    intent->missing = (int64_t)batch->missing;
    text_copy(intent->writer, sizeof intent->writer, writer_id);
    lake_schema_id(batch->schema, intent->schema);
    item->opened_us = batch->opened_us;
    item->first_ms = batch->first_ms;
    item->last_ms = batch->last_ms;
    item->records = batch->records;

    struct lake_file *files = mem_alloc(LAKE_DAYS_MAX * sizeof *files);
    size_t count = 0;
    int result = lake_parquet_write(writer, batch, files, &count, err);
    intent->files = mem_zero(count + 1, sizeof *intent->files);
    for (size_t i = 0; i < count; i++) {
        struct lake_intent_file *file = &intent->files[intent->file_count++];
        text_copy(item->paths[i], sizeof item->paths[i], files[i].path);
        text_copy(file->key, sizeof file->key, files[i].key);
        text_copy(file->dt, sizeof file->dt, files[i].dt);
        text_copy(file->sha256, sizeof file->sha256, files[i].sha256);
        file->rows = files[i].rows;
        file->bytes = files[i].bytes;
        item->spool_bytes += files[i].bytes;
    }
    free(files);
    if (result == 0 && spool_frames(item, batch, folder, err) == 0 &&
        spool_quarantine(item, batch, folder, err) == 0)
        return item;
    lake_item_destroy(item);
    return NULL;
}

void lake_item_destroy(struct lake_item *item)
{
    if (!item)
        return;
    for (size_t i = 0; i < item->intent.file_count; i++)
        unlink(item->paths[i]);
    if (item->frames_path[0])
        unlink(item->frames_path);
    if (item->quarantine_path[0])
        unlink(item->quarantine_path);
    for (int64_t i = 0; item->frames && i < item->intent.frames; i++)
        free(item->frames[i].key);
    free(item->frames);
    lake_intent_free(&item->intent);
    free(item);
}
