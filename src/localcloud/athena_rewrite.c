/* Clauses, relations, select lists. */
#include "localcloud/athena_rewrite.h"

#include "base/err.h"
#include "base/text.h"
#include "localcloud/athena_rewrite_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_LIMIT (8u << 20)

static const char *const clauses[] = {"FROM",   "WHERE", "GROUP", "HAVING", "WINDOW",    "ORDER", "LIMIT",
                                      "OFFSET", "FETCH", "UNION", "EXCEPT", "INTERSECT", NULL};
/* Words that DuckDB knows and Athena does not; as names they are quoted, so only the bare word matters. */
static const char *const keywords[] = {
    "AND",       "ANY",      "ALL",       "AS",        "ASC",    "BETWEEN", "BY",     "CASE",   "CROSS",
    "DESC",      "DISTINCT", "ELSE",      "END",       "ESCAPE", "EXISTS",  "FALSE",  "FILTER", "FIRST",
    "FOLLOWING", "FULL",     "IN",        "INNER",     "IS",     "JOIN",    "LAST",   "LEFT",   "LIKE",
    "NATURAL",   "NOT",      "NULL",      "NULLS",     "ON",     "OR",      "OUTER",  "OVER",   "PARTITION",
    "PRECEDING", "RANGE",    "RECURSIVE", "RIGHT",     "ROW",    "ROWS",    "GROUPS", "SELECT", "SETS",
    "SOME",      "THEN",     "TRUE",      "UNBOUNDED", "USING",  "VALUES",  "WHEN",   "WITH",   "WITHIN",
    "ONLY",      "TIES",     "NEXT",      "CURRENT",   NULL};

bool rewrite_in_list(const struct athena_token *token, const char *const *list)
{
    for (; *list; list++)
        if (athena_is(token, *list))
            return true;
    return false;
}

static bool after_dot(const struct rewriter *r, size_t at)
{
    return at > 0 && athena_is_op(AT(r, at - 1), ".");
}

bool rewrite_is_clause(const struct rewriter *r, size_t at)
{
    if (at > 1 && athena_is(AT(r, at), "FROM") && athena_is(AT(r, at - 1), "DISTINCT") &&
        (athena_is(AT(r, at - 2), "IS") || athena_is(AT(r, at - 2), "NOT")))
        return false; /* x IS [NOT] DISTINCT FROM y */
    return rewrite_in_list(AT(r, at), clauses) && !after_dot(r, at);
}

bool rewrite_is_keyword(const struct athena_token *token)
{
    return rewrite_in_list(token, keywords) || rewrite_in_list(token, clauses);
}

size_t rewrite_skip(const struct rewriter *r, size_t at)
{
    const struct athena_token *token = AT(r, at);
    return athena_is_op(token, "(") || athena_is_op(token, "[") ? token->partner + 1 : at + 1;
}

bool rewrite_is_query(const struct rewriter *r, size_t at)
{
    if (!athena_is_op(AT(r, at), "("))
        return false;
    while (athena_is_op(AT(r, at), "("))
        at++;
    const struct athena_token *token = AT(r, at);
    return athena_is(token, "SELECT") || athena_is(token, "WITH") || athena_is(token, "VALUES") ||
           (athena_is(token, "TABLE") && athena_is_name(AT(r, at + 1)));
}

int rewrite_refuse(struct rewriter *r, size_t at)
{
    const struct athena_token *token = AT(r, at);
    char shown[60];
    text_sanitise(shown, sizeof shown, token->text, token->length);
    return athena_fail_at(r->failure, token, "SYNTAX_ERROR", "mismatched input '%s'",
                          token->kind == TOKEN_END ? "<EOF>" : shown);
}

void rewrite_raw(struct rewriter *r, const struct athena_token *token)
{
    buf_char(&r->out, ' ');
    buf_append(&r->out, token->text, token->length);
}

void rewrite_put_quoted(struct buf *out, const char *name)
{
    buf_char(out, '"');
    for (; *name; name++) {
        if (*name == '"')
            buf_char(out, '"');
        buf_char(out, *name);
    }
    buf_char(out, '"');
}

