"""S3 by boto3: every operation, and what it refuses."""
import base64
import datetime
import hashlib
import io
import os
import threading
import urllib.error
import urllib.request
import zlib

import boto3
from botocore.exceptions import ClientError

from harness import Cloud, fails, finish, run

cloud = Cloud()
s3 = cloud.client("s3")
B = "lake"


def body(key, **more):
    return s3.get_object(Bucket=B, Key=key, **more)["Body"].read()


def buckets():
    assert s3.list_buckets()["Buckets"] == []
    s3.create_bucket(Bucket=B)
    s3.create_bucket(Bucket=B)  # the owner, in us-east-1
    s3.create_bucket(Bucket="other")
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == [B, "other"]
    page = s3.list_buckets(MaxBuckets=1)
    assert [b["Name"] for b in page["Buckets"]] == [B]
    assert [b["Name"] for b in s3.list_buckets(MaxBuckets=1, ContinuationToken=page["ContinuationToken"])["Buckets"]] == ["other"]
    assert s3.head_bucket(Bucket=B)["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=B)["LocationConstraint"] is None
    assert "Status" not in s3.get_bucket_versioning(Bucket=B)
    fails("404", 404, s3.head_bucket, Bucket="nowhere")
    fails("NoSuchBucket", 404, s3.list_objects_v2, Bucket="nowhere")
    fails("InvalidBucketName", 400, s3.create_bucket, Bucket="ab")
    fails("InvalidLocationConstraint", 400, s3.create_bucket, Bucket="third",
          CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    s3.put_object(Bucket="other", Key="k", Body=b"")
    fails("BucketNotEmpty", 409, s3.delete_bucket, Bucket="other")
    s3.delete_object(Bucket="other", Key="k")
    s3.delete_bucket(Bucket="other")
    fails("NoSuchBucket", 404, s3.delete_bucket, Bucket="other")


def put_and_get():
    put = s3.put_object(Bucket=B, Key="a/b c+d=é%.txt", Body=b"hello", ContentType="text/plain", Metadata={"who": "me", "x-y": "2"},
                        CacheControl="no-cache", ContentDisposition="inline", ContentLanguage="en", ContentEncoding="x-own")
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    assert put["ChecksumCRC32"] == base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode()
    got = s3.get_object(Bucket=B, Key="a/b c+d=é%.txt", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"hello" and got["ContentType"] == "text/plain"
    assert got["Metadata"] == {"who": "me", "x-y": "2"} and got["ChecksumCRC32"] == put["ChecksumCRC32"]
    assert (got["CacheControl"], got["ContentDisposition"], got["ContentLanguage"], got["ContentEncoding"]) == (
        "no-cache", "inline", "en", "x-own")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - got["LastModified"]).total_seconds()) < 60
    head = s3.head_object(Bucket=B, Key="a/b c+d=é%.txt")
    assert head["ContentLength"] == 5 and head["ETag"] == put["ETag"]
    got = s3.get_object(Bucket=B, Key="a/b c+d=é%.txt", ResponseContentType="x/y", ResponseContentDisposition="attachment")
    assert got["ContentType"] == "x/y" and got["ContentDisposition"] == "attachment"
    s3.put_object(Bucket=B, Key="empty")
    assert body("empty") == b"" and s3.head_object(Bucket=B, Key="empty")["ContentType"] == "binary/octet-stream"
    fails("NoSuchKey", 404, s3.get_object, Bucket=B, Key="none")
    fails("404", 404, s3.head_object, Bucket=B, Key="none")
    fails("KeyTooLongError", 400, s3.put_object, Bucket=B, Key="k" * 1025, Body=b"")
    fails("MetadataTooLarge", 400, s3.put_object, Bucket=B, Key="k", Body=b"", Metadata={"m": "x" * 2048})
    s3.put_object(Bucket=B, Key="k" * 1024, Body=b"long")
    assert body("k" * 1024) == b"long"


def keys_are_not_paths():
    names = ["p", "p/", "p/q", "p//q", "../../etc/passwd", "./a", "/lead", "a\\b", "CASE", "case", "x" * 300, "nl\ntab\t", "*?[]", "~",
             "%2e%2e%2f", "日本語/🚗"]
    for name in names:
        s3.put_object(Bucket=B, Key="keys/" + name, Body=name.encode())
    for name in names:
        assert body("keys/" + name) == name.encode(), name
    listed = [o["Key"] for o in s3.list_objects_v2(Bucket=B, Prefix="keys/")["Contents"]]
    assert listed == sorted(("keys/" + n for n in names), key=lambda k: k.encode()), listed
    for name in names:
        s3.delete_object(Bucket=B, Key="keys/" + name)
    assert s3.list_objects_v2(Bucket=B, Prefix="keys/")["KeyCount"] == 0


def ranges():
    data = bytes(range(256)) * 400
    s3.put_object(Bucket=B, Key="r", Body=data)
    for text, piece in [("bytes=0-0", data[:1]), ("bytes=10-19", data[10:20]), ("bytes=102300-", data[102300:]),
                        ("bytes=-7", data[-7:]), ("bytes=100-9999999", data[100:]), ("bytes=-9999999", data)]:
        got = s3.get_object(Bucket=B, Key="r", Range=text)
        assert got["Body"].read() == piece and got["ResponseMetadata"]["HTTPStatusCode"] == 206, text
        assert got["ContentRange"].endswith("/%d" % len(data))
    assert s3.head_object(Bucket=B, Key="r", Range="bytes=0-9")["ContentLength"] == 10
    for text in ["bytes=a-b", "lines=1-2", "bytes=5-2", "bytes=0-1,5-6"]:
        assert len(body("r", Range=text)) == len(data), text
    error = fails("InvalidRange", 416, s3.get_object, Bucket=B, Key="r", Range="bytes=102400-")
    assert error.response["Error"]["ActualObjectSize"] == str(len(data))
    fails("InvalidRange", 416, s3.get_object, Bucket=B, Key="empty", Range="bytes=0-5")


def conditions():
    etag = s3.put_object(Bucket=B, Key="c", Body=b"1")["ETag"]
    assert body("c", IfMatch=etag) == b"1"
    fails("PreconditionFailed", 412, s3.get_object, Bucket=B, Key="c", IfMatch='"00"')
    fails("304", 304, s3.get_object, Bucket=B, Key="c", IfNoneMatch=etag)
    now = datetime.datetime.now(datetime.timezone.utc)
    later, earlier = now + datetime.timedelta(hours=1), now - datetime.timedelta(hours=1)
    fails("304", 304, s3.head_object, Bucket=B, Key="c", IfModifiedSince=later)
    assert body("c", IfModifiedSince=earlier) == b"1" and body("c", IfUnmodifiedSince=later) == b"1"
    fails("PreconditionFailed", 412, s3.get_object, Bucket=B, Key="c", IfUnmodifiedSince=earlier)
    # writes
    fails("PreconditionFailed", 412, s3.put_object, Bucket=B, Key="c", Body=b"2", IfNoneMatch="*")
    s3.put_object(Bucket=B, Key="c-new", Body=b"2", IfNoneMatch="*")
    fails("PreconditionFailed", 412, s3.put_object, Bucket=B, Key="c", Body=b"2", IfMatch='"00"')
    s3.put_object(Bucket=B, Key="c", Body=b"2", IfMatch=etag)
    fails("NoSuchKey", 404, s3.put_object, Bucket=B, Key="c-none", Body=b"2", IfMatch=etag)
    fails("NotImplemented", 501, s3.put_object, Bucket=B, Key="c", Body=b"2", IfNoneMatch=etag)
    assert body("c") == b"2"
    fails("PreconditionFailed", 412, s3.copy_object, Bucket=B, Key="c-new", CopySource={"Bucket": B, "Key": "c"}, IfNoneMatch="*")


def one_winner():
    results = []

    def attempt(i):
        client = cloud.client("s3", validate=False)
        try:
            client.put_object(Bucket=B, Key="race", Body=str(i).encode(), IfNoneMatch="*")
            results.append(i)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"
    threads = [threading.Thread(target=attempt, args=(i,)) for i in range(12)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(results) == 1 and body("race") == str(results[0]).encode()


def listing():
    for key in ["l/a", "l/b/1", "l/b/2", "l/c/1", "l/d", "l/ü/1"]:
        s3.put_object(Bucket=B, Key=key, Body=b"x")
    def names(page):
        return [o["Key"] for o in page.get("Contents", [])], [p["Prefix"] for p in page.get("CommonPrefixes", [])]
    page = s3.list_objects_v2(Bucket=B, Prefix="l/", Delimiter="/")
    assert names(page) == (["l/a", "l/d"], ["l/b/", "l/c/", "l/ü/"]) and page["KeyCount"] == 5
    seen, token = [], None
    for _ in range(10):
        page = s3.list_objects_v2(Bucket=B, Prefix="l/", Delimiter="/", MaxKeys=1, **({"ContinuationToken": token} if token else {}))
        keys, prefixes = names(page)
        seen += keys + prefixes
        assert page["KeyCount"] == 1
        if not page["IsTruncated"]:
            break
        token = page["NextContinuationToken"]
    assert seen == ["l/a", "l/b/", "l/c/", "l/d", "l/ü/"], seen
    assert names(s3.list_objects_v2(Bucket=B, Prefix="l/", StartAfter="l/b/1"))[0] == ["l/b/2", "l/c/1", "l/d", "l/ü/1"]
    assert names(s3.list_objects_v2(Bucket=B, Prefix="l/b"))[0] == ["l/b/1", "l/b/2"]
    assert names(s3.list_objects_v2(Bucket=B, Prefix="l/", Delimiter="1"))[1] == ["l/b/1", "l/c/1", "l/ü/1"]
    assert s3.list_objects_v2(Bucket=B, Prefix="l/", FetchOwner=True)["Contents"][0]["Owner"]["ID"]
    empty = s3.list_objects_v2(Bucket=B, MaxKeys=0)
    assert empty["KeyCount"] == 0 and not empty["IsTruncated"]
    page = s3.list_objects(Bucket=B, Prefix="l/", Delimiter="/", MaxKeys=2)
    assert names(page) == (["l/a"], ["l/b/"]) and page["NextMarker"] == "l/b/"
    assert names(s3.list_objects(Bucket=B, Prefix="l/", Delimiter="/", Marker=page["NextMarker"])) == (["l/d"], ["l/c/", "l/ü/"])
    assert "NextMarker" not in s3.list_objects(Bucket=B, Prefix="l/", MaxKeys=2)
    fails("InvalidArgument", 400, s3.list_objects_v2, Bucket=B, ContinuationToken="junk")
    fails("InvalidArgument", 400, s3.list_objects_v2, Bucket=B, MaxKeys=-1)


def many_pages():
    client = cloud.client("s3", validate=False)
    for i in range(2345):
        client.put_object(Bucket=B, Key="many/%05d" % i, Body=b"")
    keys = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=B, Prefix="many/") for o in page["Contents"]]
    assert keys == ["many/%05d" % i for i in range(2345)]
    for at in range(0, 2345, 1000):
        done = s3.delete_objects(Bucket=B, Delete={"Objects": [{"Key": k} for k in keys[at:at + 1000]], "Quiet": at > 0})
        assert "Errors" not in done and len(done.get("Deleted", [])) == (1000 if at == 0 else 0)
    assert s3.list_objects_v2(Bucket=B, Prefix="many/")["KeyCount"] == 0
    fails("MalformedXML", 400, s3.delete_objects, Bucket=B, Delete={"Objects": [{"Key": str(i)} for i in range(1001)]})


