/* Values of the engine as the Data API and CSV files show them. Pure. */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_VALUE_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_VALUE_H

#include "base/buf.h"
#include "localcloud/redshift_type.h"
#include "sql/duckdb.h"

/* The text form; not for null. */
void redshift_value_text(struct duck_value value, struct buf *out);
/* A Field: {"longValue": 1}. */
json_t *redshift_value_field(struct duck_value value, enum redshift_kind kind);
/* A field of a line of CSV, quoted when it must be; null is nothing. */
void redshift_value_csv(struct duck_value value, struct buf *out);

#endif
