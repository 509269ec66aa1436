/*
 * Two locks: the ring's is held for a copy only, so the screen never waits for the disk; the file's is held
 * while a line is written. A file that cannot be written costs its lines, which are counted and said in the
 * ring once.
 */
#include "base/log.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT 4000000

struct log {
    pthread_mutex_t mutex; /* the ring */
    struct log_entry *entries;
    size_t capacity;
    uint64_t last;
    enum log_level least;

    pthread_mutex_t file_mutex;
    int fd; /* -1: none */
    char *path;
    int64_t file_bytes;
    bool file_failed; /* said already */
    uint64_t file_lost;
};

void log_set_least(struct log *log, enum log_level least)
{
    log->least = least;
}

const char *log_level_name(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "done", "warning", "error"};
    return (unsigned)level < sizeof names / sizeof names[0] ? names[level] : "unknown";
}

struct log *log_create(size_t capacity)
{
    struct log *log = mem_zero(1, sizeof *log);
    log->capacity = capacity ? capacity : 1;
    log->entries = mem_zero(log->capacity, sizeof *log->entries);
    log->fd = -1;
    pthread_mutex_init(&log->mutex, NULL);
    pthread_mutex_init(&log->file_mutex, NULL);
    return log;
}

void log_destroy(struct log *log)
{
    if (!log)
        return;
    if (log->fd >= 0)
        close(log->fd);
    pthread_mutex_destroy(&log->mutex);
    pthread_mutex_destroy(&log->file_mutex);
    free(log->path);
    free(log->entries);
    free(log);
}

/* Under the file lock. */
static int open_path(struct log *log, struct err *err)
{
    int fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        int code = errno;
        if (fd >= 0)
            close(fd);
        return err_set_errno(err, ERR_IO, code, "cannot write the log %s", log->path);
    }
    if (log->fd >= 0)
        close(log->fd);
    log->fd = fd;
    log->file_bytes = status.st_size;
    return 0;
}

int log_open_file(struct log *log, const char *path, struct err *err)
{
    pthread_mutex_lock(&log->file_mutex);
    char *previous = log->path;
    log->path = mem_text(path);
    int result = open_path(log, err);
    if (result == 0) {
        free(previous);
    } else {
        free(log->path);
        log->path = previous;
    }
    pthread_mutex_unlock(&log->file_mutex);
    return result;
}

/* Another console may write, and have rotated, the same file: then only the name is opened again. */
static void rotate(struct log *log)
{
    struct stat ours, named;
    bool same = fstat(log->fd, &ours) == 0 && stat(log->path, &named) == 0 && ours.st_dev == named.st_dev &&
                ours.st_ino == named.st_ino;
    if (same) {
        size_t size = strlen(log->path) + 5;
        char *old = mem_alloc(size);
        snprintf(old, size, "%s.old", log->path);
        rename(log->path, old);
        free(old);
    }
    /* When this fails the old file goes on growing, which beats losing lines; the next line tries again. */
    open_path(log, NULL);
}

/* False the first time a line is lost. */
static bool append_to_file(struct log *log, const struct log_entry *entry)
{
    bool said = true;
    pthread_mutex_lock(&log->file_mutex);
    if (log->fd >= 0) {
        char time[TEXT_TIME_SIZE], line[sizeof entry->text + sizeof entry->equivalent + 80];
        int length =
            snprintf(line, sizeof line, "%s %-7s %s: %s%s%s\n", text_time(time, entry->wall_us / 1000),
                     log_level_name(entry->level), entry->source, entry->text,
                     entry->equivalent[0] ? "  $ " : "", entry->equivalent);
        if (log->file_bytes > 0 && log->file_bytes + length > FILE_LIMIT)
            rotate(log);
        if (write(log->fd, line, (size_t)length) == length) {
            log->file_bytes += length;
            log->file_failed = false;
        } else {
            log->file_lost++;
            said = log->file_failed;
            log->file_failed = true;
        }
    }
    pthread_mutex_unlock(&log->file_mutex);
    return said;
}

static void add_to_ring(struct log *log, struct log_entry *entry)
{
    pthread_mutex_lock(&log->mutex);
    entry->sequence = ++log->last;
    log->entries[entry->sequence % log->capacity] = *entry;
    pthread_mutex_unlock(&log->mutex);
}

static void write_entry(struct log *log, enum log_level level, const char *source, const char *equivalent,
                        const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));
static void write_entry(struct log *log, enum log_level level, const char *source, const char *equivalent,
                        const char *format, va_list arguments)
{
    if (!log || level < log->least)
        return;
    struct log_entry entry = {.wall_us = clock_wall_us(), .level = level};
    char text[sizeof entry.text];
    vsnprintf(text, sizeof text, format, arguments);
    text_sanitise(entry.source, sizeof entry.source, source, strlen(source));
    text_sanitise(entry.text, sizeof entry.text, text, strlen(text));
    text_sanitise(entry.equivalent, sizeof entry.equivalent, equivalent, strlen(equivalent));
    add_to_ring(log, &entry);
    if (!append_to_file(log, &entry)) {
        struct log_entry failed = {.wall_us = entry.wall_us, .level = LOG_ERROR, .source = "log"};
        text_copy(failed.text, sizeof failed.text,
                  "the log file cannot be written (disk full?): lines are kept here only");
        add_to_ring(log, &failed);
    }
}

void log_write(struct log *log, enum log_level level, const char *source, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_entry(log, level, source, "", format, arguments);
    va_end(arguments);
}

void log_action(struct log *log, const char *source, const char *equivalent, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_entry(log, LOG_DONE, source, equivalent ? equivalent : "", format, arguments);
    va_end(arguments);
}

size_t log_read(struct log *log, uint64_t after, struct log_entry *entries, size_t count)
{
    size_t copied = 0;
    pthread_mutex_lock(&log->mutex);
    uint64_t oldest = log->last > log->capacity ? log->last - log->capacity + 1 : 1;
    uint64_t sequence = after + 1 > oldest ? after + 1 : oldest;
    for (; sequence <= log->last && copied < count; sequence++)
        entries[copied++] = log->entries[sequence % log->capacity];
    pthread_mutex_unlock(&log->mutex);
    return copied;
}

uint64_t log_last(struct log *log)
{
    pthread_mutex_lock(&log->mutex);
    uint64_t last = log->last;
    pthread_mutex_unlock(&log->mutex);
    return last;
}

uint64_t log_file_lost(struct log *log)
{
    pthread_mutex_lock(&log->file_mutex);
    uint64_t lost = log->file_lost;
    pthread_mutex_unlock(&log->file_mutex);
    return lost;
}
