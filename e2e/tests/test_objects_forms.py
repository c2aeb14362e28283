"""Uploads by forms, as browsers send them: boto3 signs the policy, requests sends the form.

Source: Amazon S3 API Reference, "Authenticating requests in browser-based uploads using POST" and "POST Object"; texts as
the service answers, as recorded by LocalStack's validated tests.
"""

import base64
import hashlib
import hmac
import json
import os
import uuid
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
import requests

from harness import clients
from harness.buckets import new_bucket, take_customer_keys
from harness.expect import refused
from harness.seed import EUROPE, ONE, SEEDED_KEY, Account
from harness.server import Server

Form = dict[str, Any]


def presigned(s3: Any, bucket: str, key: str = "k", fields: dict[str, str] | None = None, *conditions: Any) -> Form:
    """A form of boto3's, whose policy has a condition for each field."""
    of_fields = [{name: value} for name, value in (fields or {}).items()]
    return s3.generate_presigned_post(bucket, key, dict(fields or {}), [*of_fields, *conditions])


def post(form: Form, body: bytes = b"contents", name: str = "name.txt", **options: Any) -> requests.Response:
    options = {"timeout": 30, "allow_redirects": False, "verify": False} | options
    return requests.post(form["url"], data=form["fields"], files={"file": (name, body)}, **options)


