/* Between redshift_ddl.c and redshift_ddl_table.c. */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_DDL_PRIVATE_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_DDL_PRIVATE_H

#include "localcloud/redshift_ddl.h"
#include "localcloud/redshift_type.h"

struct rs_column {
    const char *name;
    struct redshift_type type;
    const char *encode;
    bool distkey, not_null;
    int sortkey; /* from 1; 0 none */
    bool identity;
    long long seed, step;
};

struct rs_ddl {
    const struct redshift_tokens *tokens;
    const struct redshift_scope *scope;
    size_t at;
    uint64_t unique;
    struct buf *out, *table;
    struct redshift_failure *failure;

    /* of CREATE TABLE */
    struct buf name;  /* as the engine knows it */
    struct buf lines; /* of columns */
    struct rs_column *columns;
    size_t count;
    char style[160]; /* "KEY(id)" */
    char sort_first[128];
    int sort_count;
};

#define HERE(d) (&(d)->tokens->list[(d)->at])

/* The words and names of a definition, from d->at on. */
int rs_ddl_unexpected(struct rs_ddl *d);
bool rs_ddl_take(struct rs_ddl *d, const char *word);
bool rs_ddl_take_op(struct rs_ddl *d, const char *text);
void rs_ddl_skip(struct rs_ddl *d); /* behind a parenthesis, or the next token */
bool rs_ddl_if_exists(struct rs_ddl *d, bool not );
int rs_ddl_table_name(struct rs_ddl *d, struct buf *out, char last[128]);

/* A column's name, type and attributes, as a line of CREATE TABLE. */
int rs_ddl_column(struct rs_ddl *d, struct rs_column *column, struct buf *line);
/* PRIMARY KEY (…) and the like: passed over; false: it is none. */
bool rs_ddl_constraint(struct rs_ddl *d);
int rs_ddl_attributes(struct rs_ddl *d);
/* "; COMMENT ON …": what the system views and DescribeTable read. */
void rs_ddl_declare_column(struct rs_ddl *d, struct buf *out, const struct rs_column *column);
void rs_ddl_declare_table(struct rs_ddl *d, struct buf *out);
int rs_ddl_create_table(struct rs_ddl *d, bool temporary);

#endif
