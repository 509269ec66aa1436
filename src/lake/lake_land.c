/* The way of a closed batch: to files in the spool, by one thread; into S3, by several, each partition in
 * order. */
#include "base/clock.h"
#include "base/text.h"
#include "lake/lake_private.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_US       500000
#define FILE_RETRY_US 3000000
#define RETRY_MIN_US  250000
#define RETRY_MAX_US  15000000
#define FAULT_WAIT_US 60000000

/* ---- the list, with the mutex held ------------------------------------------------------------------- */

bool lake_way_stale(const struct lake_way *way)
{
    const struct lake_partition *partition = way->partition;
    return partition->revoked || way->generation != partition->assigned ||
           partition->state == LAKE_PARTITION_FENCED;
}

struct lake_batch_figures *lake_recent(struct lake *lake, uint64_t sequence)
{
    struct lake_batch_figures *recent = &lake->figures.recent[sequence % LAKE_RECENT];
    return recent->sequence == sequence ? recent : NULL;
}

static void set_state(struct lake *lake, const struct lake_way *way, enum lake_batch_state state,
                      const char *problem)
{
    struct lake_batch_figures *recent = lake_recent(lake, way->sequence);
    if (!recent)
        return;
    recent->state = state;
    recent->tries = way->tries;
    text_copy(recent->problem, sizeof recent->problem, problem);
    if (state == LAKE_BATCH_LANDED)
        recent->landed_us = clock_wall_us();
}

static struct lake_ticket *ticket_of(struct lake *lake, const struct lake_way *way)
{
    struct lake_ticket *ticket = &lake->flushes[way->ticket % LAKE_TICKETS];
    return way->ticket && ticket->number == way->ticket ? ticket : NULL;
}

void lake_settle_tickets(struct lake *lake)
{
    uint64_t oldest = lake->ways ? lake->ways->sequence : UINT64_MAX;
    for (int i = 0; i < LAKE_TICKETS; i++) {
        struct lake_ticket *ticket = &lake->flushes[i];
        if (!ticket->number || !ticket->closed || ticket->flushed.done || oldest <= ticket->target)
            continue;
        ticket->flushed.done = true;
        ticket->flushed.took_us = clock_mono_us() - ticket->began_us;
        ticket->flushed.problem[0] = '\0';
    }
}

void lake_way_end(struct lake *lake, struct lake_way *way, enum lake_batch_state state, const char *problem)
{
    struct lake_way **place = &lake->ways;
    while (*place != way)
        place = &(*place)->next;
    *place = way->next;
    if (lake->ways_end == &way->next)
        lake->ways_end = place;
    if (way->batch)
        lake->closed_bytes -= way->memory_bytes;
    if (way->item)
        lake->spooled_bytes -= way->item->spool_bytes;
    set_state(lake, way, state, problem);
    struct lake_ticket *ticket = ticket_of(lake, way);
    if (ticket && state != LAKE_BATCH_LANDED)
        ticket->flushed.failed = true;
    if (state != LAKE_BATCH_LANDED)
        lake->figures.kinds[way->partition->kind].returned += way->rows + way->quarantined;
    lake_settle_tickets(lake);
    pthread_cond_broadcast(&lake->changed);
    pthread_mutex_unlock(&lake->mutex);
    lake_item_destroy(way->item);
    lake_batch_destroy(way->batch);
    free(way);
    pthread_mutex_lock(&lake->mutex);
}

/* Those of assignments that are over are nobody's. The next of them; NULL. */
static struct lake_way *first_stale(struct lake *lake)
{
    for (struct lake_way *way = lake->ways; way; way = way->next)
        if (!way->taken && lake_way_stale(way))
            return way;
    return NULL;
}

static void drop_stale(struct lake *lake)
{
    struct lake_way *way;
    while ((way = first_stale(lake)) != NULL)
        lake_way_end(lake, way, LAKE_BATCH_FENCED, "not landed: its partition is another writer's");
}

void lake_wait_until(struct lake *lake, int64_t mono_us)
{
    const struct timespec until = {.tv_sec = mono_us / 1000000, .tv_nsec = mono_us % 1000000 * 1000};
    pthread_cond_timedwait(&lake->changed, &lake->mutex, &until);
}

/* ---- files ------------------------------------------------------------------------------------------- */

