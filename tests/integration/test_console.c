/*
 * The real program on a pseudo-terminal: every key of the command table is pressed, the window is resized in
 * storms, signals arrive, and the terminal must come back as it was. What the screen shows is read by its own
 * `:dump`; that a key was taken is known from the control socket, which the same thread answers.
 */
#include "app/command.h"
#include "app/control.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_US 30000000 /* under ASan and a busy machine; nothing waits longer than it must */

struct console {
    char home[64], dump[96], program[256];
    pid_t pid;
    pid_t shell; /* its parent where that is not the test; 0 */
    int fd;
    struct buf output; /* all it wrote */
};

static void console_pump(struct console *console, int wait_ms)
{
    struct pollfd ready = {.fd = console->fd, .events = POLLIN};
    char bytes[8192];
    while (poll(&ready, 1, wait_ms) > 0) {
        ssize_t got = read(console->fd, bytes, sizeof bytes);
        if (got <= 0)
            return;
        if (console->output.length > (8u << 20))
            buf_consume(&console->output, console->output.length - (1u << 20));
        buf_append(&console->output, bytes, (size_t)got);
        wait_ms = 0;
    }
}

static void console_exec(struct console *console, const char *term, char *const *arguments)
{
    char *argv[16] = {console->program};
    setenv("TERM", term, 1);
    for (int i = 0; arguments[i] && i < 14; i++)
        argv[i + 1] = arguments[i];
    execv(console->program, argv);
    _exit(127);
}

static void console_start(struct console *console, int width, int height, const char *term,
                          char *const *arguments)
{
    struct winsize size = {.ws_col = (unsigned short)width, .ws_row = (unsigned short)height};
    buf_reset(&console->output);
    console->pid = forkpty(&console->fd, NULL, NULL, &size);
    assert_true(console->pid >= 0);
    if (console->pid == 0)
        console_exec(console, term, arguments);
}

/* What a shell with job control does: the console in a process group of its own, in the foreground of a
 * session that somebody else leads; only so can a terminal stop it. `told` gets the console's pid, then its
 * wait status each time that it stops or ends. */
static void shell_run(struct console *console, int told, char *const *arguments)
{
    int status = 0;
    signal(SIGTTOU, SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        tcsetpgrp(STDIN_FILENO, getpid());
        signal(SIGTTOU, SIG_DFL);
        close(told);
        console_exec(console, "xterm-256color", arguments);
    }
    ssize_t sent = write(told, &child, sizeof child);
    do {
        if (waitpid(child, &status, WUNTRACED) == child)
            sent = write(told, &status, sizeof status);
    } while (sent > 0 && WIFSTOPPED(status));
    _exit(0);
}

/* Returns the end that is told. */
static int console_start_in_shell(struct console *console, char *const *arguments)
{
    struct winsize size = {.ws_col = 80, .ws_row = 24};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    buf_reset(&console->output);
    console->shell = forkpty(&console->fd, NULL, NULL, &size);
    assert_true(console->shell >= 0);
    if (console->shell == 0) {
        close(ends[0]);
        shell_run(console, ends[1], arguments);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &console->pid, sizeof console->pid), sizeof console->pid);
    return ends[0];
}

/* The end of what it wrote, a sanitizer's report from its beginning, without its escapes. */
static void console_report(const struct console *console)
{
    const char *from = memmem(console->output.data, console->output.length, "==ERROR:", 8);
    size_t left = console->output.length, shown = from ? 8000 : 1500;
    if (from)
        left -= (size_t)(from - console->output.data);
    else if (left > shown)
        from = console->output.data + left - shown;
    else
        from = console->output.data;
    for (size_t i = 0; i < left && i < shown; i++)
        fputc(from[i] == '\x1b' ? '^' : from[i], stderr);
}

static json_t *console_status(struct console *console)
{
    int64_t until = clock_mono_us() + PATIENCE_US;
    while (clock_mono_us() < until) {
        char *reply = NULL;
        struct err err = ERR_INIT;
        if (console->shell ? kill(console->pid, 0) < 0 : waitpid(console->pid, NULL, WNOHANG) != 0)
            break;
        if (control_ask(console->pid, "status", &reply, &err) == 0) {
            json_t *object = json_loads(reply, 0, NULL);
            free(reply);
            return object;
        }
        console_pump(console, 20);
    }
    console_report(console);
    fail_msg("the console does not answer");
    return NULL;
}

