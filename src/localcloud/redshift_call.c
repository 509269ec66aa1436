/* Calls of functions: arguments, templates, and those whose syntax is their own. */
#include "localcloud/redshift_rewrite_private.h"

#include "base/err.h"
#include "base/text.h"
#include "localcloud/redshift_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 120

struct call {
    const char *name;
    size_t open, close; /* the parenthesis */
    size_t from[ARGUMENTS_MAX], to[ARGUMENTS_MAX];
    char *text[ARGUMENTS_MAX];
    size_t count;
};

static int split(struct rs_rewriter *r, struct call *call)
{
    size_t begin = call->open + 1;
    if (begin == call->close)
        return 0;
    for (size_t i = begin; i <= call->close; i++) {
        const struct redshift_token *token = RS_AT(r, i);
        if (i == call->close || redshift_is_op(token, ",")) {
            if (call->count == ARGUMENTS_MAX)
                return redshift_fail(r->failure, "cannot pass more than %d arguments to a function",
                                     ARGUMENTS_MAX);
            if (begin == i)
                return redshift_fail_at(r->tokens, i, r->failure);
            call->from[call->count] = begin;
            call->to[call->count++] = i;
            begin = i + 1;
        } else if (redshift_is_op(token, "(") || redshift_is_op(token, "[")) {
            i = token->partner;
        }
    }
    return 0;
}

static int render(struct rs_rewriter *r, struct call *call)
{
    for (size_t i = 0; i < call->count; i++)
        if (!(call->text[i] = rs_range_text(r, call->from[i], call->to[i])))
            return -1;
    return 0;
}

static void call_free(struct call *call)
{
    for (size_t i = 0; i < call->count; i++)
        free(call->text[i]);
}

/* The date part that the first argument names, as a word or a string. */
static const char *date_part(struct rs_rewriter *r, const struct call *call)
{
    const struct redshift_token *token = RS_AT(r, call->from[0]);
    char word[32];
    if (call->to[0] != call->from[0] + 1 || !token->value || strlen(token->value) >= sizeof word)
        return NULL;
    for (size_t i = 0; i <= strlen(token->value); i++)
        word[i] =
            token->value[i] >= 'A' && token->value[i] <= 'Z' ? (char)(token->value[i] + 32) : token->value[i];
    return redshift_date_part(word);
}

static int bad_part(struct rs_rewriter *r, const struct call *call)
{
    const struct redshift_token *token = RS_AT(r, call->from[0]);
    return redshift_fail(r->failure, "timestamp units \"%.*s\" not recognized", (int)token->length,
                         token->text);
}

static int write_template(struct rs_rewriter *r, const struct call *call, const char *text)
{
    for (; *text; text++) {
        if (*text != '$') {
            buf_char(r->out, *text);
        } else if (text[1] == 'p') {
            const char *part = date_part(r, call);
            if (!part)
                return bad_part(r, call);
            redshift_put_string(r->out, part);
            text += 2;
        } else {
            size_t index = (size_t)(*++text - '1');
            buf_text(r->out, index < call->count ? call->text[index] : "NULL");
        }
    }
    return 0;
}

static void write_plain(struct rs_rewriter *r, const struct call *call, const char *name, const char *tail)
{
    buf_printf(r->out, "%s(", name);
    for (size_t i = 0; i < call->count; i++) {
        if (i > 0)
            buf_text(r->out, ", ");
        buf_text(r->out, call->text[i]);
    }
    buf_printf(r->out, "%s)", tail);
}

/* OVER (…) or OVER name behind *at, as text; "" none. NULL on error. */
static char *over(struct rs_rewriter *r, size_t *at)
{
    if (!redshift_is(RS_AT(r, *at), "over"))
        return mem_text("");
    size_t end = redshift_is_op(RS_AT(r, *at + 1), "(") ? RS_AT(r, *at + 1)->partner + 1 : *at + 2;
    if (end > r->tokens->count) {
        redshift_fail_at(r->tokens, *at, r->failure);
        return NULL;
    }
    char *text = rs_range_text(r, *at, end);
    *at = end;
    return text;
}

/* ---- those with a way of their own ------------------------------------------------------------------ */

