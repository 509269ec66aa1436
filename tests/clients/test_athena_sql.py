"""Athena's statements by boto3: DDL, SHOW, views, CTAS, INSERT, UNLOAD; what they leave in Glue and in S3."""
import gzip
import io
import json
import time

import pyarrow
import pyarrow.parquet

from harness import Cloud, finish, run

OUTPUT = "s3://results/out/"


class Athena:
    def __init__(self, cloud):
        self.client = cloud.client("athena")
        self.s3 = cloud.client("s3")
        self.glue = cloud.client("glue")

    def start(self, sql, database="city"):
        return self.client.start_query_execution(QueryString=sql, QueryExecutionContext={"Database": database},
                                                 ResultConfiguration={"OutputLocation": OUTPUT})["QueryExecutionId"]

    def run(self, sql, database="city"):
        """The execution when it has ended."""
        id = self.start(sql, database)
        for _ in range(3000):
            execution = self.client.get_query_execution(QueryExecutionId=id)["QueryExecution"]
            if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return execution
            time.sleep(0.01)
        raise AssertionError("does not end: " + sql)

    def ok(self, sql, database="city"):
        execution = self.run(sql, database)
        assert execution["Status"]["State"] == "SUCCEEDED", (sql, execution["Status"])
        return execution

    def refused(self, sql, reason, database="city"):
        execution = self.run(sql, database)
        status = execution["Status"]
        assert status["State"] == "FAILED", (sql, status)
        assert reason in status["StateChangeReason"], (sql, status["StateChangeReason"])

    def rows(self, sql, database="city", header=None):
        """Texts of the answer; None is null."""
        execution = self.ok(sql, database)
        pages = self.client.get_paginator("get_query_results").paginate(QueryExecutionId=execution["QueryExecutionId"])
        rows = [[datum.get("VarCharValue") for datum in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]
        return rows[1:] if header is None and execution["StatementType"] == "DML" else rows

    def lines(self, sql, database="city"):
        return ["\t".join(row) for row in self.rows(sql, database)]

    def keys(self, prefix, bucket="lake"):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def body(self, key, bucket="lake"):
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def put_parquet(self, key, columns):
        out = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table(columns), out)
        self.s3.put_object(Bucket="lake", Key=key, Body=out.getvalue())


def databases(cloud):
    a = Athena(cloud)
    for bucket in ("lake", "results"):
        a.s3.create_bucket(Bucket=bucket)
    a.ok("CREATE DATABASE city COMMENT 'all of it' LOCATION 's3://lake/city/'", "default")
    assert a.glue.get_database(Name="city")["Database"]["Description"] == "all of it"
    a.refused("CREATE DATABASE city", "DDLTask. Database city already exists", "default")
    a.ok("CREATE SCHEMA IF NOT EXISTS city", "default")
    a.ok("CREATE SCHEMA town", "default")
    assert a.lines("SHOW DATABASES") == ["city", "town"]
    assert a.lines("SHOW SCHEMAS LIKE 'c*|x'") == ["city"]
    a.ok("CREATE EXTERNAL TABLE town.t (a int) STORED AS PARQUET LOCATION 's3://lake/t/'")
    a.refused("DROP DATABASE town", "InvalidOperationException(message:Database town is not empty. One or more tables exist.)")
    a.ok("DROP DATABASE town CASCADE")
    a.refused("DROP DATABASE town", "FAILED: SemanticException [Error 10072]: Database does not exist: town")
    a.ok("DROP DATABASE IF EXISTS town")
    a.refused("SHOW TABLES IN town", "Database does not exist: town")


