"""What the system lets others do with the process."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.server import BINARY, Server

# An ordinary user, whether there is one of this number or not. Root may look into every process.
ORDINARY = 65_534 if os.geteuid() == 0 else os.geteuid()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of that user, below others that it may go through."""
    path = Path(tempfile.mkdtemp())
    try:
        os.chown(path, ORDINARY, -1)
        yield path
    finally:
        shutil.rmtree(path)


@pytest.mark.parametrize("development", [False, True])
def test_who_is_let_into_the_memory_of_the_process(folder: Path, development: bool) -> None:
    user = ORDINARY if os.geteuid() == 0 else None
    try:
        subprocess.run([BINARY, "version"], user=user, cwd="/", check=True, capture_output=True)
    except PermissionError:
        pytest.skip("an ordinary user cannot get at the binary here")
    server = Server(folder, seed=None, development=development, user=user).start()
    try:
        # proc(5): what is below /proc/PID of a process that is not dumpable belongs to root.
        assert Path(f"/proc/{server.pid}/environ").stat().st_uid == (ORDINARY if development else 0)
    finally:
        server.close()
