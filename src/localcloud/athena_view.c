#include "localcloud/athena_view.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/athena_engine.h"
#include "localcloud/athena_hive.h"
#include "localcloud/athena_value.h"
#include "localcloud/objects.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "/* Presto View: "
#define SUFFIX " */"

bool athena_view_is(const json_t *table)
{
    return strcmp(athena_member(table, "TableType"), "VIRTUAL_VIEW") == 0;
}

json_t *athena_view_read(const json_t *table)
{
    const char *text = athena_member(table, "ViewOriginalText");
    size_t length = strlen(text), edges = sizeof PREFIX + sizeof SUFFIX - 2;
    if (length <= edges || strncmp(text, PREFIX, sizeof PREFIX - 1) != 0)
        return NULL;
    size_t size = length - edges;
    char *bytes = mem_alloc(text_base64_max(size) + 1);
    long count = text_base64_decode(bytes, text + sizeof PREFIX - 1, size);
    json_t *view = count > 0 ? json_loadb(bytes, (size_t)count, 0, NULL) : NULL;
    free(bytes);
    if (view && *athena_member(view, "originalSql"))
        return view;
    json_decref(view);
    return NULL;
}

static char *view_text(const json_t *view)
{
    char *json = json_dumps(view, JSON_COMPACT | JSON_SORT_KEYS);
    size_t length = strlen(json), coded = text_base64_size(length);
    char *text = mem_alloc(sizeof PREFIX + coded + sizeof SUFFIX);
    memcpy(text, PREFIX, sizeof PREFIX - 1);
    text_base64_encode(text + sizeof PREFIX - 1, json, length);
    memcpy(text + sizeof PREFIX - 1 + coded, SUFFIX, sizeof SUFFIX);
    free(json);
    return text;
}

/* Columns of the catalogue into *columns and those of the view's own text into *own, from the query itself.
 */
