#include "app/catalogue.h"

#include "aws/json.h"
#include "base/clock.h"
#include "base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define READ_US 30000000

struct held { /* a snapshot and who holds it */
    struct catalogue_snapshot snapshot;
    atomic_int holders;
};

struct catalogue {
    pthread_mutex_t lock;    /* of `newest` */
    pthread_mutex_t reading; /* one at a time */
    atomic_bool busy;
    uint64_t generation;
    struct held *newest;
};

const char *catalogue_fit_name(enum catalogue_fit fit)
{
    static const char *const names[] = {"", "same", "missing", "additional", "other type"};
    return (size_t)fit < sizeof names / sizeof *names ? names[fit] : "?";
}

struct catalogue *catalogue_create(void)
{
    struct catalogue *catalogue = mem_zero(1, sizeof *catalogue);
    pthread_mutex_init(&catalogue->lock, NULL);
    pthread_mutex_init(&catalogue->reading, NULL);
    return catalogue;
}

void catalogue_release(const struct catalogue_snapshot *snapshot)
{
    struct held *held = (struct held *)(uintptr_t)snapshot; /* its first member */
    if (!held || atomic_fetch_sub(&held->holders, 1) > 1)
        return;
    for (size_t i = 0; i < held->snapshot.table_count; i++) {
        free(held->snapshot.tables[i].columns);
        free(held->snapshot.tables[i].partitions);
    }
    free(held);
}

void catalogue_destroy(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    catalogue_release(catalogue->newest ? &catalogue->newest->snapshot : NULL);
    pthread_mutex_destroy(&catalogue->lock);
    pthread_mutex_destroy(&catalogue->reading);
    free(catalogue);
}

const struct catalogue_snapshot *catalogue_snapshot(struct catalogue *catalogue)
{
    pthread_mutex_lock(&catalogue->lock);
    struct held *held = catalogue->newest;
    if (held)
        atomic_fetch_add(&held->holders, 1);
    pthread_mutex_unlock(&catalogue->lock);
    return held ? &held->snapshot : NULL;
}

bool catalogue_reading(struct catalogue *catalogue)
{
    return atomic_load(&catalogue->busy);
}

/* ---- comparing --------------------------------------------------------------------------------------- */

static struct catalogue_column *find_column(struct catalogue_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (text_equal_fold(table->columns[i].name, name))
            return &table->columns[i];
    return NULL;
}

static void compare_column(struct catalogue_table *table, const char *name, const char *type)
{
    struct catalogue_column *column = find_column(table, name);
    if (!column) {
        if (!table->columns || table->column_count >= CATALOGUE_COLUMNS)
            return;
        column = &table->columns[table->column_count++];
        *column = (struct catalogue_column){.fit = CATALOGUE_MISSING};
        text_copy(column->name, sizeof column->name, name);
    } else {
        column->fit = text_equal_fold(column->type, type) ? CATALOGUE_SAME : CATALOGUE_TYPE;
    }
    text_copy(column->expected, sizeof column->expected, type);
}

void catalogue_compare(struct catalogue_table *table)
{
    bool raw = strcmp(table->database, LAKE_DATABASE_RAW) == 0;
    table->kind = -1;
    table->differences = 0;
    if (!raw && strcmp(table->database, LAKE_DATABASE_CURATED) != 0)
        return;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (strcmp(table->name, event_topic((enum event_kind)kind)) == 0)
            table->kind = kind;
    if (table->kind < 0)
        return;
    table->zone = raw ? LAKE_RAW : LAKE_CURATED;
    struct lake_schema *schema = mem_alloc(sizeof *schema);
    lake_schema_init(schema, (enum event_kind)table->kind, table->zone);
    for (size_t i = 0; i < table->column_count; i++)
        table->columns[i].fit = CATALOGUE_ADDITIONAL;
    for (size_t i = 0; i < schema->column_count; i++)
        compare_column(table, schema->columns[i].name, lake_type_hive(schema->columns[i].type));
    compare_column(table, LAKE_PARTITION_COLUMN, "string");
    for (size_t i = 0; i < table->column_count; i++)
        table->differences += table->columns[i].fit != CATALOGUE_SAME;
    free(schema);
}

/* ---- reading ----------------------------------------------------------------------------------------- */

