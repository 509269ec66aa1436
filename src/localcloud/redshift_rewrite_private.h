/* Between redshift_rewrite.c and redshift_call.c. */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_REWRITE_PRIVATE_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_REWRITE_PRIVATE_H

#include "localcloud/redshift_rewrite.h"

#define REDSHIFT_OUT_LIMIT (4u << 20) /* templates repeat their arguments */

struct rs_rewriter {
    const struct redshift_tokens *tokens;
    const struct redshift_scope *scope;
    struct buf *out;
    struct redshift_failure *failure;
    int depth;
};

#define RS_AT(r, i) (&(r)->tokens->list[i])

/* Tokens [from, to) of one level; named: the columns of its select list get names. */
int rs_range(struct rs_rewriter *r, size_t from, size_t to, bool named);
/* The same into a text of its own; NULL on error. The caller frees. */
char *rs_range_text(struct rs_rewriter *r, size_t from, size_t to);
/* A call whose name is at *at and whose parenthesis follows; *at is then behind it. */
int rs_call(struct rs_rewriter *r, size_t *at);
/* A call with words between its arguments; false: it is none. */
bool rs_syntax_call(struct rs_rewriter *r, const char *name, size_t open, int *result);
/* ~ 'pattern', SIMILAR TO 'pattern', at the operator. */
int rs_pattern(struct rs_rewriter *r, size_t *at, bool similar);
/* Wraps what was written since `start` into a cast. */
int rs_cast(struct rs_rewriter *r, size_t start, size_t *at);
bool rs_is_keyword(const struct redshift_token *token); /* neither a function nor an alias */

#endif
