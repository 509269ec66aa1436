/*
 * Athena's engine: DuckDB with the prelude, closed to everything but the folders it was given. A query goes
 *
 *     athena_rewrite_text() ─▶ views for query.tables, made by the caller ─▶ athena_prepare() ─▶ duck_step()
 *
 * The library is loaded by the first athena_engine_open(). Any thread; a connection belongs to one at a time.
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_ENGINE_H
#define SMARTCITY_LOCALCLOUD_ATHENA_ENGINE_H

#include "localcloud/athena_rewrite.h"
#include "sql/duckdb.h"

struct athena_engine;

/* folders: absolute, what queries may read and write; spill_folder NULL: none. NULL on error. */
struct athena_engine *athena_engine_open(const char *const *folders, size_t count, const char *spill_folder,
                                         struct err *err);
void athena_engine_close(struct athena_engine *engine); /* connections are gone before; NULL allowed */
void athena_engine_trim(struct athena_engine *engine);  /* duck_trim() */
struct duck_connection *athena_engine_connect(struct athena_engine *engine, struct err *err);

/* Binds the rewritten query. NULL with failure. Column names are still the engine's: athena_column_name(). */
struct duck_statement *athena_prepare(struct duck_connection *connection, const struct athena_query *query,
                                      const char *text, struct athena_failure *failure);
/* "_col3" for what has no name. */
void athena_column_name(const struct duck_statement *statement, size_t column, char *name, size_t size);
/* What the engine says of the last call that failed, as Athena would. `text` is the query as the client wrote
 * it: places are found in it. */
void athena_failure_of(const struct duck_connection *connection, const char *text,
                       struct athena_failure *failure);
/* A text of the engine's in which paths of blobs are hidden. Caller frees. */
char *athena_mask_paths(const char *text, size_t length);
/* AthenaError.ErrorType and ErrorCategory of a kind. */
int athena_error_type(const char *kind, int *category);

#endif
