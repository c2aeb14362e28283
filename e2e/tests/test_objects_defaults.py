"""The default encryption of buckets.

Source: Amazon S3 API Reference and User Guide, "Setting default server-side encryption behavior for Amazon S3 buckets" and
"Blocking or unblocking SSE-C for a general purpose bucket"; answers of the service as recorded by LocalStack's validated
tests.
"""

import json
import os
import re
import uuid
from pathlib import Path
from typing import Any


from harness import clients
from harness.buckets import new_bucket, take_customer_keys
from harness.expect import refused
from harness.polling import eventually
from harness.s3_by_hand import raw
from harness.seed import ONE, SEEDED_KEY, TWO
from harness.server import Server

KEY_ARN = ONE.key_arn(SEEDED_KEY)
MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


def by_default(algorithm: str, key: str | None = None, **more: Any) -> dict[str, Any]:
    default = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
    return {"ApplyServerSideEncryptionByDefault": default} | more


def put(s3: Any, bucket: str, *rules: dict[str, Any]) -> None:
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": list(rules)})


def rules(s3: Any, bucket: str) -> list[dict[str, Any]]:
    return s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]


FRESH = by_default("AES256", BucketKeyEnabled=False, BlockedEncryptionTypes={"EncryptionType": ["SSE-C"]})


def test_a_new_bucket_has_the_service_encrypt(s3: Any, bucket: str) -> None:
    assert rules(s3, bucket) == [FRESH]
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"


