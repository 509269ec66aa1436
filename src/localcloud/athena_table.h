/* CREATE EXTERNAL TABLE, in Hive's DDL, as a Glue TableInput. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_TABLE_H
#define SMARTCITY_LOCALCLOUD_ATHENA_TABLE_H

#include "localcloud/athena_statement.h"

struct parser;

/* Behind the name, to the end: fills statement->input. */
int athena_table_parse(struct parser *p);
/* (name type [COMMENT 'x'], …): array of {"Name", "Type", "Comment"}. NULL and failed. */
json_t *athena_table_columns(struct parser *p);
/* One of them, without parentheses, as an array of one. */
json_t *athena_table_column(struct parser *p);
/* Input format, output format and SerDe of STORED AS word, or NULL. */
const char *const *athena_table_format(const char *word);

#endif
