/* What the editor completes: databases, tables and columns, by the field tables at once, by the catalogue
 * when it was asked. */
#include "app/query_private.h"

#include "base/clock.h"
#include "base/text.h"
#include "lake/lake_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX  6000
#define TABLES_MAX 500
#define LAKE_SIDES (1u << QUERY_ATHENA)

struct words {
    struct query_word *list;
    size_t count, capacity;
};

/* Once each: a column of five tables is one word for all. */
static void add(struct words *words, enum query_word_kind kind, unsigned engines, const char *name,
                const char *detail)
{
    char clean[sizeof words->list->name];
    if (strlen(name) >= sizeof clean)
        return;
    text_sanitise(clean, sizeof clean, name, strlen(name));
    for (size_t i = 0; i < words->count; i++)
        if (words->list[i].kind == kind && strcmp(words->list[i].name, clean) == 0) {
            words->list[i].engines |= engines;
            return;
        }
    if (words->count == WORDS_MAX)
        return;
    if (words->count == words->capacity) {
        words->capacity = words->capacity ? words->capacity * 2 : 256;
        words->list = mem_resize(words->list, words->capacity, sizeof *words->list);
    }
    struct query_word *word = &words->list[words->count++];
    *word = (struct query_word){.kind = kind, .engines = engines};
    memcpy(word->name, clean, sizeof clean);
    text_sanitise(word->detail, sizeof word->detail, detail, strlen(detail));
}

static void add_known(struct words *words)
{
    static const char *const cache[] = {"cache.throughput", "cache.setting",  "cache.history", "ledger.batch",
                                        "ledger.job",       "results.result", "result_last"};
    add(words, QUERY_WORD_DATABASE, LAKE_SIDES, LAKE_DATABASE_RAW, "database");
    add(words, QUERY_WORD_DATABASE, LAKE_SIDES, LAKE_DATABASE_CURATED, "database");
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        for (int zone = 0; zone < 2; zone++) {
            struct lake_schema schema;
            char name[80];
            lake_schema_init(&schema, (enum event_kind)kind, zone ? LAKE_CURATED : LAKE_RAW);
            snprintf(name, sizeof name, "%.40s.%.30s", schema.database, schema.table);
            add(words, QUERY_WORD_TABLE, LAKE_SIDES, name, "table");
            snprintf(name, sizeof name, "%s.%.40s", LAKE_WAREHOUSE, schema.table);
            add(words, QUERY_WORD_TABLE, 1u << QUERY_REDSHIFT, name, "table");
            for (size_t i = 0; i < schema.column_count; i++) {
                char detail[56];
                const struct lake_column *column = &schema.columns[i];
                snprintf(detail, sizeof detail, "%.20s%s%.30s", lake_type_hive(column->type),
                         column->unit && column->unit[0] ? " · " : "", column->unit ? column->unit : "");
                add(words, QUERY_WORD_COLUMN, LAKE_SIDES | 1u << QUERY_REDSHIFT, column->name, detail);
            }
        }
    }
    add(words, QUERY_WORD_COLUMN, LAKE_SIDES, LAKE_PARTITION_COLUMN, "string · day, partition");
    for (size_t i = 0; i < sizeof cache / sizeof *cache; i++)
        add(words, QUERY_WORD_TABLE, 1u << QUERY_CACHE, cache[i], "table");
}

struct query_word *query_words_known(size_t *count)
{
    struct words words = {0};
    add_known(&words);
    *count = words.count;
    return words.list;
}

static bool add_database(struct words *words, struct aws_client *client, const char *database)
{
    struct err err = ERR_INIT;
    json_t *tables =
        aws_json_pages_wait(client, AWS_GLUE, "GetTables", json_pack("{s:s}", "DatabaseName", database),
                            "TableList", TABLES_MAX, NULL, clock_mono_us() + QUERY_REQUEST_US, NULL, &err);
    size_t i, j;
    json_t *table, *column;
    json_array_foreach(tables, i, table)
    {
        char name[160];
        snprintf(name, sizeof name, "%.70s.%.70s", database, aws_json_text(table, "Name"));
        add(words, QUERY_WORD_TABLE, LAKE_SIDES, name, "table");
        json_t *columns = json_object_get(json_object_get(table, "StorageDescriptor"), "Columns");
        json_array_foreach(columns, j, column)
        {
            add(words, QUERY_WORD_COLUMN, LAKE_SIDES, aws_json_text(column, "Name"),
                aws_json_text(column, "Type"));
        }
    }
    bool done = tables != NULL;
    json_decref(tables);
    return done;
}

struct query_word *query_words_ask(struct aws_client *client, size_t *count)
{
    struct words words = {0};
    struct err err = ERR_INIT;
    json_t *databases = aws_json_pages_wait(client, AWS_GLUE, "GetDatabases", NULL, "DatabaseList", 200, NULL,
                                            clock_mono_us() + QUERY_REQUEST_US, NULL, &err);
    if (!databases)
        return NULL;
    size_t i;
    json_t *database;
    add_known(&words);
    json_array_foreach(databases, i, database)
    {
        const char *name = aws_json_text(database, "Name");
        add(&words, QUERY_WORD_DATABASE, LAKE_SIDES, name, "database");
        add_database(&words, client, name);
    }
    json_decref(databases);
    *count = words.count;
    return words.list;
}
