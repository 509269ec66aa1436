"""COPY and UNLOAD by boto3 and pyarrow: what loads, what is refused and how it is told; the loading protocol of the console
(manifest, staging table, one transaction), twice and through kill -9."""
import datetime
import decimal
import gzip
import io
import json
import os
import time

import pyarrow
import pyarrow.parquet

from harness import Cloud, finish, run
from redshift_client import TARGET, Warehouse

ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/load'"

cloud = Cloud()
rs, s3 = cloud.client("redshift-data"), cloud.client("s3")
warehouse = Warehouse(rs)
wait, submit, sql, refused, batch = (warehouse.wait, warehouse.submit, warehouse.sql, warehouse.refused, warehouse.batch)


def put(key, body):
    body = body if isinstance(body, bytes) else body.encode()
    s3.put_object(Bucket="lake", Key=key, Body=body)
    return {"url": "s3://lake/" + key, "mandatory": True, "meta": {"content_length": len(body)}}


def parquet(key, columns, schema=None, **options):
    """columns: {name: list} of the schema's types."""
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=schema), out, **options)
    return put(key, out.getvalue())


def manifest(key, *entries):
    put(key, json.dumps({"entries": list(entries)}))
    return "s3://lake/" + key


def get(key):
    return s3.get_object(Bucket="lake", Key=key)["Body"].read()


EVENT = pyarrow.schema([("id", pyarrow.int64()), ("kind", pyarrow.int32()), ("road", pyarrow.string()),
                        ("at", pyarrow.timestamp("us")), ("price", pyarrow.decimal128(8, 2)), ("speed", pyarrow.float64()),
                        ("day", pyarrow.date32()), ("good", pyarrow.bool_())])
EVENT_TABLE = ("(id bigint not null, kind integer, road varchar(6), at timestamp, price decimal(8,2), speed double precision, "
               "day date, good boolean) diststyle all sortkey (at, id)")


def events(first, count):
    at = datetime.datetime(2026, 1, 12, 8, 0, 0, 250000)
    return {"id": list(range(first, first + count)), "kind": [n % 3 for n in range(count)], "road": ["A%d" % n for n in range(count)],
            "at": [at] * count, "price": [decimal.Decimal("12.50")] * count, "speed": [0.5 * n for n in range(count)],
            "day": [at.date()] * count, "good": [None] * count}


def from_parquet():
    sql("create table event " + EVENT_TABLE)
    first = parquet("p/one.parquet", events(1, 10), EVENT)
    second = parquet("p/two.parquet", events(11, 5), EVENT, compression="zstd")
    assert sql("copy event from 's3://lake/p/' %s format as parquet" % ROLE) == 15
    assert sql("select * from event where id = 12") == [
        (12, 1, "A1", "2026-01-12 08:00:00.25", "12.50", 0.5, "2026-01-12", None)]
    assert sql("copy event from '%s' %s format as parquet manifest" % (manifest("m/both", first, second), ROLE)) == 15
    assert sql("select count(*) from event") == [(30,)]
    history = sql("select status, file_format, loaded_rows, source_file_count, table_name, error_message from sys_load_history "
                  "order by query_id desc limit 1")
    assert history == [("completed", "parquet", 15, 2, "event", "")], history
    # by position: names do not matter
    parquet("q/other.parquet", {"b": [9], "a": ["x"]}, pyarrow.schema([("b", pyarrow.int64()), ("a", pyarrow.string())]))
    sql("create table two (a bigint, b varchar(5))")
    assert sql("copy two from 's3://lake/q/other.parquet' %s parquet" % ROLE) == 1
    assert sql("copy two (a, b) from 's3://lake/q/other.parquet' iam_role default parquet") == 1
    assert sql("select * from two") == [(9, "x"), (9, "x")]
    session = submit("copy two from 's3://lake/q/' %s parquet" % ROLE, SessionKeepAliveSeconds=60)
    done = wait(session["Id"])
    assert sql("select pg_last_copy_id(), pg_last_copy_count()", SessionId=session["SessionId"]) == [(done["RedshiftQueryId"], 1)]
    assert sql("select pg_last_copy_id()") == [(-1,)]


