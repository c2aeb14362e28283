"""What depends on a key: `keywright usage`, ListKeyUsage behind it, and what ScheduleKeyDeletion tells of it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from harness import clients, trail
from harness.buckets import new_bucket
from harness.callers import new_user
from harness.expect import refused
from harness.iam import allow, document, fresh
from harness.seed import AMERICA, EUROPE, ONE, TWO, Account
from harness.server import EXIT_OK, EXIT_UNEXPECTED, Server, run_tool

MODEL = Path(__file__).parents[2] / "models" / "keywright-2026-11-27.json"


def keywright(folder: Path, server: Server, account: Account = ONE) -> Any:
    place = folder / "keywright" / "2026-11-27"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(MODEL, place / "service-2.json")
    session = boto3.session.Session(
        aws_access_key_id=account.access_key_id,
        aws_secret_access_key=account.secret_access_key,
        region_name=EUROPE,
    )
    session._loader.search_paths.append(str(folder))
    return session.client(
        "keywright", endpoint_url=server.endpoint, config=Config(retries={"total_max_attempts": 1})
    )


def usage(folder: Path, server: Server, *arguments: str, account: Account = ONE) -> subprocess.CompletedProcess[str]:
    return run_tool("usage", *arguments, folder=folder, environment=clients.account_environment(server, account))


def buckets(folder: Path, server: Server, key: str) -> dict[str, dict[str, Any]]:
    done = usage(folder, server, key, "--format", "json")
    assert done.returncode == EXIT_OK, done.stderr
    return {one.pop("Bucket"): one for one in json.loads(done.stdout)["Buckets"]}


def under(key: str) -> dict[str, Any]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}


def encrypt_by_default(s3: Any, bucket: str, key: str | None) -> None:
    default = {"SSEAlgorithm": "aws:kms"} | ({"KMSMasterKeyID": key} if key else {})
    rules = [{"ApplyServerSideEncryptionByDefault": default}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def found(objects: int = 0, size: int = 0, uploads: int = 0, is_default: bool = False) -> dict[str, Any]:
    return {"IsDefault": is_default, "Objects": objects, "Bytes": size, "Uploads": uploads}


def test_objects_uploads_and_defaults_are_counted_by_bucket(
    tmp_path: Path, server: Server, s3: Any, kms: Any, bucket: str, key: str
) -> None:
    assert usage(tmp_path, server, key).stdout == f"{key}\n\nnothing in S3 depends on it\n"
    other, stranger = new_bucket(s3), kms.create_key()["KeyMetadata"]["Arn"]
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x" * 10, **under(key))
    s3.put_object(Bucket=bucket, Key="twice", Body=b"x", ServerSideEncryption="aws:kms:dsse", SSEKMSKeyId=key)
    s3.put_object(Bucket=bucket, Key="bucket key", Body=b"x", BucketKeyEnabled=True, **under(key))
    for name, parameters in (("stranger", under(stranger)), ("plain", {}), ("names-it", {"Metadata": {"k": key}})):
        s3.put_object(Bucket=bucket, Key=name, Body=b"x", **parameters)
    upload = s3.create_multipart_upload(Bucket=other, Key="u", **under(key))["UploadId"]
    encrypt_by_default(s3, other, key.split("/")[1])
    assert buckets(tmp_path, server, key) == {bucket: found(5, 32), other: found(uploads=1, is_default=True)}
    text = usage(tmp_path, server, key).stdout
    assert f"\n{bucket}\n  5 objects, 32 bytes\n" in text
    assert f"\n{other}\n  encrypts under it by default\n  1 upload under way\n" in text
    # What goes away is counted no more.
    s3.abort_multipart_upload(Bucket=other, Key="u", UploadId=upload)
    s3.delete_bucket_encryption(Bucket=other)
    s3.delete_object(Bucket=bucket, Key="k0")
    s3.put_object(Bucket=bucket, Key="k1", Body=b"y", **under(stranger))
    moved = {"SSEKMS": {"KMSKeyArn": stranger}}
    s3.update_object_encryption(Bucket=bucket, Key="k2", ObjectEncryption=moved)
    assert buckets(tmp_path, server, key) == {bucket: found(2, 2)}
    assert buckets(tmp_path, server, stranger)[bucket] == found(3, 12)


def test_earlier_versions_count_and_delete_markers_do_not(
    tmp_path: Path, server: Server, s3: Any, bucket: str, key: str
) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    ids = [s3.put_object(Bucket=bucket, Key="k", Body=b"xy", **under(key))["VersionId"] for _ in range(3)]
    s3.delete_object(Bucket=bucket, Key="k")
    assert buckets(tmp_path, server, key) == {bucket: found(3, 6)}
    s3.delete_object(Bucket=bucket, Key="k", VersionId=ids[0])
    assert buckets(tmp_path, server, key) == {bucket: found(2, 4)}


def test_a_default_counts_by_whatever_name_it_has_the_key(
    tmp_path: Path, server: Server, s3: Any, kms: Any, bucket: str, key: str
) -> None:
    alias = f"alias/{fresh('default')}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    for name in (key, key.split("/")[1], alias, ONE.alias_arn(alias)):
        encrypt_by_default(s3, bucket, name)
        assert buckets(tmp_path, server, alias) == {bucket: found(is_default=True)}, name
    for name in ("alias/another", None):
        encrypt_by_default(s3, bucket, name)
        assert buckets(tmp_path, server, key) == {}
    # A bucket of another account means that account's alias, and this one's key only by an ARN.
    theirs = clients.s3(server, TWO)
    foreign = new_bucket(theirs)
    encrypt_by_default(theirs, foreign, alias)
    assert buckets(tmp_path, server, key) == {}
    encrypt_by_default(theirs, foreign, key)
    assert buckets(tmp_path, server, key) == {foreign: found(is_default=True)}
    theirs.delete_bucket(Bucket=foreign)


def test_the_managed_key_is_the_default_that_names_none(tmp_path: Path, server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    encrypt_by_default(s3, bucket, None)
    assert buckets(tmp_path, server, "alias/aws/s3")[bucket] == found(1, 1, is_default=True)


def test_pages_add_up_to_the_whole(tmp_path: Path, fresh_server: Server) -> None:
    s3, key = clients.s3(fresh_server), clients.kms(fresh_server).create_key()["KeyMetadata"]["Arn"]
    for name, count in (("first", 700), ("second", 3), ("third", 0)):
        s3.create_bucket(Bucket=f"{name}-bucket", CreateBucketConfiguration={"LocationConstraint": EUROPE})
        for number in range(count):
            s3.put_object(Bucket=f"{name}-bucket", Key=f"{number:04}", Body=b"xy", **under(key))
        s3.create_multipart_upload(Bucket=f"{name}-bucket", Key="u", **under(key))
    america = clients.s3(fresh_server, region=AMERICA)
    america.create_bucket(Bucket="america-bucket")
    america.put_object(Bucket="america-bucket", Key="k", Body=b"x")
    client, parts, marker, pages = keywright(tmp_path, fresh_server), {}, {}, 0
    while True:
        page = client.list_key_usage(KeyId=key, Limit=1, **marker)
        pages += 1
        for one in page["Buckets"]:
            sums = parts.setdefault(one["Bucket"], [0, 0, 0])
            parts[one["Bucket"]] = [sums[0] + one["Objects"], sums[1] + one["Bytes"], sums[2] + one["Uploads"]]
        assert page["Truncated"] == ("NextMarker" in page)
        if not page["Truncated"]:
            break
        marker = {"Marker": page["NextMarker"]}
    assert pages > 3
    assert parts == {"first-bucket": [700, 1400, 1], "second-bucket": [3, 6, 1], "third-bucket": [0, 0, 1]}
    for bad in ("nonsense", "a21zL2tleS8x"):
        with refused("InvalidMarkerException"):
            client.list_key_usage(KeyId=key, Marker=bad)


def test_who_may_not_learn_it_does_not(tmp_path: Path, server: Server, s3: Any, kms: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **under(key))
    caller = new_user(server, fresh("asker"))
    asks, describes = allow("keywright:ListKeyUsage"), allow("kms:DescribeKey")
    for statements in ([], [asks], [describes]):
        if statements:
            clients.iam(server).put_user_policy(
                UserName=caller.name, PolicyName="p", PolicyDocument=document(*statements)
            )
        done = usage(tmp_path, server, key, account=caller.account)
        assert done.returncode == EXIT_UNEXPECTED and "AccessDeniedException" in done.stderr
        assert bucket not in done.stdout + done.stderr
    policy = document(asks, describes)
    clients.iam(server).put_user_policy(UserName=caller.name, PolicyName="p", PolicyDocument=policy)
    assert usage(tmp_path, server, key, account=caller.account).returncode == EXIT_OK
    # Another account does not, whatever the key policy lets it do with the key.
    whole = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    lets_in = {"Effect": "Allow", "Principal": {"AWS": TWO.id}, "Action": "kms:*", "Resource": "*"}
    whole["Statement"].append(lets_in)
    kms.put_key_policy(KeyId=key, Policy=json.dumps(whole))
    done = usage(tmp_path, server, key, account=TWO)
    assert done.returncode == EXIT_UNEXPECTED and "AccessDeniedException" in done.stderr
    absent = usage(tmp_path, server, "alias/absent")
    assert absent.returncode == EXIT_UNEXPECTED and "NotFoundException" in absent.stderr


def test_a_deletion_tells_what_depends_on_the_key(server: Server, s3: Any, kms: Any, bucket: str, key: str) -> None:
    default, alias = new_bucket(s3), f"alias/{fresh('doomed')}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    encrypt_by_default(s3, default, alias)
    for number in range(2):
        s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x" * 10, **under(key))
    s3.create_multipart_upload(Bucket=bucket, Key="u", **under(key))
    event = trail.event_of(server, kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7))
    assert event["additionalEventData"] == {"dependentBuckets": 2, "dependentBytes": 20, "dependentObjects": 3}
    [line] = [line for line in server.output.splitlines() if key in line and "is to be deleted" in line]
    assert "WARN" in line and "objects=3" in line and "buckets=2" in line
    kms.cancel_key_deletion(KeyId=key)


def test_a_key_that_nothing_depends_on_goes_quietly(server: Server, kms: Any, key: str) -> None:
    event = trail.event_of(server, kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7))
    assert "additionalEventData" not in event
    assert not [line for line in server.output.splitlines() if key in line and "is to be deleted" in line]


def test_who_may_not_delete_a_key_has_nothing_counted(server: Server, s3: Any, kms: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **under(key))
    caller = new_user(server, fresh("nobody"))
    with refused("AccessDeniedException"):
        clients.kms(server, caller.account).schedule_key_deletion(KeyId=key)
    [event] = trail.events(server, eventName="ScheduleKeyDeletion", errorCode="AccessDenied")[-1:]
    assert "additionalEventData" not in event


@pytest.mark.parametrize("name", ["id", "alias", "alias ARN", "ARN"])
def test_a_policy_sees_the_key_of_a_write_by_its_arn(
    s3: Any, kms: Any, bucket: str, key: str, name: str
) -> None:
    alias = f"alias/{fresh('app')}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    named = {"id": key.split("/")[1], "alias": alias, "alias ARN": ONE.alias_arn(alias), "ARN": key}[name]
    demand(s3, bucket, key)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **under(named))
    s3.create_multipart_upload(Bucket=bucket, Key="k", **under(named))
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k", **under(named))
    kms.update_alias(AliasName=alias, TargetKeyId=kms.create_key()["KeyMetadata"]["Arn"])
    if "alias" in name:
        for call in (s3.put_object, s3.create_multipart_upload):
            with refused("AccessDenied", status=403):
                call(Bucket=bucket, Key="k", **under(named))
    with refused("AccessDenied", status=403):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", **under("alias/absent"))


def test_a_policy_sees_the_managed_key_where_kms_comes_without_a_key(
    server: Server, s3: Any, kms: Any, bucket: str, key: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    managed = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    demand(s3, bucket, managed)
    for algorithm in ("aws:kms", "aws:kms:dsse"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption=algorithm)
    for parameters in (under(key), {}, {"ServerSideEncryption": "AES256"}):
        with refused("AccessDenied", status=403):
            s3.put_object(Bucket=bucket, Key="k", Body=b"x", **parameters)
    demand(s3, bucket, key)
    with refused("AccessDenied", status=403):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")


def demand(s3: Any, bucket: str, key: str) -> None:
    """Lets nothing be written but under one key."""
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": deny}))
