#include "localcloud/glue_crawl_private.h"

#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a crawl reads: the footer of a Parquet file, the first megabytes of JSON lines. Blobs are read by
 * path, under a lease. */

#define PARQUET_TAIL 65536
#define FOOTER_MAX   (16u << 20)
#define JSON_SAMPLE  (4u << 20)
#define FILES_MAX    1000000

int glue_crawl_fail(struct glue_crawl *crawl, const char *text)
{
    if (!crawl->result->failed)
        text_copy(crawl->result->error, sizeof crawl->result->error, text);
    crawl->result->failed = true;
    return -1;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* Up to `size` bytes from `from`; how many. */
static size_t read_piece(int fd, int64_t from, size_t size, struct buf *bytes)
{
    size_t got = 0;
    buf_reset(bytes);
    if (!buf_reserve(bytes, size))
        return 0;
    while (got < size) {
        ssize_t count = pread(fd, bytes->data + got, size - got, (off_t)(from + (int64_t)got));
        if (count <= 0)
            break;
        got += (size_t)count;
    }
    bytes->length = got;
    return got;
}

static bool read_parquet(int fd, struct glue_file *file, struct buf *bytes)
{
    size_t needed = PARQUET_TAIL;
    for (int try = 0; try < 2; try++) {
        struct err err = ERR_INIT;
        size_t size = (int64_t)needed < file->size ? needed : (size_t)file->size;
        if (read_piece(fd, file->size - (int64_t)size, size, bytes) != size)
            return false;
        if (glue_parquet_schema(bytes->data, size, file->size, &file->schema, &file->records, &needed,
                                &err) == 0)
            return true;
        if (err.kind != ERR_LIMIT || needed > FOOTER_MAX)
            return false;
    }
    return false;
}

static bool read_json(int fd, struct glue_file *file, struct buf *bytes)
{
    struct err err = ERR_INIT;
    size_t got = read_piece(fd, 0, file->size < JSON_SAMPLE ? (size_t)file->size : JSON_SAMPLE, bytes);
    bool whole = (int64_t)got == file->size;
    int64_t records = got > 0 ? glue_json_schema(bytes->data, got, whole, &file->schema, &err) : -1;
    if (records <= 0) {
        hive_type_free(&file->schema);
        return false;
    }
    file->records = whole ? records : (int64_t)((double)records * (double)file->size / (double)got);
    return true;
}

static void read_file(struct glue_crawl *crawl, struct glue_file *file, struct buf *bytes)
{
    char path[OBJECTS_PATH_SIZE];
    int fd = open(objects_path(crawl->glue->objects, file->blob, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    file->read = true;
    if (file->size >= 12 && read_piece(fd, file->size - 4, 4, bytes) == 4 &&
        memcmp(bytes->data, "PAR1", 4) == 0)
        file->format = read_parquet(fd, file, bytes) ? GLUE_PARQUET : GLUE_UNKNOWN;
    else if (read_json(fd, file, bytes))
        file->format = GLUE_JSON;
    close(fd);
}

static int read_folder(struct glue_crawl *crawl, struct glue_folder *folder, struct buf *bytes)
{
    int64_t count = 0;
    for (size_t i = 0; i < folder->file_count; i++) {
        if (glue_task_cancelled(crawl->glue, crawl->task)) {
            crawl->result->stopped = true;
            return -1;
        }
        if (crawl->sample == 0 || count < crawl->sample)
            read_file(crawl, &folder->files[i], bytes);
        count += folder->files[i].format != GLUE_UNKNOWN;
    }
    for (size_t i = 0; i < folder->child_count; i++)
        if (read_folder(crawl, &folder->children[i], bytes) < 0)
            return -1;
    return 0;
}

/* ---- listing ---------------------------------------------------------------------------------------- */

/* Names that begin with '_' or '.' are not data, for Hive, Athena and us. */
static bool is_hidden(const char *key)
{
    for (const char *part = key; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
        if (*part == '_' || *part == '.')
            return true;
    return false;
}

static bool list_object(void *context, const struct object_info *info, const char *common)
{
    struct glue_crawl *crawl = context;
    const char *below = info->key + strlen(crawl->root.path);
    const json_t *pattern;
    size_t index;
    if (info->size == 0 || is_hidden(below))
        return true;
    json_array_foreach(crawl->exclusions, index,
                       pattern) if (json_is_string(pattern) &&
                                    glue_glob(json_string_value(pattern), below)) return true;
    if (++crawl->files > FILES_MAX)
        return false;
    struct glue_file *file = glue_tree_add(&crawl->root, info->key);
    if (file) {
        file->size = info->size;
        text_copy(file->blob, sizeof file->blob, info->blob);
    }
    return true;
}

/* "s3://lake/raw/gps": bucket and a prefix that ends with '/' unless it names one object. */
static int open_target(struct glue_crawl *crawl, const char *path)
{
    struct err err = ERR_INIT;
    char text[200];
    const char *rest = strncmp(path, "s3://", 5) == 0    ? path + 5
                       : strncmp(path, "s3a://", 6) == 0 ? path + 6
                                                         : "";
    size_t length = strcspn(rest, "/"), prefix = strlen(rest + length);
    if (length == 0 || length > OBJECTS_BUCKET_MAX) {
        snprintf(text, sizeof text, "The S3 path %.120s is not valid.", path);
        return glue_crawl_fail(crawl, text);
    }
    memcpy(crawl->bucket, rest, length);
    crawl->bucket[length] = '\0';
    rest += length + (prefix > 0);
    crawl->root = (struct glue_folder){.path = mem_alloc(strlen(rest) + 2)};
    snprintf(crawl->root.path, strlen(rest) + 2, "%s%s", rest,
             *rest && rest[strlen(rest) - 1] != '/' ? "/" : "");
    const char *end = strrchr(crawl->root.path, '/'), *begin = end;
    while (begin && begin > crawl->root.path && begin[-1] != '/')
        begin--;
    crawl->root.name = mem_text(end ? begin : crawl->bucket);
    if (end)
        crawl->root.name[end - begin] = '\0';
    struct objects_query query = {.prefix = crawl->root.path, .delimiter = "", .after = ""};
    crawl->files = 0;
    enum objects_status status =
        objects_list(crawl->glue->objects, crawl->bucket, &query, list_object, crawl, NULL, &err);
    if (status == OBJECTS_NO_BUCKET) {
        snprintf(text, sizeof text, "The specified bucket does not exist: %s", crawl->bucket);
        return glue_crawl_fail(crawl, text);
    }
    if (crawl->files > FILES_MAX)
        return glue_crawl_fail(crawl, "The target holds more objects than a crawl takes.");
    return status == OBJECTS_OK ? 0 : glue_crawl_fail(crawl, err.text);
}

int glue_crawl_read(struct glue_crawl *crawl, const json_t *target)
{
    const char *path = json_string_value(json_object_get(target, "Path"));
    struct buf bytes;
    struct objects_lease *lease = objects_lease(crawl->glue->objects);
    buf_init(&bytes, FOOTER_MAX + 16);
    crawl->exclusions = json_object_get(target, "Exclusions");
    crawl->sample = json_integer_value(json_object_get(target, "SampleSize"));
    int result = open_target(crawl, path ? path : "");
    if (result == 0)
        result = read_folder(crawl, &crawl->root, &bytes);
    objects_release(lease);
    buf_free(&bytes);
    return result;
}
