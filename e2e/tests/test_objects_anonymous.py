"""Requests to S3 that nobody signed: what a bucket's policy opens to everybody, and nothing else.

Source: Amazon S3 User Guide, "Bucket policies for Amazon S3", "Blocking public access to your Amazon S3 storage",
"Protecting data with server-side encryption" and "Uploading and copying objects using multipart upload"; texts as the
service answers.
"""

import base64
import hashlib
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from harness import clients, trail
from harness.buckets import new_bucket, take_customer_keys
from harness.expect import refused
from harness.raw import Request, exchange, kms_request
from harness.seed import AMERICA, EUROPE, ONE, SEEDED_KEY, TWO
from harness.server import Server
from tests.test_config import with_config
from tests.test_objects_trail import basic, delivering

DENIED = "Access Denied"
FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
TAKES_SIGNATURE = (
    "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
)
BADLY_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIAX/20261128/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=0"
)
HERE = {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}}
ELSEWHERE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}


@pytest.fixture
def nobody(server: Server) -> Any:
    """Whoever does not sign."""
    return clients.anonymous_s3(server)


def statement(bucket: str, *actions: str, resource: str = "/*", **more: Any) -> dict[str, Any]:
    """Lets everybody do this, unless `more` says otherwise."""
    where = {"Resource": f"arn:aws:s3:::{bucket}{resource}"}
    return {"Effect": "Allow", "Principal": "*", "Action": [f"s3:{action}" for action in actions]} | where | more


def on_bucket(bucket: str, *actions: str, **more: Any) -> dict[str, Any]:
    return statement(bucket, *actions, resource="", **more)


def deny(bucket: str, action: str) -> dict[str, Any]:
    return statement(bucket, action, Effect="Deny")


def open_bucket(s3: Any, bucket: str, *statements: dict[str, Any]) -> None:
    """Takes the public access block away and puts a policy."""
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def refuses(call: Callable[..., Any], **parameters: Any) -> None:
    """Denied without a word about why; HEAD has no words at all."""
    is_head = call.__name__.startswith("head_")
    with refused("403" if is_head else "AccessDenied", None if is_head else DENIED, status=403):
        call(**parameters)


def text_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


def test_anybody_reads_what_a_policy_opens_to_everybody(s3: Any, bucket: str, nobody: Any) -> None:
    body = os.urandom(100_000)
    s3.put_object(Bucket=bucket, Key="k", Body=body, ContentType="image/png", Metadata={"a": "b"})
    refuses(nobody.get_object, Bucket=bucket, Key="k")
    refuses(nobody.head_object, Bucket=bucket, Key="k")
    open_bucket(s3, bucket, statement(bucket, "GetObject"))
    got = nobody.get_object(Bucket=bucket, Key="k")
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (body, "image/png", {"a": "b"})
    assert nobody.get_object(Bucket=bucket, Key="k", Range="bytes=1-3")["Body"].read() == body[1:4]
    assert nobody.head_object(Bucket=bucket, Key="k")["ContentLength"] == 100_000
    # And nothing beside.
    refuses(nobody.put_object, Bucket=bucket, Key="k", Body=b"x")
    refuses(nobody.delete_object, Bucket=bucket, Key="k")
    refuses(nobody.list_objects_v2, Bucket=bucket)
    refuses(nobody.get_object_tagging, Bucket=bucket, Key="k")
    refuses(nobody.head_bucket, Bucket=bucket)
    deleted = nobody.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
    assert [(one["Code"], one["Message"]) for one in deleted["Errors"]] == [("AccessDenied", DENIED)]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body
    s3.delete_bucket_policy(Bucket=bucket)
    refuses(nobody.get_object, Bucket=bucket, Key="k")


@pytest.mark.parametrize("opened", [[TWO.id], [ONE.id, TWO.user_arn], []])
def test_who_is_named_is_somebody(s3: Any, bucket: str, nobody: Any, opened: list[str]) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    statements = [statement(bucket, "GetObject", Principal={"AWS": opened})] if opened else [deny(bucket, "GetObject")]
    open_bucket(s3, bucket, *statements)
    refuses(nobody.get_object, Bucket=bucket, Key="k")


