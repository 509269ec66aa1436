#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static char *in_folder(char path[FILE_PATH_SIZE], const char *name)
{
    snprintf(path, FILE_PATH_SIZE, "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    memcpy(folder, "/tmp/smartcity-test-XXXXXX", sizeof "/tmp/smartcity-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void test_places(void **state)
{
    char path[FILE_PATH_SIZE];
    struct err err = ERR_INIT;
    setenv("HOME", "/home/op", 1);
    unsetenv("XDG_CONFIG_HOME");
    setenv("XDG_STATE_HOME", "relative/is/ignored", 1);
    setenv("XDG_CACHE_HOME", "/var/cache/op/", 1);
    unsetenv("XDG_DATA_HOME");
    assert_int_equal(file_place_path(FILE_CONFIG, "config.ini", path, &err), 0);
    assert_string_equal(path, "/home/op/.config/smartcity/config.ini");
    assert_int_equal(file_place_path(FILE_STATE, "", path, &err), 0);
    assert_string_equal(path, "/home/op/.local/state/smartcity");
    assert_int_equal(file_place_path(FILE_CACHE, "cache.sqlite", path, &err), 0);
    assert_string_equal(path, "/var/cache/op/smartcity/cache.sqlite");
    assert_int_equal(file_place_path(FILE_DATA, "journeys/a", path, &err), 0);
    assert_string_equal(path, "/home/op/.local/share/smartcity/journeys/a");

    unsetenv("HOME"); /* the passwd entry */
    assert_int_equal(file_place_path(FILE_CONFIG, "", path, &err), 0);
    assert_int_equal(path[0], '/');
    setenv("HOME", "", 1);
    assert_int_equal(file_place_path(FILE_CONFIG, "", path, &err), 0);

    char longer[700];
    memset(longer, 'n', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(file_place_path(FILE_CACHE, longer, path, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    longer[0] = '/';
    setenv("XDG_CACHE_HOME", longer, 1);
    assert_int_equal(file_place_path(FILE_CACHE, "x", path, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    unsetenv("XDG_CACHE_HOME");
}

static void test_run_directory_must_be_ours(void **state)
{
    char path[FILE_PATH_SIZE], run[FILE_PATH_SIZE], other[FILE_PATH_SIZE];
    struct err err = ERR_INIT;
    setenv("XDG_RUNTIME_DIR", folder, 1);
    in_folder(run, "smartcity");
    assert_int_equal(file_place_path(FILE_RUN, "control", path, &err), 0); /* absent: fine */
    assert_int_equal(file_make_place(FILE_RUN, "control", path, &err), 0);
    assert_string_equal(path + strlen(folder), "/smartcity/control");
    struct stat status;
    assert_int_equal(stat(run, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);

    assert_int_equal(chmod(run, 0755), 0);
    assert_int_equal(file_place_path(FILE_RUN, "", path, &err), -1);
    assert_non_null(strstr(err.text, "chmod 700"));
    assert_int_equal(file_make_place(FILE_RUN, "", path, &err), -1);
    assert_int_equal(rmdir(run), 0);

    in_folder(other, "other");
    assert_int_equal(mkdir(other, 0700), 0);
    assert_int_equal(symlink(other, run), 0);
    assert_int_equal(file_place_path(FILE_RUN, "", path, &err), -1);
    assert_int_equal(file_make_place(FILE_RUN, "", path, &err), -1);
    assert_int_equal(unlink(run), 0);

    if (geteuid() == 0) {
        assert_int_equal(mkdir(run, 0700), 0);
        assert_int_equal(chown(run, 12345, 12345), 0);
        assert_int_equal(file_place_path(FILE_RUN, "", path, &err), -1);
        assert_non_null(strstr(err.text, "belongs to user 12345"));
    }

    setenv("XDG_RUNTIME_DIR", "/nowhere/at/all", 1); /* gone: falls back */
    assert_int_equal(file_place_path(FILE_RUN, "x", path, &err), 0);
    assert_true(strncmp(path, "/tmp/smartcity-", 15) == 0);
    unsetenv("XDG_RUNTIME_DIR");
}

static void test_make_dirs(void **state)
{
    char path[FILE_PATH_SIZE];
    struct err err = ERR_INIT;
    struct stat status;
    assert_int_equal(file_make_dirs(in_folder(path, "a//b/c/"), &err), 0);
    assert_int_equal(stat(in_folder(path, "a/b/c"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(file_make_dirs(path, &err), 0);
    assert_int_equal(file_make_dirs("/", &err), 0);
    assert_int_equal(file_write_atomic(in_folder(path, "plain"), "x", 1, 0600, &err), 0);
    assert_int_equal(file_make_dirs(in_folder(path, "plain/sub"), &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_non_null(strstr(err.text, "is not a directory"));
    assert_int_equal(file_make_dirs("/proc/nothing/here", &err), -1);
}

static void test_read(void **state)
{
    char path[FILE_PATH_SIZE];
    struct err err = ERR_INIT;
    struct buf buf;
    buf_init(&buf, 10);
    in_folder(path, "ten");
    assert_int_equal(file_read(path, &buf, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_int_equal(file_write_atomic(path, "0123456789", 10, 0600, &err), 0);
    assert_int_equal(file_size(path), 10);
    assert_int_equal(file_read(path, &buf, &err), 0); /* exactly the limit */
    assert_string_equal(buf.data, "0123456789");
    buf_reset(&buf);
    buf_char(&buf, '>');
    assert_int_equal(file_read(path, &buf, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_string_equal(buf.data, ">");
    assert_int_equal(file_read(folder, &buf, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    buf_free(&buf);

    buf_init(&buf, 1000000);
    char *large = malloc(300000);
    memset(large, 'L', 300000);
    assert_int_equal(file_write_atomic(path, large, 300000, 0600, &err), 0);
    assert_int_equal(file_read(path, &buf, &err), 0);
    assert_int_equal(buf.length, 300000);
    assert_memory_equal(buf.data, large, 300000);
    free(large);
    buf_free(&buf);
    assert_int_equal(file_size(in_folder(path, "absent")), -1);
}

static void test_write_atomic(void **state)
{
    char path[FILE_PATH_SIZE], inside[FILE_PATH_SIZE];
    struct err err = ERR_INIT;
    struct stat status;
    assert_int_equal(file_write_atomic(in_folder(path, "f"), "one", 3, 0640, &err), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(file_write_atomic(path, "", 0, 0600, &err), 0);
    assert_int_equal(file_size(path), 0);
    /* a target that cannot be replaced: nothing is left behind */
    assert_int_equal(file_make_dirs(in_folder(inside, "d/full"), &err), 0);
    assert_int_equal(file_write_atomic(in_folder(path, "d/full"), "x", 1, 0600, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(rmdir(in_folder(path, "d/full")), 0);
    assert_int_equal(rmdir(in_folder(path, "d")), 0);
    assert_int_equal(file_write_atomic("/nowhere/at/all/f", "x", 1, 0600, &err), -1);
}

static void test_lock(void **state)
{
    char path[FILE_PATH_SIZE], expected[64];
    struct err err = ERR_INIT;
    in_folder(path, "lock");
    int fd = file_lock(path, &err);
    assert_true(fd >= 0);
    assert_int_equal(file_lock(path, &err), -1);
    assert_int_equal(err.kind, ERR_BUSY);
    snprintf(expected, sizeof expected, "is held by process %ld", (long)getpid());
    assert_non_null(strstr(err.text, expected));
    assert_int_equal(pwrite(fd, "\x1B[2Jevil", 8, 0), 8); /* what is in the file is not ours to trust */
    assert_int_equal(file_lock(path, &err), -1);
    assert_non_null(strstr(err.text, "is held by another process"));
    close(fd);

    /* A process that died holds nothing. */
    pid_t child = fork();
    if (child == 0)
        _exit(file_lock(path, NULL) >= 0 ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fd = file_lock(path, &err);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_lock("/nowhere/at/all/lock", &err), -1);
    assert_int_equal(err.kind, ERR_IO);
}

static void test_free_bytes(void **state)
{
    char path[FILE_PATH_SIZE];
    int64_t here = file_free_bytes(folder);
    assert_true(here > 0);
    assert_true(file_free_bytes(in_folder(path, "not/yet/there")) > 0);
    assert_true(file_free_bytes("/not-there") > 0);
    assert_true(file_free_bytes("not-there/either") > 0);
    assert_true(file_free_bytes("/") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_run_directory_must_be_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_make_dirs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_write_atomic, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_free_bytes, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
