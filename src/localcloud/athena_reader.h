/*
 * Objects of a table as rows: the objects below a location, and the SELECT that reads them by the table's
 * SerDe. Names are those of the table's columns; types are the catalogue's for text and JSON, the files' own
 * for Parquet (whoever selects casts).
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_READER_H
#define SMARTCITY_LOCALCLOUD_ATHENA_READER_H

#include "localcloud/athena_lexer.h"
#include "localcloud/objects.h"

#include <jansson.h>

struct athena_file {
    char *path, *key;
    int64_t size, modified_ms;
};
struct athena_files {
    char bucket[64];
    struct athena_file *list; /* in the order of keys */
    size_t count;
    int64_t bytes;
};
/* Without empty ones and those hidden by '_' or '.'. The caller holds a lease. 0 or -1; free it in both
 * cases. */
int athena_files_list(struct athena_files *files, struct objects *objects, const char *location,
                      struct athena_failure *failure);
void athena_files_free(struct athena_files *files);

struct athena_reader {
    enum { READ_PARQUET, READ_JSON, READ_LAZY, READ_CSV } kind;
    const json_t *columns; /* of the table; borrowed, as the texts below */
    const char *delimiter, *quote, *escape, *collection, *map_key, *null;
    int64_t skip;      /* lines at the head of each file */
    bool ignore_wrong; /* lines that are no JSON */
};
/* By the SerDe of a table of the catalogue. 0 or -1. */
int athena_reader_open(struct athena_reader *reader, const json_t *table, struct athena_failure *failure);
/* Appends "SELECT … FROM read_…([files])"; the files are packed alike. */
void athena_reader_select(const struct athena_reader *reader, const struct athena_file *files, size_t count,
                          struct buf *sql);
/* How the files of text are packed, by name; Parquet needs not to know. Files of different packing go into
 * different SELECTs. */
int athena_reader_packing(const struct athena_reader *reader, const struct athena_file *file);

#endif
