/*
 * Gives the terminal back whatever happens: at exit() and on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT. A
 * signal handler can be told nothing but through static storage, so this is the one place that keeps some; it
 * is written only by term.c, from the main thread.
 */
#ifndef SMARTCITY_UI_TERM_GUARD_H
#define SMARTCITY_UI_TERM_GUARD_H

#include <stddef.h>
#include <termios.h>

#define TERM_GUARD_BYTES 512
/* From now on `bytes` (mouse off, colours off, cursor on, screen back) are written to fd and `modes` restored
 * when the process ends without term_guard_disarm. */
void term_guard_arm(int fd, const struct termios *modes, const char *bytes, size_t length);
void term_guard_disarm(void);

#endif
