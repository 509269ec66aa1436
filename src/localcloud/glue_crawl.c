#include "localcloud/glue_crawl_private.h"

#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A crawl: lists the objects of each target, reads their schemas, lets glue_tree.h decide what the tables
 * are, and brings the catalogue in line by the crawler's policies. It runs on the crawls' worker.
 */

#define PARTITION_BATCH 100

/* ---- what is written -------------------------------------------------------------------------------- */

static void set_int(json_t *parameters, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    json_object_set_new(parameters, name, json_string(text));
}

static json_t *parameters_of(const struct glue_crawl *crawl, enum glue_format format,
                             const struct glue_figures *figures)
{
    json_t *parameters = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "CrawlerSchemaDeserializerVersion",
                                   "1.0", "CrawlerSchemaSerializerVersion", "1.0", "UPDATED_BY_CRAWLER",
                                   crawl->name, "classification", format == GLUE_PARQUET ? "parquet" : "json",
                                   "compressionType", "none", "typeOfData", "file");
    set_int(parameters, "objectCount", figures->objects);
    set_int(parameters, "recordCount", figures->records);
    set_int(parameters, "sizeKey", figures->bytes);
    set_int(parameters, "averageRecordSize", figures->records > 0 ? figures->bytes / figures->records : 0);
    return parameters;
}

static json_t *serde_of(enum glue_format format, const json_t *columns)
{
    if (format == GLUE_PARQUET)
        return json_pack("{s:s, s:{s:s}}", "SerializationLibrary",
                         "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", "Parameters",
                         "serialization.format", "1");
    struct buf paths;
    const json_t *column;
    size_t index;
    buf_init(&paths, 1u << 20);
    json_array_foreach(columns, index, column)
        buf_printf(&paths, "%s%s", index ? "," : "", json_string_value(json_object_get(column, "Name")));
    json_t *serde = json_pack("{s:s, s:{s:s}}", "SerializationLibrary", "org.openx.data.jsonserde.JsonSerDe",
                              "Parameters", "paths", paths.data ? paths.data : "");
    buf_free(&paths);
    return serde;
}

/* Takes the reference of columns. */
static json_t *storage_of(const struct glue_crawl *crawl, enum glue_format format, json_t *columns,
                          const char *location, const struct glue_figures *figures)
{
    bool parquet = format == GLUE_PARQUET;
    return json_pack("{s:o, s:s, s:s, s:s, s:b, s:i, s:o, s:[], s:[], s:o, s:b}", "Columns", columns,
                     "Location", location, "InputFormat",
                     parquet ? "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
                             : "org.apache.hadoop.mapred.TextInputFormat",
                     "OutputFormat",
                     parquet ? "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
                             : "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                     "Compressed", 0, "NumberOfBuckets", -1, "SerdeInfo", serde_of(format, columns),
                     "BucketColumns", "SortColumns", "Parameters", parameters_of(crawl, format, figures),
                     "StoredAsSubDirectories", 0);
}

static json_t *keys_of(const struct glue_folder *folder)
{
    json_t *keys = json_array();
    char name[HIVE_NAME_MAX + 1];
    for (int level = 0; level < folder->levels; level++) {
        glue_tree_key(folder, level, name);
        json_array_append_new(keys, json_pack("{s:s, s:s}", "Name", name, "Type", "string"));
    }
    return keys;
}

static bool has_name(const json_t *columns, const json_t *name)
{
    const json_t *column;
    size_t index;
    json_array_foreach(columns, index,
                       column) if (json_equal(json_object_get(column, "Name"), name)) return true;
    return false;
}

/* A column that is also a partition key would stand twice in the table: the key counts. */
static json_t *columns_of(const struct hive_type *schema, const json_t *keys)
{
    json_t *columns = hive_type_columns(schema);
    for (size_t i = json_array_size(columns); i-- > 0;)
        if (has_name(keys, json_object_get(json_array_get(columns, i), "Name")))
            json_array_remove(columns, i);
    return columns;
}

/* What others put into the table's parameters stays. */
static void keep_parameters(json_t *input, const json_t *old)
{
    json_object_update_missing(json_object_get(input, "Parameters"), json_object_get(old, "Parameters"));
    json_object_del(json_object_get(input, "Parameters"), "DEPRECATED_BY_CRAWLER");
    const json_t *note = json_object_get(old, "Description");
    if (note)
        json_object_set(input, "Description", (json_t *)note);
}

