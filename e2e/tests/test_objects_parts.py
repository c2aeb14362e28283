"""Parts of objects as readers see them: `partNumber` on GetObject and HeadObject, and GetObjectAttributes.

Source: Amazon S3 API Reference; User Guide, "Checking object integrity for data uploads"; answers of the service as
recorded by LocalStack's validated tests.
"""

import base64
import hashlib
import os
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from harness import clients
from harness.buckets import new_bucket, take_customer_keys
from harness.expect import refused
from harness.seed import SEEDED_KEY
from harness.server import Server

MINIMUM = 5 << 20
ALL = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def in_text(key: dict[str, Any]) -> dict[str, Any]:
    """A customer's key as GetObjectAttributes takes it, for which boto3 does not encode it."""
    if not key:
        return {}
    raw = key["SSECustomerKey"]
    texts = {"SSECustomerKey": raw, "SSECustomerKeyMD5": hashlib.md5(raw).digest()}
    return key | {name: base64.b64encode(value).decode() for name, value in texts.items()}


def upload(s3: Any, bucket: str, bodies: dict[int, bytes], of_part: dict[str, Any] | None = None, **begin: Any) -> str:
    """An object of these parts; gives its entity tag."""
    place = {"Bucket": bucket, "Key": "k"}
    made = s3.create_multipart_upload(**place, **begin)
    parts = []
    for number, body in bodies.items():
        part = s3.upload_part(**place, UploadId=made["UploadId"], PartNumber=number, Body=body, **(of_part or {}))
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
        if begin.get("ChecksumAlgorithm") == "CRC32":
            parts[-1]["ChecksumCRC32"] = part["ChecksumCRC32"]
    done = s3.complete_multipart_upload(**place, UploadId=made["UploadId"], MultipartUpload={"Parts": parts})
    return done["ETag"]


@pytest.fixture
def bodies() -> dict[int, bytes]:
    return {2: os.urandom(MINIMUM), 3: os.urandom(MINIMUM + 1), 9: os.urandom(77)}


def test_each_part_is_read_by_its_place(s3: Any, bucket: str, bodies: dict[int, bytes]) -> None:
    tag = upload(s3, bucket, bodies)
    size, first = sum(map(len, bodies.values())), 0
    for number, body in enumerate(bodies.values(), start=1):
        for read in (s3.get_object, s3.head_object):
            part = read(Bucket=bucket, Key="k", PartNumber=number)
            assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
            assert (part["ContentLength"], part["PartsCount"], part["ETag"]) == (len(body), 3, tag)
            assert part["ContentRange"] == f"bytes {first}-{first + len(body) - 1}/{size}"
        assert s3.get_object(Bucket=bucket, Key="k", PartNumber=number)["Body"].read() == body
        first += len(body)
    # The number of parts is told only to those who ask for one.
    assert "PartsCount" not in s3.head_object(Bucket=bucket, Key="k")


def test_what_is_no_part_is_refused(s3: Any, bucket: str, bodies: dict[int, bytes]) -> None:
    upload(s3, bucket, bodies)
    with refused("InvalidPartNumber", "The requested partnumber is not satisfiable", status=416):
        s3.get_object(Bucket=bucket, Key="k", PartNumber=4)
    with refused("416", status=416):
        s3.head_object(Bucket=bucket, Key="k", PartNumber=4)
    with refused("InvalidRequest", "Cannot specify both Range header and partNumber query parameter"):
        s3.get_object(Bucket=bucket, Key="k", PartNumber=1, Range="bytes=0-1")
    for number in (0, 10_001):
        with refused("InvalidArgument"):
            s3.get_object(Bucket=bucket, Key="k", PartNumber=number)
    with refused("PreconditionFailed", status=412):
        s3.get_object(Bucket=bucket, Key="k", PartNumber=1, IfMatch="other")


def test_an_object_that_was_put_in_one_is_its_one_part(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"whole", ChecksumAlgorithm="CRC32")
    part = s3.get_object(Bucket=bucket, Key="k", PartNumber=1, ChecksumMode="ENABLED")
    assert (part["Body"].read(), part["ContentRange"]) == (b"whole", "bytes 0-4/5")
    assert part["ChecksumCRC32"] == crc32(b"whole")
    assert "PartsCount" not in part
    with refused("InvalidPartNumber", status=416):
        s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert s3.get_object(Bucket=bucket, Key="empty", PartNumber=1)["Body"].read() == b""


def test_a_part_has_its_own_checksum(s3: Any, bucket: str, bodies: dict[int, bytes]) -> None:
    bodies = dict(enumerate(bodies.values(), start=1))
    upload(s3, bucket, bodies, {"ChecksumAlgorithm": "CRC32"}, ChecksumAlgorithm="CRC32")
    for number, body in bodies.items():
        for read in (s3.get_object, s3.head_object):
            part = read(Bucket=bucket, Key="k", PartNumber=number, ChecksumMode="ENABLED")
            assert part["ChecksumCRC32"] == crc32(body)
    assert s3.get_object(Bucket=bucket, Key="k", PartNumber=3, ChecksumMode="ENABLED")["Body"].read() == bodies[3]
    assert "ChecksumCRC32" not in s3.head_object(Bucket=bucket, Key="k", PartNumber=1)


