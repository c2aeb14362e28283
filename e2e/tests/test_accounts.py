"""Two accounts and two Regions in one process: what belongs to one is not there for the other.

Source: AWS KMS API Reference, cross-account use; the text of the refusal is quoted by users of AWS.
"""

from collections.abc import Callable
from typing import Any

import pytest

from harness import clients
from harness.expect import gone, refused
from harness.seed import AMERICA, EUROPE, ONE, SEEDED_ALIAS, SEEDED_KEY, SEEDED_KEY_AMERICA, SEEDED_KEY_TWO, TWO
from harness.server import Server


def foreign_text(operation: str) -> str:
    return (
        f"User: {TWO.user_arn} is not authorized to perform: kms:{operation} on this resource because the resource "
        "does not exist in this Region, no resource-based policies allow access, or a resource-based policy "
        "explicitly denies access"
    )


@pytest.fixture
def stranger(server: Server) -> Any:
    """boto3 of account two."""
    return clients.kms(server, TWO)


CROSS_ACCOUNT: dict[str, Callable[[Any, str], Any]] = {
    "CreateGrant": lambda kms, key: kms.create_grant(
        KeyId=key, GranteePrincipal=TWO.user_arn, Operations=["Decrypt"]
    ),
    "DescribeKey": lambda kms, key: kms.describe_key(KeyId=key),
    "Encrypt": lambda kms, key: kms.encrypt(KeyId=key, Plaintext=b"x"),
    "GenerateDataKey": lambda kms, key: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
    "GenerateDataKeyWithoutPlaintext": lambda kms, key: kms.generate_data_key_without_plaintext(
        KeyId=key, KeySpec="AES_256"
    ),
    "GetKeyRotationStatus": lambda kms, key: kms.get_key_rotation_status(KeyId=key),
    "ListGrants": lambda kms, key: kms.list_grants(KeyId=key),
    "RevokeGrant": lambda kms, key: kms.revoke_grant(KeyId=key, GrantId="0" * 64),
}


@pytest.mark.parametrize("operation", CROSS_ACCOUNT)
def test_a_foreign_key_is_refused(stranger: Any, operation: str) -> None:
    with refused("AccessDeniedException", foreign_text(operation)):
        CROSS_ACCOUNT[operation](stranger, ONE.key_arn(SEEDED_KEY))


@pytest.mark.parametrize("operation", CROSS_ACCOUNT)
def test_a_foreign_key_that_does_not_exist_is_refused_alike(stranger: Any, operation: str) -> None:
    # "Do not reveal existence."
    unknown = ONE.key_arn("00000000-1111-4222-8333-444444444444")
    with refused("AccessDeniedException", foreign_text(operation)):
        CROSS_ACCOUNT[operation](stranger, unknown)


def test_a_foreign_alias_is_refused(stranger: Any) -> None:
    for alias in (SEEDED_ALIAS, "alias/does-not-exist"):
        with refused("AccessDeniedException", foreign_text("Encrypt")):
            stranger.encrypt(KeyId=ONE.alias_arn(alias), Plaintext=b"x")


MANAGEMENT: dict[str, Callable[[Any, str], Any]] = {
    "DeleteImportedKeyMaterial": lambda kms, key: kms.delete_imported_key_material(KeyId=key),
    "DisableKey": lambda kms, key: kms.disable_key(KeyId=key),
    "EnableKeyRotation": lambda kms, key: kms.enable_key_rotation(KeyId=key),
    "GetKeyLastUsage": lambda kms, key: kms.get_key_last_usage(KeyId=key),
    "GetKeyPolicy": lambda kms, key: kms.get_key_policy(KeyId=key),
    "GetParametersForImport": lambda kms, key: kms.get_parameters_for_import(
        KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    ),
    "ImportKeyMaterial": lambda kms, key: kms.import_key_material(
        KeyId=key, ImportToken=b"x", EncryptedKeyMaterial=b"x", ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE"
    ),
    "ListResourceTags": lambda kms, key: kms.list_resource_tags(KeyId=key),
    "PutKeyPolicy": lambda kms, key: kms.put_key_policy(KeyId=key, Policy="{}"),
    "ReplicateKey": lambda kms, key: kms.replicate_key(KeyId=key, ReplicaRegion="us-east-1"),
    "RotateKeyOnDemand": lambda kms, key: kms.rotate_key_on_demand(KeyId=key),
    "ScheduleKeyDeletion": lambda kms, key: kms.schedule_key_deletion(KeyId=key),
    "TagResource": lambda kms, key: kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]),
    "UpdateKeyDescription": lambda kms, key: kms.update_key_description(KeyId=key, Description="mine"),
    "UpdatePrimaryRegion": lambda kms, key: kms.update_primary_region(KeyId=key, PrimaryRegion="us-east-1"),
}


