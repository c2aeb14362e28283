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

    begin: float
    end: float
    asked: Hashable
    answered: Hashable


# What was answered to a call that the service did not live to answer. It is done or not, before its end: when it is known
# that the service has ended.
UNANSWERED = "unanswered"
# What such a call would have been answered, had it been done.
DONE = "done"


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


def is_linearizable(
    calls: list[Call], model: Model, state: Hashable, is_read: Callable[[Hashable], bool] = lambda _: False
) -> bool:
    """Whether there is such an order; it is found sooner if `is_read` knows the questions that change nothing."""
    waiting = sorted(calls, key=lambda call: call.begin)
    seen: set[tuple[int, Hashable]] = set()
    # What is done, as bits by number, and the state that it leads to.
    reached = [(0, state)]
    everything = (1 << len(waiting)) - 1
    while reached:
        done, state = reached.pop()
        if done == everything:
            return True
        for step in following(waiting, model, is_read, done, state):
            if step not in seen:
                seen.add(step)
                reached.append(step)
    return False


def following(
    waiting: list[Call], model: Model, is_read: Callable[[Hashable], bool], done: int, state: Hashable
) -> list[tuple[int, Hashable]]:
    """What can be done next, and the states that it leads to; last what is most likely next."""
    found = []
    for number in sorted(candidates(waiting, done), key=lambda number: waiting[number].end, reverse=True):
        call = waiting[number]
        is_answered = call.answered != UNANSWERED
        after = model(state, call.asked, call.answered if is_answered else DONE)
        if is_read(call.asked) and (after is not None or not is_answered):
            # What can never change anything comes first as well as later.
            return [(done | 1 << number, state)]
        if not is_answered:
            found.append((done | 1 << number, state))
        if after is not None:
            found.append((done | 1 << number, after))
    return found


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
