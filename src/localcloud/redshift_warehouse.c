#include "localcloud/redshift_warehouse.h"

#include "base/text.h"
#include "localcloud/redshift_prelude.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_BYTES (768ull << 20)

struct redshift_warehouse {
    char folder[FILE_PATH_SIZE]; /* of the cloud */
    char stage[FILE_PATH_SIZE + 32];
    pthread_mutex_t lock; /* of the opening */
    struct duck_db *db;
};

struct redshift_warehouse *redshift_warehouse_create(const char *folder)
{
    struct redshift_warehouse *warehouse = mem_zero(1, sizeof *warehouse);
    text_copy(warehouse->folder, sizeof warehouse->folder, folder);
    snprintf(warehouse->stage, sizeof warehouse->stage, "%s/redshift/stage", folder);
    pthread_mutex_init(&warehouse->lock, NULL);
    return warehouse;
}

void redshift_warehouse_destroy(struct redshift_warehouse *warehouse)
{
    if (!warehouse)
        return;
    duck_close(warehouse->db);
    pthread_mutex_destroy(&warehouse->lock);
    free(warehouse);
}

const char *redshift_warehouse_stage(const struct redshift_warehouse *warehouse)
{
    return warehouse->stage;
}

/* What a kill left there. */
static void empty_stage(const struct redshift_warehouse *warehouse)
{
    DIR *folder = opendir(warehouse->stage);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char path[FILE_PATH_SIZE * 2];
        if (strncmp(entry->d_name, "load-", 5) == 0 &&
            snprintf(path, sizeof path, "%s/%s", warehouse->stage, entry->d_name) < (int)sizeof path)
            unlink(path);
    }
    if (folder)
        closedir(folder);
}

static int teach(struct redshift_warehouse *warehouse, struct err *err)
{
    struct duck_connection *connection = duck_connect(warehouse->db, err);
    if (!connection)
        return -1;
    int result = duck_register(connection, redshift_c_functions, err);
    for (size_t i = 0; redshift_prelude[i] && result == 0; i++)
        if (duck_exec(connection, redshift_prelude[i], err) != 0)
            result = err_prefix(err, "the warehouse");
    for (const struct redshift_view *view = redshift_views; view->name && result == 0; view++) {
        struct buf sql;
        buf_init(&sql, 65536);
        buf_printf(&sql, "CREATE OR REPLACE VIEW _redshift.%s AS %s", view->name, view->query);
        if (duck_exec(connection, sql.data, err) != 0)
            result = err_prefix(err, "the warehouse");
        buf_free(&sql);
    }
    duck_disconnect(connection);
    return result;
}

/* The engine compares paths as text, so what it may touch is said both as it was given and resolved. */
static int open_file(struct redshift_warehouse *warehouse, struct err *err)
{
    char path[FILE_PATH_SIZE + 64], blobs[FILE_PATH_SIZE + 64];
    if (file_make_dirs(warehouse->stage, err) != 0)
        return -1;
    empty_stage(warehouse);
    snprintf(blobs, sizeof blobs, "%s/blobs", warehouse->folder);
    snprintf(path, sizeof path, "%s/redshift/warehouse.duckdb", warehouse->folder);
    char *real_blobs = realpath(blobs, NULL), *real_stage = realpath(warehouse->stage, NULL);
    const char *const folders[] = {blobs, warehouse->stage, real_blobs ? real_blobs : blobs,
                                   real_stage ? real_stage : warehouse->stage};
    struct duck_settings settings = {.path = path,
                                     .folders = folders,
                                     .folder_count = 4,
                                     .spill_folder = warehouse->stage,
                                     .memory_bytes = MEMORY_BYTES};
    struct duck_db *db = duck_open(&settings, err);
    free(real_blobs);
    free(real_stage);
    if (!db)
        return -1;
    warehouse->db = db;
    if (teach(warehouse, err) == 0)
        return 0;
    duck_close(db);
    warehouse->db = NULL;
    return -1;
}

struct duck_connection *redshift_warehouse_connect(struct redshift_warehouse *warehouse, struct err *err)
{
    pthread_mutex_lock(&warehouse->lock);
    int result = warehouse->db ? 0 : open_file(warehouse, err);
    pthread_mutex_unlock(&warehouse->lock);
    struct duck_connection *connection = result == 0 ? duck_connect(warehouse->db, err) : NULL;
    if (connection &&
        duck_exec(connection, "SET search_path='warehouse.public,warehouse._redshift'", err) != 0) {
        duck_disconnect(connection);
        return NULL;
    }
    return connection;
}

/* ---- errors ----------------------------------------------------------------------------------------- */

/* Copies what stands between `before` and `after`. */
static bool between(const char *text, const char *before, const char *after, char *out, size_t size)
{
    const char *begin = strstr(text, before);
    if (!begin)
        return false;
    begin += strlen(before);
    const char *end = strstr(begin, after);
    if (!end)
        return false;
    text_sanitise(out, size, begin, (size_t)(end - begin));
    return true;
}