static int bind(struct athena_task *task, json_t *columns, json_t *own)
{
    const struct athena_statement *s = task->statement;
    struct athena_query query;
    if (athena_task_query(task, s->query_from, s->query_to, &query) != 0)
        return -1;
    struct duck_statement *statement =
        athena_prepare(task->run->connection, &query, task->execution->text, task->failure);
    int result = statement ? 0 : -1;
    for (size_t i = 0; statement && i < duck_column_count(statement) && result == 0; i++) {
        const struct duck_type *type = duck_column_type(statement, i);
        char name[256];
        struct buf hive, shown;
        buf_init(&hive, 65536);
        buf_init(&shown, 65536);
        athena_column_name(statement, i, name, sizeof name);
        for (char *at = name; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        athena_type_write(&shown, type);
        if (!athena_hive_type(&hive, type)) {
            buf_reset(&hive);
            buf_text(&hive, "string"); /* a type that Hive has not: the view itself knows better */
        }
        for (size_t other = 0; other < json_array_size(own) && result == 0; other++)
            if (strcmp(athena_member(json_array_get(own, other), "name"), name) == 0)
                result = athena_fail(task->failure, "DUPLICATE_COLUMN_NAME",
                                     "line 1:1: Column name '%.200s' specified more than once", name);
        json_array_append_new(columns, json_pack("{s:s,s:s}", "Name", name, "Type", hive.data));
        json_array_append_new(own, json_pack("{s:s,s:s}", "name", name, "type", shown.data));
        buf_free(&hive);
        buf_free(&shown);
    }
    duck_finalize(statement);
    athena_query_free(&query);
    return result;
}

static int create_view(struct athena_task *task)
{
    const struct athena_statement *s = task->statement;
    const char *database = athena_task_database(task);
    struct catalogue *catalogue = athena_task_catalogue(task);
    struct err err = ERR_INIT;
    json_t *columns = json_array(), *own = json_array(), *old = NULL;
    struct objects_lease *lease = objects_lease(athena_task_objects(task));
    int result = bind(task, columns, own);
    objects_release(lease);
    if (result != 0) {
        json_decref(columns);
        json_decref(own);
        return -1;
    }
    const struct athena_token *first = &s->tokens.list[s->query_from],
                              *last = &s->tokens.list[s->query_to - 1];
    json_t *view = json_pack("{s:s#,s:s,s:s,s:o}", "originalSql", first->text,
                             (int)(last->text + last->length - first->text), "catalog", "awsdatacatalog",
                             "schema", task->execution->database, "columns", own);
    char *text = view_text(view);
    json_decref(view);
    json_t *input =
        json_pack("{s:s,s:s,s:s,s:s,s:{s:s,s:s},s:{s:o,s:s,s:{}},s:[]}", "Name", s->name, "TableType",
                  "VIRTUAL_VIEW", "ViewOriginalText", text, "ViewExpandedText", "/* Presto View */",
                  "Parameters", "comment", "Presto View", "presto_view", "true", "StorageDescriptor",
                  "Columns", columns, "Location", "", "SerdeInfo", "PartitionKeys");
    free(text);
    enum catalogue_status status = catalogue_table_get(catalogue, database, s->name, &old, &err);
    bool exists = status == CATALOGUE_OK, is_view = exists && athena_view_is(old);
    json_decref(old);
    struct catalogue_update how = {.version = NULL};
    if (exists && (!is_view || !s->replace)) {
        result = athena_fail(task->failure, "TABLE_ALREADY_EXISTS",
                             is_view ? "line 1:1: View already exists: 'awsdatacatalog.%.128s.%.128s'"
                                     : "line 1:1: Table already exists: 'awsdatacatalog.%.128s.%.128s'",
                             database, s->name);
        if (is_view && s->if_exists)
            result = 0;
    } else {
        status = exists ? catalogue_table_update(catalogue, database, input, &how, clock_wall_us(), &err)
                        : catalogue_table_create(catalogue, database, input, clock_wall_us(), &err);
        if (status == CATALOGUE_NO_DATABASE)
            result = athena_fail(task->failure, "SCHEMA_NOT_FOUND",
                                 "line 1:1: Schema '%.200s' does not exist", database);
        else if (status != CATALOGUE_OK)
            result = athena_fail(task->failure, "GENERIC_INTERNAL_ERROR", "%.300s", err.text);
    }
    json_decref(input);
    return result;
}

static int drop_view(struct athena_task *task)
{
    const struct athena_statement *s = task->statement;
    const char *database = athena_task_database(task);
    struct err err = ERR_INIT;
    json_t *table = NULL;
    enum catalogue_status status =
        catalogue_table_get(athena_task_catalogue(task), database, s->name, &table, &err);
    bool view = status == CATALOGUE_OK && athena_view_is(table);
    json_decref(table);
    if (!view && status == CATALOGUE_OK)
        return athena_fail(task->failure, "NOT_SUPPORTED",
                           "line 1:1: 'awsdatacatalog.%.128s.%.128s' is a table and no view", database,
                           s->name);
    if (view)
        status = catalogue_table_delete(athena_task_catalogue(task), database, s->name, &err);
    if (status == CATALOGUE_OK || (status != CATALOGUE_FAILED && s->if_exists))
        return 0;
    return athena_fail(task->failure, "TABLE_NOT_FOUND",
                       "line 1:1: View 'awsdatacatalog.%.128s.%.128s' does not exist", database, s->name);
}

int athena_view_show(struct athena_task *task, const json_t *table)
{
    json_t *view = athena_view_read(table);
    if (!view)
        return athena_fail(task->failure, "NOT_SUPPORTED",
                           "line 1:1: Relation 'awsdatacatalog.%.128s.%.128s' is a table, not a view",
                           athena_task_database(task), task->statement->name);
    buf_printf(task->lines, "CREATE VIEW %s.%s AS\n%s\n", athena_task_database(task), task->statement->name,
               athena_member(view, "originalSql"));
    json_decref(view);
    athena_task_column(task, "Create View", "varchar");
    return 0;
}

int athena_view_run(struct athena_task *task)
{
    return task->statement->verb == VERB_CREATE_VIEW ? create_view(task) : drop_view(task);
}
