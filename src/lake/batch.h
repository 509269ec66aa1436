/*
 * A batch: the records [start, end) of one topic-partition, decoded straight into columns that lie in memory
 * as DuckDB's vectors do, so that nothing is converted on the way to Parquet. No allocation a row: values go
 * into blocks of 2048 rows, texts that do not fit a vector's cell into an arena of the batch, camera frames
 * and what cannot be decoded beside them. Memory is counted, to the byte of what was filled.
 *
 * A batch is filled by one thread, then closed, then read by one. It knows nothing of where it will land.
 */
#ifndef SMARTCITY_LAKE_BATCH_H
#define SMARTCITY_LAKE_BATCH_H

#include "city/codec.h"
#include "city/record.h"
#include "lake/lake_schema.h"

#define LAKE_BLOCK_ROWS       2048
#define LAKE_ROWS_MAX         (8u << 20) /* of one batch */
#define LAKE_DAYS_MAX         64         /* a file each */
#define LAKE_FRAMES_MAX       4096
#define LAKE_FRAME_BYTES      (3u << 20) /* of one picture */
#define LAKE_QUARANTINE_BYTES (8u << 20)
#define LAKE_QUARANTINE_VALUE (1u << 20) /* of one record; a longer one is cut, and says so */
#define LAKE_CLUSTER_SIZE     64
#define LAKE_DT_SIZE          11

/* What a batch is known by, everywhere: in names of objects, in the ledger, in tokens. */
struct lake_batch_key {
    char cluster[LAKE_CLUSTER_SIZE]; /* "" : the layout has no such level; [a-z0-9-] */
    enum event_kind kind;
    int32_t partition;
    int64_t start, end; /* Kafka offsets; a gap inside belongs to it */
};

/* Of a picture: its object's key is in the row. */
struct lake_frame {
    char *key;
    char content_type[24];
    uint8_t *bytes;
    size_t length;
};

struct lake_block {
    size_t size; /* of its memory */
    uint32_t rows;
    uint32_t *nulls;  /* a column: how many */
    uint8_t **values; /* a column: LAKE_BLOCK_ROWS of its type */
    uint64_t **valid; /* a column: a bit a row */
};

struct lake_batch {
    struct lake_batch_key key;
    const struct lake_schema *schema; /* of LAKE_RAW; borrowed */
    struct lake_block **blocks;
    size_t block_count, block_capacity;
    uint32_t rows;
    size_t bytes;              /* of everything held */
    int64_t opened_us;         /* wall clock: when the first record came */
    int64_t first_ms, last_ms; /* of event times; valid when rows > 0 */
    bool sorted;               /* rows came in order of their event time */

    struct lake_frame *frames;
    size_t frame_count, frame_capacity;
    struct buf quarantine; /* NDJSON: offset, key, reason, value in Base64 */

    uint64_t records;     /* taken: rows and quarantined */
    uint64_t quarantined; /* could not be decoded */
    uint64_t missing;     /* offsets that Kafka skipped */
    uint64_t unfit;       /* values taken as null, pictures that are none */
    uint64_t unknown;     /* fields that the table does not have */

    int32_t days[LAKE_DAYS_MAX]; /* since 1970; as they came */
    size_t day_count;

    /* private */
    struct lake_arena *arena;
    union duck_string cluster;
};

/* opened_us: now, wall clock. */
struct lake_batch *lake_batch_create(const struct lake_schema *schema, const char *cluster, int32_t partition,
                                     int64_t start, int64_t opened_us);
void lake_batch_destroy(struct lake_batch *batch); /* NULL allowed */

enum lake_added {
    LAKE_ADDED,
    LAKE_QUARANTINED, /* kept beside the rows */
    LAKE_NO_ROOM      /* nothing was taken: close it, and add to the next */
};
/* The record's offset is at least key.end, which moves behind it; its kind is the batch's. `event` is scratch
 * (large: not for every caller's stack). */
enum lake_added lake_batch_add(struct lake_batch *batch, const struct record *record, struct event *event);

/* ---- reading a closed batch --------------------------------------------------------------------------- */

/* Rows in order of event time (as they came, where equal), and where the days are in that order. */
struct lake_day {
    char dt[LAKE_DT_SIZE];
    uint32_t from, to; /* positions in the order */
};
struct lake_order {
    uint32_t *rows; /* NULL: as they are */
    struct lake_day days[LAKE_DAYS_MAX];
    size_t day_count;
};
void lake_order_init(struct lake_order *order, const struct lake_batch *batch);
void lake_order_free(struct lake_order *order);

/* A window on it, for duck_source_set(). */
struct lake_reader {
    const struct lake_batch *batch;
    const struct lake_order *order;
    uint32_t at, to;
};
size_t lake_reader_read(void *reader, struct duck_chunk *chunk, size_t limit); /* a duck_source_read_fn */

/* "2026-01-12" of a time in ms, UTC. */
char *lake_dt(char out[LAKE_DT_SIZE], int64_t event_ms);

#endif
