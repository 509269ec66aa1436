/*
 * Rows of a query as new objects of the store: one object, or one for each partition. The engine writes
 * Parquet and JSON into a blob that is then committed under its key; text is what Hive's LazySimpleSerDe
 * reads. Nothing is committed before all of it has been written, so a statement that fails leaves no object.
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_OUTPUT_H
#define SMARTCITY_LOCALCLOUD_ATHENA_OUTPUT_H

#include "localcloud/athena_task.h"

#define ATHENA_PARTITIONS_MAX 100 /* that one statement may write, as in Athena */

enum athena_format { ATHENA_PARQUET, ATHENA_JSON, ATHENA_TEXT };

struct athena_output {
    enum athena_format format;
    const char *compression; /* "none", "gzip", "zstd", "snappy" */
    const char *delimiter;   /* of text */
    const char *location;    /* "s3://bucket/folder/" */
    /* SELECT with the columns in order, the partition keys last, each by the name it shall have. */
    const char *sql;
    const json_t *columns; /* [{"Name"}, …], without the keys */
    const json_t *keys;    /* the same; empty: no partitions */
};

/* What was written: rows, [uri, …], [{"Values": […], "Location": …}, …]. The caller releases both arrays. */
struct athena_written {
    int64_t rows;
    json_t *uris, *partitions;
};
int athena_output_write(struct athena_task *task, const struct athena_output *output,
                        struct athena_written *written);
void athena_written_free(struct athena_written *written);
/* Is there any object below the location? */
bool athena_output_occupied(struct athena_task *task, const char *location);

/* ---- between athena_write.c and athena_insert.c ----------------------------------------------------- */

const char *athena_write_option(const json_t *options, const char *name); /* a text, or NULL */
/* Format and compression by their words, or failed. */
int athena_write_format(struct athena_task *task, const char *format, const char *compression,
                        struct athena_output *output);
int athena_write_partitions(struct athena_task *task, const char *database, const char *name,
                            const json_t *storage, const struct athena_written *written);
/* The number of rows, and the manifest. */
int athena_write_finish(struct athena_task *task, const struct athena_written *written);
int athena_insert_run(struct athena_task *task);

#endif