static struct lake_way *next_to_spool(struct lake *lake)
{
    for (struct lake_way *way = lake->ways; way; way = way->next)
        if (way->batch && !way->taken)
            return way;
    return NULL;
}

static void spool(struct lake *lake, struct lake_way *way)
{
    struct err err = ERR_INIT;
    way->taken = true;
    pthread_mutex_unlock(&lake->mutex);
    struct lake_item *item = lake_spool(lake->file_writer, way->batch, lake->folder, lake->writer_id, &err);
    if (item) {
        item->redo = way->redo;
        item->sequence = way->sequence;
        lake_batch_destroy(way->batch);
    } else {
        log_write(lake->log, LOG_ERROR, "lake", "no file could be written: %s", err.text);
    }
    pthread_mutex_lock(&lake->mutex);
    way->taken = false;
    if (!item) {
        way->tries++;
        text_copy(lake->file_problem, sizeof lake->file_problem, err.text);
        set_state(lake, way, LAKE_BATCH_WAITING, err.text);
        if (!lake->stopping)
            lake_wait_until(lake, clock_mono_us() + FILE_RETRY_US);
        return;
    }
    lake->file_problem[0] = '\0';
    way->tries = 0;
    way->batch = NULL;
    way->item = item;
    lake->closed_bytes -= way->memory_bytes;
    lake->spooled_bytes += item->spool_bytes;
    struct lake_batch_figures *recent = lake_recent(lake, way->sequence);
    if (recent) {
        recent->files = (uint32_t)item->intent.file_count;
        for (size_t i = 0; i < item->intent.file_count; i++)
            recent->file_bytes += item->intent.files[i].bytes;
    }
    set_state(lake, way, LAKE_BATCH_SPOOLED, "");
    pthread_cond_broadcast(&lake->changed);
}

void lake_files_run(void *context)
{
    struct lake *lake = context;
    pthread_mutex_lock(&lake->mutex);
    while (!lake->stopping) {
        drop_stale(lake);
        lake->blocked_spool = lake->spooled_bytes >= lake->spool_limit;
        struct lake_way *way = lake->blocked_spool ? NULL : next_to_spool(lake);
        if (way)
            spool(lake, way);
        else
            lake_wait_until(lake, clock_mono_us() + LOOK_US);
    }
    pthread_mutex_unlock(&lake->mutex);
}

/* ---- landers ----------------------------------------------------------------------------------------- */

/* The oldest item whose partition is free; an item that waits holds back those behind it. */
static struct lake_way *next_to_land(struct lake *lake, int64_t now, int64_t *again_at)
{
    for (struct lake_way *way = lake->ways; way; way = way->next) {
        bool first = true; /* of its partition */
        for (struct lake_way *before = lake->ways; before != way && first; before = before->next)
            first = before->partition != way->partition;
        if (!first || !way->item || way->taken || way->partition->busy)
            continue;
        if (way->retry_at <= now)
            return way;
        if (way->retry_at < *again_at)
            *again_at = way->retry_at;
    }
    return NULL;
}

static void note_landed(struct lake *lake, const struct lake_way *way)
{
    const struct lake_intent *intent = &way->item->intent;
    struct lake_kind_figures *kind = &lake->figures.kinds[intent->key.kind];
    struct lake_ticket *ticket = ticket_of(lake, way);
    kind->rows += (uint64_t)intent->rows;
    kind->quarantined += (uint64_t)intent->quarantined;
    for (size_t i = 0; i < intent->file_count; i++) {
        kind->objects++;
        kind->object_bytes += (uint64_t)intent->files[i].bytes;
        kind->small += intent->files[i].bytes < LAKE_SMALL_BYTES;
        if (ticket) {
            ticket->flushed.objects++;
            ticket->flushed.bytes += (uint64_t)intent->files[i].bytes;
        }
    }
    if (ticket) {
        ticket->flushed.batches++;
        ticket->flushed.rows += (uint64_t)intent->rows;
    }
    lake->figures.batches++;
    lake->figures.landed_us = clock_wall_us();
    lake->figures.landing_us = clock_mono_us() - way->closed_us;
    way->partition->landed_end = intent->key.end;
    way->partition->problem[0] = '\0';
    if (way->partition->state == LAKE_PARTITION_FAULT)
        way->partition->state = LAKE_PARTITION_OPEN;
}