def copying():
    s3.put_object(Bucket=B, Key="from ü", Body=b"data", Metadata={"a": "1"}, ContentType="x/y", Tagging="t=1")
    copied = s3.copy_object(Bucket=B, Key="to", CopySource={"Bucket": B, "Key": "from ü"})["CopyObjectResult"]
    head = s3.head_object(Bucket=B, Key="to")
    assert head["Metadata"] == {"a": "1"} and head["ContentType"] == "x/y" and copied["ETag"] == head["ETag"]
    assert s3.get_object_tagging(Bucket=B, Key="to")["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.copy_object(Bucket=B, Key="to", CopySource={"Bucket": B, "Key": "from ü"}, MetadataDirective="REPLACE", Metadata={"b": "2"},
                   TaggingDirective="REPLACE", Tagging="u=2")
    assert s3.head_object(Bucket=B, Key="to")["Metadata"] == {"b": "2"}
    assert s3.get_object_tagging(Bucket=B, Key="to")["TagSet"] == [{"Key": "u", "Value": "2"}]
    fails("InvalidRequest", 400, s3.copy_object, Bucket=B, Key="to", CopySource={"Bucket": B, "Key": "to"})
    fails("NoSuchKey", 404, s3.copy_object, Bucket=B, Key="to", CopySource={"Bucket": B, "Key": "none"})
    fails("PreconditionFailed", 412, s3.copy_object, Bucket=B, Key="to", CopySource={"Bucket": B, "Key": "from ü"},
          CopySourceIfMatch='"00"')


