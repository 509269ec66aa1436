/* Databases, tables and partitions in Glue, made when they are missing. */
#include "base/text.h"
#include "lake/landing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *json_of(struct buf *text)
{
    json_t *value = json_loadb(text->data ? text->data : "", text->length, 0, NULL);
    buf_free(text);
    return value;
}

static json_t *partition_input(const struct lake_schema *schema, const char *dt, const char *location)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    lake_schema_glue_partition(schema, dt, location, &text);
    return json_of(&text);
}

static char *partition_url(char out[LAKE_URL_SIZE], const struct lake_remote *remote,
                           const struct lake_schema *schema, const char *dt)
{
    char key[LAKE_OBJECT_KEY_SIZE];
    return lake_url(out, remote, lake_layout_partition(key, schema->kind, schema->zone, dt));
}

/* 0 done or there already; -1. */
static int create(const struct lake_remote *remote, const char *operation, json_t *input, bool *made,
                  struct err *err)
{
    char code[LAKE_CODE_SIZE] = "";
    json_t *answer = remote->call(remote->context, AWS_GLUE, operation, input, code, err);
    if (!answer && strcmp(code, "AlreadyExistsException") != 0)
        return -1;
    if (answer && made)
        *made = true;
    json_decref(answer);
    return 0;
}

/* Is it made of our first columns, and lacks some behind them? Then a field has been added since. */
static bool is_older(const struct lake_schema *schema, const json_t *table)
{
    const json_t *columns = json_object_get(json_object_get(table, "StorageDescriptor"), "Columns");
    size_t count = json_array_size(columns);
    if (count == 0 || count >= schema->column_count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(columns, i), "Name"));
        if (!name || strcmp(name, schema->columns[i].name) != 0)
            return false;
    }
    return true;
}

static json_t *table_input(const struct lake_remote *remote, const struct lake_schema *schema)
{
    char key[LAKE_OBJECT_KEY_SIZE], url[LAKE_URL_SIZE];
    struct buf text;
    buf_init(&text, 1 << 20);
    lake_url(url, remote, lake_layout_table(key, schema->kind, schema->zone));
    lake_schema_glue_table(schema, url, &text);
    return json_of(&text);
}

int lake_catalogue_ensure(const struct lake_remote *remote, const struct lake_schema *schema, bool *made,
                          struct err *err)
{
    char code[LAKE_CODE_SIZE] = "";
    if (made)
        *made = false;
    json_t *there = remote->call(
        remote->context, AWS_GLUE, "GetTable",
        json_pack("{s:s, s:s}", "DatabaseName", schema->database, "Name", schema->table), code, err);
    if (there) {
        bool older = is_older(schema, json_object_get(there, "Table"));
        json_decref(there);
        return older ? create(remote, "UpdateTable",
                              json_pack("{s:s, s:o}", "DatabaseName", schema->database, "TableInput",
                                        table_input(remote, schema)),
                              made, err)
                     : 0;
    }
    if (strcmp(code, "EntityNotFoundException") != 0)
        return -1;
    if (create(remote, "CreateDatabase",
               json_pack("{s:{s:s, s:s}}", "DatabaseInput", "Name", schema->database, "Description",
                         schema->zone == LAKE_RAW ? "Events as they came from Kafka"
                                                  : "Events without doubles, made from " LAKE_DATABASE_RAW),
               made, err) != 0)
        return -1;
    return create(
        remote, "CreateTable",
        json_pack("{s:s, s:o}", "DatabaseName", schema->database, "TableInput", table_input(remote, schema)),
        made, err);
}

int lake_catalogue_location(const struct lake_remote *remote, const struct lake_schema *schema,
                            const char *dt, char out[LAKE_URL_SIZE], struct err *err)
{
    char code[LAKE_CODE_SIZE] = "";
    json_t *answer = remote->call(remote->context, AWS_GLUE, "GetPartition",
                                  json_pack("{s:s, s:s, s:[s]}", "DatabaseName", schema->database,
                                            "TableName", schema->table, "PartitionValues", dt),
                                  code, err);
    if (!answer) {
        if (strcmp(code, "EntityNotFoundException") == 0)
            err_set(err, ERR_NOT_FOUND, "%s.%s has no partition %s", schema->database, schema->table, dt);
        return -1;
    }
    const json_t *storage = json_object_get(json_object_get(answer, "Partition"), "StorageDescriptor");
    const char *location = json_string_value(json_object_get(storage, "Location"));
    text_copy(out, LAKE_URL_SIZE, location ? location : "");
    json_decref(answer);
    return 0;
}

