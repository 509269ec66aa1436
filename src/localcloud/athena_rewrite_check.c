/* Comparisons, BETWEEN, IN and CASE, with a check of their types (athena_check.c). */
#include "base/err.h"
#include "base/text.h"
#include "localcloud/athena_rewrite_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_CHECKS 50 /* items of a list that are looked at; literals alike count as one */
#define BRANCHES  256
/* Deeper in parentheses nothing is checked: each check makes the engine bind its operands twice. */
#define CHECK_DEPTH 10

static const char *const signs[][2] = {{"=", "athena_eq"}, {"<>", "athena_ne"}, {"!=", "athena_ne"},
                                       {"<", "athena_lt"}, {"<=", "athena_le"}, {">", "athena_gt"},
                                       {">=", "athena_ge"}};

static const char *compare_macro(const struct athena_token *token)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (athena_is_op(token, signs[i][0]))
            return signs[i][1];
    return NULL;
}

/* Behind END of the CASE at `at`, or `to`. */
static size_t behind_case(const struct rewriter *r, size_t at, size_t to)
{
    int depth = 0;
    for (; at < to; at = rewrite_skip(r, at)) {
        bool field = at > 0 && athena_is_op(AT(r, at - 1), ".");
        depth += !field && athena_is(AT(r, at), "CASE");
        if (!field && athena_is(AT(r, at), "END") && --depth == 0)
            return at + 1;
    }
    return to;
}

/* Where the operand that begins at `at` ends: at a word that is no part of one, a comma or a comparison. */
static size_t operand_end(const struct rewriter *r, size_t at, size_t to)
{
    static const char *const inside[] = {"NULL",   "TRUE",    "FALSE", "OVER", "FILTER",
                                         "IGNORE", "RESPECT", "ROW",   NULL};
    size_t begin = at;
    while (at < to) {
        const struct athena_token *token = AT(r, at);
        bool field = at > begin && athena_is_op(AT(r, at - 1), ".");
        if (athena_is(token, "CASE") && !field) {
            at = behind_case(r, at, to);
            continue;
        }
        bool nulls = athena_is(token, "NULLS") && at > begin &&
                     (athena_is(AT(r, at - 1), "IGNORE") || athena_is(AT(r, at - 1), "RESPECT"));
        if (!field && !nulls && token->kind == TOKEN_WORD && rewrite_is_keyword(token) &&
            !rewrite_in_list(token, inside))
            break;
        if (!field && token->kind == TOKEN_WORD && athena_is(token, "LIKE"))
            break;
        if (athena_is_op(token, ",") || compare_macro(token))
            break;
        at = rewrite_skip(r, at);
    }
    return at;
}

static void put_place(struct rewriter *r, const struct athena_token *token)
{
    /* Of expressions that must be equal to one another, it would make two. */
    if (r->placed)
        buf_printf(&r->out, ", 'line %d:%d: '", token->line, token->column);
    else
        buf_text(&r->out, ", ''");
}

/* Takes what was written since `mark`. Caller frees. */
static char *take(struct rewriter *r, size_t mark)
{
    char *text = mem_text(r->out.data ? r->out.data + mark : "");
    r->out.length = mark;
    if (r->out.data)
        r->out.data[mark] = '\0';
    return text;
}

static int compare(struct rewriter *r, size_t at, size_t to, size_t mark, size_t *next)
{
    const struct athena_token *sign = AT(r, at);
    size_t end = operand_end(r, at + 1, to);
    bool quantified = athena_is(AT(r, at + 1), "ANY") || athena_is(AT(r, at + 1), "ALL") ||
                      athena_is(AT(r, at + 1), "SOME");
    if (quantified || end == at + 1 || rewrite_is_query(r, at + 1) || r->out.overflow)
        return 1;
    char *left = take(r, mark), *right = rewrite_argument_text(r, at + 1, end);
    if (right) {
        buf_printf(&r->out, " %s(", compare_macro(sign));
        buf_text(&r->out, left);
        buf_text(&r->out, ", ");
        buf_text(&r->out, right);
        put_place(r, sign);
        buf_char(&r->out, ')');
        *next = end;
    }
    free(left);
    free(right);
    return right ? 0 : -1;
}

static int between(struct rewriter *r, size_t at, size_t to, size_t mark, bool negated, size_t *next)
{
    const struct athena_token *word = AT(r, at);
    size_t and = operand_end(r, at + 1, to);
    if (and >= to || !athena_is(AT(r, and), "AND") || r->out.overflow)
        return 1;
    size_t end = operand_end(r, and+1, to);
    char *value = take(r, mark), *low = rewrite_argument_text(r, at + 1, and),
         *high = low ? rewrite_argument_text(r, and+1, end) : NULL;
    if (high) {
        buf_text(&r->out, negated ? " athena_not_between(" : " athena_between(");
        buf_text(&r->out, value);
        buf_text(&r->out, ", ");
        buf_text(&r->out, low);
        buf_text(&r->out, ", ");
        buf_text(&r->out, high);
        put_place(r, word);
        buf_char(&r->out, ')');
        *next = end;
    }
    int result = high ? 0 : -1;
    free(value);
    free(low);
    free(high);
    return result;
}

