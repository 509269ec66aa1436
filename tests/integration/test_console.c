/*
 * The real program on a pseudo-terminal: every key of the command table is pressed, the window is resized in
 * storms, signals arrive, and the terminal must come back as it was.
 */
#include "app/command.h"
#include "base/clock.h"
#include "base/text.h"
#include "tests/support/console_rig.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_ended_well(struct console *console)
{
    assert_true(console_ended_well(console, console_wait_exit(console)));
}

static bool terminal_restored(struct console *console)
{
    const char *last_in = NULL, *last_out = NULL, *hidden = NULL, *shown = NULL;
    pthread_mutex_lock(&console->lock);
    const char *out = console->output.data;
    for (const char *at = out; (at = memmem(at, console->output.length - (size_t)(at - out), "\x1b[?", 3));
         at += 3) {
        last_in = strncmp(at, "\x1b[?1049h", 8) == 0 ? at : last_in;
        last_out = strncmp(at, "\x1b[?1049l", 8) == 0 ? at : last_out;
        hidden = strncmp(at, "\x1b[?25l", 6) == 0 ? at : hidden;
        shown = strncmp(at, "\x1b[?25h", 6) == 0 || strncmp(at, "\x1b[?12l\x1b[?25h", 12) == 0 ? at : shown;
    }
    bool restored = last_in && last_out > last_in && (!hidden || shown > hidden);
    pthread_mutex_unlock(&console->lock);
    struct termios mode;
    return restored && tcgetattr(console->fd, &mode) == 0 && (mode.c_lflag & ECHO) && (mode.c_lflag & ICANON);
}

/* What the program wrote last may still be on its way through the pty when its end is told. */
static void assert_terminal_restored(struct console *console)
{
    int64_t until = clock_mono_us() + CONSOLE_PATIENCE_US;
    while (!terminal_restored(console) && clock_mono_us() < until)
        console_pump(console, 50000);
    assert_true(terminal_restored(console));
}

static int setup(void **state)
{
    *state = console_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    console_destroy(*state);
    return 0;
}

static char *const SMALL[] = {"run", "--vehicles", "40", "--demand", "0.05", "--speed", "5", NULL};

static void test_starts_and_quits(void **state)
{
    struct console *console = *state;
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 40));
    assert_true(console_shows(console, "LOCAL"));
    assert_true(console_shows(console, "veh-"));
    assert_true(console_shows(console, "Emergencies"));
    console_type(console, "q");
    assert_ended_well(console);
    assert_terminal_restored(console);
}

/* What a terminal sends for a key of the table. */
static const char *key_bytes(const char *name, char text[8])
{
    static const struct {
        const char *name, *bytes;
    } special[] = {{"space", " "},        {"enter", "\r"},       {"tab", "\t"},      {"shift+tab", "\x1b[Z"},
                   {"esc", "\x1b"},       {"backspace", "\x7f"}, {"up", "\x1bOA"},   {"down", "\x1bOB"},
                   {"right", "\x1bOC"},   {"left", "\x1bOD"},    {"home", "\x1bOH"}, {"end", "\x1bOF"},
                   {"pgup", "\x1b[5~"},   {"pgdn", "\x1b[6~"},   {"f1", "\x1bOP"},   {"delete", "\x1b[3~"},
                   {"insert", "\x1b[2~"}, {"f5", "\x1b[15~"},    {"f6", "\x1b[17~"}, {"alt+enter", "\x1b\r"}};
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
    static const char *const screens[] = {"1", "2", "3", "5", "7", "9"};
    const struct command *table;
    size_t count = command_table(&table), pressed = 0;
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 40));
    for (size_t screen = 0; screen < sizeof screens / sizeof *screens; screen++) {
        for (size_t i = 0; i < count; i++) {
            if (strcmp(table[i].name, "quit") == 0 || strcmp(table[i].name, "suspend") == 0 ||
                strcmp(table[i].name, "interrupt") == 0)
                continue;
            for (int key = 0; key < COMMAND_KEYS && table[i].keys[key].key; key++) {
                char text[8];
                const char *bytes = key_bytes(table[i].keys[key].key, text);
                if (!bytes)
                    fail_msg("the test does not know how to press '%s'", table[i].keys[key].key);
                console_type(console, screens[screen]);
                console_type(console, bytes);
                assert_true(console_settle(console));
                for (int step = 0; step < 2; step++) { /* out of a prompt, out of a dialog */
                    console_type(console, "\x1b");
                    assert_true(
                        console_settle(console)); /* an ESC with a key behind it would be Alt and that key */
                }
                pressed++;
            }
        }
    }
    assert_true(pressed > 200);
    assert_true(console_shows(console, "smartcity"));
    console_type(console, "1q");
    assert_ended_well(console);
}