static int call_dateadd(struct rs_rewriter *r, const struct call *call)
{
    static const struct {
        const char *part, *function;
        int times;
    } units[] = {{"year", "to_years", 1},
                 {"quarter", "to_months", 3},
                 {"month", "to_months", 1},
                 {"week", "to_days", 7},
                 {"day", "to_days", 1},
                 {"hour", "to_hours", 1},
                 {"minute", "to_minutes", 1},
                 {"second", "to_seconds", 1},
                 {"decade", "to_years", 10},
                 {"century", "to_years", 100},
                 {"dayofyear", "to_days", 1},
                 {"dayofweek", "to_days", 1},
                 {"millisecond", "to_milliseconds", 1},
                 {"microsecond", "to_microseconds", 1}};
    const char *part = date_part(r, call);
    for (size_t i = 0; part && i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i].part, part) != 0)
            continue;
        buf_printf(r->out, "(CAST(%s AS TIMESTAMP) + %s(CAST(%d * (%s) AS INTEGER)))", call->text[2],
                   units[i].function, units[i].times, call->text[1]);
        return 0;
    }
    return bad_part(r, call);
}

static int call_decode(struct rs_rewriter *r, const struct call *call)
{
    buf_text(r->out, "(CASE");
    size_t i = 1;
    for (; i + 1 < call->count; i += 2)
        buf_printf(r->out, " WHEN (%s) IS NOT DISTINCT FROM (%s) THEN %s", call->text[0], call->text[i],
                   call->text[i + 1]);
    if (i < call->count)
        buf_printf(r->out, " ELSE %s", call->text[i]);
    buf_text(r->out, " END)");
    return 0;
}

/* LISTAGG([DISTINCT] x [, d]) [WITHIN GROUP (ORDER BY …)] [OVER (…)] */
static int call_listagg(struct rs_rewriter *r, const struct call *call, size_t *at)
{
    char *order = mem_text("");
    if (redshift_is(RS_AT(r, *at), "within") && redshift_is(RS_AT(r, *at + 1), "group") &&
        redshift_is_op(RS_AT(r, *at + 2), "(")) {
        size_t open = *at + 2, close = RS_AT(r, open)->partner;
        free(order);
        if (!(order = rs_range_text(r, open + 1, close)))
            return -1;
        *at = close + 1;
    }
    const char *first = call->text[0];
    bool distinct = text_prefix_fold(first, "distinct ");
    buf_printf(r->out, "string_agg(%sCAST(%s AS VARCHAR), %s %s)", distinct ? "DISTINCT " : "",
               first + (distinct ? 9 : 0), call->count > 1 ? call->text[1] : "''", order);
    free(order);
    return 0;
}

static int call_average(struct rs_rewriter *r, const struct call *call, size_t *at)
{
    char *window = over(r, at);
    if (!window)
        return -1;
    buf_printf(r->out, "rs_average(avg(%s) %s, min(%s) %s)", call->text[0], window, call->text[0], window);
    free(window);
    return 0;
}

static int call_ratio(struct rs_rewriter *r, const struct call *call, size_t *at)
{
    char *window = over(r, at);
    if (!window)
        return -1;
    buf_printf(r->out, "(CAST(%s AS DOUBLE) / sum(%s) %s)", call->text[0], call->text[0], window);
    free(window);
    return 0;
}

static int call_json_path(struct rs_rewriter *r, const struct call *call)
{
    size_t keys = call->count;
    if (keys > 2 &&
        (text_equal_fold(call->text[keys - 1], "true") || text_equal_fold(call->text[keys - 1], "false")))
        keys--; /* null_if_invalid */
    buf_printf(r->out, "coalesce(json_extract_string(CAST(%s AS JSON), '$'", call->text[0]);
    for (size_t i = 1; i < keys; i++)
        buf_printf(r->out, " || '.\"' || replace(%s, '\"', '') || '\"'", call->text[i]);
    buf_text(r->out, "), '')");
    return 0;
}

static int own_way(struct rs_rewriter *r, const struct call *call, size_t *at)
{
    const char *name = call->name;
    if (strcmp(name, "dateadd") == 0)
        return call_dateadd(r, call);
    if (strcmp(name, "decode") == 0)
        return call_decode(r, call);
    if (strcmp(name, "listagg") == 0)
        return call_listagg(r, call, at);
    if (strcmp(name, "avg") == 0)
        return call_average(r, call, at);
    if (strcmp(name, "ratio_to_report") == 0)
        return call_ratio(r, call, at);
    if (strcmp(name, "json_extract_path_text") == 0)
        return call_json_path(r, call);
    if (strcmp(name, "current_database") == 0)
        redshift_put_string(r->out, r->scope->database);
    else if (strcmp(name, "current_schema") == 0)
        redshift_put_string(r->out, r->scope->schema);
    else if (strcmp(name, "pg_last_copy_id") == 0)
        buf_printf(r->out, "%lld", (long long)r->scope->last_copy_id);
    else if (strcmp(name, "pg_last_copy_count") == 0)
        buf_printf(r->out, "%lld", (long long)r->scope->last_copy_count);
    return 0;
}

