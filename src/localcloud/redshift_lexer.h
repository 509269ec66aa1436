/*
 * Redshift SQL as tokens, with their places in the text. Strings and names are decoded: a name is in lower
 * case even when it was quoted, as in Redshift; a backslash in a string is an escape. Comments and white
 * space are gone; parentheses know their partner; `:name` is replaced by the parameter's text as a string.
 * Pure.
 */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_LEXER_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_LEXER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define REDSHIFT_SQL_LIMIT   102400 /* bytes of a statement: the Data API's 100 KB */
#define REDSHIFT_DEPTH_LIMIT 200    /* of nested parentheses */

enum redshift_token_kind {
    RS_END,
    RS_WORD,   /* value: lower case */
    RS_QUOTED, /* "name"; value: lower case */
    RS_STRING, /* value: decoded */
    RS_NUMBER,
    RS_OPERATOR
};

struct redshift_token {
    enum redshift_token_kind kind;
    const char *text; /* into the SQL */
    size_t length;
    char *value;    /* NULL for numbers and operators */
    size_t partner; /* of ( ) [ ] */
};

struct redshift_parameter {
    const char *name, *value;
    bool used;
};

struct redshift_tokens {
    const char *sql;
    struct redshift_token *list; /* ends with RS_END */
    size_t count;                /* without it */
};

/* What went wrong, as Redshift says it, without "ERROR: ". */
struct redshift_failure {
    char text[800];
    bool validation; /* said by the Data API before anything runs: a parameter is missing */
};
int redshift_fail(struct redshift_failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* syntax error at or near "…", with the position. */
int redshift_fail_at(const struct redshift_tokens *tokens, size_t at, struct redshift_failure *failure);

/* `text` must stay. 0 or -1. Parameters that occur are marked. */
int redshift_lex(struct redshift_tokens *tokens, const char *text, struct redshift_parameter *parameters,
                 size_t parameter_count, struct redshift_failure *failure);
void redshift_tokens_free(struct redshift_tokens *tokens);

bool redshift_is(const struct redshift_token *token, const char *word); /* unquoted, lower case */
bool redshift_is_op(const struct redshift_token *token, const char *text);
bool redshift_is_name(const struct redshift_token *token);
/* Consumes when it is there. */
bool redshift_take(const struct redshift_tokens *tokens, size_t *at, const char *word);
bool redshift_take_op(const struct redshift_tokens *tokens, size_t *at, const char *text);

/* 'text' and "name" for the engine. */
void redshift_put_string(struct buf *out, const char *text);
void redshift_put_name(struct buf *out, const char *name);

#endif