def tables(cloud):
    a = Athena(cloud)
    a.put_parquet("raw/gps/dt=2026-01-12/a.parquet", {"id": ["v1", "v2"], "speed": [50.5, 60.0], "count": [1, 2]})
    a.put_parquet("raw/gps/dt=2026-01-13/a.parquet", {"id": ["v3"], "speed": [70.0], "count": [3]})
    a.put_parquet("raw/gps/Dt=2026-01-14/a.parquet", {"id": ["never"], "speed": [70.0], "count": [3]})
    a.ok("CREATE EXTERNAL TABLE gps (`id` string COMMENT 'of the vehicle', speed double, count bigint) COMMENT 'places' "
         "PARTITIONED BY (dt string) STORED AS PARQUET LOCATION 's3://lake/raw/gps/' TBLPROPERTIES ('classification'='parquet')")
    a.refused("CREATE EXTERNAL TABLE gps (a int) STORED AS PARQUET LOCATION 's3://lake/x/'", "AlreadyExistsException(message:Table gps already exists)")
    a.ok("CREATE EXTERNAL TABLE IF NOT EXISTS gps (a int) STORED AS PARQUET LOCATION 's3://lake/x/'")
    assert a.rows("SELECT count(*) FROM gps") == [["0"]]
    assert a.lines("MSCK REPAIR TABLE gps") == ["Partitions not in metastore:\tgps:dt=2026-01-12\tgps:dt=2026-01-13",
                                                "Repair: Added partition to metastore gps:dt=2026-01-12",
                                                "Repair: Added partition to metastore gps:dt=2026-01-13"]
    assert a.lines("MSCK REPAIR TABLE gps") == []
    assert a.rows("SELECT id, dt FROM gps ORDER BY 1") == [["v1", "2026-01-12"], ["v2", "2026-01-12"], ["v3", "2026-01-13"]]
    assert a.lines("SHOW TABLES") == ["gps"]
    assert a.lines("SHOW TABLES 'x*'") == []
    assert a.lines("SHOW PARTITIONS gps") == ["dt=2026-01-12", "dt=2026-01-13"]
    assert a.lines("SHOW COLUMNS IN gps") == ["%-20s" % name for name in ("id", "speed", "count", "dt")]
    assert a.lines("DESCRIBE gps")[:2] == ["%-20s\t%-20s\t%-20s" % ("id", "string", "of the vehicle"), "%-20s\t%-20s\t%-20s" % ("speed", "double", "")]
    assert "# Partition Information\t \t " in a.lines("DESCRIBE gps")
    assert any(line.startswith("Location:           \ts3://lake/raw/gps/") for line in a.lines("DESCRIBE FORMATTED city.gps"))
    a.refused("DESCRIBE nope", "FAILED: SemanticException [Error 10001]: Table not found city.nope")
    made = "\n".join(a.lines("SHOW CREATE TABLE gps"))
    assert made.startswith("CREATE EXTERNAL TABLE `gps`(\n  `id` string COMMENT 'of the vehicle', \n  `speed` double, \n  `count` bigint)\nCOMMENT 'places'\n"
                           "PARTITIONED BY ( \n  `dt` string)\nROW FORMAT SERDE \n  'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' \n"), made
    a.ok(made.replace("`gps`", "`gps_again`"))
    assert a.glue.get_table(DatabaseName="city", Name="gps_again")["Table"]["StorageDescriptor"]["Columns"] == \
        a.glue.get_table(DatabaseName="city", Name="gps")["Table"]["StorageDescriptor"]["Columns"]
    a.ok("DROP TABLE gps_again")
    a.refused("DROP TABLE gps_again", "Table not found city.gps_again")
    a.ok("DROP TABLE IF EXISTS gps_again")
    assert a.keys("raw/gps/dt=2026-01-12/"), "data stays"


