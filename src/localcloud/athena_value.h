/* Values and types as Athena writes them in results: 1.0E20, [1, 2], {k=v}, 2026-01-12 08:14:32.000. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_VALUE_H
#define SMARTCITY_LOCALCLOUD_ATHENA_VALUE_H

#include "base/buf.h"
#include "sql/duckdb.h"

/* Appends the text of a value that is not null. */
void athena_value_write(struct buf *out, struct duck_value value);
/* As CAST(… AS VARCHAR) writes it: a timestamp without its fraction when that is zero… as Athena's results do
 * not. */
void athena_double_write(struct buf *out, double value, bool single);

/* "bigint", "varchar", "array(bigint)", "row(a integer)": as typeof() says it. */
void athena_type_write(struct buf *out, const struct duck_type *type);
/* For ResultSetMetadata: "float" for real, "array", "map", "row"; precision and scale. */
const char *athena_type_name(const struct duck_type *type, int *precision, int *scale);

#endif
