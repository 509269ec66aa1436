/*
 * A journey file: one portable SQLite database with every event in order, as it was delivered: topic, partition,
 * offset, key, headers, value, times; markers; scenario and seed. The file format is described in
 * docs/journey-format.md. Compact (records are stored in compressed chunks with an index by time), so that ten
 * million events seek in milliseconds; keyframes of the city let a scrubber jump.
 *
 * Writing: one thread (the recorder). A commit at least every second; kill -9 loses at most what was not committed.
 * Reading: one thread a reader; while the file is still being written is fine.
 */
#ifndef SMARTCITY_STORE_JOURNEY_H
#define SMARTCITY_STORE_JOURNEY_H

#include "base/err.h"
#include "city/record.h"

struct journey_info {
    char path[512];
    char name[64];
    int64_t started_us, ended_us;       /* wall, of the first and last record */
    int64_t first_ms, last_ms;          /* simulated time of the first and last event */
    uint64_t events[EVENT_KIND_COUNT];
    uint64_t total, bytes;              /* records; payload bytes before compression */
    int64_t file_bytes;
    uint64_t dropped_oldest;            /* records the ring has let go */
    char seed[24], source[64];          /* "7"; "LOCAL" or the cluster */
    bool open;                          /* being recorded now (its writer lives) */
    bool clean;                         /* closed in order */
    uint32_t markers;
};

struct journey_settings {
    const char *path;
    const char *name;
    const char *seed;
    const char *source;
    int64_t limit_bytes;    /* ring: the oldest chunks go when the file would pass it; 0 none */
};

struct journey_writer;
struct journey_writer *journey_create(const struct journey_settings *settings, struct err *err);
/* Adds in order of arrival. event_ms: simulated time, or the record's own time when it could not be decoded. */
int journey_add(struct journey_writer *writer, const struct record *record, int64_t event_ms, struct err *err);
int journey_mark(struct journey_writer *writer, int64_t event_ms, const char *kind, const char *text, struct err *err);
/* Call at least each second: commits what is there. */
int journey_commit(struct journey_writer *writer, struct err *err);
void journey_writer_info(const struct journey_writer *writer, struct journey_info *info);
int journey_close(struct journey_writer *writer, struct err *err); /* commits, marks clean, frees */

struct journey_reader;
struct journey_reader *journey_open(const char *path, struct err *err);
void journey_reader_info(const struct journey_reader *reader, struct journey_info *info);
/* The next record in order: 1, 0 at the end, -1. Borrowed until the next call. position_us is the record's place on
 * the journey's own time axis: microseconds of arrival since the first record. */
int journey_next(struct journey_reader *reader, struct record *record, int64_t *event_ms, int64_t *position_us,
                 struct err *err);
/* So that the next record is the first at or after position_us. */
int journey_seek(struct journey_reader *reader, int64_t position_us, struct err *err);
void journey_reader_close(struct journey_reader *reader);

struct journey_marker {
    int64_t position_us, event_ms;
    char kind[16], text[120];
};
size_t journey_markers(struct journey_reader *reader, struct journey_marker *markers, size_t count, struct err *err);

#endif
