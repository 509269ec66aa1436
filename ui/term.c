/*
 * Curses as a device. The screen hands over whole frames; what is already shown is kept here as cells, so
 * only differences reach curses, which sends only what it must of them. Colour pairs are made when first
 * needed and, as their number is bounded, the one not used for longest is made into a new one: a frame stamps
 * the pairs it uses.
 *
 * Keys that curses knows by the terminal's description come as codes; any other escape sequence is read to
 * its end and either understood (paste, an answer of the terminal) or dropped whole, so that the rest of a
 * sequence never acts as keys.
 */
#include "ui/term.h"

#include "base/clock.h"
#include "base/text.h"
#include "ui/decode.h"
#include "ui/glyphs.h"
#include "ui/pairs.h"
#include "ui/term_guard.h"
#include "ui/term_info.h"
#include "ui/term_keys.h"
#include "ui/term_probe.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MOUSE_ON      "\033[?1002h\033[?1006h"
#define MOUSE_OFF     "\033[?1002l\033[?1006l\033[?1000l"
#define PASTE_ON      "\033[?2004h"
#define PASTE_OFF     "\033[?2004l"
#define SYNC_ON       "\033[?2026h"
#define SYNC_OFF      "\033[?2026l"
#define TITLE_SAVE    "\033[22;2t"
#define TITLE_RESTORE "\033[23;2t"

struct shown {
    struct cell cell;
    int pair;
};

struct term {
    SCREEN *curses;
    int in, out;
    struct termios modes; /* before us */
    enum glyphs glyphs;
    enum depth depth;
    enum theme theme;
    bool modern; /* speaks xterm's private modes */
    bool sync;   /* said that it knows synchronised output */
    bool light;  /* its background, by what it said or $COLORFGBG */
    bool mouse, gone;
    bool left; /* the screen was given back by us */
    bool away; /* in the background: the terminal is another\'s until it is given back */
    bool all;  /* nothing shown is known */
    int width, height, cursor_x, cursor_y;
    struct shown *shown;
    struct pairs pairs;
    struct decode decode;
    char title[96];
};

static void send_bytes(const struct term *term, const char *bytes)
{
    size_t length = strlen(bytes);
    while (length > 0) {
        ssize_t count = write(term->out, bytes, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return; /* the terminal is gone: term_read will tell */
        bytes += count;
        length -= (size_t)count;
    }
}

static void append(char *bytes, size_t *length, const char *more)
{
    size_t count = strlen(more);
    if (*length + count + 1 < TERM_GUARD_BYTES) {
        memcpy(bytes + *length, more, count);
        *length += count;
    }
}

/* What gives the screen back; returns its length. */
static size_t restoring(const struct term *term, char bytes[TERM_GUARD_BYTES])
{
    size_t length = 0;
    if (term->modern)
        append(bytes, &length, SYNC_OFF MOUSE_OFF PASTE_OFF TITLE_RESTORE);
    append(bytes, &length, term_info_text("sgr0"));
    append(bytes, &length, term_info_text("op"));
    append(bytes, &length, term_info_text("rmkx"));
    append(bytes, &length, term_info_text("cnorm"));
    append(bytes, &length, term_info_text("rmcup"));
    append(bytes, &length, "\r\n");
    bytes[length] = '\0';
    return length;
}

static void arm(const struct term *term)
{
    char bytes[TERM_GUARD_BYTES];
    size_t length = restoring(term, bytes);
    term_guard_arm(term->out, &term->modes, bytes, length);
}

static void take_modes(struct term *term)
{
    if (!term->modern)
        return;
    send_bytes(term, PASTE_ON TITLE_SAVE);
    if (term->title[0] != '\0')
        term_set_title(term, term->title);
    if (term->mouse)
        send_bytes(term, MOUSE_ON);
}

static void leave_modes(const struct term *term)
{
    if (term->modern)
        send_bytes(term, MOUSE_OFF PASTE_OFF TITLE_RESTORE);
}

static void set_size(struct term *term)
{
    getmaxyx(stdscr, term->height, term->width);
    free(term->shown);
    term->shown = mem_zero((size_t)term->width * (size_t)term->height + 1, sizeof *term->shown);
    term->all = true;
}

/* The description to use of what $TERM names; NULL and err when there is none that serves a screen. */
static const char *choose_description(bool colours, struct err *err)
{
    static const char cure[] = "run `smartcity run --headless` for a run without a screen";
    const char *name = getenv("TERM");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        err_set(err, ERR_UNSUPPORTED, "no terminal on %s: the console needs one; %s",
                isatty(STDIN_FILENO) ? "standard output" : "standard input", cure);
        return NULL;
    }
    if (name == NULL || name[0] == '\0' || strcmp(name, "dumb") == 0 || strcmp(name, "unknown") == 0) {
        err_set(err, ERR_UNSUPPORTED, "TERM is %s: the console cannot draw there; %s",
                name != NULL && name[0] != '\0' ? name : "not set", cure);
        return NULL;
    }
    const char *direct = colours ? term_probe_direct(name, getenv("COLORTERM")) : NULL;
    if (direct != NULL && term_info_load(direct) && term_info_flag("RGB"))
        return direct;
    if (!term_info_load(name)) {
        char shown[64];
        text_sanitise(shown, sizeof shown, name, strlen(name));
        err_set(err, ERR_UNSUPPORTED,
                "the terminal '%s' (TERM) is not known here: install ncurses-term, or set TERM=xterm; %s",
                shown, cure);
        return NULL;
    }
    if (term_info_text("cup")[0] == '\0') {
        err_set(err, ERR_UNSUPPORTED, "the terminal '%s' cannot move its cursor; %s", name, cure);
        return NULL;
    }
    return name;
}