/* Always quoted, so that no word of DuckDB's can be meant. The case is kept: it is what the column is called.
 */
void rewrite_name(struct rewriter *r, const struct athena_token *token)
{
    if (token->kind == TOKEN_WORD) {
        buf_text(&r->out, " \"");
        buf_append(&r->out, token->text, token->length);
        buf_char(&r->out, '"');
        return;
    }
    char *name = athena_unquote(token);
    buf_char(&r->out, ' ');
    rewrite_put_quoted(&r->out, name);
    free(name);
}

/* ---- the select list -------------------------------------------------------------------------------- */

/* What the item is called: 0 it has a name, 1 it has none, 2 it is a star. */
static int item_naming(const struct rewriter *r, size_t from, size_t to, size_t *alias)
{
    *alias = to;
    if (athena_is_op(AT(r, to - 1), "*") && (to - from == 1 || athena_is_op(AT(r, to - 2), ".")))
        return 2;
    const struct athena_token *last = AT(r, to - 1);
    bool chain = true; /* a, t.a: called after its last part */
    for (size_t i = from; i < to; i++)
        chain = chain && ((i - from) % 2 ? athena_is_op(AT(r, i), ".") : athena_is_name(AT(r, i)));
    if (to - from >= 3 && athena_is(AT(r, to - 2), "AS") && athena_is_name(last)) {
        *alias = to - 2;
        return 0;
    }
    if (chain && (to - from) % 2 && !rewrite_is_keyword(last) && !athena_is(last, "current_date") &&
        !athena_is(last, "current_timestamp") && !athena_is(last, "localtimestamp"))
        return 0;
    if (to - from >= 2 && athena_is_name(last) && !rewrite_is_keyword(last)) {
        const struct athena_token *before = AT(r, to - 2);
        bool ends = before->kind != TOKEN_OPERATOR || athena_is_op(before, ")") || athena_is_op(before, "]");
        /* INTERVAL '1' DAY, x AT TIME ZONE: words that end an expression without naming it */
        bool unit = before->kind == TOKEN_STRING && to - from >= 3 && athena_is(AT(r, to - 3), "INTERVAL");
        bool word = before->kind == TOKEN_WORD && rewrite_is_keyword(before) && !athena_is(before, "END") &&
                    !athena_is(before, "NULL") && !athena_is(before, "TRUE") && !athena_is(before, "FALSE");
        if (ends && !unit && !word) {
            *alias = to - 1;
            return 0;
        }
    }
    if (to - from > 2 && athena_is_name(last) && athena_is_op(AT(r, to - 2), "."))
        return 0; /* f(x).field */
    return 1;
}

static int rewrite_items(struct rewriter *r, size_t at, size_t to, size_t *next)
{
    size_t begin = at, number = 0;
    bool star = false;
    for (;;) {
        bool end = at >= to || rewrite_is_clause(r, at);
        if (!end && !athena_is_op(AT(r, at), ",")) {
            at = rewrite_skip(r, at);
            continue;
        }
        if (begin == at)
            return rewrite_refuse(r, at);
        size_t alias;
        int naming = item_naming(r, begin, at, &alias);
        if (number > 0)
            buf_char(&r->out, ',');
        if (naming == 2) {
            for (size_t i = begin; i + 1 < at; i++)
                if (athena_is_name(AT(r, i)))
                    rewrite_name(r, AT(r, i));
                else
                    rewrite_raw(r, AT(r, i));
            /* Columns that begin with '$' are there only when the query names one. */
            buf_text(&r->out, r->hidden ? " * NOT LIKE '$%'" : " *");
            star = true;
        } else {
            if (rewrite_expression(r, begin, alias) != 0)
                return -1;
            if (alias < at) {
                buf_text(&r->out, " AS");
                rewrite_name(r, AT(r, at - 1));
            } else if (naming == 1 && star) {
                buf_text(&r->out, " AS \"" ATHENA_UNNAMED "\"");
            } else if (naming == 1) {
                buf_printf(&r->out, " AS \"_col%zu\"", number);
            }
        }
        number++;
        begin = at + 1;
        if (end)
            break;
        at++;
    }
    *next = at;
    return 0;
}

