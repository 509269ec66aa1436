#include "localcloud/glue_private.h"
void glue_job_run(struct glue *glue, struct glue_task *task)
{
}
