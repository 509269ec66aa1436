#include "lake/lake.h"

#include "base/clock.h"
#include "base/text.h"
#include "lake/lake_private.h"
#include "lake/remote_aws.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define SPOOL_BYTES    (INT64_C(2) << 30)
#define MEMORY_BYTES   (64u << 20)
#define BATCH_ROWS     500000
#define BATCH_BYTES    (24u << 20)
#define BATCH_AGE_US   60000000
#define LANDERS        3
#define ASSIGN_LOOK_US 100000

/* ---- the spool folder -------------------------------------------------------------------------------- */

static bool is_spool_file(const char *name)
{
    static const char *const suffixes[] = {".parquet", ".frames", ".ndjson", ".there", ".part"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t suffix = strlen(suffixes[i]);
        if (length > suffix && strcmp(name + length - suffix, suffixes[i]) == 0)
            return true;
    }
    return false;
}

/* What another run left is read from Kafka again. Only files of our own kind are touched. */
static void empty_spool(const char *folder)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    char path[FILE_PATH_SIZE * 2];
    while (directory && (entry = readdir(directory)) != NULL)
        if (is_spool_file(entry->d_name)) {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            unlink(path);
        }
    if (directory)
        closedir(directory);
}

static int open_spool(struct lake *lake, const char *folder, struct err *err)
{
    char path[FILE_PATH_SIZE + 16];
    if (folder[0] != '/' || strlen(folder) > 240)
        return err_set(err, ERR_USAGE, "the spool folder needs an absolute path of at most 240 bytes: %.200s",
                       folder);
    text_copy(lake->folder, sizeof lake->folder, folder);
    if (file_make_dirs(folder, err) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/lock", folder);
    lake->lock_fd = file_lock(path, err);
    if (lake->lock_fd < 0)
        return err_prefix(err, "the spool folder %s", folder);
    empty_spool(folder);
    return 0;
}

/* ---- create, destroy --------------------------------------------------------------------------------- */

static void name_writer(struct lake *lake)
{
    uint64_t random[2] = {(uint64_t)clock_wall_us(), (uint64_t)getpid()};
    if (getrandom(random, sizeof random, 0) != sizeof random)
        random[1] ^= (uint64_t)clock_mono_us();
    snprintf(lake->writer_id, sizeof lake->writer_id, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

static int open_engine(struct lake *lake, struct err *err)
{
    lake->engine = lake_engine_create(lake->folder, 0, err);
    if (!lake->engine || !(lake->file_writer = lake_writer_create(lake->engine, err)) ||
        !(lake->compact_writer = lake_writer_create(lake->engine, err)))
        return -1;
    for (int i = 0; i < lake->lander_count; i++)
        if (!(lake->lander_writers[i] = lake_writer_create(lake->engine, err)))
            return -1;
    return 0;
}

static int start_threads(struct lake *lake, struct err *err)
{
    if (!(lake->collector = worker_start("lake", lake_collect_run, lake, err)) ||
        !(lake->files = worker_start("lake-files", lake_files_run, lake, err)))
        return -1;
    for (int i = 0; i < lake->lander_count; i++) {
        struct lake_lander *lander = mem_zero(1, sizeof *lander);
        *lander = (struct lake_lander){lake, i};
        lake->landers[i] = worker_start("lake-lander", lake_lander_run, lander, err);
        if (!lake->landers[i]) {
            free(lander);
            return -1;
        }
    }
    return 0;
}

static void free_offered(void *item)
{
    struct lake_offered *offered = item;
    record_batch_release(offered->batch);
    free(offered);
}

/* The collector looks again now; when the queue is full it does so anyway. */
static void nudge(struct lake *lake)
{
    struct lake_offered *nothing = mem_zero(1, sizeof *nothing);
    if (!queue_push(lake->queue, nothing, 0))
        free(nothing);
}

static void init_locks(struct lake *lake)
{
    pthread_mutex_init(&lake->mutex, NULL);
    pthread_mutex_init(&lake->compacting, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&lake->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct lake *make_lake(const struct lake_settings *settings)
{
    struct lake *lake = mem_zero(1, sizeof *lake);
    init_locks(lake);
    lake->lock_fd = -1;
    lake->ways_end = &lake->ways;
    lake->generation = 1;
    lake->log = settings->log;
    lake->on_landed = settings->on_landed;
    lake->on_commit = settings->on_commit;
    lake->context = settings->context;
    lake->paused = settings->paused;
    lake->catalogue = !settings->no_catalogue;
    lake->spool_limit = settings->spool_bytes > 0 ? settings->spool_bytes : SPOOL_BYTES;
    lake->memory_limit = settings->memory_bytes ? settings->memory_bytes : MEMORY_BYTES;
    lake->batch_rows = BATCH_ROWS;
    lake->batch_bytes = BATCH_BYTES;
    lake->batch_age_us = BATCH_AGE_US;
    lake->lander_count = settings->landers > 0 ? settings->landers : LANDERS;
    if (lake->lander_count > LAKE_LANDERS_MAX)
        lake->lander_count = LAKE_LANDERS_MAX;
    lake->scratch = mem_zero(1, sizeof *lake->scratch);
    lake->queue = queue_create(LAKE_QUEUE, free_offered);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        lake_schema_init(&lake->schemas[kind], (enum event_kind)kind, LAKE_RAW);
    name_writer(lake);
    lake_set_limits(lake, settings->batch_rows, settings->batch_bytes, settings->batch_age_us);
    return lake;
}

struct lake *lake_create(const struct lake_settings *settings, struct err *err)
{
    struct lake *lake = make_lake(settings);
    text_copy(lake->cluster, sizeof lake->cluster, settings->cluster ? settings->cluster : "");
    if (!lake_layout_cluster_valid(settings->cluster ? settings->cluster : "")) {
        err_set(err, ERR_USAGE, "the name of a broker is made of a-z, 0-9 and -, at most %d: %.80s",
                LAKE_CLUSTER_SIZE - 1, settings->cluster);
        lake_destroy(lake);
        return NULL;
    }
    if (settings->remote) {
        lake->remote = settings->remote;
    } else {
        const struct lake_remote_settings remote = {.bucket = settings->bucket,
                                                    .owner = settings->owner,
                                                    .encryption = settings->encryption,
                                                    .encryption_key = settings->encryption_key};
        lake->own_remote = lake_remote_aws_create(settings->client, &remote);
        lake->remote = lake_remote_aws_remote(lake->own_remote);
    }
    text_copy(lake->bucket, sizeof lake->bucket, lake->remote->bucket);
    if (open_spool(lake, settings->spool_folder, err) == 0 && open_engine(lake, err) == 0 &&
        start_threads(lake, err) == 0)
        return lake;
    lake_destroy(lake);
    return NULL;
}

static void stop_threads(struct lake *lake)
{
    pthread_mutex_lock(&lake->mutex);
    lake->stopping = true;
    pthread_cond_broadcast(&lake->changed);
    pthread_mutex_unlock(&lake->mutex);
    queue_close(lake->queue);
    if (lake->own_remote)
        lake_remote_aws_cancel(lake->own_remote);
    worker_join(lake->collector);
    worker_join(lake->files);
    for (int i = 0; i < lake->lander_count; i++)
        worker_join(lake->landers[i]);
}

void lake_destroy(struct lake *lake)
{
    if (!lake)
        return;
    stop_threads(lake);
    pthread_mutex_lock(&lake->mutex);
    while (lake->ways)
        lake_way_end(lake, lake->ways, LAKE_BATCH_CLOSED, "not landed: the next run does it");
    pthread_mutex_unlock(&lake->mutex);
    for (int i = 0; i < lake->lander_count; i++)
        lake_writer_destroy(lake->lander_writers[i]);
    lake_writer_destroy(lake->compact_writer);
    lake_writer_destroy(lake->file_writer);
    lake_engine_destroy(lake->engine);
    lake_remote_aws_destroy(lake->own_remote);
    queue_destroy(lake->queue);
    for (size_t i = 0; i < lake->used_count; i++)
        free(lake->used[i]);
    if (lake->lock_fd >= 0)
        close(lake->lock_fd);
    pthread_cond_destroy(&lake->changed);
    pthread_mutex_destroy(&lake->compacting);
    pthread_mutex_destroy(&lake->mutex);
    free(lake->scratch);
    free(lake);
}

const struct lake_remote *lake_remote(struct lake *lake)
{
    return lake->remote;
}

int lake_prepare(struct lake *lake, bool *made, struct err *err)
{
    *made = false;
    if (lake->own_remote && lake_remote_aws_bucket(lake->own_remote, made, err) != 0)
        return -1;
    for (int kind = 0; kind < EVENT_KIND_COUNT && lake->catalogue; kind++) {
        bool table = false;
        if (lake_catalogue_ensure(lake->remote, &lake->schemas[kind], &table, err) != 0)
            return -1;
        *made |= table;
    }
    return 0;
}

/* ---- partitions -------------------------------------------------------------------------------------- */

struct lake_partition *lake_partition_at(struct lake *lake, int kind, int32_t number)
{
    struct lake_partition **place = &lake->partitions[kind][number];
    if (!*place) {
        struct lake_partition *partition = mem_zero(1, sizeof *partition);
        *partition = (struct lake_partition){.kind = (enum event_kind)kind,
                                             .number = number,
                                             .next = -1,
                                             .redo_end = -1,
                                             .assigned_start = -1,
                                             .assigned_redo_end = -1,
                                             .landed_end = -1};
        *place = partition;
        lake->used[lake->used_count++] = partition;
    }
    return *place;
}

/* What is under way of it ends: no lander has one of its items when this returns. */
static struct lake_partition *take_away(struct lake *lake, enum event_kind kind, int32_t number)
{
    struct lake_partition *partition = lake_partition_at(lake, (int)kind, number);
    partition->revoked = true;
    pthread_cond_broadcast(&lake->changed);
    while (partition->busy && !lake->stopping)
        lake_wait_until(lake, clock_mono_us() + ASSIGN_LOOK_US);
    return partition;
}

static bool is_partition(int32_t number)
{
    return number >= 0 && number < LAKE_PARTITIONS_MAX;
}

/* The last run may have ended between the last file and the catalogue. */
static int register_days(struct lake *lake, const struct lake_intent *intent, struct err *err)
{
    bool made;
    for (size_t i = 0; i < intent->file_count && lake->catalogue; i++)
        if (lake_catalogue_register(lake->remote, &lake->schemas[intent->key.kind], intent->files[i].dt,
                                    &made, err) != 0)
            return -1;
    return 0;
}

int lake_assign(struct lake *lake, enum event_kind kind, int32_t number, int64_t *start, struct err *err)
{
    if (!is_partition(number))
        return err_set(err, ERR_LIMIT, "%s has more than %d partitions: that many are not landed",
                       event_topic(kind), LAKE_PARTITIONS_MAX);
    pthread_mutex_lock(&lake->mutex);
    take_away(lake, kind, number);
    pthread_mutex_unlock(&lake->mutex);

    struct lake_batch_key key = {.kind = kind, .partition = number, .start = *start};
    struct lake_intent intent = {0};
    text_copy(key.cluster, sizeof key.cluster, lake->cluster);
    int recovered = lake_recover_intent(lake->remote, &key, &intent, err);
    if (recovered == LAKE_RECOVERED_END && register_days(lake, &intent, err) != 0)
        recovered = -1;
    if (recovered < 0) {
        lake_intent_free(&intent);
        return err_prefix(err, "what of %s %d is in the lake", event_topic(kind), (int)number);
    }
    int64_t redo_end = -1;
    if (recovered == LAKE_RECOVERED_END) {
        *start = intent.key.end;
        if (lake->on_landed) /* the last run may not have come so far */
            lake->on_landed(lake->context, &intent, true);
    } else if (recovered == LAKE_RECOVERED_REDO) {
        *start = intent.key.start;
        redo_end = intent.key.end;
        log_write(lake->log, LOG_WARNING, "lake",
                  "%s %d: offsets %" PRId64 " to %" PRId64 " were begun by another run and are landed again",
                  event_topic(kind), (int)number, intent.key.start, intent.key.end);
    }
    pthread_mutex_lock(&lake->mutex);
    struct lake_partition *partition = lake_partition_at(lake, (int)kind, number);
    partition->assigned = ++lake->generation;
    partition->assigned_start = *start;
    partition->assigned_redo_end = redo_end;
    partition->revoked = false;
    partition->state = redo_end >= 0 ? LAKE_PARTITION_REDO : LAKE_PARTITION_OPEN;
    partition->problem[0] = '\0';
    if (recovered == LAKE_RECOVERED_END)
        partition->landed_end = intent.key.end;
    pthread_cond_broadcast(&lake->changed);
    pthread_mutex_unlock(&lake->mutex);
    lake_intent_free(&intent);
    return 0;
}

void lake_revoke(struct lake *lake, enum event_kind kind, int32_t number)
{
    if (!is_partition(number))
        return;
    pthread_mutex_lock(&lake->mutex);
    struct lake_partition *partition = take_away(lake, kind, number);
    partition->assigned = ++lake->generation;
    pthread_mutex_unlock(&lake->mutex);
}

/* Room for so many bytes, in time. */
static bool reserve(struct lake *lake, size_t bytes, int64_t until)
{
    lake->offering++;
    while (lake->queued_bytes > 0 && lake->queued_bytes + bytes > LAKE_QUEUE_BYTES && !lake->stopping &&
           clock_mono_us() < until)
        lake_wait_until(lake, until);
    lake->offering--;
    bool room = lake->queued_bytes == 0 || lake->queued_bytes + bytes <= LAKE_QUEUE_BYTES;
    if (room && !lake->stopping)
        lake->queued_bytes += bytes;
    return room && !lake->stopping;
}

bool lake_offer(struct lake *lake, struct record_batch *batch, int64_t timeout_us)
{
    const int64_t until = timeout_us < 0 ? INT64_MAX / 2 : clock_mono_us() + timeout_us;
    struct lake_offered *offered = mem_zero(1, sizeof *offered);
    offered->batch = record_batch_retain(batch);
    pthread_mutex_lock(&lake->mutex);
    bool taken = reserve(lake, batch->bytes, until);
    offered->generation = lake->generation;
    pthread_mutex_unlock(&lake->mutex);
    if (taken) {
        int64_t left = until - clock_mono_us();
        taken = queue_push(lake->queue, offered, timeout_us < 0 ? -1 : left > 0 ? left : 0);
        pthread_mutex_lock(&lake->mutex);
        if (taken)
            lake->offered++;
        else
            lake->queued_bytes -= batch->bytes;
        pthread_mutex_unlock(&lake->mutex);
    }
    if (!taken)
        free_offered(offered);
    return taken;
}

/* ---- flush control ----------------------------------------------------------------------------------- */

uint64_t lake_flush(struct lake *lake, int kind)
{
    pthread_mutex_lock(&lake->mutex);
    uint64_t number = ++lake->tickets;
    struct lake_ticket *ticket = &lake->flushes[number % LAKE_TICKETS];
    if (ticket->number && !ticket->closed)
        lake->flush_pending--; /* 64 flushes ago, and still not begun */
    *ticket = (struct lake_ticket){
        .number = number, .kind = kind, .offered = lake->offered, .began_us = clock_mono_us()};
    lake->flush_pending++;
    for (struct lake_way *way = lake->ways; way; way = way->next)
        way->retry_at = 0;
    pthread_cond_broadcast(&lake->changed);
    pthread_mutex_unlock(&lake->mutex);
    nudge(lake);
    return number;
}

static bool look(struct lake *lake, uint64_t number, struct lake_flushed *flushed)
{
    const struct lake_ticket *ticket = &lake->flushes[number % LAKE_TICKETS];
    if (number == 0 || ticket->number != number)
        return false;
    *flushed = ticket->flushed;
    if (!flushed->done) {
        flushed->took_us = clock_mono_us() - ticket->began_us;
        flushed->failed |= lake->stopping;
    }
    return true;
}

bool lake_flush_look(struct lake *lake, uint64_t ticket, struct lake_flushed *flushed)
{
    pthread_mutex_lock(&lake->mutex);
    bool known = look(lake, ticket, flushed);
    pthread_mutex_unlock(&lake->mutex);
    return known;
}

int lake_flush_wait(struct lake *lake, uint64_t ticket, int64_t timeout_us, struct lake_flushed *flushed,
                    struct err *err)
{
    const int64_t until = clock_mono_us() + timeout_us;
    pthread_mutex_lock(&lake->mutex);
    bool known = look(lake, ticket, flushed);
    while (known && !flushed->done && !lake->stopping && clock_mono_us() < until) {
        lake_wait_until(lake, until);
        known = look(lake, ticket, flushed);
    }
    bool stopping = lake->stopping;
    pthread_mutex_unlock(&lake->mutex);
    if (!known)
        return err_set(err, ERR_USAGE, "there is no such flush any more");
    if (flushed->done && !flushed->failed)
        return 0;
    if (flushed->done || stopping)
        return err_set(err, ERR_REMOTE, "not everything was landed: %s",
                       stopping ? "the lake writer ends" : "another writer has taken a partition");
    return err_set(err, ERR_BUSY, "not everything is landed yet%s%s", flushed->problem[0] ? ": " : "",
                   flushed->problem);
}

void lake_pause(struct lake *lake, bool paused)
{
    pthread_mutex_lock(&lake->mutex);
    lake->paused = paused;
    pthread_cond_broadcast(&lake->changed);
    pthread_mutex_unlock(&lake->mutex);
}

void lake_retry(struct lake *lake)
{
    pthread_mutex_lock(&lake->mutex);
    for (struct lake_way *way = lake->ways; way; way = way->next)
        way->retry_at = 0;
    pthread_cond_broadcast(&lake->changed);
    pthread_mutex_unlock(&lake->mutex);
}

void lake_set_limits(struct lake *lake, uint32_t batch_rows, size_t batch_bytes, int64_t batch_age_us)
{
    pthread_mutex_lock(&lake->mutex);
    if (batch_rows > 0)
        lake->batch_rows = batch_rows < LAKE_ROWS_MAX ? batch_rows : LAKE_ROWS_MAX;
    if (batch_bytes > 0)
        lake->batch_bytes = batch_bytes < lake->memory_limit / 2 ? batch_bytes : lake->memory_limit / 2;
    if (batch_age_us > 0)
        lake->batch_age_us = batch_age_us;
    pthread_cond_broadcast(&lake->changed);
    pthread_mutex_unlock(&lake->mutex);
    nudge(lake);
}
