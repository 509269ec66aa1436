/*
 * A kept result as a file of another kind: CSV (RFC 4180; null is empty, an empty text is ""), JSON (one
 * array of objects), NDJSON, a table for people, Parquet (by DuckDB). Numbers and booleans stay what they
 * are; what is not UTF-8 becomes U+FFFD. Read chunk by chunk, so a result of any size takes little memory.
 * Any thread.
 */
#ifndef SMARTCITY_STORE_RESULTS_EXPORT_H
#define SMARTCITY_STORE_RESULTS_EXPORT_H

#include "store/results.h"

#include <stdio.h>

enum results_format { RESULTS_CSV, RESULTS_JSON, RESULTS_NDJSON, RESULTS_TABLE, RESULTS_PARQUET };

/* By a file's name: ".csv", ".json", ".ndjson" or ".jsonl", ".parquet", ".txt". False: none of them. */
bool results_format_of(const char *path, enum results_format *format);

/* Called now and then; false: enough, ERR_CANCELLED. */
typedef bool results_progress_fn(void *context, int64_t rows);

/* To an open stream, at most max_rows (-1: all). Not Parquet. Returns rows written, or -1. */
int64_t results_write(struct results *results, int64_t id, enum results_format format, int64_t max_rows,
                      FILE *out, results_progress_fn *progress, void *context, struct err *err);
/* To a file: written under a temporary name beside it, then renamed. ERR_EXISTS-like refusal is the caller's.
 * Returns rows written, or -1. */
int64_t results_export(struct results *results, int64_t id, enum results_format format, const char *path,
                       results_progress_fn *progress, void *context, struct err *err);

#endif
