/* COPY: the statement, its files, its ledger. */
#include "localcloud/redshift_load.h"

#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANIFEST_LIMIT (64u << 20)
#define BOX            "-----------------------------------------------"

int rs_detail_fail(struct rs_copy *copy, const char *error, int code, const char *context)
{
    return redshift_outcome_fail(copy->outcome,
                                 "%s Detail: " BOX
                                 "   error:  %s   code:      %d   context:   %s   query:     "
                                 "%" PRId64 "   " BOX,
                                 error, error, code, context, copy->runner->query_id);
}

bool rs_url_split(const char *url, char bucket[OBJECTS_BUCKET_MAX + 1], char key[OBJECTS_KEY_MAX + 1])
{
    if (!url || strncmp(url, "s3://", 5) != 0)
        return false;
    size_t length = strcspn(url + 5, "/");
    const char *rest = url + 5 + length;
    if (length == 0 || length > OBJECTS_BUCKET_MAX || strlen(rest) > OBJECTS_KEY_MAX)
        return false;
    snprintf(bucket, OBJECTS_BUCKET_MAX + 1, "%.*s", (int)length, url + 5);
    snprintf(key, OBJECTS_KEY_MAX + 1, "%s", *rest ? rest + 1 : "");
    return true;
}

void rs_file_url(const struct rs_file *file, struct buf *out)
{
    buf_printf(out, "s3://%s/%s", file->bucket, file->key);
}

/* ---- files ------------------------------------------------------------------------------------------ */

static int no_object(struct rs_copy *copy, enum objects_status status, const char *url)
{
    char text[OBJECTS_KEY_MAX + 200];
    snprintf(text, sizeof text,
             "S3ServiceException:The specified %s does not exist,Status 404,Error %s: %.900s",
             status == OBJECTS_NO_BUCKET ? "bucket" : "key",
             status == OBJECTS_NO_BUCKET ? "NoSuchBucket" : "NoSuchKey", url);
    return rs_detail_fail(copy, text, 8001, url);
}

static void add_file(struct rs_copy *copy, const char *bucket, const struct object_info *info)
{
    if (copy->file_count == copy->file_capacity) {
        copy->file_capacity = copy->file_capacity ? copy->file_capacity * 2 : 16;
        copy->files = mem_resize(copy->files, copy->file_capacity, sizeof *copy->files);
    }
    struct rs_file *file = &copy->files[copy->file_count++];
    *file = (struct rs_file){.bucket = mem_text(bucket), .key = mem_text(info->key), .size = info->size};
    memcpy(file->blob, info->blob, sizeof file->blob);
    copy->bytes += info->size;
}

struct finder {
    struct rs_copy *copy;
    const char *bucket;
};

static bool found(void *context, const struct object_info *info, const char *common_prefix)
{
    struct finder *finder = context;
    size_t length = strlen(info->key);
    if (length > 0 && info->key[length - 1] == '/' && info->size == 0)
        return true; /* a folder that somebody made */
    add_file(finder->copy, finder->bucket, info);
    return finder->copy->file_count < REDSHIFT_LOAD_FILES;
}

static int by_prefix(struct rs_copy *copy, const char *bucket, const char *key)
{
    struct err err = ERR_INIT;
    struct finder finder = {.copy = copy, .bucket = bucket};
    struct objects_query query = {.prefix = key, .delimiter = "", .after = ""};
    enum objects_status status =
        objects_list(copy->runner->objects, bucket, &query, found, &finder, NULL, &err);
    if (status == OBJECTS_NO_BUCKET)
        return no_object(copy, status, copy->source);
    if (status != OBJECTS_OK)
        return redshift_outcome_fail(copy->outcome, "%s", err.text);
    if (copy->file_count > 0)
        return 0;
    char text[OBJECTS_KEY_MAX + 80];
    snprintf(text, sizeof text, "The specified S3 prefix '%s' does not exist", key);
    return rs_detail_fail(copy, text, 8001, "");
}

static int manifest_entry(struct rs_copy *copy, const json_t *entry)
{
    char bucket[OBJECTS_BUCKET_MAX + 1], key[OBJECTS_KEY_MAX + 1];
    const char *url = json_string_value(json_object_get(entry, "url"));
    const json_t *length = json_object_get(json_object_get(entry, "meta"), "content_length");
    struct object_info info = {0};
    struct err err = ERR_INIT;
    if (!rs_url_split(url, bucket, key))
        return rs_detail_fail(copy, "Manifest file is not in correct json format", 8001, copy->source);
    enum objects_status status = objects_head(copy->runner->objects, bucket, key, &info, &err);
    if (status == OBJECTS_NO_KEY || status == OBJECTS_NO_BUCKET)
        return json_is_true(json_object_get(entry, "mandatory")) ? no_object(copy, status, url) : 0;
    if (status != OBJECTS_OK)
        return redshift_outcome_fail(copy->outcome, "%s", err.text);
    int result = 0;
    if (copy->options.format == RS_FORMAT_PARQUET && !json_is_integer(length))
        result = rs_detail_fail(copy, "Manifest of columnar files needs the meta key with content_length",
                                8001, url);
    else if (json_is_integer(length) && json_integer_value(length) != info.size)
        result = rs_detail_fail(copy, "File size does not match content_length of the manifest", 8001, url);
    else if (copy->file_count == REDSHIFT_LOAD_FILES)
        result = rs_detail_fail(copy, "too many files", 8001, url);
    else
        add_file(copy, bucket, &info);
    object_info_free(&info);
    return result;
}

