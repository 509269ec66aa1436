/*
 * The map's own parts, shared by map.c (the panel), map_view.c (what is in sight), map_layers.c (what is
 * drawn in dots and marks), map_labels.c (texts that never collide), map_towns.c (which towns), map_inset.c
 * (where in England) and map_list.c (the vehicles as a table). Main thread.
 */
#ifndef SMARTCITY_UI_PANELS_MAP_H
#define SMARTCITY_UI_PANELS_MAP_H

#include "ui/panel.h"
#include "ui/panels/drive.h"
#include "ui/table.h"

/* What is in sight. A cell is twice as high as wide, so one scale serves both: a column is `scale` world
 * units, a row twice that. The centre is kept on whole cells, so that panning moves a drawing without
 * changing it. */
struct map_sight {
    double x, y;  /* world units at the middle */
    double scale; /* world units a column; 0: not chosen yet */
    int width, height;
};

struct map_cell {
    double x, y; /* cells from the top left, fractions count */
};

struct map_cell map_sight_cell(const struct map_sight *sight, struct geo_vertex at);
struct geo_vertex map_sight_vertex(const struct map_sight *sight, double x, double y);
double map_sight_metres(const struct map_sight *sight); /* a column, on the ground at the middle */
double map_sight_dot(const struct map_sight *sight, enum glyphs glyphs);         /* metres */
void map_sight_fit(struct map_sight *sight);                                     /* both routes, whole */
void map_sight_zoom(struct map_sight *sight, double factor, double x, double y); /* about a cell; clamped */
void map_sight_move(struct map_sight *sight, double columns, double rows);
void map_sight_centre(struct map_sight *sight, struct geo_vertex at);
bool map_sight_has(const struct map_sight *sight, struct geo_vertex min, struct geo_vertex max);

/* ---- layers ------------------------------------------------------------------------------------------ */

/* Priorities of dots: the larger owns its cell's colour, and picks the character in ASCII: ". . : - = + * #".
 */
enum map_priority {
    MAP_COAST = 0,
    MAP_BORDER = 0,
    MAP_TRUNK = 1,
    MAP_MOTORWAY = 2,
    MAP_VEHICLE = 2,
    MAP_ROUTE = 3,
    MAP_FREE = 4,
    MAP_SLOW = 5,
    MAP_QUEUE = 6,
    MAP_JAM = 7,
    MAP_TRACK = 8
};

#define MAP_SHIELDS 24
struct map_shield {
    const char *name;
    int x, y; /* cell */
};

/* The towns, the first to be named first. */
struct map_towns {
    size_t count;
    const struct geo_place **places; /* NULL: not worked out yet */
};
struct map_towns map_towns_create(void);
void map_towns_destroy(struct map_towns *towns);

/* What does not change while the sight stays: coast and roads in dots, and where the motorways' shields may
 * stand. */
struct map_ground {
    struct map_sight sight; /* it was made for; scale 0: never */
    enum glyphs glyphs;
    struct dots dots;
    struct dots live; /* cleared and drawn anew every frame */
    size_t shield_count;
    struct map_shield shields[MAP_SHIELDS];
    struct map_towns towns;
    bool inset_made; /* for this sight */
    struct dots inset;
    unsigned builds; /* times it was made, for tests */
};
/* Makes it anew only when the sight is another. */
void map_ground_update(struct map_ground *ground, const struct map_sight *sight, enum glyphs glyphs);
void map_ground_destroy(struct map_ground *ground);

/* Routes by congestion, traffic beside them, the followed one's track, into ground->live. */
void map_layers_traffic(struct map_ground *ground, const struct map_sight *sight,
                        const struct city_snapshot *city);
/* Slanted strokes, stars and mist where it rains, snows or is foggy; only in cells that hold no dot. */
void map_layers_weather(struct canvas *canvas, const struct map_sight *sight,
                        const struct city_snapshot *city, const struct map_ground *ground);
/* One arrow a vehicle, when a dot is small enough to tell them apart. */
void map_layers_arrows(struct canvas *canvas, const struct map_sight *sight,
                       const struct city_snapshot *city);
/* Where a vehicle is drawn: on its carriageway, left of the line. A heading that is not finite: on the line.
 */
struct map_cell map_lane_cell(const struct map_sight *sight, enum glyphs glyphs, struct geo_vertex at,
                              double heading);
uint32_t map_arrow(double heading, enum glyphs glyphs);

/* ---- labels ------------------------------------------------------------------------------------------ */

/* Which cells are spoken for. Text is never put on text; a label may hide a few cells of the route at most.
 */
struct map_labels {
    int width, height;
    uint8_t *taken; /* by cell: enum map_taken */
};
enum map_taken { MAP_OPEN, MAP_ROUTE_CELL, MAP_TAKEN };
struct map_labels map_labels_create(const struct map_ground *ground, int width, int height);
void map_labels_destroy(struct map_labels *labels);
void map_labels_reserve(struct map_labels *labels, int x, int y, int width);
/* A mark with its text beside it, at the place of the eight round it that hides least. The mark is drawn in
 * any case when `rune` is not 0; the text only if it hides at most `cost` route cells. True when the text was
 * drawn. */
bool map_labels_put(struct map_labels *labels, struct canvas *canvas, int x, int y, uint32_t rune,
                    struct style mark, struct style style, const char *text, int cost);

/* All texts, the most important first. `selected` may be "". */
void map_labels_draw(struct map_labels *labels, struct canvas *canvas, const struct map_sight *sight,
                     const struct map_ground *ground, const struct view *view);
/* The lowest line or two: what the colours mean, the scale, whose data it is. Reserves what it covers. */
void map_labels_furniture(struct map_labels *labels, struct canvas *canvas, const struct map_sight *sight,
                          const struct view *view);

/* The small map of England in a corner; reserves what it covers. */
void map_inset_draw(struct map_ground *ground, struct map_labels *labels, struct canvas *canvas,
                    const struct map_sight *sight);

/* ---- the vehicles as a table ------------------------------------------------------------------------- */

enum map_column {
    MAP_COLUMN_ID,
    MAP_COLUMN_TYPE,
    MAP_COLUMN_ROAD,
    MAP_COLUMN_MARKER,
    MAP_COLUMN_SPEED,
    MAP_COLUMN_LIMIT,
    MAP_COLUMN_STATUS,
    MAP_COLUMNS
};

struct map_list {
    bool shown;
    int order;       /* 0: as first seen; else 1 + the column */
    bool falling;    /* largest first */
    char chosen[24]; /* a device id: it stays the same one when the order changes */
    struct list list;
    struct table table;
    /* Indexes into the snapshot's vehicles, filtered and sorted; made anew when the key differs. */
    uint64_t key;
    size_t count, capacity;
    uint32_t *indexes;
};
void map_list_destroy(struct map_list *list);
void map_list_draw(struct map_list *list, const struct view *view, struct canvas *canvas,
                   const struct panel_context *context);
bool map_list_command(struct map_list *list, const struct view *view, const char *name, const char *argument,
                      const struct panel_host *host);
bool map_list_mouse(struct map_list *list, const struct view *view, enum panel_mouse what, int x, int y,
                    const struct panel_host *host);

#endif
