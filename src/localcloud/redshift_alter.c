/*
 * ALTER TABLE where the engine's own does not suffice: what is declared of columns and tables (types,
 * encodings, keys) lies in comments and is changed there; and the engine neither adds nor changes the check
 * of a length, so the table is then made anew with the checks that are declared.
 */
#include "localcloud/redshift_table.h"

#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct alter {
    struct redshift_runner *runner;
    const struct redshift_tokens *tokens;
    size_t at;
    struct redshift_table table;
    char last[128];
    struct buf name; /* as the engine knows it, from where it is */
    struct redshift_failure failure;
    bool remade;
};

static void put_comment(struct buf *sql, const char *kind, const char *table, const char *column,
                        const char *comment)
{
    if (!comment)
        return;
    buf_printf(sql, "COMMENT ON %s %s", kind, table);
    if (column) {
        buf_char(sql, '.');
        redshift_put_name(sql, column);
    }
    buf_text(sql, " IS ");
    redshift_put_string(sql, comment);
    buf_text(sql, "; ");
}

static void write_table(const struct redshift_table *table, const char *name, const char *made,
                        struct buf *sql)
{
    buf_printf(sql, "CREATE %sTABLE %s (", table->temporary ? "TEMP " : "", made);
    for (size_t i = 0; i < table->count; i++) {
        const struct redshift_column *column = &table->columns[i];
        buf_text(sql, i ? ", " : "");
        redshift_put_name(sql, column->name);
        buf_char(sql, ' ');
        redshift_type_write_duck(&column->type, sql);
        if (column->fallback)
            buf_printf(sql, " DEFAULT (%s)", column->fallback);
        buf_text(sql, column->not_null ? " NOT NULL" : "");
        if (column->type.kind == RS_VARCHAR || column->type.kind == RS_CHAR) {
            buf_text(sql, " CHECK (strlen(");
            redshift_put_name(sql, column->name);
            buf_printf(sql, ") <= %d)", column->type.length);
        }
    }
    buf_printf(sql, "); INSERT INTO %s SELECT * FROM %s; DROP TABLE %s; ALTER TABLE %s RENAME TO ", made,
               name, name, made);
}

static void put_place(const struct redshift_table *table, struct buf *out)
{
    if (table->temporary)
        buf_text(out, "temp.main");
    else
        redshift_put_name(out, table->schema);
    buf_char(out, '.');
}

static int write_out(struct alter *a, struct redshift_outcome *outcome)
{
    struct buf sql, made;
    buf_init(&sql, 4u << 20);
    buf_init(&made, 2048);
    if (a->remade) {
        put_place(&a->table, &made);
        buf_text(&made, "\"_resized\"");
        write_table(&a->table, a->name.data, made.data, &sql);
        redshift_put_name(&sql, a->last);
        buf_text(&sql, "; ");
    }
    put_comment(&sql, "TABLE", a->name.data, NULL, a->table.comment);
    for (size_t i = 0; i < a->table.count; i++)
        put_comment(&sql, "COLUMN", a->name.data, a->table.columns[i].name, a->table.columns[i].comment);
    int result = redshift_engine(a->runner, sql.data, outcome);
    buf_free(&sql);
    buf_free(&made);
    return result;
}

/* ---- what is declared ------------------------------------------------------------------------------- */

/* Sets a member of a declaration; the value's reference is taken. */
static void declare(char **comment, const char *member, json_t *value)
{
    json_t *json = *comment ? json_loads(*comment, 0, NULL) : NULL;
    if (!json_is_object(json)) {
        json_decref(json);
        json = json_object();
    }
    json_object_set_new(json, member, value);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    free(*comment);
    *comment = text;
    json_decref(json);
}

static const struct redshift_token *here(const struct alter *a)
{
    return &a->tokens->list[a->at];
}

static int unexpected(struct alter *a)
{
    return redshift_fail_at(a->tokens, a->at, &a->failure);
}

static bool take(struct alter *a, const char *word)
{
    return redshift_take(a->tokens, &a->at, word);
}

/* A name of a column; NULL with the failure set. */
static struct redshift_column *column_here(struct alter *a)
{
    for (size_t i = 0; redshift_is_name(here(a)) && i < a->table.count; i++)
        if (strcmp(a->table.columns[i].name, here(a)->value) == 0) {
            a->at++;
            return &a->table.columns[i];
        }
    if (redshift_is_name(here(a)))
        redshift_fail(&a->failure, "column \"%.127s\" of relation \"%s\" does not exist", here(a)->value,
                      a->last);
    else
        unexpected(a);
    return NULL;
}

static int sort_key(struct alter *a)
{
    for (size_t i = 0; i < a->table.count; i++)
        declare(&a->table.columns[i].comment, "sortkey", json_integer(0));
    int count = 0;
    json_t *first = json_string("AUTO(SORTKEY)");
    bool automatic = take(a, "auto") || take(a, "none");
    bool open = redshift_take_op(a->tokens, &a->at, "(");
    while (!automatic && open) {
        struct redshift_column *column = column_here(a);
        if (!column) {
            json_decref(first);
            return -1;
        }
        declare(&column->comment, "sortkey", json_integer(++count));
        if (count == 1)
            json_string_set(first, column->name);
        if (!redshift_take_op(a->tokens, &a->at, ","))
            break;
    }
    declare(&a->table.comment, "sortkey1", first);
    declare(&a->table.comment, "sortkeys", json_integer(count));
    return automatic || (open && redshift_take_op(a->tokens, &a->at, ")")) ? 0 : unexpected(a);
}

