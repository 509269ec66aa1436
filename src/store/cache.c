#include "store/cache.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "sql/sql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID  0x53434348 /* "SCCH" */
#define VERSION         1
#define BUSY_TIMEOUT_MS 500 /* the console should not hang on another one */
#define WAITING_MAX     256
#define WRITE_AFTER_S   10
#define SECONDS_KEPT_S  3600
#define MINUTES_KEPT_S  (30 * 86400)

struct waiting {
    int64_t at_s;
    int kind;
    double events, bytes;
};

struct cache {
    struct sql_db *db;
    struct log *log;
    char path[FILE_PATH_SIZE]; /* "": in memory */
    char problem[300];
    struct waiting waiting[WAITING_MAX];
    size_t waiting_count;
    int64_t tidied_s; /* when seconds were last made minutes */
};

static const char tables[] =
    "CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE history(id INTEGER PRIMARY KEY, line TEXT NOT NULL UNIQUE);"
    "CREATE TABLE throughput(at INTEGER NOT NULL, kind INTEGER NOT NULL, seconds INTEGER NOT NULL,"
    " events REAL NOT NULL, bytes REAL NOT NULL, PRIMARY KEY(at, kind, seconds)) WITHOUT ROWID;";

static void note_problem(struct cache *cache, const char *text)
{
    if (strcmp(cache->problem, text) == 0)
        return;
    text_copy(cache->problem, sizeof cache->problem, text);
    log_write(cache->log, LOG_WARNING, "store", "%s", text);
}

/* ---- opening ---- */

static int make_tables(struct sql_db *db, struct err *err)
{
    char text[96];
    snprintf(text, sizeof text, "PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION_ID,
             VERSION);
    if (sql_begin(db, err) < 0)
        return -1;
    int64_t found = 0; /* another console may have been quicker */
    if (sql_query_int(db, "SELECT count(*) FROM sqlite_schema", &found, err) == 0 &&
        (found > 0 || (sql_exec(db, tables, err) == 0 && sql_exec(db, text, err) == 0)) &&
        sql_commit(db, err) == 0)
        return 0;
    sql_rollback(db);
    return -1;
}

