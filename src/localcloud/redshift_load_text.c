/*
 * COPY from delimited text, CSV and JSON. The records come into a temporary table of texts (_load); then one
 * statement finds the values that do not fit their columns, and one inserts the rows that do.
 */
#include "localcloud/redshift_load.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SQL_LIMIT (16u << 20)

/* The value of column c<i> of _load as the table's type; NULL when it cannot be. */
static void put_value(struct rs_copy *copy, size_t i, struct buf *out)
{
    const struct rs_options *o = &copy->options;
    const struct redshift_type *type = &copy->columns[i]->type;
    const char *time = o->time_format ? o->time_format : "";
    switch (type->kind) {
    case RS_SMALLINT:
    case RS_INTEGER:
    case RS_BIGINT:
        buf_printf(out, "CASE WHEN regexp_full_match(trim(c%zu), '[+-]?[0-9]+') THEN TRY_CAST(trim(c%zu) AS ",
                   i, i);
        redshift_type_write_duck(type, out);
        buf_text(out, ") END");
        break;
    case RS_BOOLEAN:
        buf_printf(out,
                   "CASE WHEN lower(trim(c%zu)) IN ('t', 'true', '1', 'y', 'yes', 'on') THEN true WHEN "
                   "lower(trim(c%zu)) "
                   "IN ('f', 'false', '0', 'n', 'no', 'off') THEN false END",
                   i, i);
        break;
    case RS_CHAR:
    case RS_VARCHAR:
        if (o->truncate)
            buf_printf(out, "rs_cut(c%zu, %d)", i, type->length);
        else
            buf_printf(out, "CASE WHEN strlen(c%zu) <= %d THEN c%zu END", i, type->length, i);
        break;
    case RS_DATE:
        if (o->date_format && !text_equal_fold(o->date_format, "auto")) {
            buf_printf(out, "CAST(TRY(rs_to_timestamp(c%zu, ", i);
            redshift_put_string(out, o->date_format);
            buf_text(out, ")) AS DATE)");
        } else {
            buf_printf(out, "TRY_CAST(trim(c%zu) AS DATE)", i);
        }
        break;
    case RS_TIMESTAMP:
    case RS_TIMESTAMPTZ: {
        bool seconds = text_equal_fold(time, "epochsecs"), millis = text_equal_fold(time, "epochmillisecs");
        buf_text(out, type->kind == RS_TIMESTAMPTZ &&
                              (seconds || millis || (*time && !text_equal_fold(time, "auto")))
                          ? "timezone('UTC', "
                          : "(");
        if (seconds || millis) {
            buf_printf(out, "make_timestamp(CAST(TRY_CAST(c%zu AS DECIMAL(38,6)) * %d AS BIGINT))", i,
                       seconds ? 1000000 : 1000);
        } else if (*time && !text_equal_fold(time, "auto")) {
            buf_printf(out, "TRY(rs_to_timestamp(c%zu, ", i);
            redshift_put_string(out, time);
            buf_text(out, "))");
        } else {
            buf_printf(out, "TRY_CAST(trim(c%zu) AS %s)", i,
                       type->kind == RS_TIMESTAMP ? "TIMESTAMP" : "TIMESTAMPTZ");
        }
        buf_char(out, ')');
        break;
    }
    case RS_SUPER:
        buf_printf(out, "TRY_CAST(c%zu AS JSON)", i);
        break;
    case RS_VARBYTE:
        buf_printf(out, "TRY(from_hex(c%zu))", i);
        break;
    default:
        buf_printf(out, "TRY_CAST(trim(c%zu) AS ", i);
        redshift_type_write_duck(type, out);
        buf_char(out, ')');
        break;
    }
}