static int dist_key(struct alter *a)
{
    char style[140];
    bool open = redshift_take_op(a->tokens, &a->at, "(");
    struct redshift_column *column = column_here(a);
    if (!column || (open && !redshift_take_op(a->tokens, &a->at, ")")))
        return column ? unexpected(a) : -1;
    for (size_t i = 0; i < a->table.count; i++)
        declare(&a->table.columns[i].comment, "distkey", json_boolean(&a->table.columns[i] == column));
    snprintf(style, sizeof style, "KEY(%s)", column->name);
    declare(&a->table.comment, "diststyle", json_string(style));
    return 0;
}

static int dist_style(struct alter *a)
{
    static const char *const styles[][2] = {{"auto", "AUTO(ALL)"}, {"even", "EVEN"}, {"all", "ALL"}};
    if (take(a, "key"))
        return take(a, "distkey") ? dist_key(a) : unexpected(a);
    for (size_t i = 0; i < 3; i++)
        if (take(a, styles[i][0])) {
            for (size_t k = 0; k < a->table.count; k++)
                declare(&a->table.columns[k].comment, "distkey", json_false());
            declare(&a->table.comment, "diststyle", json_string(styles[i][1]));
            return 0;
        }
    return unexpected(a);
}

/* ALTER [COLUMN] c ENCODE x | TYPE varchar(n) */
static int alter_column(struct alter *a)
{
    take(a, "column");
    struct redshift_column *column = column_here(a);
    if (!column)
        return -1;
    if (take(a, "encode")) {
        if (!redshift_is_name(here(a)))
            return unexpected(a);
        declare(&column->comment, "encode", json_string(here(a)->value));
        a->at++;
        return 0;
    }
    struct redshift_type type;
    if (!take(a, "type"))
        return unexpected(a);
    if (redshift_type_parse(a->tokens, &a->at, &type, &a->failure) != 0)
        return -1;
    if (type.kind != RS_VARCHAR || column->type.kind != RS_VARCHAR)
        return redshift_fail(&a->failure, "ALTER COLUMN TYPE is only supported for VARCHAR columns");
    struct buf text;
    buf_init(&text, 128);
    redshift_type_write(&type, &text);
    declare(&column->comment, "type", json_string(text.data));
    declare(&column->comment, "name", json_string(redshift_type_name(type.kind)));
    declare(&column->comment, "kind", json_integer(type.kind));
    declare(&column->comment, "length", json_integer(type.length));
    buf_free(&text);
    column->type = type;
    a->remade = true;
    return 0;
}

static int change(struct alter *a)
{
    if (take(a, "add")) { /* the engine has done it, but for the check */
        a->remade = true;
        return 0;
    }
    take(a, "alter");
    int result;
    if (take(a, "diststyle"))
        result = dist_style(a);
    else if (take(a, "distkey"))
        result = dist_key(a);
    else if (redshift_is(here(a), "sortkey") || redshift_is(here(a), "compound") ||
             redshift_is(here(a), "interleaved"))
        result = (take(a, "compound") || take(a, "interleaved") || true) && take(a, "sortkey")
                     ? sort_key(a)
                     : unexpected(a);
    else if (take(a, "encode"))
        return take(a, "auto") ? 0 : unexpected(a);
    else
        result = alter_column(a);
    return result == 0 && here(a)->kind != RS_END ? unexpected(a) : result;
}

int redshift_table_alter(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                         struct redshift_outcome *outcome)
{
    struct alter a = {.runner = runner, .tokens = tokens, .at = 2};
    char schema[128];
    if (!redshift_is(&tokens->list[0], "alter") || !redshift_is(&tokens->list[1], "table"))
        return 0;
    buf_init(&a.name, 1024);
    int result = redshift_rewrite_table(tokens, &a.at, &runner->scope, &a.name, schema, a.last, &a.failure);
    if (result != 0)
        redshift_outcome_fail(outcome, "%s", a.failure.text);
    bool ours = redshift_is(here(&a), "alter") || redshift_is(here(&a), "add");
    if (result == 0 && ours &&
        (result = redshift_table_read(runner, schema, a.last, &a.table, outcome)) == 0) {
        buf_reset(&a.name);
        if (a.table.count > 0) {
            put_place(&a.table, &a.name);
            redshift_put_name(&a.name, a.last);
            result = change(&a);
        } else {
            result = redshift_fail(&a.failure, "relation \"%s\" does not exist", a.last);
        }
        result = result == 0 ? write_out(&a, outcome) : redshift_outcome_fail(outcome, "%s", a.failure.text);
        redshift_table_free(&a.table);
    }
    buf_free(&a.name);
    return result;
}