def tagging():
    s3.put_object(Bucket=B, Key="t", Body=b"", Tagging="a=1&b=x%20y")
    assert s3.get_object_tagging(Bucket=B, Key="t")["TagSet"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "x y"}]
    assert s3.get_object(Bucket=B, Key="t")["TagCount"] == 2
    s3.put_object_tagging(Bucket=B, Key="t", Tagging={"TagSet": [{"Key": "ü<&>", "Value": "'\""}]})
    assert s3.get_object_tagging(Bucket=B, Key="t")["TagSet"] == [{"Key": "ü<&>", "Value": "'\""}]
    s3.delete_object_tagging(Bucket=B, Key="t")
    assert s3.get_object_tagging(Bucket=B, Key="t")["TagSet"] == []
    fails("InvalidTag", 400, s3.put_object_tagging, Bucket=B, Key="t",
          Tagging={"TagSet": [{"Key": "k", "Value": ""}, {"Key": "k", "Value": ""}]})
    fails("BadRequest", 400, s3.put_object_tagging, Bucket=B, Key="t",
          Tagging={"TagSet": [{"Key": str(i), "Value": ""} for i in range(11)]})
    fails("NoSuchKey", 404, s3.get_object_tagging, Bucket=B, Key="none")


def checksums():
    data = b"smart city" * 1000
    for name in ["CRC32", "SHA1", "SHA256"]:
        put = s3.put_object(Bucket=B, Key="sum", Body=data, ChecksumAlgorithm=name)
        own = {"CRC32": lambda d: zlib.crc32(d).to_bytes(4, "big"), "SHA1": lambda d: hashlib.sha1(d).digest(),
               "SHA256": lambda d: hashlib.sha256(d).digest()}[name](data)
        assert put["Checksum" + name] == base64.b64encode(own).decode()
        got = s3.get_object(Bucket=B, Key="sum", ChecksumMode="ENABLED")
        assert got["Body"].read() == data and got["Checksum" + name] == put["Checksum" + name] and got["ChecksumType"] == "FULL_OBJECT"
    # given ones: published check values of "123456789"
    for name, value in [("CRC32C", 0xE3069283), ("CRC64NVME", 0xAE8B14860A799888)]:
        text = base64.b64encode(value.to_bytes(4 if name == "CRC32C" else 8, "big")).decode()
        assert s3.put_object(Bucket=B, Key="sum", Body=b"123456789", **{"Checksum" + name: text})["Checksum" + name] == text
        fails("BadDigest", 400, s3.put_object, Bucket=B, Key="sum", Body=b"12345678", **{"Checksum" + name: text})
    assert s3.get_object_attributes(Bucket=B, Key="sum", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"])["ObjectSize"] == 9
    plain = cloud.client("s3", request_checksum_calculation="when_required")
    assert plain.put_object(Bucket=B, Key="sum", Body=b"123456789")["ChecksumCRC64NVME"] == "rosUhgp5mIg="
    fails("BadDigest", 400, plain.put_object, Bucket=B, Key="sum", Body=b"1", ContentMD5=base64.b64encode(hashlib.md5(b"2").digest()).decode())
    fails("InvalidDigest", 400, plain.put_object, Bucket=B, Key="sum", Body=b"1", ContentMD5="AAAA")


MIB = 1 << 20


def multipart():
    parts = [os.urandom(5 * MIB), os.urandom(5 * MIB + 3), b"tail"]
    made = s3.create_multipart_upload(Bucket=B, Key="m p", Metadata={"a": "1"}, ContentType="x/y", ChecksumAlgorithm="CRC32")
    name = {"Bucket": B, "Key": "m p", "UploadId": made["UploadId"]}
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=B)["Uploads"]] == [made["UploadId"]]
    s3.upload_part(PartNumber=2, Body=b"to be replaced", ChecksumAlgorithm="CRC32", **name)
    done = [s3.upload_part(PartNumber=i + 1, Body=p, ChecksumAlgorithm="CRC32", **name) for i, p in enumerate(parts)]
    listed = s3.list_parts(**name)
    assert [(p["PartNumber"], p["Size"]) for p in listed["Parts"]] == [(i + 1, len(p)) for i, p in enumerate(parts)]
    page = s3.list_parts(MaxParts=2, **name)
    assert page["IsTruncated"] and [p["PartNumber"] for p in s3.list_parts(PartNumberMarker=page["NextPartNumberMarker"], **name)["Parts"]] == [3]
    asked = [{"PartNumber": i + 1, "ETag": p["ETag"], "ChecksumCRC32": p["ChecksumCRC32"]} for i, p in enumerate(done)]
    fails("InvalidPartOrder", 400, s3.complete_multipart_upload, MultipartUpload={"Parts": asked[::-1]}, **name)
    fails("InvalidPart", 400, s3.complete_multipart_upload, MultipartUpload={"Parts": [dict(asked[0], ETag='"00"')]}, **name)
    fails("MalformedXML", 400, s3.complete_multipart_upload, MultipartUpload={"Parts": []}, **name)
    fails("404", 404, s3.head_object, Bucket=B, Key="m p")
    whole = s3.complete_multipart_upload(MultipartUpload={"Parts": asked}, **name)
    etag = hashlib.md5(b"".join(hashlib.md5(p).digest() for p in parts)).hexdigest()
    assert whole["ETag"] == '"%s-3"' % etag and whole["ChecksumType"] == "COMPOSITE"
    crc = zlib.crc32(b"".join(zlib.crc32(p).to_bytes(4, "big") for p in parts)).to_bytes(4, "big")
    assert whole["ChecksumCRC32"] == base64.b64encode(crc).decode() + "-3"
    again = s3.complete_multipart_upload(MultipartUpload={"Parts": asked}, **name)
    assert again["ETag"] == whole["ETag"]
    got = s3.get_object(Bucket=B, Key="m p", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"".join(parts) and got["Metadata"] == {"a": "1"} and got["ContentType"] == "x/y"
    second = s3.get_object(Bucket=B, Key="m p", PartNumber=2, ChecksumMode="ENABLED")
    assert second["ChecksumCRC32"] == done[1]["ChecksumCRC32"] and second["ChecksumType"] == "COMPOSITE"
    fails("InvalidPartNumber", 416, s3.get_object, Bucket=B, Key="m p", PartNumber=4)
    assert second["Body"].read() == parts[1] and second["PartsCount"] == 3
    assert s3.get_object_attributes(Bucket=B, Key="m p", ObjectAttributes=["ObjectParts"])["ObjectParts"]["TotalPartsCount"] == 3
    fails("NoSuchUpload", 404, s3.list_parts, **name)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=B)


