/*
 * Definitions: CREATE, ALTER, DROP and the like, read by ourselves and written anew for the engine. What only
 * Redshift has (DISTKEY, SORTKEY, ENCODE, DISTSTYLE, lengths) is kept as the comments of columns and tables,
 * in JSON, so that it follows renames and drops. Keys and references are accepted and, as in Redshift, not
 * enforced. Pure.
 */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_DDL_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_DDL_H

#include "localcloud/redshift_rewrite.h"

/* CREATE, ALTER, DROP, TRUNCATE: `out` receives statements for the engine, ";" between them; it may be empty
 * when there is nothing to do. table receives, for CREATE TABLE AS, the new table as the engine knows it,
 * else "". unique: for names of sequences. */
int redshift_ddl(const struct redshift_tokens *tokens, const struct redshift_scope *scope, uint64_t unique,
                 struct buf *out, struct buf *table, struct redshift_failure *failure);
/* SELECT … INTO [TEMP] t FROM …: the same. false: there is no INTO. */
bool redshift_ddl_select_into(const struct redshift_tokens *tokens, size_t *into);
int redshift_ddl_write_into(const struct redshift_tokens *tokens, const struct redshift_scope *scope,
                            size_t into, struct buf *out, struct buf *table,
                            struct redshift_failure *failure);

#endif
