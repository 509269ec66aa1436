/* The terminal, on a pseudo terminal: it is given back whatever happens, only differences are sent, keys
 * arrive. */
#include "ui/term.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A child on the slave side; what it writes to the terminal and what it reports by the pipe. */
struct rig {
    pid_t child;
    int master, report;
    size_t length, reported;
    char output[1 << 20];
    char words[8192];
};
static struct rig rig;
static int report_fd;

static void tell(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (write(report_fd, text, (size_t)length) < 0)
        _exit(9);
}

static void start(void (*run)(void), const char *name)
{
    int pipe_fds[2];
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    assert_int_equal(pipe(pipe_fds), 0);
    rig = (struct rig){.report = pipe_fds[0]};
    rig.child = forkpty(&rig.master, NULL, NULL, &size);
    assert_true(rig.child >= 0);
    if (rig.child == 0) {
        close(pipe_fds[0]);
        report_fd = pipe_fds[1];
        setenv("TERM", name, 1);
        unsetenv("COLORTERM");
        unsetenv("NO_COLOR");
        unsetenv("TMUX");
        setlocale(LC_ALL, "C.UTF-8");
        alarm(20);
        run();
        _exit(0);
    }
    close(pipe_fds[1]);
}

/* Reads until the child has said `word`, or ended. */
static void wait_for(const char *word)
{
    bool open = true;
    while (open && (word == NULL || strstr(rig.words, word) == NULL)) {
        struct pollfd fds[2] = {{.fd = rig.master, .events = POLLIN}, {.fd = rig.report, .events = POLLIN}};
        if (poll(fds, 2, 20000) <= 0)
            fail_msg("the child said nothing more than: %s", rig.words);
        if (fds[0].revents != 0) {
            ssize_t count = read(rig.master, rig.output + rig.length, sizeof rig.output - 1 - rig.length);
            rig.length += count > 0 ? (size_t)count : 0;
        }
        if (fds[1].revents != 0) {
            ssize_t count = read(rig.report, rig.words + rig.reported, sizeof rig.words - 1 - rig.reported);
            rig.reported += count > 0 ? (size_t)count : 0;
            open = count > 0;
        }
    }
    rig.output[rig.length] = '\0';
}

static int finish(void)
{
    int status;
    wait_for(NULL);
    /* What is still on its way. */
    fcntl(rig.master, F_SETFL, O_NONBLOCK);
    for (ssize_t count;
         (count = read(rig.master, rig.output + rig.length, sizeof rig.output - 1 - rig.length)) > 0;)
        rig.length += (size_t)count;
    rig.output[rig.length] = '\0';
    waitpid(rig.child, &status, 0);
    close(rig.master);
    close(rig.report);
    if (getenv("SHOW_TERM") != NULL)
        fprintf(stderr, "status %x words <%s> output <%s>\n", (unsigned)status, rig.words, rig.output);
    return status;
}

static struct term *open_term(void)
{
    struct err err = ERR_INIT;
    struct term_settings settings = {.glyphs = -1, .mouse = true};
    struct term *term = term_create(&settings, &err);
    if (term == NULL) {
        tell("failed: %s\n", err.text);
        _exit(1);
    }
    static struct term *volatile kept; /* for exit(), which looks for leaks */
    kept = term;
    return kept;
}

static struct canvas picture(struct term *term)
{
    int width, height;
    term_size(term, &width, &height);
    struct canvas canvas = canvas_create(width, height, term_glyphs(term));
    canvas_text(&canvas, 3, 3, STYLE(ROLE_GOOD), "hello ●");
    return canvas;
}

static void assert_given_back(void)
{
    assert_non_null(strstr(rig.output, "\033[?1049h"));
    char *left = strstr(rig.output, "\033[?1049l");
    assert_non_null(left);
    assert_null(strstr(left + 8, "\033[?1049h"));
    assert_non_null(strstr(rig.output, "\033[?1002l")); /* the mouse */
    assert_non_null(strstr(rig.output, "\033[?2004l")); /* pastes */
}

/* ---- leaving ----------------------------------------------------------------------------------------- */

static void run_normal(void)
{
    struct term *term = open_term();
    struct canvas canvas = picture(term);
    term_show(term, &canvas, -1, 0);
    canvas_destroy(&canvas);
    term_destroy(term);
}

static void run_exit(void)
{
    open_term();
    exit(3);
}

static void run_crash(void)
{
    open_term();
    raise(SIGSEGV);
}

static void run_abort(void)
{
    open_term();
    abort();
}

static void test_given_back(void **state)
{
    start(run_normal, "xterm-256color");
    assert_int_equal(finish(), 0);
    assert_given_back();
    assert_non_null(strstr(rig.output, "hello ●"));
    start(run_exit, "xterm-256color");
    int status = finish();
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    assert_given_back();
    start(run_crash, "xterm-256color");
    status = finish();
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV); /* the true status, and a core */
    assert_given_back();
    start(run_abort, "xterm-256color");
    status = finish();
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_given_back();
    assert_non_null(strstr(rig.output, "error of its own (signal 6)"));
}

