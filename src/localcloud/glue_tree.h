/*
 * What a crawler makes of the files under one path: a tree of folders, each with the schema of its files, cut
 * into tables and their partitions. Pure: the crawl lists and reads, this decides.
 *
 * The rule, which AWS does not publish, is ours (docs/glue-crawler.md): two schemas are alike when they have
 * the same format and at least 70 of 100 columns in common (same name, types that go together; over the
 * columns of the one that has more). With `combine` (TableGroupingPolicy CombineCompatibleSchemas) it is
 * enough that no common column contradicts. A folder is one table when all folders below it that hold files
 * are equally deep, named in the same manner (all key=value with the same key, or none), and alike; else each
 * of its folders is looked at by itself. Files whose folder also has folders, or which are not alike, are
 * each a table.
 */
#ifndef SMARTCITY_LOCALCLOUD_GLUE_TREE_H
#define SMARTCITY_LOCALCLOUD_GLUE_TREE_H

#include "localcloud/glue_schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GLUE_TREE_DEPTH 32
#define GLUE_SIMILAR    0.7

enum glue_format { GLUE_UNKNOWN, GLUE_PARQUET, GLUE_JSON };

struct glue_figures {
    int64_t objects, bytes, records;
};

struct glue_file {
    char *key;
    char blob[40];
    int64_t size;
    bool read;
    enum glue_format format;
    struct hive_type schema;
    int64_t records; /* -1 not known */
};

struct glue_folder {
    char *name; /* the last part; "" for the root */
    char *path; /* key prefix, ends with '/' (the root's may be "") */
    struct glue_folder *children;
    size_t child_count;
    struct glue_file *files;
    size_t file_count;
    /* set by glue_tree_settle() */
    bool uniform; /* one table or a part of one */
    int levels;   /* of folders below it, to the files */
    enum glue_format format;
    struct hive_type schema;
    struct glue_figures figures;
};

void glue_folder_free(struct glue_folder *folder);
/* Adds a file below the root; false when it lies too deep. The name of the root's path is not part of it. */
struct glue_file *glue_tree_add(struct glue_folder *root, const char *key);
/* Bottom up: which folders are uniform, and their merged schemas. */
void glue_tree_settle(struct glue_folder *root, bool combine);

/* A table: a folder, or one file of it. */
struct glue_found {
    const struct glue_folder *folder;
    const struct glue_file *file; /* NULL: the folder */
};
/* level: TableLevelConfiguration, folders below the bucket (1 the bucket itself), 0 none: then every folder
 * of that level is a table whatever its files. */
void glue_tree_tables(const struct glue_folder *root, int level, int root_level,
                      void (*each)(void *context, const struct glue_found *found), void *context);
/* Keys of a table by level: names of key=value, else partition_0, …; the partitions with their values. */
void glue_tree_partitions(const struct glue_folder *table,
                          void (*each)(void *context, const struct glue_folder *leaf,
                                       const char *const *values, size_t count),
                          void *context);
/* The name of the key at a level (0 the first) into `name`. */
void glue_tree_key(const struct glue_folder *table, int level, char name[HIVE_NAME_MAX + 1]);

/* "2026 GPS!" to "2026_gps_": what Glue makes of a folder's name, 128 bytes at most. */
void glue_table_name(const char *prefix, const char *folder, char name[129]);
/* Exclusion patterns: * ? ** [abc] {a,b} and \. */
bool glue_glob(const char *pattern, const char *text);

#endif
