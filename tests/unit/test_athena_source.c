/* Tables of the catalogue over objects of the store, queried as Athena queries them. */
#include "base/file.h"
#include "localcloud/athena_engine.h"
#include "localcloud/athena_hive.h"
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
    int64_t bytes = 0, rows = 0;
    int result = athena_rewrite_text(sql, "city", &query, &failure);
    struct athena_sources sources = {.connection = connection,
                                     .catalogue = catalogue,
                                     .objects = objects,
                                     .failure = &failure,
                                     .scan = athena_scan_create()};
    if (result == 0)
        result = athena_sources_add(&sources, &query);
    athena_sources_end(&sources);
    if (result == 0)
        athena_scan_measure(sources.scan, connection, query.sql, &bytes, &rows);
    athena_scan_destroy(sources.scan);
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
    if (want_bytes >= 0 && bytes != want_bytes)
        fail_msg("%s: %lld bytes, not %lld", sql, (long long)bytes, (long long)want_bytes);
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

static void partition(const char *table, const char *values, const char *location)
{
    json_error_t error;
    json_t *list = json_loads(values, 0, &error);
    json_t *inputs = json_pack("[{s:o,s:{s:s}}]", "Values", list, "StorageDescriptor", "Location", location);
    struct catalogue_outcome outcome;
    struct err err = ERR_INIT;
    assert_int_equal(catalogue_partitions_create(catalogue, "city", table, inputs, 0, &outcome, &err),
                     CATALOGUE_OK);
    assert_int_equal(outcome.status, CATALOGUE_OK);
    json_decref(inputs);
}

/* What was read tells what was left out: each partition has one file of another size. */
static void only_what_is_needed(void **state)
{
    if (!engine)
        skip();
    put("p/a1", "1\n");               /* 2 bytes */
    put("p/b1", "10\n11\n");          /* 6 */
    put("p/b2/x", "100\n101\n102\n"); /* 12 */
    create("CREATE EXTERNAL TABLE p (x int) PARTITIONED BY (dt string, hour int) LOCATION 's3://lake/none/'");
    create("CREATE EXTERNAL TABLE q (y int) LOCATION 's3://lake/q/'");
    put("q/1", "9\n");
    put("a/1", "1\n");
    put("b/1", "10\n11\n");
    put("c/1", "100\n101\n102\n");
    partition("p", "[\"2026-01-12\", \"1\"]", "s3://lake/a/");
    partition("p", "[\"2026-01-12\", \"12\"]", "s3://lake/b/");
    partition("p", "[\"2026-01-13\", \"1\"]", "s3://lake/c/");
    expect("SELECT count(*) FROM p", "6", 20);
    expect("SELECT count(*) FROM p WHERE dt = '2026-01-13'", "3", 12);
    expect("SELECT count(*) FROM p WHERE dt = '2026-01-12' AND hour > 2 AND x > 10", "1", 6);
    expect("SELECT count(*) FROM p AS t WHERE (t.dt = '2026-01-12' AND (t.hour = 1))", "1", 2);
    expect("SELECT count(*) FROM p t WHERE hour BETWEEN 1 AND 5 AND dt IN ('2026-01-12', 'x')", "1", 2);
    expect("SELECT count(*) FROM p WHERE dt = '2026-01-13' OR x = 1", "4", 20);
    expect("SELECT count(*) FROM p WHERE dt = '2026-01-13' OR hour = 12", "5", 18);
    expect("SELECT count(*) FROM p WHERE NOT dt = '2026-01-13'", "3", 8);
    expect("SELECT count(*) FROM p WHERE CASE WHEN x = 1 AND dt = 'no' AND x = 2 THEN false ELSE true END",
           "6", 20);
    expect("SELECT count(*) FROM p WHERE substr(dt, 1, 10) = '2026-01-13'", "3", 20);
    /* two mentions: what either wants */
    expect("SELECT count(*) FROM p WHERE hour = 12 UNION ALL SELECT count(*) FROM p WHERE dt = '2026-01-13'",
           "2;3", 18);
    expect("SELECT count(*) FROM p WHERE hour = 12 UNION ALL SELECT count(*) FROM p", "2;6", 20);
    expect("WITH w AS (SELECT * FROM p WHERE hour = 12) SELECT count(*) FROM w WHERE dt = '2026-01-13'", "0",
           0);
    /* joins */
    expect("SELECT count(*) FROM p JOIN q ON x = y WHERE dt = '2026-01-13'", "0", 14);
    expect("SELECT count(*) FROM p LEFT JOIN q ON x = y WHERE p.dt = '2026-01-13'", "3", 14);
    expect("SELECT count(*) FROM q LEFT JOIN p ON x = y WHERE p.dt IS NULL", "1", 22);
    expect("SELECT count(*) FROM q FULL JOIN p ON x = y WHERE p.dt = '2026-01-13'", "3", 22);
    expect("SELECT count(*) FROM p a, p b WHERE a.hour = 12 AND b.dt = '2026-01-13'", "6", 18);
}

