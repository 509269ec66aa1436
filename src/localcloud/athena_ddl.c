/* Databases, tables and partitions by DDL. Messages are Hive's, which runs this part of Athena. */
#include "localcloud/athena_task.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DDL_TASK "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "

/* ---- databases -------------------------------------------------------------------------------------- */

static int create_database(struct athena_task *task)
{
    const struct athena_statement *s = task->statement;
    struct err err = ERR_INIT;
    json_t *input = json_pack("{s:s,s:s*,s:s*}", "Name", athena_task_database(task), "Description",
                              s->comment, "LocationUri", s->location);
    if (s->options)
        json_object_set(input, "Parameters", s->options);
    enum catalogue_status status =
        catalogue_database_create(athena_task_catalogue(task), input, clock_wall_us(), &err);
    json_decref(input);
    if (status == CATALOGUE_OK || (status == CATALOGUE_EXISTS && s->if_exists))
        return 0;
    if (status == CATALOGUE_EXISTS)
        return athena_task_refuse(task, DDL_TASK "Database %.255s already exists",
                                  athena_task_database(task));
    return athena_task_missing(task, status, &err);
}

static bool note(void *context, json_t *item)
{
    *(bool *)context = true;
    return false;
}

static int drop_database(struct athena_task *task)
{
    const struct athena_statement *s = task->statement;
    const char *database = athena_task_database(task);
    struct err err = ERR_INIT;
    bool tables = false;
    enum catalogue_status status =
        catalogue_table_list(athena_task_catalogue(task), database, "", note, &tables, &err);
    if (status == CATALOGUE_OK && tables && !s->cascade)
        return athena_task_refuse(
            task,
            DDL_TASK
            "InvalidOperationException(message:Database %.200s is not empty. One or more tables exist.)",
            database);
    if (status == CATALOGUE_OK)
        status = catalogue_database_delete(athena_task_catalogue(task), database, &err);
    if (status == CATALOGUE_OK || (status == CATALOGUE_NO_DATABASE && s->if_exists))
        return 0;
    return athena_task_missing(task, status, &err);
}

/* ---- tables ----------------------------------------------------------------------------------------- */

static void set_default(json_t *object, const char *name, const char *value)
{
    if (object && !json_object_get(object, name))
        json_object_set_new(object, name, json_string(value));
}

static int create_table(struct athena_task *task)
{
    const struct athena_statement *s = task->statement;
    struct err err = ERR_INIT;
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%lld", (long long)(clock_wall_us() / 1000000));
    json_t *storage = json_object_get(s->input, "StorageDescriptor");
    json_t *serde = json_object_get(storage, "SerdeInfo");
    set_default(json_object_get(serde, "Parameters"), "serialization.format", "1");
    set_default(json_object_get(s->input, "Parameters"), "transient_lastDdlTime", seconds);
    set_default(s->input, "Owner", "hadoop");
    const char *location = athena_member(storage, "Location");
    char bucket[64], key[1025];
    if (!athena_s3_split(location, bucket, key))
        return athena_task_refuse(
            task, DDL_TASK "MetaException(message:%.100s is not an s3:// location of a folder)", location);
    enum catalogue_status status = catalogue_table_create(
        athena_task_catalogue(task), athena_task_database(task), s->input, clock_wall_us(), &err);
    if (status == CATALOGUE_OK || (status == CATALOGUE_EXISTS && s->if_exists))
        return 0;
    if (status == CATALOGUE_EXISTS)
        return athena_task_refuse(
            task, DDL_TASK "AlreadyExistsException(message:Table %.200s already exists)", s->name);
    return athena_task_missing(task, status, &err);
}

