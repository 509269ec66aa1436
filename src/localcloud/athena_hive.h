/* The types of the catalogue (Hive's words: "array<struct<a:int>>") against those of the engine and of Trino.
 * Pure. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_HIVE_H
#define SMARTCITY_LOCALCLOUD_ATHENA_HIVE_H

#include "base/buf.h"
#include "sql/duckdb.h"

/* "array<bigint>"; false when Hive has none (json, time, timestamp with time zone, an untyped null). */
bool athena_hive_type(struct buf *out, const struct duck_type *type);
/* "array<struct<a:int>>" in the engine's words; false when it is none. */
bool athena_hive_engine(struct buf *out, const char *hive);
/* "array(bigint)", "row(a integer)": as information_schema has it. What is no type is kept as it is. */
void athena_hive_shown(struct buf *out, const char *hive);
/* May a value of `from` be stored as `to` without a cast, as Trino coerces it? */
bool athena_hive_stores(const struct duck_type *from, const struct duck_type *to);

#endif
