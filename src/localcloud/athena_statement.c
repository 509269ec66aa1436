/* A recursive descent over the tokens, one function a statement. Hive's DDL quotes names by backticks and
 * texts by single or double quotes; Trino's statements use double quotes for names. */
#include "localcloud/athena_statement.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "localcloud/athena_table.h"

#include <stdlib.h>
#include <string.h>

#include "localcloud/athena_parser.h"

const struct athena_token *parser_peek(const struct parser *p, size_t ahead)
{
    size_t at = p->at + ahead;
    return &p->statement->tokens.list[at < p->statement->tokens.count ? at : p->statement->tokens.count];
}

int parser_refuse(struct parser *p)
{
    const struct athena_token *token = parser_peek(p, 0);
    char shown[80];
    text_sanitise(shown, sizeof shown, token->text, token->length > 60 ? 60 : token->length);
    return athena_fail_at(p->failure, token, "SYNTAX_ERROR", "mismatched input '%s'",
                          token->kind == TOKEN_END ? "<EOF>" : shown);
}

bool parser_word(struct parser *p, const char *word)
{
    if (!athena_is(parser_peek(p, 0), word))
        return false;
    p->at++;
    return true;
}

bool parser_words(struct parser *p, const char *first, const char *second)
{
    if (!athena_is(parser_peek(p, 0), first) || !athena_is(parser_peek(p, 1), second))
        return false;
    p->at += 2;
    return true;
}

bool parser_op(struct parser *p, const char *op)
{
    if (!athena_is_op(parser_peek(p, 0), op))
        return false;
    p->at++;
    return true;
}

int parser_need(struct parser *p, const char *word)
{
    return parser_word(p, word) ? 0 : parser_refuse(p);
}