/* CAST(x AS type), TRY_CAST */
static int call_cast(struct rs_rewriter *r, const struct call *call)
{
    size_t as = call->open + 1;
    for (; as < call->close && !redshift_is(RS_AT(r, as), "as"); as++)
        if (redshift_is_op(RS_AT(r, as), "("))
            as = RS_AT(r, as)->partner;
    size_t start = r->out->length, at = as + 1;
    if (as >= call->close)
        return redshift_fail_at(r->tokens, call->close, r->failure);
    if (rs_range(r, call->open + 1, as, false) != 0 || rs_cast(r, start, &at) != 0)
        return -1;
    return at == call->close ? 0 : redshift_fail_at(r->tokens, at, r->failure);
}

/* CONVERT(type, x) */
static int call_convert(struct rs_rewriter *r, const struct call *call)
{
    struct redshift_type type;
    size_t behind = call->open + 1, start = r->out->length, again = call->open + 1;
    if (redshift_type_parse(r->tokens, &behind, &type, r->failure) != 0)
        return -1;
    if (!redshift_is_op(RS_AT(r, behind), ","))
        return redshift_fail_at(r->tokens, behind, r->failure);
    return rs_range(r, behind + 1, call->close, false) != 0 ? -1 : rs_cast(r, start, &again);
}

/* EXTRACT(part FROM x) */
static int call_extract(struct rs_rewriter *r, const struct call *call)
{
    const struct redshift_token *word = RS_AT(r, call->open + 1);
    const char *part = word->value ? redshift_date_part(word->value) : NULL;
    if (!part)
        return redshift_fail(r->failure, "timestamp units \"%.*s\" not recognized", (int)word->length,
                             word->text);
    if (!redshift_is(RS_AT(r, call->open + 2), "from"))
        return redshift_fail_at(r->tokens, call->open + 2, r->failure);
    buf_printf(r->out, "CAST(date_part('%s', CAST(", part);
    if (rs_range(r, call->open + 3, call->close, false) != 0)
        return -1;
    buf_text(r->out, " AS TIMESTAMP)) AS BIGINT)");
    return 0;
}

int rs_call(struct rs_rewriter *r, size_t *at)
{
    struct call call = {.name = RS_AT(r, *at)->value, .open = *at + 1, .close = RS_AT(r, *at + 1)->partner};
    size_t next = call.close + 1;
    *at = next;
    if (strcmp(call.name, "cast") == 0)
        return call_cast(r, &call);
    if (strcmp(call.name, "convert") == 0)
        return call_convert(r, &call);
    if (strcmp(call.name, "extract") == 0)
        return call_extract(r, &call);
    int result;
    if (rs_syntax_call(r, call.name, call.open, &result))
        return result;
    bool known;
    result = split(r, &call) == 0 && render(r, &call) == 0 ? 0 : -1;
    const struct redshift_function *function = redshift_function_find(call.name, (int)call.count, &known);
    if (result == 0 && (!function || function->status == REDSHIFT_ABSENT)) {
        result = function ? redshift_fail(r->failure, "function %s is not emulated locally", call.name)
                 : known  ? redshift_fail(r->failure, "function %.100s does not exist with %zu arguments",
                                          call.name, call.count)
                          : redshift_fail(r->failure,
                                          "function %.100s() does not exist Hint: No function matches the "
                                           "given name and argument types. You may need to add explicit "
                                           "type casts.",
                                          call.name);
    }
    if (result == 0 && function) {
        const char *target = function->target ? function->target : function->name;
        const char *tail = "";
        if ((redshift_is(RS_AT(r, next), "ignore") || redshift_is(RS_AT(r, next), "respect")) &&
            redshift_is(RS_AT(r, next + 1), "nulls")) {
            tail = redshift_is(RS_AT(r, next), "ignore") ? " IGNORE NULLS" : "";
            *at = next + 2;
        }
        if (strcmp(target, "@") == 0)
            result = own_way(r, &call, at);
        else if (strpbrk(target, "$('"))
            result = write_template(r, &call, target);
        else
            write_plain(r, &call, target, tail);
    }
    call_free(&call);
    return result;
}