def multipart_refusals():
    name = {"Bucket": B, "Key": "m2"}
    upload = s3.create_multipart_upload(**name)["UploadId"]
    small = [s3.upload_part(PartNumber=i, Body=b"small", UploadId=upload, **name) for i in (1, 2)]
    fails("EntityTooSmall", 400, s3.complete_multipart_upload, UploadId=upload,
          MultipartUpload={"Parts": [{"PartNumber": i + 1, "ETag": p["ETag"]} for i, p in enumerate(small)]}, **name)
    fails("InvalidArgument", 400, s3.upload_part, PartNumber=10001, Body=b"", UploadId=upload, **name)
    s3.abort_multipart_upload(UploadId=upload, **name)
    fails("NoSuchUpload", 404, s3.upload_part, PartNumber=1, Body=b"", UploadId=upload, **name)
    fails("NoSuchUpload", 404, s3.abort_multipart_upload, UploadId=upload, **name)
    # conditional completion
    s3.put_object(Body=b"there", **name)
    upload = s3.create_multipart_upload(**name)["UploadId"]
    part = s3.upload_part(PartNumber=7, Body=b"one part", UploadId=upload, **name)
    asked = {"Parts": [{"PartNumber": 7, "ETag": part["ETag"]}]}
    fails("PreconditionFailed", 412, s3.complete_multipart_upload, UploadId=upload, MultipartUpload=asked, IfNoneMatch="*", **name)
    assert body("m2") == b"there"
    s3.complete_multipart_upload(UploadId=upload, MultipartUpload=asked, **name)
    assert body("m2") == b"one part" and body("m2", PartNumber=7) == b"one part"


