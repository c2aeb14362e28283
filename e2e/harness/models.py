"""Models of what many clients share: each gives the state after a call, or None if no service in that state answers so.

What is asked is a pair of an operation and what it is about; ("get", None) looks.
"""

from collections.abc import Hashable
from typing import Any


def key_state(state: str, asked: Hashable, answered: Hashable) -> str | None:
    """The model of enabling and disabling."""
    match asked:
        case ("switch", operation):
            return f"{operation}d" if answered == "done" else None
        case ("get", _):
            return state if answered == state else None
        case _:
            return state if answered == ("done" if state == "Enabled" else "DisabledException") else None


def alias_target(target: str, asked: Any, answered: Hashable) -> str | None:
    """The model of an alias: which key it names, or "none"."""
    operation, key = asked
    is_there = target != "none"
    match operation:
        case "create":
            right = "AlreadyExistsException" if is_there else "done"
            return (target if is_there else key) if answered == right else None
        case "update":
            return (key if is_there else target) if answered == ("done" if is_there else "NotFoundException") else None
        case "delete":
            return "none" if answered == ("done" if is_there else "NotFoundException") else None
        case _:
            return target if answered == target else None


def register(value: Hashable, asked: Any, answered: Hashable) -> Hashable:
    """The model of something that is put and got."""
    operation, written = asked
    if operation == "put":
        return written if answered == "done" else None
    return value if answered == value else None


def members(held: frozenset[str], asked: Any, answered: Any) -> frozenset[str] | None:
    """The model of a set: adding and taking away whatever is there, and looking at all of it."""
    operation, one = asked
    match operation:
        case "add":
            return held | {one} if answered == "done" else None
        case "take":
            return held - {one} if answered == "done" else None
        case _:
            return held if answered == held else None


def grants(held: frozenset[str], asked: Any, answered: Any) -> frozenset[str] | None:
    """The model of a key's grants, by name; each is made once. A revoked one is not there a second time."""
    operation, one = asked
    match operation:
        case "create":
            return held | {one} if answered == "done" else None
        case "revoke":
            return held - {one} if answered == ("done" if one in held else "NotFoundException") else None
        case _:
            return held if answered == held else None