static int rewrite_values(struct rewriter *r, size_t at, size_t to, size_t *next)
{
    size_t begin = at;
    bool first = true;
    buf_text(&r->out, " (VALUES");
    for (;;) {
        bool end = at >= to || rewrite_is_clause(r, at);
        if (!end && !athena_is_op(AT(r, at), ",")) {
            at = rewrite_skip(r, at);
            continue;
        }
        if (begin == at)
            return rewrite_refuse(r, at);
        begin += athena_is(AT(r, begin), "ROW") && athena_is_op(AT(r, begin + 1), "(");
        bool row = athena_is_op(AT(r, begin), "(") && AT(r, begin)->partner == at - 1;
        buf_text(&r->out, first ? " (" : ", (");
        if (rewrite_expression(r, begin + row, at - row) != 0)
            return -1;
        buf_char(&r->out, ')');
        first = false;
        begin = at + 1;
        if (end)
            break;
        at++;
    }
    buf_char(&r->out, ')');
    *next = at;
    return 0;
}

/* WITH [RECURSIVE] name [(columns)] AS (query), … */
static int rewrite_with(struct rewriter *r, size_t at, size_t to, size_t *next)
{
    buf_text(&r->out, " WITH");
    if (athena_is(AT(r, at), "RECURSIVE")) {
        buf_text(&r->out, " RECURSIVE");
        at++;
    }
    for (;;) {
        if (at >= to || !athena_is_name(AT(r, at)))
            return rewrite_refuse(r, at);
        r->common = mem_resize(r->common, r->common_count + 1, sizeof *r->common);
        r->common[r->common_count++] = rewrite_lower_name(AT(r, at));
        rewrite_name(r, AT(r, at++));
        if (athena_is_op(AT(r, at), "(")) {
            size_t close = AT(r, at)->partner;
            for (; at <= close; at++)
                if (athena_is_name(AT(r, at)))
                    rewrite_name(r, AT(r, at));
                else
                    rewrite_raw(r, AT(r, at));
        }
        if (!athena_is(AT(r, at), "AS") || !athena_is_op(AT(r, at + 1), "("))
            return rewrite_refuse(r, at);
        size_t close = AT(r, at + 1)->partner;
        buf_text(&r->out, " AS (");
        if (rewrite_query(r, at + 2, close) != 0)
            return -1;
        buf_char(&r->out, ')');
        at = close + 1;
        if (at >= to || !athena_is_op(AT(r, at), ","))
            break;
        buf_char(&r->out, ',');
        at++;
    }
    *next = at;
    return 0;
}

/* A condition without an operator in it: it may be no condition at all. */
static bool is_plain(const struct rewriter *r, size_t at, size_t to)
{
    if (athena_is_op(AT(r, at), "(") && at + 1 < to)
        return false;
    for (; at < to; at = rewrite_skip(r, at)) {
        const struct athena_token *token = AT(r, at);
        if ((token->kind == TOKEN_WORD && (rewrite_is_keyword(token) || athena_is(token, "LIKE"))) ||
            (token->kind == TOKEN_OPERATOR && strchr("=<>!", token->text[0])))
            return false;
    }
    return true;
}

