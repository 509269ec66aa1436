/* Who is on the road: the first filling, joining at the start and at slip roads, and the rates that keep each
 * link at its real flow. */
#include "sim/noise.h"
#include "sim/traffic_state.h"

#include <math.h>

/* Share of the traffic that leaves at a junction even where the flow does not fall. */
#define TURNOVER       0.15F
#define TURNOVER_DROP  0.30F  /* the same where a lane leaves with it */
#define LEAVE_BEFORE   250.0  /* m from a node's middle to its exit, */
#define ENTER_AFTER    150.0  /* to the start of the merging stretch, */
#define JUNCTION_REACH 1300.0 /* m: how far from its middle a junction's lanes begin and end */
#define MERGE_LENGTH   300.0  /* and its length */
#define STEPS_PER_HOUR (3600 / TRAFFIC_DT)

#define MPH 0.44704F

struct traffic_driver traffic_draw_driver(const struct traffic *traffic, int class, uint32_t serial)
{
    const struct traffic_class *kind = &traffic_classes[class];
    float z[8];
    struct rng_key key = {traffic->seed, serial, 0, NOISE_DRIVER};
    noise_normals(&key, z);
    float wish = fminf(kind->wish_mean + kind->wish_deviation * z[0], kind->wish_limit);
    return (struct traffic_driver){
        .device = -1,
        .serial = serial,
        .class = (uint8_t) class,
        .wish = fmaxf(wish, 40) * MPH,
        .headway = fmaxf(1.2F + 0.25F * z[1], 0.7F) + kind->headway_extra,
    };
}

/* A light vehicle is a car, van or bus by u in [0, 1). */
static int light_class(double u)
{
    return u < 0.006 ? EVENT_COUNT_BUS : u < 0.18 ? EVENT_COUNT_VAN : EVENT_COUNT_CAR;
}

static uint32_t next_serial(struct traffic *traffic)
{
    return 0x40000000u + traffic->serial++; /* serials below belong to devices */
}

static uint32_t spawn(struct traffic *traffic, const struct traffic_route *route, int lane, double x, float v,
                      const struct traffic_driver *driver)
{
    uint32_t index = traffic_new(traffic);
    struct traffic_vehicle *vehicle = &traffic->pool[index];
    *vehicle = (struct traffic_vehicle){
        .x = x,
        .v = v,
        .headway = driver->headway,
        .wish = driver->wish,
        .room = 1e5F,
        .serial = driver->serial,
        .device = driver->device,
        .class = driver->class,
        .route = (uint8_t)route->id,
        .lane = (uint8_t)lane,
        .flags = TRAFFIC_USED,
    };
    if (driver->device >= 0)
        traffic->connected++;
    traffic_settle(traffic, vehicle);
    return index;
}

/* ---- the first filling ------------------------------------------------------------------------------ */

/* Share of the flow and free speed (mph at a limit of 70) by lanes and lane, as on a busy UK motorway. */
static const float lane_share[5][TRAFFIC_LANES] = {
    {1, 0, 0, 0}, {1, 0, 0, 0}, {.55F, .45F, 0, 0}, {.32F, .38F, .30F, 0}, {.22F, .28F, .28F, .22F}};
static const float lane_speed[5][TRAFFIC_LANES] = {
    {60, 0, 0, 0}, {60, 0, 0, 0}, {59, 68, 0, 0}, {57, 66, 73, 0}, {56, 63, 69, 74}};
/* Of the goods vehicles: none in the right-hand lane of three. */
static const float heavy_share[5][TRAFFIC_LANES] = {
    {1, 0, 0, 0}, {1, 0, 0, 0}, {.85F, .15F, 0, 0}, {.8F, .2F, 0, 0}, {.72F, .23F, .05F, 0}};

