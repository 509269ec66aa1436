#include "lake/landing.h"

#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFLICT_TRIES   20 /* 409 means that somebody is at it right now */
#define CONFLICT_WAIT_US 50000

char *lake_url(char out[LAKE_URL_SIZE], const struct lake_remote *remote, const char *key)
{
    snprintf(out, LAKE_URL_SIZE, "s3://%.63s/%s", remote->bucket, key);
    return out;
}

/* Puts, and waits out those who put the same at the same time. */
static int put(struct lake_landing *landing, const struct lake_put *what, enum lake_put_end *end,
               struct err *err)
{
    for (int tries = 0; tries < CONFLICT_TRIES; tries++) {
        if (landing->remote->put(landing->remote->context, what, end, err) != 0)
            return -1;
        if (*end != LAKE_PUT_CONFLICT) {
            if (*end == LAKE_PUT_DONE) {
                landing->counts.objects++;
                landing->counts.bytes += (uint64_t)what->length;
            }
            return 0;
        }
        landing->counts.conflicts++;
        clock_sleep_until(clock_mono_us() + CONFLICT_WAIT_US);
    }
    err_set(err, ERR_BUSY, "%.200s is being written by somebody else all the time", what->key);
    return -1;
}

/* ---- 1: the intent ---------------------------------------------------------------------------------- */

static int read_intent(const struct lake_remote *remote, const char *key, struct lake_intent *intent,
                       struct err *err)
{
    struct buf text;
    buf_init(&text, LAKE_INTENT_BYTES);
    *intent = (struct lake_intent){0};
    int result = remote->get(remote->context, key, &text, err);
    if (result == 0)
        result = lake_intent_read(intent, key, text.data ? text.data : "", text.length, err);
    buf_free(&text);
    return result;
}

/* Our own, when it says what we want to say: an answer was lost, or another run of the same batch began. */
static enum lake_landed compare_intents(struct lake_landing *landing, struct lake_item *item, const char *key,
                                        struct err *err)
{
    struct lake_intent there;
    int result = read_intent(landing->remote, key, &there, err);
    enum lake_landed outcome = LAKE_LANDED;
    if (result != 0) {
        outcome = err->kind == ERR_CORRUPT ? LAKE_FAULT : LAKE_LATER;
    } else if (there.key.end != item->intent.key.end ||
               (!item->redo && strcmp(there.writer, item->intent.writer) != 0)) {
        char time[TEXT_TIME_SIZE];
        err_set(err, ERR_BUSY,
                "another writer (%s) took %s %" PRId32 " from offset %" PRId64 " to %" PRId64
                " at %s: one writer a partition; this one stops here",
                there.writer, event_topic(there.key.kind), there.key.partition, there.key.start,
                there.key.end, text_time(time, there.created_ms));
        outcome = LAKE_FENCED;
    }
    lake_intent_free(&there);
    return outcome;
}

static enum lake_landed put_intent(struct lake_landing *landing, struct lake_item *item, struct err *err)
{
    char key[LAKE_OBJECT_KEY_SIZE];
    struct buf text;
    buf_init(&text, LAKE_INTENT_BYTES);
    lake_intent_write(&item->intent, &text);
    lake_layout_intent(key, &item->intent.key);
    const struct lake_put what = {
        .key = key, .bytes = text.data, .length = (int64_t)text.length, .content_type = "application/json"};
    enum lake_put_end end;
    enum lake_landed outcome = LAKE_LATER;
    if (put(landing, &what, &end, err) == 0)
        outcome = end == LAKE_PUT_DONE ? LAKE_LANDED : compare_intents(landing, item, key, err);
    buf_free(&text);
    return outcome;
}

/* ---- 2: data ---------------------------------------------------------------------------------------- */

/* Bytes differ: another version of the engine may have written the same rows. */
static enum lake_landed compare_rows(struct lake_landing *landing, const char *key, const char *path,
                                     struct err *err)
{
    char copy[FILE_PATH_SIZE];
    snprintf(copy, sizeof copy, "%.480s.there", path);
    if (landing->remote->get_file(landing->remote->context, key, copy, err) != 0)
        return LAKE_LATER;
    int same = lake_parquet_same(landing->writer, path, copy, err);
    unlink(copy);
    if (same == 1)
        return LAKE_LANDED;
    if (same == 0)
        err_set(err, ERR_CORRUPT,
                "%.150s is there with other rows than Kafka's: nothing was overwritten; move it away to land "
                "the batch again",
                key);
    return LAKE_FAULT;
}

static enum lake_landed put_file(struct lake_landing *landing, const struct lake_put *what, bool parquet,
                                 struct err *err)
{
    enum lake_put_end end;
    if (put(landing, what, &end, err) != 0)
        return LAKE_LATER;
    if (end == LAKE_PUT_DONE)
        return LAKE_LANDED;
    struct lake_object there;
    if (landing->remote->head(landing->remote->context, what->key, &there, err) != 0)
        return LAKE_LATER;
    if (there.bytes == what->length && strcmp(there.sha256, what->sha256) == 0) {
        landing->counts.found++;
        return LAKE_LANDED;
    }
    enum lake_landed outcome = LAKE_FAULT;
    if (parquet)
        outcome = compare_rows(landing, what->key, what->path, err);
    else
        err_set(err, ERR_CORRUPT, "%.150s is there, with other content: nothing was overwritten", what->key);
    if (outcome == LAKE_LANDED)
        landing->counts.found++;
    return outcome;
}

