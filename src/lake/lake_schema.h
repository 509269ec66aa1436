/*
 * Columns of the lake: how an event lies in Parquet, Glue, Athena and Redshift. Everything here is made from
 * the field tables (city/schema.h) by a few rules, so that a new field is still one row there:
 *
 *     text, list, blob     VARCHAR     a list is a JSON array; a blob is the key of the object that holds it
 *     int, bool            INTEGER, BOOLEAN
 *     double               DOUBLE
 *     time                 TIMESTAMP   microseconds, UTC
 *     location             two DOUBLEs: latitude, longitude
 *     counts               an INTEGER a class: vehicle_counts_car, …
 *
 * Names are the fields' in lower case with underscores (airQualityIndex: air_quality_index); `timestamp`, a
 * reserved word of every dialect, is event_ts. First stands where in Kafka the row came from, then what SQL
 * computes (curated only), then the fields in their order, so that a field added at the end of its table is
 * added at the end everywhere: Redshift's COPY and INSERT go by position, and the physical type must match.
 * The partition column dt is not in the file. Pure; any thread.
 */
#ifndef SMARTCITY_LAKE_LAKE_SCHEMA_H
#define SMARTCITY_LAKE_LAKE_SCHEMA_H

#include "base/buf.h"
#include "city/schema.h"
#include "sql/duckdb_source.h"

#define LAKE_DATABASE_RAW     "smartcity_raw"
#define LAKE_DATABASE_CURATED "smartcity_curated"
#define LAKE_WAREHOUSE        "smartcity" /* schema in Redshift */
#define LAKE_WAREHOUSE_LEDGER "lake_ledger"
#define LAKE_PARTITION_COLUMN "dt" /* YYYY-MM-DD of the event's time, a string as a crawler makes it */

enum lake_type {
    LAKE_BOOLEAN,
    LAKE_INTEGER,
    LAKE_BIGINT,
    LAKE_DOUBLE,
    LAKE_TIMESTAMP,
    LAKE_VARCHAR,
    LAKE_TYPES
};

/* Where a column's value comes from: the field of that index, or what Kafka says. */
enum {
    LAKE_FROM_CLUSTER = -1,
    LAKE_FROM_PARTITION = -2,
    LAKE_FROM_OFFSET = -3,
    LAKE_FROM_TIME = -4,
    LAKE_FROM_KEY = -5,
    LAKE_FROM_SQL = -6 /* curated only: `sql` computes it */
};

struct lake_column {
    char name[40];
    enum lake_type type;
    int16_t from;  /* field index or LAKE_FROM_… */
    int16_t part;  /* of a location: 0 latitude, 1 longitude; of counts: the class */
    int32_t bytes; /* the longest VARCHAR */
    const char *unit, *meaning;
    const char *sql;
};

enum lake_zone { LAKE_RAW, LAKE_CURATED };

#define LAKE_COLUMNS_MAX 72
#define LAKE_KEY_BYTES   255 /* of _kafka_key; longer ones are cut */
#define LAKE_REF_BYTES   255 /* of a key that stands for a blob */

struct lake_schema {
    enum event_kind kind;
    enum lake_zone zone;
    const char *table;    /* as the topic */
    const char *database; /* in Glue */
    size_t time_column;   /* event_ts */
    size_t column_count;
    struct lake_column columns[LAKE_COLUMNS_MAX];
};

void lake_schema_init(struct lake_schema *schema, enum event_kind kind, enum lake_zone zone);
/* Changes whenever a column does; kept in every intent. 16 hexadecimal digits. */
void lake_schema_id(const struct lake_schema *schema, char out[17]);
int lake_schema_find(const struct lake_schema *schema, const char *name); /* or -1 */

enum duck_kind lake_type_duck(enum lake_type type);
size_t lake_type_width(enum lake_type type);     /* bytes of one value in a vector */
const char *lake_type_hive(enum lake_type type); /* Glue and Athena DDL: "int", "string", … */
const char *lake_type_name(enum lake_type type); /* "INTEGER", … */

/* A Glue TableInput, as JSON. `location` is "s3://bucket/raw/vehicle_data/". */
void lake_schema_glue_table(const struct lake_schema *schema, const char *location, struct buf *out);
/* A Glue PartitionInput of that table. */
void lake_schema_glue_partition(const struct lake_schema *schema, const char *dt, const char *location,
                                struct buf *out);
/* CREATE EXTERNAL TABLE. `projection`: partitions are computed, not catalogued: for production; the
 * catalogue's own are then not looked at. */
void lake_schema_athena_ddl(const struct lake_schema *schema, const char *location, bool projection,
                            struct buf *out);
/* CREATE TABLE IF NOT EXISTS "smartcity"."vehicle_data". */
void lake_schema_redshift_ddl(const struct lake_schema *schema, struct buf *out);
/* CREATE SCHEMA, and the ledger of loads; one statement each, `index` from 0; false behind the last. */
bool lake_schema_redshift_setup(int index, struct buf *out);
/* r."a", r."b" … in order, of a table that is called r; what SQL computes stands as its expression AS name.
 */
void lake_schema_select_list(const struct lake_schema *schema, struct buf *out);

#endif