char *parser_name(struct parser *p)
{
    const struct athena_token *token = parser_peek(p, 0);
    if (!athena_is_name(token)) {
        parser_refuse(p);
        return NULL;
    }
    p->at++;
    char *name = athena_unquote(token);
    for (char *at = name; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return name;
}

char *parser_text(struct parser *p)
{
    const struct athena_token *token = parser_peek(p, 0);
    if (token->kind != TOKEN_STRING && !(token->kind == TOKEN_QUOTED && *token->text == '"')) {
        parser_refuse(p);
        return NULL;
    }
    p->at++;
    return athena_unquote(token);
}

static int end(struct parser *p)
{
    return parser_peek(p, 0)->kind == TOKEN_END ? 0 : parser_refuse(p);
}

/* [catalog.][database.]name */
static int table_name(struct parser *p)
{
    struct athena_statement *s = p->statement;
    for (int parts = 0; parts < 3; parts++) {
        char *name = parser_name(p);
        if (!name)
            return -1;
        free(s->database);
        s->database = s->name;
        s->name = name;
        if (!parser_op(p, "."))
            return 0;
    }
    return parser_refuse(p);
}

/* The same of a database alone. */
static int database_name(struct parser *p)
{
    struct athena_statement *s = p->statement;
    if (table_name(p) != 0)
        return -1;
    free(s->database);
    s->database = s->name;
    s->name = NULL;
    return 0;
}

/* What is left is a query, in parentheses or not. */
static int rest_is_query(struct parser *p, size_t to)
{
    p->statement->query_from = p->at;
    p->statement->query_to = to;
    p->at = to;
    return p->statement->query_from < to ? 0 : parser_refuse(p);
}

static bool if_not_exists(struct parser *p)
{
    if (!athena_is(parser_peek(p, 0), "IF") || !athena_is(parser_peek(p, 1), "NOT") ||
        !athena_is(parser_peek(p, 2), "EXISTS"))
        return false;
    p->at += 3;
    return true;
}

/* ---- CREATE ----------------------------------------------------------------------------------------- */

static int create_database(struct parser *p)
{
    struct athena_statement *s = p->statement;
    s->verb = VERB_CREATE_DATABASE;
    s->if_exists = if_not_exists(p);
    if (database_name(p) != 0)
        return -1;
    if (parser_word(p, "COMMENT") && !(s->comment = parser_text(p)))
        return -1;
    if (parser_word(p, "LOCATION") && !(s->location = parser_text(p)))
        return -1;
    if (parser_words(p, "WITH", "DBPROPERTIES") && !(s->options = parser_properties(p)))
        return -1;
    return end(p);
}

/* CTAS: [WITH (properties)] AS query [WITH [NO] DATA] */
static int create_table_as(struct parser *p)
{
    struct athena_statement *s = p->statement;
    s->verb = VERB_CREATE_TABLE_AS;
    if (parser_word(p, "WITH") && !(s->options = parser_properties(p)))
        return -1;
    if (parser_need(p, "AS") != 0)
        return -1;
    size_t to = s->tokens.count;
    if (to >= 2 && athena_is(&s->tokens.list[to - 1], "DATA")) {
        s->no_data = athena_is(&s->tokens.list[to - 2], "NO");
        to -= s->no_data ? 3 : 2;
    }
    return to > p->at ? rest_is_query(p, to) : parser_refuse(p);
}

static int create(struct parser *p)
{
    struct athena_statement *s = p->statement;
    if (parser_words(p, "OR", "REPLACE"))
        s->replace = true;
    if (parser_word(p, "DATABASE") || parser_word(p, "SCHEMA"))
        return create_database(p);
    if (parser_word(p, "VIEW")) {
        s->verb = VERB_CREATE_VIEW;
        s->if_exists = if_not_exists(p);
        if (table_name(p) != 0 || parser_need(p, "AS") != 0)
            return -1;
        return rest_is_query(p, s->tokens.count);
    }
    bool external = parser_word(p, "EXTERNAL");
    if (parser_need(p, "TABLE") != 0)
        return -1;
    s->if_exists = if_not_exists(p);
    if (table_name(p) != 0)
        return -1;
    if (external)
        return athena_table_parse(p) == 0 ? end(p) : -1;
    if (athena_is_op(parser_peek(p, 0), "("))
        return athena_fail_at(p->failure, parser_peek(p, 0), "NOT_SUPPORTED",
                              "only CREATE EXTERNAL TABLE and CREATE TABLE AS are emulated locally");
    return create_table_as(p);
}

/* ---- DROP, ALTER ------------------------------------------------------------------------------------ */

static int drop(struct parser *p)
{
    struct athena_statement *s = p->statement;
    bool database = parser_word(p, "DATABASE") || parser_word(p, "SCHEMA");
    bool view = !database && parser_word(p, "VIEW");
    if (!database && !view && parser_need(p, "TABLE") != 0)
        return -1;
    s->verb = database ? VERB_DROP_DATABASE : view ? VERB_DROP_VIEW : VERB_DROP_TABLE;
    s->if_exists = parser_words(p, "IF", "EXISTS");
    if ((database ? database_name(p) : table_name(p)) != 0)
        return -1;
    s->cascade = database && parser_word(p, "CASCADE");
    (void)(s->cascade || !database || parser_word(p, "RESTRICT"));
    return end(p);
}

/* (key = 'value', …) as {"keys": {…}} */
static json_t *partition_spec(struct parser *p)
{
    if (!parser_op(p, "("))
        return parser_refuse(p), NULL;
    json_t *keys = json_object();
    do {
        char *name = parser_name(p);
        const struct athena_token *value = parser_peek(p, 1);
        if (!name || !athena_is_op(parser_peek(p, 0), "=") ||
            (value->kind != TOKEN_STRING && value->kind != TOKEN_INTEGER && value->kind != TOKEN_QUOTED)) {
            free(name);
            json_decref(keys);
            return parser_refuse(p), NULL;
        }
        char *text = athena_unquote(value);
        json_object_set_new(keys, name, json_string(text));
        free(text);
        free(name);
        p->at += 2;
    } while (parser_op(p, ","));
    if (!parser_op(p, ")")) {
        json_decref(keys);
        return parser_refuse(p), NULL;
    }
    return json_pack("{s:o}", "keys", keys);
}

static int partitions(struct parser *p)
{
    struct athena_statement *s = p->statement;
    s->partitions = json_array();
    while (parser_word(p, "PARTITION")) {
        json_t *partition = partition_spec(p);
        if (!partition)
            return -1;
        json_array_append_new(s->partitions, partition);
        if (s->verb == VERB_ADD_PARTITION && parser_word(p, "LOCATION")) {
            char *location = parser_text(p);
            if (!location)
                return -1;
            json_object_set_new(partition, "location", json_string(location));
            free(location);
        }
        (void)parser_op(p, ",");
    }
    return json_array_size(s->partitions) > 0 ? 0 : parser_refuse(p);
}

/* PARTITION (…) RENAME TO PARTITION (…), behind TO. */
static int rename_partition(struct parser *p)
{
    struct athena_statement *s = p->statement;
    s->verb = VERB_RENAME_PARTITION;
    json_t *partition = parser_need(p, "PARTITION") == 0 ? partition_spec(p) : NULL;
    if (!partition)
        return -1;
    json_array_append_new(s->partitions, partition);
    return json_array_size(s->partitions) == 2 ? end(p) : parser_refuse(p);
}

/* CHANGE [COLUMN] old new type [COMMENT 'x'] */
static int change_column(struct parser *p)
{
    struct athena_statement *s = p->statement;
    s->verb = VERB_CHANGE_COLUMN;
    (void)parser_word(p, "COLUMN");
    s->pattern = parser_name(p);
    s->columns = s->pattern ? athena_table_column(p) : NULL;
    if (!s->columns)
        return -1;
    if (athena_is(parser_peek(p, 0), "FIRST") || athena_is(parser_peek(p, 0), "AFTER"))
        return athena_fail_at(p->failure, parser_peek(p, 0), "NOT_SUPPORTED",
                              "the order of columns cannot be changed here");
    return end(p);
}

static int alter(struct parser *p)
{
    struct athena_statement *s = p->statement;
    if (parser_need(p, "TABLE") != 0 || table_name(p) != 0)
        return -1;
    if (parser_word(p, "ADD")) {
        if (parser_word(p, "COLUMNS")) {
            s->verb = VERB_ADD_COLUMNS;
            s->columns = athena_table_columns(p);
            return s->columns ? end(p) : -1;
        }
        s->verb = VERB_ADD_PARTITION;
        s->if_exists = if_not_exists(p);
        return partitions(p) == 0 ? end(p) : -1;
    }
    if (parser_word(p, "DROP")) {
        s->verb = VERB_DROP_PARTITION;
        s->if_exists = parser_words(p, "IF", "EXISTS");
        return partitions(p) == 0 ? end(p) : -1;
    }
    if (parser_words(p, "REPLACE", "COLUMNS")) {
        s->verb = VERB_REPLACE_COLUMNS;
        s->columns = athena_table_columns(p);
        return s->columns ? end(p) : -1;
    }
    if (parser_word(p, "CHANGE"))
        return change_column(p);
    if (athena_is(parser_peek(p, 0), "PARTITION")) {
        s->verb = VERB_SET_LOCATION;
        if (partitions(p) != 0)
            return -1;
        if (parser_words(p, "RENAME", "TO"))
            return rename_partition(p);
    }
    if (parser_need(p, "SET") != 0)
        return -1;
    if (parser_word(p, "LOCATION")) {
        s->verb = VERB_SET_LOCATION;
        s->location = parser_text(p);
        return s->location ? end(p) : -1;
    }
    if (s->partitions || parser_need(p, "TBLPROPERTIES") != 0)
        return s->partitions ? parser_refuse(p) : -1;
    s->verb = VERB_SET_PROPERTIES;
    s->options = parser_properties(p);
    return s->options ? end(p) : -1;
}

/* ---- SHOW, DESCRIBE --------------------------------------------------------------------------------- */

static int pattern(struct parser *p)
{
    (void)parser_word(p, "LIKE");
    if (parser_peek(p, 0)->kind == TOKEN_STRING && !(p->statement->pattern = parser_text(p)))
        return -1;
    return end(p);
}

static int show(struct parser *p)
{
    struct athena_statement *s = p->statement;
    if (parser_word(p, "DATABASES") || parser_word(p, "SCHEMAS")) {
        s->verb = VERB_SHOW_DATABASES;
        return pattern(p);
    }
    bool views = parser_word(p, "VIEWS");
    if (views || parser_word(p, "TABLES")) {
        s->verb = views ? VERB_SHOW_VIEWS : VERB_SHOW_TABLES;
        if ((parser_word(p, "IN") || parser_word(p, "FROM")) && database_name(p) != 0)
            return -1;
        return pattern(p);
    }
    if (parser_word(p, "COLUMNS")) {
        s->verb = VERB_SHOW_COLUMNS;
        if ((!parser_word(p, "IN") && parser_need(p, "FROM") != 0) || table_name(p) != 0)
            return -1;
        if (parser_word(p, "IN") || parser_word(p, "FROM")) {
            free(s->database);
            if (!(s->database = parser_name(p)))
                return -1;
        }
        return end(p);
    }
    if (parser_words(p, "CREATE", "TABLE"))
        s->verb = VERB_SHOW_CREATE_TABLE;
    else if (parser_words(p, "CREATE", "VIEW"))
        s->verb = VERB_SHOW_CREATE_VIEW;
    else if (parser_word(p, "PARTITIONS"))
        s->verb = VERB_SHOW_PARTITIONS;
    else if (parser_word(p, "TBLPROPERTIES"))
        s->verb = VERB_SHOW_PROPERTIES;
    else
        return parser_refuse(p);
    if (table_name(p) != 0)
        return -1;
    if (s->verb == VERB_SHOW_PROPERTIES && parser_op(p, "(")) {
        if (!(s->pattern = parser_text(p)) || !parser_op(p, ")"))
            return parser_refuse(p);
    }
    return end(p);
}

static int describe(struct parser *p)
{
    p->statement->verb = VERB_DESCRIBE;
    p->statement->detailed = parser_word(p, "EXTENDED") || parser_word(p, "FORMATTED");
    return table_name(p) == 0 ? end(p) : -1;
}

/* ---- the rest --------------------------------------------------------------------------------------- */

static int insert(struct parser *p)
{
    struct athena_statement *s = p->statement;
    s->verb = VERB_INSERT;
    if (parser_need(p, "INTO") != 0 || table_name(p) != 0)
        return -1;
    const struct athena_token *inside = parser_peek(p, 1);
    if (athena_is_op(parser_peek(p, 0), "(") && !athena_is(inside, "SELECT") && !athena_is(inside, "WITH") &&
        !athena_is(inside, "VALUES") && !athena_is_op(inside, "(")) {
        s->columns = json_array();
        p->at++;
        do {
            char *name = parser_name(p);
            if (!name)
                return -1;
            json_array_append_new(s->columns, json_string(name));
            free(name);
        } while (parser_op(p, ","));
        if (!parser_op(p, ")"))
            return parser_refuse(p);
    }
    return rest_is_query(p, s->tokens.count);
}

static int unload(struct parser *p)
{
    struct athena_statement *s = p->statement;
    s->verb = VERB_UNLOAD;
    if (!athena_is_op(parser_peek(p, 0), "("))
        return parser_refuse(p);
    size_t close = parser_peek(p, 0)->partner;
    s->query_from = p->at + 1;
    s->query_to = close;
    p->at = close + 1;
    if (parser_need(p, "TO") != 0 || !(s->location = parser_text(p)))
        return -1;
    if (parser_word(p, "WITH") && !(s->options = parser_properties(p)))
        return -1;
    return end(p);
}

static int prepare(struct parser *p)
{
    struct athena_statement *s = p->statement;
    s->verb = VERB_PREPARE;
    if (!(s->name = parser_name(p)) || parser_need(p, "FROM") != 0)
        return -1;
    return rest_is_query(p, s->tokens.count);
}

static int execute(struct parser *p)
{
    struct athena_statement *s = p->statement;
    s->verb = VERB_EXECUTE;
    if (!(s->name = parser_name(p)))
        return -1;
    if (parser_word(p, "USING"))
        return rest_is_query(p, s->tokens.count);
    s->query_from = s->query_to = s->tokens.count;
    return end(p);
}

static int explain(struct parser *p)
{
    struct athena_statement *s = p->statement;
    s->verb = VERB_EXPLAIN;
    s->analyze = parser_word(p, "ANALYZE");
    if (athena_is_op(parser_peek(p, 0), "(") &&
        (athena_is(parser_peek(p, 1), "TYPE") || athena_is(parser_peek(p, 1), "FORMAT")))
        p->at = parser_peek(p, 0)->partner + 1;
    return rest_is_query(p, s->tokens.count);
}

static int statement(struct parser *p)
{
    struct athena_statement *s = p->statement;
    const struct athena_token *first = parser_peek(p, 0);
    if (athena_is(first, "SELECT") || athena_is(first, "WITH") || athena_is(first, "VALUES") ||
        athena_is(first, "TABLE") || athena_is_op(first, "(")) {
        s->verb = VERB_QUERY;
        return rest_is_query(p, s->tokens.count);
    }
    static const struct {
        const char *word;
        int (*parse)(struct parser *p);
    } words[] = {{"CREATE", create},     {"DROP", drop},       {"ALTER", alter},    {"SHOW", show},
                 {"DESCRIBE", describe}, {"DESC", describe},   {"INSERT", insert},  {"UNLOAD", unload},
                 {"EXPLAIN", explain},   {"PREPARE", prepare}, {"EXECUTE", execute}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (parser_word(p, words[i].word))
            return words[i].parse(p);
    if (parser_words(p, "MSCK", "REPAIR")) {
        s->verb = VERB_REPAIR;
        return parser_need(p, "TABLE") == 0 && table_name(p) == 0 ? end(p) : -1;
    }
    if (parser_words(p, "DEALLOCATE", "PREPARE")) {
        s->verb = VERB_DEALLOCATE;
        return (s->name = parser_name(p)) ? end(p) : -1;
    }
    static const char *const absent[] = {"MERGE",  "UPDATE", "DELETE", "OPTIMIZE",
                                         "VACUUM", "GRANT",  "REVOKE", "USE"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (athena_is(first, absent[i]))
            return athena_fail_at(p->failure, first, "NOT_SUPPORTED", "%s is not emulated locally",
                                  absent[i]);
    return parser_refuse(p);
}

int athena_statement_parse(struct athena_statement *s, const char *text, struct athena_failure *failure)
{
    *s = (struct athena_statement){0};
    if (athena_lex(&s->tokens, text, failure) != 0)
        return -1;
    struct parser p = {.statement = s, .failure = failure};
    return statement(&p);
}

void athena_statement_free(struct athena_statement *s)
{
    athena_tokens_free(&s->tokens);
    free(s->database);
    free(s->name);
    json_decref(s->input);
    json_decref(s->columns);
    json_decref(s->partitions);
    json_decref(s->options);
    free(s->location);
    free(s->pattern);
    free(s->comment);
    *s = (struct athena_statement){0};
}

static const struct {
    const char *type, *subtype;
} verbs[] = {[VERB_QUERY] = {"DML", "SELECT"},
             [VERB_CREATE_DATABASE] = {"DDL", "CREATE_DATABASE"},
             [VERB_DROP_DATABASE] = {"DDL", "DROP_DATABASE"},
             [VERB_CREATE_TABLE] = {"DDL", "CREATE_TABLE"},
             [VERB_CREATE_TABLE_AS] = {"DDL", "CREATE_TABLE_AS_SELECT"},
             [VERB_DROP_TABLE] = {"DDL", "DROP_TABLE"},
             [VERB_CREATE_VIEW] = {"DDL", "CREATE_VIEW"},
             [VERB_DROP_VIEW] = {"DDL", "DROP_VIEW"},
             [VERB_INSERT] = {"DML", "INSERT"},
             [VERB_UNLOAD] = {"DML", "UNLOAD"},
             [VERB_ADD_PARTITION] = {"DDL", "ALTER_TABLE_ADD_PARTITION"},
             [VERB_DROP_PARTITION] = {"DDL", "ALTER_TABLE_DROP_PARTITION"},
             [VERB_ADD_COLUMNS] = {"DDL", "ALTER_TABLE_ADD_COLUMNS"},
             [VERB_REPLACE_COLUMNS] = {"DDL", "ALTER_TABLE_REPLACE_COLUMNS"},
             [VERB_CHANGE_COLUMN] = {"DDL", "ALTER_TABLE_CHANGE_COLUMN"},
             [VERB_RENAME_PARTITION] = {"DDL", "ALTER_TABLE_RENAME_PARTITION"},
             [VERB_SET_LOCATION] = {"DDL", "ALTER_TABLE_SET_LOCATION"},
             [VERB_SET_PROPERTIES] = {"DDL", "ALTER_TABLE_SET_TBLPROPERTIES"},
             [VERB_REPAIR] = {"DDL", "MSCK_REPAIR"},
             [VERB_SHOW_DATABASES] = {"UTILITY", "SHOW_DATABASES"},
             [VERB_SHOW_TABLES] = {"UTILITY", "SHOW_TABLES"},
             [VERB_SHOW_VIEWS] = {"UTILITY", "SHOW_VIEWS"},
             [VERB_SHOW_COLUMNS] = {"UTILITY", "SHOW_COLUMNS"},
             [VERB_SHOW_PARTITIONS] = {"UTILITY", "SHOW_PARTITIONS"},
             [VERB_SHOW_CREATE_TABLE] = {"UTILITY", "SHOW_CREATE_TABLE"},
             [VERB_SHOW_CREATE_VIEW] = {"UTILITY", "SHOW_CREATE_VIEW"},
             [VERB_SHOW_PROPERTIES] = {"UTILITY", "SHOW_TBLPROPERTIES"},
             [VERB_DESCRIBE] = {"UTILITY", "DESCRIBE"},
             [VERB_EXPLAIN] = {"UTILITY", "EXPLAIN"},
             [VERB_PREPARE] = {"DDL", "PREPARE"},
             [VERB_EXECUTE] = {"DML", "EXECUTE"},
             [VERB_DEALLOCATE] = {"DDL", "DEALLOCATE"}};

const char *athena_statement_type(const struct athena_statement *s)
{
    return verbs[s->verb].type;
}

const char *athena_statement_subtype(const struct athena_statement *s)
{
    return verbs[s->verb].subtype;
}
