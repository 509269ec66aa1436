#include "localcloud/redshift_rewrite_private.h"

#include "base/err.h"
#include "base/text.h"
#include "localcloud/redshift_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words that are part of the grammar: a parenthesis behind one is no call, and none is an alias. */
static const char *const keywords[] = {
    "all",       "and",    "any",       "as",        "asc",       "between",   "by",      "case",
    "cross",     "cube",   "desc",      "distinct",  "else",      "end",       "except",  "exists",
    "false",     "filter", "following", "from",      "full",      "group",     "having",  "ilike",
    "in",        "inner",  "intersect", "interval",  "into",      "is",        "join",    "like",
    "limit",     "minus",  "natural",   "not",       "null",      "nulls",     "offset",  "on",
    "or",        "order",  "outer",     "over",      "partition", "preceding", "qualify", "range",
    "recursive", "rollup", "rows",      "select",    "set",       "sets",      "similar", "some",
    "then",      "to",     "true",      "unbounded", "union",     "using",     "values",  "when",
    "where",     "with",   "within",    "escape",    "returning", "grouping",  "update",  "insert",
    "delete",    "merge",  "matched",
};

static bool is_constant(const struct redshift_token *token)
{
    return redshift_is(token, "null") || redshift_is(token, "true") || redshift_is(token, "false");
}

bool rs_is_keyword(const struct redshift_token *token)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (redshift_is(token, keywords[i]))
            return true;
    return false;
}

char *rs_range_text(struct rs_rewriter *r, size_t from, size_t to)
{
    struct buf text, *out = r->out;
    buf_init(&text, REDSHIFT_OUT_LIMIT);
    r->out = &text;
    int result = rs_range(r, from, to, false);
    r->out = out;
    if (result == 0 && !text.overflow)
        return text.data ? text.data : mem_text("");
    if (text.overflow)
        redshift_fail(r->failure, "the statement is too complex");
    buf_free(&text);
    return NULL;
}

/* ---- names ------------------------------------------------------------------------------------------ */

/* Those are ours or the engine's. */
static bool is_hidden(const char *name)
{
    return strcmp(name, "_redshift") == 0 || strncmp(name, "duckdb_", 7) == 0 ||
           strncmp(name, "sqlite_", 7) == 0 || strncmp(name, "pragma_", 7) == 0 ||
           (strncmp(name, "pg_", 3) == 0 && !redshift_is_view(name));
}

static int check_name(struct rs_rewriter *r, const char *name)
{
    if (is_hidden(name) || strchr(name, '/') || strlen(name) > 127)
        return redshift_fail(r->failure, "relation \"%.127s\" does not exist", name);
    return 0;
}

/* information_schema.tables and pg_catalog.pg_class are views of ours; the engine's own tell of the engine.
 */
static int catalogue_name(struct rs_rewriter *r, const char *schema, const char *name)
{
    char view[160];
    snprintf(view, sizeof view, "%s%s", strcmp(schema, "pg_catalog") == 0 ? "" : "information_schema_", name);
    if (!redshift_is_view(view))
        return redshift_fail(r->failure, "relation \"%.127s.%.127s\" does not exist", schema, name);
    buf_text(r->out, "_redshift.");
    redshift_put_name(r->out, view);
    if (view[0] == 'i') { /* so that its columns may be named by it */
        buf_text(r->out, " AS ");
        redshift_put_name(r->out, name);
    }
    return 0;
}

static bool is_catalogue(const char *name)
{
    return strcmp(name, "information_schema") == 0 || strcmp(name, "pg_catalog") == 0;
}

