#include "localcloud/athena_execution.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/athena_engine.h"
#include "localcloud/athena_source.h"
#include "localcloud/athena_value.h"
#include "localcloud/catalogue.h"
#include "localcloud/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_LIMIT  (64u << 20)
#define FLUSH_BYTES (256u << 10)

bool athena_s3_split(const char *location, char bucket[64], char key[1025])
{
    if (!location || strncmp(location, "s3://", 5) != 0)
        return false;
    const char *slash = strchr(location + 5, '/');
    size_t length = slash ? (size_t)(slash - location - 5) : strlen(location + 5);
    if (length == 0 || length > 63 || (slash && strlen(slash + 1) > 1024))
        return false;
    memcpy(bucket, location + 5, length);
    bucket[length] = '\0';
    text_copy(key, 1025, slash ? slash + 1 : "");
    return true;
}

/* ---- the result object ------------------------------------------------------------------------------ */

struct result {
    const struct athena_run *run;
    struct athena_execution *execution;
    struct objects_writer *writer;
    struct buf buf;
    struct athena_failure *failure;
};

static int store_failure(struct result *result, const struct err *err)
{
    return athena_fail(result->failure, "GENERIC_INTERNAL_ERROR", "%s", err->text);
}

static int flush(struct result *result, bool all)
{
    struct err err = ERR_INIT;
    if (result->buf.overflow)
        return athena_fail(result->failure, "EXCEEDED_MEMORY_LIMIT", "a row is too long");
    if (result->buf.length < FLUSH_BYTES && !all)
        return 0;
    if (result->buf.length > 0 &&
        objects_writer_write(result->writer, result->buf.data, result->buf.length, &err) != 0)
        return store_failure(result, &err);
    buf_reset(&result->buf);
    return 0;
}

static void field(struct buf *out, const char *text, size_t length)
{
    buf_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            buf_char(out, '"');
        buf_char(out, text[i]);
    }
    buf_char(out, '"');
}

static json_t *column_info(const char *name, const char *type, int precision, int scale)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:s,s:b}", "CatalogName", "hive", "SchemaName", "",
                     "TableName", "", "Name", name, "Label", name, "Type", type, "Precision", precision,
                     "Scale", scale, "Nullable", "UNKNOWN", "CaseSensitive", strcmp(type, "varchar") == 0);
}

static int begin(struct result *result)
{
    struct err err = ERR_INIT;
    buf_init(&result->buf, LINE_LIMIT);
    result->writer = objects_writer_create(result->run->context->objects, &err);
    return result->writer ? 0 : store_failure(result, &err);
}

static int finish(struct result *result, const char *suffix)
{
    char bucket[64], key[1025], whole[1200];
    struct err err = ERR_INIT;
    if (flush(result, true) != 0)
        return -1;
    if (objects_writer_close(result->writer, &err) != 0)
        return store_failure(result, &err);
    if (!athena_s3_split(result->execution->location, bucket, key))
        return athena_fail(result->failure, "INVALID_OUTPUT_LOCATION",
                           "outputLocation is not a valid S3 path.");
    snprintf(whole, sizeof whole, "%s%s", key, suffix);
    struct objects_put how = {.headers = "content-type: application/octet-stream\n"};
    char etag[OBJECTS_ETAG_SIZE];
    if (objects_writer_commit(result->writer, bucket, whole, &how, etag, &err) != OBJECTS_OK)
        return athena_fail(result->failure, "INVALID_OUTPUT_LOCATION",
                           "Unable to verify/create output bucket %s", bucket);
    return 0;
}

static void drop(struct result *result)
{
    objects_writer_destroy(result->writer);
    buf_free(&result->buf);
}

/* ---- queries ---------------------------------------------------------------------------------------- */

