/* AWS Security Token Service: who am I, and temporary keys that the other services accept. */
#ifndef SMARTCITY_LOCALCLOUD_STS_H
#define SMARTCITY_LOCALCLOUD_STS_H

#include "localcloud/service.h"

extern const struct service service_sts;

#endif