@pytest.mark.parametrize("operation", MANAGEMENT)
def test_a_foreign_key_cannot_be_managed(kms: Any, stranger: Any, key: str, operation: str) -> None:
    # These are never possible across accounts; which code AWS gives is not recorded for each of them.
    before = kms.describe_key(KeyId=key)["KeyMetadata"]
    with pytest.raises(stranger.exceptions.ClientError) as caught:
        MANAGEMENT[operation](stranger, key)
    assert caught.value.response["Error"]["Code"] in (
        "AccessDeniedException",
        "NotFoundException",
        "InvalidArnException",
    )
    assert kms.describe_key(KeyId=key)["KeyMetadata"] == before
    assert kms.list_resource_tags(KeyId=key)["Tags"] == []


def test_a_foreign_ciphertext_is_refused(kms: Any, stranger: Any) -> None:
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")["CiphertextBlob"]
    with refused("AccessDeniedException", gone(TWO.user_arn)):
        stranger.decrypt(CiphertextBlob=blob)
    with refused("AccessDeniedException", gone(TWO.user_arn, "ReEncryptFrom")):
        stranger.re_encrypt(CiphertextBlob=blob, DestinationKeyId=SEEDED_KEY_TWO)
    with refused("AccessDeniedException", foreign_text("Decrypt")):
        stranger.decrypt(KeyId=ONE.key_arn(SEEDED_KEY), CiphertextBlob=blob)


def test_an_id_alone_means_the_callers_own_account(stranger: Any) -> None:
    with refused("NotFoundException", f"Key '{TWO.key_arn(SEEDED_KEY)}' does not exist"):
        stranger.describe_key(KeyId=SEEDED_KEY)


def test_an_alias_name_means_the_callers_own_key(kms: Any, stranger: Any) -> None:
    assert kms.describe_key(KeyId=SEEDED_ALIAS)["KeyMetadata"]["KeyId"] == SEEDED_KEY
    assert stranger.describe_key(KeyId=SEEDED_ALIAS)["KeyMetadata"]["KeyId"] == SEEDED_KEY_TWO


def test_lists_show_the_callers_own(stranger: Any) -> None:
    keys = [entry["KeyId"] for page in stranger.get_paginator("list_keys").paginate() for entry in page["Keys"]]
    assert SEEDED_KEY_TWO in keys
    assert SEEDED_KEY not in keys
    aliases = [entry for page in stranger.get_paginator("list_aliases").paginate() for entry in page["Aliases"]]
    assert {entry["AliasArn"].split(":")[4] for entry in aliases} == {TWO.id}
    with pytest.raises(stranger.exceptions.ClientError):
        stranger.list_aliases(KeyId=ONE.key_arn(SEEDED_KEY))


def test_markers_do_not_cross_accounts(kms: Any, stranger: Any) -> None:
    kms.create_key()
    marker = kms.list_keys(Limit=1)["NextMarker"]
    with refused("InvalidMarkerException"):
        stranger.list_keys(Marker=marker)


def test_regions_are_separate(server: Server, kms: Any) -> None:
    america = clients.kms(server, region=AMERICA)
    assert america.describe_key(KeyId=SEEDED_ALIAS)["KeyMetadata"]["Arn"] == ONE.key_arn(SEEDED_KEY_AMERICA, AMERICA)
    with refused("NotFoundException", f"Key '{ONE.key_arn(SEEDED_KEY, AMERICA)}' does not exist"):
        america.describe_key(KeyId=SEEDED_KEY)
    with refused("NotFoundException", f"Invalid arn {EUROPE}"):
        america.encrypt(KeyId=ONE.key_arn(SEEDED_KEY), Plaintext=b"x")
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")["CiphertextBlob"]
    with refused("AccessDeniedException", gone(ONE.user_arn)):
        america.decrypt(CiphertextBlob=blob)


def test_a_region_nobody_named_before_works_at_once(server: Server) -> None:
    kms = clients.kms(server, region="ap-southeast-2")
    assert kms.list_keys()["Keys"] == []
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    assert arn.startswith("arn:aws:kms:ap-southeast-2:")
