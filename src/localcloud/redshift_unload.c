/* UNLOAD ('query') TO 's3://bucket/prefix': one file, or one for each partition, that appears whole or not at
 * all, and then their manifest. */
#include "localcloud/redshift_load.h"
#include "localcloud/redshift_value.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (1u << 20)

struct unload {
    struct redshift_runner *runner;
    struct redshift_outcome *outcome;
    struct rs_options options;
    char bucket[OBJECTS_BUCKET_MAX + 1], prefix[OBJECTS_KEY_MAX + 1];
    struct buf sql; /* the query, rewritten */
    struct objects_writer *writer;
    int64_t rows, all_rows, all_bytes; /* of the file; of all */
    json_t *elements;                  /* of the manifest's schema */
    json_t *entries;                   /* of the manifest */
};

static bool any_key(void *context, const struct object_info *info, const char *common_prefix)
{
    *(bool *)context = true;
    return false;
}

struct keys {
    char **list;
    size_t count;
};

static bool collect(void *context, const struct object_info *info, const char *common_prefix)
{
    struct keys *keys = context;
    keys->list = mem_resize(keys->list, keys->count + 1, sizeof *keys->list);
    keys->list[keys->count++] = mem_text(info->key);
    return true;
}

static int clear_target(struct unload *u)
{
    struct err err = ERR_INIT;
    struct objects_query query = {.prefix = u->prefix, .delimiter = "", .after = "", .limit = 0};
    bool there = false;
    enum objects_status status =
        objects_list(u->runner->objects, u->bucket, &query, any_key, &there, NULL, &err);
    if (status == OBJECTS_NO_BUCKET)
        return redshift_outcome_fail(u->outcome,
                                     "S3ServiceException:The specified bucket does not exist,Status "
                                     "404,Error NoSuchBucket");
    if (status != OBJECTS_OK)
        return redshift_outcome_fail(u->outcome, "%s", err.text);
    if (there && u->options.clean) {
        struct keys keys = {0};
        status = objects_list(u->runner->objects, u->bucket, &query, collect, &keys, NULL, &err);
        for (size_t i = 0; i < keys.count; i++) {
            if (status == OBJECTS_OK)
                status = objects_delete(u->runner->objects, u->bucket, keys.list[i], &err);
            free(keys.list[i]);
        }
        free(keys.list);
        return status == OBJECTS_OK ? 0 : redshift_outcome_fail(u->outcome, "%s", err.text);
    }
    if (there && !u->options.overwrite)
        return redshift_outcome_fail(
            u->outcome, "Specified unload destination on S3 is not empty. Consider using a different "
                        "bucket / prefix, manually removing the target files in S3, or using the "
                        "ALLOWOVERWRITE option.");
    return 0;
}

static int engine_failed(struct unload *u, const struct err *err)
{
    char text[700];
    redshift_error_text(u->runner->connection, err, text, sizeof text);
    return redshift_outcome_fail(u->outcome, "%s", text);
}

static void describe_columns(struct unload *u, struct duck_statement *statement)
{
    json_decref(u->elements);
    u->elements = json_array();
    for (size_t i = 0; i < duck_column_count(statement); i++) {
        struct redshift_type type = redshift_type_of(duck_column_type(statement, i));
        json_array_append_new(u->elements, json_pack("{s:s,s:{s:s}}", "name", duck_column_name(statement, i),
                                                     "type", "base", redshift_type_name(type.kind)));
    }
}

