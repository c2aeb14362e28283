"""Lifecycles of buckets: what is taken, and what goes when.

Source: S3 User Guide, "Managing the lifecycle of objects"; API_PutBucketLifecycleConfiguration. Days end at midnight UTC.
"""

from datetime import timedelta
from typing import Any

import pytest

from harness import clients
from harness.buckets import new_bucket
from harness.dev_clock import advance
from harness.expect import refused
from harness.seed import DEVELOPMENT
from harness.server import Server
from harness.trail import events

DAY = timedelta(days=1)


@pytest.fixture
def dev_s3(dev_server: Server) -> Any:
    return clients.s3(dev_server, DEVELOPMENT)


@pytest.fixture
def dev_bucket(dev_s3: Any) -> str:
    return new_bucket(dev_s3)


def set_rules(s3: Any, bucket: str, *rules: dict[str, Any]) -> None:
    whole = [{"Status": "Enabled", "Filter": {}} | rule for rule in rules]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": whole})


def keys(s3: Any, bucket: str) -> set[str]:
    return {one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


def versions(s3: Any, bucket: str) -> tuple[list[str], list[str]]:
    """The ids of the versions and of the delete markers."""
    page = s3.list_object_versions(Bucket=bucket)
    found = [page.get(kind, []) for kind in ("Versions", "DeleteMarkers")]
    ids = [[one["VersionId"] for one in kind] for kind in found]
    return ids[0], ids[1]


def test_rules_are_told_as_they_were_put(s3: Any, bucket: str, server: Server) -> None:
    with refused("NoSuchLifecycleConfiguration", status=404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    tag = {"Key": "a", "Value": "1"}
    rules = [
        {"ID": "one", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 3}},
        {
            "ID": "two",
            "Status": "Disabled",
            "Filter": {"And": {"Prefix": "b/", "Tags": [tag], "ObjectSizeGreaterThan": 5}},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules
    assert any(one["requestParameters"]["bucketName"] == bucket for one in events(server, eventName="PutBucketLifecycle"))
    set_rules(s3, bucket, {"Expiration": {"ExpiredObjectDeleteMarker": True}})
    [rule] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["ID"]
    s3.delete_bucket_lifecycle(Bucket=bucket)
    with refused("NoSuchLifecycleConfiguration", status=404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


@pytest.mark.parametrize(
    ("rule", "code", "status"),
    [
        ({}, "InvalidRequest", 400),
        ({"Expiration": {"Days": 0}}, "InvalidArgument", 400),
        ({"Expiration": {"Date": "2026-01-01T01:00:00Z"}}, "InvalidArgument", 400),
        ({"Status": "On", "Expiration": {"Days": 1}}, "MalformedXML", 400),
        ({"Expiration": {"Days": 1}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}, "NotImplemented", 501),
    ],
)
def test_rules_that_make_no_sense_change_nothing(
    s3: Any, bucket: str, rule: dict[str, Any], code: str, status: int
) -> None:
    with refused(code, status=status):
        set_rules(s3, bucket, rule)
    with refused("NoSuchLifecycleConfiguration", status=404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


def test_objects_go_when_their_days_are_over(dev_server: Server, dev_s3: Any, dev_bucket: str) -> None:
    for key, tags in [("logs/1", "keep=no"), ("logs/2", "keep=yes"), ("other", "keep=no")]:
        dev_s3.put_object(Bucket=dev_bucket, Key=key, Body=b"x", Tagging=tags)
    tag = {"Key": "keep", "Value": "no"}
    set_rules(
        dev_s3,
        dev_bucket,
        {"ID": "a b", "Filter": {"And": {"Prefix": "logs/", "Tags": [tag]}}, "Expiration": {"Days": 2}},
        {"Status": "Disabled", "Expiration": {"Days": 1}},
    )
    told = dev_s3.head_object(Bucket=dev_bucket, Key="logs/1")["Expiration"]
    assert told.startswith('expiry-date="') and told.endswith('00:00:00 GMT", rule-id="a%20b"')
    assert "Expiration" not in dev_s3.get_object(Bucket=dev_bucket, Key="logs/2")
    advance(dev_server, DAY)
    assert keys(dev_s3, dev_bucket) == {"logs/1", "logs/2", "other"}
    advance(dev_server, 2 * DAY)
    assert keys(dev_s3, dev_bucket) == {"logs/2", "other"}
    # The rule taken away, nothing goes any more.
    dev_s3.put_object(Bucket=dev_bucket, Key="logs/1", Body=b"x", Tagging="keep=no")
    dev_s3.delete_bucket_lifecycle(Bucket=dev_bucket)
    advance(dev_server, 4 * DAY)
    assert keys(dev_s3, dev_bucket) == {"logs/1", "logs/2", "other"}


def test_where_versions_are_kept_a_marker_comes_first(dev_server: Server, dev_s3: Any, dev_bucket: str) -> None:
    dev_s3.put_bucket_versioning(Bucket=dev_bucket, VersioningConfiguration={"Status": "Enabled"})
    version = dev_s3.put_object(Bucket=dev_bucket, Key="k", Body=b"x")["VersionId"]
    set_rules(
        dev_s3, dev_bucket, {"Expiration": {"Days": 1}, "NoncurrentVersionExpiration": {"NoncurrentDays": 3}}
    )
    advance(dev_server, 2 * DAY)
    found, markers = versions(dev_s3, dev_bucket)
    assert found == [version] and len(markers) == 1
    advance(dev_server, DAY)
    assert versions(dev_s3, dev_bucket) == ([version], markers)
    # The version goes three days after the marker came; then the marker has nothing behind it.
    advance(dev_server, 3 * DAY)
    assert versions(dev_s3, dev_bucket)[0] == []
    advance(dev_server, DAY)
    assert versions(dev_s3, dev_bucket) == ([], [])


def test_some_earlier_versions_may_stay(dev_server: Server, dev_s3: Any, dev_bucket: str) -> None:
    dev_s3.put_bucket_versioning(Bucket=dev_bucket, VersioningConfiguration={"Status": "Enabled"})
    ids = [dev_s3.put_object(Bucket=dev_bucket, Key="k", Body=b"x")["VersionId"] for _ in range(4)]
    rule = {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 1}}
    set_rules(dev_s3, dev_bucket, rule)
    advance(dev_server, 2 * DAY)
    assert versions(dev_s3, dev_bucket)[0] == [ids[3], ids[2]]


def test_uploads_that_nobody_completes_go(dev_server: Server, dev_s3: Any, dev_bucket: str) -> None:
    place = {"Bucket": dev_bucket, "Key": "k"}
    upload = dev_s3.create_multipart_upload(**place)["UploadId"]
    dev_s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"x")
    set_rules(dev_s3, dev_bucket, {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}})
    advance(dev_server, DAY)
    assert len(dev_s3.list_multipart_uploads(Bucket=dev_bucket)["Uploads"]) == 1
    advance(dev_server, 2 * DAY)
    assert "Uploads" not in dev_s3.list_multipart_uploads(Bucket=dev_bucket)
    with refused("NoSuchUpload", status=404):
        dev_s3.list_parts(**place, UploadId=upload)
