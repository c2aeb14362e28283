"""The AWS SDK for Rust; the checks themselves are in ../rust/src/main.rs."""

import subprocess
from pathlib import Path

import pytest

from harness.clients import account_environment, run
from harness.seed import ONE, SEEDED_ALIAS, SEEDED_KEY
from harness.server import Server

FOLDER = Path(__file__).parents[1] / "rust"
COMPILE_SECONDS = 900


@pytest.mark.timeout(COMPILE_SECONDS + 120)
def test_the_sdk_for_rust(server: Server, tmp_path: Path) -> None:
    built = subprocess.run(
        ["cargo", "build", "--quiet", "--locked"], cwd=FOLDER, capture_output=True, text=True, timeout=COMPILE_SECONDS
    )
    assert built.returncode == 0, built.stderr
    environment = account_environment(server) | {
        "KEYWRIGHT_KEY_ARN": ONE.key_arn(SEEDED_KEY),
        "KEYWRIGHT_ALIAS": SEEDED_ALIAS,
    }
    finished = run([str(FOLDER / "target/debug/keywright-e2e")], tmp_path, environment)
    assert finished.returncode == 0, finished.stderr
    assert "all checks passed" in finished.stdout
