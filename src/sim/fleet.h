/* Makes and models of the connected vehicles, what they burn, and which device drives which. Pure; any
 * thread. */
#ifndef SMARTCITY_SIM_FLEET_H
#define SMARTCITY_SIM_FLEET_H

#include <stdbool.h>
#include <stdint.h>

enum fleet_energy { FLEET_PETROL, FLEET_DIESEL, FLEET_HYBRID, FLEET_ELECTRIC, FLEET_HYDROGEN };

struct fleet_model {
    char make[20], model[24];
    uint8_t class;        /* enum event_count_class */
    uint8_t energy;       /* enum fleet_energy */
    uint16_t weight;      /* how common, relative within its class */
    uint16_t first, last; /* years of first registration */
    float tank;           /* L, kWh, or for hydrogen the L of petrol its tank equals */
};

struct fleet_vehicle {
    const struct fleet_model *model;
    int32_t year;
    char fuel_type[12];
    char vehicle_type[12];
    char category[12];
    float odometer; /* km at the start */
    float level;    /* 0 to 1 */
};

/* The vehicle of a device; the first is always a car. */
struct fleet_vehicle fleet_draw(uint64_t seed, uint32_t device);

/* Consumption now: litres or kWh a second. Speed m/s, acceleration m/s2. Power P = (1/2 rho CdA v^2 + m g Crr
 * + 1.05 m a) v; fuel = P / (efficiency * heating value) + idling. */
float fleet_consumption(const struct fleet_model *model, float speed, float acceleration);

#endif