static enum depth choose_depth(enum term_choice choice)
{
    const char *why;
    if (choice == TERM_NEVER)
        return DEPTH_MONO;
    return term_probe_depth(term_info_number("colors"), term_info_flag("RGB"),
                            choice == TERM_AUTO ? getenv("NO_COLOR") : NULL, &why);
}

static void start_colours(struct term *term)
{
    if (term->depth == DEPTH_MONO)
        return;
    if (!has_colors() || start_color() != OK) {
        term->depth = DEPTH_MONO;
        return;
    }
    use_default_colors();
    if (COLOR_PAIRS < 9)
        term->depth = DEPTH_MONO;
    pairs_init(&term->pairs, COLOR_PAIRS - 1);
}

struct term *term_create(const struct term_settings *settings, struct err *err)
{
    const char *name = choose_description(settings->colour != TERM_NEVER, err);
    if (name == NULL)
        return NULL;
    struct term *term = mem_zero(1, sizeof *term);
    term->in = STDIN_FILENO;
    term->out = STDOUT_FILENO;
    term->theme = settings->theme;
    tcgetattr(term->out, &term->modes);
    term->depth = choose_depth(settings->colour);
    term->modern = term_probe_modern(name);
    term->glyphs = settings->glyphs >= 0 ? (enum glyphs)settings->glyphs
                                         : term_probe_glyphs(nl_langinfo(CODESET), name, term->out, NULL);
    term_info_free();
    term->curses = newterm(name, stdout, stdin);
    if (term->curses == NULL) {
        err_set(err, ERR_UNSUPPORTED, "the terminal could not be set up; run `smartcity run --headless`");
        free(term);
        return NULL;
    }
    arm(term);
    /* Signals are the loop's: curses must not act on them in a handler of its own. */
    signal(SIGTSTP, SIG_DFL);
    signal(SIGWINCH, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGTTOU, SIG_IGN); /* to be stopped while giving the terminal back would help nobody */
    set_escdelay(25);
    raw();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    typeahead(-1);
    start_colours(term);
    set_size(term);
    term->cursor_x = -1;
    curs_set(0);
    /* Mouse sequences are read by ui/decode.c, in the one form (SGR) that has no limits. */
    define_key("\033[<", 0);
    define_key("\033[M", 0);
    term->mouse = settings->mouse;
    take_modes(term);
    term->light = term_probe_light(getenv("COLORFGBG"));
    /* Its background, and whether it knows synchronised output (DECRQM): the answers come as input. */
    if (term_probe_answers(name, getenv("TERM_PROGRAM")))
        send_bytes(term, "\033]11;?\007\033[?2026$p");
    return term;
}

void term_destroy(struct term *term)
{
    if (term == NULL)
        return;
    if (!term->away) {
        leave_modes(term);
        curs_set(1);
        endwin();
        tcsetattr(term->out, TCSAFLUSH, &term->modes); /* a late answer is not for the shell */
    } else if (!term->left) {
        /* Stopped from outside and continued in the background: the modes are the shell's, the screen is
         * still ours. */
        char bytes[TERM_GUARD_BYTES];
        restoring(term, bytes);
        send_bytes(term, bytes);
    }
    term_guard_disarm();
    delscreen(term->curses);
    free(term->shown);
    free(term);
}

int term_fd(const struct term *term)
{
    return term->in;
}