def multipart_copy_and_full_checksums():
    data = os.urandom(12 * MIB)
    s3.put_object(Bucket=B, Key="src", Body=data)
    name = {"Bucket": B, "Key": "m3"}
    upload = s3.create_multipart_upload(ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT", **name)["UploadId"]
    parts = []
    for number, (first, last) in enumerate([(0, 6 * MIB - 1), (6 * MIB, 12 * MIB - 1)], 1):
        done = s3.upload_part_copy(PartNumber=number, UploadId=upload, CopySource={"Bucket": B, "Key": "src"},
                                   CopySourceRange="bytes=%d-%d" % (first, last), **name)["CopyPartResult"]
        parts.append({"PartNumber": number, "ETag": done["ETag"]})
    whole = s3.complete_multipart_upload(UploadId=upload, MultipartUpload={"Parts": parts}, **name)
    assert whole["ChecksumCRC32"] == base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    assert whole["ChecksumType"] == "FULL_OBJECT" and body("m3") == data


def completed_twice_at_once():
    parts = [os.urandom(5 * MIB) for _ in range(4)]
    name = {"Bucket": B, "Key": "twice"}
    upload = s3.create_multipart_upload(**name)["UploadId"]
    asked = {"Parts": [{"PartNumber": i, "ETag": s3.upload_part(PartNumber=i, Body=p, UploadId=upload, **name)["ETag"]}
                       for i, p in enumerate(parts, 1)]}
    answers = []
    def complete():
        answers.append(cloud.client("s3", validate=False).complete_multipart_upload(UploadId=upload, MultipartUpload=asked, **name)["ETag"])
    threads = [threading.Thread(target=complete) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(answers) == 4 and len(set(answers)) == 1
    assert body("twice") == b"".join(parts)


def whole_checksum_promised():
    name = {"Bucket": B, "Key": "promised"}
    for kind, composite in (("FULL_OBJECT", False), ("COMPOSITE", True)):
        upload = s3.create_multipart_upload(ChecksumAlgorithm="CRC32", ChecksumType=kind, **name)["UploadId"]
        part = s3.upload_part(PartNumber=1, Body=b"all of it", UploadId=upload, ChecksumAlgorithm="CRC32", **name)
        asked = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}]}
        own = zlib.crc32(b"all of it").to_bytes(4, "big")
        own = base64.b64encode(zlib.crc32(own).to_bytes(4, "big") if composite else own).decode()
        fails("BadDigest", 400, s3.complete_multipart_upload, UploadId=upload, MultipartUpload=asked, ChecksumCRC32="AAAAAA==", **name)
        s3.complete_multipart_upload(UploadId=upload, MultipartUpload=asked, ChecksumCRC32=own, ChecksumType=kind, **name)
    assert body("promised") == b"all of it"


