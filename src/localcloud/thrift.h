/*
 * Reads Thrift's compact protocol, as far as the footers of Parquet files use it: a struct is fields of one
 * header byte (delta of the id, type) and a value; ints are zigzag varints; a list is a header byte (count,
 * type) and values. Pure; bytes are hostile: whatever does not fit sets `failed`, and what is read then is 0.
 *
 * Source: apache/thrift, doc/specs/thrift-compact-protocol.md
 */
#ifndef SMARTCITY_LOCALCLOUD_THRIFT_H
#define SMARTCITY_LOCALCLOUD_THRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum thrift_type {
    THRIFT_STOP,
    THRIFT_TRUE,
    THRIFT_FALSE,
    THRIFT_BYTE,
    THRIFT_I16,
    THRIFT_I32,
    THRIFT_I64,
    THRIFT_DOUBLE,
    THRIFT_BINARY,
    THRIFT_LIST,
    THRIFT_SET,
    THRIFT_MAP,
    THRIFT_STRUCT
};

struct thrift_reader {
    const unsigned char *at, *end;
    bool failed;
};

int thrift_byte(struct thrift_reader *reader);
int64_t thrift_int(struct thrift_reader *reader); /* I16, I32, I64 */
/* *bytes points into what is read. */
size_t thrift_binary(struct thrift_reader *reader, const unsigned char **bytes);
/* The next field of a struct: its type, or THRIFT_STOP. *id starts at 0. */
enum thrift_type thrift_field(struct thrift_reader *reader, int *id);
/* How many values follow, never more than bytes are left. */
uint64_t thrift_list(struct thrift_reader *reader, enum thrift_type *type);
/* A value of a field that is not wanted. */
void thrift_skip(struct thrift_reader *reader, enum thrift_type type);

#endif
