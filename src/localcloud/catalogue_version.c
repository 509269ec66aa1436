#include "localcloud/catalogue_private.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Versions of tables: the present one is the table's row, those before are kept aside. */

static json_t *version_of(const json_t *table)
{
    return json_pack("{s:O, s:O}", "Table", table, "VersionId", json_object_get(table, "VersionId"));
}

static enum catalogue_status none(const char *version, struct err *err)
{
    return catalogue_fail(err, CATALOGUE_NO_VERSION, "Version %.20s not found.", version);
}

enum catalogue_status catalogue_version_get(struct catalogue *catalogue, const char *database,
                                            const char *name, const char *version, json_t **item,
                                            struct err *err)
{
    struct catalogue_row row;
    int64_t number = -1;
    pthread_mutex_lock(&catalogue->lock);
    enum catalogue_status status = catalogue_row_get(catalogue, database, name, &row, err);
    if (status == CATALOGUE_OK && (!version || !*version))
        number = row.version;
    else if (status == CATALOGUE_OK && !text_parse_int(version, 0, INT64_MAX, &number))
        status = none(version, err);
    if (status == CATALOGUE_OK && number != row.version) {
        struct sql_statement *old = catalogue_prepare(catalogue, CAT_VERSION, err);
        int found = -1;
        json_decref(row.document);
        row.document = NULL;
        if (old) {
            sql_bind_int(old, 1, row.id);
            sql_bind_int(old, 2, number);
            found = sql_step(old, err);
            row.document = found == 1 ? catalogue_document(old, 0, err) : NULL;
            sql_reset(old);
        }
        if (!row.document)
            status = found == 0 ? none(version, err) : CATALOGUE_FAILED;
    }
    pthread_mutex_unlock(&catalogue->lock);
    if (status == CATALOGUE_OK)
        *item = version_of(row.document);
    json_decref(row.document);
    return status;
}

static bool give(catalogue_each_fn *each, void *context, const json_t *table)
{
    json_t *item = version_of(table);
    bool more = each(context, item);
    json_decref(item);
    return more;
}

static enum catalogue_status list_old(struct catalogue *catalogue, int64_t id, int64_t before,
                                      catalogue_each_fn *each, void *context, struct err *err)
{
    struct sql_statement *rows = catalogue_prepare(catalogue, CAT_VERSION_LIST, err);
    int result = -1;
    bool more = true;
    if (!rows)
        return CATALOGUE_FAILED;
    sql_bind_int(rows, 1, id);
    sql_bind_int(rows, 2, before);
    while (more && (result = sql_step(rows, err)) == 1) {
        json_t *document = catalogue_document(rows, 0, err);
        if (!document) {
            result = -1;
            break;
        }
        more = give(each, context, document);
        json_decref(document);
    }
    sql_reset(rows);
    return result < 0 ? CATALOGUE_FAILED : CATALOGUE_OK;
}

enum catalogue_status catalogue_version_list(struct catalogue *catalogue, const char *database,
                                             const char *name, int64_t before, catalogue_each_fn *each,
                                             void *context, struct err *err)
{
    struct catalogue_row row;
    bool more = true;
    pthread_mutex_lock(&catalogue->lock);
    enum catalogue_status status = catalogue_row_get(catalogue, database, name, &row, err);
    if (status == CATALOGUE_OK && (before < 0 || before > row.version)) {
        more = give(each, context, row.document);
        before = row.version;
    }
    if (status == CATALOGUE_OK && more)
        status = list_old(catalogue, row.id, before, each, context, err);
    json_decref(row.document);
    pthread_mutex_unlock(&catalogue->lock);
    return status;
}

enum catalogue_status catalogue_version_delete(struct catalogue *catalogue, const char *database,
                                               const char *name, const char *version, struct err *err)
{
    struct catalogue_row row;
    int64_t number = -1;
    enum catalogue_status status = catalogue_begin(catalogue, err);
    if (status != CATALOGUE_OK)
        return status;
    status = catalogue_row_get(catalogue, database, name, &row, err);
    json_decref(row.document);
    if (status == CATALOGUE_OK && !text_parse_int(version, 0, INT64_MAX, &number))
        status = none(version, err);
    if (status == CATALOGUE_OK && number == row.version)
        status = catalogue_fail(err, CATALOGUE_INVALID, "The present version of a table cannot be deleted");
    if (status == CATALOGUE_OK) {
        struct sql_statement *remove = catalogue_prepare(catalogue, CAT_VERSION_REMOVE, err);
        status = CATALOGUE_FAILED;
        if (remove) {
            sql_bind_int(remove, 1, row.id);
            sql_bind_int(remove, 2, number);
            status = sql_run(remove, err) < 0          ? CATALOGUE_FAILED
                     : sql_changes(catalogue->db) == 0 ? none(version, err)
                                                       : CATALOGUE_OK;
        }
    }
    return catalogue_end(catalogue, status, err);
}
