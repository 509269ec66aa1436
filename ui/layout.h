/*
 * Where panels stand: a screen and a size give rectangles. Layouts are rows of a table (ui/layout.c), each a
 * line of text, the most demanding first:
 *
 *     down(across(down(map, weather:7), down(vehicle:10, camera):48), pipeline:5)
 *
 * `name:7` takes seven rows (or columns), `name:40%` a share, `name` what is left, in equal parts; `name!`
 * has no frame. A panel that is not built leaves its place to the others. Pure; any thread.
 */
#ifndef SMARTCITY_UI_LAYOUT_H
#define SMARTCITY_UI_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#define LAYOUT_MIN_WIDTH  60
#define LAYOUT_MIN_HEIGHT 16
#define LAYOUT_SLOTS      12
#define LAYOUT_NAME       24

struct rect {
    int x, y, width, height;
};
bool rect_holds(const struct rect *rect, int x, int y);

struct layout_slot {
    char panel[LAYOUT_NAME];
    struct rect rect;
    bool bare; /* no frame */
};
struct layout {
    size_t count; /* in the order of reading, which is that of Tab */
    struct layout_slot slots[LAYOUT_SLOTS];
};

struct layout_row {
    int width, height; /* at least, of the area between the bars */
    const char *spec;
};

/* One screen: a row of the table. */
struct screen_row {
    const char *key;              /* "1" */
    const char *name;             /* "drive" */
    const char *title;            /* "Drive" */
    unsigned scope;               /* SCOPE_DRIVE */
    struct layout_row layouts[6]; /* the last one fits any size */
    const char *shown;            /* the line that is run when it comes up and the cloud is there; NULL */
};
size_t layout_screens(const struct screen_row **rows);

/* `has` says whether a panel is built (NULL: all are). False when the spec is malformed: a programmer's
 * error, told by the tests. */
bool layout_compute(const struct screen_row *row, struct rect area, bool (*has)(const char *panel),
                    struct layout *layout);

#endif
