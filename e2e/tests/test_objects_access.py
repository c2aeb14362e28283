"""Every operation of S3, called by those who may not, and each let in by exactly the action that AWS asks for.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from harness import clients
from harness.callers import Caller, new_user
from harness.expect import refused
from harness.iam import allow, document
from harness.seed import EUROPE, ONE, TWO
from harness.server import Server

BUCKET = "guarded"
KEY = "k"
OBJECT = {"Bucket": BUCKET, "Key": KEY}
RULE = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
# Whether KMS lets somebody in does not matter here.
ABSENT_KEY = ONE.key_arn("00000000-0000-4000-8000-000000000000")
# It gives nothing to anybody who is called here.
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/never",
        },
    }
)
OPERATIONS = Path(__file__).parents[2] / "crates/objects/src/operation.rs"


@dataclass(frozen=True)
class Asked:
    """How an operation is asked for, and the actions that let it be."""

    parameters: Callable[[str], dict[str, Any]]
    actions: tuple[str, ...]


def asked(*actions: str, **parameters: Any) -> Asked:
    return Asked(lambda _: parameters, actions)


def of_upload(*actions: str, **parameters: Any) -> Asked:
    return Asked(lambda upload: OBJECT | {"UploadId": upload} | parameters, actions)


SOURCE = f"{BUCKET}/{KEY}"
CALLS = {
    "ListBuckets": asked("ListAllMyBuckets"),
    "HeadBucket": asked("ListBucket", Bucket=BUCKET),
    "GetBucketLocation": asked("GetBucketLocation", Bucket=BUCKET),
    "GetBucketEncryption": asked("GetEncryptionConfiguration", Bucket=BUCKET),
    "PutBucketEncryption": asked(
        "PutEncryptionConfiguration", Bucket=BUCKET, ServerSideEncryptionConfiguration=RULE
    ),
    "DeleteBucketEncryption": asked("PutEncryptionConfiguration", Bucket=BUCKET),
    "GetBucketCors": asked("GetBucketCORS", Bucket=BUCKET),
    "PutBucketCors": asked(
        "PutBucketCORS",
        Bucket=BUCKET,
        CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
    ),
    "DeleteBucketCors": asked("PutBucketCORS", Bucket=BUCKET),
    "GetBucketLifecycleConfiguration": asked("GetLifecycleConfiguration", Bucket=BUCKET),
    "PutBucketLifecycleConfiguration": asked(
        "PutLifecycleConfiguration",
        Bucket=BUCKET,
        LifecycleConfiguration={"Rules": [{"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 9}}]},
    ),
    "DeleteBucketLifecycle": asked("PutLifecycleConfiguration", Bucket=BUCKET),
    "GetBucketPolicy": asked("GetBucketPolicy", Bucket=BUCKET),
    "PutBucketPolicy": asked("PutBucketPolicy", Bucket=BUCKET, Policy=POLICY),
    "DeleteBucketPolicy": asked("DeleteBucketPolicy", Bucket=BUCKET),
    "GetBucketVersioning": asked("GetBucketVersioning", Bucket=BUCKET),
    "PutBucketVersioning": asked(
        "PutBucketVersioning", Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}
    ),
    "GetBucketTagging": asked("GetBucketTagging", Bucket=BUCKET),
    "PutBucketTagging": asked("PutBucketTagging", Bucket=BUCKET, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]}),
    "DeleteBucketTagging": asked("PutBucketTagging", Bucket=BUCKET),
    "GetBucketPolicyStatus": asked("GetBucketPolicyStatus", Bucket=BUCKET),
    "GetPublicAccessBlock": asked("GetBucketPublicAccessBlock", Bucket=BUCKET),
    "PutPublicAccessBlock": asked(
        "PutBucketPublicAccessBlock", Bucket=BUCKET, PublicAccessBlockConfiguration={"BlockPublicPolicy": True}
    ),
    "DeletePublicAccessBlock": asked("PutBucketPublicAccessBlock", Bucket=BUCKET),
    "ListObjectVersions": asked("ListBucketVersions", Bucket=BUCKET),
    "ListObjects": asked("ListBucket", Bucket=BUCKET),
    "ListObjectsV2": asked("ListBucket", Bucket=BUCKET),
    "ListMultipartUploads": asked("ListBucketMultipartUploads", Bucket=BUCKET),
    "HeadObject": asked("GetObject", **OBJECT),
    "GetObject": asked("GetObject", **OBJECT),
    "GetObjectAttributes": asked("GetObject", "GetObjectAttributes", **OBJECT, ObjectAttributes=["ETag"]),
    "PostObject": asked("PutObject", **OBJECT),
    "GetObjectTagging": asked("GetObjectTagging", **OBJECT),
    "PutObjectTagging": asked("PutObjectTagging", **OBJECT, Tagging={"TagSet": []}),
    "DeleteObjectTagging": asked("DeleteObjectTagging", **OBJECT),
    "PutObject": asked("PutObject", **OBJECT, Body=b"guarded"),
    "CopyObject": asked("GetObject", "PutObject", **OBJECT, CopySource=SOURCE, MetadataDirective="REPLACE"),
    "CreateMultipartUpload": asked("PutObject", **OBJECT),
    "UploadPart": of_upload("PutObject", PartNumber=1, Body=b"x"),
    "UploadPartCopy": of_upload("GetObject", "PutObject", PartNumber=1, CopySource=SOURCE),
    "UpdateObjectEncryption": asked(
        "PutObject", "UpdateObjectEncryption", **OBJECT, ObjectEncryption={"SSEKMS": {"KMSKeyArn": ABSENT_KEY}}
    ),
    "ListParts": of_upload("ListMultipartUploadParts"),
    "CompleteMultipartUpload": of_upload("PutObject", MultipartUpload={"Parts": []}),
    "AbortMultipartUpload": of_upload("AbortMultipartUpload"),
    "DeleteObjects": asked("DeleteObject", Bucket=BUCKET, Delete={"Objects": [{"Key": "gone"}]}),
    "DeleteObject": asked("DeleteObject", Bucket=BUCKET, Key="gone"),
    "DeleteBucket": asked("DeleteBucket", Bucket=BUCKET),
    "CreateBucket": asked(
        "CreateBucket", Bucket="made-by-nobody", CreateBucketConfiguration={"LocationConstraint": EUROPE}
    ),
}


@dataclass
class Guarded:
    """A server with a bucket, an object, an upload, and a user without any policy."""

    server: Server
    upload: str
    nobody: Caller

    def call(self, client: Any, operation: str) -> dict[str, Any]:
        if operation == "PostObject":
            return post_form(client, **CALLS[operation].parameters(self.upload))
        method = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation.replace("V2", "_v2")).lower()
        return getattr(client, method)(**CALLS[operation].parameters(self.upload))


def post_form(client: Any, **place: str) -> dict[str, Any]:
    """Posts a form that the client signs; a refusal is raised as boto3 raises it."""
    form = client.generate_presigned_post(**place)
    answer = requests.post(form["url"], data=form["fields"], files={"file": b"guarded"}, timeout=30)
    if answer.status_code >= 400:
        code = answer.text.partition("<Code>")[2].partition("</Code>")[0]
        metadata = {"HTTPStatusCode": answer.status_code}
        raise ClientError({"Error": {"Code": code, "Message": answer.text}, "ResponseMetadata": metadata}, "PostObject")
    return {}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    server = Server(tmp_path_factory.mktemp("guarded")).start()
    s3 = clients.s3(server)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    s3.put_object(**OBJECT, Body=b"guarded")
    upload = s3.create_multipart_upload(**OBJECT)["UploadId"]
    yield Guarded(server, upload, new_user(server, "nobody"))
    server.close()


def is_denied(call: Callable[[], dict[str, Any]]) -> bool:
    """Refused by access control; DeleteObjects says so object by object."""
    try:
        answer = call()
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403, 404, 409), error
        return error.response["Error"]["Code"] in ("AccessDenied", "403")
    return bool(answer.get("Errors")) and all(one["Code"] == "AccessDenied" for one in answer["Errors"])


def test_every_operation_is_asked_for() -> None:
    offered = re.findall(r'Self::(\w+) => \("\1"', OPERATIONS.read_text())
    assert sorted(CALLS) == sorted(offered)


@pytest.mark.parametrize("operation", CALLS)
def test_nobody_gets_in_without_a_policy(guarded: Guarded, operation: str) -> None:
    callers = [guarded.nobody.account]
    # What is about the caller's own account an administrator of another one may do there.
    if operation not in ("ListBuckets", "CreateBucket"):
        callers.append(TWO)
    for caller in callers:
        client = clients.s3(guarded.server, caller)
        assert is_denied(lambda client=client: guarded.call(client, operation)), (operation, caller.name)
    assert clients.s3(guarded.server).get_object(**OBJECT)["Body"].read() == b"guarded"


@pytest.mark.parametrize("operation", CALLS)
def test_the_action_that_aws_asks_for_lets_in_and_no_other_does(guarded: Guarded, operation: str) -> None:
    iam, s3 = clients.iam(guarded.server), clients.s3(guarded.server, guarded.nobody.account)
    every = {f"s3:{action}" for asked in CALLS.values() for action in asked.actions}
    needed = {f"s3:{action}" for action in CALLS[operation].actions}
    try:
        for missing in needed:
            policy = document(allow(*sorted(every - {missing})))
            iam.put_user_policy(UserName="nobody", PolicyName="p", PolicyDocument=policy)
            assert is_denied(lambda: guarded.call(s3, operation)), f"{operation} without {missing}"
        if operation not in ("DeleteBucket", "AbortMultipartUpload"):
            iam.put_user_policy(UserName="nobody", PolicyName="p", PolicyDocument=document(allow(*sorted(needed))))
            assert not is_denied(lambda: guarded.call(s3, operation)), operation
    finally:
        iam.delete_user_policy(UserName="nobody", PolicyName="p")


@pytest.mark.parametrize("operation", CALLS)
def test_whoever_does_not_sign_gets_in_nowhere_without_a_policy(guarded: Guarded, operation: str) -> None:
    nobody = clients.anonymous_s3(guarded.server)
    with pytest.raises(ClientError) as caught:
        guarded.call(nobody, operation)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert answer["Error"]["Code"] in ("AccessDenied", "403")
    assert clients.s3(guarded.server).get_object(**OBJECT)["Body"].read() == b"guarded"


def test_what_nobody_signed_is_refused(guarded: Guarded) -> None:
    for method, path in (("GET", "/"), ("GET", f"/{BUCKET}"), ("GET", f"/{SOURCE}"), ("PUT", f"/{SOURCE}")):
        answer = requests.request(method, guarded.server.endpoint + path, data=b"x", timeout=30)
        assert answer.status_code in (400, 403, 404), (method, path, answer.status_code)
        assert "guarded" not in answer.text.replace(path, "")
    assert clients.s3(guarded.server).get_object(**OBJECT)["Body"].read() == b"guarded"


def test_a_policy_about_one_bucket_says_nothing_of_another(guarded: Guarded) -> None:
    iam, s3 = clients.iam(guarded.server), clients.s3(guarded.server, guarded.nobody.account)
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::other", "arn:aws:s3:::other/*"]}
    own = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/{KEY}"}
    for statements, lets_in in (([statement], False), ([statement, own], True)):
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName="nobody", PolicyName="p", PolicyDocument=policy)
        assert is_denied(lambda: s3.get_object(**OBJECT)) != lets_in
        assert is_denied(lambda: s3.put_object(**OBJECT, Body=b"guarded"))
    iam.delete_user_policy(UserName="nobody", PolicyName="p")


def test_a_request_may_say_whose_bucket_it_means(guarded: Guarded) -> None:
    s3 = clients.s3(guarded.server)
    assert s3.get_object(**OBJECT, ExpectedBucketOwner=ONE.id)["Body"].read() == b"guarded"
    for call in (
        lambda: s3.get_object(**OBJECT, ExpectedBucketOwner=TWO.id),
        lambda: s3.put_object(**OBJECT, Body=b"x", ExpectedBucketOwner=TWO.id),
        lambda: s3.list_objects_v2(Bucket=BUCKET, ExpectedBucketOwner=TWO.id),
        lambda: s3.delete_bucket_policy(Bucket=BUCKET, ExpectedBucketOwner=TWO.id),
        lambda: s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=SOURCE, ExpectedSourceBucketOwner=TWO.id),
    ):
        with refused("AccessDenied", status=403):
            call()
    with refused("InvalidBucketOwnerAWSAccountID"):
        s3.get_object(**OBJECT, ExpectedBucketOwner="me")
    with refused("NoSuchBucket", status=404):
        s3.list_objects_v2(Bucket="absent-bucket", ExpectedBucketOwner=ONE.id)
    assert s3.get_object(**OBJECT)["Body"].read() == b"guarded"