/* stl_load_errors' err_code and err_reason of a value that does not fit. */
static int reason_of(const struct redshift_type *type, const char *value, char out[100])
{
    const char *name = redshift_type_name(type->kind);
    switch (type->kind) {
    case RS_CHAR:
    case RS_VARCHAR:
        snprintf(out, 100, "String length exceeds DDL length");
        return 1204;
    case RS_DATE:
        snprintf(out, 100, "Invalid Date Format - length must be 10 or more");
        return 1205;
    case RS_TIMESTAMP:
    case RS_TIMESTAMPTZ:
        snprintf(out, 100, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]");
        return 1206;
    case RS_BOOLEAN:
        snprintf(out, 100, "Unknown boolean format");
        return 1210;
    case RS_SUPER:
        snprintf(out, 100, "Invalid JSON value");
        return 1224;
    default: {
        size_t at = strspn(value, "+-0123456789");
        if (value[at])
            snprintf(out, 100, "Invalid digit, Value '%c', Pos %zu, Type: %c%.30s",
                     value[at] >= ' ' && value[at] < 127 ? value[at] : '?', at, name[0] - 32, name + 1);
        else
            snprintf(out, 100, "Overflow (Range of type %.30s), value %.30s", name, value);
        return 1207;
    }
    }
}

/* ---- into _load ------------------------------------------------------------------------------------- */

/* What an empty or blank text is. */
static void put_blank_rules(struct rs_copy *copy, size_t i, const char *inner, struct buf *out)
{
    const struct rs_options *o = &copy->options;
    enum redshift_kind kind = copy->columns[i]->type.kind;
    bool text = kind == RS_CHAR || kind == RS_VARCHAR;
    bool json = o->format == RS_FORMAT_JSON;
    if (text && o->blanks_as_null)
        buf_printf(out, "CASE WHEN trim(%s) <> '' THEN %s END", inner, inner);
    else if (text && o->empty_as_null)
        buf_printf(out, "nullif(%s, '')", inner);
    else if (!text && !json)
        buf_printf(out, "nullif(trim(%s), '')", inner);
    else if (text && o->trim)
        buf_printf(out, "rtrim(%s)", inner);
    else
        buf_text(out, inner);
}

static int stage_delimited(struct rs_copy *copy)
{
    char path[FILE_PATH_SIZE + 96];
    struct buf sql;
    snprintf(path, sizeof path, "%s/load-%" PRId64 ".csv", redshift_warehouse_stage(copy->runner->warehouse),
             copy->runner->query_id);
    if (rs_text_stage(copy, path) != 0) {
        unlink(path);
        return -1;
    }
    buf_init(&sql, SQL_LIMIT);
    buf_text(&sql,
             "CREATE TEMP TABLE \"_load\" AS SELECT CAST(f AS BIGINT) AS f, CAST(line AS BIGINT) AS line");
    for (size_t i = 0; i < copy->column_count; i++) {
        char name[24];
        snprintf(name, sizeof name, "c%zu", i);
        buf_text(&sql, ", ");
        put_blank_rules(copy, i, name, &sql);
        buf_printf(&sql, " AS c%zu", i);
    }
    buf_text(&sql, ", raw FROM read_csv(");
    redshift_put_string(&sql, path);
    buf_text(
        &sql,
        ", auto_detect=false, header=false, delim=',', quote='\"', escape='\"', nullstr='', "
        "allow_quoted_nulls=false, max_line_size=33554432, new_line='\\n', parallel=false, columns={'f': "
        "'VARCHAR', 'line': 'VARCHAR'");
    for (size_t i = 0; i < copy->column_count; i++)
        buf_printf(&sql, ", 'c%zu': 'VARCHAR'", i);
    buf_text(&sql, ", 'raw': 'VARCHAR'})");
    int result = redshift_engine(copy->runner, sql.data, copy->outcome);
    unlink(path);
    buf_free(&sql);
    return result;
}