def parquet_refused():
    sql("create table narrow (a integer)")
    parquet("r/wide.parquet", {"a": [1]}, pyarrow.schema([("a", pyarrow.int64())]))
    error = refused("copy narrow from 's3://lake/r/wide.parquet' %s format parquet" % ROLE, "Spectrum Scan Error")
    assert "code:      15007" in error and "has an incompatible Parquet schema for column 's3://lake/r/wide.parquet.a'" in error, error
    assert "Column type: INT, Parquet schema: optional int64 a [i:0 d:1 r:0]" in error, error
    assert sql("select count(*) from narrow") == [(0,)]
    failed = sql("select status, loaded_rows, error_message from sys_load_history order by query_id desc limit 1")[0]
    assert failed[:2] == ("failed", 0) and "15007" in failed[2], failed
    for name, type, value, column in (("smallint", pyarrow.int32(), 1, "bigint"), ("double", pyarrow.float64(), 1.5, "real"),
                                      ("float", pyarrow.float32(), 1.5, "double precision"), ("text", pyarrow.string(), "1", "integer"),
                                      ("int", pyarrow.int32(), 1, "varchar(10)"), ("date", pyarrow.string(), "2026-01-12", "date"),
                                      ("time", pyarrow.int64(), 1, "timestamp"), ("scale", pyarrow.decimal128(8, 3), decimal.Decimal("1.125"),
                                       "decimal(8,2)"), ("list", pyarrow.list_(pyarrow.int64()), [1], "super")):
        parquet("r/%s.parquet" % name, {"a": [value]}, pyarrow.schema([("a", type)]))
        sql("create table refuse_%s (a %s)" % (name, column))
        error = refused("copy refuse_%s from 's3://lake/r/%s.parquet' %s parquet" % (name, name, ROLE), "incompatible Parquet schema")
        assert "15007" in error
    assert sql("copy refuse_list from 's3://lake/r/list.parquet' %s parquet serializetojson" % ROLE) == 1
    assert sql("select a from refuse_list") == [("[1]",)]
    parquet("r/three.parquet", {"a": [1], "b": [2]}, pyarrow.schema([("a", pyarrow.int32()), ("b", pyarrow.int32())]))
    error = refused("copy narrow from 's3://lake/r/three.parquet' %s parquet" % ROLE, "Unmatched number of columns between table and file")
    assert "Table columns: 1, Data columns: 2" in error and "15001" in error
    sql("create table wider (a integer, b integer, c integer)")
    refused("copy wider from 's3://lake/r/three.parquet' %s parquet" % ROLE, "Unmatched number of columns")
    assert sql("copy wider from 's3://lake/r/three.parquet' %s parquet fillrecord" % ROLE) == 1
    parquet("r/long.parquet", {"a": ["grüße aus bonn"]}, pyarrow.schema([("a", pyarrow.string())]))
    sql("create table short (a varchar(8))")
    refused("copy short from 's3://lake/r/long.parquet' %s parquet" % ROLE, "is longer than the length defined in the table. Table: 8, Data: 16")
    parquet("r/null.parquet", {"a": [None]}, pyarrow.schema([("a", pyarrow.int32())]))
    sql("create table must (a integer not null)")
    refused("copy must from 's3://lake/r/null.parquet' %s parquet" % ROLE, "Cannot insert a NULL value into column a")
    put("r/not.parquet", "PAR1 no, not at all PAR1")
    refused("copy must from 's3://lake/r/not.parquet' %s parquet" % ROLE, "Spectrum Scan Error")
    refused("copy must from 's3://lake/nothing/' %s parquet" % ROLE, "The specified S3 prefix 'nothing/' does not exist")
    refused("copy must from 's3://no-such-bucket/x' %s parquet" % ROLE, "NoSuchBucket")
    refused("copy must from 's3://lake/r/' parquet", "authorization parameter")
    refused("copy must from 's3://lake/r/' %s parquet maxerror 5" % ROLE, "MAXERROR")
    refused("copy nowhere from 's3://lake/r/' %s parquet" % ROLE, "nonexistent table nowhere")
    refused("copy must from '/etc/passwd' %s" % ROLE, "only from s3://")
    refused("copy must from 's3://lake/../../etc/passwd' %s" % ROLE, "does not exist")


