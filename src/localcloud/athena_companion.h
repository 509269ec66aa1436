/*
 * ID.csv.metadata, which Athena writes beside a result: its columns as a protobuf message. The JDBC drivers
 * read it; the others ask GetQueryResults. Pure.
 *
 * The format is not published; it is known from files that Athena has written:
 *     message { string query = 1; repeated Column columns = 4; }
 *     Column { string catalog = 1, schema = 2, table = 3, name = 4, label = 5, type = 6;
 *              int precision = 7, scale = 8, nullable = 9 (3: unknown); bool case_sensitive = 10; }
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_COMPANION_H
#define SMARTCITY_LOCALCLOUD_ATHENA_COMPANION_H

#include "base/buf.h"

#include <jansson.h>
#include <stdint.h>

/* columns: array of ColumnInfo. */
void athena_companion_write(const char *id, int64_t now_us, const json_t *columns, struct buf *out);

#endif
