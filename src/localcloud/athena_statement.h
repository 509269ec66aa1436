/*
 * An Athena statement taken apart: what kind it is, what it names, and, for DDL, the Glue inputs it stands
 * for. The query inside (SELECT, of CTAS, INSERT, UNLOAD, a view …) is left as a range of tokens for
 * athena_rewrite(). Pure: nothing is looked up and nothing is done here.
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_STATEMENT_H
#define SMARTCITY_LOCALCLOUD_ATHENA_STATEMENT_H

#include "localcloud/athena_lexer.h"

#include <jansson.h>

enum athena_verb {
    VERB_QUERY, /* SELECT, WITH, VALUES, TABLE */
    VERB_CREATE_DATABASE,
    VERB_DROP_DATABASE,
    VERB_CREATE_TABLE,    /* EXTERNAL: `input` is a Glue TableInput */
    VERB_CREATE_TABLE_AS, /* `options` of WITH, and the query */
    VERB_DROP_TABLE,
    VERB_CREATE_VIEW, /* the query */
    VERB_DROP_VIEW,
    VERB_INSERT,           /* `columns` or NULL, and the query */
    VERB_UNLOAD,           /* the query, `location`, `options` */
    VERB_ADD_PARTITION,    /* `partitions` */
    VERB_DROP_PARTITION,   /* `partitions` */
    VERB_ADD_COLUMNS,      /* `columns` */
    VERB_REPLACE_COLUMNS,  /* `columns` */
    VERB_CHANGE_COLUMN,    /* `pattern`: its name now; `columns`: one */
    VERB_RENAME_PARTITION, /* `partitions`: what it is and what it becomes */
    VERB_SET_LOCATION,     /* `location`, of `partitions` when given */
    VERB_SET_PROPERTIES,   /* `options` */
    VERB_REPAIR,
    VERB_SHOW_DATABASES, /* `pattern` */
    VERB_SHOW_TABLES,    /* `database` when given, `pattern` */
    VERB_SHOW_VIEWS,
    VERB_SHOW_COLUMNS,
    VERB_SHOW_PARTITIONS,
    VERB_SHOW_CREATE_TABLE,
    VERB_SHOW_CREATE_VIEW,
    VERB_SHOW_PROPERTIES,
    VERB_DESCRIBE,
    VERB_EXPLAIN, /* the query */
    VERB_PREPARE, /* `name`, and what is prepared as the query range */
    VERB_EXECUTE, /* `name`, and the parameters as the query range (may be empty) */
    VERB_DEALLOCATE
};

struct athena_statement {
    enum athena_verb verb;
    struct athena_tokens tokens; /* of the whole text, which must stay */
    char *database, *name;       /* lower case; NULL when not given */
    bool if_exists;              /* IF EXISTS, or IF NOT EXISTS */
    bool replace, cascade, analyze, no_data, detailed;
    size_t query_from, query_to;
    json_t *input;      /* object */
    json_t *columns;    /* array of {"Name", "Type", "Comment"}, or of names (INSERT) */
    json_t *partitions; /* array of {"keys": {name: value}, "location": text or absent} */
    json_t *options;    /* object of texts, numbers, booleans, arrays */
    char *location, *pattern, *comment;
};

/* 0, or -1 with SYNTAX_ERROR, NOT_SUPPORTED…; free it in both cases. */
int athena_statement_parse(struct athena_statement *statement, const char *text,
                           struct athena_failure *failure);
void athena_statement_free(struct athena_statement *statement);
/* "DML", "DDL" or "UTILITY", and "SELECT", "CREATE_TABLE"…, as GetQueryExecution says them. */
const char *athena_statement_type(const struct athena_statement *statement);
const char *athena_statement_subtype(const struct athena_statement *statement);

#endif
