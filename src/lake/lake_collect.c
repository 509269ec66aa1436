/* The collecting thread: records become rows of open batches; batches are closed. */
#include "base/clock.h"
#include "base/text.h"
#include "lake/lake_private.h"

#include <inttypes.h>
#include <stdlib.h>

#define LOOK_US 200000 /* at least so often: age, pause */

/* What some records changed; shared in one go. */
struct round {
    struct lake_kind_figures kinds[EVENT_KIND_COUNT];
    uint64_t foreign;
};

struct collector {
    struct lake *lake;
    struct round round;
    uint64_t collected; /* batches of records taken from the queue */
    size_t open_bytes;
    /* as read last */
    size_t used_count;
    bool paused, stopping;
    uint32_t batch_rows;
    size_t batch_bytes;
    int64_t batch_age_us;
};

/* ---- closing ---------------------------------------------------------------------------------------- */

/* Waits until closed batches leave memory and, unless `now`, until nobody has paused. False: the lake ends.
 */
static bool may_close(struct collector *collector, bool now)
{
    struct lake *lake = collector->lake;
    pthread_mutex_lock(&lake->mutex);
    while (!lake->stopping && (lake->closed_bytes > lake->memory_limit / 2 ||
                               (lake->paused && !now && lake->flush_pending == 0))) {
        lake->blocked_memory = true;
        lake_wait_until(lake, clock_mono_us() + LOOK_US);
    }
    lake->blocked_memory = false;
    collector->stopping = lake->stopping;
    pthread_mutex_unlock(&lake->mutex);
    return !collector->stopping;
}

static void show_partition(struct lake_partition *partition)
{
    struct lake_partition_figures *shown = &partition->shown;
    const struct lake_batch *batch = partition->open;
    shown->rows = batch ? batch->rows : 0;
    shown->bytes = batch ? batch->bytes : 0;
    shown->oldest_us = batch ? batch->opened_us : 0;
    shown->start = batch ? batch->key.start : partition->next;
    shown->end = batch ? batch->key.end : partition->next;
    shown->days = batch ? (uint32_t)batch->day_count : 0;
    shown->frames = batch ? (uint32_t)batch->frame_count : 0;
}

static void note_closed(struct lake *lake, const struct lake_way *way)
{
    const struct lake_batch *batch = way->batch;
    struct lake_batch_figures *recent = &lake->figures.recent[way->sequence % LAKE_RECENT];
    *recent = (struct lake_batch_figures){.sequence = way->sequence,
                                          .key = batch->key,
                                          .state = LAKE_BATCH_CLOSED,
                                          .rows = batch->rows,
                                          .quarantined = batch->quarantined,
                                          .frames = (uint32_t)batch->frame_count,
                                          .opened_us = batch->opened_us,
                                          .closed_us = clock_wall_us(),
                                          .redo = way->redo};
    struct lake_kind_figures *kind = &lake->figures.kinds[batch->key.kind];
    kind->missing += batch->missing;
    kind->unfit += batch->unfit;
    kind->unknown += batch->unknown;
}

static void close_batch(struct collector *collector, struct lake_partition *partition, uint64_t ticket)
{
    struct lake *lake = collector->lake;
    struct lake_batch *batch = partition->open;
    struct lake_way *way = mem_zero(1, sizeof *way);
    way->partition = partition;
    way->generation = partition->generation;
    way->ticket = ticket;
    way->batch = batch;
    way->memory_bytes = batch->bytes;
    way->rows = batch->rows;
    way->quarantined = batch->quarantined;
    way->redo = partition->redo_end >= 0;
    way->closed_us = clock_mono_us();
    collector->open_bytes -= batch->bytes;
    partition->open = NULL;
    partition->redo_end = -1;

    pthread_mutex_lock(&lake->mutex);
    way->sequence = ++lake->sequence;
    *lake->ways_end = way;
    lake->ways_end = &way->next;
    lake->closed_bytes += way->memory_bytes;
    if (partition->state == LAKE_PARTITION_REDO)
        partition->state = LAKE_PARTITION_OPEN;
    note_closed(lake, way);
    show_partition(partition);
    pthread_cond_broadcast(&lake->changed);
    pthread_mutex_unlock(&lake->mutex);
}

/* By size, age or because it must be: when that is allowed. */
static void close_when_allowed(struct collector *collector, struct lake_partition *partition, bool now)
{
    if (may_close(collector, now))
        close_batch(collector, partition, 0);
}

static void drop_open(struct collector *collector, struct lake_partition *partition)
{
    if (!partition->open)
        return;
    collector->round.kinds[partition->kind].returned += partition->open->records;
    collector->open_bytes -= partition->open->bytes;
    lake_batch_destroy(partition->open);
    partition->open = NULL;
}

/* ---- records ---------------------------------------------------------------------------------------- */