def alters(cloud):
    a = Athena(cloud)
    a.ok("ALTER TABLE gps ADD PARTITION (dt='x y') LOCATION 's3://lake/raw/gps/dt=2026-01-13/'")
    a.refused("ALTER TABLE gps ADD PARTITION (dt='x y')", "AlreadyExistsException(message:Partition already exists)")
    a.ok("ALTER TABLE gps ADD IF NOT EXISTS PARTITION (dt='x y') PARTITION (dt='z')")
    assert a.glue.get_partition(DatabaseName="city", TableName="gps", PartitionValues=["z"])["Partition"]["StorageDescriptor"]["Location"] == "s3://lake/raw/gps/dt=z"
    assert a.rows("SELECT id FROM gps WHERE dt = 'x y'") == [["v3"]]
    a.ok("ALTER TABLE gps PARTITION (dt='x y') SET LOCATION 's3://lake/raw/gps/dt=2026-01-12/'")
    assert a.rows("SELECT count(*) FROM gps WHERE dt = 'x y'") == [["2"]]
    a.ok("ALTER TABLE gps DROP PARTITION (dt='x y'), PARTITION (dt='z')")
    a.refused("ALTER TABLE gps DROP PARTITION (dt='z')", "SemanticException [Error 10006]: Partition not found")
    a.ok("ALTER TABLE gps DROP IF EXISTS PARTITION (dt='z')")
    a.refused("ALTER TABLE gps ADD PARTITION (hour='1')", "contains non-partition columns")
    a.ok("ALTER TABLE gps ADD COLUMNS (heading double)")
    assert a.rows("SELECT heading FROM gps WHERE id = 'v3'") == [[None]]
    a.refused("ALTER TABLE gps ADD COLUMNS (id int)", "Duplicate column name: id")
    a.ok("CREATE EXTERNAL TABLE changing (a int, b string) PARTITIONED BY (dt string) STORED AS PARQUET LOCATION 's3://lake/changing/'")
    a.ok("ALTER TABLE changing CHANGE COLUMN a c bigint COMMENT 'wider'")
    a.refused("ALTER TABLE changing CHANGE COLUMN a d bigint", "Invalid column reference a")
    a.refused("ALTER TABLE changing CHANGE COLUMN c b bigint", "Duplicate column name: b")
    assert a.lines("DESCRIBE changing")[0] == "%-20s\t%-20s\t%-20s" % ("c", "bigint", "wider")
    a.ok("ALTER TABLE changing REPLACE COLUMNS (x double)")
    assert [line.strip() for line in a.lines("SHOW COLUMNS IN changing")] == ["x", "dt"]
    a.refused("ALTER TABLE changing REPLACE COLUMNS (x double, dt string)", "Duplicate column name: dt")
    a.ok("ALTER TABLE changing ADD PARTITION (dt='a')")
    a.ok("ALTER TABLE changing PARTITION (dt='a') RENAME TO PARTITION (dt='b')")
    assert a.lines("SHOW PARTITIONS changing") == ["dt=b"]
    a.refused("ALTER TABLE changing PARTITION (dt='a') RENAME TO PARTITION (dt='c')", "Partition not found")
    a.ok("DROP TABLE changing")
    a.ok("ALTER TABLE gps SET TBLPROPERTIES ('owner'='me')")
    assert "owner\tme" in a.lines("SHOW TBLPROPERTIES gps") and a.lines("SHOW TBLPROPERTIES gps('owner')") == ["me"]
    assert a.glue.get_table(DatabaseName="city", Name="gps")["Table"]["VersionId"] == "2"


def views(cloud):
    a = Athena(cloud)
    a.ok("CREATE VIEW fast AS SELECT id, speed AS Mph, count(*) OVER () AS n FROM gps WHERE speed > 55")
    a.refused("CREATE VIEW fast AS SELECT 1 AS a", "View already exists: 'awsdatacatalog.city.fast'")
    table = a.glue.get_table(DatabaseName="city", Name="fast")["Table"]
    assert table["TableType"] == "VIRTUAL_VIEW" and table["ViewOriginalText"].startswith("/* Presto View: ")
    assert [column["Type"] for column in table["StorageDescriptor"]["Columns"]] == ["string", "double", "bigint"]
    assert a.rows("SELECT id, mph FROM fast ORDER BY 1") == [["v2", "60.0"], ["v3", "70.0"]]
    a.ok("CREATE OR REPLACE VIEW fast AS SELECT id, speed * 2 AS mph FROM gps")
    a.ok("CREATE VIEW faster AS SELECT max(mph) AS most FROM fast")
    assert a.rows("SELECT * FROM city.faster", "default") == [["140.0"]]
    assert a.lines("SHOW VIEWS") == ["fast", "faster"] and a.lines("SHOW TABLES") == ["fast", "faster", "gps"]
    assert a.lines("SHOW CREATE VIEW faster") == ["CREATE VIEW city.faster AS", "SELECT max(mph) AS most FROM fast"]
    a.ok("DROP VIEW fast")
    a.refused("SELECT * FROM faster", "VIEW_IS_STALE: line 1:15: View 'awsdatacatalog.city.faster' is stale")
    a.refused("DROP VIEW fast", "View 'awsdatacatalog.city.fast' does not exist")
    a.ok("DROP VIEW IF EXISTS fast")
    a.refused("DROP VIEW gps", "is a table and no view")
    a.ok("DROP VIEW faster")


