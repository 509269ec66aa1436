/* Expressions: literals, calls, casts, subscripts, lambdas. One pass over the tokens; what a subscript
 * applies to is what has been written since `primary`. */
#include "base/err.h"
#include "base/text.h"
#include "localcloud/athena_rewrite_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 256
#define DOUBLED_MAX   8
#define TARGET_LIMIT  (4u << 20)

/* ---- calls ------------------------------------------------------------------------------------------ */

/* Splits (open, close) at its commas: begin[i] to end[i]. */
static int split(struct rewriter *r, size_t open, size_t begin[ARGUMENTS_MAX], size_t end[ARGUMENTS_MAX])
{
    size_t close = AT(r, open)->partner, at = open + 1;
    int count = 0;
    if (at == close)
        return 0;
    begin[0] = at;
    for (;; at = rewrite_skip(r, at)) {
        if (at < close && !athena_is_op(AT(r, at), ","))
            continue;
        if (begin[count] == at)
            return rewrite_refuse(r, at);
        end[count++] = at;
        if (at == close)
            return count;
        if (count == ARGUMENTS_MAX)
            return athena_fail_at(r->failure, AT(r, open), "NOT_SUPPORTED", "more than %d arguments",
                                  ARGUMENTS_MAX);
        begin[count] = at + 1;
    }
}

/* x -> …, (x, y) -> …: lambda x, y: … */
static bool is_lambda(const struct rewriter *r, size_t from, size_t to)
{
    size_t arrow = rewrite_skip(r, from);
    return arrow < to && athena_is_op(AT(r, arrow), "->") &&
           (athena_is_name(AT(r, from)) || athena_is_op(AT(r, from), "("));
}

int rewrite_argument(struct rewriter *r, size_t from, size_t to)
{
    if (!is_lambda(r, from, to)) {
        if (rewrite_is_query(r, from) && AT(r, from)->partner == to - 1) {
            buf_text(&r->out, " (");
            int result = rewrite_query(r, from + 1, to - 1);
            buf_char(&r->out, ')');
            return result;
        }
        return rewrite_expression(r, from, to);
    }
    size_t arrow = rewrite_skip(r, from);
    buf_text(&r->out, " lambda");
    for (size_t i = from; i < arrow; i++) {
        if (athena_is_name(AT(r, i)))
            rewrite_name(r, AT(r, i));
        else if (athena_is_op(AT(r, i), ","))
            buf_char(&r->out, ',');
    }
    buf_char(&r->out, ':');
    return rewrite_expression(r, arrow + 1, to);
}

/* Writes an argument and takes it out again. Caller frees. */
char *rewrite_argument_text(struct rewriter *r, size_t from, size_t to)
{
    size_t mark = r->out.length;
    if (rewrite_argument(r, from, to) != 0)
        return NULL;
    if (r->out.overflow)
        return mem_text("");
    char *text = mem_text(r->out.data + mark);
    r->out.length = mark;
    r->out.data[mark] = '\0';
    return text;
}

static void fill(struct rewriter *r, const char *target, char **arguments, int count)
{
    for (; *target; target++) {
        if (*target != '$') {
            buf_char(&r->out, *target);
            continue;
        }
        target++;
        if (*target == '$') {
            buf_char(&r->out, '$');
        } else if (*target == '*') {
            for (int i = 0; i < count; i++) {
                buf_text(&r->out, i ? ", " : "");
                buf_text(&r->out, arguments[i]);
            }
        } else if (*target == '~') { /* the types of all */
            for (int i = 0; i < count; i++) {
                buf_text(&r->out, i ? ", typeof(" : "typeof(");
                buf_text(&r->out, arguments[i]);
                buf_char(&r->out, ')');
            }
        } else if (*target == '|') { /* what stands around it, for each, joined by || */
            for (int i = 0; i < count; i++) {
                buf_text(&r->out, i ? ") || athena_textual(" : "");
                buf_text(&r->out, arguments[i]);
            }
        } else if (*target >= '1' && *target - '1' < count) {
            buf_text(&r->out, arguments[*target - '1']);
        }
    }
}

