/*
 * Parquet files, by DuckDB, on an engine of our own that may write into the spool folder and nowhere else.
 * One writer belongs to one thread at a time; several share an engine.
 */
#ifndef SMARTCITY_LAKE_PARQUET_H
#define SMARTCITY_LAKE_PARQUET_H

#include "base/file.h"
#include "lake/batch.h"
#include "lake/layout.h"

struct lake_engine;
struct lake_writer;

#define LAKE_ENGINE_MEMORY (64u << 20) /* of DuckDB, for all writers together */

/* folder: absolute, exists; files are written below it only. NULL: ERR_NOT_FOUND no DuckDB (with the cure).
 */
struct lake_engine *lake_engine_create(const char *folder, uint64_t memory_bytes, struct err *err);
void lake_engine_destroy(struct lake_engine *engine); /* its writers are gone before; NULL allowed */

struct lake_writer *lake_writer_create(struct lake_engine *engine, struct err *err);
void lake_writer_destroy(struct lake_writer *writer);   /* NULL allowed */
void lake_writer_interrupt(struct lake_writer *writer); /* ends what runs, ERR_CANCELLED; any thread */

#define LAKE_SHA256_SIZE 65

struct lake_file {
    char path[FILE_PATH_SIZE]; /* "" once it was given away */
    char dt[LAKE_DT_SIZE];
    char key[LAKE_OBJECT_KEY_SIZE]; /* of the object it becomes */
    int64_t bytes;
    int64_t rows;
    char sha256[LAKE_SHA256_SIZE]; /* of its bytes, hexadecimal */
};

/* One file for each day of the batch, zstd, in order of event time; the same batch gives the same bytes.
 * files: LAKE_DAYS_MAX of them; *count of those written. On error none is left. */
int lake_parquet_write(struct lake_writer *writer, const struct lake_batch *batch, struct lake_file *files,
                       size_t *count, struct err *err);
/* One file out of several with the schema's columns, in order of event time. */
int lake_parquet_merge(struct lake_writer *writer, const struct lake_schema *schema, const char *const *paths,
                       size_t count, const char *path, int64_t *rows, struct err *err);
/* Do two files hold the same rows? 1 yes, 0 no, -1 error. */
int lake_parquet_same(struct lake_writer *writer, const char *a, const char *b, struct err *err);
int64_t lake_parquet_rows(struct lake_writer *writer, const char *path, struct err *err); /* or -1 */

/* SHA-256 of a file, hexadecimal, and its size. */
int lake_file_digest(const char *path, char sha256[LAKE_SHA256_SIZE], int64_t *bytes, struct err *err);
void lake_digest(const void *bytes, size_t length, char sha256[LAKE_SHA256_SIZE]);

#endif