static int write_parquet(struct unload *u)
{
    struct err err = ERR_INIT;
    struct duck_statement *query = duck_prepare(u->runner->connection, u->sql.data, &err);
    if (!query)
        return engine_failed(u, &err);
    describe_columns(u, query);
    struct buf sql;
    buf_init(&sql, 8u << 20);
    buf_text(&sql, "COPY (SELECT ");
    for (size_t i = 0; i < duck_column_count(query);
         i++) { /* sums of integers are wider than any Parquet type */
        struct buf name;
        buf_init(&name, 1024);
        redshift_put_name(&name, duck_column_name(query, i));
        bool wide = duck_column_type(query, i)->kind == DUCK_HUGEINT;
        buf_printf(&sql, wide ? "%sCAST(%s AS BIGINT) AS %s" : "%s%s", i ? ", " : "", name.data, name.data);
        buf_free(&name);
    }
    buf_printf(&sql, " FROM (%s)) TO ", u->sql.data);
    duck_finalize(query);
    redshift_put_string(&sql, objects_writer_path(u->writer));
    buf_text(&sql, " (FORMAT parquet, COMPRESSION snappy)");
    struct duck_statement *copy = duck_prepare(u->runner->connection, sql.data, &err);
    int result = copy && duck_step(copy, &err) >= 0 ? 0 : engine_failed(u, &err);
    if (result == 0 && duck_column_count(copy) == 1)
        u->rows = duck_int(duck_column(copy, 0));
    duck_finalize(copy);
    buf_free(&sql);
    return result;
}

static void put_text(struct unload *u, struct duck_value value, struct buf *text, struct buf *out)
{
    const struct rs_options *o = &u->options;
    if (duck_is_null(value)) {
        buf_text(out, o->null_as ? o->null_as : "");
        return;
    }
    buf_reset(text);
    if (value.type->kind == DUCK_BOOLEAN)
        buf_text(text, duck_int(value) ? "t" : "f");
    else
        redshift_value_text(value, text);
    const char *data = text->data ? text->data : "";
    bool csv = o->format == RS_FORMAT_CSV;
    bool quote = o->add_quotes ||
                 (csv && (text->length == 0 || strpbrk(data, "\"\r\n") || strchr(data, o->delimiter)));
    if (quote)
        buf_char(out, '"');
    for (size_t i = 0; i < text->length; i++) {
        if (data[i] == '"' && quote)
            buf_char(out, csv ? '"' : '\\');
        else if (o->escape && !csv && (data[i] == o->delimiter || data[i] == '\\' || data[i] == '\n'))
            buf_char(out, '\\');
        buf_char(out, data[i]);
    }
    if (quote)
        buf_char(out, '"');
}

static void put_json(struct duck_statement *row, struct buf *text, struct buf *out)
{
    json_t *object = json_object();
    for (size_t i = 0; i < duck_column_count(row); i++) {
        struct duck_value value = duck_column(row, i);
        struct redshift_type type = redshift_type_of(value.type);
        json_t *field = redshift_value_field(value, type.kind), *made = NULL;
        if (duck_is_null(value))
            made = json_null();
        else if (type.kind == RS_SUPER) {
            buf_reset(text);
            redshift_value_text(value, text);
            made = json_loads(text->data ? text->data : "null", JSON_DECODE_ANY, NULL);
        }
        void *iterator = json_object_iter(field);
        if (!made)
            made = json_incref(json_object_iter_value(iterator));
        json_object_set_new(object, duck_column_name(row, i), made);
        json_decref(field);
    }
    char *line = json_dumps(object, JSON_COMPACT);
    buf_text(out, line ? line : "{}");
    free(line);
    json_decref(object);
}

static int write_text(struct unload *u)
{
    struct err err = ERR_INIT;
    struct duck_statement *row = duck_prepare(u->runner->connection, u->sql.data, &err);
    if (!row)
        return engine_failed(u, &err);
    struct buf out, text;
    struct rs_sink *sink = rs_sink_create(u->writer, u->options.compression);
    buf_init(&out, 64u << 20);
    buf_init(&text, 16u << 20);
    bool own = !sink;
    int step = sink ? duck_run(row, &err) : err_set(&err, ERR_INTERNAL, "no memory to compress");
    describe_columns(u, row);
    for (size_t i = 0; i < duck_column_count(row) && u->options.header; i++)
        buf_printf(&out, "%.*s%s%s", i ? 1 : 0, &u->options.delimiter, duck_column_name(row, i),
                   i + 1 == duck_column_count(row) ? "\n" : "");
    while (step == 0 && (step = duck_step(row, &err)) == 1) {
        for (size_t i = 0; i < duck_column_count(row) && u->options.format != RS_FORMAT_JSON; i++) {
            if (i > 0)
                buf_char(&out, u->options.delimiter);
            put_text(u, duck_column(row, i), &text, &out);
        }
        if (u->options.format == RS_FORMAT_JSON)
            put_json(row, &text, &out);
        buf_char(&out, '\n');
        u->rows++;
        step = 0;
        if (out.length > CHUNK) {
            own = rs_sink_write(sink, out.data, out.length, false, &err) != 0;
            step = own ? -1 : 0;
            buf_reset(&out);
        }
    }
    if (step == 0) {
        own = rs_sink_write(sink, out.data ? out.data : "", out.length, true, &err) != 0;
        step = own ? -1 : 0;
    }
    rs_sink_destroy(sink);
    duck_finalize(row);
    buf_free(&out);
    buf_free(&text);
    return step == 0 ? 0 : own ? redshift_outcome_fail(u->outcome, "%s", err.text) : engine_failed(u, &err);
}

