/*
 * The engine "cache": SQL over what is kept on this machine. A SQLite database in memory, to which are
 * attached, to be read only, cache (settings, throughput), ledger (batches, jobs of the pipeline) and results
 * (the list of queries); a kept result that the text names as result_17, or result_last, is copied into a
 * table of that name first.
 */
#include "app/query_private.h"

#include "base/file.h"
#include "base/text.h"
#include "sql/sql.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPED_ROWS 200 /* looked at to tell the columns' types */

static bool stops(void *context)
{
    struct query_run *run = context;
    return !query_run_wants_more(run);
}

/* ---- kept results as tables ---- */

static const char *sqlite_type(enum result_kind kind)
{
    return kind == RESULT_INT || kind == RESULT_BOOL ? "INTEGER" : kind == RESULT_REAL ? "REAL" : "TEXT";
}

static void put_name(struct buf *out, const char *name)
{
    buf_char(out, '"');
    for (; *name; name++) {
        if (*name == '"')
            buf_char(out, '"');
        buf_char(out, *name);
    }
    buf_char(out, '"');
}

static int make_table(struct sql_db *db, const char *table, const struct result_column *columns, size_t count,
                      struct err *err)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_printf(&text, "CREATE TABLE %s(", table);
    for (size_t i = 0; i < count; i++) {
        buf_text(&text, i > 0 ? ", " : "");
        put_name(&text, columns[i].name[0] ? columns[i].name : "_col");
        buf_printf(&text, " %s", sqlite_type(columns[i].kind));
    }
    buf_text(&text, ")");
    int result = sql_exec(db, text.data, err);
    buf_free(&text);
    return result;
}

static void bind_cell(struct sql_statement *insert, int at, enum result_kind kind,
                      const struct result_cell *cell)
{
    if (!cell->text)
        sql_bind_null(insert, at);
    else if (kind == RESULT_BOOL)
        sql_bind_int(insert, at, cell->length == 4 || (cell->length == 1 && *cell->text == '1'));
    else /* the column's affinity makes numbers of them */
        sql_bind_text(insert, at, cell->text, cell->length);
}

static int copy_result(struct query_run *run, struct sql_db *db, int64_t id, const char *table,
                       struct err *err)
{
    struct results *results = run->queries->results;
    struct result_column *columns = mem_zero(RESULT_COLUMNS, sizeof *columns);
    size_t count = results_columns(results, id, columns, RESULT_COLUMNS);
    struct result_page page = {0};
    struct sql_statement *insert = NULL;
    struct buf text;
    buf_init(&text, 4096);
    buf_printf(&text, "INSERT INTO %s VALUES(", table);
    for (size_t i = 0; i < count; i++)
        buf_text(&text, i > 0 ? ",?" : "?");
    buf_text(&text, ")");
    int result = count == 0
                     ? err_set(err, ERR_NOT_FOUND, "%s: that result has no rows, or is not kept", table)
                     : make_table(db, table, columns, count, err);
    if (result == 0 && !(insert = sql_prepare(db, text.data, err)))
        result = -1;
    int64_t row = 0;
    while (result == 0 && query_run_wants_more(run) &&
           (result = results_read(results, id, row, &page, err)) == 1) {
        result = 0;
        for (size_t i = 0; result == 0 && i < page.rows; i++) {
            for (size_t column = 0; column < count; column++)
                bind_cell(insert, (int)column + 1, columns[column].kind, &page.cells[i * count + column]);
            result = sql_run(insert, err);
        }
        row += (int64_t)page.rows;
    }
    sql_finalize(insert);
    result_page_free(&page);
    buf_free(&text);
    free(columns);
    return result;
}

