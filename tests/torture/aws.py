"""A small AWS client that shares nothing with the program under test: SigV4 by the standard library, and what the
comparison asks of S3, Athena and Redshift."""
import csv
import datetime
import hashlib
import hmac
import http.client
import io
import json
import time
import urllib.parse

SERVICES = {"athena": "AmazonAthena", "redshift-data": "RedshiftData"}
TRIES = 8


class Failed(Exception):
    pass


class Aws:
    def __init__(self, address):
        self.host = urllib.parse.urlsplit(address["endpoint"]).netloc
        self.endpoint, self.region = address["endpoint"], address["region"]
        self.access_key, self.secret_key = address["access_key"], address["secret_key"]
        self.control_token = address["control_token"]

    def sign(self, service, method, path, headers, body):
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        headers.update({"host": self.host, "x-amz-date": stamp, "x-amz-content-sha256": digest})
        names = ";".join(sorted(headers))
        canonical = "\n".join([method, path, "", *("%s:%s" % (name, headers[name]) for name in sorted(headers)), "", names,
                               digest])
        scope = "%s/%s/%s/aws4_request" % (stamp[:8], self.region, service)
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret_key).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        headers["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
            self.access_key, scope, names, hmac.new(key, text.encode(), hashlib.sha256).hexdigest())

    def request(self, service, method, path, headers=None, body=b""):
        headers = dict(headers or {})
        self.sign(service, method, path, headers, body)
        connection = http.client.HTTPConnection(self.host, timeout=120)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise Failed("%s %s: %d %s" % (service, path, answer.status, data[:400].decode(errors="replace")))
        return data

    def call(self, service, operation, **arguments):
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "%s.%s" % (SERVICES[service], operation)}
        return json.loads(self.request(service, "POST", "/", headers, json.dumps(arguments).encode()) or b"{}")

    def fault(self, rules):
        """These and no others."""
        for method, body in (("DELETE", b""), ("POST", "\n".join(rules).encode())):
            if method == "POST" and not rules:
                break
            connection = http.client.HTTPConnection(self.host, timeout=30)
            connection.request(method, "/_smartcity/faults", body,
                               {"x-smartcity-control": self.control_token, "content-type": "text/plain"})
            answer = connection.getresponse()
            text = answer.read()
            connection.close()
            if answer.status >= 300:
                raise Failed("faults: %d %s" % (answer.status, text[:200]))

    def wait(self, service, describe, done, failed):
        while True:
            state, said = describe()
            if state in done:
                return
            if state in failed:
                raise Failed("%s: %s: %s" % (service, state, said))
            time.sleep(0.05)

    def athena(self, sql, bucket):
        """Rows of text, from the result object itself."""
        query = self.call("athena", "StartQueryExecution", QueryString=sql,
                          ResultConfiguration={"OutputLocation": "s3://%s/torture/" % bucket})["QueryExecutionId"]

        def describe():
            execution = self.call("athena", "GetQueryExecution", QueryExecutionId=query)["QueryExecution"]
            return execution["Status"]["State"], execution["Status"].get("StateChangeReason", sql)

        self.wait("athena", describe, ("SUCCEEDED",), ("FAILED", "CANCELLED"))
        text = self.request("s3", "GET", "/%s/torture/%s.csv" % (bucket, query)).decode()
        rows = list(csv.reader(io.StringIO(text)))
        return rows[1:]

    def redshift(self, sql, workgroup="smartcity", database="dev"):
        statement = self.call("redshift-data", "ExecuteStatement", WorkgroupName=workgroup, Database=database, Sql=sql)["Id"]

        def describe():
            told = self.call("redshift-data", "DescribeStatement", Id=statement)
            return told["Status"], told.get("Error", sql)

        self.wait("redshift", describe, ("FINISHED",), ("FAILED", "ABORTED"))
        rows, token = [], None
        while True:
            page = self.call("redshift-data", "GetStatementResult", Id=statement, **({"NextToken": token} if token else {}))
            for record in page["Records"]:
                rows.append([None if field.get("isNull") else str(next(iter(field.values()))) for field in record])
            token = page.get("NextToken")
            if not token:
                return rows
