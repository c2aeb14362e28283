"""Objects and the trail: data events where a trail delivers them, and a trail delivered into a bucket of this very service.

Source: Amazon S3 User Guide, "Amazon S3 CloudTrail events"; CloudTrail User Guide, "Logging data events".
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from harness import clients, dev_clock, trail
from harness import trail_delivery as delivery
from harness.polling import eventually
from harness.seed import DEVELOPMENT, EUROPE, ONE
from harness.server import Server, free_port

HOME = delivery.HOME


@contextmanager
def delivering(server: Server, **selectors: Any) -> Iterator[tuple[Any, str]]:
    """A trail with these selectors, switched on."""
    cloudtrail = clients.cloudtrail(server)
    name = cloudtrail.create_trail(Name="objects", S3BucketName="keywright-trail", IsMultiRegionTrail=True)["Name"]
    cloudtrail.put_event_selectors(TrailName=name, **selectors)
    cloudtrail.start_logging(Name=name)
    yield cloudtrail, name
    cloudtrail.delete_trail(Name=name)


def basic(*values: str) -> dict[str, Any]:
    resources = [{"Type": "AWS::S3::Object", "Values": list(values)}]
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": resources}
    return {"EventSelectors": [selector]}


def advanced(*fields: dict[str, Any]) -> dict[str, Any]:
    management = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
    data = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        *fields,
    ]
    return {"AdvancedEventSelectors": [management, {"Name": "objects", "FieldSelectors": data}]}


def two_buckets(server: Server) -> Any:
    s3 = clients.s3(server)
    for name in ("watched", "unwatched"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    return s3


def names(server: Server) -> list[str]:
    return [event["eventName"] for event in trail.events(server, eventCategory="Data")]


def test_what_happens_to_objects_is_logged_where_a_trail_delivers_it(fresh_server: Server) -> None:
    s3 = two_buckets(fresh_server)
    s3.put_object(Bucket="watched", Key="before", Body=b"x")
    with delivering(fresh_server, **basic("arn:aws:s3:::watched/")) as (cloudtrail, name):
        for bucket in ("watched", "unwatched"):
            s3.put_object(Bucket=bucket, Key="a/b c", Body=b"planted")
            s3.get_object(Bucket=bucket, Key="a/b c")["Body"].read()
            s3.list_objects_v2(Bucket=bucket)
            with pytest.raises(ClientError):
                s3.get_object(Bucket=bucket, Key="absent")
            s3.delete_object(Bucket=bucket, Key="a/b c")
        assert names(fresh_server) == ["PutObject", "GetObject", "ListObjects", "GetObject", "DeleteObject"]
        cloudtrail.stop_logging(Name=name)

        def is_unwatched() -> bool:
            before = names(fresh_server)
            s3.put_object(Bucket="watched", Key="after", Body=b"x")
            return names(fresh_server) == before

        # Times of events are whole seconds: that of the stop still belongs to the trail.
        eventually(is_unwatched, "nothing is logged any more")
    [put, get, listed, failed, deleted] = trail.events(fresh_server, eventCategory="Data")[:5]
    assert put["requestParameters"]["bucketName"] == "watched" and put["requestParameters"]["key"] == "a/b c"
    assert put["resources"] == [
        {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::watched/a/b c"},
        {"accountId": ONE.id, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::watched"},
    ]
    assert [event["readOnly"] for event in (put, get, listed, failed, deleted)] == [False, True, True, True, False]
    assert not any(event["managementEvent"] for event in (put, get, listed, failed, deleted))
    assert (failed["errorCode"], get.get("errorCode")) == ("NoSuchKey", None)
    assert "planted" not in json.dumps(trail.lines(fresh_server))
    trail.assert_chain(fresh_server)
    # LookupEvents has management events alone.
    found = clients.cloudtrail(fresh_server).lookup_events(
        LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "s3.amazonaws.com"}]
    )
    assert {event["EventName"] for event in found["Events"]} == {"CreateBucket"}


def test_a_form_leaves_an_event_of_its_own(fresh_server: Server) -> None:
    s3 = two_buckets(fresh_server)
    with delivering(fresh_server, **basic("arn:aws:s3:::watched/")):
        form = s3.generate_presigned_post("watched", "up/${filename}")
        answer = requests.post(form["url"], data=form["fields"], files={"file": ("a.txt", b"planted")}, timeout=30)
        assert answer.status_code == 204
        form["fields"]["acl"] = "public-read"
        requests.post(form["url"], data=form["fields"], files={"file": ("b.txt", b"planted")}, timeout=30)
    [done, denied] = trail.events(fresh_server, eventCategory="Data")
    assert (done["eventName"], done["readOnly"], done.get("errorCode")) == ("PostObject", False, None)
    assert {name: done["requestParameters"][name] for name in ("bucketName", "key")} == {
        "bucketName": "watched", "key": "up/a.txt",
    }  # fmt: skip
    assert done["userIdentity"]["accessKeyId"] == ONE.access_key_id
    assert done["additionalEventData"]["SSEApplied"] == "Default_SSE_S3"
    assert "AuthenticationMethod" not in done["additionalEventData"]
    assert (denied["eventName"], denied["errorCode"]) == ("PostObject", "AccessDenied")
    log = json.dumps(trail.lines(fresh_server))
    assert not any(text in log for text in ("planted", form["fields"]["policy"], form["fields"]["x-amz-signature"]))


def test_advanced_selectors_tell_reads_from_writes_and_objects_apart(fresh_server: Server) -> None:
    s3 = two_buckets(fresh_server)
    selectors = advanced(
        {"Field": "readOnly", "Equals": ["false"]},
        {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::watched/secret/"]},
    )
    with delivering(fresh_server, **selectors) as (cloudtrail, name):
        told = cloudtrail.get_event_selectors(TrailName=name)["AdvancedEventSelectors"]
        assert [selector.get("Name") for selector in told] == [None, "objects"]
        for key in ("secret/a", "open/a"):
            s3.put_object(Bucket="watched", Key=key, Body=b"x")
            s3.head_object(Bucket="watched", Key=key)
    [event] = trail.events(fresh_server, eventCategory="Data")
    assert (event["eventName"], event["requestParameters"]["key"]) == ("PutObject", "secret/a")


def test_events_tell_how_a_request_came_and_what_encrypts_the_object(fresh_server: Server) -> None:
    s3 = two_buckets(fresh_server)
    key = clients.kms(fresh_server).create_key()["KeyMetadata"]["Arn"]
    under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    object = {"Bucket": "watched", "Key": "k"}
    twice = under | {"ServerSideEncryption": "aws:kms:dsse"}
    with delivering(fresh_server, **basic("arn:aws:s3:::watched/")):
        for parameters in ({}, {"ServerSideEncryption": "AES256"}, under, twice):
            s3.put_object(**object, Body=b"twelve bytes", **parameters)
        s3.get_object(**object, Range="bytes=0-4")["Body"].read()
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        s3.put_bucket_encryption(Bucket="watched", ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_object(**object, Body=b"")
        url = s3.generate_presigned_url("get_object", Params=object | {"Key": "absent"})
        assert requests.get(url, timeout=30).status_code == 404
        s3.update_object_encryption(**object, ObjectEncryption={"SSEKMS": {"KMSKeyArn": key}})
    told = [event["additionalEventData"] for event in trail.events(fresh_server, eventCategory="Data")]
    applied = ["Default_SSE_S3", "SSE_S3", "SSE_KMS", "DSSE_KMS", "DSSE_KMS", "Default_SSE_KMS", None, None]
    assert [one.get("SSEApplied") for one in told] == applied
    assert {one["SignatureVersion"] for one in told} == {"SigV4"}
    by = ["AuthHeader"] * 6 + ["QueryString", "AuthHeader"]
    assert [one["AuthenticationMethod"] for one in told] == by
    assert all(one["bytesTransferredIn"] >= 12 for one in told[:4])
    assert [one["bytesTransferredIn"] for one in told[4:7]] == [0, 0, 0]
    assert [one.get("bytesTransferredOut") for one in told[:7]] == [0, 0, 0, 0, 5, 0, None]
    # Nothing is said of TLS where there is none, nor of ids that are not given.
    assert not any("CipherSuite" in one or "x-amz-id-2" in one for one in told)
    [made] = trail.events(fresh_server, eventName="CreateBucket")[:1]
    assert made["additionalEventData"]["AuthenticationMethod"] == "AuthHeader"


@dataclass
class OwnBucket:
    """A bucket of this service, as the test of deliveries names it."""

    endpoint: str


def test_a_trail_in_a_bucket_of_this_service_is_found_valid(tmp_path: Path) -> None:
    start = delivery.now() - timedelta(hours=1)
    secret = tmp_path / "secret"
    secret.write_text(DEVELOPMENT.secret_access_key)
    server = Server(tmp_path, development=True)
    delivery.write_log(server.data, [delivery.event(DEVELOPMENT.id, HOME, start) for _ in range(3)])
    port = free_port()
    server.environment = {
        "KEYWRIGHT_TRAIL_DELIVERY_DESTINATION": "s3://evidence/corp",
        "KEYWRIGHT_TRAIL_DELIVERY_INTERVAL_SECONDS": "1",
        "KEYWRIGHT_TRAIL_DELIVERY_S3_ENDPOINT": f"http://127.0.0.1:{port}",
        "KEYWRIGHT_TRAIL_DELIVERY_S3_ACCESS_KEY_ID": DEVELOPMENT.access_key_id,
        "KEYWRIGHT_TRAIL_DELIVERY_S3_SECRET_ACCESS_KEY_FILE": str(secret),
    }
    server.launch(port)
    server.wait_until_ready()
    s3 = clients.s3(server, DEVELOPMENT, HOME)
    s3.create_bucket(Bucket="evidence")

    def delivered(part: str) -> list[str]:
        listed = s3.list_objects_v2(Bucket="evidence", Prefix="corp/AWSLogs/").get("Contents", [])
        return [one["Key"] for one in listed if part in one["Key"]]

    eventually(lambda: delivered("/CloudTrail/"), "log files are delivered", 30)
    for _ in range(3):
        dev_clock.advance(server, timedelta(hours=1))
    eventually(lambda: len(delivered("/CloudTrail-Digest/")) >= 3, "digests are delivered")

    def validate() -> str:
        own = OwnBucket(server.endpoint)
        return delivery.validate_logs(tmp_path, own, server.endpoint, DEVELOPMENT, HOME, start).stdout  # type: ignore[arg-type]

    valid = re.findall(r"(\d+)/(\d+) (digest|log) files valid", validate())
    assert {kind for _, _, kind in valid} == {"digest", "log"}
    assert all(good == total and int(good) > 0 for good, total, _ in valid), valid
    # What is changed in the bucket is found there.
    changed = delivered("/CloudTrail/")[0]
    s3.put_object(Bucket="evidence", Key=changed, Body=b"something else")
    assert "INVALID" in validate()
    server.close()
