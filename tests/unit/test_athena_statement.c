#include "localcloud/athena_statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct athena_statement must_parse(const char *sql)
{
    struct athena_statement statement;
    struct athena_failure failure;
    if (athena_statement_parse(&statement, sql, &failure) != 0)
        fail_msg("%s: %s: %s", sql, failure.kind, failure.text);
    return statement;
}

static void every_kind(void **state)
{
    static const struct {
        const char *sql;
        enum athena_verb verb;
        const char *database, *name;
    } rows[] = {
        {"SELECT 1", VERB_QUERY, NULL, NULL},
        {"(SELECT 1) UNION SELECT 2;", VERB_QUERY, NULL, NULL},
        {"CREATE DATABASE IF NOT EXISTS City COMMENT 'x' LOCATION 's3://b/'", VERB_CREATE_DATABASE, "city",
         NULL},
        {"CREATE SCHEMA city WITH DBPROPERTIES ('a'='b')", VERB_CREATE_DATABASE, "city", NULL},
        {"DROP DATABASE IF EXISTS city CASCADE", VERB_DROP_DATABASE, "city", NULL},
        {"DROP TABLE IF EXISTS `City`.`T`", VERB_DROP_TABLE, "city", "t"},
        {"DROP VIEW v", VERB_DROP_VIEW, NULL, "v"},
        {"CREATE OR REPLACE VIEW city.v AS SELECT 1", VERB_CREATE_VIEW, "city", "v"},
        {"CREATE TABLE t WITH (format='PARQUET', partitioned_by=ARRAY['dt'], bucket_count=3) AS SELECT 1 "
         "WITH NO DATA",
         VERB_CREATE_TABLE_AS, NULL, "t"},
        {"INSERT INTO city.t (a, b) VALUES (1, 2)", VERB_INSERT, "city", "t"},
        {"INSERT INTO t SELECT * FROM u", VERB_INSERT, NULL, "t"},
        {"UNLOAD (SELECT 1) TO 's3://b/x/' WITH (format = 'PARQUET')", VERB_UNLOAD, NULL, NULL},
        {"ALTER TABLE t ADD IF NOT EXISTS PARTITION (dt='2026-01-01', h=3) LOCATION 's3://b/1/' PARTITION "
         "(dt='x', h='4')",
         VERB_ADD_PARTITION, NULL, "t"},
        {"ALTER TABLE t DROP PARTITION (dt='x'), PARTITION (dt='y')", VERB_DROP_PARTITION, NULL, "t"},
        {"ALTER TABLE t ADD COLUMNS (a int, b string)", VERB_ADD_COLUMNS, NULL, "t"},
        {"ALTER TABLE t REPLACE COLUMNS (a int, b string)", VERB_REPLACE_COLUMNS, NULL, "t"},
        {"ALTER TABLE t CHANGE COLUMN a b array<int> COMMENT 'x'", VERB_CHANGE_COLUMN, NULL, "t"},
        {"ALTER TABLE t CHANGE a a bigint", VERB_CHANGE_COLUMN, NULL, "t"},
        {"ALTER TABLE t PARTITION (dt='x') RENAME TO PARTITION (dt='y')", VERB_RENAME_PARTITION, NULL, "t"},
        {"ALTER TABLE t SET LOCATION 's3://b/'", VERB_SET_LOCATION, NULL, "t"},
        {"ALTER TABLE t PARTITION (dt='x') SET LOCATION 's3://b/'", VERB_SET_LOCATION, NULL, "t"},
        {"ALTER TABLE t SET TBLPROPERTIES ('a'='b')", VERB_SET_PROPERTIES, NULL, "t"},
        {"MSCK REPAIR TABLE city.t", VERB_REPAIR, "city", "t"},
        {"SHOW DATABASES LIKE 'a*'", VERB_SHOW_DATABASES, NULL, NULL},
        {"SHOW TABLES IN city 'v*'", VERB_SHOW_TABLES, "city", NULL},
        {"SHOW VIEWS", VERB_SHOW_VIEWS, NULL, NULL},
        {"SHOW COLUMNS IN t IN city", VERB_SHOW_COLUMNS, "city", "t"},
        {"SHOW COLUMNS FROM city.t", VERB_SHOW_COLUMNS, "city", "t"},
        {"SHOW PARTITIONS t", VERB_SHOW_PARTITIONS, NULL, "t"},
        {"SHOW CREATE TABLE city.t", VERB_SHOW_CREATE_TABLE, "city", "t"},
        {"SHOW CREATE VIEW v", VERB_SHOW_CREATE_VIEW, NULL, "v"},
        {"SHOW TBLPROPERTIES t('a')", VERB_SHOW_PROPERTIES, NULL, "t"},
        {"DESCRIBE FORMATTED city.t", VERB_DESCRIBE, "city", "t"},
        {"DESC t", VERB_DESCRIBE, NULL, "t"},
        {"EXPLAIN ANALYZE SELECT 1", VERB_EXPLAIN, NULL, NULL},
        {"EXPLAIN (TYPE LOGICAL) SELECT 1", VERB_EXPLAIN, NULL, NULL},
        {"PREPARE p FROM SELECT ? + 1", VERB_PREPARE, NULL, "p"},
        {"EXECUTE p USING 1, 'x'", VERB_EXECUTE, NULL, "p"},
        {"EXECUTE p", VERB_EXECUTE, NULL, "p"},
        {"DEALLOCATE PREPARE p", VERB_DEALLOCATE, NULL, "p"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct athena_statement statement = must_parse(rows[i].sql);
        if (statement.verb != rows[i].verb)
            fail_msg("%s: %s", rows[i].sql, athena_statement_subtype(&statement));
        if (rows[i].database)
            assert_string_equal(statement.database, rows[i].database);
        if (rows[i].name)
            assert_string_equal(statement.name, rows[i].name);
        assert_non_null(athena_statement_type(&statement));
        athena_statement_free(&statement);
    }
}

static void external_table(void **state)
{
    struct athena_statement statement = must_parse(
        "CREATE EXTERNAL TABLE IF NOT EXISTS `city`.`Vehicles` (\n"
        "  `Id` string COMMENT 'of the vehicle', speed DOUBLE, n decimal(10,2), tags array<string>,\n"
        "  place struct<lat:double,lon:double>, m map<string,array<struct<a:int,b:varchar(5)>>>\n"
        ") COMMENT 'a table'\n"
        "PARTITIONED BY (dt string, hour integer)\n"
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('ignore.malformed.json' "
        "= 'true')\n"
        "STORED AS PARQUET LOCATION 's3://lake/vehicles/'\n"
        "TBLPROPERTIES ('projection.enabled'='true', \"projection.dt.type\"=\"date\")");
    assert_true(statement.if_exists);
    json_t *storage = json_object_get(statement.input, "StorageDescriptor");
    assert_string_equal(json_string_value(json_object_get(statement.input, "Name")), "vehicles");
    assert_int_equal(json_array_size(json_object_get(statement.input, "PartitionKeys")), 2);
    assert_string_equal(json_string_value(json_object_get(storage, "Location")), "s3://lake/vehicles/");
    static const char *const types[] = {"string",
                                        "double",
                                        "decimal(10,2)",
                                        "array<string>",
                                        "struct<lat:double,lon:double>",
                                        "map<string,array<struct<a:int,b:varchar(5)>>>"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        assert_string_equal(json_string_value(json_object_get(
                                json_array_get(json_object_get(storage, "Columns"), i), "Type")),
                            types[i]);
    assert_string_equal(json_string_value(json_object_get(json_object_get(statement.input, "Parameters"),
                                                          "projection.dt.type")),
                        "date");
    athena_statement_free(&statement);

    statement = must_parse(
        "CREATE EXTERNAL TABLE t (a int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\\\' "
        "LINES TERMINATED BY '\\n' LOCATION 's3://b/x/'");
    json_t *serde = json_object_get(json_object_get(statement.input, "StorageDescriptor"), "SerdeInfo");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(serde, "Parameters"), "field.delim")), ",");
    assert_string_equal(json_string_value(json_object_get(serde, "SerializationLibrary")),
                        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(serde, "Parameters"), "escape.delim")), "\\");
    athena_statement_free(&statement);

    /* escapes of Hive's literals */
    static const char *const escapes[][2] = {{"'\\t'", "\t"},    {"'\\001'", "\001"},      {"'\\u00e9'", "é"},
                                             {"'\\\\N'", "\\N"}, {"'a\\%b\\q'", "a\\%bq"}, {"'\\'", "\\"}};
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        char sql[200];
        snprintf(sql, sizeof sql,
                 "CREATE EXTERNAL TABLE t (a int) ROW FORMAT DELIMITED FIELDS TERMINATED BY %s LOCATION "
                 "'s3://b/x/'",
                 escapes[i][0]);
        statement = must_parse(sql);
        serde = json_object_get(json_object_get(statement.input, "StorageDescriptor"), "SerdeInfo");
        assert_string_equal(
            json_string_value(json_object_get(json_object_get(serde, "Parameters"), "field.delim")),
            escapes[i][1]);
        athena_statement_free(&statement);
    }
}

