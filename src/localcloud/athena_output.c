#include "localcloud/athena_output.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/athena_engine.h"
#include "localcloud/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQL_LIMIT  (32u << 20)
#define NULL_VALUE "__HIVE_DEFAULT_PARTITION__"
/* Temporary tables of a partitioned output. */
#define PARTITION_ROWS "athena_rows"
#define PARTITION_KEYS "athena_partitions"

struct file {
    struct objects_writer *writer;
    char *key;
    json_t *values; /* of its partition, or NULL */
};

struct output {
    struct athena_task *task;
    const struct athena_output *how;
    struct athena_written *written;
    char bucket[64], prefix[1030];
    struct file files[ATHENA_PARTITIONS_MAX];
    size_t count;
};

static int engine_failure(struct output *output)
{
    athena_failure_of(output->task->run->connection, output->task->execution->text, output->task->failure);
    return -1;
}

/* One value of the first row that a statement gives, as a number; -1 and failed. */
static int64_t run_count(struct output *output, const char *sql)
{
    struct err err = ERR_INIT;
    struct duck_statement *statement = duck_prepare(output->task->run->connection, sql, &err);
    int64_t count = -1;
    if (statement && duck_step(statement, &err) == 1)
        count = duck_int(duck_column(statement, 0));
    if (count < 0)
        engine_failure(output);
    duck_finalize(statement);
    return count;
}

static void put_columns(struct buf *sql, const json_t *columns)
{
    for (size_t i = 0; i < json_array_size(columns); i++) {
        buf_text(sql, i ? ", " : "");
        athena_quote(sql, athena_member(json_array_get(columns, i), "Name"), '"');
    }
}

/* COPY (…) TO the blob of a new writer. */
static int write_file(struct output *output, const char *select, const char *folder, json_t *values)
{
    struct athena_task *task = output->task;
    const struct athena_output *how = output->how;
    struct err err = ERR_INIT;
    if (output->count == ATHENA_PARTITIONS_MAX) {
        json_decref(values);
        return athena_fail(task->failure, "HIVE_TOO_MANY_OPEN_PARTITIONS",
                           "Exceeded limit of %d open writers for partitions/buckets", ATHENA_PARTITIONS_MAX);
    }
    struct file *file = &output->files[output->count++];
    file->values = values;
    file->writer = objects_writer_create(athena_task_objects(task), &err);
    if (!file->writer)
        return athena_fail(task->failure, "GENERIC_INTERNAL_ERROR", "%.300s", err.text);
    struct buf sql;
    buf_init(&sql, SQL_LIMIT);
    buf_text(&sql, "COPY (");
    if (how->format == ATHENA_TEXT) {
        buf_text(&sql, "SELECT athena_lazy_row({");
        for (size_t i = 0; i < json_array_size(how->columns); i++) {
            const char *name = athena_member(json_array_get(how->columns, i), "Name");
            buf_text(&sql, i ? ", " : "");
            athena_quote(&sql, name, '\'');
            buf_text(&sql, ": ");
            athena_quote(&sql, name, '"');
        }
        buf_text(&sql, "}, ");
        athena_quote(&sql, how->delimiter, '\'');
        buf_printf(&sql, ") FROM (%s)", select);
    } else {
        buf_text(&sql, select);
    }
    buf_text(&sql, ") TO ");
    athena_quote(&sql, objects_writer_path(file->writer), '\'');
    switch (how->format) {
    case ATHENA_PARQUET:
        buf_printf(&sql, " (FORMAT parquet, COMPRESSION %s)",
                   strcmp(how->compression, "none") == 0 ? "uncompressed" : how->compression);
        break;
    case ATHENA_JSON:
        buf_printf(&sql, " (FORMAT json, COMPRESSION %s, DATEFORMAT '%%Y-%%m-%%d')", how->compression);
        break;
    case ATHENA_TEXT: /* one column, written as it is */
        buf_printf(&sql, " (FORMAT csv, COMPRESSION %s, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x1e')",
                   how->compression);
        break;
    }
    int64_t rows = sql.overflow ? -1 : run_count(output, sql.data);
    if (sql.overflow)
        (void)athena_fail(task->failure, "QUERY_TEXT_TOO_LARGE", "the query becomes too long");
    buf_free(&sql);
    if (rows < 0)
        return -1;
    output->written->rows += rows;
    if (rows == 0) { /* no object without rows */
        objects_writer_destroy(file->writer);
        json_decref(file->values);
        output->count--;
        return 0;
    }
    if (objects_writer_close(file->writer, &err) != 0)
        return athena_fail(task->failure, "GENERIC_INTERNAL_ERROR", "%.300s", err.text);
    char stamp[TEXT_TIME_SIZE], name[160];
    text_time(stamp, clock_wall_us() / 1000); /* 2026-01-12T08:14:32.000Z */
    size_t length = 0;
    for (const char *at = stamp; *at && *at != '.'; at++)
        if (*at != '-' && *at != ':')
            stamp[length++] = *at == 'T' ? '_' : *at;
    stamp[length] = '\0';
    bool compressed = strcmp(how->compression, "none") != 0 && how->format != ATHENA_PARQUET;
    snprintf(name, sizeof name, "%s_%05zu_%s%s", stamp, output->count - 1, task->execution->id,
             !compressed                             ? ""
             : strcmp(how->compression, "gzip") == 0 ? ".gz"
                                                     : ".zst");
    struct buf key;
    buf_init(&key, OBJECTS_KEY_MAX);
    buf_printf(&key, "%s%s%s%s", output->prefix, folder, *folder ? "/" : "", name);
    if (key.overflow) {
        buf_free(&key);
        return athena_fail(task->failure, "HIVE_WRITER_OPEN_ERROR", "the key of an object becomes too long");
    }
    file->key = key.data;
    return 0;
}

