/*
 * COPY … FORMAT AS PARQUET: columns by position, their number the same, their types those of the table, not
 * merely ones that could be converted: an INT64 does not load into an INTEGER. What does not fit is refused
 * as Redshift Spectrum refuses it (code 15001 numbers and lengths, 15007 types).
 */
#include "localcloud/redshift_load.h"

#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_nested(enum duck_kind kind)
{
    return kind == DUCK_LIST || kind == DUCK_STRUCT || kind == DUCK_MAP || kind == DUCK_ARRAY;
}

static bool fits(const struct redshift_type *type, const struct duck_type *file)
{
    enum duck_kind kind = file->kind;
    switch (type->kind) {
    case RS_SMALLINT:
        return kind == DUCK_SMALLINT || kind == DUCK_TINYINT || kind == DUCK_INTEGER;
    case RS_INTEGER:
        return kind == DUCK_INTEGER || kind == DUCK_SMALLINT || kind == DUCK_TINYINT;
    case RS_BIGINT:
        return kind == DUCK_BIGINT;
    case RS_DECIMAL:
        return kind == DUCK_DECIMAL && file->scale == type->scale && file->width <= type->precision;
    case RS_REAL:
        return kind == DUCK_FLOAT;
    case RS_DOUBLE:
        return kind == DUCK_DOUBLE;
    case RS_BOOLEAN:
        return kind == DUCK_BOOLEAN;
    case RS_CHAR:
    case RS_VARCHAR:
        return kind == DUCK_VARCHAR || kind == DUCK_BLOB || kind == DUCK_ENUM;
    case RS_DATE:
        return kind == DUCK_DATE;
    case RS_TIMESTAMP:
    case RS_TIMESTAMPTZ:
        return kind == DUCK_TIMESTAMP || kind == DUCK_TIMESTAMP_MS || kind == DUCK_TIMESTAMP_NS ||
               kind == DUCK_TIMESTAMP_S || kind == DUCK_TIMESTAMP_TZ;
    case RS_TIME:
        return kind == DUCK_TIME;
    case RS_SUPER:
        return is_nested(kind) || kind == DUCK_VARCHAR;
    case RS_VARBYTE:
        return kind == DUCK_BLOB;
    default:
        return false;
    }
}

/* As Spectrum calls them. */
static const char *column_type(const struct redshift_type *type, char out[40])
{
    static const char *const names[RS_KINDS] = {
        [RS_SMALLINT] = "SMALLINT", [RS_INTEGER] = "INT",         [RS_BIGINT] = "BIGINT",
        [RS_REAL] = "FLOAT",        [RS_DOUBLE] = "DOUBLE",       [RS_BOOLEAN] = "BOOLEAN",
        [RS_DATE] = "DATE",         [RS_TIMESTAMP] = "TIMESTAMP", [RS_TIMESTAMPTZ] = "TIMESTAMPTZ",
        [RS_TIME] = "TIME",         [RS_SUPER] = "SUPER",         [RS_VARBYTE] = "VARBYTE"};
    if (type->kind == RS_DECIMAL)
        snprintf(out, 40, "DECIMAL(%d, %d)", type->precision, type->scale);
    else if (type->kind == RS_CHAR || type->kind == RS_VARCHAR)
        snprintf(out, 40, "%s(%d)", type->kind == RS_CHAR ? "CHAR" : "VARCHAR", type->length);
    else
        snprintf(out, 40, "%s", names[type->kind] ? names[type->kind] : "UNKNOWN");
    return out;
}