/* a.b.c, without the database in front. */
static int name_chain(struct rs_rewriter *r, size_t *at, size_t to)
{
    size_t parts = 1, i = *at;
    for (; i + 2 * parts < to && redshift_is_op(RS_AT(r, i + 2 * parts - 1), ".") &&
           redshift_is_name(RS_AT(r, i + 2 * parts));
         parts++)
        ;
    bool star = i + 2 * parts < to && redshift_is_op(RS_AT(r, i + 2 * parts - 1), ".") &&
                redshift_is_op(RS_AT(r, i + 2 * parts), "*");
    size_t first = 0;
    if (parts >= 3 && strcmp(RS_AT(r, i)->value, r->scope->database) == 0)
        first = 1;
    *at = i + 2 * parts - 1;
    if (parts >= first + 2 && is_catalogue(RS_AT(r, i + 2 * first)->value)) {
        if (parts > first + 2 || star)
            return redshift_fail_at(r->tokens, i, r->failure);
        bool alias = redshift_is(RS_AT(r, *at), "as") ||
                     (redshift_is_name(RS_AT(r, *at)) && !rs_is_keyword(RS_AT(r, *at)));
        size_t before = r->out->length;
        if (catalogue_name(r, RS_AT(r, i + 2 * first)->value, RS_AT(r, i + 2 * first + 2)->value) != 0)
            return -1;
        char *own = alias && *at < to ? strstr(r->out->data + before, " AS ") : NULL;
        if (own)
            r->out->length = (size_t)(own - r->out->data);
        return 0;
    }
    for (size_t k = first; k < parts; k++) {
        const char *name = RS_AT(r, i + 2 * k)->value;
        if (check_name(r, name) != 0)
            return -1;
        if (k > first)
            buf_char(r->out, '.');
        redshift_put_name(r->out, name);
    }
    if (star) {
        buf_text(r->out, ".*");
        *at += 2;
    } else if (*at < to && redshift_is_op(RS_AT(r, *at), ".")) {
        return redshift_fail_at(r->tokens, *at, r->failure);
    }
    return 0;
}

int redshift_rewrite_table(const struct redshift_tokens *tokens, size_t *at,
                           const struct redshift_scope *scope, struct buf *out, char schema[128],
                           char name[128], struct redshift_failure *failure)
{
    struct rs_rewriter r = {.tokens = tokens, .scope = scope, .out = out, .failure = failure};
    const char *parts[3];
    size_t count = 0, i = *at;
    do {
        if (count == 3 || !redshift_is_name(&tokens->list[i]))
            return redshift_fail_at(tokens, i, failure);
        if (check_name(&r, tokens->list[i].value) != 0)
            return -1;
        parts[count++] = tokens->list[i++].value;
    } while (redshift_take_op(tokens, &i, "."));
    if (count == 3 && strcmp(parts[0], scope->database) != 0)
        return redshift_fail(failure, "cross-database reference to %s is not emulated locally", parts[0]);
    const char *in = count > 1 ? parts[count - 2] : "", *last = parts[count - 1];
    static const char *const engine[] = {
        "main", "temp", "system", "memory", "warehouse", "information_schema", "pg_catalog"};
    for (size_t k = 0; k < sizeof engine / sizeof *engine; k++)
        if (strcmp(in, engine[k]) == 0)
            return redshift_fail(failure, "permission denied for schema %s", in);
    if (*in) {
        redshift_put_name(out, in);
        buf_char(out, '.');
    }
    redshift_put_name(out, last);
    if (schema)
        text_copy(schema, 128, in);
    if (name)
        text_copy(name, 128, last);
    *at = i;
    return 0;
}

/* ---- operands --------------------------------------------------------------------------------------- */

int rs_cast(struct rs_rewriter *r, size_t start, size_t *at)
{
    struct redshift_type type;
    if (redshift_type_parse(r->tokens, at, &type, r->failure) != 0)
        return -1;
    char *inner = mem_text(r->out->data ? r->out->data + start : "");
    r->out->length = start;
    bool bounded = type.kind == RS_VARCHAR || type.kind == RS_CHAR; /* an explicit cast cuts off */
    buf_text(r->out, bounded ? "rs_cut(CAST(" : "CAST(");
    buf_text(r->out, inner);
    buf_text(r->out, " AS ");
    redshift_type_write_duck(&type, r->out);
    if (bounded)
        buf_printf(r->out, "), %d", type.length);
    buf_char(r->out, ')');
    free(inner);
    return 0;
}

/* Words that stand for a value. */
static bool word_value(struct rs_rewriter *r, const struct redshift_token *token)
{
    if (redshift_is(token, "sysdate"))
        buf_text(r->out, "CAST(now() AS TIMESTAMP)");
    else if (redshift_is(token, "current_user") || redshift_is(token, "session_user") ||
             redshift_is(token, "user"))
        redshift_put_string(r->out, r->scope->user);
    else if (is_constant(token) || redshift_is(token, "default"))
        buf_text(r->out, token->value);
    else if (redshift_is(token, "unknown") && token > r->tokens->list &&
             (redshift_is(token - 1, "is") || redshift_is(token - 1, "not")))
        buf_text(r->out, "NULL"); /* IS UNKNOWN */
    else if (redshift_is(token, "current_date"))
        buf_text(r->out, "CAST(now() AS DATE)");
    else if (redshift_is(token, "current_timestamp"))
        buf_text(r->out, "now()");
    else if (redshift_is(token, "localtimestamp"))
        buf_text(r->out, "CAST(now() AS TIMESTAMP)");
    else if (redshift_is(token, "current_time"))
        buf_text(r->out, "CAST(now() AS TIME)");
    else
        return false;
    return true;
}

