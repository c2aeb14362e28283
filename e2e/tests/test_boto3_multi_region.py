"""Multi-Region keys through boto3: one server that serves several Regions.

Source: AWS KMS API Reference (CreateKey, ReplicateKey, UpdatePrimaryRegion, ScheduleKeyDeletion) and the developer guide
"Multi-Region keys in AWS KMS" with the pages below it.
"""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from harness import clients
from harness.dev_clock import advance
from harness.expect import pending_deletion, refused
from harness.imports import import_material
from harness.polling import eventually
from harness.seed import DEVELOPMENT, EUROPE, ONE
from harness.server import Server

AMERICA, ASIA = "us-east-1", "ap-south-1"
DAY = timedelta(days=1)
MRK = re.compile(r"mrk-[0-9a-f]{32}")


@pytest.fixture
def america(server: Server) -> Any:
    return clients.kms(server, ONE, AMERICA)


@pytest.fixture
def asia(server: Server) -> Any:
    return clients.kms(server, ONE, ASIA)


@pytest.fixture
def dev_america(dev_server: Server) -> Any:
    return clients.kms(dev_server, DEVELOPMENT, AMERICA)


def create(kms: Any, **parameters: Any) -> str:
    """A new primary key's id."""
    return kms.create_key(MultiRegion=True, **parameters)["KeyMetadata"]["KeyId"]


def replicate(kms: Any, key: str, region: str = AMERICA, **parameters: Any) -> dict[str, Any]:
    return kms.replicate_key(KeyId=key, ReplicaRegion=region, **parameters)


def describe(kms: Any, key: str) -> dict[str, Any]:
    return kms.describe_key(KeyId=key)["KeyMetadata"]


def state(kms: Any, key: str) -> str:
    return describe(kms, key)["KeyState"]


def arn(region: str, key: str) -> str:
    return ONE.key_arn(key, region)


def rotations(kms: Any, key: str) -> list[tuple[str, str]]:
    answer = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    return [(entry["KeyMaterialId"], entry["KeyMaterialState"]) for entry in answer["Rotations"]]


def test_a_primary_key_says_that_it_is_one(kms: Any) -> None:
    found = kms.create_key(MultiRegion=True)["KeyMetadata"]
    assert MRK.fullmatch(found["KeyId"]) and found["MultiRegion"] is True and found["KeyState"] == "Enabled"
    own = {"Arn": found["Arn"], "Region": EUROPE}
    assert found["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "PRIMARY",
        "PrimaryKey": own,
        "ReplicaKeys": [],
    }
    single = kms.create_key()["KeyMetadata"]
    assert single["MultiRegion"] is False and "MultiRegionConfiguration" not in single


def test_a_replica_has_the_id_and_the_material_and_nothing_else(kms: Any, america: Any) -> None:
    key = create(kms, Description="primary", Tags=[{"TagKey": "a", "TagValue": "b"}])
    answer = replicate(kms, key)
    made = answer["ReplicaKeyMetadata"]
    assert (made["KeyState"], made["Enabled"], made["Description"]) == ("Creating", False, "")
    assert made["Arn"] == arn(AMERICA, key) and "ReplicaTags" not in answer
    assert answer["ReplicaPolicy"] == america.get_key_policy(KeyId=key)["Policy"]
    found, primary = describe(america, key), describe(kms, key)
    assert (found["KeyState"], found["Enabled"]) == ("Enabled", True)
    assert found["CurrentKeyMaterialId"] == primary["CurrentKeyMaterialId"]
    related = {
        "PrimaryKey": {"Arn": arn(EUROPE, key), "Region": EUROPE},
        "ReplicaKeys": [{"Arn": arn(AMERICA, key), "Region": AMERICA}],
    }
    assert found["MultiRegionConfiguration"] == {"MultiRegionKeyType": "REPLICA"} | related
    assert primary["MultiRegionConfiguration"] == {"MultiRegionKeyType": "PRIMARY"} | related
    assert america.list_resource_tags(KeyId=key)["Tags"] == []
    assert {"KeyId": key, "KeyArn": arn(AMERICA, key)} in all_keys(america)


def all_keys(kms: Any) -> list[dict[str, str]]:
    return [key for page in kms.get_paginator("list_keys").paginate() for key in page["Keys"]]


