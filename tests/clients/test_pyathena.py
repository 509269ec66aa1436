"""PyAthena, the usual Python driver, as it is: connections, cursors, parameters of both styles, types, pages, SHOW and DESCRIBE, writing,
cancelling, asynchronous queries."""
import datetime
import decimal
import os
import threading

import pyathena
import pyathena.error
from pyathena.async_cursor import AsyncCursor
from pyathena.cursor import DictCursor
from pyathena.util import RetryConfig

from harness import Cloud, finish, run


def connect(cloud, **more):
    """Waits shortly between looks, so that the tests are quick."""
    more.setdefault("schema_name", "town")
    return pyathena.connect(s3_staging_dir="s3://results/py/", region_name=cloud.region, endpoint_url=cloud.endpoint,
                            aws_access_key_id=cloud.access_key, aws_secret_access_key=cloud.secret_key, poll_interval=0.02,
                            retry_config=RetryConfig(attempt=1), **more)


def one(cursor, sql, *parameters, **more):
    rows = cursor.execute(sql, *parameters, **more).fetchall()
    assert len(rows) == 1, rows
    return rows[0]


def makes_tables(cloud):
    s3 = cloud.client("s3")
    for bucket in ("lake", "results"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="lake", Key="trips/day=2026-01-01/a.txt", Body=b"1\t12.5\tAda\n2\t\\N\tGrace, the \"second\"\n")
    s3.put_object(Bucket="lake", Key="trips/day=2026-01-02/a.txt", Body=b"3\t7.25\tZo\xc3\xab\n")
    cursor = connect(cloud, schema_name="default").cursor()
    cursor.execute("CREATE DATABASE IF NOT EXISTS town")
    cursor.execute("""
        CREATE EXTERNAL TABLE IF NOT EXISTS town.trips (id int, miles double, driver string COMMENT 'who drove')
        PARTITIONED BY (day string) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LOCATION 's3://lake/trips/'""")
    cursor.execute("MSCK REPAIR TABLE town.trips")
    assert one(cursor, "SELECT count(*) FROM town.trips") == (3,)


def cursors(cloud):
    cursor = connect(cloud).cursor()
    cursor.execute("SELECT id, miles, driver, day FROM trips ORDER BY id")
    assert [column[:2] for column in cursor.description] == [("id", "integer"), ("miles", "double"), ("driver", "varchar"), ("day", "varchar")]
    assert cursor.fetchone() == (1, 12.5, "Ada", "2026-01-01")
    assert cursor.fetchmany(1) == [(2, None, 'Grace, the "second"', "2026-01-01")]
    assert cursor.fetchall() == [(3, 7.25, "Zoë", "2026-01-02")] and cursor.fetchone() is None
    assert cursor.state == "SUCCEEDED" and cursor.query_id and cursor.database == "town"
    assert cursor.output_location == "s3://results/py/%s.csv" % cursor.query_id
    assert cursor.data_scanned_in_bytes > 0 and cursor.total_execution_time_in_millis >= cursor.engine_execution_time_in_millis
    assert cursor.statement_type == "DML" and cursor.substatement_type == "SELECT" and cursor.work_group == "primary"
    rows = connect(cloud).cursor(DictCursor).execute("SELECT id, driver FROM trips WHERE day = '2026-01-02'").fetchall()
    assert rows == [{"id": 3, "driver": "Zoë"}]


def types(cloud):
    row = one(connect(cloud).cursor(), """
        SELECT true, CAST(1 AS tinyint), CAST(2 AS smallint), 3, 4000000000, CAST(0.5 AS real), 1.5, CAST('1.50' AS decimal(5,2)), 'text',
               DATE '2026-01-12', TIMESTAMP '2026-01-12 08:14:32.250', ARRAY[1, 2], MAP(ARRAY['k'], ARRAY[1]), CAST(ROW(1, 'x') AS ROW(a int, b varchar)),
               X'0aff', CAST(NULL AS bigint), JSON '{"a":1}'""")
    assert row[:9] == (True, 1, 2, 3, 4000000000, 0.5, 1.5, decimal.Decimal("1.50"), "text"), row
    assert row[9:11] == (datetime.date(2026, 1, 12), datetime.datetime(2026, 1, 12, 8, 14, 32, 250000)), row
    assert row[14:16] == (b"\\x0a\\xff".decode("unicode_escape").encode("latin1"), None), row
    assert row[16] == {"a": 1}, row


def pages(cloud):
    cursor = connect(cloud).cursor()
    cursor.arraysize = 300
    rows = cursor.execute("SELECT n, n * n FROM UNNEST(sequence(1, 2500)) AS t(n)").fetchall()
    assert len(rows) == 2500 and rows[-1] == (2500, 6250000)
    seen = [row[0] for row in cursor.execute("SELECT n FROM UNNEST(sequence(1, 1001)) AS t(n)")]
    assert seen == list(range(1, 1002))


