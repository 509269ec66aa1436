#include "base/file.h"
#include "sql/sql.h"
#include "store/cache.h"
#include "tests/support/journeys.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[128];
static struct log *event_log;
static struct err fine;

#define assert_fine(call)                                                                                    \
    do {                                                                                                     \
        fine = ERR_INIT;                                                                                     \
        if ((call) < 0)                                                                                      \
            fail_msg("%s: %s", #call, fine.text);                                                            \
    } while (0)

static int set_up(void **state)
{
    store_disk_install();
    store_disk_full(false);
    store_enter(folder);
    snprintf(path, sizeof path, "%s/smartcity/cache.sqlite", folder);
    event_log = log_create(32);
    return 0;
}

static int tear_down(void **state)
{
    log_destroy(event_log);
    store_leave(folder);
    return 0;
}

static struct cache *open_well(void)
{
    struct cache *cache = cache_open(path, event_log);
    assert_string_equal(cache_problem(cache), "");
    return cache;
}

static void test_settings(void **state)
{
    char value[64], longer[CACHE_VALUE + 2];
    struct cache *cache = open_well();
    assert_false(cache_get(cache, "theme", value, sizeof value));
    assert_fine(cache_set(cache, "theme", "high contrast", &fine));
    assert_fine(cache_set(cache, "theme", "colour-blind", &fine));
    assert_fine(cache_set(cache, "gone", "x", &fine));
    assert_fine(cache_set(cache, "gone", NULL, &fine));
    cache_close(cache);
    cache = open_well();
    assert_true(cache_get(cache, "theme", value, sizeof value));
    assert_string_equal(value, "colour-blind");
    assert_false(cache_get(cache, "gone", value, sizeof value));
    assert_false(cache_get(cache, "theme", value, 12)); /* too short for it and its NUL */
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(cache_set(cache, "long", longer, &fine), -1);
    assert_int_equal(fine.kind, ERR_LIMIT);
    cache_close(cache);
}

static void test_history(void **state)
{
    static char lines[CACHE_HISTORY + 10][CACHE_LINE];
    char line[400];
    struct cache *cache = open_well();
    assert_int_equal(cache_history(cache, lines, 10), 0);
    for (int i = 0; i < CACHE_HISTORY + 5; i++) {
        snprintf(line, sizeof line, "speed %d", i);
        assert_fine(cache_history_add(cache, line, &fine));
    }
    assert_fine(cache_history_add(cache, "speed 100", &fine)); /* moves to the end */
    assert_fine(cache_history_add(cache, "  ", &fine));
    cache_close(cache);
    cache = open_well();
    assert_int_equal(cache_history(cache, lines, CACHE_HISTORY + 10), CACHE_HISTORY);
    assert_string_equal(lines[0], "speed 100");
    assert_string_equal(lines[1], "speed 504");
    for (int i = 1; i < CACHE_HISTORY; i++)
        assert_string_not_equal(lines[i], "speed 100");
    assert_int_equal(cache_history(cache, lines, 3), 3);
    memset(line, 'n', sizeof line);
    line[sizeof line - 1] = '\0';
    assert_fine(cache_history_add(cache, line, &fine));
    assert_fine(cache_history_add(cache, "echo \x1b[2J", &fine));
    assert_int_equal(cache_history(cache, lines, 2), 2);
    assert_null(strchr(lines[0], 0x1b));
    assert_int_equal(strlen(lines[1]), CACHE_LINE - 1);
    cache_close(cache);
}

static void test_throughput(void **state)
{
    static struct cache_throughput points[8000];
    const int64_t start = 1700000040; /* a whole minute */
    struct cache *cache = open_well();
    for (int64_t s = 0; s < 7200; s++)
        for (int kind = 0; kind < 2; kind++)
            assert_fine(cache_throughput_add(cache, (start + s) * 1000000, kind, 10 + kind, 1000, &fine));
    cache_close(cache);
    cache = open_well();
    size_t count = cache_throughput(cache, 1, 0, INT64_MAX, points, 8000);
    double events = 0;
    int64_t seconds = 0;
    for (size_t i = 0; i < count; i++) {
        events += points[i].events;
        seconds += points[i].seconds;
        assert_true(i == 0 ||
                    points[i].at_s == points[i - 1].at_s + points[i - 1].seconds); /* no hole, no overlap */
    }
    assert_int_equal(seconds, 7200);
    assert_true(events == 11.0 * 7200);
    assert_in_range(count, 3600 + 58, 3600 + 240); /* an hour of seconds, the rest minutes */
    assert_int_equal(points[0].seconds, 60);
    assert_int_equal(points[count - 1].seconds, 1);
    assert_int_equal(cache_throughput(cache, 1, 0, INT64_MAX, points, 5), 5);
    assert_int_equal(points[4].at_s, start + 7199);
    /* A month later it is all gone. */
    assert_fine(cache_throughput_add(cache, (start + 40 * 86400) * 1000000, 1, 1, 1, &fine));
    assert_int_equal(cache_throughput(cache, 1, 0, INT64_MAX, points, 8000), 1);
    cache_close(cache);
}

static void test_two_consoles(void **state)
{
    char value[16];
    struct cache_throughput point;
    struct cache *a = open_well(), *b = open_well();
    assert_fine(cache_set(a, "x", "1", &fine));
    assert_true(cache_get(b, "x", value, sizeof value));
    assert_fine(cache_set(b, "x", "2", &fine));
    assert_true(cache_get(a, "x", value, sizeof value));
    assert_string_equal(value, "2");
    assert_fine(cache_throughput_add(a, 5000000, 0, 3, 30, &fine));
    assert_fine(cache_throughput_add(b, 5000000, 0, 4, 40, &fine));
    assert_int_equal(cache_throughput(a, 0, 0, INT64_MAX, &point, 1), 1);
    assert_int_equal(cache_throughput(b, 0, 0, INT64_MAX, &point, 1), 1);
    assert_true(point.events == 7);
    cache_close(a);
    cache_close(b);
}

static int files_like(const char *part)
{
    char place[96];
    snprintf(place, sizeof place, "%s/smartcity", folder);
    DIR *dir = opendir(place);
    int count = 0;
    for (const struct dirent *entry; dir && (entry = readdir(dir));)
        count += strstr(entry->d_name, part) != NULL;
    closedir(dir);
    return count;
}

static void test_damaged(void **state)
{
    char value[16];
    cache_close(open_well());
    assert_fine(file_write_atomic(path, "this is not a database at all, far from it", 42, 0600, &fine));
    struct cache *cache = cache_open(path, event_log);
    assert_non_null(strstr(cache_problem(cache), "made anew"));
    assert_non_null(strstr(cache_problem(cache), ".damaged-"));
    assert_int_equal(files_like("cache.sqlite.damaged-"), 1);
    assert_fine(cache_set(cache, "x", "1", &fine));
    cache_close(cache);
    cache = open_well(); /* and all is well again */
    assert_true(cache_get(cache, "x", value, sizeof value));
    cache_close(cache);
}

static void test_damaged_while_running(void **state)
{
    char value[16], line[64];
    struct cache *cache = open_well();
    for (int i = 0; i < 300; i++) {
        snprintf(line, sizeof line, "a line that fills some pages %d", i);
        assert_fine(cache_history_add(cache, line, &fine));
    }
    cache_close(cache);
    /* The pages of tables are overwritten, the header stays. */
    int64_t size = file_size(path);
    assert_true(size > 3 * 4096);
    int fd = open(path, O_WRONLY);
    char noise[4096];
    memset(noise, 0xee, sizeof noise);
    for (int64_t at = 4096; at < size; at += 4096)
        assert_int_equal(pwrite(fd, noise, sizeof noise, at), 4096);
    close(fd);
    cache = cache_open(path, event_log);
    assert_fine(cache_set(cache, "x", "1", &fine)); /* found, mended, done */
    assert_non_null(strstr(cache_problem(cache), "made anew"));
    assert_true(cache_get(cache, "x", value, sizeof value));
    cache_close(cache);
}

static void expect_in_memory(const char *word)
{
    char value[16];
    struct cache *cache = cache_open(path, event_log);
    assert_non_null(strstr(cache_problem(cache), "nothing is remembered after this run"));
    assert_non_null(strstr(cache_problem(cache), word));
    assert_fine(cache_set(cache, "x", "1", &fine));
    assert_true(cache_get(cache, "x", value, sizeof value));
    cache_close(cache);
}

static void test_unwritable(void **state)
{
    char place[96];
    snprintf(place, sizeof place, "%s/smartcity", folder);
    close(open(place, O_CREAT | O_WRONLY, 0600)); /* where the folder should be */
    expect_in_memory(place);
    unlink(place);
    mkdir(place, 0700);
    mkdir(path, 0700); /* where the file should be */
    expect_in_memory(path);
}

static void test_locked(void **state)
{
    cache_close(open_well());
    struct sql_db *db = sql_open(path, 0, 100, &fine);
    assert_non_null(db);
    assert_fine(sql_exec(
        db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE;", &fine));
    expect_in_memory("in use");
    sql_close(db);
    cache_close(open_well());
}

static void test_foreign(void **state)
{
    cache_close(open_well());
    struct sql_db *db = sql_open(path, 0, 100, &fine);
    assert_fine(sql_exec(db, "PRAGMA user_version = 2", &fine));
    sql_close(db);
    expect_in_memory("newer");
    unlink(path);
    db = sql_open(path, SQL_CREATE, 100, &fine);
    assert_fine(sql_exec(db, "CREATE TABLE precious(x); INSERT INTO precious VALUES(1)", &fine));
    sql_close(db);
    expect_in_memory("another program");
    int64_t rows;
    db = sql_open(path, 0, 100, &fine);
    assert_fine(sql_query_int(db, "SELECT count(*) FROM precious", &rows, &fine));
    assert_int_equal(rows, 1);
    sql_close(db);
}

static void test_full_disk(void **state)
{
    char value[16];
    struct cache *cache = open_well();
    assert_fine(cache_set(cache, "x", "1", &fine));
    store_disk_full(true);
    assert_int_equal(cache_set(cache, "x", "2", &fine), -1);
    assert_int_equal(fine.kind, ERR_FULL);
    for (int64_t s = 0; s < 1000; s++) /* bounded, however long it lasts */
        cache_throughput_add(cache, s * 1000000, 0, 1, 1, &fine);
    assert_true(cache_get(cache, "x", value, sizeof value));
    assert_string_equal(value, "1");
    store_disk_full(false);
    assert_fine(cache_set(cache, "x", "2", &fine));
    cache_close(cache);
}

static void test_memory(void **state)
{
    char value[16];
    struct cache *cache = cache_open(NULL, event_log);
    assert_string_equal(cache_problem(cache), "");
    assert_fine(cache_set(cache, "x", "1", &fine));
    assert_true(cache_get(cache, "x", value, sizeof value));
    cache_close(cache);
}

int main(void)
{
#define with_folder(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        with_folder(test_settings),     with_folder(test_history), with_folder(test_throughput),
        with_folder(test_two_consoles), with_folder(test_damaged), with_folder(test_damaged_while_running),
        with_folder(test_unwritable),   with_folder(test_locked),  with_folder(test_foreign),
        with_folder(test_full_disk),    with_folder(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
