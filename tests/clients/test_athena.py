"""Athena by boto3: work groups, saved queries, the life of executions, results, limits; every answer is held against the model."""
import io
import random as random_module
import time
import uuid

import pyarrow
import pyarrow.parquet

from harness import Cloud, fails, finish, run

RESULTS = "s3://results/q/"


def refused(code, call, *arguments, **keywords):
    """InvalidRequestException with this AthenaErrorCode; its message."""
    error = fails("InvalidRequestException", 400, call, *arguments, **keywords)
    assert error.response.get("AthenaErrorCode") == code, error.response
    return error.response["Error"]["Message"]


def wait(athena, id):
    while True:
        execution = athena.get_query_execution(QueryExecutionId=id)["QueryExecution"]
        if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return execution
        time.sleep(0.01)


def start(athena, sql, **more):
    more.setdefault("ResultConfiguration", {"OutputLocation": RESULTS})
    return athena.start_query_execution(QueryString=sql, **more)["QueryExecutionId"]


def query(athena, sql, **more):
    """Runs it to its end, which must be success; the description."""
    execution = wait(athena, start(athena, sql, **more))
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    return execution


def rows(athena, execution, **more):
    answer = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"], **more)
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]


def select(athena, sql, **more):
    return rows(athena, query(athena, sql, **more))[1:]


