/* The screen's own commands (app/commands_ui.h), and the way of all others to the session. */
#include "ui/screen_private.h"

#include "base/file.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void remember(struct screen *screen, const char *name, const char *value)
{
    const struct screen_host *host = &screen->settings.host;
    if (host->remember != NULL)
        host->remember(host->context, name, value);
}

/* "on", "off" or "": the other one. */
static bool on_or_off(const char *argument, bool now)
{
    return strcmp(argument, "on") == 0 ? true : strcmp(argument, "off") == 0 ? false : !now;
}

/* ---- focus and screens ------------------------------------------------------------------------------- */

void commands_focus(struct screen *screen, size_t pane)
{
    screen->focus[screen->row] = pane;
    screen->arranged = false;
    /* It may need no full screen, or all of it. */
    screen_arrange(screen);
}

void commands_screen(struct screen *screen, size_t row)
{
    screen->row = row;
    screen->full = false;
    screen->arranged = false;
    screen->dragged = 0;
    remember(screen, "screen", screen->rows[row].name);
    if (screen->rows[row].shown != NULL && screen->view != NULL &&
        screen->view->cloud.state == VIEW_CLOUD_READY) {
        struct panel_host host = screen_panel_host(screen);
        host.send(host.context, screen->rows[row].shown);
    }
}

static void do_screen(struct screen *screen, const char *argument)
{
    for (size_t i = 0; i < screen->row_count; i++) {
        const struct screen_row *row = &screen->rows[i];
        bool named = text_equal_fold(row->name, argument) || strcmp(row->key, argument) == 0;
        if (named && screen_row_built(row)) {
            commands_screen(screen, i);
            return;
        }
    }
    screen_toast(screen, LOG_WARNING, "no such screen; the tabs name them");
}

/* Round the panels that the screen shows when none fills it. */
static void do_panel_step(struct screen *screen, int step)
{
    bool full = screen->full;
    const char *name = screen_focused(screen) != NULL ? screen_focused(screen)->class->name : "";
    screen->full = false;
    struct layout all;
    const struct screen_row *row = &screen->rows[screen->row];
    if (!layout_compute(row, screen->area, NULL, &all) || all.count == 0)
        return;
    int count = (int)all.count, at = -1;
    for (int i = 0; i < count; i++)
        if (strcmp(all.slots[i].panel, name) == 0)
            at = i;
    if (at < 0)
        at = step > 0 ? -1 : 0;
    for (int tried = 0; tried < count; tried++) {
        size_t index;
        at = (at + step + count) % count;
        const struct pane *pane = screen_pane(screen, all.slots[at].panel, &index);
        if (pane != NULL && (!all.slots[at].bare || pane->class->command != NULL)) {
            screen->full = full && strcmp(name, all.slots[at].panel) != 0;
            commands_focus(screen, index);
            return;
        }
    }
}

static void do_panel(struct screen *screen, const char *argument)
{
    size_t index;
    if (screen->row_count == 0)
        return;
    if (strcmp(argument, "next") == 0 || argument[0] == '\0') {
        do_panel_step(screen, 1);
    } else if (strcmp(argument, "previous") == 0) {
        do_panel_step(screen, -1);
    } else if (screen_pane(screen, argument, &index) != NULL) {
        /* On the screen that it belongs to. */
        for (size_t i = 0; i < screen->row_count; i++) {
            size_t row = (screen->row + i) % screen->row_count;
            struct layout all;
            layout_compute(&screen->rows[row], (struct rect){0, 0, 250, 80}, NULL, &all);
            for (size_t at = 0; at < all.count; at++)
                if (strcmp(all.slots[at].panel, argument) == 0) {
                    if (row != screen->row)
                        commands_screen(screen, row);
                    screen->full = false;
                    commands_focus(screen, index);
                    return;
                }
        }
    } else {
        screen_toast(screen, LOG_WARNING, "no such panel; Tab completes their names");
    }
}

static void do_fullscreen(struct screen *screen, const char *argument)
{
    screen->full = on_or_off(argument, screen->full);
    /* A panel that has no place beside the others gives the focus back. */
    if (!screen->full) {
        struct layout all;
        const struct pane *focused = screen_focused(screen);
        layout_compute(&screen->rows[screen->row], screen->area, NULL, &all);
        bool placed = false;
        for (size_t i = 0; i < all.count && focused != NULL; i++)
            placed = placed || strcmp(all.slots[i].panel, focused->class->name) == 0;
        if (!placed)
            screen->focus[screen->row] = SCREEN_PANES;
    }
    screen->arranged = false;
}

