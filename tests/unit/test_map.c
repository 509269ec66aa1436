#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_set_get_remove(void **state)
{
    struct map *map = map_create();
    assert_int_equal(map_get(map, "a", 1), -1);
    map_set(map, "a", 1, 7);
    map_set(map, "ab", 2, 8);
    map_set(map, "", 0, 9);
    map_set(map, "a\0b", 3, 10);
    assert_int_equal(map_count(map), 4);
    assert_int_equal(map_get(map, "a", 1), 7);
    assert_int_equal(map_get(map, "ab", 2), 8);
    assert_int_equal(map_get(map, "", 0), 9);
    assert_int_equal(map_get(map, "a\0b", 3), 10);
    map_set(map, "a", 1, 11);
    assert_int_equal(map_get(map, "a", 1), 11);
    assert_int_equal(map_count(map), 4);
    map_remove(map, "a", 1);
    map_remove(map, "a", 1);
    map_remove(map, "never", 5);
    assert_int_equal(map_get(map, "a", 1), -1);
    assert_int_equal(map_count(map), 3);
    map_destroy(map);
    map_destroy(NULL);
}

/* Random work against an array: growth and the shifting back on removal lose nothing. */
static void test_against_an_array(void **state)
{
    enum { KEYS = 700 };
    int32_t expected[KEYS];
    memset(expected, -1, sizeof expected);
    struct map *map = map_create();
    unsigned random = 12345;
    size_t count = 0;
    for (int step = 0; step < 60000; step++) {
        random = random * 1103515245 + 12345;
        int key = (int)(random >> 8) % KEYS;
        char text[24];
        size_t length = (size_t)snprintf(text, sizeof text, "vehicle-%d", key);
        if (random >> 30 != 0 || step % 20000 < 5000) {
            count += expected[key] < 0;
            expected[key] = step;
            map_set(map, text, length, step);
        } else {
            count -= expected[key] >= 0;
            expected[key] = -1;
            map_remove(map, text, length);
        }
        assert_int_equal(map_count(map), count);
    }
    for (int key = 0; key < KEYS; key++) {
        char text[24];
        size_t length = (size_t)snprintf(text, sizeof text, "vehicle-%d", key);
        assert_int_equal(map_get(map, text, length), expected[key]);
    }
    for (int key = 0; key < KEYS; key++) {
        char text[24];
        size_t length = (size_t)snprintf(text, sizeof text, "vehicle-%d", key);
        map_remove(map, text, length);
    }
    assert_int_equal(map_count(map), 0);
    map_destroy(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_get_remove),
        cmocka_unit_test(test_against_an_array),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
