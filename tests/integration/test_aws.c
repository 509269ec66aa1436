/* The AWS client against the local cloud: every operation, and what happens when answers fail, are cut, late
 * or lost.
 */
#include "aws/json.h"
#include "aws/s3.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "tests/support/aws_rig.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct aws_rig rig;

static int64_t soon(void)
{
    return clock_mono_us() + 30000000;
}

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    bool made = false;
    if (!aws_rig_open(&rig, NULL))
        return -1;
    if (aws_s3_bucket_wait(rig.client, "lake", NULL, soon(), &made, &err) != 0 || !made) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    aws_rig_close(&rig);
    return 0;
}

#define assert_ok(expression)                                                                                \
    do {                                                                                                     \
        struct err err = ERR_INIT;                                                                           \
        if ((expression) != 0)                                                                               \
            fail_msg("%s: %s", #expression, err.text);                                                       \
    } while (0)

static struct aws_s3_put text_put(const char *key, const char *text)
{
    return (struct aws_s3_put){.bucket = "lake", .key = key, .body = {.bytes = text, .size = strlen(text)}};
}

static void put(const char *key, const char *text)
{
    struct aws_s3_put request = text_put(key, text);
    assert_ok(aws_s3_put_wait(rig.client, &request, NULL, NULL, NULL, NULL, &err));
}

static void expect(const char *key, const char *text)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_ok(aws_s3_get_wait(rig.client, "lake", key, NULL, soon(), &out, NULL, &err));
    assert_int_equal(out.length, strlen(text));
    assert_memory_equal(out.data, text, out.length);
    buf_free(&out);
}

/* ---- objects ---------------------------------------------------------------------------------------- */

static void test_objects(void **state)
{
    /* names that signing gets wrong most easily */
    static const char *const keys[] = {"a",
                                       "raw/vehicle_data/dt=2026-06-15/0-00000000000000000000-5.parquet",
                                       "a//b/../c/./d",
                                       "plus+space and%percent&amp;?query#hash",
                                       "unicode/Zürich/日本.txt",
                                       "quote'\"<>"};
    struct aws_s3_object object;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        put(keys[i], keys[i]);
        expect(keys[i], keys[i]);
        assert_ok(aws_s3_head_wait(rig.client, "lake", keys[i], NULL, soon(), &object, &err));
        assert_int_equal(object.size, strlen(keys[i]));
        assert_int_equal(object.checksum_kind, CHECKSUM_CRC32);
        assert_true(object.etag[0] == '"' && object.modified_ms > 0);
    }
    struct err err = ERR_INIT;
    assert_int_equal(aws_s3_head_wait(rig.client, "lake", "absent", NULL, soon(), &object, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects),
    };
    return cmocka_run_group_tests_name("aws", tests, set_up, tear_down);
}