def parameters(cloud):
    cursor = connect(cloud).cursor()
    sql = "SELECT count(*) FROM trips WHERE driver = %(driver)s AND id < %(most)d AND day IN %(days)s"
    assert one(cursor, sql, {"driver": 'Grace, the "second"', "most": 5, "days": ["2026-01-01", "2026-01-02"]}) == (1,)
    assert one(cursor, "SELECT %(text)s, %(day)s, %(nothing)s", {"text": "it's", "day": datetime.date(2026, 1, 2), "nothing": None}) == (
        "it's", datetime.date(2026, 1, 2), None)
    rows = cursor.execute("SELECT id FROM trips WHERE day = ? AND miles > ?", ["'2026-01-01'", "10"], paramstyle="qmark").fetchall()
    assert rows == [(1,)], rows
    assert one(cursor, "SELECT ? || ?", ["'a'", "'b'"], paramstyle="qmark") == ("ab",)


def shows(cloud):
    cursor = connect(cloud).cursor()
    assert ("town",) in cursor.execute("SHOW DATABASES").fetchall()
    assert cursor.execute("SHOW TABLES IN town").fetchall() == [("trips",)]
    assert cursor.execute("SHOW PARTITIONS trips").fetchall() == [("day=2026-01-01",), ("day=2026-01-02",)]
    assert [row[0].strip() for row in cursor.execute("SHOW COLUMNS IN trips").fetchall()] == ["id", "miles", "driver", "day"]
    described = [row[0] for row in cursor.execute("DESCRIBE trips").fetchall()]
    assert [line.split("\t")[0].strip() for line in described[:4]] == ["id", "miles", "driver", "day"], described
    assert "who drove" in described[2], described
    assert "".join(row[0] for row in cursor.execute("SHOW CREATE TABLE trips").fetchall()).startswith("CREATE EXTERNAL TABLE `trips`")
    metadata = cursor.get_table_metadata("trips", schema_name="town")
    assert [column.name for column in metadata.columns] == ["id", "miles", "driver"] and metadata.partition_keys[0].name == "day"
    assert [table.name for table in cursor.list_table_metadata(schema_name="town")] == ["trips"]
    assert "town" in [database.name for database in cursor.list_databases("AwsDataCatalog")]


def writes(cloud):
    cursor = connect(cloud).cursor()
    cursor.execute("CREATE TABLE long_trips WITH (format = 'PARQUET', external_location = 's3://lake/long/') AS "
                   "SELECT id, miles FROM trips WHERE miles > 10")
    assert cursor.execute("SELECT * FROM long_trips").fetchall() == [(1, 12.5)]
    cursor.execute("INSERT INTO long_trips VALUES (9, 99.0), (10, 100.0)")
    assert cursor.rowcount == 2, cursor.rowcount
    assert one(cursor, "SELECT count(*), max(miles) FROM long_trips") == (3, 100.0)
    cursor.execute("CREATE OR REPLACE VIEW drivers AS SELECT DISTINCT driver FROM trips")
    assert one(cursor, "SELECT count(*) FROM drivers") == (3,)
    cursor.execute("DROP VIEW drivers")
    cursor.execute("DROP TABLE long_trips")
    assert cursor.execute("SHOW TABLES IN town").fetchall() == [("trips",)]


def failures(cloud):
    cursor = connect(cloud).cursor()
    for sql, text in (("SELECT * FROM absent", "TABLE_NOT_FOUND"), ("SELECT 1 / 0", "DIVISION_BY_ZERO"), ("SELEC 1", "mismatched input")):
        try:
            cursor.execute(sql)
        except (pyathena.error.OperationalError, pyathena.error.DatabaseError) as error:
            assert text in str(error), error
        else:
            raise AssertionError(sql)


LONG = "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 10000)) AS b(y) " \
       "CROSS JOIN UNNEST(sequence(1, 10000)) AS c(z) WHERE x + y + z = 7"


def cancels(cloud):
    cursor = connect(cloud).cursor()
    athena = cloud.client("athena")
    failed = []
    def long():
        try:
            cursor.execute(LONG)
        except pyathena.error.OperationalError as error:
            failed.append(str(error))
    thread = threading.Thread(target=long)
    thread.start()
    while not (cursor.query_id and athena.get_query_execution(QueryExecutionId=cursor.query_id)["QueryExecution"]["Status"]["State"] == "RUNNING"):
        thread.join(0.02)
    cursor.cancel()
    thread.join(30)
    assert not thread.is_alive() and "cancelled" in failed[0].lower(), failed


def at_once(cloud):
    cursor = connect(cloud, cursor_class=AsyncCursor).cursor(max_workers=8)
    queries = [cursor.execute("SELECT %d * 2, count(*) FROM trips" % i) for i in range(24)]
    assert [future.result().fetchall() for _, future in queries] == [[(i * 2, 3)] for i in range(24)]
    cursor.close()


def reuses(cloud):
    cursor = connect(cloud, result_reuse_enable=True, result_reuse_minutes=10).cursor()
    first = one(cursor, "SELECT sum(miles) FROM trips")
    assert cursor.reused_previous_result is False
    assert one(cursor, "SELECT sum(miles) FROM trips") == first and cursor.reused_previous_result is True


os.environ.update(AWS_DEFAULT_REGION="us-east-1")
cloud = Cloud()
run([makes_tables, cursors, types, pages, parameters, shows, writes, failures, cancels, at_once, reuses], cloud)
finish(cloud)
