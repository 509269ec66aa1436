/* CREATE TABLE AS, INSERT INTO and UNLOAD: a query, and where its rows go. */
#include "localcloud/athena_bound.h"
#include "localcloud/athena_output.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/athena_engine.h"
#include "localcloud/athena_hive.h"
#include "localcloud/athena_source.h"
#include "localcloud/athena_table.h"
#include "localcloud/athena_value.h"
#include "localcloud/athena_view.h"
#include "localcloud/objects.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQL_LIMIT (16u << 20)

/* ---- columns ---------------------------------------------------------------------------------------- */

/* Moves the last columns, named by `names`, into *keys. */
static int split_keys(struct athena_task *task, json_t *columns, const json_t *names, json_t **keys)
{
    size_t count = json_array_size(names), all = json_array_size(columns);
    *keys = json_array();
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        const json_t *column = all >= count ? json_array_get(columns, all - count + i) : NULL;
        if (!name || !column || !text_equal_fold(athena_member(column, "Name"), name)) {
            struct buf shown;
            buf_init(&shown, 500);
            for (size_t j = 0; j < count; j++)
                buf_printf(&shown, "%s%.60s", j ? ", " : "",
                           json_string_value(json_array_get(names, j))
                               ? json_string_value(json_array_get(names, j))
                               : "?");
            (void)athena_fail(task->failure, "HIVE_COLUMN_ORDER_MISMATCH",
                              "Partition keys must be the last columns in the table and in the same order as "
                              "the table properties: [%s]",
                              shown.data ? shown.data : "");
            buf_free(&shown);
            return -1;
        }
        json_array_append(*keys, (json_t *)column);
    }
    if (count > 0 && count == all)
        return athena_fail(task->failure, "INVALID_TABLE_PROPERTY", "Table contains only partition columns");
    for (size_t i = 0; i < count; i++)
        json_array_remove(columns, all - 1 - i);
    return 0;
}

/* ---- properties ------------------------------------------------------------------------------------- */

const char *athena_write_option(const json_t *options, const char *name)
{
    return json_string_value(json_object_get(options, name));
}

static int check_options(struct athena_task *task, const char *const *known)
{
    const char *name;
    json_t *value;
    json_object_foreach(task->statement->options, name, value)
    {
        bool there = false;
        for (size_t i = 0; known[i]; i++)
            there = there || strcmp(known[i], name) == 0;
        if (!there)
            return athena_fail(task->failure, "INVALID_TABLE_PROPERTY",
                               "line 1:1: Catalog 'awsdatacatalog' table property '%.100s' does not exist",
                               name);
    }
    return 0;
}

/* The word for `format` and `compression`, or failed. */
int athena_write_format(struct athena_task *task, const char *format, const char *compression,
                        struct athena_output *output)
{
    static const char *const formats[] = {"PARQUET", "JSON", "TEXTFILE"};
    static const char *const compressions[] = {"none", "gzip", "zstd", "snappy"};
    bool known = false;
    for (size_t i = 0; i < 3; i++)
        if (text_equal_fold(format, formats[i])) {
            output->format = (enum athena_format)i;
            known = true;
        }
    if (!known) {
        bool real = text_equal_fold(format, "ORC") || text_equal_fold(format, "AVRO");
        return athena_fail(task->failure, real ? "NOT_SUPPORTED" : "INVALID_TABLE_PROPERTY",
                           real ? "Writing %.40s is not emulated locally"
                                : "line 1:1: Invalid value for table property 'format': %.40s",
                           format);
    }
    output->compression = NULL;
    for (size_t i = 0; i < 4; i++)
        if (text_equal_fold(compression, compressions[i]))
            output->compression = compressions[i];
    if (text_equal_fold(compression, "uncompressed"))
        output->compression = "none";
    bool snappy = output->compression && strcmp(output->compression, "snappy") == 0;
    if (!output->compression || (snappy && output->format != ATHENA_PARQUET))
        return athena_fail(task->failure, "NOT_SUPPORTED", "%.40s compression of %s is not emulated locally",
                           compression, formats[output->format]);
    return 0;
}

