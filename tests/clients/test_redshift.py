"""The Redshift Data API by boto3: statements in their states, batches, sessions, paging, loads, and what is refused.

What runs SQL is skipped without DuckDB (make duckdb)."""
import threading
import time
import uuid

from harness import Cloud, fails, finish, run
from redshift_client import TARGET, Warehouse, call

cloud = Cloud()
rs = cloud.client("redshift-data")
warehouse = Warehouse(rs)
wait, submit, records, sql, refused = (warehouse.wait, warehouse.submit, warehouse.records, warehouse.sql, warehouse.refused)


def statements():
    answer = submit("select 1 as a, 'x' as b, null::varchar as c, true as d, 1.50 as e, 2.5::float8 as f, date '2026-01-12' as g",
                    StatementName="first", DbUser="me")
    assert answer["WorkgroupName"] == "smartcity" and answer["Database"] == "dev" and answer["DbUser"] == "me"
    done = wait(answer["Id"])
    assert done["Status"] == "FINISHED" and done["HasResultSet"] and done["ResultRows"] == 1 and done["Duration"] > 0
    assert done["QueryString"].startswith("select 1 as a") and done["ResultFormat"] == "JSON"
    result = rs.get_statement_result(Id=answer["Id"])
    assert result["Records"] == [[{"longValue": 1}, {"stringValue": "x"}, {"isNull": True}, {"booleanValue": True},
                                  {"stringValue": "1.50"}, {"doubleValue": 2.5}, {"stringValue": "2026-01-12"}]]
    assert [c["typeName"] for c in result["ColumnMetadata"]] == ["int4", "varchar", "varchar", "bool", "numeric", "float8",
                                                                "date"], result["ColumnMetadata"]
    assert rs.list_statements(StatementName="fir")["Statements"][0]["Id"] == answer["Id"]
    error = fails("ResourceNotFoundException", 400, rs.describe_statement, Id=str(uuid.uuid4()))
    assert "Query does not exist." in str(error)
    fails("ValidationException", 400, rs.describe_statement, Id="x")
    fails("ValidationException", 400, rs.execute_statement, Sql="select 1", Database="dev")
    fails("ValidationException", 400, rs.execute_statement, Sql="select 1", WorkgroupName="smartcity")
    created = wait(submit("create table empty_one (a int)")["Id"])
    assert not created["HasResultSet"] and created["ResultRows"] == 0
    assert "does not have result" in str(fails("ValidationException", 400, rs.get_statement_result, Id=created["Id"]))


def errors():
    refused("select * from nowhere", 'ERROR: relation "nowhere" does not exist')
    refused("select nothing from empty_one", 'ERROR: column "nothing" does not exist')
    refused("selec 1", 'ERROR: syntax error at or near "selec"')
    refused("select 1/0", "ERROR: Divide by zero")
    refused("select nofunction(1)", "ERROR: function nofunction() does not exist")
    refused("create table empty_one (a int)", 'Relation "empty_one" already exists')
    refused("select 'x'::int", "invalid input syntax for integer")
    refused("select (1", "ERROR: syntax error at end of input")
    refused("select 1; select 2", "syntax error")