static int call_arguments(struct rewriter *r, const char *target, size_t open, int count, const size_t *begin,
                          const size_t *end)
{
    char *texts[16] = {0};
    int result = 0;
    if (!strchr(target, '$')) { /* another name: arguments may have DISTINCT and ORDER BY with them */
        buf_char(&r->out, ' ');
        buf_text(&r->out, target);
        buf_char(&r->out, '(');
        for (int i = 0; i < count && result == 0; i++) {
            buf_text(&r->out, i ? "," : "");
            result = rewrite_argument(r, begin[i], end[i]);
        }
        buf_char(&r->out, ')');
        return result;
    }
    if (count > 16)
        return athena_fail_at(r->failure, AT(r, open), "NOT_SUPPORTED", "too many arguments");
    for (int i = 0; i < count && result == 0; i++) {
        texts[i] = rewrite_argument_text(r, begin[i], end[i]);
        result = texts[i] ? 0 : -1;
    }
    if (result == 0) {
        buf_char(&r->out, ' ');
        fill(r, target, texts, count);
    }
    for (int i = 0; i < count && i < 16; i++)
        free(texts[i]);
    return result;
}

/* EXTRACT(field FROM x): what DuckDB calls otherwise. */
static int rewrite_extract(struct rewriter *r, size_t at)
{
    static const char *const fields[][2] = {
        {"YEAR", "year"},       {"QUARTER", "quarter"},  {"MONTH", "month"},          {"WEEK", "week"},
        {"DAY", "day"},         {"DAY_OF_MONTH", "day"}, {"DAY_OF_WEEK", "isodow"},   {"DOW", "isodow"},
        {"DAY_OF_YEAR", "doy"}, {"DOY", "doy"},          {"YEAR_OF_WEEK", "isoyear"}, {"YOW", "isoyear"},
        {"HOUR", "hour"},       {"MINUTE", "minute"},    {"SECOND", "second"}};
    size_t close = AT(r, at + 1)->partner;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (athena_is(AT(r, at + 2), fields[i][0]) && athena_is(AT(r, at + 3), "FROM")) {
            buf_printf(&r->out, " date_part('%s',", fields[i][1]);
            if (rewrite_expression(r, at + 4, close) != 0)
                return -1;
            buf_char(&r->out, ')');
            return 0;
        }
    return athena_fail_at(r->failure, AT(r, at + 2), "SYNTAX_ERROR", "Invalid EXTRACT field: %.*s",
                          (int)AT(r, at + 2)->length, AT(r, at + 2)->text);
}

/* TRIM([LEADING|TRAILING|BOTH] [x] FROM y), SUBSTRING(x FROM a FOR b), POSITION(x IN y): words instead of
 * commas. They become the calls with commas. 1: it was none of these. */
static int rewrite_worded(struct rewriter *r, size_t at)
{
    size_t open = at + 1, close = AT(r, open)->partner, from = close, second = close;
    bool position = athena_is(AT(r, at), "POSITION"), substring = athena_is(AT(r, at), "SUBSTRING"),
         trim = athena_is(AT(r, at), "TRIM");
    if (!position && !substring && !trim)
        return 1;
    for (size_t i = open + 1; i < close; i = rewrite_skip(r, i)) {
        if (athena_is(AT(r, i), position ? "IN" : "FROM"))
            from = i;
        if (athena_is(AT(r, i), "FOR"))
            second = i;
    }
    if (from == close)
        return 1;
    const struct athena_token *side = AT(r, open + 1);
    bool leading = athena_is(side, "LEADING"), trailing = athena_is(side, "TRAILING"),
         both = athena_is(side, "BOTH");
    size_t begin = open + 1 + (trim && (leading || trailing || both));
    buf_text(&r->out, position    ? " strpos("
                      : substring ? " substr("
                      : leading   ? " ltrim("
                      : trailing  ? " rtrim("
                                  : " trim(");
    if (trim || position) {
        if (rewrite_expression(r, from + 1, close) != 0)
            return -1;
        if (begin < from) {
            buf_char(&r->out, ',');
            if (rewrite_expression(r, begin, from) != 0)
                return -1;
        }
    } else {
        if (rewrite_expression(r, begin, from) != 0)
            return -1;
        buf_char(&r->out, ',');
        if (rewrite_expression(r, from + 1, second) != 0)
            return -1;
        if (second < close) {
            buf_char(&r->out, ',');
            if (rewrite_expression(r, second + 1, close) != 0)
                return -1;
        }
    }
    buf_char(&r->out, ')');
    return 0;
}

