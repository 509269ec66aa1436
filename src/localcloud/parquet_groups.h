/*
 * The row groups of a Parquet file: what each column of them takes, and between which values it lies, from
 * the footer. Pure; the footer is hostile: bounded, and an error when it cannot be read.
 *
 * Source: apache/parquet-format, parquet.thrift (FileMetaData, RowGroup, ColumnChunk, Statistics).
 */
#ifndef SMARTCITY_LOCALCLOUD_PARQUET_GROUPS_H
#define SMARTCITY_LOCALCLOUD_PARQUET_GROUPS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARQUET_TAIL 8 /* at the end of a file: length of the footer, "PAR1" */

/* How bounds are compared. */
enum parquet_order {
    PARQUET_UNORDERED, /* decimals, unsigned and whatever else: bounds are not used */
    PARQUET_INT,
    PARQUET_DOUBLE,
    PARQUET_TEXT,
    PARQUET_DATE,   /* days */
    PARQUET_MILLIS, /* of timestamps */
    PARQUET_MICROS
};

/* A leaf of the schema; the same in every row group. */
struct parquet_leaf {
    char *name; /* "speed", "position.lat": the parts of its path, joined by dots */
    enum parquet_order order;
};

struct parquet_chunk {
    int64_t bytes; /* compressed */
    bool bounded;  /* both bounds are known; else the next four are nothing */
    int64_t low, high;
    double low_double, high_double;   /* PARQUET_DOUBLE */
    const char *low_text, *high_text; /* PARQUET_TEXT: into the footer, not NUL-terminated */
    size_t low_length, high_length;
};

struct parquet_group {
    int64_t rows;
    struct parquet_chunk *chunks; /* a leaf each */
};

struct parquet_file {
    struct parquet_leaf *leaves;
    size_t leaf_count;
    struct parquet_group *groups;
    size_t group_count;
};

/* How long the footer is that the last PARQUET_TAIL bytes of a file of that size tell of; 0: none. */
size_t parquet_footer_length(const unsigned char tail[PARQUET_TAIL], int64_t size);
/* `footer` must stay while the file is used. 0, or -1 with ERR_CORRUPT or ERR_LIMIT. Free it when 0. */
int parquet_file_read(struct parquet_file *file, const void *footer, size_t length, struct err *err);
void parquet_file_free(struct parquet_file *file);

#endif
