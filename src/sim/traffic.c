#include "sim/noise.h"
#include "sim/traffic_state.h"

#include "base/err.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HARD_BRAKE  7.5F   /* m/s2: what a driver can do at most */
#define YIELD_BRAKE 2.5F   /* m/s2: what a driver does to let somebody in */
#define YIELD_GAP   1.8F   /* m: with less room in front nobody is let in any more */
#define LOOK_BLOCK  700.0  /* m: from where an obstacle is known, for each lane that must be crossed */
#define BRAKE_BLOCK 400.0F /* m: from where it is braked for */
#define SIGNAL_STOP 3.5F   /* m/s2: harder than that nobody stops at a signal that just changed */
#define LIMP        12.0F  /* m/s */
#define COAST       1.5F   /* m/s2: what a vehicle without power loses */
#define TIE         0.3F   /* m: room left before the car ahead at a standstill, at the least */

#define MPH 0.44704F

const struct traffic_class traffic_classes[EVENT_COUNT_CLASSES] = {
    [EVENT_COUNT_CAR] = {"car", 1.4F, 2.0F, 2, 4.5F, 0.298807F, 69.0F, 7.8F, 110, 0, false},
    [EVENT_COUNT_VAN] = {"van", 1.4F, 2.0F, 2, 5.5F, 0.298807F, 69.4F, 7.8F, 110, 0, false},
    [EVENT_COUNT_HGV] = {"lorry", 0.7F, 2.0F, 2, 14, 0.422577F, 54.5F, 1.5F, 58, 0.5F, true},
    [EVENT_COUNT_BUS] = {"bus", 0.9F, 2.0F, 2, 12, 0.372678F, 60.0F, 1.5F, 62, 0.3F, true},
};

const char *traffic_class_word(int class)
{
    return traffic_classes[class].word;
}

float traffic_class_length(int class)
{
    return traffic_classes[class].length;
}

static void find_signals(struct traffic_route *route)
{
    for (size_t i = 0; i < route->section_count; i++) {
        const struct geo_section *section = &route->sections[i];
        /* Streets have signals; the Westway is a flyover. */
        if (section->kind != GEO_SECTION_URBAN || section->limit_mph > 30 || strstr(section->name, "Westway"))
            continue;
        double spacing = section->limit_mph <= 20 ? 480 : 650;
        int count = (int)((section->to - section->from - 360) / spacing) + 1;
        for (int s = 0;
             s < count && section->to - section->from > 360 && route->signal_count < TRAFFIC_SIGNALS; s++)
            route->signals[route->signal_count++] = section->from + 300 + s * spacing;
    }
}

struct traffic *traffic_create(uint64_t seed, unsigned route_mask)
{
    struct traffic *traffic = mem_zero(1, sizeof *traffic);
    traffic->seed = seed;
    for (int i = 0; i < GEO_ROUTES; i++) {
        struct traffic_route *route = &traffic->routes[i];
        route->id = (enum geo_route)i;
        route->active = route_mask >> i & 1;
        route->length = geo_route_length(route->id);
        route->section_count = geo_route_sections(route->id, &route->sections);
        route->cell_count = (size_t)(route->length / TRAFFIC_CELL) + 2;
        route->cells = mem_zero(route->cell_count, sizeof *route->cells);
        for (size_t cell = 0; cell < route->cell_count; cell++)
            route->cells[cell] = (struct traffic_cell){1, 1, 1000, -1};
        demand_build(&route->demand, route->id);
        traffic_find_nodes(route);
        find_signals(route);
    }
    traffic->blocks_stale = true;
    traffic_rebuild_blocks(traffic);
    return traffic;
}

void traffic_destroy(struct traffic *traffic)
{
    if (!traffic)
        return;
    for (int i = 0; i < GEO_ROUTES; i++) {
        free(traffic->routes[i].cells);
        for (int lane = 0; lane < TRAFFIC_LANES; lane++)
            free(traffic->routes[i].lanes[lane].order);
    }
    free(traffic->detectors);
    free(traffic->arrived);
    free(traffic->pool);
    free(traffic->free);
    free(traffic);
}