static int rewrite_call(struct rewriter *r, size_t at)
{
    const struct athena_token *token = AT(r, at);
    if (athena_is(token, "CAST") || athena_is(token, "TRY_CAST"))
        return rewrite_cast(r, at);
    if (athena_is(token, "EXTRACT"))
        return rewrite_extract(r, at);
    int worded = rewrite_worded(r, at);
    if (worded <= 0)
        return worded;
    size_t begin[ARGUMENTS_MAX] = {0}, end[ARGUMENTS_MAX] = {0};
    int count = split(r, at + 1, begin, end);
    if (count < 0)
        return -1;
    char *name = athena_unquote(token);
    bool known;
    const struct athena_function *function = athena_function_find(name, count, &known);
    int result;
    if (function && function->target)
        result = call_arguments(r, function->target, at + 1, count, begin, end);
    else if (function)
        result =
            athena_fail_at(r->failure, token, "NOT_SUPPORTED", "Function '%.60s' is not emulated locally%s%s",
                           name, function->note ? ": " : "", function->note ? function->note : "");
    else if (known)
        result = athena_fail_at(r->failure, token, "FUNCTION_NOT_FOUND",
                                "Unexpected parameters for function %.60s: %d given", name, count);
    else
        result =
            athena_fail_at(r->failure, token, "FUNCTION_NOT_FOUND", "Function '%.60s' not registered", name);
    free(name);
    return result;
}

/* ---- the pass --------------------------------------------------------------------------------------- */

/* A call with what may follow it: FILTER (…), IGNORE NULLS, WITHIN GROUP, OVER (…). */
static int rewrite_suffixes(struct rewriter *r, size_t *at, size_t to)
{
    size_t i = *at;
    if (i + 1 < to && (athena_is(AT(r, i), "IGNORE") || athena_is(AT(r, i), "RESPECT")) &&
        athena_is(AT(r, i + 1), "NULLS")) {
        /* DuckDB wants it before the closing parenthesis. */
        if (athena_is(AT(r, i), "IGNORE") && r->out.length > 0 && r->out.data[r->out.length - 1] == ')') {
            r->out.length--;
            buf_text(&r->out, " IGNORE NULLS)");
        }
        i += 2;
    }
    while (i + 1 < to && athena_is_op(AT(r, i + 1), "(") &&
           (athena_is(AT(r, i), "FILTER") || athena_is(AT(r, i), "OVER"))) {
        size_t close = AT(r, i + 1)->partner;
        rewrite_raw(r, AT(r, i));
        buf_text(&r->out, " (");
        bool empty = close == i + 2 && athena_is(AT(r, i), "OVER");
        if (!empty && rewrite_expression(r, i + 2, close) != 0)
            return -1;
        buf_char(&r->out, ')');
        i = close + 1;
    }
    if (i + 1 < to && athena_is(AT(r, i), "WITHIN"))
        return athena_fail_at(r->failure, AT(r, i), "NOT_SUPPORTED", "WITHIN GROUP is not emulated locally");
    *at = i;
    return 0;
}

static int rewrite_subscript(struct rewriter *r, size_t at, size_t primary)
{
    size_t close = AT(r, at)->partner;
    char *index = rewrite_argument_text(r, at + 1, close);
    if (!index)
        return -1;
    char *value = mem_text(r->out.data + primary);
    r->out.length = primary;
    buf_text(&r->out, " athena_subscript(");
    buf_text(&r->out, value);
    buf_char(&r->out, ',');
    buf_text(&r->out, index);
    buf_char(&r->out, ')');
    free(value);
    free(index);
    return 0;
}

static bool is_operator_word(const struct athena_token *token)
{
    static const char *const refused[] = {"ILIKE",   "GLOB",   "SIMILAR", "QUALIFY", "PIVOT",
                                          "UNPIVOT", "ISNULL", "NOTNULL", "COLLATE", NULL};
    for (size_t i = 0; refused[i]; i++)
        if (athena_is(token, refused[i]))
            return true;
    return false;
}

