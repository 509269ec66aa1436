/*
 * What the engine is taught: functions in C for what DuckDB does otherwise, macros, and the system views. All
 * are in the schema _redshift, which is on the search path of every connection behind the user's schemas, and
 * which SQL cannot name.
 */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_PRELUDE_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_PRELUDE_H

#include "base/buf.h"
#include "sql/duckdb.h"

extern const struct duck_function redshift_c_functions[];
extern const char *const redshift_prelude[]; /* statements; run at each opening */
struct redshift_view {
    const char *name, *query;
};
extern const struct redshift_view redshift_views[]; /* the same, afterwards; ends with a row without a name */

/* TO_CHAR and TO_TIMESTAMP with the patterns of PostgreSQL. micros since 1970. */
void redshift_format_time(int64_t micros, const char *pattern, size_t length, struct buf *out);
void redshift_format_number(double number, const char *pattern, size_t length, struct buf *out);
/* False: the text does not fit the pattern. */
bool redshift_parse_time(const char *text, size_t length, const char *pattern, size_t pattern_length,
                         int64_t *micros);
/* Days since 1970 of a date of the civil calendar, and back. */
int64_t redshift_days(int64_t year, int month, int day);
void redshift_civil(int64_t days, int64_t *year, int *month, int *day);

#endif
