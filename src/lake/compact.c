/*
 * Compaction: all files of a day become one, under another prefix; then the partition points there, by one
 * change that readers see whole. What came meanwhile is looked for afterwards; when there is something, the
 * partition points back and nothing was done. Whoever lands later finds the partition elsewhere and points it
 * back (lake_catalogue_register), since raw/ holds everything at all times.
 */
#include "base/text.h"
#include "lake/lake_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_MAX 2000 /* of one day; more are compacted in several turns by hand */

struct found {
    char (*keys)[LAKE_OBJECT_KEY_SIZE];
    size_t count;
    int64_t bytes;
    bool too_many;
};

static bool note_file(void *context, const char *key, int64_t bytes)
{
    struct found *found = context;
    size_t length = strlen(key);
    if (length < 8 || length >= LAKE_OBJECT_KEY_SIZE || strcmp(key + length - 8, ".parquet") != 0)
        return true;
    if (found->count == FILES_MAX) {
        found->too_many = true;
        return false;
    }
    if (found->count % 64 == 0)
        found->keys = mem_resize(found->keys, found->count + 64, sizeof *found->keys);
    text_copy(found->keys[found->count++], LAKE_OBJECT_KEY_SIZE, key);
    found->bytes += bytes;
    return true;
}

static int list_files(const struct lake_remote *remote, const struct lake_schema *schema, const char *dt,
                      struct found *found, struct err *err)
{
    char prefix[LAKE_OBJECT_KEY_SIZE];
    *found = (struct found){0};
    lake_layout_partition(prefix, schema->kind, LAKE_RAW, dt);
    if (remote->list(remote->context, prefix, NULL, note_file, found, err) != 0)
        return -1;
    return found->too_many ? err_set(err, ERR_LIMIT, "%s has more than %d files", prefix, FILES_MAX) : 0;
}

static int64_t fetch_and_merge(struct lake *lake, const struct lake_schema *schema, const struct found *found,
                               const char *merged, struct err *err)
{
    char(*paths)[FILE_PATH_SIZE] = mem_zero(found->count, sizeof *paths);
    const char **list = mem_zero(found->count, sizeof *list);
    int result = 0;
    size_t fetched = 0;
    int64_t rows = -1;
    for (; fetched < found->count && result == 0; fetched++) {
        snprintf(paths[fetched], sizeof paths[fetched], "%.240s/compact-%zu.part", lake->folder, fetched);
        list[fetched] = paths[fetched];
        result = lake->remote->get_file(lake->remote->context, found->keys[fetched], paths[fetched], err);
    }
    if (result == 0)
        result = lake_parquet_merge(lake->compact_writer, schema, list, found->count, merged, &rows, err);
    for (size_t i = 0; i < fetched; i++)
        unlink(paths[i]);
    free(paths);
    free(list);
    return result == 0 ? rows : -1;
}

/* Named by its content: the same files give the same object. */
static int put_merged(struct lake *lake, const struct lake_schema *schema, const char *dt, const char *merged,
                      struct lake_compacted *compacted, struct err *err)
{
    char sha256[LAKE_SHA256_SIZE], prefix[LAKE_OBJECT_KEY_SIZE], key[LAKE_OBJECT_KEY_SIZE];
    if (lake_file_digest(merged, sha256, &compacted->bytes_after, err) != 0)
        return -1;
    snprintf(prefix, sizeof prefix, "compact/%s/" LAKE_PARTITION_COLUMN "=%s/%.16s/", schema->table, dt,
             sha256);
    snprintf(key, sizeof key, "%.200sdata.parquet", prefix);
    lake_url(compacted->location, lake->remote, prefix);
    const struct lake_put put = {.key = key,
                                 .path = merged,
                                 .length = compacted->bytes_after,
                                 .content_type = "application/vnd.apache.parquet",
                                 .sha256 = sha256};
    enum lake_put_end end;
    if (lake->remote->put(lake->remote->context, &put, &end, err) != 0)
        return -1;
    return end == LAKE_PUT_CONFLICT ? err_set(err, ERR_BUSY, "%s is being written by somebody else", key) : 0;
}

/* Points the partition at it, and back again when something has come meanwhile. */
static int publish(struct lake *lake, const struct lake_schema *schema, const char *dt,
                   const struct found *before, const struct lake_compacted *compacted, struct err *err)
{
    struct found now;
    char url[LAKE_URL_SIZE], prefix[LAKE_OBJECT_KEY_SIZE];
    lake_url(url, lake->remote, lake_layout_partition(prefix, schema->kind, LAKE_RAW, dt));
    if (lake_catalogue_move(lake->remote, schema, dt, compacted->location, err) != 0)
        return -1;
    int result = list_files(lake->remote, schema, dt, &now, err);
    bool grown = result == 0 && now.count != before->count;
    free(now.keys);
    if (result == 0 && !grown)
        return 0;
    if (lake_catalogue_move(lake->remote, schema, dt, url, err) != 0)
        return -1;
    return grown ? err_set(err, ERR_BUSY, "%s of %s still grows: compact a day when it is over",
                           schema->table, dt)
                 : -1;
}

static int compact(struct lake *lake, enum event_kind kind, const char *dt, bool dry_run,
                   struct lake_compacted *compacted, struct err *err)
{
    const struct lake_schema *schema = &lake->schemas[kind];
    struct found found;
    char merged[FILE_PATH_SIZE];
    int result = list_files(lake->remote, schema, dt, &found, err);
    compacted->files = found.count;
    compacted->bytes_before = found.bytes;
    if (result == 0 && found.count == 0)
        result = err_set(err, ERR_NOT_FOUND, "%s has no files of %s", schema->table, dt);
    if (result == 0 && found.count > 1 && !dry_run) {
        snprintf(merged, sizeof merged, "%.240s/compact-merged.part", lake->folder);
        compacted->rows = fetch_and_merge(lake, schema, &found, merged, err);
        result = compacted->rows < 0 ? -1 : put_merged(lake, schema, dt, merged, compacted, err);
        unlink(merged);
        if (result == 0)
            result = publish(lake, schema, dt, &found, compacted, err);
        compacted->done = result == 0;
    }
    free(found.keys);
    return result;
}

int lake_compact(struct lake *lake, enum event_kind kind, const char *dt, bool dry_run,
                 struct lake_compacted *compacted, struct err *err)
{
    *compacted = (struct lake_compacted){0};
    int64_t ms;
    char day[TEXT_TIME_SIZE];
    snprintf(day, sizeof day, "%.10sT00:00:00Z", dt);
    if (strlen(dt) != 10 || !text_parse_time(day, strlen(day), &ms))
        return err_set(err, ERR_USAGE, "a day is written 2026-01-12, not %.40s", dt);
    pthread_mutex_lock(&lake->compacting);
    int result = compact(lake, kind, dt, dry_run, compacted, err);
    pthread_mutex_unlock(&lake->compacting);
    return result;
}
