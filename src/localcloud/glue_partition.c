#include "localcloud/glue_private.h"

#include "localcloud/glue_expression.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Partitions, by one and by many, and their indexes. */

struct place {
    const char *database, *table;
};

static bool find_place(struct request *request, struct place *place)
{
    place->database = glue_text(request, "DatabaseName");
    place->table = place->database ? glue_text(request, "TableName") : NULL;
    return place->table != NULL;
}

static json_t *detail(enum catalogue_status status, const struct err *err)
{
    return json_pack("{s:s, s:s}", "ErrorCode", catalogue_error_code(status), "ErrorMessage", err->text);
}

/* ---- create and delete ------------------------------------------------------------------------------ */

static void one(struct request *request, json_t *item, bool add)
{
    struct glue *glue = request->state;
    struct place place;
    struct catalogue_outcome outcome;
    struct err err = ERR_INIT;
    if (!item || !find_place(request, &place))
        return;
    json_t *items = json_pack("[O]", item);
    enum catalogue_status status =
        add ? catalogue_partitions_create(glue->catalogue, place.database, place.table, items,
                                          request->now_us, &outcome, &err)
            : catalogue_partitions_delete(glue->catalogue, place.database, place.table, items, &outcome,
                                          &err);
    json_decref(items);
    if (status == CATALOGUE_OK)
        glue_done(request, outcome.status, &outcome.err);
    else
        glue_fail(request, status, &err);
}

void glue_create_partition(struct request *request)
{
    one(request, glue_object(request, "PartitionInput"), true);
}

void glue_delete_partition(struct request *request)
{
    one(request, glue_array(request, "PartitionValues", 100), false);
}

/* Errors name the values of what failed. */
static void several(struct request *request, json_t *items, bool add)
{
    struct glue *glue = request->state;
    struct place place;
    struct err err = ERR_INIT;
    if (!items || !find_place(request, &place))
        return;
    size_t count = json_array_size(items);
    struct catalogue_outcome *outcomes = mem_zero(count + 1, sizeof *outcomes);
    enum catalogue_status status =
        add ? catalogue_partitions_create(glue->catalogue, place.database, place.table, items,
                                          request->now_us, outcomes, &err)
            : catalogue_partitions_delete(glue->catalogue, place.database, place.table, items, outcomes,
                                          &err);
    if (status == CATALOGUE_OK) {
        json_t *errors = json_array();
        for (size_t i = 0; i < count; i++)
            if (outcomes[i].status != CATALOGUE_OK) {
                json_t *values = json_object_get(json_array_get(items, i), "Values");
                json_array_append_new(errors,
                                      json_pack("{s:O, s:o}", "PartitionValues",
                                                values ? values : json_array_get(items, i), "ErrorDetail",
                                                detail(outcomes[i].status, &outcomes[i].err)));
            }
        request_reply_json(request, json_pack("{s:o}", "Errors", errors));
    } else {
        glue_fail(request, status, &err);
    }
    free(outcomes);
}

void glue_batch_create_partition(struct request *request)
{
    json_t *inputs = glue_array(request, "PartitionInputList", 100), *each;
    size_t index;
    json_array_foreach(inputs, index, each) if (!json_is_array(json_object_get(each, "Values")))
    {
        request_fail(request, 400, "InvalidInputException",
                     "The number of partition keys do not match the number of partition values");
        return;
    }
    several(request, inputs, true);
}

/* [{"Values": […]}] to [[…]]; NULL after the answer. The caller's to free. */
static json_t *value_lists(struct request *request, const char *name, size_t max)
{
    const json_t *list = glue_array(request, name, max), *each;
    size_t index;
    if (!list)
        return NULL;
    json_t *lists = json_array();
    json_array_foreach(list, index, each)
    {
        json_t *values = json_object_get(each, "Values");
        if (!json_is_array(values)) {
            request_fail(request, 400, "ValidationException",
                         "1 validation error detected: Value null at '%s.%zu.member.values' failed to "
                         "satisfy constraint: Member must not be null",
                         name, index + 1);
            json_decref(lists);
            return NULL;
        }
        json_array_append(lists, values);
    }
    return lists;
}

