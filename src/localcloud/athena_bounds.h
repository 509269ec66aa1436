/* Whether a row group can hold a row that a filter lets through: what the engine says of its filters in a
 * plan
 * ("speed>100.0", "dt>='2026-01-01' AND dt<'2026-02-01'", "id IN (1, 2)") against the bounds of the columns.
 * What is not understood lets everything through. Pure. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_BOUNDS_H
#define SMARTCITY_LOCALCLOUD_ATHENA_BOUNDS_H

#include "localcloud/parquet_groups.h"

bool athena_bounds_pass(const struct parquet_file *file, const struct parquet_group *group,
                        const char *filter);
/* Does the text name the column anywhere? */
bool athena_bounds_mention(const char *text, const char *column, size_t length);

#endif
