"""Buckets and objects through boto3 as it comes: with its default checksums, over HTTP and HTTPS.

Source: Amazon S3 API Reference; answers of the service as recorded by LocalStack's validated tests.
"""

import base64
import hashlib
import os
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests

from harness import clients
from harness.buckets import new_bucket
from harness.expect import refused
from harness.polling import eventually
from harness.seed import AMERICA, EUROPE, ONE, TWO, Account
from harness.s3_by_hand import put_in_signed_chunks, raw
from harness.server import Server

CHUNK = 65_536


def body_of(answer: dict[str, Any]) -> bytes:
    return answer["Body"].read()


def keys(page: dict[str, Any]) -> list[str]:
    return [one["Key"] for one in page.get("Contents", [])]


def test_a_bucket_is_made_found_and_deleted(s3: Any, server: Server) -> None:
    name = f"bucket-{uuid.uuid4()}"
    with refused("404", status=404):
        s3.head_bucket(Bucket=name)
    made = s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    assert made["Location"] == f"/{name}"
    assert s3.head_bucket(Bucket=name)["BucketRegion"] == EUROPE
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == EUROPE
    assert name in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert name not in [one["Name"] for one in clients.s3(server, TWO).list_buckets()["Buckets"]]
    with refused("BucketAlreadyOwnedByYou", status=409):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    with refused("BucketAlreadyExists", status=409):
        clients.s3(server, TWO).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    with refused("BucketNotEmpty", status=409):
        s3.delete_bucket(Bucket=name)
    s3.delete_object(Bucket=name, Key="k")
    s3.delete_bucket(Bucket=name)
    with refused("NoSuchBucket", status=404):
        s3.delete_bucket(Bucket=name)


def test_where_a_bucket_may_be_made(s3: Any, server: Server) -> None:
    with refused("IllegalLocationConstraintException"):
        s3.create_bucket(Bucket=f"bucket-{uuid.uuid4()}")
    with refused("IllegalLocationConstraintException"):
        s3.create_bucket(
            Bucket=f"bucket-{uuid.uuid4()}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
    america = clients.s3(server, ONE, AMERICA)
    name = f"bucket-{uuid.uuid4()}"
    america.create_bucket(Bucket=name)
    assert america.create_bucket(Bucket=name)["Location"] == f"/{name}"
    assert america.get_bucket_location(Bucket=name)["LocationConstraint"] is None
    with refused("InvalidBucketName"):
        raw(server, "PUT", "/Bad_Name")


@pytest.mark.parametrize("size", [0, 1, 15, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 1_000_000])
def test_what_was_put_comes_back(s3: Any, bucket: str, size: int) -> None:
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body)
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert put["ServerSideEncryption"] == "AES256"
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert body_of(got) == body
    assert got["ContentLength"] == size
    assert got["ETag"] == put["ETag"]
    assert got["ChecksumCRC32"] == put["ChecksumCRC32"]
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head["ContentLength"] == size
    assert head["ChecksumCRC32"] == put["ChecksumCRC32"]
    assert head["ServerSideEncryption"] == "AES256"


# Of "123456789", from the catalogue of CRCs and FIPS 180-4. Two of them boto3 cannot make without further software.
CHECKSUMS = {
    "CRC32": "cbf43926",
    "CRC32C": "e3069283",
    "CRC64NVME": "ae8b14860a799888",
    "SHA1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "SHA256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("algorithm", CHECKSUMS)
def test_every_checksum_is_verified_and_comes_back(
    s3: Any, bucket: str, tls_server: Server, scheme: str, algorithm: str
) -> None:
    if scheme == "https":
        s3 = clients.s3(tls_server)
        bucket = new_bucket(s3)
    member, digits = f"Checksum{algorithm}", bytes.fromhex(CHECKSUMS[algorithm])
    right, wrong = base64.b64encode(digits).decode(), base64.b64encode(bytes(len(digits))).decode()
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", **{member: right})[member] == right
    if algorithm not in ("CRC32C", "CRC64NVME"):
        # Over TLS boto3 sends it behind the body.
        assert s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", ChecksumAlgorithm=algorithm)[member] == right
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (body_of(got), got[member]) == (b"123456789", right)
    with refused("BadDigest"):
        s3.put_object(Bucket=bucket, Key="k2", Body=b"123456789", **{member: wrong})
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket=bucket, Key="k2")


def test_a_body_that_is_not_what_was_said_leaves_nothing(s3: Any, server: Server, bucket: str) -> None:
    with refused("BadDigest"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5=base64.b64encode(bytes(16)).decode())
    with refused("InvalidDigest"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5="AAAA")
    with refused("XAmzContentSHA256Mismatch"):
        raw(server, "PUT", f"/{bucket}/k", data=b"x", payload="0" * 64)
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket=bucket, Key="k")
    assert keys(s3.list_objects_v2(Bucket=bucket)) == []