static const char *ending(const struct rs_options *o, char out[72])
{
    const char *compressed = !o->compression ? "" : strcmp(o->compression, "gzip") == 0 ? ".gz" : ".zst";
    if (o->extension)
        snprintf(out, 72, ".%.63s", o->extension);
    else
        snprintf(out, 72, "%s%s", o->format == RS_FORMAT_PARQUET ? ".parquet" : "", compressed);
    return out;
}

/* folder: "a=1/", of a partition. */
static int commit(struct unload *u, const char *folder)
{
    struct err err = ERR_INIT;
    struct objects_put put = {.headers = "content-type: binary/octet-stream\n"};
    char key[OBJECTS_KEY_MAX * 2], url[OBJECTS_KEY_MAX + 120], end[72];
    snprintf(key, sizeof key, "%s%s%s%s", u->prefix, folder, u->options.serial ? "000" : "0000_part_00",
             ending(&u->options, end));
    if (strlen(key) > OBJECTS_KEY_MAX)
        return redshift_outcome_fail(u->outcome, "the name of the file is too long");
    if (objects_writer_close(u->writer, &err) != 0)
        return redshift_outcome_fail(u->outcome, "%s", err.text);
    int64_t size = objects_writer_size(u->writer);
    if (objects_writer_commit(u->writer, u->bucket, key, &put, NULL, &err) != OBJECTS_OK)
        return redshift_outcome_fail(u->outcome, "%s", err.text);
    snprintf(url, sizeof url, "s3://%s/%.1024s", u->bucket, key);
    json_array_append_new(u->entries, json_pack("{s:s,s:{s:I,s:I}}", "url", url, "meta", "content_length",
                                                (json_int_t)size, "record_count", (json_int_t)u->rows));
    u->all_rows += u->rows;
    u->all_bytes += size;
    return 0;
}

static int write_manifest(struct unload *u)
{
    struct err err = ERR_INIT;
    char key[OBJECTS_KEY_MAX + 40];
    json_t *manifest = json_pack(
        "{s:O,s:{s:O},s:{s:I,s:I},s:{s:s,s:s}}", "entries", u->entries, "schema", "elements",
        u->elements ? u->elements : json_null(), "meta", "content_length", (json_int_t)u->all_bytes,
        "record_count", (json_int_t)u->all_rows, "author", "name", "Amazon Redshift", "version", "1.0.0");
    char *text = json_dumps(manifest, JSON_INDENT(2));
    snprintf(key, sizeof key, "%smanifest", u->prefix);
    enum objects_status status = objects_put(u->runner->objects, u->bucket, key, text ? text : "",
                                             text ? strlen(text) : 0, NULL, &err);
    free(text);
    json_decref(manifest);
    return status == OBJECTS_OK ? 0 : redshift_outcome_fail(u->outcome, "%s", err.text);
}

static int one_file(struct unload *u, const char *folder)
{
    struct err err = ERR_INIT;
    u->rows = 0;
    u->writer = objects_writer_create(u->runner->objects, &err);
    if (!u->writer)
        return redshift_outcome_fail(u->outcome, "%s", err.text);
    int result = u->options.format == RS_FORMAT_PARQUET ? write_parquet(u) : write_text(u);
    if (result == 0)
        result = commit(u, folder);
    objects_writer_destroy(u->writer);
    u->writer = NULL;
    return result;
}

