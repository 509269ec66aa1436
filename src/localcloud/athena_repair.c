/* MSCK REPAIR TABLE: folders key=value below the table's location that are no partitions yet become some. It
 * goes down one key at a time, so it sees folders and not every object. */
#include "localcloud/athena_task.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/objects.h"

#include <stdlib.h>
#include <string.h>

#define FOLDERS_MAX 100000 /* partitions of a table */

struct repair {
    struct athena_task *task;
    const json_t *keys;
    char bucket[64];
    json_t *found; /* [[values…], …] */
};

static bool note_folder(void *context, const struct object_info *info, const char *common_prefix)
{
    if (common_prefix)
        json_array_append_new(context, json_string(common_prefix));
    return json_array_size(context) < FOLDERS_MAX;
}

/* Below `prefix`, which ends in '/', the folders of key `depth`. */
static int descend(struct repair *repair, const char *prefix, size_t depth, const json_t *values)
{
    struct err err = ERR_INIT;
    json_t *folders = json_array();
    struct objects_query query = {.prefix = prefix, .delimiter = "/", .after = ""};
    enum objects_status status = objects_list(athena_task_objects(repair->task), repair->bucket, &query,
                                              note_folder, folders, NULL, &err);
    int result = 0;
    if (status != OBJECTS_OK)
        result = athena_task_refuse(repair->task,
                                    "Execution Error, return code 1 from "
                                    "org.apache.hadoop.hive.ql.exec.DDLTask. %.200s",
                                    err.text);
    const char *key = athena_member(json_array_get(repair->keys, depth), "Name");
    size_t length = strlen(key), index;
    json_t *folder;
    json_array_foreach(folders, index, folder)
    {
        const char *name = json_string_value(folder) + strlen(prefix);
        size_t size = strlen(name);
        /* Another name, upper case or ':' in the value: passed over without a word, as Athena does. */
        if (result != 0 || size < length + 2 || strncmp(name, key, length) != 0 || name[length] != '=' ||
            memchr(name, ':', size))
            continue;
        char *value = athena_partition_unescape(name + length + 1, size - length - 2);
        json_t *more = json_deep_copy(values);
        json_array_append_new(more, json_string(value));
        free(value);
        if (depth + 1 < json_array_size(repair->keys))
            result = descend(repair, json_string_value(folder), depth + 1, more);
        else if (json_array_size(repair->found) < FOLDERS_MAX)
            json_array_append(repair->found, more);
        json_decref(more);
    }
    json_decref(folders);
    return result;
}

static int add_found(struct repair *repair, const json_t *table)
{
    struct athena_task *task = repair->task;
    const json_t *storage = json_object_get(table, "StorageDescriptor");
    json_t *inputs = json_array(), *values;
    size_t index, count = json_array_size(repair->found);
    struct buf path, location;
    buf_init(&path, 8192);
    buf_init(&location, 8192);
    json_array_foreach(repair->found, index, values)
    {
        buf_reset(&path);
        buf_reset(&location);
        athena_partition_path(&path, repair->keys, values);
        athena_location_join(&location, athena_member(storage, "Location"), path.data);
        json_t *own = json_deep_copy(storage);
        json_object_set_new(own, "Location", json_string(location.data));
        json_array_append_new(inputs, json_pack("{s:O,s:o}", "Values", values, "StorageDescriptor", own));
    }
    struct catalogue_outcome *outcomes = mem_zero(count + 1, sizeof *outcomes);
    struct err err = ERR_INIT;
    enum catalogue_status status =
        count == 0
            ? CATALOGUE_OK
            : catalogue_partitions_create(athena_task_catalogue(task), athena_task_database(task),
                                          task->statement->name, inputs, clock_wall_us(), outcomes, &err);
    bool any = false;
    for (int pass = 0; pass < 2 && status == CATALOGUE_OK; pass++) {
        for (size_t i = 0; i < count; i++) {
            if (outcomes[i].status != CATALOGUE_OK)
                continue;
            buf_reset(&path);
            athena_partition_path(&path, repair->keys, json_array_get(repair->found, i));
            if (pass == 0)
                buf_printf(task->lines, "%s\t%s:%s",
                           any ? "" : "Partitions not in metastore:", task->statement->name, path.data);
            else
                buf_printf(task->lines, "Repair: Added partition to metastore %s:%s\n", task->statement->name,
                           path.data);
            any = true;
        }
        buf_text(task->lines, pass == 0 && any ? "\n" : "");
    }
    free(outcomes);
    json_decref(inputs);
    buf_free(&path);
    buf_free(&location);
    return status == CATALOGUE_OK ? 0 : athena_task_missing(task, status, &err);
}

int athena_repair_run(struct athena_task *task)
{
    json_t *table = athena_task_table(task);
    if (!table)
        return -1;
    struct repair repair = {
        .task = task, .keys = json_object_get(table, "PartitionKeys"), .found = json_array()};
    char key[1026];
    int result = 0;
    if (json_array_size(repair.keys) == 0)
        result = athena_task_refuse(task,
                                    "Execution Error, return code 1 from "
                                    "org.apache.hadoop.hive.ql.exec.DDLTask. Table %.200s is not a "
                                    "partitioned table",
                                    task->statement->name);
    else if (!athena_s3_split(athena_member(json_object_get(table, "StorageDescriptor"), "Location"),
                              repair.bucket, key))
        result = athena_task_refuse(task, "SemanticException the location of the table is not in S3");
    if (result == 0) {
        size_t length = strlen(key);
        if (length > 0 && key[length - 1] != '/')
            memcpy(key + length, "/", 2);
        json_t *none = json_array();
        result = descend(&repair, key, 0, none);
        json_decref(none);
    }
    if (result == 0)
        result = add_found(&repair, table);
    if (result == 0)
        athena_task_column(task, "result", "string");
    json_decref(repair.found);
    json_decref(table);
    return result;
}
