#include "localcloud/athena_reader.h"

#include "base/text.h"
#include "localcloud/athena_hive.h"
#include "localcloud/athena_task.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS 6 /* of arrays, maps and structs in text */

/* ---- objects ---------------------------------------------------------------------------------------- */

struct listing {
    struct athena_files *files;
    const struct objects *objects;
    size_t capacity;
};

static bool add_file(void *context, const struct object_info *info, const char *common_prefix)
{
    struct listing *listing = context;
    struct athena_files *files = listing->files;
    if (!info || info->size == 0)
        return true;
    const char *name = strrchr(info->key, '/');
    name = name ? name + 1 : info->key;
    if (*name == '_' || *name == '.') /* hidden, as Athena has it */
        return true;
    if (files->count == listing->capacity) {
        listing->capacity = listing->capacity ? 2 * listing->capacity : 16;
        files->list = mem_resize(files->list, listing->capacity, sizeof *files->list);
    }
    char path[OBJECTS_PATH_SIZE];
    objects_path(listing->objects, info->blob, path);
    files->list[files->count++] = (struct athena_file){.path = mem_text(path),
                                                       .key = mem_text(info->key),
                                                       .size = info->size,
                                                       .modified_ms = info->modified_ms};
    files->bytes += info->size;
    return true;
}

int athena_files_list(struct athena_files *files, struct objects *objects, const char *location,
                      struct athena_failure *failure)
{
    *files = (struct athena_files){0};
    char prefix[OBJECTS_KEY_MAX + 2];
    if (!athena_s3_split(location, files->bucket, prefix))
        return athena_fail(failure, "HIVE_METASTORE_ERROR", "location %.200s is not in S3", location);
    size_t end = strlen(prefix);
    if (end > 0 && prefix[end - 1] != '/')
        memcpy(prefix + end, "/", 2);
    struct objects_query query = {.prefix = prefix, .delimiter = "", .after = ""};
    struct listing listing = {.files = files, .objects = objects};
    struct err err = ERR_INIT;
    enum objects_status status = objects_list(objects, files->bucket, &query, add_file, &listing, NULL, &err);
    if (status == OBJECTS_NO_BUCKET)
        return athena_fail(failure, "PERMISSION_DENIED", "The bucket of %.200s does not exist", location);
    return status == OBJECTS_OK ? 0 : athena_fail(failure, "HIVE_FILESYSTEM_ERROR", "%.300s", err.text);
}

void athena_files_free(struct athena_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->list[i].path);
        free(files->list[i].key);
    }
    free(files->list);
    *files = (struct athena_files){0};
}

/* ---- SerDes ----------------------------------------------------------------------------------------- */

static const char *or_else(const json_t *parameters, const char *name, const char *otherwise)
{
    const char *text = athena_member(parameters, name);
    return *text ? text : otherwise;
}

int athena_reader_open(struct athena_reader *reader, const json_t *table, struct athena_failure *failure)
{
    const json_t *storage = json_object_get(table, "StorageDescriptor");
    const json_t *serde = json_object_get(storage, "SerdeInfo"),
                 *parameters = json_object_get(serde, "Parameters");
    const char *library = athena_member(serde, "SerializationLibrary");
    const char *skip = athena_member(json_object_get(table, "Parameters"), "skip.header.line.count");
    *reader = (struct athena_reader){.columns = json_object_get(storage, "Columns")};
    if (*skip && !text_parse_int(skip, 0, 1000000, &reader->skip))
        return athena_fail(failure, "HIVE_INVALID_METADATA",
                           "Invalid value for skip.header.line.count: %.60s", skip);
    if (strstr(library, "Parquet")) {
        reader->kind = READ_PARQUET;
    } else if (strstr(library, "JsonSerDe") || strstr(library, "JsonSerde")) {
        reader->kind = READ_JSON;
        reader->ignore_wrong = text_equal_fold(athena_member(parameters, "ignore.malformed.json"), "true");
    } else if (strstr(library, "OpenCSVSerde")) {
        reader->kind = READ_CSV;
        reader->delimiter = or_else(parameters, "separatorChar", ",");
        reader->quote = or_else(parameters, "quoteChar", "\"");
        reader->escape = or_else(parameters, "escapeChar", "\\");
    } else if (strstr(library, "LazySimpleSerDe")) {
        reader->kind = READ_LAZY;
        reader->delimiter =
            or_else(parameters, "field.delim", or_else(parameters, "serialization.format", "\001"));
        if (strcmp(reader->delimiter, "1") == 0)
            reader->delimiter = "\001"; /* Hive writes numbers for control characters */
        reader->escape = or_else(parameters, "escape.delim", NULL);
        reader->collection =
            or_else(parameters, "collection.delim", or_else(parameters, "colelction.delim", "\002"));
        reader->map_key = or_else(parameters, "mapkey.delim", "\003");
        reader->null = or_else(parameters, "serialization.null.format", "\\N");
    } else {
        return athena_fail(failure, "NOT_SUPPORTED", "SerDe %.200s is not emulated locally",
                           *library ? library : "(none)");
    }
    return 0;
}