/* A clause and its words, up to the next one. */
static int rewrite_clause(struct rewriter *r, size_t at, size_t to, size_t *next)
{
    const struct athena_token *token = AT(r, at);
    rewrite_raw(r, token);
    at++;
    if (athena_is(token, "GROUP") || athena_is(token, "ORDER")) {
        if (!athena_is(AT(r, at), "BY"))
            return rewrite_refuse(r, at);
        rewrite_raw(r, AT(r, at++));
    }
    size_t end = at;
    while (end < to && !rewrite_is_clause(r, end))
        end = rewrite_skip(r, end);
    if (athena_is(token, "LIMIT") || athena_is(token, "OFFSET") || athena_is(token, "FETCH")) {
        for (size_t i = at; i < end; i++) {
            const struct athena_token *word = AT(r, i);
            if (word->kind != TOKEN_INTEGER && word->kind != TOKEN_PARAMETER && !athena_is(word, "ALL") &&
                !athena_is(word, "ROW") && !athena_is(word, "ROWS") && !athena_is(word, "FIRST") &&
                !athena_is(word, "NEXT") && !athena_is(word, "ONLY"))
                return rewrite_refuse(r, i);
            rewrite_raw(r, word);
        }
        if (at == end)
            return rewrite_refuse(r, end);
    } else if (athena_is(token, "WHERE") || athena_is(token, "HAVING")) {
        bool plain = is_plain(r, at, end);
        char *condition = rewrite_argument_text(r, at, end);
        if (!condition)
            return -1;
        if (plain)
            buf_printf(&r->out, " (CASE WHEN athena_logical(typeof(%s), 'line %d:%d: %s') THEN ", condition,
                       AT(r, at)->line, AT(r, at)->column, athena_is(token, "WHERE") ? "WHERE" : "HAVING");
        buf_text(&r->out, condition);
        buf_text(&r->out, plain ? " END)" : "");
        free(condition);
    } else if (rewrite_expression(r, at, end) != 0) {
        return -1;
    }
    *next = end;
    return 0;
}

/* ---- sides of a UNION at the top -------------------------------------------------------------------- */

static void begin_branch(struct rewriter *r, const struct athena_token *set)
{
    struct athena_query *query = r->query;
    if (query->branch_count < ATHENA_BRANCHES_MAX)
        query->branches[query->branch_count++] =
            (struct athena_branch){.from = r->out.length,
                                   .word = athena_is(set, "EXCEPT")      ? "EXCEPT"
                                           : athena_is(set, "INTERSECT") ? "INTERSECT"
                                                                         : "UNION",
                                   .line = set->line,
                                   .column = set->column};
}

static void end_branch(struct rewriter *r)
{
    struct athena_query *query = r->query;
    struct athena_branch *last = query->branch_count > 0 ? &query->branches[query->branch_count - 1] : NULL;
    if (last && last->to == 0)
        last->to = r->out.length;
}

/* What stands behind the last side belongs to all. */
static bool ends_branch(const struct athena_token *token)
{
    static const char *const words[] = {"UNION", "EXCEPT", "INTERSECT", "ORDER",
                                        "LIMIT", "OFFSET", "FETCH",     NULL};
    return rewrite_in_list(token, words);
}

