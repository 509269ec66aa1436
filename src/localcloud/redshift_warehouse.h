/*
 * The warehouse: one DuckDB file, FOLDER/redshift/warehouse.duckdb, opened when a statement first needs it.
 * SQL of users reaches it only through the rewriter; the engine itself may read and write only below the
 * object store's blobs and FOLDER/redshift/stage, and loads nothing. DuckDB's own log makes it safe against
 * kill -9: a transaction is there after the next start, or it is not. Any thread.
 */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_WAREHOUSE_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_WAREHOUSE_H

#include "base/file.h"
#include "sql/duckdb.h"

#define REDSHIFT_DATABASE "dev"
#define REDSHIFT_USER     "awsuser"

struct redshift_warehouse;

struct redshift_warehouse *redshift_warehouse_create(const char *folder);
/* Connections are gone before. NULL allowed. */
void redshift_warehouse_destroy(struct redshift_warehouse *warehouse);
/* Opens the file when it is not. With the search path set. */
struct duck_connection *redshift_warehouse_connect(struct redshift_warehouse *warehouse, struct err *err);
/* FOLDER/redshift/stage: where loads put what the engine is to read. */
const char *redshift_warehouse_stage(const struct redshift_warehouse *warehouse);

/* What the engine says of a statement that failed, in Redshift's words, without "ERROR: ". */
void redshift_error_text(const struct duck_connection *connection, const struct err *err, char *out,
                         size_t size);

#endif