/* DATE '2026-01-12', TIMESTAMP '…', INTERVAL '1 day' */
static bool typed_literal(struct rs_rewriter *r, size_t at, size_t to)
{
    const struct redshift_token *token = RS_AT(r, at), *text = token + 1;
    return at + 1 < to && text->kind == RS_STRING &&
           (redshift_is(token, "date") || redshift_is(token, "timestamp") ||
            redshift_is(token, "timestamptz") || redshift_is(token, "time") ||
            redshift_is(token, "interval"));
}

/* Is the parenthesis behind the name at `at` a list of columns: of an alias, of a target, of WITH? */
static bool is_column_list(struct rs_rewriter *r, size_t from, size_t at)
{
    size_t close = RS_AT(r, at + 1)->partner;
    for (size_t i = at + 2; i < close; i++) /* names, with commas between */
        if ((i - at) % 2 == 0 ? !redshift_is_name(RS_AT(r, i)) : !redshift_is_op(RS_AT(r, i), ","))
            return false;
    if (redshift_is(RS_AT(r, close + 1), "as") && redshift_is_op(RS_AT(r, close + 2), "("))
        return true; /* WITH x (a, b) AS ( */
    if (at == from)
        return false;
    const struct redshift_token *before = RS_AT(r, at - 1);
    if (redshift_is(before, "as") || redshift_is(before, "into") || redshift_is_op(before, ")"))
        return true;
    return redshift_is_name(before) && !rs_is_keyword(before);
}

static int parenthesis(struct rs_rewriter *r, size_t *at)
{
    size_t open = *at, close = RS_AT(r, open)->partner;
    buf_char(r->out, '(');
    if (rs_range(r, open + 1, close, false) != 0)
        return -1;
    buf_char(r->out, ')');
    *at = close + 1;
    return 0;
}

static int operand(struct rs_rewriter *r, size_t from, size_t *at, size_t to)
{
    const struct redshift_token *token = RS_AT(r, *at);
    size_t start = r->out->length;
    bool chain = false;
    if (token->kind == RS_STRING) {
        redshift_put_string(r->out, token->value);
        ++*at;
    } else if (token->kind == RS_NUMBER) {
        buf_append(r->out, token->text, token->length);
        ++*at;
    } else if (token->kind == RS_OPERATOR) {
        if (parenthesis(r, at) != 0)
            return -1;
    } else if (typed_literal(r, *at, to)) {
        buf_printf(r->out, "%s ", token->value);
        redshift_put_string(r->out, RS_AT(r, *at + 1)->value);
        *at += 2;
        const char *part = *at < to && redshift_is(token, "interval") && RS_AT(r, *at)->value
                               ? redshift_date_part(RS_AT(r, *at)->value)
                               : NULL;
        if (part) { /* INTERVAL '1' DAY */
            buf_printf(r->out, " %s", part);
            ++*at;
        }
    } else if (*at + 1 < to && redshift_is_op(RS_AT(r, *at + 1), "(")) {
        if (is_column_list(r, from, *at)) {
            if (check_name(r, token->value) != 0)
                return -1;
            redshift_put_name(r->out, token->value);
            ++*at;
            return 0;
        }
        /* Behind a name a call whose text begins with a parenthesis would make a call of that name. */
        if (*at > from && redshift_is_name(RS_AT(r, *at - 1)) && !rs_is_keyword(RS_AT(r, *at - 1)))
            return redshift_fail_at(r->tokens, *at, r->failure);
        if (rs_call(r, at) != 0)
            return -1;
    } else if (!word_value(r, token)) {
        chain = true;
        if (name_chain(r, at, to) != 0)
            return -1;
        bool target = from < *at && *at >= 2; /* INSERT INTO a.b (…) */
        if (*at < to && redshift_is_op(RS_AT(r, *at), "(")) {
            size_t begin = *at - 1;
            while (begin > from && redshift_is_op(RS_AT(r, begin - 1), "."))
                begin -= 2;
            if (!target || begin == from || !redshift_is(RS_AT(r, begin - 1), "into"))
                return redshift_fail_at(r->tokens, *at, r->failure);
        }
    } else {
        ++*at;
    }
    while (*at < to && redshift_is_op(RS_AT(r, *at), "::")) {
        ++*at;
        if (rs_cast(r, start, at) != 0)
            return -1;
    }
    if (*at < to && redshift_is_op(RS_AT(r, *at), "["))
        return redshift_fail(r->failure, "navigation into SUPER values is not emulated locally");
    if (!chain && *at < to && redshift_is_op(RS_AT(r, *at), "."))
        return redshift_fail_at(r->tokens, *at, r->failure);
    return 0;
}

