#include "localcloud/athena_source.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/athena_hive.h"
#include "localcloud/athena_projection.h"
#include "localcloud/athena_prune.h"
#include "localcloud/athena_reader.h"
#include "localcloud/athena_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_COLUMN "\"athena$row\""
#define SQL_LIMIT  (32u << 20)
#define VIEW_DEPTH 20 /* of views over views */
#define NULL_VALUE "__HIVE_DEFAULT_PARTITION__"

/* ---- tables ----------------------------------------------------------------------------------------- */

struct source {
    struct athena_sources *sources;
    struct athena_reader reader;
    const json_t *keys;
    bool hidden; /* with the columns that begin with '$' */
    struct buf sql;
};

/* The columns with their types: as casts, or as an empty relation that names them all. Keys are kept apart
 * from columns of the files under names of their own. */
static int put_columns(struct source *source, bool empty)
{
    static const char *const hidden[][2] = {
        {"$path", "VARCHAR"}, {"$file_size", "BIGINT"}, {"$file_modified_time", "TIMESTAMPTZ"}};
    struct buf *sql = &source->sql;
    size_t columns = json_array_size(source->reader.columns), keys = json_array_size(source->keys);
    for (size_t i = 0; i < columns + keys; i++) {
        const json_t *column = i < columns ? json_array_get(source->reader.columns, i)
                                           : json_array_get(source->keys, i - columns);
        const char *name = athena_member(column, "Name"), *hive = athena_member(column, "Type");
        char inner[300];
        if (i < columns)
            snprintf(inner, sizeof inner, "%.255s", name);
        else
            snprintf(inner, sizeof inner, "athena$key%zu", i - columns);
        buf_text(sql, i ? ", CAST(" : " CAST(");
        if (empty)
            buf_text(sql, "NULL");
        else
            athena_quote(sql, inner, '"');
        buf_text(sql, " AS ");
        if (empty && i >= columns)
            buf_text(sql, "VARCHAR");
        else if (!athena_hive_engine(sql, hive))
            return athena_fail(source->sources->failure, "HIVE_INVALID_METADATA",
                               "column %.100s has the type %.100s", name, hive);
        buf_text(sql, ") AS ");
        athena_quote(sql, empty ? inner : name, '"');
    }
    for (size_t i = 0; source->hidden && i < 3; i++) {
        buf_printf(sql, empty ? ", CAST(NULL AS %s) AS " : ", ", hidden[i][1]);
        athena_quote(sql, hidden[i][0], '"');
    }
    return 0;
}

static void put_values(struct source *source, const json_t *values)
{
    for (size_t i = 0; i < json_array_size(source->keys); i++) {
        const char *value = json_string_value(json_array_get(values, i));
        buf_text(&source->sql, ", ");
        if (!value || strcmp(value, NULL_VALUE) == 0)
            buf_text(&source->sql, "NULL");
        else
            athena_quote(&source->sql, value, '\'');
        buf_printf(&source->sql, " AS \"athena$key%zu\"", i);
    }
}

static void put_hidden(struct source *source, const struct athena_files *files,
                       const struct athena_file *file)
{
    char path[1200], time[TEXT_TIME_SIZE];
    snprintf(path, sizeof path, "s3://%s/%s", files->bucket, file->key);
    buf_text(&source->sql, ", ");
    athena_quote(&source->sql, path, '\'');
    buf_printf(&source->sql,
               " AS \"$path\", %lld AS \"$file_size\", TIMESTAMPTZ '%s' AS \"$file_modified_time\"",
               (long long)file->size, text_time(time, file->modified_ms));
}

/* For what is told of the bytes that a query scans. */
static void note_files(struct source *source, const struct athena_file *files, size_t count)
{
    struct athena_scan *scan = source->sources->scan;
    bool parquet = source->reader.kind == READ_PARQUET;
    if (!scan)
        return;
    athena_scan_part(scan, parquet);
    for (size_t i = 0; i < count; i++)
        athena_scan_file(scan, files[i].path, files[i].size);
    if (parquet)
        athena_scan_mark(scan, &source->sql);
}

/* A SELECT for the files of a location, or several: of files that are packed alike, or of each file, when its
 * path is wanted. What is more in a file goes, what is missing is null. */
static int add_location(struct source *source, const char *location, const json_t *values)
{
    struct athena_files files;
    int result = athena_files_list(&files, source->sources->objects, location, source->sources->failure);
    for (size_t from = 0, to; result == 0 && from < files.count; from = to) {
        int packing = athena_reader_packing(&source->reader, &files.list[from]);
        for (to = from + 1; to < files.count && !source->hidden &&
                            athena_reader_packing(&source->reader, &files.list[to]) == packing;)
            to++;
        buf_text(&source->sql, " UNION ALL BY NAME SELECT 0 AS " ROW_COLUMN ", *");
        put_values(source, values);
        if (source->hidden)
            put_hidden(source, &files, &files.list[from]);
        buf_text(&source->sql, " FROM (");
        athena_reader_select(&source->reader, &files.list[from], to - from, &source->sql);
        note_files(source, &files.list[from], to - from);
        buf_char(&source->sql, ')');
    }
    athena_files_free(&files);
    return result;
}