def create_table_as(cloud):
    a = Athena(cloud)
    execution = a.ok("CREATE TABLE curated WITH (format='PARQUET', parquet_compression='SNAPPY', external_location='s3://lake/curated/', "
                     "partitioned_by=ARRAY['dt']) AS SELECT id, speed, count AS n, dt FROM gps")
    assert execution["StatementType"] == "DDL" and execution["SubstatementType"] == "CREATE_TABLE_AS_SELECT"
    assert execution["ResultConfiguration"]["OutputLocation"] == OUTPUT + "tables/" + execution["QueryExecutionId"]
    answer = a.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert answer["UpdateCount"] == 3 and answer["ResultSet"]["Rows"] == []
    keys = a.keys("curated/")
    assert [key.split("/")[1] for key in keys] == ["dt=2026-01-12", "dt=2026-01-13"], keys
    manifest = execution["Statistics"]["DataManifestLocation"]
    assert a.body(manifest.split("/", 3)[3], "results").decode().splitlines() == ["s3://lake/" + key for key in keys]
    written = pyarrow.parquet.ParquetFile(io.BytesIO(a.body(keys[0])))
    assert written.schema_arrow.names == ["id", "speed", "n"] and written.metadata.row_group(0).column(0).compression == "SNAPPY"
    table = a.glue.get_table(DatabaseName="city", Name="curated")["Table"]
    assert [column["Name"] for column in table["PartitionKeys"]] == ["dt"] and table["Parameters"]["parquet.compression"] == "SNAPPY"
    assert a.lines("SHOW PARTITIONS curated") == ["dt=2026-01-12", "dt=2026-01-13"]
    assert a.rows("SELECT sum(n), max(dt) FROM curated") == [["6", "2026-01-13"]]
    a.refused("CREATE TABLE curated AS SELECT 1 AS a", "TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.city.curated' already exists")
    a.refused("CREATE TABLE other WITH (external_location='s3://lake/curated/') AS SELECT 1 AS a", "HIVE_PATH_ALREADY_EXISTS")
    a.refused("CREATE TABLE other AS SELECT 1", "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1")
    a.refused("CREATE TABLE other AS SELECT 1 AS a, 2 AS A", "DUPLICATE_COLUMN_NAME")
    a.refused("CREATE TABLE other AS SELECT 1 AS a, NULL AS b", "COLUMN_TYPE_UNKNOWN: line 1:1: Column type is unknown at position 2")
    a.refused("CREATE TABLE other AS SELECT now() AS a", "NOT_SUPPORTED: Unsupported Hive type: timestamp(3) with time zone")
    a.refused("CREATE TABLE other WITH (partitioned_by=ARRAY['dt']) AS SELECT dt, id FROM gps", "HIVE_COLUMN_ORDER_MISMATCH")
    a.refused("CREATE TABLE other WITH (nonsense='1') AS SELECT 1 AS a", "table property 'nonsense' does not exist")
    a.refused("CREATE TABLE other WITH (partitioned_by=ARRAY['p']) AS SELECT 1 AS a, p FROM UNNEST(sequence(1, 101)) AS t(p)",
              "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers")
    assert a.lines("SHOW TABLES 'other'") == []
    execution = a.ok("CREATE TABLE plain AS SELECT 1 AS a, 'x' AS b, ARRAY[1, 2] AS c, DATE '2026-01-12' AS d, 1.5 AS e, DECIMAL '1.25' AS f")
    assert a.rows("SELECT * FROM plain") == [["1", "x", "[1, 2]", "2026-01-12", "1.5", "1.25"]]
    location = a.glue.get_table(DatabaseName="city", Name="plain")["Table"]["StorageDescriptor"]["Location"]
    assert location == OUTPUT + "tables/" + execution["QueryExecutionId"] + "/", location
    a.ok("CREATE TABLE shape AS SELECT * FROM plain WITH NO DATA")
    assert a.rows("SELECT * FROM shape") == []


