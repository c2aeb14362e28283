"""Keys and their states through boto3.

Sources: AWS KMS API Reference (CreateKey, DescribeKey, EnableKey, DisableKey, UpdateKeyDescription) and the table
"Key states of AWS KMS keys". Texts marked "recorded" are answers of the real service.
"""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.expect import CONSTRAINT, pending_deletion, refused
from harness.seed import EUROPE, ONE, SEEDED_ALIAS, SEEDED_KEY

METADATA = {
    "AWSAccountId", "KeyId", "Arn", "CreationDate", "Enabled", "Description", "KeyUsage", "KeyState", "Origin",
    "KeyManager", "CustomerMasterKeySpec", "KeySpec", "EncryptionAlgorithms", "MultiRegion", "CurrentKeyMaterialId",
}  # fmt: skip


def test_a_key_made_without_parameters_has_the_defaults_of_aws(kms: Any) -> None:
    # CreateKey: "Defaults"; DescribeKey: which members are always there, which only for other kinds of keys.
    metadata = kms.create_key()["KeyMetadata"]
    assert set(metadata) == METADATA
    assert str(uuid.UUID(metadata["KeyId"])) == metadata["KeyId"]
    assert re.fullmatch("[0-9a-f]{64}", metadata["CurrentKeyMaterialId"])
    assert abs(datetime.now(UTC) - metadata["CreationDate"]) < timedelta(minutes=1)
    expected = {
        "AWSAccountId": ONE.id,
        "Arn": ONE.key_arn(metadata["KeyId"]),
        "Enabled": True,
        "Description": "",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }
    assert {name: metadata[name] for name in expected} == expected


def test_describe_returns_what_create_returned(kms: Any) -> None:
    created = kms.create_key(Description="Zürich: the first key")["KeyMetadata"]
    assert kms.describe_key(KeyId=created["KeyId"])["KeyMetadata"] == created
    assert created["Description"] == "Zürich: the first key"


def test_two_keys_made_alike_are_two_keys(kms: Any) -> None:
    # CreateKey has no idempotency token.
    first, second = (kms.create_key(Description="same")["KeyMetadata"] for _ in range(2))
    assert first["KeyId"] != second["KeyId"]
    assert first["CurrentKeyMaterialId"] != second["CurrentKeyMaterialId"]


def test_the_deprecated_spec_member_still_works(kms: Any) -> None:
    metadata = kms.create_key(CustomerMasterKeySpec="SYMMETRIC_DEFAULT", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]
    assert metadata["KeySpec"] == "SYMMETRIC_DEFAULT"


@pytest.mark.parametrize(
    "identifier",
    [SEEDED_KEY, ONE.key_arn(SEEDED_KEY), SEEDED_ALIAS, ONE.alias_arn(SEEDED_ALIAS)],
    ids=["id", "ARN", "alias", "alias ARN"],
)
def test_describe_takes_all_four_forms(kms: Any, identifier: str) -> None:
    metadata = kms.describe_key(KeyId=identifier)["KeyMetadata"]
    assert metadata["KeyId"] == SEEDED_KEY
    assert metadata["Arn"] == ONE.key_arn(SEEDED_KEY)


