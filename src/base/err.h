/*
 * Errors are values. A function that can fail returns 0 or -1 (or NULL) and fills the `struct err` it was
 * given; the caller decides by `retriable` and `fatal`, the operator reads `text`, which names the thing and
 * the cure. Any thread; a struct err belongs to its caller.
 */
#ifndef SMARTCITY_BASE_ERR_H
#define SMARTCITY_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum err_kind {
    ERR_NONE,
    ERR_USAGE,   /* the command line or an argument */
    ERR_CONFIG,  /* the configuration file or environment */
    ERR_IO,      /* the file system */
    ERR_FULL,    /* a disk, spool or bounded queue */
    ERR_CONNECT, /* a service cannot be reached; retriable */
    ERR_AUTH,
    ERR_CORRUPT, /* data that cannot be read */
    ERR_LIMIT,   /* larger than we accept */
    ERR_NOT_FOUND,
    ERR_BUSY, /* somebody else holds it; retriable */
    ERR_CANCELLED,
    ERR_REMOTE, /* a service answered no */
    ERR_UNSUPPORTED,
    ERR_INTERNAL,
    ERR_KINDS
};

struct err {
    enum err_kind kind;
    bool retriable;
    bool fatal;
    char text[400];
};

#define ERR_INIT ((struct err){.kind = ERR_NONE})

/* Fills err (NULL allowed) and returns -1, so that `return err_set(…)` reads well. retriable follows from the
 * kind (CONNECT, BUSY, FULL) and may be overwritten afterwards. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, with ": " and the text of errno `code` behind it; ENOSPC becomes ERR_FULL. */
int err_set_errno(struct err *err, enum err_kind kind, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts "format: " before the text that is there. Returns -1. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A checker that reads one file at a time cannot know that these return -1. */
#if defined(__clang_analyzer__) && !defined(SMARTCITY_ERR_ITSELF)
#define err_set(...)       ((err_set)(__VA_ARGS__), -1)
#define err_set_errno(...) ((err_set_errno)(__VA_ARGS__), -1)
#define err_prefix(...)    ((err_prefix)(__VA_ARGS__), -1)
#endif

const char *err_kind_name(enum err_kind kind);

/* Exit codes, documented in the manual: 0 success, 1 operation failed, 2 usage, configuration or what cannot
 * be had here, 3 connection
 * (retriable), 4 threshold breached, 130 interrupted. */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_CONNECTION = 3,
    EXIT_THRESHOLD = 4,
    EXIT_INTERRUPTED = 130
};
int err_exit_code(const struct err *err);

/* Memory that cannot be had ends the program with a clear line: these never return NULL. */
void *mem_alloc(unsigned long size) __attribute__((returns_nonnull, warn_unused_result));
void *mem_zero(unsigned long count, unsigned long size) __attribute__((returns_nonnull, warn_unused_result));
void *mem_resize(void *block, unsigned long count, unsigned long size)
    __attribute__((returns_nonnull, warn_unused_result));
char *mem_text(const char *text) __attribute__((returns_nonnull, warn_unused_result));

#endif