static void add_old_columns(json_t *input, const json_t *old)
{
    json_t *columns = json_object_get(json_object_get(input, "StorageDescriptor"), "Columns"), *column;
    json_t *merged = json_deep_copy(json_object_get(json_object_get(old, "StorageDescriptor"), "Columns"));
    size_t index;
    if (!merged)
        return;
    json_array_foreach(columns, index, column) if (!has_name(merged, json_object_get(column, "Name")))
        json_array_append(merged, column);
    json_object_set_new(json_object_get(input, "StorageDescriptor"), "Columns", merged);
}

static bool same_table(const json_t *input, const json_t *old)
{
    static const char *const members[] = {"StorageDescriptor", "PartitionKeys", "Parameters", "TableType"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (!json_equal(json_object_get(input, members[i]), json_object_get(old, members[i])))
            return false;
    return true;
}

static int catalogue_failed(struct glue_crawl *crawl, const struct err *err)
{
    return glue_crawl_fail(crawl, err->text);
}

/* A table that is there. When its partition keys are other ones now, it is made anew, without partitions. */
static int update_table(struct glue_crawl *crawl, json_t *input, const json_t *old)
{
    struct catalogue *catalogue = crawl->glue->catalogue;
    struct err err = ERR_INIT;
    bool same_keys =
        json_equal(json_object_get(input, "PartitionKeys"), json_object_get(old, "PartitionKeys"));
    struct catalogue_update update = {.skip_archive = false};
    if (!crawl->update || crawl->new_only)
        return 0;
    keep_parameters(input, old);
    if (crawl->merge_columns)
        add_old_columns(input, old);
    if (same_table(input, old))
        return 0;
    /* Figures alone make no new version. */
    update.skip_archive =
        same_keys && json_equal(json_object_get(json_object_get(input, "StorageDescriptor"), "Columns"),
                                json_object_get(json_object_get(old, "StorageDescriptor"), "Columns"));
    enum catalogue_status status;
    if (same_keys) {
        status = catalogue_table_update(catalogue, crawl->database, input, &update, crawl->now_us, &err);
    } else {
        status = catalogue_table_delete(catalogue, crawl->database,
                                        json_string_value(json_object_get(input, "Name")), &err);
        if (status == CATALOGUE_OK)
            status = catalogue_table_create(catalogue, crawl->database, input, crawl->now_us, &err);
    }
    if (status != CATALOGUE_OK)
        return catalogue_failed(crawl, &err);
    json_array_append(crawl->result->updated, json_object_get(input, "Name"));
    return 0;
}

/* The name of the table at a location: the one that has it, else a new one. Freed by the caller. */
static char *choose_name(struct glue_crawl *crawl, const char *folder, const char *location, bool *exists)
{
    const char *own = json_string_value(json_object_get(crawl->tables, location));
    char name[129 + 34], hash[SIGV4_HEX];
    *exists = own != NULL;
    if (own)
        return mem_text(own);
    glue_table_name(crawl->prefix, *folder ? folder : crawl->bucket, name);
    if (catalogue_table_get(crawl->glue->catalogue, crawl->database, name, NULL, NULL) == CATALOGUE_OK) {
        sigv4_sha256(location, strlen(location), hash);
        snprintf(name + strlen(name), 34, "_%.32s", hash);
    }
    return mem_text(name);
}

/* ---- partitions ------------------------------------------------------------------------------------- */

struct partition_work {
    struct glue_crawl *crawl;
    const char *table;
    const json_t *keys, *table_columns;
    json_t *present; /* key -> partition that was there; those met are taken out */
    json_t *added;   /* inputs waiting */
    bool failed;
};

static bool collect_partition(void *context, json_t *partition)
{
    struct partition_work *work = context;
    char *key = catalogue_partition_key(json_object_get(partition, "Values"));
    json_object_set(work->present, key, partition);
    free(key);
    return true;
}

static void flush_partitions(struct partition_work *work)
{
    struct err err = ERR_INIT;
    struct catalogue_outcome outcomes[PARTITION_BATCH];
    size_t count = json_array_size(work->added);
    struct glue_crawl *crawl = work->crawl;
    if (count == 0 || work->failed)
        return;
    if (catalogue_partitions_create(crawl->glue->catalogue, crawl->database, work->table, work->added,
                                    crawl->now_us, outcomes, &err) != CATALOGUE_OK) {
        work->failed = true;
        catalogue_failed(crawl, &err);
    } else {
        for (size_t i = 0; i < count; i++)
            crawl->result->partitions_added += outcomes[i].status == CATALOGUE_OK;
    }
    json_array_clear(work->added);
}

static void put_partition(void *context, const struct glue_folder *leaf, const char *const *values,
                          size_t count)
{
    struct partition_work *work = context;
    struct glue_crawl *crawl = work->crawl;
    struct err err = ERR_INIT;
    struct buf location;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        struct buf decoded; /* Hive escapes what a folder's name cannot hold */
        buf_init(&decoded, OBJECTS_KEY_MAX + 1);
        sigv4_decode(&decoded, values[i], strlen(values[i]), false);
        json_t *value = decoded.data ? json_stringn(decoded.data, decoded.length) : NULL;
        json_array_append_new(list, value ? value : json_string(values[i]));
        buf_free(&decoded);
    }
    buf_init(&location, 2 * OBJECTS_KEY_MAX);
    buf_printf(&location, "s3://%s/%s", crawl->bucket, leaf->path);
    json_t *columns =
        crawl->inherit ? json_deep_copy(work->table_columns) : columns_of(&leaf->schema, work->keys);
    json_t *storage = storage_of(crawl, leaf->format, columns, location.data, &leaf->figures);
    json_t *input = json_pack("{s:O, s:o, s:o}", "Values", list, "StorageDescriptor", storage, "Parameters",
                              parameters_of(crawl, leaf->format, &leaf->figures));
    char *key = catalogue_partition_key(list);
    json_t *old = json_object_get(work->present, key);
    if (!old) {
        json_array_append(work->added, input);
        if (json_array_size(work->added) == PARTITION_BATCH)
            flush_partitions(work);
    } else if (crawl->update && !crawl->new_only && !work->failed &&
               (!json_equal(json_object_get(old, "StorageDescriptor"), storage) ||
                !json_equal(json_object_get(old, "Parameters"), json_object_get(input, "Parameters")))) {
        if (catalogue_partition_update(crawl->glue->catalogue, crawl->database, work->table, list, input,
                                       &err) == CATALOGUE_OK)
            crawl->result->partitions_updated++;
        else
            work->failed = catalogue_failed(crawl, &err) < 0;
    }
    json_object_del(work->present, key);
    free(key);
    buf_free(&location);
    json_decref(input);
    json_decref(list);
}

