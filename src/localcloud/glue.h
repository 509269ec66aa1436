/*
 * AWS Glue: the catalogue's operations, crawlers that read the data, and jobs that run SQL.
 * Operations and what they leave out: docs/cloud-operations.md; crawlers: docs/glue-crawler.md.
 */
#ifndef SMARTCITY_LOCALCLOUD_GLUE_H
#define SMARTCITY_LOCALCLOUD_GLUE_H

#include "base/err.h"

#include <stdbool.h>

extern const struct service service_glue;

/*
 * What runs the SQL of a job: given by the service that has an engine (Athena). `run` is called on the job's
 * worker and blocks until all statements of `script` have ended. 0, or -1 with err, whose text becomes the
 * run's ErrorMessage. It polls `cancelled` and ends with ERR_CANCELLED when that turns true.
 */
struct glue_sql_engine {
    int (*run)(void *context, const char *script, const char *database, bool (*cancelled)(void *run),
               void *run_context, struct err *err);
    void *context;
};

#endif
