/* What the catalogue says of itself as tables: "t$partitions" and information_schema. Their rows are
 * constants in the SELECT. */
#include "localcloud/athena_source.h"

#include "base/text.h"
#include "localcloud/athena_hive.h"
#include "localcloud/athena_task.h"
#include "localcloud/athena_view.h"

#include <stdlib.h>
#include <string.h>

#define CATALOG        "awsdatacatalog"
#define OWN_SCHEMA     "information_schema"
#define PARTITION_MARK "$partitions"
#define NULL_VALUE     "__HIVE_DEFAULT_PARTITION__"

/* ---- information_schema ----------------------------------------------------------------------------- */

struct schema {
    struct buf *sql;
    const char *database;
    size_t rows;
};

/* One more row: texts, NULL for null; "#5" a number. */
static void put_row(struct schema *schema, const char *const *values, size_t count)
{
    buf_text(schema->sql, schema->rows++ ? ", (" : "(");
    for (size_t i = 0; i < count; i++) {
        buf_text(schema->sql, i ? ", " : "");
        if (!values[i])
            buf_text(schema->sql, "NULL");
        else if (values[i][0] == '#')
            buf_text(schema->sql, values[i] + 1);
        else
            athena_quote(schema->sql, values[i], '\'');
    }
    buf_char(schema->sql, ')');
}

static bool each_schema(void *context, json_t *item)
{
    put_row(context, (const char *const[]){CATALOG, athena_member(item, "Name")}, 2);
    return true;
}

static bool each_table(void *context, json_t *item)
{
    struct schema *schema = context;
    const char *const row[] = {CATALOG, schema->database, athena_member(item, "Name"),
                               athena_view_is(item) ? "VIEW" : "BASE TABLE"};
    put_row(schema, row, 4);
    return true;
}

static bool each_view(void *context, json_t *item)
{
    struct schema *schema = context;
    json_t *view = athena_view_is(item) ? athena_view_read(item) : NULL;
    const char *const row[] = {CATALOG, schema->database, athena_member(item, "Name"),
                               athena_member(view, "originalSql")};
    if (view)
        put_row(schema, row, 4);
    json_decref(view);
    return true;
}

static bool each_columns(void *context, json_t *item)
{
    struct schema *schema = context;
    const json_t *lists[] = {json_object_get(json_object_get(item, "StorageDescriptor"), "Columns"),
                             json_object_get(item, "PartitionKeys")};
    size_t number = 0;
    for (size_t part = 0; part < 2; part++)
        for (size_t i = 0; i < json_array_size(lists[part]); i++) {
            const json_t *column = json_array_get(lists[part], i);
            const char *comment = athena_member(column, "Comment");
            struct buf type, place;
            buf_init(&type, 65536);
            buf_init(&place, 32);
            athena_hive_shown(&type, athena_member(column, "Type"));
            buf_printf(&place, "#%zu", ++number);
            const char *const row[] = {CATALOG,
                                       schema->database,
                                       athena_member(item, "Name"),
                                       athena_member(column, "Name"),
                                       place.data,
                                       NULL,
                                       "YES",
                                       type.data ? type.data : "",
                                       *comment ? comment : NULL,
                                       part ? "partition key" : NULL};
            put_row(schema, row, sizeof row / sizeof *row);
            buf_free(&type);
            buf_free(&place);
        }
    return true;
}

static const struct {
    const char *name, *columns;
    size_t count;
    catalogue_each_fn *each; /* table of a database; NULL: the databases themselves */
} tables[] = {{"schemata", "catalog_name, schema_name", 2, NULL},
              {"tables", "table_catalog, table_schema, table_name, table_type", 4, each_table},
              {"views", "table_catalog, table_schema, table_name, view_definition", 4, each_view},
              {"columns",
               "table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, "
               "is_nullable, data_type, comment, extra_info",
               10, each_columns}};

static bool note_name(void *context, json_t *item)
{
    json_array_append_new(context, json_string(athena_member(item, "Name")));
    return true;
}