static enum lake_landed put_frames(struct lake_landing *landing, const struct lake_item *item,
                                   struct err *err)
{
    size_t count = (size_t)item->intent.frames;
    if (count == 0)
        return LAKE_LANDED;
    struct lake_put *puts = mem_zero(count, sizeof *puts);
    for (size_t i = 0; i < count; i++)
        puts[i] = (struct lake_put){.key = item->frames[i].key,
                                    .path = item->frames_path,
                                    .offset = item->frames[i].offset,
                                    .length = item->frames[i].length,
                                    .content_type = item->frames[i].content_type};
    int result = landing->remote->put_many(landing->remote->context, puts, count, err);
    for (size_t i = 0; i < count && result == 0; i++) {
        landing->counts.objects++;
        landing->counts.bytes += (uint64_t)puts[i].length;
    }
    free(puts);
    return result == 0 ? LAKE_LANDED : LAKE_LATER;
}

static enum lake_landed put_quarantine(struct lake_landing *landing, const struct lake_item *item,
                                       struct err *err)
{
    if (!item->quarantine_path[0])
        return LAKE_LANDED;
    char sha256[LAKE_SHA256_SIZE];
    int64_t bytes;
    if (lake_file_digest(item->quarantine_path, sha256, &bytes, err) != 0)
        return LAKE_FAULT;
    const struct lake_put what = {.key = item->intent.quarantine,
                                  .path = item->quarantine_path,
                                  .length = bytes,
                                  .content_type = "application/x-ndjson",
                                  .sha256 = sha256};
    return put_file(landing, &what, false, err);
}

static enum lake_landed put_data(struct lake_landing *landing, const struct lake_item *item, struct err *err)
{
    enum lake_landed outcome = LAKE_LANDED;
    for (size_t i = 0; i < item->intent.file_count && outcome == LAKE_LANDED; i++) {
        const struct lake_intent_file *file = &item->intent.files[i];
        const struct lake_put what = {.key = file->key,
                                      .path = item->paths[i],
                                      .length = file->bytes,
                                      .content_type = "application/vnd.apache.parquet",
                                      .sha256 = file->sha256};
        outcome = put_file(landing, &what, true, err);
    }
    return outcome;
}

/* ---- 3: the catalogue, and all of it ---------------------------------------------------------------- */

static enum lake_landed catalogue(struct lake_landing *landing, const struct lake_item *item, struct err *err)
{
    if (!landing->catalogue)
        return LAKE_LANDED;
    for (size_t i = 0; i < item->intent.file_count; i++) {
        bool made = false;
        if (lake_catalogue_register(landing->remote, &landing->schemas[item->intent.key.kind],
                                    item->intent.files[i].dt, &made, err) != 0)
            return LAKE_LATER;
        landing->counts.partitions += made;
    }
    return LAKE_LANDED;
}

enum lake_landed lake_land(struct lake_landing *landing, struct lake_item *item, struct err *err)
{
    enum lake_landed outcome = item->intended ? LAKE_LANDED : put_intent(landing, item, err);
    if (outcome == LAKE_LANDED) {
        item->intended = true;
        outcome = put_frames(landing, item, err);
    }
    if (outcome == LAKE_LANDED)
        outcome = put_quarantine(landing, item, err);
    if (outcome == LAKE_LANDED)
        outcome = put_data(landing, item, err);
    if (outcome == LAKE_LANDED)
        outcome = catalogue(landing, item, err);
    return outcome;
}

/* ---- recovery --------------------------------------------------------------------------------------- */

int lake_intent_landed(const struct lake_remote *remote, const struct lake_intent *intent, struct err *err)
{
    struct lake_object object;
    for (size_t i = 0; i <= intent->file_count; i++) {
        const char *key = i < intent->file_count ? intent->files[i].key : intent->quarantine;
        if (!key[0])
            continue;
        struct err own = ERR_INIT;
        if (remote->head(remote->context, key, &object, &own) == 0)
            continue;
        if (own.kind == ERR_NOT_FOUND)
            return 0;
        *err = own;
        return -1;
    }
    return 1;
}

struct newest {
    char key[LAKE_OBJECT_KEY_SIZE];
    int64_t start;
};

static bool note_newest(void *context, const char *key, int64_t bytes)
{
    struct newest *newest = context;
    int64_t start = lake_layout_intent_start(key);
    if (start > newest->start && strlen(key) < sizeof newest->key) {
        newest->start = start;
        text_copy(newest->key, sizeof newest->key, key);
    }
    return true;
}

int lake_recover_intent(const struct lake_remote *remote, const struct lake_batch_key *key,
                        struct lake_intent *intent, struct err *err)
{
    char prefix[LAKE_OBJECT_KEY_SIZE];
    struct newest newest = {.start = -1};
    *intent = (struct lake_intent){0};
    /* Names sort by offset, but S3 lists from the front only. What Kafka was told is a good guess of where
     * the end is; a wrong one costs time, nothing else. */
    char after[LAKE_OBJECT_KEY_SIZE];
    struct lake_batch_key before = *key;
    before.start--;
    lake_layout_sink(prefix, key);
    lake_layout_intent(after, &before);
    if (key->start > 0 && remote->list(remote->context, prefix, after, note_newest, &newest, err) != 0)
        return -1;
    if (newest.start < 0 && remote->list(remote->context, prefix, NULL, note_newest, &newest, err) != 0)
        return -1;
    if (newest.start < 0)
        return LAKE_RECOVERED_NOTHING;
    if (read_intent(remote, newest.key, intent, err) != 0)
        return -1;
    int landed = lake_intent_landed(remote, intent, err);
    if (landed < 0)
        return -1;
    return landed ? LAKE_RECOVERED_END : LAKE_RECOVERED_REDO;
}
