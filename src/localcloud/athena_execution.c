#include "localcloud/athena_execution.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/athena_companion.h"
#include "localcloud/athena_engine.h"
#include "localcloud/athena_task.h"
#include "localcloud/athena_value.h"
#include "localcloud/catalogue.h"
#include "localcloud/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define LINE_LIMIT  (64u << 20)
#define FLUSH_BYTES (256u << 10)

bool athena_s3_split(const char *location, char bucket[64], char key[1025])
{
    if (!location || strncmp(location, "s3://", 5) != 0)
        return false;
    const char *slash = strchr(location + 5, '/');
    size_t length = slash ? (size_t)(slash - location - 5) : strlen(location + 5);
    if (length == 0 || length > 63 || (slash && strlen(slash + 1) > 1024))
        return false;
    memcpy(bucket, location + 5, length);
    bucket[length] = '\0';
    text_copy(key, 1025, slash ? slash + 1 : "");
    return true;
}

char *athena_execution_location(const struct athena_statement *statement, const char *output, const char *id)
{
    size_t length = strlen(output);
    struct buf location;
    buf_init(&location, length + 100);
    buf_printf(&location, "%s%s", output, length > 0 && output[length - 1] == '/' ? "" : "/");
    switch (statement->verb) {
    case VERB_QUERY:
    case VERB_EXECUTE:
        buf_printf(&location, "%s.csv", id);
        break;
    case VERB_CREATE_TABLE_AS:
        buf_printf(&location, "tables/%s", id);
        break;
    case VERB_INSERT:
    case VERB_UNLOAD:
        buf_text(&location, id);
        break;
    default:
        buf_printf(&location, "%s.txt", id);
        break;
    }
    return location.data;
}

bool athena_execution_has_rows(const char *location)
{
    size_t length = location ? strlen(location) : 0;
    return length > 4 &&
           (strcmp(location + length - 4, ".csv") == 0 || strcmp(location + length - 4, ".txt") == 0);
}

void athena_execution_id(char id[37])
{
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
        memset(b, 0, sizeof b);
    snprintf(id, 37, "%02x%02x%02x%02x-%02x%02x-4%01x%02x-%x%x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6] & 15, b[7], 8 + (b[8] & 3), b[8] >> 4, b[9], b[10], b[11], b[12],
             b[13], b[14], b[15]);
}

/* ---- the result object ------------------------------------------------------------------------------ */

struct result {
    const struct athena_run *run;
    struct athena_execution *execution;
    struct objects_writer *writer;
    struct buf buf;
    struct athena_failure *failure;
};

static int store_failure(struct result *result, const struct err *err)
{
    return athena_fail(result->failure, "GENERIC_INTERNAL_ERROR", "%s", err->text);
}

static int flush(struct result *result, bool all)
{
    struct err err = ERR_INIT;
    if (result->buf.overflow)
        return athena_fail(result->failure, "EXCEEDED_MEMORY_LIMIT", "a row is too long");
    if (result->buf.length < FLUSH_BYTES && !all)
        return 0;
    if (!result->execution->location) { /* nobody wants to see them */
        buf_reset(&result->buf);
        return 0;
    }
    if (result->buf.length > 0 &&
        objects_writer_write(result->writer, result->buf.data, result->buf.length, &err) != 0)
        return store_failure(result, &err);
    buf_reset(&result->buf);
    return 0;
}

static void field(struct buf *out, const char *text, size_t length)
{
    buf_char(out, '"');
    for (const char *quote; length > 0 && (quote = memchr(text, '"', length));) {
        size_t before = (size_t)(quote - text) + 1;
        buf_append(out, text, before);
        buf_char(out, '"');
        text += before;
        length -= before;
    }
    buf_append(out, text, length);
    buf_char(out, '"');
}

static json_t *column_info(const char *name, const char *type, int precision, int scale)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:s,s:b}", "CatalogName", "hive", "SchemaName", "",
                     "TableName", "", "Name", name, "Label", name, "Type", type, "Precision", precision,
                     "Scale", scale, "Nullable", "UNKNOWN", "CaseSensitive", strcmp(type, "varchar") == 0);
}