/* Everything typed so far was taken, and its output drained. */
static void console_settle(struct console *console)
{
    json_decref(console_status(console));
    console_pump(console, 0);
}

static int64_t status_int(json_t *status, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(status, "data"), name));
}

static void console_wait_vehicles(struct console *console, int64_t count)
{
    int64_t until = clock_mono_us() + PATIENCE_US;
    while (clock_mono_us() < until) {
        json_t *status = console_status(console);
        int64_t seen = status_int(status, "vehicles");
        json_decref(status);
        if (seen >= count)
            return;
        console_pump(console, 20);
    }
    fail_msg("fewer than %d vehicles came from Kafka", (int)count);
}

static void console_type(struct console *console, const char *bytes)
{
    size_t length = strlen(bytes);
    assert_int_equal(write(console->fd, bytes, length), (ssize_t)length);
}

/* The screen as text; the caller frees. */
static char *console_dump(struct console *console)
{
    char line[160];
    struct buf text;
    struct err err = ERR_INIT;
    int64_t until = clock_mono_us() + PATIENCE_US;
    unlink(console->dump);
    snprintf(line, sizeof line, ":dump %s\r", console->dump);
    console_type(console, line);
    while (file_size(console->dump) <= 0 && clock_mono_us() < until)
        console_settle(console);
    buf_init(&text, 1 << 20);
    if (file_read(console->dump, &text, &err) < 0)
        fail_msg("%s", err.text);
    return text.data;
}

static void assert_shows(struct console *console, const char *text)
{
    int64_t until = clock_mono_us() + PATIENCE_US;
    char *screen = NULL;
    do {
        free(screen);
        screen = console_dump(console);
        if (strstr(screen, text)) {
            free(screen);
            return;
        }
    } while (console_pump(console, 100), clock_mono_us() < until);
    fprintf(stderr, "%s\n", screen);
    free(screen);
    fail_msg("the screen does not show '%s'", text);
}

static int console_wait_exit(struct console *console)
{
    int status = 0;
    int64_t until = clock_mono_us() + PATIENCE_US;
    while (waitpid(console->pid, &status, WNOHANG) == 0) {
        if (clock_mono_us() > until) {
            kill(console->pid, SIGKILL);
            waitpid(console->pid, &status, 0);
            fail_msg("it did not end");
        }
        console_pump(console, 20);
    }
    console_pump(console, 0);
    console->pid = 0;
    return status;
}

static void assert_ended_well(const struct console *console, int status)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        console_report(console);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void assert_terminal_restored(struct console *console)
{
    const char *out = console->output.data, *last_in = NULL, *last_out = NULL, *hidden = NULL, *shown = NULL;
    for (const char *at = out; (at = memmem(at, console->output.length - (size_t)(at - out), "\x1b[?", 3));
         at += 3) {
        last_in = strncmp(at, "\x1b[?1049h", 8) == 0 ? at : last_in;
        last_out = strncmp(at, "\x1b[?1049l", 8) == 0 ? at : last_out;
        hidden = strncmp(at, "\x1b[?25l", 6) == 0 ? at : hidden;
        shown = strncmp(at, "\x1b[?25h", 6) == 0 || strncmp(at, "\x1b[?12l\x1b[?25h", 12) == 0 ? at : shown;
    }
    assert_non_null(last_in);
    assert_true(last_out > last_in);
    assert_true(!hidden || shown > hidden);
    struct termios mode;
    assert_int_equal(tcgetattr(console->fd, &mode), 0);
    assert_true(mode.c_lflag & ECHO);
    assert_true(mode.c_lflag & ICANON);
}

