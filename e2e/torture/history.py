"""What clients did and were told, and what a folder may hold after a crash at some point of it.

A state is a table of facts, such as ("key", "c0-1", "state") -> "Enabled"; what is not in it is not there. Each
client has facts of its own and makes one call at a time, so that its history is a row of steps. A call that was
answered before the crash is done; one that was under way, was refused or got no answer is done or not, but whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

Fact = tuple[str, ...]
State = dict[Fact, Any]


@dataclass(frozen=True)
class Broken:
    """What was found in place of a value: something half done."""

    what: str


class Outcome(Enum):
    """What became of a call, as its client knows it."""

    DONE = "done"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    # No call but a look: these are the facts.
    SEEN = "seen"


@dataclass(frozen=True)
class Step:
    """One call of a client. `begin` and `end` are positions in the journal: before it was sent, behind its answer."""

    client: str
    call: str
    begin: int
    end: int
    outcome: Outcome
    # What the call sets; None takes away. Of a look: everything.
    change: tuple[tuple[Fact, Any], ...]
    # By which the trail knows the call, if it was answered and is one that the trail tells of.
    request: str | None = None


class Verdict(Enum):
    """What is wrong."""

    LOST = "lost"
    TORN = "torn"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Finding:
    """Something that must not be."""

    verdict: Verdict
    text: str


def after(state: State, change: Iterable[tuple[Fact, Any]]) -> State:
    """The state with these facts set."""
    made = state | dict(change)
    return {fact: value for fact, value in made.items() if value is not None}


def possible(steps: list[Step], position: int) -> list[State]:
    """The states of one client's facts that its steps allow at this position, the one of what was answered first."""
    states: list[State] = [{}]
    for step in steps:
        if step.begin > position:
            break
        answered = step.end <= position
        if step.outcome is Outcome.SEEN:
            seen = dict(step.change)
            states = [seen] if answered else states
        elif step.outcome is Outcome.DONE and answered:
            states = [after(state, step.change) for state in states]
        else:
            states += [after(state, step.change) for state in states]
    return states


def judge(steps: list[Step], position: int, found: State) -> list[Finding]:
    """What is wrong with one client's facts."""
    states = possible(steps, position)
    if found in states:
        return []
    past = past_values(steps, position)
    findings = []
    for fact in sorted({*found, *(fact for state in states for fact in state)}):
        values = [state.get(fact) for state in states]
        value = found.get(fact)
        if value in values:
            continue
        allowed = " or ".join(repr(one) for one in dict.fromkeys(map(repr, values)))
        told = f"{'/'.join(fact)} is {value!r}; the calls allow {allowed}"
        findings.append(Finding(_verdict(fact, value, values, past), told))
    if findings:
        return findings
    mixed = [f"{'/'.join(fact)}={found.get(fact)!r}" for fact in sorted(_in_doubt(states))]
    return [Finding(Verdict.TORN, f"each fact for itself could be, but not together: {', '.join(mixed)}")]


def past_values(steps: list[Step], position: int) -> dict[Fact, list[Any]]:
    """Every value that each fact has had up to this position."""
    past: dict[Fact, list[Any]] = {}
    for step in steps:
        if step.begin <= position:
            for fact, value in step.change:
                past.setdefault(fact, []).append(value)
    return past


def _verdict(fact: Fact, value: Any, values: list[Any], past: dict[Fact, list[Any]]) -> Verdict:
    if isinstance(value, Broken):
        return Verdict.TORN
    if value is None or value in past.get(fact, []):
        return Verdict.LOST
    if fact not in past and None in values:
        # Nobody's call made it.
        return Verdict.UNEXPLAINED
    return Verdict.TORN


def _in_doubt(states: list[State]) -> set[Fact]:
    facts = {fact for state in states for fact in state}
    return {fact for fact in facts if len({repr(state.get(fact)) for state in states}) > 1}
