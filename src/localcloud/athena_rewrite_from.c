/* The relations of FROM: tables, subqueries, joins, UNNEST. */
#include "base/err.h"
#include "base/text.h"
#include "localcloud/athena_rewrite_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VIEW_LIMIT 65536

static const char *const joins[] = {"JOIN", "CROSS",   "INNER", "LEFT",  "RIGHT",
                                    "FULL", "NATURAL", "ON",    "USING", NULL};

bool rewrite_is_join(const struct athena_token *token)
{
    return rewrite_in_list(token, joins);
}

/* ---- tables ----------------------------------------------------------------------------------------- */

char *rewrite_lower_name(const struct athena_token *token)
{
    char *name = athena_unquote(token);
    for (char *at = name; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return name;
}

bool rewrite_is_common(const struct rewriter *r, const char *name)
{
    for (size_t i = 0; i < r->common_count; i++)
        if (strcmp(r->common[i], name) == 0)
            return true;
    return false;
}

/* Takes both names. */
static int note_table(struct rewriter *r, char *database, char *name, const struct athena_token *token)
{
    struct athena_query *query = r->query;
    for (size_t i = 0; i < query->table_count; i++)
        if (strcmp(query->tables[i].database, database) == 0 && strcmp(query->tables[i].name, name) == 0) {
            query->tables[i].mentions++;
            free(database);
            free(name);
            return 0;
        }
    if (query->table_count == ATHENA_TABLES_MAX) {
        free(database);
        free(name);
        return athena_fail_at(r->failure, token, "NOT_SUPPORTED", "more than %d tables", ATHENA_TABLES_MAX);
    }
    query->tables = mem_resize(query->tables, query->table_count + 1, sizeof *query->tables);
    query->tables[query->table_count++] = (struct athena_table){
        .database = database, .name = name, .line = token->line, .column = token->column, .mentions = 1};
    return 0;
}

static bool has_alias(const struct rewriter *r, size_t at, size_t to)
{
    if (at >= to)
        return false;
    const struct athena_token *token = AT(r, at);
    return athena_is(token, "AS") ||
           (athena_is_name(token) && !rewrite_is_clause(r, at) && !rewrite_in_list(token, joins) &&
            !athena_is(token, "TABLESAMPLE") && !rewrite_is_keyword(token));
}

/* [catalog.][database.]name, and what stands for it. */
int rewrite_table(struct rewriter *r, size_t at, size_t to, size_t *next)
{
    size_t parts[3], count = 0;
    size_t begin = at;
    for (;;) {
        if (at >= to || !athena_is_name(AT(r, at)) || count == 3 ||
            (count == 0 && rewrite_is_keyword(AT(r, at))))
            return rewrite_refuse(r, at);
        parts[count++] = at++;
        if (at >= to || !athena_is_op(AT(r, at), "."))
            break;
        at++;
    }
    *next = at;
    char *name = rewrite_lower_name(AT(r, parts[count - 1]));
    if (count == 1 && rewrite_is_common(r, name)) {
        rewrite_name(r, AT(r, begin));
        free(name);
        return 0;
    }
    if (count == 3) {
        char *catalog = rewrite_lower_name(AT(r, parts[0]));
        bool known = strcmp(catalog, "awsdatacatalog") == 0;
        free(catalog);
        if (!known) {
            free(name);
            return athena_fail_at(r->failure, AT(r, begin), "CATALOG_NOT_FOUND",
                                  "Catalog '%.*s' does not exist", (int)AT(r, begin)->length,
                                  AT(r, begin)->text);
        }
    }
    char *database = count > 1 ? rewrite_lower_name(AT(r, parts[count - 2]))
                               : mem_text(r->database ? r->database : "default");
    struct buf view;
    buf_init(&view, VIEW_LIMIT);
    buf_text(&view, database);
    buf_char(&view, '.');
    buf_text(&view, name);
    buf_char(&r->out, ' ');
    rewrite_put_quoted(&r->out, view.data);
    buf_free(&view);
    if (!has_alias(r, at, to)) {
        buf_text(&r->out, " AS ");
        rewrite_put_quoted(&r->out, name);
    }
    return note_table(r, database, name, AT(r, begin));
}

/* ---- relations -------------------------------------------------------------------------------------- */

/* UNNEST(a, b) WITH ORDINALITY AS t(x, y, n): DuckDB's takes one list. One argument keeps DuckDB's form; of
 * several, lists of different length are filled with null, as in Trino. Maps give key and value. */
static int rewrite_unnest(struct rewriter *r, size_t at, size_t to, size_t *next)
{
    size_t open = at + 1, close = AT(r, open)->partner, count = 1;
    for (size_t i = open + 1; i < close; i = rewrite_skip(r, i))
        count += athena_is_op(AT(r, i), ",");
    size_t after = close + 1;
    bool ordinality =
        after + 1 < to && athena_is(AT(r, after), "WITH") && athena_is(AT(r, after + 1), "ORDINALITY");
    after += ordinality ? 2 : 0;
    size_t alias = after + (after < to && athena_is(AT(r, after), "AS"));
    bool named = has_alias(r, after, to) && alias + 1 < to && athena_is_op(AT(r, alias + 1), "(");
    size_t columns = 0;
    if (named)
        for (size_t i = alias + 2; i < AT(r, alias + 1)->partner; i += 2)
            columns++;
    size_t values = columns - (ordinality && columns > 0);
    buf_text(&r->out, " (SELECT ");
    bool rows = named && values > count; /* a map, or rows: they spread over several columns */
    if (rows && count > 1)
        return athena_fail_at(r->failure, AT(r, at), "NOT_SUPPORTED",
                              "UNNEST of several arguments with maps or rows is not emulated locally");
    if (rows) {
        for (size_t i = 0; i < values; i++)
            buf_printf(&r->out, "%sstruct_extract_at(u.e0, %zu)", i ? ", " : "", i + 1);
    } else {
        for (size_t i = 0; i < count; i++)
            buf_printf(&r->out, "%su.e%zu", i ? ", " : "", i);
    }
    if (ordinality)
        buf_text(&r->out, ", u.n");
    /* The position is made here, and not by WITH ORDINALITY, whose order DuckDB does not promise. */
    buf_text(&r->out, " FROM (SELECT ");
    size_t begin = open + 1, number = 0;
    struct buf longest;
    buf_init(&longest, 8u << 20);
    for (size_t i = open + 1; i <= close; i = i == close ? i + 1 : rewrite_skip(r, i)) {
        if (i != close && !athena_is_op(AT(r, i), ","))
            continue;
        buf_text(&r->out, " unnest((");
        size_t argument = r->out.length;
        if (begin == i)
            return buf_free(&longest), rewrite_refuse(r, i);
        if (rewrite_expression(r, begin, i) != 0)
            return buf_free(&longest), -1;
        buf_printf(&longest, "%slen(", number ? ", " : "");
        buf_append(&longest, r->out.data + argument, r->out.length - argument);
        buf_char(&longest, ')');
        buf_printf(&r->out, ")) AS e%zu,", number++);
        begin = i + 1;
    }
    buf_printf(&r->out, " unnest(range(1, 1 + greatest(%s, 0))) AS n) AS u)", longest.data);
    buf_free(&longest);
    *next = after;
    return 0;
}

static int rewrite_relation(struct rewriter *r, size_t at, size_t to, size_t *next)
{
    const struct athena_token *token = AT(r, at);
    if (at >= to)
        return rewrite_refuse(r, at);
    if (athena_is(token, "LATERAL")) {
        buf_text(&r->out, " LATERAL");
        token = AT(r, ++at);
    }
    if (athena_is(token, "UNNEST") && athena_is_op(AT(r, at + 1), "(")) {
        if (rewrite_unnest(r, at, to, &at) != 0)
            return -1;
    } else if (athena_is_op(token, "(")) {
        size_t close = token->partner;
        buf_text(&r->out, " (");
        if (rewrite_is_query(r, at)) {
            if (rewrite_query(r, at + 1, close) != 0)
                return -1;
        } else {
            size_t stop = 0;
            if (rewrite_relations(r, at + 1, close, &stop) != 0)
                return -1;
            if (stop != close)
                return rewrite_refuse(r, stop);
        }
        buf_char(&r->out, ')');
        at = close + 1;
    } else if (athena_is(token, "TABLE") && athena_is_op(AT(r, at + 1), "(")) {
        return athena_fail_at(r->failure, token, "NOT_SUPPORTED", "table functions are not emulated locally");
    } else if (rewrite_table(r, at, to, &at) != 0) {
        return -1;
    }
    if (has_alias(r, at, to)) {
        at += athena_is(AT(r, at), "AS");
        if (at >= to || !athena_is_name(AT(r, at)))
            return rewrite_refuse(r, at);
        buf_text(&r->out, " AS");
        rewrite_name(r, AT(r, at++));
        if (at < to && athena_is_op(AT(r, at), "(")) {
            size_t close = AT(r, at)->partner;
            buf_text(&r->out, " (");
            for (size_t i = at + 1; i < close; i++) {
                if (athena_is_name(AT(r, i)))
                    rewrite_name(r, AT(r, i));
                else if (athena_is_op(AT(r, i), ","))
                    buf_char(&r->out, ',');
                else
                    return rewrite_refuse(r, i);
            }
            buf_char(&r->out, ')');
            at = close + 1;
        }
    }
    if (at < to && athena_is(AT(r, at), "TABLESAMPLE")) {
        const char *method = athena_is(AT(r, at + 1), "BERNOULLI") ? "bernoulli"
                             : athena_is(AT(r, at + 1), "SYSTEM")  ? "system"
                                                                   : NULL;
        if (!method || !athena_is_op(AT(r, at + 2), "(") || AT(r, at + 2)->partner != at + 4)
            return rewrite_refuse(r, at + 1);
        buf_printf(&r->out, " TABLESAMPLE %s(", method);
        rewrite_raw(r, AT(r, at + 3));
        buf_text(&r->out, "%)");
        at += 5;
    }
    *next = at;
    return 0;
}

int rewrite_relations(struct rewriter *r, size_t at, size_t to, size_t *next)
{
    bool outer = false;
    for (size_t i = at; i < to && !rewrite_is_clause(r, i); i = rewrite_skip(r, i))
        outer = outer || athena_is(AT(r, i), "LEFT") || athena_is(AT(r, i), "RIGHT") ||
                athena_is(AT(r, i), "FULL");
    if (rewrite_relation(r, at, to, &at) != 0)
        return -1;
    while (at < to && !rewrite_is_clause(r, at)) {
        const struct athena_token *token = AT(r, at);
        if (athena_is_op(token, ",")) {
            buf_char(&r->out, ',');
            if (rewrite_relation(r, at + 1, to, &at) != 0)
                return -1;
        } else if (athena_is(token, "ON")) {
            size_t end = at + 1;
            while (
                end < to && !rewrite_is_clause(r, end) && !athena_is_op(AT(r, end), ",") &&
                (!rewrite_in_list(AT(r, end), joins) || (end + 1 < to && athena_is_op(AT(r, end + 1), "("))))
                end = rewrite_skip(r, end);
            buf_text(&r->out, " ON");
            bool unchecked = r->unchecked;
            r->unchecked = unchecked || outer;
            if (rewrite_expression(r, at + 1, end) != 0)
                return -1;
            r->unchecked = unchecked;
            at = end;
        } else if (athena_is(token, "USING") && athena_is_op(AT(r, at + 1), "(")) {
            size_t close = AT(r, at + 1)->partner;
            buf_text(&r->out, " USING (");
            for (size_t i = at + 2; i < close; i++)
                if (athena_is_name(AT(r, i)))
                    rewrite_name(r, AT(r, i));
                else
                    rewrite_raw(r, AT(r, i));
            buf_char(&r->out, ')');
            at = close + 1;
        } else if (athena_is(token, "JOIN")) {
            buf_text(&r->out, " JOIN");
            if (rewrite_relation(r, at + 1, to, &at) != 0)
                return -1;
        } else if (rewrite_in_list(token, joins) || athena_is(token, "OUTER")) {
            rewrite_raw(r, token);
            at++;
        } else {
            return rewrite_refuse(r, at);
        }
    }
    *next = at;
    return 0;
}
