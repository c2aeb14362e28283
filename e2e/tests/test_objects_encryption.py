"""What is encrypted how: SSE-S3, SSE-KMS and SSE-C, on the wire, in the trail and on the disk.

Source: Amazon S3 User Guide, "Protecting data with encryption"; answers of the service as recorded by LocalStack's
validated tests.
"""

import base64
import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import clients
from harness.buckets import new_bucket, take_customer_keys
from harness.expect import refused
from harness.polling import eventually
from harness.seed import ONE, SEEDED_KEY
from harness.server import Server

KEY_ARN = ONE.key_arn(SEEDED_KEY)
MARK = b"planted plaintext, to be found by nobody"


@pytest.fixture
def secure(tls_server: Server) -> Any:
    return clients.s3(tls_server)


def open_bucket(s3: Any) -> str:
    """A bucket that takes customers' keys."""
    bucket = new_bucket(s3)
    take_customer_keys(s3, bucket)
    return bucket


def customer(key: bytes | str) -> dict[str, Any]:
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}


def test_kms_encrypts_for_who_asks_and_says_so(server: Server, s3: Any, bucket: str) -> None:
    body = os.urandom(100_000)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, ServerSideEncryption="aws:kms", SSEKMSKeyId=SEEDED_KEY)
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", KEY_ARN)
    assert put["ETag"] != f'"{hashlib.md5(body).hexdigest()}"'
    for read in (s3.get_object, s3.head_object):
        got = read(Bucket=bucket, Key="k")
        assert (got["ServerSideEncryption"], got["SSEKMSKeyId"]) == ("aws:kms", KEY_ARN)
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=70000-70009")["Body"].read() == body[70_000:70_010]
    trail = clients.cloudtrail(server)

    def calls() -> list[dict[str, Any]]:
        attribute = {"AttributeKey": "ResourceName", "AttributeValue": KEY_ARN}
        found = trail.lookup_events(LookupAttributes=[attribute], MaxResults=50)
        events = [json.loads(one["CloudTrailEvent"]) for one in found["Events"]]
        return [one for one in events if bucket in json.dumps(one)]

    def names() -> set[str]:
        return {one["eventName"] for one in calls()}

    assert eventually(lambda: names() >= {"GenerateDataKey", "Decrypt"}, "both events")
    for event in calls():
        assert event["userIdentity"]["arn"] == ONE.user_arn
        context = event["requestParameters"]["encryptionContext"]
        assert context == {"aws:s3:arn": f"arn:aws:s3:::{bucket}/k"}


def test_a_digest_that_is_told_is_held_to_although_it_is_no_tag(s3: Any, bucket: str) -> None:
    body, kms = os.urandom(70_000), {"ServerSideEncryption": "aws:kms"}
    right, wrong = (base64.b64encode(hashlib.md5(one).digest()).decode() for one in (body, b"other"))
    with refused("BadDigest"):
        s3.put_object(Bucket=bucket, Key="k", Body=body, ContentMD5=wrong, **kms)
    with refused("404", status=404):
        s3.head_object(Bucket=bucket, Key="k")
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, ContentMD5=right, **kms)
    assert put["ETag"] != f'"{hashlib.md5(body).hexdigest()}"'
    upload = s3.create_multipart_upload(Bucket=bucket, Key="l", **kms)["UploadId"]
    part = {"Bucket": bucket, "Key": "l", "UploadId": upload, "PartNumber": 1, "Body": body}
    with refused("BadDigest"):
        s3.upload_part(**part, ContentMD5=wrong)
    assert s3.upload_part(**part, ContentMD5=right)["ETag"] != f'"{hashlib.md5(body).hexdigest()}"'