/* "$['a'][0].b" of a JSONPaths file into the engine's "$.\"a\"[0].\"b\""; false: it is none. */
static bool json_path(const char *text, struct buf *out)
{
    if (*text++ != '$')
        return false;
    buf_char(out, '$');
    while (*text) {
        size_t length;
        if (*text == '.') {
            length = strcspn(++text, ".[");
            buf_printf(out, ".\"%.*s\"", (int)length, text);
            text += length;
        } else if (*text == '[' && (text[1] == '\'' || text[1] == '"')) {
            char quote = text[1];
            const char *end = strchr(text + 2, quote);
            if (!end || end[1] != ']')
                return false;
            buf_printf(out, ".\"%.*s\"", (int)(end - text - 2), text + 2);
            text = end + 2;
        } else if (*text == '[') {
            length = strspn(text + 1, "0123456789");
            if (length == 0 || text[1 + length] != ']')
                return false;
            buf_printf(out, "[%.*s]", (int)length, text + 1);
            text += length + 2;
        } else {
            return false;
        }
    }
    return true;
}

/* The paths of the columns, one for each; NULL with the outcome set. */
static json_t *read_paths(struct rs_copy *copy)
{
    char bucket[OBJECTS_BUCKET_MAX + 1], key[OBJECTS_KEY_MAX + 1];
    struct err err = ERR_INIT;
    struct buf bytes;
    buf_init(&bytes, 1u << 20);
    json_t *paths = NULL;
    if (!rs_url_split(copy->options.json, bucket, key) ||
        objects_read(copy->runner->objects, bucket, key, &bytes, &err) != OBJECTS_OK || bytes.length == 0) {
        rs_detail_fail(copy, "Invalid JSONPath file", 8001, copy->options.json);
    } else {
        json_t *file = json_loadb(bytes.data, bytes.length, 0, NULL);
        paths = json_incref(json_object_get(file, "jsonpaths"));
        json_decref(file);
        if (json_array_size(paths) != copy->column_count) {
            json_decref(paths);
            paths = NULL;
            rs_detail_fail(copy, "Number of jsonpaths and the number of columns should match", 8001,
                           copy->options.json);
        }
    }
    buf_free(&bytes);
    return paths;
}

static int put_json_column(struct rs_copy *copy, size_t i, const json_t *paths, struct buf *sql)
{
    struct buf path, inner;
    buf_init(&path, 4096);
    buf_init(&inner, 16384);
    bool good = true;
    const char *arrow = copy->columns[i]->type.kind == RS_SUPER ? "->" : "->>";
    if (paths) {
        const char *text = json_string_value(json_array_get(paths, i));
        good = text && strlen(text) < 2000 && json_path(text, &path);
    } else {
        buf_text(&path, "$.\"");
        buf_text(&path, copy->columns[i]->name);
        buf_char(&path, '"');
    }
    buf_printf(&inner, "CAST(json %s ", arrow);
    if (good && !paths && text_equal_fold(copy->options.json, "auto ignorecase")) {
        buf_text(&inner, "('$.\"' || list_filter(json_keys(json), lambda k: lower(k) = ");
        redshift_put_string(&inner, copy->columns[i]->name);
        buf_text(&inner, ")[1] || '\"')");
    } else if (good) {
        redshift_put_string(&inner, path.data);
    }
    buf_text(&inner, " AS VARCHAR)");
    if (good)
        put_blank_rules(copy, i, inner.data, sql);
    buf_free(&path);
    buf_free(&inner);
    return good ? 0 : rs_detail_fail(copy, "Invalid JSONPath format", 8001, copy->options.json);
}

static void put_json_source(struct rs_copy *copy, size_t file, bool lines, struct buf *sql)
{
    char path[OBJECTS_PATH_SIZE];
    const char *compression = copy->options.compression ? copy->options.compression : "uncompressed";
    buf_text(sql, " FROM read_json_objects(");
    redshift_put_string(sql, objects_path(copy->runner->objects, copy->files[file].blob, path));
    buf_printf(sql, ", format='%s', compression='%s', maximum_object_size=16777216%s)",
               lines ? "newline_delimited" : "unstructured", compression,
               lines ? ", ignore_errors=true" : "");
}

