"""AWS managed keys through boto3: they can be looked at, and neither used directly nor changed.

Source: developer guide "AWS KMS keys", table of key types; AWS KMS API Reference, DescribeKey ("If you specify a predefined
AWS alias …") and ListAliases. Policies: keys of a live account, https://github.com/FogSecurity/aws-managed-kms-keys
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from harness import clients
from harness.dev_clock import advance
from harness.expect import refused
from harness.polling import eventually
from harness.seed import EUROPE, ONE, TWO
from harness.server import Server

ALIAS = "alias/aws/s3"
SERVICES = {"dynamodb", "ebs", "kinesis", "lambda", "rds", "redshift", "s3", "secretsmanager", "sns", "sqs", "ssm"}


@pytest.fixture
def managed(kms: Any) -> str:
    """The ARN of the AWS managed key of S3."""
    return kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["Arn"]


def aliases(kms: Any, **parameters: Any) -> dict[str, dict[str, Any]]:
    pages = kms.get_paginator("list_aliases").paginate(**parameters)
    return {alias["AliasName"]: alias for page in pages for alias in page["Aliases"]}


def test_predefined_aliases_are_listed_before_their_keys_exist(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server, ONE, "eu-north-1")
    found = aliases(kms)
    assert set(found) == {f"alias/aws/{service}" for service in SERVICES}
    assert all(set(alias) == {"AliasName", "AliasArn"} for alias in found.values())
    assert found[ALIAS]["AliasArn"] == ONE.alias_arn(ALIAS, "eu-north-1")
    with refused("NotFoundException"):
        kms.encrypt(KeyId=ALIAS, Plaintext=b"x")
    assert kms.list_keys()["Keys"] == []


def test_describe_key_brings_a_managed_key_into_being_once(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server, ONE, EUROPE)
    first = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]
    assert kms.describe_key(KeyId=ALIAS)["KeyMetadata"] == first
    assert (first["KeyManager"], first["KeyState"], first["KeySpec"]) == ("AWS", "Enabled", "SYMMETRIC_DEFAULT")
    assert first["Description"] == "Default key that protects my S3 objects when no other key is defined"
    assert aliases(kms)[ALIAS]["TargetKeyId"] == first["KeyId"]
    assert set(aliases(kms, KeyId=first["KeyId"])) == {ALIAS}
    assert first["KeyId"] in {key["KeyId"] for key in kms.list_keys(Limit=1000)["Keys"]}
    other = clients.kms(fresh_server, ONE, "us-east-1").describe_key(KeyId=ALIAS)["KeyMetadata"]
    assert other["KeyId"] != first["KeyId"]


def test_everybody_in_the_account_can_look_at_it(kms: Any, managed: str) -> None:
    assert kms.list_resource_tags(KeyId=managed)["Tags"] == []
    assert kms.list_key_policies(KeyId=managed)["PolicyNames"] == ["default"]
    status = kms.get_key_rotation_status(KeyId=managed)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 365)
    policy = json.loads(kms.get_key_policy(KeyId=managed)["Policy"])
    assert policy["Id"] == "auto-s3-2"
    condition = policy["Statement"][0]["Condition"]["StringEquals"]
    assert condition == {"kms:CallerAccount": ONE.id, "kms:ViaService": f"s3.{EUROPE}.amazonaws.com"}


REFUSED: dict[str, Callable[[Any, str], Any]] = {
    "Encrypt": lambda kms, key: kms.encrypt(KeyId=key, Plaintext=b"x"),
    "GenerateDataKey": lambda kms, key: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
    "ReEncryptTo": lambda kms, key: kms.re_encrypt(
        CiphertextBlob=kms.encrypt(KeyId=kms.create_key()["KeyMetadata"]["KeyId"], Plaintext=b"x")["CiphertextBlob"],
        DestinationKeyId=key,
    ),
    "CreateAlias": lambda kms, key: kms.create_alias(AliasName="alias/mine", TargetKeyId=key),
    "DisableKey": lambda kms, key: kms.disable_key(KeyId=key),
    "EnableKey": lambda kms, key: kms.enable_key(KeyId=key),
    "EnableKeyRotation": lambda kms, key: kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90),
    "DisableKeyRotation": lambda kms, key: kms.disable_key_rotation(KeyId=key),
    "RotateKeyOnDemand": lambda kms, key: kms.rotate_key_on_demand(KeyId=key),
    "PutKeyPolicy": lambda kms, key: kms.put_key_policy(KeyId=key, Policy=kms.get_key_policy(KeyId=key)["Policy"]),
    "ScheduleKeyDeletion": lambda kms, key: kms.schedule_key_deletion(KeyId=key),
    "TagResource": lambda kms, key: kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]),
    "UntagResource": lambda kms, key: kms.untag_resource(KeyId=key, TagKeys=["a"]),
    "UpdateKeyDescription": lambda kms, key: kms.update_key_description(KeyId=key, Description="mine"),
    "ReplicateKey": lambda kms, key: kms.replicate_key(KeyId=key, ReplicaRegion="us-east-1"),
}


@pytest.mark.parametrize("action", REFUSED)
def test_a_managed_key_is_used_and_changed_by_nobody_directly(kms: Any, managed: str, action: str) -> None:
    before = kms.describe_key(KeyId=managed)["KeyMetadata"]
    text = (
        f"User: {ONE.user_arn} is not authorized to perform: kms:{action} on resource: {managed} because no "
        f"resource-based policy allows the kms:{action} action"
    )
    with refused("AccessDeniedException", text):
        REFUSED[action](kms, managed)
    assert kms.describe_key(KeyId=managed)["KeyMetadata"] == before


def test_a_managed_alias_is_neither_taken_nor_moved(kms: Any, key: str, managed: str) -> None:
    for name in (ALIAS, "alias/aws/none"):
        with refused("InvalidAliasNameException"):
            kms.create_alias(AliasName=name, TargetKeyId=key)
    with refused("NotFoundException"):
        kms.update_alias(AliasName=ALIAS, TargetKeyId=key)
    with refused("NotFoundException"):
        kms.delete_alias(AliasName=ALIAS)
    assert kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["Arn"] == managed


def test_nobody_makes_managed_keys_for_another_account(server: Server, managed: str) -> None:
    stranger = clients.kms(server, TWO)
    with refused("AccessDeniedException"):
        stranger.describe_key(KeyId=ONE.alias_arn("alias/aws/sqs"))
    with refused("AccessDeniedException"):
        stranger.describe_key(KeyId=managed)
    with refused("NotFoundException"):
        stranger.describe_key(KeyId="alias/aws/none")


def test_a_managed_key_rotates_every_year(dev_server: Server, dev_kms: Any) -> None:
    key = dev_kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["KeyId"]
    advance(dev_server, timedelta(days=366))

    def rotations() -> list[Any]:
        return dev_kms.list_key_rotations(KeyId=key)["Rotations"]

    [rotation] = eventually(rotations, "the first rotation")
    assert rotation["RotationType"] == "AUTOMATIC"


def test_pages_of_aliases_hold_predefined_and_own_ones_in_order(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server, ONE, "eu-west-3")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.describe_key(KeyId="alias/aws/rds")
    own = [f"alias/{name}" for name in ("a", "aw", "aws-like", "b", "z")]
    for name in own:
        kms.create_alias(AliasName=name, TargetKeyId=key)
    expected = sorted(own + [f"alias/aws/{service}" for service in SERVICES])
    for size in (1, 2, 3, 5, 16, 100):
        pages = kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": size})
        found = [[alias["AliasName"] for alias in page["Aliases"]] for page in pages]
        assert [name for page in found for name in page] == expected
        assert all(len(page) <= size for page in found) and all(found)
