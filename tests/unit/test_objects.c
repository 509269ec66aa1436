/* The object store by its own interface, as the engines use it. */
#include "localcloud/objects.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static struct objects *objects;
static struct err err;

static int set_up(void **state)
{
    memcpy(folder, "/tmp/smartcity-objects-XXXXXX", sizeof "/tmp/smartcity-objects-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    objects = objects_open(folder, &err);
    return objects && objects_bucket_create(objects, "lake", 1, &err) == OBJECTS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[100];
    objects_close(objects);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void put(const char *key, const char *text)
{
    assert_int_equal(objects_put(objects, "lake", key, text, strlen(text), "text/plain", &err), OBJECTS_OK);
}

static void expect(const char *key, const char *text)
{
    struct buf got;
    buf_init(&got, 1000);
    assert_int_equal(objects_read(objects, "lake", key, &got, &err), OBJECTS_OK);
    assert_string_equal(got.data, text);
    buf_free(&got);
}

static void test_names(void **state)
{
    static const char *const good[] = {"abc", "a.b-c", "123", "my-lake.2026"};
    static const char *const bad[] = {"ab",
                                      "Abc",
                                      "a_b",
                                      "-abc",
                                      "abc-",
                                      ".abc",
                                      "a..b",
                                      "1.2.3.4",
                                      "xn--abc",
                                      "a/b",
                                      "../etc",
                                      "abc-s3alias",
                                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(objects_bucket_name_ok(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(objects_bucket_name_ok(bad[i]));
}

/* A lease keeps what was there, whatever happens to the keys. */
static void test_lease(void **state)
{
    struct object_info info;
    char path[OBJECTS_PATH_SIZE], second[OBJECTS_PATH_SIZE];
    put("l", "first");
    struct objects_lease *lease = objects_lease(objects);
    assert_int_equal(objects_head(objects, "lake", "l", &info, &err), OBJECTS_OK);
    objects_path(objects, info.blob, path);
    object_info_free(&info);
    put("l", "second");
    assert_int_equal(objects_head(objects, "lake", "l", &info, &err), OBJECTS_OK);
    objects_path(objects, info.blob, second);
    object_info_free(&info);
    struct objects_lease *later = objects_lease(objects);
    assert_int_equal(objects_delete(objects, "lake", "l", &err), OBJECTS_OK);
    assert_int_equal(access(path, R_OK), 0);
    assert_int_equal(access(second, R_OK), 0);
    objects_release(lease);
    assert_int_equal(access(path, R_OK), -1);  /* dropped before `later` began */
    assert_int_equal(access(second, R_OK), 0); /* which still protects this one */
    objects_release(later);
    assert_int_equal(access(second, R_OK), -1);
    assert_int_equal(objects_head(objects, "lake", "l", &info, &err), OBJECTS_NO_KEY);
}

/* What an engine writes by itself becomes an object in one step. */
static void test_engine_writes(void **state)
{
    char etag[OBJECTS_ETAG_SIZE];
    struct objects_put how = {.headers = "content-type: text/csv\n", .condition.if_none_match = "*"};
    struct objects_writer *writer = objects_writer_create(objects, &err);
    FILE *file = fopen(objects_writer_path(writer), "w");
    fputs("a,b\n1,2\n", file);
    fclose(file);
    assert_int_equal(objects_writer_commit(writer, "lake", "out/1.csv", &how, etag, &err), OBJECTS_OK);
    objects_writer_destroy(writer);
    assert_string_equal(etag, "e5ebd4c02cefbe7955977c67ada242b7"); /* md5sum */
    expect("out/1.csv", "a,b\n1,2\n");
    writer = objects_writer_create(objects, &err);
    objects_writer_write(writer, "x", 1, &err);
    assert_int_equal(objects_writer_commit(writer, "lake", "out/1.csv", &how, etag, &err),
                     OBJECTS_PRECONDITION);
    char path[OBJECTS_PATH_SIZE];
    snprintf(path, sizeof path, "%s", objects_writer_path(writer));
    objects_writer_destroy(writer);
    assert_int_equal(access(path, F_OK), -1); /* not committed: gone */
    /* a symbolic link in its place is not followed */
    writer = objects_writer_create(objects, &err);
    unlink(objects_writer_path(writer));
    assert_int_equal(symlink("/etc/passwd", objects_writer_path(writer)), 0);
    assert_int_equal(objects_writer_commit(writer, "lake", "out/2.csv", NULL, etag, &err), OBJECTS_FAILED);
    objects_writer_destroy(writer);
}

static bool count_each(void *context, const struct object_info *info, const char *common_prefix)
{
    struct buf *out = context;
    buf_printf(out, "%s ", info ? info->key : common_prefix);
    return true;
}

static void listed(const char *prefix, const char *delimiter, const char *after, size_t limit,
                   const char *expected, bool more)
{
    struct buf out;
    bool truncated;
    struct objects_query query = {prefix, delimiter, after, limit};
    buf_init(&out, 4096);
    buf_text(&out, "");
    assert_int_equal(objects_list(objects, "lake", &query, count_each, &out, &truncated, &err), OBJECTS_OK);
    assert_string_equal(out.data, expected);
    assert_int_equal(truncated, more);
    buf_free(&out);
}

static void test_list(void **state)
{
    static const char *const keys[] = {"t/a", "t/b/1", "t/b/2", "t/b0", "t/c/1/x", "t/d", "u"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        put(keys[i], "");
    listed("t/", "", "", 0, "t/a t/b/1 t/b/2 t/b0 t/c/1/x t/d ", false);
    listed("t/", "/", "", 0, "t/a t/b/ t/b0 t/c/ t/d ", false);
    listed("t/", "/", "", 2, "t/a t/b/ ", true);
    listed("t/", "/", "t/b/", 2, "t/b0 t/c/ ", true);
    listed("t/", "/", "t/c/", 2, "t/d ", false);
    listed("t/", "/", "t/b/1", 0, "t/b/ t/b0 t/c/ t/d ", false);
    listed("t/b", "", "", 0, "t/b/1 t/b/2 t/b0 ", false);
    listed("t/", "", "t/b0", 0, "t/c/1/x t/d ", false);
    listed("t/", "", "a", 1, "t/a ", true);
    listed("t/", "", "z", 0, "", false);
    listed("none", "/", "", 0, "", false);
    struct objects_query query = {"", "", "", 0};
    assert_int_equal(objects_list(objects, "pond", &query, count_each, NULL, NULL, &err), OBJECTS_NO_BUCKET);
}

static void test_limits(void **state)
{
    struct buf small;
    put("big", "0123456789");
    buf_init(&small, 5);
    assert_int_equal(objects_read(objects, "lake", "big", &small, &err), OBJECTS_TOO_LARGE);
    buf_free(&small);
    assert_int_equal(objects_bucket_delete(objects, "lake", &err), OBJECTS_NOT_EMPTY);
    assert_int_equal(objects_delete(objects, "lake", "never there", &err), OBJECTS_OK);
    assert_int_equal(objects_delete(objects, "pond", "k", &err), OBJECTS_NO_BUCKET);
}

/* Somebody shortened a blob: an error, never other bytes. */
static void test_damage(void **state)
{
    struct object_info info;
    char path[OBJECTS_PATH_SIZE];
    int fd;
    put("d", "content");
    assert_int_equal(objects_head(objects, "lake", "d", &info, &err), OBJECTS_OK);
    assert_int_equal(truncate(objects_path(objects, info.blob, path), 3), 0);
    object_info_free(&info);
    assert_int_equal(objects_get(objects, "lake", "d", &info, &fd, &err), OBJECTS_FAILED);
    assert_int_equal(err.kind, ERR_CORRUPT);
    put("d", "whole again");
    expect("d", "whole again");
}

/* Unfinished uploads go with their bucket. */
static void test_bucket_with_upload(void **state)
{
    char id[OBJECTS_UPLOAD_SIZE], path[OBJECTS_PATH_SIZE];
    struct objects_put how = {0};
    struct part_info part;
    assert_int_equal(objects_bucket_create(objects, "short", 1, &err), OBJECTS_OK);
    assert_int_equal(objects_bucket_create(objects, "short", 1, &err), OBJECTS_BUCKET_EXISTS);
    assert_int_equal(objects_upload_create(objects, "short", "k", &how, false, id, &err), OBJECTS_OK);
    struct objects_writer *writer = objects_writer_create(objects, &err);
    objects_writer_write(writer, "part", 4, &err);
    snprintf(path, sizeof path, "%s", objects_writer_path(writer));
    assert_int_equal(objects_upload_part(writer, "short", "k", id, 1, "", 1, &part, &err), OBJECTS_OK);
    objects_writer_destroy(writer);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(objects_bucket_delete(objects, "short", &err), OBJECTS_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(objects_upload_complete(objects, "short", "k", id, &part, 1, &how.condition, 1,
                                             &(struct object_info){0}, &err),
                     OBJECTS_NO_BUCKET);
}

static void test_reopen(void **state)
{
    put("r", "kept");
    objects_close(objects);
    objects = objects_open(folder, &err);
    assert_non_null(objects);
    expect("r", "kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_lease),
        cmocka_unit_test(test_engine_writes),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_bucket_with_upload),
        cmocka_unit_test(test_reopen),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
