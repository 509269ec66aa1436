/* The query of a statement that keeps its rows: bound, so that the names and types of its columns are known,
 * and as text to select from. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_BOUND_H
#define SMARTCITY_LOCALCLOUD_ATHENA_BOUND_H

#include "localcloud/athena_task.h"
#include "sql/duckdb.h"

/* Its columns are x0, x1, … of `from`. */
struct athena_bound {
    struct athena_query query;
    struct duck_statement *statement; /* for names and types; never run */
    size_t count;
    struct buf from; /* (query) AS q(x0, x1) */
};

/* The caller holds a lease on the store. 0 or -1 with failure; free it when 0. */
int athena_bound_open(struct athena_task *task, struct athena_bound *bound);
void athena_bound_free(struct athena_bound *bound);
/* Is the column nothing but NULL? The engine calls it an integer once it is a result, but not before. */
bool athena_bound_untyped(struct athena_task *task, const struct athena_bound *bound, size_t column);
/* Columns of the catalogue, from names and types of the query. NULL and failed. */
json_t *athena_bound_columns(struct athena_task *task, const struct athena_bound *bound);
/* One more item of a SELECT: the expression as a Hive type, under a name. */
void athena_bound_item(struct buf *sql, const char *expression, const char *hive, const char *name);
/* SELECT of all its columns by the names and types in `columns`. */
void athena_bound_select(struct buf *sql, const struct athena_bound *bound, const json_t *columns);

#endif
