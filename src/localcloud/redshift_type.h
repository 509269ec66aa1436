/* The types of Redshift: as they are written, as they are called in the catalogue and by the Data API, and
 * what the engine keeps them as. Pure. */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_TYPE_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_TYPE_H

#include "localcloud/redshift_lexer.h"
#include "sql/duckdb.h"

#include <jansson.h>

enum redshift_kind {
    RS_SMALLINT,
    RS_INTEGER,
    RS_BIGINT,
    RS_DECIMAL,
    RS_REAL,
    RS_DOUBLE,
    RS_BOOLEAN,
    RS_CHAR,
    RS_VARCHAR,
    RS_DATE,
    RS_TIMESTAMP,
    RS_TIMESTAMPTZ,
    RS_TIME,
    RS_TIMETZ,
    RS_INTERVAL,
    RS_SUPER, /* JSON text; the engine's JSON */
    RS_VARBYTE,
    RS_KINDS
};

struct redshift_type {
    enum redshift_kind kind;
    int length;           /* CHAR, VARCHAR, VARBYTE: bytes */
    int precision, scale; /* DECIMAL */
};

/* From tokens; *at is then behind it. */
int redshift_type_parse(const struct redshift_tokens *tokens, size_t *at, struct redshift_type *type,
                        struct redshift_failure *failure);
/* What the engine has, for what has no declaration: a result, a table made from a query. */
struct redshift_type redshift_type_of(const struct duck_type *type);
/* "character varying(20)", as in pg_table_def and svv_columns. */
void redshift_type_write(const struct redshift_type *type, struct buf *out);
/* "VARCHAR": for the engine. */
void redshift_type_write_duck(const struct redshift_type *type, struct buf *out);
const char *redshift_type_name(enum redshift_kind kind);  /* "character varying" */
const char *redshift_type_short(enum redshift_kind kind); /* "varchar": typeName */
int redshift_type_precision(const struct redshift_type *type);
/* A member ColumnMetadata of the Data API. */
json_t *redshift_type_metadata(const struct redshift_type *type, const char *name);

#endif
