"""SOPS, a Go program that keeps secrets in files and their data keys under KMS keys.

Source: https://github.com/getsops/sops, "Encrypting using AWS KMS": only ARNs of keys and aliases are taken; Encrypt and
Decrypt are sent with that ARN.
"""

import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.clients import account_environment, run
from harness.seed import ONE, SEEDED_ALIAS, SEEDED_KEY, TWO
from harness.server import Server

PLAIN = "database:\n    user: keywright\n    password: 'correct horse'\n"


@pytest.fixture
def sops(server: Server, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `sops …` on the folder's file `secrets.yaml`."""
    (tmp_path / "secrets.yaml").write_text(PLAIN)
    environment = account_environment(server)
    environment["AWS_ENDPOINT_URL_KMS"] = environment.pop("AWS_ENDPOINT_URL")
    return lambda *arguments, **more: run(["sops", "--disable-version-check", *arguments], tmp_path, environment | more)


def encrypt(sops: Callable[..., subprocess.CompletedProcess[str]], folder: Path, *options: str) -> None:
    sealed = sops("encrypt", *options, "secrets.yaml")
    assert sealed.returncode == 0, sealed
    assert "correct horse" not in sealed.stdout
    (folder / "sealed.yaml").write_text(sealed.stdout)


@pytest.mark.parametrize("arn", [ONE.key_arn(SEEDED_KEY), ONE.alias_arn(SEEDED_ALIAS)], ids=["key ARN", "alias ARN"])
def test_there_and_back(sops: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, arn: str) -> None:
    encrypt(sops, tmp_path, "--kms", arn)
    opened = sops("decrypt", "sealed.yaml")
    assert opened.returncode == 0, opened
    assert opened.stdout.replace('"', "'").split() == PLAIN.replace("'correct horse'", "correct horse").split()


def test_with_a_context(sops: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    encrypt(sops, tmp_path, "--kms", ONE.key_arn(SEEDED_KEY), "--encryption-context", "tenant:blue")
    assert "correct horse" in sops("decrypt", "sealed.yaml").stdout
    sealed = tmp_path / "sealed.yaml"
    assert "tenant: blue" in sealed.read_text()
    sealed.write_text(sealed.read_text().replace("tenant: blue", "tenant: red"))
    refused = sops("decrypt", "sealed.yaml")
    assert refused.returncode != 0
    assert "InvalidCiphertextException" in refused.stderr


def test_a_new_data_key_under_two_keys(
    sops: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, kms: Any, key: str
) -> None:
    alias = f"alias/{uuid.uuid4()}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    encrypt(sops, tmp_path, "--kms", f"{ONE.key_arn(SEEDED_KEY)},{ONE.alias_arn(alias)}")
    before = (tmp_path / "sealed.yaml").read_text()
    rotated = sops("rotate", "--in-place", "sealed.yaml")
    assert rotated.returncode == 0, rotated
    assert (tmp_path / "sealed.yaml").read_text() != before
    kms.disable_key(KeyId=key)  # one of the two is enough
    assert "correct horse" in sops("decrypt", "sealed.yaml").stdout


def test_another_account_cannot_open_the_file(
    sops: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    encrypt(sops, tmp_path, "--kms", ONE.key_arn(SEEDED_KEY))
    refused = sops(
        "decrypt", "sealed.yaml", AWS_ACCESS_KEY_ID=TWO.access_key_id, AWS_SECRET_ACCESS_KEY=TWO.secret_access_key
    )
    assert refused.returncode != 0
    assert "AccessDeniedException" in refused.stderr
