/*
 * Layout: table `result` (a row each), `column`, `chunk` (result, first row, rows, data). A chunk is one zstd
 * frame over its rows, each cell a variable-length integer (0: null, else length + 1) and its bytes. A chunk
 * holds RESULT_CHUNK_ROWS rows, or fewer when they are long, and is written in a transaction of its own: what
 * was taken before a kill -9 is there.
 */
#include "store/results_private.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define APPLICATION_ID  0x53435253 /* "SCRS" */
#define VERSION         1
#define BUSY_TIMEOUT_MS 2000
#define CHUNK_BYTES     (1u << 18) /* a chunk is closed when it holds so much */
#define ZSTD_LEVEL      1

struct result_writer {
    struct results *results;
    int64_t id, rows, bytes;
    size_t columns;
    struct buf raw; /* rows that wait */
    int64_t first;
    size_t waiting;
    bool full;
};

static const char *const STATES[] = {"running", "done", "failed", "cancelled"};

const char *result_state_name(enum result_state state)
{
    return STATES[state];
}

static const char tables[] =
    "CREATE TABLE result(id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, engine TEXT NOT NULL,"
    " place TEXT NOT NULL, sql TEXT NOT NULL, remote_id TEXT NOT NULL DEFAULT '', state INTEGER NOT NULL,"
    " problem TEXT NOT NULL DEFAULT '', rows INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,"
    " truncated INTEGER NOT NULL DEFAULT 0, scanned INTEGER NOT NULL DEFAULT -1, took_us INTEGER NOT NULL"
    " DEFAULT 0, cost REAL NOT NULL DEFAULT 0, columns INTEGER NOT NULL DEFAULT 0, pid INTEGER NOT NULL);"
    "CREATE TABLE result_column(result INTEGER NOT NULL, at INTEGER NOT NULL, name TEXT NOT NULL, type TEXT"
    " NOT NULL, kind INTEGER NOT NULL, PRIMARY KEY(result, at)) WITHOUT ROWID;"
    "CREATE TABLE chunk(result INTEGER NOT NULL, first INTEGER NOT NULL, rows INTEGER NOT NULL, raw INTEGER"
    " NOT NULL, data BLOB NOT NULL, PRIMARY KEY(result, first));";

/* ---- opening ---- */

static int prepare_file(struct sql_db *db, struct err *err)
{
    int64_t id, version, found;
    char text[96];
    if (sql_pragma_int(db, "application_id", &id, err) < 0 ||
        sql_pragma_int(db, "user_version", &version, err) < 0 || sql_begin(db, err) < 0)
        return -1;
    snprintf(text, sizeof text, "PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION_ID,
             VERSION);
    if (sql_query_int(db, "SELECT count(*) FROM sqlite_schema", &found, err) < 0)
        goto failed;
    if (found == 0 && id == 0) {
        if (sql_exec(db, tables, err) < 0 || sql_exec(db, text, err) < 0)
            goto failed;
    } else if (id != APPLICATION_ID || version > VERSION) {
        err_set(err, ERR_UNSUPPORTED,
                "%s is another program's database, or a newer smartcity's: move it away", sql_path(db));
        goto failed;
    }
    if (sql_commit(db, err) == 0)
        return 0;
failed:
    sql_rollback(db);
    return -1;
}

static struct sql_db *open_file(const char *path, struct err *err)
{
    struct sql_db *db = sql_open(path, SQL_CREATE, BUSY_TIMEOUT_MS, err);
    if (db && sql_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", err) == 0 &&
        prepare_file(db, err) == 0)
        return db;
    sql_close(db);
    return NULL;
}

