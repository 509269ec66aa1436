"""The aws CLI as a user types it, STS, temporary keys, and what is there after a restart."""
import hashlib
import json
import os
import subprocess
import tempfile

from harness import Cloud, SMARTCITY, fails, finish, run

cloud = Cloud()
work = tempfile.mkdtemp(dir=os.environ.get("CLOUD_WORK"))


def path(name, content=None):
    full = os.path.join(work, name)
    if content is not None:
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)
    return full


def read(name):
    with open(path(name), "rb") as file:
        return file.read()


def copies_and_lists():
    cloud.aws("s3", "mb", "s3://lake")
    big = os.urandom(20_000_001)
    cloud.aws("s3", "cp", path("big", big), "s3://lake/raw/dt=2026-01-12/big")
    cloud.aws("s3", "cp", "s3://lake/raw/dt=2026-01-12/big", path("back"))
    assert read("back") == big
    cloud.aws("s3", "cp", "-", "s3://lake/raw/stdin.txt", input=b"piped")
    assert cloud.aws("s3", "cp", "s3://lake/raw/stdin.txt", "-").stdout == b"piped"
    listed = cloud.aws("s3", "ls", "s3://lake/raw/").stdout.decode()
    assert "PRE dt=2026-01-12/" in listed and "stdin.txt" in listed
    assert cloud.aws("s3", "ls").stdout.decode().strip().endswith("lake")
    missing = cloud.aws("s3", "cp", "s3://lake/none", path("none"), check=False)
    assert missing.returncode == 1 and b"404" in missing.stderr


def synchronises():
    for i in range(12):
        path("tree/%d/file %d.txt" % (i % 3, i), b"x" * i)
    cloud.aws("s3", "sync", path("tree"), "s3://lake/tree")
    path("tree/0/file 0.txt", b"changed, and longer")
    os.unlink(path("tree/1/file 1.txt"))
    done = cloud.aws("s3", "sync", "--delete", path("tree"), "s3://lake/tree").stdout.decode()
    assert done.count("upload:") == 1 and done.count("delete:") == 1, done
    cloud.aws("s3", "sync", "s3://lake/tree", path("again"))
    assert read("again/0/file 0.txt") == b"changed, and longer"
    cloud.aws("s3", "mv", "s3://lake/tree/2/file 2.txt", "s3://lake/moved.txt")
    cloud.aws("s3", "rm", "--recursive", "s3://lake/tree")
    assert cloud.aws("s3", "ls", "--recursive", "s3://lake/tree", check=False).stdout == b""


def presigns():
    url = cloud.aws("s3", "presign", "s3://lake/raw/stdin.txt").stdout.decode().strip()
    import urllib.request
    assert urllib.request.urlopen(url).read() == b"piped"


def api_calls():
    def api(*words):
        return json.loads(cloud.aws("s3api", *words, "--output", "json").stdout or b"{}")
    assert api("head-object", "--bucket", "lake", "--key", "raw/stdin.txt")["ContentLength"] == 5
    put = api("put-object", "--bucket", "lake", "--key", "once", "--body", path("once", b"1"), "--if-none-match", "*")
    assert put["ETag"] == '"%s"' % hashlib.md5(b"1").hexdigest()
    again = cloud.aws("s3api", "put-object", "--bucket", "lake", "--key", "once", "--body", path("once"), "--if-none-match", "*", check=False)
    assert b"PreconditionFailed" in again.stderr
    pages = api("list-objects-v2", "--bucket", "lake", "--page-size", "1")
    assert [o["Key"] for o in pages["Contents"]] == ["moved.txt", "once", "raw/dt=2026-01-12/big", "raw/stdin.txt"]


