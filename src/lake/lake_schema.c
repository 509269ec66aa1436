#include "lake/lake_schema.h"

#include "base/err.h"
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *hive;
    enum duck_kind duck;
    size_t width;
} types[LAKE_TYPES] = {
    [LAKE_BOOLEAN] = {"BOOLEAN", "boolean", DUCK_BOOLEAN, sizeof(bool)},
    [LAKE_INTEGER] = {"INTEGER", "int", DUCK_INTEGER, sizeof(int32_t)},
    [LAKE_BIGINT] = {"BIGINT", "bigint", DUCK_BIGINT, sizeof(int64_t)},
    [LAKE_DOUBLE] = {"DOUBLE PRECISION", "double", DUCK_DOUBLE, sizeof(double)},
    [LAKE_TIMESTAMP] = {"TIMESTAMP", "timestamp", DUCK_TIMESTAMP, sizeof(int64_t)},
    [LAKE_VARCHAR] = {"VARCHAR", "string", DUCK_VARCHAR, sizeof(union duck_string)},
};

enum duck_kind lake_type_duck(enum lake_type type)
{
    return types[type].duck;
}

size_t lake_type_width(enum lake_type type)
{
    return types[type].width;
}

const char *lake_type_hive(enum lake_type type)
{
    return types[type].hive;
}

const char *lake_type_name(enum lake_type type)
{
    return types[type].name;
}

/* ---- columns ---------------------------------------------------------------------------------------- */

static void snake_case(char *out, size_t size, const char *name)
{
    size_t length = 0;
    for (; *name && length + 2 < size; name++) {
        if (isupper((unsigned char)*name))
            out[length++] = '_';
        out[length++] = (char)tolower((unsigned char)*name);
    }
    out[length] = '\0';
}

static struct lake_column *add(struct lake_schema *schema, const char *name, enum lake_type type, int from)
{
    struct lake_column *column = &schema->columns[schema->column_count++];
    *column = (struct lake_column){.type = type, .from = (int16_t)from, .unit = "", .meaning = ""};
    text_copy(column->name, sizeof column->name, name);
    return column;
}

static void describe(struct lake_column *column, const struct field *field)
{
    column->unit = field->unit;
    column->meaning = field->meaning;
}

static void add_field(struct lake_schema *schema, const struct field *field, int index)
{
    char name[40];
    if (index == FIELD_TIMESTAMP)
        text_copy(name, sizeof name, "event_ts");
    else
        snake_case(name, sizeof name, field->name);
    struct lake_column *column;
    switch (field->type) {
    case FIELD_TEXT:
        column = add(schema, name, LAKE_VARCHAR, index);
        column->bytes = field->size - 1;
        break;
    case FIELD_LIST:
        column = add(schema, name, LAKE_VARCHAR, index);
        column->bytes =
            EVENT_RESPONDERS * (int)(sizeof((struct event_list *)0)->items[0] * 2 + 2); /* escaped, quoted */
        break;
    case FIELD_BLOB:
        column = add(schema, name, LAKE_VARCHAR, index);
        column->bytes = LAKE_REF_BYTES;
        break;
    case FIELD_INT:
        column = add(schema, name, LAKE_INTEGER, index);
        break;
    case FIELD_BOOL:
        column = add(schema, name, LAKE_BOOLEAN, index);
        break;
    case FIELD_DOUBLE:
        column = add(schema, name, LAKE_DOUBLE, index);
        break;
    case FIELD_TIME:
        column = add(schema, name, LAKE_TIMESTAMP, index);
        break;
    case FIELD_LOCATION:
        describe(add(schema, "latitude", LAKE_DOUBLE, index), field);
        column = add(schema, "longitude", LAKE_DOUBLE, index);
        column->part = 1;
        break;
    case FIELD_COUNTS:
        for (int class = 0; class < EVENT_COUNT_CLASSES; class ++) {
            char counted[48];
            snprintf(counted, sizeof counted, "%s_%s", name,
                     event_count_name((enum event_count_class) class));
            column = add(schema, counted, LAKE_INTEGER, index);
            column->part = (int16_t) class;
            describe(column, field);
        }
        return;
    default:
        return;
    }
    describe(column, field);
}

