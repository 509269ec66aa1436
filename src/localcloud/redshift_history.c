#include "localcloud/redshift_history.h"

#include "base/file.h"
#include "sql/sql.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ST_ADD,
    ST_UPDATE,
    ST_GET,
    ST_TOKEN,
    ST_LIST,
    ST_PAGE,
    ST_READ,
    ST_FORGET_PAGES,
    ST_FORGET,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [ST_ADD] = "INSERT INTO statement (id, name, status, created, cluster, workgroup, database, token, hash, "
               "document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [ST_UPDATE] = "UPDATE statement SET status = ?2, document = ?3 WHERE id = ?1",
    [ST_GET] = "SELECT document FROM statement WHERE id = ?",
    [ST_TOKEN] =
        "SELECT document, hash FROM statement WHERE token = ? AND created > ? ORDER BY number DESC LIMIT 1",
    [ST_LIST] = "SELECT number, document FROM statement WHERE (?1 IS NULL OR status = ?1) AND "
                "substr(name, 1, length(?2)) = ?2 AND (?3 IS NULL OR database = ?3) AND (?4 IS NULL OR "
                "cluster = ?4) AND (?5 IS NULL OR workgroup = ?5) AND (?6 = 0 OR number < ?6) ORDER BY "
                "number DESC LIMIT ?7",
    [ST_PAGE] = "INSERT OR REPLACE INTO page (id, number, body) VALUES (?, ?, ?)",
    [ST_READ] = "SELECT body FROM page WHERE id = ? AND number = ?",
    [ST_FORGET_PAGES] =
        "DELETE FROM page WHERE substr(id, 1, 36) IN (SELECT id FROM statement WHERE created < ? "
        "AND status IN ('FINISHED', 'FAILED', 'ABORTED'))",
    [ST_FORGET] = "DELETE FROM statement WHERE created < ? AND status IN ('FINISHED', 'FAILED', 'ABORTED')",
};

struct redshift_history {
    pthread_mutex_t lock;
    struct sql_db *db;
    struct sql_statement *statements[STATEMENTS];
};

static const char *member(const json_t *document, const char *name)
{
    return json_string_value(json_object_get(document, name));
}

static void bind(struct sql_statement *statement, int index, const char *text)
{
    if (text)
        sql_bind_text(statement, index, text, strlen(text));
    else
        sql_bind_null(statement, index);
}

static void fail(json_t *document, int64_t now_ms)
{
    json_object_set_new(document, "Status", json_string("FAILED"));
    json_object_set_new(document, "Error",
                        json_string("ERROR: the connection was lost while the statement ran"));
    json_object_set_new(document, "UpdatedAt", json_real((double)now_ms / 1000));
    json_t *sub, *subs = json_object_get(document, "SubStatements");
    size_t at;
    json_array_foreach(subs, at, sub)
    {
        const char *status = member(sub, "Status");
        if (!status || strcmp(status, "FINISHED") != 0)
            json_object_set_new(sub, "Status", json_string("ABORTED"));
    }
}

int redshift_history_recover(struct redshift_history *history, redshift_outcome_fn *committed, void *context,
                             int64_t now_ms, struct err *err)
{
    struct redshift_history_query query = {.name_prefix = "", .limit = 100000};
    static const char *const open[] = {"SUBMITTED", "PICKED", "STARTED"};
    int result = 0;
    for (size_t i = 0; i < 3 && result == 0; i++) {
        query.status = open[i];
        json_t *list = redshift_history_list(history, &query, err), *document;
        size_t index;
        if (!list)
            return -1;
        json_array_foreach(list, index, document)
        {
            json_t *outcome = i > 0 && result == 0 ? committed(context, member(document, "Id")) : NULL;
            if (!outcome)
                fail(document, now_ms);
            if (result == 0)
                result = redshift_history_update(history, outcome ? outcome : document, err);
            json_decref(outcome);
        }
        json_decref(list);
    }
    return result;
}

struct redshift_history *redshift_history_open(const char *folder, int64_t now_ms, struct err *err)
{
    char path[FILE_PATH_SIZE + 40];
    snprintf(path, sizeof path, "%s/redshift", folder);
    if (file_make_dirs(path, err) != 0)
        return NULL;
    snprintf(path, sizeof path, "%s/redshift/history.sqlite", folder);
    struct redshift_history *history = mem_zero(1, sizeof *history);
    pthread_mutex_init(&history->lock, NULL);
    history->db = sql_open(path, SQL_CREATE, 1000, err);
    static const char schema[] =
        "CREATE TABLE IF NOT EXISTS statement (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, "
        "name "
        "TEXT, status TEXT, created INTEGER, cluster TEXT, workgroup TEXT, database TEXT, token TEXT, hash "
        "TEXT, document TEXT);"
        "CREATE INDEX IF NOT EXISTS statement_token ON statement (token) WHERE token <> '';"
        "CREATE INDEX IF NOT EXISTS statement_created ON statement (created);"
        "CREATE TABLE IF NOT EXISTS page (id TEXT, number INTEGER, body TEXT, PRIMARY KEY (id, number)) "
        "WITHOUT "
        "ROWID";
    bool good = history->db && sql_pragma(history->db, "journal_mode", "WAL", err) == 0 &&
                sql_pragma(history->db, "synchronous", "NORMAL", err) == 0 &&
                sql_exec(history->db, schema, err) == 0;
    for (int i = 0; i < STATEMENTS && good; i++)
        good = (history->statements[i] = sql_prepare(history->db, texts[i], err)) != NULL;
    if (good) {
        redshift_history_forget(history, now_ms);
        return history;
    }
    redshift_history_close(history);
    return NULL;
}