/* What the engine says of the column chunks of an object. */
static int64_t chunks(const char *key, const char *where)
{
    struct err err = ERR_INIT;
    struct object_info info = {0};
    char path[OBJECTS_PATH_SIZE], sql[OBJECTS_PATH_SIZE + 300];
    assert_int_equal(objects_head(objects, "lake", key, &info, &err), OBJECTS_OK);
    objects_path(objects, info.blob, path);
    object_info_free(&info);
    snprintf(sql, sizeof sql,
             "SELECT CAST(sum(total_compressed_size) AS BIGINT) FROM parquet_metadata('%s') WHERE %s", path,
             where);
    struct duck_statement *statement = duck_prepare(connection, sql, &err);
    assert_non_null(statement);
    assert_int_equal(duck_step(statement, &err), 1);
    int64_t sum = duck_int(duck_column(statement, 0));
    duck_finalize(statement);
    assert_true(sum > 0);
    return sum;
}

static void scanned(void **state)
{
    if (!engine)
        skip();
    /* three row groups of 122,880 rows, the last shorter */
    put_parquet("s/dt=a/1",
                "SELECT i AS id, i / 2e0 AS speed, 'v' || CAST(i // 1000 AS VARCHAR) AS filename, "
                "TIMESTAMP '2026-01-01' + to_seconds(i) AS at, DATE '2026-01-01' + CAST(i // 1000 AS "
                "INTEGER) AS day, {'lat': i, 'lon': -i} AS place FROM range(300000) t(i)");
    put_parquet("s/dt=b/1", "SELECT 7::BIGINT AS id, 0.5::DOUBLE AS speed");
    create("CREATE EXTERNAL TABLE s (id bigint, speed double, filename string, at timestamp, day date, "
           "place struct<lat:bigint,lon:bigint>) PARTITIONED BY (dt string) STORED AS PARQUET LOCATION "
           "'s3://lake/s/'");
    partition("s", "[\"a\"]", "s3://lake/s/dt=a/");
    partition("s", "[\"b\"]", "s3://lake/s/dt=b/");
    int64_t id = chunks("s/dt=a/1", "path_in_schema = 'id'"),
            other = chunks("s/dt=b/1", "path_in_schema = 'id'"),
            speed = chunks("s/dt=a/1", "path_in_schema = 'speed'"),
            second = chunks("s/dt=a/1", "path_in_schema = 'id' AND row_group_id = 1");
    expect("SELECT sum(id) FROM s", "44999850007", id + other);
    expect("SELECT sum(id) FROM s WHERE dt = 'a'", "44999850000", id);
    expect("SELECT count(*) FROM s", "300001", 0);
    expect("SELECT count(*) FROM s WHERE id = 150000", "1", second);
    expect("SELECT max(id) FROM s WHERE id IN (150000, 150001)", "150001", second);
    expect("SELECT max(id) FROM s WHERE id >= 150000 AND id < 150002", "150001", second);
    expect("SELECT max(id) FROM s WHERE speed < 0 AND dt = 'a'", "NULL", 0);
    expect(
        "SELECT max(id) FROM s WHERE dt = 'a' AND at >= TIMESTAMP '2026-01-02 17:40:00' AND at < TIMESTAMP "
        "'2026-01-02 17:40:01'",
        "150000", second + chunks("s/dt=a/1", "path_in_schema = 'at' AND row_group_id = 1"));
    expect("SELECT max(id) FROM s WHERE dt = 'a' AND day = DATE '2026-05-31'", "150999",
           second + chunks("s/dt=a/1", "path_in_schema = 'day' AND row_group_id = 1"));
    expect("SELECT max(id) FROM s WHERE dt = 'a' AND filename = 'v150'", "150999",
           chunks("s/dt=a/1", "path_in_schema IN ('id', 'filename') AND row_group_id < 2")); /* v0 to v99 */
    expect("SELECT max(a.speed) FROM s a JOIN s b ON a.id = b.id WHERE a.dt = 'a' AND b.dt = 'a'", "149999.5",
           2 * id + speed);
    expect("SELECT count(filename) FROM s WHERE filename IS NOT NULL", "300000", -1);
    expect("SELECT count(*) FROM s WHERE filename IS NULL", "1", -1);
    expect("SELECT max(place.lat) FROM s WHERE dt = 'a'", "299999",
           chunks("s/dt=a/1", "path_in_schema LIKE 'place, %'")); /* the engine reads both */
}

