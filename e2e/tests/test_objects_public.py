"""What keeps a bucket from being public.

Source: S3 User Guide, "Blocking public access to your Amazon S3 storage", and there "The meaning of public".
"""

import json
from typing import Any

import pytest

from harness import clients
from harness.buckets import new_bucket
from harness.expect import refused
from harness.seed import ROOT, TWO
from harness.server import Server
from harness.trail import event_of

FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
NARROW = {"StringEquals": {"aws:PrincipalAccount": TWO.id}}


def policy(bucket: str, principal: Any = "*", **more: Any) -> str:
    """Whoever is meant may read the bucket's objects."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject"}
    resource = {"Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | resource | more]})


def set_block(s3: Any, bucket: str, **flags: bool) -> dict[str, Any]:
    return s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=flags)


def test_a_new_bucket_may_not_be_public(s3: Any, bucket: str) -> None:
    told = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert told == dict.fromkeys(FLAGS, True)
    with refused("AccessDenied", status=403):
        s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket))
    with refused("NoSuchBucketPolicy", status=404):
        s3.get_bucket_policy(Bucket=bucket)
    # What lets in somebody who is named, or a fixed account, is not public.
    for given in [policy(bucket, {"AWS": TWO.id}), policy(bucket, Condition=NARROW)]:
        s3.put_bucket_policy(Bucket=bucket, Policy=given)


def test_not_even_the_root_user_makes_a_blocked_bucket_public(server: Server, bucket: str) -> None:
    root = clients.s3(server, ROOT)
    with refused("AccessDenied", status=403):
        root.put_bucket_policy(Bucket=bucket, Policy=policy(bucket))
    root.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, Condition=NARROW))


def test_a_block_is_told_as_it_was_put_and_goes(server: Server, s3: Any, bucket: str) -> None:
    put = set_block(s3, bucket, BlockPublicPolicy=True)
    told = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert told == dict.fromkeys(FLAGS, False) | {"BlockPublicPolicy": True}
    event = event_of(server, put)
    assert event["eventName"] == "PutBucketPublicAccessBlock"
    assert event["requestParameters"]["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] is True
    for _ in range(2):
        s3.delete_public_access_block(Bucket=bucket)
    with refused("NoSuchPublicAccessBlockConfiguration", status=404):
        s3.get_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket))


def test_a_public_bucket_may_be_restricted_to_its_own_account(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket))
    other = clients.s3(server, TWO)
    assert other.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    set_block(s3, bucket, RestrictPublicBuckets=True)
    with refused("AccessDenied", status=403):
        other.get_object(Bucket=bucket, Key="k")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    # A policy that is not public still opens it.
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, Condition=NARROW))
    assert other.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


@pytest.mark.parametrize(("more", "is_public"), [({}, True), ({"Condition": NARROW}, False)])
def test_it_is_told_whether_a_policy_is_public(s3: Any, bucket: str, more: Any, is_public: bool) -> None:
    with refused("NoSuchBucketPolicy", status=404):
        s3.get_bucket_policy_status(Bucket=bucket)
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, **more))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is is_public


def test_a_block_is_there_after_a_restart(fresh_server: Server) -> None:
    s3 = clients.s3(fresh_server)
    bucket = new_bucket(s3)
    set_block(s3, bucket, IgnorePublicAcls=True)
    fresh_server.restart()
    told = clients.s3(fresh_server).get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert told == dict.fromkeys(FLAGS, False) | {"IgnorePublicAcls": True}
