#include "tests/support/console_rig.h"

#include "app/control.h"
#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_KEPT (8u << 20)

struct console *console_create(void)
{
    struct console *console = mem_zero(1, sizeof *console);
    const char *build = getenv("SMARTCITY_BUILD");
    snprintf(console->program, sizeof console->program, "%s/smartcity", build ? build : "build/asan");
    if (access(console->program, X_OK) < 0)
        snprintf(console->program, sizeof console->program, "build/smartcity");
    snprintf(console->home, sizeof console->home, "/tmp/smartcity-console-XXXXXX");
    if (!mkdtemp(console->home)) {
        perror(console->home);
        free(console);
        return NULL;
    }
    snprintf(console->dump, sizeof console->dump, "%s/screen.txt", console->home);
    setenv("HOME", console->home, 1);
    setenv("XDG_RUNTIME_DIR", console->home, 1);
    static const char *const unset[] = {"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
                                        "XDG_DATA_HOME",   "NO_COLOR",       "TMUX"};
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
        unsetenv(unset[i]);
    setenv("LANG", "C.UTF-8", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("TERM", "xterm-256color", 1);
    pthread_mutex_init(&console->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&console->more, &attributes);
    pthread_condattr_destroy(&attributes);
    buf_init(&console->output, OUTPUT_KEPT + (1 << 20));
    console->fd = -1;
    return console;
}

static void console_stop_reading(struct console *console)
{
    if (console->reading) {
        pthread_join(console->reader, NULL); /* nothing has the terminal, so it ends by itself */
        console->reading = false;
    }
    if (console->fd >= 0)
        close(console->fd);
    console->fd = -1;
}

void console_destroy(struct console *console)
{
    char command[128];
    if (console->pid > 0) {
        kill(console->pid, SIGKILL);
        waitpid(console->shell > 0 ? console->shell : console->pid, NULL, 0);
    }
    console_stop_reading(console);
    pthread_mutex_destroy(&console->lock);
    pthread_cond_destroy(&console->more);
    buf_free(&console->output);
    snprintf(command, sizeof command, "rm -rf '%s'", console->home);
    if (system(command) != 0)
        fprintf(stderr, "%s was not removed\n", console->home);
    free(console);
}

/* ---- start ------------------------------------------------------------------------------------------- */

static void *console_read(void *context)
{
    struct console *console = context;
    char bytes[16384];
    for (;;) {
        ssize_t got = read(console->fd, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        pthread_mutex_lock(&console->lock);
        if (got > 0) {
            if (console->output.length > OUTPUT_KEPT)
                buf_consume(&console->output, OUTPUT_KEPT / 2);
            buf_append(&console->output, bytes, (size_t)got);
            console->written += (uint64_t)got;
        } else {
            console->ended = true; /* EIO: the last one closed it */
        }
        pthread_cond_broadcast(&console->more);
        pthread_mutex_unlock(&console->lock);
        if (got <= 0)
            return NULL;
    }
}

static void console_exec(const struct console *console, char *const *arguments)
{
    const char *argv[24] = {console->program};
    for (int i = 0; arguments[i] && i < 22; i++)
        argv[i + 1] = arguments[i];
    execv(console->program, (char *const *)argv);
    _exit(127);
}

static bool console_begin_reading(struct console *console)
{
    buf_reset(&console->output);
    console->written = 0;
    console->ended = false;
    console->reading = pthread_create(&console->reader, NULL, console_read, console) == 0;
    return console->reading;
}

bool console_start(struct console *console, int width, int height, char *const *arguments)
{
    struct winsize size = {.ws_col = (unsigned short)width, .ws_row = (unsigned short)height};
    console_stop_reading(console);
    console->pid = forkpty(&console->fd, NULL, NULL, &size);
    if (console->pid == 0)
        console_exec(console, arguments);
    return console->pid > 0 && console_begin_reading(console);
}

/* What a shell with job control does: the console in a process group of its own, in the foreground of a
 * session that somebody else leads; only so can a terminal stop it. `told` gets the console's pid, then its
 * statuses. */
static void shell_run(const struct console *console, int told, char *const *arguments)
{
    int status = 0;
    signal(SIGTTOU, SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        tcsetpgrp(STDIN_FILENO, getpid());
        signal(SIGTTOU, SIG_DFL);
        close(told);
        console_exec(console, arguments);
    }
    ssize_t sent = write(told, &child, sizeof child);
    do {
        if (waitpid(child, &status, WUNTRACED) == child)
            sent = write(told, &status, sizeof status);
    } while (sent > 0 && WIFSTOPPED(status));
    _exit(0);
}

int console_start_in_shell(struct console *console, int width, int height, char *const *arguments)
{
    struct winsize size = {.ws_col = (unsigned short)width, .ws_row = (unsigned short)height};
    int ends[2];
    console_stop_reading(console);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    console->shell = forkpty(&console->fd, NULL, NULL, &size);
    if (console->shell == 0)
        shell_run(console, ends[1], arguments);
    close(ends[1]);
    if (console->shell < 0 || read(ends[0], &console->pid, sizeof console->pid) != sizeof console->pid ||
        !console_begin_reading(console)) {
        close(ends[0]);
        return -1;
    }
    return ends[0];
}

bool console_start_headless(struct console *console, const char *file, char *const *arguments)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", console->home, file);
    console_stop_reading(console);
    console->pid = fork();
    if (console->pid == 0) {
        int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), in = open("/dev/null", O_RDONLY);
        dup2(in, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        console_exec(console, arguments);
    }
    return console->pid > 0;
}

/* ---- keys and answers -------------------------------------------------------------------------------- */

void console_type(struct console *console, const char *bytes)
{
    size_t length = strlen(bytes);
    if (write(console->fd, bytes, length) != (ssize_t)length)
        perror("typing");
}

bool console_resize(struct console *console, int width, int height)
{
    struct winsize size = {.ws_col = (unsigned short)width, .ws_row = (unsigned short)height};
    return ioctl(console->fd, TIOCSWINSZ, &size) == 0;
}

static bool console_lives(const struct console *console)
{
    siginfo_t info = {0}; /* it stays a zombie for console_wait_exit */
    if (console->shell > 0)
        return kill(console->pid, 0) == 0;
    return console->pid > 0 && waitid(P_PID, (id_t)console->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

json_t *console_ask(struct console *console, const char *command)
{
    int64_t until = clock_mono_us() + CONSOLE_PATIENCE_US;
    struct err err = ERR_INIT;
    while (clock_mono_us() < until && console_lives(console)) {
        char *reply = NULL;
        err = ERR_INIT;
        if (control_ask(console->pid, command, &reply, &err) == 0) {
            json_t *object = json_loads(reply, 0, NULL);
            free(reply);
            return object;
        }
        console_pump(console, 20000); /* it is only starting */
    }
    fprintf(stderr, "no answer to '%s': %s\n", command, console_lives(console) ? err.text : "it has ended");
    console_report(console);
    return NULL;
}

bool console_settle(struct console *console)
{
    json_t *status = console_ask(console, "status");
    json_decref(status);
    return status != NULL;
}

int64_t console_figure(struct console *console, const char *path)
{
    json_t *status = console_ask(console, "status"), *at = json_object_get(status, "data");
    char name[64];
    while (at && *path) {
        size_t length = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        at = json_object_get(at, name);
        path += length + (path[length] == '.');
    }
    int64_t value = json_is_integer(at) ? json_integer_value(at) : -1;
    json_decref(status);
    return value;
}

bool console_wait_figure(struct console *console, const char *path, int64_t at_least)
{
    int64_t until = clock_mono_us() + CONSOLE_PATIENCE_US, value = -1;
    while (clock_mono_us() < until && console_lives(console)) {
        value = console_figure(console, path);
        if (value >= at_least)
            return true;
        console_pump(console, 20000);
    }
    fprintf(stderr, "%s is %lld, not %lld\n", path, (long long)value, (long long)at_least);
    console_report(console);
    return false;
}

/* ---- the screen -------------------------------------------------------------------------------------- */

static char *console_dump(struct console *console)
{
    char line[160];
    struct buf text;
    struct err err = ERR_INIT;
    int64_t until = clock_mono_us() + CONSOLE_PATIENCE_US;
    unlink(console->dump);
    snprintf(line, sizeof line, ":dump %s\r", console->dump);
    console_type(console, line);
    while (file_size(console->dump) <= 0 && clock_mono_us() < until)
        if (!console_settle(console))
            return NULL;
    buf_init(&text, 1 << 20);
    if (file_read(console->dump, &text, &err) < 0) {
        fprintf(stderr, "no dump: %s\n", err.text);
        buf_free(&text);
        return NULL;
    }
    return text.data;
}

char *console_screen(struct console *console, const char *text, int64_t patience_us)
{
    int64_t until = clock_mono_us() + patience_us;
    char *screen;
    while ((screen = console_dump(console)) != NULL) {
        if (!text || strstr(screen, text))
            return screen;
        if (clock_mono_us() >= until)
            break;
        free(screen);
        console_pump(console, 100000);
    }
    fprintf(stderr, "%s\nthe screen does not show '%s'\n", screen ? screen : "", text ? text : "anything");
    free(screen);
    return NULL;
}

bool console_shows(struct console *console, const char *text)
{
    char *screen = console_screen(console, text, CONSOLE_PATIENCE_US);
    free(screen);
    return screen != NULL;
}

/* ---- the end ----------------------------------------------------------------------------------------- */

int console_wait_exit(struct console *console)
{
    int status = 0;
    int64_t until = clock_mono_us() + CONSOLE_PATIENCE_US;
    while (waitpid(console->pid, &status, WNOHANG) == 0) {
        if (clock_mono_us() > until) {
            fprintf(stderr, "it does not end\n");
            kill(console->pid, SIGKILL);
            waitpid(console->pid, &status, 0);
            status = -1;
            break;
        }
        console_pump(console, 20000);
    }
    console->pid = 0;
    for (bool ended = !console->reading; !ended && clock_mono_us() < until;) {
        console_pump(console, 20000);
        pthread_mutex_lock(&console->lock);
        ended = console->ended;
        pthread_mutex_unlock(&console->lock);
    }
    return status;
}

bool console_ended_well(struct console *console, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    fprintf(stderr, "it ended with wait status 0x%x\n", (unsigned)status);
    console_report(console);
    return false;
}

uint64_t console_pump(struct console *console, int64_t wait_us)
{
    struct timespec until;
    int64_t at = clock_mono_us() + wait_us;
    until.tv_sec = at / 1000000;
    until.tv_nsec = at % 1000000 * 1000;
    pthread_mutex_lock(&console->lock);
    uint64_t before = console->written;
    while (wait_us > 0 && console->written == before &&
           pthread_cond_timedwait(&console->more, &console->lock, &until) == 0)
        ;
    uint64_t written = console->written;
    pthread_mutex_unlock(&console->lock);
    return written;
}

bool console_wrote(struct console *console, const char *bytes, size_t length)
{
    pthread_mutex_lock(&console->lock);
    bool found = console->output.length > 0 &&
                 memmem(console->output.data, console->output.length, bytes, length) != NULL;
    pthread_mutex_unlock(&console->lock);
    return found;
}

void console_report(struct console *console)
{
    pthread_mutex_lock(&console->lock);
    const char *data = console->output.data ? console->output.data : "";
    size_t left = console->output.length, shown = 1500;
    const char *from = memmem(data, left, "==ERROR:", 8);
    if (from)
        shown = 8000;
    else
        from = left > shown ? data + left - shown : data;
    left -= (size_t)(from - data);
    for (size_t i = 0; i < left && i < shown; i++)
        fputc(from[i] == '\x1b' ? '^' : from[i], stderr);
    fputc('\n', stderr);
    pthread_mutex_unlock(&console->lock);
}
