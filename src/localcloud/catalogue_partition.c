#include "localcloud/catalogue_private.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Partitions. The key of a row is the compact JSON text of its values, which is also what they are ordered by
 * and what a page token holds. */

char *catalogue_partition_key(const json_t *values)
{
    char *text = json_dumps(values, JSON_COMPACT);
    return text ? text : mem_text("[]");
}

static enum catalogue_status check_values(const struct catalogue_row *row, const json_t *values,
                                          struct err *err)
{
    size_t keys = json_array_size(json_object_get(row->document, "PartitionKeys"));
    if (!json_is_array(values) || json_array_size(values) != keys || keys == 0)
        return catalogue_fail(err, CATALOGUE_INVALID,
                              "The number of partition keys do not match the number of partition values");
    const json_t *each;
    size_t index;
    json_array_foreach(values, index, each) if (!json_is_string(each)) return catalogue_fail(
        err, CATALOGUE_INVALID, "Partition values must be text");
    return CATALOGUE_OK;
}

static int find(struct catalogue *catalogue, int64_t table, const char *key, json_t **document,
                struct err *err)
{
    struct sql_statement *row = catalogue_prepare(catalogue, CAT_PARTITION, err);
    if (!row)
        return -1;
    sql_bind_int(row, 1, table);
    sql_bind_text(row, 2, key, strlen(key));
    int found = sql_step(row, err);
    if (found == 1 && document && !(*document = catalogue_document(row, 0, err)))
        found = -1;
    sql_reset(row);
    return found;
}

static enum catalogue_status write(struct catalogue *catalogue, int64_t table, const char *key,
                                   const json_t *document, struct err *err)
{
    struct sql_statement *row = catalogue_prepare(catalogue, CAT_PARTITION_ADD, err);
    char *text = json_dumps(document, JSON_COMPACT);
    enum catalogue_status status = CATALOGUE_FAILED;
    if (row && text) {
        sql_bind_int(row, 1, table);
        sql_bind_text(row, 2, key, strlen(key));
        sql_bind_text(row, 3, text, strlen(text));
        status = sql_run(row, err) == 0 ? CATALOGUE_OK : CATALOGUE_FAILED;
    }
    free(text);
    return status;
}

/* Takes the reference of `created`. */
static json_t *make(const struct catalogue *catalogue, const struct catalogue_row *row, const json_t *input,
                    json_t *created, struct err *err)
{
    json_t *document = shape_copy(catalogue_partition_shape, input, "partitionInput", err);
    if (!document) {
        json_decref(created);
        return NULL;
    }
    json_object_set(document, "DatabaseName", json_object_get(row->document, "DatabaseName"));
    json_object_set(document, "TableName", json_object_get(row->document, "Name"));
    json_object_set_new(document, "CreationTime", created);
    json_object_set_new(document, "CatalogId", json_string(catalogue->account));
    return document;
}

static enum catalogue_status create_one(struct catalogue *catalogue, const struct catalogue_row *row,
                                        const json_t *input, int64_t now_us, struct err *err)
{
    json_t *document = make(catalogue, row, input, catalogue_time(now_us), err);
    if (!document)
        return CATALOGUE_INVALID;
    const json_t *values = json_object_get(document, "Values");
    enum catalogue_status status = check_values(row, values, err);
    if (status == CATALOGUE_OK) {
        char *key = catalogue_partition_key(values);
        int found = find(catalogue, row->id, key, NULL, err);
        status = found < 0   ? CATALOGUE_FAILED
                 : found > 0 ? catalogue_fail(err, CATALOGUE_EXISTS, "Partition already exists.")
                             : write(catalogue, row->id, key, document, err);
        free(key);
    }
    json_decref(document);
    return status;
}

static enum catalogue_status delete_one(struct catalogue *catalogue, const struct catalogue_row *row,
                                        const json_t *values, struct err *err)
{
    enum catalogue_status status = check_values(row, values, err);
    struct sql_statement *remove =
        status == CATALOGUE_OK ? catalogue_prepare(catalogue, CAT_PARTITION_REMOVE, err) : NULL;
    if (status != CATALOGUE_OK)
        return status;
    if (!remove)
        return CATALOGUE_FAILED;
    char *key = catalogue_partition_key(values);
    sql_bind_int(remove, 1, row->id);
    sql_bind_text(remove, 2, key, strlen(key));
    status = sql_run(remove, err) < 0 ? CATALOGUE_FAILED
             : sql_changes(catalogue->db) == 0
                 ? catalogue_fail(err, CATALOGUE_NO_PARTITION, "Partition not found.")
                 : CATALOGUE_OK;
    free(key);
    return status;
}

/* Each of `items` by itself in one transaction; a failure of the disk ends all. `now_us` < 0: deletes. */
static enum catalogue_status each_of(struct catalogue *catalogue, const char *database, const char *table,
                                     const json_t *items, int64_t now_us, struct catalogue_outcome *outcomes,
                                     struct err *err)
{
    struct catalogue_row row;
    const json_t *item;
    size_t index;
    enum catalogue_status status = catalogue_begin(catalogue, err);
    if (status != CATALOGUE_OK)
        return status;
    status = catalogue_row_get(catalogue, database, table, &row, err);
    if (status == CATALOGUE_OK)
        json_array_foreach(items, index, item)
        {
            struct catalogue_outcome *outcome = &outcomes[index];
            outcome->err = ERR_INIT;
            outcome->status = now_us < 0 ? delete_one(catalogue, &row, item, &outcome->err)
                                         : create_one(catalogue, &row, item, now_us, &outcome->err);
            if (outcome->status == CATALOGUE_FAILED) {
                if (err)
                    *err = outcome->err;
                status = CATALOGUE_FAILED;
                break;
            }
        }
    json_decref(row.document);
    return catalogue_end(catalogue, status, err);
}

