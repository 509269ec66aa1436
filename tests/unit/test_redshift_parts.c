/* What reads SQL before anything runs: tokens, parameters, the options of COPY and UNLOAD. Nothing here needs
 * the engine. */
#include "localcloud/redshift_load.h"
#include "localcloud/redshift_rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct redshift_failure failure;

static struct redshift_tokens lex(const char *sql)
{
    struct redshift_tokens tokens;
    if (redshift_lex(&tokens, sql, NULL, 0, &failure) != 0)
        fail_msg("%s: %s", sql, failure.text);
    return tokens;
}

static void tokens_are_decoded(void **state)
{
    struct redshift_tokens tokens =
        lex("SELECT \"A b\", 'it''s', 'a\\'b', 1.5e3 -- gone\n/* /* nested */ gone */ FROM #T;");
    static const struct {
        enum redshift_token_kind kind;
        const char *value;
    } wanted[] = {{RS_WORD, "select"}, {RS_QUOTED, "a b"}, {RS_OPERATOR, NULL}, {RS_STRING, "it's"},
                  {RS_OPERATOR, NULL}, {RS_STRING, "a'b"}, {RS_OPERATOR, NULL}, {RS_NUMBER, NULL},
                  {RS_WORD, "from"},   {RS_QUOTED, "#t"}};
    assert_int_equal(tokens.count, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < tokens.count; i++) {
        assert_int_equal(tokens.list[i].kind, wanted[i].kind);
        if (wanted[i].value)
            assert_string_equal(tokens.list[i].value, wanted[i].value);
    }
    redshift_tokens_free(&tokens);
}

static void dollars_quote(void **state)
{
    struct redshift_tokens tokens = lex("unload ($$select 'it''s', '\\x'$$) to $a$s3://$$$a$");
    assert_int_equal(tokens.count, 6);
    assert_int_equal(tokens.list[2].kind, RS_STRING);
    assert_string_equal(tokens.list[2].value, "select 'it''s', '\\x'");
    assert_string_equal(tokens.list[5].value, "s3://$$");
    redshift_tokens_free(&tokens);
}

static void broken_text_is_refused(void **state)
{
    static const char *const broken[] = {"select 'open",   "select \"open",  "select (1",     "select 1)",
                                         "select /* open", "select (1]",     "\xff\xfe",      "select \x01",
                                         "select ((1)",    "select $$ open", "select 'a\xc3'"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct redshift_tokens tokens;
        if (redshift_lex(&tokens, broken[i], NULL, 0, &failure) == 0) {
            struct redshift_scope scope = {.database = "dev", .user = "u", .schema = "public"};
            struct buf out;
            buf_init(&out, 4096);
            if (redshift_rewrite(&tokens, 0, tokens.count, &scope, true, &out, &failure) == 0)
                fail_msg("%s was taken: %s", broken[i], out.data);
            buf_free(&out);
            redshift_tokens_free(&tokens);
        }
    }
}

static void parameters_are_values(void **state)
{
    struct redshift_parameter parameters[] = {{.name = "road", .value = "A'1; drop table x"},
                                              {.name = "unused", .value = "x"}};
    struct redshift_tokens tokens;
    assert_int_equal(redshift_lex(&tokens, "select :road, ':road', a::int", parameters, 2, &failure), 0);
    assert_int_equal(tokens.list[1].kind, RS_STRING);
    assert_string_equal(tokens.list[1].value, "A'1; drop table x");
    assert_string_equal(tokens.list[3].value, ":road");
    assert_true(parameters[0].used);
    assert_false(parameters[1].used);
    redshift_tokens_free(&tokens);
    assert_int_equal(redshift_lex(&tokens, "select :missing", parameters, 2, &failure), -1);
    assert_true(failure.validation);
}

/* What options point to; freed by the next reading. */
static struct redshift_tokens kept;

static int read_options(const char *text, bool unload, struct rs_options *options,
                        struct redshift_outcome *outcome)
{
    size_t at = 0;
    redshift_tokens_free(&kept);
    kept = lex(text);
    *outcome = (struct redshift_outcome){0};
    int result = rs_options_read(&kept, &at, options, unload, outcome);
    if (result == 0)
        assert_int_equal(at, kept.count);
    return result;
}

