#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void test_ring(void **state)
{
    struct log *log = log_create(4);
    struct log_entry entries[8];
    assert_int_equal(log_last(log), 0);
    assert_int_equal(log_read(log, 0, entries, 8), 0);
    for (int i = 1; i <= 6; i++)
        log_write(log, LOG_INFO, "kafka", "line %d", i);
    assert_int_equal(log_last(log), 6);
    assert_int_equal(log_read(log, 0, entries, 8), 4);
    assert_int_equal(entries[0].sequence, 3);
    assert_string_equal(entries[0].text, "line 3");
    assert_string_equal(entries[3].text, "line 6");
    assert_int_equal(log_read(log, 4, entries, 1), 1);
    assert_string_equal(entries[0].text, "line 5");
    assert_int_equal(log_read(log, 6, entries, 8), 0);
    assert_int_equal(log_read(log, 99, entries, 8), 0);
    log_destroy(log);
    log_destroy(NULL);
}

static void test_entries_are_harmless(void **state)
{
    struct log *log = log_create(4);
    struct log_entry entry;
    char huge[2000];
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    log_action(log, "opera\x1Btor", "kcat -b\n", "flush \x1B[2J of %s", huge);
    assert_int_equal(log_read(log, 0, &entry, 1), 1);
    assert_int_equal(entry.level, LOG_DONE);
    assert_string_equal(entry.source, "opera\xE2\x90\x9Btor");
    assert_string_equal(entry.equivalent, "kcat -b\xE2\x90\x8A");
    assert_null(strchr(entry.text, '\x1B'));
    assert_true(text_is_utf8(entry.text, strlen(entry.text)));
    log_action(log, "schedule", NULL, "x");
    log_read(log, 1, &entry, 1);
    assert_string_equal(entry.equivalent, "");
    log_write(NULL, LOG_ERROR, "x", "nobody listens");
    log_destroy(log);
}

static void test_file_rotates(void **state)
{
    char folder[] = "/tmp/smartcity-test-XXXXXX", path[64], old[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(old, sizeof old, "%s/log.old", folder);
    struct err err = ERR_INIT;
    struct log *log = log_create(4);
    assert_int_equal(log_open_file(log, path, &err), 0);
    log_action(log, "operator", "aws s3 ls", "first line");

    struct buf buf;
    buf_init(&buf, 5000000);
    assert_int_equal(file_read(path, &buf, &err), 0);
    assert_int_equal(buf.data[buf.length - 1], '\n');
    assert_non_null(strstr(buf.data, "Z done    operator: first line  $ aws s3 ls\n"));
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);

    /* 3,999,990 bytes: the next line does not fit */
    assert_int_equal(truncate(path, 3999990), 0);
    struct log *second = log_create(4); /* another console with the same file */
    assert_int_equal(log_open_file(second, path, &err), 0);
    assert_int_equal(log_open_file(log, path, &err), 0);
    log_write(log, LOG_INFO, "test", "after");
    assert_int_equal(file_size(old), 3999990);
    int64_t size = file_size(path);
    assert_true(size > 0 && size < 200);
    /* The other one finds the name moved on: it follows and does not rotate again. */
    log_write(second, LOG_INFO, "test", "from the second");
    assert_int_equal(file_size(old), 3999990);
    assert_true(file_size(path) > size);
    assert_int_equal(log_file_lost(log), 0);

    buf_free(&buf);
    log_destroy(log);
    log_destroy(second);
    unlink(path);
    unlink(old);
    rmdir(folder);
}

static void test_file_that_cannot_be_written(void **state)
{
    struct err err = ERR_INIT;
    struct log *log = log_create(16);
    assert_int_equal(log_open_file(log, "/nowhere/at/all/log", &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(log_open_file(log, "/dev/full", &err), 0);
    log_write(log, LOG_INFO, "test", "one");
    log_write(log, LOG_INFO, "test", "two");
    assert_int_equal(log_file_lost(log), 2);
    struct log_entry entries[8];
    assert_int_equal(log_read(log, 0, entries, 8), 3); /* said once */
    assert_int_equal(entries[1].level, LOG_ERROR);
    assert_non_null(strstr(entries[1].text, "cannot be written"));
    log_destroy(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring),
        cmocka_unit_test(test_entries_are_harmless),
        cmocka_unit_test(test_file_rotates),
        cmocka_unit_test(test_file_that_cannot_be_written),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
