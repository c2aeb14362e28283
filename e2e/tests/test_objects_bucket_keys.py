"""Bucket Keys: many objects under one data key, for the one who got it and for a while.

Source: Amazon S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys".
"""

import base64
import collections
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness import clients, dev_clock
from harness.buckets import new_bucket
from harness.expect import refused
from harness.polling import eventually
from harness.seed import DEVELOPMENT, EUROPE
from harness.server import Server

LIFETIME = timedelta(minutes=5)


@pytest.fixture
def bucket(s3: Any, key: str) -> str:
    return bucket_with_key(s3, key)


def bucket_with_key(s3: Any, key: str) -> str:
    """A bucket whose default is a bucket key under this key."""
    name = new_bucket(s3)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    return name


def body_of(answer: dict[str, Any]) -> bytes:
    return answer["Body"].read()


def uses(server: Server, key: str) -> list[dict[str, Any]]:
    """The events of calls that S3 made with the key."""
    attribute = {"AttributeKey": "ResourceName", "AttributeValue": key}
    pages = clients.cloudtrail(server).get_paginator("lookup_events").paginate(LookupAttributes=[attribute])
    events = [json.loads(one["CloudTrailEvent"]) for page in pages for one in page["Events"]]
    return [one for one in events if one["eventName"] in ("GenerateDataKey", "Decrypt")]


def counted(server: Server, key: str) -> dict[str, int]:
    return dict(collections.Counter(one["eventName"] for one in uses(server, key)))


def test_a_thousand_reads_cost_a_handful_of_calls(server: Server, s3: Any, bucket: str, key: str) -> None:
    bodies = {f"k{number}": os.urandom(100) for number in range(50)}

    def write(name: str) -> None:
        s3.put_object(Bucket=bucket, Key=name, Body=bodies[name])

    def read(name: str) -> bytes:
        return body_of(s3.get_object(Bucket=bucket, Key=name))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, bodies))
        for name, body in zip(list(bodies) * 20, pool.map(read, list(bodies) * 20), strict=True):
            assert body == bodies[name]
    eventually(lambda: len(counted(server, key)) == 2, "both kinds of calls")
    assert sum(counted(server, key).values()) <= 10
    for event in uses(server, key):
        assert event["requestParameters"]["encryptionContext"] == {"aws:s3:arn": f"arn:aws:s3:::{bucket}"}


def test_without_them_each_object_costs_a_call(server: Server, s3: Any, bucket: str, key: str) -> None:
    for number in range(5):
        put = s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x", BucketKeyEnabled=False)
        assert "BucketKeyEnabled" not in put
        s3.get_object(Bucket=bucket, Key=f"k{number}")
    assert eventually(lambda: counted(server, key) == {"GenerateDataKey": 5, "Decrypt": 5}, "all calls")


