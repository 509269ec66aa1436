#include "sql/sql.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sql_db {
    bool (*stop)(void *context);
    void *stop_context;
    sqlite3 *handle;
    char *path;
    int busy_timeout_ms;
    bool read_only;
};

struct sql_statement {
    sqlite3_stmt *handle;
    struct sql_db *db;
    int bind_code; /* the first bind that failed */
};

/* Turns a SQLite code into an error that names the file, what happened, and what to do. Returns -1. */
static int set_error(const struct sql_db *db, int code, struct err *err)
{
    const char *path = db->path;
    const char *reason = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);
    int system = db->handle ? sqlite3_system_errno(db->handle) : 0;
    char waited[TEXT_FIGURE_SIZE], harmless[300];
    text_sanitise(harmless, sizeof harmless, reason, strlen(reason)); /* may quote names out of the file */

    switch (code & 0xFF) {
    case SQLITE_FULL:
        return err_set(err, ERR_FULL, "no room left on the disk for %s: free some, then try again", path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_BUSY, "%s is in use by another program (waited %s): close it, or try again",
                       path, text_age(waited, (int64_t)db->busy_timeout_ms * 1000));
    case SQLITE_CORRUPT:
        return err_set(err, ERR_CORRUPT,
                       "%s is damaged (%s): move it away, or recover it with sqlite3 .recover", path,
                       harmless);
    case SQLITE_NOTADB:
        return err_set(err, ERR_CORRUPT, "%s is not a database: move it away, or name another file", path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return err_set(err, ERR_IO,
                       "%s cannot be written (%s): check the permissions of the file and its folder", path,
                       harmless);
    case SQLITE_CANTOPEN:
        if (system != 0)
            return err_set_errno(err, ERR_IO, system,
                                 "%s cannot be opened: check the permissions of the file and its folder",
                                 path);
        return err_set(err, ERR_IO, "%s cannot be opened: check that it is a file, and its permissions",
                       path);
    case SQLITE_IOERR:
        if (system != 0)
            return err_set_errno(err, ERR_IO, system, "reading or writing %s failed", path);
        return err_set(err, ERR_IO, "reading or writing %s failed (%s)", path, harmless);
    case SQLITE_TOOBIG:
        return err_set(err, ERR_LIMIT, "%s: a value is larger than %d bytes", path, SQL_VALUE_LIMIT);
    case SQLITE_INTERRUPT:
        return err_set(err, ERR_CANCELLED, "%s: cancelled", path);
    case SQLITE_NOMEM:
        err_set(err, ERR_INTERNAL, "%s: out of memory", path);
        if (err)
            err->fatal = true;
        return -1;
    default:
        return err_set(err, ERR_INTERNAL, "%s: %s", path, harmless);
    }
}

const char *sql_version(void)
{
    return sqlite3_libversion();
}

const char *sql_path(const struct sql_db *db)
{
    return db->path;
}

/* "file:…?immutable=1", with everything escaped that a URI could take for its own. */
static void immutable_uri(struct buf *uri, const char *path)
{
    buf_text(uri, "file:");
    if (path[0] != '/')
        buf_text(uri, "./");
    for (; *path; path++) {
        if (strchr("?#%", *path))
            buf_printf(uri, "%%%02X", (unsigned)(unsigned char)*path);
        else
            buf_char(uri, *path);
    }
    buf_text(uri, "?immutable=1");
}

/* Opens and reads the header. The handle may be set even on error. */
static int open_handle(struct sql_db *db, const char *name, int open_flags)
{
    int code =
        sqlite3_open_v2(name, &db->handle, open_flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, SQL_VALUE_LIMIT);
    sqlite3_limit(db->handle, SQLITE_LIMIT_SQL_LENGTH, SQL_VALUE_LIMIT);
    sqlite3_busy_timeout(db->handle, db->busy_timeout_ms);
    return sqlite3_exec(db->handle, "PRAGMA cell_size_check = ON; PRAGMA schema_version;", NULL, NULL, NULL);
}

