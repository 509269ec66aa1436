/*
 * Athena SQL as tokens: words, quoted names, literals, operators, with their place in the text. Comments and
 * white space are gone; parentheses and brackets know their partner. Pure.
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_LEXER_H
#define SMARTCITY_LOCALCLOUD_ATHENA_LEXER_H

#include <stdbool.h>
#include <stddef.h>

#define ATHENA_SQL_LIMIT   262144 /* bytes of a query string, as in Athena */
#define ATHENA_DEPTH_LIMIT 200    /* of nested parentheses */

enum athena_token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_QUOTED,   /* "name", and `name` of DDL */
    TOKEN_STRING,   /* 'text' */
    TOKEN_BINARY,   /* X'00' */
    TOKEN_INTEGER,  /* 12 */
    TOKEN_DECIMAL,  /* 1.5 */
    TOKEN_DOUBLE,   /* 1e5 */
    TOKEN_OPERATOR, /* one to three characters */
    TOKEN_PARAMETER /* ? */
};

struct athena_token {
    enum athena_token_kind kind;
    const char *text; /* into the SQL, quotes included */
    size_t length;
    int line, column; /* from 1 */
    size_t partner;   /* of ( ) [ ] */
};

/* What went wrong, as Athena says it: "TYPE_MISMATCH", "line 1:8: …". */
struct athena_failure {
    char kind[48];
    char text[400];
};
int athena_fail(struct athena_failure *failure, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with "line L:C: " before it. */
int athena_fail_at(struct athena_failure *failure, const struct athena_token *token, const char *kind,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

struct athena_tokens {
    struct athena_token *list; /* ends with TOKEN_END */
    size_t count;              /* without it */
};

/* The text must stay while the tokens are used; it is NUL-terminated. 0 or -1 (SYNTAX_ERROR). */
int athena_lex(struct athena_tokens *tokens, const char *text, struct athena_failure *failure);
void athena_tokens_free(struct athena_tokens *tokens);

bool athena_is(const struct athena_token *token, const char *word);    /* a word, in any case, unquoted */
bool athena_is_op(const struct athena_token *token, const char *text); /* an operator */
bool athena_is_name(const struct athena_token *token);                 /* a word or quoted */
/* A name without its quotes ("" undone), a string without its; a word in lower case. Caller frees. */
char *athena_unquote(const struct athena_token *token);

#endif