static void run_modes(void)
{
    struct termios before, after;
    tcgetattr(0, &before);
    struct term *term = open_term();
    tcgetattr(0, &after);
    tell("raw %d\n", (after.c_lflag & (ECHO | ICANON | ISIG)) == 0);
    term_destroy(term);
    tcgetattr(0, &after);
    tell("same %d\n", before.c_iflag == after.c_iflag && before.c_oflag == after.c_oflag &&
                          before.c_cflag == after.c_cflag && before.c_lflag == after.c_lflag &&
                          memcmp(before.c_cc, after.c_cc, sizeof before.c_cc) == 0);
}

static void test_modes(void **state)
{
    start(run_modes, "xterm-256color");
    finish();
    assert_non_null(strstr(rig.words, "raw 1"));
    assert_non_null(strstr(rig.words, "same 1"));
}

static void run_suspend(void)
{
    struct term *term = open_term();
    struct canvas canvas = picture(term);
    term_show(term, &canvas, -1, 0);
    term_suspend(term); /* nobody could continue this group, so the system lets it go on at once */
    tell("cells %zu\n", term_show(term, &canvas, -1, 0));
    canvas_destroy(&canvas);
    term_destroy(term);
}

static void test_suspend(void **state)
{
    start(run_suspend, "xterm-256color");
    finish();
    assert_non_null(strstr(rig.words, "cells 1920")); /* all of it again */
    char *first = strstr(rig.output, "\033[?1049l");
    assert_non_null(first);
    assert_non_null(strstr(first, "\033[?1049h"));
}

static void run_background(void)
{
    struct term *term = open_term();
    struct canvas canvas = picture(term);
    term_show(term, &canvas, -1, 0);
    pid_t shell = fork();
    if (shell == 0) {
        setpgid(0, 0);
        pause();
        _exit(0);
    }
    setpgid(shell, shell);
    tcsetpgrp(0, shell);
    term_resume(term); /* as after `bg` */
    term_redraw(term);
    tell("background %zu.\n", term_show(term, &canvas, -1, 0));
    tcsetpgrp(0, getpgrp());
    tell("foreground %zu.\n", term_show(term, &canvas, -1, 0));
    kill(shell, SIGKILL);
    canvas_destroy(&canvas);
    term_destroy(term);
}

static void test_background_leaves_the_terminal_alone(void **state)
{
    start(run_background, "xterm-256color");
    assert_int_equal(finish(), 0);
    assert_non_null(strstr(rig.words, "background 0."));
    assert_non_null(strstr(rig.words, "foreground 1920."));
}

/* ---- where there is no terminal ---------------------------------------------------------------------- */

static void run_refused(void)
{
    open_term();
}

static void test_refused_politely(void **state)
{
    static const char *const names[] = {"dumb", "", "no-such-terminal"};
    for (size_t i = 0; i < 3; i++) {
        start(run_refused, names[i]);
        finish();
        assert_non_null(strstr(rig.words, "smartcity run --headless"));
        assert_null(strstr(rig.output, "\033[")); /* and nothing was sent there */
    }
    struct err err = ERR_INIT;
    struct term_settings settings = {.glyphs = -1};
    int in = dup(0), null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    assert_null(term_create(&settings, &err));
    dup2(in, 0);
    close(in);
    close(null);
    assert_int_equal(err.kind, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "smartcity run --headless"));
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

static void run_differences(void)
{
    struct term *term = open_term();
    struct canvas canvas = picture(term);
    tell("first %zu\n", term_show(term, &canvas, -1, 0));
    tell("again %zu.\n", term_show(term, &canvas, -1, 0));
    for (int i = 0; i < 100; i++)
        term_show(term, &canvas, -1, 0);
    tell("quiet\n");
    canvas_put(&canvas, 4, 3, 'E', STYLE(ROLE_GOOD));
    tell("one %zu.\n", term_show(term, &canvas, -1, 0));
    term_set_theme(term, THEME_CONTRAST);
    tell("theme %zu.\n", term_show(term, &canvas, -1, 0));
    canvas_destroy(&canvas);
    term_destroy(term);
}

static void test_only_differences_are_sent(void **state)
{
    start(run_differences, "xterm-256color");
    wait_for("again 0.");
    size_t before = rig.length;
    wait_for("quiet");
    assert_true(rig.length - before < 2000); /* nothing but what was still in the pipe of the first frame */
    finish();
    assert_non_null(strstr(rig.words, "first 1920"));
    assert_non_null(strstr(rig.words, "one 1."));
    assert_non_null(strstr(rig.words, "theme 1920."));
}

/* More pairs of colours than are kept, changing all the time, and wide and combined runes among them. */
static void run_colours(void)
{
    struct term *term = open_term();
    struct canvas canvas = picture(term);
    uint32_t seed = 1;
    tell("depth %d\n", (int)term_depth(term));
    for (int frame = 0; frame < 12; frame++) {
        for (int y = 0; y < canvas.height; y++)
            for (int x = 0; x < canvas.width; x++) {
                seed = seed * 1664525u + 1013904223u;
                struct style style = {.fg = COLOUR_RGB(seed >> 8 & 255, seed >> 16 & 255, seed >> 24 & 255),
                                      .bg = COLOUR_RGB(seed >> 12 & 255, seed >> 20 & 255, seed >> 4 & 255)};
                canvas_put(&canvas, x, y, seed % 50 == 0 ? 0x8DEF : 0x2580, style);
            }
        term_show(term, &canvas, -1, 0);
    }
    tell("survived\n");
    canvas_destroy(&canvas);
    term_destroy(term);
}