def make_table(cloud, files=2, count=1000):
    """city.gps: partitions dt=2026-01-01 and on, a file each."""
    s3, glue = cloud.client("s3"), cloud.client("glue")
    s3.create_bucket(Bucket="lake")
    s3.create_bucket(Bucket="results")
    glue.create_database(DatabaseInput={"Name": "city", "Description": "all of it", "Parameters": {"a": "b"}})
    parquet = {"InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
               "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
               "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"}}
    storage = dict(parquet, Location="s3://lake/gps/", Columns=[{"Name": "id", "Type": "bigint"}, {"Name": "speed", "Type": "double"},
                                                               {"Name": "device_id", "Type": "string", "Comment": "which"}])
    glue.create_table(DatabaseName="city", TableInput={"Name": "gps", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage,
                                                       "PartitionKeys": [{"Name": "dt", "Type": "string"}],
                                                       "Parameters": {"classification": "parquet"}})
    for i in range(files):
        day = "2026-01-%02d" % (i + 1)
        first = i * count
        table = pyarrow.table({"id": range(first, first + count), "speed": [float(n % 97) + 0.25 for n in range(count)],
                               "device_id": ["device-%d" % (n % 10) for n in range(count)]})
        out = io.BytesIO()
        pyarrow.parquet.write_table(table, out, row_group_size=max(1, count // 4), compression="zstd")
        s3.put_object(Bucket="lake", Key="gps/dt=%s/part.parquet" % day, Body=out.getvalue())
        glue.create_partition(DatabaseName="city", TableName="gps", PartitionInput={
            "Values": [day], "StorageDescriptor": dict(storage, Location="s3://lake/gps/dt=%s/" % day)})


def workgroups(cloud):
    athena = cloud.client("athena")
    primary = athena.get_work_group(WorkGroup="primary")["WorkGroup"]
    assert primary["State"] == "ENABLED" and primary["Configuration"]["EnforceWorkGroupConfiguration"] is False
    assert primary["Configuration"]["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    athena.create_work_group(Name="team", Description="ours", Tags=[{"Key": "a", "Value": "1"}], Configuration={
        "ResultConfiguration": {"OutputLocation": "s3://results/team/"}, "BytesScannedCutoffPerQuery": 10000000})
    team = athena.get_work_group(WorkGroup="team")["WorkGroup"]
    assert team["Description"] == "ours" and team["Configuration"]["EnforceWorkGroupConfiguration"] is True
    assert team["Configuration"]["BytesScannedCutoffPerQuery"] == 10000000
    assert "already created" in refused("INVALID_INPUT", athena.create_work_group, Name="team")
    assert "is not found" in refused("INVALID_INPUT", athena.get_work_group, WorkGroup="absent")
    refused("INVALID_INPUT", athena.create_work_group, Name="bad", Configuration={"ResultConfiguration": {"OutputLocation": "/etc"}})
    refused("INVALID_INPUT", athena.create_work_group, Name="bad", Configuration={"ManagedQueryResultsConfiguration": {"Enabled": True}})
    names = [item["Name"] for item in athena.list_work_groups()["WorkGroups"]]
    assert names == ["primary", "team"], names
    page = athena.list_work_groups(MaxResults=1)
    assert [item["Name"] for item in athena.list_work_groups(NextToken=page["NextToken"])["WorkGroups"]] == ["team"]
    athena.update_work_group(WorkGroup="team", Description="theirs", ConfigurationUpdates={
        "ResultConfigurationUpdates": {"RemoveOutputLocation": True}, "RemoveBytesScannedCutoffPerQuery": True,
        "EnforceWorkGroupConfiguration": False})
    team = athena.get_work_group(WorkGroup="team")["WorkGroup"]
    assert team["Description"] == "theirs" and team["Configuration"]["ResultConfiguration"] == {}
    assert "BytesScannedCutoffPerQuery" not in team["Configuration"]
    refused("INVALID_INPUT", athena.delete_work_group, WorkGroup="primary")
    arn = "arn:aws:athena:%s:000000000000:workgroup/team" % cloud.region
    assert athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    athena.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    fails("ResourceNotFoundException", 400, athena.list_tags_for_resource, ResourceARN=arn + "x")
    versions = [item["SelectedEngineVersion"] for item in athena.list_engine_versions()["EngineVersions"]]
    assert versions == ["AUTO", "Athena engine version 3"]


def workgroups_rule_queries(cloud):
    athena, s3 = cloud.client("athena"), cloud.client("s3")
    assert "No output location provided" in refused("INVALID_INPUT", athena.start_query_execution, QueryString="SELECT 1")
    assert "is not found" in refused("INVALID_INPUT", start, athena, "SELECT 1", WorkGroup="absent")
    athena.create_work_group(Name="strict", Configuration={"ResultConfiguration": {"OutputLocation": "s3://results/strict"}})
    done = query(athena, "SELECT 1", WorkGroup="strict")  # asks for RESULTS
    assert done["ResultConfiguration"]["OutputLocation"] == "s3://results/strict/%s.csv" % done["QueryExecutionId"]
    assert done["WorkGroup"] == "strict"
    s3.head_object(Bucket="results", Key="strict/%s.csv" % done["QueryExecutionId"])
    assert athena.list_query_executions(WorkGroup="strict")["QueryExecutionIds"] == [done["QueryExecutionId"]]
    athena.update_work_group(WorkGroup="strict", State="DISABLED")
    assert "disabled" in refused("INVALID_INPUT", start, athena, "SELECT 1", WorkGroup="strict")
    assert "not empty" in refused("INVALID_INPUT", athena.delete_work_group, WorkGroup="strict")
    athena.delete_work_group(WorkGroup="strict", RecursiveDeleteOption=True)
    refused("INVALID_INPUT", athena.get_work_group, WorkGroup="strict")
    refused("QUERY_EXECUTION_NOT_FOUND", athena.get_query_execution, QueryExecutionId=done["QueryExecutionId"])


def named_queries(cloud):
    athena = cloud.client("athena")
    token = str(uuid.uuid4())
    asked = {"Name": "one", "Database": "city", "QueryString": "SELECT 1", "Description": "first", "ClientRequestToken": token}
    id = athena.create_named_query(**asked)["NamedQueryId"]
    assert athena.create_named_query(**asked)["NamedQueryId"] == id
    refused("IDEMPOTENT_PARAMETER_MISMATCH", athena.create_named_query, **dict(asked, Name="two"))
    kept = athena.get_named_query(NamedQueryId=id)["NamedQuery"]
    assert kept == {"Name": "one", "Database": "city", "QueryString": "SELECT 1", "Description": "first", "NamedQueryId": id,
                    "WorkGroup": "primary"}
    athena.update_named_query(NamedQueryId=id, Name="uno", QueryString="SELECT 2")
    assert athena.get_named_query(NamedQueryId=id)["NamedQuery"]["QueryString"] == "SELECT 2"
    other = athena.create_named_query(Name="x", Database="city", QueryString="SELECT 3")["NamedQueryId"]
    listed = [i for page in athena.get_paginator("list_named_queries").paginate(PaginationConfig={"PageSize": 1})
              for i in page["NamedQueryIds"]]
    assert sorted(listed) == sorted([id, other])
    batch = athena.batch_get_named_query(NamedQueryIds=[id, "absent"])
    assert [item["Name"] for item in batch["NamedQueries"]] == ["uno"]
    assert [item["NamedQueryId"] for item in batch["UnprocessedNamedQueryIds"]] == ["absent"]
    athena.delete_named_query(NamedQueryId=id)
    refused("NAMED_QUERY_NOT_FOUND", athena.get_named_query, NamedQueryId=id)
    refused("INVALID_INPUT", athena.create_named_query, Name="x", Database="d", QueryString="SELECT 1", WorkGroup="absent")


def prepared_statements(cloud):
    athena = cloud.client("athena")
    key = {"StatementName": "by_id", "WorkGroup": "primary"}
    athena.create_prepared_statement(QueryStatement="SELECT ? + 1, ?", Description="d", **key)
    refused("INVALID_INPUT", athena.create_prepared_statement, QueryStatement="SELECT 1", **key)
    refused("MALFORMED_QUERY", athena.create_prepared_statement, StatementName="bad", WorkGroup="primary", QueryStatement="SELEC 1")
    kept = athena.get_prepared_statement(**key)["PreparedStatement"]
    assert kept["QueryStatement"] == "SELECT ? + 1, ?" and kept["WorkGroupName"] == "primary" and kept["Description"] == "d"
    assert select(athena, "EXECUTE by_id USING 41, 'a ''quoted'' text'") == [["42", "a 'quoted' text"]]
    assert select(athena, "EXECUTE by_id", ExecutionParameters=["1", "DATE '2026-01-02'"]) == [["2", "2026-01-02"]]
    assert select(athena, "SELECT ?, ? /* ? */ FROM (VALUES (1)) LIMIT ?", ExecutionParameters=["-3", "'?'", "1"]) == [["-3", "?"]]
    failed = wait(athena, start(athena, "EXECUTE by_id USING 1"))
    assert failed["Status"]["StateChangeReason"] == "INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected 2 but found 1"
    failed = wait(athena, start(athena, "EXECUTE nothing USING 1"))
    assert failed["Status"]["StateChangeReason"].startswith("NOT_FOUND"), failed["Status"]
    refused("MALFORMED_QUERY", start, athena, "SELECT ?", ExecutionParameters=["1, 2"])
    refused("MALFORMED_QUERY", start, athena, "SELECT ?", ExecutionParameters=["1) UNION (SELECT 2"])
    athena.update_prepared_statement(QueryStatement="SELECT 7", **key)
    assert select(athena, "EXECUTE by_id") == [["7"]]
    query(athena, "PREPARE second FROM SELECT ? * 2")
    assert select(athena, "EXECUTE second USING 4") == [["8"]]
    names = [item["StatementName"] for item in athena.list_prepared_statements(WorkGroup="primary")["PreparedStatements"]]
    assert names == ["by_id", "second"], names
    batch = athena.batch_get_prepared_statement(PreparedStatementNames=["second", "absent"], WorkGroup="primary")
    assert batch["PreparedStatements"][0]["QueryStatement"] == "SELECT ? * 2"
    assert batch["UnprocessedPreparedStatementNames"][0]["StatementName"] == "absent"
    query(athena, "DEALLOCATE PREPARE second")
    fails("ResourceNotFoundException", 400, athena.get_prepared_statement, StatementName="second", WorkGroup="primary")
    athena.delete_prepared_statement(**key)
    fails("ResourceNotFoundException", 400, athena.delete_prepared_statement, **key)


def metadata(cloud):
    athena = cloud.client("athena")
    catalogs = athena.list_data_catalogs()["DataCatalogsSummary"]
    assert [(item["CatalogName"], item["Type"]) for item in catalogs] == [("AwsDataCatalog", "GLUE")]
    assert athena.get_data_catalog(Name="AwsDataCatalog")["DataCatalog"]["Parameters"] == {"catalog-id": "000000000000"}
    assert athena.get_database(CatalogName="AwsDataCatalog", DatabaseName="city")["Database"] == {
        "Name": "city", "Description": "all of it", "Parameters": {"a": "b"}}
    fails("MetadataException", 400, athena.get_database, CatalogName="AwsDataCatalog", DatabaseName="absent")
    assert "city" in [item["Name"] for item in athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]]
    table = athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="city", TableName="gps")["TableMetadata"]
    assert [column["Name"] for column in table["Columns"]] == ["id", "speed", "device_id"]
    assert table["Columns"][2] == {"Name": "device_id", "Type": "string", "Comment": "which"}
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}] and table["TableType"] == "EXTERNAL_TABLE"
    assert table["Parameters"]["location"] == "s3://lake/gps/" and table["Parameters"]["classification"] == "parquet"
    fails("MetadataException", 400, athena.get_table_metadata, CatalogName="AwsDataCatalog", DatabaseName="city", TableName="no")
    listed = athena.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="city", Expression="g.*")["TableMetadataList"]
    assert [item["Name"] for item in listed] == ["gps"]
    assert athena.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="city", Expression="x")["TableMetadataList"] == []
    refused("INVALID_INPUT", athena.get_database, CatalogName="other", DatabaseName="city")