static int write_rows(struct result *result, struct duck_statement *statement)
{
    struct athena_execution *execution = result->execution;
    size_t columns = duck_column_count(statement);
    execution->columns = json_array();
    for (size_t i = 0; i < columns; i++) {
        char name[256];
        int precision, scale;
        athena_column_name(statement, i, name, sizeof name);
        const char *type = athena_type_name(duck_column_type(statement, i), &precision, &scale);
        json_array_append_new(execution->columns, column_info(name, type, precision, scale));
        buf_text(&result->buf, i ? "," : "");
        field(&result->buf, name, strlen(name));
    }
    buf_char(&result->buf, '\n');
    struct buf text;
    buf_init(&text, LINE_LIMIT);
    struct err err = ERR_INIT;
    int more;
    while ((more = duck_step(statement, &err)) == 1) {
        for (size_t i = 0; i < columns; i++) {
            struct duck_value value = duck_column(statement, i);
            buf_text(&result->buf, i ? "," : "");
            if (duck_is_null(value))
                continue;
            buf_reset(&text);
            athena_value_write(&text, value);
            field(&result->buf, text.data ? text.data : "", text.length);
        }
        buf_char(&result->buf, '\n');
        execution->rows++;
        if (flush(result, false) != 0) {
            more = -2;
            break;
        }
    }
    buf_free(&text);
    if (more == -1)
        athena_failure_of(result->run->connection, execution->text, result->failure);
    return more < 0 ? -1 : 0;
}

static int run_query(struct result *result, const struct athena_statement *statement)
{
    const struct service_context *context = result->run->context;
    struct athena_execution *execution = result->execution;
    struct athena_query query;
    if (athena_rewrite(&statement->tokens, statement->query_from, statement->query_to, execution->database,
                       &query, result->failure) != 0)
        return -1;
    int failed = 0;
    struct objects_lease *lease = objects_lease(context->objects);
    for (size_t i = 0; i < query.table_count && !failed; i++)
        failed = athena_source_create(result->run->connection, context->catalogue, context->objects,
                                      &query.tables[i], &execution->scanned, result->failure);
    struct duck_statement *prepared =
        failed ? NULL : athena_prepare(result->run->connection, &query, execution->text, result->failure);
    failed = prepared ? write_rows(result, prepared) : -1;
    duck_finalize(prepared);
    objects_release(lease);
    athena_query_free(&query);
    return failed;
}

/* ---- DDL -------------------------------------------------------------------------------------------- */

static bool name_line(void *context, json_t *item)
{
    struct buf *out = context;
    const char *name = json_string_value(json_object_get(item, "Name"));
    buf_printf(out, "%s\n", name ? name : "");
    return true;
}

static int add_partitions(const struct athena_run *run, const struct athena_statement *s,
                          const char *database, enum catalogue_status *status, struct err *err)
{
    json_t *table = NULL;
    *status = catalogue_table_get(run->context->catalogue, database, s->name, &table, err);
    if (*status != CATALOGUE_OK)
        return -1;
    json_t *inputs = json_array();
    const char *base =
        json_string_value(json_object_get(json_object_get(table, "StorageDescriptor"), "Location"));
    for (size_t i = 0; i < json_array_size(s->partitions); i++) {
        const json_t *keys = json_object_get(json_array_get(s->partitions, i), "keys");
        json_t *values = json_array();
        struct buf location;
        buf_init(&location, 4096);
        size_t length = base ? strlen(base) : 0;
        buf_append(&location, base ? base : "", length > 0 && base[length - 1] == '/' ? length - 1 : length);
        size_t index;
        json_t *key;
        json_array_foreach(json_object_get(table, "PartitionKeys"), index, key)
        {
            const char *name = json_string_value(json_object_get(key, "Name"));
            const char *value = json_string_value(json_object_get(keys, name ? name : ""));
            json_array_append_new(values, json_string(value ? value : ""));
            buf_printf(&location, "/%s=%s", name ? name : "", value ? value : "");
        }
        const char *given = json_string_value(json_object_get(json_array_get(s->partitions, i), "location"));
        json_t *storage = json_deep_copy(json_object_get(table, "StorageDescriptor"));
        json_object_set_new(storage, "Location", json_string(given ? given : location.data));
        json_array_append_new(inputs, json_pack("{s:o,s:o}", "Values", values, "StorageDescriptor", storage));
        buf_free(&location);
    }
    size_t count = json_array_size(inputs);
    struct catalogue_outcome *outcomes = mem_zero(count + 1, sizeof *outcomes);
    *status = catalogue_partitions_create(run->context->catalogue, database, s->name, inputs, clock_wall_us(),
                                          outcomes, err);
    for (size_t i = 0; i < count && *status == CATALOGUE_OK; i++)
        if (outcomes[i].status != CATALOGUE_OK && !(s->if_exists && outcomes[i].status == CATALOGUE_EXISTS)) {
            *status = outcomes[i].status;
            *err = outcomes[i].err;
        }
    free(outcomes);
    json_decref(inputs);
    json_decref(table);
    return *status == CATALOGUE_OK ? 0 : -1;
}

