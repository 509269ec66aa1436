#include "store/ledger.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "sql/sql.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID  0x53434c47 /* "SCLG" */
#define VERSION         1
#define BUSY_TIMEOUT_MS 2000

struct ledger {
    struct sql_db *db;
    pthread_mutex_t mutex;
};

static const char *const step_names[] = {
#define X(name, word) word,
    LEDGER_STEPS(X)
#undef X
};
static const char *const state_names[] = {"new", "running", "retry", "done", "failed"};

const char *ledger_step_name(enum ledger_step step)
{
    return (size_t)step < LEDGER_STEP_COUNT ? step_names[step] : "?";
}

const char *ledger_state_name(enum ledger_state state)
{
    return (size_t)state < sizeof state_names / sizeof *state_names ? state_names[state] : "?";
}

static const char tables[] =
    "CREATE TABLE batch(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cluster TEXT NOT NULL,"
    " kind INTEGER NOT NULL, part INTEGER NOT NULL, first INTEGER NOT NULL, past INTEGER NOT NULL,"
    " row_count INTEGER NOT NULL, quarantined INTEGER NOT NULL, missing INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, files INTEGER NOT NULL, days TEXT NOT NULL, data TEXT NOT NULL,"
    " closed INTEGER NOT NULL, landed INTEGER NOT NULL, catalogued INTEGER NOT NULL,"
    " transformed INTEGER NOT NULL, loaded INTEGER NOT NULL);"
    "CREATE INDEX batch_catalogued ON batch(kind, id) WHERE catalogued = 0;"
    "CREATE INDEX batch_transformed ON batch(kind, id) WHERE transformed = 0;"
    "CREATE INDEX batch_loaded ON batch(kind, id) WHERE loaded = 0;"
    "CREATE TABLE job(id INTEGER PRIMARY KEY, step INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " state INTEGER NOT NULL, failures INTEGER NOT NULL, tries INTEGER NOT NULL, token TEXT NOT NULL,"
    " remote_id TEXT NOT NULL, made INTEGER NOT NULL, started INTEGER NOT NULL, finished INTEGER NOT NULL,"
    " next INTEGER NOT NULL, batches INTEGER NOT NULL, row_count INTEGER NOT NULL, days TEXT NOT NULL,"
    " detail TEXT NOT NULL);"
    "CREATE TABLE member(job INTEGER NOT NULL REFERENCES job(id), batch INTEGER NOT NULL REFERENCES "
    "batch(id),"
    " step INTEGER NOT NULL, PRIMARY KEY(step, batch)) WITHOUT ROWID;"
    "CREATE INDEX member_job ON member(job);";

/* ---- opening ----------------------------------------------------------------------------------------- */

static int make_tables(struct sql_db *db, struct err *err)
{
    char text[96];
    snprintf(text, sizeof text, "PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION_ID,
             VERSION);
    if (sql_begin(db, err) == 0 && sql_exec(db, tables, err) == 0 && sql_exec(db, text, err) == 0 &&
        sql_commit(db, err) == 0)
        return 0;
    sql_rollback(db);
    return -1;
}

static struct sql_db *open_file(const char *path, bool *anew, struct err *err)
{
    struct sql_db *db =
        sql_open(path ? path : "ledger in memory", path ? SQL_CREATE : SQL_MEMORY, BUSY_TIMEOUT_MS, err);
    int64_t id = 0, version = 0, found = 0;
    if (!db)
        return NULL;
    int result = -1;
    /* After a loss of power S3 tells what is missing. */
    if (sql_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", err) == 0 &&
        sql_pragma_int(db, "application_id", &id, err) == 0 &&
        sql_pragma_int(db, "user_version", &version, err) == 0 &&
        sql_query_int(db, "SELECT count(*) FROM sqlite_schema", &found, err) == 0) {
        *anew = found == 0;
        if (id == 0 && found == 0)
            result = make_tables(db, err);
        else if (id != APPLICATION_ID || version != VERSION)
            err_set(err, ERR_UNSUPPORTED, "%s is no ledger of this version: move it away", path ? path : "?");
        else
            result = 0;
    }
    if (result == 0)
        return db;
    sql_close(db);
    return NULL;
}

