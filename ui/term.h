/*
 * The terminal: the only file that knows curses. It shows a canvas (cells that differ from what is on the
 * screen, and nothing else), reads keys, mouse and pastes, and gives the terminal back at the end, also after
 * a crash. Main thread; one at a time. Signals come from the caller's loop: call term_resize, term_suspend
 * and term_resume.
 */
#ifndef SMARTCITY_UI_TERM_H
#define SMARTCITY_UI_TERM_H

#include "base/err.h"
#include "ui/keys.h"
#include "ui/theme.h"

struct term;

enum term_choice { TERM_AUTO, TERM_ALWAYS, TERM_NEVER };
struct term_settings {
    enum term_choice colour; /* --color */
    int glyphs;              /* enum glyphs, or -1: probed */
    bool mouse;
    enum theme theme;
};

/* setlocale must have been called. Fails (ERR_UNSUPPORTED, naming what works without a screen) when there is
 * no terminal or it cannot move its cursor. */
struct term *term_create(const struct term_settings *settings, struct err *err);
void term_destroy(struct term *term); /* gives the terminal back; NULL allowed */

int term_fd(const struct term *term); /* readable: call term_read until false */
void term_size(const struct term *term, int *width, int *height);
enum glyphs term_glyphs(const struct term *term);
enum depth term_depth(const struct term *term);
/* The next input; false when there is none. What the terminal answers and unknown sequences are swallowed. */
bool term_read(struct term *term, struct input *input);

/* Shows the canvas, of term_size; cursor at (x, y), hidden when x < 0. Returns the number of cells that were
 * sent. */
size_t term_show(struct term *term, const struct canvas *canvas, int cursor_x, int cursor_y);
/* So much is still on its way to the terminal that drawing would only queue up: draw later. */
bool term_busy(const struct term *term);
void term_redraw(struct term *term); /* forget what is there: the next show sends everything */

void term_resize(struct term *term); /* after SIGWINCH; asks the terminal's size */
void term_suspend(
    struct term *term); /* gives the terminal back, stops the process group, and takes it again */
void term_resume(struct term *term); /* after SIGCONT: whoever had the terminal may have changed it */

void term_set_theme(struct term *term, enum theme theme);
enum theme term_theme(const struct term *term);
void term_set_mouse(struct term *term, bool on);
bool term_mouse(const struct term *term);
void term_set_title(struct term *term, const char *title);
void term_bell(struct term *term);

#define TERM_COPY_MAX 65536
/* To the terminal's clipboard by OSC 52, which not every terminal allows; ERR_LIMIT when the text is longer.
 */
int term_copy(struct term *term, const char *text, struct err *err);

/* For `smartcity doctor`: what would be used here and why, one line each. */
void term_describe(char *text, size_t size);

#endif
