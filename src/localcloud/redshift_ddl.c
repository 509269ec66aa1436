#include "localcloud/redshift_ddl_private.h"

#include "base/err.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int rs_ddl_unexpected(struct rs_ddl *d)
{
    return redshift_fail_at(d->tokens, d->at, d->failure);
}

bool rs_ddl_take(struct rs_ddl *d, const char *word)
{
    return redshift_take(d->tokens, &d->at, word);
}

bool rs_ddl_take_op(struct rs_ddl *d, const char *text)
{
    return redshift_take_op(d->tokens, &d->at, text);
}

/* Behind a parenthesis, or the next token. */
void rs_ddl_skip(struct rs_ddl *d)
{
    d->at = redshift_is_op(HERE(d), "(") ? HERE(d)->partner + 1 : d->at + (HERE(d)->kind != RS_END);
}

bool rs_ddl_if_exists(struct rs_ddl *d, bool not )
{
    size_t at = d->at;
    if (rs_ddl_take(d, "if") && (!not || rs_ddl_take(d, "not")) && rs_ddl_take(d, "exists"))
        return true;
    d->at = at;
    return false;
}

int rs_ddl_table_name(struct rs_ddl *d, struct buf *out, char last[128])
{
    return redshift_rewrite_table(d->tokens, &d->at, d->scope, out, NULL, last, d->failure);
}

static int create(struct rs_ddl *d)
{
    bool replace = rs_ddl_take(d, "or") && rs_ddl_take(d, "replace");
    rs_ddl_take(d, "local");
    bool temporary = rs_ddl_take(d, "temporary") || rs_ddl_take(d, "temp");
    if (rs_ddl_take(d, "table"))
        return rs_ddl_create_table(d, temporary);
    if (rs_ddl_take(d, "view")) {
        buf_printf(d->out, "CREATE %sVIEW ", replace ? "OR REPLACE " : "");
        if (rs_ddl_table_name(d, d->out, NULL) != 0)
            return -1;
        if (redshift_is_op(HERE(d), "(")) {
            size_t close = HERE(d)->partner;
            if (redshift_rewrite(d->tokens, d->at, close + 1, d->scope, false, d->out, d->failure) != 0)
                return -1;
            d->at = close + 1;
        }
        if (!rs_ddl_take(d, "as"))
            return rs_ddl_unexpected(d);
        size_t to = d->tokens->count;
        if (to > d->at + 4 && redshift_is(&d->tokens->list[to - 1], "binding") &&
            redshift_is(&d->tokens->list[to - 4], "with"))
            to -= 4; /* WITH NO SCHEMA BINDING */
        buf_text(d->out, " AS ");
        return redshift_rewrite(d->tokens, d->at, to, d->scope, true, d->out, d->failure);
    }
    if (rs_ddl_take(d, "schema")) {
        bool maybe = rs_ddl_if_exists(d, true);
        if (!redshift_is_name(HERE(d)) || redshift_is(HERE(d), "main"))
            return rs_ddl_unexpected(d);
        buf_printf(d->out, "CREATE SCHEMA %s", maybe ? "IF NOT EXISTS " : "");
        return rs_ddl_table_name(d, d->out, NULL);
    }
    if (rs_ddl_take(d, "user") || rs_ddl_take(d, "group") || rs_ddl_take(d, "role"))
        return 0;
    return redshift_fail(d->failure, "CREATE %.40s is not emulated locally",
                         HERE(d)->value ? HERE(d)->value : "");
}

int redshift_ddl_write_into(const struct redshift_tokens *tokens, const struct redshift_scope *scope,
                            size_t into, struct buf *out, struct buf *table, struct redshift_failure *failure)
{
    size_t at = into + 1;
    bool temporary = redshift_take(tokens, &at, "temporary") || redshift_take(tokens, &at, "temp");
    redshift_take(tokens, &at, "table");
    char last[128];
    if (redshift_rewrite_table(tokens, &at, scope, table, NULL, last, failure) != 0)
        return -1;
    buf_printf(out, "CREATE %sTABLE %s AS ", temporary || last[0] == '#' ? "TEMP " : "", table->data);
    if (redshift_rewrite(tokens, 0, into, scope, true, out, failure) != 0)
        return -1;
    buf_char(out, ' ');
    return redshift_rewrite(tokens, at, tokens->count, scope, false, out, failure);
}

bool redshift_ddl_select_into(const struct redshift_tokens *tokens, size_t *into)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (redshift_is_op(&tokens->list[i], "("))
            i = tokens->list[i].partner;
        else if (redshift_is(&tokens->list[i], "into")) {
            *into = i;
            return true;
        }
    }
    return false;
}

/* ---- ALTER, DROP, TRUNCATE -------------------------------------------------------------------------- */