UNKNOWN = "00000000-1111-4222-8333-444444444444"
UNKNOWN_MULTI_REGION = "mrk-" + "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("identifier", "code", "text"),
    [
        # Recorded.
        ("fake-key-id", "NotFoundException", "Invalid keyId 'fake-key-id'"),
        (UNKNOWN.replace("-", ""), "NotFoundException", f"Invalid keyId '{UNKNOWN.replace('-', '')}'"),
        ("mrk-fake-key-id", "NotFoundException", "Invalid keyId 'mrk-fake-key-id'"),
        (UNKNOWN, "NotFoundException", f"Key '{ONE.key_arn(UNKNOWN)}' does not exist"),
        (ONE.key_arn(UNKNOWN), "NotFoundException", f"Key '{ONE.key_arn(UNKNOWN)}' does not exist"),
        (UNKNOWN_MULTI_REGION, "NotFoundException", f"Key '{ONE.key_arn(UNKNOWN_MULTI_REGION)}' does not exist"),
        (ONE.key_arn(UNKNOWN, "us-west-2"), "NotFoundException", "Invalid arn us-west-2"),
        (ONE.alias_arn("alias/app", "us-west-2"), "NotFoundException", "Invalid arn us-west-2"),
        # Quoted by users of AWS.
        ("alias/nope", "NotFoundException", f"Alias {ONE.alias_arn('alias/nope')} is not found."),
        (ONE.alias_arn("alias/nope"), "NotFoundException", f"Alias {ONE.alias_arn('alias/nope')} is not found."),
        # InvalidArnException: "a specified ARN … is not valid"; no text was recorded.
        (f"arn:aws:kms:{EUROPE}:{ONE.id}:neither/{UNKNOWN}", "InvalidArnException", None),
        (f"arn:aws:s3:{EUROPE}:{ONE.id}:key/{UNKNOWN}", "InvalidArnException", None),
        ("arn:aws:kms", "InvalidArnException", None),
        # Constraints of the service model.
        ("", "ValidationException",
         CONSTRAINT + "Value '' at 'keyId' failed to satisfy constraint: "
         "Member must have length greater than or equal to 1"),
        ("x" * 2049, "ValidationException", re.compile(
            CONSTRAINT + r"Value 'x+(\.\.\.)?' at 'keyId' failed to satisfy constraint: "
            "Member must have length less than or equal to 2048")),
    ],
    ids=lambda value: str(value)[:40] if value else "none",
)  # fmt: skip
def test_a_key_that_cannot_be_found(
    unchecked: Any, identifier: str, code: str, text: str | re.Pattern[str] | None
) -> None:
    with refused(code, text):
        unchecked.describe_key(KeyId=identifier)


ALIAS_REFUSED: dict[str, Callable[[Any, str], Any]] = {
    "CancelKeyDeletion": lambda kms, key: kms.cancel_key_deletion(KeyId=key),
    "CreateGrant": lambda kms, key: kms.create_grant(
        KeyId=key, GranteePrincipal=ONE.user_arn, Operations=["Decrypt"]
    ),
    "DisableKey": lambda kms, key: kms.disable_key(KeyId=key),
    "DisableKeyRotation": lambda kms, key: kms.disable_key_rotation(KeyId=key),
    "EnableKey": lambda kms, key: kms.enable_key(KeyId=key),
    "EnableKeyRotation": lambda kms, key: kms.enable_key_rotation(KeyId=key),
    "GetKeyLastUsage": lambda kms, key: kms.get_key_last_usage(KeyId=key),
    "GetKeyPolicy": lambda kms, key: kms.get_key_policy(KeyId=key),
    "GetKeyRotationStatus": lambda kms, key: kms.get_key_rotation_status(KeyId=key),
    "ListGrants": lambda kms, key: kms.list_grants(KeyId=key),
    "ListKeyPolicies": lambda kms, key: kms.list_key_policies(KeyId=key),
    "ListKeyRotations": lambda kms, key: kms.list_key_rotations(KeyId=key),
    "ListResourceTags": lambda kms, key: kms.list_resource_tags(KeyId=key),
    "PutKeyPolicy": lambda kms, key: kms.put_key_policy(KeyId=key, Policy="{}"),
    "RetireGrant": lambda kms, key: kms.retire_grant(KeyId=key, GrantId="0" * 64),
    "RevokeGrant": lambda kms, key: kms.revoke_grant(KeyId=key, GrantId="0" * 64),
    "RotateKeyOnDemand": lambda kms, key: kms.rotate_key_on_demand(KeyId=key),
    "ScheduleKeyDeletion": lambda kms, key: kms.schedule_key_deletion(KeyId=key),
    "TagResource": lambda kms, key: kms.tag_resource(KeyId=key, Tags=[]),
    "UntagResource": lambda kms, key: kms.untag_resource(KeyId=key, TagKeys=[]),
    "UpdateKeyDescription": lambda kms, key: kms.update_key_description(KeyId=key, Description=""),
}


