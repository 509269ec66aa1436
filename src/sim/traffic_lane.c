/* Obstacles of each lane, and lane changes. */
#include "sim/traffic_state.h"

#include <math.h>

#define GAIN_RIGHT   0.3F   /* m/s2 a change to a faster lane must bring */
#define LOSS_LEFT    0.15F  /* m/s2 a change back to the left may cost: keep left */
#define SAFE         2.0F   /* m/s2 of braking a change may force on anybody */
#define SAFE_MUST    5.0F   /* the same where a lane ends within a few metres */
#define URGENT       400.0F /* m before an obstacle over which the one becomes the other */
#define CLEAR        800.0  /* m without an obstacle that a lane needs to be worth changing to */
#define CHANGE_EVERY 4      /* ticks between considerations of one vehicle */

#define SIGNAL_CYCLE 180u /* ticks: 90 s */
#define SIGNAL_RED   70u  /* ticks of it: 35 s */

bool traffic_signal_red(uint64_t tick, enum geo_route route, size_t signal)
{
    /* Neighbours are offset by 25 s, a green wave for nobody in particular. */
    return (tick + signal * 50 + (uint64_t)route * 37) % SIGNAL_CYCLE < SIGNAL_RED;
}

static void add_block(struct traffic_lane *lane, double from, double to, enum traffic_block_kind kind,
                      int escape, int cross)
{
    if (lane->block_count == TRAFFIC_BLOCKS)
        return;
    size_t at = lane->block_count++;
    for (; at > 0 && lane->blocks[at - 1].from < from; at--)
        lane->blocks[at] = lane->blocks[at - 1];
    lane->blocks[at] = (struct traffic_block){from, to, kind, (int8_t)escape, (uint8_t)cross};
}

static void add_closure(struct traffic_route *route, const struct traffic_closure *closure)
{
    int lanes = geo_route_section_at(route->id, closure->from)->lanes;
    for (int lane = 0; lane < TRAFFIC_LANES; lane++) {
        if (!(closure->lanes >> lane & 1))
            continue;
        int escape = 0, distance = 0;
        while (escape == 0 && ++distance < TRAFFIC_LANES) {
            if (lane + distance < lanes && !(closure->lanes >> (lane + distance) & 1))
                escape = 1;
            if (lane - distance >= 0 && !(closure->lanes >> (lane - distance) & 1))
                escape = -1;
        }
        add_block(&route->lanes[lane], closure->from, closure->to, TRAFFIC_CLOSED, escape, distance);
    }
}

void traffic_rebuild_blocks(struct traffic *traffic)
{
    uint64_t pattern = 1469598103934665603u;
    for (int i = 0; i < GEO_ROUTES; i++)
        for (size_t s = 0; s < traffic->routes[i].signal_count; s++)
            pattern = (pattern ^ traffic_signal_red(traffic->tick, (enum geo_route)i, s)) * 1099511628211u;
    if (!traffic->blocks_stale && pattern == traffic->signal_pattern)
        return;
    traffic->signal_pattern = pattern;
    traffic->blocks_stale = false;

    for (int i = 0; i < GEO_ROUTES; i++) {
        struct traffic_route *route = &traffic->routes[i];
        if (!route->active)
            continue;
        for (int lane = 0; lane < TRAFFIC_LANES; lane++)
            route->lanes[lane].block_count = 0;
        for (size_t s = 0; s + 1 < route->section_count; s++)
            for (int lane = route->sections[s + 1].lanes; lane < route->sections[s].lanes; lane++)
                add_block(&route->lanes[lane], route->sections[s].to - 1, route->sections[s].to,
                          TRAFFIC_LANE_END, -1, lane - route->sections[s + 1].lanes + 1);
        for (size_t s = 0; s < route->signal_count; s++)
            if (traffic_signal_red(traffic->tick, route->id, s))
                for (int lane = 0; lane < TRAFFIC_LANES; lane++)
                    add_block(&route->lanes[lane], route->signals[s], route->signals[s], TRAFFIC_SIGNAL, 0,
                              1);
        for (size_t c = 0; c < traffic->closure_count; c++)
            if (traffic->closures[c].route == route->id)
                add_closure(route, &traffic->closures[c]);
    }
}

