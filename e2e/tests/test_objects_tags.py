"""Tags of objects, and what policies ask about them.

Source: S3 User Guide, "Categorizing your objects using tags" and "Tagging and access control policies".
"""

from collections.abc import Callable
from typing import Any

import pytest

from harness.buckets import new_bucket
from harness.expect import refused

KEY = "k"


def tag_set(**tags: str) -> dict[str, Any]:
    return {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}


def tags_of(s3: Any, bucket: str, key: str = KEY, **named: str) -> dict[str, str]:
    found = s3.get_object_tagging(Bucket=bucket, Key=key, **named)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


@pytest.fixture
def tagged(s3: Any, bucket: str) -> str:
    """A bucket with an object of two tags."""
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"x", Tagging="team=blue&note=a%2Bb+c")
    return bucket


def arn_of(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}/*"


def test_tags_come_with_an_object_and_are_replaced_and_taken_away(s3: Any, tagged: str) -> None:
    place = {"Bucket": tagged, "Key": KEY}
    assert tags_of(s3, tagged) == {"team": "blue", "note": "a+b c"}
    before = s3.head_object(**place)
    assert before["ResponseMetadata"]["HTTPHeaders"]["x-amz-tagging-count"] == "2"
    s3.put_object_tagging(**place, Tagging=tag_set(team="red"))
    assert tags_of(s3, tagged) == {"team": "red"}
    assert s3.get_object(**place)["TagCount"] == 1
    s3.delete_object_tagging(**place)
    assert tags_of(s3, tagged) == {}
    after = s3.get_object(**place)
    assert "TagCount" not in after
    assert (after["ETag"], after["LastModified"]) == (before["ETag"], before["LastModified"])
    assert after["Body"].read() == b"x"


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({str(number): "" for number in range(11)}, "BadRequest"),
        ({"aws:x": "y"}, "InvalidTag"),
        ({"k" * 129: ""}, "InvalidTag"),
        ({"k": "v" * 257}, "InvalidTag"),
        ({"k": "?"}, "InvalidTag"),
    ],
)
def test_what_is_no_set_of_tags_changes_nothing(s3: Any, tagged: str, tags: dict[str, str], code: str) -> None:
    with refused(code):
        s3.put_object_tagging(Bucket=tagged, Key=KEY, Tagging=tag_set(**tags))
    assert len(tags_of(s3, tagged)) == 2


def test_tags_of_a_request_are_pairs_of_a_query(s3: Any, bucket: str) -> None:
    for bad in ["a=1&a=2", "a=%ff"]:
        with refused("InvalidArgument"):
            s3.put_object(Bucket=bucket, Key=KEY, Body=b"x", Tagging=bad)
    with refused("BadRequest"):
        s3.put_object(Bucket=bucket, Key=KEY, Body=b"x", Tagging="&".join(f"{n}=" for n in range(11)))
    with refused("404", status=404):
        s3.head_object(Bucket=bucket, Key=KEY)
    with refused("NoSuchKey", status=404):
        s3.get_object_tagging(Bucket=bucket, Key=KEY)


def test_a_copy_takes_the_tags_along_or_brings_others(s3: Any, tagged: str) -> None:
    copy = {"Bucket": tagged, "CopySource": f"{tagged}/{KEY}"}
    s3.copy_object(**copy, Key="same")
    assert tags_of(s3, tagged, "same") == tags_of(s3, tagged)
    s3.copy_object(**copy, Key="metadata", MetadataDirective="REPLACE", Metadata={"a": "b"})
    assert tags_of(s3, tagged, "metadata") == tags_of(s3, tagged)
    s3.copy_object(**copy, Key="other", TaggingDirective="REPLACE", Tagging="new=1")
    assert tags_of(s3, tagged, "other") == {"new": "1"}
    s3.copy_object(**copy, Key=KEY, TaggingDirective="REPLACE")
    assert tags_of(s3, tagged) == {}
    with refused("InvalidArgument"):
        s3.copy_object(**copy, Key="x", TaggingDirective="NONE")


def test_an_object_of_parts_has_the_tags_of_its_upload(s3: Any, bucket: str) -> None:
    place = {"Bucket": bucket, "Key": KEY}
    upload = s3.create_multipart_upload(**place, Tagging="a=1")["UploadId"]
    tag = s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    parts = [{"PartNumber": 1, "ETag": tag}]
    s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
    assert tags_of(s3, bucket) == {"a": "1"}


def test_each_version_has_tags_of_its_own(s3: Any) -> None:
    bucket = new_bucket(s3)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    place = {"Bucket": bucket, "Key": KEY}
    one = s3.put_object(**place, Body=b"1", Tagging="a=1")["VersionId"]
    two = s3.put_object(**place, Body=b"2")["VersionId"]
    assert tags_of(s3, bucket, VersionId=one) == {"a": "1"}
    assert tags_of(s3, bucket) == {}
    answer = s3.put_object_tagging(**place, VersionId=one, Tagging=tag_set(b="2"))
    assert answer["VersionId"] == one
    assert (tags_of(s3, bucket, VersionId=one), tags_of(s3, bucket, VersionId=two)) == ({"b": "2"}, {})
    assert s3.get_object(**place, VersionId=one)["Body"].read() == b"1"
    s3.delete_object(**place, VersionId=two)
    assert tags_of(s3, bucket) == {"b": "2"}
    marker = s3.delete_object(**place)["VersionId"]
    with refused("MethodNotAllowed", status=405):
        s3.get_object_tagging(**place, VersionId=marker)
    assert s3.delete_object_tagging(**place, VersionId=one)["VersionId"] == one


def test_policies_see_the_tags_that_an_object_has(
    s3: Any, tagged: str, s3_user: Callable[..., Any]
) -> None:
    place = {"Bucket": tagged, "Key": KEY}
    condition = {"StringEquals": {"s3:ExistingObjectTag/Team": "blue"}}
    actions = ["s3:GetObject", "s3:GetObjectTagging", "s3:PutObjectTagging"]
    reader = s3_user(actions, arn_of(tagged), condition)
    assert reader.get_object(**place)["Body"].read() == b"x"
    assert reader.head_object(**place)["ContentLength"] == 1
    assert tags_of(reader, tagged)["team"] == "blue"
    s3.put_object_tagging(**place, Tagging=tag_set(team="red"))
    for call in [reader.get_object, reader.get_object_tagging]:
        with refused("AccessDenied", status=403):
            call(**place)
    with refused("AccessDenied", status=403):
        reader.put_object_tagging(**place, Tagging=tag_set(team="blue"))
    s3.put_object(Bucket=tagged, Key="untagged", Body=b"x")
    with refused("AccessDenied", status=403):
        reader.get_object(Bucket=tagged, Key="untagged")


def test_policies_see_the_tags_that_a_request_brings(
    s3: Any, bucket: str, s3_user: Callable[..., Any]
) -> None:
    put = {"Bucket": bucket, "Key": KEY, "Body": b"x"}
    condition = {
        "StringEquals": {"s3:RequestObjectTag/team": ["blue", "red"]},
        "ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["team"]},
    }
    writer = s3_user(["s3:PutObject", "s3:PutObjectTagging"], arn_of(bucket), condition)
    writer.put_object(**put, Tagging="team=blue")
    writer.put_object_tagging(Bucket=bucket, Key=KEY, Tagging=tag_set(team="red"))
    for tagging in [{"Tagging": "team=green"}, {"Tagging": "team=blue&more=1"}, {}]:
        with refused("AccessDenied", status=403):
            writer.put_object(**put, **tagging)
    with refused("AccessDenied", status=403):
        writer.put_object_tagging(Bucket=bucket, Key=KEY, Tagging=tag_set(team="green"))


def test_tags_have_actions_of_their_own(s3: Any, tagged: str, s3_user: Callable[..., Any]) -> None:
    place = {"Bucket": tagged, "Key": KEY}
    writer = s3_user("s3:PutObject", arn_of(tagged))
    writer.put_object(**place, Body=b"x")
    with refused("AccessDenied", status=403):
        writer.put_object(**place, Body=b"x", Tagging="a=1")
    with refused("AccessDenied", status=403):
        writer.create_multipart_upload(**place, Tagging="a=1")
    s3.put_object(**place, Body=b"x", Tagging="a=1")
    reader = s3_user("s3:GetObject", arn_of(tagged))
    # Who may not read them is not told how many there are.
    assert "TagCount" not in reader.get_object(**place)
    copier = s3_user(["s3:GetObject", "s3:PutObject"], arn_of(tagged))
    with refused("AccessDenied", status=403):
        copier.copy_object(Bucket=tagged, Key="copy", CopySource=f"{tagged}/{KEY}")
    copier.copy_object(
        Bucket=tagged, Key="copy", CopySource=f"{tagged}/{KEY}", TaggingDirective="REPLACE"
    )
    version = {"VersionId": "null"}
    with refused("AccessDenied", status=403):
        s3_user("s3:GetObjectTagging", arn_of(tagged)).get_object_tagging(**place, **version)
    may = s3_user("s3:GetObjectVersionTagging", arn_of(tagged))
    assert tags_of(may, tagged, **version) == {"a": "1"}
