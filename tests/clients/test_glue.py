"""The Glue catalogue, its crawlers and jobs by boto3 and the aws CLI; every answer is held against the model."""
import json

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


def unknown_operations(cloud):
    glue = cloud.client("glue")
    fails("UnknownOperationException", 400, glue.list_blueprints)


cloud = Cloud()
run([databases, tables, partitions, unknown_operations], cloud)
finish(cloud)
