#include "localcloud/redshift.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/redshift_private.h"
#include "localcloud/redshift_type.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the warehouse holds ----------------------------------------------------------------------- */

struct listing {
    int64_t offset, limit;
    struct duck_connection *connection;
};

static int begin_listing(struct request *request, struct listing *listing)
{
    struct redshift *redshift = request->state;
    struct err err = ERR_INIT;
    const char *token = request_json_text(request, "NextToken");
    *listing = (struct listing){.limit = request_json_int(request, "MaxResults", 1000)};
    if (redshift_check_target(request, true) != 0)
        return -1;
    if (listing->limit < 0 || listing->limit > 1000 ||
        (token && !text_parse_int(token, 1, INT64_MAX, &listing->offset)))
        return request_fail(request, 400, "ValidationException", "MaxResults or NextToken is not valid.");
    if (listing->limit == 0)
        listing->limit = 1000;
    listing->connection = redshift_warehouse_connect(redshift->warehouse, &err);
    if (!listing->connection)
        return request_fail(request, 500, "DatabaseConnectionException", "%s", err.text);
    return 0;
}

/* Runs the SQL with $1 and $2 bound, from the offset; calls `each` for each row up to the limit. */
static int list_rows(struct request *request, struct listing *listing, const char *sql, const char *first,
                     const char *second, void (*each)(struct duck_statement *row, json_t *list), json_t *list,
                     json_t *answer)
{
    struct err err = ERR_INIT;
    struct buf text;
    buf_init(&text, 16384);
    buf_printf(&text, "%s LIMIT %lld OFFSET %lld", sql, (long long)listing->limit + 1,
               (long long)listing->offset);
    struct duck_statement *row = duck_prepare(listing->connection, text.data, &err);
    buf_free(&text);
    int step = row ? 0 : -1;
    if (row) {
        if (duck_parameter_count(row) > 0)
            duck_bind_text(row, 1, first, strlen(first));
        if (duck_parameter_count(row) > 1)
            duck_bind_text(row, 2, second, strlen(second));
    }
    int64_t count = 0;
    while (step >= 0 && (step = duck_step(row, &err)) == 1 && count++ < listing->limit)
        each(row, list);
    if (step == 1) {
        char next[24];
        snprintf(next, sizeof next, "%" PRId64, listing->offset + listing->limit);
        json_object_set_new(answer, "NextToken", json_string(next));
    }
    duck_finalize(row);
    duck_disconnect(listing->connection);
    listing->connection = NULL;
    if (step >= 0) {
        request_reply_json(request, answer);
        return 0;
    }
    json_decref(answer);
    return request_fail_internal(request, &err);
}

static json_t *text_of(struct duck_statement *row, size_t column)
{
    size_t length;
    const char *text = duck_text(duck_column(row, column), &length);
    json_t *string = json_stringn(text, length);
    return string ? string : json_string("");
}

static void add_text(struct duck_statement *row, json_t *list)
{
    json_array_append_new(list, text_of(row, 0));
}

static void add_table(struct duck_statement *row, json_t *list)
{
    json_array_append_new(list, json_pack("{s:o,s:o,s:o}", "schema", text_of(row, 0), "name", text_of(row, 1),
                                          "type", text_of(row, 2)));
}

/* There is one warehouse: whatever database a request names, it is this one. */
void redshift_list_databases(struct request *request)
{
    if (redshift_check_target(request, true) != 0)
        return;
    const char *database = request_json_text(request, "Database");
    json_t *list = json_array();
    json_array_append_new(list, json_string(REDSHIFT_DATABASE));
    if (strcmp(database, REDSHIFT_DATABASE) != 0)
        json_array_append_new(list, json_string(database));
    request_reply_json(request, json_pack("{s:o}", "Databases", list));
}

static const char *pattern(const struct request *request, const char *name)
{
    const char *text = request_json_text(request, name);
    return text && *text ? text : "%";
}

