/*
 * Partition projection: partitions that follow from properties of the table and are in no catalogue
 * ("Partition projection" of the Athena user guide): projection.enabled, projection.KEY.type (enum, integer,
 * date, injected) with .values, .range, .interval, .interval.unit, .digits, .format;
 * storage.location.template. Pure but for `now`.
 */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_PROJECTION_H
#define SMARTCITY_LOCALCLOUD_ATHENA_PROJECTION_H

#include "localcloud/athena_prune.h"

#include <stdint.h>

bool athena_projection_is(const json_t *table);
/* [{"Values": […], "Location": …}, …] of those that may be wanted, or NULL with failure. The caller owns it.
 */
json_t *athena_projection_list(const json_t *table, const struct athena_prune *prune, int64_t now_us,
                               struct athena_failure *failure);

#endif
