/* What a crawler infers: types of JSON and Parquet, how they merge, which folders are one table, patterns,
 * schedules, scripts. */
#include "localcloud/glue_cron.h"
#include "localcloud/glue_schema.h"
#include "localcloud/glue_script.h"
#include "localcloud/glue_tree.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parquet_sample.h"

/* ---- schemas ---------------------------------------------------------------------------------------- */

static void expect_type(const struct hive_type *type, const char *expected)
{
    struct buf out;
    buf_init(&out, 65536);
    hive_type_write(type, &out);
    assert_string_equal(out.data, expected);
    buf_free(&out);
}

static void expect_json(const char *text, const char *expected)
{
    struct err err = ERR_INIT;
    struct hive_type schema = {0};
    if (glue_json_schema(text, strlen(text), true, &schema, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    expect_type(&schema, expected);
    hive_type_free(&schema);
}

static void types_of_json(void **state)
{
    expect_json("{\"a\":1,\"b\":1.5,\"c\":true,\"d\":\"x\",\"e\":null}",
                "struct<a:int,b:double,c:boolean,d:string,e:string>");
    expect_json("{\"a\":2147483648}", "struct<a:bigint>");
    expect_json("{\"a\":1}\n\n{\"a\":2147483648}\r\n", "struct<a:bigint>");
    expect_json("{\"a\":1}\n{\"a\":1.5}", "struct<a:double>");
    expect_json("{\"a\":1.5}\n{\"a\":1}", "struct<a:double>");
    expect_json("{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":2}", "struct<a:string>");
    expect_json("{\"a\":{\"b\":1}}\n{\"a\":{\"c\":[1,null]}}", "struct<a:struct<b:int,c:array<int>>>");
    expect_json("{\"a\":[]}\n{\"a\":[{\"x\":1},{\"y\":2}]}", "struct<a:array<struct<x:int,y:int>>>");
    expect_json("{\"a\":{}}", "struct<a:string>");
    expect_json("{\"a\":[1]}\n{\"a\":{\"b\":1}}", "struct<a:string>");
    expect_json("{\"Aa\":1,\"aA\":2.5}", "struct<Aa:double>");
}

static void what_is_no_json(void **state)
{
    static const char *const wrong[] = {"[1]", "1", "{\"a\":1", "{\"a\":1}{\"b\":2}", "a,b\n1,2", "{}\nx"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err err = ERR_INIT;
        struct hive_type schema = {0};
        if (glue_json_schema(wrong[i], strlen(wrong[i]), true, &schema, &err) >= 0)
            fail_msg("%s was taken", wrong[i]);
        hive_type_free(&schema);
    }
    /* A last line that is cut off is left for later. */
    struct err err = ERR_INIT;
    struct hive_type schema = {0};
    assert_int_equal(glue_json_schema("{\"a\":1}\n{\"b", 11, false, &schema, &err), 1);
    hive_type_free(&schema);
    /* Nested without end: cut to a string, in bounded depth. */
    char deep[4096] = "{\"a\":";
    for (size_t i = 0; i < 500; i++)
        strcat(deep, "[");
    for (size_t i = 0; i < 500; i++)
        strcat(deep, "]");
    strcat(deep, "}");
    assert_int_equal(glue_json_schema(deep, strlen(deep), true, &schema, &err), 1);
    hive_type_free(&schema);
}

static void types_of_parquet(void **state)
{
    struct err err = ERR_INIT;
    struct hive_type schema = {0};
    int64_t rows;
    size_t needed;
    assert_int_equal(glue_parquet_schema(PARQUET_TYPES, sizeof PARQUET_TYPES, PARQUET_TYPES_SIZE, &schema,
                                         &rows, &needed, &err),
                     0);
    assert_int_equal(rows, 1);
    expect_type(
        &schema,
        "struct<on:boolean,small:tinyint,medium:smallint,seats:int,total:bigint,ratio:float,speed:double,"
        "price:decimal(10,2),name:string,raw:binary,day:date,at:timestamp,tags:array<string>,"
        "props:map<string,bigint>,place:struct<lat:double,points:array<struct<x:int>>>>");
    hive_type_free(&schema);
    /* The tail that was read is too short: how much is needed is said. */
    const unsigned char *half = PARQUET_TYPES + sizeof PARQUET_TYPES / 2;
    assert_int_equal(glue_parquet_schema(half, (size_t)(PARQUET_TYPES + sizeof PARQUET_TYPES - half),
                                         PARQUET_TYPES_SIZE, &schema, &rows, &needed, &err),
                     -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_int_equal(needed, sizeof PARQUET_TYPES);
}

/* Every byte of the footer changed in turn: refused or read, never beyond its bounds. */
static void hostile_parquet(void **state)
{
    for (size_t i = 0; i < sizeof PARQUET_TYPES; i++)
        for (int bit = 0; bit < 8; bit += 3) {
            struct err err = ERR_INIT;
            struct hive_type schema = {0};
            int64_t rows;
            size_t needed;
            unsigned char *bytes = mem_alloc(sizeof PARQUET_TYPES);
            memcpy(bytes, PARQUET_TYPES, sizeof PARQUET_TYPES);
            bytes[i] ^= (unsigned char)(1 << bit);
            if (glue_parquet_schema(bytes, sizeof PARQUET_TYPES, PARQUET_TYPES_SIZE, &schema, &rows, &needed,
                                    &err) == 0)
                hive_type_free(&schema);
            free(bytes);
        }
}

/* ---- trees ------------------------------------------------------------------------------------------ */

static void add(struct glue_folder *root, const char *key, const char *json)
{
    struct err err = ERR_INIT;
    struct glue_file *file = glue_tree_add(root, key);
    assert_non_null(file);
    file->size = 100;
    file->read = true;
    if (!json)
        return;
    file->format = GLUE_JSON;
    file->records = glue_json_schema(json, strlen(json), true, &file->schema, &err);
    assert_true(file->records >= 0);
}

static void note(void *context, const struct glue_found *found)
{
    struct buf *out = context;
    buf_printf(out, "%s%s", found->file ? "file " : "", found->file ? found->file->key : found->folder->path);
    for (int i = 0; !found->file && i < found->folder->levels; i++) {
        char name[HIVE_NAME_MAX + 1];
        glue_tree_key(found->folder, i, name);
        buf_printf(out, " [%s]", name);
    }
    buf_char(out, '\n');
}

static void expect_tables(const char *const *keys, const char *const *json, bool combine, int level,
                          const char *expected)
{
    struct glue_folder root = {.name = mem_text("raw"), .path = mem_text("raw/")};
    struct buf out;
    buf_init(&out, 4096);
    buf_text(&out, "");
    for (size_t i = 0; keys[i]; i++)
        add(&root, keys[i], json[i]);
    glue_tree_settle(&root, combine);
    glue_tree_tables(&root, level, 2, note, &out);
    assert_string_equal(out.data, expected);
    buf_free(&out);
    glue_folder_free(&root);
}

#define ALIKE "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}"
#define GROWN "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}"
#define OTHER "{\"x\":1,\"y\":2,\"a\":\"text\"}"

static void which_folders_are_tables(void **state)
{
    expect_tables((const char *[]){"raw/a.json", "raw/b.json", NULL}, (const char *[]){ALIKE, GROWN}, false,
                  0, "raw/\n");
    expect_tables((const char *[]){"raw/dt=1/a", "raw/dt=2/a", NULL}, (const char *[]){ALIKE, GROWN}, false,
                  0, "raw/ [dt]\n");
    expect_tables((const char *[]){"raw/2026/01/a", "raw/2026/02/a", NULL}, (const char *[]){ALIKE, ALIKE},
                  false, 0, "raw/ [partition_0] [partition_1]\n");
    expect_tables((const char *[]){"raw/gps/Dt=1/a", "raw/weather/dt=1/a", NULL},
                  (const char *[]){ALIKE, OTHER}, false, 0, "raw/gps/ [dt]\nraw/weather/ [dt]\n");
    /* Another key, another depth: not one table. */
    expect_tables((const char *[]){"raw/dt=1/a", "raw/hour=1/a", NULL}, (const char *[]){ALIKE, ALIKE}, false,
                  0, "raw/dt=1/\nraw/hour=1/\n");
    expect_tables((const char *[]){"raw/dt=1/a", "raw/dt=2/x/a", NULL}, (const char *[]){ALIKE, ALIKE}, false,
                  0, "raw/dt=1/\nraw/dt=2/ [partition_0]\n");
    expect_tables((const char *[]){"raw/a/dt=1/a", "raw/b/day=1/a", NULL}, (const char *[]){ALIKE, ALIKE},
                  false, 0, "raw/a/ [dt]\nraw/b/ [day]\n");
    /* Files that are not alike, or beside folders, are each a table. */
    expect_tables((const char *[]){"raw/a", "raw/b", NULL}, (const char *[]){ALIKE, OTHER}, false, 0,
                  "file raw/a\nfile raw/b\n");
    expect_tables((const char *[]){"raw/a", "raw/dt=1/b", NULL}, (const char *[]){ALIKE, ALIKE}, false, 0,
                  "file raw/a\nraw/dt=1/\n");
    /* What is no data counts for nothing. */
    expect_tables((const char *[]){"raw/README", "raw/dt=1/b", NULL}, (const char *[]){NULL, ALIKE}, false, 0,
                  "raw/ [dt]\n");
    expect_tables((const char *[]){"raw/README", NULL}, (const char *[]){NULL}, false, 0, "");
    /* Compatible schemas together on demand; a contradiction still divides. */
    expect_tables((const char *[]){"raw/p/a", "raw/q/a", NULL}, (const char *[]){ALIKE, "{\"z\":1}"}, true, 0,
                  "raw/ [partition_0]\n");
    expect_tables((const char *[]){"raw/p/a", "raw/q/a", NULL}, (const char *[]){ALIKE, OTHER}, true, 0,
                  "raw/p/\nraw/q/\n");
    /* A level that was asked for. */
    expect_tables((const char *[]){"raw/p/dt=1/a", "raw/q/dt=1/a", NULL}, (const char *[]){ALIKE, ALIKE},
                  false, 3, "raw/p/ [dt]\nraw/q/ [dt]\n");
}

static void similarity_is_of_columns(void **state)
{
    static const struct {
        const char *a, *b;
        double expected;
    } cases[] = {
        {ALIKE, ALIKE, 1},
        {ALIKE, GROWN, 0.8},
        {"{\"a\":1}", "{\"a\":1.5}", 1},
        {"{\"a\":1}", "{\"a\":\"x\"}", 0},
        {"{\"a\":{\"b\":1}}", "{\"a\":{\"c\":1}}", 1},
        {"{\"a\":{\"b\":1}}", "{\"a\":{\"b\":\"x\"}}", 0},
        {"{}", "{}", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hive_type a = {0}, b = {0};
        glue_json_schema(cases[i].a, strlen(cases[i].a), true, &a, NULL);
        glue_json_schema(cases[i].b, strlen(cases[i].b), true, &b, NULL);
        double forth = hive_type_similarity(&a, &b), back = hive_type_similarity(&b, &a);
        if (forth < cases[i].expected - 1e-9 || forth > cases[i].expected + 1e-9 || forth < back ||
            forth > back)
            fail_msg("%s and %s: %g", cases[i].a, cases[i].b, forth);
        hive_type_free(&a);
        hive_type_free(&b);
    }
}

static void names_and_patterns(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"*.csv", "a.csv", true},
        {"*.csv", "x/a.csv", false},
        {"**.csv", "x/a.csv", true},
        {"dt=2025*/**", "dt=2025-01/a", true},
        {"?/a", "x/a", true},
        {"?", "/", false},
        {"[a-c]x", "bx", true},
        {"[!a-c]x", "bx", false},
        {"{a,b}*", "bcd", true},
        {"{a,b}", "c", false},
        {"a\\*", "a*", true},
        {"a\\*", "ab", false},
        {"**", "any/thing", true},
        {"[a", "a", false},
        {"{a", "a", false},
        {"*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glue_glob(cases[i].pattern, cases[i].text) != cases[i].matches)
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
    char name[129];
    glue_table_name("Raw_", "2026 GPS!", name);
    assert_string_equal(name, "raw_2026_gps_");
}

/* ---- schedules -------------------------------------------------------------------------------------- */

static int64_t at(const char *time)
{
    int64_t milliseconds;
    assert_true(text_parse_time(time, strlen(time), &milliseconds));
    return milliseconds / 1000;
}

static void schedules(void **state)
{
    static const struct {
        const char *cron, *time;
        bool matches;
    } cases[] = {
        {"cron(15 12 * * ? *)", "2026-01-12T12:15:59Z", true},
        {"cron(15 12 * * ? *)", "2026-01-12T12:16:00Z", false},
        {"cron(0/15 * * * ? *)", "2026-01-12T03:45:00Z", true},
        {"cron(5/15 * * * ? *)", "2026-01-12T03:45:00Z", false},
        {"cron(0 8 ? * MON-FRI *)", "2026-01-12T08:00:00Z", true}, /* a Monday */
        {"cron(0 8 ? * MON-FRI *)", "2026-01-11T08:00:00Z", false},
        {"cron(0 8 ? * 1,7 *)", "2026-01-11T08:00:00Z", true},
        {"cron(0 0 1 JAN,jul ? *)", "2026-07-01T00:00:00Z", true},
        {"cron(0 0 L * ? *)", "2028-02-29T00:00:00Z", true},
        {"cron(0 0 L * ? *)", "2026-02-27T00:00:00Z", false},
        {"cron(0 0 ? * 2#2 *)", "2026-01-12T00:00:00Z", true},
        {"cron(0 0 ? * 2#2 *)", "2026-01-19T00:00:00Z", false},
        {"cron(0 0 ? * 2L *)", "2026-01-26T00:00:00Z", true},
        {"cron(0 0 ? * 2L *)", "2026-01-19T00:00:00Z", false},
        {"cron(0 22-2 * * ? *)", "2026-01-12T01:00:00Z", true},
        {"cron(0 22-2 * * ? *)", "2026-01-12T03:00:00Z", false},
        {"cron(0 0 1 1 ? 2027)", "2026-01-01T00:00:00Z", false},
        {"cron(0 0 1 1 ? 2026-2030/2)", "2028-01-01T00:00:00Z", true},
    };
    static const char *const wrong[] = {
        "",
        "0 12 * * ? *",
        "cron(0 12 * * ? *",
        "cron(60 12 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 12 * * ?)",
        "cron(0 12 * * * *)",
        "cron(0 12 ? * ? *)",
        "cron(0 12 * * ? * *)",
        "cron(? 12 * * ? *)",
        "cron(0 12 0 * ? *)",
        "cron(0 12 1W * ? *)",
        "cron(0 12 ? * 8 *)",
        "cron(0 12 ? * 2#6 *)",
        "cron(0/0 12 * * ? *)",
        "rate(5 minutes)",
        "cron(0 12 * FOO ? *)",
        "cron(1, 12 * * ? *)",
    };
    struct glue_cron cron;
    struct err err = ERR_INIT;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (glue_cron_parse(cases[i].cron, &cron, &err) < 0)
            fail_msg("%s: %s", cases[i].cron, err.text);
        if (glue_cron_matches(&cron, at(cases[i].time)) != cases[i].matches)
            fail_msg("%s at %s", cases[i].cron, cases[i].time);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (glue_cron_parse(wrong[i], &cron, &err) == 0)
            fail_msg("%s was taken", wrong[i]);
    assert_int_equal(glue_cron_parse("cron(15 12 * * ? *)", &cron, &err), 0);
    assert_true(glue_cron_between(&cron, at("2026-01-12T12:14:40Z"), at("2026-01-12T12:15:00Z")));
    assert_false(glue_cron_between(&cron, at("2026-01-12T12:15:00Z"), at("2026-01-12T12:15:20Z")));
    assert_true(glue_cron_between(&cron, at("2025-01-12T12:00:00Z"), at("2026-01-12T12:00:00Z")));
}

/* ---- scripts ---------------------------------------------------------------------------------------- */

static void scripts(void **state)
{
    static const char text[] = "-- first; not a statement\n  SELECT ';' AS \"a;b\", `c;` /* ; */ ;;\n"
                               "INSERT INTO t VALUES ('it''s; so') -- end;\n;\nSELECT 3 ; /* no end";
    static const char *const expected[] = {"SELECT ';' AS \"a;b\", `c;` /* ; */",
                                           "INSERT INTO t VALUES ('it''s; so') -- end;", "SELECT 3"};
    const char *from = text, *statement;
    size_t length, count = 0;
    while ((statement = glue_script_next(&from, &length))) {
        assert_true(count < 3);
        assert_int_equal(length, strlen(expected[count]));
        assert_memory_equal(statement, expected[count], length);
        count++;
    }
    assert_int_equal(count, 3);
    struct err err = ERR_INIT;
    struct buf out;
    json_t *arguments = json_pack("{s:s}", "--dt", "2026-01-12");
    buf_init(&out, 100);
    assert_int_equal(glue_script_fill("dt = '${dt}' $ {x} $", 20, arguments, &out, &err), 0);
    assert_string_equal(out.data, "dt = '2026-01-12' $ {x} $");
    assert_int_equal(glue_script_fill("${hour}", 7, arguments, &out, &err), -1);
    assert_string_equal(err.text, "the script needs the argument --hour");
    assert_int_equal(glue_script_fill("${dt", 4, arguments, &out, &err), -1);
    assert_int_equal(glue_script_fill("${}", 3, arguments, &out, &err), -1);
    buf_free(&out);
    json_decref(arguments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_of_json),
        cmocka_unit_test(what_is_no_json),
        cmocka_unit_test(types_of_parquet),
        cmocka_unit_test(hostile_parquet),
        cmocka_unit_test(which_folders_are_tables),
        cmocka_unit_test(similarity_is_of_columns),
        cmocka_unit_test(names_and_patterns),
        cmocka_unit_test(schedules),
        cmocka_unit_test(scripts),
    };
    return cmocka_run_group_tests_name("glue_schema", tests, NULL, NULL);
}