static const char *type_word(const char *engine)
{
    static const char *const words[][2] = {
        {"INT16", "smallint"},          {"INT32", "integer"},      {"INT64", "bigint"},
        {"DOUBLE", "double precision"}, {"FLOAT", "real"},         {"BOOL", "boolean"},
        {"DECIMAL", "numeric"},         {"DATE", "date"},          {"date", "date"},
        {"TIMESTAMP", "timestamp"},     {"timestamp", "timestamp"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(engine, words[i][0], strlen(words[i][0])) == 0)
            return words[i][1];
    return "this type";
}

static bool known_error(const char *text, char *out, size_t size)
{
    char a[128], b[128];
    if (between(text, "Table with name \"", "\" already exists", a, sizeof a) ||
        between(text, "View with name \"", "\" already exists", a, sizeof a)) {
        snprintf(out, size, "Relation \"%s\" already exists", a);
    } else if (between(text, "Table with name ", " does not exist", a, sizeof a) ||
               between(text, "View with name ", " does not exist", a, sizeof a)) {
        snprintf(out, size, "relation \"%s\" does not exist", a);
    } else if (between(text, "Scalar Function with name ", " does not exist", a, sizeof a)) {
        snprintf(out, size, "window function %s requires an OVER clause",
                 a); /* functions were looked up before */
    } else if (between(text, "Schema with name ", " does not exist", a, sizeof a)) {
        snprintf(out, size, "schema \"%s\" does not exist", a);
    } else if (between(text, "Schema with name \"", "\" already exists", a, sizeof a)) {
        snprintf(out, size, "Schema \"%s\" already exists", a);
    } else if (between(text, "Referenced column \"", "\"", a, sizeof a)) {
        snprintf(out, size, "column \"%s\" does not exist", a);
    } else if (between(text, "does not have a column named \"", "\"", a, sizeof a) ||
               between(text, "does not have a column with name \"", "\"", a, sizeof a)) {
        snprintf(out, size, "column \"%s\" does not exist", a);
    } else if (between(text, "Table \"", "\" does not have a column", b, sizeof b)) {
        snprintf(out, size, "column does not exist in %s", b);
    } else if (between(text, "Referenced table \"", "\" not found", a, sizeof a)) {
        snprintf(out, size, "missing FROM-clause entry for table \"%s\"", a);
    } else if (between(text, "column \"", "\" must appear in the GROUP BY", a, sizeof a)) {
        snprintf(out, size,
                 "column \"%s\" must appear in the GROUP BY clause or be used in an aggregate function", a);
    } else if (between(text, "Ambiguous reference to column name \"", "\"", a, sizeof a)) {
        snprintf(out, size, "column reference \"%s\" is ambiguous", a);
    } else if (strstr(text, "NOT NULL constraint failed: ")) {
        const char *dot = strrchr(text, '.');
        snprintf(out, size, "Cannot insert a NULL value into column %.100s", dot ? dot + 1 : "");
    } else if (between(text, "CHECK((strlen(", ")", a, sizeof a) && between(text, "<= ", ")", b, sizeof b)) {
        snprintf(out, size, "value too long for type character varying(%s)", b);
    } else if (strstr(text, "Divide by zero")) {
        snprintf(out, size, "Divide by zero");
    } else if (between(text, "Could not convert string '", "' to ", a, sizeof a)) {
        const char *type = strstr(text, "' to ") + 5;
        snprintf(out, size, "invalid input syntax for %s: \"%s\"", type_word(type), a);
    } else if (between(text, "invalid date field format: \"", "\"", a, sizeof a) ||
               between(text, "invalid timestamp field format: \"", "\"", a, sizeof a)) {
        snprintf(out, size, "invalid input syntax for type %s: \"%s\"",
                 strstr(text, "timestamp") ? "timestamp" : "date", a);
    } else if (strstr(text, "Current transaction is aborted")) {
        snprintf(out, size,
                 "current transaction is aborted, commands ignored until end of transaction block");
    } else if (strstr(text, "Transaction conflict") || strstr(text, "write-write conflict") ||
               strstr(text, "Conflict on")) {
        snprintf(out, size, "1023 DETAIL: Serializable isolation violation on a table in the warehouse");
    } else if (between(text, "syntax error at or near \"", "\"", a, sizeof a)) {
        snprintf(out, size, "syntax error at or near \"%s\"", a);
    } else if (strstr(text, "out of range")) {
        snprintf(out, size, "value out of range");
    } else {
        return false;
    }
    return true;
}

void redshift_error_text(const struct duck_connection *connection, const struct err *err, char *out,
                         size_t size)
{
    const char *text = "";
    enum duck_error_class class = duck_error(connection, &text);
    if (err->kind != ERR_REMOTE || class == DUCK_ERROR_NONE) {
        text_sanitise(out, size, err->text, strlen(err->text));
        return;
    }
    if (known_error(text, out, size))
        return;
    const char *colon = strstr(text, "Error: ");
    if (colon)
        text = colon + 7;
    text_sanitise(out, size, text, strcspn(text, "\n"));
}
