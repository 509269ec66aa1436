/*
 * Rows of ours as a table of DuckDB's, without a copy in between: a table function whose rows a callback
 * writes into the engine's vectors, a column at a time.
 *
 *     struct duck_source *source = duck_source_register(connection, "batch", err);
 *     duck_source_set(source, columns, count, rows, read, context);
 *     duck_exec(connection, "COPY (SELECT * FROM batch()) TO '…' (FORMAT parquet)", err);
 *
 * One statement reads it at a time, on one thread of the engine's, in order. What is set must stay as it is
 * while the statement runs; long texts are borrowed until it has ended.
 */
#ifndef SMARTCITY_SQL_DUCKDB_SOURCE_H
#define SMARTCITY_SQL_DUCKDB_SOURCE_H

#include "sql/duckdb.h"

#define DUCK_VECTOR_ROWS 2048 /* of one call, at most */

/* A text in a vector (duckdb_string_t): up to DUCK_STRING_INSIDE bytes are inside, zero behind them. */
#define DUCK_STRING_INSIDE 12
union duck_string {
    uint32_t length;
    struct {
        uint32_t length;
        char bytes[DUCK_STRING_INSIDE];
    } inside;
    struct {
        uint32_t length;
        char prefix[4];
        const char *bytes;
    } outside;
};
/* `bytes` is borrowed when it is longer than DUCK_STRING_INSIDE. */
void duck_string_set(union duck_string *string, const char *bytes, uint32_t length);

struct duck_source_column {
    const char *name;
    enum duck_kind kind; /* BOOLEAN, INTEGER, BIGINT, DOUBLE, TIMESTAMP, VARCHAR … of fixed width */
};

struct duck_chunk;
/* The vector's memory: an array of its type. */
void *duck_chunk_data(struct duck_chunk *chunk, size_t column);
/* A bit a row, all set; a row whose bit is cleared is null. Costs something when a column has no nulls. */
uint64_t *duck_chunk_validity(struct duck_chunk *chunk, size_t column);

/* Writes up to `limit` rows and returns how many; 0 ends the table. */
typedef size_t duck_source_read_fn(void *context, struct duck_chunk *chunk, size_t limit);

struct duck_source;
/* The function is there as long as the database; the source belongs to the caller. */
struct duck_source *duck_source_register(struct duck_connection *connection, const char *name,
                                         struct err *err);
void duck_source_destroy(struct duck_source *source); /* after the database is closed; NULL allowed */
/* For the next statement. `columns` is borrowed. rows: how many will come. */
void duck_source_set(struct duck_source *source, const struct duck_source_column *columns, size_t count,
                     uint64_t rows, duck_source_read_fn *read, void *context);

#endif
