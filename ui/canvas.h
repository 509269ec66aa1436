/*
 * The canvas: a grid of cells that panels draw on. It knows nothing of curses, so golden tests read it back
 * as text. Coordinates are cells from (0,0) at top left; everything is clipped to the canvas. A sub-canvas
 * shares the cells of its parent. Text given to it is made harmless: controls never reach a cell.
 */
#ifndef SMARTCITY_UI_CANVAS_H
#define SMARTCITY_UI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A colour is a role, which the theme resolves, or true colour for pictures and ramps. NONE is the terminal's
 * own. X(name, word, letter in style dumps) */
#define ROLES(X)                                                                                             \
    X(NONE, "none", '.')                                                                                     \
    X(TEXT, "text", 't')                                                                                     \
    X(STRONG, "strong", 'T')                                                                                 \
    X(DIM, "dim", 'd')                                                                                       \
    X(FRAME, "frame", 'f')                                                                                   \
    X(FOCUS, "focus", 'F')                                                                                   \
    X(TITLE, "title", 'H')                                                                                   \
    X(BAR, "bar", 'b')                                                                                       \
    X(BAR_KEY, "bar key", 'k')                                                                               \
    X(SELECTED, "selected", 's')                                                                             \
    X(GOOD, "good", 'g')                                                                                     \
    X(WARNING, "warning", 'w')                                                                               \
    X(BAD, "bad", 'x')                                                                                       \
    X(INFO, "info", 'i')                                                                                     \
    X(VEHICLE, "vehicle", '1') /* one a topic */                                                             \
    X(GPS, "gps", '2')                                                                                       \
    X(TRAFFIC, "traffic", '3')                                                                               \
    X(WEATHER, "weather", '4')                                                                               \
    X(EMERGENCY, "emergency", '5')                                                                           \
    X(FREE, "free", 'G') /* congestion */                                                                    \
    X(SLOW, "slow", 'S')                                                                                     \
    X(QUEUE, "queue", 'Q')                                                                                   \
    X(JAM, "jam", 'J')                                                                                       \
    X(COAST, "coast", 'c')                                                                                   \
    X(ROAD, "road", 'r')                                                                                     \
    X(MOTORWAY, "motorway", 'm')                                                                             \
    X(ROUTE, "route", 'R')                                                                                   \
    X(PLACE, "place", 'p')                                                                                   \
    X(FOLLOWED, "followed", 'v')                                                                             \
    X(TRACK, "track", 'V')                                                                                   \
    X(CAMERA, "camera", 'C')                                                                                 \
    X(RAIN, "rain", '6')                                                                                     \
    X(SNOW, "snow", '7')                                                                                     \
    X(FOG, "fog", '8')                                                                                       \
    X(LIVE, "live", 'L')                                                                                     \
    X(REPLAY, "replay", 'P')                                                                                 \
    X(PAUSED, "paused", 'Z')
enum role {
#define X(name, word, letter) ROLE_##name,
    ROLES(X)
#undef X
        ROLE_COUNT
};
const char *role_name(enum role role);
typedef uint32_t colour; /* the one typedef: a packed scalar */
#define COLOUR_ROLE(role)   ((colour)(role))
#define COLOUR_RGB(r, g, b) ((colour)(0x1000000u | (uint32_t)(r) << 16 | (uint32_t)(g) << 8 | (uint32_t)(b)))
#define COLOUR_IS_RGB(c)    (((c)&0x1000000u) != 0)

enum attribute { ATTR_BOLD = 1, ATTR_REVERSE = 2, ATTR_UNDERLINE = 4, ATTR_DIM = 8 };

struct style {
    colour fg, bg;
    uint8_t attributes;
};
#define STYLE(role)      ((struct style){.fg = COLOUR_ROLE(role)})
#define STYLE_BOLD(role) ((struct style){.fg = COLOUR_ROLE(role), .attributes = ATTR_BOLD})

enum glyphs { GLYPHS_BRAILLE, GLYPHS_BLOCK, GLYPHS_ASCII };