def message(data):
    """A protobuf message as (field, number or bytes)."""
    fields, at = [], 0
    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        key = varint()
        value = varint()
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        fields.append((key >> 3, value))
    return fields


def life(cloud):
    athena, s3 = cloud.client("athena"), cloud.client("s3")
    done = query(athena, "SELECT device_id, count(*) AS n FROM gps WHERE dt = '2026-01-01' GROUP BY 1 ORDER BY 1",
                 QueryExecutionContext={"Database": "city", "Catalog": "AwsDataCatalog"})
    id = done["QueryExecutionId"]
    assert done["StatementType"] == "DML" and done["SubstatementType"] == "SELECT" and done["WorkGroup"] == "primary"
    assert done["ResultConfiguration"]["OutputLocation"] == RESULTS + id + ".csv"
    assert done["QueryExecutionContext"] == {"Database": "city", "Catalog": "awsdatacatalog"}
    assert done["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    statistics = done["Statistics"]
    assert statistics["DataScannedInBytes"] > 0 and statistics["ResultReuseInformation"] == {"ReusedPreviousResult": False}
    for name in ("EngineExecutionTimeInMillis", "QueryQueueTimeInMillis", "QueryPlanningTimeInMillis", "ServiceProcessingTimeInMillis"):
        assert 0 <= statistics[name] <= statistics["TotalExecutionTimeInMillis"], (name, statistics)
    answer = athena.get_query_results(QueryExecutionId=id)
    assert rows(athena, done)[:2] == [["device_id", "n"], ["device-0", "100"]]
    columns = answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(c["Name"], c["Type"], c["Precision"], c["CatalogName"]) for c in columns] == [
        ("device_id", "varchar", 2147483647, "hive"), ("n", "bigint", 19, "hive")]
    assert answer["UpdateCount"] == 0
    body = s3.get_object(Bucket="results", Key="q/%s.csv" % id)["Body"].read().decode()
    assert body.startswith('"device_id","n"\n"device-0","100"\n') and body.count("\n") == 11
    fields = message(s3.get_object(Bucket="results", Key="q/%s.csv.metadata" % id)["Body"].read())
    assert [number for number, _ in fields] == [1, 4, 4] and len(fields[0][1].split(b"_")) == 4, fields
    assert message(fields[1][1]) == [(1, b"hive"), (4, b"device_id"), (5, b"device_id"), (6, b"varchar"), (7, 2147483647), (9, 3), (10, 1)]
    assert message(fields[2][1]) == [(1, b"hive"), (4, b"n"), (5, b"n"), (6, b"bigint"), (7, 19), (9, 3)]
    runtime = athena.get_query_runtime_statistics(QueryExecutionId=id)["QueryRuntimeStatistics"]
    assert runtime["Rows"]["OutputRows"] == 10 and runtime["Rows"]["InputBytes"] == statistics["DataScannedInBytes"]
    assert runtime["Rows"]["OutputBytes"] == len(body) and "TotalExecutionTimeInMillis" in runtime["Timeline"]
    batch = athena.batch_get_query_execution(QueryExecutionIds=[id, "absent"])
    assert batch["QueryExecutions"] == [done]
    assert batch["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"] == "absent"
    assert athena.list_query_executions(MaxResults=1)["QueryExecutionIds"] == [id]
    athena.stop_query_execution(QueryExecutionId=id)  # an ended one may be stopped
    assert athena.get_query_execution(QueryExecutionId=id)["QueryExecution"] == done
    for call in (athena.get_query_execution, athena.get_query_results, athena.stop_query_execution):
        refused("QUERY_EXECUTION_NOT_FOUND", call, QueryExecutionId="absent")


