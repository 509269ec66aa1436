/*
 * The lake writer: record batches in, objects in S3 out, exactly once.
 *
 *     lake_offer ─▶ queue ─▶ collect ─▶ closed batches ─▶ files ─▶ spool ─▶ landers ─▶ S3, Glue ─▶ commit
 *                   bounded  (1 thread)  bounded bytes    (1)      bounded   (several)
 *
 * When a stage is full the one before it waits, and at last lake_offer() says no: the caller then pauses
 * Kafka. Nothing is dropped. When S3 is away, files wait in the spool folder up to its limit.
 *
 *     start = committed;
 *     lake_assign(lake, kind, partition, &start, err)     where to read from; S3 knows better than Kafka
 *     lake_offer(lake, batch, timeout)                    records, in order of offsets
 *     on_commit(context, kind, partition, end)            what may be committed
 *     lake_flush() …                                      close and land what is there, now
 *     lake_destroy()
 *
 * A second writer of the same partition is found out by the first intent that both want to write: the later
 * one is fenced, lands no more, and says so; lake_assign() begins anew.
 *
 * Threads: create and destroy from one; everything else from any. Callbacks come on threads of the lake's and
 * may not call back into it, but for lake_figures().
 */
#ifndef SMARTCITY_LAKE_LAKE_H
#define SMARTCITY_LAKE_LAKE_H

#include "base/log.h"
#include "base/queue.h"
#include "lake/intent.h"
#include "lake/landing.h"

struct lake;
struct aws_client;

#define LAKE_PARTITIONS_MAX 1024 /* of one topic */
#define LAKE_SHOWN          128  /* partitions in the figures */
#define LAKE_RECENT         48   /* batches in the figures */

struct lake_settings {
    struct aws_client *client;        /* or, for tests, `remote` */
    const struct lake_remote *remote; /* used instead of the client when given; outlives the lake */
    const char *bucket;               /* with the client: texts are copied */
    const char *owner, *encryption, *encryption_key; /* lake_remote_settings; NULL */
    /* Names the broker when its offsets begin anew with every run, as the embedded one's do: [a-z0-9-], at
     * most
     * 63. NULL or "" for a cluster that keeps its offsets. */
    const char *cluster;
    const char *spool_folder; /* absolute; made when absent; of this lake alone: emptied at the start */
    int64_t spool_bytes;      /* 0: 2 GB */
    size_t memory_bytes;      /* of records in memory, open and closed; 0: 64 MiB */
    uint32_t batch_rows;      /* a batch is closed at so many; 0: 500,000 */
    size_t batch_bytes;       /* or at so many bytes in memory; 0: 24 MiB */
    int64_t batch_age_us;     /* or when its oldest record has waited so long; 0: 60 s */
    int landers;              /* 0: 3 */
    bool paused;              /* at the start */
    bool no_catalogue;        /* do not register partitions in Glue */
    struct log *log;
    /* May be NULL. After the objects are there and the partitions known; before the next of this partition.
     */
    void (*on_landed)(void *context, const struct lake_intent *intent, bool recovered);
    void (*on_commit)(void *context, enum event_kind kind, int32_t partition, int64_t end);
    void *context;
};

/* Locks the spool folder (ERR_BUSY names the owner), looks for DuckDB (ERR_NOT_FOUND, with the cure), starts
 * the threads; asks S3 nothing yet. */
struct lake *lake_create(const struct lake_settings *settings, struct err *err);
/* Ends soon: what is not landed yet is left to the next run, which reads it from Kafka again. Flush before,
 * to land it. NULL allowed. */
void lake_destroy(struct lake *lake);
const struct lake_remote *lake_remote(struct lake *lake); /* for the pipeline; as long as the lake */
/* Makes the bucket and the tables of the raw zone when they are missing. Blocks. *made says whether it did.
 */
int lake_prepare(struct lake *lake, bool *made, struct err *err);

/* Reads the newest intent in S3. *start in: what Kafka has committed, -1 nothing; out: where to read from
 * (-1: as the consumer is told to begin). Forgets what is open of this partition. Blocks; call it before the
 * records. */
int lake_assign(struct lake *lake, enum event_kind kind, int32_t partition, int64_t *start, struct err *err);
/* The partition is somebody else's now: what is not closed yet is forgotten, and stays uncommitted. */
void lake_revoke(struct lake *lake, enum event_kind kind, int32_t partition);

/* Takes a reference. timeout_us: 0 tries, -1 waits. False: full in time; pause the source. */
bool lake_offer(struct lake *lake, struct record_batch *batch, int64_t timeout_us);

/* ---- flush control ---------------------------------------------------------------------------------- */

/* Closes what was offered until now (kind -1: of every topic) and lands it, paused or not. Returns a ticket.
 */
uint64_t lake_flush(struct lake *lake, int kind);
struct lake_flushed {
    bool done, failed;                      /* failed: fenced, or the lake has ended */
    uint64_t batches, rows, objects, bytes; /* of what this flush closed, as far as landed */
    int64_t took_us;
    char problem[200]; /* why it takes so long; "" */
};
/* Also for progress. False: no such ticket (64 are kept). */
bool lake_flush_look(struct lake *lake, uint64_t ticket, struct lake_flushed *flushed);
/* Waits for the end: 0, or -1: ERR_BUSY not done in time (it goes on), ERR_REMOTE failed. */
int lake_flush_wait(struct lake *lake, uint64_t ticket, int64_t timeout_us, struct lake_flushed *flushed,
                    struct err *err);