/* ---- the pool --------------------------------------------------------------------------------------- */

uint32_t traffic_new(struct traffic *traffic)
{
    if (traffic->free_count > 0)
        return traffic->free[--traffic->free_count];
    if (traffic->pool_count == traffic->pool_capacity) {
        traffic->pool_capacity = traffic->pool_capacity ? traffic->pool_capacity * 3 / 2 : 1024;
        traffic->pool = mem_resize(traffic->pool, traffic->pool_capacity, sizeof *traffic->pool);
        traffic->free = mem_resize(traffic->free, traffic->pool_capacity, sizeof *traffic->free);
    }
    return (uint32_t)traffic->pool_count++;
}

void traffic_free(struct traffic *traffic, uint32_t index)
{
    if (traffic->pool[index].device >= 0)
        traffic->connected--;
    traffic->pool[index].flags = 0;
    traffic->free[traffic->free_count++] = index;
}

size_t traffic_lane_search(const struct traffic *traffic, const struct traffic_lane *lane, double x)
{
    size_t low = 0, high = lane->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (traffic->pool[lane->order[middle]].x > x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void traffic_lane_insert(struct traffic_lane *lane, size_t at, uint32_t index)
{
    if (lane->count == lane->capacity) {
        lane->capacity = lane->capacity ? lane->capacity * 3 / 2 : 256;
        lane->order = mem_resize(lane->order, lane->capacity, sizeof *lane->order);
    }
    memmove(lane->order + at + 1, lane->order + at, (lane->count - at) * sizeof *lane->order);
    lane->order[at] = index;
    lane->count++;
}

void traffic_lane_remove(struct traffic_lane *lane, size_t at)
{
    lane->count--;
    memmove(lane->order + at, lane->order + at + 1, (lane->count - at) * sizeof *lane->order);
}

/* ---- what is due along the road --------------------------------------------------------------------- */

#define DECIDE 1500.0 /* m before an exit a driver gets ready for it */

void traffic_next_mark(const struct traffic_route *route, struct traffic_vehicle *vehicle)
{
    double mark = route->sections[vehicle->section].to;
    if (vehicle->device < 0 && vehicle->node < route->demand.count) {
        double leave = route->nodes[vehicle->node].leave;
        if (!(vehicle->flags & TRAFFIC_DECIDED))
            leave -= DECIDE;
        mark = fmin(mark, leave);
    }
    vehicle->mark = (float)fmin(mark, route->length);
}

void traffic_set_section(const struct traffic_route *route, struct traffic_vehicle *vehicle, uint16_t section)
{
    const struct geo_section *here = &route->sections[section];
    vehicle->section = section;
    float share = traffic_classes[vehicle->class].slow ? fminf(1, (float)here->limit_mph / 60)
                                                       : (float)here->limit_mph / 70;
    vehicle->v0 = vehicle->wish * share;
}

void traffic_settle(struct traffic *traffic, struct traffic_vehicle *vehicle)
{
    const struct traffic_route *route = &traffic->routes[vehicle->route];
    uint16_t section = 0;
    while (section + 1u < route->section_count && route->sections[section].to <= vehicle->x)
        section++;
    traffic_set_section(route, vehicle, section);
    vehicle->node = 1;
    while (vehicle->node < route->demand.count && route->nodes[vehicle->node].leave <= vehicle->x)
        vehicle->node++;
    traffic_next_mark(route, vehicle);
}

/* Handles everything at or behind the vehicle's new place. False: it has left the road. */
static bool pass_mark(struct traffic *traffic, const struct traffic_route *route,
                      struct traffic_vehicle *vehicle)
{
    while (vehicle->x >= vehicle->mark) {
        if (vehicle->x >= route->length - 0.5)
            return false;
        if (vehicle->section + 1u < route->section_count &&
            vehicle->x >= route->sections[vehicle->section].to)
            traffic_set_section(route, vehicle, vehicle->section + 1);
        if (vehicle->device < 0 && vehicle->node < route->demand.count) {
            const struct traffic_node *node = &route->nodes[vehicle->node];
            if (!(vehicle->flags & TRAFFIC_DECIDED) && vehicle->x >= node->leave - DECIDE) {
                struct rng_key key = {traffic->seed, vehicle->serial, vehicle->node, NOISE_EXIT};
                vehicle->flags |= TRAFFIC_DECIDED;
                if (rng_uniform(&key) < node->exit[traffic_classes[vehicle->class].slow])
                    vehicle->flags |= node->fork ? TRAFFIC_LEAVING | TRAFFIC_STRAIGHT : TRAFFIC_LEAVING;
            }
            if (vehicle->x >= node->leave) {
                if (vehicle->flags & TRAFFIC_LEAVING)
                    return false;
                vehicle->flags &= (uint8_t)~TRAFFIC_DECIDED;
                vehicle->node++;
            }
        }
        float before = vehicle->mark;
        traffic_next_mark(route, vehicle);
        if (vehicle->mark <= before) /* single precision: the mark and the place may differ by a centimetre */
            vehicle->mark = nextafterf((float)vehicle->x, INFINITY);
    }
    return true;
}

/* ---- movement --------------------------------------------------------------------------------------- */

static void detect(struct traffic *traffic, int32_t detector, const struct traffic_vehicle *vehicle,
                   double from)
{
    struct traffic_detector *at = &traffic->detectors[detector];
    if (from < at->x && vehicle->x >= at->x) {
        at->count[vehicle->class]++;
        at->speed_sum += vehicle->v;
        at->covered += (traffic_classes[vehicle->class].length + 2) / fmaxf(vehicle->v, 0.5F);
    }
}

/* What the next obstacle of the lane asks of a driver; sets must, room and AT_SIGNAL. */
static float heed_block(struct traffic_vehicle *vehicle, const struct traffic_class *class,
                        const struct traffic_block *block, float v0, float headway)
{
    float gap = (float)(block->from - vehicle->x);
    if (block->kind == TRAFFIC_SIGNAL) {
        if (gap < 150)
            vehicle->flags |= TRAFFIC_AT_SIGNAL;
        if (vehicle->v * vehicle->v > 2 * SIGNAL_STOP * gap || gap > 150)
            return INFINITY;
        return traffic_follow(class, vehicle->v, v0, headway, gap + 1, vehicle->v);
    }
    if (gap > (float)LOOK_BLOCK * block->cross)
        return INFINITY;
    /* Who stays on the road that our route leaves has its lane go on. */
    if (block->kind == TRAFFIC_LANE_END && (vehicle->flags & TRAFFIC_STRAIGHT))
        return INFINITY;
    vehicle->room = gap;
    vehicle->must = block->escape;
    if (gap > BRAKE_BLOCK)
        return INFINITY;
    /* Lanes closed a moment ago: who cannot stop any more drives through. */
    if (block->kind == TRAFFIC_CLOSED && vehicle->v * vehicle->v > 2 * HARD_BRAKE * gap)
        return -HARD_BRAKE;
    return traffic_follow(class, vehicle->v, v0, headway, gap, vehicle->v);
}

static float let_in(struct traffic *traffic, struct traffic_vehicle *vehicle,
                    const struct traffic_class *class, float v0, float headway)
{
    const struct traffic_vehicle *other = &traffic->pool[vehicle->yield_to];
    vehicle->yield_ticks--;
    float gap = (float)(other->x - vehicle->x) - traffic_classes[other->class].length;
    if (!(other->flags & TRAFFIC_USED) || other->route != vehicle->route || other->lane == vehicle->lane ||
        gap < YIELD_GAP || gap > 200) /* too late to let it in: drive on, or both stand for ever */
        return INFINITY;
    float wish = traffic_follow(class, vehicle->v, v0, headway, gap, vehicle->v - other->v);
    return fmaxf(wish, -YIELD_BRAKE);
}

static void move_lane(struct traffic *traffic, struct traffic_route *route, int lane_index)
{
    struct traffic_lane *lane = &route->lanes[lane_index];
    double ahead_x = INFINITY;     /* the vehicle ahead, before its move */
    double ahead_moved = INFINITY; /* its rear, after */
    float ahead_v = 0, ahead_length = 0;
    size_t kept = 0, next_block = 0;

    for (size_t i = 0; i < lane->count; i++) {
        struct traffic_vehicle *vehicle = &traffic->pool[lane->order[i]];
        const struct traffic_class *class = &traffic_classes[vehicle->class];
        const struct traffic_cell *cell = traffic_cell_at(route, vehicle->x);
        double x = vehicle->x;
        float v = vehicle->v;
        float v0 = fminf(vehicle->v0 * cell->speed, cell->advisory);
        float headway = vehicle->headway * cell->headway;
        bool ill = vehicle->flags & (TRAFFIC_LIMPING | TRAFFIC_STALLED);
        if (ill)
            v0 = fminf(v0, LIMP);

        /* A lane without anybody ahead is the same as a gap of a hundred kilometres. */
        float gap = fminf((float)(ahead_x - x) - ahead_length, 1e5F);
        float a = traffic_follow(class, v, v0, headway, gap, v - ahead_v);

        while (next_block < lane->block_count && lane->blocks[next_block].from > x)
            next_block++;
        vehicle->must = 0;
        vehicle->room = 1e5F;
        vehicle->flags &= (uint8_t)~TRAFFIC_AT_SIGNAL;
        if (next_block > 0 && lane->blocks[next_block - 1].from - x < 3 * LOOK_BLOCK) {
            float wish = heed_block(vehicle, class, &lane->blocks[next_block - 1], v0, headway);
            a = fminf(a, wish);
            /* Behind a signal another obstacle may wait. */
            if (lane->blocks[next_block - 1].kind == TRAFFIC_SIGNAL && next_block > 1 &&
                lane->blocks[next_block - 2].kind != TRAFFIC_SIGNAL)
                a = fminf(a, heed_block(vehicle, class, &lane->blocks[next_block - 2], v0, headway));
        }
        if (ill && (lane_index == 0 || (vehicle->flags & TRAFFIC_STALLED)))
            a = fminf(a, -COAST);
        if (vehicle->yield_ticks > 0)
            a = fminf(a, let_in(traffic, vehicle, class, v0, headway));
        if (a < -HARD_BRAKE)
            a = -HARD_BRAKE;

        ahead_x = x;
        ahead_v = v;
        ahead_length = class->length;

        float v_new = v + a * TRAFFIC_DT;
        float step = v_new > 0 ? (v + v_new) * 0.5F * TRAFFIC_DT : a < 0 ? v * v / (-2 * a) : 0;
        if (v_new < 0)
            v_new = 0;
        /* Half a second is too coarse for the last metre of a stop: never roll into the bumper ahead. */
        float limit = (float)(ahead_moved - x) - TIE;
        if (step > limit) {
            if (limit < -2 * TIE)
                traffic->overlaps++;
            step = fmaxf(limit, 0);
            v_new = fminf(v_new, step / TRAFFIC_DT);
        }
        vehicle->a = (v_new - v) / TRAFFIC_DT;
        vehicle->v = v_new;
        vehicle->x = x + (double)step;
        traffic->metres += (double)step;
        traffic->speed_sum += (double)v_new;
        traffic->moved++;
        ahead_moved = vehicle->x - (double)class->length;

        const struct traffic_cell *reached = traffic_cell_at(route, vehicle->x);
        if (reached->detector >= 0)
            detect(traffic, reached->detector, vehicle, x);
        if (vehicle->x >= vehicle->mark && !pass_mark(traffic, route, vehicle)) {
            if (vehicle->device >= 0)
                traffic->arrived[traffic->arrived_count++] = vehicle->device;
            traffic_free(traffic, lane->order[i]);
            continue;
        }
        lane->order[kept++] = lane->order[i];
    }
    lane->count = kept;
}

void traffic_step(struct traffic *traffic, uint64_t tick, double hour)
{
    traffic->tick = tick;
    traffic->speed_sum = traffic->metres = 0;
    traffic->moved = 0;
    traffic->arrived_count = 0;
    if (traffic->connected > traffic->arrived_capacity) {
        traffic->arrived_capacity = traffic->connected * 2;
        traffic->arrived = mem_resize(traffic->arrived, traffic->arrived_capacity, sizeof *traffic->arrived);
    }
    if (tick % 120 == 0)
        traffic_update_rates(traffic, hour);
    traffic_rebuild_blocks(traffic);
    for (int i = 0; i < GEO_ROUTES; i++) {
        struct traffic_route *route = &traffic->routes[i];
        if (!route->active)
            continue;
        for (int lane = 0; lane < TRAFFIC_LANES; lane++)
            move_lane(traffic, route, lane);
        traffic_change_lanes(traffic, route);
        if (traffic->demand > 0)
            traffic_let_in(traffic, route);
    }
}

size_t traffic_arrived(const struct traffic *traffic, const int32_t **devices)
{
    *devices = traffic->arrived;
    return traffic->arrived_count;
}

/* ---- looking ---------------------------------------------------------------------------------------- */

const struct traffic_vehicle *traffic_get(const struct traffic *traffic, uint32_t index)
{
    return &traffic->pool[index];
}

struct traffic_cell *traffic_cells(struct traffic *traffic, enum geo_route route, size_t *count)
{
    *count = traffic->routes[route].cell_count;
    return traffic->routes[route].cells;
}

int32_t traffic_add_detector(struct traffic *traffic, enum geo_route route, double x)
{
    struct traffic_route *on = &traffic->routes[route];
    /* In the middle of a cell nobody can be past it without having been seen in that cell. */
    double cell = floor(x / TRAFFIC_CELL);
    double at = fmin(fmax(x, cell * TRAFFIC_CELL + 50), (cell + 1) * TRAFFIC_CELL - 50);
    int32_t index = (int32_t)traffic->detector_count++;
    traffic->detectors = mem_resize(traffic->detectors, traffic->detector_count, sizeof *traffic->detectors);
    traffic->detectors[index] = (struct traffic_detector){.route = (uint8_t)route, .x = at};
    on->cells[(size_t)cell].detector = index;
    return index;
}

struct traffic_detector *traffic_detector(struct traffic *traffic, int32_t index)
{
    return &traffic->detectors[index];
}

size_t traffic_look(const struct traffic *traffic, enum geo_route route, int lane, double from, double to,
                    const struct traffic_vehicle **out, size_t limit)
{
    const struct traffic_lane *in = &traffic->routes[route].lanes[lane];
    size_t count = 0;
    for (size_t i = traffic_lane_search(traffic, in, to); i < in->count && count < limit; i++) {
        const struct traffic_vehicle *vehicle = &traffic->pool[in->order[i]];
        if (vehicle->x < from)
            break;
        out[count++] = vehicle;
    }
    return count;
}

void traffic_figures(const struct traffic *traffic, struct traffic_figures *figures)
{
    double lane_metres = 0;
    size_t total = 0;
    for (int i = 0; i < GEO_ROUTES; i++) {
        const struct traffic_route *route = &traffic->routes[i];
        if (!route->active)
            continue;
        for (size_t s = 0; s < route->section_count; s++)
            lane_metres += (route->sections[s].to - route->sections[s].from) * route->sections[s].lanes;
        for (int lane = 0; lane < TRAFFIC_LANES; lane++)
            total += route->lanes[lane].count;
    }
    *figures = (struct traffic_figures){
        .connected = traffic->connected,
        .background = (uint32_t)total - traffic->connected,
        .capacity = (uint32_t)(lane_metres * 0.150),
        .mean_speed = traffic->moved > 0 ? traffic->speed_sum / (double)traffic->moved : 0,
        .metres = traffic->metres,
        .turned_away = traffic->turned_away,
        .overlaps = traffic->overlaps,
    };
}