def pages(cloud):
    athena = cloud.client("athena")
    done = query(athena, "SELECT n, CASE WHEN n % 2 = 0 THEN 'a,\n\"b\"' END AS t, '' AS e FROM "
                         "UNNEST(sequence(1, 2500)) AS s(n) ORDER BY n")
    collected = [[cell.get("VarCharValue") for cell in row["Data"]]
                 for page in athena.get_paginator("get_query_results").paginate(
                     QueryExecutionId=done["QueryExecutionId"], PaginationConfig={"PageSize": 700})
                 for row in page["ResultSet"]["Rows"]]
    assert len(collected) == 2501 and collected[0] == ["n", "t", "e"]
    assert collected[1] == ["1", None, ""] and collected[2500] == ["2500", 'a,\n"b"', ""]
    first = athena.get_query_results(QueryExecutionId=done["QueryExecutionId"])
    assert len(first["ResultSet"]["Rows"]) == 1000 and first["NextToken"]
    for bad in ({"MaxResults": 1001}, {"NextToken": "x"}):
        refused("INVALID_INPUT", athena.get_query_results, QueryExecutionId=done["QueryExecutionId"], **bad)
    cloud.client("s3").delete_object(Bucket="results", Key="q/%s.csv" % done["QueryExecutionId"])
    refused("RESULT_NOT_FOUND", athena.get_query_results, QueryExecutionId=done["QueryExecutionId"])