static int begin(struct result *result)
{
    struct err err = ERR_INIT;
    buf_init(&result->buf, LINE_LIMIT);
    result->writer = objects_writer_create(result->run->context->objects, &err);
    return result->writer ? 0 : store_failure(result, &err);
}

static int put_companion(struct result *result, const char *bucket, const char *key)
{
    const struct athena_execution *execution = result->execution;
    char name[1040];
    struct err err = ERR_INIT;
    struct buf bytes;
    buf_init(&bytes, LINE_LIMIT);
    athena_companion_write(execution->id, clock_wall_us(), execution->columns, &bytes);
    snprintf(name, sizeof name, "%s.metadata", key);
    enum objects_status status = objects_put(result->run->context->objects, bucket, name, bytes.data,
                                             bytes.length, "application/octet-stream", &err);
    buf_free(&bytes);
    return status == OBJECTS_OK ? 0 : store_failure(result, &err);
}

static int finish(struct result *result)
{
    char bucket[64], key[1025];
    struct err err = ERR_INIT;
    if (flush(result, true) != 0)
        return -1;
    if (objects_writer_close(result->writer, &err) != 0)
        return store_failure(result, &err);
    if (!athena_s3_split(result->execution->location, bucket, key))
        return athena_fail(result->failure, "INVALID_OUTPUT_LOCATION",
                           "outputLocation is not a valid S3 path.");
    struct objects_put how = {.headers = "content-type: application/octet-stream\n"};
    char etag[OBJECTS_ETAG_SIZE];
    if (objects_writer_commit(result->writer, bucket, key, &how, etag, &err) != OBJECTS_OK)
        return athena_fail(result->failure, "INVALID_OUTPUT_LOCATION",
                           "Unable to verify/create output bucket %s", bucket);
    return put_companion(result, bucket, key);
}

static void drop(struct result *result)
{
    objects_writer_destroy(result->writer);
    buf_free(&result->buf);
}

/* ---- queries ---------------------------------------------------------------------------------------- */

/* A sum of integers is wider in the engine than in Athena. */
static bool fits_bigint(__int128 value)
{
    return value >= INT64_MIN && value <= INT64_MAX;
}

static int write_rows(struct result *result, struct duck_statement *statement)
{
    struct athena_execution *execution = result->execution;
    size_t columns = duck_column_count(statement);
    execution->columns = json_array();
    for (size_t i = 0; i < columns; i++) {
        char name[256];
        int precision, scale;
        athena_column_name(statement, i, name, sizeof name);
        const char *type = athena_type_name(duck_column_type(statement, i), &precision, &scale);
        json_array_append_new(execution->columns, column_info(name, type, precision, scale));
        buf_text(&result->buf, i ? "," : "");
        field(&result->buf, name, strlen(name));
    }
    buf_char(&result->buf, '\n');
    struct buf text;
    buf_init(&text, LINE_LIMIT);
    struct err err = ERR_INIT;
    int more;
    while ((more = duck_step(statement, &err)) == 1) {
        if (result->run->cancel && *result->run->cancel) {
            (void)athena_fail(result->failure, "USER_CANCELED", "Query cancelled by user");
            more = -2;
            break;
        }
        for (size_t i = 0; i < columns; i++) {
            struct duck_value value = duck_column(statement, i);
            buf_text(&result->buf, i ? "," : "");
            if (duck_is_null(value))
                continue;
            if (value.type->kind == DUCK_HUGEINT && !fits_bigint(duck_huge(value))) {
                (void)athena_fail(result->failure, "NUMERIC_VALUE_OUT_OF_RANGE", "bigint addition overflow");
                more = -2;
                break;
            }
            buf_reset(&text);
            athena_value_write(&text, value);
            field(&result->buf, text.data ? text.data : "", text.length);
        }
        buf_char(&result->buf, '\n');
        execution->rows++;
        if (more != 1 || flush(result, false) != 0) {
            more = -2;
            break;
        }
    }
    buf_free(&text);
    if (more == -1)
        athena_failure_of(result->run->connection, execution->text, result->failure);
    return more < 0 ? -1 : 0;
}

