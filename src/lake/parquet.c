#include "lake/parquet.h"

#include "base/checksum.h"
#include "base/err.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SQL_LIMIT (256u << 10)
/* DuckDB holds a whole group in memory, as rows and then encoded; three times as large ones compress by 12 %
 * better and need 60 MB more. Files are made of large groups when they are merged. */
#define ROW_GROUP        40960
#define ROW_GROUP_MERGED 122880

/* The database is opened by the first write: until then DuckDB takes no memory. */
struct lake_engine {
    pthread_mutex_t lock; /* of db and of a writer's connection */
    struct duck_db *db;   /* NULL not yet */
    char folder[FILE_PATH_SIZE];
    uint64_t memory_bytes;
    int writers; /* for the names of their tables */
    /* Sources live as long as the database. */
    struct duck_source *sources[64];
};

struct lake_writer {
    struct lake_engine *engine;
    struct duck_connection *connection; /* NULL until it is first used */
    struct duck_source *source;
    char table[24];
    int number;
};

/* ---- the engine ------------------------------------------------------------------------------------- */

struct lake_engine *lake_engine_create(const char *folder, uint64_t memory_bytes, struct err *err)
{
    if (duck_is_there(err) < 0)
        return NULL;
    struct lake_engine *engine = mem_zero(1, sizeof *engine);
    pthread_mutex_init(&engine->lock, NULL);
    text_copy(engine->folder, sizeof engine->folder, folder);
    engine->memory_bytes = memory_bytes ? memory_bytes : LAKE_ENGINE_MEMORY;
    return engine;
}

static int open_database(struct lake_engine *engine, struct err *err)
{
    const char *folders[] = {engine->folder};
    struct duck_settings settings = {.folders = folders,
                                     .folder_count = 1,
                                     .spill_folder = engine->folder,
                                     .memory_bytes = engine->memory_bytes,
                                     .threads = 1}; /* of its own; writers bring theirs */
    if (!engine->db)
        engine->db = duck_open(&settings, err);
    return engine->db ? 0 : -1;
}