static int scan_error(struct rs_copy *copy, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int scan_error(struct rs_copy *copy, int code, const char *format, ...)
{
    char context[1700];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    return rs_detail_fail(copy, "Spectrum Scan Error", code, context);
}

/* ---- the file as it is ------------------------------------------------------------------------------ */

/* A column of the file as its schema has it, before the engine gave it a type of its own. */
struct physical {
    char type[32];       /* "int64"; "group" */
    char repetition[12]; /* "optional" */
};

struct open_file {
    const struct rs_file *file;
    struct buf from; /* read_parquet('…') */
    struct duck_statement *statement;
    struct physical *columns; /* one for each of the statement */
};

static void lower(struct duck_value value, char *out, size_t size)
{
    size_t length = 0;
    const char *text = duck_is_null(value) ? "" : duck_text(value, &length);
    size_t i = 0;
    for (; i < length && i + 1 < size; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[i] = '\0';
}

/* parquet_schema() gives the tree in preorder; its first row is the root. */
static int read_physical(struct rs_copy *copy, struct open_file *open, const char *path)
{
    struct err err = ERR_INIT;
    struct buf sql;
    size_t count = duck_column_count(open->statement), top = 0;
    int64_t below = 0; /* rows that belong to the column before */
    open->columns = mem_zero(count + 1, sizeof *open->columns);
    buf_init(&sql, 8192);
    buf_text(&sql, "SELECT type, repetition_type, coalesce(num_children, 0) FROM parquet_schema(");
    redshift_put_string(&sql, path);
    buf_char(&sql, ')');
    struct duck_statement *row = duck_prepare(copy->runner->connection, sql.data, &err);
    buf_free(&sql);
    int step = row ? 0 : -1;
    bool root = true;
    while (step >= 0 && (step = duck_step(row, &err)) == 1) {
        int64_t children = duck_int(duck_column(row, 2));
        if (root) {
            root = false;
        } else if (below > 0) {
            below += children - 1;
        } else if (top < count) {
            struct physical *column = &open->columns[top++];
            lower(duck_column(row, 0), column->type, sizeof column->type);
            lower(duck_column(row, 1), column->repetition, sizeof column->repetition);
            if (children > 0)
                text_copy(column->type, sizeof column->type, "group");
            below = children;
        }
    }
    duck_finalize(row);
    return step < 0 ? scan_error(copy, 15001, "s3://%s/%s: %s", open->file->bucket, open->file->key, err.text)
                    : 0;
}

static int check_count(struct rs_copy *copy, const struct open_file *open)
{
    size_t count = duck_column_count(open->statement);
    if (count == copy->column_count || (copy->options.fill && count < copy->column_count))
        return 0;
    return scan_error(copy, 15001,
                      "Unmatched number of columns between table and file. Table columns: %zu, Data columns: "
                      "%zu, File name: s3://%s/%s",
                      copy->column_count, count, open->file->bucket, open->file->key);
}

static int check_types(struct rs_copy *copy, const struct open_file *open)
{
    size_t count = duck_column_count(open->statement);
    for (size_t i = 0; i < count; i++) {
        const struct duck_type *type = duck_column_type(open->statement, i);
        const struct redshift_column *column = copy->columns[i];
        if (fits(&column->type, type) && (!is_nested(type->kind) || copy->options.serialize))
            continue;
        char kind[40];
        const char *name = duck_column_name(open->statement, i);
        const struct rs_file *file = open->file;
        return scan_error(copy, 15007,
                          "File 'https://s3.%s.amazonaws.com/%s/%s' has an incompatible Parquet schema for "
                          "column 's3://%s/%s.%s'. Column type: %s, Parquet schema: %s %s %s [i:%zu d:1 r:0]",
                          copy->runner->region, file->bucket, file->key, file->bucket, file->key, name,
                          column_type(&column->type, kind), open->columns[i].repetition,
                          open->columns[i].type, name, i);
    }
    return 0;
}

static bool is_bounded(const struct redshift_type *type)
{
    return type->kind == RS_VARCHAR || type->kind == RS_CHAR;
}

/* The longest text of each bounded column, before anything is inserted. */
static int check_lengths(struct rs_copy *copy, const struct open_file *open)
{
    struct buf sql;
    struct err err = ERR_INIT;
    size_t bounded = 0, count = duck_column_count(open->statement);
    buf_init(&sql, 1u << 20);
    buf_text(&sql, "SELECT 0");
    for (size_t i = 0; i < count; i++) {
        bool text = is_bounded(&copy->columns[i]->type);
        bool blob = duck_column_type(open->statement, i)->kind == DUCK_BLOB;
        bounded += text;
        buf_text(&sql, text ? blob ? ", max(octet_length(" : ", max(strlen(" : ", 0");
        if (text) {
            redshift_put_name(&sql, duck_column_name(open->statement, i));
            buf_text(&sql, "))");
        }
    }
    buf_printf(&sql, " FROM %s", open->from.data);
    int result = 0;
    struct duck_statement *lengths = bounded ? duck_prepare(copy->runner->connection, sql.data, &err) : NULL;
    if (bounded && (!lengths || duck_step(lengths, &err) != 1))
        result = scan_error(copy, 15001, "File 's3://%s/%s' cannot be read: %s", open->file->bucket,
                            open->file->key, err.text);
    for (size_t i = 0; result == 0 && lengths && i < count; i++) {
        struct duck_value value = duck_column(lengths, i + 1);
        int64_t most = duck_is_null(value) ? 0 : duck_int(value);
        if (!is_bounded(&copy->columns[i]->type) || most <= copy->columns[i]->type.length)
            continue;
        result = scan_error(copy, 15001,
                            "The length of the data column %s is longer than the length defined in the "
                            "table. Table: %d, Data: %" PRId64 ", File name: s3://%s/%s",
                            duck_column_name(open->statement, i), copy->columns[i]->type.length, most,
                            open->file->bucket, open->file->key);
    }
    duck_finalize(lengths);
    buf_free(&sql);
    return result;
}

static int insert(struct rs_copy *copy, const struct open_file *open)
{
    struct buf sql;
    struct err err = ERR_INIT;
    size_t count = duck_column_count(open->statement);
    buf_init(&sql, 1u << 20);
    buf_printf(&sql, "INSERT INTO %s (", copy->table.data);
    for (size_t i = 0; i < count; i++) {
        buf_text(&sql, i ? ", " : "");
        redshift_put_name(&sql, copy->columns[i]->name);
    }
    buf_text(&sql, ") SELECT ");
    for (size_t i = 0; i < count; i++) {
        bool json = copy->columns[i]->type.kind == RS_SUPER;
        enum duck_kind kind = duck_column_type(open->statement, i)->kind;
        bool bytes = kind == DUCK_BLOB && copy->columns[i]->type.kind != RS_VARBYTE;
        buf_text(&sql, i ? ", " : "");
        buf_text(&sql, json    ? "to_json("
                       : bytes ? "decode("
                       : kind == DUCK_TIMESTAMP_TZ && copy->columns[i]->type.kind == RS_TIMESTAMP
                           ? "timezone('UTC', "
                           : "(");
        redshift_put_name(&sql, duck_column_name(open->statement, i));
        buf_char(&sql, ')');
    }
    buf_printf(&sql, " FROM %s", open->from.data);
    struct duck_statement *run = duck_prepare(copy->runner->connection, sql.data, &err);
    int result = run && duck_step(run, &err) >= 0 ? 0 : -1;
    if (result == 0) {
        copy->loaded += duck_column_count(run) == 1 ? duck_int(duck_column(run, 0)) : 0;
    } else {
        char text[700];
        redshift_error_text(copy->runner->connection, &err, text, sizeof text);
        redshift_outcome_fail(copy->outcome, "%s", text);
    }
    duck_finalize(run);
    buf_free(&sql);
    return result;
}

static int load_file(struct rs_copy *copy, const struct rs_file *file)
{
    char path[OBJECTS_PATH_SIZE];
    struct open_file open = {.file = file};
    struct buf sql;
    struct err err = ERR_INIT;
    objects_path(copy->runner->objects, file->blob, path);
    buf_init(&open.from, 4096);
    buf_init(&sql, 8192);
    buf_text(&open.from, "read_parquet(");
    redshift_put_string(&open.from, path);
    buf_text(&open.from, ", hive_partitioning=false)");
    buf_printf(&sql, "SELECT * FROM %s", open.from.data);
    open.statement = duck_prepare(copy->runner->connection, sql.data, &err);
    int result = open.statement ? 0
                                : scan_error(copy, 15001,
                                             "File 's3://%s/%s' has an invalid version number or "
                                             "is no Parquet file",
                                             file->bucket, file->key);
    if (result == 0)
        result = check_count(copy, &open);
    if (result == 0)
        result = read_physical(copy, &open, path);
    if (result == 0)
        result = check_types(copy, &open);
    if (result == 0)
        result = check_lengths(copy, &open);
    if (result == 0 && !copy->options.no_load)
        result = insert(copy, &open);
    duck_finalize(open.statement);
    free(open.columns);
    buf_free(&open.from);
    buf_free(&sql);
    return result;
}

int rs_load_parquet(struct rs_copy *copy)
{
    for (size_t i = 0; i < copy->file_count; i++)
        if (load_file(copy, &copy->files[i]) != 0)
            return -1;
    return 0;
}
