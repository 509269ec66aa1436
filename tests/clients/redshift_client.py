"""What the tests of Redshift share: a statement from its submission to its rows."""
import json
import time
import urllib.error
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials

TARGET = {"WorkgroupName": "smartcity", "Database": "dev"}


def value(field):
    return None if field.get("isNull") else next(iter(field.values()))


def call(cloud, operation, **body):
    """An operation by hand, with members that the pinned botocore does not know yet. The status and the answer."""
    request = botocore.awsrequest.AWSRequest("POST", cloud.endpoint + "/", data=json.dumps(body).encode(), headers={
        "X-Amz-Target": "RedshiftData." + operation, "Content-Type": "application/x-amz-json-1.1"})
    keys = botocore.credentials.Credentials(cloud.access_key, cloud.secret_key)
    botocore.auth.SigV4Auth(keys, "redshift-data", cloud.region).add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(request.url, request.data, dict(request.headers), method="POST")) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


class Warehouse:
    def __init__(self, client):
        self.client = client

    def wait(self, id):
        for _ in range(1500):
            described = self.client.describe_statement(Id=id)
            if described["Status"] in ("FINISHED", "FAILED", "ABORTED"):
                return described
            time.sleep(0.02)
        raise AssertionError("does not end: %s" % described)

    def submit(self, sql, **more):
        if "SessionId" not in more:
            more = dict(TARGET, **more)
        return self.client.execute_statement(Sql=sql, **more)

    def records(self, id):
        rows, token = [], {}
        while True:
            page = self.client.get_statement_result(Id=id, **token)
            rows += [tuple(value(f) for f in record) for record in page["Records"]]
            if "NextToken" not in page:
                assert page["TotalNumRows"] == len(rows)
                return rows
            token = {"NextToken": page["NextToken"]}

    def sql(self, text, **more):
        """Rows of a query, or the number of rows of anything else."""
        done = self.wait(self.submit(text, **more)["Id"])
        assert done["Status"] == "FINISHED", "%s: %s" % (text, done.get("Error"))
        return self.records(done["Id"]) if done["HasResultSet"] else done["ResultRows"]

    def refused(self, text, part, **more):
        done = self.wait(self.submit(text, **more)["Id"])
        assert done["Status"] == "FAILED", "%s: %s" % (text, done["Status"])
        assert part in done["Error"], "%s: %r instead of %r" % (text, done["Error"], part)
        return done["Error"]

    def batch(self, sqls, **more):
        return self.wait(self.client.batch_execute_statement(Sqls=sqls, **dict(TARGET, **more))["Id"])

    def is_here(self):
        """Without DuckDB (make duckdb) there is no warehouse."""
        first = self.wait(self.submit("select 1")["Id"])
        assert first["Status"] == "FINISHED" or "make duckdb" in first["Error"], first["Error"]
        return first["Status"] == "FINISHED"