struct cell {
    uint32_t rune; /* 0: the right half of a wide one */
    struct style style;
    uint32_t mark; /* one combining mark drawn over the rune, or 0 */
};

struct canvas {
    int width, height;
    enum glyphs glyphs;
    /* private */
    struct cell *cells; /* of this canvas's (0,0) */
    int stride;
    bool owner;
};

struct canvas canvas_create(int width, int height, enum glyphs glyphs);
void canvas_destroy(struct canvas *canvas);
/* Clipped to the parent; may be empty. Lives as long as the parent. */
struct canvas canvas_sub(const struct canvas *canvas, int x, int y, int width, int height);
void canvas_clear(struct canvas *canvas, struct style style);

/* A combining mark joins the cell to its left; what the glyph level cannot show becomes what it can
 * (ui/glyphs.h). */
void canvas_put(struct canvas *canvas, int x, int y, uint32_t rune, struct style style);
const struct cell *canvas_at(const struct canvas *canvas, int x, int y); /* NULL outside */
/* UTF-8; returns the column after the text. */
int canvas_text(struct canvas *canvas, int x, int y, struct style style, const char *text);
int canvas_printf(struct canvas *canvas, int x, int y, struct style style, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* At most `width` cells, cut with an ellipsis. Returns the column after it. */
int canvas_text_fit(struct canvas *canvas, int x, int y, int width, struct style style, const char *text);
/* So that the last cell is at x-1. Returns the first column. */
int canvas_text_right(struct canvas *canvas, int x, int y, struct style style, const char *text);
void canvas_fill(struct canvas *canvas, int x, int y, int width, int height, uint32_t rune,
                 struct style style);
void canvas_restyle(struct canvas *canvas, int x, int y, int width, struct style style);

/* A frame round the whole canvas with title at the left and note at the right of its top edge ("" none);
 * returns the inside. Corners and lines follow the glyph level. */
struct canvas canvas_frame(struct canvas *canvas, const char *title, const char *note, bool focused);

/* `fraction` 0 to 1 of width cells, with eighth blocks. */
void canvas_bar(struct canvas *canvas, int x, int y, int width, double fraction, struct style style);
/* A sparkline of count values (latest last, right-aligned), height cells high, scaled to max (0: the
 * largest). */
void canvas_spark(struct canvas *canvas, int x, int y, int width, int height, const float *values,
                  size_t count, float max, struct style style);

/* The whole canvas as text, a line a row, trailing blanks cut; malloc. For golden tests and :dump. */
char *canvas_dump(const struct canvas *canvas);
/* The same with a letter for each cell's foreground role (ROLES), '.' none, '*' true colour, ' ' an empty
 * cell; a cell that is reversed, or has a background, shows '#' or the background's letter instead. malloc.
 */
char *canvas_dump_styles(const struct canvas *canvas);

/* ---- dots: 2x4 to a cell in braille, 2x2 in blocks, 1x1 in ASCII ------------------------------------- */

/* The last, most important, writer owns a cell's colour: a dot with a higher priority recolours its cell. */
struct dots {
    int width, height; /* in dots: cells * dots_per_cell */
    int per_x, per_y;  /* dots per cell */
    int cells_x, cells_y;
    enum glyphs glyphs;
    uint8_t *bits; /* by cell */
    uint8_t *priority;
    colour *colours;
};
struct dots dots_create(int cells_x, int cells_y, enum glyphs glyphs);
void dots_destroy(struct dots *dots);
void dots_clear(struct dots *dots);
void dots_set(struct dots *dots, int x, int y, uint8_t priority, colour paint);
/* Clipped line; coordinates may be far outside. */
void dots_line(struct dots *dots, int64_t x0, int64_t y0, int64_t x1, int64_t y1, uint8_t priority,
               colour paint);
/* Writes cells that have dots; `ascii` characters by priority in ASCII mode ('.', '-', '#'…). */
void dots_draw(const struct dots *dots, struct canvas *canvas, int x, int y);

#endif