def test_a_replica_is_made_with_what_is_given(kms: Any, america: Any) -> None:
    key, tags = create(kms), [{"TagKey": "where", "TagValue": "there"}]
    policy = kms.get_key_policy(KeyId=key)["Policy"].replace("key-default-1", "replica-1")
    answer = replicate(kms, key, Description="replica", Tags=tags, Policy=policy)
    assert (answer["ReplicaPolicy"], answer["ReplicaTags"]) == (policy, tags)
    assert describe(america, key)["Description"] == "replica"
    assert america.get_key_policy(KeyId=key)["Policy"] == policy
    assert america.list_resource_tags(KeyId=key)["Tags"] == tags


def test_a_ciphertext_opens_in_every_region(kms: Any, america: Any, asia: Any) -> None:
    key = create(kms)
    replicate(kms, key)
    context = {"app": "x"}
    for one, other in ((kms, america), (america, kms)):
        blob = one.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=context)["CiphertextBlob"]
        opened = other.decrypt(CiphertextBlob=blob, EncryptionContext=context)
        assert opened["Plaintext"] == b"secret" and opened["KeyId"] == describe(other, key)["Arn"]
        with refused("InvalidCiphertextException"):
            other.decrypt(CiphertextBlob=blob)
        with refused("AccessDeniedException"):
            asia.decrypt(CiphertextBlob=blob, EncryptionContext=context)


PAIRS = [("ECC_NIST_P256", "ECDSA_SHA_256"), ("RSA_2048", "RSASSA_PSS_SHA_256"), ("ML_DSA_44", "ML_DSA_SHAKE_256")]


@pytest.mark.parametrize(("spec", "algorithm"), PAIRS)
def test_a_signature_verifies_in_every_region(kms: Any, america: Any, spec: str, algorithm: str) -> None:
    key = create(kms, KeySpec=spec, KeyUsage="SIGN_VERIFY")
    replicate(kms, key)
    assert america.get_public_key(KeyId=key)["PublicKey"] == kms.get_public_key(KeyId=key)["PublicKey"]
    message = {"KeyId": key, "Message": b"message", "SigningAlgorithm": algorithm}
    for one, other in ((kms, america), (america, kms)):
        signature = one.sign(**message)["Signature"]
        assert other.verify(**message, Signature=signature)["SignatureValid"]


def test_a_mac_verifies_in_every_region(kms: Any, america: Any) -> None:
    key = create(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    replicate(kms, key)
    message = {"KeyId": key, "Message": b"message", "MacAlgorithm": "HMAC_SHA_256"}
    assert america.verify_mac(**message, Mac=kms.generate_mac(**message)["Mac"])["MacValid"]


def test_only_a_primary_key_can_be_replicated(kms: Any, america: Any, key: str) -> None:
    with refused("UnsupportedOperationException", f"{key} is not a multi-region primary key."):
        replicate(kms, key)
    primary = create(kms)
    replicate(kms, primary)
    with refused("UnsupportedOperationException", f"{arn(AMERICA, primary)} is not a multi-region primary key."):
        replicate(america, primary, ASIA)


def test_where_a_key_cannot_be_replicated(kms: Any) -> None:
    key = create(kms)
    replicate(kms, key)
    with refused("AlreadyExistsException"):
        replicate(kms, key)
    for region in (EUROPE, "cn-north-1", "us-gov-west-1"):
        with refused("ValidationException"):
            replicate(kms, key, region)
    kms.disable_key(KeyId=key)
    with refused("DisabledException", f"{arn(EUROPE, key)} is disabled."):
        replicate(kms, key, ASIA)


def test_a_policy_or_tag_that_breaks_a_rule_makes_no_replica(kms: Any, america: Any) -> None:
    key = create(kms)
    with refused("MalformedPolicyDocumentException"):
        replicate(kms, key, Policy="{}")
    with refused("TagException"):
        replicate(kms, key, Tags=[{"TagKey": "aws:x", "TagValue": ""}])
    with refused("NotFoundException"):
        describe(america, key)
    assert describe(kms, key)["MultiRegionConfiguration"]["ReplicaKeys"] == []


def test_related_keys_are_managed_apart(kms: Any, america: Any) -> None:
    key = create(kms)
    replicate(kms, key)
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    alias = f"alias/{key}"
    america.create_alias(AliasName=alias, TargetKeyId=key)
    with refused("NotFoundException"):
        kms.describe_key(KeyId=alias)
    kms.update_key_description(KeyId=key, Description="here")
    assert describe(america, key)["Description"] == ""
    kms.disable_key(KeyId=key)
    assert america.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    with refused("DisabledException"):
        kms.decrypt(CiphertextBlob=blob)


def test_rotation_reaches_every_region(kms: Any, america: Any) -> None:
    key = create(kms)
    kms.rotate_key_on_demand(KeyId=key)
    replicate(kms, key)
    old = kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    kms.rotate_key_on_demand(KeyId=key)
    assert len(rotations(kms, key)) == 3 and rotations(america, key) == rotations(kms, key)
    assert describe(america, key)["CurrentKeyMaterialId"] == describe(kms, key)["CurrentKeyMaterialId"]
    new = america.encrypt(KeyId=key, Plaintext=b"new")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=new)["Plaintext"] == b"new"
    assert america.decrypt(CiphertextBlob=old)["Plaintext"] == b"old"


