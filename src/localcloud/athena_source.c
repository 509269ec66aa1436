#include "localcloud/athena_source.h"

#include "base/text.h"
#include "localcloud/athena_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQL_LIMIT  (32u << 20)
#define VIEW_DEPTH 20 /* of views over views */
#define NULL_VALUE "__HIVE_DEFAULT_PARTITION__"

/* ---- types ------------------------------------------------------------------------------------------ */

static bool type_at(const char **at, struct buf *out, int depth);

static void quoted(struct buf *out, const char *text, size_t length, char quote)
{
    buf_char(out, quote);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == quote)
            buf_char(out, quote);
        buf_char(out, text[i]);
    }
    buf_char(out, quote);
}

static bool fields(const char **at, struct buf *out, int depth)
{
    for (bool first = true;; first = false) {
        const char *colon = strchr(*at, ':');
        if (!colon || colon == *at)
            return false;
        buf_text(out, first ? "" : ", ");
        quoted(out, *at, (size_t)(colon - *at), '"');
        buf_char(out, ' ');
        *at = colon + 1;
        if (!type_at(at, out, depth + 1))
            return false;
        if (**at != ',')
            return true;
        ++*at;
    }
}

static bool type_at(const char **at, struct buf *out, int depth)
{
    static const char *const plain[][2] = {
        {"boolean", "BOOLEAN"}, {"tinyint", "TINYINT"},     {"smallint", "SMALLINT"}, {"integer", "INTEGER"},
        {"int", "INTEGER"},     {"bigint", "BIGINT"},       {"float", "FLOAT"},       {"double", "DOUBLE"},
        {"string", "VARCHAR"},  {"varchar", "VARCHAR"},     {"char", "VARCHAR"},      {"binary", "BLOB"},
        {"date", "DATE"},       {"timestamp", "TIMESTAMP"}, {"decimal", "DECIMAL"}};
    size_t length = strcspn(*at, "<>(),:");
    if (depth > 32)
        return false;
    bool array = length == 5 && strncmp(*at, "array", 5) == 0,
         map = length == 3 && strncmp(*at, "map", 3) == 0;
    if ((array || map || (length == 6 && strncmp(*at, "struct", 6) == 0)) && (*at)[length] == '<') {
        *at += length + 1;
        buf_text(out, array ? "" : map ? "MAP(" : "STRUCT(");
        if (!(array || map ? type_at(at, out, depth + 1) : fields(at, out, depth)))
            return false;
        if (map) {
            if (*(*at)++ != ',')
                return false;
            buf_char(out, ',');
            if (!type_at(at, out, depth + 1))
                return false;
        }
        buf_text(out, array ? "[]" : ")");
        return *(*at)++ == '>';
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strlen(plain[i][0]) != length || strncmp(*at, plain[i][0], length) != 0)
            continue;
        *at += length;
        buf_text(out, plain[i][1]);
        if (**at == '(') {
            size_t size = strspn(*at + 1, "0123456789, ");
            if ((*at)[size + 1] != ')')
                return false;
            if (strcmp(plain[i][0], "decimal") == 0)
                buf_append(out, *at, size + 2);
            *at += size + 2;
        }
        return true;
    }
    return false;
}

bool athena_source_type(const char *hive, struct buf *out)
{
    return type_at(&hive, out, 0) && *hive == '\0';
}

/* ---- files ------------------------------------------------------------------------------------------ */

enum { PLAIN, GZIP, ZSTD, PACKINGS };
static const char *const packings[PACKINGS] = {"uncompressed", "gzip", "zstd"};

struct files {
    const struct objects *objects;
    struct buf list[PACKINGS]; /* 'path', 'path': by how they are compressed, which of text the name tells */
    int64_t bytes;
    size_t count[PACKINGS];
};

static int packing_of(const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".gz") == 0    ? GZIP
           : length > 4 && strcmp(name + length - 4, ".zst") == 0 ? ZSTD
                                                                  : PLAIN;
}

static bool add_file(void *context, const struct object_info *info, const char *common_prefix)
{
    struct files *files = context;
    if (!info || info->size == 0)
        return true;
    const char *name = strrchr(info->key, '/');
    name = name ? name + 1 : info->key;
    if (*name == '_' || *name == '.') /* hidden, as Athena has it */
        return true;
    char path[OBJECTS_PATH_SIZE];
    objects_path(files->objects, info->blob, path);
    int packing = packing_of(name);
    buf_text(&files->list[packing], files->count[packing] ? ", " : "");
    quoted(&files->list[packing], path, strlen(path), '\'');
    files->count[packing]++;
    files->bytes += info->size;
    return true;
}

