/* The SQL engine: values of every kind, functions of ours, and that nothing gets out. Skipped without the
 * library (make duckdb). */
#include "base/clock.h"
#include "base/file.h"
#include "base/worker.h"
#include "sql/duckdb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], inside[80], outside[80];

struct engine {
    struct duck_db *db;
    struct duck_connection *connection;
};
static struct engine engine;

static int set_up(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/smartcity-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(inside, sizeof inside, "%s/inside", folder);
    snprintf(outside, sizeof outside, "%s/outside", folder);
    struct err err = ERR_INIT;
    assert_int_equal(file_make_dirs(inside, &err), 0);
    assert_int_equal(file_make_dirs(outside, &err), 0);
    char secret[120];
    snprintf(secret, sizeof secret, "%s/secret.txt", outside);
    assert_int_equal(file_write_atomic(secret, "secret", 6, 0600, &err), 0);
    const char *folders[] = {inside};
    struct duck_settings settings = {.folders = folders, .folder_count = 1};
    engine.db = duck_open(&settings, &err);
    if (!engine.db) {
        if (err.kind != ERR_NOT_FOUND)
            fail_msg("%s", err.text);
        return 0;
    }
    engine.connection = duck_connect(engine.db, &err);
    return engine.connection ? 0 : -1;
}

