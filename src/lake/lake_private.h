/*
 * Between the files of lake/lake: lake.c (outside), lake_collect.c (the collecting thread), lake_land.c
 * (files and landers). One mutex guards what is under "shared"; no file or network is touched while it is
 * held.
 */
#ifndef SMARTCITY_LAKE_LAKE_PRIVATE_H
#define SMARTCITY_LAKE_LAKE_PRIVATE_H

#include "base/worker.h"
#include "lake/lake.h"

#include <pthread.h>
#include <stdatomic.h>

#define LAKE_QUEUE       64
#define LAKE_QUEUE_BYTES (12u << 20) /* of records in it */
#define LAKE_LANDERS_MAX 8
#define LAKE_TICKETS     64
#define LAKE_SMALL_BYTES (4 << 20)
#define LAKE_SMALL_WARN  32

struct lake_partition {
    enum event_kind kind;
    int32_t number;
    /* the collector's own */
    struct lake_batch *open;
    int64_t opened_us;   /* monotonic */
    int64_t next;        /* offset; -1 whatever comes */
    int64_t redo_end;    /* -1: no redo */
    uint64_t generation; /* of the assignment it works for */
    /* shared */
    uint64_t assigned; /* generation of the latest assignment; older records and batches are dropped */
    int64_t assigned_start, assigned_redo_end;
    bool revoked;
    bool busy; /* a lander has one of its items */
    enum lake_partition_state state;
    int64_t landed_end;
    char problem[160];
    struct lake_partition_figures shown;
};

/* A closed batch on its way: in memory, then as an item. */
struct lake_way {
    struct lake_way *next;
    struct lake_partition *partition;
    uint64_t generation, sequence, ticket; /* ticket: of the flush that closed it, or 0 */
    struct lake_batch *batch;              /* until it is spooled */
    struct lake_item *item;
    size_t memory_bytes;
    uint64_t rows, quarantined;
    bool redo;
    int64_t closed_us; /* monotonic */
    int64_t retry_at;  /* monotonic; 0 now */
    uint32_t tries;
    bool taken; /* by the files thread or a lander */
};

/* What lies in the queue. */
struct lake_offered {
    struct record_batch *batch; /* NULL: only wakes */
    uint64_t generation;        /* of the newest assignment when it was offered */
};

struct lake_ticket {
    uint64_t number; /* 0: none */
    int kind;
    bool closed;      /* the collector has closed what there was */
    uint64_t offered; /* it does when so many were collected */
    uint64_t target;  /* done when no way up to this sequence is left */
    int64_t began_us;
    struct lake_flushed flushed;
};

struct lake {
    struct lake_remote_aws *own_remote;
    const struct lake_remote *remote;
    struct lake_schema schemas[EVENT_KIND_COUNT];
    char bucket[64], cluster[LAKE_CLUSTER_SIZE], writer_id[LAKE_WRITER_SIZE];
    char folder[FILE_PATH_SIZE];
    int lock_fd;
    struct log *log;
    void (*on_landed)(void *context, const struct lake_intent *intent, bool recovered);
    void (*on_commit)(void *context, enum event_kind kind, int32_t partition, int64_t end);
    void *context;
    bool catalogue;
    int64_t spool_limit;
    size_t memory_limit;

    struct lake_engine *engine;
    struct lake_writer *file_writer, *compact_writer, *lander_writers[LAKE_LANDERS_MAX];
    int lander_count;
    struct queue *queue;
    struct worker *collector, *files, *landers[LAKE_LANDERS_MAX];
    pthread_mutex_t compacting;
    struct event *scratch; /* the collector's */

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* shared */
    bool stopping, paused;
    bool blocked_memory, blocked_spool;
    uint64_t offered;       /* batches of records put into the queue */
    size_t queued_bytes;    /* of records that wait there */
    int offering;           /* who waits for room */
    uint64_t flush_pending; /* tickets that are not closed yet */
    uint32_t batch_rows;
    size_t batch_bytes;
    int64_t batch_age_us;
    struct lake_partition *partitions[EVENT_KIND_COUNT][LAKE_PARTITIONS_MAX];
    struct lake_partition *used[EVENT_KIND_COUNT * LAKE_PARTITIONS_MAX]; /* the same, together */
    size_t used_count;
    struct lake_way *ways, **ways_end; /* in order of closing */
    uint64_t sequence, generation, tickets;
    size_t closed_bytes; /* in memory */
    int64_t spooled_bytes;
    char file_problem[200];
    struct lake_ticket flushes[LAKE_TICKETS];
    struct lake_figures figures; /* counters and recent; the rest is filled when asked */
};

void lake_collect_run(void *lake);
void lake_files_run(void *lake);
void lake_lander_run(void *lander);
struct lake_lander {
    struct lake *lake;
    int number;
};

/* With the mutex held. */
struct lake_partition *lake_partition_at(struct lake *lake, int kind, int32_t number); /* made when new */
struct lake_batch_figures *lake_recent(struct lake *lake, uint64_t sequence);          /* NULL: too old */
/* Takes the way out of the list and frees it; tickets are settled. */
void lake_way_end(struct lake *lake, struct lake_way *way, enum lake_batch_state state, const char *problem);
/* Is it of an assignment that is over, or fenced? */
bool lake_way_stale(const struct lake_way *way);
void lake_settle_tickets(struct lake *lake);
void lake_wait_until(struct lake *lake, int64_t mono_us); /* or until something changes */

#endif
