#include "base/file.h"
#include "sql/sql.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[128];

static int set_up(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/smartcity-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/a?b#c%%d.sqlite", folder);
    return 0;
}

static int tear_down(void **state)
{
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+w '%s'; rm -rf '%s'", folder, folder);
    return system(command);
}

static struct sql_db *must_open(unsigned flags)
{
    struct err err = ERR_INIT;
    struct sql_db *db = sql_open(path, flags, 0, &err);
    if (!db)
        fail_msg("%s", err.text);
    return db;
}

static void must_exec(struct sql_db *db, const char *text)
{
    struct err err = ERR_INIT;
    if (sql_exec(db, text, &err) != 0)
        fail_msg("%s", err.text);
}

static void test_every_type_round_trips(void **state)
{
    struct err err = ERR_INIT;
    struct sql_db *db = sql_open("test", SQL_MEMORY, 0, &err);
    assert_non_null(db);
    assert_string_equal(sql_path(db), "test");
    assert_true(sql_version()[0] == '3');
    must_exec(db, "CREATE TABLE t (i, d, s, b, n); -- two statements\nCREATE INDEX ti ON t (i);");
    struct sql_statement *insert = sql_prepare(db, "INSERT INTO t VALUES (?, ?, ?, ?, ?);\n", &err);
    assert_non_null(insert);
    for (int round = 0; round < 3; round++) {
        sql_bind_int(insert, 1, INT64_MIN + round);
        sql_bind_double(insert, 2, 0.25);
        sql_bind_text(insert, 3, "M40 \0 J15", 9);
        sql_bind_blob(insert, 4, "\xFF\x00\x01", 3);
        sql_bind_null(insert, 5);
        assert_int_equal(sql_run(insert, &err), 0);
        assert_int_equal(sql_last_id(db), round + 1);
        assert_int_equal(sql_changes(db), 1);
    }
    assert_int_equal(sql_run(insert, &err), 0); /* a reset forgot every parameter */
    sql_finalize(insert);

    struct sql_statement *select =
        sql_prepare(db, "SELECT i, d, s, b, n AS none FROM t ORDER BY rowid", &err);
    assert_int_equal(sql_column_count(select), 5);
    assert_string_equal(sql_column_name(select, 4), "none");
    assert_string_equal(sql_column_name(select, 9), "");
    assert_int_equal(sql_step(select, &err), 1);
    static const enum sql_type types[] = {SQL_INT, SQL_DOUBLE, SQL_TEXT, SQL_BLOB, SQL_NULL};
    for (int column = 0; column < 5; column++)
        assert_int_equal(sql_column_type(select, column), types[column]);
    assert_true(sql_column_int(select, 0) == INT64_MIN);
    assert_true(sql_column_double(select, 1) == 0.25);
    assert_int_equal(sql_column_bytes(select, 2), 9);
    assert_memory_equal(sql_column_text(select, 2), "M40 \0 J15", 10);
    assert_int_equal(sql_column_bytes(select, 3), 3);
    assert_memory_equal(sql_column_blob(select, 3), "\xFF\x00\x01", 3);
    assert_string_equal(sql_column_text(select, 4), "");
    assert_null(sql_column_blob(select, 4));
    for (int row = 1; row < 4; row++)
        assert_int_equal(sql_step(select, &err), 1);
    assert_int_equal(sql_column_type(select, 0), SQL_NULL);
    assert_int_equal(sql_step(select, &err), 0);
    sql_reset(select);
    assert_int_equal(sql_step(select, &err), 1);
    sql_finalize(select);
    sql_finalize(NULL);

    int64_t value = -1;
    assert_int_equal(sql_query_int(db, "SELECT count(*) FROM t", &value, &err), 0);
    assert_int_equal(value, 4);
    assert_int_equal(sql_query_int(db, "SELECT i FROM t WHERE 0", &value, &err), 0);
    assert_int_equal(value, 0);
    sql_close(db);
    sql_close(NULL);
}