def test_what_is_denied_is_denied_without_a_reason(s3: Any, bucket: str, nobody: Any) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    open_bucket(s3, bucket, statement(bucket, "GetObject"), deny(bucket, "GetObject"))
    refuses(nobody.get_object, Bucket=bucket, Key="k")
    open_bucket(s3, bucket, statement(bucket, "GetObject"))
    assert nobody.get_object(Bucket=bucket, Key="k", ExpectedBucketOwner=ONE.id)["Body"].read() == b"x"
    refuses(nobody.get_object, Bucket=bucket, Key="k", ExpectedBucketOwner=TWO.id)


@pytest.mark.parametrize(
    ("condition", "lets_in"),
    [
        (HERE, True),
        (ELSEWHERE, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"StringEquals": {"aws:PrincipalType": "Anonymous"}}, True),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": ONE.id}}, False),
        ({"StringEquals": {"aws:userid": "anonymous"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "*"}}, False),
        ({"StringEquals": {"s3:ExistingObjectTag/colour": "blue"}}, True),
        ({"StringEquals": {"s3:ExistingObjectTag/colour": "red"}}, False),
    ],
)
def test_conditions_hold_for_whoever_does_not_sign(
    s3: Any, bucket: str, nobody: Any, condition: Any, lets_in: bool
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="colour=blue")
    open_bucket(s3, bucket, statement(bucket, "GetObject", Condition=condition))
    if lets_in:
        assert nobody.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    else:
        refuses(nobody.get_object, Bucket=bucket, Key="k")


