/*
 * The catalogue of the local cloud: databases, tables with their versions, partitions; what Glue answers with
 * and what Athena and Redshift read. Kept in FOLDER/catalogue.sqlite; every change is one transaction.
 *
 * A database, table or partition is a JSON object in the shape of Glue's own answers ("Table": {"Name": …,
 * "StorageDescriptor": {"Columns": [{"Name", "Type"}], "Location": …}, "PartitionKeys": […]}); inputs are in
 * the shape of Glue's DatabaseInput, TableInput and PartitionInput. Names of databases and tables are folded
 * to lower case.
 *
 * Any thread may call anything here: one mutex. JSON that is handed out belongs to the receiver alone.
 *
 * err holds AWS's own text for every status but CATALOGUE_OK and CATALOGUE_FAILED. Times are microseconds.
 */
#ifndef SMARTCITY_LOCALCLOUD_CATALOGUE_H
#define SMARTCITY_LOCALCLOUD_CATALOGUE_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalogue;

enum catalogue_status {
    CATALOGUE_OK,
    CATALOGUE_NO_DATABASE, /* EntityNotFoundException, as the next three */
    CATALOGUE_NO_TABLE,
    CATALOGUE_NO_PARTITION,
    CATALOGUE_NO_VERSION,
    CATALOGUE_EXISTS,  /* AlreadyExistsException */
    CATALOGUE_INVALID, /* InvalidInputException */
    CATALOGUE_CHANGED, /* VersionMismatchException */
    CATALOGUE_FAILED   /* the disk */
};
/* "EntityNotFoundException"; "InternalServiceException" for CATALOGUE_FAILED. */
const char *catalogue_error_code(enum catalogue_status status);

#define CATALOGUE_NAME_MAX 255

/* `account` is the CatalogId of what is stored. NULL on error. */
struct catalogue *catalogue_open(const char *folder, const char *account, struct err *err);
void catalogue_close(struct catalogue *catalogue); /* NULL allowed */
/* Grows with every change of anything; for who keeps something made from the catalogue. */
uint64_t catalogue_generation(struct catalogue *catalogue);

/* Returns false to stop. `item` is borrowed: json_incref() what is kept. The catalogue is locked meanwhile:
 * do not call back into it. */
typedef bool catalogue_each_fn(void *context, json_t *item);

/* ---- databases -------------------------------------------------------------------------------------- */

enum catalogue_status catalogue_database_create(struct catalogue *catalogue, const json_t *input,
                                                int64_t now_us, struct err *err);
/* database NULL: only whether it is there. */
enum catalogue_status catalogue_database_get(struct catalogue *catalogue, const char *name, json_t **database,
                                             struct err *err);
enum catalogue_status catalogue_database_update(struct catalogue *catalogue, const char *name,
                                                const json_t *input, struct err *err);
/* With its tables. */
enum catalogue_status catalogue_database_delete(struct catalogue *catalogue, const char *name,
                                                struct err *err);
/* In the order of names, those behind `after` ("" all). */
enum catalogue_status catalogue_database_list(struct catalogue *catalogue, const char *after,
                                              catalogue_each_fn *each, void *context, struct err *err);

/* ---- tables ----------------------------------------------------------------------------------------- */

enum catalogue_status catalogue_table_create(struct catalogue *catalogue, const char *database,
                                             const json_t *input, int64_t now_us, struct err *err);
/* table NULL: only whether it is there. */
enum catalogue_status catalogue_table_get(struct catalogue *catalogue, const char *database, const char *name,
                                          json_t **table, struct err *err);

struct catalogue_update {
    bool skip_archive;   /* the version that was is not kept */
    const char *version; /* the version that must be the present one; NULL any */
};
/* Replaces the table of the name in `input`. */
enum catalogue_status catalogue_table_update(struct catalogue *catalogue, const char *database,
                                             const json_t *input, const struct catalogue_update *update,
                                             int64_t now_us, struct err *err);
/* With its versions and partitions. */
enum catalogue_status catalogue_table_delete(struct catalogue *catalogue, const char *database,
                                             const char *name, struct err *err);
enum catalogue_status catalogue_table_list(struct catalogue *catalogue, const char *database,
                                           const char *after, catalogue_each_fn *each, void *context,
                                           struct err *err);

/* ---- versions --------------------------------------------------------------------------------------- */

/* A version is {"Table": {…}, "VersionId": "3"}. version NULL or "": the present one. */
enum catalogue_status catalogue_version_get(struct catalogue *catalogue, const char *database,
                                            const char *name, const char *version, json_t **item,
                                            struct err *err);
/* Newest first, those older than `before` (-1 all). */
enum catalogue_status catalogue_version_list(struct catalogue *catalogue, const char *database,
                                             const char *name, int64_t before, catalogue_each_fn *each,
                                             void *context, struct err *err);
/* The present one cannot be deleted: CATALOGUE_INVALID. */
enum catalogue_status catalogue_version_delete(struct catalogue *catalogue, const char *database,
                                               const char *name, const char *version, struct err *err);

/* ---- partitions ------------------------------------------------------------------------------------- */

/* How one of several went; `status` CATALOGUE_OK or why not. */
struct catalogue_outcome {
    enum catalogue_status status;
    struct err err;
};

/* Of several partition inputs in one transaction; those that cannot be added are skipped and told in
 * outcomes[json_array_size(inputs)]. The returned status speaks of the table and the disk only. */
enum catalogue_status catalogue_partitions_create(struct catalogue *catalogue, const char *database,
                                                  const char *table, const json_t *inputs, int64_t now_us,
                                                  struct catalogue_outcome *outcomes, struct err *err);
/* Values: ["2026-01-12", "08"], as many as the table has partition keys. */
enum catalogue_status catalogue_partition_get(struct catalogue *catalogue, const char *database,
                                              const char *table, const json_t *values, json_t **partition,
                                              struct err *err);
/* The new input may have other values. */
enum catalogue_status catalogue_partition_update(struct catalogue *catalogue, const char *database,
                                                 const char *table, const json_t *values, const json_t *input,
                                                 struct err *err);
/* lists: [["2026-01-12"], …]; as catalogue_partitions_create. */
enum catalogue_status catalogue_partitions_delete(struct catalogue *catalogue, const char *database,
                                                  const char *table, const json_t *lists,
                                                  struct catalogue_outcome *outcomes, struct err *err);

struct catalogue_partition_query {
    const char *after; /* a key, catalogue_partition_key(); "" from the start */
    /* Decides by the values (compact JSON array) before the partition is read; NULL: all. */
    bool (*wants)(void *context, const json_t *values);
    void *context;             /* of wants and each */
    int64_t segment, segments; /* one of several disjoint parts; segments 0: all */
};
/* In the order of keys. */
enum catalogue_status catalogue_partition_list(struct catalogue *catalogue, const char *database,
                                               const char *table,
                                               const struct catalogue_partition_query *query,
                                               catalogue_each_fn *each, struct err *err);
/* The text partitions are ordered by; the caller frees. */
char *catalogue_partition_key(const json_t *values);

#endif
