/* COPY and UNLOAD: between the object store and the warehouse. */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_LOAD_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_LOAD_H

#include "localcloud/redshift_run.h"

int redshift_copy(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                  struct redshift_outcome *outcome);
int redshift_unload(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                    struct redshift_outcome *outcome);

#endif