/* Partitions whose folders are gone. With DEPRECATE_IN_DATABASE they go too: a partition has no state. */
static int delete_partitions(struct partition_work *work)
{
    struct glue_crawl *crawl = work->crawl;
    struct err err = ERR_INIT;
    const char *key;
    json_t *partition, *lists = json_array();
    struct glue_crawl_result *result = crawl->result;
    if ((crawl->delete_tables || crawl->deprecate) && !crawl->new_only)
        json_object_foreach(work->present, key, partition)
            json_array_append(lists, json_object_get(partition, "Values"));
    size_t count = json_array_size(lists);
    struct catalogue_outcome *outcomes = mem_zero(count + 1, sizeof *outcomes);
    int status = 0;
    if (count > 0 && catalogue_partitions_delete(crawl->glue->catalogue, crawl->database, work->table, lists,
                                                 outcomes, &err) != CATALOGUE_OK)
        status = catalogue_failed(crawl, &err);
    else
        result->partitions_deleted += (int64_t)count;
    free(outcomes);
    json_decref(lists);
    return status;
}

static int put_partitions(struct glue_crawl *crawl, const char *table, const struct glue_folder *folder)
{
    struct err err = ERR_INIT;
    json_t *item;
    if (catalogue_table_get(crawl->glue->catalogue, crawl->database, table, &item, &err) != CATALOGUE_OK)
        return catalogue_failed(crawl, &err);
    const json_t *keys = json_object_get(item, "PartitionKeys");
    struct partition_work work = {
        .crawl = crawl,
        .table = table,
        .keys = keys,
        .table_columns = json_object_get(json_object_get(item, "StorageDescriptor"), "Columns"),
        .present = json_object(),
        .added = json_array(),
    };
    struct catalogue_partition_query query = {.context = &work};
    int result = 0;
    /* With UpdateBehavior LOG the table may have other keys than the folders: then it stays as it is. */
    if (json_array_size(keys) == (size_t)folder->levels && folder->levels > 0) {
        if (catalogue_partition_list(crawl->glue->catalogue, crawl->database, table, &query,
                                     collect_partition, &err) != CATALOGUE_OK)
            result = catalogue_failed(crawl, &err);
        else
            glue_tree_partitions(folder, put_partition, &work);
        flush_partitions(&work);
        if (result == 0 && !work.failed)
            result = delete_partitions(&work);
    }
    json_decref(work.present);
    json_decref(work.added);
    json_decref(item);
    return work.failed ? -1 : result;
}

/* ---- tables ----------------------------------------------------------------------------------------- */