static void fill_lane(struct traffic *traffic, struct traffic_route *route, int lane_index, double demand,
                      double hour)
{
    struct traffic_lane *lane = &route->lanes[lane_index];
    const struct demand_link *link = NULL;
    struct demand_flow flow = {0, 0};
    double x = route->length - 20;
    float ahead_length = 0;
    size_t section = route->section_count - 1;

    while (x > 5) {
        while (section > 0 && route->sections[section].from > x)
            section--;
        const struct geo_section *here = &route->sections[section];
        if (lane_index >= here->lanes) {
            x = here->from - 1;
            continue;
        }
        if (!link || x < link->from) {
            link = demand_link_at(&route->demand, x);
            flow = demand_flow_at(link, hour);
        }
        int lanes = here->lanes < TRAFFIC_LANES ? here->lanes : TRAFFIC_LANES;
        float heavy = flow.heavy * heavy_share[lanes][lane_index];
        float total = (flow.light + flow.heavy) * lane_share[lanes][lane_index];
        float lane_flow = fmaxf(total, heavy) * (float)demand; /* vehicles/h */
        if (lane_flow < 1) {
            x = here->from - 1;
            continue;
        }
        float limit = (float)here->limit_mph / 70;
        float speed = lane_speed[lanes][lane_index] * MPH * limit;
        float load = fminf(lane_flow / 2000, 1);
        speed *= 1 - 0.2F * load * load;

        uint32_t serial = next_serial(traffic);
        struct rng_key key = {traffic->seed, serial, 0, NOISE_BUILD};
        uint32_t block[4];
        rng_block(&key, block);
        int class = block[0] * 0x1p-32 < (double)(heavy / fmaxf(total, heavy))
                        ? EVENT_COUNT_HGV
                        : light_class(block[1] * 0x1p-32);
        if (lanes >= 3 && lane_index == lanes - 1 && traffic_classes[class].slow)
            class = EVENT_COUNT_CAR;
        struct traffic_driver driver = traffic_draw_driver(traffic, class, serial);

        float least = 2.5F + speed * driver.headway * 0.8F + ahead_length;
        float mean = fmaxf(speed * 3600 / lane_flow, least * 1.02F);
        float spacing = least - (mean - least) * logf(1 - (float)(block[2] >> 8) * 0x1p-24F);
        x -= spacing;
        /* Not where the lane is about to end, unless it goes on behind. */
        bool ends = section + 1 < route->section_count && lane_index >= route->sections[section + 1].lanes &&
                    here->to - x < 500;
        if (x <= 5 || x < here->from || ends)
            continue;
        float gap = spacing - ahead_length;
        float own =
            driver.wish * (traffic_classes[class].slow ? fminf(1, (float)here->limit_mph / 60) : limit);
        float v = fminf(fminf(own, speed * 1.12F), (gap - 2) / driver.headway);
        traffic_lane_insert(lane, lane->count, spawn(traffic, route, lane_index, x, v, &driver));
        ahead_length = traffic_classes[class].length;
    }
}

void traffic_fill(struct traffic *traffic, double demand, double hour)
{
    traffic->demand = demand;
    if (demand > 0)
        for (int i = 0; i < GEO_ROUTES; i++)
            for (int lane = 0; traffic->routes[i].active && lane < TRAFFIC_LANES; lane++)
                fill_lane(traffic, &traffic->routes[i], lane, demand, hour);
    traffic_update_rates(traffic, hour);
}

/* ---- placing ---------------------------------------------------------------------------------------- */

/* A vehicle fits at `at` of the lane when neither it nor the one behind has to brake hard; *v is lowered to
 * what the gap ahead allows. */