def insert(cloud):
    a = Athena(cloud)
    execution = a.ok("INSERT INTO curated VALUES ('v9', 1.5, 9, '2026-01-13'), ('v10', 2.5, 10, '2026-01-14'), ('v11', NULL, 11, NULL)")
    assert execution["StatementType"] == "DML" and execution["SubstatementType"] == "INSERT"
    assert a.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["UpdateCount"] == 3
    assert execution["ResultConfiguration"]["OutputLocation"] == OUTPUT + execution["QueryExecutionId"]
    assert execution["Statistics"]["DataManifestLocation"] == OUTPUT + execution["QueryExecutionId"] + "-manifest.csv"
    assert a.lines("SHOW PARTITIONS curated")[2:] == ["dt=2026-01-14", "dt=__HIVE_DEFAULT_PARTITION__"]
    assert a.rows("SELECT dt, count(*) FROM curated GROUP BY 1 ORDER BY 1") == [["2026-01-12", "2"], ["2026-01-13", "2"], ["2026-01-14", "1"], [None, "1"]]
    a.ok("INSERT INTO curated (dt, id) SELECT dt, id FROM gps WHERE id = 'v1'")
    assert a.rows("SELECT speed, count(*) FROM curated WHERE id = 'v1' GROUP BY 1 ORDER BY 1") == [["50.5", "1"], [None, "1"]]
    a.refused("INSERT INTO curated VALUES (1, 2.5, 3, 'x')",
              "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [varchar, double, bigint, varchar], Query: [integer, ")
    a.refused("INSERT INTO curated VALUES ('a')", "TYPE_MISMATCH")
    a.refused("INSERT INTO curated (nope) VALUES ('a')", "COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist in target table: nope")
    a.refused("INSERT INTO nope VALUES (1)", "TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.city.nope' does not exist")


def formats(cloud):
    a = Athena(cloud)
    row = "SELECT 1 AS a, 'x' AS b, ARRAY['p', NULL] AS c, CAST(NULL AS double) AS d, TIMESTAMP '2026-01-12 08:14:32.5' AS t, true AS f"
    a.ok("CREATE TABLE lines WITH (format='JSON', external_location='s3://lake/f/json/', write_compression='NONE') AS " + row)
    line = json.loads(a.body(a.keys("f/json/")[0]))
    assert line["a"] == 1 and line["c"] == ["p", None] and line["d"] is None and line["t"].startswith("2026-01-12 08:14:32.5"), line
    assert a.rows("SELECT * FROM lines") == [["1", "x", "[p, null]", None, "2026-01-12 08:14:32.500", "true"]]
    a.ok("CREATE TABLE texts WITH (format='TEXTFILE', field_delimiter=',', external_location='s3://lake/f/text/') AS "
         "SELECT 1 AS a, 'x \"y\"' AS b, CAST(NULL AS double) AS d, TIMESTAMP '2026-01-12 08:14:32.5' AS t, '' AS e UNION ALL SELECT 2, NULL, 1e20, NULL, 'z'")
    key = a.keys("f/text/")[0]
    assert key.endswith(".gz"), key
    assert gzip.decompress(a.body(key)).decode() == '1,x "y",\\N,2026-01-12 08:14:32.500,\n2,\\N,1.0E20,\\N,z\n', gzip.decompress(a.body(key))
    assert a.rows("SELECT a, b, d, t, e FROM texts ORDER BY a") == [["1", 'x "y"', None, "2026-01-12 08:14:32.500", ""], ["2", None, "1.0E20", None, "z"]]
    a.ok("INSERT INTO texts VALUES (3, 'q', 1.0, NULL, 'e')")
    assert a.rows("SELECT count(*) FROM texts") == [["3"]]
    a.refused("CREATE TABLE orc WITH (format='ORC') AS SELECT 1 AS a", "NOT_SUPPORTED: Writing ORC is not emulated locally")
    a.refused("CREATE TABLE ice WITH (table_type='ICEBERG', location='s3://lake/ice/', is_external=false) AS SELECT 1 AS a", "NOT_SUPPORTED")