static int stage_json(struct rs_copy *copy)
{
    struct buf sql;
    json_t *paths = NULL;
    if (!text_equal_fold(copy->options.json, "auto") &&
        !text_equal_fold(copy->options.json, "auto ignorecase") && !(paths = read_paths(copy)))
        return -1;
    int result = 0;
    buf_init(&sql, SQL_LIMIT);
    for (size_t f = 0; f < copy->file_count && result == 0; f++) {
        buf_reset(&sql);
        buf_printf(&sql, "%s SELECT CAST(%zu AS BIGINT) AS f, row_number() OVER () AS line",
                   f == 0 ? "CREATE TEMP TABLE \"_load\" AS" : "INSERT INTO temp.\"_load\"", f);
        for (size_t i = 0; i < copy->column_count && result == 0; i++) {
            buf_text(&sql, ", ");
            result = put_json_column(copy, i, paths, &sql);
            buf_printf(&sql, " AS c%zu", i);
        }
        buf_text(&sql, ", CAST(json AS VARCHAR) AS raw");
        put_json_source(copy, f, copy->options.max_error > 0, &sql);
        if (result == 0 && redshift_engine(copy->runner, sql.data, copy->outcome) != 0) {
            copy->rejected++;
            rs_load_error(copy, f, 0, NULL, "", "", 1224, "Invalid JSON value");
            result = -1;
            redshift_outcome_fail(copy->outcome,
                                  "Load into table '%s' failed.  Check 'stl_load_errors' system table "
                                  "for details.",
                                  copy->name);
        }
    }
    json_decref(paths);
    buf_free(&sql);
    return result;
}

/* ---- out of _load ----------------------------------------------------------------------------------- */

/* Does the value of column i not fit, or is it missing where it must be? */
static void put_bad(struct rs_copy *copy, size_t i, struct buf *out)
{
    /* A missing value has no value either. */
    buf_text(out, "(");
    if (!copy->columns[i]->not_null)
        buf_printf(out, "c%zu IS NOT NULL AND ", i);
    buf_text(out, "(");
    put_value(copy, i, out);
    buf_text(out, ") IS NULL)");
}

static bool may_be_bad(const struct rs_copy *copy, size_t i)
{
    bool text = copy->columns[i]->type.kind == RS_CHAR || copy->columns[i]->type.kind == RS_VARCHAR;
    return copy->columns[i]->not_null || !text || !copy->options.truncate;
}

static void put_any_bad(struct rs_copy *copy, struct buf *out)
{
    buf_text(out, "(raw IS NULL");
    for (size_t i = 0; i < copy->column_count; i++)
        if (may_be_bad(copy, i)) {
            buf_text(out, " OR ");
            put_bad(copy, i, out);
        }
    buf_char(out, ')');
}

