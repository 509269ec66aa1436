/*
 * What Glue's catalogue holds: databases, tables with their columns and partitions, crawlers; each table of
 * ours compared with the lake's schema. Read by a job through the AWS client, published as an immutable
 * snapshot. Everything in it is bounded and harmless for a terminal.
 */
#ifndef SMARTCITY_APP_CATALOGUE_H
#define SMARTCITY_APP_CATALOGUE_H

#include "aws/client.h"
#include "lake/lake_schema.h"

#define CATALOGUE_TABLES     160
#define CATALOGUE_COLUMNS    128 /* of a table */
#define CATALOGUE_PARTITIONS 1000
#define CATALOGUE_CRAWLERS   16

enum catalogue_fit {
    CATALOGUE_FOREIGN, /* a table that is not ours: nothing is expected */
    CATALOGUE_SAME,
    CATALOGUE_MISSING,    /* the lake has it, the table has not */
    CATALOGUE_ADDITIONAL, /* the other way */
    CATALOGUE_TYPE        /* another type */
};
const char *catalogue_fit_name(enum catalogue_fit fit); /* "same", "missing", …; "" foreign */

struct catalogue_column {
    char name[64], type[64];
    char expected[32]; /* as Hive says it; "" none */
    enum catalogue_fit fit;
    bool key; /* of the partitions */
};
struct catalogue_partition {
    char values[96], location[200];
    int64_t created_ms;
};
struct catalogue_table {
    char database[64], name[96], location[200], format[24];
    int64_t updated_ms;
    int kind; /* -1: not ours */
    enum lake_zone zone;
    size_t differences; /* columns that do not fit */
    size_t column_count;
    struct catalogue_column *columns;
    size_t partition_count;
    bool more_partitions; /* than are held */
    struct catalogue_partition *partitions;
};
struct catalogue_crawler {
    char name[64], database[64], target[160], state[16]; /* "READY", "RUNNING", "STOPPING" */
    int64_t elapsed_ms;
    char last[24], message[200]; /* of the last crawl: "SUCCEEDED", and why not */
    int64_t last_ms;             /* when it began; 0 never */
    int64_t created, updated, deleted;
    double left_s, median_s;
};
struct catalogue_snapshot {
    uint64_t generation;
    int64_t read_us; /* wall clock */
    size_t database_count, table_count, crawler_count;
    bool more_tables; /* than are held */
    struct catalogue_table tables[CATALOGUE_TABLES];
    struct catalogue_crawler crawlers[CATALOGUE_CRAWLERS];
};

struct catalogue;
struct catalogue *catalogue_create(void);
void catalogue_destroy(struct catalogue *catalogue); /* snapshots that are held stay; NULL allowed */
/* Reads all of it and publishes. Blocks, for seconds on AWS; one reads at a time, others wait. Any thread. */
int catalogue_read(struct catalogue *catalogue, struct aws_client *client, struct err *err);
bool catalogue_reading(struct catalogue *catalogue);
/* The newest; NULL before the first. Given back with catalogue_release(). Any thread. */
const struct catalogue_snapshot *catalogue_snapshot(struct catalogue *catalogue);
void catalogue_release(const struct catalogue_snapshot *snapshot); /* NULL allowed */

/* Fills kind, zone, the columns' fits and what is missing; `columns` has room for CATALOGUE_COLUMNS. Pure. */
void catalogue_compare(struct catalogue_table *table);

#endif
