"""The Glue catalogue, its crawlers and jobs by boto3 and the aws CLI; every answer is held against the model."""
import io
import json
import time

import pyarrow
import pyarrow.parquet

from harness import Cloud, fails, finish, run

DATABASE = "city"


def table_input(name="gps", **more):
    return dict({
        "Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": {"classification": "parquet"},
        "StorageDescriptor": {
            "Columns": [{"Name": "speed", "Type": "double"}, {"Name": "device_id", "Type": "string"}],
            "Location": "s3://lake/raw/gps/",
            "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
                          "Parameters": {"serialization.format": "1"}}},
        "PartitionKeys": [{"Name": "dt", "Type": "string"}, {"Name": "hour", "Type": "int"}]}, **more)


def databases(cloud):
    glue = cloud.client("glue")
    glue.create_database(DatabaseInput={"Name": "City", "Description": "all of it", "Parameters": {"a": "b"}})
    database = glue.get_database(Name="city")["Database"]
    assert database["Name"] == "city" and database["Description"] == "all of it" and database["CreateTime"].year >= 2024
    error = fails("AlreadyExistsException", 400, glue.create_database, DatabaseInput={"Name": "city"})
    assert error.response["Error"]["Message"] == "Database already exists."
    error = fails("EntityNotFoundException", 400, glue.get_database, Name="town")
    assert error.response["Error"]["Message"] == "Database town not found."
    for name in "abcde":
        glue.create_database(DatabaseInput={"Name": "page_" + name})
    names = [item["Name"] for page in glue.get_paginator("get_databases").paginate(PaginationConfig={"PageSize": 2})
             for item in page["DatabaseList"]]
    assert names == ["city"] + ["page_" + name for name in "abcde"], names
    glue.update_database(Name="page_a", DatabaseInput={"Name": "page_a", "Description": "new"})
    assert glue.get_database(Name="page_a")["Database"]["Description"] == "new"
    for name in "abcde":
        glue.delete_database(Name="page_" + name)
    fails("EntityNotFoundException", 400, glue.delete_database, Name="page_a")
    fails("InvalidInputException", 400, glue.get_databases, NextToken="!")


def tables(cloud):
    glue = cloud.client("glue")
    glue.create_table(DatabaseName=DATABASE, TableInput=table_input("GPS"),
                      PartitionIndexes=[{"Keys": ["dt"], "IndexName": "by_day"}])
    table = glue.get_table(DatabaseName=DATABASE, Name="gps")["Table"]
    assert table["VersionId"] == "0" and table["DatabaseName"] == DATABASE and table["Name"] == "gps"
    assert table["StorageDescriptor"]["Columns"][0] == {"Name": "speed", "Type": "double"}
    indexes = glue.get_partition_indexes(DatabaseName=DATABASE, TableName="gps")["PartitionIndexDescriptorList"]
    assert [index["IndexName"] for index in indexes] == ["by_day"]
    fails("AlreadyExistsException", 400, glue.create_table, DatabaseName=DATABASE, TableInput=table_input())
    fails("EntityNotFoundException", 400, glue.create_table, DatabaseName="town", TableInput=table_input())
    fails("EntityNotFoundException", 400, glue.get_table, DatabaseName=DATABASE, Name="absent")
    glue.update_table(DatabaseName=DATABASE, TableInput=table_input(Description="two"), VersionId="0")
    fails("VersionMismatchException", 400, glue.update_table, DatabaseName=DATABASE, TableInput=table_input(), VersionId="0")
    glue.update_table(DatabaseName=DATABASE, TableInput=table_input(Description="three"))
    versions = [item["VersionId"] for page in glue.get_paginator("get_table_versions").paginate(
        DatabaseName=DATABASE, TableName="gps", PaginationConfig={"PageSize": 1}) for item in page["TableVersions"]]
    assert versions == ["2", "1", "0"], versions
    assert glue.get_table_version(DatabaseName=DATABASE, TableName="gps", VersionId="1")["TableVersion"]["Table"]["Description"] == "two"
    glue.delete_table_version(DatabaseName=DATABASE, TableName="gps", VersionId="0")
    errors = glue.batch_delete_table_version(DatabaseName=DATABASE, TableName="gps", VersionIds=["0", "1"])["Errors"]
    assert [error["ErrorDetail"]["ErrorCode"] for error in errors] == ["EntityNotFoundException"]
    for name in ("weather", "weather_daily", "bus"):
        glue.create_table(DatabaseName=DATABASE, TableInput=table_input(name))
    names = [item["Name"] for page in glue.get_paginator("get_tables").paginate(
        DatabaseName=DATABASE, PaginationConfig={"PageSize": 3}) for item in page["TableList"]]
    assert names == ["bus", "gps", "weather", "weather_daily"], names
    found = glue.get_tables(DatabaseName=DATABASE, Expression="weather.*")["TableList"]
    assert [item["Name"] for item in found] == ["weather", "weather_daily"]
    assert [item["Name"] for item in glue.search_tables(SearchText="WEATHER")["TableList"]] == ["weather", "weather_daily"]
    found = [item["Name"] for page in glue.get_paginator("search_tables").paginate(PaginationConfig={"PageSize": 1})
             for item in page["TableList"]] if glue.can_paginate("search_tables") else names
    assert found == names
    errors = glue.batch_delete_table(DatabaseName=DATABASE, TablesToDelete=["weather", "absent", "bus"])["Errors"]
    assert [error["TableName"] for error in errors] == ["absent"]
    glue.delete_table(DatabaseName=DATABASE, Name="weather_daily")