static int put_aside(const char *path, struct err *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char time[TEXT_TIME_SIZE], from[FILE_PATH_SIZE], to[FILE_PATH_SIZE + 40];
    text_time(time, clock_wall_us() / 1000);
    for (int i = 0; i < 3; i++) {
        snprintf(from, sizeof from, "%.480s%s", path, suffixes[i]);
        snprintf(to, sizeof to, "%.480s.damaged-%.10s%s", path, time, suffixes[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return err_set_errno(err, ERR_IO, errno, "cannot put %s aside", from);
    }
    return 0;
}

struct ledger *ledger_open(const char *path, bool *anew, struct err *err)
{
    struct err own = ERR_INIT;
    struct sql_db *db = open_file(path, anew, &own);
    if (!db && own.kind == ERR_CORRUPT && path && put_aside(path, err) == 0) {
        own = ERR_INIT;
        db = open_file(path, anew, &own);
    }
    if (!db) {
        if (err)
            *err = own;
        return NULL;
    }
    struct ledger *ledger = mem_zero(1, sizeof *ledger);
    ledger->db = db;
    pthread_mutex_init(&ledger->mutex, NULL);
    return ledger;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger)
        return;
    sql_close(ledger->db);
    pthread_mutex_destroy(&ledger->mutex);
    free(ledger);
}

/* ---- batches ----------------------------------------------------------------------------------------- */

#define BATCH_COLUMNS                                                                                        \
    "name, cluster, kind, part, first, past, row_count, quarantined, missing, bytes, files, days, closed, "  \
    "landed, "                                                                                               \
    "catalogued, transformed, loaded, data"

static void bind_text(struct sql_statement *statement, int index, const char *text)
{
    sql_bind_text(statement, index, text, strlen(text));
}

static void column_text(struct sql_statement *statement, int column, char *out, size_t size)
{
    text_sanitise(out, size, sql_column_text(statement, column), sql_column_bytes(statement, column));
}

static bool read_batch(struct sql_statement *statement, struct ledger_batch *batch)
{
    *batch = (struct ledger_batch){0};
    column_text(statement, 0, batch->name, sizeof batch->name);
    column_text(statement, 1, batch->cluster, sizeof batch->cluster);
    int64_t kind = sql_column_int(statement, 2);
    if (kind < 0 || kind >= EVENT_KIND_COUNT)
        return false;
    batch->kind = (enum event_kind)kind;
    batch->partition = (int32_t)sql_column_int(statement, 3);
    batch->start = sql_column_int(statement, 4);
    batch->end = sql_column_int(statement, 5);
    batch->rows = sql_column_int(statement, 6);
    batch->quarantined = sql_column_int(statement, 7);
    batch->missing = sql_column_int(statement, 8);
    batch->bytes = sql_column_int(statement, 9);
    batch->files = (int32_t)sql_column_int(statement, 10);
    column_text(statement, 11, batch->days, sizeof batch->days);
    for (int step = 0; step < LEDGER_STEP_COUNT; step++)
        batch->step_ms[step] = sql_column_int(statement, 12 + step);
    return true;
}

int ledger_put(struct ledger *ledger, const struct ledger_batch *batch, const char *data, struct err *err)
{
    pthread_mutex_lock(&ledger->mutex);
    struct sql_statement *statement =
        sql_prepare(ledger->db,
                    "INSERT INTO batch(" BATCH_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
                    " ON CONFLICT(name) DO UPDATE SET"
                    " landed = iif(landed = 0, excluded.landed, landed),"
                    " catalogued = iif(catalogued = 0, excluded.catalogued, catalogued),"
                    " transformed = iif(transformed = 0, excluded.transformed, transformed),"
                    " loaded = iif(loaded = 0, excluded.loaded, loaded)",
                    err);
    int result = -1;
    if (statement) {
        const int64_t numbers[] = {batch->kind,    batch->partition, batch->start,
                                   batch->end,     batch->rows,      batch->quarantined,
                                   batch->missing, batch->bytes,     batch->files};
        bind_text(statement, 1, batch->name);
        bind_text(statement, 2, batch->cluster);
        for (int i = 0; i < 9; i++)
            sql_bind_int(statement, 3 + i, numbers[i]);
        bind_text(statement, 12, batch->days);
        for (int step = 0; step < LEDGER_STEP_COUNT; step++)
            sql_bind_int(statement, 13 + step, batch->step_ms[step]);
        bind_text(statement, 18, data ? data : "");
        result = sql_run(statement, err);
    }
    sql_finalize(statement);
    pthread_mutex_unlock(&ledger->mutex);
    return result;
}

int ledger_get(struct ledger *ledger, const char *name, struct ledger_batch *batch, char **data,
               struct err *err)
{
    pthread_mutex_lock(&ledger->mutex);
    struct sql_statement *statement =
        sql_prepare(ledger->db, "SELECT " BATCH_COLUMNS " FROM batch WHERE name = ?", err);
    int found = -1;
    if (statement) {
        bind_text(statement, 1, name);
        found = sql_step(statement, err);
        if (found == 1 && !read_batch(statement, batch))
            found = err_set(err, ERR_CORRUPT, "the ledger holds a batch of no kind: %.100s", name);
        if (found == 1 && data)
            *data = mem_text(sql_column_text(statement, 17));
    }
    sql_finalize(statement);
    pthread_mutex_unlock(&ledger->mutex);
    return found;
}

size_t ledger_recent(struct ledger *ledger, int kind, struct ledger_batch *batches, size_t count)
{
    pthread_mutex_lock(&ledger->mutex);
    struct sql_statement *statement = sql_prepare(
        ledger->db, "SELECT " BATCH_COLUMNS " FROM batch WHERE ?1 < 0 OR kind = ?1 ORDER BY id DESC LIMIT ?2",
        NULL);
    size_t found = 0;
    if (statement) {
        sql_bind_int(statement, 1, kind);
        sql_bind_int(statement, 2, (int64_t)count);
        while (found < count && sql_step(statement, NULL) == 1)
            found += read_batch(statement, &batches[found]);
    }
    sql_finalize(statement);
    pthread_mutex_unlock(&ledger->mutex);
    return found;
}

/* ---- jobs -------------------------------------------------------------------------------------------- */

#define JOB_COLUMNS                                                                                          \
    "id, step, kind, state, failures, tries, token, remote_id, made, started, finished, next, batches, "     \
    "row_count, "                                                                                            \
    "days, detail"

static bool read_job(struct sql_statement *statement, struct ledger_job *job)
{
    int64_t step = sql_column_int(statement, 1), kind = sql_column_int(statement, 2);
    int64_t state = sql_column_int(statement, 3);
    *job = (struct ledger_job){.id = sql_column_int(statement, 0)};
    if (step < 0 || step >= LEDGER_STEP_COUNT || kind < 0 || kind >= EVENT_KIND_COUNT || state < 0 ||
        state > LEDGER_FAILED)
        return false;
    job->step = (enum ledger_step)step;
    job->kind = (enum event_kind)kind;
    job->state = (enum ledger_state)state;
    job->failures = (int32_t)sql_column_int(statement, 4);
    job->tries = (int32_t)sql_column_int(statement, 5);
    column_text(statement, 6, job->token, sizeof job->token);
    column_text(statement, 7, job->remote_id, sizeof job->remote_id);
    job->made_ms = sql_column_int(statement, 8);
    job->started_ms = sql_column_int(statement, 9);
    job->finished_ms = sql_column_int(statement, 10);
    job->next_ms = sql_column_int(statement, 11);
    job->batches = sql_column_int(statement, 12);
    job->rows = sql_column_int(statement, 13);
    column_text(statement, 14, job->days, sizeof job->days);
    column_text(statement, 15, job->detail, sizeof job->detail);
    return true;
}

/* One statement with up to four numbers. */
static int run(struct ledger *ledger, const char *sql, const int64_t *numbers, int count, struct err *err)
{
    struct sql_statement *statement = sql_prepare(ledger->db, sql, err);
    for (int i = 0; statement && i < count; i++)
        sql_bind_int(statement, i + 1, numbers[i]);
    int result = statement ? sql_run(statement, err) : -1;
    sql_finalize(statement);
    return result;
}

static bool add_day(char *days, size_t size, const char *day, size_t length)
{
    char one[16];
    size_t used = strlen(days);
    if (length == 0 || length >= sizeof one)
        return true;
    snprintf(one, sizeof one, "%.*s", (int)length, day);
    if (strstr(days, one))
        return true;
    if (used + length + 2 > size)
        return false;
    snprintf(days + used, size - used, "%s%s", used > 0 ? "," : "", one);
    return true;
}

/* False: they do not all fit; then none was added. */
static bool add_days(char days[LEDGER_DAYS_SIZE], const char *more)
{
    char both[LEDGER_DAYS_SIZE];
    text_copy(both, sizeof both, days);
    while (*more) {
        size_t length = strcspn(more, ",");
        if (!add_day(both, sizeof both, more, length))
            return false;
        more += length + (more[length] == ',');
    }
    memcpy(days, both, sizeof both);
    return true;
}

static int choose(struct ledger *ledger, const char *select, struct ledger_job *job, int64_t *ids, int limit,
                  struct err *err)
{
    struct sql_statement *statement = sql_prepare(ledger->db, select, err);
    int found = 0, more = -1;
    if (statement) {
        sql_bind_int(statement, 1, job->kind);
        sql_bind_int(statement, 2, job->step);
        sql_bind_int(statement, 3, limit);
        while (found < limit && (more = sql_step(statement, err)) == 1) {
            char days[LEDGER_DAYS_SIZE];
            column_text(statement, 2, days, sizeof days);
            if (!add_days(job->days, days))
                break;
            ids[found++] = sql_column_int(statement, 0);
            job->rows += sql_column_int(statement, 1);
        }
    }
    sql_finalize(statement);
    return more < 0 ? -1 : found;
}

static int insert_job(struct ledger *ledger, struct ledger_job *job, const int64_t *ids, int count,
                      struct err *err)
{
    struct sql_statement *statement = sql_prepare(
        ledger->db,
        "INSERT INTO job(step, kind, state, failures, tries, token, remote_id, made, started, finished,"
        " next, batches, row_count, days, detail) VALUES(?, ?, 0, 0, 0, '', '', ?, 0, 0, 0, ?, ?, ?, '')",
        err);
    if (!statement)
        return -1;
    sql_bind_int(statement, 1, job->step);
    sql_bind_int(statement, 2, job->kind);
    sql_bind_int(statement, 3, job->made_ms);
    sql_bind_int(statement, 4, count);
    sql_bind_int(statement, 5, job->rows);
    bind_text(statement, 6, job->days);
    int result = sql_run(statement, err);
    sql_finalize(statement);
    job->id = sql_last_id(ledger->db);
    job->batches = count;
    for (int i = 0; i < count && result == 0; i++) {
        const int64_t numbers[] = {job->id, ids[i], job->step};
        result = run(ledger, "INSERT INTO member(job, batch, step) VALUES(?, ?, ?)", numbers, 3, err);
    }
    return result;
}

int ledger_make_job(struct ledger *ledger, enum ledger_step step, enum ledger_step after,
                    enum event_kind kind, int limit, int64_t now_ms, struct ledger_job *job, struct err *err)
{
    char select[400];
    snprintf(
        select, sizeof select,
        "SELECT id, row_count, days FROM batch WHERE kind = ?1 AND %s = 0 AND %s > 0 AND NOT EXISTS"
        " (SELECT 1 FROM member WHERE member.step = ?2 AND member.batch = batch.id) ORDER BY id LIMIT ?3",
        ledger_step_name(step), ledger_step_name(after));
    int64_t *ids = mem_zero((unsigned long)limit, sizeof *ids);
    *job = (struct ledger_job){.step = step, .kind = kind, .made_ms = now_ms};
    pthread_mutex_lock(&ledger->mutex);
    int result = sql_begin(ledger->db, err), count = 0;
    if (result == 0)
        count = choose(ledger, select, job, ids, limit, err);
    if (count < 0 || (count > 0 && insert_job(ledger, job, ids, count, err) != 0))
        result = -1;
    if (result != 0 || sql_commit(ledger->db, err) != 0) {
        sql_rollback(ledger->db);
        result = -1;
    }
    pthread_mutex_unlock(&ledger->mutex);
    free(ids);
    return result != 0 ? -1 : count > 0;
}

static int update_job(struct ledger *ledger, const struct ledger_job *job, struct err *err)
{
    struct sql_statement *statement = sql_prepare(
        ledger->db,
        "UPDATE job SET state = ?, failures = ?, tries = ?, token = ?, remote_id = ?, started = ?,"
        " finished = ?, next = ?, detail = ? WHERE id = ?",
        err);
    if (!statement)
        return -1;
    sql_bind_int(statement, 1, job->state);
    sql_bind_int(statement, 2, job->failures);
    sql_bind_int(statement, 3, job->tries);
    bind_text(statement, 4, job->token);
    bind_text(statement, 5, job->remote_id);
    sql_bind_int(statement, 6, job->started_ms);
    sql_bind_int(statement, 7, job->finished_ms);
    sql_bind_int(statement, 8, job->next_ms);
    bind_text(statement, 9, job->detail);
    sql_bind_int(statement, 10, job->id);
    int result = sql_run(statement, err);
    sql_finalize(statement);
    return result;
}

int ledger_save_job(struct ledger *ledger, const struct ledger_job *job, struct err *err)
{
    char move[160];
    snprintf(move, sizeof move,
             "UPDATE batch SET %s = ? WHERE id IN (SELECT batch FROM member WHERE job = ?)",
             ledger_step_name(job->step));
    const int64_t numbers[] = {job->finished_ms, job->id};
    pthread_mutex_lock(&ledger->mutex);
    int result = sql_begin(ledger->db, err);
    if (result == 0)
        result = update_job(ledger, job, err);
    if (result == 0 && job->state == LEDGER_DONE)
        result = run(ledger, move, numbers, 2, err);
    if (result != 0 || sql_commit(ledger->db, err) != 0) {
        sql_rollback(ledger->db);
        result = -1;
    }
    pthread_mutex_unlock(&ledger->mutex);
    return result;
}

static size_t list_jobs(struct ledger *ledger, const char *sql, struct ledger_job *jobs, size_t count)
{
    pthread_mutex_lock(&ledger->mutex);
    struct sql_statement *statement = sql_prepare(ledger->db, sql, NULL);
    size_t found = 0;
    if (statement) {
        sql_bind_int(statement, 1, (int64_t)count);
        while (found < count && sql_step(statement, NULL) == 1)
            found += read_job(statement, &jobs[found]);
    }
    sql_finalize(statement);
    pthread_mutex_unlock(&ledger->mutex);
    return found;
}

size_t ledger_open_jobs(struct ledger *ledger, struct ledger_job *jobs, size_t count)
{
    return list_jobs(ledger, "SELECT " JOB_COLUMNS " FROM job WHERE state <> 3 ORDER BY id LIMIT ?", jobs,
                     count);
}

size_t ledger_recent_jobs(struct ledger *ledger, struct ledger_job *jobs, size_t count)
{
    return list_jobs(ledger, "SELECT " JOB_COLUMNS " FROM job ORDER BY id DESC LIMIT ?", jobs, count);
}

int ledger_job_batches(struct ledger *ledger, int64_t job,
                       void (*each)(void *context, const struct ledger_batch *batch, const char *data),
                       void *context, struct err *err)
{
    pthread_mutex_lock(&ledger->mutex);
    struct sql_statement *statement =
        sql_prepare(ledger->db,
                    "SELECT " BATCH_COLUMNS " FROM batch WHERE id IN (SELECT batch FROM member WHERE job = ?)"
                    " ORDER BY id",
                    err);
    int more = -1;
    if (statement) {
        sql_bind_int(statement, 1, job);
        while ((more = sql_step(statement, err)) == 1) {
            struct ledger_batch batch;
            if (read_batch(statement, &batch))
                each(context, &batch, sql_column_text(statement, 17));
        }
    }
    sql_finalize(statement);
    pthread_mutex_unlock(&ledger->mutex);
    return more;
}

/* ---- totals ------------------------------------------------------------------------------------------ */

int ledger_totals(struct ledger *ledger, enum event_kind kind, struct ledger_totals *totals, struct err *err)
{
    *totals = (struct ledger_totals){0};
    pthread_mutex_lock(&ledger->mutex);
    struct sql_statement *statement = sql_prepare(
        ledger->db,
        "SELECT total(quarantined), total(missing), total(bytes), total(files),"
        " count(iif(closed > 0, 1, NULL)), total(iif(closed > 0, row_count, 0)), ifnull(max(closed), 0),"
        " count(iif(landed > 0, 1, NULL)), total(iif(landed > 0, row_count, 0)), ifnull(max(landed), 0),"
        " count(iif(catalogued > 0, 1, NULL)), total(iif(catalogued > 0, row_count, 0)), "
        "ifnull(max(catalogued), 0),"
        " count(iif(transformed > 0, 1, NULL)), total(iif(transformed > 0, row_count, 0)),"
        " ifnull(max(transformed), 0),"
        " count(iif(loaded > 0, 1, NULL)), total(iif(loaded > 0, row_count, 0)), ifnull(max(loaded), 0)"
        " FROM batch WHERE kind = ?",
        err);
    int found = -1;
    if (statement) {
        sql_bind_int(statement, 1, kind);
        found = sql_step(statement, err);
        totals->quarantined = sql_column_int(statement, 0);
        totals->missing = sql_column_int(statement, 1);
        totals->bytes = sql_column_int(statement, 2);
        totals->files = sql_column_int(statement, 3);
        for (int step = 0; step < LEDGER_STEP_COUNT; step++) {
            totals->batches[step] = sql_column_int(statement, 4 + step * 3);
            totals->rows[step] = sql_column_int(statement, 5 + step * 3);
            totals->last_ms[step] = sql_column_int(statement, 6 + step * 3);
        }
    }
    sql_finalize(statement);
    pthread_mutex_unlock(&ledger->mutex);
    return found == 1 ? 0 : -1;
}