def manifests():
    sql("create table listed (a integer)")
    one = parquet("l/one.parquet", {"a": [1]}, pyarrow.schema([("a", pyarrow.int32())]))
    bare = {"url": one["url"], "mandatory": True}
    copy = "copy listed from '%%s' %s parquet manifest" % ROLE
    refused(copy % manifest("m/bare", bare), "content_length")
    refused(copy % manifest("m/size", dict(one, meta={"content_length": 5})), "content_length")
    missing = {"url": "s3://lake/l/missing.parquet", "mandatory": True, "meta": {"content_length": 5}}
    refused(copy % manifest("m/missing", one, missing), "NoSuchKey")
    assert sql(copy % manifest("m/optional", one, dict(missing, mandatory=False))) == 1
    put("m/broken", "{")
    refused(copy % "s3://lake/m/broken", "Manifest file is not in correct json format")
    refused(copy % "s3://lake/m/none", "NoSuchKey")
    put("l/a.csv", "5\n")
    assert sql("copy listed from '%s' %s csv manifest" % (manifest("m/csv", {"url": "s3://lake/l/a.csv"}), ROLE)) == 1
    assert sql("select * from listed order by a") == [(1,), (5,)]


def from_csv():
    sql("create table person (id integer, name varchar(10), born date, paid decimal(8,2), seen timestamp, good boolean)")
    put("c/a.csv", 'id,name,born,paid,seen,good\n1,"Bö, ""x""",2026-01-12,12.5,2026-01-12 08:00:00,t\n'
                   '2,"two\nlines",,,,\r\n3,,2026-02-28,-1,,0\n')
    copy = "copy person from 's3://lake/%%s' %s %%s" % ROLE
    assert sql(copy % ("c/a.csv", "csv ignoreheader 1 emptyasnull")) == 3
    assert sql("select * from person order by id") == [
        (1, 'Bö, "x"', "2026-01-12", "12.50", "2026-01-12 08:00:00", True), (2, "two\nlines", None, None, None, None),
        (3, None, "2026-02-28", "-1.00", None, False)]
    put("c/bad.csv", "1,a,2026-01-12,1,,\nx,b,2026-01-12,1,,\n3,much too long,2026-01-12,1,,\n4,d,2026-13-12,1,,\n5,e\n6,f,2026-01-12,1,,,7\n7,g,,,,")
    error = refused(copy % ("c/bad.csv", "csv"), "Check 'stl_load_errors' system table for details")
    assert "Load into table 'person' failed" in error
    assert sql("select line_number, colname, err_code, trim(err_reason), trim(raw_field_value), trim(filename), type, col_length "
               "from stl_load_errors order by starttime desc limit 1")[0][1:2]
    sql("truncate person")
    assert sql(copy % ("c/bad.csv", "csv maxerror 10")) == 2
    errors = sql("select line_number, column_name, error_code, error_message from sys_load_error_detail where query_id = "
                 "(select max(query_id) from sys_load_history) order by line_number")
    assert errors == [(2, "id", 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"), (3, "name", 1204, "String length exceeds DDL length"),
                      (4, "born", 1205, "Invalid Date Format - length must be 10 or more"), (5, "", 1214, "Delimiter not found"),
                      (6, "", 1202, "Extra column(s) found")], errors
    assert sql("select status, loaded_rows, error_count from sys_load_history order by query_id desc limit 1") == [("completed", 2, 5)]
    put("c/pipe.txt", "1|a|12.01.2026|1|1768204800|yes|\n2|\\N||||\n")
    sql("truncate person")
    assert sql(copy % ("c/pipe.txt", "dateformat 'DD.MM.YYYY' timeformat 'epochsecs'")) == 2
    assert sql("select * from person order by id") == [(1, "a", "2026-01-12", "1.00", "2026-01-12 08:00:00", True),
                                                        (2, None, None, None, None, None)]
    put("c/tab.txt", "3\ta\\\tb\t\t\t\t\n")
    assert sql(copy % ("c/tab.txt", "delimiter '\\\\t' escape")) == 1
    assert sql("select name from person where id = 3") == [("a\tb",)]
    put("c/few.csv", "4,d\n")
    assert sql(copy % ("c/few.csv", "csv fillrecord")) == 1
    put("c/cut.csv", "5,abcdefghijklmn,,,,\n")
    assert sql(copy % ("c/cut.csv", "csv truncatecolumns")) == 1
    assert sql("select name from person where id = 5") == [("abcdefghij",)]
    put("c/zipped.csv.gz", gzip.compress(b"6,zipped,,,,\n"))
    assert sql(copy % ("c/zipped.csv.gz", "csv gzip")) == 1
    refused(copy % ("c/cut.csv", "csv gzip"), "")
    put("c/latin.csv", b"7,B\xf6,,,,\n")
    refused(copy % ("c/latin.csv", "csv"), "stl_load_errors")
    put("c/null.csv", b"7,a\0b,,,,\n")
    refused(copy % ("c/null.csv", "csv"), "stl_load_errors")
    assert sql(copy % ("c/few.csv", "csv fillrecord noload")) == 0
    put("c/big.csv", "".join("%d,n%d,2026-01-12,1.5,2026-01-12 08:00:00,t\n" % (n, n % 1000) for n in range(100, 20100)))
    assert sql(copy % ("c/big.csv", "csv")) == 20000
    sql("create table counted (id bigint identity(1,1), name varchar(10) default 'none', n int)")
    put("c/counted.csv", "a,1\nb,2\n")
    assert sql("copy counted from 's3://lake/c/counted.csv' %s csv" % ROLE) == 2
    put("c/one.csv", "5\n")
    assert sql("copy counted (n) from 's3://lake/c/one.csv' %s csv" % ROLE) == 1
    assert sql("select * from counted order by id") == [(1, "a", 1), (2, "b", 2), (3, "none", 5)]


def from_json():
    sql("create table item (id bigint, name varchar(20), tags super, at timestamp)")
    put("j/a.json", '{"id": 1, "name": "x", "tags": [1, {"b": null}], "at": "2026-01-12T08:00:00Z"}\n'
                    '{"name": null, "id": "2", "other": 5}{"ID": 3}\n')
    assert sql("copy item from 's3://lake/j/a.json' %s json 'auto'" % ROLE) == 3
    assert sql("select id, name, at from item order by id") == [(1, "x", "2026-01-12 08:00:00"), (2, None, None), (None, None, None)]
    assert json.loads(sql("select tags from item where id = 1")[0][0]) == [1, {"b": None}]
    sql("truncate item")
    assert sql("copy item from 's3://lake/j/a.json' %s format as json 'auto ignorecase'" % ROLE) == 3
    assert sql("select max(id) from item") == [(3,)]
    put("j/paths", json.dumps({"jsonpaths": ["$.a.id", "$['b'][0]", "$.c", "$.missing"]}))
    put("j/b.json", '{"a": {"id": 7}, "b": ["first"], "c": {"d": 1}}\n')
    sql("truncate item")
    assert sql("copy item from 's3://lake/j/b.json' %s json 's3://lake/j/paths'" % ROLE) == 1
    assert sql("select id, name, tags from item") == [(7, "first", '{"d":1}')]
    put("j/bad.json", '{"id": 1}\n{"id": "x"}\n')
    refused("copy item from 's3://lake/j/bad.json' %s json 'auto'" % ROLE, "stl_load_errors")
    assert sql("copy item from 's3://lake/j/bad.json' %s json 'auto' maxerror 1" % ROLE) == 1
    put("j/broken.json", '{"id": 1}\n{"id": \n')
    refused("copy item from 's3://lake/j/broken.json' %s json 'auto'" % ROLE, "stl_load_errors")


def unload():
    sql("create table out_of (id integer, name varchar(20), at timestamp, paid decimal(8,2))")
    sql("insert into out_of values (1, 'a,\"b\"|c', '2026-01-12 08:00:00', 1.5), (2, null, null, null)")
    to = "unload ('select * from out_of order by id') to 's3://lake/%%s' %s %%s" % ROLE
    assert sql(to % ("u/text_", "")) == 2
    assert get("u/text_0000_part_00") == b'1|a,"b"|c|2026-01-12 08:00:00|1.50\n2|||\n', get("u/text_0000_part_00")
    refused(to % ("u/text_", ""), "Specified unload destination on S3 is not empty")
    assert sql(to % ("u/text_", "allowoverwrite escape null 'NULL' addquotes parallel off")) == 2
    assert get("u/text_000") == b'"1"|"a,\\"b\\"\\|c"|"2026-01-12 08:00:00"|"1.50"\nNULL|NULL|NULL|NULL\n'.replace(
        b"NULL|NULL", b'"2"|NULL', 1), get("u/text_000")
    assert sql(to % ("u/csv/", "csv header manifest verbose")) == 2
    listed = json.loads(get("u/csv/manifest"))
    key = listed["entries"][0]["url"].replace("s3://lake/", "")
    assert get(key) == b'id,name,at,paid\n1,"a,""b""|c",2026-01-12 08:00:00,1.50\n2,,,\n', get(key)
    assert listed["entries"][0]["meta"] == {"content_length": len(get(key)), "record_count": 2}
    assert [e["name"] for e in listed["schema"]["elements"]] == ["id", "name", "at", "paid"]
    assert sql(to % ("u/json/", "json")) == 2
    lines = [json.loads(line) for line in get("u/json/0000_part_00").splitlines()]
    assert lines[0]["name"] == 'a,"b"|c' and lines[1] == {"id": 2, "name": None, "at": None, "paid": None}, lines
    assert sql(to % ("u/parquet/", "format as parquet manifest")) == 2
    read = pyarrow.parquet.read_table(io.BytesIO(get("u/parquet/0000_part_00.parquet")))
    assert read.schema.field("id").type == pyarrow.int32() and read.schema.field("paid").type == pyarrow.decimal128(8, 2)
    assert read.to_pylist()[0]["name"] == 'a,"b"|c'
    sql("create table again (like out_of)")
    assert sql("copy again from 's3://lake/u/parquet/manifest' %s parquet manifest" % ROLE) == 2
    assert sql("select count(*) from (select * from out_of except select * from again)") == [(0,)]
    put("u/parquet/old", "x")
    refused(to % ("u/parquet/", "parquet"), "not empty")
    assert sql(to % ("u/parquet/", "parquet cleanpath")) == 2
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="lake", Prefix="u/parquet/")["Contents"]] == ["u/parquet/0000_part_00.parquet"]
    refused(to % ("x", "parquet cleanpath allowoverwrite"), "CLEANPATH")
    refused("unload ('select 1') to '/tmp/x' %s" % ROLE, "only S3 based unload")
    refused("unload ('select 1') to 's3://no-such-bucket/x' %s" % ROLE, "NoSuchBucket")
    refused("unload ('delete from out_of') to 's3://lake/x' %s" % ROLE, "syntax error")
    refused("unload ('select * from out_of limit 1') to 's3://lake/x' %s" % ROLE, "Limit clause is not supported")
    assert sql("unload ($$select name from out_of where name like 'a%%'$$) to 's3://lake/u/dollars' %s" % ROLE) == 1
    assert sql("unload ('select name from out_of where name like ''a%%''') to 's3://lake/u/quoted' %s" % ROLE) == 1