@pytest.mark.parametrize("mode", ["kms", "customer"])
def test_parts_under_keys(tls_server: Server, bodies: dict[int, bytes], mode: str) -> None:
    s3 = clients.s3(tls_server)
    bucket = new_bucket(s3)
    take_customer_keys(s3, bucket)
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)} if mode == "customer" else {}
    kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": SEEDED_KEY}
    upload(s3, bucket, bodies, key, **(key or kms))
    assert s3.get_object(Bucket=bucket, Key="k", PartNumber=2, **key)["Body"].read() == bodies[3]
    told = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=ALL, **in_text(key))
    assert told["ObjectParts"]["TotalPartsCount"] == 3
    assert ("Checksum" in told) == (mode == "kms")
    if mode == "customer":
        other = key | {"SSECustomerKey": os.urandom(32)}
        attributes = {"Bucket": bucket, "Key": "k", "ObjectAttributes": ["ETag"]}
        with refused("InvalidRequest"):
            s3.get_object_attributes(**attributes)
        with refused("AccessDenied", status=403):
            s3.get_object_attributes(**attributes, **in_text(other))
        with refused("AccessDenied", status=403):
            s3.get_object(Bucket=bucket, Key="k", PartNumber=2, **other)


def test_attributes_of_an_object_that_was_put_in_one(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"whole", ChecksumAlgorithm="SHA256")
    told = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=ALL)
    assert told["ETag"] == hashlib.md5(b"whole").hexdigest()
    sha256 = base64.b64encode(hashlib.sha256(b"whole").digest()).decode()
    assert told["Checksum"] == {"ChecksumSHA256": sha256, "ChecksumType": "FULL_OBJECT"}
    assert (told["StorageClass"], told["ObjectSize"]) == ("STANDARD", 5)
    assert "ObjectParts" not in told
    assert told["LastModified"] == s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    some = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectSize"])
    assert {"ETag", "Checksum", "StorageClass"}.isdisjoint(some)
    assert some["ObjectSize"] == 5


def test_attributes_list_parts_whose_checksums_make_the_objects(s3: Any, bucket: str, bodies: dict[int, bytes]) -> None:
    bodies = dict(enumerate(bodies.values(), start=1))
    upload(s3, bucket, bodies, {"ChecksumAlgorithm": "CRC32"}, ChecksumAlgorithm="CRC32")
    asked = {"Bucket": bucket, "Key": "k", "ObjectAttributes": ALL}
    told = s3.get_object_attributes(**asked)
    crcs = b"".join(zlib.crc32(body).to_bytes(4, "big") for body in bodies.values())
    assert told["Checksum"] == {"ChecksumCRC32": crc32(crcs), "ChecksumType": "COMPOSITE"}
    parts = [
        {"PartNumber": number, "Size": len(body), "ChecksumCRC32": crc32(body)} for number, body in bodies.items()
    ]
    assert told["ObjectParts"] == {
        "Parts": parts, "TotalPartsCount": 3, "IsTruncated": False, "MaxParts": 1_000,
        "PartNumberMarker": 0, "NextPartNumberMarker": 3,
    }  # fmt: skip
    page = s3.get_object_attributes(**asked, MaxParts=1, PartNumberMarker=1)["ObjectParts"]
    assert (page["Parts"], page["IsTruncated"], page["NextPartNumberMarker"]) == ([parts[1]], True, 2)
    last = s3.get_object_attributes(**asked, MaxParts=5, PartNumberMarker=2)["ObjectParts"]
    assert (last["Parts"], last["IsTruncated"]) == ([parts[2]], False)


def test_parts_of_an_object_with_one_checksum_are_counted_alone(
    s3: Any, bucket: str, bodies: dict[int, bytes]
) -> None:
    upload(s3, bucket, bodies)
    told = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=ALL)
    assert told["ObjectParts"] == {"TotalPartsCount": 3}
    assert told["Checksum"]["ChecksumType"] == "FULL_OBJECT"


def test_parts_and_attributes_of_a_version(s3: Any, bucket: str, s3_user: Callable[..., Any]) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    upload(s3, bucket, {1: os.urandom(MINIMUM), 2: b"old"})
    old = s3.head_object(Bucket=bucket, Key="k")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    place = {"Bucket": bucket, "Key": "k", "VersionId": old}
    assert s3.get_object(**place, PartNumber=2)["Body"].read() == b"old"
    with refused("InvalidPartNumber", status=416):
        s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    told = s3.get_object_attributes(**place, ObjectAttributes=["ObjectSize", "ObjectParts"])
    assert (told["ObjectSize"], told["ObjectParts"]["TotalPartsCount"], told["VersionId"]) == (MINIMUM + 3, 2, old)
    objects = f"arn:aws:s3:::{bucket}/*"
    with refused("AccessDenied", status=403):
        reader = s3_user(["s3:GetObject", "s3:GetObjectAttributes"], objects)
        reader.get_object_attributes(**place, ObjectAttributes=["ETag"])
    reader = s3_user(["s3:GetObjectVersion", "s3:GetObjectVersionAttributes"], objects)
    assert reader.get_object_attributes(**place, ObjectAttributes=["ETag"])["ETag"]


def test_attributes_that_are_not_there(s3: Any, bucket: str, s3_user: Callable[..., Any]) -> None:
    with refused("NoSuchKey", status=404):
        s3.get_object_attributes(Bucket=bucket, Key="absent", ObjectAttributes=["ETag"])
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused("InvalidArgument", "Invalid attribute name specified."):
        s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Colour"])
    objects = f"arn:aws:s3:::{bucket}/*"
    for actions in ("s3:GetObject", "s3:GetObjectAttributes"):
        with refused("AccessDenied", status=403):
            s3_user(actions, objects).get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ETag"])
    both = s3_user(["s3:GetObject", "s3:GetObjectAttributes"], objects)
    assert both.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ETag"])["ETag"]
