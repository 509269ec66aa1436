// S3 and STS by the JavaScript SDK v3, which streams as aws-chunked with trailers even over plain http.
// Endpoint, region and keys come from the environment. Prints TAP.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand, CopyObjectCommand, CreateBucketCommand, CreateMultipartUploadCommand, DeleteObjectsCommand,
  GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client, UploadPartCommand, paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const s3 = new S3Client({ maxAttempts: 1 });
const Bucket = "js-lake";
const bytes = async (Key, client = s3) => Buffer.from(await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body.transformToByteArray());
const refused = (code, promise) => assert.rejects(promise, (error) => error.name === code || assert.fail(`${error.name} instead of ${code}`));

const tests = {
  async puts_and_gets() {
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "a b+c/é=1", Body: "hello", ContentType: "text/plain", Metadata: { who: "me" } }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: "a b+c/é=1" }));
    assert.equal(await got.Body.transformToString(), "hello");
    assert.deepEqual([got.ContentType, got.Metadata.who], ["text/plain", "me"]);
    await refused("NoSuchKey", s3.send(new GetObjectCommand({ Bucket, Key: "none" })));
    await refused("NotFound", s3.send(new HeadObjectCommand({ Bucket, Key: "none" })));
    await refused("PreconditionFailed", s3.send(new PutObjectCommand({ Bucket, Key: "a b+c/é=1", Body: "", IfNoneMatch: "*" })));
  },
  async streams_in_chunks_with_trailers() {
    const data = randomBytes(3_000_000);
    for (const ChecksumAlgorithm of [undefined, "CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"]) {
      const pieces = [];
      for (let at = 0; at < data.length; at += 70_001) pieces.push(data.subarray(at, at + 70_001));
      await s3.send(new PutObjectCommand({ Bucket, Key: "stream", Body: Readable.from(pieces), ContentLength: data.length, ChecksumAlgorithm }));
      assert.ok((await bytes("stream")).equals(data), String(ChecksumAlgorithm));
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "stream" }));
      assert.equal(head.ContentEncoding, undefined);
      assert.equal(head.ETag, `"${createHash("md5").update(data).digest("hex")}"`);
    }
  },
  async uploads_in_parts() {
    const data = randomBytes(17_000_000);
    const done = await new Upload({ client: s3, params: { Bucket, Key: "parts", Body: Readable.from([data]) }, partSize: 6 << 20 }).done();
    assert.match(done.ETag, /-3"$/);
    assert.ok((await bytes("parts")).equals(data));
    const made = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "one" }));
    const part = await s3.send(new UploadPartCommand({ Bucket, Key: "one", UploadId: made.UploadId, PartNumber: 1, Body: "one part" }));
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: "one", UploadId: made.UploadId,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }] } }));
    assert.equal((await bytes("one")).toString(), "one part");
  },
  async lists_copies_and_deletes() {
    for (let i = 0; i < 7; i++) await s3.send(new PutObjectCommand({ Bucket, Key: `l/${i % 2}/${i}`, Body: String(i) }));
    const page = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "l/", Delimiter: "/" }));
    assert.deepEqual(page.CommonPrefixes.map((p) => p.Prefix), ["l/0/", "l/1/"]);
    const keys = [];
    for await (const one of paginateListObjectsV2({ client: s3, pageSize: 3 }, { Bucket, Prefix: "l/" })) keys.push(...one.Contents.map((o) => o.Key));
    assert.equal(keys.length, 7);
    await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/l/0/0` }));
    assert.equal((await bytes("copy")).toString(), "0");
    const gone = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }));
    assert.equal(gone.Deleted.length, 7);
  },
  async presigns() {
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "copy" }), { expiresIn: 60 });
    assert.equal(await (await fetch(url)).text(), "0");
    assert.equal((await fetch(url.replace("copy", "one"))).status, 403);
    const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "by-url" }), { expiresIn: 60 });
    assert.equal((await fetch(put, { method: "PUT", body: "by url" })).status, 200);
    assert.equal((await bytes("by-url")).toString(), "by url");
  },
  async assumes_a_role() {
    const sts = new STSClient({});
    assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Account, "000000000000");
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: "arn:aws:iam::000000000000:role/reader", RoleSessionName: "js" }));
    const other = new S3Client({ credentials: { accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken } });
    assert.equal((await bytes("copy", other)).toString(), "0");
  },
};

let number = 0, failed = 0;
for (const [name, test] of Object.entries(tests)) {
  number++;
  try {
    await test();
    console.log(`ok ${number} - ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${number} - ${name}`);
    for (const line of String(error.stack ?? error).split("\n")) console.log("# " + line);
  }
}
process.exit(failed ? 1 : 0);
