/*
 * A journey file: one portable SQLite database with every event in order, as it was delivered: topic,
 * partition, offset, key, headers, value, times; markers; scenario and seed. The file format is described in
 * docs/journey-format.md. Compact (records are stored in compressed chunks with an index by time), so that
 * ten million events seek in milliseconds; keyframes of the city let a scrubber jump.
 *
 * Writing: one thread (the recorder). A commit at least every second; kill -9 loses at most what was not
 * committed. Reading: one thread a reader; while the file is still being written is fine.
 *
 * Position: a record's place on the journey's own time axis, microseconds of arrival since the first record
 * the file held when it was opened. It never goes back, whatever the wall clock did. Event time is simulated
 * time, ms.
 */
#ifndef SMARTCITY_STORE_JOURNEY_H
#define SMARTCITY_STORE_JOURNEY_H

#include "base/err.h"
#include "city/record.h"

struct journey_info {
    char path[512];
    char name[64];                /* "" unless somebody named it; named ones are never pruned */
    int64_t started_us, ended_us; /* wall, of the first and last record held */
    int64_t length_us;            /* position of the last record */
    int64_t first_ms, last_ms;    /* simulated time of the first and last event */
    uint64_t events[EVENT_KIND_COUNT];
    uint64_t total, bytes; /* records; payload bytes before compression */
    int64_t file_bytes;
    int64_t limit_bytes;     /* of the ring; 0: none */
    bool squeezed;           /* of a writer: the disk is nearly full, so the ring does not grow */
    uint64_t dropped_oldest; /* records the ring has let go */
    uint64_t damaged_chunks, damaged_records; /* passed over by this reader so far */
    char seed[24], source[64];                /* "7"; "LOCAL" or the cluster */
    bool open;                                /* being recorded now (its writer lives) */
    bool clean;                               /* closed in order */
    uint32_t markers, keyframes;
};

struct journey_settings {
    const char *path; /* NULL: for recorder_create only, which then chooses one in `folder` */
    const char *name; /* NULL or "": unnamed */
    const char *seed;
    const char *source;
    int64_t limit_bytes;        /* ring: the oldest chunks go when the file would pass it; 0 none */
    int64_t keep_free_bytes;    /* a ring of 16 MiB or more does not grow when the disk has less; 0:
                                   JOURNEY_KEEP_FREE */
    const char *folder;         /* only where path is NULL; made when missing */
    int64_t folder_limit_bytes; /* before a path is chosen there, journeys_prune with this; 0: none */
};

#define JOURNEY_KEEP_FREE (64 << 20)
#define JOURNEY_LIMIT_MIN (16 << 20) /* a smaller ring is refused */

struct journey_writer;
/* The folder must exist; a file that holds anything is never written over (ERR_USAGE). */
struct journey_writer *journey_create(const struct journey_settings *settings, struct err *err);
/* More comes than the usual compression keeps up with: compress less well and faster, until it is taken back.
 * Any writer's thread. */
void journey_hurry(struct journey_writer *writer, bool on);
/* Adds in order of arrival. event_ms: simulated time, or the record's own time when it could not be decoded.
 * On -1 the record was not added: ERR_LIMIT, it never will be; otherwise (a full disk) try it again, nothing
 * is lost. */
int journey_add(struct journey_writer *writer, const struct record *record, int64_t event_ms,
                struct err *err);
int journey_mark(struct journey_writer *writer, int64_t event_ms, const char *kind, const char *text,
                 struct err *err);
/* Call at least each second: commits what is there. After -1 it is all kept in memory for the next try. */
int journey_commit(struct journey_writer *writer, struct err *err);
/* Figures of what was committed. */
void journey_writer_info(const struct journey_writer *writer, struct journey_info *info);
/* Commits, marks clean, makes it one file, frees. On -1 what was committed before is still there. */
int journey_close(struct journey_writer *writer, struct err *err);

struct journey_reader;
/* A journey whose writer was killed is mended on the way (its -wal file taken in) when the place can be
 * written. */
struct journey_reader *journey_open(const char *path, struct err *err);
void journey_reader_info(const struct journey_reader *reader, struct journey_info *info);
/* The next record in order: 1, 0 at the end (more may follow when it is being recorded), -1. Borrowed until
 * the next call. Damaged chunks are passed over and counted in journey_info. */
int journey_next(struct journey_reader *reader, struct record *record, int64_t *event_ms,
                 int64_t *position_us, struct err *err);
/* So that the next record is the first at or after position_us. */
int journey_seek(struct journey_reader *reader, int64_t position_us, struct err *err);
/* So that the next record is the first in order whose event time is at or after event_ms. Its position, or
 * the length when there is none, goes to *position_us. */
int journey_seek_event(struct journey_reader *reader, int64_t event_ms, int64_t *position_us,
                       struct err *err);
/* journey_seek, after handing over what gives an empty model the state of the city at position_us: the last
 * keyframe (the last record of each device), then the records that follow it up to the position, at most
 * JOURNEY_PRIME_RECORDS of them, the latest. Borrowed during the call. */
#define JOURNEY_PRIME_RECORDS 100000
typedef void journey_prime_fn(void *context, const struct record *record, int64_t event_ms);
int journey_seek_keyframe(struct journey_reader *reader, int64_t position_us, journey_prime_fn *prime,
                          void *context, struct err *err);
void journey_reader_close(struct journey_reader *reader);

struct journey_marker {
    int64_t position_us, event_ms;
    char kind[16], text[120];
};
/* In order of position, at most `count`; harmless for a terminal. */
size_t journey_markers(struct journey_reader *reader, struct journey_marker *markers, size_t count,
                       struct err *err);

/* For a scrubber: records of each kind per slot of length/slots, from the index alone. */
int journey_histogram(struct journey_reader *reader, uint32_t (*slots)[EVENT_KIND_COUNT], size_t count,
                      struct err *err);

#endif
