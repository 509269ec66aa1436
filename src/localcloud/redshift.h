/* Amazon Redshift Data API: SQL on one warehouse, asked for and answered by HTTP. */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_H

#include "localcloud/service.h"

extern const struct service service_redshift;

/* Markdown: every function and how far it is what Redshift's is. */
void redshift_write_dialect(struct buf *out);

#endif
