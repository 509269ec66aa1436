#include "localcloud/redshift_table.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char columns_of[] =
    "SELECT column_name, coalesce(CAST(j->>'kind' AS INTEGER), _redshift.rs_kind(data_type)), "
    "coalesce(CAST(j->>'length' AS INTEGER), 65535), coalesce(numeric_precision, 18), "
    "coalesce(numeric_scale, 0), is_nullable, coalesce(j->>'identity' = 'true', false), j->>'encode', "
    "coalesce(j->>'distkey' = 'true', false), coalesce(CAST(j->>'sortkey' AS INTEGER), 0), column_default, "
    "comment, schema_name, database_name = 'temp', (SELECT t.comment FROM duckdb_tables() t WHERE "
    "t.table_oid = c.table_oid "
    "AND t.database_oid = c.database_oid AND t.table_name = c.table_name) "
    "FROM (SELECT *, try_cast(comment AS JSON) AS j, rank() OVER (ORDER BY database_name <> 'temp', "
    "coalesce(list_position(current_schemas(false), schema_name), 1000), schema_name) AS place FROM "
    "duckdb_columns() WHERE table_name = $1 AND NOT internal AND database_name IN ('temp', 'warehouse') AND "
    "schema_name <> '_redshift' AND CASE WHEN $2 = '' THEN database_name = 'temp' OR "
    "list_contains(current_schemas(false), schema_name) ELSE schema_name = $2 AND database_name <> 'temp' "
    "END) c WHERE place = 1 ORDER BY column_index";

/* NULL for null. */
static char *text_at(struct duck_statement *row, size_t column)
{
    size_t length;
    struct duck_value value = duck_column(row, column);
    if (duck_is_null(value))
        return NULL;
    const char *text = duck_text(value, &length);
    char *copy = mem_alloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static void read_column(struct duck_statement *row, struct redshift_column *column)
{
    int64_t kind = duck_int(duck_column(row, 1));
    column->name = text_at(row, 0);
    column->type =
        (struct redshift_type){.kind = kind >= 0 && kind < RS_KINDS ? (enum redshift_kind)kind : RS_VARCHAR,
                               .length = (int)duck_int(duck_column(row, 2)),
                               .precision = (int)duck_int(duck_column(row, 3)),
                               .scale = (int)duck_int(duck_column(row, 4))};
    column->not_null = duck_int(duck_column(row, 5)) == 0;
    column->identity = duck_int(duck_column(row, 6)) != 0;
    column->encode = text_at(row, 7);
    column->distkey = duck_int(duck_column(row, 8)) != 0;
    column->sortkey = (int)duck_int(duck_column(row, 9));
    column->fallback = text_at(row, 10);
    column->comment = text_at(row, 11);
}

int redshift_table_read(struct redshift_runner *runner, const char *schema, const char *name,
                        struct redshift_table *table, struct redshift_outcome *outcome)
{
    struct err err = ERR_INIT;
    *table = (struct redshift_table){0};
    struct duck_statement *row = duck_prepare(runner->connection, columns_of, &err);
    if (row) {
        duck_bind_text(row, 1, name, strlen(name));
        duck_bind_text(row, 2, schema, strlen(schema));
    }
    int step = row ? 0 : -1;
    table->columns = mem_zero(REDSHIFT_COLUMNS_MAX, sizeof *table->columns);
    while (step >= 0 && (step = duck_step(row, &err)) == 1 && table->count < REDSHIFT_COLUMNS_MAX) {
        if (table->count == 0) {
            table->schema = text_at(row, 12);
            table->temporary = duck_int(duck_column(row, 13)) != 0;
            table->comment = text_at(row, 14);
        }
        read_column(row, &table->columns[table->count++]);
    }
    duck_finalize(row);
    return step < 0 ? redshift_outcome_fail(outcome, "%s", err.text) : 0;
}

void redshift_table_free(struct redshift_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->columns[i].name);
        free(table->columns[i].encode);
        free(table->columns[i].fallback);
        free(table->columns[i].comment);
    }
    free(table->schema);
    free(table->comment);
    free(table->columns);
    *table = (struct redshift_table){0};
}