static bool fits(const struct traffic *traffic, const struct traffic_lane *lane, size_t at, double x,
                 const struct traffic_driver *driver, float *v)
{
    const struct traffic_class *class = &traffic_classes[driver->class];
    if (at > 0) {
        const struct traffic_vehicle *ahead = &traffic->pool[lane->order[at - 1]];
        float gap = (float)(ahead->x - x) - traffic_classes[ahead->class].length;
        if (gap < 4)
            return false;
        *v = fminf(*v, fmaxf((gap - 3) / (driver->headway * 0.7F), ahead->v * 0.5F));
        if (*v > ahead->v && (*v - ahead->v) * (*v - ahead->v) > 2 * 1.5F * (gap - 3))
            *v = ahead->v + sqrtf(2 * 1.5F * (gap - 3));
        if (gap < 3 + 0.4F * *v)
            return false;
    }
    if (at < lane->count) {
        const struct traffic_vehicle *behind = &traffic->pool[lane->order[at]];
        float gap = (float)(x - behind->x) - class->length;
        float closing = behind->v - *v;
        if (gap < 4 + 0.4F * behind->v || (closing > 0 && closing * closing > 2 * 1.5F * (gap - 3)))
            return false;
    }
    return true;
}

static float free_speed(const struct traffic_route *route, double x, const struct traffic_driver *driver)
{
    float mph = (float)geo_route_section_at(route->id, x)->limit_mph;
    const struct traffic_cell *cell = traffic_cell_at(route, x);
    float share = traffic_classes[driver->class].slow ? fminf(1, mph / 60) : mph / 70;
    return fminf(driver->wish * share * cell->speed, cell->advisory);
}

static uint32_t try_place(struct traffic *traffic, struct traffic_route *route, int lane_index, double x,
                          float v, const struct traffic_driver *driver)
{
    struct traffic_lane *lane = &route->lanes[lane_index];
    size_t at = traffic_lane_search(traffic, lane, x);
    if (!fits(traffic, lane, at, x, driver, &v))
        return TRAFFIC_NONE;
    for (size_t i = 0; i < lane->block_count; i++) {
        const struct traffic_block *block = &lane->blocks[i];
        if (block->kind != TRAFFIC_SIGNAL && x > block->from - 300 && x < block->to + 20)
            return TRAFFIC_NONE;
    }
    uint32_t index = spawn(traffic, route, lane_index, x, v, driver);
    traffic_lane_insert(lane, at, index);
    return index;
}

uint32_t traffic_place(struct traffic *traffic, enum geo_route route_id, double x, double spread,
                       const struct traffic_driver *driver)
{
    struct traffic_route *route = &traffic->routes[route_id];
    bool slow = traffic_classes[driver->class].slow;
    for (int step = 0; step * 11 <= spread; step++) {
        double at = x - step * 11;
        if (at < 1 || at > route->length - 10)
            continue;
        int lanes = geo_route_section_at(route_id, at)->lanes;
        lanes = lanes < TRAFFIC_LANES ? lanes : TRAFFIC_LANES;
        int open = slow && lanes >= 3 ? lanes - 1 : lanes;
        float v = free_speed(route, at, driver);
        /* Who wants to be fast starts further to the right. */
        int first = slow ? 0 : (int)(driver->serial % (uint32_t)open);
        for (int i = 0; i < open; i++) {
            uint32_t index = try_place(traffic, route, (first + i) % open, at, v, driver);
            if (index != TRAFFIC_NONE)
                return index;
        }
    }
    return TRAFFIC_NONE;
}

uint32_t traffic_join(struct traffic *traffic, enum geo_route route_id, double x, float v,
                      const struct traffic_driver *driver)
{
    struct traffic_route *route = &traffic->routes[route_id];
    return x < route->length - 10 ? try_place(traffic, route, 0, x, v, driver) : TRAFFIC_NONE;
}

void traffic_set_health(struct traffic *traffic, uint32_t index, enum traffic_health health)
{
    struct traffic_vehicle *vehicle = &traffic->pool[index];
    vehicle->flags &= (uint8_t) ~(TRAFFIC_LIMPING | TRAFFIC_STALLED);
    if (health != TRAFFIC_WELL)
        vehicle->flags |= health == TRAFFIC_STALL ? TRAFFIC_STALLED : TRAFFIC_LIMPING;
}