def test_chunks_that_are_signed_one_by_one_are_verified(server: Server, bucket: str, s3: Any) -> None:
    body = os.urandom(3 * CHUNK + 5)
    assert put_in_signed_chunks(server, f"/{bucket}/k", body).status_code == 200
    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == body
    for tamper in ("data", "signature", "order", "last"):
        answer = put_in_signed_chunks(server, f"/{bucket}/other", body, tamper=tamper)
        assert answer.status_code in (400, 403), tamper
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket=bucket, Key="other")


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        (f"bytes={CHUNK - 1}-{CHUNK}", CHUNK - 1, CHUNK + 1),
        (f"bytes={CHUNK}-", CHUNK, 200_000),
        ("bytes=-1", 199_999, 200_000),
        ("bytes=5-999999", 5, 200_000),
    ],
)
def test_ranges(s3: Any, bucket: str, asked: str, first: int, end: int) -> None:
    body = os.urandom(200_000)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    got = s3.get_object(Bucket=bucket, Key="k", Range=asked)
    assert body_of(got) == body[first:end]
    assert got["ContentRange"] == f"bytes {first}-{end - 1}/200000"
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert s3.head_object(Bucket=bucket, Key="k", Range=asked)["ContentLength"] == end - first
    with refused("InvalidRange", status=416):
        s3.get_object(Bucket=bucket, Key="k", Range="bytes=200000-")


def test_conditions(s3: Any, bucket: str) -> None:
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"x", IfNoneMatch="*")["ETag"]
    with refused("PreconditionFailed", status=412):
        s3.put_object(Bucket=bucket, Key="k", Body=b"y", IfNoneMatch="*")
    assert body_of(s3.get_object(Bucket=bucket, Key="k", IfMatch=tag)) == b"x"
    with refused("PreconditionFailed", status=412):
        s3.get_object(Bucket=bucket, Key="k", IfMatch='"other"')
    with refused("304", status=304):
        s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=tag)
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    with refused("304", status=304):
        s3.head_object(Bucket=bucket, Key="k", IfModifiedSince=modified)
    s3.put_object(Bucket=bucket, Key="k", Body=b"z", IfMatch=tag)
    with refused("PreconditionFailed", status=412):
        s3.put_object(Bucket=bucket, Key="k", Body=b"y", IfMatch=tag)


def test_metadata_and_headers_come_back(s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket, Key="k", Body=b"x", Metadata={"colour": "blue"}, ContentType="text/plain",
        CacheControl="no-cache", ContentEncoding="gzip",
    )
    got = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="text/html")
    assert got["Metadata"] == {"colour": "blue"}
    assert (got["ContentType"], got["CacheControl"], got["ContentEncoding"]) == ("text/html", "no-cache", "gzip")
    assert s3.head_object(Bucket=bucket, Key="k")["ContentType"] == "text/plain"
    with refused("MetadataTooLarge"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"a": "b" * 2_048})


@pytest.mark.parametrize(
    "key",
    ["a/../../b", ".", "..", "/", "//a", "é/ü", "a b+c%20", "x" * 1_024, "tab\there", "~", "\u0080", "new\nline"],
)
def test_a_key_is_a_name_and_never_a_path(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert body_of(s3.get_object(Bucket=bucket, Key=key)) == b"x"
    assert keys(s3.list_objects_v2(Bucket=bucket)) == [key]
    s3.delete_object(Bucket=bucket, Key=key)
    assert keys(s3.list_objects_v2(Bucket=bucket)) == []


def test_a_key_that_is_too_long_is_refused(s3: Any, bucket: str) -> None:
    with refused("KeyTooLongError"):
        s3.put_object(Bucket=bucket, Key="x" * 1_025, Body=b"x")


def test_listings_page_group_and_stop(s3: Any, bucket: str) -> None:
    names = [f"a/{number:03}" for number in range(40)] + ["a.txt", "b/1", "b/c/2", "z"]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=b"x")
    assert keys(s3.list_objects_v2(Bucket=bucket)) == sorted(names)
    grouped = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert keys(grouped) == ["a.txt", "z"]
    assert [one["Prefix"] for one in grouped["CommonPrefixes"]] == ["a/", "b/"]
    assert keys(s3.list_objects_v2(Bucket=bucket, Prefix="b/", Delimiter="/")) == ["b/1"]
    assert keys(s3.list_objects_v2(Bucket=bucket, StartAfter="b/1")) == ["b/c/2", "z"]
    for size in (1, 3, 7, 44):
        for delimiter in ({}, {"Delimiter": "/"}):
            pages = s3.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, PaginationConfig={"PageSize": size}, **delimiter
            )
            found = []
            for page in pages:
                assert page["KeyCount"] <= size
                found += keys(page) + [one["Prefix"] for one in page.get("CommonPrefixes", [])]
            expected = ["a.txt", "a/", "b/", "z"] if delimiter else sorted(names)
            assert sorted(found) == expected and len(found) == len(set(found))
    first = s3.get_paginator("list_objects").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1})
    assert sum((keys(page) + [one["Prefix"] for one in page.get("CommonPrefixes", [])] for page in first), []) == [
        "a.txt", "a/", "b/", "z"
    ]
    with refused("InvalidArgument"):
        s3.list_objects_v2(Bucket=bucket, ContinuationToken="?")
    assert keys(s3.list_objects_v2(Bucket=bucket, MaxKeys=0)) == []


