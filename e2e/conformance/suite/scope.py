"""Placeholders in the requests and expectations of cases: `{name}` stands for a value, `{function argument}` for one
that is made."""

import hashlib
import re
from collections import ChainMap
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from suite import material

PLACEHOLDER = re.compile(r"\{([a-z_]+[A-Za-z0-9_.]*(?: [^{} ]+)*)\}")


class Unprepared(Exception):
    """A value that a case needs could not be made beforehand, and why."""


class Scope:
    """What placeholders stand for, nearest first. A value may be a function, which is asked when it is needed."""

    def __init__(self, *layers: Mapping[str, Any]):
        self._values = ChainMap(*[dict(layer) if not isinstance(layer, dict) else layer for layer in layers])

    def keep(self, name: str, value: Any) -> None:
        """Remembers a value for what comes after."""
        self._values[name] = value

    def value(self, path: str) -> Any:
        """The value at a dotted path, for example `created.KeyMetadata.Arn`."""
        name, *inner = path.split(".")
        if name not in self._values:
            raise Unprepared(f"nothing is called {name}")
        found = self._values[name]
        return at_path(found() if callable(found) else found, inner, path)

    def resolve(self, template: Any, text: Callable[[str], str] = str) -> Any:
        """The template with its placeholders replaced. One that is the whole of a string keeps its value's type; others
        become text, passed through `text`."""
        if isinstance(template, dict):
            return self._table(template, text)
        if isinstance(template, list):
            return [self.resolve(inner, text) for inner in template]
        if not isinstance(template, str):
            return template
        whole = PLACEHOLDER.fullmatch(template)
        if whole:
            return self._evaluate(whole[1])
        return PLACEHOLDER.sub(lambda found: text(str(self._evaluate(found[1]))), template)

    def _table(self, template: dict[str, Any], text: Callable[[str], str]) -> dict[str, Any]:
        """A table; what stands under `*` is a table whose members belong to this one."""
        found: dict[str, Any] = {}
        for name, inner in template.items():
            value = self.resolve(inner, text)
            found |= value if name == "*" else {name: value}
        return found

    def _evaluate(self, expression: str) -> Any:
        name, *arguments = expression.split(" ")
        if not arguments:
            return self.value(name)
        function = FUNCTIONS.get(name)
        if function is None:
            raise Unprepared(f"no function is called {name}")
        return function(*[self._argument(argument) for argument in arguments])

    def _argument(self, text: str) -> Any:
        """Numbers and words in capitals mean themselves, everything else names a value."""
        if re.fullmatch(r"-?[0-9]+", text):
            return int(text)
        return text if re.match(r"[A-Z]", text) else self.value(text)


def at_path(value: Any, names: list[str], path: str) -> Any:
    """What lies inside `value` under these names; numbers count the items of lists."""
    for name in names:
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (KeyError, IndexError, TypeError, ValueError):
            raise Unprepared(f"there is no {path}") from None
    return value


def _flipped(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


def _days_from_now(count: int) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=count)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "bytes": lambda length: b"\x2a" * length,
    "text": lambda length: "x" * length,
    "blanks": lambda length: " " * length,
    "padded": lambda text, length: text.ljust(length, "x"),
    "tags": lambda count: [{"TagKey": f"tag-{number}", "TagValue": "x"} for number in range(count)],
    "pairs": lambda count: {f"key-{number}": "x" for number in range(count)},
    "flipped": _flipped,
    "cut": lambda value: value[:-1],
    "joined": lambda first, second: first + second,
    "days": _days_from_now,
    "material": material.material,
    "other_material": lambda spec: material.material(spec, another=True),
    "peer_key": material.peer_key,
    "shared_secret": material.shared_secret,
    "wrapped": material.wrapped,
    "hmac": material.tag,
    "hash": lambda name, value: hashlib.new(name.lower(), value).digest(),
    "representative": material.representative,
}
