"""DSSE-KMS: contents that are encrypted twice, under two keys that have nothing to do with each other.

Source: Amazon S3 User Guide, "Using dual-layer server-side encryption with AWS KMS keys (DSSE-KMS)".
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import clients
from harness.buckets import new_bucket
from harness.expect import refused
from harness.polling import eventually

from harness.server import Server

CHUNK = 65_536
TAG = 16
TWICE = {"ServerSideEncryption": "aws:kms:dsse"}


@pytest.fixture
def twice(key: str) -> dict[str, Any]:
    return TWICE | {"SSEKMSKeyId": key}


def body_of(answer: dict[str, Any]) -> bytes:
    return answer["Body"].read()


def sealed(length: int) -> int:
    """How long contents of a length are after one layer."""
    return length + max(1, -(-length // CHUNK)) * TAG


def test_it_is_said_wherever_it_is_so(s3: Any, bucket: str, key: str, twice: dict[str, Any]) -> None:
    body = os.urandom(200_000)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, **twice)
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms:dsse", key)
    assert put["ETag"] != f'"{hashlib.md5(body).hexdigest()}"'
    for read in (s3.get_object, s3.head_object):
        got = read(Bucket=bucket, Key="k")
        assert (got["ServerSideEncryption"], got["SSEKMSKeyId"]) == ("aws:kms:dsse", key)
        assert got["ContentLength"] == len(body)
    managed = s3.put_object(Bucket=bucket, Key="l", Body=b"x", **TWICE)
    assert managed["ServerSideEncryption"] == "aws:kms:dsse" and managed["SSEKMSKeyId"] != key


@pytest.mark.parametrize("length", [0, 1, CHUNK - TAG, CHUNK - TAG + 1, CHUNK, CHUNK + 1, 2 * CHUNK - 2 * TAG, 300_000])
def test_whole_and_in_ranges_it_is_what_was_put(s3: Any, bucket: str, twice: dict[str, Any], length: int) -> None:
    body = os.urandom(length)
    s3.put_object(Bucket=bucket, Key="k", Body=body, **twice)
    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == body
    for start in sorted({0, CHUNK - TAG - 1, CHUNK - 1, CHUNK, length - 1} & set(range(length))):
        for end in sorted({start, start + TAG, CHUNK, length - 1} & set(range(start, length))):
            got = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={start}-{end}")
            assert body_of(got) == body[start : end + 1]


def test_each_object_costs_its_calls_and_never_has_a_bucket_key(
    server: Server, s3: Any, bucket: str, key: str, twice: dict[str, Any]
) -> None:
    default = {"SSEAlgorithm": "aws:kms:dsse", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    told = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert told[0]["ApplyServerSideEncryptionByDefault"] == default
    for number, options in enumerate([{}, {"BucketKeyEnabled": True}, twice, twice | {"BucketKeyEnabled": True}]):
        put = s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x", **options)
        assert put["ServerSideEncryption"] == "aws:kms:dsse" and "BucketKeyEnabled" not in put
        got = s3.get_object(Bucket=bucket, Key=f"k{number}")
        assert body_of(got) == b"x" and "BucketKeyEnabled" not in got
    attribute = {"AttributeKey": "ResourceName", "AttributeValue": key}

    def contexts() -> list[tuple[str, str]]:
        found = clients.cloudtrail(server).lookup_events(LookupAttributes=[attribute])["Events"]
        events = [json.loads(one["CloudTrailEvent"]) for one in found]
        calls = [one for one in events if one["eventName"] in ("GenerateDataKey", "Decrypt")]
        return sorted(
            (one["eventName"], one["requestParameters"]["encryptionContext"]["aws:s3:arn"]) for one in calls
        )

    objects = [f"arn:aws:s3:::{bucket}/k{number}" for number in range(4)]
    expected = sorted((name, arn) for name in ("GenerateDataKey", "Decrypt") for arn in objects)
    assert eventually(lambda: contexts() == expected, "one call of each kind for each object")


def test_in_parts_and_by_copies(s3: Any, bucket: str, twice: dict[str, Any]) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", **twice)
    assert upload["ServerSideEncryption"] == "aws:kms:dsse"
    about = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    bodies, parts = [os.urandom((5 << 20) + 1), os.urandom(70_000)], []
    for number, body in enumerate(bodies, 1):
        part = s3.upload_part(PartNumber=number, Body=body, **about)
        assert part["ServerSideEncryption"] == "aws:kms:dsse"
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **about)
    whole = b"".join(bodies)
    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == whole
    at = len(bodies[0])
    assert body_of(s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={at - 3}-{at + 2}")) == whole[at - 3 : at + 3]
    plain = s3.copy_object(Bucket=bucket, Key="l", CopySource=f"{bucket}/k")
    assert plain["ServerSideEncryption"] == "AES256"
    again = s3.copy_object(Bucket=bucket, Key="l", CopySource=f"{bucket}/l", **twice)
    assert again["ServerSideEncryption"] == "aws:kms:dsse"
    assert body_of(s3.get_object(Bucket=bucket, Key="l")) == whole


def test_who_may_not_use_the_key_may_not_read(
    s3: Any, kms: Any, bucket: str, key: str, twice: dict[str, Any], s3_user: Callable[..., Any]
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **twice)
    stranger = s3_user("s3:*", "*")
    with refused("AccessDenied", status=403):
        stranger.get_object(Bucket=bucket, Key="k")
    with refused("AccessDenied", status=403):
        stranger.put_object(Bucket=bucket, Key="l", Body=b"x", **twice)
    assert body_of(s3_user(["s3:*", "kms:Decrypt"], "*").get_object(Bucket=bucket, Key="k")) == b"x"
    kms.disable_key(KeyId=key)
    with refused("KMS.DisabledException", f"{key} is disabled."):
        s3.get_object(Bucket=bucket, Key="k")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path).start()
    yield server
    server.close()


def test_on_the_disk_there_are_two_layers_and_both_are_held_to(own_server: Server) -> None:
    s3 = clients.s3(own_server)
    bucket = new_bucket(s3)

    def blobs() -> set[Path]:
        return {path for path in (own_server.data / "objects").rglob("*") if path.is_file()}

    for length in (100, 2 * CHUNK):
        body, before = os.urandom(length), blobs()
        s3.put_object(Bucket=bucket, Key="once", Body=body, ServerSideEncryption="aws:kms")
        s3.put_object(Bucket=bucket, Key="twice", Body=body, **TWICE)
        sizes = sorted(path.stat().st_size for path in blobs() - before)
        assert sizes == [sealed(length), sealed(sealed(length))]
    s3.delete_object(Bucket=bucket, Key="once")
    s3.put_object(Bucket=bucket, Key="twice", Body=b"marked" * 10, **TWICE)
    (blob,) = blobs()
    whole = blob.read_bytes()
    for at in range(len(whole)):
        blob.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(Exception, match=r"(?i)incomplete|broken|internal|reset|aborted|closed"):
            body_of(s3.get_object(Bucket=bucket, Key="twice"))
    blob.write_bytes(whole)
    own_server.restart()
    assert body_of(clients.s3(own_server).get_object(Bucket=bucket, Key="twice")) == b"marked" * 10