static int drop_table(struct athena_task *task)
{
    const struct athena_statement *s = task->statement;
    struct err err = ERR_INIT;
    json_t *table = NULL;
    enum catalogue_status status =
        catalogue_table_get(athena_task_catalogue(task), athena_task_database(task), s->name, &table, &err);
    bool view = strcmp(athena_member(table, "TableType"), "VIRTUAL_VIEW") == 0;
    json_decref(table);
    if (view)
        return athena_task_refuse(
            task, "SemanticException [Error 10217]: Cannot drop a view with DROP TABLE: %.200s", s->name);
    if (status == CATALOGUE_OK)
        status =
            catalogue_table_delete(athena_task_catalogue(task), athena_task_database(task), s->name, &err);
    bool absent = status == CATALOGUE_NO_TABLE || status == CATALOGUE_NO_DATABASE;
    if (status == CATALOGUE_OK || (absent && s->if_exists))
        return 0;
    return athena_task_missing(task, status, &err);
}

/* Writes a changed table back; what Glue's answers have and its inputs have not is passed over there. */
static int update_table(struct athena_task *task, json_t *table)
{
    static const char *const inputs[] = {
        "Name",      "Description",       "Owner",         "LastAccessTime",   "LastAnalyzedTime",
        "Retention", "StorageDescriptor", "PartitionKeys", "ViewOriginalText", "ViewExpandedText",
        "TableType", "Parameters",        "TargetTable"};
    struct err err = ERR_INIT;
    json_t *input = json_object();
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (json_object_get(table, inputs[i]))
            json_object_set(input, inputs[i], json_object_get(table, inputs[i]));
    struct catalogue_update how = {.version = NULL};
    enum catalogue_status status = catalogue_table_update(
        athena_task_catalogue(task), athena_task_database(task), input, &how, clock_wall_us(), &err);
    json_decref(input);
    return status == CATALOGUE_OK ? 0 : athena_task_missing(task, status, &err);
}

static bool has_column(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(athena_member(json_array_get(list, i), "Name"), name) == 0)
            return true;
    return false;
}

static int add_columns(struct athena_task *task, json_t *table)
{
    json_t *columns = json_object_get(json_object_get(table, "StorageDescriptor"), "Columns");
    for (size_t i = 0; i < json_array_size(task->statement->columns); i++) {
        json_t *column = json_array_get(task->statement->columns, i);
        const char *name = athena_member(column, "Name");
        if (has_column(columns, name) || has_column(json_object_get(table, "PartitionKeys"), name))
            return athena_task_refuse(task, DDL_TASK "Duplicate column name: %.200s", name);
        json_array_append(columns, column);
    }
    return update_table(task, table);
}

static int replace_columns(struct athena_task *task, json_t *table)
{
    json_t *columns = task->statement->columns;
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const char *name = athena_member(json_array_get(columns, i), "Name");
        bool twice = has_column(json_object_get(table, "PartitionKeys"), name);
        for (size_t j = 0; j < i; j++)
            twice = twice || strcmp(athena_member(json_array_get(columns, j), "Name"), name) == 0;
        if (twice)
            return athena_task_refuse(task, DDL_TASK "Duplicate column name: %.200s", name);
    }
    json_object_set(json_object_get(table, "StorageDescriptor"), "Columns", columns);
    return update_table(task, table);
}

static int change_column(struct athena_task *task, json_t *table)
{
    const struct athena_statement *s = task->statement;
    json_t *columns = json_object_get(json_object_get(table, "StorageDescriptor"), "Columns"),
           *changed = json_array_get(s->columns, 0);
    const char *name = athena_member(changed, "Name");
    size_t at = 0;
    while (at < json_array_size(columns) &&
           strcmp(athena_member(json_array_get(columns, at), "Name"), s->pattern) != 0)
        at++;
    if (at == json_array_size(columns))
        return athena_task_refuse(task, "SemanticException [Error 10002]: Invalid column reference %.200s",
                                  s->pattern);
    if (strcmp(name, s->pattern) != 0 &&
        (has_column(columns, name) || has_column(json_object_get(table, "PartitionKeys"), name)))
        return athena_task_refuse(task, DDL_TASK "Duplicate column name: %.200s", name);
    json_array_set(columns, at, changed);
    return update_table(task, table);
}

