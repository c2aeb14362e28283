"""Compares an answer with what a case expects."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from suite.cases import Outcome, Refusal, Success
from suite.endpoint import Answer
from suite.scope import Scope, Unprepared, at_path

CLOCKS_DIFFER_BY = timedelta(minutes=10)
MISSING = object()


def complaints(answer: Answer, outcomes: tuple[Outcome, ...], scope: Scope) -> list[str]:
    """What is wrong with the answer; nothing if it is one of the outcomes."""
    found = []
    for outcome in outcomes:
        wrong = _wrong(answer, outcome, scope)
        if not wrong:
            return []
        found.append(wrong)
    if answer.succeeded:
        for wrong, outcome in zip(found, outcomes, strict=True):
            if isinstance(outcome, Success):
                return wrong
    expected = " or ".join(_described(outcome, scope) for outcome in outcomes)
    return [f"expected {expected}, but {answer}"]


def _wrong(answer: Answer, outcome: Outcome, scope: Scope) -> list[str]:
    if isinstance(outcome, Success):
        if not answer.succeeded:
            return [str(answer)]
        checks = outcome.members.items()
        return [text for path, check in checks for text in member(answer.members, path, check, scope)]
    if answer.succeeded or answer.code not in outcome.codes:
        return [str(answer)]
    return [] if _has_text(answer.text, outcome, scope) else [str(answer)]


def _has_text(text: str, refusal: Refusal, scope: Scope) -> bool:
    if refusal.texts is not None and text in [scope.resolve(expected) for expected in refusal.texts]:
        return True
    if refusal.pattern is not None:
        return re.fullmatch(scope.resolve(refusal.pattern, re.escape), text, re.DOTALL) is not None
    return refusal.texts is None


def _described(outcome: Outcome, scope: Scope) -> str:
    if isinstance(outcome, Success):
        return "success"
    code = " or ".join(outcome.codes)
    texts = [] if outcome.texts is None else [repr(scope.resolve(text)) for text in outcome.texts]
    if outcome.pattern is not None:
        texts.append(f"/{scope.resolve(outcome.pattern, re.escape)}/")
    return f"{code} {' or '.join(texts)}".strip()


def member(members: Any, path: str, check: Any, scope: Scope) -> list[str]:
    """What is wrong with the member at a path. A check is a value to be equal to, or a table of rules of `RULES`."""
    try:
        actual = at_path(members, path.split("."), path)
    except Unprepared:
        actual = MISSING
    rules = check if isinstance(check, dict) and check and set(check) <= set(RULES) else {"equals": check}
    if actual is MISSING:
        return [] if rules.get("absent") else [f"{path} is missing"]
    wrong = []
    for rule, argument in rules.items():
        said = RULES[rule](actual, argument, scope)
        if said:
            wrong.append(f"{path} {said}")
    return wrong


def _equals(actual: Any, argument: Any, scope: Scope) -> str | None:
    expected = scope.resolve(argument)
    return None if actual == expected and type(actual) is type(expected) else f"is {actual!r}, expected {expected!r}"


def _differs(actual: Any, argument: Any, scope: Scope) -> str | None:
    return f"is still {actual!r}" if actual == scope.resolve(argument) else None


def _pattern(actual: Any, argument: Any, scope: Scope) -> str | None:
    pattern = scope.resolve(argument, re.escape)
    matches = isinstance(actual, str) and re.fullmatch(pattern, actual, re.DOTALL)
    return None if matches else f"is {actual!r}, expected a match of {pattern!r}"


def _length(actual: Any, argument: Any, scope: Scope) -> str | None:
    expected = scope.resolve(argument)
    least, most = expected if isinstance(expected, list) else (expected, expected)
    return None if least <= len(actual) <= most else f"has length {len(actual)}, expected {least} to {most}"


def _absent(actual: Any, argument: Any, scope: Scope) -> str | None:
    return f"is there: {actual!r}"[:200] if argument else None


def _present(actual: Any, argument: Any, scope: Scope) -> str | None:
    return None


def _any_of(actual: Any, argument: Any, scope: Scope) -> str | None:
    expected = scope.resolve(argument)
    return None if actual in expected else f"is {actual!r}, expected one of {expected!r}"


def _same_items(actual: Any, argument: Any, scope: Scope) -> str | None:
    expected = scope.resolve(argument)
    same = len(actual) == len(expected) and all(actual.count(item) == expected.count(item) for item in expected)
    return None if same else f"is {actual!r}, expected {expected!r} in any order"


def _contains(actual: Any, argument: Any, scope: Scope) -> str | None:
    expected = scope.resolve(argument)
    found = any(_within(expected, item) for item in actual)
    return None if found else f"does not contain {expected!r}: {actual!r}"[:600]


def _lacks(actual: Any, argument: Any, scope: Scope) -> str | None:
    unwanted = scope.resolve(argument)
    return f"contains {unwanted!r}" if any(_within(unwanted, item) for item in actual) else None


def _within(expected: Any, item: Any) -> bool:
    """A table is within an item that has all its members."""
    if isinstance(expected, dict) and isinstance(item, dict):
        return all(item.get(name, MISSING) == value for name, value in expected.items())
    return bool(item == expected)


def _time(actual: Any, argument: Any, scope: Scope) -> str | None:
    """The time, in days from now."""
    expected = datetime.now(actual.tzinfo) + timedelta(days=scope.resolve(argument))
    near = isinstance(actual, datetime) and abs(actual - expected) <= CLOCKS_DIFFER_BY
    return None if near else f"is {actual}, expected about {expected}"


def _each(actual: Any, argument: Any, scope: Scope) -> str | None:
    wrong = [
        text
        for item in actual
        for path, check in argument.items()
        for text in member(item, path, check, scope)
    ]
    return "; ".join(wrong) or None


RULES: dict[str, Callable[[Any, Any, Scope], str | None]] = {
    "equals": _equals,
    "differs": _differs,
    "pattern": _pattern,
    "length": _length,
    "absent": _absent,
    "present": _present,
    "any_of": _any_of,
    "same_items": _same_items,
    "contains": _contains,
    "lacks": _lacks,
    "time": _time,
    "each": _each,
}
