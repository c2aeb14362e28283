"""What lies in the memory of a process (proc(5): `maps` and `mem`), and whether it may be locked."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

# A line of `maps`: addresses, and the permissions to read and to write. What nobody writes to holds no secrets.
AREA = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw")
PIECE = 1 << 24

# capabilities(7), as linux/capability.h numbers it.
CAP_IPC_LOCK = 14


def forms(value: bytes) -> set[bytes]:
    """How bytes may be written down: as they are, in base64 or in hexadecimal digits."""
    # The last characters of base64 depend on what follows; the rest is the same wherever the value begins a text.
    text = base64.b64encode(value)[: len(value) // 3 * 4]
    return {value, text, value.hex().encode(), value.hex().upper().encode()}


def find(pid: int, values: dict[str, bytes]) -> set[str]:
    """The names of those values that lie in the process's memory in any form."""
    wanted = {name: forms(value) for name, value in values.items()}
    overlap = max(len(form) for known in wanted.values() for form in known)
    found: set[str] = set()
    for start, end in _areas(pid):
        rest = b""
        for piece in _read(pid, start, end):
            content = rest + piece
            found |= {name for name, known in wanted.items() if any(form in content for form in known)}
            rest = content[-overlap:]
    return found


def may_lock() -> bool:
    """Whether the system lets this process, and those that it starts, lock as much memory as they like."""
    status = Path("/proc/self/status").read_text()
    capabilities = re.search(r"^CapEff:\s+([0-9a-f]+)$", status, re.MULTILINE)
    return capabilities is not None and bool(int(capabilities[1], 16) & 1 << CAP_IPC_LOCK)


def _areas(pid: int) -> list[tuple[int, int]]:
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    # What the kernel shows of itself cannot be read like memory.
    matches = [AREA.match(line) for line in lines if not line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]"))]
    return [(int(match[1], 16), int(match[2], 16)) for match in matches if match]


def _read(pid: int, start: int, end: int) -> Iterator[bytes]:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        memory.seek(start)
        while start < end:
            try:
                piece = memory.read(min(PIECE, end - start))
            except OSError:
                return
            if not piece:
                return
            start += len(piece)
            yield piece