/* The texts of the keys of every partition, numbered from 1 in the table PARTITION_KEYS. NULL and failed. */
static json_t *list_partitions(struct output *output)
{
    struct athena_task *task = output->task;
    const json_t *keys = output->how->keys;
    size_t count = json_array_size(keys);
    struct err err = ERR_INIT;
    struct buf sql;
    buf_init(&sql, SQL_LIMIT);
    buf_text(&sql,
             "CREATE OR REPLACE TEMP TABLE " PARTITION_KEYS " AS SELECT row_number() OVER () AS n, * FROM "
             "(SELECT DISTINCT ");
    for (size_t i = 0; i < count; i++) {
        buf_text(&sql, i ? ", " : "");
        athena_quote(&sql, athena_member(json_array_get(keys, i), "Name"), '"');
        buf_printf(&sql, " AS k%zu", i);
    }
    buf_text(&sql, " FROM " PARTITION_ROWS " ORDER BY ALL)");
    int more = duck_exec(task->run->connection, sql.data, &err);
    buf_reset(&sql);
    buf_text(&sql, "SELECT n");
    for (size_t i = 0; i < count; i++)
        buf_printf(&sql, ", coalesce(athena_varchar(k%zu), '" NULL_VALUE "')", i);
    buf_printf(&sql, " FROM " PARTITION_KEYS " ORDER BY n LIMIT %d", ATHENA_PARTITIONS_MAX + 1);
    struct duck_statement *statement = more == 0 ? duck_prepare(task->run->connection, sql.data, &err) : NULL;
    json_t *partitions = json_array();
    more = statement ? 0 : -1;
    while (statement && (more = duck_step(statement, &err)) == 1) {
        json_t *values = json_array();
        for (size_t i = 0; i < count; i++) {
            size_t length;
            const char *text = duck_text(duck_column(statement, i + 1), &length);
            json_array_append_new(values, length > 0 ? json_stringn(text, length) : json_string(NULL_VALUE));
        }
        json_array_append_new(partitions, values);
    }
    duck_finalize(statement);
    buf_free(&sql);
    if (more == 0 && json_array_size(partitions) <= ATHENA_PARTITIONS_MAX)
        return partitions;
    if (more < 0)
        engine_failure(output);
    else
        (void)athena_fail(task->failure, "HIVE_TOO_MANY_OPEN_PARTITIONS",
                          "Exceeded limit of %d open writers for partitions/buckets", ATHENA_PARTITIONS_MAX);
    json_decref(partitions);
    return NULL;
}