static void options_of_copy(void **state)
{
    struct rs_options o;
    struct redshift_outcome outcome;
    assert_int_equal(read_options("iam_role 'arn:aws:iam::1:role/x' format as parquet manifest fillrecord",
                                  false, &o, &outcome),
                     0);
    assert_int_equal(o.format, RS_FORMAT_PARQUET);
    assert_true(o.manifest && o.fill && !o.serialize);
    assert_int_equal(read_options("MANIFEST PARQUET IAM_ROLE DEFAULT SERIALIZETOJSON", false, &o, &outcome),
                     0);
    assert_true(o.manifest && o.serialize);
    assert_int_equal(read_options("csv quote as '%' ignoreheader as 2 maxerror 7 gzip credentials "
                                  "'aws_iam_role=x' region as 'eu-west-1' compupdate off statupdate true",
                                  false, &o, &outcome),
                     0);
    assert_int_equal(o.format, RS_FORMAT_CSV);
    assert_true(o.delimiter == ',' && o.quote == '%' && o.ignore_header == 2 && o.max_error == 7);
    assert_string_equal(o.compression, "gzip");
    assert_int_equal(
        read_options("delimiter '|' null as '-' dateformat 'auto' timeformat as 'epochsecs' escape "
                     "removequotes blanksasnull emptyasnull trimblanks truncatecolumns iam_role default",
                     false, &o, &outcome),
        0);
    assert_true(o.format == RS_FORMAT_TEXT && o.delimiter == '|' && o.escape && o.remove_quotes &&
                o.blanks_as_null && o.empty_as_null && o.trim && o.truncate);
    assert_int_equal(
        read_options("json 'auto ignorecase' access_key_id 'a' secret_access_key 'b' session_token 'c'",
                     false, &o, &outcome),
        0);
    assert_string_equal(o.json, "auto ignorecase");
}

static void options_that_are_refused(void **state)
{
    static const struct {
        const char *text;
        bool unload;
        const char *part;
    } rows[] = {
        {"parquet", false, "authorization"},
        {"iam_role default format as orc", false, "format orc is not emulated locally"},
        {"iam_role default format as nothing", false, "syntax error at or near \"nothing\""},
        {"iam_role default parquet maxerror 1", false, "MAXERROR argument is not supported"},
        {"iam_role default parquet gzip", false, "not supported for PARQUET"},
        {"iam_role default delimiter '||'", false, "single character"},
        {"iam_role default ignoreheader -1", false, "syntax error"},
        {"iam_role default maxerror 100001", false, "syntax error"},
        {"iam_role default bzip2", false, "bzip2 is not emulated locally"},
        {"iam_role default allowoverwrite", false, "syntax error at or near \"allowoverwrite\""},
        {"iam_role default fillrecord", true, "syntax error at or near \"fillrecord\""},
        {"iam_role default cleanpath allowoverwrite", true, "CLEANPATH"},
        {"iam_role", false, "syntax error"},
        {"iam_role default, csv", false, "syntax error at or near \",\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rs_options options;
        struct redshift_outcome outcome;
        if (read_options(rows[i].text, rows[i].unload, &options, &outcome) == 0 ||
            !strstr(outcome.error, rows[i].part))
            fail_msg("%s: %s", rows[i].text, outcome.error);
    }
}

static void urls(void **state)
{
    char bucket[OBJECTS_BUCKET_MAX + 1], key[OBJECTS_KEY_MAX + 1];
    assert_true(rs_url_split("s3://lake/a/b", bucket, key));
    assert_string_equal(bucket, "lake");
    assert_string_equal(key, "a/b");
    assert_true(rs_url_split("s3://lake", bucket, key));
    assert_string_equal(key, "");
    assert_false(rs_url_split("s3:///a", bucket, key));
    assert_false(rs_url_split("/etc/passwd", bucket, key));
    assert_false(rs_url_split("http://lake/a", bucket, key));
    char longer[1200] = "s3://lake/";
    memset(longer + 10, 'x', 1100);
    assert_false(rs_url_split(longer, bucket, key));
    assert_false(rs_url_split(NULL, bucket, key));
}

/* What comes out names nothing of the engine that is not in the tables of functions and views. */
static void nothing_of_the_engine(void **state)
{
    static const char *const refused[] = {"select * from read_csv('x')",
                                          "select * from duckdb_tables()",
                                          "select * from duckdb_settings",
                                          "select * from _redshift.loads",
                                          "select * from 'x.parquet'",
                                          "select * from pg_settings",
                                          "select getenv('HOME')",
                                          "select \"read_text\"('x')",
                                          "select 'x'.read_text()",
                                          "select [1, 2]",
                                          "select {'a': 1}",
                                          "select * from \"/etc/passwd\"",
                                          "select a.b.read_blob('x')"};
    struct redshift_scope scope = {.database = "dev", .user = "u", .schema = "public"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct redshift_tokens tokens;
        struct buf out;
        buf_init(&out, 4096);
        if (redshift_lex(&tokens, refused[i], NULL, 0, &failure) == 0) {
            if (redshift_rewrite(&tokens, 0, tokens.count, &scope, true, &out, &failure) == 0)
                fail_msg("%s became %s", refused[i], out.data);
            redshift_tokens_free(&tokens);
        }
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_decoded),
        cmocka_unit_test(dollars_quote),
        cmocka_unit_test(broken_text_is_refused),
        cmocka_unit_test(parameters_are_values),
        cmocka_unit_test(options_of_copy),
        cmocka_unit_test(options_that_are_refused),
        cmocka_unit_test(urls),
        cmocka_unit_test(nothing_of_the_engine),
    };
    int failed = cmocka_run_group_tests_name("redshift parts", tests, NULL, NULL);
    redshift_tokens_free(&kept);
    return failed;
}