static int in_list(struct rewriter *r, size_t at, size_t to, size_t mark, bool negated, size_t *next)
{
    const struct athena_token *word = AT(r, at);
    if (at + 1 >= to || !athena_is_op(AT(r, at + 1), "(") || rewrite_is_query(r, at + 1) || r->out.overflow)
        return 1;
    size_t close = AT(r, at + 1)->partner, begin = at + 2;
    int checks = 0;
    struct buf checked;
    buf_init(&checked, 4u << 20);
    char *value = take(r, mark), *items = rewrite_argument_text(r, at + 2, close);
    bool wrong = !items;
    bool seen[TOKEN_PARAMETER + 1] = {false};
    for (size_t i = begin; i <= close && !wrong && checks < IN_CHECKS;
         i = i == close ? i + 1 : rewrite_skip(r, i)) {
        if (i != close && !athena_is_op(AT(r, i), ","))
            continue;
        const struct athena_token *token = AT(r, begin);
        bool literal = i == begin + 1 && token->kind >= TOKEN_STRING && token->kind <= TOKEN_DOUBLE;
        if (!literal || !seen[token->kind]) {
            char *item = rewrite_argument_text(r, begin, i);
            wrong = !item;
            buf_text(&checked, checks++ ? " AND athena_comparable(typeof(" : "athena_comparable(typeof(");
            buf_text(&checked, value);
            buf_text(&checked, "), typeof(");
            buf_text(&checked, item ? item : "");
            if (r->placed)
                buf_printf(&checked, "), 'line %d:%d: ', 'IN')", word->line, word->column);
            else
                buf_text(&checked, "), '', 'IN')");
            free(item);
        }
        seen[token->kind] = seen[token->kind] || literal;
        begin = i + 1;
    }
    if (!wrong) {
        buf_text(&r->out, " (CASE WHEN ");
        buf_text(&r->out, checked.data ? checked.data : "true");
        buf_text(&r->out, " THEN ");
        buf_text(&r->out, value);
        buf_text(&r->out, negated ? " NOT IN (" : " IN (");
        buf_text(&r->out, items);
        buf_text(&r->out, ") END)");
        *next = close + 1;
    }
    buf_free(&checked);
    free(value);
    free(items);
    return wrong ? -1 : 0;
}

int rewrite_checked(struct rewriter *r, size_t at, size_t to, size_t mark, size_t *next)
{
    bool negated = athena_is(AT(r, at), "NOT");
    size_t word = at + negated;
    if (r->unchecked || r->depth > CHECK_DEPTH)
        return 1;
    if (!negated && compare_macro(AT(r, at)))
        return compare(r, at, to, mark, next);
    if (word < to && athena_is(AT(r, word), "BETWEEN"))
        return between(r, word, to, mark, negated, next);
    if (word < to && athena_is(AT(r, word), "IN"))
        return in_list(r, word, to, mark, negated, next);
    return 1;
}

/* ---- intervals -------------------------------------------------------------------------------------- */

/* Behind INTERVAL 'x' UNIT. */
static size_t behind_interval(const struct rewriter *r, size_t at)
{
    return at + 3 + (athena_is(AT(r, at + 3), "TO") ? 2 : 0);
}

/* Behind one operand: a literal, a name with what hangs on it, a call, a parenthesis. */
static size_t behind_primary(const struct rewriter *r, size_t at, size_t to)
{
    bool typed = AT(r, at)->kind == TOKEN_WORD && at + 1 < to && AT(r, at + 1)->kind == TOKEN_STRING;
    at = typed ? at + 2 : rewrite_skip(r, at);
    while (at < to &&
           (athena_is_op(AT(r, at), ".") || athena_is_op(AT(r, at), "(") || athena_is_op(AT(r, at), "[")))
        at = athena_is_op(AT(r, at), ".") ? at + 2 : rewrite_skip(r, at);
    return at;
}

