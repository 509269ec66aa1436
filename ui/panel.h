/*
 * A panel: one file, one const class, one line in ui/panels.c. It draws the view on a canvas and acts by
 * commands. It keeps only how it is looked at (scroll, selection, zoom), never data or history, and never
 * blocks.
 */
#ifndef SMARTCITY_UI_PANEL_H
#define SMARTCITY_UI_PANEL_H

#include "app/command.h"
#include "app/view.h"
#include "ui/canvas.h"
#include "ui/keys.h"

struct panel_context {
    bool focused, full_screen;
    int64_t now_us;     /* monotonic, of this frame */
    bool images_rgb;    /* the terminal has enough colours for pictures */
    const char *filter; /* the `/` text of this panel, or "" */
};

/* A UI command, or a mouse event, offered to a panel. `send` gives the session a command line as if typed. */
struct panel_host {
    void (*send)(void *context, const char *line);
    void (*toast)(void *context, enum log_level level, const char *text);
    void (*copy)(void *context, const char *text); /* OSC 52 */
    void *context;
};

enum panel_mouse { MOUSE_CLICK, MOUSE_DOUBLE, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN, MOUSE_DRAG };

struct panel_class {
    const char *name; /* "map": for :focus and layouts */
    const char *title;
    unsigned scopes;   /* SCOPE_MAP, SCOPE_LIST: keys that work with this focus */
    size_t state_size; /* zeroed at birth */
    /* The scopes of this moment, where they change with the state; NULL: `scopes`. */
    unsigned (*scopes_now)(const void *state);
    void (*create)(void *state);
    void (*destroy)(void *state);
    /* A number that changes when the drawing would. */
    uint64_t (*generation)(const void *state, const struct view *view);
    /* Inside of the frame. */
    void (*draw)(void *state, const struct view *view, struct canvas *canvas,
                 const struct panel_context *context);
    /* Right end of the frame's top edge; may be NULL. */
    void (*note)(const void *state, const struct view *view, char *text, size_t size);
    /* Title when it is not fixed; may be NULL. */
    void (*heading)(const void *state, const struct view *view, char *text, size_t size);
    /* True when consumed. name is a UI command's ("zoom", "pan", "open", "back", "next", "select" …). */
    bool (*command)(void *state, const struct view *view, const char *name, const char *argument,
                    const struct panel_host *host);
    /* x, y inside the frame. */
    bool (*mouse)(void *state, const struct view *view, enum panel_mouse what, int x, int y,
                  const struct panel_host *host);
    /* For a panel that is typed into; all NULL for others. While `typing` says so and it has the focus, keys
     * come here first (true: taken), pastes too, and scopes_now() alone tells which other keys count. */
    bool (*typing)(const void *state);
    bool (*key)(void *state, const struct view *view, const struct key *key, const struct panel_host *host);
    bool (*paste)(void *state, const char *text);
    bool (*cursor)(const void *state, int *x, int *y); /* inside the frame; false: none */
};

/* The registration list. */
size_t panel_classes(const struct panel_class *const **classes);
const struct panel_class *panel_find(const char *name);

#endif
