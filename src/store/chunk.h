/*
 * A chunk: some hundreds of records as one compressed block, the unit in which a journey is written, checked,
 * skipped when damaged and dropped by the ring. Pure: bytes in, bytes out. One thread an object. The layout
 * is described in docs/journey-format.md.
 */
#ifndef SMARTCITY_STORE_CHUNK_H
#define SMARTCITY_STORE_CHUNK_H

#include "base/buf.h"
#include "base/err.h"
#include "city/record.h"

#define CHUNK_TARGET       (512u << 10) /* bytes before compression at which a chunk is closed */
#define CHUNK_RECORD_LIMIT (16u << 20)  /* key, headers and value of one record */
#define CHUNK_RAW_LIMIT    (CHUNK_RECORD_LIMIT + (4u << 20)) /* a reader refuses to unpack more */
#define CHUNK_TOPICS       (EVENT_KIND_COUNT + 1) /* slot 0: a topic that is not ours; kind + 1 otherwise */

/* What the index of a journey says of a chunk. */
struct chunk_summary {
    int64_t first_us, last_us; /* positions, microseconds since the journey's first record */
    int64_t min_ms, max_ms;    /* event time */
    int64_t end_ms;            /* event time of the last record */
    uint32_t records;
    uint64_t raw_bytes; /* before compression */
    uint32_t topic_records[CHUNK_TOPICS];
    uint64_t topic_bytes[CHUNK_TOPICS]; /* key + value */
};

struct chunk_writer;
struct chunk_writer *chunk_writer_create(void);
void chunk_writer_destroy(struct chunk_writer *writer);
/* origin_us: wall time of position 0; the same for all records of a journey. ERR_FULL (nothing added): seal
 * first; ERR_LIMIT: larger than CHUNK_RECORD_LIMIT, never fits. */
int chunk_add(struct chunk_writer *writer, const struct record *record, int64_t event_ms, int64_t position_us,
              int64_t origin_us, struct err *err);
/* From the next seal on: compress less well and faster. */
void chunk_hurry(struct chunk_writer *writer, bool on);
uint32_t chunk_records(const struct chunk_writer *writer);
size_t chunk_raw_bytes(const struct chunk_writer *writer);
/* Appends the compressed chunk to `out` and starts the next one; there must be at least one record. */
int chunk_seal(struct chunk_writer *writer, struct buf *out, struct chunk_summary *summary, struct err *err);

struct chunk_reader;
struct chunk_reader *chunk_reader_create(void);
void chunk_reader_destroy(struct chunk_reader *reader);
/* Unpacks and checks a whole chunk; ERR_CORRUPT when any of it cannot be trusted. `bytes` may go afterwards.
 */
int chunk_load(struct chunk_reader *reader, const void *bytes, size_t length, struct err *err);
/* The length of the first chunk of several in a row; 0: there is none. */
size_t chunk_frame_length(const void *bytes, size_t length);
uint32_t chunk_left(const struct chunk_reader *reader);
/* record->kind is what the writer's was; a file of another version may hold kinds up to 14 that are not ours.
 * False at the end, or at damage (then ERR_CORRUPT; what came before is good). Borrowed until the next load.
 */
bool chunk_next(struct chunk_reader *reader, struct record *record, int64_t *event_ms, int64_t *position_us,
                struct err *err);

#endif