static int list_files(struct files *files, struct objects *objects, const char *location,
                      struct athena_failure *failure)
{
    char bucket[OBJECTS_BUCKET_MAX + 1];
    const char *at = strncmp(location, "s3://", 5) == 0 ? location + 5 : location;
    const char *slash = strchr(at, '/');
    size_t length = slash ? (size_t)(slash - at) : strlen(at);
    if (length == 0 || length > OBJECTS_BUCKET_MAX)
        return athena_fail(failure, "HIVE_METASTORE_ERROR", "location %.200s is not in S3", location);
    memcpy(bucket, at, length);
    bucket[length] = '\0';
    char prefix[OBJECTS_KEY_MAX + 2];
    text_copy(prefix, OBJECTS_KEY_MAX, slash ? slash + 1 : "");
    size_t end = strlen(prefix);
    if (end > 0 && prefix[end - 1] != '/')
        memcpy(prefix + end, "/", 2);
    struct objects_query query = {.prefix = prefix, .delimiter = "", .after = ""};
    struct err err = ERR_INIT;
    if (objects_list(objects, bucket, &query, add_file, files, NULL, &err) != OBJECTS_OK)
        return athena_fail(failure, "HIVE_FILESYSTEM_ERROR", "%s", err.text);
    return 0;
}

/* ---- the view --------------------------------------------------------------------------------------- */