static int by_manifest(struct rs_copy *copy, const char *bucket, const char *key)
{
    struct err err = ERR_INIT;
    struct buf bytes;
    buf_init(&bytes, MANIFEST_LIMIT);
    enum objects_status status = objects_read(copy->runner->objects, bucket, key, &bytes, &err);
    json_t *manifest =
        status == OBJECTS_OK && bytes.length > 0 ? json_loadb(bytes.data, bytes.length, 0, NULL) : NULL;
    const json_t *entries = json_object_get(manifest, "entries");
    int result = 0;
    if (status == OBJECTS_NO_KEY || status == OBJECTS_NO_BUCKET)
        result = no_object(copy, status, copy->source);
    else if (!json_is_array(entries))
        result = rs_detail_fail(copy, "Manifest file is not in correct json format", 8001, copy->source);
    for (size_t i = 0; i < json_array_size(entries) && result == 0; i++)
        result = manifest_entry(copy, json_array_get(entries, i));
    json_decref(manifest);
    buf_free(&bytes);
    return result;
}

int rs_find_files(struct rs_copy *copy)
{
    char bucket[OBJECTS_BUCKET_MAX + 1], key[OBJECTS_KEY_MAX + 1];
    if (!rs_url_split(copy->source, bucket, key))
        return redshift_outcome_fail(copy->outcome,
                                     "COPY from %.100s is not emulated locally: only from s3://",
                                     copy->source ? copy->source : "there");
    return copy->options.manifest ? by_manifest(copy, bucket, key) : by_prefix(copy, bucket, key);
}

/* ---- the target ------------------------------------------------------------------------------------- */

/* COPY t (a, b): those, in that order. Else all but IDENTITY, unless EXPLICIT_IDS. */
static int choose_columns(struct rs_copy *copy, const struct redshift_tokens *tokens, size_t open)
{
    if (redshift_table_read(copy->runner, copy->schema, copy->name, &copy->target, copy->outcome) != 0)
        return -1;
    if (copy->target.count == 0)
        return redshift_outcome_fail(copy->outcome, "Cannot COPY into nonexistent table %s", copy->name);
    copy->columns = mem_zero(REDSHIFT_COLUMNS_MAX + 1, sizeof *copy->columns);
    for (size_t i = 0; i < copy->target.count && !open; i++)
        if (!copy->target.columns[i].identity || copy->options.explicit_ids)
            copy->columns[copy->column_count++] = &copy->target.columns[i];
    size_t close = open ? tokens->list[open].partner : 0;
    for (size_t at = open + 1; at < close; at += 2) {
        const char *name = tokens->list[at].value ? tokens->list[at].value : "";
        const struct redshift_column *found = NULL;
        for (size_t i = 0; i < copy->target.count && !found; i++)
            if (strcmp(copy->target.columns[i].name, name) == 0)
                found = &copy->target.columns[i];
        if (!found)
            return redshift_outcome_fail(copy->outcome, "column \"%s\" of relation \"%s\" does not exist",
                                         name, copy->name);
        for (size_t i = 0; i < copy->column_count; i++)
            if (copy->columns[i] == found)
                return redshift_outcome_fail(copy->outcome, "column \"%s\" specified more than once", name);
        if (at + 1 < close && !redshift_is_op(&tokens->list[at + 1], ",")) {
            struct redshift_failure failure;
            redshift_fail_at(tokens, at + 1, &failure);
            return redshift_outcome_fail(copy->outcome, "%s", failure.text);
        }
        copy->columns[copy->column_count++] = found;
    }
    return 0;
}

/* ---- the ledger ------------------------------------------------------------------------------------- */

static void cut(struct buf *out, const char *text, size_t most)
{
    char *harmless = mem_alloc(most + 1);
    text_copy(harmless, most + 1, text ? text : "");
    redshift_put_string(out, harmless);
    free(harmless);
}

static void put_time(struct buf *out, int64_t us)
{
    buf_printf(out, "make_timestamp(%" PRId64 ")", us);
}