static int setup(void **state)
{
    struct console *console = mem_zero(1, sizeof *console);
    const char *build = getenv("SMARTCITY_BUILD");
    snprintf(console->program, sizeof console->program, "%s/smartcity", build ? build : "build/asan");
    if (access(console->program, X_OK) < 0)
        snprintf(console->program, sizeof console->program, "build/smartcity");
    snprintf(console->home, sizeof console->home, "/tmp/smartcity-console-XXXXXX");
    assert_non_null(mkdtemp(console->home));
    snprintf(console->dump, sizeof console->dump, "%s/screen.txt", console->home);
    setenv("HOME", console->home, 1);
    setenv("XDG_RUNTIME_DIR", console->home, 1);
    static const char *const unset[] = {"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
                                        "XDG_DATA_HOME",   "NO_COLOR",       "TMUX"};
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
        unsetenv(unset[i]);
    setenv("LANG", "C.UTF-8", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    buf_init(&console->output, 16 << 20);
    buf_append(&console->output, "", 0);
    console->fd = -1;
    *state = console;
    return 0;
}

static int teardown(void **state)
{
    struct console *console = *state;
    char command[128];
    if (console->pid > 0) {
        kill(console->pid, SIGKILL);
        waitpid(console->shell ? console->shell : console->pid, NULL, 0);
    }
    if (console->fd >= 0)
        close(console->fd);
    buf_free(&console->output);
    snprintf(command, sizeof command, "rm -rf '%s'", console->home);
    int result = system(command);
    free(console);
    return result;
}

static char *const SMALL[] = {"run", "--vehicles", "40", "--demand", "0.05", "--speed", "5", NULL};

static void test_starts_and_quits(void **state)
{
    struct console *console = *state;
    console_start(console, 132, 43, "xterm-256color", SMALL);
    console_wait_vehicles(console, 40);
    assert_shows(console, "LOCAL");
    assert_shows(console, "veh-");
    assert_shows(console, "Emergencies");
    console_type(console, "q");
    int status = console_wait_exit(console);
    assert_ended_well(console, status);
    assert_terminal_restored(console);
}

/* What a terminal sends for a key of the table. */
static const char *key_bytes(const char *name, char text[8])
{
    static const struct {
        const char *name, *bytes;
    } special[] = {{"space", " "},       {"enter", "\r"},       {"tab", "\t"},      {"shift+tab", "\x1b[Z"},
                   {"esc", "\x1b"},      {"backspace", "\x7f"}, {"up", "\x1bOA"},   {"down", "\x1bOB"},
                   {"right", "\x1bOC"},  {"left", "\x1bOD"},    {"home", "\x1bOH"}, {"end", "\x1bOF"},
                   {"pgup", "\x1b[5~"},  {"pgdn", "\x1b[6~"},   {"f1", "\x1bOP"},   {"delete", "\x1b[3~"},
                   {"insert", "\x1b[2~"}};
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (strcmp(name, special[i].name) == 0)
            return special[i].bytes;
    if (strncmp(name, "ctrl+", 5) == 0 && name[6] == 0) {
        text[0] = (char)(name[5] & 31);
        text[1] = 0;
        return text;
    }
    text_copy(text, 8, name);
    return strlen(name) <= 4 && text_width(name) == 1 ? text : NULL;
}

static void test_every_key(void **state)
{
    struct console *console = *state;
    static const char *const screens[] = {"1", "2", "7", "9"};
    const struct command *table;
    size_t count = command_table(&table), pressed = 0;
    console_start(console, 132, 43, "xterm-256color", SMALL);
    console_wait_vehicles(console, 40);
    for (size_t screen = 0; screen < sizeof screens / sizeof *screens; screen++) {
        for (size_t i = 0; i < count; i++) {
            if (strcmp(table[i].name, "quit") == 0 || strcmp(table[i].name, "suspend") == 0 ||
                strcmp(table[i].name, "cancel") == 0)
                continue;
            for (int key = 0; key < COMMAND_KEYS && table[i].keys[key].key; key++) {
                char text[8];
                const char *bytes = key_bytes(table[i].keys[key].key, text);
                if (!bytes)
                    fail_msg("the test does not know how to press '%s'", table[i].keys[key].key);
                console_type(console, screens[screen]);
                console_type(console, bytes);
                console_settle(console);
                for (int step = 0; step < 2; step++) { /* out of a prompt, out of a dialog */
                    console_type(console, "\x1b");
                    console_settle(console); /* an ESC with a key behind it would be Alt and that key */
                }
                pressed++;
            }
        }
    }
    assert_true(pressed > 200);
    assert_shows(console, "smartcity");
    console_type(console, "1q");
    int status = console_wait_exit(console);
    assert_ended_well(console, status);
}

static void test_resize_storm(void **state)
{
    struct console *console = *state;
    unsigned seed = 12345;
    console_start(console, 132, 43, "xterm-256color", SMALL);
    console_wait_vehicles(console, 40);
    for (int i = 0; i < 150; i++) {
        seed = seed * 1103515245u + 12345u;
        struct winsize size = {.ws_col = (unsigned short)(1 + (seed >> 8) % 240),
                               .ws_row = (unsigned short)(1 + (seed >> 20) % 80)};
        assert_int_equal(ioctl(console->fd, TIOCSWINSZ, &size), 0);
        if (i % 10 == 0)
            console_settle(console);
    }
    struct winsize size = {.ws_col = 20, .ws_row = 5};
    ioctl(console->fd, TIOCSWINSZ, &size);
    console_settle(console);
    console_type(console, "i");
    console_settle(console);
    size = (struct winsize){.ws_col = 80, .ws_row = 24};
    ioctl(console->fd, TIOCSWINSZ, &size);
    console_settle(console);
    assert_shows(console, "LOCAL");
    console_type(console, "q");
    int status = console_wait_exit(console);
    assert_ended_well(console, status);
    assert_terminal_restored(console);
}

static void signal_ends(struct console *console, int number)
{
    console_start(console, 80, 24, "xterm-256color", SMALL);
    console_wait_vehicles(console, 1);
    kill(console->pid, number);
    int status = console_wait_exit(console);
    assert_true(WIFEXITED(status) || WIFSIGNALED(status));
    assert_terminal_restored(console);
    close(console->fd);
}

static void test_signals_restore(void **state)
{
    static const int signals[] = {SIGTERM, SIGHUP, SIGSEGV, SIGABRT};
    setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:allow_user_segv_handler=1", 1);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal_ends(*state, signals[i]);
    ((struct console *)*state)->fd = -1;
    unsetenv("ASAN_OPTIONS");
}

/* The next thing the shell has to tell of the console. */
static int shell_told(struct console *console, int told)
{
    struct pollfd ready = {.fd = told, .events = POLLIN};
    int status = -1;
    int64_t until = clock_mono_us() + PATIENCE_US;
    while (poll(&ready, 1, 0) == 0 && clock_mono_us() < until)
        console_pump(console, 20);
    assert_int_equal(poll(&ready, 1, 0), 1);
    assert_int_equal(read(told, &status, sizeof status), sizeof status);
    console_pump(console, 0);
    return status;
}

static void test_suspend_and_go_on(void **state)
{
    struct console *console = *state;
    int told = console_start_in_shell(console, SMALL);
    console_wait_vehicles(console, 1);
    for (int round = 0; round < 2; round++) {
        console_type(console, "\x1a");
        assert_true(WIFSTOPPED(shell_told(console, told)));
        assert_terminal_restored(console);
        kill(-console->pid, SIGCONT);
        assert_shows(console, "LOCAL");
    }
    console_type(console, "q");
    int status = shell_told(console, told);
    assert_ended_well(console, status);
    assert_terminal_restored(console);
    waitpid(console->shell, NULL, 0);
    console->shell = console->pid = 0;
    close(told);
}

/* Where no shell could continue it, Ctrl-Z must not leave it stopped for ever. */
static void test_suspend_without_shell(void **state)
{
    struct console *console = *state;
    console_start(console, 80, 24, "xterm-256color", SMALL);
    console_wait_vehicles(console, 1);
    console_type(console, "\x1a");
    console_settle(console);
    assert_shows(console, "LOCAL");
    console_type(console, "q");
    int status = console_wait_exit(console);
    assert_ended_well(console, status);
}

static void test_no_terminal(void **state)
{
    struct console *console = *state;
    static char *const none[] = {NULL};
    console_start(console, 80, 24, "dumb", none);
    int status = console_wait_exit(console);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
    assert_non_null(strstr(console->output.data, "--headless"));
    char command[512];
    snprintf(command, sizeof command, "%s </dev/null >%s 2>&1", console->program, console->dump);
    status = system(command);
    assert_int_equal(WEXITSTATUS(status), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_starts_and_quits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resize_storm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_signals_restore, setup, teardown),
        cmocka_unit_test_setup_teardown(test_suspend_and_go_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_suspend_without_shell, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_terminal, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