def test_lists_below_a_prefix_that_is_open(s3: Any, bucket: str, nobody: Any) -> None:
    for key in ("open/a", "closed/b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    condition = {"StringLike": {"s3:prefix": "open/*"}}
    open_bucket(s3, bucket, on_bucket(bucket, "ListBucket", Condition=condition))
    listed = nobody.list_objects_v2(Bucket=bucket, Prefix="open/")
    assert [one["Key"] for one in listed["Contents"]] == ["open/a"]
    assert [one["Key"] for one in nobody.list_objects(Bucket=bucket, Prefix="open/")["Contents"]] == ["open/a"]
    refuses(nobody.list_objects_v2, Bucket=bucket)
    refuses(nobody.list_objects_v2, Bucket=bucket, Prefix="closed/")
    refuses(nobody.get_object, Bucket=bucket, Key="open/a")
    refuses(nobody.list_object_versions, Bucket=bucket, Prefix="open/")


def test_whether_an_object_is_missing_is_for_those_who_may_list(s3: Any, bucket: str, nobody: Any) -> None:
    open_bucket(s3, bucket, statement(bucket, "GetObject"))
    refuses(nobody.get_object, Bucket=bucket, Key="absent")
    open_bucket(s3, bucket, statement(bucket, "GetObject"), on_bucket(bucket, "ListBucket"))
    with refused("NoSuchKey", status=404):
        nobody.get_object(Bucket=bucket, Key="absent")


@pytest.mark.parametrize("flag", FLAGS)
def test_a_block_closes_what_is_open(s3: Any, bucket: str, nobody: Any, flag: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    open_bucket(s3, bucket, statement(bucket, "GetObject"))
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={flag: True})
    # The others are about lists of access control, or about policies that are put later.
    if flag == "RestrictPublicBuckets":
        refuses(nobody.get_object, Bucket=bucket, Key="k")
    else:
        assert nobody.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    s3.delete_public_access_block(Bucket=bucket)
    assert nobody.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_a_new_bucket_is_open_to_nobody(s3: Any, bucket: str, nobody: Any) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    public = json.dumps({"Version": "2012-10-17", "Statement": [statement(bucket, "GetObject")]})
    with refused("AccessDenied", status=403):
        s3.put_bucket_policy(Bucket=bucket, Policy=public)
    # A fixed range of addresses is not public, and lets in whoever comes from there.
    near = json.dumps({"Version": "2012-10-17", "Statement": [statement(bucket, "GetObject", Condition=HERE)]})
    refuses(nobody.get_object, Bucket=bucket, Key="k")
    s3.put_bucket_policy(Bucket=bucket, Policy=near)
    assert nobody.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_what_anybody_writes_is_the_owners(server: Server, s3: Any, bucket: str, nobody: Any) -> None:
    open_bucket(s3, bucket, statement(bucket, "PutObject", resource="/in/*"))
    written = nobody.put_object(Bucket=bucket, Key="in/k", Body=b"written", ContentType="text/plain")
    assert written["ServerSideEncryption"] == "AES256"
    got = s3.get_object(Bucket=bucket, Key="in/k")
    assert (got["Body"].read(), got["ContentType"]) == (b"written", "text/plain")
    owners = [one["Owner"] for one in s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"]]
    assert owners == [s3.list_buckets()["Owner"]]
    refuses(nobody.put_object, Bucket=bucket, Key="k", Body=b"x")
    refuses(nobody.get_object, Bucket=bucket, Key="in/k")
    refuses(nobody.put_object, Bucket=bucket, Key="in/k", Body=b"x", Tagging="a=b")
    refuses(nobody.delete_object, Bucket=bucket, Key="in/k")
    url, digest = f"{server.endpoint}/{bucket}/in/l", hashlib.sha256(b"x").hexdigest()
    for told, answer in (
        (digest, (200, "")),
        ("UNSIGNED-PAYLOAD", (200, "")),
        (hashlib.sha256(b"y").hexdigest(), (400, "XAmzContentSHA256Mismatch")),
        # Whose signatures would the chunks have?
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", (400, "InvalidArgument")),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", (400, "InvalidArgument")),
        ("x", (400, "InvalidArgument")),
    ):
        assert text_of(requests.put(url, b"x", headers={"x-amz-content-sha256": told}, timeout=30)) == answer
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["in/k", "in/l"]


def test_chunks_that_nobody_signed(tls_server: Server) -> None:
    s3, nobody = clients.s3(tls_server), clients.anonymous_s3(tls_server)
    bucket, sent = new_bucket(s3), []
    header = "X-Amz-Content-SHA256"
    nobody.meta.events.register("before-send.s3", lambda request, **_: sent.append(str(request.headers[header])))
    open_bucket(s3, bucket, statement(bucket, "PutObject", Condition={"Bool": {"aws:SecureTransport": "true"}}))
    body = os.urandom(300_000)
    nobody.put_object(Bucket=bucket, Key="k", Body=body)
    assert "STREAMING-UNSIGNED-PAYLOAD-TRAILER" in sent[-1]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body


def test_anybody_deletes_what_a_policy_lets_them(s3: Any, bucket: str, nobody: Any) -> None:
    for key in ("open/a", "open/b", "closed/c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    open_bucket(s3, bucket, statement(bucket, "DeleteObject", resource="/open/*"))
    nobody.delete_object(Bucket=bucket, Key="open/a")
    told = nobody.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "open/b"}, {"Key": "closed/c"}]})
    assert [one["Key"] for one in told["Deleted"]] == ["open/b"]
    assert [(one["Key"], one["Code"]) for one in told["Errors"]] == [("closed/c", "AccessDenied")]
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["closed/c"]


def test_a_long_list_takes_a_signature(server: Server, s3: Any, bucket: str) -> None:
    open_bucket(s3, bucket, statement(bucket, "DeleteObject"))
    url = f"{server.endpoint}/{bucket}?delete"
    for size, answer in (((1 << 20) + 1, (400, "EntityTooLarge")), (1 << 20, (400, "MalformedXML"))):
        body = b"x" * size
        headers = {"content-md5": base64.b64encode(hashlib.md5(body).digest()).decode()}
        assert text_of(requests.post(url, body, headers=headers, timeout=30)) == answer


def test_copies_and_uploads_in_parts_take_a_signature(s3: Any, bucket: str, nobody: Any) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    open_bucket(s3, bucket, statement(bucket, "*"), on_bucket(bucket, "*"))
    with refused("AccessDenied", "Anonymous users cannot copy objects.  Please authenticate.", status=403):
        nobody.copy_object(Bucket=bucket, Key="l", CopySource=f"{bucket}/k")
    with refused(
        "AccessDenied", "Anonymous users cannot initiate multipart uploads.  Please authenticate.", status=403
    ):
        nobody.create_multipart_upload(Bucket=bucket, Key="m")
    part = {"Bucket": bucket, "Key": "m", "UploadId": upload, "PartNumber": 1}
    refuses(nobody.upload_part, **part, Body=b"x")
    refuses(nobody.upload_part_copy, **part, CopySource=f"{bucket}/k")
    done = s3.upload_part(**part, Body=b"signed")
    parts = {"Parts": [{"PartNumber": 1, "ETag": done["ETag"]}]}
    whole = {"Bucket": bucket, "Key": "m", "UploadId": upload, "MultipartUpload": parts}
    refuses(nobody.complete_multipart_upload, **whole)
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]
    # They may be seen and ended by whom the policy lets.
    assert len(nobody.list_parts(Bucket=bucket, Key="m", UploadId=upload)["Parts"]) == 1
    nobody.abort_multipart_upload(Bucket=bucket, Key="m", UploadId=upload)
    with refused("NoSuchUpload", status=404):
        s3.complete_multipart_upload(**whole)


def test_what_is_under_a_kms_key_takes_a_signature(fresh_server: Server) -> None:
    s3, nobody = clients.s3(fresh_server), clients.anonymous_s3(fresh_server)
    kms = clients.kms(fresh_server)
    bucket, under_default = new_bucket(s3), new_bucket(s3)
    # Not even a key that everybody may use.
    key = kms.create_key()["KeyMetadata"]["Arn"]
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    kms.put_key_policy(KeyId=key, Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]}))
    for one in (bucket, under_default):
        open_bucket(s3, one, statement(one, "GetObject", "GetObjectAttributes", "PutObject", "GetObjectTagging"))
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=under_default, ServerSideEncryptionConfiguration={"Rules": [rule]})
    twice, bucket_key = {"ServerSideEncryption": "aws:kms:dsse"}, {"BucketKeyEnabled": True}
    under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    for name, options in (("kms", {}), ("dsse", twice), ("key", bucket_key)):
        s3.put_object(Bucket=bucket, Key=name, Body=b"x", Tagging="a=b", **under | options)
        assert s3.get_object(Bucket=bucket, Key=name)["Body"].read() == b"x"
    before = len(trail.events(fresh_server, eventSource="kms.amazonaws.com"))
    for name in ("kms", "dsse", "key"):
        for call in (
            lambda name=name: nobody.get_object(Bucket=bucket, Key=name),
            lambda name=name: nobody.get_object(Bucket=bucket, Key=name, IfNoneMatch="*"),
            lambda name=name: nobody.get_object_attributes(Bucket=bucket, Key=name, ObjectAttributes=["ETag"]),
            lambda name=name: nobody.put_object(Bucket=bucket, Key=name, Body=b"y", **under),
        ):
            with refused("InvalidArgument", TAKES_SIGNATURE):
                call()
        with refused("400"):
            nobody.head_object(Bucket=bucket, Key=name)
        assert nobody.get_object_tagging(Bucket=bucket, Key=name)["TagSet"] == [{"Key": "a", "Value": "b"}]
    for options in (under | twice, {"ServerSideEncryption": "aws:kms"}, {"SSEKMSKeyId": key}):
        with refused("InvalidArgument", TAKES_SIGNATURE):
            nobody.put_object(Bucket=bucket, Key="new", Body=b"y", **options)
    with refused("InvalidArgument", TAKES_SIGNATURE):
        nobody.update_object_encryption(
            Bucket=bucket, Key="kms", ObjectEncryption={"SSEKMS": {"KMSKeyArn": key}}
        )
    with refused("InvalidArgument", TAKES_SIGNATURE):
        nobody.put_object(Bucket=under_default, Key="new", Body=b"y")
    # What is not under it is not refused, and who may not write learns nothing of the default.
    nobody.put_object(Bucket=under_default, Key="plain", Body=b"y", ServerSideEncryption="AES256")
    assert nobody.get_object(Bucket=under_default, Key="plain")["Body"].read() == b"y"
    open_bucket(s3, under_default, statement(under_default, "GetObject"))
    refuses(nobody.put_object, Bucket=under_default, Key="new", Body=b"y")
    assert len(trail.events(fresh_server, eventSource="kms.amazonaws.com")) == before
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["dsse", "key", "kms"]


def test_keys_that_anybody_brings(tls_server: Server) -> None:
    s3, nobody = clients.s3(tls_server), clients.anonymous_s3(tls_server)
    bucket, key = new_bucket(s3), {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)}
    take_customer_keys(s3, bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **key)
    refuses(nobody.get_object, Bucket=bucket, Key="k", **key)
    open_bucket(s3, bucket, statement(bucket, "GetObject", "PutObject"))
    assert nobody.get_object(Bucket=bucket, Key="k", **key)["Body"].read() == b"x"
    nobody.put_object(Bucket=bucket, Key="l", Body=b"y", **key)
    assert s3.get_object(Bucket=bucket, Key="l", **key)["Body"].read() == b"y"
    with refused("InvalidRequest"):
        nobody.get_object(Bucket=bucket, Key="k")
    with refused("AccessDenied", status=403):
        nobody.get_object(Bucket=bucket, Key="k", **key | {"SSECustomerKey": os.urandom(32)})


def test_nobody_chooses_headers_of_answers_without_a_signature(
    server: Server, s3: Any, bucket: str, nobody: Any
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"<script>", ContentType="text/plain")
    open_bucket(s3, bucket, statement(bucket, "GetObject"))
    text = "Request specific response headers cannot be used for anonymous GET requests."
    for name in ("ContentType", "ContentDisposition", "CacheControl", "ContentEncoding", "ContentLanguage"):
        with refused("InvalidRequest", text):
            nobody.get_object(Bucket=bucket, Key="k", **{f"Response{name}": "text/html"})
    url = f"{server.endpoint}/{bucket}/k?response-content-type=text/html"
    assert text_of(requests.get(url, timeout=30)) == (400, "InvalidRequest")
    assert requests.head(url, timeout=30).status_code == 400
    assert s3.get_object(Bucket=bucket, Key="k", ResponseContentType="text/html")["ContentType"] == "text/html"


@pytest.mark.parametrize(
    ("query", "authorization"),
    [
        ("", ""),
        ("", "x"),
        ("", "Basic eDp5"),
        ("", "Bearer x"),
        ("", "AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg="),
        ("", "AWS4-HMAC-SHA256"),
        ("", BADLY_SIGNED),
        ("", BADLY_SIGNED.replace("/s3/", "/kms/")),
        ("X-Amz-Signature=0", None),
        ("X-Amz-Algorithm=AWS4-HMAC-SHA256", None),
        ("X%2DAmz%2DSignature=0", None),
        ("x-amz-signature=0", None),
        ("X-Amz-Credential=AKIAX%2F20261128%2Feu-central-1%2Fs3%2Faws4_request", None),
        ("AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=x&Expires=9999999999", None),
        ("Signature=x", None),
    ],
)
def test_whoever_signs_badly_is_not_nobody(
    server: Server, s3: Any, bucket: str, query: str, authorization: str | None
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"planted")
    open_bucket(s3, bucket, statement(bucket, "GetObject", "PutObject"))
    headers = {} if authorization is None else {"Authorization": authorization}
    for method in ("GET", "PUT"):
        answer = exchange(server, Request(method, f"/{bucket}/k?{query}", headers, b"x" if method == "PUT" else b""))
        assert answer.status in (400, 403, 404), answer
        assert b"planted" not in answer.body
    plain = exchange(server, Request("GET", f"/{bucket}/k", {}, b""))
    assert (plain.status, plain.body) == (200, b"planted")


def test_an_expired_link_is_not_taken_for_none(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    open_bucket(s3, bucket, statement(bucket, "GetObject"))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    assert requests.get(url, timeout=30).content == b"x"
    spoiled = url.replace("X-Amz-Signature=", "X-Amz-Signature=0")
    assert text_of(requests.get(spoiled, timeout=30))[0] in (400, 403)


def test_a_policy_is_for_its_owner(s3: Any, bucket: str, nobody: Any) -> None:
    own = json.dumps({"Version": "2012-10-17", "Statement": [statement(bucket, "GetObject")]})
    refuses(nobody.get_bucket_policy, Bucket=bucket)
    open_bucket(s3, bucket, on_bucket(bucket, "*"))
    for call in (
        lambda: nobody.get_bucket_policy(Bucket=bucket),
        lambda: nobody.put_bucket_policy(Bucket=bucket, Policy=own),
        lambda: nobody.delete_bucket_policy(Bucket=bucket),
    ):
        with refused("MethodNotAllowed", status=405):
            call()
    assert "s3:*" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    # What is said of a bucket is for whom the policy says.
    assert nobody.get_bucket_location(Bucket=bucket)["LocationConstraint"] == EUROPE
    open_bucket(s3, bucket, on_bucket(bucket, "GetBucketVersioning"))
    nobody.get_bucket_versioning(Bucket=bucket)
    refuses(nobody.get_bucket_location, Bucket=bucket)
    refuses(nobody.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    refuses(nobody.delete_bucket, Bucket=bucket)


def test_nobody_has_buckets(server: Server, nobody: Any) -> None:
    name = f"bucket-{uuid.uuid4()}"
    refuses(nobody.list_buckets)
    refuses(nobody.create_bucket, Bucket=name, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    for call in (
        lambda: nobody.get_object(Bucket=name, Key="k"),
        lambda: nobody.put_object(Bucket=name, Key="k", Body=b"x"),
        lambda: nobody.list_objects_v2(Bucket=name),
    ):
        with refused("NoSuchBucket", status=404):
            call()
    assert text_of(requests.get(f"{server.endpoint}/favicon.ico", timeout=30)) == (404, "NoSuchBucket")


def form(server: Server, bucket: str, body: bytes = b"contents", query: str = "", **fields: str) -> requests.Response:
    url = f"{server.endpoint}/{bucket}{query}"
    fields = {"key": "in/${filename}"} | fields
    return requests.post(url, fields, files={"file": ("a.txt", body)}, timeout=30, allow_redirects=False)


def test_forms_that_nobody_signed(server: Server, s3: Any, bucket: str, nobody: Any) -> None:
    assert text_of(form(server, bucket)) == (403, "AccessDenied")
    open_bucket(s3, bucket, statement(bucket, "PutObject", resource="/in/*"))
    assert form(server, bucket).status_code == 204
    assert s3.get_object(Bucket=bucket, Key="in/a.txt")["Body"].read() == b"contents"
    assert form(server, bucket, success_action_status="201", key="in/b").status_code == 201
    assert text_of(form(server, bucket, key="out/k")) == (403, "AccessDenied")
    # What has anything of a signature is held to it.
    for name in ("policy", "x-amz-signature", "x-amz-credential", "x-amz-algorithm", "AWSAccessKeyId", "signature"):
        answer = form(server, bucket, key="in/c", **{name: "x"})
        assert text_of(answer)[1] in ("InvalidArgument", "InvalidRequest"), (name, answer.text)
    for query in ("?X-Amz-Signature=0", "?AWSAccessKeyId=x"):
        assert text_of(form(server, bucket, query=query, key="in/c")) == (403, "AccessDenied")
    kms = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": SEEDED_KEY}
    assert text_of(form(server, bucket, key="in/c", **kms)) == (400, "InvalidArgument")
    assert text_of(form(server, f"absent-{uuid.uuid4()}")) == (404, "NoSuchBucket")
    presigned = s3.generate_presigned_post(bucket, "out/signed")
    answer = requests.post(presigned["url"], presigned["fields"], files={"file": b"x"}, timeout=30)
    assert answer.status_code == 204
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["in/a.txt", "in/b", "out/signed"]


def test_a_bucket_of_another_region_is_found(server: Server, nobody: Any) -> None:
    america, name = clients.s3(server, ONE, AMERICA), f"bucket-{uuid.uuid4()}"
    america.create_bucket(Bucket=name)
    america.put_object(Bucket=name, Key="k", Body=b"x")
    refuses(nobody.get_object, Bucket=name, Key="k")
    here, elsewhere = ({"StringEquals": {"aws:RequestedRegion": region}} for region in (AMERICA, EUROPE))
    open_bucket(america, name, statement(name, "GetObject", Condition=here))
    assert nobody.get_object(Bucket=name, Key="k")["Body"].read() == b"x"
    open_bucket(america, name, statement(name, "GetObject", Condition=elsewhere))
    refuses(nobody.get_object, Bucket=name, Key="k")


def test_a_region_that_is_not_served_is_served_to_nobody(tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    america = clients.s3(server, ONE, AMERICA)
    america.create_bucket(Bucket="open")
    america.put_object(Bucket="open", Key="k", Body=b"x")
    open_bucket(america, "open", statement("open", "GetObject"))
    assert clients.anonymous_s3(server).get_object(Bucket="open", Key="k")["Body"].read() == b"x"
    server.stop()
    server.arguments = with_config(tmp_path, f'default_region = "{EUROPE}"\nregions = ["{EUROPE}"]').arguments
    server.start()
    refuses(clients.anonymous_s3(server).get_object, Bucket="open", Key="k")
    server.stop()


def test_a_bucket_in_the_host(server: Server, s3: Any, bucket: str) -> None:
    for key in ("k", "healthz"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"contents")
    host = {"Host": f"{bucket}.s3.localhost"}

    def get(path: str, **more: str) -> tuple[int, bytes]:
        answer = exchange(server, Request("GET", path, host | more, b""))
        return answer.status, answer.body

    assert get("/k")[0] == 403
    open_bucket(s3, bucket, statement(bucket, "GetObject"), on_bucket(bucket, "ListBucket"))
    assert get("/k") == (200, b"contents")
    assert b"<Key>healthz</Key>" in get("/")[1]
    assert get("/k", Authorization="x")[0] != 200
    # Who looks after the service does not sign either.
    assert get("/healthz") == (200, b'{"status":"ok"}')


@pytest.mark.parametrize("host", [None, "bucket.s3.localhost", "kms.localhost"])
def test_other_services_want_a_signature_as_ever(server: Server, host: str | None) -> None:
    named = {"Host": host} if host else {}
    answer = exchange(server, kms_request("ListKeys", **named))
    assert (answer.status, answer.code) == (400, "MissingAuthenticationTokenException")
    form = {"Content-Type": "application/x-www-form-urlencoded"} | named
    answer = exchange(server, Request("POST", "/", form, b"Action=GetCallerIdentity&Version=2011-06-15"))
    assert (answer.status, b"MissingAuthenticationToken" in answer.body) == (403, True)
    answer = exchange(server, Request("GET", "/?Action=ListUsers&Version=2010-05-08", named, b""))
    assert (answer.status, b"MissingAuthenticationToken" in answer.body) == (403, True)
    # A target is never an object's.
    target = {"X-Amz-Target": "TrentService.ListKeys"} | named
    assert b"<UnknownOperationException/>" in exchange(server, Request("POST", "/", target, b"{}")).body
    for path in ("/livez", "/readyz", "/healthz"):
        assert exchange(server, Request("GET", path, named, b"")).status == 200


def test_the_clock_of_development_is_no_bucket(dev_server: Server) -> None:
    answer = exchange(dev_server, Request("GET", "/_dev/clock", {}, b""))
    assert answer.status == 200 and b"now" in answer.body


def test_events_tell_that_nobody_signed(fresh_server: Server) -> None:
    s3, nobody = clients.s3(fresh_server), clients.anonymous_s3(fresh_server)
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="k", Body=b"planted")
    open_bucket(s3, bucket, statement(bucket, "GetObject"))
    with delivering(fresh_server, **basic(f"arn:aws:s3:::{bucket}/")):
        nobody.get_object(Bucket=bucket, Key="k")
        refuses(nobody.put_object, Bucket=bucket, Key="k", Body=b"x")
        s3.get_object(Bucket=bucket, Key="k")
    read, denied, signed = trail.events(fresh_server, eventCategory="Data")
    nobody_is = {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}
    for event in (read, denied):
        assert event["userIdentity"] == nobody_is
        assert event["recipientAccountId"] == ONE.id and event["awsRegion"] == EUROPE
        assert not {"SignatureVersion", "AuthenticationMethod"} & set(event["additionalEventData"])
    assert (read["eventName"], read.get("errorCode")) == ("GetObject", None)
    assert read["resources"][1] == {"accountId": ONE.id, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}
    assert (denied["eventName"], denied["errorCode"], denied["errorMessage"]) == ("PutObject", "AccessDenied", DENIED)
    assert signed["additionalEventData"]["SignatureVersion"] == "SigV4"
    # So are calls about the bucket, if a policy lets them in.
    open_bucket(s3, bucket, on_bucket(bucket, "GetBucketLocation"))
    answer = nobody.get_bucket_location(Bucket=bucket)
    event = trail.event_of(fresh_server, answer)
    assert (event["userIdentity"], event.get("errorCode")) == (nobody_is, None)
    assert event["recipientAccountId"] == ONE.id


def test_strangers_do_not_fill_the_log(fresh_server: Server) -> None:
    s3, nobody = clients.s3(fresh_server), clients.anonymous_s3(fresh_server)
    opened, closed = new_bucket(s3), new_bucket(s3)
    s3.put_object(Bucket=closed, Key="k", Body=b"x")
    open_bucket(s3, opened, statement(opened, "GetObject"))
    with delivering(fresh_server, **basic("arn:aws:s3")):
        before = len(trail.lines(fresh_server))
        refuses(nobody.list_buckets)
        refuses(nobody.create_bucket, Bucket=f"bucket-{uuid.uuid4()}")
        for bucket in (opened, closed):
            refuses(nobody.get_bucket_location, Bucket=bucket)
            refuses(nobody.head_bucket, Bucket=bucket)
            refuses(nobody.delete_bucket, Bucket=bucket)
        refuses(nobody.get_object, Bucket=closed, Key="k")
        refuses(nobody.put_object, Bucket=closed, Key="k", Body=b"x")
        with refused("NoSuchBucket", status=404):
            nobody.get_object(Bucket="absent", Key="k")
        assert len(trail.lines(fresh_server)) == before
        # Whoever signs is told of, and of a bucket that is open all that trails ask for.
        with refused("AccessDenied", status=403):
            clients.s3(fresh_server, TWO).get_object(Bucket=closed, Key="k")
        refuses(nobody.put_object, Bucket=opened, Key="k", Body=b"x")
        assert len(trail.lines(fresh_server)) == before + 2
    trail.assert_chain(fresh_server)


def test_a_denial_is_explained_to_nobody(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.arguments = with_config(tmp_path, "[explanations]\nin_answers = true").arguments
    s3 = clients.s3(server.start())
    bucket, other = new_bucket(s3), clients.s3(server, TWO)
    with pytest.raises(ClientError) as told:
        other.get_object(Bucket=bucket, Key="k")
    assert "Encoded authorization failure message" in told.value.response["Error"]["Message"]
    refuses(clients.anonymous_s3(server).get_object, Bucket=bucket, Key="k")
    server.stop()


def test_a_bucket_is_as_open_after_a_restart(fresh_server: Server) -> None:
    s3 = clients.s3(fresh_server)
    opened, closed = new_bucket(s3), new_bucket(s3)
    for bucket in (opened, closed):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    open_bucket(s3, opened, statement(opened, "GetObject"))
    fresh_server.restart()
    nobody = clients.anonymous_s3(fresh_server)
    assert nobody.get_object(Bucket=opened, Key="k")["Body"].read() == b"x"
    refuses(nobody.get_object, Bucket=closed, Key="k")
