/*
 * Geography: the fixed tables of data/geo/ compiled into the program, the projection, and places along a
 * road.
 *
 * Pure and read-only, so any thread may use it. Latitude and longitude are WGS84 degrees; distances are
 * metres; headings are degrees clockwise from north in [0, 360). Map coordinates are Web Mercator in integer
 * world units: 2^30 units round the equator, x to the east from 180 W, y to the south from 85.05 N, so pan
 * and zoom are integer shifts (formulae: EPSG 3857 on the unit square).
 */
#ifndef SMARTCITY_CITY_GEO_H
#define SMARTCITY_CITY_GEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEO_WORLD_UNITS (INT64_C(1) << 30)

struct geo_vertex {
    int32_t x, y; /* world units */
};

struct geo_vertex geo_project(double latitude, double longitude);
void geo_unproject(struct geo_vertex vertex, double *latitude, double *longitude);
double geo_unit_metres(double latitude); /* the ground length of one world unit */

/* Great-circle distance in metres and initial bearing in degrees. */
double geo_distance(double latitude1, double longitude1, double latitude2, double longitude2);
double geo_bearing(double latitude1, double longitude1, double latitude2, double longitude2);

/* "North", "North-East", … eight points, the words of the `direction` field. */
const char *geo_direction_name(double heading);

/* ---- the map's layers ------------------------------------------------------------------------------- */

enum geo_line_kind { GEO_COAST, GEO_BORDER, GEO_TRUNK, GEO_MOTORWAY };

/* A polyline at one level of detail. `detail` 0 is the finest; tolerances are in geo_detail_tolerance(). */
struct geo_line {
    enum geo_line_kind kind;
    const char *name;           /* "M40", "Great Britain" */
    struct geo_vertex min, max; /* bounding box */
    const struct geo_vertex *vertices;
    size_t vertex_count;
};

#define GEO_DETAILS 5
double geo_detail_tolerance(int detail);   /* metres */
int geo_detail_for(double metres_per_dot); /* the coarsest level not seen to differ */
size_t geo_lines(int detail, const struct geo_line **lines);

struct geo_place {
    const char *name; /* "Oxford", "M40 J9" */
    struct geo_vertex at;
    int32_t population; /* towns; 0 for a junction */
    int rank;           /* 0 first to be labelled */
};
size_t geo_towns(const struct geo_place **places); /* largest first */
size_t geo_junctions(const struct geo_place **places);

/*
 * By name, whatever the case, spaces and punctuation: a town or junction so called ("Banbury", "m40j9"), else
 * the largest town whose name begins so ("banb"). NULL when there is none, or, as for "J9", when several
 * roads have it.
 */
const struct geo_place *geo_find_place(const char *name);

const char *geo_attribution(void);

/* ---- carriageways: directed, continuous journeys ----------------------------------------------------- */

enum geo_route { GEO_M40_NORTH, GEO_M40_SOUTH, GEO_M1_NORTH, GEO_M1_SOUTH, GEO_ROUTES };

enum geo_section_kind { GEO_SECTION_URBAN, GEO_SECTION_TRUNK, GEO_SECTION_MOTORWAY, GEO_SECTION_SLIP };

/* A stretch with one road, lane count and limit. Chainage is metres from the start of the route. */
struct geo_section {
    double from, to;
    const char *road; /* "M40" */
    const char *name; /* "A4202 Park Lane" or the road again */
    char carriageway; /* marker-post letter: 'A' up (away from London), 'B' down; UK convention */
    uint8_t lanes;
    uint8_t limit_mph;
    enum geo_section_kind kind;
    double marker_km; /* the marker-post km at `from`; counts up on A, down on B */
};

const char *geo_route_name(enum geo_route route); /* "M40 northbound": for people */
const char *geo_route_id(enum geo_route route);   /* "m40-nb": in events and commands */
int geo_route_from_id(const char *id);            /* or -1 */
double geo_route_length(enum geo_route route);
size_t geo_route_sections(enum geo_route route, const struct geo_section **sections);
const struct geo_section *geo_route_section_at(enum geo_route route, double chainage); /* clamped */

/* The whole polyline at a level of detail, with the chainage of each vertex. */
size_t geo_route_line(enum geo_route route, int detail, const struct geo_vertex **vertices,
                      const float **chainages);

struct geo_position {
    double latitude, longitude, heading;
};
/* Clamped to the route's ends. O(log n). */
struct geo_position geo_route_position(enum geo_route route, double chainage);

/* Moves a position sideways: metres to the left (negative) or right of the heading. */
struct geo_position geo_offset(struct geo_position position, double metres_right);

/* The chainage on `route` nearest to a point; *distance in metres when not NULL. */
double geo_route_nearest(enum geo_route route, double latitude, double longitude, double *distance);

/*
 * "M40 A 62/9" (road, carriageway, km and tenth of the post last passed: the form of National Highways'
 * driver location signs); returns `text`. On the M40, M42, M1, M6 and A38(M) the figures are those of the
 * posts, within about 200 m; roads without posts (A4, A5, A40 in town, A41, A406, A38) count the route's km
 * from Charing Cross or from Birmingham's centre.
 */
#define GEO_MARKER_SIZE 24
const char *geo_marker(enum geo_route route, double chainage, char text[GEO_MARKER_SIZE]);

/*
 * Where on the road, in the order of travel; returns `text`: "J8A–J9", "J9" within 350 m of it, "J16–M42"
 * towards the road that follows, "Park Lane" where there are no junctions.
 */
#define GEO_BETWEEN_SIZE 48
const char *geo_between(enum geo_route route, double chainage, char text[GEO_BETWEEN_SIZE]);

/* Junctions along a route in order of chainage. */
struct geo_junction {
    double chainage;
    const char *name;      /* "M40 J9" */
    const char *shortname; /* "J9" */
};
size_t geo_route_junctions(enum geo_route route, const struct geo_junction **junctions);

#endif
