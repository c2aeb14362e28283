"""The unit for systemd: as systemd reads it, and as the service takes its settings."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import clients
from harness.memory import may_lock
from harness.server import Server

UNIT = Path(__file__).parents[2] / "deploy/systemd/keywright.service"

# systemd-analyze(1), in tenths: 0 to 100, of which up to 20 is "OK" and better. What remains open is the network.
EXPOSURE_MAX = 15


def settings(folder: Path) -> dict[str, str]:
    """The variables that the unit sets, with folders of the test in place of systemd's."""
    lines = [line.removeprefix("Environment=") for line in UNIT.read_text().splitlines() if line.startswith("Environment=")]
    named = dict(line.split("=", 1) for line in lines)
    return {name: value.replace("%d", str(folder)) for name, value in named.items() if name != "KEYWRIGHT_DATA_DIR"}


def test_the_service_starts_with_the_settings_of_the_unit(tmp_path: Path) -> None:
    if not may_lock():
        pytest.skip("this machine lets nobody lock memory")
    # As systemd leaves credentials.
    (tmp_path / "passphrase").write_text("correct horse battery staple")
    (tmp_path / "passphrase").chmod(0o400)
    variables = settings(tmp_path)
    assert len(variables) == 2
    server = Server(tmp_path, environment=variables).start()
    try:
        clients.kms(server).create_key()
    finally:
        server.close()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_the_service_shut_off(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/keywright", "/bin/true"))
    read = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (read.returncode, read.stderr) == (0, "")
    weighed = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", unit]
    environment = os.environ | {"SYSTEMD_PAGER": "cat"}
    assert subprocess.run(weighed, capture_output=True, env=environment).returncode == 0
    # Less than this is noticed.
    unit.write_text(unit.read_text().replace("CapabilityBoundingSet=\n", ""))
    assert subprocess.run(weighed, capture_output=True, env=environment).returncode == 1
