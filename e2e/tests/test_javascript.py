"""The AWS SDK for JavaScript; the checks themselves are in ../javascript/kms.mjs."""

import re
import shutil
from pathlib import Path

from harness.clients import account_environment, run
from harness.seed import ONE, SEEDED_ALIAS, SEEDED_KEY
from harness.server import Server

FOLDER = Path(__file__).parents[1]


def test_the_sdk_for_javascript(server: Server) -> None:
    assert shutil.which("node"), "node is missing: install the packages nodejs and npm"
    assert (FOLDER / "node_modules").is_dir(), "run `npm ci` in e2e/, or use e2e/run"
    environment = account_environment(server) | {
        "KEYWRIGHT_KEY_ARN": ONE.key_arn(SEEDED_KEY),
        "KEYWRIGHT_ALIAS": SEEDED_ALIAS,
        "KEYWRIGHT_ACCOUNT": ONE.id,
    }
    finished = run(["node", "--test", "--test-reporter=tap", "javascript/kms.mjs"], FOLDER, environment)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert re.search(r"^# pass 7$", finished.stdout, re.MULTILINE), finished.stdout
