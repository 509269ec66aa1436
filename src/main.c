/*
 * The program: the only file that joins the engine (src/) and the screen (ui/). One loop holds the terminal,
 * the signals, the control socket and the wake-ups of the session's threads; the screen draws before each
 * wait, when something changed and a frame is due.
 */
#include "app/cli.h"
#include "app/control.h"
#include "app/session.h"
#include "base/clock.h"
#include "base/text.h"
#include "ui/screen.h"

#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct console {
    const struct options *options;
    struct loop *loop;
    struct term *term;
    struct screen *screen;
    struct session *session;
    struct control *control;
    int draw_timer;
};

/* ---- what the screen asks --------------------------------------------------------------------------- */

static const struct view *console_view(void *context, int64_t now_us)
{
    struct console *console = context;
    return session_view(console->session, now_us);
}

static void console_execute(void *context, const char *line, struct command_reply *reply)
{
    struct console *console = context;
    struct command_call call;
    char scratch[COMMAND_LINE];
    if (command_parse(line, "operator", &call, scratch, sizeof scratch, &reply->err) == 0)
        command_execute(console->session, &call, reply);
    if (session_wants_quit(console->session))
        loop_stop(console->loop);
}

/* Ctrl-C: the newest job ends, else the journey that plays; what then happens is in the log. In a console
 * that only replays nothing is live to go back to. */
static bool console_cancel(void *context)
{
    static const char *const lines[] = {"stop", "live"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct command_call call;
        struct command_reply reply = {0};
        char scratch[16];
        bool done = command_parse(lines[i], "operator", &call, scratch, sizeof scratch, &reply.err) == 0 &&
                    call.command->execute(((struct console *)context)->session, &call, &reply) == 0;
        free(reply.json);
        if (done)
            return true;
    }
    return false;
}

static void console_quit(void *context)
{
    loop_stop(((struct console *)context)->loop);
}

static size_t console_history(void *context, char (*lines)[PROMPT_MAX], size_t count)
{
    return session_history(((struct console *)context)->session, lines, count);
}

static void console_history_add(void *context, const char *line)
{
    session_history_add(((struct console *)context)->session, line);
}

static void console_remember(void *context, const char *name, const char *value)
{
    session_note(((struct console *)context)->session, name, value);
}

/* ---- the loop's events ------------------------------------------------------------------------------ */

static void console_on_input(struct loop *loop, void *context)
{
    screen_read(((struct console *)context)->screen, clock_mono_us());
}

static void console_on_resize(struct loop *loop, void *context)
{
    screen_resize(((struct console *)context)->screen);
}

static void console_on_continue(struct loop *loop, void *context)
{
    screen_resume(((struct console *)context)->screen);
}

static void console_on_stop(struct loop *loop, void *context)
{
    screen_run(((struct console *)context)->screen, "suspend");
}

static void console_on_end(struct loop *loop, void *context)
{
    loop_stop(loop);
}

static void console_on_timer(struct loop *loop, void *context)
{
    ((struct console *)context)->draw_timer = 0; /* waking was all: drawing happens before the next wait */
}

static void console_before_wait(struct loop *loop, void *context)
{
    struct console *console = context;
    if (session_wants_quit(console->session))
        loop_stop(loop);
    int64_t wait = screen_draw(console->screen, clock_mono_us());
    if (console->draw_timer)
        loop_remove_timer(loop, console->draw_timer);
    console->draw_timer = wait >= 0 ? loop_add_timer(loop, wait, 0, console_on_timer, console) : 0;
}

static void console_wake(void *context) /* any thread */
{
    loop_wake(((struct console *)context)->loop);
}

/* ---- start and end ---------------------------------------------------------------------------------- */

static int console_signals(struct console *console, struct err *err)
{
    static const struct {
        int number;
        loop_fn *fn;
    } signals[] = {{SIGWINCH, console_on_resize}, {SIGCONT, console_on_continue}, {SIGTSTP, console_on_stop},
                   {SIGTERM, console_on_end},     {SIGHUP, console_on_end},       {SIGINT, console_on_end}};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (loop_add_signal(console->loop, signals[i].number, signals[i].fn, console, err) < 0)
            return -1;
    return 0;
}

static int console_open_terminal(struct console *console, struct err *err)
{
    const struct options *options = console->options;
    struct term_settings settings = {.colour = (enum term_choice)options->colour,
                                     .glyphs = options->ascii ? (int)GLYPHS_ASCII : -1,
                                     .mouse = options->mouse,
                                     .theme = (enum theme)options->theme};
    console->term = term_create(&settings, err);
    return console->term ? 0 : -1;
}

static int console_open_session(struct console *console, struct err *err)
{
    const struct options *options = console->options;
    struct session_settings settings = {.options = options,
                                        .replay_path = options->replay_path[0] ? options->replay_path : NULL,
                                        .screen = true,
                                        .wake = console_wake,
                                        .context = console};
    struct err local = ERR_INIT;
    console->session = session_create(&settings, err);
    if (!console->session)
        return -1;
    console->control = control_create(console->loop, console->session, &local);
    if (!console->control)
        log_write(session_log(console->session), LOG_WARNING, "control", "no control socket: %s", local.text);
    return 0;
}

/* The theme of last time, unless one was asked for. */
static enum theme console_theme(struct console *console)
{
    const struct option_set *set = &console->options->set;
    char name[32];
    int index = option_find(set, "theme", NULL);
    if (set->origins[index] == ORIGIN_DEFAULT &&
        session_remember(console->session, "theme", name, sizeof name) && theme_from_name(name) >= 0)
        return (enum theme)theme_from_name(name);
    return (enum theme)console->options->theme;
}

static int console_open_screen(struct console *console, struct err *err)
{
    struct screen_settings settings = {.term = console->term,
                                       .theme = console_theme(console),
                                       .session = console->session,
                                       .host = {.context = console,
                                                .view = console_view,
                                                .execute = console_execute,
                                                .cancel = console_cancel,
                                                .quit = console_quit,
                                                .history = console_history,
                                                .history_add = console_history_add,
                                                .remember = console_remember}};
    settings.commands.count = command_table(&settings.commands.rows);
    term_set_theme(console->term, settings.theme);
    console->screen = screen_create(&settings);
    loop_set_before_wait(console->loop, console_before_wait, console);
    return loop_add_fd(console->loop, term_fd(console->term), console_on_input, console, err);
}

/* The signals are taken before any thread starts, the terminal before anything that could fail slowly. */
static int console_run(const struct options *options)
{
    struct console console = {.options = options};
    struct err err = ERR_INIT;
    setlocale(LC_ALL, "");
    console.loop = loop_create(&err);
    if (!console.loop || console_signals(&console, &err) < 0)
        return cli_fail(&err);
    if (console_open_terminal(&console, &err) == 0 && console_open_session(&console, &err) == 0 &&
        console_open_screen(&console, &err) == 0)
        loop_run(console.loop);
    control_destroy(console.control);
    screen_destroy(console.screen);
    term_destroy(console.term);
    session_destroy(console.session);
    loop_destroy(console.loop);
    return err.kind == ERR_NONE ? EXIT_OK : cli_fail(&err);
}

int main(int argc, char **argv)
{
    struct options options;
    mallopt(M_ARENA_MAX, 2); /* a dozen threads that seldom allocate need no dozen heaps */
    int code = cli_main(argc, argv, &options);
    if (code == CLI_CONSOLE)
        code = console_run(&options);
    options_free(&options);
    return code;
}