void redshift_list_schemas(struct request *request)
{
    struct listing listing;
    if (begin_listing(request, &listing) != 0)
        return;
    json_t *list = json_array();
    list_rows(request, &listing,
              "SELECT schema_name FROM (SELECT schema_name FROM duckdb_schemas() WHERE database_name = "
              "'warehouse' AND NOT internal AND schema_name NOT IN ('_redshift', 'main') UNION SELECT "
              "unnest(['information_schema', 'pg_catalog'])) WHERE schema_name LIKE $1 ORDER BY 1",
              pattern(request, "SchemaPattern"), "", add_text, list, json_pack("{s:o}", "Schemas", list));
}

void redshift_list_tables(struct request *request)
{
    struct listing listing;
    if (begin_listing(request, &listing) != 0)
        return;
    json_t *list = json_array();
    list_rows(request, &listing,
              "SELECT * FROM (SELECT schema_name, table_name, 'TABLE' AS kind FROM duckdb_tables() WHERE "
              "database_name = 'warehouse' AND NOT internal UNION ALL SELECT schema_name, view_name, 'VIEW' "
              "FROM duckdb_views() WHERE database_name = 'warehouse' AND NOT internal UNION ALL SELECT "
              "CASE WHEN starts_with(view_name, 'information_schema_') THEN 'information_schema' ELSE "
              "'pg_catalog' END, replace(view_name, 'information_schema_', ''), 'SYSTEM VIEW' FROM "
              "duckdb_views() WHERE database_name = 'warehouse' AND schema_name = '_redshift' AND NOT "
              "starts_with(view_name, '_')) WHERE schema_name NOT IN ('_redshift', 'main') AND schema_name "
              "LIKE $1 AND table_name LIKE $2 ORDER BY 1, 2",
              pattern(request, "SchemaPattern"), pattern(request, "TablePattern"), add_table, list,
              json_pack("{s:o}", "Tables", list));
}

static void add_column(struct duck_statement *row, json_t *list)
{
    char *name = NULL;
    size_t length;
    const char *text = duck_text(duck_column(row, 2), &length);
    name = mem_alloc(length + 1);
    memcpy(name, text, length);
    name[length] = '\0';
    struct redshift_type type = {.kind = RS_VARCHAR, .length = 256};
    int64_t kind = duck_is_null(duck_column(row, 3)) ? RS_VARCHAR : duck_int(duck_column(row, 3));
    if (kind >= 0 && kind < RS_KINDS)
        type.kind = (enum redshift_kind)kind;
    if (!duck_is_null(duck_column(row, 4)))
        type.length = (int)duck_int(duck_column(row, 4));
    type.precision = duck_is_null(duck_column(row, 5)) ? 18 : (int)duck_int(duck_column(row, 5));
    type.scale = duck_is_null(duck_column(row, 6)) ? 0 : (int)duck_int(duck_column(row, 6));
    json_t *column = redshift_type_metadata(&type, name);
    if (type.kind == RS_VARCHAR || type.kind == RS_CHAR)
        json_object_set_new(column, "length", json_integer(type.length));
    json_object_set_new(column, "schemaName", text_of(row, 0));
    json_object_set_new(column, "tableName", text_of(row, 1));
    json_object_set_new(column, "nullable", json_integer(duck_int(duck_column(row, 7)) != 0));
    if (!duck_is_null(duck_column(row, 8)))
        json_object_set_new(column, "columnDefault", text_of(row, 8));
    json_array_append_new(list, column);
    free(name);
}