static void projected(void **state)
{
    if (!engine)
        skip();
    put("e/uk/07/1", "1\n");
    put("e/fr/10/1", "22\n");
    put("e/de/10/1", "333\n");
    create("CREATE EXTERNAL TABLE e (x int) PARTITIONED BY (land string, n string) LOCATION 's3://lake/e/' "
           "TBLPROPERTIES ("
           "'projection.enabled'='true', 'projection.land.type'='enum', 'projection.land.values'='uk, fr', "
           "'projection.n.type'='integer', 'projection.n.range'='1,12', 'projection.n.digits'='2', "
           "'storage.location.template'='s3://lake/e/${land}/${n}')");
    partition("e", "[\"de\", \"10\"]", "s3://lake/e/de/10/"); /* not looked at */
    expect("SELECT land, n, x FROM e ORDER BY x", "uk|07|1;fr|10|22", 5);
    expect("SELECT x FROM e WHERE land = 'fr'", "22", 3);
    expect("SELECT x FROM e WHERE n < '08'", "1", 2);
    put("d/dt=2026-01-31/1", "1\n");
    put("d/dt=2026-02-01/1", "2\n");
    create("CREATE EXTERNAL TABLE d (x int) PARTITIONED BY (dt string) LOCATION 's3://lake/d' TBLPROPERTIES ("
           "'projection.enabled'='true', 'projection.dt.type'='date', 'projection.dt.format'='yyyy-MM-dd', "
           "'projection.dt.range'='2026-01-01,2026-02-28')");
    expect("SELECT dt, x FROM d ORDER BY dt", "2026-01-31|1;2026-02-01|2", 4);
    expect("SELECT x FROM d WHERE dt >= '2026-02-01'", "2", 2);
    put("m/2026/03/1", "3\n");
    create(
        "CREATE EXTERNAL TABLE m (x int) PARTITIONED BY (month string) LOCATION 's3://lake/m/' TBLPROPERTIES "
        "("
        "'projection.enabled'='TRUE', 'projection.month.type'='date', 'projection.month.format'='yyyy/MM', "
        "'projection.month.range'='2025/11,2026/04', 'storage.location.template'='s3://lake/m/${month}/')");
    expect("SELECT month, x FROM m", "2026/03|3", 2);
    create(
        "CREATE EXTERNAL TABLE now (x int) PARTITIONED BY (h string) LOCATION 's3://lake/now/' TBLPROPERTIES "
        "("
        "'projection.enabled'='true', 'projection.h.type'='date', 'projection.h.format'='yyyy-MM-dd''T''HH', "
        "'projection.h.interval'='1', 'projection.h.interval.unit'='HOURS', "
        "'projection.h.range'='NOW-2DAYS,NOW')");
    expect("SELECT count(*) FROM now", "0", 0);
    put("i/v1/1", "7\n");
    create(
        "CREATE EXTERNAL TABLE i (x int) PARTITIONED BY (id string) LOCATION 's3://lake/i/' TBLPROPERTIES ("
        "'projection.enabled'='true', 'projection.id.type'='injected', "
        "'storage.location.template'='s3://lake/i/${id}')");
    expect("SELECT id, x FROM i WHERE id = 'v1'", "v1|7", 2);
    expect("SELECT x FROM i WHERE id IN ('v0', 'v1')", "7", 2);
    expect("SELECT x FROM i", "!CONSTRAINT_VIOLATION: For the injected projected partition column id", -1);
    expect("SELECT x FROM i WHERE id > 'a'", "!CONSTRAINT_VIOLATION", -1);
    create("CREATE EXTERNAL TABLE bad (x int) PARTITIONED BY (k string) LOCATION 's3://lake/i/' "
           "TBLPROPERTIES ('projection.enabled'='true')");
    expect("SELECT x FROM bad",
           "!HIVE_METASTORE_ERROR: Table bad is configured for partition projection, but", -1);
    create("CREATE EXTERNAL TABLE huge (x int) PARTITIONED BY (k int) LOCATION 's3://lake/i/' TBLPROPERTIES "
           "('projection.enabled'='true', "
           "'projection.k.type'='integer', 'projection.k.range'='0,9223372036854775807')");
    expect("SELECT x FROM huge", "!INVALID_TABLE_PROPERTY", -1);
}

