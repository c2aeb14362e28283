"""Multipart uploads and copies through boto3.

Source: Amazon S3 API Reference; User Guide, "Uploading and copying objects using multipart upload" and "Checking object
integrity".
"""

import base64
import hashlib
import itertools
import os
import threading
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from harness import clients
from harness.buckets import new_bucket, take_customer_keys
from harness.expect import refused
from harness.polling import eventually
from harness.seed import SEEDED_KEY
from harness.server import Server

MINIMUM = 5 << 20


def customer(key: bytes, prefix: str = "") -> dict[str, Any]:
    return {f"{prefix}SSECustomerAlgorithm": "AES256", f"{prefix}SSECustomerKey": key}


def begin(s3: Any, bucket: str, **options: Any) -> str:
    return s3.create_multipart_upload(Bucket=bucket, Key="k", **options)["UploadId"]


def put_part(s3: Any, bucket: str, upload: str, number: int, body: bytes, **options: Any) -> dict[str, Any]:
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=number, Body=body, **options)
    checksums = {name: value for name, value in part.items() if name in ("ChecksumCRC32", "ChecksumSHA256")}
    return {"PartNumber": number, "ETag": part["ETag"], **checksums}


def complete(s3: Any, bucket: str, upload: str, parts: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    return s3.complete_multipart_upload(
        Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts}, **options
    )


def read(s3: Any, bucket: str, key: str = "k", **options: Any) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key, **options)["Body"].read()


def test_parts_become_one_object_in_their_order(s3: Any, bucket: str) -> None:
    bodies = {2: os.urandom(MINIMUM), 7: os.urandom(MINIMUM + 1), 9: os.urandom(12_345)}
    upload = begin(s3, bucket, Metadata={"colour": "blue"}, ContentType="text/plain")
    parts = [put_part(s3, bucket, upload, number, bodies[number]) for number in (9, 2, 7)]
    put_part(s3, bucket, upload, 3, b"not wanted in the end")
    done = complete(s3, bucket, upload, sorted(parts, key=lambda part: part["PartNumber"]))
    body = b"".join(bodies[number] for number in (2, 7, 9))
    digests = b"".join(hashlib.md5(bodies[number]).digest() for number in (2, 7, 9))
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body
    assert (got["ContentLength"], got["Metadata"], got["ContentType"]) == (len(body), {"colour": "blue"}, "text/plain")
    last = len(body)
    for first, end in ((0, 1), (MINIMUM - 1, MINIMUM + 1), (MINIMUM * 2, MINIMUM * 2 + 100), (last - 1, last)):
        assert read(s3, bucket, Range=f"bytes={first}-{end - 1}") == body[first:end]
    # Asking again for what is done gives the same answer.
    assert complete(s3, bucket, upload, parts)["ETag"] == done["ETag"]
    with refused("NoSuchUpload", status=404):
        put_part(s3, bucket, upload, 1, b"too late")
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]


def test_a_part_that_is_sent_again_replaces_the_earlier_one(s3: Any, bucket: str) -> None:
    upload = begin(s3, bucket)
    old = put_part(s3, bucket, upload, 1, b"old")
    new = put_part(s3, bucket, upload, 1, b"new")
    with refused("InvalidPart"):
        complete(s3, bucket, upload, [old])
    complete(s3, bucket, upload, [new])
    assert read(s3, bucket) == b"new"


def test_what_cannot_be_completed(s3: Any, bucket: str) -> None:
    upload = begin(s3, bucket)
    small, last = put_part(s3, bucket, upload, 1, b"small"), put_part(s3, bucket, upload, 2, b"last")
    with refused("EntityTooSmall"):
        complete(s3, bucket, upload, [small, last])
    with refused("InvalidPartOrder"):
        complete(s3, bucket, upload, [last, small])
    with refused("InvalidPart"):
        complete(s3, bucket, upload, [{"PartNumber": 3, "ETag": small["ETag"]}])
    with refused("MalformedXML"):
        complete(s3, bucket, upload, [])
    with refused("InvalidArgument"):
        put_part(s3, bucket, upload, 10_001, b"x")
    with refused("NoSuchUpload", status=404):
        complete(s3, bucket, "0" * 32, [small])
    with refused("NoSuchKey", status=404):
        read(s3, bucket)
    # None of that has ended it.
    complete(s3, bucket, upload, [last])
    assert read(s3, bucket) == b"last"