static void add_kafka(struct lake_schema *schema)
{
    struct lake_column *column = add(schema, "_kafka_cluster", LAKE_VARCHAR, LAKE_FROM_CLUSTER);
    column->bytes = 63;
    column->meaning = "The broker it came through; null for the one that was never named";
    column = add(schema, "_kafka_partition", LAKE_INTEGER, LAKE_FROM_PARTITION);
    column->meaning = "Kafka partition";
    column = add(schema, "_kafka_offset", LAKE_BIGINT, LAKE_FROM_OFFSET);
    column->meaning = "Kafka offset; with cluster and partition it names the row";
    column = add(schema, "_kafka_timestamp", LAKE_TIMESTAMP, LAKE_FROM_TIME);
    column->meaning = "Time of the Kafka record, UTC";
    column = add(schema, "_kafka_key", LAKE_VARCHAR, LAKE_FROM_KEY);
    column->bytes = LAKE_KEY_BYTES;
    column->meaning = "Kafka key";
}

static void add_computed(struct lake_schema *schema)
{
    struct lake_column *column = add(schema, "event_hour", LAKE_INTEGER, LAKE_FROM_SQL);
    column->meaning = "Hour of the day of event_ts, UTC";
    column->sql = "CAST(hour(r.event_ts) AS integer)";
    column = add(schema, "event_weekday", LAKE_INTEGER, LAKE_FROM_SQL);
    column->meaning = "Day of the week of event_ts, 1 Monday to 7 Sunday";
    column->sql = "CAST(day_of_week(r.event_ts) AS integer)";
}

void lake_schema_init(struct lake_schema *schema, enum event_kind kind, enum lake_zone zone)
{
    const struct schema *fields = schema_get(kind);
    *schema = (struct lake_schema){.kind = kind,
                                   .zone = zone,
                                   .table = event_topic(kind),
                                   .database = zone == LAKE_RAW ? LAKE_DATABASE_RAW : LAKE_DATABASE_CURATED};
    add_kafka(schema);
    if (zone == LAKE_CURATED)
        add_computed(schema);
    for (size_t i = 0; i < fields->field_count; i++) {
        if (i == FIELD_TIMESTAMP)
            schema->time_column = schema->column_count;
        add_field(schema, &fields->fields[i], (int)i);
    }
}

void lake_schema_id(const struct lake_schema *schema, char out[17])
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < schema->column_count; i++) {
        const struct lake_column *column = &schema->columns[i];
        char line[64];
        int length = snprintf(line, sizeof line, "%s:%d;", column->name, (int)column->type);
        for (int k = 0; k < length; k++)
            hash = (hash ^ (unsigned char)line[k]) * UINT64_C(1099511628211);
    }
    snprintf(out, 17, "%016" PRIx64, hash);
}

