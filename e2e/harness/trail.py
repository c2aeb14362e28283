"""The audit log of a server, read from its data folder."""

import json
from typing import Any

from harness.server import Server


def lines(server: Server) -> list[dict[str, Any]]:
    """Every whole line of the log, in order."""
    segments = sorted((server.data / "trail" / "log").glob("*.jsonl"))
    whole = [text for path in segments for text in path.read_text().splitlines(keepends=True) if text.endswith("\n")]
    return [json.loads(text) for text in whole]


def events(server: Server, **fields: Any) -> list[dict[str, Any]]:
    """The events in the log that have these values in these fields, in order."""
    found = [line["event"] for line in lines(server)]
    return [event for event in found if all(event.get(name) == value for name, value in fields.items())]


def event_of(server: Server, answer: dict[str, Any]) -> dict[str, Any]:
    """The one event of a request of the caller's own account, by what boto3 answered or raised."""
    request = answer["ResponseMetadata"]["RequestId"]
    [event, *copies] = events(server, requestID=request)
    assert all(copy["sharedEventID"] == event["sharedEventID"] for copy in copies)
    return event