static int tear_down(void **state)
{
    if (engine.db) {
        duck_disconnect(engine.connection);
        duck_close(engine.db);
        engine = (struct engine){0};
    }
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#define NEEDS_DUCKDB()                                                                                       \
    if (!engine.db)                                                                                          \
    skip()

static struct duck_statement *must_prepare(const char *sql)
{
    struct err err = ERR_INIT;
    struct duck_statement *statement = duck_prepare(engine.connection, sql, &err);
    if (!statement)
        fail_msg("%s: %s", sql, err.text);
    return statement;
}

static void must_exec(const char *sql)
{
    struct err err = ERR_INIT;
    if (duck_exec(engine.connection, sql, &err) != 0)
        fail_msg("%s: %s", sql, err.text);
}

static void values_of_every_kind(void **state)
{
    NEEDS_DUCKDB();
    struct duck_statement *statement = must_prepare(
        "SELECT true, 1::TINYINT, -2::SMALLINT, 3, 4::BIGINT, 5::HUGEINT, 1.5::DOUBLE, 2.5::FLOAT, "
        "12.345::DECIMAL(7,3), 'a text of more than twelve bytes', 'short', DATE '1970-01-02', "
        "TIMESTAMP '1970-01-01 00:00:01', [1, NULL, 3], MAP {'k': 7}, {'a': 1, 'b': 'x'}, NULL, "
        "'b'::ENUM('a', 'b'), '\\x01'::BLOB, [10, 20]::INTEGER[2], -99999999999999999999.5::DECIMAL(30,1)");
    struct err err = ERR_INIT;
    assert_int_equal(duck_step(statement, &err), 1);
#define AT(i) duck_column(statement, i)
    static const int small[] = {1, 1, -2, 3, 4, 5};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        assert_int_equal(duck_int(AT(i)), small[i]);
    assert_true(duck_double(AT(6)) == 1.5 && duck_double(AT(7)) == 2.5 && duck_double(AT(8)) == 12.345);
    assert_true(duck_huge(AT(8)) == 12345);
    assert_int_equal(duck_int(AT(8)), 12);
    size_t length;
    assert_memory_equal(duck_text(AT(9), &length), "a text of more than twelve bytes", 32);
    assert_int_equal(length, 32);
    assert_memory_equal(duck_text(AT(10), &length), "short", 5);
    assert_int_equal(duck_int(AT(11)), 1);
    assert_int_equal(duck_int(AT(12)), 1000000);
    assert_int_equal(duck_length(AT(13)), 3);
    assert_true(duck_is_null(duck_element(AT(13), 1)));
    assert_int_equal(duck_int(duck_element(AT(13), 2)), 3);
    assert_memory_equal(duck_text(duck_map_key(AT(14), 0), &length), "k", 1);
    assert_int_equal(duck_int(duck_map_value(AT(14), 0)), 7);
    assert_string_equal(duck_column_type(statement, 15)->names[1], "b");
    assert_memory_equal(duck_text(duck_field(AT(15), 1), &length), "x", 1);
    assert_true(duck_is_null(AT(16)));
    assert_memory_equal(duck_text(AT(17), &length), "b", 1);
    assert_int_equal(duck_text(AT(18), &length)[0], 1);
    assert_int_equal(duck_int(duck_element(AT(19), 1)), 20);
    assert_true(duck_huge(AT(20)) == -(__int128)99999999999999 * 10000000 - 9999995);
    assert_int_equal(duck_step(statement, &err), 0);
    duck_finalize(statement);
}

static void rows_come_in_chunks(void **state)
{
    NEEDS_DUCKDB();
    struct duck_statement *statement = must_prepare("SELECT i, i % 3 FROM range($1) t(i) ORDER BY i");
    struct err err = ERR_INIT;
    assert_int_equal(duck_parameter_count(statement), 1);
    for (int run = 0; run < 2; run++) { /* and again */
        duck_bind_int(statement, 1, 10000);
        assert_int_equal(duck_run(statement, &err), 0);
        int64_t rows = 0;
        while (duck_step(statement, &err) == 1)
            assert_int_equal(duck_int(duck_column(statement, 0)), rows++);
        assert_int_equal(rows, 10000);
    }
    duck_bind_int(statement, 9, 1);
    assert_int_equal(duck_run(statement, &err), -1);
    duck_finalize(statement);

    must_exec("CREATE TABLE t (a INTEGER)");
    statement = must_prepare("INSERT INTO t VALUES (1), (2), (3)");
    assert_false(duck_is_select(statement));
    assert_int_equal(duck_run(statement, &err), 0);
    assert_int_equal(duck_changes(statement), 3);
    duck_finalize(statement);
}

static void errors_have_a_class(void **state)
{
    NEEDS_DUCKDB();
    static const struct {
        const char *sql;
        enum duck_error_class class;
    } rows[] = {{"SELEC 1", DUCK_ERROR_PARSER},
                {"SELECT 1; SELECT 2", DUCK_ERROR_PARSER},
                {"", DUCK_ERROR_OTHER},
                {"SELECT nope", DUCK_ERROR_BINDER},
                {"SELECT * FROM nope", DUCK_ERROR_CATALOG},
                {"SELECT CAST(x AS INTEGER) FROM (VALUES ('a')) t(x)", DUCK_ERROR_CONVERSION},
                {"SELECT i + 1 FROM (VALUES (2147483647)) t(i)", DUCK_ERROR_RANGE},
                {"SELECT error('our own')", DUCK_ERROR_INPUT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_INIT;
        struct duck_statement *statement = duck_prepare(engine.connection, rows[i].sql, &err);
        if (statement)
            assert_int_equal(duck_step(statement, &err), -1);
        const char *text;
        if (duck_error(engine.connection, &text) != rows[i].class)
            fail_msg("%s: class %d, %s", rows[i].sql, (int)duck_error(engine.connection, &text), text);
        duck_finalize(statement);
    }
}

/* ---- functions of ours ---- */

static void twice(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    int64_t value = duck_int(arguments[0]);
    if (value == 13)
        duck_return_error(out, "BAD_LUCK: %d", 13);
    else
        duck_return_int(out, 2 * value);
}

static void shout(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    if (duck_is_null(arguments[0])) {
        duck_return_text(out, "nothing", 7);
        return;
    }
    size_t length;
    const char *text = duck_text(arguments[0], &length);
    if (length > 1)
        duck_return_text(out, text, length - 1);
}

static const struct duck_function functions[] = {{"our_twice", DUCK_BIGINT, twice, false, {DUCK_BIGINT}},
                                                 {"our_twice", DUCK_DOUBLE, twice, false, {DUCK_DOUBLE}},
                                                 {"our_shout", DUCK_VARCHAR, shout, true, {DUCK_VARCHAR}},
                                                 {0}};

static void functions_of_ours(void **state)
{
    NEEDS_DUCKDB();
    struct err err = ERR_INIT;
    assert_int_equal(duck_register(engine.connection, functions, &err), 0);
    struct duck_statement *statement =
        must_prepare("SELECT sum(our_twice(i)), our_twice(NULL::BIGINT), our_shout(NULL), our_shout('abc'), "
                     "our_shout('a'), our_twice(4.0::DOUBLE) FROM range(14, 5000) t(i) GROUP BY ALL");
    assert_int_equal(duck_step(statement, &err), 1);
    assert_int_equal(duck_int(AT(0)), (4999LL * 5000 - 13 * 14));
    assert_true(duck_is_null(AT(1)));
    size_t length;
    assert_memory_equal(duck_text(AT(2), &length), "nothing", 7);
    assert_memory_equal(duck_text(AT(3), &length), "ab", 2);
    assert_true(duck_is_null(AT(4)));
    assert_true(duck_double(AT(5)) == 8);
    duck_finalize(statement);

    statement = must_prepare("SELECT our_twice(i) FROM range(20) t(i)");
    int more = duck_step(statement, &err);
    while (more == 1)
        more = duck_step(statement, &err);
    assert_int_equal(more, -1);
    const char *text;
    assert_int_equal(duck_error(engine.connection, &text), DUCK_ERROR_INPUT);
    assert_non_null(strstr(text, "BAD_LUCK: 13"));
    duck_finalize(statement);
}

/* ---- nothing gets out ---- */

/* Every '@' in the pattern is the path. */
static void must_be_refused(const char *pattern, const char *path)
{
    struct buf sql;
    buf_init(&sql, 1 << 12);
    for (; *pattern; pattern++)
        if (*pattern == '@')
            buf_text(&sql, path);
        else
            buf_char(&sql, *pattern);
    struct err err = ERR_INIT;
    if (duck_exec(engine.connection, sql.data, &err) == 0)
        fail_msg("not refused: %s", sql.data);
    buf_free(&sql);
}

static void nothing_gets_out(void **state)
{
    NEEDS_DUCKDB();
    char path[160];
    snprintf(path, sizeof path, "%s/secret.txt", outside);
    char up[160];
    snprintf(up, sizeof up, "%s/../outside/secret.txt", inside);
    const char *const paths[] = {path,
                                 up,
                                 "/etc/passwd",
                                 "/proc/self/environ",
                                 "secret.txt",
                                 "http://127.0.0.1:1/x",
                                 "s3://bucket/key"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        must_be_refused("SELECT * FROM read_text('@')", paths[i]);
        must_be_refused("SELECT * FROM read_blob('@')", paths[i]);
        must_be_refused("SELECT * FROM read_csv('@')", paths[i]);
        must_be_refused("SELECT * FROM read_json('@')", paths[i]);
        must_be_refused("SELECT * FROM read_parquet('@')", paths[i]);
        must_be_refused("SELECT * FROM '@'", paths[i]);
        must_be_refused("COPY (SELECT 1) TO '@.new'", paths[i]);
        must_be_refused("COPY (SELECT 1) TO '@.new' (FORMAT parquet)", paths[i]);
        must_be_refused("ATTACH '@' AS stolen", paths[i]);
        must_be_refused("EXPORT DATABASE '@.d'", paths[i]);
        must_be_refused("IMPORT DATABASE '@'", paths[i]);
        must_be_refused("LOAD '@'", paths[i]);
    }
    static const char *const statements[] = {
        "INSTALL httpfs",
        "LOAD httpfs",
        "FORCE INSTALL spatial",
        "INSTALL x FROM community",
        "SELECT getenv('HOME')",
        "SET enable_external_access=true",
        "SET allowed_directories=['/']",
        "SET lock_configuration=false",
        "RESET lock_configuration",
        "PRAGMA enable_external_access=true",
        "SET temp_directory='/tmp'",
        "SET memory_limit='100GB'",
        "SET threads=64",
        "SET log_query_path='/tmp/smartcity-log'",
        "SET home_directory='/'",
        "SET extension_directory='/tmp'",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
        "PRAGMA enable_profiling='json'; PRAGMA profiling_output='/tmp/smartcity-profile'; SELECT 1"};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        must_be_refused(statements[i], "");

    /* A link inside that points outside. */
    char link[160], sql[400];
    snprintf(link, sizeof link, "%s/link.txt", inside);
    assert_int_equal(symlink(path, link), 0);
    snprintf(sql, sizeof sql, "SELECT content FROM read_text('%s')", link);
    struct err err = ERR_INIT;
    struct duck_statement *statement = duck_prepare(engine.connection, sql, &err);
    if (statement && duck_step(statement, &err) == 1) {
        size_t length;
        const char *text = duck_text(duck_column(statement, 0), &length);
        print_message("# symbolic links are followed (%zu bytes: %.6s): none may be made inside\n", length,
                      text);
    }
    duck_finalize(statement);

    /* And what is allowed works. */
    snprintf(sql, sizeof sql,
             "COPY (SELECT 42 AS a) TO '%s/a.parquet' (FORMAT parquet); "
             "CREATE TABLE back AS SELECT * FROM read_parquet(['%s/a.parquet'])",
             inside, inside);
    must_exec(sql);
}

/* A hostile Parquet file is an error, not a crash. */
static void hostile_parquet(void **state)
{
    NEEDS_DUCKDB();
    char path[120], sql[300];
    snprintf(path, sizeof path, "%s/bad.parquet", inside);
    snprintf(sql, sizeof sql,
             "COPY (SELECT i, 'text ' || i AS t FROM range(1000) t(i)) TO '%s' (FORMAT parquet)", path);
    must_exec(sql);
    struct err err = ERR_INIT;
    struct buf whole;
    buf_init(&whole, 1 << 20);
    assert_int_equal(file_read(path, &whole, &err), 0);
    snprintf(sql, sizeof sql, "SELECT sum(i), max(t) FROM read_parquet('%s')", path);
    for (size_t at = 4; at < whole.length; at += 1 + whole.length / 60) {
        char kept = whole.data[at];
        whole.data[at] = (char)(kept ^ 0x5a);
        file_write_atomic(path, whole.data, whole.length, 0600, &err);
        (void)duck_exec(engine.connection, sql, &err);
        whole.data[at] = kept;
    }
    for (size_t length = 0; length < whole.length; length += 1 + whole.length / 20) {
        file_write_atomic(path, whole.data, length, 0600, &err);
        assert_int_equal(duck_exec(engine.connection, sql, &err), -1);
    }
    buf_free(&whole);
    must_exec("SELECT 1");
}

static void interrupter(void *context)
{
    /* Until it has begun there is nothing to interrupt: ask until the statement has ended. */
    while (!__atomic_load_n((int *)context, __ATOMIC_ACQUIRE)) {
        duck_interrupt(engine.connection);
        clock_sleep_until(clock_mono_us() + 1000);
    }
}

static void cancelled(void **state)
{
    NEEDS_DUCKDB();
    int ended = 0;
    struct err err = ERR_INIT;
    struct worker *worker = worker_start("interrupt", interrupter, &ended, &err);
    int result = duck_exec(engine.connection, "SELECT count(*) FROM range(100000000000) a", &err);
    __atomic_store_n(&ended, 1, __ATOMIC_RELEASE);
    worker_join(worker);
    assert_int_equal(result, -1);
    assert_int_equal(err.kind, ERR_CANCELLED);
    must_exec("SELECT 1");
}

static void memory_is_limited(void **state)
{
    NEEDS_DUCKDB();
    const char *folders[] = {inside};
    struct duck_settings settings = {
        .folders = folders, .folder_count = 1, .memory_bytes = 32 << 20, .threads = 1};
    struct err err = ERR_INIT;
    struct duck_db *db = duck_open(&settings, &err);
    struct duck_connection *connection = duck_connect(db, &err);
    assert_int_equal(duck_exec(connection,
                               "CREATE TABLE t AS SELECT random() AS r, repeat('x', 200) || i AS t "
                               "FROM range(3000000) t(i)",
                               &err),
                     -1);
    assert_int_equal(err.kind, ERR_FULL);
    duck_disconnect(connection);
    duck_close(db);
}

static void copy_file(const char *from, const char *to)
{
    struct err err = ERR_INIT;
    struct buf bytes;
    buf_init(&bytes, 64u << 20);
    assert_int_equal(file_read(from, &bytes, &err), 0);
    assert_int_equal(file_write_atomic(to, bytes.data, bytes.length, 0600, &err), 0);
    buf_free(&bytes);
}

/* What a kill leaves, file and log, opens again; DuckDB by itself fails on a log like this one. */
static void killed_file_opens(void **state)
{
    NEEDS_DUCKDB();
    char first[120], log[130], second[120], copied[130];
    snprintf(first, sizeof first, "%s/first.duckdb", inside);
    snprintf(log, sizeof log, "%s.wal", first);
    snprintf(second, sizeof second, "%s/second.duckdb", inside);
    snprintf(copied, sizeof copied, "%s.wal", second);
    struct duck_settings settings = {.path = first};
    struct err err = ERR_INIT;
    struct duck_db *db = duck_open(&settings, &err);
    assert_non_null(db);
    struct duck_connection *connection = duck_connect(db, &err);
    assert_int_equal(
        duck_exec(connection,
                  "CREATE SEQUENCE s; CREATE TABLE t (i INTEGER DEFAULT (nextval('s')), x VARCHAR "
                  "CHECK (strlen(x) <= 3)); COMMENT ON COLUMN t.x IS 'short'; INSERT INTO t (x) "
                  "VALUES ('a'); BEGIN; INSERT INTO t (x) VALUES ('b')",
                  &err),
        0);
    copy_file(first, second);
    copy_file(log, copied);
    duck_disconnect(connection);
    duck_close(db);
    settings.path = second;
    db = duck_open(&settings, &err);
    if (!db)
        fail_msg("%s", err.text);
    connection = duck_connect(db, &err);
    assert_int_equal(duck_exec(connection, "INSERT INTO t (x) VALUES ('c')", &err), 0);
    assert_int_equal(duck_exec(connection, "INSERT INTO t (x) VALUES ('long')", &err), -1);
    struct duck_statement *row = duck_prepare(connection, "SELECT count(*), count(DISTINCT i) FROM t", &err);
    assert_int_equal(duck_step(row, &err), 1);
    assert_int_equal(duck_int(duck_column(row, 0)), 2);
    assert_int_equal(duck_int(duck_column(row, 1)), 2);
    duck_finalize(row);
    duck_disconnect(connection);
    duck_close(db);
}

static void missing_library(void **state)
{
    struct err err = ERR_INIT;
    char *old = getenv("SMARTCITY_DUCKDB");
    char kept[400] = "";
    if (old)
        snprintf(kept, sizeof kept, "%s", old);
    setenv("SMARTCITY_DUCKDB", "/nonexistent/libduckdb.so", 1);
    struct duck_settings settings = {0};
    assert_null(duck_open(&settings, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "make duckdb"));
    setenv("SMARTCITY_DUCKDB", "libm.so.6", 1); /* a library, but another one */
    assert_null(duck_open(&settings, &err));
    assert_int_equal(err.kind, ERR_UNSUPPORTED);
    if (*kept)
        setenv("SMARTCITY_DUCKDB", kept, 1);
    else
        unsetenv("SMARTCITY_DUCKDB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_of_every_kind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_come_in_chunks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_have_a_class, set_up, tear_down),
        cmocka_unit_test_setup_teardown(functions_of_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_gets_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_parquet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_is_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_file_opens, set_up, tear_down),
        cmocka_unit_test(missing_library),
    };
    return cmocka_run_group_tests_name("duckdb", tests, NULL, NULL);
}