def partitions(cloud):
    glue = cloud.client("glue")
    place = {"DatabaseName": DATABASE, "TableName": "gps"}
    storage = table_input()["StorageDescriptor"]
    every = [{"Values": ["2026-01-%02d" % (1 + i // 24), "%02d" % (i % 24)], "StorageDescriptor": storage} for i in range(72)]
    assert glue.batch_create_partition(PartitionInputList=every, **place)["Errors"] == []
    errors = glue.batch_create_partition(PartitionInputList=every[:2], **place)["Errors"]
    assert errors[0] == {"PartitionValues": ["2026-01-01", "00"], "ErrorDetail": {
        "ErrorCode": "AlreadyExistsException", "ErrorMessage": "Partition already exists."}}, errors
    fails("AlreadyExistsException", 400, glue.create_partition, PartitionInput=every[0], **place)
    fails("InvalidInputException", 400, glue.create_partition, PartitionInput={"Values": ["2026-01-01"]}, **place)
    got = [item["Values"] for page in glue.get_paginator("get_partitions").paginate(
        PaginationConfig={"PageSize": 7}, **place) for item in page["Partitions"]]
    assert got == [item["Values"] for item in every]
    for expression, count in (("dt = '2026-01-02'", 24), ("dt='2026-01-02' AND hour BETWEEN 5 AND 9", 5),
                              ("hour IN (1,2) OR (dt LIKE '%03' AND NOT hour < 20)", 10), ("dt IS NULL", 0),
                              ("hour <> 0 and dt >= '2026-01-02'", 46)):
        got = glue.get_partitions(Expression=expression, **place)["Partitions"]
        assert len(got) == count, (expression, len(got))
    parts = [glue.get_partitions(Segment={"SegmentNumber": i, "TotalSegments": 3}, **place)["Partitions"] for i in range(3)]
    assert sum(map(len, parts)) == 72 and all(parts)
    assert "Columns" not in glue.get_partitions(ExcludeColumnSchema=True, **place)["Partitions"][0]["StorageDescriptor"]
    fails("InvalidInputException", 400, glue.get_partitions, Expression="city = 'a'", **place)
    fails("InvalidInputException", 400, glue.get_partitions, Expression="dt = ", **place)
    found = glue.batch_get_partition(PartitionsToGet=[{"Values": ["2026-01-01", "00"]}, {"Values": ["2027-01-01", "00"]}], **place)
    assert len(found["Partitions"]) == 1 and found["UnprocessedKeys"] == [{"Values": ["2027-01-01", "00"]}]
    glue.update_partition(PartitionValueList=["2026-01-01", "00"],
                          PartitionInput=dict(every[0], Parameters={"compacted": "true"}), **place)
    assert glue.get_partition(PartitionValues=["2026-01-01", "00"], **place)["Partition"]["Parameters"] == {"compacted": "true"}
    assert glue.batch_update_partition(Entries=[{"PartitionValueList": every[1]["Values"], "PartitionInput": every[1]}],
                                       **place)["Errors"] == []
    glue.delete_partition(PartitionValues=["2026-01-01", "00"], **place)
    fails("EntityNotFoundException", 400, glue.delete_partition, PartitionValues=["2026-01-01", "00"], **place)
    fails("EntityNotFoundException", 400, glue.get_partition, PartitionValues=["2026-01-01", "00"], **place)
    errors = glue.batch_delete_partition(PartitionsToDelete=[{"Values": item["Values"]} for item in every[:3]], **place)["Errors"]
    assert [error["PartitionValues"] for error in errors] == [["2026-01-01", "00"]]
    listed = json.loads(cloud.aws("glue", "get-partitions", "--database-name", DATABASE, "--table-name", "gps",
                                  "--expression", "hour = 7", "--output", "json").stdout)
    assert len(listed["Partitions"]) == 3


# ---- crawlers ---------------------------------------------------------------------------------------------

def parquet(rows=10, **more):
    columns = {"event_ts": pyarrow.array([1768204800000000 + i for i in range(rows)], pyarrow.timestamp("us")),
               "device_id": ["bus-%d" % i for i in range(rows)],
               "speed": [float(i) for i in range(rows)],
               "seats": pyarrow.array(range(rows), pyarrow.int32()),
               "total": pyarrow.array(range(rows), pyarrow.int64())}
    columns.update(more)
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


def put(s3, key, body):
    s3.put_object(Bucket="lake", Key=key, Body=body)


def crawl(glue, name, status="SUCCEEDED"):
    glue.start_crawler(Name=name)
    deadline = time.time() + 60
    while True:
        crawler = glue.get_crawler(Name=name)["Crawler"]
        if crawler["State"] == "READY":
            break
        assert time.time() < deadline, crawler
        time.sleep(0.02)
    assert crawler["LastCrawl"]["Status"] == status, crawler["LastCrawl"]
    return crawler


def make_crawler(glue, name, path, **more):
    glue.create_crawler(Name=name, Role="arn:aws:iam::000000000000:role/glue", DatabaseName="lake",
                        Targets={"S3Targets": [{"Path": path}]}, **more)


def names(glue):
    return [item["Name"] for item in glue.get_tables(DatabaseName="lake")["TableList"]]


def values(glue, table):
    return [item["Values"] for item in glue.get_partitions(DatabaseName="lake", TableName=table)["Partitions"]]


def crawls_parquet_with_hive_partitions(cloud):
    glue, s3 = cloud.client("glue"), cloud.client("s3")
    s3.create_bucket(Bucket="lake")
    glue.create_database(DatabaseInput={"Name": "lake"})
    for day in ("2026-01-12", "2026-01-13"):
        put(s3, "raw/gps/dt=%s/part-0.parquet" % day, parquet())
    put(s3, "raw/gps/_SUCCESS", b"")
    put(s3, "raw/gps/_sink/0.json", b'{"end": 1}')
    make_crawler(glue, "gps", "s3://lake/raw/gps/")
    crawler = glue.get_crawler(Name="gps")["Crawler"]
    assert crawler["State"] == "READY" and crawler["Version"] == 1
    assert crawler["SchemaChangePolicy"] == {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DEPRECATE_IN_DATABASE"}
    crawl(glue, "gps")
    table = glue.get_table(DatabaseName="lake", Name="gps")["Table"]
    storage = table["StorageDescriptor"]
    assert storage["Columns"] == [
        {"Name": "event_ts", "Type": "timestamp"}, {"Name": "device_id", "Type": "string"}, {"Name": "speed", "Type": "double"},
        {"Name": "seats", "Type": "int"}, {"Name": "total", "Type": "bigint"}], storage["Columns"]
    assert storage["Location"] == "s3://lake/raw/gps/"
    assert storage["SerdeInfo"]["SerializationLibrary"] == "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert table["TableType"] == "EXTERNAL_TABLE" and table["Owner"] == "owner"
    expected = {"CrawlerSchemaDeserializerVersion": "1.0", "CrawlerSchemaSerializerVersion": "1.0", "UPDATED_BY_CRAWLER": "gps",
                "classification": "parquet", "compressionType": "none", "typeOfData": "file", "objectCount": "2",
                "recordCount": "20", "sizeKey": str(2 * len(parquet())), "averageRecordSize": str(2 * len(parquet()) // 20)}
    assert table["Parameters"] == expected and storage["Parameters"] == expected, table["Parameters"]
    assert values(glue, "gps") == [["2026-01-12"], ["2026-01-13"]]
    partition = glue.get_partition(DatabaseName="lake", TableName="gps", PartitionValues=["2026-01-12"])["Partition"]
    assert partition["StorageDescriptor"]["Location"] == "s3://lake/raw/gps/dt=2026-01-12/"
    assert partition["Parameters"]["recordCount"] == "10"
    # nothing new: nothing changes
    crawl(glue, "gps")
    assert glue.get_table(DatabaseName="lake", Name="gps")["Table"]["VersionId"] == "0"
    # a new day, a new column, a day gone; what others wrote into the table stays
    table_now = {key: table[key] for key in ("Name", "Owner", "StorageDescriptor", "PartitionKeys", "TableType")}
    glue.update_table(DatabaseName="lake", TableInput=dict(table_now, Parameters=dict(table["Parameters"], mine="1")))
    put(s3, "raw/gps/dt=2026-01-14/part-0.parquet", parquet(heading=pyarrow.array([1.5] * 10, pyarrow.float32())))
    s3.delete_object(Bucket="lake", Key="raw/gps/dt=2026-01-12/part-0.parquet")
    crawl(glue, "gps")
    table = glue.get_table(DatabaseName="lake", Name="gps")["Table"]
    assert table["StorageDescriptor"]["Columns"][-1] == {"Name": "heading", "Type": "float"}
    assert table["VersionId"] == "2" and table["Parameters"]["mine"] == "1"
    assert values(glue, "gps") == [["2026-01-13"], ["2026-01-14"]], values(glue, "gps")
    crawls = glue.list_crawls(CrawlerName="gps")["Crawls"]
    assert [item["State"] for item in crawls] == ["COMPLETED"] * 3
    summary = json.loads(crawls[0]["Summary"])
    assert json.loads(summary["TABLE"])["UPDATE"]["Count"] == 1 and json.loads(summary["PARTITION"])["ADD"]["Count"] == 1
    assert len(glue.list_crawls(CrawlerName="gps", Filters=[
        {"FieldName": "STATE", "FilterOperator": "EQ", "FieldValue": "FAILED"}])["Crawls"]) == 0
    metrics = glue.get_crawler_metrics(CrawlerNameList=["gps"])["CrawlerMetricsList"][0]
    assert metrics["TablesUpdated"] == 1 and metrics["LastRuntimeSeconds"] > 0
    # the whole table goes: marked, then deleted under the other policy
    for day in ("13", "14"):
        s3.delete_object(Bucket="lake", Key="raw/gps/dt=2026-01-%s/part-0.parquet" % day)
    crawl(glue, "gps")
    assert "DEPRECATED_BY_CRAWLER" in glue.get_table(DatabaseName="lake", Name="gps")["Table"]["Parameters"]
    glue.update_crawler(Name="gps", SchemaChangePolicy={"DeleteBehavior": "DELETE_FROM_DATABASE"})
    assert glue.get_crawler(Name="gps")["Crawler"]["Version"] == 2
    crawl(glue, "gps")
    assert names(glue) == []
    glue.delete_crawler(Name="gps")
    fails("EntityNotFoundException", 400, glue.get_crawler, Name="gps")


def crawls_json_lines(cloud):
    glue, s3 = cloud.client("glue"), cloud.client("s3")
    rows = [{"id": 1, "speed": 2.5, "on": True, "tags": ["a"], "place": {"lat": 1, "name": None}, "odd": 1},
            {"id": 5000000000, "speed": 3, "on": False, "tags": [], "place": {"lat": 1.5, "name": "x"}, "odd": "text", "Late": 1}]
    put(s3, "json/weather/2026/01/a.json", "\n".join(json.dumps(row) for row in rows).encode())
    put(s3, "json/weather/2026/02/b.json", (json.dumps(rows[0]) + "\r\n\n").encode())
    make_crawler(glue, "weather", "s3://lake/json/weather", TablePrefix="raw_", Configuration=json.dumps(
        {"Version": 1.0, "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}}))
    crawl(glue, "weather")
    table = glue.get_table(DatabaseName="lake", Name="raw_weather")["Table"]
    assert table["StorageDescriptor"]["Columns"] == [
        {"Name": "id", "Type": "bigint"}, {"Name": "speed", "Type": "double"}, {"Name": "on", "Type": "boolean"},
        {"Name": "tags", "Type": "array<string>"}, {"Name": "place", "Type": "struct<lat:double,name:string>"},
        {"Name": "odd", "Type": "string"}, {"Name": "late", "Type": "int"}], table["StorageDescriptor"]["Columns"]
    assert table["StorageDescriptor"]["SerdeInfo"] == {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
                                                       "Parameters": {"paths": "id,speed,on,tags,place,odd,late"}}
    assert [key["Name"] for key in table["PartitionKeys"]] == ["partition_0", "partition_1"]
    assert values(glue, "raw_weather") == [["2026", "01"], ["2026", "02"]]
    assert table["Parameters"]["classification"] == "json" and table["Parameters"]["recordCount"] == "3"
    partition = glue.get_partitions(DatabaseName="lake", TableName="raw_weather")["Partitions"][1]
    assert partition["StorageDescriptor"]["Columns"] == table["StorageDescriptor"]["Columns"]


def one_table_or_several(cloud):
    glue, s3 = cloud.client("glue"), cloud.client("s3")
    put(s3, "many/gps/dt=1/a.parquet", parquet())
    put(s3, "many/gps/dt=2/a.parquet", parquet())
    put(s3, "many/speeds/a.parquet", parquet(seats=["few"] * 10, heading=[1.0] * 10, more=[1] * 10))
    put(s3, "many/notes/a.json", b'{"note": "x"}\n')
    put(s3, "many/README.txt", b"not data")
    make_crawler(glue, "many", "s3://lake/many/", TablePrefix="m_")
    crawl(glue, "many")
    assert [name for name in names(glue) if name.startswith("m_")] == ["m_gps", "m_notes", "m_speeds"], names(glue)
    assert glue.get_table(DatabaseName="lake", Name="m_notes")["Table"]["PartitionKeys"] == []
    put(s3, "alike/a/x.parquet", parquet())
    put(s3, "alike/b/x.parquet", parquet())
    make_crawler(glue, "alike", "s3://lake/alike/")
    crawl(glue, "alike")
    table = glue.get_table(DatabaseName="lake", Name="alike")["Table"]
    assert [key["Name"] for key in table["PartitionKeys"]] == ["partition_0"] and values(glue, "alike") == [["a"], ["b"]]
    # the same name elsewhere gets a hash behind it
    put(s3, "other/alike/x.parquet", parquet())
    make_crawler(glue, "other", "s3://lake/other/alike/")
    crawl(glue, "other")
    assert [name for name in names(glue) if name.startswith("alike_") and len(name) == 38], names(glue)
    # left out
    glue.create_crawler(Name="left", Role="r", DatabaseName="lake", TablePrefix="left_", Targets={"S3Targets": [
        {"Path": "s3://lake/many", "Exclusions": ["gps/**", "**.json"]}]})
    crawl(glue, "left")
    assert [name for name in names(glue) if name.startswith("left_")] == ["left_many"], names(glue)


def crawlers_in_their_states(cloud):
    glue, s3 = cloud.client("glue"), cloud.client("s3")
    fails("AlreadyExistsException", 400, make_crawler, glue, "many", "s3://lake/many/")
    fails("InvalidInputException", 400, make_crawler, glue, "bad", "s3://lake/x", Schedule="cron(61 * * * ? *)")
    fails("InvalidInputException", 400, make_crawler, glue, "bad", "s3://lake/x", Configuration="{")
    fails("InvalidInputException", 400, glue.create_crawler, Name="bad", Role="r", Targets={})
    fails("InvalidInputException", 400, glue.create_crawler, Name="bad", Role="r", Targets={"DynamoDBTargets": [{"Path": "t"}]})
    fails("InvalidInputException", 400, make_crawler, glue, "bad", "s3://lake/x",
          RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"})
    fails("EntityNotFoundException", 400, glue.start_crawler, Name="absent")
    fails("CrawlerNotRunningException", 400, glue.stop_crawler, Name="many")
    make_crawler(glue, "lost", "s3://no-such-bucket/x/")
    crawler = crawl(glue, "lost", "FAILED")
    assert "bucket does not exist" in crawler["LastCrawl"]["ErrorMessage"]
    glue.update_crawler(Name="lost", DatabaseName="nowhere", Targets={"S3Targets": [{"Path": "s3://lake/many/"}]})
    assert "nowhere" in crawl(glue, "lost", "FAILED")["LastCrawl"]["ErrorMessage"]
    # busy for long enough to be seen: many files
    for i in range(150):
        put(s3, "busy/dt=%03d/a.json" % i, b'{"a": 1}\n' * 40000)
    make_crawler(glue, "busy", "s3://lake/busy/")
    glue.start_crawler(Name="busy")
    error = fails("CrawlerRunningException", 400, glue.start_crawler, Name="busy")
    assert error.response["Error"]["Message"] == "Crawler with name busy has already started"
    fails("CrawlerRunningException", 400, glue.delete_crawler, Name="busy")
    fails("CrawlerRunningException", 400, glue.update_crawler, Name="busy", Description="x")
    assert glue.get_crawler(Name="busy")["Crawler"]["CrawlElapsedTime"] >= 0
    glue.stop_crawler(Name="busy")
    deadline = time.time() + 60
    while glue.get_crawler(Name="busy")["Crawler"]["State"] != "READY":
        assert time.time() < deadline
        time.sleep(0.02)
    assert glue.get_crawler(Name="busy")["Crawler"]["LastCrawl"]["Status"] == "CANCELLED"
    assert "busy" not in names(glue)
    # schedules
    glue.update_crawler_schedule(CrawlerName="busy", Schedule="cron(0 3 ? * MON-FRI *)")
    assert glue.get_crawler(Name="busy")["Crawler"]["Schedule"] == {"ScheduleExpression": "cron(0 3 ? * MON-FRI *)", "State": "SCHEDULED"}
    fails("SchedulerRunningException", 400, glue.start_crawler_schedule, CrawlerName="busy")
    glue.stop_crawler_schedule(CrawlerName="busy")
    fails("SchedulerNotRunningException", 400, glue.stop_crawler_schedule, CrawlerName="busy")
    glue.start_crawler_schedule(CrawlerName="busy")
    fails("NoScheduleException", 400, glue.start_crawler_schedule, CrawlerName="many")
    listed, token = [], {}
    while token is not None:
        page = glue.list_crawlers(MaxResults=2, **token)
        listed += page["CrawlerNames"]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else None
    assert listed == sorted(listed) and "busy" in listed
    assert [item["Name"] for page in glue.get_paginator("get_crawlers").paginate(PaginationConfig={"PageSize": 2})
            for item in page["Crawlers"]] == listed
    batch = glue.batch_get_crawlers(CrawlerNames=["busy", "absent"])
    assert len(batch["Crawlers"]) == 1 and batch["CrawlersNotFound"] == ["absent"]
    glue.tag_resource(ResourceArn="arn:aws:glue:us-east-1:000000000000:crawler/busy", TagsToAdd={"a": "b", "c": "d"})
    glue.untag_resource(ResourceArn="arn:aws:glue:us-east-1:000000000000:crawler/busy", TagsToRemove=["a"])
    assert glue.get_tags(ResourceArn="arn:aws:glue:us-east-1:000000000000:crawler/busy")["Tags"] == {"c": "d"}


# ---- jobs -------------------------------------------------------------------------------------------------

def run_job(glue, name, **more):
    identity = glue.start_job_run(JobName=name, **more)["JobRunId"]
    deadline = time.time() + 60
    while True:
        job_run = glue.get_job_run(JobName=name, RunId=identity)["JobRun"]
        if job_run["JobRunState"] not in ("STARTING", "RUNNING", "STOPPING"):
            return job_run
        assert time.time() < deadline, job_run
        time.sleep(0.02)


def jobs(cloud):
    glue, s3 = cloud.client("glue"), cloud.client("s3")
    put(s3, "scripts/curated.sql", b"SELECT 1; SELECT '${dt}'")
    command = {"Name": "glueetl", "ScriptLocation": "s3://lake/scripts/curated.sql", "PythonVersion": "3"}
    assert glue.create_job(Name="curated", Role="r", Command=command, DefaultArguments={"--database": "lake"})["Name"] == "curated"
    fails("AlreadyExistsException", 400, glue.create_job, Name="curated", Role="r", Command=command)
    job = glue.get_job(JobName="curated")["Job"]
    assert job["Command"] == command and job["ExecutionProperty"] == {"MaxConcurrentRuns": 1} and job["Timeout"] == 2880
    fails("EntityNotFoundException", 400, glue.get_job, JobName="absent")
    fails("EntityNotFoundException", 400, glue.start_job_run, JobName="absent")
    job_run = run_job(glue, "curated")
    assert job_run["JobRunState"] == "FAILED" and job_run["ErrorMessage"] == "the script needs the argument --dt", job_run
    glue.update_job(JobName="curated", JobUpdate={"Role": "r", "Command": dict(command, ScriptLocation="s3://lake/scripts/a.py")})
    assert "DefaultArguments" not in glue.get_job(JobName="curated")["Job"]
    assert "Only scripts of SQL" in run_job(glue, "curated")["ErrorMessage"]
    glue.update_job(JobName="curated", JobUpdate={"Role": "r", "Command": dict(command, ScriptLocation="s3://lake/no.sql")})
    assert "does not exist" in run_job(glue, "curated")["ErrorMessage"]
    runs = [item["Id"] for page in glue.get_paginator("get_job_runs").paginate(JobName="curated", PaginationConfig={"PageSize": 2})
            for item in page["JobRuns"]]
    assert len(runs) == 3 and len(set(runs)) == 3
    stopped = glue.batch_stop_job_run(JobName="curated", JobRunIds=[runs[0], "jr_absent"])
    assert stopped["SuccessfulSubmissions"] == [] and len(stopped["Errors"]) == 2
    glue.create_job(Name="second", Role="r", Command=command)
    assert [item["Name"] for page in glue.get_paginator("get_jobs").paginate(PaginationConfig={"PageSize": 1})
            for item in page["Jobs"]] == ["curated", "second"]
    assert glue.list_jobs()["JobNames"] == ["curated", "second"]
    assert glue.batch_get_jobs(JobNames=["second", "absent"])["JobsNotFound"] == ["absent"]
    glue.delete_job(JobName="curated")
    glue.delete_job(JobName="curated")
    assert glue.list_jobs()["JobNames"] == ["second"]


def jobs_run_sql(cloud):
    """Raw becomes curated: DDL, repair, INSERT, CTAS and UNLOAD over the catalogue, by the engine of Athena."""
    glue, s3 = cloud.client("glue"), cloud.client("s3")
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a", "b"], "speed": [10.0, 20.0]}), out)
    put(s3, "job/raw/dt=2026-01-12/1.parquet", out.getvalue())
    put(s3, "scripts/job.sql", b"""
        CREATE DATABASE IF NOT EXISTS jobs; -- ; no statement
        CREATE EXTERNAL TABLE raw (id string, speed double) PARTITIONED BY (dt string)
            STORED AS PARQUET LOCATION 's3://lake/job/raw/';
        MSCK REPAIR TABLE raw;
        CREATE TABLE curated WITH (external_location = 's3://lake/job/curated/', partitioned_by = ARRAY['dt'])
            AS SELECT id, speed * 2 AS speed, dt FROM raw WHERE dt = '${dt}';
        INSERT INTO curated SELECT 'c', 1.5, '2026-01-13';
        SELECT count(*) FROM curated;
        UNLOAD (SELECT * FROM curated) TO 's3://lake/job/unloaded/' WITH (format = 'JSON')""")
    command = {"Name": "glueetl", "ScriptLocation": "s3://lake/scripts/job.sql"}
    glue.create_job(Name="sql", Role="r", Command=command, DefaultArguments={"--database": "jobs"})
    job_run = run_job(glue, "sql", Arguments={"--dt": "2026-01-12"})
    assert job_run["JobRunState"] == "SUCCEEDED", job_run
    partitions = glue.get_partitions(DatabaseName="jobs", TableName="curated")["Partitions"]
    assert [item["Values"] for item in partitions] == [["2026-01-12"], ["2026-01-13"]]
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="lake", Prefix="job/curated/")["Contents"]]
    table = pyarrow.parquet.read_table(io.BytesIO(s3.get_object(Bucket="lake", Key=keys[0])["Body"].read()))
    assert table.to_pydict() == {"id": ["a", "b"], "speed": [20.0, 40.0]}
    assert s3.list_objects_v2(Bucket="lake", Prefix="job/unloaded/")["KeyCount"] == 1
    job_run = run_job(glue, "sql", Arguments={"--dt": "2026-01-12"})
    assert job_run["JobRunState"] == "FAILED", job_run
    assert job_run["ErrorMessage"].startswith("statement 2: FAILED: Execution Error, return code 1"), job_run
    put(s3, "scripts/job.sql", b"SELECT * FROM nope")
    assert run_job(glue, "sql")["ErrorMessage"] == "statement 1: TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.jobs.nope' does not exist"
    put(s3, "scripts/job.sql", b"SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 10000)) AS b(y) "
        b"CROSS JOIN UNNEST(sequence(1, 10000)) AS c(z) WHERE x + y + z = 7")
    identity = glue.start_job_run(JobName="sql")["JobRunId"]
    glue.batch_stop_job_run(JobName="sql", JobRunIds=[identity])
    deadline = time.time() + 60
    while glue.get_job_run(JobName="sql", RunId=identity)["JobRun"]["JobRunState"] != "STOPPED":
        assert time.time() < deadline
        time.sleep(0.02)
    glue.delete_job(JobName="sql")


def unknown_operations(cloud):
    glue = cloud.client("glue")
    fails("UnknownOperationException", 400, glue.list_blueprints)


cloud = Cloud()
run([databases, tables, partitions, crawls_parquet_with_hive_partitions, crawls_json_lines, one_table_or_several,
     crawlers_in_their_states, jobs, jobs_run_sql, unknown_operations], cloud)
finish(cloud)