static int set_properties(struct athena_task *task, json_t *table)
{
    json_t *parameters = json_object_get(table, "Parameters");
    const char *name;
    json_t *value;
    if (!parameters) {
        parameters = json_object();
        json_object_set_new(table, "Parameters", parameters);
    }
    json_object_foreach(task->statement->options, name, value)
    {
        if (json_is_string(value))
            json_object_set(parameters, name, value);
        else if (json_is_integer(value))
            json_object_set_new(parameters, name, json_sprintf("%lld", (long long)json_integer_value(value)));
        else
            return athena_task_refuse(task, "ParseException the value of %.100s is not a text", name);
    }
    return update_table(task, table);
}

/* ---- partitions ------------------------------------------------------------------------------------- */

/* {"keys": {dt: …}} in the order of the table's keys. NULL and failed when it names others or not all. */
static json_t *partition_values(struct athena_task *task, const json_t *table, const json_t *partition)
{
    const json_t *keys = json_object_get(table, "PartitionKeys"), *given = json_object_get(partition, "keys");
    json_t *values = json_array();
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *name = athena_member(json_array_get(keys, i), "Name");
        const char *value = json_string_value(json_object_get(given, name));
        if (value)
            json_array_append_new(values, json_string(value));
    }
    if (json_array_size(keys) > 0 && json_array_size(values) == json_array_size(keys) &&
        json_object_size(given) == json_array_size(keys))
        return values;
    json_decref(values);
    struct buf shown;
    buf_init(&shown, 2000);
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(partition, "keys"), name, value)
        buf_printf(&shown, "%s%s=%s", shown.length ? ", " : "", name, json_string_value(value));
    if (json_array_size(keys) == 0)
        athena_task_refuse(task,
                           "SemanticException table is not partitioned but partition spec exists: {%.200s}",
                           shown.data ? shown.data : "");
    else
        athena_task_refuse(task,
                           "ValidationFailureSemanticException Partition spec {%.200s} contains "
                           "non-partition columns or not all of them",
                           shown.data ? shown.data : "");
    buf_free(&shown);
    return NULL;
}

static int add_partitions(struct athena_task *task, const json_t *table)
{
    const struct athena_statement *s = task->statement;
    const json_t *storage = json_object_get(table, "StorageDescriptor");
    json_t *inputs = json_array();
    for (size_t i = 0; i < json_array_size(s->partitions); i++) {
        const json_t *partition = json_array_get(s->partitions, i);
        json_t *values = partition_values(task, table, partition);
        if (!values) {
            json_decref(inputs);
            return -1;
        }
        struct buf path, location;
        buf_init(&path, 8192);
        buf_init(&location, 8192);
        athena_partition_path(&path, json_object_get(table, "PartitionKeys"), values);
        athena_location_join(&location, athena_member(storage, "Location"), path.data ? path.data : "");
        json_t *own = json_deep_copy(storage);
        const char *given = athena_member(partition, "location");
        json_object_set_new(own, "Location", json_string(*given ? given : location.data));
        json_array_append_new(inputs, json_pack("{s:o,s:o}", "Values", values, "StorageDescriptor", own));
        buf_free(&path);
        buf_free(&location);
    }
    size_t count = json_array_size(inputs);
    struct catalogue_outcome *outcomes = mem_zero(count + 1, sizeof *outcomes);
    struct err err = ERR_INIT;
    enum catalogue_status status =
        catalogue_partitions_create(athena_task_catalogue(task), athena_task_database(task), s->name, inputs,
                                    clock_wall_us(), outcomes, &err);
    int result = status == CATALOGUE_OK ? 0 : athena_task_missing(task, status, &err);
    for (size_t i = 0; i < count && result == 0; i++) {
        if (outcomes[i].status == CATALOGUE_EXISTS && !s->if_exists)
            result =
                athena_task_refuse(task, DDL_TASK "AlreadyExistsException(message:Partition already exists)");
        else if (outcomes[i].status != CATALOGUE_OK && outcomes[i].status != CATALOGUE_EXISTS)
            result = athena_task_missing(task, outcomes[i].status, &outcomes[i].err);
    }
    free(outcomes);
    json_decref(inputs);
    return result;
}