static void parts_of_others(void **state)
{
    struct athena_statement statement =
        must_parse("CREATE TABLE t WITH (format='PARQUET', partitioned_by=ARRAY['dt', 'h'], "
                   "bucket_count=3) AS SELECT 1 WITH NO DATA");
    assert_int_equal(json_array_size(json_object_get(statement.options, "partitioned_by")), 2);
    assert_int_equal(json_integer_value(json_object_get(statement.options, "bucket_count")), 3);
    assert_true(statement.no_data);
    assert_int_equal(statement.query_to - statement.query_from, 2);
    athena_statement_free(&statement);
    statement = must_parse(
        "ALTER TABLE t ADD PARTITION (dt='2026-01-01', h=3) LOCATION 's3://b/1/' PARTITION (dt='x', h='4')");
    assert_int_equal(json_array_size(statement.partitions), 2);
    json_t *first = json_array_get(statement.partitions, 0);
    assert_string_equal(json_string_value(json_object_get(json_object_get(first, "keys"), "h")), "3");
    assert_string_equal(json_string_value(json_object_get(first, "location")), "s3://b/1/");
    athena_statement_free(&statement);
}

static void refused(void **state)
{
    static const char *const rows[][2] = {
        {"", "SYNTAX_ERROR: line 1:1"},
        {"CREATE", "SYNTAX_ERROR"},
        {"CREATE EXTERNAL TABLE t (a", "SYNTAX_ERROR"},
        {"CREATE EXTERNAL TABLE t (a int)", "SYNTAX_ERROR"},
        {"CREATE EXTERNAL TABLE t (a array<int) LOCATION 's3://x/'", "SYNTAX_ERROR"},
        {"CREATE EXTERNAL TABLE t (a int) STORED AS AVRO LOCATION 's3://x/'", "NOT_SUPPORTED"},
        {"CREATE TABLE t (a int)", "NOT_SUPPORTED"},
        {"DROP TABLE a.b.c.d", "SYNTAX_ERROR"},
        {"DROP TABLE t u", "SYNTAX_ERROR: line 1:14: mismatched input 'u'"},
        {"ALTER TABLE t ADD PARTITION (a=)", "SYNTAX_ERROR"},
        {"CREATE TABLE t AS", "SYNTAX_ERROR"},
        {"MERGE INTO t", "NOT_SUPPORTED: line 1:1: MERGE"},
        {"COPY t FROM 'x'", "SYNTAX_ERROR"},
        {"ATTACH 'x'", "SYNTAX_ERROR"},
        {"INSTALL httpfs", "SYNTAX_ERROR"},
        {"SET x = 1", "SYNTAX_ERROR"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct athena_statement statement;
        struct athena_failure failure;
        if (athena_statement_parse(&statement, rows[i][0], &failure) == 0)
            fail_msg("not refused: %s", rows[i][0]);
        char said[500];
        snprintf(said, sizeof said, "%s: %s", failure.kind, failure.text);
        if (strncmp(said, rows[i][1], strlen(rows[i][1])) != 0)
            fail_msg("%s: %s", rows[i][0], said);
        athena_statement_free(&statement);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind), cmocka_unit_test(external_table),
                                       cmocka_unit_test(parts_of_others), cmocka_unit_test(refused)};
    return cmocka_run_group_tests_name("athena statements", tests, NULL, NULL);
}
