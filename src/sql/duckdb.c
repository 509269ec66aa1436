#include "sql/duckdb.h"

#include "base/file.h"
#include "base/resident.h"
#include "base/text.h"
#include "sql/duckdb_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MEMORY   (512ull << 20)
#define DEFAULT_THREADS  2
#define SETTINGS_LIMIT   (64u << 10)
#define STATEMENT_SELECT 1 /* duckdb_statement_type */

/* ---- errors ----------------------------------------------------------------------------------------- */

/* duckdb_error_type; what prepare reports has no number, only this beginning. */
static const struct {
    int type;
    const char *beginning;
    enum duck_error_class class;
} error_classes[] = {
    {14, "Parser Error", DUCK_ERROR_PARSER},           {22, "Syntax Error", DUCK_ERROR_PARSER},
    {24, "Binder Error", DUCK_ERROR_BINDER},           {13, "Catalog Error", DUCK_ERROR_CATALOG},
    {2, "Conversion Error", DUCK_ERROR_CONVERSION},    {1, "Out of Range Error", DUCK_ERROR_RANGE},
    {6, "Divide by Zero Error", DUCK_ERROR_RANGE},     {32, "Invalid Input Error", DUCK_ERROR_INPUT},
    {34, "Permission Error", DUCK_ERROR_PERMISSION},   {28, "IO Error", DUCK_ERROR_IO},
    {33, "Out of Memory Error", DUCK_ERROR_MEMORY},    {29, "INTERRUPT Error", DUCK_ERROR_INTERRUPT},
    {5, "Mismatch Type Error", DUCK_ERROR_CONVERSION},
};

int duck_fail(struct duck_connection *connection, int type, const char *text, struct err *err)
{
    if (!text || !*text)
        text = "DuckDB gives no reason";
    enum duck_error_class class = DUCK_ERROR_OTHER;
    for (size_t i = 0; i < sizeof error_classes / sizeof *error_classes; i++) {
        const char *beginning = error_classes[i].beginning;
        if (type == error_classes[i].type || strncmp(text, beginning, strlen(beginning)) == 0) {
            class = error_classes[i].class;
            break;
        }
    }
    char *kept = mem_text(text);
    free(connection->error_text);
    connection->error_text = kept;
    connection->error_class = class;

    char harmless[300];
    text_sanitise(harmless, sizeof harmless, kept, strlen(kept));
    if (class == DUCK_ERROR_INTERRUPT)
        return err_set(err, ERR_CANCELLED, "the statement was cancelled");
    if (class == DUCK_ERROR_MEMORY)
        return err_set(err, ERR_FULL, "the statement needs more memory or disk than it may use: %s",
                       harmless);
    return err_set(err, ERR_REMOTE, "%s", harmless);
}

enum duck_error_class duck_error(const struct duck_connection *connection, const char **text)
{
    if (text)
        *text = connection->error_text ? connection->error_text : "";
    return connection->error_class;
}

/* ---- opening ---------------------------------------------------------------------------------------- */

/* The file is attached to an engine in memory, not opened as its own database: while DuckDB replays the log
 * of the latter it has no default database yet, and cannot read a log in which a table with a check or a
 * default was altered (as of 1.5.6). */
static int attach(struct duck_db *db, const struct duck_settings *settings, struct err *err)
{
    const char *slash = strrchr(settings->path, '/'), *file = slash ? slash + 1 : settings->path;
    snprintf(db->name, sizeof db->name, "%.*s", (int)strcspn(file, "."), file);
    if (!db->name[0] || strspn(db->name, "abcdefghijklmnopqrstuvwxyz_") != strlen(db->name))
        return err_set(err, ERR_USAGE, "%s is no name for a database", file);
    char name[sizeof db->name];
    text_copy(name, sizeof name, db->name);
    db->name[0] = '\0'; /* not there yet */
    struct duck_connection *connection = duck_connect(db, err);
    if (!connection)
        return -1;
    struct buf sql;
    buf_init(&sql, SETTINGS_LIMIT);
    buf_text(&sql, "ATTACH ");
    buf_sql_text(&sql, settings->path);
    buf_printf(&sql, " AS %s (%s)", name, settings->read_only ? "READ_ONLY" : "READ_WRITE");
    int result = duck_exec(connection, sql.data, err);
    if (result != 0)
        err_prefix(err, "%s cannot be opened", settings->path);
    buf_free(&sql);
    duck_disconnect(connection);
    text_copy(db->name, sizeof db->name, name);
    return result;
}

