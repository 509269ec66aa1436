/* What Redshift answers, line by line, in one session. A row is a statement and its rows as CSV with ';'
 * between them (a null is nothing, "" is empty), or the number of rows it changed, or the beginning of its
 * failure after
 * '!'. The rows and the table of functions make docs/redshift-dialect.md: run with `document`. */
#include "base/file.h"
#include "base/text.h"
#include "localcloud/redshift_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const rows[][2] = {
#include "redshift_rows.h"
};

/* What differs and is no function. */
static const char *const differences[][2] = {
    {"`/` of NUMERIC", "gives a double, not NUMERIC with a scale of its own"},
    {"CHAR(n)", "kept as it is written: not padded with blanks, which count in comparisons"},
    {"IDENTITY", "counts without gaps, in the order of the rows"},
    {"PRIMARY KEY, UNIQUE, REFERENCES", "accepted and not enforced, as in Redshift"},
    {"SUPER", "JSON text; navigation (`a.b[0]`), unnesting and dynamic types are refused"},
    {"POSIX patterns (`~`, REGEXP_*)", "RE2's syntax; `~` and SIMILAR TO take a literal pattern"},
    {"ENCODE, DISTSTYLE, SORTKEY, VACUUM, ANALYZE", "kept and shown, without effect on how data lies"},
    {"GRANT, REVOKE, users, groups, roles", "accepted: there is one user"},
    {"COPY",
     "from s3:// only; ORC, AVRO, FIXEDWIDTH, BZIP2 and LZOP are refused; IAM_ROLE and CREDENTIALS are not "
     "looked at, as whoever may sign a request may read every bucket"},
    {"UNLOAD", "one file, or one for each partition: PARALLEL and MAXFILESIZE have no effect"},
    {"SYS_QUERY_HISTORY, STL_QUERY, STV_*", "do not exist: ListStatements tells what ran"},
    {"transactions",
     "writers follow each other; readers see the last committed state; COMMIT inside of a batch is refused"},
    {"Spectrum, data shares, federated queries, ML, procedures, UDFs, cursors, EXPLAIN, PIVOT, geometry",
     "refused"},
};

static char folder[64];
static struct redshift_warehouse *warehouse;
static struct redshift_runner runner;

static int take_page(void *context, int64_t number, const char *body, struct err *err)
{
    buf_text(context, body);
    return 0;
}

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    snprintf(folder, sizeof folder, "/tmp/smartcity-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    warehouse = redshift_warehouse_create(folder);
    redshift_runner_init(&runner);
    runner.connection = redshift_warehouse_connect(warehouse, &err);
    runner.warehouse = warehouse;
    runner.region = "eu-central-1";
    runner.csv = true;
    if (!runner.connection && err.kind != ERR_NOT_FOUND)
        fail_msg("%s", err.text);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    duck_disconnect(runner.connection);
    redshift_runner_free(&runner);
    redshift_warehouse_destroy(warehouse);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void answer(const char *sql, struct buf *out)
{
    struct redshift_outcome outcome = {0};
    struct buf pages;
    buf_init(&pages, 1 << 20);
    runner.page = take_page;
    runner.page_context = &pages;
    runner.query_id++;
    if (redshift_run(&runner, sql, NULL, 0, &outcome) != 0) {
        buf_printf(out, "!%s", outcome.error + strlen("ERROR: "));
    } else if (!outcome.has_result) {
        buf_printf(out, "%lld", (long long)outcome.rows);
    } else {
        for (size_t i = 0; i + 2 < pages.length; i++) {
            bool end = pages.data[i] == '\r' && pages.data[i + 1] == '\n';
            buf_char(out, end ? ';' : pages.data[i]);
            i += end;
        }
    }
    buf_free(&pages);
    redshift_outcome_free(&outcome);
}

static void every_row(void **state)
{
    if (!runner.connection)
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

/* No name of the table leads nowhere: a function that is not absent must be there in the engine. */
static void every_function_is_there(void **state)
{
    if (!runner.connection)
        skip();
    int wrong = 0;
    static const char *const behind[] = {"", " over ()", " within group (order by 1)"};
    for (const struct redshift_function *f = redshift_functions; f->name; f++) {
        bool there = f->status == REDSHIFT_ABSENT;
        for (size_t k = 0; k < 3 && !there; k++) {
            char sql[400];
            struct buf out;
            buf_init(&out, 1 << 16);
            int length = snprintf(sql, sizeof sql, "select %s(", f->name);
            for (int i = 0; i < f->least; i++)
                length += snprintf(sql + length, sizeof sql - (size_t)length, "%snull", i ? ", " : "");
            snprintf(sql + length, sizeof sql - (size_t)length, ")%s", behind[k]);
            answer(sql, &out);
            there =
                !out.data || (!strstr(out.data, "does not exist") && !strstr(out.data, "requires an OVER"));
            if (!there && k == 2)
                printf("# %s: %s\n", sql, out.data);
            buf_free(&out);
        }
        wrong += !there;
    }
    assert_int_equal(wrong, 0);
}

static void cell(FILE *out, const char *text)
{
    fprintf(out, "| `");
    for (; *text; text++)
        fputs(*text == '|' ? "\\|" : *text == '\t' ? "\\t" : *text == '\n' ? "\\n" : (char[]){*text, 0}, out);
    fprintf(out, "` ");
}

static void document(FILE *out)
{
    static const char *const words[] = {"exact", "approximate", "absent"};
    fprintf(out,
            "# The Redshift dialect of the local cloud\n\nWritten by "
            "`build/asan/tests/unit/test_redshift_dialect document` from the table of functions and from "
            "the tests.\n\nWhat is not here does not exist and fails as in Redshift. What is absent fails "
            "with \"is not emulated locally\".\n\n## Differences\n\n| of | here |\n|---|---|\n");
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++)
        fprintf(out, "| %s | %s |\n", differences[i][0], differences[i][1]);
    fprintf(out, "\n## Functions\n\n| function | arguments | emulated | difference |\n|---|---|---|---|\n");
    for (const struct redshift_function *f = redshift_functions; f->name; f++) {
        fprintf(out, "| %s | %d", f->name, f->least);
        if (f->most != f->least)
            fprintf(out, f->most < 0 ? "…" : "–%d", f->most);
        fprintf(out, " | %s | %s |\n", words[f->status], f->note ? f->note : "");
    }
    fprintf(out, "\n## Tested line by line\n\nRows as CSV, with `;` between them; the number of rows of what "
                 "changes them.\n\n| statement | answer |\n|---|---|\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cell(out, rows[i][0]);
        cell(out, rows[i][1][0] != '!' ? rows[i][1] : rows[i][1][1] ? rows[i][1] + 1 : "fails");
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
    if (file_read("docs/redshift-dialect.md", &page, &err) != 0)
        fail_msg("%s", err.text);
    if (strcmp(page.data, text) != 0)
        fail_msg("docs/redshift-dialect.md is stale: %s",
                 "build/asan/tests/unit/test_redshift_dialect document >docs/redshift-dialect.md");
    buf_free(&page);
    free(text);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "document") == 0) {
        document(stdout);
        return 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row), cmocka_unit_test(every_function_is_there),
                                       cmocka_unit_test(document_is_current)};
    return cmocka_run_group_tests_name("redshift dialect", tests, set_up, tear_down);
}
