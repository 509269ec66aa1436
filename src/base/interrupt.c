#include "base/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t caught; /* a signal handler has nowhere else to write */

static void interrupt_on_signal(int number)
{
    caught = number;
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = interrupt_on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int interrupt_caught(void)
{
    return caught;
}

void interrupt_ignore_pipe(void)
{
    signal(SIGPIPE, SIG_IGN);
}
