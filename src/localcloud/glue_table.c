#include "localcloud/glue_private.h"

#include "base/text.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tables and their versions. */

#define EXPRESSION_MAX 2048

static const char *name_of(const json_t *item)
{
    return json_string_value(json_object_get(item, "Name"));
}

static bool both_names(struct request *request, const char *second, const char **database, const char **name)
{
    *database = glue_text(request, "DatabaseName");
    *name = *database ? glue_text(request, second) : NULL;
    return *name != NULL;
}

void glue_create_table(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *database = glue_text(request, "DatabaseName");
    const json_t *input = database ? glue_object(request, "TableInput") : NULL, *index;
    size_t at;
    if (!input)
        return;
    enum catalogue_status status =
        catalogue_table_create(glue->catalogue, database, input, request->now_us, &err);
    if (status == CATALOGUE_OK)
        json_array_foreach(request_json_array(request, "PartitionIndexes"), at,
                           index) if (!glue_index_add(request, database, name_of(input), index))
        {
            catalogue_table_delete(glue->catalogue, database, name_of(input), NULL);
            return;
        }
    glue_done(request, status, &err);
}

void glue_get_table(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *database, *name;
    json_t *table;
    if (!both_names(request, "Name", &database, &name))
        return;
    enum catalogue_status status = catalogue_table_get(glue->catalogue, database, name, &table, &err);
    if (status == CATALOGUE_OK)
        request_reply_json(request, json_pack("{s:o}", "Table", table));
    else if (status == CATALOGUE_NO_TABLE)
        request_fail(request, 400, "EntityNotFoundException", "Entity Not Found"); /* AWS names it not */
    else
        glue_fail(request, status, &err);
}

void glue_update_table(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *database = glue_text(request, "DatabaseName");
    json_t *input = database ? glue_object(request, "TableInput") : NULL;
    struct catalogue_update update = {.skip_archive = request_json_bool(request, "SkipArchive", false),
                                      .version = request_json_text(request, "VersionId")};
    if (input)
        glue_done(request,
                  catalogue_table_update(glue->catalogue, database, input, &update, request->now_us, &err),
                  &err);
}

static enum catalogue_status remove_table(struct glue *glue, const char *database, const char *name,
                                          struct err *err)
{
    enum catalogue_status status = catalogue_table_delete(glue->catalogue, database, name, err);
    if (status == CATALOGUE_OK)
        glue_indexes_remove(glue, database, name);
    return status;
}

void glue_delete_table(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *database, *name;
    if (both_names(request, "Name", &database, &name))
        glue_done(request, remove_table(glue, database, name, &err), &err);
}

static json_t *detail(enum catalogue_status status, const struct err *err)
{
    return json_pack("{s:s, s:s}", "ErrorCode", catalogue_error_code(status), "ErrorMessage", err->text);
}

void glue_batch_delete_table(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *database = glue_text(request, "DatabaseName");
    const json_t *names = database ? glue_array(request, "TablesToDelete", 100) : NULL, *each;
    size_t index;
    if (!names)
        return;
    enum catalogue_status status = catalogue_database_get(glue->catalogue, database, NULL, &err);
    if (status != CATALOGUE_OK) {
        glue_fail(request, status, &err);
        return;
    }
    json_t *errors = json_array();
    json_array_foreach(names, index, each)
    {
        const char *name = json_string_value(each) ? json_string_value(each) : "";
        err = ERR_INIT;
        status = remove_table(glue, database, name, &err);
        if (status != CATALOGUE_OK)
            json_array_append_new(
                errors, json_pack("{s:s, s:o}", "TableName", name, "ErrorDetail", detail(status, &err)));
    }
    request_reply_json(request, json_pack("{s:o}", "Errors", errors));
}

/* ---- lists ------------------------------------------------------------------------------------------ */

struct filter {
    struct glue_page *page;
    regex_t *regex;    /* of names; NULL all */
    bool names_only;   /* AttributesToGet is NAME */
    const char *text;  /* SearchTables: in name, description or columns; NULL all */
    const json_t *and; /* SearchTables: Filters */
};

/* Java's regular expressions are close enough to POSIX's for names; repetition in repetition, which costs
 * memory beyond measure, is refused. */