def unload_in_parts():
    sql("create table parts (day date, road varchar(10), n int)")
    sql("insert into parts values ('2026-01-12', 'A/1', 1), ('2026-01-12', null, 2), ('2026-01-13', 'A/1', 3)")
    to = "unload ('select * from parts order by n') to 's3://lake/%%s' %s %%s" % ROLE
    assert sql(to % ("p1/", "csv partition by (day, road) manifest")) == 3
    listed = json.loads(get("p1/manifest"))
    assert [e["url"] for e in listed["entries"]] == [
        "s3://lake/p1/day=2026-01-12/road=A%2F1/0000_part_00", "s3://lake/p1/day=2026-01-12/road=__HIVE_DEFAULT_PARTITION__/0000_part_00",
        "s3://lake/p1/day=2026-01-13/road=A%2F1/0000_part_00"], listed
    assert get("p1/day=2026-01-12/road=A%2F1/0000_part_00") == b"1\n" and listed["meta"]["record_count"] == 3
    assert sql(to % ("p2/", "parquet partition by (day) include")) == 3
    read = pyarrow.parquet.read_table(io.BytesIO(get("p2/day=2026-01-13/0000_part_00.parquet")))
    assert read.column_names == ["day", "road", "n"] and read.num_rows == 1
    refused(to % ("p3/", "csv partition by (nosuch)"), 'column "nosuch" does not exist')
    refused(to % ("p3/", "csv partition by (day, road, n)"), "partition columns")
    assert sql(to % ("z/gz_", "csv gzip header")) == 3
    assert gzip.decompress(get("z/gz_0000_part_00.gz")) == b"day,road,n\n2026-01-12,A/1,1\n2026-01-12,,2\n2026-01-13,A/1,3\n"
    assert sql(to % ("z/zstd_", "json zstd extension 'json.zst'")) == 3
    sql("create table back (day date, road varchar(10), n int)")
    assert sql("copy back from 's3://lake/z/gz_' %s csv gzip ignoreheader 1 emptyasnull" % ROLE) == 3
    assert sql("copy back from 's3://lake/z/zstd_0000_part_00.json.zst' %s json 'auto' zstd" % ROLE) == 3
    assert sql("select count(*) from (select * from parts except select * from back)") == [(0,)]
    sql("unload ('select a, a + 1 as b from generate_series(1, 200000) t(a)') to 's3://lake/z/text_' %s zstd" % ROLE)
    sql("create table numbers (a int, b int)")
    assert sql("copy numbers from 's3://lake/z/text_' %s zstd" % ROLE) == 200000
    put("z/cut.zst", get("z/text_0000_part_00.zst")[:-1000])
    refused("copy numbers from 's3://lake/z/cut.zst' %s zstd" % ROLE, "not compressed as the options say")
    refused(to % ("z/p", "parquet gzip"), "not supported for UNLOAD to PARQUET")