/* A spec of some keys drops all partitions that have them, as in Hive. */
struct dropping {
    const json_t *keys, *partitions;
    json_t *lists;
    size_t *hits; /* a partition spec */
};

static bool note_dropped(void *context, json_t *item)
{
    struct dropping *dropping = context;
    const json_t *values = json_object_get(item, "Values");
    for (size_t i = 0; i < json_array_size(dropping->partitions); i++) {
        const json_t *spec = json_object_get(json_array_get(dropping->partitions, i), "keys");
        bool all = true;
        for (size_t k = 0; k < json_array_size(dropping->keys); k++) {
            const json_t *wanted =
                json_object_get(spec, athena_member(json_array_get(dropping->keys, k), "Name"));
            all = all && (!wanted || json_equal(wanted, json_array_get(values, k)));
        }
        if (!all)
            continue;
        dropping->hits[i]++;
        json_array_append_new(dropping->lists, json_deep_copy(values));
        break;
    }
    return true;
}

static int drop_partitions(struct athena_task *task, const json_t *table)
{
    const struct athena_statement *s = task->statement;
    const json_t *keys = json_object_get(table, "PartitionKeys");
    size_t specs = json_array_size(s->partitions);
    for (size_t i = 0; i < specs; i++) {
        const char *name;
        json_t *value;
        json_object_foreach(
            json_object_get(json_array_get(s->partitions, i), "keys"), name,
            value) if (!has_column(keys,
                                   name)) return athena_task_refuse(task,
                                                                    "SemanticException [Error 10006]: "
                                                                    "Partition not found (%.100s = '%.100s')",
                                                                    name, json_string_value(value));
    }
    struct dropping dropping = {.keys = keys,
                                .partitions = s->partitions,
                                .lists = json_array(),
                                .hits = mem_zero(specs + 1, sizeof(size_t))};
    struct catalogue_partition_query query = {.after = "", .context = &dropping};
    struct err err = ERR_INIT;
    enum catalogue_status status = catalogue_partition_list(
        athena_task_catalogue(task), athena_task_database(task), s->name, &query, note_dropped, &err);
    int result = status == CATALOGUE_OK ? 0 : athena_task_missing(task, status, &err);
    for (size_t i = 0; i < specs && result == 0 && !s->if_exists; i++)
        if (dropping.hits[i] == 0) {
            char *shown = json_dumps(json_object_get(json_array_get(s->partitions, i), "keys"), 0);
            result = athena_task_refuse(task, "SemanticException [Error 10006]: Partition not found %.200s",
                                        shown ? shown : "");
            free(shown);
        }
    size_t count = json_array_size(dropping.lists);
    if (result == 0 && count > 0) {
        struct catalogue_outcome *outcomes = mem_zero(count, sizeof *outcomes);
        status = catalogue_partitions_delete(athena_task_catalogue(task), athena_task_database(task), s->name,
                                             dropping.lists, outcomes, &err);
        result = status == CATALOGUE_OK ? 0 : athena_task_missing(task, status, &err);
        free(outcomes);
    }
    json_decref(dropping.lists);
    free(dropping.hits);
    return result;
}

