"""The examples in `corpus/events/`, and whether an event is as its example says."""

import json
import re
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.events.scene import Made

CORPUS = Path(__file__).parents[3] / "corpus" / "events"
# What every event has, whatever was called.
FRAME = (
    "eventVersion", "userIdentity", "eventTime", "sourceIPAddress", "userAgent", "requestID", "eventID", "eventType",
    "managementEvent", "recipientAccountId", "eventCategory",
)  # fmt: skip
PLACEHOLDER = re.compile(r"<([\w.]+)>")


@lru_cache
def examples(service: str) -> dict[str, dict[str, Any]]:
    """The examples of a service, by their names, which begin with that of the operation."""
    return json.loads((CORPUS / f"{service}.json").read_text())


def expected(example: Any, made: Made) -> Any:
    """The example with what this call turned out to be about in the place of `<names>`."""
    return _filled(example, made.values | _told(made.answer))


def shown(made: Made) -> dict[str, Any]:
    """The event without its frame."""
    return {name: value for name, value in made.event.items() if name not in FRAME}


def in_words(moment: datetime) -> str:
    """A moment within requests and responses."""
    return moment.strftime("%b %-d, %Y, %-I:%M:%S %p")


def _filled(example: Any, values: dict[str, Any]) -> Any:
    if isinstance(example, dict):
        return {name: _filled(value, values) for name, value in example.items()}
    if isinstance(example, list):
        return [_filled(value, values) for value in example]
    return _text(example, values) if isinstance(example, str) else example


def _text(text: str, values: dict[str, Any]) -> Any:
    if alone := PLACEHOLDER.fullmatch(text):
        return values.get(alone[1], text)
    return PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), text)


def _told(answer: Any, path: str = "answer") -> dict[str, Any]:
    """Every value of an answer by its path: `answer.KeyMetadata.Arn`."""
    if isinstance(answer, dict):
        return {name: value for key, part in answer.items() for name, value in _told(part, f"{path}.{key}").items()}
    if isinstance(answer, list):
        return {name: value for at, part in enumerate(answer) for name, value in _told(part, f"{path}.{at}").items()}
    if isinstance(answer, datetime):
        return {path: in_words(answer)}
    return {path: answer} if isinstance(answer, str | int) else {}
