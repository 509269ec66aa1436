/*
 * Journeys in and out as NDJSON: one line a record, {"topic","key","timestamp","headers","value"} plus partition and
 * offset; `value` is the JSON itself when it is valid JSON (kept byte for byte where possible), else a string with
 * "encoding":"base64". Import reads the same, bounded and line by line; a bad line is counted and named by number.
 */
#ifndef SMARTCITY_STORE_TRANSFER_H
#define SMARTCITY_STORE_TRANSFER_H

#include "store/journey.h"

#include <stdio.h>

struct transfer_figures {
    uint64_t records, bad, bytes;
    char first_bad[200]; /* "line 12: …" */
};
/* One line without its newline. False when the buffer is full. */
bool transfer_write_line(const struct record *record, int64_t event_ms, struct buf *out);
int transfer_export(struct journey_reader *reader, FILE *out, struct transfer_figures *figures, struct err *err);
int transfer_import(FILE *in, struct journey_writer *writer, struct transfer_figures *figures, struct err *err);
/* Parses one line into a record whose pointers live in `scratch` and `line`; false with a reason. */
bool transfer_read_line(const char *line, size_t length, struct record *record, int64_t *event_ms,
                        struct buf *scratch, char reason[160]);

#endif