def test_rotation_is_managed_on_the_primary_key(kms: Any, america: Any) -> None:
    key = create(kms)
    replicate(kms, key)
    text = f"{arn(AMERICA, key)} is not a multi-region primary key."
    for call in (america.enable_key_rotation, america.disable_key_rotation, america.rotate_key_on_demand):
        with refused("UnsupportedOperationException", text):
            call(KeyId=key)
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    shown = [kms_in.get_key_rotation_status(KeyId=key) for kms_in in (kms, america)]
    assert shown[0]["KeyRotationEnabled"] and shown[0]["RotationPeriodInDays"] == 180
    assert all(shown[0][name] == shown[1][name] for name in ("NextRotationDate", "RotationPeriodInDays"))
    kms.disable_key_rotation(KeyId=key)
    assert america.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_automatic_rotation_follows_the_primary_role(
    dev_server: Server, dev_kms: Any, dev_america: Any
) -> None:
    key = create(dev_kms)
    replicate(dev_kms, key)
    dev_kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    advance(dev_server, 101 * DAY)
    eventually(lambda: len(rotations(dev_america, key)) == 2, "the replica has the new material")
    dev_kms.update_primary_region(KeyId=key, PrimaryRegion=AMERICA)
    dev_kms.disable_key(KeyId=key)
    advance(dev_server, 100 * DAY)
    eventually(lambda: len(rotations(dev_america, key)) == 3, "the new primary key rotates")
    assert rotations(dev_kms, key) == rotations(dev_america, key)
    # A primary key that is disabled owes its rotation; the state of a replica does not matter.
    dev_america.disable_key(KeyId=key)
    advance(dev_server, 100 * DAY)
    assert len(rotations(dev_america, key)) == 3
    dev_america.enable_key(KeyId=key)
    assert len(rotations(dev_kms, key)) == 4