/* A file that names all objects that were written, a line each. */
static int write_manifest(struct athena_task *task, const struct athena_written *written)
{
    struct athena_execution *execution = task->execution;
    char bucket[64], key[1025], name[1300];
    if (!execution->location || !athena_s3_split(execution->location, bucket, key))
        return 0; /* a script without a place for results */
    struct buf text;
    struct err err = ERR_INIT;
    buf_init(&text, 1u << 20);
    buf_text(&text, "");
    for (size_t i = 0; i < json_array_size(written->uris); i++)
        buf_printf(&text, "%s\n", json_string_value(json_array_get(written->uris, i)));
    snprintf(name, sizeof name, "%s-manifest.csv", key);
    enum objects_status status =
        objects_put(athena_task_objects(task), bucket, name, text.data, text.length, "text/csv", &err);
    buf_free(&text);
    if (status != OBJECTS_OK)
        return athena_fail(task->failure, "INVALID_OUTPUT_LOCATION",
                           "Unable to verify/create output bucket %s", bucket);
    snprintf(name, sizeof name, "%s-manifest.csv", execution->location);
    free(execution->manifest);
    execution->manifest = mem_text(name);
    return 0;
}

int athena_write_finish(struct athena_task *task, const struct athena_written *written)
{
    task->execution->rows = written->rows;
    athena_task_column(task, "rows", "bigint");
    return write_manifest(task, written);
}

int athena_write_partitions(struct athena_task *task, const char *database, const char *name,
                            const json_t *storage, const struct athena_written *written)
{
    size_t count = json_array_size(written->partitions);
    if (count == 0)
        return 0;
    json_t *inputs = json_array();
    for (size_t i = 0; i < count; i++) {
        const json_t *partition = json_array_get(written->partitions, i);
        json_t *own = json_deep_copy(storage);
        struct buf location;
        buf_init(&location, 8192);
        buf_printf(&location, "%s/", athena_member(partition, "Location"));
        json_object_set_new(own, "Location", json_string(location.data));
        json_array_append_new(inputs, json_pack("{s:O,s:o}", "Values", json_object_get(partition, "Values"),
                                                "StorageDescriptor", own));
        buf_free(&location);
    }
    struct catalogue_outcome *outcomes = mem_zero(count, sizeof *outcomes);
    struct err err = ERR_INIT;
    enum catalogue_status status = catalogue_partitions_create(athena_task_catalogue(task), database, name,
                                                               inputs, clock_wall_us(), outcomes, &err);
    for (size_t i = 0; i < count && status == CATALOGUE_OK; i++)
        if (outcomes[i].status != CATALOGUE_OK && outcomes[i].status != CATALOGUE_EXISTS) {
            status = outcomes[i].status;
            err = outcomes[i].err;
        }
    free(outcomes);
    json_decref(inputs);
    return status == CATALOGUE_OK ? 0
                                  : athena_fail(task->failure, "HIVE_METASTORE_ERROR", "%.300s", err.text);
}

/* ---- CREATE TABLE AS -------------------------------------------------------------------------------- */

static int ctas_location(struct athena_task *task, struct buf *location)
{
    const struct athena_statement *s = task->statement;
    const char *given = athena_write_option(s->options, "external_location");
    char bucket[64], key[1025];
    json_t *database = NULL;
    struct err err = ERR_INIT;
    enum catalogue_status status =
        catalogue_database_get(athena_task_catalogue(task), athena_task_database(task), &database, &err);
    if (status != CATALOGUE_OK)
        return athena_fail(task->failure, "SCHEMA_NOT_FOUND", "line 1:1: Schema %.200s not found",
                           athena_task_database(task));
    const char *home = athena_member(database, "LocationUri");
    if (given)
        athena_location_join(location, given, "");
    else if (task->execution->location && *task->execution->location)
        athena_location_join(location, task->execution->location, "");
    else if (*home)
        buf_printf(location, "%s%s%s/", home, home[strlen(home) - 1] == '/' ? "" : "/", s->name);
    json_decref(database);
    if (location->length == 0 || !athena_s3_split(location->data, bucket, key) || !*key)
        return athena_fail(task->failure, "INVALID_TABLE_PROPERTY",
                           "line 1:1: the table needs an external_location in S3");
    if (athena_output_occupied(task, location->data))
        return athena_fail(task->failure, "HIVE_PATH_ALREADY_EXISTS",
                           "Target directory for table '%.60s.%.60s' already exists: %.120s. You may need to "
                           "manually clean the data at this location before retrying. Athena will not delete "
                           "data in your account.",
                           athena_task_database(task), s->name, location->data);
    return 0;
}