/* ---- one step back, and out -------------------------------------------------------------------------- */

static void do_back(struct screen *screen)
{
    char *filter = screen_filter(screen);
    if (filter != NULL && filter[0] != '\0') {
        filter[0] = '\0';
        screen_filter_changed(screen);
        return;
    }
    if (screen->dialog.kind != DIALOG_NONE)
        dialog_close(&screen->dialog);
    else if (screen->full)
        do_fullscreen(screen, "off");
}

static void do_quit(struct screen *screen)
{
    const struct screen_host *host = &screen->settings.host;
    if (screen->dialog.kind != DIALOG_NONE)
        dialog_close(&screen->dialog);
    else if (screen->full && !screen_too_small(screen))
        do_fullscreen(screen, "off");
    else if (host->quit != NULL)
        host->quit(host->context);
}

static void do_interrupt(struct screen *screen)
{
    const struct screen_host *host = &screen->settings.host;
    if (screen->dialog.kind != DIALOG_NONE) {
        dialog_close(&screen->dialog);
        return;
    }
    if (host->cancel != NULL && host->cancel(host->context))
        return;
    dialog_open_confirm(&screen->dialog, "Quit smartcity?",
                        "The recording is closed in order; nothing is lost.", "", "");
}

/* ---- the rest ---------------------------------------------------------------------------------------- */

static void open_filter(struct screen *screen, const char *argument)
{
    char *filter = screen_filter(screen), label[64];
    const struct pane *focused = screen_focused(screen);
    if (filter == NULL)
        return;
    if (argument[0] != '\0') {
        text_copy(filter, screen->dialog.kind == DIALOG_HELP ? DIALOG_FILTER : SCREEN_FILTER, argument);
        screen_filter_changed(screen);
        return;
    }
    text_copy(screen->filter_before, sizeof screen->filter_before, filter);
    snprintf(label, sizeof label, "filter %.14s /",
             screen->dialog.kind == DIALOG_HELP ? "help" : focused->class->name);
    screen->prompt_use = PROMPT_FOR_FILTER;
    prompt_open(&screen->prompt, label, filter, NULL, 0);
}

static void do_filter(struct screen *screen, const char *argument)
{
    open_filter(screen, argument);
}

static void do_prompt(struct screen *screen, const char *argument)
{
    const struct screen_host *host = &screen->settings.host;
    size_t count = host->history != NULL ? host->history(host->context, screen->history, PROMPT_HISTORY) : 0;
    screen->prompt_use = PROMPT_FOR_COMMAND;
    prompt_open(&screen->prompt, ":", argument, (const char(*)[PROMPT_MAX])screen->history, count);
}

static void do_help(struct screen *screen, const char *argument)
{
    const struct pane *focused = screen_focused(screen);
    dialog_open_help(&screen->dialog, &screen->commands, screen_scopes(screen),
                     screen->row_count > 0 ? screen->rows[screen->row].title : "",
                     focused != NULL ? focused->class->title : "");
    text_copy(screen->dialog.filter, sizeof screen->dialog.filter, argument);
}

static void do_cycle(struct screen *screen, const char *argument)
{
    char what[16], line[96];
    const char *way = binding_split(argument, what, sizeof what);
    bool back = strcmp(way, "previous") == 0;
    const struct city_snapshot *city = screen->view->city;
    if (strcmp(what, "vehicle") == 0 || strcmp(what, "camera") == 0) {
        snprintf(line, sizeof line, "%s %s", strcmp(what, "vehicle") == 0 ? "follow" : "camera",
                 back ? "previous" : "next");
        commands_execute(screen, line);
    } else if (city->incidents_open > 0) {
        screen->incident = (screen->incident + (back ? city->incidents_open - 1 : 1)) % city->incidents_open;
        double latitude, longitude;
        geo_unproject(city->incidents[screen->incident].at, &latitude, &longitude);
        snprintf(line, sizeof line, "goto %.5f %.5f", latitude, longitude);
        screen_run(screen, line);
    } else {
        screen_toast(screen, LOG_INFO, "no emergency is open");
    }
}