void glue_batch_delete_partition(struct request *request)
{
    json_t *lists = value_lists(request, "PartitionsToDelete", 25);
    several(request, lists, false);
    json_decref(lists);
}

/* ---- update ----------------------------------------------------------------------------------------- */

void glue_update_partition(struct request *request)
{
    struct glue *glue = request->state;
    struct place place;
    struct err err = ERR_INIT;
    const json_t *values = glue_array(request, "PartitionValueList", 100);
    const json_t *input = values ? glue_object(request, "PartitionInput") : NULL;
    if (input && find_place(request, &place))
        glue_done(
            request,
            catalogue_partition_update(glue->catalogue, place.database, place.table, values, input, &err),
            &err);
}

void glue_batch_update_partition(struct request *request)
{
    struct glue *glue = request->state;
    struct place place;
    struct err err = ERR_INIT;
    const json_t *entries = glue_array(request, "Entries", 100), *each;
    size_t index;
    if (!entries || !find_place(request, &place))
        return;
    enum catalogue_status status =
        catalogue_table_get(glue->catalogue, place.database, place.table, NULL, &err);
    if (status != CATALOGUE_OK) {
        glue_fail(request, status, &err);
        return;
    }
    json_t *errors = json_array();
    json_array_foreach(entries, index, each)
    {
        json_t *values = json_object_get(each, "PartitionValueList");
        err = ERR_INIT;
        status = catalogue_partition_update(glue->catalogue, place.database, place.table, values,
                                            json_object_get(each, "PartitionInput"), &err);
        if (status != CATALOGUE_OK)
            json_array_append_new(errors,
                                  json_pack("{s:o, s:o}", "PartitionValueList",
                                            json_is_array(values) ? json_incref(values) : json_array(),
                                            "ErrorDetail", detail(status, &err)));
    }
    request_reply_json(request, json_pack("{s:o}", "Errors", errors));
}

/* ---- get -------------------------------------------------------------------------------------------- */

void glue_get_partition(struct request *request)
{
    struct glue *glue = request->state;
    struct place place;
    struct err err = ERR_INIT;
    json_t *partition;
    const json_t *values = glue_array(request, "PartitionValues", 100);
    if (!values || !find_place(request, &place))
        return;
    enum catalogue_status status =
        catalogue_partition_get(glue->catalogue, place.database, place.table, values, &partition, &err);
    if (status == CATALOGUE_OK)
        request_reply_json(request, json_pack("{s:o}", "Partition", partition));
    else
        glue_fail(request, status, &err);
}

void glue_batch_get_partition(struct request *request)
{
    struct glue *glue = request->state;
    struct place place;
    struct err err = ERR_INIT;
    json_t *lists = value_lists(request, "PartitionsToGet", 1000), *values;
    size_t index;
    enum catalogue_status status = CATALOGUE_OK;
    if (!lists || !find_place(request, &place)) {
        json_decref(lists);
        return;
    }
    json_t *found = json_array(), *absent = json_array();
    json_array_foreach(lists, index, values)
    {
        json_t *partition;
        status =
            catalogue_partition_get(glue->catalogue, place.database, place.table, values, &partition, &err);
        if (status == CATALOGUE_OK)
            json_array_append_new(found, partition);
        else if (status == CATALOGUE_NO_PARTITION)
            json_array_append_new(absent, json_pack("{s:O}", "Values", values));
        else
            break;
    }
    json_decref(lists);
    if (status == CATALOGUE_OK || status == CATALOGUE_NO_PARTITION) {
        request_reply_json(request, json_pack("{s:o, s:o}", "Partitions", found, "UnprocessedKeys", absent));
        return;
    }
    json_decref(found);
    json_decref(absent);
    glue_fail(request, status, &err);
}

struct selection {
    struct glue_page page;
    struct glue_expression *expression; /* NULL all */
    bool without_columns;
};