def test_the_primary_role_moves(kms: Any, america: Any, asia: Any) -> None:
    key = create(kms)
    replicate(kms, key)
    replicate(kms, key, ASIA)
    kms.update_primary_region(KeyId=key, PrimaryRegion=AMERICA)
    for there in (kms, america, asia):
        found = describe(there, key)["MultiRegionConfiguration"]
        assert found["PrimaryKey"]["Region"] == AMERICA
        assert {replica["Region"] for replica in found["ReplicaKeys"]} == {EUROPE, ASIA}
    assert describe(kms, key)["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"
    assert state(kms, key) == state(america, key) == "Enabled"
    with refused("UnsupportedOperationException", f"{arn(EUROPE, key)} is not a multi-region primary key."):
        kms.update_primary_region(KeyId=key, PrimaryRegion=ASIA)
    with refused("NotFoundException"):
        america.update_primary_region(KeyId=key, PrimaryRegion="sa-east-1")
    with refused("ValidationException"):
        america.update_primary_region(KeyId=key, PrimaryRegion=AMERICA)
    asia.disable_key(KeyId=key)
    with refused("DisabledException", f"{arn(ASIA, key)} is disabled."):
        america.update_primary_region(KeyId=key, PrimaryRegion=ASIA)


def test_a_single_region_key_has_no_primary_role(kms: Any, key: str) -> None:
    with refused("UnsupportedOperationException", f"{key} is not a multi-region primary key."):
        kms.update_primary_region(KeyId=key, PrimaryRegion=AMERICA)


def test_a_replica_can_be_deleted_and_made_again(
    dev_server: Server, dev_kms: Any, dev_america: Any
) -> None:
    key = create(dev_kms)
    dev_kms.rotate_key_on_demand(KeyId=key)
    replicate(dev_kms, key)
    blob = dev_kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    dev_america.create_alias(AliasName=f"alias/{key}", TargetKeyId=key)
    answer = dev_america.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingDeletion" and "DeletionDate" in answer
    with refused("AlreadyExistsException"):
        replicate(dev_kms, key)
    advance(dev_server, 8 * DAY)
    eventually(lambda: not describe(dev_kms, key)["MultiRegionConfiguration"]["ReplicaKeys"], "the replica is gone")
    with refused("NotFoundException"):
        describe(dev_america, key)
    replicate(dev_kms, key)
    assert dev_america.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    assert rotations(dev_america, key) == rotations(dev_kms, key)
    assert dev_america.list_aliases(KeyId=key)["Aliases"] == []
    advance(dev_server, 30 * DAY)
    assert dev_america.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_a_primary_key_waits_for_its_replicas(dev_server: Server, dev_kms: Any, dev_america: Any) -> None:
    key = create(dev_kms)
    primary = describe(dev_kms, key)["Arn"]
    replicate(dev_kms, key)
    answer = dev_kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=10)
    assert (answer["KeyState"], answer["PendingWindowInDays"]) == ("PendingReplicaDeletion", 10)
    assert "DeletionDate" not in answer
    found = describe(dev_kms, key)
    assert (found["KeyState"], found["PendingDeletionWindowInDays"]) == ("PendingReplicaDeletion", 10)
    assert found["Enabled"] is False and "DeletionDate" not in found
    for call in (
        lambda: dev_kms.encrypt(KeyId=key, Plaintext=b"x"),
        lambda: dev_kms.schedule_key_deletion(KeyId=key),
        lambda: replicate(dev_kms, key, ASIA),
    ):
        with refused("KMSInvalidStateException", pending_deletion(primary)):
            call()
    advance(dev_server, 100 * DAY)
    assert state(dev_kms, key) == "PendingReplicaDeletion"
    dev_america.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert state(dev_kms, key) == "PendingReplicaDeletion"
    advance(dev_server, 8 * DAY)
    eventually(lambda: state(dev_kms, key) == "PendingDeletion", "the window of the primary key has begun")
    found = describe(dev_kms, key)
    assert "DeletionDate" in found and "PendingDeletionWindowInDays" not in found
    advance(dev_server, 11 * DAY)

    def gone() -> bool:
        with refused("NotFoundException"):
            describe(dev_kms, key)
        return True

    assert gone()


def test_a_primary_key_can_be_saved_from_either_wait(dev_server: Server, dev_kms: Any, dev_america: Any) -> None:
    key = create(dev_kms)
    replicate(dev_kms, key)
    dev_kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    dev_kms.cancel_key_deletion(KeyId=key)
    found = describe(dev_kms, key)
    assert found["KeyState"] == "Disabled" and "PendingDeletionWindowInDays" not in found
    dev_america.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    advance(dev_server, 8 * DAY)
    eventually(lambda: not describe(dev_kms, key)["MultiRegionConfiguration"]["ReplicaKeys"], "the replica is gone")
    assert state(dev_kms, key) == "Disabled"


@pytest.fixture
def imported(kms: Any) -> Callable[[], tuple[str, bytes]]:
    """A primary key with imported material, and the material."""

    def make() -> tuple[str, bytes]:
        key, material = create(kms, Origin="EXTERNAL"), os.urandom(32)
        import_material(kms, key, material, KeyMaterialDescription="first")
        return key, material

    return make


