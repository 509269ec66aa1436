/* Between the files of the Athena rewriter. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_REWRITE_PRIVATE_H
#define SMARTCITY_LOCALCLOUD_ATHENA_REWRITE_PRIVATE_H

#include "localcloud/athena_rewrite.h"

struct rewriter {
    const struct athena_tokens *tokens;
    struct buf out;
    const char *database;
    struct athena_query *query;
    struct athena_failure *failure;
    char **common; /* names of WITH */
    size_t common_count;
    int depth;
    int doubled;    /* right operands of - / % that we are in: macros name them more than once */
    bool placed;    /* checks of types may say where they stand */
    bool unchecked; /* in a condition of an outer join, which the engine must see bare */
    bool hidden;    /* "$path" is wanted: tables have such columns, which * leaves out */
};

#define AT(r, i) (&(r)->tokens->list[i])

int rewrite_query(struct rewriter *r, size_t from, size_t to);
int rewrite_expression(struct rewriter *r, size_t from, size_t to);
/* FROM, behind the word: relations until a clause begins. Returns where it stopped in *next. */
int rewrite_relations(struct rewriter *r, size_t from, size_t to, size_t *next);
/* Behind the last token of what begins at `at`: a parenthesis with all in it, or one token. */
size_t rewrite_skip(const struct rewriter *r, size_t at);
bool rewrite_is_query(const struct rewriter *r, size_t at);  /* what a parenthesis holds is a query */
bool rewrite_is_clause(const struct rewriter *r, size_t at); /* a word that begins a clause */
bool rewrite_is_keyword(const struct athena_token *token);   /* no name and no function */
void rewrite_name(struct rewriter *r, const struct athena_token *token);
void rewrite_raw(struct rewriter *r, const struct athena_token *token);
int rewrite_refuse(struct rewriter *r, size_t at); /* mismatched input */

bool rewrite_in_list(const struct athena_token *token, const char *const *list); /* of words, ended by NULL */
void rewrite_put_quoted(struct buf *out, const char *name);
char *rewrite_lower_name(const struct athena_token *token);         /* caller frees */
bool rewrite_is_common(const struct rewriter *r, const char *name); /* of a WITH */
bool rewrite_is_join(const struct athena_token *token);
/* The tables in FROM [from, to) under a WHERE [where_from, where_to): what it demands of each. */
void rewrite_note_conditions(struct rewriter *r, size_t from, size_t to, size_t where_from, size_t where_to);
/* [catalog.][database.]name */
int rewrite_table(struct rewriter *r, size_t at, size_t to, size_t *next);

/* A comparison, BETWEEN or IN at `at`, whose left operand was written since `mark`: with a check of the
 * types. 1: it is none, or takes none. */
int rewrite_checked(struct rewriter *r, size_t at, size_t to, size_t mark, size_t *next);
/* The same of + and - with an interval; the left operand began at the token `begin`. */
int rewrite_interval(struct rewriter *r, size_t begin, size_t at, size_t to, size_t mark, size_t *next);
int rewrite_case(struct rewriter *r, size_t at, size_t to, size_t *next);

/* Literals, types and casts. */
bool rewrite_is_type(const struct athena_token *token); /* a word that may stand before a literal */
int rewrite_literal(struct rewriter *r, size_t at);
int rewrite_typed(struct rewriter *r, size_t at);
int rewrite_cast(struct rewriter *r, size_t at);
int rewrite_argument(struct rewriter *r, size_t from, size_t to);
/* Writes an argument and takes it out again. Caller frees; NULL on error. */
char *rewrite_argument_text(struct rewriter *r, size_t from, size_t to);

#endif