@pytest.mark.parametrize("identifier", [SEEDED_ALIAS, ONE.alias_arn(SEEDED_ALIAS)], ids=["alias", "alias ARN"])
@pytest.mark.parametrize("operation", ALIAS_REFUSED)
def test_management_calls_refuse_aliases(kms: Any, operation: str, identifier: str) -> None:
    # Quoted by users of AWS, with and without the final period.
    with refused("InvalidArnException", re.compile(r"Key Aliases are not supported for this operation\.?")):
        ALIAS_REFUSED[operation](kms, identifier)


def test_the_description_is_replaced_and_may_be_emptied(kms: Any, key: str) -> None:
    for description in ("first", "x" * 8192, ""):
        kms.update_key_description(KeyId=key, Description=description)
        assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == description
    with refused("ValidationException"):
        kms.update_key_description(KeyId=key, Description="x" * 8193)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == ""


def test_disable_and_enable_are_idempotent(kms: Any, key: str) -> None:
    for change, state, enabled in [(kms.disable_key, "Disabled", False), (kms.enable_key, "Enabled", True)]:
        for _ in range(2):
            change(KeyId=key)
            metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
            assert (metadata["KeyState"], metadata["Enabled"]) == (state, enabled)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        # Recorded.
        ({"KeySpec": "RSA_2048"},
         "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."),
        ({"KeySpec": "RSA_2048", "KeyUsage": "KEY_AGREEMENT"},
         "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048"),
        ({"KeyUsage": "SIGN_VERIFY"}, "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT"),
    ],
)  # fmt: skip
def test_usage_must_fit_the_spec(kms: Any, parameters: dict[str, str], text: str) -> None:
    with refused("ValidationException", text):
        kms.create_key(**parameters)


def test_a_spec_outside_the_enum_is_named_with_the_set_of_values(kms: Any) -> None:
    # Recorded form; the order of the set is arbitrary.
    head = "Value 'INVALID' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: "
    with refused(
        "ValidationException", re.compile(re.escape(CONSTRAINT + head) + r"\[(\w+, )*SYMMETRIC_DEFAULT(, \w+)*\]")
    ):
        kms.create_key(KeySpec="INVALID")


@pytest.mark.parametrize(
    "parameters",
    [
        {"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"},
        {"Origin": "AWS_CLOUDHSM"},
    ],
    ids=str,
)
def test_kinds_of_keys_that_are_not_there_yet_are_refused(kms: Any, parameters: dict[str, Any]) -> None:
    # Nothing pretends: no key of another kind than the one asked for.
    with refused("UnsupportedOperationException"):
        kms.create_key(**parameters)


# The table "Key states of AWS KMS keys". `None`: the state does not refuse the call.
DISABLED, PENDING, NOT_PENDING = "is disabled", "is pending deletion", "is not pending deletion"

