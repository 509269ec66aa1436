#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static void test_readings(void **state)
{
    int64_t seconds = (int64_t)time(NULL);
    int64_t wall = clock_wall_us() / 1000000;
    assert_true(wall >= seconds - 1 && wall <= seconds + 2);
    int64_t mono = clock_mono_us();
    assert_true(clock_mono_us() >= mono);
    int64_t cpu = clock_thread_cpu_us();
    assert_true(cpu >= 0 && cpu <= clock_process_cpu_us());
}

static void test_sleep_until(void **state)
{
    int64_t until = clock_mono_us() + 2000;
    clock_sleep_until(until);
    assert_true(clock_mono_us() >= until);
    clock_sleep_until(0); /* the past: at once */
    clock_sleep_until(-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readings),
        cmocka_unit_test(test_sleep_until),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
