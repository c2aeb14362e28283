"""Bucket policies: they open a bucket, also to other accounts, and close it, also to its own administrators.

Source: Amazon S3 User Guide, "Bucket policies"; IAM User Guide, "Policy evaluation logic".
"""

import json
import uuid
from typing import Any

import pytest

from harness import clients, trail
from harness.buckets import new_bucket
from harness.callers import new_user
from harness.expect import refused
from harness.iam import allow, document
from harness.seed import EUROPE, ONE, ROOT, TWO
from harness.server import Server


@pytest.fixture
def bucket(s3: Any) -> str:
    name = new_bucket(s3)
    s3.put_object(Bucket=name, Key="open/a", Body=b"a")
    s3.put_object(Bucket=name, Key="closed/a", Body=b"a")
    return name


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str, principal: Any, action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource} | more


def arn(bucket: str, key: str = "") -> str:
    return f"arn:aws:s3:::{bucket}{key}"


def test_a_policy_reads_back_byte_for_byte_and_goes(server: Server, s3: Any, bucket: str) -> None:
    with refused("NoSuchBucketPolicy", "The bucket policy does not exist", status=404):
        s3.get_bucket_policy(Bucket=bucket)
    text = policy(statement("Allow", {"AWS": TWO.id}, "s3:GetObject", arn(bucket, "/*"))).replace(":", " :  ", 1)
    put = s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == text
    event = trail.event_of(server, put)
    assert event["eventName"] == "PutBucketPolicy"
    assert event["requestParameters"]["bucketPolicy"] == json.loads(text)
    s3.delete_bucket_policy(Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("NoSuchBucketPolicy", status=404):
        s3.get_bucket_policy(Bucket=bucket)


def test_another_account_gets_what_both_sides_give(server: Server, s3: Any, bucket: str) -> None:
    other = clients.s3(server, TWO)
    with refused("AccessDenied", status=403):
        other.get_object(Bucket=bucket, Key="open/a")
    s3.put_bucket_policy(
        Bucket=bucket, Policy=policy(statement("Allow", {"AWS": TWO.id}, "s3:GetObject", arn(bucket, "/open/*")))
    )
    assert other.get_object(Bucket=bucket, Key="open/a")["Body"].read() == b"a"
    for call in (
        lambda: other.get_object(Bucket=bucket, Key="closed/a"),
        lambda: other.put_object(Bucket=bucket, Key="open/a", Body=b"b"),
        lambda: other.get_bucket_policy(Bucket=bucket),
    ):
        with refused("AccessDenied", status=403):
            call()
    # Its account must let a user do so, too.
    nobody = new_user(server, f"nobody-{uuid.uuid4()}", TWO)
    with refused("AccessDenied", status=403):
        clients.s3(server, nobody.account).get_object(Bucket=bucket, Key="open/a")
    clients.iam(server, TWO).put_user_policy(
        UserName=nobody.name, PolicyName="p", PolicyDocument=document(allow("s3:GetObject"))
    )
    assert clients.s3(server, nobody.account).get_object(Bucket=bucket, Key="open/a")["Body"].read() == b"a"
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("AccessDenied", status=403):
        other.get_object(Bucket=bucket, Key="open/a")


def test_a_user_of_the_account_needs_one_side_alone(server: Server, s3: Any, bucket: str) -> None:
    name = f"reader-{uuid.uuid4()}"
    reader = new_user(server, name)
    s3.put_bucket_policy(
        Bucket=bucket, Policy=policy(statement("Allow", {"AWS": reader.arn}, "s3:GetObject", arn(bucket, "/open/*")))
    )
    client = clients.s3(server, reader.account)
    assert client.get_object(Bucket=bucket, Key="open/a")["Body"].read() == b"a"
    with refused("AccessDenied", status=403):
        client.get_object(Bucket=bucket, Key="closed/a")
    # A namesake who comes later is somebody else.
    iam = clients.iam(server)
    iam.delete_access_key(UserName=name, AccessKeyId=reader.account.access_key_id)
    iam.delete_user(UserName=name)
    namesake = new_user(server, name)
    with refused("AccessDenied", status=403):
        clients.s3(server, namesake.account).get_object(Bucket=bucket, Key="open/a")


def test_a_denial_closes_to_administrators_and_never_to_the_root_user(server: Server, s3: Any, bucket: str) -> None:
    everything = [arn(bucket), arn(bucket, "/*")]
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(statement("Deny", "*", "s3:*", everything)))
    for call in (
        lambda: s3.get_object(Bucket=bucket, Key="open/a"),
        lambda: s3.list_objects_v2(Bucket=bucket),
        lambda: s3.get_bucket_policy(Bucket=bucket),
        lambda: s3.delete_bucket_policy(Bucket=bucket),
    ):
        with refused("AccessDenied", status=403):
            call()
    root = clients.s3(server, ROOT)
    with refused("AccessDenied", status=403):
        root.get_object(Bucket=bucket, Key="open/a")
    root.delete_bucket_policy(Bucket=bucket)
    assert s3.get_object(Bucket=bucket, Key="open/a")["Body"].read() == b"a"


def test_a_bucket_can_demand_an_encryption(server: Server, s3: Any, bucket: str) -> None:
    key = clients.kms(server).create_key()["KeyMetadata"]["Arn"]
    header = "s3:x-amz-server-side-encryption"
    demands = [
        statement("Deny", "*", "s3:PutObject", arn(bucket, "/*"), Condition={"StringNotEquals": {header: "aws:kms"}})
    ]
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(*demands))
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    for encryption in ({}, {"ServerSideEncryption": "AES256"}):
        with refused("AccessDenied", status=403):
            s3.put_object(Bucket=bucket, Key="k", Body=b"x", **encryption)


@pytest.mark.parametrize(
    "broken",
    [
        "no JSON",
        "[]",
        policy({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::BUCKET"}),
        policy(statement("Allow", {"AWS": "nobody"}, "s3:*", "arn:aws:s3:::BUCKET")),
        policy(statement("Allow", {"AWS": f"arn:aws:iam::{ONE.id}:user/absent"}, "s3:*", "arn:aws:s3:::BUCKET")),
        policy(statement("Allow", "*", "kms:*", "arn:aws:s3:::BUCKET")),
        policy(statement("Allow", "*", "s3:*", "arn:aws:s3:::another")),
        policy(statement("Allow", "*", "s3:*", "*")),
        policy({"Effect": "Allow", "Principal": "*", "Action": "s3:*"}),
        policy(statement("Allow", "*", "s3:*", ["arn:aws:s3:::BUCKET/" + "x" * 900] * 25)),
    ],
)
def test_what_is_no_policy_of_the_bucket_is_refused_and_changes_nothing(s3: Any, bucket: str, broken: str) -> None:
    good = policy(statement("Allow", {"AWS": TWO.id}, "s3:GetObject", arn(bucket, "/*")))
    s3.put_bucket_policy(Bucket=bucket, Policy=good)
    with refused("MalformedPolicy"):
        s3.put_bucket_policy(Bucket=bucket, Policy=broken.replace("BUCKET", bucket))
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == good


def test_a_policy_survives_a_restart(fresh_server: Server) -> None:
    s3 = clients.s3(fresh_server)
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": EUROPE})
    s3.put_object(Bucket="kept", Key="k", Body=b"x")
    s3.put_bucket_policy(Bucket="kept", Policy=policy(statement("Allow", {"AWS": TWO.id}, "s3:*", arn("kept", "/*"))))
    fresh_server.restart()
    assert clients.s3(fresh_server, TWO).get_object(Bucket="kept", Key="k")["Body"].read() == b"x"
