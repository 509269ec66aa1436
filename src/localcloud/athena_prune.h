/*
 * Which partitions a query can need: the conditions that every mention of a table has in its WHERE, as far as
 * they speak of partition keys and literals alone (athena_rewrite_prune.c finds them, glue_expression.h
 * decides them). What is not certain is not used: the query itself decides in the end. Pure.
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_PRUNE_H
#define SMARTCITY_LOCALCLOUD_ATHENA_PRUNE_H

#include "localcloud/athena_rewrite.h"

#include <jansson.h>

struct athena_prune;

/* keys: the table's PartitionKeys. NULL: there are no conditions to use. */
struct athena_prune *athena_prune_open(const struct athena_table *table, const json_t *keys);
void athena_prune_close(struct athena_prune *prune); /* NULL allowed */
/* May rows of a partition of these values be wanted? NULL prune: yes. */
bool athena_prune_wants(const struct athena_prune *prune, const json_t *values);
/* The same of one key alone. */
bool athena_prune_wants_value(const struct athena_prune *prune, size_t key, const char *value);
/* The values that a key must equal (=, IN) by every mention; NULL when some mention does not say. The caller
 * owns it. */
json_t *athena_prune_equals(const struct athena_prune *prune, size_t key);

#endif
