/*
 * Schemas as a crawler sees them: Hive types, how two of them merge, how alike they are; read from the footer
 * of a Parquet file or inferred from JSON lines. Pure; input is hostile: bounded in depth, width and size.
 */
#ifndef SMARTCITY_LOCALCLOUD_GLUE_SCHEMA_H
#define SMARTCITY_LOCALCLOUD_GLUE_SCHEMA_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hive_kind {
    HIVE_NULL, /* nothing but nulls seen yet; written as string */
    HIVE_BOOLEAN,
    HIVE_TINYINT,
    HIVE_SMALLINT,
    HIVE_INT,
    HIVE_BIGINT,
    HIVE_FLOAT,
    HIVE_DOUBLE,
    HIVE_DECIMAL,
    HIVE_STRING,
    HIVE_BINARY,
    HIVE_DATE,
    HIVE_TIMESTAMP,
    HIVE_ARRAY, /* one child */
    HIVE_MAP,   /* key, value */
    HIVE_STRUCT
};

#define HIVE_DEPTH_MAX  32
#define HIVE_FIELDS_MAX 4096 /* of one struct */
#define HIVE_NAME_MAX   255

struct hive_type {
    enum hive_kind kind;
    int precision, scale; /* DECIMAL */
    char *name;           /* when it is a field; else NULL */
    struct hive_type *children;
    size_t count;
};

/* Frees what is below; zeroes it. */
void hive_type_free(struct hive_type *type);
/* A field of a struct by name (ASCII case folded, as Hive does); NULL. */
struct hive_type *hive_type_field(const struct hive_type *type, const char *name);
/* Appends a field; NULL when there are too many. */
struct hive_type *hive_type_add(struct hive_type *type, const char *name);
/* "struct<a:bigint,b:array<string>>" */
void hive_type_write(const struct hive_type *type, struct buf *out);
/* [{"Name", "Type"}] of a struct. */
json_t *hive_type_columns(const struct hive_type *type);
/* Makes `into` hold both: wider numbers; fields of either; string for what does not go together. */
void hive_type_merge(struct hive_type *into, const struct hive_type *from);
/* Whether a merge keeps both meanings (no fall to string). */
bool hive_type_compatible(const struct hive_type *a, const struct hive_type *b);
/* Of two structs: columns of the same name and compatible type, over the count of the one that has more: 0 to
 * 1. Two that are empty: 1. */
double hive_type_similarity(const struct hive_type *a, const struct hive_type *b);

/* From the file's last bytes: footer (Thrift compact protocol), length, "PAR1". `size` of the whole file;
 * `bytes` holds its last `length`. ERR_LIMIT: the footer is longer than `length`, and *needed says how long
 * the tail must be. Source: apache/parquet-format, parquet.thrift and LogicalTypes.md; Hive's names for them.
 */
int glue_parquet_schema(const void *bytes, size_t length, int64_t size, struct hive_type *schema,
                        int64_t *rows, size_t *needed, struct err *err);

/* Merges the records of `bytes` into the schema: JSON objects one a line. `last`: the end of the file, else
 * an unfinished last line is left. Returns how many records, or -1 when it holds anything but objects. */
int64_t glue_json_schema(const char *bytes, size_t length, bool last, struct hive_type *schema,
                         struct err *err);

#endif
