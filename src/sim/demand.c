#include "sim/demand.h"

#include <math.h>

/* A counted or assumed flow: both directions, vehicles a day, at a distance along the northbound route. */
struct count_point {
    double km;
    float vehicles;
    float heavy; /* share of goods vehicles over 3.5 t */
};

/* Counted: A40 Ealing and Hillingdon, M40 J4-5, J8A-9, north of J11, J14-15, J15-16, J16-M42, M6 J5-6 (2022).
 * The others, mostly streets of London and the M42, are assumptions between them. */
static const struct count_point m40_counts[] = {
    {0, 36000, .030F},      {3.5, 34000, .030F},    {5.5, 78000, .045F},    {9, 92000, .055F},
    {14.5, 116893, .061F},  {22, 104235, .060F},    {29, 112000, .062F},    {40, 110000, .065F},
    {54.7, 97857, .066F},   {70, 84000, .085F},     {86, 64485, .106F},     {113, 76000, .115F},
    {129, 87894, .123F},    {148, 98000, .112F},    {150.3, 102904, .108F}, {158.4, 96797, .103F},
    {167, 105188, .101F},   {174, 118000, .105F},   {183, 112000, .120F},   {188, 128000, .150F},
    {191.2, 150000, .154F}, {195.5, 166288, .154F}, {199, 72000, .060F},    {201, 30000, .030F},
};

/* Counted: M1 J12 (2017), J17-18, M6 J1-2, near J3, M6 J5-6 (2022). */
static const struct count_point m1_counts[] = {
    {0, 36000, .030F},      {3.6, 32000, .030F},    {6.5, 42000, .035F},   {10, 58000, .040F},
    {14, 92000, .070F},     {20, 108000, .085F},    {31, 122000, .100F},   {43, 150000, .120F},
    {53, 138000, .132F},    {59.7F, 122285, .141F}, {63.6, 122285, .141F}, {92, 112000, .165F},
    {108, 106000, .185F},   {126.6, 98868, .208F},  {134, 52000, .205F},   {145.5, 92953, .191F},
    {154.7, 133377, .178F}, {157.3, 133377, .178F}, {171, 128000, .165F},  {178.7, 150000, .154F},
    {183, 166288, .154F},   {186.5, 72000, .060F},  {188.5, 30000, .030F},
};

/* Hourly index of a weekday, 00h first: motorways (peaks 07:30-09:30 and 16:00-18:00, RAC Foundation), and
 * the flatter shape of town streets (London cameras, August 2019). Normalised where used. */
static const float motorway_profile[24] = {.30F,  .22F,  .20F,  .24F,  .40F,  .85F,  1.35F, 1.70F,
                                           1.60F, 1.30F, 1.20F, 1.20F, 1.25F, 1.28F, 1.35F, 1.55F,
                                           1.75F, 1.72F, 1.40F, 1.05F, .80F,  .65F,  .52F,  .40F};
static const float town_profile[24] = {.50F,  .40F,  .36F,  .38F,  .45F,  .65F,  .92F,  1.13F,
                                       1.20F, 1.17F, 1.15F, 1.17F, 1.20F, 1.22F, 1.25F, 1.33F,
                                       1.42F, 1.46F, 1.38F, 1.22F, 1.05F, .92F,  .78F,  .62F};

/* Where no junction is known (streets), traffic turns on and off this often, metres. */
#define NODE_SPACING 2500.0
#define NODE_MERGE   700.0 /* nodes nearer than this are one */

static float profile_at(const float profile[24], double hour)
{
    float sum = 0;
    for (int i = 0; i < 24; i++)
        sum += profile[i];
    double at = hour - 0.5 < 0 ? hour + 23.5 : hour - 0.5;
    int before = (int)at % 24;
    float part = (float)(at - floor(at));
    return (profile[before] * (1 - part) + profile[(before + 1) % 24] * part) * 24 / sum;
}

static void count_at(enum geo_route route, double km, float *light, float *heavy)
{
    bool m40 = route == GEO_M40_NORTH || route == GEO_M40_SOUTH;
    const struct count_point *points = m40 ? m40_counts : m1_counts;
    size_t count = m40 ? sizeof m40_counts / sizeof *m40_counts : sizeof m1_counts / sizeof *m1_counts;
    size_t i = 1;
    while (i + 1 < count && points[i].km < km)
        i++;
    const struct count_point *a = &points[i - 1], *b = &points[i];
    float part = (float)fmin(1, fmax(0, (km - a->km) / (b->km - a->km)));
    float vehicles = (a->vehicles * (1 - part) + b->vehicles * part) / 2;
    float share = a->heavy * (1 - part) + b->heavy * part;
    *light = vehicles * (1 - share);
    *heavy = vehicles * share;
}

/* What our lanes carry without breaking down: below IDM's capacity of about 2,000 an hour and lane, less at
 * low limits and signals. Real roads have hard shoulder running and turning lanes that the tables do not. */
