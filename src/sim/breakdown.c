#include "sim/breakdown.h"

#include "sim/noise.h"

#include <math.h>
#include <string.h>

#define METRES_PER_MILE 1609.344
#define LAMP_MOST       3000.0 /* m */
#define STALLS          0.2
#define TOWED           0.2

static struct breakdown shape(uint64_t seed, uint32_t device, uint32_t trip, double fails, bool electric)
{
    /* Overheating, misfire, fuel pressure, charging; for battery vehicles isolation, DC/DC converter, coolant
     * pump of the power electronics, contactors. */
    static const char burning[4][8] = {"P0217", "P0300", "P0087", "P0562"};
    static const char driven[4][8] = {"P0AA6", "P0A94", "P0A05", "P0AA1"};
    uint32_t block[4];
    struct rng_key key = {seed, device, trip, NOISE_BREAKDOWN_SHAPE};
    rng_block(&key, block);
    struct breakdown breakdown = {.fails = fails,
                                  .lamp = fails - LAMP_MOST * (block[0] * 0x1p-32),
                                  .stalls = block[1] * 0x1p-32 < STALLS,
                                  .towed = block[2] * 0x1p-32 < TOWED};
    memcpy(breakdown.code, electric ? driven[block[3] >> 30] : burning[block[3] >> 30],
           sizeof breakdown.code);
    return breakdown;
}

struct breakdown breakdown_draw(uint64_t seed, uint32_t device, uint32_t trip, double x, double factor,
                                bool electric)
{
    struct rng_key key = {seed, device, trip, NOISE_BREAKDOWN};
    if (!(factor > 0))
        return (struct breakdown){.lamp = INFINITY, .fails = INFINITY};
    double distance = rng_exponential(&key, METRES_PER_MILE / (BREAKDOWNS_PER_MILE * factor));
    return shape(seed, device, trip, x + distance, electric);
}

struct breakdown breakdown_now(uint64_t seed, uint32_t device, uint32_t trip, double x, bool electric)
{
    struct breakdown breakdown = shape(seed, device, trip, x + 200, electric);
    breakdown.lamp = x;
    return breakdown;
}