def test_the_key_of_the_service_comes_into_being(s3: Any, bucket: str, server: Server) -> None:
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    key = clients.kms(server).describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert put["SSEKMSKeyId"] == key["Arn"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_who_may_not_use_the_key_may_not_read(server: Server, s3: Any, bucket: str, s3_user: Any) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=SEEDED_KEY)
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    user = s3_user("s3:*", "*")
    assert user.get_object(Bucket=bucket, Key="plain")["Body"].read() == b"x"
    with refused("AccessDenied", status=403):
        user.get_object(Bucket=bucket, Key="k")
    with refused("AccessDenied", status=403):
        user.put_object(Bucket=bucket, Key="k2", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=SEEDED_KEY)


def test_keys_that_cannot_be_used_refuse_in_the_words_of_the_key_service(server: Server, s3: Any, bucket: str) -> None:
    kms = clients.kms(server)
    key = kms.create_key()["KeyMetadata"]
    options = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key["KeyId"]}
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **options)
    kms.disable_key(KeyId=key["KeyId"])
    for call in (
        lambda: s3.get_object(Bucket=bucket, Key="k"),
        lambda: s3.put_object(Bucket=bucket, Key="l", Body=b"x", **options),
    ):
        with refused("KMS.DisabledException", f"{key['Arn']} is disabled."):
            call()
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with refused("KMS.KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
        s3.get_object(Bucket=bucket, Key="k")
    unknown = str(uuid.uuid4())
    with refused("KMS.NotFoundException", f"Key '{ONE.key_arn(unknown)}' does not exist"):
        s3.put_object(Bucket=bucket, Key="l", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=unknown)
    # What is deleted needs no key.
    s3.delete_object(Bucket=bucket, Key="k")


def test_the_callers_context_is_bound_and_kept(s3: Any, bucket: str) -> None:
    context = base64.b64encode(json.dumps({"team": "blue"}).encode()).decode()
    options = {"ServerSideEncryption": "aws:kms", "SSEKMSEncryptionContext": context}
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **options)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    other = base64.b64encode(json.dumps({"aws:s3:arn": "arn:aws:s3:::elsewhere"}).encode()).decode()
    with refused("InvalidArgument"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", **(options | {"SSEKMSEncryptionContext": other}))


def test_a_customers_key_opens_what_it_sealed_and_nothing_else_does(secure: Any) -> None:
    bucket = open_bucket(secure)
    key, other, body = os.urandom(32), os.urandom(32), os.urandom(100_000)
    put = secure.put_object(Bucket=bucket, Key="k", Body=body, **customer(key))
    assert put["SSECustomerAlgorithm"] == "AES256"
    assert put["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(key).digest()).decode()
    assert put["ETag"] != f'"{hashlib.md5(body).hexdigest()}"'
    assert "ServerSideEncryption" not in put
    assert secure.get_object(Bucket=bucket, Key="k", **customer(key))["Body"].read() == body
    assert secure.head_object(Bucket=bucket, Key="k", **customer(key))["ContentLength"] == len(body)
    with refused("AccessDenied", status=403):
        secure.get_object(Bucket=bucket, Key="k", **customer(other))
    with refused("403", status=403):
        secure.head_object(Bucket=bucket, Key="k", **customer(other))
    with refused("InvalidRequest"):
        secure.get_object(Bucket=bucket, Key="k")
    with refused("400"):
        secure.head_object(Bucket=bucket, Key="k")
    secure.put_object(Bucket=bucket, Key="plain", Body=b"x")
    with refused("InvalidRequest", "The encryption parameters are not applicable to this object."):
        secure.get_object(Bucket=bucket, Key="plain", **customer(key))
    secure.delete_object(Bucket=bucket, Key="k")


def test_a_customers_key_must_not_come_in_clear(s3: Any, bucket: str) -> None:
    take_customer_keys(s3, bucket)
    with refused("InvalidRequest"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", **customer(os.urandom(32)))
    with refused("404", status=404):
        s3.head_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"ServerSideEncryption": "AES192"}, "InvalidArgument"),
        ({"SSEKMSKeyId": SEEDED_KEY}, "InvalidArgument"),
        ({"ServerSideEncryption": "AES256", "SSEKMSKeyId": SEEDED_KEY}, "InvalidArgument"),
        ({"ServerSideEncryption": "AES256", **customer(bytes(32))}, "InvalidArgument"),
        ({"SSECustomerAlgorithm": "AES128", "SSECustomerKey": bytes(32)}, "InvalidEncryptionAlgorithmError"),
        ({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes(31)}, "InvalidArgument"),
        (customer(base64.b64encode(bytes(32)).decode()) | {"SSECustomerKeyMD5": "AAAA"}, "InvalidArgument"),
    ],
)
def test_encryptions_that_cannot_be_are_refused(secure: Any, options: dict[str, Any], code: str) -> None:
    bucket = open_bucket(secure)
    with refused(code):
        secure.put_object(Bucket=bucket, Key="k", Body=b"x", **options)
    assert "Contents" not in secure.list_objects_v2(Bucket=bucket)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, arguments=("--tls-development",), scheme="https").start()
    yield server
    server.close()


