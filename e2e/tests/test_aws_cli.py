"""The AWS CLI, as a person uses it.

Source: AWS CLI Command Reference, `aws kms`.
"""

import base64
import json
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.clients import account_environment, run
from harness.seed import ONE, SEEDED_KEY
from harness.server import Server

SERVICE_ERROR = 255  # version 1 of the CLI: "the command failed"


@pytest.fixture
def aws(server: Server, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `aws kms …` and returns how it ended."""
    environment = account_environment(server)
    return lambda *arguments: run(["aws", "kms", *arguments, "--output", "json"], tmp_path, environment)


@pytest.fixture
def answer(aws: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., Any]:
    """Runs `aws kms …`, which must succeed, and returns what it printed."""

    def call(*arguments: str) -> Any:
        finished = aws(*arguments)
        assert finished.returncode == 0, finished
        return json.loads(finished.stdout) if finished.stdout.strip() else None

    return call


def test_a_key_from_its_making_to_its_deletion(answer: Callable[..., Any]) -> None:
    made = answer("create-key", "--description", "by hand", "--tags", "TagKey=stage,TagValue=test")
    key, arn = made["KeyMetadata"]["KeyId"], made["KeyMetadata"]["Arn"]
    alias = f"alias/cli-{uuid.uuid4()}"
    assert answer("create-alias", "--alias-name", alias, "--target-key-id", key) is None
    assert answer("describe-key", "--key-id", alias) == made
    (entry,) = answer("list-aliases", "--key-id", key)["Aliases"]
    assert entry["AliasName"] == alias
    assert answer("list-resource-tags", "--key-id", key)["Tags"] == [{"TagKey": "stage", "TagValue": "test"}]
    assert answer("untag-resource", "--key-id", key, "--tag-keys", "stage") is None
    assert key in {entry["KeyId"] for entry in answer("list-keys")["Keys"]}
    assert answer("enable-key-rotation", "--key-id", key, "--rotation-period-in-days", "180") is None
    assert answer("get-key-rotation-status", "--key-id", key)["RotationPeriodInDays"] == 180
    assert answer("rotate-key-on-demand", "--key-id", key)["KeyId"] == arn
    assert answer("delete-alias", "--alias-name", alias) is None
    assert (
        answer("schedule-key-deletion", "--key-id", key, "--pending-window-in-days", "7")["KeyState"]
        == "PendingDeletion"
    )
    assert answer("cancel-key-deletion", "--key-id", key)["KeyId"] == arn
    assert answer("describe-key", "--key-id", key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_a_file_there_and_back(answer: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(bytes(range(256)) * 16)
    encrypted = answer(
        "encrypt", "--key-id", "alias/app", "--plaintext", "fileb://plain", "--encryption-context", "a=1,b=2"
    )
    assert encrypted["KeyId"] == ONE.key_arn(SEEDED_KEY)
    (tmp_path / "blob").write_bytes(base64.b64decode(encrypted["CiphertextBlob"]))
    decrypted = answer("decrypt", "--ciphertext-blob", "fileb://blob", "--encryption-context", "b=2,a=1")
    assert base64.b64decode(decrypted["Plaintext"]) == (tmp_path / "plain").read_bytes()


def test_data_keys_and_random_bytes(answer: Callable[..., Any]) -> None:
    data_key = answer("generate-data-key", "--key-id", SEEDED_KEY, "--key-spec", "AES_256")
    assert len(base64.b64decode(data_key["Plaintext"])) == 32
    assert "Plaintext" not in answer(
        "generate-data-key-without-plaintext", "--key-id", SEEDED_KEY, "--number-of-bytes", "64"
    )
    assert len(base64.b64decode(answer("generate-random", "--number-of-bytes", "24")["Plaintext"])) == 24


def test_a_policy_there_and_back(answer: Callable[..., Any]) -> None:
    key = answer("create-key")["KeyMetadata"]["KeyId"]
    policy = answer("get-key-policy", "--key-id", key, "--policy-name", "default")["Policy"]
    changed = json.dumps(json.loads(policy) | {"Id": "by-hand"})
    assert answer("put-key-policy", "--key-id", key, "--policy-name", "default", "--policy", changed) is None
    assert answer("get-key-policy", "--key-id", key)["Policy"] == changed


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["describe-key", "--key-id", "alias/nobody"],
         f"(NotFoundException) when calling the DescribeKey operation: Alias {ONE.alias_arn('alias/nobody')} is not found."),
        (["create-key", "--key-spec", "INVALID"],
         "(ValidationException) when calling the CreateKey operation: 1 validation error detected: Value 'INVALID' at 'keySpec'"),
        (["decrypt", "--ciphertext-blob", "bm8gYmxvYg=="], "(InvalidCiphertextException) when calling the Decrypt operation"),
        (["revoke-grant", "--key-id", SEEDED_KEY, "--grant-id", "x"],
         "(InvalidGrantIdException) when calling the RevokeGrant operation"),
    ],
)  # fmt: skip
def test_refusals_are_told(
    aws: Callable[..., subprocess.CompletedProcess[str]], arguments: list[str], text: str
) -> None:
    finished = aws(*arguments)
    assert finished.returncode == SERVICE_ERROR, finished
    assert text in finished.stderr