int redshift_table_exists(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                          struct redshift_outcome *outcome)
{
    char schema[128], name[128];
    struct redshift_failure failure;
    struct redshift_table table;
    struct buf ignored;
    size_t at = 1;
    if (!redshift_is(&tokens->list[0], "create"))
        return 0;
    redshift_take(tokens, &at, "local");
    if (!redshift_take(tokens, &at, "temp"))
        redshift_take(tokens, &at, "temporary");
    if (!redshift_take(tokens, &at, "table") || !redshift_take(tokens, &at, "if") ||
        !redshift_take(tokens, &at, "not") || !redshift_take(tokens, &at, "exists"))
        return 0;
    buf_init(&ignored, 1024);
    int result = redshift_rewrite_table(tokens, &at, &runner->scope, &ignored, schema, name, &failure);
    buf_free(&ignored);
    if (result != 0)
        return redshift_outcome_fail(outcome, "%s", failure.text);
    if (redshift_table_read(runner, schema, name, &table, outcome) != 0)
        return -1;
    result = table.count > 0;
    redshift_table_free(&table);
    return result;
}

/* ---- LIKE ------------------------------------------------------------------------------------------- */

/* Names, types, NOT NULL, encodings and keys are inherited; IDENTITY and keys of integrity are not. */
static void write_columns(const struct redshift_table *table, struct buf *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct redshift_column *column = &table->columns[i];
        buf_text(out, i ? ", " : "");
        redshift_put_name(out, column->name);
        buf_char(out, ' ');
        redshift_type_write(&column->type, out);
        if (column->not_null)
            buf_text(out, " not null");
        if (column->encode)
            buf_printf(out, " encode %s", column->encode);
        if (column->distkey)
            buf_text(out, " distkey");
    }
}

static void write_sort_key(const struct redshift_table *table, struct buf *out)
{
    int key = 0;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < table->count; i++)
            if (table->columns[i].sortkey == key + 1) {
                buf_text(out, key ? ", " : " sortkey (");
                redshift_put_name(out, table->columns[i].name);
                more = true;
            }
        key += more;
    }
    if (key)
        buf_char(out, ')');
}

int redshift_table_expand_like(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                               struct buf *sql, struct redshift_outcome *outcome)
{
    const struct redshift_token *list = tokens->list;
    char schema[128], name[128];
    struct redshift_failure failure;
    struct redshift_table table;
    struct buf ignored;
    size_t open = 0;
    while (open < tokens->count && !redshift_is_op(&list[open], "("))
        open++;
    if (!redshift_is(&list[0], "create") || open + 2 >= tokens->count ||
        !redshift_is(&list[open + 1], "like"))
        return 0;
    size_t at = open + 2;
    buf_init(&ignored, 1024);
    int result = redshift_rewrite_table(tokens, &at, &runner->scope, &ignored, schema, name, &failure);
    buf_free(&ignored);
    if (result == 0 && (redshift_take(tokens, &at, "including") || redshift_take(tokens, &at, "excluding")) &&
        !redshift_take(tokens, &at, "defaults"))
        result = redshift_fail_at(tokens, at, &failure);
    if (result == 0 && (at != list[open].partner || at + 1 != tokens->count))
        result = redshift_fail_at(tokens, at + (at == list[open].partner), &failure);
    if (result != 0)
        return redshift_outcome_fail(outcome, "%s", failure.text);
    if (redshift_table_read(runner, schema, name, &table, outcome) != 0)
        return -1;
    if (table.count == 0) {
        redshift_table_free(&table);
        return redshift_outcome_fail(outcome, "relation \"%s\" does not exist", name);
    }
    buf_append(sql, list[0].text, (size_t)(list[open].text - list[0].text));
    buf_char(sql, '(');
    write_columns(&table, sql);
    buf_char(sql, ')');
    write_sort_key(&table, sql);
    redshift_table_free(&table);
    return sql->overflow ? redshift_outcome_fail(outcome, "the table is too wide") : 1;
}