def put_in_every_mode(server: Server) -> tuple[Any, str, bytes, dict[str, dict[str, Any]]]:
    s3, key = clients.s3(server), os.urandom(32)
    bucket = open_bucket(s3)
    modes = {
        "service": {},
        "kms": {"ServerSideEncryption": "aws:kms"},
        "bucket key": {"ServerSideEncryption": "aws:kms", "BucketKeyEnabled": True},
        "two layers": {"ServerSideEncryption": "aws:kms:dsse"},
        "customer": customer(key),
    }
    for name, options in modes.items():
        s3.put_object(
            Bucket=bucket, Key=name, Body=MARK * 5_000, Metadata={"mark": MARK.decode()},
            ContentDisposition=MARK.decode(), **options,
        )
    return s3, bucket, key, modes


def test_nothing_readable_lies_on_the_disk(own_server: Server) -> None:
    _, _, key, modes = put_in_every_mode(own_server)
    own_server.stop()
    body = MARK * 5_000
    wanted = [MARK, base64.b64encode(MARK)[:-4], key, base64.b64encode(key), key.hex().encode()]
    digests = [hashlib.md5(body).digest(), hashlib.sha256(body).digest()]
    wanted += [form for digest in digests for form in (digest, digest.hex().encode(), base64.b64encode(digest))]
    files = [path for path in own_server.data.rglob("*") if path.is_file()]
    assert sum(path.parent.parent.name == "objects" for path in files) == len(modes)
    for path in files:
        content = path.read_bytes()
        for text in wanted:
            assert text not in content, path
    told = own_server.output.encode()
    assert not any(text in told for text in wanted)


def test_objects_outlive_a_restart_and_a_kill(own_server: Server) -> None:
    s3, bucket, _, modes = put_in_every_mode(own_server)
    own_server.kill()
    # What a crash leaves between a blob and its record.
    stray = own_server.data / "objects" / "00" / ("00" * 16)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"sealed by nobody")
    own_server.start()
    s3 = clients.s3(own_server)
    for name, options in modes.items():
        read = {key: value for key, value in options.items() if key.startswith("SSECustomer")}
        assert s3.get_object(Bucket=bucket, Key=name, **read)["Body"].read() == MARK * 5_000
    eventually(lambda: not stray.exists(), "the stray blob is removed")


def test_whatever_is_changed_on_the_disk_is_noticed(own_server: Server) -> None:
    s3, bucket, _, modes = put_in_every_mode(own_server)
    blobs = [path for path in (own_server.data / "objects").rglob("*") if path.is_file()]
    for blob in blobs:
        sealed = bytearray(blob.read_bytes())
        sealed[len(sealed) // 2] ^= 1
        blob.write_bytes(sealed)
    for name, options in modes.items():
        read = {key: value for key, value in options.items() if key.startswith("SSECustomer")}
        with pytest.raises(Exception, match=r"(?i)incomplete|broken|internal|reset|aborted|closed"):
            s3.get_object(Bucket=bucket, Key=name, **read)["Body"].read()
    for blob in blobs:
        blob.unlink()
        assert not blob.exists()
    with refused("InternalError", status=500):
        s3.get_object(Bucket=bucket, Key="service")