def who_am_i():
    sts = cloud.client("sts")
    me = sts.get_caller_identity()
    assert me["Account"] == "000000000000" and me["Arn"] == "arn:aws:iam::000000000000:root"
    assert json.loads(cloud.aws("sts", "get-caller-identity", "--output", "json").stdout)["Account"] == "000000000000"
    role = sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/path/loader", RoleSessionName="night", DurationSeconds=900)
    assert role["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/loader/night"
    keys = {"aws_access_key_id": role["Credentials"]["AccessKeyId"], "aws_secret_access_key": role["Credentials"]["SecretAccessKey"],
            "aws_session_token": role["Credentials"]["SessionToken"]}
    assert cloud.client("sts", **keys).get_caller_identity()["Arn"] == role["AssumedRoleUser"]["Arn"]
    s3 = cloud.client("s3", **keys)
    assert s3.get_object(Bucket="lake", Key="once")["Body"].read() == b"1"
    import urllib.request
    for signature in ("s3v4", None):
        made = cloud.client("s3", **keys, **({"signature_version": signature} if signature else {}))
        url = made.generate_presigned_url("get_object", {"Bucket": "lake", "Key": "once"})
        assert urllib.request.urlopen(url).read() == b"1"
    assert cloud.client("sts").get_session_token()["Credentials"]["AccessKeyId"].startswith("ASIA")
    fails("InvalidToken", 400, cloud.client("s3", **dict(keys, aws_session_token="bm90aGluZw==")).list_buckets)
    fails("InvalidClientTokenId", 403, cloud.client("sts", **dict(keys, aws_session_token="bm90aGluZw==")).get_caller_identity)
    fails("InvalidClientTokenId", 403, cloud.client("sts", aws_access_key_id="AKIANOBODY").get_caller_identity)
    fails("SignatureDoesNotMatch", 403, cloud.client("sts", aws_secret_access_key="x" * 40).get_caller_identity)
    fails("ValidationError", 400, sts.assume_role, RoleArn="arn:aws:iam::nobody:role/x", RoleSessionName="night")
    fails("InvalidAction", 400, sts.get_federation_token, Name="somebody")
    fails("UnknownOperationException", 400, cloud.client("dynamodb").list_tables)


def faults_reach_clients():
    s3 = cloud.client("s3", validate=False)
    cloud.fault("s3 PutObject throttle count=1")
    fails("SlowDown", 503, s3.put_object, Bucket="lake", Key="f", Body=b"1")
    s3.put_object(Bucket="lake", Key="f", Body=b"1")
    import boto3
    import botocore.config
    patient = boto3.client("s3", endpoint_url=cloud.endpoint, region_name=cloud.region, aws_access_key_id=cloud.access_key,
                           aws_secret_access_key=cloud.secret_key, config=botocore.config.Config(retries={"max_attempts": 4, "mode": "standard"}))
    for rule in ["s3 * throttle count=2", "s3 * error=500 count=2", "s3 * lost count=1", "s3 GetObject cut=0 count=1"]:
        cloud.fault(rule)
        patient.put_object(Bucket="lake", Key="f", Body=b"2")
        patient.head_object(Bucket="lake", Key="f")
        cloud.fault()
    assert s3.get_object(Bucket="lake", Key="f")["Body"].read() == b"2"


def is_there_after_a_kill():
    global cloud
    cloud.kill()
    old = cloud
    cloud = Cloud(old.folder)
    assert (cloud.access_key, cloud.secret_key) == (old.access_key, old.secret_key)
    assert cloud.client("s3").get_object(Bucket="lake", Key="raw/dt=2026-01-12/big")["Body"].read() == read("big")
    second = subprocess.run([SMARTCITY, "cloud", "--port", "0", "--data", cloud.folder], capture_output=True, text=True)
    assert second.returncode != 0 and str(cloud.process.pid) in second.stderr, second.stderr


def given_keys():
    other = Cloud(None, "--access-key", "mine", "--secret-key", "my-own-secret", "--region", "eu-west-2")
    assert (other.access_key, other.secret_key, other.region) == ("mine", "my-own-secret", "eu-west-2")
    s3 = other.client("s3")
    fails("IllegalLocationConstraintException", 400, s3.create_bucket, Bucket="lake")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    fails("BucketAlreadyOwnedByYou", 409, s3.create_bucket, Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    assert s3.get_bucket_location(Bucket="lake")["LocationConstraint"] == "eu-west-2"
    other.stop()


run([copies_and_lists, synchronises, presigns, api_calls, who_am_i, faults_reach_clients, is_there_after_a_kill, given_keys])
finish(cloud)
