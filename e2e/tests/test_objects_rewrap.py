"""Objects under another key, their contents untouched: UpdateObjectEncryption, and `keywright objects rewrap`.

Source: Amazon S3 API Reference, "UpdateObjectEncryption", and User Guide, "Updating server-side encryption for existing
objects"; texts of refusals from the documentation in the service model.
"""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness import clients, trail
from harness.buckets import new_bucket, take_customer_keys
from harness.callers import Caller, new_user
from harness.expect import refused
from harness.iam import allow, document, fresh
from harness.polling import eventually
from harness.seed import DEVELOPMENT, EUROPE, ONE, SEEDED_KEY_TWO, TWO, Account
from harness.server import BINARY, EXIT_OK, EXIT_UNEXPECTED, EXIT_USAGE, Server, clean_environment, run_tool

OTHER_SOURCE = (
    "The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or SSE-C. "
    "Only source objects encrypted with SSE-S3 or SSE-KMS are supported."
)
NO_ARN = (
    "Requests that modify an object's encryption type to SSE-KMS require a valid AWS KMS key Amazon Resource Name (ARN). "
    "Confirm that you have a correctly formatted KMS key ARN in your request, and then try again."
)
FOREIGN_KEY = (
    "The AWS KMS key in the request must be owned by the same account as the bucket. Modify the request to specify a KMS "
    "key from the same account, and then try again."
)
CUSTOMER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}


def under(key: str) -> dict[str, Any]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}


def update(s3: Any, bucket: str, name: str, key: str, with_bucket_key: bool | None = None) -> dict[str, Any]:
    encryption: dict[str, Any] = {"KMSKeyArn": key}
    if with_bucket_key is not None:
        encryption["BucketKeyEnabled"] = with_bucket_key
    return s3.update_object_encryption(Bucket=bucket, Key=name, ObjectEncryption={"SSEKMS": encryption})


def body_of(s3: Any, bucket: str, name: str) -> bytes:
    return s3.get_object(Bucket=bucket, Key=name)["Body"].read()


def key_of(s3: Any, bucket: str, name: str) -> str | None:
    return s3.head_object(Bucket=bucket, Key=name).get("SSEKMSKeyId")


