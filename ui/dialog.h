/*
 * A dialog: help, or a question before something is done. It lies over the screen and has the keys until it
 * is closed; it is no loop of its own. Main thread.
 */
#ifndef SMARTCITY_UI_DIALOG_H
#define SMARTCITY_UI_DIALOG_H

#include "ui/bindings.h"
#include "ui/prompt.h"
#include "ui/table.h"

enum dialog_kind { DIALOG_NONE, DIALOG_HELP, DIALOG_CONFIRM };
#define DIALOG_FILTER 64

struct dialog {
    enum dialog_kind kind;
    /* help */
    const struct commands *commands;
    unsigned scopes;
    char panel_title[64], screen_title[32];
    char filter[DIALOG_FILTER];
    struct list list;
    size_t row_count;
    /* confirm */
    char question[160], detail[240];
    char line[512]; /* what is done when confirmed; "" quits */
    char name[128]; /* to be typed, or "" */
    struct prompt typed;
    int x, y, width, height; /* where it was drawn */
};

enum dialog_answer { DIALOG_STAYS, DIALOG_CLOSED, DIALOG_CONFIRMED };

void dialog_open_help(struct dialog *dialog, const struct commands *commands, unsigned scopes,
                      const char *screen_title, const char *panel_title);
/* `name`: must be typed to confirm; "" y is enough. */
void dialog_open_confirm(struct dialog *dialog, const char *question, const char *detail, const char *line,
                         const char *name);
void dialog_close(struct dialog *dialog);

/* A key that is the dialog's own (y, n, typing). False: not consumed, look it up with SCOPE_DIALOG. */
bool dialog_key(struct dialog *dialog, const struct key *key, enum dialog_answer *answer);
/* "select", "match"; true when consumed. */
bool dialog_command(struct dialog *dialog, const char *name, const char *argument);

/* Over the canvas; cursor in *cursor_x (-1 none). */
void dialog_draw(struct dialog *dialog, struct canvas *canvas, int *cursor_x, int *cursor_y);

#endif