void traffic_set_closures(struct traffic *traffic, const struct traffic_closure *closures, size_t count)
{
    traffic->closure_count = count < TRAFFIC_CLOSURES ? count : TRAFFIC_CLOSURES;
    for (size_t i = 0; i < traffic->closure_count; i++)
        traffic->closures[i] = closures[i];
    traffic->blocks_stale = true;
}

/* ---- lane changes ----------------------------------------------------------------------------------- */

/* A walk along one lane beside the walk of the lane under consideration: both go from front to back. */
struct neighbour {
    struct traffic_lane *lane;
    size_t at;    /* first vehicle at or behind the place */
    size_t block; /* first obstacle behind the place */
};

static void neighbour_advance(const struct traffic *traffic, struct neighbour *neighbour, double x)
{
    while (neighbour->at < neighbour->lane->count &&
           traffic->pool[neighbour->lane->order[neighbour->at]].x > x)
        neighbour->at++;
    while (neighbour->block < neighbour->lane->block_count &&
           neighbour->lane->blocks[neighbour->block].from > x)
        neighbour->block++;
}

/* Room in that lane before something other than a signal; 0 within a closed stretch. */
static double neighbour_room(const struct neighbour *neighbour, double x)
{
    const struct traffic_lane *lane = neighbour->lane;
    for (size_t i = neighbour->block; i < lane->block_count && i < neighbour->block + 4; i++)
        if (lane->blocks[i].kind != TRAFFIC_SIGNAL && lane->blocks[i].to > x)
            return 0;
    for (size_t i = neighbour->block; i > 0; i--)
        if (lane->blocks[i - 1].kind != TRAFFIC_SIGNAL)
            return lane->blocks[i - 1].from - x;
    return INFINITY;
}

struct change {
    float own;       /* acceleration there */
    bool safe;       /* for oneself and for the one behind */
    uint32_t behind; /* pool index or TRAFFIC_NONE */
};

static struct change weigh(const struct traffic *traffic, const struct traffic_route *route,
                           const struct traffic_vehicle *vehicle, const struct neighbour *neighbour,
                           float safe)
{
    const struct traffic_class *class = &traffic_classes[vehicle->class];
    const struct traffic_cell *cell = traffic_cell_at(route, vehicle->x);
    const struct traffic_lane *lane = neighbour->lane;
    float v0 = fminf(vehicle->v0 * cell->speed, cell->advisory);
    struct change change = {.own = 0, .safe = true, .behind = TRAFFIC_NONE};

    float gap = 1e5F, closing = vehicle->v;
    if (neighbour->at > 0) {
        const struct traffic_vehicle *ahead = &traffic->pool[lane->order[neighbour->at - 1]];
        gap = (float)(ahead->x - vehicle->x) - traffic_classes[ahead->class].length;
        closing = vehicle->v - ahead->v;
    }
    if (gap < class->min_gap * 0.75F)
        change.safe = false;
    else
        change.own = traffic_follow(class, vehicle->v, v0, vehicle->headway * cell->headway, gap, closing);
    if (change.own < -safe)
        change.safe = false;

    if (neighbour->at < lane->count) {
        change.behind = lane->order[neighbour->at];
        const struct traffic_vehicle *behind = &traffic->pool[change.behind];
        const struct traffic_class *its = &traffic_classes[behind->class];
        float back = (float)(vehicle->x - behind->x) - class->length;
        if (back < its->min_gap * 0.75F ||
            traffic_follow(its, behind->v, fminf(behind->v0 * cell->speed, cell->advisory),
                           behind->headway * cell->headway, back, behind->v - vehicle->v) < -safe)
            change.safe = false;
    }
    return change;
}

static void move_over(struct traffic *traffic, struct traffic_lane *from, size_t at,
                      const struct neighbour *neighbour, struct traffic_vehicle *vehicle, int step)
{
    uint32_t index = from->order[at];
    traffic_lane_remove(from, at);
    traffic_lane_insert(neighbour->lane, neighbour->at, index);
    vehicle->lane = (uint8_t)(vehicle->lane + step);
    vehicle->hold = 2;
    vehicle->must = 0;
    (void)traffic;
}

/* True when the vehicle has left the lane under consideration. */
static bool consider(struct traffic *traffic, struct traffic_route *route, size_t at, int lane_index,
                     struct neighbour sides[2])
{
    struct traffic_lane *lane = &route->lanes[lane_index];
    struct traffic_vehicle *vehicle = &traffic->pool[lane->order[at]];
    const struct traffic_class *class = &traffic_classes[vehicle->class];
    int lanes = route->sections[vehicle->section].lanes;
    bool urgent = vehicle->must != 0;

