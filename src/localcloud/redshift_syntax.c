/* What SQL writes with words of its own instead of commas: TRIM (BOTH x FROM y), SUBSTRING (x FROM a FOR b),
 * POSITION (a IN b), and the patterns of ~ and SIMILAR TO. */
#include "localcloud/redshift_rewrite_private.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/* The place of the word among [from, to), on this level; `to` when it is not there. */
static size_t find_word(const struct rs_rewriter *r, size_t from, size_t to, const char *word)
{
    for (size_t i = from; i < to; i++) {
        if (redshift_is_op(RS_AT(r, i), "("))
            i = RS_AT(r, i)->partner;
        else if (redshift_is(RS_AT(r, i), word))
            return i;
    }
    return to;
}

/* "function(b, a)", of ranges; a may be empty. */
static int put_call(struct rs_rewriter *r, const char *function, size_t b, size_t b_end, size_t a,
                    size_t a_end)
{
    buf_printf(r->out, "%s(", function);
    if (rs_range(r, b, b_end, false) != 0)
        return -1;
    if (a < a_end) {
        buf_text(r->out, ", ");
        if (rs_range(r, a, a_end, false) != 0)
            return -1;
    }
    buf_char(r->out, ')');
    return 0;
}

static int call_substring(struct rs_rewriter *r, size_t open, size_t from, size_t close)
{
    size_t with = find_word(r, from + 1, close, "for");
    buf_text(r->out, "rs_substring(");
    if (rs_range(r, open + 1, from, false) != 0)
        return -1;
    buf_text(r->out, ", ");
    if (rs_range(r, from + 1, with, false) != 0)
        return -1;
    if (with < close) {
        buf_text(r->out, ", ");
        if (rs_range(r, with + 1, close, false) != 0)
            return -1;
    }
    buf_char(r->out, ')');
    return 0;
}

bool rs_syntax_call(struct rs_rewriter *r, const char *name, size_t open, int *result)
{
    size_t close = RS_AT(r, open)->partner, from = find_word(r, open + 1, close, "from");
    *result = 0;
    if (strcmp(name, "position") == 0) {
        size_t in = find_word(r, open + 1, close, "in");
        if (in == close)
            return false;
        *result = put_call(r, "strpos", in + 1, close, open + 1, in);
        return true;
    }
    if (from == close)
        return false;
    if (strcmp(name, "substring") == 0) {
        *result = call_substring(r, open, from, close);
        return true;
    }
    if (strcmp(name, "trim") != 0)
        return false;
    size_t first = open + 1;
    const char *function = redshift_take(r->tokens, &first, "leading")    ? "ltrim"
                           : redshift_take(r->tokens, &first, "trailing") ? "rtrim"
                                                                          : "trim";
    redshift_take(r->tokens, &first, "both");
    *result = put_call(r, function, from + 1, close, first, from);
    return true;
}

/* ---- patterns --------------------------------------------------------------------------------------- */

/* `_` and `%` are wild, . ^ $ mean themselves, the rest is as in a regular expression. */
static void similar_pattern(const char *text, struct buf *out)
{
    buf_text(out, "(?s)");
    for (; *text; text++) {
        if (*text == '\\' && text[1]) {
            buf_char(out, *text++);
            buf_char(out, *text);
        } else if (*text == '%') {
            buf_text(out, ".*");
        } else if (*text == '_') {
            buf_char(out, '.');
        } else {
            if (strchr(".^$", *text))
                buf_char(out, '\\');
            buf_char(out, *text);
        }
    }
}

/* The engine's ~ and SIMILAR TO take the whole text, so a pattern that is found anywhere is written so. */
int rs_pattern(struct rs_rewriter *r, size_t *at, bool similar)
{
    const struct redshift_token *word = RS_AT(r, *at);
    size_t place = *at + 1;
    if (similar && !redshift_take(r->tokens, &place, "to"))
        return redshift_fail_at(r->tokens, place, r->failure);
    const struct redshift_token *pattern = RS_AT(r, place),
                                *behind = RS_AT(r, place + (pattern->kind != RS_END));
    if (!similar && word->length > 1 && strncmp(word->text, "!~", word->length) != 0)
        return redshift_fail(r->failure, "operator %.*s is not emulated locally", (int)word->length,
                             word->text);
    if (pattern->kind != RS_STRING || redshift_is_op(behind, "||") || redshift_is_op(behind, "::") ||
        redshift_is(behind, "escape"))
        return redshift_fail(r->failure,
                             "%s with a pattern that is no literal is not emulated locally: use "
                             "REGEXP_INSTR",
                             similar ? "SIMILAR TO" : "operator ~");
    struct buf made;
    buf_init(&made, REDSHIFT_OUT_LIMIT);
    if (similar)
        similar_pattern(pattern->value, &made);
    else
        buf_printf(&made, "(?s).*(?:%s).*", pattern->value);
    buf_text(r->out, !similar && word->length > 1 ? "NOT SIMILAR TO " : "SIMILAR TO ");
    redshift_put_string(r->out, made.data ? made.data : "");
    buf_free(&made);
    *at = place + 1;
    return 0;
}