/* After this nothing that SQL says can open the engine again. The order matters: what is allowed is said
 * before the door is closed, and that is locked last. */
static int lock_down(struct duck_db *db, const struct duck_settings *settings, struct err *err)
{
    struct duck_connection *connection = duck_connect(db, err);
    if (!connection)
        return -1;
    struct buf sql;
    buf_init(&sql, SETTINGS_LIMIT);
    buf_text(&sql, "SET allowed_directories=[");
    for (size_t i = 0; i < settings->folder_count; i++) {
        if (i > 0)
            buf_char(&sql, ',');
        buf_sql_text(&sql, settings->folders[i]);
    }
    buf_text(&sql, "]; SET temp_directory=");
    buf_sql_text(&sql, settings->spill_folder ? settings->spill_folder : "");
    buf_text(&sql, "; SET GLOBAL TimeZone='UTC'; SET enable_external_access=false; SET "
                   "autoinstall_known_extensions=false; "
                   "SET autoload_known_extensions=false; SET allow_community_extensions=false; "
                   "SET allow_unsigned_extensions=false; ");
    /* A session of our own has the zone and the sort order of both dialects set later, per connection. */
    buf_text(&sql, "SET enable_progress_bar=true; SET enable_progress_bar_print=false; "
                   "SET preserve_insertion_order=true; SET lock_configuration=true");
    int result = sql.overflow ? err_set(err, ERR_LIMIT, "too many folders for the SQL engine")
                              : duck_exec(connection, sql.data, err);
    buf_free(&sql);
    duck_disconnect(connection);
    return result;
}

struct duck_db *duck_open(const struct duck_settings *settings, struct err *err)
{
    struct duck_db *db = mem_zero(1, sizeof *db);
    if (duck_api_load(&db->api, err) != 0) {
        free(db);
        return NULL;
    }
    char memory[32], threads[16];
    snprintf(memory, sizeof memory, "%lluB",
             (unsigned long long)(settings->memory_bytes ? settings->memory_bytes : DEFAULT_MEMORY));
    snprintf(threads, sizeof threads, "%d", settings->threads > 0 ? settings->threads : DEFAULT_THREADS);
    const char *const options[][2] = {
        {"memory_limit", memory},
        {"threads", threads},
    };
    void *config = NULL;
    char *reason = NULL;
    int failed = db->api.create_config(&config);
    for (size_t i = 0; i < sizeof options / sizeof *options && !failed; i++)
        failed = db->api.set_config(config, options[i][0], options[i][1]);
    if (!failed)
        failed = db->api.open_ext(NULL, &db->handle, config, &reason);
    db->api.destroy_config(&config);
    if (failed) {
        char harmless[300];
        text_sanitise(harmless, sizeof harmless, reason ? reason : "?", reason ? strlen(reason) : 1);
        err_set(err, ERR_IO, "DuckDB cannot be opened: %s", harmless);
        db->api.free(reason);
        free(db);
        return NULL;
    }
    if ((settings->path && attach(db, settings, err) != 0) || lock_down(db, settings, err) != 0) {
        duck_close(db);
        return NULL;
    }
    return db;
}

void duck_close(struct duck_db *db)
{
    if (!db)
        return;
    db->api.close(&db->handle);
    free(db);
}

void duck_trim(struct duck_db *db)
{
    if (db->api.mallctl) /* 4096: of all arenas (MALLCTL_ARENAS_ALL) */
        (void)db->api.mallctl("arena.4096.purge", NULL, NULL, NULL, 0);
    resident_release();
}

const char *duck_version(const struct duck_db *db)
{
    const struct duck_api *api = &db->api;
    return api->library_version();
}

struct duck_connection *duck_connect(struct duck_db *db, struct err *err)
{
    struct duck_connection *connection = mem_zero(1, sizeof *connection);
    connection->db = db;
    if (db->api.connect(db->handle, &connection->handle) != 0) {
        free(connection);
        err_set(err, ERR_INTERNAL, "DuckDB gives no further connection");
        return NULL;
    }
    char use[sizeof db->name + 8];
    snprintf(use, sizeof use, "USE %s", db->name);
    if (db->name[0] && duck_exec(connection, use, err) != 0) {
        duck_disconnect(connection);
        return NULL;
    }
    return connection;
}

void duck_disconnect(struct duck_connection *connection)
{
    if (!connection)
        return;
    connection->db->api.disconnect(&connection->handle);
    free(connection->error_text);
    free(connection);
}

