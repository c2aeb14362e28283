"""Tags through boto3.

Source: AWS KMS API Reference (TagResource, UntagResource, ListResourceTags); the texts are recorded answers.
"""

from typing import Any

import pytest

from harness.expect import CONSTRAINT, refused


def tag(key: str, value: str = "") -> dict[str, str]:
    return {"TagKey": key, "TagValue": value}


def tags_of(kms: Any, key: str) -> dict[str, str]:
    pages = kms.get_paginator("list_resource_tags").paginate(KeyId=key)
    entries = [entry for page in pages for entry in page["Tags"]]
    found = {entry["TagKey"]: entry["TagValue"] for entry in entries}
    assert len(found) == len(entries), "each tag key once"
    return found


def test_tags_are_added_overwritten_and_removed(kms: Any, key: str) -> None:
    assert tags_of(kms, key) == {}
    kms.tag_resource(KeyId=key, Tags=[tag("stage", "test"), tag("owner", "eve")])
    kms.tag_resource(KeyId=key, Tags=[tag("stage", "live"), tag("Stage", "other letter case, other tag")])
    assert tags_of(kms, key) == {"stage": "live", "owner": "eve", "Stage": "other letter case, other tag"}
    kms.untag_resource(KeyId=key, TagKeys=["owner", "never there"])
    assert tags_of(kms, key) == {"stage": "live", "Stage": "other letter case, other tag"}


def test_a_key_is_made_with_its_tags(kms: Any) -> None:
    key = kms.create_key(Tags=[tag("a", "1"), tag("empty", "")])["KeyMetadata"]["KeyId"]
    assert tags_of(kms, key) == {"a": "1", "empty": ""}


def test_lengths_at_their_limits(kms: Any, key: str) -> None:
    kms.tag_resource(KeyId=key, Tags=[tag("k" * 128, "v" * 256)])
    assert tags_of(kms, key) == {"k" * 128: "v" * 256}


@pytest.mark.parametrize(
    ("wrong", "member", "limit"),
    [(tag("k" * 129), "tagKey", 128), (tag("k", "v" * 257), "tagValue", 256)],
    ids=["key", "value"],
)
def test_lengths_above_their_limits(kms: Any, key: str, wrong: dict[str, str], member: str, limit: int) -> None:
    value = wrong[member[0].upper() + member[1:]]
    text = (
        f"{CONSTRAINT}Value '{value}' at 'tags.1.member.{member}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {limit}"
    )
    with refused("ValidationException", text):
        kms.tag_resource(KeyId=key, Tags=[wrong])
    with refused("ValidationException", text):
        kms.create_key(Tags=[wrong])
    assert tags_of(kms, key) == {}


def test_an_empty_key_is_too_short(unchecked: Any, key: str) -> None:
    with refused(
        "ValidationException",
        f"{CONSTRAINT}Value '' at 'tags.2.member.tagKey' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1",
    ):
        unchecked.tag_resource(KeyId=key, Tags=[tag("fine"), tag("")])


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ([tag("a", "1"), tag("a", "2")], "Duplicate tag keys"),
        ([tag(f"k{number}") for number in range(51)], "Too many tags"),
        ([tag("aws:mine")], "Tags beginning with aws: are reserved"),
        ([tag("AWS:mine")], "Tags beginning with aws: are reserved"),
        ([tag("fine"), tag("aWs:x")], "Tags beginning with aws: are reserved"),
    ],
    ids=["duplicate", "51", "aws:", "AWS:", "second aWs:"],
)
def test_tag_rules(kms: Any, key: str, tags: list[dict[str, str]], text: str) -> None:
    with refused("TagException", text):
        kms.tag_resource(KeyId=key, Tags=tags)
    with refused("TagException", text):
        kms.create_key(Tags=tags)
    assert tags_of(kms, key) == {}, "none of a refused request's tags"


def test_50_tags_are_the_limit_over_several_calls(kms: Any, key: str) -> None:
    kms.tag_resource(KeyId=key, Tags=[tag(f"k{number}") for number in range(50)])
    with refused("TagException", "Too many tags"):
        kms.tag_resource(KeyId=key, Tags=[tag("one more")])
    kms.tag_resource(KeyId=key, Tags=[tag("k0", "overwritten")])
    kms.untag_resource(KeyId=key, TagKeys=["k1"])
    kms.tag_resource(KeyId=key, Tags=[tag("one more")])
    found = tags_of(kms, key)
    assert len(found) == 50
    assert found["k0"] == "overwritten"