static char *text_at(struct duck_statement *row, size_t column)
{
    size_t length = 0;
    const char *text =
        duck_is_null(duck_column(row, column)) ? "" : duck_text(duck_column(row, column), &length);
    char *copy = mem_alloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static int tell_errors(struct rs_copy *copy)
{
    struct err err = ERR_INIT;
    struct buf sql;
    buf_init(&sql, SQL_LIMIT);
    buf_text(&sql, "SELECT * FROM (SELECT f, line, -1::BIGINT AS i, NULL::VARCHAR AS value, raw FROM "
                   "temp.\"_load\" WHERE raw IS NULL");
    for (size_t i = 0; i < copy->column_count; i++)
        if (may_be_bad(copy, i)) {
            buf_printf(&sql, " UNION ALL SELECT f, line, %zu, c%zu, raw FROM temp.\"_load\" WHERE ", i, i);
            put_bad(copy, i, &sql);
        }
    buf_printf(&sql, ") ORDER BY f, line, i LIMIT %d", REDSHIFT_LOAD_ERRORS);
    struct duck_statement *row = duck_prepare(copy->runner->connection, sql.data, &err);
    int step = row ? 0 : -1;
    while (step >= 0 && (step = duck_step(row, &err)) == 1) {
        char *value = text_at(row, 3), *raw = text_at(row, 4), reason[100];
        int64_t i = duck_int(duck_column(row, 2)), f = duck_int(duck_column(row, 0));
        bool missing = i >= 0 && duck_is_null(duck_column(row, 3));
        const struct redshift_column *column = i >= 0 ? copy->columns[i] : NULL;
        int code = column && !missing ? reason_of(&column->type, value, reason) : 1224;
        if (missing) {
            snprintf(reason, sizeof reason, "Missing data for not-null field");
            code = 1213;
        } else if (!column) {
            snprintf(reason, sizeof reason, "Invalid JSON value");
        }
        rs_load_error(copy, (size_t)f, duck_int(duck_column(row, 1)), column, raw, value, code, reason);
        free(value);
        free(raw);
    }
    duck_finalize(row);
    buf_free(&sql);
    return step < 0 ? redshift_outcome_fail(copy->outcome, "%s", err.text) : 0;
}

/* The first column of the only row. */
static int one_number(struct rs_copy *copy, const char *sql, int64_t *number)
{
    struct err err = ERR_INIT;
    struct duck_statement *row = duck_prepare(copy->runner->connection, sql, &err);
    int step = row ? duck_step(row, &err) : -1;
    *number = step == 1 && !duck_is_null(duck_column(row, 0)) ? duck_int(duck_column(row, 0)) : 0;
    char text[700];
    if (step < 0)
        redshift_error_text(copy->runner->connection, &err, text, sizeof text);
    duck_finalize(row);
    return step < 0 ? redshift_outcome_fail(copy->outcome, "%s", text) : 0;
}

static int find_bad(struct rs_copy *copy)
{
    struct buf sql;
    int64_t bad = 0;
    buf_init(&sql, SQL_LIMIT);
    buf_text(&sql, "SELECT count(*) FROM temp.\"_load\" WHERE ");
    put_any_bad(copy, &sql);
    int result = one_number(copy, sql.data, &bad);
    buf_free(&sql);
    if (result == 0 && bad > 0)
        result = tell_errors(copy);
    copy->rejected += bad;
    return result;
}

static int insert(struct rs_copy *copy)
{
    struct buf sql;
    buf_init(&sql, SQL_LIMIT);
    buf_printf(&sql, "INSERT INTO %s (", copy->table.data);
    for (size_t i = 0; i < copy->column_count; i++) {
        buf_text(&sql, i ? ", " : "");
        redshift_put_name(&sql, copy->columns[i]->name);
    }
    buf_text(&sql, ") SELECT ");
    for (size_t i = 0; i < copy->column_count; i++) {
        buf_text(&sql, i ? ", " : "");
        put_value(copy, i, &sql);
    }
    buf_text(&sql, " FROM temp.\"_load\" WHERE NOT ");
    put_any_bad(copy, &sql);
    buf_text(&sql, " ORDER BY f, line");
    int result = one_number(copy, sql.data, &copy->loaded);
    buf_free(&sql);
    return result;
}

int rs_load_text(struct rs_copy *copy)
{
    int result = copy->options.format == RS_FORMAT_JSON ? stage_json(copy) : stage_delimited(copy);
    if (result == 0 && copy->file_count > 0)
        result = find_bad(copy);
    if (result == 0 && copy->rejected > copy->options.max_error)
        result =
            redshift_outcome_fail(copy->outcome,
                                  "Load into table '%s' failed.  Check 'stl_load_errors' system table for "
                                  "details.",
                                  copy->name);
    return result == 0 && copy->file_count > 0 && !copy->options.no_load ? insert(copy) : result;
}