static json_t *ctas_input(struct athena_task *task, const struct athena_output *output, json_t *columns,
                          json_t *keys)
{
    static const char *const words[] = {"PARQUET", "JSON", "TEXTFILE"};
    static const char *const classes[] = {"parquet", "json", "csv"};
    const struct athena_statement *s = task->statement;
    const char *const *format = athena_table_format(words[output->format]);
    char upper[16];
    size_t length = 0;
    const char *compression = output->compression ? output->compression : "none";
    for (; length < sizeof upper - 1 && compression[length]; length++)
        upper[length] = (char)toupper((unsigned char)compression[length]);
    upper[length] = '\0';
    json_t *serde = json_pack("{s:s,s:{s:s}}", "SerializationLibrary", format[2], "Parameters",
                              "serialization.format", "1");
    if (output->format == ATHENA_TEXT) {
        json_object_set_new(json_object_get(serde, "Parameters"), "field.delim",
                            json_string(output->delimiter));
        json_object_set_new(json_object_get(serde, "Parameters"), "serialization.format",
                            json_string(output->delimiter));
    }
    json_t *parameters =
        json_pack("{s:s,s:s,s:s,s:s,s:s}", "EXTERNAL", "TRUE", "auto.purge", "false", "has_encrypted_data",
                  "false", "classification", classes[output->format], "trino_query_id", task->execution->id);
    json_object_set_new(parameters,
                        output->format == ATHENA_PARQUET ? "parquet.compression" : "write.compression",
                        json_string(upper));
    json_t *storage = json_pack("{s:O,s:s,s:s,s:s,s:o}", "Columns", columns, "Location", output->location,
                                "InputFormat", format[0], "OutputFormat", format[1], "SerdeInfo", serde);
    const json_t *bucketed = json_object_get(s->options, "bucketed_by"),
                 *buckets = json_object_get(s->options, "bucket_count");
    if (json_is_array(bucketed) && json_is_integer(buckets)) {
        json_object_set(storage, "BucketColumns", (json_t *)bucketed);
        json_object_set(storage, "NumberOfBuckets", (json_t *)buckets);
    }
    return json_pack("{s:s,s:s,s:s,s:o,s:O,s:o}", "Name", s->name, "TableType", "EXTERNAL_TABLE", "Owner",
                     "hadoop", "StorageDescriptor", storage, "PartitionKeys", keys, "Parameters", parameters);
}

static int create_table_as(struct athena_task *task)
{
    static const char *const known[] = {"format",
                                        "external_location",
                                        "partitioned_by",
                                        "parquet_compression",
                                        "orc_compression",
                                        "write_compression",
                                        "compression_level",
                                        "bucketed_by",
                                        "bucket_count",
                                        "field_delimiter",
                                        "table_type",
                                        "is_external",
                                        "location",
                                        NULL};
    const struct athena_statement *s = task->statement;
    const char *database = athena_task_database(task);
    struct err err = ERR_INIT;
    const char *format = athena_write_option(s->options, "format"),
               *compression = athena_write_option(s->options, "write_compression"),
               *delimiter = athena_write_option(s->options, "field_delimiter"),
               *kind = athena_write_option(s->options, "table_type");
    if (!compression)
        compression = athena_write_option(s->options, "parquet_compression");
    if (check_options(task, known) != 0)
        return -1;
    if (kind && !text_equal_fold(kind, "HIVE"))
        return athena_fail(task->failure, "NOT_SUPPORTED",
                           "tables of the type %.40s are not emulated locally", kind);
    if (catalogue_table_get(athena_task_catalogue(task), database, s->name, NULL, &err) == CATALOGUE_OK)
        return s->if_exists
                   ? 0
                   : athena_fail(task->failure, "TABLE_ALREADY_EXISTS",
                                 "line 1:1: Destination table 'awsdatacatalog.%.128s.%.128s' already "
                                 "exists",
                                 database, s->name);
    struct buf location, sql;
    struct athena_output output = {.delimiter = delimiter ? delimiter : "\001"};
    struct athena_bound bound;
    buf_init(&location, 2048);
    if (athena_write_format(task, format ? format : "PARQUET", compression ? compression : "gzip", &output) !=
            0 ||
        ctas_location(task, &location) != 0 || athena_bound_open(task, &bound) != 0) {
        buf_free(&location);
        return -1;
    }
    buf_init(&sql, SQL_LIMIT);
    struct athena_written written = {0};
    json_t *keys = NULL, *columns = athena_bound_columns(task, &bound);
    int result = columns ? 0 : -1;
    if (result == 0) {
        athena_bound_select(&sql, &bound, columns);
        buf_text(&sql, s->no_data ? " WHERE false" : "");
        result = split_keys(task, columns, json_object_get(s->options, "partitioned_by"), &keys);
    }
    if (result == 0) {
        output.location = location.data;
        output.sql = sql.data;
        output.columns = columns;
        output.keys = keys;
        result = sql.overflow
                     ? athena_fail(task->failure, "QUERY_TEXT_TOO_LARGE", "the query becomes too long")
                     : athena_output_write(task, &output, &written);
    }
    if (result == 0) {
        json_t *input = ctas_input(task, &output, columns, keys);
        enum catalogue_status status =
            catalogue_table_create(athena_task_catalogue(task), database, input, clock_wall_us(), &err);
        if (status != CATALOGUE_OK)
            result = athena_fail(task->failure, "HIVE_METASTORE_ERROR", "%.300s", err.text);
        else
            result = athena_write_partitions(task, database, s->name,
                                             json_object_get(input, "StorageDescriptor"), &written);
        json_decref(input);
    }
    if (result == 0)
        result = athena_write_finish(task, &written);
    athena_written_free(&written);
    json_decref(columns);
    json_decref(keys);
    athena_bound_free(&bound);
    buf_free(&sql);
    buf_free(&location);
    return result;
}

