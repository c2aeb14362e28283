"""What earlier releases wrote, today's binary reads: a copy of each data folder and backup in `corpus/formats/`."""

import json
import tarfile
from pathlib import Path

import pytest

from harness import clients, formats
from harness.backups import assert_trail
from harness.server import EXIT_OK, EXIT_ROOT, StartFailed, run_tool

RELEASES = sorted(path.parent for path in formats.FORMATS.glob("*/contents.json"))


def test_there_are_releases() -> None:
    assert RELEASES


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
@pytest.mark.parametrize("way", ["folder", "backup"])
def test_what_a_release_wrote_is_read(release: Path, way: str, tmp_path: Path) -> None:
    contents = json.loads((release / "contents.json").read_text())
    server = formats.open_server(tmp_path / "server", seed=None)
    if way == "folder":
        with tarfile.open(release / "data.tar.gz") as archive:
            archive.extractall(server.folder, filter="data")
    else:
        place = ("--identity", str(release / "identity.txt"), "--data-dir", str(server.data))
        done = run_tool("restore", *place, str(release / "backup.age"), folder=tmp_path)
        assert done.returncode == EXIT_OK, done.stderr
    assert_trail(server)
    server.start()
    formats.assert_contents(server, contents)
    # It goes on: what is written now is kept beside what was there.
    key = clients.kms(server).create_key()["KeyMetadata"]["KeyId"]
    server.restart()
    formats.assert_contents(server, contents)
    assert clients.kms(server).describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key
    server.stop()
    assert_trail(server)
    server.environment = {"KEYWRIGHT_PASSPHRASE": "another passphrase"}
    with pytest.raises(StartFailed) as failure:
        server.start()
    assert failure.value.exit_code == EXIT_ROOT