/* Operators whose macros name an operand more than once. */
static bool is_doubling(const struct athena_token *token)
{
    return athena_is_op(token, "-") || athena_is_op(token, "/") || athena_is_op(token, "%");
}

static int rewrite_expression_at(struct rewriter *r, size_t at, size_t to)
{
    size_t primary = 0;          /* where in `out` the operand began that ended just now */
    bool operand = false;        /* there is one */
    size_t mark = r->out.length; /* where the operand of a comparison began */
    size_t begin = at;           /* and its first token */
    bool compared = false;       /* it is a comparison itself */
    int divisions = 0;           /* in it */
    while (at < to) {
        const struct athena_token *token = AT(r, at);
        bool dotted = at > 0 && athena_is_op(AT(r, at - 1), ".") && operand;
        size_t here = r->out.length;
        if (operand && !dotted) {
            int done = compared ? 1 : rewrite_checked(r, at, to, mark, &at);
            compared = compared || done == 0;
            if (done == 1)
                done = rewrite_interval(r, begin, at, to, mark, &at);
            if (done < 0)
                return -1;
            if (done == 0) {
                primary = mark;
                continue;
            }
        }
        if (is_doubling(token) && operand && ++divisions > DOUBLED_MAX)
            return athena_fail_at(r->failure, token, "NOT_SUPPORTED", "more than %d of - / %% in a row",
                                  DOUBLED_MAX);
        if (!operand && at > 0 && is_doubling(AT(r, at - 1)) && r->doubled >= DOUBLED_MAX)
            return athena_fail_at(r->failure, token, "NOT_SUPPORTED", "- / %% nested deeper than %d",
                                  DOUBLED_MAX);
        if (athena_is(token, "CASE") && !dotted && !operand) {
            if (rewrite_case(r, at, to, &at) != 0)
                return -1;
            operand = true;
            primary = here;
            continue;
        }
        if (token->kind == TOKEN_WORD && !dotted && rewrite_is_keyword(token) &&
            !((athena_is(token, "ROW") || athena_is(token, "FILTER")) && athena_is_op(AT(r, at + 1), "("))) {
            if (at + 1 < to && rewrite_is_query(r, at + 1)) { /* IN (…), EXISTS (…) */
                size_t close = AT(r, at + 1)->partner;
                rewrite_raw(r, token);
                buf_text(&r->out, " (");
                if (rewrite_query(r, at + 2, close) != 0)
                    return -1;
                buf_char(&r->out, ')');
                at = close + 1;
                operand = true;
                primary = here;
                continue;
            }
            rewrite_raw(r, token);
            operand = athena_is(token, "END") || athena_is(token, "NULL") || athena_is(token, "TRUE") ||
                      athena_is(token, "FALSE");
            primary = here;
            if (!operand) {
                mark = r->out.length;
                begin = at + 1;
                compared = false;
                divisions = 0;
            }
            at++;
        } else if (token->kind == TOKEN_WORD && athena_is(token, "ARRAY") &&
                   athena_is_op(AT(r, at + 1), "[")) {
            size_t close = AT(r, at + 1)->partner;
            buf_text(&r->out, " [");
            if (close > at + 2 && rewrite_expression(r, at + 2, close) != 0)
                return -1;
            buf_char(&r->out, ']');
            at = close + 1;
            operand = true;
            primary = here;
        } else if (athena_is_name(token) && at + 1 < to && athena_is_op(AT(r, at + 1), "(") && !dotted) {
            if (athena_is(token, "GROUPING") && athena_is(AT(r, at + 1), "SETS"))
                return rewrite_refuse(r, at);
            if (rewrite_call(r, at) != 0)
                return -1;
            at = AT(r, at + 1)->partner + 1;
            if (rewrite_suffixes(r, &at, to) != 0)
                return -1;
            operand = true;
            primary = here;
        } else if (token->kind == TOKEN_WORD && at + 1 < to && AT(r, at + 1)->kind == TOKEN_STRING &&
                   !dotted && (athena_is(token, "INTERVAL") || rewrite_is_type(token))) {
            bool interval = athena_is(token, "INTERVAL");
            if (rewrite_typed(r, at) != 0)
                return -1;
            at += interval ? 3 : 2;
            operand = true;
            primary = here;
        } else if (athena_is(token, "AT") && operand && at + 2 < to && athena_is(AT(r, at + 1), "TIME")) {
            return athena_fail_at(r->failure, token, "NOT_SUPPORTED", "AT TIME ZONE is not emulated locally");
        } else if (athena_is(token, "GROUPING") && athena_is(AT(r, at + 1), "SETS")) {
            buf_text(&r->out, " GROUPING");
            at++;
        } else if (athena_is_name(token)) {
            static const char *const bare[] = {"current_date", "current_timestamp", "localtimestamp", NULL};
            if (operand &&
                !dotted) /* two operands in a row: what DuckDB might take for an operator of its own */
                return rewrite_refuse(r, at);
            if (is_operator_word(token) && operand)
                return rewrite_refuse(r, at);
            bool constant = false;
            for (size_t i = 0; bare[i] && !dotted; i++)
                constant = constant || athena_is(token, bare[i]);
            if (constant)
                buf_printf(&r->out, " athena_%.*s()", (int)token->length, token->text);
            else
                rewrite_name(r, token);
            at++;
            if (!dotted)
                primary = here;
            operand = true;
        } else if (athena_is_op(token, "(")) {
            size_t close = token->partner;
            if (operand)
                return rewrite_refuse(r, at);
            buf_text(&r->out, " (");
            if (rewrite_is_query(r, at)) {
                if (rewrite_query(r, at + 1, close) != 0)
                    return -1;
            } else if (close > at + 1 && rewrite_expression(r, at + 1, close) != 0) {
                return -1;
            }
            buf_char(&r->out, ')');
            at = close + 1;
            operand = true;
            primary = here;
        } else if (athena_is_op(token, "[")) {
            if (!operand)
                return rewrite_refuse(r, at);
            if (rewrite_subscript(r, at, primary) != 0)
                return -1;
            at = token->partner + 1;
        } else if (athena_is_op(token, ".")) {
            if (!operand || at + 1 >= to ||
                !(athena_is_name(AT(r, at + 1)) || athena_is_op(AT(r, at + 1), "*")))
                return rewrite_refuse(r, at);
            buf_char(&r->out, '.');
            at++;
        } else if (token->kind == TOKEN_OPERATOR) {
            if (strchr(";:{}", token->text[0]) || athena_is_op(token, "->") || athena_is_op(token, "=>"))
                return rewrite_refuse(r, at);
            /* "= =", "< @": what would be read together as an operator of DuckDB's own stays apart. */
            const struct athena_token *before = at > 0 ? AT(r, at - 1) : NULL;
            bool sign = athena_is_op(token, "-") || athena_is_op(token, "+") || athena_is_op(token, "*");
            if (before && before->kind == TOKEN_OPERATOR && !sign && !operand && !athena_is_op(token, ","))
                return rewrite_refuse(r, at);
            rewrite_raw(r, token);
            buf_char(&r->out, ' ');
            operand = false;
            if (athena_is_op(token, ",")) {
                mark = r->out.length;
                begin = at + 1;
                compared = false;
                divisions = 0;
            }
            at++;
        } else {
            if (operand)
                return rewrite_refuse(r, at);
            if (rewrite_literal(r, at) != 0)
                return -1;
            at++;
            operand = true;
            primary = here;
        }
    }
    return 0;
}

int rewrite_expression(struct rewriter *r, size_t from, size_t to)
{
    if (from >= to)
        return rewrite_refuse(r, to);
    if (++r->depth > ATHENA_DEPTH_LIMIT)
        return rewrite_refuse(r, from);
    /* In a parenthesis or a call that is the right operand of one. */
    bool call = from > 1 && athena_is_op(AT(r, from - 1), "(") && athena_is_name(AT(r, from - 2));
    bool doubled = from > 1u + call && is_doubling(AT(r, from - 2 - call));
    r->doubled += doubled;
    int result = rewrite_expression_at(r, from, to);
    r->depth--;
    r->doubled -= doubled;
    return result;
}