struct partitions {
    const struct athena_prune *prune;
    json_t *list;
};

static bool wants_partition(void *context, const json_t *values)
{
    const struct partitions *partitions = context;
    return athena_prune_wants(partitions->prune, values);
}

static bool note_partition(void *context, json_t *item)
{
    struct partitions *partitions = context;
    json_array_append_new(partitions->list,
                          json_pack("{s:O,s:s}", "Values", json_object_get(item, "Values"), "Location",
                                    athena_member(json_object_get(item, "StorageDescriptor"), "Location")));
    return true;
}

/* What a query can need of them. NULL and failed. */
static json_t *list_partitions(struct source *source, const struct athena_table *table, const json_t *entry,
                               const struct athena_prune *prune)
{
    if (athena_projection_is(entry))
        return athena_projection_list(entry, prune, clock_wall_us(), source->sources->failure);
    struct partitions partitions = {.prune = prune, .list = json_array()};
    struct catalogue_partition_query query = {.after = "", .wants = wants_partition, .context = &partitions};
    struct err err = ERR_INIT;
    if (catalogue_partition_list(source->sources->catalogue, table->database, table->name, &query,
                                 note_partition, &err) == CATALOGUE_OK)
        return partitions.list;
    json_decref(partitions.list);
    (void)athena_fail(source->sources->failure, "HIVE_METASTORE_ERROR", "%.300s", err.text);
    return NULL;
}

static int add_rows(struct source *source, const struct athena_table *table, const json_t *entry, bool all)
{
    if (json_array_size(source->keys) == 0)
        return add_location(source, athena_member(json_object_get(entry, "StorageDescriptor"), "Location"),
                            NULL);
    struct athena_prune *prune = all ? NULL : athena_prune_open(table, source->keys);
    json_t *partitions = list_partitions(source, table, entry, prune), *partition;
    size_t index;
    int result = partitions ? 0 : -1;
    json_array_foreach(partitions, index, partition)
    {
        if (result == 0)
            result = add_location(source, athena_member(partition, "Location"),
                                  json_object_get(partition, "Values"));
    }
    json_decref(partitions);
    athena_prune_close(prune);
    return result;
}

static void begin_view(struct buf *sql, const struct athena_table *table)
{
    struct buf name;
    buf_init(&name, 1000);
    buf_printf(&name, "%s.%s", table->database, table->name);
    buf_text(sql, "CREATE OR REPLACE TEMP VIEW ");
    athena_quote(sql, name.data ? name.data : "", '"');
    buf_text(sql, " AS ");
    buf_free(&name);
}

/* The engine names blobs where Athena names objects: only what is before that is told. */
static int run_view(struct athena_sources *sources, const struct athena_table *table, struct buf *sql)
{
    struct err err = ERR_INIT;
    if (sql->overflow)
        return athena_fail(sources->failure, "EXCEEDED_MEMORY_LIMIT", "the table has too many files");
    if (duck_exec(sources->connection, sql->data, &err) == 0)
        return 0;
    if (err.kind == ERR_CANCELLED)
        return athena_fail(sources->failure, "USER_CANCELED", "Query cancelled by user");
    return athena_fail(sources->failure, "HIVE_BAD_DATA",
                       "Files of table %.100s.%.100s cannot be read as what the catalogue says they are",
                       table->database, table->name);
}

static int create_table(struct athena_sources *sources, const struct athena_table *table, const json_t *entry,
                        bool all, bool hidden)
{
    struct source source = {
        .sources = sources, .keys = json_object_get(entry, "PartitionKeys"), .hidden = hidden};
    buf_init(&source.sql, SQL_LIMIT);
    int result = athena_reader_open(&source.reader, entry, sources->failure);
    begin_view(&source.sql, table);
    buf_text(&source.sql, "SELECT");
    if (result == 0)
        result = put_columns(&source, false);
    /* A column of constants comes first: when no column is asked for, the engine takes the first, and counts
     * rows by the footers alone. */
    buf_text(&source.sql, " FROM (SELECT CAST(NULL AS INTEGER) AS " ROW_COLUMN ",");
    if (result == 0)
        result = put_columns(&source, true);
    buf_text(&source.sql, " WHERE false");
    if (result == 0)
        result = add_rows(&source, table, entry, all);
    buf_char(&source.sql, ')');
    if (result == 0)
        result = run_view(sources, table, &source.sql);
    buf_free(&source.sql);
    return result;
}

/* ---- views ------------------------------------------------------------------------------------------ */

