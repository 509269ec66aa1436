#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The known answers published with Random123 (kat_vectors, philox4x32 10). */
static void test_known_answers(void **state)
{
    static const struct {
        struct rng_key key;
        uint32_t out[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{UINT64_MAX, UINT32_MAX, UINT64_MAX, UINT32_MAX}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x299f31d0a4093822, 0x243f6a88, 0x13198a2e85a308d3, 0x03707344},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t out[4];
        rng_block(&cases[i].key, out);
        assert_memory_equal(out, cases[i].out, sizeof out);
    }
}

#define DRAWS 20000

static void test_moments(void **state)
{
    double uniform = 0, normal = 0, square = 0, pair = 0, exponential = 0, lognormal = 0, log_square = 0;
    uint32_t counts[10] = {0};
    for (uint64_t tick = 0; tick < DRAWS; tick++) {
        struct rng_key key = {.seed = 7, .entity = 3, .tick = tick, .purpose = 1};
        double u = rng_uniform(&key), n = rng_normal(&key), a, b;
        assert_true(u >= 0 && u < 1);
        assert_true(isfinite(n));
        rng_normal_pair(&key, &a, &b);
        assert_true(a == n);
        uniform += u;
        normal += n;
        square += n * n;
        pair += a * b;
        double e = rng_exponential(&key, 4);
        assert_true(e >= 0 && isfinite(e));
        exponential += e;
        double l = rng_lognormal(&key, 10, 0.5);
        lognormal += l;
        log_square += l * l;
        uint32_t below = rng_below(&key, 10);
        assert_true(below < 10);
        counts[below]++;
    }
    /* five standard errors */
    double root = sqrt(DRAWS);
    assert_true(fabs(uniform / DRAWS - 0.5) < 5 * 0.2887 / root);
    assert_true(fabs(normal / DRAWS) < 5 / root);
    assert_true(fabs(square / DRAWS - 1) < 5 * 1.4142 / root);
    assert_true(fabs(pair / DRAWS) < 5 / root);
    assert_true(fabs(exponential / DRAWS - 4) < 5 * 4 / root);
    double mean = lognormal / DRAWS;
    assert_true(fabs(mean - 10) < 5 * 5 / root);
    assert_true(fabs(sqrt(log_square / DRAWS - mean * mean) / mean - 0.5) < 0.05);
    for (int i = 0; i < 10; i++)
        assert_true(fabs(counts[i] - DRAWS / 10.0) < 5 * sqrt(DRAWS * 0.09));
}

static void test_each_part_of_the_key_counts(void **state)
{
    struct rng_key base = {.seed = 1, .entity = 2, .tick = 3, .purpose = 4};
    struct rng_key others[5] = {base, base, base, base, base};
    others[0].seed ^= UINT64_C(1) << 63;
    others[1].entity ^= 1;
    others[2].tick ^= UINT64_C(1) << 40;
    others[3].purpose ^= 1;
    others[4].tick ^= 1;
    for (int i = 0; i < 5; i++)
        assert_true(rng_u64(&base) != rng_u64(&others[i]));
    assert_int_equal(rng_below(&base, 1), 0);
    assert_int_equal(rng_below(&base, 0), 0);
}

static void test_uuid(void **state)
{
    char a[37], b[37];
    for (uint64_t tick = 0; tick < 100; tick++) {
        rng_uuid(&(struct rng_key){.seed = 9, .tick = tick}, a);
        assert_int_equal(strlen(a), 36);
        assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
        assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
        assert_int_equal(a[14], '8');
        assert_non_null(strchr("89ab", a[19]));
    }
    rng_uuid(&(struct rng_key){.seed = 9, .tick = 99}, b);
    assert_string_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_each_part_of_the_key_counts),
        cmocka_unit_test(test_uuid),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
