/*
 * Options by table: flags, environment, configuration file and defaults fill one struct, and it is known
 * where each value came from. Precedence: flag, environment, project file, user file, default; a source never
 * overrides a stronger one, whatever the order in which they are read. One thread.
 */
#ifndef SMARTCITY_BASE_OPTION_H
#define SMARTCITY_BASE_OPTION_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_TEXT,     /* char[size] */
    OPTION_INT,      /* int64_t, min to max */
    OPTION_DOUBLE,   /* double, min to max */
    OPTION_BOOL,     /* bool: on/off, yes/no, true/false, 1/0; as a flag alone: on; --no-NAME: off */
    OPTION_DURATION, /* int64_t microseconds */
    OPTION_BYTES,    /* int64_t */
    OPTION_TIME,     /* int64_t milliseconds; RFC 3339 or "now" */
    OPTION_WORD,     /* int: index into `words` */
    OPTION_LIST      /* struct option_list: repeatable */
};

enum option_origin { ORIGIN_DEFAULT, ORIGIN_USER_FILE, ORIGIN_PROJECT_FILE, ORIGIN_ENVIRONMENT, ORIGIN_FLAG };

#define OPTION_LIST_MAX 64
struct option_list {
    size_t count;
    char *items[OPTION_LIST_MAX]; /* owned */
};

struct option {
    const char *name; /* "bootstrap": --bootstrap, SMARTCITY_BOOTSTRAP, bootstrap = in the file */
    char letter;      /* 'b' or 0 */
    enum option_type type;
    size_t offset, size;
    const char *fallback; /* as text, parsed like any other */
    double min, max;
    const char *words;    /* "|"-separated */
    const char *argument; /* "HOST:PORT" in help; NULL for a bool */
    const char *help;
    unsigned commands; /* bit set of the commands that take it; 0: all */
    bool flag_only;    /* not in file or environment */
};

struct option_set {
    const struct option *options;
    size_t count;
    void *target;
    enum option_origin *origins; /* count entries, owned */
    char (*places)[96];          /* "~/.config/smartcity/smartcity.conf:12", "--seed", owned */
    /* `[section]` lines other than [smartcity] go here: a "key=value" into the list at this offset. */
    const char *section; /* "kafka" */
    size_t section_offset;
};

/* Sets every default. Aborts on a bad table (programmer error). */
void option_init(struct option_set *set, const struct option *options, size_t count, void *target);
void option_free(struct option_set *set);

int option_set_text(struct option_set *set, size_t index, const char *text, enum option_origin origin,
                    const char *place, struct err *err);
/* Index or -1; suggestion (NULL allowed) receives the nearest name. */
int option_find(const struct option_set *set, const char *name, const char **suggestion);

/* The value as text, as it would be written in the file. */
void option_format(const struct option_set *set, size_t index, char *out, size_t size);

/* GNU long options, letters, --name=value, `--`. Positional arguments are collected; `command` is the bit
 * that an option's set must have. Stops with ERR_USAGE naming the flag and the nearest one. */
int option_read_arguments(struct option_set *set, unsigned command, int argc, char **argv,
                          const char **positional, size_t max_positional, size_t *positional_count,
                          struct err *err);
/* PREFIX + upper-case name with '-' as '_'. */
int option_read_environment(struct option_set *set, const char *prefix, struct err *err);
/* An INI file; a missing one is fine. Errors name file, line and the nearest key. */
int option_read_file(struct option_set *set, const char *path, enum option_origin origin, struct err *err);
int option_read_text(struct option_set *set, const char *text, const char *path, enum option_origin origin,
                     struct err *err);

#endif
