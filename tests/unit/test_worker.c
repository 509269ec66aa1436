#include "base/worker.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    char name[16];
    sigset_t mask;
};

static void look(void *context)
{
    struct seen *seen = context;
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    pthread_sigmask(SIG_BLOCK, NULL, &seen->mask);
}

static void test_name_and_signals(void **state)
{
    struct err err = ERR_INIT;
    struct seen seen = {.name = ""};
    struct worker *worker = worker_start("a-name-beyond-fifteen", look, &seen, &err);
    assert_non_null(worker);
    worker_join(worker);
    assert_string_equal(seen.name, "a-name-beyond-f");
    static const int blocked[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT, SIGCHLD, SIGPIPE};
    for (size_t i = 0; i < sizeof blocked / sizeof blocked[0]; i++)
        assert_int_equal(sigismember(&seen.mask, blocked[i]), 1);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        assert_int_equal(sigismember(&seen.mask, faults[i]), 0);
    sigset_t ours;
    pthread_sigmask(SIG_BLOCK, NULL, &ours);
    assert_int_equal(sigismember(&ours, SIGTERM), 0);
    worker_join(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_and_signals),
    };
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