def small_print():
    s3.put_object(Bucket=B, Key="e", Body=b"", Metadata={"empty": ""})
    assert s3.head_object(Bucket=B, Key="e")["Metadata"] == {"empty": ""}
    versions = s3.list_object_versions(Bucket=B, MaxKeys=2)
    assert versions["IsTruncated"] and [v["VersionId"] for v in versions["Versions"]] == ["null", "null"]
    following = s3.list_object_versions(Bucket=B, KeyMarker=versions["NextKeyMarker"], VersionIdMarker=versions["NextVersionIdMarker"])
    assert following["Versions"][0]["Key"] > versions["Versions"][-1]["Key"]
    parts = s3.get_object_attributes(Bucket=B, Key="m p", ObjectAttributes=["ObjectParts"], MaxParts=2)["ObjectParts"]
    assert [p["Size"] for p in parts["Parts"]] == [5 * MIB, 5 * MIB + 3] and parts["IsTruncated"]


def managed_transfer():
    data = os.urandom(30 * MIB)
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(data), B, "big", Config=config)
    out = io.BytesIO()
    s3.download_fileobj(B, "big", out, Config=config)
    assert out.getvalue() == data


class Unseekable:
    def __init__(self, data):
        self.data = io.BytesIO(data)

    def read(self, size=-1):
        return self.data.read(size)