void duck_interrupt(struct duck_connection *connection)
{
    connection->db->api.interrupt(connection->handle);
}

double duck_progress(struct duck_connection *connection)
{
    struct duck_raw_progress progress = connection->db->api.query_progress(connection->handle);
    if (progress.percentage < 0)
        return -1;
    return progress.percentage > 100 ? 1 : progress.percentage / 100;
}

/* ---- statements ------------------------------------------------------------------------------------- */

struct duck_statement {
    struct duck_connection *connection;
    void *prepared;
    struct duck_raw_result result;
    bool started, bind_failed;
    void *chunk;
    void **vectors; /* of the chunk */
    uint64_t row, rows;
    int64_t changes;
    size_t column_count;
    struct duck_type *types;
    char **names;
};

static void end_run(struct duck_statement *statement)
{
    const struct duck_api *api = &statement->connection->db->api;
    if (statement->chunk)
        api->destroy_data_chunk(&statement->chunk);
    if (statement->started)
        api->destroy_result(&statement->result);
    statement->started = false;
    statement->row = statement->rows = 0;
}

static void drop_columns(struct duck_statement *statement)
{
    for (size_t i = 0; i < statement->column_count; i++) {
        duck_type_free(&statement->types[i]);
        free(statement->names[i]);
    }
    free(statement->types);
    free(statement->names);
    free(statement->vectors);
    statement->types = NULL;
    statement->names = NULL;
    statement->vectors = NULL;
    statement->column_count = 0;
}

/* Of the prepared statement, or, when it has run, of the result: with parameters the types may be known only
 * then. */
static void read_columns(struct duck_statement *statement)
{
    const struct duck_api *api = &statement->connection->db->api;
    drop_columns(statement);
    size_t count = statement->started ? api->column_count(&statement->result)
                                      : api->prepared_statement_column_count(statement->prepared);
    statement->types = mem_zero(count + 1, sizeof *statement->types);
    statement->names = mem_zero(count + 1, sizeof *statement->names);
    statement->vectors = mem_zero(count + 1, sizeof *statement->vectors);
    statement->column_count = count;
    for (size_t i = 0; i < count; i++) {
        if (statement->started) {
            duck_type_read(&statement->types[i], api, api->column_logical_type(&statement->result, i));
            const char *name = api->column_name(&statement->result, i);
            statement->names[i] = mem_text(name ? name : "");
            continue;
        }
        duck_type_read(&statement->types[i], api,
                       api->prepared_statement_column_logical_type(statement->prepared, i));
        const char *name = api->prepared_statement_column_name(statement->prepared, i);
        statement->names[i] = mem_text(name ? name : "");
        api->free((void *)(uintptr_t)name);
    }
}

static void *prepare_at(struct duck_connection *connection, void *statements, duck_idx at, struct err *err)
{
    const struct duck_api *api = &connection->db->api;
    void *prepared = NULL;
    if (api->prepare_extracted_statement(connection->handle, statements, at, &prepared) == 0)
        return prepared;
    duck_fail(connection, 0, prepared ? api->prepare_error(prepared) : NULL, err);
    api->destroy_prepare(&prepared);
    return NULL;
}

struct duck_statement *duck_prepare(struct duck_connection *connection, const char *text, struct err *err)
{
    const struct duck_api *api = &connection->db->api;
    void *statements = NULL, *prepared = NULL;
    duck_idx count = api->extract_statements(connection->handle, text, &statements);
    if (count == 0)
        duck_fail(connection, 0, api->extract_statements_error(statements), err);
    else if (count > 1)
        duck_fail(connection, 0, "Parser Error: one statement at a time", err);
    else
        prepared = prepare_at(connection, statements, 0, err);
    api->destroy_extracted(&statements);
    if (!prepared)
        return NULL;
    struct duck_statement *statement = mem_zero(1, sizeof *statement);
    statement->connection = connection;
    statement->prepared = prepared;
    read_columns(statement);
    return statement;
}

void duck_finalize(struct duck_statement *statement)
{
    if (!statement)
        return;
    end_run(statement);
    drop_columns(statement);
    statement->connection->db->api.destroy_prepare(&statement->prepared);
    free(statement);
}

bool duck_is_select(const struct duck_statement *statement)
{
    return statement->connection->db->api.prepared_statement_type(statement->prepared) == STATEMENT_SELECT;
}