void term_size(const struct term *term, int *width, int *height)
{
    *width = term->width;
    *height = term->height;
}

enum glyphs term_glyphs(const struct term *term)
{
    return term->glyphs;
}

enum depth term_depth(const struct term *term)
{
    return term->depth;
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

static void put_cell(struct term *term, int x, int y, const struct cell *cell, struct shown *shown)
{
    struct paint paint = theme_resolve(term->theme, term->depth, term->light, cell->style);
    attr_t attributes = 0;
    if ((paint.attributes & ATTR_BOLD) != 0)
        attributes |= A_BOLD;
    if ((paint.attributes & ATTR_REVERSE) != 0)
        attributes |= A_REVERSE;
    if ((paint.attributes & ATTR_UNDERLINE) != 0)
        attributes |= A_UNDERLINE;
    if ((paint.attributes & ATTR_DIM) != 0)
        attributes |= A_DIM;
    shown->cell = *cell;
    bool fresh;
    shown->pair = pairs_find(&term->pairs, paint.fg, paint.bg, &fresh);
    if (fresh)
        init_extended_pair(shown->pair, paint.fg, paint.bg);
    if (cell->rune == 0)
        return; /* the wide rune to its left covers it */
    wchar_t text[3] = {(wchar_t)cell->rune, (wchar_t)cell->mark, 0};
    cchar_t out;
    if (setcchar(&out, text, attributes, 0, &shown->pair) == OK)
        mvadd_wch(y, x, &out);
}

static bool same_cell(const struct cell *a, const struct cell *b)
{
    return a->rune == b->rune && a->mark == b->mark && a->style.fg == b->style.fg &&
           a->style.bg == b->style.bg && a->style.attributes == b->style.attributes;
}

/* `bg`, or continued by another: what we write would land in the middle of a shell's. */
static bool in_background(const struct term *term)
{
    pid_t group = tcgetpgrp(term->in);
    return group >= 0 && group != getpgrp();
}

size_t term_show(struct term *term, const struct canvas *canvas, int cursor_x, int cursor_y)
{
    if (term->away && in_background(term))
        return 0;
    if (term->away)
        term_resume(term);
    size_t changed = 0;
    pairs_begin(&term->pairs);
    for (int y = 0; y < term->height && y < canvas->height; y++)
        for (int x = 0; x < term->width && x < canvas->width; x++) {
            const struct cell *cell = canvas_at(canvas, x, y);
            struct shown *shown = &term->shown[(size_t)y * (size_t)term->width + (size_t)x];
            if (!term->all && same_cell(cell, &shown->cell)) {
                pairs_keep(&term->pairs, shown->pair);
                continue;
            }
            /* A wide rune that lost a half must be sent with what took its place. */
            put_cell(term, x, y, cell, shown);
            changed++;
        }
    bool moved = cursor_x != term->cursor_x || (cursor_x >= 0 && cursor_y != term->cursor_y);
    if (changed == 0 && !moved && !term->all)
        return 0;
    if (moved)
        curs_set(cursor_x >= 0 ? 1 : 0);
    term->cursor_x = cursor_x;
    term->cursor_y = cursor_y;
    if (cursor_x >= 0)
        move(cursor_y, cursor_x);
    if (term->all)
        clearok(stdscr, TRUE);
    term->all = false;
    bool sync = term->sync && changed > 1;
    if (sync)
        send_bytes(term, SYNC_ON);
    wnoutrefresh(stdscr);
    doupdate();
    if (sync)
        send_bytes(term, SYNC_OFF);
    return changed;
}

bool term_busy(const struct term *term)
{
    int queued = 0;
    return ioctl(term->out, TIOCOUTQ, &queued) == 0 && queued > 8192;
}

void term_redraw(struct term *term)
{
    term->all = true;
}

void term_resize(struct term *term)
{
    struct winsize size;
    if (ioctl(term->out, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        return;
    if (size.ws_row == term->height && size.ws_col == term->width)
        return;
    resizeterm(size.ws_row, size.ws_col);
    set_size(term);
}

void term_suspend(struct term *term)
{
    leave_modes(term);
    curs_set(1);
    endwin();
    term->left = true;
    term_guard_disarm();
    /* By SIGTSTP, which the system withholds where no shell could ever continue us; to the group, so that a
     * parent such as make stops too. It is blocked for the loop, so it is let through here only. */
    sigset_t stop, before;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &stop, &before);
    kill(0, SIGTSTP);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    term_resume(term);
}

void term_resume(struct term *term)
{
    term->away = in_background(term);
    if (term->away) {
        term_guard_disarm();
        return;
    }
    term->left = false;
    arm(term);
    reset_prog_mode();
    curs_set(term->cursor_x >= 0 ? 1 : 0);
    take_modes(term);
    term_resize(term);
    term->all = true; /* the next show takes the screen again and draws all of it */
}

/* ---- settings ---------------------------------------------------------------------------------------- */

void term_set_theme(struct term *term, enum theme theme)
{
    term->theme = theme;
    term->all = true;
}

enum theme term_theme(const struct term *term)
{
    return term->theme;
}

void term_set_mouse(struct term *term, bool on)
{
    term->mouse = on;
    if (term->modern)
        send_bytes(term, on ? MOUSE_ON : MOUSE_OFF);
}

bool term_mouse(const struct term *term)
{
    return term->mouse;
}

void term_set_title(struct term *term, const char *title)
{
    char clean[sizeof term->title], bytes[sizeof term->title + 16];
    text_sanitise(clean, sizeof clean, title, strlen(title));
    text_copy(term->title, sizeof term->title, clean);
    if (!term->modern)
        return;
    snprintf(bytes, sizeof bytes, "\033]2;%s\007", clean);
    send_bytes(term, bytes);
}

void term_bell(struct term *term)
{
    send_bytes(term, "\007");
}

int term_copy(struct term *term, const char *text, struct err *err)
{
    size_t length = strlen(text);
    if (length > TERM_COPY_MAX)
        return err_set(err, ERR_LIMIT, "%zu bytes are too many to copy by the terminal (limit %d)", length,
                       TERM_COPY_MAX);
    if (!term->modern)
        return err_set(err, ERR_UNSUPPORTED,
                       "this terminal has no clipboard that a program may fill (OSC 52)");
    size_t size = text_base64_size(length);
    char *bytes = mem_alloc(size + 1);
    text_base64_encode(bytes, text, length);
    bytes[size] = '\0';
    send_bytes(term, "\033]52;c;");
    send_bytes(term, bytes);
    send_bytes(term, "\007");
    /* tmux takes that itself when set-clipboard is on, or passes on what is wrapped when allow-passthrough
     * is. */
    if (getenv("TMUX") != NULL) {
        send_bytes(term, "\033Ptmux;\033\033]52;c;");
        send_bytes(term, bytes);
        send_bytes(term, "\007\033\\");
    }
    free(bytes);
    return 0;
}

void term_describe(char *text, size_t size)
{
    const char *name = getenv("TERM"), *why_glyphs, *why_depth;
    struct err err = ERR_INIT;
    const char *used = choose_description(true, &err);
    if (used == NULL) {
        text_copy(text, size, err.text);
        return;
    }
    enum glyphs glyphs = term_probe_glyphs(nl_langinfo(CODESET), used, STDOUT_FILENO, &why_glyphs);
    enum depth depth =
        term_probe_depth(term_info_number("colors"), term_info_flag("RGB"), getenv("NO_COLOR"), &why_depth);
    struct winsize window = {0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
    snprintf(text, size, "TERM=%s (as %s), %d x %d, %s characters: %s; %s: %s", name != NULL ? name : "",
             used, window.ws_col, window.ws_row, glyphs_name(glyphs), why_glyphs, depth_name(depth),
             why_depth);
}

/* ---- input ------------------------------------------------------------------------------------------- */

/* Readable, yet nothing can be read: the other side hung up. */
static bool hung_up(const struct term *term)
{
    struct pollfd watched = {.fd = term->in, .events = POLLIN};
    return poll(&watched, 1, 0) > 0 && (watched.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

bool term_read(struct term *term, struct input *input)
{
    if (term->gone || term->away)
        return false;
    int64_t now_us = clock_mono_us();
    for (;;) {
        wint_t code = 0;
        int status = get_wch(&code);
        if (status == ERR) {
            if (decode_idle(&term->decode, input))
                return true;
            if (!hung_up(term))
                return false;
            term->gone = true;
            *input = (struct input){.kind = INPUT_GONE};
            return true;
        }
        if (status == KEY_CODE_YES) {
            *input = (struct input){.kind = INPUT_KEY};
            if (term_key_of_code((unsigned)code, &input->key))
                return true;
            continue;
        }
        if (decode_feed(&term->decode, (uint32_t)code, now_us, input))
            return true;
        term->sync = term->decode.knows_sync;
        if (term->decode.knows_background && term->light != term->decode.light) {
            term->light = term->decode.light;
            term->all = true;
        }
    }
}