enum catalogue_status catalogue_partitions_create(struct catalogue *catalogue, const char *database,
                                                  const char *table, const json_t *inputs, int64_t now_us,
                                                  struct catalogue_outcome *outcomes, struct err *err)
{
    return each_of(catalogue, database, table, inputs, now_us, outcomes, err);
}

enum catalogue_status catalogue_partitions_delete(struct catalogue *catalogue, const char *database,
                                                  const char *table, const json_t *lists,
                                                  struct catalogue_outcome *outcomes, struct err *err)
{
    return each_of(catalogue, database, table, lists, -1, outcomes, err);
}

enum catalogue_status catalogue_partition_get(struct catalogue *catalogue, const char *database,
                                              const char *table, const json_t *values, json_t **partition,
                                              struct err *err)
{
    struct catalogue_row row;
    pthread_mutex_lock(&catalogue->lock);
    enum catalogue_status status = catalogue_row_get(catalogue, database, table, &row, err);
    if (status == CATALOGUE_OK && (status = check_values(&row, values, err)) == CATALOGUE_OK) {
        char *key = catalogue_partition_key(values);
        int found = find(catalogue, row.id, key, partition, err);
        if (found <= 0)
            status = found < 0 ? CATALOGUE_FAILED
                               : catalogue_fail(err, CATALOGUE_NO_PARTITION, "Cannot find partition.");
        free(key);
    }
    json_decref(row.document);
    pthread_mutex_unlock(&catalogue->lock);
    return status;
}

static enum catalogue_status update_one(struct catalogue *catalogue, const struct catalogue_row *row,
                                        const json_t *values, const json_t *input, struct err *err)
{
    json_t *old = NULL, *document;
    char *key = catalogue_partition_key(values), *renamed;
    int found = find(catalogue, row->id, key, &old, err);
    enum catalogue_status status = CATALOGUE_FAILED;
    if (found == 0)
        status = catalogue_fail(err, CATALOGUE_NO_PARTITION, "Cannot find partition.");
    free(key);
    if (found <= 0)
        return status;
    document = make(catalogue, row, input, json_incref(json_object_get(old, "CreationTime")), err);
    json_decref(old);
    if (!document)
        return CATALOGUE_INVALID;
    if (!json_object_get(document, "Values"))
        json_object_set(document, "Values", (json_t *)values);
    const json_t *present = json_object_get(document, "Values");
    renamed = catalogue_partition_key(present);
    bool same = json_equal(present, values);
    status = check_values(row, present, err);
    if (status == CATALOGUE_OK && !same && find(catalogue, row->id, renamed, NULL, err) != 0)
        status = catalogue_fail(err, CATALOGUE_EXISTS, "Partition already exists.");
    if (status == CATALOGUE_OK && !same)
        status = delete_one(catalogue, row, values, err);
    if (status == CATALOGUE_OK)
        status = write(catalogue, row->id, renamed, document, err);
    free(renamed);
    json_decref(document);
    return status;
}

enum catalogue_status catalogue_partition_update(struct catalogue *catalogue, const char *database,
                                                 const char *table, const json_t *values, const json_t *input,
                                                 struct err *err)
{
    struct catalogue_row row;
    enum catalogue_status status = catalogue_begin(catalogue, err);
    if (status != CATALOGUE_OK)
        return status;
    status = catalogue_row_get(catalogue, database, table, &row, err);
    if (status == CATALOGUE_OK && (status = check_values(&row, values, err)) == CATALOGUE_OK)
        status = update_one(catalogue, &row, values, input, err);
    json_decref(row.document);
    return catalogue_end(catalogue, status, err);
}

/* FNV-1a; which part of several a key belongs to must not change between calls. */
static bool in_segment(const struct catalogue_partition_query *query, const char *key)
{
    uint64_t hash = 14695981039346656037u;
    if (query->segments <= 1)
        return true;
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 1099511628211u;
    return (int64_t)(hash % (uint64_t)query->segments) == query->segment;
}

static bool wanted(const struct catalogue_partition_query *query, const char *key)
{
    if (!in_segment(query, key))
        return false;
    if (!query->wants)
        return true;
    json_t *values = json_loads(key, JSON_ALLOW_NUL, NULL);
    bool result = values && query->wants(query->context, values);
    json_decref(values);
    return result;
}

enum catalogue_status catalogue_partition_list(struct catalogue *catalogue, const char *database,
                                               const char *table,
                                               const struct catalogue_partition_query *query,
                                               catalogue_each_fn *each, struct err *err)
{
    struct catalogue_row row;
    int result = -1;
    bool more = true;
    pthread_mutex_lock(&catalogue->lock);
    enum catalogue_status status = catalogue_row_get(catalogue, database, table, &row, err);
    struct sql_statement *rows =
        status == CATALOGUE_OK ? catalogue_prepare(catalogue, CAT_PARTITION_LIST, err) : NULL;
    if (rows) {
        const char *after = query->after ? query->after : "";
        sql_bind_int(rows, 1, row.id);
        sql_bind_text(rows, 2, after, strlen(after));
        while (more && (result = sql_step(rows, err)) == 1) {
            if (!wanted(query, sql_column_text(rows, 0)))
                continue;
            json_t *document = catalogue_document(rows, 1, err);
            if (!document) {
                result = -1;
                break;
            }
            more = each(query->context, document);
            json_decref(document);
        }
        sql_reset(rows);
    }
    if (status == CATALOGUE_OK && result < 0)
        status = CATALOGUE_FAILED;
    json_decref(row.document);
    pthread_mutex_unlock(&catalogue->lock);
    return status;
}
