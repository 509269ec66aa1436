/*
 * Tables of the catalogue as views of the engine: SELECT … FROM read_parquet([blobs]) for each partition,
 * with the values of the partition from the catalogue or from projection, never from paths. Views of the
 * catalogue become views of the engine over the views they need. The caller holds a lease on the store while
 * the views are used.
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_SOURCE_H
#define SMARTCITY_LOCALCLOUD_ATHENA_SOURCE_H

#include "localcloud/athena_rewrite.h"
#include "localcloud/athena_scan.h"
#include "localcloud/catalogue.h"
#include "localcloud/objects.h"
#include "sql/duckdb.h"

/* Of one statement. */
struct athena_sources {
    struct duck_connection *connection;
    struct catalogue *catalogue;
    struct objects *objects;
    struct athena_failure *failure;
    struct athena_scan *scan; /* where their files are noted; NULL: nowhere */
    json_t *made;             /* {"database.name": are all partitions in it?}; athena_sources_end() */
};

/* Makes the temporary view "database.name" for every table of the query. 0 or -1 with failure. */
int athena_sources_add(struct athena_sources *sources, const struct athena_query *query);
void athena_sources_end(struct athena_sources *sources);

/* "name$partitions" and the tables of information_schema (athena_schema.c): the SELECT that a view of it is
 * made from. 1: it is such a table, 0: it is none, -1 and failed. */
int athena_schema_select(struct athena_sources *sources, const struct athena_table *table, struct buf *sql);

#endif