static bool is_absent_or_empty(const char *path, const char *suffix)
{
    size_t size = strlen(path) + strlen(suffix) + 1;
    char *name = mem_alloc(size);
    snprintf(name, size, "%s%s", path, suffix);
    bool result = file_size(name) <= 0;
    free(name);
    return result;
}

/* A database in WAL mode on a read-only medium cannot be opened the common way, since readers too write
 * beside it. With neither a log nor a journal there to be applied, the file alone is the whole truth. */
static bool may_be_immutable(const struct sql_db *db, int code)
{
    int primary = code & 0xFF;
    return db->read_only && (primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY) &&
           is_absent_or_empty(db->path, "-wal") && is_absent_or_empty(db->path, "-journal") &&
           access(db->path, R_OK) == 0;
}

static int open_file(struct sql_db *db, unsigned flags)
{
    int open_flags = db->read_only        ? SQLITE_OPEN_READONLY
                     : flags & SQL_CREATE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                          : SQLITE_OPEN_READWRITE;
    if (flags & SQL_MEMORY)
        return open_handle(db, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    /* SQLite takes "" and ":memory:" for something else than files. */
    struct buf name;
    buf_init(&name, FILE_PATH_SIZE * 8);
    if (db->path[0] != '/')
        buf_text(&name, "./");
    int code = buf_text(&name, db->path) ? open_handle(db, name.data, open_flags) : SQLITE_CANTOPEN;
    if (may_be_immutable(db, code)) {
        struct sql_db second = {.busy_timeout_ms = db->busy_timeout_ms};
        buf_reset(&name);
        immutable_uri(&name, db->path);
        int second_code =
            name.overflow ? code : open_handle(&second, name.data, open_flags | SQLITE_OPEN_URI);
        if (second_code == SQLITE_OK) {
            sqlite3_close(db->handle);
            db->handle = second.handle;
            code = SQLITE_OK;
        } else {
            sqlite3_close(second.handle);
        }
    }
    buf_free(&name);
    return code;
}

int sql_attach(struct sql_db *db, const char *path, const char *name, struct err *err)
{
    struct buf text;
    if (access(path, R_OK) != 0) /* SQLite would make it */
        return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s", path);
    buf_init(&text, FILE_PATH_SIZE * 8);
    buf_text(&text, "ATTACH ");
    buf_sql_text(&text, path);
    buf_text(&text, " AS ");
    buf_sql_text(&text, name);
    int result = text.overflow ? err_set(err, ERR_USAGE, "the path is too long: %.200s", path)
                               : sql_exec(db, text.data, err);
    buf_free(&text);
    return result;
}

static int only_reading(void *context, int action, const char *first, const char *second, const char *third,
                        const char *fourth)
{
    if (action == SQLITE_FUNCTION)
        return second && strcmp(second, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    return action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE ? SQLITE_OK
                                                                                          : SQLITE_DENY;
}

static int ask_stop(void *context)
{
    struct sql_db *db = context;
    return db->stop(db->stop_context);
}

void sql_restrict(struct sql_db *db, bool (*stop)(void *context), void *context)
{
    db->stop = stop;
    db->stop_context = context;
    sqlite3_set_authorizer(db->handle, only_reading, NULL);
    sqlite3_progress_handler(db->handle, 20000, stop ? ask_stop : NULL, db);
}

struct sql_db *sql_open(const char *path, unsigned flags, int busy_timeout_ms, struct err *err)
{
    struct sql_db *db = mem_zero(1, sizeof *db);
    db->path = mem_text(path);
    db->busy_timeout_ms = busy_timeout_ms;
    db->read_only = flags & SQL_READ_ONLY;
    int code = open_file(db, flags);
    if (code != SQLITE_OK) {
        if (!(flags & (SQL_CREATE | SQL_MEMORY)) && access(path, F_OK) != 0 && errno == ENOENT)
            err_set(err, ERR_NOT_FOUND, "there is no file %s", path);
        else
            set_error(db, code, err);
        sql_close(db);
        return NULL;
    }
    return db;
}

void sql_close(struct sql_db *db)
{
    if (!db)
        return;
    sqlite3_close_v2(db->handle);
    free(db->path);
    free(db);
}

static bool is_word(const char *text)
{
    for (const char *at = text; *at; at++)
        if (!(*at >= 'a' && *at <= 'z') && !(*at >= 'A' && *at <= 'Z') && !(*at >= '0' && *at <= '9') &&
            *at != '_' && *at != '-')
            return false;
    return text[0] != '\0';
}

int sql_pragma(struct sql_db *db, const char *name, const char *value, struct err *err)
{
    char text[256];
    if (!is_word(name) || !is_word(value) || strlen(name) > 100 || strlen(value) > 100)
        return err_set(err, ERR_INTERNAL, "%s: no such setting", db->path);
    snprintf(text, sizeof text, "PRAGMA %s = %s", name, value);
    return sql_exec(db, text, err);
}

int sql_pragma_int(struct sql_db *db, const char *name, int64_t *value, struct err *err)
{
    char text[128];
    if (!is_word(name) || strlen(name) > 100)
        return err_set(err, ERR_INTERNAL, "%s: no such setting", db->path);
    snprintf(text, sizeof text, "PRAGMA %s", name);
    return sql_query_int(db, text, value, err);
}

int sql_exec(struct sql_db *db, const char *text, struct err *err)
{
    int code = sqlite3_exec(db->handle, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : set_error(db, code, err);
}

int sql_query_int(struct sql_db *db, const char *text, int64_t *value, struct err *err)
{
    struct sql_statement *statement = sql_prepare(db, text, err);
    if (!statement)
        return -1;
    int result = sql_step(statement, err);
    if (result >= 0)
        *value = result == 1 ? sql_column_int(statement, 0) : 0;
    sql_finalize(statement);
    return result < 0 ? -1 : 0;
}

int sql_begin(struct sql_db *db, struct err *err)
{
    return sql_exec(db, db->read_only ? "BEGIN" : "BEGIN IMMEDIATE", err);
}

int sql_commit(struct sql_db *db, struct err *err)
{
    return sql_exec(db, "COMMIT", err);
}

void sql_rollback(struct sql_db *db)
{
    if (sql_in_transaction(db))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool sql_in_transaction(const struct sql_db *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}

int64_t sql_last_id(const struct sql_db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t sql_changes(const struct sql_db *db)
{
    return sqlite3_changes64(db->handle);
}

void sql_interrupt(struct sql_db *db)
{
    sqlite3_interrupt(db->handle);
}

int sql_check(struct sql_db *db, struct err *err)
{
    struct sql_statement *statement = sql_prepare(db, "PRAGMA quick_check(1)", err);
    if (!statement)
        return -1;
    int result = sql_step(statement, err);
    if (result == 1) {
        const char *found = sql_column_text(statement, 0);
        char harmless[200];
        text_sanitise(harmless, sizeof harmless, found, strlen(found));
        result = strcmp(found, "ok") == 0
                     ? 0
                     : err_set(err, ERR_CORRUPT, "%s is damaged (%s): recover it with sqlite3 .recover",
                               db->path, harmless);
    }
    sql_finalize(statement);
    return result;
}

struct sql_statement *sql_prepare(struct sql_db *db, const char *text, struct err *err)
{
    sqlite3_stmt *handle = NULL;
    const char *tail = NULL;
    int code = sqlite3_prepare_v3(db->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &handle, &tail);
    if (code != SQLITE_OK) {
        set_error(db, code, err);
        return NULL;
    }
    if (!handle || tail[strspn(tail, " \t\r\n;")] != '\0') {
        sqlite3_finalize(handle);
        err_set(err, ERR_INTERNAL, "%s: one statement expected", db->path);
        return NULL;
    }
    struct sql_statement *statement = mem_zero(1, sizeof *statement);
    statement->handle = handle;
    statement->db = db;
    return statement;
}

void sql_finalize(struct sql_statement *statement)
{
    if (!statement)
        return;
    sqlite3_finalize(statement->handle);
    free(statement);
}

static void note_bind(struct sql_statement *statement, int code)
{
    if (statement->bind_code == SQLITE_OK)
        statement->bind_code = code;
}

void sql_bind_int(struct sql_statement *statement, int index, int64_t value)
{
    note_bind(statement, sqlite3_bind_int64(statement->handle, index, value));
}

void sql_bind_double(struct sql_statement *statement, int index, double value)
{
    note_bind(statement, sqlite3_bind_double(statement->handle, index, value));
}

void sql_bind_text(struct sql_statement *statement, int index, const char *text, size_t length)
{
    note_bind(statement,
              sqlite3_bind_text64(statement->handle, index, text, length, SQLITE_STATIC, SQLITE_UTF8));
}

void sql_bind_blob(struct sql_statement *statement, int index, const void *data, size_t length)
{
    note_bind(statement, sqlite3_bind_blob64(statement->handle, index, data, length, SQLITE_STATIC));
}

void sql_bind_null(struct sql_statement *statement, int index)
{
    note_bind(statement, sqlite3_bind_null(statement->handle, index));
}

int sql_step(struct sql_statement *statement, struct err *err)
{
    if (statement->bind_code != SQLITE_OK) {
        int code = statement->bind_code;
        if ((code & 0xFF) == SQLITE_RANGE || (code & 0xFF) == SQLITE_MISUSE)
            return err_set(err, ERR_INTERNAL, "%s: no such parameter in: %.200s", statement->db->path,
                           sqlite3_sql(statement->handle));
        return set_error(statement->db, code, err);
    }
    int code = sqlite3_step(statement->handle);
    if (code == SQLITE_ROW)
        return 1;
    if (code == SQLITE_DONE)
        return 0;
    return set_error(statement->db, code, err);
}

void sql_reset(struct sql_statement *statement)
{
    sqlite3_reset(statement->handle); /* repeats the step's error, which was reported */
    sqlite3_clear_bindings(statement->handle);
    statement->bind_code = SQLITE_OK;
}

int sql_run(struct sql_statement *statement, struct err *err)
{
    int result;
    while ((result = sql_step(statement, err)) == 1)
        ;
    sql_reset(statement);
    return result;
}

int sql_column_count(const struct sql_statement *statement)
{
    return sqlite3_column_count(statement->handle);
}

const char *sql_column_name(const struct sql_statement *statement, int column)
{
    const char *name = sqlite3_column_name(statement->handle, column);
    return name ? name : "";
}

enum sql_type sql_column_type(const struct sql_statement *statement, int column)
{
    switch (sqlite3_column_type(statement->handle, column)) {
    case SQLITE_INTEGER:
        return SQL_INT;
    case SQLITE_FLOAT:
        return SQL_DOUBLE;
    case SQLITE_TEXT:
        return SQL_TEXT;
    case SQLITE_BLOB:
        return SQL_BLOB;
    default:
        return SQL_NULL;
    }
}

int64_t sql_column_int(const struct sql_statement *statement, int column)
{
    return sqlite3_column_int64(statement->handle, column);
}

double sql_column_double(const struct sql_statement *statement, int column)
{
    return sqlite3_column_double(statement->handle, column);
}

const char *sql_column_text(const struct sql_statement *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement->handle, column);
    return text ? (const char *)text : "";
}

const void *sql_column_blob(const struct sql_statement *statement, int column)
{
    return sqlite3_column_blob(statement->handle, column);
}

size_t sql_column_bytes(const struct sql_statement *statement, int column)
{
    return (size_t)sqlite3_column_bytes(statement->handle, column);
}