def test_a_rule_is_told_as_it_was_put_and_goes_again(s3: Any, bucket: str) -> None:
    for key in (SEEDED_KEY, KEY_ARN, "alias/no-such-alias", None):
        put(s3, bucket, by_default("aws:kms", key))
        blocked = {"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}
        assert rules(s3, bucket) == [by_default("aws:kms", key, BucketKeyEnabled=False, **blocked)]
    for _ in range(2):
        answer = s3.delete_bucket_encryption(Bucket=bucket)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert rules(s3, bucket) == [FRESH]


def test_what_is_no_rule_is_refused(server: Server, s3: Any, bucket: str) -> None:
    for bad in ([], [by_default("AES256")] * 2, [by_default("aws:fsx")], [by_default("AES192")]):
        with refused("MalformedXML", MALFORMED):
            put(s3, bucket, *bad)
    text = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
    with refused("InvalidArgument", text):
        put(s3, bucket, by_default("AES256", SEEDED_KEY))
    with refused("MalformedXML", MALFORMED):
        put(s3, bucket, {"BlockedEncryptionTypes": {"EncryptionType": ["SSE-KMS"]}})
    assert rules(s3, bucket) == [FRESH]


def test_there_must_be_a_bucket(s3: Any) -> None:
    missing = f"bucket-{uuid.uuid4()}"
    for call in (s3.get_bucket_encryption, s3.delete_bucket_encryption):
        with refused("NoSuchBucket", status=404):
            call(Bucket=missing)
    with refused("NoSuchBucket", status=404):
        put(s3, missing, by_default("AES256"))


def test_other_methods_are_no_calls(server: Server, bucket: str) -> None:
    with refused("MethodNotAllowed", status=405):
        raw(server, "POST", f"/{bucket}?encryption")


def test_the_rule_encrypts_what_says_nothing(s3: Any, bucket: str) -> None:
    put(s3, bucket, by_default("aws:kms", SEEDED_KEY))
    silent = s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert (silent["ServerSideEncryption"], silent["SSEKMSKeyId"]) == ("aws:kms", KEY_ARN)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    # Whoever says something gets that, and without a key the AWS managed one.
    assert s3.put_object(Bucket=bucket, Key="l", Body=b"x", ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"
    managed = s3.put_object(Bucket=bucket, Key="m", Body=b"x", ServerSideEncryption="aws:kms")
    assert managed["SSEKMSKeyId"] != KEY_ARN
    copied = s3.copy_object(Bucket=bucket, Key="n", CopySource=f"{bucket}/l")
    assert copied["SSEKMSKeyId"] == KEY_ARN
    assert s3.create_multipart_upload(Bucket=bucket, Key="o")["SSEKMSKeyId"] == KEY_ARN
    # What is there stays as it is.
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.head_object(Bucket=bucket, Key="k")["SSEKMSKeyId"] == KEY_ARN
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"


def test_the_key_of_a_rule_is_looked_at_when_somebody_writes(s3: Any, bucket: str, s3_user: Any) -> None:
    unknown = str(uuid.uuid4())
    put(s3, bucket, by_default("aws:kms", unknown))
    with refused("KMS.NotFoundException", f"Key '{ONE.key_arn(unknown)}' does not exist"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    put(s3, bucket, by_default("aws:kms", SEEDED_KEY))
    writer = s3_user("s3:*", "*")
    with refused("AccessDenied", status=403):
        writer.put_object(Bucket=bucket, Key="k", Body=b"x")
    writer.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="AES256")


def test_an_object_is_copied_onto_itself_where_there_is_a_rule(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused("InvalidRequest"):
        s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k")
    put(s3, bucket, by_default("aws:kms", SEEDED_KEY))
    s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k")
    assert s3.head_object(Bucket=bucket, Key="k")["SSEKMSKeyId"] == KEY_ARN


def test_policies_see_what_the_request_says_and_not_the_default(s3: Any, bucket: str, s3_user: Any) -> None:
    put(s3, bucket, by_default("AES256"))
    demands = {"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}
    writer = s3_user("s3:PutObject", f"arn:aws:s3:::{bucket}/*", demands)
    with refused("AccessDenied", status=403):
        writer.put_object(Bucket=bucket, Key="k", Body=b"x")
    writer.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="AES256")


def test_policies_see_the_key_by_its_arn(s3: Any, bucket: str, s3_user: Any) -> None:
    demands = {"ArnEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": KEY_ARN}}
    writer = s3_user(["s3:PutObject"], f"arn:aws:s3:::{bucket}/*", demands)
    for named in (SEEDED_KEY, KEY_ARN):
        # S3 lets the writer pass, and the key service, of which the policy says nothing, does not.
        with refused("AccessDenied", re.compile(".*kms:GenerateDataKey.*"), status=403):
            writer.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=named)
    for options in ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": str(uuid.uuid4())}, {}):
        with refused("AccessDenied", re.compile(".*s3:PutObject.*"), status=403):
            writer.put_object(Bucket=bucket, Key="k", Body=b"x", **options)


def test_who_may_say_so(server: Server, s3: Any, bucket: str, s3_user: Any) -> None:
    arn = f"arn:aws:s3:::{bucket}"
    reader, writer = s3_user("s3:GetEncryptionConfiguration", arn), s3_user("s3:PutEncryptionConfiguration", arn)
    put(writer, bucket, by_default("aws:kms"))
    assert rules(reader, bucket)[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms"}
    with refused("AccessDenied", status=403):
        rules(writer, bucket)
    for stranger in (reader, clients.s3(server, TWO)):
        with refused("AccessDenied", status=403):
            put(stranger, bucket, by_default("AES256"))
        with refused("AccessDenied", status=403):
            stranger.delete_bucket_encryption(Bucket=bucket)
    writer.delete_bucket_encryption(Bucket=bucket)


def test_calls_leave_their_events(server: Server, s3: Any, bucket: str) -> None:
    put(s3, bucket, by_default("aws:kms", SEEDED_KEY, BucketKeyEnabled=False))
    rules(s3, bucket)
    s3.delete_bucket_encryption(Bucket=bucket)
    with refused("MalformedXML"):
        put(s3, bucket)
    attribute = {"AttributeKey": "ResourceName", "AttributeValue": f"arn:aws:s3:::{bucket}"}

    def events() -> list[dict[str, Any]]:
        found = clients.cloudtrail(server).lookup_events(LookupAttributes=[attribute])["Events"]
        told = [json.loads(one["CloudTrailEvent"]) for one in found]
        return [one for one in told if one["eventName"].endswith("BucketEncryption")]

    eventually(lambda: len(events()) == 4, "all events")
    for event in events():
        assert event["managementEvent"] and event["eventSource"] == "s3.amazonaws.com"
        assert event["readOnly"] == (event["eventName"] == "GetBucketEncryption")
        assert event["requestParameters"]["bucketName"] == bucket
        assert event["requestParameters"]["encryption"] == ""
    assert sum(event.get("errorCode") == "MalformedXML" for event in events()) == 1
    told = [one for one in events() if one["eventName"] == "PutBucketEncryption" and "errorCode" not in one]
    assert told[0]["requestParameters"]["ServerSideEncryptionConfiguration"] == {
        "xmlns": "http://s3.amazonaws.com/doc/2006-03-01/",
        "Rule": by_default("aws:kms", SEEDED_KEY, BucketKeyEnabled=False),
    }


def test_customers_keys_are_refused_until_the_bucket_takes_them(tls_server: Server) -> None:
    s3 = clients.s3(tls_server)
    bucket, key = new_bucket(s3), {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)}
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")

    def writes() -> None:
        for call in (
            lambda: s3.put_object(Bucket=bucket, Key="l", Body=b"x", **key),
            # Nothing of the key is looked at.
            lambda: s3.put_object(Bucket=bucket, Key="l", Body=b"x", SSECustomerAlgorithm="AES128"),
            lambda: s3.create_multipart_upload(Bucket=bucket, Key="l", **key),
            lambda: s3.copy_object(Bucket=bucket, Key="l", CopySource=f"{bucket}/plain", **key),
        ):
            with refused("AccessDenied", status=403):
                call()

    writes()
    take_customer_keys(s3, bucket)
    assert rules(s3, bucket)[0]["BlockedEncryptionTypes"] == {"EncryptionType": ["NONE"]}
    s3.put_object(Bucket=bucket, Key="k", Body=b"customer's", **key)
    # A rule that says nothing of it changes nothing of it, and neither does the end of the rule.
    put(s3, bucket, by_default("AES256"))
    s3.delete_bucket_encryption(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"customer's", **key)
    put(s3, bucket, {"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}})
    writes()
    # What is there is read, also to copy it.
    assert s3.get_object(Bucket=bucket, Key="k", **key)["Body"].read() == b"customer's"
    assert s3.head_object(Bucket=bucket, Key="k", **key)["ContentLength"] == 10
    of_source = {f"CopySource{name}": value for name, value in key.items()}
    assert s3.copy_object(Bucket=bucket, Key="m", CopySource=f"{bucket}/k", **of_source)["ServerSideEncryption"] == "AES256"


def test_the_operator_may_let_them_into_new_buckets(tmp_path: Path) -> None:
    server = Server(
        tmp_path, arguments=("--tls-development",), scheme="https",
        environment={"KEYWRIGHT_OBJECTS_BLOCK_CUSTOMER_KEYS": "false"},
    ).start()
    s3 = clients.s3(server)
    bucket = new_bucket(s3)
    assert rules(s3, bucket) == [by_default("AES256", BucketKeyEnabled=False)]
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", SSECustomerAlgorithm="AES256", SSECustomerKey=os.urandom(32))
    put(s3, bucket, by_default("aws:kms", SEEDED_KEY))
    server.restart()
    s3 = clients.s3(server)
    assert rules(s3, bucket) == [by_default("aws:kms", SEEDED_KEY, BucketKeyEnabled=False)]
    server.close()
