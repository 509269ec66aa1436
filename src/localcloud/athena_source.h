/*
 * Tables of the catalogue as views of the engine: SELECT … FROM read_parquet([blobs]) for each partition,
 * with the values of the partition from the catalogue, never from paths. The caller holds a lease on the
 * store while the views are used.
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_SOURCE_H
#define SMARTCITY_LOCALCLOUD_ATHENA_SOURCE_H

#include "localcloud/athena_rewrite.h"
#include "localcloud/catalogue.h"
#include "localcloud/objects.h"
#include "sql/duckdb.h"

/* Makes the temporary view "database.name" on the connection. *bytes grows by the size of the files under it:
 * the most a query can scan. */
int athena_source_create(struct duck_connection *connection, struct catalogue *catalogue,
                         struct objects *objects, const struct athena_table *table, int64_t *bytes,
                         struct athena_failure *failure);
/* "array<struct<a:int>>" in DuckDB's words; false when it is none. */
bool athena_source_type(const char *hive, struct buf *out);

#endif