static void take(char *out, size_t size, const json_t *json, const char *path)
{
    const char *text = aws_json_text(json, path);
    text_sanitise(out, size, text, strlen(text));
}

static json_t *pages(struct aws_client *client, const char *operation, json_t *input, const char *member,
                     size_t max, struct err *err)
{
    return aws_json_pages_wait(client, AWS_GLUE, operation, input, member, max, NULL,
                               clock_mono_us() + READ_US, NULL, err);
}

static void take_columns(struct catalogue_table *table, const json_t *list, bool key)
{
    size_t index;
    const json_t *one;
    json_array_foreach(list, index, one)
    {
        if (table->column_count == CATALOGUE_COLUMNS)
            return;
        struct catalogue_column *column = &table->columns[table->column_count++];
        take(column->name, sizeof column->name, one, "Name");
        take(column->type, sizeof column->type, one, "Type");
        column->key = key;
    }
}

/* "parquet" out of "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat" and its like. */
static void take_format(struct catalogue_table *table, const json_t *json)
{
    static const char *const known[] = {"parquet", "json", "csv", "orc", "avro"};
    const char *said = aws_json_text(json, "Parameters.classification");
    const char *serde = aws_json_text(json, "StorageDescriptor.SerdeInfo.SerializationLibrary");
    text_sanitise(table->format, sizeof table->format, said, strlen(said));
    for (size_t i = 0; !table->format[0] && i < sizeof known / sizeof *known; i++)
        if (text_find_fold(serde, known[i]))
            text_copy(table->format, sizeof table->format, known[i]);
    if (!table->format[0] && strcmp(aws_json_text(json, "TableType"), "VIRTUAL_VIEW") == 0)
        text_copy(table->format, sizeof table->format, "view");
}

static int read_partitions(struct aws_client *client, struct catalogue_table *table, struct err *err)
{
    struct err own = ERR_INIT;
    json_t *list = pages(client, "GetPartitions",
                         json_pack("{s:s, s:s, s:b}", "DatabaseName", table->database, "TableName",
                                   table->name, "ExcludeColumnSchema", true),
                         "Partitions", CATALOGUE_PARTITIONS, &own);
    if (!list && own.kind == ERR_LIMIT) {
        table->more_partitions = true;
        return 0;
    }
    if (!list) {
        *err = own;
        return -1;
    }
    size_t count = json_array_size(list), index, at;
    const json_t *one, *value;
    table->partitions = mem_zero(count + 1, sizeof *table->partitions);
    json_array_foreach(list, index, one)
    {
        struct catalogue_partition *partition = &table->partitions[table->partition_count++];
        char values[sizeof partition->values] = "";
        json_array_foreach(json_object_get(one, "Values"), at, value)
        {
            size_t used = strlen(values);
            if (at > 0 && used + 2 < sizeof values)
                values[used++] = '/';
            text_copy(values + used, sizeof values - used,
                      json_is_string(value) ? json_string_value(value) : "?");
        }
        text_sanitise(partition->values, sizeof partition->values, values, strlen(values));
        take(partition->location, sizeof partition->location, one, "StorageDescriptor.Location");
        partition->created_ms = aws_json_time_ms(one, "CreationTime");
    }
    json_decref(list);
    return 0;
}

static int read_table(struct aws_client *client, struct catalogue_snapshot *snapshot, const json_t *json,
                      const char *database, struct err *err)
{
    if (snapshot->table_count == CATALOGUE_TABLES) {
        snapshot->more_tables = true;
        return 0;
    }
    struct catalogue_table *table = &snapshot->tables[snapshot->table_count++];
    text_sanitise(table->database, sizeof table->database, database, strlen(database));
    take(table->name, sizeof table->name, json, "Name");
    take(table->location, sizeof table->location, json, "StorageDescriptor.Location");
    table->updated_ms = aws_json_time_ms(json, "UpdateTime");
    take_format(table, json);
    table->columns = mem_zero(CATALOGUE_COLUMNS, sizeof *table->columns);
    take_columns(table, aws_json_at(json, "StorageDescriptor.Columns"), false);
    take_columns(table, json_object_get(json, "PartitionKeys"), true);
    catalogue_compare(table);
    /* Of other people's tables the partitions are not asked for: there may be millions. */
    return table->kind < 0 ? 0 : read_partitions(client, table, err);
}

