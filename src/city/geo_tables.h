/*
 * The tables that data/compile_geo.c prints as build/gen/geo_tables.c from data/geo/. Private to the geo
 * module: everyone else asks through city/geo.h.
 */
#ifndef SMARTCITY_CITY_GEO_TABLES_H
#define SMARTCITY_CITY_GEO_TABLES_H

#include "city/geo.h"

/* One vertex of a carriageway as surveyed. `heading` is that of the segment it starts. */
struct geo_node {
    double chainage;
    double latitude, longitude;
    float heading;
};

/* From `chainage` on, marker km = km + slope * (metres since) / 1000. Sorted; the first stands at 0. */
struct geo_post {
    double chainage, km, slope;
};

struct geo_level {
    const struct geo_vertex *vertices;
    const float *chainages;
    size_t count;
};

struct geo_route_table {
    const char *id, *name;
    double length;
    const struct geo_section *sections;
    size_t section_count;
    const struct geo_node *nodes; /* as many as, and in the order of, levels[0].vertices */
    size_t node_count;
    const uint16_t *buckets; /* the last node at or before each multiple of GEO_BUCKET metres */
    size_t bucket_count;
    const struct geo_post *posts;
    size_t post_count;
    const struct geo_junction *junctions;
    size_t junction_count;
    struct geo_level levels[GEO_DETAILS];
};

#define GEO_BUCKET 128.0

struct geo_line_table {
    const struct geo_line *lines;
    size_t count;
};

extern const struct geo_line_table geo_line_tables[GEO_DETAILS];
extern const struct geo_place geo_town_table[], geo_junction_table[];
extern const size_t geo_town_count, geo_junction_count;
extern const struct geo_route_table geo_route_tables[GEO_ROUTES];

#endif
