#include "localcloud/athena_history.h"

#include "base/file.h"
#include "base/text.h"
#include "sql/sql.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum statement { ADD, END, GET, TOKEN, REUSE, LIST, FORGET, TRIM, STATEMENTS };

static const char *const TEXTS[STATEMENTS] = {
    [ADD] = "INSERT INTO execution (id, workgroup, token, request, reuse, submitted, completed, succeeded, "
            "execution, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [END] = "UPDATE execution SET completed = ?, succeeded = ?, execution = ?, details = ? WHERE id = ?",
    [GET] = "SELECT execution, details FROM execution WHERE id = ?",
    [TOKEN] = "SELECT id, request FROM execution WHERE token = ?",
    [REUSE] = "SELECT execution, details FROM execution WHERE reuse = ? AND succeeded = 1 AND completed >= ? "
              "ORDER BY row DESC LIMIT 1",
    [LIST] = "SELECT row, id FROM execution WHERE workgroup = ? AND row < ? ORDER BY row DESC LIMIT ?",
    [FORGET] = "DELETE FROM execution WHERE workgroup = ?",
    [TRIM] = "DELETE FROM execution WHERE completed > 0 AND (submitted < ? OR row <= "
             "(SELECT max(row) FROM execution) - ?)",
};

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS execution (row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, "
    "workgroup TEXT NOT NULL, token TEXT UNIQUE, request TEXT, reuse TEXT, submitted INTEGER NOT NULL, "
    "completed INTEGER NOT NULL, succeeded INTEGER NOT NULL, execution TEXT NOT NULL, details TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS execution_workgroup ON execution (workgroup, row);"
    "CREATE INDEX IF NOT EXISTS execution_reuse ON execution (reuse, row) WHERE reuse IS NOT NULL;"
    "CREATE INDEX IF NOT EXISTS execution_open ON execution (id) WHERE completed = 0;";

struct athena_history {
    pthread_mutex_t lock;
    struct sql_db *db;
    struct sql_statement *statements[STATEMENTS];
    int64_t adds;
};

/* Locks. */
static struct sql_statement *begin(struct athena_history *history, enum statement which)
{
    pthread_mutex_lock(&history->lock);
    sql_reset(history->statements[which]);
    return history->statements[which];
}

static void end(struct athena_history *history, struct sql_statement *statement)
{
    sql_reset(statement);
    pthread_mutex_unlock(&history->lock);
}

static void bind(struct sql_statement *statement, int index, const char *text)
{
    if (text)
        sql_bind_text(statement, index, text, strlen(text));
    else
        sql_bind_null(statement, index);
}

static int read_json(struct athena_history *history, struct sql_statement *row, int column, json_t **json,
                     struct err *err)
{
    if (!json)
        return 0;
    *json = json_loadb(sql_column_text(row, column), sql_column_bytes(row, column), JSON_ALLOW_NUL, NULL);
    return *json ? 0
                 : err_set(err, ERR_CORRUPT, "%s holds an execution that cannot be read",
                           sql_path(history->db));
}

static int put(struct athena_history *history, const struct athena_entry *entry, bool add, struct err *err)
{
    char *execution = json_dumps(entry->execution, JSON_COMPACT),
         *details = json_dumps(entry->details, JSON_COMPACT);
    int result = -1;
    if (!execution || !details) {
        err_set(err, ERR_INTERNAL, "an execution cannot be written");
    } else {
        struct sql_statement *row = begin(history, add ? ADD : END);
        int at = 1;
        if (add) {
            bind(row, at++, entry->id);
            bind(row, at++, entry->workgroup);
            bind(row, at++, entry->token);
            bind(row, at++, entry->request);
            bind(row, at++, entry->reuse);
            sql_bind_int(row, at++, entry->submitted_us);
        }
        sql_bind_int(row, at++, entry->completed_us);
        sql_bind_int(row, at++, entry->succeeded);
        bind(row, at++, execution);
        bind(row, at++, details);
        if (!add)
            bind(row, at, entry->id);
        result = sql_run(row, err);
        if (add && result == 0 && history->adds++ % 256 == 0) {
            struct sql_statement *trim = history->statements[TRIM];
            sql_bind_int(trim, 1, entry->submitted_us - ATHENA_HISTORY_DAYS * 86400LL * 1000000);
            sql_bind_int(trim, 2, ATHENA_HISTORY_MAX);
            sql_run(trim, NULL);
        }
        end(history, row);
    }
    free(execution);
    free(details);
    return result;
}

int athena_history_add(struct athena_history *history, const struct athena_entry *entry, struct err *err)
{
    return put(history, entry, true, err);
}

int athena_history_end(struct athena_history *history, const struct athena_entry *entry, struct err *err)
{
    return put(history, entry, false, err);
}

int athena_history_get(struct athena_history *history, const char *id, json_t **execution, json_t **details,
                       struct err *err)
{
    struct sql_statement *row = begin(history, GET);
    bind(row, 1, id);
    int found = sql_step(row, err);
    if (found == 1 && read_json(history, row, 0, execution, err) != 0)
        found = -1;
    if (found == 1 && read_json(history, row, 1, details, err) != 0) {
        if (execution)
            json_decref(*execution);
        found = -1;
    }
    end(history, row);
    return found;
}

int athena_history_token(struct athena_history *history, const char *token, const char *request, char id[37],
                         bool *same, struct err *err)
{
    struct sql_statement *row = begin(history, TOKEN);
    bind(row, 1, token);
    int found = sql_step(row, err);
    if (found == 1) {
        text_copy(id, 37, sql_column_text(row, 0));
        *same = strcmp(sql_column_text(row, 1), request) == 0;
    }
    end(history, row);
    return found;
}

int athena_history_reuse(struct athena_history *history, const char *reuse, int64_t since_us,
                         json_t **execution, json_t **details, struct err *err)
{
    struct sql_statement *row = begin(history, REUSE);
    bind(row, 1, reuse);
    sql_bind_int(row, 2, since_us);
    int found = sql_step(row, err);
    if (found == 1 && read_json(history, row, 0, execution, err) != 0)
        found = -1;
    if (found == 1 && read_json(history, row, 1, details, err) != 0) {
        json_decref(*execution);
        found = -1;
    }
    end(history, row);
    return found;
}

int athena_history_list(struct athena_history *history, const char *workgroup, int64_t before, int64_t limit,
                        json_t *ids, int64_t *next, struct err *err)
{
    struct sql_statement *row = begin(history, LIST);
    bind(row, 1, workgroup);
    sql_bind_int(row, 2, before);
    sql_bind_int(row, 3, limit + 1);
    int more;
    int64_t last = 0;
    *next = 0;
    while ((more = sql_step(row, err)) == 1) {
        if ((int64_t)json_array_size(ids) == limit) {
            *next = last;
            break;
        }
        last = sql_column_int(row, 0);
        json_array_append_new(ids, json_string(sql_column_text(row, 1)));
    }
    end(history, row);
    return more < 0 ? -1 : 0;
}

json_t *athena_history_time(int64_t us)
{
    int64_t ms = us / 1000;
    return json_real((double)ms / 1e3);
}

int athena_history_forget(struct athena_history *history, const char *workgroup, struct err *err)
{
    struct sql_statement *row = begin(history, FORGET);
    bind(row, 1, workgroup);
    int result = sql_run(row, err);
    end(history, row);
    return result;
}

/* ---- opening ---------------------------------------------------------------------------------------- */

#define KILLED "GENERIC_INTERNAL_ERROR: The local cloud ended while this query was waiting or running."

/* What had not ended has failed. */
static int recover(struct athena_history *history, int64_t now_us, struct err *err)
{
    struct sql_statement *rows =
        sql_prepare(history->db, "SELECT id, execution, details FROM execution WHERE completed = 0", err);
    json_t *open = json_array();
    int more = rows ? 0 : -1;
    while (rows && (more = sql_step(rows, err)) == 1) {
        json_t *execution = NULL, *details = NULL;
        if (read_json(history, rows, 1, &execution, NULL) == 0 &&
            read_json(history, rows, 2, &details, NULL) == 0)
            json_array_append_new(open, json_pack("{s:s,s:O,s:O}", "id", sql_column_text(rows, 0),
                                                  "execution", execution, "details", details));
        json_decref(execution);
        json_decref(details);
    }
    sql_finalize(rows);
    size_t index;
    json_t *item;
    json_array_foreach(open, index, item)
    {
        json_t *execution = json_object_get(item, "execution"),
               *status = json_object_get(execution, "Status");
        json_object_set_new(status, "State", json_string("FAILED"));
        json_object_set_new(status, "StateChangeReason", json_string(KILLED));
        json_object_set_new(status, "CompletionDateTime", athena_history_time(now_us));
        json_object_set_new(status, "AthenaError",
                            json_pack("{s:i,s:i,s:b,s:s}", "ErrorCategory", 1, "ErrorType", 233, "Retryable",
                                      1, "ErrorMessage", KILLED));
        struct athena_entry entry = {.id = json_string_value(json_object_get(item, "id")),
                                     .execution = execution,
                                     .details = json_object_get(item, "details"),
                                     .completed_us = now_us};
        if (more == 0)
            more = athena_history_end(history, &entry, err);
    }
    json_decref(open);
    return more;
}

struct athena_history *athena_history_open(const char *folder, int64_t now_us, struct err *err)
{
    struct athena_history *history = mem_zero(1, sizeof *history);
    char path[FILE_PATH_SIZE + 32];
    pthread_mutex_init(&history->lock, NULL);
    snprintf(path, sizeof path, "%s/athena_history.sqlite", folder);
    history->db = sql_open(path, SQL_CREATE, 5000, err);
    bool good = history->db && sql_pragma(history->db, "journal_mode", "WAL", err) == 0 &&
                sql_pragma(history->db, "synchronous", "NORMAL", err) == 0 &&
                sql_pragma(history->db, "cache_size", "-512", err) == 0 &&
                sql_exec(history->db, SCHEMA, err) == 0;
    for (size_t i = 0; good && i < STATEMENTS; i++)
        good = (history->statements[i] = sql_prepare(history->db, TEXTS[i], err)) != NULL;
    if (good && recover(history, now_us, err) == 0)
        return history;
    athena_history_close(history);
    return NULL;
}

void athena_history_close(struct athena_history *history)
{
    if (!history)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        sql_finalize(history->statements[i]);
    sql_close(history->db);
    pthread_mutex_destroy(&history->lock);
    free(history);
}
