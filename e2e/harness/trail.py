"""The audit log of a server, read from its data folder."""

import hashlib
import json
from pathlib import Path
from typing import Any

from harness.server import Server


CHAIN = b',"chain":"'


def segments(server: Server) -> list[Path]:
    """The files of the log, in order."""
    return sorted((server.data / "trail" / "log").glob("*.jsonl"))


def lines(server: Server) -> list[dict[str, Any]]:
    """Every whole line of the log, in order."""
    return [json.loads(text) for text in _whole(server)]


def assert_chain(server: Server) -> None:
    """No line was changed, moved or taken out: each carries the digest of what came before and of itself."""
    chain = bytes(32)
    for number, line in enumerate(_whole(server), 1):
        content, told = line.rstrip(b"\n").rsplit(CHAIN, 1)
        chain = hashlib.sha256(chain + content).digest()
        assert told == chain.hex().encode() + b'"}', f"line {number} does not continue the chain"
        assert json.loads(line)["sequence"] == number


def _whole(server: Server) -> list[bytes]:
    texts = [text for path in segments(server) for text in path.read_bytes().splitlines(keepends=True)]
    return [text for text in texts if text.endswith(b"\n")]


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
