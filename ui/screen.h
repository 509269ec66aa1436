/*
 * The screen: joins terminal, layout, panels, prompt and dialogs on the caller's loop. It asks for the view
 * before a frame, draws what changed, and turns keys and mouse into commands: a screen's command is offered
 * to the focused panel, then to the others in sight, then done here; any other goes to the host. Main thread.
 *
 *     screen = screen_create(&settings);
 *     term_fd readable        -> screen_read(screen, now)
 *     SIGWINCH                -> screen_resize(screen);   SIGCONT -> screen_resume(screen)
 *     SIGTSTP                 -> screen_run(screen, "suspend")
 *     before every wait       -> wait at most screen_draw(screen, now) microseconds
 *
 * There is never a loop inside: a dialog is a panel that has the keys until it is closed.
 */
#ifndef SMARTCITY_UI_SCREEN_H
#define SMARTCITY_UI_SCREEN_H

#include "ui/bindings.h"
#include "ui/panel.h"
#include "ui/prompt.h"
#include "ui/term.h"

struct screen;

/* What the screen asks of its owner. Pointers may be NULL but for view and execute. */
struct screen_host {
    void *context;
    /* Refreshed; what it points to stays until the next call. Not called while the picture is frozen. */
    const struct view *(*view)(void *context, int64_t now_us);
    /* Runs a line on the session. reply is empty; text or err is shown, json is freed by the screen. */
    void (*execute)(void *context, const char *line, struct command_reply *reply);
    void (*quit)(void *context);
    bool (*cancel)(void *context); /* Ctrl-C: stops what is running; false when nothing is */
    /* The newest first; returns how many. */
    size_t (*history)(void *context, char (*lines)[PROMPT_MAX], size_t count);
    void (*history_add)(void *context, const char *line);
    void (*remember)(void *context, const char *name, const char *value); /* "theme", "screen", "mouse" */
};

struct screen_settings {
    struct term *term; /* NULL: no terminal, for tests; then width, height, glyphs and depth count */
    int width, height;
    enum glyphs glyphs;
    enum depth depth;
    enum theme theme;
    struct screen_host host;
    struct commands commands; /* command_table() */
    struct session *session;  /* handed to the rows' complete(); NULL: no such words */
    const char *first;        /* the screen to begin with, "drive"; NULL: the first */
};

struct screen *screen_create(const struct screen_settings *settings);
void screen_destroy(struct screen *screen); /* not the terminal */

void screen_read(struct screen *screen, int64_t now_us); /* all that the terminal has sent */
void screen_feed(struct screen *screen, const struct input *input, int64_t now_us);
void screen_resize(struct screen *screen); /* to what the terminal says */
void screen_set_size(struct screen *screen, int width, int height);
void screen_resume(struct screen *screen);

/* Draws when something changed and a frame is due (30 a second at most). Returns after how many microseconds
 * it wants to be called again at the latest, as long as nothing happens. */
int64_t screen_draw(struct screen *screen, int64_t now_us);

/* As if typed at the prompt. */
void screen_run(struct screen *screen, const char *line);
void screen_toast(struct screen *screen, enum log_level level, const char *text);

/* The last frame. */
const struct canvas *screen_frame(const struct screen *screen);
/* Figures for the benchmark: frames drawn, cells sent, and the last frame's cost. */
struct screen_figures {
    uint64_t frames, cells, skipped;
    int64_t frame_us;
};
void screen_figures(const struct screen *screen, struct screen_figures *figures);

#endif
