"""Whether the trail tells of every call that was answered, once, and of no other."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from harness import trail
from harness.server import EXIT_OK, Server, run_tool
from soak.ledger import Answered

VERIFY_SECONDS = 900.0
# Whoever is refused with these is nobody for the service, and the trail does not tell of strangers.
STRANGERS = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "ExpiredToken"})
# Of each kind of difference so many are told.
TOLD_MAX = 5


def differences(server: Server, answers: list[Answered], unanswered: int) -> list[str]:
    """What the log of a server that has ended tells otherwise than its clients were told."""
    wanted = {answer.request: answer for answer in answers if answer.service != "s3" and answer.code not in STRANGERS}
    others = {answer.request for answer in answers if answer.service == "s3"}
    seen: Counter[str] = Counter()
    found: dict[str, list[str]] = {}
    stray = 0
    for event in client_events(server):
        request = event["requestID"]
        answer = wanted.get(request)
        if answer is not None:
            seen[request] += 1
            if not agrees(event, answer):
                found.setdefault("tells otherwise", []).append(f"{answer}: {event}")
        elif request not in others:
            stray += 1
    missing = [str(answer) for request, answer in wanted.items() if not seen[request]]
    found["has no event"] = missing
    found["has several events"] = [str(wanted[request]) for request, count in seen.items() if count > 1]
    told = [f"trail: {kind}: {text}" for kind, texts in found.items() for text in texts[:TOLD_MAX]]
    if stray > unanswered:
        told.append(f"trail: {stray} events of calls that nobody was answered, {unanswered} calls without an answer")
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
    return event["eventName"] == answer.operation and (told.removesuffix("Exception") if told else None) == code


def verified(server: Server) -> list[str]:
    """What `keywright trail verify` has against the folder."""
    done = run_tool("trail", "verify", "--data-dir", str(server.data), folder=server.folder, seconds=VERIFY_SECONDS)
    return [] if done.returncode == EXIT_OK else [f"trail verify: {done.returncode} {done.stdout} {done.stderr}"]


