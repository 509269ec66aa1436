"""What the tests of Redshift share: a statement from its submission to its rows."""
import time

TARGET = {"WorkgroupName": "smartcity", "Database": "dev"}


def value(field):
    return None if field.get("isNull") else next(iter(field.values()))


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