void rs_load_error(struct rs_copy *copy, size_t file, int64_t line, const struct redshift_column *column,
                   const char *raw, const char *value, int code, const char *reason)
{
    struct buf *out = &copy->errors, type, url;
    if (copy->error_count++ >= REDSHIFT_LOAD_ERRORS)
        return;
    buf_init(&type, 128);
    buf_init(&url, 2048);
    if (column)
        redshift_type_write(&column->type, &type);
    if (file < copy->file_count)
        rs_file_url(&copy->files[file], &url);
    buf_printf(out, "%s(%" PRId64 ", ", out->length ? ", " : "", copy->runner->query_id);
    put_time(out, clock_wall_us());
    buf_text(out, ", 0, ");
    cut(out, copy->name, 127);
    buf_text(out, ", ");
    cut(out, url.data, 1100);
    buf_printf(out, ", %" PRId64 ", ", line);
    cut(out, column ? column->name : "", 127);
    buf_text(out, ", ");
    cut(out, column ? redshift_type_name(column->type.kind) : "", 60);
    buf_printf(out, ", '%d', 0, ", column && column->type.length ? column->type.length : 0);
    cut(out, raw, 1024);
    buf_text(out, ", ");
    cut(out, value, 1024);
    buf_printf(out, ", %d, ", code);
    cut(out, reason, 100);
    buf_char(out, ')');
    buf_free(&type);
    buf_free(&url);
}

static void write_ledger(struct rs_copy *copy, bool good, int64_t begun, struct buf *out)
{
    static const char *const formats[] = {"text", "csv", "json", "parquet"};
    buf_printf(out, "INSERT INTO _redshift.loads VALUES (%" PRId64 ", ", copy->runner->query_id);
    cut(out, copy->name, 127);
    buf_text(out, ", ");
    cut(out, copy->source, 1100);
    buf_printf(out, ", '%s', ", good ? "completed" : "failed");
    put_time(out, begun);
    buf_text(out, ", ");
    put_time(out, clock_wall_us());
    buf_printf(out, ", %" PRId64 ", %" PRId64 ", %zu, %" PRId64 ", '%s', ", good ? copy->loaded : 0,
               copy->bytes, copy->file_count, copy->rejected, formats[copy->options.format]);
    cut(out, good ? "" : copy->outcome->error, 900);
    buf_text(out, "); ");
    if (copy->errors.length > 0 && !copy->errors.overflow)
        buf_printf(out, "INSERT INTO _redshift.load_errors VALUES %s; ", copy->errors.data);
}

/* ---- the statement ---------------------------------------------------------------------------------- */

static int load(struct rs_copy *copy)
{
    int result = rs_find_files(copy);
    if (result == 0)
        result = copy->options.format == RS_FORMAT_PARQUET ? rs_load_parquet(copy) : rs_load_text(copy);
    return result;
}

static int run(struct rs_copy *copy, const struct redshift_tokens *tokens, size_t open)
{
    struct redshift_runner *runner = copy->runner;
    struct redshift_outcome ignored = {0};
    struct buf ledger;
    int64_t begun = clock_wall_us();
    bool own = !runner->in_transaction;
    if (choose_columns(copy, tokens, open) != 0)
        return -1;
    buf_init(&ledger, 8u << 20);
    struct objects_lease *lease = objects_lease(runner->objects);
    int result = own ? redshift_engine(runner, "BEGIN", copy->outcome) : 0;
    if (result == 0)
        result = load(copy);
    redshift_engine(runner, "DROP TABLE IF EXISTS temp.\"_load\"", &ignored);
    if (result == 0) {
        write_ledger(copy, true, begun, &ledger);
        result = redshift_engine(runner, ledger.data, copy->outcome);
    }
    if (result == 0 && own)
        result = redshift_engine(runner, "COMMIT", copy->outcome);
    objects_release(lease);
    if (result != 0) {
        if (own)
            redshift_engine(runner, "ROLLBACK", &ignored);
        write_ledger(copy, false, begun, &runner->after);
    } else {
        runner->scope.last_copy_id = runner->query_id;
        runner->scope.last_copy_count = copy->loaded;
        copy->outcome->rows = copy->loaded;
    }
    buf_free(&ledger);
    return result;
}

/* COPY table [(columns)] FROM 's3://…' options */
int redshift_copy(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                  struct redshift_outcome *outcome)
{
    struct rs_copy copy = {.runner = runner, .outcome = outcome};
    struct redshift_failure failure;
    size_t at = 1, open = 0;
    buf_init(&copy.table, 1024);
    buf_init(&copy.errors, 4u << 20);
    int result =
        redshift_rewrite_table(tokens, &at, &runner->scope, &copy.table, copy.schema, copy.name, &failure);
    if (result == 0 && redshift_is_op(&tokens->list[at], "(")) {
        open = at;
        at = tokens->list[at].partner + 1;
    }
    if (result == 0 && (!redshift_take(tokens, &at, "from") || tokens->list[at].kind != RS_STRING))
        result = redshift_fail_at(tokens, at, &failure);
    if (result != 0) {
        redshift_outcome_fail(outcome, "%s", failure.text);
    } else {
        copy.source = tokens->list[at++].value;
        result = rs_options_read(tokens, &at, &copy.options, false, outcome);
        if (result == 0)
            result = run(&copy, tokens, open);
    }
    for (size_t i = 0; i < copy.file_count; i++) {
        free(copy.files[i].bucket);
        free(copy.files[i].key);
    }
    redshift_table_free(&copy.target);
    free(copy.columns);
    free(copy.files);
    buf_free(&copy.table);
    buf_free(&copy.errors);
    return result;
}
