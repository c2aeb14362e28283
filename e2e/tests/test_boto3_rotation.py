"""Rotation through boto3, with the development server's clock.

Source: AWS KMS API Reference (EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand,
ListKeyRotations) and the developer guide "Rotate AWS KMS keys". Texts are recorded answers.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from harness.dev_clock import advance, now
from harness.expect import CONSTRAINT, pending_deletion, refused
from harness.polling import eventually
from harness.server import Server

DAY = timedelta(days=1)
SLACK = timedelta(minutes=1)


def rotations(kms: Any, key: str, **parameters: Any) -> list[dict[str, Any]]:
    pages = kms.get_paginator("list_key_rotations").paginate(KeyId=key, **parameters)
    return [rotation for page in pages for rotation in page["Rotations"]]


def material(kms: Any, key: str) -> str:
    return kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]


def next_rotation(kms: Any, key: str) -> datetime:
    return kms.get_key_rotation_status(KeyId=key)["NextRotationDate"]


def await_rotations(kms: Any, key: str, number: int) -> list[dict[str, Any]]:
    def look() -> list[dict[str, Any]] | None:
        found = rotations(kms, key)
        return found if len(found) >= number else None

    found = eventually(look, f"{number} rotations of {key}")
    assert len(found) == number
    return found


def status(kms: Any, key: str) -> dict[str, Any]:
    answer = kms.get_key_rotation_status(KeyId=key)
    del answer["ResponseMetadata"]
    assert answer.pop("KeyId").endswith(key.rpartition("/")[2])
    return answer


def test_rotation_is_off_until_it_is_switched_on(dev_kms: Any, dev_key: str) -> None:
    assert status(dev_kms, dev_key) == {"KeyRotationEnabled": False}


def test_the_period_is_365_days_unless_it_is_given(dev_kms: Any, dev_key: str) -> None:
    dev_kms.enable_key_rotation(KeyId=dev_key)
    found = status(dev_kms, dev_key)
    assert set(found) == {"KeyRotationEnabled", "RotationPeriodInDays", "NextRotationDate"}
    assert (found["KeyRotationEnabled"], found["RotationPeriodInDays"]) == (True, 365)
    assert abs(found["NextRotationDate"] - now(dev_kms) - 365 * DAY) < SLACK


@pytest.mark.parametrize("period", [90, 2560])
def test_the_period_at_its_limits(dev_kms: Any, dev_key: str, period: int) -> None:
    dev_kms.enable_key_rotation(KeyId=dev_key, RotationPeriodInDays=period)
    assert status(dev_kms, dev_key)["RotationPeriodInDays"] == period
    assert abs(next_rotation(dev_kms, dev_key) - now(dev_kms) - period * DAY) < SLACK


@pytest.mark.parametrize(
    ("period", "bound"), [(89, "greater than or equal to 90"), (2561, "less than or equal to 2560")]
)
def test_the_period_outside_its_limits(unchecked: Any, key: str, period: int, bound: str) -> None:
    text = f"{CONSTRAINT}Value '{period}' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value {bound}"
    with refused("ValidationException", text):
        unchecked.enable_key_rotation(KeyId=key, RotationPeriodInDays=period)
    assert unchecked.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_enabling_again_with_another_period_starts_the_schedule_anew(
    dev_server: Server, dev_kms: Any, dev_key: str
) -> None:
    dev_kms.enable_key_rotation(KeyId=dev_key, RotationPeriodInDays=100)
    advance(dev_server, 10 * DAY)
    dev_kms.enable_key_rotation(KeyId=dev_key, RotationPeriodInDays=200)
    assert abs(next_rotation(dev_kms, dev_key) - now(dev_kms) - 200 * DAY) < SLACK


def test_switched_off_it_does_not_rotate(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    twin = dev_kms.create_key()["KeyMetadata"]["Arn"]
    for key in (dev_key, twin):
        dev_kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    dev_kms.disable_key_rotation(KeyId=dev_key)
    assert status(dev_kms, dev_key) == {"KeyRotationEnabled": False}
    advance(dev_server, 91 * DAY)
    await_rotations(dev_kms, twin, 1)  # so the scheduler has been there
    assert rotations(dev_kms, dev_key) == []


def test_a_year_passes_and_old_ciphertexts_still_decrypt(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    first = material(dev_kms, dev_key)
    old = dev_kms.encrypt(KeyId=dev_key, Plaintext=b"of last year", EncryptionContext={"a": "b"})["CiphertextBlob"]
    dev_kms.enable_key_rotation(KeyId=dev_key)
    due = next_rotation(dev_kms, dev_key)

    advance(dev_server, 365 * DAY + timedelta(minutes=5))
    (rotation,) = await_rotations(dev_kms, dev_key, 1)
    second = material(dev_kms, dev_key)
    assert second != first
    assert rotation["KeyId"].endswith(dev_key.rpartition("/")[2])
    assert (rotation["RotationType"], rotation["KeyMaterialId"]) == ("AUTOMATIC", second)
    assert rotation["KeyMaterialState"] == "CURRENT"
    assert abs(rotation["RotationDate"] - due) < timedelta(hours=1)
    assert abs(next_rotation(dev_kms, dev_key) - due - 365 * DAY) < timedelta(hours=1)

    decrypted = dev_kms.decrypt(CiphertextBlob=old, EncryptionContext={"a": "b"})
    assert (decrypted["Plaintext"], decrypted["KeyMaterialId"]) == (b"of last year", first)
    new = dev_kms.encrypt(KeyId=dev_key, Plaintext=b"of this year")["CiphertextBlob"]
    assert dev_kms.decrypt(CiphertextBlob=new)["KeyMaterialId"] == second


def test_it_goes_on_year_after_year(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    dev_kms.enable_key_rotation(KeyId=dev_key, RotationPeriodInDays=90)
    for number in range(1, 4):
        advance(dev_server, 90 * DAY + timedelta(minutes=5))
        found = await_rotations(dev_kms, dev_key, number)
        assert len({rotation["KeyMaterialId"] for rotation in found}) == number


def test_on_demand_at_once_and_without_moving_the_schedule(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    first = material(dev_kms, dev_key)
    blob = dev_kms.encrypt(KeyId=dev_key, Plaintext=b"x")["CiphertextBlob"]
    dev_kms.enable_key_rotation(KeyId=dev_key, RotationPeriodInDays=730)
    due = next_rotation(dev_kms, dev_key)
    advance(dev_server, 10 * DAY)
    assert dev_kms.rotate_key_on_demand(KeyId=dev_key)["KeyId"] == dev_key
    (rotation,) = await_rotations(dev_kms, dev_key, 1)
    assert (rotation["RotationType"], rotation["KeyMaterialState"]) == ("ON_DEMAND", "CURRENT")
    assert rotation["KeyMaterialId"] == material(dev_kms, dev_key) != first
    assert next_rotation(dev_kms, dev_key) == due
    assert dev_kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first
    assert dev_kms.generate_data_key(KeyId=dev_key, KeySpec="AES_256")["KeyMaterialId"] == rotation["KeyMaterialId"]


def test_on_demand_does_not_need_the_automatic_one(dev_kms: Any, dev_key: str) -> None:
    dev_kms.rotate_key_on_demand(KeyId=dev_key)
    await_rotations(dev_kms, dev_key, 1)
    assert status(dev_kms, dev_key)["KeyRotationEnabled"] is False


def test_the_history_of_all_materials(dev_kms: Any, dev_key: str) -> None:
    first = material(dev_kms, dev_key)
    assert rotations(dev_kms, dev_key) == []
    (only,) = rotations(dev_kms, dev_key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    assert (only["KeyMaterialId"], only["KeyMaterialState"]) == (first, "CURRENT")
    assert not {"RotationDate", "RotationType"} & set(only), "the first material came by no rotation"

    dev_kms.rotate_key_on_demand(KeyId=dev_key)
    await_rotations(dev_kms, dev_key, 1)
    both = rotations(dev_kms, dev_key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    states = {entry["KeyMaterialId"]: entry["KeyMaterialState"] for entry in both}
    assert states == {first: "NON_CURRENT", material(dev_kms, dev_key): "CURRENT"}
    assert len(rotations(dev_kms, dev_key, IncludeKeyMaterial="ROTATIONS_ONLY")) == 1


def test_25_rotations_on_demand_and_no_more(dev_kms: Any, dev_key: str) -> None:
    blobs = []
    for number in range(25):
        blobs.append(dev_kms.encrypt(KeyId=dev_key, Plaintext=b"%d" % number)["CiphertextBlob"])
        dev_kms.rotate_key_on_demand(KeyId=dev_key)
        await_rotations(dev_kms, dev_key, number + 1)
    with refused(
        "LimitExceededException",
        "The on-demand rotations limit has been reached for the given keyId. "
        f"No more on-demand rotations can be performed for this key: {dev_key}",
    ):
        dev_kms.rotate_key_on_demand(KeyId=dev_key)
    for number, blob in enumerate(blobs):
        assert dev_kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"%d" % number
    materials = {dev_kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] for blob in blobs}
    assert len(materials) == 25


def test_on_demand_collides_with_an_automatic_one_that_is_near(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    # RotateKeyOnDemand: ConflictException when the automatic rotation starts within the next 20 minutes.
    dev_kms.enable_key_rotation(KeyId=dev_key, RotationPeriodInDays=90)
    advance(dev_server, 90 * DAY - timedelta(minutes=10))
    with refused("ConflictException"):
        dev_kms.rotate_key_on_demand(KeyId=dev_key)
    assert rotations(dev_kms, dev_key) == []


def test_a_disabled_key_is_rotated_once_it_is_enabled(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    twin = dev_kms.create_key()["KeyMetadata"]["Arn"]
    for key in (dev_key, twin):
        dev_kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    dev_kms.disable_key(KeyId=dev_key)
    for change in (dev_kms.enable_key_rotation, dev_kms.disable_key_rotation, dev_kms.rotate_key_on_demand):
        with refused("DisabledException", f"{dev_key} is disabled."):
            change(KeyId=dev_key)
    assert status(dev_kms, dev_key)["KeyRotationEnabled"] is True
    advance(dev_server, 91 * DAY)
    await_rotations(dev_kms, twin, 1)
    assert rotations(dev_kms, dev_key) == []
    dev_kms.enable_key(KeyId=dev_key)
    (rotation,) = await_rotations(dev_kms, dev_key, 1)
    assert rotation["RotationType"] == "AUTOMATIC"


def test_a_scheduled_deletion_hides_the_status_and_cancelling_restores_it(dev_kms: Any, dev_key: str) -> None:
    dev_kms.enable_key_rotation(KeyId=dev_key, RotationPeriodInDays=180)
    dev_kms.schedule_key_deletion(KeyId=dev_key)
    assert status(dev_kms, dev_key) == {"KeyRotationEnabled": False}
    for change in (dev_kms.enable_key_rotation, dev_kms.disable_key_rotation, dev_kms.rotate_key_on_demand):
        with refused("KMSInvalidStateException", pending_deletion(dev_key)):
            change(KeyId=dev_key)
    dev_kms.cancel_key_deletion(KeyId=dev_key)
    found = status(dev_kms, dev_key)
    assert (found["KeyRotationEnabled"], found["RotationPeriodInDays"]) == (True, 180)


def test_rotation_changes_nothing_else(dev_kms: Any, dev_key: str) -> None:
    def everything(kms: Any) -> tuple[Any, ...]:
        metadata = kms.describe_key(KeyId=dev_key)["KeyMetadata"]
        del metadata["CurrentKeyMaterialId"]
        return metadata, kms.get_key_policy(KeyId=dev_key)["Policy"], kms.list_resource_tags(KeyId=dev_key)["Tags"]

    dev_kms.tag_resource(KeyId=dev_key, Tags=[{"TagKey": "a", "TagValue": "b"}])
    before = everything(dev_kms)
    dev_kms.rotate_key_on_demand(KeyId=dev_key)
    await_rotations(dev_kms, dev_key, 1)
    assert everything(dev_kms) == before