def test_an_upload_that_is_aborted_leaves_nothing(s3: Any, server: Server, bucket: str) -> None:
    blobs = server.data / "objects"
    before = {path for path in blobs.rglob("*") if path.is_file()}
    upload = begin(s3, bucket)
    put_part(s3, bucket, upload, 1, os.urandom(100_000))
    assert {path for path in blobs.rglob("*") if path.is_file()} != before
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    assert {path for path in blobs.rglob("*") if path.is_file()} <= before
    with refused("NoSuchUpload", status=404):
        s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    with refused("NoSuchUpload", status=404):
        s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)


def test_uploads_and_parts_are_listed_in_pages(s3: Any, bucket: str) -> None:
    uploads = {}
    for key in ("a", "a/b", "a b", "c"):
        uploads[key] = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    found = [(one["Key"], one["UploadId"]) for page in pages for one in page.get("Uploads", [])]
    assert found == sorted(uploads.items())
    assert [one["Key"] for one in s3.list_multipart_uploads(Bucket=bucket, Prefix="a/")["Uploads"]] == ["a/b"]
    upload = begin(s3, bucket)
    for number in (1, 2, 10):
        put_part(s3, bucket, upload, number, bytes(number))
    pages = s3.get_paginator("list_parts").paginate(
        Bucket=bucket, Key="k", UploadId=upload, PaginationConfig={"PageSize": 2}
    )
    found = [(one["PartNumber"], one["Size"]) for page in pages for one in page["Parts"]]
    assert found == [(1, 1), (2, 2), (10, 10)]
    # Uploads that nobody completes do not keep a bucket.
    s3.delete_bucket(Bucket=bucket)


def test_checksums_of_parts_make_that_of_the_object(s3: Any, bucket: str) -> None:
    bodies = [os.urandom(MINIMUM), os.urandom(10)]
    crcs = [zlib.crc32(body).to_bytes(4, "big") for body in bodies]
    upload = begin(s3, bucket, ChecksumAlgorithm="CRC32")
    parts = [put_part(s3, bucket, upload, at + 1, body, ChecksumAlgorithm="CRC32") for at, body in enumerate(bodies)]
    done = complete(s3, bucket, upload, parts)
    composite = base64.b64encode(zlib.crc32(b"".join(crcs)).to_bytes(4, "big")).decode() + "-2"
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (composite, "COMPOSITE")
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head["ChecksumCRC32"], head["ChecksumType"]) == (composite, "COMPOSITE")
    upload = begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    parts = [put_part(s3, bucket, upload, at + 1, body, ChecksumAlgorithm="CRC32") for at, body in enumerate(bodies)]
    whole = base64.b64encode(zlib.crc32(b"".join(bodies)).to_bytes(4, "big")).decode()
    with refused("BadDigest"):
        complete(s3, bucket, upload, parts, ChecksumCRC32="AAAAAA==", ChecksumType="FULL_OBJECT")
    with refused("InvalidRequest"):
        complete(s3, bucket, upload, parts, MpuObjectSize=5)
    done = complete(s3, bucket, upload, parts, ChecksumCRC32=whole, ChecksumType="FULL_OBJECT")
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (whole, "FULL_OBJECT")
    with refused("InvalidRequest"):
        begin(s3, bucket, ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT")


@pytest.mark.parametrize("mode", ["kms", "customer"])
def test_parts_are_under_the_key_of_their_upload(tls_server: Server, mode: str) -> None:
    s3 = clients.s3(tls_server)
    bucket, key = new_bucket(s3), os.urandom(32)
    take_customer_keys(s3, bucket)
    kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": SEEDED_KEY}
    options, of_part = (kms, {}) if mode == "kms" else (customer(key), customer(key))
    upload = begin(s3, bucket, **options)
    bodies = [os.urandom(MINIMUM), os.urandom(100)]
    parts = [put_part(s3, bucket, upload, at + 1, body, **of_part) for at, body in enumerate(bodies)]
    if mode == "customer":
        with refused("InvalidRequest"):
            put_part(s3, bucket, upload, 3, b"x")
        with refused("InvalidRequest", "The provided encryption parameters did not match the ones used originally."):
            put_part(s3, bucket, upload, 3, b"x", **customer(os.urandom(32)))
    else:
        with refused("InvalidRequest"):
            put_part(s3, bucket, upload, 3, b"x", **customer(key))
    done = complete(s3, bucket, upload, parts)
    assert done["ETag"].endswith('-2"')
    assert read(s3, bucket, **of_part) == b"".join(bodies)
    if mode == "customer":
        assert not any(name.startswith("Checksum") for name in done)
        with refused("AccessDenied", status=403):
            read(s3, bucket, **customer(os.urandom(32)))


def test_transfers_in_parts_and_back(s3: Any, bucket: str, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(23_000_001))
    config = TransferConfig(multipart_threshold=MINIMUM, multipart_chunksize=MINIMUM, max_concurrency=4)
    s3.upload_file(str(source), bucket, "k", Config=config)
    s3.download_file(bucket, "k", str(target), Config=config)
    assert target.read_bytes() == source.read_bytes()
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"].endswith('-5"')


def test_an_object_in_parts_goes_with_all_its_parts(s3: Any, server: Server, bucket: str) -> None:
    blobs = server.data / "objects"
    before = {path for path in blobs.rglob("*") if path.is_file()}
    upload = begin(s3, bucket)
    parts = [put_part(s3, bucket, upload, 1, os.urandom(MINIMUM)), put_part(s3, bucket, upload, 2, b"x")]
    complete(s3, bucket, upload, parts)
    # Whoever reads it reads it to its end.
    reading = s3.get_object(Bucket=bucket, Key="k")["Body"]
    start = reading.read(1_000)
    s3.put_object(Bucket=bucket, Key="k", Body=b"other")
    assert len(start + reading.read()) == MINIMUM + 1
    assert read(s3, bucket) == b"other"
    s3.delete_object(Bucket=bucket, Key="k")
    upload = begin(s3, bucket)
    complete(s3, bucket, upload, [put_part(s3, bucket, upload, 1, b"y")])

    def is_gone() -> bool:
        s3.put_object(Bucket=bucket, Key="other", Body=b"x")
        s3.delete_object(Bucket=bucket, Key="other")
        multipart = begin(s3, bucket)
        s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=multipart)
        return len({path for path in blobs.rglob("*") if path.is_file()} - before) == 1

    eventually(is_gone, "what was replaced is deleted")