static int run_ddl(struct result *result, const struct athena_statement *s)
{
    struct catalogue *catalogue = result->run->context->catalogue;
    const char *database = s->database ? s->database : result->execution->database;
    struct err err = ERR_INIT;
    enum catalogue_status status = CATALOGUE_OK;
    switch (s->verb) {
    case VERB_CREATE_DATABASE: {
        json_t *input = json_pack("{s:s,s:s*,s:s*}", "Name", database, "Description", s->comment,
                                  "LocationUri", s->location);
        status = catalogue_database_create(catalogue, input, clock_wall_us(), &err);
        json_decref(input);
        break;
    }
    case VERB_DROP_DATABASE:
        status = catalogue_database_delete(catalogue, database, &err);
        break;
    case VERB_CREATE_TABLE:
        status = catalogue_table_create(catalogue, database, s->input, clock_wall_us(), &err);
        break;
    case VERB_DROP_TABLE:
        status = catalogue_table_delete(catalogue, database, s->name, &err);
        break;
    case VERB_ADD_PARTITION:
        (void)add_partitions(result->run, s, database, &status, &err);
        break;
    case VERB_SHOW_DATABASES:
        status = catalogue_database_list(catalogue, "", name_line, &result->buf, &err);
        break;
    case VERB_SHOW_TABLES:
        status = catalogue_table_list(catalogue, database, "", name_line, &result->buf, &err);
        break;
    default:
        return athena_fail(result->failure, "NOT_SUPPORTED", "%s is not emulated locally yet",
                           athena_statement_subtype(s));
    }
    bool create = s->verb == VERB_CREATE_DATABASE || s->verb == VERB_CREATE_TABLE;
    if (s->if_exists && (create ? status == CATALOGUE_EXISTS
                                : status == CATALOGUE_NO_TABLE || status == CATALOGUE_NO_DATABASE))
        status = CATALOGUE_OK;
    if (status != CATALOGUE_OK)
        return athena_fail(result->failure, "HIVE_METASTORE_ERROR", "FAILED: SemanticException %.300s",
                           err.text);
    result->execution->columns = json_array();
    if (s->verb == VERB_SHOW_DATABASES || s->verb == VERB_SHOW_TABLES)
        json_array_append_new(
            result->execution->columns,
            column_info(s->verb == VERB_SHOW_TABLES ? "tab_name" : "database_name", "string", 0, 0));
    return 0;
}

int athena_execution_run(const struct athena_run *run, struct athena_execution *execution,
                         struct athena_failure *failure)
{
    struct athena_statement statement;
    struct result result = {.run = run, .execution = execution, .failure = failure};
    int failed = athena_statement_parse(&statement, execution->text, failure);
    if (!failed)
        failed = begin(&result);
    if (!failed)
        failed = statement.verb == VERB_QUERY ? run_query(&result, &statement) : run_ddl(&result, &statement);
    if (!failed)
        failed = finish(&result, "");
    drop(&result);
    athena_statement_free(&statement);
    return failed;
}
