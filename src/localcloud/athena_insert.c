/* INSERT INTO: rows of a query as new objects of a table that is there. */
#include "localcloud/athena_bound.h"
#include "localcloud/athena_output.h"

#include "base/text.h"
#include "localcloud/athena_engine.h"
#include "localcloud/athena_hive.h"
#include "localcloud/athena_value.h"
#include "localcloud/athena_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQL_LIMIT (16u << 20)

/* Types in a message: [varchar, bigint]. */
static void put_types(struct buf *out, const struct duck_statement *statement, const size_t *which,
                      size_t count)
{
    buf_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        buf_text(out, i ? ", " : "");
        athena_type_write(out, duck_column_type(statement, which ? which[i] : i));
    }
    buf_char(out, ']');
}

/* Which column of the table each column of the query goes to. 0 or -1. */
static int targets(struct athena_task *task, const json_t *all, size_t *target, size_t *count)
{
    const json_t *named = task->statement->columns;
    *count = named ? json_array_size(named) : json_array_size(all);
    for (size_t i = 0; i < *count; i++) {
        target[i] = i;
        if (!named)
            continue;
        const char *name = json_string_value(json_array_get(named, i));
        size_t at = 0;
        while (at < json_array_size(all) && strcmp(athena_member(json_array_get(all, at), "Name"), name) != 0)
            at++;
        if (at == json_array_size(all))
            return athena_fail(task->failure, "COLUMN_NOT_FOUND",
                               "line 1:1: Insert column name does not exist in target table: %.200s", name);
        for (size_t j = 0; j < i; j++)
            if (target[j] == at)
                return athena_fail(task->failure, "DUPLICATE_COLUMN_NAME",
                                   "line 1:1: Insert column name is specified more than once: %.200s", name);
        target[i] = at;
    }
    return 0;
}

/* Compares the types of the query with those of the table, which is there as a view. */
static int check_types(struct athena_task *task, const struct athena_bound *bound, const json_t *all,
                       const size_t *target, size_t count)
{
    struct buf sql;
    struct err err = ERR_INIT;
    buf_init(&sql, SQL_LIMIT);
    buf_text(&sql, "SELECT");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *column = json_array_get(all, i);
        struct buf type;
        buf_init(&type, 65536);
        bool known = athena_hive_engine(&type, athena_member(column, "Type"));
        buf_free(&type);
        if (!known) {
            buf_free(&sql);
            return athena_fail(task->failure, "HIVE_INVALID_METADATA", "column %.100s has the type %.100s",
                               athena_member(column, "Name"), athena_member(column, "Type"));
        }
        athena_bound_item(&sql, "NULL", athena_member(column, "Type"), athena_member(column, "Name"));
    }
    struct duck_statement *table = duck_prepare(task->run->connection, sql.data, &err);
    int result = table ? 0 : -1;
    if (!table)
        athena_failure_of(task->run->connection, task->execution->text, task->failure);
    bool matches = table && bound->count == count;
    for (size_t i = 0; i < count && matches; i++)
        matches =
            athena_hive_stores(duck_column_type(bound->statement, i), duck_column_type(table, target[i])) ||
            athena_bound_untyped(task, bound, i);
    if (result == 0 && !matches) {
        struct buf text;
        buf_init(&text, 4000);
        buf_text(&text, "Table: ");
        put_types(&text, table, target, count);
        buf_text(&text, ", Query: ");
        put_types(&text, bound->statement, NULL, bound->count);
        result = athena_fail(task->failure, "TYPE_MISMATCH",
                             "line 1:1: Insert query has mismatched column types: %.300s",
                             text.data ? text.data : "");
        buf_free(&text);
    }
    duck_finalize(table);
    buf_free(&sql);
    return result;
}