def failures_are_told(cloud):
    athena = cloud.client("athena")
    before = athena.list_query_executions()["QueryExecutionIds"]
    message = refused("MALFORMED_QUERY", start, athena, "SELEC 1")
    assert message.startswith("line 1:1: mismatched input 'SELEC'"), message
    assert athena.list_query_executions()["QueryExecutionIds"] == before
    for sql, kind, type in (("SELECT * FROM city.absent", "TABLE_NOT_FOUND", 1301), ("SELECT absent FROM city.gps", "COLUMN_NOT_FOUND", 1006),
                            ("SELECT 1 / 0", "DIVISION_BY_ZERO", 1001), ("SELECT no_function(1)", "FUNCTION_NOT_FOUND", 1303),
                            ("SELECT CAST('x' AS integer)", "INVALID_CAST_ARGUMENT", 1100)):
        failed = wait(athena, start(athena, sql))
        status = failed["Status"]
        assert status["State"] == "FAILED" and status["StateChangeReason"].startswith(kind + ": "), status
        assert status["AthenaError"]["ErrorCategory"] == 2 and status["AthenaError"]["ErrorType"] == type, status
        assert status["AthenaError"]["Retryable"] is False and status["CompletionDateTime"] >= status["SubmissionDateTime"]
        message = refused("INVALID_QUERY_EXECUTION_STATE", athena.get_query_results, QueryExecutionId=failed["QueryExecutionId"])
        assert message == "Query did not finish successfully. Final query state: FAILED"
    failed = wait(athena, start(athena, "SELECT 1", ResultConfiguration={"OutputLocation": "s3://no-such-bucket/"}))
    assert failed["Status"]["State"] == "FAILED" and "no-such-bucket" in failed["Status"]["StateChangeReason"]
    refused("INVALID_INPUT", start, athena, "SELECT 1", ResultConfiguration={"OutputLocation": "/etc/passwd"})
    refused("INVALID_INPUT", start, athena, "SELECT 1", QueryExecutionContext={"Catalog": "other"})


def tokens(cloud):
    athena = cloud.client("athena")
    token = "t" * 32
    id = start(athena, "SELECT 5", ClientRequestToken=token)
    assert start(athena, "SELECT 5", ClientRequestToken=token) == id
    refused("IDEMPOTENT_PARAMETER_MISMATCH", start, athena, "SELECT 6", ClientRequestToken=token)
    refused("IDEMPOTENT_PARAMETER_MISMATCH", start, athena, "SELECT 5", ClientRequestToken=token,
            ResultConfiguration={"OutputLocation": "s3://results/other/"})
    wait(athena, id)
    assert start(athena, "SELECT 5", ClientRequestToken=token) == id


