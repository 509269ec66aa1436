#include "base/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct worker {
    pthread_t thread;
    void (*run)(void *context);
    void *context;
    char name[16]; /* the kernel keeps 15 characters */
};

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    pthread_setname_np(pthread_self(), worker->name);
    worker->run(worker->context);
    return NULL;
}

struct worker *worker_start(const char *name, void (*run)(void *context), void *context, struct err *err)
{
    /* A fault is delivered to the thread that caused it; blocked, it would end the process before the handler
     * that restores the terminal. */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    struct worker *worker = mem_zero(1, sizeof *worker);
    worker->run = run;
    worker->context = context;
    snprintf(worker->name, sizeof worker->name, "%.15s", name);

    /* Masked before the thread exists, so that no signal can slip in at its start. */
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int code = pthread_create(&worker->thread, NULL, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        free(worker);
        err_set_errno(err, ERR_INTERNAL, code, "cannot start the %s thread", name);
        return NULL;
    }
    return worker;
}

void worker_join(struct worker *worker)
{
    if (!worker)
        return;
    pthread_join(worker->thread, NULL);
    free(worker);
}