/* ---- names of columns ------------------------------------------------------------------------------- */

/* What PostgreSQL calls the column of an expression [from, to) without alias; NULL: it has a name. */
static const char *column_name(struct rs_rewriter *r, size_t from, size_t to, char name[128])
{
    const struct redshift_token *first = RS_AT(r, from), *last = RS_AT(r, to - 1);
    const struct redshift_token *before = to - from > 1 ? RS_AT(r, to - 2) : NULL;
    if (redshift_is_op(last, "*"))
        return NULL;
    bool chain = true;
    for (size_t i = from; i < to; i++)
        chain &= (i - from) % 2 == 0 ? redshift_is_name(RS_AT(r, i)) : redshift_is_op(RS_AT(r, i), ".");
    if (chain && (to - from > 1 || !rs_is_keyword(first))) {
        static const char *const values[] = {"sysdate", "current_user", "session_user",
                                             "user",    "current_date", "current_timestamp"};
        for (size_t i = 0; i < sizeof values / sizeof *values; i++)
            if (to - from == 1 && redshift_is(first, values[i]))
                return values[i];
        return NULL;
    }
    if (before && redshift_is_name(last) && !rs_is_keyword(last)) {
        if (redshift_is(before, "as") || before->kind == RS_STRING || before->kind == RS_NUMBER ||
            redshift_is_op(before, ")") || redshift_is(before, "end") ||
            (redshift_is_name(before) && !rs_is_keyword(before)))
            return NULL;
    }
    if (redshift_is(first, "case") && redshift_is(last, "end"))
        return "case";
    size_t end = from + 1;
    if (redshift_is_name(first) && end < to && redshift_is_op(RS_AT(r, end), "(")) {
        const struct redshift_token *open = first + 1;
        end = open->partner + 1;
        while (end < to && (redshift_is(RS_AT(r, end), "over") || redshift_is(RS_AT(r, end), "within") ||
                            redshift_is(RS_AT(r, end), "group")))
            end = redshift_is_op(RS_AT(r, end + 1), "(") ? RS_AT(r, end + 1)->partner + 1 : end + 1;
        text_copy(name, 128, redshift_is(first, "cast") || redshift_is(first, "convert") ? "" : first->value);
    } else {
        name[0] = '\0';
        while (redshift_is_name(RS_AT(r, end - 1)) && end + 1 < to && redshift_is_op(RS_AT(r, end), "."))
            end += 2;
        if (redshift_is_name(RS_AT(r, end - 1)) && !typed_literal(r, end - 1, to))
            text_copy(name, 128, RS_AT(r, end - 1)->value);
        else if (typed_literal(r, end - 1, to)) {
            text_copy(name, 128, RS_AT(r, end - 1)->value);
            end++;
        }
    }
    struct redshift_failure ignored;
    struct redshift_type type;
    while (end < to && redshift_is_op(RS_AT(r, end), "::")) {
        end++;
        if (redshift_type_parse(r->tokens, &end, &type, &ignored) != 0)
            break;
        if (!name[0])
            text_copy(name, 128, redshift_type_short(type.kind));
    }
    if (end == to && redshift_is(first, "cast")) {
        size_t as = to - 2;
        while (as > from && !redshift_is(RS_AT(r, as), "as"))
            as--;
        size_t place = as + 1;
        const struct redshift_token *inner = RS_AT(r, from + 2);
        if (as == from + 3 && redshift_is_name(inner))
            text_copy(name, 128, inner->value);
        else if (redshift_type_parse(r->tokens, &place, &type, &ignored) == 0)
            text_copy(name, 128, redshift_type_short(type.kind));
    }
    return end == to && name[0] ? name : "?column?";
}

static bool ends_list(const struct redshift_token *token)
{
    return redshift_is(token, "from") || redshift_is(token, "where") || redshift_is(token, "union") ||
           redshift_is(token, "intersect") || redshift_is(token, "except") || redshift_is(token, "minus") ||
           redshift_is(token, "order") || redshift_is(token, "limit") || redshift_is(token, "group") ||
           redshift_is(token, "having") || redshift_is(token, "into") || redshift_is(token, "offset");
}

