/*
 * The log: a bounded ring for the Log screen and, when opened, a file in the state directory (rotated at 4
 * MB, one old file kept). Any thread. Entries are made harmless for a terminal when written. Secrets must
 * never be passed here.
 */
#ifndef SMARTCITY_BASE_LOG_H
#define SMARTCITY_BASE_LOG_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_DONE /* an operator's action */, LOG_WARNING, LOG_ERROR };

struct log_entry {
    uint64_t sequence; /* 1, 2, … */
    int64_t wall_us;
    enum log_level level;
    char source[16]; /* "operator", "scenario", "schedule", "kafka", "store", … */
    char text[240];
    char equivalent[240]; /* the aws or kcat command that does the same, or "" */
};

struct log;
struct log *log_create(size_t capacity);
void log_destroy(struct log *log);
int log_open_file(struct log *log, const char *path, struct err *err);
const char *log_level_name(enum log_level level);

/* log NULL: nothing is written. */
/* Entries below are not kept; LOG_DEBUG at first. Before other threads write. */
void log_set_least(struct log *log, enum log_level least);
void log_write(struct log *log, enum log_level level, const char *source, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* With the equivalent outside command, which can be copied. */
void log_action(struct log *log, const char *source, const char *equivalent, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Copies up to `count` entries with sequence > `after`, oldest first; what the ring has lost is skipped. */
size_t log_read(struct log *log, uint64_t after, struct log_entry *entries, size_t count);
uint64_t log_last(struct log *log);
/* Lines that could not be written to the file; they are in the ring. */
uint64_t log_file_lost(struct log *log);

#endif
