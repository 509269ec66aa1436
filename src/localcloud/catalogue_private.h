/* What the files of the catalogue share. */
#ifndef SMARTCITY_LOCALCLOUD_CATALOGUE_PRIVATE_H
#define SMARTCITY_LOCALCLOUD_CATALOGUE_PRIVATE_H

#include "localcloud/catalogue.h"
#include "localcloud/shape.h"
#include "sql/sql.h"

#include <pthread.h>

enum catalogue_statement {
    CAT_DATABASE,
    CAT_DATABASE_ADD,
    CAT_DATABASE_PUT,
    CAT_DATABASE_REMOVE,
    CAT_DATABASE_LIST,
    CAT_DATABASE_PARTITIONS_REMOVE,
    CAT_DATABASE_VERSIONS_REMOVE,
    CAT_DATABASE_TABLES_REMOVE,
    CAT_TABLE,
    CAT_TABLE_ADD,
    CAT_TABLE_PUT,
    CAT_TABLE_REMOVE,
    CAT_TABLE_LIST,
    CAT_TABLE_PARTITIONS_REMOVE,
    CAT_TABLE_VERSIONS_REMOVE,
    CAT_VERSION,
    CAT_VERSION_ADD,
    CAT_VERSION_REMOVE,
    CAT_VERSION_LIST,
    CAT_PARTITION,
    CAT_PARTITION_ADD,
    CAT_PARTITION_REMOVE,
    CAT_PARTITION_LIST,
    CAT_STATEMENTS
};

struct catalogue {
    pthread_mutex_t lock; /* of all below */
    struct sql_db *db;
    struct sql_statement *statements[CAT_STATEMENTS];
    uint64_t generation;
    char account[16];
};

/* A table's row. */
struct catalogue_row {
    int64_t id, version;
    json_t *document;
};

extern const struct shape catalogue_database_shape[], catalogue_table_shape[], catalogue_partition_shape[];

/* All of these with the lock held. */
/* Reset and ready to bind; NULL on error. */
struct sql_statement *catalogue_prepare(struct catalogue *catalogue, enum catalogue_statement which,
                                        struct err *err);
int catalogue_run_on(struct catalogue *catalogue, enum catalogue_statement which, int64_t id,
                     struct err *err);
json_t *catalogue_document(struct sql_statement *row, int column, struct err *err);
enum catalogue_status catalogue_row_get(struct catalogue *catalogue, const char *database, const char *name,
                                        struct catalogue_row *row, struct err *err);
/* Commits when `status` is CATALOGUE_OK, else rolls back; then unlocks. Returns the status to give. */
enum catalogue_status catalogue_end(struct catalogue *catalogue, enum catalogue_status status,
                                    struct err *err);
/* Locks and begins. CATALOGUE_FAILED: not locked. */
enum catalogue_status catalogue_begin(struct catalogue *catalogue, struct err *err);
/* Seconds, as Glue writes times. */
json_t *catalogue_time(int64_t now_us);
enum catalogue_status catalogue_fail(struct err *err, enum catalogue_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