def test_the_answer_says_so_when_it_is_so_and_only_then(s3: Any, bucket: str, key: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert (put["BucketKeyEnabled"], put["SSEKMSKeyId"]) == (True, key)
    for read in (s3.get_object, s3.head_object):
        assert read(Bucket=bucket, Key="k")["BucketKeyEnabled"] is True
    # Who names KMS without more gets the default of the bucket, and under the service's own key there is none.
    assert s3.put_object(Bucket=bucket, Key="l", Body=b"x", ServerSideEncryption="aws:kms")["BucketKeyEnabled"] is True
    plain = s3.put_object(Bucket=bucket, Key="l", Body=b"x", ServerSideEncryption="AES256", BucketKeyEnabled=True)
    assert "BucketKeyEnabled" not in plain
    assert s3.copy_object(Bucket=bucket, Key="m", CopySource=f"{bucket}/l")["BucketKeyEnabled"] is True
    s3.delete_bucket_encryption(Bucket=bucket)
    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == b"x"
    named = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    assert "BucketKeyEnabled" not in s3.put_object(Bucket=bucket, Key="l", Body=b"x", **named)
    assert s3.put_object(Bucket=bucket, Key="l", Body=b"x", BucketKeyEnabled=True, **named)["BucketKeyEnabled"] is True
    assert body_of(s3.get_object(Bucket=bucket, Key="l")) == b"x"


def test_objects_in_parts_have_them(server: Server, s3: Any, bucket: str, key: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")
    assert upload["BucketKeyEnabled"] is True
    about = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    bodies, parts = [os.urandom(5 << 20), b"x"], []
    for number, body in enumerate(bodies, 1):
        part = s3.upload_part(PartNumber=number, Body=body, **about)
        assert part["BucketKeyEnabled"] is True
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **about)
    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == b"".join(bodies)
    assert eventually(lambda: counted(server, key) == {"GenerateDataKey": 1, "Decrypt": 1}, "one call of each kind")


def test_nobody_uses_a_key_that_another_one_got(s3: Any, bucket: str, s3_user: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == b"x"
    stranger = s3_user("s3:*", "*")
    with refused("AccessDenied", status=403):
        stranger.get_object(Bucket=bucket, Key="k")
    with refused("AccessDenied", status=403):
        stranger.put_object(Bucket=bucket, Key="l", Body=b"x")
    # What is got for writing is not for reading, and the other way round.
    writer = s3_user(["s3:*", "kms:GenerateDataKey"], "*")
    writer.put_object(Bucket=bucket, Key="l", Body=b"y")
    with refused("AccessDenied", status=403):
        writer.get_object(Bucket=bucket, Key="l")
    reader = s3_user(["s3:*", "kms:Decrypt"], "*")
    assert body_of(reader.get_object(Bucket=bucket, Key="l")) == b"y"
    with refused("AccessDenied", status=403):
        reader.put_object(Bucket=bucket, Key="m", Body=b"x")
    assert body_of(s3.get_object(Bucket=bucket, Key="l")) == b"y"


def test_each_session_is_a_requester_of_its_own(server: Server, s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    sts = clients.sts(server)
    for count in (1, 2):
        session = clients.with_session(server, "s3", sts.get_session_token()["Credentials"])
        for _ in range(3):
            assert body_of(session.get_object(Bucket=bucket, Key="k")) == b"x"
        assert eventually(lambda count=count: counted(server, key).get("Decrypt") == count, "one call for the session")


def test_the_callers_context_is_bound_to_the_key(server: Server, s3: Any, bucket: str, key: str) -> None:
    def context(pairs: dict[str, str]) -> str:
        return base64.b64encode(json.dumps(pairs).encode()).decode()

    named = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    for team in ("blue", "red", "blue"):
        s3.put_object(Bucket=bucket, Key=team, Body=b"x", SSEKMSEncryptionContext=context({"team": team}), **named)
        assert body_of(s3.get_object(Bucket=bucket, Key=team)) == b"x"
    assert eventually(lambda: counted(server, key) == {"GenerateDataKey": 2, "Decrypt": 2}, "one call for each context")
    with refused("InvalidArgument"):
        of_object = context({"aws:s3:arn": f"arn:aws:s3:::{bucket}/k"})
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", SSEKMSEncryptionContext=of_object, **named)


def test_a_key_is_used_for_its_time_and_no_longer(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    s3 = clients.s3(dev_server, DEVELOPMENT, EUROPE)
    bucket = bucket_with_key(s3, dev_key)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.get_object(Bucket=bucket, Key="k")
    dev_kms.disable_key(KeyId=dev_key)
    dev_clock.advance(dev_server, LIFETIME / 2)
    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == b"x"
    s3.put_object(Bucket=bucket, Key="l", Body=b"x")
    dev_clock.advance(dev_server, LIFETIME / 2)
    with refused("KMS.DisabledException", f"{dev_key} is disabled."):
        s3.get_object(Bucket=bucket, Key="k")
    with refused("KMS.DisabledException", f"{dev_key} is disabled."):
        s3.put_object(Bucket=bucket, Key="l", Body=b"x")
    dev_kms.enable_key(KeyId=dev_key)
    assert body_of(s3.get_object(Bucket=bucket, Key="l")) == b"x"


def test_the_operator_says_for_how_long(tmp_path: Path) -> None:
    limit = {"KEYWRIGHT_OBJECTS_BUCKET_KEY_SECONDS": "3600"}
    server = Server(tmp_path, seed=None, development=True, environment=limit).start()
    kms, s3 = clients.kms(server, DEVELOPMENT, EUROPE), clients.s3(server, DEVELOPMENT, EUROPE)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    bucket = bucket_with_key(s3, key)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.get_object(Bucket=bucket, Key="k")
    kms.disable_key(KeyId=key)
    dev_clock.advance(server, timedelta(minutes=59))
    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == b"x"
    # In memory alone.
    server.restart()
    s3 = clients.s3(server, DEVELOPMENT, EUROPE)
    with refused("KMS.DisabledException"):
        s3.get_object(Bucket=bucket, Key="k")
    clients.kms(server, DEVELOPMENT, EUROPE).enable_key(KeyId=key)
    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == b"x"
    server.close()
