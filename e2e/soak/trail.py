"""Whether the trail tells of every call that was answered, once, and of no other."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness import trail
from harness.server import EXIT_OK, Server, run_tool
from soak.ledger import Answered

# What events call otherwise than clients do.
RENAMED = {"ListObjectsV2": "ListObjects"}
VERIFY_SECONDS = 900.0
# Whoever is refused with these is nobody for the service, and the trail does not tell of strangers.
STRANGERS = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "ExpiredToken"})
# Of each kind of difference so many are told.
TOLD_MAX = 5


@dataclass(frozen=True)
class Others:
    """Calls of which the clients know no answer: how many were cut off, and how many of each operation others made."""

    unanswered: int
    made: dict[str, int]


def differences(server: Server, answers: list[Answered], others: Others) -> list[str]:
    """What the log of a server that has ended tells otherwise than its clients were told."""
    wanted = {answer.request: answer for answer in answers if answer.code not in STRANGERS}
    seen: Counter[str] = Counter()
    stray: Counter[str] = Counter()
    found: dict[str, list[str]] = {}
    for event in client_events(server):
        request = event["requestID"]
        answer = wanted.get(request)
        if answer is not None:
            seen[request] += 1
            if not agrees(event, answer):
                found.setdefault("tells otherwise", []).append(f"{answer}: {event}")
        else:
            stray[event["eventName"]] += 1
    missing = [str(answer) for request, answer in wanted.items() if not seen[request]]
    found["has no event"] = missing
    found["has several events"] = [str(wanted[request]) for request, count in seen.items() if count > 1]
    told = [f"trail: {kind}: {text}" for kind, texts in found.items() for text in texts[:TOLD_MAX]]
    told += [f"trail: {stray[name]} events of {name}, {count} expected" for name, count in others.made.items()
             if stray[name] < count]  # fmt: skip
    more = stray - Counter(others.made)
    if more.total() > others.unanswered:
        told.append(f"trail: events of calls that nobody was answered: {more}; without answers: {others.unanswered}")
    return told


def client_events(server: Server) -> Iterator[dict[str, Any]]:
    """The events of calls that clients made: not those of services, and not the copies for other accounts."""
    for path in trail.segments(server):
        for line in path.open("rb"):
            if not line.endswith(b"\n"):
                continue
            event = json.loads(line)["event"]
            if event["eventType"] == "AwsApiCall" and "invokedBy" not in event["userIdentity"] and is_original(event):
                yield event


def is_original(event: dict[str, Any]) -> bool:
    """Whether this is the event for the caller's own account."""
    caller = event["userIdentity"].get("accountId")
    return caller in (None, event["recipientAccountId"])


def agrees(event: dict[str, Any], answer: Answered) -> bool:
    """Whether the event tells of the call what its client was told."""
    code = answer.code.removesuffix("Exception") if answer.code else None
    told = event.get("errorCode")
    name = RENAMED.get(answer.operation, answer.operation)
    return event["eventName"] == name and (told.removesuffix("Exception") if told else None) == code


def verified(server: Server) -> list[str]:
    """What `keywright trail verify` has against the folder."""
    done = run_tool("trail", "verify", "--data-dir", str(server.data), folder=server.folder, seconds=VERIFY_SECONDS)
    return [] if done.returncode == EXIT_OK else [f"trail verify: {done.returncode} {done.stdout} {done.stderr}"]