def unload(cloud):
    a = Athena(cloud)
    execution = a.ok("UNLOAD (SELECT id, dt FROM gps ORDER BY id) TO 's3://lake/u/p/' WITH (format='PARQUET', compression='ZSTD', partitioned_by=ARRAY['dt'])")
    assert execution["SubstatementType"] == "UNLOAD" and execution["StatementType"] == "DML"
    keys = a.keys("u/p/")
    assert [key.split("/")[2] for key in keys] == ["dt=2026-01-12", "dt=2026-01-13"]
    assert pyarrow.parquet.read_table(io.BytesIO(a.body(keys[0]))).to_pydict() == {"id": ["v1", "v2"]}
    assert a.body("out/%s-manifest.csv" % execution["QueryExecutionId"], "results").decode().splitlines() == ["s3://lake/" + key for key in keys]
    a.refused("UNLOAD (SELECT 1 AS a) TO 's3://lake/u/p/' WITH (format='PARQUET')", "HIVE_PATH_ALREADY_EXISTS")
    a.ok("UNLOAD (SELECT id, speed FROM gps ORDER BY id) TO 's3://lake/u/j/' WITH (format='JSON')")
    assert [json.loads(line)["id"] for line in gzip.decompress(a.body(a.keys("u/j/")[0])).splitlines()] == ["v1", "v2", "v3"]
    a.ok("UNLOAD (SELECT id, speed FROM gps ORDER BY id) TO 's3://lake/u/t' WITH (format='TEXTFILE', field_delimiter='|', compression='NONE')")
    assert a.body(a.keys("u/t/")[0]) == b"v1|50.5\nv2|60.0\nv3|70.0\n"
    a.refused("UNLOAD (SELECT 1 AS a) TO 's3://nowhere/x/' WITH (format='JSON')", "HIVE_WRITER_OPEN_ERROR: The specified bucket does not exist")


def catalogue(cloud):
    a = Athena(cloud)
    assert a.rows("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema='city' AND table_name = 'gps' ORDER BY ordinal_position") == \
        [["gps", name] for name in ("id", "speed", "count", "heading", "dt")]
    assert ["city"] in a.rows("SELECT schema_name FROM information_schema.schemata")
    assert a.rows('SELECT dt FROM "gps$partitions" ORDER BY 1') == [["2026-01-12"], ["2026-01-13"]]
    paths = a.rows('SELECT DISTINCT "$path" FROM gps ORDER BY 1')
    assert paths == [["s3://lake/raw/gps/dt=2026-01-12/a.parquet"], ["s3://lake/raw/gps/dt=2026-01-13/a.parquet"]]
    whole = a.ok("SELECT * FROM gps")["Statistics"]["DataScannedInBytes"]
    part = a.ok("SELECT * FROM gps WHERE dt = '2026-01-13'")["Statistics"]["DataScannedInBytes"]
    assert 0 < part < whole and a.ok("SELECT * FROM gps WHERE dt = 'none'")["Statistics"]["DataScannedInBytes"] == 0
    plan = a.lines("EXPLAIN SELECT count(*) FROM gps WHERE dt > '2026'")
    assert plan[0] == "Query Plan" and len(plan) > 3 and "/blobs/" not in "".join(plan)
    assert a.lines("EXPLAIN (TYPE VALIDATE) SELECT 1 FROM gps") == ["Valid", "true"]
    assert a.lines("EXPLAIN ANALYZE SELECT count(*) FROM gps")[0] == "Query Plan"
    a.refused("EXPLAIN SELECT nope FROM gps", "COLUMN_NOT_FOUND")
    a.refused("SELECT sum(x) FROM (VALUES 9223372036854775807, 1) AS t(x)", "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow")
    a.refused("SELECT id FROM gps WHERE id = 5", "TYPE_MISMATCH: line 1:29: Cannot apply operator: varchar = integer")


