/* Tables of the catalogue over objects of the store, queried as Athena queries them. */
#include "base/file.h"
#include "localcloud/athena_engine.h"
#include "localcloud/athena_source.h"
#include "localcloud/athena_statement.h"
#include "localcloud/athena_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], blobs[80];
static struct objects *objects;
static struct catalogue *catalogue;
static struct athena_engine *engine;
static struct duck_connection *connection;

static void put(const char *key, const char *text)
{
    struct err err = ERR_INIT;
    assert_int_equal(objects_put(objects, "lake", key, text, strlen(text), NULL, &err), OBJECTS_OK);
}

/* An object whose bytes the engine writes. */
static void put_parquet(const char *key, const char *select)
{
    struct err err = ERR_INIT;
    struct objects_writer *writer = objects_writer_create(objects, &err);
    assert_non_null(writer);
    char sql[1000];
    snprintf(sql, sizeof sql, "COPY (%s) TO '%s' (FORMAT parquet)", select, objects_writer_path(writer));
    if (duck_exec(connection, sql, &err) != 0 || objects_writer_close(writer, &err) != 0)
        fail_msg("%s", err.text);
    struct objects_put how = {0};
    char etag[OBJECTS_ETAG_SIZE];
    assert_int_equal(objects_writer_commit(writer, "lake", key, &how, etag, &err), OBJECTS_OK);
    objects_writer_destroy(writer);
}

static void create(const char *sql)
{
    struct athena_statement statement;
    struct athena_failure failure;
    struct err err = ERR_INIT;
    if (athena_statement_parse(&statement, sql, &failure) != 0)
        fail_msg("%s: %s", sql, failure.text);
    if (catalogue_table_create(catalogue, "city", statement.input, 0, &err) != CATALOGUE_OK)
        fail_msg("%s: %s", sql, err.text);
    athena_statement_free(&statement);
}

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    snprintf(folder, sizeof folder, "/tmp/smartcity-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(blobs, sizeof blobs, "%s/blobs", folder);
    objects = objects_open(folder, &err);
    catalogue = catalogue_open(folder, "000000000000", &err);
    if (!objects || !catalogue)
        fail_msg("%s", err.text);
    const char *folders[] = {blobs};
    engine = athena_engine_open(folders, 1, NULL, &err);
    if (!engine) {
        if (err.kind != ERR_NOT_FOUND)
            fail_msg("%s", err.text);
        return 0;
    }
    connection = athena_engine_connect(engine, &err);
    assert_int_equal(objects_bucket_create(objects, "lake", 0, &err), OBJECTS_OK);
    json_t *input = json_pack("{s:s}", "Name", "city");
    assert_int_equal(catalogue_database_create(catalogue, input, 0, &err), CATALOGUE_OK);
    json_decref(input);
    return 0;
}