void redshift_history_close(struct redshift_history *history)
{
    if (!history)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sql_finalize(history->statements[i]);
    sql_close(history->db);
    pthread_mutex_destroy(&history->lock);
    free(history);
}

int64_t redshift_history_add(struct redshift_history *history, const json_t *document, const char *name,
                             const char *token, const char *hash, int64_t now_ms, struct err *err)
{
    char *text = json_dumps(document, JSON_COMPACT);
    pthread_mutex_lock(&history->lock);
    struct sql_statement *add = history->statements[ST_ADD];
    bind(add, 1, member(document, "Id"));
    bind(add, 2, name);
    bind(add, 3, member(document, "Status"));
    sql_bind_int(add, 4, now_ms);
    bind(add, 5, member(document, "ClusterIdentifier"));
    bind(add, 6, member(document, "WorkgroupName"));
    bind(add, 7, member(document, "Database"));
    bind(add, 8, token);
    bind(add, 9, hash);
    bind(add, 10, text ? text : "{}");
    int result = sql_run(add, err);
    int64_t number = result == 0 ? sql_last_id(history->db) : -1;
    pthread_mutex_unlock(&history->lock);
    free(text);
    return number;
}

int redshift_history_update(struct redshift_history *history, const json_t *document, struct err *err)
{
    char *text = json_dumps(document, JSON_COMPACT);
    pthread_mutex_lock(&history->lock);
    struct sql_statement *update = history->statements[ST_UPDATE];
    bind(update, 1, member(document, "Id"));
    bind(update, 2, member(document, "Status"));
    bind(update, 3, text ? text : "{}");
    int result = sql_run(update, err);
    pthread_mutex_unlock(&history->lock);
    free(text);
    return result;
}

static json_t *document_of(struct sql_statement *row, int column)
{
    return json_loadb(sql_column_text(row, column), sql_column_bytes(row, column), 0, NULL);
}

json_t *redshift_history_get(struct redshift_history *history, const char *id, struct err *err)
{
    json_t *document = NULL;
    pthread_mutex_lock(&history->lock);
    struct sql_statement *get = history->statements[ST_GET];
    bind(get, 1, id);
    if (sql_step(get, err) == 1)
        document = document_of(get, 0);
    sql_reset(get);
    pthread_mutex_unlock(&history->lock);
    return document;
}

json_t *redshift_history_token(struct redshift_history *history, const char *token, const char *hash,
                               int64_t now_ms, bool *same, struct err *err)
{
    json_t *document = NULL;
    pthread_mutex_lock(&history->lock);
    struct sql_statement *find = history->statements[ST_TOKEN];
    bind(find, 1, token);
    sql_bind_int(find, 2, now_ms - REDSHIFT_TOKEN_MS);
    if (sql_step(find, err) == 1) {
        document = document_of(find, 0);
        *same = strcmp(sql_column_text(find, 1), hash) == 0;
    }
    sql_reset(find);
    pthread_mutex_unlock(&history->lock);
    return document;
}

json_t *redshift_history_list(struct redshift_history *history, const struct redshift_history_query *query,
                              struct err *err)
{
    json_t *list = json_array();
    pthread_mutex_lock(&history->lock);
    struct sql_statement *row = history->statements[ST_LIST];
    bind(row, 1, query->status);
    bind(row, 2, query->name_prefix);
    bind(row, 3, query->database);
    bind(row, 4, query->cluster);
    bind(row, 5, query->workgroup);
    sql_bind_int(row, 6, query->before);
    sql_bind_int(row, 7, query->limit);
    int step;
    while ((step = sql_step(row, err)) == 1) {
        json_t *document = document_of(row, 1);
        json_object_set_new(document, "_number", json_integer(sql_column_int(row, 0)));
        json_array_append_new(list, document);
    }
    sql_reset(row);
    pthread_mutex_unlock(&history->lock);
    if (step == 0)
        return list;
    json_decref(list);
    return NULL;
}

int redshift_history_page(struct redshift_history *history, const char *id, int64_t number, const char *body,
                          struct err *err)
{
    pthread_mutex_lock(&history->lock);
    struct sql_statement *page = history->statements[ST_PAGE];
    bind(page, 1, id);
    sql_bind_int(page, 2, number);
    bind(page, 3, body);
    int result = sql_run(page, err);
    pthread_mutex_unlock(&history->lock);
    return result;
}

int redshift_history_read(struct redshift_history *history, const char *id, int64_t number, struct buf *body,
                          struct err *err)
{
    pthread_mutex_lock(&history->lock);
    struct sql_statement *read = history->statements[ST_READ];
    bind(read, 1, id);
    sql_bind_int(read, 2, number);
    int step = sql_step(read, err);
    if (step == 1)
        buf_append(body, sql_column_text(read, 0), sql_column_bytes(read, 0));
    sql_reset(read);
    pthread_mutex_unlock(&history->lock);
    return step;
}

void redshift_history_forget(struct redshift_history *history, int64_t now_ms)
{
    pthread_mutex_lock(&history->lock);
    for (int i = ST_FORGET_PAGES; i <= ST_FORGET; i++) {
        struct err err = ERR_INIT;
        sql_bind_int(history->statements[i], 1, now_ms - REDSHIFT_KEPT_MS);
        if (sql_run(history->statements[i], &err) != 0)
            break; /* next time */
    }
    pthread_mutex_unlock(&history->lock);
}