/* Each result_N and result_last in the text, once. */
static int copy_named(struct query_run *run, struct sql_db *db, struct err *err)
{
    int64_t done[16];
    size_t count = 0;
    bool last = false;
    for (const char *at = run->sql; (at = text_find_fold(at, "result_")) != NULL; at += 7) {
        if (at > run->sql && (isalnum((unsigned char)at[-1]) || at[-1] == '_'))
            continue;
        if (text_prefix_fold(at + 7, "last") && !last) {
            struct result_info infos[2];
            size_t known =
                results_list(run->queries->results, infos, 2); /* the newest is this query itself */
            last = true;
            if (known < 2)
                return err_set(err, ERR_NOT_FOUND, "no result was kept before this one");
            if (copy_result(run, db, infos[1].id, "result_last", err) < 0)
                return -1;
        }
        char digits[20] = "", table[40];
        size_t length = strspn(at + 7, "0123456789");
        int64_t id;
        if (length == 0 || length >= sizeof digits)
            continue;
        memcpy(digits, at + 7, length);
        bool known = !text_parse_int(digits, 1, INT64_MAX, &id);
        for (size_t i = 0; i < count && !known; i++)
            known = done[i] == id;
        if (known || count == sizeof done / sizeof *done)
            continue;
        done[count++] = id;
        snprintf(table, sizeof table, "result_%lld", (long long)id);
        if (copy_result(run, db, id, table, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- rows ---- */

static void learn(struct result_column *column, enum sql_type type)
{
    if (type == SQL_INT && column->kind == RESULT_BOOL /* nothing seen yet */)
        column->kind = RESULT_INT;
    else if (type == SQL_DOUBLE && (column->kind == RESULT_BOOL || column->kind == RESULT_INT))
        column->kind = RESULT_REAL;
    else if (type == SQL_TEXT || type == SQL_BLOB)
        column->kind = RESULT_TEXT;
}

static int take_columns(struct query_run *run, struct sql_db *db, struct err *err)
{
    struct sql_statement *look = sql_prepare(db, run->sql, err);
    if (!look)
        return -1;
    struct result_column *columns = mem_zero(RESULT_COLUMNS, sizeof *columns);
    size_t count = (size_t)sql_column_count(look);
    for (size_t i = 0; i < count && i < RESULT_COLUMNS; i++) {
        const char *name = sql_column_name(look, (int)i);
        text_sanitise(columns[i].name, sizeof columns[i].name, name ? name : "", name ? strlen(name) : 0);
        columns[i].kind = RESULT_BOOL;
    }
    int more = 0;
    for (int rows = 0; rows < TYPED_ROWS && (more = sql_step(look, err)) == 1; rows++)
        for (size_t i = 0; i < count && i < RESULT_COLUMNS; i++)
            learn(&columns[i], sql_column_type(look, (int)i));
    sql_finalize(look);
    for (size_t i = 0; i < count && i < RESULT_COLUMNS; i++) {
        if (columns[i].kind == RESULT_BOOL)
            columns[i].kind = RESULT_TEXT;
        text_copy(columns[i].type, sizeof columns[i].type,
                  columns[i].kind == RESULT_INT    ? "integer"
                  : columns[i].kind == RESULT_REAL ? "real"
                                                   : "text");
    }
    int result = more < 0 ? -1 : query_run_columns(run, columns, count, err);
    free(columns);
    return result;
}

static int take_rows(struct query_run *run, struct sql_db *db, struct err *err)
{
    struct sql_statement *look = sql_prepare(db, run->sql, err);
    if (!look)
        return -1;
    size_t count = (size_t)sql_column_count(look);
    struct result_cell *cells = mem_zero(count + 1, sizeof *cells);
    int more, taken = 1;
    while (taken == 1 && (more = sql_step(look, err)) == 1) {
        for (size_t i = 0; i < count; i++) {
            bool null = sql_column_type(look, (int)i) == SQL_NULL;
            cells[i] = (struct result_cell){null ? NULL : sql_column_text(look, (int)i),
                                            sql_column_bytes(look, (int)i)};
        }
        taken = result_writer_row(run->writer, cells, err);
        if (result_writer_rows(run->writer) % 20000 == 0)
            query_run_say(run, QUERY_RUNNING, "%lld rows so far", (long long)result_writer_rows(run->writer));
    }
    run->truncated = taken == 0;
    free(cells);
    sql_finalize(look);
    return taken < 0 || (taken == 1 && more < 0) ? -1 : 0;
}

/* That of the lake in use, by the name app/backend.c gives it. */
static void attach_ledger(struct query_run *run, struct sql_db *db)
{
    const struct queries_settings *settings = &run->queries->settings;
    char name[160], path[FILE_PATH_SIZE];
    struct err local = ERR_INIT;
    if (settings->memory || !settings->backend)
        return;
    struct view_cloud cloud = {0};
    struct view_lake lake = {0};
    struct view_pipeline pipeline = {0};
    backend_view(settings->backend, &cloud, &lake, &pipeline);
    snprintf(name, sizeof name, "ledger-%.16s-%.64s.sqlite", cloud.local ? "local" : cloud.account,
             settings->options->bucket);
    if (file_place_path(FILE_DATA, name, path, &local) == 0)
        sql_attach(db, path, "ledger", &local);
}

int query_local(struct query_run *run, struct err *err)
{
    static const struct {
        enum file_place place;
        const char *file, *name;
    } files[] = {{FILE_CACHE, "cache.sqlite", "cache"}, {FILE_CACHE, "results.sqlite", "results"}};
    query_run_say(run, QUERY_RUNNING, "running");
    struct sql_db *db = sql_open("the cache", SQL_MEMORY, 0, err);
    if (!db)
        return -1;
    for (size_t i = 0; i < sizeof files / sizeof *files && !run->queries->settings.memory; i++) {
        char path[FILE_PATH_SIZE];
        struct err local = ERR_INIT; /* what is not there is told by the query: no such table */
        if (file_place_path(files[i].place, files[i].file, path, &local) == 0)
            sql_attach(db, path, files[i].name, &local);
    }
    attach_ledger(run, db);
    int result = copy_named(run, db, err);
    sql_restrict(db, stops, run);
    if (result == 0)
        result = take_columns(run, db, err);
    if (result == 0)
        result = take_rows(run, db, err);
    sql_close(db);
    return result;
}