def streamed():
    data = os.urandom(200000)
    s3.put_object(Bucket=B, Key="streamed", Body=data, ChecksumAlgorithm="SHA256")
    s3.upload_fileobj(Unseekable(data), B, "streamed")
    assert body("streamed") == data and "ContentEncoding" not in s3.head_object(Bucket=B, Key="streamed")


def fetch(url, method="GET", data=None, headers={}):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, data=data, headers=headers)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def presigned():
    v4 = cloud.client("s3", signature_version="s3v4")
    v4.put_object(Bucket=B, Key="pre ü", Body=b"secret")
    for client in (v4, s3):  # s3: what botocore makes of us-east-1 by itself, the older query form
        url = client.generate_presigned_url("get_object", {"Bucket": B, "Key": "pre ü", "ResponseContentType": "x/y"}, ExpiresIn=60)
        assert fetch(url) == (200, b"secret")
        status, answer = fetch(url.replace("pre%20", "pra%20"))
        assert status == 403 and b"SignatureDoesNotMatch" in answer
    url = v4.generate_presigned_url("put_object", {"Bucket": B, "Key": "up"}, ExpiresIn=60)
    assert fetch(url, "PUT", b"by url", {"content-type": ""})[0] in (200, 403)
    url = v4.generate_presigned_url("put_object", {"Bucket": B, "Key": "up", "ContentType": "x/y"}, ExpiresIn=60)
    assert fetch(url, "PUT", b"by url", {"content-type": "x/y"})[0] == 200
    assert body("up") == b"by url"


def refused():
    fails("InvalidAccessKeyId", 403, cloud.client("s3", aws_access_key_id="AKIANOBODY").list_objects_v2, Bucket=B)
    fails("SignatureDoesNotMatch", 403, cloud.client("s3", aws_secret_access_key="x" * 40).list_objects_v2, Bucket=B)
    from botocore import UNSIGNED
    fails("AccessDenied", 403, cloud.client("s3", signature_version=UNSIGNED).list_objects_v2, Bucket=B)
    elsewhere = boto3.client("s3", endpoint_url=cloud.endpoint, region_name="eu-west-2", aws_access_key_id=cloud.access_key,
                             aws_secret_access_key=cloud.secret_key)
    elsewhere.put_object(Bucket=B, Key="k", Body=b"")  # botocore reads the right region out of the refusal and tries again
    fails("NotImplemented", 501, s3.get_bucket_policy, Bucket=B)
    fails("NotImplemented", 501, s3.put_object_acl, Bucket=B, Key="c", ACL="private")


def many_clients():
    errors = []

    def work(i):
        client = cloud.client("s3", validate=False)
        try:
            for n in range(25):
                data = os.urandom(1000 + 37 * n)
                client.put_object(Bucket=B, Key="w/%d/%d" % (i, n % 5), Body=data)
                assert client.get_object(Bucket=B, Key="w/%d/%d" % (i, n % 5))["Body"].read() == data
                client.put_object(Bucket=B, Key="w/shared", Body=data)
                got = client.get_object(Bucket=B, Key="w/shared")
                assert got["ETag"] == '"%s"' % hashlib.md5(got["Body"].read()).hexdigest()
                client.list_objects_v2(Bucket=B, Prefix="w/")
        except Exception as error:
            errors.append(error)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not errors, errors[0]


run([buckets, put_and_get, keys_are_not_paths, ranges, conditions, one_winner, listing, many_pages, copying, tagging, checksums,
     multipart, multipart_refusals, multipart_copy_and_full_checksums, completed_twice_at_once, whole_checksum_promised, small_print,
     managed_transfer, streamed, presigned, refused, many_clients])
finish(cloud)