static int read_database(struct aws_client *client, struct catalogue_snapshot *snapshot, const char *name,
                         struct err *err)
{
    json_t *tables = pages(client, "GetTables", json_pack("{s:s}", "DatabaseName", name), "TableList",
                           (size_t)CATALOGUE_TABLES * 10, err);
    size_t index;
    const json_t *one;
    int result = tables ? 0 : -1;
    json_array_foreach(tables, index, one) if (result == 0) result =
        read_table(client, snapshot, one, name, err);
    json_decref(tables);
    return result;
}

static int read_crawlers(struct aws_client *client, struct catalogue_snapshot *snapshot, struct err *err)
{
    json_t *list = pages(client, "GetCrawlers", NULL, "Crawlers", 1000, err);
    json_t *metrics = list ? pages(client, "GetCrawlerMetrics", NULL, "CrawlerMetricsList", 1000, err) : NULL;
    size_t index, at;
    const json_t *one, *metric;
    json_array_foreach(list, index, one)
    {
        if (snapshot->crawler_count == CATALOGUE_CRAWLERS)
            break;
        struct catalogue_crawler *crawler = &snapshot->crawlers[snapshot->crawler_count++];
        take(crawler->name, sizeof crawler->name, one, "Name");
        take(crawler->database, sizeof crawler->database, one, "DatabaseName");
        take(crawler->state, sizeof crawler->state, one, "State");
        crawler->elapsed_ms = aws_json_int(one, "CrawlElapsedTime", 0);
        take(crawler->last, sizeof crawler->last, one, "LastCrawl.Status");
        take(crawler->message, sizeof crawler->message, one, "LastCrawl.ErrorMessage");
        crawler->last_ms = aws_json_time_ms(one, "LastCrawl.StartTime");
        take(crawler->target, sizeof crawler->target,
             json_array_get(aws_json_at(one, "Targets.S3Targets"), 0), "Path");
        json_array_foreach(metrics, at, metric)
        {
            if (strcmp(aws_json_text(metric, "CrawlerName"), aws_json_text(one, "Name")) != 0)
                continue;
            crawler->created = aws_json_int(metric, "TablesCreated", 0);
            crawler->updated = aws_json_int(metric, "TablesUpdated", 0);
            crawler->deleted = aws_json_int(metric, "TablesDeleted", 0);
            crawler->left_s = aws_json_real(metric, "TimeLeftSeconds", 0);
            crawler->median_s = aws_json_real(metric, "MedianRuntimeSeconds", 0);
        }
    }
    int result = list && metrics ? 0 : -1;
    json_decref(list);
    json_decref(metrics);
    return result;
}

static int read_all(struct aws_client *client, struct catalogue_snapshot *snapshot, struct err *err)
{
    json_t *databases = pages(client, "GetDatabases", NULL, "DatabaseList", 1000, err);
    size_t index;
    const json_t *one;
    int result = databases ? 0 : -1;
    snapshot->database_count = json_array_size(databases);
    /* Ours first, so that they have room whatever else there is. */
    for (int ours = 1; ours >= 0; ours--)
        json_array_foreach(databases, index, one)
        {
            const char *name = aws_json_text(one, "Name");
            bool is_ours = strcmp(name, LAKE_DATABASE_RAW) == 0 || strcmp(name, LAKE_DATABASE_CURATED) == 0;
            if (result == 0 && is_ours == (ours == 1) && !snapshot->more_tables)
                result = read_database(client, snapshot, name, err);
        }
    json_decref(databases);
    return result == 0 ? read_crawlers(client, snapshot, err) : -1;
}

int catalogue_read(struct catalogue *catalogue, struct aws_client *client, struct err *err)
{
    pthread_mutex_lock(&catalogue->reading);
    atomic_store(&catalogue->busy, true);
    struct held *held = mem_zero(1, sizeof *held), *old = held;
    held->holders = 1;
    int result = read_all(client, &held->snapshot, err);
    if (result == 0) {
        held->snapshot.read_us = clock_wall_us();
        pthread_mutex_lock(&catalogue->lock);
        held->snapshot.generation = ++catalogue->generation;
        old = catalogue->newest;
        catalogue->newest = held;
        pthread_mutex_unlock(&catalogue->lock);
    }
    catalogue_release(old ? &old->snapshot : NULL);
    atomic_store(&catalogue->busy, false);
    pthread_mutex_unlock(&catalogue->reading);
    return result;
}