STATE_TABLE: dict[str, tuple[Callable[[Any, str, bytes], Any], str | None, str | None]] = {
    # operation: (call, answer while Disabled, answer while PendingDeletion)
    "CancelKeyDeletion": (lambda kms, key, blob: kms.cancel_key_deletion(KeyId=key), NOT_PENDING, None),
    "CreateAlias": (lambda kms, key, blob: kms.create_alias(AliasName=f"alias/{uuid.uuid4()}", TargetKeyId=key),
                    None, PENDING),
    "CreateGrant": (lambda kms, key, blob: kms.create_grant(
        KeyId=key, GranteePrincipal=ONE.user_arn, Operations=["Decrypt"]), DISABLED, PENDING),
    "Decrypt": (lambda kms, key, blob: kms.decrypt(KeyId=key, CiphertextBlob=blob), DISABLED, PENDING),
    "Decrypt without KeyId": (lambda kms, key, blob: kms.decrypt(CiphertextBlob=blob), DISABLED, PENDING),
    "DescribeKey": (lambda kms, key, blob: kms.describe_key(KeyId=key), None, None),
    "GetKeyLastUsage": (lambda kms, key, blob: kms.get_key_last_usage(KeyId=key), None, None),
    "DisableKey": (lambda kms, key, blob: kms.disable_key(KeyId=key), None, PENDING),
    "DisableKeyRotation": (lambda kms, key, blob: kms.disable_key_rotation(KeyId=key), DISABLED, PENDING),
    "EnableKey": (lambda kms, key, blob: kms.enable_key(KeyId=key), None, PENDING),
    "EnableKeyRotation": (lambda kms, key, blob: kms.enable_key_rotation(KeyId=key), DISABLED, PENDING),
    "Encrypt": (lambda kms, key, blob: kms.encrypt(KeyId=key, Plaintext=b"x"), DISABLED, PENDING),
    "GenerateDataKey": (lambda kms, key, blob: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
                        DISABLED, PENDING),
    "GenerateDataKeyWithoutPlaintext":
        (lambda kms, key, blob: kms.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256"),
         DISABLED, PENDING),
    "GetKeyPolicy": (lambda kms, key, blob: kms.get_key_policy(KeyId=key), None, None),
    "GetKeyRotationStatus": (lambda kms, key, blob: kms.get_key_rotation_status(KeyId=key), None, None),
    "ListAliases": (lambda kms, key, blob: kms.list_aliases(KeyId=key), None, None),
    "ListGrants": (lambda kms, key, blob: kms.list_grants(KeyId=key), None, None),
    "ListKeyPolicies": (lambda kms, key, blob: kms.list_key_policies(KeyId=key), None, None),
    "ListKeyRotations": (lambda kms, key, blob: kms.list_key_rotations(KeyId=key), None, None),
    "ListResourceTags": (lambda kms, key, blob: kms.list_resource_tags(KeyId=key), None, None),
    "PutKeyPolicy": (lambda kms, key, blob: kms.put_key_policy(
        KeyId=key, Policy=kms.get_key_policy(KeyId=key)["Policy"]), None, None),
    "ReEncrypt from": (lambda kms, key, blob: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=SEEDED_KEY),
                       DISABLED, PENDING),
    "ReEncrypt to": (lambda kms, key, blob: kms.re_encrypt(
        CiphertextBlob=kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")["CiphertextBlob"], DestinationKeyId=key),
        DISABLED, PENDING),
    "RotateKeyOnDemand": (lambda kms, key, blob: kms.rotate_key_on_demand(KeyId=key), DISABLED, PENDING),
    "ScheduleKeyDeletion": (lambda kms, key, blob: kms.schedule_key_deletion(KeyId=key), None, PENDING),
    "TagResource": (lambda kms, key, blob: kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]),
                    None, PENDING),
    "UntagResource": (lambda kms, key, blob: kms.untag_resource(KeyId=key, TagKeys=["a"]), None, PENDING),
    "UpdateKeyDescription": (lambda kms, key, blob: kms.update_key_description(KeyId=key, Description="new"),
                             None, PENDING),
}  # fmt: skip


def assert_state_answer(kms: Any, key: str, blob: bytes, operation: str, answer: str | None) -> None:
    call = STATE_TABLE[operation][0]
    if answer is None:
        call(kms, key, blob)
        return
    code, text = {
        DISABLED: ("DisabledException", f"{key} is disabled."),
        PENDING: ("KMSInvalidStateException", pending_deletion(key)),
        NOT_PENDING: ("KMSInvalidStateException",
                      f"{key} is not pending deletion (or pending replica deletion)."),
    }[answer]  # fmt: skip
    with refused(code, text):
        call(kms, key, blob)


@pytest.mark.parametrize("operation", STATE_TABLE)
def test_what_a_disabled_key_refuses(kms: Any, key: str, operation: str) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    assert_state_answer(kms, key, blob, operation, STATE_TABLE[operation][1])


@pytest.mark.parametrize("operation", STATE_TABLE)
def test_what_a_key_pending_deletion_refuses(kms: Any, key: str, operation: str) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=key)
    assert_state_answer(kms, key, blob, operation, STATE_TABLE[operation][2])


@pytest.mark.parametrize("operation", STATE_TABLE)
def test_an_enabled_key_refuses_only_the_end_of_a_deletion_that_never_began(kms: Any, key: str, operation: str) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    expected = NOT_PENDING if operation == "CancelKeyDeletion" else None
    assert_state_answer(kms, key, blob, operation, expected)


def test_an_enabled_again_key_decrypts_again(kms: Any, key: str) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