def test_many_objects_are_deleted_at_once(s3: Any, bucket: str) -> None:
    for name in ("a", "b", "c"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"x")
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "b"}, {"Key": "nothing"}]})
    assert sorted(one["Key"] for one in deleted["Deleted"]) == ["a", "b", "nothing"]
    assert keys(s3.list_objects_v2(Bucket=bucket)) == ["c"]
    assert "Deleted" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "c"}], "Quiet": True})
    with refused("MalformedXML"):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": str(number)} for number in range(1_001)]})


def test_presigned_urls_do_what_was_signed_and_no_more(s3: Any, bucket: str) -> None:
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    assert requests.put(put, data=b"by url").status_code == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    assert requests.get(get).content == b"by url"
    for wrong in (get.replace("/k?", "/other?"), get[:-1] + ("0" if get[-1] != "0" else "1")):
        answer = requests.get(wrong)
        assert answer.status_code == 403
        assert "<Code>SignatureDoesNotMatch</Code>" in answer.text
    assert requests.delete(get).status_code == 403


def test_only_who_may_does(server: Server, s3: Any, bucket: str, s3_user: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="in/k", Body=b"x")
    s3.put_object(Bucket=bucket, Key="out/k", Body=b"x")
    reader = s3_user("s3:GetObject", f"arn:aws:s3:::{bucket}/in/*")
    assert body_of(reader.get_object(Bucket=bucket, Key="in/k")) == b"x"
    for denied in (
        lambda: reader.get_object(Bucket=bucket, Key="out/k"),
        lambda: reader.put_object(Bucket=bucket, Key="in/k", Body=b"y"),
        lambda: reader.delete_object(Bucket=bucket, Key="in/k"),
        lambda: reader.list_objects_v2(Bucket=bucket),
        lambda: reader.list_buckets(),
        lambda: reader.delete_bucket(Bucket=bucket),
        # Whoever may not list does not learn what there is.
        lambda: reader.get_object(Bucket=bucket, Key="in/nothing"),
    ):
        with refused("AccessDenied", status=403):
            denied()
    answer = reader.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "in/k"}]})
    assert [one["Code"] for one in answer["Errors"]] == ["AccessDenied"]
    with refused("AccessDenied", status=403):
        clients.s3(server, TWO).get_object(Bucket=bucket, Key="in/k")


def test_conditions_of_policies_see_prefix_and_encryption(bucket: str, s3_user: Callable[..., Any]) -> None:
    lister = s3_user("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"StringLike": {"s3:prefix": "in/*"}})
    lister.list_objects_v2(Bucket=bucket, Prefix="in/a")
    with refused("AccessDenied", status=403):
        lister.list_objects_v2(Bucket=bucket)
    demands = {"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}
    writer = s3_user("s3:PutObject", f"arn:aws:s3:::{bucket}/*", demands)
    writer.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="AES256")
    with refused("AccessDenied", status=403):
        writer.put_object(Bucket=bucket, Key="k", Body=b"x")


def test_what_is_not_offered_says_so(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for call in (
        lambda: s3.get_bucket_acl(Bucket=bucket),
        lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read"),
        lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="GLACIER"),
    ):
        with refused("NotImplemented", status=501):
            call()


def test_a_bucket_is_reached_through_its_own_region(server: Server, s3: Any, bucket: str) -> None:
    assert clients.s3(server, ONE, AMERICA).get_bucket_location(Bucket=bucket)["LocationConstraint"] == EUROPE
    with refused("AuthorizationHeaderMalformed"):
        raw(server, "GET", f"/{bucket}?list-type=2", region=AMERICA)


def test_calls_on_buckets_leave_their_events(server: Server, s3: Any) -> None:
    name = new_bucket(s3)
    s3.delete_bucket(Bucket=name)
    trail = clients.cloudtrail(server)

    def names() -> set[str]:
        attribute = {"AttributeKey": "EventSource", "AttributeValue": "s3.amazonaws.com"}
        found = trail.lookup_events(LookupAttributes=[attribute], MaxResults=50)
        return {one["EventName"] for one in found["Events"] if name in one["CloudTrailEvent"]}

    assert eventually(lambda: names() >= {"CreateBucket", "DeleteBucket"}, "both events")


def test_old_forms_of_signatures_are_refused(server: Server, s3: Any, bucket: str) -> None:
    stranger = Account(ONE.id, "AKIAIOSFODNN7UNKNOWN", "wrong")
    with refused("InvalidAccessKeyId", status=403):
        clients.s3(server, stranger).list_buckets()
    wrong = Account(ONE.id, ONE.access_key_id, "wrong")
    with refused("SignatureDoesNotMatch", status=403):
        clients.s3(server, wrong).list_buckets()
