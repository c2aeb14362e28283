"""PUT and GET with SSE-KMS, by a build that encrypts and one that copies instead, in turns."""

import hashlib
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from contestant import Contestant, clean_environment, running
from signed import UNSIGNED

PATH = "/benchmark/object"
KMS = {"x-amz-server-side-encryption": "aws:kms"}


@dataclass
class Rates:
    """Bytes a second of each round, and seconds of processors of each, of the build that encrypts and of the one that
    copies."""

    encrypting: list[float] = field(default_factory=list)
    copying: list[float] = field(default_factory=list)
    processors_encrypting: list[float] = field(default_factory=list)
    processors_copying: list[float] = field(default_factory=list)

    def row(self, name: str, size: int) -> str:
        ratios = [one / other for one, other in zip(self.encrypting, self.copying, strict=True)]
        total = size * len(ratios) / 1e9
        processors = [sum(one) / total for one in (self.processors_encrypting, self.processors_copying)]
        cells = [name, in_short(self.encrypting), in_short(self.copying), spread(ratios, ".3f")]
        return f"| {' | '.join([*cells, *(f'{one:.2f}' for one in processors)])} |"


def spread(values: list[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def in_short(rates: list[float]) -> str:
    return spread([rate / 1e6 for rate in rates], ".0f")


def measure(encrypting: Path, copying: Path, folder: Path, size: int, rounds: int) -> list[str]:
    """The lines of the table."""
    body = os.urandom(size)
    ways = {
        "PUT, UNSIGNED-PAYLOAD": lambda one: put(one, body, UNSIGNED),
        "PUT, signed SHA-256": lambda one, digest=hashlib.sha256(body).hexdigest(): put(one, body, digest),
        "GET": lambda one: get(one, size),
    }
    refuses_to_serve(copying, folder)
    with running("encrypting", encrypting, folder) as one, running("copying", copying, folder) as other:
        check(one, other)
        for contestant in (one, other):
            contestant.client().call("PUT", "/benchmark")
            assert put(contestant, body, UNSIGNED) > 0
        found = {name: in_turns(rate, one, other, rounds) for name, rate in ways.items()}
    return [
        "| | encrypting, MB/s | copying, MB/s | ratio of the same round | encrypting, CPU s/GB | copying, CPU s/GB |",
        "|---|---|---|---|---|---|",
        *(rates.row(name, size) for name, rates in found.items()),
        f"| the disk alone: write and sync | {in_short([disk(folder, body) for _ in range(rounds)])} | | | | |",
    ]


def check(encrypting: Contestant, copying: Contestant) -> None:
    """The one says that it does not encrypt, and the other does not."""
    warning = "DOES NOT ENCRYPT"
    assert warning in copying.says() and warning not in encrypting.says(), "the builds are not what they are called"


def refuses_to_serve(copying: Path, folder: Path) -> None:
    """Without --dev the build that does not encrypt ends at once, and leaves nothing."""
    data = folder / "keywright-never-made"
    command = [copying, "serve", "--data-dir", data, "--listen", "127.0.0.1:0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean_environment())
    assert ended.returncode == 2 and "for measuring alone" in ended.stderr, ended
    assert not data.exists()


def in_turns(
    rate: Callable[[Contestant], float], encrypting: Contestant, copying: Contestant, rounds: int
) -> Rates:
    """Whoever comes first in a round comes second in the next."""
    rates = Rates()
    for number in range(rounds):
        turns = [
            (encrypting, rates.encrypting, rates.processors_encrypting),
            (copying, rates.copying, rates.processors_copying),
        ]
        for contestant, found, processors in turns if number % 2 == 0 else turns[::-1]:
            before = contestant.processor_seconds()
            found.append(rate(contestant))
            processors.append(contestant.processor_seconds() - before)
    return rates


def put(contestant: Contestant, body: bytes, payload: str) -> float:
    client = contestant.client()
    began = time.perf_counter()
    answer = client.send("PUT", PATH, body, KMS, payload=payload)
    answer.read()
    taken = time.perf_counter() - began
    assert answer.headers["x-amz-server-side-encryption"] == "aws:kms"
    client.close()
    return len(body) / taken


def get(contestant: Contestant, size: int) -> float:
    client = contestant.client()
    began = time.perf_counter()
    received = sum(len(block) for block in client.receive(PATH))
    taken = time.perf_counter() - began
    assert received == size
    client.close()
    return size / taken


def disk(folder: Path, body: bytes) -> float:
    """What a file of the same length takes."""
    path = folder / "keywright-disk-alone"
    began = time.perf_counter()
    with path.open("wb") as file:
        file.write(body)
        os.fsync(file.fileno())
    taken = time.perf_counter() - began
    path.unlink()
    return len(body) / taken
