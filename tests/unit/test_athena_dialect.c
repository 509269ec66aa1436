/* What Athena answers, line by line. A row is a query and the text of its only value, or the beginning of its
 * failure after '!'. The rows and the table of functions make docs/athena-dialect.md: run with `document`. */
#include "base/file.h"
#include "localcloud/athena_engine.h"
#include "localcloud/athena_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const rows[][2] = {
#include "athena_rows.h"
};

static struct athena_engine *engine;
static struct duck_connection *connection;

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    engine = athena_engine_open(NULL, 0, NULL, &err);
    if (!engine) {
        if (err.kind != ERR_NOT_FOUND)
            fail_msg("%s", err.text);
        return 0;
    }
    connection = athena_engine_connect(engine, &err);
    return connection ? 0 : -1;
}

static int tear_down(void **state)
{
    duck_disconnect(connection);
    athena_engine_close(engine);
    return 0;
}

/* The rows of the answer, columns by '|', rows by ';'. */
static void answer(const char *sql, struct buf *out)
{
    struct athena_query query;
    struct athena_failure failure;
    if (athena_rewrite_text(sql, "db", &query, &failure) != 0) {
        buf_printf(out, "!%s: %s", failure.kind, failure.text);
        return;
    }
    struct duck_statement *statement = athena_prepare(connection, &query, sql, &failure);
    struct err err = ERR_INIT;
    int more = statement ? duck_step(statement, &err) : -1;
    for (bool first = true; more == 1; more = duck_step(statement, &err), first = false) {
        buf_text(out, first ? "" : ";");
        for (size_t i = 0; i < duck_column_count(statement); i++) {
            struct duck_value value = duck_column(statement, i);
            buf_text(out, i ? "|" : "");
            if (duck_is_null(value))
                buf_text(out, "NULL");
            else
                athena_value_write(out, value);
        }
    }
    if (more < 0) {
        buf_reset(out);
        if (statement)
            athena_failure_of(connection, sql, &failure);
        buf_printf(out, "!%s: %s", failure.kind, failure.text);
        if (getenv("ATHENA_SHOW"))
            printf("# %s\n", query.sql);
    }
    duck_finalize(statement);
    athena_query_free(&query);
}

static void every_row(void **state)
{
    if (!engine)
        skip();
    int wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        buf_init(&out, 1 << 16);
        answer(rows[i][0], &out);
        const char *got = out.data ? out.data : "";
        bool same = rows[i][1][0] == '!' ? strncmp(got, rows[i][1], strlen(rows[i][1])) == 0
                                         : strcmp(got, rows[i][1]) == 0;
        if (!same) {
            printf("# %s\n#    is      %s\n#    must be %s\n", rows[i][0], got, rows[i][1]);
            wrong++;
        }
        buf_free(&out);
    }
    assert_int_equal(wrong, 0);
}

static void column_names(void **state)
{
    if (!engine)
        skip();
    static const char sql[] = "SELECT a, a + 1, *, 2 FROM (VALUES 1) t(a)";
    struct athena_query query;
    struct athena_failure failure;
    assert_int_equal(athena_rewrite_text(sql, "db", &query, &failure), 0);
    struct duck_statement *statement = athena_prepare(connection, &query, sql, &failure);
    assert_non_null(statement);
    static const char *const names[] = {"a", "_col1", "a", "_col3"};
    for (size_t i = 0; i < 4; i++) {
        char name[32];
        athena_column_name(statement, i, name, sizeof name);
        assert_string_equal(name, names[i]);
    }
    duck_finalize(statement);
    athena_query_free(&query);
}

static void tables_are_named(void **state)
{
    struct athena_query query;
    struct athena_failure failure;
    assert_int_equal(
        athena_rewrite_text("WITH c AS (SELECT * FROM T1) SELECT x.a FROM c JOIN other.t2 x ON c.i = x.i, "
                            "\"AwsDataCatalog\".\"db\".t1 WHERE EXISTS (SELECT 1 FROM t3) AND a IN (SELECT b "
                            "FROM (SELECT * FROM t4))",
                            "db", &query, &failure),
        0);
    assert_int_equal(query.table_count, 4);
    static const char *const names[][2] = {{"db", "t1"}, {"other", "t2"}, {"db", "t3"}, {"db", "t4"}};
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(query.tables[i].database, names[i][0]);
        assert_string_equal(query.tables[i].name, names[i][1]);
    }
    assert_int_equal(query.tables[1].column, 53);
    athena_query_free(&query);
}

