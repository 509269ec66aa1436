/*
 * AWS Glue: the catalogue's operations, crawlers that read the data, and jobs that run scripts of SQL
 * by the engine of sql_engine.h.
 * Operations and what they leave out: docs/cloud-operations.md; crawlers: docs/glue-crawler.md.
 */
#ifndef SMARTCITY_LOCALCLOUD_GLUE_H
#define SMARTCITY_LOCALCLOUD_GLUE_H

#include "localcloud/service.h"

extern const struct service service_glue;

#endif