def tables():
    sql("""create table public.trips (
        id bigint identity(1, 1), road varchar(8) not null encode zstd distkey, started timestamp sortkey,
        price decimal(8,2) default 1.5, seen super, good boolean, primary key (id), unique (road))""")
    assert sql("insert into trips (road, started, seen) values ('A1', '2026-01-12 08:00:00', json_parse('{\"a\": [1]}')), "
               "('A2', null, null)") == 2
    assert sql("select id, road, started, price, seen from trips order by id") == [
        (1, "A1", "2026-01-12 08:00:00", "1.50", '{"a": [1]}'), (2, "A2", None, "1.50", None)]
    refused("insert into trips (road) values ('much too long')", "value too long for type character varying(8)")
    refused("insert into trips (road) values (null)", "Cannot insert a NULL value into column road")
    assert sql("update trips set good = true where road = 'A1'") == 1
    assert sql("select count(*), count(good) from dev.public.trips") == [(2, 1)]
    assert sql("select \"column\", type, encoding, distkey, sortkey, \"notnull\" from pg_table_def where tablename = 'trips'")[1:3] == [
        ("road", "character varying(8)", "zstd", True, 0, True), ("started", "timestamp without time zone", "none", False, 1, False)]
    assert sql("select diststyle, sortkey1, tbl_rows from svv_table_info where \"table\" = 'trips'")[0][:2] == ("KEY(road)", "started")
    described = rs.describe_table(Table="trips", Schema="public", **TARGET)
    assert [(c["name"], c["typeName"], c["nullable"]) for c in described["ColumnList"]][:3] == [
        ("id", "int8", 0), ("road", "varchar", 0), ("started", "timestamp", 1)]
    assert described["ColumnList"][1]["length"] == 8
    sql("create schema lake")
    sql("create table lake.copy_of_trips distkey(road) as select road, sum(id) as ids, avg(id) from trips group by 1")
    assert sql("select * from lake.copy_of_trips order by road") == [("A1", 1, 1), ("A2", 2, 2)]
    sql("select road into temp away from trips")
    sql("create view lake.roads as select distinct road from public.trips with no schema binding")
    assert "lake" in rs.list_schemas(**TARGET)["Schemas"]
    assert rs.list_schemas(SchemaPattern="pub%", **TARGET)["Schemas"] == ["public"]
    assert rs.list_tables(SchemaPattern="lake", **TARGET)["Tables"] == [
        {"schema": "lake", "name": "copy_of_trips", "type": "TABLE"}, {"schema": "lake", "name": "roads", "type": "VIEW"}]
    page = rs.list_tables(MaxResults=1, SchemaPattern="lake", **TARGET)
    assert rs.list_tables(MaxResults=1, SchemaPattern="lake", NextToken=page["NextToken"], **TARGET)["Tables"][0]["name"] == "roads"
    assert rs.list_databases(**TARGET)["Databases"] == ["dev"]
    sql("alter table trips add column note varchar(20)")
    sql("alter table trips rename column note to remark")
    sql("alter table trips drop column remark")
    sql("truncate trips")
    sql("drop table if exists lake.copy_of_trips, missing cascade")
    sql("vacuum")
    sql("grant all on trips to public")


def paging():
    done = wait(submit("select * from generate_series(1, 2500)")["Id"])
    page = rs.get_statement_result(Id=done["Id"])
    assert len(page["Records"]) == 1000 and page["TotalNumRows"] == 2500 and "NextToken" in page
    assert [r[0] for r in records(done["Id"])] == list(range(1, 2501))
    fails("ValidationException", 400, rs.get_statement_result, Id=done["Id"], NextToken="99")


def csv():
    answer = submit("select 1 as a, 'x,\"y' as b, null as c union all select 2, 'z', '' order by a", ResultFormat="CSV")
    done = wait(answer["Id"])
    assert done["ResultFormat"] == "CSV"
    result = rs.get_statement_result_v2(Id=answer["Id"])
    assert result["Records"] == [{"CSVRecords": '1,"x,""y",\r\n2,z,""\r\n'}], result["Records"]
    assert result["ResultFormat"] == "CSV" and result["TotalNumRows"] == 2
    fails("ValidationException", 400, rs.get_statement_result, Id=answer["Id"])


def parameters():
    P = [{"name": "road", "value": "A'1"}, {"name": "n", "value": "5"}]
    sql("create table parameters (road varchar(10), n int)")
    sql("insert into parameters values (:road, :n)", Parameters=P)
    assert sql("select n from parameters where road = :road and n = :n and ':n' <> 'x' -- :other", Parameters=P) == [(5,)]
    error = fails("ValidationException", 400, submit, "select :missing")
    assert "Cannot find parameter: missing" in str(error)
    error = fails("ValidationException", 400, submit, "select 1", Parameters=P[:1])
    assert "unused parameters. Unused parameters: [road]" in str(error)


