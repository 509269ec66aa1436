/*
 * From Athena's dialect (Trino) to DuckDB's: queries only (SELECT, WITH, VALUES, TABLE). Everything that
 * comes out refers to the temporary views of the tables it names, and calls only functions of the table in
 * athena_functions.c: SQL cannot reach anything else of the engine. What DuckDB would take but Athena would
 * not (::, QUALIFY, files as tables …) is refused with Athena's error. Pure; any thread.
 *
 * It works on tokens, with the structure it needs: clauses, relations of FROM, calls and their arguments,
 * types of casts, subscripts, lambdas. Precedence is left to DuckDB, whose own operators are replaced, where
 * they differ, by macros of the same name (athena_prelude.c).
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_REWRITE_H
#define SMARTCITY_LOCALCLOUD_ATHENA_REWRITE_H

#include "base/buf.h"
#include "localcloud/athena_lexer.h"

#include <jansson.h>

#define ATHENA_TABLES_MAX   200
#define ATHENA_BRANCHES_MAX 32 /* that are looked at */
/* Stands in a column's name where its number is known only when it has run: "_col" and the number. */
#define ATHENA_UNNAMED "_col#"

struct athena_table {
    char *database, *name; /* lower case */
    int line, column;      /* of its first mention */
    size_t mentions;
    /* [[text, …], …]: of a mention, what its WHERE demands besides other things; not of every mention. */
    json_t *conditions;
};

struct athena_query {
    char *sql;
    struct athena_table *tables; /* each once; in `sql` it is the view "database.name" */
    size_t table_count;
    size_t parameter_count; /* "?" in it */
    /* The sides of a UNION, EXCEPT or INTERSECT at the top, as parts of `sql`; what WITH says ends at
     * with_to. */
    struct athena_branch {
        size_t from, to;
        const char *word; /* in front of it: "UNION" */
        int line, column;
    } branches[ATHENA_BRANCHES_MAX];
    size_t branch_count, with_to;
    bool hidden; /* it names "$path": the views need the hidden columns */
};

/* Of tokens [from, to). 0 or -1. */
int athena_rewrite(const struct athena_tokens *tokens, size_t from, size_t to, const char *database,
                   struct athena_query *query, struct athena_failure *failure);
/* The same of a text. */
int athena_rewrite_text(const char *text, const char *database, struct athena_query *query,
                        struct athena_failure *failure);
void athena_query_free(struct athena_query *query);

/* A type as it stands in tokens [from, to), in DuckDB's words. */
int athena_rewrite_type(const struct athena_tokens *tokens, size_t from, size_t to, struct buf *out,
                        struct athena_failure *failure);

/* Of the table of functions, for the documents. */
enum athena_status { ATHENA_EXACT, ATHENA_APPROXIMATE, ATHENA_ABSENT };
struct athena_function {
    const char *name;
    int least, most; /* arguments; most -1: any number */
    /* "name": called instead; "…$1…$2…": text, $* all arguments. NULL: refused as not emulated. */
    const char *target;
    enum athena_status status;
    const char *note;
};
extern const struct athena_function athena_functions[]; /* by name; ends with a row without one */
/* By name and number of arguments; *known: there is one of that name. */
const struct athena_function *athena_function_find(const char *name, int arguments, bool *known);

#endif
