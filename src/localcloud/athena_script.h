/* Statements that another service of the cloud runs (sql_engine.h): Glue's jobs. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_SCRIPT_H
#define SMARTCITY_LOCALCLOUD_ATHENA_SCRIPT_H

#include "localcloud/service.h"
#include "localcloud/sql_engine.h"
#include "sql/duckdb.h"

/* What sql_engine.run does, on a connection of its own. */
int athena_script_run(const struct service_context *context, struct duck_connection *connection,
                      const struct sql_engine_call *call, struct err *err);

#endif
