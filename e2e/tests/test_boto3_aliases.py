"""Aliases through boto3.

Source: AWS KMS API Reference (CreateAlias, UpdateAlias, DeleteAlias, ListAliases) and the developer guide on aliases.
"""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from harness import clients
from harness.expect import CONSTRAINT, pending_deletion, refused
from harness.seed import AMERICA, ONE, SEEDED_ALIAS
from harness.server import Server

PREFIX_TEXT = (
    'Alias must start with the prefix "alias/". '
    "Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
)


@pytest.fixture
def alias() -> str:
    """An alias name that nobody else uses."""
    return f"alias/test/{uuid.uuid4()}"


def aliases_of(kms: Any, key: str) -> list[dict[str, Any]]:
    pages = kms.get_paginator("list_aliases").paginate(KeyId=key)
    return [entry for page in pages for entry in page["Aliases"]]


def test_an_alias_is_listed_with_its_target(kms: Any, key: str, alias: str) -> None:
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    (entry,) = aliases_of(kms, key)
    assert set(entry) == {"AliasName", "AliasArn", "TargetKeyId", "CreationDate", "LastUpdatedDate"}
    assert (entry["AliasName"], entry["AliasArn"]) == (alias, ONE.alias_arn(alias))
    assert entry["TargetKeyId"] == key.rpartition("/")[2], "the bare id, also when an ARN was given"
    assert entry["CreationDate"] == entry["LastUpdatedDate"]


def test_the_list_without_a_filter_has_the_aliases_of_all_keys(
    kms: Any, new_key: Callable[..., str], alias: str
) -> None:
    for number in range(2):
        kms.create_alias(AliasName=f"{alias}/{number}", TargetKeyId=new_key())
    pages = kms.get_paginator("list_aliases").paginate()
    names = {entry["AliasName"] for page in pages for entry in page["Aliases"]}
    assert {f"{alias}/0", f"{alias}/1", SEEDED_ALIAS} <= names


def test_an_alias_stands_for_its_key_and_follows_an_update(kms: Any, new_key: Callable[..., str], alias: str) -> None:
    first, second = new_key(), new_key()
    kms.create_alias(AliasName=alias, TargetKeyId=first)
    blob = kms.encrypt(KeyId=alias, Plaintext=b"x")
    assert blob["KeyId"] == first
    kms.update_alias(AliasName=alias, TargetKeyId=second)
    assert kms.encrypt(KeyId=ONE.alias_arn(alias), Plaintext=b"x")["KeyId"] == second
    assert kms.decrypt(CiphertextBlob=blob["CiphertextBlob"])["KeyId"] == first
    assert aliases_of(kms, first) == []
    (entry,) = aliases_of(kms, second)
    assert entry["LastUpdatedDate"] >= entry["CreationDate"]
    with refused("IncorrectKeyException"):  # resolved at the time of the call
        kms.decrypt(KeyId=alias, CiphertextBlob=blob["CiphertextBlob"])


def test_a_deleted_alias_is_gone_and_its_name_is_free(kms: Any, new_key: Callable[..., str], alias: str) -> None:
    kms.create_alias(AliasName=alias, TargetKeyId=new_key())
    kms.delete_alias(AliasName=alias)
    with refused("NotFoundException", f"Alias {ONE.alias_arn(alias)} is not found."):
        kms.describe_key(KeyId=alias)
    other = new_key()
    kms.create_alias(AliasName=alias, TargetKeyId=other)
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"] == other


def test_an_alias_of_a_disabled_key_can_be_made_and_deleted(kms: Any, key: str, alias: str) -> None:
    kms.disable_key(KeyId=key)
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    kms.delete_alias(AliasName=alias)


def test_an_alias_of_a_key_pending_deletion_can_be_deleted(kms: Any, key: str, alias: str) -> None:
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    kms.schedule_key_deletion(KeyId=key)
    kms.delete_alias(AliasName=alias)
    assert aliases_of(kms, key) == []


def test_an_alias_leaves_a_key_pending_deletion_but_cannot_go_to_one(
    kms: Any, new_key: Callable[..., str], alias: str
) -> None:
    # Key state table, note 10.
    old, new = new_key(), new_key()
    kms.create_alias(AliasName=alias, TargetKeyId=old)
    kms.schedule_key_deletion(KeyId=old)
    kms.update_alias(AliasName=alias, TargetKeyId=new)
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"] == new
    with refused("KMSInvalidStateException", pending_deletion(old)):
        kms.update_alias(AliasName=alias, TargetKeyId=old)


