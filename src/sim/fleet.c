#include "sim/fleet.h"

#include "base/text.h"
#include "city/event.h"
#include "sim/noise.h"
#include "sim/traffic.h"

#include <math.h>
#include <stddef.h>

#define CAR EVENT_COUNT_CAR
#define VAN EVENT_COUNT_VAN
#define HGV EVENT_COUNT_HGV
#define BUS EVENT_COUNT_BUS

static const struct fleet_model models[] = {
    {"Ford", "Fiesta", CAR, FLEET_PETROL, 90, 2012, 2023, 42},
    {"Ford", "Focus", CAR, FLEET_PETROL, 60, 2012, 2024, 52},
    {"Ford", "Puma", CAR, FLEET_HYBRID, 55, 2020, 2025, 42},
    {"Vauxhall", "Corsa", CAR, FLEET_PETROL, 75, 2012, 2025, 44},
    {"Vauxhall", "Astra", CAR, FLEET_DIESEL, 35, 2012, 2022, 48},
    {"Volkswagen", "Golf", CAR, FLEET_PETROL, 60, 2012, 2025, 50},
    {"Volkswagen", "Passat", CAR, FLEET_DIESEL, 22, 2012, 2023, 66},
    {"Volkswagen", "ID.3", CAR, FLEET_ELECTRIC, 16, 2020, 2025, 58},
    {"Nissan", "Qashqai", CAR, FLEET_PETROL, 60, 2014, 2025, 55},
    {"Nissan", "Leaf", CAR, FLEET_ELECTRIC, 12, 2018, 2024, 62},
    {"MINI", "Cooper", CAR, FLEET_PETROL, 38, 2012, 2025, 44},
    {"Toyota", "Yaris", CAR, FLEET_HYBRID, 38, 2013, 2025, 36},
    {"Toyota", "Corolla", CAR, FLEET_HYBRID, 28, 2019, 2025, 43},
    {"Toyota", "Mirai", CAR, FLEET_HYDROGEN, 1, 2016, 2025, 20},
    {"BMW", "320d", CAR, FLEET_DIESEL, 34, 2012, 2024, 59},
    {"BMW", "i4", CAR, FLEET_ELECTRIC, 10, 2021, 2025, 81},
    {"Mercedes-Benz", "A-Class", CAR, FLEET_PETROL, 36, 2013, 2025, 43},
    {"Mercedes-Benz", "E 220 d", CAR, FLEET_DIESEL, 16, 2013, 2024, 66},
    {"Audi", "A3", CAR, FLEET_PETROL, 36, 2013, 2025, 50},
    {"Audi", "A6", CAR, FLEET_DIESEL, 14, 2012, 2024, 73},
    {"Kia", "Sportage", CAR, FLEET_HYBRID, 38, 2016, 2025, 52},
    {"Kia", "e-Niro", CAR, FLEET_ELECTRIC, 14, 2019, 2025, 64},
    {"Hyundai", "Tucson", CAR, FLEET_HYBRID, 32, 2016, 2025, 52},
    {"MG", "MG4", CAR, FLEET_ELECTRIC, 14, 2022, 2025, 64},
    {"Tesla", "Model 3", CAR, FLEET_ELECTRIC, 22, 2019, 2025, 75},
    {"Tesla", "Model Y", CAR, FLEET_ELECTRIC, 24, 2022, 2025, 75},
    {"Skoda", "Octavia", CAR, FLEET_DIESEL, 30, 2013, 2025, 50},
    {"Land Rover", "Discovery", CAR, FLEET_DIESEL, 16, 2012, 2024, 82},
    {"Volvo", "XC40", CAR, FLEET_PETROL, 20, 2018, 2025, 54},
    {"Ford", "Transit Custom", VAN, FLEET_DIESEL, 60, 2013, 2025, 70},
    {"Ford", "Transit", VAN, FLEET_DIESEL, 40, 2013, 2025, 80},
    {"Vauxhall", "Vivaro", VAN, FLEET_DIESEL, 30, 2014, 2025, 69},
    {"Volkswagen", "Transporter", VAN, FLEET_DIESEL, 28, 2013, 2024, 70},
    {"Mercedes-Benz", "Sprinter", VAN, FLEET_DIESEL, 30, 2013, 2025, 71},
    {"Mercedes-Benz", "eVito", VAN, FLEET_ELECTRIC, 6, 2020, 2025, 90},
    {"Citroen", "Berlingo", VAN, FLEET_DIESEL, 22, 2013, 2025, 50},
    {"DAF", "XF 480", HGV, FLEET_DIESEL, 40, 2015, 2024, 850},
    {"DAF", "XG+", HGV, FLEET_DIESEL, 14, 2021, 2025, 970},
    {"Scania", "R 450", HGV, FLEET_DIESEL, 30, 2015, 2025, 700},
    {"Volvo", "FH 500", HGV, FLEET_DIESEL, 28, 2014, 2025, 800},
    {"Mercedes-Benz", "Actros 1845", HGV, FLEET_DIESEL, 24, 2014, 2025, 650},
    {"MAN", "TGX 18.510", HGV, FLEET_DIESEL, 18, 2014, 2025, 780},
    {"Iveco", "S-Way", HGV, FLEET_DIESEL, 10, 2019, 2025, 650},
    {"Volvo", "9700", BUS, FLEET_DIESEL, 10, 2014, 2024, 600},
    {"Caetano", "Levante", BUS, FLEET_DIESEL, 14, 2014, 2024, 500},
    {"Plaxton", "Panther", BUS, FLEET_DIESEL, 10, 2013, 2023, 550},
};