struct source {
    struct objects *objects;
    struct athena_failure *failure;
    json_t *columns, *keys;
    bool json;
    const char *delimiter; /* of text; NULL parquet or JSON */
    struct buf sql;
    struct files files;
    int64_t bytes;
    bool failed;
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* One more SELECT for files of a location that are compressed alike. Extra columns of a file go, missing ones
 * are null. */
static void add_files(struct source *source, const struct buf *list, const char *packing,
                      const json_t *values)
{
    struct buf *sql = &source->sql;
    buf_printf(sql, " UNION ALL BY NAME SELECT * ");
    for (size_t i = 0; i < json_array_size(source->keys); i++) {
        const char *name = text_of(json_array_get(source->keys, i), "Name");
        const char *value = json_string_value(json_array_get(values, i));
        buf_text(sql, ", ");
        if (!value || strcmp(value, NULL_VALUE) == 0)
            buf_text(sql, "NULL");
        else
            quoted(sql, value, strlen(value), '\'');
        buf_text(sql, " AS ");
        quoted(sql, name, strlen(name), '"');
    }
    if (!source->json && !source->delimiter) {
        buf_text(sql, " FROM read_parquet([");
        buf_append(sql, list->data, list->length);
        buf_text(sql, "], union_by_name=true, hive_partitioning=false)");
        return;
    }
    buf_text(sql, source->json ? " FROM read_json([" : " FROM read_csv([");
    buf_append(sql, list->data, list->length);
    buf_printf(sql, "], compression='%s', ", packing);
    buf_text(sql, source->json ? "format='newline_delimited', columns={"
                               : "header=false, auto_detect=false, null_padding=true, delim=");
    if (!source->json) {
        quoted(sql, source->delimiter, strlen(source->delimiter), '\'');
        buf_text(sql, ", quote='', escape='', nullstr='\\N', columns={");
    }
    for (size_t i = 0; i < json_array_size(source->columns); i++) {
        const json_t *column = json_array_get(source->columns, i);
        struct buf type;
        buf_init(&type, 65536);
        (void)athena_source_type(text_of(column, "Type"), &type);
        buf_text(sql, i ? ", " : "");
        quoted(sql, text_of(column, "Name"), strlen(text_of(column, "Name")), '\'');
        buf_text(sql, ": ");
        quoted(sql, type.data ? type.data : "", type.length, '\'');
        buf_free(&type);
    }
    buf_text(sql, "})");
}

static void add_location(struct source *source, const char *location, const json_t *values)
{
    source->files = (struct files){.objects = source->objects};
    for (int i = 0; i < PACKINGS; i++)
        buf_init(&source->files.list[i], SQL_LIMIT);
    if (source->failed || list_files(&source->files, source->objects, location, source->failure) != 0)
        source->failed = true;
    for (int i = 0; i < PACKINGS; i++) {
        if (!source->failed && source->files.count[i] > 0)
            add_files(source, &source->files.list[i], packings[i], values);
        buf_free(&source->files.list[i]);
    }
    if (!source->failed)
        source->bytes += source->files.bytes;
}

static bool add_partition(void *context, json_t *item)
{
    struct source *source = context;
    add_location(source, text_of(json_object_get(item, "StorageDescriptor"), "Location"),
                 json_object_get(item, "Values"));
    return !source->failed;
}

/* The columns with their types: as casts, or as an empty relation that names them all. */
static int put_columns(struct source *source, bool empty)
{
    for (size_t part = 0, written = 0; part < 2; part++) {
        const json_t *list = part ? source->keys : source->columns;
        for (size_t i = 0; i < json_array_size(list); i++, written++) {
            const char *name = text_of(json_array_get(list, i), "Name"),
                       *hive = text_of(json_array_get(list, i), "Type");
            buf_text(&source->sql, written ? ", CAST(" : " CAST(");
            if (empty)
                buf_text(&source->sql, "NULL");
            else
                quoted(&source->sql, name, strlen(name), '"');
            buf_text(&source->sql, " AS ");
            if (!athena_source_type(hive, &source->sql))
                return athena_fail(source->failure, "HIVE_INVALID_METADATA",
                                   "column %.100s has the type %.100s", name, hive);
            buf_text(&source->sql, ") AS ");
            quoted(&source->sql, name, strlen(name), '"');
        }
    }
    return 0;
}

static int build(struct source *source, struct catalogue *catalogue, const struct athena_table *table,
                 const json_t *entry)
{
    const json_t *storage = json_object_get(entry, "StorageDescriptor");
    const char *serde = text_of(json_object_get(storage, "SerdeInfo"), "SerializationLibrary");
    const json_t *parameters = json_object_get(json_object_get(storage, "SerdeInfo"), "Parameters");
    source->columns = json_object_get(storage, "Columns");
    source->keys = json_object_get(entry, "PartitionKeys");
    source->json = strstr(serde, "JsonSerDe") || strstr(serde, "JsonSerde");
    if (!source->json && !strstr(serde, "Parquet")) {
        if (!strstr(serde, "LazySimpleSerDe"))
            return athena_fail(source->failure, "NOT_SUPPORTED", "SerDe %.200s is not emulated locally",
                               serde);
        source->delimiter = *text_of(parameters, "field.delim") ? text_of(parameters, "field.delim") : "\001";
    }
    buf_text(&source->sql, "CREATE OR REPLACE TEMP VIEW \"");
    char name[600];
    snprintf(name, sizeof name, "%s.%s", table->database, table->name);
    for (const char *at = name; *at; at++)
        buf_append(&source->sql, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
    buf_text(&source->sql, "\" AS SELECT");
    if (put_columns(source, false) != 0)
        return -1;
    buf_text(&source->sql, " FROM (SELECT");
    if (put_columns(source, true) != 0)
        return -1;
    buf_text(&source->sql, " WHERE false");
    if (json_array_size(source->keys) > 0) {
        struct catalogue_partition_query query = {.after = "", .context = source};
        struct err err = ERR_INIT;
        if (catalogue_partition_list(catalogue, table->database, table->name, &query, add_partition, &err) !=
            CATALOGUE_OK)
            return athena_fail(source->failure, "HIVE_METASTORE_ERROR", "%s", err.text);
    } else {
        add_location(source, text_of(storage, "Location"), NULL);
    }
    buf_text(&source->sql, ")");
    return source->failed ? -1 : 0;
}

/* ---- views ------------------------------------------------------------------------------------------ */

static int create(struct duck_connection *connection, struct catalogue *catalogue, struct objects *objects,
                  const struct athena_table *table, int64_t *bytes, int depth,
                  struct athena_failure *failure);

static int stale(const struct athena_table *table, const char *why, struct athena_failure *failure)
{
    return athena_fail(failure, "VIEW_IS_STALE",
                       "line %d:%d: View 'awsdatacatalog.%.100s.%.100s' is stale or in invalid state: %.150s",
                       table->line, table->column, table->database, table->name, why);
}

static int create_view(struct duck_connection *connection, struct catalogue *catalogue,
                       struct objects *objects, const struct athena_table *table, const json_t *entry,
                       int64_t *bytes, int depth, struct athena_failure *failure)
{
    json_t *view = athena_view_read(entry);
    if (!view)
        return stale(table, "its text is not a view of Athena's", failure);
    if (depth == VIEW_DEPTH) {
        json_decref(view);
        return athena_fail(failure, "VIEW_IS_RECURSIVE", "line %d:%d: Statement stored in view is recursive",
                           table->line, table->column);
    }
    const char *schema = athena_member(view, "schema");
    struct athena_query query;
    struct athena_failure inner = {0};
    const json_t *columns = json_object_get(view, "columns");
    int result = athena_rewrite_text(athena_member(view, "originalSql"), *schema ? schema : table->database,
                                     &query, &inner);
    for (size_t i = 0; i < query.table_count && result == 0; i++)
        result = create(connection, catalogue, objects, &query.tables[i], bytes, depth + 1, &inner);
    if (result == 0) {
        struct buf sql, name;
        struct err err = ERR_INIT;
        buf_init(&sql, SQL_LIMIT);
        buf_init(&name, 1000);
        buf_printf(&name, "%s.%s", table->database, table->name);
        buf_text(&sql, "CREATE OR REPLACE TEMP VIEW ");
        athena_quote(&sql, name.data, '"');
        buf_text(&sql, " AS SELECT * FROM (");
        buf_text(&sql, query.sql);
        buf_text(&sql, ") AS q(");
        for (size_t i = 0; i < json_array_size(columns); i++) {
            buf_text(&sql, i ? ", " : "");
            athena_quote(&sql, athena_member(json_array_get(columns, i), "name"), '"');
        }
        buf_char(&sql, ')');
        if (sql.overflow || duck_exec(connection, sql.data, &err) != 0)
            result = athena_fail(&inner, "VIEW_IS_STALE", "%.150s",
                                 sql.overflow ? "the query becomes too long" : err.text);
        buf_free(&sql);
        buf_free(&name);
    }
    if (result != 0 && strcmp(inner.kind, "VIEW_IS_RECURSIVE") == 0)
        *failure = inner;
    else if (result != 0)
        result = stale(table, inner.text, failure);
    athena_query_free(&query);
    json_decref(view);
    return result;
}

static int create_table(struct duck_connection *connection, struct catalogue *catalogue,
                        struct objects *objects, const struct athena_table *table, const json_t *entry,
                        int64_t *bytes, struct athena_failure *failure)
{
    struct err err = ERR_INIT;
    struct source source = {.objects = objects, .failure = failure};
    buf_init(&source.sql, SQL_LIMIT);
    int result = build(&source, catalogue, table, entry);
    if (result == 0 && source.sql.overflow)
        result = athena_fail(failure, "EXCEEDED_MEMORY_LIMIT", "the table has too many files");
    if (result == 0 && duck_exec(connection, source.sql.data, &err) != 0)
        result = athena_fail(failure, "HIVE_BAD_DATA", "%.300s", err.text);
    *bytes += source.bytes;
    buf_free(&source.sql);
    return result;
}

static int create(struct duck_connection *connection, struct catalogue *catalogue, struct objects *objects,
                  const struct athena_table *table, int64_t *bytes, int depth, struct athena_failure *failure)
{
    json_t *entry = NULL;
    struct err err = ERR_INIT;
    enum catalogue_status status = catalogue_table_get(catalogue, table->database, table->name, &entry, &err);
    if (status == CATALOGUE_NO_DATABASE)
        return athena_fail(failure, "SCHEMA_NOT_FOUND", "line %d:%d: Schema '%s' does not exist", table->line,
                           table->column, table->database);
    if (status != CATALOGUE_OK)
        return athena_fail(failure, "TABLE_NOT_FOUND",
                           "line %d:%d: Table 'awsdatacatalog.%s.%s' does not exist", table->line,
                           table->column, table->database, table->name);
    int result = athena_view_is(entry)
                     ? create_view(connection, catalogue, objects, table, entry, bytes, depth, failure)
                     : create_table(connection, catalogue, objects, table, entry, bytes, failure);
    json_decref(entry);
    return result;
}

int athena_source_create(struct duck_connection *connection, struct catalogue *catalogue,
                         struct objects *objects, const struct athena_table *table, int64_t *bytes,
                         struct athena_failure *failure)
{
    return create(connection, catalogue, objects, table, bytes, 0, failure);
}