void lake_engine_destroy(struct lake_engine *engine)
{
    if (!engine)
        return;
    duck_close(engine->db);
    for (int i = 0; i < engine->writers; i++)
        duck_source_destroy(engine->sources[i]);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

struct lake_writer *lake_writer_create(struct lake_engine *engine, struct err *err)
{
    if (engine->writers == (int)(sizeof engine->sources / sizeof *engine->sources)) {
        err_set(err, ERR_LIMIT, "too many writers of Parquet");
        return NULL;
    }
    struct lake_writer *writer = mem_zero(1, sizeof *writer);
    writer->engine = engine;
    snprintf(writer->table, sizeof writer->table, "lake_rows_%d", engine->writers);
    writer->number = engine->writers++;
    return writer;
}

/* Before each use. */
static int make_ready(struct lake_writer *writer, struct err *err)
{
    struct lake_engine *engine = writer->engine;
    struct duck_connection *connection = NULL;
    pthread_mutex_lock(&engine->lock);
    if (!writer->connection && open_database(engine, err) == 0 &&
        (connection = duck_connect(engine->db, err))) {
        writer->source = duck_source_register(connection, writer->table, err);
        engine->sources[writer->number] = writer->source;
        if (writer->source)
            writer->connection = connection;
        else
            duck_disconnect(connection);
    }
    bool ready = writer->connection != NULL;
    pthread_mutex_unlock(&engine->lock);
    return ready ? 0 : -1;
}

void lake_writer_destroy(struct lake_writer *writer)
{
    if (!writer)
        return;
    duck_disconnect(writer->connection);
    free(writer);
}

void lake_writer_interrupt(struct lake_writer *writer)
{
    pthread_mutex_lock(&writer->engine->lock);
    if (writer->connection)
        duck_interrupt(writer->connection);
    pthread_mutex_unlock(&writer->engine->lock);
}

/* ---- SQL -------------------------------------------------------------------------------------------- */

static void put_copy_options(struct buf *sql, int group)
{
    buf_printf(sql, " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE %d, USE_TMP_FILE false)", group);
}

static int run(struct lake_writer *writer, struct buf *sql, struct err *err)
{
    int result = sql->overflow ? err_set(err, ERR_LIMIT, "too many files for one statement")
                               : duck_exec(writer->connection, sql->data, err);
    buf_free(sql);
    return result;
}

/* A failed write that is the disk's fault says so. */
static int say_full(const struct lake_engine *engine, struct err *err)
{
    if (err && err->kind == ERR_REMOTE && file_free_bytes(engine->folder) < (8 << 20))
        return err_set(err, ERR_FULL, "no room for Parquet files in %s: free some space", engine->folder);
    return -1;
}

/* ---- digests ---------------------------------------------------------------------------------------- */

static void hexadecimal(char *out, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        snprintf(out + i * 2, 3, "%02x", bytes[i]);
}

void lake_digest(const void *bytes, size_t length, char sha256[LAKE_SHA256_SIZE])
{
    unsigned char digest[CHECKSUM_BYTES] = {0};
    size_t size = checksum_of(CHECKSUM_SHA256, bytes, length, digest);
    hexadecimal(sha256, digest, size);
}

int lake_file_digest(const char *path, char sha256[LAKE_SHA256_SIZE], int64_t *bytes, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "cannot read %s", path);
    enum { PIECE = 256 << 10 };
    struct checksum *checksum = checksum_create(CHECKSUM_SHA256);
    unsigned char *piece = mem_alloc(PIECE), digest[CHECKSUM_BYTES] = {0};
    ssize_t got;
    *bytes = 0;
    while ((got = read(fd, piece, PIECE)) > 0) {
        checksum_add(checksum, piece, (size_t)got);
        *bytes += got;
    }
    int code = got < 0 ? errno : 0;
    size_t size = checksum_end(checksum, digest);
    hexadecimal(sha256, digest, size);
    checksum_destroy(checksum);
    free(piece);
    close(fd);
    return code ? err_set_errno(err, ERR_IO, code, "cannot read %s", path) : 0;
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static size_t no_rows(void *reader, struct duck_chunk *chunk, size_t limit)
{
    return 0;
}

static void drop_files(struct lake_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (files[i].path[0])
            unlink(files[i].path);
}

/* What the table function gives next: the columns of a schema. */
static void set_rows(struct lake_writer *writer, const struct lake_schema *schema,
                     struct duck_source_column columns[LAKE_COLUMNS_MAX], struct lake_reader *reader)
{
    for (size_t i = 0; i < schema->column_count; i++)
        columns[i] =
            (struct duck_source_column){schema->columns[i].name, lake_type_duck(schema->columns[i].type)};
    duck_source_set(writer->source, columns, schema->column_count, reader ? reader->to - reader->at : 0,
                    reader ? lake_reader_read : no_rows, reader);
}

static int write_day(struct lake_writer *writer, const struct lake_batch *batch,
                     const struct lake_order *order, const struct lake_day *day, struct lake_file *file,
                     struct err *err)
{
    struct duck_source_column columns[LAKE_COLUMNS_MAX];
    struct lake_reader reader = {.batch = batch, .order = order, .at = day->from, .to = day->to};
    *file = (struct lake_file){.rows = day->to - day->from};
    text_copy(file->dt, sizeof file->dt, day->dt);
    lake_layout_data(file->key, &batch->key, day->dt);
    if (snprintf(file->path, sizeof file->path,
                 "%.250s/%s-%s%s%" PRId32 "-%" PRId64 "-%" PRId64 "-%s.parquet", writer->engine->folder,
                 event_topic(batch->key.kind), batch->key.cluster, batch->key.cluster[0] ? "-" : "",
                 batch->key.partition, batch->key.start, batch->key.end, day->dt) >= (int)sizeof file->path)
        return err_set(err, ERR_USAGE, "the path of the spool is too long: %.200s", writer->engine->folder);
    set_rows(writer, batch->schema, columns, &reader);
    struct buf sql;
    buf_init(&sql, SQL_LIMIT);
    buf_printf(&sql, "COPY (SELECT * FROM %s()) TO ", writer->table);
    buf_sql_text(&sql, file->path);
    put_copy_options(&sql, ROW_GROUP);
    if (run(writer, &sql, err) != 0)
        return say_full(writer->engine, err);
    return lake_file_digest(file->path, file->sha256, &file->bytes, err);
}

int lake_parquet_write(struct lake_writer *writer, const struct lake_batch *batch, struct lake_file *files,
                       size_t *count, struct err *err)
{
    struct lake_order order;
    *count = 0;
    if (make_ready(writer, err) < 0)
        return -1;
    lake_order_init(&order, batch);
    int result = 0;
    for (size_t i = 0; i < order.day_count && result == 0; i++) {
        result = write_day(writer, batch, &order, &order.days[i], &files[i], err);
        *count = i + 1;
    }
    lake_order_free(&order);
    if (result != 0) {
        drop_files(files, *count);
        *count = 0;
        err_prefix(err, "Parquet of %s", event_topic(batch->key.kind));
    }
    return result;
}

/* ---- reading files ---------------------------------------------------------------------------------- */

static void put_files(struct buf *sql, const char *const *paths, size_t count)
{
    buf_text(sql, "read_parquet([");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_text(sql, ", ");
        buf_sql_text(sql, paths[i]);
    }
    buf_text(sql, "], union_by_name = true)");
}

