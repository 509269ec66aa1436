/*
 * The console as its user meets it, on a pseudo-terminal of 132x43: how soon the first frame and the first
 * event from Kafka are on the screen, what a frame costs (drawn, compared and written to the terminal), what
 * the program needs while running and while paused. The peer of the start is `true` under the same exec; the
 * others have a budget.
 */
#include "app/command.h"
#include "app/control.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "tests/support/drive_view.h"
#include "ui/screen.h"

#include <jansson.h>
#include <locale.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAMES 600

static void figure(const char *name, double value, const char *unit, const char *budget)
{
    printf("%-52s %10.2f %-10s %s\n", name, value, unit, budget);
    fflush(stdout);
}

/* ---- what a frame costs ----------------------------------------------------------------------------- */

static const struct view *bench_view(void *context, int64_t now_us)
{
    struct drive_view *fixture = context;
    drive_view_advance(fixture, 0.1);
    fixture->view.generation++;
    fixture->view.mono_us = now_us;
    return &fixture->view;
}

static void bench_execute(void *context, const char *line, struct command_reply *reply)
{
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* In the child, with the pty as its terminal: frames on a clock of their own, so that each is due. */
static void draw_frames(int out)
{
    int64_t costs[FRAMES];
    struct err err = ERR_INIT;
    setlocale(LC_ALL, "C.UTF-8");
    setenv("TERM", "xterm-256color", 1);
    struct term_settings settings = {.glyphs = -1, .mouse = true};
    struct term *term = term_create(&settings, &err);
    if (!term)
        _exit(1);
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct screen_settings screen_settings = {
        .term = term, .host = {.context = fixture, .view = bench_view, .execute = bench_execute}};
    screen_settings.commands.count = command_table(&screen_settings.commands.rows);
    struct screen *screen = screen_create(&screen_settings);
    int64_t now = clock_mono_us();
    for (int i = 0; i < FRAMES; i++, now += 40000) {
        struct pollfd drained = {.fd = STDOUT_FILENO, .events = POLLOUT};
        while (term_busy(term))
            poll(&drained, 1, 1);
        int64_t began = clock_mono_us();
        screen_draw(screen, now);
        costs[i] = clock_mono_us() - began;
    }
    struct screen_figures figures;
    screen_figures(screen, &figures);
    screen_destroy(screen);
    term_destroy(term);
    qsort(costs, FRAMES, sizeof *costs, compare);
    char text[128];
    int length = snprintf(text, sizeof text, "%lld %lld %llu", (long long)costs[FRAMES / 2],
                          (long long)costs[FRAMES * 99 / 100], (unsigned long long)figures.frames);
    _exit(write(out, text, (size_t)length) == length ? 0 : 1);
}

static size_t drain(int fd, int wait_ms)
{
    char bytes[65536];
    size_t total = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (poll(&ready, 1, wait_ms) > 0) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got <= 0)
            break;
        total += (size_t)got;
        wait_ms = 0;
    }
    return total;
}

static void bench_frames(void)
{
    struct winsize size = {.ws_col = 132, .ws_row = 43};
    int result[2], fd;
    if (pipe(result) < 0)
        return;
    pid_t pid = forkpty(&fd, NULL, NULL, &size);
    if (pid == 0)
        draw_frames(result[1]);
    close(result[1]);
    int status;
    while (waitpid(pid, &status, WNOHANG) == 0)
        drain(fd, 10);
    char text[128] = "", *at = text;
    if (read(result[0], text, sizeof text - 1) <= 0) {
        puts("frames: the child did not report");
        return;
    }
    long long median = strtoll(at, &at, 10), p99 = strtoll(at, &at, 10), frames = strtoll(at, &at, 10);
    close(result[0]);
    close(fd);
    figure("frame at 132x43, median", (double)median / 1000, "ms", "");
    figure("frame at 132x43, p99", (double)p99 / 1000, "ms", "under 8 ms");
    figure("frames drawn of 600 asked", (double)frames, "", "");
}

/* ---- the program ------------------------------------------------------------------------------------ */

