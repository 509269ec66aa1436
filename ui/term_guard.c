#include "ui/term_guard.h"

#include "base/err.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
    volatile sig_atomic_t armed;
    bool installed;
    int fd;
    struct termios modes;
    size_t length;
    char bytes[TERM_GUARD_BYTES];
} guard;

/* Async-signal-safe: write and tcsetattr are on POSIX's list. */
static void restore(void)
{
    if (!guard.armed)
        return;
    guard.armed = 0;
    for (size_t sent = 0; sent < guard.length;) {
        ssize_t count = write(guard.fd, guard.bytes + sent, guard.length - sent);
        if (count <= 0)
            break;
        sent += (size_t)count;
    }
    tcsetattr(guard.fd, TCSAFLUSH, &guard.modes);
}

static void on_crash(int number)
{
    static const char words[] = "smartcity ended by an error of its own (signal ";
    bool was_armed = guard.armed;
    restore();
    if (was_armed) {
        char digits[] = {(char)('0' + number / 10), (char)('0' + number % 10), ')', '\n'};
        size_t from = number < 10 ? 1 : 0;
        if (write(STDERR_FILENO, words, sizeof words - 1) > 0 &&
            write(STDERR_FILENO, digits + from, sizeof digits - from) < 0)
            raise(number); /* nobody is left to be told */
    }
    /* SA_RESETHAND put the default back: the same fault, or this, ends the process with the true status and
     * core. */
    raise(number);
}

void term_guard_arm(int fd, const struct termios *modes, const char *bytes, size_t length)
{
    guard.armed = 0;
    guard.fd = fd;
    guard.modes = *modes;
    guard.length = length < TERM_GUARD_BYTES ? length : TERM_GUARD_BYTES;
    memcpy(guard.bytes, bytes, guard.length);
    if (!guard.installed) {
        guard.installed = true;
        atexit(restore);
        /* A stack of its own, so that an overflow of the main one is survived too. */
        size_t size = 64 * 1024;
        void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block != MAP_FAILED)
            sigaltstack(&(stack_t){.ss_sp = block, .ss_size = size}, NULL);
        static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
        for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
            struct sigaction action = {.sa_handler = on_crash,
                                       .sa_flags = (int)(SA_RESETHAND | SA_NODEFER | SA_ONSTACK)};
            sigaction(signals[i], &action, NULL);
        }
    }
    guard.armed = 1;
}

void term_guard_disarm(void)
{
    guard.armed = 0;
}