static void test_resize_storm(void **state)
{
    struct console *console = *state;
    unsigned seed = 12345;
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 40));
    for (int i = 0; i < 150; i++) {
        seed = seed * 1103515245u + 12345u;
        assert_true(console_resize(console, 1 + (int)((seed >> 8) % 240), 1 + (int)((seed >> 20) % 80)));
        if (i % 10 == 0)
            assert_true(console_settle(console));
    }
    console_resize(console, 20, 5);
    assert_true(console_settle(console));
    console_type(console, "i");
    assert_true(console_settle(console));
    console_resize(console, 80, 24);
    assert_true(console_settle(console));
    assert_true(console_shows(console, "LOCAL"));
    console_type(console, "q");
    assert_ended_well(console);
    assert_terminal_restored(console);
}

static void signal_ends(struct console *console, int number)
{
    assert_true(console_start(console, 80, 24, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 1));
    kill(console->pid, number);
    int status = console_wait_exit(console);
    assert_true(WIFEXITED(status) || WIFSIGNALED(status));
    assert_terminal_restored(console);
}

static void test_signals_restore(void **state)
{
    static const int signals[] = {SIGTERM, SIGHUP, SIGSEGV, SIGABRT};
    setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:allow_user_segv_handler=1", 1);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal_ends(*state, signals[i]);
    unsetenv("ASAN_OPTIONS");
}

/* The next thing the shell has to tell of the console. */
static int shell_told(int told)
{
    struct pollfd ready = {.fd = told, .events = POLLIN};
    int status = -1;
    assert_int_equal(poll(&ready, 1, CONSOLE_PATIENCE_US / 1000), 1);
    assert_int_equal(read(told, &status, sizeof status), sizeof status);
    return status;
}

/* A journey takes the screen while the picture is held still: what the picture was drawn from is gone. */
static void test_replay_while_frozen(void **state)
{
    struct console *console = *state;
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 40));
    for (int round = 0; round < 3; round++) {
        static const char *const lines[] = {
            ":record on\r", "P:replay 20\r", "v", "e", "7", "j", "9", "2", "1", ":live\r", "v", "P", "e"};
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            console_type(console, lines[i]);
            if (round > 0)
                assert_true(console_settle(console));
        }
        assert_true(console_settle(console));
    }
    console_type(console, "q");
    assert_ended_well(console);
}

static void test_suspend_and_go_on(void **state)
{
    struct console *console = *state;
    int told = console_start_in_shell(console, 80, 24, SMALL);
    assert_true(told >= 0);
    assert_true(console_wait_figure(console, "vehicles", 1));
    for (int round = 0; round < 2; round++) {
        console_type(console, "\x1a");
        assert_true(WIFSTOPPED(shell_told(told)));
        assert_terminal_restored(console);
        kill(-console->pid, SIGCONT);
        assert_true(console_shows(console, "LOCAL"));
    }
    console_type(console, "q");
    assert_true(console_ended_well(console, shell_told(told)));
    waitpid(console->shell, NULL, 0);
    assert_terminal_restored(console);
    console->shell = console->pid = 0;
    close(told);
}

/* Where no shell could continue it, Ctrl-Z must not leave it stopped for ever. */
static void test_suspend_without_shell(void **state)
{
    struct console *console = *state;
    assert_true(console_start(console, 80, 24, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 1));
    console_type(console, "\x1a");
    assert_true(console_settle(console));
    assert_true(console_shows(console, "LOCAL"));
    console_type(console, "q");
    assert_ended_well(console);
}

/* What runs ends first: here a journey that plays. When nothing runs, Ctrl-C asks. */
static void test_interrupt(void **state)
{
    struct console *console = *state;
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "journey.recorded", 100));
    json_decref(console_ask(console, "record off"));
    json_decref(console_ask(console, "replay journey-"));
    assert_true(console_shows(console, " REPLAY "));
    console_type(console, "\x03");
    assert_true(console_shows(console, " LIVE "));
    console_type(console, "\x03");
    assert_true(console_settle(console));
    console_type(console, "n:speed 2\r");
    assert_true(console_settle(console));
    console_type(console, "\x03");
    assert_true(console_settle(console));
    console_type(console, "y");
    assert_ended_well(console);
}

static void test_no_terminal(void **state)
{
    struct console *console = *state;
    static char *const none[] = {NULL};
    setenv("TERM", "dumb", 1);
    assert_true(console_start(console, 80, 24, none));
    int status = console_wait_exit(console);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
    assert_true(console_wrote(console, "--headless", 10));
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
        cmocka_unit_test_setup_teardown(test_replay_while_frozen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_suspend_and_go_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_suspend_without_shell, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interrupt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_terminal, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