/* ---- partitions ------------------------------------------------------------------------------------- */

static void put_encoded(struct buf *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte <= ' ' || byte >= 0x7f || strchr("\"#%'*/:=?\\{}[]^", byte))
            buf_printf(out, "%%%02X", byte);
        else
            buf_char(out, text[i]);
    }
}

static bool is_partition(const struct rs_options *o, const char *name)
{
    for (size_t i = 0; i < o->partition_count; i++)
        if (strcmp(o->partition[i], name) == 0)
            return true;
    return false;
}

/* The rows of one partition without its columns, unless they are to be INCLUDEd, from the temporary table. */
static int partition_query(struct unload *u, const struct duck_statement *all, struct duck_statement *key,
                           struct buf *folder)
{
    const struct rs_options *o = &u->options;
    size_t shown = 0;
    buf_reset(&u->sql);
    buf_text(&u->sql, "SELECT ");
    for (size_t i = 0; i < duck_column_count(all); i++)
        if (o->include || !is_partition(o, duck_column_name(all, i))) {
            buf_text(&u->sql, shown++ ? ", " : "");
            redshift_put_name(&u->sql, duck_column_name(all, i));
        }
    buf_text(&u->sql, " FROM temp.\"_unload\" WHERE true");
    buf_reset(folder);
    for (size_t i = 0; i < o->partition_count; i++) {
        struct duck_value value = duck_column(key, i);
        size_t length = 0;
        const char *text = duck_is_null(value) ? NULL : duck_text(value, &length);
        char *copy = mem_alloc(length + 1);
        memcpy(copy, text ? text : "", length);
        copy[length] = '\0';
        buf_text(&u->sql, " AND CAST(");
        redshift_put_name(&u->sql, o->partition[i]);
        buf_text(&u->sql, text ? " AS VARCHAR) = " : " AS VARCHAR) IS NULL");
        if (text)
            redshift_put_string(&u->sql, copy);
        put_encoded(folder, o->partition[i], strlen(o->partition[i]));
        buf_char(folder, '=');
        if (text)
            put_encoded(folder, copy, length);
        else
            buf_text(folder, "__HIVE_DEFAULT_PARTITION__");
        buf_char(folder, '/');
        free(copy);
    }
    return shown ? 0 : redshift_outcome_fail(u->outcome, "All columns are partition columns");
}

static int each_partition(struct unload *u)
{
    struct err err = ERR_INIT;
    struct redshift_outcome ignored = {0};
    struct buf sql, folder;
    buf_init(&sql, 8u << 20);
    buf_init(&folder, OBJECTS_KEY_MAX);
    buf_printf(&sql, "CREATE TEMP TABLE \"_unload\" AS %s", u->sql.data);
    int result = redshift_engine(u->runner, sql.data, u->outcome);
    buf_reset(&sql);
    buf_text(&sql, "SELECT DISTINCT ");
    for (size_t i = 0; i < u->options.partition_count; i++) {
        buf_text(&sql, i ? ", CAST(" : "CAST(");
        redshift_put_name(&sql, u->options.partition[i]);
        buf_text(&sql, " AS VARCHAR)");
    }
    buf_text(&sql, " FROM temp.\"_unload\" ORDER BY ALL");
    struct duck_statement *all =
        result == 0 ? duck_prepare(u->runner->connection, "SELECT * FROM temp.\"_unload\"", &err) : NULL;
    struct duck_statement *key = all ? duck_prepare(u->runner->connection, sql.data, &err) : NULL;
    if (result == 0 && !key)
        result = engine_failed(u, &err);
    /* A connection has one result at a time: the keys come first. */
    struct buf queries;
    buf_init(&queries, 64u << 20);
    int step = result == 0 ? 1 : 0;
    while (result == 0 && (step = duck_step(key, &err)) == 1) {
        result = partition_query(u, all, key, &folder);
        buf_append(&queries, u->sql.data, u->sql.length + 1);
        buf_append(&queries, folder.data ? folder.data : "", folder.length);
        buf_char(&queries, '\0');
    }
    if (step < 0)
        result = engine_failed(u, &err);
    duck_finalize(key);
    duck_finalize(all);
    if (queries.overflow || folder.overflow)
        result = redshift_outcome_fail(u->outcome, "too many partitions");
    for (size_t at = 0; result == 0 && at < queries.length;) {
        buf_reset(&u->sql);
        buf_text(&u->sql, queries.data + at);
        at += strlen(queries.data + at) + 1;
        result = one_file(u, queries.data + at);
        at += strlen(queries.data + at) + 1;
    }
    redshift_engine(u->runner, "DROP TABLE IF EXISTS temp.\"_unload\"", &ignored);
    buf_free(&queries);
    buf_free(&sql);
    buf_free(&folder);
    return result;
}

