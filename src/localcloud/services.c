#include "localcloud/athena.h"
#include "localcloud/glue.h"
#include "localcloud/redshift.h"
#include "localcloud/s3.h"
#include "localcloud/service.h"
#include "localcloud/sts.h"

/* In the order of the documents. A service is created after those before it and destroyed before them: Athena
 * stands before Glue, whose jobs run SQL by it. */
const struct service *const services[] = {&service_s3,       &service_athena, &service_glue,
                                          &service_redshift, &service_sts,    NULL};