static int write_partitions(struct output *output)
{
    struct athena_task *task = output->task;
    const struct athena_output *how = output->how;
    struct err err = ERR_INIT;
    struct buf sql, folder;
    buf_init(&sql, SQL_LIMIT);
    buf_init(&folder, 8192);
    buf_printf(&sql, "CREATE OR REPLACE TEMP TABLE " PARTITION_ROWS " AS ");
    buf_text(&sql, how->sql);
    json_t *partitions = NULL;
    int result =
        sql.overflow || duck_exec(task->run->connection, sql.data, &err) != 0 ? engine_failure(output) : 0;
    if (result == 0)
        result = (partitions = list_partitions(output)) ? 0 : -1;
    for (size_t number = 0; result == 0 && number < json_array_size(partitions); number++) {
        json_t *values = json_array_get(partitions, number);
        buf_reset(&sql);
        buf_reset(&folder);
        buf_text(&sql, "SELECT ");
        put_columns(&sql, how->columns);
        buf_text(&sql, " FROM " PARTITION_ROWS " WHERE ");
        for (size_t i = 0; i < json_array_size(how->keys); i++) {
            buf_text(&sql, i ? " AND " : "");
            athena_quote(&sql, athena_member(json_array_get(how->keys, i), "Name"), '"');
            buf_printf(&sql, " IS NOT DISTINCT FROM (SELECT k%zu FROM " PARTITION_KEYS " WHERE n = %zu)", i,
                       number + 1);
        }
        athena_partition_path(&folder, how->keys, values);
        result = sql.overflow || folder.overflow
                     ? athena_fail(task->failure, "QUERY_TEXT_TOO_LARGE", "a partition's name is too long")
                     : write_file(output, sql.data, folder.data, json_incref(values));
    }
    json_decref(partitions);
    (void)duck_exec(task->run->connection,
                    "DROP TABLE IF EXISTS " PARTITION_ROWS "; DROP TABLE IF EXISTS " PARTITION_KEYS, NULL);
    buf_free(&sql);
    buf_free(&folder);
    return result;
}

static int commit(struct output *output)
{
    struct athena_task *task = output->task;
    for (size_t i = 0; i < output->count; i++) {
        struct file *file = &output->files[i];
        struct err err = ERR_INIT;
        struct objects_put how = {.headers = "content-type: application/octet-stream\n"};
        char uri[1200];
        if (objects_writer_commit(file->writer, output->bucket, file->key, &how, NULL, &err) != OBJECTS_OK)
            return athena_fail(task->failure, "HIVE_WRITER_CLOSE_ERROR", "%.300s", err.text);
        snprintf(uri, sizeof uri, "s3://%s/%s", output->bucket, file->key);
        json_array_append_new(output->written->uris, json_string(uri));
        if (!file->values)
            continue;
        *strrchr(uri, '/') = '\0';
        json_array_append_new(output->written->partitions,
                              json_pack("{s:O,s:s}", "Values", file->values, "Location", uri));
    }
    return 0;
}

int athena_output_write(struct athena_task *task, const struct athena_output *how,
                        struct athena_written *written)
{
    *written = (struct athena_written){.uris = json_array(), .partitions = json_array()};
    struct output *output = mem_zero(1, sizeof *output);
    *output = (struct output){.task = task, .how = how, .written = written};
    int result = 0;
    struct err err = ERR_INIT;
    struct bucket_info bucket;
    if (!athena_s3_split(how->location, output->bucket, output->prefix))
        result = athena_fail(task->failure, "INVALID_TABLE_PROPERTY", "%.200s is no location in S3",
                             how->location);
    else if (objects_bucket_head(athena_task_objects(task), output->bucket, &bucket, &err) != OBJECTS_OK)
        result = athena_fail(task->failure, "HIVE_WRITER_OPEN_ERROR",
                             "The specified bucket does not exist: %s", output->bucket);
    size_t length = strlen(output->prefix);
    if (length > 0 && output->prefix[length - 1] != '/')
        memcpy(output->prefix + length, "/", 2);
    if (result == 0)
        result = json_array_size(how->keys) > 0 ? write_partitions(output)
                                                : write_file(output, how->sql, "", NULL);
    if (result == 0)
        result = commit(output);
    for (size_t i = 0; i < output->count; i++) {
        objects_writer_destroy(output->files[i].writer);
        free(output->files[i].key);
        json_decref(output->files[i].values);
    }
    free(output);
    return result;
}

void athena_written_free(struct athena_written *written)
{
    json_decref(written->uris);
    json_decref(written->partitions);
    *written = (struct athena_written){0};
}

static bool note(void *context, const struct object_info *info, const char *common_prefix)
{
    *(bool *)context = true;
    return false;
}

bool athena_output_occupied(struct athena_task *task, const char *location)
{
    char bucket[64], key[1026];
    bool any = false;
    if (!athena_s3_split(location, bucket, key))
        return false;
    size_t length = strlen(key);
    if (length > 0 && key[length - 1] != '/')
        memcpy(key + length, "/", 2);
    struct objects_query query = {.prefix = key, .delimiter = "", .after = "", .limit = 1};
    (void)objects_list(athena_task_objects(task), bucket, &query, note, &any, NULL, NULL);
    return any;
}
