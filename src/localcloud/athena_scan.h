/*
 * How much a query scans, as Athena counts it: of Parquet the compressed columns that are needed, of the row
 * groups that the filters leave; of text and JSON the files. Worked out from the engine's plan before the
 * query runs, so that a limit can refuse it; what a LIMIT would leave unread is counted.
 *
 * A part is what one relation of the engine reads. Parquet relations carry their part's number in a filter
 * that is always true (athena_scan_mark()), which the plan shows again, so that a part that the engine has
 * found not to be needed is not counted, and one that is read twice is counted twice.
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_SCAN_H
#define SMARTCITY_LOCALCLOUD_ATHENA_SCAN_H

#include "base/buf.h"
#include "sql/duckdb.h"

struct athena_scan;

struct athena_scan *athena_scan_create(void);
void athena_scan_destroy(struct athena_scan *scan); /* NULL allowed */
/* Begins a part. */
void athena_scan_part(struct athena_scan *scan, bool parquet);
/* One more file of the part that was begun last. */
void athena_scan_file(struct athena_scan *scan, const char *path, int64_t size);
/* " WHERE …", for the SELECT of a Parquet part. */
void athena_scan_mark(const struct athena_scan *scan, struct buf *sql);
/* Of a query over the parts, bytes and rows of the row groups. A query that the engine does not plan counts
 * nothing. */
void athena_scan_measure(const struct athena_scan *scan, struct duck_connection *connection, const char *sql,
                         int64_t *bytes, int64_t *rows);

#endif