def test_a_copy_is_sealed_anew(tls_server: Server) -> None:
    s3 = clients.s3(tls_server)
    bucket, key, other = new_bucket(s3), os.urandom(32), os.urandom(32)
    body = os.urandom(200_000)
    take_customer_keys(s3, bucket)
    s3.put_object(Bucket=bucket, Key="a b/ü", Body=body, Metadata={"colour": "blue"}, **customer(key))
    source = {"Bucket": bucket, "Key": "a b/ü"}
    copied = s3.copy_object(Bucket=bucket, Key="k", CopySource=source, **customer(key, "CopySource"))
    assert copied["ServerSideEncryption"] == "AES256"
    assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert read(s3, bucket) == body
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"colour": "blue"}
    with refused("InvalidRequest"):
        s3.copy_object(Bucket=bucket, Key="l", CopySource=source)
    with refused("AccessDenied", status=403):
        s3.copy_object(Bucket=bucket, Key="l", CopySource=source, **customer(other, "CopySource"))
    moved = s3.copy_object(
        Bucket=bucket, Key="l", CopySource=source, ServerSideEncryption="aws:kms", SSEKMSKeyId=SEEDED_KEY,
        MetadataDirective="REPLACE", Metadata={"colour": "red"}, **customer(key, "CopySource"),
    )
    assert moved["ServerSideEncryption"] == "aws:kms"
    assert read(s3, bucket, "l") == body
    assert s3.head_object(Bucket=bucket, Key="l")["Metadata"] == {"colour": "red"}


def test_copies_have_conditions_and_rules(s3: Any, bucket: str, s3_user: Any) -> None:
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    source = f"{bucket}/k"
    with refused("InvalidRequest"):
        s3.copy_object(Bucket=bucket, Key="k", CopySource=source)
    s3.copy_object(Bucket=bucket, Key="k", CopySource=source, MetadataDirective="REPLACE", Metadata={"a": "b"})
    s3.copy_object(Bucket=bucket, Key="l", CopySource=source, CopySourceIfMatch=tag)
    with refused("PreconditionFailed", status=412):
        s3.copy_object(Bucket=bucket, Key="l", CopySource=source, CopySourceIfMatch="other")
    with refused("PreconditionFailed", status=412):
        s3.copy_object(Bucket=bucket, Key="l", CopySource=source, CopySourceIfNoneMatch=tag)
    with refused("NoSuchKey", status=404):
        s3.copy_object(Bucket=bucket, Key="l", CopySource=f"{bucket}/nothing")
    with refused("NoSuchBucket", status=404):
        s3.copy_object(Bucket=bucket, Key="l", CopySource="no-such-bucket/k")
    writer = s3_user("s3:PutObject", f"arn:aws:s3:::{bucket}/*")
    with refused("AccessDenied", status=403):
        writer.copy_object(Bucket=bucket, Key="l", CopySource=source)


