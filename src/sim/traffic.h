/*
 * The traffic: every vehicle on the four carriageways, moved in steps of half a second.
 *
 * One array per (carriageway, lane), ordered front to back, holds indexes into one pool of compact vehicles.
 * A step walks each lane once: car following by the Intelligent Driver Model (Treiber, Hennecke, Helbing
 * 2000) with a ballistic update, against the vehicle ahead and against the next obstacle of that lane (a
 * lane's end, lanes closed by an incident, a red signal). Then a quarter of the vehicles, and all that must
 * leave their lane, consider a lane change (MOBIL, Kesting, Treiber, Helbing 2007, without politeness, with
 * the rule to keep left). Whoever must merge and cannot asks the one behind the gap to hold back: a zip.
 *
 * Vehicles with a device (the connected ones) drive a whole route; the others join and leave where the flow
 * of sim/demand.h changes. Deterministic; one thread.
 */
#ifndef SMARTCITY_SIM_TRAFFIC_H
#define SMARTCITY_SIM_TRAFFIC_H

#include "city/event.h"
#include "city/geo.h"

#define TRAFFIC_DT         0.5F /* s */
#define TRAFFIC_LANES      4
#define TRAFFIC_CELL       500.0 /* m */
#define TRAFFIC_LANE_WIDTH 3.65F
#define TRAFFIC_NONE       UINT32_MAX

/* What a driver brings along. */
struct traffic_driver {
    int32_t device;  /* of a connected vehicle, or -1 */
    uint32_t serial; /* names its random draws */
    uint8_t class;   /* enum event_count_class */
    float wish;      /* free-flow speed on a motorway, m/s */
    float headway;   /* time gap, s */
};

struct traffic_vehicle {
    double x;   /* front bumper: metres from the start of the route */
    float v, a; /* m/s, m/s2 */
    float v0;   /* wish under the limit here */
    float headway;
    float wish;
    float mark; /* chainage at which something is due: section end, exit, end of route */
    float room; /* to the next obstacle of this lane that must be left; large when none */
    uint32_t serial;
    uint32_t yield_to; /* pool index of who wants to merge in front */
    int32_t device;
    uint16_t section;
    uint16_t node;
    uint8_t class;
    uint8_t route;
    uint8_t lane; /* 0 nearest the verge */
    uint8_t hold; /* considerations to skip after a lane change */
    uint8_t yield_ticks;
    int8_t must; /* -1 must change to the left, +1 right */
    uint8_t flags;
};

const char *traffic_class_word(int class); /* "car", "van", "lorry", "bus" */
float traffic_class_length(int class);     /* m */

/* Conditions along a road, per cell; the world sets them from weather and incidents. */
struct traffic_cell {
    float speed;      /* times the wished speed */
    float headway;    /* times the time gap: 1 / capacity factor */
    float advisory;   /* m/s; large when none */
    int32_t detector; /* or -1 */
};

/* Vehicles that passed a place, since the reader last took them. */
struct traffic_detector {
    uint8_t route;
    double x;
    uint32_t count[EVENT_COUNT_CLASSES];
    float speed_sum; /* m/s */
    float covered;   /* s during which a 2 m loop was covered, summed over lanes */
};

struct traffic_closure {
    enum geo_route route;
    double from, to;
    uint8_t lanes; /* bit i: lane i (0 nearest the verge) is closed */
};
#define TRAFFIC_CLOSURES 64

struct traffic;

struct traffic *traffic_create(uint64_t seed, unsigned route_mask);
void traffic_destroy(struct traffic *traffic);

/* Fills the roads with the traffic of that hour, moving as it would after a while. For an empty road only. */
void traffic_fill(struct traffic *traffic, double demand, double hour);
/* Changes the share of the real flow: thins at once, or adds at once as far as there are gaps. */
void traffic_set_demand(struct traffic *traffic, double demand, double hour);

/* One step; `hour` is local time. Devices that reached the end of their route are listed until the next step.
 */
void traffic_step(struct traffic *traffic, uint64_t tick, double hour);
size_t traffic_arrived(const struct traffic *traffic, const int32_t **devices);

/* Puts a vehicle on the road near x (within `spread` metres behind); its pool index, or TRAFFIC_NONE: no gap.
 */
uint32_t traffic_place(struct traffic *traffic, enum geo_route route, double x, double spread,
                       const struct traffic_driver *driver);
void traffic_remove(struct traffic *traffic, uint32_t index);
/* The driver of the kind and serial; device -1. */
struct traffic_driver traffic_draw_driver(const struct traffic *traffic, int class, uint32_t serial);

/* A vehicle that loses power. TRAFFIC_LIMP: it slows to 12 m/s, makes for the lane nearest the verge and
 * stops there; TRAFFIC_STALL: it stops in its lane and stays; TRAFFIC_WELL: it drives on. */
enum traffic_health { TRAFFIC_WELL, TRAFFIC_LIMP, TRAFFIC_STALL };
void traffic_set_health(struct traffic *traffic, uint32_t index, enum traffic_health health);
/* Puts one into the lane nearest the verge at exactly x and v, coming from the hard shoulder; TRAFFIC_NONE:
 * no gap. */
uint32_t traffic_join(struct traffic *traffic, enum geo_route route, double x, float v,
                      const struct traffic_driver *driver);

const struct traffic_vehicle *traffic_get(const struct traffic *traffic, uint32_t index);

/* Conditions. Cells may be written between steps. */
struct traffic_cell *traffic_cells(struct traffic *traffic, enum geo_route route, size_t *count);
/* Replaces all closures. At most TRAFFIC_CLOSURES; more are ignored. */
void traffic_set_closures(struct traffic *traffic, const struct traffic_closure *closures, size_t count);

/* A detector at most 50 m from x (so that no step can jump over two cells); its index. */
int32_t traffic_add_detector(struct traffic *traffic, enum geo_route route, double x);
struct traffic_detector *traffic_detector(struct traffic *traffic, int32_t index);

/* The vehicles of a lane with from <= x < to, front first, into out; their number. */
size_t traffic_look(const struct traffic *traffic, enum geo_route route, int lane, double from, double to,
                    const struct traffic_vehicle **out, size_t limit);

/* Seconds into its cycle a signal is; used by the picture and the step alike. */
bool traffic_signal_red(uint64_t tick, enum geo_route route, size_t signal);

struct traffic_figures {
    uint32_t connected, background, capacity;
    double mean_speed;    /* m/s over all; 0 with none */
    double metres;        /* driven in the last step, all vehicles */
    uint64_t turned_away; /* vehicles that found no gap at a slip road */
    uint64_t overlaps;    /* vehicle pairs found overlapping: 0, or the model is broken */
};
void traffic_figures(const struct traffic *traffic, struct traffic_figures *figures);

#endif