static void test_mistakes_are_errors(void **state)
{
    struct err err = ERR_INIT;
    struct sql_db *db = sql_open("test", SQL_MEMORY, 0, &err);
    int64_t value;
    assert_int_equal(sql_exec(db, "SELEC 1", &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_null(sql_prepare(db, "SELECT * FROM absent", &err));
    assert_non_null(strstr(err.text, "absent"));
    assert_null(sql_prepare(db, "SELECT 1; SELECT 2", &err));
    assert_null(sql_prepare(db, " -- nothing", &err));
    assert_int_equal(sql_query_int(db, "SELECT", &value, &err), -1);

    struct sql_statement *statement = sql_prepare(db, "SELECT ?", &err);
    sql_bind_int(statement, 2, 7); /* there is one */
    sql_bind_int(statement, 1, 7);
    assert_int_equal(sql_step(statement, &err), -1);
    assert_non_null(strstr(err.text, "no such parameter"));
    sql_reset(statement);
    sql_bind_int(statement, 1, 7);
    assert_int_equal(sql_step(statement, &err), 1);
    sql_reset(statement);
    sql_bind_blob(statement, 1, "x", SQL_VALUE_LIMIT + 1);
    assert_int_equal(sql_step(statement, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    sql_finalize(statement);

    must_exec(db, "CREATE TABLE t (k PRIMARY KEY); INSERT INTO t VALUES (1)");
    statement = sql_prepare(db, "INSERT INTO t VALUES (1)", &err);
    assert_int_equal(sql_run(statement, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_non_null(strstr(err.text, "UNIQUE"));
    sql_finalize(statement);
    sql_close(db);
}

static void test_pragmas(void **state)
{
    struct err err = ERR_INIT;
    struct sql_db *db = must_open(SQL_CREATE);
    int64_t value = 0;
    assert_int_equal(sql_pragma(db, "user_version", "42", &err), 0);
    assert_int_equal(sql_pragma_int(db, "user_version", &value, &err), 0);
    assert_int_equal(value, 42);
    assert_int_equal(sql_pragma(db, "journal_mode", "WAL", &err), 0);
    assert_int_equal(sql_pragma(db, "user_version", "1; DROP TABLE t", &err), -1);
    assert_int_equal(sql_pragma(db, "", "1", &err), -1);
    assert_int_equal(sql_pragma_int(db, "x(y)", &value, &err), -1);
    sql_close(db);
}

static void test_transactions(void **state)
{
    struct err err = ERR_INIT;
    int64_t value;
    struct sql_db *db = must_open(SQL_CREATE);
    must_exec(db, "CREATE TABLE t (i)");
    assert_int_equal(sql_begin(db, &err), 0);
    assert_true(sql_in_transaction(db));
    assert_int_equal(sql_begin(db, &err), -1);
    must_exec(db, "INSERT INTO t VALUES (1)");
    sql_rollback(db);
    sql_rollback(db);
    assert_false(sql_in_transaction(db));
    assert_int_equal(sql_begin(db, &err), 0);
    must_exec(db, "INSERT INTO t VALUES (2)");
    assert_int_equal(sql_commit(db, &err), 0);
    assert_int_equal(sql_commit(db, &err), -1);
    sql_close(db);
    db = must_open(SQL_READ_ONLY);
    assert_int_equal(sql_begin(db, &err), 0);
    assert_int_equal(sql_query_int(db, "SELECT sum(i) FROM t", &value, &err), 0);
    assert_int_equal(value, 2);
    sql_close(db);
}

static void test_open_errors(void **state)
{
    struct err err = ERR_INIT;
    assert_null(sql_open(path, 0, 0, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_null(sql_open(path, SQL_READ_ONLY, 0, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_int_equal(file_size(path), -1); /* and was not made */
    assert_null(sql_open("/nowhere/at/all.sqlite", SQL_CREATE, 0, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_non_null(strstr(err.text, "/nowhere/at/all.sqlite"));
    assert_null(sql_open(folder, SQL_CREATE, 0, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(file_write_atomic(path, "this is no database, by a long way; not at all, in fact, none",
                                       61, 0600, &err),
                     0);
    assert_null(sql_open(path, 0, 0, &err));
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_non_null(strstr(err.text, "not a database"));
    char *longer = mem_zero(1, 9000);
    memset(longer, 'n', 8999);
    assert_null(sql_open(longer, SQL_CREATE, 0, &err));
    assert_int_equal(err.kind, ERR_IO);
    free(longer);
    assert_null(sql_open(path, 0, 0, NULL));
}

/* SQLite's own special names are files like any other. */
static void test_special_names_are_files(void **state)
{
    struct err err = ERR_INIT;
    char before[512];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    struct sql_db *db = sql_open(":memory:", SQL_CREATE, 0, &err);
    assert_non_null(db);
    must_exec(db, "CREATE TABLE t (i)");
    sql_close(db);
    assert_true(file_size("./:memory:") > 0);
    assert_null(sql_open("", SQL_CREATE, 0, &err));
    assert_int_equal(chdir(before), 0);
}

static void test_locked_by_another(void **state)
{
    struct err err = ERR_INIT;
    struct sql_db *first = must_open(SQL_CREATE), *second = must_open(0);
    must_exec(first, "CREATE TABLE t (i)");
    assert_int_equal(sql_begin(first, &err), 0);
    assert_int_equal(sql_begin(second, &err), -1);
    assert_int_equal(err.kind, ERR_BUSY);
    assert_true(err.retriable);
    assert_non_null(strstr(err.text, path));
    must_exec(first, "INSERT INTO t VALUES (1)");
    assert_int_equal(sql_commit(first, &err), 0);
    assert_int_equal(sql_begin(second, &err), 0);
    sql_rollback(second);
    must_exec(first, "BEGIN EXCLUSIVE"); /* locked when it is opened */
    assert_null(sql_open(path, 0, 0, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    sql_close(first);
    sql_close(second);
}

static void fill(struct sql_db *db, int rows)
{
    struct err err = ERR_INIT;
    must_exec(db, "CREATE TABLE t (i INTEGER PRIMARY KEY, s); BEGIN");
    struct sql_statement *insert = sql_prepare(db, "INSERT INTO t (s) VALUES (?)", &err);
    char text[500];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < rows; i++) {
        sql_bind_text(insert, 1, text, sizeof text);
        assert_int_equal(sql_run(insert, &err), 0);
    }
    sql_finalize(insert);
    must_exec(db, "COMMIT");
}

static void test_damage_is_found(void **state)
{
    struct err err = ERR_INIT;
    struct sql_db *db = must_open(SQL_CREATE);
    fill(db, 200);
    assert_int_equal(sql_check(db, &err), 0);
    sql_close(db);

    int fd = open(path, O_RDWR | O_CLOEXEC);
    char garbage[4096];
    memset(garbage, 0xA5, sizeof garbage);
    assert_int_equal(pwrite(fd, garbage, sizeof garbage, 4096 * 3), sizeof garbage);
    close(fd);
    db = must_open(SQL_READ_ONLY); /* the header is in order */
    assert_int_equal(sql_check(db, &err), -1);
    assert_int_equal(err.kind, ERR_CORRUPT);
    int64_t value;
    assert_int_equal(sql_query_int(db, "SELECT sum(length(s)) FROM t", &value, &err), -1);
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_non_null(strstr(err.text, "is damaged"));
    sql_close(db);
}

static void test_read_only_refuses_to_write(void **state)
{
    struct err err = ERR_INIT;
    sql_close(must_open(SQL_CREATE));
    struct sql_db *db = must_open(SQL_READ_ONLY);
    assert_int_equal(sql_exec(db, "CREATE TABLE t (i)", &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_non_null(strstr(err.text, "cannot be written"));
    sql_close(db);
}

/* A journey in WAL mode, on a medium where nothing can be written beside it. */
static void test_wal_file_in_a_read_only_folder(void **state)
{
    struct err err = ERR_INIT;
    int64_t value;
    struct sql_db *db = must_open(SQL_CREATE);
    must_exec(db, "PRAGMA journal_mode = WAL");
    fill(db, 10);
    sql_close(db);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    bool root = geteuid() == 0; /* whom the mode does not stop */
    if (root) {
        assert_int_equal(chown(folder, 65534, 65534), 0);
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    db = sql_open(path, SQL_READ_ONLY, 0, &err);
    int result = db ? sql_query_int(db, "SELECT count(*) FROM t", &value, &err) : -1;
    sql_close(db);
    if (root)
        assert_int_equal(seteuid(0), 0);
    if (result != 0)
        fail_msg("%s", err.text);
    assert_int_equal(value, 10);
}

static void test_full_disk(void **state)
{
    struct err err = ERR_INIT;
    struct sql_db *db = must_open(SQL_CREATE);
    must_exec(db, "CREATE TABLE t (b)");
    assert_int_equal(sql_pragma(db, "max_page_count", "10", &err), 0);
    assert_int_equal(sql_exec(db, "INSERT INTO t VALUES (zeroblob(1000000))", &err), -1);
    assert_int_equal(err.kind, ERR_FULL);
    assert_true(err.retriable);
    assert_int_equal(sql_check(db, &err), 0);
    sql_close(db);
}

/* Without a signal, writing past RLIMIT_FSIZE fails as a quota does. */
static void test_write_error(void **state)
{
    struct err err = ERR_INIT;
    struct rlimit before, small;
    struct sql_db *db = must_open(SQL_CREATE);
    must_exec(db, "CREATE TABLE t (b)");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 65536, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int result = sql_exec(db, "INSERT INTO t VALUES (zeroblob(1000000))", &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(result, -1);
    assert_true(err.kind == ERR_IO || err.kind == ERR_FULL);
    assert_non_null(strstr(err.text, path));
    sql_rollback(db);
    assert_int_equal(sql_check(db, &err), 0);
    sql_close(db);
}

static void test_hostile_schema_is_not_trusted(void **state)
{
    struct err err = ERR_INIT;
    struct sql_db *db = must_open(SQL_CREATE);
    must_exec(db, "CREATE TABLE t (i)");
    assert_int_equal(sql_exec(db, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'x'", &err),
                     -1);
    assert_int_equal(sql_exec(db, "CREATE VIEW v AS SELECT load_extension('x'); SELECT * FROM v", &err), -1);
    sql_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_round_trips),
        cmocka_unit_test(test_mistakes_are_errors),
        cmocka_unit_test_setup_teardown(test_pragmas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_transactions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_open_errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_special_names_are_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_locked_by_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only_refuses_to_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wal_file_in_a_read_only_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_write_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_schema_is_not_trusted, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sql", tests, NULL, NULL);
}
