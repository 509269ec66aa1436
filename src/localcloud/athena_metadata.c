/* Data catalogs, databases and tables as Athena tells of them: the shared catalogue under AwsDataCatalog. */
#include "base/text.h"
#include "localcloud/athena_private.h"
#include "localcloud/catalogue.h"

#include <regex.h>
#include <string.h>

#define CATALOG "AwsDataCatalog"

/* CatalogName (or Name) is the one there is; false after the answer was made. */
static bool catalog_ok(struct request *request, const char *member)
{
    const char *name = athena_text(request, member, 1, 256);
    if (!name)
        return false;
    if (text_equal_fold(name, CATALOG))
        return true;
    athena_invalid(request, "INVALID_INPUT", "Catalog %s was not found", name);
    return false;
}

static void fail(struct request *request, enum catalogue_status status, const struct err *err)
{
    if (status == CATALOGUE_FAILED)
        request_fail_internal(request, err);
    else
        request_fail(request, 400, "MetadataException", "%s", err->text);
}

void athena_list_catalogs(struct request *request)
{
    struct athena_page page;
    if (!athena_page_begin(request, &page, 50, 50))
        return;
    athena_page_add(&page, json_pack("{s:s,s:s,s:s}", "CatalogName", CATALOG, "Type", "GLUE", "Status",
                                     "CREATE_COMPLETE"));
    athena_page_reply(request, &page, "DataCatalogsSummary");
}

void athena_get_catalog(struct request *request)
{
    struct athena *athena = request->state;
    if (catalog_ok(request, "Name"))
        request_reply_json(request, json_pack("{s:{s:s,s:s,s:{s:s},s:s}}", "DataCatalog", "Name", CATALOG,
                                              "Type", "GLUE", "Parameters", "catalog-id",
                                              athena->context->account, "Status", "CREATE_COMPLETE"));
}

static json_t *database_of(const json_t *entry)
{
    json_t *database = json_pack("{s:O}", "Name", json_object_get(entry, "Name"));
    const char *const members[] = {"Description", "Parameters"};
    for (size_t i = 0; i < 2; i++)
        if (json_object_get(entry, members[i]))
            json_object_set(database, members[i], json_object_get(entry, members[i]));
    return database;
}

void athena_get_database(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    json_t *entry = NULL;
    const char *name =
        catalog_ok(request, "CatalogName") ? athena_text(request, "DatabaseName", 1, 128) : NULL;
    if (!name)
        return;
    enum catalogue_status status = catalogue_database_get(athena->context->catalogue, name, &entry, &err);
    if (status == CATALOGUE_OK)
        request_reply_json(request, json_pack("{s:o}", "Database", database_of(entry)));
    else
        fail(request, status, &err);
    json_decref(entry);
}

static bool add_database(void *context, json_t *item)
{
    return athena_page_add(context, database_of(item));
}

void athena_list_databases(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    struct athena_page page;
    if (!catalog_ok(request, "CatalogName") || !athena_page_begin(request, &page, 50, 50))
        return;
    enum catalogue_status status =
        catalogue_database_list(athena->context->catalogue, "", add_database, &page, &err);
    if (status == CATALOGUE_OK) {
        athena_page_reply(request, &page, "DatabaseList");
        return;
    }
    json_decref(page.items);
    fail(request, status, &err);
}

static json_t *columns_of(const json_t *list)
{
    json_t *columns = json_array(), *item;
    size_t index;
    json_array_foreach(list, index, item)
    {
        json_t *column = json_object();
        const char *const members[] = {"Name", "Type", "Comment"};
        for (size_t i = 0; i < 3; i++)
            if (json_object_get(item, members[i]))
                json_object_set(column, members[i], json_object_get(item, members[i]));
        json_array_append_new(columns, column);
    }
    return columns;
}

/* Athena shows parts of the storage among the parameters. */
static json_t *table_of(const json_t *entry)
{
    const json_t *storage = json_object_get(entry, "StorageDescriptor"),
                 *serde = json_object_get(storage, "SerdeInfo");
    json_t *parameters = json_object(), *value;
    const char *key;
    json_object_update(parameters, json_object_get(entry, "Parameters"));
    static const char *const shown[][2] = {
        {"InputFormat", "inputformat"}, {"OutputFormat", "outputformat"}, {"Location", "location"}};
    for (size_t i = 0; i < 3; i++)
        if (json_object_get(storage, shown[i][0]))
            json_object_set(parameters, shown[i][1], json_object_get(storage, shown[i][0]));
    if (json_object_get(serde, "SerializationLibrary"))
        json_object_set(parameters, "serde.serialization.lib",
                        json_object_get(serde, "SerializationLibrary"));
    json_object_foreach(json_object_get(serde, "Parameters"), key, value)
        json_object_set_new(parameters, key, json_incref(value));
    json_t *table = json_pack("{s:O,s:o,s:o,s:o}", "Name", json_object_get(entry, "Name"), "Columns",
                              columns_of(json_object_get(storage, "Columns")), "PartitionKeys",
                              columns_of(json_object_get(entry, "PartitionKeys")), "Parameters", parameters);
    static const char *const same[] = {"CreateTime", "LastAccessTime", "TableType"};
    for (size_t i = 0; i < 3; i++)
        if (json_object_get(entry, same[i]))
            json_object_set(table, same[i], json_object_get(entry, same[i]));
    return table;
}

void athena_get_table(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    json_t *entry = NULL;
    const char *database =
        catalog_ok(request, "CatalogName") ? athena_text(request, "DatabaseName", 1, 128) : NULL;
    const char *name = database ? athena_text(request, "TableName", 1, 128) : NULL;
    if (!name)
        return;
    enum catalogue_status status =
        catalogue_table_get(athena->context->catalogue, database, name, &entry, &err);
    if (status == CATALOGUE_OK)
        request_reply_json(request, json_pack("{s:o}", "TableMetadata", table_of(entry)));
    else
        fail(request, status, &err);
    json_decref(entry);
}

struct tables {
    struct athena_page page;
    regex_t expression;
    bool filtered;
};

static bool add_table(void *context, json_t *item)
{
    struct tables *tables = context;
    const char *name = json_string_value(json_object_get(item, "Name"));
    return (tables->filtered && (!name || regexec(&tables->expression, name, 0, NULL, 0) != 0)) ||
           athena_page_add(&tables->page, table_of(item));
}

void athena_list_tables(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    struct tables tables = {0};
    const char *database =
        catalog_ok(request, "CatalogName") ? athena_text(request, "DatabaseName", 1, 128) : NULL;
    const char *expression = request_json_text(request, "Expression");
    if (!database || !athena_page_begin(request, &tables.page, 50, 50))
        return;
    tables.filtered = expression && *expression && strlen(expression) <= 256;
    if (tables.filtered &&
        regcomp(&tables.expression, expression, REG_EXTENDED | REG_NOSUB | REG_ICASE) != 0) {
        athena_invalid(request, "INVALID_INPUT", "Expression is not a valid regular expression");
        json_decref(tables.page.items);
        return;
    }
    enum catalogue_status status =
        catalogue_table_list(athena->context->catalogue, database, "", add_table, &tables, &err);
    if (tables.filtered)
        regfree(&tables.expression);
    if (status == CATALOGUE_OK) {
        athena_page_reply(request, &tables.page, "TableMetadataList");
        return;
    }
    json_decref(tables.page.items);
    fail(request, status, &err);
}