static void put_table(void *context, const struct glue_found *found)
{
    struct glue_crawl *crawl = context;
    struct err err = ERR_INIT;
    struct buf location;
    bool exists;
    if (crawl->result->failed)
        return;
    const struct glue_file *file = found->file;
    const char *folder = file ? file->key + strlen(found->folder->path) : found->folder->name;
    struct glue_figures figures = found->folder->figures;
    if (file)
        figures = (struct glue_figures){1, file->size, file->records > 0 ? file->records : 0};
    buf_init(&location, 2 * OBJECTS_KEY_MAX);
    buf_printf(&location, "s3://%s/%s", crawl->bucket, file ? file->key : found->folder->path);
    json_object_set_new(crawl->seen, location.data, json_true());
    char *name = choose_name(crawl, folder, location.data, &exists);
    enum glue_format format = file ? file->format : found->folder->format;
    json_t *keys = file ? json_array() : keys_of(found->folder);
    json_t *columns = columns_of(file ? &file->schema : &found->folder->schema, keys);
    json_t *input = json_pack(
        "{s:s, s:s, s:i, s:o, s:o, s:s, s:o}", "Name", name, "Owner", "owner", "Retention", 0,
        "StorageDescriptor", storage_of(crawl, format, columns, location.data, &figures), "PartitionKeys",
        keys, "TableType", "EXTERNAL_TABLE", "Parameters", parameters_of(crawl, format, &figures));
    json_t *old = NULL;
    if (exists &&
        catalogue_table_get(crawl->glue->catalogue, crawl->database, name, &old, &err) == CATALOGUE_OK) {
        update_table(crawl, input, old);
    } else if (catalogue_table_create(crawl->glue->catalogue, crawl->database, input, crawl->now_us, &err) ==
               CATALOGUE_OK) {
        json_array_append(crawl->result->added, json_object_get(input, "Name"));
        json_object_set_new(crawl->tables, location.data, json_string(name));
    } else {
        catalogue_failed(crawl, &err);
    }
    if (!file && !crawl->result->failed)
        put_partitions(crawl, name, found->folder);
    json_decref(old);
    json_decref(input);
    free(name);
    buf_free(&location);
}

static int crawl_target(struct glue_crawl *crawl, const json_t *target)
{
    int result = glue_crawl_read(crawl, target);
    if (result == 0) {
        int root_level = 1;
        for (const char *at = crawl->root.path; *at; at++)
            root_level += *at == '/';
        glue_tree_settle(&crawl->root, crawl->combine);
        glue_tree_tables(&crawl->root, crawl->level, root_level, put_table, crawl);
    }
    glue_folder_free(&crawl->root);
    return result < 0 || crawl->result->failed ? -1 : 0;
}

/* ---- what is gone ----------------------------------------------------------------------------------- */

static bool below_target(const json_t *targets, const char *location)
{
    const json_t *target;
    size_t index;
    json_array_foreach(targets, index, target)
    {
        const char *path = json_string_value(json_object_get(target, "Path"));
        if (path && strncmp(location, path, strlen(path)) == 0)
            return true;
    }
    return false;
}

struct gone {
    struct glue_crawl *crawl;
    const json_t *targets;
    json_t *tables; /* whole */
};

static bool collect_gone(void *context, json_t *table)
{
    struct gone *gone = context;
    const char *location =
        json_string_value(json_object_get(json_object_get(table, "StorageDescriptor"), "Location"));
    const char *by =
        json_string_value(json_object_get(json_object_get(table, "Parameters"), "UPDATED_BY_CRAWLER"));
    if (location && by && strcmp(by, gone->crawl->name) == 0 &&
        !json_object_get(gone->crawl->seen, location) && below_target(gone->targets, location))
        json_array_append(gone->tables, table);
    return true;
}

static enum catalogue_status deprecate(struct glue_crawl *crawl, const json_t *table, struct err *err)
{
    json_t *input = json_deep_copy(table);
    json_t *parameters = json_object_get(input, "Parameters");
    struct catalogue_update update = {.skip_archive = true};
    if (json_object_get(parameters, "DEPRECATED_BY_CRAWLER")) {
        json_decref(input);
        return CATALOGUE_OK;
    }
    set_int(parameters, "DEPRECATED_BY_CRAWLER", crawl->now_us / 1000);
    enum catalogue_status status =
        catalogue_table_update(crawl->glue->catalogue, crawl->database, input, &update, crawl->now_us, err);
    if (status == CATALOGUE_OK)
        json_array_append(crawl->result->updated, json_object_get(table, "Name"));
    json_decref(input);
    return status;
}

