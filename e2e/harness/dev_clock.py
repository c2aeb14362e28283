"""The settable clock of a `--dev` server."""

import json
from datetime import datetime, timedelta
from typing import Any

from harness.raw import Request, exchange
from harness.server import Server


def advance(server: Server, amount: timedelta) -> None:
    """Moves the server's clock forwards."""
    body = json.dumps({"advance_seconds": int(amount.total_seconds())}).encode()
    answer = exchange(server, Request("POST", "/_dev/clock", {"Content-Type": "application/json"}, body))
    assert answer.status == 200, answer


def now(kms: Any) -> datetime:
    """The server's time, read from a key made this moment."""
    return kms.create_key()["KeyMetadata"]["CreationDate"]