def reuse(cloud):
    athena = cloud.client("athena")
    how = {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}},
           "QueryExecutionContext": {"Database": "city"}}
    sql = "SELECT max(speed) FROM gps"
    first = query(athena, sql, **how)
    assert first["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"] is False
    second = query(athena, sql, **how)
    assert second["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"] is True
    assert second["Statistics"]["DataScannedInBytes"] == 0
    assert second["QueryExecutionId"] != first["QueryExecutionId"] and rows(athena, second) == rows(athena, first)
    for other in (query(athena, sql + " ", **how), query(athena, sql, QueryExecutionContext={"Database": "city"}),
                  query(athena, sql, ResultConfiguration={"OutputLocation": "s3://results/elsewhere/"}, **how)):
        assert other["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"] is False
    key = first["ResultConfiguration"]["OutputLocation"][len("s3://results/"):]
    cloud.client("s3").delete_object(Bucket="results", Key=key)
    again = query(athena, "SELECT max(speed) FROM gps", **how)
    assert rows(athena, again) == [["_col0"], ["96.25"]]


def scans(cloud):
    """Bytes as the files themselves tell them; a work group's limit."""
    athena, s3 = cloud.client("athena"), cloud.client("s3")
    context = {"QueryExecutionContext": {"Database": "city"}}
    chunks = {}
    for day in ("2026-01-01", "2026-01-02"):
        body = s3.get_object(Bucket="lake", Key="gps/dt=%s/part.parquet" % day)["Body"].read()
        metadata = pyarrow.parquet.ParquetFile(io.BytesIO(body)).metadata
        for group in range(metadata.num_row_groups):
            for i in range(metadata.num_columns):
                column = metadata.row_group(group).column(i)
                chunks[day, group, column.path_in_schema] = column.total_compressed_size
    def total(**where):
        return sum(size for (day, group, name), size in chunks.items()
                   if day in where.get("days", (day,)) and group in where.get("groups", (group,)) and name in where["columns"])
    def scanned(sql):
        return query(athena, sql, **context)["Statistics"]["DataScannedInBytes"]
    assert scanned("SELECT avg(speed) FROM gps") == total(columns=["speed"])
    assert scanned("SELECT avg(speed) FROM gps WHERE dt = '2026-01-02'") == total(columns=["speed"], days=["2026-01-02"])
    assert scanned("SELECT avg(speed) FROM gps WHERE dt = '2026-01-02' AND id < 1100") == total(
        columns=["speed", "id"], days=["2026-01-02"], groups=[0])
    assert scanned("SELECT * FROM gps") == total(columns=["speed", "id", "device_id"])
    assert scanned("SELECT avg(speed) FROM gps WHERE dt = '2030-01-01'") == 0
    assert scanned("SELECT 1") == 0 and scanned("SHOW TABLES IN city") == 0 and scanned("EXPLAIN SELECT * FROM gps") == 0
    done = query(athena, "SELECT avg(speed) FROM gps WHERE id < 250", **context)
    runtime = athena.get_query_runtime_statistics(QueryExecutionId=done["QueryExecutionId"])["QueryRuntimeStatistics"]
    assert runtime["Rows"]["InputRows"] == 250 and runtime["Rows"]["OutputRows"] == 1
    random = random_module.Random(1)
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"v": [random.random() for _ in range(1500000)]}), out, compression="none",
                                use_dictionary=False)
    s3.put_object(Bucket="lake", Key="big/part.parquet", Body=out.getvalue())
    query(athena, "CREATE EXTERNAL TABLE big (v double) STORED AS PARQUET LOCATION 's3://lake/big/'", **context)
    athena.create_work_group(Name="thrifty", Configuration={"BytesScannedCutoffPerQuery": 10000000})
    stopped = wait(athena, start(athena, "SELECT max(v) FROM big", WorkGroup="thrifty", **context))
    assert stopped["Status"]["State"] == "CANCELLED", stopped["Status"]
    assert "Bytes scanned limit was exceeded" in stopped["Status"]["StateChangeReason"]
    assert query(athena, "SELECT max(v) FROM big", **context)["Statistics"]["DataScannedInBytes"] > 12000000
    query(athena, "SELECT max(speed) FROM gps", WorkGroup="thrifty", **context)