static int create(struct athena_sources *sources, const struct athena_table *table, bool hidden, int depth);

static int stale(struct athena_sources *sources, const struct athena_table *table, const char *why)
{
    return athena_fail(sources->failure, "VIEW_IS_STALE",
                       "line %d:%d: View 'awsdatacatalog.%.100s.%.100s' is stale or in invalid state: %.150s",
                       table->line, table->column, table->database, table->name, why);
}

static int create_view(struct athena_sources *sources, const struct athena_table *table, const json_t *entry,
                       int depth)
{
    if (depth == VIEW_DEPTH)
        return athena_fail(sources->failure, "VIEW_IS_RECURSIVE",
                           "line %d:%d: Statement stored in view is recursive", table->line, table->column);
    json_t *view = athena_view_read(entry);
    if (!view)
        return stale(sources, table, "its text is not a view of Athena's");
    const char *schema = athena_member(view, "schema");
    const json_t *columns = json_object_get(view, "columns");
    struct athena_query query;
    struct athena_failure inner = {0}, *outer = sources->failure;
    sources->failure = &inner;
    int result = athena_rewrite_text(athena_member(view, "originalSql"), *schema ? schema : table->database,
                                     &query, &inner);
    for (size_t i = 0; i < query.table_count && result == 0; i++)
        result = create(sources, &query.tables[i], query.hidden, depth + 1);
    sources->failure = outer;
    if (result == 0) {
        struct buf sql;
        struct err err = ERR_INIT;
        buf_init(&sql, SQL_LIMIT);
        begin_view(&sql, table);
        buf_text(&sql, "SELECT * FROM (");
        buf_text(&sql, query.sql);
        buf_text(&sql, ") AS q(");
        for (size_t i = 0; i < json_array_size(columns); i++) {
            buf_text(&sql, i ? ", " : "");
            athena_quote(&sql, athena_member(json_array_get(columns, i), "name"), '"');
        }
        buf_char(&sql, ')');
        if (sql.overflow || duck_exec(sources->connection, sql.data, &err) != 0)
            result = stale(sources, table, "its query does not fit its tables any more");
        buf_free(&sql);
    } else if (strcmp(inner.kind, "VIEW_IS_RECURSIVE") == 0 || strcmp(inner.kind, "USER_CANCELED") == 0) {
        *outer = inner;
    } else {
        result = stale(sources, table, inner.text);
    }
    athena_query_free(&query);
    json_decref(view);
    return result;
}

/* ---- the catalogue ---------------------------------------------------------------------------------- */

static int create_known(struct athena_sources *sources, const struct athena_table *table, bool all,
                        bool hidden, int depth)
{
    json_t *entry = NULL;
    struct err err = ERR_INIT;
    struct buf sql;
    buf_init(&sql, SQL_LIMIT);
    begin_view(&sql, table);
    int own = athena_schema_select(sources, table, &sql);
    int result = own == 1 ? run_view(sources, table, &sql) : own;
    buf_free(&sql);
    if (own != 0)
        return result;
    enum catalogue_status status =
        catalogue_table_get(sources->catalogue, table->database, table->name, &entry, &err);
    if (status == CATALOGUE_NO_DATABASE)
        return athena_fail(sources->failure, "SCHEMA_NOT_FOUND", "line %d:%d: Schema '%s' does not exist",
                           table->line, table->column, table->database);
    if (status != CATALOGUE_OK)
        return athena_fail(sources->failure, "TABLE_NOT_FOUND",
                           "line %d:%d: Table 'awsdatacatalog.%s.%s' does not exist", table->line,
                           table->column, table->database, table->name);
    result = athena_view_is(entry) ? create_view(sources, table, entry, depth)
                                   : create_table(sources, table, entry, all, hidden);
    json_decref(entry);
    return result;
}

/* A table that a query and a view in it both name is one view of the engine: it then has all partitions. */
static int create(struct athena_sources *sources, const struct athena_table *table, bool hidden, int depth)
{
    char name[600];
    snprintf(name, sizeof name, "%s.%s", table->database, table->name);
    if (!sources->made)
        sources->made = json_object();
    const json_t *made = json_object_get(sources->made, name);
    if (json_is_true(made) && depth < VIEW_DEPTH && !hidden)
        return 0;
    bool all = made != NULL || !table->conditions;
    int result = create_known(sources, table, all, hidden, depth);
    if (result == 0)
        json_object_set_new(sources->made, name, json_boolean(all));
    return result;
}

int athena_sources_add(struct athena_sources *sources, const struct athena_query *query)
{
    for (size_t i = 0; i < query->table_count; i++)
        if (create(sources, &query->tables[i], query->hidden, 0) != 0)
            return -1;
    return 0;
}

void athena_sources_end(struct athena_sources *sources)
{
    json_decref(sources->made);
    sources->made = NULL;
}
