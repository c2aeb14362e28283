"""The AWS Encryption SDK for Python: a file of 100 MB, encrypted and decrypted.

Source: AWS Encryption SDK Developer Guide.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_encryption_sdk
import botocore.session
import pytest
from aws_encryption_sdk import CommitmentPolicy, StrictAwsKmsMasterKeyProvider
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError

from harness import clients
from harness.seed import ONE, SEEDED_KEY
from harness.server import Server

MEBIBYTE = 1 << 20
CONTEXT = {"tenant": "blue", "purpose": "archive"}
SDK = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)


@pytest.fixture
def provider_of(server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[..., StrictAwsKmsMasterKeyProvider]:
    """Makes a provider for keys by ARN; it finds the server as any program does, by the environment."""
    for name, value in clients.account_environment(server).items():
        monkeypatch.setenv(name, value)
    return lambda *keys: StrictAwsKmsMasterKeyProvider(botocore_session=botocore.session.Session(), key_ids=list(keys))


@pytest.fixture
def provider(provider_of: Callable[..., StrictAwsKmsMasterKeyProvider], key: str) -> StrictAwsKmsMasterKeyProvider:
    """Encrypts every message under two keys."""
    return provider_of(ONE.key_arn(SEEDED_KEY), key)


def copy(source: Any, target: Path) -> str:
    """Writes a stream to a file; its SHA-256."""
    digest = hashlib.sha256()
    with target.open("wb") as file:
        while chunk := source.read(MEBIBYTE):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


@pytest.mark.timeout(300)
def test_a_file_of_100_mb(provider: StrictAwsKmsMasterKeyProvider, tmp_path: Path) -> None:
    plain, sealed, opened = (tmp_path / name for name in ("plain", "sealed", "opened"))
    digest = hashlib.sha256()
    with plain.open("wb") as file:
        for number in range(100):
            block = hashlib.shake_128(b"%d" % number).digest(MEBIBYTE)
            digest.update(block)
            file.write(block)
    with (
        plain.open("rb") as source,
        SDK.stream(
            mode="e", source=source, key_provider=provider, encryption_context=CONTEXT, frame_length=MEBIBYTE
        ) as stream,
    ):
        copy(stream, sealed)
    assert sealed.stat().st_size > 100 * MEBIBYTE
    with sealed.open("rb") as source, SDK.stream(mode="d", source=source, key_provider=provider) as stream:
        assert CONTEXT.items() <= stream.header.encryption_context.items()
        assert copy(stream, opened) == digest.hexdigest()


def test_the_second_key_alone_opens_the_message(
    provider_of: Callable[..., StrictAwsKmsMasterKeyProvider], provider: StrictAwsKmsMasterKeyProvider, key: str
) -> None:
    sealed, _ = SDK.encrypt(source=b"for two", key_provider=provider, encryption_context=CONTEXT)
    opened, header = SDK.decrypt(source=sealed, key_provider=provider_of(key))
    assert opened == b"for two"
    assert CONTEXT.items() <= header.encryption_context.items()


def test_a_key_that_is_not_among_them_does_not(
    provider_of: Callable[..., StrictAwsKmsMasterKeyProvider],
    provider: StrictAwsKmsMasterKeyProvider,
    new_key: Callable[..., str],
) -> None:
    sealed, _ = SDK.encrypt(source=b"not for you", key_provider=provider)
    with pytest.raises(AWSEncryptionSDKClientError):
        SDK.decrypt(source=sealed, key_provider=provider_of(new_key()))


def test_a_changed_context_does_not_open(provider: StrictAwsKmsMasterKeyProvider) -> None:
    sealed, _ = SDK.encrypt(source=b"bound", key_provider=provider, encryption_context=CONTEXT)
    position = sealed.index(b"archive")
    changed = sealed[:position] + b"Archive" + sealed[position + len(b"archive") :]
    with pytest.raises(AWSEncryptionSDKClientError):
        SDK.decrypt(source=changed, key_provider=provider)
    assert SDK.decrypt(source=sealed, key_provider=provider)[0] == b"bound"
