/*
 * Whether a vehicle breaks down on a trip, where, and how. Drawn whole when the trip begins, so that a step
 * costs two comparisons. Pure; any thread.
 *
 * Rate: 2.4 breakdowns per million vehicle-miles (224,225 recorded on England's strategic roads in 2018/19
 * over 94 bn vehicle-miles). One in five is left standing in a live lane, the share that incident.c uses for
 * the rest of the traffic. Four of five are mended at the roadside, as breakdown patrols report; the fifth is
 * towed. How long the warning lamp was on before (0 to 3 km) is an assumption.
 */
#ifndef SMARTCITY_SIM_BREAKDOWN_H
#define SMARTCITY_SIM_BREAKDOWN_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKDOWNS_PER_MILE 2.4e-6

struct breakdown {
    double lamp,
        fails;   /* chainage, m: the engine warning lamp, the loss of power; infinite: not on this trip */
    bool stalls; /* stays in its lane; else it reaches the verge if it is let */
    bool towed;
    char code[8]; /* OBD-II trouble code, SAE J2012 */
};

/* For a trip of a device that begins at x; `factor` times the real rate. */
struct breakdown breakdown_draw(uint64_t seed, uint32_t device, uint32_t trip, double x, double factor,
                                bool electric);
/* The same with the failure at hand: the lamp at x, the loss of power 200 m later. */
struct breakdown breakdown_now(uint64_t seed, uint32_t device, uint32_t trip, double x, bool electric);

#endif
