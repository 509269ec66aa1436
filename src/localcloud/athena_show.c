/* SHOW and DESCRIBE: lines as Hive writes them, columns padded to 20 and parted by tabs. A line is one value
 * in GetQueryResults, tabs and all, as on AWS. */
#include "localcloud/athena_task.h"

#include "base/text.h"
#include "localcloud/athena_view.h"

#include <stdlib.h>
#include <string.h>

/* ---- lists ------------------------------------------------------------------------------------------ */

struct listing {
    struct buf *out;
    const char *pattern; /* of Hive: '*' any text, '|' or; NULL all */
    bool views_only;
};

/* Until '|' or the end of the pattern. */
static bool match_one(const char *pattern, const char *name)
{
    const char *star = NULL, *retry = NULL;
    for (;;) {
        bool end = *pattern == '\0' || *pattern == '|';
        if (end && *name == '\0')
            return true;
        if (!end && *pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (!end && *name && (*pattern == '.' || *pattern == *name)) {
            pattern++;
            name++;
        } else if (star && *retry) {
            pattern = star;
            name = ++retry;
        } else {
            return false;
        }
    }
}

static bool matches(const char *pattern, const char *name)
{
    while (pattern) {
        if (match_one(pattern, name))
            return true;
        pattern = strchr(pattern, '|');
        pattern = pattern ? pattern + 1 : NULL;
    }
    return false;
}

static bool name_line(void *context, json_t *item)
{
    struct listing *listing = context;
    const char *name = athena_member(item, "Name");
    bool view = strcmp(athena_member(item, "TableType"), "VIRTUAL_VIEW") == 0;
    if ((!listing->views_only || view) && (!listing->pattern || matches(listing->pattern, name)))
        buf_printf(listing->out, "%s\n", name);
    return true;
}

static int show_list(struct athena_task *task)
{
    const struct athena_statement *s = task->statement;
    struct err err = ERR_INIT;
    struct listing listing = {
        .out = task->lines, .pattern = s->pattern, .views_only = s->verb == VERB_SHOW_VIEWS};
    bool databases = s->verb == VERB_SHOW_DATABASES;
    enum catalogue_status status =
        databases ? catalogue_database_list(athena_task_catalogue(task), "", name_line, &listing, &err)
                  : catalogue_table_list(athena_task_catalogue(task), athena_task_database(task), "",
                                         name_line, &listing, &err);
    if (status != CATALOGUE_OK)
        return athena_task_missing(task, status, &err);
    athena_task_column(task,
                       databases            ? "database_name"
                       : listing.views_only ? "views"
                                            : "tab_name",
                       "string");
    return 0;
}

struct partition_lines {
    struct buf *out, path;
    const json_t *keys;
};

static bool partition_line(void *context, json_t *item)
{
    struct partition_lines *lines = context;
    buf_reset(&lines->path);
    athena_partition_path(&lines->path, lines->keys, json_object_get(item, "Values"));
    buf_printf(lines->out, "%s\n", lines->path.data ? lines->path.data : "");
    return true;
}

static int show_partitions(struct athena_task *task, const json_t *table)
{
    struct partition_lines lines = {.out = task->lines, .keys = json_object_get(table, "PartitionKeys")};
    if (json_array_size(lines.keys) == 0)
        return athena_task_refuse(task,
                                  "SemanticException [Error 10241]: Table %.200s is not a partitioned table",
                                  task->statement->name);
    struct err err = ERR_INIT;
    struct catalogue_partition_query query = {.after = "", .context = &lines};
    buf_init(&lines.path, 65536);
    enum catalogue_status status =
        catalogue_partition_list(athena_task_catalogue(task), athena_task_database(task),
                                 task->statement->name, &query, partition_line, &err);
    buf_free(&lines.path);
    if (status != CATALOGUE_OK)
        return athena_task_missing(task, status, &err);
    athena_task_column(task, "partition", "string");
    return 0;
}

/* ---- columns ---------------------------------------------------------------------------------------- */

static void column_lines(struct buf *out, const json_t *columns)
{
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        buf_printf(out, "%-20s\t%-20s\t%-20s\n", athena_member(column, "Name"), athena_member(column, "Type"),
                   athena_member(column, "Comment"));
    }
}

