"""A client that puts objects into a bucket of its own, overwrites and deletes them, and uploads in parts."""

import hashlib
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness import clients
from harness.seed import EUROPE, ONE, SEEDED_KEY
from harness.server import Server
from torture.history import Broken, State
from torture.workers.worker import Call, Worker, digest

SIZES = (0, 1, 700, 5_000, 70_000, 300_000)
KEYS = ("a", "b", "long/name/of/an/object")
VERSIONS_MAX = 4


class ObjectWorker(Worker):
    """Objects of all sizes under keys of the service and of KMS.

    Of an object it is known: the digests of its versions, newest first; the number of delete markers; and whether one
    of these is newest.
    """

    def __init__(self, name: str, seed: int, *, versioned: bool = False):
        super().__init__(name, seed)
        self.versioned = versioned
        # The parts that were sent, by their digests.
        self._parts: dict[str, bytes] = {}

    def next_call(self, state: State) -> Call:
        buckets = [fact[1] for fact in state if fact[0] == "bucket"]
        if not buckets:
            return self._create_bucket()
        [bucket] = buckets
        if self.versioned and state[("bucket", bucket)] == "plain":
            return self._keep_versions(bucket)
        key = self.luck.choice(KEYS)
        if ("upload", bucket, key) in state:
            return self._continue_upload(state, bucket, key)
        versions, markers, is_gone = state.get(("object", bucket, key), ((), 0, False))
        if len(versions) > 2 * VERSIONS_MAX:
            return self._delete_oldest(bucket, key, {("object", bucket, key): (versions[:-1], markers, is_gone)})
        choice = self.luck.random()
        if choice < 0.15:
            return self._begin_upload(bucket, key)
        if choice < 0.35 and ("object", bucket, key) in state:
            return self._delete(state, bucket, key)
        return self._put(state, bucket, key)

    def _create_bucket(self) -> Call:
        name = self.new_name()
        place = {"LocationConstraint": EUROPE}
        return Call(
            f"CreateBucket {name}",
            lambda server: s3(server).create_bucket(Bucket=name, CreateBucketConfiguration=place),
            {("bucket", name): "plain"},
        )

    def _keep_versions(self, bucket: str) -> Call:
        enabled = {"Status": "Enabled"}
        return Call(
            f"PutBucketVersioning {bucket}",
            lambda server: s3(server).put_bucket_versioning(Bucket=bucket, VersioningConfiguration=enabled),
            {("bucket", bucket): "versioned"},
        )

    def _put(self, state: State, bucket: str, key: str) -> Call:
        body = self.luck.randbytes(self.luck.choice(SIZES))
        by_kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": SEEDED_KEY}
        how = by_kms if self.luck.random() < 0.3 else {}
        return Call(
            f"PutObject {bucket}/{key} {digest(body)}",
            lambda server: s3(server).put_object(Bucket=bucket, Key=key, Body=body, **how),
            self._with_version(state, bucket, key, digest(body)),
            is_logged=False,
        )

    def _with_version(self, state: State, bucket: str, key: str, version: str) -> State:
        versions, markers, _ = state.get(("object", bucket, key), ((), 0, False))
        return {("object", bucket, key): ((version, *(versions if self.versioned else ())), markers, False)}

    def _delete(self, state: State, bucket: str, key: str) -> Call:
        fact = ("object", bucket, key)
        versions, markers, is_gone = state[fact]
        if not self.versioned:
            change: State = {fact: None}
        elif len(versions) >= VERSIONS_MAX:
            return self._delete_oldest(bucket, key, {fact: (versions[:-1], markers, is_gone)})
        else:
            change = {fact: (versions, markers + 1, True)}
        return Call(
            f"DeleteObject {bucket}/{key}",
            lambda server: s3(server).delete_object(Bucket=bucket, Key=key),
            change,
            is_logged=False,
        )

    def _delete_oldest(self, bucket: str, key: str, change: State) -> Call:
        def run(server: Server) -> dict[str, Any]:
            versions = s3(server).list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
            return s3(server).delete_object(Bucket=bucket, Key=key, VersionId=versions[-1]["VersionId"])

        return Call(f"DeleteObject {bucket}/{key}, its oldest version", run, change, is_logged=False)

    def _begin_upload(self, bucket: str, key: str) -> Call:
        return Call(
            f"CreateMultipartUpload {bucket}/{key}",
            lambda server: s3(server).create_multipart_upload(Bucket=bucket, Key=key),
            {("upload", bucket, key): ()},
            is_logged=False,
        )

    def _continue_upload(self, state: State, bucket: str, key: str) -> Call:
        upload, parts = ("upload", bucket, key), state[("upload", bucket, key)]
        if not parts or self.luck.random() < 0.3:
            return self._upload_part(bucket, key)
        if self.luck.random() < 0.25:
            return Call(
                f"AbortMultipartUpload {bucket}/{key}",
                lambda server: s3(server).abort_multipart_upload(**named(server, bucket, key)),
                {upload: None},
                is_logged=False,
            )
        content = digest(self._parts[parts[0]])
        return Call(
            f"CompleteMultipartUpload {bucket}/{key} {content}",
            lambda server: complete(server, bucket, key),
            {upload: None} | self._with_version(state, bucket, key, content),
            is_logged=False,
        )

    def _upload_part(self, bucket: str, key: str) -> Call:
        # One part alone may be as short as it likes; sent again, it takes the place of the one before.
        body = self.luck.randbytes(self.luck.choice(SIZES[2:]))
        part = hashlib.md5(body).hexdigest()
        self._parts[part] = body
        return Call(
            f"UploadPart {bucket}/{key} {digest(body)}",
            lambda server: s3(server).upload_part(**named(server, bucket, key), PartNumber=1, Body=body),
            {("upload", bucket, key): (part,)},
            is_logged=False,
        )

    @staticmethod
    def look(server: Server, prefix: str) -> State:
        found: State = {}
        for bucket in s3(server).list_buckets()["Buckets"]:
            if bucket["Name"].startswith(prefix):
                found |= look_at_bucket(s3(server), bucket["Name"])
        return found


