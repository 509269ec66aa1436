#include "localcloud/athena_bound.h"

#include "localcloud/athena_engine.h"
#include "localcloud/athena_hive.h"
#include "localcloud/athena_value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SQL_LIMIT (16u << 20)

void athena_bound_free(struct athena_bound *bound)
{
    duck_finalize(bound->statement);
    athena_query_free(&bound->query);
    buf_free(&bound->from);
}

int athena_bound_open(struct athena_task *task, struct athena_bound *bound)
{
    const struct athena_statement *s = task->statement;
    *bound = (struct athena_bound){0};
    if (athena_task_query(task, s->query_from, s->query_to, &bound->query) != 0)
        return -1;
    buf_init(&bound->from, SQL_LIMIT);
    bound->statement =
        athena_prepare(task->run->connection, &bound->query, task->execution->text, task->failure);
    if (!bound->statement) {
        athena_bound_free(bound);
        return -1;
    }
    bound->count = duck_column_count(bound->statement);
    buf_printf(&bound->from, "(");
    buf_text(&bound->from, bound->query.sql);
    buf_text(&bound->from, ") AS q(");
    for (size_t i = 0; i < bound->count; i++)
        buf_printf(&bound->from, i ? ", x%zu" : "x%zu", i);
    buf_char(&bound->from, ')');
    return 0;
}

bool athena_bound_untyped(struct athena_task *task, const struct athena_bound *bound, size_t column)
{
    struct buf sql;
    struct err err = ERR_INIT;
    size_t length = 0;
    const char *type = "";
    if (duck_column_type(bound->statement, column)->kind == DUCK_SQLNULL)
        return true;
    if (duck_column_type(bound->statement, column)->kind != DUCK_INTEGER)
        return false;
    buf_init(&sql, SQL_LIMIT);
    buf_printf(&sql, "SELECT athena_typeof((SELECT x%zu FROM ", column);
    buf_append(&sql, bound->from.data, bound->from.length);
    buf_text(&sql, " WHERE false))");
    struct duck_statement *statement =
        sql.overflow ? NULL : duck_prepare(task->run->connection, sql.data, &err);
    if (statement && duck_step(statement, &err) == 1)
        type = duck_text(duck_column(statement, 0), &length);
    bool untyped = length == 7 && memcmp(type, "unknown", 7) == 0;
    duck_finalize(statement);
    buf_free(&sql);
    return untyped;
}

/* The name of a column in lower case; false when it has none or one that is there already. */
static int column_name(struct athena_task *task, const struct athena_bound *bound, size_t column,
                       const json_t *before, char *name, size_t size)
{
    char none[32];
    athena_column_name(bound->statement, column, name, size);
    for (char *at = name; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    snprintf(none, sizeof none, "_col%zu", column);
    if (strcmp(name, none) == 0)
        return athena_fail(task->failure, "MISSING_COLUMN_NAME",
                           "line 1:1: Column name not specified at position %zu", column + 1);
    for (size_t i = 0; i < json_array_size(before); i++)
        if (strcmp(athena_member(json_array_get(before, i), "Name"), name) == 0)
            return athena_fail(task->failure, "DUPLICATE_COLUMN_NAME",
                               "line 1:1: Column name '%.200s' specified more than once", name);
    return 0;
}

json_t *athena_bound_columns(struct athena_task *task, const struct athena_bound *bound)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < bound->count; i++) {
        const struct duck_type *type = duck_column_type(bound->statement, i);
        char name[256];
        struct buf hive, shown;
        buf_init(&hive, 65536);
        buf_init(&shown, 65536);
        int result = column_name(task, bound, i, columns, name, sizeof name);
        bool untyped = result == 0 && athena_bound_untyped(task, bound, i);
        if (result == 0 && (untyped || !athena_hive_type(&hive, type))) {
            athena_type_write(&shown, type);
            result = untyped ? athena_fail(task->failure, "COLUMN_TYPE_UNKNOWN",
                                           "line 1:1: Column type is unknown at position %zu", i + 1)
                             : athena_fail(task->failure, "NOT_SUPPORTED", "Unsupported Hive type: %.200s",
                                           shown.data);
        }
        if (result == 0)
            json_array_append_new(columns, json_pack("{s:s,s:s}", "Name", name, "Type", hive.data));
        buf_free(&hive);
        buf_free(&shown);
        if (result != 0) {
            json_decref(columns);
            return NULL;
        }
    }
    return columns;
}

void athena_bound_item(struct buf *sql, const char *expression, const char *hive, const char *name)
{
    buf_printf(sql, "%s CAST(%s AS ", sql->length > 6 ? "," : "", expression);
    (void)athena_hive_engine(sql, hive);
    buf_text(sql, ") AS ");
    athena_quote(sql, name, '"');
}

void athena_bound_select(struct buf *sql, const struct athena_bound *bound, const json_t *columns)
{
    buf_text(sql, "SELECT");
    for (size_t i = 0; i < bound->count; i++) {
        const json_t *column = json_array_get(columns, i);
        char expression[32];
        snprintf(expression, sizeof expression, "x%zu", i);
        athena_bound_item(sql, expression, athena_member(column, "Type"), athena_member(column, "Name"));
    }
    buf_text(sql, " FROM ");
    buf_append(sql, bound->from.data, bound->from.length);
}