static int insert_format(struct athena_task *task, const json_t *table, struct athena_output *output)
{
    const json_t *storage = json_object_get(table, "StorageDescriptor");
    const json_t *serde = json_object_get(storage, "SerdeInfo"),
                 *parameters = json_object_get(table, "Parameters");
    const char *library = athena_member(serde, "SerializationLibrary");
    const char *word = strstr(library, "Parquet")                                     ? "PARQUET"
                       : strstr(library, "JsonSerDe") || strstr(library, "JsonSerde") ? "JSON"
                       : strstr(library, "LazySimpleSerDe")                           ? "TEXTFILE"
                                                                                      : NULL;
    const char *compression = athena_write_option(parameters, "parquet.compression");
    if (!compression)
        compression = athena_write_option(parameters, "write.compression");
    const char *delimiter = athena_member(json_object_get(serde, "Parameters"), "field.delim");
    output->delimiter = *delimiter ? delimiter : "\001";
    if (!word)
        return athena_fail(task->failure, "NOT_SUPPORTED",
                           "INSERT into tables of %.200s is not emulated locally", library);
    return athena_write_format(task, word, compression ? compression : "gzip", output);
}

int athena_insert_run(struct athena_task *task)
{
    const struct athena_statement *s = task->statement;
    const char *database = athena_task_database(task);
    struct err err = ERR_INIT;
    json_t *table = NULL;
    struct athena_output output = {0};
    struct athena_written written = {0};
    struct athena_bound bound;
    struct buf location, sql;
    enum catalogue_status status =
        catalogue_table_get(athena_task_catalogue(task), database, s->name, &table, &err);
    if (status != CATALOGUE_OK)
        return status == CATALOGUE_NO_DATABASE
                   ? athena_fail(task->failure, "SCHEMA_NOT_FOUND",
                                 "line 1:1: Schema '%.200s' does not exist", database)
                   : athena_fail(task->failure, "TABLE_NOT_FOUND",
                                 "line 1:1: Table 'awsdatacatalog.%.128s.%.128s' does not exist", database,
                                 s->name);
    int result = athena_view_is(table) ? athena_fail(task->failure, "NOT_SUPPORTED",
                                                     "line 1:1: Inserting into views is not supported")
                                       : insert_format(task, table, &output);
    if (result != 0 || athena_bound_open(task, &bound) != 0) {
        json_decref(table);
        return -1;
    }
    const json_t *storage = json_object_get(table, "StorageDescriptor");
    json_t *all = json_array(), *keys = json_object_get(table, "PartitionKeys");
    json_array_extend(all, json_object_get(storage, "Columns"));
    json_array_extend(all, keys);
    buf_init(&location, 2048);
    buf_init(&sql, SQL_LIMIT);
    athena_location_join(&location, athena_member(storage, "Location"), "");
    size_t *target = mem_zero(json_array_size(all) + json_array_size(s->columns) + 1, sizeof *target), count;
    result = targets(task, all, target, &count);
    if (result == 0)
        result = check_types(task, &bound, all, target, count);
    if (result == 0) {
        buf_text(&sql, "SELECT");
        for (size_t i = 0; i < json_array_size(all); i++) {
            const json_t *column = json_array_get(all, i);
            char expression[32] = "NULL";
            for (size_t j = 0; j < count; j++)
                if (target[j] == i)
                    snprintf(expression, sizeof expression, "x%zu", j);
            athena_bound_item(&sql, expression, athena_member(column, "Type"), athena_member(column, "Name"));
        }
        buf_text(&sql, " FROM ");
        buf_append(&sql, bound.from.data, bound.from.length);
        output.location = location.data;
        output.sql = sql.data;
        output.columns = json_object_get(storage, "Columns");
        output.keys = keys;
        result = sql.overflow
                     ? athena_fail(task->failure, "QUERY_TEXT_TOO_LARGE", "the query becomes too long")
                     : athena_output_write(task, &output, &written);
    }
    if (result == 0)
        result = athena_write_partitions(task, database, s->name, storage, &written);
    if (result == 0)
        result = athena_write_finish(task, &written);
    athena_written_free(&written);
    free(target);
    json_decref(all);
    json_decref(table);
    athena_bound_free(&bound);
    buf_free(&location);
    buf_free(&sql);
    return result;
}