size_t duck_parameter_count(const struct duck_statement *statement)
{
    return statement->connection->db->api.nparams(statement->prepared);
}

void duck_bind_int(struct duck_statement *statement, size_t index, int64_t value)
{
    statement->bind_failed |=
        statement->connection->db->api.bind_int64(statement->prepared, index, value) != 0;
}

void duck_bind_double(struct duck_statement *statement, size_t index, double value)
{
    statement->bind_failed |=
        statement->connection->db->api.bind_double(statement->prepared, index, value) != 0;
}

void duck_bind_text(struct duck_statement *statement, size_t index, const char *text, size_t length)
{
    if (!text) {
        duck_bind_null(statement, index);
        return;
    }
    statement->bind_failed |=
        statement->connection->db->api.bind_varchar_length(statement->prepared, index, text, length) != 0;
}

void duck_bind_null(struct duck_statement *statement, size_t index)
{
    statement->bind_failed |= statement->connection->db->api.bind_null(statement->prepared, index) != 0;
}

int duck_run(struct duck_statement *statement, struct err *err)
{
    struct duck_connection *connection = statement->connection;
    const struct duck_api *api = &connection->db->api;
    end_run(statement);
    if (statement->bind_failed) {
        statement->bind_failed = false;
        return duck_fail(connection, 0, "Invalid Input Error: a parameter that the statement does not have",
                         err);
    }
    statement->started = true;
    if (api->execute_prepared_streaming(statement->prepared, &statement->result) != 0) {
        duck_fail(connection, api->result_error_type(&statement->result),
                  api->result_error(&statement->result), err);
        end_run(statement);
        return -1;
    }
    if (api->nparams(statement->prepared) > 0)
        read_columns(statement);
    return 0;
}

int duck_step(struct duck_statement *statement, struct err *err)
{
    const struct duck_api *api = &statement->connection->db->api;
    if (!statement->started && duck_run(statement, err) != 0)
        return -1;
    if (statement->chunk && statement->row + 1 < statement->rows) {
        statement->row++;
        return 1;
    }
    for (;;) {
        if (statement->chunk)
            api->destroy_data_chunk(&statement->chunk);
        statement->chunk = api->fetch_chunk(statement->result);
        if (!statement->chunk) {
            /* The end, or an error on the way: the result tells which. */
            const char *text = api->result_error(&statement->result);
            if (text && *text) {
                duck_fail(statement->connection, api->result_error_type(&statement->result), text, err);
                end_run(statement);
                return -1;
            }
            return 0;
        }
        statement->rows = api->data_chunk_get_size(statement->chunk);
        statement->row = 0;
        if (statement->rows == 0)
            continue;
        for (size_t i = 0; i < statement->column_count; i++)
            statement->vectors[i] = api->data_chunk_get_vector(statement->chunk, i);
        return 1;
    }
}

int64_t duck_changes(const struct duck_statement *statement)
{
    struct duck_raw_result result = statement->result;
    return statement->started ? (int64_t)statement->connection->db->api.rows_changed(&result) : 0;
}

size_t duck_column_count(const struct duck_statement *statement)
{
    return statement->column_count;
}

const char *duck_column_name(const struct duck_statement *statement, size_t column)
{
    return statement->names[column];
}

const struct duck_type *duck_column_type(const struct duck_statement *statement, size_t column)
{
    return &statement->types[column];
}

struct duck_value duck_column(const struct duck_statement *statement, size_t column)
{
    return (struct duck_value){.type = &statement->types[column],
                               .api = &statement->connection->db->api,
                               .vector = statement->vectors[column],
                               .row = statement->row};
}

int duck_exec(struct duck_connection *connection, const char *text, struct err *err)
{
    const struct duck_api *api = &connection->db->api;
    void *statements = NULL;
    duck_idx count = api->extract_statements(connection->handle, text, &statements);
    int result = 0;
    const char *reason = count == 0 ? api->extract_statements_error(statements) : NULL;
    if (reason && *reason)
        result = duck_fail(connection, 0, reason, err);
    for (duck_idx i = 0; i < count && result == 0; i++) {
        void *prepared = prepare_at(connection, statements, i, err);
        if (!prepared) {
            result = -1;
            break;
        }
        struct duck_statement statement = {.connection = connection, .prepared = prepared};
        int more = 1;
        while (more > 0)
            more = duck_step(&statement, err);
        result = more;
        end_run(&statement);
        api->destroy_prepare(&prepared);
    }
    api->destroy_extracted(&statements);
    return result;
}
