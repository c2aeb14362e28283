"""What is said of a bucket: its tags.

Source: Amazon S3 API Reference and User Guide; texts of refusals as recorded by LocalStack's validated tests.
"""

import uuid
from typing import Any

import pytest

from harness import clients
from harness.buckets import new_bucket
from harness.expect import refused
from harness.s3_by_hand import raw
from harness.seed import TWO
from harness.server import Server
from harness.trail import event_of


def tags(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"TagSet": [{"Key": key, "Value": value} for key, value in pairs]}


def test_a_bucket_has_the_tags_that_were_put_last(s3: Any, bucket: str) -> None:
    with refused("NoSuchTagSet", "The TagSet does not exist", status=404):
        s3.get_bucket_tagging(Bucket=bucket)
    for pairs in ((("a", "1"), ("b", "")), (("ä +-=._:/@", "ö"),)):
        answer = s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(*pairs))
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags(*pairs)["TagSet"]
    for _ in range(2):
        assert s3.delete_bucket_tagging(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
        with refused("NoSuchTagSet", status=404):
            s3.get_bucket_tagging(Bucket=bucket)


@pytest.mark.parametrize(
    ("pairs", "code", "text"),
    [
        ([("a", "1"), ("a", "2")], "InvalidTag", "Cannot provide multiple Tags with the same key"),
        ([("aws:a", "1")], "InvalidTag", "System tags cannot be added/updated by requester"),
        ([("a?", "1")], "InvalidTag", "The TagKey you have provided is invalid"),
        ([("k" * 129, "1")], "InvalidTag", "The TagKey you have provided is invalid"),
        ([("a", "1,2")], "InvalidTag", "The TagValue you have provided is invalid"),
        ([("a", "v" * 257)], "InvalidTag", "The TagValue you have provided is invalid"),
        ([(str(number), "") for number in range(51)], "BadRequest", "Bucket tag count cannot be greater than 50"),
    ],
)
def test_what_is_no_set_of_tags_is_refused(
    s3: Any, bucket: str, pairs: list[tuple[str, str]], code: str, text: str
) -> None:
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(("old", "1")))
    with refused(code, text):
        s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(*pairs))
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags(("old", "1"))["TagSet"]


def test_as_many_and_as_long_tags_as_there_may_be(s3: Any, bucket: str) -> None:
    pairs = sorted((f"{number:03}".rjust(128, "k"), "v" * 256) for number in range(50))
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(*pairs))
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags(*pairs)["TagSet"]


def test_tags_in_other_xml_are_refused(server: Server, bucket: str) -> None:
    for body in (b"", b"<Tagging/>", b"<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>"):
        with refused("MalformedXML"):
            raw(server, "PUT", f"/{bucket}?tagging", data=body)
    with refused("MethodNotAllowed", status=405):
        raw(server, "POST", f"/{bucket}?tagging")


def test_tags_need_a_bucket_of_the_account(server: Server, s3: Any, bucket: str) -> None:
    absent, stranger = f"bucket-{uuid.uuid4()}", clients.s3(server, TWO)
    for client, name, code in ((s3, absent, "NoSuchBucket"), (stranger, bucket, "AccessDenied")):
        for call in (
            lambda: client.get_bucket_tagging(Bucket=name),
            lambda: client.put_bucket_tagging(Bucket=name, Tagging=tags(("a", "1"))),
            lambda: client.delete_bucket_tagging(Bucket=name),
        ):
            with refused(code, status=404 if code == "NoSuchBucket" else 403):
                call()


def test_calls_on_tags_leave_their_events(server: Server, s3: Any, bucket: str) -> None:
    put = s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(("a", "1")))
    answers = [put, s3.get_bucket_tagging(Bucket=bucket), s3.delete_bucket_tagging(Bucket=bucket)]
    told = [event_of(server, answer) for answer in answers]
    assert [event["eventName"] for event in told] == ["PutBucketTagging", "GetBucketTagging", "DeleteBucketTagging"]
    assert [event["readOnly"] for event in told] == [False, True, False]
    assert all(event["managementEvent"] and event["requestParameters"]["tagging"] == "" for event in told)
    assert told[0]["requestParameters"]["Tagging"] == {
        "xmlns": "http://s3.amazonaws.com/doc/2006-03-01/",
        "TagSet": {"Tag": {"Key": "a", "Value": "1"}},
    }


def test_tags_are_there_after_a_restart(fresh_server: Server) -> None:
    bucket = new_bucket(clients.s3(fresh_server))
    clients.s3(fresh_server).put_bucket_tagging(Bucket=bucket, Tagging=tags(("a", "1")))
    fresh_server.restart()
    assert clients.s3(fresh_server).get_bucket_tagging(Bucket=bucket)["TagSet"] == tags(("a", "1"))["TagSet"]
