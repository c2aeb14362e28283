"""The services as their models in `models/` have them: what can be called, and how a call looks on the wire."""

import base64
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from harness.raw import Answer, Request

MODELS = Path(__file__).parents[2] / "models"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
XML_CODE, XML_TEXT = (re.compile(f"<{name}>(.*?)</{name}>".encode(), re.DOTALL) for name in ("Code", "Message"))


@dataclass(frozen=True)
class Service:
    """One service model."""

    path: Path

    @cached_property
    def _document(self) -> dict[str, Any]:
        return json.loads(self.path.read_text())

    @property
    def _metadata(self) -> dict[str, Any]:
        return self._document["metadata"]

    @property
    def name(self) -> str:
        """As signatures and policies call it."""
        return self._metadata.get("signingName", self._metadata["endpointPrefix"])

    @property
    def shapes(self) -> dict[str, Any]:
        return self._document["shapes"]

    @property
    def operations(self) -> list[str]:
        return sorted(self._document["operations"])

    def request_shape(self, operation: str) -> dict[str, Any]:
        """The shape of an operation's request."""
        told = self._document["operations"][operation].get("input")
        return self.shapes[told["shape"]] if told else {"type": "structure", "members": {}}

    def takes(self, operation: str, member: str) -> bool:
        """Whether an operation's request can have a member of this name."""
        return member in self.request_shape(operation)["members"]

    def minimal(self, operation: str, values: dict[str, Any], named: Collection[str] = ()) -> dict[str, Any]:
        """The members that a request must have, and those of `named` that it can have. Each has the value that `values`
        have by its name, or else the least that the model admits."""
        shape = self.request_shape(operation)
        wanted = [name for name in shape["members"] if name in shape.get("required", []) or name in named]
        return {name: self._member(name, shape["members"][name]["shape"], values) for name in wanted}

    def _member(self, name: str, shape_name: str, values: dict[str, Any]) -> Any:
        return values[name] if name in values else self._least(self.shapes[shape_name])

    def _least(self, shape: dict[str, Any]) -> Any:
        """The least value of a shape. Patterns are not looked at."""
        kind, size = shape["type"], max(shape.get("min", 1), 1)
        if kind == "structure":
            required = shape.get("required", [])
            return {name: self._least(self.shapes[shape["members"][name]["shape"]]) for name in required}
        if kind == "list":
            return [self._least(self.shapes[shape["member"]["shape"]])]
        if kind == "map":
            return {}
        if kind == "string":
            return shape["enum"][0] if "enum" in shape else "a" * size
        values = {"blob": b"a" * size, "boolean": False, "integer": size, "long": size, "timestamp": 0}
        return values[kind]

    def request(self, operation: str, members: dict[str, Any]) -> Request:
        """The call, not signed. Bytes in `members` are blobs."""
        if self._metadata["protocol"] == "json":
            headers = {
                "Content-Type": f"application/x-amz-json-{self._metadata['jsonVersion']}",
                "X-Amz-Target": f"{self._metadata['targetPrefix']}.{operation}",
            }
            return Request(headers=headers, body=json.dumps(members, default=_blob).encode())
        assert self._metadata["protocol"] == "query", self.path
        fields = {"Action": operation, "Version": self._metadata["apiVersion"]}
        for name, value in members.items():
            fields |= _fields(name, value)
        return Request(headers={"Content-Type": FORM}, body=urlencode(fields).encode())

    def code(self, answer: Answer) -> str | None:
        """The error's code, or None for a success."""
        if answer.status == 200:
            return None
        if self._metadata["protocol"] == "json":
            return answer.json["__type"].rpartition("#")[2]
        return _first(XML_CODE, answer)

    def text(self, answer: Answer) -> str:
        """The error's text."""
        if self._metadata["protocol"] == "json":
            return answer.json.get("message") or ""
        return _first(XML_TEXT, answer)


@lru_cache
def services() -> dict[str, Service]:
    """Every service that has a model, by its name."""
    found = [Service(path) for path in sorted(MODELS.glob("*.json"))]
    return {service.name: service for service in found}


def _blob(value: Any) -> str:
    assert isinstance(value, bytes), value
    return base64.b64encode(value).decode()


def _fields(name: str, value: Any) -> dict[str, str]:
    """A member in the form of the Query protocol."""
    fields: dict[str, str] = {}
    if isinstance(value, dict):
        for inner, part in value.items():
            fields |= _fields(f"{name}.{inner}", part)
    elif isinstance(value, list):
        for number, part in enumerate(value, 1):
            fields |= _fields(f"{name}.member.{number}", part)
    elif isinstance(value, bool):
        fields[name] = str(value).lower()
    else:
        fields[name] = _blob(value) if isinstance(value, bytes) else str(value)
    return fields


def _first(pattern: re.Pattern[bytes], answer: Answer) -> str:
    found = pattern.search(answer.body)
    return found[1].decode() if found else ""