int athena_reader_packing(const struct athena_reader *reader, const struct athena_file *file)
{
    size_t length = strlen(file->key);
    if (reader->kind == READ_PARQUET)
        return 0;
    return length > 3 && strcmp(file->key + length - 3, ".gz") == 0    ? 1
           : length > 4 && strcmp(file->key + length - 4, ".zst") == 0 ? 2
                                                                       : 0;
}

/* ---- SELECT ----------------------------------------------------------------------------------------- */

static void put_files(struct buf *sql, const struct athena_file *files, size_t count)
{
    buf_char(sql, '[');
    for (size_t i = 0; i < count; i++) {
        buf_text(sql, i ? ", " : "");
        athena_quote(sql, files[i].path, '\'');
    }
    buf_char(sql, ']');
}

static const char *type_of(const json_t *column)
{
    return athena_member(column, "Type");
}

static bool is_word(const char *type, size_t length, const char *word)
{
    return strlen(word) == length && strncmp(type, word, length) == 0;
}

/* The text of a field as its Hive type: what does not read is null, as in Hive. Advances *type behind it. */
static void put_lazy(const struct athena_reader *reader, struct buf *sql, const char **type,
                     const char *value, int level)
{
    size_t length = strcspn(*type, "<>(),:");
    const char *word = *type;
    char delimiters[LEVELS + 2][8], inner[64];
    for (int i = 0; i < LEVELS + 2; i++)
        snprintf(delimiters[i], sizeof delimiters[i], "%c", i + 2);
    snprintf(delimiters[0], sizeof delimiters[0], "%.7s", reader->collection);
    snprintf(delimiters[1], sizeof delimiters[1], "%.7s", reader->map_key);
    snprintf(inner, sizeof inner, "e%d", level);
    *type += length;
    if (**type == '(')
        *type += strcspn(*type, ")");
    *type += **type == ')';
    bool array = is_word(word, length, "array"), map = is_word(word, length, "map"),
         row = is_word(word, length, "struct");
    if ((array || map || row) && **type == '<' && level < LEVELS) {
        buf_printf(sql, "CASE WHEN %s IS NOT NULL AND %s <> ", value, value);
        athena_quote(sql, reader->null, '\'');
        ++*type;
        if (array) {
            buf_printf(sql, " THEN list_transform(string_split(%s, ", value);
            athena_quote(sql, delimiters[level], '\'');
            buf_printf(sql, "), lambda %s: ", inner);
            put_lazy(reader, sql, type, inner, level + 1);
            buf_text(sql, ") END");
        } else if (map) {
            char part[96];
            buf_printf(sql, " THEN map_from_entries(list_transform(string_split(%s, ", value);
            athena_quote(sql, delimiters[level], '\'');
            buf_printf(sql, "), lambda %s: struct_pack(k := ", inner);
            for (int side = 0; side < 2; side++) {
                struct buf split;
                buf_init(&split, 200);
                buf_printf(&split, "string_split(%s, ", inner);
                athena_quote(&split, delimiters[level + 1], '\'');
                buf_printf(&split, ")[%d]", side + 1);
                snprintf(part, sizeof part, "%s", split.data ? split.data : "");
                buf_free(&split);
                buf_text(sql, side ? ", v := " : "");
                put_lazy(reader, sql, type, part, level + 2);
                if (side == 0 && **type == ',')
                    ++*type;
            }
            buf_text(sql, "))) END");
        } else {
            buf_text(sql, " THEN struct_pack(");
            for (int field = 1; **type && **type != '>'; field++) {
                size_t name = strcspn(*type, ":");
                char label[256];
                struct buf split;
                buf_init(&split, 200);
                snprintf(label, sizeof label, "%.*s", (int)name, *type);
                *type += name;
                *type += **type == ':';
                buf_text(sql, field > 1 ? ", " : "");
                athena_quote(sql, label, '"');
                buf_text(sql, " := ");
                buf_printf(&split, "string_split(%s, ", value);
                athena_quote(&split, delimiters[level], '\'');
                buf_printf(&split, ")[%d]", field);
                put_lazy(reader, sql, type, split.data ? split.data : value, level + 1);
                buf_free(&split);
                if (**type == ',')
                    ++*type;
                else if (**type != '>')
                    break;
            }
            buf_text(sql, ") END");
        }
        *type += **type == '>';
        return;
    }
    struct buf name;
    buf_init(&name, 256);
    char plain[64];
    snprintf(plain, sizeof plain, "%.*s", (int)(*type - word), word);
    bool known = athena_hive_engine(&name, plain), whole = false;
    static const char *const integers[] = {"tinyint", "smallint", "int", "integer", "bigint"};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        whole = whole || is_word(word, length, integers[i]);
    bool text = known && strcmp(name.data, "VARCHAR") == 0, binary = known && strcmp(name.data, "BLOB") == 0;
    buf_text(sql, whole    ? "TRY_CAST(TRY(athena_whole("
                  : text   ? ""
                  : binary ? "TRY(from_base64("
                           : "TRY_CAST(");
    buf_printf(sql, "nullif(%s, ", value);
    athena_quote(sql, reader->null, '\'');
    buf_char(sql, ')');
    if (whole)
        buf_printf(sql, ")) AS %s)", name.data);
    else if (binary)
        buf_text(sql, "))");
    else if (!text)
        buf_printf(sql, " AS %s)", known ? name.data : "VARCHAR");
    buf_free(&name);
}

