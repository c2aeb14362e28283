"""Making all calls, and saying in a word what came of each."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from harness.callers import Caller
from harness.matrix.callers import Callers
from harness.matrix.keys import Key, Keys
from harness.matrix.rows import ON_KEYS, WITHOUT_KEY, Cell, Row
from harness.raw import Line
from harness.seed import ONE, SEEDED_KEY
from harness.server import Server
from harness.services import services

# Each key is worked on by one thread at a time, so that calls do not meet each other's changes.
THREADS = 4

DENIED = "AccessDeniedException"
NOT_SIGNED = "MissingAuthenticationTokenException"
DENIAL = re.compile(r"User: (\S+) is not authorized to perform: kms:(\w+)( on resource: \S+)?(.*)")
REASONS = {
    r" because no resource-based policy allows the kms:\w+ action": "key policy",
    r" because no identity-based policy allows the kms:\w+ action": "identity",
    r" because no permissions boundary allows the kms:\w+ action": "boundary",
    r" because no session policy allows the kms:\w+ action": "session",
    r" with an explicit deny in an? .*": "explicit",
    r" on (this resource|the resource associated with this ciphertext) because .* does not exist .*": "out of reach",
    r"": "unsaid",
}


@dataclass(frozen=True)
class Outcome:
    """What came of a call: an error's code, or none; of a denial also whom it names, which action, and why."""

    code: str | None
    caller: str = ""
    action: str = ""
    reason: str = ""

    @property
    def is_denied(self) -> bool:
        return self.code == DENIED

    @property
    def is_past_authorization(self) -> bool:
        """Whether the caller was let through, whatever the operation said then."""
        return self.code not in (DENIED, NOT_SIGNED)

    def word(self, action: str) -> str:
        """As it stands in the snapshot, where this action is expected to be checked."""
        if self.code is None:
            return "ok"
        if self.code == NOT_SIGNED:
            return "not signed"
        if not self.is_denied:
            return self.code.removesuffix("Exception")
        return self.reason if self.action == action else f"{self.reason} {self.action}"


@dataclass
class Measured:
    """All outcomes."""

    callers: list[Caller]
    kinds: list[str]
    # By row, kind of key and caller; absent where there can be no such request.
    on_keys: dict[tuple[str, str, str], Outcome]
    # By row and caller.
    without_key: dict[tuple[str, str], Outcome]
    # What the keys were before and after.
    states: tuple[list[Any], list[Any]]


def measure(server: Server) -> Measured:
    """Makes callers and keys, and all calls."""
    callers = Callers(server, ONE.key_arn(SEEDED_KEY))
    keys = Keys(server, callers)
    before = keys.state()
    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(pool.map(lambda key: _on_key(server, keys, key), keys.all))
    after = keys.state()
    on_keys = {place: outcome for part in parts for place, outcome in part.items()}
    kinds = [key.kind for key in keys.all]
    return Measured(callers.all, kinds, on_keys, _without_key(server, callers), (before, after))


def _on_key(server: Server, keys: Keys, key: Key) -> dict[tuple[str, str, str], Outcome]:
    line = Line(server)
    found = {}
    for row in (row for rows in ON_KEYS.values() for row in rows):
        for place, caller in enumerate(keys.callers.all):
            outcome = _outcome(line, row, Cell(keys, key, caller, place))
            if outcome is not None:
                found[row.name, key.kind, caller.name] = outcome
    line.close()
    return found


def _outcome(line: Line, row: Row, cell: Cell) -> Outcome | None:
    request = row.request(cell)
    if request is None:
        return None
    outcome = call(line, cell.caller, row.operation, request)
    if outcome.code is None and row.undo is not None:
        row.undo(cell)
    return outcome


def _without_key(server: Server, callers: Callers) -> dict[tuple[str, str], Outcome]:
    line = Line(server)
    found = {
        (name, caller.name): call(line, caller, name.split(" ")[0], request(caller))
        for name, request in WITHOUT_KEY.items()
        for caller in callers.all
    }
    line.close()
    return found


def call(line: Line, caller: Caller, operation: str, members: dict[str, Any]) -> Outcome:
    """One call of KMS, as a dry run where the operation has it."""
    kms = services()["kms"]
    is_dry = kms.takes(operation, "DryRun")
    request = kms.request(operation, members | ({"DryRun": True} if is_dry else {}))
    answer = line.exchange(caller.sign(line.server, request))
    code = kms.code(answer)
    if is_dry:
        assert code is not None, f"{operation} was carried out instead of tried"
        code = None if code == "DryRunOperationException" else code
    if code != DENIED:
        return Outcome(code)
    told = DENIAL.fullmatch(kms.text(answer))
    assert told, answer
    reason = next((word for text, word in REASONS.items() if re.fullmatch(text, told[4])), None)
    assert reason, answer
    return Outcome(code, told[1], told[2], reason)