def nothing_outside(cloud):
    """SQL reaches objects through tables and nothing else."""
    a = Athena(cloud)
    for sql in ("COPY (SELECT 1) TO '/tmp/x'", "ATTACH '/etc/passwd' AS p", "INSTALL httpfs", "LOAD httpfs", "PRAGMA version", "SET threads = 1",
                "CALL pragma_version()", "IMPORT DATABASE '/tmp'", "EXPORT DATABASE '/tmp'", "CREATE TABLE x (a int)", "CREATE MACRO f() AS 1",
                "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/etc/passwd')", "FROM '/etc/passwd'", "SELECT * FROM '/etc/passwd'",
                "SELECT 1; SELECT 2"):
        try:
            execution = a.run(sql)
        except a.client.exceptions.InvalidRequestException as error:
            assert error.response["AthenaErrorCode"] in ("MALFORMED_QUERY", "INVALID_INPUT"), (sql, error.response)
        else:
            assert execution["Status"]["State"] == "FAILED", (sql, execution["Status"])
    for sql in ('SELECT * FROM "/etc/passwd"', "SELECT * FROM duckdb_settings()", "SELECT getenv('HOME')", "SELECT read_text('/etc/passwd')",
                "SELECT * FROM sqlite_master", "SELECT * FROM duckdb_tables", "SELECT * FROM pg_catalog.pg_class",
                "SELECT * FROM \"read_text('/etc/passwd')\"", "SELECT current_setting('threads')"):
        try:
            execution = a.run(sql)
        except a.client.exceptions.InvalidRequestException:
            continue
        assert execution["Status"]["State"] == "FAILED", (sql, execution["Status"])
    a.refused("CREATE EXTERNAL TABLE out (a string) LOCATION '/etc/'", "is not an s3:// location")
    a.refused("CREATE EXTERNAL TABLE out (a string) LOCATION 'file:///etc/'", "is not an s3:// location")
    a.glue.create_table(DatabaseName="city", TableInput={"Name": "out", "StorageDescriptor": {
        "Columns": [{"Name": "a", "Type": "string"}], "Location": "file:///etc/passwd",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"}}})
    a.refused("SELECT * FROM out", "is not in S3")
    a.ok("DROP TABLE out")
    for key in ("up/../../../etc/passwd", "up/%2e%2e/x"):
        a.s3.put_object(Bucket="lake", Key=key, Body=b"mine\n")
    a.ok("CREATE EXTERNAL TABLE up (a string) LOCATION 's3://lake/up/../../../etc/'")
    assert a.rows("SELECT a FROM up") == [["mine"]]
    # what claims to be Parquet and is not, and lengths that lie
    whole = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"a": list(range(1000))}), whole)
    good = whole.getvalue()
    a.ok("CREATE EXTERNAL TABLE hostile (a bigint) STORED AS PARQUET LOCATION 's3://lake/hostile/'")
    for bad in (b"PAR1", b"PAR1" + b"\xff" * 64 + b"PAR1", good[:-8] + b"\xff\xff\xff\x7fPAR1", good[:200] + b"\0" * 100 + good[300:], b"PAR1\0\0\0\0PAR1"):
        a.s3.put_object(Bucket="lake", Key="hostile/1", Body=bad)
        execution = a.run("SELECT sum(a), count(*) FROM hostile")
        if execution["Status"]["State"] == "FAILED":
            assert "blobs" not in execution["Status"]["StateChangeReason"], execution["Status"]
    a.s3.put_object(Bucket="lake", Key="hostile/1", Body=good)
    assert a.rows("SELECT count(*) FROM hostile") == [["1000"]]
    # a name that would leave its quotes
    a.ok("CREATE TABLE \"q\"\"'q\" WITH (external_location='s3://lake/q''\"/') AS SELECT 1 AS \"a\"\"b'c\", 'x''y' AS p")
    assert a.rows("SELECT * FROM \"q\"\"'q\"") == [["1", "x'y"]]


def symbolic_links(cloud):
    """A link among the blobs is no object; a blob that was made into one is not followed out of the store."""
    import os
    a = Athena(cloud)
    a.s3.put_object(Bucket="lake", Key="link/1", Body=b"inside\n" * 100)
    a.ok("CREATE EXTERNAL TABLE link (a string) LOCATION 's3://lake/link/'")
    assert a.rows("SELECT count(*), min(a) FROM link") == [["100", "inside"]]
    for folder, _, names in os.walk(os.path.join(cloud.folder, "blobs")):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                if file.read() == b"inside\n" * 100:
                    os.remove(path)
                    os.symlink("/etc/passwd", path)
    execution = a.run("SELECT a FROM link")
    if execution["Status"]["State"] == "SUCCEEDED":
        assert not any("root" in (row[0] or "") for row in a.rows("SELECT a FROM link")), "a link was followed"


if __name__ == "__main__":
    cloud = Cloud()
    run([databases, tables, alters, views, create_table_as, insert, formats, unload, catalogue, nothing_outside, symbolic_links], cloud)
    finish(cloud)