/* Kafka has no longer all of what was to be taken again. */
static void end_redo(struct collector *collector, struct lake_partition *partition)
{
    struct lake *lake = collector->lake;
    if (partition->open) {
        partition->open->key.end = partition->redo_end;
        close_when_allowed(collector, partition, true);
        return;
    }
    log_write(
        lake->log, LOG_ERROR, "lake",
        "%s %" PRId32 ": offsets %" PRId64 " to %" PRId64
        " were begun by another run, and Kafka does not hold them any more: they are missing in the lake",
        event_topic(partition->kind), partition->number, partition->next, partition->redo_end);
    collector->round.kinds[partition->kind].missing += (uint64_t)(partition->redo_end - partition->next);
    partition->next = partition->redo_end;
    partition->redo_end = -1;
    pthread_mutex_lock(&lake->mutex);
    if (partition->state == LAKE_PARTITION_REDO)
        partition->state = LAKE_PARTITION_OPEN;
    pthread_mutex_unlock(&lake->mutex);
}

static bool is_full(const struct collector *collector, const struct lake_partition *partition)
{
    return partition->redo_end < 0 && (partition->open->rows >= collector->batch_rows ||
                                       partition->open->bytes >= collector->batch_bytes);
}

static void add_record(struct collector *collector, struct lake_partition *partition,
                       const struct record *record)
{
    struct lake *lake = collector->lake;
    struct lake_kind_figures *kind = &collector->round.kinds[partition->kind];
    if (partition->next >= 0 && record->offset < partition->next) {
        kind->repeated++;
        return;
    }
    if (partition->redo_end >= 0 && record->offset >= partition->redo_end)
        end_redo(collector, partition);
    enum lake_added added = LAKE_NO_ROOM;
    while (added == LAKE_NO_ROOM && !collector->stopping) {
        if (!partition->open) {
            int64_t start = partition->next >= 0 ? partition->next : record->offset;
            partition->open = lake_batch_create(&lake->schemas[partition->kind], lake->cluster,
                                                partition->number, start, clock_wall_us());
            partition->opened_us = clock_mono_us();
        }
        size_t before = partition->open->bytes;
        added = lake_batch_add(partition->open, record, lake->scratch);
        collector->open_bytes += partition->open->bytes - before;
        if (added == LAKE_NO_ROOM)
            close_when_allowed(collector, partition, false);
    }
    if (added == LAKE_NO_ROOM)
        return;
    kind->taken++;
    partition->next = record->offset + 1;
    if (partition->redo_end >= 0 && partition->next >= partition->redo_end)
        close_when_allowed(collector, partition, true);
    else if (is_full(collector, partition) && !collector->paused)
        close_when_allowed(collector, partition, false);
}

/* All open batches together need too much: the largest goes. */
static void bound_memory(struct collector *collector)
{
    struct lake *lake = collector->lake;
    while (collector->open_bytes > lake->memory_limit / 2 && !collector->stopping) {
        struct lake_partition *largest = NULL;
        for (size_t i = 0; i < collector->used_count; i++) {
            struct lake_partition *partition = lake->used[i];
            if (partition->open && partition->redo_end < 0 &&
                (!largest || partition->open->bytes > largest->open->bytes))
                largest = partition;
        }
        if (!largest)
            return; /* redone batches are as large as they were */
        close_when_allowed(collector, largest, false);
    }
}

/* What was assigned since, and what is there to be known for the next records. */
static void read_shared(struct collector *collector)
{
    struct lake *lake = collector->lake;
    pthread_mutex_lock(&lake->mutex);
    collector->stopping = lake->stopping;
    collector->paused = lake->paused && lake->flush_pending == 0;
    collector->used_count = lake->used_count;
    collector->batch_rows = lake->batch_rows;
    collector->batch_bytes = lake->batch_bytes;
    collector->batch_age_us = lake->batch_age_us;
    for (size_t i = 0; i < collector->used_count; i++) {
        struct lake_partition *partition = lake->used[i];
        bool gone = partition->revoked || partition->state == LAKE_PARTITION_FENCED;
        if (partition->generation == partition->assigned && !gone)
            continue;
        drop_open(collector, partition);
        if (partition->generation == partition->assigned)
            continue;
        partition->generation = partition->assigned;
        partition->next = partition->assigned_start;
        partition->redo_end = partition->assigned_redo_end;
    }
    pthread_mutex_unlock(&lake->mutex);
}

static void share(struct collector *collector)
{
    struct lake *lake = collector->lake;
    pthread_mutex_lock(&lake->mutex);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct lake_kind_figures *to = &lake->figures.kinds[kind], *from = &collector->round.kinds[kind];
        to->taken += from->taken;
        to->missing += from->missing;
        to->repeated += from->repeated;
        to->refused += from->refused;
        to->returned += from->returned;
    }
    lake->figures.foreign += collector->round.foreign;
    for (size_t i = 0; i < collector->used_count; i++)
        show_partition(lake->used[i]);
    pthread_mutex_unlock(&lake->mutex);
    collector->round = (struct round){0};
}