def s3(server: Server) -> Any:
    """A client for this endpoint, the same for each call."""
    return clients.client("s3", server.endpoint, ONE, EUROPE, ())


def named(server: Server, bucket: str, key: str) -> dict[str, str]:
    """The one upload of this key."""
    uploads = s3(server).list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    [upload] = [upload["UploadId"] for upload in uploads if upload["Key"] == key]
    return {"Bucket": bucket, "Key": key, "UploadId": upload}


def complete(server: Server, bucket: str, key: str) -> dict[str, Any]:
    """Makes an object of the parts that are there."""
    upload = named(server, bucket, key)
    parts = s3(server).list_parts(**upload)["Parts"]
    told = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]
    return s3(server).complete_multipart_upload(**upload, MultipartUpload={"Parts": told})


def look_at_bucket(client: Any, bucket: str) -> State:
    """The facts of a bucket, its objects with all versions, and its uploads."""
    versioning = client.get_bucket_versioning(Bucket=bucket).get("Status")
    found: State = {("bucket", bucket): "versioned" if versioning == "Enabled" else "plain"}
    pages = list(client.get_paginator("list_object_versions").paginate(Bucket=bucket))
    versions, markers = (
        [one for page in pages for one in page.get(kind, [])] for kind in ("Versions", "DeleteMarkers")
    )
    for key in sorted({one["Key"] for one in (*versions, *markers)}):
        mine = [one for one in versions if one["Key"] == key]
        gone = [one for one in markers if one["Key"] == key]
        contents = tuple(_content(client, bucket, one) for one in mine)
        broken = [one for one in contents if isinstance(one, Broken)]
        value = (contents, len(gone), any(one["IsLatest"] for one in gone))
        found[("object", bucket, key)] = broken[0] if broken else value
    for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        parts = client.list_parts(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]).get("Parts", [])
        found[("upload", bucket, upload["Key"])] = tuple(part["ETag"].strip('"') for part in parts)
    return found


def _content(client: Any, bucket: str, version: dict[str, Any]) -> str | Broken:
    try:
        answer = client.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        return digest(answer["Body"].read())
    except (ClientError, BotoCoreError) as failure:
        return Broken(f"{version['Key']} is listed and cannot be read: {failure}")
