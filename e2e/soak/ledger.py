"""What the clients of one process were answered: counted, and kept to be compared with the trail; what was wrong."""

import json
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# So much is told of a value in a finding.
SHOWN_MAX = 2_000


class Wrong(Exception):
    """An answer that cannot be."""

    def __init__(self, asked: Any, answered: Any, expected: Any):
        super().__init__(f"asked {asked}, answered {answered}, expected {expected}")
        self.asked, self.answered, self.expected = shown(asked), shown(answered), shown(expected)


@dataclass(frozen=True)
class Answered:
    """One answer, as the trail must know it."""

    request: str
    service: str
    operation: str
    code: str | None


def shown(value: Any) -> str:
    """A value as a finding tells it."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}… ({len(text)} characters)"


class Ledger:
    """It is for the threads of one process. Two files: `answers-NAME` and `wrong-NAME`, one line each."""

    def __init__(self, folder: Path, name: str):
        self._lock = threading.Lock()
        self._answers = (folder / f"answers-{name}").open("w", buffering=1 << 16)
        self._wrong = (folder / f"wrong-{name}").open("w", buffering=1)
        self.counted: Counter[str] = Counter()
        self.wrong = 0
        self.unanswered = 0

    def answered(self, answer: Answered) -> None:
        line = f"{answer.request}\t{answer.service}\t{answer.operation}\t{answer.code or ''}\n"
        with self._lock:
            self._answers.write(line)
            self.counted[f"{answer.service}:{answer.operation}"] += 1

    def not_answered(self) -> None:
        """A call that was sent while the service went away, and came to no end."""
        with self._lock:
            self.unanswered += 1

    def tell(self, client: str, wrong: Wrong) -> None:
        told = {"client": client, "asked": wrong.asked, "answered": wrong.answered, "expected": wrong.expected}
        with self._lock:
            self.wrong += 1
            self._wrong.write(json.dumps(told) + "\n")

    def close(self) -> None:
        with self._lock:
            self._answers.close()
            self._wrong.close()


def answers(folder: Path) -> list[Answered]:
    """What all processes were answered."""
    return [
        Answered(request, service, operation, code or None)
        for path in sorted(folder.glob("answers-*"))
        for request, service, operation, code in (line.rstrip("\n").split("\t") for line in path.open())
    ]


def wrongs(folder: Path) -> list[dict[str, str]]:
    """What was wrong, as all processes found it."""
    return [json.loads(line) for path in sorted(folder.glob("wrong-*")) for line in path.open()]
