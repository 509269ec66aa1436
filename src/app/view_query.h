/* What the screen may show of SQL: the engine, what runs, the result that is open, what was asked before.
 * Part of the view (app/view.h). */
#ifndef SMARTCITY_APP_VIEW_QUERY_H
#define SMARTCITY_APP_VIEW_QUERY_H

#include "store/results.h"

/* X(ENUM, word, title) */
#define QUERY_ENGINES(X)                                                                                     \
    X(QUERY_ATHENA, "athena", "Athena")                                                                      \
    X(QUERY_REDSHIFT, "redshift", "Redshift")                                                                \
    X(QUERY_CACHE, "cache", "cache")
enum query_engine {
#define X(name, word, title) name,
    QUERY_ENGINES(X)
#undef X
        QUERY_ENGINE_COUNT
};

/* X(ENUM, word) */
#define QUERY_STATES(X)                                                                                      \
    X(QUERY_IDLE, "idle")                                                                                    \
    X(QUERY_ESTIMATING, "estimating")                                                                        \
    X(QUERY_ASKING, "confirm")                                                                               \
    X(QUERY_QUEUED, "queued")                                                                                \
    X(QUERY_RUNNING, "running")                                                                              \
    X(QUERY_READING, "reading rows")                                                                         \
    X(QUERY_DONE, "done")                                                                                    \
    X(QUERY_FAILED, "failed")                                                                                \
    X(QUERY_CANCELLED, "cancelled")
enum query_state {
#define X(name, word) name,
    QUERY_STATES(X)
#undef X
        QUERY_STATE_COUNT
};

/* A word that the editor completes. */
enum query_word_kind { QUERY_WORD_DATABASE, QUERY_WORD_TABLE, QUERY_WORD_COLUMN };
struct query_word {
    char name[72];   /* "smartcity_raw.vehicle_data", "speed" */
    char detail[56]; /* "double · km/h" */
    enum query_word_kind kind;
    unsigned engines; /* bits 1 << enum query_engine */
};

struct query_saved {
    char name[48];
    char title[96]; /* its first comment line, harmless */
    enum query_engine engine;
    bool own;        /* the user's, in the configuration folder */
    const char *sql; /* hostile when own */
};

struct query_listing {
    struct result_info info;
    const char *sql; /* whole; hostile */
};

/* A numeric column over a time or number column, at most QUERY_PLOT_POINTS of them, in order of x. */
#define QUERY_PLOT_POINTS 2048
struct query_plot {
    bool present;
    int x, y;     /* columns */
    int64_t rows; /* looked at */
    size_t count;
    double low_x, high_x, low_y, high_y;
    double at[QUERY_PLOT_POINTS], value[QUERY_PLOT_POINTS];
};

#define QUERY_ROWS    256 /* of the window */
#define QUERY_HISTORY 100

struct view_query {
    bool present;
    uint64_t generation;      /* changes when anything here did but the clock */
    enum query_engine engine; /* that the editor runs on */
    bool billable;            /* that costs money there */
    int64_t budget_bytes;

    /* the newest query */
    enum query_state state;
    enum query_engine state_engine;
    uint64_t job;
    char text[400];         /* how far, what it asks, or why not */
    int64_t started_us;     /* monotonic; elapsed when it runs */
    int64_t took_us;        /* when it is over */
    int64_t estimate_bytes; /* at most; -1 unknown */
    int64_t scanned_bytes;  /* -1 unknown */
    double cost_usd;
    int64_t rows;

    /* the result that is open */
    struct result_info result; /* id 0: none */
    size_t column_count;
    const struct result_column *columns;
    int64_t first; /* row of the window's first */
    size_t row_count;
    const struct result_cell *cells; /* row_count * column_count; texts are hostile */
    const struct query_plot *plot;   /* never NULL once present */

    /* newest first */
    size_t history_count;
    const struct query_listing *history;
    size_t saved_count;
    const struct query_saved *saved;
    size_t word_count;
    const struct query_word *words;
};

const char *query_engine_name(enum query_engine engine);  /* "athena" */
const char *query_engine_title(enum query_engine engine); /* "Athena" */
const char *query_state_name(enum query_state state);

#endif
