"""Cases out of the service model: each constraint of each request broken once, with AWS's text.

The model is `models/kms-2014-11-01.json`; wire.md's texts of the constraint checker are recorded from the service.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from suite.cases import Case, Refusal
from suite.homes import home
from suite.matrix import on_key
from suite.model import Model
from suite.tables import Action, Tables

GROUP = "constraints"
SOURCE = "models/kms-2014-11-01.json"
NO_SUCH_VALUE = "INVALID"
# Candidates for a text that breaks a pattern, tried in this order.
BAD_TEXTS = ["\u0100", "not allowed!", "\u00e9", "#", " "]


@dataclass(frozen=True)
class Broken:
    """A value that breaks a constraint, perhaps with others: where it stands in the request, and what the constraint
    checker says of it."""

    path: tuple[str | int, ...]
    value: Any
    title: str
    clause: str


REMOVED = object()


def cases(tables: Tables) -> list[Case]:
    """One case for each constraint of each request."""
    model = Model()
    found = []
    done = set()
    for action in tables.actions.values():
        if action.operation not in done:
            done.add(action.operation)
            found += [_case(tables, action, broken) for broken in _broken_requests(model, action)]
    return found


def _case(tables: Tables, action: Action, broken: Broken) -> Case:
    name = home(tables, action)
    request = _put(action.request, broken.path, broken.value)
    expected = Refusal(
        ("ValidationException",),
        pattern=rf"[0-9]+ validation errors? detected: (.*; )?{broken.clause}(; .*)?",
    )
    made = on_key(tables, action, name, GROUP, f"{_dotted(broken.path)} {broken.title}", request, (expected,))
    needs_key = "{" in str(request)
    return Case(
        made.operation, GROUP, made.name, SOURCE, made.steps, made.key if needs_key else None, variables=made.variables
    )


def _broken_requests(model: Model, action: Action) -> Iterator[Broken]:
    shape = model.request(action.operation)
    if shape is not None:
        yield from _in_structure(model, shape, ())


def _in_structure(model: Model, shape: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[Broken]:
    for name in shape.get("required", []):
        clause = f"Value null at '{_told((*path, name))}' failed to satisfy constraint: Member must not be null"
        yield Broken((*path, name), REMOVED, "missing", clause)
    for name, member in shape["members"].items():
        yield from _in_member(model, member["shape"], (*path, name))


def _in_member(model: Model, name: str, path: tuple[str | int, ...]) -> Iterator[Broken]:
    shape = model.shapes[name]
    kind = shape["type"]
    if kind == "structure":
        for broken in _in_structure(model, shape, path):
            # A structure has to be there for a member of it to be missing.
            told = Broken(path, {}, f"without {broken.path[-1]}", broken.clause)
            yield told if broken.value is REMOVED else broken
    elif kind == "list":
        yield from _in_list(model, shape, path)
    elif kind == "integer":
        yield from _bounds(shape, path, "value", lambda size: size, quoted=True)
    elif kind == "blob":
        yield from _bounds(shape, path, "length", lambda size: b"\x2a" * size, quoted=False)
    elif kind == "string":
        yield from _in_text(shape, path)


def _in_list(model: Model, shape: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[Broken]:
    name = shape["member"]["shape"]
    member = model.shapes[name]
    yield from _bounds(shape, path, "length", lambda size: [_valid(model, name)] * size, quoted=True)
    if member["type"] == "structure":
        yield from _in_member(model, name, (*path, 0))
    elif "enum" in member or "min" in member:
        for broken in _in_text(member, (*path, 0)):
            constraint = broken.clause.split("constraint: ", 1)[1]
            # Of list members either the list is told, or the member.
            inner = rf"Member must satisfy constraint: \[.*{constraint}.*\]"
            clause = (
                rf"(Value '\[.*' at '{_told(path)}' failed to satisfy constraint: {inner}|{broken.clause})"
            )
            yield Broken(broken.path, broken.value, broken.title, clause)


def _in_text(shape: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[Broken]:
    if "enum" in shape:
        constraint = r"Member must satisfy enum value set: \[\w+(, \w+)*\]"
        yield Broken(path, NO_SUCH_VALUE, "not in the enumeration", _clause(path, f"'{NO_SUCH_VALUE}'", constraint))
        return
    sensitive = bool(shape.get("sensitive"))
    yield from _bounds(shape, path, "length", lambda size: "a" * size, quoted=not sensitive)
    bad = _bad_text(shape)
    if bad is not None:
        told = "" if sensitive else f"'{re.escape(bad)}'"
        constraint = f"Member must satisfy regular expression pattern: {re.escape(shape['pattern'])}"
        yield Broken(path, bad, "against the pattern", _clause(path, told, constraint))


def _bounds(
    shape: dict[str, Any], path: tuple[str | int, ...], what: str, make: Callable[[int], Any], *, quoted: bool
) -> Iterator[Broken]:
    """A value below the minimum and one above the maximum. Values that are not texts need not be told."""
    told = "'.*'" if quoted else ""
    if shape.get("min", 0) > 0:
        clause = _clause(path, told, f"Member must have {what} greater than or equal to {shape['min']}")
        yield Broken(path, make(shape["min"] - 1), "below the minimum", clause)
    if "max" in shape:
        clause = _clause(path, told, f"Member must have {what} less than or equal to {shape['max']}")
        yield Broken(path, make(shape["max"] + 1), "above the maximum", clause)


def _clause(path: tuple[str | int, ...], told: str, constraint: str) -> str:
    value = rf"Value {told}" if told else "Value( '.*')?"
    return rf"{value} at '{_told(path)}' failed to satisfy constraint: {constraint}"


def _bad_text(shape: dict[str, Any]) -> str | None:
    """A text of allowed length that the pattern does not match."""
    if "pattern" not in shape:
        return None
    length = max(shape.get("min", 1), 1)
    for bad in BAD_TEXTS:
        text = bad + "a" * (length - len(bad))
        if len(text) <= shape.get("max", len(text)) and not re.fullmatch(shape["pattern"], text, re.ASCII):
            return text
    return None


def _valid(model: Model, name: str) -> Any:
    """A text that a list of texts admits."""
    shape = model.shapes[name]
    if "enum" in shape:
        return shape["enum"][0]
    return "a" * max(shape.get("min", 1), 1)


def _put(request: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The request with a value at a path, or without it."""
    name, *inner = path
    changed = dict(request)
    if value is REMOVED and not inner:
        changed.pop(name, None)
    elif not inner:
        changed[name] = value
    elif inner[0] == 0:
        changed[name] = [_put({}, tuple(inner[1:]), value) if inner[1:] else value]
    else:
        changed[name] = _put({}, tuple(inner), value)
    return changed


def _told(path: tuple[str | int, ...]) -> str:
    """The path as the constraint checker tells it: `tags.1.member.tagKey`."""
    parts = ["1.member" if part == 0 else str(part)[0].lower() + str(part)[1:] for part in path]
    return re.escape(".".join(parts))


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in path)