/* x + INTERVAL …, INTERVAL … + x: a date stays a date, which the engine would make a timestamp. */
int rewrite_interval(struct rewriter *r, size_t begin, size_t at, size_t to, size_t mark, size_t *next)
{
    bool minus = athena_is_op(AT(r, at), "-");
    size_t factor = at + 1; /* of 2 * INTERVAL '1' DAY */
    if (at + 1 < to && !athena_is(AT(r, factor), "INTERVAL")) {
        factor = behind_primary(r, at + 1, to);
        factor += factor < to && athena_is_op(AT(r, factor), "*");
    }
    bool right = factor < to && athena_is(AT(r, factor), "INTERVAL") &&
                 AT(r, factor + 1)->kind == TOKEN_STRING &&
                 (factor == at + 1 || athena_is_op(AT(r, factor - 1), "*"));
    bool left = athena_is(AT(r, begin), "INTERVAL") && behind_interval(r, begin) == at;
    if ((!minus && !athena_is_op(AT(r, at), "+")) || right == left || (left && minus) || r->out.overflow)
        return 1;
    size_t end = right ? behind_interval(r, factor) : behind_primary(r, at + 1, to);
    while (right && end + 1 < to &&
           (athena_is_op(AT(r, end), "*") || athena_is_op(AT(r, end), "/"))) /* INTERVAL '1' DAY * n */
        end = behind_primary(r, end + 1, to);
    if (end > to)
        return 1;
    char *first = take(r, mark), *second = rewrite_argument_text(r, at + 1, end);
    if (second) {
        buf_text(&r->out, minus ? " athena_minus(" : " athena_plus(");
        buf_text(&r->out, right ? first : second);
        buf_text(&r->out, ", ");
        buf_text(&r->out, right ? second : first);
        buf_char(&r->out, ')');
        *next = end;
    }
    free(first);
    free(second);
    return second ? 0 : -1;
}

/* ---- CASE ------------------------------------------------------------------------------------------- */

/* CASE [x] WHEN a THEN b … [ELSE c] END: the results must go together, and x with every a. */
int rewrite_case(struct rewriter *r, size_t at, size_t to, size_t *next)
{
    static const char *const words[] = {"WHEN", "THEN", "ELSE", "END", NULL};
    size_t end = behind_case(r, at, to);
    if (!athena_is(AT(r, end - 1), "END"))
        return rewrite_refuse(r, end);
    char *parts[BRANCHES] = {0};
    const char *before[BRANCHES] = {0}; /* the word in front of each */
    size_t count = 0, begin = at + 1;
    const char *word = "CASE";
    int result = 0;
    for (size_t i = at + 1; i < end && result == 0;) {
        const char *found = NULL;
        for (size_t w = 0; words[w]; w++)
            if (athena_is(AT(r, i), words[w]) && !athena_is_op(AT(r, i - 1), "."))
                found = words[w];
        if (!found) {
            i = athena_is(AT(r, i), "CASE") && !athena_is_op(AT(r, i - 1), ".") ? behind_case(r, i, end)
                                                                                : rewrite_skip(r, i);
            continue;
        }
        bool empty = begin == i, first = strcmp(word, "CASE") == 0;
        if (empty != first && empty)
            result = rewrite_refuse(r, i);
        else if (count == BRANCHES)
            result = athena_fail_at(r->failure, AT(r, i), "NOT_SUPPORTED", "more than %d parts of a CASE",
                                    BRANCHES);
        else if (!empty) {
            parts[count] = rewrite_argument_text(r, begin, i);
            before[count] = word;
            result = parts[count++] ? 0 : -1;
        }
        word = found;
        begin = ++i;
    }
    if (result == 0) {
        bool simple = count > 0 && strcmp(before[0], "CASE") == 0;
        bool check = !r->unchecked && r->depth <= CHECK_DEPTH;
        size_t results = 0;
        buf_text(&r->out, check ? " (CASE WHEN athena_alike([" : "");
        for (size_t i = 0; i < count && check; i++)
            if (strcmp(before[i], "THEN") == 0 || strcmp(before[i], "ELSE") == 0) {
                buf_text(&r->out, results++ ? ", typeof(" : "typeof(");
                buf_text(&r->out, parts[i]);
                buf_char(&r->out, ')');
            }
        buf_text(&r->out, check ? "], 'CASE results')" : "");
        if (simple && check) {
            buf_text(&r->out, " AND athena_alike([");
            for (size_t i = 0, types = 0; i < count; i++)
                if (i == 0 || strcmp(before[i], "WHEN") == 0) {
                    buf_text(&r->out, types++ ? ", typeof(" : "typeof(");
                    buf_text(&r->out, parts[i]);
                    buf_char(&r->out, ')');
                }
            buf_text(&r->out, "], 'CASE operands')");
        }
        buf_text(&r->out, check ? " THEN CASE" : " CASE");
        for (size_t i = 0; i < count; i++) {
            if (i > 0 || !simple)
                buf_printf(&r->out, " %s", before[i]);
            buf_char(&r->out, ' ');
            buf_text(&r->out, parts[i]);
        }
        buf_text(&r->out, check ? " END END)" : " END");
        *next = end;
    }
    for (size_t i = 0; i < count; i++)
        free(parts[i]);
    return result;
}