void redshift_describe_table(struct request *request)
{
    struct listing listing;
    const char *table = request_json_text(request, "Table"), *schema = request_json_text(request, "Schema");
    if (begin_listing(request, &listing) != 0)
        return;
    json_t *list = json_array();
    json_t *answer = json_pack("{s:o}", "ColumnList", list);
    if (table)
        json_object_set_new(answer, "TableName", json_string(table));
    list_rows(
        request, &listing,
        "SELECT schema_name, table_name, column_name, coalesce(CAST(j->>'kind' AS INTEGER), "
        "_redshift.rs_kind(data_type)), coalesce(CAST(j->>'length' AS INTEGER), 256), numeric_precision, "
        "numeric_scale, is_nullable, CASE WHEN NOT starts_with(column_default, 'nextval(') THEN "
        "column_default END FROM (SELECT *, try_cast(comment AS JSON) AS j FROM "
        "duckdb_columns() WHERE database_name = 'warehouse' AND NOT internal) WHERE schema_name NOT IN "
        "('_redshift', 'main') AND ($1 = '' OR schema_name = $1) AND ($2 = '' OR table_name = $2) ORDER "
        "BY schema_name, table_name, column_index",
        schema ? schema : "", table ? table : "", add_column, list, answer);
}

/* ---- the service ------------------------------------------------------------------------------------ */

static void destroy(void *state)
{
    struct redshift *redshift = state;
    redshift_queue_destroy(redshift);
    redshift_warehouse_destroy(redshift->warehouse);
    redshift_history_close(redshift->history);
    free(redshift);
}

static void stop(void *state)
{
    redshift_queue_stop(state);
}

/* What mark_committed() left. */
static json_t *committed(void *context, const char *id)
{
    struct redshift *redshift = context;
    struct err err = ERR_INIT;
    json_t *document = NULL;
    struct duck_connection *connection = redshift_warehouse_connect(redshift->warehouse, &err);
    struct duck_statement *row =
        connection ? duck_prepare(connection, "SELECT document FROM _redshift.committed WHERE id = $1", &err)
                   : NULL;
    if (row) {
        duck_bind_text(row, 1, id, strlen(id));
        if (duck_step(row, &err) == 1) {
            size_t length;
            const char *text = duck_text(duck_column(row, 0), &length);
            document = json_loadb(text, length, 0, NULL);
        }
    }
    duck_finalize(row);
    duck_disconnect(connection);
    if (err.kind != ERR_NONE)
        log_write(redshift->context.log, LOG_ERROR, "redshift", "%s", err.text);
    return document;
}

static void *create(const struct service_context *context, struct err *err)
{
    struct redshift *redshift = mem_zero(1, sizeof *redshift);
    redshift->context = *context;
    redshift->history = redshift_history_open(context->folder, clock_wall_us() / 1000, err);
    if (!redshift->history) {
        free(redshift);
        return NULL;
    }
    redshift->warehouse = redshift_warehouse_create(context->folder);
    if (redshift_history_recover(redshift->history, committed, redshift, clock_wall_us() / 1000, err) != 0) {
        redshift_warehouse_destroy(redshift->warehouse);
        redshift_history_close(redshift->history);
        free(redshift);
        return NULL;
    }
    if (redshift_queue_start(redshift, err) == 0)
        return redshift;
    stop(redshift);
    destroy(redshift);
    return NULL;
}

static const struct operation OPERATIONS[] = {
    {"ExecuteStatement", redshift_execute_statement, .mutates = true,
     .note = "docs/redshift-dialect.md; any cluster, work group and database: there is one warehouse"},
    {"BatchExecuteStatement", redshift_batch_execute_statement, .mutates = true},
    {"DescribeStatement", redshift_describe_statement},
    {"GetStatementResult", redshift_get_statement_result},
    {"GetStatementResultV2", redshift_get_statement_result_v2, .note = "CSV"},
    {"ListStatements", redshift_list_statements},
    {"CancelStatement", redshift_cancel_statement, .mutates = true},
    {"ListSessions", redshift_list_sessions},
    {"ListDatabases", redshift_list_databases},
    {"ListSchemas", redshift_list_schemas},
    {"ListTables", redshift_list_tables},
    {"DescribeTable", redshift_describe_table},
    {.name = NULL},
};

const struct service service_redshift = {
    .name = "redshift-data",
    .title = "Amazon Redshift Data API",
    .protocol = PROTOCOL_JSON,
    .target = "RedshiftData",
    .version = "2019-12-20",
    .operations = OPERATIONS,
    .create = create,
    .stop = stop,
    .destroy = destroy,
};
