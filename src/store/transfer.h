/*
 * Journeys in and out as NDJSON: one object a line,
 *
 *   {"topic","key","timestamp","partition","offset","kafkaTimestamp","arrivedUs","headers","value"}
 *
 * timestamp is the event's simulated time (RFC 3339), kafkaTimestamp the record's own (ms), arrivedUs the
 * wall time of arrival; what is unknown is left out. `value` is the record's JSON, byte for byte, when it is
 * valid JSON on one line without control characters; else a string beside "encoding":"text" (UTF-8) or
 * "base64". A key that is not UTF-8 stands beside "keyEncoding":"base64". Headers are an object, or an array
 * of [name, value] pairs when a name repeats; a binary header value is {"base64":"…"}.
 *
 * Import reads the same and the objects of `kcat -J`, bounded and line by line; a bad line is counted and
 * named by number.
 */
#ifndef SMARTCITY_STORE_TRANSFER_H
#define SMARTCITY_STORE_TRANSFER_H

#include "base/buf.h"
#include "store/journey.h"

#include <stdio.h>

#define TRANSFER_LINE_LIMIT (8u << 20)

struct transfer_figures {
    uint64_t records, bad, bytes; /* bytes: of lines */
    char first_bad[200];          /* "line 12: …"; harmless for a terminal */
};
/* Appends one line without its newline. False when the buffer is full (it is then as before). */
bool transfer_write_line(const struct record *record, int64_t event_ms, struct buf *out);
/* The same for a value that our own codec has just made: valid JSON on one line, not looked at again. */
bool transfer_write_own_line(const struct record *record, int64_t event_ms, struct buf *out);
/* From where the reader stands to its end. */
int transfer_export(struct journey_reader *reader, FILE *out, struct transfer_figures *figures,
                    struct err *err);
/* figures is kept up to date on the way. -1 when reading or the journey fails, not for bad lines. */
int transfer_import(FILE *in, struct journey_writer *writer, struct transfer_figures *figures,
                    struct err *err);
/* Parses one line into a record whose pointers live in `scratch` (reset first) and `line`; false with a
 * reason. */
bool transfer_read_line(const char *line, size_t length, struct record *record, int64_t *event_ms,
                        struct buf *scratch, char reason[160]);

#endif
