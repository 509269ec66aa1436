/* The inside of struct traffic, shared by traffic.c (movement), traffic_lane.c (lane changes) and
 * traffic_flow.c (joining, leaving, filling). Nobody else includes it. */
#ifndef SMARTCITY_SIM_TRAFFIC_STATE_H
#define SMARTCITY_SIM_TRAFFIC_STATE_H

#include "sim/demand.h"
#include "sim/traffic.h"

enum {
    TRAFFIC_LEAVING = 1,
    TRAFFIC_DECIDED = 2,
    TRAFFIC_AT_SIGNAL = 4,
    TRAFFIC_USED = 8,
    TRAFFIC_STRAIGHT = 16,
    TRAFFIC_LIMPING = 32,
    TRAFFIC_STALLED = 64
};

struct traffic_class {
    const char *word;
    float accel, brake, min_gap, length;
    float approach;                              /* 1 / (2 sqrt(accel brake)) */
    float wish_mean, wish_deviation, wish_limit; /* mph */
    float headway_extra;
    bool slow; /* barred from the right-hand lane of three or more */
};
extern const struct traffic_class traffic_classes[EVENT_COUNT_CLASSES];

enum traffic_block_kind { TRAFFIC_LANE_END, TRAFFIC_CLOSED, TRAFFIC_SIGNAL };
struct traffic_block {
    double from, to;
    enum traffic_block_kind kind;
    int8_t escape; /* towards the nearest open lane; 0 when there is none */
    uint8_t cross; /* lanes to change to get there */
};
#define TRAFFIC_BLOCKS 128

struct traffic_lane {
    uint32_t *order; /* pool indexes, front to back */
    size_t count, capacity;
    size_t block_count;
    struct traffic_block blocks[TRAFFIC_BLOCKS]; /* farthest along first */
};

#define TRAFFIC_QUEUE 60
struct traffic_node {
    double leave, enter; /* `enter`: start of the merging stretch */
    float turnover;      /* share that leaves even where the flow does not fall */
    bool fork;           /* our route is the one that leaves: the others need not keep left */
    float exit[2];       /* chance that a light, a heavy vehicle leaves */
    float rate[2];       /* vehicles a step that want to join */
    uint32_t waiting[2];
};

#define TRAFFIC_SIGNALS 32
struct traffic_route {
    bool active;
    enum geo_route id;
    double length;
    const struct geo_section *sections;
    size_t section_count;
    struct traffic_lane lanes[TRAFFIC_LANES];
    struct traffic_cell *cells;
    size_t cell_count;
    struct demand demand;
    struct traffic_node nodes[DEMAND_LINKS];
    double signals[TRAFFIC_SIGNALS];
    size_t signal_count;
};

struct traffic {
    uint64_t seed, tick;
    double demand;
    struct traffic_vehicle *pool;
    uint32_t *free;
    size_t pool_count, pool_capacity, free_count;
    uint32_t serial; /* the last one given to a background vehicle */
    struct traffic_route routes[GEO_ROUTES];
    struct traffic_closure closures[TRAFFIC_CLOSURES];
    size_t closure_count;
    bool blocks_stale;
    uint64_t signal_pattern;
    struct traffic_detector *detectors;
    size_t detector_count;
    int32_t *arrived;
    size_t arrived_count, arrived_capacity;
    uint32_t connected;
    double speed_sum, metres;
    uint64_t moved, turned_away, overlaps;
};

/* Car following: the acceleration behind something `gap` metres ahead that is approached at `closing` m/s. */
static inline float traffic_follow(const struct traffic_class *class, float v, float v0, float headway,
                                   float gap, float closing)
{
    float ratio = v / v0;
    float free = class->accel * (1 - ratio * ratio * ratio * ratio);
    if (free < -class->brake) /* a lower limit ahead is not an emergency */
        free = -class->brake;
    float wish = v * headway + v * closing * class->approach;
    wish = class->min_gap + (wish > 0 ? wish : 0);
    float share = wish / (gap > 0.1F ? gap : 0.1F);
    return free - class->accel * share * share;
}

static inline const struct traffic_cell *traffic_cell_at(const struct traffic_route *route, double x)
{
    return &route->cells[(size_t)(x * (1 / TRAFFIC_CELL))];
}

/* First position in the lane whose vehicle is at or behind x. */
size_t traffic_lane_search(const struct traffic *traffic, const struct traffic_lane *lane, double x);
void traffic_lane_insert(struct traffic_lane *lane, size_t at, uint32_t index);
void traffic_lane_remove(struct traffic_lane *lane, size_t at);

uint32_t traffic_new(struct traffic *traffic);
/* Sets section, limit, node and mark from x. */
void traffic_settle(struct traffic *traffic, struct traffic_vehicle *vehicle);
void traffic_set_section(const struct traffic_route *route, struct traffic_vehicle *vehicle,
                         uint16_t section);
void traffic_next_mark(const struct traffic_route *route, struct traffic_vehicle *vehicle);
void traffic_free(struct traffic *traffic, uint32_t index);

void traffic_rebuild_blocks(struct traffic *traffic);
void traffic_change_lanes(struct traffic *traffic, struct traffic_route *route);
void traffic_let_in(struct traffic *traffic, struct traffic_route *route);
void traffic_find_nodes(struct traffic_route *route);
void traffic_update_rates(struct traffic *traffic, double hour);

#endif