# ---- the console's way ----------------------------------------------------------------------------------

READING = pyarrow.schema([("device", pyarrow.string()), ("at", pyarrow.timestamp("us")), ("value", pyarrow.float64()),
                          ("kafka_partition", pyarrow.int32()), ("kafka_offset", pyarrow.int64())])


def load_batch(start, end, token=None):
    """Records [start, end) of partition 0, as the console loads them."""
    name = "0-%020d-%020d" % (start, end)
    rows = {"device": ["d%d" % (n % 7) for n in range(start, end)], "at": [datetime.datetime(2026, 1, 12)] * (end - start),
            "value": [n / 2 for n in range(start, end)], "kafka_partition": [0] * (end - start), "kafka_offset": list(range(start, end))}
    source = manifest("_sink/%s.manifest" % name, parquet("events/%s.parquet" % name, rows, READING))
    sqls = ["CREATE TEMP TABLE stage (LIKE reading)",
            "COPY stage FROM '%s' IAM_ROLE 'arn:aws:iam::123456789012:role/load' FORMAT AS PARQUET MANIFEST" % source,
            "DELETE FROM reading USING stage WHERE reading.kafka_partition = stage.kafka_partition AND "
            "reading.kafka_offset = stage.kafka_offset",
            "INSERT INTO reading SELECT * FROM stage",
            "INSERT INTO ledger (partition_id, first_offset, end_offset, loaded_at) VALUES (0, %d, %d, GETDATE())" % (start, end)]
    return rs.batch_execute_statement(Sqls=sqls, **TARGET, **({"ClientToken": token} if token else {}))["Id"]


