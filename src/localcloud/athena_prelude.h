/* What Athena has and DuckDB has not: functions in C and macros over them, the operators that differ among
 * them. Once a database, by the connection that opened it. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_PRELUDE_H
#define SMARTCITY_LOCALCLOUD_ATHENA_PRELUDE_H

#include "sql/duckdb.h"

int athena_prelude(struct duck_connection *connection, struct err *err);

/* The functions on dates and times (athena_time.c). */
extern const struct duck_function athena_time_functions[];
/* Types that do not go together (athena_check.c). */
extern const struct duck_function athena_check_functions[];
/* Rows as text of tables (athena_lazy.c). */
extern const struct duck_function athena_lazy_functions[];

#endif