static int run_query(struct result *result, struct athena_task *task)
{
    const struct athena_statement *s = task->statement;
    struct athena_execution *execution = task->execution;
    struct athena_query query;
    int64_t begun = clock_mono_us();
    struct objects_lease *lease = objects_lease(athena_task_objects(task));
    int failed = athena_task_query(task, s->query_from, s->query_to, &query);
    if (!failed) {
        struct duck_statement *prepared =
            athena_prepare(result->run->connection, &query, execution->text, result->failure);
        execution->planned_us = clock_mono_us() - begun;
        failed = prepared ? write_rows(result, prepared) : -1;
        duck_finalize(prepared);
        athena_query_free(&query);
    }
    objects_release(lease);
    return failed;
}

/* ---- statements ------------------------------------------------------------------------------------- */

/* PREPARE keeps what stands behind FROM, as it is written. */
static int run_prepared(struct athena_task *task)
{
    const struct athena_run *run = task->run;
    const struct athena_statement *s = task->statement;
    if (!run->prepared)
        return athena_fail(task->failure, "NOT_SUPPORTED", "prepared statements belong to a work group");
    return run->prepared(run->service, task->execution->workgroup, s->name,
                         s->verb == VERB_PREPARE ? s->tokens.list[s->query_from].text : NULL, task->failure);
}

static int run_statement(struct athena_task *task)
{
    switch (task->statement->verb) {
    case VERB_CREATE_TABLE_AS:
    case VERB_INSERT:
    case VERB_UNLOAD:
        return athena_write_run(task);
    case VERB_CREATE_VIEW:
    case VERB_DROP_VIEW:
        return athena_view_run(task);
    case VERB_REPAIR:
        return athena_repair_run(task);
    case VERB_SHOW_DATABASES:
    case VERB_SHOW_TABLES:
    case VERB_SHOW_VIEWS:
    case VERB_SHOW_COLUMNS:
    case VERB_SHOW_PARTITIONS:
    case VERB_SHOW_CREATE_TABLE:
    case VERB_SHOW_CREATE_VIEW:
    case VERB_SHOW_PROPERTIES:
    case VERB_DESCRIBE:
        return athena_show_run(task);
    case VERB_CREATE_DATABASE:
    case VERB_DROP_DATABASE:
    case VERB_CREATE_TABLE:
    case VERB_DROP_TABLE:
    case VERB_ADD_PARTITION:
    case VERB_DROP_PARTITION:
    case VERB_ADD_COLUMNS:
    case VERB_REPLACE_COLUMNS:
    case VERB_CHANGE_COLUMN:
    case VERB_RENAME_PARTITION:
    case VERB_SET_LOCATION:
    case VERB_SET_PROPERTIES:
        return athena_ddl_run(task);
    case VERB_EXPLAIN:
        return athena_explain_run(task);
    case VERB_PREPARE:
    case VERB_DEALLOCATE:
        return run_prepared(task);
    default:
        return athena_fail(task->failure, "NOT_SUPPORTED", "%s is not emulated locally yet",
                           athena_statement_subtype(task->statement));
    }
}

int athena_execution_run(const struct athena_run *run, struct athena_execution *execution,
                         struct athena_failure *failure)
{
    struct athena_statement statement;
    struct result result = {.run = run, .execution = execution, .failure = failure};
    struct athena_task task = {.run = run,
                               .statement = &statement,
                               .execution = execution,
                               .failure = failure,
                               .lines = &result.buf};
    int failed = athena_statement_parse(&statement, execution->text, failure);
    if (!failed)
        failed = begin(&result);
    if (!failed)
        failed = statement.verb == VERB_QUERY ? run_query(&result, &task) : run_statement(&task);
    if (!failed && !execution->columns)
        execution->columns = json_array();
    if (!failed && athena_execution_has_rows(execution->location)) {
        int64_t begun = clock_mono_us();
        failed = finish(&result);
        execution->bytes = failed ? 0 : objects_writer_size(result.writer);
        execution->stored_us = clock_mono_us() - begun;
    }
    drop(&result);
    athena_statement_free(&statement);
    return failed;
}
