/* Amazon Athena: query executions, one after the other on a worker, results as objects of the store. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_H
#define SMARTCITY_LOCALCLOUD_ATHENA_H

#include "localcloud/service.h"

extern const struct service service_athena;

#endif
