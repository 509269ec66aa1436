/*
 * COPY and UNLOAD: between the object store and the warehouse. The engine reads objects as local files under
 * a lease, and what it writes becomes an object in one step; nothing else of the disk is named.
 */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_LOAD_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_LOAD_H

#include "localcloud/redshift_run.h"
#include "localcloud/redshift_table.h"

#include <stdio.h>

#define REDSHIFT_LOAD_FILES  100000
#define REDSHIFT_LOAD_ERRORS 1000 /* that are told one by one */

int redshift_copy(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                  struct redshift_outcome *outcome);
int redshift_unload(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                    struct redshift_outcome *outcome);

/* ---- between redshift_load*.c ----------------------------------------------------------------------- */

#define RS_PARTITIONS_MAX 16 /* columns of PARTITION BY */

enum rs_format { RS_FORMAT_TEXT, RS_FORMAT_CSV, RS_FORMAT_JSON, RS_FORMAT_PARQUET };

/* What a COPY or UNLOAD says behind its names. Texts belong to the tokens. */
struct rs_options {
    enum rs_format format;
    const char *json; /* "auto", "auto ignorecase", or the URL of JSONPaths */
    const char *null_as, *date_format, *time_format;
    const char *compression; /* "gzip", "zstd"; NULL none */
    char delimiter, quote;
    int64_t ignore_header, max_error;
    bool authorised, manifest, empty_as_null, blanks_as_null, truncate, trim, fill, escape, remove_quotes,
        explicit_ids, no_load, skip_blank, serialize;
    bool header, add_quotes, overwrite, clean, serial, include; /* UNLOAD */
    const char *extension;
    const char *partition[RS_PARTITIONS_MAX]; /* columns */
    size_t partition_count;
};

struct rs_file {
    char *bucket, *key;
    char blob[OBJECTS_BLOB_SIZE];
    int64_t size;
};

struct rs_copy {
    struct redshift_runner *runner;
    struct redshift_outcome *outcome;
    struct rs_options options;
    struct buf table; /* as the engine knows it */
    char schema[128], name[128];
    const char *source; /* "s3://…" */
    struct redshift_table target;
    const struct redshift_column **columns; /* those that are loaded, in the order of the file */
    size_t column_count;
    struct rs_file *files;
    size_t file_count, file_capacity;
    int64_t loaded, bytes, rejected;
    struct buf errors; /* rows of _redshift.load_errors, as VALUES */
    size_t error_count;
};

/* From *at to the end of the statement. */
int rs_options_read(const struct redshift_tokens *tokens, size_t *at, struct rs_options *options, bool unload,
                    struct redshift_outcome *outcome);
/* "s3://bucket/key" */
bool rs_url_split(const char *url, char bucket[OBJECTS_BUCKET_MAX + 1], char key[OBJECTS_KEY_MAX + 1]);
/* Redshift's errors of loads carry a box of details. */
int rs_detail_fail(struct rs_copy *copy, const char *error, int code, const char *context);
int rs_find_files(struct rs_copy *copy);
void rs_file_url(const struct rs_file *file, struct buf *out);
int rs_load_parquet(struct rs_copy *copy);
int rs_load_text(struct rs_copy *copy); /* delimited, CSV and JSON */
/* A row of stl_load_errors; texts are cut. column NULL: of the whole line. */
void rs_load_error(struct rs_copy *copy, size_t file, int64_t line, const struct redshift_column *column,
                   const char *raw, const char *value, int code, const char *reason);
/* compression: "gzip", "zstd", NULL none. NULL: it cannot be opened, or is not compressed so. What is broken
 * further on is an error of reading (ferror). */
FILE *rs_open_text(const char *path, const char *compression);
/* The way back: bytes go compressed to the writer. finish: they were the last. */
struct rs_sink;
struct rs_sink *rs_sink_create(struct objects_writer *writer, const char *compression);
int rs_sink_write(struct rs_sink *sink, const char *bytes, size_t length, bool finish, struct err *err);
void rs_sink_destroy(struct rs_sink *sink); /* NULL allowed; not the writer */
/* Reads delimited text into a CSV that the engine takes as it is: file, line, a field for each column, the
 * raw line. Rows that do not fit are told and left out. */
int rs_text_stage(struct rs_copy *copy, const char *path);

#endif
