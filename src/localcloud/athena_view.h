/*
 * Views as Athena keeps them in Glue: a table of the type VIRTUAL_VIEW whose ViewOriginalText is
 * a comment that begins with "Presto View: ", then Base64 of
 *
 *     {"originalSql": …, "catalog": "awsdatacatalog", "schema": …, "columns": [{"name": …, "type": …}]}
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_VIEW_H
#define SMARTCITY_LOCALCLOUD_ATHENA_VIEW_H

#include "localcloud/athena_task.h"

bool athena_view_is(const json_t *table);
/* What stands in the text of the view, or NULL when it is none of Athena's. The caller owns it. */
json_t *athena_view_read(const json_t *table);
int athena_view_show(struct athena_task *task, const json_t *table); /* SHOW CREATE VIEW */

#endif