static size_t position_of(const struct traffic *traffic, const struct traffic_lane *lane, uint32_t index)
{
    size_t at = traffic_lane_search(traffic, lane, traffic->pool[index].x);
    while (at < lane->count && lane->order[at] != index)
        at++;
    return at;
}

void traffic_remove(struct traffic *traffic, uint32_t index)
{
    const struct traffic_vehicle *vehicle = &traffic->pool[index];
    struct traffic_lane *lane = &traffic->routes[vehicle->route].lanes[vehicle->lane];
    size_t at = position_of(traffic, lane, index);
    if (at < lane->count)
        traffic_lane_remove(lane, at);
    traffic_free(traffic, index);
}

static size_t thin(struct traffic *traffic, struct traffic_lane *lane, double keep)
{
    size_t kept = 0;
    for (size_t i = 0; i < lane->count; i++) {
        const struct traffic_vehicle *vehicle = &traffic->pool[lane->order[i]];
        struct rng_key key = {traffic->seed, vehicle->serial, traffic->tick, NOISE_THIN};
        if (vehicle->device >= 0 || rng_uniform(&key) < keep)
            lane->order[kept++] = lane->order[i];
        else
            traffic_free(traffic, lane->order[i]);
    }
    size_t gone = lane->count - kept;
    lane->count = kept;
    return gone;
}

void traffic_set_demand(struct traffic *traffic, double demand, double hour)
{
    double before = traffic->demand;
    traffic->demand = demand;
    traffic_update_rates(traffic, hour);
    for (int i = 0; i < GEO_ROUTES; i++) {
        struct traffic_route *route = &traffic->routes[i];
        if (!route->active)
            continue;
        if (demand < before) {
            for (int lane = 0; lane < TRAFFIC_LANES; lane++)
                thin(traffic, &route->lanes[lane], demand / before);
            continue;
        }
        for (size_t n = 0; n < route->demand.count; n++) {
            const struct demand_link *link = &route->demand.links[n];
            struct demand_flow flow = demand_flow_at(link, hour);
            double speed =
                geo_route_section_at(route->id, (link->from + link->to) / 2)->limit_mph * MPH * 0.9;
            double missing =
                (flow.light + flow.heavy) / 3600 / speed * (link->to - link->from) * (demand - before);
            for (int j = 0; j < (int)missing; j++) {
                uint32_t serial = next_serial(traffic);
                uint32_t block[4];
                struct rng_key key = {traffic->seed, serial, 0, NOISE_BUILD};
                rng_block(&key, block);
                int class = block[0] * 0x1p-32 < (double)(flow.heavy / (flow.light + flow.heavy))
                                ? EVENT_COUNT_HGV
                                : light_class(block[1] * 0x1p-32);
                struct traffic_driver driver = traffic_draw_driver(traffic, class, serial);
                traffic_place(traffic, route->id, link->from + (link->to - link->from) * (block[2] * 0x1p-32),
                              100, &driver);
            }
        }
    }
}

/* ---- joining ---------------------------------------------------------------------------------------- */

void traffic_find_nodes(struct traffic_route *route)
{
    for (size_t n = 0; n < route->demand.count; n++) {
        struct traffic_node *node = &route->nodes[n];
        double middle = route->demand.links[n].from;
        node->leave = middle - LEAVE_BEFORE;
        node->enter = n > 0 ? middle + ENTER_AFTER : 2;
        node->turnover = TURNOVER;
        if (n == 0)
            continue;
        /* A lane that ends or begins near a junction goes off or comes on with its traffic. */
        for (size_t s = 0; s + 1 < route->section_count; s++) {
            const struct geo_section *a = &route->sections[s], *b = &route->sections[s + 1];
            if (fabs(b->from - middle) > JUNCTION_REACH)
                continue;
            if (b->lanes < a->lanes) {
                node->leave = fmin(node->leave, b->from - LEAVE_BEFORE);
                node->turnover = TURNOVER_DROP;
            }
            if (b->lanes > a->lanes)
                node->enter = fmax(node->enter, b->from + 20);
            if (b->kind == GEO_SECTION_SLIP || (b->road != a->road && b->kind == GEO_SECTION_MOTORWAY))
                node->fork = true;
        }
    }
}