static int show_columns(struct athena_task *task, const json_t *table)
{
    const json_t *lists[] = {json_object_get(json_object_get(table, "StorageDescriptor"), "Columns"),
                             json_object_get(table, "PartitionKeys")};
    for (size_t part = 0; part < 2; part++)
        for (size_t i = 0; i < json_array_size(lists[part]); i++)
            buf_printf(task->lines, "%-20s\n", athena_member(json_array_get(lists[part], i), "Name"));
    athena_task_column(task, "field", "string");
    return 0;
}

static void detail_lines(struct athena_task *task, const json_t *table)
{
    const json_t *storage = json_object_get(table, "StorageDescriptor");
    const json_t *serde = json_object_get(storage, "SerdeInfo");
    struct buf *out = task->lines;
    const char *name;
    json_t *value;
    buf_printf(out, "\t \t \n# Detailed Table Information\t \t \n");
    buf_printf(out, "%-20s\t%-20s\t \n", "Database:", athena_member(table, "DatabaseName"));
    buf_printf(out, "%-20s\t%-20s\t \n", "Owner:", athena_member(table, "Owner"));
    buf_printf(out, "%-20s\t%-20s\t \n", "Location:", athena_member(storage, "Location"));
    buf_printf(out, "%-20s\t%-20s\t \n", "Table Type:", athena_member(table, "TableType"));
    buf_printf(out, "Table Parameters:\t \t \n");
    json_object_foreach(json_object_get(table, "Parameters"), name, value)
        buf_printf(out, "\t%-20s\t%-20s\n", name, json_string_value(value));
    buf_printf(out, "\t \t \n# Storage Information\t \t \n");
    buf_printf(out, "%-20s\t%-20s\t \n", "SerDe Library:", athena_member(serde, "SerializationLibrary"));
    buf_printf(out, "%-20s\t%-20s\t \n", "InputFormat:", athena_member(storage, "InputFormat"));
    buf_printf(out, "%-20s\t%-20s\t \n", "OutputFormat:", athena_member(storage, "OutputFormat"));
    buf_printf(out, "Storage Desc Params:\t \t \n");
    json_object_foreach(json_object_get(serde, "Parameters"), name, value)
        buf_printf(out, "\t%-20s\t%-20s\n", name, json_string_value(value));
}

static int describe(struct athena_task *task, const json_t *table)
{
    const struct athena_statement *s = task->statement;
    const json_t *columns = json_object_get(json_object_get(table, "StorageDescriptor"), "Columns"),
                 *keys = json_object_get(table, "PartitionKeys");
    if (s->detailed)
        buf_printf(task->lines, "# %-20s\t%-20s\t%-20s\n\t \t \n", "col_name", "data_type", "comment");
    column_lines(task->lines, columns);
    if (!s->detailed)
        column_lines(task->lines, keys);
    if (json_array_size(keys) > 0) {
        buf_printf(task->lines, "\t \t \n# Partition Information\t \t \n# %-20s\t%-20s\t%-20s\n\t \t \n",
                   "col_name", "data_type", "comment");
        column_lines(task->lines, keys);
    }
    if (s->detailed)
        detail_lines(task, table);
    athena_task_column(task, "col_name", "string");
    athena_task_column(task, "data_type", "string");
    athena_task_column(task, "comment", "string");
    return 0;
}

/* ---- the statement that would make it --------------------------------------------------------------- */

static void create_columns(struct buf *out, const json_t *columns)
{
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        buf_text(out, i ? ", \n  " : "\n  ");
        athena_quote(out, athena_member(column, "Name"), '`');
        buf_printf(out, " %s", athena_member(column, "Type"));
        if (*athena_member(column, "Comment")) {
            buf_text(out, " COMMENT ");
            athena_quote(out, athena_member(column, "Comment"), '\'');
        }
    }
    buf_char(out, ')');
}

static void create_pairs(struct buf *out, const json_t *pairs)
{
    const char *name;
    json_t *value;
    bool first = true;
    json_object_foreach((json_t *)pairs, name, value)
    {
        buf_text(out, first ? "\n  " : ", \n  ");
        athena_quote(out, name, '\'');
        buf_char(out, '=');
        athena_quote(out, json_string_value(value) ? json_string_value(value) : "", '\'');
        first = false;
    }
    buf_char(out, ')');
}

