"""Encrypt, Decrypt, ReEncrypt, data keys and random bytes through boto3.

Source: AWS KMS API Reference of these operations and the developer guide on encryption contexts; texts are recorded
answers unless said otherwise.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest

from harness.expect import CONSTRAINT, NO_TEXT, refused
from harness.seed import ONE, SEEDED_ALIAS, SEEDED_KEY

SEEDED_ARN = ONE.key_arn(SEEDED_KEY)
FORMS = pytest.mark.parametrize(
    "identifier",
    [SEEDED_KEY, SEEDED_ARN, SEEDED_ALIAS, ONE.alias_arn(SEEDED_ALIAS)],
    ids=["id", "ARN", "alias", "alias ARN"],
)
INCORRECT_KEY_TEXT = "The key ID in the request does not identify a CMK that can perform this operation."
DRY_RUN_TEXT = "The request would have succeeded, but the DryRun option is set."
MATERIAL_ID = re.compile("[0-9a-f]{64}")


@FORMS
def test_encrypt_and_decrypt_through_each_form(kms: Any, identifier: str) -> None:
    encrypted = kms.encrypt(KeyId=identifier, Plaintext=b"attack at dawn")
    assert set(encrypted) == {"CiphertextBlob", "KeyId", "EncryptionAlgorithm", "ResponseMetadata"}
    assert (encrypted["KeyId"], encrypted["EncryptionAlgorithm"]) == (SEEDED_ARN, "SYMMETRIC_DEFAULT")
    blob = encrypted["CiphertextBlob"]
    for decrypted in (kms.decrypt(CiphertextBlob=blob), kms.decrypt(KeyId=identifier, CiphertextBlob=blob)):
        assert set(decrypted) == {"Plaintext", "KeyId", "EncryptionAlgorithm", "KeyMaterialId", "ResponseMetadata"}
        assert (decrypted["Plaintext"], decrypted["KeyId"]) == (b"attack at dawn", SEEDED_ARN)
        assert MATERIAL_ID.fullmatch(decrypted["KeyMaterialId"])


@pytest.mark.parametrize("length", [1, 2, 32, 4095, 4096])
def test_lengths_that_pass(kms: Any, length: int) -> None:
    plaintext = bytes(number % 251 for number in range(length))
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=plaintext)["CiphertextBlob"]
    assert len(blob) <= 6144
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext


def test_lengths_that_do_not_pass(unchecked: Any) -> None:
    constraint = f"{CONSTRAINT}Value at 'plaintext' failed to satisfy constraint: Member must have length "
    with refused("ValidationException", constraint + "less than or equal to 4096"):
        unchecked.encrypt(KeyId=SEEDED_KEY, Plaintext=bytes(4097))
    with refused("ValidationException", constraint + "greater than or equal to 1"):
        unchecked.encrypt(KeyId=SEEDED_KEY, Plaintext=b"")
    for length in (0, 6145):
        with refused("ValidationException"):
            unchecked.decrypt(CiphertextBlob=bytes(length))


def test_the_same_plaintext_gives_another_ciphertext_each_time(kms: Any) -> None:
    blobs = {kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"same")["CiphertextBlob"] for _ in range(20)}
    assert len(blobs) == 20


CONTEXT = {"tenant": "blue", "purpose": "billing", "größe": "Übergröße 🗝", "empty": ""}


def test_a_context_matches_in_any_order(kms: Any) -> None:
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    backwards = dict(reversed(CONTEXT.items()))
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=backwards)["Plaintext"] == b"x"


WRONG_CONTEXTS = {
    "missing": None,
    "empty": {},
    "one pair less": {name: value for name, value in CONTEXT.items() if name != "empty"},
    "one pair more": CONTEXT | {"extra": "1"},
    "other value": CONTEXT | {"tenant": "red"},
    "other letter case of a name": {name.upper(): value for name, value in CONTEXT.items()},
    "names and values shifted": {"tenan": "tblue", "purpose": "billing", "größe": "Übergröße 🗝", "empty": ""},
}


@pytest.mark.parametrize("context", WRONG_CONTEXTS.values(), ids=WRONG_CONTEXTS)
def test_any_other_context_is_refused_without_a_text(kms: Any, context: dict[str, str] | None) -> None:
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    given = {} if context is None else {"EncryptionContext": context}
    with refused("InvalidCiphertextException", NO_TEXT):
        kms.decrypt(CiphertextBlob=blob, **given)
    with refused("InvalidCiphertextException", NO_TEXT):
        source = {} if context is None else {"SourceEncryptionContext": context}
        kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=SEEDED_KEY, **source)


def test_an_empty_context_is_none(kms: Any) -> None:
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x", EncryptionContext={})["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    with refused("InvalidCiphertextException", NO_TEXT):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})


def test_decrypt_with_another_key_than_the_ciphertexts_own(kms: Any, key: str) -> None:
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")["CiphertextBlob"]
    with refused("IncorrectKeyException", INCORRECT_KEY_TEXT):
        kms.decrypt(KeyId=key, CiphertextBlob=blob)
    with refused("IncorrectKeyException", INCORRECT_KEY_TEXT):
        kms.re_encrypt(SourceKeyId=key, CiphertextBlob=blob, DestinationKeyId=SEEDED_KEY)
    # "ciphertext names this key" comes before the key's state.
    kms.disable_key(KeyId=key)
    with refused("IncorrectKeyException", INCORRECT_KEY_TEXT):
        kms.decrypt(KeyId=key, CiphertextBlob=blob)


def test_an_algorithm_of_another_kind_of_key(kms: Any) -> None:
    with refused("InvalidKeyUsageException"):
        kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x", EncryptionAlgorithm="SYMMETRIC_DEFAULT")["CiphertextBlob"]
    with refused("InvalidKeyUsageException"):
        kms.decrypt(KeyId=SEEDED_KEY, CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_1")


def test_reencrypt_to_another_key_and_another_context(kms: Any, key: str) -> None:
    blob = kms.encrypt(KeyId=SEEDED_ALIAS, Plaintext=b"moved", EncryptionContext={"a": "1"})["CiphertextBlob"]
    moved = kms.re_encrypt(
        CiphertextBlob=blob,
        SourceKeyId=SEEDED_ALIAS,
        SourceEncryptionContext={"a": "1"},
        DestinationKeyId=key,
        DestinationEncryptionContext={"b": "2"},
    )
    assert (moved["SourceKeyId"], moved["KeyId"]) == (SEEDED_ARN, key)
    algorithms = moved["SourceEncryptionAlgorithm"], moved["DestinationEncryptionAlgorithm"]
    assert algorithms == ("SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT")
    assert moved["SourceKeyMaterialId"] == kms.describe_key(KeyId=SEEDED_KEY)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert moved["DestinationKeyMaterialId"] == kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    decrypted = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"b": "2"})
    assert (decrypted["Plaintext"], decrypted["KeyId"]) == (b"moved", key)


def test_reencrypt_under_the_same_key_changes_the_context(kms: Any) -> None:
    # What the hierarchical keyring of the AWS Encryption SDK does.
    blob = kms.generate_data_key_without_plaintext(
        KeyId=SEEDED_KEY, NumberOfBytes=32, EncryptionContext={"type": "branch:version:1"}
    )["CiphertextBlob"]
    moved = kms.re_encrypt(
        CiphertextBlob=blob,
        SourceKeyId=SEEDED_ARN,
        SourceEncryptionContext={"type": "branch:version:1"},
        DestinationKeyId=SEEDED_ARN,
        DestinationEncryptionContext={"type": "branch:ACTIVE"},
    )["CiphertextBlob"]
    old = kms.decrypt(CiphertextBlob=blob, EncryptionContext={"type": "branch:version:1"})["Plaintext"]
    assert kms.decrypt(CiphertextBlob=moved, EncryptionContext={"type": "branch:ACTIVE"})["Plaintext"] == old
    with refused("InvalidCiphertextException", NO_TEXT):
        kms.decrypt(CiphertextBlob=moved, EncryptionContext={"type": "branch:version:1"})


@FORMS
@pytest.mark.parametrize(
    ("size", "length"),
    [
        ({"KeySpec": "AES_256"}, 32),
        ({"KeySpec": "AES_128"}, 16),
        ({"NumberOfBytes": 1}, 1),
        ({"NumberOfBytes": 1024}, 1024),
    ],
    ids=["AES_256", "AES_128", "1", "1024"],
)
def test_data_keys(kms: Any, identifier: str, size: dict[str, Any], length: int) -> None:
    context = {"EncryptionContext": {"a": "b"}}
    data_key = kms.generate_data_key(KeyId=identifier, **size, **context)
    assert set(data_key) == {"CiphertextBlob", "Plaintext", "KeyId", "KeyMaterialId", "ResponseMetadata"}
    assert (len(data_key["Plaintext"]), data_key["KeyId"]) == (length, SEEDED_ARN)
    assert kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"], **context)["Plaintext"] == data_key["Plaintext"]

    hidden = kms.generate_data_key_without_plaintext(KeyId=identifier, **size, **context)
    assert set(hidden) == {"CiphertextBlob", "KeyId", "KeyMaterialId", "ResponseMetadata"}
    assert len(kms.decrypt(CiphertextBlob=hidden["CiphertextBlob"], **context)["Plaintext"]) == length


def test_an_encrypted_256_bit_data_key_fits_where_those_of_aws_fit(kms: Any) -> None:
    # Measured on AWS: 184 bytes. Columns of that width exist.
    assert len(kms.generate_data_key(KeyId=SEEDED_KEY, KeySpec="AES_256")["CiphertextBlob"]) <= 184


DATA_KEY_CALLS = ["generate_data_key", "generate_data_key_without_plaintext"]


@pytest.mark.parametrize("call", DATA_KEY_CALLS)
@pytest.mark.parametrize("size", [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}], ids=["neither", "both"])
def test_exactly_one_way_to_say_the_length(kms: Any, call: str, size: dict[str, Any]) -> None:
    with refused("ValidationException", "Please specify either number of bytes or key spec."):
        getattr(kms, call)(KeyId=SEEDED_KEY, **size)


def number_text(number: int) -> str:
    bound = "greater than or equal to 1" if number < 1 else "less than or equal to 1024"
    return (
        f"{CONSTRAINT}Value '{number}' at 'numberOfBytes' failed to satisfy constraint: Member must have value {bound}"
    )


@pytest.mark.parametrize("number", [-1, 0, 1025, 2**31 - 1])
def test_lengths_out_of_bounds(unchecked: Any, number: int) -> None:
    for call in DATA_KEY_CALLS:
        with refused("ValidationException", number_text(number)):
            getattr(unchecked, call)(KeyId=SEEDED_KEY, NumberOfBytes=number)
    with refused("ValidationException", number_text(number)):
        unchecked.generate_random(NumberOfBytes=number)


@pytest.mark.parametrize("number", [1, 32, 1024])
def test_random_bytes(kms: Any, number: int) -> None:
    answer = kms.generate_random(NumberOfBytes=number)
    assert set(answer) == {"Plaintext", "ResponseMetadata"}
    assert len(answer["Plaintext"]) == number


def test_random_bytes_differ(kms: Any) -> None:
    assert len({kms.generate_random(NumberOfBytes=16)["Plaintext"] for _ in range(20)}) == 20


def test_random_bytes_need_a_number(kms: Any) -> None:
    with refused("ValidationException", "NumberOfBytes is required."):
        kms.generate_random()


def test_random_bytes_from_a_key_store_that_does_not_exist(kms: Any) -> None:
    with pytest.raises(kms.exceptions.ClientError) as caught:
        kms.generate_random(NumberOfBytes=1, CustomKeyStoreId="cks-1234567890abcdef0")
    assert caught.value.response["Error"]["Code"] in (
        "CustomKeyStoreNotFoundException",
        "UnsupportedOperationException",
    )


def dry_runs(kms: Any, identifier: str, blob: bytes) -> dict[str, Callable[[], Any]]:
    return {
        "Encrypt": lambda: kms.encrypt(KeyId=identifier, Plaintext=b"x", DryRun=True),
        "Decrypt": lambda: kms.decrypt(KeyId=identifier, CiphertextBlob=blob, DryRun=True),
        "ReEncrypt": lambda: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=identifier, DryRun=True),
        "GenerateDataKey": lambda: kms.generate_data_key(KeyId=identifier, KeySpec="AES_256", DryRun=True),
        "GenerateDataKeyWithoutPlaintext": lambda: kms.generate_data_key_without_plaintext(
            KeyId=identifier, KeySpec="AES_256", DryRun=True
        ),
    }


def test_a_dry_run_that_would_succeed(kms: Any) -> None:
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")["CiphertextBlob"]
    for call in dry_runs(kms, SEEDED_ALIAS, blob).values():
        with refused("DryRunOperationException", DRY_RUN_TEXT):
            call()


def test_a_dry_run_that_would_fail_fails_as_the_call_would(kms: Any, key: str) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    for call in dry_runs(kms, key, blob).values():
        with refused("DisabledException", f"{key} is disabled."):
            call()


def test_a_dry_run_may_leave_out_the_ciphertext(kms: Any) -> None:
    with refused("DryRunOperationException", DRY_RUN_TEXT):
        kms.decrypt(KeyId=SEEDED_KEY, DryRun=True, DryRunModifiers=["IGNORE_CIPHERTEXT"])
    with refused("DryRunOperationException", DRY_RUN_TEXT):
        kms.re_encrypt(
            SourceKeyId=SEEDED_KEY, DestinationKeyId=SEEDED_KEY, DryRun=True, DryRunModifiers=["IGNORE_CIPHERTEXT"]
        )
    for wrong in (
        {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]},  # then the key must be named
        {"KeyId": SEEDED_KEY, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]},  # only together with DryRun
        {"KeyId": SEEDED_KEY},  # no ciphertext
    ):
        with refused("ValidationException"):
            kms.decrypt(**wrong)


def test_grant_tokens_that_are_none(kms: Any) -> None:
    # An empty list is what the material providers library sends.
    assert kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x", GrantTokens=[])["KeyId"] == SEEDED_ARN
    with refused("InvalidGrantTokenException"):
        kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x", GrantTokens=["no token"])
    with refused("ValidationException"):
        kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x", GrantTokens=["t"] * 11)


def test_calls_on_keys_that_do_not_exist(kms: Any) -> None:
    unknown = "00000000-1111-4222-8333-444444444444"
    text = f"Key '{ONE.key_arn(unknown)}' does not exist"
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")["CiphertextBlob"]
    for call in dry_runs(kms, unknown, blob).values():
        with refused("NotFoundException", text):
            call()