/* ---- the statement ---------------------------------------------------------------------------------- */

static int rewrite_query(struct unload *u, const char *sql)
{
    struct redshift_tokens tokens;
    struct redshift_failure failure;
    if (redshift_lex(&tokens, sql, NULL, 0, &failure) != 0)
        return redshift_outcome_fail(u->outcome, "%s", failure.text);
    size_t into;
    int result = 0;
    if (tokens.count == 0 || (!redshift_is(&tokens.list[0], "select") &&
                              !redshift_is(&tokens.list[0], "with") && !redshift_is_op(&tokens.list[0], "(")))
        result = redshift_fail_at(&tokens, 0, &failure);
    else if (redshift_is(&tokens.list[tokens.count - 2 < tokens.count ? tokens.count - 2 : 0], "limit"))
        result = redshift_fail(&failure, "Limit clause is not supported");
    for (into = 0; into < tokens.count && result == 0; into++)
        if (redshift_is(&tokens.list[into], "into") || redshift_is_op(&tokens.list[into], ";"))
            result = redshift_fail_at(&tokens, into, &failure);
    if (result == 0)
        result = redshift_rewrite(&tokens, 0, tokens.count, &u->runner->scope, true, &u->sql, &failure);
    redshift_tokens_free(&tokens);
    return result == 0 ? 0 : redshift_outcome_fail(u->outcome, "%s", failure.text);
}

static int run(struct unload *u)
{
    if (clear_target(u) != 0)
        return -1;
    u->entries = json_array();
    int result = u->options.partition_count ? each_partition(u) : one_file(u, "");
    if (result == 0 && u->options.manifest)
        result = write_manifest(u);
    json_decref(u->elements);
    json_decref(u->entries);
    u->outcome->rows = result == 0 ? u->all_rows : 0;
    return result;
}

int redshift_unload(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                    struct redshift_outcome *outcome)
{
    struct unload u = {.runner = runner, .outcome = outcome};
    struct redshift_failure failure;
    const struct redshift_token *list = tokens->list;
    size_t at = 1;
    if (!redshift_take_op(tokens, &at, "(") || list[at].kind != RS_STRING ||
        !redshift_is_op(&list[at + 1], ")") || !redshift_is(&list[at + 2], "to") ||
        list[at + 3].kind != RS_STRING) {
        redshift_fail_at(tokens, at, &failure);
        return redshift_outcome_fail(outcome, "%s", failure.text);
    }
    const char *sql = list[at].value, *url = list[at + 3].value;
    at += 4;
    if (rs_options_read(tokens, &at, &u.options, true, outcome) != 0)
        return -1;
    if (!rs_url_split(url, u.bucket, u.prefix))
        return redshift_outcome_fail(outcome,
                                     "UNLOAD destination is not supported. (Hint: only S3 based unload is "
                                     "allowed)");
    if (u.options.compression && u.options.format == RS_FORMAT_PARQUET)
        return redshift_outcome_fail(outcome, "%s is not supported for UNLOAD to PARQUET",
                                     u.options.compression);
    if (u.options.header && u.options.format != RS_FORMAT_CSV && u.options.format != RS_FORMAT_TEXT)
        return redshift_outcome_fail(outcome, "HEADER is not supported for this UNLOAD format");
    buf_init(&u.sql, 4u << 20);
    int result = rewrite_query(&u, sql);
    if (result == 0)
        result = run(&u);
    buf_free(&u.sql);
    return result;
}