static int put_aside(const char *path, struct err *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char from[FILE_PATH_SIZE + 16], to[FILE_PATH_SIZE + 64], day[TEXT_TIME_SIZE];
    text_time(day, clock_wall_us() / 1000);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(from, sizeof from, "%s%s", path, suffixes[i]);
        snprintf(to, sizeof to, "%s.damaged-%.10s%s", path, day, suffixes[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return err_set_errno(err, ERR_IO, errno, "cannot put %s aside", from);
    }
    return 0;
}

/* What a process that is gone was writing did not end well. */
static void end_orphans(struct results *results)
{
    struct err err = ERR_INIT;
    int64_t gone[64];
    size_t count = 0;
    struct sql_statement *look =
        sql_prepare(results->write, "SELECT id, pid FROM result WHERE state = 0", &err);
    while (look && count < 64 && sql_step(look, &err) == 1) {
        int64_t pid = sql_column_int(look, 1);
        bool alive = pid > 1 && (kill((pid_t)pid, 0) == 0 || errno == EPERM) && pid != (int64_t)getpid();
        if (!alive)
            gone[count++] = sql_column_int(look, 0);
    }
    sql_finalize(look);
    struct sql_statement *mark = sql_prepare(
        results->write,
        "UPDATE result SET state = 2, problem = 'the console ended before it did' WHERE id = ?", &err);
    for (size_t i = 0; mark && i < count; i++) {
        sql_bind_int(mark, 1, gone[i]);
        sql_run(mark, &err);
    }
    sql_finalize(mark);
}

struct results *results_open(const char *path, bool *anew, struct err *err)
{
    struct results *results = mem_zero(1, sizeof *results);
    struct err own = ERR_INIT;
    pthread_mutex_init(&results->write_lock, NULL);
    pthread_mutex_init(&results->read_lock_own, NULL);
    results->read_lock = path ? &results->read_lock_own : &results->write_lock;
    if (anew)
        *anew = false;
    if (!path) {
        results->write = sql_open("results in memory", SQL_MEMORY, 0, &own);
        if (results->write && prepare_file(results->write, &own) < 0) {
            sql_close(results->write);
            results->write = NULL;
        }
        results->read = results->write;
    } else {
        text_copy(results->path, sizeof results->path, path);
        results->write = open_file(path, &own);
        if (!results->write && own.kind == ERR_CORRUPT && put_aside(path, &own) == 0) {
            results->write = open_file(path, &own);
            if (anew)
                *anew = results->write != NULL;
        }
        if (results->write)
            results->read = sql_open(path, 0, BUSY_TIMEOUT_MS, &own);
    }
    if (!results->write || !results->read) {
        if (err)
            *err = own;
        results_close(results);
        return NULL;
    }
    end_orphans(results);
    results->generation = 1;
    return results;
}

void results_close(struct results *results)
{
    if (!results)
        return;
    if (results->read != results->write)
        sql_close(results->read);
    sql_close(results->write);
    pthread_mutex_destroy(&results->write_lock);
    pthread_mutex_destroy(&results->read_lock_own);
    free(results);
}

const char *results_path(const struct results *results)
{
    return results->path;
}

uint64_t results_generation(struct results *results)
{
    return results->generation;
}

static void lock_write(struct results *results)
{
    pthread_mutex_lock(&results->write_lock);
}

static void unlock_write(struct results *results)
{
    results->generation++;
    pthread_mutex_unlock(&results->write_lock);
}

/* ---- room ---- */

static int forget(struct results *results, int64_t id, struct err *err)
{
    static const char *const texts[] = {"DELETE FROM chunk WHERE result = ?",
                                        "DELETE FROM result_column WHERE result = ?",
                                        "DELETE FROM result WHERE id = ?"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct sql_statement *statement = sql_prepare(results->write, texts[i], err);
        if (statement)
            sql_bind_int(statement, 1, id);
        int done = statement ? sql_run(statement, err) : -1;
        sql_finalize(statement);
        if (done < 0)
            return -1;
    }
    return 0;
}

int results_forget(struct results *results, int64_t id, struct err *err)
{
    lock_write(results);
    int result = sql_begin(results->write, err);
    if (result == 0 && (forget(results, id, err) < 0 || sql_commit(results->write, err) < 0)) {
        sql_rollback(results->write);
        result = -1;
    }
    unlock_write(results);
    return result;
}

/* The oldest go, until what is left fits; never one that is being written. */
static int make_room(struct results *results, struct err *err)
{
    for (;;) {
        int64_t count, bytes, oldest;
        if (sql_query_int(results->write, "SELECT count(*) FROM result", &count, err) < 0 ||
            sql_query_int(results->write, "SELECT ifnull(sum(bytes), 0) FROM result", &bytes, err) < 0 ||
            sql_query_int(results->write, "SELECT ifnull(min(id), 0) FROM result WHERE state <> 0", &oldest,
                          err) < 0)
            return -1;
        if ((count <= RESULTS_KEPT && bytes <= RESULTS_BYTES) || oldest == 0)
            return 0;
        if (forget(results, oldest, err) < 0)
            return -1;
    }
}

/* ---- writing ---- */

struct result_writer *results_begin(struct results *results, const char *engine, const char *place,
                                    const char *sql, int64_t at_ms, struct err *err)
{
    struct result_writer *writer = mem_zero(1, sizeof *writer);
    writer->results = results;
    buf_init(&writer->raw, RESULTS_CHUNK_LIMIT);
    lock_write(results);
    struct sql_statement *insert = sql_prepare(
        results->write, "INSERT INTO result(at_ms, engine, place, sql, state, pid) VALUES(?, ?, ?, ?, 0, ?)",
        err);
    int result = -1;
    if (insert) {
        sql_bind_int(insert, 1, at_ms);
        sql_bind_text(insert, 2, engine, strlen(engine));
        sql_bind_text(insert, 3, place, strlen(place));
        sql_bind_text(insert, 4, sql, strnlen(sql, RESULT_SQL));
        sql_bind_int(insert, 5, (int64_t)getpid());
        result = sql_run(insert, err);
        writer->id = sql_last_id(results->write);
    }
    sql_finalize(insert);
    unlock_write(results);
    if (result < 0) {
        buf_free(&writer->raw);
        free(writer);
        return NULL;
    }
    return writer;
}

int64_t result_writer_id(const struct result_writer *writer)
{
    return writer->id;
}

int64_t result_writer_rows(const struct result_writer *writer)
{
    return writer->rows;
}

int result_writer_columns(struct result_writer *writer, const struct result_column *columns, size_t count,
                          struct err *err)
{
    struct results *results = writer->results;
    if (count > RESULT_COLUMNS)
        return err_set(err, ERR_LIMIT, "a result of %zu columns; %d are the most", count, RESULT_COLUMNS);
    writer->columns = count;
    lock_write(results);
    int result = sql_begin(results->write, err);
    struct sql_statement *insert =
        result == 0 ? sql_prepare(results->write, "INSERT INTO result_column VALUES(?, ?, ?, ?, ?)", err)
                    : NULL;
    struct sql_statement *update =
        insert ? sql_prepare(results->write, "UPDATE result SET columns = ? WHERE id = ?", err) : NULL;
    result = update ? 0 : -1;
    for (size_t i = 0; result == 0 && i < count; i++) {
        sql_bind_int(insert, 1, writer->id);
        sql_bind_int(insert, 2, (int64_t)i);
        sql_bind_text(insert, 3, columns[i].name, strlen(columns[i].name));
        sql_bind_text(insert, 4, columns[i].type, strlen(columns[i].type));
        sql_bind_int(insert, 5, (int64_t)columns[i].kind);
        result = sql_run(insert, err);
    }
    if (result == 0) {
        sql_bind_int(update, 1, (int64_t)count);
        sql_bind_int(update, 2, writer->id);
        result = sql_run(update, err);
    }
    sql_finalize(insert);
    sql_finalize(update);
    if (result < 0 || sql_commit(results->write, err) < 0) {
        sql_rollback(results->write);
        result = -1;
    }
    unlock_write(results);
    return result;
}

static int insert_chunk(struct result_writer *writer, const void *data, size_t length, struct err *err)
{
    struct sql_db *db = writer->results->write;
    struct sql_statement *insert = sql_prepare(db, "INSERT INTO chunk VALUES(?, ?, ?, ?, ?)", err);
    struct sql_statement *update =
        insert ? sql_prepare(db, "UPDATE result SET rows = ?, bytes = ? WHERE id = ?", err) : NULL;
    int result = -1;
    if (update) {
        sql_bind_int(insert, 1, writer->id);
        sql_bind_int(insert, 2, writer->first);
        sql_bind_int(insert, 3, (int64_t)writer->waiting);
        sql_bind_int(insert, 4, (int64_t)writer->raw.length);
        sql_bind_blob(insert, 5, data, length);
        sql_bind_int(update, 1, writer->rows);
        sql_bind_int(update, 2, writer->bytes + (int64_t)length);
        sql_bind_int(update, 3, writer->id);
        result = sql_run(insert, err) < 0 ? -1 : sql_run(update, err);
    }
    sql_finalize(insert);
    sql_finalize(update);
    return result;
}

int result_writer_flush(struct result_writer *writer, struct err *err)
{
    struct results *results = writer->results;
    if (writer->waiting == 0)
        return 0;
    size_t bound = ZSTD_compressBound(writer->raw.length);
    void *packed = mem_alloc(bound);
    size_t length = ZSTD_compress(packed, bound, writer->raw.data, writer->raw.length, ZSTD_LEVEL);
    int result = ZSTD_isError(length) ? err_set(err, ERR_INTERNAL, "zstd: %s", ZSTD_getErrorName(length)) : 0;
    if (result == 0) {
        lock_write(results);
        result = sql_begin(results->write, err);
        if (result == 0 &&
            (insert_chunk(writer, packed, length, err) < 0 || sql_commit(results->write, err) < 0)) {
            sql_rollback(results->write);
            result = -1;
        }
        unlock_write(results);
    }
    free(packed);
    if (result < 0)
        return -1;
    writer->bytes += (int64_t)length;
    writer->full = writer->bytes >= RESULT_BYTES;
    writer->first = writer->rows;
    writer->waiting = 0;
    buf_reset(&writer->raw);
    return 0;
}

static void put_length(struct buf *buf, uint64_t value)
{
    while (value >= 0x80) {
        buf_char(buf, (char)(value | 0x80));
        value >>= 7;
    }
    buf_char(buf, (char)value);
}

int result_writer_row(struct result_writer *writer, const struct result_cell *cells, struct err *err)
{
    if (writer->full)
        return 0;
    for (size_t i = 0; i < writer->columns; i++) {
        size_t length = cells[i].length;
        if (!cells[i].text) {
            put_length(&writer->raw, 0);
            continue;
        }
        while (length > RESULT_CELL || (length > 0 && length < cells[i].length &&
                                        ((unsigned char)cells[i].text[length] & 0xC0) == 0x80))
            length = length > RESULT_CELL ? RESULT_CELL : length - 1;
        put_length(&writer->raw, (uint64_t)length + 1);
        buf_append(&writer->raw, cells[i].text, length);
    }
    if (writer->raw.overflow)
        return err_set(err, ERR_LIMIT, "a row of more than %u MB", RESULTS_CHUNK_LIMIT >> 20);
    writer->rows++;
    writer->waiting++;
    if ((writer->waiting >= RESULT_CHUNK_ROWS || writer->raw.length >= CHUNK_BYTES) &&
        result_writer_flush(writer, err) < 0)
        return -1;
    return 1;
}

int result_writer_end(struct result_writer *writer, const struct result_info *info, struct err *err)
{
    struct results *results = writer->results;
    int flushed = result_writer_flush(writer, err);
    struct err other = ERR_INIT;
    struct err *say = flushed < 0 ? &other : err;
    lock_write(results);
    struct sql_statement *update = sql_prepare(results->write,
                                               "UPDATE result SET state = ?, problem = ?, remote_id = ?, "
                                               "truncated = ?, scanned = ?, took_us = ?, cost = ?"
                                               " WHERE id = ?",
                                               say);
    int result = -1;
    if (update) {
        sql_bind_int(update, 1, (int64_t)(flushed < 0 ? RESULT_FAILED : info->state));
        const char *problem = flushed < 0 && err ? err->text : info->problem;
        sql_bind_text(update, 2, problem, strlen(problem));
        sql_bind_text(update, 3, info->remote_id, strlen(info->remote_id));
        sql_bind_int(update, 4, info->truncated || writer->full);
        sql_bind_int(update, 5, info->scanned_bytes);
        sql_bind_int(update, 6, info->took_us);
        sql_bind_double(update, 7, info->cost_usd);
        sql_bind_int(update, 8, writer->id);
        result = sql_run(update, say);
    }
    sql_finalize(update);
    if (result == 0 && sql_begin(results->write, say) == 0 &&
        (make_room(results, say) < 0 || sql_commit(results->write, say) < 0))
        sql_rollback(results->write);
    unlock_write(results);
    buf_free(&writer->raw);
    free(writer);
    return flushed < 0 ? -1 : result;
}
