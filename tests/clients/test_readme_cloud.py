"""The README's way from a Parquet file to the warehouse: its own lines, in their order, with what each of them must answer."""
import json
import os
import shlex
import tempfile
import time

import pyarrow
import pyarrow.parquet

from harness import Cloud, finish, run

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = {"id": [1, 2, 3, 4], "road": ["A1", "M40", "M40", "A1"], "speed": [30.0, 61.5, 64.5, 33.0]}
MEANS = [("A1", 31.5), ("M40", 63.0)]

cloud = Cloud()
work = tempfile.mkdtemp(dir=os.environ.get("CLOUD_WORK"))


def lines():
    with open(os.path.join(HERE, "../../README.md"), encoding="utf-8") as file:
        section = file.read().split("## The local cloud", 1)[1].split("\n## ", 1)[0]
    return [line.strip() for line in section.splitlines() if line.startswith("    aws ")]


def poll(*words, path, until, never):
    """Asks until the answer has the wanted word at the path."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        answer = json.loads(cloud.aws(*words).stdout)
        state = answer
        for name in path:
            state = state[name]
        assert state not in never, answer
        if state == until:
            return answer
        time.sleep(0.05)
    raise AssertionError("%s: not %s" % (" ".join(words), until))


def settle(words, answer):
    """Waits for the end of what was begun. Its id."""
    if words[:2] == ["glue", "start-crawler"]:
        crawler = poll("glue", "get-crawler", "--name", "trips", path=["Crawler", "State"], until="READY", never=[])["Crawler"]
        assert crawler["LastCrawl"]["Status"] == "SUCCEEDED", crawler
    if words[:2] == ["athena", "start-query-execution"]:
        id = answer["QueryExecutionId"]
        done = poll("athena", "get-query-execution", "--query-execution-id", id, path=["QueryExecution", "Status", "State"],
                    until="SUCCEEDED", never=["FAILED", "CANCELLED"])["QueryExecution"]
        assert done["Statistics"]["DataScannedInBytes"] > 0 and done["ResultConfiguration"]["OutputLocation"].endswith(id + ".csv")
        return id
    if words[:2] == ["redshift-data", "execute-statement"]:
        id = answer["Id"]
        poll("redshift-data", "describe-statement", "--id", id, path=["Status"], until="FINISHED", never=["FAILED", "ABORTED"])
        return id
    return None


def check(words, answer):
    if words[:2] == ["s3", "cp"]:
        assert "trips.parquet" in cloud.aws("s3", "ls", "s3://lake/trips/").stdout.decode()
    if words[:2] == ["glue", "start-crawler"]:
        table = json.loads(cloud.aws("glue", "get-table", "--database-name", "town", "--name", "trips").stdout)["Table"]
        columns = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
        assert columns == [("id", "bigint"), ("road", "string"), ("speed", "double")], columns
        assert table["Parameters"]["classification"] == "parquet" and table["Parameters"]["recordCount"] == "4"
    if words[:2] == ["athena", "get-query-results"]:
        rows = [[cell["VarCharValue"] for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]
        assert rows == [["road", "mean"]] + [[road, repr(mean)] for road, mean in MEANS], rows
    if words[:2] == ["redshift-data", "get-statement-result"]:
        rows = [(record[0]["stringValue"], record[1]["doubleValue"]) for record in answer["Records"]]
        assert rows == MEANS, rows


def the_readme_is_true():
    os.chdir(work)
    pyarrow.parquet.write_table(pyarrow.table(ROWS), "trips.parquet")
    id, seen = None, set()
    for line in lines():
        words = [id if word == "ID" else word for word in shlex.split(line, comments=True)[1:]]
        out = cloud.aws(*words).stdout
        answer = json.loads(out) if out.startswith(b"{") else None
        id = settle(words, answer) or id
        check(words, answer)
        seen.add(" ".join(words[:2]))
    assert {"s3 cp", "glue start-crawler", "athena get-query-results", "redshift-data get-statement-result"} <= seen, seen


run([the_readme_is_true])
finish(cloud)