/* ---- one level -------------------------------------------------------------------------------------- */

struct level {
    size_t from, to;
    size_t item;  /* of the select list; 0: not in one that is named */
    char top[24]; /* TOP n */
    bool list_done;
    bool tables; /* behind FROM or JOIN, where a string would be a file */
};

static void name_item(struct rs_rewriter *r, struct level *level, size_t end)
{
    char name[128];
    const char *found = end > level->item ? column_name(r, level->item, end, name) : NULL;
    if (found) {
        buf_text(r->out, " AS ");
        redshift_put_name(r->out, found);
    }
}

/* SELECT [DISTINCT | ALL] [TOP n] */
static int select_head(struct rs_rewriter *r, struct level *level, size_t *at)
{
    buf_text(r->out, "SELECT ");
    ++*at;
    if (redshift_take(r->tokens, at, "distinct"))
        buf_text(r->out, "DISTINCT ");
    if (redshift_is(RS_AT(r, *at), "on") && redshift_is_op(RS_AT(r, *at + 1), "("))
        return redshift_fail(r->failure, "SELECT DISTINCT ON is not supported");
    redshift_take(r->tokens, at, "all");
    if (redshift_is(RS_AT(r, *at), "top") && RS_AT(r, *at + 1)->kind == RS_NUMBER) {
        snprintf(level->top, sizeof level->top, "%.*s", (int)RS_AT(r, *at + 1)->length,
                 RS_AT(r, *at + 1)->text);
        *at += 2;
    }
    return 0;
}

static int keyword(struct rs_rewriter *r, struct level *level, size_t *at)
{
    const struct redshift_token *token = RS_AT(r, *at);
    if (redshift_is(token, "minus")) {
        buf_text(r->out, "EXCEPT");
    } else if (redshift_is(token, "returning")) {
        return redshift_fail_at(r->tokens, *at, r->failure);
    } else if (redshift_is(token, "filter") && redshift_is_op(RS_AT(r, *at + 1), "(")) {
        return redshift_fail_at(r->tokens, *at + 1, r->failure); /* the engine's, not Redshift's */
    } else if (redshift_is(token, "similar")) {
        return rs_pattern(r, at, true);
    } else if (redshift_is(token, "nulls") &&
               (redshift_is(RS_AT(r, *at + 1), "first") || redshift_is(RS_AT(r, *at + 1), "last"))) {
        buf_printf(r->out, "NULLS %s", RS_AT(r, ++*at)->value);
    } else if (redshift_is(token, "desc") && !redshift_is(RS_AT(r, *at + 1), "nulls")) {
        buf_text(r->out, "DESC NULLS FIRST"); /* nulls are the greatest */
    } else if ((redshift_is(token, "from") || redshift_is(token, "join")) &&
               RS_AT(r, *at + 1)->kind == RS_STRING) {
        return redshift_fail_at(r->tokens, *at + 1, r->failure); /* the engine would open a file */
    } else if (redshift_is(token, "like") || redshift_is(token, "ilike")) {
        buf_printf(r->out, "%s", token->value);
        const struct redshift_token *pattern = RS_AT(r, *at + 1);
        if (*at + 1 < level->to && pattern->kind == RS_STRING && strchr(pattern->value, '\\') &&
            !redshift_is(RS_AT(r, *at + 2), "escape") && !redshift_is_op(RS_AT(r, *at + 2), "||")) {
            buf_char(r->out, ' ');
            redshift_put_string(r->out, pattern->value);
            buf_text(r->out, " ESCAPE '\\'");
            ++*at;
        }
    } else {
        buf_text(r->out, token->value);
    }
    ++*at;
    return 0;
}

/* Words that are names elsewhere: LEFT JOIN, IGNORE NULLS, CURRENT ROW. */
static bool two_words(const struct rs_rewriter *r, size_t at)
{
    const struct redshift_token *first = RS_AT(r, at), *second = first + (first->kind != RS_END);
    if (redshift_is(first, "left") || redshift_is(first, "right"))
        return redshift_is(second, "join") || redshift_is(second, "outer");
    if (redshift_is(first, "ignore") || redshift_is(first, "respect"))
        return redshift_is(second, "nulls");
    if (redshift_is(first, "is") && redshift_is(second, "not")) /* IS NOT TRUE */
        return true;
    return redshift_is(first, "current") && redshift_is(second, "row");
}