static bool wants(void *context, const json_t *values)
{
    const struct selection *selection = context;
    return !selection->expression || glue_expression_matches(selection->expression, values);
}

static bool add(void *context, json_t *partition)
{
    struct selection *selection = context;
    if (selection->without_columns)
        json_object_del(json_object_get(partition, "StorageDescriptor"), "Columns");
    return glue_page_add(&selection->page, partition);
}

static bool read_segment(struct request *request, struct catalogue_partition_query *query)
{
    const json_t *segment = request_json_object(request, "Segment");
    if (!segment)
        return true;
    query->segment = json_integer_value(json_object_get(segment, "SegmentNumber"));
    query->segments = json_integer_value(json_object_get(segment, "TotalSegments"));
    if (query->segments >= 1 && query->segments <= 10 && query->segment >= 0 &&
        query->segment < query->segments)
        return true;
    request_fail(request, 400, "InvalidInputException",
                 "SegmentNumber must be less than TotalSegments, which is 1 to 10");
    return false;
}

/* False after the answer was made. */
static bool read_expression(struct request *request, const struct place *place, struct selection *selection)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    json_t *table;
    const char *text = request_json_text(request, "Expression");
    if (!text || !text[strspn(text, " \t\r\n")])
        return true;
    enum catalogue_status status =
        catalogue_table_get(glue->catalogue, place->database, place->table, &table, &err);
    if (status != CATALOGUE_OK) {
        glue_fail(request, status, &err);
        return false;
    }
    selection->expression = glue_expression_parse(text, json_object_get(table, "PartitionKeys"), &err);
    json_decref(table);
    if (!selection->expression)
        glue_fail_input(request, &err);
    return selection->expression != NULL;
}

void glue_get_partitions(struct request *request)
{
    struct glue *glue = request->state;
    struct place place;
    struct err err = ERR_INIT;
    struct selection selection = {.without_columns =
                                      request_json_bool(request, "ExcludeColumnSchema", false)};
    struct catalogue_partition_query query = {
        .after = selection.page.after, .wants = wants, .context = &selection};
    if (!find_place(request, &place) || !read_segment(request, &query) ||
        !read_expression(request, &place, &selection))
        return;
    if (!glue_page_begin(request, &selection.page, 1000)) {
        glue_expression_destroy(selection.expression);
        return;
    }
    enum catalogue_status status =
        catalogue_partition_list(glue->catalogue, place.database, place.table, &query, add, &err);
    glue_expression_destroy(selection.expression);
    if (status != CATALOGUE_OK) {
        json_decref(selection.page.items);
        glue_fail(request, status, &err);
        return;
    }
    size_t count = json_array_size(selection.page.items);
    char *last = count ? catalogue_partition_key(
                             json_object_get(json_array_get(selection.page.items, count - 1), "Values"))
                       : NULL;
    glue_page_reply(request, &selection.page, "Partitions", last);
    free(last);
}

/* ---- indexes ---------------------------------------------------------------------------------------- */

static void index_owner(const char *database, const char *table, char out[2 * CATALOGUE_NAME_MAX + 2])
{
    snprintf(out, 2 * CATALOGUE_NAME_MAX + 2, "%.255s.%.255s", database, table);
    for (char *at = out; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + 32);
}

void glue_indexes_remove(struct glue *glue, const char *database, const char *table)
{
    char owner[2 * CATALOGUE_NAME_MAX + 2];
    index_owner(database, table, owner);
    documents_remove(glue->store, GLUE_INDEX, owner, NULL, NULL, NULL);
}

static const struct shape INDEX[] = {
    {"Keys", SHAPE_TEXT_LIST, .required = true},
    {"IndexName", SHAPE_TEXT, .required = true},
    {NULL},
};