def test_a_replica_of_imported_material_wants_its_own_import(
    kms: Any, america: Any, imported: Callable[[], tuple[str, bytes]]
) -> None:
    key, material = imported()
    assert replicate(kms, key)["ReplicaKeyMetadata"]["KeyState"] == "Creating"
    found = describe(america, key)
    assert (found["KeyState"], found["Origin"]) == ("PendingImport", "EXTERNAL")
    assert found["CurrentKeyMaterialId"] == describe(kms, key)["CurrentKeyMaterialId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    with refused("KMSInvalidStateException", f"{arn(AMERICA, key)} is pending import."):
        america.decrypt(CiphertextBlob=blob)
    with refused("IncorrectKeyMaterialException"):
        import_material(america, key, os.urandom(32))
    with refused("UnsupportedOperationException"):
        import_material(america, key, os.urandom(32), ImportType="NEW_KEY_MATERIAL")
    import_material(america, key, material)
    assert america.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    america.delete_imported_key_material(KeyId=key)
    assert (state(america, key), state(kms, key)) == ("PendingImport", "Enabled")


def test_further_imported_material_waits_for_every_region(
    kms: Any, america: Any, imported: Callable[[], tuple[str, bytes]]
) -> None:
    key, first = imported()
    replicate(kms, key)
    import_material(america, key, first)
    second = os.urandom(32)
    new = import_material(kms, key, second, ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="second")
    waiting = (new["KeyMaterialId"], "PENDING_MULTI_REGION_IMPORT_AND_ROTATION")
    assert rotations(kms, key)[1] == rotations(america, key)[1] == waiting
    with refused(
        "KMSInvalidStateException", f"No available key material pending rotation for the key: {arn(EUROPE, key)}."
    ):
        kms.rotate_key_on_demand(KeyId=key)
    with refused("UnsupportedOperationException"):
        import_material(america, key, second, KeyMaterialDescription="mine")
    import_material(america, key, second)
    assert rotations(kms, key)[1] == rotations(america, key)[1] == (new["KeyMaterialId"], "PENDING_ROTATION")
    kms.rotate_key_on_demand(KeyId=key)
    assert rotations(kms, key) == rotations(america, key)
    assert rotations(kms, key)[1] == (new["KeyMaterialId"], "CURRENT")
    blob = america.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == new["KeyMaterialId"]
    shown = america.list_key_rotations(KeyId=key)["Rotations"][0]
    assert shown["KeyMaterialDescription"] == "second"


def test_material_that_waits_is_forgotten_everywhere(
    kms: Any, america: Any, imported: Callable[[], tuple[str, bytes]]
) -> None:
    key, first = imported()
    replicate(kms, key)
    import_material(america, key, first)
    second = os.urandom(32)
    new = import_material(kms, key, second, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    import_material(america, key, second)
    # On a replica only its own copy goes.
    america.delete_imported_key_material(KeyId=key, KeyMaterialId=new)
    assert rotations(kms, key)[1] == (new, "PENDING_MULTI_REGION_IMPORT_AND_ROTATION")
    import_material(america, key, second)
    kms.delete_imported_key_material(KeyId=key, KeyMaterialId=new)
    assert len(rotations(kms, key)) == len(rotations(america, key)) == 1
    with refused("IncorrectKeyMaterialException"):
        import_material(america, key, second)
    assert state(kms, key) == state(america, key) == "Enabled"


def test_a_first_import_after_replication_reaches_the_replica(kms: Any, america: Any) -> None:
    key, material = create(kms, Origin="EXTERNAL"), os.urandom(32)
    # A key that waits for its first import cannot be replicated.
    with refused("KMSInvalidStateException", f"{arn(EUROPE, key)} is pending import."):
        replicate(kms, key)
    import_material(kms, key, material)
    replicate(kms, key)
    kms.delete_imported_key_material(KeyId=key)
    import_material(america, key, material)
    assert (state(kms, key), state(america, key)) == ("PendingImport", "Enabled")


def test_a_key_with_many_materials_is_replicated_whole(dev_server: Server, dev_kms: Any, dev_america: Any) -> None:
    key = create(dev_kms)
    first = dev_kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    dev_kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    for number in range(110):
        advance(dev_server, 90 * DAY)
        if number % 20 == 0:
            eventually(lambda: len(all_rotations(dev_kms, key)) >= number, "rotations follow the clock")
    replicate(dev_kms, key)
    assert len(all_rotations(dev_kms, key)) > 100
    assert all_rotations(dev_america, key) == all_rotations(dev_kms, key)
    assert dev_america.decrypt(CiphertextBlob=first)["Plaintext"] == b"secret"


def all_rotations(kms: Any, key: str) -> list[str]:
    pages = kms.get_paginator("list_key_rotations").paginate(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    return [entry["KeyMaterialId"] for page in pages for entry in page["Rotations"]]


def test_related_keys_survive_a_restart(fresh_server: Server) -> None:
    here, there = (clients.kms(fresh_server, ONE, region) for region in (EUROPE, AMERICA))
    key = create(here)
    replicate(here, key)
    blob = here.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    fresh_server.restart()
    there = clients.kms(fresh_server, ONE, AMERICA)
    assert there.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    assert describe(there, key)["MultiRegionConfiguration"]["PrimaryKey"]["Region"] == EUROPE