static int drop(struct rs_ddl *d)
{
    static const char *const kinds[][2] = {{"table", "TABLE"}, {"view", "VIEW"}, {"schema", "SCHEMA"}};
    const char *kind = NULL;
    for (size_t i = 0; i < 3 && !kind; i++)
        if (rs_ddl_take(d, kinds[i][0]))
            kind = kinds[i][1];
    if (!kind && (rs_ddl_take(d, "user") || rs_ddl_take(d, "group") || rs_ddl_take(d, "role")))
        return 0;
    if (!kind)
        return redshift_fail(d->failure, "DROP %.40s is not emulated locally",
                             HERE(d)->value ? HERE(d)->value : "");
    bool maybe = rs_ddl_if_exists(d, false);
    bool cascade = redshift_is(&d->tokens->list[d->tokens->count - 1], "cascade");
    do {
        buf_printf(d->out, "%sDROP %s %s", d->out->length > 0 ? "; " : "", kind, maybe ? "IF EXISTS " : "");
        if (rs_ddl_table_name(d, d->out, NULL) != 0)
            return -1;
        if (cascade)
            buf_text(d->out, " CASCADE");
    } while (rs_ddl_take_op(d, ","));
    if (!rs_ddl_take(d, "cascade"))
        rs_ddl_take(d, "restrict");
    return HERE(d)->kind == RS_END ? 0 : rs_ddl_unexpected(d);
}

static int add_column(struct rs_ddl *d)
{
    struct rs_column column = {0};
    struct buf line;
    rs_ddl_take(d, "column");
    if (rs_ddl_constraint(d))
        return 0;
    buf_init(&line, 65536);
    d->count = 1;
    int result = rs_ddl_column(d, &column, &line);
    char *check = line.data ? strstr(line.data, " CHECK (") : NULL;
    if (check)
        *check = '\0'; /* the engine adds no column with a constraint */
    char *null = line.data ? strstr(line.data, " NOT NULL") : NULL;
    if (null)
        *null = '\0';
    if (result == 0) {
        buf_printf(d->out, "ALTER TABLE %s ADD COLUMN %s", d->name.data, line.data);
        if (column.not_null && !column.identity) {
            buf_printf(d->out, "; ALTER TABLE %s ALTER COLUMN ", d->name.data);
            redshift_put_name(d->out, column.name);
            buf_text(d->out, " SET NOT NULL");
        }
        rs_ddl_declare_column(d, d->out, &column);
    }
    d->count = 0;
    buf_free(&line);
    return result;
}

static int alter(struct rs_ddl *d)
{
    if (!rs_ddl_take(d, "table"))
        return redshift_is(HERE(d), "user") || redshift_is(HERE(d), "schema") || redshift_is(HERE(d), "group")
                   ? 0
                   : redshift_fail(d->failure, "ALTER %.40s is not emulated locally",
                                   HERE(d)->value ? HERE(d)->value : "");
    if (rs_ddl_table_name(d, &d->name, NULL) != 0)
        return -1;
    if (rs_ddl_take(d, "add"))
        return add_column(d);
    if (rs_ddl_take(d, "drop")) {
        if (rs_ddl_take(d, "constraint"))
            return 0;
        rs_ddl_take(d, "column");
        if (!redshift_is_name(HERE(d)))
            return rs_ddl_unexpected(d);
        buf_printf(d->out, "ALTER TABLE %s DROP COLUMN ", d->name.data);
        redshift_put_name(d->out, HERE(d)->value);
        return 0;
    }
    if (rs_ddl_take(d, "rename")) {
        bool column = rs_ddl_take(d, "column");
        const char *from = column && redshift_is_name(HERE(d)) ? HERE(d)->value : NULL;
        if (column && !from)
            return rs_ddl_unexpected(d);
        d->at += column;
        if (!rs_ddl_take(d, "to") || !redshift_is_name(HERE(d)))
            return rs_ddl_unexpected(d);
        buf_printf(d->out, "ALTER TABLE %s RENAME ", d->name.data);
        if (from)
            redshift_put_name(d->out, from);
        buf_text(d->out, " TO ");
        redshift_put_name(d->out, HERE(d)->value);
        return 0;
    }
    if (rs_ddl_take(d, "alter")) /* redshift_alter.c, which knows what is declared */
        return 0;
    if (rs_ddl_take(d, "owner") || rs_ddl_take(d, "row"))
        return 0;
    return rs_ddl_unexpected(d);
}

int redshift_ddl(const struct redshift_tokens *tokens, const struct redshift_scope *scope, uint64_t unique,
                 struct buf *out, struct buf *table, struct redshift_failure *failure)
{
    struct rs_ddl d = {
        .tokens = tokens, .scope = scope, .unique = unique, .out = out, .table = table, .failure = failure};
    buf_init(&d.name, 1024);
    buf_init(&d.lines, 1u << 20);
    int result;
    if (rs_ddl_take(&d, "create")) {
        result = create(&d);
    } else if (rs_ddl_take(&d, "drop")) {
        result = drop(&d);
    } else if (rs_ddl_take(&d, "alter")) {
        result = alter(&d);
    } else { /* TRUNCATE */
        d.at++;
        rs_ddl_take(&d, "table");
        buf_text(out, "DELETE FROM ");
        result = rs_ddl_table_name(&d, out, NULL);
        if (result == 0 && HERE(&d)->kind != RS_END)
            result = rs_ddl_unexpected(&d);
    }
    free(d.columns);
    buf_free(&d.name);
    buf_free(&d.lines);
    return result == 0 && out->overflow ? redshift_fail(failure, "the statement is too complex") : result;
}
