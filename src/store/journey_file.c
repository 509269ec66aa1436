#include "store/journey_file.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 5000

/* chunk_data and keyframe_data are apart from their index tables, so that listing and seeking read few pages.
 */
static const char tables[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE journey(id INTEGER PRIMARY KEY CHECK(id = 1), origin_us INTEGER NOT NULL,"
    " dropped_records INTEGER NOT NULL, clean INTEGER NOT NULL);"
    "INSERT INTO journey VALUES(1, 0, 0, 0);"
    "CREATE TABLE topic(id INTEGER PRIMARY KEY, name TEXT NOT NULL, records INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL);"
    "CREATE TABLE chunk(id INTEGER PRIMARY KEY, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,"
    " min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, records INTEGER NOT NULL,"
    " raw_bytes INTEGER NOT NULL);"
    "CREATE INDEX chunk_position ON chunk(last_us);"
    "CREATE INDEX chunk_event ON chunk(max_ms);"
    "CREATE TABLE chunk_topic(chunk INTEGER NOT NULL, topic INTEGER NOT NULL, records INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, PRIMARY KEY(chunk, topic)) WITHOUT ROWID;"
    "CREATE TABLE chunk_data(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE keyframe(id INTEGER PRIMARY KEY, position_us INTEGER NOT NULL, chunk INTEGER NOT NULL,"
    " records INTEGER NOT NULL);"
    "CREATE INDEX keyframe_position ON keyframe(position_us);"
    "CREATE TABLE keyframe_data(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE keyframe_reference(keyframe INTEGER NOT NULL, chunk INTEGER NOT NULL, record INTEGER NOT "
    "NULL,"
    " PRIMARY KEY(keyframe, chunk, record)) WITHOUT ROWID;"
    "CREATE TABLE marker(id INTEGER PRIMARY KEY, position_us INTEGER NOT NULL, event_ms INTEGER NOT NULL,"
    " kind TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE INDEX marker_position ON marker(position_us);";

/* ---- the lock ---- */

static bool lock_path(const char *path, char out[FILE_PATH_SIZE])
{
    return snprintf(out, FILE_PATH_SIZE, "%s.lock", path) < FILE_PATH_SIZE;
}

int journey_file_lock(const char *path, struct err *err)
{
    char name[FILE_PATH_SIZE];
    if (!lock_path(path, name))
        return err_set(err, ERR_USAGE, "the path is too long: %.200s", path);
    return file_lock(name, err);
}

void journey_file_unlock(const char *path, int fd)
{
    char name[FILE_PATH_SIZE];
    if (fd < 0)
        return;
    if (lock_path(path, name))
        unlink(name);
    close(fd);
}

bool journey_file_is_locked(const char *path)
{
    char name[FILE_PATH_SIZE];
    int fd = lock_path(path, name) ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0)
        return false;
    bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

/* ---- opening ---- */

struct sql_db *journey_file_create(const char *path, struct err *err)
{
    /* auto_vacuum and the page size must stand before the first page. WAL with NORMAL: a commit survives any
     * end of this program; after a loss of power the last ones may be missing, the file is still whole. */
    char text[256];
    struct sql_db *db = sql_open(path, SQL_CREATE, BUSY_TIMEOUT_MS, err);
    if (!db)
        return NULL;
    snprintf(text, sizeof text,
             "PRAGMA page_size = %d; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
             "PRAGMA synchronous = NORMAL; PRAGMA application_id = %d; PRAGMA user_version = %d;",
             JOURNEY_PAGE, JOURNEY_APPLICATION_ID, JOURNEY_VERSION);
    bool good = sql_exec(db, text, err) == 0 && sql_begin(db, err) == 0 && sql_exec(db, tables, err) == 0;
    for (int kind = -1; good && kind < EVENT_KIND_COUNT; kind++) {
        snprintf(text, sizeof text, "INSERT INTO topic VALUES(%d, '%s', 0, 0)", kind + 1,
                 kind < 0 ? "" : event_topic((enum event_kind)kind));
        good = sql_exec(db, text, err) == 0;
    }
    if (good && sql_commit(db, err) == 0)
        return db;
    sql_rollback(db);
    sql_close(db);
    journey_file_remove(path, NULL);
    return NULL;
}

/* A journey may come from anywhere: nothing in it may run by itself or stand for something else. */
static int check_schema(struct sql_db *db, const char *path, struct err *err)
{
    int64_t id, version, odd, tables_found;
    if (sql_pragma_int(db, "application_id", &id, err) < 0 ||
        sql_pragma_int(db, "user_version", &version, err) < 0)
        return -1;
    if (id != JOURNEY_APPLICATION_ID)
        return err_set(err, ERR_CORRUPT,
                       "%s is a database but no journey: name a file that `smartcity journeys` lists", path);
    if (version > JOURNEY_VERSION)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s is a journey of format %lld, this program reads up to %d: use a newer smartcity",
                       path, (long long)version, JOURNEY_VERSION);
    if (sql_query_int(db,
                      "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index') OR"
                      " sql LIKE 'CREATE VIRTUAL%' OR sql LIKE '%GENERATED%' OR sql LIKE '% AS (%'",
                      &odd, err) < 0 ||
        sql_query_int(
            db,
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('meta', 'journey', 'topic',"
            " 'chunk', 'chunk_topic', 'chunk_data', 'keyframe', 'keyframe_data', 'keyframe_reference',"
            " 'marker')",
            &tables_found, err) < 0)
        return -1;
    if (version < 1 || odd > 0 || tables_found != 10)
        return err_set(err, ERR_CORRUPT,
                       "%s does not have the tables of a journey: it was changed or never finished", path);
    return 0;
}

struct sql_db *journey_file_open(const char *path, unsigned flags, struct err *err)
{
    struct err own = ERR_INIT;
    struct sql_db *db = sql_open(path, flags, BUSY_TIMEOUT_MS, &own);
    if (db && check_schema(db, path, &own) < 0) {
        sql_close(db);
        db = NULL;
    }
    if (!db && err)
        *err = own;
    return db;
}

int journey_file_settle(struct sql_db *db, struct err *err)
{
    /* The vacuum comes last in its own statement: it frees what the ring left. */
    return sql_exec(
        db, "PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;", err);
}

int journey_file_remove(const char *path, struct err *err)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
    char name[FILE_PATH_SIZE];
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set_errno(err, ERR_IO, errno, "cannot delete %s", path);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (snprintf(name, sizeof name, "%s%s", path, suffixes[i]) < (int)sizeof name)
            unlink(name);
    return 0;
}

/* ---- the summary ---- */

static int64_t size_with(const char *path, const char *suffix)
{
    char name[FILE_PATH_SIZE];
    if (snprintf(name, sizeof name, "%s%s", path, suffix) >= (int)sizeof name)
        return 0;
    int64_t size = file_size(name);
    return size > 0 ? size : 0;
}

static int read_meta(struct sql_db *db, struct journey_info *info, struct err *err)
{
    struct sql_statement *statement = sql_prepare(
        db, "SELECT name, value FROM meta WHERE name IN ('name', 'seed', 'source', 'limit')", err);
    if (!statement)
        return -1;
    int got;
    while ((got = sql_step(statement, err)) == 1) {
        const char *name = sql_column_text(statement, 0), *value = sql_column_text(statement, 1);
        size_t length = strlen(value);
        if (strcmp(name, "name") == 0)
            text_sanitise(info->name, sizeof info->name, value, length);
        else if (strcmp(name, "seed") == 0)
            text_sanitise(info->seed, sizeof info->seed, value, length);
        else if (strcmp(name, "source") == 0)
            text_sanitise(info->source, sizeof info->source, value, length);
        else if (strcmp(name, "limit") == 0)
            text_parse_int(value, 0, INT64_MAX, &info->limit_bytes);
    }
    sql_finalize(statement);
    return got;
}

static int read_topics(struct sql_db *db, struct journey_info *info, struct err *err)
{
    struct sql_statement *statement = sql_prepare(db, "SELECT name, records, bytes FROM topic", err);
    if (!statement)
        return -1;
    int got;
    while ((got = sql_step(statement, err)) == 1) {
        int kind = event_kind_from_topic(sql_column_text(statement, 0));
        uint64_t records = (uint64_t)sql_column_int(statement, 1);
        if (kind >= 0)
            info->events[kind] += records;
        info->total += records;
        info->bytes += (uint64_t)sql_column_int(statement, 2);
    }
    sql_finalize(statement);
    return got;
}

/* Where and when the journey begins and ends, from its first and last chunk. */
static int read_span(struct sql_db *db, struct journey_info *info, int64_t *base_us, struct err *err)
{
    struct sql_statement *statement = sql_prepare(
        db,
        "SELECT j.origin_us, a.first_us, b.last_us, a.min_ms, b.end_ms FROM journey j, chunk a, chunk b"
        " WHERE a.id = (SELECT min(id) FROM chunk) AND b.id = (SELECT max(id) FROM chunk)",
        err);
    if (!statement)
        return -1;
    int got = sql_step(statement, err);
    int64_t base = 0;
    if (got == 1) {
        /* Sums of hostile numbers wrap rather than trap. */
        uint64_t origin = (uint64_t)sql_column_int(statement, 0),
                 first = (uint64_t)sql_column_int(statement, 1),
                 last = (uint64_t)sql_column_int(statement, 2);
        base = (int64_t)first;
        info->started_us = (int64_t)(origin + first);
        info->ended_us = (int64_t)(origin + last);
        info->length_us = (int64_t)(last - first) > 0 ? (int64_t)(last - first) : 0;
        info->first_ms = sql_column_int(statement, 3);
        info->last_ms = sql_column_int(statement, 4);
    }
    sql_finalize(statement);
    if (base_us)
        *base_us = base;
    return got < 0 ? -1 : 0;
}

static int read_info(struct sql_db *db, struct journey_info *info, int64_t *base_us, struct err *err)
{
    int64_t value;
    if (read_meta(db, info, err) < 0 || read_topics(db, info, err) < 0 ||
        read_span(db, info, base_us, err) < 0)
        return -1;
    if (sql_query_int(db, "SELECT dropped_records FROM journey", &value, err) < 0)
        return -1;
    info->dropped_oldest = (uint64_t)value;
    if (sql_query_int(db, "SELECT clean FROM journey", &value, err) < 0)
        return -1;
    info->clean = value != 0;
    if (sql_query_int(db, "SELECT count(*) FROM marker", &value, err) < 0)
        return -1;
    info->markers = (uint32_t)value;
    if (sql_query_int(db, "SELECT count(*) FROM keyframe", &value, err) < 0)
        return -1;
    info->keyframes = (uint32_t)value;
    return 0;
}

int journey_file_info(struct sql_db *db, struct journey_info *info, int64_t *base_us, struct err *err)
{
    const char *path = sql_path(db);
    *info = (struct journey_info){0};
    text_copy(info->path, sizeof info->path, path);
    /* One transaction, so that the figures are of one moment. */
    if (sql_exec(db, "BEGIN", err) < 0)
        return -1;
    int result = read_info(db, info, base_us, err);
    sql_rollback(db);
    if (result < 0)
        return -1;
    info->file_bytes = size_with(path, "") + size_with(path, "-wal");
    info->open = journey_file_is_locked(path);
    return 0;
}
