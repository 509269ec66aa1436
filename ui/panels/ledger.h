/*
 * The account of a run: for each topic what was simulated and where all of it is now. Pure.
 *
 *     simulated = failed + in the producer + acknowledged
 *     acknowledged = in Kafka + taken by the lake writer + refused or missing there
 *     taken = landed + quarantined + waiting + residual
 *
 * Figures of different threads are read one after the other; what is later on the way may so be ahead of what
 * is before by some records. That counts as nothing in flight between the two, never as less than nothing.
 */
#ifndef SMARTCITY_UI_PANELS_LEDGER_H
#define SMARTCITY_UI_PANELS_LEDGER_H

#include "app/view.h"

struct account {
    bool simulated_here;
    int64_t simulated, acknowledged, consumed, recorded; /* recorded -1: recording is off */
    int64_t failed;                                      /* given up by the producer */
    int64_t taken, landed, quarantined;
    int64_t in_producer, in_kafka, in_lake, in_flight; /* the last: of all three */
    int64_t returned, refused, repeated, missing;      /* of the lake */
    int64_t gaps;                                      /* offsets the panels' reader never got */
    int64_t residual;                                  /* what none of these explains */
};
/* kind EVENT_KIND_COUNT: the sum of all. */
void ledger_account(const struct view *view, int kind, struct account *account);

#endif