static float road_limit(const struct geo_section *section)
{
    int mph = section->limit_mph;
    float lane = mph >= 60   ? 1450
                 : mph >= 50 ? (section->kind == GEO_SECTION_SLIP ? 1150 : 1320)
                 : mph >= 40 ? 1050
                 : mph >= 30 ? 800
                             : 600;
    return section->lanes * (section->lanes > 1 ? lane : lane * 0.75F); /* nobody can pass a lorry */
}

static void add_node(double nodes[], size_t *count, double at)
{
    if (*count < DEMAND_LINKS - 1)
        nodes[(*count)++] = at;
}

static size_t find_nodes(enum geo_route route, double nodes[])
{
    const struct geo_junction *junctions;
    const struct geo_section *sections;
    size_t count = 0, junction_count = geo_route_junctions(route, &junctions);
    size_t section_count = geo_route_sections(route, &sections);
    double length = geo_route_length(route);

    for (size_t i = 0; i < junction_count; i++)
        add_node(nodes, &count, junctions[i].chainage);
    for (size_t i = 1; i < section_count; i++)
        if ((sections[i].kind == GEO_SECTION_SLIP) != (sections[i - 1].kind == GEO_SECTION_SLIP) ||
            (sections[i].kind == GEO_SECTION_URBAN) != (sections[i - 1].kind == GEO_SECTION_URBAN))
            add_node(nodes, &count, sections[i].from);
    for (int i = 1; i * NODE_SPACING < length; i++)
        if (geo_route_section_at(route, i * NODE_SPACING)->kind == GEO_SECTION_URBAN)
            add_node(nodes, &count, i * NODE_SPACING);

    for (size_t i = 1; i < count; i++) /* insertion sort: a few dozen */
        for (size_t j = i; j > 0 && nodes[j] < nodes[j - 1]; j--) {
            double swap = nodes[j];
            nodes[j] = nodes[j - 1];
            nodes[j - 1] = swap;
        }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (nodes[i] > NODE_MERGE && nodes[i] < length - NODE_MERGE &&
            (kept == 0 || nodes[i] - nodes[kept - 1] > NODE_MERGE))
            nodes[kept++] = nodes[i];
    return kept;
}

void demand_build(struct demand *demand, enum geo_route route)
{
    double nodes[DEMAND_LINKS], length = geo_route_length(route);
    size_t count = find_nodes(route, nodes);
    bool south = route == GEO_M40_SOUTH || route == GEO_M1_SOUTH;
    double north_length = geo_route_length(south ? route - 1 : route);

    demand->count = count + 1;
    for (size_t i = 0; i <= count; i++) {
        struct demand_link *link = &demand->links[i];
        link->from = i > 0 ? nodes[i - 1] : 0;
        link->to = i < count ? nodes[i] : length;
        double middle = (link->from + link->to) / 2;
        double km = (south ? (length - middle) * north_length / length : middle) / 1000;
        count_at(route, km, &link->light, &link->heavy);

        /* The narrowest place away from the junctions at its ends sets what the link can carry. */
        link->limit = INFINITY;
        link->town = false;
        const struct geo_section *section = geo_route_section_at(route, link->from + 400);
        for (;; section++) {
            link->limit = fminf(link->limit, road_limit(section));
            link->town = link->town || section->kind == GEO_SECTION_URBAN;
            if (section->to >= link->to - 400 || section->to >= length)
                break;
        }
        link->town = link->town || link->light + link->heavy > 62000; /* saturated roads have flat peaks */
    }
}

struct demand_flow demand_flow_at(const struct demand_link *link, double hour)
{
    float index = profile_at(link->town ? town_profile : motorway_profile, hour);
    struct demand_flow flow = {link->light * index / 24, link->heavy * index / 24};
    float excess = (flow.light + flow.heavy) / link->limit;
    if (excess > 1) {
        flow.light /= excess;
        flow.heavy /= excess;
    }
    return flow;
}

const struct demand_link *demand_link_at(const struct demand *demand, double chainage)
{
    size_t low = 0, high = demand->count - 1;
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (demand->links[middle].from <= chainage)
            low = middle;
        else
            high = middle - 1;
    }
    return &demand->links[low];
}

/* Days since 1970 of a civil date (H. Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t civil_days(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t last_sunday(int64_t year, int month)
{
    int64_t day = civil_days(year, month, 31); /* March and October have 31 days */
    return day - ((day + 4) % 7 + 7) % 7;      /* 1970-01-01 was a Thursday: Sunday is 0 */
}

double demand_local_hour(int64_t milliseconds)
{
    int64_t hours = milliseconds / 3600000;
    int64_t days = milliseconds / 86400000;
    int64_t year = 1970 + days * 400 / 146097;
    if (civil_days(year, 1, 1) > days)
        year--;
    bool summer = hours >= last_sunday(year, 3) * 24 + 1 && hours < last_sunday(year, 10) * 24 + 1;
    double hour = fmod((double)milliseconds / 3600000.0 + (summer ? 1 : 0), 24);
    return hour < 0 ? hour + 24 : hour;
}
