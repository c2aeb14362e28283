"""The recorder before the C library: compiled when needed, told what is to fail, its journal read."""

import errno
import os
import mmap
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

SOURCE = Path(__file__).parent / "recorder.c"
TARGET = Path(__file__).parents[2] / "target" / "torture"

_HEADER = struct.Struct("<IIiIIIQQ")
# Faults first; then what holds calls up.
_FAULT = struct.Struct("<qqiiI")
_SLOWNESS = struct.Struct("<IIIQQQ")
_CONTROL_SIZE = _FAULT.size + _SLOWNESS.size


class Kind(IntEnum):
    """The calls of a journal, as recorder.c numbers them."""

    CREATE = 1
    TRUNCATE = 2
    WRITE = 3
    SYNC = 4
    RENAME = 5
    LINK = 6
    UNLINK = 7
    MAKE_FOLDER = 8
    REMOVE_FOLDER = 9
    FORGET = 10
    # Of a sync that is held up; SYNC is its end.
    SYNC_BEGUN = 11


class Manner(IntEnum):
    """How a call fails: not done at all; written in half, with an error or with a short count."""

    REFUSED = 0
    TORN = 1
    SHORT = 2


NAMES = frozenset({Kind.CREATE, Kind.RENAME, Kind.LINK, Kind.UNLINK, Kind.MAKE_FOLDER, Kind.REMOVE_FOLDER})


@dataclass(frozen=True)
class Entry:
    """One call: what it did, or that it failed with this error. `end` is the journal's length behind it."""

    kind: Kind
    error: int
    inode: int
    offset: int
    path: str
    second: str
    data: bytes
    end: int


@dataclass(frozen=True)
class Fault:
    """So many calls of these kinds succeed, then so many fail."""

    after: int
    times: int
    kinds: frozenset[Kind]
    manner: Manner = Manner.REFUSED
    error: int = errno.EIO

    def __str__(self) -> str:
        kinds = "/".join(sorted(kind.name.lower() for kind in self.kinds))
        how = f"{self.manner.name.lower()} {errno.errorcode[self.error]}"
        return f"{self.times} of {kinds} {how} after {self.after}"


@dataclass(frozen=True)
class Slowness:
    """One of so many calls of these kinds, which are writes and syncs, takes up to so many milliseconds longer."""

    one_in: int
    milliseconds: int
    kinds: frozenset[Kind]
    seed: int

    def __str__(self) -> str:
        kinds = "/".join(sorted(kind.name.lower() for kind in self.kinds))
        return f"one {kinds} in {self.one_in} takes up to {self.milliseconds} ms"


def library() -> Path:
    """The recorder, compiled unless it is there and newer than its source."""
    built = TARGET / "recorder.so"
    if not built.exists() or built.stat().st_mtime < SOURCE.stat().st_mtime:
        TARGET.mkdir(parents=True, exist_ok=True)
        # Several processes may find it missing at the same time.
        fresh = built.with_suffix(f".{os.getpid()}.new")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(fresh), str(SOURCE)], check=True)
        fresh.rename(built)
    return built


class Recorder:
    """A journal of what happens below `folder`, in files of the folder `place`."""

    def __init__(self, folder: Path, place: Path):
        self.folder = folder
        self.journal = place / "journal"
        self.journal.touch()
        control = place / "control"
        control.write_bytes(bytes(_CONTROL_SIZE))
        with control.open("r+b") as file:
            self._control = mmap.mmap(file.fileno(), _CONTROL_SIZE)
        self.environment = {
            "LD_PRELOAD": str(library()),
            "TORTURE_FOLDER": str(folder),
            "TORTURE_JOURNAL": str(self.journal),
            "TORTURE_CONTROL": str(control),
        }

    def position(self) -> int:
        """What is in the journal by now, in bytes: whatever was answered before rests on no call behind it."""
        return self.journal.stat().st_size

    def fail(self, fault: Fault | None) -> None:
        """From now on; None for no more failures."""
        if fault is None:
            self._control[: _FAULT.size] = bytes(_FAULT.size)
            return
        told = _FAULT.pack(fault.after, fault.times, fault.error, fault.manner, _bits(fault.kinds))
        self._control[: _FAULT.size] = told

    def still_to_fail(self) -> int:
        """How many of the failures have not come yet."""
        return _FAULT.unpack_from(self._control)[1]

    def slow_down(self, slowness: Slowness | None) -> None:
        """From now on; None for a disk that is as fast as the machine's."""
        slow = slowness or Slowness(1, 1, frozenset(), 0)
        told = (_bits(slow.kinds), slow.one_in, slow.milliseconds, slow.seed, 0, self.held_up())
        self._control[_FAULT.size :] = _SLOWNESS.pack(*told)

    def held_up(self) -> int:
        """How many calls have had to wait by now."""
        return _SLOWNESS.unpack_from(self._control, _FAULT.size)[-1]


def _bits(kinds: frozenset[Kind]) -> int:
    return sum(1 << kind for kind in kinds)


def entries(journal: bytes) -> Iterator[Entry]:
    """The whole entries of a journal, in order."""
    at = 0
    while at + _HEADER.size <= len(journal):
        size, kind, error, path_size, second_size, data_size, inode, offset = _HEADER.unpack_from(journal, at)
        if at + size > len(journal):
            return
        path = at + _HEADER.size
        second = path + path_size
        data = second + second_size
        at += size
        yield Entry(
            Kind(kind),
            error,
            inode,
            offset,
            journal[path:second].decode(),
            journal[second:data].decode(),
            journal[data : data + data_size],
            at,
        )