LONG = "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 10000)) AS b(y) " \
       "CROSS JOIN UNNEST(sequence(1, 10000)) AS c(z) WHERE x + y + z = 7"


def until_running(athena, id):
    while athena.get_query_execution(QueryExecutionId=id)["QueryExecution"]["Status"]["State"] == "QUEUED":
        time.sleep(0.01)


def cancelled(cloud):
    athena = cloud.client("athena")
    id = start(athena, LONG)
    until_running(athena, id)
    message = refused("INVALID_QUERY_EXECUTION_STATE", athena.get_query_results, QueryExecutionId=id)
    assert message == "Query has not yet finished. Current state: RUNNING", message
    begun = time.monotonic()
    athena.stop_query_execution(QueryExecutionId=id)
    done = wait(athena, id)
    assert time.monotonic() - begun < 5
    assert done["Status"]["State"] == "CANCELLED" and done["Status"]["StateChangeReason"] == "Query cancelled by user"
    assert refused("RESULT_NOT_FOUND", athena.get_query_results, QueryExecutionId=id) == "Could not find results"


def too_many(cloud):
    athena = cloud.client("athena")
    ids = [start(athena, LONG) for _ in range(4)]
    for id in ids:
        until_running(athena, id)
    waiting = [start(athena, "SELECT %d" % i) for i in range(100)]
    error = fails("TooManyRequestsException", 400, start, athena, "SELECT 1")
    assert error.response["Reason"] == "CONCURRENT_QUERY_LIMIT_EXCEEDED"
    athena.stop_query_execution(QueryExecutionId=waiting[0])
    stopped = wait(athena, waiting[0])
    assert stopped["Status"]["State"] == "CANCELLED" and stopped["Statistics"]["EngineExecutionTimeInMillis"] == 0
    for id in ids:
        athena.stop_query_execution(QueryExecutionId=id)
    for id in waiting[1:]:
        assert wait(athena, id)["Status"]["State"] == "SUCCEEDED"
    listed = [i for page in athena.get_paginator("list_query_executions").paginate(PaginationConfig={"MaxItems": 104, "PageSize": 30})
              for i in page["QueryExecutionIds"]]
    assert listed == list(reversed(ids + waiting))


def survives(cloud):
    """kill -9: what had ended is there, what ran has failed, all else is kept."""
    athena = cloud.client("athena")
    done = query(athena, "SELECT 'kept'")
    running = start(athena, LONG)
    until_running(athena, running)
    athena.create_work_group(Name="lasting", Configuration={"ResultConfiguration": {"OutputLocation": RESULTS}})
    athena.create_prepared_statement(StatementName="lasting", WorkGroup="lasting", QueryStatement="SELECT 'prepared'")
    cloud.kill()
    cloud.__init__(cloud.folder)
    athena = cloud.client("athena")
    assert athena.get_query_execution(QueryExecutionId=done["QueryExecutionId"])["QueryExecution"] == done
    assert rows(athena, done)[1:] == [["kept"]]
    failed = athena.get_query_execution(QueryExecutionId=running)["QueryExecution"]
    assert failed["Status"]["State"] == "FAILED" and failed["Status"]["AthenaError"]["ErrorCategory"] == 1, failed["Status"]
    assert select(athena, "EXECUTE lasting", WorkGroup="lasting") == [["prepared"]]
    assert athena.list_query_executions()["QueryExecutionIds"][:2] == [running, done["QueryExecutionId"]]


def as_slow_as_aws(cloud):
    slow = Cloud(None, "--realistic")
    athena = slow.client("athena")
    slow.client("s3").create_bucket(Bucket="results")
    done = query(athena, "SELECT 1")
    assert 700 <= done["Statistics"]["TotalExecutionTimeInMillis"] < 20000
    id = start(athena, "SELECT 2")
    athena.stop_query_execution(QueryExecutionId=id)
    assert wait(athena, id)["Status"]["State"] == "CANCELLED"
    slow.stop()


cloud = Cloud()
make_table(cloud)
run([workgroups, workgroups_rule_queries, named_queries, prepared_statements, metadata, life, pages, failures_are_told, tokens, reuse,
     scans, cancelled, too_many, survives,
     as_slow_as_aws], cloud)
finish(cloud)