int lake_catalogue_move(const struct lake_remote *remote, const struct lake_schema *schema, const char *dt,
                        const char *location, struct err *err)
{
    char code[LAKE_CODE_SIZE] = "";
    json_t *answer = remote->call(remote->context, AWS_GLUE, "UpdatePartition",
                                  json_pack("{s:s, s:s, s:[s], s:o}", "DatabaseName", schema->database,
                                            "TableName", schema->table, "PartitionValueList", dt,
                                            "PartitionInput", partition_input(schema, dt, location)),
                                  code, err);
    json_decref(answer);
    return answer ? 0 : -1;
}

/* The code of the only error that BatchCreatePartition tells of its only partition; "" none. */
static void batch_error(const json_t *answer, char code[LAKE_CODE_SIZE], struct err *err)
{
    const json_t *detail =
        json_object_get(json_array_get(json_object_get(answer, "Errors"), 0), "ErrorDetail");
    const char *error = json_string_value(json_object_get(detail, "ErrorCode"));
    const char *message = json_string_value(json_object_get(detail, "ErrorMessage"));
    text_copy(code, LAKE_CODE_SIZE, error ? error : "");
    if (error && strcmp(error, "AlreadyExistsException") != 0) {
        char harmless[200];
        text_sanitise(harmless, sizeof harmless, message ? message : error,
                      strlen(message ? message : error));
        err_set(err, ERR_REMOTE, "Glue does not take the partition: %s", harmless);
    }
}

static int create_partition(const struct lake_remote *remote, const struct lake_schema *schema,
                            const char *dt, const char *url, char code[LAKE_CODE_SIZE], struct err *err)
{
    code[0] = '\0';
    json_t *answer =
        remote->call(remote->context, AWS_GLUE, "BatchCreatePartition",
                     json_pack("{s:s, s:s, s:[o]}", "DatabaseName", schema->database, "TableName",
                               schema->table, "PartitionInputList", partition_input(schema, dt, url)),
                     code, err);
    if (!answer)
        return -1;
    batch_error(answer, code, err);
    json_decref(answer);
    return code[0] ? -1 : 0;
}

/* Does it point to where everything is? 1, 0; -1 with err: also when there is no such partition. */
static int is_in_place(const struct lake_remote *remote, const struct lake_schema *schema, const char *dt,
                       const char *url, struct err *err)
{
    char there[LAKE_URL_SIZE];
    if (lake_catalogue_location(remote, schema, dt, there, err) != 0)
        return -1;
    size_t length = strlen(there); /* a crawler may leave out the last slash */
    return length > 0 && strncmp(there, url, length) == 0 && strlen(url) - length <= 1;
}

int lake_catalogue_register(const struct lake_remote *remote, const struct lake_schema *schema,
                            const char *dt, bool *made, struct err *err)
{
    char url[LAKE_URL_SIZE], code[LAKE_CODE_SIZE];
    partition_url(url, remote, schema, dt);
    *made = false;
    struct err own = ERR_INIT;
    int in_place = is_in_place(remote, schema, dt, url, &own); /* mostly it is */
    if (in_place < 0 && own.kind == ERR_NOT_FOUND) {
        int result = create_partition(remote, schema, dt, url, code, err);
        if (result != 0 && strcmp(code, "EntityNotFoundException") == 0) { /* the table */
            if (lake_catalogue_ensure(remote, schema, NULL, err) != 0)
                return -1;
            result = create_partition(remote, schema, dt, url, code, err);
        }
        *made = result == 0;
        if (result == 0 || strcmp(code, "AlreadyExistsException") != 0)
            return result;
        in_place = is_in_place(remote, schema, dt, url, &own); /* somebody was quicker */
    }
    if (in_place < 0) {
        *err = own;
        return -1;
    }
    return in_place ? 0 : lake_catalogue_move(remote, schema, dt, url, err);
}