def test_parts_are_copied_from_other_objects(s3: Any, bucket: str) -> None:
    body = os.urandom(MINIMUM + 100)
    s3.put_object(Bucket=bucket, Key="source", Body=body)
    upload, source = begin(s3, bucket), f"{bucket}/source"

    def copy(number: int, **options: Any) -> dict[str, Any]:
        copied = s3.upload_part_copy(
            Bucket=bucket, Key="k", UploadId=upload, PartNumber=number, CopySource=source, **options
        )
        return {"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]}

    parts = [copy(1), copy(2, CopySourceRange="bytes=10-19")]
    with refused("InvalidArgument"):
        copy(3, CopySourceRange=f"bytes=0-{len(body)}")
    complete(s3, bucket, upload, parts)
    assert read(s3, bucket) == body + body[10:20]


def test_writers_of_one_key_leave_one_of_their_objects(s3: Any, server: Server, bucket: str) -> None:
    bodies = [bytes([number]) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda body: clients.s3(server).put_object(Bucket=bucket, Key="k", Body=body), bodies * 4))
    assert read(s3, bucket) in bodies
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)


def test_what_was_acknowledged_outlives_a_kill_and_nothing_is_half_there(tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    bucket = new_bucket(clients.s3(server))
    for round_number in range(3):
        acknowledged: dict[str, bytes] = {}
        stop = threading.Event()

        def write(writer: int, acknowledged: dict[str, bytes] = acknowledged, stop: threading.Event = stop) -> None:
            s3 = clients.s3(server)
            for number in itertools.count():
                key, body = f"{round_number}/{writer}/{number}", os.urandom(1 + number * 40_000 % 300_000)
                try:
                    if number % 3 == 2:
                        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
                        part = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=body)
                        s3.complete_multipart_upload(
                            Bucket=bucket, Key=key, UploadId=upload,
                            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
                        )
                    else:
                        s3.put_object(Bucket=bucket, Key=key, Body=body)
                except (BotoCoreError, ClientError):
                    return
                acknowledged[key] = body
                if stop.is_set():
                    return

        writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
        for writer in writers:
            writer.start()
        eventually(lambda acknowledged=acknowledged: len(acknowledged) >= 20, "some writes")
        server.kill()
        stop.set()
        for writer in writers:
            writer.join()
        server.start()
        s3 = clients.s3(server)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{round_number}/")
        found = {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", [])}
        assert found.keys() >= acknowledged.keys()
        for key, size in found.items():
            body = read(s3, bucket, key)
            assert len(body) == size and acknowledged.get(key, body) == body

    def blobs() -> int:
        return sum(path.is_file() for path in (server.data / "objects").rglob("*"))

    def records() -> int:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        uploads = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket)
        pending = [one for page in uploads for one in page.get("Uploads", [])]
        parts = [s3.list_parts(Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"]) for one in pending]
        return sum(page["KeyCount"] for page in pages) + sum(len(one.get("Parts", [])) for one in parts)

    eventually(lambda: blobs() == records(), "blobs of nobody are removed")
    server.stop()


def test_the_aws_cli_copies_lists_and_removes(server: Server, tmp_path: Path) -> None:
    bucket = f"bucket-{uuid.uuid4()}"
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(20_000_000))
    (tmp_path / "config").write_text("[default]\ns3 =\n    addressing_style = path\n")
    environment = clients.account_environment(server) | {"AWS_CONFIG_FILE": str(tmp_path / "config")}

    def aws(*arguments: str) -> str:
        done = clients.run(["aws", *arguments], tmp_path, environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    aws("s3", "mb", f"s3://{bucket}")
    aws("s3", "cp", str(source), f"s3://{bucket}/a/b", "--sse", "aws:kms", "--sse-kms-key-id", SEEDED_KEY)
    assert "b" in aws("s3", "ls", f"s3://{bucket}/a/")
    aws("s3", "cp", f"s3://{bucket}/a/b", f"s3://{bucket}/c")
    aws("s3", "cp", f"s3://{bucket}/c", str(target))
    assert target.read_bytes() == source.read_bytes()
    aws("s3", "sync", str(tmp_path), f"s3://{bucket}/folder", "--exclude", "*", "--include", "config")
    aws("s3", "rb", "--force", f"s3://{bucket}")
    assert bucket not in aws("s3", "ls")
