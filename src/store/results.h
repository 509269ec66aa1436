/*
 * Results of queries, kept: each a row with its SQL, its columns' names and types, and its rows in compressed
 * chunks, so that it is there again at once, offline, and any of its millions of rows is one small read away.
 *
 *     results_begin ─▶ result_writer_columns ─▶ result_writer_row … ─▶ result_writer_end
 *     results_list, results_info, results_columns, results_read (the chunk that holds a row), results_sql
 *
 * Bounded: RESULTS_KEPT of them and RESULTS_BYTES in all, the oldest go first; one that grows past
 * RESULT_BYTES is cut there and says so (`truncated`). A file of its own (results.sqlite) beside the cache;
 * two consoles may share it. What was being written when a process died is shown as failed.
 *
 * Threads: any. Writing and reading have a connection and a mutex each, so that the screen does not wait for
 * a job that writes. A writer belongs to one thread. Errors as sql/sql.h has them.
 */
#ifndef SMARTCITY_STORE_RESULTS_H
#define SMARTCITY_STORE_RESULTS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULTS_KEPT         200
#define RESULTS_BYTES        INT64_C(2000000000) /* compressed */
#define RESULT_BYTES         INT64_C(500000000)
#define RESULT_COLUMNS       256
#define RESULT_CELL          1000000 /* bytes of one value; longer ones are cut */
#define RESULT_SQL           262144
#define RESULT_CHUNK_ROWS    512
#define RESULTS_HISTORY_SHOW 120

enum result_state { RESULT_RUNNING, RESULT_DONE, RESULT_FAILED, RESULT_CANCELLED };
const char *result_state_name(enum result_state state); /* "running", … */

/* What a value is, for aligning, sorting out, plotting and exporting; the engine's own word is kept beside.
 */
enum result_kind {
    RESULT_TEXT,
    RESULT_INT,
    RESULT_REAL, /* double, float, decimal */
    RESULT_BOOL,
    RESULT_DATE, /* 2026-01-12 */
    RESULT_TIME, /* 2026-01-12 08:14:32.000, UTC unless it says otherwise */
    RESULT_KINDS
};
/* Of Athena's, Redshift's and SQLite's names of types: "bigint", "timestamp(3)", "int8". */
enum result_kind result_kind_of(const char *type);
bool result_kind_is_number(enum result_kind kind);
/* The value on a number line: numbers as they are, dates and times as seconds since 1970. False: none. */
bool result_number(enum result_kind kind, const char *text, size_t length, double *value);

struct result_column {
    char name[128]; /* harmless for a terminal */
    char type[48];
    enum result_kind kind;
};
struct result_cell {
    const char *text; /* NULL: null; not NUL-terminated; hostile */
    size_t length;
};

struct result_info {
    int64_t id;
    int64_t at_ms; /* wall clock, when it began */
    char engine[16];
    char place[64];  /* "LOCAL", account and region: where it ran */
    char title[120]; /* the SQL's beginning in one line, harmless */
    char remote_id[80];
    enum result_state state;
    char problem[400];   /* why it failed, or what is to be said; harmless */
    int64_t rows, bytes; /* kept; compressed */
    bool truncated;
    int64_t scanned_bytes; /* -1 unknown */
    int64_t took_us;
    double cost_usd;
    size_t columns;
};

struct results;
/* path NULL: in memory. A damaged file is put aside and made anew; *anew (NULL allowed) is then true. */
struct results *results_open(const char *path, bool *anew, struct err *err);
void results_close(struct results *results);             /* no writer is open; NULL allowed */
const char *results_path(const struct results *results); /* "": in memory */
uint64_t results_generation(struct results *results);    /* changes with every change made here */

/* ---- writing ---- */

struct result_writer;
/* engine, place, title's source sql, of info. NULL on error. */
struct result_writer *results_begin(struct results *results, const char *engine, const char *place,
                                    const char *sql, int64_t at_ms, struct err *err);
int64_t result_writer_id(const struct result_writer *writer);
int64_t result_writer_rows(const struct result_writer *writer);
/* Once, before the first row. count at most RESULT_COLUMNS, else ERR_LIMIT. */
int result_writer_columns(struct result_writer *writer, const struct result_column *columns, size_t count,
                          struct err *err);
/* As many cells as columns. 1 taken; 0 the result is full, no more is taken; -1. */
int result_writer_row(struct result_writer *writer, const struct result_cell *cells, struct err *err);
/* Writes what waits, and how it ended: state, problem, remote_id, scanned_bytes, took_us, cost_usd,
 * truncated of `info` (the rest is known). Frees the writer, also on error. */
int result_writer_end(struct result_writer *writer, const struct result_info *info, struct err *err);
/* Makes the rows taken so far visible. */
int result_writer_flush(struct result_writer *writer, struct err *err);

int results_forget(struct results *results, int64_t id, struct err *err);

/* ---- reading ---- */

/* Newest first; returns how many. */
size_t results_list(struct results *results, struct result_info *infos, size_t count);
/* id 0: the newest. False: not there. */
bool results_info(struct results *results, int64_t id, struct result_info *info);
size_t results_columns(struct results *results, int64_t id, struct result_column *columns, size_t max);
/* The whole statement; malloc, NULL: not there. */
char *results_sql(struct results *results, int64_t id);

/* One chunk, unpacked. */
struct result_page {
    int64_t first;
    size_t rows, columns;
    struct result_cell *cells; /* rows * columns */
    char *text;
};
/* The chunk that holds the row. 1; 0 there is none; -1. `page` is zeroed at first, reused afterwards. */
int results_read(struct results *results, int64_t id, int64_t row, struct result_page *page, struct err *err);
void result_page_free(struct result_page *page);

#endif
