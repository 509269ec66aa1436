#include "base/clock.h"
#include "base/loop.h"
#include "base/worker.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct loop *loop;
    int pipes[3][2];
    int calls[4];
    int timers[4];
    char order[16];
};

static int set_up(void **state)
{
    static struct world world;
    world = (struct world){.loop = loop_create(NULL)};
    for (int i = 0; i < 3; i++)
        if (pipe2(world.pipes[i], O_CLOEXEC) != 0)
            return -1;
    *state = &world;
    return world.loop ? 0 : -1;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    loop_destroy(world->loop);
    for (int i = 0; i < 3; i++)
        for (int end = 0; end < 2; end++)
            if (world->pipes[i][end] >= 0)
                close(world->pipes[i][end]);
    return 0;
}

static void note(struct world *world, char what)
{
    size_t length = strlen(world->order);
    if (length + 1 < sizeof world->order)
        world->order[length] = what;
}

static void stop(struct loop *loop, void *context)
{
    note(context, 's');
    loop_stop(loop);
}

static void read_and_stop(struct loop *loop, void *context)
{
    struct world *world = context;
    char byte;
    assert_int_equal(read(world->pipes[0][0], &byte, 1), 1);
    world->calls[0]++;
    if (byte == 'q')
        loop_stop(loop);
}

static void test_fd(void **state)
{
    struct world *world = *state;
    assert_int_equal(loop_add_fd(world->loop, world->pipes[0][0], read_and_stop, world, NULL), 0);
    assert_int_equal(write(world->pipes[0][1], "abq", 3), 3);
    loop_run(world->loop);
    assert_int_equal(world->calls[0], 3);
}

static void test_plain_file_is_refused(void **state)
{
    struct world *world = *state;
    struct err err = ERR_INIT;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(loop_add_fd(world->loop, fd, stop, world, &err), -1);
    assert_int_equal(err.kind, ERR_UNSUPPORTED);
    close(fd);
    assert_int_equal(loop_add_fd(world->loop, 9999, stop, world, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
}

/* All three are readable in one turn; whichever is called first removes the others and closes them. */
static void remove_the_others(struct loop *loop, void *context)
{
    struct world *world = context;
    world->calls[0]++;
    for (int i = 0; i < 3; i++) {
        loop_remove_fd(loop, world->pipes[i][0]);
        close(world->pipes[i][0]);
        world->pipes[i][0] = -1;
    }
    /* A newcomer on the same number must not get an old event. */
    assert_int_equal(pipe2(world->pipes[0], O_CLOEXEC), 0);
    assert_int_equal(loop_add_fd(loop, world->pipes[0][0], remove_the_others, world, NULL), 0);
    loop_add_timer(loop, 0, 0, stop, world);
}

static void test_removal_while_called(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(write(world->pipes[i][1], "x", 1), 1);
        assert_int_equal(loop_add_fd(world->loop, world->pipes[i][0], remove_the_others, world, NULL), 0);
    }
    int old_write_end = world->pipes[0][1];
    loop_run(world->loop);
    assert_int_equal(world->calls[0], 1);
    close(old_write_end);
}

static void note_a(struct loop *loop, void *context)
{
    (void)loop;
    note(context, 'a');
}

static void note_b(struct loop *loop, void *context)
{
    (void)loop;
    note(context, 'b');
}

static void test_timers_fire_in_order(void **state)
{
    struct world *world = *state;
    loop_add_timer(world->loop, 3000, 0, stop, world);
    loop_add_timer(world->loop, 1000, 0, note_b, world);
    loop_add_timer(world->loop, 500, 0, note_a, world);
    int gone = loop_add_timer(world->loop, 700, 0, stop, world);
    assert_true(gone > 0);
    loop_remove_timer(world->loop, gone);
    loop_remove_timer(world->loop, gone);
    loop_remove_timer(world->loop, 0);
    loop_remove_timer(world->loop, 12345);
    loop_run(world->loop);
    assert_string_equal(world->order, "abs");
}

static void repeat(struct loop *loop, void *context)
{
    struct world *world = context;
    if (++world->calls[0] == 5) {
        loop_remove_timer(loop, world->timers[0]); /* itself */
        loop_remove_timer(loop, world->timers[1]); /* one that is due now */
        for (int i = 0; i < 50; i++)               /* the array moves */
            loop_add_timer(loop, 60000000, 0, stop, context);
        loop_add_timer(loop, 0, 0, stop, context);
    }
}

static void test_repeating_timer_removes_itself_and_another(void **state)
{
    struct world *world = *state;
    int64_t start = clock_mono_us();
    world->timers[0] = loop_add_timer(world->loop, 0, 200, repeat, world);
    world->timers[1] = loop_add_timer(world->loop, 60000000, 0, stop, world);
    loop_run(world->loop);
    assert_int_equal(world->calls[0], 5);
    assert_true(clock_mono_us() - start >= 800);
    assert_string_equal(world->order, "s");
}

static void again(struct loop *loop, void *context)
{
    struct world *world = context;
    world->calls[0]++;
    loop_add_timer(loop, 0, 0, again, context);
}

/* Timers that are always due do not keep the descriptors from their turn. */
static void test_due_timers_do_not_starve_descriptors(void **state)
{
    struct world *world = *state;
    loop_add_timer(world->loop, 0, 0, again, world);
    loop_add_fd(world->loop, world->pipes[0][0], stop, world, NULL);
    assert_int_equal(write(world->pipes[0][1], "x", 1), 1);
    loop_run(world->loop);
    assert_true(world->calls[0] <= 2);
}

static void test_signals_arrive_as_events(void **state)
{
    struct world *world = *state;
    sigset_t mask;
    assert_int_equal(loop_add_signal(world->loop, SIGWINCH, note_a, world, NULL), 0);
    assert_int_equal(loop_add_signal(world->loop, SIGTERM, stop, world, NULL), 0);
    assert_int_equal(loop_add_signal(world->loop, 0, stop, world, NULL), -1);
    kill(getpid(), SIGWINCH);
    loop_add_timer(world->loop, 0, 0, note_b, world);
    raise(SIGTERM);
    loop_run(world->loop);
    assert_int_equal(world->order[0], 'b');
    assert_non_null(strchr(world->order, 's'));
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 1);
    loop_destroy(world->loop);
    world->loop = NULL;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
}

static void before_wait(struct loop *loop, void *context)
{
    struct world *world = context;
    if (++world->calls[1] == 3)
        loop_stop(loop);
}

static void wake_twice(void *context)
{
    struct world *world = context;
    loop_wake(world->loop);
}

static void wake_again(struct loop *loop, void *context)
{
    (void)context;
    loop_wake(loop);
}

static void test_wake_runs_the_hook(void **state)
{
    struct world *world = *state;
    loop_set_before_wait(world->loop, before_wait, world);
    struct worker *worker = worker_start("waker", wake_twice, world, NULL);
    loop_add_timer(world->loop, 1000, 0, wake_again, world);
    loop_run(world->loop);
    worker_join(worker);
    assert_int_equal(world->calls[1], 3);
}

static void test_stop_before_run(void **state)
{
    struct world *world = *state;
    loop_stop(world->loop);
    loop_run(world->loop); /* returns */
    loop_add_timer(world->loop, 0, 0, stop, world);
    loop_run(world->loop); /* and runs again afterwards */
    assert_string_equal(world->order, "s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fd, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plain_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removal_while_called, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_timers_fire_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_repeating_timer_removes_itself_and_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_due_timers_do_not_starve_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signals_arrive_as_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wake_runs_the_hook, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_before_run, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
