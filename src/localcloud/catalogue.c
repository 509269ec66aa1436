#include "localcloud/catalogue_private.h"

#include "base/file.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CATALOGUE_VERSION 1

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS database (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, document TEXT "
    "NOT NULL);"
    "CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, database INTEGER NOT NULL, name TEXT NOT NULL,"
    " version INTEGER NOT NULL, document TEXT NOT NULL, UNIQUE (database, name));"
    "CREATE TABLE IF NOT EXISTS version (item INTEGER NOT NULL, number INTEGER NOT NULL, document TEXT NOT "
    "NULL, PRIMARY KEY (item, number)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS part (item INTEGER NOT NULL, key TEXT NOT NULL, document TEXT NOT NULL, "
    "PRIMARY KEY (item, key)) WITHOUT ROWID;";

static const char *const TEXTS[CAT_STATEMENTS] = {
    [CAT_DATABASE] = "SELECT id, document FROM database WHERE name = ?",
    [CAT_DATABASE_ADD] = "INSERT INTO database (name, document) VALUES (?, ?)",
    [CAT_DATABASE_PUT] = "UPDATE database SET name = ?, document = ? WHERE id = ?",
    [CAT_DATABASE_REMOVE] = "DELETE FROM database WHERE id = ?",
    [CAT_DATABASE_LIST] = "SELECT document FROM database WHERE name > ? ORDER BY name",
    [CAT_DATABASE_PARTITIONS_REMOVE] =
        "DELETE FROM part WHERE item IN (SELECT id FROM item WHERE database = ?)",
    [CAT_DATABASE_VERSIONS_REMOVE] =
        "DELETE FROM version WHERE item IN (SELECT id FROM item WHERE database = ?)",
    [CAT_DATABASE_TABLES_REMOVE] = "DELETE FROM item WHERE database = ?",
    [CAT_TABLE] = "SELECT id, version, document FROM item WHERE database = ? AND name = ?",
    [CAT_TABLE_ADD] = "INSERT INTO item (database, name, version, document) VALUES (?, ?, 0, ?)",
    [CAT_TABLE_PUT] = "UPDATE item SET version = ?, document = ? WHERE id = ?",
    [CAT_TABLE_REMOVE] = "DELETE FROM item WHERE id = ?",
    [CAT_TABLE_LIST] = "SELECT document FROM item WHERE database = ? AND name > ? ORDER BY name",
    [CAT_TABLE_PARTITIONS_REMOVE] = "DELETE FROM part WHERE item = ?",
    [CAT_TABLE_VERSIONS_REMOVE] = "DELETE FROM version WHERE item = ?",
    [CAT_VERSION] = "SELECT document FROM version WHERE item = ? AND number = ?",
    [CAT_VERSION_ADD] = "INSERT OR REPLACE INTO version VALUES (?, ?, ?)",
    [CAT_VERSION_REMOVE] = "DELETE FROM version WHERE item = ? AND number = ?",
    [CAT_VERSION_LIST] = "SELECT document FROM version WHERE item = ? AND number < ? ORDER BY number DESC",
    [CAT_PARTITION] = "SELECT document FROM part WHERE item = ? AND key = ?",
    [CAT_PARTITION_ADD] = "INSERT OR REPLACE INTO part VALUES (?, ?, ?)",
    [CAT_PARTITION_REMOVE] = "DELETE FROM part WHERE item = ? AND key = ?",
    [CAT_PARTITION_LIST] = "SELECT key, document FROM part WHERE item = ? AND key > ? ORDER BY key",
};

const char *catalogue_error_code(enum catalogue_status status)
{
    switch (status) {
    case CATALOGUE_NO_DATABASE:
    case CATALOGUE_NO_TABLE:
    case CATALOGUE_NO_PARTITION:
    case CATALOGUE_NO_VERSION:
        return "EntityNotFoundException";
    case CATALOGUE_EXISTS:
        return "AlreadyExistsException";
    case CATALOGUE_INVALID:
        return "InvalidInputException";
    case CATALOGUE_CHANGED:
        return "VersionMismatchException";
    case CATALOGUE_OK:
    case CATALOGUE_FAILED:
        break;
    }
    return "InternalServiceException";
}

enum catalogue_status catalogue_fail(struct err *err, enum catalogue_status status, const char *format, ...)
{
    char text[sizeof err->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    err_set(err,
            status == CATALOGUE_EXISTS    ? ERR_BUSY
            : status == CATALOGUE_INVALID ? ERR_USAGE
                                          : ERR_NOT_FOUND,
            "%s", text);
    return status;
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static int open_file(struct catalogue *catalogue, const char *folder, struct err *err)
{
    char path[FILE_PATH_SIZE + 32];
    int64_t version = 0;
    snprintf(path, sizeof path, "%s/catalogue.sqlite", folder);
    catalogue->db = sql_open(path, SQL_CREATE, 5000, err);
    if (!catalogue->db || sql_pragma(catalogue->db, "journal_mode", "WAL", err) < 0 ||
        sql_pragma(catalogue->db, "synchronous", "NORMAL", err) < 0 ||
        sql_pragma(catalogue->db, "cache_size", "-1000", err) < 0 || /* KiB */
        sql_pragma_int(catalogue->db, "user_version", &version, err) < 0)
        return -1;
    if (version > CATALOGUE_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "%s was written by a newer version of smartcity", path);
    return sql_exec(catalogue->db, SCHEMA, err) < 0 ? -1
                                                    : sql_pragma(catalogue->db, "user_version", "1", err);
}

struct catalogue *catalogue_open(const char *folder, const char *account, struct err *err)
{
    struct catalogue *catalogue = mem_zero(1, sizeof *catalogue);
    pthread_mutex_init(&catalogue->lock, NULL);
    text_copy(catalogue->account, sizeof catalogue->account, account);
    if (open_file(catalogue, folder, err) == 0)
        return catalogue;
    catalogue_close(catalogue);
    return NULL;
}

void catalogue_close(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    for (size_t i = 0; i < CAT_STATEMENTS; i++)
        sql_finalize(catalogue->statements[i]);
    sql_close(catalogue->db);
    pthread_mutex_destroy(&catalogue->lock);
    free(catalogue);
}

uint64_t catalogue_generation(struct catalogue *catalogue)
{
    pthread_mutex_lock(&catalogue->lock);
    uint64_t generation = catalogue->generation;
    pthread_mutex_unlock(&catalogue->lock);
    return generation;
}

/* ---- statements ------------------------------------------------------------------------------------- */

struct sql_statement *catalogue_prepare(struct catalogue *catalogue, enum catalogue_statement which,
                                        struct err *err)
{
    struct sql_statement **statement = &catalogue->statements[which];
    if (!*statement)
        *statement = sql_prepare(catalogue->db, TEXTS[which], err);
    else
        sql_reset(*statement);
    return *statement;
}

int catalogue_run_on(struct catalogue *catalogue, enum catalogue_statement which, int64_t id, struct err *err)
{
    struct sql_statement *statement = catalogue_prepare(catalogue, which, err);
    if (!statement)
        return -1;
    sql_bind_int(statement, 1, id);
    return sql_run(statement, err);
}

json_t *catalogue_document(struct sql_statement *row, int column, struct err *err)
{
    json_t *document =
        json_loadb(sql_column_text(row, column), sql_column_bytes(row, column), JSON_ALLOW_NUL, NULL);
    if (!json_is_object(document)) {
        json_decref(document);
        err_set(err, ERR_CORRUPT, "the catalogue holds a document that cannot be read");
        return NULL;
    }
    return document;
}

enum catalogue_status catalogue_begin(struct catalogue *catalogue, struct err *err)
{
    pthread_mutex_lock(&catalogue->lock);
    if (sql_begin(catalogue->db, err) == 0)
        return CATALOGUE_OK;
    pthread_mutex_unlock(&catalogue->lock);
    return CATALOGUE_FAILED;
}

enum catalogue_status catalogue_end(struct catalogue *catalogue, enum catalogue_status status,
                                    struct err *err)
{
    if (status == CATALOGUE_OK && sql_commit(catalogue->db, err) < 0)
        status = CATALOGUE_FAILED;
    if (status == CATALOGUE_OK)
        catalogue->generation++;
    else
        sql_rollback(catalogue->db);
    pthread_mutex_unlock(&catalogue->lock);
    return status;
}

json_t *catalogue_time(int64_t now_us)
{
    int64_t seconds = now_us / 1000000;
    return json_real((double)seconds);
}

/* ---- names ------------------------------------------------------------------------------------------ */

/* Folds the name of the input in place; AWS keeps them in lower case. */
static enum catalogue_status fold_name(json_t *document, const char *what, struct err *err)
{
    const char *name = json_string_value(json_object_get(document, "Name"));
    char folded[CATALOGUE_NAME_MAX + 1];
    size_t length = strlen(name);
    if (length > CATALOGUE_NAME_MAX)
        return catalogue_fail(err, CATALOGUE_INVALID,
                              "1 validation error detected: Value at '%s.name' failed to satisfy constraint: "
                              "Member must have length less than or equal to 255",
                              what);
    for (size_t i = 0; i <= length; i++) {
        folded[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
        if (i < length && (unsigned char)name[i] < 0x20)
            return catalogue_fail(err, CATALOGUE_INVALID, "Name contains control characters");
    }
    json_object_set_new(document, "Name", json_string(folded));
    return CATALOGUE_OK;
}

/* For look-ups: names that cannot be there come out as "". */
static const char *fold(const char *name, char folded[CATALOGUE_NAME_MAX + 1])
{
    size_t length = name ? strlen(name) : 0;
    if (length > CATALOGUE_NAME_MAX)
        length = 0;
    for (size_t i = 0; i < length; i++)
        folded[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
    folded[length] = '\0';
    return folded;
}

static enum catalogue_status shaped(const struct shape *shape, const json_t *input, const char *path,
                                    json_t **document, struct err *err)
{
    *document = shape_copy(shape, input, path, err);
    if (!*document)
        return CATALOGUE_INVALID;
    enum catalogue_status status = fold_name(*document, path, err);
    if (status != CATALOGUE_OK) {
        json_decref(*document);
        *document = NULL;
    }
    return status;
}

/* ---- databases -------------------------------------------------------------------------------------- */

static enum catalogue_status find_database(struct catalogue *catalogue, const char *name, int64_t *id,
                                           json_t **document, struct err *err)
{
    char folded[CATALOGUE_NAME_MAX + 1];
    struct sql_statement *row = catalogue_prepare(catalogue, CAT_DATABASE, err);
    if (!row)
        return CATALOGUE_FAILED;
    fold(name, folded);
    sql_bind_text(row, 1, folded, strlen(folded));
    int found = sql_step(row, err);
    enum catalogue_status status = CATALOGUE_OK;
    if (found == 0)
        status = catalogue_fail(err, CATALOGUE_NO_DATABASE, "Database %.255s not found.", folded);
    else if (found < 0 || (document && !(*document = catalogue_document(row, 1, err))))
        status = CATALOGUE_FAILED;
    else
        *id = sql_column_int(row, 0);
    sql_reset(row);
    return status;
}

static enum catalogue_status write_database(struct catalogue *catalogue, enum catalogue_statement which,
                                            int64_t id, const json_t *document, struct err *err)
{
    struct sql_statement *row = catalogue_prepare(catalogue, which, err);
    const char *name = json_string_value(json_object_get(document, "Name"));
    char *text = json_dumps(document, JSON_COMPACT);
    enum catalogue_status status = CATALOGUE_FAILED;
    if (row && text) {
        sql_bind_text(row, 1, name, strlen(name));
        sql_bind_text(row, 2, text, strlen(text));
        if (which == CAT_DATABASE_PUT)
            sql_bind_int(row, 3, id);
        status = sql_run(row, err) == 0 ? CATALOGUE_OK : CATALOGUE_FAILED;
    }
    free(text);
    return status;
}

static void complete_database(const struct catalogue *catalogue, json_t *document, json_t *created)
{
    json_object_set_new(document, "CreateTime", created);
    json_object_set_new(document, "CatalogId", json_string(catalogue->account));
    if (!json_object_get(document, "CreateTableDefaultPermissions"))
        json_object_set_new(document, "CreateTableDefaultPermissions",
                            json_pack("[{s:{s:s},s:[s]}]", "Principal", "DataLakePrincipalIdentifier",
                                      "IAM_ALLOWED_PRINCIPALS", "Permissions", "ALL"));
}

enum catalogue_status catalogue_database_create(struct catalogue *catalogue, const json_t *input,
                                                int64_t now_us, struct err *err)
{
    json_t *document;
    int64_t id = 0;
    enum catalogue_status status = shaped(catalogue_database_shape, input, "databaseInput", &document, err);
    if (status != CATALOGUE_OK || (status = catalogue_begin(catalogue, err)) != CATALOGUE_OK) {
        json_decref(document);
        return status;
    }
    complete_database(catalogue, document, catalogue_time(now_us));
    status = find_database(catalogue, json_string_value(json_object_get(document, "Name")), &id, NULL, err);
    if (status == CATALOGUE_OK)
        status = catalogue_fail(err, CATALOGUE_EXISTS, "Database already exists.");
    else if (status == CATALOGUE_NO_DATABASE)
        status = write_database(catalogue, CAT_DATABASE_ADD, 0, document, err);
    json_decref(document);
    return catalogue_end(catalogue, status, err);
}

enum catalogue_status catalogue_database_get(struct catalogue *catalogue, const char *name, json_t **database,
                                             struct err *err)
{
    int64_t id = 0;
    pthread_mutex_lock(&catalogue->lock);
    enum catalogue_status status = find_database(catalogue, name, &id, database, err);
    pthread_mutex_unlock(&catalogue->lock);
    return status;
}

enum catalogue_status catalogue_database_update(struct catalogue *catalogue, const char *name,
                                                const json_t *input, struct err *err)
{
    json_t *document, *old = NULL;
    int64_t id, other;
    enum catalogue_status status = shaped(catalogue_database_shape, input, "databaseInput", &document, err);
    if (status != CATALOGUE_OK || (status = catalogue_begin(catalogue, err)) != CATALOGUE_OK) {
        json_decref(document);
        return status;
    }
    status = find_database(catalogue, name, &id, &old, err);
    if (status == CATALOGUE_OK) {
        const char *renamed = json_string_value(json_object_get(document, "Name"));
        complete_database(catalogue, document, json_incref(json_object_get(old, "CreateTime")));
        if (find_database(catalogue, renamed, &other, NULL, err) == CATALOGUE_OK && other != id)
            status = catalogue_fail(err, CATALOGUE_EXISTS, "Database already exists.");
        else
            status = write_database(catalogue, CAT_DATABASE_PUT, id, document, err);
    }
    json_decref(old);
    json_decref(document);
    return catalogue_end(catalogue, status, err);
}

enum catalogue_status catalogue_database_delete(struct catalogue *catalogue, const char *name,
                                                struct err *err)
{
    int64_t id = 0;
    enum catalogue_status status = catalogue_begin(catalogue, err);
    if (status != CATALOGUE_OK)
        return status;
    status = find_database(catalogue, name, &id, NULL, err);
    if (status == CATALOGUE_OK && (catalogue_run_on(catalogue, CAT_DATABASE_PARTITIONS_REMOVE, id, err) < 0 ||
                                   catalogue_run_on(catalogue, CAT_DATABASE_VERSIONS_REMOVE, id, err) < 0 ||
                                   catalogue_run_on(catalogue, CAT_DATABASE_TABLES_REMOVE, id, err) < 0 ||
                                   catalogue_run_on(catalogue, CAT_DATABASE_REMOVE, id, err) < 0))
        status = CATALOGUE_FAILED;
    return catalogue_end(catalogue, status, err);
}

/* Gives the documents of a statement whose parameters are bound. */
static enum catalogue_status give_each(struct sql_statement *rows, catalogue_each_fn *each, void *context,
                                       struct err *err)
{
    int result;
    bool more = true;
    while (more && (result = sql_step(rows, err)) != 0) {
        json_t *document = result == 1 ? catalogue_document(rows, 0, err) : NULL;
        if (!document) {
            sql_reset(rows);
            return CATALOGUE_FAILED;
        }
        more = each(context, document);
        json_decref(document);
    }
    sql_reset(rows);
    return CATALOGUE_OK;
}

enum catalogue_status catalogue_database_list(struct catalogue *catalogue, const char *after,
                                              catalogue_each_fn *each, void *context, struct err *err)
{
    pthread_mutex_lock(&catalogue->lock);
    struct sql_statement *rows = catalogue_prepare(catalogue, CAT_DATABASE_LIST, err);
    enum catalogue_status status = CATALOGUE_FAILED;
    if (rows) {
        sql_bind_text(rows, 1, after, strlen(after));
        status = give_each(rows, each, context, err);
    }
    pthread_mutex_unlock(&catalogue->lock);
    return status;
}

/* ---- tables ----------------------------------------------------------------------------------------- */

enum catalogue_status catalogue_row_get(struct catalogue *catalogue, const char *database, const char *name,
                                        struct catalogue_row *table, struct err *err)
{
    char folded[CATALOGUE_NAME_MAX + 1];
    int64_t id = 0;
    table->document = NULL;
    enum catalogue_status status = find_database(catalogue, database, &id, NULL, err);
    if (status != CATALOGUE_OK)
        return status;
    struct sql_statement *row = catalogue_prepare(catalogue, CAT_TABLE, err);
    if (!row)
        return CATALOGUE_FAILED;
    fold(name, folded);
    sql_bind_int(row, 1, id);
    sql_bind_text(row, 2, folded, strlen(folded));
    int found = sql_step(row, err);
    if (found == 0)
        status = catalogue_fail(err, CATALOGUE_NO_TABLE, "Table %.255s not found.", folded);
    else if (found < 0 || !(table->document = catalogue_document(row, 2, err)))
        status = CATALOGUE_FAILED;
    else {
        table->id = sql_column_int(row, 0);
        table->version = sql_column_int(row, 1);
    }
    sql_reset(row);
    return status;
}

static void complete_table(const struct catalogue *catalogue, json_t *document, const char *database,
                           json_t *created, json_t *by, int64_t now_us, int64_t version)
{
    char folded[CATALOGUE_NAME_MAX + 1], number[24];
    snprintf(number, sizeof number, "%lld", (long long)version);
    json_object_set_new(document, "DatabaseName", json_string(fold(database, folded)));
    json_object_set_new(document, "CreateTime", created);
    json_object_set_new(document, "UpdateTime", catalogue_time(now_us));
    json_object_set_new(document, "CreatedBy", by);
    json_object_set_new(document, "CatalogId", json_string(catalogue->account));
    json_object_set_new(document, "VersionId", json_string(number));
    json_object_set_new(document, "IsRegisteredWithLakeFormation", json_false());
    json_object_set_new(document, "IsMultiDialectView", json_false());
    if (!json_object_get(document, "Retention"))
        json_object_set_new(document, "Retention", json_integer(0));
}

static enum catalogue_status write_table(struct catalogue *catalogue, enum catalogue_statement which,
                                         int64_t first, int64_t id, const json_t *document, struct err *err)
{
    struct sql_statement *row = catalogue_prepare(catalogue, which, err);
    const char *name = json_string_value(json_object_get(document, "Name"));
    char *text = json_dumps(document, JSON_COMPACT);
    enum catalogue_status status = CATALOGUE_FAILED;
    if (row && text) {
        sql_bind_int(row, 1, first);
        if (which == CAT_TABLE_ADD) {
            sql_bind_text(row, 2, name, strlen(name));
            sql_bind_text(row, 3, text, strlen(text));
        } else if (which == CAT_TABLE_PUT) {
            sql_bind_text(row, 2, text, strlen(text));
            sql_bind_int(row, 3, id);
        } else {
            sql_bind_int(row, 2, id);
            sql_bind_text(row, 3, text, strlen(text));
        }
        status = sql_run(row, err) == 0 ? CATALOGUE_OK : CATALOGUE_FAILED;
    }
    free(text);
    return status;
}

enum catalogue_status catalogue_table_create(struct catalogue *catalogue, const char *database,
                                             const json_t *input, int64_t now_us, struct err *err)
{
    json_t *document;
    int64_t id = 0;
    enum catalogue_status status = shaped(catalogue_table_shape, input, "tableInput", &document, err);
    if (status != CATALOGUE_OK || (status = catalogue_begin(catalogue, err)) != CATALOGUE_OK) {
        json_decref(document);
        return status;
    }
    char by[64];
    snprintf(by, sizeof by, "arn:aws:iam::%s:root", catalogue->account);
    complete_table(catalogue, document, database, catalogue_time(now_us), json_string(by), now_us, 0);
    status = find_database(catalogue, database, &id, NULL, err);
    if (status == CATALOGUE_OK) {
        struct catalogue_row there;
        status = catalogue_row_get(catalogue, database, json_string_value(json_object_get(document, "Name")),
                                   &there, err);
        json_decref(there.document);
        if (status == CATALOGUE_OK)
            status = catalogue_fail(err, CATALOGUE_EXISTS, "Table already exists.");
        else if (status == CATALOGUE_NO_TABLE)
            status = write_table(catalogue, CAT_TABLE_ADD, id, 0, document, err);
    }
    json_decref(document);
    return catalogue_end(catalogue, status, err);
}

enum catalogue_status catalogue_table_get(struct catalogue *catalogue, const char *database, const char *name,
                                          json_t **table, struct err *err)
{
    struct catalogue_row row;
    pthread_mutex_lock(&catalogue->lock);
    enum catalogue_status status = catalogue_row_get(catalogue, database, name, &row, err);
    pthread_mutex_unlock(&catalogue->lock);
    if (table)
        *table = row.document;
    else
        json_decref(row.document);
    return status;
}

static enum catalogue_status replace(struct catalogue *catalogue, const char *database, json_t *document,
                                     const struct catalogue_update *update, int64_t now_us, struct err *err)
{
    struct catalogue_row row;
    enum catalogue_status status = catalogue_row_get(
        catalogue, database, json_string_value(json_object_get(document, "Name")), &row, err);
    if (status == CATALOGUE_OK && update->version &&
        strcmp(update->version, json_string_value(json_object_get(row.document, "VersionId"))) != 0)
        status = catalogue_fail(err, CATALOGUE_CHANGED, "The table's version is not %.20s", update->version);
    if (status == CATALOGUE_OK) {
        complete_table(catalogue, document, database,
                       json_incref(json_object_get(row.document, "CreateTime")),
                       json_incref(json_object_get(row.document, "CreatedBy")), now_us, row.version + 1);
        if (!update->skip_archive)
            status = write_table(catalogue, CAT_VERSION_ADD, row.id, row.version, row.document, err);
        if (status == CATALOGUE_OK)
            status = write_table(catalogue, CAT_TABLE_PUT, row.version + 1, row.id, document, err);
    }
    json_decref(row.document);
    return status;
}

enum catalogue_status catalogue_table_update(struct catalogue *catalogue, const char *database,
                                             const json_t *input, const struct catalogue_update *update,
                                             int64_t now_us, struct err *err)
{
    json_t *document;
    enum catalogue_status status = shaped(catalogue_table_shape, input, "tableInput", &document, err);
    if (status == CATALOGUE_OK && (status = catalogue_begin(catalogue, err)) == CATALOGUE_OK)
        status = catalogue_end(catalogue, replace(catalogue, database, document, update, now_us, err), err);
    json_decref(document);
    return status;
}

enum catalogue_status catalogue_table_delete(struct catalogue *catalogue, const char *database,
                                             const char *name, struct err *err)
{
    struct catalogue_row row;
    enum catalogue_status status = catalogue_begin(catalogue, err);
    if (status != CATALOGUE_OK)
        return status;
    status = catalogue_row_get(catalogue, database, name, &row, err);
    json_decref(row.document);
    if (status == CATALOGUE_OK &&
        (catalogue_run_on(catalogue, CAT_TABLE_PARTITIONS_REMOVE, row.id, err) < 0 ||
         catalogue_run_on(catalogue, CAT_TABLE_VERSIONS_REMOVE, row.id, err) < 0 ||
         catalogue_run_on(catalogue, CAT_TABLE_REMOVE, row.id, err) < 0))
        status = CATALOGUE_FAILED;
    return catalogue_end(catalogue, status, err);
}

enum catalogue_status catalogue_table_list(struct catalogue *catalogue, const char *database,
                                           const char *after, catalogue_each_fn *each, void *context,
                                           struct err *err)
{
    int64_t id = 0;
    pthread_mutex_lock(&catalogue->lock);
    enum catalogue_status status = find_database(catalogue, database, &id, NULL, err);
    struct sql_statement *rows =
        status == CATALOGUE_OK ? catalogue_prepare(catalogue, CAT_TABLE_LIST, err) : NULL;
    if (rows) {
        sql_bind_int(rows, 1, id);
        sql_bind_text(rows, 2, after, strlen(after));
        status = give_each(rows, each, context, err);
    } else if (status == CATALOGUE_OK) {
        status = CATALOGUE_FAILED;
    }
    pthread_mutex_unlock(&catalogue->lock);
    return status;
}