def test_a_name_is_taken_once_per_account_and_region(
    server: Server, kms: Any, new_key: Callable[..., str], alias: str
) -> None:
    first = new_key()
    kms.create_alias(AliasName=alias, TargetKeyId=first)
    text = f"An alias with the name {ONE.alias_arn(alias)} already exists"
    for key in (first, new_key()):
        with refused("AlreadyExistsException", text):
            kms.create_alias(AliasName=alias, TargetKeyId=key)
    elsewhere = clients.kms(server, region=AMERICA)
    elsewhere.create_alias(AliasName=alias, TargetKeyId=elsewhere.create_key()["KeyMetadata"]["KeyId"])


def test_names_are_case_sensitive(kms: Any, new_key: Callable[..., str], alias: str) -> None:
    lower, upper = new_key(), new_key()
    kms.create_alias(AliasName=f"{alias}/case", TargetKeyId=lower)
    kms.create_alias(AliasName=f"{alias}/CASE", TargetKeyId=upper)
    assert kms.describe_key(KeyId=f"{alias}/case")["KeyMetadata"]["Arn"] == lower
    assert kms.describe_key(KeyId=f"{alias}/CASE")["KeyMetadata"]["Arn"] == upper


def test_the_longest_name_is_256_characters(kms: Any, key: str, alias: str) -> None:
    longest = alias + "x" * (256 - len(alias))
    kms.create_alias(AliasName=longest, TargetKeyId=key)
    assert kms.describe_key(KeyId=longest)["KeyMetadata"]["Arn"] == key
    too_long = longest + "x"
    with refused(
        "ValidationException",
        f"{CONSTRAINT}Value '{too_long}' at 'aliasName' failed to satisfy constraint: "
        "Member must have length less than or equal to 256",
    ):
        kms.create_alias(AliasName=too_long, TargetKeyId=key)


@pytest.mark.parametrize("name", ["app", "Alias/app", "aliases/app", "key/app"])
def test_a_name_without_the_prefix(kms: Any, key: str, name: str) -> None:
    with refused("ValidationException", PREFIX_TEXT):  # recorded
        kms.create_alias(AliasName=name, TargetKeyId=key)


@pytest.mark.parametrize("name", ["alias/with space", "alias/ä", "alias/a.b", "alias/a*"])
def test_a_name_with_other_characters(kms: Any, key: str, name: str) -> None:
    # The model's pattern and the constraint checker's text.
    with refused(
        "ValidationException",
        f"{CONSTRAINT}Value '{name}' at 'aliasName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
    ):
        kms.create_alias(AliasName=name, TargetKeyId=key)


@pytest.mark.parametrize("name", ["alias/aws/mine", "alias/aws/s3"])
def test_the_reserved_prefix(kms: Any, key: str, name: str) -> None:
    # "alias/aws/ is reserved"; neither code nor text are recorded, only that nothing comes into being.
    for change in (
        lambda: kms.create_alias(AliasName=name, TargetKeyId=key),
        lambda: kms.update_alias(AliasName=name, TargetKeyId=key),
        lambda: kms.delete_alias(AliasName=name),
    ):
        with pytest.raises(kms.exceptions.ClientError) as caught:
            change()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert aliases_of(kms, key) == []


def test_an_alias_cannot_point_to_an_alias(kms: Any, key: str, alias: str) -> None:
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    for target in (alias, ONE.alias_arn(alias)):
        with refused("ValidationException", "Aliases must refer to keys. Not aliases"):
            kms.create_alias(AliasName=f"{alias}/second", TargetKeyId=target)


def test_a_key_has_at_most_50_aliases(kms: Any, new_key: Callable[..., str], alias: str) -> None:
    # Quota "aliases per KMS key".
    key, other = new_key(), new_key()
    for number in range(50):
        kms.create_alias(AliasName=f"{alias}/{number}", TargetKeyId=key)
    with refused("LimitExceededException"):
        kms.create_alias(AliasName=f"{alias}/50", TargetKeyId=key)
    kms.create_alias(AliasName=f"{alias}/50", TargetKeyId=other)
    with refused("LimitExceededException"):
        kms.update_alias(AliasName=f"{alias}/50", TargetKeyId=key)
    kms.delete_alias(AliasName=f"{alias}/0")
    kms.update_alias(AliasName=f"{alias}/50", TargetKeyId=key)


def test_an_unknown_alias_cannot_be_changed(kms: Any, key: str, alias: str) -> None:
    text = f"Alias {ONE.alias_arn(alias)} is not found."
    with refused("NotFoundException", text):
        kms.delete_alias(AliasName=alias)
    with refused("NotFoundException", text):
        kms.update_alias(AliasName=alias, TargetKeyId=key)


def test_an_unknown_target(kms: Any, alias: str) -> None:
    unknown = str(uuid.uuid4())
    with refused("NotFoundException", f"Key '{ONE.key_arn(unknown)}' does not exist"):
        kms.create_alias(AliasName=alias, TargetKeyId=unknown)
    with refused("NotFoundException", f"Key '{ONE.key_arn(unknown)}' does not exist"):
        kms.list_aliases(KeyId=unknown)