static void hidden_columns(void **state)
{
    if (!engine)
        skip();
    put("t/1.csv", "1\n");
    put("t/2'.csv", "2\n3\n");
    create("CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (dt date) LOCATION 's3://lake/none/'");
    partition("t", "[\"2026-01-12\"]", "s3://lake/t/");
    partition("t", "[\"__HIVE_DEFAULT_PARTITION__\"]", "s3://lake/none/");
    expect("SELECT a, \"$path\" FROM t ORDER BY a",
           "1|s3://lake/t/1.csv;2|s3://lake/t/2'.csv;3|s3://lake/t/2'.csv", 6);
    expect("SELECT *, \"$file_size\" FROM t WHERE \"$path\" LIKE '%1.csv'", "1|2026-01-12|2", -1);
    expect("SELECT t.*, t.\"$path\" FROM t WHERE a = 1", "1|2026-01-12|s3://lake/t/1.csv", -1);
    expect("SELECT * FROM t WHERE a = 1", "1|2026-01-12", -1);
    expect("SELECT * FROM \"t$partitions\" ORDER BY dt", "2026-01-12;NULL", 0);
    expect("SELECT count(*) FROM city.\"t$partitions\" p WHERE p.dt > DATE '2026-01-01'", "1", 0);
    expect("SELECT * FROM \"none$partitions\"", "!TABLE_NOT_FOUND", -1);
    expect("SELECT table_name, column_name, ordinal_position, data_type, extra_info FROM "
           "information_schema.columns "
           "WHERE table_schema = 'city' ORDER BY 3",
           "t|a|1|integer|NULL;t|dt|2|date|partition key", 0);
    expect("SELECT * FROM information_schema.tables", "awsdatacatalog|city|t|BASE TABLE", 0);
    expect("SELECT schema_name FROM information_schema.schemata ORDER BY 1", "city;information_schema", 0);
    expect("SELECT count(*) FROM awsdatacatalog.information_schema.views", "0", 0);
    expect("SELECT * FROM information_schema.nope", "!TABLE_NOT_FOUND", -1);
}

static void text_of_every_kind(void **state)
{
    if (!engine)
        skip();
    put("l/1", "head\n1\tx\tp\002q\ta\0031\002b\003\\N\t5\002z\n\\N\t\\N\t\\N\t\\N\t\\N\nno\ty\n2\tz\tp\t\t1"
               "\002w\tmore\n");
    create("CREATE EXTERNAL TABLE l (i int, s string, l array<string>, m map<string,int>, r "
           "struct<a:bigint,b:string>) "
           "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' LOCATION 's3://lake/l/' TBLPROPERTIES "
           "('skip.header.line.count'='1')");
    expect("SELECT i, s, l, m, r FROM l",
           "1|x|[p, q]|{a=1, b=null}|{a=5, "
           "b=z};NULL|NULL|NULL|NULL|NULL;NULL|y|NULL|NULL|NULL;2|z|[p]|{=null}|{a=1, b=w}",
           -1);
    put("e/1", "a\\,b,1\nc,2\n");
    create("CREATE EXTERNAL TABLE e (s string, i int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED "
           "BY '\\' LOCATION 's3://lake/e/'");
    expect("SELECT s, i FROM e", "a,b|1;c|2", -1);
    put("c/1", "\"a,\"\"b\",1,0,1000\n\"c\",,1,\nd\n");
    create("CREATE EXTERNAL TABLE c (s string, i int, d date, t timestamp) ROW FORMAT SERDE "
           "'org.apache.hadoop.hive.serde2.OpenCSVSerde' "
           "WITH SERDEPROPERTIES ('escapeChar'='\"') LOCATION 's3://lake/c/'");
    expect("SELECT s, i, d, t FROM c",
           "a,\"b|1|1970-01-01|1970-01-01 00:00:01.000;c|NULL|1970-01-02|NULL;d|NULL|NULL|NULL", -1);
    put("j/1", "{\"a\": 1}\nnot json\n");
    create("CREATE EXTERNAL TABLE j (a int) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION "
           "'s3://lake/j/'");
    create("CREATE EXTERNAL TABLE k (a int) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH "
           "SERDEPROPERTIES "
           "('ignore.malformed.json'='true') LOCATION 's3://lake/j/'");
    expect("SELECT a FROM j", "!", -1);
    expect("SELECT a FROM k WHERE a IS NOT NULL", "1", -1);
    create("CREATE EXTERNAL TABLE x (a int) ROW FORMAT SERDE 'com.example.Own' LOCATION 's3://lake/j/'");
    expect("SELECT a FROM x", "!NOT_SUPPORTED: SerDe com.example.Own is not emulated locally", -1);
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
        assert_int_equal(athena_hive_engine(&out, rows[i][0]), rows[i][1] != NULL);
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
        cmocka_unit_test_setup_teardown(only_what_is_needed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(scanned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(projected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hidden_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text_of_every_kind, set_up, tear_down),
        cmocka_unit_test(types_of_hive),
    };
    return cmocka_run_group_tests_name("athena source", tests, NULL, NULL);
}
