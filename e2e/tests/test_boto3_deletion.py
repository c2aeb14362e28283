"""Deletion of keys through boto3, with the development server's clock.

Source: AWS KMS API Reference (ScheduleKeyDeletion, CancelKeyDeletion) and the developer guide "Deleting AWS KMS keys".
"""

import subprocess
import uuid
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.dev_clock import advance, now
from harness.expect import gone, pending_deletion, refused
from harness.polling import eventually
from harness.seed import DEVELOPMENT, ONE
from harness.server import Server, run_tool

DAY = timedelta(days=1)

def state(kms: Any, key: str) -> str | None:
    """The key's state, or None once it is gone."""
    try:
        return kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    except kms.exceptions.NotFoundException:
        return None


def await_end(kms: Any, key: str) -> None:
    eventually(lambda: state(kms, key) is None, f"{key} is deleted")


def test_the_window_is_30_days_unless_it_is_given(dev_kms: Any, dev_key: str) -> None:
    began = now(dev_kms)
    answer = dev_kms.schedule_key_deletion(KeyId=dev_key)
    assert (answer["KeyId"], answer["KeyState"], answer["PendingWindowInDays"]) == (dev_key, "PendingDeletion", 30)
    assert timedelta() <= answer["DeletionDate"] - began - 30 * DAY <= DAY  # up to 24 hours later
    metadata = dev_kms.describe_key(KeyId=dev_key)["KeyMetadata"]
    assert (metadata["KeyState"], metadata["Enabled"]) == ("PendingDeletion", False)
    assert metadata["DeletionDate"] == answer["DeletionDate"]


@pytest.mark.parametrize("window", [7, 30])
def test_the_window_at_its_limits(kms: Any, key: str, window: int) -> None:
    assert kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=window)["PendingWindowInDays"] == window


@pytest.mark.parametrize("window", [0, 1, 6, 31, 365, 366])
def test_the_window_outside_its_limits(unchecked: Any, key: str, window: int) -> None:
    # 7 to 30 days; which text comes inside the model's wider bounds is not known.
    with refused("ValidationException"):
        unchecked.schedule_key_deletion(KeyId=key, PendingWindowInDays=window)
    assert state(unchecked, key) == "Enabled"


def test_it_cannot_be_scheduled_twice(kms: Any, key: str) -> None:
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with refused("KMSInvalidStateException", pending_deletion(key)):
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=30)


def test_cancelling_leaves_the_key_disabled(kms: Any, key: str) -> None:
    kms.schedule_key_deletion(KeyId=key)
    assert kms.cancel_key_deletion(KeyId=key)["KeyId"] == key
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Disabled", False)
    assert "DeletionDate" not in metadata
    with refused("KMSInvalidStateException", f"{key} is not pending deletion (or pending replica deletion)."):
        kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)


def test_a_disabled_key_can_be_scheduled(kms: Any, key: str) -> None:
    kms.disable_key(KeyId=key)
    kms.schedule_key_deletion(KeyId=key)
    assert state(kms, key) == "PendingDeletion"


def test_at_the_end_of_the_window_everything_is_gone(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    alias = f"alias/{uuid.uuid4()}"
    dev_kms.create_alias(AliasName=alias, TargetKeyId=dev_key)
    dev_kms.tag_resource(KeyId=dev_key, Tags=[{"TagKey": "a", "TagValue": "b"}])
    dev_kms.rotate_key_on_demand(KeyId=dev_key)
    blob = dev_kms.encrypt(KeyId=dev_key, Plaintext=b"soon lost")["CiphertextBlob"]
    dev_kms.schedule_key_deletion(KeyId=dev_key, PendingWindowInDays=7)

    advance(dev_server, 6 * DAY)
    assert state(dev_kms, dev_key) == "PendingDeletion"
    advance(dev_server, 2 * DAY + timedelta(minutes=5))
    await_end(dev_kms, dev_key)

    key_id = dev_key.rpartition("/")[2]
    text = f"Key '{dev_key}' does not exist"
    for identifier in (dev_key, key_id):
        with refused("NotFoundException", text):
            dev_kms.encrypt(KeyId=identifier, Plaintext=b"x")
    for call in (
        dev_kms.list_resource_tags,
        dev_kms.get_key_policy,
        dev_kms.list_key_rotations,
        dev_kms.cancel_key_deletion,
    ):
        with refused("NotFoundException", text):
            call(KeyId=dev_key)
    with refused("NotFoundException", f"Alias {DEVELOPMENT.alias_arn(alias)} is not found."):
        dev_kms.describe_key(KeyId=alias)
    with refused("AccessDeniedException", gone(DEVELOPMENT.user_arn)):  # quoted by users of AWS
        dev_kms.decrypt(CiphertextBlob=blob)
    with refused("AccessDeniedException", gone(DEVELOPMENT.user_arn, "ReEncryptFrom")):
        dev_kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=dev_kms.create_key()["KeyMetadata"]["KeyId"])
    listed = {entry["KeyId"] for page in dev_kms.get_paginator("list_keys").paginate() for entry in page["Keys"]}
    assert key_id not in listed
    dev_kms.create_alias(AliasName=alias, TargetKeyId=dev_kms.create_key()["KeyMetadata"]["KeyId"])


def test_a_cancelled_deletion_does_not_happen(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    twin = dev_kms.create_key()["KeyMetadata"]["Arn"]
    for key in (dev_key, twin):
        dev_kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    blob_key = dev_kms.create_key()["KeyMetadata"]["Arn"]
    blob = dev_kms.encrypt(KeyId=blob_key, Plaintext=b"x")["CiphertextBlob"]
    dev_kms.cancel_key_deletion(KeyId=dev_key)
    advance(dev_server, 31 * DAY)
    await_end(dev_kms, twin)
    assert state(dev_kms, dev_key) == "Disabled"
    assert dev_kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_deletion_scheduled_anew_waits_the_whole_window(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    dev_kms.schedule_key_deletion(KeyId=dev_key, PendingWindowInDays=7)
    advance(dev_server, 5 * DAY)
    dev_kms.cancel_key_deletion(KeyId=dev_key)
    dev_kms.schedule_key_deletion(KeyId=dev_key, PendingWindowInDays=7)
    advance(dev_server, 5 * DAY)
    assert state(dev_kms, dev_key) == "PendingDeletion"
    advance(dev_server, 4 * DAY)
    await_end(dev_kms, dev_key)


def test_the_clock_can_be_moved_from_the_command_line(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    dev_kms.schedule_key_deletion(KeyId=dev_key, PendingWindowInDays=7)
    finished = run_tool("clock", "advance", "30d", "--endpoint", dev_server.endpoint, folder=dev_server.folder)
    assert finished.returncode == 0, finished
    await_end(dev_kms, dev_key)


def test_only_a_development_server_has_a_settable_clock(server: Server, kms: Any) -> None:
    finished: subprocess.CompletedProcess[str] = run_tool(
        "clock", "advance", "30d", "--endpoint", server.endpoint, folder=server.folder
    )
    assert finished.returncode != 0
    assert finished.stderr.strip()
    assert kms.create_key()["KeyMetadata"]["AWSAccountId"] == ONE.id
    with pytest.raises((AssertionError, ClientError)):
        advance(server, DAY)
