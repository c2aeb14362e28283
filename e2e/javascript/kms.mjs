// The AWS SDK for JavaScript against a running server. The environment names endpoint, Region and credentials.
// Run by tests/test_javascript.py; each test is one export of what a user would write.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as kms from "@aws-sdk/client-kms";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const client = new kms.KMSClient({});
const send = (command) => client.send(command);
const { KEYWRIGHT_KEY_ARN: keyArn, KEYWRIGHT_ALIAS: alias, KEYWRIGHT_ACCOUNT: account } = process.env;
const bytes = (text) => new TextEncoder().encode(text);

async function refused(promise, exception, message) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof exception, `${error}`);
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
    if (message !== undefined) assert.equal(error.message, message);
    return true;
  });
}

test("encrypts and decrypts through id, ARN, alias and alias ARN", async () => {
  const aliasArn = keyArn.replace(/key\/.*$/, alias);
  for (const KeyId of [keyArn, keyArn.split("/")[1], alias, aliasArn]) {
    const EncryptionContext = { purpose: "töst" };
    const sealed = await send(new kms.EncryptCommand({ KeyId, Plaintext: bytes("hello"), EncryptionContext }));
    assert.equal(sealed.KeyId, keyArn);
    const opened = await send(new kms.DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob, EncryptionContext }));
    assert.equal(new TextDecoder().decode(opened.Plaintext), "hello");
    await refused(send(new kms.DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob })), kms.InvalidCiphertextException);
  }
});

test("makes, tags, disables and schedules a key", async () => {
  const made = await send(new kms.CreateKeyCommand({ Tags: [{ TagKey: "a", TagValue: "b" }] }));
  const { KeyId, Arn, CreationDate } = made.KeyMetadata;
  assert.ok(Math.abs(Date.now() - CreationDate.getTime()) < 60_000);
  assert.deepEqual((await send(new kms.ListResourceTagsCommand({ KeyId }))).Tags, [{ TagKey: "a", TagValue: "b" }]);
  await send(new kms.DisableKeyCommand({ KeyId }));
  await refused(
    send(new kms.GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256" })), kms.DisabledException, `${Arn} is disabled.`,
  );
  const scheduled = await send(new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  assert.ok(scheduled.DeletionDate instanceof Date);
  await refused(send(new kms.EnableKeyCommand({ KeyId })), kms.KMSInvalidStateException);
});

test("makes data keys that decrypt", async () => {
  const made = await send(new kms.GenerateDataKeyCommand({ KeyId: alias, NumberOfBytes: 64 }));
  const opened = await send(new kms.DecryptCommand({ KeyId: keyArn, CiphertextBlob: made.CiphertextBlob }));
  assert.deepEqual(opened.Plaintext, made.Plaintext);
});

test("pages through keys and aliases", async () => {
  let found = 0;
  for await (const page of kms.paginateListKeys({ client, pageSize: 1 }, {})) found += page.Keys.length;
  assert.ok(found >= 1);
  const names = [];
  for await (const page of kms.paginateListAliases({ client, pageSize: 1 }, { KeyId: keyArn })) {
    names.push(...page.Aliases.map((entry) => entry.AliasName));
  }
  assert.ok(names.includes(alias));
});

test("gets the modelled errors", async () => {
  await refused(
    send(new kms.DescribeKeyCommand({ KeyId: "fake-key-id" })), kms.NotFoundException, "Invalid keyId 'fake-key-id'",
  );
  await refused(send(new kms.RetireGrantCommand({ GrantToken: "x" })), kms.InvalidGrantTokenException);
  await refused(send(new kms.ListKeysCommand({ Marker: "x" })), kms.InvalidMarkerException);
});

test("asks who calls", async () => {
  const identity = await new STSClient({}).send(new GetCallerIdentityCommand({}));
  assert.equal(identity.Account, account);
});

test("sends many calls at once", async () => {
  const blobs = await Promise.all(
    Array.from({ length: 64 }, (_, n) => send(new kms.EncryptCommand({ KeyId: keyArn, Plaintext: bytes(`${n}`) }))),
  );
  const opened = await Promise.all(blobs.map(({ CiphertextBlob }) => send(new kms.DecryptCommand({ CiphertextBlob }))));
  assert.deepEqual(opened.map(({ Plaintext }) => new TextDecoder().decode(Plaintext)), blobs.map((_, n) => `${n}`));
});