/* NULL: no partition of ours, or records of an assignment that is over, or fenced. */
static struct lake_partition *find(struct collector *collector, const struct record *record,
                                   uint64_t generation)
{
    struct lake *lake = collector->lake;
    if (record->kind < 0 || record->kind >= EVENT_KIND_COUNT || record->offset < 0 || record->partition < 0 ||
        record->partition >= LAKE_PARTITIONS_MAX) {
        collector->round.foreign++;
        return NULL;
    }
    pthread_mutex_lock(&lake->mutex);
    struct lake_partition *partition = lake_partition_at(lake, record->kind, record->partition);
    bool fenced = partition->state == LAKE_PARTITION_FENCED;
    bool stale = partition->revoked || generation < partition->assigned ||
                 partition->generation != partition->assigned;
    collector->used_count = lake->used_count;
    pthread_mutex_unlock(&lake->mutex);
    if (fenced)
        collector->round.kinds[record->kind].refused++;
    else if (stale)
        collector->round.kinds[record->kind].returned++;
    return fenced || stale ? NULL : partition;
}

static void collect(struct collector *collector, const struct lake_offered *offered)
{
    const struct record_batch *batch = offered->batch;
    struct lake_partition *partition = NULL;
    int kind = -1;
    int32_t number = -1;
    for (size_t i = 0; i < batch->count && !collector->stopping; i++) {
        const struct record *record = &batch->records[i];
        if (i == 0 || record->kind != kind || record->partition != number)
            partition = find(collector, record, offered->generation);
        else if (!partition)
            find(collector, record, offered->generation); /* counts it */
        kind = record->kind;
        number = record->partition;
        if (partition)
            add_record(collector, partition, record);
        if (collector->open_bytes > collector->lake->memory_limit / 2)
            bound_memory(collector);
    }
}

/* ---- time and flushes ------------------------------------------------------------------------------- */

static void close_by_age(struct collector *collector)
{
    struct lake *lake = collector->lake;
    int64_t now = clock_mono_us();
    for (size_t i = 0; i < collector->used_count && !collector->paused && !collector->stopping; i++) {
        struct lake_partition *partition = lake->used[i];
        if (!partition->open || partition->redo_end >= 0)
            continue;
        if (now - partition->opened_us >= collector->batch_age_us || is_full(collector, partition))
            close_when_allowed(collector, partition, false);
    }
}

/* Those tickets whose records have all been collected. */
static void close_by_flush(struct collector *collector)
{
    struct lake *lake = collector->lake;
    for (int t = 0; t < LAKE_TICKETS; t++) {
        pthread_mutex_lock(&lake->mutex);
        struct lake_ticket *ticket = &lake->flushes[t];
        bool due = ticket->number && !ticket->closed && ticket->offered <= collector->collected;
        uint64_t number = ticket->number;
        int kind = ticket->kind;
        pthread_mutex_unlock(&lake->mutex);
        if (!due)
            continue;
        for (size_t i = 0; i < collector->used_count; i++) {
            struct lake_partition *partition = lake->used[i];
            if (partition->open && partition->redo_end < 0 && (kind < 0 || (int)partition->kind == kind) &&
                may_close(collector, true))
                close_batch(collector, partition, number);
        }
        pthread_mutex_lock(&lake->mutex);
        if (ticket->number == number) {
            ticket->closed = true;
            ticket->target = lake->sequence;
            lake->flush_pending--;
        }
        lake_settle_tickets(lake);
        pthread_cond_broadcast(&lake->changed);
        pthread_mutex_unlock(&lake->mutex);
    }
}

static void give_room(struct lake *lake, size_t bytes)
{
    pthread_mutex_lock(&lake->mutex);
    lake->queued_bytes -= bytes;
    if (lake->offering > 0)
        pthread_cond_broadcast(&lake->changed);
    pthread_mutex_unlock(&lake->mutex);
}

void lake_collect_run(void *context)
{
    struct lake *lake = context;
    struct collector *collector = mem_zero(1, sizeof *collector);
    collector->lake = lake;
    for (;;) {
        struct lake_offered *offered = queue_pop(lake->queue, LOOK_US);
        read_shared(collector);
        if (offered && offered->batch) {
            collect(collector, offered);
            collector->collected++;
            give_room(lake, offered->batch->bytes);
            record_batch_release(offered->batch);
        }
        free(offered);
        if (collector->stopping)
            break;
        close_by_age(collector);
        share(collector); /* who waits for a flush sees what it has taken */
        close_by_flush(collector);
    }
    for (size_t i = 0; i < collector->used_count; i++)
        drop_open(collector, lake->used[i]);
    free(collector);
}