static void add_counts(struct lake *lake, const struct lake_landing_counts *counts)
{
    struct lake_landing_counts *all = &lake->figures.objects;
    all->objects += counts->objects;
    all->bytes += counts->bytes;
    all->found += counts->found;
    all->conflicts += counts->conflicts;
    all->partitions += counts->partitions;
}

static void try_later(struct lake *lake, struct lake_way *way, enum lake_landed outcome,
                      const struct err *err)
{
    int64_t wait = RETRY_MIN_US;
    for (uint32_t i = 0; i < way->tries && wait < RETRY_MAX_US; i++)
        wait *= 2;
    if (outcome == LAKE_FAULT)
        wait = FAULT_WAIT_US;
    way->tries++;
    way->retry_at = clock_mono_us() + (wait < RETRY_MAX_US || outcome == LAKE_FAULT ? wait : RETRY_MAX_US);
    lake->figures.retries++;
    set_state(lake, way, outcome == LAKE_FAULT ? LAKE_BATCH_FAULT : LAKE_BATCH_WAITING, err->text);
    text_copy(way->partition->problem, sizeof way->partition->problem, err->text);
    struct lake_ticket *ticket = ticket_of(lake, way);
    if (ticket)
        text_copy(ticket->flushed.problem, sizeof ticket->flushed.problem, err->text);
    if (outcome != LAKE_FAULT)
        return;
    if (way->partition->state != LAKE_PARTITION_FAULT)
        lake->figures.faults++;
    way->partition->state = LAKE_PARTITION_FAULT;
}

static void fence(struct lake *lake, struct lake_way *way, const struct err *err)
{
    way->partition->state = LAKE_PARTITION_FENCED;
    text_copy(way->partition->problem, sizeof way->partition->problem, err->text);
    lake->figures.fenced++;
    way->taken = false;
    drop_stale(lake);
}

/* Called without the mutex: the callbacks may take their time, and nothing else of the partition lands. */
static void tell(struct lake *lake, const struct lake_way *way)
{
    const struct lake_intent *intent = &way->item->intent;
    if (lake->on_landed)
        lake->on_landed(lake->context, intent, way->redo);
    if (lake->on_commit)
        lake->on_commit(lake->context, intent->key.kind, intent->key.partition, intent->key.end);
}

static void land(struct lake_lander *lander, struct lake_way *way)
{
    struct lake *lake = lander->lake;
    struct lake_partition *partition = way->partition;
    way->taken = partition->busy = true;
    set_state(lake, way, LAKE_BATCH_LANDING, "");
    pthread_mutex_unlock(&lake->mutex);

    struct err err = ERR_INIT;
    struct lake_landing landing = {.remote = lake->remote,
                                   .writer = lake->lander_writers[lander->number],
                                   .folder = lake->folder,
                                   .schemas = lake->schemas,
                                   .catalogue = lake->catalogue,
                                   .log = lake->log};
    enum lake_landed outcome = lake_land(&landing, way->item, &err);
    if (outcome == LAKE_LANDED)
        tell(lake, way);
    else if (outcome != LAKE_LATER || way->tries == 0)
        log_write(lake->log, outcome == LAKE_LATER ? LOG_WARNING : LOG_ERROR, "lake", "%s %d: %s",
                  event_topic(partition->kind), (int)partition->number, err.text);

    pthread_mutex_lock(&lake->mutex);
    add_counts(lake, &landing.counts);
    partition->busy = false;
    if (outcome == LAKE_LANDED) {
        note_landed(lake, way);
        lake_way_end(lake, way, LAKE_BATCH_LANDED, "");
    } else if (outcome == LAKE_FENCED) {
        fence(lake, way, &err);
    } else {
        way->taken = false;
        try_later(lake, way, outcome, &err);
    }
    pthread_cond_broadcast(&lake->changed);
}

void lake_lander_run(void *context)
{
    struct lake_lander *lander = context;
    struct lake *lake = lander->lake;
    pthread_mutex_lock(&lake->mutex);
    while (!lake->stopping) {
        int64_t now = clock_mono_us(), again_at = now + LOOK_US;
        drop_stale(lake);
        struct lake_way *way = next_to_land(lake, now, &again_at);
        if (way)
            land(lander, way);
        else
            lake_wait_until(lake, again_at);
    }
    pthread_mutex_unlock(&lake->mutex);
    free(lander);
}