/* Statements and what is left out of them; tests/clients/test_athena_sql.py runs each. */
static const char *const statements[][2] = {
    {"SELECT, WITH, VALUES, TABLE", "no MATCH_RECOGNIZE, no table functions"},
    {"CREATE DATABASE, DROP DATABASE [CASCADE]", ""},
    {"CREATE EXTERNAL TABLE",
     "Parquet, JSON, LazySimpleSerDe and OpenCSVSerde are read; ORC, Avro and others are refused "
     "when read; no CLUSTERED BY"},
    {"CREATE TABLE AS",
     "PARQUET, JSON, TEXTFILE; buckets are noted and not made; no Iceberg; at most 100 partitions"},
    {"INSERT INTO", "the formats of CREATE TABLE AS; at most 100 partitions"},
    {"UNLOAD", "PARQUET, JSON, TEXTFILE; compression none, gzip, zstd, snappy (Parquet)"},
    {"ALTER TABLE ADD, DROP, RENAME PARTITION; SET LOCATION, TBLPROPERTIES; ADD, REPLACE COLUMNS; CHANGE "
     "COLUMN",
     "no FIRST and AFTER"},
    {"MSCK REPAIR TABLE", ""},
    {"CREATE [OR REPLACE] VIEW, DROP VIEW", ""},
    {"SHOW DATABASES, TABLES, VIEWS, COLUMNS, PARTITIONS, TBLPROPERTIES, CREATE TABLE, CREATE VIEW", ""},
    {"DESCRIBE [EXTENDED, FORMATTED]", "EXTENDED is as FORMATTED"},
    {"EXPLAIN [ANALYZE]", "the plan is DuckDB's; no TYPE IO"},
    {"PREPARE, EXECUTE, DEALLOCATE PREPARE", ""},
    {"MERGE, UPDATE, DELETE, OPTIMIZE, VACUUM, GRANT, REVOKE, USE", "refused: NOT_SUPPORTED"}};

/* What may differ without a word, or only with rows. */
static const char *const differences[] = {
    "Types that do not go together (`'1' = 1`) fail with the first row, not before; in the ON of an outer "
    "join and deeper "
    "than ten parentheses they are not looked at.",
    "`DATE - DATE`, division of decimals, `AT TIME ZONE` and WITHIN GROUP are refused.",
    "An integer sum beyond bigint fails only when it is shown, cast or stored.",
    "The type of a text is varchar, whatever its length.",
    "Names of columns in WHERE and of items before (`SELECT 1 AS a, a + 1`) are found where Athena finds "
    "none."};

static void document(FILE *out)
{
    static const char *const words[] = {"exact", "approximate", "absent"};
    fprintf(
        out,
        "# The Athena dialect of the local cloud\n\nWritten by `build/asan/tests/unit/test_athena_dialect "
        "document` "
        "from the table of functions and from the tests.\n\nWhat is not here does not exist: it fails with "
        "FUNCTION_NOT_FOUND. What is absent fails with NOT_SUPPORTED.\n\n## Statements\n\n| statement | left "
        "out |\n"
        "|---|---|\n");
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        fprintf(out, "| %s | %s |\n", statements[i][0], statements[i][1]);
    fprintf(
        out,
        "\nTables are pruned by what WHERE demands of partition keys, and projected (enum, integer, date, "
        "injected). `\"$path\"`, `\"$file_size\"`, `\"$file_modified_time\"`, `\"t$partitions\"` and "
        "information_schema (schemata, tables, columns, views) are there.\n\n## Known differences\n\n");
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++)
        fprintf(out, "- %s\n", differences[i]);
    fprintf(out, "\n## Functions\n\n| function | "
                 "arguments | "
                 "emulated | difference |\n|---|---|---|---|\n");
    for (const struct athena_function *f = athena_functions; f->name; f++) {
        fprintf(out, "| %s | %d", f->name, f->least);
        if (f->most != f->least)
            fprintf(out, f->most < 0 ? "…" : "–%d", f->most);
        fprintf(out, " | %s | %s |\n", words[f->target ? f->status : ATHENA_ABSENT], f->note ? f->note : "");
    }
    fprintf(out, "\n## Tested line by line\n\n| query | answer |\n|---|---|\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int j = 0; j < 2; j++) {
            fprintf(out, "| `");
            for (const char *at = rows[i][j] + (rows[i][j][0] == '!'); *at; at++)
                fprintf(out, *at == '|' ? "\\|" : "%c", *at);
            fprintf(out, *rows[i][j] ? "` " : " ` ");
        }
        fprintf(out, "|\n");
    }
}

/* make test runs at the top of the tree. */
static void document_is_current(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    document(out);
    fclose(out);
    struct buf page;
    struct err err = ERR_INIT;
    buf_init(&page, 1 << 20);
    if (file_read("docs/athena-dialect.md", &page, &err) != 0)
        fail_msg("%s", err.text);
    if (strcmp(page.data, text) != 0)
        fail_msg("docs/athena-dialect.md is stale: %s",
                 "build/asan/tests/unit/test_athena_dialect document >docs/athena-dialect.md");
    buf_free(&page);
    free(text);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "document") == 0) {
        document(stdout);
        return 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row), cmocka_unit_test(column_names),
                                       cmocka_unit_test(tables_are_named),
                                       cmocka_unit_test(document_is_current)};
    return cmocka_run_group_tests_name("athena dialect", tests, set_up, tear_down);
}