static bool compile(struct request *request, const char *text, regex_t *regex)
{
    const char *brace = strchr(text, '{');
    if (strlen(text) <= EXPRESSION_MAX && !(brace && strchr(brace + 1, '{')) &&
        regcomp(regex, text, REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0)
        return true;
    request_fail(request, 400, "InvalidInputException", "Invalid regular expression: %.200s", text);
    return false;
}

static bool whole_match(regex_t *regex, const char *name)
{
    return !regex || regexec(regex, name, 0, NULL, 0) == 0;
}

static bool add_table(void *context, json_t *table)
{
    const struct filter *filter = context;
    if (!whole_match(filter->regex, name_of(table)))
        return true;
    if (!filter->names_only)
        return glue_page_add(filter->page, table);
    json_t *name = json_pack("{s:O}", "Name", json_object_get(table, "Name"));
    bool more = glue_page_add(filter->page, name);
    json_decref(name);
    return more;
}

void glue_get_tables(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    struct glue_page page;
    regex_t regex;
    const char *database = glue_text(request, "DatabaseName");
    const char *expression = request_json_text(request, "Expression");
    const json_t *attributes = request_json_array(request, "AttributesToGet");
    if (!database || !glue_page_begin(request, &page, 100))
        return;
    struct buf anchored; /* the expression must fit the whole name */
    buf_init(&anchored, EXPRESSION_MAX + 8);
    if (expression)
        buf_printf(&anchored, "^(%s)$", expression);
    if (expression && !compile(request, anchored.overflow ? "{{" : anchored.data, &regex)) {
        buf_free(&anchored);
        json_decref(page.items);
        return;
    }
    buf_free(&anchored);
    const char *only = json_string_value(json_array_get(attributes, 0));
    struct filter filter = {.page = &page,
                            .regex = expression ? &regex : NULL,
                            .names_only =
                                json_array_size(attributes) == 1 && only && strcmp(only, "NAME") == 0};
    enum catalogue_status status =
        catalogue_table_list(glue->catalogue, database, page.after, add_table, &filter, &err);
    if (expression)
        regfree(&regex);
    if (status != CATALOGUE_OK) {
        json_decref(page.items);
        glue_fail(request, status, &err);
        return;
    }
    size_t count = json_array_size(page.items);
    glue_page_reply(request, &page, "TableList",
                    count ? name_of(json_array_get(page.items, count - 1)) : NULL);
}

static bool has_text(const json_t *table, const char *text)
{
    const json_t *column;
    size_t index;
    const char *note = json_string_value(json_object_get(table, "Description"));
    if (text_find_fold(name_of(table), text) || (note && text_find_fold(note, text)))
        return true;
    json_array_foreach(json_object_get(json_object_get(table, "StorageDescriptor"), "Columns"), index,
                       column) if (text_find_fold(name_of(column), text)) return true;
    return false;
}

/* A filter is {"Key": "DatabaseName", "Value": "city", "Comparator": "EQUALS"}. */
static bool fits(const json_t *table, const json_t *filter)
{
    const char *key = json_string_value(json_object_get(filter, "Key"));
    const char *value = json_string_value(json_object_get(filter, "Value"));
    if (!key || !value)
        return true;
    const char *own =
        json_string_value(json_object_get(table, text_equal_fold(key, "databaseName") ? "DatabaseName"
                                                 : text_equal_fold(key, "name")       ? "Name"
                                                                                      : key));
    if (!own)
        own = json_string_value(json_object_get(json_object_get(table, "Parameters"), key));
    return own && text_find_fold(own, value);
}

static bool search_table(void *context, json_t *table)
{
    const struct filter *filter = context;
    const json_t *each;
    size_t index;
    if (filter->text && !has_text(table, filter->text))
        return true;
    json_array_foreach(filter->and, index, each) if (!fits(table, each)) return true;
    return glue_page_add(filter->page, table);
}

static bool add_name(void *context, json_t *item)
{
    json_array_append(context, json_object_get(item, "Name"));
    return true;
}

/* Goes on behind "database/table" of the page before. */
void glue_search_tables(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    struct glue_page page;
    if (!glue_page_begin(request, &page, 100))
        return;
    struct filter filter = {.page = &page,
                            .text = request_json_text(request, "SearchText"),
                            .and = request_json_array(request, "Filters")};
    char *slash = strchr(page.after, '/');
    const char *table = slash ? slash + 1 : "";
    if (slash)
        *slash = '\0';
    json_t *databases = json_array(), *each;
    size_t index;
    enum catalogue_status status = catalogue_database_list(glue->catalogue, "", add_name, databases, &err);
    json_array_foreach(databases, index, each)
    {
        const char *name = json_string_value(each);
        int order = strcmp(name, page.after);
        if (status != CATALOGUE_OK || page.more || order < 0)
            continue;
        status =
            catalogue_table_list(glue->catalogue, name, order == 0 ? table : "", search_table, &filter, &err);
        if (status == CATALOGUE_NO_DATABASE)
            status = CATALOGUE_OK; /* deleted meanwhile */
    }
    json_decref(databases);
    if (status != CATALOGUE_OK) {
        json_decref(page.items);
        glue_fail(request, status, &err);
        return;
    }
    char last[2 * CATALOGUE_NAME_MAX + 2] = "";
    const json_t *item = json_array_get(page.items, json_array_size(page.items) - 1);
    if (item)
        snprintf(last, sizeof last, "%s/%s", json_string_value(json_object_get(item, "DatabaseName")),
                 name_of(item));
    glue_page_reply(request, &page, "TableList", last);
}

/* ---- versions --------------------------------------------------------------------------------------- */

void glue_get_table_version(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *database, *name;
    json_t *item;
    if (!both_names(request, "TableName", &database, &name))
        return;
    enum catalogue_status status = catalogue_version_get(
        glue->catalogue, database, name, request_json_text(request, "VersionId"), &item, &err);
    if (status == CATALOGUE_OK)
        request_reply_json(request, json_pack("{s:o}", "TableVersion", item));
    else
        glue_fail(request, status, &err);
}

static bool add_version(void *context, json_t *item)
{
    return glue_page_add(context, item);
}

void glue_get_table_versions(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    struct glue_page page;
    const char *database, *name;
    int64_t before = -1;
    if (!both_names(request, "TableName", &database, &name) || !glue_page_begin(request, &page, 100))
        return;
    if (page.after[0] && !text_parse_int(page.after, 0, INT64_MAX, &before)) {
        json_decref(page.items);
        request_fail(request, 400, "InvalidInputException", "Invalid NextToken");
        return;
    }
    enum catalogue_status status =
        catalogue_version_list(glue->catalogue, database, name, before, add_version, &page, &err);
    if (status != CATALOGUE_OK) {
        json_decref(page.items);
        glue_fail(request, status, &err);
        return;
    }
    size_t count = json_array_size(page.items);
    const json_t *last = count ? json_array_get(page.items, count - 1) : NULL;
    glue_page_reply(request, &page, "TableVersions", json_string_value(json_object_get(last, "VersionId")));
}

void glue_delete_table_version(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *database, *name;
    const char *version =
        both_names(request, "TableName", &database, &name) ? glue_text(request, "VersionId") : NULL;
    if (version)
        glue_done(request, catalogue_version_delete(glue->catalogue, database, name, version, &err), &err);
}

void glue_batch_delete_table_version(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *database, *name;
    const json_t *each;
    size_t index;
    const json_t *versions =
        both_names(request, "TableName", &database, &name) ? glue_array(request, "VersionIds", 100) : NULL;
    if (!versions)
        return;
    enum catalogue_status status = catalogue_table_get(glue->catalogue, database, name, NULL, &err);
    if (status != CATALOGUE_OK) {
        glue_fail(request, status, &err);
        return;
    }
    json_t *errors = json_array();
    json_array_foreach(versions, index, each)
    {
        const char *version = json_string_value(each) ? json_string_value(each) : "";
        err = ERR_INIT;
        status = catalogue_version_delete(glue->catalogue, database, name, version, &err);
        if (status != CATALOGUE_OK)
            json_array_append_new(errors, json_pack("{s:s, s:s, s:o}", "TableName", name, "VersionId",
                                                    version, "ErrorDetail", detail(status, &err)));
    }
    request_reply_json(request, json_pack("{s:o}", "Errors", errors));
}