/* A line is read whole and split here: the engine's reader minds the number of fields, Hive does not. */
static void select_lazy(const struct athena_reader *reader, struct buf *sql, const char *packing,
                        const struct athena_file *files, size_t count)
{
    buf_text(sql, "SELECT ");
    for (size_t i = 0; i < json_array_size(reader->columns); i++) {
        const json_t *column = json_array_get(reader->columns, i);
        const char *type = type_of(column);
        char value[32];
        snprintf(value, sizeof value, "f[%zu]", i + 1);
        buf_text(sql, i ? ", " : "");
        put_lazy(reader, sql, &type, value, 0);
        buf_text(sql, " AS ");
        athena_quote(sql, athena_member(column, "Name"), '"');
    }
    buf_text(sql, " FROM (SELECT ");
    if (reader->escape) {
        buf_text(sql, "string_split(athena_lazy_unescape(l, ");
        athena_quote(sql, reader->delimiter, '\'');
        buf_text(sql, ", ");
        athena_quote(sql, reader->escape, '\'');
        buf_text(sql, "), '\x1f\x1e')");
    } else {
        buf_text(sql, "string_split(l, ");
        athena_quote(sql, reader->delimiter, '\'');
        buf_char(sql, ')');
    }
    buf_text(sql, " AS f FROM read_csv(");
    put_files(sql, files, count);
    buf_printf(sql,
               ", compression='%s', header=false, skip=%lld, auto_detect=false, delim='\x1e\x1f\x1e\x1f', "
               "quote='', escape='', nullstr='\x1f\x1e\x1f\x1e', columns={'l': 'VARCHAR'}))",
               packing, (long long)reader->skip);
}