static void do_copy(struct screen *screen, const char *argument)
{
    struct panel_host host = screen_panel_host(screen);
    const struct pane *focused = screen_focused(screen);
    const struct layout_slot *slot = focused != NULL ? screen_slot(screen, focused) : NULL;
    if (argument[0] != '\0') {
        host.copy(host.context, argument);
    } else if (slot != NULL) {
        /* A panel that has nothing selected: all that it shows. */
        struct rect inside = screen_inside(slot);
        struct canvas part = canvas_sub(&screen->base, inside.x, inside.y, inside.width, inside.height);
        char *text = canvas_dump(&part);
        host.copy(host.context, text);
        free(text);
    }
}

static void do_freeze(struct screen *screen, const char *argument)
{
    screen->frozen = on_or_off(argument, screen->frozen);
    screen_toast(screen, LOG_INFO,
                 screen->frozen ? "the picture is frozen; data goes on, P thaws"
                                : "the picture is live again");
}

static void do_mouse(struct screen *screen, const char *argument)
{
    if (screen->term == NULL)
        return;
    bool on = on_or_off(argument, term_mouse(screen->term));
    term_set_mouse(screen->term, on);
    remember(screen, "mouse", on ? "on" : "off");
    screen_toast(screen, LOG_INFO,
                 on ? "the mouse works here; M gives text selection back"
                    : "the mouse is the terminal's: select text; M takes it again");
}

static void do_theme(struct screen *screen, const char *argument)
{
    enum theme theme = screen->term != NULL ? term_theme(screen->term) : screen->settings.theme;
    int named = argument[0] != '\0' ? theme_from_name(argument) : (int)(theme + 1) % THEME_COUNT;
    char text[64];
    if (named < 0) {
        screen_toast(screen, LOG_WARNING, "themes: default, contrast, colourblind, mono");
        return;
    }
    screen->settings.theme = (enum theme)named;
    if (screen->term != NULL)
        term_set_theme(screen->term, (enum theme)named);
    remember(screen, "theme", theme_name((enum theme)named));
    snprintf(text, sizeof text, "theme: %s", theme_name((enum theme)named));
    screen_toast(screen, LOG_INFO, text);
}

static void do_redraw(struct screen *screen, const char *argument)
{
    (void)argument;
    screen->arranged = false;
    if (screen->term != NULL)
        term_redraw(screen->term);
}

static void do_suspend(struct screen *screen, const char *argument)
{
    (void)argument;
    if (screen->term == NULL)
        return;
    term_suspend(screen->term);
    screen_resize(screen);
}

static void do_dump(struct screen *screen, const char *argument)
{
    struct err err = ERR_INIT;
    char said[200];
    if (argument[0] == '\0') {
        screen_toast(screen, LOG_WARNING, "dump where? dump FILE");
        return;
    }
    char *text = canvas_dump(&screen->frame);
    if (file_write_atomic(argument, text, strlen(text), 0600, &err) != 0) {
        screen_toast(screen, LOG_ERROR, err.text);
    } else {
        snprintf(said, sizeof said, "the screen is in %.150s", argument);
        screen_toast(screen, LOG_DONE, said);
    }
    free(text);
}

static const struct {
    const char *name;
    void (*run)(struct screen *screen, const char *argument);
} own_commands[] = {
    {"help", do_help},     {"prompt", do_prompt},         {"filter", do_filter}, {"panel", do_panel},
    {"screen", do_screen}, {"fullscreen", do_fullscreen}, {"cycle", do_cycle},   {"copy", do_copy},
    {"freeze", do_freeze}, {"mouse", do_mouse},           {"theme", do_theme},   {"redraw", do_redraw},
    {"dump", do_dump},     {"suspend", do_suspend},
};