def offsets():
    return sql("select count(*), count(distinct kafka_offset), min(kafka_offset), max(kafka_offset) from reading")


def exactly_once():
    sql("create table reading (device varchar(64) not null encode zstd distkey, at timestamp not null sortkey, value float8, "
        "kafka_partition integer not null, kafka_offset bigint not null)")
    sql("create table ledger (id bigint identity(1,1), partition_id int, first_offset bigint, end_offset bigint, loaded_at timestamp)")
    first = wait(load_batch(0, 1000))
    assert first["Status"] == "FINISHED", first.get("Error")
    assert [s["ResultRows"] for s in first["SubStatements"]] == [0, 1000, 0, 1000, 1], first
    assert offsets() == [(1000, 1000, 0, 999)]
    second = wait(load_batch(0, 1000))
    assert second["Status"] == "FINISHED", second.get("Error")
    assert [s["ResultRows"] for s in second["SubStatements"]] == [0, 1000, 1000, 1000, 1]
    assert offsets() == [(1000, 1000, 0, 999)]
    assert sql("select partition_id, first_offset, end_offset from ledger order by id") == [(0, 0, 1000)] * 2
    refused("select * from stage", 'relation "stage" does not exist')
    # one bad statement, and nothing of it is there
    done = batch(["CREATE TEMP TABLE stage (LIKE reading)", "INSERT INTO reading SELECT 'x', getdate(), 1, 0, 5000",
                  "COPY stage FROM 's3://lake/_sink/none.manifest' %s FORMAT AS PARQUET MANIFEST" % ROLE])
    assert done["Status"] == "FAILED" and "NoSuchKey" in done["Error"]
    assert offsets() == [(1000, 1000, 0, 999)]