static int query_body(struct rewriter *r, size_t at, size_t to)
{
    size_t from_at = 0, from_to = 0;            /* of the SELECT at hand */
    bool begin = true;                          /* a SELECT, VALUES, TABLE or ( may stand here */
    const struct athena_token *set = AT(r, at); /* the UNION before the side at hand */
    while (at < to) {
        const struct athena_token *token = AT(r, at);
        int failed = 0;
        if (r->depth == 1 && begin && !athena_is(token, "WITH"))
            begin_branch(r, set);
        if (r->depth == 1 && !begin && ends_branch(token))
            end_branch(r);
        if (begin && athena_is(token, "WITH")) {
            failed = rewrite_with(r, at + 1, to, &at);
            if (r->depth == 1)
                r->query->with_to = r->out.length;
        } else if (begin && athena_is(token, "SELECT")) {
            buf_text(&r->out, " SELECT");
            at++;
            from_at = from_to = 0;
            if (athena_is(AT(r, at), "DISTINCT") || athena_is(AT(r, at), "ALL"))
                rewrite_raw(r, AT(r, at++));
            failed = rewrite_items(r, at, to, &at);
            begin = false;
        } else if (begin && athena_is(token, "VALUES")) {
            buf_text(&r->out, " SELECT * FROM");
            failed = rewrite_values(r, at + 1, to, &at);
            buf_text(&r->out, " AS \"values\"");
            begin = false;
        } else if (begin && athena_is(token, "TABLE")) {
            buf_text(&r->out, " SELECT * FROM");
            failed = rewrite_table(r, at + 1, to, &at);
            begin = false;
        } else if (begin && athena_is_op(token, "(")) {
            buf_text(&r->out, " (");
            failed = rewrite_query(r, at + 1, token->partner);
            buf_char(&r->out, ')');
            at = token->partner + 1;
            begin = false;
        } else if (!begin && (athena_is(token, "UNION") || athena_is(token, "EXCEPT") ||
                              athena_is(token, "INTERSECT"))) {
            set = token;
            rewrite_raw(r, token);
            at++;
            if (athena_is(AT(r, at), "ALL"))
                rewrite_raw(r, AT(r, at));
            at += athena_is(AT(r, at), "ALL") || athena_is(AT(r, at), "DISTINCT");
            begin = true;
        } else if (!begin && athena_is(token, "FROM")) {
            buf_text(&r->out, " FROM");
            from_at = at + 1;
            failed = rewrite_relations(r, at + 1, to, &at);
            from_to = at;
        } else if (!begin && rewrite_is_clause(r, at)) {
            size_t begin_at = at + 1;
            bool where = athena_is(token, "WHERE");
            failed = rewrite_clause(r, at, to, &at);
            if (where && !failed)
                rewrite_note_conditions(r, from_at, from_to, begin_at, at);
        } else {
            return rewrite_refuse(r, at);
        }
        if (failed)
            return -1;
    }
    if (r->depth == 1)
        end_branch(r);
    return begin ? rewrite_refuse(r, to) : 0;
}

int rewrite_query(struct rewriter *r, size_t from, size_t to)
{
    if (++r->depth > ATHENA_DEPTH_LIMIT)
        return rewrite_refuse(r, from);
    int result = query_body(r, from, to);
    r->depth--;
    return result;
}

int athena_rewrite(const struct athena_tokens *tokens, size_t from, size_t to, const char *database,
                   struct athena_query *query, struct athena_failure *failure)
{
    *query = (struct athena_query){0};
    struct rewriter r = {.tokens = tokens, .database = database, .query = query, .failure = failure};
    buf_init(&r.out, OUT_LIMIT);
    r.placed = true;
    for (size_t i = from; i < to; i++)
        r.placed =
            r.placed && !athena_is(&tokens->list[i], "GROUP") && !athena_is(&tokens->list[i], "DISTINCT");
    for (size_t i = from; i < to; i++)
        r.hidden = r.hidden || (tokens->list[i].kind == TOKEN_QUOTED && tokens->list[i].length > 2 &&
                                tokens->list[i].text[1] == '$');
    query->hidden = r.hidden;
    int result = rewrite_query(&r, from, to);
    if (result == 0 && r.out.overflow)
        result = athena_fail(failure, "QUERY_TEXT_TOO_LARGE", "the query becomes too long");
    for (size_t i = 0; i < r.common_count; i++)
        free(r.common[i]);
    free(r.common);
    query->sql = r.out.data ? r.out.data : mem_text("");
    if (result != 0)
        athena_query_free(query);
    return result;
}

int athena_rewrite_text(const char *text, const char *database, struct athena_query *query,
                        struct athena_failure *failure)
{
    struct athena_tokens tokens;
    *query = (struct athena_query){0};
    if (athena_lex(&tokens, text, failure) != 0)
        return -1;
    int result = athena_rewrite(&tokens, 0, tokens.count, database, query, failure);
    athena_tokens_free(&tokens);
    return result;
}

void athena_query_free(struct athena_query *query)
{
    for (size_t i = 0; i < query->table_count; i++) {
        free(query->tables[i].database);
        free(query->tables[i].name);
        json_decref(query->tables[i].conditions);
    }
    free(query->tables);
    free(query->sql);
    *query = (struct athena_query){0};
}