static int check(struct sql_db *db, struct err *err)
{
    int64_t id, version, found;
    if (sql_pragma_int(db, "application_id", &id, err) < 0 ||
        sql_pragma_int(db, "user_version", &version, err) < 0 ||
        sql_query_int(db, "SELECT count(*) FROM sqlite_schema", &found, err) < 0)
        return -1;
    if (id == 0 && found == 0)
        return make_tables(db, err);
    if (id != APPLICATION_ID)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s is another program's database: name another file, or move it away", sql_path(db));
    if (version > VERSION)
        return err_set(err, ERR_UNSUPPORTED, "%s was written by a newer smartcity: use that, or move it away",
                       sql_path(db));
    if (sql_query_int(
            db,
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('setting', 'history',"
            " 'throughput')",
            &found, err) < 0)
        return -1;
    return found == 3 ? 0 : err_set(err, ERR_CORRUPT, "%s lacks tables", sql_path(db));
}

static struct sql_db *open_file(const char *path, struct err *err)
{
    struct sql_db *db = sql_open(path, SQL_CREATE, BUSY_TIMEOUT_MS, err);
    if (!db)
        return NULL;
    /* In a cache the last seconds may be lost with the power. */
    if (sql_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", err) == 0 &&
        check(db, err) == 0)
        return db;
    sql_close(db);
    return NULL;
}

/* Renames the damaged file, with what SQLite keeps beside it. */
static int put_aside(const char *path, char aside[FILE_PATH_SIZE], struct err *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char time[TEXT_TIME_SIZE], from[FILE_PATH_SIZE], to[FILE_PATH_SIZE + 16];
    text_time(time, clock_wall_us() / 1000);
    if (snprintf(aside, FILE_PATH_SIZE, "%s.damaged-%.10s", path, time) >= FILE_PATH_SIZE - 16)
        return err_set(err, ERR_IO, "the path is too long: %.200s", path);
    for (int i = 0; i < 4; i++) {
        snprintf(from, sizeof from, "%.490s%s", path, suffixes[i]);
        snprintf(to, sizeof to, "%s%s", aside, suffixes[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return err_set_errno(err, ERR_IO, errno, "cannot put %s aside", from);
    }
    return 0;
}

static void open_memory(struct cache *cache)
{
    struct err err = ERR_INIT;
    cache->path[0] = '\0';
    cache->db = sql_open("cache in memory", SQL_MEMORY, 0, &err);
    if (cache->db && make_tables(cache->db, &err) == 0)
        return;
    /* A memory database fails only for want of memory; without one everything is simply not remembered. */
    sql_close(cache->db);
    cache->db = NULL;
    note_problem(cache, err.text);
}

static void open_anew(struct cache *cache)
{
    struct err err = ERR_INIT;
    char aside[FILE_PATH_SIZE], text[sizeof cache->problem];
    if (put_aside(cache->path, aside, &err) == 0 && (cache->db = open_file(cache->path, &err)) != NULL) {
        const char *slash = strrchr(aside, '/');
        snprintf(text, sizeof text, "the cache was damaged and is made anew; the old one is kept as %.100s",
                 slash ? slash + 1 : aside);
        note_problem(cache, text);
        return;
    }
    snprintf(text, sizeof text, "nothing is remembered after this run: %.250s", err.text);
    note_problem(cache, text);
    open_memory(cache);
}

/* True when the error was damage, met while running, and the cache has been made anew: worth another try. */
static bool mended(struct cache *cache, const struct err *err)
{
    if (err->kind != ERR_CORRUPT || !cache->path[0])
        return false;
    sql_close(cache->db);
    cache->db = NULL;
    open_anew(cache);
    return cache->db != NULL;
}

static int make_folder(const char *path, struct err *err)
{
    char folder[FILE_PATH_SIZE];
    text_copy(folder, sizeof folder, path);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return 0;
    *slash = '\0';
    return file_make_dirs(folder, err);
}

struct cache *cache_open(const char *path, struct log *log)
{
    struct cache *cache = mem_zero(1, sizeof *cache);
    struct err err = ERR_INIT;
    cache->log = log;
    if (!path) {
        open_memory(cache);
        return cache;
    }
    if (strlen(path) >= sizeof cache->path - 64) {
        err_set(&err, ERR_USAGE, "the path is too long: %.200s", path);
    } else {
        text_copy(cache->path, sizeof cache->path, path);
        if (make_folder(path, &err) == 0)
            cache->db = open_file(path, &err);
    }
    if (!cache->db && err.kind == ERR_CORRUPT) {
        open_anew(cache);
    } else if (!cache->db) {
        char text[sizeof cache->problem];
        snprintf(text, sizeof text, "nothing is remembered after this run: %.250s", err.text);
        note_problem(cache, text);
        open_memory(cache);
    }
    return cache;
}

const char *cache_problem(const struct cache *cache)
{
    return cache->problem;
}

/* ---- one statement at a time ---- */

struct value {
    enum { VALUE_INT, VALUE_REAL, VALUE_TEXT } type;
    int64_t integer;
    double real;
    const char *text;
};

static struct sql_statement *prepare(struct cache *cache, const char *sql, const struct value *values,
                                     int count, struct err *err)
{
    struct sql_statement *statement = sql_prepare(cache->db, sql, err);
    for (int i = 0; statement && i < count; i++) {
        if (values[i].type == VALUE_INT)
            sql_bind_int(statement, i + 1, values[i].integer);
        else if (values[i].type == VALUE_REAL)
            sql_bind_double(statement, i + 1, values[i].real);
        else
            sql_bind_text(statement, i + 1, values[i].text, strlen(values[i].text));
    }
    return statement;
}

static int run(struct cache *cache, const char *sql, const struct value *values, int count, struct err *err)
{
    struct sql_statement *statement = prepare(cache, sql, values, count, err);
    int result = statement ? sql_run(statement, err) : -1;
    sql_finalize(statement);
    return result;
}

/* Runs `change` in a transaction, once more when damage was found and mended. */
static int change_with(struct cache *cache,
                       int (*change)(struct cache *cache, const void *context, struct err *err),
                       const void *context, struct err *err)
{
    struct err own = ERR_INIT;
    for (int tries = 0; tries < 2; tries++) {
        own = ERR_INIT;
        if (!cache->db)
            break;
        if (sql_begin(cache->db, &own) == 0 && change(cache, context, &own) == 0 &&
            sql_commit(cache->db, &own) == 0)
            return 0;
        sql_rollback(cache->db);
        if (!mended(cache, &own))
            break;
    }
    if (err)
        *err = own;
    return -1;
}

/* ---- history and settings ---- */

static int change_history(struct cache *cache, const void *context, struct err *err)
{
    const struct value line = {.type = VALUE_TEXT, .text = context}, kept = {.integer = CACHE_HISTORY};
    if (run(cache, "DELETE FROM history WHERE line = ?", &line, 1, err) < 0 ||
        run(cache, "INSERT INTO history(id, line) VALUES((SELECT ifnull(max(id), 0) + 1 FROM history), ?)",
            &line, 1, err) < 0)
        return -1;
    return run(cache, "DELETE FROM history WHERE id NOT IN (SELECT id FROM history ORDER BY id DESC LIMIT ?)",
               &kept, 1, err);
}

int cache_history_add(struct cache *cache, const char *line, struct err *err)
{
    char cut[CACHE_LINE];
    if (line[strspn(line, " \t")] == '\0')
        return 0;
    text_copy(cut, sizeof cut, line);
    return change_with(cache, change_history, cut, err);
}

size_t cache_history(struct cache *cache, char (*lines)[CACHE_LINE], size_t count)
{
    struct err err = ERR_INIT;
    const struct value limit = {.integer = (int64_t)count};
    struct sql_statement *statement =
        cache->db ? prepare(cache, "SELECT line FROM history ORDER BY id DESC LIMIT ?", &limit, 1, &err)
                  : NULL;
    size_t found = 0;
    while (statement && found < count && sql_step(statement, &err) == 1) {
        text_sanitise(lines[found], CACHE_LINE, sql_column_text(statement, 0),
                      sql_column_bytes(statement, 0));
        found++;
    }
    sql_finalize(statement);
    if (err.kind != ERR_NONE)
        mended(cache, &err);
    return found;
}

struct setting {
    const char *name, *value;
};

static int change_setting(struct cache *cache, const void *context, struct err *err)
{
    const struct setting *setting = context;
    const struct value values[] = {{.type = VALUE_TEXT, .text = setting->name},
                                   {.type = VALUE_TEXT, .text = setting->value ? setting->value : ""}};
    return setting->value ? run(cache, "INSERT OR REPLACE INTO setting VALUES(?, ?)", values, 2, err)
                          : run(cache, "DELETE FROM setting WHERE name = ?", values, 1, err);
}

int cache_set(struct cache *cache, const char *name, const char *value, struct err *err)
{
    if (value && strlen(value) > CACHE_VALUE)
        return err_set(err, ERR_LIMIT, "the value of %s is too long to be remembered", name);
    const struct setting setting = {name, value};
    return change_with(cache, change_setting, &setting, err);
}

bool cache_get(struct cache *cache, const char *name, char *value, size_t size)
{
    struct err err = ERR_INIT;
    const struct value key = {.type = VALUE_TEXT, .text = name};
    struct sql_statement *statement =
        cache->db ? prepare(cache, "SELECT value FROM setting WHERE name = ?", &key, 1, &err) : NULL;
    bool found = statement && sql_step(statement, &err) == 1 && sql_column_bytes(statement, 0) < size;
    if (found) {
        size_t length = sql_column_bytes(statement, 0);
        memcpy(value, sql_column_text(statement, 0), length + 1);
        found = strlen(value) == length && text_is_utf8(value, length);
    }
    sql_finalize(statement);
    if (err.kind != ERR_NONE)
        mended(cache, &err);
    return found;
}

/* ---- throughput ---- */

static int change_throughput(struct cache *cache, const void *context, struct err *err)
{
    const int64_t now_s = *(const int64_t *)context;
    for (size_t i = 0; i < cache->waiting_count; i++) {
        const struct waiting *row = &cache->waiting[i];
        const struct value values[] = {{.integer = row->at_s},
                                       {.integer = row->kind},
                                       {.type = VALUE_REAL, .real = row->events},
                                       {.type = VALUE_REAL, .real = row->bytes}};
        /* Two consoles that share the cache add up. */
        if (run(cache,
                "INSERT INTO throughput VALUES(?, ?, 1, ?, ?) ON CONFLICT DO UPDATE SET"
                " events = events + excluded.events, bytes = bytes + excluded.bytes",
                values, 4, err) < 0)
            return -1;
    }
    if (now_s - cache->tidied_s < 60 && now_s >= cache->tidied_s)
        return 0;
    /* Whole minutes only, so that a minute is made once. */
    const struct value hour = {.integer = (now_s - SECONDS_KEPT_S) / 60 * 60};
    const struct value month = {.integer = now_s - MINUTES_KEPT_S};
    if (run(cache,
            "INSERT INTO throughput SELECT at / 60 * 60, kind, 60, sum(events), sum(bytes) FROM throughput"
            " WHERE seconds = 1 AND at < ? GROUP BY 1, 2 ON CONFLICT DO UPDATE SET"
            " events = events + excluded.events, bytes = bytes + excluded.bytes",
            &hour, 1, err) < 0 ||
        run(cache, "DELETE FROM throughput WHERE seconds = 1 AND at < ?", &hour, 1, err) < 0)
        return -1;
    return run(cache, "DELETE FROM throughput WHERE at < ?", &month, 1, err);
}

static int write_throughput(struct cache *cache, int64_t now_s, struct err *err)
{
    if (cache->waiting_count == 0)
        return 0;
    int result = change_with(cache, change_throughput, &now_s, err);
    if (result == 0) {
        if (now_s - cache->tidied_s >= 60 || now_s < cache->tidied_s)
            cache->tidied_s = now_s;
        cache->waiting_count = 0;
    } else if (cache->waiting_count == WAITING_MAX) {
        cache->waiting_count = 0; /* a cache: nothing is worth more memory */
    }
    return result;
}

int cache_throughput_add(struct cache *cache, int64_t wall_us, int kind, double events, double bytes,
                         struct err *err)
{
    int64_t at_s = wall_us / 1000000;
    cache->waiting[cache->waiting_count++] = (struct waiting){at_s, kind, events, bytes};
    if (cache->waiting_count < WAITING_MAX && at_s - cache->waiting[0].at_s < WRITE_AFTER_S &&
        at_s >= cache->waiting[0].at_s)
        return 0;
    return write_throughput(cache, at_s, err);
}

size_t cache_throughput(struct cache *cache, int kind, int64_t from_us, int64_t to_us,
                        struct cache_throughput *points, size_t count)
{
    struct err err = ERR_INIT;
    if (cache->waiting_count > 0)
        write_throughput(cache, cache->waiting[cache->waiting_count - 1].at_s, &err);
    const struct value values[] = {{.integer = kind},
                                   {.integer = from_us / 1000000},
                                   {.integer = to_us / 1000000},
                                   {.integer = (int64_t)count}};
    struct sql_statement *statement =
        cache->db
            ? prepare(
                  cache,
                  "SELECT at, seconds, events, bytes FROM throughput WHERE kind = ? AND at >= ? AND at < ?"
                  " ORDER BY at DESC LIMIT ?",
                  values, 4, &err)
            : NULL;
    size_t found = 0;
    while (statement && found < count && sql_step(statement, &err) == 1) {
        points[found++] = (struct cache_throughput){
            .at_s = sql_column_int(statement, 0),
            .seconds = sql_column_int(statement, 1),
            .events = sql_column_double(statement, 2),
            .bytes = sql_column_double(statement, 3),
        };
    }
    sql_finalize(statement);
    for (size_t i = 0; i < found / 2; i++) {
        struct cache_throughput point = points[i];
        points[i] = points[found - 1 - i];
        points[found - 1 - i] = point;
    }
    return found;
}

void cache_close(struct cache *cache)
{
    if (!cache)
        return;
    if (cache->waiting_count > 0)
        write_throughput(cache, cache->waiting[cache->waiting_count - 1].at_s, NULL);
    sql_close(cache->db);
    free(cache);
}
