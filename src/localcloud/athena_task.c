#include "localcloud/athena_task.h"

#include "base/text.h"
#include "localcloud/athena_source.h"
#include "localcloud/objects.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct catalogue *athena_task_catalogue(const struct athena_task *task)
{
    return task->run->context->catalogue;
}

struct objects *athena_task_objects(const struct athena_task *task)
{
    return task->run->context->objects;
}

const char *athena_task_database(const struct athena_task *task)
{
    return task->statement->database ? task->statement->database : task->execution->database;
}

/* ---- failures --------------------------------------------------------------------------------------- */

int athena_task_refuse(struct athena_task *task, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return athena_fail(task->failure, "FAILED", "%s", text);
}

int athena_task_missing(struct athena_task *task, enum catalogue_status status, const struct err *err)
{
    switch (status) {
    case CATALOGUE_NO_DATABASE:
        return athena_task_refuse(task, "SemanticException [Error 10072]: Database does not exist: %.255s",
                                  athena_task_database(task));
    case CATALOGUE_NO_TABLE:
        return athena_task_refuse(task, "SemanticException [Error 10001]: Table not found %.128s.%.128s",
                                  athena_task_database(task),
                                  task->statement->name ? task->statement->name : "");
    case CATALOGUE_FAILED:
        return athena_fail(task->failure, "GENERIC_INTERNAL_ERROR", "%.300s", err->text);
    default:
        return athena_task_refuse(
            task,
            "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
            "MetaException(message:%.250s)",
            err->text);
    }
}

json_t *athena_task_table(struct athena_task *task)
{
    json_t *table = NULL;
    struct err err = ERR_INIT;
    enum catalogue_status status = catalogue_table_get(
        athena_task_catalogue(task), athena_task_database(task), task->statement->name, &table, &err);
    if (status == CATALOGUE_OK)
        return table;
    athena_task_missing(task, status, &err);
    return NULL;
}

void athena_task_column(struct athena_task *task, const char *name, const char *type)
{
    bool big = strcmp(type, "bigint") == 0;
    if (!task->execution->columns)
        task->execution->columns = json_array();
    json_array_append_new(task->execution->columns,
                          json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:s,s:b}", "CatalogName", "hive",
                                    "SchemaName", "", "TableName", "", "Name", name, "Label", name, "Type",
                                    type, "Precision", big ? 19 : 0, "Scale", 0, "Nullable", "UNKNOWN",
                                    "CaseSensitive", 0));
}

/* ---- queries ---------------------------------------------------------------------------------------- */

/* What only binds a query scans nothing. */
static bool reads_rows(const struct athena_statement *s)
{
    return s->verb == VERB_QUERY || s->verb == VERB_CREATE_TABLE_AS || s->verb == VERB_INSERT ||
           s->verb == VERB_UNLOAD || (s->verb == VERB_EXPLAIN && s->analyze);
}

/* Bytes and rows that it will scan; more than the work group allows cancels it. */
static int measure(struct athena_task *task, const struct athena_scan *scan, const char *sql)
{
    struct athena_execution *execution = task->execution;
    athena_scan_measure(scan, task->run->connection, sql, &execution->scanned, &execution->scanned_rows);
    execution->cut = execution->cutoff > 0 && execution->scanned > execution->cutoff;
    return execution->cut
               ? athena_fail(task->failure, "EXCEEDED_SCAN_LIMIT", "Bytes scanned limit was exceeded")
               : 0;
}

int athena_task_query(struct athena_task *task, size_t from, size_t to, struct athena_query *query)
{
    const struct athena_statement *s = task->statement;
    if (athena_rewrite(&s->tokens, from, to, task->execution->database, query, task->failure) != 0)
        return -1;
    struct athena_sources sources = {.connection = task->run->connection,
                                     .catalogue = athena_task_catalogue(task),
                                     .objects = athena_task_objects(task),
                                     .failure = task->failure,
                                     .scan = reads_rows(s) ? athena_scan_create() : NULL};
    int result = athena_sources_add(&sources, query);
    athena_sources_end(&sources);
    if (result == 0 && sources.scan)
        result = measure(task, sources.scan, query->sql);
    athena_scan_destroy(sources.scan);
    if (result != 0)
        athena_query_free(query);
    return result;
}

/* ---- texts ------------------------------------------------------------------------------------------ */

const char *athena_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

void athena_location_join(struct buf *out, const char *base, const char *part)
{
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/')
        length--;
    buf_append(out, base, length);
    buf_char(out, '/');
    buf_text(out, part);
}

void athena_quote(struct buf *out, const char *text, char quote)
{
    buf_char(out, quote);
    for (; *text; text++) {
        if (*text == quote)
            buf_char(out, quote);
        buf_char(out, *text);
    }
    buf_char(out, quote);
}

/* Hive's FileUtils.escapePathName. */
static void escape(struct buf *out, const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 32 || byte == 127 || strchr("\"#%'*/:=?\\{[]^", byte))
            buf_printf(out, "%%%02X", byte);
        else
            buf_char(out, *text);
    }
}

void athena_partition_path(struct buf *out, const json_t *keys, const json_t *values)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *value = json_string_value(json_array_get(values, i));
        buf_text(out, i ? "/" : "");
        escape(out, athena_member(json_array_get(keys, i), "Name"));
        buf_char(out, '=');
        escape(out, value ? value : "");
    }
}

static int hex(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

char *athena_partition_unescape(const char *text, size_t length)
{
    char *out = mem_alloc(length + 1);
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        bool escaped = text[i] == '%' && i + 2 < length && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;
        out[written++] = escaped ? (char)(hex(text[i + 1]) * 16 + hex(text[i + 2])) : text[i];
        i += escaped ? 2 : 0;
    }
    out[written] = '\0';
    return out;
}