int lake_schema_find(const struct lake_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->column_count; i++)
        if (strcmp(schema->columns[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* ---- Glue ------------------------------------------------------------------------------------------- */

static void comment_of(const struct lake_column *column, char out[255])
{
    if (column->unit[0])
        snprintf(out, 255, "%s (%s)", column->meaning, column->unit);
    else
        snprintf(out, 255, "%s", column->meaning);
}

static json_t *glue_columns(const struct lake_schema *schema)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < schema->column_count; i++) {
        char comment[255];
        comment_of(&schema->columns[i], comment);
        json_array_append_new(columns, json_pack("{s:s, s:s, s:s}", "Name", schema->columns[i].name, "Type",
                                                 types[schema->columns[i].type].hive, "Comment", comment));
    }
    return columns;
}

#define INPUT_FORMAT  "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
#define OUTPUT_FORMAT "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
#define SERDE         "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"

static json_t *storage(const struct lake_schema *schema, const char *location)
{
    return json_pack("{s:o, s:s, s:s, s:s, s:b, s:{s:s, s:{s:s}}}", "Columns", glue_columns(schema),
                     "Location", location, "InputFormat", INPUT_FORMAT, "OutputFormat", OUTPUT_FORMAT,
                     "Compressed", 1, "SerdeInfo", "SerializationLibrary", SERDE, "Parameters",
                     "serialization.format", "1");
}

static void put_json(json_t *value, struct buf *out)
{
    char *text = json_dumps(value, JSON_COMPACT);
    if (text)
        buf_text(out, text);
    free(text);
    json_decref(value);
}

void lake_schema_glue_table(const struct lake_schema *schema, const char *location, struct buf *out)
{
    put_json(json_pack("{s:s, s:s, s:o, s:[{s:s, s:s, s:s}], s:{s:s, s:s, s:s}}", "Name", schema->table,
                       "TableType", "EXTERNAL_TABLE", "StorageDescriptor", storage(schema, location),
                       "PartitionKeys", "Name", LAKE_PARTITION_COLUMN, "Type", "string", "Comment",
                       "Day of event_ts, UTC", "Parameters", "classification", "parquet", "EXTERNAL", "TRUE",
                       "parquet.compression", "ZSTD"),
             out);
}

void lake_schema_glue_partition(const struct lake_schema *schema, const char *dt, const char *location,
                                struct buf *out)
{
    put_json(json_pack("{s:[s], s:o, s:{s:s}}", "Values", dt, "StorageDescriptor", storage(schema, location),
                       "Parameters", "classification", "parquet"),
             out);
}

/* ---- SQL -------------------------------------------------------------------------------------------- */

void lake_schema_athena_ddl(const struct lake_schema *schema, const char *location, bool projection,
                            struct buf *out)
{
    buf_printf(out, "CREATE EXTERNAL TABLE IF NOT EXISTS `%s`.`%s` (\n", schema->database, schema->table);
    for (size_t i = 0; i < schema->column_count; i++) {
        char comment[255];
        comment_of(&schema->columns[i], comment);
        buf_printf(out, "  `%s` %s COMMENT ", schema->columns[i].name, types[schema->columns[i].type].hive);
        buf_sql_text(out, comment);
        buf_text(out, i + 1 < schema->column_count ? ",\n" : "\n");
    }
    buf_printf(out, ")\nPARTITIONED BY (`" LAKE_PARTITION_COLUMN "` string)\nSTORED AS PARQUET\nLOCATION ");
    buf_sql_text(out, location);
    buf_text(out, "\nTBLPROPERTIES ('classification' = 'parquet', 'parquet.compression' = 'ZSTD'");
    if (projection) {
        buf_text(out, ",\n  'projection.enabled' = 'true', 'projection.dt.type' = 'date',\n"
                      "  'projection.dt.format' = 'yyyy-MM-dd', 'projection.dt.range' = '2020-01-01,NOW',\n"
                      "  'storage.location.template' = ");
        char template[600];
        size_t length = strlen(location);
        snprintf(template, sizeof template, "%s%s" LAKE_PARTITION_COLUMN "=${" LAKE_PARTITION_COLUMN "}/",
                 location, length && location[length - 1] == '/' ? "" : "/");
        buf_sql_text(out, template);
    }
    buf_char(out, ')');
}

void lake_schema_redshift_ddl(const struct lake_schema *schema, struct buf *out)
{
    buf_printf(out, "CREATE TABLE IF NOT EXISTS \"" LAKE_WAREHOUSE "\".\"%s\" (\n", schema->table);
    for (size_t i = 0; i < schema->column_count; i++) {
        const struct lake_column *column = &schema->columns[i];
        buf_printf(out, "  \"%s\" %s", column->name, types[column->type].name);
        if (column->type == LAKE_VARCHAR)
            buf_printf(out, "(%d)", (int)column->bytes);
        buf_text(out, i + 1 < schema->column_count ? ",\n" : "\n");
    }
    buf_text(out, ") DISTSTYLE AUTO SORTKEY (\"event_ts\")");
}

bool lake_schema_redshift_setup(int index, struct buf *out)
{
    static const char *const statements[] = {
        "CREATE SCHEMA IF NOT EXISTS \"" LAKE_WAREHOUSE "\"",
        "CREATE TABLE IF NOT EXISTS \"" LAKE_WAREHOUSE "\".\"" LAKE_WAREHOUSE_LEDGER "\" (\n"
        "  \"batch_key\" VARCHAR(64),\n  \"topic\" VARCHAR(64),\n  \"kafka_cluster\" VARCHAR(63),\n"
        "  \"kafka_partition\" INTEGER,\n  \"start_offset\" BIGINT,\n  \"end_offset\" BIGINT,\n"
        "  \"row_count\" BIGINT,\n  \"loaded_at\" TIMESTAMP\n)"};
    if (index < 0 || (size_t)index >= sizeof statements / sizeof *statements)
        return false;
    return buf_text(out, statements[index]);
}

void lake_schema_select_list(const struct lake_schema *schema, struct buf *out)
{
    for (size_t i = 0; i < schema->column_count; i++) {
        const struct lake_column *column = &schema->columns[i];
        if (i > 0)
            buf_text(out, ", ");
        if (column->sql)
            buf_printf(out, "%s AS %s", column->sql, column->name);
        else
            buf_printf(out, "r.\"%s\"", column->name);
    }
}