static int show_create_table(struct athena_task *task, const json_t *table)
{
    struct buf *out = task->lines;
    const json_t *storage = json_object_get(table, "StorageDescriptor");
    const json_t *serde = json_object_get(storage, "SerdeInfo");
    json_t *parameters = json_object_get(table, "Parameters");
    if (athena_view_is(table))
        return athena_task_refuse(task, "SemanticException %.200s is a view: use SHOW CREATE VIEW",
                                  task->statement->name);
    buf_text(out, "CREATE EXTERNAL TABLE ");
    athena_quote(out, athena_member(table, "Name"), '`');
    buf_char(out, '(');
    create_columns(out, json_object_get(storage, "Columns"));
    buf_char(out, '\n');
    if (*athena_member(table, "Description")) {
        buf_text(out, "COMMENT ");
        athena_quote(out, athena_member(table, "Description"), '\'');
        buf_char(out, '\n');
    }
    if (json_array_size(json_object_get(table, "PartitionKeys")) > 0) {
        buf_text(out, "PARTITIONED BY ( ");
        create_columns(out, json_object_get(table, "PartitionKeys"));
        buf_char(out, '\n');
    }
    buf_text(out, "ROW FORMAT SERDE \n  ");
    athena_quote(out, athena_member(serde, "SerializationLibrary"), '\'');
    json_t *pairs = json_deep_copy(json_object_get(serde, "Parameters"));
    if (strcmp(athena_member(pairs, "serialization.format"), "1") == 0)
        json_object_del(pairs, "serialization.format");
    if (json_object_size(pairs) > 0) {
        buf_text(out, " \nWITH SERDEPROPERTIES ( ");
        create_pairs(out, pairs);
    }
    json_decref(pairs);
    buf_text(out, " \nSTORED AS INPUTFORMAT \n  ");
    athena_quote(out, athena_member(storage, "InputFormat"), '\'');
    buf_text(out, " \nOUTPUTFORMAT \n  ");
    athena_quote(out, athena_member(storage, "OutputFormat"), '\'');
    buf_text(out, "\nLOCATION\n  ");
    athena_quote(out, athena_member(storage, "Location"), '\'');
    json_t *shown = json_deep_copy(parameters);
    json_object_del(shown, "EXTERNAL");
    buf_text(out, "\nTBLPROPERTIES (");
    create_pairs(out, shown);
    json_decref(shown);
    buf_char(out, '\n');
    athena_task_column(task, "createtab_stmt", "string");
    return 0;
}

static int show_properties(struct athena_task *task, const json_t *table)
{
    const struct athena_statement *s = task->statement;
    const json_t *parameters = json_object_get(table, "Parameters");
    const char *name;
    json_t *value;
    if (s->pattern) {
        const char *one = json_string_value(json_object_get(parameters, s->pattern));
        if (one)
            buf_printf(task->lines, "%s\n", one);
        else
            buf_printf(task->lines, "Table %s.%s does not have property: %s\n", athena_task_database(task),
                       s->name, s->pattern);
    } else {
        json_object_foreach((json_t *)parameters, name, value)
            buf_printf(task->lines, "%s\t%s\n", name, json_string_value(value));
    }
    athena_task_column(task, "prpt_name", "string");
    athena_task_column(task, "prpt_value", "string");
    return 0;
}

int athena_show_run(struct athena_task *task)
{
    enum athena_verb verb = task->statement->verb;
    if (verb == VERB_SHOW_DATABASES || verb == VERB_SHOW_TABLES || verb == VERB_SHOW_VIEWS)
        return show_list(task);
    json_t *table = athena_task_table(task);
    if (!table)
        return -1;
    int result = verb == VERB_SHOW_PARTITIONS     ? show_partitions(task, table)
                 : verb == VERB_SHOW_COLUMNS      ? show_columns(task, table)
                 : verb == VERB_DESCRIBE          ? describe(task, table)
                 : verb == VERB_SHOW_CREATE_TABLE ? show_create_table(task, table)
                 : verb == VERB_SHOW_CREATE_VIEW  ? athena_view_show(task, table)
                                                  : show_properties(task, table);
    json_decref(table);
    return result;
}
