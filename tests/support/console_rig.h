/*
 * The real program on a pseudo-terminal, as tests drive it: a thread reads all it writes, so that it never
 * waits for the test; keys are typed, the window is resized, what the screen shows is read by its own
 * `:dump`; that something was taken is known from the control socket, which the same thread of the program
 * answers.
 *
 * Nothing here asserts: what fails says so on stderr and returns false, NULL or -1. Programs are found by
 * $SMARTCITY_BUILD. One test thread.
 */
#ifndef SMARTCITY_TESTS_CONSOLE_RIG_H
#define SMARTCITY_TESTS_CONSOLE_RIG_H

#include "base/buf.h"

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONSOLE_PATIENCE_US                                                                                  \
    40000000 /* under a sanitizer and a busy machine; nothing waits longer than it must */

struct console {
    char home[64], dump[96], program[256];
    pid_t pid;
    pid_t shell; /* its parent where that is not the test; 0 */
    int fd;      /* the terminal's other end; -1: it has none */
    /* under the lock */
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct buf output; /* the newest of what it wrote */
    uint64_t written;  /* bytes, in all */
    bool ended;        /* nothing has the terminal any more */
    pthread_t reader;
    bool reading;
};

/* An empty home under /tmp, which becomes HOME and the run directory of this process; nothing runs yet. */
struct console *console_create(void);
/* Kills what runs and removes the home. */
void console_destroy(struct console *console);

/* `arguments` ends with NULL. TERM, and more of the environment, is the caller's to set before. */
bool console_start(struct console *console, int width, int height, char *const *arguments);
/* As a child of a shell with job control; returns the descriptor that gets the wait status of each stop and
 * of the end; -1. */
int console_start_in_shell(struct console *console, int width, int height, char *const *arguments);
/* Without a terminal; stdout and stderr go to `file` in the home. */
bool console_start_headless(struct console *console, const char *file, char *const *arguments);

void console_type(struct console *console, const char *bytes);
bool console_resize(struct console *console, int width, int height);

/* The answer to a command over the control socket; NULL when it does not come. The caller frees. */
json_t *console_ask(struct console *console, const char *command);
/* Everything typed so far was taken. */
bool console_settle(struct console *console);
/* An integer of `status` by a path as "topics.vehicle_data.consumed"; -1. */
int64_t console_figure(struct console *console, const char *path);
bool console_wait_figure(struct console *console, const char *path, int64_t at_least);

/* The screen as text, until it shows `text` (NULL: anything); NULL after patience_us. The caller frees. */
char *console_screen(struct console *console, const char *text, int64_t patience_us);
bool console_shows(struct console *console, const char *text);

/* Waits until it ended: its wait status, or -1. */
int console_wait_exit(struct console *console);
/* It ended by itself with 0; reports otherwise. */
bool console_ended_well(struct console *console, int status);

/* Waits at most wait_us for something new from it; the bytes written so far. */
uint64_t console_pump(struct console *console, int64_t wait_us);
/* It wrote `bytes` (of the newest 8 MiB). */
bool console_wrote(struct console *console, const char *bytes, size_t length);
/* The end of what it wrote, or a sanitizer's report in it, on stderr, harmless. */
void console_report(struct console *console);

#endif