/* [{"Name", "Type"}] of the keys named; NULL when one is none. */
static json_t *index_keys(const json_t *table, const json_t *names)
{
    json_t *keys = json_array();
    const json_t *name, *key;
    size_t at, index;
    json_array_foreach(names, at, name)
    {
        size_t before = json_array_size(keys);
        json_array_foreach(json_object_get(table, "PartitionKeys"), index,
                           key) if (json_equal(json_object_get(key, "Name"), name))
            json_array_append_new(
                keys, json_pack("{s:O, s:O}", "Name", name, "Type", json_object_get(key, "Type")));
        if (json_array_size(keys) == before) {
            json_decref(keys);
            return NULL;
        }
    }
    return keys;
}

bool glue_index_add(struct request *request, const char *database, const char *table, const json_t *input)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    char owner[2 * CATALOGUE_NAME_MAX + 2];
    json_t *item;
    bool added = false;
    json_t *index = shape_copy(INDEX, input, "partitionIndex", &err);
    if (!index) {
        glue_fail_input(request, &err);
        return false;
    }
    enum catalogue_status status = catalogue_table_get(glue->catalogue, database, table, &item, &err);
    if (status != CATALOGUE_OK) {
        json_decref(index);
        glue_fail(request, status, &err);
        return false;
    }
    const char *name = json_string_value(json_object_get(index, "IndexName"));
    json_t *keys = index_keys(item, json_object_get(index, "Keys"));
    index_owner(database, table, owner);
    int found = documents_get(glue->store, GLUE_INDEX, owner, name, NULL, &err);
    json_t *document =
        keys ? json_pack("{s:s, s:O, s:s}", "IndexName", name, "Keys", keys, "IndexStatus", "ACTIVE") : NULL;
    if (!keys)
        request_fail(request, 400, "InvalidInputException", "Index keys must be partition keys of the table");
    else if (found == 1)
        request_fail(request, 400, "AlreadyExistsException",
                     "Index with the given indexName : %s already exists", name);
    else if (found < 0 || documents_put(glue->store, GLUE_INDEX, owner, name, document, &err) < 0)
        request_fail_internal(request, &err);
    else
        added = true;
    json_decref(document);
    json_decref(keys);
    json_decref(item);
    json_decref(index);
    return added;
}

void glue_create_partition_index(struct request *request)
{
    struct place place;
    if (find_place(request, &place) && glue_index_add(request, place.database, place.table,
                                                      json_object_get(request->json, "PartitionIndex")))
        request_reply_json(request, json_object());
}

static bool add_index(void *context, const char *name, const char *second, json_t *document)
{
    json_array_append(context, document);
    return true;
}

void glue_get_partition_indexes(struct request *request)
{
    struct glue *glue = request->state;
    struct place place;
    struct err err = ERR_INIT;
    char owner[2 * CATALOGUE_NAME_MAX + 2];
    if (!find_place(request, &place))
        return;
    enum catalogue_status status =
        catalogue_table_get(glue->catalogue, place.database, place.table, NULL, &err);
    if (status != CATALOGUE_OK) {
        glue_fail(request, status, &err);
        return;
    }
    json_t *list = json_array();
    index_owner(place.database, place.table, owner);
    if (documents_list(glue->store, GLUE_INDEX, owner, add_index, list, &err) == 0) {
        request_reply_json(request, json_pack("{s:o}", "PartitionIndexDescriptorList", list));
        return;
    }
    json_decref(list);
    request_fail_internal(request, &err);
}

void glue_delete_partition_index(struct request *request)
{
    struct glue *glue = request->state;
    struct place place;
    struct err err = ERR_INIT;
    char owner[2 * CATALOGUE_NAME_MAX + 2];
    int64_t removed;
    const char *name = find_place(request, &place) ? glue_text(request, "IndexName") : NULL;
    if (!name)
        return;
    index_owner(place.database, place.table, owner);
    if (documents_remove(glue->store, GLUE_INDEX, owner, name, &removed, &err) < 0)
        request_fail_internal(request, &err);
    else if (removed == 0)
        request_fail(request, 400, "EntityNotFoundException",
                     "Index with the given indexName : %s does not exist", name);
    else
        request_reply_json(request, json_object());
}