/* Commands of the screen as a whole, which no panel may take. */
static bool is_screens(const char *name)
{
    static const char *const names[] = {"help",  "prompt", "panel",  "screen",  "fullscreen", "freeze",
                                        "mouse", "theme",  "redraw", "suspend", "interrupt",  "quit"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The focused panel, then the others: those in sight first, so that what is taken is what is seen. */
static bool offer(struct screen *screen, const char *name, const char *argument)
{
    struct panel_host host = screen_panel_host(screen);
    struct pane *focused = screen_focused(screen);
    bool selecting = strcmp(name, "select") == 0 || strcmp(name, "match") == 0 || strcmp(name, "back") == 0 ||
                     strcmp(name, "open") == 0 || strcmp(name, "copy") == 0 || strcmp(name, "sort") == 0;
    if (focused != NULL && focused->class->command != NULL &&
        focused->class->command(focused->state, screen->view, name, argument, &host)) {
        focused->drawn = 0;
        return true;
    }
    if (selecting || screen->row_count == 0)
        return false;
    struct layout all;
    layout_compute(&screen->rows[screen->row], screen->area, NULL, &all);
    for (size_t i = 0; i < all.count; i++) {
        struct pane *pane = screen_pane(screen, all.slots[i].panel, NULL);
        if (pane != NULL && pane != focused && pane->class->command != NULL &&
            pane->class->command(pane->state, screen->view, name, argument, &host)) {
            pane->drawn = 0;
            return true;
        }
    }
    return false;
}

void commands_ui_run(struct screen *screen, const struct command *command, const char *argument)
{
    const char *name = command->name;
    if (screen->dialog.kind != DIALOG_NONE && dialog_command(&screen->dialog, name, argument))
        return;
    if (strcmp(name, "quit") == 0) {
        do_quit(screen);
        return;
    }
    if (strcmp(name, "interrupt") == 0) {
        do_interrupt(screen);
        return;
    }
    bool behind = screen->dialog.kind != DIALOG_NONE;
    if (!behind && !is_screens(name) && strcmp(name, "filter") != 0 && offer(screen, name, argument))
        return;
    if (strcmp(name, "back") == 0) {
        do_back(screen);
        return;
    }
    for (size_t i = 0; i < sizeof own_commands / sizeof own_commands[0]; i++)
        if (strcmp(own_commands[i].name, name) == 0) {
            own_commands[i].run(screen, argument);
            return;
        }
}

/* ---- the session's ----------------------------------------------------------------------------------- */

void commands_execute(struct screen *screen, const char *line)
{
    const struct screen_host *host = &screen->settings.host;
    struct command_reply reply = {.err = ERR_INIT};
    host->execute(host->context, line, &reply);
    if (reply.err.kind != ERR_NONE)
        screen_toast(screen, reply.err.kind == ERR_USAGE ? LOG_WARNING : LOG_ERROR, reply.err.text);
    else if (reply.text[0] != '\0')
        screen_toast(screen, LOG_DONE, reply.text);
    free(reply.json);
    screen->changed = true;
}

static void ask_first(struct screen *screen, const struct command *command, const char *line,
                      const char *arguments)
{
    char question[160], name[128] = "", detail[240];
    const struct view_cloud *cloud = &screen->view->cloud;
    snprintf(question, sizeof question, "%s%s%.80s?", command->name, arguments[0] != '\0' ? " " : "",
             arguments);
    if ((command->flags & COMMAND_CONFIRM_NAME) != 0) {
        const char *last = arguments;
        size_t length = strlen(last);
        if (length >= 2 && last[0] == '"' && last[length - 1] == '"') {
            last++;
            length -= 2;
        }
        snprintf(name, sizeof name, "%.*s", (int)length, last);
    }
    if (command->price != NULL && cloud->billable)
        snprintf(detail, sizeof detail, "AWS account %s, bucket %s: %s", cloud->account, cloud->bucket,
                 command->price);
    else
        text_copy(detail, sizeof detail, command->summary);
    dialog_open_confirm(&screen->dialog, question, detail, line, name);
}

void screen_run(struct screen *screen, const char *line)
{
    char word[64];
    const char *arguments = binding_split(line, word, sizeof word);
    const struct command *command = binding_command(&screen->commands, word);
    screen->changed = true;
    if (screen->view == NULL)
        screen->view = screen->settings.host.view(screen->settings.host.context, screen->now_us);
    if (command != NULL && (command->flags & COMMAND_UI) != 0) {
        char clean[SCREEN_LINE];
        text_copy(clean, sizeof clean, arguments);
        for (size_t length = strlen(clean); length > 0 && clean[length - 1] == ' ';)
            clean[--length] = '\0';
        /* "Milton Keynes": quotes group for the session's parser; here the rest of the line is one argument.
         */
        size_t length = strlen(clean);
        if (length >= 2 && clean[0] == '"' && clean[length - 1] == '"') {
            clean[length - 1] = '\0';
            commands_ui_run(screen, command, clean + 1);
        } else {
            commands_ui_run(screen, command, clean);
        }
    } else if (command != NULL && command->price != NULL && screen->view->cloud.billable) {
        ask_first(screen, command, line, arguments);
    } else if (command != NULL && (command->flags & (COMMAND_CONFIRM | COMMAND_CONFIRM_NAME)) != 0 &&
               (arguments[0] != '\0' || (command->flags & COMMAND_CONFIRM_NAME) == 0)) {
        ask_first(screen, command, line, arguments);
    } else {
        commands_execute(screen, line);
    }
}