def signed_by_hand(server: Server, bucket: str, policy: Any, account: Account = ONE, **fields: str) -> Form:
    """A form with this policy, which may be none."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{EUROPE}/s3/aws4_request"
    text = policy if isinstance(policy, str) else base64.b64encode(json.dumps(policy).encode()).decode()
    key = b"AWS4" + account.secret_access_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = {
        "policy": text,
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"{account.access_key_id}/{scope}",
        "x-amz-date": moment,
        "x-amz-signature": hmac.digest(key, text.encode(), "sha256").hex(),
    }
    return {"url": f"{server.endpoint}/{bucket}", "fields": {"key": "k"} | signature | fields}


def policy(*conditions: Any, expires: timedelta = timedelta(hours=1)) -> dict[str, Any]:
    anything = [["starts-with", f"$x-amz-{name}", ""] for name in ("algorithm", "credential", "date")]
    expiration = (datetime.now(UTC) + expires).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"expiration": expiration, "conditions": [["starts-with", "$key", ""], *anything, *conditions]}


def error(answer: requests.Response) -> dict[str, str]:
    root = ElementTree.fromstring(answer.text)
    assert root.tag == "Error", answer.text
    return {one.tag: one.text or "" for one in root} | {"status": str(answer.status_code)}


def assert_refused(answer: requests.Response, code: str, text: str | None = None, status: int = 403) -> None:
    told = error(answer)
    assert (told["Code"], told["status"]) == (code, str(status)), answer.text
    assert text is None or told["Message"] == text, answer.text


def failed(condition: str) -> str:
    return f"Invalid according to Policy: Policy Condition failed: {condition}"


@pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_000])
def test_a_file_becomes_an_object(s3: Any, bucket: str, size: int) -> None:
    body = os.urandom(size)
    answer = post(presigned(s3, bucket), body)
    assert (answer.status_code, answer.content) == (204, b"")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body
    assert answer.headers["etag"] == got["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert got["ContentType"] == "binary/octet-stream"


def test_the_contents_may_look_like_a_form(s3: Any, bucket: str) -> None:
    boundary = uuid.uuid4().hex
    body = f"\r\n--{boundary[:-1]}\r\n--\r\n\r\n".encode() * 50
    form = presigned(s3, bucket)
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}' for n, v in form["fields"].items()]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n')
    behind = f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="submit"\r\n\r\nUpload\r\n--{boundary}--\r\n'
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}

    def send(end: str) -> requests.Response:
        sent = "\r\n".join(parts).encode() + body + end.encode()
        # In pieces, without a length.
        pieces = (sent[at : at + 777] for at in range(0, len(sent), 777))
        return requests.post(form["url"], data=pieces, headers=headers, timeout=30)

    assert send(behind).status_code == 204
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body
    s3.delete_object(Bucket=bucket, Key="k")
    assert_refused(send(""), "MalformedPOSTRequest", status=400)
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket=bucket, Key="k")


def test_what_fields_say_comes_back(s3: Any, bucket: str) -> None:
    fields = {"Content-Type": "image/png", "Cache-Control": "no-cache", "x-amz-meta-colour": "blue", "acl": "private"}
    assert post(presigned(s3, bucket, "k", fields)).status_code == 204
    got = s3.head_object(Bucket=bucket, Key="k")
    assert (got["ContentType"], got["CacheControl"], got["Metadata"]) == ("image/png", "no-cache", {"colour": "blue"})
    assert_refused(post(presigned(s3, bucket, "k", {"acl": "public-read"})), "NotImplemented", status=501)


def test_a_form_tags_its_object(s3: Any, bucket: str) -> None:
    tags = "<Tagging><TagSet><Tag><Key>a b</Key><Value>ü=1</Value></Tag></TagSet></Tagging>"
    assert post(presigned(s3, bucket, "k", {"tagging": tags})).status_code == 204
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a b", "Value": "ü=1"}]
    assert_refused(post(presigned(s3, bucket, "l", {"tagging": "<Tagging>"})), "MalformedXML", status=400)
    with refused("404", status=404):
        s3.head_object(Bucket=bucket, Key="l")


def test_the_name_of_the_file_stands_in_the_key(s3: Any, bucket: str) -> None:
    form = presigned(s3, bucket, "up/${filename}")
    for name, key in (("a b.txt", "a b.txt"), ("C:\\files\\c.txt", "c.txt"), ("../../d.txt", "d.txt")):
        answer = post(form, name.encode(), name)
        assert answer.status_code == 204, answer.text
        assert s3.get_object(Bucket=bucket, Key=f"up/{key}")["Body"].read() == name.encode()
    # Conditions see the key with the name in it.
    eq = presigned(s3, bucket, "up/a.txt")
    eq["fields"]["key"] = "up/${filename}"
    assert post(eq, name="a.txt").status_code == 204
    assert_refused(post(eq, name="b.txt"), "AccessDenied", failed('["eq", "$key", "up/a.txt"]'))


def test_a_form_says_how_it_is_answered(s3: Any, server: Server, bucket: str) -> None:
    location, tag = f"{server.endpoint}/{bucket}/a%2Fb", f'"{hashlib.md5(b"contents").hexdigest()}"'
    for status in ("200", "201", "204"):
        answer = post(presigned(s3, bucket, "a/b", {"success_action_status": status}))
        assert (answer.status_code, answer.headers["location"]) == (int(status), location)
        told = {one.tag: one.text for one in ElementTree.fromstring(answer.text)} if answer.content else None
        expected = {"Location": location, "Bucket": bucket, "Key": "a/b", "ETag": tag}
        assert told == (expected if status == "201" else None)
    answer = post(presigned(s3, bucket, "a/b", {"success_action_redirect": "http://example.org/done?x=1"}))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("http://example.org/done?x=1&")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query == {"x": ["1"], "bucket": [bucket], "key": ["a/b"], "etag": [tag]}
    assert post(presigned(s3, bucket, "a/b", {"success_action_redirect": "nowhere"})).status_code == 204


@pytest.mark.parametrize(
    ("condition", "field", "right", "wrong"),
    [
        (["eq", "$x-amz-meta-a", "1"], "x-amz-meta-a", "1", "2"),
        ({"X-Amz-Meta-A": "1"}, "x-amz-meta-a", "1", "1 "),
        (["starts-with", "$Content-Type", "image/"], "Content-Type", "image/png,image/gif", "image/png,text/plain"),
        (["starts-with", "$key", "a/"], "key", "a/b", "b/a/"),
    ],
)
def test_conditions_hold_or_nothing_is_written(
    server: Server, bucket: str, s3: Any, condition: Any, field: str, right: str, wrong: str
) -> None:
    assert_refused(post(signed_by_hand(server, bucket, policy(condition), **{field: wrong})), "AccessDenied")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert post(signed_by_hand(server, bucket, policy(condition), **{field: right})).status_code == 204
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 1


def test_refusals_by_the_policy_have_s3s_texts(s3: Any, server: Server, bucket: str) -> None:
    form = presigned(s3, bucket)
    form["fields"]["key"] = "other"
    assert_refused(post(form), "AccessDenied", failed('["eq", "$key", "k"]'))
    form = presigned(s3, bucket)
    form["fields"]["x-amz-meta-a"] = "1"
    assert_refused(post(form), "AccessDenied", "Invalid according to Policy: Extra input fields: x-amz-meta-a")
    form["fields"]["x-ignore-a"] = form["fields"].pop("x-amz-meta-a")
    assert post(form).status_code == 204
    over = signed_by_hand(server, bucket, policy(expires=timedelta(seconds=-1)))
    assert_refused(post(over), "AccessDenied", "Invalid according to Policy: Policy expired.")
    elsewhere = signed_by_hand(server, bucket, policy({"bucket": "elsewhere"}))
    elsewhere["fields"]["bucket"] = "elsewhere"
    assert_refused(post(elsewhere), "AccessDenied", failed('["eq", "$bucket", "elsewhere"]'))
    here = signed_by_hand(server, bucket, policy({"bucket": bucket}))
    assert post(here).status_code == 204


def test_the_length_of_the_file_is_bounded(s3: Any, bucket: str) -> None:
    form = presigned(s3, bucket, "k", None, ["content-length-range", 2, 100_000])
    for size, code in ((1, "EntityTooSmall"), (100_001, "EntityTooLarge"), (2_000_000, "EntityTooLarge")):
        answer = post(form, bytes(size))
        assert_refused(answer, code, status=400)
        bounds = ("MinSizeAllowed", "2") if code == "EntityTooSmall" else ("MaxSizeAllowed", "100000")
        assert error(answer)[bounds[0]] == bounds[1]
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket=bucket, Key="k")
    for size in (2, 100_000):
        assert post(form, bytes(size)).status_code == 204


def test_policies_that_are_none(server: Server, bucket: str) -> None:
    for bad in ({}, {"expiration": "2100-01-01T00:00:00Z"}, policy(["ends-with", "$key", "k"]), "!", "bm8="):
        assert_refused(post(signed_by_hand(server, bucket, bad)), "InvalidPolicyDocument", status=400)


def test_only_the_signer_signs(s3: Any, server: Server, bucket: str) -> None:
    form = presigned(s3, bucket)
    changed = base64.b64decode(form["fields"]["policy"]).replace(b'"k"', b'"l"')
    form["fields"] |= {"policy": base64.b64encode(changed).decode(), "key": "l"}
    assert_refused(post(form), "SignatureDoesNotMatch")
    stranger = Account(ONE.id, "AKIAIOSFODNN7NOBODYX", ONE.secret_access_key, "nobody")
    assert_refused(post(signed_by_hand(server, bucket, policy(), stranger)), "InvalidAccessKeyId")
    for name in ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"):
        form = presigned(s3, bucket)
        del form["fields"][name]
        told = error(post(form))
        assert (told["Code"], told["status"], told["ArgumentName"].lower()) == ("InvalidArgument", "400", name)
    form = presigned(s3, bucket)
    form["fields"]["x-amz-credential"] = form["fields"]["x-amz-credential"].replace("/s3/", "/kms/")
    assert error(post(form))["status"] in ("400", "403")
    form = presigned(s3, bucket)
    form["fields"]["AWSAccessKeyId"] = ONE.access_key_id
    assert_refused(post(form), "InvalidRequest", status=400)
    nobody = {"url": f"{server.endpoint}/{bucket}", "fields": {"key": "k"}}
    assert_refused(post(nobody), "AccessDenied", "Access Denied")


def test_the_signer_must_be_allowed_to_put(server: Server, bucket: str, s3_user: Callable[..., Any]) -> None:
    objects = f"arn:aws:s3:::{bucket}/*"
    assert_refused(post(presigned(s3_user("s3:GetObject", objects), bucket)), "AccessDenied")
    assert post(presigned(s3_user("s3:PutObject", objects), bucket)).status_code == 204
    # Conditions of policies see the fields as the headers of a PutObject.
    encrypted = {"StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    user = s3_user("s3:PutObject", objects, encrypted)
    assert_refused(post(presigned(user, bucket)), "AccessDenied")


def test_a_session_signs_with_its_token(server: Server, bucket: str) -> None:
    credentials = clients.sts(server).get_session_token()["Credentials"]
    form = presigned(clients.with_session(server, "s3", credentials), bucket)
    # boto3 puts the bucket into the host unless it is told not to.
    form["url"] = f"{server.endpoint}/{bucket}"
    assert "x-amz-security-token" in form["fields"]
    assert post(form).status_code == 204
    form["fields"]["x-amz-security-token"] += "x"
    assert error(post(form))["status"] in ("400", "403")
    del form["fields"]["x-amz-security-token"]
    assert error(post(form))["status"] in ("400", "403")


def test_what_makes_no_form(s3: Any, server: Server, bucket: str) -> None:
    form = presigned(s3, bucket)
    url, fields = form["url"], form["fields"]
    nothing = requests.post(url, files={name: (None, value) for name, value in fields.items()}, timeout=30)
    assert_refused(nothing, "InvalidArgument", "POST requires exactly one file upload per request.", 400)
    del fields["key"]
    text = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields."
    assert_refused(post(form), "InvalidArgument", text, 400)
    long = presigned(s3, bucket)
    long["fields"]["x-ignore-a"] = "a" * 21_000
    assert_refused(post(long), "MaxPostPreDataLengthExceededError", status=400)
    twice = [*presigned(s3, bucket)["fields"].items(), ("KEY", "l")]
    assert_refused(post({"url": url, "fields": twice}), "MalformedPOSTRequest", status=400)
    for name, value in (("x-amz-meta-a", "1\r\n2"), ("x-amz-meta-a b", "1"), ("Content-Type", "a\0b")):
        fields = presigned(s3, bucket, "k", {name: value})
        assert_refused(post(fields), "MalformedPOSTRequest", status=400)
    no_boundary = requests.post(url, data=b"x", headers={"content-type": "multipart/form-data"}, timeout=30)
    assert_refused(no_boundary, "MalformedPOSTRequest", status=400)
    absent = presigned(s3, bucket)
    absent["url"] = f"{server.endpoint}/absent-{uuid.uuid4()}"
    absent_fields = signed_by_hand(server, "absent", policy())["fields"]
    assert_refused(post({"url": absent["url"], "fields": absent_fields}), "NoSuchBucket", status=404)
    # Forms go to buckets; what goes elsewhere is none of theirs.
    for place in ("/", f"/{bucket}/k"):
        assert requests.post(server.endpoint + place, files={"file": b"x"}, timeout=30).status_code in (403, 404, 405)


def test_forms_under_keys(tls_server: Server) -> None:
    s3 = clients.s3(tls_server)
    bucket, key = new_bucket(s3), os.urandom(32)
    take_customer_keys(s3, bucket)
    kms = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": SEEDED_KEY}
    answer = post(presigned(s3, bucket, "kms", kms))
    assert answer.headers["x-amz-server-side-encryption"] == "aws:kms"
    assert s3.head_object(Bucket=bucket, Key="kms")["SSEKMSKeyId"] == ONE.key_arn(SEEDED_KEY)
    prefix = "x-amz-server-side-encryption-customer-"
    customer = {
        f"{prefix}algorithm": "AES256",
        f"{prefix}key": base64.b64encode(key).decode(),
        f"{prefix}key-md5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }
    assert post(presigned(s3, bucket, "customer", customer)).status_code == 204
    options = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}
    assert s3.get_object(Bucket=bucket, Key="customer", **options)["Body"].read() == b"contents"
    with refused("InvalidRequest"):
        s3.get_object(Bucket=bucket, Key="customer")
    absent = kms | {"x-amz-server-side-encryption-aws-kms-key-id": str(uuid.uuid4())}
    assert error(post(presigned(s3, bucket, "none", absent)))["Code"] == "KMS.NotFoundException"


def test_a_file_has_the_checksum_that_the_form_tells(s3: Any, bucket: str) -> None:
    right = base64.b64encode(zlib.crc32(b"contents").to_bytes(4, "big")).decode()
    assert post(presigned(s3, bucket, "k", {"x-amz-checksum-crc32": right})).status_code == 204
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumCRC32"] == right
    assert_refused(post(presigned(s3, bucket, "l", {"x-amz-checksum-crc32": "AAAAAA=="})), "BadDigest", status=400)
    with refused("404", status=404):
        s3.head_object(Bucket=bucket, Key="l")


def test_a_form_makes_a_version(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    versions = {post(presigned(s3, bucket), body).headers["x-amz-version-id"]: body for body in (b"1", b"2")}
    for version, body in versions.items():
        assert s3.get_object(Bucket=bucket, Key="k", VersionId=version)["Body"].read() == body


def test_forms_to_buckets_in_the_host(server: Server, bucket: str, s3: Any) -> None:
    form, host = presigned(s3, bucket), f"{bucket}.s3.localhost:{server.port}"
    form["url"] = server.endpoint
    answer = post(form, headers={"host": host})
    assert (answer.status_code, answer.headers["location"]) == (204, f"http://{host}/k")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"contents"


def test_a_form_brings_tags_as_a_document(s3: Any, bucket: str) -> None:
    tag = "<Tag><Key>team</Key><Value>blue</Value></Tag>"
    fields = {"tagging": f"<Tagging><TagSet>{tag}</TagSet></Tagging>"}
    assert post(presigned(s3, bucket, "k", fields)).status_code == 204
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "team", "Value": "blue"}]
    answer = post(presigned(s3, bucket, "other", {"tagging": f"<Tagging>{tag}"}))
    assert error(answer)["Code"] == "MalformedXML"