/* OpenCSVSerde: all is text; numbers are read from it, dates are days and timestamps milliseconds since 1970.
 */
static void select_csv(const struct athena_reader *reader, struct buf *sql, const char *packing,
                       const struct athena_file *files, size_t count)
{
    size_t columns = json_array_size(reader->columns);
    buf_text(sql, "SELECT ");
    for (size_t i = 0; i < columns; i++) {
        const json_t *column = json_array_get(reader->columns, i);
        struct buf type;
        buf_init(&type, 65536);
        (void)athena_hive_engine(&type, type_of(column));
        const char *engine = type.data ? type.data : "VARCHAR";
        buf_text(sql, i ? ", " : "");
        if (strcmp(engine, "VARCHAR") == 0)
            buf_printf(sql, "c%zu", i);
        else if (strcmp(engine, "DATE") == 0)
            buf_printf(sql, "add(DATE '1970-01-01', TRY_CAST(c%zu AS INTEGER))", i);
        else if (strcmp(engine, "TIMESTAMP") == 0)
            buf_printf(sql, "epoch_ms(TRY_CAST(c%zu AS BIGINT))", i);
        else
            buf_printf(sql, "CAST(nullif(c%zu, '') AS %s)", i, engine);
        buf_text(sql, " AS ");
        athena_quote(sql, athena_member(column, "Name"), '"');
        buf_free(&type);
    }
    buf_text(sql, " FROM read_csv(");
    put_files(sql, files, count);
    buf_printf(sql,
               ", compression='%s', header=false, skip=%lld, auto_detect=false, null_padding=true, "
               "strict_mode=false, nullstr='\x1f\x1e\x1f\x1e', delim=",
               packing, (long long)reader->skip);
    athena_quote(sql, reader->delimiter, '\'');
    buf_text(sql, ", quote=");
    athena_quote(sql, reader->quote, '\'');
    buf_text(sql, ", escape=");
    athena_quote(sql, reader->escape, '\'');
    buf_text(sql, ", columns={");
    for (size_t i = 0; i < columns; i++)
        buf_printf(sql, i ? ", 'c%zu': 'VARCHAR'" : "'c%zu': 'VARCHAR'", i);
    buf_text(sql, "})");
}

static void select_json(const struct athena_reader *reader, struct buf *sql, const char *packing,
                        const struct athena_file *files, size_t count)
{
    buf_text(sql, "SELECT * FROM read_json(");
    put_files(sql, files, count);
    buf_printf(sql, ", compression='%s', format='newline_delimited', ignore_errors=%s, columns={", packing,
               reader->ignore_wrong ? "true" : "false");
    for (size_t i = 0; i < json_array_size(reader->columns); i++) {
        const json_t *column = json_array_get(reader->columns, i);
        struct buf type;
        buf_init(&type, 65536);
        (void)athena_hive_engine(&type, type_of(column));
        buf_text(sql, i ? ", " : "");
        athena_quote(sql, athena_member(column, "Name"), '\'');
        buf_text(sql, ": ");
        athena_quote(sql, type.data ? type.data : "", '\'');
        buf_free(&type);
    }
    buf_text(sql, "})");
}

void athena_reader_select(const struct athena_reader *reader, const struct athena_file *files, size_t count,
                          struct buf *sql)
{
    static const char *const packings[] = {"uncompressed", "gzip", "zstd"};
    const char *packing = packings[athena_reader_packing(reader, files)];
    switch (reader->kind) {
    case READ_PARQUET:
        buf_text(sql, "SELECT * FROM read_parquet(");
        put_files(sql, files, count);
        buf_text(sql, ", union_by_name=true, hive_partitioning=false)");
        break;
    case READ_JSON:
        select_json(reader, sql, packing, files, count);
        break;
    case READ_LAZY:
        select_lazy(reader, sql, packing, files, count);
        break;
    case READ_CSV:
        select_csv(reader, sql, packing, files, count);
        break;
    }
}
