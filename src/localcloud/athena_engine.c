#include "localcloud/athena_engine.h"

#include "base/file.h"
#include "base/text.h"
#include "localcloud/athena_hive.h"
#include "localcloud/athena_prelude.h"
#include "localcloud/athena_value.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct athena_engine {
    struct duck_db *db;
};

/* It is there, and what a kill left in it is gone. */
static int prepare_spill(const char *path, struct err *err)
{
    if (file_make_dirs(path, err) != 0)
        return -1;
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char file[FILE_PATH_SIZE * 2];
        if (strncmp(entry->d_name, "duckdb_temp_", 12) == 0 &&
            snprintf(file, sizeof file, "%s/%s", path, entry->d_name) < (int)sizeof file)
            unlink(file);
    }
    if (folder)
        closedir(folder);
    return 0;
}

struct athena_engine *athena_engine_open(const char *const *folders, size_t count, const char *spill_folder,
                                         struct err *err)
{
    struct duck_settings settings = {.folders = folders, .folder_count = count, .spill_folder = spill_folder};
    if (spill_folder && prepare_spill(spill_folder, err) != 0)
        return NULL;
    struct duck_db *db = duck_open(&settings, err);
    if (!db)
        return NULL;
    struct duck_connection *connection = duck_connect(db, err);
    int result = connection ? athena_prelude(connection, err) : -1;
    duck_disconnect(connection);
    if (result != 0) {
        duck_close(db);
        return NULL;
    }
    struct athena_engine *engine = mem_zero(1, sizeof *engine);
    engine->db = db;
    return engine;
}

void athena_engine_close(struct athena_engine *engine)
{
    if (!engine)
        return;
    duck_close(engine->db);
    free(engine);
}

void athena_engine_trim(struct athena_engine *engine)
{
    duck_trim(engine->db);
}

struct duck_connection *athena_engine_connect(struct athena_engine *engine, struct err *err)
{
    return duck_connect(engine->db, err);
}

/* ---- binding ---------------------------------------------------------------------------------------- */

/* One side of a UNION, with the WITH before it. NULL: the whole query will tell why. */
static struct duck_statement *prepare_branch(struct duck_connection *connection,
                                             const struct athena_query *query, size_t branch,
                                             const char *before, const char *behind)
{
    struct buf sql;
    struct err err = ERR_INIT;
    buf_init(&sql, 16u << 20);
    buf_text(&sql, before);
    buf_append(&sql, query->sql, query->with_to);
    buf_append(&sql, query->sql + query->branches[branch].from,
               query->branches[branch].to - query->branches[branch].from);
    buf_text(&sql, behind);
    struct duck_statement *statement = sql.overflow ? NULL : duck_prepare(connection, sql.data, &err);
    buf_free(&sql);
    return statement;
}

/* A column that is nothing but NULL is called an integer by then. */
static bool is_untyped(struct duck_connection *connection, const struct athena_query *query, size_t branch,
                       size_t column, size_t count)
{
    struct buf names, before;
    struct err err = ERR_INIT;
    size_t length = 0;
    const char *type = "";
    buf_init(&names, 1u << 20);
    buf_init(&before, 100);
    buf_text(&names, ") AS q(");
    for (size_t i = 0; i < count; i++)
        buf_printf(&names, i ? ", x%zu" : "x%zu", i);
    buf_text(&names, ") WHERE false))");
    buf_printf(&before, "SELECT athena_typeof((SELECT x%zu FROM (", column);
    struct duck_statement *statement = prepare_branch(connection, query, branch, before.data, names.data);
    if (statement && duck_step(statement, &err) == 1)
        type = duck_text(duck_column(statement, 0), &length);
    bool untyped = length == 7 && memcmp(type, "unknown", 7) == 0;
    duck_finalize(statement);
    buf_free(&names);
    buf_free(&before);
    return untyped;
}

/* The engine would make text of both sides. */
static int check_branches(struct duck_connection *connection, const struct athena_query *query,
                          struct athena_failure *failure)
{
    struct duck_statement *first = prepare_branch(connection, query, 0, "", "");
    int result = 0;
    for (size_t i = 1; first && i < query->branch_count && result == 0; i++) {
        struct duck_statement *other = prepare_branch(connection, query, i, "", "");
        size_t count = duck_column_count(first), others = other ? duck_column_count(other) : count;
        const char *word = query->branches[i].word;
        int line = query->branches[i].line, column = query->branches[i].column;
        if (count != others)
            result = athena_fail(failure, "TYPE_MISMATCH",
                                 "line %d:%d: %s query has different number of fields: %zu, %zu", line,
                                 column, word, count, others);
        for (size_t c = 0; other && c < count && result == 0; c++) {
            const struct duck_type *a = duck_column_type(first, c), *b = duck_column_type(other, c);
            if (athena_hive_stores(a, b) || athena_hive_stores(b, a) ||
                is_untyped(connection, query, 0, c, count) || is_untyped(connection, query, i, c, count))
                continue;
            if (a->kind == DUCK_DECIMAL || b->kind == DUCK_DECIMAL || a->count > 0 || b->count > 0 ||
                a->kind == DUCK_TIMESTAMP_TZ || b->kind == DUCK_TIMESTAMP_TZ)
                continue; /* they may still have a type in common */
            struct buf left, right;
            buf_init(&left, 1000);
            buf_init(&right, 1000);
            athena_type_write(&left, a);
            athena_type_write(&right, b);
            result = athena_fail(failure, "TYPE_MISMATCH",
                                 "line %d:%d: column %zu in %s query has incompatible types: %s, %s", line,
                                 column, c + 1, word, left.data, right.data);
            buf_free(&left);
            buf_free(&right);
        }
        duck_finalize(other);
    }
    duck_finalize(first);
    return result;
}

struct duck_statement *athena_prepare(struct duck_connection *connection, const struct athena_query *query,
                                      const char *text, struct athena_failure *failure)
{
    struct err err = ERR_INIT;
    if (query->branch_count > 1 && check_branches(connection, query, failure) != 0)
        return NULL;
    struct duck_statement *statement = duck_prepare(connection, query->sql, &err);
    if (!statement)
        athena_failure_of(connection, text, failure);
    return statement;
}

void athena_column_name(const struct duck_statement *statement, size_t column, char *name, size_t size)
{
    const char *given = duck_column_name(statement, column);
    if (strncmp(given, ATHENA_UNNAMED, sizeof ATHENA_UNNAMED - 1) == 0)
        snprintf(name, size, "_col%zu", column);
    else
        text_copy(name, size, given);
}

/* ---- failures --------------------------------------------------------------------------------------- */

static const struct {
    const char *kind;
    int type, category;
} kinds[] = {{"TABLE_NOT_FOUND", 1301, 2},       {"COLUMN_NOT_FOUND", 1006, 2},
             {"TYPE_MISMATCH", 1002, 2},         {"FUNCTION_NOT_FOUND", 1303, 2},
             {"DIVISION_BY_ZERO", 1001, 2},      {"INVALID_CAST_ARGUMENT", 1100, 2},
             {"SCHEMA_NOT_FOUND", 1302, 2},      {"SYNTAX_ERROR", 1000, 2},
             {"EXCEEDED_MEMORY_LIMIT", 1200, 2}, {"GENERIC_INTERNAL_ERROR", 233, 1}};

int athena_error_type(const char *kind, int *category)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i].kind) == 0) {
            *category = kinds[i].category;
            return kinds[i].type;
        }
    *category = 2;
    return 1003;
}
