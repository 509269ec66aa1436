/*
 * The Expression of GetPartitions: a condition over partition keys, as in a WHERE clause.
 *
 *     or         = and { OR and }
 *     and        = not { AND not }
 *     not        = NOT not | "(" or ")" | predicate
 *     predicate  = operand ( = | <> | != | < | <= | > | >= ) operand
 *                | operand [NOT] IN "(" literal {"," literal} ")"
 *                | operand [NOT] BETWEEN operand AND operand
 *                | operand [NOT] LIKE literal          % any text, _ one character
 *                | operand IS [NOT] NULL
 *     operand    = column | literal                    column also in `` or ""; literal 'text', number,
 *                                                      DATE 'text', TIMESTAMP 'text'
 *
 * Values are compared by the type of the key: string, varchar and char as text; date; timestamp; tinyint to
 * bigint and decimal exactly. Logic is three-valued; __HIVE_DEFAULT_PARTITION__ and what is no value of the
 * type are null. Pure. Source: "GetPartitions" of the AWS Glue API; what it leaves open is as in SQL.
 */
#ifndef SMARTCITY_LOCALCLOUD_GLUE_EXPRESSION_H
#define SMARTCITY_LOCALCLOUD_GLUE_EXPRESSION_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

struct glue_expression;

#define GLUE_EXPRESSION_MAX 2048 /* bytes, as in AWS */

/* keys: the table's PartitionKeys; copied. NULL and ERR_USAGE when it is none. */
struct glue_expression *glue_expression_parse(const char *text, const json_t *keys, struct err *err);
void glue_expression_destroy(struct glue_expression *expression); /* NULL allowed */
/* values: those of a partition, in the order of the keys. */
bool glue_expression_matches(const struct glue_expression *expression, const json_t *values);

#endif
