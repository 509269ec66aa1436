#include "localcloud/redshift_load.h"
int redshift_copy(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                  struct redshift_outcome *outcome)
{
    return redshift_outcome_fail(outcome, "COPY is not emulated locally");
}
int redshift_unload(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                    struct redshift_outcome *outcome)
{
    return redshift_outcome_fail(outcome, "UNLOAD is not emulated locally");
}
