"""Where the service is, and when it was away, as all processes of a run know it."""

import multiprocessing
import time
from dataclasses import dataclass, field
from typing import Any

# How processes are made: each from nothing. A copy of one with threads may have locks that nobody gives back, and has its
# open connections.
CONTEXT = multiprocessing.get_context("spawn")
LIVES_MAX = 256
# A connection that is cut is seen a little later by who waits on it.
AFTERMATH_SECONDS = 1.0


def _moments() -> Any:
    return CONTEXT.Array("d", LIVES_MAX)


@dataclass(eq=False)
class Endpoint:
    """The address stays the same. Moments are of the monotonic clock, which processes of a machine share."""

    port: int
    scheme: str
    # When each absence began and when it was over.
    _begins: Any = field(default_factory=_moments)
    _ends: Any = field(default_factory=_moments)
    _absences: Any = field(default_factory=lambda: CONTEXT.Value("i", 0))
    up: Any = field(default_factory=CONTEXT.Event)
    over: Any = field(default_factory=CONTEXT.Event)

    @property
    def endpoint(self) -> str:
        """The URL, under the name that the harness knows it by."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def life(self) -> int:
        """The number of absences that have begun."""
        return self._absences.value

    def goes_away(self) -> None:
        """To be told before the service is ended."""
        self.up.clear()
        self._begins[self._absences.value] = time.monotonic()
        self._ends[self._absences.value] = float("inf")
        self._absences.value += 1

    def is_back(self) -> None:
        """To be told when the service answers again."""
        if self._absences.value:
            self._ends[self._absences.value - 1] = time.monotonic()
        self.up.set()

    def was_away(self, begin: float, end: float) -> bool:
        """Whether the service was away at any moment between these, or a moment before."""
        return any(
            self._begins[number] <= end and begin <= self._ends[number] + AFTERMATH_SECONDS
            for number in range(self._absences.value)
        )