    if (vehicle->flags & TRAFFIC_STALLED || (vehicle->flags & TRAFFIC_LIMPING && lane_index == 0))
        return false;
    if (lane_index >= lanes) {
        vehicle->must = -1;
        vehicle->room = 0;
        urgent = true;
    } else if (!urgent && (vehicle->flags & TRAFFIC_LIMPING)) {
        vehicle->must = -1;
        vehicle->room = URGENT / 2;
        urgent = true;
    } else if (!urgent && lane_index > 0 &&
               ((vehicle->flags & (TRAFFIC_LEAVING | TRAFFIC_STRAIGHT)) == TRAFFIC_LEAVING ||
                (class->slow && lanes >= 3 && lane_index == lanes - 1))) {
        vehicle->must = -1;
        vehicle->room = URGENT;
    }
    if (!(urgent && vehicle->room < URGENT) && (vehicle->serial + traffic->tick) % CHANGE_EVERY != 0)
        return false;
    if (vehicle->hold > 0) {
        vehicle->hold--;
        if (!urgent)
            return false;
    }

    if (vehicle->must != 0) {
        int target = lane_index + vehicle->must;
        if (target < 0 || target >= TRAFFIC_LANES || target >= lanes)
            return false;
        struct neighbour *side = &sides[vehicle->must > 0];
        neighbour_advance(traffic, side, vehicle->x);
        if (!urgent && neighbour_room(side, vehicle->x) <= CLEAR)
            return false; /* a mere wish does not lead into a lane that ends */
        float safe = SAFE + (SAFE_MUST - SAFE) * fmaxf(0, 1 - vehicle->room / URGENT);
        struct change change = weigh(traffic, route, vehicle, side, safe);
        if (change.safe) {
            move_over(traffic, lane, at, side, vehicle, vehicle->must);
            return true;
        }
        if (urgent && change.behind != TRAFFIC_NONE && vehicle->room < URGENT) {
            struct traffic_vehicle *behind = &traffic->pool[change.behind];
            /* One at a time: who already lets somebody in goes before the next. */
            if (behind->yield_ticks == 0) {
                behind->yield_to = lane->order[at];
                behind->yield_ticks = 4;
            }
        }
        return false;
    }
    if (vehicle->flags & TRAFFIC_AT_SIGNAL)
        return false;

    /* Keep left, unless that costs too much or the lane soon ends. */
    if (lane_index > 0) {
        neighbour_advance(traffic, &sides[0], vehicle->x);
        if (neighbour_room(&sides[0], vehicle->x) > CLEAR) {
            struct change change = weigh(traffic, route, vehicle, &sides[0], SAFE);
            if (change.safe && change.own - vehicle->a > -LOSS_LEFT) {
                move_over(traffic, lane, at, &sides[0], vehicle, -1);
                return true;
            }
        }
    }
    const struct traffic_cell *cell = traffic_cell_at(route, vehicle->x);
    float v0 = fminf(vehicle->v0 * cell->speed, cell->advisory);
    float ratio = vehicle->v / v0;
    float free = class->accel * (1 - ratio * ratio * ratio * ratio);
    int right = lane_index + 1;
    if (right >= lanes || (class->slow && lanes >= 3 && right == lanes - 1) || vehicle->a > free - GAIN_RIGHT)
        return false;
    neighbour_advance(traffic, &sides[1], vehicle->x);
    if (neighbour_room(&sides[1], vehicle->x) <= CLEAR)
        return false;
    struct change change = weigh(traffic, route, vehicle, &sides[1], SAFE);
    if (!change.safe || change.own - vehicle->a < GAIN_RIGHT)
        return false;
    move_over(traffic, lane, at, &sides[1], vehicle, 1);
    return true;
}

void traffic_change_lanes(struct traffic *traffic, struct traffic_route *route)
{
    for (int lane = 0; lane < TRAFFIC_LANES; lane++) {
        struct neighbour sides[2] = {{.lane = lane > 0 ? &route->lanes[lane - 1] : NULL},
                                     {.lane = lane + 1 < TRAFFIC_LANES ? &route->lanes[lane + 1] : NULL}};
        for (size_t i = 0; i < route->lanes[lane].count;)
            if (!consider(traffic, route, i, lane, sides))
                i++;
    }
}
