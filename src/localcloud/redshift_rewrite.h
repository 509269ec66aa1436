/*
 * From Redshift's dialect to DuckDB's: queries and the expressions of other statements. What comes out calls
 * only functions of the table in redshift_functions.c, so SQL cannot reach files, settings or the catalogue
 * of the engine; what DuckDB would take but Redshift would not (lists, files as tables, chained calls) is
 * refused. Pure; any thread.
 *
 * It works on tokens: operands with their casts (::), calls and their arguments, select lists (a column
 * without a name is called as PostgreSQL calls it), TOP, the order of nulls. Precedence is left to DuckDB.
 * Operators that differ (/ and %) are macros in the engine (redshift_prelude.c).
 */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_REWRITE_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_REWRITE_H

#include "localcloud/redshift_lexer.h"

#include <stdint.h>

/* What the session knows. */
struct redshift_scope {
    const char *database, *user, *schema;
    int64_t last_copy_id, last_copy_count; /* -1, 0: none */
};

/* Appends tokens [from, to) as DuckDB's SQL. named: columns of the outermost select list get names. */
int redshift_rewrite(const struct redshift_tokens *tokens, size_t from, size_t to,
                     const struct redshift_scope *scope, bool named, struct buf *out,
                     struct redshift_failure *failure);
/* A table's name at *at, with schema and database, as it is for the engine; the parts are copied into schema
 * ("" none) and name when these are given. */
int redshift_rewrite_table(const struct redshift_tokens *tokens, size_t *at,
                           const struct redshift_scope *scope, struct buf *out, char schema[128],
                           char name[128], struct redshift_failure *failure);

/* ---- the table of functions ------------------------------------------------------------------------- */

enum redshift_status { REDSHIFT_EXACT, REDSHIFT_APPROXIMATE, REDSHIFT_ABSENT };

struct redshift_function {
    const char *name;
    int least, most; /* arguments; most -1: any number */
    /* NULL: the same name. "other": that name. With a parenthesis or a quote: text, in which $1, $2, …
     * are arguments and $p1 is the date part that argument 1 names, as a string. "@": by its own code in the
     * rewriter. */
    const char *target;
    enum redshift_status status;
    const char *note;
};
extern const struct redshift_function redshift_functions[]; /* ends with a row without a name */
/* *known: there is one of that name, with another number of arguments. */
const struct redshift_function *redshift_function_find(const char *name, int arguments, bool *known);
/* Is it one of the system views that are emulated? Those of information_schema begin with its name and '_'.
 */
bool redshift_is_view(const char *name);
/* "yr" → "year"; NULL when it is none. */
const char *redshift_date_part(const char *word);

#endif