def killed():
    """kill -9 in the middle of loads; each is then asked for again, with its token."""
    global cloud, rs, s3, warehouse
    for round, delay in enumerate((0.0, 0.02, 0.05, 0.1, 0.2, 0.4)):
        start = 1000 + 3000 * round
        token = "batch-%d" % round
        id = load_batch(start, start + 3000, token)
        time.sleep(delay)
        cloud.kill()
        cloud = Cloud(cloud.folder)
        rs, s3 = cloud.client("redshift-data"), cloud.client("s3")
        warehouse.client = rs
        done = wait(id)
        assert done["Status"] in ("FINISHED", "FAILED"), done["Status"]
        there = sql("select count(*) from reading where kafka_offset >= %d" % start)[0][0]
        noted = sql("select count(*) from ledger where first_offset = %d" % start)[0][0]
        # all of the transaction or nothing of it, and the state says which
        assert (there, noted) == ((3000, 1) if done["Status"] == "FINISHED" else (0, 0)), (done["Status"], there, noted)
        again = wait(load_batch(start, start + 3000))
        assert again["Status"] == "FINISHED", again.get("Error")
        count = start + 3000
        assert offsets() == [(count, count, 0, count - 1)], (round, offsets())


s3.create_bucket(Bucket="lake")
if warehouse.is_here():
    run([from_parquet, parquet_refused, manifests, from_csv, from_json, unload, unload_in_parts, exactly_once, killed])
else:
    print("ok 1 - needs DuckDB # SKIP make duckdb")
finish(cloud)