static void handle_gone(struct glue_crawl *crawl, const json_t *targets)
{
    struct err err = ERR_INIT;
    struct gone gone = {.crawl = crawl, .targets = targets, .tables = json_array()};
    json_t *table;
    size_t index;
    if ((!crawl->delete_tables && !crawl->deprecate) || crawl->new_only) {
        json_decref(gone.tables);
        return;
    }
    enum catalogue_status status =
        catalogue_table_list(crawl->glue->catalogue, crawl->database, "", collect_gone, &gone, &err);
    json_array_foreach(gone.tables, index, table)
    {
        const char *name = json_string_value(json_object_get(table, "Name"));
        if (status != CATALOGUE_OK)
            break;
        status = crawl->delete_tables
                     ? catalogue_table_delete(crawl->glue->catalogue, crawl->database, name, &err)
                     : deprecate(crawl, table, &err);
        if (status == CATALOGUE_OK && crawl->delete_tables) {
            glue_indexes_remove(crawl->glue, crawl->database, name);
            json_array_append(crawl->result->deleted, json_object_get(table, "Name"));
        }
    }
    if (status != CATALOGUE_OK)
        catalogue_failed(crawl, &err);
    json_decref(gone.tables);
}

/* ---- the crawl -------------------------------------------------------------------------------------- */

static bool is_text(const json_t *object, const char *name, const char *text)
{
    const char *own = json_string_value(json_object_get(object, name));
    return own && strcmp(own, text) == 0;
}

static void read_settings(struct glue_crawl *crawl, const json_t *crawler)
{
    const json_t *policy = json_object_get(crawler, "SchemaChangePolicy");
    const char *text = json_string_value(json_object_get(crawler, "Configuration"));
    json_t *configuration = text ? json_loads(text, 0, NULL) : NULL;
    const json_t *output = json_object_get(configuration, "CrawlerOutput");
    const json_t *grouping = json_object_get(configuration, "Grouping");
    crawl->update = !is_text(policy, "UpdateBehavior", "LOG");
    crawl->delete_tables = is_text(policy, "DeleteBehavior", "DELETE_FROM_DATABASE");
    crawl->deprecate = !crawl->delete_tables && !is_text(policy, "DeleteBehavior", "LOG");
    crawl->new_only =
        is_text(json_object_get(crawler, "RecrawlPolicy"), "RecrawlBehavior", "CRAWL_NEW_FOLDERS_ONLY");
    crawl->merge_columns =
        is_text(json_object_get(output, "Tables"), "AddOrUpdateBehavior", "MergeNewColumns");
    crawl->inherit =
        is_text(json_object_get(output, "Partitions"), "AddOrUpdateBehavior", "InheritFromTable");
    crawl->combine = is_text(grouping, "TableGroupingPolicy", "CombineCompatibleSchemas");
    crawl->level = (int)json_integer_value(json_object_get(grouping, "TableLevelConfiguration"));
    json_decref(configuration);
}

static bool collect_table(void *context, json_t *table)
{
    const char *location =
        json_string_value(json_object_get(json_object_get(table, "StorageDescriptor"), "Location"));
    if (location)
        json_object_set(context, location, json_object_get(table, "Name"));
    return true;
}

void glue_crawl(struct glue *glue, struct glue_task *task, const json_t *crawler,
                struct glue_crawl_result *result)
{
    struct err err = ERR_INIT;
    const char *prefix = json_string_value(json_object_get(crawler, "TablePrefix"));
    const char *database = json_string_value(json_object_get(crawler, "DatabaseName"));
    struct glue_crawl crawl = {
        .glue = glue,
        .task = task,
        .name = json_string_value(json_object_get(crawler, "Name")),
        .database = database ? database : "",
        .prefix = prefix ? prefix : "",
        .now_us = clock_wall_us(),
        .tables = json_object(),
        .seen = json_object(),
        .result = result,
    };
    const json_t *targets = json_object_get(json_object_get(crawler, "Targets"), "S3Targets"), *target;
    size_t index;
    read_settings(&crawl, crawler);
    if (catalogue_table_list(glue->catalogue, crawl.database, "", collect_table, crawl.tables, &err) !=
        CATALOGUE_OK)
        glue_crawl_fail(&crawl, err.text);
    json_array_foreach(targets, index, target) if (result->failed || result->stopped ||
                                                   crawl_target(&crawl, target) < 0) break;
    if (!result->failed && !result->stopped)
        handle_gone(&crawl, targets);
    json_decref(crawl.tables);
    json_decref(crawl.seen);
}
