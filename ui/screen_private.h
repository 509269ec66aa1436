/* The parts of the screen: screen.c (frames), screen_bars.c (top line, tabs, status, key bar), screen_input.c
 * (keys and mouse to commands), screen_commands.c (the screen's own commands), dialog.c. Not for panels. */
#ifndef SMARTCITY_UI_SCREEN_PRIVATE_H
#define SMARTCITY_UI_SCREEN_PRIVATE_H

#include "ui/dialog.h"
#include "ui/layout.h"
#include "ui/screen.h"

#define SCREEN_FRAME_US 33333
#define SCREEN_IDLE_US  250000
#define SCREEN_PANES    32
#define SCREEN_ROWS     12
#define SCREEN_HITS     64
#define SCREEN_FILTER   96
#define SCREEN_LINE     512

/* A panel that lives as long as the screen, shown or not. */
struct pane {
    const struct panel_class *class;
    void *state;
    char filter[SCREEN_FILTER];
    uint64_t drawn; /* what its last drawing depended on */
};

/* A place that runs a line when clicked. */
struct hit {
    struct rect rect;
    char line[64];
};

enum prompt_use { PROMPT_FOR_COMMAND, PROMPT_FOR_FILTER };

struct screen {
    struct screen_settings settings;
    struct commands commands;
    struct term *term;
    int width, height;
    enum glyphs glyphs;
    enum depth depth;

    size_t pane_count;
    struct pane panes[SCREEN_PANES];
    const struct screen_row *rows;
    size_t row_count, row;
    size_t focus[SCREEN_ROWS]; /* pane, by screen */
    bool full;

    struct layout layout;
    struct rect area;    /* of the panels */
    bool arranged;       /* layout is that of the size, screen and focus */
    struct canvas base;  /* panels, as last drawn */
    struct canvas frame; /* base with bars and dialogs: what is shown */
    bool changed;        /* something of the screen's own differs from what is shown */
    int cursor_x, cursor_y;

    const struct view *view;
    bool frozen, gone;
    int64_t now_us, drawn_us, idle_us;
    struct screen_figures figures;

    struct prompt prompt;
    enum prompt_use prompt_use;
    char filter_before[SCREEN_FILTER];
    char history[PROMPT_HISTORY][PROMPT_MAX];
    struct dialog dialog;

    enum log_level toast_level;
    int64_t toast_until_us;
    char toast[400];

    size_t hit_count;
    struct hit hits[SCREEN_HITS];
    size_t dragged;  /* pane + 1 that a press began in; 0 none */
    size_t incident; /* the last one gone to */
    char title[96];
};

/* screen.c */
struct pane *screen_focused(struct screen *screen); /* NULL when the screen has no panel */
struct pane *screen_pane(struct screen *screen, const char *name, size_t *index);
const struct layout_slot *screen_slot(const struct screen *screen, const struct pane *pane);
bool screen_too_small(const struct screen *screen);
bool screen_row_built(const struct screen_row *row);
void screen_arrange(struct screen *screen); /* layout and focus are up to date after it */
bool screen_typing(struct screen *screen);  /* the focused panel has the keyboard */
unsigned screen_scopes(struct screen *screen);
struct panel_host screen_panel_host(struct screen *screen);
struct rect screen_inside(const struct layout_slot *slot); /* of the frame */
char *screen_filter(struct screen *screen); /* the text `/` edits now; NULL when nothing takes one */

/* Tells the panel with the focus: a filter that the session applies goes there as a command. */
void screen_filter_changed(struct screen *screen);

/* screen_bars.c */
void bars_draw(struct screen *screen, struct canvas *canvas);
int bars_top(const struct screen *screen); /* rows */
int bars_bottom(const struct screen *screen);
void bars_hit(struct screen *screen, int x, int y, int width, const char *line);

/* screen_commands.c */
/* A screen's command: to the panels, else done here. */
void commands_ui_run(struct screen *screen, const struct command *command, const char *argument);
void commands_execute(struct screen *screen, const char *line); /* on the session, confirmed */
void commands_screen(struct screen *screen, size_t row);
void commands_focus(struct screen *screen, size_t pane);

#endif