/* ---- UNLOAD ----------------------------------------------------------------------------------------- */

static int unload(struct athena_task *task)
{
    static const char *const known[] = {"format",          "compression",    "compression_level",
                                        "field_delimiter", "partitioned_by", NULL};
    const struct athena_statement *s = task->statement;
    const char *format = athena_write_option(s->options, "format"),
               *compression = athena_write_option(s->options, "compression"),
               *delimiter = athena_write_option(s->options, "field_delimiter");
    struct athena_output output = {.delimiter = delimiter ? delimiter : "\001"};
    struct athena_bound bound;
    struct buf location, sql;
    if (check_options(task, known) != 0)
        return -1;
    if (!format)
        return athena_fail(task->failure, "INVALID_TABLE_PROPERTY",
                           "line 1:1: UNLOAD needs the property format");
    if (athena_write_format(task, format, compression ? compression : "gzip", &output) != 0)
        return -1;
    if (athena_output_occupied(task, s->location))
        return athena_fail(task->failure, "HIVE_PATH_ALREADY_EXISTS",
                           "Target directory already exists: %.200s. You may need to manually clean the data "
                           "at this location before retrying. Athena will not delete data in your account.",
                           s->location);
    if (athena_bound_open(task, &bound) != 0)
        return -1;
    buf_init(&location, 2048);
    buf_init(&sql, SQL_LIMIT);
    athena_location_join(&location, s->location, "");
    struct athena_written written = {0};
    json_t *keys = NULL, *columns = athena_bound_columns(task, &bound);
    int result = columns ? 0 : -1;
    if (result == 0) {
        athena_bound_select(&sql, &bound, columns);
        result = split_keys(task, columns, json_object_get(s->options, "partitioned_by"), &keys);
    }
    if (result == 0) {
        output.location = location.data;
        output.sql = sql.data;
        output.columns = columns;
        output.keys = keys;
        result = sql.overflow
                     ? athena_fail(task->failure, "QUERY_TEXT_TOO_LARGE", "the query becomes too long")
                     : athena_output_write(task, &output, &written);
    }
    if (result == 0)
        result = athena_write_finish(task, &written);
    athena_written_free(&written);
    json_decref(columns);
    json_decref(keys);
    athena_bound_free(&bound);
    buf_free(&location);
    buf_free(&sql);
    return result;
}

int athena_write_run(struct athena_task *task)
{
    struct objects_lease *lease = objects_lease(athena_task_objects(task));
    int result = task->statement->verb == VERB_INSERT   ? athena_insert_run(task)
                 : task->statement->verb == VERB_UNLOAD ? unload(task)
                                                        : create_table_as(task);
    objects_release(lease);
    return result;
}
