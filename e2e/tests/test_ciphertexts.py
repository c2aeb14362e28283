"""Ciphertexts that are not what they should be.

Source: AWS KMS API Reference, Decrypt: InvalidCiphertextException (recorded without a text), IncorrectKeyException, and
AccessDeniedException where the ciphertext names a key that the caller cannot have.
"""

import base64
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.expect import NO_TEXT, refused
from harness.seed import SEEDED_KEY

SEED = 20_141_101
# An altered key identity names another key: then AWS says that this key cannot be had.
ALTERED = {"InvalidCiphertextException", "AccessDeniedException", "IncorrectKeyException"}


def refusal(kms: Any, blob: bytes, **parameters: Any) -> dict[str, Any]:
    """The refusal of a decryption; fails if it is none."""
    with pytest.raises(ClientError) as caught:
        kms.decrypt(CiphertextBlob=blob, **parameters)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400, answer
    return answer["Error"]


@pytest.fixture
def blob(kms: Any) -> bytes:
    """A ciphertext of the seeded key."""
    found: bytes = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"secret", EncryptionContext={"a": "b"})["CiphertextBlob"]
    return found


CONTEXT = {"EncryptionContext": {"a": "b"}}


def test_a_flipped_bit_in_every_byte(kms: Any, blob: bytes) -> None:
    def check(position: int) -> str:
        altered = bytearray(blob)
        altered[position] ^= 1 << (position % 8)
        error = refusal(kms, bytes(altered), **CONTEXT)
        assert error["Code"] in ALTERED, (position, error)
        if error["Code"] == "InvalidCiphertextException":
            assert error["Message"] == NO_TEXT
        return str(error["Code"])

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(check, range(len(blob))))
    assert codes[-1] == "InvalidCiphertextException", "the tag at the end"
    assert codes.count("InvalidCiphertextException") > len(blob) // 2
    assert kms.decrypt(CiphertextBlob=blob, **CONTEXT)["Plaintext"] == b"secret"


def test_a_flipped_bit_with_the_key_named(kms: Any, blob: bytes) -> None:
    for position in range(len(blob)):
        altered = bytearray(blob)
        altered[position] ^= 0x80
        assert refusal(kms, bytes(altered), KeyId=SEEDED_KEY, **CONTEXT)["Code"] in ALTERED


def test_every_truncation(kms: Any, blob: bytes) -> None:
    def check(length: int) -> None:
        error = refusal(kms, blob[:length], **CONTEXT)
        assert (error["Code"], error["Message"]) == ("InvalidCiphertextException", NO_TEXT), length

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(check, range(1, len(blob))))


@pytest.mark.parametrize("more", [b"\x00", b"x" * 100])
def test_bytes_added(kms: Any, blob: bytes, more: bytes) -> None:
    for altered in (blob + more, more + blob):
        with refused("InvalidCiphertextException", NO_TEXT):
            kms.decrypt(CiphertextBlob=altered, **CONTEXT)


def aws_like() -> bytes:
    """A blob with the outline that published ciphertexts of AWS have."""
    randomness = random.Random(SEED)
    body = bytes.fromhex(
        "306a06092a864886f70d010706a05d305b020100305606092a864886f70d010701301e060960864801650304012e3011040c"
    )
    body += randomness.randbytes(12) + bytes.fromhex("0201108029") + randomness.randbytes(41)
    return (
        b"\x01\x02\x02\x00\x78"
        + randomness.randbytes(32)
        + b"\x01"
        + randomness.randbytes(16)
        + len(body).to_bytes(4, "big")
        + body
    )


FOREIGN = {
    "one byte": b"\x00",
    "text": b"this is no ciphertext at all",
    "zeroes": bytes(184),
    "like one of AWS": aws_like(),
    "the longest": random.Random(SEED).randbytes(6144),
    "base64 of something": base64.b64encode(bytes(100)),
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_foreign_blobs(kms: Any, foreign: bytes) -> None:
    with refused("InvalidCiphertextException", NO_TEXT):
        kms.decrypt(CiphertextBlob=foreign)
    with refused("InvalidCiphertextException", NO_TEXT):
        kms.re_encrypt(CiphertextBlob=foreign, DestinationKeyId=SEEDED_KEY)


def test_random_blobs(kms: Any) -> None:
    randomness = random.Random(SEED)
    for _ in range(200):
        error = refusal(kms, randomness.randbytes(randomness.randrange(1, 400)))
        assert error["Code"] in ALTERED


def test_halves_of_two_ciphertexts(kms: Any, key: str) -> None:
    # Each ciphertext is whole: no part of it fits into another one, of another key or of the same.
    one, two, same = (
        kms.encrypt(KeyId=identifier, Plaintext=b"secret", EncryptionContext={"a": "b"})["CiphertextBlob"]
        for identifier in (SEEDED_KEY, key, SEEDED_KEY)
    )
    assert len(one) == len(two) == len(same)
    for other in (two, same):
        for position in range(1, len(one)):
            mixed = one[:position] + other[position:]
            if mixed not in (one, other):
                assert refusal(kms, mixed, **CONTEXT)["Code"] in ALTERED, position


def test_ciphertexts_exchanged_between_two_keys(kms: Any, key: str) -> None:
    text = "The key ID in the request does not identify a CMK that can perform this operation."
    one = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"one")["CiphertextBlob"]
    two = kms.encrypt(KeyId=key, Plaintext=b"two")["CiphertextBlob"]
    for named, blob in ((key, one), (SEEDED_KEY, two)):
        with refused("IncorrectKeyException", text):
            kms.decrypt(KeyId=named, CiphertextBlob=blob)
    assert kms.decrypt(CiphertextBlob=one)["Plaintext"] == b"one"
    assert kms.decrypt(CiphertextBlob=two)["Plaintext"] == b"two"
