/* The parts of queries: query.c (life, what is open, the view), query_run.c (the job), query_athena.c,
 * query_redshift.c, query_local.c (the engines), query_estimate.c, query_saved.c, query_words.c. */
#ifndef SMARTCITY_APP_QUERY_PRIVATE_H
#define SMARTCITY_APP_QUERY_PRIVATE_H

#include "app/query.h"
#include "aws/json.h"

#include <pthread.h>
#include <stdatomic.h>

#define QUERY_REQUEST_US 30000000 /* deadline of one request */

struct queries {
    struct queries_settings settings;
    struct results *results;
    pthread_mutex_t lock; /* of what follows, up to the line; never held while something blocks */
    uint64_t generation;
    enum query_engine engine;
    struct view_query now; /* state … rows of it */
    char *asked_sql;       /* that waits to be confirmed; NULL none */
    enum query_engine asked_engine;
    int64_t opened;
    struct query_plot *plot;
    struct query_word *words;
    size_t word_count;
    bool refreshing, words_read;
    /* ---- main thread ---- */
    uint64_t seen_results, seen_words; /* generations of what is below */
    uint64_t words_generation;         /* under the lock */
    int64_t seen_opened;
    struct result_column columns[RESULT_COLUMNS];
    size_t column_count;
    int64_t first;
    size_t row_count;
    struct result_cell *cells;
    char *cell_text;
    struct query_listing history[QUERY_HISTORY];
    size_t history_count;
    struct query_saved *saved;
    size_t saved_count;
    int64_t saved_read_us;
    struct query_plot shown_plot;
    struct query_word *shown_words;
    size_t shown_word_count;
};

/* One query, on its job's thread. */
struct query_run {
    struct queries *queries;
    enum query_engine engine;
    char *sql;
    char source[16];
    bool confirmed, estimate_only;
    struct job *job;
    struct aws_client *client;
    struct aws_group *group; /* of what is asked while it runs; ends when the job is cancelled */
    struct result_writer *writer;
    int64_t began_us;
    char remote_id[80];
    int64_t estimate_bytes, scanned_bytes;
    bool truncated;
};

/* Says it to the job and, when this is the newest query, to the screen. */
void query_run_say(struct query_run *run, enum query_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The answer's object, or NULL. */
json_t *query_run_ask(struct query_run *run, enum aws_service_id service, const char *operation,
                      json_t *input, bool action, char *code, struct err *err);
/* Begins the result; with its columns, once. */
int query_run_columns(struct query_run *run, const struct result_column *columns, size_t count,
                      struct err *err);
/* The same from an answer's list of columns, whose members `name` and `type` say what they are. *count: how
 * many; more than RESULT_COLUMNS are refused. */
int query_run_take_columns(struct query_run *run, const json_t *list, const char *name, const char *type,
                           size_t *count, struct err *err);
/* What work that is over comes to: 0, or -1 with its reason. */
int query_run_over(const struct aws_work *work, struct err *err);
bool query_run_wants_more(struct query_run *run); /* false: cancelled */

/* Engines: run it, read its rows into run->writer. */
int query_athena(struct query_run *run, struct err *err);
int query_redshift(struct query_run *run, struct err *err);
int query_local(struct query_run *run, struct err *err);

/* At most so many bytes: the sizes of the objects of the tables and days that the text names. -1 in *bytes
 * when that cannot be told. */
int query_estimate(struct query_run *run, int64_t *bytes, char *text, size_t size, struct err *err);

/* New arrays; the caller's. */
struct query_saved *query_saved_read(size_t *count);
void query_saved_free(struct query_saved *saved, size_t count);
struct query_word *query_words_known(size_t *count);
/* With what the catalogue says; NULL when it cannot be asked. */
struct query_word *query_words_ask(struct aws_client *client, size_t *count);

#endif
