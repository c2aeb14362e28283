"""Versions of objects and delete markers.

Source: S3 User Guide, "How S3 Versioning works" and "Working with delete markers"; API_ListObjectVersions.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import clients
from harness.buckets import new_bucket
from harness.expect import refused
from harness.s3_by_hand import raw
from harness.server import Server
from harness.trail import events


@pytest.fixture
def versioned(s3: Any) -> str:
    name = new_bucket(s3)
    set_versioning(s3, name, "Enabled")
    return name


def set_versioning(s3: Any, bucket: str, status: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def put(s3: Any, bucket: str, body: bytes, key: str = "k") -> str:
    return s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]


def read(s3: Any, bucket: str, version: str | None = None, key: str = "k") -> bytes:
    named = {"VersionId": version} if version else {}
    return s3.get_object(Bucket=bucket, Key=key, **named)["Body"].read()


def delete(s3: Any, bucket: str, version: str | None = None, key: str = "k") -> dict[str, Any]:
    named = {"VersionId": version} if version else {}
    return s3.delete_object(Bucket=bucket, Key=key, **named)


def listed(s3: Any, bucket: str, **asked: Any) -> list[tuple[str, str, bool, str]]:
    """Key, id, whether it is the latest, and what it is; in the order of the keys, the latest first."""
    page = s3.list_object_versions(Bucket=bucket, **asked)
    versions = [(*told(one), "object") for one in page.get("Versions", [])]
    markers = [(*told(one), "marker") for one in page.get("DeleteMarkers", [])]
    return sorted(versions + markers, key=lambda one: (one[0], not one[2]))


def all_of(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [*page.get("Versions", []), *page.get("DeleteMarkers", [])]


def told(one: dict[str, Any]) -> tuple[str, str, bool]:
    return one["Key"], one["VersionId"], one["IsLatest"]


def test_a_bucket_keeps_no_versions_until_it_is_told_to(s3: Any, bucket: str) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="k", Body=b"one")
    s3.put_object(Bucket=bucket, Key="k", Body=b"two")
    assert listed(s3, bucket) == [("k", "null", True, "object")]
    assert "VersionId" not in s3.get_object(Bucket=bucket, Key="k")
    assert read(s3, bucket, "null") == b"two"
    assert "DeleteMarker" not in delete(s3, bucket)
    assert listed(s3, bucket) == []
    for status in ["Enabled", "Suspended"]:
        set_versioning(s3, bucket, status)
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status


def test_what_is_replaced_stays_and_is_read_by_its_id(s3: Any, versioned: str) -> None:
    ids = [put(s3, versioned, body) for body in [b"one", b"two", b"three"]]
    assert len(set(ids)) == 3
    assert [read(s3, versioned, version) for version in ids] == [b"one", b"two", b"three"]
    assert read(s3, versioned) == b"three"
    head = s3.head_object(Bucket=versioned, Key="k", VersionId=ids[0])
    assert (head["VersionId"], head["ContentLength"]) == (ids[0], 3)
    assert s3.get_object(Bucket=versioned, Key="k")["VersionId"] == ids[2]
    assert [one[1] for one in listed(s3, versioned)][0] == ids[2]
    assert s3.list_objects_v2(Bucket=versioned)["KeyCount"] == 1


def test_versions_that_are_not_there_are_told_from_ids_that_are_none(s3: Any, versioned: str) -> None:
    version = put(s3, versioned, b"x")
    other = version[:-1] + ("0" if version[-1] != "0" else "1")
    for missing in [other, "null"]:
        with refused("NoSuchVersion", status=404):
            read(s3, versioned, missing)
    with refused("NoSuchVersion", status=404):
        read(s3, versioned, version, key="other")
    with refused("InvalidArgument"):
        read(s3, versioned, "3")
    # To delete what is not there is no failure.
    assert delete(s3, versioned, other)["VersionId"] == other
    with refused("InvalidArgument"):
        delete(s3, versioned, "3")
    assert read(s3, versioned) == b"x"


def test_a_write_names_no_version(server: Server, s3: Any, versioned: str) -> None:
    version = put(s3, versioned, b"x")
    with refused("InvalidArgument"):
        raw(server, "PUT", f"/{versioned}/k?versionId={version}", data=b"y")
    assert read(s3, versioned) == b"x"
    assert len(listed(s3, versioned)) == 1


def test_a_deletion_leaves_a_marker_and_takes_nothing_away(s3: Any, versioned: str) -> None:
    version = put(s3, versioned, b"x")
    marker = delete(s3, versioned)
    assert marker["DeleteMarker"]
    with pytest.raises(ClientError, match="NoSuchKey") as caught:
        read(s3, versioned)
    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-delete-marker"] == "true"
    assert headers["x-amz-version-id"] == marker["VersionId"]
    assert s3.list_objects_v2(Bucket=versioned)["KeyCount"] == 0
    assert read(s3, versioned, version) == b"x"
    assert listed(s3, versioned) == [
        ("k", marker["VersionId"], True, "marker"),
        ("k", version, False, "object"),
    ]
    with pytest.raises(ClientError, match="MethodNotAllowed") as caught:
        read(s3, versioned, marker["VersionId"])
    answer = caught.value.response["ResponseMetadata"]
    assert (answer["HTTPStatusCode"], answer["HTTPHeaders"]["x-amz-delete-marker"]) == (405, "true")
    # The marker taken away, the object is there again.
    gone = delete(s3, versioned, marker["VersionId"])
    assert gone["DeleteMarker"] and gone["VersionId"] == marker["VersionId"]
    assert read(s3, versioned) == b"x"


def test_the_version_before_is_there_when_the_latest_is_deleted(s3: Any, versioned: str) -> None:
    one, two = put(s3, versioned, b"one"), put(s3, versioned, b"two")
    marker, second = delete(s3, versioned)["VersionId"], delete(s3, versioned)["VersionId"]
    delete(s3, versioned, second)
    with refused("NoSuchKey", status=404):
        read(s3, versioned)
    delete(s3, versioned, marker)
    assert read(s3, versioned) == b"two"
    assert "DeleteMarker" not in delete(s3, versioned, two)
    assert read(s3, versioned) == b"one"
    with refused("NoSuchVersion", status=404):
        read(s3, versioned, two)
    delete(s3, versioned, one)
    assert listed(s3, versioned) == []
    # A key without a past begins anew.
    assert read(s3, versioned, put(s3, versioned, b"again")) == b"again"


def test_an_earlier_version_is_deleted_alone(s3: Any, versioned: str) -> None:
    one, two, three = (put(s3, versioned, body) for body in [b"1", b"2", b"3"])
    delete(s3, versioned, two)
    assert [one[1] for one in listed(s3, versioned)] == [three, one]
    assert read(s3, versioned) == b"3"


def test_what_was_there_before_is_the_version_without_an_id(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    set_versioning(s3, bucket, "Enabled")
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    version = put(s3, bucket, b"after")
    assert read(s3, bucket, "null") == b"before"
    delete(s3, bucket, version)
    assert read(s3, bucket) == b"before"
    delete(s3, bucket)
    assert delete(s3, bucket, "null")["VersionId"] == "null"
    with refused("NoSuchVersion", status=404):
        read(s3, bucket, "null")


def test_suspended_a_bucket_keeps_what_has_an_id_and_replaces_what_has_none(s3: Any, versioned: str) -> None:
    version = put(s3, versioned, b"kept")
    set_versioning(s3, versioned, "Suspended")
    assert [put(s3, versioned, body) for body in [b"one", b"two"]] == ["null", "null"]
    assert listed(s3, versioned) == [("k", "null", True, "object"), ("k", version, False, "object")]
    marker = delete(s3, versioned)
    assert (marker["VersionId"], marker["DeleteMarker"]) == ("null", True)
    assert listed(s3, versioned) == [("k", "null", True, "marker"), ("k", version, False, "object")]
    assert put(s3, versioned, b"three") == "null"
    assert listed(s3, versioned) == [("k", "null", True, "object"), ("k", version, False, "object")]
    # Kept again, the one without an id stays, and a later suspended write replaces it where it lies.
    set_versioning(s3, versioned, "Enabled")
    later = put(s3, versioned, b"four")
    set_versioning(s3, versioned, "Suspended")
    assert read(s3, versioned, "null") == b"three"
    put(s3, versioned, b"five")
    assert read(s3, versioned, "null") == b"five"
    assert {one[1] for one in listed(s3, versioned)} == {"null", later, version}


def test_a_version_is_copied_and_brings_an_object_back(s3: Any, versioned: str) -> None:
    one, two = put(s3, versioned, b"one"), put(s3, versioned, b"two")
    source = {"Bucket": versioned, "Key": "k", "VersionId": one}
    copied = s3.copy_object(Bucket=versioned, Key="k", CopySource=source)
    assert copied["CopySourceVersionId"] == one
    assert copied["VersionId"] not in {one, two}
    assert read(s3, versioned) == b"one"
    upload = s3.create_multipart_upload(Bucket=versioned, Key="k")["UploadId"]
    place = {"Bucket": versioned, "Key": "k", "UploadId": upload}
    part = s3.upload_part_copy(**place, PartNumber=1, CopySource=source | {"VersionId": two})
    assert part["CopySourceVersionId"] == two
    parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
    whole = s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    assert read(s3, versioned, whole["VersionId"]) == b"two"
    with refused("NoSuchVersion", status=404):
        s3.copy_object(**place_of(versioned), CopySource=source | {"VersionId": "null"})


def place_of(bucket: str) -> dict[str, str]:
    return {"Bucket": bucket, "Key": "other"}


def test_attributes_and_parts_are_told_of_a_version(s3: Any, versioned: str) -> None:
    one, _ = put(s3, versioned, b"one"), put(s3, versioned, b"later")
    place = {"Bucket": versioned, "Key": "k", "VersionId": one}
    attributes = s3.get_object_attributes(**place, ObjectAttributes=["ObjectSize"])
    assert (attributes["ObjectSize"], attributes["VersionId"]) == (3, one)
    assert s3.get_object(**place, PartNumber=1)["Body"].read() == b"one"


def test_many_are_deleted_by_key_and_by_version(s3: Any, versioned: str) -> None:
    one, two = put(s3, versioned, b"1"), put(s3, versioned, b"2")
    put(s3, versioned, b"3", key="other")
    asked = [{"Key": "k", "VersionId": one}, {"Key": "other"}]
    answer = s3.delete_objects(Bucket=versioned, Delete={"Objects": asked})
    by_version, by_key = answer["Deleted"]
    assert by_version == {"Key": "k", "VersionId": one}
    assert by_key["DeleteMarker"] and by_key["Key"] == "other"
    asked = [{"Key": "other", "VersionId": by_key["DeleteMarkerVersionId"]}]
    answer = s3.delete_objects(Bucket=versioned, Delete={"Objects": asked})
    assert answer["Deleted"][0]["DeleteMarkerVersionId"] == by_key["DeleteMarkerVersionId"]
    assert read(s3, versioned, key="other") == b"3"
    assert read(s3, versioned) == read(s3, versioned, two) == b"2"


def test_a_deletion_may_ask_for_an_entity_tag(s3: Any, versioned: str) -> None:
    tag = s3.put_object(Bucket=versioned, Key="k", Body=b"x")["ETag"]
    with refused("PreconditionFailed", status=412):
        s3.delete_object(Bucket=versioned, Key="k", IfMatch='"0"')
    asked = [{"Key": "k", "ETag": '"0"'}]
    answer = s3.delete_objects(Bucket=versioned, Delete={"Objects": asked})
    assert answer["Errors"][0]["Code"] == "PreconditionFailed"
    assert read(s3, versioned) == b"x"
    assert s3.delete_object(Bucket=versioned, Key="k", IfMatch=tag)["DeleteMarker"]
    # What a version is asked for is its own tag, whichever is there now.
    first = put(s3, versioned, b"one", key="other")
    later = s3.put_object(Bucket=versioned, Key="other", Body=b"two")
    place = {"Bucket": versioned, "Key": "other", "VersionId": first}
    with refused("PreconditionFailed", status=412):
        s3.delete_object(**place, IfMatch=later["ETag"])
    own = s3.head_object(**place)["ETag"]
    assert s3.delete_object(**place, IfMatch=own)["VersionId"] == first
    assert [one[1] for one in listed(s3, versioned, Prefix="other")] == [later["VersionId"]]


def test_pages_of_versions_go_on_where_the_last_one_ended(s3: Any, versioned: str) -> None:
    keys = ["a", "a b", "a/1", "a/2", "b", "c/1"]
    for _ in range(3):
        for key in keys:
            put(s3, versioned, b"x", key=key)
    delete(s3, versioned, key="b")
    whole = listed(s3, versioned)
    assert len(whole) == 19
    for size in [1, 2, 5]:
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=versioned, PaginationConfig={"PageSize": size}
        )
        found = [told(one) for page in pages for one in all_of(page)]
        assert len(found) == len(set(found))
        assert sorted(found) == sorted(one[:3] for one in whole)
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=versioned, Delimiter="/", PaginationConfig={"PageSize": 1}
    )
    prefixes, others = [], []
    for page in pages:
        prefixes += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
        others += [told(one) for one in all_of(page)]
    assert prefixes == ["a/", "c/"]
    assert sorted(others) == sorted(one[:3] for one in whole if "/" not in one[0])
    assert {one[0] for one in listed(s3, versioned, Prefix="a/")} == {"a/1", "a/2"}
    with refused("InvalidArgument"):
        s3.list_object_versions(Bucket=versioned, VersionIdMarker="null")


def test_a_bucket_with_versions_is_not_empty(s3: Any, versioned: str) -> None:
    version = put(s3, versioned, b"x")
    marker = delete(s3, versioned)["VersionId"]
    with refused("BucketNotEmpty", status=409):
        s3.delete_bucket(Bucket=versioned)
    delete(s3, versioned, version)
    with refused("BucketNotEmpty", status=409):
        s3.delete_bucket(Bucket=versioned)
    delete(s3, versioned, marker)
    s3.delete_bucket(Bucket=versioned)


def test_versions_have_actions_of_their_own(s3: Any, versioned: str, s3_user: Callable[..., Any]) -> None:
    version = put(s3, versioned, b"x")

    def may(action: str) -> Any:
        return s3_user(action, f"arn:aws:s3:::{versioned}/*")

    assert read(may("s3:GetObject"), versioned) == b"x"
    assert read(may("s3:GetObjectVersion"), versioned, version) == b"x"
    for action, named in [("s3:GetObject", version), ("s3:GetObjectVersion", None)]:
        with refused("AccessDenied", status=403):
            read(may(action), versioned, named)
    for action, named in [("s3:DeleteObject", version), ("s3:DeleteObjectVersion", None)]:
        with refused("AccessDenied", status=403):
            delete(may(action), versioned, named)
    assert delete(may("s3:DeleteObject"), versioned)["DeleteMarker"]
    assert delete(may("s3:DeleteObjectVersion"), versioned, version)["VersionId"] == version
    with refused("AccessDenied", status=403):
        may("s3:ListBucket").list_object_versions(Bucket=versioned)


def test_policies_may_ask_for_a_version(s3: Any, versioned: str, s3_user: Callable[..., Any]) -> None:
    one, two = put(s3, versioned, b"one"), put(s3, versioned, b"two")
    condition = {"StringEquals": {"s3:VersionId": one}}
    reader = s3_user("s3:GetObjectVersion", f"arn:aws:s3:::{versioned}/*", condition)
    assert read(reader, versioned, one) == b"one"
    with refused("AccessDenied", status=403):
        read(reader, versioned, two)


@pytest.mark.parametrize(
    ("configuration", "code"),
    [({"Status": "enabled"}, "MalformedXML"), ({}, "IllegalVersioningConfigurationException")],
)
def test_versioning_is_enabled_or_suspended(s3: Any, bucket: str, configuration: dict[str, str], code: str) -> None:
    with refused(code):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=configuration)
    with refused("NotImplemented", status=501):
        configuration = {"Status": "Enabled", "MFADelete": "Enabled"}
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=configuration)


def test_versions_keep_their_own_encryption_and_are_read_after_a_restart(tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    s3 = clients.s3(server)
    bucket = new_bucket(s3)
    set_versioning(s3, bucket, "Enabled")
    key = clients.kms(server).create_key()["KeyMetadata"]["KeyId"]
    plain = put(s3, bucket, b"plain")
    sealed = s3.put_object(
        Bucket=bucket, Key="k", Body=b"sealed", ServerSideEncryption="aws:kms", SSEKMSKeyId=key
    )["VersionId"]
    marker = delete(s3, bucket)["VersionId"]
    server.kill()
    server.start()
    s3 = clients.s3(server)
    assert [read(s3, bucket, one) for one in [plain, sealed]] == [b"plain", b"sealed"]
    clients.kms(server).disable_key(KeyId=key)
    with refused("KMS.DisabledException"):
        read(s3, bucket, sealed)
    assert read(s3, bucket, plain) == b"plain"
    delete(s3, bucket, marker)
    with refused("KMS.DisabledException"):
        read(s3, bucket)
    server.close()


def test_concurrent_writers_of_one_key_lose_nothing(s3: Any, versioned: str) -> None:
    def work(number: int) -> str:
        if number % 4 == 3:
            return delete(s3, versioned)["VersionId"]
        return put(s3, versioned, str(number).encode())

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(work, range(40)))
    found = listed(s3, versioned)
    assert sorted(one[1] for one in found) == sorted(ids)
    assert sum(one[2] for one in found) == 1
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda version: delete(s3, versioned, version), ids[1:]))
    assert [one[1] for one in listed(s3, versioned)] == [ids[0]]
    assert read(s3, versioned) == b"0"


def test_the_trail_tells_what_was_said_of_versions(s3: Any, versioned: str, server: Server) -> None:
    wanted = events(server, eventName="PutBucketVersioning")
    told = [one["requestParameters"] for one in wanted if one["requestParameters"]["bucketName"] == versioned]
    assert told[0]["VersioningConfiguration"] == {"Status": "Enabled"}
