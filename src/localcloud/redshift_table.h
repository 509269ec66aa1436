/* A table as the catalogue has it: its columns with what was declared of them, which the engine keeps as
 * comments. Reads through the connection, so it sees temporary tables and what is not committed. */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_TABLE_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_TABLE_H

#include "localcloud/redshift_run.h"
#include "localcloud/redshift_type.h"

#define REDSHIFT_COLUMNS_MAX 1600

struct redshift_column {
    char *name, *encode; /* encode NULL: not declared */
    char *fallback;      /* the default as the engine has it; NULL none */
    char *comment;       /* the declaration; NULL none */
    struct redshift_type type;
    bool not_null, identity, distkey;
    int sortkey; /* from 1; 0 none */
};

struct redshift_table {
    struct redshift_column *columns;
    size_t count;           /* 0: there is no such table */
    char *schema, *comment; /* of the table, in the engine; comment NULL none */
    bool temporary;
};

/* schema "": a temporary table, or the first of the search path. -1 with outcome->error. */
int redshift_table_read(struct redshift_runner *runner, const char *schema, const char *name,
                        struct redshift_table *table, struct redshift_outcome *outcome);
void redshift_table_free(struct redshift_table *table);

/* ALTER TABLE … ALTER and, after the engine has added it, ADD COLUMN; anything else: nothing. */
int redshift_table_alter(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                         struct redshift_outcome *outcome);

/* CREATE TABLE IF NOT EXISTS of one that is there: 1; else 0; -1 with outcome->error. */
int redshift_table_exists(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                          struct redshift_outcome *outcome);

/* CREATE TABLE t (LIKE u): 1 and the statement with u's columns written out, in Redshift's words; 0: it is
 * none; -1 with outcome->error. */
int redshift_table_expand_like(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                               struct buf *sql, struct redshift_outcome *outcome);

#endif