static int64_t ask_int(struct lake_writer *writer, struct buf *sql, struct err *err)
{
    struct duck_statement *statement = NULL;
    int64_t value = -1;
    if (sql->overflow)
        err_set(err, ERR_LIMIT, "too many files for one statement");
    else if (make_ready(writer, err) == 0)
        statement = duck_prepare(writer->connection, sql->data, err);
    if (statement && duck_step(statement, err) == 1)
        value = duck_int(duck_column(statement, 0));
    duck_finalize(statement);
    buf_free(sql);
    return value;
}

int64_t lake_parquet_rows(struct lake_writer *writer, const char *path, struct err *err)
{
    struct buf sql;
    buf_init(&sql, SQL_LIMIT);
    buf_text(&sql, "SELECT count(*) FROM ");
    put_files(&sql, &path, 1);
    return ask_int(writer, &sql, err);
}

int lake_parquet_merge(struct lake_writer *writer, const struct lake_schema *schema, const char *const *paths,
                       size_t count, const char *path, int64_t *rows, struct err *err)
{
    struct duck_source_column columns[LAKE_COLUMNS_MAX];
    struct buf sql;
    if (make_ready(writer, err) < 0)
        return -1;
    buf_init(&sql, SQL_LIMIT);
    buf_text(&sql, "COPY (SELECT ");
    for (size_t i = 0; i < schema->column_count; i++)
        buf_printf(&sql, "%s\"%s\"", i > 0 ? ", " : "", schema->columns[i].name);
    /* Files of before a column was added have it as null. */
    set_rows(writer, schema, columns, NULL);
    buf_printf(&sql, " FROM (SELECT * FROM %s() UNION ALL BY NAME SELECT * FROM ", writer->table);
    put_files(&sql, paths, count);
    buf_text(&sql, ") ORDER BY event_ts, _kafka_partition, _kafka_offset) TO ");
    buf_sql_text(&sql, path);
    put_copy_options(&sql, ROW_GROUP_MERGED);
    if (run(writer, &sql, err) != 0)
        return say_full(writer->engine, err);
    *rows = lake_parquet_rows(writer, path, err);
    return *rows < 0 ? -1 : 0;
}

int lake_parquet_same(struct lake_writer *writer, const char *a, const char *b, struct err *err)
{
    struct buf sql;
    buf_init(&sql, SQL_LIMIT);
    buf_text(&sql, "SELECT (SELECT count(*) FROM (SELECT * FROM ");
    put_files(&sql, &a, 1);
    buf_text(&sql, " EXCEPT ALL SELECT * FROM ");
    put_files(&sql, &b, 1);
    buf_text(&sql, ")) + (SELECT count(*) FROM (SELECT * FROM ");
    put_files(&sql, &b, 1);
    buf_text(&sql, " EXCEPT ALL SELECT * FROM ");
    put_files(&sql, &a, 1);
    buf_text(&sql, "))");
    int64_t differing = ask_int(writer, &sql, err);
    return differing < 0 ? -1 : differing == 0;
}
