"""A service whose machine's wall clock jumps, and clients whose clocks jump along."""

import mmap
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from botocore.compat import get_current_datetime

from harness.server import Server

SOURCE = Path(__file__).with_suffix(".c")
_FILE = struct.Struct("<qq")
NONE = timedelta()


class JumpingClock:
    """A wall clock that is off by as much as is said, for who starts with this environment."""

    def __init__(self, folder: Path):
        library, file = folder / "clock_jumps.so", folder / "clock-jumps"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True)
        file.write_bytes(bytes(_FILE.size))
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _FILE.size)
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_JUMPS": str(file)}
        self.off = NONE

    def jump(self, off: timedelta) -> None:
        """From now on it is ahead by so much, or behind."""
        self.off = off
        self._shared[:8] = struct.pack("<q", off // timedelta(milliseconds=1))

    def asked(self) -> int:
        """How often somebody asked for the time."""
        return _FILE.unpack(self._shared)[1]

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off

    @contextmanager
    def followed_by_clients(self) -> Iterator[None]:
        """boto3 signs by this clock."""

        def now(remove_tzinfo: bool = True) -> datetime:
            return get_current_datetime(remove_tzinfo) + self.off

        with patch("botocore.auth.get_current_datetime", now):
            yield


def server_with(clock: JumpingClock, folder: Path, settings: dict[str, str] | None = None) -> Server:
    """A server, not started, whose machine has this clock."""
    return Server(folder, environment=clock.environment | (settings or {}))
