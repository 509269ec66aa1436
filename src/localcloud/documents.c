#include "localcloud/documents.h"

#include "base/file.h"
#include "sql/sql.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum statement { GET, PUT, REMOVE, REMOVE_ALL, LIST, LIST_NAME, STATEMENTS };

static const char *const TEXTS[STATEMENTS] = {
    [GET] = "SELECT document FROM document WHERE kind = ? AND name = ? AND second = ?",
    [PUT] = "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?)",
    [REMOVE] = "DELETE FROM document WHERE kind = ? AND name = ? AND second = ?",
    [REMOVE_ALL] = "DELETE FROM document WHERE kind = ? AND name = ?",
    [LIST] = "SELECT name, second, document FROM document WHERE kind = ? ORDER BY name, second",
    [LIST_NAME] = "SELECT name, second, document FROM document WHERE kind = ? AND name = ? ORDER BY second",
};

struct documents {
    pthread_mutex_t lock;
    struct sql_db *db;
    struct sql_statement *statements[STATEMENTS];
};

struct documents *documents_open(const char *folder, const char *file, struct err *err)
{
    struct documents *store = mem_zero(1, sizeof *store);
    char path[FILE_PATH_SIZE + 32];
    pthread_mutex_init(&store->lock, NULL);
    snprintf(path, sizeof path, "%s/%s", folder, file);
    store->db = sql_open(path, SQL_CREATE, 5000, err);
    bool good = store->db && sql_pragma(store->db, "journal_mode", "WAL", err) == 0 &&
                sql_pragma(store->db, "synchronous", "NORMAL", err) == 0 &&
                sql_exec(store->db,
                         "CREATE TABLE IF NOT EXISTS document (kind TEXT NOT NULL, name TEXT NOT NULL, "
                         "second TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (kind, name, second)) "
                         "WITHOUT ROWID",
                         err) == 0;
    for (size_t i = 0; good && i < STATEMENTS; i++)
        good = (store->statements[i] = sql_prepare(store->db, TEXTS[i], err)) != NULL;
    if (good)
        return store;
    documents_close(store);
    return NULL;
}

void documents_close(struct documents *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        sql_finalize(store->statements[i]);
    sql_close(store->db);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

/* Locks. */
static struct sql_statement *begin(struct documents *store, enum statement which, const char *kind,
                                   const char *name, const char *second)
{
    pthread_mutex_lock(&store->lock);
    struct sql_statement *statement = store->statements[which];
    sql_reset(statement);
    sql_bind_text(statement, 1, kind, strlen(kind));
    if (name)
        sql_bind_text(statement, 2, name, strlen(name));
    if (second)
        sql_bind_text(statement, 3, second, strlen(second));
    return statement;
}

static json_t *read_document(struct documents *store, struct sql_statement *row, int column, struct err *err)
{
    json_t *document =
        json_loadb(sql_column_text(row, column), sql_column_bytes(row, column), JSON_ALLOW_NUL, NULL);
    if (!document)
        err_set(err, ERR_CORRUPT, "%s holds a document that cannot be read", sql_path(store->db));
    return document;
}

int documents_get(struct documents *store, const char *kind, const char *name, const char *second,
                  json_t **document, struct err *err)
{
    struct sql_statement *row = begin(store, GET, kind, name, second);
    int found = sql_step(row, err);
    if (document)
        *document = NULL;
    if (found == 1 && document && !(*document = read_document(store, row, 0, err)))
        found = -1;
    sql_reset(row);
    pthread_mutex_unlock(&store->lock);
    return found;
}

int documents_put(struct documents *store, const char *kind, const char *name, const char *second,
                  const json_t *document, struct err *err)
{
    char *text = json_dumps(document, JSON_COMPACT);
    if (!text)
        return err_set(err, ERR_INTERNAL, "a document cannot be written");
    struct sql_statement *row = begin(store, PUT, kind, name, second);
    sql_bind_text(row, 4, text, strlen(text));
    int result = sql_run(row, err);
    pthread_mutex_unlock(&store->lock);
    free(text);
    return result;
}

int documents_remove(struct documents *store, const char *kind, const char *name, const char *second,
                     int64_t *removed, struct err *err)
{
    struct sql_statement *row = begin(store, second ? REMOVE : REMOVE_ALL, kind, name, second);
    int result = sql_run(row, err);
    if (removed)
        *removed = sql_changes(store->db);
    pthread_mutex_unlock(&store->lock);
    return result;
}

int documents_list(struct documents *store, const char *kind, const char *name,
                   bool (*each)(void *context, const char *name, const char *second, json_t *document),
                   void *context, struct err *err)
{
    struct sql_statement *rows = begin(store, name ? LIST_NAME : LIST, kind, name, NULL);
    int result = 0;
    bool more = true;
    while (more && (result = sql_step(rows, err)) == 1) {
        json_t *document = read_document(store, rows, 2, err);
        if (!document) {
            result = -1;
            break;
        }
        more = each(context, sql_column_text(rows, 0), sql_column_text(rows, 1), document);
        json_decref(document);
    }
    sql_reset(rows);
    pthread_mutex_unlock(&store->lock);
    return result < 0 ? -1 : 0;
}