static int select_schema(struct athena_sources *sources, const struct athena_table *table, struct buf *sql)
{
    size_t which = 0;
    while (which < sizeof tables / sizeof *tables && strcmp(tables[which].name, table->name) != 0)
        which++;
    if (which == sizeof tables / sizeof *tables)
        return athena_fail(sources->failure, "TABLE_NOT_FOUND",
                           "line %d:%d: Table '" CATALOG "." OWN_SCHEMA ".%.200s' does not exist",
                           table->line, table->column, table->name);
    struct err err = ERR_INIT;
    struct schema schema = {.sql = sql};
    json_t *names = json_array(), *name;
    size_t index;
    buf_text(sql, "SELECT * FROM (VALUES ");
    enum catalogue_status status =
        catalogue_database_list(sources->catalogue, "", tables[which].each ? note_name : each_schema,
                                tables[which].each ? (void *)names : (void *)&schema, &err);
    json_array_foreach(names, index, name)
    {
        schema.database = json_string_value(name);
        if (status == CATALOGUE_OK)
            status = catalogue_table_list(sources->catalogue, schema.database, "", tables[which].each,
                                          &schema, &err);
        if (status == CATALOGUE_NO_DATABASE) /* gone meanwhile */
            status = CATALOGUE_OK;
    }
    json_decref(names);
    if (!tables[which].each)
        put_row(&schema, (const char *const[]){CATALOG, OWN_SCHEMA}, 2);
    /* A row that is not shown gives the types when there is no other. */
    const char *none[10] = {"", "", "", "", "#1", "", "", "", "", ""};
    if (tables[which].count < 10)
        none[4] = "";
    put_row(&schema, none, tables[which].count);
    buf_printf(sql, ") AS q(%s) WHERE %s <> ''", tables[which].columns,
               tables[which].each ? "table_catalog" : "catalog_name");
    return status == CATALOGUE_OK ? 1
                                  : athena_fail(sources->failure, "HIVE_METASTORE_ERROR", "%.300s", err.text);
}

/* ---- partitions ------------------------------------------------------------------------------------- */

struct listing {
    struct buf *sql;
    size_t keys;
};

static bool each_partition(void *context, json_t *item)
{
    struct listing *listing = context;
    const json_t *values = json_object_get(item, "Values");
    buf_text(listing->sql, ", (");
    for (size_t i = 0; i < listing->keys; i++) {
        const char *value = json_string_value(json_array_get(values, i));
        buf_text(listing->sql, i ? ", " : "");
        if (!value || strcmp(value, NULL_VALUE) == 0)
            buf_text(listing->sql, "NULL");
        else
            athena_quote(listing->sql, value, '\'');
    }
    buf_text(listing->sql, ", true)");
    return true;
}

static int select_partitions(struct athena_sources *sources, const struct athena_table *table,
                             const json_t *entry, const char *name, struct buf *sql)
{
    const json_t *keys = json_object_get(entry, "PartitionKeys");
    struct listing listing = {.sql = sql, .keys = json_array_size(keys)};
    struct err err = ERR_INIT;
    buf_text(sql, "SELECT");
    for (size_t i = 0; i < listing.keys; i++) {
        buf_printf(sql, "%s CAST(k%zu AS ", i ? "," : "", i);
        if (!athena_hive_engine(sql, athena_member(json_array_get(keys, i), "Type")))
            return athena_fail(sources->failure, "HIVE_INVALID_METADATA",
                               "a partition key has the type %.100s",
                               athena_member(json_array_get(keys, i), "Type"));
        buf_text(sql, ") AS ");
        athena_quote(sql, athena_member(json_array_get(keys, i), "Name"), '"');
    }
    buf_text(sql, " FROM (VALUES (");
    for (size_t i = 0; i < listing.keys; i++)
        buf_text(sql, "'', ");
    buf_text(sql, "false)");
    struct catalogue_partition_query query = {.after = "", .context = &listing};
    if (catalogue_partition_list(sources->catalogue, table->database, name, &query, each_partition, &err) !=
        CATALOGUE_OK)
        return athena_fail(sources->failure, "HIVE_METASTORE_ERROR", "%.300s", err.text);
    buf_text(sql, ") AS q(");
    for (size_t i = 0; i < listing.keys; i++)
        buf_printf(sql, "k%zu, ", i);
    buf_text(sql, "shown) WHERE shown");
    return 1;
}

int athena_schema_select(struct athena_sources *sources, const struct athena_table *table, struct buf *sql)
{
    if (strcmp(table->database, OWN_SCHEMA) == 0)
        return select_schema(sources, table, sql);
    size_t length = strlen(table->name), mark = sizeof PARTITION_MARK - 1;
    if (length <= mark || strcmp(table->name + length - mark, PARTITION_MARK) != 0)
        return 0;
    char *name = mem_text(table->name);
    name[length - mark] = '\0';
    json_t *entry = NULL;
    struct err err = ERR_INIT;
    int result = 0;
    if (catalogue_table_get(sources->catalogue, table->database, name, &entry, &err) == CATALOGUE_OK &&
        json_array_size(json_object_get(entry, "PartitionKeys")) > 0)
        result = select_partitions(sources, table, entry, name, sql);
    json_decref(entry);
    free(name);
    return result;
}