static int token_out(struct rs_rewriter *r, struct level *level, size_t *at)
{
    const struct redshift_token *token = RS_AT(r, *at);
    if (token->kind == RS_OPERATOR && !redshift_is_op(token, "(")) {
        if (*token->text == '~' || strncmp(token->text, "!~", 2) == 0)
            return rs_pattern(r, at, false);
        if (strchr("[];:.", *token->text) || redshift_is_op(token, "::"))
            return redshift_fail_at(r->tokens, *at, r->failure);
        buf_append(r->out, token->text, token->length);
        ++*at;
        return 0;
    }
    if (redshift_is(token, "select") && (*at == level->from || !redshift_is_op(RS_AT(r, *at - 1), "(")))
        return select_head(r, level, at);
    if (redshift_is(token, "approximate") && redshift_is(RS_AT(r, *at + 1), "count")) {
        size_t open = *at + 2;
        if (!redshift_is_op(RS_AT(r, open), "(") || !redshift_is(RS_AT(r, open + 1), "distinct"))
            return redshift_fail_at(r->tokens, *at, r->failure);
        buf_text(r->out, "approx_count_distinct(");
        if (rs_range(r, open + 2, RS_AT(r, open)->partner, false) != 0)
            return -1;
        buf_char(r->out, ')');
        *at = RS_AT(r, open)->partner + 1;
        return 0;
    }
    if ((redshift_is(token, "isnull") || redshift_is(token, "notnull")) && *at > level->from &&
        !redshift_is_op(RS_AT(r, *at + 1), "(") && !redshift_is_op(RS_AT(r, *at - 1), ",")) {
        buf_text(r->out, token->value[0] == 'i' ? "IS NULL" : "IS NOT NULL");
        ++*at;
        return 0;
    }
    if (redshift_is(token, "at") && redshift_is(RS_AT(r, *at + 1), "time") &&
        redshift_is(RS_AT(r, *at + 2), "zone")) {
        buf_text(r->out, "AT TIME ZONE");
        *at += 3;
        return 0;
    }
    if (two_words(r, *at)) {
        buf_printf(r->out, "%s %s", token->value, RS_AT(r, *at + 1)->value);
        *at += 2;
        return 0;
    }
    if (rs_is_keyword(token) && !is_constant(token) && !typed_literal(r, *at, level->to) &&
        !(redshift_is_op(RS_AT(r, *at + 1), "(") && redshift_is(token, "interval")))
        return keyword(r, level, at);
    return operand(r, level->from, at, level->to);
}

int rs_range(struct rs_rewriter *r, size_t from, size_t to, bool named)
{
    struct level level = {.from = from, .to = to};
    if (++r->depth > REDSHIFT_DEPTH_LIMIT)
        return redshift_fail(r->failure, "the statement is nested too deep");
    for (size_t at = from; at < to;) {
        const struct redshift_token *token = RS_AT(r, at);
        bool within = at > from && redshift_is(RS_AT(r, at - 1), "within"); /* GROUP (ORDER BY …) */
        if (level.item && !within && (redshift_is_op(token, ",") || ends_list(token))) {
            name_item(r, &level, at);
            level.item = redshift_is_op(token, ",") ? at + 1 : 0;
        }
        bool from_word = redshift_is(token, "from") || redshift_is(token, "join");
        if (from_word || ends_list(token) || redshift_is(token, "on") || redshift_is(token, "set"))
            level.tables = from_word;
        if (level.tables && token->kind == RS_STRING && at > from && redshift_is_op(RS_AT(r, at - 1), ","))
            return redshift_fail_at(r->tokens, at, r->failure);
        bool head = redshift_is(token, "select");
        if (at > from)
            buf_char(r->out, ' ');
        if (token_out(r, &level, &at) != 0)
            return -1;
        if (head && named && !level.list_done) {
            level.item = at;
            level.list_done = true;
        }
    }
    if (level.item && level.item < to)
        name_item(r, &level, to);
    if (level.top[0])
        buf_printf(r->out, " LIMIT %s", level.top);
    r->depth--;
    return 0;
}

int redshift_rewrite(const struct redshift_tokens *tokens, size_t from, size_t to,
                     const struct redshift_scope *scope, bool named, struct buf *out,
                     struct redshift_failure *failure)
{
    struct rs_rewriter r = {.tokens = tokens, .scope = scope, .out = out, .failure = failure};
    if (rs_range(&r, from, to, named) != 0)
        return -1;
    return out->overflow ? redshift_fail(failure, "the statement is too complex") : 0;
}