/* Paused, nothing is closed by age or size; when memory is full the source is paused. */
void lake_pause(struct lake *lake, bool paused);
/* Tries at once what waits for its next try. */
void lake_retry(struct lake *lake);
/* 0 keeps what it is. */
void lake_set_limits(struct lake *lake, uint32_t batch_rows, size_t batch_bytes, int64_t batch_age_us);

/* ---- compaction ------------------------------------------------------------------------------------- */

struct lake_compacted {
    size_t files;
    int64_t rows, bytes_before, bytes_after;
    char location[LAKE_URL_SIZE];
    bool done; /* false: there was nothing to gain */
};
/* One file out of all of a day's, which the partition then points to; readers see either. What was there
 * stays (a record that comes late points the partition back to it). dry_run: only looks. Blocks for long. */
int lake_compact(struct lake *lake, enum event_kind kind, const char *dt, bool dry_run,
                 struct lake_compacted *compacted, struct err *err);

/* ---- figures ---------------------------------------------------------------------------------------- */

enum lake_partition_state {
    LAKE_PARTITION_OPEN,
    LAKE_PARTITION_REDO,   /* taking again what another run began to land */
    LAKE_PARTITION_FENCED, /* somebody else writes it */
    LAKE_PARTITION_FAULT   /* S3 holds something else under a name of ours */
};
const char *lake_partition_state_name(enum lake_partition_state state); /* "open", … */

struct lake_partition_figures {
    enum event_kind kind;
    int32_t partition;
    enum lake_partition_state state;
    uint32_t rows; /* waiting in the open batch */
    size_t bytes;
    int64_t oldest_us;     /* wall clock, of its first record; 0 none */
    int64_t start, end;    /* offsets of the open batch */
    uint32_t days, frames; /* of it: files and pictures */
    int64_t landed_end;    /* -1 nothing yet */
    char problem[160];
};

enum lake_batch_state {
    LAKE_BATCH_CLOSED,  /* waits to become a file */
    LAKE_BATCH_SPOOLED, /* waits for its turn */
    LAKE_BATCH_LANDING,
    LAKE_BATCH_WAITING, /* for its next try; problem says why */
    LAKE_BATCH_LANDED,
    LAKE_BATCH_FENCED,
    LAKE_BATCH_FAULT
};
const char *lake_batch_state_name(enum lake_batch_state state); /* "closed", … */

struct lake_batch_figures {
    uint64_t sequence;
    struct lake_batch_key key;
    enum lake_batch_state state;
    uint64_t rows, quarantined;
    int64_t file_bytes;
    uint32_t files, frames, tries;
    int64_t opened_us, closed_us, landed_us; /* wall clock; 0 not yet */
    bool redo;
    char problem[160];
};

struct lake_kind_figures {
    uint64_t taken;       /* records offered, without those of before */
    uint64_t rows;        /* landed */
    uint64_t quarantined; /* landed beside */
    uint64_t waiting;     /* rows open, closed or in the spool */
    uint64_t missing;     /* offsets that Kafka skipped */
    uint64_t repeated;    /* offered twice, taken once */
    uint64_t refused;     /* of fenced partitions */
    uint64_t returned;    /* forgotten by revoke or assign: not committed */
    uint64_t unfit, unknown;
    uint64_t objects, object_bytes; /* data files landed */
    uint64_t small;                 /* of them, small ones */
};

struct lake_figures {
    bool paused;
    uint32_t batch_rows;
    size_t batch_bytes;
    int64_t batch_age_us;
    struct queue_figures queue;

    /* What the next flush writes. */
    uint64_t open_rows, open_batches, open_files, open_frames;
    size_t open_bytes;
    double open_file_bytes; /* as files, estimated by those before */
    int64_t oldest_us;      /* wall clock; 0 none */
    int64_t next_close_us;  /* monotonic: when age closes one; 0 none */

    uint64_t closed, spooled, landing; /* batches on their way */
    size_t memory_bytes, memory_limit;
    int64_t spool_bytes, spool_limit;
    bool blocked; /* the source waits: memory or spool is full */

    uint64_t batches;                   /* landed */
    struct lake_landing_counts objects; /* all of them: intents, pictures, quarantine and data */
    uint64_t retries, fenced, faults;
    int64_t landed_us;  /* wall clock, last; 0 never */
    int64_t landing_us; /* how long the last took, from closed to landed */
    uint64_t foreign;   /* records of topics or partitions that are not ours */
    char problem[200];  /* what stands in the way now; "" nothing */
    char warning[200];  /* small files: "" none */

    struct lake_kind_figures kinds[EVENT_KIND_COUNT];
    struct lake_partition_figures partitions[LAKE_SHOWN];
    size_t partition_count;
    struct lake_batch_figures recent[LAKE_RECENT]; /* newest first */
    size_t recent_count;
    char bucket[64], cluster[LAKE_CLUSTER_SIZE];
};
/* Large: keep one, do not put it on a small stack. */
void lake_figures(struct lake *lake, struct lake_figures *figures);

#endif