static int set_location(struct athena_task *task, json_t *table)
{
    const struct athena_statement *s = task->statement;
    struct err err = ERR_INIT;
    char bucket[64], key[1025];
    if (!athena_s3_split(s->location, bucket, key))
        return athena_task_refuse(task, "SemanticException %.200s is not an s3:// location", s->location);
    if (!s->partitions) {
        json_object_set_new(json_object_get(table, "StorageDescriptor"), "Location",
                            json_string(s->location));
        return update_table(task, table);
    }
    json_t *values = partition_values(task, table, json_array_get(s->partitions, 0)), *partition = NULL;
    if (!values)
        return -1;
    enum catalogue_status status = catalogue_partition_get(
        athena_task_catalogue(task), athena_task_database(task), s->name, values, &partition, &err);
    if (status == CATALOGUE_OK) {
        json_t *storage = json_deep_copy(json_object_get(partition, "StorageDescriptor"));
        json_object_set_new(storage, "Location", json_string(s->location));
        json_t *input = json_pack("{s:O,s:o}", "Values", values, "StorageDescriptor", storage);
        if (json_object_get(partition, "Parameters"))
            json_object_set(input, "Parameters", json_object_get(partition, "Parameters"));
        status = catalogue_partition_update(athena_task_catalogue(task), athena_task_database(task), s->name,
                                            values, input, &err);
        json_decref(input);
    }
    json_decref(values);
    json_decref(partition);
    if (status == CATALOGUE_NO_PARTITION)
        return athena_task_refuse(task, "SemanticException [Error 10006]: Partition not found");
    return status == CATALOGUE_OK ? 0 : athena_task_missing(task, status, &err);
}

/* Where its objects are stays as it is. */
static int rename_partition(struct athena_task *task, const json_t *table)
{
    const struct athena_statement *s = task->statement;
    struct err err = ERR_INIT;
    json_t *old = partition_values(task, table, json_array_get(s->partitions, 0)),
           *new = old ? partition_values(task, table, json_array_get(s->partitions, 1)) : NULL,
           *partition = NULL;
    int result = new ? 0 : -1;
    if (result == 0) {
        enum catalogue_status status = catalogue_partition_get(
            athena_task_catalogue(task), athena_task_database(task), s->name, old, &partition, &err);
        if (status == CATALOGUE_OK) {
            json_t *input = json_pack("{s:O,s:O}", "Values", new, "StorageDescriptor",
                                      json_object_get(partition, "StorageDescriptor"));
            if (json_object_get(partition, "Parameters"))
                json_object_set(input, "Parameters", json_object_get(partition, "Parameters"));
            status = catalogue_partition_update(athena_task_catalogue(task), athena_task_database(task),
                                                s->name, old, input, &err);
            json_decref(input);
        }
        if (status == CATALOGUE_NO_PARTITION)
            result = athena_task_refuse(task, "SemanticException [Error 10006]: Partition not found");
        else if (status == CATALOGUE_EXISTS)
            result =
                athena_task_refuse(task, DDL_TASK "AlreadyExistsException(message:Partition already exists)");
        else if (status != CATALOGUE_OK)
            result = athena_task_missing(task, status, &err);
    }
    json_decref(old);
    json_decref(new);
    json_decref(partition);
    return result;
}

int athena_ddl_run(struct athena_task *task)
{
    switch (task->statement->verb) {
    case VERB_CREATE_DATABASE:
        return create_database(task);
    case VERB_DROP_DATABASE:
        return drop_database(task);
    case VERB_CREATE_TABLE:
        return create_table(task);
    case VERB_DROP_TABLE:
        return drop_table(task);
    default:
        break;
    }
    json_t *table = athena_task_table(task);
    if (!table)
        return -1;
    int result = -1;
    switch (task->statement->verb) {
    case VERB_ADD_PARTITION:
        result = add_partitions(task, table);
        break;
    case VERB_DROP_PARTITION:
        result = drop_partitions(task, table);
        break;
    case VERB_ADD_COLUMNS:
        result = add_columns(task, table);
        break;
    case VERB_REPLACE_COLUMNS:
        result = replace_columns(task, table);
        break;
    case VERB_CHANGE_COLUMN:
        result = change_column(task, table);
        break;
    case VERB_RENAME_PARTITION:
        result = rename_partition(task, table);
        break;
    case VERB_SET_LOCATION:
        result = set_location(task, table);
        break;
    default:
        result = set_properties(task, table);
        break;
    }
    json_decref(table);
    return result;
}