void traffic_update_rates(struct traffic *traffic, double hour)
{
    for (int i = 0; i < GEO_ROUTES; i++) {
        struct traffic_route *route = &traffic->routes[i];
        float up[2] = {0, 0};
        for (size_t n = 0; n < route->demand.count; n++) {
            struct demand_flow flow = demand_flow_at(&route->demand.links[n], hour);
            float down[2] = {flow.light * (float)traffic->demand, flow.heavy * (float)traffic->demand};
            struct traffic_node *node = &route->nodes[n];
            for (int heavy = 0; heavy < 2; heavy++) {
                float falls = up[heavy] > 0 ? 1 - down[heavy] / up[heavy] : 0;
                node->exit[heavy] = n > 0 ? fmaxf(node->turnover, falls) : 0;
                node->rate[heavy] =
                    fmaxf(0, down[heavy] - up[heavy] * (1 - node->exit[heavy])) / (float)STEPS_PER_HOUR;
                up[heavy] = down[heavy];
            }
        }
    }
}

/* Looks for a gap along the merging stretch, or in any lane at the start of the road. */
static bool join(struct traffic *traffic, struct traffic_route *route, size_t n, int class, uint32_t draw)
{
    struct traffic_driver driver = traffic_draw_driver(traffic, class, 0x40000000u + traffic->serial);
    double enter = route->nodes[n].enter;
    if (n == 0) {
        int lanes = route->sections[0].lanes;
        for (int i = 0; i < lanes; i++)
            if (try_place(traffic, route, (int)((draw + (uint32_t)i) % (uint32_t)lanes), enter,
                          free_speed(route, enter, &driver), &driver) != TRAFFIC_NONE) {
                traffic->serial++;
                return true;
            }
        return false;
    }
    /* On a slip road one gathers speed, up to 50 mph. */
    float v = fminf(free_speed(route, enter, &driver), (traffic_classes[class].slow ? 40 : 50) * MPH);
    for (int i = 0; i < 6; i++) {
        double x = enter + MERGE_LENGTH * ((double)((draw + (uint32_t)i * 5) % 31) / 31);
        if (try_place(traffic, route, 0, x, v, &driver) != TRAFFIC_NONE) {
            traffic->serial++;
            return true;
        }
    }
    return false;
}

void traffic_let_in(struct traffic *traffic, struct traffic_route *route)
{
    for (size_t n = 0; n < route->demand.count; n++) {
        struct traffic_node *node = &route->nodes[n];
        struct rng_key key = {traffic->seed, (uint32_t)(route->id * DEMAND_LINKS + n), traffic->tick,
                              NOISE_ARRIVAL};
        uint32_t block[4];
        rng_block(&key, block);
        for (int heavy = 0; heavy < 2; heavy++) {
            /* Two draws suffice: at most two vehicles of a kind arrive in half a second. */
            double u = block[heavy] * 0x1p-32, rate = (double)node->rate[heavy];
            uint32_t arrivals = u < rate * rate / 2 ? 2 : u < rate - rate * rate / 2 ? 1 : 0;
            node->waiting[heavy] += arrivals;
            if (node->waiting[heavy] > TRAFFIC_QUEUE) {
                traffic->turned_away += node->waiting[heavy] - TRAFFIC_QUEUE;
                node->waiting[heavy] = TRAFFIC_QUEUE;
            }
        }
        for (int heavy = 0; heavy < 2; heavy++)
            if (node->waiting[heavy] > 0 &&
                join(traffic, route, n, heavy ? EVENT_COUNT_HGV : light_class(block[2] * 0x1p-32), block[3]))
                node->waiting[heavy]--;
    }
}