/* Cars, vans and so on among the connected, of 1000. */
static const uint32_t class_share[EVENT_COUNT_CLASSES] = {790, 130, 70, 10};

static const struct fleet_model *pick_model(int class, uint32_t draw)
{
    uint32_t total = 0;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (models[i].class == class)
            total += models[i].weight;
    uint32_t at = (uint32_t)((uint64_t)draw * total >> 32);
    for (size_t i = 0;; i++) {
        if (models[i].class != class)
            continue;
        if (at < models[i].weight)
            return &models[i];
        at -= models[i].weight;
    }
}

struct fleet_vehicle fleet_draw(uint64_t seed, uint32_t device)
{
    static const char *const fuels[] = {"Petrol", "Diesel", "Hybrid", "Electric", "Hydrogen"};
    uint32_t block[4], spare[4];
    struct rng_key key = {seed, device, 0, NOISE_FLEET};
    rng_block(&key, block);
    key.tick = 1;
    rng_block(&key, spare);

    uint32_t at = (uint32_t)((uint64_t)block[0] * 1000 >> 32);
    int class = 0;
    while (class + 1 < EVENT_COUNT_CLASSES && at >= class_share[class])
        at -= class_share[class ++];
    if (device == 0)
        class = CAR;

    struct fleet_vehicle vehicle = {.model = pick_model(class, block[1])};
    uint32_t years = vehicle.model->last - vehicle.model->first + 1u;
    vehicle.year = vehicle.model->first + (int32_t)((uint64_t)block[2] * years >> 32);
    bool company = spare[2] < UINT32_MAX / 8;
    text_copy(vehicle.fuel_type, sizeof vehicle.fuel_type, fuels[vehicle.model->energy]);
    text_copy(vehicle.vehicle_type, sizeof vehicle.vehicle_type, traffic_class_word(class));
    text_copy(vehicle.category, sizeof vehicle.category,
              class == BUS               ? "public"
              : class == CAR && !company ? "private"
                                         : "commercial");
    /* Kilometres a year: an ordinary car, a van, a lorry, a coach. */
    static const float yearly[EVENT_COUNT_CLASSES] = {12000, 21000, 95000, 70000};
    float age = (float)(2026 - vehicle.year);
    vehicle.odometer = yearly[class] * age * (0.6F + 0.8F * (float)(block[3] >> 8) * 0x1p-24F);
    vehicle.level = 0.55F + 0.43F * (float)(spare[0] >> 8) * 0x1p-24F;
    return vehicle;
}

float fleet_consumption(const struct fleet_model *model, float speed, float acceleration)
{
    /* Mass kg, rolling resistance, drag area m2, efficiency, heating value J/L, idling L/s. */
    static const struct {
        float mass, rolling, drag, efficiency, heat, idle;
    } engines[EVENT_COUNT_CLASSES] = {
        [CAR] = {1500, .0100F, 0.65F, .28F, 32.2e6F, 0.00025F},
        [VAN] = {2100, .0100F, 1.20F, .32F, 35.9e6F, 0.00030F},
        [HGV] = {30000, .0065F, 6.0F, .38F, 35.9e6F, 0.00080F},
        [BUS] = {15000, .0075F, 5.0F, .36F, 35.9e6F, 0.00080F},
    };
    bool electric = model->energy == FLEET_ELECTRIC;
    float mass = electric ? engines[model->class].mass + 400 : engines[model->class].mass;
    float drag = engines[model->class].drag * (electric ? 0.92F : 1);
    float force = 0.5F * 1.225F * drag * speed * speed + mass * 9.81F * engines[model->class].rolling +
                  1.05F * mass * acceleration;
    float power = force * speed;
    if (electric) /* part of what braking gives goes back */
        return ((power > 0 ? power / 0.88F : power * 0.6F) + 600) / 3.6e6F;
    float efficiency = engines[model->class].efficiency;
    float heat = engines[model->class].heat;
    if (model->class == CAR && model->energy == FLEET_DIESEL) {
        efficiency = 0.33F;
        heat = 35.9e6F;
    } else if (model->energy == FLEET_HYBRID) {
        efficiency = 0.33F;
    } else if (model->energy == FLEET_HYDROGEN) {
        efficiency = 0.50F;
    }
    float idle = model->energy == FLEET_HYBRID && speed < 1 ? 0 : engines[model->class].idle;
    return (power > 0 ? power / (efficiency * heat) : 0) + idle;
}