def uploaded_in_parts(s3: Any, bucket: str, name: str, **parameters: Any) -> bytes:
    """An object in two parts."""
    upload = s3.create_multipart_upload(Bucket=bucket, Key=name, **parameters)["UploadId"]
    bodies, parts = [os.urandom(5 * 1024 * 1024), os.urandom(1000)], []
    for number, body in enumerate(bodies, 1):
        put = s3.upload_part(Bucket=bucket, Key=name, UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": put["ETag"]})
    s3.complete_multipart_upload(Bucket=bucket, Key=name, UploadId=upload, MultipartUpload={"Parts": parts})
    return b"".join(bodies)


@pytest.fixture
def other_key(kms: Any) -> str:
    return kms.create_key()["KeyMetadata"]["Arn"]


@pytest.mark.parametrize("source", ["service", "kms", "bucket key"])
@pytest.mark.parametrize("with_bucket_key", [None, False, True])
def test_the_key_changes_and_nothing_else(
    s3: Any, kms: Any, bucket: str, key: str, other_key: str, source: str, with_bucket_key: bool | None
) -> None:
    body = os.urandom(200_000)
    before = {"service": {}, "kms": under(key), "bucket key": under(key) | {"BucketKeyEnabled": True}}[source]
    s3.put_object(Bucket=bucket, Key="k", Body=body, Metadata={"a": "b"}, ContentType="text/x", **before)
    was = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    update(s3, bucket, "k", other_key, with_bucket_key)
    now = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (now["ServerSideEncryption"], now["SSEKMSKeyId"]) == ("aws:kms", other_key)
    assert now.get("BucketKeyEnabled", False) is bool(with_bucket_key)
    same = ("ETag", "LastModified", "ContentLength", "ContentType", "Metadata", "ChecksumCRC32")
    assert [now[name] for name in same] == [was[name] for name in same]
    # Of the old key nothing is needed any more; of the new one everything is.
    kms.disable_key(KeyId=key)
    assert body_of(s3, bucket, "k") == body
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=70000-70009")["Body"].read() == body[70_000:70_010]
    if not with_bucket_key:
        kms.disable_key(KeyId=other_key)
        with refused("KMS.DisabledException"):
            body_of(s3, bucket, "k")


def test_an_object_in_parts_changes_its_key_as_any_other(s3: Any, kms: Any, bucket: str, key: str, other_key: str) -> None:
    body = uploaded_in_parts(s3, bucket, "k", **under(key))
    tag = s3.head_object(Bucket=bucket, Key="k")["ETag"]
    update(s3, bucket, "k", other_key)
    kms.disable_key(KeyId=key)
    assert body_of(s3, bucket, "k") == body
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"] == tag


def test_the_callers_encryption_context_stays(server: Server, s3: Any, bucket: str, key: str, other_key: str) -> None:
    pairs = "eyJwcm9qZWN0IjoiYSJ9"  # {"project":"a"}
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", SSEKMSEncryptionContext=pairs, **under(key))
    update(s3, bucket, "k", other_key)
    assert body_of(s3, bucket, "k") == b"x"
    [made] = [
        event
        for event in trail.events(server, eventName="GenerateDataKey")
        if (event["requestParameters"] or {}).get("keyId") == other_key
    ]
    expected = {"aws:s3:arn": f"arn:aws:s3:::{bucket}/k", "project": "a"}
    assert made["requestParameters"]["encryptionContext"] == expected


def test_the_calls_to_kms_are_the_callers_and_stand_in_the_trail(
    server: Server, s3: Any, bucket: str, key: str, other_key: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **under(key))
    update(s3, bucket, "k", other_key)

    def calls(name: str, of: str) -> list[dict[str, Any]]:
        events = trail.events(server, eventName=name)
        return [event for event in events if any(one["ARN"] == of for one in event.get("resources", []))]

    for event in (*calls("Decrypt", key), *calls("GenerateDataKey", other_key)):
        assert event["userIdentity"]["arn"] == ONE.user_arn
        assert event["userIdentity"]["invokedBy"] == "s3.amazonaws.com"
    assert len(calls("Decrypt", key)) == len(calls("GenerateDataKey", other_key)) == 1
    assert not calls("Decrypt", other_key)


def rewrapper(server: Server, bucket: str, *statements: dict[str, Any]) -> Caller:
    """A user who may do all in a bucket that rewrapping takes, and what the statements say."""
    caller = new_user(server, fresh("rewrapper"))
    actions = ("s3:ListBucketVersions", "s3:GetObjectVersion", "s3:PutObject", "s3:UpdateObjectEncryption")
    policy = document(allow(*actions), *statements)
    clients.iam(server).put_user_policy(UserName=caller.name, PolicyName="p", PolicyDocument=policy)
    return caller


def test_both_keys_are_needed_in_the_callers_own_name(
    server: Server, s3: Any, kms: Any, bucket: str, key: str, other_key: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **under(key))
    old, new = allow("kms:Decrypt", resource=key), allow("kms:GenerateDataKey", resource=other_key)
    for statements in ([old], [new], []):
        caller = rewrapper(server, bucket, *statements)
        with refused("AccessDenied", status=403):
            update(clients.s3(server, caller.account), bucket, "k", other_key)
        assert key_of(s3, bucket, "k") == key
    update(clients.s3(server, rewrapper(server, bucket, old, new).account), bucket, "k", other_key)
    assert key_of(s3, bucket, "k") == other_key
    for disabled, target in ((other_key, key), (key, other_key)):
        # Under other_key by now: first the old key is disabled, then the new one.
        kms.disable_key(KeyId=disabled)
        with refused("KMS.DisabledException"):
            update(s3, bucket, "k", key)
        assert key_of(s3, bucket, "k") == other_key, target
        kms.enable_key(KeyId=disabled)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with refused("KMS.KMSInvalidStateException"):
        update(s3, bucket, "k", key)
    assert body_of(s3, bucket, "k") == b"x"


def test_policies_are_asked_about_the_key_that_is_to_be(server: Server, s3: Any, bucket: str, key: str, other_key: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    condition = {"StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key}}
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:UpdateObjectEncryption",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": condition,
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": deny}))
    with refused("AccessDenied", status=403):
        update(s3, bucket, "k", other_key)
    assert key_of(s3, bucket, "k") is None
    update(s3, bucket, "k", key)
    assert key_of(s3, bucket, "k") == key


def test_what_cannot_be_is_refused_in_the_words_of_aws(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_object(Bucket=bucket, Key="twice", Body=b"x", ServerSideEncryption="aws:kms:dsse", SSEKMSKeyId=key)
    with refused("InvalidRequest", OTHER_SOURCE):
        update(s3, bucket, "twice", key)
    for no_arn in ("alias/some-alias-of-a-key", key.split("/")[1], key.replace(":key/", ":alias/")):
        with refused("InvalidRequest", NO_ARN):
            update(s3, bucket, "k", no_arn)
    with refused("AccessDenied", FOREIGN_KEY, status=403):
        update(s3, bucket, "k", TWO.key_arn(SEEDED_KEY_TWO))
    with refused("KMS.NotFoundException"):
        update(s3, bucket, "k", ONE.key_arn("00000000-0000-4000-8000-000000000000"))
    with refused("NoSuchKey", status=404):
        update(s3, bucket, "absent", key)
    with refused("NoSuchBucket", status=404):
        update(s3, "absent-bucket", "k", key)
    assert key_of(s3, bucket, "k") is None and body_of(s3, bucket, "k") == b"x"


def test_customers_keys_stay_with_the_customers(dev_server: Server, dev_key: str) -> None:
    s3 = clients.s3(dev_server, DEVELOPMENT)
    bucket = new_bucket(s3)
    take_customer_keys(s3, bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **CUSTOMER)
    with refused("InvalidRequest", OTHER_SOURCE):
        update(s3, bucket, "k", dev_key)
    assert s3.get_object(Bucket=bucket, Key="k", **CUSTOMER)["Body"].read() == b"x"


def test_who_reads_meanwhile_goes_on_reading(s3: Any, kms: Any, bucket: str, key: str, other_key: str) -> None:
    body = os.urandom(8 * 1024 * 1024)
    s3.put_object(Bucket=bucket, Key="k", Body=body, **under(key))
    reader = s3.get_object(Bucket=bucket, Key="k")["Body"]
    first = reader.read(1000)
    update(s3, bucket, "k", other_key)
    kms.disable_key(KeyId=key)
    assert first + reader.read() == body == body_of(s3, bucket, "k")


@pytest.fixture
def versions(s3: Any, bucket: str, key: str) -> dict[str, str]:
    """The ids of three versions under one key, from before versions were kept until now, with what each holds."""
    made = {}
    for body in ("first", "second", "third"):
        put = s3.put_object(Bucket=bucket, Key="k", Body=body.encode(), **under(key))
        made[body] = put.get("VersionId", "null")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return made


def state(s3: Any, bucket: str, versions: dict[str, str]) -> dict[str, str | None]:
    """The key that each version is under, by what it holds."""
    keys = {}
    for body, id in versions.items():
        got = s3.get_object(Bucket=bucket, Key="k", VersionId=id)
        assert got["Body"].read() == body.encode()
        keys[body] = got.get("SSEKMSKeyId")
    return keys


@pytest.mark.parametrize("which", ["first", "second", "third"])
def test_one_version_changes_its_key_and_the_others_do_not(
    s3: Any, bucket: str, key: str, other_key: str, versions: dict[str, str], which: str
) -> None:
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    encryption = {"SSEKMS": {"KMSKeyArn": other_key}}
    s3.update_object_encryption(Bucket=bucket, Key="k", VersionId=versions[which], ObjectEncryption=encryption)
    assert state(s3, bucket, versions) == dict.fromkeys(versions, key) | {which: other_key}
    assert s3.list_object_versions(Bucket=bucket)["Versions"] == listed
    # What comes and goes afterwards finds it where it was.
    s3.delete_object(Bucket=bucket, Key="k")
    for body in reversed(versions):
        for version in s3.list_object_versions(Bucket=bucket).get("DeleteMarkers", []):
            s3.delete_object(Bucket=bucket, Key="k", VersionId=version["VersionId"])
        assert body_of(s3, bucket, "k") == body.encode()
        assert key_of(s3, bucket, "k") == (other_key if body == which else key)
        s3.delete_object(Bucket=bucket, Key="k", VersionId=versions[body])
    with refused("NoSuchKey", status=404):
        body_of(s3, bucket, "k")


def test_what_is_no_version_has_no_key(s3: Any, bucket: str, key: str, other_key: str, versions: dict[str, str]) -> None:
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    encryption = {"SSEKMS": {"KMSKeyArn": other_key}}
    for id, code, status in (
        (marker, "MethodNotAllowed", 405),
        (versions["third"][:-1] + "x", "InvalidArgument", 400),
        ("0" * 48, "NoSuchVersion", 404),
    ):
        with refused(code, status=status):
            s3.update_object_encryption(Bucket=bucket, Key="k", VersionId=id, ObjectEncryption=encryption)
    with refused("NoSuchKey", status=404):
        update(s3, bucket, "k", other_key)
    assert state(s3, bucket, versions) == dict.fromkeys(versions, key)


def test_all_versions_are_rewrapped(
    tmp_path: Path, server: Server, s3: Any, kms: Any, bucket: str, key: str, other_key: str, versions: dict[str, str]
) -> None:
    s3.delete_object(Bucket=bucket, Key="k")
    s3.put_object(Bucket=bucket, Key="l", Body=b"x")
    told = ("--bucket", bucket, "--kms-key-id", other_key, "--from-key", key, "--format", "json")
    done = rewrap(tmp_path, server, *told)
    assert done.returncode == EXIT_OK and summary(done) == {"Rewrapped": 3, "UnderOtherKeys": 1}, done.stderr
    kms.disable_key(KeyId=key)
    assert state(s3, bucket, versions) == dict.fromkeys(versions, other_key)
    assert key_of(s3, bucket, "l") is None


def test_changes_of_a_key_and_of_its_versions_at_the_same_time_lose_nothing(
    s3: Any, bucket: str, key: str, other_key: str, versions: dict[str, str]
) -> None:
    made = dict(versions)

    def write(number: int) -> None:
        put = s3.put_object(Bucket=bucket, Key="k", Body=str(number).encode(), **under(key))
        made[str(number)] = put["VersionId"]

    def reseal(body: str) -> None:
        encryption = {"SSEKMS": {"KMSKeyArn": other_key}}
        s3.update_object_encryption(Bucket=bucket, Key="k", VersionId=versions[body], ObjectEncryption=encryption)

    with ThreadPoolExecutor(8) as pool:
        under_way = [pool.submit(write, number) for number in range(12)]
        under_way += [pool.submit(reseal, body) for body in versions for _ in range(2)]
        for one in under_way:
            one.result()
    assert state(s3, bucket, made) == dict.fromkeys(made, key) | dict.fromkeys(versions, other_key)


def rewrap(folder: Path, server: Server, *arguments: str, account: Account = ONE) -> subprocess.CompletedProcess[str]:
    environment = clients.account_environment(server, account)
    return run_tool("objects", "rewrap", *arguments, folder=folder, environment=environment)


def summary(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """What became of the objects, but for what became of none."""
    return {name: count for name, count in json.loads(done.stdout).items() if count}


NAMES = ["a", "b/c d", "b/ä+~%", "c//d", "e=&?#"]


def test_a_bucket_is_rewrapped_and_then_there_is_nothing_left_to_do(
    tmp_path: Path, server: Server, s3: Any, kms: Any, bucket: str, key: str, other_key: str
) -> None:
    for name in NAMES:
        s3.put_object(Bucket=bucket, Key=name, Body=name.encode(), **under(key))
    s3.put_object(Bucket=bucket, Key="bucket key", Body=b"x", BucketKeyEnabled=True, **under(key))
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    alias = f"alias/{fresh('new')}"
    kms.create_alias(AliasName=alias, TargetKeyId=other_key)
    told = ("--bucket", bucket, "--kms-key-id", alias)
    done = rewrap(tmp_path, server, *told)
    assert done.returncode == EXIT_OK, done.stderr
    assert done.stdout == f"{bucket}: {len(NAMES) + 2} objects\n  {len(NAMES) + 2} rewrapped under {other_key}\n"
    kms.disable_key(KeyId=key)
    for name in NAMES:
        assert (body_of(s3, bucket, name), key_of(s3, bucket, name)) == (name.encode(), other_key)
    assert s3.head_object(Bucket=bucket, Key="bucket key")["BucketKeyEnabled"] is True
    assert "BucketKeyEnabled" not in s3.head_object(Bucket=bucket, Key="plain")
    again = rewrap(tmp_path, server, *told, "--format", "json")
    assert again.returncode == EXIT_OK and summary(again) == {"Already": len(NAMES) + 2}
    with_bucket_key = rewrap(tmp_path, server, *told, "--format", "json", "--bucket-key")
    assert summary(with_bucket_key) == {"Rewrapped": len(NAMES) + 1, "Already": 1}
    assert s3.head_object(Bucket=bucket, Key="plain")["BucketKeyEnabled"] is True


def test_prefix_and_old_key_say_which_objects_are_meant(
    tmp_path: Path, server: Server, s3: Any, kms: Any, bucket: str, key: str, other_key: str
) -> None:
    third = kms.create_key()["KeyMetadata"]["Arn"]
    for name, parameters in (("in/old", under(key)), ("in/third", under(third)), ("in/s3", {}), ("out/old", under(key))):
        s3.put_object(Bucket=bucket, Key=name, Body=b"x", **parameters)
    told = ("--bucket", bucket, "--kms-key-id", other_key, "--from-key", key.split("/")[1], "--format", "json")
    done = rewrap(tmp_path, server, *told, "--prefix", "in/")
    assert done.returncode == EXIT_OK and summary(done) == {"Rewrapped": 1, "UnderOtherKeys": 2}, done.stderr
    keys = {name: key_of(s3, bucket, name) for name in ("in/old", "in/third", "in/s3", "out/old")}
    assert keys == {"in/old": other_key, "in/third": third, "in/s3": None, "out/old": key}


def test_what_is_left_is_told_and_ends_the_command_badly(
    tmp_path: Path, server: Server, s3: Any, kms: Any, bucket: str, key: str, other_key: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **under(key))
    s3.put_object(Bucket=bucket, Key="twice", Body=b"x", ServerSideEncryption="aws:kms:dsse", SSEKMSKeyId=key)
    s3.put_object(Bucket=bucket, Key="a/../b", Body=b"x", **under(key))
    done = rewrap(tmp_path, server, "--bucket", bucket, "--kms-key-id", other_key, "--format", "json")
    assert done.returncode == EXIT_UNEXPECTED
    assert summary(done) == {"Rewrapped": 1, "InTwoLayers": 1, "Failed": 1}
    assert '"a/../b", version null: the request cannot be signed' in done.stderr
    assert key_of(s3, bucket, "twice") == key and key_of(s3, bucket, "k") == other_key


def test_who_may_not_use_one_of_the_keys_rewraps_nothing(
    tmp_path: Path, server: Server, s3: Any, kms: Any, bucket: str, key: str, other_key: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **under(key))
    old, new = allow("kms:Decrypt", resource=key), allow("kms:GenerateDataKey", resource=other_key)
    told = ("--bucket", bucket, "--kms-key-id", other_key)
    for statements in ([old], [new]):
        done = rewrap(tmp_path, server, *told, account=rewrapper(server, bucket, *statements).account)
        assert done.returncode == EXIT_UNEXPECTED and '"k", version null: AccessDenied' in done.stderr, done.stderr
        assert "  1 failed\n" in done.stdout and key_of(s3, bucket, "k") == key
    kms.disable_key(KeyId=other_key)
    done = rewrap(tmp_path, server, *told)
    assert done.returncode == EXIT_UNEXPECTED and "KMS.DisabledException" in done.stderr
    kms.enable_key(KeyId=other_key)
    nobody = rewrap(tmp_path, server, *told, account=new_user(server, fresh("nobody")).account)
    assert nobody.returncode == EXIT_UNEXPECTED and "AccessDenied" in nobody.stderr
    done = rewrap(tmp_path, server, *told, account=rewrapper(server, bucket, old, new).account)
    assert done.returncode == EXIT_OK and key_of(s3, bucket, "k") == other_key


def test_the_command_line_is_looked_at_first(tmp_path: Path, server: Server, bucket: str, key: str) -> None:
    for arguments in (
        ("--bucket", bucket),
        ("--kms-key-id", key),
        ("--bucket", bucket, "--kms-key-id", key, "--concurrency", "0"),
    ):
        assert rewrap(tmp_path, server, *arguments).returncode == EXIT_USAGE
    absent = rewrap(tmp_path, server, "--bucket", "absent-bucket", "--kms-key-id", key)
    assert absent.returncode == EXIT_UNEXPECTED and "NoSuchBucket" in absent.stderr
    no_alias = rewrap(tmp_path, server, "--bucket", bucket, "--kms-key-id", "alias/absent")
    assert no_alias.returncode == EXIT_UNEXPECTED and "NotFoundException" in no_alias.stderr


def test_customers_objects_are_passed_over_and_told(tmp_path: Path, dev_server: Server, dev_key: str) -> None:
    s3 = clients.s3(dev_server, DEVELOPMENT)
    bucket = new_bucket(s3)
    take_customer_keys(s3, bucket)
    s3.put_object(Bucket=bucket, Key="c", Body=b"x", **CUSTOMER)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    told = ("--bucket", bucket, "--kms-key-id", dev_key)
    done = rewrap(tmp_path, dev_server, *told, account=DEVELOPMENT)
    assert done.returncode == EXIT_OK and "  1 under keys of customers (SSE-C), left alone\n" in done.stdout
    assert s3.get_object(Bucket=bucket, Key="c", **CUSTOMER)["Body"].read() == b"x"
    assert key_of(s3, bucket, "k") == dev_key


@pytest.mark.parametrize("victim", ["command", "server"])
def test_a_run_that_is_killed_is_run_again_and_nothing_is_lost(
    tmp_path: Path, fresh_server: Server, victim: str
) -> None:
    server, count = fresh_server, 1_100
    s3, kms = clients.s3(server), clients.kms(server)
    old, new = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    s3.create_bucket(Bucket="many", CreateBucketConfiguration={"LocationConstraint": EUROPE})
    names = [f"{number:05}" for number in range(count)]
    for name in names:
        s3.put_object(Bucket="many", Key=name, Body=name.encode(), **under(old))
    arguments = ("objects", "rewrap", "--bucket", "many", "--kms-key-id", new, "--format", "json")
    environment = clean_environment(tmp_path) | clients.account_environment(server)
    running = subprocess.Popen(
        [str(BINARY), *arguments], env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    # It has done some, and much is left.
    eventually(lambda: key_of(s3, "many", names[20]) == new, "the run is under way", 30)
    if victim == "command":
        running.kill()
    else:
        server.kill()
    assert running.wait(60) != EXIT_OK
    if victim == "server":
        server.start()
        s3 = clients.s3(server)
    before = {name: key_of(s3, "many", name) for name in names}
    assert set(before.values()) == {old, new}
    done = rewrap(tmp_path, server, *arguments[2:])
    assert done.returncode == EXIT_OK, done.stderr
    already = sum(key == new for key in before.values())
    assert summary(done) == {"Rewrapped": count - already, "Already": already}
    clients.kms(server).disable_key(KeyId=old)
    for name in names:
        assert body_of(s3, "many", name) == name.encode()
