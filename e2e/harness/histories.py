"""Whether what concurrent clients saw can be told as one thing after the other.

A history is linearizable if its calls can be put in an order in which each lies between its begin and its end, and in
which a model that does one call at a time answers as the service did. The search is Wing and Gong's (1993), with the
states that were reached already remembered, as Lowe proposed (2017).
"""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """What a client asked and was answered, and between which moments."""

    begin: int
    end: int
    asked: Hashable
    answered: Hashable


# Gives the state after the call, or None if no service in this state answers so.
Model = Callable[[Any, Hashable, Hashable], Any]


class Recorder:
    """The calls of many clients."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    def call(self, asked: Hashable, ask: Callable[[], Hashable]) -> None:
        begin = time.monotonic_ns()
        answered = ask()
        call = Call(begin, time.monotonic_ns(), asked, answered)
        with self._lock:
            self._calls.append(call)

    @property
    def calls(self) -> list[Call]:
        return sorted(self._calls, key=lambda call: call.begin)


def is_linearizable(calls: list[Call], model: Model, state: Hashable) -> bool:
    """Whether there is such an order."""
    waiting = sorted(calls, key=lambda call: call.begin)
    seen: set[tuple[int, Hashable]] = set()
    # What is done, as bits by number, and the state that it leads to.
    reached = [(0, state)]
    everything = (1 << len(waiting)) - 1
    while reached:
        done, state = reached.pop()
        if done == everything:
            return True
        for number in candidates(waiting, done):
            call = waiting[number]
            after = model(state, call.asked, call.answered)
            step = (done | 1 << number, after)
            if after is not None and step not in seen:
                seen.add(step)
                reached.append(step)
    return False


def candidates(waiting: list[Call], done: int) -> list[int]:
    """The calls that can come next: those that began before any other that is not done has ended."""
    first = (~done & (done + 1)).bit_length() - 1
    found, end = [], None
    for number in range(first, len(waiting)):
        if done >> number & 1:
            continue
        call = waiting[number]
        if end is not None and call.begin > end:
            break
        end = call.end if end is None else min(end, call.end)
        found.append(number)
    return found