def batches():
    sql("create table batch (a int)")
    answer = rs.batch_execute_statement(Sqls=["insert into batch values (1)", "insert into batch values (2), (3)",
                                              "select count(*) from batch"], **TARGET)
    done = wait(answer["Id"])
    assert done["Status"] == "FINISHED" and done["HasResultSet"]
    assert [s["Status"] for s in done["SubStatements"]] == ["FINISHED"] * 3
    assert [s["ResultRows"] for s in done["SubStatements"]] == [1, 2, 1]
    assert [s["Id"] for s in done["SubStatements"]] == ["%s:%d" % (answer["Id"], n) for n in (1, 2, 3)]
    assert records(answer["Id"] + ":3") == [(3,)]
    assert rs.describe_statement(Id=answer["Id"] + ":2")["ResultRows"] == 2
    fails("ValidationException", 400, rs.get_statement_result, Id=answer["Id"])
    done = wait(rs.batch_execute_statement(Sqls=["insert into batch values (4)", "insert into batch values ('x')",
                                                 "insert into batch values (5)"], **TARGET)["Id"])
    assert done["Status"] == "FAILED" and "invalid input syntax" in done["Error"]
    assert [s["Status"] for s in done["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert sql("select max(a) from batch") == [(3,)]
    assert rs.list_statements(Status="FAILED")["Statements"][0]["IsBatchStatement"]


def sessions():
    first = submit("create temp table mine (a int)", SessionKeepAliveSeconds=60)
    wait(first["Id"])
    session = first["SessionId"]
    sql("insert into mine values (7)", SessionId=session)
    sql("create table #other as select a + 1 as b from mine", SessionId=session)
    assert sql("select b from #other", SessionId=session) == [(8,)]
    refused("select * from mine", 'relation "mine" does not exist')
    sql("begin", SessionId=session)
    sql("insert into batch values (100)", SessionId=session)
    assert sql("select count(*) from batch where a = 100") == [(0,)]
    sql("rollback", SessionId=session)
    assert sql("select count(*) from batch where a = 100") == [(0,)]
    fails("ValidationException", 400, submit, "select 1", SessionId=str(uuid.uuid4()))
    fails("ValidationException", 400, rs.execute_statement, Sql="select 1", SessionId=session, Database="dev")


def listed_sessions():
    first = submit("create temp table t (a int)", SessionKeepAliveSeconds=1)
    status, answer = call(cloud, "ListSessions", SessionId=first["SessionId"])
    session = answer["Sessions"][0]
    assert status == 200 and session["Status"] in ("AVAILABLE", "BUSY") and session["SessionAliveSeconds"] == 1, answer
    assert session["Database"] == "dev" and session["WorkgroupName"] == "smartcity" and session["CreatedAt"] > 1e9
    wait(first["Id"])
    other = submit("select 1", SessionKeepAliveSeconds=600)
    for _ in range(200):
        closed = call(cloud, "ListSessions", Status="CLOSED")[1]["Sessions"]
        if any(s["SessionId"] == first["SessionId"] for s in closed):
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the session does not end")
    fails("ValidationException", 400, submit, "select 1", SessionId=first["SessionId"])
    open_now = [s["SessionId"] for s in call(cloud, "ListSessions", WorkgroupName="smartcity")[1]["Sessions"]]
    assert other["SessionId"] in open_now and first["SessionId"] not in open_now
    page = call(cloud, "ListSessions", MaxResults=1)[1]
    assert len(page["Sessions"]) == 1 and len(open_now) > 1
    assert call(cloud, "ListSessions", MaxResults=1, NextToken=page["NextToken"])[1]["Sessions"] != page["Sessions"]
    assert call(cloud, "ListSessions", Status="NO")[1]["__type"] == "ValidationException"
    assert call(cloud, "ListSessions", SessionId=first["SessionId"], Status="BUSY")[0] == 400


def waiting():
    """WaitTimeSeconds: an answer as soon as there is one."""
    slow = "select count(*) from generate_series(1, 30000) a, generate_series(1, 3000) b"
    begun = time.time()
    status, answer = call(cloud, "ExecuteStatement", Sql=slow, **TARGET)
    status, answer = call(cloud, "DescribeStatement", Id=answer["Id"], WaitTimeSeconds=30)
    assert answer["Status"] == "FINISHED" and time.time() - begun < 29, answer
    status, answer = call(cloud, "ExecuteStatement", Sql=slow, WaitTimeSeconds=30, **TARGET)
    assert status == 200 and answer["Status"] == "FINISHED" and answer["HasResultSet"], answer
    answer = call(cloud, "BatchExecuteStatement", Sqls=["selec 1"], WaitTimeSeconds=30, **TARGET)[1]
    assert answer["Status"] == "FAILED"
    answer = call(cloud, "ExecuteStatement", Sql=slow, **TARGET)[1]
    answer = call(cloud, "GetStatementResult", Id=answer["Id"], WaitTimeSeconds=30)[1]
    assert answer["Records"] == [[{"longValue": 90000000}]], answer


def auto_commit():
    answer = call(cloud, "BatchExecuteStatement", ExecutionMode="AUTO_COMMIT", Sqls=[
        "insert into batch values (70)", "insert into batch values ('x')", "insert into batch values (71)"], **TARGET)[1]
    done = wait(answer["Id"])
    assert [s["Status"] for s in done["SubStatements"]] == ["FINISHED", "FAILED", "FINISHED"], done["SubStatements"]
    assert sql("select a from batch where a >= 70 order by 1") == [(70,), (71,)]
    done = warehouse.batch(["insert into batch values (80)", "commit"])
    assert done["Status"] == "FAILED" and "one transaction" in done["Error"]
    assert sql("select count(*) from batch where a = 80") == [(0,)]


def tokens():
    token = str(uuid.uuid4())
    first = submit("insert into batch values (50)", ClientToken=token)
    again = submit("insert into batch values (50)", ClientToken=token)
    assert first["Id"] == again["Id"]
    wait(first["Id"])
    assert sql("select count(*) from batch where a = 50") == [(1,)]
    fails("ValidationException", 400, submit, "insert into batch values (51)", ClientToken=token)


def side_by_side():
    """Clients at once: writers follow each other, readers see whole transactions only."""
    sql("create table shared (client int, n int)")
    failed = []

    def client(number):
        own = Warehouse(cloud.client("redshift-data", validate=False))
        try:
            for n in range(6):
                done = own.batch(["insert into shared values (%d, %d)" % (number, n)] * 2)
                assert done["Status"] == "FINISHED", done.get("Error")
                assert own.sql("select count(*) % 2 from shared") == [(0,)]
        except Exception as error:
            failed.append(error)

    clients = [threading.Thread(target=client, args=(n,)) for n in range(8)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert not failed, failed
    assert sql("select count(*), count(distinct client) from shared") == [(96, 8)]


def stopped_while_running():
    """A stop ends what runs, and what was asked for is still known afterwards."""
    other = Cloud()
    own = Warehouse(other.client("redshift-data"))
    assert own.sql("create table kept (a int)") == 0
    slow = own.submit("select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b, generate_series(1, 1000) c")
    waiting = [own.submit("insert into kept values (%d)" % n)["Id"] for n in range(20)]
    time.sleep(0.1)
    begun = time.time()
    other.stop()
    assert time.time() - begun < 20
    other = Cloud(other.folder)
    own.client = other.client("redshift-data")
    assert own.wait(slow["Id"])["Status"] in ("ABORTED", "FAILED")
    ended = [own.wait(id)["Status"] for id in waiting]
    assert set(ended) <= {"FINISHED", "ABORTED", "FAILED"}
    assert own.sql("select count(*) from kept") == [(ended.count("FINISHED"),)]
    other.stop()


def cancel():
    answer = submit("select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b, generate_series(1, 1000) c")
    time.sleep(0.2)
    assert rs.cancel_statement(Id=answer["Id"])["Status"]
    assert wait(answer["Id"])["Status"] == "ABORTED"
    fails("ValidationException", 400, rs.cancel_statement, Id=answer["Id"])


def nothing_gets_out():
    for text in ("select * from read_text('/etc/passwd')", "select * from read_csv('/etc/passwd')", "select * from '/etc/passwd'",
                 "select * from \"/etc/passwd\"", "select * from batch, '/etc/passwd'", "attach '/tmp/x.db'", "install httpfs",
                 "load httpfs", "copy batch to '/tmp/out'", "export database '/tmp/out'", "pragma database_list",
                 "set enable_external_access = true; select 1", "select getenv('HOME')", "select * from duckdb_settings()",
                 "select * from duckdb_tables", "select * from _redshift.loads", "drop table _redshift.loads",
                 "select '/etc/passwd'.read_text()", "select * from glob('*')", "select * from query('select 1')",
                 "create table x as select * from read_blob('/etc/passwd')", "call pragma_version()", "select [1]",
                 "insert into batch select * from read_parquet('/etc/passwd')", "create macro f() as 1",
                 "create view v as from read_text('/etc/passwd')", "describe batch", "from batch", "select columns('a') from batch",
                 "unload ('select * from read_text(''/etc/passwd'')') to 's3://lake/x' iam_role default",
                 "select \"read_text\"('/etc/passwd')", "select batch.read_text('/etc/passwd') from batch", "checkpoint",
                 "create secret (type s3)", "select * from (select * from read_text('/etc/passwd')) t",
                 "update batch set a = (select size from read_text('/etc/passwd'))"):
        refused(text, "ERROR: ")


TESTS = [statements, errors, tables, paging, csv, parameters, batches, sessions, listed_sessions, waiting, auto_commit, tokens, side_by_side, stopped_while_running, cancel, nothing_gets_out]

if warehouse.is_here():
    run(TESTS)
else:
    print("ok 1 - needs DuckDB # SKIP make duckdb")
finish(cloud)
