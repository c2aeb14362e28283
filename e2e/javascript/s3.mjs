// The AWS SDK for JavaScript and its transfer manager against a running server. The environment names endpoint, Region,
// credentials and a key. Run by tests/test_objects_clients.py.
import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import * as s3 from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const client = new s3.S3Client({ forcePathStyle: true });
const send = (command) => client.send(command);
const { KEYWRIGHT_KEY_ARN: keyArn, AWS_REGION: region } = process.env;
const Bucket = `javascript-${randomUUID()}`;
const bytes = async (answer) => Buffer.from(await answer.Body.transformToByteArray());

async function refused(promise, name, status) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.name, name, `${error}`);
    assert.equal(error.$metadata.httpStatusCode, status);
    return true;
  });
}

test("makes a bucket", async () => {
  await send(new s3.CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region } }));
  await refused(
    send(new s3.CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region } })),
    "BucketAlreadyOwnedByYou", 409,
  );
  const { Buckets } = await send(new s3.ListBucketsCommand({}));
  assert.ok(Buckets.some((bucket) => bucket.Name === Bucket));
});

test("puts and gets an object under a key of KMS", async () => {
  const Body = randomBytes(300_000);
  const kms = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: keyArn };
  const put = await send(new s3.PutObjectCommand({ Bucket, Key: "a/b c", Body, Metadata: { colour: "blue" }, ...kms }));
  assert.ok(put.ChecksumCRC32);
  const got = await send(new s3.GetObjectCommand({ Bucket, Key: "a/b c" }));
  assert.deepEqual(await bytes(got), Body);
  assert.equal(got.SSEKMSKeyId, keyArn);
  assert.deepEqual(got.Metadata, { colour: "blue" });
  const part = await send(new s3.GetObjectCommand({ Bucket, Key: "a/b c", Range: "bytes=10-19" }));
  assert.deepEqual(await bytes(part), Body.subarray(10, 20));
  await refused(send(new s3.GetObjectCommand({ Bucket, Key: "absent" })), "NoSuchKey", 404);
  const Wrong = { ChecksumSHA256: createHash("sha256").update("other").digest("base64") };
  await refused(send(new s3.PutObjectCommand({ Bucket, Key: "wrong", Body, ...Wrong })), "BadDigest", 400);
});

test("uploads in parts", async () => {
  const Body = randomBytes(12_000_000);
  const params = { Bucket, Key: "large", Body, ServerSideEncryption: "aws:kms", SSEKMSKeyId: keyArn };
  const done = await new Upload({ client, params, partSize: 5 << 20 }).done();
  assert.match(done.ETag, /-3"$/);
  assert.deepEqual(await bytes(await send(new s3.GetObjectCommand({ Bucket, Key: "large" }))), Body);
  const second = await send(new s3.GetObjectCommand({ Bucket, Key: "large", PartNumber: 2 }));
  assert.equal(second.PartsCount, 3);
  assert.deepEqual(await bytes(second), Body.subarray(5 << 20, 10 << 20));
  const asked = { Bucket, Key: "large", ObjectAttributes: ["ObjectSize", "ObjectParts"] };
  const told = await send(new s3.GetObjectAttributesCommand(asked));
  assert.equal(told.ObjectSize, Body.length);
  assert.equal(told.ObjectParts.TotalPartsCount, 3);
});

test("pages through a bucket", async () => {
  const keys = [];
  for await (const page of s3.paginateListObjectsV2({ client, pageSize: 1 }, { Bucket })) {
    keys.push(...(page.Contents ?? []).map((one) => one.Key));
  }
  assert.deepEqual(keys, ["a/b c", "large"]);
});

test("signs URLs", async () => {
  const put = await getSignedUrl(client, new s3.PutObjectCommand({ Bucket, Key: "signed" }));
  assert.equal((await fetch(put, { method: "PUT", body: "by URL" })).status, 200);
  const get = await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key: "signed" }));
  assert.equal(await (await fetch(get)).text(), "by URL");
  assert.equal((await fetch(get.replace("/signed?", "/large?"))).status, 403);
});

test("deletes", async () => {
  const Objects = ["a/b c", "large", "signed"].map((Key) => ({ Key }));
  const { Deleted } = await send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.equal(Deleted.length, 3);
  await send(new s3.DeleteBucketCommand({ Bucket }));
  await refused(send(new s3.HeadBucketCommand({ Bucket })), "NotFound", 404);
});