static void test_colours_are_bounded(void **state)
{
    static const char *const names[] = {"xterm-256color", "xterm", "linux", "screen-256color", "vt100"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        start(run_colours, names[i]);
        assert_int_equal(finish(), 0);
        assert_non_null(strstr(rig.words, "survived"));
    }
}

/* ---- input ------------------------------------------------------------------------------------------- */

static void run_keys(void)
{
    struct term *term = open_term();
    tell("ready\n");
    for (;;) {
        struct pollfd fd = {.fd = term_fd(term), .events = POLLIN};
        struct input input;
        poll(&fd, 1, 10000);
        while (term_read(term, &input)) {
            char name[KEYS_NAME_SIZE];
            if (input.kind == INPUT_GONE)
                _exit(7);
            if (input.kind == INPUT_PASTE)
                tell("paste(%s) ", input.paste);
            else if (input.kind == INPUT_MOUSE)
                tell("mouse%d@%d,%d ", (int)input.mouse, input.x, input.y);
            else
                tell("%s ", keys_name(&input.key, name));
            if (input.kind == INPUT_KEY && input.key.code == 'Q') {
                term_destroy(term);
                return;
            }
        }
    }
}

static void test_input(void **state)
{
    static const char *const names[] = {"xterm-256color", "screen-256color", "linux"};
    for (size_t i = 0; i < 3; i++) {
        start(run_keys, names[i]);
        wait_for("ready");
        static const char sent[] =
            "a\r\t\x03\x1a\033[5~\033[1;2D\033[200~q\nq\033[201~\033[<0;10;5M\033[999u\xC3\xA9Q";
        assert_true(write(rig.master, sent, sizeof sent - 1) > 0);
        finish();
        const char *words = strstr(rig.words, "ready\n") + 6;
        assert_string_equal(words, "a enter tab ctrl+c ctrl+z pgup shift+left paste(q\nq) mouse0@9,4 é Q ");
    }
}

static void test_hang_up(void **state)
{
    start(run_keys, "xterm-256color");
    wait_for("ready");
    /* SIGHUP would end it first: it has to notice by itself too. */
    int status;
    close(rig.master);
    waitpid(rig.child, &status, 0);
    close(rig.report);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 7);
}

static void run_resize(void)
{
    struct term *term = open_term();
    int width, height;
    struct winsize size = {.ws_row = 50, .ws_col = 132};
    ioctl(0, TIOCSWINSZ, &size);
    term_resize(term);
    term_size(term, &width, &height);
    struct canvas canvas = canvas_create(width, height, GLYPHS_BRAILLE);
    tell("%dx%d %zu\n", width, height, term_show(term, &canvas, 5, 5));
    size = (struct winsize){.ws_row = 3, .ws_col = 5};
    ioctl(0, TIOCSWINSZ, &size);
    term_resize(term);
    tell("%zu\n", term_show(term, &canvas, -1, 0)); /* a canvas of another size is clipped */
    canvas_destroy(&canvas);
    term_destroy(term);
}

static void test_resize(void **state)
{
    start(run_resize, "xterm-256color");
    assert_int_equal(finish(), 0);
    assert_string_equal(rig.words, "132x50 6600\n15\n");
}

static void run_copy(void)
{
    struct term *term = open_term();
    struct err err = ERR_INIT;
    char *much = mem_zero(1, TERM_COPY_MAX + 2);
    tell("copy %d\n", term_copy(term, "veh-0007", &err));
    memset(much, 'x', TERM_COPY_MAX + 1);
    tell("much %d\n", term_copy(term, much, &err));
    free(much);
    setenv("TMUX", "1", 1);
    term_copy(term, "a", &err);
    term_set_title(term, "smart\033]52;city");
    term_destroy(term);
}

static void test_copy_and_title(void **state)
{
    start(run_copy, "xterm-256color");
    finish();
    assert_non_null(strstr(rig.words, "copy 0"));
    assert_non_null(strstr(rig.words, "much -1"));
    assert_non_null(strstr(rig.output, "\033]52;c;dmVoLTAwMDc=\007"));
    assert_non_null(strstr(rig.output, "\033Ptmux;\033\033]52;c;YQ==\007\033\\"));
    assert_non_null(strstr(rig.output, "\033]2;smart␛]52;city\007"));
    assert_non_null(strstr(rig.output, "\033[23;2t"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_given_back),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_suspend),
        cmocka_unit_test(test_background_leaves_the_terminal_alone),
        cmocka_unit_test(test_refused_politely),
        cmocka_unit_test(test_only_differences_are_sent),
        cmocka_unit_test(test_colours_are_bounded),
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_hang_up),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_copy_and_title),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