static double process_value(pid_t pid, const char *file, const char *key, int field)
{
    char path[64], line[1024];
    double value = -1;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *in = fopen(path, "re");
    while (in && value < 0 && fgets(line, sizeof line, in)) {
        if (key && strncmp(line, key, strlen(key)) == 0) {
            value = strtod(line + strlen(key), NULL);
        } else if (!key) { /* stat: fields after the name in parentheses */
            char *at = strrchr(line, ')');
            double sum = 0;
            for (int i = 2; at && i <= field + 1; i++) {
                at = strchr(at + 1, ' ');
                if (at && i >= field)
                    sum += strtod(at, NULL);
            }
            value = sum;
        }
    }
    if (in)
        fclose(in);
    return value;
}

/* utime and stime of /proc/PID/stat are fields 14 and 15, counted from 1; ')' ends field 2. */
static double process_cpu_s(pid_t pid)
{
    return process_value(pid, "stat", NULL, 13) / (double)sysconf(_SC_CLK_TCK);
}

static bool ask(pid_t pid, const char *line, double *vehicles)
{
    char *reply;
    struct err err = ERR_INIT;
    if (control_ask(pid, line, &reply, &err) < 0)
        return false;
    json_t *object = json_loads(reply, 0, NULL);
    if (vehicles)
        *vehicles = json_number_value(json_object_get(json_object_get(object, "data"), "vehicles"));
    json_decref(object);
    free(reply);
    return true;
}

static void use(int fd, pid_t pid, int seconds, double *cpu_percent, double *bytes_per_s)
{
    int64_t began = clock_mono_us(), end = began + (int64_t)seconds * 1000000;
    double cpu = process_cpu_s(pid), bytes = 0;
    while (clock_mono_us() < end)
        bytes += (double)drain(fd, 50);
    double elapsed = (double)(clock_mono_us() - began) / 1e6;
    *cpu_percent = (process_cpu_s(pid) - cpu) * 100 / elapsed;
    *bytes_per_s = bytes / elapsed;
}

static void bench_program(const char *program)
{
    struct winsize size = {.ws_col = 132, .ws_row = 43};
    struct buf output;
    int fd;
    int64_t began = clock_mono_us(), first = 0, event = 0;
    pid_t pid = forkpty(&fd, NULL, NULL, &size);
    if (pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        execl(program, program, "run", (char *)NULL);
        _exit(127);
    }
    buf_init(&output, 4 << 20);
    while ((!first || !event) && clock_mono_us() - began < 10000000) {
        char bytes[65536];
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, 1) > 0) {
            ssize_t got = read(fd, bytes, sizeof bytes);
            if (got <= 0 || !buf_append(&output, bytes, (size_t)got))
                break;
        }
        if (!first && output.length && strstr(output.data, "Map"))
            first = clock_mono_us();
        if (!event && output.length &&
            strstr(output.data, "km/h")) /* the followed vehicle's speed, from Kafka */
            event = clock_mono_us();
    }
    buf_free(&output);
    figure("exec to the first frame", (double)(first - began) / 1000, "ms", "under 100 ms");
    figure("exec to the first Kafka event on a panel", (double)(event - began) / 1000, "ms", "under 1000 ms");
    double cpu, bytes;
    use(fd, pid, 10, &cpu, &bytes);
    figure("running at x1, 250 vehicles: one core", cpu, "%", "");
    figure("running: written to the terminal", bytes / 1000, "kB/s", "");
    figure("resident after 10 s", process_value(pid, "status", "VmRSS:", 0) / 1024, "MiB", "under 64 MB");
    ask(pid, "pause on", NULL);
    use(fd, pid, 6, &cpu, &bytes); /* the rates fall to zero first */
    use(fd, pid, 10, &cpu, &bytes);
    figure("paused: one core", cpu, "%", "under 1 %");
    figure("paused: written to the terminal", bytes, "B/s", "nothing");
    kill(pid, SIGTERM);
    while (waitpid(pid, NULL, WNOHANG) == 0)
        drain(fd, 20);
    close(fd);
}

int main(void)
{
    char home[] = "/tmp/smartcity-bench-XXXXXX", command[64];
    const char *program = access("build/smartcity", X_OK) == 0 ? "build/smartcity" : "smartcity";
    if (!mkdtemp(home))
        return 1;
    setenv("HOME", home, 1);
    setenv("XDG_RUNTIME_DIR", home, 1);
    unsetenv("XDG_DATA_HOME");
    unsetenv("XDG_STATE_HOME");
    unsetenv("XDG_CACHE_HOME");
    bench_frames();
    bench_program(program);
    snprintf(command, sizeof command, "rm -rf %s", home);
    return system(command);
}