static int tear_down(void **state)
{
    duck_disconnect(connection);
    athena_engine_close(engine);
    connection = NULL;
    engine = NULL;
    catalogue_close(catalogue);
    objects_close(objects);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void expect(const char *sql, const char *want, int64_t want_bytes)
{
    struct athena_query query;
    struct athena_failure failure = {0};
    struct buf out;
    buf_init(&out, 1 << 16);
    buf_text(&out, "");
    int64_t bytes = 0;
    int result = athena_rewrite_text(sql, "city", &query, &failure);
    for (size_t i = 0; i < query.table_count && result == 0; i++)
        result = athena_source_create(connection, catalogue, objects, &query.tables[i], &bytes, &failure);
    struct duck_statement *statement = result == 0 ? athena_prepare(connection, &query, sql, &failure) : NULL;
    struct err err = ERR_INIT;
    int more = statement ? duck_step(statement, &err) : -1;
    for (bool first = true; more == 1; more = duck_step(statement, &err), first = false) {
        buf_text(&out, first ? "" : ";");
        for (size_t i = 0; i < duck_column_count(statement); i++) {
            struct duck_value value = duck_column(statement, i);
            buf_text(&out, i ? "|" : "");
            if (duck_is_null(value))
                buf_text(&out, "NULL");
            else
                athena_value_write(&out, value);
        }
    }
    if (more < 0) {
        if (statement)
            athena_failure_of(connection, sql, &failure);
        buf_reset(&out);
        buf_printf(&out, "!%s: %s", failure.kind, failure.text);
    }
    duck_finalize(statement);
    athena_query_free(&query);
    if (want[0] == '!' ? strncmp(out.data, want, strlen(want)) != 0 : strcmp(out.data, want) != 0)
        fail_msg("%s: %s", sql, out.data);
    if (want_bytes >= 0)
        assert_true(bytes == want_bytes);
    buf_free(&out);
}

static void parquet_by_partition(void **state)
{
    if (!engine)
        skip();
    put_parquet("v/dt=a/1.parquet", "SELECT 1 AS id, 50.5::DOUBLE AS speed, {'lat': 1.5::DOUBLE} AS place");
    put_parquet("v/dt=b/1.parquet", "SELECT 2::BIGINT AS id, 'x' AS extra");
    put_parquet("v/dt=b/2.parquet", "SELECT 3 AS id");
    put("v/dt=b/_SUCCESS", "not parquet");
    create("CREATE EXTERNAL TABLE vehicles (id bigint, speed double, place struct<lat:double>) PARTITIONED "
           "BY (dt string) "
           "STORED AS PARQUET LOCATION 's3://lake/v/'");
    expect("SELECT count(*) FROM vehicles", "0", 0); /* no partition is known yet */
    json_t *inputs =
        json_pack("[{s:[s],s:{s:s}},{s:[s],s:{s:s}}]", "Values", "a", "StorageDescriptor", "Location",
                  "s3://lake/v/dt=a", "Values", "b", "StorageDescriptor", "Location", "s3://lake/v/dt=b/");
    struct catalogue_outcome outcomes[2];
    struct err err = ERR_INIT;
    assert_int_equal(catalogue_partitions_create(catalogue, "city", "vehicles", inputs, 0, outcomes, &err),
                     CATALOGUE_OK);
    json_decref(inputs);
    expect("SELECT id, speed, place, dt FROM Vehicles ORDER BY id",
           "1|50.5|{lat=1.5}|a;2|NULL|NULL|b;3|NULL|NULL|b", -1);
    expect("SELECT v.id FROM city.vehicles v WHERE dt = 'b' ORDER BY 1 DESC", "3;2", -1);
    expect("SELECT vehicles.place.lat, typeof(id) FROM vehicles WHERE id = 1", "1.5|bigint", -1);
    expect("SELECT extra FROM vehicles", "!COLUMN_NOT_FOUND: line 1:8: Column 'extra' cannot be resolved",
           -1);
    expect("SELECT * FROM nope",
           "!TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.city.nope' does not exist", -1);
    expect("SELECT * FROM other.nope", "!SCHEMA_NOT_FOUND: line 1:15: Schema 'other' does not exist", -1);
}

static void text_and_json(void **state)
{
    if (!engine)
        skip();
    put("j/1", "{\"id\": 1, \"tags\": [\"a\", \"b\"], \"more\": true}\n{\"id\": 2}\n");
    put("t/1.csv", "1,x\n2,y\n");
    create("CREATE EXTERNAL TABLE j (id int, tags array<string>) ROW FORMAT SERDE "
           "'org.openx.data.jsonserde.JsonSerDe' "
           "LOCATION 's3://lake/j/'");
    create("CREATE EXTERNAL TABLE t (a int, b string, c double) ROW FORMAT DELIMITED FIELDS TERMINATED BY "
           "',' LOCATION "
           "'s3://lake/t/'");
    create("CREATE EXTERNAL TABLE empty (a int) STORED AS PARQUET LOCATION 's3://lake/none/'");
    expect("SELECT id, tags, cardinality(tags) FROM j ORDER BY id", "1|[a, b]|2;2|NULL|NULL", -1);
    expect("SELECT a, b, c FROM t ORDER BY a", "1|x|NULL;2|y|NULL", 8);
    expect("SELECT sum(a), count(*) FROM empty", "NULL|0", 0);
    expect("SELECT j.id, t.b FROM j JOIN t ON j.id = t.a ORDER BY 1", "1|x;2|y", -1);
}

/* Bytes that are no Parquet, and names that would leave the string they stand in. */
static void hostile(void **state)
{
    if (!engine)
        skip();
    put("h/1.parquet", "PAR1 not really PAR1");
    create("CREATE EXTERNAL TABLE h (a int) STORED AS PARQUET LOCATION 's3://lake/h/'");
    expect("SELECT * FROM h", "!", -1);
    put("../../etc/passwd", "1\n");
    create("CREATE EXTERNAL TABLE up (a int) ROW FORMAT DELIMITED FIELDS TERMINATED BY '''' LOCATION "
           "'s3://lake/../../etc/'");
    expect("SELECT * FROM up", "1", -1); /* a key like any other */
    create("CREATE EXTERNAL TABLE q (`a\"b'c` int) STORED AS PARQUET LOCATION 's3://lake/none/'");
    expect("SELECT count(*), max(\"a\"\"b'c\") FROM q", "0|NULL", -1);
    create("CREATE EXTERNAL TABLE w (a int) STORED AS PARQUET LOCATION '/etc/passwd'");
    expect("SELECT * FROM w", "!", -1);
}

static void types_of_hive(void **state)
{
    static const char *const rows[][2] = {{"int", "INTEGER"},
                                          {"array<map<string,struct<a:int,b c:decimal(10,2)>>>",
                                           "MAP(VARCHAR,STRUCT(\"a\" INTEGER, \"b c\" DECIMAL(10,2)))[]"},
                                          {"varchar(5)", "VARCHAR"},
                                          {"int)", NULL},
                                          {"array<int", NULL},
                                          {"decimal(1;DROP)", NULL},
                                          {"nope", NULL},
                                          {"", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        buf_init(&out, 1000);
        assert_int_equal(athena_source_type(rows[i][0], &out), rows[i][1] != NULL);
        if (rows[i][1])
            assert_string_equal(out.data, rows[i][1]);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parquet_by_partition, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text_and_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile, set_up, tear_down),
        cmocka_unit_test(types_of_hive),
    };
    return cmocka_run_group_tests_name("athena source", tests, NULL, NULL);
}
